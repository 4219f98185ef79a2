"""Variables: values, gradients, arithmetic."""

import copy
import pickle

import numpy as np
import pytest

from minikeras import layers, metrics
from minikeras.kernels import threads
from minikeras.variable import Variable


def make():
    return Variable(np.arange(6.0).reshape(2, 3), name="kernel")


def test_attributes():
    v = make()
    assert (v.shape, v.dtype, v.ndim, v.size, len(v), v.trainable) == ((2, 3), "float64", 2, 6, 2, True)
    assert repr(v) == "<Variable path=kernel, shape=(2, 3), dtype=float64>"
    np.testing.assert_array_equal(v[1], [3, 4, 5])


def test_stands_for_its_value():
    v, x = make(), np.ones((4, 2))
    np.testing.assert_array_equal(x @ v, x @ v.value)
    np.testing.assert_array_equal(v * 2 + 1, v.value * 2 + 1)
    np.testing.assert_array_equal(-v, -v.value)
    np.testing.assert_array_equal(np.sqrt(v), np.sqrt(v.value))
    np.testing.assert_array_equal(np.sum(v), 15)
    assert type(v + v) is np.ndarray
    assert np.asarray(v, "float32").dtype == "float32"
    x -= x @ np.zeros((2, 2)) + v.value[0, 0]
    assert x.sum() == 8


def test_scalars():
    v = Variable(np.array(2.5))
    assert (float(v), int(v), bool(v), f"{v:.2f}") == (2.5, 2, True, "2.50")
    assert not Variable(np.array(0))


def test_numpy_is_a_copy():
    v = make()
    v.numpy()[...] = 7
    np.testing.assert_array_equal(v.value.reshape(-1), np.arange(6))


def test_assign():
    v = make()
    array = v.value
    v.assign(np.ones((2, 3), "float32"))
    v.assign_add(np.full((2, 3), 2.0))
    v.assign_sub(np.full((2, 3), 0.5))
    assert v.value is array
    assert (array == 2.5).all()
    v.assign([[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(array[1], [4, 5, 6])
    for value in (np.ones((3, 2)), 1.0, np.ones(3)):  # no broadcasting
        with pytest.raises(ValueError, match=r"'kernel' must have shape \(2, 3\)"):
            v.assign(value)
    with pytest.raises(TypeError):
        v += 1


def test_gradient():
    v = make()
    assert (v.grad == 0).all()
    array = v.grad
    v.grad = np.ones((2, 3))
    assert v.grad is array
    assert (array == 1).all()
    np.multiply(2, 3, out=v.grad)
    assert (array == 6).all()
    with pytest.raises(ValueError, match=r"'kernel'.*shape \(2, 3\).*shape \(3,\)"):
        v.grad = np.ones(3)


def test_gradients_of_shares_are_added_up():
    v = make()

    def run(share, start, stop):
        v.grad = np.full((2, 3), 10.0**share)

    threads.run_shares(run, [0, 1, 2, 3])
    assert (v.grad == 1).all()
    v.reduce_grad(3)
    assert (v.grad == 111).all()
    threads.run_shares(run, [0, 1, 2])
    v.reduce_grad(2)
    assert (v.grad == 11).all()


def test_move():
    v = make()
    v.grad = np.ones((2, 3))
    value, grad = np.empty((2, 3)), np.empty((2, 3))
    v.move(value, grad)
    assert v.value is value
    assert v.grad is grad
    np.testing.assert_array_equal(value, np.arange(6).reshape(2, 3))
    assert (grad == 1).all()


def test_copies():
    v = make()
    v.grad = np.ones((2, 3))
    other = copy.deepcopy(v)
    other.assign(other.value + 1)
    other.grad = np.zeros((2, 3))
    np.testing.assert_array_equal(v.value.reshape(-1), np.arange(6))
    assert (v.grad == 1).all()
    assert (other.path, other.trainable) == ("kernel", True)


def test_operators_do_not_change_a_variable():
    variable = Variable(np.ones(3), "w")
    with pytest.raises(TypeError, match="'w'.*assign_add"):
        variable += 1


def test_unpickled_into_read_only_memory():
    """As joblib does it, when processes share what is large."""
    v = make()
    v.grad = np.ones((2, 3))
    buffers = []
    data = pickle.dumps(v, protocol=5, buffer_callback=buffers.append)
    again = pickle.loads(data, buffers=[bytes(buffer) for buffer in buffers])
    again.assign_add(1)
    again.grad[...] += 1
    np.testing.assert_array_equal(again.value, v.value + 1)
    np.testing.assert_array_equal(again.grad, np.full((2, 3), 2))


def test_made_of_numbers():
    for value, dtype, shape in ((3, "float32", ()), ([1, 2.5], "float32", (2,)), (np.int64(3), "int64", ())):
        v = Variable(value)
        assert (v.dtype, v.shape) == (dtype, shape)
        v.assign_add(1)
        np.testing.assert_array_equal(v.numpy(), np.add(value, 1))
    array = np.zeros(3)
    assert Variable(array).value is array


@pytest.mark.parametrize("owner", [layers.Layer, metrics.Metric])
def test_the_name_may_come_first(owner):
    """As in Keras 2."""
    prefix = owner.__name__  # each name is warned of once
    with pytest.warns(DeprecationWarning, match="add_weight.'Layer_a'|'Metric_a'.*old spelling.*name="):
        one = owner().add_weight(f"{prefix}_a", shape=(2, 3), initializer="zeros")
    with pytest.warns(DeprecationWarning, match="old spelling"):
        two = owner().add_weight(f"{prefix}_b", (2, 3), initializer="ones")
    with pytest.warns(DeprecationWarning, match="old spelling"):
        scalar = owner().add_weight(f"{prefix}_c", initializer="zeros")
    assert (one.name, two.name, scalar.name) == (f"{prefix}_a", f"{prefix}_b", f"{prefix}_c")
    assert (one.shape, two.shape, scalar.shape) == ((2, 3), (2, 3), ())
    np.testing.assert_array_equal(two.value, np.ones((2, 3)))
    for args, kwargs in ((("a", (2,), "float32"), {}), (("a",), {"name": "b"})):
        with pytest.raises(TypeError, match="no more than `name` and `shape` by position.*'a'"):
            owner().add_weight(*args, **kwargs)
