"""From torchvision's names to the float model: inference of the network, and each complaint."""

import numpy as np
import pytest

from mnv2.golden.importers.float_network import PAPER_STRIDES, agree_on_size
from mnv2.golden.importers.torch_checkpoint import read_checkpoint
from mnv2.golden.importers.torchvision_names import float_model_from_torchvision
from mnv2.golden.network import build_network, mobilenet_v2
from tests.golden.importers.float_files import (
    assert_equal_models,
    random_float_model,
    torchvision_tensors,
)


def small_network(size=32, classes=5):
    """A network of the family that is not the paper's: three blocks, one without expansion."""
    return build_network(
        ((1, 6, 1, 1), (3, 8, 2, 2)),
        stem_channels=5,
        head_channels=12,
        classes=classes,
        input_size=size,
        stem_stride=1,
    )


STRIDES = (1, 1, 2, 1)


@pytest.fixture
def model():
    return random_float_model(np.random.default_rng(1), small_network())


@pytest.mark.parametrize(
    ("width", "size", "classes"),
    [
        (0.35, 96, 10),
        (0.5, 128, 1000),
        (0.75, 160, 2),
        (1.0, 224, 3),
        (1.3, 192, 5),
        (1.4, 224, 7),
        (0.25, 33, 1),
        (0.1, (40, 50), 4),
    ],
)
def test_the_papers_networks_are_inferred(width, size, classes):
    network = mobilenet_v2(width, size, classes)
    model = random_float_model(np.random.default_rng(0), network)
    read = float_model_from_torchvision(torchvision_tensors(model), input_size=size)
    assert read.network == network
    assert_equal_models(read, model)


def test_the_real_one_is_inferred():
    tensors = read_checkpoint()
    inferred = float_model_from_torchvision(tensors)
    assert inferred.network == mobilenet_v2()
    assert_equal_models(inferred, float_model_from_torchvision(tensors, mobilenet_v2()))


def test_any_network_with_its_strides(model):
    tensors = torchvision_tensors(model)
    read = float_model_from_torchvision(tensors, input_size=32, strides=STRIDES)
    assert read.network == model.network
    assert_equal_models(read, model)
    assert_equal_models(float_model_from_torchvision(tensors, model.network), model)
    with pytest.raises(ValueError, match="does not say the strides of its 3 blocks"):
        float_model_from_torchvision(tensors)
    for strides in ((1, 1, 2), (1, 1, 2, 3), (0, 1, 2, 1)):
        with pytest.raises(ValueError, match="strides must be 4 numbers of 1 or 2"):
            float_model_from_torchvision(tensors, strides=strides)


@pytest.mark.parametrize("prefix", ["module.", "model.backbone."])
def test_prefixes(model, prefix):
    tensors = {prefix + name: value for name, value in torchvision_tensors(model).items()}
    assert_equal_models(float_model_from_torchvision(tensors, strides=STRIDES), model)
    tensors["ema.decay"] = np.zeros(1, np.float32)
    with pytest.raises(ValueError, match=f"ema.decay is superfluous: others begin with {prefix}"):
        float_model_from_torchvision(tensors, strides=STRIDES)


def test_each_missing_tensor_is_named(model):
    tensors = torchvision_tensors(model)
    for name in tensors:
        if name.endswith("num_batches_tracked"):
            continue
        rest = {key: value for key, value in tensors.items() if key != name}
        with pytest.raises(ValueError, match=f"{name} is missing"):
            float_model_from_torchvision(rest, strides=STRIDES)


