"""Models beside Keras: configs, names, texts, outputs, and JSON both ways."""

import json

import numpy as np
import pytest

import minikeras
from minikeras import registry

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _names(keras):
    """Both count the names that they give from the start."""
    keras.backend.clear_session()
    registry.reset_auto_names()


def sequential(k, shape, *stack, **arguments):
    first = [] if shape is None else [k.Input(shape, name="inputs")]
    return k.Sequential([*first, *stack], name="model", **arguments)


def convolutional(k):
    lay, reg, con = k.layers, k.regularizers, k.constraints
    return sequential(
        k, (12, 12, 3), lay.Rescaling(1 / 255, name="scale"), lay.RandomFlip("horizontal", seed=1, name="flip"),
        lay.Conv2D(4, 3, padding="same", kernel_regularizer=reg.L2(0.25), kernel_initializer="he_normal", name="conv"),
        lay.BatchNormalization(name="norm"), lay.ReLU(name="relu"), lay.MaxPooling2D(2, name="pool"),
        lay.SpatialDropout2D(0.2, name="drop"),
        lay.DepthwiseConv2D(3, name="deep", depthwise_constraint=con.MaxNorm(2)),
        lay.SeparableConv2D(3, 2, name="parts"), lay.Conv2DTranspose(2, 2, name="back"), lay.Flatten(name="flat"),
        lay.Dropout(0.5, name="more"),
        lay.Dense(3, activation="softmax", name="last", kernel_initializer=k.initializers.Orthogonal(seed=3),
                  bias_regularizer=reg.L1(0.5), kernel_constraint="unit_norm",
                  activity_regularizer=reg.L1L2(0.5, 0.25)),
    )  # fmt: skip


def recurrent(k):
    lay = k.layers
    return sequential(
        k, (5,), lay.Embedding(10, 4, mask_zero=True, name="words"),
        lay.Bidirectional(lay.LSTM(3, return_sequences=True, name="inner", dropout=0.1), name="both"),
        lay.TimeDistributed(lay.Dense(3, name="each"), name="times"), lay.GRU(3, name="gru", return_sequences=True),
        lay.SimpleRNN(2, name="simple", go_backwards=True), lay.LayerNormalization(name="norm"),
    )  # fmt: skip


def images(k):
    lay = k.layers
    return sequential(
        k, (8, 8, 3), lay.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0], name="norm"),
        lay.Resizing(4, 4, name="size"), lay.CenterCrop(3, 3, name="crop"), lay.RandomRotation(0.1, name="a", seed=2),
        lay.RandomZoom(0.1, name="b", seed=2), lay.RandomContrast(0.1, name="c", seed=2),
        lay.GlobalAveragePooling2D(name="pool"), lay.Discretization([0.0, 1.0], name="bins"),
    )  # fmt: skip


def vectors(k):
    lay = k.layers
    return sequential(
        k, (12,), lay.Reshape((4, 3), name="r"), lay.Permute((2, 1), name="p"), lay.ELU(name="el"),
        lay.Conv1D(4, 2, padding="causal", name="c"), lay.UpSampling1D(2, name="u"), lay.ZeroPadding1D(1, name="z"),
        lay.Cropping1D(1, name="cr"), lay.PReLU(name="pr"), lay.Softmax(name="sm"), lay.GaussianNoise(0.1, name="gn"),
        lay.GaussianDropout(0.1, name="gd"), lay.AlphaDropout(0.1, name="ad"), lay.GroupNormalization(2, name="gr"),
        lay.UnitNormalization(name="un"), lay.RMSNormalization(name="rms"),
        lay.EinsumDense("abc,cd->abd", output_shape=(6, 5), name="ed"), lay.GlobalMaxPooling1D(name="gm"),
        lay.RepeatVector(2, name="rv"), lay.Identity(name="id"), lay.ActivityRegularization(0.1, name="ar"),
    )  # fmt: skip


def nested(k):
    inner = k.Sequential([k.layers.Dense(3, name="a"), k.layers.LeakyReLU(name="b")], name="inner")
    return sequential(k, (6,), k.layers.Dense(4, name="d"), inner, k.layers.Activation("tanh", name="t"))


def nested_built(k):
    inner = k.Sequential([k.Input((4,), name="i"), k.layers.Dense(3, name="a")], name="inner")
    return sequential(k, (6,), k.layers.Dense(4, name="d"), inner, k.layers.Dense(2, name="e"))


