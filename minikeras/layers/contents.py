"""What a layer holds: its weights, the layers inside of it, and the penalties that they add to the loss."""

import numpy as np

from minikeras import activations, config, constraints, initializers, regularizers
from minikeras.registry import Configurable, to_snake_case
from minikeras.variable import Variable, name_may_come_first

STANDARDS = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}  # what an argument's last word says about its value


class Contents(Configurable):
    """Abstract: the part of `Layer` that does not run."""

    def keep_arguments(self, **arguments):
        """Store arguments under their own names: activations, initializers, regularizers and constraints as what their
        names stand for, others as they are."""
        for name, value in arguments.items():
            standard = STANDARDS.get(name.rpartition("_")[2])
            setattr(self, name, standard(value) if standard else value)

    def add_described_weight(self, name, shape, arguments=None):
        """Create a weight from the arguments ``<name>_initializer``, ``<name>_regularizer`` and ``<name>_constraint``.

        Args:
            name: of the weight.
            shape: tuple of integers.
            arguments: what the arguments' names start with, by default ``name``.
        """
        initializer, regularizer, constraint = (
            getattr(self, f"{arguments or name}_{kind}") for kind in ("initializer", "regularizer", "constraint")
        )
        return self.add_weight(shape, initializer, regularizer=regularizer, constraint=constraint, name=name)

    @name_may_come_first
    def add_weight(
        self, shape=(), initializer=None, dtype=None, trainable=True, regularizer=None, constraint=None, name=None
    ):
        """Create a weight of this layer, to be called from `build`.

        Args:
            shape: tuple of integers.
            initializer: name, `Initializer` or callable of (shape, dtype); by default Glorot's uniform one.
            trainable: whether an optimizer changes it.
            regularizer: its penalty is added to the loss, and its gradient to the weight's.
            constraint: projects the weight after each update.
            name: of the weight, as ``"kernel"``.

        Returns:
            the `Variable`.
        """
        dtype = dtype or self.dtype
        initializer = initializers.get(initializer or "glorot_uniform")
        value = np.array(initializer(tuple(shape), dtype=dtype), dtype, order="C")  # our own: it is written in place
        name = name or f"variable{len(self._weights) or ''}"
        weight = Variable(value, name, trainable, regularizers.get(regularizer), constraints.get(constraint))
        weight.path = f"{self.name}/{name}"
        self._weights.append(weight)
        return weight

    @property
    def sublayers(self):
        """The layers that this one keeps in its attributes, as pairs (place in files, layer)."""
        return self._sublayers if self.built and self._sublayers is not None else self.find_sublayers()

    def find_sublayers(self):
        found = {}
        for name, value in vars(self).items():
            if isinstance(value, Contents):
                found.setdefault(id(value), (name, value))
            elif name != "_sublayers":
                for place, inner in numbered(find_in(value, Contents)):
                    found.setdefault(id(inner), (f"{name}/{place}", inner))
        return list(found.values())

    def adopt_variables(self):
        """Let variables that a custom layer made by hand, ``self.scale = keras.Variable(1.0)``, be its weights."""
        if self.is_built_in:
            return
        known = {id(weight) for weight in self.weights}
        for variable in find_in(list(vars(self).values()), Variable):
            if id(variable) not in known and "/" not in variable.path:  # no other layer's
                variable.path = f"{self.name}/{variable.name}"
                self._weights.append(variable)

    def prefix_paths(self, known):
        """Let the paths of the weights inside, but for those that are known, begin with this layer's name."""
        known = {id(weight) for weight in known}
        for weight in self.weights:
            if id(weight) not in known:
                weight.path = f"{self.name}/{weight.path}"

    def all_layers(self):
        """Yield this layer and those inside of it, at any depth."""
        yield self
        for _, inner in self.sublayers:
            yield from inner.all_layers()

    def add_loss(self, loss):
        """Add a number to the loss, from within `call`. Its derivative is the affair of the layer's `backward`."""
        self._losses.append(float(loss))

    @property
    def compute_dtype(self):
        """The type that is computed in, which is that of the weights too: there is one, `dtype`."""
        return self.dtype

    variable_dtype = input_dtype = compute_dtype

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for _, inner in self.sublayers:
            inner.trainable = value

    @property
    def weights(self):
        """This layer's weights, trainable ones first, then those of the layers inside; each in order of creation."""
        own = sorted(self._weights, key=lambda w: not w.trainable)
        return own + [w for _, inner in self.sublayers for w in inner.weights]

    @property
    def variables(self):
        return self.weights

    @property
    def trainable_weights(self):
        if not self.trainable:
            return []
        own = [w for w in self._weights if w.trainable]
        return own + [w for _, inner in self.sublayers for w in inner.trainable_weights]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self):
        if not self.trainable:
            return self.weights
        own = [w for w in self._weights if not w.trainable]
        return own + [w for _, inner in self.sublayers for w in inner.non_trainable_weights]

    non_trainable_variables = non_trainable_weights

    def saved_weights(self):
        """The weights that files hold in this layer's own place, in their order there."""
        return sorted(self._weights, key=lambda w: not w.trainable)

    def get_weights(self):
        """Return copies of the weights' values, in the order of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights):
        """Set the weights from a list of arrays as `get_weights` returns it. All shapes are checked first."""
        own = self.weights
        if len(weights) != len(own):
            raise ValueError(
                f"`weights` for {self.name!r} must hold {len(own)} arrays ({', '.join(w.path for w in own)}). "
                f"Received: {len(weights)} arrays"
            )
        for variable, value in zip(own, weights):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"Weight {variable.path!r} has shape {variable.shape}. Received an array of shape {np.shape(value)}"
                )
        for variable, value in zip(own, weights):
            variable.assign(value)

    @property
    def losses(self):
        """Penalties of the regularized weights and of the last outputs, and what `add_loss` added: a list of floats."""
        weights = [w for w in self.trainable_weights if w.regularizer is not None]
        return self._losses_of_calls() + [float(w.regularizer(w.value)) for w in weights]

    def _losses_of_calls(self):
        losses = list(self._losses)
        if self.activity_regularizer is not None and self._activity is not None:
            losses.append(float(self.activity_regularizer(self._activity)) / max(len(self._activity), 1))
        for _, inner in self.sublayers:
            losses += inner._losses_of_calls()
        return losses


def find_in(value, kind):
    """Yield the objects of a kind in lists, tuples and dicts, at any depth."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from find_in(item, kind)


def copy_sharing_weights(layer):
    """Return a layer that computes with the same weights and random numbers, and so do those inside of it.

    It remembers its own calls: for layers that are called several times before `backward`.
    """
    from copy import deepcopy

    shared = list(layer.weights)
    for inner in layer.all_layers():
        if hasattr(inner, "generator"):
            inner.generator = inner.generator or config.make_generator(inner.seed)
            shared.append(inner.generator)
    return deepcopy(layer, {id(item): item for item in shared})


def numbered(layers):
    """Yield (name in files, layer): Keras counts the layers of a class, because the names given to them vary."""
    counts = {}
    for layer in layers:
        name = to_snake_case(type(layer).__name__)
        count = counts[name] = counts.get(name, 0) + 1
        yield (f"{name}_{count - 1}" if count > 1 else name), layer
