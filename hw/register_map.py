"""Registers of the accelerator as a table: names, addresses, fields, access, meaning.

Plain Python: the hardware (:mod:`mnv2.hw.registers`), the SystemRDL text, the C header and the
page are all made from this table, so each fact is stated here once.
"""

import enum
from dataclasses import dataclass

from .config import COUNTER_COLUMNS, COUNTER_ROWS, RECORDS_BITS

__all__ = ["ACCESSES", "ADDRESSES", "BASE_ALIGNMENT", "COUNTER_OFFSET", "COUNTER_ROW_BYTES",
           "FRAME_BITS", "IDENTIFIER", "MAP_VERSION", "REGISTERS", "REGISTER_ADDRESS_BITS",
           "SLOTS_BITS", "Field", "Register", "Status"]

#: Width of a byte address of a register.
REGISTER_ADDRESS_BITS = 14

#: Byte address of the first counter, and bytes of a row of counters, see
#: :data:`mnv2.hw.config.COUNTER_COLUMNS`. They read 0 in an accelerator without counters.
COUNTER_OFFSET, COUNTER_ROW_BYTES = 0x2000, 4 * COUNTER_COLUMNS

#: Value of ``ID``: "MNV2", first letter in the lowest byte.
IDENTIFIER = int.from_bytes(b"MNV2", "little")

#: Value of ``VERSION``, major and minor: a driver for another major version does not fit.
MAP_VERSION = (1, 0)

#: What ``BASE``, ``PICTURE``, ``LOGITS`` and the strides must be multiples of, in bytes.
BASE_ALIGNMENT = 4096

#: Widths of a number of frames, or of turns, and of the slots of a ring.
FRAME_BITS, SLOTS_BITS = 32, 16

#: How software may use a register: reads it only; reads and writes it; reads it and clears a bit
#: by writing 1 to it; writes it only.
ACCESSES = ("ro", "rw", "w1c", "wo")


class Status(enum.Enum):
    """State of the last program, or outcome of the last request to start one."""

    #: No program has ended since reset.
    NONE          = 0
    #: The program has ended, the results are in memory.
    DONE          = 1
    #: The program is under way.
    RUNNING       = 2
    #: Memory returned an error or violated AXI4; the program was aborted.
    BUS           = 3
    #: A descriptor is invalid; the program was aborted.
    DESCRIPTOR    = 4
    #: Nothing moved for a long time: descriptors and streams do not fit together; the program was
    #: aborted.
    STUCK         = 5
    #: The program is for another accelerator: its hash is not that of ``CONFIGURATION_HASH``, or
    #: there is no program at ``BASE``. Nothing of it was executed.
    CONFIGURATION = 6
    #: ``BASE``, ``PICTURE``, ``LOGITS`` or a stride is not a multiple of 4096 bytes. Nothing was
    #: read.
    ALIGNMENT     = 7
    #: The host wrote ``ABORT``.
    ABORTED       = 8


@dataclass(frozen=True)
class Field:
    """Bits of a register.

    Attributes
    ----------
    name : str
    low, width : int
        Lowest bit and number of bits. Others of the register read 0 and ignore writes.
    meaning : str
        A sentence, or two.
    values : type or None
        Enumeration of the values, if they have names.
    """

    name:    str
    low:     int
    width:   int
    meaning: str
    values:  type[enum.Enum] | None = None


@dataclass(frozen=True)
class Register:
    """A register of 32 bits.

    Attributes
    ----------
    name : str
    address : int
        In bytes, a multiple of 4.
    access : str
        One of :data:`ACCESSES`, for all of its fields.
    meaning : str
    fields : tuple of Field
        From the lowest bit up.
    constant : bool
        The value is the accelerator's, and never changes.
    reset : int
        Value after reset, of those that are not constant.
    """

    name:     str
    address:  int
    access:   str
    meaning:  str
    fields:   tuple[Field, ...]
    constant: bool = False
    reset:    int = 0

    def __post_init__(self) -> None:
        if self.access not in ACCESSES:
            raise ValueError(f"Access must be one of {', '.join(ACCESSES)}, not {self.access!r}")
        if self.address % 4:
            raise ValueError(f"Address of {self.name} must be a multiple of 4, not {self.address}")
        end = 0
        for field in self.fields:
            if field.low < end or field.low + field.width > 32:
                raise ValueError(f"Fields of {self.name} must lie apart and within 32 bits, "
                                 f"not {field.name} at bit {field.low}")
            end = field.low + field.width

    @property
    def mask(self) -> int:
        """Bits that belong to a field."""
        return sum((1 << field.width) - 1 << field.low for field in self.fields)


