"""Networks that their training quantised, against QONNX's executor and ONNX Runtime."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mnv2.golden import archive
from mnv2.golden.arithmetic import LITERT
from mnv2.golden.float_model import FloatModel
from mnv2.golden.importers.float_formats import parse_float_model
from mnv2.golden.importers.float_reader import read_float_model
from mnv2.golden.model import QuantizedModel
from mnv2.golden.network import build_network, mobilenet_v2
from mnv2.golden.quantize import quantize_image
from mnv2.golden.quantized_block import run_block
from tests.golden.importers.float_files import onnx_bytes, random_float_model
from tests.golden.importers.qonnx_files import picture, run_onnx, run_qonnx, trained_bytes

pytest.importorskip("qonnx")

NETWORK = build_network(
    ((1, 8, 1, 1), (3, 8, 2, 2), (2, 8, 1, 1)),
    stem_channels=8,
    head_channels=24,
    classes=6,
    input_size=24,
)
WHOLE = 15_870  # elements of all tensors of one picture
MIXED = {"stem": (8, 4), "block2.expand": (4, 5), "block3.project": (5, 7), "head": (7, 6)}


def records(model):
    """The record that makes each tensor, by name."""
    adds = [block.add for block in model.blocks if block.add]
    return {record.name: record for record in (*model.layers, model.pool, *adds)}


def expected(model, names, want):
    """golden's integers of what a judge gives, by golden's names."""
    steps = {
        name: (record.output_scale, record.output_zero_point)
        for name, record in records(model).items()
    }
    steps["input"] = model.input_scale, model.input_zero_point
    found = {}
    for name, there in names.items():
        if name == "logits":
            continue
        value, (scale, zero) = want[there], steps[name]
        value = value[0].transpose(1, 2, 0) if value.ndim == 4 else value.reshape(1, 1, -1)
        whole = value.astype(np.float64) / np.float64(scale)
        assert np.abs(whole - np.rint(whole)).max() < 1e-3
        found[name] = (np.rint(whole) + zero).astype(np.int8)
    return found


def judged(seed=1, network=NETWORK, **options):
    """(model, golden's tensors, the judge's as integers, logits of either) of one picture."""
    judge = run_onnx if options.get("form") == "qcdq" else run_qonnx
    data, names = trained_bytes(seed, network, **options)
    model = parse_float_model(data)
    assert isinstance(model, QuantizedModel)
    image = picture(np.random.default_rng(5), network)
    want = judge(data, image)
    given = quantize_image(image[0].transpose(1, 2, 0), model)
    return model, model.run(given), expected(model, names, want), want[names["logits"]].ravel()


CASES = {
    "8 bits": {},
    "6 bits": {"weight_bits": 6},
    "4 bits, activations of 5": {"weight_bits": 4, "activation_bits": 5},
    "layers with bits of their own": {"bits_of": MIXED, "zero_point": 4, "bias_bits": 16},
    "a scale for all channels": {"per_channel": False, "dense": "MatMul", "clip": True},
    "logits in floats, no narrow weights": {"quantized_logits": False, "narrow": False},
    "downwards": {"rounding": "FLOOR"},
    "halves away from zero": {"rounding": "HALF_UP"},
    "halves away from zero, 6 bits": {
        "rounding": "HALF_UP",
        "weight_bits": 6,
        "quantized_logits": False,
    },
    "Brevitas' old domain": {"domain": "onnx.brevitas", "rounding": "half_even"},
    "QCDQ, 8 bits": {"form": "qcdq", "zero_point": 3},
    "QCDQ, 4 bits, activations of 6": {"form": "qcdq", "weight_bits": 4, "activation_bits": 6},
    "QCDQ, a scale for all channels": {"form": "qcdq", "per_channel": False, "weight_bits": 5},
}


@pytest.mark.parametrize("name", CASES)
def test_every_tensor_equals_the_judges(name):
    """Powers of two: every element of every tensor."""
    model, have, want, logits = judged(**CASES[name])
    total = 0
    for tensor, values in want.items():
        np.testing.assert_array_equal(have[tensor], values, err_msg=tensor)
        total += values.size
    assert total == WHOLE - (NETWORK.classes if "quantized_logits" in CASES[name] else 0)
    assert len(np.unique(have["block2.expand"])) > (20 if "bits_of" in CASES[name] else 28)
    np.testing.assert_array_equal(model.logits(have).astype(np.float32), logits)
    assert model.notes == ()


def test_a_whole_mobilenet_v2_of_a8w6():
    model, have, want, _ = judged(network=mobilenet_v2(0.35, 32, 10), weight_bits=6)
    assert {layer.weight_bits for layer in model.layers} == {6}
    assert model.network.width == 0.35
    for tensor, values in want.items():
        np.testing.assert_array_equal(have[tensor], values, err_msg=tensor)


@pytest.mark.parametrize("form", ["qonnx", "qcdq"])
def test_real_scales(form):
    """Equal but for what float32 rounds on the judge's side."""
    model, have, want, logits = judged(form=form, real_scales=True, weight_bits=7)
    assert not all(np.log2(layer.output_scale) % 1 == 0 for layer in model.layers)
    wrong = sum(int((have[tensor] != values).sum()) for tensor, values in want.items())
    assert wrong <= 3
    assert np.abs(model.logits(have) - logits).max() < 1e-3


