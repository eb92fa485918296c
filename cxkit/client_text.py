"""A plan of how a client's files are to be read -> the text of a commented client.yml."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN
from cxkit.privacy import scrub
from cxkit.style import clean_text
from cxkit.tables import TABLES

if TYPE_CHECKING:
    from cxkit.proposal import Plan

WIDTH, COMMENT_AT = 118, 40
FILL_IN = "<<< FILL IN"
LONGEST_KEY = 1_000  # characters; YAML wants a longer key told as one
SHOWN_NAMES = 40
MOST_READY = 6  # lines that may be right, offered beside an open one
_KEPT = "\ue000"  # stands for a blank that no line may break at
_PRESET = re.compile(r"(preset \w+)(?:; |$)")
_PLAIN = re.compile(r"[^\W\d_][\w ./()-]*(?<! )")
_WORDS = ("true", "false", "null", "yes", "no", "off", "nan", "inf")  # what other readers take for no text
BLOCKS = ("tables", "columns", "questions", "values", "scales")  # never on one line: people look there line by line
ORDER = (
    *("path", "sheet", "encoding", "delimiter", "header", "join", "decimal", "date_format", "time_zone", "columns"),
    *("questions", "once_per_order", "values", "strip_prefix", "strip_suffix", "lower_case", "keep_only", "leave_out"),
    *("not_goods", "returns", "currency_column", "rates", "duplicates", "max_refused_share"),
)
DEFAULTS = {"encoding": "utf-8", "delimiter": ",", "header": 1, "decimal": ".", "date_format": "iso"}
HEAD = """# Settings of {client}, written by `cxkit new` from the files in exports/.
# What stands behind a # tells what a line rests on, or what may be written there.
# ??? marks what the files do not tell: write the value over it. `cxkit check {client}` names every line that still
# says ???, and reads nothing before all are filled in. Every key of an export, with an example: docs/exports.md
"""
SETTINGS = {
    "currency": "the one currency of all money, as UAH, EUR or PLN; others need rates",
    "time_zone": "the shop's own, as Europe/Kyiv: where a day ends, and what a time without an offset means",
}
SCALES = {
    "nps": "[0, 10]  # lowest and highest possible answer; an answer outside is refused",
    "csat": "[1, 5]",
    "ces": "[1, 7]  # 7 = very easy",
    "csi_item": "[1, 5]",
    "expectation": "[1, 5]",
    "rating": "[1, 5]  # of reviews",
    "satisfaction": "[1, 5]  # with the answer to a contact",
}
OPTIONAL = {
    "logo": "logo.svg  # .svg or .png in this folder",
    "colour": '"#0b6e4f"  # the accent of the report',
    "company_size": "medium  # small, medium or large: which stages of the journey weigh more",
    "quotes": "reviewed  # a person has read workshop/quotes.csv; else no quote is shown",
    "stages": "stages.yml  # the client's own stages of the journey (docs/journey.md)",
    "segments": "segments.yml  # the client's own names of RFM segments (docs/segments.md)",
    "themes": "themes.yml  # the client's own themes of comments, with their words (docs/feedback.md)",
    "ces": "agree  # how CES was asked: agree, ease (higher is better) or effort (worse)",
    "margin": "0.30  # what is left of the price where goods' costs are not known",
    "discount_a_year": "0.10  # what money a year later is worth less (docs/lifetime_value.md)",
    "keeping_cost": "120  # what keeping one customer costs in 180 days (docs/loyalty.md)",
    "strategy": """  # what the client says of itself when a strategy is chosen (docs/plan.md)
  product_control: partly  # none, partly or full: how far the shop can change the goods themselves
  horizon_years: 2  # within how many years the strategy is to show
  budget: 250000  # money a year for the plan's actions
  gesture_budget: 10000  # money a year for exceptional gestures
  not_customers: resellers who buy to sell on  # who is not served at any price""",
    "targets": """  # the client's own goals: findings are judged against these and nothing else
  loyalty.repeat_rate: 0.40  # share of customers with a second order within 90 days
  loyalty.top_share: 0.60  # at most this share of revenue from the best fifth of the customers
  quality.refused_share: 0.05  # at most this share of order lines refused""",
    "withhold": """  # findings that the report leaves out, each with the reason that it states
  loyalty.top_share: the owner asked for it""",
    "parameters": """  # a notebook's own parameters, for this client
  03_loyalty: {within_days: 90}""",
    "limits": "{cell_seconds: 600, notebook_seconds: 1800}  # how long a cell and a notebook may take",
    "engine": "{memory_limit: 4GB, threads: 2}  # what the engine may use",
    "persons": """  # which customer ids are one person: a file with a row an id
  path: exports/customers.csv
  id: Customer ID
  person: E-mail
  lower_case: true""",
}
TABLE_OPTIONAL = {
    "leave_out": '{Tags: ["*test*"]}  # records that are no real ones: raw column: patterns',
    "not_goods": "[DELIVERY, GIFT CARD]  # product ids of lines that sell nothing: refused with this reason",
    "returns": "{order_id_prefix: C}  # what marks a return, besides a negative amount or quantity",
    "max_refused_share": "0.05  # more refused records than this end the run",
}
_FOR_ORDERS = ("leave_out", "not_goods", "returns")


