"""What is shipped in trained_models/: whole, described, within its limits, and as good as the pages beside it say."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import evaluate_pretrained
import pytest

import minikeras as keras
import model_card

FOLDER = pathlib.Path(keras.trained_models.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LIMITS = {  # weights, bytes, test accuracy
    "lenet5": (70_000, 300_000, 0.995),
    "small_cifar": (485_000, 2_000_000, 0.9),
}


@pytest.fixture(params=evaluate_pretrained.NETWORKS)
def network(request):
    network = evaluate_pretrained.NETWORKS[request.param]
    network.limits = LIMITS[request.param]
    return network


def test_each_file_has_its_card_and_picture():
    names = {path.name.removesuffix(".weights.h5") for path in FOLDER.glob("*.h5")}
    for ending in (".md", ".png"):
        assert {path.stem for path in FOLDER.glob(f"*{ending}")} - {"README"} == names
    assert names == {network.file_name for network in evaluate_pretrained.NETWORKS.values()}


def test_limits(network):
    weights, size, accuracy = network.limits
    file = FOLDER / f"{network.file_name}.weights.h5"
    assert file.stat().st_size <= size
    assert (FOLDER / f"{network.file_name}.png").stat().st_size < 60_000
    pytest.importorskip("h5py")
    assert network.make(weights=network.weights).count_params() <= weights
    assert model_card.read_card(FOLDER / f"{network.file_name}.md")["test"].accuracy >= accuracy


def test_card_is_of_this_file(network):
    card = model_card.read_card(FOLDER / f"{network.file_name}.md")
    assert card["file_digest"] == model_card.file_digest(FOLDER / f"{network.file_name}.weights.h5")
    assert card["test"].count == 10_000
    assert card["test"].class_names == list(network.module.NETWORK.labels)
    text = (FOLDER / f"{network.file_name}.md").read_text(encoding="utf-8")
    assert f"]({network.file_name}.png)" in text
    assert f'keras.applications.{network.make.__name__}(weights="{network.weights}")' in text
    assert model_card.describe(card["test"]).split()[1] + " %" in text  # the figures agree with the counts


def test_nothing_of_the_machine(network):
    """No paths of the machine that it was trained on."""
    text = (FOLDER / f"{network.file_name}.md").read_text(encoding="utf-8")
    assert not re.findall(r"(?<![\w.:/])/\w+/[\w/.]*|\w:\\\w+", text)


def test_the_file_holds_weights_only(network):
    h5py = pytest.importorskip("h5py")
    with h5py.File(FOLDER / f"{network.file_name}.weights.h5", "r") as file:
        assert "optimizer" not in file
        datasets = []
        file.visititems(lambda name, item: datasets.append(item) if isinstance(item, h5py.Dataset) else None)
        assert all(dataset.compression is None and dataset.external is None for dataset in datasets)
        assert sum(dataset.size for dataset in datasets) == network.make(weights=None).count_params()


def test_readme_has_the_figures(tmp_path):
    """`python examples/model_card.py trained_models` renews them."""
    shutil.copytree(FOLDER, tmp_path / "copy")
    model_card.write_index(tmp_path / "copy")
    assert (tmp_path / "copy" / "README.md").read_text(encoding="utf-8") == README


def test_lenet_reads_other_peoples_digits(capsys):
    """Needs no download: digits of other writers, of 8x8 pixels."""
    pytest.importorskip("h5py")
    measures = evaluate_pretrained.read_embedded_digits()
    assert measures.count == 1797
    assert measures.accuracy > 0.95
    assert model_card.describe(measures) in capsys.readouterr().out


def test_fine_tune(tmp_path):
    """The example, which checks its own result."""
    pytest.importorskip("h5py")
    root = pathlib.Path(evaluate_pretrained.__file__).parent.parent
    result = subprocess.run(
        [sys.executable, "-W", "error", str(root / "examples" / "fine_tune.py")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    assert result.stdout.count("%") == 3
    assert list(tmp_path.iterdir()) == []
