"""MobileNetV2 as a table, and the layers that the table stands for.

A network is a table of (t, c, n, s) rows between a 3x3 stem and a 1x1 head. `mobilenet_v2` makes
the paper's network at any width multiplier, `build_network` any other of the family, down to a
single block of a few channels.

Ref: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
arXiv:1801.04381, table 2 and section 3.
"""

from dataclasses import asdict, dataclass

from mnv2.golden.summary import shape_text

MOBILENET_V2_TABLE = (
    # expansion t, output channels c, repeats n, stride of the first repeat s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
WIDTH_MULTIPLIERS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
INPUT_SIZES = (96, 128, 160, 192, 224)
PADDINGS = ("pytorch", "tensorflow")
LAYER_KINDS = ("stem", "expand", "depthwise", "project", "head", "pool", "classifier")


@dataclass(frozen=True)
class Layer:
    """One layer: a convolution with its batch normalisation and ReLU6, the pool or the classifier.

    Attributes
    ----------
    name : str
        `stem`, `block2.expand`, `block2.depthwise`, `block2.project`, `head`, `pool`,
        `classifier`.
    kind : str
        One of `LAYER_KINDS`.
    block : int
        Number of the bottleneck block, from 1; 0 outside blocks.
    input_shape, output_shape : tuple of int
        (rows, columns, channels).
    kernel_size : tuple of int
        (rows, columns); for the pool the whole map.
    stride : int
        The same in both directions.
    padding : tuple of tuple of int
        ((top, bottom), (left, right)) in pixels.
    residual : bool
        Whether the block's input is added to this layer's output (project only).
    rectified : bool
        Whether a projection is clamped to 0..6 too, as MobileNetV1's are (project only).
    """

    name: str
    kind: str
    block: int
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    kernel_size: tuple[int, int]
    stride: int
    padding: tuple[tuple[int, int], tuple[int, int]]
    residual: bool = False
    rectified: bool = False

    def __repr__(self):
        return (
            f"Layer({self.name}, {shape_text(self.input_shape)} to "
            f"{shape_text(self.output_shape)}, kernel {shape_text(self.kernel_size)}, "
            f"stride {self.stride}, {self.macs:,} MACs)"
        )

    @property
    def layers(self):
        """The layer itself: a stage of one layer."""
        return (self,)

    @property
    def input_channels(self):
        return self.input_shape[2]

    @property
    def output_channels(self):
        return self.output_shape[2]

    @property
    def relu6(self):
        """Whether the output is clamped to 0..6 (all but most projections, pool, classifier)."""
        return self.kind in ("stem", "expand", "depthwise", "head") or self.rectified

    @property
    def weight_shape(self):
        """Shape of the weights: [K, K, Cin, Cout], depthwise [K, K, C], pointwise [Cin, Cout]."""
        if self.kind == "depthwise":
            return (*self.kernel_size, self.output_channels)
        channels = (self.input_channels, self.output_channels)
        return (*self.kernel_size, *channels) if self.kind == "stem" else channels

    @property
    def weight_count(self):
        """Weights without bias or normalisation."""
        if self.kind == "pool":
            return 0
        taps = self.kernel_size[0] * self.kernel_size[1]
        if self.kind == "depthwise":
            return taps * self.output_channels
        return taps * self.input_channels * self.output_channels

    @property
    def macs(self):
        """Multiplications with a weight; the pool has none."""
        return self.output_shape[0] * self.output_shape[1] * self.weight_count

    @property
    def parameters(self):
        """Learnable parameters: weights, and scale and shift of the normalisation, or the bias."""
        if self.kind == "pool":
            return 0
        vectors = 1 if self.kind == "classifier" else 2
        return self.weight_count + vectors * self.output_channels

    @property
    def running_statistics(self):
        """Means and variances that the batch normalisation keeps next to its parameters."""
        return 0 if self.kind in ("pool", "classifier") else 2 * self.output_channels

    def weight_bytes(self, weight_bits=8):
        """Bytes of the weights, densely packed, rounded up."""
        return -(-self.weight_count * weight_bits // 8)


@dataclass(frozen=True)
class Block:
    """One bottleneck: expand (absent at expansion 1), depthwise, project and perhaps an add."""

    name: str
    index: int
    expansion: int
    expand: Layer | None
    depthwise: Layer
    project: Layer

    def __repr__(self):
        return (
            f"Block({self.name}, {shape_text(self.input_shape)} to "
            f"{shape_text(self.output_shape)}, expansion {self.expansion:g}, "
            f"stride {self.stride}, {'' if self.residual else 'no '}residual, {self.macs:,} MACs)"
        )

    @property
    def kind(self):
        """``"block"``, where a `Layer` has its own kind."""
        return "block"

    @property
    def layers(self):
        """The block's layers in order."""
        return tuple(x for x in (self.expand, self.depthwise, self.project) if x is not None)

    @property
    def residual(self):
        return self.project.residual

    @property
    def add_name(self):
        """Name of the residual's output tensor."""
        return f"{self.name}.add"

    @property
    def output_name(self):
        """Name of the tensor that leaves the block."""
        return self.add_name if self.residual else self.project.name

    @property
    def input_shape(self):
        return self.layers[0].input_shape

    @property
    def output_shape(self):
        return self.project.output_shape

    @property
    def hidden_channels(self):
        return self.depthwise.output_channels

    @property
    def stride(self):
        return self.depthwise.stride

    @property
    def macs(self):
        return sum(layer.macs for layer in self.layers)

    def weight_bytes(self, weight_bits=8):
        return sum(layer.weight_bytes(weight_bits) for layer in self.layers)


@dataclass(frozen=True)
class Network:
    """A whole network: what was asked for, and the layers that follow from it.

    Without a head, as in MobileNetV1, the pool averages the last block's output.
    """

    width: float | None
    input_shape: tuple[int, int, int]
    classes: int
    padding: str
    stem: Layer
    blocks: tuple[Block, ...]
    head: Layer | None
    pool: Layer
    classifier: Layer

    def __repr__(self):
        return f"Network({self.title}, {self.macs:,} MACs, {self.parameters:,} parameters)"

    @property
    def title(self):
        """The network in words: its name and width, input and classes."""
        name = "MobileNetV1" if self.separable else "MobileNetV2"
        name += " family" if self.width is None else f" {float(self.width)}"
        return (
            f"{name}, {shape_text(self.input_shape)}, {len(self.blocks)} blocks, "
            f"{self.classes:,} classes"
        )

    @property
    def all_fields(self):
        """Every field of every layer as text; equal for equal networks alone, for hashes."""
        return repr(asdict(self))

    @property
    def separable(self):
        """Whether every block is MobileNetV1's, depthwise and pointwise, each with ReLU6."""
        return all(block.expand is None and block.project.rectified for block in self.blocks)

    @property
    def stages(self):
        """Every stage in order of execution: a `Layer` or a `Block` each; ``kind`` says which."""
        head = () if self.head is None else (self.head,)
        return (self.stem, *self.blocks, *head, self.pool, self.classifier)

    @property
    def rows(self):
        """The stages that reports have rows for: the pool has one where no head does."""
        return tuple(stage for stage in self.stages if stage.kind != "pool" or self.head is None)

    @property
    def layers(self):
        """Every layer in order of execution."""
        return tuple(layer for stage in self.stages for layer in stage.layers)

    @property
    def macs(self):
        return sum(layer.macs for layer in self.layers)

    @property
    def parameters(self):
        """Learnable parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def parameters_with_statistics(self):
        """Learnable parameters and running statistics."""
        return self.parameters + sum(layer.running_statistics for layer in self.layers)

    def weight_bytes(self, weight_bits=8):
        return sum(layer.weight_bytes(weight_bits) for layer in self.layers)


def round_channels(channels, divisor=8):
    """Round a scaled channel count to a multiple of the divisor, never more than 10 % down.

    Ref: tensorflow/models, research/slim/nets/mobilenet/mobilenet.py, `_make_divisible`.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    if rounded < 0.9 * channels:
        rounded += divisor
    return rounded


def output_size(size, stride):
    """Rows or columns after a padded 3x3 convolution: both paddings give ceil(size / stride)."""
    return -(-size // stride)


def stride_padding(size, stride, padding):
    """(before, after) pixels that a 3x3 convolution pads along one axis.

    PyTorch pads (1, 1) at any size and leaves out what the stride does not reach; TensorFlow's
    SAME pads the least, the odd pixel after the image, so (0, 1) on even sizes at stride 2.

    Ref: TensorFlow API documentation, `tf.nn`, "Notes on padding".
    """
    if padding == "pytorch":
        return (1, 1)
    total = max((output_size(size, stride) - 1) * stride + 3 - size, 0)
    return (total // 2, total - total // 2)


def _convolution(name, kind, block, input_shape, channels, kernel, stride, padding, **flags):
    rows, columns, _ = input_shape
    pads = ((0, 0), (0, 0))
    if kernel == 3:
        pads = (stride_padding(rows, stride, padding), stride_padding(columns, stride, padding))
    shape = (output_size(rows, stride), output_size(columns, stride), channels)
    return Layer(name, kind, block, input_shape, shape, (kernel, kernel), stride, pads, **flags)


def build_block(index, input_shape, expansion, channels, stride, padding="pytorch", plain=False):
    """One bottleneck on an input of (rows, columns, channels).

    A plain one has ReLU6 after its projection and adds nothing.
    """
    name = f"block{index}"
    hidden = input_shape[2] * expansion
    expand, shape = None, input_shape
    if expansion != 1:
        expand = _convolution(f"{name}.expand", "expand", index, shape, hidden, 1, 1, padding)
        shape = expand.output_shape
    depthwise = _convolution(
        f"{name}.depthwise", "depthwise", index, shape, hidden, 3, stride, padding
    )
    residual = not plain and stride == 1 and channels == input_shape[2]
    project = _convolution(
        f"{name}.project",
        "project",
        index,
        depthwise.output_shape,
        channels,
        1,
        1,
        padding,
        residual=residual,
        rectified=plain,
    )
    return Block(name, index, expansion, expand, depthwise, project)


def _positive(what, value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be a positive integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{what} must be a positive integer, not {value!r}")
    return value


def build_network(
    table,
    *,
    stem_channels,
    head_channels,
    classes,
    input_size,
    padding="pytorch",
    input_channels=3,
    stem_stride=2,
    width=None,
    plain=False,
):
    """Any network of the family.

    Parameters
    ----------
    table : iterable of (t, c, n, s)
        Expansion, output channels, repeats, stride of the first repeat; no rounding is applied.
    stem_channels, head_channels, classes, input_channels : int
        Channel counts, positive; no head for None.
    input_size : int or (int, int)
        Rows and columns of the image in pixels, positive.
    padding : str
        One of `PADDINGS`.
    stem_stride : int
        1 or 2.
    width : float, optional
        The width multiplier that the channel counts came from, for reports.
    plain : bool
        Projections have ReLU6, and blocks add nothing.

    Returns
    -------
    Network
    """
    if padding not in PADDINGS:
        raise ValueError(f"Padding must be one of {', '.join(PADDINGS)}, not {padding!r}")
    rows, columns = input_size if isinstance(input_size, tuple) else (input_size, input_size)
    input_shape = (
        _positive("Input size", rows),
        _positive("Input size", columns),
        _positive("Input channels", input_channels),
    )
    _positive("Stem channels", stem_channels)
    if head_channels is not None:
        _positive("Head channels", head_channels)
    _positive("Classes", classes)
    if stem_stride not in (1, 2):
        raise ValueError(f"Stride must be 1 or 2, not {stem_stride!r}")
    stem = _convolution("stem", "stem", 0, input_shape, stem_channels, 3, stem_stride, padding)
    blocks: list[Block] = []
    shape = stem.output_shape
    for expansion, channels, repeats, first_stride in table:
        _positive("Expansion", expansion)
        _positive("Block channels", channels)
        _positive("Repeats", repeats)
        if first_stride not in (1, 2):
            raise ValueError(f"Stride must be 1 or 2, not {first_stride!r}")
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            block = build_block(len(blocks) + 1, shape, expansion, channels, stride, padding, plain)
            blocks.append(block)
            shape = block.output_shape
    head, none = None, ((0, 0), (0, 0))
    if head_channels is not None:
        head = _convolution("head", "head", 0, shape, head_channels, 1, 1, padding)
        shape = head.output_shape
    rows, columns, channels = shape
    pool = Layer("pool", "pool", 0, shape, (1, 1, channels), (rows, columns), 1, none)
    classifier = Layer(
        "classifier", "classifier", 0, pool.output_shape, (1, 1, classes), (1, 1), 1, none
    )
    return Network(
        width, input_shape, classes, padding, stem, tuple(blocks), head, pool, classifier
    )


def mobilenet_v2(width=1.0, input_size=224, classes=1000, padding="pytorch"):
    """The paper's network; channels are rounded to 8, the head is never below 1280.

    Parameters
    ----------
    width : float
        Width multiplier, positive; the paper's are `WIDTH_MULTIPLIERS`.
    input_size : int or (int, int)
        Rows and columns in pixels; the paper's are `INPUT_SIZES`.
    classes : int
        Rows of the classifier.
    padding : str
        "pytorch" or "tensorflow": the padding that the weights were trained with.

    Returns
    -------
    Network

    Examples
    --------
    >>> import mnv2
    >>> mnv2.mobilenet_v2(width=0.35, input_size=96).parameters
    1677128
    """
    if not width > 0:
        raise ValueError(f"Width multiplier must be positive, not {width!r}")
    table = tuple((t, round_channels(c * width), n, s) for t, c, n, s in MOBILENET_V2_TABLE)
    return build_network(
        table,
        stem_channels=round_channels(32 * width),
        head_channels=round_channels(1280 * max(1.0, width)),
        classes=classes,
        input_size=input_size,
        padding=padding,
        width=float(width),
    )
