"""The report: a page for each notebook, index.html and tables.xlsx, from a run's folder; offline and without script."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import yaml
from markupsafe import Markup

from cxkit import __version__, style
from cxkit import findings as findings_file
from cxkit.errors import RunError
from cxkit.findings import VERDICTS
from cxkit.kept_tables import read_table
from cxkit.matters import TILES, in_short, matters
from cxkit.pages import Page, markdown, read_executed, read_page, scrub_notebook
from cxkit.parts import bar, environment, finding_record, points_of
from cxkit.workbook import write_workbook

if TYPE_CHECKING:
    from cxkit.client import Client

__all__ = ["render_index", "render_notebook", "scrub_notebook", "write_report", "write_workbook"]

SENTENCES = 3
NOT_SHOWN = {"client", "language", "logo", "colour", "engine", "limits", "tables"}
TABLE_RULES = {"not_goods", "returns", "rates", "duplicates", "max_refused_share"}
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
LARGEST_LOGO, LARGEST_NOTE = 500_000, 100_000
OURS = "set by the client"
GLOSSARY = Path(__file__).parent / "glossary.yml"


def write_report(run_dir: Path, client: "Client") -> None:
    """Write all pages, index.html and tables.xlsx into a run's folder, and scrub its notebooks.

    From: a folder with run.json, the executed notebooks, findings/, tables/ and not_assessed/. Pages are made for the
    notebooks whose status in run.json is `done`.
    Raises RunError where a notebook failed or was not run through, or a file of the run cannot be read.
    """
    run = read_run(run_dir)
    context = report_context(run_dir, run, client)
    machine = {str(run_dir): ".", str(run_dir.resolve()): ".", str(client.folder): f"data/{client.slug}"}
    for entry in context["pages"]:
        path = run_dir / f"{entry['name']}.ipynb"
        notebook = scrub_notebook(read_executed(path), replace=machine)
        nbformat.write(notebook, path)
        _write(run_dir / entry["href"], _page_html(read_page(notebook, entry["name"]), context))
    render_index(run_dir, context)
    write_workbook(run_dir / "tables", run_dir / "tables.xlsx")


def render_notebook(path: Path, out: Path, *, context: Mapping | None = None) -> None:
    """Write one executed notebook as a page of our report.

    `context`: as `report_context` makes it; without one the page stands alone, without client, findings or run.
    Raises RunError where a cell failed or was not run.
    """
    notebook = read_executed(path)
    page = read_page(notebook, path.stem)
    _write(out, _page_html(page, context or lone_context(notebook.metadata.get("cxkit", {}).get("language", "en"))))


def render_index(run_dir: Path, context: Mapping) -> None:
    """Write index.html: key figures, findings, pages, what was not assessed, files, glossary, provenance."""
    names = [page["name"] for page in context["pages"]]
    kept = [f for name in names for f in context["findings"].get(name, [])]
    html = (
        environment()
        .get_template("index.html")
        .render(
            **context,
            here="index",
            title=f"Customer-centricity audit of {context['client']}"
            if context["client"]
            else "Customer-centricity audit",
            tiles=[_tile(f) for f in matters(run_dir, names, kept) or key_findings(kept)],
            in_short=in_short(run_dir, names),
            counts=_counts(kept),
            found=kept,
            by_page=[_of_page(page, context["findings"].get(page["name"], [])) for page in context["pages"]],
            withheld_all=[row for rows in context["withheld"].values() for row in rows],
            missing=context["not_assessed"],
            files=_files(run_dir),
            glossary=read_glossary(),
            commentary=_note(context["notes"], "index"),
            sections=[],
        )
    )
    _write(run_dir / "index.html", html)


def _counts(found: list[dict]) -> list[tuple[str, int]]:
    counts = [(verdict, sum(f["verdict"] == verdict for f in found)) for verdict in VERDICTS]
    return [(verdict, count) for verdict, count in counts if count]


def _of_page(page: Mapping, found: list[dict]) -> dict:
    """A page's findings for the index: those judged, weaknesses first, and the others, which it folds away."""
    ranked = sorted(found, key=lambda f: VERDICTS.index(f["verdict"]))
    others = [f for f in ranked if f["verdict"] not in ("weakness", "strength")]
    return {**page, "judged": ranked[: len(ranked) - len(others)], "others": others, "counts": _counts(others)}


def key_findings(found: list[dict]) -> list[dict]:
    """At most five findings for a head: weaknesses, then strengths, then the others, the first of each page before its
    second; what says something of the data and not of the shop comes last."""
    turns: dict[str, int] = {}
    ranked = []
    for place, finding in enumerate(found):
        turn = turns[finding["notebook"]] = turns.get(finding["notebook"], 0) + 1
        verdict = VERDICTS.index(finding["verdict"])
        ranked.append((finding["id"].startswith("quality."), verdict, turn, place, finding))
    return [finding for *_, finding in sorted(ranked, key=lambda r: r[:4])[:TILES]]


