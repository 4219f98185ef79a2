"""The code in the documents runs, without a warning."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def blocks(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


README = blocks("README.md")


def run(code, folder):
    """Run ``code`` in an empty folder, as a user who copied it would."""
    path = folder / "block.py"
    path.write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.mark.parametrize("code", README, ids=range(len(README)))
def test_readme(code, tmp_path):
    if "visualization" in code:
        pytest.importorskip("matplotlib")
    run(code, tmp_path)


def test_the_first_example_does_what_it_says(tmp_path):
    output = run(README[0], tmp_path)
    assert "Trainable params: 61,706" in output
    assert (tmp_path / "lenet.weights.h5").exists()


def test_contributing(tmp_path):
    """Its blocks follow from each other."""
    code = blocks("CONTRIBUTING.md")
    assert len(code) >= 2
    run("\n".join(code), tmp_path)


@pytest.mark.parametrize("document", [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "docs/keras_compatibility.md",
    "examples/README.md",
])  # fmt: skip
def test_links(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert ((ROOT / document).parent / target).exists(), f"{document} links to {target}"
