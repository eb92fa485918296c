"""Do those who came in one month still order months later: cohorts by first month, and their retention."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import bit_or, collect
from cxkit.estimates import wilson_ends
from cxkit.heatmap import draw_heat_map
from cxkit.style import GREY, INK, format_value
from cxkit.tables import counted_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORD = 60  # months that one whole number holds as bits, with room to spare below the sign
LEAST_SHOWN = 30  # shares of fewer customers are greyed


def cohorts(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """How many of those who first ordered in one month ordered again k months later.

    From: orders (lines). To, one row a cohort and month, all combinations up to `as_of`'s month, ordered: cohort (the
    first day of the local month of the first order), month (0 for that month, then 1, 2, …), customers (of the
    cohort), active (of them, with a line of a counted order in that month; missing where it cannot be observed),
    observable (false where the month ends after `as_of`; then there is no number, not a zero).
    What is left out: orders without a customer, customers who only returned. The cohort of a month that `as_of` cuts
    stands in it, all of it unobservable, its `customers` being those so far. The first cohorts hold customers who had
    ordered before the data begin: their retention is that of regulars.
    How: each customer's active months become bits of one whole number (several where the data span over 60 months);
    equal patterns are counted in the engine, so that what is unpacked here is small.
    """
    last = as_of.year * 12 + as_of.month - 1
    # of all rows, so that only one column is read: the first months may turn out to hold no order that counts
    begins = collect(orders.aggregate(first=orders.ordered_on.min()), order_by="first")["first"].iloc[0]
    first = last + 1 if pd.isna(begins) else begins.year * 12 + begins.month - 1
    if first > last:
        return _grid(np.zeros((0, 0), dtype="int64"), first=last, as_of=as_of)
    span = last - first + 1
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale, lines.customer_id.notnull(), lines.ordered_on <= ibis.literal(as_of))
    words = -(-span // WORD)
    place = (lines.ordered_on.year() * 12 + lines.ordered_on.month() - 1 - first).cast("int32")
    bits = {}
    for word in range(words):
        # the bit is reached from the top: engines take a literal 1 for a 32-bit number, which cannot be shifted so
        # far, but not 2 ** 60; every engine takes a 32-bit distance
        bit = ibis.literal(1 << WORD, "int64") >> ((word + 1) * WORD - place)
        if words > 1:  # months of another word add nothing to this one
            inside = (place >= word * WORD) & (place < (word + 1) * WORD)
            distance = ((word + 1) * WORD - place).clip(1, WORD).cast("int32")
            bit = inside.ifelse(ibis.literal(1 << WORD, "int64") >> distance, ibis.literal(0, "int64"))
        bits[f"word_{word}"] = bit_or(bit)
    patterns = lines.group_by("customer_id").aggregate(**bits)
    counted = patterns.group_by(list(bits)).aggregate(customers=patterns.count())
    active = _active(collect(counted, order_by=list(bits)), span)
    came = np.flatnonzero(active[:, 0])
    empty = came[0] if len(came) else span
    return _grid(active[empty:, : span - empty], first=first + empty, as_of=as_of)


def _active(frame: pd.DataFrame, span: int) -> np.ndarray:
    """Customers by first month (row) and months since (column). From: word_0, word_1, …, customers."""
    count = frame["customers"].to_numpy(dtype="int64")
    seen = np.zeros((len(frame), span), dtype=bool)
    for month in range(span):
        seen[:, month] = (frame[f"word_{month // WORD}"].to_numpy(dtype="int64") >> (month % WORD)) & 1
    first = seen.argmax(axis=1)
    active = np.zeros((span, span), dtype="int64")
    for month in range(span):
        rows = seen[:, month]
        np.add.at(active, (first[rows], month - first[rows]), count[rows])
    return active


def _grid(active: np.ndarray, *, first: int, as_of: date) -> pd.DataFrame:
    span = len(active)
    cohort, month = np.divmod(np.arange(span * span), span) if span else (np.zeros(0, int), np.zeros(0, int))
    keep = cohort + month < span
    cohort, month = cohort[keep], month[keep]
    whole_month = (as_of + timedelta(days=1)).day == 1
    observable = cohort + month < span - (0 if whole_month else 1)
    number = first + cohort
    frame = pd.DataFrame(
        {
            "cohort": pd.to_datetime({"year": number // 12, "month": number % 12 + 1, "day": np.ones_like(number)}),
            "month": month,
            "customers": active[cohort, 0] if span else cohort,
            "active": pd.array(active[cohort, month] if span else month, dtype="Int64"),
            "observable": observable,
        }
    )
    frame.loc[~observable, "active"] = pd.NA
    return frame


def retention(cohorts: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Cohorts with the share still ordering, and Wilson's interval.

    From: `cohorts`. To: the same rows with value (active / customers), low, high, n (customers), level, method; NaN
    where the month cannot be observed or the cohort is empty.
    """
    active = cohorts["active"].astype("float64").to_numpy()
    customers = cohorts["customers"].to_numpy(dtype=float)
    return cohorts.assign(**_shares(active, customers, level), n=cohorts["customers"], level=level, method="Wilson")


