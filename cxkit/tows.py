"""TOWS: which strength takes up which opportunity, which weakness stands in the way, what meets a threat."""

import re
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from cxkit.certainty import CERTAIN, LIKELY, SAID
from cxkit.same_thing import split_ids, telling_words
from cxkit.stakes import touchpoints_of
from cxkit.style import clean_text, in_quotes
from cxkit.topics import topics_of

KINDS = {
    "SO": ("strength", "opportunity", "Use what is strong, {inner}, to take up what opens, {outer}."),
    "WO": ("weakness", "opportunity", "See whether what opens, {outer}, helps to mend {inner}{first}."),
    "ST": ("strength", "threat", "Set what is strong, {inner}, against {outer}."),
    "WT": ("weakness", "threat", "{weak}."),
}
# what a threat makes of a weakness: whether that is for now -> the words
WEAK = {
    True: "Mend {inner} first: it leaves the shop open to {outer}",
    False: "{inner} leaves the shop open to {outer}: mend it in its turn, as the plan says",
}
NOW = "now"  # as `triage` names what is urgent
MEANS = {
    "SO": "Strengths that take up an opportunity",
    "WO": "Weaknesses that an opportunity may help to mend, or has to wait for",
    "ST": "Strengths that meet a threat",
    "WT": "Weaknesses that a threat makes worse",
}
INNER = str.maketrans("“”„«»", "‘’‘‘’")  # quotation marks within a statement that is quoted
MOST = 3  # proposals of a kind
LEAST = 2  # words in common that join two items: one alone (“parcels”) says little
# what a shop's statements all speak of
EMPTY = ("custom", "client", "order", "клієнт", "клиент", "покупе", "покупц", "замовл", "заказ", "klient", "zamów")
COMMON = 3  # a word in more items than this says nothing of one; at least a tenth of them
COLUMNS = ("kind", "proposal", "because", "joins", "impact")
CERTAINTIES = (CERTAIN, LIKELY, SAID)


def proposals(
    items: pd.DataFrame,
    *,
    spheres: Mapping[str, str] = {},
    labels: Mapping[str, str] = {},
    most: int = MOST,
) -> pd.DataFrame:
    """Proposals that name what they join, at most `most` a kind, the weightiest first.

    From: items (item, statement, said, quadrant, voices, evidence, quotes, sources, impact, certainty, sphere, triage);
    `spheres`: a sphere's key -> its name, told where both lie in one; `labels`: a finding's id -> its label, by which a
    proposal calls what the data know. To: kind (SO, WO, ST, WT), proposal, because (what joins the two, and who says
    each), joins (the keys of both items, with a comma), impact (of both together).
    Only items with evidence are joined: a finding, a quote, or of what comes from outside its source. Two are joined by
    a finding or a touchpoint that the evidence of both names, by a topic (`topics.yml`: of the data by the finding, of
    what people say by their words), or by two words or more that people use of both and of few others; a sphere alone
    joins nothing. A weakness is to be mended first only where it is for now. An item stands in one
    proposal of a kind. Ranked by what joins them (finding, touchpoint, topic, words), then by impact, then by
    certainty.
    What it cannot show: whether a proposal is worth its money; it says where to look.
    Source: Weihrich (1982), Long Range Planning 15(2), 54-66.
    """
    rows = [row for row in items.to_dict("records") if _backed(row)]
    words = _words(rows)
    found = []
    for kind, (inner, outer, template) in KINDS.items():
        pairs = [
            (*tie, one, other)
            for one in rows
            if one["quadrant"] == inner
            for other in rows
            if other["quadrant"] == outer
            if (tie := _tie(one, other, words))
        ]
        used: set[str] = set()
        for _, tie, one, other in sorted(pairs, key=_rank):
            if len(used) < 2 * most and not used & {one["item"], other["item"]}:
                used |= {one["item"], other["item"]}
                same = spheres.get(one["sphere"], "") if one.get("sphere") == other.get("sphere") else ""
                tie = f"{tie} ({same})" if same else tie
                found.append(_proposal(kind, template, tie, one, other, labels))
    return pd.DataFrame(found, columns=list(COLUMNS))


def in_words(found: pd.DataFrame) -> str:
    """How many proposals there are, or why there are none. From: `proposals`."""
    if not len(found):
        return (
            "Nothing joins: no strength or weakness that has evidence shares a finding, a touchpoint, a topic or two "
            "words with an opportunity or a threat that has evidence. So nothing is proposed. What it takes: a "
            "finding's id or a quote behind what people say, and opportunities and threats that name what they bear on."
        )
    lacking = [MEANS[kind].lower() for kind in KINDS if kind not in set(found["kind"])]
    count = f"{len(found)} proposal{'s' if len(found) > 1 else ''}, each joining two items of this page."
    return count + (f" None was found for {', '.join(lacking)}." if lacking else "")


