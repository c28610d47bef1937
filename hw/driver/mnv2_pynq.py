"""Driver of the MobileNetV2 accelerator for PYNQ, in the terms of the driver in C, mnv2.h.

It needs nothing but Python and files of ``mnv2 program``: in its folder ``mnv2_format.py`` and
``mnv2_registers.json``, and of the program ``layout.json`` and ``memory.bin``:

    device = Accelerator(overlay.accelerator.mmio)
    program = Program("program")
    device.load(program, pynq.allocate(program.memory_bytes, "u1"))
    device.set_rings(pynq.allocate(program.picture_slot, "u1"),
                     pynq.allocate(program.logits_slot, "u1"))
    device.put_picture(0, pixels)
    device.run(time_out=1.0)
    logits, _ = device.get_logits(0)
"""

import json
import time
from functools import cache
from pathlib import Path

try:
    from .mnv2_format import pack_picture, unpack_logits
except ImportError:  # On a board the files lie next to each other, and are no package.
    from mnv2_format import pack_picture, unpack_logits

__all__ = ["Accelerator", "DriverError", "Program"]

_TURNS = 1 << 32


@cache
def _map():
    """The registers, and the sentences of errors."""
    path = Path(__file__).with_name("mnv2_registers.json")
    return json.loads(path.read_text(encoding="utf-8"))


class DriverError(Exception):
    """An error, as the driver in C returns it.

    Parameters
    ----------
    name : str
        Without the prefix of C, such as ``"TIME_OUT"``.
    """

    def __init__(self, name):
        super().__init__(_map()["errors"][name])
        self.name = name


class Program:
    """A program, read from the folder that ``mnv2 program`` wrote.

    Parameters
    ----------
    folder : path

    Attributes
    ----------
    layout : dict
        ``layout.json``.
    image : bytes
        ``memory.bin``.
    memory_bytes, picture_slot, logits_slot : int
        Bytes to allocate: for the program, and for each slot.
    """

    def __init__(self, folder):
        self.layout = json.loads(Path(folder, "layout.json").read_text(encoding="utf-8"))
        self.image = Path(folder, "memory.bin").read_bytes()
        self.memory_bytes = self.layout["memory_bytes"]
        self.picture_slot = self.layout["picture"]["slot_bytes"]
        self.logits_slot = self.layout["logits"]["slot_bytes"]


