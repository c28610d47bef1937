"""A graph that runs: operators in their order, every output kept."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from mnv2.golden.graph.constant import (
    MAXIMUM_PACKED,
    Constant,
    prepare_pack,
    prepare_shape,
    prepare_strided_slice,
)
from mnv2.golden.graph.convolution import prepare_convolution
from mnv2.golden.graph.derivation import MAXIMUM_AXES, MAXIMUM_ELEMENTS
from mnv2.golden.graph.elementwise import prepare_add, prepare_dequantize, prepare_quantize
from mnv2.golden.graph.fully_connected import FORMS, FullyConnected, prepare_fully_connected
from mnv2.golden.graph.layout import prepare_pad, prepare_reshape
from mnv2.golden.graph.logistic import prepare_logistic
from mnv2.golden.graph.pooling import prepare_average_pool, prepare_max_pool, prepare_mean
from mnv2.golden.graph.product import prepare_multiply
from mnv2.golden.graph.schema import Operator, Tensor
from mnv2.golden.graph.softmax import prepare_softmax
from mnv2.golden.summary import short_repr

#: Bounds on memory and time: elements of all outputs together, multiplications, operators.
MAXIMUM_TOTAL_ELEMENTS, MAXIMUM_WORK = 2**27, 2**34
MAXIMUM_OPERATORS = 2**13


class Kernel(Protocol):
    """An operator ready to run: a record of one of the modules of this package.

    ``work`` counts its multiplications, and whatever else takes as long.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def work(self) -> int: ...

    def run(self, *arrays: Any) -> np.ndarray: ...


@dataclass(frozen=True)
class _Kind:
    """How an operator is prepared, and its inputs: how many it must have and how many it may."""

    prepare: Callable[..., Kernel]
    required: int
    allowed: int


_KINDS = {
    "ADD": _Kind(prepare_add, 2, 2),
    "AVERAGE_POOL_2D": _Kind(prepare_average_pool, 1, 1),
    "CONV_2D": _Kind(prepare_convolution, 2, 3),
    "DEPTHWISE_CONV_2D": _Kind(prepare_convolution, 2, 3),
    "DEQUANTIZE": _Kind(prepare_dequantize, 1, 1),
    "FULLY_CONNECTED": _Kind(prepare_fully_connected, 2, 3),
    "LOGISTIC": _Kind(prepare_logistic, 1, 1),
    "MAX_POOL_2D": _Kind(prepare_max_pool, 1, 1),
    "MEAN": _Kind(prepare_mean, 2, 2),
    "MUL": _Kind(prepare_multiply, 2, 2),
    "PACK": _Kind(prepare_pack, 1, MAXIMUM_PACKED),
    "PAD": _Kind(prepare_pad, 2, 3),
    "PADV2": _Kind(prepare_pad, 2, 3),
    "QUANTIZE": _Kind(prepare_quantize, 1, 1),
    "RESHAPE": _Kind(prepare_reshape, 1, 2),
    "SHAPE": _Kind(prepare_shape, 1, 1),
    "SOFTMAX": _Kind(prepare_softmax, 1, 1),
    "STRIDED_SLICE": _Kind(prepare_strided_slice, 4, 4),
    "SUB": _Kind(prepare_add, 2, 2),
}
#: Operators that work on two tensors; the others on one.
_OF_TWO = ("ADD", "MUL", "SUB")


