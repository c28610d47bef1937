"""Every unit of the hardware, each built alone from the parameters of an accelerator."""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

from .accelerator import Accelerator
from .config import (
    COUNTER_ROWS,
    MEMORY_ADDRESS_BITS,
    STREAMS,
    WORDS_BITS,
    WRITE_OUTSTANDING,
    AcceleratorConfig,
)
from .core import Core
from .counters import Counters
from .gearbox import Gearbox
from .issue import Issue
from .line_buffer import LineBuffer
from .mac_array import MacArray
from .map_mover import MapLoader, MapStorer
from .pass_walk import PassWalk
from .pool import Pool
from .read_master import ReadMaster
from .registers import Registers
from .requantize import Requantize
from .residual import ResidualAdd
from .ring import Ring
from .sequencer import Sequencer
from .standalone.depthwise import Depthwise
from .standalone.pointwise import Pointwise
from .standalone.weight_banks import WeightBanks
from .supervisor import Supervisor
from .write_master import WriteMaster

__all__ = ["UNITS", "HardwareUnit"]


@dataclass(frozen=True)
class HardwareUnit:
    """A unit, and its parameters in an accelerator.

    Attributes
    ----------
    component : type
        Its class.
    parameters : function of (AcceleratorConfig) to dict
        Parameters with which the accelerator of a configuration has it, tags apart; of a
        stand-alone unit, those with the same lanes and memories.
    places : tuple of str
        Its places in the accelerator, below the top module; empty for a stand-alone unit.
    few_lanes : function of (AcceleratorConfig) to dict, optional
        The parameters that differ where its clock is measured: few lanes where lanes are copies of
        each other. None where its clock is not measured alone.
    size : str
        The size that distinguishes one measured unit from another, made of its parameters:
        ``"{channels}x{pixels}"``.
    """

    component:  type
    parameters: Callable[[AcceleratorConfig], dict[str, object]]
    places:     tuple[str, ...] = ()
    few_lanes:  Callable[[AcceleratorConfig], dict[str, object]] | None = None
    size:       str = ""

    @property
    def summary(self) -> str:
        """Purpose in one line: the first line of its class's docstring."""
        return self.component.__doc__.strip().partition("\n")[0].replace("``", "")

    def build(self, config, *, few_lanes=False):
        """The component, for a configuration."""
        changes = self.few_lanes(config) if few_lanes else {}
        return self.component(**self.parameters(config) | changes)


def _lanes(config):
    """Parameters of a unit that works on words of activations."""
    return {"channels": config.inputs, "pixels": config.pixels,
            "activation_bits": config.activation_bits}


def _products(config):
    """Parameters of what multiplies with weights: products that share a multiplier, and widths."""
    return {"pixels": config.pixels, "frames": config.frames, "packing": config.packing,
            "operand_bits": config.operand_bits, "weight_bits": config.weight_bits,
            "activation_bits": config.activation_bits,
            "accumulator_bits": config.accumulator_bits}


def _array(config):
    return {"outputs": config.outputs, "inputs": config.inputs, **_products(config)}


