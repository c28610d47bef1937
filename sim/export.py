"""The integer network as a file for others: .tflite for LiteRT, .npz for numpy."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from golden.archive import model_to_arrays
from golden.exporters.tflite import export_model
from golden.quantize import QuantizationOptions
from sim.errors import UserError
from sim.explore.image_sets import choose_pictures, find_image_set
from sim.images import crop_to, load_image, normalize
from sim.models import RANGE_METHOD, quantize_on
from sim.report.provenance import find_commit, package_version

__all__ = ["CALIBRATION_LIMIT", "FORMATS", "calibrate_on", "encode_model"]

FORMATS = ("tflite", "npz")
#: Pictures of a set that are calibrated on, at most.
CALIBRATION_LIMIT = 64
#: Name of the metadata in a .tflite.
METADATA = "mnv2"


def calibrate_on(source, float_model, progress=None):
    """Quantise a float network with ranges from a set of the user's pictures.

    Parameters
    ----------
    source : str
        See `sim.explore.image_sets.find_image_set`; of more than `CALIBRATION_LIMIT` pictures, so
        many are drawn, always the same.
    float_model : golden.float_model.FloatModel
    progress : function of (done, total), optional

    Returns
    -------
    (golden.model.QuantizedModel, str)
        The model, and what it was calibrated on, in words.

    Raises
    ------
    UserError
        If there is no such set, or a picture cannot be read.
    """
    network = float_model.network
    image_set = find_image_set(source, network.classes)
    rows, columns, _ = network.input_shape
    inputs = [normalize(crop_to(load_image(picture.path), rows, columns),
                        float_model.input_normalization)
              for picture in choose_pictures(image_set, CALIBRATION_LIMIT, seed=1).pictures]
    return quantize_on(float_model, inputs, progress=progress), \
        f"{len(inputs)} {'picture' if len(inputs) == 1 else 'pictures'} of {Path(source).name}"


def encode_model(model, integer, calibrated_on, form):
    """An integer network as the bytes of a file, the same at each call.

    Parameters
    ----------
    model : sim.models.RunnableModel
        What it was made from.
    integer : golden.model.QuantizedModel
    calibrated_on : str or None
        See `calibrate_on`; None where the integers are the file's own.
    form : str
        One of `FORMATS`.

    Returns
    -------
    bytes

    Raises
    ------
    UserError
        If LiteRT has no such network, or a package is missing.
    """
    if form == "npz":
        archive = io.BytesIO()
        np.savez(archive, **model_to_arrays(integer))
        return archive.getvalue()
    name = Path(model.name).name
    rows, columns, _ = integer.network.input_shape
    maker = f"mnv2 {package_version('mnv2')}, commit {find_commit()[:12]}"
    description = f"{name}, {rows}x{columns}, {integer.network.classes} classes, int8"
    made = {"made_by": maker, "model": name}
    if calibrated_on is not None:
        description += f", calibrated on {calibrated_on}"
        made |= {"calibrated_on": calibrated_on, "range_method": RANGE_METHOD,
                 "options": asdict(QuantizationOptions()),
                 "input_normalization": asdict(model.float_model.input_normalization)}
    metadata = {METADATA: json.dumps(made, sort_keys=True).encode()}
    try:
        return export_model(integer, f"{description}; {maker}", metadata)
    except ValueError as error:
        raise UserError(f"The model {model.name} cannot be exported: {error}") from None
