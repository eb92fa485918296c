"""The pieces that notebooks show and pages are made of: plain records, and one set of templates that escapes them.

A record is a dict that JSON can hold; it travels in a cell's output under `MIME`, beside the HTML that JupyterLab
shows. The report is made from records alone: HTML that others put into an output never reaches a page.
"""

import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from cxkit.errors import UsageError
from cxkit.findings import Finding
from cxkit.style import clean_text, format_ends, format_interval, format_value

MIME = "application/vnd.cxkit+json"
FORMATS = ("text", "count", "share", "money", "lift", "days", "ratio", "points", "date", "month")
TEMPLATES = Path(__file__).parent / "templates"
SHORT, LONG = 24, 60  # characters: up to here a cell stays on one line; from here on its column is kept wide
POINTS = r"((?: of \d+)?(?: percentage)? points(?: of \d+)?)\b"  # after a number, in a sentence
NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")
VERDICT_WORDS = {
    "strength": "Strength",
    "weakness": "Weakness",
    "too early to say": "Too early to say",
    "no reference": "Not judged: there is no target",
}


@cache
def environment() -> jinja2.Environment:
    """Jinja with escaping always on, and with names that a template must know."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["tie"] = tie
    made.filters["setting"] = setting_text
    return made


def tie(text: object) -> str:
    """Text whose numbers stay on one line with their units (`41 %`, `n = 2,310`) and ranges whole (`39–43`)."""
    tied = re.sub(r"(?<=\d) (?=%)|(?<=\bn) (?==)|(?<=\bn =) (?=\d)", "\u00a0", str(text))
    return re.sub(r"(?<=\d)–(?=\d)", "–\u2060", tied)


def setting_text(value: object) -> str:
    """A notebook's parameter in words: a list's items after each other, `none` where it is empty, yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item).replace("_", " ") for item in value) or "none"
    return "none" if value in (None, "") else str(value)


def part(macro: str, *args: object) -> Markup:
    """One macro of templates/parts.html as HTML, on one line a row and the same for the same record."""
    return Markup(str(getattr(environment().get_template("parts.html").module, macro)(*args)).strip())


def check_name(name: str, *, what: str) -> str:
    """The name of a table or figure, fit to be a file's name. Raises UsageError otherwise."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{what} {name!r} cannot be a file's name; valid: small letters, digits and _ (at most 60), for example "
            f"'retention_by_month'. Mend it in the notebook's call."
        )
    return name


def _cell(value: object, unit: str, digits: int | None) -> str:
    if value is None or (not isinstance(value, (list, tuple, dict)) and pd.isna(value)):
        return "–"
    if unit == "month":
        return value.strftime("%Y-%m") if hasattr(value, "strftime") else clean_text(value)[:7]
    if unit == "date" or isinstance(value, (date, datetime)):
        return value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else clean_text(value)
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if unit == "text" or not isinstance(value, numbers.Real):
        return clean_text(value)
    if unit in ("share", "lift"):
        return format_value(float(value), unit)
    return _fixed(float(value), digits)


def _fixed(value: float, digits: int | None) -> str:
    return "–" if not math.isfinite(value) else f"{value:,.{digits or 0}f}".replace("-", "−")


def _digits(column: pd.Series) -> int:
    """Decimals that all cells of a column share: none for whole or large numbers, so that the points stand in line."""
    finite = [abs(float(v)) for v in column if isinstance(v, numbers.Real) and math.isfinite(v)]
    if not finite or all(v == int(v) for v in finite) or max(finite) >= 100:
        return 0
    return 1 if max(finite) >= 10 else 2


# one column name has one meaning everywhere, so its unit follows from it
MONEY = ("revenue", "monetary", "amount", "refund", "discount", "cost", "price")


def _default_unit(column: pd.Series) -> str:
    name = str(column.name)
    if name in MONEY or name.startswith("revenue_"):
        return "money"
    if name.startswith("share_") or name == "share":
        return "share"
    if name.endswith("_days"):
        return "days"
    if name in ("month", "cohort") and pd.api.types.is_datetime64_any_dtype(column):
        return "month"
    if pd.api.types.is_bool_dtype(column):
        return "text"
    if pd.api.types.is_numeric_dtype(column):
        return "count"
    return "date" if pd.api.types.is_datetime64_any_dtype(column) else "text"


def column_label(column: object, unit: str, currency: str) -> str:
    """A heading from a column's name: `recency_days` -> Recency, days; money carries the currency."""
    if column == "n":
        return "n"
    words = clean_text(column).replace("_", " ")
    if words.endswith(" days"):
        words = words.removesuffix(" days") + ", days"
    elif unit == "days":
        words += ", days"
    elif unit == "money" and currency:
        words += f", {clean_text(currency)}"
    return words[:1].upper() + words[1:]


