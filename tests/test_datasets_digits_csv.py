"""Digits in CSV files: what is read is what was written, whatever the size of a block, and errors name the line."""

import os
import tracemalloc

import numpy as np
import pytest

from minikeras.datasets import digits, digits_csv

HEADER = "label," + ",".join(f"pixel{i}" for i in range(784))
UNLABELLED = HEADER.removeprefix("label,")


def line(label=3, **pixels):
    """A line with one pixel or more set, as line(3, p5=255)."""
    values = ["0"] * 784
    for name, value in pixels.items():
        values[int(name[1:])] = str(value)
    return ",".join([str(label)] * (label is not None) + values)


def samples(count, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    x[generator.random(x.shape) < 0.7] = 0  # numbers of one, two and three digits, as in real images
    return x, (np.arange(count) % 10).astype(np.uint8)


def text_of(x, y=None, end="\n"):
    rows = x.reshape(len(x), -1).tolist()
    if y is not None:
        rows = [[label, *row] for label, row in zip(y.tolist(), rows)]
    return end.join([UNLABELLED if y is None else HEADER, *(",".join(map(str, row)) for row in rows)]) + end


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "digits.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


class TestReading:
    @pytest.mark.parametrize("block", [1, 2000, 5000, 1 << 19])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_round_trip(self, write, monkeypatch, block, end):
        monkeypatch.setattr(digits_csv, "BLOCK", block)
        x, y = samples(2 if block == 1 else 23)
        for text in (text_of(x, y, end), text_of(x, y, end).rstrip()):  # with and without the last line's end
            images, labels = digits_csv.load_data(write(text))
            assert np.array_equal(images, x)
            assert np.array_equal(labels, y)
            assert (images.dtype, labels.dtype) == (np.uint8, np.uint8)
            assert (images.shape, labels.shape) == ((len(x), 28, 28), (len(x),))
            assert images.flags.c_contiguous
            assert images.flags.writeable
        images = digits_csv.load_data(str(write(text_of(x, None, end))), labels=False)
        assert np.array_equal(images, x)
        assert images.flags.c_contiguous

    def test_every_value(self, write):
        x = np.resize(np.arange(256, dtype=np.uint8), (2, 28, 28))
        assert np.array_equal(digits_csv.load_data(write(text_of(x)), labels=False), x)

    def test_equals_numpy(self, write):
        path = write(text_of(*samples(5)))
        rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype=int)
        images, labels = digits_csv.load_data(path)
        assert np.array_equal(rows[:, 1:], images.reshape(5, -1))
        assert np.array_equal(rows[:, 0], labels)

    def test_embedded_digits(self, write):
        (x, y), _ = digits.load_data(size=28)
        x, y = np.rint(x[:100, ..., 0] * 255).astype(np.uint8), y[:100]
        images, labels = digits_csv.load_data(write(text_of(x, y)))
        assert np.array_equal(images, x)
        assert np.array_equal(labels, y)

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: "\ufeff" + text,  # what Excel puts first
            lambda text: text + "\n\r\n",
            lambda text: text.replace("\n", "\n\n"),
            lambda text: text.replace(",", ", "),
            lambda text: text.replace("label", '"label"').replace("pixel0", '"pixel0"'),
            lambda text: text.replace("\n7,", '\n"7",'),
            lambda text: text.replace("\n7,", "\n007,").replace("\n8,", "\n0008,"),
            lambda text: text.replace(HEADER, "label," + ",".join(f"pixel{i}" for i in range(1, 785))),
        ],
        ids=["bom", "lines at the end", "empty lines", "blanks", "quoted header", "quotes", "zeros", "from 1"],
    )
    def test_other_spellings(self, write, change):
        x, y = samples(12)
        text = text_of(x, y)
        assert change(text) != text
        images, labels = digits_csv.load_data(write(change(text)))
        assert np.array_equal(images, x)
        assert np.array_equal(labels, y)

    def test_memory(self, write):
        """A file of many blocks takes its images twice and a fixed amount for a block."""
        x, y = samples(10)
        text = text_of(x, y).encode()
        body = text[text.index(b"\n") + 1 :]
        path = write(text + body * 399)
        digits_csv.load_data(write(text))  # what is imported at the first use does not count
        path = write(text + body * 399)
        tracemalloc.start()
        images, labels = digits_csv.load_data(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(images) == len(labels) == 4000
        assert np.array_equal(images[-10:], x)
        assert peak < 2 * images.nbytes + 16 * digits_csv.BLOCK
        assert os.path.getsize(path) > 2 * digits_csv.BLOCK


class TestErrors:
    @pytest.mark.parametrize("block", [700, 1 << 19])
    @pytest.mark.parametrize(
        ("bad", "words"),
        [
            (line(p5=256), "column 7: pixel 6 of 784 must be a whole number from 0 to 255. Received: '256'"),
            (line(p783=1000), "column 785: pixel 784 of 784.*'1000'"),
            (line(p0="99999999999"), "column 2: pixel 1 of 784.*'99999999999'"),
            (line(p5=-1), "column 7: .*'-1'"),
            (line(p5="1.0"), "column 7: .*'1.0'"),
            (line(p5="x"), "column 7: .*'x'"),
            (line(p5="\u0663"), "column 7: "),
            (line(p5=""), "column 7: .*''"),
            (line(p5="1 2"), "column 7: .*'1 2'"),
            (line(p5="1_2"), "column 7: .*'1_2'"),
            (line(p5=";"), "column 7: .*';'"),
            (line(p5="9" * 5000), f"column 7: .*'{'9' * 40}'"),  # more than `int` takes
            (line().replace(",", ";", 1), "784 columns instead of 785"),
            (line(label=10), "column 1: the label must be a whole number from 0 to 9. Received: '10'"),
            (line(label=255), "column 1: the label"),
            (line(label=""), "column 1: the label .*''"),
            (line() + ",0", "786 columns instead of 785. A line is one image: its label and 784 pixels"),
            (line() + ",", "786 columns"),
            (line()[:-2], "784 columns instead of 785"),
            ("7", "1 columns instead of 785"),
            (line()[:-2] + "\n" + line() + ",0", "784 columns"),  # one short, one long: the separators are as many
        ],
    )
    def test_lines(self, write, monkeypatch, block, bad, words):
        monkeypatch.setattr(digits_csv, "BLOCK", block)
        for before in ([line(), line()], [line(), ""]):
            path = write("\n".join([HEADER, *before, bad, line()]))
            with pytest.raises(ValueError, match=f"digits.csv, line 4[,:].*{words}"):
                digits_csv.load_data(path)

    def test_line_of_a_later_block(self, write, monkeypatch):
        monkeypatch.setattr(digits_csv, "BLOCK", 4000)
        path = write("\n".join([HEADER, *[line()] * 40, line(p3=300), line()]))
        with pytest.raises(ValueError, match="line 42, column 5.*'300'"):
            digits_csv.load_data(path)

    def test_without_labels(self, write):
        path = write("\n".join([UNLABELLED, line(None), line(None, p5=256)]))
        with pytest.raises(ValueError, match="line 3, column 6: pixel 6 of 784 .* 255. Received: '256'"):
            digits_csv.load_data(path, labels=False)
        path = write("\n".join([UNLABELLED, line(3)]))
        with pytest.raises(ValueError, match="785 columns instead of 784. A line is one image: 784 pixels"):
            digits_csv.load_data(path, labels=False)
        path = write("\n".join([UNLABELLED, line(None, p0=255)]))  # no label: it may be above 9
        assert digits_csv.load_data(path, labels=False)[0, 0, 0] == 255

    @pytest.mark.parametrize(
        ("text", "labels", "words"),
        [
            ("", True, "is empty or begins with an empty line. Expected the header label,pixel0,...,pixel783"),
            ("\n" + HEADER, True, "begins with an empty line"),
            (HEADER, True, "has a header, but no line with an image"),
            (HEADER + "\n\n", True, "has a header, but no line with an image"),
            (line(), True, "line 1: .* it has no header: put a first line label,pixel0"),
            (line(None), False, "line 1: .* it has no header: put a first line pixel0"),
            (UNLABELLED + "\n" + line(None), True, "it has no labels: load it with labels=False"),
            (HEADER + "\n" + line(), False, "it has labels: load it with labels=True"),
            (HEADER + ",pixel784\n", True, "of 786 columns, column 786 is 'pixel784'; expected the end"),
            (HEADER.removesuffix(",pixel783"), True, "of 784 columns, column 785 is missing; expected 'pixel783'"),
            (HEADER.replace("pixel7,pixel8", "pixel8,pixel7"), True, "column 9 is 'pixel8'; expected 'pixel7'"),
            ("label\n", True, "of 1 columns, column 2 is missing; expected 'pixel0'"),
            (HEADER.replace("label", "Label"), True, "column 1 is 'Label'; expected"),
            (b"\x89PNG\r\n\x1a\n\xff\xfe", True, "line 1: expected the header"),
        ],
    )
    def test_headers(self, write, text, labels, words):
        with pytest.raises(ValueError, match=words):
            digits_csv.load_data(write(text), labels=labels)

    def test_arguments(self, tmp_path, write):
        with pytest.raises(FileNotFoundError, match="none.csv"):
            digits_csv.load_data(tmp_path / "none.csv")
        with pytest.raises(ValueError, match="`labels` must be True or False.*'label'"):
            digits_csv.load_data(write(HEADER + "\n" + line()), labels="label")


class TestSubmission:
    @pytest.mark.parametrize("dtype", [np.int64, np.uint8, list])
    def test_file(self, tmp_path, dtype):
        path = tmp_path / "submission.csv"
        path.write_text("old")
        labels = [2, 0, 9, 9]
        digits_csv.save_submission(path, labels if dtype is list else np.array(labels, dtype))
        assert path.read_bytes() == b"ImageId,Label\n1,2\n2,0\n3,9\n4,9\n"
        assert os.listdir(tmp_path) == ["submission.csv"]

    def test_round_trip(self, tmp_path):
        labels = samples(3000)[1][::-1]
        path = str(tmp_path / "submission.csv")
        digits_csv.save_submission(path, labels)
        rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype=int)
        assert np.array_equal(rows[:, 0], np.arange(1, 3001))
        assert np.array_equal(rows[:, 1], labels)

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            (np.eye(10)[:3], r"predict\(x\).argmax\(axis=1\).*float64 and shape \(3, 10\)"),
            (np.zeros((3, 1), int), r"shape \(3, 1\)"),
            ([1.0, 2.0], "integers"),
            (["1"], "integers"),
            ([True], "integers"),
            ([1, 10], "digits 0 to 9.*Received: 10 in row 1"),
            ([1, 2, -1], "Received: -1 in row 2"),
            (np.zeros(0, int), "no labels at all"),
        ],
    )
    def test_bad_labels_leave_the_file(self, tmp_path, labels, words):
        path = tmp_path / "submission.csv"
        path.write_text("kept")
        with pytest.raises(ValueError, match=words):
            digits_csv.save_submission(path, labels)
        assert path.read_text() == "kept"
        assert os.listdir(tmp_path) == ["submission.csv"]

    def test_no_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no folder"):
            digits_csv.save_submission(tmp_path / "none" / "submission.csv", [1])
