"""examples/draw_pictures.py draws the pictures that the README shows."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHOWN = re.findall(r"\]\(docs/images/([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_pictures_are_small_and_all_shown():
    there = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    assert sorted(SHOWN) == sorted(there)
    assert max(there.values()) < 60_000


def test_draw_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    result = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "draw_pictures.py"), str(tmp_path / "new")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(SHOWN)
    for path in (tmp_path / "new").iterdir():
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
