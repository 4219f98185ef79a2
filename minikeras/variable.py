"""A weight: its value, the gradient that `backward` fills, and what applies to it (regularizer, constraint)."""

import functools

import numpy as np

from minikeras import config
from minikeras.kernels import threads


class Variable(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that belongs to a layer or an optimizer, with its gradient.

    Attributes:
        value: the array itself, written in place by optimizers and by `assign`. Its memory may move (an optimizer
            packs the weights it updates side by side), so look it up each time.
        grad: array of the same shape, written by `Layer.backward`: ``w.grad = ...`` copies into it, and
            ``np.matmul(a, b, out=w.grad)`` computes in place. Each thread that takes a share of the batch has one of
            its own; `reduce_grad` adds them up.

    In NumPy expressions a variable stands for its value: ``inputs @ layer.kernel``.
    """

    def __init__(self, value, name="variable", trainable=True, regularizer=None, constraint=None):
        if not isinstance(value, np.ndarray):  # numbers and lists of them
            value = np.array(value, None if isinstance(value, np.generic) else config.floatx())
        self.value = value
        self.name = name
        self.path = name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint
        self._grads = {}  # share of the batch -> array
        self.grad_is_set = False  # set to True by whoever asks for `grad`, to write it

    @property
    def shape(self):
        return self.value.shape

    @property
    def dtype(self):
        return self.value.dtype.name

    @property
    def ndim(self):
        return self.value.ndim

    @property
    def size(self):
        return self.value.size

    @property
    def grad(self):
        self.grad_is_set = True
        share = threads.current_share()
        grad = self._grads.get(share)
        if grad is None:
            grad = self._grads[share] = np.zeros_like(self.value)
        return grad

    @grad.setter
    def grad(self, gradient):
        gradient = np.asarray(gradient)
        if gradient.shape != self.value.shape:
            raise ValueError(
                f"The gradient of weight '{self.path}' must have the weight's shape {self.value.shape}. "
                f"Received a gradient of shape {gradient.shape}"
            )
        np.copyto(self.grad, gradient)

    def reduce_grad(self, shares):
        """Add the gradients of the first ``shares`` shares of the batch up, in `grad` of share 0."""
        total = self._grads[0]
        for share in range(1, shares):
            total += self._grads[share]

    def move(self, value, grad):
        """Let `value` and `grad` live in the arrays given, from now on."""
        np.copyto(value, self.value)
        np.copyto(grad, self.grad)
        self.value, self._grads[0] = value, grad

    def assign(self, value):
        """Copy ``value`` (an array of the same shape) into the variable."""
        value = np.asarray(value)
        if value.shape != self.value.shape:
            raise ValueError(
                f"The value assigned to variable '{self.path}' must have shape {self.value.shape}. "
                f"Received shape {value.shape}"
            )
        np.copyto(self.value, value, casting="same_kind" if value.dtype.kind == "f" else "unsafe")

    def assign_add(self, value):
        self.assign(self.value + value)

    def assign_sub(self, value):
        self.assign(self.value - value)

    def numpy(self):
        """Return a copy of the value."""
        return self.value.copy()

    def __array__(self, dtype=None, copy=None):
        if copy or (dtype is not None and np.dtype(dtype) != self.value.dtype):
            return np.array(self.value, dtype=dtype)
        return self.value

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [x.value if isinstance(x, Variable) else x for x in inputs]
        if any(isinstance(x, Variable) for x in kwargs.get("out", ())):
            raise TypeError(f"Variable '{self.path}' is not changed by operators: use assign, assign_add or assign_sub")
        return getattr(ufunc, method)(*plain, **kwargs)

    def __len__(self):
        return len(self.value)

    def __bool__(self):
        return bool(self.value)

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __format__(self, spec):
        return format(self.value if self.ndim else self.value.item(), spec)

    def __getitem__(self, index):
        return self.value[index]

    def __setstate__(self, state):
        """joblib lets processes share large arrays read-only; a variable is written in place, so it takes a copy."""
        self.__dict__.update(state)
        self.value = self.value if self.value.flags.writeable else self.value.copy()
        self._grads = {share: grad if grad.flags.writeable else grad.copy() for share, grad in self._grads.items()}

    def __deepcopy__(self, memo):
        import copy

        twin = type(self)(self.value.copy(), self.name, self.trainable)
        twin.path = self.path
        twin.regularizer = copy.deepcopy(self.regularizer, memo)
        twin.constraint = copy.deepcopy(self.constraint, memo)
        return twin

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


def name_may_come_first(add_weight):
    """Let ``add_weight("total", shape)`` of Keras 2 mean ``add_weight(shape, name="total")``: no shape is a string."""

    @functools.wraps(add_weight)
    def wrapper(self, *args, **kwargs):
        if args and isinstance(args[0], str):
            from minikeras.legacy.warning import deprecate

            name, *args = args
            if len(args) > 1 or "name" in kwargs:
                raise TypeError(
                    "`add_weight` takes no more than `name` and `shape` by position in the order of Keras 2. Received: "
                    f"{name!r}, then {tuple(args)} and {kwargs}. Write add_weight(shape, initializer, name={name!r})"
                )
            deprecate(f"add_weight({name!r}, ...) is an old spelling: add_weight(shape, ..., name={name!r})")
            kwargs["name"] = name
        return add_weight(self, *args, **kwargs)

    return wrapper