def table_record(
    frame: pd.DataFrame,
    *,
    caption: str,
    file: str = "",
    columns: Sequence[str] = (),
    formats: Mapping[str, str] = {},
    labels: Mapping[str, str] = {},
    rows: int = 10,
    currency: str = "",
    links: Mapping[str, str] = {},
) -> dict:
    """The first rows of a frame as text, formatted.

    From: a frame with one row of column names; a named index becomes columns. `columns`: the ones to show, in this
    order, where not all; `interval` among them stands for `low` and `high`. `formats`: column -> one of FORMATS (where
    the name does not say it, numbers are counts); `labels`: column -> heading; `links`: shown column -> the column with
    the addresses (`finding_pages.addresses`) that its cells end with in the report.
    Raises UsageError on a caption, format, label or link that does not fit.
    """
    frame = frame.reset_index() if any(n is not None for n in frame.index.names) else frame
    if frame.columns.nlevels > 1:
        raise UsageError("the table has column names in several levels; give it one level, then show it.")
    if not clean_text(caption):
        raise UsageError("a table without a caption cannot be read; give caption='what one row is, and of whom'.")
    if "interval" in columns and {"low", "high"} <= set(frame.columns):
        unit = formats.get("interval", "count")
        ends = zip(frame["low"].head(rows), frame["high"].head(rows), strict=True)
        texts = pd.Series([format_ends(low, high, unit, currency) for low, high in ends], dtype=object)
        frame = frame.head(rows).assign(interval=texts.to_numpy()).reindex(frame.index)
        formats = {**formats, "interval": "text"}
    unknown = sorted(set(formats).union(labels, columns, links, links.values()) - {str(c) for c in frame.columns})
    if unknown:
        valid = ", ".join(str(c) for c in frame.columns)
        raise UsageError(
            f"columns, formats, labels or links name {', '.join(unknown)}, which the table lacks; it has {valid}."
        )
    bad = sorted({u for u in formats.values() if u not in FORMATS})
    if bad:
        raise UsageError(f"unknown format {', '.join(bad)}; valid: {', '.join(FORMATS)}.")
    shown = frame.head(rows)[list(columns)] if columns else frame.head(rows)
    headings, cells = [], []
    for i, name in enumerate(shown.columns):
        column = shown.iloc[:, i]
        unit = formats.get(str(name)) or _default_unit(column)
        label = clean_text(labels[name]) if name in labels else column_label(name, unit, currency)
        number = unit not in ("text", "date", "month") or name == "interval"
        digits = _digits(column) if number and unit != "text" else None
        cells.append([_cell(value, unit, digits) for value in column])
        longest = max(map(len, cells[-1]), default=0)
        headings.append({"label": label, "number": number, "short": longest <= SHORT, "long": longest > LONG})
    record = {
        "kind": "table",
        "caption": clean_text(caption),
        "file": file,
        "columns": headings,
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "total": len(frame),
    }
    if not links:
        return record
    ends = [[_links(value) for value in frame.head(rows)[links[name]]] if name in links else [[]] * len(shown)
            for name in map(str, shown.columns)]  # fmt: skip
    return record | {"links": [list(row) for row in zip(*ends, strict=True)]}


