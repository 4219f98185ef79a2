"""Spellings of Keras 1 and 2 whose meaning is clear, each with one DeprecationWarning that says the present one.

Imported when something unknown is met, by the hooks: `registry.accepts_old_spellings` around constructors and methods,
the ``__getattr__`` of modules and of models, and the finder of modules. What is no longer the same is refused by an
error that says what to write. `names` has modules and what was in them, `arguments` the keywords, `methods` the rest.
"""

from minikeras.legacy.arguments import mend
from minikeras.legacy.methods import base_rate, old_key, old_method, set_base_rate
from minikeras.legacy.modules import find_old_module
from minikeras.legacy.names import OLD_MODULES, old_name, present_identifier

__all__ = [
    "OLD_MODULES", "base_rate", "find_old_module", "mend", "old_key", "old_method", "old_name",
    "present_identifier", "set_base_rate",
]  # fmt: skip
