"""The back end for Linux on files that stand for its devices: what is there, and who has the lock.

A file has no behaviour, so nothing runs here: registers are mapped, read and written in their
places, memory is mapped and cut, caches are told of ranges, and every way to fail is tried.
"""

import struct
import subprocess

import pytest

from mnv2.hw.identity import constant_registers
from mnv2.hw.register_map import ADDRESSES, REGISTER_ADDRESS_BITS, Status
from mnv2.sim.driver.bench import STRICT
from mnv2.sim.driver.program_files import DRIVER, driver_files, vector_files
from mnv2.sim.driver.registers_json import driver_errors
from mnv2.sim.rtl.toolchain import find_tool
from tests.sim.driver.programs import CONFIGS, made_program, pictures_of, write_program

NAME = "far"
ADDRESS = 0x2_4000_0800  # not of a page: the driver cuts what is before it off
BYTES = 1 << 20


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The executable."""
    folder = tmp_path_factory.mktemp("linux")
    write_program(NAME, folder)
    (folder / "mnv2_registers.h").write_bytes(driver_files()["mnv2_registers.h"])
    sources = [DRIVER / f"{name}.c" for name in ("mnv2", "mnv2_format", "mnv2_linux")]
    command = [find_tool("cc").path, *STRICT, "-fsanitize=address,undefined", f"-I{folder}"]
    command += [f"-I{DRIVER}", __file__.replace("test_linux.py", "c_linux.c"), *sources]
    subprocess.run([*map(str, command), "-o", folder / "linux"], check=True)
    return folder / "linux"


class Board:
    """Files as Linux shows an accelerator and a buffer."""

    def __init__(self, folder, program):
        self.program, self.uio, self.buffer = program, folder / "uio0", folder / "udmabuf0"
        self.folder = folder / "u-dma-buf"
        self.folder.mkdir()
        self.registers = {
            ADDRESSES[name]: value for name, value in constant_registers(CONFIGS[NAME]).items()
        }
        self.write_registers()
        self.buffer.write_bytes(bytes(BYTES))
        for name, text in (
            ("phys_addr", f"0x{ADDRESS:016x}\n"),
            ("size", f"{BYTES}\n"),
            ("sync_for_cpu", ""),
            ("sync_for_device", ""),
        ):
            (self.folder / name).write_text(text)

    def write_registers(self):
        words = [self.registers.get(4 * k, 0) for k in range(1 << REGISTER_ADDRESS_BITS - 2)]
        self.uio.write_bytes(struct.pack(f"<{len(words)}I", *words))

    def register(self, name):
        return struct.unpack_from("<I", self.uio.read_bytes(), ADDRESSES[name])[0]

    def command(self, *steps):
        return [str(word) for word in (self.program, self.uio, self.buffer, self.folder, *steps)]

    def run(self, *steps):
        """Error of each step."""
        done = subprocess.run(
            self.command(*steps), capture_output=True, text=True, check=True, timeout=60
        )
        assert not done.stderr
        names = [line.split() for line in done.stdout.splitlines()]
        assert [name for name, _ in names] == list(steps)
        return [error for _, error in names]


@pytest.fixture
def board(tmp_path, program):
    return Board(tmp_path, program)


def test_a_program_is_loaded(board):
    """Registers and memory are mapped in their places, and caches are told."""
    # A file does not clear a bit to which 1 is written: ERRORS says that the start was too early.
    errors = board.run("open", "probe", "load", "start")
    assert errors == ["OK", "OK", "OK", "BUSY"]
    _, made = made_program(NAME)
    first = -ADDRESS % 4096
    data = board.buffer.read_bytes()
    assert data[first : first + 4] == made.image[:4].tobytes()
    assert 42 in data[first + 4 :]
    assert not any(data[:first])
    base = board.register("BASE_HIGH") << 32 | board.register("BASE_LOW")
    assert base == ADDRESS + first
    assert board.register("PROGRAM_RECORDS") == made.records
    assert board.register("FRAMES") == 3
    assert board.register("START") == 1
    picture = board.register("PICTURE_HIGH") << 32 | board.register("PICTURE_LOW")
    assert picture == base + -(-made.memory_bytes // 4096) * 4096
    # Offset and size of the part that was written, and the bit that asks for it.
    told = int((board.folder / "sync_for_device").read_text(), 16)
    assert told >> 32 == first
    assert told & 1
    assert 0 <= (told & 0xFFFFFFF0) - data[first:].rindex(42) - 1 < 16


def test_another_process_has_it(board):
    """Until it ends."""
    holder = subprocess.Popen(
        board.command("open", "hold"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "open OK\n"
        assert board.run("open") == ["IN_USE"]
        holder.communicate("\n")
    assert board.run("open", "probe") == ["OK", "OK"]
    assert board.run("open", "close", "open") == ["OK", "OK", "OK"]


@pytest.mark.parametrize("missing", ["uio", "buffer", "phys_addr", "size", "sync_for_cpu"])
def test_a_file_is_missing(board, missing):
    paths = {"uio": board.uio, "buffer": board.buffer}
    paths.get(missing, board.folder / missing).unlink()
    assert board.run("open") == ["CANNOT_OPEN"]


def test_nonsense_in_sysfs(board):
    (board.folder / "size").write_text("much\n")
    assert board.run("open") == ["CANNOT_OPEN"]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("ID", 0, "NOT_FOUND"),
        ("ID", 0xFFFFFFFF, "NOT_FOUND"),
        ("VERSION", 0x2_0000, "OTHER_VERSION"),
        ("VERSION", 0x1_0007, "OK"),
    ],
)
def test_who_is_there(board, name, value, error):
    board.registers[ADDRESSES[name]] = value
    board.write_registers()
    assert board.run("open", "probe")[1] == error


def test_another_configuration(board):
    board.registers[ADDRESSES["CONFIGURATION_HASH"]] += 1
    board.write_registers()
    assert board.run("open", "probe", "load")[2] == "OTHER_CONFIGURATION"


def test_memory_is_too_small(board):
    (board.folder / "size").write_text("8192\n")
    assert board.run("open", "probe", "load")[2] == "MEMORY_TOO_SMALL"


def test_a_program_that_does_not_end(board):
    """The time is up. What the kernel would take as a request for interrupts goes into the file."""
    assert board.run("open", "probe", "load") == 3 * ["OK"]
    board.registers[ADDRESSES["STATUS"]] = Status.RUNNING.value
    board.write_registers()
    assert board.run("open", "probe", "wait", "load")[2:] == ["TIME_OUT", "BUSY"]


def test_the_test_of_a_board(board, tmp_path):
    """It compiles next to a program, finds what is there, and says why it does not run."""
    _, made = made_program(NAME)
    config = CONFIGS[NAME]
    picture = pictures_of(NAME, 1)[0]
    tensors = [made_program(NAME)[0].integer.run(one) for one in picture]
    for name, content in (driver_files() | vector_files(picture, tensors, config)).items():
        (tmp_path / name).write_bytes(content)
    write_program(NAME, tmp_path)
    sources = [f"mnv2{part}.c" for part in ("", "_format", "_linux", "_selftest")]
    command = [str(find_tool("cc").path), *STRICT, "-fsanitize=undefined", *sources]
    subprocess.run([*command, "-o", "selftest"], cwd=tmp_path, check=True)
    options = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
    paths = [board.uio, board.buffer, board.folder]
    done = subprocess.run([tmp_path / "selftest", *paths], **options)
    assert done.returncode == 1
    assert done.stderr == f"run: {driver_errors((DRIVER / 'mnv2.h').read_text())['BUSY']}\n"
    # The picture is where the registers say that it is.
    place = (board.register("PICTURE_HIGH") << 32 | board.register("PICTURE_LOW")) - ADDRESS
    slot = board.buffer.read_bytes()[place : place + made.picture_bytes]
    assert slot == (tmp_path / "picture.bin").read_bytes()
    board.uio.unlink()
    done = subprocess.run([tmp_path / "selftest", *paths], **options)
    assert (done.returncode, done.stderr.split(":")[0]) == (1, "open")
    (tmp_path / "pixels.bin").write_bytes(b"")
    done = subprocess.run([tmp_path / "selftest", *paths], **options)
    assert (done.returncode, done.stderr.split(":")[0]) == (1, "pixels.bin")
    assert subprocess.run([tmp_path / "selftest"], **options).returncode == 2
