"""safetensors: what is read, and the headers that are refused."""

import json

import numpy as np
import pytest
import safetensors.numpy

from mnv2.golden.importers.safetensors_file import is_safetensors, parse_safetensors
from tests.golden.importers.float_files import to_bfloat16

TENSORS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "count": np.array(7, np.int64)}


def file_of(header, content=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text + content


def entry(dtype="F32", shape=(6,), offsets=(0, 24)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_reads_what_the_library_wrote():
    data = safetensors.numpy.save(TENSORS, {"format": "pt"})
    assert is_safetensors(data)
    tensors = parse_safetensors(data)
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype
        np.testing.assert_array_equal(tensors[name], value)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("F16", lambda x: x.astype("<f2")), ("F64", lambda x: x.astype("<f8")), ("BF16", to_bfloat16)],
)
def test_other_floats_become_float32(dtype, stored):
    content = stored(TENSORS["w"]).tobytes()
    tensors = parse_safetensors(file_of({"w": entry(dtype, (2, 3), (0, len(content)))}, content))
    assert tensors["w"].dtype == np.float32
    np.testing.assert_array_equal(tensors["w"], TENSORS["w"])


CONTENT = TENSORS["w"].tobytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file_of({"w": entry()}, CONTENT[:-1]), "damaged"),
        (file_of({"w": entry()}, CONTENT + b"0"), "damaged"),
        (file_of({"w": entry(offsets=(0, 2**62))}, CONTENT), "damaged"),
        (file_of({"w": entry(shape=(2**40, 2**40))}, CONTENT), "damaged"),
        (file_of({"w": entry(), "v": entry()}, CONTENT), "damaged"),
        (file_of({"w": entry(), "v": entry(shape=(4,), offsets=(8, 24))}, CONTENT), "damaged"),
        (file_of({"w": entry(shape=(4,), offsets=(8, 24))}, CONTENT), "damaged"),
        (file_of({"w": entry(offsets=(24, 0))}, CONTENT), "damaged"),
        (file_of({"w": entry("F4096")}, CONTENT), "damaged"),
        (
            file_of({"w": entry("U64", (3,))}, CONTENT),
            "tensor w must hold floats or integers, not U64",
        ),
        (file_of(b"{" * 100_000), "damaged"),
        (file_of(b"{}", size=2**63), "at most 4194304 bytes, not 9223372036854775808"),
        (file_of(b"{}", size=2**22), "damaged"),
        (b"", "damaged"),
    ],
)
def test_hostile_headers(data, words):
    with pytest.raises(ValueError, match=words):
        parse_safetensors(data)


def test_random_damage_is_always_a_value_error():
    data = safetensors.numpy.save(TENSORS)
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(2000):
        broken = bytearray(data)
        for position in rng.integers(0, len(data), rng.integers(1, 4)):
            broken[position] = rng.integers(0, 256)
        try:
            parse_safetensors(bytes(broken))
        except ValueError:
            refused += 1
    assert refused > 800
