"""A thread that reads ahead: the same elements, in order, errors too, and an end in every case."""

import gc
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import minikeras as keras
from minikeras import data, layers, utils
from minikeras.preprocessing import file_iterators
from minikeras.utils import image_dataset
from minikeras.utils.read_ahead import read_ahead
from minikeras.utils.stream import Stream


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "minikeras-read-ahead"]


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    gc.collect()
    assert readers() == []


def numbers(n, read):
    for i in range(n):
        read.append(i)
        yield i


def settled(read, expected):
    """Return how much was read: as soon as it is as much as expected, and then a moment later."""
    end = time.monotonic() + 20
    while len(read) < expected and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(0.05)
    return len(read)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_elements_in_order_and_no_more_than_count_ahead(count):
    read, got = [], []
    elements = read_ahead(numbers(12, read), count)
    assert settled(read, 0) == 0  # nothing before the first is asked for
    for element in elements:
        got.append(element)
        expected = min(len(got) + count, 12)
        assert settled(read, expected) == expected
    assert got == list(range(12))
    assert list(read_ahead([], count)) == []
    assert list(read_ahead([None, (None, None)], count)) == [None, (None, None)]


def test_reads_while_the_caller_works():
    """The next element is made by another thread, not when it is asked for."""
    threads_of, made = [], threading.Event()

    def elements():
        threads_of.append(threading.current_thread())
        yield 0
        made.set()
        yield 1

    iterator = read_ahead(elements())
    assert next(iterator) == 0
    assert made.wait(10)
    assert threads_of[0] is not threading.current_thread()
    assert list(iterator) == [1]


