"""Do those who came in one month still order months later: cohorts by first month, and their retention."""

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import bit_or, collect
from cxkit.errors import UsageError
from cxkit.estimates import share_difference, wilson_ends
from cxkit.heatmap import draw_heat_map
from cxkit.style import GREY, INK, folded_text, format_ends, format_interval, format_value
from cxkit.tables import counted_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORD = 60  # months that one whole number holds as bits, with room to spare below the sign
LOOK_AHEAD = 3  # whole months after a month in which somebody may still come back
LEAST_SHOWN = 30  # shares of fewer customers are greyed
BEFORE, EVER = "of those who ordered in the month before", "of all who had ordered before"


def cohorts(orders: ibis.Table, *, as_of: date, look_ahead: int = LOOK_AHEAD) -> pd.DataFrame:
    """How many of those who first ordered in one month ordered again k months later, or then or later still.

    From: orders (lines). To, one row a cohort and month, all combinations up to `as_of`'s month, ordered: cohort (the
    first day of the local month of the first order), month (0 for that month, then 1, 2, …), customers (of the
    cohort), active (of them, with a line of a counted order in that month; missing where it cannot be observed),
    observable (false where the month ends after `as_of`; then there is no number, not a zero), later (of them, with an
    order in that month or any later one up to `as_of`; missing where it cannot be observed), later_observable (false
    where fewer than `look_ahead` whole months after that month can be seen: whoever pauses would look lost), soon (of
    them, with an order in that month or the `look_ahead` after it; missing where later is), look_ahead.
    `active` is the bounded count, `later` the unbounded one; it never rises with the month. A cohort that can be
    followed for longer has had more time to come back: compare the unbounded figures of one cohort with care. `soon`
    asks everybody over equally long a time, so that it falls only where customers do leave.
    What is left out: orders without a customer, customers who only returned. The cohort of a month that `as_of` cuts
    stands in it, all of it unobservable, its `customers` being those so far. The first cohorts hold customers who had
    ordered before the data begin: their retention is that of regulars.
    Raises UsageError where `look_ahead` is below 1.
    """
    return cohort_grid(active_months(orders, as_of=as_of), as_of=as_of, look_ahead=look_ahead)


def active_months(orders: ibis.Table, *, as_of: date, groups: ibis.Table | None = None) -> pd.DataFrame:
    """In which months customers ordered: equal patterns, and how many customers have them.

    From: orders (lines); groups: customer_id, group (a customer in one group; whoever is in none is left out).
    To, ordered: group (where groups are given), customers, and one yes/no column a month, named by its first day, from
    the first month in which any customer ordered to `as_of`'s.
    What is left out: as `cohorts`.
    How: each customer's active months become bits of one whole number (several where the data span over 60 months);
    equal patterns are counted in the engine, so that what is unpacked here is small.
    """
    last = as_of.year * 12 + as_of.month - 1
    # of all rows, so that only one column is read: the first months may turn out to hold no order that counts
    begins = collect(orders.aggregate(first=orders.ordered_on.min()), order_by="first")["first"].iloc[0]
    first = last + 1 if pd.isna(begins) else begins.year * 12 + begins.month - 1
    by = [] if groups is None else ["group"]
    if first > last:
        return pd.DataFrame(columns=[*by, "customers"])
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
    if groups is not None:
        patterns = patterns.join(groups, "customer_id")
    keys = [*by, *bits]
    counted = collect(patterns.group_by(keys).aggregate(customers=patterns.count()), order_by=keys)
    months = {}
    for month in range(span):
        year, number = divmod(first + month, 12)
        bit = counted[f"word_{month // WORD}"].to_numpy(dtype="int64") >> (month % WORD)
        months[pd.Timestamp(year, number + 1, 1)] = (bit & 1).astype(bool)
    came = [month for month, seen in months.items() if seen.any()]
    kept = {month: seen for month, seen in months.items() if came and month >= came[0]}
    return pd.concat([counted[[*by, "customers"]], pd.DataFrame(kept, index=counted.index)], axis=1)


