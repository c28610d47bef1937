"""Every choice of post-training quantisation, by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.quantized_layer import ACTIVATION_BITS, WEIGHT_BITS

GRANULARITIES = ("channel", "tensor")
SCALES = ("real", "power-of-two")
RANGE_METHODS = ("mean-minmax", "minmax", "percentile", "least-squares", "entropy")
WEIGHT_RANGE_METHODS = ("minmax", "least-squares")


@dataclass(frozen=True)
class QuantizationOptions:
    """Choices of post-training quantisation.

    Attributes
    ----------
    weight_bits : int
        2 to 8.
    activation_bits : int
        4 to 8, or 16: then symmetric, as LiteRT's int16 activations are.
    overrides : mapping of str to (weight_bits, activation_bits)
        Other widths for layers by name; None keeps the general one. The activation bits are those
        of the layer's output. Tensors that have no weights (`input`, `pool`, `block3.add`) can be
        named too, their weight bits None. Held as a sorted tuple of pairs. See `first_and_last`.
    granularity : str
        Of the weights' scales: one for each output "channel", or one for the whole "tensor".
    scales : str
        "real", or "power-of-two": weights and activations, all zero points 0, as the DPUs of AMD
        have them (theirs are per tensor: pass that granularity too).
        Ref: Vitis AI User Guide (UG1414) 3.5, "Quantizing with Float Scale".
    arithmetic : mnv2.golden.arithmetic.Arithmetic
        Widths and roundings of the datapath.
    range_method : str
        How an activation's range is chosen; see `mnv2.golden.quantize.ranges.choose_ranges`.
    percentile : float
        Of the method "percentile": above 50, up to 100.
    weight_range_method : str
        "minmax": the largest weight is the end of the range. "least-squares": the end with the
        least squared error of the rounded weights; it matters below 6 bits.
    logits_headroom : float
        The logits' range is this many times the calibrated one, at least 1, so that the int8
        logits of other pictures do not clip.
    equalization : bool
        See `mnv2.golden.quantize.equalization`.
    bias_correction : bool
        See `mnv2.golden.quantize.bias_correction`.
    adaptive_rounding : bool
        See `mnv2.golden.quantize.adaptive_rounding`.
    block_reconstruction : bool
        See `mnv2.golden.quantize.block_reconstruction`, which rounds weights and corrects biases
        by training, so that the two repairs before it are not made.

    Raises
    ------
    ValueError
        If a field has another value.
    """

    weight_bits: int = 8
    activation_bits: int = 8
    overrides: Mapping | tuple = ()
    granularity: str = "channel"
    scales: str = "real"
    arithmetic: Arithmetic = LITERT
    range_method: str = "mean-minmax"
    percentile: float = 99.99
    weight_range_method: str = "minmax"
    logits_headroom: float = 1.5
    equalization: bool = False
    bias_correction: bool = False
    adaptive_rounding: bool = False
    block_reconstruction: bool = False

    def __post_init__(self):
        _check_bits("weight_bits", self.weight_bits, WEIGHT_BITS, "2 to 8")
        _check_bits("activation_bits", self.activation_bits, ACTIVATION_BITS, "4 to 8 or 16")
        for what, allowed in (
            ("granularity", GRANULARITIES),
            ("scales", SCALES),
            ("range_method", RANGE_METHODS),
            ("weight_range_method", WEIGHT_RANGE_METHODS),
        ):
            if getattr(self, what) not in allowed:
                raise ValueError(
                    f"{what} must be one of {', '.join(allowed)}, not {getattr(self, what)!r}"
                )
        if not isinstance(self.arithmetic, Arithmetic):
            raise TypeError(f"arithmetic must be an Arithmetic, not {self.arithmetic!r}")
        if not 50 < self.percentile <= 100:
            raise ValueError(
                f"percentile must be above 50 and at most 100, not {self.percentile!r}"
            )
        if not self.logits_headroom >= 1:
            raise ValueError(f"logits_headroom must be at least 1, not {self.logits_headroom!r}")
        object.__setattr__(self, "overrides", _checked_overrides(self.overrides))

    def weight_bits_of(self, layer):
        """Bits of a layer's weights, by its name."""
        return _first(dict(self.overrides).get(layer, (None, None))[0], self.weight_bits)

    def activation_bits_of(self, tensor):
        """Bits of a tensor that `FloatModel.run` names."""
        return _first(dict(self.overrides).get(tensor, (None, None))[1], self.activation_bits)

    def check_names(self, network):
        """Refuse an override that names no layer or tensor of a mnv2.golden.network.Network.

        Raises
        ------
        ValueError
        """
        layers = {layer.name for layer in network.layers if layer.kind != "pool"}
        tensors = {"input", "pool", *(b.add_name for b in network.blocks if b.residual)}
        for name, (weight_bits, _) in self.overrides:
            if name not in layers | tensors:
                raise ValueError(f"An override must name a layer of the network, not {name!r}")
            if weight_bits is not None and name not in layers:
                raise ValueError(
                    f"The override of {name} must have no weight bits (None): {name} has no weights"
                )


def first_and_last(bits=8):
    """Overrides that keep the first and the last layer, weights and inputs, at a number of bits.

    Ref: Esser et al., "Learned Step Size Quantization", arXiv:1902.08153, section 3: the inputs
    and the weights of the first and last layers are left at 8 bits, as is the field's custom.
    """
    return {
        "input": (None, bits),
        "stem": (bits, None),
        "pool": (None, bits),
        "classifier": (bits, bits),
    }


def _first(value, default):
    return default if value is None else value


def _check_bits(what, bits, allowed, words):
    if isinstance(bits, bool) or bits not in allowed:
        raise ValueError(f"{what} must be {words}, not {bits!r}")


def _checked_overrides(overrides):
    pairs = overrides.items() if isinstance(overrides, Mapping) else overrides
    checked = []
    for name, (weight_bits, activation_bits) in pairs:
        if weight_bits is not None:
            _check_bits(f"weight_bits of {name}", weight_bits, WEIGHT_BITS, "2 to 8")
        if activation_bits is not None:
            _check_bits(
                f"activation_bits of {name}", activation_bits, ACTIVATION_BITS, "4 to 8 or 16"
            )
        checked.append((name, (weight_bits, activation_bits)))
    return tuple(sorted(checked))
