"""How long until the second order, where many have not placed it yet: they are censored, not left out."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, clean_text, colours_for, format_ends, format_value, plain_text
from cxkit.survival import kaplan_meier, survival_quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUARTERS = {0.25: "a quarter", 0.5: "half", 0.75: "three quarters"}
FEW = 30  # customers still at risk; beyond, the curve is not drawn: single ones move it
MOST = 6  # groups that a reader can tell apart in one picture
CURVE = ("days", "at_risk", "ordered_again", "out_of_sight", "value", "low", "high", "n", "level", "method")


def second_order_curve(seconds: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The share of customers who have ordered again, by days since the first order.

    From: `loyalty.second_orders` (observed_days, gap_days, customers). To, one row a day on which somebody ordered
    again or went out of sight, in order: days, at_risk (customers of whom it was not known before that day),
    ordered_again, out_of_sight (observed no longer, without a second order), value (share who have ordered again by
    that day), low, high, n (customers), level, method.
    The ends are pointwise, from Greenwood's variance on the scale of log(-log); NaN before the first second order.
    What it rests on: that the customers of last month will come back as those of a year ago did.
    Source: as `survival.kaplan_meier`.
    """
    durations, observed, weights = _spans(seconds)
    curve = kaplan_meier(durations, observed, weights=weights, level=level)
    names = {"time": "days", "events": "ordered_again", "censored": "out_of_sight"}
    frame = curve.rename(columns=names).assign(
        value=1 - curve["survival"], low=1 - curve["high"], high=1 - curve["low"], n=int(weights.sum()), level=level,
        method="Kaplan-Meier, Greenwood",
    )  # fmt: skip
    whole = ["days", "at_risk", "ordered_again", "out_of_sight"]
    return frame.astype(dict.fromkeys(whole, "int64"))[list(CURVE)]


def _spans(seconds: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days until the second order or until sight ends, whether it came, and how many customers."""
    came = seconds["gap_days"].notna().to_numpy(dtype=bool)
    days = seconds["gap_days"].fillna(seconds["observed_days"]).to_numpy(dtype=float)
    return days, came, seconds["customers"].to_numpy(dtype="int64")


def second_order_times(seconds: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """After how many days a quarter, half and three quarters of all customers have ordered again.

    From: `loyalty.second_orders`. To: of_customers (a quarter, half, three quarters), value (days), low, high, n,
    level, method, reading (empty, or "too early to say" where the curve never gets there, or where it cannot be seen
    how long it takes at most). Source: as `survival.survival_quantiles`.
    """
    durations, observed, weights = _spans(seconds)
    found = survival_quantiles(durations, observed, weights=weights, q=list(QUARTERS), level=level)
    fields = ("value", "low", "high", "n", "level", "method")
    rows = [
        {"of_customers": name}
        | {field: getattr(time, field) for field in fields}
        | {"reading": "" if time.known else "too early to say"}
        for name, time in zip(QUARTERS.values(), found, strict=True)
    ]
    return pd.DataFrame(rows)


def times_in_words(times: pd.DataFrame) -> list[str]:
    """When a quarter, half and three quarters have ordered again, in words. From: `second_order_times`."""
    told = []
    for row in times.itertuples():
        if not np.isfinite(row.value):
            told.append(f"When {row.of_customers} of customers have ordered again: too early to say ({row.method}).")
            continue
        ends = (
            format_ends(row.low, row.high, "days")
            if np.isfinite(row.high)
            else f"at least {format_value(row.low, 'days')}, at most cannot be seen yet"
        )
        days = format_value(row.value, "days")
        told.append(f"After {days} {row.of_customers} of customers have ordered again ({ends}, n = {row.n:,}).")
    return told


def plot_second_order(curve: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`second_order_curve` as steps with its band, and below the axis how many were still to be seen.

    The curve ends where fewer than 30 customers are still at risk: beyond, single ones would move it.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.9))[1] if ax is None else ax
    shown = curve[curve["at_risk"] >= FEW]
    _steps(ax, shown, "C0")
    if len(shown):
        last = shown.iloc[-1]
        ax.annotate(
            format_value(last["value"], "share"), (last["days"], last["value"]), (6, 0), textcoords="offset points",
            va="center", color="C0",
        )  # fmt: skip
    _axes(ax, shown["days"].max() if len(shown) else np.nan)
    ticks = ax.get_xticks()
    counts = [int(curve.loc[curve["days"] >= tick, "at_risk"].max()) for tick in ticks if curve["days"].ge(tick).any()]
    for tick, count in zip(ticks, counts, strict=False):  # ticks beyond the last day have no count
        ax.annotate(
            f"{count:,}", (tick, 0), (0, -26), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", va="top", color=GREY, fontsize=9,
        )  # fmt: skip
    ax.set_xlabel("Days since the first order (below: customers still to be seen)", labelpad=20)
    ax.set_title("Customers who have ordered again")
    return ax


def describe_second_order(curve: pd.DataFrame) -> str:
    """What `plot_second_order` shows: the share who have ordered again at some days."""
    shown = curve[curve["at_risk"] >= FEW]
    if shown.empty or not shown["ordered_again"].any():
        return "No curve: too few customers can be followed, or none has ordered again yet."
    parts = []
    for day in (30, 90, 180, 365):
        before = shown[shown["days"] <= day]
        if len(before) and day <= shown["days"].max():
            parts.append(f"{format_value(before['value'].iloc[-1], 'share')} by day {day}")
    last = shown.iloc[-1]
    parts.append(f"{format_value(last['value'], 'share')} by day {last['days']:.0f}, the last that can be seen")
    return f"Rising steps with their band of the share of customers who have ordered again: {', '.join(parts)}."


def second_order_by(seconds: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """`second_order_curve` of each group: group, then its columns; the largest group first.

    From: `retention.second_orders_by` (group, observed_days, gap_days, customers). What is left out: groups of under
    five customers.
    """
    sizes = seconds.groupby("group")["customers"].sum()
    sizes = sizes[sizes >= LEAST_SHOWN].sort_index().sort_values(ascending=False, kind="stable")
    parts = [
        second_order_curve(seconds[seconds["group"] == name], level=level).assign(group=name) for name in sizes.index
    ]
    if not parts:
        return pd.DataFrame(columns=["group", *CURVE])
    return pd.concat(parts, ignore_index=True)[["group", *CURVE]]


def plot_second_order_by(curves: pd.DataFrame, *, title: str, ax: "Axes | None" = None) -> "Axes":
    """`second_order_by` as steps, at most six groups (the largest), named at their ends by falling share.

    A curve ends where fewer than 30 of its customers are still at risk; the shares beside the names are those of the
    last day that all of them reach, a dotted line. The bands are left out, since they would lie
    over each other: the table of repeat rates has the intervals.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.9))[1] if ax is None else ax
    shown = curves[curves["at_risk"] >= FEW]
    groups = list(dict.fromkeys(shown["group"]))
    left = len(groups[MOST:])
    colours, ends, common = colours_for(groups[:MOST]), [], _common_day(shown, groups[:MOST])
    for name, colour in colours.items():
        rows = shown[shown["group"] == name]
        ax.step([0, *rows["days"]], [0, *rows["value"]], where="post", color=colour)
        ends.append([_by_day(rows, common), rows["days"].iloc[-1], name, colour])
    _axes(ax, shown["days"].max() if len(shown) else np.nan)
    if ends:
        ax.axvline(common, color=GREY, linewidth=1, linestyle=":")
    ends.sort(key=lambda end: (end[0], end[2]))
    right = max((end[1] for end in ends), default=0)
    places = _spread([end[0] for end in ends], gap=0.06 * ax.get_ylim()[1], top=0.97 * ax.get_ylim()[1])
    for place, (value, _, name, colour) in zip(places, ends, strict=True):
        text = f"{format_value(value, 'share')} {plain_text(name, width=22)}"
        ax.plot(1.03 * right, place, "o", color=colour, markersize=6)
        ax.annotate(text, (1.03 * right, place), (7, 0), textcoords="offset points", va="center", fontsize=9)
    if right > 0:
        ax.set_xlim(0, right * 1.38)
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= right])
    named = f" (shares: by day {common:,.0f})" if ends else ""
    ax.set_xlabel(f"Days since the first order{named}" + (f"\n({left} smaller groups are not drawn)" if left else ""))
    ax.set_title(title)
    return ax


