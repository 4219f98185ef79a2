"""Points of the plane and of space with labels: what one tries a classifier on, and can draw."""

import numpy as np

from minikeras import config
from minikeras.datasets.synthetic.arguments import balanced_labels, check_count, check_number, check_samples


def spiral(samples=1000, classes=3, turns=0.75, noise=0.2, seed=0):
    """Return the arms of a spiral, one for each class.

        x = t (cos a, sin a),    a = 2 pi (turns t + y / classes) + noise n,    t uniform in [0, 1), n normal

    Args:
        samples: number of points.
        classes: number of arms.
        turns: how often an arm goes round; the more, the harder.
        noise: standard deviation of the angle, in radians. Arms are 2 pi / classes apart.
        seed: an integer, or None.

    Returns:
        x: float32 array of shape (samples, 2), in the unit circle. y: int64 array of arms, of shape (samples,).

    Reference: A. Karpathy, CS231n, Putting it together: minimal neural network case study.
    """
    classes = check_count("classes", classes, 2)
    samples = check_samples(samples, classes)
    turns, noise = check_number("turns", turns), check_number("noise", noise, 0)
    generator = config.make_generator(seed)
    y = balanced_labels(generator, samples, classes)
    t = generator.random(samples)
    angle = 2 * np.pi * (turns * t + y / classes) + noise * generator.standard_normal(samples)
    return _polar(t, angle).astype(np.float32), y


def circle(samples=1000, radius=0.7, noise=0.0, seed=0):
    """Return points inside a circle, and points around it.

        x = r (cos a, sin a) + noise n,    y = 1 if r < radius else 0,    a uniform in [0, 2 pi), n normal

    where r^2 is uniform: in [0, radius^2) for y = 1, in [radius^2, 1) for y = 0, so each class covers its area evenly.

    Args:
        samples: number of points.
        radius: of the circle, between 0 and 1.
        noise: standard deviation of what is added to both coordinates, after the label is known.
        seed: an integer, or None.

    Returns:
        x: float32 array of shape (samples, 2), in the unit circle but for the noise. y: int64 array of 0 and 1, of
            shape (samples,).
    """
    samples = check_samples(samples, 2)
    radius, noise = check_number("radius", radius, 0, 1, open_interval=True), check_number("noise", noise, 0)
    generator = config.make_generator(seed)
    y = balanced_labels(generator, samples, 2)
    u = generator.random(samples)
    r = np.sqrt(np.where(y == 1, radius**2 * u, radius**2 + (1 - radius**2) * u))
    return _noisy(_polar(r, 2 * np.pi * generator.random(samples)), noise, generator), y


def line(samples=1000, slope=0.5, intercept=0.0, noise=0.0, seed=0):
    """Return points above and below a straight line: what a single unit can tell apart.

        x = (u, slope u + intercept + h) + noise n,    y = 1 if h > 0 else 0,    u in [-1, 1) uniform, n normal

    where h is uniform in (0, 1] for y = 1, in (-1, 0] for y = 0.

    Args:
        samples: number of points.
        slope, intercept: of the line.
        noise: standard deviation of what is added to both coordinates, after the label is known.
        seed: an integer, or None.

    Returns:
        x: float32 array of shape (samples, 2). y: int64 array of 0 (below) and 1 (above), of shape (samples,).
    """
    samples = check_samples(samples, 2)
    slope, intercept = check_number("slope", slope), check_number("intercept", intercept)
    noise = check_number("noise", noise, 0)
    generator = config.make_generator(seed)
    y = balanced_labels(generator, samples, 2)
    u = generator.uniform(-1, 1, samples)
    x = np.stack([u, slope * u + intercept + y - generator.random(samples)], axis=1)
    return _noisy(x, noise, generator), y


def zone(samples=1000, grid=2, classes=2, noise=0.0, seed=0):
    """Return points of a chessboard: a square in zones, whose classes take turns.

        x uniform in [-1, 1)^2, within zones of the class, + noise n,    n normal
        y = (floor(grid (x_1 + 1) / 2) + floor(grid (x_2 + 1) / 2)) mod classes

    With 2 by 2 zones of 2 classes this is the exclusive or, which no single unit can learn.

    Args:
        samples: number of points.
        grid: number of zones along each axis; the more, the harder.
        classes: number of classes; no more than there are diagonals, 2 grid - 1.
        noise: standard deviation of what is added to both coordinates, after the label is known.
        seed: an integer, or None.

    Returns:
        x: float32 array of shape (samples, 2). y: int64 array of classes, of shape (samples,).

    Reference: M. Minsky, S. Papert, Perceptrons, 1969, on the exclusive or.
    """
    return _zones(2, samples, grid, classes, noise, seed)


def zone_3d(samples=2000, grid=2, classes=2, noise=0.0, seed=0):
    """Return points of a cube in zones, `zone` with a third axis.

        x uniform in [-1, 1)^3, within zones of the class, + noise n,    n normal
        y = (sum over i of floor(grid (x_i + 1) / 2)) mod classes,    i = 1, 2, 3

    Args:
        samples: number of points.
        grid: number of zones along each axis; the more, the harder.
        classes: number of classes; no more than 3 grid - 2.
        noise: standard deviation of what is added to all coordinates, after the label is known.
        seed: an integer, or None.

    Returns:
        x: float32 array of shape (samples, 3). y: int64 array of classes, of shape (samples,).
    """
    return _zones(3, samples, grid, classes, noise, seed)


def _zones(axes, samples, grid, classes, noise, seed):
    grid, classes = check_count("grid", grid, 2), check_count("classes", classes, 2)
    if classes > axes * (grid - 1) + 1:
        raise ValueError(
            f"`classes` must be at most {axes * (grid - 1) + 1} with grid={grid}: there are no zones for more. "
            f"Received: classes={classes}"
        )
    samples, noise = check_samples(samples, classes), check_number("noise", noise, 0)
    generator = config.make_generator(seed)
    y = balanced_labels(generator, samples, classes)
    zones = np.indices((grid,) * axes).reshape(axes, -1).T
    x = generator.random((samples, axes))  # within its zone
    for label in range(classes):
        rows = np.flatnonzero(y == label)
        x[rows] += generator.choice(zones[zones.sum(axis=1) % classes == label], len(rows))
    return _noisy(x * (2 / grid) - 1, noise, generator), y


def _polar(r, angle):
    return r[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _noisy(x, noise, generator):
    return (x + noise * generator.standard_normal(x.shape)).astype(np.float32)
