"""docs/verification.md says what the kept files, the proofs and the monitor say."""

import re
from pathlib import Path

import pytest

from mnv2.sim.mutation.kept import load_findings, load_scores, score
from mnv2.sim.mutation.mutation_tables import score_line
from mnv2.sim.mutation.parts import PARTS
from tests.formal.catalogue import PROOFS
from tests.formal.record import load_results, markdown_table
from tests.sim.rtl.test_axi_monitor import BROKEN, GOOD
from tests.sim.rtl.test_planted_faults import FAULTS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/verification.md").read_text(encoding="utf-8")
WORDS = re.sub(r"\s+", " ", PAGE)


def test_proofs():
    """Every proof is in the table, as it went when it was recorded."""
    rows = re.findall(r"^\| `[\w-]+` \|.*\|$", PAGE, re.M)
    assert rows == markdown_table(PROOFS)


def test_recorded_proofs_are_good():
    results = load_results()
    assert set(results) <= {proof.name for proof in PROOFS}
    for proof in PROOFS:
        if proof.name in results:
            assert results[proof.name]["good"]
            assert results[proof.name]["method"] == proof.method
            assert proof.depth in (0, results[proof.name]["depth"])


def test_monitor():
    checks = (ROOT / "sim/rtl/axi_monitor.sv").read_text().count('$fatal(1, "axi_monitor: ')
    assert f"{checks} checks of AXI4" in WORDS
    assert f"plays {len(GOOD)} sequences in which every rule is kept and {len(BROKEN)}" in WORDS


def test_planted_faults():
    assert f"{len(FAULTS)} in the accelerator's own Verilog" in WORDS


@pytest.mark.parametrize("part", PARTS)
def test_scores(part):
    """Each line is that of the kept counts; a part without any is said to have none."""
    scores = load_scores()
    if part in scores:
        assert score_line(part, scores[part]) in WORDS
    else:
        assert f"{part}: no campaign is kept" in WORDS


@pytest.mark.parametrize("part", sorted(load_scores()))
def test_counts_add_up(part):
    kept = load_scores()[part]
    counts = kept["counts"]
    assert sum(counts.values()) == kept["drawn"]
    for name, number in counts.items():
        assert sum(file[name] for file in kept["files"].values()) == number
    assert 0 <= score(counts) <= 1
    living = counts["slower"] + counts["equivalent"] + counts["hole"] + counts["unnamed"]
    assert len(kept["living"]) == living


def test_findings_are_of_mutants_that_live():
    living = {one["name"] for kept in load_scores().values() for one in kept["living"]}
    assert set(load_findings()) <= living
