"""What the pictures show, read from the figures, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization

matplotlib = pytest.importorskip("matplotlib")

LOGS = {
    "accuracy": [0.5, 0.9, 0.7], "loss": [3.0, 1.0, 2.0], "val_loss": [4.0, 3.0, 2.5], "val_accuracy": [0.2, 0.6, 0.6],
}  # fmt: skip


def lines_of(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


def texts_of(figure):
    """The titles of the axes that are drawn."""
    return [axes.get_title() for axes in figure.axes if axes.axison]


def fits(figure):
    """Whether no text leaves the figure, no legend or title overlaps another axes' text."""
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.axison]
    inside = all(b.x0 >= -1 and b.y0 >= -1 and b.x1 <= width + 1 and b.y1 <= height + 1 for b in boxes)
    apart = not any(
        min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
        for i, a in enumerate(boxes) for b in boxes[:i]
    )  # fmt: skip
    return inside and apart


def test_history():
    figure = visualization.plot_history(LOGS)
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert lines_of(loss)["training"] == ([1, 2, 3], LOGS["loss"])
    assert lines_of(loss)["validation"] == ([1, 2, 3], LOGS["val_loss"])
    assert lines_of(loss)["best: 2.5, epoch 3"] == ([3], [2.5])
    assert lines_of(accuracy)["best: 0.6, epoch 2"] == ([2], [0.6])
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "training", "validation", "best: 2.5, epoch 3",
    ]  # fmt: skip
    assert fits(figure)


def test_history_of_fit():
    model = keras.Sequential([layers.Dense(1)])
    x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(x, x, epochs=6, initial_epoch=2, validation_data=(x, x), validation_freq=[4, 6], verbose=0)
    loss, mae = visualization.plot_history(history, validation_freq=[4, 6]).axes
    assert mae.get_ylabel() == "mae"
    assert lines_of(loss)["training"] == ([3, 4, 5, 6], history.history["loss"])
    assert lines_of(loss)["validation"] == ([4, 6], history.history["val_loss"])
    assert sum(label.startswith("best") for label in lines_of(mae)) == 1
    with pytest.raises(ValueError, match="'val_loss'.* has 2 values for 4 epochs. Give the `validation_freq`"):
        visualization.plot_history(history)


def test_history_knows_the_metrics_of_the_model():
    model = keras.Sequential([layers.Dense(1)])
    x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="distance")])
    history = model.fit(x, x, epochs=2, verbose=0)
    history.history["distance"] = [2.0, 3.0]
    assert lines_of(visualization.plot_history(history).axes[1])["best: 2, epoch 1"] == ([1], [2.0])
    assert list(lines_of(visualization.plot_history(history.history).axes[1])) == ["training"]  # a dict knows it not


def test_history_of_many_kinds():
    logs = {
        "loss": [np.nan, 2.0, 3.0], "learning_rate": [0.1, 0.1, 0.01], "f1_score": [[0, 1], [1, 1], [0.5, 0]],
        "a_very_long_name_of_a_metric_with_$_of_mine_that_goes_on": [1, 2, 3],
    }  # fmt: skip
    figure = visualization.plot_history(logs)
    loss, rate, score, mine, *empty = figure.axes
    assert lines_of(loss)["best: 2, epoch 2"] == ([2], [2.0])
    assert list(lines_of(rate)) == ["training"]
    assert lines_of(score)["training"][1] == [0.5, 1, 0.25]
    assert "best: 1, epoch 2" in lines_of(score)
    assert mine.get_ylabel() == "a_very_long_name_of_a_metric_with_$_of_mine_…"
    assert [axes.axison for axes in empty] == [False, False]
    assert fits(figure)
    assert visualization.plot_history({"loss": [np.nan] * 2}).axes[0].get_legend() is not None
    every_second = visualization.plot_history({"loss": [3, 2, 1, 0], "val_loss": [7, 8]}, validation_freq=2)
    assert lines_of(every_second.axes[0])["validation"] == ([2, 4], [7, 8])


