"""A Chromium that is installed opens pages from the disk; what they do is written down."""

import contextlib
import os
import shutil
import time

import pytest

from mnv2.sim.page.kit.page import FILE_NAME, write_page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser():
    """A browser; without one its tests are skipped, unless MNV2_CHROMIUM says that there is one."""
    wanted = os.environ.get("MNV2_CHROMIUM")
    path = next(filter(None, map(shutil.which, [wanted] if wanted else NAMES)), wanted)
    if path is None:
        pytest.skip("no Chromium found: install one, or name it in MNV2_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


class Visit:
    """A page that is open, and what it said and asked for meanwhile.

    Attributes
    ----------
    page : playwright.sync_api.Page
    complaints : list of str
        Messages of the console and errors.
    requests : list of str
        Addresses of all that was asked for.
    """

    def __init__(self, page):
        self.page, self.complaints, self.requests = page, [], []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def drawn(self, selector):
        """How many elements of a selector have an area."""
        return self.page.evaluate(
            "selector => [...document.querySelectorAll(selector)].filter(one => {"
            "const box = one.getBoundingClientRect(); return box.width > 0 && box.height > 0})"
            ".length",
            selector,
        )

    def plot(self, name):
        """Selector of a plot."""
        return f'[data-figure="{name}"]'

    def hover(self, name, selector, number=0):
        """Texts that appear under the pointer over an element of a plot."""
        box = self.page.evaluate(
            "([plot, selector, number]) => {const node = document.querySelector(plot);"
            "node.scrollIntoView({block: 'center'});"
            "const box = node.querySelectorAll(selector)[number].getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]}",
            [self.plot(name), selector, number],
        )
        self.page.mouse.move(box[0] - 3, box[1])
        self.page.mouse.move(*box)
        shown = self.page.locator(f"{self.plot(name)} .hoverlayer text")
        shown.first.wait_for(timeout=5000)
        # Plotly looks again for what is nearest, 50 ms after a move.
        self.page.wait_for_timeout(150)
        return " ".join(shown.all_text_contents())

    def wait(self, expression):
        """Wait for a condition; the page's policy lets no text be evaluated in it."""
        deadline = time.monotonic() + 10
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"never came true: {expression}"
            self.page.wait_for_timeout(20)

    def overflow(self):
        """Pixels by which the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    @contextlib.contextmanager
    def resized(self, width, media="screen"):
        """Another width meanwhile, with its plots drawn again."""
        before = self.page.viewport_size
        self.page.set_viewport_size({"width": width, "height": before["height"]})
        self.page.emulate_media(media=media)
        redrawn = (
            "Math.max(...[...document.querySelectorAll('.plot .main-svg')].map("
            "one => one.getBoundingClientRect().width))"
        )
        self.wait(f"{redrawn} <= {width}")
        yield
        self.page.emulate_media(media="screen")
        self.page.set_viewport_size(before)
        self.wait(f"{redrawn} > {width}")

    def column(self, table, number):
        """Texts of a column of a table, from top to bottom."""
        return self.page.locator(f"#{table} tbody tr > :nth-child({number})").all_text_contents()

    def colors(self):
        """Background of the page and of its first plot."""
        return self.page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            "document.querySelector('.plot .main-svg').style.background]"
        )


@pytest.fixture(scope="session")
def visit(browser, tmp_path_factory):
    """Function that writes a report's page and opens it; a context manager.

    It fails where the console says anything, or anything but the file is asked for.
    """
    folders = {}

    @contextlib.contextmanager
    def opened(page, *, width=1200, height=900, **options):
        if id(page) not in folders:
            # The page is kept, so that no other has its id.
            folders[id(page)] = tmp_path_factory.mktemp("page"), page
            write_page(page, folders[id(page)][0])
        address = (folders[id(page)][0] / FILE_NAME).as_uri()
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        try:
            seen = Visit(context.new_page())
            seen.page.goto(address)
            seen.page.wait_for_selector(".plot .main-svg")
            yield seen
            assert seen.complaints == []
            assert seen.requests == [address]
        finally:
            context.close()

    return opened
