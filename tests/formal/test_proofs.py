"""Small proofs of the catalogue: proved, not vacuous, and each fails with its fault planted."""

import os

import pytest

from tests.formal import tools
from tests.formal.catalogue import PROOFS
from tests.formal.fault import planted
from tests.formal.proof import prove

SMALL = [proof for proof in PROOFS if proof.small]
LARGE = [proof for proof in PROOFS if not proof.small]


@pytest.fixture(scope="module", autouse=True)
def _solvers():
    """Skips where a solver cannot be had; in CI all are."""
    sentence = tools.missing()
    if sentence and not os.environ.get("CI"):
        pytest.skip(sentence)


@pytest.mark.parametrize("proof", SMALL, ids=lambda proof: proof.name)
def test_proof(proof):
    result = prove(proof)
    assert not result.failure


def test_names_are_unique():
    names = [proof.name for proof in PROOFS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("proof", LARGE, ids=lambda proof: proof.name)
def test_bench_of_a_large_proof(proof):
    with planted(proof.fault):
        proof.bench().text()
    bench = proof.bench()
    bench.text()
    assert bench.properties
    assert bench.covers