@pytest.mark.parametrize(("history", "error", "message"), [
    ([1, 2], TypeError, "`history` must be what `fit` returned"),
    ({}, ValueError, "`history` is empty"),
    ({"loss": []}, ValueError, "a number for each epoch"),
    ({"loss": "abc"}, ValueError, "must be a list of numbers"),
    ({"loss": [1, 2], "mae": [1]}, ValueError, "'mae'.* has 1 values for 2 epochs"),
])  # fmt: skip
def test_bad_history(history, error, message):
    with pytest.raises(error, match=message):
        visualization.plot_history(history)


@pytest.mark.parametrize("value", [0, "a", 1.5])
def test_bad_validation_freq(value):
    with pytest.raises(ValueError, match=f"`validation_freq` must be a positive integer.*{value}"):
        visualization.plot_history(LOGS, validation_freq=value)


def test_files(tmp_path):
    visualization.plot_history(LOGS, tmp_path / "curve")
    assert (tmp_path / "curve").read_bytes()[:4] == b"\x89PNG"
    visualization.plot_history(LOGS, str(tmp_path / "curve.svg"))
    assert b"<svg" in (tmp_path / "curve.svg").read_bytes()
    with pytest.raises(ValueError, match="`path` must end in one of .*Received: 'a.xyz'"):
        visualization.plot_history(LOGS, "a.xyz")
    with pytest.raises(TypeError, match="`path` must be the name of a file. Received: 5"):
        visualization.plot_history(LOGS, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve", "curve.svg"]


PROBABILITIES = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.25, 0.4, 0.35]])


def test_predictions():
    images = np.random.default_rng(0).random((3, 4, 5, 1))
    names = ["cat", "dog", "$cow$"]
    figure = visualization.plot_predictions(PROBABILITIES, images, [0, 1, 1], names, columns=2)
    assert texts_of(figure) == ["cat\n90.0%", "$cow$\n50.0%, not dog", "dog\n40.0%"]
    assert [axes.title.get_color() for axes in figure.axes[:3]] == ["black", "#c00000", "black"]
    assert [axes.spines["top"].get_edgecolor()[0] > 0.7 for axes in figure.axes[:3]] == [False, True, False]
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    for axes, image in zip(figure.axes, images):
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), image[..., 0])
        assert axes.get_images()[0].get_clim() == (0, 1)
    assert fits(figure)
    one_hot = visualization.plot_predictions(PROBABILITIES, images[..., 0], np.eye(3)[[0, 1, 1]])
    assert texts_of(one_hot) == ["0\n90.0%", "2\n50.0%, not 1", "1\n40.0%"]
    unknown = visualization.plot_predictions(PROBABILITIES, images, max_images=2)
    assert texts_of(unknown) == ["0\n90.0%", "2\n50.0%"]
    binary = visualization.plot_predictions(PROBABILITIES[:, :1], images, [1, 1, 0], ["no", "yes" * 20])
    long = "yesyesyesyesyesyesyesye…"
    assert texts_of(binary) == [f"{long}\n90.0%", f"no\n80.0%, not {long}", "no\n75.0%"]
    assert fits(binary)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_predictions_of_a_model(data_format):
    model = keras.Sequential([
        layers.Conv2D(2, 3, data_format=data_format), layers.BatchNormalization(), layers.Flatten(),
        layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    shape = (6, 7, 3) if data_format == "channels_last" else (3, 6, 7)
    model.build((None, *shape))
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), "uint8")
    expected, before = model.predict(images, verbose=0), [w.numpy() for w in model.weights]
    figure = visualization.plot_predictions(model, images)
    assert texts_of(figure) == [f"{row.argmax()}\n{row.max():.1%}" for row in expected]
    drawn = images if data_format == "channels_last" else images.transpose(0, 2, 3, 1)
    for axes, image in zip(figure.axes, drawn):
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), image / 255)
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight.value, value)


def test_grids_have_few_gaps():
    shapes = {}
    for count in (1, 4, 6, 7, 10, 16, 25, 32):
        figure = visualization.plot_predictions(np.full((count, 2), 0.5), np.zeros((count, 2, 2)), max_images=count)
        shapes[count] = figure.axes[0].get_subplotspec().get_gridspec().get_geometry()
    assert shapes == {
        1: (1, 1), 4: (2, 2), 6: (2, 3), 7: (2, 4), 10: (2, 5), 16: (4, 4), 25: (5, 5), 32: (4, 8),
    }  # fmt: skip


