"""A sweep from what the user asked to figures: shared work once, then every point that is left."""

import contextlib
import dataclasses
import functools
import hashlib
import os

import numpy as np

from mnv2.golden.float_model import FloatModel
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.cluster import connect
from mnv2.sim.jobs.journal import Journal
from mnv2.sim.networks.files import read_model_file
from mnv2.sim.networks.open import load_float_model
from mnv2.sim.pictures import images
from mnv2.sim.pictures.calibration import cut_pictures
from mnv2.sim.pictures.decode import decode_pictures
from mnv2.sim.pictures.image_sets import choose_pictures, find_image_set
from mnv2.sim.pictures.normalization import NORMALIZATIONS
from mnv2.sim.pictures.photographs import calibration_photographs
from mnv2.sim.sweep.calibration_cache import cached_calibration
from mnv2.sim.sweep.evaluate import Workload, quantization_options, reference_accuracy
from mnv2.sim.sweep.grid import expand_grids
from mnv2.sim.sweep.identity import code_hash, model_hash
from mnv2.sim.sweep.spread import work_here, work_on_cluster

__all__ = [
    "PreparedSweep",
    "SweepRequest",
    "SweepResults",
    "Silence",
    "load_network",
    "points_of",
    "prepare_sweep",
    "run_sweep",
]

#: Pictures of a folder that are calibrated on.
CALIBRATION_LIMIT = 64


@dataclasses.dataclass(frozen=True)
class SweepRequest:
    """What the user asked for; the journal keeps it, so that ``--resume`` needs nothing else.

    Attributes
    ----------
    grids : tuple of dict of str to tuple
        See `mnv2.sim.sweep.grid.expand_grids`.
    images, calibration : str
        ``"bundled"``, a folder or a list file: to judge by, and to calibrate on.
    limit : int or None
        Pictures to judge by at most, drawn at random.
    seed : int
        Of that draw.
    model : str or None
        File of the float network; the installed weights without it.
    size : int or None
        Rows and columns of its image, where the file does not say.
    normalization : str or None
        A name of `mnv2.sim.pictures.normalization.NORMALIZATIONS`, if not what the network carries.
    """

    grids: tuple
    images: str = "bundled"
    calibration: str = "bundled"
    limit: int | None = None
    seed: int = 1
    model: str | None = None
    size: int | None = None
    normalization: str | None = None

    def as_dict(self):
        """Plain values, as JSON gives them back."""
        return {
            **dataclasses.asdict(self),
            "grids": [{name: list(values) for name, values in grid.items()} for grid in self.grids],
        }

    @classmethod
    def from_dict(cls, values):
        """The request that `as_dict` was called on.

        Raises
        ------
        UserError
            If it is none.
        """
        try:
            grids = tuple(
                {name: tuple(items) for name, items in grid.items()} for grid in values["grids"]
            )
            request = cls(**{**values, "grids": grids})
            points_of(request)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UserError("The journal was written by another version of mnv2") from None
        return request


@dataclasses.dataclass(frozen=True, eq=False)
class PreparedSweep:
    """A request, with all that its points share.

    Attributes
    ----------
    request : SweepRequest
    points : list of Point
    image_set : mnv2.sim.pictures.image_sets.ImageSet
    pictures : mnv2.sim.pictures.decode.Pictures
    calibration_words : str
        What was calibrated on.
    workload : mnv2.sim.sweep.evaluate.Workload
    configuration : dict
        What every figure depends on, by content, and the request: of the journal.
    """

    request: SweepRequest
    points: list
    image_set: object
    pictures: object
    calibration_words: str
    workload: Workload
    configuration: dict


@dataclasses.dataclass(frozen=True, eq=False)
class SweepResults:
    """Figures of every point.

    Attributes
    ----------
    prepared : PreparedSweep
    figures : dict of Point to dict
        See `mnv2.sim.sweep.evaluate.summarize`.
    reference : dict
        Accuracy of the float network; see `mnv2.sim.sweep.evaluate.reference_accuracy`.
    """

    prepared: PreparedSweep
    figures: dict
    reference: dict


class Silence:
    """Progress that nobody sees; what a command shows has these methods."""

    def count(self, what, done, total):
        """So many of what is being done in common are done."""

    def points(self, done, total, name=""):
        """So many points are done; the last was this one."""


def points_of(request):
    """Points of a request, sorted."""
    return expand_grids(request.grids)


def load_network(request):
    """The float network of a request: of its file, or of the installed weights.

    Returns
    -------
    mnv2.golden.float_model.FloatModel

    Raises
    ------
    UserError
    """
    if request.model is None:
        if request.size is not None:
            raise UserError(
                "A size is for the float model of --model: the bundled network has its own"
            )
        model = load_float_model()
    else:
        model = read_model_file(request.model, request.size)
        if not isinstance(model, FloatModel):
            raise UserError(
                f"The model {request.model} is in integers already: a sweep needs the float network"
            )
    if request.normalization is None:
        return model
    return dataclasses.replace(model, input_normalization=NORMALIZATIONS[request.normalization])


