"""What setup.cfg says about the package is true."""

import configparser
import fnmatch
import pathlib
import re
import subprocess
import sys

import minikeras

ROOT = pathlib.Path(__file__).resolve().parent.parent


def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text):
    return [line for line in text.strip().splitlines() if line]


def test_every_package_is_listed():
    folders = {path.parent for path in (ROOT / "minikeras").rglob("*.py") if "__pycache__" not in path.parts}
    packages = {".".join(path.relative_to(ROOT).parts) for path in folders}
    packages |= {"minikeras.applications", "minikeras.trained_models"}
    assert set(lines(setup_cfg()["options"]["packages"])) == packages


def test_all_holds_the_optional_extras():
    extras = setup_cfg()["options.extras_require"]
    wanted = lines(extras["image"]) + lines(extras["plot"]) + lines(extras["cli"])
    assert sorted(lines(extras["all"])) == sorted(wanted)


def test_trained_models_are_installed_whole():
    """setup.cfg names all kinds of files that lie in trained_models/."""
    patterns = setup_cfg()["options.package_data"]["minikeras.trained_models"].split(", ")
    files = [path for path in (ROOT / "trained_models").iterdir() if path.is_file() and path.suffix != ".py"]
    assert files
    for name in [path.name for path in files] + ["net_data.weights.h5", "net_data.md", "net_data.png"]:
        assert any(fnmatch.fnmatch(name, pattern) for pattern in patterns), name


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", minikeras.__version__)
    assert setup_cfg()["metadata"]["version"] == "attr: minikeras.version.__version__"
    assert f"## {minikeras.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def run(code, cwd):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60
    )


def test_a_plain_checkout_has_the_applications():
    code = "import minikeras.applications, minikeras.trained_models; print(minikeras.applications.__file__)"
    result = run(code, ROOT)
    assert result.returncode == 0, result.stderr
    assert pathlib.Path(result.stdout.strip()).name == "__init__.py"


def test_import_is_light():
    heavy = "h5py tqdm json logging argparse concurrent.futures urllib.request matplotlib PIL sklearn numpy.random"
    code = (
        "import sys, numpy; before = set(sys.modules); import minikeras; "
        f"print(*[m for m in '{heavy}'.split() if m in sys.modules and m not in before])"
    )
    result = run(code, ROOT)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""
