"""Model cards: the figures are right, and what a card says can be read again."""


import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
import model_card
from minikeras import layers

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(pathlib.Path(model_card.__file__).parent.parent)}
NAMES = ["cat", "dog", "ship"]


class Fixed:
    """A model that puts out what it was told to."""

    def __init__(self, outputs):
        self.outputs = np.array(outputs, "float32")

    def predict(self, x, batch_size=32, verbose="auto"):
        assert len(x) == len(self.outputs)
        return self.outputs


# 0 right, 0 as 2, 1 right, 1 right, 1 as 0, 2 right
PROBABILITIES = [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.1, 0.9, 0], [0.25, 0.5, 0.25], [1, 0, 0], [0.25, 0.25, 0.5]]
LABELS = np.array([0, 0, 1, 1, 1, 2])
CONFUSION = [[1, 0, 1], [1, 2, 0], [0, 0, 1]]
CROSS_ENTROPY = -np.log([0.8, 0.2, 0.9, 0.5, 1e-7, 0.5]).mean()


@pytest.mark.parametrize(
    "successes, count, expected",
    [
        # R. G. Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (20, 20, (0.8389, 1.0)),
    ],
)
def test_wilson_interval(successes, count, expected):
    assert model_card.wilson_interval(successes, count) == pytest.approx(expected, abs=5e-5)


def test_wilson_interval_solves_its_equation():
    """Its ends are where the observed share is z standard deviations of the true one away: Wilson's definition."""
    for end in model_card.wilson_interval(9953, 10000):
        assert abs(0.9953 - end) == pytest.approx(1.959964 * (end * (1 - end) / 10000) ** 0.5, rel=1e-9)


def test_wilson_interval_stays_in_range():
    ends = [model_card.wilson_interval(k, n) for n in range(1, 200) for k in (0, n)]
    assert 0 <= min(lower for lower, _ in ends)
    assert max(upper for _, upper in ends) <= 1


@pytest.mark.parametrize("successes, count", [(0, 0), (3, 2), (-1, 2)])
def test_wilson_interval_of_nothing(successes, count):
    with pytest.raises(ValueError, match=f"successes={successes}, count={count}"):
        model_card.wilson_interval(successes, count)


class TestMeasure:
    @pytest.mark.parametrize("form", ["probabilities", "logits", "large logits", "logits that sum to 1"])
    def test_by_hand(self, form):
        outputs = np.array(PROBABILITIES)
        if "logits" in form:
            outputs = np.log(np.maximum(outputs, 1e-12))
        if form == "large logits":  # exp(1000) is infinite
            outputs += 1000
        if form == "logits that sum to 1":
            outputs += (1 - outputs.sum(axis=1, keepdims=True)) / 3
        measures = model_card.measure(Fixed(outputs), np.zeros((6, 4)), LABELS[:, None].astype("uint8"), NAMES)
        assert measures.confusion.tolist() == CONFUSION
        assert measures.cross_entropy == pytest.approx(CROSS_ENTROPY, rel=1e-5)
        assert (measures.count, measures.errors, measures.accuracy) == (6, 2, pytest.approx(4 / 6))
        assert measures.interval == model_card.wilson_interval(4, 6)
        assert measures.class_counts.tolist() == [2, 3, 1]
        assert measures.class_accuracy.tolist() == pytest.approx([1 / 2, 2 / 3, 1])

    def test_class_without_images(self):
        measures = model_card.measure(Fixed(PROBABILITIES[:5]), np.zeros((5, 4)), LABELS[:5], NAMES)
        assert np.isnan(measures.class_accuracy[2])
        assert "nan" in model_card._classes(measures)

    def test_is_what_evaluate_says(self):
        (x, y), _ = keras.datasets.digits.load_data()
        keras.utils.set_random_seed(0)
        model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=2, verbose=0)
        loss, accuracy = model.evaluate(x, y, verbose=0)
        measures = model_card.measure(model, x, y, list("0123456789"))
        assert measures.accuracy == pytest.approx(accuracy, rel=1e-6)
        assert measures.cross_entropy == pytest.approx(loss, rel=1e-4)

    @pytest.mark.parametrize(
        "outputs, labels, message",
        [
            (PROBABILITIES, LABELS[:5], "equally long, and not empty. Received: 6 and 5"),
            (PROBABILITIES, LABELS + 1, "from 0 to 2.*from 1 to 3"),
            (PROBABILITIES, LABELS - 1, "from 0 to 2.*from -1 to 1"),
            (PROBABILITIES, LABELS / 1, "whole numbers.*float64"),
            (np.ones((6, 4)), LABELS, r"of shape \(6, 3\). Received shape \(6, 4\)"),
            (np.full((6, 3), np.nan), LABELS, "18 numbers not finite"),
        ],
    )
    def test_bad_arguments(self, outputs, labels, message):
        with pytest.raises(ValueError, match=message):
            model_card.measure(Fixed(outputs), np.zeros((6, 4)), labels, NAMES)