def not_built(k):
    return sequential(k, None, k.layers.Dense(4, name="d"), k.layers.Dense(2, name="e"))


def built_later(k):
    model = not_built(k)
    model.build((None, 5))
    return model


def empty(k):
    return k.Sequential(name="model")


def only_input(k):
    return sequential(k, (3,))


def first_layer_knows(k):
    with_shape = {"input_shape": (4,)} if k is minikeras else {}
    first = [] if k is minikeras else [k.layers.InputLayer(shape=(4,))]  # Keras warns
    return sequential(k, None, *first, k.layers.Dense(3, name="a", **with_shape), k.layers.Dense(2, name="b"))


def fixed_batch(k):
    return k.Sequential([k.Input((6,), batch_size=3, name="inputs"), k.layers.Dense(3, name="a")], name="model")


def integers(k):
    first = k.Input((5,), dtype="int32", name="inputs")
    stack = [k.layers.Embedding(4, 3, name="e"), k.layers.Flatten(name="f"), k.layers.Dense(1, name="d")]
    return k.Sequential([first, *stack], name="model")


def frozen_layer(k):
    model = nested(k)
    model.layers[1].trainable = False
    return model


def frozen(k):
    return sequential(k, (4,), k.layers.Dense(3, name="a"), trainable=False)


def functional(k):
    inputs = k.Input((8, 8, 1), name="inputs")
    x = k.layers.Conv2D(2, 3, name="c", activation="relu")(inputs)
    x = k.layers.Dropout(0.5, name="drop")(x, training=False)
    x = k.layers.Flatten(name="f")(x)
    return k.Model(inputs, k.layers.Dense(2, name="d")(x), name="model")


def functional_frozen(k):
    inputs = k.Input((4,), name="inputs")
    return k.Model(inputs, k.layers.Dense(2, name="d")(inputs), name="model", trainable=False)


def functional_lists(k):
    inputs = k.Input((4,), name="inputs")
    return k.Model(inputs=[inputs], outputs=[k.layers.Dense(2, name="d")(inputs)], name="model")


def functional_recurrent(k):
    inputs = k.Input((4, 3), name="inputs")
    x = k.layers.LSTM(3, name="l", return_sequences=True)(inputs)
    return k.Model(inputs, k.layers.Bidirectional(k.layers.GRU(2, name="g"), name="b")(x), name="model")


def models_in_functional(k):
    inputs, middle = k.Input((6,), name="inputs"), k.Input((4,), name="middle")
    inner = k.Model(middle, k.layers.Dense(3, name="a")(middle), name="inner")
    x = inner(k.layers.Dense(4, name="d")(inputs))
    x = k.Sequential([k.layers.Dense(2, name="q")], name="stack")(x)
    return k.Model(inputs, k.layers.Activation("relu", name="t")(x), name="model")


def functional_in_sequential(k):
    middle = k.Input((4,), name="middle")
    inner = k.Model(middle, k.layers.Dense(3, name="a")(middle), name="inner")
    return k.Sequential([inner, k.layers.Dense(2, name="z")], name="model")


def features(k):
    base = nested_built(k)
    return k.Model(base.inputs, base.layers[1].output, name="features")


def upper_half(k):
    base = functional(k)
    return k.Model(base.get_layer("c").output, base.output, name="upper")


def compiled(k):
    model = nested(k)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def compiled_with_objects(k):
    model = nested(k)
    schedule = k.optimizers.schedules.ExponentialDecay(0.5, 10, 0.75)
    model.compile(
        k.optimizers.SGD(schedule, momentum=0.75, clipnorm=1.0, name="mine"), k.losses.MeanSquaredError(name="l"),
        metrics=[k.metrics.MeanAbsoluteError(name="x"), "mse"], weighted_metrics=["mae"], loss_weights=2.0,
    )  # fmt: skip
    return model


def compiled_with_lists(k):
    model = functional(k)
    model.compile("rmsprop", loss=["mse"], metrics={"d": ["mae"]}, run_eagerly=True, steps_per_execution=3)
    return model


def compiled_not_built(k):
    model = not_built(k)
    model.compile("sgd", k.losses.categorical_crossentropy, metrics=["accuracy"])
    return model


def compiled_for_classes(k):
    model = nested(k)
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    model.compile("adamw", loss, metrics=[k.metrics.AUC(name="auc"), k.metrics.Precision(name="p", top_k=2)])
    return model


