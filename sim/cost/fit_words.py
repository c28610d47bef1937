"""How good the fit is, in the words of the README and of `mnv2 lab calibrate-costs`."""

from collections.abc import Iterable, Sequence

from mnv2.sim.cost.calibration import FITTED, FitError
from mnv2.sim.cost.families import FAMILIES

__all__ = ["error_words"]

_WORDS = {"luts": "LUTs", "flip_flops": "flip-flops"}


def error_words(rows: Iterable[FitError]) -> str:
    """Errors of designs that were not fitted, by family.

    Parameters
    ----------
    rows : iterable of FitError
        As of `mnv2.sim.cost.calibration.compare_fit`; those that were fitted are left out.

    Returns
    -------
    str
        Such as ``"UltraScale+: LUTs -1.0 to +3.4 %, flip-flops -0.2 to +0.9 % (4 designs)"`` for
        each family, joined by semicolons.
    """
    held: dict[str, list[FitError]] = {}
    for row in rows:
        if row.held_out:
            held.setdefault(row.family, []).append(row)
    parts = []
    for family, of_it in held.items():
        title = FAMILIES[family].title.partition(" ")[2]
        errors = ", ".join(f"{_WORDS[name]} {_span(of_it, name)}" for name in reversed(FITTED))
        parts.append(f"{title}: {errors} ({len(of_it)} designs)")
    return "; ".join(parts)


def _span(rows: Sequence[FitError], resource: str) -> str:
    """Least and greatest error of a resource."""
    errors = [100 * row.error(resource) for row in rows]
    return f"{min(errors):+.1f} to {max(errors):+.1f} %"
