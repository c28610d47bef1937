"""HDF5: what is read, and all that a file may not make the library do."""

import io

import h5py
import numpy as np
import pytest

from mnv2.golden.importers import hdf5_file
from mnv2.golden.importers.hdf5_file import parse_hdf5


def hdf5(write):
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        write(opened)
    return file.getvalue()


def test_reads_floats_and_texts():
    def write(file):
        for kind in ("f2", "f4", "f8", ">f4"):
            file.create_dataset(
                f"a/b/{kind[-2:]}{kind[0]}", data=np.arange(6.0).reshape(2, 3), dtype=kind
            )
        file.create_dataset(
            "packed", data=np.ones(100, "f4"), compression="gzip", shuffle=True, fletcher32=True
        )
        file["count"], file["text"], file["empty"] = 3, "words", h5py.Empty("f4")
        file.attrs["model_config"], file["a"].attrs["name"] = "äöü", b"bytes"
        file.attrs["numbers"], file.attrs["list"] = 3, ["a", "b"]
        file["optimizer_weights/w"] = np.ones(3)

    arrays, texts = parse_hdf5(hdf5(write))
    assert sorted(arrays) == ["a/b/f2f", "a/b/f4>", "a/b/f4f", "a/b/f8f", "packed"]
    for name, value in arrays.items():
        want = np.ones(100) if name == "packed" else np.arange(6.0).reshape(2, 3)
        np.testing.assert_array_equal(value, want)
    assert texts == {"@model_config": "äöü", "a@name": "bytes"}


def soft(file):
    file["w"] = h5py.SoftLink("/etc")


def external(file):
    file["w"] = h5py.ExternalLink("/etc/passwd", "/")


def external_storage(file):
    file.create_dataset("w", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("w", layout)


def huge(file):
    file.create_dataset("w", (2**20, 2**20), "f4", chunks=(1, 1024))


def many_huge(file):
    for index in range(5):
        file.create_dataset(f"w{index}", (2**24,), "f4", chunks=(1024,))


def huge_chunk(file):
    file.create_dataset("w", (4,), "f4", chunks=(2**28,), maxshape=(None,))


def other_filter(file):
    file.create_dataset("w", data=np.ones(100, "f4"), compression="lzf")


def deep(file):
    file["/".join("abcdefghijklmnopq")] = np.ones(2)


def cycle(file):
    file.create_group("a")["b"] = file["/"]


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (soft, "must not link elsewhere, as w does"),
        (external, "must not link elsewhere"),
        (external_storage, "w must hold its numbers itself"),
        (virtual, "must hold its numbers itself"),
        (huge, "up to w must have at most"),
        (many_huge, "up to w2 must have at most"),
        (huge_chunk, "at most"),
        (other_filter, "w must be plain or compressed by deflate"),
        (deep, "must not lie deeper than 12"),
        (cycle, "must not lie deeper than 12"),
    ],
)
def test_hostile_files(write, words):
    with pytest.raises(ValueError, match=words):
        parse_hdf5(hdf5(write))


def test_too_many_objects(monkeypatch):
    monkeypatch.setattr(hdf5_file, "MAXIMUM_OBJECTS", 10)

    def groups(file):
        for index in range(11):
            file.create_group(f"g{index}")

    def texts(file):
        for index in range(11):
            file.attrs[f"t{index}"] = "x"

    for write in (groups, texts):
        with pytest.raises(ValueError, match="at most 10 objects"):
            parse_hdf5(hdf5(write))


@pytest.mark.parametrize("cut", [0, 8, 100, 2000, -1])
def test_truncated(cut):
    data = hdf5(lambda file: file.create_dataset("a/w", data=np.ones(1000, "f4")))[:cut]
    with pytest.raises(ValueError, match="damaged or truncated"):
        parse_hdf5(data)
