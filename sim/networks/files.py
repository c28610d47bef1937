"""Files of models, recognised by their content, never by their name."""

import hashlib
import zipfile
from pathlib import Path

from mnv2.golden.archive import model_from_arrays
from mnv2.golden.graph.family import FamilyNetwork, lower_family
from mnv2.golden.importers.float_reader import read_float_model
from mnv2.golden.importers.tflite import IDENTIFIER, GraphReader, read_graph
from mnv2.golden.importers.tflite_layers import read_float_tflite
from mnv2.sim.errors import UserError
from mnv2.sim.networks.dumps import read_dump

__all__ = ["hash_file", "holds_floats", "load_graph", "read_model_file", "read_model_network"]

#: Bytes of a file that are read at most; larger ones are refused.
MAXIMUM_BYTES = 2**28
#: A member of the .npz files of `mnv2.golden.archive`; PyTorch's and Keras' are zip files too.
_ARCHIVE_MEMBER = "header.npy"


def read_model_file(path, input_size=None):
    """The network of the MobileNetV2 family in a file.

    Parameters
    ----------
    path : path
        A .tflite, an .npz that `mnv2 export` wrote, or a file of PyTorch, safetensors, Keras or
        ONNX.
    input_size : int, optional
        Rows and columns of the picture, for float files that do not state them.

    Returns
    -------
    mnv2.golden.graph.family.FamilyNetwork, mnv2.golden.model.QuantizedModel or
    mnv2.golden.float_model.FloatModel
        An integer network with or without a graph, or a float network.

    Raises
    ------
    UserError
        If the file cannot be read, holds no such network, or states its size and one is given.
    """
    path = Path(path).expanduser()
    if path.exists() and not path.is_file():
        raise UserError(f"The model {path} must be a file")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror}") from None
    if not start:
        raise UserError(f"The model {path} is empty")
    integers = start[4:8] == IDENTIFIER or _is_archive(path)
    if integers and input_size is not None:
        raise UserError(f"The model {path} states its own size: leave out --size")
    if start[4:8] == IDENTIFIER:
        data = _read_tflite(path)
        try:
            floats = read_float_tflite(data)
        except ValueError as error:
            raise UserError(f"The model {path} cannot be used: {error}") from None
        if floats is not None:
            return floats
        graph = _graph_of(path, data)
        try:
            return lower_family(graph)
        except ValueError as error:
            raise UserError(
                f"The model {path} cannot be used: {error}; mnv2 golden runs any "
                "network of these operators"
            ) from None
    if integers:
        try:
            return model_from_arrays(read_dump(path))
        except ValueError as error:
            raise UserError(f"The model {path} cannot be used: {error}") from None
    try:
        return read_float_model(path, input_size)
    except ValueError as error:
        raise UserError(str(error)) from None


def read_model_network(path, input_size=None):
    """The mnv2.golden.network.Network of `read_model_file`."""
    read = read_model_file(path, input_size)
    if isinstance(read, FamilyNetwork):
        return read.model.network
    return read.network


def load_graph(path):
    """The graph of a .tflite file.

    Parameters
    ----------
    path : path

    Returns
    -------
    mnv2.golden.graph.graph.Graph

    Raises
    ------
    UserError
        If the file cannot be read, is too large, or holds what the graph does not cover.
    """
    path = Path(path).expanduser()
    return _graph_of(path, _read_tflite(path))


def holds_floats(path):
    """Whether a .tflite file is a float model, which `read_model_file` reads as such."""
    path = Path(path).expanduser()
    try:
        return GraphReader(_read_tflite(path)).float_kind() is not None
    except ValueError as error:
        raise UserError(f"The model {path} cannot be used: {error}") from None


def _read_tflite(path):
    """Bytes of a file, of a bounded size."""
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"The model {path} must be a file")
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAXIMUM_BYTES:
        raise UserError(f"The model {path} must have at most {MAXIMUM_BYTES:,} bytes")
    return data


def _graph_of(path, data):
    """The graph in a .tflite file's bytes."""
    try:
        return read_graph(data)
    except ValueError as error:
        raise UserError(f"The model {path} cannot be used: {error}") from None


def hash_file(path):
    """SHA-256 of a file's content, 64 digits."""
    try:
        with Path(path).expanduser().open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror}") from None


def _is_archive(path):
    """Whether a file is an .npz of `mnv2.golden.archive`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _ARCHIVE_MEMBER in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False
