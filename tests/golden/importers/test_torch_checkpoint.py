"""The reader of checkpoints: what it reads, and all that it refuses."""

import hashlib
import io
import os
import pickle
import random

import numpy as np
import pytest

from mnv2.golden.importers import torch_checkpoint
from mnv2.golden.importers.pickle_reader import read_pickle
from mnv2.golden.importers.torch_checkpoint import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    find_checkpoint,
    parse_checkpoint,
    read_checkpoint,
)


class _Call:
    """Pickles as a call of a global with arguments; nothing of it is ever run here."""

    def __init__(self, function, arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def _global(module, name):
    """A function that pickles under a foreign name."""

    def function():
        raise AssertionError("a pickled function must never be called")

    function.__module__, function.__qualname__, function.__name__ = module, name, name
    return function


class _Pickler(pickle._Pickler):
    """Writes globals without looking whether they exist, and storages as persistent ids."""

    def save_global(self, obj, name=None):
        self.write(pickle.GLOBAL + f"{obj.__module__}\n{obj.__qualname__}\n".encode())
        self.memoize(obj)

    def persistent_id(self, obj):
        return obj.identifier if isinstance(obj, _Identifier) else None

    dispatch = pickle._Pickler.dispatch.copy()
    dispatch[type(_global)] = save_global


class _Identifier:
    def __init__(self, identifier):
        self.identifier = identifier


def dump(value):
    file = io.BytesIO()
    _Pickler(file, protocol=2).dump(value)
    return file.getvalue()


REBUILD = _global("torch._utils", "_rebuild_tensor_v2")
FLOATS = _global("torch", "FloatStorage")


def tensor(key, shape, *, elements=None, offset=0, strides=None, storage=FLOATS):
    size = int(np.prod(shape))
    if strides is None:
        strides = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    identifier = _Identifier(
        ("storage", storage, key, "cpu", size if elements is None else elements, None)
    )
    return _Call(REBUILD, (identifier, offset, shape, strides, False, {}))


def checkpoint(entries, contents, *, magic=MAGIC_NUMBER, keys=None):
    head = b"".join(
        dump(part)
        for part in (
            magic,
            PROTOCOL_VERSION,
            {"little_endian": True},
            entries,
            list(contents) if keys is None else keys,
        )
    )
    return head + b"".join(
        len(array).to_bytes(8, "little") + array.tobytes() for array in contents.values()
    )


VALUES = np.arange(6, dtype=np.float32)


def test_reads_what_was_written():
    data = checkpoint(
        {"w": tensor("1", (2, 3)), "part": tensor("1", (2,), elements=6, offset=3)}, {"1": VALUES}
    )
    tensors = parse_checkpoint(data)
    np.testing.assert_array_equal(tensors["w"], VALUES.reshape(2, 3))
    np.testing.assert_array_equal(tensors["part"], VALUES[3:5])


def test_reads_the_real_one():
    tensors = read_checkpoint()
    assert len(tensors) == 314
    assert sum(t.size for name, t in tensors.items() if "num_batches" not in name) == 3_538_984
    assert tensors["features.0.0.weight"].shape == (32, 3, 3, 3)
    assert all(t.dtype in (np.float32, np.int64) for t in tensors.values())


def test_wrong_hash_is_refused_before_parsing(tmp_path, monkeypatch):
    data = bytearray(find_checkpoint().read_bytes())
    data[-1] ^= 1
    path = tmp_path / "weights.pth"
    path.write_bytes(data)

    def forbidden(_):
        raise AssertionError("parsed before its hash was checked")

    monkeypatch.setattr(torch_checkpoint, "parse_checkpoint", forbidden)
    with pytest.raises(ValueError, match="must have the sha256 b0353104.*not "):
        read_checkpoint(path)


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_checkpoint(tmp_path / "none.pth")


def test_missing_distribution(monkeypatch):
    monkeypatch.setattr(torch_checkpoint, "DISTRIBUTION", "no-such-distribution-of-weights")
    with pytest.raises(ValueError, match="which is not installed"):
        find_checkpoint()


@pytest.mark.parametrize("cut", [0, 1, 14, 100, 5000, 47_000, 60_000, -1])
def test_truncated(tmp_path, cut):
    data = find_checkpoint().read_bytes()[:cut]
    path = tmp_path / "cut.pth"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is not a checkpoint of tensors"):
        read_checkpoint(path, sha256=hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("collections", "Counter"),
    ],
)
def test_calls_nothing(module, name, tmp_path):
    target = tmp_path / "proof"
    call = _Call(_global(module, name), (f"touch {target}",))
    with pytest.raises(ValueError, match=f"must not call {module}.{name}"):
        parse_checkpoint(checkpoint({"w": call}, {}))
    assert not target.exists()


