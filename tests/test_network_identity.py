"""Two networks are never taken for one: no hash is made of the line that a record prints."""

import re
from pathlib import Path

import mnv2
from mnv2.golden.network import mobilenet_v2
from mnv2.sim.explore.request import prepare_search

ROOT = Path(__file__).parents[1]


def test_no_hash_of_a_line():
    """`Network.all_fields` is what hashes are made of."""
    for path in (ROOT / "sim").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"repr\(\(?(\w+\.)*(network|model)\b", text), path


def test_a_search_knows_its_network():
    space = mnv2.choose_space("small", ["outputs=16"]).values
    request = mnv2.SearchRequest(space=space, objectives=("fps",))
    found = {
        prepare_search(request, mobilenet_v2(0.35, 96, padding=padding)).configuration["network"]
        for padding in ("pytorch", "tensorflow")
    }
    assert len(found) == 2
