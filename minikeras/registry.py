"""Names and what they stand for: resolving strings, naming objects, and configs that can be written as JSON."""

import collections
import contextvars
import functools
import re

_uids = collections.Counter()
_custom_objects = {}  # of `register_keras_serializable`: "package>name" to class or function
_scope = contextvars.ContextVar("custom_objects", default={})  # of `CustomObjectScope`  # noqa: B039


def accepts_old_spellings(function):
    """Decorator of functions, methods and constructors: a call that fails for a keyword of Keras 1 or 2 is mended."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError):
            try:
                mended = _mend(function, call, args, kwargs) if kwargs else None
            except (TypeError, ValueError) as refused:
                raise refused from None  # it says more than the error before it
            if mended is None:
                raise
        return function(*mended[0], **mended[1])

    return call


def _mend(function, wrapper, args, kwargs):
    from minikeras import legacy

    if function.__name__ != "__init__":
        return legacy.mend(function, None, args, kwargs)
    owner = type(args[0])
    outermost = next(c for c in owner.__mro__ if hasattr(vars(c).get("__init__"), "__wrapped__"))
    if vars(outermost)["__init__"] is not wrapper:  # it was called by another constructor, which is mended
        return None
    mended = legacy.mend(function, outermost, args[1:], kwargs, args[0])
    return mended and ((args[0], *mended[0]), mended[1])


class Configurable:
    """An object whose config is its constructor's arguments.

    The rule that makes this work is scikit-learn's: every argument is stored under its own name (a value may be
    standardized, as ``3`` to ``(3, 3)``, as long as the constructor accepts the standardized form).
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls) and cls.__module__.startswith("minikeras."):
            cls.__init__ = accepts_old_spellings(cls.__init__)

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


def serialize(value, otherwise=lambda value: value):
    """Return ``value`` as JSON types: objects as ``{"module", "class_name", "config", "registered_name", ...}``.

    What is no object of the library, no number and no name is what ``otherwise`` returns for it, here and in lists and
    dicts.
    """
    if isinstance(value, Configurable):
        cls = type(value)
        registered = get_registered_name(cls)
        # A subclass of one's own inherits `keras_module`, but is not to be found there.
        public = registered == cls.__name__ and ("keras_module" in vars(cls) or cls.__module__.startswith("minikeras."))
        described = {
            "module": getattr(cls, "keras_module", cls.__module__) if public else cls.__module__,
            "class_name": cls.__name__,
            "config": value.get_config(),
            "registered_name": getattr(cls, "keras_registered_name", None) if public else registered,
        }
        for extra in ("build_config", "compile_config"):  # of layers and models
            get = getattr(value, f"get_{extra}", None)
            if get is not None and (found := get()) is not None:
                described[extra] = found
        return described
    if isinstance(value, (list, tuple)):
        return type(value)(serialize(item, otherwise) for item in value)
    if isinstance(value, dict):
        return {key: serialize(item, otherwise) for key, item in value.items()}
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()  # NumPy scalars are no JSON
    return value.keras_name if hasattr(value, "keras_name") else otherwise(value)


def deserialize(value):
    """Undo `serialize` for nested configs whose classes are known; anything else is returned as it is.

    Constructors resolve names (``"relu"``) and configs of their own kind by themselves, so only registered custom
    classes are looked up here.
    """
    cls = get_registered_object(value.get("registered_name")) if isinstance(value, dict) else None
    return value if cls is None else cls.from_config(value["config"])


def find_class(described, find):
    """Return the class that `serialize` described, or None.

    One's own comes first by the name that it is registered as, last by its class' name; between the two comes what
    ``find`` returns for this name, a class of the library or None.
    """
    name = described["class_name"]
    return get_registered_object(described.get("registered_name", name)) or find(name) or get_registered_object(name)


def construct(cls, described):
    """Return the object that `serialize` described: layers and models built, and compiled, if it says so."""
    made = cls.from_config(described.get("config", {}))
    for verb, done in (("build", "built"), ("compile", "compiled")):
        take = getattr(made, f"{verb}_from_config", None)
        if described.get(f"{verb}_config") and take is not None and not getattr(made, done, False):
            take(described[f"{verb}_config"])
    return made