def prepare_sweep(request, *, load_model=load_network, threads=None, progress=None):
    """Do what all points share: decode pictures, calibrate.

    Parameters
    ----------
    request : SweepRequest
    load_model : function of SweepRequest, optional
        Gives its mnv2.golden.float_model.FloatModel.
    threads : int, optional
        To decode with.
    progress : Silence, optional

    Returns
    -------
    PreparedSweep

    Raises
    ------
    UserError
        If the model or the pictures cannot be used, or a picture would both be calibrated on and
        judged by.
    """
    progress, threads = progress or Silence(), threads or os.cpu_count() or 1
    points = points_of(request)
    model = load_model(request).folded()
    rows, columns, channels = model.network.input_shape
    if rows != columns or channels != 3:
        raise UserError(
            f"The network's images must be square with 3 channels, not {rows} x "
            f"{columns} x {channels}"
        )
    image_set = choose_pictures(
        find_image_set(request.images, model.network.classes), request.limit, request.seed
    )
    pictures = decode_pictures(
        image_set, rows, threads, lambda done, total: progress.count("Decoding", done, total)
    )
    seen, hashes, words = _calibration_pixels(request, rows, threads, progress)
    common = sorted(set(hashes) & set(pictures.hashes))
    if common:
        name = pictures.files[pictures.hashes.index(common[0])].name
        raise UserError(
            f"Pictures must not be calibrated on and judged by at once, and "
            f"{len(common):,} would be, {name!r} among them"
        )
    options = [quantization_options(point) for point in points]
    normalization = model.input_normalization
    try:
        calibration = cached_calibration(
            model,
            [images.normalize(picture, normalization) for picture in seen],
            hashes,
            options,
            lambda done, total: progress.count("Calibrating", done, total),
        )
    except ValueError as error:
        raise UserError(f"The network cannot be calibrated: {error}") from None
    configuration = {
        "request": request.as_dict(),
        "pictures": pictures.content_hash,
        "calibration pictures": hashlib.sha256("".join(hashes).encode()).hexdigest(),
        "model": model_hash(model),
        "code": code_hash(),
        "numpy": np.__version__,
    }
    return PreparedSweep(
        request, points, image_set, pictures, words, Workload(model, calibration), configuration
    )


def _calibration_pixels(request, size, threads, progress):
    """(uint8 [N, size, size, 3], content hashes of the files, what they are in words)."""
    if request.calibration == "bundled":
        photographs = calibration_photographs()
        pixels = [
            picture
            for photograph in photographs
            for picture in cut_pictures(images.load_image(photograph.path), size)
        ]
        hashes = [
            hashlib.sha256(photograph.path.read_bytes()).hexdigest() for photograph in photographs
        ]
        return (
            np.stack(pixels),
            hashes,
            (
                f"{len(pixels)} crops of {len(photographs)} photographs "
                "of the packages scikit-image and scikit-learn"
            ),
        )
    chosen = choose_pictures(find_image_set(request.calibration), CALIBRATION_LIMIT, request.seed)
    decoded = decode_pictures(
        chosen, size, threads, lambda done, total: progress.count("Decoding", done, total)
    )
    return decoded.pixels, list(decoded.hashes), f"{len(decoded)} pictures of {chosen.source}"


def run_sweep(prepared, folder, *, resume=False, workers=None, scheduler=None, progress=None):
    """Work off the points that a folder's journal does not have yet.

    Parameters
    ----------
    prepared : PreparedSweep
    folder : Path
        Gets the journal.
    resume : bool
        Whether the journal is there already.
    workers : int, optional
        Processes; 0 works in this one. Without it, one for each core.
    scheduler : str, optional
        Address of a Dask cluster, instead.
    progress : Silence, optional

    Returns
    -------
    SweepResults

    Raises
    ------
    UserError
        If the folder cannot be used, or the cluster is lost. What is done is kept.
    """
    progress = progress or Silence()
    with contextlib.ExitStack() as stack:
        if resume:
            journal = stack.enter_context(Journal.resume(folder, prepared.configuration))
            if len(_figures(prepared, journal)) == len(prepared.points):
                return _results(prepared, journal)
            work = _connected(stack, prepared, workers, scheduler)
        else:
            # A cluster that is not there leaves no folder.
            work = _connected(stack, prepared, workers, scheduler)
            journal = stack.enter_context(Journal.create(folder, prepared.configuration))
        _work_off(prepared, journal, work, progress)
        return _results(prepared, journal)


def _connected(stack, prepared, workers, scheduler):
    """The function that works points off, with its cluster where it has one."""
    if scheduler is None and workers == 0:
        return work_here
    workers = min(workers or os.cpu_count() or 1, len(prepared.points))
    client = stack.enter_context(connect(workers, scheduler, code_hash=code_hash))
    return functools.partial(work_on_cluster, client)


def _work_off(prepared, journal, work, progress):
    """Work off the points that the journal does not have, and write them into it."""
    known = _figures(prepared, journal)
    todo = [point for point in prepared.points if point not in known]
    done, total, references = len(known), len(prepared.points), []

    def ran(chunk, chunks, logits, labels):
        progress.count("Float network", chunk, chunks)
        references.append((logits, labels))
        if chunk == chunks and _reference(journal) is None:
            journal.append({"reference": reference_accuracy(references)})

    def finished(point, figures):
        nonlocal done
        # The journal first: what is counted as done is on the disk.
        journal.append({"point": point.key, "name": point.name, "figures": figures})
        done += 1
        progress.points(done, total, point.name)

    networks = sorted({point.equalization == "on" for point in prepared.points})
    progress.points(done, total)
    work(
        todo,
        prepared.workload,
        prepared.pictures.chunks(),
        networks,
        finished=finished,
        prepared=ran,
    )


def _figures(prepared, journal):
    """Figures by point, as far as the journal has them."""
    known = {point.key: point for point in prepared.points}
    return {
        known[entry["point"]]: entry["figures"]
        for entry in journal.entries
        if entry.get("point") in known
    }


def _reference(journal):
    return next((entry["reference"] for entry in journal.entries if "reference" in entry), None)


def _results(prepared, journal):
    return SweepResults(prepared, _figures(prepared, journal), _reference(journal))
