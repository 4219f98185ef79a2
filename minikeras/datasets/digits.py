"""Handwritten digits that come with the library: the UCI optical digits, 1,797 images of 8x8 pixels.

The images are those of scikit-learn's `load_digits`, values 0 to 16 in 8x8 pixels; `digits_LICENSE.txt` beside this
file names their authors and licence (CC BY 4.0).
"""

import os

import numpy as np

SIZE, LEVELS = 8, 16
# The order of the images: every 1111th of the file, round and round (1111 and 1797 have no common divisor). The file
# is sorted by writer; this way any run of images, so also the test set and the end that `validation_split` takes,
# holds all writers and all digits, and no random generator is needed.
STEP = 1111
TEST_SAMPLES = 360


def load_data(size=8):
    """Return the digits as ``(x_train, y_train), (x_test, y_test)``, ready for `fit`.

    The split is fixed: 1,437 images to train on and 360 to test on, both with about a tenth of each digit. The same 13
    people wrote both, so the test accuracy says nothing about a new hand.

    Args:
        size: height and width of the images, an integer of at least 8. The 8x8 originals are scaled up with

                y = R x R^T clipped to [0, 1],    R[i, j] = k((i + 1/2) 8 / size - (j + 1/2))

            where k is the cubic convolution kernel, whose overshoot keeps strokes sharp; around the image the paper
            is blank. ``size=8`` returns the originals themselves.

    Returns:
        x: float32 array in [0, 1], 0 is paper and 1 is ink, of shape (samples, size, size, 1).
        y: int64 array of digits 0 to 9, of shape (samples,).

    Reference: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998;
    the kernel: R. Keys, Cubic convolution interpolation for digital image processing, 1981, equation 15.
    """
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < SIZE:
        raise ValueError(f"`size` must be an integer of at least {SIZE}, the originals' size. Received: size={size!r}")
    with np.load(os.path.join(os.path.dirname(__file__), "digits.npz"), allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    order = np.arange(len(images)) * STEP % len(images)
    x = images[order] / np.float32(LEVELS)
    if size != SIZE:
        scale = scaling_matrix(SIZE, int(size))
        x = np.clip(scale @ x @ scale.T, 0, 1)
    x, y = x[..., None], labels[order].astype(np.int64)
    return (x[:-TEST_SAMPLES], y[:-TEST_SAMPLES]), (x[-TEST_SAMPLES:], y[-TEST_SAMPLES:])


def scaling_matrix(old, new):
    """Return R of shape (new, old), float32, with which R x scales a column of ``old`` pixels to ``new`` pixels."""
    position = (np.arange(new) + 0.5) * old / new - 0.5  # pixels have their centres at halves: nothing is shifted
    return cubic(position[:, None] - np.arange(old)).astype(np.float32)


def cubic(t):
    """Keys' interpolation kernel with a = -1/2: 1 at 0, 0 at all other integers and beyond 2, smooth between."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))
