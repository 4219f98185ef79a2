"""Made data: every point lies where its formula puts it, classes are even, seeds hold, and small networks learn it."""

import os

import numpy as np
import pytest

import minikeras as keras
from minikeras import config, layers
from minikeras.datasets import synthetic
from minikeras.datasets.synthetic import pictures

CLASSIFIED = {
    "spiral": {"classes": 4},
    "circle": {"noise": 0.1},
    "line": {"noise": 0.1},
    "zone": {"grid": 3, "classes": 5},
    "zone_3d": {"grid": 3, "classes": 7},
}
MAKERS = {**CLASSIFIED, "polynomial": {"coefficients": [1, 2, 3]}}
ROUNDING = 1e-6


def make(name, **kwargs):
    return getattr(synthetic, name)(**{**MAKERS[name], **kwargs})


def check_even(y, classes):
    counts = np.bincount(y, minlength=classes)
    assert len(counts) == classes
    assert counts.max() - counts.min() <= 1


def turned(x, angle):
    """How far the points are from a ray at the given angles, as angles from -pi to pi."""
    return (np.arctan2(x[:, 1], x[:, 0]) - angle + np.pi) % (2 * np.pi) - np.pi


class TestPoints:
    @pytest.mark.parametrize("name", CLASSIFIED)
    @pytest.mark.parametrize("samples", [50, 203])
    def test_form_and_balance(self, name, samples):
        x, y = make(name, samples=samples)
        assert x.shape == (samples, 3 if name == "zone_3d" else 2)
        assert y.shape == (samples,)
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        check_even(y, CLASSIFIED[name].get("classes", 2))
        assert np.any(np.diff(y) < 0), "in the order of the classes, validation_split would take the last one"

    def test_spiral(self):
        x, y = synthetic.spiral(2000, classes=5, turns=1.3, noise=0, seed=3)
        t = np.hypot(*x.T)
        assert t.max() < 1 + ROUNDING
        np.testing.assert_allclose(np.histogram(t, 10, (0, 1))[0], 200, atol=60)  # uniform along the arm
        far = t > 0.01  # the angle of points in the middle is rounding
        assert np.abs(turned(x, 2 * np.pi * (1.3 * t + y / 5)))[far].max() < 1e-4

    def test_noise_of_the_spiral(self):
        x, y = synthetic.spiral(4000, noise=0.2)
        t = np.hypot(*x.T)
        noise = turned(x, 2 * np.pi * (0.75 * t + y / 3))[t > 0.01]
        assert noise.std() == pytest.approx(0.2, rel=0.05)
        assert noise.mean() == pytest.approx(0, abs=0.02)

    def test_circle(self):
        x, y = synthetic.circle(4000, radius=0.6)
        r = np.hypot(*x.T)
        assert r[y == 1].max() < 0.6 + ROUNDING
        assert 0.6 - ROUNDING < r[y == 0].min()
        assert r.max() < 1 + ROUNDING
        # Even over the areas: half of a class within the circle that has half of the area.
        assert np.mean(r[y == 1] < 0.6 * 0.5**0.5) == pytest.approx(0.5, abs=0.04)
        assert np.mean(r[y == 0] < (0.36 + 0.64 / 2) ** 0.5) == pytest.approx(0.5, abs=0.04)
        assert np.abs(x.mean(axis=0)).max() < 0.05

    def test_line(self):
        x, y = synthetic.line(4000, slope=-2, intercept=0.25)
        h = x[:, 1].astype(float) - (0.25 - 2 * x[:, 0].astype(float))
        assert np.array_equal(h > 0, y == 1)
        assert np.abs(h).max() < 1 + ROUNDING
        assert np.abs(h).mean() == pytest.approx(0.5, abs=0.03)
        assert (x[:, 0].min(), x[:, 0].max()) == pytest.approx((-1, 1), abs=0.01)

    @pytest.mark.parametrize("axes", [2, 3])
    @pytest.mark.parametrize(("grid", "classes"), [(2, 2), (3, 2), (4, 3), (2, 3)])
    def test_zones(self, axes, grid, classes):
        maker = synthetic.zone if axes == 2 else synthetic.zone_3d
        x, y = maker(3000, grid=grid, classes=classes)
        assert x.min() >= -1
        assert x.max() <= 1
        zones = np.floor(grid * (x.astype(float) + 1) / 2).astype(int)
        assert np.array_equal(zones.sum(axis=1) % classes, y)
        assert len(np.unique(zones, axis=0)) == grid**axes  # none is left empty
        within = grid * (x + 1) / 2 - zones
        assert np.abs(within.mean(axis=0) - 0.5).max() < 0.03

    @pytest.mark.parametrize("name", ["circle", "line", "zone", "zone_3d"])
    def test_noise(self, name):
        exact, y = make(name, samples=4000, noise=0.0)
        x, same = make(name, samples=4000, noise=0.3)
        assert np.array_equal(y, same)
        assert (x - exact).std(axis=0) == pytest.approx([0.3] * x.shape[1], rel=0.06)
        assert np.abs((x - exact).mean(axis=0)).max() < 0.03

    @pytest.mark.parametrize("name", MAKERS)
    def test_seeds(self, name):
        x, y = make(name, seed=7)
        for again in (make(name, seed=7), make(name, seed=np.int64(7))):
            assert np.array_equal(x, again[0])
            assert np.array_equal(y, again[1])
        assert not np.array_equal(x, make(name, seed=8)[0])
        config.set_random_seed(1)
        first, second = make(name, seed=None), make(name, seed=None)
        config.set_random_seed(1)
        assert np.array_equal(first[0], make(name, seed=None)[0])
        assert not np.array_equal(first[0], second[0])

    @pytest.mark.parametrize(
        ("name", "kwargs", "words"),
        [
            *[(name, {"samples": samples}, "`samples`") for name in MAKERS for samples in (0, -1, 2.0, True, None)],
            *[(name, {"noise": noise}, "`noise`") for name in MAKERS for noise in (-0.1, np.nan, np.inf, "0", True)],
            *[(name, {"seed": seed}, "`seed`") for name in MAKERS for seed in (-1, 0.5, "0")],
            ("spiral", {"samples": 3}, "at least 4, one of each class.*samples=3"),
            ("spiral", {"classes": 1}, "`classes` must be an integer of at least 2.*classes=1"),
            ("spiral", {"turns": np.inf}, "`turns` must be a number"),
            ("circle", {"radius": 0}, "`radius` must be a number from 0 to 1 .neither.*radius=0"),
            ("circle", {"radius": 1.0}, "`radius`"),
            ("line", {"slope": None}, "`slope` must be a number.*slope=None"),
            ("line", {"intercept": np.nan}, "`intercept`"),
            ("line", {"slope": 1e31}, "from -1e[+]30 to 1e[+]30.*slope=1e[+]31"),
            ("circle", {"noise": 1e300}, "`noise` must be a number from 0 to 1e[+]30"),
            ("zone", {"grid": 1}, "`grid`"),
            ("zone", {"classes": 6}, "`classes` must be at most 5 with grid=3.*classes=6"),
            ("zone_3d", {"classes": 8}, "`classes` must be at most 7 with grid=3"),
            ("polynomial", {"coefficients": []}, "`coefficients` must be a list"),
            ("polynomial", {"coefficients": 3.0}, "`coefficients` must be a list"),
            ("polynomial", {"coefficients": np.array(3.0)}, "`coefficients` must be a list"),
            ("polynomial", {"coefficients": [1.0, [2.0]]}, r"`coefficients\[1\]`.*\[2.0\]"),
            ("polynomial", {"coefficients": [0, "1"]}, r"`coefficients\[1\]`.*'1'"),
            ("polynomial", {"low": 1}, "`high` must be greater than `low`"),
            ("polynomial", {"low": 1, "high": 1}, "`high` must be greater than `low`"),
            ("polynomial", {"high": np.inf}, "`high`"),
            ("polynomial", {"coefficients": [0, 1e30], "high": 1e30}, "too large for float32"),
        ],
    )
    def test_bad_arguments(self, name, kwargs, words):
        with pytest.raises(ValueError, match=words):
            make(name, **kwargs)


