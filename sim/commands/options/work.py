"""Options and steps shared by the parallel, resumable commands: sweep and explore."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    # Help is shown without loading it.
    from mnv2.sim.jobs.campaign import CampaignRequest

__all__ = [
    "WORK",
    "Device",
    "NewFolder",
    "Resume",
    "Scheduler",
    "Work",
    "Workers",
    "choose_work",
    "stated_request",
    "stopped_work",
]

RequestType = TypeVar("RequestType", bound="CampaignRequest")

#: Panel of these options in a command's help.
WORK = "Work"

NewFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the results, new or empty; default a folder in runs/, named by the time.",
        rich_help_panel=WORK,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Resume the work in DIR. The request is read from its journal; any option given must "
        "match it.",
        rich_help_panel=WORK,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Processes, each with one thread; default one for each core; 0 works in the "
        "command's own process, without Dask. The results are the same.",
        rich_help_panel=WORK,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="tcp://HOST:PORT",
        help="A Dask cluster to work on instead. Its workers need this version of mnv2 "
        "installed, no common disk, and best one thread each.",
        rich_help_panel=WORK,
    ),
]

Device = Annotated[
    str,
    typer.Option(
        metavar="cpu|cuda|cuda:N",
        help="Where the networks run: cuda is a GPU, which the command's own process uses through "
        "PyTorch (pip install 'mnv2\\[gpu]'). Integers are the same, every element.",
        rich_help_panel=WORK,
    ),
]


@dataclass(frozen=True)
class Work:
    """A campaign of a command: its folder, and whether it is resumed.

    Attributes
    ----------
    command : str
        Name of the command.
    folder : Path
        Folder of the results.
    resume : bool
        Whether it holds the journal already.
    """

    command: str
    folder: Path
    resume: bool


def choose_work(
    command: str,
    *,
    output: Path | None,
    resume: Path | None,
    workers: int | None,
    scheduler: str | None,
    device: str = "cpu",
) -> Work:
    """The work that these options mean; nothing is made.

    Raises
    ------
    UserError
        If they contradict each other, or the device cannot be used.
    """
    if device != "cpu":
        _check_device(device, workers, scheduler)
    if resume is not None and output is not None:
        raise UserError("--resume writes into its own folder: drop --output")
    if scheduler is not None and workers is not None:
        raise UserError(
            "--workers does not apply with --scheduler: the cluster's own workers are used"
        )
    name = datetime.now().strftime(f"{command}-%Y-%m-%dT%H-%M-%S")
    return Work(command, resume or output or Path("runs") / name, resume is not None)


def _check_device(device: str, workers: int | None, scheduler: str | None) -> None:
    """Refuse a GPU that cannot be used, or that others would have to share."""
    if workers or scheduler is not None:
        raise UserError(
            f"--{'workers' if workers else 'scheduler'} does not apply with --device {device}: "
            "the command's own process uses the GPU"
        )
    from mnv2.golden.gpu.device import DeviceError, find_device

    try:
        find_device(device)
    except DeviceError as error:
        raise UserError(str(error)) from None


def stated_request(context: typer.Context, work: Work, request: RequestType) -> RequestType:
    """The request of a campaign: as its options say, or as the journal of its folder does.

    Parameters
    ----------
    context : typer.Context
        Knows which options the user wrote.
    work : Work
    request : mnv2.sim.jobs.campaign.CampaignRequest
        Made of the options.

    Raises
    ------
    UserError
        If the folder cannot be used, or an option that was written contradicts its journal.
    """
    from mnv2.sim.jobs.journal import check_new_folder

    if not work.resume:
        check_new_folder(work.folder)
        return request
    earlier = request.read(work.folder)
    written = []
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            written.append(name)
    earlier.check_same(work.folder, request, written)
    return earlier


class Started(Protocol):
    """Progress that knows whether results are being made, and kept."""

    @property
    def started(self) -> bool:
        """Whether there may be something to resume."""


@contextlib.contextmanager
def stopped_work(work: Work, progress: Started) -> Iterator[None]:
    """Print how to resume if the enclosed work is interrupted or fails."""
    from mnv2.sim.commands.terminal.console import get_error_console

    try:
        yield
    except (KeyboardInterrupt, OSError, UserError):
        if progress.started:
            get_error_console().print(
                f"Finished work is kept; to resume: mnv2 {work.command} --resume {work.folder}",
                soft_wrap=True,
            )
        raise
