"""Losses of overlap, for masks of images: one value for all that lies along the axis, not a mean over pixels.

Letters: y the predictions, t the targets, both in [0, 1]; sums are over the axis, None being all of the batch.
"""

from minikeras import config
from minikeras.losses import targets
from minikeras.losses.arguments import axes_of, check_axis, check_number
from minikeras.losses.base import Loss, paired, quiet


@quiet()
def dice(y_true, y_pred, axis=None):
    """loss = 1 - 2 sum t y / (sum t + sum y + eps)"""
    check_axis(axis, several=True)
    y_true, y_pred = paired(y_true, y_pred)
    overlap, total = _dice_sums(y_true, y_pred, axis)
    return (1 - 2 * overlap / total).squeeze(axes_of(axis, y_pred.ndim))


class Dice(Loss):
    """Share of what targets and predictions have in common, of what they are on average.

    loss = 1 - 2 sum t y / (sum t + sum y + eps)

    Args:
        reduction: see `Loss`.
        name: string.
        axis: integer, several, or None: the axes of the sums; (1, 2, 3) gives one loss for each image, None one for
            the batch.
        dtype: see `Loss`.

    Targets and predictions: the same shape; the losses: that shape without the axes.

    Reference: Milletari et al., V-Net, 2016 (arXiv:1606.04797), section 3, with plain sums for squares.
    """

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = self._axis = check_axis(axis, several=True)

    def call(self, y_true, y_pred):
        return dice(y_true, y_pred, self.axis)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = 2 I / D^2 - 2 t_i / D, with loss = 1 - 2 I / D"""
        y_true, y_pred = paired(y_true, y_pred)
        overlap, total = _dice_sums(y_true, y_pred, self.axis)
        return 2 * (overlap / total - y_true) / total

    def check_targets(self, y, output_shape, layer):
        targets.check_overlap(y, output_shape, layer)


def _dice_sums(y_true, y_pred, axis):
    """sum t y, and sum t + sum y + eps"""
    axes = axes_of(axis, y_pred.ndim)
    overlap = (y_true * y_pred).sum(axis=axes, keepdims=True)
    return overlap, y_true.sum(axis=axes, keepdims=True) + y_pred.sum(axis=axes, keepdims=True) + config.epsilon()


@quiet()
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """loss = 1 - I / (I + alpha sum t (1 - y) + beta sum (1 - t) y + eps), I = sum t y"""
    check_axis(axis, several=True)
    y_true, y_pred = paired(y_true, y_pred)
    overlap, total = _tversky_sums(y_true, y_pred, alpha, beta, axis)
    return (1 - overlap / total).squeeze(axes_of(axis, y_pred.ndim))


class Tversky(Loss):
    """`Dice` with a weight for what is missed and one for what is found in excess.

    loss = 1 - I / (I + alpha sum t (1 - y) + beta sum (1 - t) y + eps), with I = sum t y

    Args:
        alpha: weight of what is missed, t (1 - y).
        beta: weight of what is found in excess, (1 - t) y. With both 0.5 it is `Dice`.
        reduction: see `Loss`.
        name: string.
        axis: see `Dice`.
        dtype: see `Loss`.

    Targets and predictions: the same shape; the losses: that shape without the axes.

    Reference: Salehi et al., Tversky loss function for image segmentation using 3D fully convolutional deep networks,
    2017 (arXiv:1706.05721), section 2.
    """

    def __init__(
        self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = check_number(alpha, "alpha")
        self.beta = check_number(beta, "beta")
        self.axis = self._axis = check_axis(axis, several=True)

    def call(self, y_true, y_pred):
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)

    def _derivative(self, y_true, y_pred):
        """d loss/d y_i = (I (t_i (1 - alpha) + (1 - t_i) beta) / D - t_i) / D, with loss = 1 - I / D"""
        y_true, y_pred = paired(y_true, y_pred)
        overlap, total = _tversky_sums(y_true, y_pred, self.alpha, self.beta, self.axis)
        return (overlap / total * (y_true * (1 - self.alpha) + (1 - y_true) * self.beta) - y_true) / total

    def check_targets(self, y, output_shape, layer):
        targets.check_overlap(y, output_shape, layer)


def _tversky_sums(y_true, y_pred, alpha, beta, axis):
    """I = sum t y, and I + alpha sum t (1 - y) + beta sum (1 - t) y + eps"""
    axes = axes_of(axis, y_pred.ndim)
    overlap = (y_true * y_pred).sum(axis=axes, keepdims=True)
    missed = ((1 - y_pred) * y_true).sum(axis=axes, keepdims=True)
    excess = (y_pred * (1 - y_true)).sum(axis=axes, keepdims=True)
    return overlap, overlap + missed * alpha + excess * beta + config.epsilon()
