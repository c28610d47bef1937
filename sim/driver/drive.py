"""Pictures through the RTL by the driver in C, and what it gives compared with golden."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.sim.driver.bench import Step, build_bench, compile_host, run_host
from mnv2.sim.driver.program_files import pad_channels, program_files
from mnv2.sim.driver.program_layout import slot_bytes
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.rtl.abreast import to_pack

__all__ = ["FAULTS", "DriveReport", "DrivenBench", "PictureResult", "drive"]

#: Steps of the host that go wrong, and the error of the driver that each has to end in.
FAULTS = {
    "bus_error=0": "BUS",
    "bus_error=900": "BUS",
    "image_outside": "BUS",
    "silence=0": "TIME_OUT",
    "silence=700": "TIME_OUT",
    "bad_descriptor=1": "DESCRIPTOR",
    "bad_descriptor=3": "DESCRIPTOR",
    "other_image_in_memory": "OTHER_IMAGE",
    "other_image": "OTHER_IMAGE",
    "other_configuration": "OTHER_CONFIGURATION",
    "odd_address=64": "NOT_ALIGNED",
    "odd_address=2048": "NOT_ALIGNED",
    "odd_base=128": "NOT_ALIGNED",
    "other_size": "PICTURE_SIZE",
    "busy=0": "BUSY",
    "time_is_up=300": "TIME_OUT",
    "aborted=0": "ABORTED",
    "aborted=40": "ABORTED",
    "aborted=1500": "ABORTED",
    "aborted=5000": "ABORTED",
    "elsewhere=4": "NOT_FOUND",
    "elsewhere=0x1000": "NO_ANSWER",
}

#: Pages before the program, and slots of the rings, as ``host.c`` has them.
_PAGES, _PICTURE_SLOTS, _LOGITS_SLOTS = 5, 2, 3
_PAGE_BYTES = 4096


@dataclass(frozen=True)
class PictureResult:
    """How the picture of a turn fared.

    Attributes
    ----------
    compared, mismatches : int
        Bytes of the packed picture, logits and accumulators of all frames; how many differ.
    logits : int8 [frames, classes]
        As the driver read them.
    """

    compared: int
    mismatches: int
    logits: np.ndarray


@dataclass(frozen=True)
class DriveReport:
    """Pictures of all turns, one by one and as a stream, and faults.

    Attributes
    ----------
    turns : tuple of Step
        One for each picture.
    results : tuple of PictureResult
        Of the same.
    seconds : float
        From the start of the bench to the end of the last turn.
    stream : Step or None
        All of them from a ring; None if there is only one.
    faults : tuple of (Step, Step)
        Each fault, and the picture that followed it.
    mismatches : int
        Elements that differ from golden, in all of this.
    wrong : tuple of str
        Steps that had another error than the right one, or none.
    """

    turns: tuple[Step, ...]
    results: tuple[PictureResult, ...]
    seconds: float
    stream: Step | None
    faults: tuple[tuple[Step, Step], ...]
    mismatches: int
    wrong: tuple[str, ...]


class DrivenBench:
    """A bench with the host compiled for a program, and the pictures that it may run.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    program : mnv2.sim.mapping.network_program.NetworkProgram
        Of the model.
    config : mnv2.hw.config.AcceleratorConfig
    pictures : sequence of sequence of int8 [H, W, C]
        For each turn one for each frame abreast.
    folder : Path
        Gets the files of the program, the pictures, the host, and what it writes.
    options : sequence of str
        Further options of the C compiler, such as sanitizers.
    asserts, fast, building
        See `mnv2.sim.rtl.build.build_simulation`.

    Raises
    ------
    UserError
        If a tool is missing.
    SimulationError
        If the bench or the host cannot be built.
    """

    def __init__(
        self,
        model,
        program,
        config,
        pictures,
        folder: Path,
        *,
        options=(),
        asserts=False,
        fast=False,
        building=None,
    ) -> None:
        self.model, self.program, self.config = model, program, config
        self.pictures, self.folder = pictures, Path(folder)
        for name, content in program_files(model, program, config).items():
            (self.folder / name).write_bytes(content)
        for number, picture in enumerate(pictures):
            pixels = np.stack([pad_channels(one) for one in picture]).astype(np.int8)
            pixels.tofile(self.folder / f"pictures{number}.bin")
        self.build = build_bench(
            config,
            memory_bytes=self._memory_bytes(),
            asserts=asserts,
            fast=fast,
            building=building,
        )
        compile_host(self.build, self.folder, self.folder / "host", options=options)
        #: Seconds that the last call of `run` took.
        self.seconds = 0.0

    def run(self, steps, memory, *, timeout=600) -> list[Step]:
        """Power up, and run steps of the host.

        Parameters
        ----------
        steps : sequence of str
            See ``host.c``.
        memory : mnv2.sim.rtl.memory_model.MemoryModel
        timeout : float
            Seconds.

        Returns
        -------
        list of Step

        Raises
        ------
        SimulationError
            If the host ends before its last step, or does not end.
        """
        self.clear()
        begin = time.monotonic()
        made = run_host(
            self.folder / "host", self.folder, steps, plusargs=memory.plusargs(), timeout=timeout
        )
        self.seconds = time.monotonic() - begin
        return made

    def clear(self) -> None:
        """Remove what steps wrote."""
        for kind in ("slot", "logits", "counters"):
            for path in self.folder.glob(f"{kind}*.bin"):
                path.unlink()

    def compare(self, number) -> PictureResult:
        """Compare what the driver made of a picture with the mapping's packing and with golden.

        Parameters
        ----------
        number : int
            Of the picture, whose step has ended well.

        Returns
        -------
        PictureResult
        """
        picture = self.pictures[number]
        tensors = [self.model.integer.run(one) for one in picture]
        logits = np.stack([one["classifier"].reshape(-1) for one in tensors])
        accumulators = np.stack([one["logits_accumulator"].reshape(-1) for one in tensors])
        slot = pack_image(to_pack(picture, self.config), self.config)
        expected = [slot, logits.reshape(-1), accumulators.reshape(-1).astype("<i4")]
        made = (self.folder / f"logits{number}.bin").read_bytes()
        found = [
            np.fromfile(self.folder / f"slot{number}.bin", np.uint8),
            np.frombuffer(made, np.int8, logits.size),
            np.frombuffer(made, "<i4", logits.size, logits.size),
        ]
        return PictureResult(
            compared=sum(part.size for part in expected),
            mismatches=sum(
                int(np.count_nonzero(part != other))
                for part, other in zip(expected, found, strict=True)
            ),
            logits=found[1].reshape(logits.shape),
        )

    def _memory_bytes(self):
        """Memory that the host needs, see ``main`` in ``host.c``."""
        program = self.program
        return (
            _PAGES * _PAGE_BYTES
            + slot_bytes(program.memory_bytes)
            + _PICTURE_SLOTS * slot_bytes(program.picture_bytes)
            + _LOGITS_SLOTS * slot_bytes(program.logits_bytes)
        )


def drive(bench, memory, *, faults=False, telling=lambda text: None) -> DriveReport:
    """Run all pictures one by one and as a stream, and if wanted meet faults.

    Parameters
    ----------
    bench : DrivenBench
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    faults : bool
        Meet `FAULTS`, each followed by the first picture.
    telling : function of str
        Called with what is done next, in words.

    Returns
    -------
    DriveReport

    Raises
    ------
    SimulationError
        If the host ends before its last step.
    """
    begin, numbers = ["probe", "load"], range(len(bench.pictures))
    telling(f"Running {len(numbers)} turns")
    turns = bench.run([*begin, *(f"picture={number}" for number in numbers)], memory)
    results, seconds = [bench.compare(number) for number in numbers], bench.seconds
    compared, steps, stream, met = [*results], [*turns], None, []
    if len(numbers) > 1:
        telling(f"Running a stream of {len(numbers)} turns")
        streamed = bench.run([*begin, f"stream={len(numbers)}"], memory)
        stream = streamed[-1]
        steps += streamed
        compared += [bench.compare(number) for number in numbers]
    if faults:
        telling("Meeting faults")
        names = [name for fault in FAULTS for name in (fault, "picture=0")]
        met = bench.run([*begin, *names], memory)
        compared.append(bench.compare(0))
    right = [*(("OK",) * len(steps)), *(FAULTS.get(step.name, "OK") for step in met)]
    return DriveReport(
        turns=tuple(turns[2:]),
        results=tuple(results),
        seconds=seconds,
        stream=stream,
        faults=tuple(zip(met[2::2], met[3::2], strict=True)),
        mismatches=sum(result.mismatches for result in compared),
        wrong=tuple(
            step.name
            for step, error in zip([*steps, *met], right, strict=True)
            if step.error != error
        ),
    )
