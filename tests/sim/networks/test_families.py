"""The table of families in docs/reference/models.md, each cell tried on a small file."""

import re
from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import read_graph
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.mapping.network_program import build_network_program
from tests.golden.family_files import random_quantized_network, small_network, write_family
from tests.golden.graph.models import ModelMaker
from tests.golden.litert import run_litert_by_index

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "models.md"
CASES = Path(__file__).parents[2] / "golden" / "graph" / "cases"
COLUMNS = ("int8 .tflite opens", "golden", "RTL", "predicted")


def _mobilenet_v2(rng):
    return write_family(random_quantized_network(rng, small_network((24, 24))))


def _mobilenet_v1(rng):
    return (CASES / "mobilenet_v1.tflite").read_bytes()


def _wide_kernels(rng):
    """A depthwise convolution of 5x5 taps."""
    maker = ModelMaker(rng)
    x = maker.convolution(maker.input((1, 16, 16, 3)), 8, (3, 3), (2, 2), activation="RELU6")
    x = maker.convolution(x, 8, (5, 5), multiplier=1, activation="RELU6")
    x = maker.convolution(x, 12, (1, 1))
    x = maker.convolution(x, 16, (1, 1), activation="RELU6")
    return maker.finish([maker.fully_connected(maker.mean(x, keep=False), 5)])[0]


def _embedding(rng):
    """No classifier."""
    maker = ModelMaker(rng)
    x = maker.convolution(maker.input((1, 16, 16, 3)), 8, (3, 3), (2, 2), activation="RELU6")
    x = maker.convolution(x, 8, (3, 3), multiplier=1, activation="RELU6")
    x = maker.convolution(x, 12, (1, 1))
    x = maker.convolution(x, 16, (1, 1), activation="RELU6")
    return maker.finish([maker.mean(x, keep=False)])[0]


FILES = {
    "MobileNetV2": _mobilenet_v2,
    "MobileNetV1": _mobilenet_v1,
    "EfficientNet-Lite, MnasNet": _wide_kernels,
    "features without a classifier": _embedding,
}


def rows():
    """Cells of the table by family."""
    text = PAGE.read_text()
    table = text[text.index("| family | ") :].split("\n\n")[0].splitlines()
    names = [cell.strip() for cell in table[0].split("|")[2:-1]]
    assert tuple(names[: len(COLUMNS)]) == COLUMNS
    found = {}
    for line in table[2:]:
        family, *cells = [cell.strip() for cell in line.split("|")[1:-1]]
        found[family] = dict(zip(names, cells, strict=True))
    return found


def test_every_family_has_a_file():
    assert rows().keys() == FILES.keys()


@pytest.mark.parametrize("family", list(FILES))
def test_cells(family):
    cells = rows()[family]
    rng = np.random.default_rng(3)
    content = FILES[family](rng)
    graph = read_graph(content)
    assert cells["int8 .tflite opens"] == "yes"
    shape = graph.tensors[graph.inputs[0]].shape
    image = rng.integers(-128, 128, shape).astype(np.int8)
    tensors, expected = graph.run([image]), run_litert_by_index(content, [image])
    for index in graph.outputs:
        np.testing.assert_array_equal(tensors[index], expected[index])
    assert cells["golden"] == "yes"
    try:
        model = lower_family(graph).model
    except ValueError as error:
        reason = re.sub(r"[^a-z0-9]+", " ", str(error).lower())
        assert (cells["RTL"], cells["predicted"]) == ("no", "no")
        assert cells["why not"].split(" of ")[0] in reason
        return
    config = PRESETS["tiny"]
    assert build_network_program(model, config).records > len(model.network.blocks)
    assert sum(row.cycles for row in predict_network(model.network, config)) > 1000
    assert (cells["RTL"], cells["predicted"], cells["why not"]) == ("yes", "yes", "")
