"""A graph of operators as a network of the MobileNetV2 family, if it is one.

The accelerator runs the path from the int8 image to the logits: a 3x3 stem, bottlenecks, a 1x1
head, the global average and a classifier; or MobileNetV1's, pairs of a depthwise and a pointwise
convolution without a head. QUANTIZE and what normalises the image (MUL, ADD, SUB of a constant)
before it, and SOFTMAX, LOGISTIC, DEQUANTIZE and RESHAPE after it run on the host; so do further
dense layers, where the first is a hidden one. Every integer is the graph's own.
"""

from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.graph.constant import FOLDED
from mnv2.golden.graph.graph import Graph
from mnv2.golden.graph.operator_record import convolution, pad_amounts, pool, refuse, residual
from mnv2.golden.graph.schema import Operator
from mnv2.golden.mobilenet_v1 import V1_WIDTHS, mobilenet_v1
from mnv2.golden.model import QuantizedModel
from mnv2.golden.network import (
    PADDINGS,
    WIDTH_MULTIPLIERS,
    Block,
    Layer,
    Network,
    mobilenet_v2,
    stride_padding,
)
from mnv2.golden.quantized_block import QuantizedBlock
from mnv2.golden.summary import short_repr

HOST_BEFORE = ("QUANTIZE", "RESHAPE", "MUL", "ADD", "SUB")
HOST_AFTER = ("RESHAPE", "SOFTMAX", "LOGISTIC", "DEQUANTIZE", "QUANTIZE", "FULLY_CONNECTED")
POOLS = ("MEAN", "AVERAGE_POOL_2D")


@dataclass(frozen=True, eq=False)
class FamilyNetwork:
    """A graph of the family, and the part of it that the integer model computes.

    Attributes
    ----------
    model : mnv2.golden.model.QuantizedModel
        FULLY_CONNECTED in its integer form.
    graph : mnv2.golden.graph.graph.Graph
    names : dict of int to str
        Tensor index to the name that `QuantizedModel.run` has for it, in the order of execution; a
        RESHAPE's output has the name of its input.
    before, after : tuple of mnv2.golden.graph.schema.Operator
        Operators that the host runs on the graph's input, and on the logits.
    """

    model: QuantizedModel
    graph: Graph
    names: dict[int, str]
    before: tuple[Operator, ...]
    after: tuple[Operator, ...]

    __repr__ = short_repr

    @property
    def host_layers(self):
        """The dense layers that the host runs after the network's own, which then is hidden."""
        return tuple(op for op in self.after if op.kind == "FULLY_CONNECTED")

    @property
    def classes(self):
        """Number of the logits, int."""
        if not self.host_layers:
            return self.model.network.classes
        return self.graph.tensors[self.host_layers[-1].output].shape[-1]

    def logits(self, tensors):
        """Real logits float64 [classes] of a run.

        Parameters
        ----------
        tensors : dict of str to array
            `classifier` and `logits_accumulator` as `QuantizedModel.run` gives them. Without
            `host_layers` the logits are those of the accumulators, which nothing has clipped; with
            them, the steps of the last of these layers, as LiteRT computes them.
        """
        if not self.host_layers:
            return self.model.logits(tensors)
        last = self.host_layers[-1]
        index = next(index for index, name in self.names.items() if name == "classifier")
        value = np.asarray(tensors["classifier"]).reshape(self.graph.tensors[index].shape)
        for operator in self.after[: self.after.index(last) + 1]:
            value = self.graph.run_operator(operator, value)
        target = self.graph.tensors[last.output]
        return (value.ravel().astype(np.float64) - target.zero_point) * target.scale

    def indexed(self, tensors):
        """Tensors of `QuantizedModel.run` as the graph has them.

        Parameters
        ----------
        tensors : dict of str to array
            Some or all of them.

        Returns
        -------
        dict of int to int8 array
            In the order of execution, each in the shape that the graph gives it.
        """
        return {
            index: np.asarray(tensors[name]).reshape(self.graph.tensors[index].shape)
            for index, name in self.names.items()
            if name in tensors
        }


