"""The cases of `mnv2 predict`: one, or several that are compared."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnv2.sim.commands.options.accelerator import make_memory
from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    # Help is shown without loading them.
    from rich.console import Group

    from mnv2.sim.comparison.what_if import Case
    from mnv2.sim.configuration import Setting
    from mnv2.sim.prediction.prediction_report import Prediction

__all__ = ["PredictionCase", "predict_one", "predict_several", "show_several"]

#: Cases at most: each takes up to some seconds.
MAXIMUM_CASES = 1000


@dataclass(frozen=True, kw_only=True)
class PredictionCase:
    """An accelerator and a memory.

    Attributes
    ----------
    name : str
        Of the configuration, as it was given.
    setting : mnv2.sim.configuration.Setting
    memory_options : (str or None, int or None, int or None)
        Part, latency and bandwidth of the memory, as of
        `mnv2.sim.commands.options.accelerator.make_memory`.
    clock_hz : float
    stalls, seed : int
    """

    name: str
    setting: "Setting"
    memory_options: tuple[str | None, int | None, int | None]
    clock_hz: float
    stalls: int = 0
    seed: int = 1

    @property
    def memory(self) -> dict[str, Any]:
        """Its memory, as `mnv2.sim.cycles.predict.predict_network` takes it."""
        part, latency, bandwidth = self.memory_options
        return asdict(make_memory(latency, bandwidth, self.stalls, self.seed, part, self.clock_hz))


def predict_one(
    case: PredictionCase,
    network_of: Callable[["Setting"], Any],
    model: Path | None,
    *,
    frames: int = 1,
    draws: int = 1,
) -> "Prediction":
    """Predict a case.

    Parameters
    ----------
    case : PredictionCase
    network_of : function of a Setting
        Its network.
    model : Path or None
        File of the network.
    frames : int
        Back-to-back frames that are predicted too, if more than 1.
    draws : int
        Seeds of the pauses, if the memory pauses.

    Returns
    -------
    mnv2.sim.prediction.prediction_report.Prediction

    Raises
    ------
    UserError
        If the network does not fit, or an option is not valid.
    """
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.cycles.predict import predict_frames, predict_network
    from mnv2.sim.prediction.distribution import column_spreads, draw, seeds_from
    from mnv2.sim.prediction.prediction_report import make_prediction
    from mnv2.sim.report.run_report import check_frames

    accelerator = case.setting.config
    check_frames(frames, accelerator.frames)
    memory, network = case.memory, network_of(case.setting)
    begin = time.perf_counter()
    layers = predict_network(network, accelerator, **memory)
    seconds = time.perf_counter() - begin
    sequence = spreads = None
    if frames > 1:
        sequence = predict_frames(network, accelerator, frames // accelerator.frames, **memory)
    if case.stalls and draws > 1:
        steady = {name: value for name, value in memory.items() if name != "seed"}
        with show_count("Predicting other seeds") as drawn:
            seeds = seeds_from(case.seed, draws)[1:]
            others = draw(network, accelerator, **steady, seeds=seeds, drawn=drawn)
        spreads = column_spreads([layers, *others])
    return make_prediction(
        network,
        layers,
        accelerator,
        **memory,
        clock_hz=case.clock_hz,
        seconds=seconds,
        model=str(model or case.setting.network.get("model", "")),
        sequence=sequence,
        spreads=spreads,
    )


def predict_several(
    cases: Sequence[PredictionCase], network_of: Callable[["Setting"], Any], model: Path | None
) -> "list[Case]":
    """Predict several cases; parameters as for `predict_one`."""
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.comparison.subject import Subject
    from mnv2.sim.comparison.what_if import Case
    from mnv2.sim.prediction.prediction_report import prediction_as_dict

    if len(cases) > MAXIMUM_CASES:
        raise UserError(f"{len(cases):,} cases are more than the {MAXIMUM_CASES:,} at most")
    # Options that contradict each other are found first.
    for case in cases:
        case.memory  # noqa: B018
    predicted = []
    with show_count("Predicting") as progress:
        for number, case in enumerate(cases):
            progress(number, len(cases))
            prediction = predict_one(case, network_of, model)
            predicted.append(
                Case(
                    subject=Subject(case.name, prediction_as_dict(prediction)),
                    config=case.name,
                    memory=str(prediction.memory["part"]),
                    latency=prediction.memory["latency"],
                    bandwidth=prediction.memory["bytes_per_cycle"],
                )
            )
    return predicted


def show_several(
    cases: "Sequence[Case]", folder: Path | None, page_of: str | None
) -> "tuple[Group, Callable[[], Any]]":
    """Write the files of several cases, and make what is shown of them.

    Parameters
    ----------
    cases : sequence of mnv2.sim.comparison.what_if.Case
        If they differ in the accelerator alone, they are compared layer by layer.
    folder : Path or None
        Where files are written, if they are.
    page_of : str or None
        The command line of a page, if one is wanted.

    Returns
    -------
    rich.console.Group
        Tables.
    function
        Gives the report in values that JSON holds.

    Raises
    ------
    UserError
        If a page of several memories is wanted.
    """
    from mnv2.sim.comparison.comparison import ReportComparison
    from mnv2.sim.comparison.comparison_files import comparison_as_dict, write_comparison
    from mnv2.sim.comparison.comparison_tables import render_comparison
    from mnv2.sim.comparison.subject import name_subjects
    from mnv2.sim.comparison.what_if import render_what_if, what_if_as_dict, write_what_if

    if len({case.config for case in cases}) < len(cases):
        if page_of is not None:
            raise UserError("A page compares accelerators: name several --config, or one memory")
        if folder is not None:
            write_what_if(cases, folder)
        return render_what_if(cases), partial(what_if_as_dict, cases)
    comparison = ReportComparison(name_subjects([case.subject for case in cases]))
    if folder is not None:
        write_comparison(comparison, folder)
        if page_of is not None:
            from mnv2.sim.page.comparison_page import comparison_page
            from mnv2.sim.page.kit.page import write_page

            write_page(comparison_page(comparison, page_of), folder)
    return render_comparison(comparison), partial(comparison_as_dict, comparison)
