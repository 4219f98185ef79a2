"""Weights in Keras 3's own layout, ``.weights.h5``.

    vars                                    attribute name: the model's
    layers/conv2d/vars/0, 1, ...            attribute name of vars: the layer's; its weights in their order
    layers/conv2d_1/vars/...                the second layer of that class, whatever its name is
    layers/sequential/layers/dense/vars/... a model in the model
    layers/lstm/cell/vars/...               a layer in the attribute `cell` of a layer
    optimizer/vars/0, 1, ...                iteration, learning rate, slots; if the model is compiled

Loading checks everything first: the model is as it was unless all of the file fits (or what does not is skipped on
request).
"""

import os
import re

from minikeras import checks, optimizers
from minikeras.kernels import threads
from minikeras.messages import warn
from minikeras.saving import reader
from minikeras.saving.atomic import replacing

ENDING = ".weights.h5"
LISTED = 10  # problems that an error lists


@threads.one_at_a_time
def save_weights(model, filepath, overwrite=True):
    """Write the weights of ``model``, and its optimizer's state if it is compiled.

    The file is written beside its place and renamed into it: whatever fails, an older file of that name survives.

    Args:
        model: a built `Sequential`.
        filepath: string or path, which ends in ``.weights.h5``.
        overwrite: whether a file of that name may be replaced.

    Raises:
        ValueError: the model is not built, or the name has another ending. FileExistsError: with overwrite=False.
    """
    path = _standardize_path(filepath)
    checks.check_built(model, "save_weights")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path!r} exists already: choose another name, or pass overwrite=True to replace it")
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "x") as file:
        write_state(model, file)


def write_state(model, group):
    """Write weights and optimizer's state into an h5py group, which may be the file itself."""
    _write_layers(model, group)
    if model.optimizer is not None:
        _write_variables(model.optimizer.variables, model.optimizer.name, group.create_group("optimizer"))


def _write_layers(layer, group):
    _write_variables(layer.saved_weights(), layer.name, group)
    for place, inner in layer.sublayers:
        _write_layers(inner, group.create_group(place))


def _write_variables(variables, name, group):
    stored = group.create_group("vars")
    stored.attrs["name"] = name
    for i, variable in enumerate(variables):
        stored[str(i)] = variable.value


@threads.one_at_a_time
def load_weights(model, filepath, skip_mismatch=False):
    """Read the weights of ``model``, and its optimizer's state if it is compiled and the file has one that fits.

    Args:
        model: a built `Sequential`.
        filepath: string or path of a ``.weights.h5`` file, of Keras' or ours.
        skip_mismatch: whether to load the layers that fit and warn about the others.

    Raises:
        ValueError: shapes or layers differ; nothing is loaded then.
        FileNotFoundError: with similar names. FileFormatError: damaged, foreign or unsafe.
    """
    _load(model, filepath, skip_mismatch=skip_mismatch)


@threads.one_at_a_time
def load_first_layers(model, filepath):
    """Read the weights of a ``model`` that is the beginning of the one in the file, whose other layers are not read.

    Arguments and errors: as of `load_weights`.
    """
    _load(model, filepath, goes_on=True)


def _load(model, filepath, **options):
    path = _standardize_path(filepath)
    checks.check_built(model, "load_weights")
    with reader.open_file(path) as root:
        values = read_state(model, root, **options)
    for variable, value in values:
        variable.assign(value)


def read_state(model, root, skip_mismatch=False, goes_on=False):
    """Return pairs (variable, value) for what a file holds for ``model``, all of it checked.

    With ``goes_on`` the file may have more layers.
    """
    if not root.has("layers"):
        raise reader.FileFormatError(f"{root.file!r} does not hold Keras 3's weights: {_describe(root)}")
    found, problems = _match_layers(model, root, goes_on=goes_on)
    if problems and not skip_mismatch:
        mend = "" if goes_on else ": skip_mismatch=True skips it"
        raise ValueError(_list_problems(model, root, problems) + f"Nothing was loaded{mend}")
    values = [(variable, group.read(name, variable.shape, variable.dtype)) for variable, group, name in found]
    if problems:
        warn(_list_problems(model, root, problems) + "The rest was loaded.")
    return values + _read_optimizer(model, root)


def _match_layers(layer, group, place="", goes_on=False):
    """Compare a layer, or model, with its group in a file, which may be None.

    Returns:
        what fits, a list of (variable, group, name in it), and what does not, a list of sentences.
    """
    total = len(layer.weights)
    if place and total and (group is None or not _count_variables(group)):
        return [], [f"{place} is missing: the file has no weights for layer {layer.name!r}, which has {total}"]
    found, problems = _match_variables(layer, group, place)
    for name, inner in layer.sublayers:
        stored = group
        for part in name.split("/"):
            stored = stored and stored.group(part)
        more_found, more_problems = _match_layers(inner, stored, f"{place}/{name}")
        found += more_found
        problems += more_problems
    return found, problems if goes_on else problems + _left_over(layer, group, place)


