"""Resources of a device that a design takes, as one record."""

from dataclasses import dataclass, fields

__all__ = ["Resources"]


@dataclass(frozen=True)
class Resources:
    """Counts of each kind of resource; they are added with ``+``.

    Attributes
    ----------
    dsp : int
        Hard multipliers with their adder: DSP48E2 (UltraScale+), DSP48E1 (7 series), MULT18X18D
        (ECP5), SB_MAC16 (iCE40).
    block_ram_36k, block_ram_18k : int
        Block RAMs of 36 kbit, and those of 18 kbit or halves of one of 36 kbit. ECP5 has 18 kbit
        alone.
    ultra_ram : int
        UltraRAMs of 288 kbit.
    luts : int
        Look-up tables that compute: six inputs on AMD's devices, four on Lattice's.
    memory_luts : int
        Look-up tables that hold memories, in addition to those.
    flip_flops : int
    block_ram_4k : int
        Block RAMs of 4 kbit, iCE40's.
    """

    dsp: int = 0
    block_ram_36k: int = 0
    block_ram_18k: int = 0
    ultra_ram: int = 0
    luts: int = 0
    memory_luts: int = 0
    flip_flops: int = 0
    block_ram_4k: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        if not isinstance(other, Resources):
            return NotImplemented
        return Resources(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self))
        )

    @property
    def block_ram_halves(self) -> int:
        """Block RAM in units of 18 kbit: two for each of 36 kbit."""
        return 2 * self.block_ram_36k + self.block_ram_18k

    @property
    def all_luts(self) -> int:
        """Look-up tables of both kinds."""
        return self.luts + self.memory_luts
