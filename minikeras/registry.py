"""Names and what they stand for: resolving strings, naming objects, and configs that can be written as JSON."""

import collections
import re

_uids = collections.Counter()
_custom_objects = {}


class Configurable:
    """An object whose config is its constructor's arguments.

    The rule that makes this work is scikit-learn's: every argument is stored under its own name (a value may be
    standardized, as ``3`` to ``(3, 3)``, as long as the constructor accepts the standardized form).
    """

    def get_config(self):
        """Return a dict of the constructor's arguments, made of JSON types and nested configs."""
        return {name: serialize(getattr(self, name)) for name in self.argument_names()}

    @classmethod
    def argument_names(cls):
        """Names of the constructor's arguments; ``**kwargs`` stands for those of the next class that has some."""
        return _constructor_arguments(cls)

    @classmethod
    def from_config(cls, config):
        """Return a new object from what `get_config` returned."""
        return cls(**{name: deserialize(value) for name, value in config.items()})

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"<{type(self).__name__}({arguments})>"


def _constructor_arguments(cls):
    """Names of the arguments of ``cls.__init__``; ``**kwargs`` stands for those of the next class that has one."""
    from inspect import Parameter, signature

    names = []
    for owner in cls.__mro__:
        if "__init__" not in vars(owner) or owner is object:
            continue
        parameters = list(signature(owner.__init__).parameters.values())[1:]
        names += [
            p.name
            for p in parameters
            if p.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL) and p.name not in names
        ]
        if not any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
            break
    return names


def serialize(value):
    """Return ``value`` as JSON types: objects as ``{"module", "class_name", "config", "registered_name"}``."""
    if isinstance(value, Configurable):
        cls = type(value)
        registered = next((name for name, known in _custom_objects.items() if known is cls), None)
        return {
            "module": getattr(cls, "keras_module", cls.__module__),
            "class_name": cls.__name__,
            "config": value.get_config(),
            "registered_name": registered,
        }
    if isinstance(value, (list, tuple)):
        return type(value)(serialize(item) for item in value)
    if isinstance(value, dict):
        return {key: serialize(item) for key, item in value.items()}
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()  # NumPy scalars are no JSON
    return getattr(value, "keras_name", value)


def deserialize(value):
    """Undo `serialize` for nested configs whose classes are known; anything else is returned as it is.

    Constructors resolve names (``"relu"``) and configs of their own kind by themselves, so only registered custom
    classes are looked up here.
    """
    if isinstance(value, dict) and value.get("registered_name") in _custom_objects:
        return _custom_objects[value["registered_name"]].from_config(value["config"])
    return value


def register_keras_serializable(package="Custom", name=None):
    """Class decorator: make a class known to configs as ``package>name`` (default: the class's own name)."""

    def decorate(cls):
        _custom_objects[f"{package}>{name or cls.__name__}"] = cls
        return cls

    return decorate


def resolve(identifier, table, kind, base=Configurable):
    """Return the object that ``identifier`` stands for.

    Args:
        identifier: ``None`` (returned as it is), a name in ``table``, a config dict, a class (constructed without
            arguments) or an instance or callable (returned as it is).
        table: dict of names to classes or functions.
        kind: what to call it in errors, which is also the argument's usual name, e.g. ``"loss"``.
        base: the class that instances have.

    Raises:
        ValueError: an unknown name; the message holds the closest match and the list.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = table.get(identifier)
        if found is None:
            found = {name.lower(): entry for name, entry in table.items()}.get(identifier.lower())
        if found is None:
            found = _custom_objects.get(identifier, _custom_objects.get(f"Custom>{identifier}"))
        if found is None:
            raise ValueError(unknown_name(identifier, table, kind))
        return found() if isinstance(found, type) else found
    if isinstance(identifier, dict):
        if "class_name" not in identifier:
            raise ValueError(f"A config of a {kind} needs the key 'class_name'. Received keys: {sorted(identifier)}")
        registered = _custom_objects.get(identifier.get("registered_name"))
        cls = registered or table.get(identifier["class_name"])
        if cls is None:
            raise ValueError(unknown_name(identifier["class_name"], table, kind))
        return cls.from_config(identifier.get("config", {})) if isinstance(cls, type) else cls
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, base) or callable(identifier):
        return identifier
    raise TypeError(
        f"A {kind} must be a name, a callable or an object of it. Received: {identifier!r} (of type "
        f"{type(identifier).__name__})"
    )


def unknown_name(name, known, kind):
    """Return the text of an error for an unknown name: what was received, the closest match, the list."""
    from difflib import get_close_matches

    known = sorted(known)
    lower = {k.lower(): k for k in known}
    close = get_close_matches(str(name), known, n=1, cutoff=0.7) or [
        lower[k] for k in get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)
    ]
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"Unknown {kind}: {name!r}.{hint} Known names: {', '.join(known)}"


def to_snake_case(name):
    """``"MaxPooling2D"`` -> ``"max_pooling2d"``, as Keras names layers and their groups in weight files."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix):
    """Return a name unique in this process: ``"dense"``, then ``"dense_1"``, ``"dense_2"``, ..."""
    prefix = to_snake_case(prefix)
    count = _uids[prefix]
    _uids[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def reset_auto_names():
    """Start counting names again, as `backend.clear_session` does."""
    _uids.clear()
