"""The documentation as a site: built without a warning, and loading nothing from a network."""

import html.parser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer.main
import yaml

import mnv2
from mnv2.hw.config import COUNTER_ROWS, PRESETS, AcceleratorConfig
from mnv2.hw.register_map import ADDRESSES
from mnv2.sim.cli import app
from mnv2.sim.rtl.register_map import register_map

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "mkdocs.yml"
#: Attributes that make a browser load what they name, by element; of links only style and icons.
LOADS = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}


def load(name):
    """A module of docs/hooks, as MkDocs loads it."""
    folder = str(ROOT / "docs" / "hooks")
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def build(folder, settings=SETTINGS):
    """Run MkDocs as a user does; gives the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--config-file", settings, "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the site that was built, warnings being errors."""
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Page(html.parser.HTMLParser):
    """A page, as far as links are concerned.

    Attributes
    ----------
    anchors : set of str
        Names that a link may end in.
    links, loads : list of str
        Addresses that a reader may go to; those that the browser loads by itself.
    text : str
        Its text, in one line.
    """

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads, self._parts = set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self._parts).split())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        loaded = found.get(LOADS.get(tag))
        if loaded and (tag != "link" or found.get("rel") in ("stylesheet", "icon", "preconnect")):
            self.loads.append(loaded)

    def handle_data(self, data):
        self._parts.append(data)


def bare(text):
    """A text without white space and marks of Markdown."""
    return re.sub(r"\s|[*_`\\]", "", text)


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, by path."""
    found = {path: Page(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}
    assert len(found) > 25
    return found


def test_links(pages):
    """Every link within the site leads to a file that is there, and to a place in it."""
    wrong, checked = [], 0
    for path, page in pages.items():
        for address in page.links + page.loads:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            checked += 1
            if not target.is_file():
                wrong.append((path.name, address))
            elif parts.fragment and target in pages:
                if unquote(parts.fragment) not in pages[target].anchors:
                    wrong.append((path.name, address))
    assert checked > 500
    assert not wrong


def test_nothing_is_loaded_from_a_network(site, pages):
    remote = re.compile(r"^(?:\w+:)?//")
    for path, page in pages.items():
        assert len(page.loads) > 2
        assert [one for one in page.loads if remote.match(one)] == [], path
        # The theme's script would fetch what draws such a diagram.
        assert "mermaid" not in path.read_text(encoding="utf-8")
    sheets = list(site.rglob("*.css"))
    assert len(sheets) > 1
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        named = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')\s]+)", text)
        assert [one for one in named if remote.match(one)] == [], sheet


def test_browser_asks_for_files_of_the_site_only(site):
    """A Chromium that may go anywhere opens a page of each kind."""
    wanted = os.environ.get("MNV2_CHROMIUM")
    names = [wanted] if wanted else ["chromium", "chromium-browser", "google-chrome"]
    program = next(filter(None, map(shutil.which, names)), wanted)
    if program is None:
        pytest.skip("no Chromium found: install one, or name it in MNV2_CHROMIUM")
    from playwright.sync_api import sync_playwright

    requests = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        for name in ("index.html", "architecture.html", "reference/commands.html"):
            page.goto((site / name).as_uri(), wait_until="networkidle")
            assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
        browser.close()
    assert len(requests) > 6
    assert [one for one in requests if not one.startswith((site.as_uri(), "data:"))] == []


def test_dead_link_is_an_error(tmp_path):
    """A link to a page, and one to a heading, that do not exist."""
    (tmp_path / "docs").mkdir()
    text = "# A\n\n[b](b.md)\n\n[c](#c)\n"
    (tmp_path / "docs" / "index.md").write_text(text, encoding="utf-8")
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    for name in ("nav", "hooks", "extra_css"):
        del settings[name]
    settings["docs_dir"] = str(tmp_path / "docs")
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert done.returncode != 0
    assert "'b.md'" in done.stderr
    assert "'#c'" in done.stderr


def test_commands(site):
    """Every command has a heading, and every option its row with the whole help."""
    text = Page(site / "reference" / "commands.html").text
    plain = bare(text)
    count = 0

    def check(name, command):
        nonlocal count
        assert f"{name} " in text
        for one in command.params:
            if getattr(one, "hidden", False):
                continue
            count += 1
            assert (one.opts[-1] if one.param_type_name == "option" else "") in text
            assert bare(getattr(one, "help", None) or "") in plain, (name, one.name)

    for name, command in typer.main.get_command(app).commands.items():
        for inner, part in getattr(command, "commands", {"": command}).items():
            if not command.hidden:
                check(f"mnv2 {name} {inner}".strip(), part)
    assert count > 150


def test_python(site):
    """Every name of the interface has an entry with the first sentence of its docstring."""
    page = Page(site / "reference" / "python.html")
    plain = bare(page.text)
    for name in mnv2.__all__:
        if not name.startswith("_"):
            assert name.lower() in page.anchors
            first = getattr(mnv2, name).__doc__.strip().split("\n\n")[0]
            assert bare(first) in plain, name
    assert AcceleratorConfig.__name__.lower() in page.anchors


def test_registers(site):
    """Every row that `mnv2 verilog` writes."""
    plain = bare(Page(site / "reference" / "registers.html").text)
    written = register_map(PRESETS["base"], rows=COUNTER_ROWS)
    rows = re.findall(r"^\| ?(.*) ?\|$", written, re.MULTILINE)
    assert len(rows) > 40
    for row in rows:
        cells = bare(row).replace("|", "")
        assert cells in plain or not cells.strip("-:"), row
    assert all(f"0x{address:04X}{bare(name)}" in plain for name, address in ADDRESSES.items())


@pytest.mark.parametrize("name", load("drawings").DRAWINGS)
def test_drawings_are_those_of_the_script(name):
    """Run `python docs/hooks/drawings.py` where this fails."""
    drawn = load("drawings").DRAWINGS[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == drawn
    assert "prefers-color-scheme:dark" in drawn
    assert 'class="ground"' in drawn


@pytest.mark.parametrize("text", ["", "One line.", "Roles: :class:`~a.B` and ``c``.", "<time> x"])
def test_inline_text(text):
    shown = load("python_reference").numpydoc_as_markdown(text)
    assert shown == text.replace(":class:`~a.B`", "`a.B`").replace("``c``", "`c`").replace(
        "<time", "&lt;time"
    )


def test_sections_of_a_docstring():
    text = (
        "Add.\n\nParameters\n----------\na, b : int\n    Two of them,\n    in bits.\n\n"
        "Returns\n-------\nint\n\nExamples\n--------\n>>> 1 + 1\n2\n\nRef: a book.\n"
    )
    assert load("python_reference").numpydoc_as_markdown(text) == (
        "Add.\n\n**Parameters**\n\n- `a, b`: int. Two of them, in bits.\n\n**Returns**\n\n- `int`"
        "\n\n**Examples**\n\n```pycon\n>>> 1 + 1\n2\n```\n\nRef: a book."
    )


def test_citation():
    """CITATION.cff can be read, and has the project's version."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == mnv2.__version__
    assert {"title", "authors", "message", "license"} <= set(cited)
