"""Names and configs."""

import json

import numpy as np
import pytest

from minikeras import activations, constraints, initializers, registry, regularizers
from minikeras.registry import Configurable


class Fruit(Configurable):
    keras_module = "tests.fruit"

    def __init__(self, size=1, name=None):
        self.size = size
        self.name = name


class Apple(Fruit):
    def __init__(self, color, seeds=(), **kwargs):
        super().__init__(**kwargs)
        self.color = color
        self.seeds = seeds


class Basket(Configurable):
    def __init__(self, fruit, *ignored):
        self.fruit = fruit


TABLE = {"fruit": Fruit, "Fruit": Fruit, "Basket": Basket}


def test_config_is_the_constructors_arguments():
    assert Apple.argument_names() == ["color", "seeds", "size", "name"]
    assert Basket.argument_names() == ["fruit"]
    apple = Apple("red", seeds=(np.int64(1), 2), size=np.float32(0.5))
    assert apple.get_config() == {"color": "red", "seeds": (1, 2), "size": 0.5, "name": None}
    json.dumps(apple.get_config())
    assert Apple.from_config(apple.get_config()).get_config() == apple.get_config()
    assert repr(Fruit(2)) == "<Fruit(size=2, name=None)>"


def test_serialize_nests():
    config = {"size": 3, "name": None}
    inner = {"module": "tests.fruit", "class_name": "Fruit", "config": config, "registered_name": None}
    assert registry.serialize(Fruit(3)) == inner
    assert registry.serialize(Basket(Fruit(3)))["config"] == {"fruit": inner}
    assert registry.serialize([Fruit(3), {"a": Fruit(3)}, 1, None]) == [inner, {"a": inner}, 1, None]


def test_resolve():
    fruit = Fruit()
    assert registry.resolve(None, TABLE, "fruit") is None
    assert registry.resolve(fruit, TABLE, "fruit") is fruit
    assert registry.resolve(len, TABLE, "fruit") is len
    for identifier in ("fruit", "FRUIT", Fruit, {"class_name": "Fruit", "config": {}}, {"class_name": "Fruit"}):
        assert type(registry.resolve(identifier, TABLE, "fruit")) is Fruit
    assert registry.resolve({"class_name": "Fruit", "config": {"size": 5}}, TABLE, "fruit").size == 5


@pytest.mark.parametrize("identifier, error, message", [
    ("friut", ValueError, r"Unknown fruit: 'friut'\. Did you mean '[Ff]ruit'\? Known names: Basket, fruit"),
    ("zzz", ValueError, r"Unknown fruit: 'zzz'\. Known names"),
    ({"class_name": "Friut", "config": {}}, ValueError, "Unknown fruit: 'Friut'"),
    ({"name": "Fruit"}, ValueError, r"'class_name'.*\['name'\]"),
    (3, TypeError, r"A fruit must be a name.*3.*int"),
])  # fmt: skip
def test_unknown(identifier, error, message):
    with pytest.raises(error, match=message):
        registry.resolve(identifier, TABLE, "fruit")


def test_registered_classes():
    @registry.register_keras_serializable("tests", "Pear")
    class AnyName(Fruit):
        pass

    @registry.register_keras_serializable()
    class Plum(Fruit):
        pass

    serialized = registry.serialize(AnyName(4))
    assert (serialized["registered_name"], serialized["class_name"]) == ("tests>Pear", "AnyName")
    again = registry.resolve(json.loads(json.dumps(serialized)), TABLE, "fruit")
    assert (type(again), again.size) == (AnyName, 4)
    assert type(registry.resolve("Plum", TABLE, "fruit")) is Plum
    assert type(registry.resolve("tests>Pear", TABLE, "fruit")) is AnyName
    basket = Basket.from_config(registry.serialize(Basket(AnyName(7)))["config"])
    assert (type(basket.fruit), basket.fruit.size) == (AnyName, 7)


class Cherry(Fruit):
    """Not registered; `keras_module` is inherited."""


def ripe(x):
    return x


