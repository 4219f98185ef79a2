"""Pictures of models: what stands in the boxes, that nothing overlaps or is cut off, and the files."""

import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.utils import plot_model

matplotlib = pytest.importorskip("matplotlib")

EVERYTHING = {
    f"show_{name}": True for name in ("shapes", "dtype", "layer_names", "layer_activations", "trainable")
}  # fmt: skip
DIRECTIONS = ("TB", "BT", "LR", "RL")


def small():
    frozen = layers.Conv2D(2, 3, activation="relu", name="conv", trainable=False)
    stack = [frozen, layers.Flatten(name="flat"), layers.Dense(3, name="out")]
    return keras.Sequential([keras.Input((6, 6, 1)), *stack], name="small")


def nested():
    inputs = keras.Input((4,), name="start")
    functional = keras.Model(inputs, layers.ReLU(name="rectify")(inputs), name="functional")
    long = "a_long_name_" * 8
    inner = keras.Sequential([layers.Dense(4, name="a"), layers.Dense(4, name="$b_2$ & <c>")], name=long)
    outer = keras.Sequential([layers.Dense(4, name="d"), inner, layers.Dense(4, name=long + "e")], name="outer")
    return keras.Sequential([keras.Input((4,)), functional, outer, layers.Dense(1, name="last")], name="model")


