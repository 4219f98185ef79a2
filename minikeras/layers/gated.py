"""Recurrent layers with gates, which decide what is remembered: LSTM and GRU."""

import numpy as np

from minikeras.layers.recurrent import CellLayer
from minikeras.layers.recurrent_cell import RecurrentCell


class BaseLSTMCell(RecurrentCell):
    """Abstract: the four gates of a cell with the states h and c, whatever makes their logits; see `LSTMCell`."""

    gates = 4
    num_states = 2

    def _bias_initializer(self):
        if not self.unit_forget_bias:
            return self.bias_initializer

        def initialize(shape, dtype=None):
            n = self.units
            parts = [self.bias_initializer((n,), dtype), np.ones(n), self.bias_initializer((2 * n,), dtype)]
            return np.concatenate(parts).astype(dtype)

        return initialize

    def begin(self, x, training):
        super().begin(x, training)
        self.c, self.c_before, self.tanh_c = (
            self.buffer(name, self.h.shape) for name in ("c", "c_before", "tanh_c")
        )

    def step(self, t, states):
        h, c = states
        z, new = self.z[t], self.c[t]
        z += self.recur(t, h)
        self.c_before[t] = c
        i, f, g, o = (z[..., gate, :] for gate in range(4))
        self.activated("i, f", self.recurrent_activation, z[..., :2, :], t)
        self.activated("g", self.activation, g, t)
        self.activated("o", self.recurrent_activation, o, t)
        np.multiply(f, c, out=new)
        new += i * g
        self.activation.forward(new, self.tanh_c[t])
        np.multiply(o, self.tanh_c[t], out=self.h[t])
        return [self.h[t], new]

    def step_back(self, t, dstates):
        dh, dc = dstates
        z, dz, tanh_c = self.z[t], self.dz[t], self.tanh_c[t]
        i, f, g, o = (z[..., gate, :] for gate in range(4))
        through_c = np.empty_like(tanh_c)
        self.activation.gradient(dh * o, self.c[t], tanh_c, through_c)
        dc = dc + through_c
        dz[..., 0, :] = dc * g
        dz[..., 1, :] = dc * self.c_before[t]
        dz[..., :2, :] = self.logits_gradient("i, f", self.recurrent_activation, dz[..., :2, :], z[..., :2, :], t)
        dz[..., 2, :] = self.logits_gradient("g", self.activation, dc * i, g, t)
        dz[..., 3, :] = self.logits_gradient("o", self.recurrent_activation, dh * tanh_c, o, t)
        return [self.recur_back(dz), dc * f]


