"""Energy of a small network, counted by hand, and tables of energies, right and wrong."""

from dataclasses import replace

import pytest

from mnv2.golden.network import build_network, mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.energy import ENERGIES, energy_per_operation, frame_energy, load_energies
from mnv2.sim.cost.operations import count_operations
from mnv2.sim.cost.unit_list import OPERATIONS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import UserError

CONFIG = PRESETS["tiny"]  # 12 outputs x 4 inputs x 2 pixels: words of 64 bits
NETWORK = build_network(
    [(2, 8, 1, 1), (2, 8, 1, 1)], stem_channels=8, head_channels=16, classes=10, input_size=8
)
LAYERS = predict_network(NETWORK, CONFIG)


def test_counts_by_hand():
    counts = count_operations(LAYERS, CONFIG, NETWORK)
    # Image 8 x 8, stem to 4 x 4 x 8; each block 16 hidden channels, 8 out, and adds. A row
    # of 4 pixels is 2 groups; 8 channels are 2 words, 16 are 4, 10 are 3.
    stem, hidden, out, head, classes = 16, 32, 16, 32, 3
    assert counts["multiply-accumulate"] == NETWORK.macs
    words = stem + 2 * (hidden + hidden + out) + head + classes
    assert counts["requantise"] == words * 8 + 4 * 4  # and the mean: 16 channels, 4 a word
    assert counts["residual addition"] == 2 * out * 8
    assert counts["pool"] == head * 8
    # Steps: 4 x 2 groups; stem 7 steps of 4 of the 27 products, a tile has 12 channels.
    expand, project, last = 2 * 2, 4 * 1, 2 * 2
    steps = 8 * (7 * 1 + 2 * (expand + project) + last) + 4 * 1
    assert counts["read weights"] == steps * 12 * 4 * 8
    # The stem's come from the window; the residual reads its other summand.
    assert counts["read activations"] == (steps - 8 * 7 + 2 * out) * 64
    assert counts["read 3x3 kernels"] == 2 * hidden * 36 * 8
    assert counts["read parameters"] == words * 4 * 64
    # Image: 8 rows of 4 groups, one word each. Two rows and six groups, read and written.
    assert counts["line buffer"] == (2 * hidden + 32) * (4 + 12) * 64
    assert (
        counts["write results"] == (stem + 2 * (hidden + out) + 4 + 2 * (2 * hidden + 2 * out)) * 64
    )
    read = sum(layer.dram_read_bytes for layer in LAYERS)
    written = sum(layer.dram_write_bytes for layer in LAYERS)
    assert counts["memory port queues"] == 8 * (3 * read + 2 * written)
    assert counts["external memory"] == 8 * (read + written)
    assert counts.keys() == OPERATIONS.keys()


def test_a_block_without_expansion_copies_its_input():
    network = build_network(
        [(1, 16, 1, 1)], stem_channels=8, head_channels=16, classes=10, input_size=8
    )
    layers = predict_network(network, CONFIG)
    counts = count_operations(layers, CONFIG, network)
    # 4 x 4 x 8: 16 words are read from the map and go through the queue to the line buffer, as do
    # the 32 of the image; project 16 channels and head 16 channels have two tiles, inputs 2 and 4
    # words; the classifier one tile of 4 words.
    copied, steps = 16, 8 * (2 * 2 + 4 * 2) + 4
    assert counts["read activations"] == (steps + copied) * 64
    assert counts["line buffer"] == (copied + 32) * 16 * 64
    stem, depthwise, project, mean = 16, 16, 32, 4
    assert counts["write results"] == (stem + depthwise + project + mean + 2 * copied) * 64


def test_energy_is_counts_times_the_table():
    energies = {
        "multiply_8x8": 1.0,
        "multiply_32x32": 32.0,
        "add_32": 0.5,
        "memory_bit": 3.0,
        "dram_bit": 7.0,
    }
    counts = count_operations(LAYERS, CONFIG, NETWORK)
    energy = frame_energy(LAYERS, CONFIG, energies, network=NETWORK)
    # In multiples of the products, of which each takes 1.
    parts = {name: part * NETWORK.macs for name, part in energy.by_operation.items()}
    assert parts["multiply-accumulate"] == pytest.approx(counts["multiply-accumulate"] * 1.5)
    # 27 x 32 bits.
    assert parts["requantise"] == pytest.approx(counts["requantise"] * (27 + 4 * 0.5))
    # One summand is scaled by 9 of 32 bits, the sum by all.
    assert parts["residual addition"] == pytest.approx(
        counts["residual addition"] * (9 + 1 + 0.5 + 34)
    )
    assert parts["pool"] == pytest.approx(counts["pool"] * 0.5)
    assert parts["read weights"] == pytest.approx(counts["read weights"] * 3)
    assert parts["external memory"] == pytest.approx(counts["external memory"] * 7)
    assert energy.total == pytest.approx(sum(energy.by_operation.values()))


def test_energy_has_no_unit():
    """Energies of another technology, all twice as large, change nothing."""
    once, twice = load_energies(), {name: 2 * value for name, value in load_energies().items()}
    assert frame_energy(LAYERS, CONFIG, once, network=NETWORK).by_operation == pytest.approx(
        frame_energy(LAYERS, CONFIG, twice, network=NETWORK).by_operation
    )


def test_narrow_factors_take_less():
    narrow = replace(CONFIG, weight_bits=4, activation_bits=4)
    energies = load_energies()
    saved = (
        energy_per_operation(CONFIG, energies)["multiply-accumulate"]
        - energy_per_operation(narrow, energies)["multiply-accumulate"]
    )
    # In picojoules: of joules, every approximation takes any two for equal.
    assert saved * 1e12 == pytest.approx(0.75 * energies["multiply_8x8"] * 1e12)


def test_the_whole_network():
    network = mobilenet_v2()
    layers = predict_network(network, PRESETS["base"])
    counts = count_operations(layers, PRESETS["base"], network)
    assert counts["multiply-accumulate"] == 300_774_272
    assert counts["external memory"] == 8 * 3_784_872
    energy = frame_energy(layers, PRESETS["base"], load_energies(), network=network)
    # The products themselves with their sums are 1.5 of it.
    assert energy.by_operation["multiply-accumulate"] == pytest.approx(1.5)
    assert energy.total > 3


def test_table_that_comes_along():
    energies = load_energies()
    assert energies.keys() == ENERGIES.keys()
    assert energies["multiply_8x8"] * 1e12 == pytest.approx(0.2)
    assert energies["dram_bit"] * 1e12 == pytest.approx(8)


def test_a_table_replaces_what_it_names(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("dram_bit = 20\n")
    energies = load_energies(path)
    assert energies["dram_bit"] * 1e12 == pytest.approx(20)
    assert energies["add_32"] == load_energies()["add_32"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dram = 20\n", "no energy 'dram' in a table of energies.*there are multiply_8x8"),
        ("dram_bit = -1\n", "dram_bit in .* must be 0 or more picojoules, not -1"),
        ("dram_bit = inf\n", "0 or more picojoules, not inf"),
        ('dram_bit = "8"\n', "0 or more picojoules, not '8'"),
        ("dram_bit = true\n", "0 or more picojoules, not True"),
        ("multiply_8x8 = 0\n", "must be more than 0, since all others"),
        ("dram_bit\n", "not valid TOML"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_energies(path)


def test_no_table(tmp_path):
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load_energies(tmp_path / "none.toml")
