"""What the user asked a search for, and all that its designs share."""

import dataclasses
import importlib.metadata
import json
from dataclasses import dataclass, field

import numpy as np

from mnv2.sim.cost.clock import estimate_clock
from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.energy import load_energies
from mnv2.sim.errors import UserError
from mnv2.sim.explore.accuracy import read_accuracies
from mnv2.sim.explore.evaluate import DEFAULT_FAMILY, Judge
from mnv2.sim.explore.identity import code_hash, network_hash
from mnv2.sim.explore.objectives import Limit, choose_objectives
from mnv2.sim.explore.space import Space
from mnv2.sim.jobs.journal import read_journal

__all__ = [
    "PreparedSearch",
    "SearchRequest",
    "check_same_request",
    "prepare_search",
    "read_request",
]


@dataclass(frozen=True)
class SearchRequest:
    """What the user asked for; the journal keeps it, so that ``--resume`` needs nothing else.

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
    latency : int
        Of the memory, in cycles.
    accuracy : str or None
        Folder of a finished sweep.
    designs : int
        Predictions at most.
    population : int
        Designs of a generation, where not all are predicted.
    seed : int
    dsp_packing, ultra_ram : bool
        See `mnv2.sim.cost.resources.estimate_resources`.
    """

    space: dict
    objectives: tuple
    limits: dict = field(default_factory=dict)
    network: dict = field(default_factory=dict)
    device: str | None = None
    devices: str | None = None
    energies: str | None = None
    clock_mhz: float | None = None
    latency: int = 100
    accuracy: str | None = None
    designs: int = 800
    population: int = 50
    seed: int = 1
    dsp_packing: bool = False
    ultra_ram: bool = False

    def as_dict(self):
        """Plain values, as JSON gives them back."""
        return {
            **dataclasses.asdict(self),
            "objectives": list(self.objectives),
            "space": {name: list(values) for name, values in self.space.items()},
        }

    @classmethod
    def from_dict(cls, values):
        """The request that `as_dict` was called on.

        Raises
        ------
        UserError
            If it is none.
        """
        try:
            space = {name: tuple(items) for name, items in values["space"].items()}
            return cls(**{**values, "space": space, "objectives": tuple(values["objectives"])})
        except (AttributeError, KeyError, TypeError):
            raise UserError(
                "The journal is no search's, or was written by another version of mnv2"
            ) from None


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
        What every figure depends on, by content, and the request: of the journal.
    """

    request: SearchRequest
    network: object
    space: Space
    objectives: tuple
    judge: Judge
    configuration: dict


def prepare_search(request, network):
    """Look up what the designs of a request share.

    Parameters
    ----------
    request : SearchRequest
    network : mnv2.golden.network.Network
        That its options mean.

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
    objectives = choose_objectives(request.objectives)
    limits = tuple(Limit(name, bound) for name, bound in request.limits.items())
    wanted = {figure.name for figure in objectives} | set(request.limits)
    if "share" in wanted and device is None:
        raise UserError("A share is one of a device's resources: name it by --device")
    if "accuracy" in wanted and request.accuracy is None:
        raise UserError("Accuracy comes from a finished sweep: name its folder by --accuracy")
    accuracies = read_accuracies(request.accuracy, network) if request.accuracy else None
    family = DEFAULT_FAMILY if device is None else device.family
    clock = estimate_clock(family, request.clock_mhz and request.clock_mhz * 1e6)
    judge = Judge(
        network,
        limits,
        clock=clock,
        latency=request.latency,
        device=device,
        energies=energies,
        accuracies=accuracies,
        resource_options={"dsp_packing": request.dsp_packing, "ultra_ram": request.ultra_ram},
    )
    configuration = {
        "request": request.as_dict(),
        "network": network_hash(network),
        "accuracies": {
            f"W{weights}A{activations}": accuracy.share
            for (weights, activations), accuracy in sorted((accuracies or {}).items())
        },
        "device": None if device is None else dataclasses.asdict(device),
        "energies": dict(energies),
        "code": code_hash(),
        "numpy": np.__version__,
        "optuna": _optuna_version(),
    }
    # As the journal gives it back, or going on would find lists that were tuples.
    configuration = json.loads(json.dumps(configuration))
    return PreparedSearch(request, network, Space(request.space), objectives, judge, configuration)


def _optuna_version():
    try:
        return importlib.metadata.version("optuna")
    except importlib.metadata.PackageNotFoundError:
        return "none"


def read_request(folder):
    """The request in a folder's journal.

    Raises
    ------
    UserError
        If there is none.
    """
    configuration, _ = read_journal(folder)
    return SearchRequest.from_dict(configuration.get("request"))


#: Options whose names are not those of the request's fields.
_FIELDS = {
    "vary": "space",
    "objective": "objectives",
    "clock": "clock_mhz",
    **dict.fromkeys(("model", "width", "size", "classes", "padding"), "network"),
}


def check_same_request(folder, earlier, request, given_names):
    """The earlier request of a folder, if the options that are given now say the same.

    Parameters
    ----------
    folder : path
        For the message.
    earlier, request : SearchRequest
        In the folder's journal, and made of the options.
    given_names : sequence of str
        Parameters of the command that the user wrote.

    Returns
    -------
    SearchRequest

    Raises
    ------
    UserError
        Naming the first option that says something else.
    """
    before, now = earlier.as_dict(), request.as_dict()
    for name in given_names:
        if name.startswith(("min_", "max_")):
            field_, key = "limits", name[4:]
        else:
            field_, key = _FIELDS.get(name, name), name
        if field_ not in before:
            continue
        pair = [
            values[field_].get(key) if field_ in ("limits", "network") else values[field_]
            for values in (before, now)
        ]
        if pair[0] != pair[1]:
            raise UserError(
                f"The folder {str(folder)!r} holds another search: with "
                f"--{name.replace('_', '-')} {pair[0]}, not {pair[1]}; --resume "
                "without other options goes on as it was asked for"
            )
    return earlier
