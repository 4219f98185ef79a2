"""The summary's text; `parity/test_summary.py` compares it with Keras' own."""

import io
import sys

import pytest

import minikeras as keras
from minikeras import layers


def small():
    stack = [layers.Conv2D(2, 3, name="conv"), layers.Flatten(name="flat"), layers.Dense(3, name="out")]
    return keras.Sequential([keras.Input((4, 4, 1)), *stack], name="small")


TEXT = """\
Model: "small"
┏━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━┓
┃ Layer (type)          ┃ Output Shape    ┃  Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━┩
│ conv (Conv2D)         │ (None, 2, 2, 2) │       20 │
├───────────────────────┼─────────────────┼──────────┤
│ flat (Flatten)        │ (None, 8)       │        0 │
├───────────────────────┼─────────────────┼──────────┤
│ out (Dense)           │ (None, 3)       │       27 │
└───────────────────────┴─────────────────┴──────────┘
 Total params: 47 (188.00 B)
 Trainable params: 47 (188.00 B)
 Non-trainable params: 0 (0.00 B)
"""


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "58")


def test_print_fn_gets_the_whole_text():
    pieces = []
    assert small().summary(print_fn=pieces.append) is None
    assert pieces == [TEXT]


def test_prints(capsys):
    small().summary()
    assert capsys.readouterr().out == TEXT


def test_a_stream_that_is_ascii_only(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    small().summary()
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert "| conv (Conv2D)         | (None, 2, 2, 2) |       20 |" in text.splitlines()
    assert [len(line) for line in text.splitlines()] == [len(line) for line in TEXT.splitlines()]


def test_every_line_of_the_table_is_as_wide_as_asked_for(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for line_length in (30, 47, 88, 131):
        pieces = []
        small().summary(line_length=line_length, print_fn=pieces.append)
        assert {len(line) for line in pieces[0].splitlines() if line[0] in "┏┃┡│├└"} == {line_length}


def test_optimizer_parameters(capsys):
    import numpy as np

    model = small()
    model.compile("adam", "mse")
    model.summary()
    assert capsys.readouterr().out == TEXT
    model.train_on_batch(np.zeros((1, 4, 4, 1)), np.zeros((1, 3)))
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        " Total params: 143 (572.00 B)", " Trainable params: 47 (188.00 B)", " Non-trainable params: 0 (0.00 B)",
        " Optimizer params: 96 (384.00 B)",
    ]  # fmt: skip


def test_a_custom_layer():
    class Double(keras.Layer):
        def call(self, inputs):
            return 2 * inputs

    pieces = []
    keras.Sequential([keras.Input((3,)), Double(name="twice")]).summary(print_fn=pieces.append)
    assert "│ twice (Double)        │ (None, 3)       │        0 │" in pieces[0]


def test_not_built():
    with pytest.raises(ValueError, match=r"not built.*model\.build\(\(None, 28, 28, 1\)\)"):
        keras.Sequential([layers.Dense(2)]).summary()


def test_too_narrow():
    with pytest.raises(ValueError, match=r"`line_length`.*line_length=10"):
        small().summary(line_length=10)
    with pytest.raises(ValueError, match=r"`positions`"):
        small().summary(positions=[0.5, 0.51, 1.0])
    with pytest.raises(ValueError, match=r"`positions` must hold 3 numbers"):
        small().summary(positions=[0.5, 1.0])


def test_layer_range():
    pieces = []
    small().summary(layer_range=["flat", "out"], print_fn=pieces.append)
    assert "conv" not in pieces[0]
    assert "flat" in pieces[0]
    assert " Total params: 47 " in pieces[0]
    for wrong in (["flat"], ["flat", 3], "flat"):
        with pytest.raises(ValueError, match="`layer_range` must hold two names"):
            small().summary(layer_range=wrong)
    with pytest.raises(ValueError, match=r"`layer_range` matches no layer.*Layers: conv, flat, out"):
        small().summary(layer_range=["nothing", "out"])
