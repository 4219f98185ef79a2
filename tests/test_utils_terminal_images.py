"""Images as text: proportions, brightness, colours, and what a terminal is taken to show."""

import io
import re

import numpy as np
import pytest

from minikeras import utils
from minikeras.utils import terminal_images

CELL = re.compile(r"(?:\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m)?▀")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "41")
    monkeypatch.setenv("LINES", "30")


def colors_of(text):
    """The pixels that a terminal would show, (height, width, 3)."""
    rows = []
    for line in text.splitlines():
        upper, lower = [], []
        for cell in CELL.finditer(line):
            if cell[1] is not None:
                top, bottom = [int(cell[i]) for i in (1, 2, 3)], [int(cell[i]) for i in (4, 5, 6)]
            upper.append(top)
            lower.append(bottom)
        rows += [upper, lower]
    return np.array(rows)


def show(image, file, **arguments):
    utils.show_image_terminal(image, file=file, **arguments)
    return file.getvalue()


def test_ascii_of_a_ramp():
    ramp = np.linspace(0, 1, 10)[None].repeat(4, 0)
    assert utils.image_to_ascii(ramp, width=10) == "\n".join([" .:-=+*#%@"] * 2)
    assert utils.image_to_ascii(ramp, width=10, invert=True) == "\n".join(["@%#*+=-:. "] * 2)
    assert utils.image_to_ascii(ramp, width=5, ramp="01") == "\n".join(["00111"] * 1)
    assert utils.image_to_ascii(ramp[:, ::-1], width=10) == "\n".join(["@%#*+=-:. "] * 2)


def test_ascii_grows_and_shrinks():
    checks = np.array([[0, 255], [255, 0]], np.uint8)
    assert utils.image_to_ascii(checks, width=4).splitlines() == ["  @@", "@@  "]
    assert utils.image_to_ascii(checks, width=1) == "+"  # the mean


@pytest.mark.parametrize("height, width, asked, lines, columns", [
    (32, 32, 20, 10, 20), (10, 40, 40, 5, 40), (40, 10, 10, 20, 10), (1, 100, 20, 1, 20), (100, 1, 1, 50, 1),
    (20, 20, None, 20, 40), (20, 10, None, 28, 28), (100, 2, None, 25, 1),
])  # fmt: skip
def test_proportions(height, width, asked, lines, columns):
    for text in (
        utils.image_to_ascii(np.ones((height, width)), width=asked),
        re.sub(r"\x1b\[[\d;]*m", "", show(np.ones((height, width)), Terminal(), width=asked)).rstrip("\n"),
    ):
        assert [len(line) for line in text.splitlines()] == [columns] * lines


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_forms_of_one_image(channels):
    image = np.random.default_rng(0).integers(0, 256, (6, 8, channels), dtype=np.uint8)
    if channels == 4:
        image[..., 3] = 255
    expected = image[..., :3].repeat(3 if channels == 1 else 1, axis=-1)
    first = image.transpose(2, 0, 1)
    for x, form in ((image, None), (first, None), (image / 255, None), (image, "channels_last"),
                    (first, "channels_first"), (image.astype(int).tolist(), None)):  # fmt: skip
        text = show(x, Terminal(), width=8, mode="truecolor", data_format=form)
        np.testing.assert_array_equal(colors_of(text), expected)
    if channels == 1:
        assert show(image[..., 0], Terminal(), width=8, mode="truecolor") == text


def test_brightness_and_transparency():
    red_green_blue = np.eye(3)[None].repeat(2, 0)
    assert utils.image_to_ascii(red_green_blue, width=3) == ":+."
    clear = np.ones((2, 2, 4))
    clear[:, 0, 3] = 0
    assert utils.image_to_ascii(clear, width=2) == " @"
    assert utils.image_to_ascii(np.eye(2, dtype=bool), width=4).splitlines() == ["@@  ", "  @@"]


def test_the_image_is_not_changed():
    image = np.random.default_rng(0).random((5, 7, 4))
    before = image.copy()
    show(image, Terminal(), mode="truecolor")
    utils.image_to_ascii(image)
    np.testing.assert_array_equal(image, before)


def test_shrunk_colors_are_means():
    image = np.zeros((4, 4, 3), np.uint8)
    image[::2, ::2] = 200, 100, 40
    assert (colors_of(show(image, Terminal(), width=2, mode="truecolor")) == [50, 25, 10]).all()


def test_256_colors():
    def number(color):
        return int(re.search(r"38;5;(\d+)", show(np.full((2, 1, 3), color, np.uint8), Terminal(), width=1))[1])

    assert number((255, 0, 0)) == 196
    assert number((0, 0, 0)) == 16
    assert number((255, 255, 255)) == 231
    assert number((95, 135, 175)) == 67
    assert number((128, 128, 128)) == 244
    assert number((8, 8, 8)) == 232
    assert number((238, 238, 238)) == 255


