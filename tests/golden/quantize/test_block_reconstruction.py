"""Trained roundings: between integers at first, integers in the end, and better than nearest."""

import sys

import numpy as np
import pytest

from mnv2.golden.archive import model_to_arrays
from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fixed_point import dequantize
from mnv2.golden.quantize import QuantizationOptions, calibrate, quantize_image, quantize_model
from mnv2.golden.quantize.equalization import equalize
from mnv2.golden.quantized_layer import with_arithmetic
from tests.golden.quantize.networks import small_model, small_network, small_pictures

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
block_reconstruction = pytest.importorskip("mnv2.golden.quantize.block_reconstruction")
SoftWeights = pytest.importorskip("mnv2.golden.quantize.soft_rounding").SoftWeights

OPTIONS = QuantizationOptions(3, weight_range_method="least-squares", block_reconstruction=True)
TRAINING, JUDGED = 70, 6


@pytest.fixture(scope="module", autouse=True)
def short():
    """A small network needs fewer steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_reconstruction, "STEPS", 120)
        yield


@pytest.fixture(scope="module")
def model():
    return small_model(np.random.default_rng(5))


@pytest.fixture(scope="module")
def pictures():
    return small_pictures(np.random.default_rng(6), TRAINING + JUDGED)


@pytest.fixture(scope="module")
def calibration(model, pictures):
    return calibrate(model, pictures[:TRAINING], OPTIONS)


@pytest.fixture(scope="module")
def trained(model, calibration):
    steps = []
    made = quantize_model(model, calibration, OPTIONS, lambda *step: steps.append(step))
    units = len(block_reconstruction.find_units(model.network))
    assert steps == [(number, units) for number in range(1, units + 1)]
    return made


def noise_db(made, model, pictures):
    """Noise against signal of the logits, in dB."""
    ratios = []
    for picture in pictures:
        expected = model.run(picture)["classifier"].reshape(-1).astype(np.float64)
        off = made.logits(made.run(quantize_image(picture, made))) - expected
        ratios.append(np.square(off).sum() / np.square(expected).sum())
    return 10 * np.log10(np.mean(ratios))


def test_soft_weights_begin_at_the_float_ones():
    rng = np.random.default_rng(1)
    weights = rng.normal(0, 1, (12, 5)).astype(np.float32)
    scales = (np.abs(weights).max(axis=0) / 7).astype(np.float32)
    soft = SoftWeights(weights, np.zeros(5, np.float32), scales, 4)
    np.testing.assert_allclose(soft.soft()[0].detach().numpy(), weights, atol=1e-5)
    integers = soft.integers().numpy()
    assert np.abs(integers - weights / scales).max() <= 0.5 + 1e-4
    assert soft.penalty(2.0) > 1
    soft.variables.data = torch.where(soft.parts() >= 0.5, 5.0, -5.0)
    assert soft.penalty(2.0) == 0
    np.testing.assert_array_equal(soft.soft()[0].detach(), soft.hard()[0])


def test_training_beats_the_nearest_integers(model, pictures, trained, calibration):
    """On pictures that were not trained on; by the nearest with corrected biases too."""
    judged = pictures[TRAINING:]
    plain = QuantizationOptions(3, weight_range_method="least-squares", bias_correction=True)
    nearest = quantize_model(model, calibration, plain)
    assert noise_db(trained, model, judged) < noise_db(nearest, model, judged) - 2


def test_weights_are_one_of_the_two_integers_around_them(model, trained):
    moved = 0
    for record in trained.layers:
        assert record.weight_bits == 3
        steps = model.layers[record.name].weights / record.weight_scales
        clipped = np.clip(steps, -3, 3)
        assert np.abs(record.weights - clipped).max() < 1 + 1e-4
        moved += np.count_nonzero(np.abs(record.weights - clipped) > 0.5 + 1e-4)
    assert moved > 10


def test_the_same_call_gives_the_same_integers(model, calibration, trained):
    again = model_to_arrays(quantize_model(model, calibration, OPTIONS))
    first = model_to_arrays(trained)
    assert all(np.array_equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize("equalized", [False, True])
def test_units_are_the_float_network(model, pictures, equalized):
    """Run unit by unit the float layers give the tensors of FloatModel.run."""
    network = equalize(model) if equalized else model
    real = {name: block_reconstruction._tensors(x) for name, x in network.layers.items()}
    tensors = [network.run(picture) for picture in pictures[:3]]

    def stacked(name):
        return torch.tensor(np.stack([one[name] for one in tensors]))

    for unit in block_reconstruction.find_units(network.network):
        given = stacked(unit.source)
        made = block_reconstruction._run(unit, real, given)
        name = unit.last.name if unit.add is None else unit.add
        made = made if unit.add is None else made + given
        np.testing.assert_allclose(made, stacked(name), rtol=1e-3, atol=1e-3)


def test_what_training_sees_is_the_map_s_part(model, pictures):
    """A part of a padded map gives the part of the output, at each corner."""
    real = {name: block_reconstruction._tensors(x) for name, x in model.layers.items()}
    images = torch.tensor(np.stack(pictures[:2]))
    for unit in block_reconstruction.find_units(model.network)[:3]:
        given = images
        if unit.source != "input":
            found = [model.run(picture)[unit.source] for picture in pictures[:2]]
            given = torch.tensor(np.stack(found))
        whole = block_reconstruction._run(unit, real, given)
        maps, inside = block_reconstruction._padded(unit, given)
        layer = unit.spatial
        for first in (0, whole.shape[1] - 3):
            rows = block_reconstruction._source(first, 3, layer.stride, layer.kernel_size[0])
            near = None if inside is None else inside[:, rows, rows]
            made = block_reconstruction._layers(unit, real, maps[:, rows, rows], near)
            place = slice(first, first + 3)
            np.testing.assert_allclose(made, whole[:, place, place], rtol=1e-4, atol=1e-4)


def test_integers_are_what_training_took_them_for(model, pictures, calibration, trained):
    """The stem's output in integers is what the units after it were given.

    Within a step of LiteRT's two roundings, and equal to what one rounding gives but for halves.
    """
    (unit, *_) = block_reconstruction.find_units(model.network)
    record = trained.stem
    once = with_arithmetic(record, Arithmetic(rounding="single"))
    affine = {
        "input": (trained.input_scale, trained.input_zero_point),
        "stem": (record.output_scale, record.output_zero_point),
    }
    grids = block_reconstruction._Grids(affine, OPTIONS)
    given = grids.snap("input", torch.tensor(np.stack(pictures[:2])))
    weights = torch.tensor(record.weights * record.weight_scales)
    product = record.input_scale * record.weight_scales.astype(np.float64)
    bias = torch.tensor((record.bias * product).astype(np.float32))
    made = block_reconstruction._run(unit, {"stem": (weights, bias)}, given, grids).numpy()
    for picture, seen in zip(pictures[:2], made, strict=True):
        image = quantize_image(picture, trained)
        for form, share in ((record, 0.2), (once, 0.02)):
            real = dequantize(form.run(image), record.output_scale, record.output_zero_point)
            off = np.abs(seen - real) / record.output_scale
            assert off.max() < 1.01
            assert np.mean(off > 0.5) < share


def test_statistics_are_of_some_of_the_pictures(calibration, pictures):
    assert len(calibration.pictures) == TRAINING
    (statistics,) = calibration.statistics.values()
    assert len(statistics.minima["input"]) == TRAINING // 2
    assert statistics.minima["input"][1] == pictures[2].min()


def test_truncation_is_made_good_by_the_bias(model, calibration, pictures, monkeypatch):
    monkeypatch.setattr(block_reconstruction, "STEPS", 5)
    noise = {}
    for rounding in ("single", "truncate"):
        options = QuantizationOptions(
            8, block_reconstruction=True, arithmetic=Arithmetic(rounding=rounding)
        )
        made = quantize_model(model, calibration, options)
        noise[rounding] = noise_db(made, model, pictures[TRAINING:])
    assert noise["truncate"] < noise["single"] + 6


def test_bad_input(model, pictures, calibration, monkeypatch):
    plain = calibrate(model, pictures[:1])
    with pytest.raises(ValueError, match="made for options with block_reconstruction=True"):
        quantize_model(model, plain, OPTIONS)
    with pytest.raises(ValueError, match="Repairs need a Calibration"):
        quantize_model(model, {}, OPTIONS)
    monkeypatch.setitem(sys.modules, "mnv2.golden.quantize.block_reconstruction", None)
    with pytest.raises(ValueError, match=r"needs PyTorch, .*: pip install 'mnv2\[gpu\]'"):
        quantize_model(model, calibration, OPTIONS)


def test_units_end_at_blocks():
    units = block_reconstruction.find_units(small_network())
    assert [unit.last.kind for unit in units] == [
        "stem",
        *["project"] * 4,
        "head",
        "classifier",
    ]
    assert [unit.source for unit in units][:3] == ["input", "stem", "block1.add"]
    assert [unit.add for unit in units if unit.add] == ["block1.add", "block3.add"]
