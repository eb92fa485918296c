"""The whole audit of the demo client, through the command that its user types."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from browser import chromium, needs_chromium, visit
from quoted import texts, unsourced

from cxkit.claims import read_claims

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(p.stem for p in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = ["index", *NOTEBOOKS]


def cxkit(*arguments: str, out: Path, client: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cxkit", "run", str(client), "--jobs", "2", "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=900)


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Path:
    """The demo client in a folder of its own, so that no other test meets its cache."""
    folder = tmp_path_factory.mktemp("data") / "demo"
    shutil.copytree(ROOT / "data" / "demo", folder, ignore=shutil.ignore_patterns("cache*", "refused"))
    return folder / "client.yml"


@pytest.fixture(scope="module")
def audit(client, tmp_path_factory) -> Path:
    """The folder of the published run."""
    out = tmp_path_factory.mktemp("reports")
    done = cxkit(out=out, client=client)
    assert done.returncode == 0, done.stderr
    latest = out / "demo" / "latest"
    assert done.stdout.splitlines()[0] == str(latest.resolve() / "index.html")
    return latest.resolve()


def record(run: Path) -> dict:
    return json.loads((run / "run.json").read_text(encoding="utf-8"))


def finding(run: Path, notebook: str, name: str) -> dict:
    rows = json.loads((run / "findings" / f"{notebook}.json").read_text(encoding="utf-8"))
    return next(row for row in rows if row["id"] == name)


def test_the_run_is_whole_and_accounts_for_every_row(audit):
    run = record(audit)
    assert run["status"] == "done"
    assert [n["status"] for n in run["notebooks"]] == ["done"] * len(NOTEBOOKS)
    for name, table in run["tables"].items():
        assert table["rows_in"] == table["kept"] + sum(table["refused"].values()), name
    assert run["tables"]["orders"]["rows_in"] > 10_000
    assert {p.stem for p in audit.glob("*.html")} == set(PAGES)
    # every table that a page shows is a file, and a sheet of the workbook
    tables = sorted(p.stem for p in (audit / "tables").glob("*.csv"))
    book = openpyxl.load_workbook(audit / "tables.xlsx", read_only=True)
    assert len(book.sheetnames) == len(tables) + 1


def test_findings_agree_with_the_raw_export(audit):
    """The repeat rate once more, from the shop's own file with nothing but csv and dates."""
    import gzip
    from datetime import date, timedelta

    first: dict[str, date] = {}
    days: dict[str, set[date]] = {}
    last_day = date(2026, 6, 30)
    with gzip.open(ROOT / "data" / "demo" / "exports" / "orders.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            good = re.fullmatch(r"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d", row["Created at"])
            if (
                not row["Customer"]
                or row["Status"] == "Скасовано"
                or row["SKU"] in ("DELIVERY", "GIFTWRAP")
                or not good
            ):
                continue
            try:
                day = date.fromisoformat(good[1])
            except ValueError:
                continue
            days.setdefault(row["Customer"], set()).add(day)
    first = {customer: min(seen) for customer, seen in days.items()}
    begins = min(first.values())
    old = [c for c, day in first.items() if day + timedelta(days=90) <= last_day and (day - begins).days >= 90]
    again = [c for c in old if any(first[c] < day <= first[c] + timedelta(days=90) for day in days[c])]
    estimate = finding(audit, "03_loyalty", "loyalty.repeat_rate")["estimate"]
    assert estimate["n"] == len(old)
    assert estimate["value"] == pytest.approx(len(again) / len(old))


def test_sentences_hold_the_numbers_of_their_estimates(audit):
    page = (audit / "03_loyalty.html").read_text(encoding="utf-8")
    row = finding(audit, "03_loyalty", "loyalty.repeat_rate")
    assert f"{100 * row['estimate']['value']:.0f} % of customers order again within 90 days" in row["sentence"]
    assert row["quadrant"] == "weakness"  # the demo's target lies above what is planted
    assert row["sentence"].split(" (")[0].replace(" %", "\u00a0%") in page


def test_no_article_is_quoted_without_its_source(audit):
    """Every claim of claims.yml stands in the report, and wherever one stands, its source stands beside it."""
    listed = read_claims()
    pages = {name: (audit / f"{name}.html").read_text(encoding="utf-8") for name in PAGES}
    assert {name: found for name, page in pages.items() if (found := unsourced(page, listed))} == {}
    rows = texts(pages["11_summary"])
    missing = [c.id for c in listed.itertuples() if not any(re.search(word, row) for word in c.words for row in rows)]
    assert missing == []
    with (audit / "tables" / "11_summary.claims.csv").open(encoding="utf-8", newline="") as file:
        checked = list(csv.DictReader(file))
    assert {row["source"].split(":")[0] for row in checked} == {"S2b", "S2c", "S2d", "S3", "S4"}
    assert all(row["cannot_show"] and row["interval"] and int(row["n"]) > 0 for row in checked)


def test_nobody_is_named(audit):
    """No customer's own number, e-mail or phone leaves the private folder."""
    with (ROOT / "data" / "demo" / "exports" / "customers.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    domains = {"@" + row["E-mail"].split("@")[1] for row in people if row["E-mail"]}
    ids = {row["ID"] for row in people}
    assert domains
    assert ids
    for path in audit.rglob("*"):
        if path.suffix in (".html", ".csv", ".json", ".ipynb", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert [domain for domain in domains if domain in text] == [], path
            assert not set(re.findall(r"\b[A-Z]?\d{5,}\b", text)) & ids, path


def test_nothing_of_the_machine_is_published(audit, client):
    here = [str(ROOT), str(client.parent), str(audit.parent), os.path.expanduser("~") + "/"]
    for path in audit.rglob("*"):
        if path.suffix in (".html", ".csv", ".json", ".ipynb", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert [place for place in here if place in text] == [], path


def test_the_same_data_give_the_same_bytes(audit, client, tmp_path):
    """A second run, one notebook at a time, into another folder; only run.json's seconds may differ."""
    done = cxkit("--jobs", "1", out=tmp_path, client=client)
    assert done.returncode == 0, done.stderr
    again = (tmp_path / "demo" / "latest").resolve()
    files = sorted(p.relative_to(audit) for p in audit.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert [f for f in files if f.name != "run.json" and (audit / f).read_bytes() != (again / f).read_bytes()] == []
    seconds = re.compile(r'"seconds": (\{[^}]*\}|[\d.]+)')
    texts = [seconds.sub("", (run / "run.json").read_text(encoding="utf-8")) for run in (audit, again)]
    assert texts[0] == texts[1]


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_hold_in_a_real_browser(audit, width):
    from axe_playwright_python.sync_playwright import Axe

    with chromium() as browser:
        for name in PAGES:
            page, wrong = visit(browser, audit / f"{name}.html", width=width, bypass_csp=True)
            assert wrong == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.locator("script").count() == 0
            assert page.locator("img:not([alt]), img[alt='']").count() == 0
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            page.context.close()