def test_each_misshapen_tensor_is_named(model):
    tensors = torchvision_tensors(model)
    for name, value in tensors.items():
        if value.ndim == 0:
            continue
        for axis in range(value.ndim):
            changed = {**tensors, name: np.concatenate([value, value], axis)}
            with pytest.raises(ValueError, match="must|superfluous|missing") as caught:
                float_model_from_torchvision(changed, strides=STRIDES)
            # A wrong count of channels may show at the tensor before or after.
            assert any(
                part in str(caught.value)
                for part in (name.rpartition(".")[0][:15], "features", "classifier")
            )
            assert "zip()" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "features.0.0.bias",
        "classifier.1.scale",
        "head.weight",
        "features.2.conv.4.weight",
        "features.1.conv.0.0.bias",
    ],
)
def test_each_superfluous_tensor_is_named(model, name):
    tensors = {**torchvision_tensors(model), name: np.zeros(3, np.float32)}
    with pytest.raises(ValueError, match=f"{name} is superfluous"):
        float_model_from_torchvision(tensors, strides=STRIDES)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("features.1.conv.0.0.weight", lambda x: x[:4], "3x3 filter for each of 5 channels"),
        ("features.2.conv.0.0.weight", lambda x: x[:, :5], "take 6 channels"),
        (
            "features.2.conv.0.0.weight",
            lambda x: x[:17],
            "scale of features.2.conv.0.0.weight must",
        ),
        (
            "features.2.conv.1.1.running_var",
            lambda x: -x,
            "variance after features.2.conv.1.0.weight",
        ),
        ("features.2.conv.1.1.weight", lambda x: x * np.nan, "features.2.conv.1.1.weight must be"),
        ("features.2.conv.1.1.weight", lambda x: x[:5], "scale of features.2.conv.1.0.weight must"),
        (
            "features.0.0.weight",
            lambda x: x[:, :2],
            "features.0.0.weight must have 3x3 taps, take 3",
        ),
        (
            "features.0.0.weight",
            lambda x: x[..., :2],
            "features.0.0.weight must hold a convolution of",
        ),
        ("features.0.0.weight", lambda x: x[:0], "must"),
        (
            "classifier.1.weight",
            lambda x: x[:, :7],
            "classifier.1.weight must have 1x1 taps, take 12",
        ),
        ("classifier.1.bias", lambda x: x[:2], "bias of classifier.1.weight must have 5 values"),
        ("classifier.1.bias", lambda x: x.astype(np.int64), "float32 tensor classifier.1.bias"),
    ],
)
def test_complaints(model, name, change, words):
    tensors = torchvision_tensors(model)
    tensors[name] = change(tensors[name])
    with pytest.raises(ValueError, match=words):
        float_model_from_torchvision(tensors, strides=STRIDES)


@pytest.mark.parametrize("channels", [17, 6, 3])
def test_expansions_are_whole_and_not_1(model, channels):
    tensors = {
        name: value[:channels] if name.startswith("features.2.conv.0.") and value.ndim else value
        for name, value in torchvision_tensors(model).items()
    }
    with pytest.raises(
        ValueError,
        match=f"features.2.conv.0.0.weight must widen 6 channels to a multiple, not to {channels}",
    ):
        float_model_from_torchvision(tensors, strides=STRIDES)


def test_another_network_than_asked_for(model):
    tensors = torchvision_tensors(model)
    with pytest.raises(ValueError, match="strides must be 4 numbers"):
        float_model_from_torchvision(tensors, mobilenet_v2())
    other = build_network(
        ((1, 6, 1, 1), (3, 8, 2, 2)),
        stem_channels=5,
        head_channels=13,
        classes=5,
        input_size=32,
        stem_stride=1,
    )
    with pytest.raises(ValueError, match="features.4.0.weight must make 13 channels of 8, not 12"):
        float_model_from_torchvision(tensors, other)
    other = build_network(
        ((2, 6, 1, 1), (3, 8, 2, 2)),
        stem_channels=5,
        head_channels=12,
        classes=5,
        input_size=32,
        stem_stride=1,
    )
    with pytest.raises(ValueError, match="must hold 12 convolutions, not 11"):
        float_model_from_torchvision(tensors, other)


@pytest.mark.parametrize("size", [0, -3, 2.5, (3,), (4, 5, 6), "96", 10**9, True])
def test_refused_input_sizes(model, size):
    with pytest.raises(ValueError, match="An input size must be"):
        float_model_from_torchvision(torchvision_tensors(model), strides=STRIDES, input_size=size)


def test_no_blocks(model):
    with pytest.raises(ValueError, match=r"features.0.0.weight is missing"):
        float_model_from_torchvision({"x": np.zeros(2, np.float32)})
    tensors = torchvision_tensors(model)
    with pytest.raises(ValueError, match="blocks features.1.conv to features.N.conv"):
        float_model_from_torchvision({"features.0.0.weight": tensors["features.0.0.weight"]})
    tensors["features.900.conv.1.weight"] = np.zeros(2, np.float32)
    with pytest.raises(ValueError, match="at most 200, not 900"):
        float_model_from_torchvision(tensors)


def test_sizes_must_agree():
    assert agree_on_size(None, (None, None)) == (224, 224)
    assert agree_on_size(96, (None, 50)) == (96, 96)
    assert agree_on_size(96, (96, 96)) == agree_on_size(None, (96, 96)) == (96, 96)
    with pytest.raises(ValueError, match="96 rows and 96 columns, not the given input size 128"):
        agree_on_size(128, (96, 96))


def test_papers_strides():
    network = mobilenet_v2()
    assert (network.stem.stride, *(b.stride for b in network.blocks)) == PAPER_STRIDES
