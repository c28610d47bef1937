"""Buffers that fit a network: the least of each, found by asking the mapping, and more of it.

The sizes of the line memory and of the rings of 3x3 kernels and of parameters are forced by the
network: more of them makes nothing faster. Map, strip and weight memory trade bytes on chip for
bytes from outside and for waits, so a design states how much above the least it has: above the
three sizes that together take the least RAM. Sizes are rounded up to what the RAM holds anyway, so
that nothing that is paid for stays unused.
"""

import dataclasses
import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from mnv2.golden.network import Network
from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.explore.joint_buffers import RAM_DEPTH, smallest_buffers, weights_needed
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.tiling import DoesNotFit

__all__ = ["BufferSizes"]

#: No network needs more; the first two are what an address in a descriptor reaches.
_MOST: dict[str, Any] = {
    "map_words": 2**16 - 1,
    "strip_words": 2**16 - 1,
    "line_words": 2**20,
    "weight_words": 2**24,
    "tap_words": 2**20,
    "parameter_words": 2**20,
}
#: Sizes that depend on each other.
_JOINT = ("map_words", "strip_words", "weight_words")
_BASE = PRESETS["base"]
_LANES = ("outputs", "inputs", "pixels")
_STATED = (
    "frames",
    "packing",
    "operand_bits",
    "weight_bits",
    "activation_bits",
    "accumulator_bits",
    "requantize",
    "lut_outputs",
    "multipliers_in_luts",
    "residual_lanes",
    "data_bits",
    "burst_beats",
    "outstanding",
    "padded_words",
    "counters",
    "map_ram",
    "weight_ram",
)


class BufferSizes:
    """Makes configurations for one network; results are kept.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    """

    def __init__(self, network: Network):
        self._network = network
        self._found: dict[Hashable, Any] = {}

    def configuration(self, point: Mapping[str, Any]) -> AcceleratorConfig:
        """The accelerator of a point.

        What no axis states is as in the preset ``base``; fewer ``residual_lanes`` where those of
        ``base`` do not divide the elements of a word.

        Parameters
        ----------
        point : dict of str to (int, float, str or bool)
            Values by axis, see `mnv2.sim.explore.space.AXES`.

        Returns
        -------
        mnv2.hw.config.AcceleratorConfig

        Raises
        ------
        ValueError
            If there is no such accelerator; `mnv2.sim.mapping.tiling.DoesNotFit`, if the network
            cannot run on it.
        """
        lanes: dict[str, Any] = {name: point[name] for name in _LANES}
        tile_words = max(1, lanes["outputs"] // lanes["inputs"])
        queue = point.get("queue_words", tile_words * point.get("queue_tiles", 16))
        stated: dict[str, Any] = {name: point[name] for name in _STATED if name in point}
        if "residual_lanes" not in stated:
            elements = point.get("frames", 1) * point["inputs"] * point["pixels"]
            stated["residual_lanes"] = _largest_divisor(elements, _BASE.residual_lanes)
        ample = dataclasses.replace(_BASE, **lanes, **stated, **_MOST, queue_words=queue)
        forced = self._once(("forced", *lanes.values()), lambda: self._forced(ample))
        forced = {name: point.get(name, words) for name, words in forced.items()}
        made = dataclasses.replace(
            ample,
            **forced,
            **{name: point[name] for name in _JOINT if name in point},
        )
        free = [name for name in _JOINT if name not in point]
        shapes = made.word_bits, made.weight_word_bits, made.map_ram, made.weight_ram
        key = tuple(lanes.values()), tuple(getattr(made, name) for name in _MOST), shapes
        least = self._once(("joint", key), lambda: smallest_buffers(self._network, made, free))
        if "strip_words" in free:
            words = least.strip_words * point.get("strip_factor", 1)
            made = dataclasses.replace(made, strip_words=_rounded(words, "strip_words"))
        if "map_words" in free:
            share = point.get("map_share", 1)
            words = least.map_words
            if share:
                keeping = self._once(("maps", key, made.strip_words), lambda: self._keeping(made))
                words += share * max(0, keeping - words)
            made = dataclasses.replace(made, map_words=_rounded(words, "map_words", made.map_ram))
        sizes = made.strip_words, made.map_words
        placed = self._once(("placed", key, sizes), lambda: self._place(made))
        if "weight_words" in free:
            words = weights_needed(self._network, made, placed) * point.get("weight_factor", 1)
            words = _rounded(words, "weight_words", made.weight_ram)
            made = dataclasses.replace(made, weight_words=words)
        return made

    def _once(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """The result for a key, computed once, or the reason why there is none."""
        if key not in self._found:
            try:
                self._found[key] = find()
            except DoesNotFit as error:
                self._found[key] = error
        found = self._found[key]
        if isinstance(found, DoesNotFit):
            raise found
        return found

    def _forced(self, ample):
        """Least words of the buffers that do not depend on each other."""
        self._place(ample)
        return {
            name: self._least(ample, name)
            for name in ("line_words", "tap_words", "parameter_words")
        }

    def _keeping(self, config):
        """Fewest words of the map memory with which no map leaves the chip, or all that it has."""
        if self._spilled(config):
            return config.map_words
        return self._least(config, "map_words", lambda made: self._spilled(made) == 0)

    def _least(
        self,
        config: AcceleratorConfig,
        name: str,
        enough: Callable[[AcceleratorConfig], bool] = lambda config: True,
    ) -> int:
        """Fewest words, in whole block RAMs, with which the network fits and that are enough."""
        most = getattr(config, name)

        def fits(rams: int) -> bool:
            try:
                words: dict[str, Any] = {name: _words(rams, most)}
                made = dataclasses.replace(config, **words)
                self._place(made)
                return enough(made)
            except DoesNotFit:
                return False

        high = 1
        while _words(high, most) < most and not fits(high):
            high *= 2
        low = high // 2 + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(middle) else (middle + 1, high)
        return _words(low, most)

    def _place(self, config):
        return place_network(self._network, config)

    def _spilled(self, config):
        """How many maps leave the chip."""
        return sum(self._place(config).spilled)


def _largest_divisor(number: int, most: int) -> int:
    """The largest divisor that is ``most`` at most."""
    return next(divisor for divisor in range(most, 0, -1) if number % divisor == 0)


def _rounded(words: float, name: str, ram: str = "block") -> int:
    """Words that the RAM holds anyway, up to the most that can be addressed."""
    depth = RAM_DEPTH[ram]
    return min(math.ceil(words / depth) * depth, _MOST[name])


def _words(rams: int, most: int) -> int:
    """Words of a number of block RAMs in a row, ``most`` at most."""
    return min(rams * RAM_DEPTH["block"], most)
