"""Which statements belong to one thing: by the finding that they name, by the touchpoint, by their words."""

import re
from collections import Counter
from collections.abc import Iterable

import pandas as pd

from cxkit.certainty import family_of
from cxkit.findings import is_finding
from cxkit.spheres import sphere_of
from cxkit.stages import name_key
from cxkit.statements import alike, contrary, normal_statement, statement_key
from cxkit.words import split_words, stop_words

QUADRANTS = ("strength", "weakness", "opportunity", "threat")
APART = ", "  # between ids: no id holds a blank
# an item of the survey may carry a touchpoint's name: what is said of the touchpoint is not said of the survey's gap
GAP = "feedback.gap."
TOTALS = {"search.nothing_found": "search.missing."}  # who names the total and, in words, a part of it means the part
LATE = "service.late."
# words that begin so speak of a promised day; what is said so at a touchpoint of delivery belongs to late orders
LATENESS = "late delay promis overdue запізн спізн обіця пізні затрим опозд опазд обеща поздн задерж spozn opozn obiec"
OF_LATE = tuple(LATENESS.split())
LETTERS, STEM = 5, 6  # shorter words name nothing; longer ones are compared by their beginning


def split_ids(evidence: object) -> list[str]:
    """The finding ids of an item's `evidence`."""
    return [id for id in str(evidence).split(APART) if id] if isinstance(evidence, str) else []


