"""The page of what is as in Keras and what is not: it is true, and it is fresh."""

import inspect

import compatibility_page as page
import pytest
from compatibility import ADDITIONS, DIFFERS, LEFT_OUT, METHODS

import minikeras
from minikeras import activations, callbacks, layers


def test_names_and_signatures(keras):
    """Every public name of Keras has the same arguments here, or a reason in tests/compatibility.py."""
    assert page.problems(keras) == []


def test_the_page_is_fresh(keras):
    assert page.PAGE.read_text(encoding="utf-8") == page.text(keras), f"the page is stale: {page.COMMAND}"


def test_the_command(keras, monkeypatch, tmp_path):
    monkeypatch.setattr(page, "PAGE", tmp_path / "docs" / "page.md")
    page.main()
    assert page.PAGE.read_text(encoding="utf-8") == page.text(keras)
    monkeypatch.delitem(DIFFERS["layers"], "Lambda")
    page.PAGE.unlink()
    with pytest.raises(SystemExit, match="layers.Lambda has other arguments than Keras': gradient"):
        page.main()
    assert not page.PAGE.exists()


def only(keras, words):
    """There is one problem, and these are words of it."""
    (problem,) = page.problems(keras)
    for word in words:
        assert word in problem
    return True


@pytest.mark.parametrize("table, section, name, words", [
    (LEFT_OUT, "losses", "NoSuchLoss", ["LEFT_OUT['losses']", "'NoSuchLoss'", "Keras has not"]),
    (DIFFERS, "keras", "NoSuchName", ["DIFFERS['keras']", "'NoSuchName'", "Keras has not"]),
    (LEFT_OUT, "layers", "Conv2D", ["LEFT_OUT['layers']", "'Conv2D'", "minikeras has"]),
    (DIFFERS, "layers", "Concatenate", ["DIFFERS['layers']", "'Concatenate'", "minikeras has not"]),
    (ADDITIONS, "layers", "MaxPooling2D", ["ADDITIONS['layers']", "'MaxPooling2D'"]),
    (ADDITIONS, "layers", "NoSuchLayer", ["ADDITIONS['layers']", "'NoSuchLayer'"]),
])  # fmt: skip
def test_reasons_for_what_is_not_so(keras, monkeypatch, table, section, name, words):
    monkeypatch.setitem(table[section], name, "a reason")
    assert only(keras, words)


@pytest.mark.parametrize("table, section, name, words", [
    (LEFT_OUT, "optimizers", "LossScaleOptimizer", ["optimizers.LossScaleOptimizer is missing"]),
    (LEFT_OUT, "keras", "tree", ["tree is missing"]),
    (ADDITIONS, "layers", "MinPooling2D", ["layers.MinPooling2D is not in Keras"]),
    (DIFFERS, "layers", "Lambda", ["layers.Lambda has other arguments", "gradient"]),
])  # fmt: skip
def test_missing_reasons(keras, monkeypatch, table, section, name, words):
    monkeypatch.delitem(table[section], name)
    assert only(keras, words)


def test_methods(keras, monkeypatch):
    monkeypatch.delitem(METHODS["metrics.Metric"], "stateless_result")
    assert only(keras, ["metrics.Metric.stateless_result is missing", "METHODS['metrics.Metric']"])
    monkeypatch.undo()
    monkeypatch.setitem(METHODS["losses.Loss"], "call", "a reason")
    assert only(keras, ["METHODS['losses.Loss'] has 'call'"])
    monkeypatch.undo()
    monkeypatch.setattr(callbacks.Callback, "on_epoch_end", lambda self, epoch, logs=None, extra=1: None)
    assert any("Callback.on_epoch_end has other arguments than Keras': extra" in p for p in page.problems(keras))
    monkeypatch.undo()
    assert "quantize" in page.other_methods(keras, "models.Model")  # Keras' class has one of its own,
    assert "quantize" not in METHODS["models.Model"]  # and the layers' reason


@pytest.mark.parametrize("reason", ["", "two\nlines", "a | b", "ends in a point."])
def test_a_reason_is_one_line(keras, monkeypatch, reason):
    monkeypatch.setitem(DIFFERS["layers"], "Conv2D", reason)
    assert only(keras, ["DIFFERS['layers']['Conv2D']", "one line"])


