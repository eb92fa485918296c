"""What each rung of the ladder would have predicted for weeks held back, and what came."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import cluster_error, mean, normal, unknown
from cxkit.privacy import withhold_small
from cxkit.purchase_history import (
    ALL,
    WEEK,
    days_after,
    first_purchase,
    of_category,
    purchases_between,
    weekly_purchases,
)
from cxkit.style import GREY, INK, colours_for, format_value
from cxkit.value_ladder import LAST_YEAR, RUNGS, SUBSCRIPTION, forecasts

if TYPE_CHECKING:
    import ibis
    from matplotlib.axes import Axes

ACTUAL = "actual"
MEASURES = ("purchases", "revenue")
LEAST_CALIBRATION = 8  # weeks
WIDEST = 4.0  # from end to end of an error's interval (1 is 100 %); beyond, it tells nothing
LEAST_BUYERS = 20  # customers who bought in the weeks held back; fewer say little of an error
CLASSES = {"0": 0, "1": 1, "2": 2, "3": 3, "4–6": 4, "7+": 7}  # purchases after the first: label, lowest
ORDER = (*RUNGS, LAST_YEAR)
TOTALS = ("rung", "label", "measure", "predicted", "actual", "value", "low", "high", "n", "level", "method")
BY_WEEK = ("week", "rung", "label", "purchases", "revenue")
BY_CLASS = ("class", "rung", "label", "measure", "customers", "predicted", "actual", "low", "high", "n", "level")
BY_CLASS += ("method",)


@dataclass(frozen=True)
class Split:
    """Where a history is cut in two: `calibrated_to` is the last day that the rungs see, the `holdout_weeks` after it
    are held back. why: why it cannot be cut, in words; empty where it can."""

    calibrated_to: date
    calibration_weeks: float
    holdout_weeks: int
    why: str


def split(orders: "ibis.Table", *, as_of: date, holdout_weeks: int) -> Split:
    """Whether the history is long enough to hold its last weeks back.

    From: orders (lines). The weeks before must be at least as many as those held back, and at least 8: from less no
    rung could have learnt what it is then asked.
    Raises UsageError where `holdout_weeks` is below 1.
    """
    if holdout_weeks < 1:
        raise UsageError(
            f"holdout_weeks must be at least 1; found {holdout_weeks}. Customary: 26, or half the history."
        )
    cut = as_of - timedelta(weeks=holdout_weeks)
    begins = first_purchase(orders, as_of=as_of)
    if begins is None:
        return Split(cut, 0.0, holdout_weeks, f"nobody has bought by {as_of}")
    all_weeks, before = (((day - begins).days + 1) / WEEK for day in (as_of, cut))
    needed = max(holdout_weeks, LEAST_CALIBRATION)
    if before >= needed:
        return Split(cut, before, holdout_weeks, "")
    why = (
        f"the history of {all_weeks:.0f} weeks is too short to split: {holdout_weeks} weeks held back need at least"
        f" {needed} before them"
    )
    longest = int(min(all_weeks / 2, all_weeks - LEAST_CALIBRATION))
    why += f"; at most {longest} could be held back now (set holdout_weeks)" if longest >= 4 else ""
    return Split(cut, max(before, 0.0), holdout_weeks, why)


def split_in_words(cut: Split) -> str:
    """What is held back, or why nothing is and what is shown instead."""
    if cut.why:
        return (
            f"No held-out test: {cut.why}. The ladder is shown without it: its figures rest on what they assume, and no"
            " rung is recommended."
        )
    return (
        f"Each rung saw the {cut.calibration_weeks:.0f} weeks up to {cut.calibrated_to}, and was asked for the"
        f" {cut.holdout_weeks} weeks after it."
    )


def held_out(
    orders: "ibis.Table",
    *,
    as_of: date,
    holdout_weeks: int,
    every_days: int = 0,
    category: str = ALL,
    level: float = 0.95,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What each rung, seeing only what lies before the last weeks, would have predicted for them, and what came.

    From: orders (lines); `every_days`, `category`: as `value_ladder.forecasts`. Customers known before the weeks held
    back are counted, and only they. To, three frames, all empty where the history is too short (`split` says why):
    (1) a row a rung and measure (purchases, revenue): rung, label, measure, predicted, actual, value (the error:
    predicted / actual - 1), low, high, n (customers), level, method. A rung that could not be had has no number, and
    its method says why. The interval is of a ratio of sums over customers, the prediction taken as given; unknown where
    fewer than 20 customers bought. A season common to all customers is not in it: one period is one season.
    (2) a row a week and rung, "actual" among them: week (0 …), rung, label, purchases, revenue.
    (3) a row a class, rung and measure: class (purchases after the first one before the weeks held back: 0, 1, 2, 3,
    4–6, 7+), rung, label, measure, customers, predicted and actual (means a customer), low and high (of actual,
    Student's t), n, level, method. Small classes are withheld.
    The subscription's rung is held against the purchases of subscribers in the subscription's category.
    Source: the held-out test of Fader, Hardie & Lee (2005), section 4; the interval: Cochran (1977), ch. 6.
    Raises UsageError as `split` and `value_ladder.forecasts`.
    """
    cut = split(orders, as_of=as_of, holdout_weeks=holdout_weeks)
    if cut.why:
        return tuple(pd.DataFrame(columns=list(names)) for names in (TOTALS, BY_WEEK, BY_CLASS))
    known_by, (first, last) = cut.calibrated_to, days_after(cut.calibrated_to, holdout_weeks)
    by_rung, weekly, rungs = forecasts(
        orders, as_of=known_by, weeks=holdout_weeks, every_days=every_days, category=category
    )
    window = {"first": first, "last": last, "known_by": known_by}
    actual = purchases_between(orders, **window)
    totals, classes = [], []
    for rung, label, method in zip(rungs["rung"], rungs["label"], rungs["method"], strict=True):
        came = purchases_between(of_category(orders, category), **window) if rung == SUBSCRIPTION else actual
        if rung not in by_rung:
            totals += [_no_error((rung, label), measure, came, level, method) for measure in MEASURES]
            continue
        # both are ordered by customer_id and hold the same customers
        totals += [_error((rung, label), measure, by_rung[rung], came, level) for measure in MEASURES]
        classes += [_classes((rung, label), measure, by_rung[rung], came, level) for measure in MEASURES]
    happened = weekly_purchases(orders, **window).assign(rung=ACTUAL, label="What came")
    by_week = pd.concat([happened, weekly], ignore_index=True)[list(BY_WEEK)]
    by_class = pd.concat(classes, ignore_index=True) if classes else pd.DataFrame(columns=list(BY_CLASS))
    return pd.DataFrame(totals, columns=list(TOTALS)), by_week, by_class