class Accelerator:
    """An accelerator that was found at its registers.

    Parameters
    ----------
    mmio : pynq.MMIO
        With ``read(offset)`` and ``write(offset, value)``.
    rest : function of a number of seconds, optional
        Returns when the interrupt is high, or after about that time; by default the registers are
        polled.
    clock : function, optional
        Seconds that count up.

    Attributes
    ----------
    configuration : int
        Hash of the accelerator.
    program : Program or None
        What was loaded.

    Raises
    ------
    DriverError
        NOT_FOUND or OTHER_VERSION.
    """

    def __init__(self, mmio, *, rest=None, clock=time.monotonic):
        self._mmio, self._rest, self._clock = mmio, rest, clock
        self.program = self._base = self._pictures = self._logits = None
        if self._read("ID") != _map()["identifier"]:
            raise DriverError("NOT_FOUND")
        if self._field("VERSION", "MAJOR") != _map()["version"][0]:
            raise DriverError("OTHER_VERSION")
        self.configuration = self._read("CONFIGURATION_HASH")
        self._address_bits = self._field("CAPABILITIES_PORT", "ADDRESS_BITS")

    def load(self, program, memory, *, there=False):
        """Copy a program's image to memory, once for any number of pictures.

        Parameters
        ----------
        program : Program
        memory : pynq.buffer.PynqBuffer
            Bytes, with ``device_address``, ``flush()`` and ``invalidate()``.
        there : bool
            The image is in memory already.

        Raises
        ------
        DriverError
            OTHER_CONFIGURATION, OTHER_IMAGE, NOT_ALIGNED, MEMORY_TOO_SMALL, OUT_OF_REACH, BUSY.
        """
        if int(program.layout["configuration_hash"], 16) != self.configuration:
            raise DriverError("OTHER_CONFIGURATION")
        self._check(memory, program.memory_bytes)
        view = memoryview(memory).cast("B")
        first = bytes(view[:4]) if there else program.image[:4]
        if int.from_bytes(first, "little") != self.configuration:
            raise DriverError("OTHER_IMAGE")
        self._check_idle()
        if not there:
            view[: len(program.image)] = program.image
            memory.flush()
        self.program, self._base = program, memory
        self._pictures = self._logits = None

    def set_rings(self, pictures, logits):
        """Say where pictures and logits are: as many slots as fit.

        Parameters
        ----------
        pictures, logits : pynq.buffer.PynqBuffer

        Raises
        ------
        DriverError
            NO_PROGRAM, NOT_ALIGNED, MEMORY_TOO_SMALL, OUT_OF_REACH.
        """
        if self.program is None:
            raise DriverError("NO_PROGRAM")
        self._check(pictures, self.program.picture_slot)
        self._check(logits, self.program.logits_slot)
        self._pictures, self._logits = pictures, logits

    def put_picture(self, turn, *pictures):
        """Pack the pictures of a turn, one for each frame abreast, into its slot.

        Parameters
        ----------
        turn : int
        *pictures : int8 [rows, columns, 3]
            Quantised as the program's model was; anything that has a buffer.

        Raises
        ------
        DriverError
            NO_RINGS, PICTURE_SIZE.
        """
        if self._pictures is None:
            raise DriverError("NO_RINGS")
        try:
            data = pack_picture(self.program.layout, pictures)
        except ValueError:
            raise DriverError("PICTURE_SIZE") from None
        begin = self._slot(self._pictures, self.program.picture_slot, turn)
        memoryview(self._pictures).cast("B")[begin : begin + len(data)] = data
        self._pictures.flush()

    def get_logits(self, turn, frame=0):
        """Logits of a frame of a turn.

        Returns
        -------
        list of int
            The logits, integers of 8 bits.
        list of int
            The accumulators that they were made of.

        Raises
        ------
        DriverError
            NO_RINGS, NOT_DONE, OVERWRITTEN.
        """
        if self._logits is None:
            raise DriverError("NO_RINGS")
        if not _is_before(turn, self._read("FRAMES_DONE")):
            raise DriverError("NOT_DONE")
        self._logits.invalidate()
        slot = self.program.logits_slot
        begin = self._slot(self._logits, slot, turn)
        size = self.program.layout["logits"]["bytes"]
        data = bytes(memoryview(self._logits).cast("B")[begin : begin + size])
        # Turns done later may have had the slot, and so may the one that is under way.
        running = self._status() == "RUNNING"
        if (self._read("FRAMES_DONE") + running - turn) % _TURNS > len(self._logits) // slot:
            raise DriverError("OVERWRITTEN")
        return unpack_logits(self.program.layout, data, frame)

    def start(self, turns=1):
        """Start: one turn, or several, or 0 for turns until `stop`.

        Raises
        ------
        DriverError
            NO_PROGRAM, NO_RINGS, BUSY.
        """
        if self.program is None:
            raise DriverError("NO_PROGRAM")
        if self._pictures is None:
            raise DriverError("NO_RINGS")
        self._check_idle()
        for name, buffer in (
            ("BASE", self._base), ("PICTURE", self._pictures), ("LOGITS", self._logits)
        ):
            self._write(f"{name}_LOW", buffer.device_address & 0xFFFFFFFF)
            self._write(f"{name}_HIGH", buffer.device_address >> 32)
        for name, buffer, slot in (
            ("PICTURE", self._pictures, self.program.picture_slot),
            ("LOGITS", self._logits, self.program.logits_slot),
        ):
            self._write(f"{name}_STRIDE", slot)
            self._write(f"{name}_COUNT", min(len(buffer) // slot, _map()["most_slots"]))
        self._write("PROGRAM_RECORDS", self.program.layout["records"])
        self._write("FRAMES", turns)
        self._write("INTERRUPT", 3)
        self._write("ERRORS", 3)
        self._write("INTERRUPT_ENABLE", 0 if self._rest is None else 1 if turns == 1 else 3)
        self._write("START", 1)
        if self._field("ERRORS", "START"):
            raise DriverError("BUSY")

    def poll(self):
        """Return after a good end; raise BUSY while a program is under way, else why it ended."""
        status = self._status()
        if status != "DONE":
            raise DriverError(_ERRORS.get(status, status))

    def wait(self, time_out):
        """Wait for the end, seconds at most; raises TIME_OUT, or why the program ended."""
        self._wait_for(None, time_out)
        self.poll()

    def wait_turn(self, turn, time_out):
        """Wait for the logits of a turn; raises TIME_OUT, NOT_DONE, or why the program ended."""
        if not self._wait_for(turn, time_out):
            self.poll()
            raise DriverError("NOT_DONE")

    def run(self, time_out):
        """Start one turn and wait for its end."""
        self.start()
        self.wait(time_out)

    def stop(self):
        """End after the turn that is under way, or one more; then `wait`."""
        self._write("STOP", 1)

    def abort(self, time_out):
        """End now; raises TIME_OUT if memory does not answer: only a reset helps then."""
        self._write("ABORT", 1)
        self._wait_for(None, time_out)

    def counters(self, number, stem=False):
        """Counters by name of the descriptor executed as that number since the start, or its stem.

        Raises
        ------
        DriverError
            NO_COUNTERS: there are none, or those of this descriptor are gone.
        """
        if not self._field("CAPABILITIES_FORMATS", "COUNTERS"):
            raise DriverError("NO_COUNTERS")
        table = _map()["counters"]
        row = table["offset"] + table["row_bytes"] * (number % table["rows"])
        row += table["row_bytes"] // 2 if stem else 0
        values = {name: self._mmio.read(row + 4 * k) for k, name in enumerate(table["names"])}
        if not 0 < (self._read("FINISHED") - number) % _TURNS < table["rows"]:
            raise DriverError("NO_COUNTERS")
        return values

    def _read(self, name):
        return self._mmio.read(_map()["registers"][name])

    def _write(self, name, value):
        self._mmio.write(_map()["registers"][name], value)

    def _field(self, register, field):
        low, mask = _map()["fields"][f"{register}_{field}"]
        return self._read(register) >> low & mask

    def _status(self):
        """Name of the status; NO_ANSWER if it has none."""
        value = self._read("STATUS")
        names = [name for name, number in _map()["status"].items() if number == value]
        return names[0] if names else "NO_ANSWER"

    def _check_idle(self):
        if self._status() == "RUNNING":
            raise DriverError("BUSY")

    def _check(self, memory, size):
        if memory.device_address % _map()["alignment"]:
            raise DriverError("NOT_ALIGNED")
        if memoryview(memory).nbytes < size:
            raise DriverError("MEMORY_TOO_SMALL")
        if memory.device_address + size - 1 >> self._address_bits:
            raise DriverError("OUT_OF_REACH")

    @staticmethod
    def _slot(ring, size, turn):
        return turn % min(len(ring) // size, _map()["most_slots"]) * size

    def _wait_for(self, turn, time_out):
        """Wait until the program has ended; if a turn is given, or until its logits are there."""
        end = self._clock() + time_out
        last = False
        while True:
            # First cleared, then looked at: a turn that ends in between raises it again.
            self._write("INTERRUPT", 2)
            running = self._status() == "RUNNING"
            if turn is not None and _is_before(turn, self._read("FRAMES_DONE")):
                return True
            if not running:
                self._write("INTERRUPT", 3)
                return False
            if last:
                raise DriverError("TIME_OUT")
            if self._rest is not None:
                self._rest(max(end - self._clock(), 0))
            last = self._clock() >= end


#: Errors of those states of a program that have another name than theirs.
_ERRORS = {
    "NONE": "NOT_STARTED",
    "RUNNING": "BUSY",
    "CONFIGURATION": "OTHER_IMAGE",
    "ALIGNMENT": "NOT_ALIGNED",
}


def _is_before(turn, other):
    """Whether a number of a turn, modulo 2**32, is below another."""
    return (turn - other) % _TURNS >= _TURNS // 2
