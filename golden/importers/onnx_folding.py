"""Operators on constants alone, worked out while a graph is read; quantised ones keep their grid.

PyTorch's exporter leaves such operators where it is told not to optimise; quantisers leave their
own between weights and convolutions.

Ref: ONNX `docs/Operators.md`, opset 7 to 26; QONNX `docs/qonnx-custom-ops/intquant_op.md`.
"""

import math
from dataclasses import replace

import numpy as np

from mnv2.golden.importers.onnx_grid import BITS, ROUNDINGS, Grid, signed_ends

#: Numbers that Expand may make of one: a bias of zeros.
MAXIMUM_EXPANDED = 2**16
#: Domains and names of QONNX's quantiser.
QUANT_DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
QUANT_OPERATORS = ("Quant", "IntQuant")


def fold(graph, record):
    """Whether an operator became a constant of its graph.

    Parameters
    ----------
    graph : mnv2.golden.importers.onnx_graph.OnnxGraph
    record : mnv2.golden.importers.onnx_graph.Node
    """
    run = _FOLDERS.get(record.operator)
    if run is None or not record.inputs or len(record.outputs) != 1:
        return False
    return graph.is_constant(record.inputs[0]) and run(graph, record)


def _copy(graph, record):
    graph.copy_constant(record.outputs[0], record.inputs[0])
    return True


def _cast(graph, record):
    """Between floats, which are all float32 here."""
    return graph.constant(record.inputs[0]).dtype.kind == "f" and _copy(graph, record)


def _shape(graph, record):
    start, end = (record.attributes.get(x) for x in ("start", "end"))
    shape = graph.constant(record.inputs[0]).shape[start:end]
    graph.add_constant(record.outputs[0], np.array(shape, np.int64))
    return True


def _reshape(graph, record):
    if not _has_constant(graph, record, 1):
        return False
    value, shape = (graph.constant(name) for name in record.inputs[:2])
    if shape.ravel().tolist() != [-1]:
        return False
    graph.add_constant(record.outputs[0], value.reshape(-1))
    return True


def _expand(graph, record):
    if not _has_constant(graph, record, 1):
        return False
    value, shape = (graph.constant(name) for name in record.inputs[:2])
    if value.size > 1 and shape.ravel().tolist() != [1]:
        return False
    count = math.prod(int(n) for n in shape.ravel()[:8])
    if shape.ndim != 1 or shape.size > 8 or not 0 < count <= MAXIMUM_EXPANDED:
        raise ValueError(f"The operator {record} must make from 1 to {MAXIMUM_EXPANDED} numbers")
    # A copy of one number, or as it is.
    graph.add_constant(
        record.outputs[0],
        value if value.size > 1 else np.full([int(n) for n in shape], value.reshape(-1)[0]),
    )
    return True


def _transpose(graph, record):
    """Turn a matrix: exporters do so between the weights of a dense layer and its product."""
    value = graph.constant(record.inputs[0])
    if value.ndim != 2 or record.attributes.get("perm", [1, 0]) != [1, 0]:
        return False
    output = record.outputs[0]
    graph.add_constant(output, np.ascontiguousarray(value.T))
    grid = graph.grids.get(record.inputs[0])
    if grid is not None:
        graph.grids[output] = replace(
            grid,
            **{
                part: np.broadcast_to(getattr(grid, part), value.shape).T
                for part in ("scale", "zero_point")
            },
        )
    return True


def _quant(graph, record):
    value, grid = graph.constant(record.inputs[0]), quant_grid(graph, record)
    if value.dtype.kind != "f":
        raise ValueError(f"The operator {record} must quantise floats, not {value.dtype}")
    try:
        shape = np.broadcast_shapes(value.shape, grid.scale.shape, grid.zero_point.shape)
    except ValueError:
        shape = None
    if shape != value.shape:
        raise ValueError(
            f"The operator {record} must have a scale, or one for each index of an axis of "
            f"{value.shape}"
        )
    if not np.isfinite(value).all():
        raise ValueError(f"The operator {record} must quantise finite numbers")
    graph.add_constant(record.outputs[0], grid.reals(grid.integers(value)))
    graph.grids[record.outputs[0]] = grid
    return True