@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt])
def test_errors_arrive_after_the_elements_before_them(kind):
    def elements():
        yield from range(3)
        raise kind("broken")

    iterator = read_ahead(elements())
    assert [next(iterator) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(kind) as error:
        next(iterator)
    assert "elements" in [entry.name for entry in error.traceback]  # where it happened
    assert list(iterator) == []
    with pytest.raises(TypeError, match="not iterable"):
        next(read_ahead(3))


@pytest.mark.parametrize("end", ["close", "drop", "cycle", "error"])
def test_ends_early(end):
    read, closed = [], []

    def elements():
        try:
            yield from numbers(1000, read)
        finally:
            closed.append(threading.current_thread())

    iterator = read_ahead(elements())
    next(iterator)
    if end == "close":
        iterator.close()
    elif end == "error":
        with pytest.raises(ZeroDivisionError):
            iterator.throw(ZeroDivisionError)
    elif end == "cycle":
        circle = [iterator]
        circle.append(circle)
        del circle, iterator
        gc.collect()
    else:
        del iterator
    assert readers() == []  # it has been waited for
    assert len(closed) == 1
    assert settled(read, 0) <= 3


def test_two_threads_in_a_row():
    read = []
    iterator = read_ahead(read_ahead(numbers(1000, read), 1), 1)
    assert [next(iterator) for _ in range(3)] == [0, 1, 2]
    iterator.close()
    while readers():
        time.sleep(0.01)
    assert len(read) < 10


def test_has_the_callers_error_state():
    def quotients():
        yield np.float64(1) / np.float64(0)

    with np.errstate(divide="ignore"):
        assert list(read_ahead(quotients())) == [np.inf]


@pytest.mark.parametrize("left", [
    "iterator = read_ahead(read_ahead(itertools.count())); next(iterator)",
    "iterator = read_ahead(slow()); next(iterator)",
    "box = []; box += [box, read_ahead(itertools.count())]; next(box[1])",
    "iterator = read_ahead(itertools.count()); next(iterator); raise SystemExit",
])  # fmt: skip
def test_the_program_ends(left):
    code = (
        "import itertools, time\nfrom minikeras.utils.read_ahead import read_ahead\n"
        f"def slow():\n    for i in range(9):\n        yield i\n        time.sleep(0.2)\n{left}\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_is_told():
    code = (
        "import os, time\nfrom minikeras.utils.read_ahead import read_ahead\n"
        "iterator = read_ahead(range(50), 1)\nassert next(iterator) == 0\ntime.sleep(0.2)\n"
        "if child := os.fork():\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    assert list(iterator) == list(range(1, 50))\n"
        "else:\n"
        "    assert list(read_ahead(range(50))) == list(range(50))\n"
        "    rest = []\n"
        "    try:\n        rest.extend(iterator)\n"
        "    except RuntimeError as error:\n        assert 'iterate anew' in str(error)\n"
        "    else:\n        raise AssertionError\n"
        "    assert rest in ([], [1])\n"  # what was ready
    )
    ignore = ["-W", "ignore::DeprecationWarning"]  # of a fork beside threads, from Python 3.12 on
    result = subprocess.run([sys.executable, *ignore, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


# streams


def test_prefetch():
    made = []

    def double(x):
        made.append(threading.current_thread())
        return 2 * x

    doubled = Stream(lambda: iter(range(5)), 5).map(double)
    for buffer_size in (None, -1, 1, np.int64(3)):
        assert list(doubled.prefetch(buffer_size)) == [0, 2, 4, 6, 8]
        assert threading.current_thread() not in made
        made.clear()
    assert list(doubled.prefetch(0)) == [0, 2, 4, 6, 8]
    assert set(made) == {threading.current_thread()}
    for wrong in (-2, 1.5, True, "2"):
        with pytest.raises(ValueError, match="`buffer_size` must be an integer of at least 0.*Received"):
            doubled.prefetch(wrong)


def test_prefetch_of_a_shuffled_stream_repeats_with_the_seed():
    orders = []
    for _ in range(2):
        stream = Stream(lambda: iter(range(50)), 50).shuffle(50, seed=1).prefetch()
        first, second = iter(stream), iter(stream)
        orders.append([list(first), list(second), list(stream)])
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]


def test_passes_after_one_that_was_broken_off_repeat_with_the_seed():
    """However far the thread had got by then."""
    orders = []
    for seconds in (0, 0.1):
        stream = Stream(lambda: iter(range(50)), 50).shuffle(5, seed=1).prefetch(20)
        broken = iter(stream)
        next(broken)
        time.sleep(seconds)
        broken.close()
        orders.append(list(stream))
    assert orders[0] == orders[1]
    assert orders[0] != list(range(50))


def test_warnings_point_at_the_callers_line():
    generator = keras.preprocessing.image.ImageDataGenerator(featurewise_center=True)
    for ahead in (False, True):
        flow = generator.flow(np.zeros((2, 4, 4, 3)), batch_size=2)
        elements = read_ahead(flow, 1) if ahead else flow
        with pytest.warns(UserWarning, match="featurewise_center") as records:
            next(elements)
        assert {record.filename for record in records} == {__file__}
    elements.close()


# folders


@pytest.mark.parametrize("how", ["dataset", "flow"])
def test_folders_are_read_by_a_thread(how, tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        utils.save_img(tmp_path / name / "0.png", np.zeros((4, 4, 3)))
    module = image_dataset if how == "dataset" else file_iterators
    threads, load_img = [], module.load_img

    def load(*args, **kwargs):
        threads.append(threading.current_thread().name)
        return load_img(*args, **kwargs)

    monkeypatch.setattr(module, "load_img", load)
    if how == "dataset":
        assert len(list(utils.image_dataset_from_directory(tmp_path, image_size=(4, 4), batch_size=1))) == 2
        assert threads == ["minikeras-read-ahead"] * 2
    else:
        flow = keras.preprocessing.image.ImageDataGenerator().flow_from_directory(tmp_path, (4, 4), batch_size=1)
        model = keras.Sequential([layers.Input((4, 4, 3)), layers.Flatten(), layers.Dense(2)])
        model.compile("sgd", "mse").fit(flow, verbose=0)
        assert threads.count("minikeras-read-ahead") == 2  # and before, the first batch, to see what it holds


# fit


class Batches(utils.PyDataset):
    """Writes down which thread asks for which batch, and when epochs end."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.events = []
        self.threads = set()

    def __len__(self):
        return 4

    def __getitem__(self, index):
        self.events.append(index)
        self.threads.add(threading.current_thread().name)
        return np.ones((2, 3)), np.ones((2, 1))

    def on_epoch_end(self):
        self.events.append("end")


def fit(batches, **arguments):
    model = keras.Sequential([layers.Dense(1)]).compile("sgd", "mse", input_shape=(3,))
    return model.fit(batches, shuffle=False, verbose=0, **arguments)


@pytest.mark.parametrize("arguments", [
    {"workers": None}, {"workers": "2"}, {"workers": -1}, {"workers": 1.5}, {"max_queue_size": None},
    {"max_queue_size": 0}, {"max_queue_size": True},
])  # fmt: skip
def test_bad_workers(arguments):
    (name, value), = arguments.items()
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number of at least .*Received: {name}={value!r}"):
        Batches(**arguments)


@pytest.mark.parametrize("workers, ahead", [(1, 0), (2, 10), (8, 10)])
def test_a_dataset_with_workers_is_read_ahead_up_to_the_end_of_the_epoch(workers, ahead):
    batches = Batches(workers=workers)
    assert batches.batches_ahead == data.DatasetBatches(batches).ahead == ahead
    fit(batches, epochs=2)
    assert batches.events == [0, *[0, 1, 2, 3, "end"] * 2]  # the first is looked at before
    assert ("minikeras-read-ahead" in batches.threads) == (workers > 1)
    batches.events.clear()
    with pytest.warns(UserWarning, match="ran out after 1 of the 3"):
        fit(batches, epochs=2, steps_per_epoch=3)  # the second epoch goes on where the first stopped
    assert batches.events == [0, 0, 1, 2, "end", 3, "end"]
    assert Batches(workers=2, max_queue_size=3).batches_ahead == 3


def test_a_training_that_stops_or_fails_ends_the_thread():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    fit(Batches(workers=2), callbacks=[Stop()], epochs=3)
    assert readers() == []

    class Broken(Batches):
        def __getitem__(self, index):
            if index == 2:
                raise FileNotFoundError("gone")
            return super().__getitem__(index)

    with pytest.raises(FileNotFoundError, match="gone"):
        fit(Broken(workers=2))
