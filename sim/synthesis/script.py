"""Command lines of scripts/synthesize, scripts/calibrate-costs and scripts/fmax: shared parts."""

import argparse
import sys
from collections.abc import Callable, Iterable

from mnv2.sim.errors import SimulationError, UserError

__all__ = ["add_families", "add_timeout", "run_script"]


def add_families(
    parser: argparse.ArgumentParser, families: Iterable[str], shown: Iterable[str]
) -> None:
    """Add --family, which may be repeated."""
    parser.add_argument(
        "--family",
        action="append",
        choices=list(families),
        help=f"family of devices; may be repeated (default {', '.join(shown)})",
    )


def add_timeout(parser: argparse.ArgumentParser, seconds: float) -> None:
    """Add --timeout, for each run of a tool."""
    parser.add_argument(
        "--timeout",
        type=float,
        default=seconds,
        help=f"seconds for each run of a tool (default {seconds:g})",
    )


def run_script(parser: argparse.ArgumentParser, work: Callable[[argparse.Namespace], None]) -> None:
    """Do the work of a script; errors of the user and of tools end it with one sentence."""
    options = parser.parse_args(sys.argv[1:])
    try:
        work(options)
    except (UserError, SimulationError) as error:
        raise SystemExit(f"{parser.prog}: {error}") from None
