"""Cells of recurrent layers: what happens at one step of a sequence, and its derivative.

A cell gets the whole sequence first (`begin`), for the products of inputs and kernel do not wait for one another: they
are one matrix product for all steps. Then come the steps in order (`step`), each from the states before it. The
derivative goes through them the other way (`step_back`), and `end` makes the gradients of the kernels from all steps at
once. Arrays are (steps, batch, ...) inside; h is the first state and the output.
"""

import numpy as np

from minikeras import config
from minikeras.kernels.products import matmul
from minikeras.layers.base import Layer, positive_integer


class RecurrentCell(Layer):
    """Abstract cell of ``units`` with ``gates`` blocks of columns in its kernels.

    Weights: kernel (features, gates * units), recurrent_kernel (units, gates * units), bias.
    """

    gates = 1
    num_states = 1

    def keep_cell_arguments(self, units, dropout, recurrent_dropout, seed, implementation, **arguments):
        self.units = positive_integer(units, "units")
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)) or not 0 <= rate < 1:
                raise ValueError(f"`{name}` must be a number in [0, 1). Received: {name}={rate!r}")
        self.dropout, self.recurrent_dropout = float(dropout), float(recurrent_dropout)
        self.seed = seed
        self.generator = None
        self.implementation = 1 if recurrent_dropout else implementation  # 1: a dropout mask for each gate, as in Keras
        self.keep_arguments(**arguments)

    @property
    def state_size(self):
        return [self.units] * self.num_states if self.num_states > 1 else self.units

    @property
    def state_shape(self):
        """Shape of a state of one sequence."""
        return (self.units,)

    @property
    def output_size(self):
        return self.units

    def build(self, input_shape):
        if input_shape[-1] is None:
            raise ValueError(f"Layer {self.name!r} needs to know the number of features. Received shape {input_shape}")
        self.add_weights((input_shape[-1],), (self.units,))

    def add_weights(self, inputs, states):
        """Create the weights, given the kernels' axes before the columns."""
        columns = self.gates * self.units
        self.kernel = self.add_described_weight("kernel", (*inputs, columns))
        self.recurrent_kernel = self.add_weight(
            (*states, columns), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(), self._bias_initializer(), regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def _bias_shape(self):
        return (self.gates * self.units,)

    def _bias_initializer(self):
        return self.bias_initializer

    def __call__(self, inputs, states, training=False):
        """Return (outputs, new states) of one step: inputs (batch, features), states a list of (batch, units)."""
        inputs = np.asarray(inputs, self.dtype)
        self.build_once((None, *inputs.shape[1:]))
        return self.call(inputs, states, training)

    def call(self, inputs, states, training=False):
        self.begin(inputs[None], training)
        new = [np.array(state) for state in self.step(0, [np.asarray(state, self.dtype) for state in states])]
        return new[0], new

    def get_initial_state(self, batch_size):
        """Return the states before the first step, zeros."""
        return [np.zeros((batch_size, *self.state_shape), self.dtype) for _ in range(self.num_states)]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    # What all cells share.

    def begin(self, x, training):
        """Take in the inputs (steps, batch, features) and multiply them by the kernel."""
        shape = (len(x), x.shape[1], *self.state_shape)
        self.x = x
        self.input_masks = self._draw_masks(training and self.dropout, x.shape[1:])
        self.recurrent_masks = self._draw_masks(training and self.recurrent_dropout, shape[1:])
        self.z = self.buffer("z", (*shape[:-1], self.gates, self.units))  # logits, and later the gates
        columns = self.z.reshape(-1, self.gates * self.units)
        self.multiply(columns)
        if self.bias is not None:
            columns += self.bias.value if self.bias.ndim == 1 else self.bias.value[0]
        self.h_before = self.buffer("h_before", shape)
        self.h = self.buffer("h", shape)
        self.dz = self.drecurrent = None

    def multiply(self, columns):
        """Write the inputs of all steps times the kernel into ``columns`` (steps * batch, gates * units)."""
        if self.input_masks is None:
            matmul(self.x.reshape(-1, self.x.shape[-1]), self.kernel.value, out=columns)
            return
        for masked, gate in self._masked_inputs():
            columns[:, gate] = masked @ self.kernel.value[:, gate]

    def _draw_masks(self, rate, shape):
        """Return dropout masks (masks, *shape), which stay the same for all steps; None for no dropout."""
        if not rate:
            return None
        if self.generator is None:
            self.generator = config.make_generator(self.seed)
        count = self.gates if self.implementation == 1 else 1
        draws = self.generator.random((count, *shape), dtype=self.dtype)
        return (draws >= rate).astype(self.dtype) / np.asarray(1 - rate, self.dtype)

    def _masked_inputs(self):
        """Yield (inputs (steps * batch, features) times a mask, the columns that they are for)."""
        width = self.gates * self.units // len(self.input_masks)
        for i, mask in enumerate(self.input_masks):
            yield (self.x * mask).reshape(-1, self.x.shape[-1]), slice(i * width, (i + 1) * width)

    def recur(self, t, h, gates=None):
        """Return h @ recurrent_kernel (batch, gates, units), of the first ``gates`` gates, and remember h."""
        gates = gates or self.gates
        self.h_before[t] = h
        kernel = self.recurrent_kernel.value
        if self.recurrent_masks is None:
            return (h @ kernel[:, : gates * self.units]).reshape(len(h), gates, self.units)
        kernels = kernel.reshape(self.units, self.gates, self.units).transpose(1, 0, 2)
        return ((h * self.recurrent_masks)[:gates] @ kernels[:gates]).transpose(1, 0, 2)

    def recur_back(self, dproduct):
        """Return dL/dh for the gradient of what `recur` returned."""
        gates = dproduct.shape[1]
        kernel = self.recurrent_kernel.value
        if self.recurrent_masks is None:
            return dproduct.reshape(len(dproduct), -1) @ kernel[:, : gates * self.units].T
        kernels = kernel.reshape(self.units, self.gates, self.units).transpose(1, 2, 0)
        return np.einsum("gbu,gbu->bu", dproduct.transpose(1, 0, 2) @ kernels[:gates], self.recurrent_masks[:gates])

    def begin_back(self):
        """Make room for the gradients of the logits (`dz`) and of what `recur` returned (`drecurrent`)."""
        self.dz = self.drecurrent = self.buffer("dz", self.z.shape)

    def end(self, needs_input_gradient):
        """Set the weights' gradients, and return that of the inputs."""
        rows = self.dz.reshape(-1, self.gates * self.units)
        if self.trainable:
            self._end_weights(rows)
        if not needs_input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        if self.input_masks is None:
            matmul(rows, self.kernel.value.T, out=dx.reshape(-1, dx.shape[-1]))
            return dx
        dx[...] = 0
        width = rows.shape[1] // len(self.input_masks)
        for i, mask in enumerate(self.input_masks):
            gate = slice(i * width, (i + 1) * width)
            dx += (rows[:, gate] @ self.kernel.value[:, gate].T).reshape(dx.shape) * mask
        return dx

    def _end_weights(self, rows):
        if self.input_masks is None:
            matmul(self.x.reshape(-1, self.x.shape[-1]).T, rows, out=self.kernel.grad)
        else:
            for masked, gate in self._masked_inputs():
                self.kernel.grad[:, gate] = masked.T @ rows[:, gate]
        self._recurrent_gradient(range(self.gates), self.h_before)
        if self.bias is not None and self.bias.ndim == 1:
            rows.sum(axis=0, out=self.bias.grad)

    def _recurrent_gradient(self, gates, h):
        """Set the gradient of the recurrent kernel's columns of ``gates``, which multiply ``h`` at each step."""
        gradient = self.recurrent_kernel.grad.reshape(self.units, self.gates, self.units)
        for gate in gates:
            masked = h if self.recurrent_masks is None else h * self.recurrent_masks[gate]
            dgate = self.drecurrent[:, :, gate].reshape(-1, self.units)
            gradient[:, gate] = masked.reshape(-1, self.units).T @ dgate

    def activated(self, name, function, z, t, out=None):
        """Return ``function`` of the logits ``z``, which are kept under ``name`` if its derivative needs them."""
        if function.needs_input:
            self.buffer(name, (len(self.z), *z.shape))[t] = z
        out = z if out is None else out
        function.forward(z, out)
        return out

    def logits_gradient(self, name, function, dy, y, t):
        """Return dL/dz for y = function(z)."""
        z = self.buffer(name, (len(self.z), *y.shape))[t] if function.needs_input else None
        dz = np.empty(y.shape, y.dtype)
        function.gradient(dy, z, y, dz)
        return dz
