"""How the proofs went when all of them ran last: kept for docs/verification.md."""

import json
from pathlib import Path

from mnv2.sim.jobs.files import write_whole

__all__ = ["RESULTS", "load_results", "markdown_table", "record"]

RESULTS = Path(__file__).with_name("results.json")


def load_results():
    """Kept results by the names of proofs; empty if there are none."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def record(results, names):
    """Keep results, in place of earlier ones of the same proofs, and forget those of no proof.

    Parameters
    ----------
    results : iterable of tests.formal.proof.Result
    names : sequence of str
        All proofs, in the order of the catalogue.
    """
    kept = load_results()
    for result in results:
        kept[result.proof.name] = {
            "good": result.good,
            "method": result.proof.method,
            "depth": result.proved.depth,
            "cover": result.covered.depth,
            "fault": result.caught.depth,
            "seconds": round(result.seconds, 1),
        }
    ordered = {name: kept[name] for name in names if name in kept}
    write_whole(RESULTS, (json.dumps(ordered, indent=1) + "\n").encode())


def markdown_table(proofs):
    """Rows of the page's table: each proof with its claim, and how it went.

    Parameters
    ----------
    proofs : sequence of tests.formal.proof.Proof

    Returns
    -------
    list of str
    """
    kept = load_results()
    rows = []
    for proof in proofs:
        one = kept.get(proof.name)
        cells = ["not recorded", "", "", ""]
        if one is not None:
            cells = [
                f"{one['depth']}",
                f"{one['cover']}",
                f"{one['fault']}",
                f"{one['seconds']:.1f}",
            ]
        rows.append(f"| `{proof.name}` | {proof.claim} | {proof.method} | {' | '.join(cells)} |")
    return rows
