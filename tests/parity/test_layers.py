"""Every layer beside Keras': the rows of the files test_layers_*.py through the checks of tests/parity_layers.py."""

import inspect

import numpy as np
import pytest
from compatibility import ADDITIONS
from parity_layers import TOLERANCE, check_config, check_parity, load_tables

from minikeras import layers

TABLES = load_tables()
CASES = TABLES["CASES"]
ROWS = [(name, *row) for name, cases in CASES.items() for row in cases]
IDS = [f"{name}-{i}" for name, cases in CASES.items() for i in range(len(cases))]


@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_outputs_and_gradients(keras, name, shape, arguments):
    training, tolerance = name not in TABLES["RANDOM"], TABLES["TOLERANCES"].get(name, TOLERANCE)
    make = TABLES["INPUTS"].get(name)
    for batch in (4, 1):
        x = None if make is None else make(np.random.default_rng(1), (batch, *shape))
        check_parity(keras, name, shape, arguments, batch, training, x, tolerance)
    has_data_format = "data_format" in inspect.signature(getattr(layers, name)).parameters
    if has_data_format and "data_format" not in arguments:
        first = (shape[-1], *shape[:-1])
        check_parity(
            keras, name, first, {**arguments, "data_format": "channels_first"}, training=training, tolerance=tolerance
        )


@pytest.mark.parametrize("name, shape, arguments", ROWS, ids=IDS)
def test_config(keras, name, shape, arguments):
    check_config(keras, name, arguments)


@pytest.mark.parametrize("name", CASES)
def test_there_are_three(name):
    assert len(CASES[name]) >= 3


def test_all_layers_are_compared():
    classes = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    assert classes - set(ADDITIONS["layers"]) == set(CASES) | set(TABLES["ELSEWHERE"]) | {"Layer"}
