"""Recurrent layers: a cell that goes along a sequence, step by step."""

import numpy as np

from minikeras.layers.base import Layer
from minikeras.layers.custom_cell import CellRunner, call_cell, is_cell, output_size, state_sizes
from minikeras.layers.recurrent_cell import RecurrentCell
from minikeras.messages import warn
from minikeras.registry import to_snake_case


class StackedRNNCells(Layer):
    """Cells on top of one another: each takes the outputs of the one below it.

    Args:
        cells: list of `SimpleRNNCell`, `LSTMCell`, `GRUCell` and cells of your own, see `RNN`.

    Input shape: (batch, features). Output shape: (batch, size of the last cell's outputs).
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"`cells` must be a list of recurrent cells. Received: {cells!r}")
        self.cells = [_as_cell(cell) for cell in cells]

    @property
    def state_size(self):
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        return output_size(self.cells[-1])

    def build(self, input_shape):
        for cell in self.cells:
            cell.build_once(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def __call__(self, inputs, states, training=False):
        """Return (outputs, new states) of one step; ``states`` is a list of each cell's list."""
        new_states = []
        for cell, state in zip(self.cells, states):
            inputs, new = call_cell(cell, inputs, state, training)
            new_states.append(new)
        return inputs, new_states

    def get_initial_state(self, batch_size):
        return [_runner(cell).get_initial_state(batch_size)[-len(state_sizes(cell)) :] for cell in self.cells]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_size)