def cohort_grid(patterns: pd.DataFrame, *, as_of: date, look_ahead: int = LOOK_AHEAD) -> pd.DataFrame:
    """`cohorts` from `active_months` (of one group, where it has groups)."""
    if look_ahead < 1:
        raise UsageError(
            f"look_ahead must be at least 1; found {look_ahead}. It is the whole months that must lie after a month "
            "before somebody silent since counts as gone."
        )
    months = [name for name in patterns.columns if isinstance(name, pd.Timestamp)]
    span, count = len(months), patterns["customers"].to_numpy(dtype="int64")
    seen = patterns[months].to_numpy(dtype=bool).reshape(len(patterns), span)
    first = seen.argmax(axis=1) if span else np.zeros(0, int)
    active, later, soon = (np.zeros((span, max(span, 1)), dtype="int64") for _ in range(3))
    left = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]  # in that month or any later one
    near = seen.copy()  # in that month or one of the next
    for ahead in range(1, min(look_ahead, span - 1) + 1):
        near[:, :-ahead] |= seen[:, ahead:]
    for month in range(span):
        for counts, told in ((active, seen), (later, left), (soon, near)):
            rows = told[:, month] & (first <= month)
            np.add.at(counts, (first[rows], month - first[rows]), count[rows])
    cohort, month = np.divmod(np.arange(span * span), span) if span else (np.zeros(0, int), np.zeros(0, int))
    cohort, month = (a[cohort + month < span] for a in (cohort, month))
    whole = span - (0 if (as_of + timedelta(days=1)).day == 1 else 1)  # months that are over
    frame = pd.DataFrame(
        {
            "cohort": pd.DatetimeIndex(months)[cohort] if span else pd.DatetimeIndex([], dtype="datetime64[us]"),
            "month": month,
            "customers": active[cohort, 0],
            "active": pd.array(active[cohort, month], dtype="Int64"),
            "observable": cohort + month < whole,
            "later": pd.array(later[cohort, month], dtype="Int64"),
            "later_observable": cohort + month + look_ahead < whole,
            "soon": pd.array(soon[cohort, month], dtype="Int64"),
            "look_ahead": look_ahead,
        }
    )
    frame.loc[~frame["observable"], "active"] = pd.NA
    frame.loc[~frame["later_observable"], ["later", "soon"]] = pd.NA
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

    Numbers are percent of the cohort; those of cohorts under 30 customers are slanted and grey. Month 0 is left out: it
    is always 100 %, and would drown the rest.
    """
    import matplotlib.pyplot as plt

    shown = retention[(retention["month"] >= 1) & (retention["month"] <= months)]
    names = retention[retention["month"] == 0].sort_values("cohort")
    later = "ordered" in retention  # only the unbounded one says what it counts
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
        xlabel=f"Months since the first order (hatched: {'not to be told yet' if later else 'not over yet'})",
        ylabel="First order in (customers)",
        title=f"Customers who ordered again in that month{' or later' if later else ''}, %",
    )
    return ax


def describe_retention(retention: pd.DataFrame) -> str:
    """What `plot_retention` shows, for those who cannot see it."""
    groups = retention["cohort"].nunique()
    seen = retention[(retention["month"] == 1) & retention["value"].notna()]
    later = " or after it" if "ordered" in retention else ""
    text = f"Heat map of {groups} monthly groups of new customers and the share who ordered again in each later month"
    if seen.empty:
        return f"{text}{later}. No month after the first can be observed yet."
    low, high = (format_value(seen["value"].agg(end), "share") for end in ("min", "max"))
    hatched = "cannot be told" if later else "is not over"
    return f"{text}{later}. In the first month after, between {low} and {high} did. What {hatched} yet is hatched."


def calendar_retention(orders: ibis.Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """Month by month of the calendar: how many of those known before ordered in it.

    From: orders (lines). To, one row a measure and month, ordered: of (who is asked: those who ordered in the month
    before; all who had ordered before), month (its first day), customers, active (of them, with a counted order in that
    month), value, low, high, n, level, method (Wilson), observable (false for the month that `as_of` cuts, which has no
    numbers). The first month has nobody known before it.
    What is left out: as `cohorts`. The second share falls by itself as a shop grows older: those who left stay
    among those who had ordered before.
    """
    patterns = active_months(orders, as_of=as_of)
    months = [name for name in patterns.columns if isinstance(name, pd.Timestamp)]
    seen, count = patterns[months].to_numpy(dtype=bool), patterns["customers"].to_numpy(dtype="int64")
    rows = []
    for name in (BEFORE, EVER):
        for place, (_, month) in enumerate(pairwise(months), start=1):
            asked = seen[:, place - 1] if name == BEFORE else seen[:, :place].any(axis=1)
            rows.append((name, month, int(count[asked].sum()), int(count[asked & seen[:, place]].sum())))
    frame = pd.DataFrame(rows, columns=["of", "month", "customers", "active"])
    whole = pd.to_datetime(frame["month"]) + pd.offsets.MonthEnd(0) <= pd.Timestamp(as_of)
    frame["active"] = frame["active"].astype("Int64").mask(~whole)
    part, of = frame["active"].astype("Float64").to_numpy(float, na_value=np.nan), frame["customers"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = part / of
    low, high = wilson_ends(part, of, level=level)
    told = {"value": value, "low": low, "high": high, "n": frame["customers"], "level": level, "method": "Wilson"}
    return frame.assign(**told, observable=whole.to_numpy(dtype=bool))


def plot_calendar(calendar: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`calendar_retention`: two lines over the months with their intervals as bands, named at their ends."""
    import matplotlib.dates as dates
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    seen = calendar[calendar["value"].notna()]
    draw_lines(ax, {name: seen[seen["of"] == name] for name in (BEFORE, EVER)}, x="month")
    if len(seen):
        ax.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=7))
        ax.xaxis.set_major_formatter(dates.DateFormatter("%Y-%m"))
        ticks_until(ax, seen["month"].max())
    ax.set(xlabel="Month", ylabel="Share who ordered in the month", title="Who came back, month by month")
    return ax


