"""Names and signatures of `backend`, `random` and `config` beside Keras'; what random numbers have in common."""

import inspect

import numpy as np
import pytest

from minikeras import backend, random


def test_backend_signatures(keras):
    """Of the functions of Keras 1 and 2 too; they compute with TensorFlow only, so there is nothing to compare."""
    from keras.src.legacy import backend as legacy

    for name in backend.__all__:
        ours = getattr(backend, name)
        theirs = getattr(keras.backend, name, None) or getattr(legacy, name, None)
        if name == "reset_uids":
            continue  # of Keras 2
        assert theirs is not None, name
        if name == "standardize_dtype":
            continue  # theirs is a class's attribute
        assert str(inspect.signature(ours)) == str(inspect.signature(theirs)), name


def test_types(keras):
    for dtype in (None, "float32", "int64", float, int, "uint8", np.float64):
        assert backend.standardize_dtype(dtype) == keras.backend.standardize_dtype(dtype)
        if dtype is not None:
            assert backend.is_float_dtype(dtype) == keras.backend.is_float_dtype(dtype)
            assert backend.is_int_dtype(dtype) == keras.backend.is_int_dtype(dtype)
    # but for two types of 64 bits, which Keras cuts to 32
    pairs = [("int32", "float32"), ("float16", "int32"), ("int8", "uint8"), ("float32", "int64"), ("bool", "int8")]
    for dtypes in pairs:
        assert backend.result_type(*dtypes) == keras.backend.result_type(*dtypes)


def test_uids(keras):
    for module in (backend, keras.backend):
        module.clear_session()
        assert [module.get_uid("a"), module.get_uid("a"), module.get_uid("b")] == [1, 2, 1]


CALLS = [
    ("normal", ((4, 3),), {}),
    ("uniform", ((4, 3),), {"dtype": "float64"}),
    ("truncated_normal", ((5,), 2.0, 3.0), {}),
    ("randint", ((5,), 2, 9), {}),
    ("categorical", (np.zeros((2, 3), "float32"), 4), {}),
    ("categorical", (np.zeros((2, 3), "float32"), 4, "int64"), {}),
    ("dropout", (np.ones((4, 3), "float32"), 0.5), {}),
    ("shuffle", (np.ones((4, 3), "float32"),), {}),
    ("gamma", ((4,), 2.0), {}),
    ("binomial", ((4,), 3.0, 0.5), {}),
    ("beta", ((4,), 2.0, 3.0), {}),
]


@pytest.mark.parametrize("name, arguments, named", CALLS, ids=lambda v: str(v)[:30])
def test_random_shapes_and_types(keras, name, arguments, named):
    ours = getattr(random, name)(*arguments, **named, seed=3)
    arguments = [keras.ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    theirs = keras.ops.convert_to_numpy(getattr(keras.random, name)(*arguments, **named, seed=3))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)


def test_random_means(keras):
    calls = {"truncated_normal": ((20000,),), "gamma": ((20000,), 2.5), "beta": ((20000,), 2.0, 5.0)}
    for name, arguments in calls.items():
        ours = getattr(random, name)(*arguments, seed=1)
        theirs = keras.ops.convert_to_numpy(getattr(keras.random, name)(*arguments, seed=1))
        assert ours.mean() == pytest.approx(theirs.mean(), abs=0.05)
        assert ours.std() == pytest.approx(theirs.std(), abs=0.05)
