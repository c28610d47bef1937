"""Calibrations kept between sweeps: statistics of the pictures, by a hash of all they depend on.

They are arrays in an .npz and nothing else. A damaged one, or a cache that cannot be written, costs
time and no more.
"""

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mnv2.golden.float_model import FloatModel
from mnv2.golden.quantize import Calibration, QuantizationOptions, calibrate
from mnv2.golden.quantize.histogram import Histogram
from mnv2.golden.quantize.moments import LayerMoments
from mnv2.golden.quantize.range_statistics import RangeStatistics
from mnv2.sim.jobs.cache import cache_dir
from mnv2.sim.jobs.files import save_arrays
from mnv2.sim.jobs.identity import code_hash

__all__ = ["KEPT", "cached_calibration", "model_hash"]

#: Calibrations that are kept; each takes up to 120 MB.
KEPT = 4


def model_hash(model: FloatModel) -> str:
    """SHA-256 of a folded model: its shapes and every weight and bias."""
    shapes = model.network.all_fields, model.input_normalization
    digest = hashlib.sha256(repr(shapes).encode())
    for name in sorted(model.layers):
        layer = model.layers[name]
        digest.update(name.encode() + layer.weights.tobytes())
        digest.update(b"" if layer.bias is None else layer.bias.tobytes())
    return digest.hexdigest()


def cached_calibration(
    model: FloatModel,
    images: Sequence[np.ndarray],
    hashes: Sequence[str],
    options: Sequence[QuantizationOptions],
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """The result of `mnv2.golden.quantize.calibrate`, from the cache if it is there.

    Parameters
    ----------
    model : mnv2.golden.float_model.FloatModel
        Folded; its input normalisation gives the input's range.
    images : sequence of float32 [H, W, 3]
    hashes : sequence of str
        Of the content of the files that they were cut from.
    options : sequence of mnv2.golden.quantize.QuantizationOptions
    progress : function of (done, total), optional
        Never called where the cache has it.

    Returns
    -------
    mnv2.golden.quantize.Calibration
    """
    needs = sorted(
        {(one.equalization, one.bias_correction, one.adaptive_rounding) for one in options}
    )
    key = json.dumps(
        [model_hash(model), list(hashes), len(images), needs, code_hash(__name__), np.__version__]
    )
    folder = cache_dir() / "calibrations"
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
    with (
        contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile),
        np.load(path, allow_pickle=False) as arrays,
    ):
        return _from_arrays(arrays)
    made = calibrate(model, images, options, model.input_normalization.range(), progress)
    with contextlib.suppress(OSError):
        save_arrays(path, _to_arrays(made))
        kept = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            old.unlink()
    return made


def _to_arrays(calibration: Calibration) -> dict[str, np.ndarray]:
    """Arrays by names such as ``1/minima/stem``, 1 for the equalised network."""
    arrays = {"input_range": np.array(calibration.input_range, np.float64)}
    for equalized, statistics in calibration.statistics.items():
        for part in ("minima", "maxima", "histograms", "moments"):
            for name, value in getattr(statistics, part).items():
                place = f"{int(equalized)}/{part}/{name}"
                if isinstance(value, Histogram):
                    arrays[f"{place}/counts"] = value.counts
                    arrays[f"{place}/exponent"] = np.array(value.exponent, np.int64)
                elif isinstance(value, LayerMoments):
                    arrays[f"{place}/count"] = np.array(value.count, np.int64)
                    arrays[f"{place}/total"] = value.total
                    if value.gram is not None:
                        arrays[f"{place}/gram"] = value.gram
                else:
                    arrays[place] = value
    return arrays


def _from_arrays(arrays: Any) -> Calibration:
    """The Calibration that `_to_arrays` was called on."""
    statistics: dict[bool, dict[str, dict[str, Any]]] = {}
    for key in arrays.files:
        if key == "input_range":
            continue
        equalized, part, name, *member = key.split("/")
        found = statistics.setdefault(bool(int(equalized)), {})
        held = found.setdefault(part, {})
        if member:
            value = arrays[key]
            held.setdefault(name, {})[member[0]] = int(value) if value.ndim == 0 else value
        else:
            held[name] = arrays[key]
    made = {
        equalized: RangeStatistics(
            found["minima"],
            found["maxima"],
            {name: Histogram(**members) for name, members in found["histograms"].items()},
            {name: LayerMoments(**members) for name, members in found["moments"].items()},
        )
        for equalized, found in statistics.items()
    }
    return Calibration(made, tuple(arrays["input_range"].tolist()))