@pytest.mark.parametrize("options", [{"normalized": True}, {"bias_bits": None}])
def test_biases_between_two_integers(options):
    """A normalisation, or a bias in floats: a layer on the judge's input is near a tie or equal."""
    model, _, want, _ = judged(**options)
    (note,) = model.notes
    assert "biases lie between two integers" in note
    assert "halves" not in note
    sources = {"stem": "input", "head": model.blocks[-1].output_name, "classifier": "pool"}
    wrong = total = 0
    for block in model.blocks:
        for name, value in run_block(block, want[_before(model, block)]).items():
            if name == block.layers[0].name:
                wrong += int((value != want[name]).sum())
                assert np.abs(value.astype(int) - want[name]).max() <= 1
                total += value.size
    for layer in (model.stem, model.head, model.classifier):
        value = layer.run(want[sources[layer.name]])
        wrong += int((value != want[layer.name]).sum())
        total += value.size
    assert 0 < wrong < 0.02 * total


def _before(model, block):
    place = model.blocks.index(block)
    return model.blocks[place - 1].output_name if place else "stem"


def test_a_normalisation_may_turn_or_stop_a_channel():
    """Negative factors, and one of 0, whose channel gives its offset."""

    def change(nodes, constants):
        for tensor in constants:
            if tensor.name == "block2.expand.gain":
                value = numpy_helper.to_array(tensor).copy()
                value[:3] = 0, -0.7, -1.2
                tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))

    model, _, want, _ = judged(normalized=True, change=change)
    layer = model.blocks[1].expand
    assert not layer.weights[:, 0].any()
    value = layer.run(want["block1.add"])
    assert np.abs(value.astype(int) - want["block2.expand"]).max() <= 1
    assert (value[..., 0] == want["block2.expand"][..., 0]).all()
    assert len(np.unique(value[..., 1])) > 5


def test_images_of_one_channel():
    """Quantised as the training did; NHWC is told by the place of the channels."""
    grey = build_network(
        ((1, 8, 1, 1), (2, 8, 2, 2)),
        stem_channels=8,
        head_channels=16,
        classes=4,
        input_size=20,
        input_channels=1,
    )
    model, have, want, _ = judged(network=grey, form="qcdq", weight_bits=6)
    assert model.network.input_shape == (20, 20, 1)
    for tensor, values in want.items():
        np.testing.assert_array_equal(have[tensor], values, err_msg=tensor)
    source = random_float_model(np.random.default_rng(1), grey)
    for last in (False, True):
        read = parse_float_model(onnx_bytes(source, channels_last=last))
        assert read.network.layers == grey.layers


def test_zero_points_that_move_halves_are_said():
    """QONNX adds an odd zero point before it rounds to even; golden after."""
    model = parse_float_model(trained_bytes(1, NETWORK, zero_point=3)[0])
    (note,) = model.notes
    assert note.startswith("9 tensors have a zero point that moves what QONNX rounds")


