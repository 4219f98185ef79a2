"""Cells of one's own, as Keras has them: a layer whose `call` takes the states of the step before.

    class Leaky(keras.layers.Layer):
        state_size = 8                                     # or a list, one number a state

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 8), name="kernel")

        def call(self, inputs, states):
            self.inputs = inputs
            h = 0.9 * states[0] + inputs @ self.kernel
            return h, [h]                                  # outputs, new states

        def backward(self, doutputs, dstates):             # Keras differentiates by itself
            dh = doutputs + dstates[0]
            self.kernel.grad = self.inputs.T @ dh
            return dh @ self.kernel.value.T, [0.9 * dh]    # dL/dinputs, dL/dstates of the step before
"""

import numpy as np

from minikeras.layers.base import Layer
from minikeras.layers.contents import copy_sharing_weights
from minikeras.layers.recurrent_cell import RecurrentCell


def is_cell(cell):
    """Whether a layer can be a recurrent layer's cell."""
    return isinstance(cell, Layer) and hasattr(cell, "state_size")


def state_sizes(cell):
    """The sizes of a cell's states as a list."""
    return list(cell.state_size) if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]


def output_size(cell):
    """The size of a cell's outputs: by default that of its first state."""
    size = getattr(cell, "output_size", None)
    return state_sizes(cell)[0] if size is None else size


def call_cell(cell, inputs, states, training):
    """Return (outputs, list of new states) of one step of any cell."""
    if isinstance(cell, RecurrentCell):
        return cell(inputs, states, training)
    takes_training = "training" in cell._call_takes
    outputs, new = cell.call(inputs, states, **({"training": training} if takes_training else {}))
    return outputs, list(new) if isinstance(new, (list, tuple)) else [new]


class CellRunner:
    """What `RNN` asks of a `RecurrentCell`, for a cell of one's own.

    Its outputs need not be a state, so they are kept as one more, the first, that no step looks at. In training each
    step is run on a copy of the cell, which remembers what the step's derivative needs, and so do the layers inside.
    """

    def __init__(self, cell):
        self.cell, self.name = cell, cell.name

    def get_initial_state(self, batch_size):
        outputs = np.zeros((batch_size, output_size(self.cell)), self.cell.dtype)
        make = getattr(self.cell, "get_initial_state", None)
        if make is None:
            states = [np.zeros((batch_size, size), self.cell.dtype) for size in state_sizes(self.cell)]
        else:
            states = make(batch_size=batch_size)
        return [outputs, *(states if isinstance(states, (list, tuple)) else [states])]

    def begin(self, x, training):
        self.x = x
        copy = copy_sharing_weights if self.cell.sublayers else Layer.twin
        self.steps = [copy(self.cell) for _ in x] if training else [self.cell] * len(x)
        self.training = training
        self.h = np.empty((*x.shape[:2], output_size(self.cell)), self.cell.dtype)

    def step(self, t, states):
        outputs, new = call_cell(self.steps[t], self.x[t], list(states[1:]), self.training)
        expected = [self.h[t].shape] + [np.shape(state) for state in states[1:]]
        received = [np.shape(array) for array in (outputs, *new)]
        if received != expected:
            raise ValueError(
                f"Cell {self.name!r} ({type(self.cell).__name__}) must return outputs and a list of new states of the "
                f"shapes {expected}, by its `output_size` and `state_size`. Received: {received}"
            )
        self.h[t] = outputs
        return [self.h[t], *map(np.array, new)]  # which may be buffers of the cell

    def begin_back(self):
        if type(self.cell).backward is Layer.backward:
            raise NotImplementedError(
                f"Cell {self.name!r} ({type(self.cell).__name__}) cannot be trained: write a method `backward(self, "
                "doutputs, dstates)` that sets `.grad` of each weight, for this step alone, and returns the gradient "
                "of the inputs and a list of those of the states"
            )
        self.totals = [np.zeros_like(weight.value) for weight in self.cell.trainable_weights]
        self.dx = np.empty_like(self.x)

    def step_back(self, t, dstates):
        self.dx[t], before = self.steps[t].backward(np.array(dstates[0]), [np.array(d) for d in dstates[1:]])
        for total, weight in zip(self.totals, self.cell.trainable_weights):
            total += weight.grad
        return [np.zeros_like(dstates[0]), *(before if isinstance(before, (list, tuple)) else [before])]

    def end(self, needs_input_gradient):
        for total, weight in zip(self.totals, self.cell.trainable_weights):
            weight.grad = total
        return self.dx
