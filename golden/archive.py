"""The integer model as named arrays and back, for files that hold nothing else.

Every record goes into one JSON text, arrays next to it under `<layer>/<field>`; no pickles.
"""

import dataclasses
import json

import numpy as np

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.exact_mean import QuantizedExactMean
from mnv2.golden.model import QuantizedModel
from mnv2.golden.network import Block, Layer, Network
from mnv2.golden.quantized_block import QuantizedBlock
from mnv2.golden.quantized_layer import QuantizedAdd, QuantizedLayer, QuantizedMean

FORMAT = "mnv2 quantized model 2"
_ARRAYS = ("weights", "bias", "multiplier", "shift", "weight_scales")
_POOLS = {
    record.__name__: record for record in (QuantizedMean, QuantizedAveragePool, QuantizedExactMean)
}


def _layer_header(record):
    """A record's fields except its arrays."""
    fields = {
        field.name: getattr(record, field.name)
        for field in dataclasses.fields(record)
        if not isinstance(getattr(record, field.name), np.ndarray)
    }
    return {**fields, "arithmetic": dataclasses.asdict(record.arithmetic)}


def _with_arithmetic(fields):
    """The fields of `_layer_header` with the record that `arithmetic` describes."""
    return {**fields, "arithmetic": Arithmetic(**fields["arithmetic"])}


def _tuples(value):
    """JSON's lists as the tuples that records hold."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def model_to_arrays(model):
    """dict of str to array that `model_from_arrays` turns back into an equal QuantizedModel."""
    header = {
        "format": FORMAT,
        "network": dataclasses.asdict(model.network),
        "input": [model.input_scale, model.input_zero_point, model.input_bits],
        "notes": list(model.notes),
        "layers": {layer.name: _layer_header(layer) for layer in model.layers},
        "adds": {block.name: _layer_header(block.add) for block in model.blocks if block.add},
        "pool": [type(model.pool).__name__, _layer_header(model.pool)],
    }
    text = json.dumps(header).encode()
    arrays = {"header": np.frombuffer(text, np.uint8)}
    for layer in model.layers:
        arrays.update({f"{layer.name}/{field}": getattr(layer, field) for field in _ARRAYS})
    return arrays


def network_from_dict(record):
    """The Network that `dataclasses.asdict` was taken of."""
    record = _tuples(record)

    def layer(fields):
        return None if fields is None else Layer(**fields)

    blocks = tuple(
        Block(
            **{**block, **{part: layer(block[part]) for part in ("expand", "depthwise", "project")}}
        )
        for block in record["blocks"]
    )
    parts = {part: layer(record[part]) for part in ("stem", "head", "pool", "classifier")}
    return Network(**{**record, **parts, "blocks": blocks})


def model_from_arrays(arrays):
    """The QuantizedModel of `model_to_arrays`; ValueError if the arrays are not such."""
    try:
        header = _tuples(json.loads(bytes(arrays["header"])))
        if header["format"] != FORMAT:
            raise ValueError("format")
        network = network_from_dict(header["network"])
        layers = {
            name: QuantizedLayer(
                **_with_arithmetic(fields),
                **{field: arrays[f"{name}/{field}"] for field in _ARRAYS},
            )
            for name, fields in header["layers"].items()
        }
        blocks = []
        for block in network.blocks:
            add = header["adds"].get(block.name)
            blocks.append(
                QuantizedBlock(
                    block.name,
                    None if block.expand is None else layers[block.expand.name],
                    layers[block.depthwise.name],
                    layers[block.project.name],
                    QuantizedAdd(**_with_arithmetic(add)) if add else None,
                )
            )
        scale, zero_point, bits = header["input"]
        kind, fields = header["pool"]
        pool = _POOLS[kind](**_with_arithmetic(fields))
        return QuantizedModel(
            network,
            layers["stem"],
            tuple(blocks),
            None if network.head is None else layers["head"],
            pool,
            layers["classifier"],
            scale,
            zero_point,
            bits,
            tuple(str(note) for note in header.get("notes", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"The arrays must be those of a quantised model ({error})") from None
