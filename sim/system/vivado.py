"""Files with which Vivado packages the accelerator and puts it next to a processor system.

Ref: AMD UG1118, Creating and Packaging Custom IP; UG994, Designing IP Subsystems; PG201 and PG082,
the processor systems of Zynq UltraScale+ and of Zynq-7000.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["BOARDS", "BlockDesign", "vivado_files"]

_FOLDER = Path(__file__).parent

#: Ports and settings of the processor systems: of Zynq UltraScale+ and of Zynq-7000.
_ULTRASCALE = {
    "cell": "zynq_ultra_ps_e",
    "vlnv": "xilinx.com:ip:zynq_ultra_ps_e",
    "control": "M_AXI_HPM0_FPD",
    "memory": "S_AXI_HP0_FPD",
    "clocks": "maxihpm0_fpd_aclk saxihp0_fpd_aclk",
    "clock": "pl_clk0",
    "reset": "pl_resetn0",
    "irq": "pl_ps_irq0",
    "preset": "apply_board_preset 1",
}
_SEVEN = {
    "cell": "processing_system7",
    "vlnv": "xilinx.com:ip:processing_system7",
    "control": "M_AXI_GP0",
    "memory": "S_AXI_HP0",
    "clocks": "M_AXI_GP0_ACLK S_AXI_HP0_ACLK",
    "clock": "FCLK_CLK0",
    "reset": "FCLK_RESET0_N",
    "irq": "IRQ_F2P",
    "preset": "make_external {FIXED_IO, DDR} apply_board_preset 1",
}


@dataclass(frozen=True)
class BlockDesign:
    """A board for which a block design is written.

    Attributes
    ----------
    title : str
    part : str
        Of its device, by AMD's name.
    board : str
        Pattern of the board's files in Vivado.
    seven : bool
        Whether its processor system is that of Zynq-7000, else that of Zynq UltraScale+.
    clock_mhz : int
        Of the accelerator, where nothing else is said.
    port_bits : int
        Of the processor system's port to memory.
    """

    title: str
    part: str
    board: str
    seven: bool
    clock_mhz: int
    port_bits: int

    def settings(self) -> dict[str, str]:
        """Settings of the processor system; the clock is Tcl's variable."""
        if self.seven:
            return {
                "PCW_FPGA0_PERIPHERAL_FREQMHZ": "$clock_mhz",
                "PCW_USE_M_AXI_GP0": "1",
                "PCW_USE_S_AXI_HP0": "1",
                "PCW_S_AXI_HP0_DATA_WIDTH": str(self.port_bits),
                "PCW_USE_FABRIC_INTERRUPT": "1",
                "PCW_IRQ_F2P_INTR": "1",
            }
        return {
            "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": "$clock_mhz",
            "PSU__USE__M_AXI_GP0": "1",
            "PSU__USE__M_AXI_GP1": "0",
            "PSU__USE__M_AXI_GP2": "0",
            "PSU__USE__S_AXI_GP2": "1",
            "PSU__SAXIGP2__DATA_WIDTH": str(self.port_bits),
            "PSU__USE__IRQ0": "1",
        }


#: By the name of the board's file.
BOARDS = {
    "kv260": BlockDesign(
        "AMD Kria KV260", "xck26-sfvc784-2LV-c", "xilinx.com:kv260_som:*", False, 300, 128
    ),
    "zcu104": BlockDesign(
        "AMD ZCU104", "xczu7ev-ffvc1156-2-e", "xilinx.com:zcu104:*", False, 300, 128
    ),
    "pynq_z2": BlockDesign("TUL PYNQ-Z2", "xc7z020clg400-1", "tul.com.tw:pynq-z2:*", True, 100, 64),
}


def vivado_files(version: str, description: str) -> dict[str, str]:
    """Texts of the files for Vivado, to lie next to ``accelerator.v`` and ``mnv2_axi.v``.

    Parameters
    ----------
    version : str
        Of the project, such as ``"0.1.0"``.
    description : str
        One line about the accelerator.

    Returns
    -------
    dict of str to str
        ``package_ip.tcl``, ``block_design.tcl``, and a file for each of `BOARDS`.
    """
    first = next(iter(BOARDS.values()))
    values = {
        "PART": first.part,
        # Of an IP Vivado takes major and minor alone.
        "VERSION": ".".join(version.split(".")[:2]),
        "DESCRIPTION": description,
    }
    packaging = (_FOLDER / "package_ip.tcl").read_text(encoding="utf-8")
    for name, value in values.items():
        packaging = packaging.replace(f"@{name}@", value)
    return {
        "package_ip.tcl": packaging,
        "block_design.tcl": (_FOLDER / "block_design.tcl").read_text(encoding="utf-8"),
        **{f"{name}.tcl": _board_file(name, board) for name, board in BOARDS.items()},
    }


def _board_file(name, board):
    """Text of a board's Tcl."""
    settings = " ".join(f"CONFIG.{key} {value}" for key, value in board.settings().items())
    lines = [
        f"# A project for the {board.title}, with the accelerator next to the processor system:",
        "#",
        f"#     vivado -mode batch -source {name}.tcl -tclargs {board.clock_mhz}",
        "#",
        "# The argument is the clock in MHz. mnv2 verilog --vivado wrote this file. It was not run",
        "# in Vivado.",
        f"set name {name}",
        f"set part {board.part}",
        f"set board {board.board}",
        f"set clock_mhz {board.clock_mhz}",
        "if {$argc > 0} {",
        "    set clock_mhz [lindex $argv 0]",
        "}",
        f'set settings "{settings}"',
        *(
            f"set {key} {{{value}}}"
            for key, value in (_SEVEN if board.seven else _ULTRASCALE).items()
        ),
        "source [file join [file dirname [file normalize [info script]]] block_design.tcl]",
    ]
    return "\n".join(lines) + "\n"
