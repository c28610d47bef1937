"""What the README says of the hardware is what the tools said of the netlist as it is."""

import json
import re
from pathlib import Path

import pytest

from hw.accelerator import Accelerator
from hw.config import PRESETS
from sim.rtl.fmax import DEVICE
from sim.rtl.synthesis import SHOWN, netlist_hash
from sim.rtl.verilog import generate

ROOT    = Path(__file__).parents[1]
README  = (ROOT / "README.md").read_text(encoding="utf-8")
MAPPED  = json.loads((ROOT / "docs" / "synthesis.json").read_text())
CLOCKS  = json.loads((ROOT / "sim" / "cost" / "fmax.json").read_text())
DEVICES = {"xcup": "AMD UltraScale+", "ecp5": "Lattice ECP5"}


@pytest.mark.parametrize("config", ["tiny", "base"])
@pytest.mark.parametrize("family", SHOWN)
def test_resources(config, family):
    result = MAPPED[config][family]
    total  = result["total"]
    blocks = ", ".join(f"{total[name]} x {size} kbit" for name, size in (
        ("block_ram_36k", 36), ("block_ram_18k", 18)) if name in total)
    row = (f"| {config} | {DEVICES[family]} | {total['dsp']} | {blocks} | {total['luts']:,} | "
           f"{total['memory_luts']:,} | {total['flip_flops']:,} |")
    assert row in README
    assert "registers" not in result["memories"].values()


@pytest.mark.parametrize("config", ["tiny", "base"])
def test_resources_are_those_of_the_netlist(config):
    """Run scripts/synthesize again where this fails."""
    text = generate(Accelerator, name="accelerator", config=PRESETS[config])
    for family in SHOWN:
        assert MAPPED[config][family]["verilog_sha256"] == netlist_hash(text)


def test_clocks():
    head = next(line for line in README.splitlines() if line.startswith("| MacArray |"))
    _, figures = README[README.index(head):].split("\n")[1:3]
    units = [cell.strip() for cell in head.strip("|").split("|")]
    found = dict(zip(units, re.findall(r"[\d.]+", figures), strict=True))
    assert found == {name.split()[0]: str(result["megahertz"]) for name, result in CLOCKS.items()}
    assert "--85k" in DEVICE
    assert all(result["device"] == "LFE5U-85F speed 8" for result in CLOCKS.values())


def test_sizes_of_the_configurations():
    for name in ("small", "base", "large"):
        config = PRESETS[name]
        assert (f"| {name} | {config.multipliers:,} | {config.on_chip_bytes:,} | "
                f"{config.data_bytes} |") in README
