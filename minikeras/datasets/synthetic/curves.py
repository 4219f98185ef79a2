"""A curve with noise, for regression; and points as a CSV file, for programs that draw."""

import numpy as np

from minikeras import config
from minikeras.datasets.synthetic.arguments import check_count, check_number


def polynomial(coefficients=(0.0, -1.0, 0.0, 2.0), samples=200, low=-1.0, high=1.0, noise=0.1, seed=0):
    """Return points about the graph of a polynomial.

        y = c_0 + c_1 x + c_2 x^2 + ... + noise n,    x uniform in [low, high), n normal

    Args:
        coefficients: the numbers c, the constant first.
        samples: number of points.
        low, high: where the graph begins and ends.
        noise: standard deviation of what is added to y.
        seed: an integer, or None.

    Returns:
        x: float32 array of shape (samples, 1), as a model takes it. y: float32 array of shape (samples,).

    Raises:
        ValueError: a bad argument, or values that float32 cannot hold.
    """
    if isinstance(coefficients, np.ndarray):
        coefficients = coefficients.tolist()
    if not isinstance(coefficients, (list, tuple)) or not coefficients:
        raise ValueError(
            "`coefficients` must be a list of one number or more, the constant first, as (1.0, 0.0, -2.0) for "
            f"1 - 2 x^2. Received: coefficients={coefficients!r}"
        )
    coefficients = [check_number(f"coefficients[{i}]", c) for i, c in enumerate(coefficients)]
    samples = check_count("samples", samples)
    low, noise = check_number("low", low), check_number("noise", noise, 0)
    if check_number("high", high) <= low:
        raise ValueError(f"`high` must be greater than `low`. Received: low={low!r}, high={high!r}")
    generator = config.make_generator(seed)
    x = generator.uniform(low, high, samples).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        y = np.zeros(samples)
        for coefficient in reversed(coefficients):
            y = y * x + coefficient  # in float64, of the x that is returned
        y = (y + noise * generator.standard_normal(samples)).astype(np.float32)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(
            f"Some values are too large for float32: use smaller `coefficients`, `noise` or `low` and `high`. "
            f"Received: coefficients={coefficients}, noise={noise}, low={low}, high={high}"
        )
    return x[:, None], y


def save_csv(path, x, y):
    """Write points as a CSV file, whole or not at all: a header, then a line for each point.

    The header is ``x,y``, or ``x1,x2,y`` and so on if the points have several coordinates. Each number has just the
    digits that lead back to it, so that this returns the very same arrays:

        rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype="float32", ndmin=2)
        x, y = rows[:, :-1], rows[:, -1]

    Args:
        path: of the file; one that is there is replaced.
        x: array of numbers, of shape (samples, coordinates). y: array of numbers, of shape (samples,).

    Raises:
        ValueError: other shapes. TypeError: no numbers. OSError: the file cannot be written; one that was there is
            as it was.
    """
    x, y = np.asarray(x), np.asarray(y)
    for name, array in (("x", x), ("y", y)):
        if array.dtype.kind not in "iuf":
            raise TypeError(f"`{name}` must be an array of numbers. Received one of dtype {array.dtype}")
    if x.ndim != 2 or y.shape != x.shape[:1] or 0 in x.shape:
        raise ValueError(
            "`x` must have the shape (samples, coordinates), and `y` the shape (samples,), as the points of "
            f"`datasets.synthetic` have. Received: x.shape={x.shape}, y.shape={y.shape}"
        )
    from minikeras.saving.atomic import replacing

    names = ["x"] if x.shape[1] == 1 else [f"x{i + 1}" for i in range(x.shape[1])]
    columns = [column.astype(str).tolist() for column in (*x.T, y)]  # NumPy's shortest digits, for each dtype its own
    with replacing(path) as temporary, open(temporary, "x", encoding="ascii", newline="\n") as file:
        file.write(",".join([*names, "y"]) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns))