class RNN(Layer):
    """A cell that goes along sequences and remembers its state from step to step.

    Args:
        cell: `SimpleRNNCell`, `LSTMCell`, `GRUCell`, `StackedRNNCells`, or a list of cells to be stacked; or a layer of
            your own with the attribute ``state_size`` (an integer, or a list of them) and, if it differs from the first
            of these, ``output_size``, and with the methods ``call(inputs, states) -> outputs, new_states`` and, to be
            trained, ``backward(doutputs, dstates) -> dinputs, dstates_before``: see `layers/custom_cell.py`.
        return_sequences: whether to return the outputs of all steps, not of the last only.
        return_state: of Keras; must be False, since a Sequential model passes one array on.
        go_backwards: whether to start from the end; the outputs are in the order in which they are computed.
        stateful: whether the states at the end of a batch are those at the start of the next, row by row; the model
            needs a fixed batch size then, and `reset_state` sets them to zero. No gradient passes between batches.
        unroll: of Keras; changes nothing here.
        zero_output_for_mask: whether outputs are 0 where the mask is False; by default they stay what they were.

    Input shape: (batch, steps, features); with a mask (batch, steps), steps where it is False leave the states alone.
    Output shape: (batch, units), or (batch, steps, units) with ``return_sequences``.

    Raises:
        ValueError: bad arguments, inputs that are no sequences, or batches of another size than a stateful layer's.

    The derivative goes back through all steps (Werbos 1990).
    """

    takes_sequences = True
    supports_masking = True

    def __init__(
        self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
        zero_output_for_mask=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if return_state:
            raise ValueError(
                "`return_state` must be False: it would make several outputs, and layers here pass one array on. "
                "return_sequences=True returns the outputs of all steps"
            )
        self.cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else _as_cell(cell)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.states = None  # of a stateful layer, a list of arrays for each cell
        own = {i: cell for i, cell in enumerate(_each(self.cell)) if not isinstance(cell, RecurrentCell)}
        self._runners = {i: CellRunner(cell) for i, cell in own.items()}

    @property
    def _cells(self):
        return [self._runners.get(i, cell) for i, cell in enumerate(_each(self.cell))]

    @property
    def state_size(self):
        return state_sizes(self.cell)

    def get_initial_state(self, batch_size):
        """Return the cell's states before the first step, zeros."""
        runner = _runner(self.cell)
        return runner.get_initial_state(batch_size)[-len(self.state_size) :]

    def __call__(self, inputs, training=None, mask=None, initial_state=None):
        if initial_state is not None:
            raise ValueError(
                "`initial_state` must be None: a layer here takes one array. To go on from the states of the batch "
                f"before, make the layer stateful: {type(self).__name__}(..., stateful=True)"
            )
        return super().__call__(inputs, training, mask)

    def build(self, input_shape):
        self._check_shape(input_shape)
        if self.stateful and input_shape[0] is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) is stateful, so it must know the size of its batches: "
                "begin the model with Input(batch_shape=(batch, steps, features))"
            )
        self.cell.build_once((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=False, mask=None):
        x = np.swapaxes(inputs, 0, 1)
        if len(x) == 0:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes sequences of at least one step. Received inputs of "
                f"shape {inputs.shape}"
            )
        keep = None
        if mask is not None:
            keep = np.swapaxes(np.asarray(mask, bool), 0, 1)
            if keep.shape[:2] != x.shape[:2] or keep.ndim >= x.ndim:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}): `mask` must be of shape (batch, steps), "
                    f"{inputs.shape[:2]}. Received a mask of shape {np.shape(mask)}"
                )
            keep = keep.reshape(keep.shape + (1,) * (x.ndim - keep.ndim))
        if self.go_backwards:
            x, keep = x[::-1], None if keep is None else keep[::-1]
        x = np.ascontiguousarray(x)
        self.keep = keep
        finals = []
        for cell, states in zip(self._cells, self._first_states(len(inputs))):
            x, states = self._go(cell, x, states, keep, training)
            finals.append(states)
        if self.stateful:
            self.states = [[np.array(state) for state in states] for states in finals]
        if not self.return_sequences:
            return x[-1]
        outputs = self.buffer("outputs", (len(inputs), len(x), *x.shape[2:]))
        np.copyto(outputs, np.swapaxes(x, 0, 1))
        return outputs

    def backward(self, doutputs):
        steps = len(self._cells[0].x)
        doutputs = np.swapaxes(doutputs, 0, 1) if self.return_sequences else doutputs[None]
        cells = self._cells
        for i, cell in reversed(list(enumerate(cells))):
            doutputs = self._go_back(cell, doutputs, steps, self.needs_input_gradient or i > 0)
        if doutputs is None:
            return None
        if self.go_backwards:
            doutputs = doutputs[::-1]
        return np.swapaxes(doutputs, 0, 1)

    def _go(self, cell, x, states, keep, training):
        """Take ``cell`` along ``x`` (steps, batch, features); return the outputs of all steps and the last states."""
        cell.begin(x, training)
        if keep is None:
            for t in range(len(x)):
                states = cell.step(t, states)
            return cell.h, states
        outputs = self.buffer(f"outputs of {cell.name}", cell.h.shape)
        last = np.zeros_like(cell.h[0])
        for t in range(len(x)):
            new = cell.step(t, states)
            outputs[t] = np.where(keep[t], new[0], 0 if self.zero_output_for_mask else last)
            states = [np.where(keep[t], a, b) for a, b in zip(new, states)]
            last = outputs[t]
        return outputs, states

    def _go_back(self, cell, doutputs, steps, needs_input_gradient):
        """Take the gradient of the outputs, of all steps or of the last alone, back to the inputs of all steps."""
        cell.begin_back()
        dstates = cell.get_initial_state(doutputs.shape[1])
        carried = 0  # what belongs to the outputs of an earlier step
        for t in reversed(range(steps)):
            doutput = doutputs[t - steps] if t - steps >= -len(doutputs) else 0
            if self.keep is None:
                dstates = cell.step_back(t, [dstates[0] + doutput, *dstates[1:]])
                continue
            keep, doutput = self.keep[t], doutput + carried
            carried = 0 if self.zero_output_for_mask else np.where(keep, 0, doutput)
            held = [np.where(keep, 0, d) for d in dstates]
            new = [np.where(keep, d, 0) for d in dstates]
            new[0] += np.where(keep, doutput, 0)
            dstates = [a + b for a, b in zip(cell.step_back(t, new), held)]
        return cell.end(needs_input_gradient)

    def _first_states(self, batch):
        if not self.stateful or self.states is None:
            return [cell.get_initial_state(batch) for cell in self._cells]
        if len(self.states[0][0]) != batch:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) is stateful, and its states are of "
                f"{len(self.states[0][0])} sequences. Received a batch of {batch}: batches must have one size, or call "
                "reset_state()"
            )
        return self.states

    def reset_state(self):
        """Let a stateful layer start from zeros again."""
        self.states = None

    reset_states = reset_state

    def compute_mask(self, inputs, previous_mask):
        return previous_mask if self.return_sequences else None

    def compute_output_shape(self, input_shape):
        self._check_shape(input_shape)
        steps = (input_shape[1],) if self.return_sequences else ()
        return (input_shape[0], *steps, *self._output_sizes(input_shape[2:]))

    def _output_sizes(self, sizes):
        """Return the sizes of one step's outputs, given those of its inputs."""
        return (output_size(self.cell),)

    def _check_shape(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes sequences, (batch, steps, features). Received "
                f"inputs of shape {tuple(input_shape)}. If each step is one number, add an axis: x[..., None]"
            )
        cell = _each(self.cell)[0]
        if cell.built and input_shape[2] != cell._build_shape[-1]:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects {cell._build_shape[-1]} features. Received "
                f"{input_shape[2]}: inputs of shape {tuple(input_shape)}"
            )


