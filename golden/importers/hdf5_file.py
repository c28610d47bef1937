"""Float datasets of an HDF5 file held in memory, with limits before anything is read.

The file is opened as an image in memory, so that nothing else can be opened by it; links, external
and virtual datasets are refused, and so are filters that a plug-in would have to run.

Ref: HDF5 File Format Specification 3.0, IV.A.2; h5py documentation, "Low-Level API".
"""

import math

import numpy as np

from mnv2.golden.importers.float_network import MAXIMUM_BYTES

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAXIMUM_OBJECTS = 20_000
MAXIMUM_DEPTH = 12
MAXIMUM_TEXT_BYTES = 2**24
#: Groups of a training's state, which no inference needs.
SKIPPED = ("optimizer_weights", "optimizer", "metrics", "compile_metrics", "loss_tracker")
_ERRORS = (
    OSError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    ValueError,
    SystemError,
    MemoryError,
)


class _Refused(ValueError):
    """A refusal of our own, apart from those of the library."""


def parse_hdf5(data) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and texts of a file's bytes.

    Returns
    -------
    (dict of str to array, dict of str to str)
        Float datasets by path (`layers/conv2d/vars/0`), and scalar text attributes by path and
        name (`layers/conv2d/vars@name`; `@model_config` at the root).

    Raises
    ------
    ValueError
        If the file is damaged, links elsewhere, or is larger than the limits of this module.
    """
    try:
        import h5py
    except ImportError:
        raise ValueError(
            "Reading Keras' files needs the package h5py: pip install 'mnv2[models]'"
        ) from None
    arrays: dict[str, np.ndarray] = {}
    texts: dict[str, str] = {}
    try:
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_fapl_core(backing_store=False)
        access.set_file_image(bytes(data))
        with h5py.File(h5py.h5f.open(b"image", h5py.h5f.ACC_RDONLY, fapl=access)) as file:
            _Walk(h5py, arrays, texts).visit(file, "", 0)
    except _Refused:
        raise
    except _ERRORS as error:
        detail = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(f"The HDF5 file is damaged or truncated ({detail})") from None
    return arrays, texts


class _Walk:
    """One pass over a file, which counts what it has met."""

    def __init__(self, h5py, arrays, texts):
        self._h5py, self._arrays, self._texts = h5py, arrays, texts
        self._objects = self._bytes = 0

    def visit(self, group, path, depth):
        """Read a group, and the groups in it."""
        if depth > MAXIMUM_DEPTH:
            raise _Refused(
                f"The HDF5 group {path[:80]} must not lie deeper than {MAXIMUM_DEPTH} groups"
            )
        self._read_texts(group, path)
        for name in group:
            self._objects += 1
            if self._objects > MAXIMUM_OBJECTS:
                raise _Refused(f"The HDF5 file must have at most {MAXIMUM_OBJECTS} objects")
            inner = f"{path}/{name}" if path else name
            if not isinstance(group.get(name, getlink=True), self._h5py.HardLink):
                raise _Refused(f"The HDF5 file must not link elsewhere, as {inner[:80]} does")
            if not path and name in SKIPPED:
                continue
            item = group[name]
            if isinstance(item, self._h5py.Group):
                self.visit(item, inner, depth + 1)
            elif isinstance(item, self._h5py.Dataset):
                self._read_array(item, inner)

    def _read_array(self, dataset, path):
        shape, dtype = dataset.shape, dataset.dtype
        if shape is None or dtype.kind != "f":
            return  # counters, seeds, texts
        settings = dataset.id.get_create_plist()
        layout = settings.get_layout()
        if layout == self._h5py.h5d.VIRTUAL or settings.get_external_count():
            raise _Refused(f"The HDF5 dataset {path} must hold its numbers itself")
        codes = self._h5py.h5z
        known = {codes.FILTER_DEFLATE, codes.FILTER_SHUFFLE, codes.FILTER_FLETCHER32}
        if not {settings.get_filter(i)[0] for i in range(settings.get_nfilters())} <= known:
            raise _Refused(f"The HDF5 dataset {path} must be plain or compressed by deflate")
        chunk = math.prod(dataset.chunks or (0,)) * dtype.itemsize
        self._bytes += math.prod(shape) * dtype.itemsize
        if max(self._bytes, chunk) > MAXIMUM_BYTES:
            raise _Refused(
                f"The HDF5 datasets up to {path} must have at most {MAXIMUM_BYTES} bytes"
            )
        self._arrays[path] = np.asarray(dataset[()])

    def _read_texts(self, group, path):
        for name in group.attrs:
            attribute = group.attrs.get_id(name)
            self._objects += 1
            if self._objects > MAXIMUM_OBJECTS:
                raise _Refused(f"The HDF5 file must have at most {MAXIMUM_OBJECTS} objects")
            if (
                attribute.shape != ()
                or attribute.dtype.kind not in "SO"
                or attribute.get_storage_size() > MAXIMUM_TEXT_BYTES
            ):
                continue
            value = group.attrs[name]
            if isinstance(value, bytes):
                value = value.decode()
            if isinstance(value, str):
                self._texts[f"{path}@{name}"] = value
