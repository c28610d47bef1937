"""Differences between families of devices in placing and routing: program, options, cells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ECP5", "XC7", "Flow", "Resource"]


@dataclass(frozen=True)
class Resource:
    """A resource of a family's devices.

    Attributes
    ----------
    name : str
        As reports show it.
    cells : dict of str to int
        Kinds of cell by nextpnr's names, and how much of it each takes.
    counts : dict of str to int
        The same of Yosys's counts, by the names of `mnv2.sim.synthesis.yosys.RESOURCES`.
    held : str
        Attribute of `mnv2.sim.cost.devices.Device`: what a device has.
    places : int
        nextpnr's places for each: two functions may share a LUT of 7 series. What is used is then
        counted by unit, as of `mnv2.sim.place.floor_plan.find_tiles`.
    """

    name: str
    cells: Mapping[str, int]
    counts: Mapping[str, int]
    held: str
    places: int = 1


@dataclass(frozen=True)
class Flow:
    """How accelerators are placed and routed on the devices of a family.

    Attributes
    ----------
    family : str
        A key of `mnv2.sim.synthesis.whole_netlist.COMMANDS`.
    program : str
        nextpnr's name.
    options : tuple of str
        Of each run. The clock is the one that nextpnr aims at; it routes what misses it too.
    bits : bool
        Whether nextpnr writes the settings that ecppack packs.
    speeds : tuple of int
        Grades that nextpnr has delays of, the fastest last.
    resources : tuple of Resource
        In the order of reports.
    units : dict of str to str
        What is counted by unit: kinds of cell by nextpnr's names, and the name of the count.
    logic : tuple of (re.Pattern, str)
        Kinds of logic on a path, by the pin that it leaves a cell through; the first that fits.
    note : str
        What the counts are of, in words.
    path_note : str
        What the names of ports are, and how paths are found, in words.
    caveat : str
        What the timing leaves out, beginning with "optimistic"; empty where it is complete.
    """

    family: str
    program: str
    options: tuple[str, ...]
    bits: bool
    speeds: tuple[int, ...]
    resources: tuple[Resource, ...]
    units: Mapping[str, str]
    logic: tuple[tuple[re.Pattern[str], str], ...]
    note: str
    path_note: str
    caveat: str = ""


ECP5 = Flow(
    family="ecp5",
    program="nextpnr-ecp5",
    options=("--freq", "100", "--timing-allow-fail", "--lpf-allow-unconstrained"),
    bits=True,
    # Most boards carry a 6.
    speeds=(6, 7, 8),
    resources=(
        Resource("LUTs", {"TRELLIS_COMB": 1}, {"luts": 1, "memory_luts": 1}, "luts"),
        Resource("flip-flops", {"TRELLIS_FF": 1}, {"flip_flops": 1}, "flip_flops"),
        Resource("DSPs", {"MULT18X18D": 1}, {"dsp": 1}, "dsp"),
        Resource("block RAM, 18 kbit", {"DP16KD": 1}, {"block_ram_18k": 1}, "block_ram_18k"),
    ),
    units={
        "TRELLIS_COMB": "luts",
        "TRELLIS_FF": "flip_flops",
        "MULT18X18D": "dsp",
        "DP16KD": "block_ram_18k",
    },
    logic=(
        (re.compile(r"/P\d+$"), "MULT18X18D"),
        (re.compile(r"/FCO$"), "carry"),
        (re.compile(""), "LUT4"),
    ),
    note="a LUT is half of a slice, holding logic, a carry or memory",
    path_note="CE is a clock enable, LSR a reset, WRE a write",
)

XC7 = Flow(
    family="xc7",
    program="nextpnr-himbaechel-xilinx",
    options=(
        *("--freq", "100", "--timing-allow-fail", "--placer", "static", "--router", "router2"),
        "--detailed-timing-report",
    ),
    bits=False,
    # nextpnr has one set of delays, whatever grade it is told.
    speeds=(1,),
    resources=(
        Resource("LUTs", {"SLICE_LUTX": 1}, {"luts": 1, "memory_luts": 1}, "luts", places=2),
        Resource("flip-flops", {"SLICE_FFX": 1}, {"flip_flops": 1}, "flip_flops"),
        Resource("DSPs", {"DSP48E1_DSP48E1": 1}, {"dsp": 1}, "dsp"),
        Resource(
            "block RAM, 18 kbit",
            {"RAMB18E1_RAMB18E1": 1, "RAMB36E1_RAMB36E1": 2},
            {"block_ram_18k": 1, "block_ram_36k": 2},
            "block_ram_18k",
        ),
    ),
    units={
        "SLICE_LUTX": "luts",
        "SLICE_FFX": "flip_flops",
        "DSP48E1_DSP48E1": "dsp",
        "RAMB18E1_RAMB18E1": "block_ram_18k",
        "RAMB36E1_RAMB36E1": "block_ram_36k",
    },
    logic=(
        (re.compile(r"/C?O[0-3]$"), "carry"),
        (re.compile(r"/OUT$"), "multiplexer"),
        (re.compile(""), "LUT6"),
    ),
    note="two functions of at most five inputs together may share a LUT, which counts once",
    path_note="CE is a clock enable, SR a reset, WE a write; lengths are nextpnr's, and which of "
    "several ways\nis the longest is by its estimates of wires to LUTs",
    caveat="optimistic: nextpnr has no delays of a DSP48E1, and its delays of LUTs and flip-flops "
    "are stubs",
)
