"""`mnv2 compare`."""

from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import UserError


@prints_json
def compare(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="A B …",
            help="Two dumps, .npz of tensors by name; or two reports or more, each the output "
            "folder of mnv2 run or mnv2 predict, or its report.json. A is the reference, and its "
            "order is that of the tables.",
        ),
    ],
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of reports: the device, or the board, whose resources are counted and whose "
            "shares are shown. Default AMD UltraScale+, without shares.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Of reports: folder for report.json, report.csv (a row for each layer of each "
            "report) and compare.png.",
        ),
    ] = None,
    html: Html = False,
):
    """Compare dumps tensor by tensor, or reports layer by layer.

    Of two dumps, for each tensor that both hold: elements, how many differ, the largest difference,
    and the signal to quantisation noise ratio in dB of B against A, on the values as they are
    stored; and the first tensor that differs. Another shape or type is a difference too. Tensors
    that only one holds are listed, and do not count as differences.

    Of reports: the options that they were made with and that differ; cycles of each layer with what
    it waits for most, bytes of external memory, resources, energy, and the change of each from A.
    Reports may be measured or predicted, of any networks with layers in common. Output folders of
    two runs that hold tensors of the same names are compared in both ways.

    Exit status 0 if all tensors that both hold are equal, 1 if one differs, 2 if something cannot
    be read or there is nothing in common. Reports that differ are no failure.

    Examples:

    - mnv2 compare golden.npz rtl.npz

    - mnv2 compare runs/before runs/after

    - mnv2 compare runs/small runs/base runs/large --device ZU3EG --html --output runs/compared
    """
    if len(paths) < 2:
        raise UserError("Two dumps, or two reports or more, are compared: name a second one")
    reports = [_holds_report(path) for path in paths]
    if not any(reports):
        if len(paths) > 2:
            raise UserError("Dumps are compared two at a time")
        if device or output or html:
            raise UserError("--device, --output and --html are for reports, and these are dumps")
        differ = _compare_dumps(*paths)
    elif all(reports):
        check_page(html)
        if html and output is None:
            raise UserError("The page of --html goes into a folder: add --output DIR")
        differ = _compare_tensors_too(paths)
        _compare_reports(context, paths, device, output, html)
    else:
        odd = paths[reports.index(False)]
        raise UserError(f"Reports are compared with reports, and {odd} is none")
    if differ:
        raise typer.Exit(1)


def _holds_report(path: Path) -> bool:
    """Whether a path is a report, or a folder with one."""
    from mnv2.sim.comparison.subject import REPORT_FILE

    path = path.expanduser()
    return (path / REPORT_FILE).is_file() if path.is_dir() else path.suffix.lower() == ".json"


def _compare_dumps(a: Path, b: Path) -> bool:
    """Print two dumps compared; whether a tensor differs."""
    from dataclasses import asdict
    from functools import partial

    from mnv2.sim.commands.terminal.console import show_report
    from mnv2.sim.networks.compare import compare_dumps
    from mnv2.sim.networks.dumps import read_dump

    result = compare_dumps(read_dump(a), read_dump(b))
    show_report(render_comparison(result), report=partial(asdict, result))
    return result.first_differing is not None


def _compare_tensors_too(paths: list[Path]) -> bool:
    """Print the tensors of two output folders compared, if they have some in common."""
    from mnv2.sim.commands.terminal.console import MANNER, get_console
    from mnv2.sim.networks.compare import compare_dumps
    from mnv2.sim.networks.dumps import DUMP_FILE, read_dump

    folders = [path.expanduser() for path in paths]
    if len(folders) != 2 or not all((folder / DUMP_FILE).is_file() for folder in folders):
        return False
    one, other = map(read_dump, folders)
    if not one.keys() & other.keys():
        return False
    result = compare_dumps(one, other)
    if not MANNER.as_json:
        get_console().print(render_comparison(result), "")
    return result.first_differing is not None


def _compare_reports(
    context: typer.Context, paths: list[Path], device: str | None, output: Path | None, html: bool
) -> None:
    """Print reports compared, and write the files of the comparison."""
    from contextlib import nullcontext
    from functools import partial

    from mnv2.sim.commands.terminal.console import say_files, show_report
    from mnv2.sim.comparison.comparison import ReportComparison
    from mnv2.sim.comparison.comparison_files import comparison_as_dict, write_comparison
    from mnv2.sim.comparison.comparison_tables import render_comparison as render_reports
    from mnv2.sim.comparison.subject import name_subjects, read_subject
    from mnv2.sim.cost.devices import find_device
    from mnv2.sim.jobs.files import output_folder

    comparison = ReportComparison(
        name_subjects([read_subject(path) for path in paths]),
        find_device(device) if device else None,
    )
    with output_folder(output) if output else nullcontext() as folder:
        shown = render_reports(comparison)
        if folder is not None:
            write_comparison(comparison, folder)
            if html:
                from mnv2.sim.page.comparison_page import comparison_page
                from mnv2.sim.page.kit.page import write_page

                write_page(comparison_page(comparison, command_line(context)), folder)
    show_report(shown, report=partial(comparison_as_dict, comparison))
    if output:
        say_files(output)


def render_comparison(result):
    """Table of the tensors, then the verdict.

    Parameters
    ----------
    result : mnv2.sim.networks.compare.DumpComparison

    Returns
    -------
    rich.console.Group
    """
    from rich.console import Group
    from rich.text import Text

    from mnv2.sim.report.wide_table import WideTable

    table = WideTable("B against A")
    table.add_column("tensor")
    for column in ("shape", "elements", "differing", "largest\ndifference", "SQNR, dB"):
        table.add_column(column, justify="right")
    for tensor in result.tensors:
        # Names may hold what rich would take for markup.
        table.add_row(*map(Text, _cells(tensor)), style=None if tensor.equal else "bold")
    lines = [
        Text(f"Only in {which}: {', '.join(names)}")
        for which, names in (("A", result.only_a), ("B", result.only_b))
        if names
    ]
    return Group(table, *lines, Text(_verdict(result)))


def _cells(tensor):
    """A row of the table."""
    shape, other = ("x".join(map(str, shape)) or "scalar" for shape in tensor.shapes)
    kind, other_kind = tensor.dtypes
    what = shape if shape == other else f"{shape} against {other}"
    what += "" if kind == other_kind else f" {kind} against {other_kind}"
    if tensor.differing is None:
        return tensor.name, what, f"{tensor.elements:,}", "shape", "", ""
    largest = f"{tensor.largest:,}" if isinstance(tensor.largest, int) else f"{tensor.largest:.4g}"
    quality = f"{tensor.sqnr_db:.1f}" if tensor.differing else "equal"
    return tensor.name, what, f"{tensor.elements:,}", f"{tensor.differing:,}", largest, quality


def _verdict(result):
    """The verdict in one sentence."""
    first = result.first_differing
    count = len(result.tensors)
    if first is None:
        tensors = "The tensor that both hold is" if count == 1 else f"All {count} tensors are"
        return f"{tensors} equal."
    if first.differing is None:
        how = "the shapes differ"
    elif first.differing == 0:
        how = f"equal values, but {first.dtypes[0]} against {first.dtypes[1]}"
    else:
        how = f"{first.differing:,} of {first.elements:,} elements differ"
    differing = sum(not tensor.equal for tensor in result.tensors)
    return f"The first that differs is {first.name}: {how}; {differing} of {count} tensors differ."
