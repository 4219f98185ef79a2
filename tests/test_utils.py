"""One-hot rows, seeds, splits, normalization, the progress bar and data sets in Python."""

import io
import os
import random
import subprocess
import sys
import types

import numpy as np
import pytest

from minikeras import config, utils

# to_categorical


@pytest.mark.parametrize(
    "x, num_classes, expected",
    [
        ([0, 2], None, [[1, 0, 0], [0, 0, 1]]),
        ([[0], [1]], 3, [[1, 0, 0], [0, 1, 0]]),
        ([[0, 1]], None, [[[1, 0], [0, 1]]]),
        (np.array([1.0, 0.0], "float32"), None, [[0, 1], [1, 0]]),
        ([True, False], 2, [[0, 1], [1, 0]]),
        (1, 2, [0, 1]),
        (np.array([3], "uint8"), np.int64(4), [[0, 0, 0, 1]]),
    ],
)
def test_to_categorical(x, num_classes, expected):
    result = utils.to_categorical(x, num_classes)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, expected)
    assert result.shape == np.shape(expected)


@pytest.mark.parametrize(
    "x, num_classes, error, message",
    [
        ([0, 5], 3, ValueError, r"from 0 to num_classes - 1 = 2. Received: 5 at index \(1,\).*subtract 1"),
        ([0, -1], None, ValueError, r"Received: -1 at index \(1,\).*negative"),
        ([[0, 1], [1, 3]], 3, ValueError, r"Received: 3 at index \(1, 1\)"),
        ([0.5], None, ValueError, "Received: 0.5.*must be whole"),
        ([float("nan")], None, ValueError, "Received: nan.*must be whole"),
        ([float("inf")], None, ValueError, "Received: inf.*must be finite"),
        (["cat"], None, TypeError, "must hold class numbers"),
        ([], None, ValueError, "`x` is empty.*Pass `num_classes`"),
        ([0], 0, ValueError, "`num_classes` must be a positive integer or None. Received: 0"),
        ([0], 2.0, ValueError, "Received: 2.0"),
        ([0], True, ValueError, "Received: True"),
    ],
)
def test_to_categorical_refuses(x, num_classes, error, message):
    with pytest.raises(error, match=message):
        utils.to_categorical(x, num_classes)


def test_to_categorical_of_nothing():
    assert utils.to_categorical([], 3).shape == (0, 3)


# normalize


