"""Every layer with weights, trained for a few steps in a model beside Keras': regularizers, constraints, activity."""

import inspect

import numpy as np
import pytest
from checks import relative_error
from parity_layers import load_tables, own_arguments

import minikeras
from minikeras import layers, utils

TABLES = load_tables()
EXTRA = {  # argument's ending -> values to take in turn
    "_regularizer": [{"class_name": "L2", "config": {"l2": 0.05}}, {"class_name": "L1", "config": {"l1": 0.02}}],
    "_constraint": [
        {"class_name": "NonNeg", "config": {}},
        {"class_name": "MaxNorm", "config": {"max_value": 0.5, "axis": 0}},
        {"class_name": "UnitNorm", "config": {"axis": 0}},
        {"class_name": "MinMaxNorm", "config": {"min_value": 0.2, "max_value": 0.4, "rate": 0.7, "axis": 0}},
    ],
}


def arguments_of(name):
    return inspect.signature(getattr(layers, name)).parameters


def has_extra(name):
    return any(argument.endswith(tuple(EXTRA)) for argument in arguments_of(name))


def with_extra(name, arguments, turn):
    extra, i = {}, turn
    for argument in arguments_of(name):
        for ending, values in EXTRA.items():
            if argument.endswith(ending):
                extra[argument], i = values[i % len(values)], i + 1
    return {**extra, **arguments}


ROWS = [(name, i) for name in TABLES["CASES"] if has_extra(name) for i in range(len(TABLES["CASES"][name]))]


def make(k, name, arguments, shape):
    model = k.Sequential([k.layers.Input(shape), getattr(k.layers, name)(**own_arguments(arguments, k.layers))])
    model.add(k.layers.Flatten())
    model.add(k.layers.Dense(2))
    model.compile(k.optimizers.SGD(0.05), "mse")
    return model


@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")  # Flatten, after masks
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables.*reverse_embeddings:UserWarning")  # unused
@pytest.mark.filterwarnings("ignore:.*activity_regularizer.*no effect:UserWarning")  # of SimpleRNN, as in Keras
@pytest.mark.parametrize("name, i", ROWS, ids=[f"{name}-{i}" for name, i in ROWS])
def test_three_steps(keras, name, i):
    shape, arguments = TABLES["CASES"][name][i]
    arguments = with_extra(name, arguments, i)
    rng = np.random.default_rng(0)
    inputs = TABLES["INPUTS"].get(name, lambda rng, shape: rng.standard_normal(shape).astype("float32"))
    x, y = inputs(rng, (6, *shape)), rng.standard_normal((6, 2)).astype("float32")
    utils.set_random_seed(1)
    ours, theirs = make(minikeras, name, arguments, shape), make(keras, name, arguments, shape)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    theirs.set_weights(ours.get_weights())
    for _ in range(3):
        loss = ours.train_on_batch(x, y)
        assert loss == pytest.approx(float(theirs.train_on_batch(x, y)), rel=2e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights()):
        assert relative_error(mine, other, floor=0.01) <= 1e-4
