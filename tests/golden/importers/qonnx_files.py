"""Networks of the family as a quantisation-aware training exports them, and outside judges."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mnv2.golden.float_model import FloatModel
from tests.golden.importers.float_files import foreign_axes, random_float_model

DOMAIN = "qonnx.custom_op.general"


def power_of_two(value):
    """The smallest power of two that is not less."""
    return 2.0 ** np.ceil(np.log2(value))


def trained_bytes(
    seed,
    network,
    *,
    form="qonnx",
    domain=DOMAIN,
    weight_bits=8,
    activation_bits=8,
    bits_of=None,
    real_scales=False,
    per_channel=True,
    normalized=False,
    bias_bits=32,
    rounding="ROUND",
    narrow=True,
    clip=False,
    zero_point=0,
    quantized_logits=True,
    dense="Gemm",
    change=None,
):
    """(bytes, names): an ONNX file, and by golden's name of each tensor its name there.

    Parameters
    ----------
    form : str
        "qonnx" or "qcdq".
    bits_of : dict of str to (int, int), optional
        Bits of weights and of outputs, by layer.
    real_scales : bool
        Any scales, or powers of two.
    per_channel : bool
        A scale of weights for each output channel.
    normalized : bool
        BatchNormalization after each convolution, unquantised.
    bias_bits : int or None
        Bits of biases, which are integers in steps of the accumulator; None: they are floats.
    clip : bool
        Clip to 0..6 before the quantiser in place of Relu.
    zero_point : int
        Of the image and of projections.
    dense : str
        "Gemm", or "MatMul" with a Transpose of the quantised weights.
    change : function of (nodes, constants), optional
    """
    rng = np.random.default_rng(seed)
    model = random_float_model(rng, network)
    model = FloatModel(network, {name: x.folded() for name, x in model.layers.items()})
    ranges = find_ranges(model, rng)
    nodes, constants, names, steps = [], [], {}, {}
    bits_of = bits_of or {}

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], name=f"n_{output}", **attributes))
        return output

    def fitted(scale):
        scale = np.asarray(scale, np.float64)
        return (scale * 1.07 if real_scales else power_of_two(scale)).astype(np.float32)

    def quant(x, output, scale, bits, signed, zero=0, narrow=False):
        """A quantiser of either form."""
        steps[output] = fitted(scale)
        scale = constant(f"{output}.scale", steps[output])
        if form == "qonnx":
            inputs = [x, scale]
            inputs.append(constant(f"{output}.zero", np.float32(zero)))
            inputs.append(constant(f"{output}.bits", np.float32(bits)))
            return node(
                "Quant",
                inputs,
                output,
                domain=domain,
                signed=int(signed),
                narrow=int(narrow),
                rounding_mode="ROUND" if x == "image" else rounding,
            )
        kind = np.int8 if signed else np.uint8
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        low += narrow and signed
        channels = constants[-1].dims
        if len(channels) > 1:  # an axis of its own
            value = numpy_helper.to_array(constants[-1])
            constants[-1].CopyFrom(numpy_helper.from_array(value.reshape(-1), scale))
        zeros = np.full(list(channels[:1]) if len(channels) > 1 else [], zero, kind)
        zero = constant(f"{output}.zero", zeros)
        x = node("QuantizeLinear", [x, scale, zero], f"{output}.integers", axis=0)
        if (low, high) != (np.iinfo(kind).min, np.iinfo(kind).max):
            ends = [
                constant(f"{output}.low", kind(low)),
                constant(f"{output}.high", kind(high)),
            ]
            x = node("Clip", [x, *ends], f"{output}.narrow")
        return node("DequantizeLinear", [x, scale, zero], output, axis=0)

    def activation(x, name, signed, bits):
        reach = np.abs(ranges[name]).max()
        zero = zero_point if signed else 0
        names[name] = quant(
            x, f"{name}.out", reach / (2 ** (bits - signed) - 1), bits, signed, zero=zero
        )
        return names[name]

    def weights(record, bits):
        value = foreign_axes(record.layer, record.weights)
        axes = tuple(range(1, value.ndim)) if per_channel else None
        reach = np.abs(value).max(axis=axes, keepdims=per_channel)
        name = constant(f"{record.layer.name}.weight", value)
        scale = reach / (2 ** (bits - 1) - 1)
        return quant(name, f"{record.layer.name}.weights", scale, bits, True, narrow=narrow)

    def biases(record, source):
        """In steps of the accumulator: the source's times the weights'."""
        name = record.layer.name
        if bias_bits is None:
            return constant(f"{name}.bias", record.bias)
        scale = np.float32(steps[source] * steps[f"{name}.weights"].reshape(-1))
        scale = np.broadcast_to(scale, record.bias.shape)
        scale_name = constant(f"{name}.bias scale", scale)
        if form != "qonnx":
            values = np.rint(record.bias / scale).astype(np.int32)
            inputs = [constant(f"{name}.bias", values), scale_name]
            return node("DequantizeLinear", inputs, f"{name}.biases", axis=0)
        inputs = [constant(f"{name}.bias", record.bias), scale_name]
        inputs.append(constant(f"{name}.bias zero", np.float32(0)))
        inputs.append(constant(f"{name}.bias bits", np.float32(bias_bits)))
        about = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
        return node("Quant", inputs, f"{name}.biases", domain=domain, **about)

    def layer(x, layer):
        record, name = model.layers[layer.name], layer.name
        own, bits = bits_of.get(name, (weight_bits, activation_bits))
        (top, bottom), (left, right) = layer.padding
        inputs = [x, weights(record, own)]
        if not normalized:
            inputs.append(biases(record, x))
        y = node(
            "Conv",
            inputs,
            f"{name}.conv",
            pads=[top, left, bottom, right],
            strides=[layer.stride] * 2,
            group=layer.output_channels if layer.kind == "depthwise" else 1,
            kernel_shape=list(layer.kernel_size),
        )
        if normalized:
            channels = layer.output_channels
            vectors = [
                constant(f"{name}.{part}", value.astype(np.float32))
                for part, value in (
                    ("gain", rng.uniform(0.5, 1.5, channels) * rng.choice([-1, 1, 1], channels)),
                    ("offset", record.bias),
                    ("mean", rng.normal(0, 0.1, channels)),
                    ("variance", rng.uniform(0.5, 1.5, channels)),
                )
            ]
            y = node("BatchNormalization", [y, *vectors], f"{name}.norm")
        if layer.relu6:
            y = (
                node("Clip", [y, "zero", "six"], f"{name}.relu")
                if clip
                else node("Relu", [y], f"{name}.relu")
            )
        return activation(y, name, not layer.relu6, bits)

    if clip:
        constant("zero", np.float32(0))
        constant("six", np.float32(6))
    x = activation("image", "input", True, activation_bits)
    x = layer(x, network.stem)
    for block in network.blocks:
        shortcut = x
        for one in block.layers:
            x = layer(x, one)
        if block.residual:
            total = node("Add", [shortcut, x], f"{block.name}.sum")
            x = activation(total, block.add_name, True, activation_bits)
    x = layer(x, network.head)
    x = node("GlobalAveragePool", [x], "mean")
    x = activation(x, "pool", False, activation_bits)
    x = node("Flatten", [x], "flat")
    record = model.layers["classifier"]
    inputs = [x, weights(record, bits_of.get("classifier", (weight_bits, 8))[0])]
    inputs.append(biases(record, names["pool"]))
    if dense == "MatMul":
        turned = node("Transpose", [inputs[1]], "turned", perm=[1, 0])
        product = node("MatMul", [x, turned], "product")
        x = node("Add", [product, inputs[2]], "logits")
    else:
        x = node("Gemm", inputs, "logits", transB=1)
    names["logits"] = "logits"
    if quantized_logits:
        x = activation(x, "classifier", True, 8)
    if change is not None:
        change(nodes, constants)
    rows, columns, channels = network.input_shape
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, channels, rows, columns])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, network.classes])],
        constants,
    )
    opsets = [helper.make_opsetid("", 18)]
    if form == "qonnx":
        opsets.append(helper.make_opsetid(domain, 1))
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return made.SerializeToString(), names


def picture(rng, network):
    """A random normalised picture float32 [1, C, H, W]."""
    rows, columns, channels = network.input_shape
    values = rng.uniform(-1.5, 1.5, (1, channels, 1, 1)) + rng.normal(
        0, 0.6, (1, channels, rows, columns)
    )
    return values.astype(np.float32)


def find_ranges(model, rng):
    """(least, largest) of every tensor of the float model on a few pictures, by golden's name."""
    ranges = {}
    for _ in range(3):
        image = picture(rng, model.network)[0].transpose(1, 2, 0).copy()
        for name, value in model.run(image).items():
            low, high = ranges.get(name, (0.0, 0.0))
            ranges[name] = (min(low, float(value.min())), max(high, float(value.max())))
    return ranges


def run_qonnx(data, image):
    """dict of str to array: every tensor that QONNX's own executor gives."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapper = ModelWrapper(onnx.ModelProto.FromString(data)).transform(InferShapes())
    return execute_onnx(wrapper, {"image": image}, return_full_exec_context=True)


def run_onnx(data, image):
    """dict of str to array: every tensor that ONNX Runtime gives, its optimisations off."""
    import onnxruntime

    proto = onnx.ModelProto.FromString(data)
    kept = {x.name for x in proto.graph.output}
    for node in proto.graph.node:
        if node.output[0] not in kept and node.op_type != "Clip":
            proto.graph.output.append(helper.make_empty_tensor_value_info(node.output[0]))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [x.name for x in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))
