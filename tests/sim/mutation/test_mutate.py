"""A tiny campaign on the real code: mutants that are killed, live, hang and cannot be imported."""

import dataclasses
import json
from pathlib import Path

import pytest

from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.mutation import judge as judging
from mnv2.sim.mutation import mutate
from mnv2.sim.mutation.draw import all_mutants
from mnv2.sim.mutation.kept import Finding, difference, load_findings, score, summarize
from mnv2.sim.mutation.mutate import prepare_mutation, run_mutation
from mnv2.sim.mutation.mutation_tables import render_scores, score_line
from mnv2.sim.mutation.parts import PARTS
from mnv2.sim.mutation.places import Mutant
from mnv2.sim.mutation.request import MutationRequest
from mnv2.sim.mutation.stages import STAGES
from mnv2.sim.mutation.tree import Tree

ROOT = Path(__file__).parents[3]
FILE = "hw/stream_layout.py"
TEXT = (ROOT / FILE).read_text(encoding="utf-8")


def stillborn():
    """A mutant whose module cannot be imported."""
    old = "@dataclass(frozen=True)"
    return Mutant(FILE, "", "statement", old, "@nothing", 0, TEXT.index(old), TEXT.index(old) + 23)


@pytest.fixture(scope="module")
def prepared():
    """A campaign of four mutants of a module whose tests take no time."""
    mutants = all_mutants(ROOT, PARTS["hw"])[FILE]

    def mutant(old, new):
        (found,) = [
            one
            for one in mutants
            if (one.old, one.new, one.function, one.number) == (old, new, "padded_layout", 0)
        ]
        return found

    return dataclasses.replace(
        prepare_mutation(MutationRequest("hw", 1), ROOT, 1),
        mutants=(
            mutant("data_bits // word_bits", "((data_bits) * (word_bits))"),
            # A word as wide as a beat takes one, by either way.
            mutant("word_bits <= data_bits", "(word_bits < data_bits)"),
            mutant("beat_bits += 1", "pass"),
            stillborn(),
        ),
    )


@pytest.fixture(scope="module")
def campaign(prepared, tmp_path_factory):
    """Folder and verdicts of that campaign, by the tests of the unit."""
    folder = tmp_path_factory.mktemp("mutation") / "campaign"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "CPU_SECONDS", 5)
        return folder, run_mutation(prepared, folder, stages=["unit"], workers=0)


def test_verdicts(campaign):
    killed, lives, hangs, cannot = campaign[1]
    assert [one.verdict for one in campaign[1]] == ["killed", "lives", "killed", "stillborn"]
    assert killed.by.startswith("tests/hw/test_stream_layout.py::test_")
    assert hangs.by == "the time limit"
    assert hangs.seconds > 4
    assert (lives.by, lives.stage) == ("", "unit")
    assert cannot.by == "tests/hw/test_stream_layout.py"


def test_the_checkout_is_as_it_was(campaign):
    assert (ROOT / FILE).read_text(encoding="utf-8") == TEXT
    (copy,) = campaign[0].glob("process-*/tree")
    assert (copy / FILE).read_text(encoding="utf-8") == TEXT


def test_what_kills_passes_on_the_code_as_it_is(campaign):
    lines = map(json.loads, (campaign[0] / "journal.jsonl").read_text().splitlines())
    sound = [entry["tests"] for entry in lines if "sound" in entry]
    assert [campaign[1][0].by] in sound


def test_resumed_campaign_judges_nothing_twice(campaign, prepared, monkeypatch):
    def refuse(*arguments):
        raise AssertionError(arguments)

    monkeypatch.setattr(mutate, "judge", refuse)
    again = run_mutation(prepared, campaign[0], resume=True, stages=["unit"], workers=0)
    assert again == campaign[1]
    # Those that live are judged once more, if that is asked for.
    with pytest.raises(AssertionError, match=prepared.mutants[1].new.replace("(", r"\(")[:12]):
        run_mutation(prepared, campaign[0], resume=True, again=True, stages=["unit"], workers=0)


def test_a_test_that_always_fails_is_no_judge(prepared, monkeypatch, tmp_path):
    wrong = {"verdict": "killed", "by": "tests/a.py::test_b", "why": "assert 0", "seconds": 0.1}
    monkeypatch.setattr(mutate, "judge", lambda *arguments: wrong)
    with pytest.raises(SimulationError, match=r"Nothing is planted, and tests/a\.py::test_b fails"):
        run_mutation(prepared, tmp_path / "campaign", stages=["unit"], workers=0)


