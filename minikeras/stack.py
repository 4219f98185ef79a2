"""How a stack of layers runs: forward and backward, in shares of the batch.

Most layers compute each row of a batch by itself. Neighbouring layers of that kind form a `Segment`, and each thread
takes its share of the batch through the whole segment: one hand-over for many layers, and arrays that are still in
cache when the next layer reads them. Layers that look at the whole batch (batch normalization, dropout with its one
generator, wide dense layers that are cut across their weights, and every custom layer) stand between segments.
"""

import math

import numpy as np

from minikeras.kernels import threads

WORTHWHILE = 2e-4  # seconds of work from which sharing it between threads pays for the hand-over


class Stack:
    """Layers that are built, in order, each the input of the next."""

    def __init__(self, layers):
        self.layers = layers
        self.segments = []
        for layer in layers:
            if layer.rows_independent and self.segments and self.segments[-1].rows_independent:
                self.segments[-1].layers.append(layer)
            else:
                self.segments.append(Segment([layer], bool(layer.rows_independent)))

    def forward(self, x, training=False):
        """Return the outputs for ``x`` (batch, ...); they may be overwritten by the next call."""
        for segment in self.segments:
            x = segment.forward(x, training)
        return x

    def backward(self, dy, logits=False):
        """Given dL/doutputs (``logits``: dL/dlogits of the last layer), fill the gradients of all trainable weights.

        Layers below the lowest one with trainable weights are left out.
        """
        lowest = next((i for i, layer in enumerate(self.layers) if layer.trainable_weights), len(self.layers))
        for i, layer in enumerate(self.layers):
            layer.needs_input_gradient = i > lowest
        self._backward(dy, logits, lowest)

    def input_gradient(self, dy, logits=False):
        """Fill the gradients of all weights and return dL/dinputs."""
        for layer in self.layers:
            layer.needs_input_gradient = True
        return self._backward(dy, logits, 0)

    def _backward(self, dy, logits, lowest):
        stop = len(self.layers)
        for segment in reversed(self.segments):
            start = stop - len(segment.layers)
            if stop <= lowest:
                break
            dy = segment.backward(dy, logits, max(lowest - start, 0))
            logits, stop = False, start
        return dy


class Segment:
    """Neighbouring layers that run together: on shares of the batch if all are `rows_independent`."""

    def __init__(self, layers, rows_independent):
        self.layers = layers
        self.rows_independent = rows_independent
        self.teams = [layers]  # the layers for each share: the layers themselves, then their twins
        self.bounds = None  # of the shares in the last forward pass
        self._buffers = {}
        self._estimates = {}

    def forward(self, x, training):
        self.bounds = self._split(x)
        shares = len(self.bounds) - 1
        if shares == 1:
            return _forward(self.layers, x, training)
        self._gather_teams(shares)
        self.x_shape = x.shape
        y = self._buffer("outputs", (len(x), *self._estimate(x.shape)[1]), x.dtype)

        def run(share, start, stop):
            y[start:stop] = _forward(self.teams[share], x[start:stop], training)

        threads.run_shares(run, self.bounds)
        return y

    def backward(self, dy, logits, first):
        """Take ``dy`` back to the inputs of the layer number ``first``."""
        shares = len(self.bounds) - 1
        if shares == 1:
            return _backward(self.layers[first:], dy, logits)
        for team in self.teams[1:shares]:
            for layer, twin in zip(self.layers, team):
                twin.needs_input_gradient = layer.needs_input_gradient
                twin._trainable = layer._trainable
        wanted = self.layers[first].needs_input_gradient
        dx = self._buffer("dinputs", self.x_shape, dy.dtype) if wanted else None

        def run(share, start, stop):
            part = _backward(self.teams[share][first:], dy[start:stop], logits)
            if wanted:
                dx[start:stop] = part

        threads.run_shares(run, self.bounds)
        for layer in self.layers[first:]:
            for weight in layer.trainable_weights:
                weight.reduce_grad(shares)
        return dx

    def _split(self, x):
        if not self.rows_independent or len(x) < 2 or threads.num_threads() == 1:
            return [0, len(x)]
        if len(x) * self._estimate(x.shape)[0] < WORTHWHILE:
            return [0, len(x)]
        return threads.split(len(x), min(threads.num_threads(), len(x)))

    def _gather_teams(self, shares):
        while len(self.teams) < shares:
            self.teams.append([layer.twin() for layer in self.layers])
        for team in self.teams[1:shares]:
            for layer, twin in zip(self.layers, team):
                layer.refresh_twin(twin)

    def _estimate(self, x_shape):
        """Return (seconds a row takes, roughly; shape of an output row) for inputs of this shape."""
        known = self._estimates.get(x_shape[1:])
        if known is None:
            seconds, shape = 0.0, tuple(x_shape)
            for layer in self.layers:
                shape = layer.compute_output_shape(shape)
                numbers = math.prod(shape[1:])
                positions = numbers / max(1, max((w.shape[-1] for w in layer.weights if w.ndim), default=1))
                multiplications = sum(w.size for w in layer.weights) * positions
                seconds += numbers * 1e-9 + multiplications / 20e9
            known = self._estimates[x_shape[1:]] = seconds, tuple(shape[1:])
        return known

    def _buffer(self, name, shape, dtype):
        kept = self._buffers.get(name)
        if kept is None or kept.shape[1:] != shape[1:] or len(kept) < shape[0] or kept.dtype != dtype:
            kept = self._buffers[name] = np.empty(shape, dtype)
        return kept[: shape[0]]


def _forward(layers, x, training):
    for layer in layers:
        x = layer.run(x, training)
    return x


def _backward(layers, dy, logits):
    for layer in reversed(layers):
        dy = layer.backward_logits(dy) if logits else layer.backward(dy)
        logits = False
    return dy
