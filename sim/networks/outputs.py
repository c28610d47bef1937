"""The output of a run as a dump: tensors under the model's own names, the host's included."""

import numpy as np

from mnv2.golden.graph.fully_connected import FullyConnected
from mnv2.sim.errors import UserError

__all__ = ["dump_tensors", "fully_connected_note"]


def dump_tensors(model, tensors):
    """Tensors of a run by the keys of a dump.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    tensors : dict of str to array
        Some or all of those that `QuantizedModel.run` names.

    Returns
    -------
    dict of str to array
        If the model came as a graph: ``t<tensor index>`` in the shapes of the graph, with those
        that the host computes from the logits, if these are there; else the tensors as they
        are. In the order of execution.

    Raises
    ------
    UserError
        If the host cannot compute on these logits.
    """
    if model.family is None:
        return dict(tensors)
    graph, found = model.family.graph, model.family.indexed(tensors)
    for operator in model.family.after:
        if operator.inputs[0] not in found:
            break
        try:
            found[operator.output] = graph.kernels[operator.index].run(found[operator.inputs[0]])
        except ValueError as error:
            raise UserError(
                f"The model {model.name} cannot be run on this input: {error}"
            ) from None
    return {f"t{index}": np.asarray(tensor) for index, tensor in found.items()}


def fully_connected_note(model, accumulators):
    """How the hardware's logits differ from LiteRT's, in one sentence, if they may.

    LiteRT's FULLY_CONNECTED scales in floating point, the hardware with a multiplier and a shift.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    accumulators : int32 array [classes]
        The classifier's.

    Returns
    -------
    str or None
        None unless the classifier is a FULLY_CONNECTED.
    """
    if model.family is None:
        return None
    graph = model.family.graph
    index = next(index for index, name in model.family.names.items() if name == "classifier")
    kernel = graph.kernels[graph.producer(index).index]
    if not isinstance(kernel, FullyConnected):
        return None
    ours, theirs = (
        kernel.requantize(accumulators.reshape(1, -1), form) for form in ("integer", "litert")
    )
    return (
        f"FULLY_CONNECTED: {np.count_nonzero(ours != theirs):,} of {ours.size:,} logits differ "
        "from LiteRT's, which scales them in floating point"
    )
