"""The version, in one place: setup.cfg and `minikeras.__version__` read it from here."""

__version__ = "0.1.0"
