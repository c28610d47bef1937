"""Models of others on the accelerator's RTL: the dump of a run equals LiteRT's tensors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import read_graph
from mnv2.golden.quantized_layer import with_arithmetic
from mnv2.hw.config import PRESETS
from mnv2.sim import cli
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.network_program import place_network
from mnv2.sim.networks.dumps import read_dump
from mnv2.sim.rtl.check import check_formats
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.golden.family_files import (
    per_tensor,
    random_quantized_network,
    small_network,
    with_average_pool,
    write_family,
)
from tests.golden.litert import run_litert_by_index
from tests.sim.rtl.machines import MACHINES

#: Small models as people publish them.
CASES = Path(__file__).parents[2] / "golden" / "graph" / "cases"


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def run(tmp_path):
    """Run a file and an array on `tiny`; (dump of the run, graph, LiteRT's tensors, output)."""

    def run(content, array, *options):
        model, given, dump = (tmp_path / name for name in ("x.tflite", "x.npy", "out/x.npz"))
        model.write_bytes(content)
        np.save(given, array)
        result = invoke(
            "run",
            "--model",
            model,
            "--input",
            given,
            "--dump",
            dump,
            "--config",
            "tiny",
            "--output",
            tmp_path / "report",
            *options,
        )
        assert result.exit_code == 0, result.output
        found = read_dump(dump)
        same = read_dump(tmp_path / "report")
        assert list(found) == list(same)
        return (
            found,
            lower_family(read_graph(content)),
            run_litert_by_index(content, [array]),
            result.stdout,
        )

    return run


def check(found, expected):
    for key, tensor in found.items():
        assert tensor.dtype == expected[int(key[1:])].dtype
        np.testing.assert_array_equal(tensor, expected[int(key[1:])], err_msg=key)


def test_an_image_of_one_channel(run):
    """The stem's other two channels are zeros, in the image and in the weights."""
    content = (CASES / "one_channel.tflite").read_bytes()
    image = np.random.default_rng(22).integers(-128, 128, (1, 32, 32, 1)).astype(np.int8)
    found, _, litert, text = run(content, image)
    check(found, litert)
    assert len(found) == 5
    assert "0 mismatches" in text


def test_hidden_dense_layers(run):
    """The first on the array, the second on the host; Keras' Flatten before them folds away."""
    content = (CASES / "flatten_two_dense.tflite").read_bytes()
    image = np.random.default_rng(23).integers(-128, 128, (1, 32, 32, 3)).astype(np.int8)
    found, family, litert, text = run(content, image)
    check(found, litert)
    last = family.host_layers[-1].output
    assert list(found)[-1] == f"t{last}"
    likeliest = int(litert[last].argmax())
    assert f"class {likeliest} (golden and RTL agree)" in text


def test_average_pool_and_float_ends(run):
    """AVERAGE_POOL_2D, CONV_2D as classifier, QUANTIZE before, SOFTMAX and DEQUANTIZE after."""
    rng = np.random.default_rng(21)
    model = with_average_pool(random_quantized_network(rng, small_network((32, 24), classes=1001)))
    image = rng.normal(0, 1, (1, 32, 24, 3)).astype(np.float32)
    found, family, litert, text = run(
        write_family(model, float_input=True, swapped_adds=True, softmax=True, dequantize=True),
        image,
    )
    check(found, litert)
    names = [family.names.get(int(key[1:]), "host") for key in found]
    assert names == [
        *(block.output_name for block in model.blocks),
        "pool",
        "classifier",
        "host",
        "host",
        "host",
    ]
    assert found[list(found)[-1]].dtype == np.float32
    assert "golden and RTL agree" in text
    assert "class " not in class_line(text)  # 1001 classes have names
    assert "1,001-class frame" in text


def class_line(text):
    """The line that names the class, after the tables of the layers."""
    return next(line for line in text.splitlines() if "golden and RTL agree" in line)


def test_fully_connected_per_tensor(run):
    """PAD before VALID, one scale a layer, MEAN to [1, C], FULLY_CONNECTED as integers."""
    rng = np.random.default_rng(22)
    model = per_tensor(
        random_quantized_network(
            rng,
            small_network(
                (24, 20),
                classes=7,
                stem=11,
                head=37,
                table=((1, 8, 1, 1), (6, 12, 2, 2), (3, 20, 1, 1)),
            ),
        )
    )
    image = rng.integers(-128, 128, (1, 24, 20, 3), dtype=np.int8)
    content = write_family(
        model, fully_connected=True, keep_dimensions=False, explicit_padding=True, softmax=True
    )
    found, family, litert, text = run(content, image)
    integer = family.graph.run([image], fully_connected="integer")
    check(found, integer)
    maps = {key: tensor for key, tensor in found.items() if tensor.ndim == 4}
    assert len(maps) == 4
    check(maps, litert)
    assert class_line(text).strip().startswith("class ")
    assert "of 7 logits differ from LiteRT's" in text


def test_blocks_alone(run):
    rng = np.random.default_rng(23)
    model = random_quantized_network(rng, small_network((32, 24)))
    image = rng.integers(-128, 128, (1, 32, 24, 3), dtype=np.int8)
    found, family, litert, _ = run(write_family(model), image, "--blocks", "2-3")
    assert [family.names[int(key[1:])] for key in found] == ["block2.project", "block3.add"]
    check(found, litert)


def test_maps_that_went_through_memory():
    """The first maps spill, and are all there."""
    config = MACHINES["narrow"]
    rng = np.random.default_rng(24)
    model = random_quantized_network(
        rng, small_network((45, 45), table=((1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)))
    )
    content = write_family(model)
    family = lower_family(read_graph(content))
    assert {True, False} == set(place_network(family.model.network, config).spilled)
    image = rng.integers(-128, 128, (45, 45, 3), dtype=np.int8)
    run = run_network(
        family.model,
        family.model.run(image),
        config=config,
        asserts=True,
        memory=MemoryModel(latency=30, stall_percent=10, seed=3),
    )
    made = {block.output_name: run.maps[block.name] for block in family.model.network.blocks}
    found = family.indexed({**made, "pool": run.maps["pool"]})
    assert len(found) == 5 + 1
    check(
        {f"t{index}": tensor for index, tensor in found.items()},
        run_litert_by_index(content, [image[None]]),
    )


@pytest.mark.parametrize(
    ("size", "options", "words"),
    [
        ((32, 24), ("--set", "map_words=64"), "map_words is 64: change it with --set"),
        ((32, 24), ("--blocks", "6-7"), "within 1-6"),
        ((32, 24), ("chelsea",), "either IMAGE or --input, not both"),
    ],
)
def test_refusals(size, options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = random_quantized_network(np.random.default_rng(1), small_network(size))
    (tmp_path / "x.tflite").write_bytes(write_family(model))
    result = invoke(
        "run", *options, "--model", "x.tflite", "--input", "chelsea", "--config", "tiny"
    )
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["x.tflite"]


def test_formats_that_the_accelerator_does_not_have():
    model = random_quantized_network(np.random.default_rng(1), small_network((16, 16)))
    check_formats(model, PRESETS["tiny"])
    with pytest.raises(
        UserError,
        match="stem has weight_bits 8, but the accelerator 5: change it with --set weight_bits=8",
    ):
        check_formats(model, replace(PRESETS["tiny"], weight_bits=5))
    single = with_arithmetic(model.head, Arithmetic(rounding="single"))
    with pytest.raises(UserError, match="head has single rounding, but the accelerator double"):
        check_formats(replace(model, head=single), PRESETS["tiny"])
