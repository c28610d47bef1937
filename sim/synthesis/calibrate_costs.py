"""Map designs and pieces that are not mapped yet, fit the coefficients, and print their errors.

Whole designs are mapped as they are placed: `mnv2.sim.synthesis.whole_netlist`. Each run of Yosys
is kept as soon as it is done, with its netlist's hash: an interrupted calibration resumes where it
stopped, and a design whose netlist changed is mapped again.
"""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

from mnv2.hw.config import AcceleratorConfig
from mnv2.hw.gearbox_shape import gearbox_shape
from mnv2.sim.cost import pieces, resources
from mnv2.sim.cost.calibration import compare_fit, fit_coefficients
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.fit_words import error_words
from mnv2.sim.cost.synthesised import RESULTS, load_designs
from mnv2.sim.cost.units.memory_port import list_gearboxes
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.synthesis.kept_results import read_results, write_results
from mnv2.sim.synthesis.measure_pieces import measure_gearboxes
from mnv2.sim.synthesis.tools import Tool, find_yosys
from mnv2.sim.synthesis.whole_netlist import convert_accelerator, map_netlist, netlist_folder
from mnv2.sim.synthesis.whole_result import summarize_netlist
from mnv2.sim.synthesis.yosys import netlist_hash

__all__ = ["calibrate_costs", "map_design", "usual_shapes"]

#: Lanes and buses whose gearboxes are measured, in addition to those of the designs.
USUAL_INPUTS, USUAL_PIXELS = (3, 4, 8, 16), (1, 2, 3, 4, 5, 6, 7, 8)
USUAL_TILES, USUAL_BITS = (1, 2, 3, 4, 6), (64, 128, 256, 512)

#: Gearboxes of one run.
BATCH = 20


def usual_shapes():
    """Shapes of gearboxes worth a measurement, those of the designs first that are fitted to."""
    usual = [
        AcceleratorConfig(
            outputs=tiles * inputs,
            inputs=inputs,
            pixels=pixels,
            residual_lanes=inputs,
            data_bits=bits,
            burst_beats=8,
            padded_words=padded,
        )
        for padded in (True, False)
        for inputs in USUAL_INPUTS
        for tiles in USUAL_TILES
        for pixels in USUAL_PIXELS
        for bits in USUAL_BITS
        if 9 <= tiles * inputs <= 32
    ]
    configs = [
        *(design.config for design in load_designs().values() if not design.held_out),
        *usual,
    ]
    return list(
        dict.fromkeys(
            ((shape := gearbox_shape(taken, given)).taken, shape.given, partial)
            for config in configs
            for taken, given, partial in list_gearboxes(config).values()
        )
    )


def calibrate_costs(
    designs: Iterable[str],
    families: Iterable[str],
    *,
    gearboxes: int = 0,
    fit_only: bool = False,
    yosys: str | None = None,
    jobs: int = 1,
    timeout: float = 7200,
) -> None:
    """Measure what is missing, fit the coefficients, print their errors.

    Parameters
    ----------
    designs : iterable of str
        Names of `mnv2.sim.cost.synthesised.load_designs` to map, unless they are mapped already.
    families : iterable of str
        Keys of `mnv2.sim.cost.families.FAMILIES`.
    gearboxes : int
        Further shapes of gearboxes to measure at most, the usual ones first.
    fit_only : bool
        Whether nothing is measured.
    yosys : str, optional
        A Yosys that maps the designs; default as of `mnv2.sim.synthesis.tools.find_yosys`.
    jobs : int
        Designs that are mapped at a time.
    timeout : float
        Seconds for each run of Yosys.
    """
    families = list(families)
    if not fit_only:
        _measure_pieces(families, gearboxes, timeout)
        _map_designs(list(designs), families, find_yosys(yosys), jobs, timeout)
    _write(resources.COEFFICIENTS, fit_coefficients(read_results(RESULTS)), indent=1)
    resources.load_coefficients.cache_clear()
    rows = compare_fit(read_results(RESULTS))
    for row in rows:
        exact = all(
            row.estimated[name] == row.counted.get(name, 0)
            for name in ("dsp", "block_ram_36k", "block_ram_18k")
        )
        print(
            f"{row.design:14} {row.family:5} {'held out' if row.held_out else 'fitted':9}"
            f"DSP and block RAM {'exact' if exact else 'DIFFER'}, LUTs {row.error('luts'):+.1%}, "
            f"flip-flops {row.error('flip_flops'):+.1%}"
        )
    print(f"Designs that were not fitted: {error_words(rows)}")


def map_design(
    name: str, hashes: dict[str, str], yosys: Tool, timeout: float
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Map a design for families where it is not mapped, or another netlist was.

    Parameters
    ----------
    name : str
    hashes : dict of str to str
        By family: the hash of the netlist whose result is kept; empty if none is.
    yosys : Tool
    timeout : float
        Seconds for each run.

    Yields
    ------
    (str, dict)
        Family and its result, as of `mnv2.sim.synthesis.whole_result.summarize_netlist`.
    """
    text = convert_accelerator(load_designs()[name].config)
    for family, known in hashes.items():
        if known != netlist_hash(text):
            folder = netlist_folder(text, family, yosys)
            netlist = map_netlist(text, folder, yosys, family=family, timeout=timeout)
            yield family, summarize_netlist(text, netlist, yosys)


def _map_whole(*arguments: Any) -> dict[str, dict[str, Any]]:
    """All results of `map_design`."""
    return dict(map_design(*arguments))


def _map_designs(names, families, yosys, jobs, timeout):
    """Map designs whose results are missing or of another netlist; drop what is no design's."""
    found = read_results(RESULTS)
    kept = {
        name: {family: found[name][family] for family in design.families if family in found[name]}
        for name, design in load_designs().items()
        if name in found
    }

    def keep(name, family, result):
        print(f"{name} {family}: {result['seconds']} s, {result['total']}", flush=True)
        kept.setdefault(name, {})[family] = result
        write_results(RESULTS, kept)

    def work(name):
        hashes = {
            family: kept.get(name, {}).get(family, {}).get("netlist_sha256", "")
            for family in families
            if family in load_designs()[name].families
        }
        return name, hashes, yosys, timeout

    if jobs == 1:
        for name in names:
            for family, result in map_design(*work(name)):
                keep(name, family, result)
        return
    # Processes, since half of a run is Amaranth's and ours, in Python.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        tasks = {pool.submit(_map_whole, *work(name)): name for name in names}
        try:
            for task in as_completed(tasks):
                for family, result in task.result().items():
                    keep(tasks[task], family, result)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _measure_pieces(families, count, timeout):
    """Measure at most ``count`` missing shapes of gearboxes."""
    kept = read_results(pieces.MEASURED)
    for family in families:
        if FAMILIES[family].pieces_as != family:
            continue
        known = kept.setdefault(family, {"gearboxes": {}})
        missing = [
            shape for shape in usual_shapes() if "{}:{} {}".format(*shape) not in known["gearboxes"]
        ][:count]
        for begin in range(0, len(missing), BATCH):
            known["gearboxes"] |= measure_gearboxes(missing[begin : begin + BATCH], family, timeout)
            _write(pieces.MEASURED, kept, indent=1)
            print(f"{family}: {len(known['gearboxes'])} gearboxes", flush=True)
    pieces.load_pieces.cache_clear()


def _write(path, content, indent):
    write_whole(path, f"{json.dumps(content, indent=indent)}\n".encode())
