"""The README agrees with the kept results of the tools, with the netlist, and with the commands."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.golden.graph.graph import _KINDS
from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.boards.board import board_files
from mnv2.sim.cli import app
from mnv2.sim.commands.golden import golden
from mnv2.sim.configuration import load_setting
from mnv2.sim.cost.calibration import compare_fit
from mnv2.sim.cost.cost_report import make_cost_report
from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.energy import load_energies
from mnv2.sim.cost.fit_words import error_words
from mnv2.sim.cost.placed import load_placed
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.cost.unit_list import list_memories
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.memory.parts import find_part
from mnv2.sim.report.names import if_several
from mnv2.sim.synthesis.fmax import DEVICE
from mnv2.sim.synthesis.whole_netlist import convert_accelerator
from mnv2.sim.synthesis.yosys import SHOWN, netlist_hash

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAPPED = load_results()
CLOCKS = json.loads((ROOT / "sim" / "cost" / "fmax.json").read_text())
DEVICES = {"xcup": "AMD UltraScale+", "ecp5": "Lattice ECP5"}


@pytest.mark.parametrize("config", ["tiny", "base"])
@pytest.mark.parametrize("family", SHOWN)
def test_resources(config, family):
    result = MAPPED[config][family]
    total = result["total"]
    blocks = ", ".join(
        f"{total[name]} x {size} kbit"
        for name, size in (("block_ram_36k", 36), ("block_ram_18k", 18))
        if name in total
    )
    row = (
        f"| {config} | {DEVICES[family]} | {total['dsp']} | {blocks} | {total['luts']:,} | "
        f"{total['memory_luts']:,} | {total['flip_flops']:,} |"
    )
    assert row in README
    # Every memory is in RAM.
    assert set(result["memories"]) == {
        f"{memory.unit}.{memory.name}".lstrip(".") for memory in list_memories(PRESETS[config])
    }


@pytest.mark.parametrize("config", ["tiny", "base"])
def test_resources_are_those_of_the_netlist(config):
    """Run scripts/synthesize again where this fails."""
    text = convert_accelerator(PRESETS[config])
    for family in SHOWN:
        assert MAPPED[config][family]["netlist_sha256"] == netlist_hash(text)


def test_gpu():
    found = json.loads((ROOT / "docs" / "gpu.json").read_text())
    assert not found["failures"]
    assert all(one["different"] == 0 for one in found["equality"].values())
    fastest = max(found["throughput"]["rows"], key=lambda row: row["per_second"])
    tensors = {one["tensors"] for one in found["equality"].values()}
    words = " ".join(README.split())
    assert found["device"]["name"] in words
    assert f"{len(found['equality'])} formats are equal in every element of {max(tensors)}" in words
    assert len(tensors) == 1
    assert f"{fastest['per_second']:,.0f} images/s" in words
    assert f"batches of {fastest['batch']:,}" in words
    assert f"measures {found['sweep']['evaluated_per_second']:,.0f} pictures/s" in words
    assert f"take {found['sweep']['computed_minutes']:.1f} minutes, computed" in words


@pytest.mark.parametrize("name", load_placed())
def test_placed_designs(name):
    design = load_placed()[name]
    lanes = "x".join(str(getattr(design.config, lane)) for lane in ("outputs", "inputs", "pixels"))
    clocks = design.megahertz_by_speed
    layers = predict_network(mobilenet_v2(), design.config)
    rate = clocks[8] * 1e6 / sum(layer.cycles for layer in layers)
    used = " | ".join(f"{count:,}" for count in design.resources.values())
    speeds = " | ".join(f"{clocks[speed]:.1f}" for speed in (6, 7, 8))
    assert f"| {lanes} | {speeds} | {used} | {design.seeds} | {rate:.1f} |" in README


def test_clocks():
    head = next(line for line in README.splitlines() if line.startswith("| MacArray |"))
    _, figures = README[README.index(head) :].split("\n")[1:3]
    units = [cell.strip() for cell in head.strip("|").split("|")]
    found = dict(zip(units, re.findall(r"[\d.]+", figures), strict=True))
    assert found == {name.split()[0]: str(result["megahertz"]) for name, result in CLOCKS.items()}
    assert "--85k" in DEVICE
    assert all(result["device"] == "LFE5U-85F speed 8" for result in CLOCKS.values())


def test_sizes_of_the_configurations():
    for name in ("small", "base", "large"):
        config = PRESETS[name]
        assert (
            f"| {name} | {config.multipliers:,} | {config.on_chip_bytes:,} | {config.data_bytes} |"
        ) in README


def test_errors_of_estimates():
    """DSPs and memories exact; tables and flip-flops of accelerators that were not fitted."""
    rows = compare_fit()
    for row in rows:
        assert not any(row.error(name) for name in ("dsp", "block_ram_36k", "block_ram_18k"))
    plain = " ".join(README.split())
    assert f"equal Yosys's in all {len(rows)} runs that are kept" in plain
    assert error_words(rows) in plain
    assert {row.family for row in rows if row.held_out} == {"xcup", "xc7", "ecp5"}
    for row in rows:
        if row.held_out:
            assert abs(row.error("luts")) < 0.10
            assert abs(row.error("flip_flops")) < 0.10


def invoke(*arguments):
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return [line.rstrip() for line in result.stdout.splitlines()]


@pytest.mark.parametrize("command", ["cost --config kv260", "predict --config base"])
def test_output_of_predictions(command):
    """The lines shown are lines that the command prints."""
    shown = README[README.index(f"$ mnv2 {command}\n") :]
    _, *lines = shown[: shown.index("```")].splitlines()
    printed = invoke(*command.split())
    assert len(lines) > 8
    assert [line for line in lines if line.strip() not in ("…", "") and line not in printed] == []


def test_answers_of_other_tools():
    answers = json.loads((ROOT / "docs" / "peers.json").read_text())
    measured = answers["measured"]
    assert (
        f"Measured in RTL: {measured['cycles']:,} cycles, {measured['dram_bytes']:,} bytes of DRAM."
    ) in README
    rows = {
        f"| {', '.join(filter(None, (row['tool'], row['label'])))} | {row['multipliers']} | "
        f"{row['predicted_cycles']:,} | {row['predicted_over_measured_cycles']:.2f} | "
        f"{row['predicted_depthwise_cycles']:,} | {row['predicted_dram_bytes'] or 0:,} |"
        for row in answers["predicted"]
    }
    head = README.index("| | products a cycle | cycles | x measured |")
    shown = README[head : README.index("\n\n", head)].splitlines()[2:]
    assert len(shown) > 5
    assert set(shown) <= rows


def test_operators():
    """README and the help of `mnv2 golden` list the operators that graphs may have."""
    for text in (README, golden.__doc__):
        listed = set(re.findall(r"[A-Z][A-Z0-9_]+", text))
        assert not _KINDS.keys() - listed - {"PADV2"}  # a form of PAD


def test_python_example(capsys):
    """It runs, and its loop shows what the text and the tables say of base."""
    code = README[README.index("```python\n") :].split("```")[1].removeprefix("python\n")
    exec(code, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "16 769,624 87.2%"
    assert "Egyptian cat" in lines[-1]


def test_names_of_the_interface():
    """Every name in the sentence on `import mnv2` is one of its names."""
    import mnv2

    sentence = README[README.index("`import mnv2` is the interface") :].split(". ")[0]
    names = set(re.findall(r"`([a-z_]+)`", sentence))
    assert len(names) > 8
    assert names <= set(mnv2.__all__)


def test_tree():
    """The tree names every folder of golden, hw and sim."""
    tree = README[README.index("## The tree") :].split("```")[1]
    for top in ("golden", "hw", "sim"):
        for folder in (ROOT / top).iterdir():
            if (folder / "__init__.py").is_file():
                assert f"{folder.name}/" in tree, folder


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "hw/README.md"])
def test_files_that_are_named_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:golden|hw|sim|tests|scripts|docs)/[\w./-]+)`", text))
    links = set(re.findall(r"\]\(([\w./-]+)\)", text))
    assert len(named | links) > 5
    assert [path for path in sorted(named | links) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", list(board_files()))
def test_row_of_a_board(name):
    """A board's counts and predictions, as README has them in its table."""
    setting = load_setting(name)
    config, board = setting.config, setting.board
    (report,) = make_cost_report(
        mobilenet_v2(),
        config,
        [find_device(board.device)],
        part=find_part(board.memory),
        clock_hz=board.clock_hz,
        energies=load_energies(),
    ).devices
    uses = {use.resource: f"{use.used:,} of {use.available:,}" for use in report.uses}
    ultra = f", and {uses['UltraRAM']} UltraRAMs" if "UltraRAM" in uses else ""
    frame = report.memory.frame
    assert (
        f"| {name} | {board.title}, {board.device} | {config.multipliers:,} | {uses['DSPs']} | "
        f"{uses['block RAM, 18 kbit']}{ultra} | {board.clock_hz / 1e6:g} | {report.cycles:,}"
        f"{if_several(config.frames, ' for two')} | {report.frames_per_second:,.1f} | "
        f"{frame.needed / 1e9:.2f} of {frame.effective / 1e9:.2f} |"
    ) in README
    assert f"{name}" in README[README.index("takes a board's name") :].split(", each with")[0]
