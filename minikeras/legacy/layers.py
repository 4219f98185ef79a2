"""Layers by names of Keras 1, which took the sizes of a kernel as single integers: ``Convolution2D(32, 3, 3)``."""

import functools

from minikeras.legacy.arguments import Call, rewrite
from minikeras.legacy.warning import deprecate

# Old name -> the present one, and whether Keras 3 still has the old name for it.
CONVOLUTIONS = {
    "AtrousConvolution2D": ("Conv2D", False),
    "AtrousConv2D": ("Conv2D", False),
    "Convolution1D": ("Conv1D", True),
    "Convolution2D": ("Conv2D", True),
    "Convolution3D": ("Conv3D", True),
    "Convolution1DTranspose": ("Conv1DTranspose", True),
    "Convolution2DTranspose": ("Conv2DTranspose", True),
    "Convolution3DTranspose": ("Conv3DTranspose", True),
    "Deconvolution2D": ("Conv2DTranspose", False),
    "Deconvolution3D": ("Conv3DTranspose", False),
    "SeparableConvolution1D": ("SeparableConv1D", True),
    "SeparableConvolution2D": ("SeparableConv2D", True),
}


class OldClass(type):
    """The class of classes that stand for another one: calling them makes objects of the other."""

    def __call__(cls, *args, **kwargs):
        if "present" not in vars(cls):  # a subclass of one's own
            return super().__call__(*args, **kwargs)
        args, kwargs = cls.convert(args, kwargs)
        return cls.present(*args, **kwargs)

    def __instancecheck__(cls, instance):
        return isinstance(instance, vars(cls).get("present", ())) or super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass):
        return super().__subclasscheck__(subclass) or (
            "present" in vars(cls) and type(subclass).__subclasscheck__(cls.present, subclass)
        )


@functools.lru_cache(None)
def find(name):
    """Return the class that stands for an old name, or None."""
    from inspect import signature

    from minikeras import layers

    if name == "ThresholdedReLU":
        present, convert, known = layers.ReLU, _convert_threshold, False
    elif name in CONVOLUTIONS:
        present, known = CONVOLUTIONS[name]
        present = getattr(layers, present)
        convert = functools.partial(_convert_kernel, name, present)
    else:
        return None
    if not known:
        deprecate(f"`{name}` is an old name: use `layers.{present.__name__}`")
    contents = {
        "present": present,
        "convert": staticmethod(convert),
        "__doc__": present.__doc__,
        "__signature__": signature(present),
        "__module__": "minikeras.layers",
        **({"rank": present.rank} if hasattr(present, "rank") else {}),
    }
    return OldClass(name, (present,), contents)


def _convert_kernel(name, present, args, kwargs):
    """Three integers: Keras 1 meant (filters, rows, columns), Keras 3 means (filters, kernel_size, strides)."""
    call = Call(present, present.argument_names(), args, kwargs, name)
    sizes = args[1:3]
    if present.rank == 2 and len(set(sizes)) == 2 and all(isinstance(size, int) for size in sizes):
        if not call.has_old("layers"):
            raise ValueError(
                f"{name}{args} may mean two things. For a kernel of {sizes[0]} rows and {sizes[1]} columns, as in "
                f"Keras 1, write {present.__name__}({args[0]}, {sizes}); for steps of {sizes[1]}, "
                f"{present.__name__}({args[0]}, {sizes[0]}, strides={sizes[1]})"
            )
    return rewrite(call, "layers", is_old=True) or (args, kwargs)


def _convert_threshold(args, kwargs):
    kwargs = dict(kwargs)
    if args and "theta" in kwargs or len(args) > 1:
        raise TypeError(f"ThresholdedReLU takes one argument, `theta`. Received: {args}, {kwargs}")
    return (), {"threshold": args[0] if args else kwargs.pop("theta", 1.0), **kwargs}
