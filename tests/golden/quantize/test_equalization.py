"""Equalisation keeps the float function and makes ranges equal; the worst networks come back."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.network import build_network, mobilenet_v2
from mnv2.golden.quantize import QuantizationOptions, calibrate, quantize_image, quantize_model
from mnv2.golden.quantize.equalization import equalize, input_ranges, layer_pairs, output_ranges
from tests.golden.quantize.networks import small_model, small_pictures


def run_all(model, pictures):
    return [model.run(x) for x in pictures]


def test_pairs_leave_residuals_alone():
    network = build_network(
        ((1, 8, 1, 1), (2, 12, 2, 2), (2, 12, 1, 1)),
        stem_channels=8,
        head_channels=16,
        classes=3,
        input_size=16,
    )
    assert [block.residual for block in network.blocks] == [True, False, True, True]
    assert layer_pairs(network) == [
        ("block1.depthwise", "block1.project"),
        ("block2.expand", "block2.depthwise"),
        ("block2.depthwise", "block2.project"),
        ("block3.expand", "block3.depthwise"),
        ("block3.depthwise", "block3.project"),
        ("block4.expand", "block4.depthwise"),
        ("block4.depthwise", "block4.project"),
        ("head", "classifier"),
    ]


def test_pairs_of_the_whole_network():
    """Stem and block 1 hang together, so do blocks without residual; the last feeds the head."""
    pairs = layer_pairs(mobilenet_v2())
    assert pairs[:3] == [
        ("stem", "block1.depthwise"),
        ("block1.depthwise", "block1.project"),
        ("block1.project", "block2.expand"),
    ]
    assert pairs[-2:] == [("block17.project", "head"), ("head", "classifier")]
    crossing = [a for a, b in pairs if a.endswith("project")]
    assert crossing == ["block1.project", "block17.project"]


@pytest.mark.parametrize("uneven", [1.0, 30.0])
def test_outputs_are_the_same_and_ranges_equal(uneven):
    model = small_model(np.random.default_rng(1), uneven=uneven)
    pictures = small_pictures(np.random.default_rng(2), 3)
    made = equalize(model)
    clipped = 0
    for before, after in zip(run_all(model, pictures), run_all(made, pictures), strict=True):
        scale = np.abs(before["classifier"]).max()
        np.testing.assert_allclose(after["classifier"], before["classifier"], atol=1e-4 * scale)
        clipped += sum((tensor == 6).sum() for tensor in before.values())
    assert clipped > 0  # ReLU6 takes part, not only ReLU
    worst = 1.0
    for first, second in layer_pairs(model.network):
        kind = model.layers[second].layer.kind
        ranges = [
            (output_ranges(x.layers[first].weights), input_ranges(x.layers[second].weights, kind))
            for x in (model, made)
        ]
        worst = max(worst, np.max(ranges[0][0] / ranges[0][1]))
        np.testing.assert_allclose(ranges[1][0], ranges[1][1], rtol=1e-2)
    assert worst > 3  # they were not equal before


def test_dead_channels_stay():
    model = small_model(np.random.default_rng(3))
    layers = dict(model.layers)
    weights = layers["block2.expand"].weights.copy()
    weights[:, 4] = 0
    layers["block2.expand"] = replace(layers["block2.expand"], weights=weights)
    weights = layers["block2.project"].weights.copy()
    weights[7] = 0
    layers["block2.project"] = replace(layers["block2.project"], weights=weights)
    model = replace(model, layers=layers)
    picture = small_pictures(np.random.default_rng(4), 1)[0]
    made = equalize(model)
    assert all(np.isfinite(x.weights).all() for x in made.layers.values())
    np.testing.assert_allclose(
        made.run(picture)["classifier"], model.run(picture)["classifier"], atol=1e-4
    )


def test_high_biases_are_absorbed_where_no_tail_is_cut():
    """Offsets three deviations below the mean move on; channels that go lower change."""
    model = small_model(np.random.default_rng(5), normalized=True)
    layers = dict(model.layers)
    for name in ("block2.depthwise", "head"):
        normal = layers[name].normalization
        layers[name] = replace(
            layers[name],
            normalization=replace(
                normal,
                offset=np.full_like(normal.offset, 2.5),
                scale=np.full_like(normal.scale, 0.05),
            ),
        )
    model = replace(model, layers=layers)
    pictures = small_pictures(np.random.default_rng(6), 3)
    absorbed, kept = equalize(model), equalize(model.folded())
    for name in ("block2.depthwise", "head"):
        assert (absorbed.layers[name].bias < kept.layers[name].bias).all()
    depthwise = [x.layers["block2.expand"].bias for x in (absorbed, kept)]
    assert np.array_equal(*depthwise)  # padding has no bias to hand over
    expected = np.stack([t["classifier"] for t in run_all(model, pictures)])
    seen = np.stack([t["classifier"] for t in run_all(absorbed, pictures)])
    assert np.abs(seen - expected).max() < 0.02 * np.abs(expected).max()


def ruined(model, pictures, rng):
    """The same float function, its channels scaled by factors up to 64 and back.

    A channel that reaches 6 on the pictures is left alone, any other stays below 6: so ReLU6
    never clips what it did not clip before.
    """
    highest = {}
    for tensors in run_all(model, pictures):
        for name, tensor in tensors.items():
            seen = tensor.max(axis=(0, 1))
            highest[name] = np.maximum(highest.get(name, seen), seen)
    layers = dict(model.layers)
    for first, second in layer_pairs(model.network):
        if not layers[first].layer.relu6:
            continue
        room = np.log2(5.9 / np.maximum(highest[first], 1e-6))
        factor = 2.0 ** rng.uniform(-6, np.minimum(room, 6))
        factor = np.where(highest[first] < 5.9, factor, 1.0).astype(np.float32)
        a, b = layers[first], layers[second]
        layers[first] = replace(a, weights=a.weights * factor, bias=a.bias * factor)
        highest[first] = highest[first] * factor
        divided = b.weights / (factor if b.layer.kind == "depthwise" else factor[:, None])
        layers[second] = replace(b, weights=divided)
    return replace(model, layers=layers)


def test_a_ruined_network_comes_back():
    """Per tensor, 8 bits: noise above the signal without, far below it with equalisation."""
    model = small_model(np.random.default_rng(7), gain=0.8)
    pictures = small_pictures(np.random.default_rng(8), 8)
    bad = ruined(model, pictures, np.random.default_rng(9))
    expected = np.stack([t["classifier"].reshape(-1) for t in run_all(model, pictures)])
    same = np.stack([t["classifier"].reshape(-1) for t in run_all(bad, pictures)])
    np.testing.assert_allclose(same, expected, atol=1e-4 * np.abs(expected).max())
    noise = {}
    options = {
        on: QuantizationOptions(granularity="tensor", equalization=on) for on in (False, True)
    }
    calibration = calibrate(bad, pictures, list(options.values()))
    for on, chosen in options.items():
        made = quantize_model(bad, calibration, chosen)
        logits = np.stack([made.logits(made.run(quantize_image(x, made))) for x in pictures])
        noise[on] = np.square(logits - expected).sum() / np.square(expected).sum()
    assert 10 * noise[True] < 0.25 < noise[False], noise
