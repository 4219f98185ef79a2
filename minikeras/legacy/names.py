"""Old names of modules, and of what was in them."""

import importlib

from minikeras.legacy.warning import Refused, deprecate

# Old path below `keras` -> the present one; "" is `keras` itself.
OLD_MODULES = {
    "backend.common": "backend",
    "backend.tensorflow_backend": "backend",
    "engine": "",
    "engine.base_layer": "layers",
    "engine.functional": "models",
    "engine.input_layer": "layers",
    "engine.input_spec": "layers",
    "engine.network": "models",
    "engine.sequential": "models",
    "engine.topology": "",
    "engine.training": "models",
    "layers.advanced_activations": "layers",
    "layers.convolutional": "layers",
    "layers.convolutional_recurrent": "layers",
    "layers.core": "layers",
    "layers.cudnn_recurrent": "layers",
    "layers.embeddings": "layers",
    "layers.experimental": "layers",
    "layers.experimental.preprocessing": "layers",
    "layers.local": "layers",
    "layers.merge": "layers",
    "layers.noise": "layers",
    "layers.normalization": "layers",
    "layers.pooling": "layers",
    "layers.recurrent": "layers",
    "layers.wrappers": "layers",
    "objectives": "losses",
    "optimizer_v1": "optimizers",
    "optimizer_v2": "optimizers",
    "optimizers.experimental": "optimizers",
    "optimizers.legacy": "optimizers",
    "utils.data_utils": "utils",
    "utils.generic_utils": "utils",
    "utils.io_utils": "utils",
    "utils.layer_utils": "utils",
    "utils.np_utils": "utils",
    "utils.vis_utils": "utils",
    "utils.visualize_util": "utils",
    "wrappers.scikit_learn": "wrappers",
} | {  # of Keras 2.5 to 2.8, as in `from keras.optimizers import adam_v2`
    path: "optimizers"
    for name in ("adadelta", "adagrad", "adam", "adamax", "ftrl", "gradient_descent", "nadam", "rmsprop")
    for path in (f"optimizer_v2.{name}", f"optimizers.{name}_v2", f"optimizers.optimizer_v2.{name}")
} | {"optimizers.optimizer_v2": "optimizers"}
REFUSED_MODULES = {
    "initializations": "its functions made variables. Give the names of initializers, as kernel_initializer="
    "'he_normal', or a function of (shape, dtype) that returns an array",
    "utils.training_utils": "models run on one machine's processor",
}

# Names given as strings, by what they are the name of.
OLD_IDENTIFIERS = {
    "metric": {
        "cosine": "cosine_similarity", "cosine_proximity": "cosine_similarity",
        "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh_error",
    },
}  # fmt: skip

BRANCHES = "models here are one chain of layers, without branches to join"
ONE = "write it as a Layer of your own with `call` and `backward`"
SKLEARN = (
    "use wrappers.{}(model, fit_kwargs={{'epochs': 10}}), whose `model` is a compiled model, or a function of (X, y, "
    "**model_kwargs) that returns one"
)
SESSION = "there is no TensorFlow, so there are no sessions: leave it out"

