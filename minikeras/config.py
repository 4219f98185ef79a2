"""Global settings: the float type, the fuzz factor, the image data format and the one source of randomness."""

import contextlib
import copy
import os

import numpy as np

_DATA_FORMATS = ("channels_last", "channels_first")

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True
_limits = {}  # of debugging runs: the name of an environment variable to the number set here or found there
_seeds = None  # a numpy SeedSequence, made at the first use: importing numpy.random costs as much as the rest of us


def floatx():
    """Return the name of the default float type, ``"float32"`` unless set otherwise."""
    return _floatx


def set_floatx(value):
    """Set the default float type of weights and computations made from now on.

    Args:
        value: ``"float32"`` or ``"float64"``. Half precision is refused: NumPy computes it slowly and without BLAS.
    """
    global _floatx
    if value not in ("float32", "float64"):
        raise ValueError(f"`floatx` must be 'float32' or 'float64'. Received: {value!r}")
    _floatx = value


def epsilon():
    """Return the fuzz factor that keeps logarithms and divisions finite, 1e-7 unless set otherwise."""
    return _epsilon


def set_epsilon(value):
    """Set the fuzz factor, a positive float."""
    global _epsilon
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
        raise ValueError(f"`epsilon` must be a float between 0 and 1. Received: {value!r}")
    _epsilon = float(value)


def image_data_format():
    """Return the default order of image axes: ``"channels_last"`` or ``"channels_first"``."""
    return _image_data_format


def set_image_data_format(data_format):
    """Set the default order of image axes for layers constructed from now on.

    Args:
        data_format: ``"channels_last"``, (batch, height, width, channels), or ``"channels_first"``,
            (batch, channels, height, width).
    """
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format):
    """Return ``data_format``, or the global default for ``None``; anything else is a ValueError."""
    if data_format is None:
        return _image_data_format
    lower = data_format.lower() if isinstance(data_format, str) else data_format
    if lower not in _DATA_FORMATS:
        raise ValueError(
            f"`data_format` must be one of {_DATA_FORMATS} or None. Received: {data_format!r}"
        )
    return lower


def backend():
    """Return the name of what computes: always ``"numpy"``."""
    return "numpy"


def set_backend(backend):
    """Choose what computes: only ``"numpy"`` does."""
    if backend != "numpy":
        raise ValueError(f"`backend` must be 'numpy', the only one here. Received: {backend!r}")


def enable_interactive_logging():
    """Print what there is to say, as how many images were found. It is so from the start."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging():
    """Send what would be printed to the logger ``"minikeras"`` of Python's `logging` instead."""
    global _interactive_logging
    _interactive_logging = False


def is_interactive_logging_enabled():
    """Return whether messages are printed rather than logged."""
    return _interactive_logging


def dtype_policy():
    """Return the name of the type that layers compute in and keep their weights in: `floatx`."""
    return _floatx


def set_dtype_policy(policy):
    """Set the type of layers constructed from now on, as `set_floatx` does.

    Args:
        policy: ``"float32"`` or ``"float64"``. Mixed and half precision are refused, as there.
    """
    set_floatx(getattr(policy, "name", policy))


def enable_traceback_filtering():
    """Do nothing: tracebacks are short as they are, and never filtered."""


disable_traceback_filtering = enable_traceback_filtering


def is_traceback_filtering_enabled():
    """Return False: tracebacks show all of their lines."""
    return False


def max_epochs():
    """Return the largest number of epochs that `fit` trains, None for no limit."""
    return _limit("KERAS_MAX_EPOCHS")


def set_max_epochs(max_epochs):
    """Limit the epochs of every `fit`, to try a script quickly; so does the environment variable KERAS_MAX_EPOCHS.

    Args:
        max_epochs: a number; None or 0 for no limit.
    """
    _limits["KERAS_MAX_EPOCHS"] = _standardize_limit(max_epochs, "max_epochs")


def max_steps_per_epoch():
    """Return the largest number of batches in an epoch of `fit`, `evaluate` or `predict`, None for no limit."""
    return _limit("KERAS_MAX_STEPS_PER_EPOCH")


def set_max_steps_per_epoch(max_steps_per_epoch):
    """Limit the batches of an epoch of `fit`, `evaluate` and `predict`; so does KERAS_MAX_STEPS_PER_EPOCH.

    Args:
        max_steps_per_epoch: a number; None or 0 for no limit. As with ``steps_per_epoch``, arrays without
            ``batch_size`` are cut into so many batches, which hold all of their rows.
    """
    _limits["KERAS_MAX_STEPS_PER_EPOCH"] = _standardize_limit(max_steps_per_epoch, "max_steps_per_epoch")


def _limit(variable):
    if variable not in _limits:
        text = os.environ.get(variable, "").strip()
        _limits[variable] = _standardize_limit(int(text) if text.isdigit() else text or None, variable)
    return _limits[variable]


def _standardize_limit(value, name):
    valid = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0
    if not valid and value is not None:
        raise ValueError(f"`{name}` must be a whole number, or None (0) for no limit. Received: {value!r}")
    return None if value is None else int(value)


def enable_unsafe_deserialization():
    """Refused: no code is ever loaded from a file here, so there is nothing to enable."""
    raise NotImplementedError(
        "`enable_unsafe_deserialization` is not supported: minikeras never runs code from a file. Write a Lambda's "
        "function with `def`, and name it when loading: custom_objects={'name': it}"
    )


def standardize_dtype(dtype):
    """Return the name of a float type, `floatx` for None; anything but float32 and float64 is a ValueError."""
    if isinstance(dtype, dict):  # Keras writes a layer's dtype as the config of a DTypePolicy
        dtype = dtype.get("config", {}).get("name")
    dtype = dtype or _floatx
    if dtype not in ("float32", "float64"):
        raise ValueError(f"`dtype` must be 'float32' or 'float64'. Received: dtype={dtype!r}")
    return dtype


def set_random_seed(seed):
    """Restart the sequence of generators from ``seed``, so that a run can be repeated bit for bit.

    Only minikeras' own randomness is touched; `utils.set_random_seed` also seeds `random` and `numpy.random`.
    """
    global _seeds
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"`seed` must be a non-negative integer. Received: {seed!r}")
    _seeds = np.random.SeedSequence(int(seed))


def make_generator(seed=None):
    """Return a `numpy.random.Generator` that nobody else draws from.

    Args:
        seed: an integer for a generator of its own; ``None`` for the next child of the global seed.

    NumPy's global state is never used, so other code's draws neither disturb ours nor are disturbed by them.
    """
    global _seeds
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is not None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"`seed` must be a non-negative integer or None. Received: {seed!r}")
        return np.random.Generator(np.random.SFC64(int(seed)))
    if _seeds is None:
        _seeds = np.random.SeedSequence()
    return np.random.Generator(np.random.SFC64(_seeds.spawn(1)[0]))


@contextlib.contextmanager
def restored_seeds():
    """Let generators that are made in the ``with`` block be those that would have been made without it after it."""
    global _seeds
    if _seeds is None:
        _seeds = np.random.SeedSequence()
    before, _seeds = _seeds, copy.deepcopy(_seeds)
    try:
        yield
    finally:
        _seeds = before
