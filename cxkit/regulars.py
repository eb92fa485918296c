"""Do loyal customers become more, and what do their orders hold: by month.

Loyal at a day is who bought on at least `loyal_orders` days of the last `active_days`: one definition throughout."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import LOYAL_ORDERS, NEEDED, PLACES
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, cluster_error, normal, unknown
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, format_ends, format_interval, format_value
from cxkit.tables import order_totals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACTIVE_DAYS = 365  # over which a customer's purchases are counted to call him loyal
CHANGE_MONTHS = 6  # over which a change is told
MOST_MONTHS = 36  # shown; older ones are left out
GROWING, FALLING, EARLY = "growing", "falling", "too early to say"
YOUNG = (
    "The data begin too late to judge it: where a shop begins with its data, ever more become loyal by its age alone"
)
VALUE, GOODS = "order value", "goods an order"


def month_ends(begins: date | None, as_of: date) -> list[date]:
    """The last days of the whole months from the data's begin to `as_of`, at most `MOST_MONTHS`, oldest first."""
    ends: list[date] = []
    end = (as_of + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    while begins is not None and end >= begins and len(ends) < MOST_MONTHS:
        ends.append(end)
        end = end.replace(day=1) - timedelta(days=1)
    return ends[::-1]


def known_orders(orders: ibis.Table, as_of: date) -> tuple[ibis.Table, date | None]:
    """Counted orders of known customers up to `as_of`, and the first day with an order of anybody."""
    names = [c for c in (*NEEDED, "quantity") if c in orders.columns]
    totals = order_totals(orders.select(names))
    totals = totals.filter(totals.ordered_on <= ibis.literal(as_of))
    begins = collect(totals.aggregate(first=totals.ordered_on.min()), order_by="first")["first"].iloc[0]
    begins = None if pd.isna(begins) else pd.Timestamp(begins).date()
    return totals.filter(totals.customer_id.notnull()), begins


def check_settings(loyal_orders: int, **more: int) -> None:
    for name, number, least in (("loyal_orders", loyal_orders, 2), *((n, v, 1) for n, v in more.items())):
        if number < least:
            raise UsageError(f"{name} must be at least {least}; found {number}.")


def loyal_by_month(
    orders: ibis.Table, *, as_of: date, loyal_orders: int = LOYAL_ORDERS, active_days: int = ACTIVE_DAYS
) -> pd.DataFrame:
    """How many customers were loyal at each month's end, of how many, and how many came to them and left them.

    From: orders (lines). Loyal at a day is who bought on at least `loyal_orders` days of the last `active_days`, that
    day included: so who stopped leaves, and all dates are measured over as long a history.
    To, one row a whole month up to `as_of` (the last 36): month_end, loyal, joined and left (since the month end
    before), observable (false where the data begin less than `active_days` before: the number is then too small),
    long_seen (the data reach another `active_days` further back: see `loyal_change_finding`),
    joined_since and left_since (who is loyal at the last month end and was not at this one; the other way round),
    buyers (who bought in those days at all), both (of them, buyers at the last month end too), loyal_both (loyal at
    this one, buyers at the last), both_loyal (buyers at this one, loyal at the last).
    What is left out: orders without a customer, the month that `as_of` cuts.
    Raises UsageError where `loyal_orders` is below 2 or `active_days` below 1.
    """
    check_settings(loyal_orders, active_days=active_days)
    totals, begins = known_orders(orders, as_of)
    ends = month_ends(begins, as_of)
    names = ["month_end", "loyal", "joined", "left", "observable", "long_seen", "joined_since", "left_since"]
    names += ["buyers", "both", "loyal_both", "both_loyal"]
    if not ends:
        return pd.DataFrame(columns=names)
    days = totals.select("customer_id", "ordered_on").distinct()
    marks = [ends[0].replace(day=1) - timedelta(days=1), *ends]  # one more, so that the first month can be compared
    inside = {}
    for k, end in enumerate(marks):
        inside[f"days_{k}"] = _days_until(days, end, active_days)
    people = days.group_by("customer_id").aggregate(**inside)
    counts, now = {}, people[f"days_{len(marks) - 1}"]
    last, buys_now = now >= loyal_orders, now > 0
    for k in range(1, len(marks)):
        at, before = (people[f"days_{number}"] >= loyal_orders for number in (k, k - 1))
        buys = people[f"days_{k}"] > 0
        pairs = {"loyal": at, "joined": at & ~before, "left": before & ~at}
        pairs |= {"joined_since": last & ~at, "left_since": at & ~last, "buyers": buys}
        pairs |= {"both": buys & buys_now, "loyal_both": at & buys_now, "both_loyal": buys & last}
        counts |= {f"{name}_{k}": flag.cast("int64").sum().fill_null(0) for name, flag in pairs.items()}
    found = collect(people.aggregate(**counts), order_by="loyal_1").iloc[0]
    rows = [
        {"month_end": pd.Timestamp(end), "observable": seen >= active_days, "long_seen": seen >= 2 * active_days}
        | {name: int(found[f"{name}_{k}"]) for name in names if f"{name}_{k}" in found}
        for k, (end, seen) in enumerate(((end, (end - begins).days + 1) for end in ends), start=1)
    ]
    return pd.DataFrame(rows, columns=names)


def _days_until(days: ibis.Table, end: date, active_days: int) -> ibis.expr.types.IntegerScalar:
    """On how many of the `active_days` up to `end` a customer bought. From: one row a customer and day."""
    seen = (days.ordered_on <= ibis.literal(end)) & (days.ordered_on > ibis.literal(end - timedelta(days=active_days)))
    return seen.cast("int64").sum()


def loyal_change(by_month: pd.DataFrame, *, months: int = CHANGE_MONTHS, level: float = 0.95) -> Estimate:
    """How many more customers are loyal now than `months` months ago.

    From: `loyal_by_month`. To: Estimate, unit count, n those loyal at either date. The interval takes those who came
    and those who left as two independent Poisson numbers (variance joined + left), as in the test of McNemar.
    Unknown where the earlier month cannot be observed, or where fewer than 5 came and left together.
    Source: McNemar (1947), Psychometrika 12(2), 153-157.
    Raises UsageError where `months` is below 1.
    """
    if months < 1:
        raise UsageError(f"months must be at least 1; found {months}.")
    if len(by_month) <= months or not by_month["observable"].iloc[-1 - months]:
        why = f"the data do not reach far enough back to say who was loyal {months} months ago"
        return unknown("count", level=level, method=why)
    then, now = by_month.iloc[-1 - months], by_month.iloc[-1]
    joined, left = int(then["joined_since"]), int(then["left_since"])
    n = int(now["loyal"]) + left
    if joined + left < LEAST_SHOWN:
        return unknown("count", n=n, level=level, method=f"fewer than {LEAST_SHOWN} customers came and left")
    return normal(joined - left, np.sqrt(joined + left), n, unit="count", level=level, method="Poisson (McNemar)")


def loyal_share_change(by_month: pd.DataFrame, *, months: int = CHANGE_MONTHS, level: float = 0.95) -> Estimate:
    """By how much the share of loyal among the buyers of the same days has changed over `months` months.

    From: `loyal_by_month`. To: Estimate in percentage points, n the buyers at either date. A shop that grows has more
    loyal customers without holding them any better: so the share is judged. Most customers are buyers at both dates:
    the interval is linearised over customers, each with what he adds to both shares.
    Unknown as `loyal_change`. Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6.
    """
    change = loyal_change(by_month, months=months, level=level)
    if not change.known:
        return unknown("points", n=change.n, level=level, method=change.method)
    then, now = by_month.iloc[-1 - months], by_month.iloc[-1]
    buyers, buyers_0 = float(now["buyers"]), float(then["buyers"])
    share, share_0 = now["loyal"] / buyers, then["loyal"] / buyers_0
    cross = (now["loyal"] - then["joined_since"]) - share * then["loyal_both"] - share_0 * then["both_loyal"]
    cross += share * share_0 * then["both"]
    square = share * (1 - share) / buyers + share_0 * (1 - share_0) / buyers_0 - 2 * cross / (buyers * buyers_0)
    n = int(buyers + buyers_0 - then["both"])
    error = 100 * np.sqrt(max(square, 0.0) * n / (n - 1))
    method = "linearised shares by customer"
    return normal(100 * (share - share_0), error, n, unit="points", level=level, method=method)


def verdict(estimate: Estimate) -> str:
    """Growing or falling where the whole interval lies on one side of nought, else "too early to say"."""
    if not estimate.known or estimate.low <= 0 <= estimate.high:
        return EARLY
    return GROWING if estimate.value > 0 else FALLING


def loyal_in_words(
    by_month: pd.DataFrame, *, loyal_orders: int = LOYAL_ORDERS, active_days: int = ACTIVE_DAYS,
    months: int = CHANGE_MONTHS,
) -> list[str]:  # fmt: skip
    """How many customers are loyal, what share of the buyers, how both move. From: `loyal_by_month`, its settings."""
    if not len(by_month):
        return ["How the number of loyal customers moves: too early to say (no month of the data is over yet)."]
    last, change, moved = by_month.iloc[-1], *(f(by_month, months=months) for f in (loyal_change, loyal_share_change))
    texts = [
        f"On {last['month_end']:%Y-%m-%d}, {last['loyal']:,} customers were loyal: they had bought on at least "
        f"{loyal_orders} days of the last {active_days:,}. That is {_share_of(last)} of all {last['buyers']:,} who "
        "bought in those days."
    ]
    if not last["observable"]:
        texts.append(f"The data begin less than {active_days:,} days before, so there may have been more.")
    if not change.known:
        return [*texts, f"Whether they become more: too early to say ({change.method})."]
    then, row = int(by_month["loyal"].iloc[-1 - months]), by_month.iloc[-1 - months]
    texts.append(
        f"{months} months before there were {then:,}; since then {row['joined_since']:,} came and "
        f"{row['left_since']:,} left: a change of {format_value(change.value, 'count')} "
        f"({format_ends(change.low, change.high, 'count')})."
    )
    texts.append(
        f"A shop with more buyers has more loyal ones by itself, so the share counts: it was {_share_of(row)} of "
        f"{row['buyers']:,}, a change of {format_value(moved.value, 'points')} percentage points "
        f"({format_interval(moved)}), {verdict(moved) if row['long_seen'] else EARLY}."
    )
    if not row["long_seen"]:
        texts.append(f"{YOUNG}.")
    return texts


def _share_of(row: pd.Series) -> str:
    """With one decimal: a change of points is told beside it."""
    return f"{100 * row['loyal'] / row['buyers']:.1f} %" if row["buyers"] else "–"


def loyal_change_finding(
    by_month: pd.DataFrame, *, loyal_orders: int = LOYAL_ORDERS, active_days: int = ACTIVE_DAYS,
    months: int = CHANGE_MONTHS,
) -> Finding:  # fmt: skip
    """loyalty.loyal_customers_change: whether more of the buyers are loyal (S0). From: as `loyal_in_words`.

    It is not judged where the earlier days are (nearly) the data's first: nobody can have been loyal for long then, and
    of a shop that begins with its data that is no more than its age.
    """
    change = loyal_share_change(by_month, months=months)
    claim = "The share of buyers who are loyal has changed by {value} percentage points ({interval})."
    if change.known:
        now, then = by_month.iloc[-1], by_month.iloc[-1 - months]
        claim = (
            f"{_share_of(now)} of those who bought in the last {active_days:,} days are loyal (they bought on at least "
            f"{loyal_orders} of these days); {months} {'month' if months == 1 else 'months'} before it was "
            f"{_share_of(then)}: a change of {{value}} percentage points ({{interval}}). That is from "
            f"{then['loyal']:,} to {now['loyal']:,} loyal customers."
        )
    judged = change.known and bool(by_month["long_seen"].iloc[-1 - months])
    return Finding(
        id="loyalty.loyal_customers_change",
        claim=claim,
        estimate=change,
        label=f"Change over {months} months in the share of buyers who are loyal",
        target=0.0 if judged else None,
        target_source="no change" if judged else "",
        evidence=("loyal_by_month",),
        action="Ask some of those who left what changed, and see on which order the others became loyal.",
    )


def plot_loyal(by_month: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`loyal_by_month` as a line with those who came (up) and left (down) as bars; grey where too little is seen."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.4))[1] if ax is None else ax
    if not len(by_month):
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        ax.text(0.5, 0.5, "no month is over yet", ha="center", va="center", color=GREY)
        return ax
    place, seen = np.arange(len(by_month)), by_month["observable"].to_numpy(dtype=bool)
    for name, sign, colour, hatch in (("joined", 1, "C0", ""), ("left", -1, GREY, "//")):
        heights = sign * by_month[name].to_numpy(dtype=float)
        bars = ax.bar(place, heights, 0.6, color=colour, hatch=hatch, alpha=0.55, linewidth=0)
        bars.set_label({"joined": "Became loyal in the month", "left": "Left in the month"}[name])
    loyal = by_month["loyal"].to_numpy(dtype=float)
    ax.plot(place, loyal, color=GREY, linewidth=1.2, linestyle=":")
    ax.plot(place[seen], loyal[seen], marker="o", color="C0", label="Loyal at the month's end")
    if not seen.all():
        ax.plot(place[~seen], loyal[~seen], "o", color="white", markeredgecolor=GREY, label="Too short a history")
    ax.annotate(f"{loyal[-1]:,.0f}", (place[-1], loyal[-1]), (8, 0), textcoords="offset points", va="center", color=INK)
    ax.axhline(0, color=INK, linewidth=0.8)
    step = -(-len(place) // 9)
    shown = place[::-1][::step][::-1]
    ax.set_xticks(shown, [f"{by_month['month_end'].iloc[k]:%Y-%m}" for k in shown])
    ax.margins(x=0.05, y=0.1)
    ax.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}".replace("-", "−"))
    ax.set(ylabel="Customers", title="Loyal customers by month's end")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.12), ncols=2)
    return ax


