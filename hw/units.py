"""Every unit of the hardware, each built alone from the parameters of an accelerator."""

from collections.abc import Callable
from dataclasses import dataclass

from .accelerator import Accelerator
from .block_settings import BlockSettings
from .config import (
    COUNTER_ROWS,
    SEGMENTS,
    STREAMS,
    WORDS_BITS,
    WRITE_OUTSTANDING,
    AcceleratorConfig,
)
from .core import Core
from .counters import Counters
from .descriptor_check import DescriptorCheck
from .gearbox import Gearbox
from .gearbox_shape import gearbox_shape
from .identity import configuration_hash, constant_registers
from .issue import Issue
from .line_buffer import LineBuffer
from .line_input import LineInput
from .logits_path import LogitsPath
from .mac_array import MacArray
from .map_memory import MapMemory
from .map_mover import MapLoader, MapStorer
from .map_port import MapPort
from .pass_walk import PassWalk
from .pool import Pool
from .program_fetch import ProgramFetch
from .read_master import ReadMaster
from .read_port import ReadPort
from .registers import Registers
from .requantize import Requantize
from .residual import ResidualAdd
from .residual_path import ResidualPath
from .ring import Ring
from .sequencer import Sequencer
from .slot_ring import SlotRing
from .standalone.depthwise import Depthwise
from .standalone.pointwise import Pointwise
from .standalone.weight_banks import WeightBanks
from .step_input import StepInput
from .stream_walk import StreamWalk
from .strip_passes import StripPasses
from .strip_room import StripRoom
from .strip_rows import StripRows
from .supervisor import Supervisor
from .tile_results import TileResults
from .turn_counter import TurnCounter
from .write_master import WriteMaster
from .write_port import WritePort

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
    return {"channels": config.word_channels, "pixels": config.pixels,
            "activation_bits": config.activation_bits}


def _requantize(config):
    return {"channels": config.inputs, "frames": config.frames, "pixels": config.pixels,
            "activation_bits": config.activation_bits, "accumulator_bits": config.accumulator_bits,
            **_rescaling(config)}


def _rescaling(config):
    """Parameters of the multipliers of requantisation and of the residual addition."""
    return {"rounding": config.requantize, "operand_bits": config.operand_bits,
            "multipliers_in_luts": config.multipliers_in_luts}


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


def _frames(config):
    """Parameters of a unit that works on the words of each frame."""
    return {"inputs": config.inputs, "frames": config.frames, "pixels": config.pixels}


def _issue(config):
    return {"tile_words": config.tile_words, "weight_ring": config.weight_words,
            "tap_ring": config.tap_words, "parameter_ring": config.parameter_words,
            "queue_words": config.queue_words,
            "pool_cycles": Requantize(**_requantize(config)).latency + Pool.latency}


def _tile_results(config):
    return {**_frames(config), "tile_words": config.tile_words,
            "accumulator_bits": config.accumulator_bits}


def _residual_path(config):
    return {"channels": config.word_channels, "pixels": config.pixels,
            "lanes": config.residual_lanes, "queue_words": config.queue_words,
            "activation_bits": config.activation_bits, **_rescaling(config)}


def _logits_path(config):
    return {"inputs": config.inputs, "frames": config.frames,
            "accumulator_bits": config.accumulator_bits,
            "activation_bits": config.activation_bits, "queue_words": config.queue_words}


def _descriptor(config):
    """Parameters of what a descriptor must fit into."""
    return {"map_words": config.map_words, "tap_words": config.tap_words,
            "parameter_words": config.parameter_words}


def _gearbox(config):
    # Of those to the rings, that with the most positions for a word: it is the slowest.
    def positions(layout):
        shape = gearbox_shape(layout.beat_bits, layout.taken_bits)
        return shape.given + min(shape.taken, shape.given)

    slowest = max((config.streams[name] for name in ("parameters", "taps", "weights")),
                  key=positions)
    return {"input_bits": slowest.beat_bits, "output_bits": slowest.taken_bits, "partial": "drop"}


def _port(config):
    """Parameters of a port to external memory."""
    return {"streams": config.streams, **_addressed(config), "burst_beats": config.burst_beats}


def _addressed(config):
    """Widths of the port to external memory."""
    return {"data_bits": config.data_bits, "address_bits": config.address_bits}


def _fetch(config):
    return {**_addressed(config), "configuration": configuration_hash(config)}


def _read_master(config):
    return {**_addressed(config),
            "channels": len(STREAMS), "burst_beats": config.burst_beats,
            "fifo_beats": config.read_queue_beats, "outstanding": config.outstanding}


