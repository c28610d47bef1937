"""The network to run: the bundled one with its real weights, or a file of the user's.

`open_model` is what commands call. Integer models are run as they are; float ones are quantised,
which takes a few seconds of calibration; the result is kept in the cache folder under a hash of
everything it depends on.
"""

import contextlib
import hashlib
import zipfile
from dataclasses import asdict, dataclass, replace

import numpy as np

from mnv2.golden.archive import model_from_arrays, model_to_arrays
from mnv2.golden.arithmetic import LITERT
from mnv2.golden.float_model import FloatModel
from mnv2.golden.graph.family import FamilyNetwork
from mnv2.golden.importers.torch_checkpoint import SHA256, read_checkpoint
from mnv2.golden.importers.torchvision_names import float_model_from_torchvision
from mnv2.golden.model import QuantizedModel
from mnv2.golden.network import mobilenet_v2
from mnv2.golden.quantize import (
    QuantizationOptions,
    calibrate,
    quantize_model,
)
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.cache import cache_dir
from mnv2.sim.jobs.files import save_arrays
from mnv2.sim.jobs.identity import code_hash
from mnv2.sim.networks.carried_names import find_class_names, find_resizing
from mnv2.sim.networks.files import hash_file, read_model_file
from mnv2.sim.networks.untrained import UNTRAINED_SEED, untrained_network
from mnv2.sim.pictures.calibration_pictures import (
    BUNDLED,
    CalibrationSet,
    calibration_limit,
    find_calibration,
)
from mnv2.sim.pictures.class_names import ClassNames, known_class_names
from mnv2.sim.pictures.resizing import CROP, Resizing, parse_resizing

#: How per-picture ranges become one; see `mnv2.golden.quantize.ranges.choose_ranges`.
RANGE_METHOD = "mean-minmax"
#: How a float network is quantised where nothing else is asked for.
DEFAULT_OPTIONS = QuantizationOptions(bias_correction=True)
#: Name of the bundled network in reports.
BUNDLED_NAME = "MobileNetV2 with torchvision's weights"


@dataclass(frozen=True, eq=False)
class RunnableModel:
    """A network of the family, ready to run.

    Attributes
    ----------
    name : str
        Path of its file, or the name of the bundled network.
    integer : mnv2.golden.model.QuantizedModel
    float_model : mnv2.golden.float_model.FloatModel or None
        The float network that it was quantised from; None if it came as integers.
    family : mnv2.golden.graph.family.FamilyNetwork or None
        The graph that it came as.
    calibrated_on : str or None
        The pictures that it was calibrated on, in words; None if it came as integers.
    options : mnv2.golden.quantize.QuantizationOptions or None
        How it was quantised; None if it came as integers.
    given_names : mnv2.sim.pictures.class_names.ClassNames or None
        Names of its classes that the user or its file gives.
    resizing : mnv2.sim.pictures.resizing.Resizing
        How pictures are resized for it.
    """

    name: str
    integer: QuantizedModel
    float_model: FloatModel | None = None
    family: FamilyNetwork | None = None
    calibrated_on: str | None = None
    options: QuantizationOptions | None = None
    given_names: ClassNames | None = None
    resizing: Resizing = CROP

    def __repr__(self):
        made = "in integers" if self.float_model is None else "quantised"
        return f"RunnableModel({self.name[-60:]}, {self.network.title}, {made})"

    @property
    def network(self):
        return self.integer.network

    def logits(self, tensors):
        """Real logits float64 [classes] of `QuantizedModel.run`'s tensors.

        Those of the integer network, or of the dense layers that the host runs after it; see
        `mnv2.golden.graph.family.FamilyNetwork.logits`.
        """
        return (self.integer if self.family is None else self.family).logits(tensors)

    @property
    def classes(self):
        """Number of its logits, those of dense layers that the host runs included."""
        return self.network.classes if self.family is None else self.family.classes

    @property
    def class_names(self):
        """The mnv2.sim.pictures.class_names.ClassNames of its classes."""
        return self.given_names or known_class_names(self.classes)


