"""Sums over a layer's inputs from which the error of any other weights follows.

Where a layer's weights are off by e, its output is off by e . x: by e . mean(x) on average, and
the squared error over all inputs seen is e^T G e with the Gram matrix G = sum x x^T. Both are
collected once and judge any number of roundings without another picture.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr

#: Share of a Gram matrix's diagonal that its sums in float32 cannot be trusted with, amply.
UNCERTAIN = 1e-4


@dataclass(frozen=True, eq=False)
class LayerMoments:
    """Sums over every output position of every picture seen.

    Attributes
    ----------
    count : int
        Positions.
    total : float64 [groups, inputs]
        Sum of the inputs of one output. A depthwise layer has a group for each channel, with its
        nine taps as inputs; other layers have one group.
    gram : float64 [groups, inputs, inputs] or None
        Sum of the products of each two of them, where it was asked for.
    """

    count: int
    total: np.ndarray
    gram: np.ndarray | None = None

    __repr__ = short_repr

    def __add__(self, other):
        if (self.gram is None) != (other.gram is None):
            raise ValueError("Moments must both have a Gram matrix, or neither, to be added")
        return LayerMoments(
            self.count + other.count,
            self.total + other.total,
            None if self.gram is None else self.gram + other.gram,
        )

    def mean(self):
        """Mean of the inputs: float64 [groups, inputs]."""
        return self.total / self.count

    def covariance(self):
        """The Gram matrix of the inputs less their mean: float64 [groups, inputs, inputs].

        `UNCERTAIN` of the Gram matrix's diagonal is left on it: where an input hardly varies, the
        difference of two large sums would be noise, and not even a covariance.

        Raises
        ------
        ValueError
            If the Gram matrix was not collected.
        """
        if self.gram is None:
            raise ValueError("The Gram matrix must be collected for a covariance")
        centred = self.gram - self.total[:, :, None] * self.mean()[:, None, :]
        index = np.arange(centred.shape[1])
        centred[:, index, index] += UNCERTAIN * self.gram[:, index, index]
        return centred


def group_weights(layer, weights):
    """Weights as [groups, inputs, outputs of a group], in the order of LayerMoments."""
    if layer.kind == "depthwise":
        return weights.reshape(-1, weights.shape[-1]).T[:, :, None]
    return weights.reshape(1, -1, weights.shape[-1])


def ungroup_weights(layer, grouped, shape):
    """`group_weights` undone."""
    if layer.kind == "depthwise":
        return grouped[:, :, 0].T.reshape(shape)
    return grouped.reshape(shape)


def layer_moments(layer, x, gram=False):
    """LayerMoments of one picture: float32 [H, W, Cin], the input of a mnv2.golden.network.Layer.

    `gram` asks for the Gram matrix too, which takes longer than running the layer.
    """
    taps = [x]
    if layer.kind in ("stem", "depthwise"):
        taps = _taps(x, layer.kernel_size, layer.stride, layer.padding)
    count = taps[0].shape[0] * taps[0].shape[1]
    total = np.stack([tap.sum(axis=(0, 1), dtype=np.float64) for tap in taps])
    total = total.T if layer.kind == "depthwise" else total.reshape(1, -1)
    if not gram:
        return LayerMoments(count, total)
    if layer.kind == "depthwise":
        seen = np.stack([tap.reshape(count, -1).T for tap in taps], axis=1)
        products = seen @ seen.transpose(0, 2, 1)
    else:
        seen = np.concatenate(taps, axis=-1).reshape(count, -1)
        products = (seen.T @ seen)[None]
    return LayerMoments(count, total, products.astype(np.float64))


def _taps(x, kernel_size, stride, padding):
    """The inputs of each tap of the kernel: a list of float32 [H', W', C], row by row."""
    padded = np.pad(x, (*padding, (0, 0)))
    rows = (padded.shape[0] - kernel_size[0]) // stride + 1
    columns = (padded.shape[1] - kernel_size[1]) // stride + 1
    return [
        padded[
            dy : dy + (rows - 1) * stride + 1 : stride,
            dx : dx + (columns - 1) * stride + 1 : stride,
        ]
        for dy in range(kernel_size[0])
        for dx in range(kernel_size[1])
    ]