class TestPolynomial:
    def test_without_noise(self):
        x, y = synthetic.polynomial([0.5, -1, 0, 2], 500, low=-2, high=3, noise=0)
        assert (x.shape, y.shape) == ((500, 1), (500,))
        assert (x.dtype, y.dtype) == (np.float32, np.float32)
        x = x[:, 0].astype(float)
        np.testing.assert_allclose(y, 0.5 - x + 2 * x**3, rtol=6e-8)  # of the x that is returned, rounded once
        assert (x.min(), x.max()) == pytest.approx((-2, 3), abs=0.05)
        assert x.min() >= -2
        assert x.max() < 3

    def test_coefficients_as_an_array(self):
        for one, other in zip(synthetic.polynomial([1, 2]), synthetic.polynomial(np.array([1.0, 2.0], np.float32))):
            assert np.array_equal(one, other)

    def test_noise(self):
        x, y = synthetic.polynomial([1, 1], 5000, noise=0.3)
        noise = y - 1 - x[:, 0]
        assert noise.std() == pytest.approx(0.3, rel=0.05)
        assert noise.mean() == pytest.approx(0, abs=0.02)

    def test_least_squares_finds_the_coefficients(self):
        x, y = synthetic.polynomial()
        found = np.polynomial.polynomial.polyfit(x[:, 0], y, 3)
        np.testing.assert_allclose(found, [0, -1, 0, 2], atol=0.15)


