"""The kernels equal golden, tensor by tensor, wherever a GPU can be had."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")
if not torch.cuda.is_available():
    pytest.skip("PyTorch finds no GPU on this machine", allow_module_level=True)

from mnv2.golden.gpu.runner import DeviceRunner  # noqa: E402
from mnv2.golden.network import mobilenet_v2  # noqa: E402
from mnv2.golden.synthetic import random_model  # noqa: E402
from tests.golden.gpu.cases import CASES, assert_equal_to_golden, images_for, make_model  # noqa: E402


@pytest.mark.parametrize("case", CASES)
def test_every_tensor(case):
    assert_equal_to_golden(CASES[case](), "cuda", "kernels")


@pytest.mark.parametrize("case", ["W8A8", "W8A16", "double, 12 bits that saturate, A8"])
def test_eager_form(case):
    assert_equal_to_golden(CASES[case](), "cuda", "eager")


@pytest.mark.parametrize("bits", [8, 16])
def test_real_shapes(bits):
    model, _ = random_model(np.random.default_rng(1), mobilenet_v2(0.35, 96), 8, bits)
    assert_equal_to_golden(model, "cuda", "kernels", count=2)


def test_no_kernel_is_compiled_for_a_format():
    """Another format of the same shapes and widths finds every kernel there."""
    from mnv2.golden.gpu import kernels

    def compiled():
        found = (kernels.stem, kernels.pointwise, kernels.depthwise)
        return [len(kernel.device_caches[0][0]) for kernel in found]

    first = CASES["W8A8"]()
    images = images_for(first, 2)
    DeviceRunner(first, "cuda").run(images)
    before = compiled()
    assert min(before) > 0
    for case in ("W4A8", "W3A5", "truncate, 24 bits that wrap, A8", "power of two, single"):
        model = CASES[case]()
        DeviceRunner(model, "cuda").run(images_for(model, 2))
    assert compiled() == before


def test_pixels_stay_on_the_device():
    model = make_model(5)
    runner = DeviceRunner(model, "cuda")
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (600, 21, 18, 3), dtype=np.uint8)
    table = rng.integers(-128, 128, (256, 3), dtype=np.int8)
    names = ["input", "logits_accumulator"]
    expected = model.run_batch(table[pixels, np.arange(3)], names)
    for given in (pixels, runner.upload(pixels)):
        made = runner.run_pixels(given, table, names)
        for name in names:
            np.testing.assert_array_equal(made[name], expected[name])
