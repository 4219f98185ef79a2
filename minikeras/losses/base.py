"""What a loss is: losses of samples, weighted and reduced to one number, and the derivative of that number."""

import math

import numpy as np

from minikeras import config
from minikeras.losses.arguments import axes_of, without
from minikeras.messages import warn
from minikeras.registry import Configurable, auto_name

_GRADIENTS = ("gradient", "weighted_gradient", "_derivative")
_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def quiet():
    """Decorator: infinities and NaN pass without NumPy's warnings, for training gives one of its own that says more.

    So does what underflows, as exp(-1e4): 0 is right."""
    return np.errstate(all="ignore")


class Loss(Configurable):
    """Base class of losses. A custom one has two methods:

        class Huber(Loss):
            def call(self, y_true, y_pred):              # one loss for each sample
                error = abs(y_true - y_pred)
                return np.where(error < 1, error**2 / 2, error - 0.5).mean(-1)

            def gradient(self, y_true, y_pred):          # of the mean over the samples, by y_pred
                return np.clip(y_pred - y_true, -1, 1) / y_pred.size

    Both get arrays of the loss's dtype, and ``y_true`` of shape (batch,) as (batch, 1) if the predictions are so.

    Args:
        name: string.
        reduction: ``"sum_over_batch_size"`` or ``"mean"``, sum(w * losses) / n; ``"sum"``, sum(w * losses);
            ``"mean_with_sample_weight"``, sum(w * losses) / sum(w); ``"none"`` or None, w * losses.
        dtype: ``"float32"`` or ``"float64"``; by default `config.floatx()`.

    Attributes:
        fuses_with: name of the activation whose derivative `logits_gradient` takes together with the loss's, or None.
    """

    keras_module = "keras.losses"
    fuses_with = None
    has_logits_gradient = False  # of a class of its own: a subclass with another `call` must not inherit it
    _axis = -1  # axis, or axes, of the predictions that the losses do not have; None for all
    _warned = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        own = vars(cls)
        cls.has_logits_gradient = "_logits_derivative" in own
        if "call" in own and not any(name in own for name in _GRADIENTS) and super(cls, cls).call is not Loss.call:
            for name in _GRADIENTS:  # those of another `call` are no longer true
                setattr(cls, name, getattr(Loss, name))

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in _REDUCTIONS:
            raise ValueError(f"`reduction` must be one of {_REDUCTIONS}. Received: reduction={reduction!r}")
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self.dtype = config.standardize_dtype(dtype)

    def call(self, y_true, y_pred):
        """Return the losses, an array of shape (batch, ...): y_pred's shape without the last axis."""
        raise NotImplementedError(f"{type(self).__name__} has no `call(self, y_true, y_pred)`")

    def gradient(self, y_true, y_pred):
        """Return d(reduced loss)/d(y_pred), in y_pred's shape; for reduction ``"none"`` that of the losses' sum."""
        return self._scaled(self._derivative, y_true, y_pred).reshape(np.shape(y_pred))

    @quiet()
    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the reduced loss, a float (for reduction ``"none"`` the array of losses).

        Args:
            y_true: targets.
            y_pred: predictions, shape (batch, ..., k).
            sample_weight: scalar or array that broadcasts to the losses, its first axis being the batch; masks go in
                here, see `apply_mask`.
        """
        y_true, y_pred = self._prepare(y_true, y_pred)
        losses = self.call(y_true, y_pred)
        weights = None
        if sample_weight is not None:
            weights = weights_of(sample_weight, np.shape(losses), self.dtype)
            losses = losses * weights
        if self.reduction in (None, "none"):
            return losses
        divisor = self._divisor(y_true, y_pred, np.shape(losses), weights)
        return float(np.sum(losses)) / divisor if divisor else 0.0

    def weighted_gradient(self, y_true, y_pred, sample_weight=None):
        """Return the derivative of ``self(y_true, y_pred, sample_weight)`` by y_pred."""
        shape = np.shape(y_pred)
        y_true, y_pred = self._prepare(y_true, y_pred)
        gradient = np.array(self.gradient(y_true, y_pred), self.dtype)  # a custom one may return what it keeps
        if gradient.shape != y_pred.shape:
            raise ValueError(
                f"`gradient` of the loss {self.name!r} must return y_pred's shape {y_pred.shape}. Received: "
                f"{gradient.shape}"
            )
        if sample_weight is not None:
            gradient = self._weighted(gradient, y_true, y_pred, sample_weight)
        return gradient.reshape(shape)

    def logits_gradient(self, y_true, y_pred, sample_weight=None):
        """Return the derivative of the reduced loss by the logits whose activation ``fuses_with`` gave y_pred.

        It is exact where the probabilities' own derivative has vanished: with a wrong answer at probability 1 it is 1,
        and the product of the two separate derivatives is 0.
        """
        shape = np.shape(y_pred)
        gradient = self._scaled(self._logits_derivative, y_true, y_pred)
        if sample_weight is not None:
            gradient = self._weighted(gradient, *self._prepare(y_true, y_pred), sample_weight)
        return gradient.reshape(shape)

    def apply_mask(self, y_true, y_pred, sample_weight, mask):
        """Return sample weights that stand for ``mask``, which says what counts beside what the loss itself leaves out.

        They differ from `apply_mask`'s only where the loss has a mask of its own, as with ``ignore_class``: then a mean
        is that over what both count.
        """
        weights = apply_mask(sample_weight, mask, self.reduction, self.dtype)
        if mask is None or self.reduction not in ("sum_over_batch_size", "mean"):
            return weights
        y_true, y_pred = self._prepare(y_true, y_pred)
        own = self._mask(y_true, y_pred)
        if own is None:
            return weights
        both = np.count_nonzero(own & align_weights(mask, own.shape, bool))
        share = np.count_nonzero(mask) / np.size(mask)  # `apply_mask` has divided by it
        return weights * np.asarray(share * np.count_nonzero(own) / both if both else 0.0, self.dtype)

    def check_targets(self, y, output_shape, layer):
        """Raise an error, or warn, about targets that do not fit the model's outputs.

        Args:
            y: array of targets, of the whole training set or of a batch.
            output_shape: the model's output shape, with None for the batch.
            layer: the last layer, to be named.

        What a custom loss reads from ``y`` is its own affair: here only the usual mistake is warned of.
        """
        if y.ndim == len(output_shape) and output_shape[-1] == 1 and y.shape[-1] > 1:
            self._warn_once(
                f"`y` has shape {y.shape} and the last layer {layer.name!r} puts out {output_shape}: they will "
                f"broadcast in the loss {self.name!r}. If that is meant, override its `check_targets`"
            )

    def get_config(self):
        config = super().get_config()
        config.pop("dtype", None)  # as Keras
        return config

    # What built-in losses define in place of `gradient`.

    def _derivative(self, y_true, y_pred):
        """d(losses)/d(y_pred), a new array."""
        raise NotImplementedError(
            f"The loss {self.name!r} has no gradient, so it can evaluate but not train: subclass `losses.Loss` with "
            "`call(self, y_true, y_pred)` and `gradient(self, y_true, y_pred)`, or give a function the attribute "
            "`gradient`, see `losses.LossFunctionWrapper`"
        )

    def _mask(self, y_true, y_pred):
        """Which losses count, a bool array of the losses' shape; None for all."""

    def _reduced_axes(self, y_true, y_pred):
        """The axes of the predictions that the losses do not have, from 0, in order."""
        return axes_of(self._axis, y_pred.ndim)

    # Shared arithmetic.

    def _prepare(self, y_true, y_pred):
        """Return both as arrays, of the loss's dtype, with Keras' added or dropped last axis of 1."""
        return match_ranks(np.asarray(y_true, self.dtype), np.asarray(y_pred, self.dtype))

    def _divisor(self, y_true, y_pred, shape, weights=None):
        """What the sum of the losses, of ``shape``, is divided by."""
        if self.reduction in ("sum", "none", None) or shape == ():
            return 1
        mask = self._mask(y_true, y_pred)
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            return float(np.sum(weights if mask is None else weights * mask))
        return math.prod(shape) if mask is None else int(np.count_nonzero(mask))

    @quiet()
    def _scaled(self, derivative, y_true, y_pred):
        """The derivative of the reduced loss, from that of the losses."""
        y_true, y_pred = self._prepare(y_true, y_pred)
        gradient = derivative(y_true, y_pred)
        shape = without(y_pred.shape, self._reduced_axes(y_true, y_pred))
        gradient *= 1 / (self._divisor(y_true, y_pred, shape) or 1)
        return gradient

    @quiet()
    def _weighted(self, gradient, y_true, y_pred, sample_weight):
        """The gradient, with each sample's share scaled as the weights scale the reduced loss."""
        axes = self._reduced_axes(y_true, y_pred)
        shape = without(y_pred.shape, axes)
        weights = weights_of(sample_weight, shape, gradient.dtype)
        # `gradient` is of the loss without weights: a mean of their sum, or of one loss that became many
        if self.reduction == "mean_with_sample_weight" or not shape:
            weighted_shape = np.broadcast_shapes(shape, weights.shape)
            divisor = self._divisor(y_true, y_pred, weighted_shape, weights) or math.inf
            weights = weights * np.asarray(self._divisor(y_true, y_pred, shape) / divisor, gradient.dtype)
        if not shape:
            return gradient * weights.sum()
        if not weights.ndim:
            return gradient * weights
        return gradient * (weights[..., None] if self._axis == -1 else np.expand_dims(weights, axes))

    def _warn_once(self, message):
        if not self._warned:
            self._warned = True
            warn(message)