def short(statement: object) -> str:
    """A statement in a sentence about it: its first sentence, without what stands in brackets."""
    text = re.sub(r"\s*\([^()]*\)", "", clean_text(statement))
    first = re.split(r"(?<=[^\W\d_]{2})\. (?=[^\W\d_a-zа-я])", text)[0]
    return first.rstrip(".").strip().translate(INNER)


def _backed(row: dict) -> bool:
    """Whether a finding, a quote or a source outside stands behind an item."""
    outside = row.get("sources") if not row.get("voices") else ""
    return any(isinstance(cell, str) and cell for cell in (row.get("evidence"), row.get("quotes"), outside))


def _tie(one: dict, other: dict, words: dict[str, dict[str, str]]) -> tuple[int, str] | None:
    """What two items have in common, and how near that is (0 is nearest)."""
    if set(split_ids(one.get("evidence"))) & set(split_ids(other.get("evidence"))):
        return 0, "one number speaks of both"
    if points := touchpoints_of(one.get("evidence")) & touchpoints_of(other.get("evidence")):
        return 1, f"both are about {', '.join(in_quotes(point) for point in sorted(points))}"
    one_topics, other_topics = _topics(one), _topics(other)
    if same := [name for topic, name in one_topics.items() if topic in other_topics]:
        return 2, f"both are about {' and '.join(same)}"
    shared = sorted(set(words[one["item"]]) & set(words[other["item"]]))
    if len(shared) >= LEAST:
        return 3, "both speak of " + " and ".join(f"“{words[other['item']][stem]}”" for stem in shared[:LEAST])
    return None


def _topics(row: dict) -> dict[str, str]:
    """The topics of an item: of the data's by its findings and touchpoints, of what people alone say by their words."""
    ids = split_ids(row.get("evidence"))
    said = f"{row['statement']} {row.get('said') or ''}" if row.get("certainty") == SAID else ""
    points = " ".join(sorted(touchpoints_of(row.get("evidence")))).replace("_", " ")
    return topics_of(ids, said=f"{said} {points}")


def _words(rows: list[dict]) -> dict[str, dict[str, str]]:
    """The words that tell what people say of an item from what they say of the others: beginning -> word.

    Of an item that only the data know they are the words of its key's end: its sentence is a template of ours.
    """
    stems = {
        row["item"]: {s: word for s, word in telling_words(_own_words(row)).items() if not word.startswith(EMPTY)}
        for row in rows
    }
    counts = Counter(stem for found in stems.values() for stem in found)
    most = max(COMMON, len(rows) // 10)
    return {item: {s: word for s, word in found.items() if counts[s] <= most} for item, found in stems.items()}


def _own_words(row: dict) -> str:
    if row.get("certainty") == SAID:
        return f"{row['statement']} {row.get('said') or ''}"
    return f"{row['item'].split('.', 2)[-1].replace('_', ' ')} {row.get('said') or ''}"


def _rank(pair: tuple) -> tuple:
    near, _, one, other = pair
    sure = sum(_place(item) for item in (one, other))
    return near, -(_impact(one) + _impact(other)), sure, str(one["item"]), str(other["item"])


def _impact(item: dict) -> float:
    impact = item.get("impact")
    return float(impact) if impact is not None and impact == impact else 0.0


def _place(item: dict) -> int:
    certainty = item.get("certainty")
    return CERTAINTIES.index(certainty) if certainty in CERTAINTIES else len(CERTAINTIES)


def _proposal(kind: str, template: str, tie: str, one: dict, other: dict, labels: Mapping[str, str]) -> dict:
    inner, outer = (f"“{short(_called(item, labels))}”" for item in (one, other))
    now = one.get("triage", NOW) == NOW
    first = "; else mend that first" * now
    weak = WEAK[now].format(inner=inner, outer=outer)
    said = "; ".join(f"{item['quadrant']}: {_said_by(item)}" for item in (one, other))
    return {
        "kind": kind,
        "proposal": template.format(inner=inner, outer=outer, first=first, weak=weak),
        "because": f"{tie}; {said}",
        "joins": f"{one['item']}, {other['item']}",
        "impact": _impact(one) + _impact(other),
    }


def _called(item: dict, labels: Mapping[str, str]) -> str:
    """What a proposal calls an item: its finding's label, or what people say where people alone say it."""
    return item["statement"] if item.get("certainty") == SAID else labels.get(item["item"], item["statement"])


def _said_by(item: dict) -> str:
    """Which voices say an item, and how sure the data are of it; of what comes from outside, its source."""
    voices = item.get("voices") if isinstance(item.get("voices"), str) else ""
    if not voices:
        return clean_text(item.get("sources") or "nobody is named")
    return voices.replace("data", f"the data ({item['certainty']})")
