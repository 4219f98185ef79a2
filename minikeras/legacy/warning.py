"""How an old spelling is answered: with one warning for each in a process, or by a refusal."""

from minikeras.messages import warn

_said = set()


def deprecate(*messages):
    """Warn of the old spellings of a call that were not warned of before, at the user's line."""
    new = [message for message in messages if message not in _said]
    _said.update(new)
    if new:
        warn(". ".join(new), DeprecationWarning)


class Refused:
    """What an old name stands for that there is no present spelling of: it can be imported, and raises when used.

    Args:
        name: of what is asked for.
        instead: what to write.
    """

    def __init__(self, name, instead):
        self.__name__ = name
        self._instead = instead

    def __call__(self, *args, **kwargs):
        raise NotImplementedError(f"`{self.__name__}` of Keras 1 and 2 is not available: {self._instead}")

    def __repr__(self):
        return f"<{self.__name__}, which is not available>"
