"""Steps of `mnv2 explore` after the search: designs proved and placed, and files written."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mnv2.sim.commands.options.network import choose_network
from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    # Help is shown without loading them.
    from mnv2.golden.network import Network
    from mnv2.sim.explore.place_designs import Placing
    from mnv2.sim.explore.prove import Proof
    from mnv2.sim.explore.request import NetworkOptions, PreparedSearch
    from mnv2.sim.explore.search_results import SearchResults
    from mnv2.sim.place.target import Target

__all__ = [
    "file_names",
    "find_place_target",
    "place",
    "prove",
    "searched_network",
    "show_proofs",
    "write_results",
]


def prove(results: "SearchResults", count: int, folder: Path) -> "list[Proof]":
    """Designs of the front in RTL, with progress shown."""
    from mnv2.sim.commands.terminal.run_progress import FrameBar
    from mnv2.sim.explore.prove import prove_designs

    with FrameBar() as progress:
        return prove_designs(results, count, folder, progress=progress)


def find_place_target(prepared: "PreparedSearch", prove: int) -> "Target":
    """The device of --place, refused before the search where nothing can be placed."""
    from mnv2.sim.place.target import find_target
    from mnv2.sim.synthesis.tools import find_nextpnr, find_yosys

    if not prove:
        raise UserError("--place places the designs that --prove N runs: give it too")
    if prepared.judge.device is None:
        raise UserError("--place needs a --device to place for")
    target = find_target(prepared.judge.device)
    if target.flow.caveat:
        raise UserError(
            f"--place compares clocks, and on {target.device.name} they would be "
            f"{target.flow.caveat}; mnv2 place places one design there"
        )
    find_yosys()
    find_nextpnr()
    return target


def place(
    results: "SearchResults", count: int, target: "Target", speed: int, seeds: int
) -> "list[Placing]":
    """Designs of the front placed and routed, with progress shown."""
    from mnv2.sim.commands.terminal.step_progress import StepBar
    from mnv2.sim.explore.place_designs import place_designs

    with StepBar() as bar:
        return place_designs(results, count, target, bar.show, speed=speed, seeds=seeds)


def show_proofs(proofs: "list[Proof]", placings: "list[Placing]") -> None:
    """Print what became of the designs that were run, and placed."""
    from mnv2.sim.commands.terminal.console import show
    from mnv2.sim.explore.proof_tables import render_placings, render_proofs

    show(render_proofs(proofs))
    if placings:
        show(render_placings(placings))


def file_names(folder: Path, results: "SearchResults") -> str:
    """Files of a folder in words, the designs' together."""
    ours = {f"{design.name}.toml" for design in results.front}
    names = [file.name for file in folder.iterdir() if file.is_file() and file.name not in ours]
    first, last = results.front[0].name, results.front[-1].name
    names.append(f"{first}.toml" + (f" to {last}.toml" if first != last else ""))
    return ", ".join(sorted(names))


def searched_network(options: "NetworkOptions") -> "Network":
    """The network of a request."""
    from mnv2.sim.commands.options.network import Padding

    model, padding = options.get("model"), options.get("padding")
    return choose_network(
        model and Path(str(model)),
        options.get("width"),
        options.get("size"),
        options.get("classes"),
        padding and Padding(str(padding)),
    )


def write_results(
    results: "SearchResults",
    folder: Path,
    page_of: str | None,
    proofs: Sequence["Proof"] = (),
    placings: Sequence["Placing"] = (),
) -> None:
    """Write tables, designs and pictures next to the journal; they appear together.

    With them a page, if ``page_of`` is the command line that it is of.
    """
    from mnv2.sim.explore.design_files import write_design_files
    from mnv2.sim.explore.search_plots import write_plots
    from mnv2.sim.explore.search_report import write_report
    from mnv2.sim.explore.search_tables import write_tables
    from mnv2.sim.jobs.files import replaced_files

    with replaced_files(folder) as temporary:
        write_tables(results, temporary)
        write_design_files(results, temporary)
        write_plots(results, temporary)
        write_report(results, temporary / "report.json", proofs, placings)
        if page_of is not None:
            from mnv2.sim.page.explore_page import explore_page
            from mnv2.sim.page.kit.page import write_page

            write_page(explore_page(results, proofs, page_of), temporary)
