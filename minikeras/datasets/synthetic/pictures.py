"""Pictures of shapes: a data set of images for where there is no network, that is not too easy and can be learned.

A shape is a function of the distance to its edge: negative inside, 0 on it, positive outside, in units of the radius.
"""

import numpy as np

from minikeras import config
from minikeras.datasets.synthetic.arguments import balanced_labels, check_count, check_number, check_samples

ROWS = 256  # images that are drawn at once: what is needed for them fits the cache
SMALLEST = 12  # pixels, of an image in which shapes still differ


def circle(u, v):
    """sqrt(u^2 + v^2) - 1"""
    return np.hypot(u, v) - 1


def ring(u, v):
    """|sqrt(u^2 + v^2) - 0.75| - 0.25"""
    return np.abs(np.hypot(u, v) - 0.75) - 0.25


def square(u, v):
    """max(|u|, |v|) - 1 / sqrt(2)"""
    return np.maximum(np.abs(u), np.abs(v)) - 0.5**0.5


def bar(u, v):
    """max(|u| - 0.96, |v| - 0.28): its corners lie on the unit circle."""
    return np.maximum(np.abs(u) - 0.96, np.abs(v) - 0.28)


def cross(u, v):
    """The smaller of two bars' distances, one across the other."""
    return np.minimum(bar(u, v), bar(v, u))


def triangle(u, v):
    """max(-v, (sqrt(3) |u| + v) / 2) - 1/2: three edges, 1/2 from the middle."""
    return np.maximum(-v, (3**0.5 * np.abs(u) + v) / 2) - 0.5


def moon(u, v):
    """The unit circle without another of radius 0.8 around (0.55, 0)."""
    return np.maximum(np.hypot(u, v) - 1, 0.8 - np.hypot(u - 0.55, v))


SHAPES = {
    "circle": circle,
    "square": square,
    "triangle": triangle,
    "cross": cross,
    "ring": ring,
    "bar": bar,
    "moon": moon,
}


def images(samples=2000, test_samples=500, size=28, shapes=None, channels=1, noise=0.05, contrast=0.4, seed=0):
    """Return labelled pictures of shapes as ``(x_train, y_train), (x_test, y_test)``, ready for `fit`.

    Each image has one shape of random place, size, angle and shades, all within the image. With a pixel's centre p, the
    shape's centre c, radius r and angle a, and d the distance to the edge that `SHAPES` has for the class:

        (u, v) = R(-a) (p - c) / r,    ink = clip(1/2 - r d(u, v), 0, 1)
        x = clip(back + (front - back) ink + noise n, 0, 1),    n normal

    r is uniform in [0.2, 0.4) size, c in [r, size - r)^2, a in [0, 2 pi); of back and front, in each channel anew, one
    is lighter by something uniform in [contrast, 1). Ink between 0 and 1 is at the edge only, which so looks smooth.

    Args:
        samples, test_samples: numbers of images to train and to test on. The seed alone decides the one set, however
            many there are of the other.
        size: height and width, an integer of at least 12.
        shapes: names of what to draw, in the order of the labels, of `circle`, `square`, `triangle`, `cross`, `ring`,
            `bar`, `moon`; None for all of them.
        channels: 1 for shades of grey, 3 for colours.
        noise: standard deviation of the noise of each pixel.
        contrast: the least difference between the shape and what is behind it, in [0, 1).
        seed: an integer, or None.

    Returns:
        x: float32 array in [0, 1], of shape (samples, size, size, channels); with the channels first if
            `config.image_data_format` says so.
        y: int64 array of positions in ``shapes``, of shape (samples,).

    Raises:
        ValueError: a bad argument.
    """
    shapes = _standardize_shapes(shapes)
    samples = check_samples(samples, len(shapes))
    test_samples = check_samples(test_samples, len(shapes), "test_samples")
    size = check_count("size", size, SMALLEST)
    if check_count("channels", channels) not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (colours). Received: channels={channels!r}")
    noise = check_number("noise", noise, 0)
    contrast = check_number("contrast", contrast, 0, 1)
    generators = config.make_generator(seed).spawn(2)
    train, test = (
        _draw(generator, count, size, shapes, int(channels), noise, contrast)
        for generator, count in zip(generators, (samples, test_samples))
    )
    return train, test


def _standardize_shapes(shapes):
    if shapes is None:
        return tuple(SHAPES)
    names = tuple(shapes) if isinstance(shapes, (list, tuple)) else ()
    known = all(isinstance(name, str) and name in SHAPES for name in names)
    if len(names) < 2 or not known or len(set(names)) < len(names):
        raise ValueError(
            f"`shapes` must be a list of two or more different names of {', '.join(SHAPES)}, or None for all. "
            f"Received: shapes={shapes!r}"
        )
    return names


def _draw(generator, samples, size, shapes, channels, noise, contrast):
    """Return the images and their labels."""
    y = balanced_labels(generator, samples, len(shapes))
    radius = generator.uniform(0.2, 0.4, samples) * size
    centre = radius + (size - 2 * radius) * generator.random((2, samples))
    angle = generator.uniform(0, 2 * np.pi, samples)
    difference = generator.uniform(contrast, 1, (samples, channels))
    back = (1 - difference) * generator.random((samples, channels))
    darker = generator.random((samples, channels)) < 0.5
    back, difference = np.where(darker, back + difference, back), np.where(darker, -difference, difference)
    x = generator.standard_normal((samples, size, size, channels), np.float32)
    x *= noise
    for label, shape in enumerate(shapes):
        rows = np.flatnonzero(y == label)
        for part in np.array_split(rows, -(-len(rows) // ROWS)):
            ink = _ink(SHAPES[shape], radius[part], centre[:, part], angle[part], size)[..., None]
            x[part] += back[part, None, None] + difference[part, None, None] * ink
    np.clip(x, 0, 1, out=x)
    if config.image_data_format() == "channels_first":
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return x, y


def _ink(distance, radius, centre, angle, size):
    """Return how much of each pixel a shape covers, of shape (samples, size, size)."""
    pixels = np.arange(size) + 0.5
    radius, cosine, sine = (array[:, None, None] for array in (radius, np.cos(angle), np.sin(angle)))
    across = (pixels[None, None, :] - centre[1][:, None, None]) / radius
    down = (pixels[None, :, None] - centre[0][:, None, None]) / radius
    u, v = cosine * across + sine * down, cosine * down - sine * across
    return np.clip(0.5 - radius * distance(u, v), 0, 1)
