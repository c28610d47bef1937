"""Random accelerators, networks and memories, on which the cycle model is held to the RTL.

``python -m tests.sim.cycles.random_systems --seeds 40`` runs many, and keeps what it found.
"""

import argparse
import json
import random
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import Progress

from mnv2.golden.network import Network
from mnv2.golden.synthetic import random_activation, random_model
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.bounds import check_network
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.tiling import DoesNotFit
from mnv2.sim.memory.parts import load_parts
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.check import accelerator_arithmetic
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import network_of

__all__ = ["System", "random_case", "random_system", "unequal_figures", "with_options"]

#: Larger machines take minutes to build.
_MOST_WORD_BITS, _MOST_MULTIPLIERS = 600, 520


@dataclass(frozen=True)
class System:
    """A machine, a network that fits it, a memory, and how often the network is computed.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    network : mnv2.golden.network.Network
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    turns : int
        Frames, or pairs abreast, that follow one another.
    seed : int
        Of the parameters and of the pictures.
    """

    config: AcceleratorConfig
    network: Network
    memory: MemoryModel
    turns: int
    seed: int


def random_case(seed):
    """A machine and a network that fits it, with a latency."""
    rng = random.Random(seed)
    while True:
        inputs = rng.choice([3, 4, 5, 6, 8, 16])
        outputs = inputs * rng.choice([k for k in (1, 2, 3, 4, 6, 8) if 9 <= inputs * k <= 64])
        config = AcceleratorConfig(
            outputs=outputs,
            inputs=inputs,
            pixels=rng.choice([1, 2, 3, 4, 7, 8]),
            weight_bits=rng.choice([4, 6, 8]),
            activation_bits=rng.choice([5, 8]),
            map_words=int(10 ** rng.uniform(2.3, 4)),
            strip_words=int(10 ** rng.uniform(2.0, 3.4)),
            line_words=rng.choice([256, 512, 1024]),
            weight_words=int(10 ** rng.uniform(2.2, 3.8)),
            tap_words=rng.randrange(20, 200),
            parameter_words=rng.randrange(80, 600),
            queue_words=2 * (outputs // inputs) + rng.choice([0, 0, 1, 2, 5, 16]),
            residual_lanes=inputs,
            data_bits=rng.choice([64, 128, 256, 512]),
            burst_beats=rng.choice([2, 2, 4, 8, 16, 32]),
            outstanding=rng.choice([2, 3, 4, 8, 16]),
        )
        table = [
            (
                rng.choice([1, 2, 3, 6]),
                rng.randrange(3, 40),
                rng.choice([1, 2, 3]),
                rng.choice([1, 2]),
            )
            for _ in range(rng.randrange(1, 4))
        ]
        made = network_of(
            table,
            (rng.randrange(1, 50), rng.randrange(1, 50)),
            stem=rng.randrange(3, 33),
            head=rng.randrange(8, 200),
            classes=rng.randrange(2, 120),
            padding=rng.choice(["pytorch", "tensorflow"]),
        )
        try:
            place_network(made, config)
        except DoesNotFit:
            continue
        return config, made, rng.choice([2, 3, 10, 40, 100, 300])


def with_options(config, seed):
    """The machine with options of its datapath that change its cycles or its bytes."""
    rng = random.Random(1000 + seed)
    frames = rng.choice([1, 2])
    elements = config.inputs * config.pixels * frames
    return replace(
        config,
        frames=frames,
        packing=rng.choice(["none", "pixels", "frames"][: 1 + frames]),
        operand_bits=rng.choice([25, 27]),
        accumulator_bits=rng.choice([24, 27, 32]),
        requantize=rng.choice(["double", "single"]),
        residual_lanes=rng.choice([k for k in range(1, elements + 1) if elements % k == 0]),
        padded_words=rng.choice([False, True]),
    )


def random_system(seed):
    """A machine with options, its network, and a memory that is far, slow, pauses, or is a part."""
    number = seed
    while True:
        config, network, latency = random_case(number)
        config = with_options(config, number)
        bits = config.activation_bits * config.inputs * config.pixels * config.frames
        if bits <= _MOST_WORD_BITS and config.multipliers <= _MOST_MULTIPLIERS:
            break
        number += 1_000_000
    rng = random.Random(2000 + seed)
    memory = MemoryModel(
        latency=latency,
        bytes_per_cycle=rng.choice([0, 0, 3, config.data_bytes // 2]),
        stall_percent=rng.choice([0, 0, 5, 30]),
        seed=seed + 1,
    )
    turns = rng.choice([1, 1, 2, 3])
    # Drawn last, so that the rest of a seed's system is what it was before there were parts.
    if rng.random() < 0.4:
        memory = MemoryModel(
            stall_percent=rng.choice([0, 0, 0, memory.stall_percent]),
            seed=memory.seed,
            part=rng.choice(list(load_parts())),
            part_clock_hz=10 ** rng.uniform(7.3, 9),
        )
    return System(config, network, memory, turns, seed)


def _model_and_tensors(system):
    """A random model in the machine's arithmetic, the tensors of each picture abreast, the machine.

    Sums that the machine cannot prove to fit get accumulators of 32 bits.
    """
    config, network = system.config, system.network
    bits = config.weight_bits, config.activation_bits
    rng = np.random.default_rng(system.seed)
    model, _ = random_model(rng, network, *bits, accelerator_arithmetic(config))
    try:
        check_network(model, config)
    except DoesNotFit:
        config = replace(config, accumulator_bits=32)
    images = [random_activation(rng, network.input_shape, bits[1]) for _ in range(config.frames)]
    return model, [model.run(image) for image in images], config


def unequal_figures(system):
    """Run a system in RTL, its tensors held to golden, its figures compared with the prediction.

    Parameters
    ----------
    system : System

    Returns
    -------
    dict
        By turn: what `mnv2.sim.prediction.layers.LayerComparison.differences` found, and ``ends``
        where a frame ended in another cycle. Empty where all are equal.
    """
    model, tensors, config = _model_and_tensors(system)
    run = run_network(
        model, tensors, config=config, memory=system.memory, turns=system.turns, asserts=True
    )
    predicted = predict_frames(system.network, config, system.turns, **asdict(system.memory))
    found = {
        turn: differences
        for turn, rows in enumerate(run.frame_layers)
        if (
            differences := compare_layers(
                system.network, config, predicted.layers[turn], rows
            ).differences()
        )
    }
    if run.frame_ends != predicted.ends:
        found["ends"] = [run.frame_ends, predicted.ends]
    return found


def _main():
    parser = argparse.ArgumentParser(
        description="Random accelerators, networks and memories in RTL: every tensor against the "
        "golden model, every figure against the prediction. Seeds already in FILE are left out."
    )
    parser.add_argument("--seeds", type=int, default=40, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("build/random_systems.jsonl"))
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if options.output.exists():
        for line in options.output.read_text().splitlines():
            record = json.loads(line)
            known[record["seed"]] = record["found"]
    seeds = range(options.first, options.first + options.seeds)
    with Progress() as progress, options.output.open("a") as kept:
        for seed in progress.track(seeds, description="random systems"):
            if seed in known:
                continue
            try:
                found = unequal_figures(random_system(seed))
            except UserError as error:
                found = str(error)
            known[seed] = found
            kept.write(json.dumps({"seed": seed, "found": found}, default=str) + "\n")
            kept.flush()
            if found:
                progress.console.print(f"seed {seed}: {found}", markup=False)
    wrong = [seed for seed in seeds if known[seed]]
    equal = len(seeds) - len(wrong)
    print(f"{equal} of {len(seeds)} random systems equal; unequal: {wrong or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(_main())
