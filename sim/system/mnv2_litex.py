"""The accelerator in a LiteX SoC, as `mnv2 verilog --litex` writes it next to accelerator.v.

    from mnv2_litex import add_accelerator

    soc.add_sdram("sdram", ..., l2_cache_size=0)
    add_accelerator(soc)

The registers get a region of LiteX's bus, ACCELERATOR_BASE in generated/mem.h; the interrupt is
ACCELERATOR_INTERRUPT in generated/soc.h; memory is LiteDRAM's, at the addresses that the CPU uses.
"""

from pathlib import Path

from litedram.frontend.axi import LiteDRAMAXI2Native
from litex.gen import ClockSignal, LiteXModule, ResetSignal
from litex.soc.integration.soc import SoCRegion
from litex.soc.interconnect import axi
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel
from migen import Instance, Signal

__all__ = ["ADDRESS_BITS", "DATA_BITS", "REGISTER_ADDRESS_BITS", "Accelerator", "add_accelerator"]

# Of the accelerator.v that this file was written with.
DATA_BITS = 128
ADDRESS_BITS = 32
REGISTER_ADDRESS_BITS = 14


class Accelerator(LiteXModule):
    """The accelerator with LiteX's interfaces, in the clock domain sys.

    Parameters
    ----------
    platform : litex.build.generic_platform.GenericPlatform
        Gets the Verilog as a source.

    Attributes
    ----------
    control : litex.soc.interconnect.axi.AXILiteInterface
        To the registers; the host is its master.
    bus : litex.soc.interconnect.axi.AXIInterface
        To memory; the accelerator is its master.
    ev : litex.soc.interconnect.csr_eventmanager.EventManager
        The interrupt, as long as a register of the accelerator says so.
    """

    def __init__(self, platform):
        # LiteX's bridges have whole addresses; the accelerator takes the lower bits.
        self.control = control = axi.AXILiteInterface(data_width=32, address_width=32)
        self.bus = bus = axi.AXIInterface(
            data_width=DATA_BITS, address_width=ADDRESS_BITS, id_width=1
        )
        self.ev = EventManager()
        self.ev.interrupt = EventSourceLevel(description="The accelerator's INTERRUPT register.")
        self.ev.finalize()
        ports = {
            "i_clk": ClockSignal("sys"),
            "i_rst": ResetSignal("sys"),
            "o_interrupt": self.ev.interrupt.trigger,
            # For watchers; the registers tell the same.
            "o_running": Signal(),
            "o_finished": Signal(32),
            **_ports("control", control, "io", ("prot", "data", "strb")),
            "i_control__awaddr": control.aw.addr[:REGISTER_ADDRESS_BITS],
            "i_control__araddr": control.ar.addr[:REGISTER_ADDRESS_BITS],
            **_ports("bus", bus, "oi", _BUS_NAMES),
            "o_bus__wlast": bus.w.last,
            "i_bus__rlast": bus.r.last,
        }
        self.specials += Instance("accelerator", **ports)
        platform.add_source(str(Path(__file__).with_name("accelerator.v")))


#: Payloads that the channels to memory send with their addresses and their data.
_BUS_NAMES = ("addr", "len", "size", "burst", "cache", "prot", "id", "data", "strb")


def _ports(prefix, interface, directions, sent):
    """Ports of an instance for the channels of an interface.

    ``directions`` are those of what a master sends and of what it gets, as the instance has them;
    ``sent`` the payloads that a master sends.
    """
    out, back = directions
    ports = {}
    for name in ("aw", "w", "ar", "b", "r"):
        channel = getattr(interface, name)
        if name in ("b", "r"):
            forth, other, payloads = back, out, ("data", "resp", "id")
        else:
            forth, other, payloads = out, back, sent
        ports[f"{forth}_{prefix}__{name}valid"] = channel.valid
        ports[f"{other}_{prefix}__{name}ready"] = channel.ready
        for payload in payloads:
            # AXI4 has no identifiers of write data.
            if hasattr(channel, payload) and (name, payload) != ("w", "id"):
                ports[f"{forth}_{prefix}__{name}{payload}"] = getattr(channel, payload)
    return ports


def add_accelerator(soc, name="accelerator", sdram="sdram", ram="main_ram"):
    """Put the accelerator into a SoC that has a CPU and LiteDRAM.

    Parameters
    ----------
    soc : litex.soc.integration.soc.SoC
        Its `add_sdram` was called, with ``l2_cache_size=0``, or the driver's hooks have to write
        that cache back and drop it.
    name, sdram, ram : str
        Of the module that is added, of LiteDRAM's module, and of its region.

    Returns
    -------
    Accelerator

    Raises
    ------
    ValueError
        If there is no such memory, it is out of the accelerator's reach, or its words are wider
        than the accelerator's port.
    """
    if not hasattr(soc, sdram) or ram not in soc.bus.regions:
        raise ValueError(f"The SoC must have the memory {sdram} with the region {ram} by now")
    region = soc.bus.regions[ram]
    if (region.origin + region.size - 1) >> ADDRESS_BITS:
        raise ValueError(f"The region {ram} must end within addresses of {ADDRESS_BITS} bits")
    crossbar = getattr(soc, sdram).crossbar
    word_bits = crossbar.controller.data_width
    if word_bits > DATA_BITS:
        # LiteDRAM's converter to wider words stands still with bursts of the accelerator.
        raise ValueError(
            f"The accelerator must have data_bits={word_bits} or more for this memory, not "
            f"{DATA_BITS}: write it again with that setting"
        )
    accelerator = Accelerator(soc.platform)
    soc.add_module(name=name, module=accelerator)
    registers = SoCRegion(size=1 << REGISTER_ADDRESS_BITS, cached=False)
    soc.bus.add_slave(name=name, slave=accelerator.control, region=registers)
    # A port of the crossbar for itself: bursts do not pass the CPU's bus.
    port = crossbar.get_port(data_width=DATA_BITS)
    bridge = LiteDRAMAXI2Native(accelerator.bus, port, base_address=region.origin)
    soc.add_module(name=f"{name}_bridge", module=bridge)
    if soc.irq.enabled:
        soc.irq.add(name, use_loc_if_exists=True)
    return accelerator
