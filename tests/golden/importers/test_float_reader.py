"""`read_float_model`: every format by its content, in a process that nothing can harm."""

import io
import os
import sys
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from onnx import ModelProto, external_data_helper

from mnv2.golden.importers import float_formats, float_reader
from mnv2.golden.importers.float_formats import float_format, parse_float_model
from mnv2.golden.importers.float_reader import read_float_model
from mnv2.golden.importers.torch_checkpoint import find_checkpoint, read_checkpoint
from mnv2.golden.importers.torchvision_names import float_model_from_torchvision
from mnv2.golden.network import mobilenet_v2
from tests.golden.importers.float_files import (
    assert_equal_models,
    onnx_bytes,
    random_float_model,
    torch_zip,
    torchvision_tensors,
)
from tests.golden.importers.test_keras_file import file_bytes
from tests.golden.importers.test_torch_zip import Hostile


@pytest.fixture(scope="module")
def checkpoint():
    return read_checkpoint()


def written(tmp_path, data, name="model"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_the_real_one_is_equal_in_each_format(tmp_path, checkpoint):
    """The installed checkpoint, as each format holds it; names of files say nothing."""
    model = float_model_from_torchvision(checkpoint)
    files = {
        "torch": torch_zip(checkpoint, compression=zipfile.ZIP_DEFLATED),
        "safetensors": safetensors.numpy.save(checkpoint),
        "onnx": onnx_bytes(model),
    }
    for kind, data in files.items():
        assert float_format(data) == kind
        read = read_float_model(written(tmp_path, data))
        assert read.network == mobilenet_v2()
        assert_equal_models(read, model)
    read = read_float_model(find_checkpoint())
    assert read.network == mobilenet_v2()
    assert_equal_models(read, model)


@pytest.mark.parametrize("name", ["keras.keras", "keras.h5"])
def test_keras(tmp_path, name):
    read = read_float_model(written(tmp_path, file_bytes(name), "model.onnx"))
    assert_equal_models(read, parse_float_model(file_bytes(name)))
    assert read.network == mobilenet_v2(0.05, 64, 7, "tensorflow")
    assert read.input_normalization.mean == (0.5, 0.5, 0.5)


def test_size_and_strides_are_passed(tmp_path):
    network = mobilenet_v2(0.35, (96, 64), 3)
    path = written(
        tmp_path,
        torch_zip(torchvision_tensors(random_float_model(np.random.default_rng(0), network))),
    )
    assert read_float_model(path, (96, 64)).network == network
    strides = [1] * 18
    assert read_float_model(path, np.int64(8), strides).network.head.output_shape[:2] == (8, 8)
    for size, words in ((0, "must be one or two"), ("x", "must be integers, not 'x'")):
        with pytest.raises(ValueError, match=words):
            read_float_model(path, size)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "must be of a known format"),
        (b"\x7fELF", "must be of a known format: PyTorch"),
        (b"PK\x03\x04", "damaged or truncated"),
        (b"\x89HDF\r\n\x1a\n", "damaged or truncated"),
        (b"\x80\x02.", "well formed"),
        (b"\x08\x07", "ONNX model with operators"),
        (b"\x08\x07\xff", "damaged, truncated or of another format"),
        (bytes(8) + b"{}", "damaged or truncated"),
    ],
)
def test_short_files(tmp_path, data, words):
    with pytest.raises(ValueError, match=words) as caught:
        read_float_model(written(tmp_path, data))
    assert str(caught.value).startswith(f"The model {tmp_path / 'model'} cannot be used: ")
    assert "\n" not in str(caught.value)


def test_names_from_the_file_do_nothing_to_a_terminal(tmp_path):
    tensors = {
        "features.0.0.weight": np.zeros((2, 3, 3, 3), np.float32),
        "\x1b[2Jfeatures\n" + "x" * 1000: np.zeros(2, np.float32),
    }
    tensors["a.features.0.0.weight"] = tensors.pop("features.0.0.weight")
    with pytest.raises(ValueError, match=r"\?\[2Jfeatures\?xxx") as caught:
        read_float_model(written(tmp_path, safetensors.numpy.save(tensors)))
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


def test_unreadable(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_float_model(tmp_path / "none.pt")
    with pytest.raises(ValueError, match="must be a plain file"):
        read_float_model(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="must be a plain file"):
        read_float_model(tmp_path / "pipe")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(float_reader, "MAXIMUM_BYTES", 1000)
    monkeypatch.setattr(float_formats, "MAXIMUM_BYTES", 1000)
    with pytest.raises(ValueError, match="must have at most 1000 bytes"):
        read_float_model(written(tmp_path, bytes(1001)))
    with pytest.raises(ValueError, match="must have at most 1000 bytes"):
        float_format(bytes(1001))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            r"reader stopped \(status -11\)",
        ),
        ("raise RuntimeError", r"reader stopped \(status 1\)"),
        ("pass", "its reader gave no model"),
        ("import time; time.sleep(60)", "took more than 1 seconds"),
    ],
)
def test_whatever_happens_to_the_child_is_one_sentence(tmp_path, monkeypatch, code, words):
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{code}\n")
    script.chmod(0o755)
    monkeypatch.setattr(float_reader.sys, "executable", str(script))
    monkeypatch.setattr(float_reader, "SECONDS", 1)
    with pytest.raises(ValueError, match=words):
        read_float_model(written(tmp_path, b"\x08"))


