"""The model in plain torch equals golden, tensor by tensor, whatever the bits and the datapath."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")
torch.set_num_threads(1)  # small maps, and other tests run next to this one

from mnv2.golden.gpu.runner import DeviceRunner, tensor_names  # noqa: E402
from mnv2.golden.quantize import quantize_image  # noqa: E402
from tests.golden.gpu.cases import CASES, assert_equal_to_golden, images_for, make_model  # noqa: E402


@pytest.mark.parametrize("case", CASES)
def test_every_tensor(case):
    golden, counts = assert_equal_to_golden(CASES[case](), "cpu", "eager")
    if "12 bits" in case:
        assert sum(counts.values()) > 100
    if case in ("W8A8", "wide", "per tensor"):
        assert len(np.unique(golden["head"])) > 20


def test_batches_of_several_groups(monkeypatch):
    monkeypatch.setattr("mnv2.golden.gpu.runner.SMALL_GROUP_IMAGES", 2)
    model = CASES["double, 12 bits that wrap, A8"]()
    assert_equal_to_golden(model, "cpu", "eager", count=5)


def test_pixels_by_table():
    model = make_model(1)
    pixels = np.random.default_rng(2).integers(0, 256, (2, 21, 18, 3), dtype=np.uint8)
    scaled = np.arange(256, dtype=np.float32)[:, None] * np.array([0.01, 0.02, 0.03], np.float32)
    table = quantize_image(scaled, model)
    images = np.stack(
        [
            quantize_image(picture * np.array([0.01, 0.02, 0.03], np.float32), model)
            for picture in pixels
        ]
    )
    runner = DeviceRunner(model, "cpu")
    made = runner.run_pixels(pixels, table)
    for name, tensor in model.run_batch(images).items():
        np.testing.assert_array_equal(made[name], tensor)
    again = runner.run_pixels(runner.upload(pixels), table, ["head"])
    assert list(again) == ["head"]
    np.testing.assert_array_equal(again["head"], made["head"])


def test_a_model_on_a_device_is_made_once():
    model = make_model(2)
    images = images_for(model, 2)
    made = model.run_batch(images, ["pool"], device="cpu:0")
    assert model.on_device("cpu:0") is model.on_device("cpu:0")
    np.testing.assert_array_equal(made["pool"], model.run_batch(images, ["pool"])["pool"])
    assert tensor_names(model) == list(model.run_batch(images))


def test_refuses_what_golden_refuses():
    model = make_model(3)
    runner, images = DeviceRunner(model, "cpu"), images_for(model, 2)
    for wrong in (images[0], images.astype(np.int16), images[:, 1:]):
        with pytest.raises(ValueError, match=r"must be int8 \(21, 18, 3\), not"):
            runner.run(wrong)
    with pytest.raises(ValueError, match=r"must be among the model's, not \['nothing'\]"):
        runner.run(images, keep=["nothing", "head"])
    with pytest.raises(ValueError, match=r"must be uint8 \(21, 18, 3\), not int8"):
        runner.run_pixels(images, np.zeros((256, 3), np.int8))
    with pytest.raises(ValueError, match=r"A table of pixels must be int8 \(256, 3\), not int16"):
        runner.run_pixels(images.view(np.uint8), np.zeros((256, 3), np.int16))
    with pytest.raises(ValueError, match="A form must be one of eager, kernels, not 'fast'"):
        DeviceRunner(model, "cpu", "fast")
    counts = {}
    assert runner.run(images[:0], overflows=counts)["head"].shape[0] == 0
    assert set(counts.values()) == {0}
