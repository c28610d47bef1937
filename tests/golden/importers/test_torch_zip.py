"""PyTorch's zip format: what it may hold, and all that is refused."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from mnv2.golden.importers import zip_members
from mnv2.golden.importers.torch_checkpoint import parse_checkpoint, read_checkpoint
from tests.golden.importers.float_files import TorchArray, pickle_like_torch, to_bfloat16, torch_zip

VALUES = np.arange(6, dtype=np.float32)
TENSORS = {
    "w": VALUES.reshape(2, 3) / 7,
    "v": np.array([1e-3, 60000.0], np.float32),
    "count": np.array(3, np.int64),
}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: x,
        lambda x: {"state_dict": x, "epoch": 3},
        lambda x: {
            "loss": 0.25,
            "args": [1, None, (2, True)],
            "optimizer": {"state": {0: {"step": 4}}},
            "model": x,
        },
    ],
)
def test_reads_what_was_written(compression, wrap):
    tensors = parse_checkpoint(torch_zip(TENSORS, wrap=wrap, compression=compression))
    assert list(tensors) == list(TENSORS)
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype
        np.testing.assert_array_equal(tensors[name], value)


def test_other_floats_become_float32():
    half = parse_checkpoint(torch_zip(TENSORS, storage="HalfStorage"))["w"]
    np.testing.assert_array_equal(half, TENSORS["w"].astype(np.float16).astype(np.float32))
    double = parse_checkpoint(torch_zip(TENSORS, storage="DoubleStorage"))["w"]
    np.testing.assert_array_equal(double, TENSORS["w"])
    brain = parse_checkpoint(torch_zip(TENSORS, storage="BFloat16Storage"))
    want = (to_bfloat16(TENSORS["w"]).astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(brain["w"], want)
    assert all(x.dtype == np.float32 for x in (half, double, brain["w"]))
    assert np.abs(brain["v"] / TENSORS["v"] - 1).max() < 2**-7
    assert np.isinf(
        parse_checkpoint(torch_zip({"w": np.array([1e300])}, storage="DoubleStorage"))["w"]
    ).all()


def test_strides():
    """A transposed tensor, one of every second element, and two that share a storage."""
    turned = np.asfortranarray(TENSORS["w"])
    np.testing.assert_array_equal(parse_checkpoint(torch_zip({"w": turned}))["w"], turned)
    entries = {
        "all": TorchArray("0", "FloatStorage", 6, (2, 3), (3, 1)),
        "second": TorchArray("0", "FloatStorage", 6, (2,), (2,), 1),
        "none": TorchArray("0", "FloatStorage", 6, (0, 9), (9, 1)),
    }
    data = torch_zip(
        {}, members={"data.pkl": pickle_like_torch(entries), "data/0": VALUES.tobytes()}.items()
    )
    tensors = parse_checkpoint(data)
    np.testing.assert_array_equal(tensors["all"], VALUES.reshape(2, 3))
    np.testing.assert_array_equal(tensors["second"], [1, 3])
    assert tensors["none"].shape == (0, 9)


def test_by_path(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(torch_zip(TENSORS))
    assert list(read_checkpoint(path, sha256=None)) == list(TENSORS)


class Hostile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (__import__("os").system, (f"touch {self.target}",))


@pytest.mark.parametrize("protocol", range(6))
def test_calls_nothing(tmp_path, protocol):
    target = tmp_path / "proof"
    data = pickle.dumps({"w": Hostile(target)}, protocol)
    with pytest.raises(ValueError, match="must not"):
        parse_checkpoint(torch_zip(TENSORS, members=[("data.pkl", data)]))
    assert not target.exists()


def array(*shape, elements=6, strides=None, offset=0):
    strides = strides or tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    return TorchArray("0", "FloatStorage", elements, shape, strides, offset)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"w": array(2, 3, strides=(1, 3))}, "inside its storage"),
        ({"w": array(2, 3, offset=1)}, "inside its storage"),
        ({"w": array(2**14, 2**14, strides=(0, 0))}, "inside its storage"),
        ({"w": array(2**40)}, "a shape"),
        ({"w": array(2, 3, strides=(-3, 1))}, "a shape"),
        ({"w": array(7, elements=7)}, "must have 28 bytes, not 24"),
        ({"w": array(6), "v": array(5, elements=5)}, "one size and type"),
        ({f"w{i}": array(2**20, elements=2**20) for i in range(70)}, "must have at most"),
        ({"w": 3}, "dictionary of tensors"),
        ([array(6)], "dictionary of tensors"),
        ({7: array(6)}, "must be strings"),
    ],
)
def test_hostile_tensors(entries, words):
    members = {"data.pkl": pickle_like_torch(entries), "data/0": VALUES.tobytes()}
    with pytest.raises(ValueError, match=words):
        parse_checkpoint(torch_zip({}, members=members.items()))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("byteorder", b"big")], "little endian"),
        ([("constants.pkl", b"")], "not a TorchScript"),
        ([("data/0", b"1234")], "must have 24 bytes, not 4"),
        ([("data.pkl", b"")], "must end with STOP|well formed|pickle"),
        ([("more/data.pkl", b"")], "one data.pkl, not 2"),
    ],
)
def test_hostile_members(members, words):
    with pytest.raises(ValueError, match=words):
        parse_checkpoint(torch_zip({"w": VALUES}, members=members))


def test_missing_member():
    file = io.BytesIO()
    entries = {"w": array(6)}
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data.pkl", pickle_like_torch(entries))
    with pytest.raises(ValueError, match="a/data/0 is missing"):
        parse_checkpoint(file.getvalue())


def test_zip_bomb():
    """A gigabyte of zeros in a megabyte, said truly and said wrongly."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a/data.pkl", "w") as member,
    ):
        for _ in range(40):
            member.write(bytes(2**20))
    data = file.getvalue()
    with pytest.raises(ValueError, match="must have at most 16777216 bytes, not 41943040"):
        parse_checkpoint(data)
    lie = data.replace(struct.pack("<I", 40 * 2**20), struct.pack("<I", 1000))
    with pytest.raises(ValueError, match="member a/data.pkl"):
        parse_checkpoint(lie)


def test_member_shorter_than_its_header_says():
    """The checksum is right, so that the library does not mind."""
    data = torch_zip({"w": VALUES}, compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo("archive/data.pkl")
    sizes = struct.pack("<III", member.CRC, member.compress_size, member.file_size)
    lie = struct.pack("<III", member.CRC, member.compress_size, member.file_size + 9)
    assert data.count(sizes) == 2
    with pytest.raises(ValueError, match="data.pkl must have the .* bytes that its header says"):
        parse_checkpoint(data.replace(sizes, lie))


def test_other_compressions_are_refused():
    with pytest.raises(ValueError, match="must be stored or deflated"):
        parse_checkpoint(torch_zip(TENSORS, compression=zipfile.ZIP_LZMA))


def test_too_many_members(monkeypatch):
    monkeypatch.setattr(zip_members, "MAXIMUM_MEMBERS", 5)
    with pytest.raises(ValueError, match="at most 5 members"):
        parse_checkpoint(torch_zip(TENSORS))
