"""AXI4 ports with their usual signal names."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_data_bits, check_integer
from .config import PAGE_BYTES

__all__ = ["BURST_INCR", "CACHE_MODIFIABLE", "RESPONSE_OKAY", "RESPONSE_SLVERR",
           "RESPONSE_DECERR", "AxiSignature", "beat", "check_address_bits", "check_bursts",
           "join"]

#: Incrementing burst. Ref: ARM IHI 0022E, table A3-3.
BURST_INCR = 0b01

#: Normal non-cacheable bufferable: interconnects may split and widen.
#: Ref: ARM IHI 0022E, table A4-5.
CACHE_MODIFIABLE = 0b0011

#: Responses. Ref: ARM IHI 0022E, table A3-4.
RESPONSE_OKAY, RESPONSE_SLVERR, RESPONSE_DECERR = 0b00, 0b10, 0b11


def beat(bits):
    """Payload of a stream that is cut into packets.

    Parameters
    ----------
    bits : int
        Width of the data in bits.

    Members
    -------
    data
        The data, ``bits`` wide.
    last
        Up with the last word of a packet.
    """
    return data.StructLayout({"data": bits, "last": 1})


class AxiSignature(wiring.Signature):
    """AXI4 port as its master sees it, each signal under its usual name in lower case.

    A port ``bus`` appears in Verilog as ``bus__araddr`` and so on, which tools that match
    suffixes recognise (with cocotbext-axi: ``AxiBus.from_prefix(dut, "bus_")``).

    Parameters
    ----------
    data_bits : int
        Width of a beat in bits: 64, 128, 256 or 512.
    address_bits : int
        Width of an address, 12 to 64.
    id_bits : int
        Width of the transaction identifiers; with 0 the port has none.
    access : str
        ``"r"`` for the read channels, ``"w"`` for the write channels, ``"rw"`` for both.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Members
    -------
    arvalid, arready, araddr, arlen, arsize, arburst, arcache, arprot, arid
        Read address: one transfer requests ``arlen + 1`` beats.
    rvalid, rready, rdata, rresp, rlast, rid
        Read data.
    awvalid, awready, awaddr, awlen, awsize, awburst, awcache, awprot, awid
        Write address: one transfer announces ``awlen + 1`` beats.
    wvalid, wready, wdata, wstrb, wlast
        Write data.
    bvalid, bready, bresp, bid
        Write response, one a burst.
    """

    def __init__(self, *, data_bits, address_bits=32, id_bits=1, access="rw"):
        check_data_bits(data_bits)
        check_address_bits(address_bits)
        check_integer("Identifier bits", id_bits, 0, 32)
        if access not in ("r", "w", "rw"):
            raise ValueError(f"Access must be 'r', 'w' or 'rw', not {access!r}")
        self._data_bits    = data_bits
        self._address_bits = address_bits
        self._id_bits      = id_bits
        self._access       = access

        def address_channel(prefix):
            return {
                f"{prefix}valid": Out(1),
                f"{prefix}ready": In(1),
                f"{prefix}addr":  Out(address_bits),
                f"{prefix}len":   Out(8),
                f"{prefix}size":  Out(3),
                f"{prefix}burst": Out(2),
                f"{prefix}cache": Out(4),
                f"{prefix}prot":  Out(3),
            } | ({f"{prefix}id": Out(id_bits)} if id_bits else {})

        members = {}
        if "r" in access:
            members |= address_channel("ar")
            members |= {
                "rvalid": In(1),
                "rready": Out(1),
                "rdata":  In(data_bits),
                "rresp":  In(2),
                "rlast":  In(1),
            } | ({"rid": In(id_bits)} if id_bits else {})
        if "w" in access:
            members |= address_channel("aw")
            members |= {
                "wvalid": Out(1),
                "wready": In(1),
                "wdata":  Out(data_bits),
                "wstrb":  Out(data_bits // 8),
                "wlast":  Out(1),
                "bvalid": In(1),
                "bready": Out(1),
                "bresp":  In(2),
            } | ({"bid": In(id_bits)} if id_bits else {})
        super().__init__(members)

    @property
    def data_bits(self):
        """Width of a beat in bits."""
        return self._data_bits

    @property
    def address_bits(self):
        """Width of an address in bits."""
        return self._address_bits

    @property
    def id_bits(self):
        """Width of an identifier in bits."""
        return self._id_bits

    @property
    def access(self):
        """Channels of the port: ``"r"``, ``"w"`` or ``"rw"``."""
        return self._access

    def __eq__(self, other):
        return isinstance(other, AxiSignature) and self.members == other.members

    def __repr__(self):
        return (f"AxiSignature(data_bits={self.data_bits}, address_bits={self.address_bits}, "
                f"id_bits={self.id_bits}, access={self.access!r})")


def check_address_bits(value):
    """Refuse a width of addresses that a port cannot have: 12 to 64 bits."""
    check_integer("Address bits", value, 12, 64)


def check_bursts(data_bits, burst_beats, fifo_beats, outstanding=1):
    """Refuse what a master of linear bursts cannot do.

    Parameters
    ----------
    data_bits : int
        Width of a beat in bits.
    burst_beats : int
        Longest burst in beats: a power of two that fits in a page and in ``arlen``.
    fifo_beats : int
        Room of a queue in beats, at least a burst and at least 4.
    outstanding : int
        Unfinished bursts, at least 1.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """
    check_data_bits(data_bits)
    longest = min(256, PAGE_BYTES * 8 // data_bits)
    check_integer("Burst beats", burst_beats, 1, longest)
    if burst_beats & (burst_beats - 1):
        raise ValueError(f"Burst beats must be a power of two, not {burst_beats!r}")
    check_integer("FIFO beats", fifo_beats, max(4, burst_beats))
    check_integer("Outstanding bursts", outstanding)


def join(m, bus, *masters):
    """Drive one AXI4 port from a master that reads and a master that writes.

    Parameters
    ----------
    m : Module
        Where the connections are added.
    bus : AXI4 interface
        The port seen from inside its owner, e.g. ``self.bus``, with access ``"rw"``.
    masters : AXI4 interfaces
        Ports ``Out(AxiSignature(...))`` of submodules, of the same widths, which together have
        every channel of ``bus`` once.

    Raises
    ------
    ValueError
        If a channel is missing or driven twice, or a width differs.
    """
    names = [name for master in masters for name in master.signature.members]
    if sorted(names) != sorted(bus.signature.members):
        raise ValueError("Masters must have each channel of the port exactly once")
    for master in masters:
        for name, member in master.signature.members.items():
            inner, outer = getattr(master, name), getattr(bus, name)
            if len(inner) != len(outer):
                raise ValueError(f"Width of {name} must be {len(outer)} bits, not {len(inner)}")
            if member.flow is Out:
                m.d.comb += outer.eq(inner)
            else:
                m.d.comb += inner.eq(outer)
