"""The summary's text against that of Keras, character for character."""

import numpy as np
import pytest

import minikeras


def lenet(k):
    layers = k.layers
    return k.Sequential(
        [
            k.Input((28, 28, 1), name="images"),
            layers.Conv2D(6, 5, padding="same", activation="tanh", name="conv2d"),
            layers.AveragePooling2D(2, name="average_pooling2d"),
            layers.Conv2D(16, 5, activation="tanh", name="conv2d_1"),
            layers.AveragePooling2D(2, name="average_pooling2d_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(120, activation="tanh", name="dense"),
            layers.Dense(10, activation="softmax", name="dense_1"),
        ],
        name="lenet",
    )


def nested(k):
    layers = k.layers
    innermost = k.Sequential([layers.Dense(3, name="deep"), layers.Dropout(0.5, name="drop")], name="innermost")
    inner = k.Sequential([layers.Dense(4, name="inner_dense"), innermost, layers.ReLU(name="re_lu")], name="inner")
    return k.Sequential(
        [k.Input((8, 8, 2)), layers.BatchNormalization(name="norm"), layers.Flatten(name="flat"), inner,
         layers.Dense(2, name="last")],
        name="outer",
    )  # fmt: skip


def long_names(k):
    layers = k.layers
    return k.Sequential(
        [
            k.Input((5,)),
            layers.Dense(7, name="a_name_without_any_place_to_break_it_that_is_longer_than_the_column_is_wide"),
            layers.Dense(7, name="several words that have to be put on more than one line because there are many"),
            layers.Dense(7, name="exactly_as_wide_as_the_column"),
            layers.Dense(7, name="[brackets] and \\ more"),
            layers.Dense(7, name="隠れ層のとても長い名前は列の幅よりも広いので切り取られます"),
            layers.Dense(2, name="x"),
        ],
        name="a_model_whose_name_is_so_long_that_it_does_not_fit_on_one_line_of_a_terminal_of_eighty_columns " * 2,
    )


def frozen(k):
    model = lenet(k)
    model.layers[0].trainable = model.layers[5].trainable = False
    return model


def frozen_nested(k):
    model = nested(k)
    model.layers[2].trainable = False
    return model


def fixed_batch(k):
    return k.Sequential([k.Input((3, 4), batch_size=16), k.layers.Dense(5, name="d")], name="fixed")


def million(k):
    layers = [k.Input((2000,)), k.layers.Dense(1500, name="wide"), k.layers.Dense(1, name="out")]
    return k.Sequential(layers, name="million")


def compiled(k):
    model = lenet(k)
    model.compile("adam", "mse")
    return model


def trained(k):
    model = compiled(k)
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    model.train_on_batch(np.zeros((2, 28, 28, 1), "float32"), np.zeros((2, 10), "float32"))
    return model


def text_of(model, **arguments):
    pieces = []
    model.summary(print_fn=pieces.append, **arguments)
    assert len(pieces) == 1, "print_fn is called once, with the whole text"
    return pieces[0]


MODELS = [lenet, nested, long_names, frozen, frozen_nested, fixed_batch, million, compiled, trained]
ARGUMENTS = [
    {}, {"expand_nested": True}, {"show_trainable": True}, {"expand_nested": True, "show_trainable": True},
    {"line_length": 70}, {"line_length": 41, "show_trainable": True}, {"line_length": 130},
    {"positions": [0.2, 0.5, 0.8]}, {"positions": [0.5, 0.9, 1.2]}, {"line_length": 30},
    {"positions": [0.3, 0.6, 0.7], "show_trainable": True}, {"positions": [0.33, 0.55, 0.67, 1.0]},
]  # fmt: skip


@pytest.mark.parametrize("columns", [80, 60, 160])
@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_text(keras, monkeypatch, build, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    theirs, ours = build(keras), build(minikeras)
    for arguments in ARGUMENTS:
        assert text_of(ours, **arguments) == text_of(theirs, **arguments), arguments


def test_what_is_printed(keras, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    lenet(keras).summary()
    theirs = capsys.readouterr().out
    lenet(minikeras).summary()
    assert capsys.readouterr().out == theirs


@pytest.mark.parametrize(
    "layer_range",
    [("conv2d", "dense"), ["flatten", "dense_1"], ["dense", "conv2d"], ["av.*", "fl"], ["dense_1", "dense_1"]],
)
def test_layer_range(keras, layer_range):
    assert text_of(lenet(minikeras), layer_range=layer_range) == text_of(lenet(keras), layer_range=layer_range)
