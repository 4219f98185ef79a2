"""`minikeras run`: tiny scripts, run in this process and in their own."""

import importlib
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import types
import warnings

import pytest
from compatibility import LEFT_OUT

import minikeras
from minikeras import cli, registry
from minikeras.legacy import OLD_MODULES, warning
from minikeras.run import KERAS_VERSION, run_script
from minikeras.run.reasons import REASONS

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Return a function that writes a script, or a module beside it, in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="script.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
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
    "from keras import tree\n": ("keras.tree", 1, "tracing graphs"),
    "import keras.tree\n": ("keras.tree", 1, "tracing graphs"),
    "from keras.tree import relu\n": ("keras.tree", 1, "tracing graphs"),
    "from keras.ops import cond\n": ("keras.ops.cond", 1, "use NumPy"),
    "from keras import ops\nops.scatter\n": ("keras.ops.scatter", 2, "use NumPy"),
    "from keras.src.layers import Dense\n": ("keras.src", 1, "private"),
    "from keras.applications import ResNet50\n": ("keras.applications.ResNet50", 1, "LeNet5"),
    "from keras.applications.resnet50 import ResNet50\n": ("keras.applications.resnet50", 1, "LeNet5"),
    "import tensorflow as tf\ntf.constant(1)\n": ("tensorflow.constant", 2, "arrays of NumPy"),
    "import tensorflow as tf\nx = [\n  tf.data.Dataset,\n]\n": ("tensorflow.data", 3, "PyDataset"),
    "from tensorflow import GradientTape\n": ("tensorflow.GradientTape", 1, "derived automatically"),
    "import tensorflow.data\n": ("tensorflow.data", 1, "PyDataset"),
    "import tensorflow as tf\n@tf.function\ndef f(): pass\n": ("tensorflow.function", 2, "decorator"),
    "import tensorflow as tf\ntf.frobnicate\n": ("tensorflow.frobnicate", 2, "only its tf.keras"),
    "import tensorflow as tf\ntf.Session()\n": ("tensorflow.Session", 2, "no graphs"),
    "import tensorflow.compat.v1 as tf\ntf.ConfigProto()\n": ("tensorflow.compat.v1.ConfigProto", 2, "no graphs"),
    "from tensorflow.python.client import device_lib\n": ("tensorflow.python.client", 1, "private"),
    "from tensorflow.examples.tutorials.mnist import input_data\n": ("tensorflow.examples", 1, "keras.datasets"),
    "from keras.layers.merge import Concatenate\n": ("keras.layers.merge.Concatenate", 1, "several inputs"),
    "import keras\nkeras.layers.core.Add()\n": ("keras.layers.core.Add", 2, "several inputs"),
    "import keras\nkeras.models.Input\n": ("keras.models.Input", 2, "There is keras.Input"),
    "from tensorflow.keras.layers import Sequential\n": (
        "tensorflow.keras.layers.Sequential", 1, "There is keras.Sequential",
    ),
    "import keras\nkeras.Sequential([keras.layers.Dense(1)])([[1]]).numpy()\n": ("Tensor.numpy", 2, "arrays of NumPy"),
    "from keras import backend as K\nK.tensorflow_backend._get_gpus()\n": (
        "keras.backend.tensorflow_backend._get_gpus", 2, "",
    ),
    "from keras.initializations import normal\n": ("keras.initializations", 1, "its functions made variables"),
    "try:\n    from keras.layers import Add\nexcept ImportError:\n    from tensorflow.keras.layers import Add\n": (
        "tensorflow.keras.layers.Add", 4, "several inputs",
    ),
    "import sys, keras\nsys.tree = 1\nx = sys.tree, keras.tree\n": ("keras.tree", 3, "tracing graphs"),
    "import os, keras\nos.remove(__file__)\nkeras.tree\n": ("keras.tree", 3, "tracing graphs"),
    "import keras\nname = 'Conv4D'\ngetattr(keras.layers, name)\n": ("keras.layers.Conv4D", 3, "keras.layers.Conv"),
    "import keras\nkeras.Sequential().quantize('int8')\n": ("Sequential.quantize", 2, ""),
}


