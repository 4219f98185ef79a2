"""Packing: the weights of an optimizer lie side by side in one flat array, and so do their gradients and slots.

An elementwise formula does not care where one weight ends and the next begins, so it runs once over all of them
instead of once for each. Large arrays are cut into one share a thread, and a share into chunks that stay in cache
between the several passes of a formula. Formulas that are not elementwise get each weight whole.
"""

import numpy as np

# Elements in a chunk. Each pass over a chunk is one NumPy call: shorter ones spend their time waiting for each other to
# get the interpreter lock back.
CHUNK = 2**18

KEPT = AVERAGE, ACCUMULATOR = "average", "gradient_accumulator"  # the slots that are not a formula's


class Place:
    """Where one weight lives.

    Attributes:
        arrays: the flat arrays of values, gradients to apply and each slot of the formula, if that is elementwise.
        start, stop: the slice of them that belongs to the weight.
        value, grad: the weight's value and gradient, in its shape.
        gradient: the gradient to apply, in the weight's shape: ``grad`` or what was accumulated.
        slots: dict of the names of the weight's slots to arrays.
        decays: whether weight decay applies.
        scale: what the gradient is multiplied by in this step to clip its norm.
    """

    def __init__(self, variable, flat, start, decays):
        self.variable = variable
        self.start = start
        self.stop = start + variable.size
        views = {name: array[self.start : self.stop].reshape(variable.shape) for name, array in flat.items()}
        self.value, self.grad = views.pop("value"), views.pop("grad")
        self.slots = views
        self.gradient = views.get(ACCUMULATOR, self.grad)
        gradients = flat.get(ACCUMULATOR, flat["grad"])
        formula = [array for name, array in flat.items() if name not in ("value", "grad", *KEPT)]
        self.arrays = [flat["value"], gradients, *formula]
        self.decays = decays
        self.scale = 1.0

    def settle(self):
        """Move the weight here, with its gradient, unless it is here: another optimizer may have moved it."""
        if self.variable.value is not self.value:
            self.variable.move(self.value, self.grad)


def pack(variables, names, plan, decays, elementwise=True):
    """Move ``variables`` into flat arrays, one set a dtype, and return their places.

    Args:
        variables: list of `Variable`.
        names: list of names of slots.
        plan: list of (variable, name, what that slot starts from), see `Optimizer.slot_start`.
        decays: function of a variable: whether weight decay applies to it.
        elementwise: whether the formula's slots lie side by side too. Only then do all have their weight's shape.
    """
    flat_names = [name for name in names if elementwise or name in KEPT]
    places = {}
    for dtype in dict.fromkeys(v.dtype for v in variables):
        members = [v for v in variables if v.dtype == dtype]
        size = sum(v.size for v in members)
        flat = {name: np.zeros(size, dtype) for name in ["value", "grad", *flat_names]}
        start = 0
        for variable in members:
            place = places[id(variable)] = Place(variable, flat, start, decays(variable))
            place.settle()
            start = place.stop
    for variable, name, initial in plan:
        slots = places[id(variable)].slots
        if name in flat_names:
            slots[name][...] = initial
        elif isinstance(initial, (int, float)):
            slots[name] = np.full(variable.shape, initial, variable.dtype)
        else:
            slots[name] = initial.copy()
    return [places[id(v)] for v in variables]


def cut(places, shares, apart):
    """Return ``shares`` lists of chunks (w, g, slots, place), of nearly equal size, which cover ``places``.

    Neighbours are joined when they are treated alike; ``apart`` keeps each weight by itself. The place is that of the
    chunk's first weight.
    """
    runs = []
    for place in sorted(places, key=lambda place: (place.variable.dtype, place.start)):
        before, start, stop = runs[-1] if runs else (None, 0, 0)
        joined = before and before.arrays[0] is place.arrays[0] and stop == place.start
        if joined and before.decays == place.decays and not apart:
            runs[-1] = (before, start, place.stop)
        else:
            runs.append((place, place.start, place.stop))
    chunks = [[] for _ in range(shares)]
    share_size = -(-sum(stop - start for _, start, stop in runs) // shares)
    done = 0
    for place, start, stop in runs:
        while start < stop:
            share = done // share_size
            n = min(stop - start, (share + 1) * share_size - done, CHUNK)
            w, g, *slots = (array[start : start + n] for array in place.arrays)
            chunks[share].append((w, g, slots, place))
            start += n
            done += n
    return chunks


def deal(places, shares, names):
    """Return ``shares`` lists of whole weights (w, g, slots, place): the largest first, to whom has least to do.

    The slots are those in ``names``, None where the weight has no such slot.
    """
    chunks, sizes = [[] for _ in range(shares)], [0] * shares
    for place in sorted(places, key=lambda place: -place.variable.size):
        if place.variable.size:
            share = sizes.index(min(sizes))
            chunks[share].append((place.value, place.gradient, [place.slots.get(name) for name in names], place))
            sizes[share] += place.variable.size
    return chunks
