"""Do two audits' figures of one name mean the same? What changed in how they are defined, in words."""

import json
import re
from collections.abc import Mapping
from datetime import date

from cxkit.findings import FAMILIES, Finding
from cxkit.style import clean_text

# which notebook computes an area's findings, and of which tables
NOTEBOOKS = {
    "quality": ("00_data_quality", ("orders",)),
    "segments": ("01_segmentation", ("orders",)),
    "journey": ("02_journey", ("events", "orders", "contacts", "surveys", "reviews")),
    "loyalty": ("03_loyalty", ("orders", "customers", "surveys")),
    "lifetime": ("04_lifetime_value", ("orders",)),
    "feedback": ("05_feedback", ("surveys", "invitations", "reviews")),
    "search": ("06_search", ("searches", "events", "orders")),
    "service": ("07_service", ("orders", "contacts")),
    "personas": ("08_personas", ("orders", "contacts")),
    "maturity": ("09_maturity", ()),
}
# parameters that say what is shown, and change no figure
LOOKS = ("02_journey.map_stages", "06_search.needs_named", "07_service.avoided_share")
# settings of client.yml that figures rest on, by the beginning of the finding's id
SETTINGS = {
    "": ("time_zone",),
    "feedback.nps": ("scales.nps",),
    "feedback.csat": ("scales.csat",),
    "feedback.ces": ("scales.ces", "ces"),
    "feedback.csi": ("scales.csi_item", "scales.expectation"),
    "feedback.gap": ("scales.csi_item", "scales.expectation"),
    "feedback.touchpoint": ("scales.nps", "scales.csat", "scales.ces", "ces"),
    "feedback.theme": ("scales", "ces", "themes"),
    "feedback.incentive_bias": ("scales.nps", "scales.csat", "scales.ces", "ces"),
    "journey": ("stages",),
    "journey.touchpoint": ("scales.nps", "scales.csat", "scales.ces", "ces"),
    "segments": ("segments",),
    "loyalty.top_profit_share": ("margin",),
    "loyalty.referral_lift": ("margin",),
    "loyalty.five_points": ("margin", "discount_a_year", "keeping_cost"),
    "lifetime": ("margin", "discount_a_year"),
    "personas": ("margin",),
}
FILES = ("stages", "themes", "segments")  # settings that name a file: its content counts
MEANING = ("not_goods", "returns", "rates", "strip_suffix", "duplicates")  # of a table: what its rows are taken for
SHEETS = {"journey.stage": "workshop/touchpoints", "journey.days": "workshop/touchpoints"}
RESTS_ON = {"maturity": "workshop/checklist"}  # findings of which a sheet is all the data
# findings whose claim carries numbers of the data beside its own: they are no part of the definition
COUNTED_IN_CLAIM = (
    "segments.great_share",
    "segments.top_group_share",
    "segments.best_change",
    "loyalty.loyal_customers_change",
)
COUNTED_IN_CLAIM += ("lifetime.value_per_customer", "lifetime.held_out_error", "search.nothing_found")
COUNTED_IN_CLAIM += ("search.order_after", "service.contacts_per_100", "loyalty.promoters_refer", *FAMILIES)
SIDES = (
    ("fewer", "more"),
    ("falls short of", "exceeds"),
    ("is among the", "is the"),
    ("the least done", "the most done"),
)  # which side it lies on is the data's to say
NUMBER = re.compile(r"−?\d+(?:[ .,]\d+)*")
PROVEN = re.compile("bears it out|neither proves nor refutes it|refutes it")  # and so is how a test came out
MONTH_DAYS = 31  # a first order so many days earlier or later is no other history


def what_changed(now: Finding, then: Finding, *, settings_now: Mapping, settings_then: Mapping) -> list[str]:
    """Why a figure of one id does not mean the same in two audits: sentences; none where it does.

    From: the finding in both audits; both run.json (settings, parameters, inputs, basis; what one lacks is not held
    against it). Looked at: unit and currency, the claim's words (with its numbers, unless these are the data's), the
    method's words without numbers, the notebook's parameters, the settings of client.yml that the figure rests on,
    what statuses and other words of the export stand for, which column of the export a column is read from, and since
    when there are orders.
    What is left out: words of the export that only one audit met, columns that only one had, and what cxkit itself
    does otherwise in a newer version without saying so in claim or method.
    """
    told = []
    if now.estimate.unit != then.estimate.unit:
        told.append(f"its unit was {then.estimate.unit}, is {now.estimate.unit}")
    if now.currency != then.currency:
        told.append(f"its currency was {then.currency or 'not said'}, is {now.currency or 'not said'}")
    if _words(now) != _words(then):
        told.append(f"it was “{_plain(then.claim)}”, is “{_plain(now.claim)}”")
    elif (
        now.estimate.known
        and then.estimate.known
        and NUMBER.sub("#", now.estimate.method) != NUMBER.sub("#", then.estimate.method)
    ):
        told.append(f"its method was “{clean_text(then.estimate.method)}”, is “{clean_text(now.estimate.method)}”")
    return told + settings_changed(now.id, settings_now, settings_then)


