"""Cost of the units between the core and external memory: masters, movers of maps, gearboxes."""

from mnv2.hw.config import STORE_QUEUE_WORDS, STREAMS, WRITE_OUTSTANDING, AcceleratorConfig
from mnv2.hw.gearbox_shape import gearbox_shape
from mnv2.sim.cost.pieces import gearbox_luts
from mnv2.sim.cost.unit_cost import MemoryShape, Operation, Sizing, UnitCost, queue

__all__ = [
    "GEARBOXES",
    "LOADER",
    "MAP_PORT",
    "READ_CHANNELS",
    "READ_MASTER",
    "READ_PORT",
    "READ_QUEUES",
    "SHORT_QUEUES",
    "STORER",
    "WRITE_MASTER",
    "WRITE_PORT",
    "WRITE_QUEUE",
    "list_gearboxes",
]

_PORT = "memory port"

#: Streams that a gearbox reads, and those that one writes, see `AcceleratorConfig.streams`.
_READ = (*STREAMS, "image")
_WRITTEN = ("activations", "logits")

READ_PORT = UnitCost(kind="read_port", group=_PORT, paths=("read_port",))
WRITE_PORT = UnitCost(
    kind="write_port",
    group=_PORT,
    paths=("write_port",),
    luts=lambda sizing, path: (sizing.config.data_bits,),
)
MAP_PORT = UnitCost(kind="map_port", group=_PORT, paths=("map_port",))
LOADER = UnitCost(kind="loader", group=_PORT, paths=("map_port.loader",))
STORER = UnitCost(kind="storer", group=_PORT, paths=("map_port.storer",))
READ_MASTER = UnitCost(kind="read_master", group=_PORT, paths=("read_port.read_master",))
WRITE_MASTER = UnitCost(
    kind="write_master",
    group=_PORT,
    paths=("write_port.write_master",),
    luts=lambda sizing, path: (sizing.config.data_bits,),
)


def _port_queue(path: str, beats: int, config: AcceleratorConfig) -> MemoryShape:
    """The memory of a buffered queue of beats, which keeps one of them in a register."""
    return MemoryShape(path, "storage", config.data_bits + 1, beats - 1, old_content=True)


WRITE_QUEUE = UnitCost(
    kind="write_queue",
    group=_PORT,
    paths=("write_port.write_master.queue",),
    flip_flops=lambda sizing, path: (sizing.config.data_bits, sizing.held(path)),
    luts=lambda sizing, path: (sizing.decoded(path), sizing.held(path)),
    memories=lambda config: (
        _port_queue("write_port.write_master.queue", config.write_queue_beats, config),
    ),
)
READ_CHANNELS = UnitCost(
    kind="read_channel",
    group=_PORT,
    paths=tuple(f"read_port.read_master.channel_{index}" for index in range(len(STREAMS))),
)
READ_QUEUES = UnitCost(
    kind="read_queue",
    group=_PORT,
    paths=tuple(f"{channel}.queue" for channel in READ_CHANNELS.paths),
    flip_flops=lambda sizing, path: (sizing.held(path),),
    luts=lambda sizing, path: (sizing.decoded(path), sizing.held(path)),
    memories=lambda config: tuple(
        _port_queue(f"{channel}.queue", config.read_queue_beats, config)
        for channel in READ_CHANNELS.paths
    ),
    operations=(
        Operation(
            "memory port queues",
            "bits",
            # Every beat is written to a queue and read from it; those read are kept in a buffer.
            lambda frame: 3 * frame.read_bits + 2 * frame.written_bits,
        ),
        Operation(
            "external memory",
            "bits",
            lambda frame: frame.read_bits + frame.written_bits,
            lambda config, energies: energies["dram_bit"],
        ),
    ),
)


def _short_queues(config: AcceleratorConfig) -> tuple[MemoryShape, ...]:
    length = config.burst_beats.bit_length()
    tail = config.data_bytes.bit_length() - 1
    return (
        queue("map_port.storer.queue", config.word_bits + 1, STORE_QUEUE_WORDS),
        queue("write_port.write_master.bursts", length + 1 + tail, WRITE_OUTSTANDING),
        queue(
            "read_port.read_master.due",
            (len(STREAMS) - 1).bit_length() + length + 1,
            config.outstanding,
        ),
    )


SHORT_QUEUES = UnitCost(
    kind="short_queue",
    group=_PORT,
    paths=("map_port.storer.queue", "write_port.write_master.bursts", "read_port.read_master.due"),
    memories=_short_queues,
)


def list_gearboxes(config: AcceleratorConfig) -> dict[str, tuple[int, int, str]]:
    """Bits taken, bits given and handling of partial words of each gearbox, by path."""
    streams = config.streams
    read = {
        f"read_port.{name}_gearbox": (streams[name].beat_bits, streams[name].taken_bits, "drop")
        for name in _READ
    }
    written = {
        f"write_port.{name}_gearbox": (streams[name].taken_bits, streams[name].beat_bits, "emit")
        for name in _WRITTEN
    }
    return read | written


def _gearbox_flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    taken_bits, given_bits, _ = list_gearboxes(sizing.config)[path]
    return (gearbox_shape(taken_bits, given_bits).register_bits,)


def _gearbox_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    luts = gearbox_luts(*list_gearboxes(sizing.config)[path], sizing.pieces_of)
    # The unit that follows a gearbox is merged with it: a ring of constants, that of kernels, or
    # logic that maps and pictures go to.
    name = path.split(".")[1].removesuffix("_gearbox")
    kinds = (name in ("weights", "parameters"), name == "taps")
    return tuple(luts * kind for kind in (*kinds, not any(kinds)))


GEARBOXES = UnitCost(
    kind="gearbox",
    group="gearboxes",
    paths=(
        *(f"read_port.{name}_gearbox" for name in _READ),
        *(f"write_port.{name}_gearbox" for name in _WRITTEN),
    ),
    flip_flops=_gearbox_flip_flops,
    luts=_gearbox_luts,
)