def _links(addresses: object) -> list[dict]:
    """`07_service#service.late.courier` -> where it leads, and what the page is called: Service."""
    found = []
    for address in str(addresses).split() if isinstance(addresses, str) else []:
        page, _, id = address.partition("#")
        if re.fullmatch(r"\d\d_[a-z0-9_]+", page):
            title = page.partition("_")[2].replace("_", " ").capitalize()
            found.append({"href": f"{page}.html#{id}" if id else f"{page}.html", "title": title})
    return found


def against(finding: Finding) -> str:
    """What a finding was judged against, in words; empty where there is nothing."""
    if finding.target is None:
        return ""
    source = f" ({clean_text(finding.target_source)})" if finding.target_source else ""
    return f"{format_value(finding.target, finding.estimate.unit, finding.currency)}{source}"


def rule(finding: Finding) -> str:
    """Why the verdict is what it is: where the interval lies."""
    e, verdict = finding.estimate, finding.quadrant()
    if verdict == "no reference":
        return "no target to judge by"
    if verdict == "too early to say":
        return "the interval reaches over the target" if e.known else f"the data cannot tell ({clean_text(e.method)})"
    whole = "the number" if e.level == 1 else "the whole interval"  # what is counted in full has no interval
    return f"{whole} lies {'above' if e.low > finding.target else 'below'} the target"


def finding_record(finding: Finding, *, notebook: str = "") -> dict:
    """A finding as text: what the tiles, the findings' tables and the index show."""
    e = finding.estimate
    numbers_ = {k: v for k, v in e.as_dict().items() if k in ("value", "low", "high", "n", "unit")}
    return {
        **numbers_,
        "id": finding.id,
        "notebook": notebook,
        "label": clean_text(finding.label),
        "sentence": clean_text(finding.sentence()),
        "value_text": format_value(e.value, e.unit, finding.currency) if e.known else "–",
        "interval_text": ("counted in full" if e.level == 1 else format_interval(e, finding.currency))
        if e.known
        else "",
        "n_text": f"{e.n:,}",
        "level_text": f"{round(100 * e.level, 1):g} %",
        "method": clean_text(e.method),
        "target": finding.target,
        "against": against(finding),
        "verdict": finding.quadrant(),
        "verdict_text": VERDICT_WORDS[finding.quadrant()],
        "rule": rule(finding),
        "action": clean_text(finding.action) if e.known else "",
        "evidence": [clean_text(item) for item in finding.evidence],
    }


def points_of(finding: Mapping) -> str:
    """What a number in points counts, as its own sentence says: points, percentage points, points of 100; else empty.

    Points of one scale are no points of another, so a number that stands alone tells which.
    """
    if finding.get("unit") != "points":
        return ""
    found = re.search(re.escape(finding["value_text"]) + POINTS, finding["sentence"])
    return found[1] if found else ""


def findings_record(findings: Iterable[dict], *, withheld: Iterable[dict] = (), caption: str, kept: bool) -> dict:
    """A table of findings. `kept`: it is the notebook's own, whose numbers the page's head already shows."""
    return {
        "kind": "findings",
        "caption": clean_text(caption),
        "kept": kept,
        "findings": list(findings),
        "withheld": list(withheld),
    }


def bar(finding: dict) -> dict | None:
    """A finding's interval as places on a bar of 100 units: the bar holds zero, the interval and the target.

    None where the data cannot tell. Intervals narrower than the eye sees are drawn one unit wide.
    """
    ends = [finding["low"], finding["high"], finding["value"]]
    if any(end is None for end in ends):
        return None
    marks = [*ends, 0.0] + ([finding["target"]] if finding["target"] is not None else [])
    low, high = min(marks), max(marks)
    high = min(high * 1.15, 1.0) if finding["unit"] == "share" and high <= 1 else high * 1.15 if high > 0 else 0.0
    low = low * 1.15
    span = high - low or 1.0

    def place(x: float) -> float:
        return round(100 * (x - low) / span, 2)

    left, right = place(finding["low"]), place(finding["high"])
    width = max(right - left, 1.0)
    return {
        "left": round(min(left, 100 - width), 2),
        "width": round(width, 2),
        "value": place(finding["value"]),
        "zero": place(0.0),
        "target": None if finding["target"] is None else place(finding["target"]),
    }
