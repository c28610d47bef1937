"""A batch equals the plain loops, tensor by tensor, whatever the bits and the datapath."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fast import batch
from mnv2.golden.fast.choice import choose, has_bytes, load_compiled
from mnv2.golden.fast.kernels import NUMPY
from mnv2.golden.fast.maps import ByteMaps, FloatMaps
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_activation, random_model


@pytest.fixture(autouse=True, params=["numpy", "numba", "bytes"])
def maps(request, monkeypatch):
    """Every test of a batch runs on both sets of inner loops, and on bytes where the CPU does."""
    if request.param == "bytes" and not has_bytes():
        pytest.skip("this CPU does not multiply bytes four at a time")
    kernels = NUMPY if request.param == "numpy" else load_compiled()
    assert kernels.name == ("numpy" if request.param == "numpy" else "numba")

    def chosen(images, plain):
        return ByteMaps() if request.param == "bytes" and plain else FloatMaps(kernels)

    monkeypatch.setattr(batch, "choose", chosen)
    return request.param


def test_compiled_kernels_are_for_batches():
    assert choose(1, True).kernels is choose(1, False).kernels is NUMPY
    assert choose(16, False).kernels.name == "numba"
    assert isinstance(choose(16, True), ByteMaps if has_bytes() else FloatMaps)


TABLE = ((1, 4, 1, 1), (3, 6, 2, 2), (2, 6, 1, 1))


def make_model(seed, *bits, size=(21, 18), padding="pytorch", table=TABLE):
    network = build_network(
        table, stem_channels=5, head_channels=16, classes=7, input_size=size, padding=padding
    )
    return random_model(np.random.default_rng(seed), network, *bits)


def assert_batch_equals(model, images, overflows=None):
    results = model.run_batch(images, overflows=overflows)
    for number, image in enumerate(images):
        plain = model.run(image, exact_loops=True)
        assert list(results) == list(plain)
        for name, tensor in plain.items():
            assert results[name].dtype == tensor.dtype, name
            np.testing.assert_array_equal(results[name][number], tensor, err_msg=name)
    return results


def images_for(model, count, seed=0):
    rng = np.random.default_rng(seed)
    return random_activation(rng, (count, *model.network.input_shape), model.input_bits)


@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("size", [(21, 18), (8, 33), (1, 1), (2, 3)])
def test_sizes(size, padding):
    model, _ = make_model(1, size=size, padding=padding)
    results = assert_batch_equals(model, images_for(model, 3))
    prepared = model.prepared
    assert len(prepared.heads) == 1
    assert None not in (prepared.stem, *prepared.heads, *prepared.blocks)
    assert model.prepared.plain
    assert len(np.unique(results["head"])) > 3


@pytest.mark.parametrize("bits", [(8, 8), (4, 4), (2, 8), (3, 5), (8, 6), (6, 7), (8, 16), (3, 16)])
def test_bits(bits):
    model, image = make_model(sum(bits), *bits)
    assert_batch_equals(model, np.stack([image, *images_for(model, 2)]))


@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
@pytest.mark.parametrize("accumulator_bits", [12, 15, 18])
@pytest.mark.parametrize(
    ("rounding", "multiplier_bits"), [("double", 32), ("single", 9), ("truncate", 16)]
)
def test_datapaths(rounding, multiplier_bits, accumulator_bits, overflow):
    arithmetic = Arithmetic(multiplier_bits, rounding, accumulator_bits, overflow)
    model, _ = make_model(accumulator_bits, 8, 8, arithmetic)
    images, counts, expected = images_for(model, 2), {}, {}
    results = assert_batch_equals(model, images, counts)
    for number in range(len(images)):
        source = "input"
        for layer in model.layers:
            found = []
            x = results[source if layer is not model.classifier else "pool"][number]
            acc = layer.accumulate(x, exact_loops=True, overflows=found)
            assert acc.dtype == np.int32
            expected[layer.name] = expected.get(layer.name, 0) + int(found[0].sum())
            source = layer.name
            block = next((b for b in model.blocks if b.project is layer), None)
            source = block.output_name if block else source
    assert counts == expected
    assert (sum(counts.values()) > 0) == (accumulator_bits < 18)


@pytest.mark.parametrize("band", [1, 300, 1000, 2**18])
def test_bands_and_groups(band, monkeypatch):
    """Whatever part of a map or of a batch is worked on at a time."""
    for kind in (FloatMaps, ByteMaps):
        monkeypatch.setattr(kind, "elements", band)
    model, _ = make_model(5, size=(26, 19))
    plans = {block.portions[ByteMaps] for block in model.prepared.blocks}
    assert plans == {block.portions[FloatMaps] for block in model.prepared.blocks}
    assert len(plans) > 1 or band == 1
    assert_batch_equals(model, images_for(model, 5))


def test_ties_in_every_layer():
    """Scales of powers of two, as DPUs have them."""
    model, _ = make_model(6)

    def round_scales(layer):
        return replace(layer, multiplier=np.full_like(layer.multiplier, 2**30))

    blocks = tuple(
        replace(
            block,
            **{
                part: round_scales(getattr(block, part))
                for part in ("expand", "depthwise", "project")
                if getattr(block, part) is not None
            },
        )
        for block in model.blocks
    )
    model = replace(
        model, stem=round_scales(model.stem), blocks=blocks, head=round_scales(model.head)
    )
    assert_batch_equals(model, images_for(model, 3))


def test_layers_of_different_widths():
    """The first layer in 16 bits, the rest in 8, and a stage that runs in integers between."""
    model, _ = make_model(7)
    first = model.blocks[0]
    wide = replace(
        first.project,
        activation_bits=16,
        minimum=-2000,
        maximum=2000,
        shift=first.project.shift - 4,
    )
    block = replace(first, project=wide)
    model = replace(model, blocks=(block, *model.blocks[1:]))
    results = assert_batch_equals(model, images_for(model, 2))
    assert results[wide.name].dtype == np.int16
    assert results[wide.name].max() > 127
    ready = [part is not None for part in model.prepared.blocks]
    assert not ready[0]
    assert any(ready)


def test_keep():
    model, _ = make_model(9)
    images = images_for(model, 2)
    everything = model.run_batch(images)
    kept = model.run_batch(images, keep={"classifier", "block2.depthwise"})
    assert list(kept) == ["block2.depthwise", "classifier"]
    for name, tensor in kept.items():
        np.testing.assert_array_equal(tensor, everything[name])
    with pytest.raises(ValueError, match=r"must be among the model's, not \['nothing'\]"):
        model.run_batch(images, keep=["nothing", "head"])


def test_refuses_other_images():
    model, image = make_model(10)
    for wrong in (image, image[None].astype(np.int16), image[None, 1:], image[None].astype(float)):
        with pytest.raises(ValueError, match=r"must be int8 \(21, 18, 3\), not"):
            model.run_batch(wrong)
    assert model.run_batch(np.empty((0, *image.shape), np.int8))["head"].shape[0] == 0


def test_pickles_hold_the_records_alone():
    model, image = make_model(11)
    before = len(pickle.dumps(model))
    expected = model.run(image)["head"]
    assert len(pickle.dumps(model)) == before
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).run(image)["head"], expected)
