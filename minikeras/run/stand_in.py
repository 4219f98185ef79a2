"""Imports: ``keras.layers`` and ``tensorflow.keras.layers`` are the module ``minikeras.layers`` itself, the paths
of Keras 1 and 2 lead to where their contents are now, and an installed keras or tensorflow stays out of sight."""

import contextlib
import importlib
import os
import re
import sys
from importlib.machinery import ModuleSpec

from minikeras.legacy import modules as old_modules
from minikeras.legacy import warning
from minikeras.run.tensorflow import make_tensorflow

_KERAS = re.compile(r"(tensorflow\.(python\.|compat\.v[12]\.)?)?keras(?=\.|$)")


class MissingModule(ModuleNotFoundError):
    """A module of Keras or TensorFlow that minikeras does not have, and perhaps the reason."""

    def __init__(self, name, reason=None):
        super().__init__(f"No module named {name!r} in minikeras" + (f": {reason}" if reason else ""), name=name)
        self.reason = reason


class Finder:
    """For `sys.meta_path`: finds keras and tensorflow, and whatever is below them, in minikeras."""

    def __init__(self):
        self.tensorflow = make_tensorflow()

    def find_spec(self, name, path=None, target=None):
        if not is_stand_in(name):
            return None
        keras = _KERAS.match(name)
        if keras:
            module = self._import(name, "minikeras" + name[keras.end() :])
        elif name in self.tensorflow:
            module = self.tensorflow[name]
        else:
            raise MissingModule(name)
        return ModuleSpec(name, Loader(module), is_package=True)

    @staticmethod
    def _import(name, ours):
        try:
            return importlib.import_module(ours)
        except ImportError as error:
            if error.name != ours:  # something that the module itself needs is not installed
                raise
            raise MissingModule(name, None if isinstance(error, ModuleNotFoundError) else error.msg) from None


class Loader:
    """Hands out a module that exists already."""

    def __init__(self, module):
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        module.__spec__ = self.spec  # which the import system has replaced by the one of the other name


def is_stand_in(name):
    """Whether a module's name is one that the finder answers."""
    return name.split(".")[0] in ("keras", "tensorflow")


def is_users(file, folder):
    """Whether a file is the user's own: in the script's folder, but no package installed in an environment there."""
    folder = os.path.join(os.path.realpath(folder), "")
    file = os.path.realpath(file)
    return file.startswith(folder) and "site-packages" not in file[len(folder) :].split(os.sep)


@contextlib.contextmanager
def installed(folder):
    """Let imports of keras and tensorflow lead to minikeras, and the user's modules in ``folder`` be imported anew.

    Old spellings are warned of anew, too.
    """
    _forget_old_modules()
    before, said = sys.modules.copy(), warning._said.copy()
    warning._said.clear()
    importlib.invalidate_caches()
    own = _find_names(folder)
    for name, module in before.items():
        if is_stand_in(name) or name.split(".")[0] in own or _is_own(name, module, folder):
            del sys.modules[name]
    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path[:] = [other for other in sys.meta_path if other is not finder]
        _forget_old_modules()
        for name, module in sys.modules.copy().items():
            # Those of other packages, as NumPy's, stay: they cannot be loaded twice.
            if name not in before and (is_stand_in(name) or _is_own(name, module, folder)):
                del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if sys.modules.get(name) is not module})
        warning._said.clear()
        warning._said.update(said)


def _find_names(folder):
    """Return the names of modules in a folder that come before those of other places."""
    names = set()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            stem, extension = os.path.splitext(entry.name)
            if extension == ".py" or os.path.exists(os.path.join(entry.path, "__init__.py")):
                names.add(stem)
    return names - {"minikeras", "numpy", *sys.stdlib_module_names}


def _is_own(name, module, folder):
    if name.split(".")[0] in {"minikeras", "__main__", *sys.stdlib_module_names}:
        return False
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return isinstance(file, str) and is_users(file, folder)


def _forget_old_modules():
    """Let the modules of Keras 1 and 2 be made anew, with a warning, when they are asked for."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, old_modules.OldModule):
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                vars(sys.modules[parent]).pop(child, None)
