"""What minikeras lacks, said in one message: its name as the script wrote it, the line that asked for it, and why."""

import ast
import difflib
import linecache
import os
import re
import sys
import types

import minikeras
from minikeras.legacy import OLD_MODULES
from minikeras.run.reasons import REASONS
from minikeras.run.stand_in import MissingModule
from minikeras.run.tensorflow import TensorFlow

PACKAGE = os.path.dirname(os.path.realpath(minikeras.__file__)) + os.sep
_GETTERS = ("__getattr__", "old_name")  # functions that modules and models raise AttributeError from


def explain(error, script):
    """Return what to print if ``error`` says that minikeras lacks something, else None."""
    trace = []
    step = error.__traceback__.tb_next  # after the frame of `run_script`
    while step is not None:
        code = step.tb_frame.f_code
        trace.append((code.co_filename, step.tb_lineno, code.co_name))
        step = step.tb_next
    users = [(file, line) for file, line, _ in trace if _is_users(file, script)]
    if not users:
        return None
    file, line = users[-1]
    source = _Source(file)
    ours = None  # the function of minikeras that others have called last
    for file, _, name in trace:
        ours = (ours or name) if os.path.realpath(file).startswith(PACKAGE) else None
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
    if not kind.__module__.startswith("minikeras."):  # the script's own class
        return None
    return _missing(f"{kind.__name__}.{name}", f"{kind.__name__}.{name}", line, source, owner)


def _is_ours(module):
    return isinstance(module, types.ModuleType) and (
        isinstance(module, TensorFlow) or module.__name__.split(".")[0] == "minikeras"
    )


def _is_users(file, script):
    """Whether a file is the script, or a module of the user's beside it."""
    if file == script:
        return True
    file, folder = os.path.realpath(file), os.path.dirname(os.path.realpath(script)) + os.sep
    inside = file.startswith(folder) and "site-packages" not in file[len(folder) :].split(os.sep)
    return inside and os.path.exists(file) and not file.startswith(PACKAGE)


def _canonical(name):
    """``minikeras.layers`` and ``tensorflow.python.keras.layers`` are ``keras.layers``; ``tensorflow.compat.v1`` is
    ``tensorflow``."""
    name = re.sub(r"^tensorflow\.compat\.v[12](?=\.|$)", "tensorflow", name)
    return re.sub(r"^(minikeras|tensorflow\.(python\.)?keras)(?=\.|$)", "keras", name)


def _missing(canonical, written, line, source, owner=None, reason=None):
    parts = _canonical(canonical).split(".")
    below = ".".join(parts[1:-1])
    if below in OLD_MODULES:
        parts = [*f"keras.{OLD_MODULES[below]}".rstrip(".").split("."), parts[-1]]
    reasons = (reason, *(REASONS.get(".".join(parts[:end])) for end in range(len(parts), 0, -1)))
    details = [reason for reason in reasons if reason][:1]
    names = [name for name in dir(owner) if not name.startswith("_")]
    close = difflib.get_close_matches(parts[-1], names, n=1, cutoff=0.8)
    if close and not details:
        details.append(f"Did you mean {'.'.join([*written.split('.')[:-1], close[0]])}?")
    return _message(f"{written} is not in minikeras", source, line, *details)


def _message(what, source, line, *details):
    path = os.path.relpath(source.file)
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
                if _canonical(written) == _canonical(canonical):
                    return written, node.end_lineno
        return canonical, line
