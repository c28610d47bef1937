"""Float models as arrays, and back."""

import io

import numpy as np
import pytest

from mnv2.golden.float_archive import float_model_from_arrays, float_model_to_arrays
from mnv2.golden.float_model import KERAS_NORMALIZATION, FloatModel, InputNormalization
from mnv2.golden.network import build_network
from tests.golden.importers.float_files import assert_equal_models, random_float_model


@pytest.fixture
def model():
    network = build_network(
        ((1, 6, 1, 1), (3, 8, 2, 2)),
        stem_channels=6,
        head_channels=12,
        classes=5,
        input_size=(20, 30),
        padding="tensorflow",
    )
    made = random_float_model(np.random.default_rng(0), network, epsilon=1e-3)
    return FloatModel(network, made.layers, KERAS_NORMALIZATION)


@pytest.mark.parametrize("folded", [False, True])
def test_there_and_back(model, folded):
    model = model.folded() if folded else model
    file = io.BytesIO()
    np.savez(file, **float_model_to_arrays(model))
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = float_model_from_arrays({name: arrays[name] for name in arrays.files})
    assert again.network == model.network
    assert again.input_normalization == KERAS_NORMALIZATION
    assert_equal_models(again, model)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.pop("header"),
        lambda x: x.pop("stem/weights"),
        lambda x: x.pop("head/mean"),
        lambda x: x.update({"stem/weights": np.zeros(3, np.float32)}),
        lambda x: x.update(header=np.frombuffer(b'{"format": 1}', np.uint8)),
        lambda x: x.update(header=np.frombuffer(b"[]", np.uint8)),
    ],
)
def test_other_arrays_are_refused(model, change):
    arrays = float_model_to_arrays(model)
    change(arrays)
    with pytest.raises(ValueError, match="must be those of a float model"):
        float_model_from_arrays(arrays)


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [
        ((0.5, 0.5), (0.5, 0.5, 0.5)),
        ((0.5, 0.5, float("nan")), (0.5, 0.5, 0.5)),
        ((0.5, 0.5, 0.5), (0.5, 0.0, 0.5)),
        ((0.5, 0.5, 0.5), (0.5, 0.5, float("inf"))),
    ],
)
def test_refused_normalisations(mean, deviation):
    with pytest.raises(ValueError, match="three finite means and three positive deviations"):
        InputNormalization(mean, deviation)
