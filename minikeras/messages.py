"""Warnings that point at the user's own line, and lines for the user to read."""

import sys
import warnings

from minikeras import config


def warn(message, category=UserWarning):
    """Warn of what the user's code does, at the line where it called this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] not in ("minikeras", "numpy", "importlib"):
            break
        level += not name.startswith("importlib._bootstrap")  # `warnings` does not count the import system's frames
        frame = frame.f_back
    warnings.warn(message, category, stacklevel=level)


def inform(message):
    """Print a line, or log it after `config.disable_interactive_logging`."""
    if config.is_interactive_logging_enabled():
        print(message)
    else:
        import logging

        logging.getLogger("minikeras").info(message)
