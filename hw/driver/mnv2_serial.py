"""Loader of the MobileNetV2 accelerator: its driver in Python, at the other end of a serial line.

    python mnv2_serial.py /dev/ttyUSB0 --system system.json

The board has LiteX's bridge from a serial line to its bus; ``system.json`` says what is where on
it. The program of ``mnv2 program`` in this file's folder is loaded, the pictures of ``pixels.bin``
are run, and the classes are printed; logits are compared with ``logits.bin``. Needs pyserial.

From Python:

    line = serial.Serial("/dev/ttyUSB0", system["baud"], timeout=5)
    board = Board(line, system)
    device = Accelerator(board.registers)
    device.load(program, board.allocate(program.memory_bytes))
"""

import argparse
import json
import sys
import time
from pathlib import Path

try:
    from .mnv2_pynq import Accelerator, DriverError, Program
except ImportError:  # Next to the files of a program it is no part of a package.
    from mnv2_pynq import Accelerator, DriverError, Program

__all__ = ["Board", "Bridge", "Buffer", "Registers", "main"]

#: Commands of LiteX's bridge; words of the longest; bytes of a word.
_WRITE, _READ = 1, 2
_MOST_WORDS = 255
_WORD = 4

#: Bytes at whose multiples memory is allocated.
_ALIGNMENT = 4096

#: Seconds after which a line that says nothing is given up, and after which a program is.
_ANSWER_SECONDS, _RUN_SECONDS = 5, 60
#: Classes that are printed of each picture.
_CLASSES = 5


class Bridge:
    """LiteX's bridge from a serial line to the bus of a SoC.

    Parameters
    ----------
    line : serial.Serial
        Or anything else whose ``read(count)`` returns fewer bytes when its time is up, or none,
        with ``write(data)`` and ``reset_input_buffer()``.
    """

    def __init__(self, line):
        self._line = line
        # What was sent before is of nobody's business.
        line.reset_input_buffer()

    def write(self, address, data):
        """Write bytes to an address; both are multiples of 4."""
        for begin, words in _bursts(len(data)):
            part = data[begin : begin + words * _WORD]
            self._line.write(_command(_WRITE, words, address + begin) + _swap(part))

    def read(self, address, count):
        """Bytes at an address; both are multiples of 4.

        Raises
        ------
        DriverError
            NO_ANSWER.
        """
        data = bytearray()
        for begin, words in _bursts(count):
            self._line.write(_command(_READ, words, address + begin))
            data += _swap(self._receive(words * _WORD))
        return bytes(data)

    def _receive(self, count):
        """Bytes of an answer, as long as some come."""
        data = bytearray()
        while len(data) < count:
            part = self._line.read(count - len(data))
            if not part:
                raise DriverError("NO_ANSWER")
            data += part
        return data


def _bursts(count):
    """(first byte, words) of each command for a number of bytes."""
    words = count // _WORD
    for first in range(0, words, _MOST_WORDS):
        yield first * _WORD, min(words - first, _MOST_WORDS)


