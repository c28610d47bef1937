"""Modules of a state dict, whatever their names: convolutions, dense layers, normalisations.

A state dict has no graph. What a module is follows from the shapes of its tensors; the order of
modules is that of the file, which is the order in which PyTorch registered them; or, where a file
has sorted its names (safetensors) or has them in no order, that of names with numbers compared as
numbers.

Ref: PyTorch `torch/nn/modules/`: conv.py [Cout, Cin / groups, K, K], linear.py [Cout, Cin],
batchnorm.py.
"""

import re
from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr

_STATISTICS = ("running_mean", "running_var")
_PARTS = ("weight", "bias", *_STATISTICS, "num_batches_tracked")
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, eq=False)
class Module:
    """One module with tensors of its own.

    Attributes
    ----------
    name : str
        Of the module in the file, without the name of a tensor.
    tensors : dict of str to array
        By the last part of the name: weight, bias, running_mean, running_var.
    """

    name: str
    tensors: dict[str, np.ndarray]

    __repr__ = short_repr

    @property
    def path(self):
        """The parts of the name, from the outermost module inwards."""
        return tuple(self.name.split("."))

    @property
    def weight(self):
        return self.tensors["weight"]

    @property
    def weight_name(self):
        return tensor_name(self.name, "weight")

    @property
    def is_normalization(self):
        return self.weight.ndim == 1

    @property
    def is_dense(self):
        return self.weight.ndim == 2

    @property
    def is_pointwise(self):
        """Whether it is a convolution of one tap."""
        return self.weight.ndim == 4 and self.weight.shape[2:] == (1, 1)

    @property
    def is_depthwise(self):
        """Whether it is a convolution of several taps with one filter for each channel."""
        return self.weight.ndim == 4 and not self.is_pointwise and self.weight.shape[1] == 1

    def is_in(self, root):
        """Whether the module lies in another, given by its path."""
        return self.path[: len(root)] == root


def tensor_name(module, part):
    """The name of a module's tensor; the outermost module has no name."""
    return f"{module}.{part}" if module else part


def natural_key(name):
    """A key that sorts names with their numbers as numbers: `conv.2` before `conv.10`."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in _DIGITS.split(name)
        if part
    )


def find_modules(tensors):
    """The modules of a state dict in order.

    Parameters
    ----------
    tensors : dict of str to array

    Returns
    -------
    list of Module
        Each has a weight of 1, 2 or 4 axes; those of 1 axis have statistics too.

    Raises
    ------
    ValueError
        If a tensor is missing, or belongs to no such module; it is named.
    """
    names = list(tensors)
    if names == sorted(names) or not _is_registered(names):
        names.sort(key=natural_key)
    found: dict[str, dict[str, np.ndarray]] = {}
    for name in names:
        value = tensors[name]
        module, _, part = name.rpartition(".")
        if value.ndim == 0 and value.dtype.kind in "iu":
            continue  # a counter: num_batches_tracked, n_averaged
        if part not in _PARTS:
            raise superfluous(name)
        found.setdefault(module, {})[part] = value
    modules = [Module(name, parts) for name, parts in found.items()]
    for module in modules:
        _check(module)
    return modules


def _is_registered(names):
    """Whether names may be in PyTorch's order: those of each module follow one another."""
    modules = [name.rpartition(".")[0] for name in names]
    changes = sum(a != b for a, b in zip(modules, modules[1:], strict=False))
    return changes < len(set(modules))


def superfluous(name):
    """ValueError for a tensor that no network of the family has."""
    return ValueError(
        f"The tensor {name} is superfluous: MobileNetV2 has none like it; a file must hold the "
        "network's tensors alone"
    )


def _check(module):
    parts = module.tensors
    if "weight" not in parts:
        raise ValueError(f"The tensor {module.weight_name} is missing")
    statistics = [part for part in _STATISTICS if part in parts]
    if module.weight.ndim not in (1, 2, 4) or (statistics and not module.is_normalization):
        raise superfluous(tensor_name(module.name, statistics[0] if statistics else "weight"))
    if module.is_normalization:
        for part in ("bias", *_STATISTICS):
            if part not in parts:
                raise ValueError(f"The tensor {tensor_name(module.name, part)} is missing")
