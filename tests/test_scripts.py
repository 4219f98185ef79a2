"""Keras scripts as tutorials of all ages write them, unchanged, by `minikeras run`: each finds its own result good."""

import os
import pathlib
import random
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from script_data import place

import minikeras as keras
from minikeras.legacy import warning
from minikeras.run import run_script

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "tests" / "scripts").glob("*.py"))

# Scripts with spellings of Keras 1 and 2: what is warned of, each once. All others run without a warning.
OLD_SPELLINGS = {
    "keras1_diabetes_mlp": [
        "layers.normalization", "`activity_l2`", "`mode` of BatchNormalization", "`init`", "`W_regularizer`", "`p` of",
        "`bias`", "`nb_epoch`",
    ],
    "keras1_imdb_lstm": [
        "layers.embeddings", "layers.recurrent", "`nb_words`", "`inner_activation`", "`dropout_W`", "`dropout_U`",
        "`nb_epoch`",
    ],
    "keras1_mnist_cnn": [
        "`Dropout`", "`Flatten`", "layers.convolutional", "np_utils", "`image_dim_ordering()`", "`kernel_size`",
        "`border_mode`", "`subsample`", "`init`", "`lr`", "`nb_epoch`", "`predict_classes(x)`",
    ],
    "keras1_xor": ["`init`", "`output_dim`", "`lr`", "`nb_epoch`", "`predict_proba(x)`", "`predict_classes(x)`"],
    "keras2_addition_rnn": ["`lr`"],
    "keras2_cifar10_augmentation": [
        "layers.normalization", "layers.advanced_activations", "`alpha`", "`lr`", "`decay`", "`fit_generator(",
    ],
    "keras2_gan": ["frozen after it was compiled"],
    "keras2_image_folders": ["`fit_generator(", "`evaluate_generator("],
    "keras2_mnist_irnn": ["`lr`"],
    "keras2_sequence_generator": ["`fit_generator(", "`evaluate_generator("],
    "keras2_stateful_lstm": ["`optimizer.lr`", "reset_states"],
    "keras2_text_generation": ["`lr`"],
}  # fmt: skip

# What some print at their end.
ENDINGS = {
    "keras1_mnist_cnn": r"Test accuracy: 0\.\d+\nWrong: \d+ of 360\n$",
    "keras1_xor": r"\[\[0\]\n \[1\]\n \[1\]\n \[0\]\]\nloss: 0\.0\d+\n$",
    "keras2_mnist_mlp": r"Total params: 118,282 \(462\.04 KB\)\n(.|\n)* - val_loss: 0(.|\n)*Test accuracy: 0\.\d+\n$",
    "keras2_text_generation": r"\nthe quick brown fox jumps over the lazy dog\. pack my\n$",
    "keras3_custom_callbacks": r"Epoch 14: Learning rate is 0\.003\d*\.\n(.|\n)*early stopping\ntest error: 0\.\d+",
    "keras3_denoising_autoencoder": r"error before: 0\.08\d+, after: 0\.0\d+\n(.|\n)*codes: \(360, 7, 7, 16\)\n$",
    "tfkeras_housing_kfold": r"processing fold # 3\nepoch 1 mae \d+\.\d\d\n(.|\n)*test mae: \d\.\d\d, that of the mean",
}


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory):
    """The folder of the data sets, where all loaders find them."""
    folder = tmp_path_factory.mktemp("data_sets")
    with pytest.MonkeyPatch.context() as patch:
        place(folder, patch)
        yield folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder and a seed, for a script that brings neither; NumPy's and Python's own are put back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warning, "_said", set())
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    keras.utils.set_random_seed(1)
    yield tmp_path
    np.random.set_state(states[0])  # noqa: NPY002
    random.setstate(states[1])


def test_there_are_scripts():
    assert len(SCRIPTS) >= 20
    assert {*OLD_SPELLINGS, *ENDINGS} <= {path.stem for path in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_do_not_know_minikeras(path):
    text = path.read_text(encoding="utf-8")
    assert "minikeras" not in text
    assert re.search(r"^(import|from) (tensorflow|keras)\b", text, re.MULTILINE)
    assert re.search(r"^assert ", text, re.MULTILINE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path, data_sets, here, capsys):
    if "PIL" in path.read_text(encoding="utf-8"):
        pytest.importorskip("PIL")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        status = run_script(path)
    output, errors = capsys.readouterr()
    assert (status, errors) == (0, ""), output[-1000:] + errors
    messages = [str(entry.message) for entry in caught]
    old = OLD_SPELLINGS.get(path.stem, [])
    assert {spelling: sum(message.count(spelling) for message in messages) for spelling in old} == dict.fromkeys(old, 1)
    assert sum(len(message.split(". `")) for message in messages) == len(old), messages
    assert all(entry.category is DeprecationWarning and entry.filename == str(path) for entry in caught)
    assert re.search(ENDINGS.get(path.stem, r"\S\n$"), output), output[-1000:]


@pytest.mark.parametrize("name, ending", [
    ("keras1_imdb_lstm", r"Test accuracy: (0\.[89]\d*|1\.0)\n$"), ("keras3_timeseries_classification", r"Test loss"),
])  # fmt: skip
def test_script_in_a_process_of_its_own(name, ending, data_sets, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "minikeras", "run", str(ROOT / "tests" / "scripts" / f"{name}.py")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=100,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-1000:] + result.stderr
    assert re.search(ending, result.stdout)
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_finds_its_result_bad_fails(here, capsys):
    """Learning that is broken is noticed: here because the learning rate is next to nothing."""
    text = (ROOT / "tests" / "scripts" / "keras1_xor.py").read_text(encoding="utf-8")
    (here / "script.py").write_text(text.replace("lr=0.5", "lr=1e-9"), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run_script("script.py") == 1
    assert "assert loss < 0.1" in capsys.readouterr().err
