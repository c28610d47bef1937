"""The integer network as a file for other programs: .tflite for LiteRT, .npz for numpy."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mnv2.golden.archive import model_to_arrays
from mnv2.golden.exporters.tflite import export_model
from mnv2.golden.float_model import FloatModel
from mnv2.golden.quantize import QuantizationOptions
from mnv2.sim.errors import UserError
from mnv2.sim.networks.files import read_model_file
from mnv2.sim.networks.open import (
    BUNDLED_NAME,
    RANGE_METHOD,
    RunnableModel,
    load_float_model,
    quantize_on,
)
from mnv2.sim.pictures.image_sets import choose_pictures, find_image_set
from mnv2.sim.pictures.images import crop_to, load_image, normalize
from mnv2.sim.report.provenance import find_commit, package_version

__all__ = ["CALIBRATION_LIMIT", "FORMATS", "encode_model", "open_calibrated"]

FORMATS = ("tflite", "npz")
#: Pictures of a set that are calibrated on, at most.
CALIBRATION_LIMIT = 64
#: Name of the metadata in a .tflite.
METADATA = "mnv2"


def open_calibrated(path, source, input_size=None, progress=None):
    """Open a network and calibrate it on a set of the user's pictures.

    Parameters
    ----------
    path : path or None
        Of a float model; None for the bundled one.
    source : str
        See `mnv2.sim.pictures.image_sets.find_image_set`; of more than `CALIBRATION_LIMIT`
        pictures, that many are drawn at random, always the same.
    input_size : int, optional
        See `mnv2.sim.networks.open.open_model`.
    progress : function of (done, total), optional

    Returns
    -------
    mnv2.sim.networks.open.RunnableModel

    Raises
    ------
    UserError
        If the model is in integers, there is no such set, or a picture cannot be read.
    """
    float_model = load_float_model() if path is None else read_model_file(path, input_size)
    if not isinstance(float_model, FloatModel):
        raise UserError(
            f"The model {path} is in integers: there is nothing to calibrate on {source}"
        )
    network = float_model.network
    image_set = find_image_set(source, network.classes)
    rows, columns, _ = network.input_shape
    inputs = [
        normalize(crop_to(load_image(picture.path), rows, columns), float_model.input_normalization)
        for picture in choose_pictures(image_set, CALIBRATION_LIMIT, seed=1).pictures
    ]
    integer = quantize_on(float_model, inputs, progress=progress)
    words = f"{len(inputs)} {'picture' if len(inputs) == 1 else 'pictures'} of {Path(source).name}"
    name = BUNDLED_NAME if path is None else str(path)
    return RunnableModel(name, integer, float_model, calibrated_on=words)


def encode_model(model, form):
    """An integer network as the bytes of a file, the same at each call.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    form : str
        One of `FORMATS`.

    Returns
    -------
    bytes

    Raises
    ------
    UserError
        If there is no such format, LiteRT has no such network, or a package is missing.

    Examples
    --------
    >>> import mnv2
    >>> content = mnv2.encode_model(mnv2.open_model("small.tflite"), "npz")
    >>> content[:2]
    b'PK'
    """
    if form not in FORMATS:
        raise UserError(f"The format must be one of {', '.join(FORMATS)}, not {form!r}")
    integer = model.integer
    if form == "npz":
        archive = io.BytesIO()
        np.savez(archive, **model_to_arrays(integer))
        return archive.getvalue()
    name = Path(model.name).name
    rows, columns, _ = integer.network.input_shape
    maker = f"mnv2 {package_version('mnv2')}, commit {find_commit()[:12]}"
    description = f"{name}, {rows}x{columns}, {integer.network.classes} classes, int8"
    made: dict[str, Any] = {"made_by": maker, "model": name}
    if model.float_model is not None and model.calibrated_on is not None:
        description += f", calibrated on {model.calibrated_on}"
        made |= {
            "calibrated_on": model.calibrated_on,
            "range_method": RANGE_METHOD,
            "options": asdict(QuantizationOptions()),
            "input_normalization": asdict(model.float_model.input_normalization),
        }
    metadata = {METADATA: json.dumps(made, sort_keys=True).encode()}
    try:
        return export_model(integer, f"{description}; {maker}", metadata)
    except ValueError as error:
        raise UserError(f"The model {model.name} cannot be exported: {error}") from None
