"""The command of scripts/prove: proofs by name, with a table of how they went."""

import argparse
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.formal import tools
from tests.formal.catalogue import PROOFS
from tests.formal.proof import TIMEOUT, prove
from tests.formal.record import record


def main():
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/prove",
        description="Proves properties of the accelerator's units for all inputs and for ever, and "
        "sees each proof fail with a fault planted. Without names all proofs run.",
    )
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help="name, or its beginning")
    parser.add_argument("--list", action="store_true", help="show the proofs and run none")
    parser.add_argument("--small", action="store_true", help="only those that run with the tests")
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"for each question that is asked of a solver; default {TIMEOUT}",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep netlists, and waveforms of violations"
    )
    parser.add_argument(
        "--record", action="store_true", help="keep depths and times in tests/formal/results.json"
    )
    options = parser.parse_args()
    console = Console()
    chosen = [proof for proof in PROOFS if proof.small or not options.small]
    for name in options.proofs:
        if not any(proof.name.startswith(name) for proof in PROOFS):
            parser.error(f"PROOF must begin a name that --list shows, not {name!r}")
    if options.proofs:
        chosen = [proof for proof in chosen if proof.name.startswith(tuple(options.proofs))]
    if options.list:
        console.print(_listed(chosen))
        return 0
    return _run(console, chosen, options)


def _listed(proofs):
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("proof", "claim", "method", "planted fault"):
        table.add_column(heading)
    for proof in proofs:
        method = f"{proof.method}, k = {proof.depth}" if proof.depth else proof.method
        table.add_row(proof.name, proof.claim, method, _plain(proof.fault))
    return table


def _plain(text):
    """Text that rich shows as it is."""
    return str(text).replace("[", r"\[")


def _run(console, proofs, options):
    table = Table(box=box.SIMPLE_HEAD, caption="invariant: depth is the frames until it was found")
    for heading in ("proof", "result", "method"):
        table.add_column(heading)
    for heading in ("depth", "cover at", "fault at", "CPU s"):
        table.add_column(heading, justify="right")
    failures = []
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("", total=len(proofs))
            for proof in proofs:
                progress.update(task, description=proof.name)
                keep = options.keep / proof.name if options.keep else None
                result = prove(proof, options.timeout, keep)
                table.add_row(
                    proof.name,
                    "[green]proved" if result.good else "[red]failed",
                    proof.method,
                    str(result.proved.depth),
                    str(result.covered.depth),
                    "-" if result.caught.holds else str(result.caught.depth),
                    f"{result.seconds:.1f}",
                )
                if options.record:
                    record([result], [one.name for one in PROOFS])
                if not result.good:
                    failures.append(result.failure)
                progress.advance(task)
    except tools.ToolError as error:
        print(f"{proof.name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    finally:
        if table.rows:
            console.print(table)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
