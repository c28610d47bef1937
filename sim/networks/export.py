"""The integer network as a file for other programs: .tflite for LiteRT, .npz for numpy."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mnv2.golden.archive import model_to_arrays
from mnv2.golden.exporters.tflite import export_model
from mnv2.golden.quantize import QuantizationOptions
from mnv2.sim.errors import UserError
from mnv2.sim.networks.carried_names import CLASSES, METADATA, RESIZE
from mnv2.sim.networks.open import RANGE_METHOD
from mnv2.sim.pictures.resizing import CROP
from mnv2.sim.report.provenance import find_commit, package_version

__all__ = ["FORMATS", "encode_model"]

FORMATS = ("tflite", "npz")


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
            "options": asdict(model.options or QuantizationOptions()),
            "input_normalization": asdict(model.float_model.input_normalization),
        }
    if model.given_names is not None:
        made[CLASSES] = {i: name for i, name in enumerate(model.given_names.names) if name}
    if model.resizing != CROP:
        made[RESIZE] = str(model.resizing)
    metadata = {METADATA: json.dumps(made, sort_keys=True).encode()}
    try:
        return export_model(integer, f"{description}; {maker}", metadata)
    except ValueError as error:
        raise UserError(f"The model {model.name} cannot be exported: {error}") from None