class LossFunctionWrapper(Loss):
    """A function of (y_true, y_pred) as a loss. To train with it, give it its derivative as the attribute ``gradient``:

        def cubic(y_true, y_pred):                       # one loss for each sample
            return (abs(y_pred - y_true) ** 3).mean(-1)

        def slope(y_true, y_pred):                       # of each sample's loss, by its own predictions
            error = y_pred - y_true
            return 3 * error * abs(error) / error.shape[-1]

        cubic.gradient = slope

    Args:
        fn: function ``fn(y_true, y_pred, **kwargs)``, or another callable object.
        reduction: see `Loss`.
        name: string, by default the function's.
        dtype: see `Loss`.
        **kwargs: passed on to ``fn`` and its ``gradient``.
    """

    _axis = None  # see `_reduced_axes`

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true, y_pred):
        return np.asarray(self.fn(y_true, y_pred, **self._fn_kwargs))

    def _derivative(self, y_true, y_pred):
        if not callable(getattr(self.fn, "gradient", None)):
            return super()._derivative(y_true, y_pred)
        gradient = np.array(self.fn.gradient(y_true, y_pred, **self._fn_kwargs), self.dtype)
        if gradient.shape != y_pred.shape:
            raise ValueError(
                f"`gradient` of the loss function {self.name!r} must return y_pred's shape {y_pred.shape}. Received: "
                f"{gradient.shape}"
            )
        return gradient

    def _reduced_axes(self, y_true, y_pred):
        """Functions may return one loss for each sample, for each number of the predictions, or for the batch."""
        shape = np.shape(self.call(y_true, y_pred))
        if shape != y_pred.shape[: len(shape)]:
            raise ValueError(
                f"To train, the loss function {self.name!r} must return losses of shape {y_pred.shape[:-1]}, one for "
                f"each sample. Received: {shape}"
            )
        return tuple(range(len(shape), y_pred.ndim))

    def get_config(self):
        fn = serialize_function(self.fn)
        return {"name": self.name, "reduction": self.reduction, "fn": fn, **self._fn_kwargs}