def test_weights_alone_make_a_float_model():
    """Without quantised activations it is read as floats."""

    def change(nodes, constants):
        weights = [x for x in nodes if x.op_type == "Quant" and "weights" in x.output[0]]
        renamed = {x.output[0]: x.input[0] for x in nodes if x.op_type == "Quant"}
        kept = {x.output[0] for x in weights}
        nodes[:] = [x for x in nodes if x.op_type != "Quant" or x.output[0] in kept]
        for node in nodes:
            for place, name in enumerate(node.input):
                while name in renamed and name not in kept:
                    name = renamed[name]
                node.input[place] = name

    data, _ = trained_bytes(1, NETWORK, clip=True, weight_bits=4, quantized_logits=False)
    proto = onnx.ModelProto.FromString(data)
    nodes = list(proto.graph.node)
    change(nodes, None)
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    model = parse_float_model(proto.SerializeToString())
    assert isinstance(model, FloatModel)
    assert len(np.unique(model.layers["head"].weights[:, 0])) <= 15


def test_batches_and_archives(tmp_path):
    data, _ = trained_bytes(1, NETWORK, weight_bits=6, normalized=True)
    model = parse_float_model(data)
    rng = np.random.default_rng(3)
    images = rng.integers(-128, 128, (5, *NETWORK.input_shape), dtype=np.int8)
    batch = model.run_batch(images)
    for number in range(2):
        plain = model.run(images[number], exact_loops=True)
        for name, value in plain.items():
            np.testing.assert_array_equal(batch[name][number], value, err_msg=name)
    again = archive.model_from_arrays(archive.model_to_arrays(model))
    assert again.notes == model.notes
    path = tmp_path / "trained.onnx"
    path.write_bytes(data)
    child = read_float_model(path)  # in a process of its own
    for other in (again, child):
        tensors = other.run(images[0])
        for name, value in tensors.items():
            np.testing.assert_array_equal(value, batch[name][0], err_msg=name)


def _quant(nodes, output):
    return next(node for node in nodes if node.output[0] == output)


def _constant(constants, name, value):
    found = next(x for x in constants if x.name == name)
    found.CopyFrom(numpy_helper.from_array(np.asarray(value), name))


def _attribute(node, name, value):
    for place, attribute in enumerate(node.attribute):
        if attribute.name == name:
            del node.attribute[place]
            break
    node.attribute.append(helper.make_attribute(name, value))


def _skip(output):
    """Take a quantiser out: its readers read its input."""

    def change(nodes, constants):
        gone = _quant(nodes, output)
        nodes.remove(gone)
        for node in nodes:
            for place, name in enumerate(node.input):
                if name == output:
                    node.input[place] = gone.input[0]

    return change


def _reads(nodes, output, name, place=0):
    _quant(nodes, output).input[place] = name


def _other_scale(nodes, constants):
    constants.append(numpy_helper.from_array(np.float32(0.7), "other"))
    _reads(nodes, "stem.out", "other", 1)