def read_run(run_dir: Path) -> dict:
    """A run's run.json. Raises RunError where it cannot be read."""
    path = run_dir / "run.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); run the audit again with cxkit run.") from error


def lone_context(language: str = "en") -> dict:
    """The context of a page that no run stands behind."""
    return {
        "language": language if re.fullmatch(r"[a-z]{2}", str(language)) else "en",
        "client": "",
        "accent": style.accent(),
        "logo": "",
        "as_of": "",
        "basis": None,
        "pages": [],
        "findings": {},
        "withheld": {},
        "not_assessed": [],
        "notes": None,
        "run": None,
        "fingerprint": "",
        "inputs": [],
        "accounts": [],
        "parameters": {},
        "settings": [],
        "run_dir": None,
        "version": __version__,
    }


def report_context(run_dir: Path, run: Mapping, client: "Client") -> dict:
    """What every page of a run shares: the client's look, the findings, what was not assessed, provenance."""
    names = [entry["name"] for entry in run["notebooks"] if entry["status"] == "done"]
    pages = [
        {"name": e["name"], "href": f"{e['name']}.html", "title": e["title"], "question": e["question"] or e["title"]}
        for e in run["notebooks"]
        if e["status"] == "done"
    ]
    own = [row for name in names for row in _rows(run_dir / "not_assessed" / f"{name}.json", notebook=name)]
    return lone_context(client.language) | {
        "client": style.clean_text(client.client),
        "accent": style.accent(client.colour),
        "logo": logo_uri(client.folder / client.logo) if client.logo else "",
        "as_of": style.long_date(run["as_of"]),
        "basis": _basis(run.get("basis")),
        "pages": pages,
        "findings": {name: _findings(run_dir, name) for name in names},
        "withheld": {name: _rows(run_dir / "findings" / "withheld" / f"{name}.json") for name in names},
        "not_assessed": [*run.get("not_assessed", []), *own],
        "notes": client.folder / "notes",
        "run": run,
        "fingerprint": fingerprint(run),
        "inputs": sorted(run.get("inputs", {}).items()),
        "accounts": accounts(run.get("tables", {})),
        "parameters": run.get("parameters", {}),
        "settings": settings_shown(run.get("settings", {})),
        "run_dir": run_dir,
    }


