"""Small models as people publish them: every tensor is LiteRT's, and what of them is of the family.

The files are made for tests, with random weights, by TensorFlow's converter.
"""

from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import read_graph
from tests.golden.graph.models import assert_equals_litert

FOLDER = Path(__file__).parent / "cases"
#: Elements of all operators' outputs.
ELEMENTS = {
    "conv_zero_scale": 8,
    "even_rows_odd_columns": 12_888,
    "flatten_two_dense": 17_971,
    "mobilenet_v1": 13_348,
    "one_channel": 17_940,
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_element_is_litert_s(name):
    content = (FOLDER / f"{name}.tflite").read_bytes()
    graph = read_graph(content)
    rng = np.random.default_rng(1)
    for _ in range(3):
        images = [
            rng.integers(-128, 128, graph.tensors[index].shape).astype(np.int8)
            for index in graph.inputs
        ]
        outputs = assert_equals_litert(content, images)
        assert sum(x.size for x in outputs.values()) == ELEMENTS[name]


@pytest.mark.parametrize(
    ("name", "shape"),
    [("one_channel", (32, 32, 1)), ("even_rows_odd_columns", (24, 30, 3))],
)
def test_of_the_family(name, shape):
    graph = read_graph((FOLDER / f"{name}.tflite").read_bytes())
    family = lower_family(graph)
    assert family.model.network.input_shape == shape
    image = np.random.default_rng(2).integers(-128, 128, shape).astype(np.int8)
    outputs = graph.run([image[None]], "integer")
    for index, tensor in family.indexed(family.model.run(image)).items():
        if index in outputs:
            np.testing.assert_array_equal(tensor, outputs[index])


def test_hidden_dense_layers_run_after_the_network():
    """The first is the network's, those after it the host's; the logits are LiteRT's."""
    content = (FOLDER / "flatten_two_dense.tflite").read_bytes()
    graph = read_graph(content)
    family = lower_family(graph)
    assert family.model.network.classes == 8
    (layer,) = family.host_layers
    rng = np.random.default_rng(2)
    spread = set()
    for _ in range(5):
        image = rng.integers(-128, 128, (1, 32, 32, 3)).astype(np.int8)
        logits = family.logits(family.model.run(image[0]))
        expected = assert_equals_litert(content, [image])[layer.output]
        target = graph.tensors[layer.output]
        np.testing.assert_array_equal(
            logits, (expected[0].astype(np.float64) - target.zero_point) * target.scale
        )
        spread.add(tuple(logits))
    assert len(spread) > 2


def test_a_dead_channel():
    """Its weights have a scale of 0: the output is the zero point, whatever the input."""
    graph = read_graph((FOLDER / "conv_zero_scale.tflite").read_bytes())
    (kernel,) = graph.kernels
    dead = kernel.multiplier == 0
    assert dead.any()
    assert not dead.all()
    image = np.random.default_rng(3).integers(-128, 128, (1, 2, 2, 2)).astype(np.int8)
    (output,) = graph.run([image]).values()
    assert (output[..., dead] == kernel.output_zero_point).all()
