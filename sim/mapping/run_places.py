"""Places in the memory of a run: the program's image, and the rings of pictures and logits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2.hw.register_map import BASE_ALIGNMENT

if TYPE_CHECKING:
    from mnv2.sim.mapping.program import Program

__all__ = ["PICTURE_SLOTS", "RunPlaces", "place_run"]

#: Slots of the ring of pictures of a run of several turns: it ends within the run.
PICTURE_SLOTS = 2


@dataclass(frozen=True)
class RunPlaces:
    """Addresses in the memory of a run: the program's image, then the rings.

    Attributes
    ----------
    base, picture, logits : int
        Addresses of the image and of the first slots, in bytes.
    picture_stride, picture_slots, logits_stride, logits_slots : int
        Bytes from a slot to the next, and number of slots.
    end : int
        One past the last byte.
    """

    base: int
    picture: int
    picture_stride: int
    picture_slots: int
    logits: int
    logits_stride: int
    logits_slots: int
    end: int

    def picture_address(self, turn: int) -> int:
        """Address of the picture of a turn."""
        return self.picture + turn % self.picture_slots * self.picture_stride

    def logits_address(self, turn: int) -> int:
        """Address of the logits of a turn."""
        return self.logits + turn % self.logits_slots * self.logits_stride

    def settings(self, program: "Program", turns: int = 1) -> dict[str, int]:
        """Values of the registers before a start, by name, see `mnv2.hw.register_map`."""
        values = {
            "PROGRAM_RECORDS": program.records,
            "FRAMES": turns,
            "PICTURE_STRIDE": self.picture_stride,
            "PICTURE_COUNT": self.picture_slots,
            "LOGITS_STRIDE": self.logits_stride,
            "LOGITS_COUNT": self.logits_slots,
        }
        for name, address in (
            ("BASE", self.base),
            ("PICTURE", self.picture),
            ("LOGITS", self.logits),
        ):
            values[f"{name}_LOW"] = address & 0xFFFF_FFFF
            values[f"{name}_HIGH"] = address >> 32
        return values


def place_run(
    program_bytes: int,
    picture_bytes: int = 0,
    logits_bytes: int = 0,
    *,
    base: int = 0,
    picture_slots: int = 1,
    logits_slots: int = 1,
) -> RunPlaces:
    """Places of a run: program, pictures and logits one after another.

    Parameters
    ----------
    program_bytes, picture_bytes, logits_bytes : int
        Of the program's image with all maps, and of a turn's picture and logits.
    base : int
        Address of the image, a multiple of `mnv2.hw.register_map.BASE_ALIGNMENT`.
    picture_slots, logits_slots : int
        Slots of each ring.

    Returns
    -------
    RunPlaces
    """
    picture = base + _aligned(program_bytes)
    picture_stride, logits_stride = _aligned(picture_bytes), _aligned(logits_bytes)
    logits = picture + picture_slots * picture_stride
    return RunPlaces(
        base=base,
        picture=picture,
        picture_stride=picture_stride,
        picture_slots=picture_slots,
        logits=logits,
        logits_stride=logits_stride,
        logits_slots=logits_slots,
        end=logits + logits_slots * logits_stride,
    )


def _aligned(size):
    return -(-size // BASE_ALIGNMENT) * BASE_ALIGNMENT
