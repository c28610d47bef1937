"""Rounding chosen by what it does to the layer's outputs, not to its weights.

Rounding to nearest leaves each weight least wrong; the outputs care for sums of wrongs. With the
Gram matrix G of the layer's inputs, the squared error of an output is e^T G e for the errors e of
its weights. Each output's weights are rounded one after another, each taking up what the ones
before it left wrong, and then moved one step at a time for as long as the error falls. Nothing is
trained and no picture is seen again.

Ref: the objective is that of Nagel et al., "Up or Down? Adaptive Rounding for Post-Training
Quantization", arXiv:2004.10568, section 3 (equation 20); it is minimised here by successive
rounding as Frantar et al., "GPTQ", arXiv:2210.17323, section 3, and by coordinate descent, where
the paper relaxes the choice and follows gradients. The inputs are those of the float network.
"""

import numpy as np

from mnv2.golden.quantize.moments import group_weights, ungroup_weights

#: Coordinates that are moved between two products with the whole matrix.
BLOCK = 32
MAXIMUM_PASSES = 4
#: Share of the mean diagonal that is added to a Gram matrix, for inputs that few pictures excite.
DAMPING = 0.01


def adaptive_integers(layer, weights, scales, gram, bits=8):
    """Weights rounded for the least error of the layer's outputs.

    Parameters
    ----------
    layer : mnv2.golden.network.Layer
    weights : float32
        Axes as in QuantizedLayer.
    scales : float32 [Cout]
    gram : float64 [groups, inputs, inputs]
        Gram matrix or covariance, as LayerMoments has them.
    bits : int

    Returns
    -------
    int8, as the weights
        The squared error of each output is never above that of rounding to nearest.
    """
    wanted = group_weights(layer, np.asarray(weights, np.float64))
    step = group_weights(layer, np.broadcast_to(np.asarray(scales, np.float64), weights.shape))
    top = 2 ** (bits - 1) - 1
    wanted, matrix = wanted / step, damped(gram)
    chosen = descend(successive_rounding(wanted, matrix, top), wanted, matrix, top)
    nearest = np.clip(np.rint(wanted), -top, top)
    worse = squared_error(chosen - wanted, gram) > squared_error(nearest - wanted, gram)
    chosen = np.where(worse[:, None, :], nearest, chosen)
    return ungroup_weights(layer, chosen, weights.shape).astype(np.int8)


def squared_error(error, gram):
    """e^T G e of each output: float64 [groups, outputs] of [groups, inputs, outputs]."""
    return np.einsum("gio,gio->go", error, gram @ error)


def damped(gram):
    """The matrix with `DAMPING` of its mean diagonal added to the diagonal."""
    inputs = gram.shape[1]
    mean = np.trace(gram, axis1=1, axis2=2) / inputs
    extra = np.where(mean > 0, DAMPING * mean, 1.0)
    return gram + extra[:, None, None] * np.eye(inputs)


def successive_rounding(wanted, gram, top):
    """Round one input's weights after another; those to come make up for the error.

    Parameters
    ----------
    wanted : float64 [groups, inputs, outputs]
        Weights in steps of their scale.
    gram : float64 [groups, inputs, inputs]
        Positive definite.

    Returns
    -------
    float64, whole numbers within -top..top
    """
    # The strongest inputs go first, while there are others left to make up for them.
    order = np.argsort(-np.diagonal(gram, axis1=1, axis2=2), axis=1, kind="stable")
    rows = np.take_along_axis(gram, order[:, :, None], 1)
    rows = np.take_along_axis(rows, order[:, None, :], 2)
    left = np.take_along_axis(wanted, order[:, :, None], 1)
    upper = np.linalg.cholesky(np.linalg.inv(rows)).transpose(0, 2, 1)
    rounded = np.empty_like(left)
    inputs = left.shape[1]
    for start in range(0, inputs, BLOCK):
        end = min(start + BLOCK, inputs)
        errors = np.empty((left.shape[0], end - start, left.shape[2]))
        for i in range(start, end):
            value = left[:, i]
            rounded[:, i] = np.clip(np.rint(value), -top, top)
            error = (value - rounded[:, i]) / upper[:, i, i][:, None]
            left[:, i:end] -= upper[:, i, i:end][:, :, None] * error[:, None]
            errors[:, i - start] = error
        left[:, end:] -= upper[:, start:end, end:].transpose(0, 2, 1) @ errors
    result = np.empty_like(rounded)
    np.put_along_axis(result, order[:, :, None], rounded, 1)
    return result


def descend(rounded, wanted, gram, top):
    """Move single weights by one step while that lowers e^T G e of their output.

    Parameters as in `successive_rounding`; the error never rises.
    """
    rounded = rounded.copy()
    diagonal = np.diagonal(gram, axis1=1, axis2=2)
    slope = gram @ (rounded - wanted)
    inputs = rounded.shape[1]
    for _ in range(MAXIMUM_PASSES):
        moved = False
        for start in range(0, inputs, BLOCK):
            end = min(start + BLOCK, inputs)
            part, near = slope[:, start:end], gram[:, start:end, start:end]
            moves = np.zeros_like(part)
            for i in range(end - start):
                # The error changes by 2 m slope + m^2 G_ii for a move m of one step.
                here = part[:, i]
                move = -np.sign(here)
                move[2 * np.abs(here) <= diagonal[:, start + i, None] * (1 + 1e-12)] = 0
                value = rounded[:, start + i]
                move = np.clip(value + move, -top, top) - value
                if move.any():
                    rounded[:, start + i] += move
                    moves[:, i] = move
                    part += near[:, :, i, None] * move[:, None]
            if moves.any():
                moved = True
                before, after = gram[:, :start, start:end], gram[:, end:, start:end]
                slope[:, :start] += before @ moves
                slope[:, end:] += after @ moves
        if not moved:
            break
    return rounded