def _whole(name, meaning, width=32):
    return (Field(name, 0, width, meaning),)


def _address(name, offset, what):
    return (
        Register(f"{name}_LOW", offset, "rw",
                 f"Address of {what} in memory: its lower 32 bits. A multiple of 4096.",
                 _whole("ADDRESS", "Bits 31 to 0 of the address in bytes.")),
        Register(f"{name}_HIGH", offset + 4, "rw",
                 f"Address of {what} in memory: the bits above. Those that the memory port does "
                 "not have, see CAPABILITIES_PORT, read 0.",
                 _whole("ADDRESS", "Bits 63 to 32 of the address in bytes.")),
    )


def _words(name, address, what):
    return Register(f"CAPABILITIES_{name}", address, "ro", f"Words of {what}.",
                    _whole("WORDS", "Words."), constant=True)


_TABLE = (
    Register("ID", 0x000, "ro", "Says that this is the accelerator: the letters MNV2.",
             _whole("ID", "0x32564E4D, the letters with the first in the lowest byte."),
             constant=True),
    Register("VERSION", 0x004, "ro", "Version of this map of registers.",
             (Field("MINOR", 0, 16, "Goes up when registers are added."),
              Field("MAJOR", 16, 16, "Goes up when a driver for the map before does not fit.")),
             constant=True),
    Register("CONFIGURATION_HASH", 0x008, "ro",
             "Hash of the accelerator's configuration and of the format of its descriptors. A "
             "program carries the same in the first four bytes of its image; one with another is "
             "refused.",
             _whole("HASH", "The hash."), constant=True),
    Register("CAPABILITIES_LANES", 0x00C, "ro", "Lanes of the multiplier array.",
             (Field("OUTPUTS", 0, 12, "Output channels."),
              Field("INPUTS", 12, 10, "Input channels."),
              Field("PIXELS", 22, 6, "Pixels."),
              Field("FRAMES", 28, 2, "Frames that are computed abreast: 1 or 2.")),
             constant=True),
    Register("CAPABILITIES_FORMATS", 0x010, "ro", "Widths of values, and variants.",
             (Field("WEIGHT_BITS", 0, 4, "Bits of a weight."),
              Field("ACTIVATION_BITS", 4, 4, "Bits of an activation."),
              Field("ACCUMULATOR_BITS", 8, 6, "Bits of an accumulator."),
              Field("SINGLE_ROUNDING", 16, 1, "Results are rounded once, else twice as in LiteRT."),
              Field("PADDED_WORDS", 17, 1, "Words in memory are padded to whole beats."),
              Field("COUNTERS", 18, 1, "Cycles and beats of each descriptor are counted.")),
             constant=True),
    Register("CAPABILITIES_PORT", 0x014, "ro", "The AXI4 port to memory.",
             (Field("DATA_BITS", 0, 10, "Bits of a beat."),
              Field("ADDRESS_BITS", 16, 7, "Bits of an address.")),
             constant=True),
    _words("MAP", 0x018, "the map memory"),
    _words("STRIP", 0x01C, "the strip memory"),
    _words("LINE", 0x020, "the line memory"),
    _words("WEIGHTS", 0x024, "the ring of weights"),
    _words("TAPS", 0x028, "the ring of 3x3 kernels"),
    _words("PARAMETERS", 0x02C, "the ring of requantisation parameters"),

    Register("START", 0x040, "wo",
             "Write 1: start the program. Ignored, and noted in ERRORS, while one is under way.",
             (Field("START", 0, 1, "1 starts."),)),
    Register("STOP", 0x044, "wo",
             "Write 1: end the program after a whole turn. The turn whose first descriptor begins "
             "next is the last; the logits of all that were begun are written. Nothing happens if "
             "no program is under way.",
             (Field("STOP", 0, 1, "1 stops."),)),
    Register("ABORT", 0x048, "wo",
             "Write 1: end the program now. Bursts that were announced are completed, none is "
             "announced any more; the status is RUNNING until the last has ended, then ABORTED. "
             "What lies in memory of the turns under way is not defined. Nothing happens if no "
             "program is under way.",
             (Field("ABORT", 0, 1, "1 aborts."),)),
    Register("STATUS", 0x04C, "ro", "State of the last program.",
             (Field("STATUS", 0, 4, "State of the last program, or why it ended.", Status),)),
    Register("FINISHED", 0x050, "ro",
             "Descriptors completed since the start, modulo 2**32. The counters of the last are in "
             "row FINISHED - 1, modulo the rows.",
             _whole("DESCRIPTORS", "Descriptors.")),
    Register("FRAMES", 0x054, "rw",
             "Turns to run: frames, or pairs of frames abreast. 0: until STOP.",
             _whole("FRAMES", "Turns; 0 is no end.", FRAME_BITS), reset=1),
    Register("FRAMES_DONE", 0x058, "ro",
             "Turns whose logits are in memory, since the start, modulo 2**32. When it is n, the "
             "pictures of the first n turns have been read.",
             _whole("FRAMES", "Turns.", FRAME_BITS)),
    Register("INTERRUPT_ENABLE", 0x05C, "rw", "What raises the interrupt.",
             (Field("DONE", 0, 1, "A program has ended, for whatever reason."),
              Field("FRAME", 1, 1, "The logits of a turn are in memory."))),
    Register("INTERRUPT", 0x060, "w1c",
             "What has happened, whether enabled or not. The interrupt is high while a bit is 1 "
             "here and in INTERRUPT_ENABLE.",
             (Field("DONE", 0, 1, "A program has ended, for whatever reason."),
              Field("FRAME", 1, 1, "The logits of a turn are in memory."))),
    Register("ERRORS", 0x064, "w1c", "What the host did too early or too late.",
             (Field("START", 0, 1, "A start came while a program was under way."),
              Field("OVERRUN", 1, 1, "A turn ended while INTERRUPT.FRAME of an earlier one was "
                                     "still set."))),

    *_address("BASE", 0x080, "the program's image (records, weights, kernels, parameters, maps), "
                             "whose addresses are relative to it"),
    Register("PROGRAM_RECORDS", 0x088, "rw", "Records of the program, its header included.",
             _whole("RECORDS", "Records.", RECORDS_BITS)),
    *_address("PICTURE", 0x090, "the first slot of the ring of pictures"),
    Register("PICTURE_STRIDE", 0x098, "rw",
             "Bytes from a slot to the next, a multiple of 4096. A slot holds a turn's picture, or "
             "its two, packed.", _whole("BYTES", "Bytes.")),
    Register("PICTURE_COUNT", 0x09C, "rw",
             "Slots of the ring of pictures: turn t takes that of number t modulo the count. 0 is "
             "taken as 1.", _whole("SLOTS", "Slots.", SLOTS_BITS), reset=1),
    *_address("LOGITS", 0x0A0, "the first slot of the ring of logits"),
    Register("LOGITS_STRIDE", 0x0A8, "rw",
             "Bytes from a slot to the next, a multiple of 4096. A slot gets the logits of a turn.",
             _whole("BYTES", "Bytes.")),
    Register("LOGITS_COUNT", 0x0AC, "rw",
             "Slots of the ring of logits: turn t writes that of number t modulo the count. 0 is "
             "taken as 1.", _whole("SLOTS", "Slots.", SLOTS_BITS), reset=1),
)

#: The registers by name, in the order of their addresses; counters begin at
#: :data:`COUNTER_OFFSET`, row by row.
REGISTERS = {register.name: register for register in _TABLE}

#: Their byte addresses.
ADDRESSES = {name: register.address for name, register in REGISTERS.items()}

assert COUNTER_OFFSET + COUNTER_ROWS * COUNTER_ROW_BYTES <= 1 << REGISTER_ADDRESS_BITS
