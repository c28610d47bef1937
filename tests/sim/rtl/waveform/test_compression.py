"""Compression of waveforms: read back by zlib, and by LZ4's description."""

import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

import mnv2.sim.rtl.waveform
from mnv2.sim.rtl.toolchain import find_tool

HEADERS = Path(mnv2.sim.rtl.waveform.__file__).parent

PROGRAM = r"""
#include <lz4.h>
#include <zlib.h>
#include <fstream>
#include <iterator>
int main(int, char** argv) {
    std::ifstream in(argv[1], std::ios::binary);
    std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
    std::vector<char> block(LZ4_compressBound(bytes.size()));
    const int size = LZ4_compress_default(bytes.data(), block.data(), bytes.size(), block.size());
    std::ofstream(argv[2], std::ios::binary).write(block.data(), size);
    uLong length = compressBound(bytes.size());
    std::vector<Bytef> stream(length);
    compress2(stream.data(), &length, reinterpret_cast<Bytef*>(bytes.data()), bytes.size(), 9);
    std::ofstream(argv[3], std::ios::binary).write(reinterpret_cast<char*>(stream.data()), length);
    return size > static_cast<int>(block.size()) || length > stream.size();
}
"""


@pytest.fixture(scope="module")
def compress(tmp_path_factory):
    """Function that compresses bytes both ways: LZ4's block, zlib's stream."""
    folder = tmp_path_factory.mktemp("compress")
    (folder / "main.cpp").write_text(PROGRAM)
    command = [find_tool("c++").path, "-O1", "-std=c++17", "-Wall", "-Werror", f"-I{HEADERS}"]
    subprocess.run([*command, "-o", folder / "main", folder / "main.cpp"], check=True)

    def run(data):
        (folder / "in").write_bytes(data)
        files = [folder / name for name in ("in", "lz4", "zlib")]
        subprocess.run([folder / "main", *files], check=True, timeout=60)
        return files[1].read_bytes(), files[2].read_bytes()

    return run


def read_block(block):
    """Decompress a block of LZ4, and hold its end to the rules.

    Ref: LZ4 Block Format Description, 2022, with "End of block restrictions".
    """
    out, place = bytearray(), 0

    def count(nibble):
        nonlocal place
        if nibble == 15:
            while True:
                nibble += block[place]
                place += 1
                if block[place - 1] != 255:
                    break
        return nibble

    last_match = 0
    while True:
        token = block[place]
        place += 1
        literals = count(token >> 4)
        out += block[place : place + literals]
        place += literals
        if place == len(block):
            if last_match:
                assert literals >= 5
                assert len(out) - last_match >= 12
            return bytes(out)
        distance = block[place] | block[place + 1] << 8
        place += 2
        assert 0 < distance <= len(out)
        last_match = len(out)
        for _ in range(count(token & 15) + 4):
            out.append(out[-distance])


def drawn(size, values, seed):
    """Bytes of a few values."""
    return np.random.default_rng(seed).choice(values, size).astype(np.uint8).tobytes()


@pytest.mark.parametrize("size", [0, 1, 4, 5, 11, 12, 13, 14, 16, 17, 31, 300, 70_000])
@pytest.mark.parametrize("values", [[0], [0, 0, 0, 1], range(256)], ids=["one", "few", "all"])
def test_what_is_compressed_is_read(compress, size, values):
    data = drawn(size, list(values), seed=size)
    block, stream = compress(data)
    assert read_block(block) == data
    assert zlib.decompress(stream) == data


@pytest.mark.parametrize(
    "distance", [1, 2, 3, 4, 8191, 8192, 32_767, 32_768, 32_769, 65_535, 65_536]
)
def test_distances(compress, distance):
    data = drawn(distance, list(range(256)), seed=distance)
    data += data[:100] if distance > 100 else data * 300
    block, stream = compress(data)
    assert read_block(block) == data
    assert zlib.decompress(stream) == data


@pytest.mark.parametrize("length", [3, 4, 10, 11, 18, 19, 257, 258, 259, 273, 274, 529, 5000])
def test_lengths(compress, length):
    begin = drawn(400, list(range(256)), seed=length)
    data = begin + b"\x07" * length + begin
    block, stream = compress(data)
    assert read_block(block) == data
    assert zlib.decompress(stream) == data


def test_what_repeats_becomes_small(compress):
    block, stream = compress(bytes(100_000))
    assert len(block) < 500
    assert len(stream) < 800
