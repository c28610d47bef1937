"""AXI4 slave for Amaranth's simulator: memory, latency, random stalls, faults, protocol checks."""

__all__ = ["DECERR", "EXOKAY", "OKAY", "SLVERR", "AxiSlave"]

PAGE_BYTES = 4096
OKAY, EXOKAY, SLVERR, DECERR = range(4)


class AxiSlave:
    """Answers a master's port from a bytearray.

    Parameters
    ----------
    bus : AXI4 interface
        The port of the master.
    data_bits : int
        Width of a beat.
    memory : bytearray
        Contents from address 0.
    rng : random.Random
        Draws the stalls.
    latency : int
        Cycles from the transfer of an address to that of its first beat, 2 or more, and from the
        last written beat to its answer.
    stall : float
        Probability of a pause, by cycle and channel.
    error_address : int or None
        The beat that holds this byte is answered with ``error``.
    error : int
        ``EXOKAY``, ``SLVERR`` or ``DECERR``.
    drop_beat : int or None
        Number of a read beat that is left out, its ``rlast`` too: a fault.

    Attributes
    ----------
    read_bursts, write_bursts : list of (int, int)
        Address and beats of each burst.
    read_beats, written_beats, written_bytes : int
        What was transferred.
    read_cycles : list of int
        Cycle of each read beat.
    request_cycles : list of int
        Cycle of each read address.
    """

    def __init__(
        self,
        bus,
        *,
        data_bits,
        memory,
        rng,
        latency=2,
        stall=0.0,
        error_address=None,
        error=SLVERR,
        drop_beat=None,
    ):
        self.bus, self.beat_bytes, self.memory, self.rng = bus, data_bits // 8, memory, rng
        self.latency, self.stall = latency, stall
        self.error_address, self.error, self.drop_beat = error_address, error, drop_beat
        self.read_bursts, self.write_bursts = [], []
        self.read_beats = self.written_beats = self.written_bytes = 0
        self.read_cycles, self.request_cycles = [], []

    def _flows(self):
        return self.rng.random() >= self.stall

    def _check(self, address, length, size, burst):
        assert burst == 1
        assert 1 << size == self.beat_bytes
        assert address % self.beat_bytes == 0
        beats = length + 1
        assert address // PAGE_BYTES == (address + beats * self.beat_bytes - 1) // PAGE_BYTES, (
            f"Burst of {beats} beats at {address:#x} crosses a page"
        )
        assert address + beats * self.beat_bytes <= len(self.memory)
        return beats

    def _response(self, address):
        hit = (
            self.error_address is not None
            and self.error_address // self.beat_bytes == address // self.beat_bytes
        )
        return self.error if hit else OKAY

    async def read(self, ctx):
        """Testbench of the read channels, to be run in the background."""
        bus, beats, cycle, number, held = self.bus, [], 0, 0, None
        while True:
            ready = self._flows()
            ctx.set(bus.arready, ready)
            if not ctx.get(bus.rvalid) and beats and beats[0][0] <= cycle and self._flows():
                _, address, last = beats[0]
                ctx.set(bus.rvalid, 1)
                ctx.set(
                    bus.rdata,
                    int.from_bytes(self.memory[address : address + self.beat_bytes], "little"),
                )
                ctx.set(bus.rresp, self._response(address))
                ctx.set(bus.rlast, last)
            _, _, valid, *request, r_valid, r_ready = await ctx.tick().sample(
                bus.arvalid, bus.araddr, bus.arlen, bus.arsize, bus.arburst, bus.rvalid, bus.rready
            )
            assert held is None or (valid and held == request), "Read address changed"
            held = request if valid and not ready else None
            if r_valid and r_ready:
                beats.pop(0)
                ctx.set(bus.rvalid, 0)
                self.read_beats += 1
                self.read_cycles.append(cycle)
            if valid and ready:
                address, length, size, burst = request
                count = self._check(*request)
                self.read_bursts.append((address, count))
                self.request_cycles.append(cycle)
                for index in range(count):
                    if number != self.drop_beat:
                        beats.append(
                            (
                                cycle + self.latency,
                                address + index * self.beat_bytes,
                                index == count - 1,
                            )
                        )
                    number += 1
            cycle += 1

    async def write(self, ctx):
        """Testbench of the write channels, to be run in the background."""
        bus, cycle = self.bus, 0
        bursts, beats, answers, held = [], [], [], {}
        while True:
            # Addresses and data are taken independently of each other.
            aw_ready, w_ready = self._flows(), self._flows()
            ctx.set(bus.awready, aw_ready)
            ctx.set(bus.wready, w_ready)
            if not ctx.get(bus.bvalid) and answers and answers[0][0] <= cycle and self._flows():
                ctx.set(bus.bvalid, 1)
                ctx.set(bus.bresp, answers[0][1])
            (
                _,
                _,
                aw_valid,
                *request,
                w_valid,
                data,
                strobe,
                last,
                b_valid,
                b_ready,
            ) = await ctx.tick().sample(
                bus.awvalid,
                bus.awaddr,
                bus.awlen,
                bus.awsize,
                bus.awburst,
                bus.wvalid,
                bus.wdata,
                bus.wstrb,
                bus.wlast,
                bus.bvalid,
                bus.bready,
            )
            for name, valid, ready, payload in (
                ("aw", aw_valid, aw_ready, request),
                ("w", w_valid, w_ready, [data, strobe, last]),
            ):
                assert name not in held or (valid and held[name] == payload), f"{name} changed"
                held.pop(name, None)
                if valid and not ready:
                    held[name] = payload
            if b_valid and b_ready:
                answers.pop(0)
                ctx.set(bus.bvalid, 0)
            if aw_valid and aw_ready:
                self.write_bursts.append((request[0], self._check(*request)))
                bursts.append(self.write_bursts[-1])
            if w_valid and w_ready:
                beats.append((data, strobe, last))
                self.written_beats += 1
                self.written_bytes += strobe.bit_count()
            if bursts and len(beats) >= bursts[0][1]:
                address, count = bursts.pop(0)
                response = OKAY
                for index, (data, strobe, last) in enumerate(beats[:count]):
                    assert last == (index == count - 1), "wlast is out of place"
                    start = address + index * self.beat_bytes
                    response = max(response, self._response(start))
                    for place, byte in enumerate(data.to_bytes(self.beat_bytes, "little")):
                        if strobe >> place & 1:
                            self.memory[start + place] = byte
                del beats[:count]
                answers.append((cycle + self.latency, response))
            assert len(beats) <= 256
            cycle += 1