# Names that are gone: what they are called today, or a function that returns what is to be used in their place.
OLD_NAMES = {
    "": {},
    "backend": {
        "image_dim_ordering": lambda: _image_dim_ordering,
        "set_image_dim_ordering": lambda: _set_image_dim_ordering,
    },
    "constraints": {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"},
    "initializers": {"zero": "Zeros", "one": "Ones", "normal": "RandomNormal", "uniform": "RandomUniform"},
    "layers": {
        "AtrousConvolution1D": "Conv1D",
        "CuDNNGRU": "GRU",
        "CuDNNLSTM": "LSTM",
        "Deconv2D": "Conv2DTranspose",
        "Deconv3D": "Conv3DTranspose",
        "TimeDistributedDense": "Dense",
    },
    "losses": {
        "KLD": "kl_divergence", "MAE": "mean_absolute_error", "MAPE": "mean_absolute_percentage_error",
        "MSE": "mean_squared_error", "MSLE": "mean_squared_logarithmic_error", "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh",
        "cosine_proximity": "cosine_similarity", "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error", "mse": "mean_squared_error",
        "msle": "mean_squared_logarithmic_error",
    },
    "metrics": {},
    "models": {},
    "optimizers": {
        "adadelta": "Adadelta", "adagrad": "Adagrad", "adam": "Adam", "adamax": "Adamax", "nadam": "Nadam",
        "rmsprop": "RMSprop", "sgd": "SGD",
    },
    "regularizers": {
        "ActivityRegularizer": "L1L2", "WeightRegularizer": "L1L2", "activity_l1": "L1", "activity_l2": "L2",
        "activity_l1l2": lambda: _l1l2, "l1l2": lambda: _l1l2,
    },
    "utils": {
        "plot": "plot_model", "print_summary": lambda: _print_summary, "probas_to_classes": lambda: _classes,
        "categorical_probas_to_classes": lambda: _classes,
    },
    "wrappers": {},
}  # fmt: skip
OLD_NAMES["metrics"] = OLD_NAMES["losses"]

REFUSED = {
    "backend": {name: SESSION for name in ("get_session", "set_session", "learning_phase", "set_learning_phase")},
    "layers": {
        "Highway": ONE, "MaxoutDense": ONE, "Merge": BRANCHES, "merge": BRANCHES, "LocallyConnected1D": ONE,
        "LocallyConnected2D": ONE,
    },
    "models": {
        "Graph": BRANCHES, "model_from_yaml": "write the architecture with model.to_json, read it with model_from_json",
    },
    "optimizers": {"TFOptimizer": "there is no TensorFlow"},
    "regularizers": {"EigenvalueRegularizer": "write it as a Regularizer of your own with a `gradient`"},
    "utils": {
        "HDF5Matrix": "open the file with h5py and give `fit` a PyDataset of its batches",
        "convert_kernel": "it was for weights of Theano",
        "multi_gpu_model": "models run on the processor, and use all of its cores",
    },
    "wrappers": {
        "KerasClassifier": SKLEARN.format("SKLearnClassifier"), "KerasRegressor": SKLEARN.format("SKLearnRegressor"),
    },
}  # fmt: skip


def old_name(module, name):
    """Return what an old name in a module stands for; called by the module's ``__getattr__``."""
    if not name.startswith("__"):
        path = module.partition(".")[2]
        below = f"{path}.{name}".lstrip(".")
        if below in OLD_MODULES and name not in REFUSED.get(path, ()):
            return importlib.import_module(f"minikeras.{below}")
        present = OLD_MODULES.get(path, path)
        if present != path:  # one of our own modules, which has the name of one of Keras' that held more
            deprecate(f"`{name}` is no longer in `{module}`: use `minikeras.{present}.{name}`")
            return look_up(f"minikeras.{present}", name)
        found = _find(present, name)
        if found is not None:
            return found
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def present_identifier(kind, name):
    """Return the present spelling of a name given as a string, or None."""
    present = OLD_IDENTIFIERS.get(kind, {}).get(name)
    if present is not None:
        deprecate(f"{name!r} is an old name of a {kind}: use {present!r}")
    return present


def look_up(module, name):
    """Return an attribute of a present module, or what an old name in it stands for."""
    path = module.partition(".")[2]
    if name in REFUSED.get(path, ()):
        return _find(path, name)
    present = importlib.import_module(module)
    found = None if name in vars(present) else _find(path, name)
    return getattr(present, name) if found is None else found


def _find(path, name):
    if name in REFUSED.get(path, ()):
        return Refused(name, REFUSED[path][name])
    present = OLD_NAMES.get(path, {}).get(name)
    if path == "layers" and present is None:
        from minikeras.legacy import layers

        return layers.find(name)
    if present is None:
        return None
    if not isinstance(present, str):
        return present()
    deprecate(f"`{name}` is an old name: use `{path}.{present}`")
    return getattr(importlib.import_module(f"minikeras.{path}"), present)


def _l1l2(l1=0.01, l2=0.01):
    from minikeras import regularizers

    deprecate("`l1l2(l1, l2)` is an old name: use `regularizers.L1L2(l1, l2)`")
    return regularizers.L1L2(l1, l2)


def _image_dim_ordering():
    from minikeras import config

    deprecate("`image_dim_ordering()` is an old name: use `image_data_format()`")
    return {"channels_first": "th", "channels_last": "tf"}[config.image_data_format()]


def _set_image_dim_ordering(dim_ordering):
    from minikeras import config

    formats = {"th": "channels_first", "tf": "channels_last"}
    if dim_ordering not in formats:
        raise ValueError(f"`dim_ordering` must be 'th' or 'tf'. Received: {dim_ordering!r}")
    deprecate("`set_image_dim_ordering` is an old name: use `set_image_data_format('channels_first')` for 'th', or "
              "'channels_last' for 'tf'")  # fmt: skip
    config.set_image_data_format(formats[dim_ordering])


def _print_summary(model, *args, **kwargs):
    deprecate("`print_summary(model)` is an old name: use `model.summary()`")
    model.summary(*args, **kwargs)


def _classes(y):
    import numpy as np

    deprecate("`probas_to_classes(y)` is an old name: use `y.argmax(axis=-1)`, or `y > 0.5` for one column")
    return y.argmax(axis=1) if y.ndim > 1 and y.shape[1] > 1 else np.array([1 if p > 0.5 else 0 for p in y.ravel()])
