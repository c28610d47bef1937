"""A sweep from its request to figures: shared work once, then every point that is left."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.golden.float_model import FloatModel
from mnv2.golden.gpu.device import DeviceError, find_device
from mnv2.golden.quantize import Calibration
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.campaign import Campaign, open_campaign
from mnv2.sim.jobs.progress import CampaignProgress, Silence
from mnv2.sim.networks.carried_names import find_class_names
from mnv2.sim.pictures import images
from mnv2.sim.pictures.calibration_pictures import CALIBRATION_LIMIT, cut_pictures
from mnv2.sim.pictures.decode import Pictures, decode_pictures
from mnv2.sim.pictures.image_sets import ImageSet, choose_pictures, find_image_set
from mnv2.sim.pictures.photographs import calibration_photographs
from mnv2.sim.pictures.resizing import parse_resizing
from mnv2.sim.report.provenance import package_version
from mnv2.sim.sweep.calibration_cache import cached_calibration, model_hash
from mnv2.sim.sweep.evaluate import Workload, reference_accuracy
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import Point
from mnv2.sim.sweep.request import BUNDLED, SweepRequest, load_network, points_of
from mnv2.sim.sweep.sweep_records import PreparedSweep, SweepResults
from mnv2.sim.sweep.tasks import evaluate_points

__all__ = ["prepare_sweep", "run_sweep"]

#: Pictures that a GPU evaluates together, after the first chunk.
DEVICE_PICTURES = 4096


@dataclass(frozen=True, eq=False)
class _CalibrationSet:
    """Pictures to calibrate on.

    Attributes
    ----------
    pixels : uint8 [N, size, size, 3]
    hashes : list of str
        Of the content of the files that they were cut from.
    words : str
        What they are.
    """

    pixels: np.ndarray
    hashes: list[str]
    words: str


def prepare_sweep(
    request: SweepRequest,
    *,
    load_model: Callable[[SweepRequest], FloatModel] = load_network,
    threads: int | None = None,
    device: str = "cpu",
    progress: CampaignProgress | None = None,
) -> PreparedSweep:
    """Do what all points share: decode pictures, calibrate.

    Parameters
    ----------
    request : SweepRequest
    load_model : function of SweepRequest, optional
        Gives its mnv2.golden.float_model.FloatModel.
    threads : int, optional
        To decode with.
    device : str
        ``"cpu"``, or the GPU that the networks run on: ``"cuda"`` or ``"cuda:N"``.
    progress : CampaignProgress, optional

    Returns
    -------
    PreparedSweep

    Raises
    ------
    UserError
        If the model, the pictures or the device cannot be used, or a picture would be in both sets.
    """
    versions = {"numpy": package_version("numpy"), **_device_versions(device)}
    progress, threads = progress or Silence(), threads or os.cpu_count() or 1
    points = points_of(request)
    model = load_model(request).folded()
    size, classes = _image_size(model), model.network.classes
    names = find_class_names(request.model, classes, request.labels)
    image_set = choose_pictures(
        find_image_set(request.images, classes, names), request.limit, request.seed
    )
    pictures = _decode(request, image_set, size, threads, progress)
    seen = _calibration_set(request, size, threads, progress)
    _check_disjoint(seen, pictures)
    calibration = _calibrate(model, seen, points, progress)
    configuration = request.configuration(
        {
            "pictures": pictures.content_hash,
            "calibration pictures": hashlib.sha256("".join(seen.hashes).encode()).hexdigest(),
            "model": model_hash(model),
        },
        versions,
    )
    workload = Workload(model, calibration)
    return PreparedSweep(
        request,
        points,
        image_set,
        pictures,
        seen.words,
        len(seen.hashes),
        workload,
        configuration,
        device,
        names,
    )


def _device_versions(device: str) -> dict[str, str]:
    """Versions that results depend on because of the device, which is checked.

    The integers are the same on any; the float network's logits are, up to their rounding.
    """
    if device == "cpu":
        return {}
    try:
        find_device(device)
    except DeviceError as error:
        raise UserError(str(error)) from None
    return {"torch": package_version("torch")}


def _image_size(model: FloatModel) -> int:
    """Rows and columns of a network's images."""
    rows, columns, channels = model.network.input_shape
    if rows != columns or channels != 3:
        raise UserError(
            f"The network's images must be square with 3 channels, not {rows} x "
            f"{columns} x {channels}"
        )
    return rows


def _decode(
    request: SweepRequest,
    image_set: ImageSet,
    size: int,
    threads: int,
    progress: CampaignProgress,
) -> Pictures:
    """Pictures of a set, with progress shown."""
    return decode_pictures(
        image_set,
        size,
        threads,
        lambda done, total: progress.count("Decoding", done, total),
        parse_resizing(request.resize),
    )