def retention_curve(cohorts: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Retention by months since the first order, over all cohorts that can be observed that long.

    From: `cohorts`. To: month, cohorts (how many), customers, active, value, low, high, n, level, method.
    What is left out: younger cohorts, so each month rests on other customers than the one before; a fall can also be
    the older cohorts' being different. Month 0 is 1 by definition.
    """
    seen = cohorts[cohorts["observable"] & (cohorts["customers"] > 0)]
    sums = seen.groupby("month").agg(
        cohorts=("cohort", "size"), customers=("customers", "sum"), active=("active", "sum")
    )
    frame = sums.reset_index().astype("int64")
    shares = _shares(frame["active"].to_numpy(float), frame["customers"].to_numpy(float), level)
    return frame.assign(**shares, n=frame["customers"], level=level, method="Wilson")


def _shares(active: np.ndarray, customers: np.ndarray, level: float) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = active / customers
    low, high = wilson_ends(active, customers, level=level)
    return {"value": value, "low": low, "high": high}


def plot_retention(retention: pd.DataFrame, *, months: int = 12, ax: "Axes | None" = None) -> "Axes":
    """`retention` as a heat map: cohorts down, months since the first order across; hatched where not yet observable.

    Numbers are percent of the cohort; those of cohorts under 30 customers are grey. Month 0 is left out: it is always
    100 %, and would drown the rest.
    """
    import matplotlib.pyplot as plt

    shown = retention[(retention["month"] >= 1) & (retention["month"] <= months)]
    names = retention[retention["month"] == 0].sort_values("cohort")
    index, columns = names["cohort"], range(1, int(shown["month"].max() if len(shown) else 1) + 1)
    value = shown.pivot(index="cohort", columns="month", values="value").reindex(index=index, columns=columns)
    ax = plt.subplots(figsize=(7.2, 0.28 * len(value) + 1.4))[1] if ax is None else ax
    unseen = ~shown.pivot(index="cohort", columns="month", values="observable").reindex_like(value).eq(True)
    shares = value.to_numpy()
    texts = [[f"{100 * v:.0f}" if np.isfinite(v) else "–" for v in row] for row in shares]
    small = np.repeat(names["customers"].to_numpy()[:, None] < LEAST_SHOWN, len(columns), axis=1)
    rows = [f"{c:%Y-%m}  ({n:,})" for c, n in zip(names["cohort"], names["customers"], strict=True)]
    draw_heat_map(
        ax, shares, texts, rows=rows, columns=[str(c) for c in columns], hatched=unseen.to_numpy(), faint=small
    )
    ax.set(
        xlabel="Months since the first order (hatched: not over yet)",
        ylabel="First order in (customers)",
        title="Customers who ordered again in that month, %",
    )
    return ax


def describe_retention(retention: pd.DataFrame) -> str:
    """What `plot_retention` shows, for those who cannot see it."""
    groups = retention["cohort"].nunique()
    seen = retention[(retention["month"] == 1) & retention["value"].notna()]
    text = f"Heat map of {groups} monthly groups of new customers and the share who ordered again in each later month."
    if seen.empty:
        return f"{text} No month after the first can be observed yet."
    low, high = (format_value(seen["value"].agg(end), "share") for end in ("min", "max"))
    return f"{text} In the first month after, between {low} and {high} did. What is not over yet is hatched."


def plot_retention_curve(curve: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`retention_curve` from month 1 on as a line with its intervals, labelled at its end."""
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    shown = curve[curve["month"] >= 1]
    ax.vlines(shown["month"], shown["low"], shown["high"], color=GREY, linewidth=1.2)
    ax.plot(shown["month"], shown["value"], marker="o", color="C0")
    if len(shown):
        last = shown.iloc[-1]
        ax.annotate(
            format_value(last["value"], "share"), (last["month"], last["value"]), (8, 0), textcoords="offset points",
            va="center", color=INK,
        )  # fmt: skip
    ax.set_ylim(bottom=0)
    ax.margins(x=0.08)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(
        xlabel="Months since the first order",
        ylabel="Share with an order in that month",
        title="Retention over all cohorts that can be observed",
    )
    return ax


def describe_curve(curve: pd.DataFrame) -> str:
    """What `plot_retention_curve` shows, for those who cannot see it."""
    later = curve[curve["month"] > 0]
    if later.empty:
        return "No month after the first order can be observed yet."
    first, last = later.iloc[0], later.iloc[-1]
    return (
        f"Line of the share of customers with an order in each month after their first: "
        f"{format_value(first['value'], 'share')} in month {first['month']:.0f}, "
        f"{format_value(last['value'], 'share')} in month {last['month']:.0f}."
    )
