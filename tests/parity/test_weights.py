"""Files of weights in both directions: what either library writes, the other reads, to the bit."""

import warnings

import h5py
import numpy as np
import pytest

import minikeras
from minikeras.registry import to_snake_case


def build(k, prefix=""):
    """Several layers of a class, layers without weights, a nested model, names of one's own."""
    layers = k.layers
    inner = k.Sequential(
        [layers.Dense(4, activation="relu", name=f"{prefix}inner"), layers.Dense(3), layers.Activation("tanh")]
    )
    return k.Sequential(
        [
            k.Input((8, 8, 1)),
            layers.Rescaling(0.5),
            layers.Conv2D(2, 3, name=f"{prefix}first"),
            layers.BatchNormalization(),
            layers.Conv2D(3, 3, use_bias=False, padding="same"),
            layers.ReLU(),
            layers.LeakyReLU(),
            layers.Dropout(0.0),
            layers.ZeroPadding2D(1),
            layers.MaxPooling2D(2),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            inner,
            layers.Reshape((3,)),
            layers.Dense(2),
            layers.Softmax(),
        ]
    )


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 8, 8, 1)).astype("float32"), rng.normal(size=(6, 2)).astype("float32")


def optimizer(k, name):
    return {
        "adam": lambda: k.optimizers.Adam(0.03),
        "amsgrad": lambda: k.optimizers.Adam(0.03, amsgrad=True),
        "adamw": lambda: k.optimizers.AdamW(0.03, weight_decay=0.1),
        "sgd": lambda: k.optimizers.SGD(0.03),
        "momentum": lambda: k.optimizers.SGD(0.03, momentum=0.9),
        "rmsprop": lambda: k.optimizers.RMSprop(0.03),
        "adagrad": lambda: k.optimizers.Adagrad(0.03),
    }[name]()


OPTIMIZERS = ["adam", "amsgrad", "adamw", "sgd", "momentum", "rmsprop", "adagrad"]


def trained(k, name, steps=3):
    model = build(k)
    model.compile(optimizer(k, name), "mse")
    x, y = data()
    for _ in range(steps):
        model.train_on_batch(x, y)
    return model


def structure(path):
    """Return {place: (attributes, shape, type)} of all that a file holds."""
    found = {}
    with h5py.File(path) as file:
        assert not file.attrs

        def visit(place, member):
            attributes = dict(member.attrs)
            if "name" in attributes:  # a layer's, made up with a number that grows
                attributes["name"] = type(attributes["name"])
            found[place] = (attributes, *((member.shape, member.dtype) if isinstance(member, h5py.Dataset) else ()))

        file.visititems(visit)
    return found


def values(variables):
    return [np.array(v.numpy()) for v in variables]


def assert_equal_bits(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(values(ours), values(theirs)):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["Dense", "Conv2D", "ReLU", "LeNet5", "_Private", "MyLayer_2", "ABCDef", "GRUCell"])
def test_names_of_groups(keras, name):
    from keras.src.utils.naming import to_snake_case as theirs

    assert to_snake_case(name) == theirs(name)


@pytest.mark.parametrize("compiled", ["not", "untrained", "trained"])
def test_the_same_structure(keras, tmp_path, compiled):
    for k, name in ((keras, "theirs"), (minikeras, "ours")):
        model = trained(k, "adam") if compiled == "trained" else build(k)
        if compiled == "untrained":
            model.compile("adam", "mse", metrics=["mae"])
        model.save_weights(tmp_path / f"{name}.weights.h5")
    assert structure(tmp_path / "ours.weights.h5") == structure(tmp_path / "theirs.weights.h5")


def test_names_in_the_file(keras, tmp_path):
    names = {}
    for k, name in ((keras, "theirs"), (minikeras, "ours")):
        path = tmp_path / f"{name}.weights.h5"
        model = k.Sequential([k.Input((3,)), k.layers.Dense(2, name="my_dense")], name="my_model")
        model.compile(k.optimizers.SGD(name="my_sgd"), "mse")
        model.save_weights(path)
        with h5py.File(path) as file:
            places = ("vars", "layers/dense/vars", "optimizer/vars")
            names[name] = [dict(file[place].attrs) for place in places]
    assert names["ours"] == names["theirs"] == [{"name": "my_model"}, {"name": "my_dense"}, {"name": "my_sgd"}]