def test_real_reduce_of_os_system_is_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'proof'}",)

    for protocol in range(6):
        with pytest.raises(ValueError, match=r"must|truncated|format"):
            parse_checkpoint(pickle.dumps(Hostile(), protocol))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("entries", "contents", "words"),
    [
        ({"w": tensor("1", (2, 3), elements=5)}, {"1": VALUES[:5]}, "inside its storage"),
        ({"w": tensor("1", (6,), offset=1)}, {"1": VALUES}, "inside its storage"),
        ({"w": tensor("1", (2, 3), strides=(1, 3))}, {"1": VALUES}, "inside its storage"),
        (
            {"w": tensor("1", (2, 4), elements=6, strides=(0, 1))},
            {"1": VALUES},
            "inside its storage",
        ),
        ({"w": tensor("1", (2**40, 2**40))}, {"1": VALUES}, "size within the file|a shape"),
        ({"w": tensor("1", (0, 2**20), elements=2**60)}, {"1": VALUES}, "size within the file"),
        ({"w": tensor("1", (-6,), elements=6)}, {"1": VALUES}, "a shape"),
        ({"w": tensor("1", (6,))}, {}, "every storage"),
        ({"w": tensor("1", (6,))}, {"1": VALUES, "2": VALUES}, "belong to a tensor"),
        ({"w": tensor("1", (5,))}, {"1": VALUES}, "size that its tensor names"),
        (
            {"w": tensor("1", (6,), storage=_global("os", "FloatStorage"))},
            {"1": VALUES},
            "of torch",
        ),
        ({"w": tensor("1", (6,), storage=_global("torch", "Storage"))}, {"1": VALUES}, "of torch"),
        ({3: tensor("1", (6,))}, {"1": VALUES}, "keys of tensors must be strings"),
        ({2.5: tensor("1", (6,))}, {"1": VALUES}, "keys must be strings or integers"),
        ([1, 2], {}, "dictionary of tensors"),
        ({"w": 1.5}, {}, "dictionary of tensors"),
        ({"w": 1 << 3000}, {}, "opcode LONG4"),
    ],
)
def test_hostile_contents(entries, contents, words):
    with pytest.raises(ValueError, match=words):
        parse_checkpoint(checkpoint(entries, contents))


def test_wrong_magic():
    with pytest.raises(ValueError, match="from before 1.6"):
        parse_checkpoint(checkpoint({}, {}, magic=7))


def test_huge_memo_index_costs_nothing():
    data = b"\x80\x02Nr\xff\xff\xff\xff."
    assert read_pickle(data, 0, {}, None) == (None, len(data))


def test_random_damage_is_always_a_value_error():
    data = bytearray(
        checkpoint({"w": tensor("1", (2, 3)), "v": tensor("2", (6,))}, {"1": VALUES, "2": VALUES})
    )
    rng = random.Random(1)
    refused = 0
    for _ in range(2000):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            parse_checkpoint(bytes(broken))
        except ValueError:
            refused += 1
    assert refused > 1000
