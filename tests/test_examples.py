"""Each example runs through, without a warning, and finds its own result good."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Not run here as they are: what the others import, what needs MNIST, CIFAR-10 or what was trained on them, and what
# needs matplotlib. Tests of their own name them.
ELSEWHERE = {
    "model_card", "resumable", "evaluate_pretrained", "train_lenet", "train_small_cifar", "draw_pictures",
    "fine_tune",
}  # fmt: skip
FOUND = sorted((ROOT / "examples").glob("*.py"))
EXAMPLES = [path for path in FOUND if path.stem not in ELSEWHERE]


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


def test_all_are_listed():
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in FOUND if f"[{path.name}]({path.name})" not in listed]
    assert not missing, f"examples/README.md needs a line for {missing}: the idea, the data it needs, how long it takes"


@pytest.mark.parametrize("name", [path.stem for path in FOUND if path.stem in ELSEWHERE])
def test_is_tested_elsewhere(name):
    others = set((ROOT / "tests").glob("test_*.py")) - {pathlib.Path(__file__).resolve()}
    assert any(name in path.read_text(encoding="utf-8") for path in others)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, tmp_path_factory):
    # Offline, and with no data set in the cache: the same here as anywhere else.
    nowhere = {"MINIKERAS_HOME": str(tmp_path_factory.mktemp("home")), "https_proxy": "http://127.0.0.1:9"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **nowhere}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    assert "assert" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []  # an example leaves nothing lying about