class TestCsv:
    @pytest.mark.parametrize("name", MAKERS)
    def test_the_very_points(self, tmp_path, name):
        x, y = make(name)
        path = tmp_path / "points.csv"
        synthetic.save_csv(path, x, y)
        header = path.read_text(encoding="ascii").split("\n")[0]
        assert header == {1: "x,y", 2: "x1,x2,y", 3: "x1,x2,x3,y"}[x.shape[1]]
        rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype="float32", ndmin=2)
        assert rows[:, :-1].tobytes() == x.tobytes()
        assert rows[:, -1].astype(y.dtype).tobytes() == y.tobytes()
        assert os.listdir(tmp_path) == ["points.csv"]

    def test_shortest_digits(self, tmp_path):
        path = tmp_path / "points.csv"
        x = np.array([[0.1], [1 / 3], [-1e-30], [2]], np.float32)
        synthetic.save_csv(path, x, np.array([0, 1, 2, 3]))
        assert path.read_bytes() == b"x,y\n0.1,0\n0.33333334,1\n-1e-30,2\n2.0,3\n"
        double = np.array([[0.1 + 0.2]])
        synthetic.save_csv(path, double, [1])
        assert path.read_bytes() == b"x,y\n0.30000000000000004,1\n"

    @pytest.mark.parametrize(
        ("x", "y", "error", "words"),
        [
            (np.zeros(3), np.zeros(3), ValueError, r"\(samples, coordinates\).*x.shape=\(3,\)"),
            (np.zeros((3, 1)), np.zeros((3, 1)), ValueError, r"y.shape=\(3, 1\)"),
            (np.zeros((3, 1)), np.zeros(2), ValueError, r"y.shape=\(2,\)"),
            (np.zeros((0, 1)), np.zeros(0), ValueError, r"x.shape=\(0, 1\)"),
            (np.zeros((3, 1)), ["a", "b", "c"], TypeError, "`y` must be an array of numbers"),
            (np.zeros((3, 1)), [True, False, True], TypeError, "`y` must be an array of numbers.*bool"),
            (np.zeros((3, 1), complex), np.zeros(3), TypeError, "`x` must be .* complex128"),
        ],
    )
    def test_bad_points_leave_the_file(self, tmp_path, x, y, error, words):
        path = tmp_path / "points.csv"
        path.write_text("kept")
        with pytest.raises(error, match=words):
            synthetic.save_csv(path, x, y)
        assert path.read_text() == "kept"
        assert os.listdir(tmp_path) == ["points.csv"]

    def test_no_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no folder"):
            synthetic.save_csv(tmp_path / "none" / "points.csv", *synthetic.polynomial())