@pytest.mark.parametrize("text", REFUSALS, ids=lambda text: text.strip().splitlines()[-1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_refusal(script, text, capsys):
    name, line, reason = REFUSALS[text]
    assert run_script(script(text)) == 3
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == f"minikeras run: {name} is not in minikeras"
    shown = text.splitlines()[line - 1].strip() if os.path.exists("script.py") else ""
    assert lines[1] == f"  script.py, line {line}: {shown}"
    assert reason in "".join(lines[2:])
    assert len(lines) <= 3
    assert out == ""


def test_everything_is_put_back(script, capsys):
    script("value = 1\n", "beside.py")
    path = script(
        "import sys, warnings, keras, tensorflow, beside\nwarnings.simplefilter('ignore')\nimport keras.layers.core\n"
        "keras.config.set_floatx('float64')\nkeras.config.set_max_epochs(3)\nsys.path.append('x')\nsys.argv.append('y')\n"
        "sys.excepthook = None\nkeras.layers.Dense(1)\nimport keras.layers.convolutional\n"
        "keras.utils.register_keras_serializable('run')(len)\nwarnings.showwarning = print\n"
        "keras.utils.get_custom_objects()['other'] = len\nprint(keras.layers.GRU(1).name)\n"
    )
    run_script(path)  # what is imported for the first time stays

    def state():
        return (
            sys.modules.copy(), sys.meta_path.copy(), sys.argv.copy(), sys.path.copy(), sys.excepthook,
            minikeras.__version__, minikeras.version, vars(minikeras.config).copy(), vars(minikeras.layers).copy(),
            registry._uids.copy(), registry._custom_objects.copy(), warning._said.copy(), warnings.filters.copy(),
            warnings.showwarning,
        )  # fmt: skip

    warning._said.add("said before")

    before = state()
    assert run_script(path) == 0, capsys.readouterr().err
    assert state() == before
    assert "beside" not in sys.modules
    assert minikeras.config.floatx() == "float32"
    assert minikeras.config.max_epochs() is None
    assert warnings.showwarning is not print
    assert "ignore" not in [rule[0] for rule in warnings.filters if rule[2] is Warning]
    warning._said.remove("said before")


def test_the_script_is_main(script, capsys):
    path = script(
        "import sys, pickle\nclass A: pass\nassert __name__ == '__main__' and sys.modules['__main__'].A is A\n"
        "assert type(pickle.loads(pickle.dumps(A()))) is A\nprint(sys.argv, __file__, sys.path[0])\n",
    )
    here = os.getcwd()
    assert run_script(path, ["-x", 3]) == 0
    assert capsys.readouterr().out.strip() == f"{['script.py', '-x', '3']} {here}/script.py {os.path.realpath(here)}"


def test_command(script):
    path = script("import sys, keras\nprint(sys.argv[1:], keras.__version__, keras.version())\nsys.exit(7)\n")
    result = process(path, "-h", "--", "--epochs", "3", "run")
    assert (result.returncode, result.stderr) == (7, "")  # no warnings either
    assert result.stdout == f"{['-h', '--', '--epochs', '3', 'run']} {KERAS_VERSION} {KERAS_VERSION}\n"


def test_command_in_process(script, capsys):
    assert cli.main(["run", script("import sys\nsys.exit(len(sys.argv))\n"), "a", "b"]) == 3
    assert cli.main(["run", script("raise SystemExit('goodbye')")]) == 1
    assert capsys.readouterr().err == "goodbye\n"


def test_a_script_may_do_without(script, capsys):
    """What is missing is missing for `try` and `hasattr`, as in any version of Keras."""
    path = script(
        "import keras, tensorflow as tf\n"
        "try:\n    from keras.layers import Concatenate\nexcept ImportError as error:\n    print(error)\n"
        "try:\n    import keras.tree\nexcept ImportError as error:\n    print(error)\n"
        "print(hasattr(tf, 'constant'), hasattr(keras.layers, 'Add'))\n"
    )
    assert run_script(path) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert "'Concatenate'" in first
    assert second == "No module named 'keras.tree' in minikeras"
    assert third == "False False"


def test_not_implemented(script, capsys):
    """What the library refuses by NotImplementedError: one message, with the innermost line of the user's."""
    script("import keras\n\n\ndef double(x):\n    return x + x\n", "beside.py")
    path = script("import keras\nimport beside\n\ninputs = keras.Input((3,))\nbeside.double(inputs)\n")
    assert run_script(path) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("minikeras run: not supported: Addition (+) on the symbolic <KerasTensor shape=(None, 3)")
    assert second == "  beside.py, line 5: return x + x"


def test_refused_in_a_callback(script, capsys):
    path = script(
        "import keras, numpy as np\n"
        "class Mine(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        keras.tree.mean(1)\n"
        "model = keras.Sequential([keras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(np.ones((4, 2)), np.ones(4), callbacks=[Mine()], verbose=0)\n"
    )
    assert run_script(path) == 3
    assert "keras.tree is not in minikeras\n  script.py, line 4: keras.tree.mean(1)\n" in capsys.readouterr().err


OWN_FAULTS = {
    "raise NotImplementedError('mine')\n": "NotImplementedError: mine",
    "import math\nmath.sine\n": "AttributeError: module 'math' has no attribute 'sine'",
    "from math import sine\n": "ImportError: cannot import name 'sine' from 'math'",
    "import nowhere\n": "ModuleNotFoundError: No module named 'nowhere'",
    "import keras\nclass A(keras.layers.Dense): pass\nA(3).unknown\n": "AttributeError: 'A' object has no attribute",
    "import keras\nkeras.layers.Dense(-1)\n": "ValueError: ",
    "def f(\n": "SyntaxError: ",
    "x = '\0'\n": "null bytes",
    "1 / 0\n": "ZeroDivisionError: division by zero",
}


@pytest.mark.parametrize("text", OWN_FAULTS, ids=lambda text: text.strip().splitlines()[-1])
def test_the_scripts_own_faults(script, text, capsys):
    assert run_script(script(text)) == 1
    error = capsys.readouterr().err
    assert OWN_FAULTS[text] in error.splitlines()[-1]
    assert "minikeras/run" not in error.replace(os.sep, "/")


def test_traceback_is_pythons(script):
    path = script("import sys\n\n\ndef f():\n    raise ValueError('no')\n\n\ntry:\n    f()\nfinally:\n    print(1)\n")
    ours = process(path)
    python = subprocess.run([sys.executable, os.path.abspath(path)], capture_output=True, text=True)
    assert (ours.stdout, ours.stderr, ours.returncode) == (python.stdout, python.stderr, python.returncode)


def test_excepthook_of_the_script(script, capsys):
    path = script("import sys\nsys.excepthook = lambda kind, value, trace: print(kind.__name__)\n[][0]\n")
    assert run_script(path) == 1
    assert capsys.readouterr() == ("IndexError\n", "")


def test_excepthook_that_fails(script, capsys):
    assert run_script(script("import sys\nsys.excepthook = lambda *args: {}['gone']\n[][0]\n")) == 1
    error = capsys.readouterr().err
    first, second = error.split("Original exception was:")
    assert "KeyError: 'gone'" in first
    assert second.endswith("IndexError: list index out of range\n")


def test_interrupt(script, capsys):
    assert run_script(script("raise KeyboardInterrupt\n")) == 130
    assert capsys.readouterr().err.endswith("KeyboardInterrupt\n")


@pytest.mark.parametrize("code, status, error", [("", 0, ""), ("None", 0, ""), ("5", 5, ""), ("'no'", 1, "no\n")])
def test_exit(script, capsys, code, status, error):
    assert run_script(script(f"import sys\nsys.exit({code})\n")) == status
    assert capsys.readouterr().err == error


def test_what_is_no_script(script, capsys):
    script("", "train.py")
    assert run_script("trian.py") == 2
    error = capsys.readouterr().err
    assert f"there is no script {os.path.abspath('trian.py')!r}" in error
    assert "Beside it there is train.py" in error
    assert run_script(script("{}", "lesson.ipynb")) == 2
    assert "is a notebook" in capsys.readouterr().err
    assert run_script(os.getcwd()) == 2
    assert "is a folder: name the script in it" in capsys.readouterr().err
    assert run_script(pathlib.Path("no/folder/x.py")) == 2


def test_encodings(script, capsys):
    text = "# -*- coding: latin-1 -*-\nassert 'ä' == chr(228)\nimport keras.tree\n"
    pathlib.Path("latin.py").write_bytes(text.encode("latin-1"))
    pathlib.Path("marked.py").write_bytes(b"\xef\xbb\xbfassert '\xc3\xa4' == chr(228)\r\n")
    assert run_script("marked.py") == 0
    assert run_script("latin.py") == 3
    assert "latin.py, line 3: import keras.tree" in capsys.readouterr().err


def test_modules_beside_the_script_are_imported_anew(script, capsys, monkeypatch):
    """Also when this process has another module of the name, and when the current folder is another one."""
    text = "from tensorflow import keras\nfrom .part import X\nlayer = keras.layers.Dense(X)\n"
    script(text, "inner/parts/__init__.py")
    script("X = 3\n", "inner/parts/part.py")
    text = "import minikeras, parts\nassert type(parts.layer) is minikeras.layers.Dense\nprint(parts.X)\n"
    path = script(text, "inner/a.py")
    other = types.ModuleType("parts")
    monkeypatch.setitem(sys.modules, "parts", other)
    assert run_script(path) == 0, capsys.readouterr().err
    assert sys.modules["parts"] is other
    assert "parts.part" not in sys.modules
    script("X = 4\n# longer\n", "inner/parts/part.py")
    assert run_script(path) == 0
    assert capsys.readouterr().out == "3\n4\n"


def test_an_installed_keras_is_not_imported(script, monkeypatch):
    script("raise RuntimeError('the real one')\n", "site/keras/__init__.py")
    script("raise RuntimeError('the real one')\n", "site/tensorflow/__init__.py")
    path = script(
        "import sys\nsys.path.insert(0, 'site')\nimport keras, tensorflow, tensorflow.keras.layers\n"
        "assert keras.__name__ == 'minikeras'\n"
    )
    assert run_script(path) == 0


def test_an_imported_keras_is_out_of_sight(script, monkeypatch):
    names = ["keras", "keras.layers", "tensorflow", "tensorflow.keras"]
    real = {name: types.ModuleType(name) for name in names}
    for name, module in real.items():
        monkeypatch.setitem(sys.modules, name, module)
    path = script(
        "import keras.layers, tensorflow, minikeras\nassert keras is minikeras is tensorflow.keras\n"
        "assert keras.layers is minikeras.layers\n"
    )
    assert run_script(path) == 0
    assert {name: sys.modules[name] for name in names} == real


def test_runs_within_runs(script, capsys):
    script("import sys, keras\nprint(__name__, sys.argv, keras.__version__)\n", "inner.py")
    path = script(
        "import sys, keras, minikeras\nfrom minikeras.run import run_script\nassert run_script('inner.py', [1]) == 0\n"
        "import keras.layers as L\nassert L is minikeras.layers and sys.modules['keras'] is minikeras\n"
        "print(__name__, sys.argv, keras.__version__)\n"
    )
    for _ in range(2):
        assert run_script(path) == 0
    lines = [f"__main__ ['inner.py', '1'] {KERAS_VERSION}", f"__main__ ['script.py'] {KERAS_VERSION}"]
    assert capsys.readouterr().out.splitlines() == 2 * lines


def test_fresh_names(script, capsys):
    path = script("import keras\nprint(keras.layers.Dense(1).name)\n")
    minikeras.layers.Dense(1)
    for _ in range(2):
        run_script(path)
    assert capsys.readouterr().out == "dense\ndense\n"


def test_version():
    try:
        version = importlib.metadata.version("keras")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("Keras is not installed")
    assert version.split(".")[:2] == KERAS_VERSION.split(".")[:2]


TENSORFLOW = """
import logging, os, random
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
import tensorflow as tf
from tensorflow import keras
assert int(tf.__version__.split(".")[0]) == 2 and tf.version.VERSION == tf.__version__
tf.get_logger().setLevel("ERROR")
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
assert tf.get_logger().level == logging.ERROR and tf.executing_eagerly()
assert tf.config.list_physical_devices("GPU") == tf.config.experimental.list_physical_devices("GPU") == []
for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)
assert [device.device_type for device in tf.config.list_physical_devices()] == ["CPU"]
assert not tf.test.is_gpu_available() and tf.test.gpu_device_name() == ""
assert not hasattr(tf, "Session") and not hasattr(tf, "data")
x = np.arange(3).astype(tf.float32)
assert x.dtype == np.float32

def weights(seed):
    with tf.device("/CPU:0"):
        seed(3)
        model = keras.Sequential([keras.layers.Dense(2, activation=tf.nn.relu), keras.layers.Dense(2, tf.nn.softmax)])
        model.build((None, 3))
        assert model.layers[0].activation is keras.activations.relu
        return model.get_weights()[0]

first = weights(tf.random.set_seed)
for seed in (tf.random.set_seed, tf.compat.v1.set_random_seed, tf.set_random_seed, tf.compat.v1.random.set_random_seed):
    np.testing.assert_array_equal(weights(seed), first)
assert tf.optimizers.Adam is keras.optimizers.Adam and tf.losses is keras.losses
try:
    from tensorflow import constant
except ImportError:
    constant = None
assert constant is None
"""


def test_tensorflow(script, capsys):
    assert run_script(script(TENSORFLOW)) == 0, capsys.readouterr().err


def test_old_spellings_warn_at_the_scripts_line(script):
    """Python shows a DeprecationWarning only if it comes from __main__."""
    path = script("import keras\n\nfrom keras.utils import np_utils\nfrom keras.layers.convolutional import Conv2D\n"
                  "import keras.layers.core as core\nfrom keras.layers.core import Dropout\n"
                  "assert core.Dropout is keras.layers.Dropout\n"
                  "for _ in range(2):\n    np_utils.to_categorical([1])\n")  # fmt: skip
    result = process(path)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "np_utils" in result.stderr
    here = os.path.abspath(path)
    places = [line.split(": ")[0] for line in result.stderr.splitlines() if "DeprecationWarning" in line]
    assert len(places) == len(set(places)) == result.stderr.count("DeprecationWarning")
    assert {f"{here}:3", f"{here}:4"} <= set(places)
    assert all(place.startswith(f"{here}:") for place in places)


@pytest.mark.parametrize(
    "path, name",
    [("layers.core", "Dropout"), ("layers.convolutional", "MaxPooling2D"), ("layers.recurrent", "LSTM"),
     ("layers.normalization", "BatchNormalization"), ("layers.embeddings", "Embedding"),
     ("layers.advanced_activations", "LeakyReLU"), ("layers.wrappers", "TimeDistributed"),
     ("utils.np_utils", "to_categorical"), ("utils.generic_utils", "Progbar"), ("engine.topology", "Input"),
     ("optimizer_v2", "Adam"), ("optimizers.adam_v2", "Adam"), ("optimizers.optimizer_v2.gradient_descent", "SGD"),
     ("preprocessing.image", "ImageDataGenerator")],
)  # fmt: skip
@pytest.mark.parametrize("keras", ["keras", "tensorflow.keras", "tensorflow.python.keras"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_modules(script, path, name, keras, capsys):
    text = f"from {keras}.{path} import {name}\nimport minikeras\n"
    text += f"assert {name} is getattr(minikeras.{path.split('.')[0]}, {name!r}, None) or {name}.__name__ == {name!r}\n"
    assert run_script(script(text)) == 0, capsys.readouterr().err


def test_data_beside_the_script_hides_no_package(script, capsys):
    """Files and folders with the names of packages, and environments, are no modules of the user's."""
    script("", "numpy.txt")
    script("", "numpy/readme.txt")
    script("", "h5py/data.txt")
    script("", "env/lib/site-packages/installed_here/__init__.py")
    path = script("import sys\nsys.path.append('env/lib/site-packages')\nimport numpy, installed_here\nnumpy.ones(1)\n")
    numpy = sys.modules["numpy"]
    try:
        assert run_script(path) == 0, capsys.readouterr().err
        assert sys.modules["numpy"] is numpy
        assert "installed_here" in sys.modules
    finally:
        sys.modules.pop("installed_here", None)


def test_namespace_packages_are_imported_anew(script, capsys, monkeypatch):
    script("X = 3\n", "lib/part.py")
    path = script("from lib.part import X\nprint(X)\n")
    assert run_script(path) == 0
    assert not {"lib", "lib.part"} & set(sys.modules)
    script("X = 4  # longer\n", "lib/part.py")
    assert run_script(path) == 0
    assert capsys.readouterr().out == "3\n4\n"
    lib, part = types.ModuleType("lib"), types.ModuleType("lib.part")
    lib.__path__, part.__file__, part.X = [os.path.abspath("lib")], os.path.abspath("lib/part.py"), 5
    monkeypatch.setitem(sys.modules, "lib", lib)  # as this process may have imported it
    monkeypatch.setitem(sys.modules, "lib.part", part)
    assert run_script(path) == 0
    assert capsys.readouterr().out == "4\n"
    assert sys.modules["lib.part"] is part


def test_a_package_that_uses_tensorflow(script, capsys):
    """The line is the script's that imports it."""
    script("import tensorflow as tf\nX = tf.Variable\n", "env/site-packages/helper_of_others/__init__.py")
    path = script("import sys\nsys.path.append('env/site-packages')\nimport helper_of_others\n")
    assert run_script(path) == 3
    error = capsys.readouterr().err
    assert error.startswith("minikeras run: tensorflow.Variable is not in minikeras\n  script.py, line 3: import help")


def test_a_faulty_package_of_ours_is_no_refusal(script, capsys, monkeypatch):
    """An AttributeError inside minikeras is a fault of minikeras', and shown with its traceback."""
    faulty = eval("lambda seed: layers.nothing_like_it", {"__name__": "minikeras.utils", "layers": minikeras.layers})
    monkeypatch.setattr(minikeras.utils, "set_random_seed", faulty)
    assert run_script(script("import keras\nkeras.utils.set_random_seed(1)\n")) == 1
    assert "Traceback" in capsys.readouterr().err


def test_the_folder_is_gone(script, capsys):
    script("", "gone/x.py")
    path = script("import os, keras\nos.chdir('gone')\nos.remove('x.py')\nos.rmdir(os.getcwd())\nkeras.tree\n")
    here = os.getcwd()
    assert run_script(path) == 3
    os.chdir(here)
    assert f"  {here}/script.py, line 5: keras.tree" in capsys.readouterr().err


def test_links(script, capsys):
    """As for Python: modules are found beside the file itself, not the link to it."""
    script("from keras.layers import Add\n", "real/beside.py")
    script("import beside\n", "real/a.py")
    os.symlink("real/a.py", "link.py")
    assert run_script("link.py") == 3
    assert "beside.py, line 1: from keras.layers import Add" in capsys.readouterr().err


def test_star_imports(script, capsys):
    path = script(
        "from keras import *\nfrom keras.layers import *\nfrom tensorflow.keras.utils import *\n"
        "import minikeras\nassert Sequential is minikeras.Sequential and Dense is minikeras.layers.Dense\n"
        "to_categorical([1])\n"
    )
    assert run_script(path) == 0, capsys.readouterr().err


def test_multiprocessing(script):
    """Functions of the script are found in its workers."""
    path = script(
        "import multiprocessing\nimport keras\n\n\ndef units(n):\n    return keras.layers.Dense(n).units\n\n\n"
        "if __name__ == '__main__':\n    with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "        print(pool.map(units, [1, 2]))\n"
    )
    if sys.platform != "linux":
        pytest.skip("processes are forked on Linux")
    result = process(path)
    assert (result.returncode, result.stdout) == (0, "[1, 2]\n"), result.stderr


def test_reasons():
    """Whatever of Keras is left out has a reason here too (`ops` one for all); what is there has none."""
    for section, names in LEFT_OUT.items():
        for name, why in names.items():
            path = f"keras.{section}.{name}".replace("keras.keras.", "keras.").replace("..", ".")
            if section != "ops" and f"{section}.{name}" not in OLD_MODULES and "not there yet" not in why:
                assert path in REASONS, f"minikeras/run/reasons.py: {path}: {why}"
    for path in REASONS:
        place, _, name = path.rpartition(".")
        if place.startswith("keras") and path not in ("keras.applications", "keras.legacy", "keras.ops"):
            assert not hasattr(importlib.import_module(f"mini{place}"), name), path


def test_where_modules_are_looked_for(script):
    """As for Python: beside the script, not in the current folder."""
    script("raise ImportError('not this one')\n", "beside.py")
    script("", "inner/beside.py")
    path = script("import os, sys, beside\nassert os.getcwd() not in sys.path\n", "inner/a.py")
    result = process(path)
    assert result.returncode == 0, result.stderr


def test_old_spellings_warn_in_each_run(script, monkeypatch):
    path = script("from keras.utils import np_utils\nfrom keras.layers.core import Dropout\n")
    for said in ("nothing", "the same"):  # before, in this process
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert run_script(path) == 0
        assert [(one.category, one.lineno) for one in caught] == [(DeprecationWarning, 1), (DeprecationWarning, 2)]
        assert {one.filename for one in caught} == {os.path.abspath(path)}
        if said == "nothing":
            monkeypatch.setattr(warning, "_said", {str(one.message) for one in caught})


def test_a_script_that_has_changed(script, capsys):
    script("import keras.tree\n")
    assert run_script("script.py") == 3
    script("# The first line.\nimport keras.src\n")
    assert run_script("script.py") == 3
    assert "script.py, line 2: import keras.src" in capsys.readouterr().err


def test_what_a_module_of_ours_needs(script, capsys, monkeypatch):
    """That it is not installed is no refusal."""
    script("import package_that_is_not_installed\n", "more/odd.py")
    monkeypatch.setattr(minikeras, "__path__", [*minikeras.__path__, os.path.abspath("more")])
    assert run_script(script("import keras.odd\n")) == 1
    assert "No module named 'package_that_is_not_installed'" in capsys.readouterr().err


def test_minikeras_beside_the_script(script, capsys):
    """As in a checkout of it: its lines are not the user's."""
    script("__name__ = 'minikeras.part'\ndef f():\n    raise NotImplementedError('not there')\n", "beside.py")
    assert run_script(script("import beside\nbeside.f()\n")) == 3
    assert capsys.readouterr().err == "minikeras run: not supported: not there\n  script.py, line 2: beside.f()\n"


def test_help(capsys):
    for arguments, status in ((["run", "--help"], 0), (["run"], 2), (["run", "--epochs"], 2)):
        with pytest.raises(SystemExit) as error:
            cli.main(arguments)
        assert error.value.code == status
        output = capsys.readouterr()
        assert "usage: minikeras run [-h] SCRIPT [ARGS ...]" in output.out + output.err
        assert ("3 if it needs what minikeras does not have" in " ".join(output.out.split())) == (status == 0)
