"""No bytes make the reader of .tflite crash, take long, or take much memory."""

import time
import tracemalloc

import flatbuffers
import numpy as np
import pytest

from mnv2.golden.importers.tflite import read_graph
from tests.golden.graph.models import ModelMaker, assert_equals_litert
from tests.golden.graph.random_layers import LAYERS
from tests.golden.importers.editable_model import EditableModel, convolution


@pytest.fixture(scope="module")
def victim():
    """A file with most operators in it."""
    maker = ModelMaker(np.random.default_rng(7))
    x = maker.quantize(maker.input((1, 8, 8, 3), dtype=np.uint8), dtype=np.int8)
    for kind in ("MUL", "SUB"):
        x = maker.add(x, maker.tensor((3,), data=[90, -20, 40]), kind=kind)
    x = maker.convolution(
        maker.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]),
        4,
        (3, 3),
        (2, 2),
        padding="VALID",
        activation="RELU6",
    )
    x = maker.add(x, maker.convolution(x, None, (3, 3), multiplier=1))
    x = maker.average_pool(maker.average_pool(x, (2, 2)), (2, 2), kind="MAX_POOL_2D")
    x = maker.flatten(maker.reshape(maker.mean(x), (1, 4)))
    return maker.finish([maker.dequantize(maker.softmax(maker.fully_connected(x, 3)))])


def assert_reads_or_refuses(content):
    """A Graph or a sentence, in little time and memory; returns whether it was refused."""
    start = time.perf_counter()
    try:
        read_graph(content)
        refused = False
    except ValueError as error:
        refused = True
        message = str(error)
        assert "\n" not in message
        assert len(message) < 1000
        assert message[0].isupper()
    assert time.perf_counter() - start < 2
    return refused


@pytest.fixture
def little_memory():
    """Fail a test that takes more than 64 MB for its files."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26


def test_truncated_files(victim, little_memory):
    """A file that ends early at any place; its last bytes are no padding that could be spared."""
    content, inputs = victim
    assert_equals_litert(content, inputs)
    refused = [
        assert_reads_or_refuses(content[:size])
        for size in (*range(0, len(content), 9), *range(len(content) - 40, len(content)))
    ]
    assert np.mean(refused) > 0.99


def test_flipped_bits(victim, little_memory):
    content, _ = victim
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            damaged[place] ^= 1 << rng.integers(8)
        refused += assert_reads_or_refuses(bytes(damaged))
    assert refused > 60


def test_huge_and_negative_words(victim, little_memory):
    """Each word of the tables becomes huge, negative or small: lengths, offsets, sizes, indices."""
    content, _ = victim
    rng = np.random.default_rng(2)
    words = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x00FFFFFF, len(content) - 4, 1, 0)
    refused = 0
    for place in rng.choice(len(content) // 4, 350, replace=False) * 4:
        damaged = bytearray(content)
        damaged[place : place + 4] = int(words[rng.integers(len(words))]).to_bytes(4, "little")
        refused += assert_reads_or_refuses(bytes(damaged))
    assert refused > 100


def test_random_bytes(little_memory):
    rng = np.random.default_rng(3)
    for _ in range(500):
        content = bytearray(rng.bytes(int(rng.integers(8, 2000))))
        content[4:8] = b"TFL3"
        if rng.random() < 0.7:  # small offsets lead somewhere
            content[:4] = int(rng.integers(4, len(content))).to_bytes(4, "little")
            content[8:] = bytes(rng.integers(0, 30, len(content) - 8, np.uint8))
        assert assert_reads_or_refuses(bytes(content))


def test_every_random_layer_is_read():
    for kind, make in LAYERS.items():
        content, _ = make(np.random.default_rng(len(kind)))
        assert not assert_reads_or_refuses(content)


def test_tables_that_are_absent():
    for part in ("tensors", "operators", "inputs", "outputs"):
        graph = EditableModel(convolution())
        content = graph.finish([0], [3])
        setattr(graph.subgraph, part, None)
        builder = flatbuffers.Builder(1024)
        builder.Finish(graph.model.Pack(builder), file_identifier=b"TFL3")
        assert content != bytes(builder.Output())
        if part in ("tensors", "operators"):
            with pytest.raises(ValueError, match="must be|damaged"):
                read_graph(bytes(builder.Output()))
        else:
            assert_reads_or_refuses(bytes(builder.Output()))