def test_normalize():
    x = np.array([[3, 4], [0, 0]], "float32")
    result = utils.normalize(x)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [[0.6, 0.8], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(utils.normalize([[3, 1], [4, 1]], axis=0, order=1), [[3 / 7, 0.5], [4 / 7, 0.5]])
    np.testing.assert_array_equal(x, [[3, 4], [0, 0]])


# set_random_seed


def test_set_random_seed_repeats_all_three_sources():
    def draw():
        return random.random(), np.random.rand(), config.make_generator().random()  # noqa: NPY002

    utils.set_random_seed(7)
    first = draw()
    utils.set_random_seed(np.int64(7))
    assert draw() == first
    utils.set_random_seed(8)
    assert not set(draw()) & set(first)


@pytest.mark.parametrize("seed", [1.0, "1", None, True, -1, 2**32])
def test_set_random_seed_refuses(seed):
    state = random.getstate()
    with pytest.raises(ValueError, match="`seed` must be an integer from 0"):
        utils.set_random_seed(seed)
    assert random.getstate() == state


# split_dataset


@pytest.mark.parametrize(
    "sizes, expected",
    [
        ({"left_size": 0.8}, (8, 2)),
        ({"left_size": 3}, (3, 7)),
        ({"right_size": 0.25}, (8, 2)),
        ({"left_size": 2, "right_size": 0.5}, (2, 5)),
    ],
)
def test_split_sizes(sizes, expected):
    x = np.arange(10)
    left, right = utils.split_dataset(x, **sizes)
    np.testing.assert_array_equal(left, x[: expected[0]])
    np.testing.assert_array_equal(right, x[10 - expected[1] :])


def test_split_keeps_rows_together():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (x_left, y_left), (x_right, y_right) = utils.split_dataset((x, y), left_size=0.7, shuffle=True, seed=3)
    np.testing.assert_array_equal(x_left[:, 0], 2 * y_left)
    np.testing.assert_array_equal(x_right[:, 0], 2 * y_right)
    assert sorted([*y_left, *y_right]) == list(range(10))
    assert list(y_left) != sorted(y_left)
    again = utils.split_dataset([x, y], left_size=0.7, shuffle=True, seed=3)
    assert type(again[0]) is list
    np.testing.assert_array_equal(again[0][1], y_left)


def test_split_follows_the_global_seed():
    def draw():
        utils.set_random_seed(5)
        return utils.split_dataset(np.arange(100), left_size=0.5, shuffle=True)[0]

    np.testing.assert_array_equal(draw(), draw())


@pytest.mark.parametrize(
    "dataset, sizes, error, message",
    [
        (np.arange(10), {}, ValueError, "At least one of"),
        (np.arange(10), {"left_size": 1.0}, ValueError, "`left_size` must lie between 0.0 and 1.0.*Received: 1.0"),
        (np.arange(10), {"right_size": 10}, ValueError, "`right_size` must be between 0 and the 10 samples"),
        (np.arange(10), {"left_size": -1}, ValueError, "Received: -1"),
        (np.arange(10), {"left_size": 0.6, "right_size": 0.6}, ValueError, "6 and 6 samples"),
        (np.arange(10), {"left_size": 0.01}, ValueError, "0 and 10 samples"),
        (np.arange(10), {"left_size": "half"}, TypeError, "Received: 'half'"),
        (np.arange(10), {"left_size": True}, TypeError, "Received: True"),
        ((np.arange(10), np.arange(9)), {"left_size": 2}, ValueError, r"lengths \[10, 9\]"),
        ([1, 2, 3], {"left_size": 2}, TypeError, "Received: list of int, int, int"),
        ("data", {"left_size": 2}, TypeError, "Received: str"),
    ],
)
def test_split_refuses(dataset, sizes, error, message):
    with pytest.raises(error, match=message):
        utils.split_dataset(dataset, **sizes)


# PyDataset


class Squares(utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index**2


def test_py_dataset():
    data = Squares(workers=2, max_queue_size=4)
    assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (2, False, 4)
    assert list(data) == [0, 1, 4]
    assert data.num_batches == 3
    data.on_epoch_begin()
    data.on_epoch_end()
    assert utils.Sequence is utils.PyDataset


def test_py_dataset_without_super_init():
    class Forgetful(Squares):
        def __init__(self):
            pass

    assert Forgetful().workers == 1


def test_endless_py_dataset():
    class Endless(utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return index

    batches = iter(Endless())
    assert [next(batches) for _ in range(3)] == [0, 1, 2]


def test_py_dataset_without_its_methods():
    with pytest.raises(NotImplementedError, match="no `__getitem__"):
        utils.PyDataset()[0]
    with pytest.raises(NotImplementedError, match="no `__len__"):
        list(utils.PyDataset())


# Progbar


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock, tqdm's too, that goes on by one second each time it is looked at."""
    tick = iter(np.arange(0.0, 1e6, 1.0).tolist()).__next__
    monkeypatch.setattr("tqdm.std.time", tick)
    monkeypatch.setattr("minikeras.utils.progbar.time.time", tick)


def test_progbar_averages(clock, capsys):
    bar = utils.Progbar(4, verbose=2, stateful_metrics=["rate"])
    bar.update(1, [("loss", 1.0), ("rate", 5.0)])
    bar.add(2, [("loss", 4.0), ("rate", 6.0)])
    assert bar._values == {"loss": (9.0, 3), "rate": (6.0, 1)}
    assert capsys.readouterr().out == ""
    bar.update(4, [("loss", 0.0005), ("rate", np.array([1.0, 3.0]))])
    assert capsys.readouterr().out == "4/4 - 1s - 250ms/step - loss: 5.0000e-04 - rate: 2.0000\n"


def test_progbar_in_a_terminal(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    bar = utils.Progbar(10, width=10, unit_name="sample")
    bar.update(5, [("loss", 1.0)])
    half = sys.stdout.getvalue()
    assert "\r5/10 |█████     |" in half
    assert "s/sample - loss: 1.0000" in half
    assert "\n" not in half
    bar.update(10, [("loss", 2.0)])
    assert sys.stdout.getvalue().endswith("loss: 2.0000\n")
    assert sys.stdout.getvalue().count("\n") == 1


def test_progbar_fits_a_narrow_terminal_until_it_is_finished(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda file: (40, 20))
    bar = utils.Progbar(10)
    values = [(f"metric_{i}", 1.0) for i in range(9)]
    bar.update(5, values)
    assert max(len(line) for line in sys.stdout.getvalue().split("\r")) <= 40
    bar.update(10, values)
    assert "metric_8: 1.0000\n" in sys.stdout.getvalue()


def test_progbar_in_a_stream_without_unicode(clock, monkeypatch):
    stream = Terminal()
    stream.encoding = "ascii"
    monkeypatch.setattr(sys, "stdout", stream)
    utils.Progbar(2).update(2)
    assert stream.getvalue().isascii()


def test_progbar_in_a_notebook_without_ipywidgets(clock, monkeypatch, recwarn):
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream", "encoding": "utf-8"})()
    monkeypatch.setattr(sys, "stdout", stream)
    shell = types.SimpleNamespace(get_ipython=lambda: object())
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", shell)  # tqdm takes this for a notebook
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delitem(sys.modules, "tqdm.autonotebook", raising=False)
    monkeypatch.delitem(sys.modules, "tqdm.notebook", raising=False)
    bar = utils.Progbar(2)
    bar.update(1)
    bar.update(2)
    assert "\r1/2 |" in stream.getvalue()
    assert "2/2 |█" in stream.getvalue()
    assert not recwarn.list


def test_progbar_without_target(clock, capsys):
    bar = utils.Progbar(None)
    bar.update(3, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
    bar.update(5, [("loss", 1.0)], finalize=True)
    assert capsys.readouterr().out == "5/Unknown - 1s - 200ms/step - loss: 1.0000\n"


def test_progbar_draws_no_more_often_than_interval(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    now = [0.0]
    monkeypatch.setattr("minikeras.utils.progbar.time.time", lambda: now[0])
    bar = utils.Progbar(10_000, interval=0.05)
    for step in range(9_999):
        now[0] += 1e-4
        bar.update(step + 1)
    assert sys.stdout.getvalue().count("\r") <= 21  # 1 s / 0.05 s, and one when it is opened


def test_progbar_takes_one_kind_of_names():
    with pytest.raises(ValueError, match="Only one of `stateful_metrics` and `stateless_metrics`"):
        utils.Progbar(1, stateful_metrics=["a"], stateless_metrics=["b"])


def test_importing_is_light():
    slow = "tqdm csv random numpy.random json logging concurrent.futures h5py"
    code = f"import sys, minikeras.callbacks, minikeras.utils; print([m for m in '{slow}'.split() if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 80), (24, 0), (24, 80)])
def test_a_terminal_without_a_size_gets_finished_lines(monkeypatch, rows, columns):
    """Programs that open a terminal without telling its size: tqdm would draw nothing."""

    class Pseudo(Terminal):
        def fileno(self):
            return 99

    monkeypatch.setattr(sys, "stdout", Pseudo())
    monkeypatch.setattr("os.get_terminal_size", lambda descriptor: os.terminal_size((columns, rows)))
    bar = utils.Progbar(2)
    bar.update(1, [("loss", 1.0)])
    bar.update(2, [("loss", 1.0)])
    text = sys.stdout.getvalue()
    assert "loss: 1.0000" in text
    assert ("\r" in text) == (rows > 0 and columns > 0)