def serialize_function(function):
    """Return a function's config as Keras writes it."""
    name = getattr(function, "__name__", type(function).__name__)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": getattr(function, "keras_name", name),
        "registered_name": "function",
    }


def floating(x):
    """Return ``x`` as an array of floats: its own type, or `config.floatx()`."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(config.floatx())


def match_ranks(first, second):
    """Return both arrays, with a last axis of 1 added to or taken from one whose rank differs by 1, as Keras does."""
    difference = first.ndim - second.ndim
    if difference == 1 and first.shape[-1] == 1:
        return (first, second[:, None]) if second.ndim == 1 else (first[..., 0], second)
    if difference == -1 and second.shape[-1] == 1:
        return (first[:, None], second) if first.ndim == 1 else (first, second[..., 0])
    return first, second


def paired(y_true, y_pred):
    """Return targets and predictions as float arrays of one shape, or raise a ValueError that names both shapes."""
    y_pred = floating(y_pred)
    y_true, y_pred = match_ranks(np.asarray(y_true, y_pred.dtype), y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"`y_true` and `y_pred` must have the same shape. Received: {y_true.shape} and {y_pred.shape}, which would "
            "broadcast or fail"
        )
    return y_true, y_pred


def weights_of(sample_weight, shape, dtype):
    """`align_weights`; and for a single loss of the whole batch any weights: each multiplies it, as in Keras."""
    if shape:
        return align_weights(sample_weight, shape, dtype)
    weights = np.asarray(sample_weight, dtype)
    return weights.reshape(()) if weights.shape == (1,) else weights


def align_weights(sample_weight, shape, dtype):
    """Return the weights as an array that multiplies losses of ``shape``: the first axes are those of the losses."""
    weights = np.asarray(sample_weight, dtype)
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if 0 < weights.ndim < len(shape):
        weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    if weights.ndim and (weights.ndim > len(shape) or any(w not in (1, s) for w, s in zip(weights.shape, shape))):
        raise ValueError(
            f"`sample_weight` of shape {np.shape(sample_weight)} does not fit losses of shape {shape}: give one weight "
            "for each sample"
        )
    return weights


def apply_mask(sample_weight, mask, reduction, dtype):
    """Return sample weights that are 0 where ``mask`` (bool, of the losses' shape) is False; None without either.

    For means those that count grow by total / valid, so that a sum divided by the number of all losses becomes the mean
    over those that count; if none does, all weights are 0.
    """
    if mask is None:
        return sample_weight
    mask = np.asarray(mask, bool)
    weights = mask.astype(dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        weights *= mask.size / max(np.count_nonzero(mask), 1)
    if sample_weight is None:
        return weights
    weights, sample_weight = match_ranks(weights, np.asarray(sample_weight, dtype))
    return weights * align_weights(sample_weight, weights.shape, dtype)
