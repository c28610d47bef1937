"""From a state dict with any names to the float model.

torchvision's names have a reader of their own. Of any other the structure is read from names of
modules, shapes and order: each depthwise convolution stands for a bottleneck, the 1x1 convolutions
in the same module belong to it, and what is left is the stem, the head, which MobileNetV1 has not,
and the classifier. So a prefix changes nothing, and tonylins', timm's and Hugging Face's names need
no tables.

Ref: tonylins/pytorch-mobilenet-v2 `MobileNetV2.py`; timm 1.0 `models/_efficientnet_blocks.py`;
Hugging Face transformers 4.57 `models/mobilenet_v2/modeling_mobilenet_v2.py`.
"""

from dataclasses import replace

from mnv2.golden.float_model import (
    IMAGENET_NORMALIZATION,
    KERAS_NORMALIZATION,
    BatchNormalization,
)
from mnv2.golden.importers.float_network import (
    FloatConvolution,
    as_float32,
    assemble_model,
    golden_axes,
)
from mnv2.golden.importers.torch_modules import find_modules, superfluous, tensor_name
from mnv2.golden.importers.torchvision_names import (
    MAXIMUM_BLOCKS,
    float_model_from_torchvision,
    has_torchvision_names,
)

#: Epsilon of PyTorch's normalisations, and of Hugging Face's, which are TensorFlow's.
EPSILON, TENSORFLOW_EPSILON = 1e-5, 1e-3
#: Of MobileNetV1, which is trained with ReLU too.
_RELU6_NOTE = "MobileNetV1's state dict does not name its activations: taken as ReLU6"
#: Last parts of the names of Hugging Face's modules.
_HUGGING_FACE = ("convolution", "normalization")


def float_model_from_state_dict(tensors, *, input_size=None, strides=None):
    """FloatModel of a state dict with torchvision's, tonylins', timm's, Hugging Face's or like
    names, with any prefix.

    No state dict says its padding, epsilon or normalisation of pixels: Hugging Face's is read as
    trained in TensorFlow (SAME padding, 1e-3, x / 127.5 - 1), any other as trained in PyTorch.

    Parameters
    ----------
    tensors : dict of str to array
        In the order of the file.
    input_size : int or (int, int), optional
        Rows and columns; 224 by default.
    strides : sequence of int, optional
        Of the stem and each block; by default the paper's, for 17 blocks.

    Raises
    ------
    ValueError
        If a tensor is missing or superfluous, or has another shape or type than the others ask
        for; it is named.
    """
    if has_torchvision_names(tensors):
        return float_model_from_torchvision(tensors, input_size=input_size, strides=strides)
    modules = find_modules(tensors)
    tensorflow = any(x.path[-1:] == _HUGGING_FACE[:1] for x in modules) and any(
        x.path[-1:] == _HUGGING_FACE[1:] for x in modules
    )
    reader = _Reader(modules, TENSORFLOW_EPSILON if tensorflow else EPSILON)
    stem, blocks, head, classifier = reader.read()
    model = assemble_model(
        stem,
        blocks,
        head,
        classifier,
        input_size=input_size,
        padding="tensorflow" if tensorflow else "pytorch",
        strides=strides,
        input_normalization=KERAS_NORMALIZATION if tensorflow else IMAGENET_NORMALIZATION,
    )
    return replace(model, notes=(_RELU6_NOTE,)) if head is None else model


