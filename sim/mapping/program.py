"""Memory image of a program: header, descriptors, the streams that it reads, maps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.hw.config import RECORD_BYTES, RECORDS_BITS, AcceleratorConfig
from mnv2.hw.program import Header
from mnv2.sim.mapping.addresses import assign_addresses
from mnv2.sim.mapping.packing import place_words

__all__ = ["CONSTANT_STREAMS", "Describe", "Program", "ProgramBuilder", "record_bytes"]

#: Streams of constants, which are read from start to end, whatever the descriptors say.
CONSTANT_STREAMS = ("weights", "taps", "parameters")

#: Makes a descriptor's bytes of the addresses of the maps by name.
Describe = Callable[[Mapping[str, int]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Program:
    """Memory as the host writes it, and the place of the result.

    Attributes
    ----------
    image : uint8 array
        Memory from address 0 on, where the program begins.
    records : int
        Records of the program, its header included.
    output_address, output_bytes : int
        Where the output will be.
    memory_bytes : int
        Memory in use.
    """

    __repr__ = short_repr

    image: np.ndarray
    records: int
    output_address: int
    output_bytes: int
    memory_bytes: int


class ProgramBuilder:
    """Collects descriptors, streams and maps in order of use, and lays them out in memory.

    Addresses in descriptors are only known at the end, so a descriptor is a function of the places
    of the maps by name.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        self._descriptors: list[Describe] = []
        self._streams: dict[str, list[np.ndarray]] = {name: [] for name in CONSTANT_STREAMS}
        self._maps: dict[str, np.ndarray] = {}

    def add_stream(self, name: str, data: np.ndarray) -> None:
        """Append words without gaps to a stream: weights, taps or parameters."""
        self._streams[name].append(data)

    def add_map(self, name: str, data: np.ndarray) -> None:
        """A map in memory by name, with its bytes."""
        self._maps[name] = data

    def reserve_map(self, name: str, size: int) -> None:
        """A map in memory by name, of a number of bytes that will be written."""
        self._maps[name] = np.zeros(size, np.uint8)

    def add_descriptor(self, make: Describe) -> None:
        """Append a descriptor: a function of {name of a map: address} that returns its bytes."""
        self._descriptors.append(make)

    def build(self, first: str, last: str | None = None) -> tuple[Program, dict[str, int]]:
        """Lay everything out.

        Parameters
        ----------
        first, last : str
            Names of the maps that the result begins and ends with; ``last`` is by default the
            first.

        Returns
        -------
        Program
        dict of str to int
            Address of each stream and map.
        """
        layouts = self._config.streams
        streams = {name: _join(parts, layouts[name]) for name, parts in self._streams.items()}
        records = 1 + len(self._descriptors)
        if records >= 1 << RECORDS_BITS:
            raise ValueError(
                f"A program must have fewer than {1 << RECORDS_BITS} records, not {records}"
            )
        parts = {**streams, **self._maps}
        places, address = assign_addresses(
            records, {name: len(data) for name, data in parts.items()}
        )
        image = np.zeros(address, np.uint8)
        for name, data in parts.items():
            image[places[name] : places[name] + len(data)] = data
        header = {}
        for name, data in streams.items():
            header[f"{name}_address"] = places[name]
            header[f"{name}_beats"] = -(-len(data) // self._config.data_bytes)
        table = [record_bytes(Header, header), *(make(places) for make in self._descriptors)]
        image[: records * RECORD_BYTES] = np.concatenate(table)
        last = last or first
        end = places[last] + len(self._maps[last])
        return Program(
            image=image,
            records=records,
            output_address=places[first],
            output_bytes=end - places[first],
            memory_bytes=address,
        ), places


def _join(parts, layout):
    """Bytes of a stream, from parts that have words without gaps, each padded to whole bytes."""
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
    return place_words(data, sum(counts), layout)


def record_bytes(record_class, members):
    """A record's bytes, padded to the length that each record takes."""
    value = record_class.const(members).as_bits()
    return np.frombuffer(value.to_bytes(RECORD_BYTES, "little"), np.uint8)