class TestImages:
    @pytest.mark.parametrize(("channels", "size", "shapes"), [(1, 28, None), (3, 17, ["ring", "moon"])])
    def test_form_and_balance(self, channels, size, shapes):
        classes = len(shapes or pictures.SHAPES)
        for (x, y), samples in zip(synthetic.images(45, 16, size, shapes, channels), (45, 16)):
            assert x.shape == (samples, size, size, channels)
            assert (x.dtype, y.dtype) == (np.float32, np.int64)
            assert x.flags.c_contiguous
            assert x.min() >= 0
            assert x.max() <= 1
            check_even(y, classes)
            assert np.any(np.diff(y) < 0)

    def test_channels_first(self):
        last = synthetic.images(20, 10, channels=3)
        config.set_image_data_format("channels_first")
        try:
            first = synthetic.images(20, 10, channels=3)
        finally:
            config.set_image_data_format("channels_last")
        for (x, _), (transposed, _) in zip(last, first):
            assert np.array_equal(x.transpose(0, 3, 1, 2), transposed)

    @pytest.mark.parametrize(
        ("shape", "area"),
        [
            ("circle", np.pi),
            ("ring", np.pi * (1 - 0.5**2)),
            ("square", 2),
            ("bar", 4 * 0.96 * 0.28),
            ("cross", 8 * 0.96 * 0.28 - 4 * 0.28**2),
            ("triangle", 3 * 3**0.5 / 4),
            ("moon", None),
        ],
    )
    def test_shapes(self, shape, area):
        """Each lies within the unit circle, reaches its edge, and is as large as geometry says."""
        u, v = np.meshgrid(*[np.linspace(-1.2, 1.2, 2001)] * 2)
        inside = pictures.SHAPES[shape](u, v) < 0
        reach = np.hypot(u, v)[inside].max()
        assert reach == pytest.approx(1, abs=0.003)
        if area is None:  # circles of radius 1 and 0.8, whose overlap is that of Weisstein's formula
            d, r = 0.55, 0.8
            one = np.arccos((d**2 + 1 - r**2) / (2 * d))
            other = r**2 * np.arccos((d**2 + r**2 - 1) / (2 * d * r))
            root = np.sqrt((-d + r + 1) * (d + r - 1) * (d - r + 1) * (d + r + 1)) / 2
            area = np.pi - (one + other - root)
        assert inside.sum() * (2.4 / 2000) ** 2 == pytest.approx(area, rel=0.005)

    def test_drawing(self):
        """Without noise an image has two shades and their mixtures; ink is as much as the shape's area."""
        radius, centre = np.array([9.0, 6.0]), np.array([[12.0, 20.0], [14.0, 9.0]])
        for name, area in (("circle", np.pi), ("square", 2), ("triangle", 3 * 3**0.5 / 4)):
            ink = pictures._ink(pictures.SHAPES[name], radius, centre, np.array([0.3, 4.0]), 32)
            assert ink.min() == 0
            assert ink.max() == 1
            np.testing.assert_allclose(ink.sum(axis=(1, 2)), area * radius**2, rtol=0.03)
            rows, columns = np.indices((32, 32)) + 0.5
            np.testing.assert_allclose((ink * rows).sum(axis=(1, 2)) / ink.sum(axis=(1, 2)), centre[0], atol=0.1)
            np.testing.assert_allclose((ink * columns).sum(axis=(1, 2)) / ink.sum(axis=(1, 2)), centre[1], atol=0.1)

    def test_angle_turns_the_shape(self):
        bar = pictures.SHAPES["bar"]
        one, centre = np.array([8.0]), np.array([[10.0], [10.0]])
        flat, upright, slanted = (pictures._ink(bar, one, centre, np.array([a]), 20)[0] for a in (0, np.pi / 2, 0.5))
        np.testing.assert_allclose(upright, flat.T, atol=1e-12)
        rows, columns = np.indices((20, 20)) + 0.5 - 10
        moments = [(slanted * a * b).sum() for a, b in ((columns, columns), (rows, rows), (rows, columns))]
        assert np.arctan2(2 * moments[2], moments[0] - moments[1]) / 2 == pytest.approx(0.5, abs=0.02)

    def test_places_sizes_and_angles(self, monkeypatch):
        drawn, ink = [], pictures._ink
        monkeypatch.setattr(pictures, "_ink", lambda *arguments: drawn.append(arguments) or ink(*arguments))
        synthetic.images(3000, 7, size=20)
        radius, centre, angle = (np.concatenate([call[i].T for call in drawn]).T for i in (1, 2, 3))
        assert len(radius) == 3007
        for values in (radius / 20 / 0.2 - 1, *(centre - radius) / (20 - 2 * radius), angle / (2 * np.pi)):
            assert values.min() >= 0
            assert values.max() < 1
            np.testing.assert_allclose(np.histogram(values, 5, (0, 1))[0] / 3007, 0.2, atol=0.03)

    def test_each_channel_anew(self):
        (x, _), _ = synthetic.images(1000, 7, size=16, channels=3, noise=0)
        back = x[:, 0, 0]
        middle = x.reshape(1000, -1, 3) - back[:, None]
        difference = np.take_along_axis(middle, np.abs(middle).argmax(axis=1)[:, None], axis=1)[:, 0]
        for values in (back, difference, np.abs(difference)):
            correlation = np.corrcoef(values.T)
            assert np.abs(correlation - np.eye(3)).max() < 0.12

    @pytest.mark.parametrize("channels", [1, 3])
    def test_whole_shape_and_contrast(self, channels):
        (x, _), _ = synthetic.images(300, 7, channels=channels, noise=0, contrast=0.5)
        border = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
        corner = x[:, :1, 0]
        assert np.median(np.abs(border - corner)) == 0  # most of the border is behind the shape
        assert np.mean(np.abs(border - corner) > 1e-6) < 0.05
        difference = np.abs(x - corner[:, None]).max(axis=(1, 2))
        assert difference.min() > 0.5 - ROUNDING
        assert np.mean(difference) == pytest.approx(0.75, abs=0.05)
        lighter = (x - corner[:, None]).max(axis=(1, 2)) > 0.1
        assert lighter.mean() == pytest.approx(0.5, abs=0.1)

    def test_noise(self):
        (exact, _), _ = synthetic.images(100, 7, noise=0)
        (noisy, _), _ = synthetic.images(100, 7, noise=0.05)
        middle = (exact > 0.2) & (exact < 0.8)  # where nothing is clipped
        assert (noisy - exact)[middle].std() == pytest.approx(0.05, rel=0.05)

    def test_seeds(self):
        (x, y), (x_test, y_test) = synthetic.images(40, 20)
        for again in (synthetic.images(40, 20, seed=0), synthetic.images(40, 30), synthetic.images(50, 20)):
            same_train, same_test = len(again[0][0]) == 40, len(again[1][0]) == 20
            assert same_train == np.array_equal(again[0][0], x)
            assert same_test == np.array_equal(again[1][0], x_test)
            assert same_test == np.array_equal(again[1][1], y_test)
        assert not np.array_equal(synthetic.images(40, 20, seed=1)[0][0], x)
        assert not np.array_equal(x[:20], x_test)
        config.set_random_seed(2)
        first, second = (synthetic.images(20, 10, seed=None)[0][0] for _ in range(2))
        config.set_random_seed(2)
        assert np.array_equal(synthetic.images(20, 10, seed=None)[0][0], first)
        assert not np.array_equal(first, second)

    def test_blocks(self, monkeypatch):
        (x, _), _ = synthetic.images(40, 7)
        monkeypatch.setattr(pictures, "ROWS", 2)
        assert np.array_equal(synthetic.images(40, 7)[0][0], x)

    @pytest.mark.parametrize(
        ("kwargs", "words"),
        [
            ({"samples": 6}, "`samples` must be at least 7"),
            ({"test_samples": 6}, "`test_samples` must be at least 7"),
            ({"test_samples": 0}, "`test_samples`"),
            ({"size": 11}, "`size` must be an integer of at least 12.*size=11"),
            ({"shapes": "circle"}, "`shapes` must be a list of two or more.*shapes='circle'"),
            ({"shapes": ["circle"]}, "`shapes`"),
            ({"shapes": ["circle", "circle"]}, "`shapes`"),
            ({"shapes": ["circle", "heart"]}, "names of circle, square.*'heart'"),
            ({"shapes": 7}, "`shapes` must be a list.*shapes=7"),
            ({"shapes": ["circle", ["ring"]]}, "`shapes` must be a list"),
            ({"channels": 2}, "`channels` must be 1 .* or 3"),
            ({"channels": True}, "`channels` .*True"),
            ({"noise": -1}, "`noise`"),
            ({"contrast": 1.5}, "`contrast` must be a number from 0 to 1[.] .*contrast=1.5"),
            ({"seed": -1}, "`seed`"),
        ],
    )
    def test_bad_arguments(self, kwargs, words):
        with pytest.raises(ValueError, match=words):
            synthetic.images(**kwargs)


