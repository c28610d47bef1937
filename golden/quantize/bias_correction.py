"""Bias correction on pictures: each channel's mean is what it was in float.

Rounded weights and clipped inputs shift the mean of a layer's outputs, and later layers see the
shift on every pixel. Layer by layer, the integer network runs up to the layer, and the bias takes
up the difference of each channel's mean before the activation.

Ref: Nagel et al., arXiv:1906.04721, section 4.2 and appendix D ("empirical bias correction").
"""

from dataclasses import replace

import numpy as np

from golden.arithmetic import LITERT
from golden.fixed_point import INT32_MAX, INT32_MIN, round_half_away
from golden.model import with_arithmetic


def correct_biases(model, inputs, means, progress=None):
    """The QuantizedModel with other biases.

    Parameters
    ----------
    model : golden.model.QuantizedModel
    inputs : sequence of integer [H, W, 3]
        Pictures, quantised to the model's input.
    means : dict of str to float64 [Cout]
        Each convolution's means before ReLU6 in float, over the same pictures.
    progress : function of (done, total), optional
        Called after each layer.
    """
    done, total = 0, len(model.layers)

    def correct(record, activations):
        nonlocal done
        made = correct_bias(record, activations, means[record.name])
        done += 1
        if progress is not None:
            progress(done, total)
        return made, [made.run(x) for x in activations]

    stem, activations = correct(model.stem, inputs)
    blocks = []
    for block in model.blocks:
        parts, shortcuts = {}, activations
        for record in block.layers:
            parts[record.kind], activations = correct(record, activations)
        if block.add is not None:
            activations = [block.add.run(a, b)
                           for a, b in zip(shortcuts, activations, strict=True)]
        blocks.append(replace(block, **parts))
    head, activations = correct(model.head, activations)
    classifier, _ = correct(model.classifier, [model.pool.run(x) for x in activations])
    return replace(model, stem=stem, blocks=tuple(blocks), head=head, classifier=classifier)


def correct_bias(record, activations, means):
    """A QuantizedLayer whose mean over these inputs is as near to `means` as its bias allows.

    The accumulator is taken at 32 bits: what a narrow one loses in overflow is no shift that a
    bias could undo.
    """
    step = np.float64(np.float32(record.input_scale)) * record.weight_scales.astype(np.float64)
    wide = record if record.arithmetic == LITERT else with_arithmetic(record, LITERT)
    seen = np.mean([mean_accumulator(wide, x) for x in activations], axis=0)
    bias = record.bias + round_half_away(means / step - seen)
    return replace(record, bias=np.clip(bias, INT32_MIN, INT32_MAX).astype(np.int32))


def mean_accumulator(record, activation):
    """Each channel's mean of the accumulators over the pixels, bias included: float64 [Cout]."""
    acc = record.accumulate(activation)
    return acc.reshape(-1, acc.shape[-1]).mean(axis=0, dtype=np.float64)
