"""A few hundred damaged files of each form; `damage.py` alone reads thousands."""

import pytest

from tests.golden.importers.damage import FORMS, read_many, read_one, whole_file


@pytest.mark.parametrize("form", [form for form in FORMS if form != "keras hdf5"])
def test_damage_is_a_model_or_a_sentence(form):
    assert read_one(FORMS[form][1], whole_file(form)) == "read"
    outcomes, longest = read_many(form, 12345, 150)
    assert outcomes["refused"] > 30
    assert sum(outcomes.values()) == 150
    assert longest < 10
