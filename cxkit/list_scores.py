"""How far is the company as a whole, and by each checklist?"""

import numpy as np
import pandas as pd

from cxkit.checklists import SCALE, VOICES
from cxkit.style import format_ends, format_value

ALL = "all items"
CHECKLISTS, ELEMENTS = "Checklists", "The five elements"
STAFF = "employee"  # who knows how work is done: nobody else is asked about its qualities
NONE = "–"


def list_scores(scores: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How each voice scored all items together, each checklist, and each of the five elements.

    From: `scores`, `read_checklists`. To, all items first, then in the order of the checklists: part, voice, items
    (that the voice scored), n (answers), mean (each item counting the same) with low and high, level, method.
    The same people answer many items and the sheet does not say who: the error is the mean of the items' errors, the
    largest that any such dependence can make.
    What is left out: withheld scores. What it cannot show: voices that answered different items are not to be compared.
    Source: S2d (the five elements); Student (1908), as `scores`.
    """
    from scipy.special import stdtrit

    told = scores[scores["mean"].notna()].merge(items[["item", "list", "list_name", "sphere"]], on="item")
    element = told["list_name"] + ": " + told["sphere"]
    told["part"] = told["list_name"].where(told["list"] != "elements", element)
    both = pd.concat([told.assign(part=ALL), told], ignore_index=True)
    order = {"part": list(dict.fromkeys(both["part"])), "voice": list(VOICES)}
    by = both.groupby(["part", "voice"], sort=False)
    frame = by.agg(
        items=("item", "size"), n=("n", "sum"), people=("n", "max"), mean=("mean", "mean"), error=("error", "mean")
    )
    half = stdtrit(frame["people"] - 1, (1 + level) / 2) * frame["error"]
    frame["low"], frame["high"] = (frame["mean"] - half).clip(SCALE[0]), (frame["mean"] + half).clip(upper=SCALE[1])
    frame = frame.reset_index().assign(level=level, method="widest for any dependence, Student's t")
    frame = frame.sort_values(
        ["part", "voice"], key=lambda column: column.map(order[column.name].index), ignore_index=True
    )
    return frame.astype({"n": "int64"}).drop(columns=["people", "error"])


def overall_sentence(list_scores: pd.DataFrame) -> str:
    """How far it all is by each voice, in one sentence. From: `list_scores`."""
    rows = list_scores[list_scores["part"] == ALL]
    if not len(rows):
        return "How far the company is cannot be told: no item has five answers of one voice."
    parts = []
    for row in rows.itertuples():
        of = f"{row.items} item{'s' * (row.items != 1)}"
        ends = format_ends(row.low, row.high, "points")
        parts.append(f"{row.voice}s {format_value(row.mean, 'points')} ({ends}; {of})")
    return f"Of 0 (not at all) to 4 (fully) the mean score is: {', '.join(parts)}."


def side_by_side(list_scores: pd.DataFrame) -> pd.DataFrame:
    """The checklists and the five elements with the voices beside each other.

    From: `list_scores`. To, in its order: about (the checklists, or the five elements), part, customer, partner,
    employee (as a reader sees them: the mean with its interval, a dash where the voice has none), and in full
    customer_mean, customer_low, customer_high, and so on.
    """
    wide = _beside(list_scores, "part")
    element = wide["part"].map(lambda part: ": " in part).astype(bool)
    wide["part"] = wide["part"].map(lambda part: part.rpartition(": ")[2])
    wide.insert(0, "about", np.where(element, ELEMENTS, CHECKLISTS))
    return wide.sort_values("about", kind="stable", ignore_index=True)


def item_scores(scores: pd.DataFrame, items: pd.DataFrame, *, lists: tuple[str, ...]) -> pd.DataFrame:
    """Each item of some checklists with the voices beside each other.

    From: `scores`, `read_checklists`; the lists' keys. To, in the order of the checklists: list_name, item, name,
    customer, partner, employee and their numbers (as `side_by_side`).
    What is left out: items that nobody scored (shown).
    """
    shown = scores[scores["mean"].notna()]
    known = items[items["list"].isin(lists) & items["item"].isin(shown["item"])]
    return known[["list_name", "item", "name"]].merge(_beside(shown, "item"), on="item")


def _beside(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """One row for each of `key` in order: the voices' numbers as texts and in full."""
    order = list(dict.fromkeys(rows[key]))
    told = rows.assign(text=[f"{row.mean:.1f} ({row.low:.1f}–{row.high:.1f})" for row in rows.itertuples()])
    wide = pd.DataFrame({key: order}, dtype=object)
    for voice in VOICES:
        wide[voice] = wide[key].map(told[told["voice"] == voice].set_index(key)["text"]).astype(object).fillna(NONE)
    for voice in VOICES:
        own = told[told["voice"] == voice].set_index(key)
        for number in ("mean", "low", "high"):
            wide[f"{voice}_{number}"] = wide[key].map(own[number]).astype(float)
    return wide


def qualities(scores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """How far each step of the service is done, and whether it is standardised, measurable and reproducible.

    From: `scores`, `read_checklists` (part_of: the step of which an item asks a quality). To, in the order of the
    checklist: item, name, done, and one column a quality (employees' mean scores), n (answers).
    What is left out: other voices, who do not see how work is done; steps that employees did not score (shown).
    Source: S4 (a service of quality is standardised, measurable, reproducible).
    """
    staff = scores[(scores["voice"] == STAFF) & scores["mean"].notna()].set_index("item")
    asked = items[items["part_of"] != ""]
    asked = asked.assign(quality=asked["item"].map(_quality), mean=asked["item"].map(staff["mean"]))
    asked = asked.assign(n=asked["item"].map(staff["n"]))
    kinds = list(dict.fromkeys(asked["quality"]))
    wide = asked.pivot(index="part_of", columns="quality", values="mean").reindex(columns=kinds)
    steps = items[items["item"].isin(asked["part_of"])][["item", "name"]]
    steps = steps.assign(done=steps["item"].map(staff["mean"]))
    wide.columns.name = None
    frame = steps.merge(wide.reset_index(names="item"), on="item")
    whole = asked.groupby("part_of")["n"].sum()
    frame["n"] = (frame["item"].map(whole).fillna(0) + frame["item"].map(staff["n"]).fillna(0)).astype("int64")
    return frame[frame["n"] > 0].reset_index(drop=True)


def qualities_sentence(scores: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> str:
    """How employees score each quality over all steps of the service, in one sentence; empty where they did not.

    The intervals are as wide as any overlap of the people makes them, as in `list_scores`.
    """
    from scipy.special import stdtrit

    staff = scores[(scores["voice"] == STAFF) & scores["mean"].notna()].set_index("item")
    asked = items[(items["part_of"] != "") & items["item"].isin(staff.index)]
    parts = []
    for quality, rows in asked.groupby(asked["item"].map(_quality), sort=False):
        own = staff.loc[rows["item"]]
        half = float(stdtrit(own["n"].max() - 1, (1 + level) / 2) * own["error"].mean())
        ends = format_ends(max(own["mean"].mean() - half, SCALE[0]), min(own["mean"].mean() + half, SCALE[1]), "points")
        parts.append(f"{quality} {format_value(own['mean'].mean(), 'points')} ({ends})")
    return f"The steps of the service are, as employees score them from 0 to 4: {', '.join(parts)}." if parts else ""


def _quality(item: str) -> str:
    return item.rpartition(".")[2]
