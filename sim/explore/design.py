"""One design: an accelerator at a clock, with the costs and times of a network on it."""

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mnv2.golden.summary import short_repr
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.devices import Use
from mnv2.sim.cost.energy import Energy
from mnv2.sim.cost.record import Resources
from mnv2.sim.cycles.predict import PredictedLayer
from mnv2.sim.explore.lanes import LaneWarning
from mnv2.sim.report.results import Measurement, sum_layers

__all__ = ["Design", "design_key"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """An accelerator with everything that is known about it; it was not run.

    A design that was ruled out by its costs alone was not predicted: its ``layers`` are empty, and
    figures that follow from them are None.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    clock_hz : float
        Clock that times are stated at.
    clock_from : str
        Source of the clock: ``"given"``, or what the estimate is based on.
    point : dict of str to (int, float, str or bool)
        The axes of the space that led to it, see `mnv2.sim.explore.space.AXES`.
    memory : dict of str to (int, str or float)
        ``latency`` in cycles, and ``bytes_per_cycle`` of the memory that it was predicted with,
        where 0 means a beat a cycle in each direction; ``part`` and ``part_clock_hz`` if it is one.
    layers : tuple of mnv2.sim.cycles.predict.PredictedLayer
        Stem, blocks, head and classifier.
    resources : mnv2.sim.cost.resources.Resources
        In the family of the device, or of UltraScale+ without one.
    energy : mnv2.sim.cost.energy.Energy or None
        Of a frame, relative: by operation, and their ``total``.
    accuracy : float or None
        Share of pictures that get float's first class, of the best format of its bits in a sweep.
    accuracy_format : str
        Name of that format.
    uses : tuple of mnv2.sim.cost.devices.Use
        Shares of the device's resources, the largest first; empty without a device.
    violations : dict of str to float
        Limits that the design misses, by name: by how much, as a share of the limit. Empty for a
        design that may be on the front.
    lane_warnings : tuple of mnv2.sim.explore.lanes.LaneWarning
        Layers that leave more than half of the lanes idle.
    notes : tuple of str
        Other things that its reader must know, a sentence each.
    number : int or None
        Its place in the front, from 1; None if it is not on the front.
    command : str
        The command that proves it, if it has a number.
    """

    __repr__ = short_repr

    config: AcceleratorConfig
    clock_hz: float
    clock_from: str = "given"
    point: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any]
    layers: tuple[PredictedLayer, ...] = ()
    resources: Resources
    energy: Energy | None = None
    accuracy: float | None = None
    accuracy_format: str = ""
    uses: tuple[Use, ...] = ()
    violations: dict[str, float] = field(default_factory=dict)
    lane_warnings: tuple[LaneWarning, ...] = ()
    notes: tuple[str, ...] = ()
    number: int | None = None
    command: str = ""

    @property
    def key(self) -> str:
        """The name of the design: its configuration and clock, in few characters."""
        return design_key(self.config, self.clock_hz)

    @property
    def name(self) -> str:
        """``design-017`` in the front, else its key."""
        return self.key if self.number is None else f"design-{self.number:03}"

    @property
    def lanes(self) -> str:
        """``16x4x7``: lanes of outputs, inputs and pixels; ``16x4x7x2`` of two frames."""
        return _lanes(self.config)

    @property
    def feasible(self) -> bool:
        """Whether it was predicted, and misses no limit."""
        return bool(self.layers) and not self.violations

    @cached_property
    def total(self) -> Measurement | None:
        """All layers together, a `mnv2.sim.report.results.Measurement`; None if not predicted."""
        if not self.layers:
            return None
        return sum_layers(self.layers, self.config.multipliers)

    @property
    def cycles(self) -> int | None:
        """Cycles from start to the interrupt: of a frame, or of two abreast."""
        return None if self.total is None else self.total.cycles

    @property
    def dram_bytes(self) -> int | None:
        """Bytes of a frame through the memory port."""
        return None if self.total is None else self.total.dram_bytes // self.config.frames

    @property
    def frames_per_second(self) -> float | None:
        """Frames, one after another, or two by two."""
        if self.total is None:
            return None
        return self.config.frames * self.clock_hz / self.total.cycles

    @property
    def latency_seconds(self) -> float | None:
        """From start to logits."""
        return None if self.total is None else self.total.cycles / self.clock_hz

    @property
    def bandwidth(self) -> float | None:
        """Bytes a second through the memory port, averaged over the cycles."""
        if self.total is None:
            return None
        return self.total.dram_bytes * (self.clock_hz / self.total.cycles)

    @property
    def peak_bandwidth(self) -> float:
        """Bytes a second that its port reads in a burst: a beat a cycle."""
        return self.config.data_bytes * self.clock_hz

    @property
    def block_ram_18k(self) -> int:
        """Block RAM in units of 18 kbit; on a device with blocks of 4 kbit alone, those."""
        return self.resources.block_ram_halves or self.resources.block_ram_4k

    @property
    def binding_use(self) -> Use | None:
        """The resource of the device it uses most of, a `mnv2.sim.cost.devices.Use`, or None."""
        return self.uses[0] if self.uses else None


def design_key(config: AcceleratorConfig, clock_hz: float) -> str:
    """The name of a configuration at a clock: every field and the clock, in few characters.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    clock_hz : float

    Returns
    -------
    str
    """
    in_luts = f" luts{config.lut_outputs}" if config.lut_outputs else ""
    wide = (
        f"x{config.address_bits}" if config.address_bits != AcceleratorConfig.address_bits else ""
    )
    switches = [name for name, value in dataclasses.asdict(config).items() if value is True]
    switches += [name for name in ("map_ram", "weight_ram") if getattr(config, name) == "ultra"]
    return (
        f"{_lanes(config)}"
        f" w{config.weight_bits}a{config.activation_bits}n{config.accumulator_bits}"
        f" {config.packing}{config.operand_bits}{in_luts} {config.requantize}"
        f" e{config.residual_lanes}"
        f" m{config.map_words} s{config.strip_words} l{config.line_words}"
        f" r{config.weight_words} t{config.tap_words} p{config.parameter_words}"
        f" q{config.queue_words} d{config.data_bits}{wide} b{config.burst_beats}"
        f" o{config.outstanding} c{config.patience_cycles}"
        f" {'+'.join(switches) or 'plain'} {clock_hz / 1e6:.6g}MHz"
    )


def _lanes(config: AcceleratorConfig) -> str:
    """Lanes of outputs, inputs and pixels, and of frames where there are several."""
    lanes = f"{config.outputs}x{config.inputs}x{config.pixels}"
    return lanes if config.frames == 1 else f"{lanes}x{config.frames}"
