"""The course of the key figures over all audits."""

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.changes import findings_of, record_of, why_damaged, withheld_in
from cxkit.definitions import what_changed
from cxkit.style import GREY, LIGHT, folded_text, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEY = ("loyalty.repeat_rate", "journey.conversion", "feedback.nps", "service.contacts_per_100", "service.late_share",
       "search.nothing_found")  # fmt: skip
COLUMNS = ("id", "label", "as_of", "run", "value", "low", "high", "n", "unit", "currency", "same")
COLUMNS_OF_PICTURES = 2


def earlier_runs(run: Path) -> list[Path]:
    """The earlier whole runs that this one was measured against, oldest first, without those that are damaged; none
    where its run.json names none.

    From: the folder of a run, under way or published.
    """
    against = record_of(run).get("against")
    if not against:
        return []
    home = run.parent if run.parent.name == "runs" else run.parent / "runs"
    named = [home / name for name in [*against.get("before", []), against["run"]]]
    return [earlier for earlier in named if earlier.is_dir() and not why_damaged(earlier)]


def history(runs: Sequence[Path], *, ids: Sequence[str] = KEY) -> pd.DataFrame:
    """The key figures of each of several runs.

    From: folders of runs, oldest first, the one that tells the course last; ids of findings. To, figure by figure in
    the order of the runs: id, label, as_of, run (its name), value, low, high, n, unit, currency, same (yes/no: defined
    as in the last run). Only what at least two runs could tell, and what the last one tells and does not withhold.
    """
    records, found = [record_of(run) for run in runs], [{f.id: f for f in findings_of(run)} for run in runs]
    hidden = withheld_in(runs[-1]) if runs else set()
    rows = []
    for id in ids:
        last = found[-1].get(id) if found else None
        if last is None or not last.estimate.known or id in hidden:
            continue
        settings = {"settings_now": records[-1]}
        mine = [
            {"id": id, "label": last.label, "as_of": record.get("as_of"), "run": run.name.removeprefix(".tmp-"),
             "value": one[id].estimate.value, "low": one[id].estimate.low, "high": one[id].estimate.high,
             "n": one[id].estimate.n, "unit": one[id].estimate.unit, "currency": one[id].currency,
             "same": not what_changed(last, one[id], settings_then=record, **settings)}
            for run, record, one in zip(runs, records, found, strict=True)
            if id in one and one[id].estimate.known and id not in withheld_in(run)
        ]  # fmt: skip
        rows += mine if len(mine) > 1 else []
    return pd.DataFrame(rows, columns=list(COLUMNS))


def plot_history(frame: pd.DataFrame) -> "Axes":
    """The course of each key figure in a small picture of its own, with intervals; hollow and not joined: what was
    defined otherwise than in the last audit. From: `history`. To: the first of the small pictures."""
    import matplotlib.pyplot as plt

    ids = list(dict.fromkeys(frame["id"]))
    lines = max(math.ceil(len(ids) / COLUMNS_OF_PICTURES), 1)
    _, places = plt.subplots(lines, COLUMNS_OF_PICTURES, figsize=(7.2, 2.1 * lines + 0.3), squeeze=False)
    for ax in places.flat[len(ids) :]:
        ax.set_axis_off()
    if not ids:
        places[0, 0].annotate("No two audits yet", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
    days = sorted(frame["as_of"].map(date.fromisoformat).unique()) if ids else []
    for ax, id in zip(places.flat, ids, strict=False):
        _draw_course(ax, frame[frame["id"] == id], days)
    return places[0, 0]


def _draw_course(ax, rows: pd.DataFrame, days: Sequence[date]) -> None:
    unit, currency = rows["unit"].iloc[-1], str(rows["currency"].iloc[-1] or "")
    x = [days.index(date.fromisoformat(day)) for day in rows["as_of"]]
    low, value, high = (rows[name].to_numpy(dtype=float) for name in ("low", "value", "high"))
    same = rows["same"].to_numpy(dtype=bool)
    ax.vlines(x, low, high, color=LIGHT, linewidth=5)
    ax.plot(np.array(x)[same], value[same], color="C0", linewidth=1.4)
    for place, y, joined in zip(x, value, same, strict=True):
        colour = "C0" if joined else GREY
        ax.plot(place, y, "o", color=colour, markerfacecolor=colour if joined else "white", markersize=6)
    ends = sorted({0, len(x) - 1})
    for end in ends:
        ax.annotate(format_value(value[end], unit, currency), (x[end], high[end]), (0, 4), textcoords="offset points",
                    ha="center", va="bottom", fontsize=9)  # fmt: skip
    ax.set_title(folded_text(rows["label"].iloc[-1], width=34), fontsize=10)
    step = max(1, math.ceil(len(days) / 4))
    ax.set_xticks(range(0, len(days), step), [f"{day:%b %Y}" for day in days][::step], fontsize=9)
    ax.set_xlim(-0.6, len(days) - 0.4)
    ax.margins(y=0.3)
    ax.yaxis.set_major_formatter(lambda y, _: format_value(y, unit))
    ax.tick_params(axis="y", labelsize=9)
    ax.locator_params(axis="y", nbins=3)


def describe_history(frame: pd.DataFrame) -> str:
    """What `plot_history` shows, for those who cannot see it: each figure's first and last value."""
    parts = []
    for _, rows in frame.groupby("id", sort=False):
        told = [f"{format_value(row['value'], row['unit'], row['currency'])} "
                f"({format_ends(row['low'], row['high'], row['unit'], row['currency'])}) in the audit of {row['as_of']}"
                for row in (rows.iloc[0], rows.iloc[-1])]  # fmt: skip
        otherwise = "" if rows["same"].all() else ", defined otherwise in some audits"
        parts.append(f"{rows['label'].iloc[-1]}: {told[0]}, {told[1]}{otherwise}.")
    return " ".join(["Small pictures with intervals, one a figure.", *parts]) if parts else "No two audits yet."