@pytest.mark.parametrize("name", OPTIMIZERS)
class TestTrained:
    def test_keras_reads_ours(self, keras, tmp_path, name):
        path = tmp_path / "a.weights.h5"
        ours = trained(minikeras, name)
        ours.save_weights(path)
        theirs = trained(keras, name, steps=1)
        theirs.load_weights(path)
        assert_equal_bits(ours.weights, theirs.weights)
        assert_equal_bits(ours.optimizer.variables, theirs.optimizer.variables)
        self.check_training_on(ours, theirs)

    @pytest.mark.parametrize("steps", [0, 1])
    def test_we_read_keras(self, keras, tmp_path, name, steps):
        path = tmp_path / "a.weights.h5"
        theirs = trained(keras, name)
        theirs.save_weights(path)
        ours = trained(minikeras, name, steps=steps)
        ours.optimizer.learning_rate = 0.5
        ours.load_weights(path)
        assert_equal_bits(ours.weights, theirs.weights)
        assert_equal_bits(ours.optimizer.variables, theirs.optimizer.variables)
        assert ours.optimizer.iterations == 3
        assert abs(ours.optimizer.learning_rate - 0.03) < 1e-8
        self.check_training_on(ours, theirs)

    def check_training_on(self, ours, theirs):
        x, y = data()
        for model in (ours, theirs):
            model.train_on_batch(x, y)
        np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-3, atol=1e-4)