def _no_error(rung: tuple[str, str], measure: str, came: pd.DataFrame, level: float, why: str) -> dict:
    actual = float(came[measure].sum())
    return _row(rung, measure, np.nan, actual, unknown("share", n=len(came), level=level, method=why))


def _error(rung: tuple[str, str], measure: str, expected: pd.DataFrame, came: pd.DataFrame, level: float) -> dict:
    predicted, actual = (frame[measure].to_numpy(dtype=float) for frame in (expected, came))
    n, total = len(actual), float(actual.sum())
    buyers = int((came["purchases"] > 0).sum())
    if buyers < LEAST_BUYERS:
        why = f"fewer than {LEAST_BUYERS} customers bought in the weeks held back ({buyers})"
        estimate = unknown("share", n=n, level=level, method=why if buyers else "nobody bought in the weeks held back")
    elif not total > 0:
        estimate = unknown("share", n=n, level=level, method="more was given back than was kept")
    else:
        ratio = float(predicted.sum()) / total
        sums = ((predicted**2).sum(), (predicted * actual).sum(), (actual**2).sum())
        error = float(cluster_error(*sums, total, ratio, n))
        estimate = normal(
            ratio - 1, error, n, unit="share", level=level, method="ratio of sums, linearised by customer"
        )
        if not estimate.high - estimate.low < WIDEST:  # where nearly all is given back, the ratio is of next to nothing
            why = "what was kept is so little beside what customers paid and got back that no error can be told"
            estimate = unknown("share", n=n, level=level, method=why)
    return _row(rung, measure, float(predicted.sum()), total, estimate)


