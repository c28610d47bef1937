"""The table of layers against the numbers published for it."""

import pytest

from mnv2.golden.network import (
    INPUT_SIZES,
    WIDTH_MULTIPLIERS,
    build_network,
    mobilenet_v2,
    round_channels,
    stride_padding,
)

# name: (input rows, input channels, output rows, output channels, stride, MACs, weights, residual)
ROWS = {
    "stem": (224, 3, 112, 32, 2, 10838016, 864, False),
    "block1.depthwise": (112, 32, 112, 32, 1, 3612672, 288, False),
    "block1.project": (112, 32, 112, 16, 1, 6422528, 512, False),
    "block2.expand": (112, 16, 112, 96, 1, 19267584, 1536, False),
    "block2.depthwise": (112, 96, 56, 96, 2, 2709504, 864, False),
    "block2.project": (56, 96, 56, 24, 1, 7225344, 2304, False),
    "block3.expand": (56, 24, 56, 144, 1, 10838016, 3456, False),
    "block3.depthwise": (56, 144, 56, 144, 1, 4064256, 1296, False),
    "block3.project": (56, 144, 56, 24, 1, 10838016, 3456, True),
    "block4.expand": (56, 24, 56, 144, 1, 10838016, 3456, False),
    "block4.depthwise": (56, 144, 28, 144, 2, 1016064, 1296, False),
    "block4.project": (28, 144, 28, 32, 1, 3612672, 4608, False),
    "block7.depthwise": (28, 192, 14, 192, 2, 338688, 1728, False),
    "block7.project": (14, 192, 14, 64, 1, 2408448, 12288, False),
    "block11.project": (14, 384, 14, 96, 1, 7225344, 36864, False),
    "block14.expand": (14, 96, 14, 576, 1, 10838016, 55296, False),
    "block14.depthwise": (14, 576, 7, 576, 2, 254016, 5184, False),
    "block14.project": (7, 576, 7, 160, 1, 4515840, 92160, False),
    "block17.expand": (7, 160, 7, 960, 1, 7526400, 153600, False),
    "block17.depthwise": (7, 960, 7, 960, 1, 423360, 8640, False),
    "block17.project": (7, 960, 7, 320, 1, 15052800, 307200, False),
    "head": (7, 320, 7, 1280, 1, 20070400, 409600, False),
    "pool": (7, 1280, 1, 1280, 1, 0, 0, False),
    "classifier": (1, 1280, 1, 1000, 1, 1280000, 1280000, False),
}
# blocks of equal shape: repeats of a row of the paper's table
REPEATS = {
    (5, 6): [
        (28, 32, 28, 192, 1, 4816896, 6144, False),
        (28, 192, 28, 192, 1, 1354752, 1728, False),
        (28, 192, 28, 32, 1, 4816896, 6144, True),
    ],
    (8, 9, 10): [
        (14, 64, 14, 384, 1, 4816896, 24576, False),
        (14, 384, 14, 384, 1, 677376, 3456, False),
        (14, 384, 14, 64, 1, 4816896, 24576, True),
    ],
    (12, 13): [
        (14, 96, 14, 576, 1, 10838016, 55296, False),
        (14, 576, 14, 576, 1, 1016064, 5184, False),
        (14, 576, 14, 96, 1, 10838016, 55296, True),
    ],
    (15, 16): [
        (7, 160, 7, 960, 1, 7526400, 153600, False),
        (7, 960, 7, 960, 1, 423360, 8640, False),
        (7, 960, 7, 160, 1, 7526400, 153600, True),
    ],
}


def row_of(layer):
    return (
        layer.input_shape[0],
        layer.input_channels,
        layer.output_shape[0],
        layer.output_channels,
        layer.stride,
        layer.macs,
        layer.weight_count,
        layer.residual,
    )


def test_totals():
    network = mobilenet_v2()
    assert network.parameters_with_statistics == 3_538_984
    assert network.parameters == 3_504_872
    assert network.macs == 300_774_272
    assert network.weight_bytes() == 3_469_760
    assert network.weight_bytes(4) == 3_469_760 // 2
    assert len(network.blocks) == 17
    assert len(network.layers) == 54
    assert sum(block.residual for block in network.blocks) == 10


@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
def test_rows(padding):
    network = mobilenet_v2(padding=padding)
    layers = {layer.name: layer for layer in network.layers}
    for name, row in ROWS.items():
        assert row_of(layers[name]) == row, name
    for blocks, rows in REPEATS.items():
        for index in blocks:
            assert [row_of(layer) for layer in network.blocks[index - 1].layers] == rows


def test_normalisation_rows_of_the_specification():
    """The document counts four vectors for each normalisation."""
    layers = {layer.name: layer for layer in mobilenet_v2().layers}
    for name, total in {
        "stem": 864 + 128,
        "block1.depthwise": 288 + 128,
        "block2.expand": 1536 + 384,
        "block14.project": 92160 + 640,
        "head": 409600 + 5120,
        "classifier": 1281000,
    }.items():
        assert layers[name].parameters + layers[name].running_statistics == total


