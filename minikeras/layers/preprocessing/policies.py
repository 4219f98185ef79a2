"""Policies: several of the other random layers, chosen at random."""

import numpy as np

from minikeras.kernels.images import INTERPOLATIONS
from minikeras.layers.base import positive_integer
from minikeras.layers.preprocessing.augmentation import (
    RandomImageLayer,
    check_choice,
    check_value_range,
    is_number,
    standardize_bounds,
)
from minikeras.layers.preprocessing.color import RandomBrightness, RandomContrast
from minikeras.layers.preprocessing.filters import RandomSharpness
from minikeras.layers.preprocessing.geometry import RandomRotation, RandomShear, RandomTranslation
from minikeras.layers.preprocessing.histograms import Equalization
from minikeras.layers.preprocessing.tones import (
    AutoContrast,
    RandomColorDegeneration,
    RandomPosterization,
    Solarization,
)

COLORS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")


class PolicyLayer(RandomImageLayer):
    """Abstract: applies layers that it keeps in its attributes to all images of a batch. Subclasses call `make_steps`.

    Args:
        value_range: bounds of the images' values.
        factor: the layers' factor: one number f in [0, 1] for [0, f], or a pair of bounds.
        interpolation: ``"bilinear"`` or ``"nearest"``.
    """

    def __init__(self, value_range, factor, interpolation, **kwargs):
        super().__init__(**kwargs)
        self.value_range = check_value_range(value_range)
        self.factor = standardize_bounds(factor, "factor", low=0)
        self.interpolation = check_choice(interpolation, "interpolation", INTERPOLATIONS)

    def make_steps(self, names, **kwargs):
        """Make the layers of these names, with ``kwargs`` for all of them."""
        self.steps = tuple(names)
        one, two = {"factor": self.factor}, {"interpolation": self.interpolation}
        makers = {
            "random_shear": (RandomShear, {"x_factor": self.factor, "y_factor": self.factor, **two}),
            "random_translation": (
                RandomTranslation, {"height_factor": self.factor, "width_factor": self.factor, **two},
            ),
            "random_rotation": (RandomRotation, {**one, **two}),
            "random_brightness": (RandomBrightness, one),
            "random_color_degeneration": (RandomColorDegeneration, one),
            "random_contrast": (RandomContrast, one),
            "random_sharpness": (RandomSharpness, one),
            "random_posterization": (RandomPosterization, {"factor": max(1, int(8 * self.factor[1]))}),
            "solarization": (Solarization, {"addition_factor": self.factor, "threshold_factor": self.factor}),
            "auto_contrast": (AutoContrast, {}),
            "equalization": (Equalization, {}),
        }  # fmt: skip
        for name in self.steps:
            cls, arguments = makers[name]
            shared = {key: getattr(self, key) for key in ("seed", "value_range") if key in cls.argument_names()}
            setattr(self, name, cls(**shared, **arguments, **kwargs))

    def build(self, input_shape):
        for _, inner in self.sublayers:
            inner.build_once(input_shape)

    def draw_step(self, name, generator, images):
        layer = getattr(self, name)
        return layer.draw(generator, images) if isinstance(layer, RandomImageLayer) else None

    def run_step(self, name, images, drawn):
        """Return the images changed by a layer, and what remembers this change: it may be one of several."""
        step = getattr(self, name).twin()
        step.images, step.transformation = images, drawn
        return step.transform(images), step

    def run_steps_backward(self, steps, doutputs):
        for step in reversed(steps):
            dimages = np.empty(step.images.shape, self.dtype)
            step.gradient(doutputs, dimages)
            doutputs = dimages
        return doutputs


class RandAugment(PolicyLayer):
    """In training, applies a few of eleven random layers, the same ones to the whole batch.

    Shear, translation, rotation, brightness, colour degeneration, contrast, sharpness, posterization, solarization,
    auto contrast and equalization.

    Args:
        value_range: bounds of the images' values.
        num_ops: how many are applied, one after the other; the same one may come again.
        factor: how much they change: one number f in [0, 1] for factors from [0, f], or a pair of bounds.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels) with 3 channels (or 1).

    Raises:
        ValueError: bounds that are none, a factor out of range, an unknown interpolation.

    Reference: E. Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, 2019,
    section 3.
    """

    def __init__(
        self, value_range=(0, 255), num_ops=2, factor=0.5, interpolation="bilinear", seed=None, data_format=None,
        **kwargs,
    ):  # fmt: skip
        steps = (
            "random_shear", "random_translation", "random_rotation", *COLORS, "random_posterization", "solarization",
            "auto_contrast", "equalization",
        )  # fmt: skip
        super().__init__(value_range, factor, interpolation, seed=seed, data_format=data_format, **kwargs)
        self.make_steps(steps, data_format=data_format, **kwargs)
        self.num_ops = positive_integer(num_ops, "num_ops")

    def draw(self, generator, images):
        chosen = generator.integers(len(self.steps), size=self.num_ops)
        transforms = {name: self.draw_step(name, generator, images) for name in self.steps}
        return {"transforms": transforms, "layer_idxes": chosen}

    def transform(self, images):
        drawn, self.done = list(self.transformation["transforms"].items()), []
        for number in np.asarray(self.transformation["layer_idxes"]):
            name, numbers = drawn[number]
            images, step = self.run_step(name, images, numbers)
            self.done.append(step)
        return images

    def gradient(self, doutputs, out):
        np.copyto(out, self.run_steps_backward(self.done, doutputs))


