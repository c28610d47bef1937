"""Multipliers counted in the netlist, not taken from the configuration.

A multiplier whose wider operand is two factors with zeros between them makes two products: these
are counted as well.
"""

import contextlib
import functools
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.cache import cache_dir
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl import live_bits
from mnv2.sim.rtl.live_bits import LiveBits, declared_bits

__all__ = ["Multipliers", "count_multipliers", "find_multipliers"]


@dataclass(frozen=True)
class Multipliers:
    """Multipliers of an accelerator's netlist, each once, whatever they become in a device.

    Attributes
    ----------
    weights : int
        Products of a weight and an activation in a cycle.
    pairs : int
        Multipliers that make two of these products.
    in_luts : int
        Products of these that are sums of rows of LUTs, without a multiplier.
    others : dict of str to int
        The remaining ones by unit and widths, such as ``"core.requantize 32x31"``; those by a
        constant, which are shifts and adders, are left out.
    """

    weights: int
    pairs: int
    in_luts: int
    others: dict[str, int]

    @property
    def total(self):
        """All multipliers of two variables."""
        return self.weights - self.in_luts - self.pairs + sum(self.others.values())


@functools.lru_cache
def count_multipliers(config):
    """Count the multipliers of an accelerator in the Verilog that is simulated.

    The count is kept in the cache, by a hash of the Verilog and of the code that counts.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    Multipliers
    """
    from mnv2.hw.accelerator import Accelerator
    from mnv2.sim.rtl.verilog import generate

    weights = pairs = 0
    others: Counter[str] = Counter()
    widths = tuple(sorted((config.weight_bits, config.activation_bits)))
    text = generate(Accelerator, name="accelerator", config=config)
    for module, first, second, products, count in _found(text):
        if tuple(sorted((first, second))) == widths:
            weights += products * count
            pairs += (products - 1) * count
        else:
            others[f"{module.partition('.')[2]} {first}x{second}"] += count
    in_luts = _products_in_luts(text)
    return Multipliers(
        weights=weights + in_luts,
        pairs=pairs,
        in_luts=in_luts,
        others=dict(sorted(others.items())),
    )


def _products_in_luts(text):
    """Products of the array that are sums of rows: their rows have names that say of which."""
    array = re.search(r"^module \\\S*core\.array \(.*?^endmodule$", text, re.M | re.S)
    return len(set(re.findall(r"\bproduct_(\d+_\d+_\d+)_row_0\b", array[0]))) if array else 0


def _found(text):
    """Rows of `find_multipliers`, each with its count, from the cache where they are there."""
    digest = hashlib.sha256(text.encode())
    for source in (__file__, live_bits.__file__):
        digest.update(Path(source).read_bytes())
    path = cache_dir() / "multipliers" / f"{digest.hexdigest()[:20]}.json"
    try:
        return [tuple(row) for row in json.loads(path.read_text())]
    except (OSError, ValueError):
        rows = [(*kind, count) for kind, count in find_multipliers(text).items()]
        # A cache that cannot be written only costs time.
        with contextlib.suppress(UserError):
            write_whole(path, json.dumps(rows).encode())
        return rows


def find_multipliers(text):
    """Find the multipliers of two variables in Verilog that Amaranth wrote.

    Each multiplication of the design is one assignment there, ``assign y = a * b;``, since nothing
    is mapped yet.

    Parameters
    ----------
    text : str
        Verilog; its first module is the top.

    Returns
    -------
    collections.Counter
        By name of the module, bits of the wider and of the narrower factor, and products that a
        multiplier makes of such factors: 2 if its wider operand is a pair. A zero above an unsigned
        operand, which only makes it signed, is no bit of it. A module that is used more than once
        counts as often.

    Raises
    ------
    ValueError
        If a multiplication is none that this function can read.
    """
    modules = dict(re.findall(r"^module (\S+) ?\(.*?;$\n(.*?)^endmodule$", text, re.M | re.S))
    if len(modules) != len(re.findall(r"^module\b", text, re.M)):
        raise ValueError("Modules of the Verilog text must have different names and an end")
    uses = _count_uses(modules)
    found: Counter[tuple[str, int, int, int]] = Counter()
    for module, body in modules.items():
        lines = [line for line in body.splitlines() if " * " in line]
        if not lines or not uses[module]:
            continue
        bits, live = declared_bits(body), LiveBits(body)
        for line in lines:
            match = re.fullmatch(r"  assign .*? = (\S.*?) \* (\S.*?);", line)
            if not match:
                raise ValueError(f"A multiplication must be an assignment, not {line.strip()!r}")
            operands = match.groups()
            widths = [_operand_bits(operand, bits) for operand in operands]
            if not all(widths):
                continue
            pairs = [_paired_bits(live.mask(operand), min(widths)) for operand in operands]
            factors = sorted(pair or width for pair, width in zip(pairs, widths, strict=True))
            products = 2 if any(pairs) else 1
            found[module.lstrip("\\"), factors[1], factors[0], products] += uses[module]
    return found


def _count_uses(modules):
    """Instances of each module below the first, which counts once."""
    uses: Counter[str] = Counter()

    def visit(name):
        uses[name] += 1
        for child in re.findall(r"^  (\S+)  ?\S+ +\($", modules[name], re.M):
            if child in modules:
                visit(child)

    visit(next(iter(modules)))
    return uses


def _operand_bits(operand, bits):
    """Bits of an operand, without a leading zero; 0 for a constant."""
    text = operand.strip()
    if match := re.fullmatch(r"\$signed\((.*)\)", text):
        text = match[1].strip()
    if match := re.fullmatch(r"\{ (.*) \}", text):
        return sum(_operand_bits(part, bits) for part in match[1].split(", "))
    if re.fullmatch(r"-?\d+'s?[hbd][\da-fx]+", text):
        return 0
    if match := re.fullmatch(r"\S+ ?\[(\d+)(?::(\d+))?\]", text):
        return int(match[1]) - int(match[2] or match[1]) + 1
    if text in bits:
        return bits[text]
    raise ValueError(f"An operand must be a signal, a part of one or a constant, not {operand!r}")


def _paired_bits(mask, gap):
    """Bits of each of the two factors that an operand holds, or 0 if it is one factor.

    Between two there are ``gap`` zeros or more: as many bits as the other operand has, so that the
    two products do not meet.
    """
    runs = re.fullmatch(r"(1+)(0+)(1+)", f"{mask or 0:b}")
    if not runs or len(runs[2]) < gap or len(runs[1]) != len(runs[3]):
        return 0
    return len(runs[1])
