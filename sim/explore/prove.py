"""Designs of the front in RTL: each is built and runs the whole network, beside what was predicted.

No figure depends on weights or pixels, so they are drawn at random, for any network of the family;
every block's output is still held to the integer model, bit for bit.
"""

import dataclasses

import numpy as np

from mnv2.golden.synthetic import random_activation, random_model
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.explore.front import spread_choice
from mnv2.sim.jobs.journal import Journal
from mnv2.sim.prediction.layers import compare_layers, figures
from mnv2.sim.rtl.memory_model import MemoryModel

__all__ = ["Proof", "prove_designs"]


@dataclasses.dataclass(frozen=True)
class Proof:
    """A design in RTL.

    Attributes
    ----------
    name, key : str
        Of the design.
    predicted_cycles, predicted_dram_bytes : int
        Of a frame, by the model.
    measured_cycles, measured_dram_bytes : int or None
        Of a frame, in RTL; None where it did not end.
    figures : int
        So many figures were compared: cycles, work and waits by cause, bytes by kind, of each
        layer; cycles and bytes of the frame.
    differences : dict of str to dict of str to list of int
        What is not equal, by layer and figure: predicted and measured.
    reason : str or None
        Why the run did not end, or how its outputs differ from the integer model's.
    """

    name: str
    key: str
    predicted_cycles: int
    predicted_dram_bytes: int
    measured_cycles: int | None = None
    measured_dram_bytes: int | None = None
    figures: int = 0
    differences: dict = dataclasses.field(default_factory=dict)
    reason: str | None = None

    @property
    def equal(self):
        """Whether it ran, its outputs are right, and every figure is as predicted."""
        return self.reason is None and not self.differences


def prove_designs(results, count, folder, *, asserts=False, progress=None):
    """Build designs of the front and run the network on them.

    They are those of `mnv2.sim.explore.front.spread_choice`: the balanced one, then always the one
    farthest from those chosen.

    Parameters
    ----------
    results : mnv2.sim.explore.search.Results
    count : int
    folder : Path
        Of the journal, which keeps each proof; proofs in it are not made again.
    asserts : bool
        Check the hardware's assertions, which takes more time.
    progress : object, optional
        As of `mnv2.sim.rtl.run_network.run_network`; its ``starting(name, network, config)`` is
        called before each.

    Returns
    -------
    list of Proof
        In the order chosen.
    """
    prepared = results.prepared
    proofs = []
    with Journal.resume(folder, prepared.configuration) as journal:
        known = {
            (entry["proof"]["key"], entry["memory"]): entry["proof"]
            for entry in journal.entries
            if "proof" in entry
        }
        for design in spread_choice(results.front, prepared.objectives, count):
            memory = repr(sorted(design.memory.items()))
            if (design.key, memory) in known:
                # A design may have another number since.
                proofs.append(Proof(**{**known[design.key, memory], "name": design.name}))
                continue
            proofs.append(_prove(design, prepared, asserts, progress))
            journal.append({"proof": dataclasses.asdict(proofs[-1]), "memory": memory})
    return proofs


def _prove(design, prepared, asserts, progress):
    """Proof of one design."""
    from mnv2.sim.rtl.check import Mismatch
    from mnv2.sim.rtl.run_network import run_network

    network, config = prepared.network, design.config
    if progress:
        progress.starting(design.name, network, config)
    rng = np.random.default_rng(prepared.request.seed)
    model, _ = random_model(rng, network, config.weight_bits, config.activation_bits)
    tensors = model.run(random_activation(rng, network.input_shape, config.activation_bits))
    predicted = {
        "name": design.name,
        "key": design.key,
        "predicted_cycles": design.cycles,
        "predicted_dram_bytes": design.dram_bytes,
    }
    try:
        run = run_network(
            model,
            tensors,
            config=config,
            memory=MemoryModel(**design.memory),
            asserts=asserts,
            progress=progress,
        )
    except (Mismatch, SimulationError) as error:
        return Proof(**predicted, reason=" ".join(str(error).split()))
    except UserError as error:
        raise UserError(f"{design.name} cannot be run: {error}") from None
    moved = run.read_bytes + run.write_bytes
    found = compare_layers(network, config, design.layers, run.layers).differences()
    total = {"cycles": (design.cycles, run.cycles), "DRAM bytes": (design.dram_bytes, moved)}
    found["frame"] = {name: pair for name, pair in total.items() if pair[0] != pair[1]}
    return Proof(
        **predicted,
        measured_cycles=run.cycles,
        measured_dram_bytes=moved,
        figures=len(figures(run.layers[0])) * len(run.layers) + len(total),
        differences={
            layer: {name: list(pair) for name, pair in row.items()}
            for layer, row in found.items()
            if row
        },
    )