def test_custom_object_scope():
    config = json.loads(json.dumps(registry.serialize(Cherry(4))))
    assert (config["module"], config["registered_name"]) == (__name__, "Cherry")
    with pytest.raises(ValueError, match="Unknown fruit: 'Cherry'.*custom_object_scope"):
        registry.resolve(config, TABLE, "fruit")
    scope = registry.CustomObjectScope({"Cherry": Cherry, "ripe": ripe})
    for _ in range(2):  # a scope can be entered again
        with scope as entered:
            assert entered is scope
            assert registry.resolve(config, TABLE, "fruit").size == 4
            assert type(registry.resolve("Cherry", TABLE, "fruit")) is Cherry
            assert registry.resolve("ripe", TABLE, "fruit") is ripe
            assert registry.resolve({"class_name": "function", "config": "ripe"}, TABLE, "fruit") is ripe
            basket = Basket.from_config(registry.serialize(Basket(Cherry(7)))["config"])
            assert (type(basket.fruit), basket.fruit.size) == (Cherry, 7)
            with registry.custom_object_scope({"Plum": Cherry, "Cherry": Fruit}):
                assert type(registry.resolve("Cherry", TABLE, "fruit")) is Fruit
                assert type(registry.resolve("Plum", TABLE, "fruit")) is Cherry
                assert registry.resolve("ripe", TABLE, "fruit") is ripe
            assert type(registry.resolve(config, TABLE, "fruit")) is Cherry
            without_names = {"class_name": "Cherry", "config": {}, "registered_name": None}
            assert type(registry.resolve(without_names, TABLE, "fruit")) is Cherry
    with pytest.raises(KeyError), scope:
        raise KeyError


@pytest.mark.parametrize("module, base", [
    (initializers, initializers.Ones), (regularizers, regularizers.L2), (constraints, constraints.NonNeg),
], ids=lambda v: v.__name__)  # fmt: skip
def test_deserialize_what_is_ones_own(module, base):
    mine = type("Mine", (base,), {"__module__": __name__})
    config = json.loads(json.dumps(module.serialize(mine())))
    assert type(module.deserialize(config, {"Mine": mine})) is mine
    assert type(module.deserialize(config, custom_objects={"Mine": mine})) is mine
    with pytest.raises(ValueError, match="Mine"):
        module.deserialize(config)


def test_deserialize_an_activation_of_ones_own():
    own = activations.deserialize("ripe", {"ripe": activations.relu})
    assert own is activations.relu
    with pytest.raises(ValueError, match="ripe"):
        activations.deserialize("ripe")
    assert registry.get_registered_object("Cherry") is None
    with registry.CustomObjectScope(None):
        pass
    with pytest.raises(TypeError, match="`custom_objects` must be a dict.*Cherry"):
        registry.CustomObjectScope([Cherry])


def test_a_scope_does_not_replace_what_a_config_names():
    mine = {"Fruit": Cherry}
    with registry.CustomObjectScope(mine):
        assert type(registry.resolve(registry.serialize(Fruit()), TABLE, "fruit")) is Fruit
        assert type(registry.resolve({"class_name": "Fruit"}, TABLE, "fruit")) is Cherry  # as in Keras


def test_registered_names():
    registry.register_keras_serializable("tests", "ripeness")(ripe)
    assert registry.get_registered_name(ripe) == "tests>ripeness"
    assert registry.get_registered_name(Cherry) == "Cherry"
    assert registry.get_registered_object("tests>ripeness") is ripe
    assert registry.get_registered_object("a", {"a": 1}, {"a": 2, "b": 3}) == 1
    assert registry.get_registered_object("b", {"a": 1}, {"a": 2, "b": 3}) == 3
    assert registry.get_registered_object("c") is None
    objects = registry.get_custom_objects()
    objects["Sour"] = Cherry
    try:
        assert type(registry.resolve("Sour", TABLE, "fruit")) is Cherry
        assert registry.get_registered_name(Cherry) == "Sour"
    finally:
        del objects["Sour"]
    with pytest.raises(ValueError, match="needs a method `get_config"):
        registry.register_keras_serializable()(int)


@pytest.mark.parametrize("name, expected", [
    ("Dense", "dense"), ("Conv2D", "conv2d"), ("MaxPooling2D", "max_pooling2d"), ("ReLU", "re_lu"),
    ("LeakyReLU", "leaky_re_lu"), ("BatchNormalization", "batch_normalization"), ("RMSprop", "rm_sprop"),
    ("GlobalAveragePooling2D", "global_average_pooling2d"), ("ZeroPadding2D", "zero_padding2d"),
])  # fmt: skip
def test_to_snake_case(name, expected):
    assert registry.to_snake_case(name) == expected


def test_auto_names():
    registry.reset_auto_names()
    assert [registry.auto_name("MyLayer") for _ in range(3)] == ["my_layer", "my_layer_1", "my_layer_2"]
    registry.reset_auto_names()
    assert registry.auto_name("MyLayer") == "my_layer"
