"""Small files of float networks."""

import numpy as np


def float_file(network, rng):
    """torchvision's names in a file of safetensors."""
    from safetensors.numpy import save

    tensors = {}

    def add(root, norm, shape, bias=False):
        tensors[f"{root}.weight"] = rng.normal(0, 0.3, shape).astype(np.float32)
        if bias:
            tensors[f"{root}.bias"] = np.zeros(shape[0], np.float32)
        if norm:
            for name, value in (
                ("weight", 1),
                ("bias", 0),
                ("running_mean", 0),
                ("running_var", 1),
            ):
                tensors[f"{norm}.{name}"] = np.full(shape[0], value, np.float32)

    add("features.0.0", "features.0.1", (network.stem.output_channels, 3, 3, 3))
    for block in network.blocks:
        root = f"features.{block.index}.conv"
        inner = 0
        for layer in block.layers:
            last = layer.kind == "project"
            names = (
                (f"{root}.{inner}", f"{root}.{inner + 1}")
                if last
                else (f"{root}.{inner}.0", f"{root}.{inner}.1")
            )
            shape = (
                (layer.output_channels, 1, 3, 3)
                if layer.kind == "depthwise"
                else (layer.output_channels, layer.input_channels, 1, 1)
            )
            add(*names, shape)
            inner += 1
    head, classifier = network.head, network.classifier
    last = len(network.blocks) + 1
    add(
        f"features.{last}.0",
        f"features.{last}.1",
        (head.output_channels, head.input_channels, 1, 1),
    )
    add("classifier.1", None, (classifier.output_channels, classifier.input_channels), bias=True)
    return save(tensors)
