"""Mutants drawn by seed from the files of a part."""

import random
from collections.abc import Sequence
from pathlib import Path

from mnv2.sim.mutation.parts import Part
from mnv2.sim.mutation.places import Mutant, find_mutants

__all__ = ["all_mutants", "draw_mutants"]


def all_mutants(root: Path, part: Part) -> dict[str, list[Mutant]]:
    """Every fault that the part's rules find, by file.

    Parameters
    ----------
    root : Path
        The checkout.
    part : mnv2.sim.mutation.parts.Part

    Returns
    -------
    dict of str to list of Mutant
    """
    return {
        file: find_mutants(file, (root / file).read_text(encoding="utf-8"), part.rules)
        for file in part.files(root)
    }


def draw_mutants(found: dict[str, list[Mutant]], seed: int, count: int) -> list[Mutant]:
    """Draw mutants: a file by the number of its places, then a kind, then a place.

    So rare kinds are seen, and common ones, such as numbers off by one, do not crowd them out. The
    first mutants of a seed are the same for every count.

    Parameters
    ----------
    found : dict of str to list of Mutant
        By file; see `all_mutants`.
    seed : int
    count : int
        Fewer are drawn where there are fewer.

    Returns
    -------
    list of Mutant
        All different, in the order drawn.
    """
    rng = random.Random(f"mutants {seed}")
    left = {file: _by_kind(mutants) for file, mutants in found.items() if mutants}
    weights = {file: len(found[file]) for file in left}
    drawn: list[Mutant] = []
    while left and len(drawn) < count:
        files = sorted(left)
        file = rng.choices(files, [weights[one] for one in files])[0]
        kinds = left[file]
        kind = rng.choice(sorted(kinds))
        drawn.append(kinds[kind].pop(rng.randrange(len(kinds[kind]))))
        if not kinds[kind]:
            del kinds[kind]
        if not kinds:
            del left[file]
    return drawn


def _by_kind(mutants: Sequence[Mutant]) -> dict[str, list[Mutant]]:
    kinds: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        kinds.setdefault(mutant.kind, []).append(mutant)
    return kinds
