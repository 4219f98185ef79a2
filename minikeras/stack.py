"""How a stack of layers runs: forward and backward, in shares of the batch.

Most layers compute each row of a batch by itself. Where neighbouring layers of that kind have enough to do, each thread
takes its share of the batch through all of them: one hand-over for many layers, and arrays that are still in cache when
the next layer reads them. Everything else runs on the whole batch: layers that look across rows (batch normalization,
dropout with its one generator, every custom layer), wide dense layers, which cut their products across the weights, and
layers with little to do. For those a second thread costs more than it saves: both need the interpreter lock between any
two NumPy calls, and a thread that finds it taken sleeps for longer than a short call lasts.
"""

import math

import numpy as np

from minikeras.kernels import threads

HEAVY = 1e-4  # seconds that a layer must have to do on each share


class Stack:
    """Layers that are built, in order, each the input of the next."""

    def __init__(self, layers):
        self.layers = layers
        self._teams = [layers]  # the layers for each share: the layers themselves, then their twins
        self._plans = {}
        self._plan = []  # of the last forward pass
        self._buffers = {}
        self.mask = None  # of the last outputs: which of them count, a bool array (batch, ...), or None for all

    @property
    def casts_inputs(self):
        """Whether inputs are made floats; not those of a first layer that takes integers."""
        return self.layers[0].casts_inputs

    def forward(self, x, training=False, mask=None):
        """Return the outputs for ``x`` (batch, ...); they may be overwritten by the next call.

        ``mask``, of the inputs, is passed on from layer to layer; that of the outputs is left in `mask`.
        """
        self._plan = self._make_plan(x.shape)
        for segment in self._plan:
            x, mask = self._forward(segment, x, training, mask)
        self.mask = mask
        return x

    def backward(self, dy, logits=False):
        """Given dL/doutputs (``logits``: dL/dlogits of the last layer), fill the gradients of all trainable weights.

        Layers below the lowest one with trainable weights are left out.
        """
        lowest = next((i for i, layer in enumerate(self.layers) if layer.trainable_weights), len(self.layers))
        for i, layer in enumerate(self.layers):
            layer.needs_input_gradient = i > lowest
        self._backward_all(dy, logits, lowest)

    def input_gradient(self, dy, logits=False):
        """Fill the gradients of all weights and return dL/dinputs."""
        for i, layer in enumerate(self.layers):
            layer.needs_input_gradient = i > 0 or layer.casts_inputs
        return self._backward_all(dy, logits, 0)

    def _backward_all(self, dy, logits, lowest):
        for segment in reversed(self._plan):
            if segment.stop <= lowest:
                break
            dy = self._backward(segment, dy, logits, max(segment.start, lowest))
            logits = False
        return dy

    def _forward(self, segment, x, training, mask):
        if len(segment.bounds) == 2:
            return run_forward(self.layers[segment.start : segment.stop], x, training, mask)
        dtype = self.layers[segment.stop - 1].dtype
        y = self._buffer(("outputs", segment.stop), (len(x), *segment.output_shape), dtype)
        self._gather_teams(segment)
        masks = [None] * (len(segment.bounds) - 1)

        def run(share, start, stop):
            part = None if mask is None else mask[start:stop]
            team = self._teams[share][segment.start : segment.stop]
            y[start:stop], masks[share] = run_forward(team, x[start:stop], training, part)

        threads.run_shares(run, segment.bounds)
        return y, None if masks[0] is None else np.concatenate(masks)

    def _backward(self, segment, dy, logits, first):
        """Take ``dy`` back to the inputs of the layer number ``first``."""
        shares = len(segment.bounds) - 1
        if shares == 1:
            return run_backward(self.layers[first : segment.stop], dy, logits)
        for team in self._teams[1:shares]:
            for layer, twin in zip(self.layers[first : segment.stop], team[first : segment.stop]):
                twin.needs_input_gradient = layer.needs_input_gradient
        dx = None
        if self.layers[first].needs_input_gradient:
            dx = self._buffer(("dinputs", first), (len(dy), *segment.input_shape), self.layers[first].dtype)

        def run(share, start, stop):
            part = run_backward(self._teams[share][first : segment.stop], dy[start:stop], logits)
            if dx is not None:
                dx[start:stop] = part

        threads.run_shares(run, segment.bounds)
        for layer in self.layers[first : segment.stop]:
            for weight in layer.trainable_weights:
                weight.reduce_grad(shares)
        return dx

    def _make_plan(self, x_shape):
        """Return the segments for a batch of this shape."""
        key = (x_shape, threads.num_threads())
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= 64:  # batches of ever new sizes
                self._plans.clear()
            plan = self._plans[key] = plan_segments(self.layers, x_shape, threads.num_threads())
        return plan

    def _gather_teams(self, segment):
        while len(self._teams) < len(segment.bounds) - 1:
            self._teams.append([layer.twin() if _is_shareable(layer) else None for layer in self.layers])
        for team in self._teams[1 : len(segment.bounds) - 1]:
            for i in range(segment.start, segment.stop):
                self.layers[i].refresh_twin(team[i])

    def _buffer(self, name, shape, dtype):
        kept = self._buffers.get(name)
        if kept is None or kept.shape[1:] != shape[1:] or len(kept) < shape[0] or kept.dtype != dtype:
            kept = self._buffers[name] = np.empty(shape, dtype)
        return kept[: shape[0]]


