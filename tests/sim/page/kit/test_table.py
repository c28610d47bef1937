"""Tables hold what they are sorted by."""

import re

from mnv2.sim.page.kit.table import Column, Note, count, decimal, percent, signed, table

ROWS = [{"name": "<b>", "cycles": 12345, "share": 0.5}, {"name": "two", "cycles": None, "share": 1}]
COLUMNS = [
    Column("name", lambda row: row["name"]),
    Column("cycles", lambda row: row["cycles"], count, "clock cycles"),
    Column("share", lambda row: Note(row["share"], percent(row["share"]), "good"), percent),
]


def test_cells():
    made = table("one", "Caption <i>", COLUMNS, ROWS, total=ROWS[0], note="Note", keys=[4, 5])
    assert '<th scope="row">&lt;b&gt;</th>' in made
    assert '<td class="number">12,345</td>' in made
    assert '<td class="number" data-value=""></td>' in made
    assert '<td class="number good" data-value="0.5">50.0 %</td>' in made
    assert re.findall(r'<tr data-key="(\d)">', made) == ["4", "5"]
    assert made.count('aria-sort="none"') == 3
    assert 'aria-labelledby="caption-one"' in made
    assert "Caption &lt;i&gt;" in made
    assert made.index("</tbody>") < made.index("<tfoot>")


def test_numbers():
    assert [count(1234567), count(None), signed(0), signed(-1200), signed(3)] == [
        "1,234,567",
        "",
        "0",
        "-1,200",
        "+3",
    ]
    assert [decimal(2)(1234.5), decimal(1)(None), percent(0.123)] == ["1,234.50", "", "12.3 %"]
