"""The computed figures are those counted by hand from the architecture."""

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.report import limits

#: Layer by layer and fused bytes of each bottleneck at width 1.0, 224x224, counted independently.
BLOCKS = [
    (1405728, 602912),
    (3291232, 280672),
    (2040336, 158736),
    (1238672, 109712),
    (691392, 64192),
    (691392, 64192),
    (434112, 57792),
    (391296, 77696),
    (391296, 77696),
    (391296, 77696),
    (397312, 96256),
    (623808, 153408),
    (623808, 153408),
    (461536, 179296),
    (527520, 331520),
    (527520, 331520),
    (681120, 492960),
]


@pytest.fixture(scope="module")
def network():
    return mobilenet_v2()


def test_bottlenecks(network):
    found = [limits.block_limits(block) for block in network.blocks]
    assert [(limit.layer_by_layer_bytes, limit.fused_bytes) for limit in found] == BLOCKS
    assert [limit.name for limit in found] == [f"block{number}" for number in range(1, 18)]


def test_frame(network):
    assert limits.layer_by_layer_frame_bytes(network) == 17_196_456
    assert limits.fused_frame_bytes(network) == 5_568_744
    assert limits.floor_bytes(network) == 3_621_288
    assert limits.floor_bytes(network) + limits.parameter_bytes(network) == 3_765_736
    frame = limits.frame_limits(network)
    assert frame.floor_bytes == 3_765_736
    assert (frame.fused_bytes, frame.layer_by_layer_bytes) == (5_568_744, 17_196_456)


def test_floor_of_blocks_has_their_parameters(network):
    first = limits.block_limits(network.blocks[0])
    # 32 depthwise and 16 projected channels of 8 bytes.
    assert first.floor_bytes == 602_912 + 48 * 8
    both = limits.add_limits([first, limits.block_limits(network.blocks[1])])
    assert both.fused_bytes == 602_912 + 280_672
    assert both.floor_bytes == both.fused_bytes + (48 + 96 + 96 + 24) * 8


def test_frames_abreast_share_the_weights(network):
    """1,000 logits and 224 x 224 x 3 pixels each, weights and parameters once."""
    one, two = limits.frame_limits(network), limits.frame_limits(network, 2)
    assert two.floor_bytes == one.floor_bytes + 1000 + 150_528
    weights = network.weight_bytes()
    assert two.fused_bytes == 2 * one.fused_bytes - weights
    assert two.layer_by_layer_bytes == 2 * one.layer_by_layer_bytes - weights
    block = network.blocks[2]
    alone, both = limits.block_limits(block), limits.block_limits(block, 2)
    assert both.fused_bytes == 2 * alone.fused_bytes - block.weight_bytes()
    assert both.layer_by_layer_bytes == 2 * alone.layer_by_layer_bytes - block.weight_bytes()
    assert both.floor_bytes - both.fused_bytes == alone.floor_bytes - alone.fused_bytes