def client_text(plan: "Plan", *, client: str, unmapped: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The text of client.yml: `read_yaml` gives the plan back, and each line tells in a comment what it rests on.

    From: the plan (its paths as client.yml is to have them); `unmapped`: table -> raw column -> why it stays out.
    To: YAML. What the plan could not tell says ??? and is marked; what may be set beside it stands there as comments.
    A plan without a table gets a table of orders to fill in.
    """
    tables = plan.tables or {"orders": {"path": UNKNOWN, "columns": dict.fromkeys(_required("orders"), UNKNOWN)}}
    lines = [HEAD.format(client=clean_text(client)).rstrip(), ""]
    lines += _line(0, f"client: {scalar(client)}", "the name that the report shows")
    lines += ["language: en"]
    for key, meaning in SETTINGS.items():
        value = plan.settings.get(key, UNKNOWN)
        lines += _told((key,), value, {key: _joined(plan.evidence.get(key), meaning if value == UNKNOWN else "")}, 0)
    lines += _line(0, "as_of: latest", "the last day that counts, as 2026-06-30; latest: the last day with orders")
    lines += _line(0, "seed: 1", "of the report's own random numbers")
    lines += ["", *_scales(plan.settings.get("scales", {}), plan.evidence)]
    told = [key for key in plan.settings if key not in (*SETTINGS, "scales")]
    for key in told:
        lines += ["", *_told((key,), plan.settings[key], plan.evidence, 0)]
    lines += ["", *(line for key, text in OPTIONAL.items() if key not in told for line in _commented(key, text, 0))]
    lines += ["", "tables:"]
    for name, settings in tables.items():
        lines += [*_table(name, settings, plan.evidence, (unmapped or {}).get(name, {})), ""]
    for path, why in plan.left.items():
        lines += _remark(0, f"not read: {clean_text(path)}: {why}")
    return "\n".join(lines).rstrip() + "\n"


def scalar(value: Any, *, flow: bool = False) -> str:
    """A value as YAML has it on one line; texts stay texts, whatever they look like."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        text = repr(value)
        return text if "e" not in text or "." in text else text.replace("e", ".0e")
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.casefold() not in _WORDS and text.isprintable()
    if plain or (text == UNKNOWN and not flow):
        return text
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(text, ensure_ascii=False))


def _table(name: str, settings: Mapping, evidence: Mapping[str, str], unmapped: Mapping[str, str]) -> list[str]:
    """One table: what was found out, then what was not found, left out and may be set."""
    place = f"tables.{name}"
    evidence, preset = _preset_once(place, evidence)
    meaning = f"one row is {TABLES[name].row}" if name in TABLES else ""
    lines = _line(2, f"{scalar(name)}:", _joined(evidence.get(place), meaning, preset))
    keys = [*(key for key in ORDER if key in settings or key in DEFAULTS), *(k for k in settings if k not in ORDER)]
    for key in keys:
        if key in settings:
            lines += _told(("tables", name, key), settings[key], evidence, 4)
        elif note := evidence.get(f"{place}.{key}"):
            lines += _line(4, f"# {key}: {scalar(DEFAULTS[key])}", note)
        if key == "columns" and key in settings:
            lines += _not_mapped(name, settings, unmapped)
    for key, text in TABLE_OPTIONAL.items():
        if key not in settings and (name == "orders" or key not in _FOR_ORDERS):
            lines += _ready(key, f"{place}.{key}", evidence, 4) or _commented(key, text, 4)
    return lines


