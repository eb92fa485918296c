"""The report in a real browser: no request, no error, no accessibility violation, readable on a phone, printable."""

import re
from pathlib import Path

import pytest
import small_run
from browser import chromium, needs_chromium, visit

from cxkit import report

PAGES = ["index.html", "03_loyalty.html", "11_summary.html", "lone.html"]
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)><a href="javascript:alert(3)">'

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def write(folder: Path, **texts: str) -> Path:
    """A whole report; lone.html is a page without a run."""
    run_dir, owner = small_run.make(folder, **texts)
    report.write_report(run_dir, owner)
    report.render_notebook(run_dir / "03_loyalty.ipynb", run_dir / "lone.html")
    return run_dir


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return write(
        tmp_path_factory.mktemp("hostile"), name=EVIL, text=EVIL, notes=f"{EVIL}\n\n[x](javascript:alert(4))\n"
    )


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("texts", ["plain", "hostile"])
def test_nothing_leaves_nothing_runs_and_nothing_sticks_out(browser, request, texts, name):
    page, wrong = visit(browser, request.getfixturevalue(texts) / name)
    assert page.locator("script, iframe, object, form").count() == 0
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.hasAttribute('alt'))")
    for width in (320, 390, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert wrong == []
    page.context.close()


def test_the_policy_stops_what_would_slip_in(browser, plain, tmp_path):
    """Were escaping ever to fail, the page's policy still runs no script and sends no request."""
    html = (plain / "03_loyalty.html").read_text(encoding="utf-8")
    slipped = "<script>document.title = 'run'</script><img src='https://example.org/x.png' onerror='document.title=1'>"
    (tmp_path / "x.html").write_text(html.replace("</main>", f"{slipped}</main>"), encoding="utf-8")
    page = browser.new_page()
    stopped = []
    page.on("requestfailed", lambda r: stopped.append((r.url, r.failure)))
    page.goto((tmp_path / "x.html").as_uri())
    assert page.title() == "Loyalty · Malyatko"
    assert stopped == [("https://example.org/x.png", "csp")]
    page.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("texts", "width"), [("plain", 390), ("plain", 1280), ("hostile", 1280)])
def test_axe_finds_no_violation(browser, request, texts, name, width):
    from axe_playwright_python.sync_playwright import Axe

    page, _ = visit(browser, request.getfixturevalue(texts) / name, width=width, bypass_csp=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.context.close()


def test_on_a_phone_text_is_large_enough(browser, plain):
    page, _ = visit(browser, plain / "03_loyalty.html", width=390)
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('main *')]"
        ".filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 12
    picture = page.locator("figure img").first
    # 10 points in a picture of 518 points, as wide as it is shown
    assert picture.evaluate("e => e.getBoundingClientRect().width") * 10 / 518 >= 10
    page.context.close()


def test_the_keyboard_reaches_content_and_tables(browser, plain):
    # waiting for a function evaluates it, which the page's policy forbids
    page, _ = visit(browser, plain / "03_loyalty.html", width=390, bypass_csp=True)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id == 'main'")
    wide = page.locator(".cx-table").first
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.cx-table').scrollLeft > 0")
    page.context.close()


def test_all_pages_are_one_step_away(browser, plain):
    page, _ = visit(browser, plain / "index.html", width=390)
    page.locator(".small summary").click()
    page.locator(".small a", has_text="Loyalty").click()
    assert page.url.endswith("03_loyalty.html")
    assert page.locator(".side").is_hidden()
    page.context.close()


def test_a_phone_shows_that_a_table_goes_on(browser, plain):
    page, _ = visit(browser, plain / "03_loyalty.html", width=390)
    shadow = "e => getComputedStyle(e).backgroundImage.split('linear-gradient').length - 1"
    assert page.locator(".cx-table").first.evaluate(shadow) == 4  # two shadows, and two sheets that cover them
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.locator(".cx-table").first.evaluate(shadow) == 0
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_on_a4(browser, plain, name, tmp_path):
    page, _ = visit(browser, plain / name)
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
    content = (tmp_path / "page.pdf").read_bytes()
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert 1 <= len(sizes) <= 12
    assert {(round(float(w)), round(float(h))) for w, h in sizes} <= {(595, 842), (594, 842), (595, 841), (596, 842)}
    page.emulate_media(media="print")
    assert page.locator(".side, .small, .skip").evaluate_all("all => all.every(e => !e.checkVisibility())")
    page.set_viewport_size({"width": 665, "height": 900})  # the width of the text on A4, at 96 dpi
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 665
    page.context.close()


def test_links_to_sources_print_their_address(browser, plain):
    page, _ = visit(browser, plain / "03_loyalty.html")
    page.emulate_media(media="print")
    shown = page.locator("a[href^='https://doi']").evaluate("e => getComputedStyle(e, '::after').content")
    assert "attr(href)" in shown or "https://doi.org" in shown
    page.context.close()


DECIDES = "[...document.querySelectorAll('main > :has(~ hr)')]"


def test_what_is_for_whoever_decides_is_one_page_of_a4_two_screens_and_needs_no_scrolling_on_a_phone(browser, tmp_path):
    """The stored summary of the made-up client."""
    path = tmp_path / "11_summary.html"
    report.render_notebook(Path(__file__).parents[1] / "notebooks" / "11_summary.ipynb", path)
    page, _ = visit(browser, path)
    end = "document.querySelector('main > hr').getBoundingClientRect().top + window.scrollY"
    assert page.evaluate(end) < 2100
    page.set_viewport_size({"width": 390, "height": 900})
    wide = page.evaluate(f"{DECIDES}.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)")
    assert wide == []  # the map scrolls within its own frame
    tables = page.evaluate(f"{DECIDES}.filter(e => e.matches('.cx-table')).map(e => e.clientWidth)")
    assert len(tables) == 1  # what else is for now is said in sentences, so no table is left alone on a second page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": round(184 / 25.4 * 96), "height": 900})  # A4 less its margins
    head = 80  # pixels that a report adds: its client above, and under each matter a link to its page
    assert page.evaluate(end) + head <= 278 / 25.4 * 96
    assert page.evaluate("getComputedStyle(document.querySelector('main > hr')).breakAfter") == "page"
    page.context.close()
