"""Tensors as the pickle inside a PyTorch file describes them: storages, shapes, strides.

Ref: PyTorch `torch/_utils.py`, `_rebuild_tensor_v2`; `torch/serialization.py`, `persistent_load`.
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden.importers.float_network import MAXIMUM_BYTES
from mnv2.golden.importers.pickle_reader import SAVE_A_STATE_DICT
from mnv2.golden.summary import short_repr

_BFLOAT16 = "BFloat16Storage"
#: bfloat16 is the upper half of a float32 and is read as such.
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    _BFLOAT16: "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "u1",
}
_QUANTIZED = ("QInt8Storage", "QUInt8Storage", "QInt32Storage", "QUInt4x2Storage")
#: What a training script wraps a state dict in.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")


@dataclass(frozen=True)
class Storage:
    """A run of numbers in the file."""

    key: str
    kind: str
    elements: int

    __repr__ = short_repr

    @property
    def dtype(self):
        return np.dtype(_STORAGES[self.kind])

    @property
    def size_bytes(self):
        return self.elements * self.dtype.itemsize


@dataclass(frozen=True)
class TorchTensor:
    """A view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    __repr__ = short_repr

    def take(self, flat):
        """The tensor's own array of its storage's numbers; half, bfloat16 and double as float32."""
        spread = tuple(stride * flat.itemsize for stride in self.strides)
        view = (
            np.lib.stride_tricks.as_strided(
                flat[self.offset :], self.shape, spread, writeable=False
            )
            if math.prod(self.shape)
            else np.zeros(self.shape, flat.dtype)
        )
        if self.storage.kind == _BFLOAT16:
            return (view.astype(np.uint32) << 16).view(np.float32)
        if view.dtype.kind == "f":
            with np.errstate(over="ignore"):  # infinities are refused by name, later
                return np.array(view, np.float32, order="C")
        return np.array(view, order="C")


class TensorPickle:
    """The functions that `pickle_reader` calls for such a pickle, and the storages that it named.

    Attributes
    ----------
    storages : dict of str to Storage
        By key, of every tensor in the pickle.
    calls : dict
        For `read_pickle`.
    """

    def __init__(self):
        self.storages = {}
        self.calls = {
            ("collections", "OrderedDict"): self._dictionary,
            ("collections", "defaultdict"): lambda _: {},
            ("torch", "Size"): self._size,
            ("torch._utils", "_rebuild_tensor_v2"): self._tensor,
            ("torch._utils", "_rebuild_parameter"): self._parameter,
        }

    def persistent(self, identifier):
        """The Storage of ("storage", type, key, device, elements[, view])."""
        if identifier[:1] == ("module",) and len(identifier) > 1:  # before 1.6: a class, its source
            raise ValueError(
                f"The file holds a whole module, {'.'.join(identifier[1])[:120]}, and to load it "
                f"would run its code: {SAVE_A_STATE_DICT}"
            )
        kind, pointer, key, _, elements, *view = identifier
        module, name = pointer
        if module == "torch" and name in _QUANTIZED:
            raise ValueError(
                f"Its tensors are quantised; of the float network, {SAVE_A_STATE_DICT}"
            )
        if kind != "storage" or module != "torch" or name not in _STORAGES or any(view):
            raise ValueError("A storage must be of torch floats or integers")
        if type(elements) is not int or not 0 <= elements <= MAXIMUM_BYTES or type(key) is not str:
            raise ValueError("A storage must have a size within the file")
        storage = Storage(key, name, elements)
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError("Each storage must have one size and type")
        return storage

    @staticmethod
    def _tensor(arguments):
        storage, offset, shape, strides, *_ = arguments
        numbers = (offset, *shape, *strides)
        if (
            not isinstance(storage, Storage)
            or len(shape) > 8
            or len(shape) != len(strides)
            or not all(type(n) is int and 0 <= n <= MAXIMUM_BYTES for n in numbers)
        ):
            raise ValueError("A tensor must have a storage and a shape")
        count = math.prod(shape)
        last = (
            offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
            if count
            else 0
        )
        if last >= max(storage.elements, 1) or count > storage.elements:
            raise ValueError("A tensor must lie inside its storage")
        return TorchTensor(storage, offset, tuple(shape), tuple(strides))

    @staticmethod
    def _dictionary(arguments):
        if arguments != ():
            raise ValueError("A dictionary must start empty")
        return {}

    @staticmethod
    def _size(arguments):
        (size,) = arguments
        return tuple(size)

    @staticmethod
    def _parameter(arguments):
        tensor, *_ = arguments
        if not isinstance(tensor, TorchTensor):
            raise ValueError("A parameter must be a tensor")
        return tensor


def _candidates(value):
    """Values that may be the state dict: the value, those under a known name, then all in it."""
    if not isinstance(value, dict):
        return [value]
    others = [x for name, x in value.items() if name not in WRAPPERS and isinstance(x, dict)]
    return [value, *(value.get(name) for name in WRAPPERS), *others]


def find_tensors(value):
    """dict of str to TorchTensor of a file's value: a state dict, or one in a script's wrapper."""
    for inner in _candidates(value):
        if not isinstance(inner, dict):
            continue
        tensors = {name: x for name, x in inner.items() if isinstance(x, TorchTensor)}
        if not tensors:
            continue
        if not all(isinstance(name, str) for name in tensors):
            raise ValueError("The keys of tensors must be strings")
        if (
            sum(math.prod(x.shape) * max(4, x.storage.dtype.itemsize) for x in tensors.values())
            > MAXIMUM_BYTES
        ):
            raise ValueError(f"The tensors must have at most {MAXIMUM_BYTES} bytes")
        return tensors
    raise ValueError(
        f"The file must hold a dictionary of tensors, at its top or as {', '.join(WRAPPERS)}"
    )
