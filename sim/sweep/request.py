"""A sweep as it is asked for: lists of formats, pictures, the network."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mnv2.golden.float_model import FloatModel
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.campaign import CampaignRequest, absolute
from mnv2.sim.networks.files import read_model_file
from mnv2.sim.networks.open import load_float_model
from mnv2.sim.pictures.normalization import NORMALIZATIONS
from mnv2.sim.pictures.resizing import parse_resizing
from mnv2.sim.sweep.grid import AXES_BY_FIELD, DEFAULT_GRIDS, Grid, Point, expand_grids, parse_list

__all__ = ["SweepRequest", "absolute_set", "load_network", "make_request", "points_of"]

BUNDLED = "bundled"


@dataclass(frozen=True)
class SweepRequest(CampaignRequest):
    """A user's request for a sweep.

    Attributes
    ----------
    grids : tuple of dict of str to tuple
        See `mnv2.sim.sweep.grid.expand_grids`.
    images, calibration : str
        ``"bundled"``, a folder or a list file: to evaluate on, and to calibrate on.
    limit : int or None
        Pictures to evaluate on at most, drawn at random.
    seed : int
        Seed of that draw.
    model : str or None
        File of the float network; default the installed weights.
    size : int or None
        Rows and columns of its image, where the file does not say.
    normalization : str or None
        A name of `mnv2.sim.pictures.normalization.NORMALIZATIONS`, if not what the network carries.
    resize : str
        How pictures are resized, see `mnv2.sim.pictures.resizing.parse_resizing`.
    labels : str or None
        File of the names of classes, see `mnv2.sim.pictures.label_file.read_class_names`.
    """

    kind: ClassVar[str] = "sweep"
    code: ClassVar[tuple[str, ...]] = ("mnv2.sim.sweep.sweep",)

    grids: tuple[Grid, ...]
    images: str = BUNDLED
    calibration: str = BUNDLED
    limit: int | None = None
    seed: int = 1
    model: str | None = None
    size: int | None = None
    normalization: str | None = None
    resize: str = "crop"
    labels: str | None = None

    def __post_init__(self) -> None:
        # Refuses values that no axis has, and no such resizing.
        points_of(self)
        parse_resizing(self.resize)

    def stated(self, parameter: str) -> tuple[str, Any] | None:
        """See `CampaignRequest.stated`."""
        if parameter in AXES_BY_FIELD:
            # Axes that a grid does not name stay at their default.
            default = (getattr(Point(), parameter),)
            return AXES_BY_FIELD[parameter].option, frozenset(
                grid.get(parameter, default) for grid in self.grids
            )
        if parameter in {field.name for field in dataclasses.fields(self)}:
            return parameter, getattr(self, parameter)
        return None


def make_request(
    lists: Mapping[str, str | None],
    *,
    images: str = BUNDLED,
    calibration: str = BUNDLED,
    model: str | Path | None = None,
    limit: int | None = None,
    seed: int = 1,
    size: int | None = None,
    normalization: str | None = None,
    resize: str | None = None,
    labels: str | Path | None = None,
) -> SweepRequest:
    """The request that options mean.

    Parameters
    ----------
    lists : dict of str to (str or None)
        The list that was written for each axis, by field. If none was, the default sweep is meant.
    images, calibration, model, limit, seed, size, normalization, resize, labels
        See `SweepRequest`.

    Returns
    -------
    SweepRequest

    Raises
    ------
    UserError
        If a list is not one of its axis.
    """
    grid = {
        field: parse_list(AXES_BY_FIELD[field], text)
        for field, text in lists.items()
        if text is not None
    }
    return SweepRequest(
        grids=(grid,) if grid else DEFAULT_GRIDS,
        images=absolute_set(images),
        calibration=absolute_set(calibration),
        limit=limit,
        seed=seed,
        model=absolute(model),
        size=size,
        normalization=normalization,
        resize=resize or "crop",
        labels=absolute(labels),
    )


def absolute_set(pictures: str) -> str:
    """A set of pictures that means the same in another folder."""
    return pictures if pictures == BUNDLED else str(absolute(pictures))


def points_of(request: SweepRequest) -> list[Point]:
    """Points of a request, sorted."""
    return expand_grids(request.grids)


def load_network(request: SweepRequest) -> FloatModel:
    """The float network of a request: of its file, or of the installed weights.

    Raises
    ------
    UserError
    """
    if request.model is None:
        if request.size is not None:
            raise UserError(
                "A size is for the float model of --model: the bundled network has its own"
            )
        model = load_float_model()
    else:
        model = read_model_file(request.model, request.size)
        if not isinstance(model, FloatModel):
            raise UserError(
                f"The model {request.model} is in integers already: a sweep needs the float "
                "network; mnv2 accuracy judges any"
            )
    if model.network.input_shape[2] != 3:
        raise UserError(
            f"A sweep must be of a network for pictures of 3 channels, not of "
            f"{model.network.input_shape[2]}"
        )
    if request.normalization is None:
        return model
    return dataclasses.replace(model, input_normalization=NORMALIZATIONS[request.normalization])
