"""LiteRT with its reference kernels, every tensor kept: the oracle of the integer layers."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def run_litert(content, inputs):
    """Run a .tflite given as bytes.

    Parameters
    ----------
    content : bytes
    inputs : sequence of int8 [H, W, C]
        In the model's order.

    Returns
    -------
    dict of str to array
        Every activation, [H, W, C], by tensor name.
    """
    interpreter = _invoke(content, [value[None] for value in inputs])
    tensors = {}
    for detail in interpreter.get_tensor_details():
        value = interpreter.get_tensor(detail["index"])
        if value.ndim == 4 and value.shape[0] == 1:
            tensors[detail["name"]] = value[0]
    return tensors


def run_litert_by_index(content, inputs):
    """Every tensor as LiteRT has it, by its index; inputs with all their axes."""
    interpreter = _invoke(content, inputs)
    return {
        detail["index"]: interpreter.get_tensor(detail["index"])
        for detail in interpreter.get_tensor_details()
    }


def _invoke(content, inputs):
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], np.ascontiguousarray(value))
    interpreter.invoke()
    return interpreter