def _quantize(graph, record):
    """QuantizeLinear of constants."""
    value = graph.constant(record.inputs[0])
    grid = linear_grid(graph, record, value.shape)
    if value.dtype.kind != "f" or not np.isfinite(value).all():
        raise ValueError(f"The operator {record} must quantise finite floats")
    zero = (*record.inputs[1:], "")[1]
    kind = graph.constant(zero).dtype if zero else np.uint8
    graph.add_constant(record.outputs[0], grid.integers(value).astype(kind))
    return True


def _clip(graph, record):
    """Clip of integers, by which a quantiser of fewer than 8 bits narrows their range."""
    value = graph.constant(record.inputs[0])
    if value.dtype.kind not in "iu":
        return False
    limits = np.iinfo(value.dtype)
    low, high = clip_ends(graph, record, limits.min, limits.max)
    graph.add_constant(record.outputs[0], np.clip(value, low, high))
    graph.clipped[record.outputs[0]] = (low, high)
    return True


def _dequantize(graph, record):
    name = record.inputs[0]
    value = _whole(graph, name)
    grid = linear_grid(graph, record, value.shape, value.dtype)
    if name in graph.clipped:
        grid = narrowed(grid, *graph.clipped[name])
    output = record.outputs[0]
    graph.add_constant(output, dequantize(record, value, grid))
    graph.grids[output] = grid
    return True


_FOLDERS = {
    "Identity": _copy,
    "Cast": _cast,
    "CastLike": _copy,  # floats are float32 here anyway
    "Clip": _clip,
    "DequantizeLinear": _dequantize,
    "Expand": _expand,
    "Quant": _quant,
    "IntQuant": _quant,
    "QuantizeLinear": _quantize,
    "Reshape": _reshape,
    "Shape": _shape,
    "Transpose": _transpose,
}


def _has_constant(graph, record, index):
    return len(record.inputs) == 2 and graph.is_constant(record.inputs[index])


def clip_ends(graph, record, low, high):
    """(low, high) of a Clip of integers, within ends that they have anyway."""
    ends = []
    for index, default in ((1, low), (2, high)):
        name = (*record.inputs, "", "")[index]
        value = graph.constant(name) if name else np.array(default)
        if value.size != 1 or value.dtype.kind not in "iu":
            raise ValueError(f"The operator {record} must clip integers to integers")
        ends.append(int(value.reshape(-1)[0]))
    low, high = max(low, ends[0]), min(high, ends[1])
    if low >= high:
        raise ValueError(f"The operator {record} must leave more than one integer")
    return low, high


def narrowed(grid, low, high):
    """A grid with fewer integers, and the bits that hold them."""
    low, high = max(low, grid.low), min(high, grid.high)
    bits = max(2, (max(high, ~low) if grid.signed else high).bit_length() + grid.signed)
    return replace(grid, low=low, high=high, bits=bits)


def _whole(graph, name):
    """Array of a constant of integers."""
    value = graph.constant(name)
    if value.dtype.kind not in "iu":
        raise ValueError(f"The tensor {name[:80]} must hold integers, not {value.dtype}")
    return value


def _scales(graph, name):
    """float32 array of a constant of positive finite scales."""
    value = graph.constant(name)
    if value.dtype.kind != "f" or not (np.isfinite(value).all() and (value > 0).all()):
        raise ValueError(f"The scales {name[:80]} must be positive finite floats")
    if value.size == 0:
        raise ValueError(f"The scales {name[:80]} must not be empty")
    return value.astype(np.float32)


