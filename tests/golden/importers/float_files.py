"""Random float models, and writers of the files that other frameworks make of them."""

import contextlib
import io
import pickle
import sys
import types
import zipfile

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.importers.torchvision_names import layer_prefixes
from tests.golden.float_networks import float_network


def random_float_model(rng, network, epsilon=1e-5):
    """A FloatModel with unfolded normalisations whose activations stay inside ReLU6's range."""

    def draw(layer):
        channels = layer.output_channels
        fan = 9 if layer.kind == "depthwise" else layer.weight_count // channels
        weights = rng.normal(0, fan**-0.5, layer.weight_shape).astype(np.float32)
        if layer.kind == "classifier":
            return weights, rng.normal(0, 1, channels).astype(np.float32)
        vectors = [
            rng.uniform(low, high, channels).astype(np.float32)
            for low, high in ((0.5, 2), (-1, 2), (-0.5, 0.5), (0.3, 2))
        ]
        return weights, None, BatchNormalization(*vectors, epsilon)

    return float_network(network, draw)


def assert_equal_models(a, b, epsilons=True):
    """Whether two float models hold the same arrays for the same channels."""
    assert list(a.layers) == list(b.layers)
    for name, x in a.layers.items():
        y = b.layers[name]
        assert x.layer.output_channels == y.layer.output_channels
        pairs = [(x.weights, y.weights), (x.bias, y.bias)]
        assert (x.normalization is None) == (y.normalization is None), name
        if x.normalization is not None:
            pairs += [
                (getattr(x.normalization, part), getattr(y.normalization, part))
                for part in ("scale", "offset", "mean", "variance")
            ]
            assert not epsilons or x.normalization.epsilon == y.normalization.epsilon
        for have, want in pairs:
            assert (have is None) == (want is None), name
            if have is not None:
                assert have.dtype == want.dtype == np.float32
                np.testing.assert_array_equal(have, want, err_msg=name)


def foreign_axes(layer, weights):
    """Golden's weights as [Cout, Cin / groups, K, K], the classifier's as [Cout, Cin]."""
    if layer.kind == "stem":
        return np.ascontiguousarray(weights.transpose(3, 2, 0, 1))
    if layer.kind == "depthwise":
        return np.ascontiguousarray(weights.transpose(2, 0, 1)[:, None])
    turned = np.ascontiguousarray(weights.T)
    return turned if layer.kind == "classifier" else turned[:, :, None, None]


def torchvision_tensors(model):
    """A state dict's arrays, in its order, counters of batches included."""
    tensors = {}
    for name, (convolution, normalization) in layer_prefixes(model.network).items():
        record = model.layers[name]
        tensors[f"{convolution}.weight"] = foreign_axes(record.layer, record.weights)
        if normalization is None:
            tensors[f"{convolution}.bias"] = record.bias
            continue
        norm = record.normalization
        for part, value in (
            ("weight", norm.scale),
            ("bias", norm.offset),
            ("running_mean", norm.mean),
            ("running_var", norm.variance),
            ("num_batches_tracked", np.array(7, np.int64)),
        ):
            tensors[f"{normalization}.{part}"] = value
    return tensors


class TorchArray:
    """An array that pickles as torch pickles a tensor.

    Parameters
    ----------
    key : str
        Of its storage.
    storage : str
        Name of torch's class.
    elements, offset : int
    shape, strides : tuple of int
    """

    def __init__(self, key, storage, elements, shape, strides, offset=0):
        self.storage = (key, storage, elements)
        self.view = (offset, tuple(shape), tuple(strides))

    def __reduce__(self):
        import collections

        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (_Storage(*self.storage), *self.view, False, collections.OrderedDict())


class _Storage:
    def __init__(self, *fields):
        self.fields = fields


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, _Storage):
            return None
        key, name, elements = value.fields
        return ("storage", getattr(sys.modules["torch"], name), key, "cpu", elements)


