"""The harness sees what breaks the rules of a stream, and packs what it unpacks."""

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from mnv2.hw.layouts import AddParameters, ChannelParameters
from tests.hw.harness import cycles_per_item, latencies, pack_items, simulate, unpack_items


class Register(wiring.Component):
    """One pipeline stage, sound or with one fault."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def __init__(self, fault=None):
        self.fault = fault
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        advance = Signal()
        valid, count = Signal(), Signal(8)
        m.d.comb += [
            advance.eq(1 if self.fault == "overwrites" else ~valid | self.o.ready),
            self.i.ready.eq(advance),
            self.o.valid.eq(valid),
        ]
        with m.If(advance):
            m.d.sync += [valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        if self.fault == "waits for ready":
            m.d.comb += self.o.valid.eq(valid & self.o.ready)
        elif self.fault == "gives up":
            m.d.sync += count.eq(Mux(valid & ~self.o.ready, count + 1, 0))
            with m.If(count == 2):
                m.d.sync += valid.eq(0)
        elif self.fault == "ignores valid":
            with m.If(advance):
                m.d.sync += valid.eq(1)
        return m


def run(fault, **options):
    """Send 40 items; returns the trace."""
    return simulate(
        Register(fault), {"i": list(range(40))}, {"o": 40}, seed=1, deadline=500, **options
    )


def test_sound_unit():
    for options in ({}, {"stall": 0.5}, {"stall": {"o": 0.7}}, {"reluctant": True}):
        assert run(None, **options).items["o"] == list(range(40))
    trace = run(None)
    assert set(latencies(trace)) == {1}
    assert set(cycles_per_item(trace)) == {1}


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("overwrites", {"stall": 0.3}, "o.payload changed while it waited|o.valid fell"),
        ("waits for ready", {"reluctant": True}, r"within 500 cycles: i 1 of 40, o 0 of 40"),
        ("waits for ready", {"stall": 0.3}, "^$"),
        ("gives up", {"stall": 0.6}, "o.valid fell without a transfer"),
        ("ignores valid", {"stall": {"i": 0.7}}, "o gave more than 40 items"),
    ],
)
def test_faults(fault, options, message):
    if message == "^$":
        # Random stalls alone do not show it: that is what `reluctant` is for.
        run(fault, **options)
        return
    with pytest.raises(AssertionError, match=message):
        run(fault, **options)


LAYOUTS = [
    unsigned(1),
    signed(5),
    unsigned(62),
    AddParameters,
    data.ArrayLayout(signed(4), 3),
    data.ArrayLayout(data.ArrayLayout(signed(32), 2), 3),
    data.ArrayLayout(ChannelParameters, 2),
    data.StructLayout({"word": data.ArrayLayout(signed(7), 3), "tag": 1, "limits": AddParameters}),
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pack_and_unpack(layout):
    rng = np.random.default_rng(2)
    width = Shape.cast(layout).width
    items = [int.from_bytes(rng.bytes(40), "little") & (1 << width) - 1 for _ in range(9)]
    assert pack_items(layout, unpack_items(layout, items)) == items


def test_pack_is_amaranths_constant():
    fields = {"bias": -5, "multiplier": 2**30 + 3, "shift": -2}
    arrays = {name: np.array([value]) for name, value in fields.items()}
    (item,) = pack_items(ChannelParameters, arrays)
    assert item == data.Layout.cast(ChannelParameters).const(fields).as_bits()


@pytest.mark.parametrize(
    ("layout", "values", "message"),
    [
        (signed(4), np.array([8]), "Values of payload must lie in -8 to 7, not 8 to 8"),
        (
            unsigned(4),
            np.array([1.0]),
            r"Values of payload must be integers \[N\], not float64 \(1,\)",
        ),
        (data.ArrayLayout(1, 3), np.zeros((5, 2), int), r"shape \[N, 3, ...\], not \(5, 2\)"),
        (
            data.StructLayout({"a": 1}),
            {"b": np.array([0])},
            r"Members of payload must be \['a'\], not \['b'\]",
        ),
    ],
)
def test_values_that_do_not_fit(layout, values, message):
    with pytest.raises(ValueError, match=message):
        pack_items(layout, values)
