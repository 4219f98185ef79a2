"""Sequences of different lengths as one array: cut at ``maxlen`` and padded."""

import numpy as np

_SIDES = ("pre", "post")


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Return sequences as rows of one length: what is too long is cut, what is too short is filled up with ``value``.

    Args:
        sequences: list of sequences, each a list or array of shape (steps, ...) whose further axes are all alike.
        maxlen: length of the rows, an integer of at least 0; by default that of the longest sequence.
        dtype: type of the result; ``object`` holds strings of any length.
        padding: ``"pre"`` fills up before a sequence (so that a recurrent layer reads its end last), ``"post"`` after.
        truncating: ``"pre"`` cuts off the beginning of what is too long, ``"post"`` the end.
        value: what to fill up with: a number, or a string for a type of strings.

    Returns:
        array of shape (sequences, maxlen, ...).

    Raises:
        ValueError: no list of sequences, sequences of different shapes, or an argument out of its range.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"`sequences` must be a list of lists. Received: {type(sequences).__name__}")
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in _SIDES:
            raise ValueError(f"`{name}` must be 'pre' or 'post'. Received: {name}={side!r}")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"`sequences` must be a list of lists. Received: {sequence!r:.80} at index {i}. A single sequence goes "
                "into a list: [sequence]"
            )
    lengths = [len(sequence) for sequence in sequences]
    if maxlen is None:
        if not lengths:
            raise ValueError("`sequences` is empty, so the length of the rows cannot be derived from it. Pass `maxlen`")
        maxlen = max(lengths)
    elif isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 0:
        raise ValueError(f"`maxlen` must be an integer of at least 0, or None. Received: maxlen={maxlen!r}")
    kind = np.dtype(dtype).kind
    if isinstance(value, str) and kind not in "OUS":
        raise ValueError(
            f"`value` of type str does not fit dtype={dtype!r}. Received: value={value!r}. For sequences of strings "
            "pass dtype=object"
        )
    shape = next((np.asarray(s).shape[1:] for s, n in zip(sequences, lengths) if n), ())
    rows = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    for i, (sequence, length) in enumerate(zip(sequences, lengths)):
        if length == 0:
            continue
        first = max(length - maxlen, 0) if truncating == "pre" else 0
        kept = np.asarray(sequence[first : first + maxlen], dtype=dtype)
        if kept.shape[1:] != shape and len(kept):
            raise ValueError(
                f"The elements of all `sequences` must have one shape. Received: {kept.shape[1:]} at index {i}, where "
                f"the first sequence has {shape}"
            )
        start = maxlen - len(kept) if padding == "pre" else 0
        rows[i, start : start + len(kept)] = kept
    return rows