def describe_calendar(calendar: pd.DataFrame) -> str:
    """What `plot_calendar` shows: the finding in words."""
    return f"Two lines over the months of the calendar. {' '.join(calendar_in_words(calendar))}"


def calendar_in_words(calendar: pd.DataFrame) -> list[str]:
    """The last whole month's retention, and how it stands to the same month of the year before.

    From: `calendar_retention`. The difference is in percentage points (Newcombe); the two months' customers are taken
    as independent, though some are the same.
    """
    seen = calendar[calendar["value"].notna()]
    if seen.empty:
        return ["No whole month with customers known before it can be observed yet."]
    last = seen["month"].max()
    now = seen[seen["month"] == last]
    parts = [
        f"{format_value(row.value, 'share')} {row.of} ({format_ends(row.low, row.high, 'share')}, n = {row.n:,})"
        for row in now.itertuples()
    ]
    told = [f"In {last:%Y-%m}, the last whole month, {' and '.join(parts)} ordered."]
    rows = seen[seen["of"] == BEFORE].set_index("month")
    then = last - pd.DateOffset(years=1)
    if last not in rows.index or then not in rows.index:
        return told
    sides = [(int(rows.loc[month, "active"]), int(rows.loc[month, "n"])) for month in (last, then)]
    gap = share_difference(*sides[0], *sides[1])
    word = "higher" if gap.low > 0 else "lower" if gap.high < 0 else "too early to say whether higher or lower"
    value = f"{format_value(gap.value, 'points')} percentage points, {format_interval(gap)}"
    return [*told, f"Against {then:%Y-%m}, the share of the month before's customers is {word} ({value})."]


def draw_lines(ax: "Axes", lines: dict[str, pd.DataFrame], *, x: str) -> None:
    """One or two lines with their intervals as bands, from `x`, value, low and high; named and valued to the right of
    their ends, the upper one's name above, so that the two never meet."""
    ends = []
    for (name, rows), colour in zip(lines.items(), ("C0", INK), strict=False):
        if rows.empty:
            continue
        ax.fill_between(rows[x], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
        ax.plot(rows[x], rows["value"], marker="o", color=colour)
        last = rows.iloc[-1]
        text = folded_text(f"{format_value(last['value'], 'share')} {name}", width=26)
        ends.append((last["value"], last[x], text, colour))
    if not ends:
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY, transform=ax.transAxes)
    ax.margins(x=0.05, y=0.1)
    ax.set_ylim(bottom=0)
    for place, (value, at, text, colour) in enumerate(sorted(ends, key=lambda end: -end[0])):
        upper = place == 0 and len(ends) > 1
        ax.annotate(
            text, (at, value), (9, -6 if upper else 6), textcoords="offset points", color=colour, fontsize=9,
            va="bottom" if upper else "top",
        )  # fmt: skip
    left, right = ax.get_xlim()
    ax.set_xlim(left, right + 0.34 * (right - left) if ends else right)
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")


def ticks_until(ax: "Axes", last: object) -> None:
    """No ticks beyond the last point: the room to its right is for names."""
    left, end = ax.get_xlim()[0], float(ax.convert_xunits(last))
    ax.set_xticks([tick for tick in ax.get_xticks() if left <= tick <= end])
