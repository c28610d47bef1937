"""A simulated SoC runs a network: CPU, DRAM controller and accelerator, by the driver in C."""

import shutil
import subprocess
from dataclasses import replace

import pytest

import mnv2.sim.system.firmware as firmware
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.networks.open import RunnableModel
from mnv2.sim.system.run import count_mismatches, make_machine
from mnv2.sim.system.soc import bank_files, make_soc
from tests.sim.driver.programs import made_program, pictures_of
from tests.sim.system.machines import CONFIG, NAME, PART, PICTURES, machine, needs_soc

#: The small network's two pictures take 0.7 million cycles, most of them to pack.
CYCLES = 4_000_000

pytestmark = needs_soc


def golden():
    return made_program(NAME)[0].integer


def test_classes_come_out_on_the_uart():
    """Every logit is golden's; the picture that follows finds nothing of the one before."""
    run = machine().run(cycles=CYCLES)
    assert run.error is None
    assert len(run.turns) == PICTURES
    assert count_mismatches(run, machine(), golden()) == 0
    for turn in run.turns:
        (best,) = turn.logits.argmax(axis=1)
        assert turn.classes == (f"class {best}",)
        assert 0 < turn.running_cycles < turn.packing_cycles
    # Each turn's end was told by an interrupt, through LiteX's event manager.
    assert run.interrupts == PICTURES
    assert sum(t.packing_cycles + t.running_cycles for t in run.turns) < run.cycles < CYCLES
    assert "class " in run.text


def test_the_accelerator_says_who_it_is_for():
    """A program of another accelerator ends in the driver's sentence, on the UART."""
    other = dict(machine().program)
    header = other["mnv2_program.h"].decode()
    (line,) = (one for one in header.splitlines() if "MNV2_PROGRAM_CONFIGURATION " in one)
    other["mnv2_program.h"] = header.replace(line, line.rsplit(" ", 1)[0] + " 1u").encode()
    run = replace(machine(), program=other).run(cycles=CYCLES)
    assert run.error == "The program was made for an accelerator of another configuration."
    assert run.turns == ()


def test_another_image_in_memory():
    image = bytearray(machine().program["memory.bin"])
    image[0] ^= 1
    run = machine().run(cycles=CYCLES, image=bytes(image))
    assert run.error.startswith("The image in memory is not that of the program")


@pytest.mark.parametrize("dropped", [True, False])
def test_logits_that_the_cache_still_has(tmp_path, monkeypatch, dropped):
    """Lines that the CPU has read before are old, unless the driver's hook drops them."""
    source = copied_firmware(tmp_path, monkeypatch)
    text = source.read_text()
    run, hook = "        error = mnv2_run(device, TIME_OUT);\n", "    flush_cpu_dcache();\n"
    assert (text.count(run), text.count(hook)) == (1, 1)
    read = "((volatile uint8_t *)device->logits.memory.data)[packed]"
    text = text.replace(
        run, f"{{ for (packed = 0; packed < PROGRAM.logits_bytes; ++packed) {read};\n{run}}}\n"
    )
    source.write_text(text if dropped else text.replace(hook, ""))
    run = machine().run(cycles=CYCLES)
    assert run.error is None
    assert (count_mismatches(run, machine(), golden()) == 0) == dropped


def copied_firmware(folder, monkeypatch):
    """The firmware's source in a folder, where it may be changed."""
    for path in firmware._FOLDER.iterdir():
        if path.suffix in (".c", ".ld"):
            shutil.copy(path, folder)
    monkeypatch.setattr(firmware, "_FOLDER", folder)
    return folder / "main.c"


def test_a_firmware_that_never_ends():
    with pytest.raises(SimulationError, match="did not end within 2,000 cycles"):
        machine().run(cycles=2000)


def test_a_firmware_that_does_not_compile(tmp_path, monkeypatch):
    source = copied_firmware(tmp_path, monkeypatch)
    source.write_text(source.read_text() + "\nint wrong(void) { }\n")
    with pytest.raises(SimulationError, match="The compiler refused the firmware"):
        machine().run(cycles=CYCLES)


def test_a_memory_that_is_too_small():
    with pytest.raises(UserError, match=f"The memory {PART} has .* bytes, and program and"):
        make_soc(CONFIG, PART, 1 << 40)


def test_a_compiler_that_is_missing(monkeypatch):
    """It is said before anything is built."""
    monkeypatch.setattr(firmware, "_COMPILERS", ("no-such-compiler",))
    model, program = made_program(NAME)
    assert isinstance(model, RunnableModel)
    with pytest.raises(UserError, match="picolibc: apt-get install gcc-riscv64-unknown-elf"):
        make_machine(model, program, CONFIG, pictures_of(NAME, 1), PART)


def test_a_compiler_without_a_library(tmp_path, monkeypatch):
    """A compiler that does not know picolibc is not taken."""
    fake = tmp_path / "no-library-gcc"
    fake.write_text("#!/bin/sh\necho picolibc.specs\n")
    fake.chmod(0o755)
    assert subprocess.run([fake], capture_output=True, check=True).stdout
    monkeypatch.setattr(firmware, "_COMPILERS", (str(fake),))
    with pytest.raises(UserError, match="picolibc"):
        firmware.find_compiler()


def test_banks_hold_rows_in_turn():
    """Byte for byte what LiteDRAM's addresses mean."""
    import numpy as np

    soc = machine().soc
    image = np.random.default_rng(1).integers(0, 256, 5 * soc.row_bytes + 100, np.uint8)
    files = bank_files(soc, image)
    words = {name: text.split() for name, text in files.items()}
    for address in (0, 1, soc.row_bytes - 1, soc.row_bytes, 3 * soc.row_bytes + 77, image.size - 1):
        row, column = divmod(address, soc.row_bytes)
        turn, bank = divmod(row, len(words))
        word = turn * soc.row_bytes // soc.word_bytes + column // soc.word_bytes
        digits = words[soc.bank_files[bank]][word]
        assert bytes.fromhex(digits)[::-1][column % soc.word_bytes] == image[address]
