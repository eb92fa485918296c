"""Two published runs of a client side by side, as text for a terminal."""

from pathlib import Path

import pandas as pd

from cxkit import changes, moves, since
from cxkit.changes import BETTER, CHANGED, EARLY, NOT, SHOWN, WORSE
from cxkit.errors import RunError
from cxkit.style import clean_text

SHARED = (
    "The audits share customers and orders, so the intervals are wider than they need be: a small change shows late."
)
HEADS = {WORSE: "Worse for certain", BETTER: "Better for certain", CHANGED: "Changed for certain"}


def diff(earlier: Path, later: Path) -> str:
    """What changed between two published runs: figures, the days since, tiers, SWOT items, actions.

    From: the folders of two runs, the earlier first. To: text. Where a part cannot be told, it says why.
    Raises RunError where a run is damaged.
    """
    if damaged := [why for run in (earlier, later) if (why := changes.why_damaged(run))]:
        raise RunError(f"{'; '.join(damaged)}. Name two other runs: cxkit diff CLIENT EARLIER LATER.")
    found = changes.between(later, earlier)
    fresh = _since(earlier, later)
    return "\n".join(
        [
            f"{clean_text(changes.record_of(later).get('client', later.parents[1].name))}: {later.name} against "
            f"{earlier.name}",
            *_same_files(earlier, later),
            *_part(f"The days after {changes.day_of(earlier)} against as many before", _fresh(fresh, earlier, later)),
            *_part("The audits' figures", _figures(found)),
            *_part("Customers by tier", _tiers(earlier, later)),
            *_part("SWOT items", _items(earlier, later, found, fresh)),
            *_part("Actions of the earlier audit", _actions(earlier, found, fresh)),
        ]
    )


def _same_files(earlier: Path, later: Path) -> list[str]:
    """That nothing new was read, before a list of differences that are all nought."""
    read = [changes.record_of(run).get("inputs") for run in (earlier, later)]
    if not read[0] or read[0] != read[1]:
        return []
    days = "of one day" if changes.day_of(earlier) == changes.day_of(later) else "of two days"
    return [f"Both audits, {days}, read the same files: whatever differs comes from the last day that counts, the "
            "settings or the version, not from new files."]  # fmt: skip


def _part(head: str, lines: list[str]) -> list[str]:
    return ["", head, *(f"  {line}" for line in lines)]


def _figures(found: pd.DataFrame) -> list[str]:
    table = changes.shown(found)
    lines = []
    for verdict, head in HEADS.items():
        rows = table[table["Verdict"] == verdict]
        lines += [f"{head}:"] * bool(len(rows))
        lines += [f"  {r.Figure}: {r.Then} → {r.Now}, {r.Difference}" + (f" ({r.Why})" if r.Why else "")
                  for r in rows.itertuples()]  # fmt: skip
    judged = int(changes.is_judged(found).sum())
    if not lines:
        lines.append(f"Of {judged} figures, judged together, none changed for certain.")
    early = table[(table["Verdict"] == EARLY) & changes.is_judged(found)]
    unknown = table[(table["Verdict"] == EARLY) & ~changes.is_judged(found)]
    if len(early):
        lines += [f"Too early to say ({len(early)} of {judged}):", *(_line(r) for r in early.itertuples())]
    if len(unknown):
        lines += ["Not told by one of the audits, or by neither:", *(_line(r) for r in unknown.itertuples())]
    for verdict, head in ((SHOWN, "Shown, not judged"), (NOT, "Not compared")):
        rows = table[table["Verdict"] == verdict]
        lines += [f"{head}:"] * bool(len(rows))
        for why, part in rows.groupby("Why", sort=False):
            lines += [f"  {why}:", *(f"    {r.Figure}: {r.Then} → {r.Now}" for r in part.itertuples())]
    return [*lines, SHARED]


def _line(row: tuple) -> str:
    end = f", {row.Difference}" if row.Difference != "–" else ""
    return f"  {row.Figure}: {row.Then} → {row.Now}{end}"


def _since(earlier: Path, later: Path) -> pd.DataFrame | None:
    """What the later run kept of the days since the earlier one; None where it was measured against another."""
    against = changes.record_of(later).get("against") or {}
    return moves.kept(later, "11_summary.since") if against.get("run") == earlier.name else None


def _fresh(fresh: pd.DataFrame | None, earlier: Path, later: Path) -> list[str]:
    if fresh is not None:
        return since.in_words(fresh)
    if changes.day_of(earlier) == changes.day_of(later):
        return ["Not told: both audits are of one day, so that no days lie between them."]
    told = changes.record_of(later).get("against") or {}
    if told.get("run") == earlier.name:
        return ["Not told: the later run kept no table of it (11_summary was not run)."]
    return [
        f"Not told: the later run was measured against {told.get('run', 'none')}. Run it with --against {earlier.name}."
    ]


def _tiers(earlier: Path, later: Path) -> list[str]:
    customers = [moves.kept(run, "01_segmentation.customers") for run in (earlier, later)]
    if why := moves.why_not(*customers):
        return [f"Not told: {why}."]
    return [moves.tiers_in_words(moves.moves(*customers))]


def _items(earlier: Path, later: Path, found: pd.DataFrame, fresh: pd.DataFrame | None) -> list[str]:
    then, now = (moves.kept(run, "10_swot.items") for run in (earlier, later))
    if then is None or now is None:
        return [f"Not told: {(earlier if then is None else later).name} has no table of SWOT items."]
    items = moves.items_since(then, now, found, fresh)
    rows = [f"{row.status}: {clean_text(row.statement)}" + (f" ({row.why})" if row.why else "")
            for row in items.itertuples()]  # fmt: skip
    return [moves.items_in_words(items)[0], *(f"  {row}" for row in rows)]


def _actions(earlier: Path, found: pd.DataFrame, fresh: pd.DataFrame | None) -> list[str]:
    kept = moves.kept(earlier, "10_swot.actions")
    return moves.actions_in_words(moves.actions_since(kept, found, fresh), asked=kept is not None)
