"""Does something happen more often month by month, beside how many orders there are?"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import collect
from cxkit.estimates import Estimate, holm_levels, unknown
from cxkit.group_table import legend_below, nothing_to_show
from cxkit.style import GREY, clean_text, format_ends, format_value
from cxkit.tables import order_totals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_MONTHS, LEAST_COUNT = 6, 30  # fewer whole months, or fewer counted in them, tell no trend
GROWS, FALLS, ALIKE, EARLY = "grows", "falls", "not told apart from no change", "too early to say"
PER = 100  # orders
TREND = "log-linear Poisson by month, overdispersed, Student's t"
FAMILY = "; adjusted for the family (Holm)"
RATE = "Poisson, overdispersed (customers)"
SILENCE, WEEK = 7.0, 7  # times the mean gap: a silence so long is chance once in a thousand times; days, for holidays
NEEDED = ("order_id", "customer_id", "ordered_on", "ordered_at", "amount", "refund", "status")


def daily_orders(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Counted orders by local day up to `as_of`: day, orders."""
    totals = order_totals(orders.select([c for c in NEEDED if c in orders.columns]))
    totals = totals.filter(totals.ordered_on <= ibis.literal(as_of))
    days = collect(totals.group_by(day="ordered_on").aggregate(orders=totals.count()), order_by="day")
    return days.assign(day=pd.to_datetime(days["day"]), orders=days["orders"].astype("int64"))


def month_counts(
    events: ibis.Table, *, day: str, as_of: date, by: str | None = None, name: str = "all"
) -> pd.DataFrame:
    """How many rows a local month has, and how they bunch by customer.

    From: events with the date `day`, the column `by` (else all are of one `name`), customer_id (missing or null: each
    row is somebody else's). To, ordered: name, month, count, squares (the sum over customers of their counts squared),
    customers, first, last (the first and last day of it).
    """
    kept = events.filter(events[day].notnull(), events[day] <= ibis.literal(as_of))
    nameless = ibis.literal("row ") + ibis.row_number().cast("string")
    who = kept.customer_id.fill_null(nameless) if "customer_id" in kept.columns else nameless
    rows = kept.select(
        name=kept[by] if by else ibis.literal(name), month=kept[day].truncate("M").cast("date"), day=kept[day], who=who
    )
    cells = rows.group_by("name", "month", "who").aggregate(
        count=rows.count(), first=rows.day.min(), last=rows.day.max()
    )
    table = cells.group_by("name", "month").aggregate(
        count=cells["count"].sum(),
        squares=(cells["count"] * cells["count"]).sum(),
        customers=cells.count(),
        first=cells["first"].min(),
        last=cells["last"].max(),
    )
    frame = collect(table, order_by=["name", "month"])
    times = {name: pd.to_datetime(frame[name]) for name in ("month", "first", "last")}
    return frame.assign(**times).astype({"count": "int64", "squares": "int64", "customers": "int64"})


def seen_span(counts: pd.DataFrame, days: pd.DataFrame, *, as_of: date) -> tuple[pd.Timestamp, pd.Timestamp]:
    """From which day to which both are in the data: where the events begin later than the orders, or end before
    `as_of`, and so long a silence is no chance, the export has no more. From: `month_counts`, `daily_orders`."""
    if not len(counts) or not len(days):
        return pd.Timestamp(as_of), pd.Timestamp(as_of)
    begin, end = days["day"].iloc[0], pd.Timestamp(as_of)
    first, last = counts["first"].min(), counts["last"].max()
    longest = max(SILENCE * ((last - first).days + 1) / int(counts["customers"].sum()), WEEK)
    begin = max(begin, first) if (first - begin).days > longest else begin
    return begin, last if (end - last).days > longest else end


