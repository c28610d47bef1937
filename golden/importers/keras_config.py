"""The architecture in a Keras file's configuration, checked against the family's.

Ref: Keras 3.15 `layers/*`, `get_config`; Keras 2.3 the same, whose InputLayer says
`batch_input_shape`.
"""

import re
from typing import Any

from mnv2.golden.importers.float_network import IMAGE_CHANNELS
from mnv2.golden.importers.keras_layers import MODELS, parse_layers
from mnv2.golden.importers.keras_preprocessing import (
    IDENTITIES,
    find_preprocessing,
)
from mnv2.golden.network import PADDINGS, output_size, stride_padding

_CLASSES = (
    "InputLayer",
    "Conv2D",
    "DepthwiseConv2D",
    "BatchNormalization",
    "ReLU",
    "Add",
    "ZeroPadding2D",
    "GlobalAveragePooling2D",
    "AveragePooling2D",
    "Dense",
    "Activation",
    "Softmax",
    "Flatten",
    "Reshape",
    *IDENTITIES,
    *MODELS,
)
_ACTIVATIONS = ("linear", "softmax", "sigmoid", None)


def _snake_case(name):
    """Ref: Keras 3.15 `utils/naming.py`, `to_snake_case`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class KerasConfig:
    """The layers of a model's configuration, in order, those of models within it too.

    Parameters
    ----------
    layers : list of KerasLayer

    Attributes
    ----------
    preprocessing : list of KerasLayer
        Those before the stem that compute with constants.

    Raises
    ------
    ValueError
        If a layer is not of the family, or works in another way than the family's.
    """

    def __init__(self, layers):
        inputs = [x for x in layers if x.kind == "InputLayer" and x.container]
        self._records = layers
        self._inputs = [x for x in layers if x.kind == "InputLayer" and not x.container] or inputs
        self._inner_inputs = inputs
        self.preprocessing = find_preprocessing(layers)
        self._layers = [
            (x.kind, x.name, x.settings)
            for x in layers
            if x not in inputs and x not in self.preprocessing
        ]
        self._settings = {name: settings for _, name, settings in self._layers}
        if len(self._settings) != len(self._layers):
            raise ValueError("The layers of a configuration must have names of their own")
        for kind, name, settings in self._layers:
            if kind not in _CLASSES:
                raise ValueError(
                    f"The layer {name[:80]} must be one of MobileNetV2's, not of the "
                    f"class {kind[:80]}"
                )
            _check_layer(kind, name, settings)

    @classmethod
    def parse(cls, text):
        """The KerasConfig of JSON text or bytes."""
        return cls(parse_layers(text))

    def __contains__(self, name):
        return name in self._settings or any(x.name == name for x in self.preprocessing)

    def names_of(self, kind, container=()):
        """Names of the layers of a model whose class reads so in snake case, in order."""
        return [
            x.name
            for x in self._records
            if _snake_case(x.kind) == kind and x.container == container
        ]

    def _get(self, name):
        if name not in self._settings:
            raise ValueError(f"The layer {name} is missing in the configuration")
        return self._settings[name]

    def epsilon(self, name):
        """A BatchNormalization layer's epsilon."""
        value = self._get(name).get("epsilon")
        if not isinstance(value, float) or not 0 <= value < 1:
            raise ValueError(f"The epsilon of {name} must be from 0 to below 1, not {value!r}")
        return value

    def input_size(self):
        """(rows, columns) of the input; None where any size is taken."""
        if len(self._inputs) != 1:
            raise ValueError(f"The model must have one input layer, not {len(self._inputs)}")
        sizes = [_input_shape(x) for x in (*self._inputs, *self._inner_inputs)]
        return tuple(
            next((size[axis] for size in sizes if size[axis] is not None), None) for axis in (0, 1)
        )

    def channels(self):
        """Channels of the input, 1 or 3, int."""
        found = {_input_shape(x)[2] for x in (*self._inputs, *self._inner_inputs)}
        if len(found) != 1:
            raise ValueError(f"The model's inputs must have the same channels, not {sorted(found)}")
        return found.pop()

    def pool_size(self):
        """(rows, columns) of an AveragePooling2D; None where the mean is of the whole map."""
        sizes = [x.get("pool_size") for kind, _, x in self._layers if kind == "AveragePooling2D"]
        if len(sizes) > 1:
            raise ValueError("The model must have one pool, after the head")
        return tuple(sizes[0]) if sizes and isinstance(sizes[0], list) else None

    def strides(self, strided):
        """Strides of the stem and of each block, given their names: 1 or 2."""
        for kind, name, settings in self._layers:
            value = settings.get("strides")
            allowed = ([1, 1], [2, 2]) if name in strided else ([1, 1],)
            if kind in ("Conv2D", "DepthwiseConv2D") and value not in allowed:
                raise ValueError(
                    f"The strides of {name[:80]} must be "
                    f"{' or '.join(map(str, allowed))}, not {str(value)[:80]}"
                )
        return [self._get(name)["strides"][0] for name in strided]

    def padding(self, layers, strides, size):
        """Which of `mnv2.golden.network.PADDINGS` the strided layers pad like.

        Keras pads them in a layer of its own, or has the convolution do it ("same").

        Parameters
        ----------
        layers : list of (str, str)
            The stem and each depthwise convolution, and the layer that may pad it.
        strides : list of int
        size : (int, int)
        """
        possible = list(PADDINGS)[::-1]
        for (name, pad), stride in zip(layers, strides, strict=True):
            mode = self._get(name).get("padding")
            if pad in self._settings and mode == "valid":
                pads = self._get(pad).get("padding")
                fits = [
                    x
                    for x in possible
                    if pads == [list(stride_padding(n, stride, x)) for n in size]
                ]
            elif pad not in self._settings and mode == "same":
                pads = mode
                fits = [
                    x
                    for x in possible
                    if x == "tensorflow"
                    or all(
                        stride_padding(n, stride, x) == stride_padding(n, stride, "tensorflow")
                        for n in size
                    )
                ]
            else:
                pads, fits = mode, []
            if not fits:
                raise ValueError(
                    f"The layer {name} must pad as TensorFlow or PyTorch do, all "
                    f"layers alike, not {str(pads)[:80]}"
                )
            possible = fits
            size = tuple(output_size(n, stride) for n in size)
        return possible[0]

    def check_between(self, network, relus, adds):
        """ValueError unless the ReLU6 and Add layers are just those.

        Parameters
        ----------
        network : str
            Its name.
        relus, adds : set of str
            Names of layers.
        """
        for wanted_kind, wanted in (("ReLU", relus), ("Add", adds)):
            found = {name for kind, name, _ in self._layers if kind == wanted_kind}
            for name in sorted(wanted - found):
                raise ValueError(f"The layer {name} is missing in the configuration")
            for name in sorted(found - wanted):
                raise ValueError(
                    f"The layer {name[:80]} is superfluous: {network} has no {wanted_kind} there"
                )


