"""A few hundred damaged files of each form; `damage.py` alone reads thousands."""

import pytest

from tests.golden.importers.damage import FORMS, read_many


@pytest.mark.parametrize("form", [form for form in FORMS if form != "keras hdf5"])
def test_damage_is_a_model_or_a_sentence(form):
    outcomes, longest = read_many(form, 12345, 150)
    assert outcomes["refused"] > 30
    assert sum(outcomes.values()) == 150
    assert longest < 10
