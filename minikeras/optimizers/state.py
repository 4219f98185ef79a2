"""The state of an optimizer: its learning rate, how many steps it has taken, and the slots kept beside each weight.

It is what is saved with a model's weights, in Keras' order; copies of an optimizer have their own.
"""

import math
import re

import numpy as np

from minikeras import config
from minikeras.optimizers.numbers import Number, Scalar, check_learning_rate, check_number
from minikeras.optimizers.packing import ACCUMULATOR, AVERAGE, KEPT, pack
from minikeras.optimizers.schedules import LearningRateSchedule
from minikeras.optimizers.schedules import deserialize as deserialize_schedule
from minikeras.registry import Configurable, serialize
from minikeras.variable import Variable


class State(Configurable):
    """The part of an `Optimizer` that is kept from step to step."""

    elementwise = True  # False: `update` gets each weight whole, in its shape

    def __init__(self, name, learning_rate):
        self.name = name
        self.built = False
        self._no_decay = ((), ())  # variables, patterns of names
        self._iterations = self._make_variable(np.zeros((), "int32"), "iteration", Scalar)
        self._learning_rate = learning_rate
        if not _computes(learning_rate):
            initial = np.array(check_learning_rate(learning_rate), config.floatx())
            self._learning_rate = self._make_variable(initial, "learning_rate", Scalar)
        self._forget_places()

    # What a leaf class says.

    def slots(self):
        """Return the names of the slots, arrays kept beside each weight.

        A name, or a tuple of names whose slots alternate: Keras saves ("momentum", "velocity") as the first weight's
        momentum, its velocity, the second weight's momentum, ..., but "velocity", "momentum" as all velocities, then
        all momentums.
        """
        return []

    def slot_start(self, name, variable):
        """Return what a slot starts from: a number, or an array of the weight's shape.

        If the class is not `elementwise`, also an array of the shape and dtype that the slot has, or None for a weight
        without that slot.
        """
        return 0.0

    def slot_name(self, name, variable):
        """Return the name of the variable that a slot is saved as."""
        return f"{variable.path.replace('/', '_')}_{name}"

    def scalars(self):
        """Return a dict of names and initial values of numbers that are kept, in the variables `self.scalar[name]`."""
        return {}

    # The numbers.

    @property
    def learning_rate(self):
        """The learning rate, which can be used as a number.

        It is kept, rounded to `config.floatx()`, in a variable that is saved: ``optimizer.learning_rate = 0.1`` or
        ``optimizer.learning_rate.assign(0.1)`` changes it. A schedule's is computed, and refuses to be changed.
        """
        rate = self._learning_rate
        if isinstance(rate, Scalar):
            return rate
        return Number(rate(self._iterations) if isinstance(rate, LearningRateSchedule) else rate())

    @learning_rate.setter
    def learning_rate(self, value):
        if _computes(value):
            self._learning_rate = value
        elif getattr(self._learning_rate, "of_decay", False):
            self._learning_rate.initial_learning_rate = check_learning_rate(value)
        elif not isinstance(self._learning_rate, Scalar):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object or a function as its `learning_rate` "
                "constructor argument, hence its learning rate is not settable. If you need the learning rate to be "
                "settable, you should instantiate the optimizer with a float `learning_rate` argument. Received: "
                f"learning_rate={value!r}"
            )
        else:  # training may pause at 0, though it cannot start there
            expected = "a positive finite number, as 0.001, or 0"
            self._learning_rate.value[()] = check_number(value, "learning_rate", expected, lambda v: 0 <= v < math.inf)

    @property
    def settable_rate(self):
        """What setting `learning_rate` replaces: with the `decay` of Keras 2, what it starts from."""
        rate = self._learning_rate
        return float(rate.initial_learning_rate if getattr(rate, "of_decay", False) else self.learning_rate)

    @property
    def lr(self):
        """The learning rate, as Keras 1 and 2 called it."""
        from minikeras import legacy

        return legacy.base_rate(self)

    @lr.setter
    def lr(self, value):
        from minikeras import legacy

        legacy.set_base_rate(self, value)

    @property
    def iterations(self):
        """How many steps were taken, which can be used as a number; with accumulated gradients, how many updates."""
        if self.gradient_accumulation_steps:
            return self._make_variable(self._iterations.value // self.gradient_accumulation_steps, "iteration", Scalar)
        return self._iterations

    @property
    def updates(self):
        """`iterations` as an int."""
        return int(self._iterations.value) // (self.gradient_accumulation_steps or 1)

    @property
    def variables(self):
        """All state, a list of `Variable` in Keras' order: iteration, learning_rate (unless computed), slots."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Scalar) else []
        return [self._iterations, *rate, *self._slot_variables, *self.scalar.values()]

    def expected_variables(self, variables):
        """Return (shape, dtype) of each of `variables` as they will be when built for these weights."""
        own = [self._iterations] + [self._learning_rate] * isinstance(self._learning_rate, Scalar)
        expected = [(v.shape, v.dtype) for v in own]
        for variable, _, start in self._plan_slots(variables):
            of_weight = self.elementwise or not isinstance(start, np.ndarray)
            expected.append((variable.shape, variable.dtype) if of_weight else (start.shape, start.dtype.name))
        return expected + [((), _dtype(variables))] * len(self.scalars())

    def _plan_slots(self, variables):
        """Return (variable, name, what it starts from) of each slot, in Keras' order."""
        kept = [AVERAGE] * bool(self.use_ema) + [ACCUMULATOR] * bool(self.gradient_accumulation_steps)
        plan = [(variable, name, 0.0) for name in kept for variable in variables]
        for group in self._groups():
            slots = ((v, name, self.slot_start(name, v)) for v in variables for name in group)
            plan += [slot for slot in slots if slot[2] is not None]
        return plan

    def _groups(self):
        return [(group,) if isinstance(group, str) else group for group in self.slots()]

    def build(self, variables):
        """Create the slots of ``variables``. Other variables than last time start a new state."""
        variables = list({id(v): v for v in variables}.values())
        if self.built:
            if [id(v) for v in variables] == [id(v) for v in self._trainable_variables]:
                return
            self._iterations.assign(0)
        self._forget_places()
        self._trainable_variables = variables
        self._names = [name for group in self._groups() for name in group]
        plan = self._plan_slots(variables)
        kept = dict.fromkeys(name for _, name, _ in plan if name in KEPT)
        for place in pack(variables, [*kept, *self._names], plan, self._decays, self.elementwise):
            self._places[id(place.variable)] = place
        for variable, name, _ in plan:
            slot = self._places[id(variable)].slots[name]
            self._slot_variables.append(self._make_variable(slot, self.slot_name(name, variable)))
        for name, value in self.scalars().items():
            self.scalar[name] = self._make_variable(np.array(value, _dtype(variables)), name, Scalar)
        self.built = True

    def knows(self, variable):
        """Return whether the optimizer was built with this variable."""
        return id(variable) in self._places

    def set_weights(self, weights):
        """Assign arrays to `variables`, one each."""
        if not self.built:
            raise ValueError("`set_weights()` needs a built optimizer: `build(trainable_variables)` first")
        if [np.shape(weight) for weight in weights] != [v.shape for v in self.variables]:
            raise ValueError(
                f"`weights` must be arrays of the shapes {[v.shape for v in self.variables]}. Received the shapes "
                f"{[np.shape(weight) for weight in weights]}"
            )
        for variable, weight in zip(self.variables, weights):
            variable.assign(weight)

    def _forget_places(self):
        self._trainable_variables = []
        self._places = {}  # id of a variable -> Place
        self._slot_variables = []
        self.scalar = {}  # name -> variable
        self._plan = (None, [], [])
        self._scratch = {}

    def _make_variable(self, value, name, kind=Variable):
        variable = kind(value, name, trainable=False)
        variable.path = f"{self.name}/{name}"
        return variable

    def __getstate__(self):
        """Copies and pickles hold the variables, and pack them again."""
        state = {**self.__dict__, "_state": [v.numpy() for v in self.variables] if self.built else None}
        for derived in ("_places", "_slot_variables", "scalar", "_plan", "_scratch"):
            del state[derived]
        return state

    def __setstate__(self, state):
        values, variables = state.pop("_state"), state.pop("_trainable_variables")
        self.__dict__.update(state, built=False)
        self._forget_places()
        if values is not None:
            self.build(variables)
            for variable, value in zip(self.variables, values):
                variable.assign(value)

    def get_config(self):
        """Return a dict of the constructor's arguments; the learning rate is the present one."""
        settings = super().get_config()
        rate = self._learning_rate
        return {**settings, "learning_rate": rate.item() if isinstance(rate, Scalar) else serialize(rate)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return a new optimizer from what `get_config` returned."""
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            config = {**config, "learning_rate": deserialize_schedule(rate, custom_objects)}
        if rate != 0:
            return super().from_config(config)
        paused = super().from_config({**config, "learning_rate": 1.0})
        paused.learning_rate = 0.0
        return paused

    # Weight decay.

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Let weight decay leave some variables alone; to be called before `build`.

        Args:
            var_list: list of variables.
            var_names: list of patterns, as ``["bias"]``: variables in whose name one is found.
        """
        if self.built:
            raise ValueError("Call `exclude_from_weight_decay()` before the optimizer is built, so before training")
        self._no_decay = (tuple(var_list or ()), tuple(var_names or ()))

    def _decays(self, variable):
        variables, patterns = self._no_decay
        return not any(variable is v for v in variables) and not any(re.search(p, variable.name) for p in patterns)

    def decay_of(self, variable):
        """Return the weight decay of a variable that is not excluded from it, or None."""
        return self.weight_decay


def _computes(learning_rate):
    return callable(learning_rate) and not isinstance(learning_rate, type)


def _dtype(variables):
    return variables[0].dtype if variables else config.floatx()
