"""Turn after turn on the RTL: rings, interrupts, STOP, addresses above 4 GiB."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from mnv2.golden.synthetic import random_activation
from mnv2.hw.register_map import ADDRESSES, Status
from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.mapping.network_program import build_network_program, unpack_logits
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.mapping.program import memory_image
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from mnv2.sim.rtl.simulate import build_accelerator, simulate
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

CONFIG = MACHINES["tiny"]
#: More blocks than parts of the classifier, whose 95 classes are cut.
NETWORK = network_of([(1, 8, 1, 1), (3, 12, 2, 2), (2, 12, 1, 1)], 20, classes=95)
MEMORY = MemoryModel(latency=40, stall_percent=10, seed=2)
PICTURES, LOGITS = 3, 2


@pytest.fixture(scope="module")
def case():
    """A model, its program, and its tensors of a picture for each slot."""
    model, first = model_and_tensors(CONFIG, NETWORK, 5)
    rng = np.random.default_rng(6)
    others = [model.run(random_activation(rng, NETWORK.input_shape)) for _ in range(PICTURES - 1)]
    tensors = [first, *others]
    logits = [one["logits_accumulator"].reshape(-1).tolist() for one in tensors]
    assert len({tuple(one) for one in logits}) == PICTURES
    program = build_network_program(model, CONFIG)
    places = place_run(
        program.memory_bytes,
        program.picture_bytes,
        program.logits_bytes,
        base=0x7000,
        picture_slots=PICTURES,
        logits_slots=LOGITS,
    )
    pictures = [pack_image(one["input"], CONFIG) for one in tensors]
    return program, places, pictures, logits


def check_slots(output, case, turns):
    """Each slot holds the logits of the last turn that wrote it, of that turn's picture."""
    program, places, _, logits = case
    for turn in range(max(turns - LOGITS, 0), turns):
        begin = places.logits_address(turn) - places.logits
        found, _ = unpack_logits(output[begin:], program, CONFIG)
        assert found.tolist() == logits[turn % PICTURES], turn


#: The last: a program of as many records as those of one frame, whatever the number of turns.
@pytest.mark.parametrize("turns", [1, 2, 5, 60])
def test_rings_begin_again(case, turns):
    program, places, pictures, _ = case
    result = simulate(
        build_accelerator(CONFIG, asserts=True),
        program,
        places=places,
        pictures=pictures,
        turns=turns,
        output=(places.logits, places.end),
        memory=MEMORY,
        deadline=1_000_000,
    )
    check_slots(result.output, case, turns)
    assert len(result.counters) == len(program.works(turns))


@pytest.mark.parametrize("stop_after", [1, 4])
def test_stop(case, tmp_path, stop_after):
    """One turn more is begun at most; each turn raises the interrupt, and the end does."""
    program, places, pictures, _ = case
    memory = memory_image(program, places, pictures)
    np.pad(memory, (places.base, 0)).tofile(tmp_path / "memory.bin")
    (tmp_path / "run.json").write_text(
        json.dumps(
            {
                "registers": ADDRESSES,
                "settings": {"INTERRUPT_ENABLE": 3, **places.settings(program, 0)},
                "stop_after": stop_after,
                "output": [places.logits, places.end],
                "result": str(tmp_path / "result.json"),
            }
        )
    )
    run_cocotb(
        build_accelerator(CONFIG, asserts=True),
        test_module="tests.sim.rtl.cocotb_turns",
        work_directory=tmp_path / "cocotb",
        extra_env={"MNV2_RUN": str(tmp_path / "run.json")},
        plusargs=[
            f"+memory_image={tmp_path / 'memory.bin'}",
            f"+memory_dump={tmp_path / 'dump.bin'}",
            "+deadline=1000000",
            *MEMORY.plusargs(),
        ],
    )
    result = json.loads((tmp_path / "result.json").read_text())
    *frames, last = result["seen"]
    turns = last[1]
    # When a turn's logits are there, the next turn is under way: it was not the last.
    assert turns == stop_after + 2
    assert frames == [[2, turn, Status.RUNNING.value] for turn in range(1, turns)]
    assert last == [3, turns, Status.DONE.value]
    assert result["errors"] == 0
    check_slots((tmp_path / "dump.bin").read_bytes(), case, turns)


def test_addresses_above_4_gib():
    """Memory begins at 8 GiB; every figure is that of 32 bits."""
    config = replace(CONFIG, address_bits=40)
    model, tensors = model_and_tensors(config, NETWORK, 5)
    run = run_network(model, tensors, config=config, memory=MEMORY, turns=3, asserts=True)
    predicted = predict_frames(NETWORK, config, 3, **asdict(MEMORY))
    assert predicted.ends == run.frame_ends
    for rows, measured in zip(predicted.layers, run.frame_layers, strict=True):
        assert not compare_layers(NETWORK, config, rows, measured).differences()