def convolution(filters, size, strides=1):
    convolve = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)
    return convolve, layers.BatchNormalization(momentum=0.9), layers.Activation("relu")


class TestLearning:
    """A small network learns each of them: what is there to be learned, the labels tell."""

    @pytest.mark.parametrize(
        ("name", "accuracy"), [("spiral", 0.95), ("circle", 0.95), ("line", 0.97), ("zone", 0.95), ("zone_3d", 0.93)]
    )
    def test_points(self, name, accuracy):
        x, y = getattr(synthetic, name)()
        keras.utils.set_random_seed(0)
        hidden = [layers.Dense(32, activation="tanh") for _ in range(2)]
        model = keras.Sequential([*hidden, layers.Dense(y.max() + 1, activation="softmax")])
        model.compile("adam", "scce", metrics=["accuracy"], input_shape=x.shape[1:], learning_rate=0.01)
        cut = len(x) * 4 // 5
        model.fit(x[:cut], y[:cut], epochs=50, verbose=0)
        assert model.evaluate(x[cut:], y[cut:], verbose=0)[1] > accuracy

    def test_a_line_is_enough_for_the_line_only(self):
        reached = {}
        for name in ("line", "zone", "circle"):
            x, y = getattr(synthetic, name)()
            keras.utils.set_random_seed(0)
            model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
            model.compile("adam", "bce", metrics=["accuracy"], input_shape=(2,), learning_rate=0.1)
            model.fit(x, y, epochs=20, verbose=0)
            reached[name] = model.evaluate(x, y, verbose=0)[1]
        assert reached["line"] > 0.98
        assert reached["zone"] < 0.7
        assert reached["circle"] < 0.7

    def test_images(self):
        (x_train, y_train), (x_test, y_test) = synthetic.images()
        keras.utils.set_random_seed(0)
        model = keras.Sequential([
            *convolution(16, 5, strides=2), *convolution(32, 3), layers.MaxPooling2D(2), *convolution(64, 3),
            layers.GlobalMaxPooling2D(), layers.Dense(7, activation="softmax"),
        ])  # fmt: skip
        model.compile("adam", "scce", metrics=["accuracy"], input_shape=(28, 28, 1), learning_rate=0.005)
        model.fit(x_train, y_train, epochs=6, verbose=0)
        assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.9
