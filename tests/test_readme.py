"""README and docs agree with the kept results of the tools, the netlist and the commands.

Each table and sentence is looked for on the page that it belongs to.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

from mnv2.golden.fixed_point import scale_by_multiplier
from mnv2.golden.graph.graph import _KINDS
from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS, packed_products
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
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: Pages of the documentation by path, without those that are generated.
PAGES = {
    path.relative_to(ROOT / "docs").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").rglob("*.md"))
}
MAPPED = load_results()
#: Rows of the table of formats that were measured on 1,000 pictures, by format.
FORMATS = {
    row["format"]: row for row in json.loads((ROOT / "docs" / "formats.json").read_text())["rows"]
}
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
    assert row in PAGES["results/boards.md"]
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
    words = " ".join(PAGES["results/speed.md"].split())
    assert found["device"]["name"] in words
    assert f"{len(found['equality'])} formats are equal in every element of {max(tensors)}" in words
    assert len(tensors) == 1
    assert f"{fastest['per_second']:,.0f} images/s" in words
    assert f"batches of {fastest['batch']:,}" in words
    assert f"measures {found['sweep']['evaluated_per_second']:,.0f} pictures/s" in words
    assert f"take {found['sweep']['computed_minutes']:.1f} minutes, computed" in words


def test_trained_roundings():
    found = json.loads((ROOT / "docs" / "trained.json").read_text())
    lost, error = found["label_difference"]
    agreement = " ± ".join(f"{100 * value:.1f}" for value in found["agreement"])
    words = " ".join(PAGES["results/formats.md"].split())
    assert f"trained on {found['calibration']} of the 1,000" in words
    assert f"judged on the other {found['pictures']}" in words
    form = f"W{found['weight_bits']}A{found['activation_bits']}"
    assert f"{form} loses {-100 * lost:.1f} ± {100 * error:.1f} points" in words
    assert f"agrees with float on {agreement} %" in words


@pytest.mark.parametrize("name", load_placed())
def test_placed_designs(name):
    design = load_placed()[name]
    lanes = "x".join(str(getattr(design.config, lane)) for lane in ("outputs", "inputs", "pixels"))
    clocks = design.megahertz_by_speed
    layers = predict_network(mobilenet_v2(), design.config)
    rate = clocks[8] * 1e6 / sum(layer.cycles for layer in layers)
    used = " | ".join(f"{count:,}" for count in design.resources.values())
    speeds = " | ".join(f"{clocks[speed]:.1f}" for speed in (6, 7, 8))
    boards = PAGES["results/boards.md"]
    assert f"| {lanes} | {speeds} | {used} | {design.seeds} | {rate:.1f} |" in boards
    if clocks[8] == max(other.megahertz_by_speed[8] for other in load_placed().values()):
        assert f"{clocks[8]:.1f} MHz, {rate:.1f} frames/s" in README


def test_clocks():
    text = PAGES["results/boards.md"]
    head = next(line for line in text.splitlines() if line.startswith("| MacArray |"))
    _, figures = text[text.index(head) :].split("\n")[1:3]
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
        ) in PAGES["results/accelerator.md"]


def test_errors_of_estimates():
    """DSPs and memories exact; tables and flip-flops of accelerators that were not fitted."""
    text = PAGES["cost-model.md"]
    rows = compare_fit()
    for row in rows:
        assert not any(row.error(name) for name in ("dsp", "block_ram_36k", "block_ram_18k"))
    plain = " ".join(text.replace("> ", "").split())
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


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("cost --config kv260", README),
        ("predict --config base", PAGES["cycle-model.md"]),
    ],
    ids=["cost", "predict"],
)
def test_output_of_predictions(command, text):
    """The lines shown are lines that the command prints."""
    shown = text[text.index(f"$ mnv2 {command}\n") :]
    _, *lines = shown[: shown.index("```")].splitlines()
    printed = invoke(*command.split())
    assert len(lines) > 8
    assert [line for line in lines if line.strip() not in ("…", "") and line not in printed] == []


def test_answers_of_other_tools():
    text = PAGES["results/other-tools.md"]
    answers = json.loads((ROOT / "docs" / "peers.json").read_text())
    measured = answers["measured"]
    assert (
        f"Measured in RTL: {measured['cycles']:,} cycles, {measured['dram_bytes']:,} bytes of DRAM."
    ) in text
    rows = {
        f"| {', '.join(filter(None, (row['tool'], row['label'])))} | {row['multipliers']} | "
        f"{row['predicted_cycles']:,} | {row['predicted_over_measured_cycles']:.2f} | "
        f"{row['predicted_depthwise_cycles']:,} | {row['predicted_dram_bytes'] or 0:,} |"
        for row in answers["predicted"]
    }
    head = text.index("| | products a cycle | cycles | x measured |")
    shown = text[head : text.index("\n\n", head)].splitlines()[2:]
    assert len(shown) > 5
    assert set(shown) <= rows


def test_operators():
    """The page and the help of `mnv2 golden` list the operators that graphs may have."""
    for text in (PAGES["how-to/models.md"], golden.__doc__):
        listed = set(re.findall(r"[A-Z][A-Z0-9_]+", text))
        assert not _KINDS.keys() - listed - {"PADV2"}  # a form of PAD


def test_python_example(capsys):
    """It runs, and its loop shows what the text and the tables say of base."""
    text = PAGES["how-to/python.md"]
    code = text[text.index("```python\n") :].split("```")[1].removeprefix("python\n")
    exec(code, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "16 769,590 87.2%"
    assert "Egyptian cat" in lines[-1]


def test_names_of_the_interface():
    """Every name in the sentence on `import mnv2` is one of its names."""
    import mnv2

    text = PAGES["how-to/python.md"]
    sentence = text[text.index("`import mnv2` is the interface") :].split(". ")[0]
    names = set(re.findall(r"`([a-z_]+)`", sentence))
    assert len(names) > 8
    assert names <= set(mnv2.__all__)


def test_tree():
    """The tree names every folder of golden, hw and sim."""
    tree = CONTRIBUTING[CONTRIBUTING.index("## The tree") :].split("```")[1]
    for top in ("golden", "hw", "sim"):
        for folder in (ROOT / top).iterdir():
            if (folder / "__init__.py").is_file():
                assert f"{folder.name}/" in tree, folder


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "hw/README.md"])
def test_files_that_are_named_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    named = files_named_in(text)
    links = set(re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text))
    assert len(named | links) > 5
    assert [path for path in sorted(named | links) if not (ROOT / path).exists()] == []


def test_files_that_pages_name_exist():
    """Links between pages are checked where the site is built."""
    named = {(page, path) for page, text in PAGES.items() for path in files_named_in(text)}
    assert len(named) > 30
    assert [(page, path) for page, path in sorted(named) if not (ROOT / path).exists()] == []


def files_named_in(text):
    """Paths in code that begin with a folder of the project."""
    return set(re.findall(r"`((?:golden|hw|sim|tests|scripts|docs)/[\w./-]+)`", text))


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
    ) in PAGES["results/boards.md"]
    assert f"{name}" in README[README.index("takes a board's name") :].split(", each with")[0]


def test_length():
    """README is short, and shows what comes out and how the accelerator is built."""
    assert len(README.splitlines()) <= 150
    assert README.index("docs/frame.png") < README.index("docs/accelerator.svg")


@pytest.mark.parametrize(
    "word", ["accelerator", "FPGA", "AXI", "array", "lanes", "tile", "bottlenecks"]
)
def test_first_use_of_a_word(word):
    """It is marked where it comes first in the text, and that is where it is explained."""
    text = re.sub(r"!\[[^]]*\]|\]\([^)]*\)", "", README)
    first = re.search(rf"\b{word.removesuffix('s')}", text)
    marked = re.search(rf"(?<!\*)\*{word}\*(?!\*)", text)
    assert first.start() == marked.start() + 1


def test_formats_on_a_thousand_pictures():
    """Each row of the page has the figures that were kept, in the order of the formats."""
    page = PAGES["results/formats.md"]
    lines = page[page.index("| format |") :].split("\n\n")[0].splitlines()[2:]
    assert len(lines) == len(FORMATS) == 27
    for line, row in zip(lines, FORMATS.values(), strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[3:5] == [row["agrees"], row["labels_minus_float"]]
        assert cells[6] == row["sqnr_db"]


def test_first_example_fits():
    shown = README[README.index("$ mnv2 cost") :]
    *_, last = shown[: shown.index("```")].splitlines()
    assert last.startswith("computed: fits ")


def test_evidence():
    """The figures in README are those of the pages, and of the model."""
    evidence = README[README.index("## Evidence") :].split("##")[1]
    cycles = sum(one.cycles for one in predict_network(mobilenet_v2(), PRESETS["base"]))
    assert f"{cycles:,} of a frame on `base`, predicted and measured; 0 of 360" in evidence
    assert f"| base | {cycles:,} | {cycles:,} | 0 of 360 |" in PAGES["results/predictions.md"]
    agrees = FORMATS["W8A8 per channel"]["agrees"]
    assert f"agrees with float on {agrees} % of 1,000 pictures" in evidence
    judged = PAGES["results/predictions.md"].split("LiteDRAM's RTL, cycles |")[1].split("\n\n")[0]
    rows = [row.split(" | ") for row in judged.splitlines()[2:]]
    assert len(rows) == 5
    for _, modelled, measured, error in rows:
        off = int(modelled.replace(",", "")) / int(measured.replace(",", "")) - 1
        assert f"{off:+.2%}".replace("%", " % |") == error
        assert abs(off) < 0.005


def test_share_of_double_roundings():
    """Arithmetic's figures of how often two roundings differ from one."""
    text = " ".join(PAGES["arithmetic.md"].split())
    random = np.random.default_rng(1)
    shares = []
    for low, high in ((1, 8), (8, 16)):
        values = random.integers(-(2**24), 2**24, 400_000)
        multipliers = random.integers(2**30, 2**31, len(values))
        shifts = random.integers(low, high, len(values))
        double, single = (
            scale_by_multiplier(values, multipliers, shifts, rounding)
            for rounding in ("double", "single")
        )
        shares.append((double != single).mean())
    assert f"{shares[0]:.0%}".replace("%", " %") + " differ by one from a single rounding" in text
    assert f"and {shares[1]:.2%}".replace("%", " %") + " where it is 8 to 15" in text