def _as_cell(cell):
    if isinstance(cell, dict):  # a config
        from minikeras import layers

        cell = layers.deserialize(cell)
    if not is_cell(cell):
        raise ValueError(
            f"`cell` must be a SimpleRNNCell, LSTMCell, GRUCell or StackedRNNCells. Received: {cell!r}. A cell of your "
            "own is a layer with the attribute `state_size` and a method `call(self, inputs, states)`"
        )
    return cell


def _each(cell):
    return cell.cells if isinstance(cell, StackedRNNCells) else [cell]


def _runner(cell):
    return cell if isinstance(cell, (RecurrentCell, StackedRNNCells)) else CellRunner(cell)


class CellLayer(RNN):
    """Abstract recurrent layer that makes its cell from its own arguments: `SimpleRNN`, `LSTM`, `GRU`."""

    cell_class = None

    def __init_subclass__(cls, **kwargs):
        """The cell's arguments are the layer's too, under their names."""
        super().__init_subclass__(**kwargs)
        for name in set(cls.cell_class.argument_names()) - {"name", "trainable", "dtype"} - vars(cls).keys():
            setattr(cls, name, property(lambda self, name=name: getattr(self.cell, name)))

    def make_cell(self, options, **arguments):
        """Return the cell; ``options``, the layer's own keyword arguments, may hold things for it."""
        extra = {"implementation": options.pop("implementation")} if "implementation" in options else {}
        name = to_snake_case(self.cell_class.__name__)
        dtype, trainable = options.get("dtype"), options.get("trainable", True)
        return self.cell_class(**arguments, **extra, name=name, dtype=dtype, trainable=trainable)

    def get_config(self):
        config = super().get_config()
        return {name: value for name, value in config.items() if name not in ("cell", "use_cudnn")}


class SimpleRNNCell(RecurrentCell):
    """h_t = activation(x_t @ kernel + h_(t-1) @ recurrent_kernel + bias); Elman 1990

    Args:
        units: size of the state and the outputs.
        activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint: as in
            `Dense`, for three weights.
        dropout, recurrent_dropout: shares of the inputs, and of the states, to drop in training; in each batch the same
            ones at all steps (Gal and Ghahramani 2016).
        seed: integer; by default drawn from the global seed.

    Input shape: (batch, features). Output shape: (batch, units).
    """

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.keep_cell_arguments(
            units, dropout, recurrent_dropout, seed, 2, activation=activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    def step(self, t, states):
        z = self.z[t]
        z += self.recur(t, states[0])
        self.activated("logits", self.activation, z[:, 0], t, out=self.h[t])
        return [self.h[t]]

    def step_back(self, t, dstates):
        self.dz[t][:, 0] = self.logits_gradient("logits", self.activation, dstates[0], self.h[t], t)
        return [self.recur_back(self.dz[t])]


class SimpleRNN(CellLayer):
    """The simple recurrent layer: a `SimpleRNNCell` that goes along a sequence.

    Args:
        units to seed: as in `SimpleRNNCell`.
        return_sequences, return_state, go_backwards, stateful, unroll: as in `RNN`.
        activity_regularizer: of Keras, which leaves it out for this layer alone; so it changes nothing, and warns.

    Input shape: (batch, steps, features). Output shape: (batch, units), or (batch, steps, units).
    Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).
    """

    cell_class = SimpleRNNCell

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
        return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, seed=None,
        **kwargs,
    ):  # fmt: skip
        cell = self.make_cell(
            kwargs,
            units=units, activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed,
        )  # fmt: skip
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)
        if activity_regularizer is not None:
            warn(
                f"Layer {self.name!r} (SimpleRNN): `activity_regularizer` has no effect, as in Keras 3.15. Add "
                "ActivityRegularization behind the layer"
            )
