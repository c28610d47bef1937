"""Images of any size: rows and columns with padding of their own, whole networks in RTL.

With TensorFlow's padding a map of even rows has none above it, one of odd rows has: rows and
columns differ in that where one count is even and the other odd.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import read_graph
from mnv2.hw.line_buffer import LineCommand
from mnv2.hw.program import Descriptor
from mnv2.sim.cycles.array import line_walk
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import SimulationError
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl import simulate
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.golden.litert import run_litert_by_index
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

CASES = Path(__file__).parents[2] / "golden" / "graph" / "cases"

#: Five times half the size; blocks of both strides, a residual, a copy.
TABLE = [(1, 8, 1, 1), (3, 8, 1, 2), (3, 8, 1, 1), (2, 12, 1, 2), (3, 16, 1, 2), (2, 16, 1, 2)]
#: (rows, columns): even and odd, odd and even, at the stem and further down.
SIZES = [(25, 44), (44, 25), (59, 49), (60, 80), (33, 28)]
MEMORY = MemoryModel(latency=40, stall_percent=10, seed=4)


def mixed(network):
    """Names of the layers that have padding above or to the left, but not both."""
    return {layer.name for layer in network.layers if layer.padding[0][0] != layer.padding[1][0]}


def made(size):
    network = network_of(TABLE, size, padding="tensorflow", stem=8, head=24, classes=7)
    assert mixed(network)
    return network


def run(name, network):
    model, tensors = model_and_tensors(MACHINES[name], network, 7)
    return run_network(model, tensors, config=MACHINES[name], memory=MEMORY, asserts=True)


def differences(name, network, rows):
    predicted = predict_network(network, MACHINES[name], **asdict(MEMORY))
    return compare_layers(network, MACHINES[name], predicted, rows).differences()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ["tiny", "narrow"])
def test_runs_whole_as_predicted(name, size):
    """Every map and all logits equal golden's, and every counter what the model says."""
    network = made(size)
    assert not differences(name, network, run(name, network).layers)


def test_both_kinds_of_layers_have_both_kinds_of_padding():
    """At the stem and in blocks: a row alone, and a column alone."""
    found = {
        (layer.kind, layer.padding[0][0], layer.padding[1][0])
        for size in SIZES
        for layer in made(size).layers
        if layer.name in mixed(made(size))
    }
    assert found == {("stem", 1, 0), ("stem", 0, 1), ("depthwise", 1, 0), ("depthwise", 0, 1)}


@pytest.mark.parametrize("member", ["pad_top", "image_pad_left"])
def test_padding_of_the_other_axis_is_seen(member, monkeypatch):
    """Planted in the Verilog: the line buffer's command gets rows and columns alike."""
    line, block = LineCommand.as_shape(), Descriptor.as_shape()
    axis, other = ("pad_top", "pad_left")[:: 1 if member.endswith("top") else -1]
    stem = member.removesuffix(axis)
    place = line[axis].offset
    right, wrong = (block[stem + name].offset for name in (axis, other))
    generate = simulate.generate

    def generate_with_fault(*arguments, **parameters):
        text = generate(*arguments, **parameters)
        told = f"line_command[{place}] = block[{right}];"
        assert text.count(told) == 1
        return text.replace(told, f"line_command[{place}] = block[{wrong}];")

    monkeypatch.setattr(simulate, "generate", generate_with_fault)
    with pytest.raises((Mismatch, SimulationError)):
        run("tiny", made((25, 44)))


def test_a_model_that_pads_both_alike_is_seen(monkeypatch):
    """Planted in the cycle model: windows leave in columns as they do in rows."""
    network = made((25, 44))
    rows = run("tiny", network).layers

    class Alike(line_walk.LineWalk):
        __slots__ = ()

        def __init__(self, line, tile_words):
            super().__init__(line, tile_words)
            self._odd_column = self._odd_row

    for module in ("stem_pass", "window_pass"):
        monkeypatch.setattr(f"mnv2.sim.cycles.array.{module}.LineWalk", Alike)
    assert differences("tiny", network, rows)


def test_a_file_of_even_rows_and_odd_columns():
    """A small model as people publish them: LiteRT, golden and RTL agree in every map."""
    content = (CASES / "even_rows_odd_columns.tflite").read_bytes()
    family = lower_family(read_graph(content))
    network = family.model.network
    assert mixed(network)
    image = np.random.default_rng(24).integers(-128, 128, network.input_shape, dtype=np.int8)
    found = run_network(
        family.model, family.model.run(image), config=MACHINES["tiny"], memory=MEMORY, asserts=True
    )
    assert not differences("tiny", network, found.layers)
    maps = {block.output_name: found.maps[block.name] for block in network.blocks}
    expected = run_litert_by_index(content, [image[None]])
    tensors = family.indexed({**maps, "pool": found.maps["pool"]})
    assert len(tensors) == len(network.blocks) + 1
    for index, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, expected[index])