class CustomObjectScope:
    """Makes classes and functions of one's own known to configs inside of a ``with`` block.

        with CustomObjectScope({"MyLayer": MyLayer}):
            model = models.model_from_json(text)

    Args:
        custom_objects: dict from names to classes and functions. Those of a block around this one stay known.
    """

    def __init__(self, custom_objects):
        if custom_objects is not None and not isinstance(custom_objects, dict):
            raise TypeError(
                f"`custom_objects` must be a dict from names to classes and functions. Received: {custom_objects!r:.80}"
            )
        self.custom_objects = custom_objects or {}
        self._tokens = []

    def __enter__(self):
        self._tokens.append(_scope.set({**_scope.get(), **self.custom_objects}))
        return self

    def __exit__(self, *exception):
        _scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def get_custom_objects():
    """Return the dict of what is registered, itself: what is put into it is known to configs."""
    return _custom_objects


def register_keras_serializable(package="Custom", name=None):
    """Decorator: make a class or function known to configs as ``package>name`` (default: its own name)."""

    def decorate(cls):
        if isinstance(cls, type) and not hasattr(cls, "get_config"):
            raise ValueError(f"A registered class needs a method `get_config()`. Received: {cls.__name__}")
        _custom_objects[f"{package}>{name or cls.__name__}"] = cls
        return cls

    return decorate


def get_registered_name(obj):
    """Return the name that a class or function is registered as, or its own."""
    return next((name for name, known in _custom_objects.items() if known is obj), obj.__name__)


def get_registered_object(name, custom_objects=None, module_objects=None):
    """Return what a name stands for in `CustomObjectScope`, in the registered classes, or in one of two dicts; or None.

    Classes registered without a package of their own are known by their name alone too.
    """
    for table in (_scope.get(), _custom_objects, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return _custom_objects.get(f"Custom>{name}")


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
            found = get_registered_object(identifier) or table.get(_present_identifier(kind, identifier))
        if found is None:
            raise ValueError(unknown_name(identifier, table, kind))
        return found() if isinstance(found, type) else found
    if isinstance(identifier, dict):
        if "class_name" not in identifier:
            raise ValueError(f"A config of a {kind} needs the key 'class_name'. Received keys: {sorted(identifier)}")
        name = identifier["class_name"]
        if name == "function":
            return resolve(identifier["config"], table, kind, base)
        cls = find_class(identifier, table.get)
        if cls is None:
            raise ValueError(f"{unknown_name(name, table, kind)}. {if_your_own(name)}")
        return construct(cls, identifier) if isinstance(cls, type) else cls
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, base) or callable(identifier):
        return identifier
    raise TypeError(
        f"A {kind} must be a name, a callable or an object of it. Received: {identifier!r} (of type "
        f"{type(identifier).__name__})"
    )


def _present_identifier(kind, name):
    from minikeras import legacy

    return legacy.present_identifier(kind, name)


def unknown_name(name, known, kind):
    """Return the text of an error for an unknown name: what was received, the closest match, the list."""
    from difflib import get_close_matches

    known = sorted(known)
    lower = {k.lower(): k for k in known}
    close = get_close_matches(str(name), known, n=1, cutoff=0.7) or [
        lower[k] for k in get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)
    ]
    hint = f" Did you mean {close[0]!r}?" if close else ""
    spellings = {k.lower().replace("_", ""): k for k in known}  # of "MSE" and "mse" the second, which sorts last
    return f"Unknown {kind}: {name!r}.{hint} Known names: {', '.join(sorted(spellings.values()))}"


def if_your_own(name):
    """Return what errors for unknown classes of configs advise."""
    return f"If it is your own: with keras.utils.custom_object_scope({{{name!r}: {name}}})"


def unknown_arguments(cls, names):
    """Return the text of an error for unknown arguments of a constructor: their names, the closest match, the list."""
    from difflib import get_close_matches

    known = cls.argument_names()
    close = [match for name in sorted(names) for match in get_close_matches(name, known, n=1)]
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return f"{cls.__name__} got unknown arguments: {', '.join(sorted(names))}.{hint} Known: {', '.join(known)}"


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


def get_uid(prefix=""):
    """Return the next number for a prefix, 1 at first. It counts the names of `auto_name` too."""
    _uids[prefix] += 1
    return _uids[prefix]


def reset_auto_names():
    """Start counting names again, as `backend.clear_session` does."""
    _uids.clear()


def old_name(module, name):
    """What modules answer for what they do not have: a name of Keras 1 or 2, or the usual error."""
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    from minikeras import legacy

    return legacy.old_name(module, name)


class OldModules:
    """A finder for `sys.meta_path`, of modules of Keras 1 and 2."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith("minikeras."):
            return None
        from minikeras import legacy

        return legacy.find_old_module(name)
