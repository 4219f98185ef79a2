"""Warnings that point at the user's own line."""

import sys
import warnings


def warn(message):
    """Warn of what the user's code does, at the line where it called this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("minikeras", "numpy"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)
