"""Each spelling of Keras 1 and 2 does what the present one does, and warns once, at the user's line."""

import importlib.util
import inspect
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import minikeras as keras
from minikeras import constraints, initializers, layers, legacy, losses, models, optimizers, regularizers, utils
from minikeras.legacy import warning
from minikeras.optimizers import schedules

# name: (old spelling, present one, what the warning says)
OBJECTS = {
    "Embedding, all by name": (
        lambda: layers.Embedding(
            input_dim=9, output_dim=4, input_length=5, init="normal", W_regularizer="l2", W_constraint="non_neg"
        ),
        lambda: layers.Embedding(
            9, 4, embeddings_initializer="normal", embeddings_regularizer="l2", embeddings_constraint="non_neg",
            input_shape=(5,),
        ),
        ["`embeddings_initializer`", "`embeddings_regularizer`", "`embeddings_constraint`"],
    ),
    "Dense": (
        lambda: layers.Dense(output_dim=3, init="uniform", W_regularizer="l2", b_constraint="non_neg", bias=True),
        lambda: layers.Dense(
            units=3, kernel_initializer="uniform", kernel_regularizer="l2", bias_constraint="non_neg", use_bias=True
        ),
        ["`units`", "`kernel_initializer`", "`kernel_regularizer`", "`bias_constraint`", "`use_bias`"],
    ),
    "Convolution2D": (lambda: layers.Convolution2D(8, 3, 3), lambda: layers.Conv2D(8, (3, 3)), ["`kernel_size`"]),
    "Convolution2D border_mode": (
        lambda: layers.Convolution2D(8, 3, 5, border_mode="same", subsample=(2, 1), dim_ordering="th", bias=False),
        lambda: layers.Conv2D(
            8, (3, 5), padding="same", strides=(2, 1), data_format="channels_first", use_bias=False
        ),
        ["`kernel_size`", "`padding`", "`strides`", "`data_format`"],
    ),
    "Conv2D border_mode": (
        lambda: layers.Conv2D(8, 3, 3, border_mode="same"),
        lambda: layers.Conv2D(8, (3, 3), padding="same"),
        ["`padding`"],
    ),
    "Convolution2D nb_row": (
        lambda: layers.Convolution2D(nb_filter=8, nb_row=3, nb_col=5, init="he_normal", input_shape=(9, 9, 1)),
        lambda: layers.Conv2D(filters=8, kernel_size=(3, 5), kernel_initializer="he_normal", input_shape=(9, 9, 1)),
        ["`filters`", "`kernel_size`", "`kernel_initializer`"],
    ),
    "Convolution2D nb_col": (
        lambda: layers.Convolution2D(8, 3, nb_col=5), lambda: layers.Conv2D(8, (3, 5)), ["`kernel_size`"],
    ),
    "Convolution2D kernel": (
        lambda: layers.Convolution2D(8, (3, 3), border_mode="same"),
        lambda: layers.Conv2D(8, (3, 3), padding="same"),
        ["`padding`"],
    ),
    "Convolution1D": (
        lambda: layers.Convolution1D(nb_filter=8, filter_length=3, border_mode="causal", subsample_length=2),
        lambda: layers.Conv1D(filters=8, kernel_size=3, padding="causal", strides=2),
        ["`filters`", "`kernel_size`", "`padding`", "`strides`"],
    ),
    "Convolution3D": (lambda: layers.Convolution3D(8, 3, 4, 5), lambda: layers.Conv3D(8, (3, 4, 5)), ["`kernel_size`"]),
    "Convolution3D kernel_dim": (
        lambda: layers.Convolution3D(8, kernel_dim1=3, kernel_dim2=4, kernel_dim3=5),
        lambda: layers.Conv3D(8, (3, 4, 5)),
        ["`kernel_size`"],
    ),
    "SeparableConvolution2D": (
        lambda: layers.SeparableConvolution2D(8, 3, 3, depthwise_init="ones"),
        lambda: layers.SeparableConv2D(8, (3, 3), depthwise_initializer="ones"),
        ["`kernel_size`", "`depthwise_initializer`"],
    ),
    "AtrousConvolution2D": (
        lambda: layers.AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2)),
        lambda: layers.Conv2D(8, (3, 3), dilation_rate=(2, 2)),
        ["`layers.Conv2D`", "`kernel_size`", "`dilation_rate`"],
    ),
    "MaxPooling1D": (
        lambda: layers.MaxPooling1D(pool_length=3, stride=2, border_mode="same"),
        lambda: layers.MaxPooling1D(pool_size=3, strides=2, padding="same"),
        ["`pool_size`", "`strides`", "`padding`"],
    ),
    "MaxPooling2D": (
        lambda: layers.MaxPooling2D(dim_ordering="tf"),
        lambda: layers.MaxPooling2D(data_format="channels_last"),
        ["`data_format`"],
    ),
    "UpSampling1D": (lambda: layers.UpSampling1D(length=3), lambda: layers.UpSampling1D(size=3), ["`size`"]),
    "ZeroPadding2D": (
        lambda: layers.ZeroPadding2D((1, 1), dim_ordering="default"), lambda: layers.ZeroPadding2D((1, 1)),
        ["`data_format`"],
    ),
    "Dropout": (lambda: layers.Dropout(p=0.3), lambda: layers.Dropout(0.3), ["`rate`"]),
    "SpatialDropout1D": (lambda: layers.SpatialDropout1D(p=0.3), lambda: layers.SpatialDropout1D(0.3), ["`rate`"]),
    "GaussianNoise": (lambda: layers.GaussianNoise(sigma=0.3), lambda: layers.GaussianNoise(0.3), ["`stddev`"]),
    "GaussianDropout": (lambda: layers.GaussianDropout(p=0.3), lambda: layers.GaussianDropout(0.3), ["`rate`"]),
    "BatchNormalization": (
        lambda: layers.BatchNormalization(mode=0, beta_init="ones", gamma_init="zeros"),
        lambda: layers.BatchNormalization(beta_initializer="ones", gamma_initializer="zeros"),
        ["`mode`", "`beta_initializer`", "`gamma_initializer`"],
    ),
    "LSTM": (
        lambda: layers.LSTM(
            output_dim=4, init="ones", inner_init="zeros", inner_activation="hard_sigmoid", dropout_W=0.2,
            dropout_U=0.1, U_regularizer="l1", consume_less="gpu", forget_bias_init="ones",
        ),
        lambda: layers.LSTM(
            units=4, kernel_initializer="ones", recurrent_initializer="zeros", recurrent_activation="hard_sigmoid",
            dropout=0.2, recurrent_dropout=0.1, recurrent_regularizer="l1",
        ),
        ["`units`", "`recurrent_activation`", "`dropout`", "`recurrent_dropout`", "leave it out"],
    ),
    "LSTM without a forget bias": (
        lambda: layers.LSTM(4, forget_bias_init="zero"), lambda: layers.LSTM(4, unit_forget_bias=False),
        ["`unit_forget_bias`"],
    ),
    "Embedding": (
        lambda: layers.Embedding(5, 4, init="ones", W_constraint="unit_norm", dropout=0.0, input_length=6),
        lambda: layers.Embedding(
            5, 4, input_length=6, embeddings_initializer="ones", embeddings_constraint="unit_norm"
        ),
        ["`embeddings_initializer`", "`embeddings_constraint`"],
    ),
    "PReLU": (lambda: layers.PReLU(init="ones"), lambda: layers.PReLU("ones"), ["`alpha_initializer`"]),
    "ThresholdedReLU": (lambda: layers.ThresholdedReLU(0.7), lambda: layers.ReLU(threshold=0.7), ["`layers.ReLU`"]),
    "ThresholdedReLU theta": (
        lambda: layers.ThresholdedReLU(theta=0.7), lambda: layers.ReLU(threshold=0.7), ["`layers.ReLU`"],
    ),
    "ThresholdedReLU()": (lambda: layers.ThresholdedReLU(), lambda: layers.ReLU(threshold=1.0), ["`layers.ReLU`"]),
    "LeakyReLU": (lambda: layers.LeakyReLU(alpha=0.1), lambda: layers.LeakyReLU(0.1), ["`negative_slope`"]),
    "TimeDistributedDense": (lambda: layers.TimeDistributedDense(4), lambda: layers.Dense(4), ["`layers.Dense`"]),
    "CuDNNLSTM": (lambda: layers.CuDNNLSTM(4), lambda: layers.LSTM(4), ["`layers.LSTM`"]),
    "CuDNNGRU": (lambda: layers.CuDNNGRU(4), lambda: layers.GRU(4, reset_after=True), ["`layers.GRU`"]),
    "Deconvolution2D": (
        lambda: layers.Deconvolution2D(4, (3, 3), strides=2), lambda: layers.Conv2DTranspose(4, (3, 3), strides=2),
        ["`layers.Conv2DTranspose`"],
    ),
    "SGD": (
        lambda: optimizers.SGD(lr=0.1, momentum=0.9), lambda: optimizers.SGD(learning_rate=0.1, momentum=0.9),
        ["`learning_rate`"],
    ),
    "SGD decay": (
        lambda: optimizers.SGD(lr=0.1, decay=1e-3, nesterov=True),
        lambda: optimizers.SGD(schedules.InverseTimeDecay(0.1, 1, 1e-3), nesterov=True),
        ["`learning_rate`", "InverseTimeDecay"],
    ),
    "SGD positional decay": (
        lambda: optimizers.SGD(0.1, 0.9, decay=1e-3),
        lambda: optimizers.SGD(schedules.InverseTimeDecay(0.1, 1, 1e-3), 0.9),
        ["InverseTimeDecay"],
    ),
    "RMSprop default and decay": (
        lambda: optimizers.rmsprop(decay=1e-6),
        lambda: optimizers.RMSprop(schedules.InverseTimeDecay(0.001, 1, 1e-6)),
        ["`optimizers.RMSprop`", "InverseTimeDecay"],
    ),
    "Adam": (
        lambda: optimizers.Adam(lr=0.01, beta_1=0.8, beta_2=0.99, epsilon=None, decay=0.0, amsgrad=False),
        lambda: optimizers.Adam(0.01, 0.8, 0.99),
        ["`learning_rate`", "`decay`", "`epsilon=None`"],
    ),
    "Nadam": (
        lambda: optimizers.nadam(lr=0.01, schedule_decay=0.004), lambda: optimizers.Nadam(0.01), ["`optimizers.Nadam`"],
    ),
    "Adam jit_compile": (lambda: optimizers.Adam(jit_compile=True), lambda: optimizers.Adam(), ["`jit_compile`"]),
    "legacy.Adam": (
        lambda: optimizers.legacy.Adam(learning_rate=0.1), lambda: optimizers.Adam(0.1), ["`minikeras.optimizers`"],
    ),
    "l1l2": (lambda: regularizers.l1l2(l2=0.2), lambda: regularizers.L1L2(0.01, 0.2), ["L1L2"]),
    "WeightRegularizer": (
        lambda: regularizers.WeightRegularizer(l1=0.2), lambda: regularizers.L1L2(0.2), ["`regularizers.L1L2`"],
    ),
    "activity_l2": (lambda: regularizers.activity_l2(0.2), lambda: regularizers.L2(0.2), ["`regularizers.L2`"]),
    "maxnorm": (lambda: constraints.maxnorm(m=3), lambda: constraints.MaxNorm(3), ["`max_value`"]),
    "nonneg": (lambda: constraints.nonneg(), lambda: constraints.NonNeg(), ["`constraints.NonNeg`"]),
    "unitnorm": (lambda: constraints.unitnorm(), lambda: constraints.UnitNorm(), ["`constraints.UnitNorm`"]),
    "normal": (lambda: initializers.normal(), lambda: initializers.RandomNormal(), ["`initializers.RandomNormal`"]),
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_said():
    """As in a new process: no spelling was warned of yet, no old module imported."""
    warning._said.clear()
    legacy.layers.find.cache_clear()
    for name in list(sys.modules):
        if isinstance(sys.modules[name], legacy.modules.OldModule):
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            vars(sys.modules.get(parent, keras)).pop(child, None)


