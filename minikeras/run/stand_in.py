"""Imports: ``keras.layers`` and ``tensorflow.keras.layers`` are the module ``minikeras.layers`` itself, the paths
of Keras 1 and 2 lead to where their contents are now, and an installed keras or tensorflow stays out of sight."""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import types

import minikeras
from minikeras import legacy
from minikeras.messages import warn
from minikeras.run.tensorflow import make_tensorflow

OLD_MODULES = getattr(legacy, "OLD_MODULES", None) or {
    "engine": "layers", "engine.base_layer": "layers", "engine.topology": "layers", "engine.training": "models",
    "engine.input_layer": "layers", "engine.sequential": "models",
    "layers.advanced_activations": "layers", "layers.convolutional": "layers", "layers.core": "layers",
    "layers.embeddings": "layers", "layers.noise": "layers", "layers.normalization": "layers",
    "layers.pooling": "layers", "layers.recurrent": "layers", "layers.wrappers": "layers",
    "optimizer_v1": "optimizers", "optimizer_v2": "optimizers",
    "utils.generic_utils": "utils", "utils.np_utils": "utils", "utils.data_utils": "utils",
}  # fmt: skip

_KERAS = re.compile(r"(tensorflow\.(python\.|compat\.v[12]\.)?)?keras(?=\.|$)")
_ABSENT = object()


class MissingModule(ModuleNotFoundError):
    """A module of Keras or TensorFlow that minikeras does not have."""


class OldModule(types.ModuleType):
    """A module path of Keras 1 or 2: its names are found in the module where they are now."""

    def __init__(self, name, target, own):
        super().__init__(name, f"What was {name} once: see {target.__name__}.")
        self.target, self.own = target, own
        self.__path__ = []

    def __getattr__(self, name):
        if not name.startswith("__"):
            for module in (self.own, self.target):  # minikeras may have a module of this path, which it goes on using
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)

    def __dir__(self):
        return dir(self.target)


class Finder(importlib.abc.MetaPathFinder):
    """Finds keras and tensorflow, and whatever is below them, in minikeras."""

    def __init__(self):
        self.tensorflow = make_tensorflow()
        self.changed = []  # (module, attribute, its value before): importing a.b sets b in a

    def find_spec(self, name, path=None, target=None):
        if name.startswith("minikeras."):  # `from keras.utils import np_utils` asks for minikeras.utils.np_utils
            below = name.partition(".")[2]
            if below not in OLD_MODULES or importlib.machinery.PathFinder.find_spec(name, path):
                return None
            return self._spec(name, lambda: self._old(f"keras.{below}", below))
        if name in self.tensorflow:
            return self._spec(name, lambda: self.tensorflow[name])
        if name.split(".")[0] not in ("keras", "tensorflow"):
            return None
        keras = _KERAS.match(name)
        below = name[keras.end() + 1 :] if keras else None
        if below == "":
            return self._spec(name, lambda: minikeras)
        if below in OLD_MODULES:
            return self._spec(name, lambda: self._old(name, below))
        if below is None or importlib.util.find_spec(f"minikeras.{below}") is None:
            raise MissingModule(f"No module named {name!r}", name=name)
        return self._spec(name, lambda: importlib.import_module(f"minikeras.{below}"))

    def _old(self, name, below):
        present = OLD_MODULES[below]
        target = importlib.import_module(f"minikeras.{present}" if present else "minikeras")
        warn(f"{name} is called {name[: -len(below)]}{present} now", DeprecationWarning)
        return OldModule(name, target, sys.modules.get(f"minikeras.{below}"))

    def _spec(self, name, load):
        return importlib.machinery.ModuleSpec(name, Loader(self, load), is_package=True)


class Loader(importlib.abc.Loader):
    """Hands out a module that exists already."""

    def __init__(self, finder, load):
        self.finder, self.load = finder, load

    def create_module(self, spec):
        module = self.load()
        parent, _, child = spec.name.rpartition(".")
        if parent:
            parent = sys.modules[parent]
            self.finder.changed.append((parent, child, vars(parent).get(child, _ABSENT)))
        self.spec = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module):
        module.__spec__ = self.spec  # which the import system has replaced by the one of the other name


def is_stand_in(name):
    """Whether a module's name is one that the finder answers."""
    return name.split(".")[0] in ("keras", "tensorflow")


@contextlib.contextmanager
def installed(folder):
    """Let imports of keras and tensorflow lead to minikeras, and the user's modules in ``folder`` be imported anew."""
    before = sys.modules.copy()
    own = {os.path.splitext(entry)[0] for entry in os.listdir(folder)} - {"minikeras", *sys.stdlib_module_names}
    for name in before:
        if is_stand_in(name) or name.split(".")[0] in own:
            del sys.modules[name]
    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path[:] = [other for other in sys.meta_path if other is not finder]
        for module, attribute, value in reversed(finder.changed):
            if value is not _ABSENT:
                setattr(module, attribute, value)
            elif attribute in vars(module) and not _is_submodule(module, attribute):
                delattr(module, attribute)
        for name, module in list(sys.modules.items()):
            if name not in before and (
                is_stand_in(name) or name.split(".")[0] in own or isinstance(module, OldModule)
            ):  # those of other packages, as NumPy's, stay: they cannot be loaded twice
                del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if sys.modules.get(name) is not module})


def _is_submodule(module, attribute):
    return sys.modules.get(f"{module.__name__}.{attribute}") is vars(module)[attribute]
