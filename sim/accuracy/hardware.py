"""Pictures of a set on the accelerator's RTL, drawn at random, every element held to golden."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.accuracy.judge import AccuracyResults, PreparedAccuracy
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.identity import code_hash
from mnv2.sim.jobs.journal import Journal
from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.networks.inputs import pixels_input
from mnv2.sim.pictures.images import load_image

__all__ = ["PictureRun", "check_hardware", "draw_pictures", "run_pictures"]


@dataclasses.dataclass(frozen=True)
class PictureRun:
    """The result of a picture on the accelerator.

    Attributes
    ----------
    picture : str
        Name of the picture.
    golden_class : str
        The first class of the integer model.
    rtl_class : str or None
        That of the hardware; None if the run failed.
    cycles, dram_bytes : int or None
        Cycles and bytes, measured in RTL, of all frames that were computed abreast with it.
    exact : bool
        Whether every block's output and every logit equal the integer model's.
    reason : str or None
        The reason why not.
    """

    picture: str
    golden_class: str
    rtl_class: str | None = None
    cycles: int | None = None
    dram_bytes: int | None = None
    exact: bool = False
    reason: str | None = None


def check_hardware(prepared: PreparedAccuracy, config: AcceleratorConfig) -> None:
    """Refuse a network that the accelerator cannot run, before pictures are judged.

    Raises
    ------
    UserError
    """
    from mnv2.sim.rtl.check import check_formats
    from mnv2.sim.rtl.layer_result import require_counters

    if prepared.judged.model is None:
        raise UserError(
            f"The network {prepared.name} is not of the MobileNetV2 family, which alone runs in "
            "RTL: leave out --rtl"
        )
    require_counters(config)
    check_formats(prepared.judged.model.integer, config)


def draw_pictures(results: AccuracyResults, count: int) -> list[int]:
    """Places of the rows of at most ``count`` pictures, drawn at random, always the same, in order.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults
    count : int

    Returns
    -------
    list of int
    """
    rng = np.random.default_rng(results.prepared.request.seed)
    return sorted(rng.permutation(len(results.rows))[:count].tolist())


def run_pictures(
    results: AccuracyResults,
    count: int,
    folder: Path,
    *,
    config: AcceleratorConfig,
    memory: Any,
    asserts: bool = False,
    progress: FrameProgress | None = None,
) -> list[PictureRun]:
    """Run pictures in RTL, as many at a time as the accelerator computes abreast.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults
    count : int
    folder : Path
        Folder of the journal, which keeps each run; runs in it of the same RTL are not made again.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    asserts : bool
        Check the hardware's assertions, which takes more time.
    progress : FrameProgress, optional

    Returns
    -------
    list of PictureRun
        In the order of the set.

    Raises
    ------
    UserError
        If the network does not fit the accelerator, or a tool is missing.
    """
    code, accelerator = code_hash(__name__), repr((config, memory))
    chosen = [results.rows[place] for place in draw_pictures(results, count)]
    with Journal.resume(folder, results.prepared.configuration) as journal:
        known = {
            entry["rtl"]: PictureRun(**entry["run"])
            for entry in journal.entries
            if "rtl" in entry and (entry["code"], entry["accelerator"]) == (code, accelerator)
        }
        todo = [row for row in chosen if row["picture"] not in known]
        for start in range(0, len(todo), config.frames):
            group = todo[start : start + config.frames]
            for run in _run(results.prepared, group, config, memory, asserts, progress):
                known[run.picture] = run
                journal.append(
                    {
                        "rtl": run.picture,
                        "accelerator": accelerator,
                        "run": dataclasses.asdict(run),
                        "code": code,
                    }
                )
    return [known[row["picture"]] for row in chosen]


def _run(
    prepared: PreparedAccuracy,
    rows: list[dict[str, Any]],
    config: AcceleratorConfig,
    memory: Any,
    asserts: bool,
    progress: Any,
) -> list[PictureRun]:
    """Run the pictures of some rows abreast."""
    from mnv2.sim.rtl.check import Mismatch
    from mnv2.sim.rtl.run_network import run_network

    model = prepared.judged.model
    assert model is not None
    files = {picture.name: picture.path for picture in prepared.image_set.pictures}
    name = prepared.classes.name
    tensors = []
    for row in rows:
        pixels = prepared.resizing.apply(load_image(files[row["picture"]]), *prepared.size)
        given = pixels_input(model, pixels, prepared.judged.normalization)
        tensors.append(model.integer.run(given.integer))
    golden = [name(int(model.logits(one).argmax())) for one in tensors]
    if progress:
        progress.name_run(rows[0]["picture"])
        progress.starting(program_steps(model.network, config))
    # Frames abreast that no picture is left for compute the last one again.
    frames = tensors + (config.frames - len(tensors)) * tensors[-1:]
    try:
        run = run_network(
            model.integer, frames, config=config, memory=memory, asserts=asserts, progress=progress
        )
    except (Mismatch, SimulationError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        return [
            PictureRun(row["picture"], one, reason=reason)
            for row, one in zip(rows, golden, strict=True)
        ]
    found = []
    for row, one, output in zip(rows, golden, run.outputs[: len(rows)], strict=True):
        logits = model.logits(
            {"classifier": output.logits, "logits_accumulator": output.accumulators}
        )
        found.append(
            PictureRun(
                row["picture"],
                one,
                name(int(logits.argmax())),
                run.cycles,
                run.read_bytes + run.write_bytes,
                exact=True,
            )
        )
    return found
