"""Random pauses of the memory's channels, in the same cycles as those of `sim/rtl/axi_memory.sv`.

A pause depends on the seed and on the cycle alone, not on what crosses the port: so it is known
in advance, and the model can equal a run with the same seed.
"""

from functools import cache

__all__ = ["START_CYCLE", "Pauses"]

#: Cycle of the memory, counted from its reset, in which a program begins: `sim/rtl/testbench.sv`
#: leaves reset, and `sim/rtl/testbench.py` writes fourteen registers, START the last, four cycles
#: each. It is the same in every run.
START_CYCLE = 57

#: Bits of the generator's state whose seven tell whether a channel pauses, as in `axi_memory.sv`.
_READ_DATA, _ANSWER, _READ_ADDRESS, _WRITE_ADDRESS, _WRITE_DATA = 0, 8, 16, 24, 32

#: States are made in parallel: `_LANES` runs of `_STEPS` states each.
_LANES, _STEPS = 512, 512


def _next(state):
    """One step of the generator, of any number of states.

    Ref: G. Marsaglia, Xorshift RNGs, J. Stat. Software 8 (14), 2003.
    """
    state = state ^ (state << 13)
    state = state ^ (state >> 7)
    return state ^ (state << 17)


def _combine(columns, states):
    """States times a matrix over GF(2), whose ``columns`` say what becomes of each bit."""
    import numpy as np

    bits = states[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
    return np.bitwise_xor.reduce(np.where(bits, columns, np.uint64(0)), axis=1)


@cache
def _jumps():
    """Matrices that advance by `_STEPS` times 1, 2, 4 ... steps, as far as the lanes need it."""
    import numpy as np

    columns = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for _ in range(_STEPS):
        columns = _next(columns)
    jumps = [columns]
    while 1 << len(jumps) < _LANES:
        jumps.append(_combine(jumps[-1], jumps[-1]))
    return jumps


def _states(state):
    """The `_LANES` * `_STEPS` states that follow one.

    Parameters
    ----------
    state : int

    Returns
    -------
    uint64 [N]
    """
    import numpy as np

    lanes = np.array([state], np.uint64)
    for jump in _jumps():
        lanes = np.concatenate([lanes, _combine(jump, lanes)])
    made = np.empty((_STEPS, _LANES), np.uint64)
    for row in made:
        lanes = row[:] = _next(lanes)
    return made.T.reshape(-1)


class Pauses:
    """Pauses of a memory, counted in a program's cycles, made as far as they are asked for.

    Parameters
    ----------
    percent : int
        Share of the cycles in which each channel pauses, 1 to 99; in steps of 1/128.
    seed : int
        From 1 to 2**32 - 1.

    Attributes
    ----------
    read_data, answers, read_addresses, write_addresses, write_data : bytearray
        For each cycle from the program's first on, whether the channel moves. Up to `reach`.
    """

    def __init__(self, percent, seed):
        self._limit = percent * 128 // 100
        self._state = seed << 32 | 0x9E3779B9
        self.reach = 0
        self.read_data, self.answers = bytearray(), bytearray()
        self.read_addresses, self.write_addresses, self.write_data = (
            bytearray(),
            bytearray(),
            bytearray(),
        )
        #: Cycles in which a beat arrives if one is due, and for each cycle their number before it.
        self._beats, self._before = [], []
        self._late = START_CYCLE  # cycles of the generator that no cycle here sees
        # Whether an address is taken, or a beat, is decided a cycle before.
        self._held: tuple[int, ...] = (1, 1, 1)

    def extend(self):
        """Make more."""
        import numpy as np

        states = _states(self._state)
        self._state = int(states[-1])
        moves = [
            (states >> np.uint64(place) & np.uint64(127)) >= self._limit
            for place in (_READ_DATA, _ANSWER, _READ_ADDRESS, _WRITE_ADDRESS, _WRITE_DATA)
        ]
        late, self._late = self._late, 0
        base = self.reach
        before, held = len(self._beats), self._held
        for name, values in zip(("read_data", "answers"), moves, strict=False):
            getattr(self, name).extend(values[late:].astype(np.uint8).tobytes())
        for k, name in enumerate(("read_addresses", "write_addresses", "write_data")):
            values = moves[2 + k]
            shifted = np.concatenate([[held[k]], values[:-1]])[late:]
            getattr(self, name).extend(shifted.astype(np.uint8).tobytes())
        self._held = tuple(int(moves[2 + k][-1]) for k in range(3))
        fetches = moves[0][late:]
        # A beat that is fetched in a cycle is at the port in the next.
        self._beats.extend((np.flatnonzero(fetches) + (base + 1)).tolist())
        count = np.cumsum(fetches)
        self._before.extend((np.concatenate([[0], count[:-1]]) + before).tolist())
        self.reach += len(fetches)

    def read(self, cycle):
        """Whether a read address, and the next beat to read, move in a cycle."""
        while cycle >= self.reach:
            self.extend()
        return self.read_addresses[cycle], self.read_data[cycle]

    def write(self, cycle):
        """Whether a write address, a beat to write, and an answer move in a cycle."""
        while cycle >= self.reach:
            self.extend()
        return self.write_addresses[cycle], self.write_data[cycle], self.answers[cycle]

    def address(self, cycle):
        """Cycle from a cycle on in which a read address is taken."""
        while True:
            place = self.read_addresses.find(1, cycle)
            if place >= 0:
                return place
            self.extend()

    def beats(self, cycle, count):
        """Cycles in which `count` beats arrive, the first not before a cycle.

        Returns
        -------
        list of int
        """
        while cycle > self.reach or len(self._beats) - self._before[cycle - 1] < count:
            self.extend()
        place = self._before[cycle - 1]
        return self._beats[place : place + count]
