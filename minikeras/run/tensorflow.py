"""The stand-in for ``import tensorflow as tf``: ``tf.keras``, and the few other names whose meaning is clear without
tensors and graphs. Whatever else is asked of it is missing."""

import contextlib
import logging
import types

import minikeras
from minikeras import activations, config

VERSION = "2.20.0"  # one whose tf.keras is Keras 3


class TensorFlow(types.ModuleType):
    """A module of TensorFlow's with what there is of it."""

    def __init__(self, name, **contents):
        super().__init__(name, "minikeras' stand-in for a module of TensorFlow.")
        self.__path__ = []
        vars(self).update(contents)

    def __getattr__(self, name):
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)


class PhysicalDevice:
    """The one device there is."""

    name, device_type = "/physical_device:CPU:0", "CPU"

    def __repr__(self):
        return f"PhysicalDevice(name={self.name!r}, device_type={self.device_type!r})"


def set_seed(seed):
    """Seed minikeras' randomness, as `tf.random.set_seed` seeds TensorFlow's."""
    config.set_random_seed(seed)


def list_devices(device_type=None):
    """Return the CPU, if it is among what was asked for."""
    return [PhysicalDevice()] if device_type in (None, "CPU") else []


def device(device_name):
    """Return a context that changes nothing: everything is computed on the CPU."""
    return contextlib.nullcontext(device_name)


def get_logger():
    """Return the logger ``"tensorflow"``; nobody writes to it."""
    return logging.getLogger("tensorflow")


def _constant(value):
    return lambda *args, **kwargs: value


def make_tensorflow():
    """Return new modules ``{"tensorflow": ..., "tensorflow.random": ..., ...}``."""
    modules = {}

    def make(name, **contents):
        full = f"tensorflow.{name}" if name else "tensorflow"
        module = modules[full] = TensorFlow(full, **contents)
        if name:
            parent, _, child = full.rpartition(".")
            setattr(modules[parent], child, module)
        return module

    nothing = _constant(None)
    types_of = {name: name for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8")}
    names = "elu gelu leaky_relu log_softmax relu relu6 selu sigmoid silu softmax softplus softsign swish tanh"
    nn = {name: getattr(activations, name) for name in names.split()}
    tensorflow = make(
        "", __version__=VERSION, keras=minikeras, device=device, get_logger=get_logger,
        executing_eagerly=_constant(True), bool="bool", set_random_seed=set_seed, enable_eager_execution=nothing,
        initializers=minikeras.initializers, losses=minikeras.losses, metrics=minikeras.metrics,
        optimizers=minikeras.optimizers, **types_of,
    )  # fmt: skip
    log_levels = {name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")}
    log = make(
        "logging", set_verbosity=lambda v: get_logger().setLevel(v), get_verbosity=lambda: get_logger().level,
        **log_levels,
    )  # fmt: skip
    random = make("random", set_seed=set_seed, set_random_seed=set_seed)
    make("nn", **nn)
    make("version", VERSION=VERSION)
    make(
        "test", is_gpu_available=_constant(False), is_built_with_cuda=_constant(False),
        is_built_with_gpu_support=_constant(False), gpu_device_name=_constant(""),
    )  # fmt: skip
    devices = {
        "list_physical_devices": list_devices, "list_logical_devices": list_devices,
        "get_visible_devices": list_devices, "set_visible_devices": nothing,
    }  # fmt: skip
    make("config", run_functions_eagerly=nothing, **devices)
    # Our results do not depend on any of these.
    make("config.experimental", set_memory_growth=nothing, enable_op_determinism=nothing, **devices)
    make("config.threading", set_intra_op_parallelism_threads=nothing, set_inter_op_parallelism_threads=nothing)
    make("python", keras=minikeras)
    make("compat")
    modules["tensorflow.compat.v2"] = tensorflow.compat.v2 = tensorflow
    make(
        "compat.v1", keras=minikeras, logging=log, random=random, set_random_seed=set_seed, test=tensorflow.test,
        config=tensorflow.config, device=device, executing_eagerly=_constant(True), enable_eager_execution=nothing,
        disable_eager_execution=nothing, disable_v2_behavior=nothing, enable_v2_behavior=nothing, __version__=VERSION,
        **types_of,
    )  # fmt: skip
    modules["tensorflow.compat.v1.logging"] = log
    return modules