def lower_family(graph):
    """The network of a graph.

    Parameters
    ----------
    graph : mnv2.golden.graph.graph.Graph

    Returns
    -------
    FamilyNetwork

    Raises
    ------
    ValueError
        Naming the first operator that does not fit, and what was expected in its place.
    """
    path = _Path(graph)
    before = path.take_host_input()
    input_name = path.index
    stem_layer, stem = path.take_convolution("stem", "stem")
    blocks: list[Block] = []
    quantized: list[QuantizedBlock] = []
    while not path.at_head(len(blocks)):
        block, record = path.take_block(len(blocks) + 1)
        blocks.append(block)
        quantized.append(record)
    head_layer = head = None
    if not path.at_pool():
        head_layer, head = path.take_convolution("head", "head")
    average = path.take_pool()
    rows, columns, channels = shape = (head_layer or blocks[-1]).output_shape
    pool_layer = Layer(
        "pool",
        "pool",
        0,
        shape,
        (1, 1, channels),
        (rows, columns),
        1,
        ((0, 0), (0, 0)),
    )
    classifier_layer, classifier = path.take_convolution("classifier", "classifier")
    after = path.take_host_output()
    path.check_complete()
    network = _recognize(
        Network(
            None,
            stem_layer.input_shape,
            classifier_layer.output_channels,
            "pytorch",
            stem_layer,
            tuple(blocks),
            head_layer,
            pool_layer,
            classifier_layer,
        )
    )
    source = graph.tensors[input_name]
    model = QuantizedModel(
        network, stem, tuple(quantized), head, average, classifier, source.scale, source.zero_point
    )
    return FamilyNetwork(model, graph, path.names, before, after)


def _recognize(network):
    """The network with its padding by name, and its width multiplier if it is the paper's."""
    windows = [layer for layer in network.layers if layer.kernel_size == (3, 3)]
    for padding in PADDINGS:
        if all(
            layer.padding
            == tuple(stride_padding(size, layer.stride, padding) for size in layer.input_shape[:2])
            for layer in windows
        ):
            network = replace(network, padding=padding)
            break
    else:
        network = replace(network, padding="mixed")
    shapes = [layer.output_shape for layer in network.layers]
    make = mobilenet_v1 if network.separable else mobilenet_v2
    for width in V1_WIDTHS if network.separable else WIDTH_MULTIPLIERS:
        paper = make(width, network.input_shape[:2], network.classes)
        if [layer.output_shape for layer in paper.layers] == shapes:
            return replace(network, width=width)
    return network


