"""Several optimizers for one model, chosen by the path of each weight."""

import re
from collections.abc import MutableMapping

from minikeras.optimizers.base import Optimizer
from minikeras.registry import Configurable, resolve


class OptimizerMap(MutableMapping, Configurable):
    """Optimizers by the path of a weight, as ``{"dense/.*": SGD()}``: that path, or a pattern that matches all of it.

    Args:
        default_optimizer: `Optimizer` for the other weights.
        optimizer_map: dict of patterns to `Optimizer`, or None.
    """

    keras_module = "keras.optimizers"

    def __init__(self, default_optimizer, optimizer_map=None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"`default_optimizer` must be an `Optimizer`. Received: {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"`optimizer_map` must be a dict or None. Received: {optimizer_map!r}")
        self.default_optimizer = default_optimizer
        self.optimizer_map = {}
        self.update(optimizer_map or {})

    def __getitem__(self, key):
        if key in self.optimizer_map:
            return self.optimizer_map[key]
        found = [pattern for pattern in self.optimizer_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {key}: the patterns {found} match it")
        return self.optimizer_map[found[0]] if found else self.default_optimizer

    def __setitem__(self, key, optimizer):
        if key in self.optimizer_map:
            raise ValueError(f"{key!r} already exists in the OptimizerMap, with value {self.optimizer_map[key]!r}")
        if not isinstance(key, str):
            raise ValueError(f"`key` must be a string, the path of a weight or a pattern. Received: {key!r}")
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, MultiOptimizer):
            raise ValueError(f"`optimizer` must be an `Optimizer` for one kind of weights. Received: {optimizer!r}")
        self.optimizer_map[key] = optimizer

    def __delitem__(self, key):
        del self.optimizer_map[key]

    def __len__(self):
        return len(self.optimizer_map)

    def __iter__(self):
        return iter(self.optimizer_map)

    def __call__(self, variable):
        return self[variable.path]

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return a new map from what `get_config` returned."""
        from minikeras.optimizers import deserialize

        default = deserialize(config["default_optimizer"], custom_objects)
        return cls(default, {key: deserialize(value, custom_objects) for key, value in config["optimizer_map"].items()})


class MultiOptimizer(Optimizer):
    """Updates each weight by the optimizer that is chosen for it. Those have learning rates, this one has none.

        MultiOptimizer(OptimizerMap(Adam(), {"dense/.*": SGD(0.1)}))

    Args:
        optimizer_map: `OptimizerMap`, or a function of a variable that returns an optimizer.
        loss_scale_factor: that of all its optimizers.
        name: string.
    """

    def __init__(self, optimizer_map, loss_scale_factor=None, name=None):
        if not callable(optimizer_map):
            raise TypeError(f"`optimizer_map` must be an `OptimizerMap` or a function. Received: {optimizer_map!r}")
        super().__init__(1.0, loss_scale_factor=loss_scale_factor, name=name)
        self._learning_rate.assign(0.0)  # there is one in Keras' files
        self.optimizer_map = optimizer_map
        self.optimizers = self._all([])

    def _all(self, chosen):
        """Return the optimizers of the map and those chosen by a function, each once."""
        known = []
        if isinstance(self.optimizer_map, OptimizerMap):
            known = [*self.optimizer_map.values(), self.optimizer_map.default_optimizer]
        optimizers = list({id(optimizer): optimizer for optimizer in [*known, *chosen]}.values())
        for optimizer in optimizers:
            optimizer.loss_scale_factor = self.loss_scale_factor
        return optimizers

    @property
    def learning_rate(self):
        """Refused with an AttributeError: each of `optimizers` has its own."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access that of one of its `optimizers` instead"
        )

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set that of one of its `optimizers` instead. Received: "
            f"learning_rate={value!r}"
        )

    @property
    def variables(self):
        """Its own iteration and (unused) learning_rate, then the state of each of `optimizers`."""
        return [*super().variables, *(variable for optimizer in self.optimizers for variable in optimizer.variables)]

    def expected_variables(self, variables):
        chosen = self._choose(variables)
        expected = [(v.shape, v.dtype) for v in super().variables]
        for optimizer in self._all(chosen):
            mine = [v for v, its in zip(variables, chosen) if its is optimizer]
            expected += optimizer.expected_variables(mine)
        return expected

    def build(self, variables):
        """Build each optimizer for the variables it is chosen for."""
        variables = list({id(v): v for v in variables}.values())
        if self.built:
            if [id(v) for v in variables] == list(self._places):
                return
            self._iterations.assign(0)
        chosen = self._choose(variables)
        self._forget_places()
        self.optimizers = self._all(chosen)
        self._trainable_variables = variables
        self._places = {id(variable): optimizer for variable, optimizer in zip(variables, chosen)}
        for optimizer, mine in self._divide(variables):
            optimizer.build(mine)
        self.built = True

    def _choose(self, variables):
        chosen = [self.optimizer_map(variable) for variable in variables]
        for optimizer, variable in zip(chosen, variables):
            if not isinstance(optimizer, Optimizer) or isinstance(optimizer, MultiOptimizer):
                raise ValueError(
                    f"The optimizer of variable {variable.path!r} must be an `Optimizer` for one kind of weights. "
                    f"Received: {optimizer!r}"
                )
        return chosen

    def _divide(self, variables):
        """Return pairs of an optimizer and those of ``variables`` that it updates, if there are some."""
        pairs = [(its, [v for v in variables if self._places[id(v)] is its]) for its in self.optimizers]
        return [pair for pair in pairs if pair[1]]

    def step(self, variables):
        if not self.built:
            self.build(variables)
        self._check_known(variables)
        for optimizer, mine in self._divide(variables):
            optimizer.step(mine)
        self._iterations.value += 1

    def finalize_variable_values(self, var_list):
        for optimizer, mine in self._divide(var_list) if self.built else []:
            optimizer.finalize_variable_values(mine)

    def get_config(self):
        return Configurable.get_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return a new optimizer from what `get_config` returned."""
        table = {"OptimizerMap": OptimizerMap, **(custom_objects or {})}
        optimizer_map = resolve(config["optimizer_map"], table, "optimizer map", OptimizerMap)
        return cls(**{**config, "optimizer_map": optimizer_map})
