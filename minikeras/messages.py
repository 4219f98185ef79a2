"""Warnings that point at the user's own line, and lines for the user to read."""

import contextvars
import sys
import warnings

from minikeras import config

_starter = contextvars.ContextVar("starter", default=None)  # a thread's: the user's line that started it


def warn(message, category=UserWarning):
    """Warn of what the user's code does, at the line where it called this package."""
    warnings.warn_explicit(message, category, **_user_line(sys._getframe(1)))


def remember_line():
    """Let warnings of a thread that runs in the present context point at the user's line, too."""
    _starter.set(_user_line(sys._getframe(1)))


def _user_line(frame):
    """Return where the innermost frame lies that is not of this package, as `warnings.warn_explicit` takes it."""
    while frame.f_back is not None and _package(frame) in ("minikeras", "numpy", "importlib"):
        frame = frame.f_back
    if _package(frame) == "threading" and _starter.get() is not None:
        return _starter.get()
    return {
        "filename": frame.f_code.co_filename,
        "lineno": frame.f_lineno,
        "module": frame.f_globals.get("__name__", "<string>"),
        "registry": frame.f_globals.setdefault("__warningregistry__", {}),
    }


def _package(frame):
    return frame.f_globals.get("__name__", "").split(".")[0]


def inform(message):
    """Print a line, or log it after `config.disable_interactive_logging`."""
    if config.is_interactive_logging_enabled():
        print(message)
    else:
        import logging

        logging.getLogger("minikeras").info(message)