def fingerprint(run: Mapping) -> str:
    """Twelve hexadecimal digits that two pages share exactly when data, settings, parameters and versions agree."""
    keys = ("inputs", "settings", "parameters", "seed", "as_of", "versions", "against")
    text = json.dumps({k: run.get(k) for k in keys}, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def accounts(tables: Mapping[str, Mapping]) -> list[dict]:
    """Row accounting a table, the reasons of refusal commonest first."""
    return [
        {
            "table": name,
            "rows_in": a["rows_in"],
            "kept": a["kept"],
            "netted": a.get("netted", 0),
            "refused": sum(a["refused"].values()),
            "reasons": sorted(a["refused"].items(), key=lambda item: (-item[1], item[0])),
        }
        for name, a in sorted(tables.items())
    ]


def settings_shown(settings: Mapping) -> list[tuple[str, str]]:
    """The settings that numbers depend on, as (dotted key, text); what tables share is told once.

    Left out: what is not set, looks, limits, the engine, and how exports are read; run.json holds it all.
    """
    shown, shared = [], {}
    for path, value in _flat(settings):
        if path[0] == "tables" and path[2] in TABLE_RULES:
            shared.setdefault((".".join(path[2:]), value), []).append(path[1])
        elif path[0] not in NOT_SHOWN:
            shown.append((".".join(path), value))
    count = len(settings.get("tables", {}))
    for (key, value), names in sorted(shared.items()):
        which = "every table" if len(names) == count else ", ".join(names)
        shown.append((f"{key} ({which})", value))
    return [(style.clean_text(key), style.clean_text(value)) for key, value in shown]


def _flat(settings: Mapping, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], str]]:
    for key, value in sorted(settings.items()):
        if isinstance(value, Mapping):
            yield from _flat(value, (*path, str(key)))
        elif value not in (None, [], {}, ""):
            yield (*path, str(key)), ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def logo_uri(path: Path) -> str:
    """A logo as a data URI. Raises RunError where it is too large to embed or cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"the logo {path} cannot be read ({error}); mend logo in client.yml.") from error
    if len(content) > LARGEST_LOGO:
        raise RunError(f"the logo {path} has {len(content):,} bytes; at most {LARGEST_LOGO:,} fit on every page.")
    return f"data:{LOGO_TYPES[path.suffix.lower()]};base64,{base64.b64encode(content).decode('ascii')}"


def read_glossary(path: Path = GLOSSARY) -> list[tuple[str, str]]:
    """Terms and what they mean, in alphabetical order."""
    terms = yaml.safe_load(path.read_text(encoding="utf-8"))
    return sorted(terms.items(), key=lambda item: item[0].casefold())


def _basis(basis: Mapping | None) -> dict | None:
    if not basis:
        return None
    return {
        "customers": f"{basis['customers']:,}",
        "orders": f"{basis['orders']:,}",
        "first": style.long_date(basis["first"]),
        "last": style.long_date(basis["last"]),
    }


def _findings(run_dir: Path, name: str) -> list[dict]:
    path = run_dir / "findings" / f"{name}.json"
    if not path.is_file():
        return []
    try:
        return [worded(finding_record(f, notebook=name)) for f in findings_file.load(path)]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is no list of findings ({error}); run the notebook again.") from error


def _rows(path: Path, **more: str) -> list[dict]:
    return [row | more for row in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def _note(notes: Path | None, number: str) -> Markup:
    """The consultant's commentary on a page, from notes/<number>.md of the client's folder; empty without one."""
    path = notes / f"{number}.md" if notes else None
    if not path or not path.is_file():
        return Markup("")
    text = path.read_bytes()
    if len(text) > LARGEST_NOTE:
        raise RunError(f"{path} has {len(text):,} bytes; a commentary holds at most {LARGEST_NOTE:,}.")
    return markdown(text.decode("utf-8", errors="replace").removeprefix("\ufeff"), top=3)


def worded(finding: dict) -> dict:
    """A finding as a page tells it: what the client did not set himself is no target, and how many were judged together
    is told with the method."""
    if not finding["against"] or OURS in finding["against"]:
        return finding
    rule = finding["rule"].replace("the target", "what it is held against")
    return finding | {"against": findings_file.against_whom(finding["against"]), "rule": rule}


def _tile(finding: dict) -> dict:
    word = "Target" if OURS in finding["against"] else "Against"
    return finding | {"bar": bar(finding), "word": word, "unit_text": points_of(finding)}


def _page_html(page: Page, context: Mapping) -> str:
    for block in page.content:
        if block["kind"] == "findings":
            block["findings"] = [worded(finding) for finding in block["findings"]]
    found = context["findings"].get(page.name, []) or key_findings(_gathered(page))
    numbers = re.match(r"\d+", page.name)
    return (
        environment()
        .get_template("page.html")
        .render(
            **context,
            here=page.name,
            title=page.title,
            page=page,
            answer=[f["sentence"] for f in found[:SENTENCES]],
            tiles=[_tile(f) for f in found[:TILES]],
            withheld_here=context["withheld"].get(page.name, []),
            missing=[row for row in context["not_assessed"] if row.get("notebook") == page.name],
            commentary=_note(context["notes"], numbers.group() if numbers else page.name),
            here_accounts=[a for a in context["accounts"] if a["table"] in page.tables],
            here_parameters=sorted(context["parameters"].get(page.name, {}).items()),
            sections=page.headings,
            rests_on=_rests_on(context["run_dir"], page.name),
            shown_sentences=SENTENCES,
            shown_tiles=TILES,
            evidence=lambda name: _evidence(context["run_dir"], page.name, name),
        )
    )


def _rests_on(run_dir: Path | None, name: str) -> str:
    """What a page rests on where it is not customers and orders, as its notebook kept it; else an empty text."""
    path = run_dir / "tables" / f"{name}.rests_on.csv" if run_dir else None
    return style.clean_text(read_table(path)["rests_on"].iloc[0]) if path and path.is_file() else ""


def _gathered(page: Page) -> list[dict]:
    """The findings of other pages that a page without its own shows in a table."""
    return [f for b in page.content if b["kind"] == "findings" and not b["kept"] for f in b["findings"]]


def _evidence(run_dir: Path | None, notebook: str, name: str) -> str:
    """Where a finding's evidence lies: the path of a table or figure of the run, or an empty text."""
    if run_dir is None or not re.fullmatch(r"[\w./-]+", name) or ".." in name:
        return ""
    stem = re.sub(r"^(tables|figures)/|\.(csv|svg)$", "", name)
    for file in (
        f"tables/{stem}.csv",
        f"tables/{notebook}.{stem}.csv",
        f"figures/{stem}.svg",
        f"figures/{notebook}.{stem}.svg",
    ):
        if (run_dir / file).is_file():
            return file
    return ""


def _files(run_dir: Path) -> list[dict]:
    return [
        {"href": f"tables/{path.name}", "size": size_text(path.stat().st_size)}
        for path in sorted((run_dir / "tables").glob("*.csv"))
    ]


def size_text(size: int) -> str:
    """A file's size in words: 12 KB."""
    return f"{max(1, round(size / 1000)):,} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunError(
            f"{path} could not be written ({error.strerror}); make room or choose another folder."
        ) from error
