"""The layers of a Keras configuration, models within models flattened.

Ref: Keras 3.15 `models/functional.py`, `models/sequential.py`, `get_config`; Keras 2.15 the same,
whose `inbound_nodes` are lists [layer, node, tensor, arguments].
"""

import json
from dataclasses import dataclass, field
from typing import Any

from mnv2.golden.summary import short_repr

MAXIMUM_LAYERS, MAXIMUM_NESTING = 5000, 8
MODELS = ("Functional", "Model", "Sequential")
_MAXIMUM_VALUES = 100_000


@dataclass(eq=False)
class KerasLayer:
    """One layer.

    Attributes
    ----------
    kind, name : str
        Its class, and its name in the model.
    settings : dict
    sources : tuple of str
        Names of the layers whose outputs it takes; that of a model stands for the model's input.
    constants : list
        Numbers that it is called with, or lists of them.
    container : tuple of str
        Names of the models that it lies in, from the outermost inwards, without the whole one.
    """

    kind: str
    name: str
    settings: dict[str, Any]
    sources: tuple[str, ...] = ()
    constants: list[Any] = field(default_factory=list)
    container: tuple[str, ...] = ()

    __repr__ = short_repr


def parse_layers(text):
    """The KerasLayers of a configuration's JSON in order, text or bytes.

    A model within the model is a layer too, and those in it follow it.

    Raises
    ------
    ValueError
        If it is no such configuration.
    """
    found: list[KerasLayer] = []
    try:
        top = json.loads(text)
        config = top["config"]
        if isinstance(config, list):  # a Sequential before Keras 2.3
            config = {"layers": config}
        _flatten(top.get("class_name"), config, (), found)
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError, IndexError):
        raise ValueError("The configuration must be Keras' JSON of a model of layers") from None
    return found


def _flatten(kind, config, container, found):
    if len(container) > MAXIMUM_NESTING:
        raise ValueError
    before = None
    for entry in config["layers"]:
        if len(found) >= MAXIMUM_LAYERS:
            raise ValueError
        settings = entry["config"]
        # Keras 2 repeats the name outside the settings; a nested model has it in there as well.
        layer = KerasLayer(entry["class_name"], settings["name"], settings, container=container)
        if not isinstance(layer.kind, str) or not isinstance(layer.name, str):
            raise TypeError
        calls = entry.get("inbound_nodes")
        if calls:
            values: list[Any] = []
            layer.sources = _read_call(calls[0], values)
            layer.constants = values
        elif before is not None and kind == "Sequential":
            layer.sources = (before,)
        before = layer.name
        found.append(layer)
        if layer.kind in MODELS:
            _flatten(layer.kind, settings, (*container, layer.name), found)


def _read_call(call, constants):
    """Names of the layers that a call takes tensors of; its constants go into the list."""
    sources: list[str] = []
    if isinstance(call, dict):
        values = [call.get("args", [])]
        values += [x for name, x in (call.get("kwargs") or {}).items() if name not in _SWITCHES]
        _read_value(values, sources, constants)
    else:  # Keras 2: a list of tensors, or one
        for item in [call] if call and isinstance(call[0], str) else call:
            name, *_ = item
            sources.append(name)
            arguments = item[3] if len(item) > 3 else {}
            for what, value in arguments.items():
                if what not in _SWITCHES and not isinstance(value, str | bool | None):
                    constants.append(value)
    if not all(isinstance(x, str) for x in sources):
        raise TypeError
    return tuple(sources)


#: Arguments of a call that are no data.
_SWITCHES = ("training", "mask", "name")


def _read_value(value, sources, constants):
    """Read one argument: a tensor of another layer, numbers, or a list of either."""
    if isinstance(value, dict):
        config = value.get("config") or {}
        if value.get("class_name") == "__keras_tensor__":
            sources.append(config["keras_history"][0])
        elif "value" in config:  # __tensor__, __numpy__
            constants.append(config["value"])
    elif isinstance(value, list) and value and all(_is_numbers(x) for x in value):
        constants.append(value)
    elif isinstance(value, list):
        for item in value[:_MAXIMUM_VALUES]:
            _read_value(item, sources, constants)
    elif _is_numbers(value):
        constants.append(value)


def _is_numbers(value):
    """Whether it is a number, or lists of nothing else."""
    if isinstance(value, list):
        return bool(value) and all(_is_numbers(x) for x in value)
    return isinstance(value, int | float) and not isinstance(value, bool)
