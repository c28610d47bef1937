"""The places of each layer's variables in Keras's HDF5 files.

Three layouts are known: Keras 2's groups by layer name (`Conv1/Conv1/kernel:0`, in a whole model
under `model_weights`), Keras 3's of the same kind without `:0`, and Keras 3's by class
(`layers/conv2d_3/vars/0`), where a newer Keras notes the layer's name with the variables and an
older one leaves the order of the layers. A model within the model has groups of its own in each.

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
    "normalization": ("mean", "variance"),
}
#: Names of keras.applications' layers, to know a model within a file of weights alone.
_KNOWN = re.compile(
    r"Conv1|bn_Conv1|Conv_1|Conv_1_bn|(expanded_conv|block_\d{1,3})_(expand|depthwise|project)(_BN)?"
    r"|conv1(_bn)?|conv_(dw|pw)_\d{1,3}(_bn)?|conv_preds"
)


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
        found = _by_name(arrays, config)
    variables: dict[str, dict[str, np.ndarray]] = {}
    for path, layer, variable in found:
        if variable in variables.setdefault(layer, {}):
            raise ValueError(f"The tensor {layer}/{variable} must appear once; {path} is another")
        variables[layer][variable] = arrays[path]
    return variables


def _by_name(arrays, config):
    for path in arrays:
        parts = path.split("/")
        if parts[0] == _WHOLE_MODEL:
            parts = parts[1:]
        if len(parts) < 2:
            raise ValueError(f"The tensor {path[:80]} must lie in the group of a layer")
        variable = parts[-1].partition(":")[0]
        yield path, _layer_of(parts[:-1], config), _NAMES.get(variable, variable)


def _layer_of(groups, config):
    """The layer that a tensor's groups name, from the outermost inwards: models come first."""
    if config is not None:
        return next((x for x in reversed(groups) if x in config), groups[0])
    inner = groups[-1]
    nested = _KNOWN.fullmatch(inner) and not _KNOWN.fullmatch(groups[0])
    return inner if nested else groups[0]


def _by_class(arrays, texts, config):
    counts: dict[str, set[tuple[str, int]]] = {}
    for path in arrays:
        if match := _NUMBERED.fullmatch(path):
            counts.setdefault(match[2], set()).add((match[1], int(match[3] or 0)))
    blocks = len(counts.get("depthwise_conv2d", ()))
    orders: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for path in arrays:
        match = _NUMBERED.fullmatch(path)
        if match is None or match[2] not in _ORDER:
            raise ValueError(
                f"The tensor {path[:80]} is superfluous: MobileNetV2 has no layer of its kind"
            )
        kind, index, position = match[2], int(match[3] or 0), int(match[4])
        layer = texts.get(f"{path.rpartition('/')[0]}@name")
        if layer is None:
            container = _container(path, match[1], config)
            if container not in orders:
                orders[container] = _layer_order(config, blocks, container)
            order = orders[container][kind]
            layer = order[index] if index < len(order) else None
        if layer is None or position >= len(_ORDER[kind]):
            raise ValueError(
                f"The tensor {path[:80]} is superfluous: MobileNetV2 has no such tensor"
            )
        yield path, layer, _ORDER[kind][position]


def _container(path, groups, config):
    """Names of the models that a group of layers belongs to: `layers/functional/layers/`."""
    parts = groups.split("/")[:-1]
    if parts[:1] != ["layers"] or any(x != "layers" for x in parts[::2]) or len(parts) % 2 == 0:
        raise ValueError(f"The tensor {path[:80]} must lie in the group of a layer")
    container: tuple[str, ...] = ()
    for part in parts[1::2]:
        match = re.fullmatch(r"([a-z]+?)(?:_(\d{1,4}))?", part)
        index = int(match[2] or 0) if match else 0
        models = [] if config is None or not match else config.names_of(match[1], container)
        if index >= len(models):
            raise ValueError(
                f"The tensor {path[:80]} lies in a model within the model, whose layers the file "
                "does not name: save the whole model, model.save('model.keras')"
            )
        container = (*container, models[index])
    return container


def _layer_order(config, blocks, container):
    """Names of each class's layers in order: the configuration's, or keras.applications'."""
    if config is not None:
        return {kind: config.names_of(kind, container) for kind in _ORDER}
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
        "normalization": [],
    }
