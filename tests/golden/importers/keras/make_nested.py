"""Writes `nested.tar.xz` and `nested.npz`: MobileNetV2 within other models, as transfer learning
makes it, and what Keras predicts.

    KERAS_BACKEND=torch python make_nested.py .

The files here are of keras 3.15.1 with torch 2.13.0. The weights are random multiples of 1/32, so
that the files compress well; the backbone is keras.applications' at a width multiplier of 0.05.
"""

import os
import sys
import tarfile
import tempfile
from pathlib import Path

import keras
import numpy as np
from make import draw

SIZE, CLASSES = 32, 5


def backbone(**options):
    """keras.applications' network without its classifier, with random weights."""
    model = keras.applications.MobileNetV2(
        weights=None, alpha=0.05, input_shape=(SIZE, SIZE, 3), include_top=False, **options
    )
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if layer.get_weights():
            layer.set_weights(draw(rng, layer))
    return model


def functional(last):
    """TensorFlow's tutorial of transfer learning: augmentation, preprocess_input, backbone."""
    augmentation = keras.Sequential(
        [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.2)], name="augment"
    )
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.applications.mobilenet_v2.preprocess_input(augmentation(image))
    x = backbone()(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(image, keras.layers.Dense(CLASSES, activation=last)(x))


def sequential(last):
    """A Sequential of a Rescaling with other numbers, the backbone, a pool in the other form."""
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 64, offset=-1.5),
            backbone(),
            keras.layers.AveragePooling2D((1, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES),
            keras.layers.Activation(last or "linear"),
        ]
    )


def adapted(last):
    """A Normalization that was adapted, and a backbone that pools itself."""
    normalization = keras.layers.Normalization()
    normalization.adapt(np.array([[90.0, 120.0, 150.0], [140.0, 130.0, 20.0]])[:, None, None])
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            normalization,
            backbone(pooling="avg"),
            keras.layers.Dense(CLASSES, activation=last),
        ]
    )


def main(folder):
    """Save each network in each format, and its logits for two images of pixels from 0 to 255."""
    coarse = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 3), np.uint8)
    pixels = np.kron(coarse, np.ones((1, 4, 4, 1), np.uint8))
    known = {"images": pixels}
    with (
        tempfile.TemporaryDirectory() as temporary,
        tarfile.open(folder / "nested.tar.xz", "w:xz", preset=9) as archive,
    ):
        for make in (functional, sequential, adapted):
            rng = np.random.default_rng(3)
            model, without_softmax = make("softmax"), make(None)
            for layer in model.layers:
                if isinstance(layer, keras.layers.Dense):
                    layer.set_weights(
                        [np.rint(rng.normal(0, 2, x.shape)) / 32 for x in layer.get_weights()]
                    )
            without_softmax.set_weights(model.get_weights())
            logits = without_softmax.predict(pixels.astype(np.float32), verbose=0)
            known[make.__name__] = logits
            for suffix in (".keras", ".h5"):
                saved = Path(temporary, f"{make.__name__}{suffix}")
                model.save(str(saved))
                archive.add(saved, saved.name)
    np.savez_compressed(folder / "nested.npz", **known)


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    main(Path(sys.argv[1]))
