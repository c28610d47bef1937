"""A campaign: many results that depend on one request, made anywhere, kept as they come, resumed.

`mnv2 sweep` and `mnv2 explore` are campaigns. What they share is here: the request as plain values,
the configuration that every result depends on, the journal, and the place where work is done. A
campaign of its own kind states its request, a dataclass that inherits from `CampaignRequest`, and
the tasks of its results; see `open_campaign` for the order of things.
"""

import abc
import contextlib
import dataclasses
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.identity import code_hash
from mnv2.sim.jobs.journal import RESUME_UNCHANGED, Journal, read_journal
from mnv2.sim.jobs.progress import CampaignProgress
from mnv2.sim.jobs.spread import Place, choose_place

__all__ = ["Campaign", "CampaignRequest", "PreparedCampaign", "absolute", "open_campaign"]


@dataclasses.dataclass(frozen=True)
class CampaignRequest(abc.ABC):
    """A user's request; the journal keeps it, so that ``--resume`` needs nothing else.

    Its fields are plain values: numbers, texts, None, and tuples and dicts of them.

    Attributes
    ----------
    kind : str
        What messages call such a campaign.
    code : tuple of str
        Modules whose code decides the results.
    """

    kind: ClassVar[str]
    code: ClassVar[tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON gives them back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The request that `as_dict` was called on.

        Raises
        ------
        UserError
            If the values are not those of such a request.
        """
        try:
            return cls(**{name: _with_tuples(value) for name, value in values.items()})
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UserError(
                f"The journal is not that of a {cls.kind}, or was written by another version of "
                "mnv2"
            ) from None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The request in a folder's journal.

        Raises
        ------
        UserError
            If there is none.
        """
        configuration, _ = read_journal(folder)
        return cls.from_dict(configuration.get("request"))

    @abc.abstractmethod
    def stated(self, parameter: str) -> tuple[str, Any] | None:
        """Name of the option of a command's parameter, and what the request says of it.

        Returns
        -------
        (str, value) or None
            None for a parameter that decides no result, such as the number of workers.
        """

    def check_same(self, folder: Path, other: "CampaignRequest", parameters: Iterable[str]) -> None:
        """Refuse a request that contradicts this one, which a folder holds, in any option given.

        Parameters
        ----------
        folder : Path
            For the message.
        other : CampaignRequest
            Made of the options.
        parameters : iterable of str
            Parameters of the command that the user wrote.

        Raises
        ------
        UserError
            Naming the first option that differs.
        """
        for parameter in parameters:
            before, now = self.stated(parameter), other.stated(parameter)
            if before is None or now is None or before == now:
                continue
            raise UserError(
                f"The folder {str(folder)!r} holds another {self.kind}: with --{now[0]} "
                f"{_written(before[1])}, not {_written(now[1])}; {RESUME_UNCHANGED}"
            )

    def configuration(
        self, content: Mapping[str, Any], versions: Mapping[str, str]
    ) -> dict[str, Any]:
        """Everything that the results depend on, for the journal, as JSON gives it back.

        Parameters
        ----------
        content : dict
            Hashes or values of what the request names: networks, pictures, tables.
        versions : dict of str to str
            Versions of libraries that compute results.
        """
        configuration = {
            "request": self.as_dict(),
            **content,
            "code": code_hash(*self.code),
            **versions,
        }
        return json.loads(json.dumps(configuration))


def absolute(path: str | Path | None) -> str | None:
    """A path that means the same in another folder; None stays None."""
    return None if path is None else str(Path(path).expanduser().absolute())


def _with_tuples(value: Any) -> Any:
    """A value of JSON with tuples for its lists."""
    if isinstance(value, list):
        return tuple(map(_with_tuples, value))
    if isinstance(value, dict):
        return {name: _with_tuples(item) for name, item in value.items()}
    return value


def _written(value: Any) -> str:
    """A value of an option, as the user may have written it."""
    if isinstance(value, frozenset):
        return " and ".join(sorted(map(_written, value)))
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


class PreparedCampaign(Protocol):
    """A request with all that its results share."""

    @property
    def request(self) -> CampaignRequest:
        """The request."""

    @property
    def configuration(self) -> dict[str, Any]:
        """Content that every result depends on; see `CampaignRequest.configuration`."""


class Campaign:
    """A campaign under way.

    Attributes
    ----------
    journal : mnv2.sim.jobs.journal.Journal
    done : int
        Results that are kept, for progress.
    """

    def __init__(
        self, journal: Journal, find_place: Callable[[], Place], progress: CampaignProgress
    ):
        self.journal = journal
        self.done = 0
        self._find_place = find_place
        self._progress = progress

    @property
    def place(self) -> Place:
        """The place where work is done. A cluster starts when this is first used."""
        return self._find_place()

    def figures(self, kind: str) -> dict[str, Any]:
        """Figures of the entries of a kind that the journal has, by what they are of."""
        return {entry[kind]: entry["figures"] for entry in self.journal.entries if kind in entry}

    def show(self, total: int, last: str = "") -> None:
        """Show how many results of at most ``total`` are kept."""
        self._progress.results(self.done, total, last)

    def keep(self, entry: dict[str, Any], total: int, last: str) -> None:
        """Keep a result: in the journal first, since what is shown as done is on the disk."""
        self.journal.append(entry)
        self.done += 1
        self.show(total, last)


@contextlib.contextmanager
def open_campaign(
    prepared: PreparedCampaign,
    folder: Path,
    *,
    resume: bool,
    workers: int | None,
    scheduler: str | None,
    progress: CampaignProgress,
    most: int | None = None,
) -> Iterator[Campaign]:
    """Open a folder's journal, and the place where the rest is done.

    A new campaign finds its place first: a cluster that is not there leaves no folder. One that is
    resumed finds it when something is left to do.

    Parameters
    ----------
    prepared : PreparedCampaign
    folder : Path
        Gets the journal.
    resume : bool
        Whether the journal is there already.
    workers, scheduler, most
        See `mnv2.sim.jobs.spread.choose_place`.
    progress : CampaignProgress

    Yields
    ------
    Campaign

    Raises
    ------
    UserError
        If the folder or the cluster cannot be used.
    """
    code = prepared.request.code
    with contextlib.ExitStack() as stack:

        @functools.cache
        def place() -> Place:
            return stack.enter_context(choose_place(workers, scheduler, code=code, most=most))

        if not resume:
            place()
        open_journal = Journal.resume if resume else Journal.create
        journal = stack.enter_context(open_journal(folder, prepared.configuration))
        yield Campaign(journal, place, progress)
