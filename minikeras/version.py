"""The version, in one place: setup.cfg and `minikeras.__version__` read it from here."""

__version__ = "0.1.0"


def version():
    """Return the version, as "0.1.0"."""
    return __version__