def _command(command, words, address):
    """Bytes that a command begins with: LiteX counts addresses in words."""
    return bytes((command, words)) + (address // _WORD).to_bytes(_WORD, "big")


def _swap(data):
    """Words of memory as the line carries them, the highest byte first, and back."""
    swapped = bytearray(len(data))
    for byte in range(_WORD):
        swapped[byte::_WORD] = data[_WORD - 1 - byte :: _WORD]
    return bytes(swapped)


class Registers:
    """Registers at an address of the bus, as pynq.MMIO has them."""

    def __init__(self, bridge, address):
        self._bridge, self._address = bridge, address

    def read(self, offset):
        """Value of the register at an offset."""
        return int.from_bytes(self._bridge.read(self._address + offset, _WORD), "little")

    def write(self, offset, value):
        """Write the register at an offset."""
        self._bridge.write(self._address + offset, int(value).to_bytes(_WORD, "little"))


class Buffer(bytearray):
    """The host's copy of a part of the board's memory, as pynq.buffer.PynqBuffer.

    Attributes
    ----------
    device_address : int
        Where the part lies, as the accelerator sees it.
    """

    def __init__(self, size, bridge, address):
        super().__init__(size)
        self._bridge, self.device_address = bridge, address

    def flush(self):
        """Write the copy to the board's memory."""
        self._bridge.write(self.device_address, bytes(self) + bytes(-len(self) % _WORD))

    def invalidate(self):
        """Read the copy from the board's memory."""
        size = len(self) + -len(self) % _WORD
        self[:] = self._bridge.read(self.device_address, size)[: len(self)]


class Board:
    """A board with the accelerator, its memory ready for use.

    Parameters
    ----------
    line : serial.Serial
        See `Bridge`.
    system : dict
        ``system.json``.

    Attributes
    ----------
    registers : Registers
        Of the accelerator.
    """

    def __init__(self, line, system):
        self._bridge = Bridge(line)
        self._next, self._end = system["memory"], system["memory"] + system["memory_bytes"]
        self.registers = Registers(self._bridge, system["registers"])
        for address, value, clocks in system["initialization"]:
            self._bridge.write(address, value.to_bytes(_WORD, "little"))
            if clocks:
                # An answer says that the write has arrived.
                self._bridge.read(address, _WORD)
                time.sleep(clocks / system["clock_hz"])

    def allocate(self, size):
        """A part of the memory that is used by nothing else.

        Raises
        ------
        DriverError
            MEMORY_TOO_SMALL.
        """
        if self._next + size > self._end:
            raise DriverError("MEMORY_TOO_SMALL")
        buffer = Buffer(size, self._bridge, self._next)
        self._next += -(-size // _ALIGNMENT) * _ALIGNMENT
        return buffer


def run_pictures(device, program, pixels):
    """Logits of pictures, and seconds from start to end, for each turn.

    Parameters
    ----------
    device : Accelerator
    program : Program
    pixels : bytes
        int8 [frames][rows][columns][3] of each turn, one after the other.

    Yields
    ------
    list of list of int
        Logits of each frame abreast.
    float
        Seconds.
    """
    about = program.layout["picture"]
    rows, columns, channels = about["shape"]
    size = rows * columns * channels
    turn_bytes = about["frames"] * size
    if not pixels or len(pixels) % turn_bytes:
        raise DriverError("PICTURE_SIZE")
    for begin in range(0, len(pixels), turn_bytes):
        frames = range(begin, begin + turn_bytes, size)
        device.put_picture(0, *(pixels[first : first + size] for first in frames))
        start = time.monotonic()
        device.run(_RUN_SECONDS)
        seconds = time.monotonic() - start
        yield [device.get_logits(0, frame)[0] for frame in range(about["frames"])], seconds


def main(arguments=None):
    """Run the pictures of a file.

    Returns
    -------
    int
        Status of the program: 0, 1 if logits differ from those that must come out, 2 if it fails.
    """
    chosen = _parse(arguments)
    try:
        import serial

        system = json.loads(chosen.system.read_text(encoding="utf-8"))
        program = Program(chosen.program)
        pixels = (chosen.pixels or chosen.program / "pixels.bin").read_bytes()
        with serial.serial_for_url(chosen.line, system["baud"], timeout=chosen.time_out) as line:
            return _run(line, system, program, pixels, None if chosen.pixels else chosen.program)
    except ImportError:
        print("The serial line needs pyserial: pip install pyserial", file=sys.stderr)
    except DriverError as error:
        print(f"{chosen.line}: {error}", file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    except (ValueError, KeyError) as error:
        print(f"{chosen.system} or the program's layout.json is none: {error}", file=sys.stderr)
    return 2


def _parse(arguments):
    parser = argparse.ArgumentParser(description="Run pictures on a board at a serial line.")
    parser.add_argument("line", help="serial device, such as /dev/ttyUSB0, or pyserial's URL")
    parser.add_argument(
        "--system", type=Path, required=True, help="system.json, written with the bitstream"
    )
    parser.add_argument(
        "--program", type=Path, default=Path(__file__).parent,
        help="folder of `mnv2 program` (default that of this file)",
    )
    parser.add_argument(
        "--pixels", type=Path,
        help="pictures, int8 as the network takes them (default pixels.bin of the program, whose "
        "logits are compared with logits.bin)",
    )
    parser.add_argument(
        "--time-out", type=float, default=_ANSWER_SECONDS, metavar="SECONDS",
        help=f"after which a line that says nothing is given up (default {_ANSWER_SECONDS})",
    )
    return parser.parse_args(arguments)


def _run(line, system, program, pixels, vector):
    """Load the program, run the pictures, tell their classes, and compare a vector's logits."""
    board = Board(line, system)
    device = Accelerator(board.registers)
    begin = time.monotonic()
    device.load(program, board.allocate(program.memory_bytes))
    print(f"loaded {program.memory_bytes} bytes in {time.monotonic() - begin:.1f} s")
    device.set_rings(board.allocate(program.picture_slot), board.allocate(program.logits_slot))
    names, logits = program.layout["class_names"], bytearray()
    scale = program.layout["logits"]["scale"]
    zero_point = program.layout["logits"]["zero_point"]
    for frames, seconds in run_pictures(device, program, pixels):
        print(f"ran in {seconds:.3f} s, the line included")
        for found in frames:
            best = sorted(range(len(found)), key=lambda index: -found[index])[:_CLASSES]
            print(", ".join(f"{names[k]} {scale * (found[k] - zero_point):.2f}" for k in best))
            logits += bytes(value & 255 for value in found)
    if vector is None:
        return 0
    expected = (vector / "logits.bin").read_bytes()
    wrong = abs(len(expected) - len(logits)) + _differences(expected, logits)
    print(f"{wrong} of {len(expected)} logits differ")
    return 1 if wrong else 0


def _differences(expected, found):
    """Bytes that differ, up to the end of the shorter."""
    return sum(a != b for a, b in zip(expected, found, strict=False))


if __name__ == "__main__":
    sys.exit(main())