def test_print_measures(capsys):
    model_card.print_measures(model_card.Measures(NAMES, np.array(CONFUSION) * 1000, 0.5))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("accuracy 66.67 % (95 %: 65.46 to 67.85 %), 2,000 errors in 6,000 images, cross-entropy")
    assert lines[1].split() == ["true", "accuracy", "predicted", "cat", "/", "dog", "/", "ship"]
    assert lines[3].split() == ["dog", "66.67", "%", "1000", "2000", "0"]
    assert len(lines) == 5


@pytest.mark.parametrize(
    "seconds, text", [(34.4, "34 s"), (119, "119 s"), (120, "2 min"), (7100, "118 min"), (8800, "2.4 h")]
)
def test_duration(seconds, text):
    assert model_card._duration(seconds) == text


def test_digest_tells_arrays_apart():
    x = np.arange(6, dtype="uint8")
    others = [(x, x), (x.reshape(2, 3),), (x.view("int8"),), (x[::-1],), (np.minimum(x, 4),)]
    assert len({model_card.digest(*arrays) for arrays in [(x,), *others]}) == 6
    assert model_card.digest(x) == model_card.digest(np.repeat(x, 2)[::2])


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [layers.Input((4, 4, 1)), layers.Conv2D(200, 3, name="stem"), layers.BatchNormalization(name="norm"),
         layers.Flatten(name="flat"), layers.Dense(3, name="top")]
    )  # fmt: skip


MEASURES = {
    "validation": model_card.Measures(NAMES, np.array([[2, 0, 0], [0, 2, 0], [0, 1, 1]]), 0.25),
    "test": model_card.Measures(NAMES, np.array(CONFUSION) * 1000, 0.123456),
}
FACTS = model_card.Facts(
    about="A small network.",
    usage='keras.applications.Small(weights="made")',
    data="Made-up images, CC0.",
    test_digest="ab" * 32,
    recipe="Adam, no augmentation.",
    commands=["python examples/train_small.py --seed 1234"],
    seeds=[1234],
    epochs=40,
    seconds=4000,
    machine="1 thread of an x86-64 CPU",
    test_looks="once, after all choices were made",
    limits=["Knows three things.", "Only small ones."],
)


