"""A mutation campaign as it is asked for."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.campaign import CampaignRequest
from mnv2.sim.mutation.parts import PARTS

__all__ = ["MutationRequest"]


@dataclass(frozen=True)
class MutationRequest(CampaignRequest):
    """A user's request for mutants.

    How many is not part of it: the first mutants of a seed are always the same, so that a campaign
    of more resumes one of fewer.

    Attributes
    ----------
    part : str
        Of the project; see `mnv2.sim.mutation.parts.PARTS`.
    seed : int
        Of the draw.
    """

    kind: ClassVar[str] = "mutation campaign"
    code: ClassVar[tuple[str, ...]] = ("mnv2.sim.mutation.draw",)

    part: str = "hw"
    seed: int = 1

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise UserError(f"The part must be one of {', '.join(PARTS)}, not {self.part!r}")

    def stated(self, parameter: str) -> tuple[str, Any] | None:
        """See `CampaignRequest.stated`."""
        if parameter in {field.name for field in dataclasses.fields(self)}:
            return parameter, getattr(self, parameter)
        return None
