"""The plan says what the program says: every size of every descriptor, and of every stream."""

from dataclasses import replace

import pytest

from mnv2.hw.config import CAUSES, COUNTERS, RECORD_BYTES
from mnv2.hw.program import Header
from mnv2.sim.cycles.plan import plan_network
from mnv2.sim.mapping.network_program import build_network_program
from mnv2.sim.mapping.run_places import PICTURE_SLOTS, place_run
from mnv2.sim.mapping.turn_order import executed
from tests.sim.rtl.machines import MACHINES, descriptors, model_and_tensors, network_of

TABLE = [(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)]

#: Members of a descriptor that a work has under the same name.
COMMON = (
    "input_rows",
    "input_groups",
    "input_words",
    "output_words",
    "parameter_words",
    "hidden_words",
    "output_rows",
    "output_groups",
    "steps",
    "copy",
    "residual",
    "stride_2",
    "pad_top",
    "pad_left",
    "stem",
    "image_rows",
    "image_groups",
    "image_steps",
    "image_pad_top",
    "image_pad_left",
    "stem_steps",
    "load",
    "load_words",
    "load_beats",
    "store",
    "store_words",
    "store_bytes",
)


@pytest.mark.parametrize(
    ("options", "frames"),
    [({}, 1), ({}, 3), ({"padded_words": True}, 2), ({"frames": 2, "padded_words": True}, 3)],
    ids=str,
)
@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("name", list(MACHINES))
def test_plan_is_the_program(name, padding, options, frames):
    config = replace(MACHINES[name], **options)
    network = network_of(TABLE, 45, padding=padding)
    model, _ = model_and_tensors(config, network, 10)
    program = build_network_program(model, config)
    plan = plan_network(network, config, frames)
    turns = -(-frames // config.frames)
    places = place_run(
        program.memory_bytes,
        program.picture_bytes,
        program.logits_bytes,
        picture_slots=min(turns, PICTURE_SLOTS),
        logits_slots=turns,
    )
    records = descriptors(program)
    assert plan.order == program.order
    assert len(plan.order) == len(records)
    assert program.works(turns) == list(plan.owners)
    rows = executed(program.order, turns)
    for work, (turn, place) in zip(plan.descriptors, rows, strict=True):
        record = records[place]
        assert {field: int(getattr(work, field)) for field in COMMON} == {
            field: int(getattr(record, field)) for field in COMMON
        }
        assert work.input_ring == record.input_end - record.input_base
        read, written = places.base, places.base
        if work.stem:
            read = places.picture_address(turn)
        if work.kind == "classifier":
            written = places.logits_address(turn)
        if work.load or work.stem:
            assert work.load_address == read + int(record.load_offset)
        if work.store:
            assert work.store_address == written + int(record.store_offset)
        if work.kind == "block":
            assert work.strip_rows == record.strip_rows
            assert work.output_ring == record.output_end - record.output_base
    bits = Header.as_shape().size
    header = Header.from_bits(
        int.from_bytes(program.image[:RECORD_BYTES].tobytes(), "little") & (1 << bits) - 1
    )
    for name, stream in plan.streams.items():
        assert stream.address == places.base + getattr(header, f"{name}_offset")
        beats = getattr(header, f"{name}_beats")
        assert stream.beats == ((beats,) if name == "taps" else tuple(beats))
    assert plan.record_beats * config.data_bytes == RECORD_BYTES


def test_names_are_the_counters():
    stalls = [name for name in COUNTERS if name.startswith("stall_")]
    assert stalls == [f"stall_{cause}" for cause in CAUSES]
