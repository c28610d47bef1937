"""A part's times in cycles of an accelerator, as its models in RTL and in Python take them."""

import math
from dataclasses import dataclass, fields

from mnv2.sim.errors import UserError
from mnv2.sim.memory.parts import Part, find_part

__all__ = [
    "LEAST_REFRESH_CYCLES",
    "TICKS",
    "PartTiming",
    "part_timing",
    "shared_bytes_per_cycle",
    "timing_of",
]

#: Ticks of a cycle of the accelerator: times of a part are whole ticks, so that a clock that is no
#: multiple of the memory's loses nothing to rounding.
TICKS = 1 << 16

#: Cycles between two refreshes, at least: slower clocks are refused.
LEAST_REFRESH_CYCLES = 16


@dataclass(frozen=True)
class PartTiming:
    """Times of a part at an accelerator's clock, in ticks of 1 / `TICKS` cycle.

    `mnv2.sim.cycles.port.part` says what each of them does.

    Attributes
    ----------
    request, response : int
        The controller's way to the part, and back.
    access, access_bytes : int
        The data bus moves that many bytes, an access of the part, in that time.
    column : int
        From the command for a column of an open row to its data.
    activate, precharge : int
        Opening a row, with what the controller adds; closing one first.
    recovery : int
        From the last written byte of a row to the earliest closing of it.
    read_to_write, write_to_read : int
        Rest of the data bus where its direction changes.
    refresh_interval, refresh : int
        From refresh to refresh, and what each takes, with what the controller adds.
    row_bytes, banks : int
        Of a row, over the whole width of the bus.
    lookahead : int
        1 if rows of other banks are opened while data are moved, else 0.
    beat_rest, ahead : int
        Rest of the controller's port after each beat, and how far it may be ahead of the bus.
    """

    request: int
    response: int
    access: int
    access_bytes: int
    column: int
    activate: int
    precharge: int
    recovery: int
    read_to_write: int
    write_to_read: int
    refresh_interval: int
    refresh: int
    row_bytes: int
    banks: int
    lookahead: int
    beat_rest: int = 0
    ahead: int = 0

    def plusargs(self) -> list[str]:
        """Arguments of the memory model in `axi_memory.sv`."""
        return [f"+part_{field.name}={getattr(self, field.name)}" for field in fields(self)]

    @property
    def unloaded_cycles(self) -> int:
        """Cycles from a read address to the first data of a row that was closed, of a part at rest.

        The time of the first beat itself is not counted: it depends on the accelerator's port.
        """
        return -(-(self.request + self.activate + self.column + self.response) // TICKS)


def part_timing(part: Part, clock_hz: float) -> PartTiming:
    """Times of a part at an accelerator's clock.

    Parameters
    ----------
    part : Part
    clock_hz : float

    Returns
    -------
    PartTiming

    Raises
    ------
    UserError
        If the clock is so slow that the part would refresh all the time.
    """

    def ticks(nanoseconds: float) -> int:
        return round(nanoseconds * 1e-9 * clock_hz * TICKS)

    interval = ticks(part.refresh_interval_ns)
    if interval < LEAST_REFRESH_CYCLES * TICKS:
        least = LEAST_REFRESH_CYCLES / part.refresh_interval_ns * 1e3
        raise UserError(
            f"The clock must be {least:.1f} MHz or more for the memory {part.name}, which is "
            f"refreshed every {part.refresh_interval_ns:,.0f} ns, not {clock_hz / 1e6:g} MHz"
        )
    return PartTiming(
        request=ticks(part.request_ns),
        response=ticks(part.response_ns),
        access=ticks(part.access_bytes / part.data_rate(clock_hz) * 1e9),
        access_bytes=part.access_bytes,
        column=ticks(part.column_ns),
        activate=ticks(part.activate_ns + part.opening_ns),
        precharge=ticks(part.precharge_ns),
        recovery=ticks(part.write_recovery_ns),
        read_to_write=ticks(part.read_to_write_ns),
        # The next read command waits, and its data come a column later.
        write_to_read=ticks(part.write_to_read_ns + part.column_ns),
        refresh_interval=interval,
        refresh=ticks(part.refresh_ns + part.resting_ns),
        row_bytes=part.row_bytes,
        banks=part.banks,
        lookahead=int(part.lookahead),
        beat_rest=ticks(part.beat_rest_ns),
        ahead=ticks(part.ahead_ns),
    )


def shared_bytes_per_cycle(bytes_per_cycle: int, part: str, part_clock_hz: float) -> int:
    """Bytes a cycle that reads and writes share at most: as given, or those of a part, rounded up.

    Parameters
    ----------
    bytes_per_cycle : int
        Given; 0 is a beat in each direction.
    part : str
        Name of a part, or nothing.
    part_clock_hz : float
    """
    if not part:
        return bytes_per_cycle
    return math.ceil(find_part(part).data_rate(part_clock_hz) / part_clock_hz)


def timing_of(name: str, clock_hz: float) -> PartTiming:
    """Times of the part of a name at an accelerator's clock; see `part_timing`, `find_part`."""
    return part_timing(find_part(name), clock_hz)
