"""`Config`: a dict whose values are attributes too."""


class Config:
    """Named values, set and read as ``config.rate`` or ``config["rate"]``, which can be frozen.

    Args:
        **kwargs: the first values.
    """

    def __init__(self, **kwargs):
        object.__setattr__(self, "_values", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self):
        """Whether values can not be changed."""
        return self._frozen

    def freeze(self):
        """Refuse changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self):
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    def _changeable(self):
        if self._frozen:
            raise ValueError("The config is frozen: call unfreeze() before you change it")
        return self._values

    def as_dict(self):
        """Return the values as a dict of their own."""
        return dict(self._values)

    def to_json(self):
        """Return the values as a JSON text."""
        import json

        return json.dumps(self._values)

    def keys(self):
        return self._values.keys()

    def values(self):
        return self._values.values()

    def items(self):
        return self._values.items()

    def pop(self, *args):
        """Remove a value and return it; a second argument is returned if there is none."""
        return self._changeable().pop(*args)

    def update(self, *args, **kwargs):
        """Set several values, as `dict.update`."""
        self._changeable().update(*args, **kwargs)

    def get(self, keyname, value=None):
        """Return a value, or the second argument if there is none."""
        return self._values.get(keyname, value)

    def __setattr__(self, name, value):
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a part of Config itself: choose another name")
        self._changeable()[name] = value

    def __getattr__(self, name):
        values = object.__getattribute__(self, "_values")
        if name in values:
            return values[name]
        from difflib import get_close_matches

        close = get_close_matches(name, values, n=1, cutoff=0.7)
        raise AttributeError(f"Unknown attribute: {name!r}." + (f" Did you mean {close[0]!r}?" if close else ""))

    def __setitem__(self, key, item):
        self._changeable()[key] = item

    def __getitem__(self, key):
        return self._values[key]

    def __delitem__(self, key):
        del self._changeable()[key]

    def __contains__(self, item):
        return item in self._values

    def __iter__(self):
        return iter(sorted(self._values))

    def __len__(self):
        return len(self._values)

    def __repr__(self):
        return f"<Config {self._values}>"