class Segment:
    """Layers ``start`` to ``stop`` of a stack, which run together on the shares of the batch between ``bounds``."""

    def __init__(self, start, stop, bounds, input_shape, output_shape):
        self.start, self.stop = start, stop
        self.bounds = bounds
        self.input_shape, self.output_shape = input_shape, output_shape  # of a row


def plan_segments(layers, x_shape, num_threads):
    """Cut ``layers`` into segments for inputs of shape ``x_shape``.

    Each run of layers that compute rows independently is shared from its first to its last heavy layer.
    """
    rows = x_shape[0]
    shapes, heavy = [tuple(x_shape)], []
    for layer in layers:
        shapes.append(tuple(layer.compute_output_shape(shapes[-1])))
        seconds = _seconds_per_row(layer, shapes[-1]) * rows / num_threads
        heavy.append(_is_shareable(layer) and seconds >= HEAVY)
    shared = threads.split(rows, max(1, min(num_threads, rows)))
    segments, done = [], 0
    while done < len(layers):
        first = next((i for i in range(done, len(layers)) if heavy[i] and len(shared) > 2), len(layers))
        if first > done:
            segments.append(Segment(done, first, [0, rows], shapes[done][1:], shapes[first][1:]))
        if first < len(layers):
            end = next((i for i in range(first, len(layers)) if not _is_shareable(layers[i])), len(layers))
            last = max(i for i in range(first, end) if heavy[i])
            segments.append(Segment(first, last + 1, shared, shapes[first][1:], shapes[last + 1][1:]))
            done = last + 1
        else:
            done = first
    return segments


def _is_shareable(layer):
    """The penalty of an activity regularizer is of the outputs of the whole batch, and twins share layers inside, and a
    `call` that was set on the object and knows it."""
    is_plain = layer.activity_regularizer is None and not layer.sublayers and "call" not in vars(layer)
    return bool(layer.rows_independent) and is_plain


def _seconds_per_row(layer, output_shape):
    """A rough estimate of what the forward pass takes: a nanosecond a number, 20 multiplications a nanosecond."""
    numbers = math.prod(output_shape[1:])
    positions = numbers / max((w.shape[-1] for w in layer.weights if w.ndim), default=numbers or 1)
    return numbers * 1e-9 + sum(w.size for w in layer.weights) * positions / 20e9


def run_forward(layers, x, training, mask):
    """Return the outputs and their mask."""
    for layer in layers:
        y = layer.run(x, training, mask)
        if not layer.is_built_in:
            y = _checked_outputs(layer, x, y)
        if mask is not None or layer.makes_mask:
            mask = layer.run_mask(x, mask)
        x = y
    return x, mask


def run_backward(layers, dy, logits):
    for layer in reversed(layers):
        if layer.is_built_in:
            dy = layer.backward_logits(dy) if logits else layer.run_backward(dy)
        else:
            dy = _checked_backward(layer, dy)
        logits = False
    return dy


def _checked_outputs(layer, x, y):
    """Return what a custom layer has made of ``x``, if it is what it said it would be."""
    declared = tuple(layer.compute_output_shape(x.shape))
    if np.shape(y) != declared:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): `call` returned shape {np.shape(y)} for inputs of shape "
            f"{x.shape}, but `compute_output_shape` says {declared}"
        )
    return np.asarray(y, layer.dtype)


def _checked_backward(layer, dy):
    """Return dL/dinputs of a custom layer, if its `backward` has done all that it must."""
    for weight in layer.trainable_weights:
        weight.grad_is_set = False
    is_needed, layer.needs_input_gradient = layer.needs_input_gradient, True  # it may compute with what `super` returns
    dx = layer.run_backward(dy)
    layer.needs_input_gradient = is_needed
    for weight in layer.trainable_weights:
        if not weight.grad_is_set:
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}): `backward` did not set the gradient of its weight "
                f"{weight.name!r}. Assign it: self.{weight.name}.grad = ..., zeros if there is none"
            )
    if not layer.needs_input_gradient:
        return dx
    sizes = layer.input_shape[1:]
    if dx is None or np.ndim(dx) != len(sizes) + 1 or any(s not in (None, n) for s, n in zip(sizes, dx.shape[1:])):
        got = "None" if dx is None else f"an array of shape {np.shape(dx)}"
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): `backward` must return the gradient of the inputs, an "
            f"array of shape {layer.input_shape}. It returned {got}"
        )
    dx = np.asarray(dx, layer.dtype)
    return dx if dx.flags.writeable else dx.copy()  # np.broadcast_to, say; the next layer may overwrite it
