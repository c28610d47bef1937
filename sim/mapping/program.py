"""Memory image of a program: header, descriptors, the streams that it reads, maps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.hw.config import RECORD_BYTES, RECORDS_BITS, SEGMENTS, AcceleratorConfig
from mnv2.hw.identity import configuration_hash
from mnv2.hw.program import Header
from mnv2.sim.mapping.addresses import assign_offsets
from mnv2.sim.mapping.packing import place_words
from mnv2.sim.mapping.run_places import RunPlaces

__all__ = [
    "CONSTANT_STREAMS",
    "Describe",
    "Program",
    "ProgramBuilder",
    "memory_image",
    "record_bytes",
]

#: Streams of constants, which are read from start to end, whatever the descriptors say.
CONSTANT_STREAMS = ("weights", "taps", "parameters")

#: Makes a descriptor's bytes of the offsets of the maps by name.
Describe = Callable[[Mapping[str, int]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Program:
    """A program's image, which runs wherever it is loaded.

    Attributes
    ----------
    image : uint8 array
        Records, streams of constants, and maps, from the program's base on. The first record is at
        its begin.
    records : int
        Records of the program, its header included.
    output_offset, output_bytes : int
        The map that a block leaves; 0 and 0 of a network, whose results are logits.
    memory_bytes : int
        Memory in use from the base on: the image, and maps that are written.
    picture_bytes, logits_bytes : int
        Of a turn's picture and logits, which lie elsewhere; 0 of a block.
    """

    __repr__ = short_repr

    image: np.ndarray
    records: int
    output_offset: int
    output_bytes: int
    memory_bytes: int
    picture_bytes: int
    logits_bytes: int


class ProgramBuilder:
    """Collects descriptors, streams and maps in order of use, and lays them out in memory.

    Offsets in descriptors are only known at the end, so a descriptor is a function of the places of
    the maps by name.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        self._descriptors: list[Describe] = []
        self._streams: dict[str, list[list[np.ndarray]]] = {
            name: [[] for _ in range(SEGMENTS)] for name in CONSTANT_STREAMS
        }
        self._maps: dict[str, np.ndarray] = {}

    def add_stream(self, name: str, data: np.ndarray, segment: int = 0) -> None:
        """Append words without gaps to a segment of a stream: weights, taps or parameters."""
        self._streams[name][segment].append(data)

    def add_map(self, name: str, data: np.ndarray) -> None:
        """A map in memory by name, with its bytes."""
        self._maps[name] = data

    def reserve_map(self, name: str, size: int) -> None:
        """A map in memory by name, of a number of bytes that will be written."""
        self._maps[name] = np.zeros(size, np.uint8)

    def add_descriptor(self, make: Describe) -> None:
        """Append a descriptor: a function of {name of a map: offset} that returns its bytes."""
        self._descriptors.append(make)

    def build(
        self, output: str | None = None, *, picture_bytes: int = 0, logits_bytes: int = 0
    ) -> tuple[Program, dict[str, int]]:
        """Lay everything out.

        Parameters
        ----------
        output : str
            Name of the map that is the result, if one is.
        picture_bytes, logits_bytes : int
            See `Program`.

        Returns
        -------
        Program
        dict of str to int
            Offset of each stream and map.
        """
        config = self._config
        segments = {
            name: [_join(parts, config.streams[name], config) for parts in stream]
            for name, stream in self._streams.items()
        }
        streams = {name: np.concatenate(parts) for name, parts in segments.items()}
        records = 1 + len(self._descriptors)
        if records >= 1 << RECORDS_BITS:
            raise ValueError(
                f"A program must have fewer than {1 << RECORDS_BITS} records, not {records}"
            )
        parts = {**streams, **self._maps}
        places, size = assign_offsets(records, {name: len(data) for name, data in parts.items()})
        image = np.zeros(size, np.uint8)
        for name, data in parts.items():
            image[places[name] : places[name] + len(data)] = data
        header: dict[str, object] = {"configuration": configuration_hash(config)}
        for name, stream in segments.items():
            beats = [len(data) // config.data_bytes for data in stream]
            header[f"{name}_offset"] = places[name]
            header[f"{name}_beats"] = sum(beats) if name == "taps" else beats
        table = [record_bytes(Header, header), *(make(places) for make in self._descriptors)]
        image[: records * RECORD_BYTES] = np.concatenate(table)
        return Program(
            image=image,
            records=records,
            output_offset=places[output] if output else 0,
            output_bytes=len(self._maps[output]) if output else 0,
            memory_bytes=size,
            picture_bytes=picture_bytes,
            logits_bytes=logits_bytes,
        ), places


def _join(parts, layout, config):
    """Whole beats of a segment, from parts that have words without gaps, each of whole bytes."""
    bits = layout.word_bits
    counts = [8 * len(part) // bits for part in parts]
    none = np.zeros(0, np.uint8)
    if bits % 8 == 0:
        data = np.concatenate([none, *parts])
    else:
        planes = [
            np.unpackbits(part, bitorder="little")[: count * bits]
            for part, count in zip(parts, counts, strict=True)
        ]
        data = np.packbits(np.concatenate([none, *planes]), bitorder="little")
    data = place_words(data, sum(counts), layout)
    return np.pad(data, (0, -len(data) % config.data_bytes))


def record_bytes(record_class, members):
    """A record's bytes, padded to the length that each record takes."""
    value = record_class.const(members).as_bits()
    return np.frombuffer(value.to_bytes(RECORD_BYTES, "little"), np.uint8)


def memory_image(program: Program, places: RunPlaces, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Bytes of the memory of a run, from the program's base on.

    Parameters
    ----------
    program : Program
    places : mnv2.sim.mapping.run_places.RunPlaces
    pictures : sequence of uint8 array
        Packed picture of each slot, see `mnv2.sim.mapping.packing.pack_image`; none of a block.

    Returns
    -------
    uint8 array
    """
    parts = [(places.base, program.image)]
    parts += [(places.picture_address(slot), data) for slot, data in enumerate(pictures)]
    end = max(address + len(data) for address, data in parts)
    image = np.zeros(end - places.base, np.uint8)
    for address, data in parts:
        begin = address - places.base
        image[begin : begin + len(data)] = data
    return image