def by_item(data: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """To which item each statement belongs, and why.

    From: `swot.data_items`, `swot.said_items`. To: the rows of `said` with item (empty: a register's note that belongs
    to none) and why: finding (it names one of the item's), touchpoint, words (the same, or alike in one language). A
    statement that names several findings of one family has a row for each of their items.
    How, within a quadrant: (1) a statement that names a finding of an item of the data joins it (of a total such as
    search.nothing_found the parts whose words it uses); else what speaks of a promised day where parcels are delivered
    joins the late orders (of several ways the one that it names); else one about a touchpoint joins what the data say
    of it, and never the gap that a survey found there; (2) else statements that name the same finding about one thing
    (a touchpoint, a reason; not NPS or another figure of the whole shop) are one item, else those about one touchpoint,
    whatever their language; (3) else statements alike in their words
    (`statements.alike`), where not one of two denies what the other says, join what is most like them: an item so far,
    else the statement that most people made. A register's note joins an item and makes none. The order of the rows
    decides nothing.
    """
    units = _units(said)
    anchors, why, also = _anchored(units, data)
    _by_words(units, anchors, why)
    names = _names(units, anchors, data)
    at = {unit: names.get((anchors.get(unit, ""), unit[1]), "") for unit in units}
    keys = [(normal_statement(r.statement), r.quadrant) for r in said.itertuples()]
    found = said.assign(item=[[at.get(k, ""), *also.get(k, [])] for k in keys], why=[why.get(k, "") for k in keys])
    return found.explode("item", ignore_index=True)


def keys_of(texts: Iterable[object], items: pd.DataFrame, rows: pd.DataFrame) -> list[list[str]]:
    """The items that texts such as the actions' `item` mean: an item's key, a finding's id, or a statement's words.

    From: texts (missing: none); `swot.join`, `by_item`. To: for each text the keys in the order of the items, none
    where nothing is meant. An id means the item of that name, else all items with it as evidence; capitals do not
    count. Several ids or keys stand with commas or semicolons between them; one that is none means nothing.
    """
    where: dict[str, list[str]] = {}
    for item in items.itertuples():
        for id in split_ids(item.evidence):
            where.setdefault(id, []).append(item.item)
        where.setdefault(normal_statement(item.statement), []).append(item.item)
    where |= {item: [item] for item in items["item"]}
    for row in rows[rows["item"] != ""].itertuples():
        found = where.setdefault(normal_statement(row.statement), [])
        found += [row.item] if row.item not in found else []
    place = {item: i for i, item in enumerate(items["item"])}
    return [sorted(set(_looked_up(text, where)), key=place.__getitem__) for text in texts]


def _looked_up(text: object, where: dict[str, list[str]]) -> list[str]:
    """The items of a text: of the whole of it, else of its parts where each of them is an id or a key."""
    if not isinstance(text, str):
        return []
    if found := where.get(text.strip()) or where.get(text.strip().casefold()) or where.get(normal_statement(text)):
        return found
    parts = [part.casefold() for part in re.split(r"[,;\s]+", text) if part]
    return [key for part in parts for key in where[part]] if all("." in p and p in where for p in parts) else []


def one_spelling(names: pd.Series) -> pd.Series:
    """Names that differ in capitals or signs alone in their commonest spelling: Site, SITE and site are one department.

    Missing and empty ones stay as they are.
    """
    told = [name for name in names if isinstance(name, str) and name]
    best: dict[str, str] = {}
    for name in commonest(Counter(told)):
        best.setdefault(name_key(name), name)
    return names.map(lambda name: best[name_key(name)] if isinstance(name, str) and name else name)


def _units(said: pd.DataFrame) -> dict[tuple[str, str], dict]:
    """What was said in the same words in one quadrant: its rows counted, what it names, whether a sheet says it."""
    units: dict[tuple[str, str], dict] = {}
    for row in said.itertuples():
        if row.quadrant not in QUADRANTS or not row.statement:
            continue
        unit = units.setdefault(
            (normal_statement(row.statement), row.quadrant),
            {"rows": 0, "ids": Counter(), "first": {}, "touchpoints": Counter(), "sheet": False, "texts": set()},
        )
        unit["rows"] += 1
        for place, id in enumerate(split_ids(row.ids)):  # who names several means the first most
            unit["ids"][id] += 1
            unit["first"][id] = min(place, unit["first"].get(id, place))
        unit["touchpoints"].update([row.touchpoint] if row.touchpoint else [])
        unit["sheet"] |= row.sheet != "register"
        unit["texts"].add(row.statement)
    return dict(sorted(units.items()))


def commonest(counts: Counter) -> list[str]:
    """What was counted, the commonest first; what is as common by name."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def telling_words(text: str) -> dict[str, str]:
    """The words of a text that name something, by their beginnings: beginning -> word."""
    small = stop_words()
    words = split_words(text)
    return {w[:STEM]: w for w in words if len(w) >= LETTERS and w.isalpha() and w not in small}


def _anchored(units: dict, data: pd.DataFrame) -> tuple[dict, dict, dict]:
    """The units whose finding or touchpoint tells where they belong: unit -> anchor, unit -> why, unit -> more items.

    An anchor is an item of the data, or `id:` or `touch:` and what several statements share.
    """
    by_id, by_touchpoint = {}, {}
    for row in data.itertuples():
        by_id |= {(id, row.quadrant): row.item for id in split_ids(row.evidence)}
        if row.touchpoint and not row.item.startswith(GAP):
            by_touchpoint.setdefault((row.touchpoint, row.quadrant), row.item)
    anchors, why, also = {}, {}, {}
    for unit, facts in units.items():
        ids = sorted(facts["ids"], key=lambda id, f=facts: (-f["ids"][id], f["first"][id], id))
        places = commonest(facts["touchpoints"])
        meant = _meant(unit, ids, by_id)
        options = [(meant[0], "finding")] if meant else []
        options += [(late, "words") for late in _late(unit, places, by_id)]
        options += [(by_touchpoint[p, unit[1]], "touchpoint") for p in places if (p, unit[1]) in by_touchpoint]
        if facts["sheet"]:
            about = [(f"id:{id}", "finding") for id in ids if family_of(id)]  # NPS and the like are of many things
            options += about + [(f"touch:{place}", "touchpoint") for place in places]
        if options:
            anchors[unit], why[unit] = options[0]
            also[unit] = meant[1:]
    shared = {(anchors[u], u[1]) for u, facts in units.items() if facts["sheet"] and u in anchors}
    for unit, facts in units.items():  # a register's note joins what a sheet says of its touchpoint
        place = next((p for p in commonest(facts["touchpoints"]) if (f"touch:{p}", unit[1]) in shared), None)
        if unit not in anchors and place is not None:
            anchors[unit], why[unit] = f"touch:{place}", "touchpoint"
    return anchors, why, also


def _meant(unit: tuple[str, str], ids: list[str], by_id: dict) -> list[str]:
    """The items of the data that a statement names: its first finding's, and those of the same family."""
    text, quadrant = unit
    words = telling_words(text)
    families = tuple(family for total, family in TOTALS.items() if total in ids)
    parts = [id for id, side in by_id if side == quadrant and families and id.startswith(families)]
    parts = sorted(id for id in parts if words.keys() & telling_words(_end(id)).keys())
    known = [id for id in (*parts, *ids) if (id, quadrant) in by_id]
    alike_ids = [id for id in known[1:] if family_of(id) == family_of(known[0]) != ""]
    return list(dict.fromkeys(by_id[id, quadrant] for id in (*known[:1], *alike_ids)))


def _late(unit: tuple[str, str], places: list[str], by_id: dict) -> list[str]:
    """The item of late orders that a statement at a touchpoint of delivery speaks of, as a list of one or none."""
    text, quadrant = unit
    speaks = any(word.startswith(OF_LATE) for word in split_words(text))
    if not speaks or not any(sphere_of(touchpoint=place) == "logistics" for place in places):
        return []
    ways = {id: item for (id, side), item in by_id.items() if side == quadrant and id.startswith(LATE)}
    named = [id for id in ways if telling_words(_end(id)).keys() & telling_words(text).keys()]
    return [ways[id] for id in (named or ways)] if len(named or ways) == 1 else []


def _end(id: str) -> str:
    return id.split(".", 2)[-1].replace("_", " ")


def _by_words(units: dict, anchors: dict, why: dict) -> None:
    """Puts the units that nothing but their words tells where they belong to what they are most like."""
    order = list(units)
    near = alike([text for text, _ in order])
    fits = [
        sorted(
            ((-cosine, order[j]) for j, cosine in near[i].items() if order[j][1] == order[i][1] and _agree(order, i, j))
        )
        for i in range(len(order))
    ]
    place = {unit: i for i, unit in enumerate(order)}
    firm = set(anchors)
    loose = sorted(set(order) - firm, key=lambda u: (not units[u]["sheet"], -units[u]["rows"], u))
    for unit in loose:
        found = next((other for _, other in fits[place[unit]] if other in firm), None)
        if found is not None:
            anchors[unit], why[unit] = anchors[found], "words"
    leaders: set[tuple[str, str]] = set()
    for unit in loose:
        if unit in anchors:
            continue
        found = next((other for _, other in fits[place[unit]] if other in leaders), None)
        if found is not None:
            anchors[unit], why[unit] = anchors[found], "words"
        elif units[unit]["sheet"]:
            leaders.add(unit)
            anchors[unit], why[unit] = f"said:{unit[0]}", "words"


def _agree(order: list, i: int, j: int) -> bool:
    return not contrary(order[i][0], order[j][0])


def _names(units: dict, anchors: dict, data: pd.DataFrame) -> dict[tuple[str, str], str]:
    """(anchor, quadrant) -> the item's key. A finding's id goes to the data's own item, else to one quadrant alone."""
    names, taken = {(row.item, row.quadrant): row.item for row in data.itertuples()}, set()
    taken |= {id for cell in data["evidence"] for id in split_ids(cell)}
    groups: dict[tuple[str, str], list] = {}
    for unit, anchor in anchors.items():
        groups.setdefault((anchor, unit[1]), []).append(unit)
    first = ("weakness", "threat", "opportunity", "strength")  # who takes a finding's id where several could
    for anchor, quadrant in sorted(groups, key=lambda g: (g[0], first.index(g[1]))):
        id = anchor.removeprefix("id:")
        if (anchor, quadrant) in names:
            continue
        if anchor.startswith("id:") and is_finding(id) and id not in taken:
            names[anchor, quadrant] = id
            taken.add(id)
            continue
        members = groups[anchor, quadrant]
        speaks = min(members, key=lambda u: (not units[u]["sheet"], -units[u]["rows"], u))
        names[anchor, quadrant] = statement_key(*speaks)
    return names
