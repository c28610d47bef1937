"""One file, that runs its own scripts alone and asks for nothing."""

import base64
import hashlib
import re
import sys

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.page.kit.page import (
    FILE_NAME,
    Page,
    _as_script,
    import_plotly,
    render_page,
    write_page,
)
from mnv2.sim.page.kit.theme import PAGE_COLORS
from mnv2.sim.page.run_page import run_page
from tests.sim.report.example import example_network_report

HOSTILE = "cat</script><script>document.title='broken'</script>&\".jpg"


@pytest.fixture(scope="module")
def document():
    return render_page(run_page(example_network_report(image=HOSTILE), f"mnv2 run '{HOSTILE}'"))


def scripts(document):
    """Attributes and content of every script element."""
    return re.findall(r"<script([^>]*)>(.*?)</script>", document, re.DOTALL)


def test_scripts_run_by_their_hash_alone(document):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', document)[1]
    policy = policy.replace("&#x27;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy.split(";")[1]
    run = [text for attributes, text in scripts(document) if "json" not in attributes]
    assert len(run) == 2
    for text in run:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_library_is_there_once(document):
    assert document.count("* plotly.js v") == 1
    assert len(document) < 5_200_000


def test_nothing_is_linked(document):
    outside = document
    for _, text in scripts(document):
        outside = outside.replace(text, "")
    assert "//" not in outside
    assert not re.search(r"<(link|img|iframe|script [^>]*src)", outside)


def test_text_of_files_stays_text(document):
    assert len(scripts(document)) == 3
    assert "cat&lt;/script&gt;" in document
    assert "<script>document.title" not in document


def test_head(document):
    assert document.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<meta charset="utf-8">' in document
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in document
    assert document.count("<h1>") == document.split("<style>")[0].count("<title>") == 1


@pytest.mark.parametrize("wrong", ["a</SCRIPT>", "<!-- a", "a\r\n", "a\0"])
def test_scripts_that_would_not_run_are_refused(wrong):
    with pytest.raises(ValueError, match="must not hold"):
        _as_script(wrong)


def test_missing_library_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(UserError, match=r"pip install 'mnv2\[page\]'"):
        import_plotly()


def test_the_same_report_is_the_same_file(tmp_path, document):
    report = example_network_report(image=HOSTILE)
    write_page(run_page(report, f"mnv2 run '{HOSTILE}'"), tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == document.encode()


def test_a_page_without_figures():
    page = Page("Title", "Lead")
    page.add("one", "Heading", "text")
    assert '<section id="one"><h2>Heading</h2>text</section>' in render_page(page)


def luminance(color):
    """Relative luminance. Ref: WCAG 2.2, definition of contrast ratio."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("text", ["ink", "muted", "accent", "good", "bad"])
@pytest.mark.parametrize("ground", ["ground", "surface", "chosen"])
def test_text_can_be_read(text, ground, dark):
    one, other = sorted(luminance(PAGE_COLORS[name][dark]) for name in (text, ground))
    assert (other + 0.05) / (one + 0.05) >= 4.5
