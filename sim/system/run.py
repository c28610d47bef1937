"""A network on the simulated SoC: what its firmware says on the UART."""

import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.sim.driver.program_files import pad_channels, program_files
from mnv2.sim.driver.program_layout import slot_bytes
from mnv2.sim.errors import SimulationError
from mnv2.sim.rtl.build import Build
from mnv2.sim.system.firmware import compile_firmware, find_compiler, rom_text
from mnv2.sim.system.soc import Soc, bank_files, build_soc, make_soc

__all__ = ["Machine", "SystemRun", "Turn", "count_mismatches", "make_machine"]

#: What the driver says when all is well.
_WELL = "All is well."


@dataclass(frozen=True)
class Turn:
    """A picture, or two abreast, by the firmware.

    Attributes
    ----------
    packing_cycles, running_cycles : int
        Of the CPU packing; from the start of the accelerator to the end of its interrupt.
    classes : tuple of str
        Of each frame.
    logits : int8 [frames, classes]
    """

    packing_cycles: int
    running_cycles: int
    classes: tuple[str, ...]
    logits: np.ndarray


@dataclass(frozen=True)
class SystemRun:
    """Results of a run of the SoC.

    Attributes
    ----------
    turns : tuple of Turn
    interrupts : int
        That the CPU took.
    error : str
        The driver's sentence; None if all is well.
    cycles : int
        From the CPU's first instruction to its last character.
    seconds : float
        Of the simulation.
    text : str
        All that the UART sent.
    """

    turns: tuple[Turn, ...]
    interrupts: int
    error: str | None
    cycles: int
    seconds: float
    text: str


@dataclass(frozen=True)
class Machine:
    """A SoC that is built, and the memory of a network and its pictures.

    Attributes
    ----------
    soc : mnv2.sim.system.soc.Soc
    build : mnv2.sim.rtl.build.Build
    program : dict of str to bytes
        Files of the program.
    pictures : sequence of sequence of int8 [H, W, C]
        For each turn one for each frame abreast.
    pixels_offset : int
        Where the pictures lie in memory.
    """

    soc: Soc
    build: Build
    program: dict[str, bytes]
    pictures: list
    pixels_offset: int

    def run(self, *, cycles: int, timeout: float = 600, image: bytes | None = None) -> SystemRun:
        """Power up, and run until the firmware has ended.

        Parameters
        ----------
        cycles : int
            After which it must have ended.
        timeout : float
            Seconds.
        image : bytes, optional
            Lies in memory in place of the program's.

        Returns
        -------
        SystemRun

        Raises
        ------
        UserError
            If there is no compiler for the CPU.
        SimulationError
            If the compiler refuses the firmware, or the simulation does not end.
        """
        turns = [np.stack([pad_channels(one) for one in turn]) for turn in self.pictures]
        constants = {
            "SYSTEM_PIXELS_OFFSET": self.pixels_offset,
            "SYSTEM_TURNS": len(turns),
            "SYSTEM_TURN_BYTES": turns[0].size,
            "SYSTEM_TIME_OUT_CYCLES": min(cycles, 2**32 - 1),
        }
        with tempfile.TemporaryDirectory(prefix="mnv2-") as name:
            folder = Path(name)
            rom = compile_firmware(self.soc, self.program, constants, folder)
            memory = self._memory(turns, self.program["memory.bin"] if image is None else image)
            contents = {
                **dict.fromkeys(self.soc.memory_files, ""),
                **bank_files(self.soc, memory),
                self.soc.rom_file: rom_text(rom),
            }
            for file, text in contents.items():
                (folder / file).write_text(text)
            begin = time.monotonic()
            text = _simulate(self.build, folder, cycles, timeout)
            seconds = time.monotonic() - begin
        return _understand(text, seconds)

    def _memory(self, turns, image):
        pixels = np.stack(turns).astype(np.int8).tobytes()
        memory = np.zeros(self.pixels_offset + len(pixels), np.uint8)
        memory[: len(image)] = np.frombuffer(image, np.uint8)
        memory[self.pixels_offset :] = np.frombuffer(pixels, np.uint8)
        return memory


def make_machine(model, program, config, pictures, part, *, fast=False, building=None) -> Machine:
    """Build the SoC of an accelerator for a network and its pictures.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    program : mnv2.sim.mapping.network_program.NetworkProgram
        Of the model.
    config : mnv2.hw.config.AcceleratorConfig
    pictures : sequence of sequence of int8 [H, W, C]
        For each turn one for each frame abreast.
    part : str
        Of the memory, one that `mnv2.sim.dram.chips` has.
    fast, building
        See `mnv2.sim.rtl.build.build_simulation`.

    Returns
    -------
    Machine

    Raises
    ------
    UserError
        If a package or a tool is missing, or the memory has too few bytes.
    SimulationError
        If LiteX or Verilator fails.
    """
    find_compiler()
    offset = sum(
        slot_bytes(size)
        for size in (program.memory_bytes, program.picture_bytes, program.logits_bytes)
    )
    size = offset + sum(pad_channels(one).size for turn in pictures for one in turn)
    soc = make_soc(config, part, size)
    return Machine(
        soc=soc,
        build=build_soc(soc, fast=fast, building=building),
        program=program_files(model, program, config),
        pictures=list(pictures),
        pixels_offset=offset,
    )


def _simulate(build, folder, cycles, timeout):
    """Run the simulation: all that the UART sent, and the line of the bench."""
    command = [str(build.directory / build.top), f"+cycles={cycles}"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(f"The SoC did not end within {timeout} seconds") from None
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise SimulationError(f"The SoC did not end within {cycles:,} cycles; it said:\n{last}")
    return done.stdout


def _understand(text, seconds):
    """Read the lines of ``main.c``."""

    def numbers(name):
        return [int(digits, 16) for digits in re.findall(rf"^{name} 0x(\w+)$", text, re.MULTILINE)]

    packing, running = numbers("packing"), numbers("running")
    classes = re.findall(r"^class (.*)$", text, re.MULTILINE)
    logits = [
        np.frombuffer(bytes.fromhex(digits), np.int8)
        for digits in re.findall(r"^logits (\w+)$", text, re.MULTILINE)
    ]
    frames = len(classes) // max(len(running), 1)
    (interrupts,) = numbers("interrupts")
    (sentence,) = re.findall(r"^interrupts .*\n(.*)$", text, re.MULTILINE)
    (cycles,) = re.findall(r"^cycles (\d+)$", text, re.MULTILINE)
    return SystemRun(
        turns=tuple(
            Turn(
                packing_cycles=packing[k],
                running_cycles=running[k],
                classes=tuple(classes[k * frames : (k + 1) * frames]),
                logits=np.stack(logits[k * frames : (k + 1) * frames]),
            )
            for k in range(len(running))
        ),
        interrupts=interrupts,
        error=None if sentence == _WELL else sentence,
        cycles=int(cycles),
        seconds=seconds,
        text=text,
    )


def count_mismatches(run: SystemRun, machine: Machine, network) -> int:
    """Logits of a run that differ from golden's.

    Parameters
    ----------
    run : SystemRun
    machine : Machine
        That was run.
    network : mnv2.golden.model.Model
        Gives the right logits.
    """
    expected = [
        np.stack([network.run(picture)["classifier"].reshape(-1) for picture in turn])
        for turn in machine.pictures
    ]
    return sum(
        int(np.count_nonzero(turn.logits != right))
        for turn, right in zip(run.turns, expected, strict=True)
    )