class _Reader:
    """The modules of a state dict, given out to the layers of a network."""

    def __init__(self, modules, epsilon):
        self._modules, self._epsilon = modules, epsilon
        self._normalizations = {}

    def read(self):
        """(stem, blocks, head, classifier) as `assemble_model` takes them."""
        stem = self._find_stem()
        depthwise = [x for x in self._modules if x.is_depthwise]
        if not 1 <= len(depthwise) <= MAXIMUM_BLOCKS:
            raise ValueError(
                f"The file must hold 1 to {MAXIMUM_BLOCKS} bottlenecks, each with a depthwise "
                f"3x3 convolution, not {len(depthwise)}"
            )
        roots = _roots(depthwise, stem)
        inside = [[x for x in self._modules if x.is_in(root)] for root in roots]
        blocks = [
            self._order_block(center, members)
            for center, members in zip(depthwise, inside, strict=True)
        ]
        # The block that shares a module with the stem is the first, whatever it is called.
        first = next((i for i, members in enumerate(inside) if stem in members), None)
        if first is not None:
            self._pair([stem, *blocks[first]], inside[first])
            blocks.insert(0, blocks.pop(first))
            inside.insert(0, inside.pop(first))
        for block, members in list(zip(blocks, inside, strict=True))[first is not None :]:
            self._pair(block, members)
        taken = {id(x) for members in inside for x in members}
        outside = [x for x in self._modules if id(x) not in taken]
        head, classifier = self._find_head(outside, blocks)
        last = [classifier] if classifier in outside and not classifier.is_dense else []
        self._pair(
            [*([] if first is not None else [stem]), *([] if head is None else [head]), *last],
            outside,
        )
        return (
            self._part(stem),
            [(*[None] * (3 - len(block)), *map(self._part, block)) for block in blocks],
            None if head is None else self._part(head),
            self._part(classifier),
        )

    def _find_stem(self):
        """The one convolution of several taps that mixes channels."""
        full = [
            x
            for x in self._modules
            if x.weight.ndim == 4 and not x.is_pointwise and not x.is_depthwise
        ]
        if len(full) > 1:
            raise ValueError(
                f"The tensor {full[1].weight_name} must be depthwise, one filter a channel: only "
                f"the stem {full[0].weight_name} mixes channels in 3x3 taps"
            )
        if not full:
            raise ValueError(
                "The file must hold the tensors of MobileNetV2; a stem, a convolution of 3x3 taps "
                "that takes an image of 3 channels, is missing"
            )
        return full[0]

    def _order_block(self, depthwise, members):
        """The block's convolutions in order of execution: two, or three with an expansion."""
        pointwise = [x for x in members if x.is_pointwise]
        others = [x for x in members if x.is_dense]
        if others or len(pointwise) > 2:
            raise superfluous((others or pointwise[2:])[0].weight_name)
        if not pointwise:
            raise ValueError(
                f"The projection, a 1x1 convolution after {depthwise.weight_name}, is missing"
            )
        hidden = depthwise.weight.shape[0]
        if len(pointwise) == 1:
            return [depthwise, *pointwise]
        widens = [x.weight.shape[0] == hidden for x in pointwise]
        narrows = [x.weight.shape[1] == hidden for x in pointwise]
        if not (widens[0] and narrows[1]) and widens[1] and narrows[0]:
            pointwise.reverse()
        return [pointwise[0], depthwise, pointwise[1]]

    def _find_head(self, outside, blocks):
        """(head, classifier): the 1x1 convolutions and dense layers outside the blocks.

        MobileNetV1 has no head; none of its blocks has an expansion.
        """
        pointwise = [x for x in outside if x.is_pointwise]
        dense = [x for x in outside if x.is_dense]
        if len(pointwise) + len(dense) == 1 and all(len(block) == 2 for block in blocks):
            return None, (*pointwise, *dense)[0]
        if not pointwise:
            raise ValueError("The head, a 1x1 convolution after the blocks, is missing")
        head, *rest = pointwise
        last = [*rest, *dense]
        if not last:
            raise ValueError(
                "The classifier, a dense layer after the head, is missing: this is a network "
                "that ends in features; give one with its classifier"
            )
        if len(last) > 1:
            raise ValueError(
                f"The file must hold one dense layer, the classifier, not {len(last)}: "
                f"{', '.join(x.weight_name for x in last[:3])}"
            )
        return head, last[0]

    def _pair(self, convolutions, members):
        """Give each convolution its normalisation: that of its own module, else the next."""
        left = [x for x in members if x.is_normalization]
        count = len(left)
        for convolution in convolutions:
            parent = convolution.path[:-1]
            near = [x for x in left if x.path[:-1] == parent]
            alone = sum(x.path[:-1] == parent for x in convolutions) == 1
            if alone and len(near) == 1:
                self._normalizations[id(convolution)] = near[0]
                left.remove(near[0])
        without = [
            x for x in convolutions if id(x) not in self._normalizations and "bias" not in x.tensors
        ]
        if len(without) != len(left):
            where = convolutions[0].weight_name
            raise ValueError(
                f"The {len(convolutions)} convolutions from {where} on must each have a "
                f"normalisation or a bias, not {count} normalisations for them"
            )
        for convolution, normalization in zip(without, left, strict=True):
            self._normalizations[id(convolution)] = normalization

    def _fetch(self, module, part):
        name, value = tensor_name(module.name, part), module.tensors[part]
        if value.dtype != "float32":
            raise ValueError(f"The tensor {name} must hold floats, not {value.dtype}")
        return as_float32(name, value)

    def _part(self, module):
        bias = self._fetch(module, "bias") if "bias" in module.tensors else None
        found, normalization = self._normalizations.get(id(module)), None
        if found is not None:
            scale, offset, mean, variance = (
                self._fetch(found, part)
                for part in ("weight", "bias", "running_mean", "running_var")
            )
            normalization = BatchNormalization(scale, offset, mean, variance, self._epsilon)
        name = module.weight_name
        weights = golden_axes(name, self._fetch(module, "weight"), module.is_depthwise)
        return FloatConvolution(name, weights, bias, normalization)


def _roots(depthwise, stem):
    """Path of the outermost module that holds one depthwise convolution and no other, for each."""
    others = depthwise if len(depthwise) > 1 else [*depthwise, stem]
    roots = []
    for module in depthwise:
        path = module.path
        root = next(
            (
                path[:length]
                for length in range(len(path) + 1)
                if not any(x.is_in(path[:length]) for x in others if x is not module)
            ),
            path,
        )
        roots.append(root)
    return roots