@contextlib.contextmanager
def stand_in_torch():
    """Modules with torch's names within the context, so that a real pickler finds them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        raise AssertionError("a reader must never call it")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def pickle_like_torch(value):
    """Protocol 2, by the real pickler."""
    file = io.BytesIO()
    with stand_in_torch():
        _Pickler(file, 2).dump(value)
    return file.getvalue()


def to_bfloat16(value):
    """The upper halves of float32 numbers, uint16."""
    return (np.ascontiguousarray(value, np.float32).view(np.uint32) >> 16).astype(np.uint16)


#: How each of torch's storages holds an array.
STORED = {
    "FloatStorage": lambda x: x.astype("<f4"),
    "HalfStorage": lambda x: x.astype("<f2"),
    "DoubleStorage": lambda x: x.astype("<f8"),
    "BFloat16Storage": to_bfloat16,
    "LongStorage": lambda x: x.astype("<i8"),
}


def torch_zip(
    tensors,
    *,
    storage="FloatStorage",
    wrap=lambda x: x,
    compression=zipfile.ZIP_STORED,
    prefix="",
    root="archive",
    members=(),
):
    """Bytes of a `.pt` file of arrays, as PyTorch 1.6 and later write it.

    Parameters
    ----------
    tensors : dict of str to array
    storage : str
        Torch's class for the floats.
    wrap : function
        From the state dict to the object that is saved.
    prefix : str
        Before each name.
    members : iterable of (str, bytes)
        Further members, which replace those of the same name.
    """
    entries, contents = {}, {}
    for index, (name, value) in enumerate(tensors.items()):
        kind = storage if value.dtype.kind == "f" else "LongStorage"
        strides = tuple(x // value.itemsize for x in value.strides)
        entries[prefix + name] = TorchArray(str(index), kind, value.size, value.shape, strides)
        contents[f"data/{index}"] = STORED[kind](value.ravel(order="K")).tobytes()
    members = {
        "data.pkl": pickle_like_torch(wrap(entries)),
        "byteorder": b"little",
        **contents,
        "version": b"3\n",
        **dict(members),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, value in members.items():
            archive.writestr(f"{root}/{name}", value)
    return file.getvalue()


def onnx_bytes(
    model,
    *,
    normalized=True,
    clip="inputs",
    bias=False,
    pool="GlobalAveragePool",
    classifier="Gemm",
    channels_last=False,
    pad_nodes=False,
    softmax=False,
    open_size=False,
    change=None,
):
    """Bytes of an ONNX file of a float model, in one of the forms that exporters write.

    Parameters
    ----------
    normalized : bool
        BatchNormalization nodes, or all of it folded.
    clip : str
        "inputs", "attributes", "relu-min" or "max-min".
    bias : bool
        An Add after each convolution in place of its own bias; only where folded.
    pool : str
        "GlobalAveragePool", "ReduceMean" or "AveragePool".
    classifier : str
        "Gemm", "Gemm turned" (weights [Cin, Cout]), "MatMul" or "Conv".
    channels_last : bool
        NHWC, and a Transpose at the start.
    pad_nodes : bool
        Pad before a convolution that does not pad itself.
    change : function of (nodes, constants), optional
        Edits the lists before the graph is made.
    """
    from onnx import TensorProto, helper, numpy_helper

    network = model.network
    model = model if normalized else model.folded()
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], name=f"n_{output}", **attributes))
        return output

    if clip == "inputs" or "-" in clip:
        constant("zero", np.float32(0))
        constant("six", np.float32(6))

    def clamp(x, name):
        if clip == "attributes":
            return node("Clip", [x], f"{name}.relu6", min=0.0, max=6.0)
        if clip == "inputs":
            return node("Clip", [x, "zero", "six"], f"{name}.relu6")
        x = (
            node("Relu", [x], f"{name}.relu")
            if clip == "relu-min"
            else node("Max", [x, "zero"], f"{name}.relu")
        )
        return node("Min", [x, "six"], f"{name}.relu6")

    def convolution(x, layer):
        record, name = model.layers[layer.name], layer.name
        (top, bottom), (left, right) = layer.padding
        pads = [top, left, bottom, right]
        if pad_nodes and any(pads):
            constant(f"{name}.pads", np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
            x, pads = node("Pad", [x, f"{name}.pads"], f"{name}.padded"), [0, 0, 0, 0]
        inputs = [x, constant(f"{name}.weight", foreign_axes(layer, record.weights))]
        if record.bias is not None and not bias:
            inputs.append(constant(f"{name}.bias", record.bias))
        group = layer.output_channels if layer.kind == "depthwise" else 1
        x = node(
            "Conv",
            inputs,
            f"{name}.conv",
            pads=pads,
            strides=[layer.stride] * 2,
            group=group,
            kernel_shape=list(layer.kernel_size),
        )
        if record.bias is not None and bias:
            spread = constant(f"{name}.bias", record.bias.reshape(1, -1, 1, 1))
            x = node("Add", [x, spread], f"{name}.biased")
        if record.normalization is not None:
            norm = record.normalization
            vectors = [
                constant(f"{name}.{part}", getattr(norm, part))
                for part in ("scale", "offset", "mean", "variance")
            ]
            x = node("BatchNormalization", [x, *vectors], f"{name}.norm", epsilon=norm.epsilon)
        return clamp(x, name) if layer.relu6 else x

    rows, columns, channels = network.input_shape
    if open_size:
        rows, columns = "rows", "columns"
    shape = [1, rows, columns, channels] if channels_last else [1, channels, rows, columns]
    x = "image"
    if channels_last:
        x = node("Transpose", [x], "turned", perm=[0, 3, 1, 2])
    x = convolution(x, network.stem)
    for block in network.blocks:
        shortcut = x
        for layer in block.layers:
            x = convolution(x, layer)
        if block.residual:
            x = node("Add", [shortcut, x], block.add_name)
    if network.head is not None:
        x = convolution(x, network.head)
    if pool == "ReduceMean":
        x = node(
            "ReduceMean", [x, constant("axes", np.array([-1, -2], np.int64))], "mean", keepdims=1
        )
    elif pool == "AveragePool":
        x = node("AveragePool", [x], "mean", kernel_shape=list(network.pool.kernel_size))
    else:
        x = node("GlobalAveragePool", [x], "mean")
    record = model.layers["classifier"]
    if classifier == "Conv":
        weight = constant("classifier.weight", record.weights.T[:, :, None, None].copy())
        x = node(
            "Conv",
            [x, weight, constant("classifier.bias", record.bias)],
            "scores",
            kernel_shape=[1, 1],
        )
        x = node("Flatten", [x], "logits")
    else:
        x = (
            node("Flatten", [x], "flat")
            if pool != "ReduceMean"
            else node("Reshape", [x, constant("shape", np.array([1, -1], np.int64))], "flat")
        )
        weight = record.weights.T.copy() if classifier == "Gemm" else record.weights
        inputs = [x, constant("classifier.weight", weight)]
        bias_name = constant("classifier.bias", record.bias)
        if classifier == "MatMul":
            x = node("Add", [bias_name, node("MatMul", inputs, "product")], "logits")
        else:
            x = node("Gemm", [*inputs, bias_name], "logits", transB=int(classifier == "Gemm"))
    if softmax:
        x = node("Softmax", [x], "probabilities")
    if change is not None:
        change(nodes, constants)
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, network.classes])],
        constants,
    )
    opset = 9 if clip == "attributes" else 18
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return made.SerializeToString()