def _write_master(config):
    return {**_addressed(config),
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
    "core": HardwareUnit(Core, lambda config: {"config": config}, ("core",),
                         size="{config.outputs}x{config.inputs}x{config.pixels}"),
    "mac-array": HardwareUnit(
        MacArray, _array, ("core.array",),
        lambda config: {"pixels": 2 if config.packing == "pixels" else 1},
        "{outputs}x{inputs}x{pixels}"),
    "requantize": HardwareUnit(
        Requantize, _requantize, ("core.requantize",),
        lambda config: {"channels": 1, "pixels": 1, "frames": 1}, "{channels}x{pixels}"),
    "residual-add": HardwareUnit(
        ResidualAdd,
        lambda config: {name: value for name, value in _residual_path(config).items()
                        if name != "queue_words"}, ("core.residual.adder",),
        lambda config: {"channels": 1, "pixels": 1, "lanes": 1}, "{channels}x{pixels}"),
    "pool": HardwareUnit(
        Pool, lambda config: {**_lanes(config), "tile_words": config.tile_words}, ("core.pool",),
        lambda config: {"channels": 1}, "{channels}x{pixels}"),
    "line-buffer": HardwareUnit(
        LineBuffer,
        lambda config: {**_lanes(config), "tile_words": config.tile_words,
                        "depth": config.line_words}, ("core.line_buffer",),
        lambda config: {"pixels": min(config.pixels, 2)}, "{channels}x{pixels}"),
    "map-memory": HardwareUnit(
        MapMemory, lambda config: {"word": config.word_bits, "depth": config.map_words},
        ("core.map_memory",)),
    "line-input": HardwareUnit(
        LineInput, lambda config: {"word": config.word_bits, "queue_words": config.queue_words},
        ("core.line_input",)),
    "step-input": HardwareUnit(
        StepInput,
        lambda config: {**_frames(config), "activation_bits": config.activation_bits},
        ("core.step_input",)),
    "tile-results": HardwareUnit(TileResults, _tile_results, ("core.tile",)),
    "residual-path": HardwareUnit(ResidualPath, _residual_path, ("core.residual",)),
    "logits-path": HardwareUnit(LogitsPath, _logits_path, ("core.logits",)),
    "issue": HardwareUnit(Issue, _issue, ("core.issue",), lambda config: {}),
    "pass-walk": HardwareUnit(
        PassWalk,
        lambda config: {"tile_words": config.tile_words, "weight_ring": config.weight_words},
        ("core.issue.walk",)),
    "ring": HardwareUnit(
        Ring, lambda config: {"shape": config.weight_word_bits, "depth": config.weight_words},
        ("core.weights", "core.taps", "core.parameters"),
        lambda config: {"shape": 64}, "{shape}x{depth}"),
    "read-port": HardwareUnit(
        ReadPort,
        lambda config: {**_port(config), "fifo_beats": config.read_queue_beats,
                        "outstanding": config.outstanding}, ("read_port",)),
    "write-port": HardwareUnit(
        WritePort, lambda config: {**_port(config), "fifo_beats": config.write_queue_beats},
        ("write_port",)),
    "map-port": HardwareUnit(
        MapPort,
        lambda config: {"word_bits": config.word_bits,
                        "logits_bits": config.streams["logits"].word_bits,
                        "address_bits": config.address_bits}, ("map_port",)),
    "gearbox": HardwareUnit(
        Gearbox, _gearbox,
        (*(f"read_port.{name}_gearbox" for name in (*STREAMS, "image")),
         *(f"write_port.{name}_gearbox" for name in ("activations", "logits"))),
        lambda config: {}, "{input_bits}:{output_bits}"),
    "read-master": HardwareUnit(
        ReadMaster, _read_master, ("read_port.read_master",), lambda config: {}),
    "write-master": HardwareUnit(
        WriteMaster, _write_master, ("write_port.write_master",), lambda config: {}),
    "map-loader": HardwareUnit(
        MapLoader, lambda config: {"word_bits": config.word_bits}, ("map_port.loader",)),
    "map-storer": HardwareUnit(
        MapStorer, lambda config: {"word_bits": config.word_bits}, ("map_port.storer",)),
    "sequencer": HardwareUnit(
        Sequencer, lambda config: {**_fetch(config), **_descriptor(config)}, ("sequencer",)),
    "program-fetch": HardwareUnit(ProgramFetch, _fetch, ("sequencer.fetch",)),
    "stream-walk": HardwareUnit(
        StreamWalk, lambda config: {**_addressed(config), "segments": SEGMENTS},
        tuple(f"sequencer.fetch.{name}_walk" for name in ("weights", "taps", "parameters"))),
    "descriptor-check": HardwareUnit(DescriptorCheck, _descriptor, ("sequencer.check",)),
    "block-settings": HardwareUnit(BlockSettings, lambda config: {}, ("sequencer.settings",)),
    "strip-rows": HardwareUnit(StripRows, lambda config: {}, ("sequencer.rows",)),
    "strip-room": HardwareUnit(StripRoom, lambda config: {}, ("sequencer.room",)),
    "strip-passes": HardwareUnit(StripPasses, lambda config: {}, ("sequencer.passes",)),
    "counters": HardwareUnit(Counters, lambda config: {"rows": COUNTER_ROWS}, ("counters",)),
    "registers": HardwareUnit(
        Registers,
        lambda config: {"counter_rows": COUNTER_ROWS, "address_bits": config.address_bits,
                        "constants": constant_registers(config)}, ("registers",)),
    "turn-counter": HardwareUnit(
        TurnCounter, lambda config: {"address_bits": config.address_bits}, ("turns",)),
    "slot-ring": HardwareUnit(
        SlotRing, lambda config: {"address_bits": config.address_bits},
        ("turns.picture_ring", "turns.logits_ring")),
    "supervisor": HardwareUnit(
        Supervisor, lambda config: {"patience_cycles": config.patience_cycles}, ("supervisor",)),
}
