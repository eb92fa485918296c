"""Did the shop trade as it usually does: days without orders, and days unlike their weekday."""

from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.style import GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HABIT = 0.1  # a weekday without orders this often is so by habit
NEAR_WEEKS = 8
LEAST_TIMES = 1.5  # so many times the usual, or the usual so many times as much


def daily_orders(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Counted orders on every day from the first order to `as_of`, zeros included. To: day, orders, revenue."""
    totals = placed_orders(orders, as_of=as_of)
    by_day = totals.group_by(day="ordered_on").aggregate(
        orders=totals.count(), revenue=totals.revenue.sum().round(PLACES)
    )
    frame = collect(by_day, order_by="day")
    frame["day"] = pd.to_datetime(frame["day"])
    if frame.empty:
        return frame
    days = pd.date_range(frame["day"].iloc[0], pd.Timestamp(as_of), freq="D")
    frame = frame.set_index("day").reindex(days, fill_value=0).rename_axis("day").reset_index()
    return frame.astype({"orders": "int64", "revenue": "float64"})


def gaps(daily: pd.DataFrame, *, expected_by_chance: float = 0.01) -> pd.DataFrame:
    """Runs of days without orders, and whether the shop's own week explains them.

    From: `daily_orders`. To, the unusual first, then the longest: first_day, last_day, days, expected_orders (what the
    same weekdays bring on average around it), by_chance (how many such runs the whole period would have by chance),
    unusual (by_chance is below `expected_by_chance`).
    The rule, each silent day judged by the same weekday in the eight weeks on either side, the run itself left out: a
    weekday that is without orders at least one time in ten there is so by habit, with that share as the chance of a
    silent day; any other is silent with the chance that a Poisson count with their median has of being nought. Were
    days independent, a run would have the product of its days' chances, and the period has as many starts as days. So
    closed Sundays are the shop's week, a day of silence in a busy shop is not, a shop with an order every other day has
    no unusual silence of a few days, and a shop that grew is judged by its size then.
    """
    day, counts = daily["day"], daily["orders"].to_numpy()
    silent = counts == 0
    starts = np.flatnonzero(silent & ~np.append(False, silent[:-1]))
    ends = np.flatnonzero(silent & ~np.append(silent[1:], False))
    rows = []
    for start, end in zip(starts, ends, strict=True):
        chance, usual = 1.0, 0.0
        for each in range(start, end + 1):
            before, after = np.arange(each, -1, -7), np.arange(each, len(counts), 7)
            others = counts[np.concatenate([before[before < start][:NEAR_WEEKS], after[after > end][:NEAR_WEEKS]])]
            habit = np.mean(others == 0) if len(others) else 1.0
            chance *= habit if habit >= HABIT else np.exp(-np.median(others))
            usual += np.mean(others) if len(others) else 0.0
        rows.append(
            {
                "first_day": day.iloc[start],
                "last_day": day.iloc[end],
                "days": int(end - start + 1),
                "expected_orders": round(float(usual), 1),
                "by_chance": float(chance * len(counts)),
            }
        )
    found = pd.DataFrame(rows, columns=["first_day", "last_day", "days", "expected_orders", "by_chance"])
    found = found.assign(unusual=found["by_chance"] < expected_by_chance)
    order = ["unusual", "days", "first_day"]
    return found.sort_values(order, ascending=[False, False, True], kind="stable", ignore_index=True)


def odd_days(daily: pd.DataFrame, *, weeks: int = 4, threshold: float = 4.5) -> pd.DataFrame:
    """Days whose orders are far from what the same weekday brings in the surrounding weeks.

    From: `daily_orders`. To, by day: day, orders, usual (the median of the same weekday in the `weeks` weeks before and
    after, days without orders left out), times (orders / usual), score, direction (more, fewer).
    The rule: a day must be unlike the shop's other days, and more so than counting explains. Its distance is
    log(1 + orders) less the median of the same for the same weekday around it. The swing of the shop's days is the
    variance of all distances (1.4826 x their median absolute deviation, squared) less what Poisson counts alone would
    give, 1 / (usual + 1/2), and not below nought. One score is the distance in units of the swing; the other is how far
    out the number would lie were orders a negative binomial count with the usual as its mean and the swing as its
    dispersion, in standard deviations of a normal. Both know that the usual is itself a median of few days (its
    variance is pi / 2n of one day's). The score is the nearer to nought of the two. Odd is one of `threshold` or
    more (with 4.5, one day in 150,000 were the distances normal) with half as many orders again as usual, or a third
    fewer: in a shop of thousands a day a small excess is certain, and no reason to ask.
    What is left out: days without orders (see `gaps`), and days with fewer than three neighbours that had orders.
    Source: the modified z-score of Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers, here around a local
    median.
    """
    from scipy.special import betainc, ndtri

    if weeks < 2:
        raise UsageError(f"weeks must be at least 2, for a median to mean anything; found {weeks}.")
    size = np.log1p(daily["orders"].to_numpy(dtype=float))
    shifts = [s for s in range(-weeks, weeks + 1) if s]
    around = np.full((len(size), len(shifts)), np.nan)
    for column, shift in enumerate(shifts):
        near = np.arange(len(size)) + 7 * shift
        valid = (near >= 0) & (near < len(size))
        around[valid, column] = size[near[valid]]
    around[around == 0] = np.nan  # a silent neighbour is a gap's matter, and would make its weekday look small
    enough = np.isfinite(around).sum(axis=1) >= 3
    middle = np.full(len(size), np.nan)
    middle[enough] = np.nanmedian(around[enough], axis=1)
    distance = size - middle
    usual = np.expm1(middle)
    orders = daily["orders"].to_numpy()
    counting = 1 / (usual + 0.5)
    unsure = np.pi / 2 / np.maximum(np.isfinite(around).sum(axis=1), 1)
    spread = 1.4826 * np.median(np.abs(distance[enough])) if enough.any() else np.nan
    swing = max(np.median((spread**2 / (1 + unsure) - counting)[enough]), 0.0) if enough.any() else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = 1 / (swing * (1 + unsure) + unsure * counting)  # of the negative binomial
        more, part = distance > 0, usual / (usual + shape)
        tail = np.where(more, betainc(np.maximum(orders, 1), shape, part), betainc(shape, orders + 1, 1 - part))
        by_swing = np.abs(distance) / np.sqrt(swing * (1 + unsure))
        score = np.sign(distance) * np.fmin(by_swing, np.fmax(-ndtri(tail), 0))
        times = np.where(usual > 0, orders / usual, np.nan)
    found = daily[["day", "orders"]].assign(
        usual=np.round(usual, 1), times=times, score=score, direction=np.where(more, "more", "fewer")
    )
    far = np.fmax(times, 1 / np.where(times > 0, times, np.nan)) >= LEAST_TIMES
    return found[enough & far & (np.abs(score) >= threshold) & (orders > 0)].reset_index(drop=True)


def describe_daily(daily: pd.DataFrame, odd: pd.DataFrame, gaps: pd.DataFrame) -> str:
    """What `plot_daily` shows, in one sentence."""
    silent = int(gaps["unusual"].sum()) if len(gaps) else 0
    more = int((odd["direction"] == "more").sum())
    return (
        f"Of {len(daily):,} days, {more:,} have many more orders than their weekday usually brings, "
        f"{len(odd) - more:,} many fewer, and {silent:,} runs of days without orders are "
        "not explained by the shop's own week."
    )


def plot_daily(daily: pd.DataFrame, odd: pd.DataFrame, gaps: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Orders a day as a line, odd days as marked points, unusual runs of days without orders as grey bands."""
    import matplotlib.dates as dates
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.2))[1] if ax is None else ax
    day = pd.Timedelta(days=1)
    silent = gaps[gaps["unusual"]]
    for number, row in enumerate(silent.itertuples()):
        name = "Days without orders that the shop's week does not explain" if number == 0 else None
        ax.axvspan(row.first_day - day / 2, row.last_day + day / 2, color=GREY, alpha=0.35, linewidth=0, label=name)
    ax.plot(daily["day"], daily["orders"], color="C0", linewidth=0.9)
    if len(odd):
        ax.plot(odd["day"], odd["orders"], "o", markerfacecolor="none", markeredgecolor=INK, label="Odd days")
    if len(odd) or len(silent):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.6 / ax.figure.get_figheight()), ncols=2)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(lambda number, _: f"{number:,.0f}")
    ax.xaxis.set_major_locator(dates.AutoDateLocator(minticks=4, maxticks=8))
    ax.xaxis.set_major_formatter(dates.DateFormatter("%Y-%m-%d" if len(daily) < 120 else "%Y-%m"))
    ax.set(xlabel="Day", ylabel="Orders", title="Orders by day")
    return ax
