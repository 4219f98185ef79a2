"""Layers whose arithmetic is given as an argument: any function, any einsum equation."""

import re

import numpy as np

from minikeras.layers.activated import ActivatedLayer
from minikeras.layers.base import Layer


class Lambda(Layer):
    """outputs = function(inputs)

    Args:
        function: ``function(inputs, **arguments)`` of an array (batch, ...); it may ask for ``mask`` and ``training``.
        output_shape: shape of an output without the batch axis, or a function of the input's shape; by default found by
            a call on zeros.
        mask: mask of the outputs, or a function of (inputs, mask).
        arguments: dict of further arguments.
        gradient: ``gradient(inputs, doutputs)`` that returns dL/dinputs. Without it, layers before this one can predict
            but not be trained.

    Input shape: any. Output shape: the function's.

    Raises:
        TypeError: it is no function. ValueError: a config from a file: code in files is not run.
    """

    def __init__(self, function, output_shape=None, mask=None, arguments=None, gradient=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(function, dict):
            raise ValueError(
                "A Lambda layer is not restored from a config or a file, which would run the code in it. Build the "
                "model with the function and load its weights, or write a layer of your own"
            )
        if not callable(function):
            raise TypeError(f"`function` must be a function of an array. Received: {function!r}")
        self.function = function
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self.arguments = arguments or {}
        self.gradient = gradient
        code = getattr(function, "__code__", None)
        names = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self._asks_for = [name for name in ("mask", "training") if name in names]

    def call(self, inputs, training=False, mask=None):
        self.inputs = inputs if training else None
        given = {"mask": mask, "training": training}
        options = self.arguments | {name: given[name] for name in self._asks_for}
        return np.asarray(self.function(inputs, **options), self.dtype)

    def backward(self, doutputs):
        if self.gradient is None:
            if not self.needs_input_gradient:
                return None
            raise NotImplementedError(
                f"Layer {self.name!r} (Lambda) has no gradient, so the layers before it cannot be trained: give it "
                "gradient=..., a function of (inputs, doutputs) that returns dL/dinputs"
            )
        return np.array(self.gradient(self.inputs, doutputs), self.dtype)

    def compute_mask(self, inputs, previous_mask):
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape):
        if self._output_shape is None:
            return Layer.compute_output_shape(self, input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        shape = self._output_shape
        return (input_shape[0], *(shape if isinstance(shape, (tuple, list)) else (shape,)))

    def get_config(self):
        """Return the config with the function's name only."""
        config = {name: getattr(self, name) for name in ("name", "trainable", "arguments")}
        function = {"class_name": "function", "config": getattr(self.function, "__name__", "custom")}
        return config | {"function": function}


class EinsumDense(ActivatedLayer):
    """outputs = activation(einsum(equation, inputs, kernel) + bias)

    Args:
        equation: as ``"abc,cd->abd"``: the axes of inputs, kernel and outputs; the batch first. ``...`` may stand
            for further axes, before or after the others.
        output_shape: shape of an output without the batch axis and those of ``...``; None for sizes that are the
            input's.
        activation: name or function.
        bias_axes: axes of the outputs that the bias has, as ``"d"``; None for no bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            as in `Dense`.

    Input and output shape: the axes of the equation, in its order. Weights: kernel, likewise; bias, the outputs' axes
    from the first of ``bias_axes`` on, with 1 for those that it has not.

    Raises:
        ValueError: an equation that makes no sense for the inputs.
    """

    def __init__(
        self, equation, output_shape, activation=None, bias_axes=None, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.equation = equation
        dots = r"(\.\.\.)?"
        axes = "([a-zA-Z]+)"
        parts = re.fullmatch(f"{dots}{axes}{dots},{axes}->{dots}{axes}{dots}", equation or "")
        if parts is None or parts[1] != parts[5] or parts[3] != parts[7] or (parts[1] and parts[3]):
            raise ValueError(
                "`equation` must have the form 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'. Received: "
                f"{equation!r}"
            )
        self._axes = parts[2], parts[4], parts[6]
        self._dots_first = bool(parts[1])
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.keep_arguments(
            activation=activation, bias_axes=bias_axes, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.kernel = self.bias = None

    def build(self, input_shape):
        inputs, kernel, outputs = self._axes
        output_shape = self.compute_output_shape(input_shape)
        size = self._sizes(outputs, output_shape) | self._sizes(inputs, input_shape)
        for name in (*outputs, *kernel):
            if name not in inputs + (kernel if name in outputs else outputs):
                raise ValueError(f"Axis {name!r} of the equation {self.equation!r} has no size: it is on one side only")
        initializer = self.kernel_initializer
        if hasattr(initializer, "input_axes") and initializer.input_axes is None:
            sums = [i for i, name in enumerate(kernel) if name not in outputs]
            makes = [i for i, name in enumerate(kernel) if name in outputs]
            initializer = type(initializer)(**{**initializer.get_config(), "input_axes": sums, "output_axes": makes})
        shape = tuple(size[name] for name in kernel)
        if None in shape:
            raise ValueError(
                f"Layer {self.name!r} (EinsumDense) needs to know the sizes of the kernel's axes {kernel!r}. Received "
                f"inputs of shape {tuple(input_shape)}: sizes {shape}"
            )
        self.kernel = self.add_weight(
            shape, initializer, regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel"
        )
        if self.bias_axes:
            self.bias = self.add_described_weight("bias", self._bias_shape(outputs, size, len(output_shape)))

    def _sizes(self, names, shape):
        shape = shape[len(shape) - len(names) :] if self._dots_first else shape[: len(names)]
        return dict(zip(names, shape))

    def _bias_shape(self, outputs, size, rank):
        """Size 1 for axes that the bias has not, from its first axis on."""
        if not set(self.bias_axes) <= set(outputs):
            raise ValueError(f"`bias_axes` must be axes of the outputs, {outputs!r}. Received: {self.bias_axes!r}")
        first = min(outputs.index(name) for name in self.bias_axes)
        shape = tuple(size[name] if name in self.bias_axes else 1 for name in outputs[first:])
        return shape if self._dots_first else shape + (1,) * (rank - len(outputs))

    def call(self, inputs, training=False):
        self.inputs = inputs if training else None
        outputs = np.einsum(self.equation, inputs, self.kernel.value, optimize=True)
        outputs = np.ascontiguousarray(outputs)
        if self.bias is not None:
            outputs += self.bias.value
        self.keep(outputs, training)
        self.activate(outputs, training)
        return outputs

    def backward_logits(self, dlogits):
        inputs, kernel, outputs = self._axes
        dots = "..." if "..." in self.equation else ""
        first, last = (dots, "") if self._dots_first else ("", dots)
        x, y = f"{first}{inputs}{last}", f"{first}{outputs}{last}"
        if self.trainable:
            self.kernel.grad = np.einsum(f"{x},{y}->{kernel}", self.inputs, dlogits, optimize=True)
            if self.bias is not None:
                self.bias.grad = _sum_to(dlogits, self.bias.shape)
        if not self.needs_input_gradient:
            return None
        known = "".join(name for name in inputs if name in kernel + outputs)
        dx = np.einsum(f"{y},{kernel}->{first}{known}{last}", dlogits, self.kernel.value, optimize=True)
        if known != inputs:  # axes that the equation sums over and the kernel has not
            lead = dx.ndim - len(known) if self._dots_first else 0
            for i, name in enumerate(inputs):
                if name not in known:
                    dx = np.expand_dims(dx, lead + i)
        return np.array(np.broadcast_to(dx, self.inputs.shape))

    def compute_output_shape(self, input_shape):
        inputs, _, outputs = self._axes
        input_shape = tuple(input_shape)
        others = len(input_shape) - len(inputs)
        if others < 0 or (others and "..." not in self.equation):
            raise ValueError(
                f"Layer {self.name!r} (EinsumDense) takes inputs with the axes {inputs!r} of {self.equation!r}. "
                f"Received inputs of shape {input_shape}"
            )
        given = list(self.partial_output_shape)
        if self._dots_first:
            shape = (*input_shape[: max(others, 1)], *given)
        else:
            shape = (input_shape[0], *given, *input_shape[len(inputs) :])
        known = self._sizes(inputs, input_shape)
        start = len(shape) - len(outputs) if self._dots_first else 0
        shape = list(shape)
        for i, name in enumerate(outputs):
            place = start + i
            if name in known and place:
                if shape[place] not in (None, known[name]) and known[name] is not None:
                    raise ValueError(
                        f"`output_shape` {self.partial_output_shape} does not fit the equation {self.equation!r} and "
                        f"inputs of shape {input_shape}: axis {name!r} has the sizes {shape[place]} and {known[name]}"
                    )
                shape[place] = known[name]
        return tuple(shape)

    def get_config(self):
        config = super().get_config()
        return {**config, "output_shape": self.partial_output_shape}


def _sum_to(gradient, shape):
    """Sum ``gradient`` over the axes along which an array of ``shape`` was broadcast."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)