def test_memory_of_the_child_is_limited(tmp_path):
    """An ONNX file of 20 million empty nodes takes gigabytes to hold; here it takes a sentence."""
    nodes = b"\x0a\x00" * 20_000_000
    size, length = len(nodes), b""
    while size:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
    path = written(tmp_path, b"\x08\x08\x3a" + length + nodes)
    with pytest.raises(ValueError, match="damaged|bytes of memory"):
        read_float_model(path)


def test_tensors_in_a_file_beside(tmp_path):
    model = random_float_model(np.random.default_rng(0), mobilenet_v2(0.35, 32, 3))
    proto = ModelProto.FromString(onnx_bytes(model))
    external_data_helper.convert_model_to_external_data(proto, location="w.data", size_threshold=0)
    folder = tmp_path / "folder"
    folder.mkdir()
    external_data_helper.write_external_data_tensors(proto, str(folder))
    path = written(folder, proto.SerializeToString(), "m.onnx")
    assert_equal_models(read_float_model(path), model)
    (folder / "w.data").rename(tmp_path / "w.data")
    with pytest.raises(ValueError, match="must lie in a plain file next to it, not in 'w.data'"):
        read_float_model(path)
    (folder / "w.data").symlink_to(tmp_path / "w.data")
    with pytest.raises(ValueError, match="must lie in a plain file next to it"):
        read_float_model(path)


@pytest.mark.parametrize("location", ["../w.data", "/etc/passwd", "..", "", "a/b"])
def test_nothing_outside_the_folder(tmp_path, location):
    model = random_float_model(np.random.default_rng(0), mobilenet_v2(0.35, 32, 3))
    proto = ModelProto.FromString(onnx_bytes(model))
    tensor = next(x for x in proto.graph.initializer if x.name == "stem.weight")
    external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    (tmp_path / "w.data").write_bytes(bytes(10_000))
    (tmp_path / "in").mkdir()
    path = written(tmp_path / "in", proto.SerializeToString())
    with pytest.raises(ValueError, match="must lie in a plain file next to it, not in"):
        read_float_model(path)


def keras_small():
    return file_bytes("keras.weights.h5")


def onnx_small():
    return onnx_bytes(random_float_model(np.random.default_rng(0), mobilenet_v2(0.05, 32, 3)))


def torch_small():
    tensors = torchvision_tensors(
        random_float_model(np.random.default_rng(0), mobilenet_v2(0.05, 32, 3))
    )
    return torch_zip({name: x for name, x in tensors.items() if "num_batches" not in name})


@pytest.mark.parametrize(("whole", "count"), [(onnx_small, 150), (torch_small, 100)])
def test_random_damage_is_a_model_or_a_value_error(whole, count):
    """Also deep in the structure, where a length or an opcode is what changes."""
    data = whole()
    rng = np.random.default_rng(5)
    sentences = [complaint(parse_float_model, damaged(rng, data)) for _ in range(count)]
    assert sum(x is not None for x in sentences) > count / 4


def complaint(read, *arguments):
    """The sentence of a ValueError, None if there was no error."""
    try:
        read(*arguments)
    except ValueError as error:
        sentence = str(error)
    else:
        return None
    assert sentence
    assert "\n" not in sentence
    return sentence


def damaged(rng, data):
    """Bytes with a few of them changed, a part cut out, or a part put in twice."""
    broken = bytearray(data)
    kind = rng.integers(0, 4)
    if kind == 0:
        return bytes(broken[: rng.integers(0, len(broken))])
    if kind == 1:
        start, size = rng.integers(0, len(broken)), rng.integers(1, 200)
        del broken[start : start + size]
    elif kind == 2:
        start, size = rng.integers(0, len(broken)), rng.integers(1, 200)
        broken[start:start] = broken[start : start + size]
    for position in rng.integers(0, len(broken), rng.integers(1, 40)):
        broken[position] = rng.integers(0, 256)
    return bytes(broken)


def test_random_damage_of_hdf5(tmp_path):
    """HDF5's library may do what it likes: its process is not this one."""
    data = keras_small()
    rng = np.random.default_rng(6)
    sentences = [
        complaint(read_float_model, written(tmp_path, damaged(rng, data))) for _ in range(20)
    ]
    assert sum(x is not None for x in sentences) > 5


def test_archive_of_the_child_is_not_trusted(tmp_path, monkeypatch):
    archive = io.BytesIO()
    np.savez(archive, header=np.array([Hostile(tmp_path / "proof")], dtype=object))
    payload = written(tmp_path, archive.getvalue(), "payload")
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\ncat {payload}\n")
    script.chmod(0o755)
    monkeypatch.setattr(float_reader.sys, "executable", str(script))
    with pytest.raises(ValueError, match="its reader gave no model"):
        read_float_model(written(tmp_path, b"\x08"))
    assert not (tmp_path / "proof").exists()