def _ready(key: str, place: str, evidence: Mapping[str, str], indent: int) -> list[str]:
    """Lines that the files make likely, as comments: whoever finds one right takes `# ` away."""
    lines = []
    for number in range(MOST_READY):
        if found := evidence.get(f"{place}.ready.{number}"):
            value, why = json.loads(found)
            text = _flow(value) if isinstance(value, Mapping | list) else scalar(value)
            lines += _line(indent, f"# {_key(key)}: {text}", why)
    return lines


def _preset_once(place: str, evidence: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
    """The evidence without the preset that each line of a table's columns names, and that preset, to be told once."""
    own = {key: text for key, text in evidence.items() if key.startswith(f"{place}.columns.")}
    named = {match.group(1) for text in own.values() if (match := _PRESET.match(text))}
    if len(named) != 1:
        return evidence, ""
    return {**evidence, **{key: _PRESET.sub("", text) for key, text in own.items()}}, f"read by the {named.pop()}"


def _not_mapped(name: str, settings: Mapping, unmapped: Mapping[str, str]) -> list[str]:
    """The columns that nothing was found for, and those of the file that feed nothing."""
    lines = []
    given = set(settings["columns"]) | ({"metric", "score", "item"} if settings.get("questions") else set())
    known = TABLES[name].columns.values() if name in TABLES else ()
    if lacking := [c.name for c in known if not c.derived and c.name not in given]:
        lines += _remark(6, f"nothing found for: {', '.join(lacking)} (docs/tables.md)")
    reasons: dict[str, list[str]] = {}
    for raw, why in unmapped.items():
        reasons.setdefault(why, []).append(json.dumps(scrub(clean_text(raw))[:80], ensure_ascii=False))
    for why, names in reasons.items():
        more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
        lines += _remark(6, f"left out ({why}): {', '.join(names[:SHOWN_NAMES])}{more}")
    return lines


def _scales(scales: Mapping, evidence: Mapping[str, str]) -> list[str]:
    """The scales found, and the others to be taken up."""
    if not isinstance(scales, Mapping):
        return _told(("scales",), scales, evidence, 0)
    lines = ["scales:" if scales else "# scales:"]
    for name, text in SCALES.items():
        if name in scales:
            lines += _told(("scales", name), scales[name], evidence, 2)
        else:
            lines += [line if scales else f"# {line[2:]}" for line in _commented(name, text, 2, beside=bool(scales))]
    return lines


def _commented(key: str, text: str, indent: int, *, beside: bool = True) -> list[str]:
    """A key that may be set, as a comment: whoever wants it takes `# ` away."""
    value, *rest = text.split("\n")
    found = []
    for line in [f"{key}:{'' if value.startswith('  ') else ' '}{value}", *rest]:
        setting, _, comment = line.partition("  # ") if "  # " in line else (line, "", "")
        found += _line(indent, f"# {setting}" if beside else f"  {setting}", comment)
    return found


def _told(place: tuple[str, ...], value: Any, evidence: Mapping[str, str], indent: int) -> list[str]:
    """A key with its value, however deep, each line with its evidence. Lists and small groups stand on one line."""
    note = evidence.get(".".join(place), "")
    below = any(key.startswith(".".join(place) + ".") for key in evidence)
    return list(_entry(f"{_key(place[-1])}:", place, value, evidence, indent, note, below))


def _entry(lead: str, place: tuple, value: Any, evidence: Mapping, indent: int, note: str, deep: bool) -> Iterator[str]:
    flow = None if deep or _block(place) else _flow(value)
    if isinstance(value, Mapping | list | tuple) and value and (flow is None or indent + len(lead) + len(flow) > 100):
        yield from _line(indent, lead, note)
        if isinstance(value, Mapping):
            for key, part in value.items():
                yield from _told((*place, str(key)), part, evidence, indent + 2)
            return
        for number, part in enumerate(value):
            yield from _item((*place, str(number)), part, evidence, indent + 2)
        return
    told = _flow(value) if isinstance(value, Mapping | list | tuple) else scalar(value)
    open, ready = value == UNKNOWN, _ready(place[-1], ".".join(place), evidence, indent)
    note = (
        _joined(note, "" if ready else _wanted(place), "perhaps one of the next lines" * bool(ready)) if open else note
    )
    yield from _line(indent, f"{lead} {told}", note, open=open)
    yield from ready


def _wanted(place: tuple[str, ...]) -> str:
    """What is to stand in a line that is still to be filled in, as far as its place tells."""
    match place:
        case ("tables", table, "columns", name, *_) if table in TABLES and name in TABLES[table].columns:
            column = TABLES[table].columns[name]
            return f"wanted is the file's column for {name}: {column.type}, {column.meaning}"
        case ("tables", table, "values", name, _) if table in TABLES and name in TABLES[table].columns:
            valid = TABLES[table].columns[name].valid
            return f"one of {', '.join(valid)}" if valid else ""
    return ""


def _item(place: tuple, value: Any, evidence: Mapping, indent: int) -> Iterator[str]:
    """One of a list's parts, behind its dash."""
    if not isinstance(value, Mapping) or not value:
        yield from _entry("-", place, value, evidence, indent, evidence.get(".".join(place), ""), deep=False)
        return
    inner = [line for key, part in value.items() for line in _told((*place, str(key)), part, evidence, indent + 2)]
    first = next(i for i, line in enumerate(inner) if not line.lstrip().startswith("#"))
    yield from _remark(indent, evidence.get(".".join(place), ""))
    yield from (line[2:] for line in inner[:first])
    yield f"{' ' * indent}- {inner[first][indent + 2 :]}"
    yield from inner[first + 1 :]


def _block(place: tuple[str, ...]) -> bool:
    return place[-1] in BLOCKS or (len(place) > 1 and place[-2] == "values")


def _flow(value: Any) -> str | None:
    """A list or a group of scalars on one line; None where a part is still to be filled in, or holds parts itself."""
    if isinstance(value, Mapping):
        parts = [(key, _flow(part)) for key, part in value.items()]
        if any(part is None or len(str(key)) > LONGEST_KEY for key, part in parts):
            return None
        return "{" + ", ".join(f"{scalar(key, flow=True)}: {part}" for key, part in parts) + "}"
    if isinstance(value, list | tuple):
        parts = [_flow(part) for part in value]
        return None if any(part is None for part in parts) else "[" + ", ".join(map(str, parts)) + "]"
    return None if value == UNKNOWN else scalar(value, flow=True)


def _key(name: str) -> str:
    text = scalar(name, flow=name == UNKNOWN)
    return text if len(text) <= LONGEST_KEY else f"? {text}\n"


def _line(indent: int, text: str, comment: str = "", *, open: bool = False) -> list[str]:
    """A line with its comment behind it, or above it where both are too long; `open`: it is still to be filled in."""
    if text.startswith("? "):  # a key too long to stand before its value
        key, _, rest = text.partition("\n")
        return [f"{' ' * indent}{key}", *_line(indent, rest, comment, open=open)]
    comment = scrub(clean_text(comment))
    if open:
        comment = f"{FILL_IN}: {comment}" if comment else FILL_IN
    line = " " * indent + text
    if not comment:
        return [line]
    whole = f"{line:<{COMMENT_AT}}  # {comment}"
    if len(whole) <= WIDTH:
        return [whole]
    return [*_remark(indent, comment), f"{line:<{COMMENT_AT}}  # {FILL_IN}" if open else line]


def _remark(indent: int, text: str) -> list[str]:
    """A comment on lines of its own."""
    lead = " " * indent + "# "
    words = re.sub(
        '"[^"]{1,60}"', lambda name: name[0].replace(" ", _KEPT), scrub(clean_text(text))
    )  # names stay whole
    wrap = {"initial_indent": lead, "subsequent_indent": lead, "break_on_hyphens": False}
    return [line.replace(_KEPT, " ") for line in textwrap.wrap(words, WIDTH, **wrap)]


def _required(table: str) -> list[str]:
    return [c.name for c in TABLES[table].columns.values() if c.required and not c.derived]


def _joined(*parts: str | None) -> str:
    return "; ".join(part for part in parts if part)