def open_model(
    path=None,
    *,
    weights=None,
    input_size=None,
    network=None,
    weight_bits=8,
    activation_bits=8,
    arithmetic=LITERT,
    bias_correction=None,
    block_reconstruction=False,
    calibration=BUNDLED,
    resize=None,
    labels=None,
    progress=None,
):
    """Open the network in a file, or the bundled one.

    Parameters
    ----------
    path : path, optional
        See `mnv2.sim.networks.files.read_model_file`; default MobileNetV2 1.0, 224 with
        torchvision's weights.
    weights : path, optional
        Of the bundled network, see `load_float_model`.
    input_size : int, optional
        Rows and columns of the picture, for float files that do not state them.
    network : mnv2.golden.network.Network, optional
        In place of a file: another one than the bundled network. It has torchvision's weights if
        its layers do, which suit pictures of any size, else random ones; its name says which.
    weight_bits, activation_bits : int
        Bits that a float network is quantised to; integer ones have their own.
    arithmetic : mnv2.golden.arithmetic.Arithmetic
        Roundings and widths that a float network is quantised for; integer ones have their own.
    bias_correction : bool, optional
        Whether the biases of a float network take back the mean error of each layer, see
        `mnv2.golden.quantize.bias_correction`; by default they do.
    block_reconstruction : bool
        Whether the roundings of a float network's weights are trained, which takes minutes and
        corrects biases too, see `mnv2.golden.quantize.block_reconstruction`.
    calibration : str
        Pictures that a float network is calibrated on: ``"bundled"``, a folder or a list file.
    resize : str, optional
        How pictures, those of calibration too, are resized for the network: ``"crop"``,
        ``"crop:0.875"``, ``"stretch"`` or ``"none"``; by default as the file states that `mnv2
        export` wrote, else ``"crop"``.
    labels : path, optional
        Names of the classes, see `mnv2.sim.pictures.label_file.read_class_names`; by default those
        that the model's file carries, or ImageNet's where the number of classes is theirs.
    progress : function of (done, total), optional
        Called for each calibration picture, if there is a calibration.

    Returns
    -------
    RunnableModel

    Raises
    ------
    UserError
        If the file, the weights, the pictures or the labels cannot be used, or a network in
        integers is to be calibrated or corrected.

    Examples
    --------
    >>> import mnv2
    >>> model = mnv2.open_model("small.tflite")
    >>> model.network.classes
    12
    """
    resizing = None if resize is None else parse_resizing(resize)
    if path is None and input_size is not None:
        raise UserError("A size is for the float model of --model: the bundled network has its own")
    if path is not None and network is not None:
        raise UserError("A network is that of a file, or another one: not both")
    if path is not None and weights is not None:
        raise UserError(
            "Weights are those of the bundled network: give --weights or --model, not both"
        )
    options = QuantizationOptions(
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        arithmetic=arithmetic,
        weight_range_method="least-squares" if block_reconstruction else "minmax",
        bias_correction=bias_correction is not False and not block_reconstruction,
        block_reconstruction=block_reconstruction,
    )
    if path is not None:
        read, name, content = read_model_file(path, input_size), str(path), None
    else:
        read, name, content = _read_bundled(weights, network)
    integer = read.model if isinstance(read, FamilyNetwork) else read
    classes = read.classes if isinstance(read, FamilyNetwork) else integer.network.classes
    names = find_class_names(path, classes, labels)
    resizing = resizing or find_resizing(path) or CROP
    if isinstance(read, FamilyNetwork | QuantizedModel):
        if calibration != BUNDLED:
            raise UserError(
                f"The model {path} is in integers: there is nothing to calibrate on {calibration}"
            )
        if bias_correction:
            raise UserError(f"The model {path} is in integers: its biases are not corrected")
        if block_reconstruction:
            raise UserError(f"The model {path} is in integers: its roundings are not trained")
        family = read if isinstance(read, FamilyNetwork) else None
        return RunnableModel(name, integer, family=family, given_names=names, resizing=resizing)
    pictures = find_calibration(calibration, calibration_limit(block_reconstruction))
    quantized = load_model(
        options=options,
        progress=progress,
        float_model=read,
        content=content or hash_file(path),
        pictures=pictures,
        resizing=resizing,
    )
    return RunnableModel(
        name,
        quantized,
        read,
        calibrated_on=pictures.words + _repairs(options),
        options=options,
        given_names=names,
        resizing=resizing,
    )


def _repairs(options):
    """The repairs, after the words of what was calibrated on."""
    if options.block_reconstruction:
        return ", roundings trained"
    return ", biases corrected" if options.bias_correction else ""