def test_ranges_of_images():
    def drawn(images, **options):
        figure = visualization.plot_predictions(np.full((len(images), 1), 0.5), images, **options)
        return np.array([axes.get_images()[0].get_array() for axes in figure.axes if axes.axison])

    image = np.array([[[0.0, 51.0], [102.0, 255.0]]])
    np.testing.assert_allclose(drawn(image), [[[0, 0.2], [0.4, 1]]])
    np.testing.assert_allclose(drawn(image.astype("uint8") // 255), [[[0, 0], [0, 1 / 255]]])
    np.testing.assert_allclose(drawn(image - 51), [[[0, 0.2], [0.4, 1]]])
    np.testing.assert_allclose(drawn(image * 0 - 2), [[[0.5, 0.5], [0.5, 0.5]]])
    small = np.random.default_rng(0).random((1, 3, 4, 3))  # both ways
    np.testing.assert_array_equal(drawn(small), small)
    np.testing.assert_array_equal(drawn(small, data_format="channels_first"), small.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"images": np.zeros((3, 4))}, ValueError, r"`images` must be .*Received shape \(3, 4\)"),
    ({"images": np.zeros((3, 5, 5, 2))}, ValueError, "Received 2 channels"),
    ({"images": np.full((3, 4, 4), np.nan)}, ValueError, r"Received 48 that are not, the first at \[0, 0, 0\]"),
    ({"images": np.full((3, 4, 4), "a")}, TypeError, "`images` must hold real numbers"),
    ({"images": np.zeros((2, 4, 4))}, ValueError, r"shape \(3, 3\) for 2 images"),
    ({"model_or_probabilities": 5 * PROBABILITIES}, ValueError, r"from 0 to 4.5: logits\? Then pass"),
    ({"model_or_probabilities": PROBABILITIES - 0.1}, ValueError, "from -0.1 to 0.8"),
    ({"model_or_probabilities": PROBABILITIES[..., None]}, ValueError, r"Received shape \(3, 3, 1\)"),
    ({"labels": [0, 1]}, ValueError, "Received 2 for 3 images"),
    ({"labels": [0, 1, 3]}, ValueError, "less than 3, the number of classes. Received 3 in row 2"),
    ({"labels": [0, -1, 2]}, ValueError, "Received -1 in row 1"),
    ({"labels": [0, 0.5, 2]}, ValueError, "Received 0.5 in row 1"),
    ({"labels": np.eye(4)[:3]}, ValueError, "rows of 4 numbers, but there are 3 classes"),
    ({"class_names": ["a"]}, ValueError, "`class_names` must be 3 names"),
    ({"class_names": {0: "a", 1: "b", 2: "c"}}, ValueError, "`class_names` must be 3 names"),
    ({"class_names": 5}, ValueError, "`class_names` must be 3 names.*Received: 5"),
    ({"images": None}, TypeError, "`images` must be an array. Received: None"),
    ({"labels": 5}, TypeError, "`labels` must be an array. Received: 5"),
    ({"model_or_probabilities": "lenet"}, TypeError, "`model_or_probabilities` must hold real numbers"),
    ({"model_or_probabilities": 0.5}, ValueError, r"shape \(\) for 3 images"),
    ({"columns": 0}, ValueError, "`columns` must be a positive integer"),
    ({"max_images": 1.5}, ValueError, "`max_images` must be a positive integer"),
    ({"model_or_probabilities": keras.Sequential([layers.Dense(2)])}, ValueError, "The model is not built"),
])  # fmt: skip
def test_bad_predictions(arguments, error, message):
    with pytest.raises(error, match=message):
        visualization.plot_predictions(
            **{"model_or_probabilities": PROBABILITIES, "images": np.zeros((3, 4, 4)), **arguments}
        )


TRUE, PREDICTED = [0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 0, 2]