@dataclass(frozen=True, eq=False)
class Graph:
    """Operators on tensors, checked and ready to run.

    Whatever the arithmetic does not cover is refused here, so that `run` can fail only because of
    its inputs (or a SOFTMAX whose exponentials add up to 4096).

    Attributes
    ----------
    tensors : tuple of Tensor
        In the order of their indices. The shapes of computed tensors become those that the
        operators give, as in LiteRT, whatever they were.
    operators : tuple of Operator
        In the order of execution.
    inputs, outputs : tuple of int
        Tensor indices, in the model's order.
    kernels : tuple of Kernel
        Derived from the others: for each operator what LiteRT's Prepare derives (multipliers,
        clamps, paddings), made by the modules of this package.

    Raises
    ------
    ValueError
        With the operator, its number, and the tensor that is wrong.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kernels: tuple[Kernel, ...] = field(init=False)

    __repr__ = short_repr

    def __post_init__(self):
        tensors, kernels = list(self.tensors), []
        made = {tensor.index for tensor in tensors if tensor.data is not None}
        _check_interface(self, made)
        made.update(self.inputs)
        elements = sum(math.prod(tensors[index].shape) for index in self.inputs)
        work = 0
        for operator in self.operators:
            try:
                kernel = _prepare(operator, tensors, made)
                elements += math.prod(kernel.shape)
                work += kernel.work
                _check_size(tensors[operator.output].label, kernel.shape)
            except ValueError as error:
                raise ValueError(f"{_where(operator, tensors)}: {error}") from None
            if elements > MAXIMUM_TOTAL_ELEMENTS or work > MAXIMUM_WORK:
                raise ValueError(
                    f"A graph must take at most {MAXIMUM_TOTAL_ELEMENTS:,} elements "
                    f"and {MAXIMUM_WORK:,} multiplications, and exceeds them at "
                    f"{operator.label}"
                )
            known = kernel.value if isinstance(kernel, Constant) else None
            tensors[operator.output] = replace(
                tensors[operator.output], shape=kernel.shape, data=known
            )
            made.add(operator.output)
            kernels.append(kernel)
        for index in self.outputs:
            if index not in made:
                raise ValueError(f"The output {tensors[index].label} must be made by an operator")
        object.__setattr__(self, "tensors", tuple(tensors))
        object.__setattr__(self, "kernels", tuple(kernels))

    def producer(self, index):
        """The operator whose output a tensor is, None for inputs and constants."""
        return next((op for op in self.operators if index in op.outputs), None)

    def consumers(self, index):
        """The operators that read a tensor, in order."""
        return tuple(op for op in self.operators if index in op.inputs)

    def run_operator(self, operator, value):
        """The output of one operator for the output of the one before it; other inputs are known.

        Parameters
        ----------
        operator : Operator
        value : array
            Of the only input that is no constant.
        """
        constants = (self.tensors[index].data for index in _data_inputs(operator))
        arguments = [value if data is None else data for data in constants]
        return self.kernels[operator.index].run(*arguments)

    def run(self, inputs, fully_connected="litert", progress=None):
        """Every operator's output.

        Parameters
        ----------
        inputs : sequence of arrays
            In the model's order, of the shapes and types of the input tensors.
        fully_connected : "litert" or "integer"
            How FULLY_CONNECTED requantises: in floating point as LiteRT's reference kernel, or with
            an integer multiplier as hardware does. They differ in less than 0.1 % of outputs.
        progress : function of (done, total), optional
            Called after each operator.

        Returns
        -------
        dict of int to array
            By tensor index, in the order of the operators.
        """
        if fully_connected not in FORMS:
            raise ValueError(
                f"The form of FULLY_CONNECTED must be one of {', '.join(FORMS)}, "
                f"not {fully_connected!r}"
            )
        values = self._values(inputs)
        outputs = {}
        for done, (operator, kernel) in enumerate(
            zip(self.operators, self.kernels, strict=True), start=1
        ):
            form = (fully_connected,) if operator.kind == "FULLY_CONNECTED" else ()
            result = kernel.run(*(values[index] for index in _data_inputs(operator)), *form)
            outputs[operator.output] = values[operator.output] = result
            if progress is not None:
                progress(done, len(self.operators))
        return outputs

    def fully_connected_differences(self, inputs, outputs):
        """Elements in which the two forms of each FULLY_CONNECTED differ on the same input.

        Parameters
        ----------
        inputs : sequence of arrays
            As for `run`.
        outputs : dict of int to array
            What `run` gave for them.

        Returns
        -------
        dict of int to int
            Differing elements by the output's tensor index.
        """
        values, counts = {**self._values(inputs), **outputs}, {}
        for operator, kernel in zip(self.operators, self.kernels, strict=True):
            if isinstance(kernel, FullyConnected):
                acc = kernel.accumulate(values[operator.inputs[0]])
                forms = [kernel.requantize(acc, form) for form in FORMS]
                counts[operator.output] = int(np.count_nonzero(forms[0] != forms[1]))
        return counts

    def _values(self, inputs):
        """Constants and inputs by tensor index, the inputs checked."""
        if len(inputs) != len(self.inputs):
            raise ValueError(
                f"The model must be given {len(self.inputs)} inputs, not {len(inputs)}"
            )
        values = {tensor.index: tensor.data for tensor in self.tensors if tensor.data is not None}
        for index, array in zip(self.inputs, inputs, strict=True):
            tensor = self.tensors[index]
            if array.dtype != tensor.dtype or array.shape != tensor.shape:
                raise ValueError(
                    f"The input {tensor.label} must be {tensor.dtype} "
                    f"{list(tensor.shape)}, not {array.dtype} {list(array.shape)}"
                )
            values[index] = array
        return values


def _data_inputs(operator):
    """Indices of the inputs that are read when an operator runs; others are constants in it."""
    return operator.inputs[: 2 if operator.kind in _OF_TWO else 1]


def _check_size(what, shape):
    """Refuse a shape that is empty or too large; `what` begins the sentence."""
    if len(shape) > MAXIMUM_AXES or any(size < 1 for size in shape):
        raise ValueError(
            f"{what} must have at most {MAXIMUM_AXES} axes of positive sizes, "
            f"not the shape {list(shape)}"
        )
    if math.prod(shape) > MAXIMUM_ELEMENTS:
        raise ValueError(
            f"{what} must have at most {MAXIMUM_ELEMENTS:,} elements, not the shape {list(shape)}"
        )


def _check_interface(graph, constants):
    """Refuse inputs and outputs that are no tensors, or constants as inputs."""
    count = len(graph.tensors)
    if [tensor.index for tensor in graph.tensors] != list(range(count)):
        raise ValueError("Tensors must be in the order of their indices")
    if len(graph.operators) > MAXIMUM_OPERATORS:
        raise ValueError(
            f"A graph must have at most {MAXIMUM_OPERATORS:,} operators, "
            f"not {len(graph.operators):,}"
        )
    for what, indices in (("input", graph.inputs), ("output", graph.outputs)):
        for index in indices:
            if not 0 <= index < count:
                raise ValueError(
                    f"An {what} of the model must be one of its {count} tensors, not tensor {index}"
                )
    for index in graph.inputs:
        if index in constants or graph.inputs.count(index) > 1:
            raise ValueError(
                f"The input {graph.tensors[index].label} must not be a constant "
                "and must be listed only once"
            )
    for tensor in graph.tensors:
        for what, there in (
            ("input", tensor.index in graph.inputs),
            ("constant", tensor.data is not None and tensor.shape != (0,)),
        ):
            if there:
                _check_size(f"The {what} {tensor.label}", tensor.shape)


def _prepare(operator, tensors, made):
    """The kernel of an operator, its tensors checked for being there."""
    kind, count = _KINDS[operator.kind], len(tensors)
    if not kind.required <= len(operator.inputs) <= kind.allowed or len(operator.outputs) != 1:
        raise ValueError(
            f"It must have {kind.required} to {kind.allowed} inputs and 1 output, not "
            f"{len(operator.inputs)} and {len(operator.outputs)}"
        )
    arguments: list[Tensor | None] = []
    for position, index in enumerate(operator.inputs):
        if index == -1 and position >= kind.required:
            arguments.append(None)
            continue
        if not 0 <= index < count:
            raise ValueError(
                f"Its input {position} must be one of the {count} tensors, not tensor {index}"
            )
        if index not in made:
            raise ValueError(
                f"Its input {tensors[index].label} must be made by an operator "
                "before it, or be an input or a constant"
            )
        arguments.append(tensors[index])
    arguments += [None] * (kind.allowed - len(arguments))
    if not 0 <= operator.output < count:
        raise ValueError(
            f"Its output must be one of the {count} tensors, not tensor {operator.output}"
        )
    target = tensors[operator.output]
    if operator.output in made:
        raise ValueError(
            f"Its output {target.label} must not be an input, a constant or the "
            "output of another operator"
        )
    return kind.prepare(operator, *arguments, target)


def _where(operator, tensors):
    """How a message about an operator begins: its kind and number, and the tensor it makes."""
    label = f"Operator {operator.index} ({operator.kind})"
    if operator.outputs and 0 <= operator.output < len(tensors):
        label += f", output {tensors[operator.output].label}"
    return label
