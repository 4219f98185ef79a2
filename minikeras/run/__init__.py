"""``minikeras run SCRIPT [ARGS]``: a Keras script unchanged, with minikeras in place of keras and tensorflow.keras.

`stand_in` answers the imports, `tensorflow` is what little of TensorFlow has a clear meaning here, and `refusal` says
what is missing and which line of the script asked for it.
"""

import contextlib
import os
import sys
import types
import warnings

import minikeras
from minikeras import config, registry
from minikeras.run import refusal, stand_in

KERAS_VERSION = "3.15.0"  # what minikeras agrees with

FAILED, USAGE, REFUSED, INTERRUPTED = 1, 2, 3, 130


def run_script(path, arguments=()):
    """Run a Python script as ``python path *arguments`` would, but with minikeras as its keras and tensorflow.keras.

    The modules are minikeras' own, not copies of them; a keras or tensorflow that is installed is never imported.
    During the run `minikeras.__version__`, which the script knows as ``keras.__version__``, is the version of Keras
    that minikeras agrees with, for scripts that look at it; the one in the module `minikeras.version` stays.
    Afterwards all is as before: modules, paths, arguments, settings, warning filters. Processes that the script starts
    afresh (`subprocess`, the "spawn" of `multiprocessing`) do not have the stand-in.

    Args:
        path: of the script.
        arguments: what the script finds in ``sys.argv[1:]``.

    Returns:
        the exit status. 0: the script has ended; 1: it raised an error, whose traceback has been printed, or has a
        syntax error; 2: there is no such file, or it cannot be read; 3: it needs what minikeras does not have, which
        has been printed with the line that asked for it; 130: it was interrupted; n: it called ``sys.exit(n)``.
    """
    path = os.fspath(path)
    try:
        source = _read(path)
    except (OSError, ValueError) as error:
        print(f"minikeras run: error: {error}", file=sys.stderr)
        return USAGE
    file = os.path.abspath(path)
    main = types.ModuleType("__main__")
    main.__file__, main.__builtins__ = file, sys.modules["builtins"]
    with _as_a_process(main, path, list(map(str, arguments))):
        try:
            exec(compile(source, file, "exec", dont_inherit=True), vars(main))
            status = 0
        except SystemExit as error:
            status = _exit_status(error.code)
        except BaseException as error:
            status = _report(error, file)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
    return status


def _read(path):
    """Return the script as bytes: the compiler knows byte order marks and encoding cookies."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path!r} is a folder: name the script in it, as {os.path.join(path, 'train.py')!r}")
    if path.endswith(".ipynb"):
        raise ValueError(f"{path!r} is a notebook: make a script of it, as with `jupyter nbconvert --to script`")
    if not os.path.exists(path):
        from difflib import get_close_matches

        folder, name = os.path.split(os.path.abspath(path))
        beside = os.listdir(folder) if os.path.isdir(folder) else []
        similar = get_close_matches(name, [other for other in beside if other.endswith(".py")])
        hint = f". Beside it there is {', '.join(similar)}" if similar else ""
        raise FileNotFoundError(f"there is no script {os.path.abspath(path)!r}{hint}")
    with open(path, "rb") as file:
        return file.read()


@contextlib.contextmanager
def _as_a_process(main, path, arguments):
    """What a script finds in a process of its own; all of it is taken back at the end."""
    folder = os.path.dirname(os.path.realpath(path))
    first = sys.path[0] if sys.path else None  # `python -m` puts the current folder there, a command its own
    replaced = first in ("", os.getcwd(), os.path.dirname(os.path.abspath(sys.argv[0] if sys.argv else "")))
    kept = sys.argv, sys.path, sys.excepthook, sys.modules.get("__main__"), minikeras.__version__, minikeras.version
    settings = {name: value for name, value in vars(config).items() if name.startswith("_") and name[1] != "_"}
    config._limits = dict(config._limits)  # the script's own, for as long as it runs
    names, objects = registry._uids.copy(), registry._custom_objects.copy()
    try:
        with warnings.catch_warnings(), stand_in.installed(folder):
            sys.argv, sys.path = [path, *arguments], [folder, *sys.path[1 if replaced else 0 :]]
            sys.modules["__main__"] = main
            minikeras.__version__, minikeras.version = KERAS_VERSION, lambda: KERAS_VERSION
            registry.reset_auto_names()
            yield
    finally:
        sys.argv, sys.path, sys.excepthook, sys.modules["__main__"], minikeras.__version__, minikeras.version = kept
        vars(config).update(settings)
        for mapping, before in ((registry._uids, names), (registry._custom_objects, objects)):
            mapping.clear()
            mapping.update(before)


def _exit_status(code):
    """What Python makes of ``sys.exit(code)``."""
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code)
    print(code, file=sys.stderr)
    return FAILED


def _report(error, file):
    """Print what has ended the script, as Python would, or that minikeras lacks something; return the exit status."""
    text = refusal.explain(error, file)
    if text is not None:
        print(text, file=sys.stderr)
        return REFUSED
    trace = error.__traceback__.tb_next  # without the frame of `run_script`
    try:
        sys.excepthook(type(error), error.with_traceback(trace), trace)  # which the script may have replaced
    except Exception as other:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(other), other.with_traceback(None), None)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, trace)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
