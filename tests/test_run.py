"""`minikeras run`: tiny scripts, run in this process and in their own."""

import os
import pathlib
import subprocess
import sys

import pytest

import minikeras
from minikeras import cli
from minikeras.run import KERAS_VERSION, run_script

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Return a function that writes a script, or a module beside it, in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="script.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def process(*arguments, options=()):
    return subprocess.run(
        [sys.executable, *options, "-m", "minikeras", "run", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip


IMPORTS = [
    "import keras; assert keras is m",
    "import keras.layers; assert keras.layers is m.layers",
    "import keras.layers as L; assert L is m.layers",
    "from keras import layers; assert layers is m.layers",
    "from keras.layers import Dense, Conv2D; assert Dense is m.layers.Dense",
    "from keras.models import Sequential; assert Sequential is m.Sequential",
    "from keras.datasets import mnist; assert mnist is m.datasets.mnist",
    "from keras.preprocessing.image import ImageDataGenerator as G; assert G.__module__.startswith('minikeras.')",
    "import keras.datasets.mnist; assert keras.datasets.mnist is m.datasets.mnist",
    "from keras.optimizers.schedules import CosineDecay; assert CosineDecay is m.optimizers.schedules.CosineDecay",
    "from tensorflow import keras; assert keras is m",
    "import tensorflow as tf; assert tf.keras.layers is m.layers",
    "import tensorflow.keras; assert tensorflow.keras is m",
    "import tensorflow.keras as k; assert k is m",
    "import tensorflow.keras.layers as L; assert L is m.layers",
    "from tensorflow.keras import layers; assert layers is m.layers",
    "from tensorflow.keras.layers import Dense; assert Dense is m.layers.Dense",
    "from tensorflow.keras.datasets import mnist; assert mnist is m.datasets.mnist",
    "from tensorflow.python.keras.layers import Dense; assert Dense is m.layers.Dense",
    "import tensorflow.compat.v1.keras.layers as L; assert L is m.layers",
    "import importlib; assert importlib.import_module('keras.layers') is m.layers",
    "import importlib.util; assert importlib.util.find_spec('keras') and importlib.util.find_spec('tensorflow')",
    "from keras.layers import *; assert Dense is m.layers.Dense",
]


@pytest.mark.parametrize("line", IMPORTS)
def test_import(script, line, capsys):
    assert run_script(script(f"import minikeras as m\n{line}\n")) == 0, capsys.readouterr().err


REFUSALS = {  # script: what is missing, the line, a word of the reason
    "import keras\nfrom keras.layers import Dense, Concatenate\n": ("keras.layers.Concatenate", 2, "several inputs"),
    "from tensorflow.keras.layers import (\n    Dense,\n    Add,\n)\n": ("tensorflow.keras.layers.Add", 3, "inputs"),
    "import tensorflow as tf\n\nx = tf.keras.layers.Add()\n": ("tensorflow.keras.layers.Add", 3, "several inputs"),
    "import keras.layers as L\nL.Attention\n": ("keras.layers.Attention", 2, "several inputs"),
    "from keras import layers\nlayers.Dens(3)\n": ("keras.layers.Dens", 2, "Did you mean keras.layers.Dense?"),
    "from keras import ops\n": ("keras.ops", 1, "NumPy"),
    "import keras.ops\n": ("keras.ops", 1, "NumPy"),
    "from keras.ops import relu\n": ("keras.ops", 1, "NumPy"),
    "from keras.src.layers import Dense\n": ("keras.src", 1, "private"),
    "from keras.applications import ResNet50\n": ("keras.applications.ResNet50", 1, "LeNet5"),
    "from keras.applications.resnet50 import ResNet50\n": ("keras.applications.resnet50", 1, "LeNet5"),
    "import tensorflow as tf\ntf.constant(1)\n": ("tensorflow.constant", 2, "arrays of NumPy"),
    "import tensorflow as tf\nx = [\n  tf.data.Dataset,\n]\n": ("tensorflow.data", 3, "PyDataset"),
    "from tensorflow import GradientTape\n": ("tensorflow.GradientTape", 1, "derived automatically"),
    "import tensorflow.data\n": ("tensorflow.data", 1, "PyDataset"),
    "import tensorflow as tf\n@tf.function\ndef f(): pass\n": ("tensorflow.function", 2, "decorator"),
    "import tensorflow as tf\ntf.frobnicate\n": ("tensorflow.frobnicate", 2, "only its tf.keras"),
    "import keras\nname = 'Conv4D'\ngetattr(keras.layers, name)\n": ("keras.layers.Conv4D", 3, "keras.layers.Conv"),
    "import keras\nkeras.Sequential().quantize('int8')\n": ("Sequential.quantize", 2, ""),
}


@pytest.mark.parametrize("text", REFUSALS, ids=lambda text: text.strip().splitlines()[-1])
def test_refusal(script, text, capsys):
    name, line, reason = REFUSALS[text]
    assert run_script(script(text)) == 3
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == f"minikeras run: {name} is not in minikeras"
    assert lines[1] == f"  script.py, line {line}: {text.splitlines()[line - 1].strip()}"
    assert reason in "".join(lines[2:])
    assert len(lines) <= 3
    assert out == ""


def test_everything_is_put_back(script, capsys):
    script("value = 1\n", "beside.py")
    path = script(
        "import sys, warnings, keras, tensorflow, beside\nwarnings.simplefilter('ignore')\nimport keras.layers.core\n"
        "keras.config.set_floatx('float64')\nsys.path.append('x')\nsys.argv.append('y')\n"
        "sys.excepthook = None\nkeras.layers.Dense(1)\n"
    )
    run_script(path)  # what is imported for the first time stays

    def state():
        return (
            sys.modules.copy(), sys.meta_path.copy(), sys.argv.copy(), sys.path.copy(), sys.excepthook,
            minikeras.__version__, minikeras.config.floatx(), vars(minikeras.layers).copy(),
        )  # fmt: skip

    before = state()
    assert run_script(path) == 0, capsys.readouterr().err
    assert state() == before
    assert "beside" not in sys.modules


def test_the_script_is_main(script, capsys):
    path = script(
        "import sys, pickle\nclass A: pass\nassert __name__ == '__main__' and sys.modules['__main__'].A is A\n"
        "assert type(pickle.loads(pickle.dumps(A()))) is A\nprint(sys.argv, __file__, sys.path[0])\n",
    )
    here = os.getcwd()
    assert run_script(path, ["-x", 3]) == 0
    assert capsys.readouterr().out.strip() == f"{['script.py', '-x', '3']} {here}/script.py {os.path.realpath(here)}"


def test_command(script):
    path = script("import sys, keras\nprint(sys.argv[1:], keras.__version__)\nsys.exit(7)\n")
    result = process(path, "-h", "--", "--epochs", "3", "run")
    assert (result.returncode, result.stderr) == (7, "")
    assert result.stdout == f"{['-h', '--', '--epochs', '3', 'run']} {KERAS_VERSION}\n"


def test_command_in_process(script, capsys):
    assert cli.main(["run", script("import sys\nsys.exit(len(sys.argv))\n"), "a", "b"]) == 3
    assert cli.main(["run", script("raise SystemExit('goodbye')")]) == 1
    assert capsys.readouterr().err == "goodbye\n"
