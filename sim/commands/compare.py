"""`mnv2 compare`."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="A dump, .npz of tensors by name, or the output folder of a run. It is the "
            "reference, and its order is that of the table.",
        ),
    ],
    b: Annotated[Path, typer.Argument(metavar="B", help="The dump or run to compare with A.")],
):
    """Compare two dumps or runs tensor by tensor, and report the first tensor that differs.

    For each tensor that both hold: elements, how many differ, the largest difference, and the
    signal to quantisation noise ratio in dB of B against A, on the values as they are stored.
    Another shape or type is a difference too. Tensors that only one holds are listed, and do not
    count as differences.

    Exit status 0 if all tensors that both hold are equal, 1 if one differs, 2 if A or B cannot be
    read or they have no tensor in common.

    Examples:

    - mnv2 compare golden.npz rtl.npz

    - mnv2 compare runs/before runs/after
    """
    from mnv2.sim.commands.terminal.console import get_console
    from mnv2.sim.networks.compare import compare_dumps
    from mnv2.sim.networks.dumps import read_dump

    result = compare_dumps(read_dump(a), read_dump(b))
    get_console().print(render_comparison(result))
    if result.first_differing is not None:
        raise typer.Exit(1)


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
