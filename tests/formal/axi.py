"""AXI4's rules for a master, as checks of a bench; independent of the masters in hw/.

Ref: ARM IHI 0022E, AMBA AXI and ACE Protocol Specification, A3.
"""

from amaranth.hdl import Cat, Mux, Signal

__all__ = ["PAGE_BYTES", "Bursts", "check_address"]

PAGE_BYTES = 4096


def check_address(b, bus, channel, ready, *, data_bits, burst_beats):
    """Check an address channel: held until taken, aligned, incrementing, in a page, not too long.

    Parameters
    ----------
    b : Bench
    bus : AXI4 interface
    channel : str
        ``"ar"`` or ``"aw"``.
    ready : Signal
        The free input that drives its ready.
    data_bits, burst_beats : int
        Width of a beat; longest burst that is allowed.

    Returns
    -------
    transfer, beats : Signal
        A burst is taken in this cycle; its beats.
    """
    valid, address, length, size, burst = (
        getattr(bus, channel + name) for name in ("valid", "addr", "len", "size", "burst")
    )
    rest = [getattr(bus, channel + name) for name in ("cache", "prot", "id")]
    b.module.d.comb += getattr(bus, f"{channel}ready").eq(ready)
    b.hold(channel, valid, ready, Cat(address, length, size, burst, *rest))
    beat_bytes = data_bits // 8
    beats, transfer = Signal(9, name=f"{channel}_beats"), Signal(name=f"{channel}_transfer")
    b.module.d.comb += [beats.eq(length + 1), transfer.eq(valid & ready)]
    offset = address[: (PAGE_BYTES - 1).bit_length()]
    for name, condition in {
        "stays in a page of 4 KiB": offset + beats * beat_bytes <= PAGE_BYTES,
        "is not longer than allowed": beats <= burst_beats,
        "begins at a beat": address % beat_bytes == 0,
        "has beats of the port's width": (1 << size) == beat_bytes,
        "is of the incrementing kind": burst == 1,
    }.items():
        b.check(f"{channel}: a burst {name}", ~valid | condition)
    return transfer, beats


class Bursts:
    """Bursts under way, in order: what a monitor remembers of an address channel.

    Parameters
    ----------
    b : Bench
    name : str
    depth : int
        Most bursts at a time.
    begin, beats : Value
        A burst begins in this cycle; its beats.
    tag : Value
        Remembered with it.
    beat : Value
        A beat of the oldest burst is transferred in this cycle.
    longest : int
        Beats of the longest burst.
    early : bool
        A beat may be that of a burst that begins in the same cycle, where none is under way.

    Attributes
    ----------
    level : Signal
        Bursts under way, that which begins in this cycle not counted.
    known : Value
        There is a burst that a beat may belong to.
    ends : Value
        The next beat is the last of its burst.
    tag : Value
        Of the oldest burst.
    """

    def __init__(self, b, name, *, depth, begin, beats, tag, beat, longest, early=False):
        m = b.module
        lengths = [Signal(range(longest + 1), name=f"{name}_length_{k}") for k in range(depth + 1)]
        tags = [Signal(len(tag), name=f"{name}_tag_{k}") for k in range(depth + 1)]
        self.level = Signal(range(depth + 2), name=f"{name}_level")
        count = Signal(range(longest + 1), name=f"{name}_count")
        new = begin & (self.level == 0) if early else 0
        length = Mux(new, beats, lengths[0])
        self.known = (self.level != 0) | new
        self.ends = count + 1 == length
        self.tag = Mux(new, tag, tags[0])
        over = Signal(name=f"{name}_over")
        kept = Signal.like(self.level, name=f"{name}_kept")
        gone = Signal(name=f"{name}_gone")  # in the cycle in which it began
        m.d.comb += [
            over.eq(beat & self.known & self.ends),
            gone.eq(over & (self.level == 0)),
            kept.eq(self.level - (over & ~gone)),
        ]
        with m.If(beat & self.known):
            m.d.sync += count.eq(Mux(self.ends, 0, count + 1))
        for k in range(depth):
            with m.If(over):
                m.d.sync += [lengths[k].eq(lengths[k + 1]), tags[k].eq(tags[k + 1])]
        for k in range(depth + 1):
            with m.If(begin & ~gone & (kept == k)):
                m.d.sync += [lengths[k].eq(beats), tags[k].eq(tag)]
        m.d.sync += self.level.eq(kept + (begin & ~gone))
        self.over = over