MODELS = [
    convolutional, recurrent, images, vectors, nested, nested_built, not_built, built_later, empty, only_input,
    first_layer_knows, fixed_batch, integers, frozen_layer, frozen, functional, functional_frozen, functional_lists,
    functional_recurrent, models_in_functional, functional_in_sequential, features, upper_half, compiled,
    compiled_with_objects, compiled_with_lists, compiled_not_built, compiled_for_classes,
]  # fmt: skip
each_model = pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)


def both(keras, build):
    return build(minikeras), build(keras)


def comparable(config, name=None):
    """What must be equal in two models' JSON. Left out, because they mean nothing to the one that reads it:

    - arguments that are None in one and not written in the other (``quantization_config``, which only Keras has; the
      seeds and activity regularizers of some layers);
    - ``build_config`` of layers without weights, which Keras writes for some of them and not for others;
    - where PyTorch's variants of the optimizers are found (``keras.optimizers`` finds them, too);
    - ``training`` and ``mask`` in a call, which are the model's in Keras too, whatever is written there.
    """
    if isinstance(config, list):
        return [comparable(item) for item in config]
    if not isinstance(config, dict):
        return config
    found = {key: comparable(value, key) for key, value in config.items() if value is not None}
    if "class_name" in found and "build_config" in found and name != "model":
        del found["build_config"]
    if name == "optimizer":
        found = {key: value for key, value in found.items() if key not in ("module", "registered_name")}
    if set(found) == {"args", "kwargs"}:
        found["kwargs"] = {k: v for k, v in found["kwargs"].items() if k not in ("training", "mask")}
    return found


def described(model):
    return comparable(json.loads(model.to_json()), "model")


@each_model
def test_one_beside_the_other(keras, build):
    """Configs, names, shapes, texts, outputs."""
    ours, theirs = both(keras, build)
    check_outputs(keras, ours, theirs)
    assert described(ours) == described(theirs)
    configs = [comparable(json.loads(json.dumps(model.get_config()))) for model in (ours, theirs)]
    assert configs[0] == configs[1]
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [w.path for w in ours.trainable_weights] == [w.path for w in theirs.trainable_weights]
    for name in ("name", "built", "compiled", "trainable", "dtype", "input_shape", "output_shape"):
        assert getattr(ours, name, "none") == getattr(theirs, name, "none"), name
    for a, b in zip(getattr(ours, "inputs", []), getattr(theirs, "inputs", [])):
        assert (a.shape, a.name, a.dtype) == (b.shape, b.name, b.dtype)
    if ours.built:
        assert text_of(ours) == text_of(theirs)
        assert text_of(ours, expand_nested=True) == text_of(theirs, expand_nested=True)
    for a, b in zip(ours.layers, theirs.layers):  # what files need to know of layers with weights
        if a.weights and not hasattr(a, "layers"):
            assert {**a.get_build_config(), "input_shape": None} == {**b.get_build_config(), "input_shape": None}
            assert tuple(a.get_build_config()["input_shape"]) == tuple(b.get_build_config()["input_shape"])


@each_model
def test_ours_in_keras_and_theirs_in_ours(keras, build):
    ours, theirs = both(keras, build)
    registry.reset_auto_names()
    text = theirs.to_json()
    read = minikeras.models.model_from_json(text)
    by_keras = keras.models.model_from_json(ours.to_json())
    again = minikeras.models.model_from_json(ours.to_json())
    expected = described(keras.models.model_from_json(text))
    for model in (read, by_keras, again):
        assert described(model) == expected
        assert [w.shape for w in model.get_weights()] == [w.shape for w in theirs.get_weights()]
        assert (model.built, model.compiled) == (theirs.built, theirs.compiled)
    check_outputs(keras, again, by_keras)
    config = json.loads(text)["config"]
    alone = type(ours).from_config(config)
    assert not alone.compiled
    assert {**described(alone), "compile_config": 0} == {**expected, "compile_config": 0}


def check_outputs(keras, ours, theirs):
    if not ours.built:
        return
    ours.set_weights(theirs.get_weights())
    x = RNG.integers(0, 4, (3, *ours.input_shape[1:])).astype("float32")
    given = [x] if not isinstance(ours, minikeras.Sequential) and isinstance(ours.input, list) else x
    expected = keras.ops.convert_to_numpy(theirs(given, training=False))
    np.testing.assert_allclose(ours(x, training=False), expected, rtol=1e-4, atol=1e-5)


def text_of(model, **arguments):
    pieces = []
    model.summary(print_fn=pieces.append, **arguments)
    return "".join(pieces)