def load(model, path, **arguments):
    """Return the text of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.load_weights(path, **arguments)
    return [str(warning.message) for warning in caught if "__array__" not in str(warning.message)]


def test_not_compiled(keras, tmp_path):
    """A file with an optimizer, a model without."""
    for k, other in ((keras, minikeras), (minikeras, keras)):
        path = tmp_path / f"{k.__name__}.weights.h5"
        source, target = trained(k, "adam"), build(other)
        source.save_weights(path)
        assert load(target, path) == []
        for a, b in zip(values(source.weights), values(target.weights)):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "saved, steps_saved, loading, steps",
    [("adam", 0, "adam", 2), ("adam", 2, "rmsprop", 2), ("sgd", 2, "adam", 2), ("adam", 2, "amsgrad", 2)],
)
def test_warns_of_another_optimizer_as_keras_does(keras, tmp_path, saved, steps_saved, loading, steps):
    path = tmp_path / "a.weights.h5"
    source = trained(keras, saved, steps_saved)
    source.save_weights(path)
    warned = []
    for k in (keras, minikeras):
        model = trained(k, loading, steps)
        model.optimizer.name = "it"
        before = values(model.optimizer.variables)
        warned += [text.strip() for text in load(model, path)]
        for a, b in zip(before, values(model.optimizer.variables)):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(values(source.weights), values(model.weights)):
            np.testing.assert_array_equal(a, b)
    assert len(warned) == 2
    assert warned[0].replace("'", "") == warned[1].replace("'", "")


def test_untrained_optimizer_takes_rate_and_iteration(keras, tmp_path):
    for k, other in ((keras, minikeras), (minikeras, keras)):
        path = tmp_path / f"{k.__name__}.weights.h5"
        trained(k, "adam", steps=0).save_weights(path)
        target = build(other)
        target.compile(optimizer(other, "rmsprop"), "mse")
        target.optimizer.learning_rate = 0.7
        if other is keras:  # which does not mind what kind of optimizer it was
            assert load(target, path) == []
        else:
            assert "'adam" in load(target, path)[0]
            target.compile(optimizer(other, "adam"), "mse")
            target.optimizer.learning_rate = 0.7
            assert load(target, path) == []
        assert abs(float(target.optimizer.learning_rate) - 0.03) < 1e-8


@pytest.mark.parametrize("kind", ["float64", "float16", "int32", "uint8"])
def test_other_types_are_cast(keras, tmp_path, kind):
    path = tmp_path / "a.weights.h5"
    build(minikeras).save_weights(path)
    rng = np.random.default_rng(0)
    with h5py.File(path, "r+") as file:
        for place in ("layers/conv2d/vars/0", "layers/sequential/layers/dense_1/vars/1"):
            shape = file[place].shape
            del file[place]
            file[place] = (rng.normal(size=shape) * 100).astype("int8").astype(kind)
            if kind == "float64":
                file[place][...] = rng.normal(size=shape)
    ours, theirs = build(minikeras), build(keras)
    ours.load_weights(path)
    theirs.load_weights(path)
    assert_equal_bits(ours.weights, theirs.weights)


def test_skip_mismatch(keras, tmp_path):
    path = tmp_path / "a.weights.h5"
    layers = keras.layers
    source = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(5), layers.Dense(2)])
    source.save_weights(path)
    loaded = []
    for k in (keras, minikeras):
        layers = k.layers
        model = k.Sequential([k.Input((3,)), layers.Dense(4), layers.Dense(6), layers.Dense(2), layers.Dense(1)])
        before = values(model.weights)
        assert load(model, path, skip_mismatch=True)
        loaded.append([bool((a != b).any()) for a, b in zip(before[::2], values(model.weights)[::2])])
    assert loaded[0] == loaded[1] == [True, False, False, False]


def test_a_functional_model(keras, tmp_path):
    """Its InputLayer is in the file, without weights."""
    path = tmp_path / "a.weights.h5"
    inputs = keras.Input((3,))
    theirs = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(4)(inputs)))
    theirs.save_weights(path)
    ours = minikeras.Sequential([minikeras.Input((3,)), minikeras.layers.Dense(4), minikeras.layers.Dense(2)])
    ours.load_weights(path)
    assert_equal_bits(ours.weights, theirs.weights)


def test_frozen_layers(keras, tmp_path):
    """Whether a layer is frozen changes nothing in the file."""
    for k, other in ((keras, minikeras), (minikeras, keras)):
        path = tmp_path / f"{k.__name__}.weights.h5"
        source, target = build(k), build(other)
        source.layers[2].trainable = source.layers[11].trainable = False
        source.save_weights(path)
        target.layers[1].trainable = False
        target.load_weights(path)
        for a, b in zip(values([w for layer in source.layers for w in layer.weights]),
                        values([w for layer in target.layers for w in layer.weights])):  # fmt: skip
            np.testing.assert_array_equal(a, b)


def test_float64(keras, tmp_path):
    path = tmp_path / "a.weights.h5"
    ours = minikeras.Sequential([minikeras.Input((3,)), minikeras.layers.Dense(4, dtype="float64")])
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, dtype="float64")])
    ours.save_weights(path)
    theirs.load_weights(path)
    assert_equal_bits(ours.weights, theirs.weights)
    theirs.layers[0].kernel.assign(np.random.default_rng(0).normal(size=(3, 4)))
    theirs.save_weights(path)
    ours.load_weights(path)
    assert_equal_bits(ours.weights, theirs.weights)


@pytest.mark.parametrize("frozen", [None, 2, 11, "all"])
def test_order_of_weights(keras, frozen):
    """`get_weights` is in one order in both."""
    lists = []
    for k in (keras, minikeras):
        model = build(k)
        if frozen is not None:
            (model if frozen == "all" else model.layers[frozen]).trainable = False
        kinds = model.weights, model.trainable_weights, model.non_trainable_weights
        lists.append([[(w.name, tuple(w.shape)) for w in kind] for kind in kinds])
    assert lists[0] == lists[1]


def test_layers_after_the_first_batch(keras):
    """Both put an InputLayer in front, and are built again when a layer comes or goes."""
    found = []
    for k in (keras, minikeras):
        model = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
        model(np.zeros((5, 4), "float32"))
        shapes = [model.output_shape]
        model.pop()
        shapes.append(model.output_shape)
        model.add(k.layers.Dense(7))
        shapes.append(model.output_shape)
        saved = [layer["class_name"] for layer in model.get_config()["layers"]]
        found.append((saved, [shape[1:] for shape in shapes]))
    assert found[0] == found[1]
