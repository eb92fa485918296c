"""Did the shop trade as it usually does: days without orders, and days unlike their weekday."""

from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.style import GREY, INK
from cxkit.tables import order_totals

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def daily_orders(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Counted orders on every day from the first order to `as_of`, zeros included. To: day, orders, revenue."""
    totals = order_totals(orders)
    totals = totals.filter(totals.ordered_on <= ibis.literal(as_of))
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


def gaps(daily: pd.DataFrame, *, expected_by_chance: float = 0.05) -> pd.DataFrame:
    """Runs of days without orders, and whether the shop's own week explains them.

    From: `daily_orders`. To, the unusual first, then the longest: first_day, last_day, days, expected_orders (what the
    same weekdays bring on average over the rest), by_chance (how many such runs the whole period would have by chance),
    unusual (by_chance is below `expected_by_chance`).
    The rule: each weekday has its own share of days without orders, taken over all days outside the run and drawn
    slightly towards a half ((zeros + 0.5) / (days + 1)); were days independent, a run would have the product of its
    days' shares as its chance, and the period has as many starts as days. A shop that is closed on Sundays so has no
    unusual Sundays, and a fortnight of silence in a busy shop is one.
    """
    frame = daily.assign(weekday=daily["day"].dt.weekday, silent=daily["orders"].eq(0))
    run = (frame["silent"] != frame["silent"].shift()).cumsum()
    per_weekday = frame.groupby("weekday").agg(
        days=("silent", "size"), zeros=("silent", "sum"), orders=("orders", "sum")
    )
    rows = []
    for _, days in frame[frame["silent"]].groupby(run):
        inside = days["weekday"].value_counts().reindex(per_weekday.index, fill_value=0)
        rest = per_weekday["days"] - inside
        share = (per_weekday["zeros"] - inside + 0.5) / (rest + 1)
        usual = (per_weekday["orders"] / rest).where(rest > 0, 0.0)
        rows.append(
            {
                "first_day": days["day"].iloc[0],
                "last_day": days["day"].iloc[-1],
                "days": len(days),
                "expected_orders": round(float((usual * inside).sum()), 1),
                "by_chance": float(np.prod(share**inside) * len(frame)),
            }
        )
    found = pd.DataFrame(rows, columns=["first_day", "last_day", "days", "expected_orders", "by_chance"])
    found = found.assign(unusual=found["by_chance"] < expected_by_chance)
    order = ["unusual", "days", "first_day"]
    return found.sort_values(order, ascending=[False, False, True], kind="stable", ignore_index=True)


def odd_days(daily: pd.DataFrame, *, weeks: int = 4, threshold: float = 4.0) -> pd.DataFrame:
    """Days whose orders are far from what the same weekday brings in the surrounding weeks.

    From: `daily_orders`. To, by day: day, orders, usual (the median of the same weekday in the `weeks` weeks before and
    after), times (orders / usual), score, direction (more, fewer).
    The rule: a day's distance is log(1 + orders) less the median of the same for the same weekday around it. The score
    is the distance by the spread of all distances (1.4826 x their median absolute deviation), or by what counting alone
    would spread (1 / sqrt(1 + usual)) where that is more. Odd is a score of `threshold` or more; with 4, one day in
    16,000 would be odd by chance were the distances normal.
    What is left out: days without orders (see `gaps`), and days with fewer than three neighbours.
    Source: the modified z-score of Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers, here around a local
    median.
    """
    if weeks < 2:
        raise UsageError(f"weeks must be at least 2, for a median to mean anything; found {weeks}.")
    size = np.log1p(daily["orders"].to_numpy(dtype=float))
    shifts = [s for s in range(-weeks, weeks + 1) if s]
    around = np.full((len(size), len(shifts)), np.nan)
    for column, shift in enumerate(shifts):
        near = np.arange(len(size)) + 7 * shift
        valid = (near >= 0) & (near < len(size))
        around[valid, column] = size[near[valid]]
    enough = np.isfinite(around).sum(axis=1) >= 3
    middle = np.full(len(size), np.nan)
    middle[enough] = np.nanmedian(around[enough], axis=1)
    distance = size - middle
    spread = 1.4826 * np.median(np.abs(distance[enough])) if enough.any() else np.nan
    usual = np.expm1(middle)
    score = distance / np.fmax(spread, 1 / np.sqrt(1 + usual))
    orders = daily["orders"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(usual > 0, orders / usual, np.nan)
    found = daily[["day", "orders"]].assign(
        usual=np.round(usual, 1), times=times, score=score, direction=np.where(score > 0, "more", "fewer")
    )
    return found[enough & (np.abs(score) >= threshold) & (orders > 0)].reset_index(drop=True)


def plot_daily(daily: pd.DataFrame, odd: pd.DataFrame, gaps: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Orders a day as a line, odd days as marked points, unusual runs of days without orders as grey bands."""
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
    import matplotlib.dates as dates

    locator = dates.AutoDateLocator(minticks=4, maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.DateFormatter("%Y-%m-%d" if len(daily) < 120 else "%Y-%m"))
    ax.set(xlabel="Day", ylabel="Orders", title="Orders by day")
    return ax
