"""Options of a .tflite file's operators, from the tables of the generated schema.

Ref: LiteRT `tflite/schema/schema.fbs`; `tflite/core/api/flatbuffer_conversions.cc` for what an
operator without options runs with.
"""

from mnv2.golden.graph.derivation import MAXIMUM_AXES
from mnv2.golden.graph.schema import (
    ACTIVATIONS,
    OPERATOR_OPTIONS,
    PADDINGS,
    AddOptions,
    ConvolutionOptions,
    FullyConnectedOptions,
    MeanOptions,
    PackOptions,
    PoolOptions,
    ReshapeOptions,
    SliceOptions,
    SoftmaxOptions,
)

#: Operators that LiteRT cannot run without options; others take the schema's defaults.
NEEDS_OPTIONS = ("AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "SOFTMAX")


def read_options(schema, kind, operator):
    """The options record of an operator.

    Parameters
    ----------
    schema : module
        The package `tflite`.
    kind : str
        A name of OPERATOR_OPTIONS.
    operator : schema.Operator

    Returns
    -------
    record or None
        Of the class that OPERATOR_OPTIONS names.

    Raises
    ------
    ValueError
        If they are missing where they are needed, of another kind, or not to be run.
    """
    record = OPERATOR_OPTIONS[kind]
    if record is None:
        return None
    name, read = _READERS[kind]
    found, union = operator.BuiltinOptionsType(), operator.BuiltinOptions()
    if found == schema.BuiltinOptions.NONE or union is None:
        if kind in NEEDS_OPTIONS:
            raise ValueError("Its options are missing")
        return record()
    if found != getattr(schema.BuiltinOptions, name):
        raise ValueError(f"Its options must be {name}, not of the schema's number {found}")
    table = getattr(schema, name)()
    table.Init(union.Bytes, union.Pos)
    return read(table)


def _named(number, names, what):
    """The name of an enumerator."""
    if not 0 <= number < len(names):
        raise ValueError(
            f"Its {what} must be one of {', '.join(names)}, not number {number} of the schema"
        )
    return names[number]


def _activation(table):
    return _named(table.FusedActivationFunction(), ACTIVATIONS, "activation")


def _convolution(table, depth_multiplier=1):
    return ConvolutionOptions(
        _named(table.Padding(), PADDINGS, "padding"),
        (table.StrideH(), table.StrideW()),
        (table.DilationHFactor(), table.DilationWFactor()),
        _activation(table),
        depth_multiplier,
    )


def _depthwise(table):
    return _convolution(table, table.DepthMultiplier())


def _pool(table):
    return PoolOptions(
        _named(table.Padding(), PADDINGS, "padding"),
        (table.StrideH(), table.StrideW()),
        (table.FilterHeight(), table.FilterWidth()),
        _activation(table),
    )


def _fully_connected(table):
    if table.WeightsFormat() != 0:
        raise ValueError(
            "Its weights must be in the default format, not in number "
            f"{table.WeightsFormat()} of the schema"
        )
    return FullyConnectedOptions(_activation(table), bool(table.KeepNumDims()))


def _add(table):
    return AddOptions(_activation(table))


def _mean(table):
    return MeanOptions(bool(table.KeepDims()))


def _pack(table):
    return PackOptions(table.Axis())


def _slice(table):
    others = (table.EllipsisMask(), table.NewAxisMask(), getattr(table, "Offset", bool)())
    return SliceOptions(table.BeginMask(), table.EndMask(), table.ShrinkAxisMask(), any(others))


def _reshape(table):
    count = table.NewShapeLength()
    if count > MAXIMUM_AXES:
        raise ValueError(f"Its new shape must have at most {MAXIMUM_AXES} sizes, not {count:,}")
    return ReshapeOptions(tuple(table.NewShape(place) for place in range(count)))


def _softmax(table):
    return SoftmaxOptions(table.Beta())


#: The schema's table of options for each kind that has options here, and its reader.
_READERS = {
    "ADD": ("AddOptions", _add),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _pool),
    "CONV_2D": ("Conv2DOptions", _convolution),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _depthwise),
    "FULLY_CONNECTED": ("FullyConnectedOptions", _fully_connected),
    "MAX_POOL_2D": ("Pool2DOptions", _pool),
    "MEAN": ("ReducerOptions", _mean),
    "MUL": ("MulOptions", _add),
    "PACK": ("PackOptions", _pack),
    "RESHAPE": ("ReshapeOptions", _reshape),
    "SOFTMAX": ("SoftmaxOptions", _softmax),
    "STRIDED_SLICE": ("StridedSliceOptions", _slice),
    "SUB": ("SubOptions", _add),
}
