"""TOWS: which strength takes up which opportunity, which weakness stands in the way, what meets a threat."""

import re
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from cxkit.certainty import CERTAIN, LIKELY, SAID
from cxkit.stakes import touchpoints_of
from cxkit.style import clean_text
from cxkit.words import split_words, stop_words

KINDS = {
    "SO": ("strength", "opportunity", "Use what is strong, {inner}, to take up what opens, {outer}."),
    "WO": ("weakness", "opportunity", "Mend {inner} before money goes into {outer}."),
    "ST": ("strength", "threat", "Set what is strong, {inner}, against {outer}."),
    "WT": ("weakness", "threat", "Mend {inner} first: it leaves the shop open to {outer}."),
}
MEANS = {
    "SO": "Strengths that take up an opportunity",
    "WO": "Weaknesses that stand in an opportunity's way",
    "ST": "Strengths that meet a threat",
    "WT": "Weaknesses that a threat makes worse",
}
INNER = str.maketrans("“”„«»", "‘’‘‘’")  # quotation marks within a statement that is quoted
MOST = 3  # proposals of a kind
LETTERS, STEM = 5, 6  # shorter words join nothing; longer ones are compared by their beginning
# what a shop's statements all speak of
EMPTY = ("custom", "client", "order", "клієнт", "клиент", "покупе", "покупц", "замовл", "заказ", "klient", "zamów")
COMMON = 3  # a word in more items than this says nothing of one; at least a tenth of them
WIDE = "company"  # a sphere that everything lies in joins nothing
COLUMNS = ("kind", "proposal", "because", "joins", "impact")
CERTAINTIES = (CERTAIN, LIKELY, SAID)


def proposals(items: pd.DataFrame, *, spheres: Mapping[str, str] = {}, most: int = MOST) -> pd.DataFrame:
    """Proposals that name what they join, at most `most` a kind, the weightiest first.

    From: items (item, statement, said, quadrant, voices, evidence, impact, certainty, sphere); `spheres`: a sphere's
    key -> its name. To: kind (SO, WO, ST, WT), proposal, because (what joins the two, and who says each), joins (the
    keys of both items, with a comma), impact (of both together).
    Two items are joined by a touchpoint that the evidence of both names, by a word that people use of both and of few
    others, or by their sphere (company is too wide to join anything); whatever has none of these in common is not
    joined. An item stands in one proposal of a kind. Ranked by what joins them (touchpoint, word, sphere), then by
    impact, then by certainty.
    What it cannot show: whether a proposal is worth its money; it says where to look.
    Source: Weihrich (1982), Long Range Planning 15(2), 54-66.
    """
    rows = items.to_dict("records")
    words = _words(rows)
    found = []
    for kind, (inner, outer, template) in KINDS.items():
        pairs = [
            (*tie, one, other)
            for one in rows
            if one["quadrant"] == inner
            for other in rows
            if other["quadrant"] == outer
            if (tie := _tie(one, other, words, spheres))
        ]
        used: set[str] = set()
        for _, tie, one, other in sorted(pairs, key=_rank):
            if len(used) < 2 * most and not used & {one["item"], other["item"]}:
                used |= {one["item"], other["item"]}
                found.append(_proposal(kind, template, tie, one, other))
    return pd.DataFrame(found, columns=list(COLUMNS))


def in_words(found: pd.DataFrame) -> str:
    """How many proposals there are, or why there are none. From: `proposals`."""
    if not len(found):
        return (
            "No strength or weakness has a touchpoint, a word or a sphere in common with an opportunity or a threat: "
            "nothing is proposed."
        )
    lacking = [MEANS[kind].lower() for kind in KINDS if kind not in set(found["kind"])]
    count = f"{len(found)} proposal{'s' if len(found) > 1 else ''}, each joining two items of this page."
    return count + (f" None was found for {', '.join(lacking)}." if lacking else "")


def short(statement: object) -> str:
    """A statement in a sentence about it: its first sentence, without what stands in brackets."""
    text = re.sub(r"\s*\([^()]*\)", "", clean_text(statement))
    first = re.split(r"(?<=[^\W\d_]{2})\. (?=[^\W\d_a-zа-я])", text)[0]
    return first.rstrip(".").strip().translate(INNER)


def _tie(
    one: dict, other: dict, words: dict[str, dict[str, str]], spheres: Mapping[str, str]
) -> tuple[int, str] | None:
    """What two items have in common, and how near that is (0 is nearest)."""
    if points := touchpoints_of(one.get("evidence")) & touchpoints_of(other.get("evidence")):
        return 0, f"both are about {', '.join(sorted(points))}"
    if shared := sorted(set(words[one["item"]]) & set(words[other["item"]])):
        return 1, f"both speak of “{words[other['item']][shared[0]]}”"
    sphere = one.get("sphere")
    if isinstance(sphere, str) and sphere not in ("", WIDE) and sphere == other.get("sphere"):
        return 2, f"both lie in {spheres.get(sphere, sphere)}"
    return None


def _words(rows: list[dict]) -> dict[str, dict[str, str]]:
    """The words that tell what people say of an item from what they say of the others: beginning -> word.

    Of an item that only the data know they are the words of its key's end: its sentence is a template of ours.
    """
    stems = {row["item"]: {word[:STEM]: word for word in split_words(_own_words(row)) if _tells(word)} for row in rows}
    counts = Counter(stem for found in stems.values() for stem in found)
    most = max(COMMON, len(rows) // 10)
    return {item: {s: word for s, word in found.items() if counts[s] <= most} for item, found in stems.items()}


def _own_words(row: dict) -> str:
    if row.get("certainty") == SAID:
        return f"{row['statement']} {row.get('said') or ''}"
    return f"{row['item'].split('.', 2)[-1].replace('_', ' ')} {row.get('said') or ''}"


def _tells(word: str) -> bool:
    return len(word) >= LETTERS and word.isalpha() and not word.startswith(EMPTY) and word not in stop_words()


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


def _proposal(kind: str, template: str, tie: str, one: dict, other: dict) -> dict:
    inner, outer = (f"“{short(item['statement'])}”" for item in (one, other))
    said = "; ".join(f"{item['quadrant']}: {_said_by(item)}" for item in (one, other))
    return {
        "kind": kind,
        "proposal": template.format(inner=inner, outer=outer),
        "because": f"{tie}; {said}",
        "joins": f"{one['item']}, {other['item']}",
        "impact": _impact(one) + _impact(other),
    }


def _said_by(item: dict) -> str:
    """Which voices say an item, and how sure the data are of it; of what comes from outside, its source."""
    voices = item.get("voices") if isinstance(item.get("voices"), str) else ""
    if not voices:
        return clean_text(item.get("sources") or "nobody is named")
    return voices.replace("data", f"the data ({item['certainty']})")
