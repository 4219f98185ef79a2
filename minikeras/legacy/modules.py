"""Modules that Keras had once: ``from minikeras.layers.convolutional import Conv2D``."""

import importlib
import types
from importlib.machinery import ModuleSpec

from minikeras.legacy.layers import CONVOLUTIONS
from minikeras.legacy.names import OLD_MODULES, REFUSED_MODULES, look_up
from minikeras.legacy.warning import deprecate


class OldModule(types.ModuleType):
    """A module that has what another one has."""

    def __init__(self, name, present):
        super().__init__(name, f"What is in `{present}` today.")
        self.__path__ = []  # there may be old modules inside
        self._present = present

    def __getattr__(self, name):
        if name == "__all__":
            names = [name for name in dir(importlib.import_module(self._present)) if not name.startswith("_")]
            aliases = [name for name, (_, is_present) in CONVOLUTIONS.items() if is_present]
            return names + aliases * (self._present == "minikeras.layers")
        return look_up(self._present, name)


class Loader:
    """Makes an `OldModule`; there is nothing to execute."""

    @staticmethod
    def create_module(spec):
        deprecate(f"`{spec.name}` is an old path: use `{spec.loader_state}`")
        return OldModule(spec.name, spec.loader_state)

    @staticmethod
    def exec_module(module):
        pass


def find_old_module(name):
    """Return the spec of an old module for the import system, or None.

    Raises:
        ImportError: what it held has no present spelling.
    """
    path = name.partition(".")[2]
    if path in REFUSED_MODULES:
        raise ImportError(f"`{path}` of Keras 1 and 2 is not available: {REFUSED_MODULES[path]}", name=name)
    if path not in OLD_MODULES:
        return None
    present = f"minikeras.{OLD_MODULES[path]}".rstrip(".")
    return ModuleSpec(name, Loader, loader_state=present, is_package=True)
