"""An accuracy as it is asked for: the network, the pictures, how they are prepared."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mnv2.sim.jobs.campaign import CampaignRequest, absolute
from mnv2.sim.pictures.resizing import parse_resizing
from mnv2.sim.sweep.request import BUNDLED, absolute_set

__all__ = ["AccuracyRequest", "make_accuracy_request"]


@dataclass(frozen=True)
class AccuracyRequest(CampaignRequest):
    """A user's request for the accuracy of a network.

    Attributes
    ----------
    images : str
        ``"bundled"``, a folder or a list file: to evaluate on.
    model : str or None
        File of the network, float or integer; default the installed weights.
    calibration : str
        Pictures that a float network is calibrated on, to be quantised.
    limit : int or None
        Pictures to evaluate on at most, drawn at random.
    seed : int
        Seed of that draw, and of the pictures that are run in RTL.
    size : int or None
        Rows and columns of a float network's image, where the file does not say.
    normalization, resize, labels : str or None
        See `mnv2.sim.networks.inputs.load_input` and `mnv2.sim.networks.open.open_model`; None for
        what the network's file carries.
    weight_bits, activation_bits : int
        Bits that a float network is quantised to.
    multiplier_bits, rounding
        Arithmetic that it is quantised for, see `mnv2.golden.arithmetic.Arithmetic`.
    bias_correction : bool or None
    block_reconstruction : bool
        See `mnv2.sim.networks.open.open_model`.
    """

    kind: ClassVar[str] = "accuracy"
    code: ClassVar[tuple[str, ...]] = ("mnv2.sim.accuracy.judge",)

    images: str = BUNDLED
    model: str | None = None
    calibration: str = BUNDLED
    limit: int | None = None
    seed: int = 1
    size: int | None = None
    normalization: str | None = None
    resize: str | None = None
    labels: str | None = None
    weight_bits: int = 8
    activation_bits: int = 8
    multiplier_bits: int = 32
    rounding: str = "double"
    bias_correction: bool | None = None
    block_reconstruction: bool = False

    def __post_init__(self) -> None:
        if self.resize is not None:
            parse_resizing(self.resize)

    def stated(self, parameter: str) -> tuple[str, Any] | None:
        """See `CampaignRequest.stated`."""
        if parameter in {field.name for field in dataclasses.fields(self)}:
            return parameter, getattr(self, parameter)
        return None


def make_accuracy_request(
    *,
    images: str = BUNDLED,
    model: str | Path | None = None,
    calibration: str = BUNDLED,
    labels: str | Path | None = None,
    **others: Any,
) -> AccuracyRequest:
    """The request that options mean, with paths that mean the same in another folder.

    Parameters
    ----------
    images, model, calibration, labels, others
        See `AccuracyRequest`.

    Returns
    -------
    AccuracyRequest

    Raises
    ------
    UserError
        If there is no such way to resize.
    """
    return AccuracyRequest(
        images=absolute_set(images),
        model=absolute(model),
        calibration=absolute_set(calibration),
        labels=absolute(labels),
        **others,
    )
