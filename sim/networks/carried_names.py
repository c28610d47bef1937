"""Traces of training in a model's file: names of classes, and how pictures were resized.

Names lie wherever the file's makers put them:

- .tflite: the text that TFLite's metadata packs into the file, or what `mnv2 export` wrote;
- ONNX: the properties of its metadata;
- safetensors: the metadata of its header;
- PyTorch: a list or a dict of names next to the state dict, as scripts of training save it.

Ref: TensorFlow Lite, "Adding metadata", associated files (a zip appended to the model); ONNX,
`onnx.proto`, ModelProto.metadata_props; safetensors README, "Format".
"""

import ast
import contextlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mnv2.golden.importers.pickle_reader import read_pickle
from mnv2.golden.importers.tflite import IDENTIFIER
from mnv2.golden.importers.torch_tensors import TensorPickle
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.class_names import ClassNames
from mnv2.sim.pictures.label_file import names_from_values, parse_class_names, read_class_names
from mnv2.sim.pictures.resizing import Resizing, parse_resizing

__all__ = ["CLASSES", "METADATA", "RESIZE", "find_class_names", "find_resizing"]

#: Name of this project's metadata in a .tflite, JSON, and of its fields that are read back.
METADATA, CLASSES, RESIZE = "mnv2", "class_names", "resize"
#: What scripts call the names of classes.
KEYS = (
    CLASSES,
    "classes",
    "class_to_idx",
    "id2label",
    "label2id",
    "names",
    "labels",
    "idx_to_class",
)
#: Bytes of a member or a text that are read at most.
MAXIMUM_BYTES = 2**22
#: Fields of ONNX's ModelProto.metadata_props and of its entries; kinds of protobuf's fields.
PROPERTIES, KEY, VALUE = 14, 1, 2
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
#: What parsers raise of damaged files, zip's with encrypted or unknown members among them.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    MemoryError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def find_class_names(
    path: str | Path | None, classes: int, labels: str | Path | None = None
) -> ClassNames | None:
    """Names of a network's classes that the user's file of labels gives, or else the model's.

    Parameters
    ----------
    path : path or None
        Of the model.
    classes : int
        Of the network.
    labels : path, optional
        See `mnv2.sim.pictures.label_file.read_class_names`.

    Returns
    -------
    ClassNames or None
        None where neither gives any that fit the network.

    Raises
    ------
    UserError
        If the file of labels cannot be used.
    """
    if labels is not None:
        return read_class_names(labels, classes)
    if path is None:
        return None
    path = Path(path).expanduser()
    content = _read(path)
    for values in _carried(content):
        with contextlib.suppress(*_DAMAGE):
            origin = f"the model's file {path.name}"
            if isinstance(values, str):
                return parse_class_names(values, classes, origin)
            return names_from_values(values, classes, origin)
    return None


def find_resizing(path: str | Path | None) -> Resizing | None:
    """How pictures are resized for a model, as the .tflite states that `mnv2 export` wrote.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    content = b"" if path is None else _read(Path(path).expanduser())
    if content[4:8] == IDENTIFIER:
        with contextlib.suppress(UserError, *_DAMAGE):
            return parse_resizing(_metadata(content)[RESIZE])
    return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror}") from None


def _carried(content: bytes) -> Iterator[Any]:
    """Values in a model's file that may name classes; nothing of what is damaged."""
    readers = [_safetensors, _torch, _onnx]
    if content[4:8] == IDENTIFIER:
        readers = [_own, _associated]
    elif content[:4] == b"PK\x03\x04":
        readers = [_torch]
    for read in readers:
        with contextlib.suppress(*_DAMAGE):
            yield from read(content)


def _entries(values: Any) -> Iterator[Any]:
    """Values of the keys that scripts use, texts of JSON or of Python understood."""
    for key in KEYS:
        value = values.get(key) if isinstance(values, Mapping) else None
        if isinstance(value, str):
            with contextlib.suppress(*_DAMAGE, SyntaxError):
                value = json.loads(value)
            if isinstance(value, str) and value[:1] in ("[", "{", "("):
                with contextlib.suppress(*_DAMAGE, SyntaxError):
                    value = ast.literal_eval(value)
        if value is not None:
            yield value


def _metadata(content: bytes) -> dict[str, Any]:
    """The metadata that `mnv2 export` wrote into a .tflite; empty where there is none."""
    with contextlib.suppress(*_DAMAGE, ImportError):
        import tflite

        model = tflite.Model.GetRootAs(content, 0)
        for number in range(model.MetadataLength()):
            if model.Metadata(number).Name() == METADATA.encode():
                data = model.Buffers(model.Metadata(number).Buffer()).DataAsNumpy().tobytes()
                values = json.loads(data)
                return values if isinstance(values, dict) else {}
    return {}


def _own(content: bytes) -> Iterator[Any]:
    names = _metadata(content).get(CLASSES)
    if names:
        yield names


def _associated(content: bytes) -> Iterator[str]:
    """Texts of the zip that follows a .tflite, those called labels first."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [info for info in archive.infolist() if info.filename.lower().endswith(".txt")]
        for info in sorted(names, key=lambda info: "label" not in info.filename.lower()):
            if info.file_size <= MAXIMUM_BYTES:
                yield archive.read(info).decode("utf-8-sig")


def _safetensors(content: bytes) -> Iterator[Any]:
    size = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and size <= MAXIMUM_BYTES:
        yield from _entries(json.loads(content[8 : 8 + size]).get("__metadata__"))


def _torch(content: bytes) -> Iterator[Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith("data.pkl")]
        if archive.getinfo(name).file_size > MAXIMUM_BYTES:
            return
        pickle = TensorPickle()
        values, _ = read_pickle(archive.read(name), 0, pickle.calls, pickle.persistent)
    yield from _entries(values)


def _onnx(content: bytes) -> Iterator[Any]:
    properties = {}
    for field, value in _fields(content):
        if field == PROPERTIES and isinstance(value, bytes):
            entry = {number: text for number, text in _fields(value) if isinstance(text, bytes)}
            properties[entry[KEY].decode()] = entry[VALUE].decode()
    yield from _entries(properties)


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """(number, value) of the fields of a protobuf message, one after another.

    Ref: Protocol Buffers, "Encoding": a tag of number and kind, then a varint, a fixed number of
    bytes, or a length and as many bytes.
    """
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("A varint must have at most 10 bytes")

    while place < len(message):
        tag = varint()
        kind = tag & 7
        if kind == VARINT:
            yield tag >> 3, varint()
            continue
        if kind not in (FIXED_64, BYTES, FIXED_32):
            raise ValueError(f"A field must be of a known kind, not {kind}")
        size = {FIXED_64: 8, FIXED_32: 4}.get(kind) or varint()
        if place + size > len(message):
            raise ValueError("A field must lie in its message")
        yield tag >> 3, message[place : place + size]
        place += size
