"""Text stays text."""

import json

import pytest

from mnv2.sim.page.kit.markup import Markup, element, escape, join, plot_text, script_json

HOSTILE = "</script><script>alert('1')</script><!--&\""


def test_text_is_escaped_everywhere():
    made = element("p", HOSTILE, title=HOSTILE, class_="note", data_key=3)
    assert "<script" not in made
    assert made.count("<") == 2
    assert made.startswith('<p title="&lt;/script&gt;')
    assert 'class="note" data-key="3"' in made
    assert "'" not in made.replace("&#x27;", "")


def test_markup_is_kept():
    inner = element("b", "a & b")
    assert element("p", inner, " < ", 7, None) == "<p><b>a &amp; b</b> &lt; 7</p>"
    assert escape(inner) is inner
    assert join(["<", Markup("<br>")], "\n") == "&lt;\n<br>"


def test_attributes():
    assert element("option", "x", selected=True, hidden=False, id=None) == (
        "<option selected>x</option>"
    )
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_json_cannot_end_its_script():
    written = script_json({HOSTILE: [HOSTILE, 1.5, None]})
    assert not set("<>&") & set(written)
    assert json.loads(written) == {HOSTILE: [HOSTILE, 1.5, None]}


def test_json_holds_no_infinities():
    with pytest.raises(ValueError, match="JSON"):
        script_json([float("inf")])


def test_plots_are_given_text():
    assert plot_text('<b>"') == '&lt;b&gt;"'
