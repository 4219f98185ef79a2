"""The recipe by which more handwritten digits are made from those there are: shifted, turned, resized, with noise.

    augment = preprocessing.digits.augmentation()
    more = augment(digits)                        # by hand
    model = Sequential([augment, LeNet5()])       # or as the first layer: in training only
"""

from minikeras import config, layers
from minikeras.layers.preprocessing.augmentation import is_number

__all__ = ["augmentation"]


def augmentation(rotation=10.0, shift=0.07, scale=0.1, shear=0.1, noise=0.05, seed=None, data_format=None):
    """Return a layer that changes each image of a digit a little in training, so that it still shows that digit.

    It is `RandomAffine`, with zeros around the image, then `RandomNoise`, which also limits the result to [0, 1]. In
    inference images stay as they are. An argument of 0 leaves its part out; the defaults suit 28x28 pixels.

    Args:
        rotation: largest angle, in degrees, either way.
        shift: largest shift, as a part of the image's height and width: 0.07 of 28 pixels are 2.
        scale: by how much height and width, each by itself, grow or shrink at most: 0.1 is 10%.
        shear: largest slant, in pixels to a side for each row.
        noise: largest standard deviation of the noise, whose own is drawn for each image.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels), values in [0, 1].

    Raises:
        ValueError: numbers out of range.
    """
    numbers = {"rotation": rotation, "shift": shift, "scale": scale, "shear": shear, "noise": noise}
    for name, value in numbers.items():
        largest = 180 if name == "rotation" else 1
        if not is_number(value) or not 0 <= value <= largest:
            raise ValueError(f"`{name}` must be a number from 0 to {largest}. Received: {name}={value!r}")
    seeds = (None, None) if seed is None else config.make_generator(seed).integers(2**31, size=2).tolist()
    return layers.Pipeline(
        [
            layers.RandomAffine(
                rotation / 360, shift, scale, shear, fill_mode="constant", seed=seeds[0], data_format=data_format
            ),
            layers.RandomNoise(noise, value_range=(0, 1), seed=seeds[1], data_format=data_format),
        ],
        name="digit_augmentation",
    )
