"""The document: head, style, data of the figures and scripts, in one self-contained file."""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnv2.sim.errors import UserError
from mnv2.sim.page.kit.markup import Markup, element, join, script_json
from mnv2.sim.page.kit.theme import DARK_FIGURE_COLORS, page_variables

__all__ = ["FILE_NAME", "Page", "import_plotly", "render_page", "write_page"]

FILE_NAME = "report.html"
#: In this folder; inlined in this order.
SCRIPTS = ("figures.js", "tables.js")
STYLE = "page.css"


@dataclass
class Page:
    """Content of a page, put together section by section.

    Attributes
    ----------
    title : str
        Of the document and of its first heading.
    lead : str
        The main result, in a sentence.
    summary : Markup
        The input of the run, below it.
    sections : list of Markup
    contents : dict of str to str
        Headings of the sections by their ``id``.
    figures : dict of str to dict
        By name: ``data`` and ``layout`` as plotly takes them, and what `mnv2.sim.page.kit.figure`
        adds.
    data : dict
        Further data that scripts of the page read.
    scripts : tuple of str
        Names of further script files of this folder.
    """

    title: str
    lead: str
    summary: Markup = Markup("")
    sections: list[Markup] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()

    def add(self, name: str, heading: str, *content: Markup) -> None:
        """Add a section under a heading of its own.

        Parameters
        ----------
        name : str
            Its ``id``.
        heading : str
        *content : Markup
        """
        self.contents[name] = heading
        self.sections.append(element("section", element("h2", heading), *content, id=name))


def import_plotly():
    """Import plotly.

    Raises
    ------
    UserError
        If it is not installed.
    """
    try:
        import plotly.graph_objects
        import plotly.offline
    except ImportError:
        raise UserError("A page needs plotly: pip install 'mnv2[page]'") from None
    return plotly


def render_page(page: Page) -> str:
    """The document as text.

    Parameters
    ----------
    page : Page
    """
    plotly = import_plotly()
    here = Path(__file__).parent
    own = "\n".join(_read(here / name) for name in (*SCRIPTS, *page.scripts))
    scripts = [_as_script(plotly.offline.get_plotlyjs()), _as_script(own)]
    # Scripts are allowed by their hash: a script inside an inserted text does not run.
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    style = (
        f":root{{{page_variables(False)}color-scheme:light}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{page_variables(True)}"
        f"color-scheme:dark}}}}\n{_read(here / STYLE)}"
    )
    data = {"figures": page.figures, "dark": DARK_FIGURE_COLORS, **page.data}
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", page.title),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "Skip to the report", href="#report", class_="skip"),
        element(
            "header",
            element("h1", page.title),
            element("p", page.lead, class_="lead"),
            page.summary,
        ),
        element(
            "nav",
            element(
                "ul",
                *(
                    element("li", element("a", heading, href=f"#{name}"))
                    for name, heading in page.contents.items()
                ),
            ),
            aria_label="Contents",
        ),
        element(
            "noscript",
            element(
                "p",
                "Figures and sorting need JavaScript; the tables hold all numbers.",
                class_="note",
            ),
        ),
        element("main", join(page.sections, "\n"), id="report"),
        element("script", script_json(data), type="application/json", id="data"),
        *(element("script", Markup(script)) for script in scripts),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def write_page(page: Page, folder: Path) -> None:
    """Write ``report.html`` into a folder.

    Parameters
    ----------
    page : Page
    folder : Path
        A temporary one, such as `mnv2.sim.jobs.files.output_folder` or
        `mnv2.sim.jobs.files.replaced_files` yield, which appears as a whole.
    """
    # As bytes: no line end may change, for the scripts are allowed by their hashes.
    (folder / FILE_NAME).write_bytes(render_page(page).encode())


def _read(path):
    return path.read_text(encoding="utf-8")


def _as_script(text):
    """A script, checked to be safe inside a document as it is.

    Raises
    ------
    ValueError
        If it would end its element, or be parsed differently from how it is hashed.
    """
    lower = text.lower()
    for wrong in ("</script", "<!--", "\r", "\0"):
        if wrong in lower:
            raise ValueError(f"A script of the page must not hold {wrong!r}")
    return text


def _sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
