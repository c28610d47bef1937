"""The places of each layer's variables in Keras's HDF5 files.

Three layouts are known: Keras 2's groups by layer name (`Conv1/Conv1/kernel:0`, in a whole model
under `model_weights`), Keras 3's of the same kind without `:0`, and Keras 3's by class
(`layers/conv2d_3/vars/0`), where a newer Keras notes the layer's name with the variables and an
older one leaves the order of the layers.

Ref: Keras 3.15 `legacy/saving/legacy_h5_format.py`, `saving/saving_lib.py`.
"""

import re

import numpy as np

MAXIMUM_BLOCKS = 200
_WHOLE_MODEL = "model_weights"
_NAMES = {"depthwise_kernel": "kernel"}
_NUMBERED = re.compile(r"((?:[^/]+/)*)([a-z0-9_]+?)(?:_(\d+))?/vars/(\d+)")
#: Variables in the order in which a layer of a class makes them.
_ORDER = {
    "conv2d": ("kernel", "bias"),
    "depthwise_conv2d": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}


def find_variables(arrays, texts, config):
    """dict of layer name to dict of variable name to array.

    Parameters
    ----------
    arrays, texts : dict
        Of `hdf5_file.parse_hdf5`.
    config : KerasConfig or None
        Whose layers' order names what the file does not name.

    Raises
    ------
    ValueError
        If the paths are of no known layout, or one layer's variable appears twice.
    """
    if any("/vars/" in path for path in arrays):
        found = _by_class(arrays, texts, config)
    else:
        found = _by_name(arrays)
    variables: dict[str, dict[str, np.ndarray]] = {}
    for path, layer, variable in found:
        if variable in variables.setdefault(layer, {}):
            raise ValueError(f"The tensor {layer}/{variable} must appear once; {path} is another")
        variables[layer][variable] = arrays[path]
    return variables


def _by_name(arrays):
    for path in arrays:
        parts = path.split("/")
        if parts[0] == _WHOLE_MODEL:
            parts = parts[1:]
        if len(parts) < 2:
            raise ValueError(f"The tensor {path[:80]} must lie in the group of a layer")
        variable = parts[-1].partition(":")[0]
        yield path, parts[0], _NAMES.get(variable, variable)


def _by_class(arrays, texts, config):
    counts: dict[str, set[int]] = {}
    for path in arrays:
        if match := _NUMBERED.fullmatch(path):
            counts.setdefault(match[2], set()).add(int(match[3] or 0))
    order = _layer_order(config, len(counts.get("depthwise_conv2d", ())))
    for path in arrays:
        match = _NUMBERED.fullmatch(path)
        if match is None or match[2] not in _ORDER or match[1] != "layers/":
            raise ValueError(
                f"The tensor {path[:80]} must be that of a layer of MobileNetV2 (a "
                "model within a model is not read)"
            )
        kind, index, position = match[2], int(match[3] or 0), int(match[4])
        layer = texts.get(f"{path.rpartition('/')[0]}@name")
        if layer is None and index < len(order[kind]):
            layer = order[kind][index]
        if layer is None or position >= len(_ORDER[kind]):
            raise ValueError(
                f"The tensor {path[:80]} is superfluous: MobileNetV2 has no such tensor"
            )
        yield path, layer, _ORDER[kind][position]


def _layer_order(config, blocks):
    """Names of each class's layers in order: the configuration's, or keras.applications'."""
    if config is not None:
        return {kind: config.names_of(kind) for kind in _ORDER}
    names = [
        "expanded_conv",
        *(f"block_{index}" for index in range(1, min(blocks, MAXIMUM_BLOCKS))),
    ]
    inner = [
        f"{name}_{part}"
        for name in names
        for part in ("expand", "depthwise", "project")
        if (name, part) != ("expanded_conv", "expand")
    ]
    return {
        "conv2d": ["Conv1", *(x for x in inner if not x.endswith("_depthwise")), "Conv_1"],
        "depthwise_conv2d": [x for x in inner if x.endswith("_depthwise")],
        "batch_normalization": ["bn_Conv1", *(f"{x}_BN" for x in inner), "Conv_1_bn"],
        "dense": ["predictions"],
    }
