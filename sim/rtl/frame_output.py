"""The tensors of a run, taken from the bytes that it left, and compared with golden's."""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.hw.stream_layout import padded_layout
from mnv2.sim.mapping.network_program import unpack_logits
from mnv2.sim.rtl.abreast import frame_label, unpack_frames
from mnv2.sim.rtl.check import check_map

__all__ = ["FrameOutput", "check_outputs", "output_range", "read_outputs"]


@dataclass(frozen=True, eq=False)
class FrameOutput:
    """Tensors that the hardware made of one picture.

    Attributes
    ----------
    logits : int8 [classes]
    accumulators : int32 [classes]
        The classifier's, with bias: logits that nothing has clipped.
    maps : dict of str to int8 [H, W, C]
        Outputs of the blocks by the block's name, as the map memory held them, or external memory
        those that went through it; and ``"pool"``. Only those of the first frames are kept.
    """

    __repr__ = short_repr

    logits: np.ndarray
    accumulators: np.ndarray
    maps: dict[str, np.ndarray]


def read_outputs(result, snapshots, program, places, network, turns, config):
    """Tensors of every frame of a run.

    Parameters
    ----------
    result : mnv2.sim.rtl.simulate.Simulation
        With the output of `output_range`.
    snapshots : sequence of (int, (int, int))
        As for `mnv2.sim.rtl.simulate.simulate`: the first blocks' maps that stay on chip, and the
        pool's.
    program : mnv2.sim.mapping.network_program.NetworkProgram
    places : mnv2.sim.mapping.run_places.RunPlaces
        With a slot for the logits of each turn.
    network : mnv2.golden.network.Network
    turns : int
        Frames, or pairs abreast, one after another.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of FrameOutput
        In the order of the images.
    """
    first, _ = output_range(program, places)
    spilled = {
        name: np.frombuffer(result.output, np.uint8, size, places.base + offset - first)
        for name, (offset, size) in program.spilled_maps.items()
    }
    maps = _unpack_maps(result.maps, snapshots, spilled, network, config)
    outputs = []
    for number in range(turns * config.frames):
        turn, frame = divmod(number, config.frames)
        logits = result.output[places.logits_address(turn) - first :]
        accumulators, one = unpack_logits(logits, program, config, frame)
        outputs.append(FrameOutput(one, accumulators, maps[number] if number < len(maps) else {}))
    return tuple(outputs)


def check_outputs(outputs, pictures, network, config, memory):
    """Insist that all tensors of all frames equal golden's.

    Parameters
    ----------
    outputs : sequence of FrameOutput
    pictures : sequence of dict of str to array
        Golden's tensors of each frame abreast.
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel

    Raises
    ------
    Mismatch
        Naming the first tensor that differs, and its picture if there are several.
    """
    again = "the same image and"
    for number, made in enumerate(outputs):
        picture = number % config.frames
        tensors = [
            ("the classifier's accumulators", made.accumulators, "logits_accumulator", again),
            ("the logits", made.logits, "classifier", again),
        ]
        if number < config.frames:
            pool = ("the pool", made.maps["pool"], "pool", again)
            tensors = [*_block_outputs(made.maps, network), pool, *tensors]
        for name, found, key, repeat in tensors:
            expected = pictures[picture][key].reshape(found.shape)
            check_map(frame_label(name, picture, config), found, expected, memory, repeat)


def _block_outputs(maps, network):
    """For each block: its name, its map, golden's name of that, and options that repeat it."""
    for block in network.blocks:
        repeat = f"--blocks {block.name.removeprefix('block')}"
        yield block.name, maps[block.name], block.output_name, repeat


def output_range(program, places):
    """Addresses of what a run is looked at for: from the first spilled map to the last logits.

    Parameters
    ----------
    program : mnv2.sim.mapping.network_program.NetworkProgram
    places : mnv2.sim.mapping.run_places.RunPlaces

    Returns
    -------
    (int, int)
        The first, and one past the last.
    """
    offsets = [offset for offset, _ in program.spilled_maps.values()]
    return places.base + min(offsets) if offsets else places.logits, places.end


def _unpack_maps(data, snapshots, spilled, network, config):
    """Maps of the blocks and of the pool of each frame abreast, from the bytes of the snapshots,
    one after another, and those of the spilled maps."""
    shapes = {
        number: (block.name, block.output_shape)
        for number, block in enumerate(network.blocks, start=1)
    }
    together = {
        name: unpack_frames(spilled[name], shape, config)
        for name, shape in shapes.values()
        if name in spilled
    }
    shapes[len(network.blocks) + 1] = "pool", network.pool.output_shape
    # The simulation pads each word to whole bytes.
    offset, word_bytes = 0, -(-config.word_bits // 8)
    layout = padded_layout(config.word_bits, 8 * word_bytes)
    for number, (base, end) in snapshots:
        size = (end - base) * word_bytes
        name, shape = shapes[number]
        together[name] = unpack_frames(data[offset : offset + size], shape, config, layout)
        offset += size
    return [
        {name: frames[number] for name, frames in together.items()}
        for number in range(config.frames)
    ]
