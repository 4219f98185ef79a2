"""What `fit` accepts, turned into batches."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import data
from minikeras.utils.stream import Stream

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


def rows(batches):
    """The first column of each batch, halved: the numbers of the rows."""
    return [(batch[0][:, 0] / 2).astype(int).tolist() for batch in batches]


def epochs(batches, steps, count):
    iterator = data.Epochs(batches, steps)
    return [rows(batch for _, batch in iterator) for _ in range(count)]


class Batches(keras.utils.PyDataset):
    def __init__(self, *batches):
        super().__init__()
        self.batches = batches
        self.events = []

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        self.events.append(index)
        return self.batches[index]

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


class Endless(keras.utils.PyDataset):
    """Has no length."""

    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        return X[index : index + 1], Y[index : index + 1]


def test_array_batches_in_order():
    batches = data.make_batches(X, Y, Y * 0.5, 4, None)
    assert batches.num_batches == 3
    assert rows(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    for x, y, weights in batches:
        assert np.array_equal(x[:, 0] / 2, y)
        assert np.array_equal(weights, y * 0.5)
        assert np.shares_memory(x, X)  # in order nothing is copied


def test_default_batch_size():
    assert data.make_batches(np.zeros((100, 1)), None, None, None, None).batch_size == 32
    assert data.make_batches(np.zeros((100, 1)), None, None, None, 8).batch_size == 13  # as Keras: 8 batches of it all
    assert data.make_batches(np.zeros((100, 1)), None, None, 5, 8).batch_size == 5


def test_shuffled_rows_stay_together():
    keras.utils.set_random_seed(3)
    batches = data.make_batches(X, Y, Y * 0.5, 4, None, shuffle=True)
    first, second = rows(batches), rows(batches)
    assert first != second
    assert sorted(sum(first, [])) == sorted(sum(second, [])) == list(range(10))
    assert [len(batch) for batch in first] == [4, 4, 2]
    for x, y, weights in batches:
        assert np.array_equal(x[:, 0] / 2, y)
        assert np.array_equal(weights, y * 0.5)
    keras.utils.set_random_seed(3)
    assert rows(data.make_batches(X, Y, None, 4, None, shuffle=True)) == first


def test_shuffled_batches_stay_whole():
    keras.utils.set_random_seed(0)
    batches = data.make_batches(X, Y, None, 2, None, shuffle="batch")
    orders = [rows(batches) for _ in range(4)]
    assert all(sorted(order) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]] for order in orders)
    assert any(order != sorted(order) for order in orders)


@pytest.mark.parametrize("split, cut", [(0.1, 9), (0.25, 7), (0.5, 5), (0.99, 0), (0.05, 9)])
def test_validation_split_takes_the_last_rows(split, cut):
    batches = data.make_batches(X, Y, Y * 2, 4, None, shuffle=True)
    if cut == 0:
        with pytest.raises(ValueError, match="leaves 0 for training and 10 for validation"):
            data.split_validation(batches, split)
        return
    (x, y, weights), (val_x, val_y, val_weights) = data.split_validation(batches, split)
    assert y.tolist() == list(range(cut))
    assert val_y.tolist() == list(range(cut, 10))
    assert np.array_equal(val_x[:, 0] / 2, val_y)
    assert np.array_equal(val_weights, val_y * 2)


def test_epochs_of_arrays():
    batches = data.make_batches(X, Y, None, 4, None)
    assert epochs(batches, None, 2) == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]] * 2


def test_an_epoch_goes_on_where_the_last_one_stopped():
    batches = data.make_batches(X, Y, None, 2, None)
    with pytest.warns(UserWarning, match="ran out after 1 of the 2 batches"):
        found = epochs(batches, 2, 4)
    assert found == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9]], [[0, 1], [2, 3]]]
    assert epochs(data.make_batches(X, Y, None, 5, None), 1, 3) == [[[0, 1, 2, 3, 4]], [[5, 6, 7, 8, 9]], [[0, 1, 2, 3,
            4]]]


def test_generators():
    single = [(X[i : i + 1], Y[i : i + 1]) for i in range(10)]
    batches = data.make_batches((batch for batch in single), None, None, None, None)
    assert batches.sample()[0].tolist() == [[0, 1]]
    assert batches.sample()[0].tolist() == [[0, 1]]  # looking at it does not use it up
    assert epochs(batches, 3, 2) == [[[0], [1], [2]], [[3], [4], [5]]]
    assert rows(batches) == [[6], [7], [8], [9]]
    with pytest.raises(ValueError, match="holds 0 samples"):
        batches.sample()

    class Restarting:
        def __iter__(self):
            return iter(single[:2])

    assert epochs(data.make_batches(Restarting(), None, None, None, None), None, 2) == [[[0], [1]], [[0], [1]]]
    assert not data.Epochs(data.make_batches(Restarting(), None, None, None, None)).ran_out


def test_a_generator_runs_out():
    iterator = data.Epochs(data.make_batches(iter([(X, Y)] * 2), None, None, None, None))
    assert iterator.num_batches is None
    assert len(list(iterator)) == 2
    assert iterator.ran_out
    assert iterator.num_batches == 2


def test_data_sets():
    dataset = Batches((X[:3], Y[:3]), (X[3:], Y[3:]))
    batches = data.make_batches(dataset, None, None, None, None)
    assert batches.num_batches == 2
    assert epochs(batches, None, 2) == [[[0, 1, 2], [3, 4, 5, 6, 7, 8, 9]]] * 2
    assert dataset.events == ["begin", 0, 1, "end"] * 2
    keras.utils.set_random_seed(1)
    batches = data.make_batches(Batches(*[(X[i : i + 1],) for i in range(10)]), None, None, None, None, shuffle=True)
    first, second = rows(batches), rows(batches)
    assert first != second
    assert sorted(first) == sorted(second) == [[i] for i in range(10)]


def test_any_object_with_length_and_items_is_a_data_set():
    class Items:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[index : index + 1], Y[index : index + 1]

    assert rows(data.make_batches(Items(), None, None, None, None)) == [[0], [1]]


def test_endless_data_sets():
    batches = data.make_batches(Endless(), None, None, None, None, shuffle=True)
    assert epochs(batches, 2, 2) == [[[0], [1]], [[2], [3]]]
    with pytest.raises(ValueError, match="no end.*`steps_per_epoch`"):
        data.Epochs(batches)


@pytest.mark.parametrize("batch, length", [(X, 1), ((X,), 1), ([X, Y], 2), ((X, Y, Y), 3)])
def test_what_a_generator_may_yield(batch, length):
    x, *rest = data.unpack(batch)
    assert x is X
    assert [value is None for value in rest] == [length < 2, length < 3]


@pytest.mark.parametrize("y", [[0, 1, 1, 2], [[0], [1], [1], [2]], np.eye(3)[[0, 1, 1, 2]], [0.0, 1.0, 1.0, 2.0]])
def test_class_weights(y):
    weights = data.class_weights_of(np.asarray(y), {0: 2.0, 1: 0.5})
    assert weights.tolist() == [2.0, 0.5, 0.5, 1.0]
    assert weights.dtype == "float32"


@pytest.mark.parametrize("value", [X.tolist(), X, tuple(map(tuple, X)), list(X), X.astype("int8"), X > 3])
def test_arrays(value):
    array = data.to_array(value)
    assert np.array_equal(array, np.asarray(value))
    assert array.dtype.kind in "fiub"


def test_data_frames_are_arrays():
    class Frame:  # as pandas' are: with length, items and iteration, none of which yields batches
        def __len__(self):
            return 10

        def __getitem__(self, name):
            return X[:, name]

        def __iter__(self):
            return iter(["a", "b"])

        def __array__(self, dtype=None, copy=None):
            return X

    assert rows(data.make_batches(Frame(), Y, None, 5, None)) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_finite():
    data.check_finite(np.full(4, 3e38, "float32"), "x")  # the sum is infinite, the numbers are not
    data.check_finite(np.array([2**60]), "x")
    with pytest.raises(ValueError, match=r"`x` .* 2 values .* \(nan\) at index \(1, 0\)"):
        data.check_finite(np.array([[0, 1], [np.nan, np.inf]]), "x")


def test_streams_say_how_many_batches_they_have():
    stream = Stream(lambda: iter([(np.ones((2, 3)), np.ones((2, 1)))] * 4), 4)
    assert data.make_batches(stream, None, None, None, None).num_batches == 4
    assert data.make_batches(Stream(stream._make), None, None, None, None).num_batches is None
    endless = data.make_batches(stream.repeat(), None, None, None, None)
    assert endless.num_batches is None
    with pytest.raises(ValueError, match="no end.*`steps_per_epoch`"):
        data.Epochs(endless)
    epochs = data.Epochs(endless, 6)
    assert [step for step, _ in epochs] == list(range(6)) == [step for step, _ in epochs]
