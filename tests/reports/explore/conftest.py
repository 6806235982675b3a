"""A page of the explorer in a real browser: Debian's Chromium, driven by Playwright."""

import shutil

import pytest

from small_explorer import small_explorer
from tradesim.reports.explore.page import write

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.fixture(scope="session")
def explorer():
    return small_explorer()


@pytest.fixture(scope="session")
def page_file(explorer, tmp_path_factory):
    path = tmp_path_factory.mktemp("explore") / "explore.html"
    write(explorer, path, "tradesim explore")
    return path


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with api.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def opened(browser, page_file):
    """Open the page, with what stands behind #, at a size; afterwards nothing may have gone wrong.

    No error on the console, and no request but that for the file itself.
    """
    contexts, wrong, asked = [], [], []

    def opens(hash_="", width=1280, height=900, file=page_file, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text)
                if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{file.as_uri()}{hash_}")
        assert page.evaluate("Boolean(tradesim.page.numbers)")
        return page

    yield opens
    for context in contexts:
        context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)