def describe_second_order_by(curves: pd.DataFrame) -> str:
    """What `plot_second_order_by` shows: each group's share by the last day that all of them reach."""
    shown = curves[curves["at_risk"] >= FEW]
    groups = list(dict.fromkeys(shown["group"]))[:MOST]
    if not groups:
        return "No curves: no group has enough customers who can be followed."
    common = _common_day(shown, groups)
    ends = sorted((-_by_day(shown[shown["group"] == name], common), name) for name in groups)
    parts = [f"{clean_text(name)} {format_value(-value, 'share')}" for value, name in ends]
    return f"Rising steps of the share who have ordered again, by group; by day {common:,.0f}: {', '.join(parts)}."


def _common_day(shown: pd.DataFrame, groups: list[str]) -> float:
    """The last day that the curves of all these groups reach."""
    return shown[shown["group"].isin(groups)].groupby("group")["days"].max().min()


def _by_day(rows: pd.DataFrame, day: float) -> float:
    """The share who have ordered again by that day."""
    before = rows.loc[rows["days"] <= day, "value"]
    return float(before.iloc[-1]) if len(before) else 0.0


def _steps(ax: "Axes", rows: pd.DataFrame, colour: str) -> None:
    days, ends = [0, *rows["days"]], rows[["low", "high"]].to_numpy(dtype=float)
    ends = np.vstack([[0.0, 0.0], np.where(np.isfinite(ends), ends, rows[["value"]].to_numpy(dtype=float))])
    ax.fill_between(days, ends[:, 0], ends[:, 1], step="post", color=colour, alpha=0.2, linewidth=0)
    ax.step(days, [0, *rows["value"]], where="post", color=colour)


def _axes(ax: "Axes", last: float) -> None:
    if not np.isfinite(last):
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY, transform=ax.transAxes)
    ax.margins(x=0.08, y=0.1)
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    step = next((s for s in (7, 30, 90, 180, 365) if not last > 8 * s), 730)
    ax.set_xticks(np.arange(0, (last if np.isfinite(last) else step) + 1, step))
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set_ylabel("Share of customers", color=INK)


def _spread(places: list[float], *, gap: float, top: float) -> list[float]:
    """Rising places moved so far that each lies at least `gap` above the one before and none above `top`."""
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    for i in reversed(range(len(places))):
        places[i] = min(places[i], top if i == len(places) - 1 else places[i + 1] - gap)
    return places