def test_other_source_is_another_campaign(campaign, prepared):
    configuration = {**prepared.configuration, "sources": "0" * 64}
    other = dataclasses.replace(prepared, configuration=configuration)
    with pytest.raises(UserError, match="differs in sources; start anew"):
        run_mutation(other, campaign[0], resume=True, workers=0)


def test_summary(campaign, prepared):
    lives = prepared.mutants[1]
    reason = "The loop gives such a word one beat, too"
    finding = Finding("equivalent", f"{FILE} padded_layout", "<= -> <", reason)
    unnamed = summarize(prepared, campaign[1], {})
    named = summarize(prepared, campaign[1], {lives.name: finding})
    assert unnamed["counts"] | {"unnamed": 0, "equivalent": 1} == named["counts"]
    assert (unnamed["counts"]["killed"], unnamed["counts"]["stillborn"]) == (2, 1)
    assert score(unnamed["counts"]) == 2 / 3
    assert score(named["counts"]) == 1
    assert [one["name"] for one in named["living"]] == [lives.name]
    assert named["stages"]["unit"] == {"judged": 4, "killed": 2}
    assert named["stages"]["proofs"] == {"judged": 0, "killed": 0}
    changes = {lives.name: difference(lives, ROOT)}
    shown = [str(part) for part in render_scores("hw", named, changes).renderables]
    assert any("-    if word_bits <= data_bits:" in part for part in shown)
    assert any("+    if (word_bits < data_bits):" in part for part in shown)
    assert shown[-1] == score_line("hw", named)
    assert shown[-1].endswith("no score yet: 1 that live have not been through every stage")
    done = {**named, "living": [{**one, "through": "faults"} for one in named["living"]]}
    assert score_line("hw", done).endswith("; score 100.0 %")


def test_what_was_left_planted_is_taken_out(tmp_path):
    tree = Tree(ROOT, tmp_path / "tree")
    planting = tree.planted(stillborn())
    planting.__enter__()
    assert "@nothing" in (tree.folder / FILE).read_text(encoding="utf-8")
    again = Tree(ROOT, tmp_path / "tree")  # as after a kill
    assert (again.folder / FILE).read_text(encoding="utf-8") == TEXT


def test_stages_of_every_file():
    """Each file of hw has tests of some stage, and a unit's are those that hw/README.md names."""
    unit, _, neighbours, *_ = STAGES["hw"]
    assert unit.tests(ROOT, "hw/ring.py") == ["tests/hw/test_ring.py"]
    assert "tests/hw/test_core.py" in neighbours.tests(ROOT, "hw/mac_array.py")
    assert "tests/hw/test_parameters.py" in neighbours.tests(ROOT, "hw/accelerator.py")
    for part, stages in STAGES.items():
        for file in PARTS[part].files(ROOT):
            for stage in stages:
                if stage.is_pytest:
                    assert all((ROOT / test).is_file() for test in stage.tests(ROOT, file))
    for file in PARTS["golden"].files(ROOT) + PARTS["cycles"].files(ROOT):
        part = "golden" if file.startswith("golden/") else "cycles"
        tests = [test for stage in STAGES[part] for test in stage.tests(ROOT, file)]
        assert len(tests) == len(set(tests)) >= 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ""),
        ('[a]\nfinding = "hole"\nplace = ""\nchange = ""\nreason = "a test"', ""),
        ('[a]\nfinding = "hole"\nplace = ""\nchange = ""\nreason = " "', "The mutant a in"),
        ('[a]\nfinding = "good"\nplace = ""\nchange = ""\nreason = "x"', "is one of equivalent"),
        ('[a]\nfinding = "hole"', "must have place, change, reason and finding"),
        ("[", "is not valid TOML"),
    ],
)
def test_file_of_findings(tmp_path, text, message):
    path = tmp_path / "named.toml"
    path.write_text(text)
    if message:
        with pytest.raises(UserError, match=message):
            load_findings(path)
    else:
        assert len(load_findings(path)) == text.count("[a]")


def test_parts_and_stages_that_are_not_there(prepared, tmp_path):
    with pytest.raises(UserError, match="part must be one of hw, golden, cycles, not 'sim'"):
        MutationRequest("sim", 1)
    with pytest.raises(UserError, match="stage of hw must be one of unit, proofs,.* not 'all'"):
        run_mutation(prepared, tmp_path / "none", stages=["all"], workers=0)
    assert not (tmp_path / "none").exists()
