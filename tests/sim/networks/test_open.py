"""The real network on real photographs: accuracy, speed, and every tensor against LiteRT."""

import time

import numpy as np
import pytest

from mnv2.golden.exporters.tflite import export_model
from mnv2.golden.quantize import quantize_image
from mnv2.sim.errors import UserError
from mnv2.sim.networks import open as models
from mnv2.sim.networks.compare import sqnr_db
from mnv2.sim.pictures.calibration_pictures import calibration_pictures
from mnv2.sim.pictures.photographs import calibration_photographs, labelled_photographs
from tests.golden.litert import run_litert
from tests.sim.pictures.inputs import load_input


@pytest.fixture(scope="module")
def float_model():
    return models.load_float_model().folded()


@pytest.fixture(scope="module")
def model():
    return models.load_model()


@pytest.fixture(scope="module")
def judged(float_model, model):
    """(label, float logits, integer tensors, wide logits) of each labelled photograph."""
    results = []
    for photograph in labelled_photographs():
        image = load_input(photograph.path)
        tensors = model.run(quantize_image(image, model))
        results.append(
            (
                photograph.label,
                float_model.run(image)["classifier"].reshape(-1),
                tensors,
                model.logits(tensors),
            )
        )
    return results


def test_the_judged_are_not_calibrated_on():
    judged = {photograph.path.read_bytes() for photograph in labelled_photographs()}
    used = {photograph.path.read_bytes() for photograph in calibration_photographs()}
    assert len(judged) == 20
    assert not judged & used


def test_float_names_18_of_20(judged):
    assert sum(logits.argmax() == label for label, logits, _, _ in judged) == 18
    assert all(label in np.argsort(-logits)[:5] for label, logits, _, _ in judged)


def test_integer_agrees_with_float(judged):
    assert sum(wide.argmax() == logits.argmax() for _, logits, _, wide in judged) >= 16


def test_logits_sqnr(judged):
    assert np.mean([sqnr_db(logits, wide) for _, logits, _, wide in judged]) >= 16


def test_int8_logits_do_not_clip(judged):
    for _, _, tensors, wide in judged:
        assert np.abs(tensors["classifier"].astype(int)).max() < 127
        assert tensors["classifier"].reshape(-1)[wide.argmax()] == tensors["classifier"].max()


def test_activations_use_their_range(judged):
    for name, tensor in judged[0][2].items():
        if tensor.dtype == np.int8:
            assert len(np.unique(tensor)) > 40, name


def test_integer_pass_takes_under_half_a_second(model):
    """Time of the processor, on one thread: other work on the machine must not decide."""
    image = quantize_image(load_input(calibration_photographs()[0].path), model)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        model.run(image)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.5


def test_every_tensor_is_litert_s(model):
    content = export_model(model)
    for photograph in (labelled_photographs()[0], calibration_photographs()[1]):
        image = quantize_image(load_input(photograph.path), model)
        tensors = model.run(image)
        expected = run_litert(content, [image])
        compared = [name for name in tensors if name != "logits_accumulator"]
        assert len(compared) == 65
        for name in compared:
            assert np.array_equal(tensors[name], expected[name]), name


def test_quick_forms_equal_the_plain_ones(model):
    image = quantize_image(load_input(calibration_photographs()[2].path), model)
    quick, plain = model.run(image), model.run(image, exact_loops=True)
    for name in plain:
        assert np.array_equal(quick[name], plain[name]), name


def test_float_model_is_quantised_to_the_bits_asked_for():
    integer = models.open_model(weight_bits=5, activation_bits=6).integer
    assert {layer.weight_bits for layer in integer.layers} == {5}
    assert {layer.activation_bits for layer in integer.layers} == {6}
    assert max(np.abs(layer.weights).max() for layer in integer.layers) == 15


def test_cache_holds_the_same_model(model, tmp_path, monkeypatch):
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "mnv2.sim.pictures.calibration_pictures.calibration_pictures",
        lambda *choices: calibration_pictures(*choices)[:2],
    )
    steps = []
    first = models.load_model(progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]
    files = list((tmp_path / "models").iterdir())
    assert len(files) == 1
    start = time.perf_counter()
    second = models.load_model(progress=lambda *_: pytest.fail("calibrated again"))
    assert time.perf_counter() - start < 2
    assert np.array_equal(first.head.weights, second.head.weights)
    assert second.network == model.network
    files[0].write_bytes(files[0].read_bytes()[:1000])  # a damaged cache is made anew
    third = models.load_model()
    assert np.array_equal(first.stem.bias, third.stem.bias)


def test_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(
        "mnv2.sim.pictures.calibration_pictures.calibration_pictures",
        lambda *choices: calibration_pictures(*choices)[:1],
    )
    assert len(models.load_model().blocks) == 17


def test_wrong_weights(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"not these")
    with pytest.raises(UserError, match="must have the sha256"):
        models.load_model(path)
    with pytest.raises(UserError, match="cannot be read"):
        models.load_float_model(tmp_path / "none")
