"""Small whole accelerators in RTL, as a judge of what is planted in the hardware.

``python -m tests.sim.mutation.machines`` runs a few machines one after another until one is wrong,
and prints what it found as JSON in its last line: ``killed`` where an element differs or the run
fails; ``slower`` where all elements are right and only cycles or bytes differ from the prediction.
"""

import json
import sys

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

__all__ = ["SYSTEMS", "difference"]

#: Machine, table of blocks, size and padding of the picture, latency, pauses in percent, turns.
#: Stride 2, residuals, several strips and spilled maps, no expansion, odd sizes and one column.
SYSTEMS = (
    ("tiny", [(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], (33, 33), "pytorch", 2, 0, 2),
    ("tiny", [(1, 11, 1, 2), (4, 9, 1, 2), (2, 24, 1, 1)], (18, 11), "tensorflow", 60, 30, 1),
    ("narrow", [(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], (45, 37), "pytorch", 10, 10, 2),
    ("wide", [(1, 11, 1, 2), (6, 20, 1, 1), (6, 20, 1, 1)], (19, 24), "tensorflow", 40, 0, 2),
    ("padded", [(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], (45, 20), "pytorch", 3, 20, 2),
)


def difference(system):
    """(verdict, why) of a system: elements compared with golden, figures with the prediction."""
    name, table, size, padding, latency, pauses, turns = system
    config: AcceleratorConfig = MACHINES[name]
    network = network_of(table, size, padding=padding, stem=11, head=37, classes=21)
    model, tensors = model_and_tensors(config, network, 7)
    memory = MemoryModel(latency=latency, stall_percent=pauses, seed=5)
    run = run_network(
        model,
        [tensors] * config.frames,
        config=config,
        memory=memory,
        turns=turns,
        asserts=True,
    )
    predicted = predict_frames(
        network, config, turns, latency=latency, stall_percent=pauses, seed=5
    )
    for turn, rows in enumerate(run.frame_layers):
        found = compare_layers(network, config, predicted.layers[turn], rows).differences()
        if found:
            return "slower", f"turn {turn}: {found}"
    if run.frame_ends != predicted.ends:
        return "slower", f"frames end at {run.frame_ends}, predicted {predicted.ends}"
    return "", ""


def _main():
    answer = {"verdict": "lives", "by": "", "why": ""}
    for number, system in enumerate(SYSTEMS):
        by = f"machine {system[0]} {number}"
        try:
            verdict, why = difference(system)
        except Exception as error:  # whatever faulty hardware leads to
            answer = {"verdict": "killed", "by": by, "why": f"{type(error).__name__}: {error}"}
            break
        if verdict and answer["verdict"] == "lives":
            answer = {"verdict": verdict, "by": by, "why": why}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
