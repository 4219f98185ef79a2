"""Imports point one way only, what is optional stays optional, and files stay small."""

import ast
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES = 400

# Each name may import those of the lines before its own, and its neighbours on the line.
ORDER = [
    "version config registry messages kernels",
    "initializers activations regularizers constraints losses metrics variable",
    "layers optimizers stack still",
    "data callbacks checks compilation inspection results summary utils datasets preprocessing random backend legacy",
    "training models saving wrappers ops",
    "applications run trained_models visualization",
    "cli",
    "__main__",
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names.split()}

OPTIONAL = {"matplotlib", "PIL", "yaml", "mpi4py", "sklearn", "IPython"}  # imported where they are used
LAZY = OPTIONAL | {"h5py", "tqdm"}  # not at the top of a module, which would cost time at `import minikeras`
ALLOWED = {"numpy", "threadpoolctl"} | LAZY

FILES = sorted((ROOT / "minikeras").rglob("*.py")) + sorted((ROOT / "applications").rglob("*.py"))
FILES += sorted((ROOT / "trained_models").rglob("*.py"))


def part_of(path):
    """``minikeras/layers/core.py`` -> ``layers``; ``applications/lenet5.py`` -> ``applications``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "minikeras" else parts[0]


def imports(path):
    """All imports of a file as (module, whether it is at the top of the file, line)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(node) for outer in ast.walk(tree) if is_function(outer) for node in ast.walk(outer)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [node.module]
            if node.module == "minikeras":  # `from minikeras import losses` imports minikeras.losses
                names = [f"minikeras.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, id(node) not in inside, node.lineno


def is_function(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(ROOT)))
def path(request):
    return request.param


def test_there_are_files():
    assert len(FILES) > 20


def test_direction(path):
    part = part_of(path)
    if part == "__init__":
        return  # minikeras/__init__.py imports what users see
    assert part in RANK, f"tests/test_architecture.py does not know the place of {part}"
    for name, top, line in imports(path):
        if name.split(".")[0] != "minikeras":
            continue
        if name == "minikeras":
            assert part == "run", f"{path}:{line}: import what is needed of minikeras"  # which hands it out as a whole
            continue
        other = name.split(".")[1]
        assert other in RANK, f"{path}:{line}: imports minikeras.{other}"
        if top:
            assert RANK[other] <= RANK[part], f"{path}:{line}: {part} must not import {other}"


def test_dependencies(path):
    for name, top, line in imports(path):
        package = name.split(".")[0]
        if package == "minikeras" or package in sys.stdlib_module_names:
            continue
        assert package in ALLOWED, f"{path}:{line}: {package} is no dependency"
        assert not (top and package in LAZY), f"{path}:{line}: import {package} where it is used"
        if package == "h5py":
            assert part_of(path) == "saving", f"{path}:{line}: h5py is for saving/ only"


def test_size(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES, f"{path} has {lines} lines: a file holds one family and stays under about {LINES}"


def test_no_assert(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: python -O skips it; raise an error"


def test_no_global_random_state(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
            allowed = node.attr[0].isupper() or node.attr == "seed" and path.name == "random.py"
            assert allowed, f"{path}:{node.lineno}: use config.make_generator, not np.random.{node.attr}"
