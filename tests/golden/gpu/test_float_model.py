"""The float network on a device gives golden's logits up to the rounding of float32."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")

from mnv2.golden.gpu.float_model import DeviceFloatModel
from mnv2.golden.quantize.equalization import equalize
from tests.sim.sweep.small import SIZE, small_model


@pytest.mark.parametrize("made", [small_model, lambda: equalize(small_model().folded())])
def test_logits(made, monkeypatch):
    monkeypatch.setattr("mnv2.golden.gpu.float_model.GROUP_PICTURES", 2)
    model, rng = made(), np.random.default_rng(4)
    pixels = rng.integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)
    table = rng.normal(size=(256, 3)).astype(np.float32)
    logits = DeviceFloatModel(model, "cpu").logits(pixels, table)
    expected = np.stack(
        [model.run(table[picture, np.arange(3)])["classifier"].reshape(-1) for picture in pixels]
    )
    assert logits.dtype == np.float32
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert DeviceFloatModel(model, "cpu").logits(pixels[:0], table).shape == (0, 10)
