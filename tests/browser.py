"""A Chromium of the system for the tests that need a real browser; where none is found they skip and say so."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome", "chrome") if (p := shutil.which(n))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium found; install one to test the pages in a browser"
)


@contextmanager
def chromium() -> Iterator:
    """A started browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def visit(browser, path: Path, *, width: int = 1280, **context):
    """The opened page and what went wrong on it: requests that left, messages of the console, dialogs."""
    page = browser.new_context(viewport={"width": width, "height": 900}, **context).new_page()
    wrong: list[str] = []
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r.url))
    page.on("console", lambda m: wrong.append(m.text))
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("dialog", lambda d: (wrong.append(f"dialog {d.message}"), d.dismiss()))
    page.goto(path.as_uri())
    return page, wrong
