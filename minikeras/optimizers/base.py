"""The optimizer contract: which slots are kept beside each weight, and how a weight is updated from its gradient.

    class SignSGD(Optimizer):                              # a whole custom optimizer
        def update(self, w, g, scratch, learning_rate):    # in place, on flat arrays of many weights
            np.sign(g, out=scratch)
            scratch *= learning_rate
            w -= scratch

What all optimizers share is here: clipping, weight decay, constraints, the state that is saved.
"""

import math
import re
import warnings

import numpy as np

from minikeras import config
from minikeras.kernels import threads
from minikeras.optimizers.packing import CHUNK, cut, pack
from minikeras.registry import Configurable, auto_name
from minikeras.variable import Variable

# Elements from which on waking another thread pays.
THREADED = 300_000


class Optimizer(Configurable):
    """Base class of optimizers.

    A step is: clip the gradients, decay the weights (w -= w * weight_decay * learning_rate), `update`, apply the
    weights' constraints, count the iteration.

    Args:
        learning_rate: positive number.
        weight_decay: non-negative number or None.
        clipnorm: largest norm of each weight's gradient: g * clipnorm / max(norm(g), clipnorm).
        clipvalue: gradients are limited to [-clipvalue, clipvalue].
        global_clipnorm: as clipnorm, with the norm of all gradients together. Only one of the three may be given.
        use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps: of Keras; not
            supported yet, other values than these are refused.
        name: string, by default the class's name in snake case.

    Raises:
        ValueError: a value out of its range, or several ways to clip.
    """

    keras_module = "keras.optimizers"
    slot_value = 0.0

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **kwargs,
    ):
        if kwargs:
            raise ValueError(
                f"{type(self).__name__} got unknown arguments: {', '.join(sorted(kwargs))}. "
                f"Known: {', '.join(type(self).argument_names())}"
            )
        if [clipnorm, clipvalue, global_clipnorm].count(None) < 2:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm!r}, clipvalue={clipvalue!r}, global_clipnorm={global_clipnorm!r}"
            )
        for argument, value in {
            "use_ema": use_ema,
            "loss_scale_factor": loss_scale_factor,
            "gradient_accumulation_steps": gradient_accumulation_steps,
        }.items():
            if value:
                raise ValueError(f"`{argument}` is not supported yet: leave it out. Received: {argument}={value!r}")
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = _number_or_none(weight_decay, "weight_decay", "a non-negative", lambda v: v >= 0)
        self.clipnorm = _number_or_none(clipnorm, "clipnorm", "a positive", lambda v: v > 0)
        self.clipvalue = _number_or_none(clipvalue, "clipvalue", "a positive", lambda v: v > 0)
        self.global_clipnorm = _number_or_none(global_clipnorm, "global_clipnorm", "a positive", lambda v: v > 0)
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._no_decay = ((), ())  # variables, patterns of names
        self._iterations = self._make_variable(np.zeros((), "int32"), "iteration")
        self._learning_rate = self._make_variable(np.zeros((), config.floatx()), "learning_rate")
        self.learning_rate = learning_rate
        self._forget_places()

    # What a leaf class says.

    def slots(self):
        """Return the names of the slots, arrays kept beside each weight, which start from `slot_value`.

        A name, or a tuple of names whose slots alternate: Keras saves ("momentum", "velocity") as the first weight's
        momentum, its velocity, the second weight's momentum, ..., but "velocity", "momentum" as all velocities, then
        all momentums.
        """
        return []

    def update(self, w, g, scratch, learning_rate, *slots):
        """Update ``w`` and the slots in place, by an elementwise formula.

        The arrays are flat and have one size; each may hold several weights, or part of one.

        Args:
            w: values.
            g: gradients, which are not changed.
            scratch: an array to compute in.
            learning_rate: float.
            slots: an array for each name in `slots`. `self.iterations` steps have been taken before.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `update(self, w, g, scratch, learning_rate, *slots)`")

    # State.

    @property
    def learning_rate(self):
        """The learning rate, a float; it is kept, rounded to `config.floatx()`, in a variable that is saved."""
        return float(self._learning_rate.value)

    @learning_rate.setter
    def learning_rate(self, value):
        expected = "a positive finite number, as 0.001"
        self._learning_rate.value[()] = check_number(value, "learning_rate", expected, lambda v: 0 < v < math.inf)

    @property
    def iterations(self):
        """How many steps were taken, an integer."""
        return int(self._iterations.value)

    @property
    def variables(self):
        """All state, a list of `Variable` in Keras' order: iteration, learning_rate, then the slots."""
        return [self._iterations, self._learning_rate, *self._slot_variables]

    def build(self, variables):
        """Create the slots of ``variables``. Other variables than last time start a new state."""
        variables = list({id(v): v for v in variables}.values())
        if self.built:
            if [id(v) for v in variables] == list(self._places):
                return
            self._iterations.assign(0)
        self._forget_places()
        groups = [[group] if isinstance(group, str) else group for group in self.slots()]
        names = [name for group in groups for name in group]
        for place in pack(variables, len(names), self.slot_value, self._decays):
            self._places[id(place.variable)] = place
        for group in groups:
            for place in self._places.values():
                for name in group:
                    value = place.views[2 + names.index(name)]
                    name = f"{place.variable.path.replace('/', '_')}_{name}"
                    self._slot_variables.append(self._make_variable(value, name))
        self.built = True

    def knows(self, variable):
        """Return whether the optimizer was built with this variable."""
        return id(variable) in self._places

    def _forget_places(self):
        self._places = {}  # id of a variable -> Place
        self._slot_variables = []
        self._plan = (None, [], [])
        self._scratch = {}

    def _make_variable(self, value, name):
        variable = Variable(value, name, trainable=False)
        variable.path = f"{self.name}/{name}"
        return variable

    def __getstate__(self):
        """Copies and pickles hold the variables, and pack them again."""
        state = {**self.__dict__, "_state": [v.numpy() for v in self.variables] if self.built else None}
        state["_variables"] = [place.variable for place in self._places.values()]
        for derived in ("_places", "_slot_variables", "_plan", "_scratch"):
            del state[derived]
        return state

    def __setstate__(self, state):
        values, variables = state.pop("_state"), state.pop("_variables")
        self.__dict__.update(state, built=False)
        self._forget_places()
        if values is not None:
            self.build(variables)
            for variable, value in zip(self.variables, values):
                variable.assign(value)

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

    # Steps.

    def step(self, variables):
        """Update ``variables`` from their ``.grad``; the other variables that the optimizer knows are left alone.

        Raises:
            ValueError: a variable that the optimizer was not built with.
        """
        if not self.built:
            self.build(variables)
        places, shares = self._planned(variables)
        for place in places:
            place.settle()
        with np.errstate(all="ignore"):  # the training loop reports what is not finite
            self._set_scales(places)
            threads.run_shares(lambda share, *_: self._update_chunks(share, shares[share]), range(len(shares) + 1))
            for place in places:
                if place.variable.constraint is not None:
                    place.variable.assign(place.variable.constraint(place.variable.value))
        self._iterations.value += 1

    def apply(self, grads, trainable_variables=None):
        """Update variables from the gradients given, a list of arrays.

        Args:
            grads: an array, or None to leave the variable alone, for each variable.
            trainable_variables: by default those that the optimizer was built with.
        """
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is None:
            if not self.built:
                raise ValueError("`apply(grads)` without variables needs a built optimizer: `build(variables)` first")
            trainable_variables = [place.variable for place in self._places.values()]
        trainable_variables = list(trainable_variables)
        if len(grads) != len(trainable_variables):
            raise ValueError(
                f"`grads` must hold one gradient for each of the {len(trainable_variables)} variables. "
                f"Received: {len(grads)} gradients"
            )
        if not self.built:
            self.build(trainable_variables)
        missing = [v.path for g, v in zip(grads, trainable_variables) if g is None]
        if len(missing) == len(grads):
            raise ValueError("No gradients provided for any variable: all of `grads` are None")
        if missing:
            warnings.warn(f"No gradients for the variables {', '.join(missing)}: they are left alone", stacklevel=2)
        self._planned(trainable_variables)  # refuses unknown variables before any gradient is changed
        updated = [(g, v) for g, v in zip(grads, trainable_variables) if g is not None]
        for gradient, variable in updated:
            variable.grad = gradient
        self.step([variable for _, variable in updated])

    def apply_gradients(self, grads_and_vars):
        """Update variables from pairs of (gradient, variable). Returns the number of iterations."""
        grads, variables = zip(*grads_and_vars)
        self.apply(grads, variables)
        return self.iterations

    def _planned(self, variables):
        """Return the places of ``variables`` and the chunks of each thread, made once for a set of variables."""
        ids = tuple(map(id, variables))
        key = (ids, threads.num_threads(), self.clipnorm is None)
        if key != self._plan[0]:
            for variable in variables:
                if id(variable) not in self._places:
                    raise ValueError(
                        f"Unknown variable: {variable!r}. The optimizer {self.name!r} updates the variables it was "
                        "built with only: compile the model again, or make a new optimizer"
                    )
            places = [self._places[i] for i in dict.fromkeys(ids)]
            large = sum(place.variable.size for place in places) >= THREADED
            shares = cut(places, threads.num_threads() if large else 1, apart=self.clipnorm is not None)
            self._plan = (key, places, shares)
        return self._plan[1:]

    def _update_chunks(self, share, chunks):
        learning_rate = self.learning_rate
        with np.errstate(all="ignore"):  # the setting is a thread's own
            for w, g, slots, place in chunks:
                scratch, clipped = self._get_scratch(share, w)
                if self.clipvalue is not None:
                    np.maximum(g, -self.clipvalue, out=clipped)
                    g = np.minimum(clipped, self.clipvalue, out=clipped)
                elif place.scale != 1.0:
                    g = np.multiply(g, place.scale, out=clipped)
                if self.weight_decay and place.decays:
                    w *= 1 - self.weight_decay * learning_rate
                self.update(w, g, scratch, learning_rate, *slots)

    def _get_scratch(self, share, w):
        """Return two arrays like ``w`` that only this thread writes to."""
        key = (share, w.dtype)
        if key not in self._scratch:
            self._scratch[key] = np.empty((2, CHUNK), w.dtype)
        return self._scratch[key][:, : len(w)]

    def _set_scales(self, places):
        """Compute what each gradient is multiplied by to clip its norm.

        A norm that is not finite makes its weights NaN, as in Keras: an exploded gradient is better seen at once.
        """
        if self.clipnorm is not None:
            for place in places:
                norm = math.sqrt(_squared_norm(place))
                place.scale = self.clipnorm / max(norm, self.clipnorm)  # NaN, as the first argument, is the maximum
        elif self.global_clipnorm is not None:
            norm = math.sqrt(sum(map(_squared_norm, places)))
            scale = self.global_clipnorm / max(norm, self.global_clipnorm) if math.isfinite(norm) else math.nan
            for place in places:
                place.scale = scale


def _squared_norm(place):
    """Return the sum of squares of a place's gradient.

    Summed in short pieces it is accurate in float32 too, and BLAS, which would share a long one out, uses one thread.
    """
    g = place.arrays[1][place.start : place.stop]
    pieces = (g[i : i + 8192] for i in range(0, len(g), 8192))
    return sum(float(np.dot(piece, piece)) for piece in pieces)


def check_number(value, argument, expected, valid):
    """Return ``value`` as a Python number, or raise a ValueError that names the argument unless ``valid(value)``."""
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not valid(value):
        raise ValueError(f"`{argument}` must be {expected}. Received: {argument}={value!r}")
    return value


def _number_or_none(value, argument, kind, valid):
    return None if value is None else check_number(value, argument, f"{kind} number or None", valid)
