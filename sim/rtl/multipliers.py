"""Multipliers counted in the netlist, not taken from the configuration."""

import functools
import re
from collections import Counter
from dataclasses import dataclass

__all__ = ["Multipliers", "count_multipliers", "find_multipliers"]


@dataclass(frozen=True)
class Multipliers:
    """Multipliers of an accelerator's netlist, each once, whatever they become in a device.

    Attributes
    ----------
    weights : int
        Those of a weight and an activation.
    others : dict of str to int
        The remaining ones by unit and widths, such as ``"core.requantize 32x31"``; those by a
        constant, which are shifts and adders, are left out.
    """

    weights: int
    others: dict[str, int]

    @property
    def total(self):
        """All multipliers of two variables."""
        return self.weights + sum(self.others.values())


@functools.lru_cache
def count_multipliers(config):
    """Count the multipliers of an accelerator in the Verilog that is simulated.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    Multipliers
    """
    from mnv2.hw.accelerator import Accelerator
    from mnv2.sim.rtl.verilog import generate

    weights = 0
    others: Counter[str] = Counter()
    widths = tuple(sorted((config.weight_bits, config.activation_bits)))
    text = generate(Accelerator, name="accelerator", config=config)
    for (module, first, second), count in find_multipliers(text).items():
        if (second, first) == widths:
            weights += count
        else:
            others[f"{module.partition('.')[2]} {first}x{second}"] += count
    return Multipliers(weights=weights, others=dict(sorted(others.items())))


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
        By name of the module, bits of the wider and of the narrower operand. A zero above an
        unsigned operand, which only makes it signed, is no bit of it. A module that is used more
        than once counts as often.

    Raises
    ------
    ValueError
        If a multiplication is none that this function can read.
    """
    modules = dict(re.findall(r"^module (\S+) ?\(.*?;$\n(.*?)^endmodule$", text, re.M | re.S))
    if len(modules) != len(re.findall(r"^module\b", text, re.M)):
        raise ValueError("Modules of the Verilog text must have different names and an end")
    uses = _count_uses(modules)
    found: Counter[tuple[str, int, int]] = Counter()
    for module, body in modules.items():
        lines = [line for line in body.splitlines() if " * " in line]
        if not lines or not uses[module]:
            continue
        bits = {
            name: int(high or 0) + 1
            for high, name in re.findall(
                r"^  (?:input|output|wire|reg)\s(?:reg |wire )?(?:signed )?"
                r"(?:\[(\d+):0\] )?(\S+?) ?(?: = [^;]*)?;$",
                body,
                re.M,
            )
        }
        for line in lines:
            match = re.fullmatch(r"  assign .*? = (\S.*?) \* (\S.*?);", line)
            if not match:
                raise ValueError(f"A multiplication must be an assignment, not {line.strip()!r}")
            widths = [_operand_bits(operand, bits) for operand in match.groups()]
            if all(widths):
                found[module.lstrip("\\"), max(widths), min(widths)] += uses[module]
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