def _row(rung: tuple[str, str], measure: str, predicted: float, actual: float, estimate) -> dict:
    ends = {name: getattr(estimate, name) for name in ("value", "low", "high", "n", "level", "method")}
    row = {"rung": rung[0], "label": rung[1], "measure": measure}
    return row | {"predicted": round(predicted, 4), "actual": round(actual, 4)} | ends


def _classes(
    rung: tuple[str, str], measure: str, expected: pd.DataFrame, came: pd.DataFrame, level: float
) -> pd.DataFrame:
    place = np.searchsorted(list(CLASSES.values()), expected["x"].to_numpy(), side="right") - 1
    predicted, actual = (frame[measure].to_numpy(dtype=float) for frame in (expected, came))
    rows = []
    for number, name in enumerate(CLASSES):
        inside = place == number
        n = int(inside.sum())
        if not n:
            continue
        estimate = mean(actual[inside], unit="money" if measure == "revenue" else "count", level=level)
        row = {"class": name, "rung": rung[0], "label": rung[1], "measure": measure, "customers": n}
        row |= {"predicted": float(predicted[inside].mean()), "actual": float(actual[inside].mean())}
        rows.append(row | {field: getattr(estimate, field) for field in ("low", "high", "n", "level", "method")})
    return withhold_small(pd.DataFrame(rows, columns=list(BY_CLASS)), count="customers")


def class_errors(by_class: pd.DataFrame) -> pd.DataFrame:
    """How far each rung was from what came, class by class: sum |predicted - actual| over classes / actual total.

    From: `held_out`, its third frame. To: rung, purchases, revenue (shares; a description, without an interval), the
    classes withheld left out.
    """
    shown = by_class[by_class["customers"].notna()]
    rows = []
    for rung in [rung for rung in ORDER if rung in set(shown["rung"])]:
        row = {"rung": rung}
        for measure in MEASURES:
            part = shown[(shown["rung"] == rung) & (shown["measure"] == measure)]
            people, actual = part["customers"].to_numpy(dtype=float), part["actual"].to_numpy(dtype=float)
            off = np.abs(part["predicted"].to_numpy(dtype=float) - actual) @ people
            row[measure] = off / (actual @ people) if actual @ people > 0 else np.nan
        rows.append(row)
    return pd.DataFrame(rows, columns=["rung", *MEASURES])