def describe_loyal(by_month: pd.DataFrame) -> str:
    """What `plot_loyal` shows, for those who cannot see it."""
    seen = by_month[by_month["observable"].astype(bool)]
    if not len(seen):
        return "Line of loyal customers by month; the data are too short to say how many there were at any month's end."
    first, last = seen.iloc[0], seen.iloc[-1]
    return (
        f"Line of loyal customers by month's end: {first['loyal']:,} in {first['month_end']:%Y-%m}, {last['loyal']:,} "
        f"in {last['month_end']:%Y-%m}; bars show how many came and left in each month."
    )


def regular_months(totals: ibis.Table, months: list[date], *, loyal_orders: int, active_days: int) -> ibis.Table:
    """One row a customer and month in which a loyal one ordered: customer_id, month, orders, amount, goods.

    From: `known_orders`; months: first days. Loyal in a month is who bought on at least `loyal_orders` of the
    `active_days` before its first one: equally many for every month, so that the months compare people alike.
    """
    days = totals.select("customer_id", "ordered_on").distinct()
    counts = {f"days_{k}": _days_until(days, m - timedelta(days=1), active_days) for k, m in enumerate(months)}
    people = days.group_by("customer_id").aggregate(**counts)
    totals = totals.filter(totals.ordered_on >= ibis.literal(months[0]))
    totals = totals.mutate(month=totals.ordered_on.truncate("M").cast("date"))
    goods = totals.quantity.fill_null(0).sum() if "quantity" in totals.columns else ibis.null("float64")
    sums = totals.group_by("customer_id", "month").aggregate(
        orders=totals.count(), amount=totals.amount.sum().round(PLACES), goods=goods
    )
    cells = sums.join(people, "customer_id")
    loyal = [(cells.month == ibis.literal(m)) & (cells[f"days_{k}"] >= loyal_orders) for k, m in enumerate(months)]
    return cells.filter(ibis.or_(*loyal)).select("customer_id", "month", "orders", "amount", "goods")


