"""Models that go out: LiteRT runs them to the same tensors, and they come back the same."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.float_model import FloatModel
from mnv2.golden.network import mobilenet_v2
from mnv2.golden.quantized_layer import with_arithmetic
from mnv2.sim import cli
from mnv2.sim.errors import UserError
from mnv2.sim.networks.carried_names import METADATA
from mnv2.sim.networks.compare import compare_dumps
from mnv2.sim.networks.dumps import write_dump
from mnv2.sim.networks.export import encode_model
from mnv2.sim.networks.open import RunnableModel, open_model
from mnv2.sim.networks.outputs import dump_tensors, fully_connected_note
from mnv2.sim.pictures import calibration_pictures
from tests.golden.family_files import (
    per_tensor,
    random_quantized_network,
    small_network,
    with_average_pool,
    write_family,
)
from tests.golden.litert import run_litert_by_index
from tests.sim.networks.float_files import float_file


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def files(tmp_path):
    """A .tflite, and its family's model."""
    model = random_quantized_network(np.random.default_rng(1), small_network((16, 12)))
    path = tmp_path / "in.tflite"
    path.write_bytes(write_family(model, fully_connected=True, softmax=True, dequantize=True))
    return model, path


@pytest.mark.parametrize("change", [lambda model: model, per_tensor, with_average_pool])
def test_litert_gives_all_tensors(change, tmp_path):
    model = change(random_quantized_network(np.random.default_rng(2), small_network((18, 16))))
    out = tmp_path / "out.tflite"
    out.write_bytes(encode_model(RunnableModel("small", model), "tflite"))
    image = np.random.default_rng(3).integers(-128, 128, (1, 18, 16, 3), dtype=np.int8)
    litert = run_litert_by_index(out.read_bytes(), [image])
    opened = open_model(out)
    ours = dump_tensors(opened, opened.integer.run(image[0]))
    write_dump(tmp_path / "ours.npz", ours)
    write_dump(
        tmp_path / "litert.npz",
        {f"t{index}": value for index, value in litert.items() if value.size},
    )
    result = invoke("compare", tmp_path / "litert.npz", tmp_path / "ours.npz")
    assert result.exit_code == 0, result.stdout
    assert f"All {len(ours)} tensors are equal." in result.stdout
    adds = sum(block.add is not None for block in model.blocks)
    assert len(ours) == len(model.layers) + adds + 2  # and input and pool
    named = {opened.family.names[int(key[1:])]: value[0] for key, value in ours.items()}
    assert compare_dumps(model.run(image[0]), named).first_differing is None


def test_the_command_writes_both_formats(files, tmp_path):
    model, path = files
    first, again, integers = (tmp_path / name for name in ("1.tflite", "2.tflite", "3.npz"))
    assert invoke("export", "--model", path, first).exit_code == 0
    assert invoke("export", "--model", path, again).exit_code == 0
    assert first.read_bytes() == again.read_bytes()
    result = invoke("export", "--model", path, integers)
    assert result.stdout.strip() == f"{integers}: {integers.stat().st_size:,} bytes"
    back, other = (open_model(x).integer for x in (first, integers))
    image = np.random.default_rng(3).integers(-128, 128, (16, 12, 3), dtype=np.int8)
    for found in (back, other):
        assert compare_dumps(model.run(image), found.run(image)).first_differing is None
    odd = tmp_path / "model.bin"
    assert invoke("export", "--model", integers, "--format", "tflite", odd).exit_code == 0
    np.testing.assert_array_equal(open_model(odd).integer.stem.weights, model.stem.weights)
    assert sorted(x.name for x in tmp_path.iterdir()) == [
        "1.tflite",
        "2.tflite",
        "3.npz",
        "in.tflite",
        "model.bin",
    ]


def test_what_made_it_is_in_the_file(files):
    import tflite

    model, _ = files
    float_model = FloatModel(model.network, {})
    opened = RunnableModel("some/where/weights.pth", model, float_model)
    opened = replace(opened, calibrated_on="3 pictures of photographs")
    content = encode_model(opened, "tflite")
    read = tflite.Model.GetRootAs(content, 0)
    assert read.Description().startswith(
        b"weights.pth, 16x12, 11 classes, int8, calibrated on 3 pictures of photographs; mnv2 "
    )
    assert read.Metadata(0).Name() == METADATA.encode()
    metadata = read.Buffers(read.Metadata(0).Buffer()).DataAsNumpy().tobytes()
    assert b'"input_normalization"' in metadata
    assert b"some/where" not in content