def _depthwise(config):
    # The memory holds two sets of kernels.
    return {"channels": config.inputs, **_products(config), "tile_words": config.tile_words,
            "depth": config.line_words,
            "words": min(max(config.tap_words // 2, 1), 2**WORDS_BITS)}


def _pointwise(config):
    # The memory holds two sets of weights.
    return {**_array(config), "weight_words": max(config.weight_words // 2, 1)}


def _core(config):
    return {"outputs": config.outputs, "inputs": config.inputs, "pixels": config.pixels,
            "weight_bits": config.weight_bits, "activation_bits": config.activation_bits,
            "map_words": config.map_words, "strip_words": config.strip_words,
            "line_words": config.line_words, "weight_words": config.weight_words,
            "tap_words": config.tap_words, "parameter_words": config.parameter_words,
            "queue_words": config.queue_words}


def _issue(config):
    return {"tile_words": config.tile_words, "weight_ring": config.weight_words,
            "tap_ring": config.tap_words, "parameter_ring": config.parameter_words,
            "queue_words": config.queue_words}


def _gearbox(config):
    # Of those to the rings, that with the most positions for a word: it is the slowest.
    given = max(
        (config.parameter_word_bits, config.tap_word_bits, config.weight_word_bits),
        key=lambda bits: ((bits + min(config.data_bits, bits)) // gcd(config.data_bits, bits)))
    return {"input_bits": config.data_bits, "output_bits": given, "partial": "drop"}


def _read_master(config):
    return {"data_bits": config.data_bits, "address_bits": MEMORY_ADDRESS_BITS,
            "channels": len(STREAMS), "burst_beats": config.burst_beats,
            "fifo_beats": config.read_queue_beats, "outstanding": config.outstanding}


def _write_master(config):
    return {"data_bits": config.data_bits, "address_bits": MEMORY_ADDRESS_BITS,
            "burst_beats": config.burst_beats, "fifo_beats": config.write_queue_beats,
            "outstanding": WRITE_OUTSTANDING}


#: Units by name: those that convolve alone, then those that the accelerator is made of.
UNITS = {
    "depthwise": HardwareUnit(Depthwise, _depthwise),
    "pointwise": HardwareUnit(Pointwise, _pointwise),
    "weight-banks": HardwareUnit(
        WeightBanks,
        lambda config: {"shape": config.weight_word_bits,
                        "words": max(config.weight_words // 2, 1)}),
    "accelerator": HardwareUnit(Accelerator, lambda config: {"config": config}, ("",)),
    "core": HardwareUnit(Core, _core, ("core",), size="{outputs}x{inputs}x{pixels}"),
    "mac-array": HardwareUnit(
        MacArray, _array, ("core.array",),
        lambda config: {"pixels": 2 if config.packing == "pixels" else 1},
        "{outputs}x{inputs}x{pixels}"),
    "requantize": HardwareUnit(
        Requantize, _lanes, ("core.requantize", "core.pool.requantize"),
        lambda config: {"channels": 1, "pixels": 1}, "{channels}x{pixels}"),
    "residual-add": HardwareUnit(
        ResidualAdd, lambda config: {**_lanes(config), "lanes": config.inputs}, ("core.residual",),
        lambda config: {"channels": 1, "pixels": 1, "lanes": 1}, "{channels}x{pixels}"),
    "pool": HardwareUnit(
        Pool, lambda config: {**_lanes(config), "tile_words": config.tile_words}, ("core.pool",),
        lambda config: {"channels": 1}, "{channels}x{pixels}"),
    "line-buffer": HardwareUnit(
        LineBuffer,
        lambda config: {**_lanes(config), "tile_words": config.tile_words,
                        "depth": config.line_words}, ("core.line_buffer",),
        lambda config: {"pixels": min(config.pixels, 2)}, "{channels}x{pixels}"),
    "issue": HardwareUnit(Issue, _issue, ("core.issue",), lambda config: {}),
    "pass-walk": HardwareUnit(
        PassWalk,
        lambda config: {"tile_words": config.tile_words, "weight_ring": config.weight_words},
        ("core.issue.walk",)),
    "ring": HardwareUnit(
        Ring, lambda config: {"shape": config.weight_word_bits, "depth": config.weight_words},
        ("core.weights", "core.taps", "core.parameters"),
        lambda config: {"shape": 64}, "{shape}x{depth}"),
    "gearbox": HardwareUnit(
        Gearbox, _gearbox,
        (*(f"{stream}_gearbox" for stream in STREAMS), "image_gearbox", "store_gearbox",
         "logits_gearbox"),
        lambda config: {}, "{input_bits}:{output_bits}"),
    "read-master": HardwareUnit(ReadMaster, _read_master, ("read_master",), lambda config: {}),
    "write-master": HardwareUnit(WriteMaster, _write_master, ("write_master",), lambda config: {}),
    "map-loader": HardwareUnit(
        MapLoader, lambda config: {"word_bits": config.word_bits}, ("loader",)),
    "map-storer": HardwareUnit(
        MapStorer, lambda config: {"word_bits": config.word_bits}, ("storer",)),
    "sequencer": HardwareUnit(
        Sequencer,
        lambda config: {"data_bits": config.data_bits, "map_words": config.map_words,
                        "tap_words": config.tap_words, "parameter_words": config.parameter_words},
        ("sequencer",)),
    "counters": HardwareUnit(Counters, lambda config: {"rows": COUNTER_ROWS}, ("counters",)),
    "registers": HardwareUnit(
        Registers, lambda config: {"counter_rows": COUNTER_ROWS}, ("registers",)),
    "supervisor": HardwareUnit(
        Supervisor, lambda config: {"patience_cycles": config.patience_cycles}, ("supervisor",)),
}
