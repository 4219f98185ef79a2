"""Sliding windows over a series, as batches for `fit`."""

import numpy as np

from minikeras import config
from minikeras.utils.stream import Array, Stream


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
    format="tf",
):
    """Return batches (windows, targets) of a series.

    Window k holds data[i], data[i + r], ..., data[i + (sequence_length - 1) r] with i = start_index + k s, where r is
    ``sampling_rate`` and s ``sequence_stride``. Its target is targets[i].

    Args:
        data: array of shape (steps, ...).
        targets: array of shape (steps, ...), or None for windows only. ``targets[i]`` belongs to the window that
            *starts* at i: to predict the value after each window, pass ``data[sequence_length:]``.
        sequence_length: values in a window.
        sequence_stride: steps between the starts of two windows.
        sampling_rate: steps between two values of a window.
        batch_size: windows in a batch (the last may have fewer); None for single windows.
        shuffle: whether to draw the order of the windows anew for each pass.
        seed: integer for the shuffle; by default it follows `set_random_seed`.
        start_index, end_index: use data[start_index:end_index] only.
        format: ``"tf"`` or ``"grain"``. Both give the same data set, which needs neither.

    Returns:
        A `Stream`: iterable, with a length, `take`, `map` and so on. Windows have the shape
        (batch, sequence_length, ...).

    Raises:
        ValueError: an argument out of its range, or a series that is too short for a window.
    """
    integers = {
        "sequence_length": sequence_length,
        "sequence_stride": sequence_stride,
        "sampling_rate": sampling_rate,
        "batch_size": 1 if batch_size is None else batch_size,
    }
    for name, value in integers.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    length = len(data)
    for name, value in (("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate)):
        if value >= length:
            raise ValueError(f"`{name}` must be lower than the {length} steps of `data`. Received: {name}={value}")
    if start_index and not 0 <= start_index < length:
        raise ValueError(f"`start_index` must be in [0, {length}), the steps of `data`. Received: {start_index}")
    if end_index and not (start_index or 0) < end_index < length:
        raise ValueError(
            f"`end_index` must be above `start_index` and below the {length} steps of `data`. Received: "
            f"start_index={start_index}, end_index={end_index}"
        )
    if format not in ("tf", "grain"):
        raise ValueError(f"`format` must be 'tf' or 'grain'. Received: format={format!r}")
    start, end = start_index or 0, end_index or length
    data = np.asarray(data)[start:end]
    count = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)[start:]
        count = min(count, len(targets))
    if count < 1:
        raise ValueError(
            f"`data` must be long enough for one window of {sequence_length} values, {sampling_rate} steps apart. "
            f"Received: {len(data)} steps" + ("" if targets is None else f" and {len(targets)} targets")
        )
    starts = np.arange(0, count, sequence_stride)
    generator = config.make_generator(seed) if shuffle else None
    offsets = np.arange(sequence_length) * sampling_rate

    def make():
        order = generator.permutation(starts) if shuffle else starts
        for k in range(0, len(order), batch_size or 1):
            first = order[k : k + batch_size] if batch_size else order[k]
            windows = data[first[..., None] + offsets].view(Array)
            yield windows if targets is None else (windows, np.asarray(targets[first]).view(Array))

    return Stream(make, -(-len(starts) // (batch_size or 1)))
