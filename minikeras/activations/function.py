"""`ActivationFunction`: a function, its derivative beside it, and the arguments that are bound to both."""

import numpy as np

# Tails of exp are 0 in floating point, as they should be; whoever turns NumPy's flags into errors need not hear of it.
quiet = np.errstate(over="ignore", under="ignore")


class ActivationFunction:
    """A function with its derivative.

    Args:
        forward: ``forward(x, out)`` writes f(x) into ``out``, which may be ``x`` itself. Further arguments are the
            function's own, as in ``forward(x, out, alpha=1.0)``.
        gradient: ``gradient(dy, x, y, out)`` writes dL/dx into ``out``, which may be ``dy`` itself. ``x`` is None
            unless ``needs_input``. It takes the same further arguments.
        needs_input: whether ``gradient`` reads ``x``.
        name: by default the name of ``forward``.
        elementwise: whether each output depends on the input at the same place only.

    Attributes:
        arguments: dict of what `bind` has fixed.
    """

    def __init__(self, forward, gradient=None, needs_input=False, name=None, elementwise=True):
        self.forward = forward
        self.gradient = gradient
        self.needs_input = needs_input
        self.elementwise = elementwise
        self.arguments = {}
        self.keras_name = self.__name__ = name or forward.__name__
        self.__doc__ = forward.__doc__

    def derivative(self, needs_input=False):
        """Decorator that sets the gradient, and returns it unchanged."""

        def decorate(gradient):
            self.gradient = gradient
            self.needs_input = needs_input
            return gradient

        return decorate

    def __call__(self, x, *args, **kwargs):
        if isinstance(x, _Unknown):
            return self.bind(*args, **kwargs)
        x = np.asarray(x)
        if x.dtype.kind != "f":
            x = x.astype(_default_dtype())
        out = np.empty(self.output_shape(x.shape, *args, **self.arguments | kwargs), x.dtype)
        self.forward(x, out, *args, **kwargs)
        return out

    def output_shape(self, shape, *args, **kwargs):
        """Return the shape of f(x) for an ``x`` of ``shape``."""
        return shape

    def bind(self, *args, **kwargs):
        """Return this function with fixed arguments: ``relu.bind(max_value=6)``. Its derivative may read ``x``."""
        from functools import partial

        origin, signature = _origin(self), self.__signature__
        arguments = self.arguments | signature.bind_partial(None, *args, **kwargs).arguments
        arguments = {name: value for name, value in arguments.items() if name != "x"}
        if all(_same(value, signature.parameters[name].default) for name, value in arguments.items()):
            return origin
        bound = object.__new__(type(self))
        bound.__dict__.update(origin.__dict__)
        bound.origin = origin
        bound.arguments = arguments
        bound.forward = partial(origin.forward, **arguments)
        bound.gradient = origin.gradient and partial(origin.gradient, **arguments)
        bound.needs_input = True
        bound.__name__ = f"{origin.__name__}({_listed(arguments)})"
        bound.keras_name = {
            "module": "keras.activations", "class_name": origin.__name__, "config": arguments, "registered_name": None
        }  # fmt: skip
        return bound

    def configured_as(self, config):
        """Return the same function with another config: that of the layer that it was given as."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.origin, other.keras_name = _origin(self), config
        return other

    def __getattr__(self, name):
        if name != "__signature__":
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        from inspect import signature

        own = signature(_origin(self).forward)  # (x, out, ...); users see (x, ...)
        return own.replace(parameters=[p for p in own.parameters.values() if p.name != "out"])

    def __reduce__(self):
        from minikeras import activations

        if activations._names.get(_origin(self).__name__) is _origin(self):
            return activations.get, (self.keras_name,)
        return super().__reduce__()

    def __repr__(self):
        return f"<activation {self.__name__}>"


class _Unknown:
    """The ``x`` of a function that is asked what it would do to it; see `unwrap`."""


def unwrap(function):
    """Return the `ActivationFunction` that ``function`` calls with other arguments, or None.

    ``lambda x: relu(x, max_value=6)`` and ``functools.partial(relu, max_value=6)`` are how Keras scripts write such
    activations. They are called with a value that nothing but an activation accepts.
    """
    try:
        found = function(_Unknown())
    except Exception:  # whatever a function of arrays does with what is none
        return None
    return found if isinstance(found, ActivationFunction) else None


def _origin(function):
    return function.__dict__.get("origin", function)


def _same(value, default):
    return type(value) is type(default) and value == default


def _listed(arguments):
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _default_dtype():
    from minikeras import config

    return config.floatx()
