"""State dicts with the names of each library: logits of PyTorch, and each complaint."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, KERAS_NORMALIZATION
from mnv2.golden.importers.float_formats import parse_float_model
from mnv2.golden.importers.torch_checkpoint import parse_checkpoint
from mnv2.golden.importers.torch_modules import natural_key
from mnv2.golden.importers.torch_names import float_model_from_state_dict
from tests.golden.importers.float_files import assert_equal_models

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")

from tests.golden.importers.torch_networks import (  # noqa: E402
    NETWORKS,
    SIZE,
    FlatWithConv,
    HuggingFace,
    Timm,
    drawn,
)

CASES = Path(__file__).parent / "cases"
PREFIXES = ("module.", "backbone.", "bottom.", "model.features.")


def saved(value, legacy=False):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def as_safetensors(tensors):
    return safetensors.numpy.save({name: value.numpy() for name, value in tensors.items()})


def assert_same_logits(network, model, size=(SIZE, SIZE)):
    generator = torch.Generator().manual_seed(9)
    images = torch.empty((3, 3, *size)).uniform_(-1, 1, generator=generator)
    images += torch.empty((3, 3, 1, 1)).uniform_(-2, 2, generator=generator)
    with torch.no_grad():
        want = network(images).numpy()
    assert np.ptp(want, axis=0).min() > 0.02  # they depend on the picture
    have = [model.run(x.permute(1, 2, 0).numpy().copy())["classifier"].ravel() for x in images]
    assert np.abs(np.array(have) - want).max() < 1e-3


FORMS = (saved, lambda tensors: saved(tensors, legacy=True), as_safetensors)


@pytest.mark.parametrize("kind", NETWORKS)
def test_logits_are_pytorchs(kind):
    network = drawn(kind(), 1)
    for form in FORMS:
        model = parse_float_model(form(network.state_dict()), SIZE)
        assert len(model.network.blocks) == 17
        assert_same_logits(network, model)
    tensorflow = kind is HuggingFace
    assert model.network.padding == ("tensorflow" if tensorflow else "pytorch")
    assert model.input_normalization == (
        KERAS_NORMALIZATION if tensorflow else IMAGENET_NORMALIZATION
    )


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_prefix_changes_nothing(kind):
    tensors = drawn(kind(), 1).state_dict()
    want = parse_float_model(saved(tensors), SIZE)
    for index, prefix in enumerate(PREFIXES):
        named = {prefix + name: value for name, value in tensors.items()}
        have = parse_float_model(FORMS[index % len(FORMS)](named), SIZE)
        assert have.network == want.network
        assert_equal_models(have, want)


@pytest.mark.parametrize("name", ["flat_names", "timm_names"])
def test_files_with_sorted_names(name):
    """Files as people publish them: every block of one shape, names sorted as text."""
    model = parse_float_model((CASES / f"{name}.safetensors").read_bytes(), 64)
    assert [block.expansion for block in model.network.blocks] == [1] + [2] * 16
    kind = {"flat_names": "features.{}.conv.{}", "timm_names": "blocks.{}.{}"}[name]
    tensors = safetensors.numpy.load_file(CASES / f"{name}.safetensors")
    third = kind.format(3, 0) if name == "flat_names" else kind.format(1, 1) + ".conv_pw"
    last = kind.format(17, 6) if name == "flat_names" else kind.format(6, 0) + ".conv_pwl"
    for layer, module in (("block3.expand", third), ("block17.project", last)):
        weights = tensors[f"{module}.weight"][:, :, 0, 0].T
        np.testing.assert_array_equal(model.layers[layer].weights, weights)


@pytest.mark.parametrize("size", [(63, 50), (33, 96)])
def test_padding_on_other_sizes(size):
    for kind in (Timm, HuggingFace):
        network = drawn(kind(), 2)
        assert_same_logits(network, parse_float_model(saved(network.state_dict()), size), size)


@pytest.mark.parametrize("kind", NETWORKS)
def test_features_and_classifier_in_modules_of_their_own(kind):
    """As who takes a backbone writes it: `backbone.`, and a classifier called `fc`."""
    network = drawn(kind(), 3)
    tensors = {
        ("head.fc." + name.split(".")[-1])
        if name.startswith("classifier")
        else "encoder.net." + name: value
        for name, value in network.state_dict().items()
    }
    for data in (saved({"epoch": 3, "ema": tensors}), as_safetensors(tensors)):
        assert_same_logits(network, parse_float_model(data, SIZE))


def test_a_classifier_that_is_a_convolution():
    network = drawn(Timm(), 4)
    tensors = dict(network.state_dict())
    tensors["classifier.weight"] = tensors["classifier.weight"][:, :, None, None]
    assert_same_logits(network, parse_float_model(saved(tensors), SIZE))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_whole_module_is_refused(kind, legacy):
    words = r"class tests\.golden.*run its code: save .* torch.save\(model.state_dict\(\), 'tens"
    if legacy:
        words = words.replace("the class ", "").replace("class ", "whole module, ")
    with pytest.raises(ValueError, match=words):
        parse_checkpoint(saved(drawn(kind(), 1), legacy))
    with pytest.raises(ValueError, match="would run its code: save"):
        parse_checkpoint(saved({"epoch": 1, "model": drawn(kind(), 1)}, legacy))


def test_a_program_is_refused():
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(drawn(Timm(), 1).classifier), file)
    with pytest.raises(ValueError, match="TorchScript program: save the tensors"):
        parse_checkpoint(file.getvalue())


def test_a_quantised_state_dict_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = saved({"w": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)})
    with pytest.raises(ValueError, match="quantised; of the float network, save its tensors"):
        parse_checkpoint(data)


@pytest.fixture(scope="module")
def tensors():
    return {name: value.numpy() for name, value in drawn(Timm(), 5).state_dict().items()}


def test_each_missing_tensor_is_one_sentence(tensors):
    for name in tensors:
        if name.endswith("num_batches_tracked"):
            continue
        rest = {key: value for key, value in tensors.items() if key != name}
        if name == "classifier.bias":
            assert not float_model_from_state_dict(rest).layers["classifier"].bias.any()
            continue
        with pytest.raises(ValueError, match="missing|must|superfluous"):
            float_model_from_state_dict(rest)


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("aux.weight", (4, 4), "must hold one dense layer, the classifier, not 2: classifier.wei"),
        ("blocks.3.1.se.weight", (4, 4), "blocks.3.1.se.weight is superfluous"),
        ("blocks.3.1.x.weight", (4, 4, 1, 1), "blocks.3.1.x.weight is superfluous"),
        ("aux.weight", (4, 4, 3, 3), "aux.weight must be depthwise, one filter a channel"),
        ("blocks.3.1.se.bias", (4,), "blocks.3.1.se.weight is missing"),
        ("blocks.3.1.se.weight", (4,), "blocks.3.1.se.bias is missing"),
        ("blocks.3.1.relative_bias", (4,), "blocks.3.1.relative_bias is superfluous"),
        ("aux.weight", (4, 4, 3), "aux.weight is superfluous"),
        ("conv_stem.running_mean", (5,), "conv_stem.running_mean is superfluous"),
    ],
)
def test_superfluous_tensors(tensors, name, shape, words):
    with pytest.raises(ValueError, match=words):
        float_model_from_state_dict({**tensors, name: np.zeros(shape, np.float32)})


def test_what_is_no_such_network(tensors):
    for start, words in (
        ("conv_stem.", "a stem, a convolution of 3x3 taps .* image of 3 channels, is missing"),
        ("blocks.", "must hold 1 to 200 bottlenecks"),
        ("conv_head.", "head, a 1x1 convolution after the blocks, is missing"),
        ("classifier.", "ends in features; give one with its classifier"),
    ):
        rest = {name: value for name, value in tensors.items() if not name.startswith(start)}
        with pytest.raises(ValueError, match=words):
            float_model_from_state_dict(rest)
    integers = {**tensors, "conv_stem.weight": tensors["conv_stem.weight"].astype(np.int8)}
    with pytest.raises(ValueError, match="conv_stem.weight must hold floats, not int8"):
        float_model_from_state_dict(integers)
    with pytest.raises(ValueError, match="a stem, a convolution of 3x3 taps .* is missing"):
        float_model_from_state_dict({})


def test_numbers_in_names_are_numbers():
    names = ["a.10.b", "a.9.b", "a10", "10", "a9", "2"]
    assert sorted(names, key=natural_key) == ["2", "10", "a9", "a10", "a.9.b", "a.10.b"]


def test_blocks_are_in_order_though_names_are_sorted():
    """Block 10 must not come before block 2."""
    network = drawn(FlatWithConv(), 6)
    tensors = dict(network.state_dict())
    by_name = {name: tensors[name] for name in sorted(tensors)}
    assert list(by_name) != list(tensors)
    assert_same_logits(network, parse_float_model(saved(by_name), SIZE))
    # As a dictionary that came out of a table of hashes.
    names = np.random.default_rng(7).permutation(list(tensors))
    no_order = {str(name): tensors[str(name)] for name in names}
    assert_same_logits(network, parse_float_model(saved(no_order), SIZE))