def plot(model, tmp_path, **arguments):
    """The figure, where no IPython takes its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "IPython", None)
        return plot_model(model, tmp_path / "model.png", dpi=50, **arguments)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def rectangles(figure, frames=False):
    from matplotlib.patches import Rectangle

    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [patch.get_bbox() for patch in patches if patch.get_fill() != frames]


def arrows(figure):
    """Pairs of points, from ... to ..."""
    from matplotlib.patches import FancyArrowPatch

    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    return [patch._posA_posB for patch in patches]


def test_contents(tmp_path):
    assert texts(plot(small(), tmp_path)) == ["Conv2D", "Flatten", "Dense"]
    assert texts(plot(small(), tmp_path, show_layer_names=True))[:3] == ["conv", " (Conv2D)", "flat"]
    assert texts(plot(small(), tmp_path, show_shapes=True))[:5] == [
        "Conv2D", "Input shape: ", "(None, 6, 6, 1)", "Output shape: ", "(None, 4, 4, 2)",
    ]  # fmt: skip
    assert texts(plot(small(), tmp_path, show_trainable=True)) == [
        "Conv2D", "Non-trainable", "Flatten", "Dense", "Trainable",
    ]  # fmt: skip
    assert texts(plot(small(), tmp_path, show_layer_activations=True)) == [
        "Conv2D", "Activation: ", "relu", "Flatten", "Dense", "Activation: ", "linear",
    ]  # fmt: skip
    assert texts(plot(small(), tmp_path, show_dtype=True))[:3] == ["Conv2D", "Output dtype: ", "float32"]
    assert texts(plot(small(), tmp_path, **EVERYTHING))[:11] == [
        "conv", " (Conv2D)", "Activation: ", "relu", "Input shape: ", "(None, 6, 6, 1)", "Output shape: ",
        "(None, 4, 4, 2)", "Output dtype: ", "float32", "Non-trainable",
    ]  # fmt: skip


def test_nested_models(tmp_path):
    assert texts(plot(nested(), tmp_path)) == ["Functional", "Sequential", "Dense"]
    figure = plot(nested(), tmp_path, expand_nested=True, show_shapes=True)
    assert texts(figure)[:4] == ["functional", "InputLayer", "Output shape: ", "(None, 4)"]  # as Keras, no input shape
    assert (len(rectangles(figure, frames=True)), len(arrows(figure))) == (3, 6)


def contains(a, b):
    a, b = (np.sort(box.get_points(), axis=0) for box in (a, b))
    return bool((a[0] < b[0]).all() and (b[1] < a[1]).all())


def overlap(a, b):
    (a, c), (b, d) = (np.sort(box.get_points(), axis=0) for box in (a, b))
    return bool((np.minimum(c, d) - np.maximum(a, b) > 0.1).all())


@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("options", [{}, EVERYTHING])
def test_nothing_overlaps_or_is_cut_off(tmp_path, rankdir, options):
    figure = plot(nested(), tmp_path, expand_nested=True, rankdir=rankdir, **options)
    whole, cells, frames = figure.axes[0].get_window_extent(), rectangles(figure), rectangles(figure, frames=True)
    to_data = figure.axes[0].transData.inverted()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for box in boxes:
        assert contains(whole, box)
    names = []
    for text, box in zip(figure.axes[0].texts, (to_data.transform_bbox(box) for box in boxes)):
        if not any(cell.contains(*center(box)) for cell in cells):
            names.append((text.get_text(), box))
            assert any(contains(frame, box) for frame in frames), text
            assert not any(overlap(box, cell) for cell in cells), text
            for (x, y), (u, v) in arrows(figure):  # the lines of the arrows
                crosses = min(x, u) < max(box.x0, box.x1) and max(x, u) > min(box.x0, box.x1)
                assert not (crosses and min(y, v) < max(box.y0, box.y1) and max(y, v) > min(box.y0, box.y1)), text
        else:
            assert contains(next(cell for cell in cells if cell.contains(*center(box))), box), text
    assert sorted(name for name, _ in names) == ["a_long_name_" * 8, "functional", "outer"]
    for cell in cells:  # texts are in the middle, one behind the other
        spans = [np.sort(box.intervalx) for box in map(to_data.transform_bbox, boxes) if cell.contains(*center(box))]
        left, right = spans[0][0] - cell.x0, cell.x1 - spans[-1][1]
        assert left == pytest.approx(right, abs=4)
        for (_, end), (start, _) in zip(spans, spans[1:]):
            assert end - 2 <= start <= end + 9, "a space between them, at most"
    assert not any(text.get_parse_math() for text in figure.axes[0].texts)
    assert not any(overlap(a, b) for i, a in enumerate(cells) for b in cells[:i])
    for frame in frames:
        for cell in cells:  # inside, or outside
            assert contains(frame, cell) or not overlap(frame, cell)


def center(box):
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


@pytest.mark.parametrize("rankdir", DIRECTIONS)
def test_direction(tmp_path, rankdir):
    figure = plot(small(), tmp_path, rankdir=rankdir)
    places = [text.get_position() for text in figure.axes[0].texts]
    along = 1 if rankdir in ("TB", "BT") else 0
    order = [place[along] for place in places]
    assert order == sorted(order, reverse=rankdir in ("BT", "RL"))
    boxes = rectangles(figure)
    for (start, end), before, after in zip(arrows(figure), boxes, boxes[1:]):
        assert start[1 - along] == pytest.approx(end[1 - along])  # straight
        forward = rankdir in ("TB", "LR")
        sides = [(box.y0, box.y1) if along else (box.x0, box.x1) for box in (before, after)]
        assert start[along] == pytest.approx(sides[0][forward])
        assert end[along] == pytest.approx(sides[1][not forward])


@pytest.mark.parametrize("name, beginning", [
    ("model.png", b"\x89PNG"), ("MODEL.PNG", b"\x89PNG"), ("model.svg", b"<?xml"), ("model.pdf", b"%PDF"),
    ("model", b"\x89PNG"), ("model.jpg", b"\xff\xd8"),
])  # fmt: skip
def test_formats(tmp_path, name, beginning):
    plot_model(small(), str(tmp_path / name), dpi=20)
    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_size(tmp_path):
    from struct import unpack

    def size(dpi):
        plot_model(small(), tmp_path / "model.png", dpi=dpi)
        return unpack(">II", (tmp_path / "model.png").read_bytes()[16:24])

    one, two = size(50), size(100)
    assert two == pytest.approx([2 * n for n in one], abs=2)
    tall = keras.Sequential([keras.Input((2,)), *(layers.ReLU() for _ in range(40))])
    with pytest.warns(UserWarning, match="`dpi`=2500 would make a picture of more than 65000 pixels.*is used"):
        figure = plot_without_saving(tall, 2500)
    assert 60000 < figure.get_size_inches()[1] * figure.dpi <= 65000


def plot_without_saving(model, dpi):
    from minikeras.utils.model_plot import Chain, Drawing

    draw = Drawing()
    options = dict.fromkeys(EVERYTHING, False)
    chain = Chain(draw, model, "TB", False, options)
    chain.move(0, 0)
    return draw.finish(chain.width, chain.height, dpi)


def test_what_notebooks_show(tmp_path, monkeypatch):
    class Display:
        class Image:
            def __init__(self, filename):
                self.filename = filename

        class SVG(Image):
            pass

    IPython = type(sys)("IPython")
    IPython.display = Display
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    shown = plot_model(small(), tmp_path / "model.png", dpi=20)
    assert (type(shown), shown.filename) == (Display.Image, str(tmp_path / "model.png"))
    assert type(plot_model(small(), tmp_path / "model.svg")) is Display.SVG
    assert plot_model(small(), tmp_path / "model.pdf") is None


@pytest.mark.parametrize("arguments, error, message", [
    ({"model": keras.Sequential([layers.Dense(3)])}, ValueError, "not built, so `plot_model`"),
    ({"model": layers.Dense(3)}, ValueError, "`model` must be a model.*Dense"),
    ({"rankdir": "UP"}, ValueError, "`rankdir` must be one of.*'TB'.*Received: 'UP'"),
    ({"dpi": 0}, ValueError, "`dpi` must be a positive number.*0"),
    ({"dpi": True}, ValueError, "`dpi` must be a positive number.*True"),
    ({"to_file": "model.dot"}, ValueError, r"`to_file` must end in one of.*\.png.*Received: 'model.dot'"),
    ({"to_file": "missing/folder/model.png"}, FileNotFoundError, "There is no folder"),
    ({"layer_range": ["a", "b"]}, ValueError, "`layer_range` is no longer supported"),
    ({"colour": "red"}, ValueError, "unknown arguments: colour"),
])  # fmt: skip
def test_bad_arguments(tmp_path, monkeypatch, arguments, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        plot_model(**{"model": small(), **arguments})
    assert not list(tmp_path.iterdir())
    plot_model(small(), dpi=20, layer_range=None)  # under its usual name
    assert [path.name for path in tmp_path.iterdir()] == ["model.png"]


def test_without_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import minikeras as keras\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])\n"
        "try: keras.utils.plot_model(model)\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "plot_model needs matplotlib: pip install 'minikeras[plot]'", result.stderr
