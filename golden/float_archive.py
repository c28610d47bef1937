"""A float model as named arrays and back, for `.npz` files and for other processes."""

import dataclasses
import json

import numpy as np

from mnv2.golden.archive import network_from_dict
from mnv2.golden.float_model import BatchNormalization, FloatLayer, FloatModel, InputNormalization

FORMAT = "mnv2 float model 1"
_VECTORS = ("scale", "offset", "mean", "variance")


def float_model_to_arrays(model):
    """dict of str to array that `float_model_from_arrays` turns back into an equal FloatModel."""
    header = {
        "format": FORMAT,
        "network": dataclasses.asdict(model.network),
        "input_normalization": dataclasses.asdict(model.input_normalization),
        "notes": list(model.notes),
        "epsilons": {
            name: None if x.normalization is None else float(x.normalization.epsilon)
            for name, x in model.layers.items()
        },
    }
    arrays = {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    for name, record in model.layers.items():
        arrays[f"{name}/weights"] = record.weights
        if record.bias is not None:
            arrays[f"{name}/bias"] = record.bias
        if record.normalization is not None:
            arrays |= {f"{name}/{x}": getattr(record.normalization, x) for x in _VECTORS}
    return arrays


def float_model_from_arrays(arrays):
    """The FloatModel of `float_model_to_arrays`; ValueError if the arrays are not such."""
    try:
        header = json.loads(bytes(arrays["header"]))
        if header["format"] != FORMAT:
            raise ValueError("format")
        network = network_from_dict(header["network"])
        by_name = {layer.name: layer for layer in network.layers}
        layers = {}
        for name, epsilon in header["epsilons"].items():
            norm = None
            if epsilon is not None:
                vectors = {x: arrays[f"{name}/{x}"] for x in _VECTORS}
                norm = BatchNormalization(**vectors, epsilon=epsilon)
            layers[name] = FloatLayer(
                by_name[name], arrays[f"{name}/weights"], arrays.get(f"{name}/bias"), norm
            )
        normalization = InputNormalization(
            **{part: tuple(values) for part, values in header["input_normalization"].items()}
        )
        notes = tuple(str(note) for note in header.get("notes", ()))
        return FloatModel(network, layers, normalization, notes)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"The arrays must be those of a float model ({error})") from None