def monthly_rates(
    counts: pd.DataFrame, days: pd.DataFrame, *, as_of: date, lags: Mapping[str, int] = {}, level: float = 0.95
) -> pd.DataFrame:
    """How many there are a hundred orders, by name and month.

    From: `month_counts`, `daily_orders`; lags: a name -> after how many days its events usually come: they are held
    against the orders of so many days before, since in a growing shop today's orders are more. To, every name and
    month of the data, ordered: name, month, count, squares, customers, orders (that they are held against), value (of
    a hundred orders), low, high, n (count), level, method, whole (the month is used).
    A month is whole where it ends by `as_of` and by the end of the data (`seen_span`), begins at least `lag` days after
    the data's first, and is not their first: events about that month's orders come later, and it may be cut.
    The interval is that of a Poisson number whose spread is that of customers who come several times.
    Source: Garwood (1936), Biometrika 28, 437-442, with effective counts.
    """
    names = sorted(counts["name"].unique())
    begin, end = seen_span(counts, days, as_of=as_of)
    if not names or not len(days):
        months = pd.DatetimeIndex([])
    else:
        months = pd.date_range(min(begin, days["day"].iloc[0]).replace(day=1), pd.Timestamp(as_of), freq="MS")
    index = pd.MultiIndex.from_product([names, months], names=["name", "month"])
    frame = counts.set_index(["name", "month"])[["count", "squares", "customers"]].reindex(index, fill_value=0)
    frame = frame.reset_index()
    ordered = {lag: _orders_by_month(days, months, lag) for lag in {0, *(lags.get(name, 0) for name in names)}}
    frame["orders"] = np.concatenate([ordered[lags.get(name, 0)] for name in names]) if names else []
    lag = frame["name"].map(lambda name: max(lags.get(name, 0), 1)).astype("int64")
    # their orders are known from so many days after the first one on
    known = (days["day"].iloc[0] if len(days) else begin) + pd.to_timedelta(lag, unit="D")
    starts = (frame["month"] > begin) & (frame["month"] >= known)
    frame["whole"] = starts & (frame["month"] + pd.offsets.MonthEnd(0) <= end) & (frame["orders"] > 0)
    bunched = _bunching(frame)
    low, high = poisson_ends(frame["count"], bunched, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_rate = np.where(frame["orders"] > 0, PER / frame["orders"].astype(float), np.nan)
    return frame.assign(
        value=frame["count"] * to_rate, low=low * to_rate, high=high * to_rate, n=frame["count"], level=level,
        method=RATE,
    )  # fmt: skip


def _orders_by_month(days: pd.DataFrame, months: pd.DatetimeIndex, lag: int) -> np.ndarray:
    shifted = (days["day"] + pd.Timedelta(days=lag)).dt.to_period("M").dt.to_timestamp()
    return days.groupby(shifted)["orders"].sum().reindex(months, fill_value=0).to_numpy(dtype="int64")


def _bunching(frame: pd.DataFrame) -> np.ndarray:
    """How many times a Poisson number's variance a count has, since a customer may come several times in a month."""
    sums = frame.groupby("name")[["count", "squares"]].transform("sum")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmax(sums["squares"] / sums["count"].astype(float), 1.0).to_numpy(dtype=float)


def poisson_ends(count: np.ndarray, bunched: np.ndarray, *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of counts whose variance is `bunched` times theirs. Source: Garwood (1936)."""
    from scipy.special import gammaincinv

    count, bunched = np.asarray(count, dtype=float), np.asarray(bunched, dtype=float)
    k, tail = count / bunched, (1 - level) / 2
    low = np.where(k > 0, gammaincinv(np.where(k > 0, k, 1.0), tail), 0.0)
    return np.minimum(low * bunched, count), np.maximum(gammaincinv(k + 1, 1 - tail) * bunched, count)


def latest_rate(rates: pd.DataFrame, *, months: int = 3, level: float = 0.95) -> Estimate:
    """The rate a hundred orders over the latest whole months (of one name). From: `monthly_rates`. Unit ratio."""
    used = rates[rates["whole"]].tail(months)
    count, orders = int(used["count"].sum()), int(used["orders"].sum())
    if not orders:
        return unknown("ratio", level=level, method="no whole month with orders yet")
    bunched = _bunching(rates[rates["whole"]])[:1]
    low, high = poisson_ends(np.array([count]), bunched, level=level)
    to_rate = PER / orders
    return Estimate(count * to_rate, float(low[0]) * to_rate, float(high[0]) * to_rate, count, "ratio", level, RATE)


def trends(rates: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """By how much each rate grows a year, all names judged together.

    From: `monthly_rates`. To, the steepest growth first, then what is too early to say: name, months (whole ones),
    count, orders, first, last (the fitted rate a hundred orders in the first and the last whole month), value (growth a
    year, 0.2 is a fifth more), low, high, n (count), level, method, p, dispersion, verdict (grows, falls, not told
    apart from no change, too early to say).
    How: counts of whole months are Poisson around orders x exp(a + b years); their variance is `dispersion` times the
    mean, the larger of Pearson's over the months and what the customers who come several times make of it, at least 1.
    b has Student's t interval with months - 2 degrees of freedom, adjusted for all names (Holm).
    What is left out: names with fewer than 30 in fewer than 6 whole months. What it cannot show: a season, which in
    less than two years looks like a trend; that it goes on.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed., sections 6.2 and 9.2 (quasi-likelihood).
    """
    from scipy.special import stdtr, stdtrit

    rows = [_fit(part[part["whole"]], name) for name, part in rates.groupby("name", sort=True)]
    columns = ["name", "months", "count", "orders", "first", "last", "slope", "error", "dispersion"]
    frame = pd.DataFrame(rows, columns=columns)
    slope, error = (frame[name].to_numpy(dtype=float) for name in ("slope", "error"))
    freedom = np.maximum(frame["months"].to_numpy(dtype=float) - 2, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(freedom, -np.abs(slope) / error)
    levels = holm_levels(p, level=level)
    half = stdtrit(freedom, (1 + levels) / 2) * error
    with np.errstate(over="ignore"):
        value, low, high = (np.expm1(b) for b in (slope, slope - half, slope + half))
    known = np.isfinite(low) & np.isfinite(high)
    verdict = np.select([~known, low > 0, high < 0], [EARLY, GROWS, FALLS], ALIKE)
    ends = {n: np.where(known, end, np.nan) for n, end in (("value", value), ("low", low), ("high", high), ("p", p))}
    trend = TREND + (FAMILY if known.sum() > 1 else "")
    too_few = f"fewer than {LEAST_MONTHS} whole months, or than {LEAST_COUNT} in them"
    frame = frame.assign(
        **ends, n=frame["count"], level=levels, verdict=verdict, method=np.where(known, trend, too_few)
    )
    frame = frame.assign(late=verdict == EARLY, steep=-frame["value"].fillna(0.0))
    frame = frame.sort_values(["late", "steep", "count", "name"], ascending=[True, True, False, True], kind="stable")
    return frame.reset_index(drop=True)[
        ["name", "months", "count", "orders", "first", "last", "value", "low", "high", "n", "level", "method", "p",
         "dispersion", "verdict"]
    ]  # fmt: skip


def _fit(part: pd.DataFrame, name: str) -> tuple:
    """One name's log-linear fit: name, months, count, orders, first, last, slope a year, its error, dispersion."""
    count, orders = part["count"].to_numpy(dtype=float), part["orders"].to_numpy(dtype=float)
    whole = (name, len(part), int(count.sum()), int(orders.sum()))
    nothing = (*whole, *[np.nan] * 5)
    if len(part) < LEAST_MONTHS or count.sum() < LEAST_COUNT:
        return nothing
    years = (part["month"] - part["month"].iloc[0]).dt.days.to_numpy() / 365.25
    low, high = -50.0, 50.0  # of the slope; the estimating equation is monotone in it
    for _ in range(80):
        slope = (low + high) / 2
        weight = orders * np.exp(slope * (years - years.mean()))
        above = (years * weight).sum() / weight.sum() > (years * count).sum() / count.sum()
        low, high = (low, slope) if above else (slope, high)
    mean = weight * count.sum() / weight.sum()
    centre = (years * mean).sum() / mean.sum()
    information = (mean * (years - centre) ** 2).sum()
    if abs(slope) > 20 or not information > 0:  # all of it at one end: the slope has no limit
        return nothing
    pearson = ((count - mean) ** 2 / mean).sum() / (len(part) - 2)
    dispersion = max(1.0, float(pearson), float(part["squares"].sum() / count.sum()))
    ends = PER * mean[[0, -1]] / orders[[0, -1]]
    return (*whole, *map(float, ends), slope, float(np.sqrt(dispersion / information)), dispersion)


def trend_estimate(trends: pd.DataFrame) -> Estimate:
    """The growth a year of a table with one name. From: `trends`. To: Estimate, unit lift."""
    if not len(trends):
        return unknown("lift", method="nothing was counted")
    row = trends.iloc[0]
    if not np.isfinite(row["low"]):
        return unknown("lift", n=int(row["n"]), level=float(row["level"]), method=row["method"])
    ends = (float(row[name]) for name in ("value", "low", "high"))
    return Estimate(*ends, int(row["n"]), "lift", float(row["level"]), row["method"])


def plot_rates(
    rates: pd.DataFrame, *, trends: pd.DataFrame | None = None, label: str = "A hundred orders",
    title: str = "By month", ax: "Axes | None" = None,
) -> "Axes":  # fmt: skip
    """`monthly_rates` of one name by month with intervals; months that are not whole are hollow and grey; the fitted
    course of `trends` as a dashed line where it could be judged."""
    import matplotlib.dates as dates
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    seen = rates[rates["orders"] > 0]
    if not len(seen):
        nothing_to_show(ax)
        return ax
    whole = seen["whole"].to_numpy(dtype=bool)
    for part, colour, face in ((seen[whole], "C0", "C0"), (seen[~whole], GREY, "white")):
        ax.vlines(part["month"], part["low"], part["high"], color=colour, linewidth=1.4)
        ax.plot(part["month"], part["value"], "o", color=colour, markerfacecolor=face, markersize=6)
    if not whole.all():
        ax.plot([], [], "o", color=GREY, markerfacecolor="white", label="Month not whole, not used")
    fitted = trends[trends["first"].notna()] if trends is not None else seen[:0]
    if len(fitted) and whole.any():
        months = seen.loc[whole, "month"].iloc[[0, -1]]
        ends = fitted[["first", "last"]].iloc[0].to_numpy(dtype=float)
        course = pd.date_range(months.iloc[0], months.iloc[1], periods=30)
        share = np.linspace(0, 1, 30)
        ax.plot(course, ends[0] ** (1 - share) * ends[1] ** share, color="C0", linewidth=1.2, linestyle=(0, (4, 3)),
                label="Course fitted")  # fmt: skip
    top = float(np.nanmax(seen.loc[whole if whole.any() else slice(None), "high"]))
    ax.set_ylim(0, 1.15 * max(top, float(seen["value"].max())) or 1)
    ax.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=8))
    ax.xaxis.set_major_formatter(dates.DateFormatter("%Y-%m"))
    ax.margins(x=0.04)
    if len(seen) == 1:
        month = seen["month"].iloc[0]
        ax.set_xlim(month - pd.Timedelta(days=45), month + pd.Timedelta(days=45))
    ax.set(ylabel=label, title=title)
    if ax.get_legend_handles_labels()[0]:
        legend_below(ax)
    return ax


def trend_text(row: pd.Series) -> str:
    """`+61 % a year (+40 to +85 %)`, from a row of `trends`."""
    return f"{format_value(row['value'], 'lift')} a year ({format_ends(row['low'], row['high'], 'lift')})"


def courses_in_words(trends: pd.DataFrame) -> list[str]:
    """Whether each of several courses grows or falls, judged together. From: `trends`."""
    texts = []
    for _, row in trends.iterrows():
        name = f"{clean_text(row['name']).capitalize()} a hundred"
        if row["verdict"] == EARLY:
            texts.append(f"{name}: whether they grow is too early to say ({row['method']}).")
        else:
            verb = {GROWS: "they grow", FALLS: "they fall"}.get(row["verdict"], "no change is told apart")
            texts.append(f"{name}: {verb} ({trend_text(row)}).")
    return texts or ["Nothing was counted by month yet."]