def test_what_the_terminal_has(monkeypatch):
    mode = terminal_images._mode_of
    assert mode(Terminal()) == "256"
    assert mode(io.StringIO()) == "ascii"
    assert mode(object()) == "ascii"
    for value in ("truecolor", "24bit", "TrueColor"):
        monkeypatch.setenv("COLORTERM", value)
        assert mode(Terminal()) == "truecolor"
    monkeypatch.setenv("NO_COLOR", "1")
    assert mode(Terminal()) == "ascii"
    monkeypatch.setenv("NO_COLOR", "")  # does not count, says no-color.org
    assert mode(Terminal()) == "truecolor"
    latin = Terminal()
    latin.encoding = "latin-1"
    assert mode(latin) == "ascii"
    monkeypatch.setenv("TERM", "dumb")
    assert mode(Terminal()) == "ascii"
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm-direct")
    assert mode(Terminal()) == "truecolor"
    monkeypatch.setenv("TERM", "vt100")
    assert mode(Terminal()) == "ascii"


def test_colors_end_with_each_line():
    text = show(np.random.default_rng(0).random((4, 4)), Terminal(), width=4)
    assert len(text.splitlines()) == 2
    assert all(line.endswith("\x1b[0m") for line in text.splitlines())
    assert show(np.ones((2, 9)), Terminal(), width=9).count("\x1b[38") == 1  # equal neighbours share a code


def test_printing_goes_to_stdout(capsys):
    utils.show_image_terminal(np.ones((2, 2)), width=2)
    assert capsys.readouterr().out == "@@\n"


@pytest.mark.parametrize("arguments, caption", [
    ({"label": 1}, "label: dog"),
    ({"label": np.int64(0), "prediction": "dog"}, "label: cat   prediction: dog"),
    ({"prediction": ("dog", 0.934)}, "prediction: dog (93.4%)"),
    ({"prediction": (1, np.float32(0.5))}, "prediction: dog (50.0%)"),
    ({"prediction": np.array([0.75, 0.25])}, "prediction: cat (75.0%)"),
    ({"prediction": [0.25, 0.75]}, "prediction: dog (75.0%)"),
    ({"label": 7, "prediction": 3, "class_names": None}, "label: 7   prediction: 3"),
    ({"label": np.array([1], "uint8"), "prediction": np.array([0.25])}, "label: dog   prediction: cat (75.0%)"),
    ({"label": True, "prediction": np.array([0.75], "float32")}, "label: dog   prediction: dog (75.0%)"),
])  # fmt: skip
def test_caption(arguments, caption):
    text = show(np.ones((2, 2)), io.StringIO(), width=2, **{"class_names": ["cat", "dog"], **arguments})
    assert text == f"@@\n{caption}\n"


@pytest.mark.parametrize("arguments, error, message", [
    ({"image": np.ones((2, 4, 4, 3))}, ValueError, r"`image` must be one image.*\(2, 4, 4, 3\).*x\[0\]"),
    ({"image": np.ones((5, 5, 2))}, ValueError, r"1, 3 or 4 channels.*\(5, 5, 2\)"),
    ({"image": np.ones((3, 4, 5)), "data_format": "channels_last"}, ValueError, r"\(3, 4, 5\)"),
    ({"image": np.ones((0, 4))}, ValueError, r"\(0, 4\)"),
    ({"image": np.ones((4, 4)) * 255.0}, ValueError, "from 0 to 1 for dtype float64.*255: divide by 255"),
    ({"image": np.ones((4, 4)) * -0.5}, ValueError, "-0.5.*x.min"),
    ({"image": np.full((4, 4), 256)}, ValueError, "from 0 to 255 for dtype int64"),
    ({"image": np.full((4, 4), np.nan)}, ValueError, "finite. Received 16"),
    ({"image": [["a"]]}, TypeError, "dtype: <U1"),
    ({"width": 0}, ValueError, "`width`.*width=0"),
    ({"width": 2.0}, ValueError, "`width`.*width=2.0"),
    ({"mode": "color"}, ValueError, "`mode` must be one of 'auto', 'ascii'.*'color'"),
    ({"data_format": "last"}, ValueError, "`data_format`"),
    ({"prediction": np.ones((1, 3))}, ValueError, r"`prediction`.*\(1, 3\)"),
    ({"prediction": np.array([3.5, -1.0])}, ValueError, r"`prediction`.*in \[0, 1\].*3.5: of logits"),
    ({"prediction": np.array([-3.0, -1.0])}, ValueError, r"`prediction`.*Received -1"),
    ({"prediction": ("a", 50)}, ValueError, "`prediction`.*Received 50"),
    ({"prediction": (0, np.nan)}, ValueError, "`prediction`.*Received nan"),
    ({"label": np.eye(3)[1]}, ValueError, r"`label`.*\(3,\).*argmax"),
    ({"label": np.array([0, 1, 0])}, ValueError, r"`label`.*\(3,\), dtype: int64. Of a one-hot row take its argmax"),
    ({"label": 0.5}, ValueError, "`label` must be the name or the number of a class.*float64"),
    ({"label": -1, "class_names": ["a", "b"]}, ValueError, "2 names, and the class -1"),
    ({"label": 2, "class_names": ["a", "b"]}, ValueError, "`class_names`.*2 names, and the class 2"),
])  # fmt: skip
def test_refused(arguments, error, message):
    file = io.StringIO()
    with pytest.raises(error, match=message):
        utils.show_image_terminal(**{"image": np.ones((4, 4)), "file": file, **arguments})
    assert file.getvalue() == ""


@pytest.mark.parametrize("ramp", ["", "x", 3])
def test_refused_ramp(ramp):
    with pytest.raises(ValueError, match="`ramp`"):
        utils.image_to_ascii(np.ones((2, 2)), ramp=ramp)
