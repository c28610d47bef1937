"""`read_float_model`: a model out of any framework's file, read by a process of its own.

The libraries for HDF5 and ONNX are C and C++, and damaged files have made them crash, loop and
allocate without end. So a child process reads the file, with limits on its memory and time, and
hands back arrays; whatever happens to it is one sentence here.

The child reads nothing but its standard input and, for ONNX, plain files in the model's folder.
"""

import contextlib
import io
import json
import operator
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from mnv2.golden import archive
from mnv2.golden.float_archive import float_model_from_arrays, float_model_to_arrays
from mnv2.golden.importers.float_formats import parse_float_model
from mnv2.golden.importers.float_network import MAXIMUM_BYTES
from mnv2.golden.model import QuantizedModel

#: Address space of the child; MobileNetV2 1.4 takes 230 MB of it, the longest file 700.
MEMORY_BYTES = 2**30
SECONDS = 120
MAXIMUM_SENTENCE = 400
_REFUSED = 3  # exit status: a sentence on stderr


def read_float_model(path, input_size=None, strides=None):
    """The model in a file of PyTorch, safetensors, Keras or ONNX.

    The format is told by the content. Channels, blocks, classes and padding follow from the file;
    the input normalisation is that of the framework (Keras' x / 127.5 - 1, else ImageNet's).

    Parameters
    ----------
    path : path
    input_size : int or (int, int), optional
        Rows and columns, where the file does not state them (tensors alone do not); 224 by default.
    strides : sequence of int, optional
        Of the stem and each block, where the file does not state them; by default the paper's,
        for 17 blocks.

    Returns
    -------
    FloatModel or QuantizedModel
        The latter of an ONNX file whose training quantised it (QONNX, QCDQ), with its integers.

    Raises
    ------
    ValueError
        If the file cannot be read, is of no known format, is damaged, or holds another network;
        the tensor, layer or operator is named.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"The model {path} must be a plain file")
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise ValueError(f"The model {path} cannot be read: {error.strerror}") from None
    if len(data) > MAXIMUM_BYTES:
        raise ValueError(f"The model {path} must have at most {MAXIMUM_BYTES} bytes")
    settings = json.dumps(
        {
            "folder": str(path.resolve().parent),
            "strides": _plain(strides),
            "input_size": _plain(input_size),
        }
    )
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "HDF5_PLUGIN_PRELOAD": "::",  # no plug-ins of the machine's HDF5
    }
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "mnv2.golden.importers.float_reader", settings],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(
            f"The model {path} took more than {SECONDS} seconds to read; it must be damaged"
        ) from None
    if child.returncode == _REFUSED:
        raise ValueError(f"The model {path} cannot be used: {_sentence(child.stderr)}")
    if child.returncode != 0:
        raise ValueError(
            f"The model {path} is damaged: its reader stopped (status {child.returncode})"
        )
    try:
        with np.load(io.BytesIO(child.stdout), allow_pickle=False) as arrays:
            return _from_arrays({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"The model {path} is damaged: its reader gave no model ({error})"
        ) from None


def _to_arrays(model):
    if isinstance(model, QuantizedModel):
        return archive.model_to_arrays(model)
    return float_model_to_arrays(model)


def _from_arrays(arrays):
    """The model of either kind that `_to_arrays` was given."""
    if json.loads(bytes(arrays["header"])).get("format") == archive.FORMAT:
        return archive.model_from_arrays(arrays)
    return float_model_from_arrays(arrays)


def _sentence(text):
    """One line for a terminal of what the child says, which may quote names from the file."""
    text = text.decode(errors="replace").strip()
    return "".join(x if x.isprintable() else "?" for x in text)[:MAXIMUM_SENTENCE]


def _plain(value):
    """An int, a list of ints or None, of whatever numbers were given."""
    try:
        return (
            None
            if value is None
            else [operator.index(x) for x in value]
            if isinstance(value, tuple | list)
            else operator.index(value)
        )
    except TypeError:
        raise ValueError(f"An input size or strides must be integers, not {value!r}") from None


def _limit_resources():
    try:
        import resource
    except ImportError:  # not on Windows: the time limit remains
        return
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower limit is in force already
            resource.setrlimit(kind, (limit, limit))


def _sibling_reader(folder):
    """A function of (name, offset, length) to bytes of a plain file in the folder."""

    def read(name, offset, length):
        path = Path(folder, name)
        if not name or Path(name).name != name or path.is_symlink() or not path.is_file():
            raise ValueError(
                f"The tensors outside the file must lie in a plain file next to it, "
                f"not in {name[:80]!r}"
            )
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except (OSError, OverflowError, ValueError) as error:
            raise ValueError(f"The file {name[:80]} cannot be read: {error}") from None

    return read


def _main():
    """The child: bytes on standard input, an `.npz` on standard output, a sentence on error."""
    _limit_resources()
    settings = json.loads(sys.argv[1])
    try:
        size = settings["input_size"]
        model = parse_float_model(
            sys.stdin.buffer.read(),
            tuple(size) if isinstance(size, list) else size,
            settings["strides"],
            _sibling_reader(settings["folder"]),
        )
    except ValueError as error:
        sys.stderr.write(str(error))
        return _REFUSED
    except MemoryError:
        sys.stderr.write(f"Reading it takes more than {MEMORY_BYTES} bytes of memory")
        return _REFUSED
    file = io.BytesIO()
    np.savez(file, **_to_arrays(model))
    sys.stdout.buffer.write(file.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(_main())
