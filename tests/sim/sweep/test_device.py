"""A sweep with PyTorch gives the figures of one without, here on the processor."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")

from mnv2.sim.errors import UserError  # noqa: E402
from mnv2.sim.sweep import sweep  # noqa: E402
from mnv2.sim.sweep.evaluate import places  # noqa: E402
from mnv2.sim.sweep.resident import _KEPT, resident_pixels  # noqa: E402
from mnv2.sim.sweep.sweep import prepare_sweep, run_sweep  # noqa: E402
from tests.sim.sweep.small import small_model, small_request, write_sets  # noqa: E402


def test_figures_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "DEVICE_PICTURES", 7)
    write_sets(tmp_path)
    request = small_request(
        tmp_path, weight_bits=(4, 8), accumulator_bits=(14, 32), equalization=("off", "on")
    )
    found = {}
    for device in ("cpu", "cpu:0"):
        prepared = prepare_sweep(request, load_model=lambda _: small_model(), device=device)
        results = run_sweep(prepared, tmp_path / device.replace(":", ""), workers=0)
        found[device] = results
    assert len(found["cpu"].figures) == 8
    for point, figures in found["cpu"].figures.items():
        ours = found["cpu:0"].figures[point]
        assert ours["pictures"] == 30
        for name, value in figures.items():
            if name == "layers":
                assert ours[name] == value
            else:  # the float logits have another order of sums
                assert ours[name] == pytest.approx(value, abs=1e-3), name
    assert any(figures.get("overflows") for figures in found["cpu"].figures.values())
    assert found["cpu"].reference == found["cpu:0"].reference


def test_a_journal_says_what_ran(tmp_path):
    """Work that one device began, another does not resume."""
    write_sets(tmp_path)
    request = small_request(tmp_path, weight_bits=(8,))

    def prepared(device):
        return prepare_sweep(request, load_model=lambda _: small_model(), device=device)

    run_sweep(prepared("cpu"), tmp_path / "sweep", workers=0)
    assert "torch" not in json.loads(json.dumps(prepared("cpu").configuration))
    with pytest.raises(UserError, match="differs in torch"):
        run_sweep(prepared("cpu:0"), tmp_path / "sweep", resume=True, workers=0)


def test_places_are_those_of_a_stable_sort():
    rng = np.random.default_rng(1)
    logits = rng.integers(0, 6, (40, 20)).astype(np.float64)  # many ties
    order = np.argsort(-logits, axis=1, kind="stable")
    for place in range(20):
        assert (places(logits, order[:, place]) == place).all()


def test_pictures_stay_as_long_as_their_array():
    class Runner:
        device, uploads = "cuda", 0

        def free_bytes(self):
            return 1000

        def upload(self, array):
            self.uploads += 1
            return array.copy()

    runner, pixels, large = Runner(), np.zeros(400, np.uint8), np.zeros(501, np.uint8)
    assert resident_pixels(pixels, runner) is resident_pixels(pixels, runner)
    assert runner.uploads == 1
    assert resident_pixels(large, runner) is large
    before = len(_KEPT)
    del pixels
    assert len(_KEPT) == before - 1