def test_packed_products():
    """Arithmetic's numbers of products that may be added."""
    text = " ".join(PAGES["arithmetic.md"].split())
    found = [packed_products(bits, 8, 8) for bits in (27, 25, 18)]
    assert found[2] == 0
    assert f"{found[0]} with a 27 x 18 multiplier (UltraScale+), {found[1]} with 25 x 18" in text
    assert "none with 18 x 18 (ECP5)" in text


def command_lines():
    """(page, words) of each line in code blocks that calls mnv2."""
    for page, text in {"README.md": README, **PAGES}.items():
        for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if match := re.match(r"(?:\$ )?mnv2 ([^#]*)", line):
                    yield page, match[1].split()


def test_commands_and_options_exist():
    """Every command in a block of code exists, and has the options that it is given."""
    group = typer.main.get_command(app)
    lines = list(command_lines())
    assert len(lines) > 50
    for page, (name, *words) in lines:
        command = group.commands[name]
        if hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {option for one in command.params for option in one.opts}
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= options | {"--help"}, (page, name)


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("results/")])
def test_results_say_how_to_repeat_them(page):
    """Each table of results has its command, or a sentence that names it."""
    text = PAGES[page]
    tables = len(re.findall(r"^\|---", text, re.MULTILINE))
    commands = re.findall(r"`(?:mnv2|scripts/)[^`]*`", text)
    assert len(set(commands)) >= max(tables, 1)
