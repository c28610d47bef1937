"""A memory by its part: when the beats of a burst cross the accelerator's port.

The rules, which `sim/rtl/axi_memory.sv` follows too
-----------------------------------------------------
Times are ticks of the accelerator's cycle; `mnv2.sim.memory.timing.PartTiming` has them all. A
burst that is read arrives in the cycle in which its address is accepted, one that is written in the
cycle in which its last beat is. The part serves bursts one after another in the order of arrival;
where two arrive in the same cycle, the one that is read comes first. A burst that crosses from a
row into the next is cut there, and its pieces are served in order. Row n of the memory is row
n / banks of bank n mod banks, and a bank keeps the row open that was used last.

A piece reaches the part ``request`` after its burst's arrival. If its row is open, it can be asked
for at once. If not, its bank opens it, as soon as the piece is there and the bank's last piece has
been moved (and, if that was written, ``recovery`` has passed): this takes ``activate``, and
``precharge`` before it where another row was open. A controller without ``lookahead`` does neither
for a bank other than the last one's before the piece before has been moved. The data follow
``column`` later, but not before the piece before has been moved; and where that went the other way,
the bus rests in between, for ``read_to_write`` or ``write_to_read``, unless the part is refreshed
then. The data are moved in whole accesses of ``access_bytes``, aligned to them, each of which takes
``access``.

A controller whose port is wider than the part's bus takes beats apart: each takes the time of its
accesses at the port, and ``beat_rest`` more. A piece is at the port ``request`` and ``column``
after its arrival, or when the piece before has crossed it. Where the bus begins later, a queue lets
the port be ``ahead`` of it, but no further; the bus, which does not rest, makes up for that part of
its wait. A beat is moved when it has crossed both. Without rests the port is never later than the
bus.

Every ``refresh_interval`` from the memory's reset on a refresh is due. A piece whose data would
begin then or later waits for it: it begins when it is due or, if that is later, when the piece
before has been moved; it takes ``refresh``, and closes the rows of all banks, which open others
from its end on.

A beat that is read is at the port in the first cycle that begins ``response`` or more after its
last byte has been moved, in the order of the beats, one a cycle, and not before the second cycle
after its address. The port accepts beats to write in every cycle; the answer to a burst is at the
port in the first cycle that begins ``response`` or more after its last access, one a cycle, and not
before the second cycle after its last beat.
"""

from mnv2.sim.cycles.port.pauses import START_CYCLE
from mnv2.sim.memory.timing import TICKS, PartTiming

__all__ = ["PartSchedule"]


class PartSchedule:
    """A part that serves bursts in the order of arrival; cycles are the program's.

    Parameters
    ----------
    timing : PartTiming
    beat_bytes : int
        Of the accelerator's port.
    """

    def __init__(self, timing: PartTiming, beat_bytes: int):
        self._timing = timing
        self._beat_bytes = beat_bytes
        self._free = 0  # tick from which the bus is free
        self._port_free = 0  # and the controller's port, with its rests
        self._written = False  # the last piece was written
        self._bank = 0  # that it was in
        self._refresh = timing.refresh_interval  # tick of the next refresh
        self._rows: list[int | None] = [None] * timing.banks  # the open one of each
        self._ready = [0] * timing.banks  # ticks from which each may open another
        # Cycles of the port's last beat that was read, and of its last answer.
        self._beat = self._answer = -START_CYCLE

    def read(self, cycle: int, address: int, beats: int) -> list[int]:
        """Cycles in which the beats of a burst are at the port.

        Parameters
        ----------
        cycle : int
            In which its address is accepted. Not before that of any burst before.
        address : int
            Of the first byte.
        beats : int

        Returns
        -------
        list of int
        """
        size, response = self._beat_bytes, self._timing.response
        access, access_bytes = self._timing.access, self._timing.access_bytes
        rest = self._timing.beat_rest
        last = max(self._beat, cycle + 1)
        arrivals = []
        end = address + beats * size
        while address < end:
            until = min(end, (address // self._timing.row_bytes + 1) * self._timing.row_bytes)
            begin, port = self._serve(cycle, address, until, False)
            first = address % access_bytes  # of the piece, in its first access
            for moved in range(size, until - address + 1, size):
                tick = max(
                    begin + (first + moved) * access // access_bytes,
                    port + moved * access // access_bytes + moved // size * rest,
                )
                tick += response
                # The first cycle that begins then or later.
                last = max(last + 1, -(-tick // TICKS) - START_CYCLE)
                arrivals.append(last)
            address = until
        self._beat = last
        return arrivals

    def write(self, cycle: int, address: int, beats: int) -> int:
        """Cycle in which the answer to a burst is at the port.

        Parameters
        ----------
        cycle : int
            In which its last beat is accepted.
        address, beats
            See `read`.
        """
        end = address + beats * self._beat_bytes
        while address < end:
            until = min(end, (address // self._timing.row_bytes + 1) * self._timing.row_bytes)
            self._serve(cycle, address, until, True)
            address = until
        answer = -(-(self._free + self._timing.response) // TICKS) - START_CYCLE
        self._answer = max(answer, cycle + 2, self._answer + 1)
        return self._answer

    def _serve(self, cycle: int, address: int, until: int, written: bool) -> tuple[int, int]:
        """Move a piece of a row; the ticks in which its first access and its first beat begin."""
        timing = self._timing
        number = address // timing.row_bytes
        row, bank = divmod(number, timing.banks)
        there = (cycle + START_CYCLE) * TICKS + timing.request
        rest = 0
        if written != self._written:
            rest = timing.read_to_write if written else timing.write_to_read
        while True:
            ask = there
            if not timing.lookahead and bank != self._bank:
                ask = max(ask, self._free)
            if self._rows[bank] != row:
                ask = max(ask, self._ready[bank]) + timing.activate
                if self._rows[bank] is not None:
                    ask += timing.precharge
            begin = max(ask + timing.column, self._free + rest)
            if begin < self._refresh:
                break
            self._free = max(self._refresh, self._free) + timing.refresh
            self._refresh += timing.refresh_interval
            rest = 0
            self._rows = [None] * timing.banks
            self._ready = [self._free] * timing.banks
        accesses = -(-until // timing.access_bytes) - address // timing.access_bytes
        port = max(self._port_free, there + timing.column, begin - timing.ahead)
        size = until - address
        self._port_free = (
            port
            + size * timing.access // timing.access_bytes
            + size // self._beat_bytes * timing.beat_rest
        )
        self._free = max(begin + accesses * timing.access, self._port_free)
        self._rows[bank] = row
        self._bank = bank
        self._ready[bank] = self._free + (timing.recovery if written else 0)
        self._written = written
        return begin, port
