"""Writes the files of this folder: MobileNetV2 as Keras saves it, and what Keras predicts.

    KERAS_BACKEND=jax python make.py keras .           Keras 3 (keras, jax)
    TF_USE_LEGACY_KERAS=1 python make.py keras2 .      Keras 2 (tf_keras, tensorflow)

The files here are of keras 3.15.1 with jax 0.10.2, and of tf_keras 2.21.0. The weights are random
multiples of 1/32, so that the files compress well; the network is keras.applications' at a width
multiplier of 0.05. `predictions.npz` holds two images and the logits of each network.
"""

import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

SIZES = {"keras": (64, 64), "keras2": (65, 65)}
CLASSES = 7


def draw(rng, layer):
    """Random weights of a layer that keep activations inside ReLU6's range."""
    weights = layer.get_weights()
    if len(weights) == 4:
        ranges = ((4, 12), (-4, 8), (-4, 4), (3, 16))
        return [
            rng.integers(low, high, x.shape) / 8
            for (low, high), x in zip(ranges, weights, strict=True)
        ]
    spread = 2 if layer.name == "predictions" else 12
    return [np.rint(rng.normal(0, spread, x.shape)) / 32 for x in weights]


def main(name, folder):
    """Save one network in each of its formats."""
    if name == "keras2":
        import tf_keras as keras
    else:
        import keras
    rows, columns = SIZES[name]
    model, without_softmax = (
        keras.applications.MobileNetV2(
            weights=None,
            alpha=0.05,
            classes=CLASSES,
            input_shape=(rows, columns, 3),
            classifier_activation=last,
        )
        for last in ("softmax", None)
    )
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if layer.get_weights():
            layer.set_weights(draw(rng, layer))
    without_softmax.set_weights(model.get_weights())
    coarse = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
    pixels = np.kron(coarse, np.ones((1, 9, 9, 1), np.uint8))[:, :rows, :columns]
    images = (pixels / 127.5 - 1).astype(np.float32)
    path = folder / "predictions.npz"
    known = dict(np.load(path)) if path.exists() else {}
    known |= {
        f"{name}_images": pixels,
        f"{name}_logits": without_softmax.predict(images, verbose=0),
    }
    np.savez_compressed(path, **known)
    model.compile("sgd", "mse")
    with (
        tempfile.TemporaryDirectory() as temporary,
        tarfile.open(folder / f"{name}.tar.xz", "w:xz", preset=9) as archive,
    ):
        for suffix in (".keras", ".h5", ".weights.h5", *(["_weights.h5"] * (name == "keras2"))):
            saved = Path(temporary, f"{name}{suffix}")
            (model.save_weights if "weights" in suffix else model.save)(str(saved))
            archive.add(saved, saved.name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