@pytest.mark.parametrize(("normalize", "expected"), [
    (None, [["2", "1", "0"], ["0", "1", "0"], ["1", "0", "1"]]),
    ("true", [["0.67", "0.33", "0.00"], ["0.00", "1.00", "0.00"], ["0.50", "0.00", "0.50"]]),
    ("pred", [["0.67", "0.50", "0.00"], ["0.00", "0.50", "0.00"], ["0.33", "0.00", "1.00"]]),
    ("all", [["0.33", "0.17", "0.00"], ["0.00", "0.17", "0.00"], ["0.17", "0.00", "0.17"]]),
])  # fmt: skip
def test_confusion_matrix(normalize, expected):
    figure = visualization.plot_confusion_matrix(TRUE, PREDICTED, ["ant", "bee", "cow"], normalize)
    axes = figure.axes[0]
    places = {text.get_position(): text.get_text() for text in axes.texts}
    assert [[places[column, row] for column in range(3)] for row in range(3)] == expected
    np.testing.assert_allclose(axes.get_images()[0].get_array(), np.array(expected, float), atol=0.005)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert axes.get_title() == "4 of 6 right: 66.67%"
    for text in axes.texts:  # zeros are there and not in the way
        column, row = text.get_position()
        assert (text.get_color() == "lightgrey") == (axes.get_images()[0].get_array()[row, column] == 0)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["ant", "bee", "cow"]
    assert fits(figure)