def regular_orders(
    orders: ibis.Table, *, as_of: date, loyal_orders: int = LOYAL_ORDERS, active_days: int = ACTIVE_DAYS,
    level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What loyal customers' orders hold, by month: their value and their goods.

    From: orders (lines). To, one row a whole month and measure, ordered: month (its first day), measure ("order value":
    money an order, after discount and before returns, since those of the last weeks are not known yet; "goods an
    order": pieces), value, low, high, n (customers), orders, level, method; NaN with fewer than 5 customers; observable
    (false where the data begin less than `active_days` before the month: its loyal ones are then others).
    Loyal in a month is who bought on at least `loyal_orders` of the `active_days` before it began. The customers are
    the units of the interval. "goods an order" is left out where the quantity is not mapped.
    What it cannot show: that a customer's orders grow: those who stay may be those who always bought much.
    Source: ratio of sums as `estimates.cluster_error`. Raises UsageError as `loyal_by_month`.
    """
    from scipy.special import stdtrit

    check_settings(loyal_orders, active_days=active_days)
    totals, begins = known_orders(orders, as_of)
    ends = month_ends(begins, as_of)
    names = ["month", "measure", "value", "low", "high", "n", "orders", "level", "method", "observable"]
    if not ends:
        return pd.DataFrame(columns=names)
    firsts = [end.replace(day=1) for end in ends]
    cells = regular_months(totals, firsts, loyal_orders=loyal_orders, active_days=active_days)
    measures = {VALUE: cells.amount} | ({GOODS: cells.goods} if "quantity" in totals.columns else {})
    sums = {"n": cells.count(), "orders": cells.orders.sum(), "squares": (cells.orders * cells.orders).sum()}
    for number, part in enumerate(measures.values()):
        sums |= {
            f"part_{number}": part.sum().round(PLACES),
            f"part_sq_{number}": (part * part).sum().round(PLACES),
            f"cross_{number}": (part * cells.orders).sum().round(PLACES),
        }
    frame = collect(cells.group_by("month").aggregate(**sums), order_by="month")
    frame["month"] = pd.to_datetime(frame["month"])
    whole_window = [first - timedelta(days=active_days) >= begins for first in firsts]
    months = pd.DataFrame({"month": pd.to_datetime(firsts), "observable": whole_window})
    frame = months.merge(frame, on="month", how="left").fillna({"n": 0, "orders": 0})
    tables = []
    for number, measure in enumerate(measures):
        n, whole = frame["n"].to_numpy(dtype=float), frame["orders"].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(n >= LEAST_SHOWN, frame[f"part_{number}"].astype(float) / whole, np.nan)
        parts = (frame[f"part_sq_{number}"], frame[f"cross_{number}"], frame["squares"])
        half = stdtrit(np.maximum(n - 1, 1), (1 + level) / 2) * cluster_error(*parts, whole, value, n)
        told = {"measure": measure, "value": value, "low": value - half, "high": value + half, "n": n.astype("int64")}
        method = np.where(n >= LEAST_SHOWN, "linearised ratio by customer", f"fewer than {LEAST_SHOWN} customers")
        shown = frame["orders"].astype("Int64").where(pd.Series(n >= LEAST_SHOWN))
        tables.append(frame[["month", "observable"]].assign(**told, orders=shown, level=level, method=method))
    return pd.concat(tables).sort_values(["month", "measure"], ignore_index=True)[names]


def plot_regular_orders(by_month: pd.DataFrame, *, measure: str = VALUE, ax: "Axes | None" = None) -> "Axes":
    """One measure of `regular_orders` by month as a line with its intervals; hollow where the history is too short.

    Months of too few loyal customers are empty.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.0))[1] if ax is None else ax
    rows = by_month[by_month["measure"] == measure].reset_index(drop=True)
    ax.vlines(rows.index, rows["low"], rows["high"], color=GREY, linewidth=1.2)
    seen = rows["observable"].to_numpy(dtype=bool)
    ax.plot(rows.index, rows["value"], color=GREY, linewidth=1.2, linestyle=":")
    ax.plot(rows.index[seen], rows["value"][seen], marker="o", color="C0")
    if rows["value"][~seen].notna().any():
        hollow = {"color": "white", "markeredgecolor": GREY, "label": "Too short a history before"}
        ax.plot(rows.index[~seen], rows["value"][~seen], "o", **hollow)
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.12))
    known = rows[rows["value"].notna()]
    if len(known):
        end = (known.index[-1], known["value"].iloc[-1])
        label = format_value(end[1], "count")
        ax.annotate(label, end, (8, 0), textcoords="offset points", va="center", color=INK)
    shown = rows.index[::-1][:: max(-(-len(rows) // 9), 1)][::-1]
    ax.set_xticks(shown, [f"{rows['month'].iloc[k]:%Y-%m}" for k in shown])
    ax.set_ylim(bottom=0)
    ax.margins(x=0.06)
    ax.yaxis.set_major_formatter(lambda number, _: format_value(number, "count"))
    label = "Money an order (before returns)" if measure == VALUE else "Pieces an order"
    ax.set(ylabel=label, title=f"Loyal customers: {measure} by month")
    return ax


def describe_regular_orders(by_month: pd.DataFrame, *, measure: str = VALUE, currency: str = "") -> str:
    """What `plot_regular_orders` shows, for those who cannot see it."""
    rows = by_month[(by_month["measure"] == measure) & by_month["value"].notna() & by_month["observable"].astype(bool)]
    if not len(rows):
        return f"Line of loyal customers' {measure} by month; no month has enough of them with a history long enough."
    unit = "money" if measure == VALUE else "count"
    first, last = (
        f"{format_value(r.value, unit, currency)} in {r.month:%Y-%m}" for r in rows.iloc[[0, -1]].itertuples()
    )
    return f"Line of loyal customers' {measure} by month: {first}, {last}; the bars are intervals."
