"""Faults planted in the accelerator's own Verilog are seen: what is checked after a run can fail.

One simulation holds them all; a plusarg turns one on.
"""

import re
from dataclasses import dataclass

import pytest

from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import SimulationError
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl import simulate
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

CONFIG = MACHINES["tiny"]
NETWORK = network_of([(1, 8, 1, 1), (3, 8, 2, 2)], 20)

#: Module, what is looked for in it, what takes its place, and the event that a fault meets;
#: ``fault`` is high in single cycles, or until it has met one event.
FAULTS = {
    # The last bit, which decides whether a result is rounded up, of one of eight lanes.
    "rounding": (
        "accelerator.core.requantize",
        r"shifted_0_0_1 <= (\S+ );",
        r"shifted_0_0_1 <= \1 ^ {9'b0, fault};",
        "1'b1",
    ),
    # A beat of weights does not get into its queue.
    "beat": (
        "accelerator.read_port.read_master.channel_4",
        r"\.w_en\(w_en\)",
        r".w_en(w_en & ~fault)",
        "w_en",
    ),
    # Beats are taken out of a queue while whoever wants them is not ready: they are lost. The line
    # buffer holds an image up; the memory's pauses hold up what is written.
    "read under pressure": (
        "accelerator.read_port.read_master.channel_1",
        r"\.r_en\(r_en\)",
        r".r_en(r_en | fault)",
        "r_rdy & ~o__ready",
    ),
    "write under pressure": (
        "accelerator.write_port.write_master",
        r"\.r_en\(r_en\),(?=\n    \.r_rdy\(\\)",
        r".r_en(r_en | (fault & bus__wvalid)),",
        "bus__wvalid & ~bus__wready",
    ),
    # The array works, or waits for something, and it is not counted as that.
    "work": (
        "accelerator",
        r"\.pointwise\(pointwise\),(?=(?:\n.*){2}\n    \.read_beat)",
        r".pointwise(pointwise & ~fault),",
        "counted_pointwise",
    ),
    "stall": (
        "accelerator",
        r"\.stall\(stall\),(?=\n    \.stem)",
        r".stall(stall & {4{~fault}}),",
        "counted_running & ~counted_pointwise & ~counted_depthwise",
    ),
    "bytes read": (
        "accelerator",
        r"\.read_beat\(read_beat\)",
        r".read_beat(read_beat & {5{~fault}})",
        "|counted_read_beat",
    ),
    "bytes written": (
        "accelerator",
        r"\.write_beat\(write_beat\)",
        r".write_beat(write_beat & ~fault)",
        "counted_write_beat",
    ),
    # A bubble: the array works a cycle later. Nothing is wrong but the time.
    "bubble": (
        "accelerator.core.issue",
        r"assign issued = ([^;]*);",
        r"assign issued = (\1) & ~fault;",
        "1'b1",
    ),
}

SWITCH = """
  reg on_{number} = 1'b0;
  reg once_{number} = 1'b0;
  reg met_{number} = 1'b0;
  reg [2:0] count_{number} = 3'h0;
  wire fault_{number} = on_{number} & (once_{number} ? ~met_{number} : count_{number} == 3'h5);
  initial if ($test$plusargs("fault_{number}_")) on_{number} = 1'b1;
  initial if ($test$plusargs("fault_{number}_once")) once_{number} = 1'b1;
  always @(posedge clk) begin
    count_{number} <= count_{number} + 3'h1;
    if (fault_{number} & ({event})) met_{number} <= 1'b1;
  end
"""


def plant(text, number, module, pattern, replacement, event):
    """Verilog with one more fault."""
    escaped = re.escape(f"\\{module}" if "." in module else module)
    head = re.search(rf"^module {escaped} ?\([^;]*\);$", text, re.M)
    end = text.index("\nendmodule", head.end())
    body, count = re.subn(
        pattern, replacement.replace("fault", f"fault_{number}"), text[head.end() : end]
    )
    assert count == 1, f"{pattern} must be in {module} once, not {count} times"
    switch = SWITCH.replace("{number}", str(number)).replace("{event}", event)
    return text[: head.end()] + body + switch + text[end:]


@dataclass(frozen=True)
class Faulty(MemoryModel):
    """The memory, and which fault is on, once or often; none without a name."""

    fault: str = ""
    once: bool = False

    def plusargs(self):
        if not self.fault:
            return super().plusargs()
        number = list(FAULTS).index(self.fault)
        return [*super().plusargs(), f"+fault_{number}_{'once' if self.once else 'often'}"]


@pytest.fixture
def run(monkeypatch):
    """Run a small network on the accelerator with the faults in it, and one of them on."""
    generate = simulate.generate

    def generate_with_faults(*arguments, **parameters):
        text = generate(*arguments, **parameters)
        for number, fault in enumerate(FAULTS.values()):
            text = plant(text, number, *fault)
        return text

    monkeypatch.setattr(simulate, "generate", generate_with_faults)
    model, tensors = model_and_tensors(CONFIG, NETWORK, 3)

    def run(fault="", **memory):
        return run_network(model, tensors, config=CONFIG, memory=Faulty(fault=fault, **memory))

    return run


def test_without_a_fault_nothing_is_wrong(run):
    assert run().cycles > 1000


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("rounding", Mismatch, "The RTL differs from golden in block1"),
        ("beat", (Mismatch, SimulationError), "differs from golden|STUCK|did not end"),
        ("work", SimulationError, "counts .* cycles by cause, but"),
        ("stall", SimulationError, "counts .* cycles by cause, but"),
        ("bytes read", SimulationError, "counts .* bytes read, but"),
        ("bytes written", SimulationError, "counts .* beats written, but"),
    ],
)
def test_planted_fault_is_seen(run, fault, error, message):
    with pytest.raises(error, match=message):
        run(fault)


@pytest.mark.parametrize("fault", ["read under pressure", "write under pressure"])
def test_beat_dropped_under_pressure_is_seen(run, fault):
    """A single one is enough."""
    with pytest.raises((Mismatch, SimulationError)):
        run(fault, once=True, stall_percent=40)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("work", "cycles by cause"),
        ("stall", "cycles by cause"),
        ("bytes read", "bytes read"),
        ("bytes written", "beats written"),
    ],
)
def test_counter_that_is_off_by_one_is_seen(run, fault, message):
    """One event of all is not counted."""
    with pytest.raises(SimulationError, match=message) as error:
        run(fault, once=True)
    counted, expected = map(int, re.findall(r"\d+", str(error.value))[:2])
    assert expected - counted == (CONFIG.data_bytes if fault == "bytes read" else 1)


def differences(found):
    predicted = predict_network(NETWORK, CONFIG, latency=Faulty().latency)
    return compare_layers(NETWORK, CONFIG, predicted, found.layers).differences()


def test_the_model_equals_the_machine_without_a_fault(run):
    assert not differences(run())


def test_the_model_differs_from_a_machine_with_bubbles(run):
    """The results are right all the same, and so are the counters."""
    assert differences(run("bubble"))