def _left_over(layer, group, place):
    """Sentences about layers in the file's lists (a model's "layers", the "cells" of stacked cells) that are not in the
    model's."""
    known = {name for name, _ in layer.sublayers}
    lists = {name.partition("/")[0] for name in known if "/" in name}
    lists |= {"layers"} if hasattr(layer, "layers") else set()
    problems = []
    for container in sorted(lists):
        stored = group and group.group(container)
        for name in stored.names() if stored else ():
            if f"{container}/{name}" in known or not stored.group(name).has("vars"):  # without, it is nobody's layer
                continue
            if count := _count_variables(stored.group(name)):
                problems.append(f"{stored.place}/{name} is left over: {count} weights for which the model has no layer")
    return problems


def _match_variables(layer, group, place):
    weights = layer.saved_weights()
    count = _count_own(group)
    if count != len(weights):
        return [], [f"{place}: the file has {count} weights, layer {layer.name!r} has {len(weights)}"]
    stored = group.group("vars") if count else None
    found, problems = [], []
    for i, weight in enumerate(weights):
        shape = stored.shape(str(i))
        if shape == weight.shape:
            found.append((weight, stored, str(i)))
        elif shape is None:
            problems.append(f"{stored.place}/{i} is missing: it is {weight.name!r} of layer {layer.name!r}")
        else:
            problems.append(
                f"{stored.place}/{i} has shape {shape} in the file, and {weight.name!r} of layer {layer.name!r} has "
                f"shape {weight.shape}"
            )
    return ([], problems) if problems else (found, [])


def _count_own(group):
    """Return how many variables lie directly in the group of a layer, which may be None."""
    stored = group and group.group("vars")
    return len(stored.names()) if stored else 0


def _count_variables(group, depth=4):
    """Return how many variables lie in the group of a layer or model and in those inside of it."""
    inner = [group.group(name) for name in group.groups() if name != "vars"] if depth else []
    return _count_own(group) + sum(_count_variables(member, depth - 1) for member in inner)


def _list_problems(model, root, problems):
    more = f"- and {len(problems) - LISTED} more\n" if len(problems) > LISTED else ""
    lines = "".join(f"- {problem}\n" for problem in problems[:LISTED])
    return f"{root.file!r} does not fit model {model.name!r}:\n{lines}{more}"


# The optimizer.


def _read_optimizer(model, root):
    """Return (variable, value) of the optimizer's state, nothing (and a warning) if it is another optimizer's.

    One that has not taken a step is built for a state that has slots.
    """
    optimizer = model.optimizer
    if optimizer is None:
        return []
    group = root.group("optimizer")
    stored = group and group.group("vars")
    names = stored.names() if stored else []
    if not names and not optimizer.built:
        return []  # weights alone, for a model that has not been trained: nothing is lost
    weights = model.trainable_weights
    expected = [(variable.shape, variable.dtype) for variable in optimizer.variables]
    if not optimizer.built and len(names) > len(expected):
        expected += _expected_slots(optimizer, weights)
    if len(names) != len(expected):
        reason = f"it has {len(expected)} variables whereas the saved optimizer has {len(names)} variables."
    elif any(stored.shape(str(i)) != shape for i, (shape, _) in enumerate(expected)):
        reason = "the saved optimizer's variables have other shapes."
    elif not _same_kind(optimizer, stored.text_attribute("name")):
        reason = f"the saved optimizer is {stored.text_attribute('name')!r}, whose state means something else."
    else:
        values = [stored.read(str(i), shape, dtype) for i, (shape, dtype) in enumerate(expected)]
        if len(expected) > len(optimizer.variables):
            optimizer.build(weights)
        return list(zip(optimizer.variables, values))
    warn(f"Skipping variable loading for optimizer {optimizer.name!r}, because {reason}")
    return []


def _expected_slots(optimizer, weights):
    """Return (shape, dtype) of the slots that the optimizer will have, in the order of its `variables`."""
    groups = [[group] if isinstance(group, str) else group for group in optimizer.slots()]
    return [(weight.shape, weight.dtype) for group in groups for weight in weights for _ in group]


def _same_kind(optimizer, saved_name):
    """Whether a state saved under that name can be this optimizer's; names of one's own say nothing."""
    kinds = {kind.__name__.lower(): kind for kind in vars(optimizers).values() if isinstance(kind, type)}
    saved = kinds.get(re.sub(r"_\d+$", "", saved_name or "").lower())
    return saved is None or issubclass(type(optimizer), saved) or issubclass(saved, type(optimizer))


# Files.


def _standardize_path(filepath):
    try:
        path = os.fsdecode(filepath)
    except TypeError:
        raise TypeError(f"`filepath` must be a string or a path. Received: {filepath!r}") from None
    if not path.endswith(ENDING):
        raise ValueError(f"The filename must end in `{ENDING}`. Received: filepath={path!r}")
    return os.path.abspath(path)


def _describe(root):
    if root.has("model_weights") or root.has_attribute("layer_names"):
        return "it looks like a file of Keras 1 or 2 (legacy .h5); load it there and save it as .weights.h5"
    names = root.names()
    if "_layer_checkpoint_dependencies" in names:
        return "it was written by Keras 2.12; load it in Keras 3 and save it again"
    return f"its groups are {', '.join(map(repr, names[:LISTED]))}" if names else "it has no groups"
