"""Each spelling of Keras 1 and 2 does what the present one does, and warns once, at the user's line."""

import sys
import warnings

import pytest

import minikeras as keras
from minikeras import constraints, initializers, layers, legacy, optimizers, regularizers
from minikeras.legacy import warning
from minikeras.optimizers import schedules

# name: (old spelling, present one, what the warning says)
OBJECTS = {
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
            dropout_U=0.1, U_regularizer="l1", consume_less="gpu", forget_bias_init="one",
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
        lambda: layers.Embedding(5, 4, init="ones", W_constraint="unit_norm", dropout=0.0),
        lambda: layers.Embedding(5, 4, embeddings_initializer="ones", embeddings_constraint="unit_norm"),
        ["`embeddings_initializer`", "`embeddings_constraint`"],
    ),
    "PReLU": (lambda: layers.PReLU(init="ones"), lambda: layers.PReLU("ones"), ["`alpha_initializer`"]),
    "ThresholdedReLU": (lambda: layers.ThresholdedReLU(0.7), lambda: layers.ReLU(threshold=0.7), ["`layers.ReLU`"]),
    "ThresholdedReLU theta": (
        lambda: layers.ThresholdedReLU(theta=0.7), lambda: layers.ReLU(threshold=0.7), ["`layers.ReLU`"],
    ),
    "ThresholdedReLU()": (lambda: layers.ThresholdedReLU(), lambda: layers.ReLU(threshold=1.0), ["`layers.ReLU`"]),
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
