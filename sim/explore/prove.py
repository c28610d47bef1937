"""Designs of the front in RTL: each is built and runs the whole network, to check its prediction.

No figure depends on weights or pixels, so they are drawn at random, for any network of the family;
every block's output is still compared with the integer model, bit for bit.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mnv2.golden.synthetic import random_activation, random_model
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.front import spread_choice
from mnv2.sim.explore.request import PreparedSearch
from mnv2.sim.jobs.identity import code_hash
from mnv2.sim.jobs.journal import Journal
from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.prediction.layers import compare_layers, figures
from mnv2.sim.rtl.memory_model import MemoryModel

if TYPE_CHECKING:
    from mnv2.sim.explore.search_results import SearchResults

__all__ = ["Proof", "prove_designs"]


@dataclasses.dataclass(frozen=True)
class Proof:
    """A design in RTL.

    Attributes
    ----------
    name, key : str
        Name and key of the design.
    predicted_cycles, predicted_dram_bytes : int
        Of a frame, by the model.
    measured_cycles, measured_dram_bytes : int or None
        Of a frame, in RTL; None where it did not end.
    figures : int
        Number of figures compared: cycles, work and waits by cause, bytes by kind, of each layer;
        cycles and bytes of the frame.
    differences : dict of str to dict of str to list of int
        Figures that differ, by layer and name: predicted and measured.
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
    differences: dict[str, dict[str, list[int]]] = dataclasses.field(default_factory=dict)
    reason: str | None = None

    @property
    def equal(self) -> bool:
        """Whether it ran, its outputs are right, and every figure is as predicted."""
        return self.reason is None and not self.differences


def prove_designs(
    results: "SearchResults",
    count: int,
    folder: Path,
    *,
    asserts: bool = False,
    progress: FrameProgress | None = None,
) -> list[Proof]:
    """Build designs of the front and run the network on them.

    They are those of `mnv2.sim.explore.front.spread_choice`: the balanced one, then always the one
    farthest from those chosen.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
    count : int
    folder : Path
        Folder of the journal, which keeps each proof; those of the same RTL are not made again.
    asserts : bool
        Check the hardware's assertions, which takes more time.
    progress : FrameProgress, optional

    Returns
    -------
    list of Proof
        In the order chosen.
    """
    prepared = results.prepared
    # The RTL decides a proof, and no prediction.
    code = code_hash(__name__)
    proofs = []
    with Journal.resume(folder, prepared.configuration) as journal:
        known = {
            (entry["proof"]["key"], entry["memory"]): entry["proof"]
            for entry in journal.entries
            if "proof" in entry and entry["code"] == code
        }
        for design in spread_choice(results.front, prepared.objectives, count):
            memory = repr(sorted(design.memory.items()))
            if (design.key, memory) in known:
                # A design may have another number since.
                proofs.append(Proof(**{**known[design.key, memory], "name": design.name}))
                continue
            proofs.append(_prove(design, prepared, asserts, progress))
            journal.append(
                {"proof": dataclasses.asdict(proofs[-1]), "memory": memory, "code": code}
            )
    return proofs


def _prove(design: Design, prepared: PreparedSearch, asserts: bool, progress: Any) -> Proof:
    """Proof of one design."""
    assert design.total is not None
    from mnv2.sim.rtl.check import Mismatch
    from mnv2.sim.rtl.run_network import run_network

    network, config = prepared.network, design.config
    if progress:
        progress.name_run(design.name)
        progress.starting(program_steps(network, config))
    rng = np.random.default_rng(prepared.request.seed)
    model, _ = random_model(rng, network, config.weight_bits, config.activation_bits)
    tensors = [
        model.run(random_activation(rng, network.input_shape, config.activation_bits))
        for _ in range(config.frames)
    ]
    predicted: dict[str, Any] = {
        "name": design.name,
        "key": design.key,
        "predicted_cycles": design.total.cycles,
        "predicted_dram_bytes": design.total.dram_bytes,
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
    total = {
        "cycles": (design.total.cycles, run.cycles),
        "DRAM bytes": (design.total.dram_bytes, moved),
    }
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