def _read_bundled(weights, network):
    """Float network, its name, and a text that its weights follow from."""
    bundled = mobilenet_v2()
    if network is None or network == bundled:
        return load_float_model(weights), BUNDLED_NAME, SHA256
    if network == mobilenet_v2(input_size=network.input_shape[:2]):
        rows, columns = network.input_shape[:2]
        name = f"{BUNDLED_NAME}, {rows}x{columns}"
        return load_float_model(weights, network), name, SHA256
    content = f"random weights, seed {UNTRAINED_SEED}, {network.all_fields}"
    return untrained_network(network), f"{network.title}, random weights", content


def load_float_model(weights=None, network=None):
    """MobileNetV2 1.0, 224, 1000 classes with torchvision's weights, batch norms unfolded.

    Parameters
    ----------
    weights : path, optional
        The checkpoint; default the bundled one. Its sha256 is checked either way.
    network : mnv2.golden.network.Network, optional
        The same layers for pictures of another size.

    Raises
    ------
    UserError
        If it is missing, has another hash, or cannot be read.
    """
    try:
        return float_model_from_torchvision(read_checkpoint(weights), network or mobilenet_v2())
    except ValueError as error:
        raise UserError(str(error)) from None


def load_model(
    weights=None,
    options=None,
    range_method=RANGE_METHOD,
    progress=None,
    float_model=None,
    content=SHA256,
    pictures: CalibrationSet | None = None,
    resizing: Resizing = CROP,
):
    """Quantise a network, or read the result from the cache.

    Parameters
    ----------
    weights : path, optional
        As in `load_float_model`.
    options : mnv2.golden.quantize.QuantizationOptions, optional
        By default `DEFAULT_OPTIONS`.
    range_method : str
    progress : function of (done, total), optional
        Called for each calibration picture; never where the cache has the model.
    float_model : FloatModel, optional
        The float network; by default what `load_float_model(weights)` gives.
    content : str
        Hash of the file that the float network was read from.
    pictures : mnv2.sim.pictures.calibration_pictures.CalibrationSet, optional
        By default the bundled photographs.
    resizing : mnv2.sim.pictures.resizing.Resizing

    Returns
    -------
    mnv2.golden.model.QuantizedModel

    Raises
    ------
    UserError
    """
    options = options or DEFAULT_OPTIONS
    pictures = pictures or find_calibration(BUNDLED)
    if float_model is None:
        float_model = load_float_model(weights)
    key = _model_key(content, float_model, options, range_method, pictures, resizing)
    path = cache_dir() / "models" / f"{key}.npz"
    with (
        contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile),
        np.load(path, allow_pickle=False) as arrays,
    ):
        return model_from_arrays({name: arrays[name] for name in arrays.files})
    shape, normalization = float_model.network.input_shape, float_model.input_normalization
    images = pictures.read(shape, normalization, resizing)
    try:
        model = quantize_on(float_model, images, options, range_method, progress)
    except ValueError as error:
        raise UserError(f"The network cannot be quantised: {error}") from None
    # A cache that cannot be written only costs time.
    with contextlib.suppress(OSError):
        save_arrays(path, model_to_arrays(model))
    return model


def quantize_on(float_model, pictures, options=None, range_method=RANGE_METHOD, progress=None):
    """Quantise a float network with ranges from pictures.

    Parameters
    ----------
    float_model : mnv2.golden.float_model.FloatModel
    pictures : sequence of float32 [H, W, 3]
        Normalised.
    options, range_method, progress
        As for `load_model`.

    Returns
    -------
    mnv2.golden.model.QuantizedModel
    """
    options = replace(options or DEFAULT_OPTIONS, range_method=range_method)
    input_range = float_model.input_normalization.range()
    seen = calibrate(float_model, pictures, options, input_range, progress)
    return quantize_model(float_model, seen, options, progress)


def _model_key(content, float_model, options, range_method, pictures, resizing):
    digest = hashlib.sha256()
    # The size of the picture is not in every file.
    depends = (
        content,
        float_model.network.input_shape,
        float_model.input_normalization,
        sorted(asdict(options).items()),
        range_method,
        code_hash("mnv2.sim.networks.open"),
        np.__version__,
        pictures.bundled,
        pictures.hashes(),
        str(resizing),
    )
    digest.update(repr(depends).encode())
    return digest.hexdigest()[:32]
