"""`mnv2 lab gpu`: a GPU held to golden, and timed."""

from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.errors import UserError

__all__ = ["gpu"]


def gpu(
    device: Annotated[
        str,
        typer.Option(metavar="cuda|cuda:N|cpu:0", help="The GPU; cpu:0 is PyTorch's plain form."),
    ] = "cuda",
    budget: Annotated[
        float,
        typer.Option(min=10, metavar="SECONDS", help="Time, about; later checks are left out."),
    ] = 210,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Weights and pictures that --pack wrote. Default: the bundled ones, or random "
            "ones where they are not installed.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="File that gets all results.")
    ] = None,
    pictures: Annotated[
        int, typer.Option(min=1, metavar="N", help="Pictures of a timed round.")
    ] = 8192,
    pack: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Measure nothing: write the bundled weights and photographs into a folder, for a "
            "machine that has neither.",
        ),
    ] = None,
):
    """Hold the integer model on a GPU to golden, and time it.

    Every tensor of formats of every kind is compared, element by element. Then pictures a second,
    from pixels to logits, at several batch sizes, the slowest kernels, and the parts of a sweep's
    time, with the minutes that 195 formats on 50,000 pictures would take, computed from them. A
    check that fails is reported and the next one runs. Needs PyTorch and Triton.

    Examples:

    - mnv2 lab gpu --output gpu.json

    - mnv2 lab gpu --pack material
    """
    from mnv2.sim.gpu.material import pack_material
    from mnv2.sim.gpu.measure import GpuRequest, measure_gpu

    if pack is not None:
        pack_material(pack)
        return
    from mnv2.golden.gpu.device import DeviceError

    request = GpuRequest(device, budget, data, output, pictures=pictures)
    try:
        failures = measure_gpu(request, lambda line: print(line, flush=True))
    except DeviceError as error:
        raise UserError(str(error)) from None
    if failures:
        raise UserError(f"{len(failures)} of the checks failed: {failures[0]}")
