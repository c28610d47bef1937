"""MobileNetV1: depthwise and pointwise layers in turn, each with ReLU6, no head.

Each pair is a block without expansion whose projection has ReLU6 and adds nothing; the pool
averages the last block's output.

Ref: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv:1704.04861, table 1.
"""

from mnv2.golden.network import build_network

#: Output channels and stride of each pair.
MOBILENET_V1_TABLE = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
V1_WIDTHS = (0.25, 0.5, 0.75, 1.0)


def mobilenet_v1(width=1.0, input_size=224, classes=1000, padding="tensorflow"):
    """The paper's network at a width multiplier.

    Parameters
    ----------
    width : float
        Positive; the paper's are `V1_WIDTHS`. Channels are cut to integers, at least 8.
    input_size : int or (int, int)
        Rows and columns in pixels.
    classes : int
    padding : str
        One of `mnv2.golden.network.PADDINGS`.

    Returns
    -------
    mnv2.golden.network.Network

    Ref: tensorflow/models, research/slim/nets/mobilenet_v1.py, `depth`.
    """
    if not width > 0:
        raise ValueError(f"Width multiplier must be positive, not {width!r}")

    def channels(count):
        return max(8, int(count * width))

    return build_network(
        [(1, channels(count), 1, stride) for count, stride in MOBILENET_V1_TABLE],
        stem_channels=channels(32),
        head_channels=None,
        classes=classes,
        input_size=input_size,
        padding=padding,
        width=float(width),
        plain=True,
    )
