"""What minikeras lacks, said in one message: its name as the script wrote it, the line that asked for it, and why."""

import ast
import difflib
import linecache
import os
import re
import sys
import types

import numpy as np

import minikeras
from minikeras.legacy import OLD_MODULES
from minikeras.run.reasons import REASONS
from minikeras.run.stand_in import MissingModule, is_users
from minikeras.run.tensorflow import TensorFlow

_PLACES = (minikeras, minikeras.layers, minikeras.models, minikeras.utils, minikeras.optimizers, minikeras.callbacks)
_GETTERS = ("__getattr__", "old_name")  # functions that modules and models raise AttributeError from


def explain(error, script):
    """Return what to print if ``error`` says that minikeras lacks something, else None."""
    place = None  # the innermost of the user's
    step = error.__traceback__.tb_next  # after the frame of `run_script`
    ours = None  # the function of minikeras that others have called last
    while step is not None:
        code, module = step.tb_frame.f_code, step.tb_frame.f_globals.get("__name__")
        is_ours = str(module).split(".")[0] == "minikeras"
        ours = (ours or code.co_name) if is_ours else None
        if code.co_filename == script or not is_ours and _is_beside(code.co_filename, script):
            place = code.co_filename, step.tb_lineno
        step = step.tb_next
    if place is None:
        return None
    source, line = _Source(place[0]), place[1]
    if isinstance(error, NotImplementedError):
        return _message(f"not supported: {error}", source, line) if ours else None
    if isinstance(error, MissingModule):
        return _missing(error.name, error.name, line, source, reason=error.reason)
    if isinstance(error, ImportError):
        name = re.match(r"cannot import name '(\w+)' from", str(error))
        module = sys.modules.get(error.name or "")
        if not name or not _is_ours(module):
            return None
        canonical = f"{_canonical(module.__name__)}.{name[1]}"
        return _missing(canonical, *source.find_import(canonical, name[1], line), source, module)
    if isinstance(error, AttributeError) and ours in (None, *_GETTERS):
        return _missing_attribute(error.obj, error.name, source, line)
    return None


def _missing_attribute(owner, name, source, line):
    if _is_ours(owner):
        canonical = f"{_canonical(owner.__name__)}.{name}"
        return _missing(canonical, *source.find_attribute(canonical, name, line), source, owner)
    kind = owner if isinstance(owner, type) else type(owner)
    if isinstance(owner, (np.ndarray, np.generic)) and name in ("assign", "eval", "get_shape", "numpy"):
        reason = f"Layers, models and the backend return arrays of NumPy, which have no `{name}` and need none"
        return _missing(f"Tensor.{name}", f"Tensor.{name}", line, source, reason=reason)
    if not str(kind.__module__).startswith("minikeras."):  # the script's own class
        return None
    return _missing(f"{kind.__name__}.{name}", f"{kind.__name__}.{name}", line, source, owner)


def _is_ours(module):
    return isinstance(module, types.ModuleType) and (
        isinstance(module, TensorFlow) or module.__name__.split(".")[0] == "minikeras"
    )


def _is_beside(file, script):
    """Whether a file is a module of the user's beside the script, and not ``<string>``."""
    return os.path.isfile(file) and is_users(file, os.path.dirname(os.path.realpath(script)))


def _canonical(name):
    """``minikeras.layers`` and ``tensorflow.python.keras.layers`` are ``keras.layers``; ``tensorflow.compat.v1`` is
    ``tensorflow``."""
    name = re.sub(r"^tensorflow\.compat\.v[12](?=\.|$)", "tensorflow", name)
    return re.sub(r"^(minikeras|tensorflow\.(python\.)?keras)(?=\.|$)", "keras", name)


def _present(name):
    """As `_canonical`, with the module where the contents of one of Keras 1 and 2 are today."""
    module, _, last = _canonical(name).rpartition(".")
    if module.startswith("keras.") and module[len("keras.") :] in OLD_MODULES:
        module = f"keras.{OLD_MODULES[module[len('keras.') :]]}".rstrip(".")
    return f"{module}.{last}".lstrip(".")


def _missing(canonical, written, line, source, owner=None, reason=None):
    parts = _present(canonical).split(".")
    reasons = (reason, *(REASONS.get(".".join(parts[:end])) for end in range(len(parts), 0, -1)))
    details = [reason for reason in reasons if reason][:1]
    names = [name for name in dir(owner) if not name.startswith("_")]
    close = difflib.get_close_matches(parts[-1], names, n=1, cutoff=0.8)
    elsewhere = [_canonical(module.__name__) for module in _PLACES if parts[-1] in module.__all__]
    if not details and parts[0] == "keras" and elsewhere:
        details.append(f"There is {elsewhere[0]}.{parts[-1]}")
    elif not details and close:
        details.append(f"Did you mean {'.'.join([*written.split('.')[:-1], close[0]])}?")
    return _message(f"{written} is not in minikeras", source, line, *details)


def _message(what, source, line, *details):
    try:
        path = os.path.relpath(source.file)
    except (OSError, ValueError):  # the script has removed the folder; on Windows, changed to another drive
        path = os.pardir
    place = f"{source.file if path.startswith(os.pardir) else path}, line {line}: {source.line(line)}"
    return "\n  ".join([f"minikeras run: {what}", place, *details])


class _Source:
    """A file of the user's, to look up how it has written a name."""

    def __init__(self, file):
        self.file = file
        linecache.checkcache(file)
        self.lines = linecache.getlines(file)
        try:
            self.nodes = list(ast.walk(ast.parse("".join(self.lines))))
        except (SyntaxError, ValueError):
            self.nodes = []

    def line(self, number):
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def find_import(self, canonical, name, line):
        """Return the dotted name of what the import statement at a line asks for, and its line."""
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom) and node.module and node.lineno <= line <= node.end_lineno:
                for alias in node.names:
                    if alias.name == name:
                        return f"{node.module}.{name}", alias.lineno
        return canonical, line

    def find_attribute(self, canonical, name, line):
        """Return the dotted name at a line that ends in ``name``, with what its first part was imported as; and its
        line."""
        imported = {}
        for node in self.nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    whole = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
                    if alias.asname or isinstance(node, ast.ImportFrom):
                        imported[alias.asname or alias.name] = whole
        for node in self.nodes:
            if isinstance(node, ast.Attribute) and node.attr == name and node.lineno <= line <= node.end_lineno:
                first, _, rest = ast.unparse(node).partition(".")
                written = f"{imported.get(first, first)}.{rest}"
                if _present(written) == _present(canonical):
                    return written, node.end_lineno
        return canonical, line
