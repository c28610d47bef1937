"""How many cycles a run is given before it counts as hung."""

from mnv2.hw.config import PAGE_BYTES
from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.ideal import program_steps

__all__ = ["block_deadline", "network_deadline"]

#: Cycles over those predicted, and as a multiple of them; what starts a program is not predicted.
_SPARE_CYCLES, _SPARE_FACTOR = 10_000, 1.1

#: Where nothing is predicted: a multiple of the ideal cycles, and cycles in addition.
_IDEAL_FACTOR, _IDEAL_CYCLES = 20, 1_000_000

#: The testbench counts in 32 bits with a sign.
_MOST = 2**31 - 1


def network_deadline(network, config, memory, turns=1):
    """Cycles after which a run of a network is given up: those predicted, and a tenth.

    Parameters
    ----------
    network : mnv2.golden.network.Network
        It fits.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel or None
        None for one that is not the project's own, of which nothing is predicted.
    turns : int
        Frames, or pairs abreast, that follow one another.

    Returns
    -------
    int
    """
    if memory is not None:
        try:
            predicted = predict_frames(
                network,
                config,
                turns,
                latency=memory.latency,
                bytes_per_cycle=memory.bytes_per_cycle,
                stall_percent=memory.stall_percent,
                seed=memory.seed,
                part=memory.part,
                part_clock_hz=memory.part_clock_hz,
            ).ends[-1]
            return min(int(_SPARE_FACTOR * predicted) + _SPARE_CYCLES, _MOST)
        except UserError:
            # Predicted to be stuck: whether it is, the run has to say.
            pass
    ideal = sum(step.ideal_cycles for step in program_steps(network, config))
    return min(turns * _IDEAL_FACTOR * ideal + _IDEAL_CYCLES, _MOST)


def block_deadline(ideal, moved_bytes, config, memory):
    """Cycles after which a run of a single block is given up; no model predicts these.

    Twenty times its ideal cycles, and the time of its bursts one by one, each with twice the
    memory's latency and at its bandwidth, in the share of cycles in which the memory does not
    pause.

    Parameters
    ----------
    ideal : int
        Cycles.
    moved_bytes : int
        Of the program, all that it reads and all that it writes, or more.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel

    Returns
    -------
    int
    """
    beats = -(-moved_bytes // config.data_bytes)
    # No burst crosses a page, and each page, stream and row may begin in the middle of one.
    bursts = 2 * -(-beats // config.burst_beats) + moved_bytes // PAGE_BYTES + 1000
    pace = memory.shared_bytes_per_cycle or config.data_bytes
    port = bursts * (2 * memory.latency + 64) + moved_bytes // pace + beats
    running = 1 - memory.stall_percent / 100
    cycles = (_IDEAL_FACTOR * ideal + port) / running**2
    return min(int(cycles) + _IDEAL_CYCLES, _MOST)
