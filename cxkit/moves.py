"""What became of the customers, the SWOT items and the actions of the earlier audit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxkit import cluster_moves
from cxkit.changes import BETTER, CHANGED, DEFINED, EARLY, PARAMETER, TARGET, WORSE, difference_text
from cxkit.errors import UsageError
from cxkit.kept_tables import read_table
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import clean_text
from cxkit.tiers import TIERS

NEW, OPEN, SOLVED, NO_LONGER = "new", "still open", "solved", "no longer found"
TURNED, STILL, GONE = "turned", "still there", "no longer there"
OTHERWISE = "judged otherwise than then"
STATUSES = (SOLVED, OPEN, NO_LONGER, NEW, TURNED, OTHERWISE, STILL, GONE)  # in the order that a reader meets them
AGAINST_US = ("weakness", "threat")
UNMEASURED = "not measured"
ITEMS = ("item", "statement", "then", "now", "status", "measured", "why")
ACTIONS = ("action", "owner", "department", "due", "measure", "measured", "why")
TEXTS = ("item", "statement", "evidence", "action", "items", "measure", "owner", "department", "due", "rfm")
OTHER_KEY = "the two audits have no customer in common: their pseudonyms were made with two keys"


def kept(run: Path | None, name: str) -> pd.DataFrame | None:
    """A table of a run's folder (`01_segmentation.customers`), or None where there is no such run or table."""
    path = run / "tables" / f"{name}.csv" if run else None
    return read_table(path, texts=TEXTS) if path and path.is_file() else None


def why_not(then_customers: pd.DataFrame | None, now_customers: pd.DataFrame | None) -> str:
    """Why the customers of two audits cannot be followed; empty where they can. From: as `moves`; None: no table."""
    if then_customers is None or now_customers is None:
        return f"the {'earlier' if then_customers is None else 'later'} audit has no list of customers"
    ids = [set(frame["customer_id"]) for frame in (then_customers, now_customers)]
    return OTHER_KEY if all(ids) and not ids[0] & ids[1] else ""


def moves(then_customers: pd.DataFrame, now_customers: pd.DataFrame, *, by: str = "tier") -> pd.DataFrame:
    """How many customers of each tier (or segment) of the earlier audit are in which one now.

    From: tables/01_segmentation.customers.csv of both audits (customer_id, segment, tier); `by`: tier or segment. To:
    as `cluster_moves.moves`: then, now, customers, share_of_then, low, high, n, level, method; who was not yet a
    customer, or is no longer in the data, has a row of his own kind. Numbers of under five customers are withheld, and
    as many others as keep those from being worked out.
    What it cannot show: why. Both audits cut tiers by rank and segments by their own cut points, so that somebody may
    move because others did.
    Raises UsageError where a column is missing, or the audits have no customer in common (two keys).
    """
    for name, frame in (("earlier", then_customers), ("later", now_customers)):
        if lacking := [column for column in ("customer_id", by) if column not in frame]:
            raise UsageError(f"the customers of the {name} audit lack {', '.join(lacking)}; run 01_segmentation anew.")
    if why := why_not(then_customers, now_customers):
        raise UsageError(f"{why}. Compare runs of one client that were made with the same private key.")
    order = TIERS[::-1] if by == "tier" else ()
    frames = (frame.rename(columns={by: "group"})[["customer_id", "group"]].dropna() for frame in
              (then_customers, now_customers))  # fmt: skip
    return cluster_moves.moves(*frames, order=order)


def measured(ids: Sequence[str], changes: pd.DataFrame, since: pd.DataFrame | None = None) -> tuple[str, str]:
    """What the figures behind findings did: better, worse, changed, better and worse, too early to say, or not
    measured; and which figures say so.

    From: ids of findings; `changes.compare`; `since.since` (its speaks_to names findings).
    """
    wanted = {id for id in ids if id}
    rows = changes[changes["id"].isin(wanted)].to_dict("records")
    if since is not None and len(since):
        speaks = [bool(wanted & set(str(told or "").split(","))) for told in since["speaks_to"]]
        rows += since[speaks].to_dict("records")
    rows = [row for row in rows if row["verdict"] in (BETTER, WORSE, CHANGED, EARLY)]
    certain = [row for row in rows if row["verdict"] != EARLY]
    if not certain:
        return (EARLY, "") if rows else (UNMEASURED, "")
    found = list(dict.fromkeys(row["verdict"] for row in certain))
    word = " and ".join(v for v in (BETTER, WORSE, CHANGED) if v in found)
    return word, "; ".join(f"{clean_text(row['label'])} {difference_text(row)}" for row in certain)


