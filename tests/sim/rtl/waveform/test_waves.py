"""Waveforms of runs, read by the library that Surfer reads them with."""

import bisect
import re
from collections import Counter

import pytest
import pywellen

from mnv2.hw.config import CAUSES
from mnv2.sim.errors import UserError
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from mnv2.sim.rtl.waveform.request import Waves
from mnv2.sim.rtl.waveform.window import Window, parse_window, window_layers
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

#: Time units of a cycle.
PERIOD = 10
CONFIG = MACHINES["tiny"]
NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], 20)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Function that runs a network with a waveform: what was measured, the waveform, its folder."""
    model, tensors = model_and_tensors(CONFIG, NETWORK, 7)

    def traced(window=None):
        # The library reads a signal when it is asked for it: each waveform is a file of its own.
        folder = tmp_path_factory.mktemp("waves")
        memory = MemoryModel(latency=40, seed=3)
        waves = Waves(folder / "network", window=window)
        measured = run_network(model, tensors, config=CONFIG, memory=memory, waves=waves)
        return measured, pywellen.Waveform(str(folder / "network.fst")), folder

    return traced


@pytest.fixture(scope="module")
def whole(run):
    """The run with all of its time."""
    return run()


def value_at(changes, time):
    """Value at a time, of a signal's (time, value)."""
    return changes[bisect.bisect_right(changes, time, key=lambda change: change[0]) - 1][1]


def cycle_times(wave):
    """Time at which each cycle of the program begins: its number changes at its end."""
    return [time - PERIOD for time, number in wave["testbench.waves.cycle"].tv if number]


def text_of(value):
    """A text, as the bits of a signal."""
    return value.to_bytes(16, "big").lstrip(b"\0").decode()


def test_causes_are_those_of_the_counters(whole):
    measured, wave, _ = whole
    times = cycle_times(wave)
    assert len(times) == measured.cycles
    cause = wave["testbench.waves.cause"]
    _, names = cause.enum_type
    words = {int(bits, 2): name for bits, name in names}
    seen = Counter(words[value_at(cause.tv, time)] for time in times)
    counted = {
        "work_pointwise": sum(layer.pointwise_cycles for layer in measured.layers),
        "work_depthwise": sum(layer.depthwise_cycles for layer in measured.layers),
        **{
            f"wait_{name}": sum(layer.stalls.get(name, 0) for layer in measured.layers)
            for name in CAUSES
        },
    }
    assert seen == {name: count for name, count in counted.items() if count}
    # What is compared is not nothing.
    assert len(seen) >= 7


def test_the_text_is_the_cause(whole):
    _, wave, _ = whole
    cause, text = wave["testbench.waves.cause"], wave["testbench.waves.cause_text"]
    words = {int(bits, 2): name for bits, name in cause.enum_type[1]}
    assert [(time, words[value]) for time, value in cause.tv] == [
        (time, text_of(value)) for time, value in text.tv
    ]


def test_the_views_name_signals_of_the_waveform(whole):
    _, wave, folder = whole
    widths = {one.full_name: one.bitwidth for one in wave.all_vars()}
    surfer = (folder / "network.sucl").read_text().splitlines()
    added = [line.split()[1] for line in surfer if line.startswith("variable_add ")]
    assert len(added) == len(set(added)) > 100
    assert set(added) <= widths.keys()
    assert all(len(line.split()) == 2 for line in surfer[:-1])
    gtkwave = (folder / "network.gtkw").read_text().splitlines()
    named = [line for line in gtkwave if line.startswith("testbench.")]
    for line in named:
        path, bits = re.fullmatch(r"([^\[]+)(?:\[(\d+):0\])?", line).groups()
        assert widths[path] == int(bits or 0) + 1, line
    assert {line.partition("[")[0].replace("cause_text", "cause") for line in named} == set(added)
    assert gtkwave[0] == '[dumpfile] "network.fst"'


def test_a_window_of_a_layer(run, whole):
    window = parse_window("block2", window_layers(NETWORK))
    measured, wave, _ = run(window)
    assert {number for _, number in wave["testbench.waves.descriptor"].tv} == {2}
    edges = [time for time, level in wave["testbench.clk"].tv if level]
    layer = next(one for one in measured.layers if one.name == "block2")
    assert len(edges) == pytest.approx(layer.cycles, abs=2)
    begin, end = edges[0], edges[-1]
    for path in ("testbench.waves.cause", "testbench.dut.core.line_buffer.i__valid"):
        inside = [change for change in whole[1][path].tv if begin < change[0] <= end]
        assert [change for change in wave[path].tv if change[0] > begin] == inside
        assert inside


def test_a_window_of_cycles(run, whole):
    _, wave, _ = run(Window(first_cycle=500, last_cycle=599))
    begin = cycle_times(whole[1])[500]
    edges = [time for time, level in wave["testbench.clk"].tv if level]
    assert (edges[0], edges[-1]) == (begin, begin + 99 * PERIOD)


def test_a_window_after_the_end_is_refused(run):
    with pytest.raises(UserError, match="The waveform is empty: its window begins at cycle 900000"):
        run(Window(first_cycle=900_000, last_cycle=900_001))


def test_a_frame_in_few_bytes(whole):
    """Streams and causes: less than 20 bytes a cycle, without compression of what repeats."""
    measured, _, folder = whole
    assert (folder / "network.fst").stat().st_size < 20 * measured.cycles