def _calibration_set(
    request: SweepRequest, size: int, threads: int, progress: CampaignProgress
) -> _CalibrationSet:
    """Pictures to calibrate on, of a request."""
    if request.calibration != BUNDLED:
        chosen = choose_pictures(
            find_image_set(request.calibration, labelled=False), CALIBRATION_LIMIT, request.seed
        )
        decoded = _decode(request, chosen, size, threads, progress)
        words = f"{len(decoded)} pictures of {chosen.source}"
        return _CalibrationSet(decoded.pixels, list(decoded.hashes), words)
    photographs = calibration_photographs()
    pixels = [
        picture
        for photograph in photographs
        for picture in cut_pictures(
            images.load_image(photograph.path), size, parse_resizing(request.resize)
        )
    ]
    hashes = [
        hashlib.sha256(photograph.path.read_bytes()).hexdigest() for photograph in photographs
    ]
    words = (
        f"{len(pixels)} crops of {len(photographs)} photographs "
        "of the packages scikit-image and scikit-learn"
    )
    return _CalibrationSet(np.stack(pixels), hashes, words)


def _check_disjoint(seen: _CalibrationSet, pictures: Pictures) -> None:
    """Refuse pictures that would be both calibrated on and evaluated on."""
    common = sorted(set(seen.hashes) & set(pictures.hashes))
    if common:
        name = pictures.files[pictures.hashes.index(common[0])].name
        raise UserError(
            f"Pictures must not be both calibrated on and evaluated on, and "
            f"{len(common):,} would be, {name!r} among them"
        )


def _calibrate(
    model: FloatModel, seen: _CalibrationSet, points: Sequence[Point], progress: CampaignProgress
) -> Calibration:
    """The calibration that the points need, from the cache if it is there."""
    try:
        return cached_calibration(
            model,
            [images.normalize(picture, model.input_normalization) for picture in seen.pixels],
            seen.hashes,
            [quantization_options(point, model.network) for point in points],
            lambda done, total: progress.count("Calibrating", done, total),
        )
    except ValueError as error:
        raise UserError(f"The network cannot be calibrated: {error}") from None


def run_sweep(
    prepared: PreparedSweep,
    folder: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: CampaignProgress | None = None,
) -> SweepResults:
    """Evaluate the points that a folder's journal does not have yet.

    Parameters
    ----------
    prepared : PreparedSweep
    folder : Path
        Gets the journal.
    resume : bool
        Whether the journal is there already.
    workers : int, optional
        Processes; 0 works in this one; default one for each core. On a GPU there is this one alone.
    scheduler : str, optional
        Address of a Dask cluster, instead.
    progress : CampaignProgress, optional

    Returns
    -------
    SweepResults

    Raises
    ------
    UserError
        If the folder cannot be used, or the cluster is lost. What is done is kept.
    """
    progress = progress or Silence()
    if prepared.device != "cpu":
        workers = 0
    with open_campaign(
        prepared,
        folder,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
        most=len(prepared.points),
    ) as campaign:
        known = campaign.figures("point")
        todo = [point for point in prepared.points if point.key not in known]
        if todo:
            _evaluate(prepared, campaign, todo, progress)
        figures = campaign.figures("point")
        return SweepResults(
            prepared,
            {point: figures[point.key] for point in prepared.points},
            _reference(campaign) or {},
        )


def _evaluate(
    prepared: PreparedSweep,
    campaign: Campaign,
    todo: Sequence[Point],
    progress: CampaignProgress,
) -> None:
    """Evaluate points, and write them into the journal."""
    total, device = len(prepared.points), prepared.device
    chunks = prepared.pictures.chunks(later=None if device == "cpu" else DEVICE_PICTURES)
    references: list[tuple[np.ndarray, np.ndarray | None]] = []

    def ran(number: int, logits: np.ndarray) -> None:
        progress.count("Float network", number + 1, len(chunks))
        references.append((logits, chunks[number][1]))
        if len(references) == len(chunks) and _reference(campaign) is None:
            campaign.journal.append({"reference": reference_accuracy(references)})

    campaign.done = total - len(todo)
    campaign.show(total)
    networks = sorted({point.equalization == "on" for point in prepared.points})
    for point, figures in evaluate_points(
        campaign.place, todo, prepared.workload, chunks, networks, device=device, prepared=ran
    ):
        entry = {"point": point.key, "name": point.name, "figures": figures}
        campaign.keep(entry, total, point.name)


def _reference(campaign: Campaign) -> dict[str, float | None] | None:
    """Accuracy of the float network, if the journal has it."""
    entries = campaign.journal.entries
    return next((entry["reference"] for entry in entries if "reference" in entry), None)