def settings_changed(id: str, now: Mapping, then: Mapping) -> list[str]:
    """Which settings that a finding rests on differ between two run.json, in words (`within_days was 90, is 60`)."""
    notebook, tables = NOTEBOOKS.get(id.split(".")[0], ("", ()))
    if not now or not then:
        return []
    pairs = [_parameters(notebook, now, then), _settings(id, now, then), _sheets(id, now, then)]
    pairs += [_table(name, now, then) for name in tables]
    told = [text for pair in pairs for text in pair]
    return told + (_history(now, then) if "orders" in tables else [])


def same_answers(id: str, now: Mapping, then: Mapping) -> str:
    """The sheet of which both audits read the same file, where a finding rests on nothing else; else empty."""
    sheet = next((name for start, name in RESTS_ON.items() if id.startswith(f"{start}.")), "")
    return sheet if sheet and _hash(sheet, now) and _hash(sheet, now) == _hash(sheet, then) else ""


def _parameters(notebook: str, now: Mapping, then: Mapping) -> list[str]:
    ours, theirs = (record.get("parameters", {}).get(notebook, {}) for record in (now, then))
    names = [name for name in sorted(ours.keys() & theirs.keys()) if f"{notebook}.{name}" not in LOOKS]
    return [_differs(f"{notebook}.{name}", theirs[name], ours[name]) for name in names if ours[name] != theirs[name]]


def _settings(id: str, now: Mapping, then: Mapping) -> list[str]:
    keys = {key for start, names in SETTINGS.items() for key in names if not start or f"{id}.".startswith(f"{start}.")}
    told = []
    for key in sorted(keys):
        ours, theirs = (_at(record.get("settings", {}), key) for record in (now, then))
        if ours != theirs:
            told.append(_differs(key, theirs, ours))
        elif key in FILES and ours and _hash(ours, now) != _hash(theirs, then):
            told.append(f"{clean_text(ours)} was changed")
    return told


def _sheets(id: str, now: Mapping, then: Mapping) -> list[str]:
    sheets = {sheet for start, sheet in SHEETS.items() if id.startswith(f"{start}.")}
    return [f"the sheet {sheet} was changed" for sheet in sorted(sheets) if _hash(sheet, now) != _hash(sheet, then)]


def _table(name: str, now: Mapping, then: Mapping) -> list[str]:
    """What a table's rows, words and columns stand for; what only one of both has is no change."""
    ours, theirs = (_at(record.get("settings", {}), f"tables.{name}") or {} for record in (now, then))
    if not ours or not theirs:
        return []
    told = [_differs(f"tables.{name}.{key}", theirs.get(key), ours.get(key)) for key in MEANING
            if ours.get(key) != theirs.get(key)]  # fmt: skip
    told += _each(f"tables.{name}.columns", ours.get("columns") or {}, theirs.get("columns") or {})
    for column in sorted((ours.get("values") or {}).keys() & (theirs.get("values") or {}).keys()):
        told += _each(f"tables.{name}.values.{column}", ours["values"][column] or {}, theirs["values"][column] or {})
    return told


def _each(where: str, ours: Mapping, theirs: Mapping) -> list[str]:
    return [_differs(f"{where}.{key}", theirs[key], ours[key]) for key in sorted(ours.keys() & theirs.keys())
            if ours[key] != theirs[key]]  # fmt: skip


def _history(now: Mapping, then: Mapping) -> list[str]:
    firsts = [(record.get("basis") or {}).get("first") for record in (now, then)]
    if not all(firsts) or abs((date.fromisoformat(firsts[0]) - date.fromisoformat(firsts[1])).days) <= MONTH_DAYS:
        return []
    return [f"its first order was of {firsts[1]}, is of {firsts[0]}"]


def _words(finding: Finding) -> str:
    """The claim as far as it is a definition: in families and where the data's numbers stand in it, without them, and
    up to the end of the sentence with the number: what follows is told of the data beside it."""
    counted = any(f"{finding.id}.".startswith(f"{start}.") for start in COUNTED_IN_CLAIM)
    if not counted:
        return finding.claim
    number, place, beside = finding.claim.rpartition("}")
    words = PROVEN.sub("#", NUMBER.sub("#", f"{number}{place}{beside.partition('. ')[0].removesuffix('.')}"))
    for one, other in SIDES:
        words = words.replace(one, other)
    return words


def _plain(claim: str) -> str:
    return clean_text(claim).replace("{value}", "…").replace(" ({interval})", "").replace("{n}", "…")


def _at(settings: object, key: str) -> object:
    for name in key.split("."):
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings


def _hash(path: object, record: Mapping) -> str:
    """The hash of a file that run.json names, by its beginning (a sheet may be .csv or .xlsx); empty where none is."""
    found = record.get("inputs") or {}
    return next((found[name] for name in sorted(found) if name.startswith(str(path))), "")


def _differs(name: str, theirs: object, ours: object) -> str:
    return f"{name} was {_text(theirs)}, is {_text(ours)}"


def _text(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    short = clean_text(text)
    return short if len(short) <= 80 else f"{short[:79]}…"
