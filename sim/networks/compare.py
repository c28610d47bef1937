"""Comparison of two sets of tensors: which differ, in how many elements, and by how much."""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError

__all__ = ["DumpComparison", "TensorComparison", "compare_dumps", "sqnr_db"]


@dataclass(frozen=True)
class TensorComparison:
    """One tensor that both sets have.

    Attributes
    ----------
    name : str
    shapes, dtypes : pair
        Of A and B.
    elements : int
        Of A.
    differing : int or None
        Elements that differ; None where the shapes do.
    largest : float or int or None
        Largest absolute difference; NaN where one is NaN and the other is not.
    sqnr_db : float or None
        See `sqnr_db`, A being the reference.
    """

    name: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    dtypes: tuple[str, str]
    elements: int
    differing: int | None
    largest: float | None
    sqnr_db: float | None

    @property
    def equal(self):
        """Whether shape, type and every element are the same."""
        return self.differing == 0 and self.dtypes[0] == self.dtypes[1]


@dataclass(frozen=True)
class DumpComparison:
    """Two sets of tensors.

    Attributes
    ----------
    tensors : tuple of TensorComparison
        Those that both have, in the order of A.
    only_a, only_b : tuple of str
        Names of the others.
    """

    tensors: tuple[TensorComparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    __repr__ = short_repr

    @property
    def first_differing(self):
        """The first tensor that is not equal, or None."""
        return next((tensor for tensor in self.tensors if not tensor.equal), None)


def sqnr_db(reference, value):
    """10 log10 of the power of the reference over that of the difference; inf if equal."""
    reference = np.asarray(reference, np.float64)
    noise = np.square(reference - value).sum()
    signal = np.square(reference).sum()
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal else float("-inf")


def compare_dumps(a, b):
    """Compare two sets of tensors by name.

    Parameters
    ----------
    a, b : dict of str to array
        Integers, booleans or floats; NaN equals NaN.

    Returns
    -------
    DumpComparison

    Raises
    ------
    UserError
        If no name is in both.

    Examples
    --------
    >>> import mnv2
    >>> import numpy as np
    >>> found = mnv2.compare_dumps({"x": np.array([1, 2, 3])}, {"x": np.array([1, 2, 5])})
    >>> found.first_differing.name, found.first_differing.differing
    ('x', 1)
    """
    common = [name for name in a if name in b]
    if not common:
        raise UserError(
            f"The two must share names of tensors, but they have none: "
            f"{_some(a)} here, {_some(b)} there"
        )
    return DumpComparison(
        tensors=tuple(_compare(name, a[name], b[name]) for name in common),
        only_a=tuple(name for name in a if name not in b),
        only_b=tuple(name for name in b if name not in a),
    )


def _some(names, count=3):
    """The first few names."""
    return ", ".join(list(names)[:count]) + (", …" if len(names) > count else "")


def _compare(name, a, b):
    differing = largest = quality = None
    if a.shape == b.shape:
        # Elements of integers differ exactly, whatever floats make of them.
        same = (a == b) | ((a != a) & (b != b))
        differing = int(a.size - np.count_nonzero(same))
        largest, quality = _distance(a[~same], b[~same]), float("inf")
        if differing:
            with np.errstate(all="ignore"):  # NaN and infinity are reported as they are
                quality = sqnr_db(a, np.asarray(b, np.float64))
    return TensorComparison(
        name, (a.shape, b.shape), (a.dtype.name, b.dtype.name), a.size, differing, largest, quality
    )


def _distance(a, b):
    """Largest absolute difference of two lists of elements: an int of integers, else a float."""
    if not a.size:
        return 0
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        # Python's integers: neither uint64 nor a difference of two int64 fits int64.
        return max(abs(x - y) for x, y in zip(a.tolist(), b.tolist(), strict=True))
    with np.errstate(all="ignore"):
        return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