class LSTMCell(BaseLSTMCell):
    """Long short-term memory, with the gates i (input), f (forget), o (output) and the candidate g

    i, f, o = sigmoid(x @ kernel + h @ recurrent_kernel + bias), g = tanh(the same), columns in the order i, f, g, o;
    c_t = f c_(t-1) + i g, h_t = o tanh(c_t). Hochreiter and Schmidhuber 1997; Gers et al. 2000 for f.

    Args:
        recurrent_activation: of the gates; ``activation`` is that of g and of c.
        unit_forget_bias: whether the bias of f starts from 1.
        implementation: 1 for a dropout mask of its own for each gate, 2 for one; always 1 with recurrent dropout.
        others: as in `SimpleRNNCell`.

    Input shape: (batch, features). Output shape: (batch, units). States: [h, c].
    """

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
        seed=None, **kwargs,
    ):  # fmt: skip
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.keep_cell_arguments(
            units, dropout, recurrent_dropout, seed, implementation, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip


class LSTM(CellLayer):
    """Long short-term memory: an `LSTMCell` that goes along a sequence.

    Args:
        units to seed: as in `LSTMCell`.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        use_cudnn: of Keras; changes nothing here.
        activity_regularizer: of the outputs.

    Input shape: (batch, steps, features). Output shape: (batch, units), or (batch, steps, units).
    Weights: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units,).
    """

    cell_class = LSTMCell

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
        dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
        go_backwards=False, stateful=False, unroll=False, use_cudnn="auto", **kwargs,
    ):  # fmt: skip
        cell = self.make_cell(
            kwargs,
            units=units, activation=activation, recurrent_activation=recurrent_activation,
            use_bias=use_bias, unit_forget_bias=unit_forget_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed,
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.use_cudnn = use_cudnn


class GRUCell(RecurrentCell):
    """Gated recurrent unit, with the gates z (update), r (reset) and the candidate g

    z, r = sigmoid(x @ kernel + h @ recurrent_kernel + biases); g = tanh(x @ kernel + bias + r (h @ recurrent_kernel +
    recurrent bias)), or with ``reset_after=False`` g = tanh(x @ kernel + (r h) @ recurrent_kernel + bias); columns in
    the order z, r, g; h_t = z h_(t-1) + (1 - z) g. Cho et al. 2014, arXiv:1406.1078, versions 3 and 1.

    Args:
        reset_after: which of the two; the first has two biases, (2, 3 * units).
        others: as in `LSTMCell`.

    Input shape: (batch, features). Output shape: (batch, units).
    """

    gates = 3

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
        seed=None, **kwargs,
    ):  # fmt: skip
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.keep_cell_arguments(
            units, dropout, recurrent_dropout, seed, implementation, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, reset_after=reset_after,
        )  # fmt: skip

    def _bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def begin(self, x, training):
        super().begin(x, training)
        self.inner = self.buffer("inner", self.h.shape)  # what r multiplies, or what it gives

    def begin_back(self):
        super().begin_back()
        if self.reset_after:
            self.drecurrent = self.buffer("drecurrent", self.z.shape)

    def step(self, t, states):
        h = states[0]
        gates, inner = self.z[t], self.inner[t]
        product = self.recur(t, h, 3 if self.reset_after else 2)
        if self.reset_after and self.bias is not None:
            product += self.bias.value[1].reshape(3, -1)
        gates[:, :2] += product[:, :2]
        self.activated("z, r", self.recurrent_activation, gates[:, :2], t)
        z, r, g = gates[:, 0], gates[:, 1], gates[:, 2]
        if self.reset_after:
            inner[...] = product[:, 2]
            g += r * inner
        else:
            np.multiply(r, self._for_candidate(h), out=inner)
            g += inner @ self.recurrent_kernel.value[:, 2 * self.units :]
        self.activated("g", self.activation, g, t)
        np.subtract(h, g, out=self.h[t])
        self.h[t] *= z
        self.h[t] += g
        return [self.h[t]]

    def step_back(self, t, dstates):
        dh = dstates[0]
        h, inner, dz = self.h_before[t], self.inner[t], self.dz[t]
        z, r, g = self.z[t][:, 0], self.z[t][:, 1], self.z[t][:, 2]
        dz[:, 2] = self.logits_gradient("g", self.activation, dh * (1 - z), g, t)
        dz[:, 0] = dh * (h - g)
        if self.reset_after:
            dz[:, 1] = dz[:, 2] * inner
        else:
            dinner = dz[:, 2] @ self.recurrent_kernel.value[:, 2 * self.units :].T
            dz[:, 1] = dinner * self._for_candidate(h)
        dz[:, :2] = self.logits_gradient("z, r", self.recurrent_activation, dz[:, :2], self.z[t][:, :2], t)
        if self.reset_after:
            self.drecurrent[t] = dz
            self.drecurrent[t][:, 2] *= r
            return [dh * z + self.recur_back(self.drecurrent[t])]
        return [dh * z + self.recur_back(dz[:, :2]) + self._for_candidate(dinner * r)]

    def _for_candidate(self, h):
        """The state as the candidate sees it, which is its own derivative too."""
        return h if self.recurrent_masks is None else h * self.recurrent_masks[2]

    def _end_weights(self, rows):
        super()._end_weights(rows)
        if not self.reset_after:
            gradient = self.recurrent_kernel.grad[:, 2 * self.units :]
            gradient[...] = self.inner.reshape(-1, self.units).T @ self.dz[:, :, 2].reshape(-1, self.units)
        elif self.bias is not None:
            rows.sum(axis=0, out=self.bias.grad[0])
            self.drecurrent.reshape(rows.shape).sum(axis=0, out=self.bias.grad[1])


class GRU(CellLayer):
    """Gated recurrent units: a `GRUCell` that goes along a sequence.

    Args:
        units to seed: as in `GRUCell`.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        use_cudnn: of Keras; changes nothing here.
        activity_regularizer: of the outputs.

    Input shape: (batch, steps, features). Output shape: (batch, units), or (batch, steps, units).
    Weights: kernel (features, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units), or (3 units,) without
    ``reset_after``.
    """

    cell_class = GRUCell

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
        recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
        stateful=False, unroll=False, reset_after=True, use_cudnn="auto", **kwargs,
    ):  # fmt: skip
        cell = self.make_cell(
            kwargs,
            units=units, activation=activation, recurrent_activation=recurrent_activation,
            use_bias=use_bias, reset_after=reset_after, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed,
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.use_cudnn = use_cudnn
