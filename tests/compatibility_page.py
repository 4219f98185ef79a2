"""Compares minikeras with the installed Keras, name by name, and makes docs/keras_compatibility.md of it:

python tests/compatibility_page.py
"""

import collections
import inspect
import os
import pathlib
import re
import sys
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "tests")) if path not in sys.path]

import compatibility as tables  # noqa: E402

import minikeras  # noqa: E402
from minikeras.legacy.layers import CONVOLUTIONS  # noqa: E402

PAGE = ROOT / "docs" / "keras_compatibility.md"
COMMAND = "python tests/compatibility_page.py"
SECTIONS = (
    "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers", "regularizers",
    "constraints", "activations", "utils", "models", "backend", "ops", "random", "config", "datasets", "preprocessing",
    "saving", "wrappers", "keras",
)  # fmt: skip
# Modules in sections that have more names than Keras':
LARGER = ("preprocessing.image", "preprocessing.sequence", "visualization")
STATUSES = ("same", "differs", "left out")
NOT_PUBLIC = {"src"}  # what `import keras` brings along

INTRODUCTION = """\
# Compatibility with Keras

Every public name of Keras {version} and what it is here.

- **Same**: the same arguments in the same order with the same defaults, which is checked for every name.
  [tests/parity](../tests/parity) compares the rest with Keras on PyTorch: configs, and numbers, gradients and weights,
  which agree to 1e-5 in single precision.
- **Differs**: the same but for what is said.
- **Left out**: not there, and why.

What holds everywhere, and is not repeated below:

- Arrays are NumPy's, and derivatives are written by hand: what is trained and of your own, be it a layer, a loss or an
  activation, brings a method or function for its derivative. Symbolic tensors can be passed to layers, and that is all.
- What would go wrong is refused before the first weight changes, where Keras often goes on: labels out of range, shapes
  that would broadcast by accident, NaN in the data, dropout of everything, unknown names, files that do not fit.
- Layers compute in float32 or float64. A seed makes a run repeatable, but its numbers are not Keras'.
- What is for compilers, GPUs, quantization or several processes is left out, or an argument without effect.
"""

METHODS_INTRODUCTION = """\
Public methods and properties of the classes that one derives from, that are missing or take other arguments; derived
classes are the same in this. {classes} have all of Keras' methods, with the same arguments."""

END = """
The reasons are in [tests/compatibility.py](../tests/compatibility.py). `{command}` makes this page of them and of the
installed Keras, and a test fails when it is stale.
"""

SAMPLES = {  # some names are attributes of objects only
    "layers.Layer": lambda: minikeras.layers.Dense(1),
    "layers.RNN": lambda: minikeras.layers.LSTM(1),
    "layers.Wrapper": lambda: minikeras.layers.TimeDistributed(minikeras.layers.Dense(1)),
    "losses.Loss": minikeras.losses.MeanSquaredError,
    "metrics.Metric": minikeras.metrics.Mean,
    "models.Model": minikeras.Sequential,
    "models.Sequential": minikeras.Sequential,
    "optimizers.Optimizer": minikeras.optimizers.SGD,
}

Name = collections.namedtuple("Name", "section name theirs ours status reason")


def collect(keras):
    """Return a `Name` for every public name of Keras."""
    names = [(section, name) for section in SECTIONS for name in public_names(keras, section)]
    differs, left_out = _reasons(keras, tables.DIFFERS), _reasons(keras, tables.LEFT_OUT)
    found = []
    for section, name in names:
        theirs, ours = (find(root, path_of(section, name)) for root in (keras, minikeras))
        reasons = left_out if ours is None else differs
        reason = reasons.get(path_of(section, name)) or reasons.get(_identity(theirs))
        status = "left out" if ours is None else "differs" if reason else "same"
        found.append(Name(section, name, theirs, ours, status, reason))
    return found


def public_names(keras, section):
    """Return the sorted public names of a module of Keras; those of a module in it as "mnist.load_data"."""
    module = keras if section == "keras" else find(keras, section)
    names = []
    for name in dir(module):
        path = path_of(section, name)
        if name.startswith("_") or name in NOT_PUBLIC or path in SECTIONS:
            continue
        has_reason = any(name in table.get(section, ()) for table in (tables.DIFFERS, tables.LEFT_OUT))
        if inspect.ismodule(getattr(module, name)) and not has_reason and find(minikeras, path) is not None:
            names += [f"{name}.{inner}" for inner in public_names(keras, path)]
        else:
            names.append(name)
    return sorted(names, key=lambda name: (name.lower(), name))


def find(root, path):
    """Return what stands at ``path`` in Keras or minikeras, or None."""
    for name in path.split("."):
        if not _is_public(root, name):
            return None
        root = getattr(root, name, None)
    return root