class AugMix(PolicyLayer):
    """In training, mixes the images with results of several chains of random layers, the same ones for the whole batch.

    outputs = weight * images + (1 - weight) * sum of chain weights * chain(images), clipped

    Args:
        value_range: bounds of the images' values.
        num_chains: number of chains.
        chain_depth: how many layers a chain has at most: in each place none, or one of eleven, with equal probability.
        factor: how much they change: one number f in [0, 1] for factors from [0, f], or a pair of bounds.
        alpha: the weight has the distribution Beta(alpha, alpha), the chains' weights Dirichlet(alpha, ..., alpha).
        all_ops: whether brightness, colour degeneration, contrast and sharpness are among the layers, beside shear,
            translation, rotation, posterization, solarization, auto contrast and equalization.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: integer; by default drawn from the global seed.
        data_format: order of the axes, by default `config.image_data_format()`.

    Input and output shape: (batch, height, width, channels) with 3 channels (or 1).

    Raises:
        ValueError: bounds that are none, numbers out of range, an unknown interpolation.

    Reference: D. Hendrycks et al., AugMix: A simple data processing method to improve robustness and uncertainty,
    2019, section 3.
    """

    def __init__(
        self, value_range=(0, 255), num_chains=3, chain_depth=3, factor=0.3, alpha=1.0, all_ops=True,
        interpolation="bilinear", seed=None, data_format=None, **kwargs,
    ):  # fmt: skip
        steps = (
            "random_shear", "random_translation", "random_rotation", "random_posterization", "solarization",
            "auto_contrast", "equalization", *(COLORS if all_ops else ()),
        )  # fmt: skip
        super().__init__(value_range, factor, interpolation, seed=seed, data_format=data_format, **kwargs)
        self.make_steps(steps, data_format=data_format, **kwargs)
        self.num_chains = positive_integer(num_chains, "num_chains")
        self.chain_depth = positive_integer(chain_depth, "chain_depth")
        if not is_number(alpha) or alpha <= 0:
            raise ValueError(f"`alpha` must be a positive number. Received: alpha={alpha!r}")
        self.alpha = alpha
        self.all_ops = all_ops

    def draw(self, generator, images):
        weights = generator.dirichlet([self.alpha] * self.num_chains)
        weight = generator.beta(self.alpha, self.alpha)
        chains = [[] for _ in range(self.num_chains)]
        for chain in chains:
            for number in generator.integers(len(self.steps) + 1, size=self.chain_depth):
                if number < len(self.steps):  # otherwise nothing in this place
                    name = self.steps[number]
                    drawn = self.draw_step(name, generator, images)
                    chain.append({"layer_name": name, "transformation": drawn})
        return {"chain_mixing_weights": weights, "weight_sample": weight, "chain_transforms": chains}

    def _shares(self):
        """Return the weight of the images, and those of the chains."""
        weight = float(self.transformation["weight_sample"])
        return weight, [(1 - weight) * float(w) for w in np.asarray(self.transformation["chain_mixing_weights"])]

    def transform(self, images):
        weight, weights = self._shares()
        outputs = self.buffer("outputs", images.shape)
        np.multiply(images, weight, out=outputs)
        self.done = []
        for share, chain in zip(weights, self.transformation["chain_transforms"]):
            changed, steps = images, []
            for place in chain:
                changed, step = self.run_step(place["layer_name"], changed, place["transformation"])
                steps.append(step)
            outputs += changed * share
            self.done.append(steps)
        low, high = self.value_range
        self.kept = (outputs >= low) & (outputs <= high)
        return np.clip(outputs, low, high, out=outputs)

    def gradient(self, doutputs, out):
        weight, weights = self._shares()
        doutputs = doutputs * self.kept
        np.multiply(doutputs, weight, out=out)
        for share, steps in zip(weights, self.done):
            out += self.run_steps_backward(steps, doutputs * share)