def test_names_and_order():
    network = mobilenet_v2()
    names = [layer.name for layer in network.layers]
    assert names[:6] == [
        "stem",
        "block1.depthwise",
        "block1.project",
        "block2.expand",
        "block2.depthwise",
        "block2.project",
    ]
    assert names[-4:] == ["block17.project", "head", "pool", "classifier"]
    assert network.blocks[0].expand is None
    assert network.blocks[2].output_name == "block3.add"
    assert network.blocks[3].output_name == "block4.project"


@pytest.mark.parametrize(
    ("width", "first", "last", "head"),
    [
        (0.35, 16, 112, 1280),
        (0.5, 16, 160, 1280),
        (0.75, 24, 240, 1280),
        (1.0, 32, 320, 1280),
        (1.3, 40, 416, 1664),
        (1.4, 48, 448, 1792),
    ],
)
def test_width(width, first, last, head):
    network = mobilenet_v2(width)
    assert network.stem.output_channels == first
    assert network.blocks[-1].output_shape[2] == last
    assert network.head.output_channels == head


def test_published_totals_of_other_widths():
    """Ref: tensorflow/models, slim/nets/mobilenet/README.md: MMACs and M parameters at 224."""
    for width, macs, parameters in (
        (1.4, 582, 6.06),
        (1.3, 509, 5.34),
        (0.75, 209, 2.61),
        (0.5, 97, 1.95),
        (0.35, 59, 1.66),
    ):
        network = mobilenet_v2(width, classes=1001)
        assert round(network.macs / 1e6) == macs
        assert network.parameters / 1e6 == pytest.approx(parameters, rel=0.02)


def test_round_channels_never_loses_a_tenth():
    assert round_channels(11.2) == 16  # 32 * 0.35: 8 would be 29 % less
    for channels in range(1, 2000):
        assert round_channels(channels) % 8 == 0
        assert round_channels(channels) >= 0.9 * channels


@pytest.mark.parametrize("size", INPUT_SIZES)
@pytest.mark.parametrize("width", WIDTH_MULTIPLIERS)
def test_sizes(width, size):
    network = mobilenet_v2(width, size, classes=10, padding="tensorflow")
    assert network.head.output_shape[:2] == (-(-size // 32), -(-size // 32))
    assert network.classifier.output_channels == 10


@pytest.mark.parametrize(
    ("size", "stride", "same"),
    [
        (224, 2, (0, 1)),
        (225, 2, (1, 1)),
        (7, 1, (1, 1)),
        (1, 2, (1, 1)),
        (2, 2, (0, 1)),
        (1, 1, (1, 1)),
    ],
)
def test_padding(size, stride, same):
    assert stride_padding(size, stride, "tensorflow") == same
    assert stride_padding(size, stride, "pytorch") == (1, 1)


def test_shapes_follow_from_padding():
    for padding in ("pytorch", "tensorflow"):
        for size in range(1, 40):
            network = build_network(
                ((2, 3, 2, 2),),
                stem_channels=2,
                head_channels=4,
                classes=2,
                input_size=(size, size + 3),
                padding=padding,
            )
            for layer in network.layers[:-2]:
                for axis in (0, 1):
                    padded = layer.input_shape[axis] + sum(layer.padding[axis])
                    out = (padded - layer.kernel_size[axis]) // layer.stride + 1
                    assert layer.output_shape[axis] == out


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"padding": "valid"}, ValueError, "pytorch, tensorflow, not 'valid'"),
        ({"classes": 0}, ValueError, "Classes must be a positive integer, not 0"),
        ({"input_size": 2.5}, TypeError, "not 2.5"),
        ({"stem_stride": 3}, ValueError, "1 or 2, not 3"),
        ({"table": ((1, 8, 1, 4),)}, ValueError, "1 or 2, not 4"),
        ({"table": ((0, 8, 1, 1),)}, ValueError, "Expansion"),
    ],
)
def test_refused(change, error, words):
    arguments = {
        "table": ((1, 8, 1, 1),),
        "stem_channels": 8,
        "head_channels": 8,
        "classes": 2,
        "input_size": 8,
    } | change
    with pytest.raises(error, match=words):
        build_network(arguments.pop("table"), **arguments)


def test_stages():
    """Stages in order, their layers the network's, and a row of a report for all but the pool."""
    network = mobilenet_v2(0.35, 96)
    kinds = [stage.kind for stage in network.stages]
    assert kinds == ["stem", *["block"] * 17, "head", "pool", "classifier"]
    assert [layer.name for layer in network.layers] == [
        layer.name for stage in network.stages for layer in stage.layers
    ]
    assert [row.name for row in network.rows] == [
        stage.name for stage in network.stages if stage.name != "pool"
    ]
    assert sum(row.macs for row in network.rows) == network.macs
