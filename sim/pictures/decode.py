"""The pictures of a set in memory, decoded once for a whole sweep.

Pictures that cannot be decoded are left out and named. The others stay uint8, a quarter of the
memory of floats, and are cut into chunks of one fixed size, so that results depend on nothing else.
"""

import dataclasses
import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.image_sets import Picture
from mnv2.sim.pictures.images import load_image
from mnv2.sim.pictures.resizing import CROP, Resizing

__all__ = ["CHUNK_PICTURES", "NO_LABEL", "Pictures", "decode_pictures"]

#: Pictures that are evaluated together.
CHUNK_PICTURES = 20
#: The label of a picture without one, in a set with labels.
NO_LABEL = -1


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """Decoded pictures of a set.

    Attributes
    ----------
    pixels : uint8 [N, H, W, 3]
        Resized and cropped, not normalised.
    labels : int64 [N] or None
        Where there are some; `NO_LABEL` for pictures without.
    files : tuple of mnv2.sim.pictures.image_sets.Picture
        Those decoded, in order.
    hashes : tuple of str
        Content of each file, SHA-256.
    skipped : tuple of (str, str)
        Name of each picture that was left out, and why.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    files: tuple[Picture, ...]
    hashes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]

    __repr__ = short_repr

    def __len__(self):
        return len(self.pixels)

    @property
    def content_hash(self):
        """Names the pictures and labels, in their order, wherever they lie: 64 digits."""
        digest = hashlib.sha256()
        for name, file in zip(self.hashes, self.files, strict=True):
            digest.update(f"{name} {file.label}\n".encode())
        return digest.hexdigest()

    def chunks(self, size=CHUNK_PICTURES, later=None):
        """(pixels, labels or None) of ``size`` pictures each, the last perhaps fewer.

        ``later``, if given, is the size of all but the first.
        """
        starts = [0, *range(size, len(self), later or size)]
        return [
            (
                self.pixels[start:stop],
                None if self.labels is None else self.labels[start:stop],
            )
            for start, stop in zip(starts, [*starts[1:], len(self)], strict=True)
        ]


def decode_pictures(
    image_set, size, workers=1, progress=None, resizing: Resizing = CROP, *, required=True
):
    """Read and resize the pictures of a set.

    Parameters
    ----------
    image_set : mnv2.sim.pictures.image_sets.ImageSet
    size : int or (int, int)
        Rows and columns, in pixels.
    workers : int
        Threads.
    progress : function of (done, total), optional
    resizing : mnv2.sim.pictures.resizing.Resizing
    required : bool
        Whether one of them must be there.

    Returns
    -------
    Pictures

    Raises
    ------
    UserError
        If one is required, and none can be decoded.
    """
    rows, columns = size if isinstance(size, tuple) else (size, size)

    def decode(picture):
        try:
            digest = hashlib.sha256(picture.path.read_bytes()).hexdigest()
            return digest, resizing.apply(load_image(picture.path), rows, columns)
        except UserError as error:
            return None, str(error)
        except OSError as error:
            return None, f"The image {picture.path} cannot be read: {error.strerror or error}"

    files: list[Picture] = []
    hashes: list[str] = []
    skipped: list[tuple[str, str]] = []
    total = len(image_set.pictures)
    pixels = np.empty((total, rows, columns, 3), np.uint8)
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for done, (picture, (digest, result)) in enumerate(
            zip(
                image_set.pictures,
                _in_order(pool, decode, image_set.pictures, 4 * workers),
                strict=True,
            ),
            start=1,
        ):
            if digest is None:
                skipped.append((picture.name, result))
            else:
                pixels[len(files)] = result
                files.append(picture)
                hashes.append(digest)
            if progress is not None:
                progress(done, total)
    if required and not files:
        name, reason = skipped[0]
        raise UserError(
            f"None of the {total:,} pictures of {image_set.source!r} can be used; {name}: {reason}"
        )
    labels = None
    if any(picture.label is not None for picture in files):
        labels = np.array(
            [NO_LABEL if picture.label is None else picture.label for picture in files], np.int64
        )
    return Pictures(pixels[: len(files)], labels, tuple(files), tuple(hashes), tuple(skipped))


def _in_order(pool, function, items, ahead):
    """Results of a function in threads, in the order of the items, few of them waiting."""
    waiting: deque[Future[Any]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