def quant_grid(graph, record):
    """The Grid of QONNX's Quant.

    Raises
    ------
    ValueError
        If its scale, zero point, bits or rounding are none that golden has.
    """
    if len(record.inputs) != 4:
        raise ValueError(f"The operator {record} must have a scale, a zero point and bits")
    scale = _scales(graph, record.inputs[1])
    zero, bits = (graph.constant(name) for name in record.inputs[2:])
    rounding = str(record.attributes.get("rounding_mode", "ROUND")).upper()
    if rounding not in ROUNDINGS:
        raise ValueError(
            f"The operator {record} must round by one of {', '.join(ROUNDINGS)}, "
            f"not {rounding[:40]}"
        )
    width = float(bits.reshape(-1)[0]) if bits.size == 1 else math.nan
    if width not in BITS:
        raise ValueError(
            f"The operator {record} must have one number of {BITS[0]} to {BITS[-1]} bits, not "
            f"{width if bits.size == 1 else bits.shape}"
        )
    signed, narrow = (bool(record.attributes.get(x, 1)) for x in ("signed", "narrow"))
    low, high = signed_ends(int(width), signed, narrow)
    zero = np.asarray(zero, np.float32)
    if not np.isfinite(zero).all() or (zero != np.rint(zero)).any() or not zero.size:
        raise ValueError(f"The zero points of {record} must be whole numbers")
    if (zero < low).any() or (zero > high).any():
        raise ValueError(f"The zero points of {record} must lie in {low}..{high}")
    return Grid(scale, zero, low, high, int(width), signed, rounding, adds_first=True)


def linear_grid(graph, record, shape, kind=None):
    """The Grid of QuantizeLinear or DequantizeLinear on a tensor of a shape.

    Parameters
    ----------
    shape : tuple of int
    kind : dtype, optional
        Of the integers, where there is no zero point; uint8 by default.
    """
    if len(record.inputs) < 2:
        raise ValueError(f"The operator {record} must have a scale")
    zero = (*record.inputs[1:], "")[1]
    points = graph.constant(zero) if zero else np.zeros((), kind or np.uint8)
    return _axis_grid(
        record, shape, _scales(graph, record.inputs[1]), points, record.attributes.get("axis", 1)
    )


def _axis_grid(record, shape, scale, points, axis):
    """A Grid of scales for a whole tensor, or one for each index of an axis."""
    if points.dtype.kind not in "iu" or points.dtype.itemsize > 4 or not points.size:
        raise ValueError(f"The zero points of {record} must be integers, not {points.dtype}")
    if scale.size > 1:
        if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
            axis = None
        if axis is None or scale.shape != (shape[axis],):
            raise ValueError(
                f"The operator {record} must have a scale, or one for each index of an axis"
            )
        spread = [1] * len(shape)
        spread[axis] = -1
        scale = scale.reshape(spread)
        points = points.reshape(spread) if points.size == scale.size else points
    if points.size not in (1, scale.size):
        raise ValueError(f"The operator {record} must have as many zero points as scales")
    if points.size == 1:
        points = points.reshape(())
    if scale.size == 1:
        scale = scale.reshape(())
    limits = np.iinfo(points.dtype)
    signed = points.dtype.kind == "i"
    return Grid(
        scale,
        points.astype(np.float32),
        int(limits.min),
        int(limits.max),
        limits.bits,
        signed,
    )


def dequantized(graph, record, name, scale, zero="", axis=0):
    """float32 array of a constant's integers, of all alike or by an axis.

    Parameters
    ----------
    record : Node
        That works on them, for messages.
    name, scale, zero : str
        Of constants; a zero point may be left out.
    axis : int

    Raises
    ------
    ValueError
        If their types or shapes do not go together.
    """
    value = _whole(graph, name)
    points = graph.constant(zero) if zero else np.zeros((), value.dtype)
    grid = _axis_grid(record, value.shape, _scales(graph, scale), points, axis)
    return dequantize(record, value, grid)


def dequantize(record, value, grid):
    """float32 array of integers on a grid: (value - zero point) * scale, in float64.

    Raises
    ------
    ValueError
        If their shapes do not go together.
    """
    real = (value.astype(np.float64) - grid.zero_point.astype(np.float64)) * grid.scale.astype(
        np.float64
    )
    if real.shape != value.shape:
        raise ValueError(f"The operator {record} must have as many zero points as scales")
    with np.errstate(over="ignore"):  # infinities are refused by name, later
        return real.astype(np.float32)
