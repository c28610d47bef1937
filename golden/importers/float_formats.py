"""Any format of float models, told by its content, from bytes to the float model."""

from mnv2.golden.importers.float_network import MAXIMUM_BYTES
from mnv2.golden.importers.hdf5_file import SIGNATURE
from mnv2.golden.importers.keras_file import CONFIG_MEMBER, parse_keras_hdf5, parse_keras_zip
from mnv2.golden.importers.onnx_network import parse_onnx
from mnv2.golden.importers.safetensors_file import is_safetensors, parse_safetensors
from mnv2.golden.importers.torch_checkpoint import ZIP_SIGNATURE, parse_checkpoint
from mnv2.golden.importers.torch_names import float_model_from_state_dict
from mnv2.golden.importers.zip_members import ZipMembers

#: How a pickle begins; of PyTorch's old format, the file.
_PICKLE = b"\x80"
#: How an ONNX file begins: the field `ir_version`.
_ONNX = b"\x08"
FORMATS = ("PyTorch (.pt, .pth)", "safetensors", "Keras (.h5, .keras)", "ONNX")


def float_format(data):
    """Which format bytes are of: "torch", "keras zip", "keras hdf5", "safetensors" or "onnx".

    Raises
    ------
    ValueError
        If they are of none, or more than `MAXIMUM_BYTES`.
    """
    if len(data) > MAXIMUM_BYTES:
        raise ValueError(f"A model's file must have at most {MAXIMUM_BYTES} bytes")
    if data.startswith(SIGNATURE):
        return "keras hdf5"
    if data.startswith(ZIP_SIGNATURE):
        return "keras zip" if CONFIG_MEMBER in ZipMembers(data).names else "torch"
    if is_safetensors(data):
        return "safetensors"
    if data.startswith(_PICKLE):
        return "torch"
    if data.startswith(_ONNX):
        return "onnx"
    raise ValueError(
        "A model's file must be of a known format: "
        f"{', '.join(FORMATS)}, or TFLite in int8 (.tflite)"
    )


def parse_float_model(data, input_size=None, strides=None, read_sibling=None):
    """The model in a file's bytes; see `float_reader.read_float_model`.

    Parameters
    ----------
    data : bytes
    input_size, strides
        As there.
    read_sibling : function of (name, offset, length), optional
        Bytes of a file in the same folder, for ONNX.
    """
    kind = float_format(data)
    if kind == "keras hdf5":
        return parse_keras_hdf5(data, input_size, strides)
    if kind == "keras zip":
        return parse_keras_zip(data, input_size, strides)
    if kind == "onnx":
        return parse_onnx(data, input_size, read_sibling)
    tensors = parse_safetensors(data) if kind == "safetensors" else parse_checkpoint(data)
    return float_model_from_state_dict(tensors, input_size=input_size, strides=strides)
