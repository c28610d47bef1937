"""A graph that runs: operators in their order, every output kept."""

from dataclasses import dataclass

from golden.graph.records import Operator, Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """Operators on tensors, checked and ready to run.

    Parameters
    ----------
    tensors : tuple of Tensor
        In the order of their indices. The shapes of computed tensors become those that the
        operators give, as in LiteRT, whatever they were.
    operators : tuple of Operator
        In the order of execution.
    inputs, outputs : tuple of int
        Tensor indices, in the model's order.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def producer(self, index):
        """The operator whose output a tensor is, None for inputs and constants."""
        return next((op for op in self.operators if index in op.outputs), None)

    def consumers(self, index):
        """The operators that read a tensor, in order."""
        return tuple(op for op in self.operators if index in op.inputs)
