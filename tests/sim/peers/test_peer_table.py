"""Measured and predicted never share a column; a tool that failed is a row that says why."""

import csv
import io
import json

import pytest
from rich.console import Console

from mnv2.hw.config import PRESETS
from mnv2.sim.peers.ours import Measured
from mnv2.sim.peers.peer_plots import LONGEST, draw_peers
from mnv2.sim.peers.peer_table import as_csv, as_dict, as_json, make_row, render
from mnv2.sim.peers.question import Question
from mnv2.sim.peers.result import Answer, LayerSaid

MEASURED = Measured(800, 100, 4000, 12.0, 100, "abc")
CONFIG = PRESETS["base"]
DEPTHWISE = {"block1.depthwise"}


def row(answer, **changes):
    question = Question(
        **{
            "name": "zigzag-own",
            "tool": "ZigZag",
            "label": "our array",
            "package": "zigzag-dse",
            "array": "16 x 4 x 7",
            "memory": "ours",
            "mapping": "ours",
            "untold": "fused blocks",
            "multipliers": 448,
            "files": {},
            "command": (),
            "read": None,
            **changes,
        }
    )
    return make_row(question, answer, DEPTHWISE)


@pytest.fixture
def rows():
    return [
        row(
            Answer(
                (LayerSaid("stem", 900, 5000), LayerSaid("block1.depthwise", 300, 1000)),
                75.0,
                "3.9.1",
            )
        ),
        row(Answer((LayerSaid("stem", 8000, None),), 0.25, "3.9.1"), label="as it comes"),
        row(Answer(version="3.9.1", failure="not finished in 60 s"), label="free"),
    ]


def printed(rows, **options):
    file = io.StringIO()
    Console(file=file, width=140).print(render(MEASURED, rows, CONFIG, 300_000, **options))
    return file.getvalue()


def test_a_row(rows):
    assert (rows[0].tool, rows[0].title) == ("ZigZag 3.9.1", "ZigZag 3.9.1, our array")
    assert (rows[0].cycles, rows[0].depthwise_cycles, rows[0].dram_bytes) == (1200, 300, 6000)
    assert rows[1].dram_bytes is None
    assert rows[2].cycles is None


def test_text(rows):
    text = printed(rows, notes=["Not asked: others."])
    lines = text.splitlines()
    (line,) = [line for line in lines if line.startswith("  1 ZigZag 3.9.1, our array")]
    assert line.split()[5:] == [
        "448",
        "1,200",
        "1.50",
        "55.8%",
        "300",
        "6,000",
        "1.50",
        "1.2",
        "min",
    ]
    (line,) = [line for line in lines if line.startswith("  3 ZigZag 3.9.1, free")]
    assert line.split()[-2:] == ["448", "none"]
    assert "No answer: not finished in 60 s." in text
    assert "Not told: fused blocks." in text
    assert text.startswith("measured in RTL: 800 cycles, 100 of them depthwise")
    assert text.rstrip().endswith("Not asked: others.")


def test_measured_and_predicted_have_columns_of_their_own(rows):
    content = as_dict(MEASURED, rows, CONFIG, {"commit": "abc"})
    assert json.loads(as_json(content)) == content
    assert content["predicted"][0]["predicted_over_measured_cycles"] == 1.5
    table = list(csv.DictReader(io.StringIO(as_csv(content))))
    assert len(table) == 4
    for one in table:
        measured = [name for name, cell in one.items() if name.startswith("measured_") and cell]
        predicted = [name for name, cell in one.items() if name.startswith("predicted_") and cell]
        assert not (measured and predicted)
    assert table[0]["measured_cycles"] == "800"
    assert table[1]["predicted_cycles"] == "1200"
    assert table[3]["failure"] == "not finished in 60 s"


def test_picture_has_a_bar_for_each_answer_and_cuts_the_longest(rows):
    (axes,) = draw_peers(MEASURED, rows, 448).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["measured in RTL", "ZigZag 3.9.1, our array", "ZigZag 3.9.1, as it comes"]
    ends = {}
    for bar in axes.patches:
        place = round(bar.get_y() + bar.get_height() / 2)
        ends[place] = max(ends.get(place, 0), bar.get_x() + bar.get_width())
    assert ends == {0: 800, 1: 1200, 2: LONGEST * 800}
    texts = [text.get_text() for text in axes.texts]
    assert "8,000  10.00 x, cut" in texts
    assert "1,200  1.50 x" in texts
