"""What an initializer is."""

from minikeras.registry import Configurable


class Initializer(Configurable):
    """Base class of initializers: a subclass has ``__call__(self, shape, dtype=None)``, which returns a new array."""

    keras_module = "keras.initializers"

    def __call__(self, shape, dtype=None):
        raise NotImplementedError(f"{type(self).__name__} has no `__call__(self, shape, dtype=None)`")

    def clone(self):
        """Return a new initializer with the same arguments."""
        return type(self).from_config(self.get_config())
