"""One input through the integer model: every tensor, and the logits."""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.networks.inputs import ModelInput
from mnv2.sim.networks.open import RunnableModel
from mnv2.sim.networks.ranking import RankedClass, rank
from mnv2.sim.pictures.class_names import ClassNames

__all__ = ["GoldenRun", "run_golden"]


@dataclass(frozen=True, eq=False)
class GoldenRun:
    """The result of the integer model on one input.

    Attributes
    ----------
    tensors : dict of str to array
        Every tensor, as `mnv2.golden.model.QuantizedModel.run` names them.
    logits : float64 [classes]
        Real logits, from the classifier's accumulators, which nothing has clipped.
    class_names : mnv2.sim.pictures.class_names.ClassNames or None
        Names of the classes; None for those that their number implies.
    """

    tensors: dict[str, np.ndarray]
    logits: np.ndarray
    class_names: ClassNames | None = None

    __repr__ = short_repr

    def top(self, count: int = 5) -> tuple[RankedClass, ...]:
        """The likeliest classes, likeliest first."""
        return rank(self.logits, count, self.class_names)


def run_golden(model: RunnableModel, given: ModelInput) -> GoldenRun:
    """Run the integer model, which the hardware must equal, on one input.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    given : mnv2.sim.networks.inputs.ModelInput

    Returns
    -------
    GoldenRun

    Examples
    --------
    >>> import mnv2
    >>> model = mnv2.open_model("small.tflite")
    >>> run = mnv2.run_golden(model, mnv2.load_input(model, "cat.png"))
    >>> run.tensors["block1.project"].dtype
    dtype('int8')
    >>> len(run.top(3))
    3
    """
    tensors = model.integer.run(given.integer)
    return GoldenRun(tensors, model.logits(tensors), model.class_names)
