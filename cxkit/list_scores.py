"""How far is the company as a whole, and by each checklist?"""

import pandas as pd

from cxkit.checklists import SCALE, VOICES
from cxkit.style import format_ends, format_value

ALL = "all items"


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
