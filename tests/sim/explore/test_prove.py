"""Designs in RTL: measured compared with predicted, each run once; differences are told."""

from dataclasses import replace

import pytest
from rich.console import Console

from mnv2.sim.explore import prove
from mnv2.sim.explore.evaluate import predict_rows
from mnv2.sim.explore.front import find_front
from mnv2.sim.explore.proof_tables import render_proofs
from mnv2.sim.explore.prove import Proof, prove_designs
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.search_results import SearchResults
from mnv2.sim.jobs.journal import read_journal
from tests.sim.explore.small import prepare_small
from tests.sim.rtl.machines import MACHINES


class Recorder:
    """Progress that is written down."""

    def __init__(self):
        self.names = []

    def name_run(self, name):
        """A design is to be run."""
        self.names.append(name)

    def starting(self, steps):
        """Its steps are these."""

    def compiled(self, done, total):
        pass

    def building(self):
        """Its accelerator is being built."""

    def built(self):
        """It is built."""

    def reached(self, descriptors, cycles):
        """It runs."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A search whose front is the machine that other tests build, and the search's folder."""
    folder = tmp_path_factory.mktemp("proved") / "search"
    prepared = prepare_small("pixels=2", latency=20)
    found = run_search(prepared, folder, workers=0)
    candidate = replace(found.front[0], config=MACHINES["tiny"], layers=(), number=None)
    rows = predict_rows(prepared.network, prepared.judge.task(candidate))["rows"]
    front = find_front([prepared.judge.complete(candidate, rows)], prepared.objectives)
    return replace_front(found, front), folder


def replace_front(results, front):
    return SearchResults(**{**vars(results), "front": front})


def lines_of(proofs):
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render_proofs(proofs))
    return console.export_text()


def test_predicted_is_what_is_measured(results):
    found, folder = results
    recorder = Recorder()
    (proof,) = prove_designs(found, 3, folder, asserts=True, progress=recorder)
    (design,) = found.front
    assert proof.equal
    assert (proof.predicted_cycles, proof.measured_cycles) == (design.cycles, design.cycles)
    assert (proof.predicted_dram_bytes, proof.measured_dram_bytes) == 2 * (design.dram_bytes,)
    assert proof.figures > 100
    assert recorder.names == ["design-001"]
    assert f"{design.cycles:,}" in lines_of([proof])
    # It is in the journal, whatever number the design has then.
    renamed = replace_front(found, [replace(design, number=7)])
    again = Recorder()
    (kept,) = prove_designs(renamed, 1, folder, asserts=True, progress=again)
    assert again.names == []
    assert kept == replace(proof, name="design-007")


def test_a_cycle_more_is_told(results, tmp_path):
    """A prediction with one cycle more of waiting, in one layer."""
    found, folder = results
    (design,) = found.front
    layer = design.layers[2]
    wrong = replace(
        layer, cycles=layer.cycles + 1, stalls={**layer.stalls, "drain": layer.stalls["drain"] + 1}
    )
    config = replace(design.config, outstanding=design.config.outstanding)
    planted = replace(
        design,
        config=config,
        clock_hz=design.clock_hz + 1e6,
        layers=(*design.layers[:2], wrong, *design.layers[3:]),
    )
    (proof,) = prove_designs(replace_front(found, [planted]), 1, folder, asserts=True)
    assert not proof.equal
    assert proof.differences == {
        layer.name: {
            "cycles": [layer.cycles + 1, layer.cycles],
            "wait for drain": [layer.stalls["drain"] + 1, layer.stalls["drain"]],
        },
        "frame": {"cycles": [design.cycles + 1, design.cycles]},
    }
    text = lines_of([proof])
    assert f"{layer.name}: cycles {layer.cycles + 1:,} predicted, {layer.cycles:,} measured" in text


def test_outputs_that_differ_are_told(results, monkeypatch):
    """The integer model's own outputs, one of them changed."""
    found, folder = results
    (design,) = found.front
    real = prove.random_model

    def other(*arguments):
        model, image = real(*arguments)

        class Wrong:
            def __getattr__(self, name):
                return getattr(model, name)

            def run(self, image):
                tensors = dict(model.run(image))
                tensors["block2.project"] = tensors["block2.project"] ^ 1
                return tensors

        return Wrong(), image

    monkeypatch.setattr(prove, "random_model", other)
    changed = replace(design, clock_hz=design.clock_hz + 2e6)
    (proof,) = prove_designs(replace_front(found, [changed]), 1, folder, asserts=True)
    assert not proof.equal
    assert "block2" in proof.reason
    assert proof.measured_cycles is None
    assert "failed" in lines_of([proof])
    assert sum("proof" in entry for entry in read_journal(folder)[1]) == 3


def test_proof_is_equal_only_if_all_is():
    good = Proof("design-001", "key", 100, 10, 100, 10, 50)
    assert good.equal
    assert not replace(good, reason="it differs").equal
    assert not replace(good, differences={"frame": {"cycles": [1, 2]}}).equal


def test_bytes_at_the_port_that_no_layer_has_are_told(results, monkeypatch):
    """The memory's own count of what was read, with a beat more."""
    from mnv2.sim.rtl import run_network as module

    found, folder = results
    (design,) = found.front
    real = module.run_network

    def more(*arguments, **options):
        run = real(*arguments, **options)
        return replace(run, read_bytes=run.read_bytes + 8)

    monkeypatch.setattr(module, "run_network", more)
    changed = replace(design, clock_hz=design.clock_hz + 3e6)
    (proof,) = prove_designs(replace_front(found, [changed]), 1, folder, asserts=True)
    assert proof.differences == {
        "frame": {"DRAM bytes": [design.dram_bytes, design.dram_bytes + 8]}
    }


def test_a_design_beside_another_memory_is_run_again(results):
    """A proof in the journal is of the memory that the design was predicted with then."""
    found, folder = results
    (design,) = found.front
    rows = predict_rows(found.prepared.network, found.prepared.judge.task(design, 2))["rows"]
    slow = replace(
        found.prepared.judge.complete(design, rows),
        memory={**design.memory, "bytes_per_cycle": 2},
        number=1,
    )
    first, again = Recorder(), Recorder()
    (before,) = prove_designs(found, 1, folder, asserts=True, progress=first)
    (proof,) = prove_designs(replace_front(found, [slow]), 1, folder, asserts=True, progress=again)
    assert again.names == ["design-001"]
    assert proof.equal
    assert proof.measured_cycles > before.measured_cycles