def _twice(nodes, constants):
    first = _quant(nodes, "stem.out")
    second = helper.make_node(
        "Quant", list(first.input), ["again"], name="again", domain=first.domain
    )
    for name in ("signed", "narrow"):
        second.attribute.append(helper.make_attribute(name, 0))
    second.attribute.append(helper.make_attribute("rounding_mode", "FLOOR"))
    nodes.insert(nodes.index(first) + 1, second)
    _quant(nodes, "block1.depthwise.conv").input[0] = "again"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_skip("stem.out"), "output of the layer stem.weights must be quantised, by a Quant"),
        (_skip("block1.add.out"), "output of the operator Add n_block1.sum must be quantised"),
        (_skip("pool.out"), "The output of the pool must be quantised"),
        (_skip("input.out"), "The output of the image must be quantised"),
        (
            lambda nodes, constants: _reads(nodes, "block1.depthwise.conv", "stem.relu"),
            "The input of block1.depthwise.weights must be quantised",
        ),
        (
            lambda nodes, constants: _reads(nodes, "block1.sum", "stem.relu"),
            "Both terms of the operator Add n_block1.sum must be quantised",
        ),
        (
            lambda nodes, constants: _reads(nodes, "mean", "head.relu"),
            "The input of the pool must be quantised",
        ),
        (_skip("block2.expand.weights"), "weights block2.expand.weight must be quantised, as the"),
        (_twice, "must be quantised in one way, not in 2"),
        (
            lambda nodes, constants: _attribute(_quant(nodes, "stem.out"), "rounding_mode", "CEIL"),
            "must round by one of ROUND, HALF_EVEN, FLOOR, HALF_UP, not CEIL",
        ),
        (
            lambda nodes, constants: _attribute(_quant(nodes, "input.out"), "narrow", 1),
            "The image must be quantised to all integers of its bits",
        ),
        (
            lambda nodes, constants: _attribute(
                _quant(nodes, "input.out"), "rounding_mode", "FLOOR"
            ),
            "The image must be rounded to the nearest",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.bits", np.float32(9)),
            "must be quantised to 4 to 8 bits, not 9",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.bits", np.float32(7.5)),
            "must have one number of 2 to 32 bits, not 7.5",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.scale", np.float32(-1)),
            "must be positive finite floats",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.scale", np.ones(2, np.float32)),
            "must have one scale and one zero point",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.zero", np.float32(0.5)),
            "must be whole numbers",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.zero", np.float32(300)),
            r"must lie in 0\.\.255",
        ),
        (
            lambda nodes, constants: _constant(
                constants,
                "stem.weights.scale",
                np.arange(1, 4, dtype=np.float32).reshape(1, 3, 1, 1),
            ),
            "must have a scale, or one for each output channel",
        ),
        (
            lambda nodes, constants: _constant(
                constants, "stem.weights.scale", np.ones((5, 1, 1, 1), np.float32)
            ),
            "must have a scale, or one for each index of an axis",
        ),
        (
            lambda nodes, constants: setattr(_quant(nodes, "stem.out"), "op_type", "Trunc"),
            "Trunc of the domain qonnx.* is not part .* of QONNX Quant is read",
        ),
        (
            lambda nodes, constants: _quant(nodes, "stem.out").input.pop(),
            "must have a scale, a zero point and bits",
        ),
    ],
)
def test_refusals(change, words):
    with pytest.raises(ValueError, match=words):
        parse_float_model(trained_bytes(1, NETWORK, change=change)[0])


def test_halves_away_from_zero_are_litert_s_arithmetic():
    """Two roundings, of which the first leaves powers of two whole; other steps need one."""
    model = parse_float_model(trained_bytes(1, NETWORK, rounding="HALF_UP")[0])
    assert {record.arithmetic for record in records(model).values()} == {LITERT}
    assert {int(x) for layer in model.layers for x in layer.multiplier} <= {2**31 - 1, 2**30}
    model = parse_float_model(trained_bytes(1, NETWORK, rounding="HALF_UP", real_scales=True)[0])
    assert {layer.arithmetic.rounding for layer in model.layers} == {"single"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda nodes, constants: _constant(constants, "stem.out.low", np.uint8(255)),
            "must leave more than one integer",
        ),
        (
            lambda nodes, constants: _constant(constants, "stem.out.low", np.float32(0)),
            "must clip integers to integers",
        ),
        (
            _other_scale,
            "must have the scale and the zero point of the QuantizeLinear before it",
        ),
    ],
)
def test_refusals_of_qcdq(change, words):
    data = dict(form="qcdq", activation_bits=6, change=change)
    with pytest.raises(ValueError, match=words):
        parse_float_model(trained_bytes(1, NETWORK, **data)[0])


def test_a_wrong_integer_would_be_seen():
    """The comparison itself: one bias that is off by a step of the output."""
    model, _, want, _ = judged(weight_bits=6)
    bias = model.stem.bias.copy()
    bias[3] += 1 << 7
    wrong = replace(model.stem, bias=bias).run(want["input"]) != want["stem"]
    assert wrong[..., 3].any()
    assert not np.delete(wrong, 3, axis=-1).any()