def plot_weekly(by_week: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Purchases in each week held back: what came, and each rung's line, labelled at its end."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 4.0))[1] if ax is None else ax
    colours = colours_for(ORDER) | {LAST_YEAR: GREY, ACTUAL: INK}
    lines = {rung: rows.sort_values("week") for rung, rows in by_week.groupby("rung", sort=False)}
    for rung, rows in lines.items():
        ax.plot(rows["week"] + 1, rows["purchases"], color=colours[rung], linewidth=2.4 if rung == ACTUAL else 1.6)
    ax.set(xlabel="Week held back", ylabel="Purchases a week", title="What came, and what each rung expected")
    ax.set_ylim(bottom=0)
    ax.xaxis.get_major_locator().set_params(integer=True)
    if not lines:
        return ax
    ends = pd.Series({rung: float(rows["purchases"].iloc[-1]) for rung, rows in lines.items()}).sort_values()
    # labels a line of text apart, in the order of the lines' ends
    step = 0.065 * ax.get_ylim()[1]
    heights = np.maximum.accumulate(ends.to_numpy() - step * np.arange(len(ends))) + step * np.arange(len(ends))
    heights -= max((heights - ends.to_numpy()).mean(), 0)
    last = max(rows["week"].max() + 1 for rows in lines.values())
    for rung, height in zip(ends.index, heights, strict=True):
        ax.annotate(
            lines[rung]["label"].iloc[0], (last, ends[rung]), (last * 1.03, height),
            textcoords="data", va="center", color=colours[rung], fontsize=9, annotation_clip=False,
        )  # fmt: skip
    ax.set_xlim(1, last * 1.38)
    ax.set_xticks([tick for tick in ax.get_xticks() if 1 <= tick <= last])
    return ax


def describe_weekly(by_week: pd.DataFrame) -> str:
    """What `plot_weekly` shows, for those who cannot see it."""
    sums = by_week.groupby("rung", sort=False)["purchases"].sum()
    if ACTUAL not in sums:
        return "No weeks were held back."
    labels = by_week.drop_duplicates("rung").set_index("rung")["label"]
    parts = [f"{labels[rung]} {format_value(round(sums[rung]), 'count')}" for rung in sums.index if rung != ACTUAL]
    weeks = by_week["week"].max() + 1
    came = format_value(round(sums[ACTUAL]), "count")
    return f"Lines of purchases over {weeks} weeks held back: {came} came; expected were: {', '.join(parts) or 'none'}."


def plot_classes(by_class: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Purchases a customer by how often he had returned before: what came with its interval, and each rung's mean."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 4.0))[1] if ax is None else ax
    shown = by_class[(by_class["measure"] == "purchases") & (by_class["rung"] != SUBSCRIPTION)]
    names = [name for name in CLASSES if name in set(shown["class"])]
    colours, rungs = colours_for(ORDER) | {LAST_YEAR: GREY}, [rung for rung in ORDER if rung in set(shown["rung"])]
    for number, rung in enumerate(rungs):
        rows = shown[shown["rung"] == rung].set_index("class").reindex(names)
        place = np.arange(len(names)) + 0.13 * (number - (len(rungs) - 1) / 2)
        if not number:
            came = (np.arange(len(names)), rows["actual"])
            ax.vlines(came[0], rows["low"], rows["high"], color=INK, linewidth=1.4, zorder=3)
            ax.hlines(came[1], came[0] - 0.3, came[0] + 0.3, color=INK, linewidth=2, label="What came", zorder=3)
        ax.plot(place, rows["predicted"], "o", color=colours[rung], markersize=6, label=rows["label"].dropna().iloc[0])
    counts = shown.drop_duplicates("class").set_index("class")["customers"].reindex(names)
    people = [f"{n:,.0f}" if n == n else "under 5" for n in counts]
    ax.set_xticks(range(len(names)), [f"{name}\n({n})" for name, n in zip(names, people, strict=True)])
    ax.set_ylim(bottom=min(0.0, float(shown["predicted"].min())) if shown["predicted"].notna().any() else 0.0)
    ax.set(xlabel="Purchases after the first, before the weeks held back (customers)", ylabel="Purchases a customer",
           title="Does a rung tell frequent customers from rare ones?")  # fmt: skip
    if len(rungs):
        ax.legend(loc="upper left")
    return ax


def describe_classes(by_class: pd.DataFrame) -> str:
    """What `plot_classes` shows, for those who cannot see it."""
    off = class_errors(by_class[by_class["rung"] != SUBSCRIPTION]) if len(by_class) else pd.DataFrame()
    if off.empty:
        return "No classes of customers could be held against weeks held back."
    labels = by_class.drop_duplicates("rung").set_index("rung")["label"]
    parts = [f"{labels[row.rung]} {format_value(row.purchases, 'share')}" for row in off.itertuples()]
    return (
        "Marks of purchases a customer in the weeks held back, by how often he had returned before. Errors over the"
        f" classes, as a share of what came: {', '.join(parts)}."
    )
