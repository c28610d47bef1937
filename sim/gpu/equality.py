"""Every tensor of some formats on a device, held to golden element by element."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mnv2.golden.gpu.device import make_runner
from mnv2.golden.model import QuantizedModel
from mnv2.golden.summary import short_repr
from mnv2.sim.pictures.pixel_table import integer_table, look_up

__all__ = ["Comparison", "compare_format"]


@dataclass(frozen=True)
class Comparison:
    """A format on a device, compared with golden.

    Attributes
    ----------
    tensors, elements, different : int
        Compared, and elements that are not equal.
    first : str or None
        The first tensor that differs.
    overflows : int
        Accumulators that left their range, by golden.
    overflows_equal : bool
        Whether the device counted the same for every layer.
    """

    tensors: int
    elements: int
    different: int
    first: str | None
    overflows: int
    overflows_equal: bool

    __repr__ = short_repr

    @property
    def equal(self) -> bool:
        """Whether everything is."""
        return self.different == 0 and self.overflows_equal

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare_format(
    model: QuantizedModel, pixels: np.ndarray, normalization: Any, device: str
) -> Comparison:
    """Run pictures on golden and on a device, and compare every tensor.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    pixels : uint8 [N, H, W, 3]
    normalization : mnv2.golden.float_model.InputNormalization
    device : str
        See `mnv2.golden.gpu.device.find_device`.

    Returns
    -------
    Comparison
    """
    table = integer_table(model, normalization)
    expected: dict[str, int] = {}
    counts: dict[str, int] = {}
    golden = model.run_batch(look_up(pixels, table), overflows=expected)
    runner = make_runner(model, device)
    made = runner.run_pixels(pixels, table, overflows=counts)
    # Without the tensors in between, additions may be computed by the kernel before them.
    last = runner.run_pixels(pixels, table, ["logits_accumulator"])
    pairs = [(name, made[name], tensor) for name, tensor in golden.items()]
    name = "logits_accumulator"
    pairs.append((f"{name} alone", last[name], golden[name]))
    different, first = 0, None
    for name, ours, theirs in pairs:
        wrong = int(np.count_nonzero(ours != theirs)) if ours.shape == theirs.shape else ours.size
        different += wrong
        first = first or (name if wrong else None)
    elements = sum(tensor.size for _, _, tensor in pairs)
    return Comparison(
        len(pairs), elements, different, first, sum(expected.values()), counts == expected
    )
