"""Time per image of the integer model and of LiteRT's XNNPACK, one thread each, interleaved.

`scripts/benchmark` sets the threads of BLAS to one before Python starts. A round measures both, one
after the other, so that both see the same machine; other work on it lengthens single rounds, which
is why the least is given next to the median.
"""

import statistics
import time
from dataclasses import dataclass

import numpy as np

from mnv2.golden.exporters.tflite import export_model
from mnv2.sim.errors import UserError

#: What XNNPACK's rounding may differ by in a layer; here only a sign that both ran one network.
_LEAST_CORRELATION = 0.9


__all__ = ["Timing", "measure", "report"]


@dataclass(frozen=True)
class Timing:
    """Seconds per image of each round.

    Attributes
    ----------
    golden_wall, golden_processor : tuple of float
        Of the integer model in batches: wall clock, and processor time of this process.
    xnnpack_wall, xnnpack_processor : tuple of float
        Of XNNPACK, image by image.
    single : tuple of float
        Wall clock of the integer model on one image, with every tensor kept.
    """

    golden_wall: tuple[float, ...]
    golden_processor: tuple[float, ...]
    xnnpack_wall: tuple[float, ...]
    xnnpack_processor: tuple[float, ...]
    single: tuple[float, ...]


def _timed(run, images):
    wall, processor = time.perf_counter(), time.process_time()
    result = run()
    return (
        result,
        (time.perf_counter() - wall) / images,
        (time.process_time() - processor) / images,
    )


def measure(model, batch, rounds, rng):
    """Run both on the same random images.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
        One that can be exported.
    batch : int
        Images at a time, and images of a round.
    rounds : int
    rng : numpy.random.Generator

    Returns
    -------
    Timing

    Raises
    ------
    UserError
        If LiteRT is not installed, or the two do not run the same network.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise UserError("The benchmark needs LiteRT: pip install 'mnv2[test]'") from None
    images = rng.integers(-128, 128, (batch, *model.network.input_shape), dtype=np.int8)
    interpreter = Interpreter(model_content=export_model(model), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run_xnnpack():
        outputs = []
        for image in images:
            interpreter.set_tensor(source, image[None])
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(target))
        return np.concatenate(outputs)

    def run_golden():
        return model.run_batch(images, keep=["classifier"])["classifier"]

    ours, theirs = (run().reshape(-1).astype(float) for run in (run_golden, run_xnnpack))
    if np.corrcoef(ours, theirs)[0, 1] < _LEAST_CORRELATION:
        raise UserError("LiteRT's logits must resemble the integer model's to be timed with it")
    golden, xnnpack, single = [], [], []
    for _ in range(rounds):
        xnnpack.append(_timed(run_xnnpack, batch)[1:])
        golden.append(_timed(run_golden, batch)[1:])
        single.append(_timed(lambda: model.run(images[0]), 1)[1])
    golden_wall, golden_processor = zip(*golden, strict=True)
    xnnpack_wall, xnnpack_processor = zip(*xnnpack, strict=True)
    return Timing(golden_wall, golden_processor, xnnpack_wall, xnnpack_processor, tuple(single))


def report(timing: Timing, batch: int) -> list[str]:
    """Lines of the report."""
    lines = [f"{'ms per image, one thread':34}{'least':>9}{'median':>9}"]

    def line(name, values):
        least, median = 1e3 * min(values), 1e3 * statistics.median(values)
        lines.append(f"{name:34}{least:9.2f}{median:9.2f}")
        return least, median

    for clock in ("wall", "processor"):
        ours = line(f"golden, batch of {batch}, {clock}", getattr(timing, f"golden_{clock}"))
        theirs = line(f"LiteRT XNNPACK, {clock}", getattr(timing, f"xnnpack_{clock}"))
        lines.append(
            f"{f'golden / XNNPACK, {clock}':34}{ours[0] / theirs[0]:9.2f}{ours[1] / theirs[1]:9.2f}"
        )
    line("golden, one image, every tensor", timing.single)
    return lines
