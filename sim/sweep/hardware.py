"""The best formats of a sweep on the accelerator's RTL, bit for bit."""

import dataclasses
from pathlib import Path
from typing import Any

from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantize import quantize_image
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.identity import code_hash
from mnv2.sim.jobs.journal import Journal
from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.pictures.images import normalize
from mnv2.sim.sweep.evaluate import Failure, make_model
from mnv2.sim.sweep.grid import Point
from mnv2.sim.sweep.hardware_format import HARDWARE_BITS, hardware_lacks
from mnv2.sim.sweep.sweep_records import SweepResults, best_points

__all__ = [
    "HardwareRun",
    "hardware_configuration",
    "run_best_points",
]


@dataclasses.dataclass(frozen=True)
class HardwareRun:
    """The result of a format on the accelerator.

    Attributes
    ----------
    point : str
        Name of the format.
    weight_bits, activation_bits : int or None
        Lanes that the accelerator was built with; None if it was not.
    cycles, dram_bytes : int or None
        Cycles and bytes of the frame, measured in RTL.
    golden_class, rtl_class : str or None
        The first class of the integer model and of the hardware.
    exact : bool
        Whether every block's output and every logit equal the integer model's.
    reason : str or None
        The reason why not, or why it was not run.
    """

    point: str
    weight_bits: int | None = None
    activation_bits: int | None = None
    cycles: int | None = None
    dram_bytes: int | None = None
    golden_class: str | None = None
    rtl_class: str | None = None
    exact: bool = False
    reason: str | None = None

    @property
    def passed_over(self) -> bool:
        """Whether the accelerator has no such format."""
        return self.weight_bits is None


def hardware_configuration(model: QuantizedModel, config: AcceleratorConfig) -> AcceleratorConfig:
    """The accelerator with lanes as wide as the widest layer of an integer model.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    mnv2.hw.config.AcceleratorConfig
    """
    weights = max(layer.weight_bits for layer in model.layers)
    activations = max(model.input_bits, *(layer.activation_bits for layer in model.layers))
    # Weights of 2 and 3 bits are weights of 4 bits too.
    return dataclasses.replace(
        config,
        weight_bits=max(HARDWARE_BITS[0], weights),
        activation_bits=max(HARDWARE_BITS[0], activations),
    )


def run_best_points(
    results: SweepResults,
    count: int,
    folder: Path,
    *,
    config: AcceleratorConfig,
    memory: Any,
    asserts: bool = False,
    progress: FrameProgress | None = None,
) -> list[HardwareRun]:
    """Run the best formats that the accelerator has on the first picture.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults
    count : int
    folder : Path
        Folder of the journal, which keeps each run; runs in it of the same RTL are not made again.
    config : mnv2.hw.config.AcceleratorConfig
        Its lanes are replaced by the format's.
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    asserts : bool
        Check the hardware's assertions, which takes more time.
    progress : FrameProgress, optional

    Returns
    -------
    list of HardwareRun
        The best first, with those passed over.
    """
    # The RTL decides a run, and no other figure of a sweep.
    code = code_hash(__name__)
    runs, left = [], count
    with Journal.resume(folder, results.prepared.configuration) as journal:
        known = {
            (entry["hardware"], entry["accelerator"]): entry["run"]
            for entry in journal.entries
            if "hardware" in entry and entry["code"] == code
        }
        for point in best_points(results, len(results.figures)):
            if not left:
                break
            lacks = hardware_lacks(point)
            if lacks:
                runs.append(
                    HardwareRun(point.name, reason=f"the accelerator has no such format: {lacks}")
                )
                continue
            left -= 1
            accelerator = repr((config, memory))
            if (point.key, accelerator) in known:
                runs.append(HardwareRun(**known[point.key, accelerator]))
                continue
            runs.append(_run(results, point, config, memory, asserts, progress))
            journal.append(
                {
                    "hardware": point.key,
                    "accelerator": accelerator,
                    "run": dataclasses.asdict(runs[-1]),
                    "code": code,
                }
            )
    return runs


def _run(
    results: SweepResults,
    point: Point,
    config: AcceleratorConfig,
    memory: Any,
    asserts: bool,
    progress: Any,
) -> HardwareRun:
    """HardwareRun of one format."""
    from mnv2.sim.rtl.check import Mismatch
    from mnv2.sim.rtl.run_network import run_network

    workload = results.prepared.workload
    model = make_model(workload, point)
    if isinstance(model, Failure):
        raise UserError(f"The format {point.name} cannot be made: {model.reason}")
    config = hardware_configuration(model, config)
    lanes: dict[str, Any] = {
        "weight_bits": config.weight_bits,
        "activation_bits": config.activation_bits,
    }
    picture = normalize(results.prepared.pictures.pixels[0], workload.model.input_normalization)
    tensors = model.run(quantize_image(picture, model))
    names = results.prepared.names
    golden = names.name(int(model.logits(tensors).argmax()))
    if progress:
        progress.name_run(point.name)
        progress.starting(program_steps(model.network, config))
    try:
        run = run_network(
            model,
            config.frames * [tensors],
            config=config,
            memory=memory,
            asserts=asserts,
            progress=progress,
        )
    except (Mismatch, SimulationError) as error:
        return HardwareRun(
            point.name, **lanes, golden_class=golden, reason=" ".join(str(error).split())
        )
    logits = model.logits({"logits_accumulator": run.accumulators})
    return HardwareRun(
        point.name,
        **lanes,
        cycles=run.cycles,
        dram_bytes=run.read_bytes + run.write_bytes,
        golden_class=golden,
        rtl_class=names.name(int(logits.argmax())),
        exact=True,
    )