class TestCard:
    @pytest.fixture
    def card(self, model, tmp_path):
        pytest.importorskip("h5py")
        pytest.importorskip("matplotlib")
        model.save_weights(tmp_path / "small.weights.h5")
        model_card.write_card(tmp_path, "small", "Small", model, MEASURES, FACTS)
        return tmp_path / "small.md"

    def test_says_what_it_should(self, card, model):
        size = (card.parent / "small.weights.h5").stat().st_size
        text = card.read_text(encoding="utf-8")
        for part in [
            "# Small\n", "A small network.", "Made-up images, CC0.", "`" + "ab" * 32 + "`", "Adam, no augmentation.",
            'model = keras.applications.Small(weights="made")', "`python examples/train_small.py --seed 1234`",
            "| seed | 1234 |", "| epochs | 40 |", "67 min on 1 thread of an x86-64 CPU", "![Confusion", "(small.png)",
            f"minikeras {keras.__version__}, NumPy {np.__version__}", "looked at once, after all choices were made.",
            "- Knows three things.\n- Only small ones.\n", f"`small.weights.h5`, {size:,} bytes",
            "| validation | 6 | 1 | 83.33 % | 43.65 to 96.99 % | 0.2500 |",
            "| test | 6,000 | 2,000 | 66.67 % | 65.46 to 67.85 % | 0.1235 |",
            "| dog | 3,000 | 2,000 | 66.67 % | 64.96 to 68.33 % |", "| dog | 1,000 | 2,000 | 0 |",
            "| stem | Conv2D | (None, 2, 2, 200) | 2,000 |", f"{model.count_params():,}, of which 4,803 are trained",
        ]:  # fmt: skip
            assert part in text, part
        assert not {"{", "}"} & set(text)

    def test_tables_have_equal_rows(self, card):
        for block in card.read_text(encoding="utf-8").split("\n\n"):
            if block.startswith("|"):
                assert len({line.count("|") for line in block.splitlines()}) == 1

    def test_picture(self, card):
        with pytest.importorskip("PIL.Image").open(card.parent / "small.png") as image:
            assert min(image.size) > 250

    def test_can_be_read(self, card, model):
        read = model_card.read_card(card)
        assert read["test"].class_names == NAMES
        assert np.array_equal(read["test"].confusion, MEASURES["test"].confusion)
        assert read["test"].cross_entropy == 0.1235
        assert (read["title"], read["weights"]) == ("Small", model.count_params())
        assert read["test_digest"] == FACTS.test_digest
        assert read["file_digest"] == model_card.file_digest(card.parent / "small.weights.h5")

    def test_leaves_nothing_beside_it(self, card):
        assert sorted(path.name for path in card.parent.iterdir()) == ["small.md", "small.png", "small.weights.h5"]

    def test_index(self, card, model):
        """The table of the folder's README is renewed, and nothing else of it."""
        readme = card.parent / "README.md"
        readme.write_text("# Here\n\n| network | old |\n| --- | --- |\n| gone | 1 |\n\n| other | table |\n")
        subprocess.run([sys.executable, model_card.__file__, card.parent], check=True, env=ENVIRONMENT)
        size = (card.parent / "small.weights.h5").stat().st_size
        assert readme.read_text() == (
            "# Here\n\n| network | weights | bytes | test accuracy | 95 % interval | errors | images |\n"
            "| --- | --: | --: | --- | --- | --: | --: |\n"
            f"| [Small](small.md) | {model.count_params():,} | {size:,} | "
            "66.67 % | 65.46 to 67.85 % | 2,000 | 6,000 |\n"
            "\n| other | table |\n"
        )

    def test_index_of_a_page_without_a_table(self, card):
        (card.parent / "README.md").write_text("# Here\n")
        with pytest.raises(ValueError, match=r"README.md has no table that begins with '\| network \|'"):
            model_card.write_index(card.parent)

    def test_without_weights_nothing_is_written(self, model, tmp_path):
        with pytest.raises(FileNotFoundError, match="small.weights.h5"):
            model_card.write_card(tmp_path, "small", "Small", model, MEASURES, FACTS)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "old, new",
        [
            ("true \\ predicted", "confusion"),
            ("| dog | 1,000", "| dog | many"),
            ("| test |", "| tests |"),
            ("SHA-256", "MD5"),
            ("| 1,000 | 0 |", "| 1,000 |"),
        ],
    )
    def test_another_page_is_refused(self, card, old, new):
        card.write_text(card.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        with pytest.raises(ValueError, match="no model card"):
            model_card.read_card(card)