def _is_public(module, name):
    """False for our own modules that have names of something else of Keras', and for spellings of Keras 1 and 2."""
    if not inspect.ismodule(module) or module.__name__.partition(".")[0] != "minikeras":
        return True
    there = name in vars(module) and not inspect.ismodule(vars(module)[name])
    return there or name in getattr(module, "__all__", ()) or CONVOLUTIONS.get(name, ("", False))[1]


def path_of(section, name):
    return name if section == "keras" else f"{section}.{name}"


def _identity(thing):
    """What the names of one class or function have in common."""
    return id(thing) if inspect.isclass(thing) or inspect.isfunction(thing) else None


def _reasons(keras, table):
    """Return a dict from paths, and from the objects that they stand for in Keras, to reasons."""
    reasons = {None: None}
    for section, rows in table.items():
        for name, reason in rows.items():
            reasons[path_of(section, name)] = reason
            thing = find(keras, path_of(section, name))
            if name == getattr(thing, "__name__", None):  # a reason under an object's other name is for that alone
                reasons[_identity(thing)] = reason
    return reasons


def arguments(thing):
    """Return {name: (default, kind)} of the arguments of a function or constructor; {} of what takes none."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return {}
    if inspect.isclass(thing) and [p.name for p in parameters] == ["args", "kwargs"]:  # what Keras' `__new__` takes
        parameters = list(inspect.signature(thing.__init__).parameters.values())[1:]
    return {p.name: (p.default, p.kind) for p in parameters}


def other_arguments(ours, theirs):
    """Return the set of arguments that only one of the two has, or whose default or kind differs."""
    ours, theirs = arguments(ours), arguments(theirs)
    other = {name for name in {**ours, **theirs} if str(ours.get(name)) != str(theirs.get(name))}
    same = [[name for name in both if name not in other] for both in (ours, theirs)]
    return other if same[0] == same[1] else other | {"order"}


def quoted(reason):
    """Return the words in backquotes: the arguments and keys of configs that may differ."""
    return set(re.findall(r"\w+", " ".join(re.findall("`([^`]*)`", reason or ""))))


def problems(keras):
    """Return what is wrong with the tables, as sentences that say how to mend it."""
    found = [f"{section} is missing in minikeras" for section in SECTIONS[:-1] if find(minikeras, section) is None]
    names = {(n.section, n.name): n for n in collect(keras)}
    for n in names.values():
        path = path_of(n.section, n.name)
        if n.ours is None:
            if n.reason is None:
                found.append(f"{path} is missing in minikeras: add it, or a reason to LEFT_OUT[{n.section!r}]")
            continue
        other = other_arguments(n.ours, n.theirs) - quoted(n.reason) - ({"args", "kwargs"} if n.reason else set())
        if other:
            found.append(
                f"{path} has other arguments than Keras': {', '.join(sorted(other))}. Make them equal, or name them in "
                f"backquotes in a reason in DIFFERS[{n.section!r}]"
            )
        if inspect.isclass(n.ours) != inspect.isclass(n.theirs):
            found.append(f"{path} is a class in one of the two only")
        if not _is_exported(n):
            found.append(f"{path} is not in `__all__`")
    for title, there in (("DIFFERS", True), ("LEFT_OUT", False)):
        for section, rows in getattr(tables, title).items():
            for name, reason in rows.items():
                n = names.get((section, name))
                if n is None:
                    found.append(f"{title}[{section!r}] has {name!r}, which Keras has not: take it out")
                elif (n.ours is not None) != there:
                    found.append(f"{title}[{section!r}] has {name!r}, which minikeras has{'' if n.ours else ' not'}")
                if not re.fullmatch(r"[^|\n]+[^|\n.]", reason):
                    found.append(f"{title}[{section!r}][{name!r}] must be one line without '|': {reason!r}")
    return found + [*_problems_of_methods(keras), *_problems_of_additions(keras)]


def _is_exported(n):
    """Whether the name, or another one of the same object, is in `__all__` (or made by `legacy`)."""
    path, _, name = path_of(n.section, n.name).rpartition(".")
    module = find(minikeras, path) if path else minikeras
    exported = getattr(module, "__all__", [name])
    return name in exported or name in CONVOLUTIONS or any(n.ours is getattr(module, o, None) for o in exported)


def _problems_of_additions(keras):
    for section in (*SECTIONS, *LARGER):
        module = minikeras if section == "keras" else find(minikeras, section)
        ours = {name for name in getattr(module, "__all__", ()) if not name.startswith("_")}
        ours = {name for name in ours if find(keras, path_of(section, name)) is None}
        listed = tables.ADDITIONS.get(section, {})
        yield from (f"{section}.__all__ has {name!r}, which is not there" for name in ours if not hasattr(module, name))
        for name in sorted(ours - set(listed)):
            if "*" not in listed:
                yield f"{path_of(section, name)} is not in Keras: say in ADDITIONS[{section!r}] what it is"
        for name in sorted(set(listed) - ours - {"*"}):
            yield f"ADDITIONS[{section!r}] has {name!r}, which minikeras has not, or Keras has too: take it out"


def other_methods(keras, path):
    """Return {name: arguments that differ, or None if it is missing} of the public methods and properties of a class.

    What is PyTorch's is left out, and what takes any arguments in Keras.
    """
    theirs, ours = find(keras, path), find(minikeras, path)
    sample = SAMPLES.get(path, lambda: None)()
    found = {}
    for name in dir(theirs):
        owner = next(cls for cls in theirs.__mro__ if name in vars(cls))
        if name.startswith("_") or not owner.__module__.startswith("keras."):
            continue
        method = getattr(theirs, name)
        if not hasattr(ours, name) and not hasattr(sample, name):
            found[name] = None
        elif callable(method) and hasattr(ours, name) and set(arguments(method)) != {"self", "args", "kwargs"}:
            found[name] = other_arguments(getattr(ours, name), method) - {"kwargs"}
    return {name: other for name, other in found.items() if other is None or other}


def _problems_of_methods(keras):
    for path, rows in tables.METHODS.items():
        bases = [tables.METHODS[base] for base in tables.METHODS if issubclass(find(keras, path), find(keras, base))]
        found = other_methods(keras, path)
        for name, other in found.items():
            reason = rows.get(name) or next((base[name] for base in bases if name in base), None)
            if reason is None or not (other or set()) <= quoted(reason):
                what = "is missing" if other is None else f"has other arguments than Keras': {', '.join(sorted(other))}"
                yield f"{path}.{name} {what}. Mend it, or say so in METHODS[{path!r}], with the arguments in backquotes"
        for name in sorted(set(rows) - set(found)):
            yield f"METHODS[{path!r}] has {name!r}, which is there, with the same arguments: take it out"


def text(keras):
    """Return the page."""
    names = collect(keras)
    version = ".".join(keras.__version__.split(".")[:2])
    lines = [INTRODUCTION.format(version=version), "| | same | differs | left out |", "| --- | --: | --: | --: |"]
    totals = collections.Counter(n.status for n in names)
    for section in SECTIONS:
        counts = collections.Counter(n.status for n in names if n.section == section)
        title = _title(section)
        lines.append(f"| [{title}](#{title.replace('.', '')}) | {' | '.join(str(counts[s]) for s in STATUSES)} |")
    lines.append(f"| all together | {' | '.join(str(totals[s]) for s in STATUSES)} |")
    for section in SECTIONS:
        lines += ["", f"## {_title(section)}"]
        of_status = {status: [n for n in names if (n.section, n.status) == (section, status)] for status in STATUSES}
        if of_status["same"]:
            modules = ", and the modules above" if section == "keras" else ""
            lines += ["", "Same: " + _listed(n.name for n in of_status["same"]) + modules]
        for status in STATUSES[1:]:
            if of_status[status]:
                lines += ["", f"| {status} | {'how' if status == 'differs' else 'why'} |", "| --- | --- |"]
                lines += _rows((n.name, n.reason) for n in of_status[status])
    whole = [path for path in tables.METHODS if not other_methods(keras, path)]
    lines += ["", "## Methods", "", METHODS_INTRODUCTION.format(classes=_listed(whole))]
    lines += ["", "| class | methods | how, or why not |", "| --- | --- | --- |"]
    for path, rows in tables.METHODS.items():
        lines += [f"| keras.{path} {row}" for row in _rows(rows.items())]
    lines += ["", "## Additions", "", "Public names that Keras 3 has not.", "", "| | | |", "| --- | --- | --- |"]
    for section, rows in tables.ADDITIONS.items():
        lines += [f"| {_title(section)} {row}" for row in _rows(rows.items())]
    lines.append(END.format(command=COMMAND))
    return "\n".join(lines)


def _title(section):
    return section if section == "keras" else f"keras.{section}"


def _listed(names):
    return ", ".join(f"`{name}`" for name in names)


def _rows(names_and_reasons):
    """Return a row of a table for each reason."""
    groups = {}
    for name, reason in names_and_reasons:
        groups.setdefault(reason, []).append(name)
    return [f"| {_listed(names) if names != ['*'] else ''} | {reason} |" for reason, names in groups.items()]


def main():
    os.environ["KERAS_BACKEND"] = "torch"  # as in tests/parity/conftest.py
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import keras
        except ImportError as error:
            sys.exit(f"{error}: pip install '.[parity]'")
    if found := problems(keras):
        sys.exit("\n".join(["tests/compatibility.py does not fit what is there:", *found]))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text(keras), encoding="utf-8")


if __name__ == "__main__":
    main()