def test_signatures_of_classes_and_functions(keras, monkeypatch):
    monkeypatch.setattr(activations, "relu", lambda x, negative_slope=0.1, max_value=None, threshold=0.0: x)
    assert only(keras, ["activations.relu has other arguments", ": negative_slope."])
    monkeypatch.setattr(activations, "relu", lambda x, max_value=None, negative_slope=0.0, threshold=0.0: x)
    assert only(keras, ["activations.relu has other arguments", ": order."])
    monkeypatch.setattr(activations, "relu", lambda x, *, negative_slope=0.0, max_value=None, threshold=0.0: x)
    assert only(keras, ["activations.relu has other arguments", ": max_value, negative_slope, threshold."])
    monkeypatch.undo()

    class Identity:
        def __init__(self, extra=1, **kwargs):
            pass

    monkeypatch.setattr(layers, "Identity", Identity)
    assert only(keras, ["layers.Identity has other arguments", "extra"])
    monkeypatch.setattr(Identity, "__init__", lambda self: None)
    assert only(keras, ["layers.Identity has other arguments", ": kwargs."])
    monkeypatch.setattr(layers, "Identity", lambda **kwargs: None)
    assert only(keras, ["layers.Identity is a class in one of the two only"])


def test_exports(keras, monkeypatch):
    monkeypatch.setattr(layers, "__all__", [name for name in layers.__all__ if name != "Conv2D"])
    assert only(keras, ["layers.Conv2D is not in `__all__`"])
    monkeypatch.undo()
    monkeypatch.setitem(ADDITIONS["layers"], "NoSuchLayer", "a reason")
    monkeypatch.setattr(layers, "__all__", [*layers.__all__, "NoSuchLayer"])
    assert only(keras, ["layers.__all__ has 'NoSuchLayer', which is not there"])


def test_modules(keras, monkeypatch):
    monkeypatch.setattr(minikeras, "__all__", [name for name in minikeras.__all__ if name != "random"])
    assert "random is missing in minikeras" in page.problems(keras)


def test_our_own_modules_and_old_spellings_are_no_public_names(keras):
    assert page.find(keras, "legacy") is not None
    assert page.find(minikeras, "legacy") is None  # a package of ours
    assert page.find(keras, "optimizers.legacy") is not None
    assert page.find(minikeras, "optimizers.legacy") is None  # a path of Keras 2
    assert page.find(minikeras, "datasets.mnist.load_data") is minikeras.datasets.mnist.load_data
    assert page.find(minikeras, "layers.NoSuchLayer") is None


def test_equal_reasons_share_a_row(keras):
    text = page.text(keras)
    assert f"| `ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D` | {DIFFERS['layers']['ConvLSTM1D']} |" in text
    assert f"| keras.layers | `MinPooling2D` | {ADDITIONS['layers']['MinPooling2D']} |" in text
    assert "Same: `Activation`, `ActivityRegularization`," in text
    counts = {n.status: 0 for n in page.collect(keras)}
    for n in page.collect(keras):
        counts[n.status] += n.section == "losses"
    row = " | ".join(str(counts[status]) for status in page.STATUSES)
    assert f"| [keras.losses](#keraslosses) | {row} |" in text
    assert counts["left out"] == len(LEFT_OUT["losses"])


def test_what_takes_anything_is_compared_by_what_it_hands_on(keras):
    """Keras' layers are made by a `__new__(cls, *args, **kwargs)`."""
    assert [p for p in inspect.signature(keras.layers.Layer).parameters] == ["args", "kwargs"]
    assert "activity_regularizer" in page.arguments(keras.layers.Layer)


def test_one_reason_for_all_names_of_an_object(keras):
    names = {(n.section, n.name): n for n in page.collect(keras)}
    layer = names["layers", "Layer"]
    assert layer.status == "differs"
    assert names["keras", "Layer"].reason == layer.reason == DIFFERS["layers"]["Layer"]
    assert names["layers", "GlobalAvgPool1D"].reason == DIFFERS["layers"]["GlobalAveragePooling1D"]
    assert names["layers", "Convolution2D"].reason == DIFFERS["layers"]["Convolution2D"]
    assert names["layers", "Conv2D"].status == "same"  # a reason under another name is for that name
    assert names["keras", "InputSpec"].reason == LEFT_OUT["layers"]["InputSpec"]
    assert names["datasets", "mnist.load_data"].status == "same"


def test_the_words_in_backquotes():
    assert page.quoted("no `a_b`, but `c=True` and `D(e, f)`; g") == {"a_b", "c", "True", "D", "e", "f"}
    assert page.quoted(None) == set()
