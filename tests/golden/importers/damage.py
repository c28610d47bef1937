"""Thousands of damaged files of each form, read in a process of its own: none may crash or hang.

    python -m tests.golden.importers.damage 10000 [form ...]

Prints for each form how many files were read, refused in one sentence, and stopped by a library's
own fault (HDF5 alone may; `read_float_model` reads in a child for that), and the longest time.
"""

import functools
import json
import os
import signal
import sys
import tarfile
import time
import traceback
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import safetensors.numpy

from mnv2.golden.importers.float_formats import parse_float_model
from mnv2.golden.importers.float_reader import _sentence as clean_sentence
from mnv2.golden.importers.keras_config import KerasConfig
from mnv2.golden.importers.tflite import read_graph
from mnv2.golden.importers.tflite_layers import read_float_tflite
from mnv2.golden.network import build_network, mobilenet_v2
from tests.golden.graph.models import ModelMaker
from tests.golden.importers.float_files import onnx_bytes, random_float_model, torch_zip
from tests.golden.importers.float_tflite_files import float_tflite_bytes
from tests.golden.importers.qonnx_files import trained_bytes

HERE = Path(__file__).parent
SECONDS = 20
#: Files that one child reads, so that few are lost where it is stopped.
CHUNK = 100


def _safetensors():
    return (HERE / "cases" / "timm_names.safetensors").read_bytes()


def _torch():
    return torch_zip(safetensors.numpy.load(_safetensors()))


def _torch_pickle():
    """The pickle in `_torch`: in the zip, a checksum tells most damage before it is read."""
    with zipfile.ZipFile(BytesIO(whole_file("torch"))) as archive:
        return archive.read("archive/data.pkl")


def _read_torch_pickle(data):
    return parse_float_model(_replace(whole_file("torch"), "archive/data.pkl", data))


def _replace(content, member, data):
    """A zip file with another content of a member."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name == member else old.read(name))
    return file.getvalue()


def _nested(name):
    with tarfile.open(HERE / "keras" / "nested.tar.xz") as archive:
        return archive.extractfile(name).read()


def _configuration():
    with zipfile.ZipFile(BytesIO(_nested("functional.keras"))) as archive:
        return archive.read("config.json")


def _quantized_onnx():
    """An operator of each quantised kind around a network; damage reaches all of them."""
    import tempfile

    from onnxruntime.quantization import QuantFormat

    from tests.golden.importers.test_onnx_quantized import quantized

    model = random_float_model(np.random.default_rng(0), mobilenet_v2(0.05, 24, 3))
    with tempfile.TemporaryDirectory() as folder:
        return quantized(Path(folder), onnx_bytes(model, normalized=False), QuantFormat.QOperator)


def _small_network(padding="pytorch"):
    return build_network(
        ((1, 4, 1, 1), (2, 4, 2, 1)),
        stem_channels=4,
        head_channels=8,
        classes=3,
        input_size=8,
        padding=padding,
    )


def _trained_onnx(form):
    """A network that its training quantised; damage reaches quantisers and their constants."""
    return trained_bytes(0, _small_network(), form=form, weight_bits=6, activation_bits=7)[0]


def tflite_file():
    """A file with the operators of preprocessing, Flatten and hidden dense layers."""
    maker = ModelMaker(np.random.default_rng(8))
    x = maker.quantize(maker.input((1, 8, 8, 3), dtype=np.uint8), dtype=np.int8)
    for kind in ("MUL", "SUB", "ADD"):
        constant = maker.tensor((3,), data=[90, -20, 40])
        x = maker.add(x, constant, kind=kind)
    x = maker.convolution(x, 4, (3, 3), (2, 2), activation="RELU6")
    x = maker.flatten(maker.average_pool(x, (2, 2), kind="MAX_POOL_2D"))
    x = maker.fully_connected(x, 5, activation="RELU")
    return maker.finish([maker.logistic(maker.fully_connected(x, 3))])[0]


def _read_edited_onnx(content):
    """Reads a trained network after a few edits of its graph, drawn from the damaged bytes.

    Damaged bytes are mostly no ONNX any more; these are, and reach what works on quantisers.
    """
    rng = np.random.default_rng(list(content))
    form = "onnx trained" if rng.random() < 0.5 else "onnx qcdq"
    proto = onnx.ModelProto.FromString(whole_file(form))
    for _ in range(rng.integers(1, 4) if content != whole_file("onnx edited") else 0):
        _edit(rng, proto.graph)
    return parse_float_model(proto.SerializeToString())


def _edit(rng, graph):
    """One change of a node or of a constant."""
    node = graph.node[rng.integers(len(graph.node))]
    tensor = graph.initializer[rng.integers(len(graph.initializer))]
    names = [*(x.name for x in graph.initializer), *(x.output[0] for x in graph.node), ""]
    kind = rng.integers(0, 7)
    if kind == 0 and node.input:
        node.input[rng.integers(len(node.input))] = names[rng.integers(len(names))]
    elif kind == 1 and node.input:
        del node.input[rng.integers(len(node.input)) :]
    elif kind == 2:
        other = graph.node[rng.integers(len(graph.node))]
        node.op_type, node.domain = other.op_type, other.domain
    elif kind == 3 and node.attribute:
        attribute = node.attribute[rng.integers(len(node.attribute))]
        attribute.i = int(rng.choice([-1, 0, 2, 2**40]))
        attribute.s = rng.choice([b"FLOOR", b"HALF_UP", b"", b"\xff"])
        attribute.ints.extend([int(rng.integers(-3, 9))])
    elif kind == 4:
        del graph.node[rng.integers(len(graph.node))]
    elif kind == 5:
        value = onnx.numpy_helper.to_array(tensor)
        odd = rng.choice([0, -1, np.nan, np.inf, 1e30, 1e-38, 0.5, 77])
        with np.errstate(all="ignore"):
            value = np.where(rng.random(value.shape) < 0.3, odd, value).astype(value.dtype)
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
    else:
        shape = [int(x) for x in rng.integers(0, 4, rng.integers(0, 5))]
        value = np.resize(onnx.numpy_helper.to_array(tensor), shape)
        kinds = (np.float32, np.int8, np.uint8, np.int32, np.int64, np.float64)
        with np.errstate(all="ignore"):
            value = value.astype(kinds[rng.integers(len(kinds))])
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))


def _float_tflite():
    model = random_float_model(np.random.default_rng(0), _small_network("tensorflow")).folded()
    return float_tflite_bytes(model, "float16", preprocessing=[("MUL", [1 / 64])])[0]


#: The file of each form, and what reads it.
FORMS = {
    "safetensors": (_safetensors, parse_float_model),
    "torch": (_torch, parse_float_model),
    "torch pickle": (_torch_pickle, _read_torch_pickle),
    "keras zip": (lambda: _nested("functional.keras"), parse_float_model),
    "keras hdf5": (lambda: _nested("adapted.h5"), parse_float_model),
    "keras configuration": (_configuration, KerasConfig.parse),
    "onnx quantised": (_quantized_onnx, parse_float_model),
    "onnx trained": (lambda: _trained_onnx("qonnx"), parse_float_model),
    "onnx qcdq": (lambda: _trained_onnx("qcdq"), parse_float_model),
    "onnx edited": (lambda: bytes(range(256)), _read_edited_onnx),
    "tflite": (tflite_file, read_graph),
    "tflite of floats": (_float_tflite, read_float_tflite),
}


@functools.cache
def whole_file(form):
    """Bytes of a form's file, made once."""
    return FORMS[form][0]()


