"""Data that is made, not measured: from a formula and a seed, without a network connection, and never by itself.

The points come as ``x, y`` in an order of their own, so any part of them can be the one to validate or test on; the
pictures of `images` as ``(x_train, y_train), (x_test, y_test)``. Classes are of one size, give or take one sample. The
same seed makes the same data each time; `seed=None` goes on with the generators of `utils.set_random_seed`.
"""

from minikeras.datasets.synthetic.curves import polynomial, save_csv
from minikeras.datasets.synthetic.pictures import images
from minikeras.datasets.synthetic.points import circle, line, spiral, zone, zone_3d

__all__ = ["circle", "images", "line", "polynomial", "save_csv", "spiral", "zone", "zone_3d"]
