"""A search as it is asked for, and what all its designs share."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from mnv2.golden.network import Network
from mnv2.golden.summary import short_repr
from mnv2.sim.cost.clock import estimate_clock
from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.energy import load_energies
from mnv2.sim.errors import UserError
from mnv2.sim.explore.accuracy import accuracy_axes, read_accuracies
from mnv2.sim.explore.evaluate import DEFAULT_FAMILY, Judge
from mnv2.sim.explore.objectives import (
    DEFAULT_OBJECTIVES,
    FIGURES,
    Figure,
    Limit,
    choose_objectives,
    parse_limits,
)
from mnv2.sim.explore.space import Space, choose_space
from mnv2.sim.jobs.campaign import CampaignRequest, absolute
from mnv2.sim.memory.parts import find_part
from mnv2.sim.memory.timing import timing_of
from mnv2.sim.report.provenance import package_version

__all__ = ["PreparedSearch", "SearchRequest", "make_request", "prepare_search"]

#: Options that name a network: of `mnv2.sim.commands.options.network.choose_network`.
NetworkOptions: TypeAlias = dict[str, str | int | float | None]
NETWORK_OPTIONS = ("model", "width", "size", "classes", "padding")
#: Fields of the request by parameter of the command, where the names differ.
_FIELDS = {
    "vary": "space",
    "objective": "objectives",
    "clock": "clock_mhz",
    **dict.fromkeys(NETWORK_OPTIONS, "network"),
    **dict.fromkeys((figure.parameter for figure in FIGURES.values()), "limits"),
}


@dataclass(frozen=True)
class SearchRequest(CampaignRequest):
    """A user's request for a search.

    Attributes
    ----------
    space : dict of str to tuple
        See `mnv2.sim.explore.space.Space`.
    objectives : tuple of str
        Names of `mnv2.sim.explore.objectives.FIGURES`.
    limits : dict of str to float
        Bounds by name of the figure.
    network : dict of str to (str or int or float or None)
        Options of `mnv2.sim.commands.options.network.choose_network`.
    device : str or None
        Name of a device of `mnv2.sim.cost.devices`.
    devices, energies : str or None
        Files of other tables of devices and of energies.
    clock_mhz : float or None
        Clock, or None for the estimate of the device's family.
    clock_from : str
        Where that clock comes from.
    latency : int
        Latency of the memory, in cycles.
    memory : str or None
        Name of the memory's part, in place of latency and of the device's bandwidth.
    accuracy : str or None
        Folder of a finished sweep.
    designs : int
        Predictions at most.
    population : int
        Designs of a generation, where not all are predicted.
    seed : int
    """

    kind: ClassVar[str] = "search"
    code: ClassVar[tuple[str, ...]] = (
        "mnv2.sim.explore.request",
        "mnv2.sim.explore.search",
    )

    space: dict[str, tuple[Any, ...]]
    objectives: tuple[str, ...]
    limits: dict[str, float] = field(default_factory=dict)
    network: NetworkOptions = field(default_factory=dict)
    device: str | None = None
    devices: str | None = None
    energies: str | None = None
    clock_mhz: float | None = None
    clock_from: str = "given"
    latency: int = 100
    memory: str | None = None
    accuracy: str | None = None
    designs: int = 800
    population: int = 50
    seed: int = 1

    def stated(self, parameter: str) -> tuple[str, Any] | None:
        """See `CampaignRequest.stated`."""
        name = _FIELDS.get(parameter, parameter)
        if name not in {one.name for one in dataclasses.fields(self)}:
            return None
        value = getattr(self, name)
        if name == "network":
            value = value.get(parameter)
        if name == "limits":
            value = value.get(parameter.partition("_")[2])
        return parameter.replace("_", "-"), value


def make_request(
    *,
    space: str = "small",
    vary: Sequence[str] = (),
    objectives: Sequence[str] = DEFAULT_OBJECTIVES,
    limits: Mapping[str, str | None] | None = None,
    accuracy: str | Path | None = None,
    devices: str | Path | None = None,
    energies: str | Path | None = None,
    network: Mapping[str, Any] | None = None,
    **others: Any,
) -> SearchRequest:
    """The request that options mean.

    Parameters
    ----------
    space, vary
        See `mnv2.sim.explore.space.choose_space`.
    objectives : sequence of str
        Names of figures.
    limits : dict of str to (str or None), optional
        Bounds with their units, by name of the figure; see
        `mnv2.sim.explore.objectives.parse_limits`.
    accuracy, devices, energies : path, optional
    network : dict, optional
    others
        As in `SearchRequest`.

    Returns
    -------
    SearchRequest

    Raises
    ------
    UserError
        If one of them is not valid.
    """
    bounds = parse_limits(limits or {})
    values = choose_space(space, vary, accuracy_axes(accuracy)).values
    choose_objectives(objectives, values.get("frames", (1,)))
    options = dict(network or {})
    return SearchRequest(
        space=values,
        objectives=tuple(objectives),
        limits={limit.name: limit.bound for limit in bounds},
        network={**options, "model": absolute(options["model"])} if "model" in options else options,
        devices=absolute(devices),
        energies=absolute(energies),
        accuracy=absolute(accuracy),
        **others,
    )


@dataclass(frozen=True, eq=False)
class PreparedSearch:
    """A request, with all that its designs share.

    Attributes
    ----------
    request : SearchRequest
    network : mnv2.golden.network.Network
    space : mnv2.sim.explore.space.Space
    objectives : tuple of mnv2.sim.explore.objectives.Figure
    judge : mnv2.sim.explore.evaluate.Judge
    configuration : dict
        Content that every figure depends on, and the request: of the journal.
    """

    __repr__ = short_repr

    request: SearchRequest
    network: Network
    space: Space
    objectives: tuple[Figure, ...]
    judge: Judge
    configuration: dict[str, Any]


def prepare_search(request: SearchRequest, network: Network) -> PreparedSearch:
    """Look up what the designs of a request share.

    Parameters
    ----------
    request : SearchRequest
    network : mnv2.golden.network.Network
        The network that its options mean.

    Returns
    -------
    PreparedSearch

    Raises
    ------
    UserError
        If there is no such device, objective or sweep, or they do not fit together.
    """
    device = find_device(request.device, request.devices) if request.device else None
    energies = load_energies(request.energies)
    objectives = choose_objectives(request.objectives, request.space.get("frames", (1,)))
    limits = tuple(Limit(name, bound) for name, bound in request.limits.items())
    wanted = {figure.name for figure in objectives} | set(request.limits)
    if "share" in wanted and device is None:
        raise UserError("A share is one of a device's resources: name it by --device")
    if "accuracy" in wanted and request.accuracy is None:
        raise UserError("Accuracy comes from a finished sweep: name its folder by --accuracy")
    accuracies = read_accuracies(request.accuracy, network) if request.accuracy else None
    family = DEFAULT_FAMILY if device is None else device.family
    clock = estimate_clock(
        family, request.clock_mhz and request.clock_mhz * 1e6, source=request.clock_from
    )
    judge = Judge(
        network,
        limits,
        clock=clock,
        latency=request.latency,
        device=device,
        energies=energies,
        accuracies=accuracies,
        part=find_part(request.memory).name if request.memory else "",
    )
    if judge.part:
        timing_of(judge.part, clock.hz)
    configuration = request.configuration(
        {
            # By its shapes: no figure depends on weights.
            "network": hashlib.sha256(network.all_fields.encode()).hexdigest(),
            "accuracies": {
                f"W{weights}A{activations} {rounding}": accuracy.share
                for (weights, activations, rounding), accuracy in (accuracies or {}).items()
            },
            "device": None if device is None else dataclasses.asdict(device),
            "energies": dict(energies),
        },
        {"numpy": package_version("numpy"), "optuna": package_version("optuna", missing="none")},
    )
    return PreparedSearch(request, network, Space(request.space), objectives, judge, configuration)
