"""Tensors of every frame, those abreast apart, each compared with golden's."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl import abreast, frame_output
from mnv2.sim.rtl.abreast import each_frame, frame_label, to_pack
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.frame_output import FrameOutput, check_outputs, output_range, read_outputs
from mnv2.sim.rtl.layer_result import layer_result, require_counters
from mnv2.sim.rtl.memory_model import MemoryModel
from tests.sim.rtl.machines import model_and_tensors, network_of

ONE = PRESETS["tiny"]
TWO = replace(ONE, frames=2)
NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 33)


@pytest.fixture(scope="module")
def pictures():
    """Golden's tensors of two pictures."""
    model, one = model_and_tensors(ONE, NETWORK, 3)
    return [one, model.run(one["input"][::-1].copy())]


def outputs_of(pictures):
    """Golden's tensors as the hardware's."""
    return [
        FrameOutput(
            one["classifier"].reshape(-1).copy(),
            one["logits_accumulator"].reshape(-1).copy(),
            {
                "pool": one["pool"].copy(),
                **{block.name: one[block.output_name].copy() for block in NETWORK.blocks},
            },
        )
        for one in pictures
    ]


def check(made, pictures, config=TWO):
    check_outputs(made, pictures, NETWORK, config, MemoryModel())


def test_equal(pictures):
    check(outputs_of(pictures), pictures)
    check(outputs_of(pictures + pictures), pictures)
    check(outputs_of(pictures[:1]), pictures[:1], ONE)


@pytest.mark.parametrize(
    ("frame", "change", "name"),
    [
        (0, lambda made: made.maps["block2"], "block2 of picture 1: 1 of"),
        (1, lambda made: made.maps["block1"], "block1 of picture 2: 1 of"),
        (1, lambda made: made.maps["pool"], "the pool of picture 2"),
        (1, lambda made: made.logits[None, None], "the logits of picture 2"),
        (2, lambda made: made.accumulators[None, None], "the classifier's accumulators of picture"),
        (3, lambda made: made.logits[None, None], "the logits of picture 2"),
    ],
)
def test_a_wrong_element_of_any_frame_is_found(pictures, frame, change, name):
    made = outputs_of(pictures + pictures)
    change(made[frame])[0, 0, 1] ^= 1
    with pytest.raises(Mismatch, match=f"differs from golden in {name}"):
        check(made, pictures)


def test_pictures_in_the_wrong_lanes_are_found(pictures):
    with pytest.raises(Mismatch, match="block1 of picture 1"):
        check(outputs_of(pictures[::-1]), pictures)


def test_a_single_picture_has_no_number(pictures):
    made = outputs_of(pictures[:1])
    made[0].maps["block1"][0, 0, 0] ^= 1
    with pytest.raises(Mismatch, match="in block1: 1 of"):
        check(made, pictures[:1], ONE)


def test_frames_are_read_in_order(pictures, monkeypatch):
    """Two pairs; maps are kept of the first."""
    program = SimpleNamespace(spilled_maps={"block1": (64, 6)}, placement=None)
    # The image at 100, whose spilled map is at 164; two slots of logits from 172 on.
    places = place_run(1, 0, 0, base=100)
    places = replace(places, logits=172, logits_stride=8, logits_slots=2, end=188)
    assert output_range(program, places) == (164, 188)
    assert output_range(SimpleNamespace(spilled_maps={}), places) == (172, 188)

    def unpack_map(content, shape, config, *layout):
        text = bytes(content[:6]).decode()
        return [np.array([f"{text} of {number}"]) for number in range(config.frames)]

    monkeypatch.setattr(abreast, "unpack_map", unpack_map)
    monkeypatch.setattr(
        frame_output,
        "unpack_logits",
        lambda content, program, config, k: (k, f"{content[:6].decode()} {k}"),
    )
    word_bytes = TWO.word_bits // 8
    snapshots = [(2, (0, 1)), (3, (7, 8)), (4, (5, 6))]
    maps = b"".join(text.ljust(word_bytes) for text in (b"second", b"third.", b"pooled"))
    result = SimpleNamespace(output=b"first.  turn 0  turn 1  ", maps=maps)
    found = read_outputs(result, snapshots, program, places, NETWORK, 2, TWO)
    assert [one.accumulators for one in found] == [0, 1, 0, 1]
    assert [one.logits for one in found] == ["turn 0 0", "turn 0 1", "turn 1 0", "turn 1 1"]
    for number, one in enumerate(found[:2]):
        assert {name: str(array[0]) for name, array in one.maps.items()} == {
            "block1": f"first. of {number}",
            "block2": f"second of {number}",
            "block3": f"third. of {number}",
            "pool": f"pooled of {number}",
        }
    assert found[2].maps == found[3].maps == {}


def test_a_picture_for_each_frame():
    assert each_frame("one", ONE) == each_frame(["one"], ONE) == ("one",)
    assert each_frame(("one", "two"), TWO) == ("one", "two")
    assert to_pack(("one",), ONE) == "one"
    assert to_pack(("one", "two"), TWO) == ["one", "two"]
    assert frame_label("block3", 1, TWO) == "block3 of picture 2"
    for config, given, message in (
        (ONE, ["one", "two"], "of one frame takes 1 picture, not 2"),
        (TWO, "one", "of two frames abreast takes 2 pictures, not 1"),
    ):
        with pytest.raises(UserError, match=message):
            each_frame(given, config)


def test_a_row_has_the_macs_of_all_frames(monkeypatch):
    from mnv2.sim.rtl import layer_result as module

    monkeypatch.setattr(module, "count_multipliers", lambda config: SimpleNamespace(weights=192))
    names = ("pointwise", "depthwise", *(f"read_{kind}" for kind in module.STREAMS))
    counters = {"cycles": 30, **dict.fromkeys(names, 0), "pointwise": 30}
    rows = [
        layer_result(
            counters,
            config,
            name="block1",
            kind="block",
            macs=1000,
            ideal_cycles=30,
            write_bytes=0,
            input_shape=(1, 1, 8),
            output_shape=(1, 1, 8),
        )
        for config in (ONE, TWO)
    ]
    assert [row.macs for row in rows] == [1000, 2000]
    assert rows[1].mac_utilization == 2000 / (30 * 192)


def test_counters_are_needed():
    require_counters(TWO)
    with pytest.raises(UserError, match="counters=false leaves out"):
        require_counters(replace(ONE, counters=False))
