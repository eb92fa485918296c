"""What changed since a day, from today's data alone: the same figures of equally many days before it and after it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit import performance, stages, steps, touches, windows
from cxkit.changes import BETTER, EARLY, FAMILY_LEVEL, NOT, WORSE, difference_text
from cxkit.estimates import holm_levels
from cxkit.others import against_others, unit_sums
from cxkit.pareto import NOT_GIVEN, OTHERS
from cxkit.stages import name_key
from cxkit.style import GREY, INK, clean_text, folded_text, format_value, in_quotes
from cxkit.windows import ALL, NOW, THEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_UNITS = 30  # customers or visits in either window; fewer are not judged, and their numbers are not told
MOST_SHOWN = 14  # rows of the picture
METHOD = "linearised by {}, Student's t; {} comparisons judged together (Holm)"
# measure -> what all together are called, what one is called, unit, which side is good, what stands for it
MEASURES = {
    "goes_on": ("", "Visits that go on from {}", "share", "higher", "journey.touchpoint.{}"),
    "nps": ("NPS, all answers", "NPS of {}", "points", "higher", "feedback.nps"),
    "csat": ("CSAT, mean of all answers", "CSAT of {}, mean", "points", "higher", "feedback.csat"),
    "ces": ("CES, mean of all answers", "CES of {}, mean", "points", "higher", "feedback.ces"),
    "late": ("Orders that come late", "Orders that come late, {}", "share", "lower", "service.late_share"),
    "contacts": ("Contacts a hundred orders", "Contacts about {} a hundred orders", "ratio", "lower",
                 "service.contacts_per_100,service.contact_trend"),
    "cancelled": ("Orders cancelled", "", "share", "lower", "service.cancelled_share"),
    "returned": ("Order lines sent back", "Order lines sent back, {}", "share", "lower", "service.returned_share"),
    "again": (f"New customers who order again within {windows.AGAIN_DAYS} days", "", "share", "higher",
              "loyalty.repeat_rate"),
    "nothing": ("Searches that find nothing", "", "share", "lower", "search.nothing_found"),
}  # fmt: skip
FAMILY_OF = {  # the findings that a figure of one touchpoint, way of delivery, reason or category speaks to
    "nps": "feedback.touchpoint.{0},journey.touchpoint.{0}",
    "csat": "feedback.touchpoint.{0},journey.touchpoint.{0}",
    "ces": "feedback.touchpoint.{0},journey.touchpoint.{0}",
    "late": "service.late.{0}",
    "contacts": "service.growing.{0}",
    "returned": "service.returned.{0}",
    "goes_on": "journey.touchpoint.{0}",
}
COLUMNS = ("measure", "name", "label", "then", "now", "difference", "low", "high", "better", "verdict", "why", "unit",
           "difference_unit", "n_then", "n_now", "units_then", "units_now", "level", "method", "speaks_to")  # fmt: skip


def since(
    tables: Mapping[str, Table],
    *,
    then: date,
    as_of: date,
    zone: str,
    scales: Mapping[str, tuple[float, float]],
    ces: str = "agree",
    touchpoint_map: pd.DataFrame | None = None,
    stage_order: Sequence[str] = (),
    gap_minutes: int = 30,
    level: float = FAMILY_LEVEL,
) -> pd.DataFrame:
    """The same figures of the days after `then` and of as many days before, all judged as one family at 97.5 %.

    From: canonical tables by name, those that the client has; `then`: the earlier audit's last day; `touchpoint_map`
    and `stage_order`: of the client's stages (else the kit's). To, worse first, then better, too early to say and what
    could not be counted: measure, name (touchpoint, way of delivery, reason, category, or all), label, then, now,
    difference (of shares in percentage points), low, high, better (higher or lower), verdict (worse, better, too early
    to say, not compared), why, unit, difference_unit, n_then, n_now (items), units_then, units_now (customers or
    visits), level, method, speaks_to (ids of findings, with commas).
    An improvement that a figure of all days dilutes is found here: only days after the earlier audit are held against
    only days before it. The level leaves half of the 5 % to the other family of the audit (`changes.compare`). A
    customer who stands in both windows has the covariance in the error.
    What is left out: numbers of what fewer than 30 customers or visits stand for on a side. What it cannot show: why;
    a season: the windows follow each other and do not lie a year apart.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6 (as `others.against_others`); Holm (1979).
    Raises UsageError where `then` is not before `as_of`.
    """
    untold = windows.gaps(tables, then=then, as_of=as_of)
    span = {"then": then, "as_of": as_of}
    counted = windows.cells(tables, zone=zone, scales=scales, ces=ces, **span)
    frames = [_of_cells(counted)] if counted is not None else []
    if "goes_on" not in untold:
        sheet = stages.touchpoint_map() if touchpoint_map is None else touchpoint_map
        log = _log(tables, sheet=sheet, zone=zone, gap_minutes=gap_minutes)
        frames.append(_of_visits(log, order=list(stage_order) or list(stages.read_stages()["stage"]), **span))
    frame = pd.concat(frames, ignore_index=True) if frames else _nothing()
    frame = _judged(_named(frame), level)
    missing = [_untold(measure, why) for measure, why in untold.items()]
    return pd.concat([frame, pd.DataFrame(missing, columns=list(COLUMNS))], ignore_index=True) if missing else frame


def _nothing() -> pd.DataFrame:
    names = ["measure", "name", "now", "then", "gap", "error", "n_then", "n_now", "units_then", "units_now", "unit_is"]
    return pd.DataFrame({name: pd.Series(dtype=object if name in names[:2] else float) for name in names})


def _of_cells(cells: Table) -> pd.DataFrame:
    """Both windows of each measure and name in one row, with the error of their difference over customers."""
    keys = ["measure", "name"]
    both = against_others(unit_sums(cells, by="window", unit="who", within=keys), within=keys)
    now, then = (both[both["window"] == window].drop(columns="window") for window in (NOW, THEN))
    frame = now.merge(then[[*keys, "value", "n", "units"]], on=keys, suffixes=("_now", "_then"))
    frame = frame.rename(columns={"value_now": "now", "value_then": "then", "difference_error": "error_of"})
    return frame.assign(gap=frame["difference"], error=frame["error_of"], unit_is="customers")


def _log(tables: Mapping[str, Table], *, sheet: pd.DataFrame, zone: str, gap_minutes: int) -> Table:
    gathered = touches.gather({n: t for n, t in tables.items() if n in ("events", "orders")}, gap_minutes=gap_minutes)
    names, robots = touches.names(gathered, sheet), touches.robots(gathered)
    return touches.touch_log(gathered, names=names, robots=robots, zone=zone)


def _of_visits(log: Table, *, order: Sequence[str], then: date, as_of: date) -> pd.DataFrame:
    """After how many touches of each touchpoint a visit goes on, in both windows; a visit stands in one of them."""
    days = (as_of - then).days
    place = steps.journey_order(steps.touchpoint_stages(log), stages=list(order))
    now, was = (
        performance.going_on(touches.in_period(log, last=last, days=days), order=place) for last in (as_of, then)
    )
    columns = ["touchpoint", "value", "error", "n", "units"]
    both = now[columns].merge(was[columns], on="touchpoint", suffixes=("_now", "_then"))
    both = both.rename(columns={"touchpoint": "name", "value_now": "now", "value_then": "then"})
    error = np.hypot(both["error_now"], both["error_then"])
    return both.assign(measure="goes_on", gap=both["now"] - both["then"], error=error, unit_is="visits")


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """With what a row is called, its unit, the good side, and the findings that it speaks to."""
    rows = []
    for measure, name in zip(frame["measure"], frame["name"], strict=True):
        every, one, unit, better, ids = MEASURES[measure]
        named = clean_text(name) if name in (NOT_GIVEN, OTHERS, ALL) else in_quotes(name)
        family = FAMILY_OF.get(measure, "").format(name_key(name)) if name not in (NOT_GIVEN, OTHERS) else ""
        whole = name == ALL and measure != "goes_on"
        rows.append((every if whole else one.format(named), unit, better, ids if whole else family))
    told = pd.DataFrame(rows, columns=["label", "unit", "better", "speaks_to"], index=frame.index)
    return frame.assign(**{name: told[name] for name in told})


def _judged(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    from scipy.special import stdtr, stdtrit

    size = np.where(frame["unit"] == "share", 100.0, 1.0)
    gap, error = (size * frame[name].to_numpy(dtype=float) for name in ("gap", "error"))
    fewest = frame[["units_now", "units_then"]].astype(float).min(axis=1).to_numpy()
    enough = fewest >= LEAST_UNITS
    told = enough & np.isfinite(gap) & np.isfinite(error) & (error > 0)
    freedom = np.maximum(fewest - 1, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(told, 2 * stdtr(freedom, -np.abs(gap) / error), np.nan)
    levels = holm_levels(p, level=level)
    half = np.where(told, stdtrit(freedom, (1 + levels) / 2) * error, np.nan)
    signs = np.select([gap - half > 0, gap + half < 0], [1, -1], 0)
    good = frame["better"].map({"higher": 1, "lower": -1}).to_numpy()
    verdict = np.select([signs == 0, signs == good], [EARLY, BETTER], WORSE)
    few = np.where(enough, "it is the same in both", f"fewer than {LEAST_UNITS} customers or visits on a side")
    judged = int(told.sum())
    hidden = {name: frame[name].astype(float).where(enough) for name in ("then", "now", "n_then", "n_now")}
    frame = frame.assign(
        **hidden, difference=np.where(enough, gap, np.nan), low=gap - half, high=gap + half, level=levels,
        units_then=frame["units_then"].astype(float).where(enough),
        units_now=frame["units_now"].astype(float).where(enough),
        verdict=verdict, why=np.where(told, "", few), difference_unit=frame["unit"].replace("share", "points"),
        method=[METHOD.format(unit, judged) for unit in frame["unit_is"]],
    )  # fmt: skip
    rank = frame["verdict"].map({WORSE: 0, BETTER: 1, EARLY: 2})
    measures = frame["measure"].map({measure: place for place, measure in enumerate(MEASURES)})
    frame = frame.assign(rank=rank, measures=measures, some=frame["name"].ne(ALL))
    frame = frame.sort_values(["rank", "measures", "some", "name"], kind="stable", ignore_index=True)
    return frame[list(COLUMNS)]


def _untold(measure: str, why: str) -> dict:
    every, _, unit, better, ids = MEASURES[measure]
    label = every or "Visits that go on"
    return {"measure": measure, "name": ALL, "label": label, "unit": unit, "better": better, "verdict": NOT,
            "why": why, "speaks_to": ids if "{" not in ids else ""}  # fmt: skip


def period_in_words(*, then: date, as_of: date) -> str:
    """Which days are held against which."""
    days = (as_of - then).days
    return (
        f"The {days:,} days since the earlier audit ({then + timedelta(days=1)} to {as_of}) against the {days:,} days "
        f"before its last day ({then - timedelta(days=days - 1)} to {then}), both from today's data."
    )


def in_words(frame: pd.DataFrame) -> list[str]:
    """What is better and worse since the day, in sentences. From: `since`."""
    judged = int(frame["low"].notna().sum())
    if not judged:
        return ["Nothing can be compared yet: too few customers and visits on a side, or too short a time."]
    told = []
    for verdict, word in ((WORSE, "Worse for certain"), (BETTER, "Better for certain")):
        rows = frame[frame["verdict"] == verdict]
        parts = [f"{row['label']}: {_value(row['then'], row['unit'])} before, {_value(row['now'], row['unit'])} since"
                 for row in rows.to_dict("records")]  # fmt: skip
        told += [f"{word}: {'; '.join(parts)}."] if parts else []
    if not told:
        return [f"Of {judged} figures judged together none changed for certain."]
    return [f"{judged} figures were judged together.", *told]


def _value(value: float, unit: str) -> str:
    return format_value(value, unit) if np.isfinite(value) else "–"


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """`since` as a reader sees it, all texts: Figure, Before, Since, Difference (with its interval), Verdict."""
    rows = [
        {
            "Figure": row["label"],
            "Before": _value(row["then"], row["unit"]),
            "Since": _value(row["now"], row["unit"]),
            "Difference": difference_text(row),
            "Verdict": row["verdict"] + (f" ({row['why']})" if row["why"] else ""),
        }
        for row in frame.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["Figure", "Before", "Since", "Difference", "Verdict"])


def plot_since(frame: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """How far each figure moved in the good direction, in widths of its own interval: what is better lies to the right.

    From: `since`. What changed for certain is in colour, the rest grey; of many, those that moved farthest.
    """
    import matplotlib.pyplot as plt

    rows = frame[frame["low"].notna()].copy()
    half = (rows["high"] - rows["low"]).to_numpy(dtype=float) / 2
    side = rows["better"].map({"higher": 1.0, "lower": -1.0}).to_numpy()
    rows["moved"] = side * rows["difference"].to_numpy(dtype=float) / half
    rows = rows.assign(far=-rows["moved"].abs()).sort_values(["far", "label"]).head(MOST_SHOWN)
    rows = rows.sort_values("moved", ascending=False, kind="stable", ignore_index=True)
    ax = plt.subplots(figsize=(7.2, 0.4 * max(len(rows), 2) + 1.5))[1] if ax is None else ax
    ax.set_title("What moved since the earlier audit")
    if not len(rows):
        ax.annotate("Nothing can be compared yet", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    for y, row in enumerate(rows.itertuples()):
        certain = row.verdict in (BETTER, WORSE)
        colour = "C0" if certain else GREY
        ax.hlines(y, row.moved - 1, row.moved + 1, color=colour, linewidth=1.6)
        ax.plot(row.moved, y, "o", color=colour, markerfacecolor=colour if certain else "white", markersize=7)
        text = f"{_value(row.then, row.unit)} → {_value(row.now, row.unit)}"
        ax.annotate(f"{text}{f'  {row.verdict}' if certain else ''}", (1.02, y), va="center", fontsize=9,
                    xycoords=("axes fraction", "data"), color=INK if certain else GREY)  # fmt: skip
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(rows)), [folded_text(label, width=34) for label in rows["label"]])
    ax.tick_params(axis="y", length=0)
    reach = max(float(rows["moved"].abs().max()) + 1.2, 2.0)
    ax.set(ylim=(len(rows) - 0.5, -0.6), xlim=(-reach, reach))
    ax.set_xlabel("← worse     change, in half widths of its interval     better →")
    return ax


def describe_since(frame: pd.DataFrame) -> str:
    """What `plot_since` shows, for those who cannot see it."""
    return f"Dots with intervals around no change, better to the right. {' '.join(in_words(frame))}"
