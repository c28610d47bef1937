"""The real network: weights from their package, quantised once and kept.

`load_float_model` and `load_model` are what commands call. Quantising takes a few seconds of
calibration; the result is kept in the cache folder under a hash of everything it depends on.
"""

import contextlib
import hashlib
import os
import zipfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

import golden
from golden.archive import model_from_arrays, model_to_arrays
from golden.calibrate import collect_statistics
from golden.importers.torch_checkpoint import SHA256, read_checkpoint
from golden.importers.torchvision_names import float_model_from_torchvision
from golden.network import mobilenet_v2
from golden.quantize import QuantizationOptions, choose_ranges, quantize_model
from sim import calibration, images
from sim.cache import cache_dir
from sim.errors import UserError
from sim.photographs import calibration_photographs

#: How per-picture ranges become one; see `golden.quantize.ranges.choose_ranges`.
RANGE_METHOD = "mean-minmax"


def load_float_model(weights=None):
    """MobileNetV2 1.0, 224, 1000 classes with torchvision's weights, batch norms unfolded.

    Parameters
    ----------
    weights : path, optional
        The checkpoint; by default the installed one. Its sha256 is checked either way.

    Raises
    ------
    UserError
        If it is missing, has another hash, or cannot be read.
    """
    try:
        return float_model_from_torchvision(read_checkpoint(weights), mobilenet_v2())
    except ValueError as error:
        raise UserError(str(error)) from None


def load_model(weights=None, options=None, range_method=RANGE_METHOD, progress=None,
               float_model=None):
    """The quantised network with the real weights, from the cache where it is there.

    Parameters
    ----------
    weights : path, optional
        As in `load_float_model`.
    options : golden.quantize.QuantizationOptions, optional
    range_method : str
    progress : function of (done, total), optional
        Called for each calibration picture; never where the cache has the model.
    float_model : FloatModel, optional
        What `load_float_model(weights)` gave, to save reading it again.

    Returns
    -------
    golden.model.QuantizedModel

    Raises
    ------
    UserError
    """
    options = options or QuantizationOptions()
    if float_model is None:
        float_model = load_float_model(weights)
    path = cache_dir() / "models" / f"{_model_key(options, range_method)}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile), \
            np.load(path, allow_pickle=False) as arrays:
        return model_from_arrays({name: arrays[name] for name in arrays.files})
    normalization = float_model.input_normalization
    pictures = calibration.calibration_pictures(normalization=normalization)
    statistics = collect_statistics(float_model, pictures, progress)
    ranges = choose_ranges(statistics, range_method, images.input_range(normalization))
    model = quantize_model(float_model, ranges, options)
    # A cache that cannot be written costs time, no more.
    with contextlib.suppress(OSError):
        save_arrays(path, model_to_arrays(model))
    return model


def save_arrays(path, arrays):
    """Write an .npz under a temporary name, then rename it: whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@cache
def _sources_hash():
    """Hash of the code that a quantised model depends on."""
    digest = hashlib.sha256()
    files = sorted(Path(golden.__file__).parent.rglob("*.py"))
    files += [Path(module.__file__) for module in (images, calibration)]
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _model_key(options, range_method):
    digest = hashlib.sha256()
    digest.update(repr((SHA256, sorted(asdict(options).items()), range_method, _sources_hash(),
                        np.__version__)).encode())
    for photograph in calibration_photographs():
        digest.update(photograph.path.read_bytes())
    return digest.hexdigest()[:32]