def run(function):
    """Return what a function returns, and its DeprecationWarnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    assert all(w.category is DeprecationWarning for w in caught)
    return result, caught


def described(thing):
    config = thing.get_config()
    return type(thing), {key: value for key, value in config.items() if key != "name"}


@pytest.mark.parametrize("name", OBJECTS)
def test_object(name):
    old, new, says = OBJECTS[name]
    thing, caught = run(old)
    text = " ".join(str(w.message) for w in caught)
    for words in says:
        assert words in text
    assert 1 <= len(caught) <= 2  # a name and its keywords
    for w in caught:
        assert w.filename == __file__
        assert "old" in str(w.message)
        assert w.lineno in range(old.__code__.co_firstlineno, old.__code__.co_firstlineno + 6)
    expected, nothing = run(new)
    assert not nothing
    assert described(thing) == described(expected)
    assert not run(old)[1]  # once in a process


@pytest.mark.parametrize("path", legacy.OLD_MODULES)
def test_module(path):
    present = f"minikeras.{legacy.OLD_MODULES[path]}".rstrip(".")
    if path in OURS:
        assert importlib.util.find_spec(f"minikeras.{path}").origin is not None
        return
    module, caught = run(lambda: importlib.import_module(f"minikeras.{path}"))
    assert [w.filename for w in caught] == [__file__] * len(caught)
    assert f"`minikeras.{path}` is an old path: use `{present}`" in [str(w.message) for w in caught]
    if present != "minikeras.wrappers":
        for name in ("Model", "get", "Dense", "to_categorical"):
            expected = getattr(importlib.import_module(present), name, None)
            if expected is not None:
                assert getattr(module, name) is expected
        with pytest.raises(AttributeError, match="nonsense"):
            module.nonsense  # noqa: B018
    assert not run(lambda: importlib.import_module(f"minikeras.{path}"))[1]


OURS = ("layers.core", "layers.normalization", "layers.pooling", "layers.recurrent", "layers.wrappers")

IMPORTS = {
    "from minikeras.layers.core import Dense, Dropout, Flatten, Activation": ["minikeras.layers.Dropout"],
    "from minikeras.layers.convolutional import Convolution2D, MaxPooling2D, ZeroPadding2D": ["minikeras.layers"],
    "from minikeras.layers.normalization import BatchNormalization": ["minikeras.layers.BatchNormalization"],
    "from minikeras.layers.recurrent import LSTM, GRU, SimpleRNN": ["minikeras.layers.LSTM"],
    "from minikeras.layers.pooling import GlobalAveragePooling2D": [],
    "from minikeras.layers.wrappers import TimeDistributed, Bidirectional": [],
    "from minikeras.layers.embeddings import Embedding": ["minikeras.layers"],
    "from minikeras.layers.advanced_activations import LeakyReLU, PReLU": ["minikeras.layers"],
    "from minikeras.utils import np_utils": ["minikeras.utils"],
    "import minikeras.utils.np_utils": ["minikeras.utils"],
    "from minikeras.utils.np_utils import to_categorical": ["minikeras.utils"],
    "from minikeras.utils.generic_utils import Progbar": ["minikeras.utils"],
    "from minikeras.utils.data_utils import get_file": ["minikeras.utils"],
    "from minikeras.engine.topology import Layer": ["minikeras"],
    "from minikeras.engine import Layer, Input": ["minikeras"],
    "from minikeras.optimizers import adam, sgd, rmsprop, adagrad": ["optimizers.Adam", "optimizers.SGD"],
    "from minikeras.optimizers.legacy import Adam": ["minikeras.optimizers"],
    "from minikeras.layers.experimental.preprocessing import Rescaling": ["minikeras.layers"],
    "from minikeras.objectives import mse": ["minikeras.losses", "losses.mean_squared_error"],
    "from minikeras import objectives": ["minikeras.losses"],
    "from minikeras.losses import mse, MSE, kullback_leibler_divergence": ["losses.kl_divergence"],
    "from minikeras.metrics import mae": ["metrics.mean_absolute_error"],
    "from minikeras.layers.core import *": [],
    "from minikeras.layers.local import *": ["minikeras.layers"],
    "from minikeras.layers import Merge, Highway": [],
    "from minikeras.wrappers.scikit_learn import KerasClassifier": ["minikeras.wrappers"],
}


@pytest.mark.parametrize("statement", IMPORTS)
def test_import(statement):
    _, caught = run(lambda: exec(compile(statement, "user.py", "exec"), {"__name__": "user"}))
    text = " ".join(str(w.message) for w in caught)
    for words in IMPORTS[statement]:
        assert f"`{words}`" in text
    assert bool(caught) == bool(IMPORTS[statement])
    assert all(w.filename == "user.py" for w in caught)


def test_import_star():
    names = {}
    run(lambda: exec("from minikeras.layers.convolutional import *", names))
    assert names["Conv2D"] is layers.Conv2D
    assert names["Convolution2D"] is layers.Convolution2D
    assert names["MaxPool2D"] is layers.MaxPooling2D
    assert "CuDNNLSTM" not in names  # which would warn


REFUSED = {
    "layers.Merge": (lambda: layers.Merge([], mode="sum"), "`Merge`.*one chain"),
    "layers.merge": (lambda: layers.merge([], mode="sum"), "`merge`.*one chain"),
    "layers.MaxoutDense": (lambda: layers.MaxoutDense(3), "`MaxoutDense`.*Layer of your own"),
    "backend.set_session": (lambda: keras.backend.set_session(None), "`set_session`.*no TensorFlow"),
    "utils.multi_gpu_model": (lambda: keras.utils.multi_gpu_model(None, 2), "`multi_gpu_model`"),
    "models.model_from_yaml": (lambda: models.model_from_yaml(""), "`model_from_yaml`.*to_json"),
    "KerasClassifier": (
        lambda: importlib.import_module("minikeras.wrappers.scikit_learn").KerasClassifier(build_fn=None, epochs=2),
        "`KerasClassifier`.*SKLearnClassifier.*fit_kwargs",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_when_used(name):
    with pytest.raises(NotImplementedError, match=REFUSED[name][1]):
        run(REFUSED[name][0])


def test_refused_module():
    with pytest.raises(ImportError, match="initializations.*kernel_initializer="):
        importlib.import_module("minikeras.initializations")


ERRORS = {
    "both": (lambda: layers.Dense(units=3, output_dim=3), TypeError, "both `output_dim`.*and `units`"),
    "positional": (lambda: layers.Dense(3, output_dim=3), TypeError, "both `output_dim`.*and `units`"),
    "lr": (lambda: optimizers.SGD(lr=0.1, learning_rate=0.2), TypeError, "both `lr`.*and `learning_rate`"),
    "positional lr": (lambda: optimizers.SGD(0.1, lr=0.2), TypeError, "both `lr`.*and `learning_rate`"),
    "bad lr": (lambda: optimizers.SGD(lr=-1), ValueError, "learning_rate=-1"),
    "bad decay": (lambda: optimizers.SGD(decay=-1), ValueError, "decay=-1"),
    "decay of a schedule": (
        lambda: optimizers.SGD(schedules.CosineDecay(0.1, 9), decay=0.1), TypeError, "`decay` and a schedule",
    ),
    "rows and columns": (lambda: layers.Convolution2D(8, 3, 5), ValueError, r"Conv2D\(8, \(3, 5\)\).*strides=5"),
    "one of two": (lambda: layers.Convolution2D(8, nb_row=3), TypeError, "nb_row, nb_col"),
    "too many": (lambda: layers.Convolution2D(8, 3, 3, "he_normal", init="ones"), TypeError, "more than 3 arguments"),
    "mode": (lambda: layers.BatchNormalization(mode=1), ValueError, "mode=1.*LayerNormalization"),
    "mode of another layer": (lambda: layers.Dense(3, mode=1), TypeError, "unknown arguments: mode"),
    "dropout": (lambda: layers.Embedding(3, 4, dropout=0.2), ValueError, "dropout=0.2.*SpatialDropout1D"),
    "schedule_decay": (lambda: optimizers.Nadam(schedule_decay=0.1), ValueError, "`schedule_decay` of Nadam.*0.1"),
    "output_shape": (
        lambda: layers.Deconvolution2D(3, (3, 3), output_shape=(None, 9, 9, 3)), ValueError, "`output_shape`.*strides",
    ),
    "forget_bias_init": (lambda: layers.LSTM(3, forget_bias_init="he_normal"), ValueError, "'one' or 'zero'"),
    "input_length": (lambda: layers.LSTM(3, input_length=3), TypeError, "`input_length` without `input_dim`"),
    "theta": (lambda: layers.ThresholdedReLU(1.0, theta=2.0), TypeError, "one argument"),
    "period": (lambda: keras.callbacks.ModelCheckpoint("a.keras", period=2), ValueError, "period=2.*save_freq"),
    "unknown of a layer": (lambda: layers.Dense(3, unit=4), TypeError, "unknown arguments: unit.*Did you mean `units`"),
    "unknown of an optimizer": (
        lambda: optimizers.SGD(learningrate=4), ValueError, "unknown arguments: learningrate.*`learning_rate`",
    ),
    "unknown method": (lambda: model().fit_generators(), AttributeError, "fit_generators"),
    "unknown of fit": (lambda: model().fit(X, Y, epoch=1), TypeError, "epoch"),
    "nb_epoch and epochs": (lambda: model().fit(X, Y, nb_epoch=1, epochs=1), TypeError, "both `nb_epoch`"),
    "show_accuracy": (lambda: model().fit(X, Y, show_accuracy=True), ValueError, "metrics="),
    "by_name": (lambda: model().load_weights("a.weights.h5", by_name=True), ValueError, "by_name=True"),
    "samples and steps": (
        lambda: model().fit_generator(batches(), steps_per_epoch=1, samples_per_epoch=8), TypeError, "counts rows",
    ),
    "twice": (lambda: model().fit_generator(batches(), 1, steps_per_epoch=1), TypeError, "multiple values"),
    "nothing": (lambda: model().fit_generator(batches(), 1, nonsense=1), TypeError, "nonsense"),
    "dim_ordering": (lambda: keras.backend.set_image_dim_ordering("tensorflow"), ValueError, "'th' or 'tf'"),
}  # fmt: skip

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = np.eye(2, dtype="float32")[[0, 1, 1, 0, 0, 0, 1, 1]]


def model(units=2):
    made = models.Sequential([layers.Input((3,)), layers.Dense(units, "softmax" if units > 1 else "sigmoid")])
    made.compile("sgd", "categorical_crossentropy" if units > 1 else "binary_crossentropy", metrics=["accuracy"])
    return made


def batches(size=3):
    while True:
        for start in range(0, 6, size):
            yield X[start : start + size], Y[start : start + size]


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    function, error, match = ERRORS[name]
    with pytest.raises(error, match=match):
        run(function)


def test_shapes_of_sequences():
    for make in (
        lambda: layers.LSTM(output_dim=3, input_dim=4, input_length=5),
        lambda: layers.Convolution1D(3, 2, input_dim=4, input_length=5),
        lambda: layers.Dense(3, input_dim=4, input_length=5),
    ):
        assert run(lambda: models.Sequential([make()]))[0].input_shape == (None, 5, 4)  # noqa: B023
    sequence, caught = run(lambda: models.Sequential([layers.GRU(3, input_dim=4)]))
    assert sequence.input_shape == (None, None, 4)
    assert ["`input_shape`" in str(w.message) for w in caught] == [True]
    layer, caught = run(lambda: layers.LSTM(3, input_length=5, input_shape=(5, 4)))
    assert layer._input_shape_argument == (None, 5, 4)
    assert len(caught) == 1
    assert models.Sequential([layers.Dense(3, input_dim=4)]).input_shape == (None, 4)  # as in Keras 3, in silence


def test_weights():
    weights = [np.arange(6.0).reshape(3, 2), np.ones(2)]
    layer, caught = run(lambda: layers.Dense(2, weights=weights))
    assert len(caught) == 1
    layer.build_once((None, 3))
    for ours, given in zip(layer.get_weights(), weights):
        np.testing.assert_array_equal(ours, given)
    assert "weights" not in layer.get_config()
    assert not hasattr(layer, "initial_weights")
    layer.set_weights([np.zeros((3, 2)), np.zeros(2)])
    layer.build_once((None, 3))
    assert not layer.get_weights()[0].any()  # they are set once
    wrong, _ = run(lambda: layers.Dense(2, weights=weights[:1]))
    with pytest.raises(ValueError, match="must hold 2 arrays"):
        wrong.build_once((None, 3))
    assert not hasattr(run(lambda: layers.Dense(2, weights=None))[0], "initial_weights")
    convolution, _ = run(lambda: layers.Convolution2D(1, 2, 2, bias=False, weights=[np.ones((2, 2, 1, 1))]))
    convolution.build_once((None, 3, 3, 1))
    assert convolution.get_weights()[0].all()


def test_classes_by_old_names():
    convolution = layers.Convolution2D
    assert layers.Convolution2D is convolution
    assert isinstance(layers.Conv2D(1, 2), convolution)
    assert not isinstance(layers.Dense(1), convolution)
    assert issubclass(layers.Conv2D, convolution)
    assert not issubclass(layers.Dense, convolution)
    assert inspect.signature(convolution) == inspect.signature(layers.Conv2D)
    made = convolution.from_config(layers.Conv2D(4, (3, 2), name="a").get_config())
    assert type(made) is layers.Conv2D
    assert made.kernel_size == (3, 2)

    class Mine(convolution):
        pass

    assert type(Mine(1, 2)) is Mine
    assert not isinstance(layers.Conv2D(1, 2), Mine)
    assert not isinstance(layers.Conv1D(1, 2), Mine)


def test_own_classes_are_left_alone():
    class Mine(layers.Dense):
        def __init__(self, output_dim, **kwargs):
            super().__init__(output_dim=output_dim, **kwargs)

    layer, caught = run(lambda: Mine(output_dim=3, init="ones"))
    assert layer.units == 3
    assert len(caught) == 1

    class Own(layers.Layer):
        def __init__(self, output_dim, lr=None, **kwargs):
            super().__init__(**kwargs)
            self.output_dim = output_dim

    assert run(lambda: Own(output_dim=3, lr=1))[1] == []
    with pytest.raises(TypeError, match="unknown arguments: p"):
        Own(3, p=4)


# Training.


def test_methods_of_keras_1_and_2():
    net = model()
    for call, says in (
        (lambda: net.fit(X, Y, nb_epoch=2, verbose=0), "`epochs`"),
        (lambda: net.fit(X, Y, verbose=0, workers=4, use_multiprocessing=True, max_queue_size=3), "`workers`"),
        (lambda: net.fit(X, Y, verbose=0, show_accuracy=False), "`show_accuracy`"),
        (lambda: net.train_on_batch(X, Y, reset_metrics=True), "`reset_metrics`"),
        (lambda: net.compile("sgd", "mse", class_mode="categorical", sample_weight_mode=None), "`class_mode`"),
        (lambda: net.evaluate(X, Y, verbose=0, workers=2), "`workers` of evaluate"),
        (lambda: net.predict(X, verbose=0, workers=2), "`workers` of predict"),
    ):
        _, caught = run(call)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert says in str(caught[0].message)
        assert not run(call)[1]
    assert net.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


def test_predict_classes():
    net = model()
    classes, caught = run(lambda: net.predict_classes(X, batch_size=3, verbose=0))
    np.testing.assert_array_equal(classes, net.predict(X, verbose=0).argmax(-1))
    assert len(caught) == 1
    assert "model.predict(x).argmax" in str(caught[0].message)
    one = model(1)
    classes = one.predict_classes(X)
    assert classes.dtype == "int32"
    np.testing.assert_array_equal(classes, one.predict(X, verbose=0) > 0.5)
    np.testing.assert_array_equal(run(lambda: net.predict_proba(X))[0], net.predict(X, verbose=0))


class Counter(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.trained = self.tested = 0

    def on_train_batch_end(self, batch, logs=None):
        self.trained += 1

    def on_test_batch_end(self, batch, logs=None):
        self.tested += 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"steps_per_epoch": 2, "epochs": 3, "validation_steps": 2, "workers": 2, "max_queue_size": 1},
        {"samples_per_epoch": 6, "nb_epoch": 3, "nb_val_samples": 5, "nb_worker": 1, "pickle_safe": True},
        {"samples_per_epoch": 4, "nb_epoch": 3, "nb_val_samples": 6, "max_q_size": 1},
    ],
)
def test_fit_generator(arguments):
    counter = Counter()
    history, _ = run(
        lambda: model().fit_generator(
            batches(), validation_data=batches(), callbacks=[counter], verbose=0, **arguments
        )
    )
    assert history.epoch == [0, 1, 2]
    assert (counter.trained, counter.tested) == (6, 6)


def test_fit_generator_by_position():
    for arguments, options in (((2, 3, 0), {}), ((6, 3, 0), {"max_q_size": 2}), ((6,), {"nb_epoch": 3, "verbose": 0})):
        counter = Counter()
        run(lambda: model().fit_generator(batches(), *arguments, callbacks=[counter], **options))  # noqa: B023
        assert counter.trained == 6


def test_validation_arrays_are_taken_whole():
    counter = Counter()
    run(
        lambda: model().fit_generator(
            batches(), samples_per_epoch=3, nb_epoch=1, validation_data=(X, Y), nb_val_samples=24, callbacks=[counter],
            verbose=0,
        )
    )  # fmt: skip
    assert (counter.trained, counter.tested) == (1, 1)


def test_generator_is_used_from_its_start():
    """What was looked at for its size is trained on."""
    seen = []

    class Look(layers.Layer):
        def call(self, inputs, training=False):
            seen.append(inputs.copy())
            return inputs

        def backward(self, doutputs):
            return doutputs

        def compute_output_shape(self, input_shape):
            return input_shape

    net = models.Sequential([layers.Input((3,)), Look(), layers.Dense(2)])
    net.compile("sgd", "mse")
    run(lambda: net.fit_generator(batches(), samples_per_epoch=6, nb_epoch=1, verbose=0))
    np.testing.assert_array_equal(np.concatenate(seen), X[:6])


def test_samples_per_epoch_of_a_data_set():
    data = keras.preprocessing.image.ImageDataGenerator().flow(np.zeros((8, 2, 2, 1)), np.zeros(8), batch_size=3)
    net = models.Sequential([layers.Input((2, 2, 1)), layers.Flatten(), layers.Dense(1)])
    net.compile("sgd", "mse")
    counter = Counter()
    run(lambda: net.fit_generator(data, samples_per_epoch=8, nb_epoch=1, verbose=0, callbacks=[counter]))
    assert counter.trained == 3


def test_generator_methods_are_the_present_ones():
    net = model()
    same, caught = run(lambda: net.evaluate_generator(batches(), 2))
    assert same == net.evaluate(X[:6], Y[:6], batch_size=3, verbose=0)
    assert len(caught) == 1
    assert "`model.evaluate(generator)`" in str(caught[0].message)
    assert run(lambda: net.evaluate_generator(batches(), val_samples=6, max_q_size=3))[0] == same
    outputs = net.predict(X[:6], batch_size=3, verbose=0)
    np.testing.assert_array_equal(run(lambda: net.predict_generator(batches(), steps=2, workers=2))[0], outputs)
    np.testing.assert_array_equal(net.predict_generator(batches(), val_samples=6), outputs)


def test_decay_is_that_of_keras_2():
    """w -= lr / (1 + decay * iterations) * g, the first step with 0 iterations."""
    old, _ = run(lambda: optimizers.SGD(lr=0.1, decay=0.5))
    variable = keras.Variable(np.array([1.0]))
    expected = 1.0
    for iteration in range(5):
        old.apply([np.array([0.3])], [variable])
        expected -= 0.1 / (1 + 0.5 * iteration) * 0.3
        np.testing.assert_allclose(variable.value, expected, rtol=1e-6)


def test_optimizer_lr():
    optimizer = optimizers.SGD(0.1)
    rate, caught = run(lambda: optimizer.lr)
    assert float(rate) == np.float32(0.1)
    assert ["`optimizer.learning_rate`" in str(w.message) for w in caught] == [True]
    run(lambda: setattr(optimizer, "lr", 0.2))
    assert float(optimizer.learning_rate) == np.float32(0.2)
    keras.backend.set_value(optimizer.lr, 0.4)
    assert float(keras.backend.get_value(optimizer.lr)) == float(optimizer.learning_rate) == np.float32(0.4)


def test_optimizer_lr_with_decay():
    optimizer, _ = run(lambda: optimizers.SGD(lr=0.1, decay=0.5))
    optimizer.iterations.assign(2)
    assert run(lambda: float(optimizer.lr))[0] == 0.1
    assert float(optimizer.learning_rate) == pytest.approx(0.05)
    optimizer.lr = 0.2
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    keras.backend.set_value(optimizer.lr, 0.4)
    assert float(optimizer.learning_rate) == pytest.approx(0.2)
    for others in ({"decay_steps": 10}, {"decay_steps": 1, "staircase": True}):
        other = optimizers.SGD(schedules.InverseTimeDecay(0.1, decay_rate=0.5, **others))
        with pytest.raises(TypeError, match="not settable"):
            other.lr = 0.2


def test_acc_in_the_logs(tmp_path):
    seen = []

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs.get("acc"), logs.get("val_acc"), logs.get("nonsense", 7)))

        def on_batch_end(self, batch, logs=None):
            seen.append(logs.get("acc"))

    def train():
        checkpoint = keras.callbacks.ModelCheckpoint(
            str(tmp_path / "{val_acc:.2f}.weights.h5"), "val_acc", save_best_only=True, save_weights_only=True, period=1
        )
        stopping = keras.callbacks.EarlyStopping(monitor="val_acc", patience=0)
        return model().fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[Stop(), checkpoint, stopping])

    history, caught = run(train)
    logs = history.history
    assert seen == [seen[0], (logs["accuracy"][0], logs["val_accuracy"][0], 7)]
    assert seen[0] == logs["accuracy"][0]
    assert {w.filename for w in caught} == {__file__}
    assert [str(w.message).count("`val_accuracy`") for w in caught].count(1) == 1
    assert [path.name for path in tmp_path.iterdir()] == [f"{logs['val_accuracy'][0]:.2f}.weights.h5"]
    warning._said.clear()
    value, caught = run(lambda: logs["acc"])
    assert value is logs["accuracy"]
    assert ["`accuracy`" in str(w.message) for w in caught] == [True]
    assert list(logs) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert logs == dict(logs)
    with pytest.raises(KeyError, match="nonsense"):
        logs["nonsense"]
    with pytest.raises(KeyError, match="val_acc"):
        type(logs)(loss=1)["val_acc"]


def test_monitor_of_an_epoch_without_validation():
    stopping = keras.callbacks.EarlyStopping(monitor="val_acc", patience=9)
    run(lambda: model().fit(X, Y, epochs=2, validation_data=(X, Y), validation_freq=2, verbose=0, callbacks=[stopping]))
    assert stopping.monitor == "val_accuracy"


def test_acc_stays_acc():
    """metrics=["acc"] is a present spelling, whose key is "acc"."""
    net = model()
    net.compile("sgd", "categorical_crossentropy", metrics=["acc"])
    history, caught = run(lambda: net.fit(X, Y, verbose=0))
    assert list(history.history) == ["acc", "loss"]
    assert run(lambda: history.history["acc"])[1] == caught == []


def test_strings():
    for make, cls in (
        (lambda: keras.metrics.get("kullback_leibler_divergence"), keras.metrics.KLDivergence),
        (lambda: keras.metrics.get("cosine_proximity"), keras.metrics.CosineSimilarity),
        (lambda: keras.metrics.get("logcosh"), keras.metrics.LogCoshError),
    ):
        found, caught = run(make)
        assert type(found) is cls
        assert len(caught) == 1
    for name in ("maxnorm", "nonneg", "unitnorm"):
        assert type(constraints.get(name)) is run(lambda: getattr(constraints, name))[0]  # noqa: B023
    assert initializers.get("uniform").get_config()["maxval"] == 0.05


def test_functions():
    expected = utils.to_categorical([0, 2], 3)
    for call in (
        lambda: utils.to_categorical([0, 2], nb_classes=3),
        lambda: utils.to_categorical(y=[0, 2], num_classes=3),
        lambda: utils.np_utils.to_categorical([0, 2], 3),
    ):
        found, caught = run(call)
        np.testing.assert_array_equal(found, expected)
        assert len(caught) == 1
    assert run(lambda: utils.np_utils.probas_to_classes(np.array([[0.1, 0.9], [0.8, 0.2]])))[0].tolist() == [1, 0]
    assert run(lambda: utils.probas_to_classes(np.array([[0.1], [0.8]])))[0].tolist() == [0, 1]
    assert run(lambda: losses.mse([1.0], [3.0]))[0] == 4
    assert run(lambda: keras.losses.cosine_proximity)[0] is losses.cosine_similarity


def test_dim_ordering_of_images():
    image = np.zeros((3, 4, 5))
    for call in (
        lambda: keras.preprocessing.image.ImageDataGenerator(dim_ordering="th").data_format,
        lambda: "channels_first" if utils.img_to_array(image, dim_ordering="th").shape == (5, 3, 4) else None,
    ):
        found, caught = run(call)
        assert found == "channels_first"
        assert ["`data_format`" in str(w.message) for w in caught] == [True]


def test_image_dim_ordering():
    before = keras.config.image_data_format()
    try:
        _, caught = run(lambda: keras.backend.set_image_dim_ordering("th"))
        assert keras.config.image_data_format() == "channels_first"
        assert ["`set_image_data_format(" in str(w.message) for w in caught] == [True]
        assert run(lambda: keras.backend.image_dim_ordering())[0] == "th"
        keras.backend.set_image_dim_ordering("tf")
        assert keras.backend.image_dim_ordering() == "tf"
    finally:
        keras.config.set_image_data_format(before)


def test_print_summary(capsys):
    net = model()
    run(lambda: utils.print_summary(net))
    printed = capsys.readouterr().out
    net.summary()
    assert printed == capsys.readouterr().out


def test_model_of_keras_1():
    inputs = keras.Input((3,))
    outputs = layers.Dense(2)(inputs)
    net, caught = run(lambda: keras.Model(input=inputs, output=outputs))
    assert net.output_shape == (None, 2)
    assert len(caught) == 1


def test_callbacks(tmp_path):
    board, caught = run(lambda: keras.callbacks.TensorBoard(str(tmp_path), batch_size=32, write_grads=False))
    assert len(caught) == 1
    assert board.log_dir == str(tmp_path)
    with pytest.raises(ValueError, match="write_grads=True"):
        keras.callbacks.TensorBoard(str(tmp_path), write_grads=True)


def test_present_code_does_not_load_it():
    code = (
        "import sys, minikeras as keras\n"
        "net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation='softmax')])\n"
        "net.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
        "history = net.fit([[0, 1, 2]], [1], verbose=0).history\n"
        "history['accuracy'], net.optimizer.learning_rate, keras.datasets, keras.backend\n"
        "assert not [name for name in sys.modules if name.startswith('minikeras.legacy')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_data_sets_of_fit_generator_start_over_within_an_epoch(monkeypatch):
    monkeypatch.setattr(warning, "_said", set())
    seen = []

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            seen.append(index)
            return np.zeros((2, 1)), np.zeros((2, 1))

        def on_epoch_end(self):
            seen.append("end")

    class Counter(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append("epoch")

    model = keras.Sequential([layers.Dense(1)]).compile("sgd", "mse", input_shape=(1,))
    with pytest.warns(DeprecationWarning, match="fit_generator"):
        model.fit_generator(Batches(), steps_per_epoch=2, epochs=4, shuffle=False, verbose=0, callbacks=[Counter()])
    assert [entry for entry in seen if entry != "epoch"][:10] == [0, 1, 2, "end", 0, 1, 2, "end", 0, 1]
    seen.clear()
    model.fit_generator(Batches(), steps_per_epoch=2, epochs=30, verbose=0)
    orders = {tuple(seen[i : i + 3]) for i in range(0, 76, 4)}
    assert len(orders) > 1
    assert all(sorted(order) == [0, 1, 2] for order in orders)


def test_reset_states(monkeypatch):
    monkeypatch.setattr(warning, "_said", set())
    inner = keras.Sequential([layers.LSTM(2, stateful=True)])
    model = keras.Sequential([
        keras.Input(batch_shape=(1, 3, 1)), layers.GRU(2, stateful=True, return_sequences=True), inner,
    ])  # fmt: skip
    x = np.ones((1, 3, 1))
    first, second = (model.predict(x, verbose=0) for _ in range(2))
    with pytest.warns(DeprecationWarning, match="reset_states"):
        model.reset_states()
    assert (first != second).any()
    np.testing.assert_array_equal(model.predict(x, verbose=0), first)


@pytest.mark.parametrize("make", [
    lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
    lambda: keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 * 0.5 ** (epoch + 1)),
    lambda: keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=0, cooldown=0, min_delta=1e9),
], ids=["scheduler", "scheduler of the epoch", "plateau"])  # fmt: skip
def test_callbacks_set_what_decay_starts_from(make, monkeypatch):
    """As in Keras 2: rate / (1 + decay * iterations) of the rate that was set last."""
    monkeypatch.setattr(warning, "_said", set())
    with pytest.warns(DeprecationWarning, match="decay"):
        optimizer = optimizers.SGD(lr=0.1, decay=0.25)
    model = keras.Sequential([layers.Dense(1)]).compile(optimizer, "mse", input_shape=(1,))
    model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=3, verbose=0, callbacks=[make()], batch_size=2)
    halvings = {"ReduceLROnPlateau": 2}.get(type(make()).__name__, 3)  # the first epoch is never worse
    assert float(optimizer.learning_rate) == pytest.approx(0.1 * 0.5**halvings / (1 + 0.25 * 6))
    with pytest.raises(TypeError, match="not settable"):
        optimizers.SGD(schedules.InverseTimeDecay(0.1, 1, 0.25)).learning_rate = 0.1


@pytest.mark.parametrize("make", [
    lambda: layers.Dense(units=3, output_dim=3), lambda: keras.callbacks.TensorBoard(embeddings_data=1),
])  # fmt: skip
def test_a_refused_spelling_has_one_traceback(make):
    with pytest.raises((TypeError, ValueError), match="old spelling|not available") as caught:
        make()
    assert caught.value.__suppress_context__
