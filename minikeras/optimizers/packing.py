"""Packing: the weights of an optimizer lie side by side in one flat array, and so do their gradients and slots.

An elementwise formula does not care where one weight ends and the next begins, so it runs once over all of them
instead of once for each. Large arrays are cut into one share a thread, and a share into chunks that stay in cache
between the several passes of a formula.
"""

import numpy as np

# Elements in a chunk. Each pass over a chunk is one NumPy call: shorter ones spend their time waiting for each other to
# get the interpreter lock back.
CHUNK = 2**18


class Place:
    """The slice of the flat arrays that belongs to one weight.

    Attributes:
        arrays: the flat arrays of values, gradients and each slot.
        start, stop: the slice.
        views: the slice of each array in the weight's shape.
        decays: whether weight decay applies.
        scale: what the gradient is multiplied by in this step to clip its norm.
    """

    def __init__(self, variable, arrays, start, decays):
        self.variable = variable
        self.arrays = arrays
        self.start = start
        self.stop = start + variable.size
        self.views = [array[self.start : self.stop].reshape(variable.shape) for array in arrays]
        self.decays = decays
        self.scale = 1.0

    def settle(self):
        """Move the weight here, with its gradient, unless it is here: another optimizer may have moved it."""
        value, grad = self.views[:2]
        if self.variable.value is not value:
            self.variable.move(value, grad)


def pack(variables, slots, slot_value, decays):
    """Move ``variables`` into flat arrays, one set a dtype, and return their places.

    Args:
        variables: list of `Variable`.
        slots: number of slots of each.
        slot_value: what slots start from.
        decays: function of a variable: whether weight decay applies to it.
    """
    places = {}
    for dtype in dict.fromkeys(v.dtype for v in variables):
        members = [v for v in variables if v.dtype == dtype]
        size = sum(v.size for v in members)
        arrays = [np.zeros(size, dtype), np.zeros(size, dtype)]
        arrays += [np.full(size, slot_value, dtype) for _ in range(slots)]
        start = 0
        for variable in members:
            place = places[id(variable)] = Place(variable, arrays, start, decays(variable))
            place.settle()
            start = place.stop
    return [places[id(v)] for v in variables]


def cut(places, shares, apart):
    """Return ``shares`` lists of chunks (w, g, slots, place), of nearly equal size, which cover ``places``.

    Neighbours are joined when they are treated alike; ``apart`` keeps each weight by itself. The place is that of the
    chunk's first weight.
    """
    runs = []
    for place in sorted(places, key=lambda place: (place.variable.dtype, place.start)):
        before, start, stop = runs[-1] if runs else (None, 0, 0)
        joined = before and before.arrays is place.arrays and stop == place.start and before.decays == place.decays
        if joined and not apart:
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
