"""The integer model's time per image against LiteRT's XNNPACK, one thread each, interleaved.

`scripts/benchmark` sets the threads of BLAS to one before Python starts. A round measures both, one
after the other, so that both see the same machine; other work on it lengthens single rounds, which
is why the least is given beside the median.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np

from mnv2.golden.exporters.tflite import export_model
from mnv2.sim.errors import UserError
from mnv2.sim.networks.open import load_model

#: What XNNPACK's rounding may differ by in a layer; here only a sign that both ran one network.
_LEAST_CORRELATION = 0.9


@dataclass(frozen=True)
class Measurement:
    """Seconds per image of each round: wall clock, and the processor's time of this process."""

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
    Measurement

    Raises
    ------
    UserError
        Without LiteRT, or if the two do not run the same network.
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
    columns = (*zip(*golden, strict=True), *zip(*xnnpack, strict=True))
    return Measurement(*columns, tuple(single))


def report(measurement, batch):
    """The lines that are printed."""
    lines = [f"{'ms per image, one thread':34}{'least':>9}{'median':>9}"]

    def line(name, values):
        least, median = 1e3 * min(values), 1e3 * statistics.median(values)
        lines.append(f"{name:34}{least:9.2f}{median:9.2f}")
        return least, median

    for clock in ("wall", "processor"):
        ours = line(f"golden, batch of {batch}, {clock}", getattr(measurement, f"golden_{clock}"))
        theirs = line(f"LiteRT XNNPACK, {clock}", getattr(measurement, f"xnnpack_{clock}"))
        lines.append(
            f"{f'golden / XNNPACK, {clock}':34}{ours[0] / theirs[0]:9.2f}{ours[1] / theirs[1]:9.2f}"
        )
    line("golden, one image, every tensor", measurement.single)
    return lines


def main(arguments=None):
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark",
        description="The integer model's time per image against LiteRT's "
        "XNNPACK, one thread each, in one run. Example: scripts/benchmark --batch 32 --rounds 20",
    )
    parser.add_argument("--batch", type=int, default=16, help="images at a time (16)")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of both (12)")
    parser.add_argument("--seed", type=int, default=0, help="of the random images (0)")
    options = parser.parse_args(arguments)
    if options.batch < 1 or options.rounds < 1:
        parser.error("--batch and --rounds must be positive")
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        parser.error("OPENBLAS_NUM_THREADS must be 1; scripts/benchmark sets it")
    try:
        measurement = measure(
            load_model(), options.batch, options.rounds, np.random.default_rng(options.seed)
        )
    except UserError as error:
        sys.exit(f"error: {error}")
    print("\n".join(report(measurement, options.batch)))


if __name__ == "__main__":
    main()