def test_forms_of_classes():
    def drawn(*arguments):
        return visualization.plot_confusion_matrix(*arguments).axes[0].get_images()[0].get_array().tolist()

    expected = drawn(TRUE, PREDICTED)
    assert expected == [[2, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert drawn(np.eye(3)[TRUE], np.eye(3)[PREDICTED] * 0.8) == expected
    assert drawn(np.array(TRUE)[:, None], np.array(PREDICTED, float)) == expected
    assert drawn([0, 1, 1], np.array([[0.2], [0.4], [0.7]])) == [[1, 0], [1, 1]]
    assert drawn([False, True], [True, True]) == [[0, 1], [0, 1]]
    assert drawn([0, 0], [0, 0], ["a", "b", "c"]) == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]
    with_empty_row = visualization.plot_confusion_matrix([0], [0], normalize="true").axes[0]
    assert with_empty_row.get_images()[0].get_array().tolist() == [[1, 0], [0, 0]]
    many = visualization.plot_confusion_matrix(range(50), range(50), [f"a class, number {i}" for i in range(50)])
    assert not many.axes[0].texts
    assert fits(many)


@pytest.mark.parametrize(("arguments", "message"), [
    (([0, 1], [0]), "equally long. Received 2 and 1"),
    (([], []), "has 0 samples"),
    (([0, -1], [0, 1]), "`y_true` must be whole numbers of at least 0. Received -1 in row 1"),
    (([0, 3], [0, 1], ["a", "b"]), "`y_true` must be whole numbers less than 2"),
    (([0, 3], [0, 1], None, "rows"), "`normalize` must be one of .*Received: 'rows'"),
    (([0, 3], [0, 1], None, ["true"]), r"`normalize` must be one of .*Received: \['true'\]"),
    (([0, 1], [0, 200]), "200 classes can be drawn at most. Received classes up to 200"),
    (([0, 1], [10**12, 1]), "Received classes up to 1000000000000"),
    (([0, 1], [[5.0, 1], [0, 1]]), "from 0 to 5: logits"),
    (([0, 1], np.zeros((2, 2, 2), int)), r"Received \(2, 2, 2\)"),
])  # fmt: skip
def test_bad_confusion_matrix(arguments, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_confusion_matrix(*arguments)


def run(code):
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)


def test_without_pyplot():
    result = run(
        "import sys, minikeras\n"
        "print('minikeras.visualization' in sys.modules)\n"
        "minikeras.visualization.plot_confusion_matrix([0, 1], [1, 1])\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert result.stdout.split() == ["False", "False"], result.stderr


def test_without_matplotlib():
    result = run(
        "import sys; sys.modules['matplotlib'] = None\n"
        "import minikeras as keras\n"
        "try: keras.visualization.plot_history({'loss': [1]})\n"
        "except ImportError as error: print(error)"
    )
    message = "minikeras.visualization needs matplotlib: pip install 'minikeras[plot]'"
    assert result.stdout.strip() == message, result.stderr


def linear(weights, bias, activation):
    """A model of known outputs: activation(x weights + bias)."""
    model = keras.Sequential([layers.Dense(len(bias), activation=activation)])
    model.build((None, 2))
    model.set_weights([np.array(weights, "float32"), np.array(bias, "float32")])
    return model


X = np.array([[0.0, 0.0], [1.0, 0.2], [0.4, 2.0], [0.9, 1.5]])


@pytest.mark.parametrize(("activation", "bias"), [("sigmoid", 0.5), ("linear", 0.5), ("tanh", 0.5)])
def test_decision_boundary_of_two_classes(activation, bias):
    model = linear([[-1.0], [0.0]], [bias], activation)  # the second class lies to the left of x = 0.5
    figure = visualization.plot_decision_boundary(model, X, [1, 0, 1, 0], ["right", "$left$"], resolution=40)
    (axes,) = figure.axes
    image = axes.get_images()[0]
    left, right, bottom, top = image.get_extent()
    np.testing.assert_allclose([left, right, bottom, top], [-0.08, 1.08, -0.16, 2.16])
    middles = left + (np.arange(40) + 0.5) * (right - left) / 40
    np.testing.assert_array_equal(image.get_array(), np.tile(middles < 0.5, (40, 1)))
    assert image.origin == "lower"
    points = {points.get_label(): points for points in axes.collections}
    np.testing.assert_array_equal(points["0"].get_offsets(), X[[1, 3]])
    np.testing.assert_array_equal(points["1"].get_offsets(), X[[0, 2]])
    for c, each in ((0, points["0"]), (1, points["1"])):
        np.testing.assert_allclose(each.get_facecolor()[0], image.cmap(image.norm(c)))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["right", "$left$"]
    assert axes.get_title() == "4 of 4 right: 100.00%"
    assert fits(figure)


def test_decision_boundary_of_many_classes():
    model = linear([[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]], [0.5, 0.0, -1.5], "softmax")  # below 0.5, above 1.5, between
    figure = visualization.plot_decision_boundary(model, X, np.eye(3)[[0, 0, 2, 2]], resolution=50)
    image = figure.axes[0].get_images()[0]
    bottom, top = image.get_extent()[2:]
    middles = bottom + (np.arange(50) + 0.5) * (top - bottom) / 50
    expected = np.where(middles < 0.5, 0, np.where(middles > 1.5, 2, 1))
    np.testing.assert_array_equal(image.get_array(), np.tile(expected[:, None], 50))
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["0", "2"]
    assert figure.axes[0].get_title() == "3 of 4 right: 75.00%"
    many = linear(np.ones((2, 30)), np.zeros(30), "softmax")
    names = [f"a class, number {i}" for i in range(30)]
    figure = visualization.plot_decision_boundary(many, np.tile(X, (15, 1)), np.arange(60) // 2, names)
    assert fits(figure)
    assert visualization.plot_decision_boundary(many, X[:1], [29]).axes[0].get_xlim() == (-0.5, 0.5)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"x": X[:, :1]}, r"`x` must be points \(samples, 2\), at least one. Received shape \(4, 1\)"),
    ({"x": X[:0]}, "at least one"),
    ({"y": [0, 1, 0]}, "Received 3 for 4 points"),
    ({"y": [0, 1, 2, 0]}, "`y` must be whole numbers less than 2"),
    ({"class_names": ["one"]}, "`class_names` must be 2 names"),
    ({"resolution": 0}, "`resolution` must be a positive integer"),
    ({"resolution": 2001}, "`resolution` must be at most 2000. Received: resolution=2001"),
    ({"model": keras.Sequential([layers.Dense(1)])}, "The model is not built"),
    ({"model": keras.Sequential([keras.Input((3,)), layers.Dense(1)])}, r"from \(None, 3\) to \(None, 1\)"),
])  # fmt: skip
def test_bad_decision_boundary(arguments, message):
    model = linear([[1.0], [0.0]], [0.0], "sigmoid")
    with pytest.raises(ValueError, match=message):
        visualization.plot_decision_boundary(**{"model": model, "x": X, "y": [0, 1, 0, 1], **arguments})


def test_decision_boundary_of_no_model():
    with pytest.raises(TypeError, match="`model` must be a model, as keras.Sequential makes one. Received: None"):
        visualization.plot_decision_boundary(None, X, [0, 1, 0, 1])
