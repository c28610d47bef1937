"""Keras' files, `.h5`, `.weights.h5` and `.keras`, of Keras 2 and 3, to the float model.

`keras_layout` finds each layer's variables and `keras_config` what the configuration says, if the
file has one; here they become keras.applications' MobileNetV2 or MobileNet, by its layers' names.

Ref: Keras 3.15 `applications/mobilenet_v2.py`; Keras 2.3 the same.
"""

from dataclasses import replace

import numpy as np

from mnv2.golden.float_model import KERAS_NORMALIZATION, BatchNormalization
from mnv2.golden.importers.float_network import (
    FloatConvolution,
    agree_on_size,
    as_float32,
    assemble_model,
)
from mnv2.golden.importers.hdf5_file import parse_hdf5
from mnv2.golden.importers.keras_config import KerasConfig
from mnv2.golden.importers.keras_layout import MAXIMUM_BLOCKS, find_variables
from mnv2.golden.importers.keras_names import find_names
from mnv2.golden.importers.keras_preprocessing import fold_preprocessing
from mnv2.golden.importers.zip_members import ZipMembers

#: keras.applications' epsilon, for files that hold weights alone.
EPSILON = 1e-3
#: The classifier of keras.applications' MobileNet.
_CONVOLUTION = "conv_preds"
CONFIG_MEMBER, WEIGHTS_MEMBER = "config.json", "model.weights.h5"


def parse_keras_zip(data, input_size=None, strides=None):
    """FloatModel of the bytes of a `.keras` file; see `parse_keras_hdf5`."""
    members = ZipMembers(data)
    config = KerasConfig.parse(members.read(CONFIG_MEMBER, 2**24))
    arrays, texts = parse_hdf5(members.read(WEIGHTS_MEMBER))
    return _build(arrays, texts, config, input_size, strides)


def parse_keras_hdf5(data, input_size=None, strides=None):
    """FloatModel of the bytes of an `.h5` file, of a whole model or of weights alone.

    Parameters
    ----------
    data : bytes
    input_size : int or (int, int), optional
        Rows and columns where the file does not state them; 224 by default.
    strides : sequence of int, optional
        Of the stem and each block, where the file does not state them; by default the paper's.

    Raises
    ------
    ValueError
        If it is not such a file, or a layer or tensor is missing, superfluous or misshapen.
    """
    arrays, texts = parse_hdf5(data)
    text = texts.get("@model_config")
    return _build(arrays, texts, KerasConfig.parse(text) if text else None, input_size, strides)


class _Layers:
    """Variables by layer, of which each is to be used."""

    def __init__(self, variables, config):
        self._variables, self._config, self._used = variables, config, set()

    def _fetch(self, layer, variable, dimensions):
        found = self._variables.get(layer)
        if found is None:
            raise ValueError(f"The layer {layer} is missing")
        name = f"{layer}/{variable}"
        if variable not in found:
            raise ValueError(f"The tensor {name} is missing")
        value = as_float32(name, found[variable])
        if value.ndim != dimensions:
            raise ValueError(f"The tensor {name} must have {dimensions} axes, not {value.ndim}")
        self._used.add((layer, variable))
        return value

    def _bias(self, layer):
        has = "bias" in self._variables.get(layer, ())
        return self._fetch(layer, "bias", 1) if has else None

    def _normalization(self, layer):
        if layer is None:
            return None
        scale, offset, mean, variance = (
            self._fetch(layer, part, 1)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        epsilon = EPSILON if self._config is None else self._config.epsilon(layer)
        return BatchNormalization(scale, offset, mean, variance, epsilon)

    def convolution(self, layer, normalization):
        """A 3x3 or 1x1 convolution and its normalisation."""
        weights = self._fetch(layer, "kernel", 4)
        if weights.shape[:2] == (1, 1):
            weights = weights[0, 0]
        return FloatConvolution(
            f"{layer}/kernel", weights, self._bias(layer), self._normalization(normalization)
        )

    def depthwise(self, layer, normalization):
        """A depthwise convolution and its normalisation."""
        weights = self._fetch(layer, "kernel", 4)
        if weights.shape[3] != 1:
            raise ValueError(
                f"The tensor {layer}/kernel must hold one filter a channel, not {weights.shape[3]}"
            )
        return FloatConvolution(
            f"{layer}/kernel",
            np.ascontiguousarray(weights[..., 0]),
            self._bias(layer),
            self._normalization(normalization),
        )

    def classifier(self):
        """The only layer of two axes: `predictions`, or what a finer training called it.

        Or MobileNet's own, a convolution of one pixel.
        """
        if _CONVOLUTION in self._variables:
            return self.convolution(_CONVOLUTION, None)
        names = [
            name
            for name, found in self._variables.items()
            if getattr(found.get("kernel"), "ndim", 0) == 2
        ]
        if len(names) != 1:
            raise ValueError(
                "The file must hold one dense layer, the classifier, not "
                f"{len(names)}{': ' + ', '.join(names[:3]) if names else ''}"
            )
        return FloatConvolution(
            f"{names[0]}/kernel", self._fetch(names[0], "kernel", 2), self._bias(names[0])
        )

    def refuse_others(self, network):
        """ValueError if a variable was not asked for."""
        for layer, found in self._variables.items():
            for variable in found:
                if (layer, variable) not in self._used:
                    raise ValueError(
                        f"The tensor {layer}/{variable} is superfluous: {network} "
                        "has none of that name"
                    )


def _build(arrays, texts, config, input_size, strides):
    variables = find_variables(arrays, texts, config)
    folded = None
    if config is not None:
        folded = fold_preprocessing(config.preprocessing, variables)
        for layer in config.preprocessing:
            variables.pop(layer.name, None)
    layers = _Layers(variables, config)
    names = find_names(variables)
    count = len(names.blocks)
    if count > MAXIMUM_BLOCKS:
        raise ValueError(f"The file must hold at most {MAXIMUM_BLOCKS} blocks, not {count}")
    stem = layers.convolution(*names.stem[:2])
    blocks = []
    for block in names.blocks:
        expand = None
        if block["expand"] in variables:
            expand = layers.convolution(block["expand"], block["expand_BN"])
        blocks.append(
            (
                expand,
                layers.depthwise(block["depthwise"], block["depthwise_BN"]),
                layers.convolution(block["project"], block["project_BN"]),
            )
        )
    head = None if names.head is None else layers.convolution(*names.head[:2])
    classifier = layers.classifier()
    layers.refuse_others(names.network)
    padding = "tensorflow"
    if config is None:
        input_size = agree_on_size(input_size, (None, None))
    else:
        input_size = agree_on_size(input_size, config.input_size())
        strides = config.strides([name for name, _ in names.strided])
        padding = config.padding(names.strided, strides, input_size)
    model = assemble_model(
        stem,
        blocks,
        head,
        classifier,
        input_size=input_size,
        padding=padding,
        strides=strides,
        input_normalization=KERAS_NORMALIZATION if folded is None else folded[0],
        image_channels=None if config is None else config.channels(),
    )
    if folded is not None:
        model = replace(model, notes=(folded[1],))
    if config is not None:
        made = model.network.blocks
        pool, whole = config.pool_size(), model.network.pool.input_shape[:2]
        if pool is not None and pool != whole:
            raise ValueError(
                f"The pool must take the mean of the whole map, {whole}, not of {pool}"
            )
        config.check_between(
            names.network,
            names.relus([block.expand is not None for block in made]),
            names.adds([block.residual for block in made]),
        )
    return model