def test_calibration_on_a_folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    folder, path = tmp_path / "photographs", tmp_path / "weights"
    folder.mkdir()
    for number in range(3):
        bright = rng.integers(0, 80 * (number + 1), (40, 50, 3), dtype=np.uint8)
        Image.fromarray(bright).save(folder / f"{number}.png")
    path.write_bytes(float_file(mobilenet_v2(0.35, 32, classes=3), rng))

    def calibrated():
        return open_model(path, input_size=32, calibration=str(folder))

    opened = calibrated()
    assert opened.calibrated_on == "3 pictures of photographs, biases corrected"
    assert opened.name == str(path)
    result = invoke("export", "--model", path, "--size", 32, folder, tmp_path / "x.npz")
    assert result.stdout.rstrip().endswith(
        "bytes, calibrated on 3 pictures of photographs, biases corrected"
    )
    same = open_model(tmp_path / "x.npz").integer
    np.testing.assert_array_equal(same.head.bias, opened.integer.head.bias)
    (folder / "2.png").unlink()
    other = calibrated()
    assert [x.output_scale for x in opened.integer.layers] != [
        x.output_scale for x in other.integer.layers
    ]
    monkeypatch.setattr(calibration_pictures, "CALIBRATION_LIMIT", 1)
    assert calibrated().calibrated_on == "1 picture of photographs, biases corrected"
    (folder / "0.png").write_bytes(b"x")
    (folder / "1.png").write_bytes(b"x")
    with pytest.raises(UserError, match="not an image"):
        calibrated()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["out.xyz"], "must end in .tflite or .npz, or --format say which it is"),
        (["bundled", "more", "out.npz"], "one set of pictures and one file, not 3"),
        (["folder", "out.npz"], "in integers: there is nothing to calibrate on folder"),
        (["--calibration", "folder", "out.npz"], "nothing to calibrate on folder"),
        (["--calibration", "a", "folder", "out.npz"], "either an argument or --calibration's"),
        (["none/../in.tflite/out.npz"], "cannot be written"),
    ],
)
def test_refusals(arguments, words, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("export", "--model", files[1], *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [files[1]]


def test_names_and_resizing_travel_with_the_file(files, tmp_path):
    """Later commands find what the user said once."""
    _, path = files
    names = [f"kind {number}" for number in range(11)]
    (tmp_path / "names.txt").write_text("\n".join(names))
    out = tmp_path / "out.tflite"
    options = ["--labels", tmp_path / "names.txt", "--resize", "stretch"]
    assert invoke("export", "--model", path, *options, out).exit_code == 0
    opened = open_model(out)
    assert opened.class_names.names == tuple(names)
    assert opened.class_names.origin == "the model's file out.tflite"
    assert str(opened.resizing) == "stretch"
    assert str(open_model(out, resize="crop:0.5").resizing) == "crop:0.5"
    shown = invoke("classify", "chelsea", "--model", out).stdout
    assert "kind " in shown
    assert "Pixels: both sides stretched to 12 x 16; normalised as" in shown
    assert "names of classes: the model's file out.tflite" in shown


def test_models_that_litert_does_not_have(files):
    model, _ = files
    for record, words in [
        (replace(model.head, maximum=100), "The clamp of head must be ReLU's, ReLU6's or the int8"),
        (with_arithmetic(model.head, Arithmetic(rounding="single")), "LiteRT's arithmetic to be"),
        (replace(model.head, multiplier=model.head.multiplier - 2), "multipliers of head must fol"),
    ]:
        wrong = replace(model, head=record)
        with pytest.raises(UserError, match=words):
            encode_model(RunnableModel("x", wrong), "tflite")


def test_dump_has_what_the_host_makes(files):
    _, path = files
    opened = open_model(path)
    image = np.random.default_rng(5).integers(-128, 128, (1, 16, 12, 3), dtype=np.int8)
    tensors = opened.integer.run(image[0])
    graph = opened.family.graph
    expected = graph.run([image], fully_connected="integer")
    kept = {name: tensors[name] for name in ("block2.project", "pool", "classifier")}
    found = dump_tensors(opened, kept)
    kinds = [graph.producer(int(key[1:])).kind for key in found]
    assert kinds == ["CONV_2D", "MEAN", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX", "DEQUANTIZE"]
    for key, value in found.items():
        assert value.shape == expected[int(key[1:])].shape
        np.testing.assert_array_equal(value, expected[int(key[1:])])
    del kept["classifier"]
    assert len(dump_tensors(opened, kept)) == 3
    accumulators = tensors["logits_accumulator"].reshape(-1)
    differ = sum(graph.fully_connected_differences([image], expected).values())
    assert fully_connected_note(opened, accumulators).startswith(
        f"FULLY_CONNECTED: {differ} of 11 logits differ from LiteRT's"
    )
    assert fully_connected_note(RunnableModel("x", opened.integer), accumulators) is None


def test_a_file_does_not_take_the_place_of_a_pipe(files, tmp_path):
    os.mkfifo(tmp_path / "out.tflite")
    result = invoke("export", "--model", files[1], tmp_path / "out.tflite")
    assert result.exit_code == 2
    assert "must be a file, and is a device or a pipe" in result.stderr
    assert (tmp_path / "out.tflite").is_fifo()


@pytest.mark.parametrize("suffix", ["npz", "tflite"])
def test_corrected_biases_go_out_and_come_back(suffix, tmp_path):
    """Correction is the default and changes biases alone; LiteRT runs what comes of it."""
    path = tmp_path / "weights"
    network = mobilenet_v2(0.35, 32, classes=3)
    path.write_bytes(float_file(network, np.random.default_rng(4)))
    pictures = tmp_path / "calibration"
    pictures.mkdir()
    noise = np.random.default_rng(5).integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    out = tmp_path / f"out.{suffix}"
    options = ["--model", path, "--size", 32, "--calibration", pictures]
    done = invoke("export", *options, out)
    assert done.exit_code == 0, done.output
    assert "calibrated on 3 pictures of calibration, biases corrected" in done.stdout
    plain = open_model(
        path, input_size=32, calibration=str(pictures), bias_correction=False
    ).integer
    corrected = open_model(path, input_size=32, calibration=str(pictures)).integer
    back = open_model(out).integer
    bare = tmp_path / f"bare.{suffix}"
    done = invoke("export", *options, "--no-bias-correction", bare)
    assert done.exit_code == 0, done.output
    assert "biases corrected" not in done.stdout
    for before, again in zip(plain.layers, open_model(bare).integer.layers, strict=True):
        np.testing.assert_array_equal(before.bias, again.bias)
    for before, after, again in zip(plain.layers, corrected.layers, back.layers, strict=True):
        np.testing.assert_array_equal(after.bias, again.bias)
        np.testing.assert_array_equal(before.weights, after.weights)
        np.testing.assert_array_equal(before.multiplier, after.multiplier)
    assert any(
        (a.bias != b.bias).any() for a, b in zip(plain.layers, corrected.layers, strict=True)
    )
    for option, words in (
        ("--bias-correction", "is in integers: its biases are not corrected"),
        ("--block-reconstruction", "is in integers: its roundings are not trained"),
    ):
        refused = invoke("export", "--model", out, option, tmp_path / "again.npz")
        assert refused.exit_code == 2
        assert words in refused.stderr
        assert not (tmp_path / "again.npz").exists()
    if suffix == "tflite":
        image = np.random.default_rng(6).integers(-128, 128, (1, 32, 32, 3), dtype=np.int8)
        litert = run_litert_by_index(out.read_bytes(), [image])
        ours = back.run(image[0])["classifier"].reshape(-1)
        assert any(np.array_equal(value.reshape(-1), ours) for value in litert.values())


def test_roundings_are_trained_for_the_bits_asked_for(tmp_path, monkeypatch):
    """A network of two bits: what is trained goes out, comes back and is said."""
    trainer = pytest.importorskip(
        "mnv2.golden.quantize.block_reconstruction", reason="PyTorch is not installed"
    )
    monkeypatch.setattr(trainer, "STEPS", 3)
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    path, pictures = tmp_path / "weights", tmp_path / "calibration"
    path.write_bytes(float_file(mobilenet_v2(0.35, 32, classes=3), np.random.default_rng(4)))
    pictures.mkdir()
    noise = np.random.default_rng(5).integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    out = tmp_path / "out.npz"
    options = ("--size", 32, "--calibration", pictures, "--weight-bits", 2)
    done = invoke("export", "--model", path, *options, "--block-reconstruction", out)
    assert done.exit_code == 0, done.output
    assert "calibrated on 3 pictures of calibration, roundings trained" in done.stdout
    again = open_model(
        path,
        input_size=32,
        calibration=str(pictures),
        weight_bits=2,
        block_reconstruction=True,
        progress=lambda *_: pytest.fail("trained again"),
    )
    assert again.options.block_reconstruction
    for layer, other in zip(open_model(out).integer.layers, again.integer.layers, strict=True):
        assert layer.weight_bits == 2
        assert np.abs(layer.weights).max() == 1
        np.testing.assert_array_equal(layer.weights, other.weights)
