"""The accelerator alone, its ports on a bus model that was not written here."""

import json

import numpy as np
import pytest

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import COUNTERS, PRESETS
from mnv2.hw.register_map import ADDRESSES, COUNTER_OFFSET, Status
from mnv2.sim.mapping.network_program import build_network_program, unpack_logits
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.mapping.program import memory_image
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl.build import build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.verilog import generate
from tests.sim.rtl.machines import model_and_tensors, network_of

CONFIG = PRESETS["tiny"]

#: cocotb sees the pins and nothing else. A port of a top module may have the name of a C++ word.
PINS = """`verilator_config
lint_off -rule SYMRSVDWORD
public_flat_rw -module "accelerator" -var "clk"
public_flat_rw -module "accelerator" -var "rst"
public_flat_rw -module "accelerator" -var "interrupt"
public_flat_rw -module "accelerator" -var "bus__*"
public_flat_rw -module "accelerator" -var "control__*"
"""


@pytest.fixture(scope="module")
def pins():
    return build_simulation(
        {
            "pins.vlt": PINS,
            "accelerator.v": generate(Accelerator, name="accelerator", config=CONFIG),
        },
        "accelerator",
        asserts=True,
    )


@pytest.mark.parametrize("stall", [0, 0.3])
def test_network_equals_golden(pins, tmp_path, stall):
    network = network_of([(1, 6, 1, 1), (2, 6, 1, 1), (3, 9, 1, 2)], 9, stem=6, head=13, classes=7)
    model, tensors = model_and_tensors(CONFIG, network, 1)
    program = build_network_program(model, CONFIG)
    places = place_run(
        program.memory_bytes, program.picture_bytes, program.logits_bytes, base=0x3000
    )
    image = memory_image(program, places, [pack_image(tensors["input"], CONFIG)])
    image.tofile(tmp_path / "memory.bin")
    (tmp_path / "run.json").write_text(
        json.dumps(
            {
                "registers": ADDRESSES,
                "settings": places.settings(program),
                "counter_offset": COUNTER_OFFSET,
                "counters": len(COUNTERS),
                "seed": 2,
                "stall": stall,
                "memory_bytes": 1 << 18,
                "image": str(tmp_path / "memory.bin"),
                "base": places.base,
                "output_address": places.logits,
                "output_bytes": program.logits_bytes,
                "result": str(tmp_path / "result.json"),
            }
        )
    )
    run_cocotb(
        pins,
        test_module="tests.sim.rtl.cocotb_axi_ram",
        work_directory=tmp_path / "cocotb",
        extra_env={"MNV2_RUN": str(tmp_path / "run.json")},
    )
    for result in json.loads((tmp_path / "result.json").read_text()):
        assert Status(result["status"]) == Status.DONE
        assert result["finished"] == len(network.blocks) + 2
        counters = dict(zip(COUNTERS, result["counters"], strict=True))
        assert counters["cycles"] == sum(
            value
            for name, value in counters.items()
            if name in ("pointwise", "depthwise") or name.startswith("stall_")
        )
        accumulators, logits = unpack_logits(bytes.fromhex(result["output"]), program, CONFIG)
        np.testing.assert_array_equal(accumulators, tensors["logits_accumulator"].reshape(-1))
        np.testing.assert_array_equal(logits, tensors["classifier"].reshape(-1))
