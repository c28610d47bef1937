"""Whether a .tflite file holds floats, and of which kind; `tflite_layers` reads it."""

#: Operators with weights; the first of them tells.
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
INSTEAD = (
    "mnv2 run, classify and others quantise it; for its operators one by one convert what it was "
    "made from with full integer quantisation: optimizations, a representative_dataset, and "
    "target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]"
)


def describe_floats(schema, subgraph, kind_of):
    """The kind of float model that a subgraph is, None if it is one in integers.

    Parameters
    ----------
    schema : module
        The package `tflite`.
    subgraph : schema.SubGraph
    kind_of : function of (schema.Operator)
        The name of an operator's kind.

    Returns
    -------
    str or None
        Raises what the schema's readers raise on a damaged file.
    """
    halves = set()  # what DEQUANTIZE makes of constants in float16
    types = schema.TensorType
    for index in range(subgraph.OperatorsLength()):
        operator = subgraph.Operators(index)
        if not operator.InputsLength() or not operator.OutputsLength():
            continue
        kind, output = kind_of(operator), operator.Outputs(0)
        if kind == "DEQUANTIZE":
            if subgraph.Tensors(operator.Inputs(0)).Type() == types.FLOAT16:
                halves.add(output)
        elif kind in _WEIGHTED and operator.InputsLength() > 1:
            if subgraph.Tensors(output).Type() != types.FLOAT32:
                return None
            weights = operator.Inputs(1)
            stored = subgraph.Tensors(weights).Type()
            if stored in (types.INT8, types.UINT8):
                return "dynamic range: weights in int8, activations in float"
            return "weights in float16" if weights in halves else "float32"
    return None
