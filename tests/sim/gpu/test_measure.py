"""The measurement of a GPU, made on the processor with a small random network."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")

from mnv2.golden.gpu.stages import Stages  # noqa: E402
from mnv2.sim.errors import UserError  # noqa: E402
from mnv2.sim.gpu import measure  # noqa: E402
from mnv2.sim.gpu.material import FORMATS, load_material, pack_material  # noqa: E402
from mnv2.sim.gpu.measure import GpuRequest, measure_gpu  # noqa: E402

REQUEST = dict(device="cpu:0", random=(0.35, 32), sizes=(8, 4), pictures=8)


@pytest.fixture(autouse=True)
def few_formats(monkeypatch):
    names = ("W8A8", "W8A16", "16 bits that saturate")
    monkeypatch.setattr(measure, "FORMATS", {name: FORMATS[name] for name in names})
    monkeypatch.setattr(measure, "_sample_points", lambda: list(measure.FORMATS.values()))


def test_every_check(tmp_path):
    lines, output = [], tmp_path / "gpu.json"
    assert measure_gpu(GpuRequest(budget=1000, output=output, **REQUEST), lines.append) == []
    found = json.loads(output.read_text())
    assert found["failures"] == []
    assert set(found["equality"]) == set(measure.FORMATS)
    for row in found["equality"].values():
        assert (row["different"], row["overflows_equal"]) == (0, True)
        assert row["tensors"] == 67
    assert found["equality"]["16 bits that saturate"]["overflows"] > 0
    assert [row["batch"] for row in found["throughput"]["rows"]] == [8, 4]
    assert all(row["per_second"] > 0 for row in found["throughput"]["rows"])
    assert found["sweep"]["formats_measured"] == 3
    assert found["sweep"]["computed_minutes"] > 0
    assert any("computed: 195 formats x 50,000 pictures" in line for line in lines)


def test_a_wrong_element_is_a_failure_and_the_rest_runs(tmp_path, monkeypatch):
    """A fault planted in the model that runs on the device."""
    plain = Stages.run

    def wrong(self, x, keep):
        kept, counts = plain(self, x, keep)
        if "block3.depthwise" in kept:
            kept["block3.depthwise"] = kept["block3.depthwise"].clone()
            kept["block3.depthwise"][0, 0, 0, 0] ^= 1
        return kept, counts

    monkeypatch.setattr(Stages, "run", wrong)
    lines = []
    failures = measure_gpu(GpuRequest(budget=1000, **REQUEST), lines.append)
    assert failures == [f"{name} differs first in block3.depthwise" for name in measure.FORMATS]
    assert any(line.startswith("batch 8:") for line in lines)


def test_checks_are_left_out_when_time_is_up():
    failures = measure_gpu(GpuRequest(budget=0.001, **REQUEST), lambda line: None)
    assert "equality of W8A16: no time left" in failures
    assert "kernels: TimeoutError: no time left" in failures


def test_packed_material(tmp_path):
    pack_material(tmp_path / "packed")
    packed = load_material(tmp_path / "packed")
    here = load_material()
    np.testing.assert_array_equal(packed.pixels, here.pixels)
    for name, layer in here.model.layers.items():
        np.testing.assert_array_equal(packed.model.layers[name].weights, layer.weights)
    (tmp_path / "packed" / "pictures.npz").unlink()
    with pytest.raises(UserError, match=r"must hold weights.pth and pictures.npz"):
        load_material(tmp_path / "packed")
