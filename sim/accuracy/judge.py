"""An accuracy from its request to figures: the network opened, then every chunk that is left.

Pictures are decoded here, a chunk at a time, so that a set of any size takes little memory and the
workers need no disk in common. What a chunk gave is in the journal before it counts as done.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import IDENTIFIER
from mnv2.golden.summary import short_repr
from mnv2.sim.accuracy.judged import Judged, judge_pictures
from mnv2.sim.accuracy.request import AccuracyRequest
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.campaign import open_campaign
from mnv2.sim.jobs.progress import CampaignProgress, Silence
from mnv2.sim.networks.carried_names import find_class_names, find_resizing
from mnv2.sim.networks.files import hash_file, holds_floats, load_graph
from mnv2.sim.networks.graph_inputs import graph_picture_size
from mnv2.sim.networks.inputs import choose_input_normalization
from mnv2.sim.networks.open import open_model
from mnv2.sim.pictures.calibration_pictures import (
    BUNDLED,
    calibration_limit,
    find_calibration,
)
from mnv2.sim.pictures.class_names import ClassNames, known_class_names
from mnv2.sim.pictures.decode import CHUNK_PICTURES, decode_pictures
from mnv2.sim.pictures.image_sets import ImageSet, Picture, choose_pictures, find_image_set
from mnv2.sim.pictures.images import load_image
from mnv2.sim.pictures.normalization import NORMALIZATIONS, choose_normalization
from mnv2.sim.pictures.resizing import CROP, Resizing, parse_resizing
from mnv2.sim.pictures.set_words import preparation_line
from mnv2.sim.report.provenance import package_version

__all__ = ["AccuracyResults", "PreparedAccuracy", "prepare_accuracy", "run_accuracy"]


@dataclass(frozen=True, eq=False)
class PreparedAccuracy:
    """A request, with all that its chunks share.

    Attributes
    ----------
    request : AccuracyRequest
    judged : mnv2.sim.accuracy.judged.Judged
    name : str
        Of the network.
    classes : mnv2.sim.pictures.class_names.ClassNames
    size : (int, int)
        Rows and columns of the network's picture.
    resizing : mnv2.sim.pictures.resizing.Resizing
    image_set : mnv2.sim.pictures.image_sets.ImageSet
    configuration : dict
        Content that every figure depends on, and the request: of the journal.
    """

    __repr__ = short_repr

    request: AccuracyRequest
    judged: Judged
    name: str
    classes: ClassNames
    size: tuple[int, int]
    resizing: Resizing
    image_set: ImageSet
    configuration: dict[str, Any]

    @property
    def preparation(self) -> str:
        """The treatment of pixels, the classes of folders and the calibration, in one line."""
        calibrated = None if self.judged.model is None else self.judged.model.calibrated_on
        return preparation_line(
            self.image_set, self.resizing, self.size, self.judged.normalization, calibrated
        )


@dataclass(frozen=True, eq=False)
class AccuracyResults:
    """The answers of a network on every picture.

    Attributes
    ----------
    prepared : PreparedAccuracy
    rows : tuple of dict
        See `mnv2.sim.accuracy.judged.judge_pictures`, with ``picture``, its name, ``sha256`` of its
        file and ``label``; in the order of the set.
    skipped : tuple of (str, str)
        Name of each picture that could not be used, and why.
    """

    __repr__ = short_repr

    prepared: PreparedAccuracy
    rows: tuple[dict[str, Any], ...]
    skipped: tuple[tuple[str, str], ...]


def prepare_accuracy(
    request: AccuracyRequest, *, progress: CampaignProgress | None = None
) -> PreparedAccuracy:
    """Open the network, find the pictures, and see that there is something to measure.

    Parameters
    ----------
    request : AccuracyRequest
    progress : CampaignProgress, optional

    Returns
    -------
    PreparedAccuracy

    Raises
    ------
    UserError
        If the network or the pictures cannot be used, a picture would be calibrated on too, or
        there are neither labels nor a float network to compare with.
    """
    progress = progress or Silence()
    judged, name, names, size, resizing = _open(request, progress)
    image_set = choose_pictures(
        find_image_set(request.images, len(names.names), names), request.limit, request.seed
    )
    if not image_set.labelled and judged.forms == ("integer",):
        raise UserError(
            f"The pictures of {request.images!r} have no labels, and the network has no float form "
            f"to compare with: there is nothing to measure (labels are "
            f"{image_set.labels_from})"
        )
    hashes = _hashes(image_set.pictures, progress)
    _check_usable(image_set, size, resizing)
    calibration: tuple[str, ...] = ()
    if judged.model is not None and judged.model.calibrated_on is not None:
        limit = calibration_limit(request.block_reconstruction)
        calibration = find_calibration(request.calibration, limit).hashes()
        _check_disjoint(calibration, hashes, image_set.pictures)
    digest = hashlib.sha256()
    for picture, content in zip(image_set.pictures, hashes, strict=True):
        digest.update(f"{picture.name}\0{content} {picture.label}\n".encode())
    configuration = request.configuration(
        {
            "pictures": digest.hexdigest(),
            "calibration pictures": list(calibration),
            "model": "" if request.model is None else hash_file(request.model),
            "resizing": str(resizing),
        },
        {"numpy": package_version("numpy"), "pillow": package_version("pillow")},
    )
    return PreparedAccuracy(request, judged, name, names, size, resizing, image_set, configuration)


def _open(
    request: AccuracyRequest, progress: CampaignProgress
) -> tuple[Judged, str, ClassNames, tuple[int, int], Resizing]:
    """The network of a request: one of the family, or any graph of a .tflite."""
    graph = None if request.model is None else _graph_alone(request)
    if graph is not None:
        if request.calibration != BUNDLED:
            raise UserError(
                f"The model {request.model} is in integers: there is nothing to calibrate on "
                f"{request.calibration}"
            )
        if request.bias_correction:
            raise UserError(
                f"The model {request.model} is in integers: its biases are not corrected"
            )
        if request.block_reconstruction:
            raise UserError(f"{request.model} is in integers: its roundings are not trained")
        assert request.model is not None
        rows, columns = graph_picture_size(graph, "pictures")
        shape = graph.tensors[graph.outputs[0]].shape
        names = find_class_names(request.model, shape[-1], request.labels)
        normalization = NORMALIZATIONS[request.normalization or choose_normalization(graph)]
        resizing = parse_resizing(request.resize) if request.resize else None
        resizing = resizing or find_resizing(request.model) or CROP
        judged = Judged(None, graph, normalization)
        names = names or known_class_names(shape[-1])
        return judged, request.model, names, (rows, columns), resizing
    model = open_model(
        request.model,
        input_size=request.size,
        weight_bits=request.weight_bits,
        activation_bits=request.activation_bits,
        arithmetic=Arithmetic(request.multiplier_bits, request.rounding),
        bias_correction=request.bias_correction,
        block_reconstruction=request.block_reconstruction,
        calibration=request.calibration,
        resize=request.resize,
        labels=request.labels,
        progress=lambda done, total: progress.count("Calibrating", done, total),
    )
    rows, columns, channels = model.network.input_shape
    if channels != 3:
        raise UserError(f"The network must take pictures of 3 channels, not of {channels}")
    judged = Judged(model, None, choose_input_normalization(model, request.normalization))
    return judged, model.name, model.class_names, (rows, columns), model.resizing


def _graph_alone(request: AccuracyRequest) -> Any:
    """The graph of a .tflite that is none of the family; None of all else."""
    path = Path(request.model or "").expanduser()
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror}") from None
    if start[4:8] != IDENTIFIER or holds_floats(path):
        return None
    graph = load_graph(path)
    try:
        lower_family(graph)
    except ValueError as error:
        one = len(graph.inputs) == len(graph.outputs) == 1
        shape = graph.tensors[graph.outputs[0]].shape if one else ()
        if not shape or shape[-1] < 2 or any(size != 1 for size in shape[:-1]):
            raise UserError(
                f"The model {path} cannot be judged: it must have one picture as its input and a "
                f"number for each class as its output, or be of the family ({error})"
            ) from None
        if request.size is not None:
            raise UserError(
                f"The model {path} is in integers and states its own size: leave out --size"
            ) from None
        return graph
    return None


def _hashes(pictures: Sequence[Picture], progress: CampaignProgress) -> list[str]:
    """SHA-256 of each file; a word of what cannot be read, which is said when it is decoded."""

    def digest(picture: Picture) -> str:
        try:
            with picture.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return "unreadable"

    found = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for content in pool.map(digest, pictures):
            found.append(content)
            progress.count("Reading pictures", len(found), len(pictures))
    return found


def _check_usable(image_set: ImageSet, size: tuple[int, int], resizing: Resizing) -> None:
    """Refuse a set of which no picture can be used, before anything is written."""
    first = None
    for picture in image_set.pictures:
        try:
            resizing.apply(load_image(picture.path), *size)
        except UserError as error:
            first = first or f"{picture.name}: {error}"
            continue
        return
    raise UserError(
        f"None of the {len(image_set.pictures):,} pictures of {image_set.source!r} can be used; "
        f"{first}"
    )


def _check_disjoint(
    calibration: Sequence[str], hashes: Sequence[str], pictures: Sequence[Picture]
) -> None:
    """Refuse pictures that would be both calibrated on and evaluated on."""
    seen = set(calibration)
    common = [one.name for one, content in zip(pictures, hashes, strict=True) if content in seen]
    if common:
        raise UserError(
            "Pictures must not be both calibrated on and evaluated on, and "
            f"{len(common):,} would be, {common[0]!r} among them"
        )


def run_accuracy(
    prepared: PreparedAccuracy,
    folder: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: CampaignProgress | None = None,
) -> AccuracyResults:
    """Judge the pictures that a folder's journal does not have yet.

    Parameters
    ----------
    prepared : PreparedAccuracy
    folder : Path
        Gets the journal.
    resume : bool
        Whether the journal is there already.
    workers, scheduler
        See `mnv2.sim.jobs.spread.choose_place`.
    progress : CampaignProgress, optional

    Returns
    -------
    AccuracyResults

    Raises
    ------
    UserError
        If the folder cannot be used, the network cannot be run, or the cluster is lost. What is
        done is kept.
    """
    progress = progress or Silence()
    pictures = prepared.image_set.pictures
    starts = range(0, len(pictures), CHUNK_PICTURES)
    with open_campaign(
        prepared,
        folder,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
        most=len(starts),
    ) as campaign:
        known: dict[Any, Any] = campaign.figures("chunk")
        todo = [number for number in range(len(starts)) if number not in known]
        done = sum(len(_chunk(pictures, number)) for number in known)
        progress.results(done, len(pictures))
        if todo:
            for number, figures in _judge(prepared, campaign.place, todo):
                campaign.journal.append({"chunk": number, "figures": figures})
                done += len(_chunk(pictures, number))
                progress.results(done, len(pictures), f"to {_chunk(pictures, number)[-1].name}")
        figures_of: dict[Any, Any] = campaign.figures("chunk")
    ordered = [figures_of[number] for number in range(len(starts))]
    return AccuracyResults(
        prepared,
        tuple(row for figures in ordered for row in figures["pictures"]),
        tuple((name, reason) for figures in ordered for name, reason in figures["skipped"]),
    )


def _chunk(pictures: Sequence[Picture], number: int) -> Sequence[Picture]:
    return pictures[number * CHUNK_PICTURES : (number + 1) * CHUNK_PICTURES]


def _judge(
    prepared: PreparedAccuracy, place: Any, todo: Sequence[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, figures) of each chunk, in any order."""
    shared = place.submit(_same, prepared.judged, name="network")
    decoded: dict[int, Any] = {}
    submit = _submitter(prepared, place, shared, decoded)
    for number, pending in place.spread(todo, submit):
        rows, found = pending.result(), decoded.pop(number)
        if isinstance(rows, str):
            raise UserError(f"The network {prepared.name} cannot be run: {rows}")
        about = [
            {"picture": file.name, "sha256": content, "label": file.label}
            for file, content in zip(found.files, found.hashes, strict=True)
        ]
        yield (
            number,
            {
                "pictures": [a | row for a, row in zip(about, rows, strict=True)],
                "skipped": list(found.skipped),
            },
        )


def _submitter(
    prepared: PreparedAccuracy, place: Any, shared: Any, decoded: dict[int, Any]
) -> Callable[[int], Any]:
    """A function that decodes a chunk and has it judged."""
    image_set = prepared.image_set

    def submit(number: int) -> Any:
        part = ImageSet(
            image_set.source,
            image_set.kind,
            image_set.labels_from,
            tuple(_chunk(image_set.pictures, number)),
        )
        found = decode_pictures(
            part, prepared.size, os.cpu_count() or 1, None, prepared.resizing, required=False
        )
        decoded[number] = found
        return place.submit(_judge_some, shared, found.pixels, found.labels, name="chunk")

    return submit


def _judge_some(judged: Judged, pixels: Any, labels: Any) -> list[dict[str, Any]] | str:
    return judge_pictures(judged, pixels, labels) if len(pixels) else []


def _same(judged: Judged) -> Judged:
    return judged