def items_since(
    then: pd.DataFrame | None, now: pd.DataFrame | None, changes: pd.DataFrame, since: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Which SWOT items are new, solved, still open, by their keys.

    From: tables/10_swot.items.csv of both audits (item, statement, quadrant, evidence; None: no such table, and so no
    rows); `changes.compare`, `since.since`. To, solved first: item, statement, then, now (quadrants; None: not there),
    status, measured (`measured`), why (the figures that say so, and where the client's target or the
    definition of a figure behind it is another one than then).
    A weakness or threat is solved only where it is not found any more and a figure behind it is better for certain, and
    none worse; else it is "no longer found", which may as well mean that too little was asked. Still open: it is a
    weakness or threat in both. Turned: it changed its side. Judged otherwise than then: it came, went or changed its
    side, and the target or the definition of a figure behind it is another one, so that this alone may be why. The rest
    is new, still there, or no longer there.
    """
    if then is None or now is None:  # what one audit never asked is neither new nor solved
        return pd.DataFrame(columns=list(ITEMS), dtype=object)
    was, is_ = (frame.drop_duplicates("item").set_index("item") for frame in (then, now))
    rows = []
    for item in [*was.index, *(key for key in is_.index if key not in was.index)]:
        before, after = (frame.at[item, "quadrant"] if item in frame.index else None for frame in (was, is_))
        last = (is_ if item in is_.index else was).loc[item]
        told = [item, *str(last.get("evidence") or "").split(",")]
        word, why = measured([id.strip() for id in told], changes, since)
        otherwise = _otherwise({id.strip() for id in told}, changes)
        status = _status(before, after, word)
        status = OTHERWISE if otherwise and status in (TURNED, NO_LONGER, NEW, GONE) else status
        why = "; ".join(filter(None, [why, *otherwise]))
        rows.append((item, last["statement"], before, after, status, word, why))
    frame = pd.DataFrame(rows, columns=list(ITEMS)).astype(object)
    rank = frame["status"].map({status: place for place, status in enumerate(STATUSES)})
    return frame.assign(rank=rank).sort_values("rank", kind="stable", ignore_index=True)[list(ITEMS)]


def _otherwise(ids: set[str], changes: pd.DataFrame) -> list[str]:
    """That a figure behind an item is judged against another target, or is defined otherwise, than then."""
    told = []
    for row in changes[changes["id"].isin(ids)].to_dict("records"):
        why = str(row.get("why") or "")
        target = why.find(TARGET)
        if (otherwise := why.startswith((DEFINED, PARAMETER))) or target >= 0:
            told.append(f"{clean_text(row['label'])}: {why if otherwise else why[target:]}")
    return told


def _status(before: str | None, after: str | None, word: str) -> str:
    if before is None:
        return NEW
    if after is None:
        if before not in AGAINST_US:
            return GONE
        return SOLVED if word == BETTER else NO_LONGER
    if (before in AGAINST_US) != (after in AGAINST_US):
        return TURNED
    return OPEN if after in AGAINST_US else STILL


def actions_since(then: pd.DataFrame | None, changes: pd.DataFrame, since: pd.DataFrame | None = None) -> pd.DataFrame:
    """Whether the measure of each action of the earlier audit moved.

    From: tables/10_swot.actions.csv of the earlier audit (action, owner, department, due, measure; None: no such
    table); `changes.compare`, `since.since`. To, in the table's order: action, owner, department, due, measure,
    measured (better, worse, changed, too early to say, not measured), why. What it cannot show: that the action is why.
    """
    if then is None or not len(then):
        return pd.DataFrame(columns=list(ACTIONS), dtype=object)
    rows = then.reindex(columns=list(ACTIONS[:5])).astype(object)
    rows = rows.where(rows.notna(), None)
    told = [measured([str(measure or "").strip()], changes, since) for measure in rows["measure"]]
    return rows.assign(measured=[word for word, _ in told], why=[why for _, why in told]).reset_index(drop=True)


def items_in_words(items: pd.DataFrame) -> list[str]:
    """How many items are solved, still open and new, and which are solved. From: `items_since`."""
    if not len(items):
        return ["No SWOT items of either audit can be compared."]
    counts = items["status"].value_counts()
    told = ", ".join(f"{counts[status]} {status}" for status in STATUSES if status in counts)
    said = [f"Items of the SWOT: {told}."]
    solved = items[items["status"] == SOLVED]
    if len(solved):
        parts = [f"{clean_text(row.statement).rstrip('.')} ({row.why})" for row in solved.itertuples()]
        said.append(f"Solved: {'; '.join(parts)}.")
    return said


def actions_in_words(actions: pd.DataFrame, *, asked: bool = True) -> list[str]:
    """Of how many actions the measure moved, and which.

    From: `actions_since`; `asked`: whether the earlier audit made a plan at all.
    """
    if not asked:
        return ["The earlier audit made no plan (10_swot was not run), and so has no actions to look at."]
    if not len(actions):
        return ["The earlier audit has no actions whose measure could be looked at."]
    counts = actions["measured"].value_counts()
    told = ", ".join(f"{count} {word}" for word, count in counts.sort_index().items())
    said = [f"Measures of the {len(actions)} actions of the earlier audit: {told}."]
    moved = actions[~actions["measured"].isin([EARLY, UNMEASURED])]
    said += [f"{clean_text(row.action).rstrip('.')}: {row.why}." for row in moved.itertuples()]
    return said


def tiers_in_words(moved: pd.DataFrame) -> str:
    """How many stayed in each tier, and the greatest moves. From: `moves`."""
    known = np.isfinite(moved["customers"].astype(float)).any() if len(moved) else False
    return cluster_moves.in_words(moved) if known else f"No move of at least {LEAST_SHOWN} customers can be told."