def damage(rng, data):
    """Bytes with a few of them changed, a part cut out or put in twice, or cut off."""
    broken = bytearray(data)
    kind = rng.integers(0, 4)
    if kind == 0:
        return bytes(broken[: rng.integers(0, len(broken))])
    start, size = rng.integers(0, len(broken)), rng.integers(1, 200)
    if kind == 1:
        del broken[start : start + size]
    elif kind == 2:
        broken[start:start] = broken[start : start + size]
    # Half of them near the start, where headers are.
    reach = len(broken) if rng.random() < 0.5 else min(len(broken), 4096)
    for position in rng.integers(0, reach, rng.integers(1, 20)):
        broken[position] = rng.integers(0, 256)
    return bytes(broken)


def read_one(read, content):
    """Whether it was "read" or "refused"; AssertionError unless in one short sentence."""
    try:
        read(content)
    except ValueError as error:
        sentence = str(error)
    else:
        return "read"
    # As `read_float_model` shows it: names from the file may hold anything.
    assert clean_sentence(sentence.encode(errors="replace"))
    assert len(sentence) < 2000
    return "refused"


def read_many(form, seed, count):
    """Counts of outcomes of a form's damaged files, and the longest time in seconds."""
    read = FORMS[form][1]
    data, rng = whole_file(form), np.random.default_rng(seed)
    outcomes, longest = {"read": 0, "refused": 0}, 0.0
    for _ in range(count):
        content, start = damage(rng, data), time.perf_counter()
        outcomes[read_one(read, content)] += 1
        longest = max(longest, time.perf_counter() - start)
    return outcomes, longest


def _child(form, seed, count):
    """`read_many` in a child; None and its signal if it was stopped."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(receiver)
            signal.alarm(SECONDS * count)
            with os.fdopen(sender, "w") as file:
                json.dump(read_many(form, seed, count), file)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sender)
    with os.fdopen(receiver) as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if status == 0 and text else (None, status)


def main(count, forms):
    """Read a number of damaged files of each form and print the outcomes."""
    for form in forms or FORMS:
        whole_file(form)  # before the children, which then need not make it
        total, longest, stopped = {"read": 0, "refused": 0}, 0.0, []
        for seed in range(-(-count // CHUNK)):
            outcomes, other = _child(form, seed, CHUNK)
            if outcomes is None:
                stopped.append(other)
                continue
            longest = max(longest, other)
            for key, value in outcomes.items():
                total[key] += value
        print(f"{form}: {total}, longest {longest:.2f} s, chunks stopped: {stopped}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