class _Path:
    """The way through a graph, taken operator by operator.

    Attributes
    ----------
    index : int
        The tensor that was reached.
    names : dict of int to str
        See `FamilyNetwork`.
    """

    def __init__(self, graph):
        self._graph = graph
        self._taken = set()
        self.names = {}
        if len(graph.inputs) != 1:
            raise ValueError(
                f"A network of the MobileNetV2 family must have one input, not {len(graph.inputs)}"
            )
        self.index = graph.inputs[0]

    def _consumers(self, index):
        """Operators that read a tensor; not those that only look at its shape."""
        return tuple(op for op in self._graph.consumers(index) if op.kind not in FOLDED)

    def _readers(self, expected):
        """Operators that read the tensor; ValueError if there are none."""
        readers = self._consumers(self.index)
        if not readers:
            raise ValueError(
                f"The graph ends at {self._graph.tensors[self.index].label}, which "
                f"does not fit a network of the MobileNetV2 family: expected "
                f"{expected}"
            )
        return readers

    def _next(self, expected, apart=()):
        """The one operator that reads the tensor, others than those ``apart`` not counted.

        A RESHAPE that moves nothing is skipped.
        """
        while True:
            readers = [op for op in self._readers(expected) if op not in apart]
            if not readers:
                raise refuse(apart[0], expected)
            if len(readers) > 1:
                raise refuse(
                    readers[1],
                    f"{self._graph.tensors[self.index].label} to be read by "
                    f"the {readers[0].label} alone",
                )
            (operator,) = readers
            if operator.kind != "RESHAPE" or not self._moves_nothing(operator):
                return operator
            self._take(operator, self.names.get(self.index))

    def _moves_nothing(self, operator):
        """Whether a RESHAPE keeps a map's axes; a single pixel may have its channels alone."""
        source, target = (
            self._graph.tensors[index].shape for index in (operator.input(0), operator.output)
        )
        without_ones = [tuple(size for size in shape if size != 1) for shape in (source, target)]
        return source == target or (
            len(without_ones[0]) <= 1 and without_ones[0] == without_ones[1]
        )

    def _take(self, operator, name):
        self._taken.add(operator.index)
        self.index = operator.output
        if name is not None:
            self.names[self.index] = name

    def take_host_input(self):
        """Operators between the graph's input and the int8 image."""
        before = []
        while (
            self._graph.tensors[self.index].dtype != "int8"
            or self._readers("a stem")[0].kind in HOST_BEFORE
        ):
            operator = self._next("QUANTIZE to int8 before the stem")
            if operator.kind not in HOST_BEFORE:
                raise refuse(operator, "QUANTIZE to int8 before the stem")
            before.append(operator)
            self._take(operator, None)
        self.names[self.index] = "input"
        return tuple(before)

    def take_host_output(self):
        """Operators between the logits and the graph's outputs."""
        after = []
        while self._consumers(self.index):
            operators = self._consumers(self.index)
            for operator in operators[1:] or operators:
                if len(operators) > 1 or operator.kind not in HOST_AFTER:
                    raise refuse(
                        operator,
                        f"nothing after the classifier but one of {', '.join(HOST_AFTER)}",
                    )
            after.append(operators[0])
            self._take(operators[0], None)
        return tuple(after)

    def check_complete(self):
        """ValueError if an operator is not on the path."""
        for operator in self._graph.operators:
            if operator.index not in self._taken and operator.kind not in FOLDED:
                raise refuse(operator, "nothing apart from the path from the image to the logits")

    def take_convolution(self, name, kind, block=0, apart=()):
        """The next convolution as (Layer, QuantizedLayer); a PAD before a 3x3 one is part of it."""
        kinds = {
            "depthwise": ("DEPTHWISE_CONV_2D",),
            "classifier": ("FULLY_CONNECTED", "CONV_2D"),
        }.get(kind, ("CONV_2D",))
        expected = f"{' or '.join(kinds)} as {name}"
        operator, padded = self._next(expected, apart), None
        if operator.kind in ("PAD", "PADV2") and kind in ("stem", "depthwise"):
            padded = self.index, pad_amounts(self._graph, operator)
            self._take(operator, None)
            operator = self._next(f"{expected} after its PAD")
        if operator.kind not in kinds:
            raise refuse(operator, expected)
        made = convolution(self._graph, operator, name, kind, block, padded)
        self._take(operator, name)
        return made

    def at_head(self, blocks):
        """Whether the head, a convolution that is averaged, is next after a number of blocks.

        Or the average itself.
        """
        operator = self._next_of_block("a bottleneck or the head")
        if operator.kind in POOLS:
            if not blocks:
                raise refuse(operator, "a bottleneck between the stem and the average")
            return True
        readers = self._consumers(operator.output)
        found = operator.kind == "CONV_2D" and any(reader.kind in POOLS for reader in readers)
        if found and not blocks:
            raise refuse(operator, "a bottleneck between the stem and the head")
        return found

    def at_pool(self):
        """Whether the average is next, without a head."""
        return self._next_of_block("a head or the average").kind in POOLS

    def _shortcuts(self):
        """ADDs that read the tensor: residuals of the block that begins here."""
        return tuple(op for op in self._consumers(self.index) if op.kind == "ADD")

    def _next_of_block(self, expected):
        return self._next(expected, self._shortcuts())

    def take_block(self, number):
        """The next bottleneck as (Block, QuantizedBlock)."""
        name, shortcut, adds = f"block{number}", self.index, self._shortcuts()
        first = self._next_of_block(f"CONV_2D or DEPTHWISE_CONV_2D of {name}, or the head")
        expand = quantized_expand = None
        if first.kind == "CONV_2D":
            expand, quantized_expand = self.take_convolution(
                f"{name}.expand", "expand", number, adds
            )
            adds_after = ()
        else:
            adds_after = adds
        depthwise, quantized_depthwise = self.take_convolution(
            f"{name}.depthwise", "depthwise", number, adds_after
        )
        project, quantized_project = self.take_convolution(f"{name}.project", "project", number)
        add = None
        if adds:
            end = self.index
            if len(adds) > 1 or adds[0] not in self._consumers(end):
                raise refuse(adds[-1], f"the input and the project output of {name} as inputs")
            operator = self._next(f"the {adds[0].label} of {name}")
            add = residual(self._graph, operator, f"{name}.add", shortcut, end)
            self._take(operator, add.name)
            project = replace(project, residual=True)
        inputs = depthwise.input_channels if expand is None else expand.input_channels
        expansion = depthwise.output_channels / inputs
        block = Block(
            name,
            number,
            int(expansion) if expansion.is_integer() else expansion,
            expand,
            depthwise,
            project,
        )
        return block, QuantizedBlock(
            name, quantized_expand, quantized_depthwise, quantized_project, add
        )

    def take_pool(self):
        """The average over the map."""
        operator = self._next("MEAN or AVERAGE_POOL_2D after the head")
        if operator.kind not in POOLS:
            raise refuse(operator, "MEAN or AVERAGE_POOL_2D after the head")
        made = pool(self._graph, operator)
        self._take(operator, "pool")
        return made