def _input_shape(layer):
    """[rows, columns, channels] of an input layer, either of the first two None."""
    settings = layer.settings
    shape = settings.get("batch_shape", settings.get("batch_input_shape"))
    if not isinstance(shape, list) or len(shape) != 4 or shape[3] not in IMAGE_CHANNELS:
        raise ValueError(
            f"The model's input must be rows, columns and 3 channels or 1, not {str(shape)[:80]}"
        )
    return shape[1:4]


def _check_layer(kind, name, settings):
    wanted: dict[str, tuple[Any, ...]] = {"data_format": ("channels_last", None)}
    if kind in ("Conv2D", "DepthwiseConv2D"):
        wanted |= {
            "dilation_rate": ([1, 1], None),
            "activation": ("linear", None),
            "groups": (1, None),
            "depth_multiplier": (1, None),
        }
    elif kind == "BatchNormalization":
        wanted |= {
            "axis": (-1, 3, [3], [-1]),
            "center": (True,),
            "scale": (True,),
            "renorm": (False, None),
        }
    elif kind == "ReLU":
        wanted |= {
            "max_value": (6.0,),
            "negative_slope": (0, None, [0.0]),
            "threshold": (0, None, [0.0]),
        }
    elif kind in ("Dense", "Activation"):
        wanted |= {"activation": _ACTIVATIONS}
    elif kind in MODELS:
        return
    for setting, values in wanted.items():
        value = settings.get(setting)
        if isinstance(value, dict):  # Keras 2.13 and later may wrap these
            value = value.get("config", value)
        if value not in values:
            raise ValueError(
                f"The layer {name[:80]} must have the {setting} {values[0]}, not {str(value)[:80]}"
            )
