"""From torchvision's names of MobileNetV2's tensors to the float model.

Ref: torchvision 0.6 to 0.29 `models/mobilenetv2.py`: features.0 is the stem, features.1 to
features.N the blocks, features.N+1 the head, classifier.1 the classifier; weights are
[Cout, Cin / groups, K, K].
"""

import re

from mnv2.golden.float_model import BatchNormalization, FloatModel
from mnv2.golden.importers.float_network import (
    FloatConvolution,
    as_float32,
    assemble_model,
    golden_axes,
)

_STEM = "features.0.0.weight"
_BLOCK = re.compile(r"features\.(\d{1,3})\.conv\.(\d)\.")
MAXIMUM_BLOCKS = 200


def layer_prefixes(network):
    """Name of each convolution in torchvision's dictionary and of its normalisation, by layer."""
    prefixes: dict[str, tuple[str, str | None]] = {"stem": ("features.0.0", "features.0.1")}
    for block in network.blocks:
        names = _block_prefixes(block.index, block.expand is not None)
        prefixes |= zip((layer.name for layer in block.layers), names, strict=True)
    last = len(network.blocks) + 1
    prefixes["head"] = (f"features.{last}.0", f"features.{last}.1")
    prefixes["classifier"] = ("classifier.1", None)
    return prefixes


def _block_prefixes(index, expanded):
    """(convolution, normalisation) of expand, if there is one, depthwise and project."""
    root = f"features.{index}.conv"
    inner = [(f"{root}.{i}.0", f"{root}.{i}.1") for i in range(1 + expanded)]
    return [*inner, (f"{root}.{len(inner)}", f"{root}.{len(inner) + 1}")]


def has_torchvision_names(tensors):
    """Whether tensors have torchvision's names, perhaps after a prefix that all of them share.

    A dense layer of another name makes it another network.
    """
    prefix = next((name[: -len(_STEM)] for name in tensors if name.endswith(_STEM)), "")
    return (
        f"{prefix}features.1.conv.0.0.weight" in tensors
        and all(name.startswith(prefix) for name in tensors)
        and all(
            name == f"{prefix}classifier.1.weight"
            for name, value in tensors.items()
            if value.ndim == 2
        )
    )


def _without_prefix(tensors):
    """The same tensors without a prefix that all names share, such as `module.`."""
    if _STEM in tensors:
        return tensors
    prefix = next((name[: -len(_STEM)] for name in tensors if name.endswith("." + _STEM)), None)
    if prefix is None:
        raise ValueError(
            f"The file must hold torchvision's tensors of MobileNetV2; {_STEM} is missing"
        )
    for name in tensors:
        if not name.startswith(prefix):
            raise ValueError(f"The tensor {name} is superfluous: others begin with {prefix}")
    return {name[len(prefix) :]: value for name, value in tensors.items()}


def float_model_from_torchvision(tensors, network=None, *, input_size=None, strides=None):
    """FloatModel of a dictionary with torchvision's names.

    Parameters
    ----------
    tensors : dict of str to array
        As `torch_checkpoint.read_checkpoint` gives it. Names may share a prefix (`module.`).
    network : Network, optional
        The architecture that it must be; by default what the shapes say.
    input_size : int or (int, int), optional
        Rows and columns, which no such file states; by default the network's, or 224.
    strides : sequence of int, optional
        Of the stem and each block; by default the network's, or the paper's for 17 blocks.

    Raises
    ------
    ValueError
        If a tensor is missing or superfluous, or has another shape or type than the others ask
        for.
    """
    tensors = _without_prefix(tensors)
    used = set()

    def fetch(name, dimensions):
        value = tensors.get(name)
        if value is None:
            raise ValueError(f"The tensor {name} is missing")
        if value.dtype != "float32" or value.ndim != dimensions:
            raise ValueError(
                f"The weights must hold a float32 tensor {name} with {dimensions} "
                f"axes, not {value.dtype} {value.shape}"
            )
        used.add(name)
        return as_float32(name, value)

    def convolution(weights, normalization, depthwise=False):
        name = f"{weights}.weight"
        norm = BatchNormalization(
            *(
                fetch(f"{normalization}.{part}", 1)
                for part in ("weight", "bias", "running_mean", "running_var")
            )
        )
        used.add(f"{normalization}.num_batches_tracked")
        return FloatConvolution(name, golden_axes(name, fetch(name, 4), depthwise), None, norm)

    numbers: dict[int, set[int]] = {}
    for name in tensors:
        if match := _BLOCK.match(name):
            numbers.setdefault(int(match[1]), set()).add(int(match[2]))
    count = max(numbers, default=0)
    if not 1 <= count <= MAXIMUM_BLOCKS:
        raise ValueError(
            "The file must hold blocks features.1.conv to features.N.conv, at most "
            f"{MAXIMUM_BLOCKS}, not {count}"
        )
    stem = convolution("features.0.0", "features.0.1")
    blocks = []
    for index in range(1, count + 1):
        *inner, project = _block_prefixes(index, 3 in numbers.get(index, ()))
        parts = [
            convolution(weights, norm, depthwise=place == len(inner))
            for place, (weights, norm) in enumerate(inner, 1)
        ]
        blocks.append((*([None] if len(parts) == 1 else []), *parts, convolution(*project)))
    head = convolution(f"features.{count + 1}.0", f"features.{count + 1}.1")
    name = "classifier.1.weight"
    classifier = FloatConvolution(
        name, golden_axes(name, fetch(name, 2)), fetch("classifier.1.bias", 1)
    )
    for name in tensors:
        if name not in used:
            raise ValueError(f"The tensor {name} is superfluous: MobileNetV2 has none of that name")
    padding = "pytorch"
    if network is not None:
        padding, input_size = network.padding, network.input_shape[:2]
        strides = (network.stem.stride, *(block.stride for block in network.blocks))
    model = assemble_model(
        stem, blocks, head, classifier, input_size=input_size, padding=padding, strides=strides
    )
    if network is None:
        return model
    if len(model.network.layers) != len(network.layers):
        raise ValueError(
            f"The file must hold {len(network.layers) - 1} convolutions, not "
            f"{len(model.network.layers) - 1}"
        )
    for layer, wanted in zip(model.network.layers, network.layers, strict=True):
        if layer != wanted:
            raise ValueError(
                f"The tensor {layer_prefixes(network)[wanted.name][0]}.weight must "
                f"make {wanted.output_channels} channels of "
                f"{wanted.input_channels}, not {layer.output_channels} of "
                f"{layer.input_channels}"
            )
    return FloatModel(network, model.layers, model.input_normalization)
