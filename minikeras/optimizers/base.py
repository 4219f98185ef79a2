"""The optimizer contract: which slots are kept beside each weight, and how a weight is updated from its gradient.

    class SignSGD(Optimizer):                              # a whole custom optimizer
        def update(self, w, g, scratch, learning_rate):    # in place, on flat arrays of many weights
            np.sign(g, out=scratch)
            scratch *= learning_rate
            w -= scratch

What all optimizers share is here: accumulated gradients, clipping, weight decay, constraints, the moving average of the
weights. `state` has what is kept from step to step, `slots` and the learning rate.
"""

import warnings

import numpy as np

from minikeras.kernels import threads
from minikeras.optimizers import clipping
from minikeras.optimizers.numbers import check_number, number_or_none
from minikeras.optimizers.packing import AVERAGE, CHUNK, cut, deal
from minikeras.optimizers.signature import FullSignature
from minikeras.optimizers.state import State
from minikeras.registry import auto_name, unknown_arguments

# Elements from which on waking another thread pays.
THREADED = 300_000


class Optimizer(State):
    """Base class of optimizers.

    A step is: accumulate the gradients, if wanted; clip them, decay the weights (w -= w * weight_decay *
    learning_rate), `update`; the moving average of the weights, if wanted; the weights' constraints; count the
    iteration.

    Args:
        learning_rate: positive number, a schedule, or a function without arguments that returns a number.
        weight_decay: non-negative number or None.
        clipnorm: largest norm of each weight's gradient: g * clipnorm / max(norm(g), clipnorm).
        clipvalue: gradients are limited to [-clipvalue, clipvalue].
        global_clipnorm: as clipnorm, with the norm of all gradients together. Only one of the three may be given.
        use_ema: whether to keep a moving average of the weights, which replaces them at the end of training.
        ema_momentum: how much of the average remains at each step, in [0, 1].
        ema_overwrite_frequency: after how many steps the weights are replaced by their average, or None for never.
        loss_scale_factor: positive number that the loss was multiplied by before `apply` is called with its gradients,
            or None. Training scales neither.
        gradient_accumulation_steps: how many steps, at least 2, make one update, by the mean of their gradients; None
            for an update in each step.
        name: string, by default the class's name in snake case.

    Raises:
        ValueError: a value out of its range, or several ways to clip.
    """

    keras_module = "keras.optimizers"
    scratches = 1  # more: `scratch` is so many arrays
    __signature__ = FullSignature()

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
            raise ValueError(unknown_arguments(type(self), kwargs))
        self.weight_decay = number_or_none(weight_decay, "weight_decay", "a non-negative", lambda v: v >= 0)
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipping.check(clipnorm, clipvalue, global_clipnorm)
        self.use_ema = use_ema
        self.ema_momentum = check_number(ema_momentum, "ema_momentum", "a number in [0, 1]", lambda v: 0 <= v <= 1)
        self.ema_overwrite_frequency = _steps(ema_overwrite_frequency, "ema_overwrite_frequency", 1)
        self.loss_scale_factor = number_or_none(loss_scale_factor, "loss_scale_factor", "a positive", lambda v: v > 0)
        self.gradient_accumulation_steps = _steps(gradient_accumulation_steps, "gradient_accumulation_steps", 2)
        super().__init__(name or auto_name(type(self).__name__), learning_rate)

    # What a leaf class says.

    def prepare(self):
        """What is to be done once for an update of all weights, before it. `self.updates` were made before."""

    def update(self, w, g, scratch, learning_rate, *slots):
        """Update ``w`` and the slots in place, by an elementwise formula.

        The arrays are flat and have one size; each may hold several weights, or part of one. In a class with
        ``elementwise = False`` they are those of one weight, in its shape.

        Args:
            w: values.
            g: gradients, which are not changed.
            scratch: an array to compute in; of `self.scratches` of them if those are several.
            learning_rate: float.
            slots: an array for each name in `slots`. `self.updates` were made before, an int.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `update(self, w, g, scratch, learning_rate, *slots)`")

    # Steps.

    def step(self, variables):
        """Update ``variables`` from their ``.grad``; the other variables that the optimizer knows are left alone.

        Raises:
            ValueError: a variable that the optimizer was not built with.
        """
        if not self.built:
            self.build(variables)
        places, shares = self._planned(variables)
        for place in self._places.values() if self.use_ema else places:
            place.settle()
        with np.errstate(all="ignore"):  # the training loop reports what is not finite
            if self._accumulate(places):
                learning_rate = float(self.learning_rate)
                clipping.set_scales(places, self.clipnorm, self.global_clipnorm)
                self.prepare()
                threads.run_shares(
                    lambda share, *_: self._update_chunks(share, shares[share], learning_rate), range(len(shares) + 1)
                )
                if self.gradient_accumulation_steps:
                    for place in self._places.values():
                        place.gradient[...] = 0
            if self.use_ema:
                self._average()
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
            trainable_variables = self._trainable_variables
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
        self._check_known(trainable_variables)  # before any gradient is changed
        updated = [(g, v) for g, v in zip(grads, trainable_variables) if g is not None]
        for gradient, variable in updated:
            variable.grad = gradient if self.loss_scale_factor is None else gradient / self.loss_scale_factor
        self.step([variable for _, variable in updated])

    def apply_gradients(self, grads_and_vars):
        """Update variables from pairs of (gradient, variable). Returns the number of iterations."""
        grads, variables = zip(*grads_and_vars)
        self.apply(grads, variables)
        return self._iterations

    def scale_loss(self, loss):
        """Return the loss times `loss_scale_factor`, for gradients that are handed to `apply`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def moving_averages(self, variables):
        """Return the moving averages of variables, a list of arrays that are not to be changed, with ``use_ema``."""
        self._check_known(variables)
        return [self._places[id(v)].slots[AVERAGE] for v in variables]

    def finalize_variable_values(self, var_list):
        """Replace the variables by their moving averages, with ``use_ema``: the end of training."""
        if self.use_ema and self.built:
            for variable, average in zip(var_list, self.moving_averages(var_list)):
                variable.assign(average)

    def _check_known(self, variables):
        for variable in variables:
            if not self.knows(variable):
                raise ValueError(
                    f"Unknown variable: {variable!r}. The optimizer {self.name!r} updates the variables it was built "
                    "with only: compile the model again, or make a new optimizer"
                )

    def _planned(self, variables):
        """Return the places of ``variables`` and the chunks of each thread, made once for a set of variables."""
        ids = tuple(map(id, variables))
        key = (ids, threads.num_threads(), self.clipnorm is None)
        if key != self._plan[0]:
            self._check_known(variables)
            places = [self._places[i] for i in dict.fromkeys(ids)]
            large = sum(place.variable.size for place in places) >= THREADED
            count = threads.num_threads() if large else 1
            if self.elementwise:
                shares = cut(places, count, apart=self.clipnorm is not None)
            else:
                shares = deal(places, count, self._names)
            self._plan = (key, places, shares)
        return self._plan[1:]

    def _accumulate(self, places):
        """Add the gradients up, if wanted; return whether it is time to update."""
        steps = self.gradient_accumulation_steps
        if not steps:
            return True
        for place in places:
            place.gradient += place.grad
        if (int(self._iterations.value) + 1) % steps:
            return False
        for place in places:
            place.gradient /= steps
        return True

    def _update_chunks(self, share, chunks, learning_rate):
        with np.errstate(all="ignore"):  # the setting is a thread's own
            for w, g, slots, place in chunks:
                scratch, clipped = self._get_scratch(share, w)
                if self.clipvalue is not None:
                    np.maximum(g, -self.clipvalue, out=clipped)
                    g = np.minimum(clipped, self.clipvalue, out=clipped)
                elif place.scale != 1.0:
                    g = np.multiply(g, place.scale, out=clipped)
                decay = self.decay_of(place.variable) if place.decays else None
                if decay:
                    w *= 1 - decay * learning_rate
                self.update(w, g, scratch, learning_rate, *slots)

    def _get_scratch(self, share, w):
        """Return arrays like ``w`` that only this thread writes to: for `update`, and for clipped gradients."""
        key = (share, w.dtype, w.shape)
        if key not in self._scratch:
            buffer = self._scratch.get(key[:2])
            if buffer is None or buffer.shape[1] < w.size:
                buffer = self._scratch[key[:2]] = np.empty((self.scratches + 1, max(CHUNK, w.size)), w.dtype)
            arrays = buffer[:, : w.size].reshape(-1, *w.shape)
            *scratch, clipped = (arrays[i, ...] for i in range(len(arrays)))  # not numbers, if w is one
            self._scratch[key] = scratch[0] if self.scratches == 1 else scratch, clipped
        return self._scratch[key]

    def _average(self):
        """Let the average follow the weights; the first step's is the weights themselves."""
        momentum = self.ema_momentum if self.updates else 0.0
        frequency = self.ema_overwrite_frequency
        overwrites = frequency and (self.updates + 1) % frequency == 0
        for place in self._places.values():
            value, average = place.value.reshape(-1), place.slots[AVERAGE].reshape(-1)
            for start in range(0, len(value), CHUNK):
                w, a = value[start : start + CHUNK], average[start : start + CHUNK]
                scratch = self._get_scratch(0, w)[1]
                np.multiply(w, 1 - momentum, out=scratch)
                a *= momentum
                a += scratch
                if overwrites:
                    w[...] = a


def _steps(value, argument, least):
    """Return a number of steps, an integer, or None."""
    if value and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
        raise ValueError(f"`{argument}` must be an integer >= {least} or None. Received: {argument}={value!r}")
    return value
