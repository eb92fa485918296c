"""What keeping more customers is worth: profit of a new customer as retention moves, from the client's own figures."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, mean, unknown, wilson
from cxkit.findings import Finding, check_claim
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, LIGHT, format_interval, format_value

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLACES = 4  # as buyers.PLACES
POINTS = tuple(range(11))
QUOTED = (0.25, 0.95)  # +25 % to +95 % of profit: Reichheld's band, of which S2d kept the upper end
QUOTED_POINTS = 5
DRAWS = 4000
HERE, FAR, NEVER, NOT_KNOWN = "within ten points", "beyond ten points", "cannot be reached here", "not known"


def _periods(orders: ibis.Table, as_of: date, days: int) -> tuple[ibis.Table, bool]:
    """One row a customer of the last two periods: earlier, later (ordered there), revenue (of the later one); and
    whether the data reach back to the begin of both."""
    if days < 1:
        raise UsageError(f"days must be at least 1; found {days}.")
    totals = placed_orders(orders, as_of=as_of)
    begins = collect(totals.aggregate(first=totals.ordered_on.min()), order_by="first")["first"].iloc[0]
    start, middle = (as_of - timedelta(days=number * days) for number in (2, 1))
    whole = not pd.isna(begins) and pd.Timestamp(begins).date() <= start + timedelta(days=1)
    totals = totals.filter(totals.customer_id.notnull(), totals.ordered_on > ibis.literal(start))
    later = totals.ordered_on > ibis.literal(middle)
    people = totals.group_by("customer_id").aggregate(
        earlier=(~later).any(), later=later.any(), revenue=totals.revenue.sum(where=later).fill_null(0.0).round(PLACES)
    )
    return people, whole


def period_retention(orders: ibis.Table, *, as_of: date, days: int, level: float = 0.95) -> Estimate:
    """Of the customers who ordered in the period before the last, the share who ordered in the last one too.

    From: orders (lines); a period is `days` days, the last one ends with `as_of`. To: Estimate (share, Wilson), n the
    customers who ordered in the earlier period. Unknown where the data hold no two whole periods, or under 5 customers.
    What it cannot show: who skips a period and comes later counts as not kept, so a period must be longer than
    customers usually wait. Raises UsageError where `days` is below 1.
    """
    people, whole = _periods(orders, as_of, days)
    counts = people.aggregate(
        n=people.earlier.cast("int64").sum(), x=(people.earlier & people.later).cast("int64").sum()
    )
    row = collect(counts, order_by="n").fillna(0).iloc[0]
    n, kept = int(row["n"]), int(row["x"])
    if not whole:
        return unknown("share", n=0, level=level, method=f"the data hold no two whole periods of {days} days")
    if n < LEAST_SHOWN:
        return unknown("share", n=n, level=level, method=f"fewer than {LEAST_SHOWN} customers in the earlier period")
    return wilson(kept, n, level=level)


def margin_per_period(
    orders: ibis.Table, *, as_of: date, days: int, margin_share: float | None, level: float = 0.95
) -> Estimate:
    """What a customer who was kept leaves in a period.

    From: as `period_retention`; `margin_share`: what is left of 1 of revenue (`margins.margin_share`), or None: then it
    is revenue. To: Estimate (money, Student's t): the mean margin in the last period of those who ordered in both.
    The share of the margin is taken as certain: it is known far better than the mean.
    Raises UsageError where `days` is below 1, or the share of the margin is above 1.
    """
    if margin_share is not None and not margin_share <= 1:
        raise UsageError(f"margin_share is what is left of 1 of revenue, at most 1; found {margin_share:g}.")
    people, whole = _periods(orders, as_of, days)
    if not whole:
        return unknown("money", level=level, method=f"the data hold no two whole periods of {days} days")
    kept = people.filter(people.earlier & people.later)
    counted = kept.group_by("revenue").aggregate(customers=kept.count())
    frame = collect(counted, order_by="revenue")
    values = np.repeat(frame["revenue"].to_numpy(dtype=float), frame["customers"].to_numpy(dtype=int))
    if len(values) < LEAST_SHOWN:
        return unknown("money", n=len(values), level=level, method=f"fewer than {LEAST_SHOWN} customers were kept")
    return mean(values * (1.0 if margin_share is None else margin_share), unit="money", level=level)


def customer_profit(
    retention: np.ndarray, margin: np.ndarray, cost: np.ndarray, *, discount: float, periods: int
) -> np.ndarray:
    """What a new customer leaves: margin * sum over k of (retention / (1 + discount))^k, k = 0 to periods - 1, - cost.

    From: retention (share kept from period to period), margin (money a period), cost (money), discount (a period).
    Source: Berger & Nasr (1998), Journal of Interactive Marketing 12(1), 17-30, their first case.
    """
    kept = np.asarray(retention, dtype=float) / (1 + discount)
    return margin * sum(kept**k for k in range(periods)) - cost


def _discount(discount_a_year: float, period_days: int) -> float:
    return (1 + discount_a_year) ** (period_days / 365) - 1


def _draws(retention: Estimate, margin: Estimate, cost: Estimate, seed: int) -> tuple[np.ndarray, ...]:
    """Draws of retention, margin and cost, the first of each the estimate itself."""
    from scipy.special import ndtri

    if not (retention.known and margin.known):
        raise ValueError("retention and margin must be known; look at `.known` first.")
    rng = np.random.default_rng(seed)
    kept = retention.value * retention.n
    drawn = [rng.beta(kept + 0.5, retention.n - kept + 0.5, DRAWS)]
    for estimate in (margin, cost):
        error = (estimate.high - estimate.low) / (2 * ndtri((1 + estimate.level) / 2)) if estimate.known else 0.0
        drawn.append((estimate.value if estimate.known else 0.0) + error * rng.standard_normal(DRAWS))
    firsts = (retention.value, margin.value, cost.value if cost.known else 0.0)
    return tuple(np.concatenate([[first], draws]) for first, draws in zip(firsts, drawn, strict=True))


def _check(discount_a_year: float, period_days: int, periods: int) -> None:
    if not discount_a_year >= 0:
        raise UsageError(f"discount_a_year must be 0 or more, as 0.1; found {discount_a_year:g}.")
    for name, number in (("period_days", period_days), ("periods", periods)):
        if number < 1:
            raise UsageError(f"{name} must be at least 1; found {number}.")


def profit_by_retention(
    retention: Estimate, margin: Estimate, cost: Estimate, *, discount_a_year: float, period_days: int, periods: int,
    seed: int, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What a new customer leaves over the horizon, now and with 1 to 10 more kept of every 100 in each period.

    From: `period_retention`, `margin_per_period`, `margins.acquisition_cost` (unknown: taken as 0), the discount rate a
    year, how long a period is and how many the horizon has. To, one row a step: points (0 to 10 percentage points of
    retention), retention, profit with profit_low, profit_high (money a new customer), change (against 0 points; 0.5 is
    +50 %) with low, high, n (customers of the retention), level, method. NaN where retention would exceed 1; the change
    is NaN too
    where today's profit is not told apart from nothing, since then no ratio to it means anything.
    Intervals: percentiles of 4,000 seeded draws: retention ~ beta(kept + 1/2, lost + 1/2) (Jeffreys), margin and cost
    normal with their own errors; the same draw at every step.
    What it rests on: every kept customer leaves as much in each period, the same share is kept in every period, and
    keeping them costs nothing. In truth those who stay long are kept better, and what keeps them has a price.
    Without a margin (revenue instead) it is revenue that is told. Empty where retention or margin is unknown.
    Source: `customer_profit`; the question is S2d's; Reichheld & Sasser (1990), Harvard Business Review 68(5), 105-111.
    Raises UsageError on a negative discount, or where `period_days` or `periods` is below 1.
    """
    _check(discount_a_year, period_days, periods)
    names = [
        "points",
        "retention",
        "profit",
        "profit_low",
        "profit_high",
        "change",
        "low",
        "high",
        "n",
        "level",
        "method",
    ]
    if not (retention.known and margin.known):
        return pd.DataFrame(columns=names)
    settings = {"discount": _discount(discount_a_year, period_days), "periods": periods}
    kept, money, won = _draws(retention, margin, cost, seed)
    today = customer_profit(kept, money, won, **settings)
    tails = [(1 - level) / 2, (1 + level) / 2]
    sure = bool(today[0] > 0 and np.quantile(today[1:], tails[0]) > 0)
    rows = []
    for points in POINTS:
        row = dict.fromkeys(names, np.nan) | {"points": points, "n": retention.n, "level": level}
        row["method"] = f"{DRAWS:,} draws of retention, margin and cost"
        more = kept + points / 100
        if more[0] > 1 + 1e-9:
            rows.append(row | {"method": "more than all customers cannot be kept"})
            continue
        then = customer_profit(np.minimum(more, 1.0), money, won, **settings)
        low, high = np.quantile(then[1:], tails)
        row |= {"retention": min(more[0], 1.0), "profit": then[0], "profit_low": low, "profit_high": high}
        if sure:
            change = then / today - 1
            low, high = np.quantile(change[1:], tails)
            row |= {"change": change[0], "low": min(low, change[0]), "high": max(high, change[0])}
        else:
            row["method"] += "; today's profit is not told apart from nothing, so no share of it is told"
        rows.append(row)
    return pd.DataFrame(rows, columns=names)


def change_at(table: pd.DataFrame, *, points: int = QUOTED_POINTS) -> Estimate:
    """The change of profit with so many points more retention. From: `profit_by_retention`. To: Estimate (lift)."""
    rows = table[table["points"] == points]
    if not len(rows):
        return unknown("lift", method="retention or what a kept customer leaves is not known")
    row = rows.iloc[0]
    if not np.isfinite(row["low"]):
        return unknown("lift", n=int(row["n"]), level=float(row["level"]), method=str(row["method"]))
    numbers = (float(row[name]) for name in ("change", "low", "high"))
    return Estimate(*numbers, int(row["n"]), "lift", float(row["level"]), str(row["method"]))


def points_needed(
    retention: Estimate, margin: Estimate, cost: Estimate, *, discount_a_year: float, period_days: int, periods: int,
    seed: int, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """How many points of retention the quoted +25 % and +95 % of profit would take here, and whether they can be had.

    From: as `profit_by_retention`. To, two rows: target (0.25, 0.95), points with low, high (percentage points; where
    no retention suffices, NaN, or a high end without end), most (the change if everybody were kept), n, level, method,
    reading (within ten points, beyond ten points, cannot be reached here, not known).
    Source: the band is usually traced to Reichheld, and S2d kept its upper end alone. The example of Reichheld & Sasser
    (1990) halves a loss of 10 % a year: where few are kept, five points do far less.
    Raises UsageError as `profit_by_retention`.
    """
    _check(discount_a_year, period_days, periods)
    names = ["target", "points", "low", "high", "most", "n", "level", "method", "reading"]
    if not (retention.known and margin.known):
        rows = [{"target": target, "n": 0, "level": level, "reading": NOT_KNOWN} for target in QUOTED]
        return pd.DataFrame(rows).reindex(columns=names).assign(method="retention or margin is not known")
    settings = {"discount": _discount(discount_a_year, period_days), "periods": periods}
    kept, money, won = _draws(retention, margin, cost, seed)
    today = customer_profit(kept, money, won, **settings)
    most = customer_profit(np.ones_like(kept), money, won, **settings) / today - 1
    tails = [(1 - level) / 2, (1 + level) / 2]
    sure = bool(today[0] > 0 and np.quantile(today[1:], tails[0]) > 0)
    rows = []
    for target in QUOTED:
        low, high = kept.copy(), np.ones_like(kept)
        for _ in range(50):  # profit rises with retention: halved until nothing is left between
            middle = (low + high) / 2
            enough = customer_profit(middle, money, won, **settings) >= (1 + target) * today
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        points = np.where(most >= target, 100 * (high - kept), np.inf)
        ends = np.quantile(points[1:], tails, method="nearest")
        reading = NEVER if np.isinf(points[0]) else HERE if points[0] <= POINTS[-1] else FAR
        row = {"target": target, "points": points[0], "low": min(ends[0], points[0]), "high": max(ends[1], points[0])}
        row |= {"most": most[0], "reading": reading}
        if not sure:
            row |= dict.fromkeys(("points", "low", "high", "most"), np.nan) | {"reading": NOT_KNOWN}
        elif reading == NEVER:
            row["points"] = np.nan
        rows.append(row | {"n": retention.n, "level": level})
    method = f"{DRAWS:,} draws" if sure else "today's profit is not told apart from nothing"
    return pd.DataFrame(rows).assign(method=method)[names]


def economics_in_words(
    retention: Estimate, margin: Estimate, cost: Estimate, table: pd.DataFrame, needed: pd.DataFrame, *,
    period_days: int, periods: int, margin_known: bool, currency: str = "",
) -> list[str]:  # fmt: skip
    """What retention is worth here, in sentences. From: the three estimates, `profit_by_retention`, `points_needed`."""
    for name, estimate in (("how many customers are kept", retention), ("what a kept customer leaves", margin)):
        if not estimate.known:
            return [f"What keeping more customers is worth: too early to say ({name}: {estimate.method})."]
    leaves = "leaves above the goods' costs" if margin_known else "brings in revenue (no margin is known)"
    texts = [
        f"Of the customers of one period of {period_days} days, {format_value(retention.value, 'share')} order in the "
        f"next one too ({format_interval(retention)}, n = {retention.n:,}); whoever does {leaves} "
        f"{format_value(margin.value, 'money', currency)} in it ({format_interval(margin, currency)}, "
        f"n = {margin.n:,})."
    ]
    if cost.known:
        texts.append(
            f"Winning a customer costs {format_value(cost.value, 'money', currency)} "
            f"({format_interval(cost, currency)}, n = {cost.n:,})."
        )
    else:
        texts.append("What winning a customer costs is not known and is left out: all profits are too large by it.")
    now, five = table.iloc[0], change_at(table)
    texts.append(
        f"Over {periods} periods a new customer leaves {format_value(now['profit'], 'money', currency)}; with "
        f"{QUOTED_POINTS} percentage points more retention that changes by "
        f"{format_value(five.value, 'lift')} ({format_interval(five)})."
        if five.known
        else f"What {QUOTED_POINTS} percentage points more retention change: not told ({five.method})."
    )
    return texts + [_needed_in_words(row) for row in needed.itertuples()]


def _needed_in_words(row: tuple) -> str:
    target = format_value(row.target, "lift")
    if row.reading == NEVER:
        return (
            f"{target} of profit cannot be reached here: if all were kept it would be {format_value(row.most, 'lift')}."
        )
    if row.reading == NOT_KNOWN:
        return f"What {target} of profit would take is not known ({row.method})."
    ends = f"{format_value(row.low, 'points')} to {format_value(row.high, 'points')}"
    ends = ends.replace("–", "not at all")
    return f"{target} of profit takes {format_value(row.points, 'points')} points more ({ends}): {row.reading}."


def claims_checked(table: pd.DataFrame) -> pd.DataFrame:
    """S2d's +95 % beside this client's own. From: `profit_by_retention`. To: as `findings.check_claim`, one row."""
    row = check_claim(
        "Retaining 5 % of customers raises profit by up to 95 % (usually traced to Reichheld: 5 % more retention, "
        "25 to 95 % more profit)",
        source="S2d",
        theirs=QUOTED[1],
        ours=change_at(table),
        cannot_show="Ours takes 5 percentage points of retention from period to period, the same margin in each and no "
        "price of keeping; theirs is the upper end over several industries, with horizons of their own.",
    )
    return pd.DataFrame([row])


def retention_findings(retention: Estimate, table: pd.DataFrame, *, period_days: int) -> list[Finding]:
    """loyalty.period_retention and loyalty.five_points. From: `period_retention`, `profit_by_retention`."""
    return [
        Finding(
            id="loyalty.period_retention",
            claim=f"{{value}} of the customers of one period of {period_days} days order in the next one too "
            "({interval}).",
            estimate=retention,
            label=f"Customers kept from one period of {period_days} days to the next",
            evidence=("profit_by_retention",),
        ),
        Finding(
            id="loyalty.five_points",
            claim=f"With {QUOTED_POINTS} percentage points more retention a new customer's profit changes by {{value}} "
            "({interval}).",
            estimate=change_at(table),
            label=f"Profit of a new customer with {QUOTED_POINTS} points more retention",
            evidence=("profit_by_retention",),
            action="Pay for keeping customers at most what these points bring, and measure whether they come.",
        ),
    ]


def plot_profit(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`profit_by_retention` as the change of profit by points, with its band and the quoted 25 to 95 % at 5 points."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.6))[1] if ax is None else ax
    known = table[table["change"].notna()]
    ax.vlines(QUOTED_POINTS, *QUOTED, color=GREY, linewidth=7, alpha=0.45)
    ax.annotate(
        "quoted for 5 points:\n+25 to +95 %", (QUOTED_POINTS, QUOTED[1]), (-10, 0), textcoords="offset points",
        ha="right", va="top", color=GREY, fontsize=9,
    )  # fmt: skip
    at, low, high = (known[name].astype(float) for name in ("points", "low", "high"))
    ax.fill_between(at, low, high, color=LIGHT, linewidth=0)
    ax.plot(at, known["change"].astype(float), marker="o", color="C0")
    if len(known):
        last = known.iloc[-1]
        ax.annotate(
            format_value(last["change"], "lift"), (last["points"], last["change"]), (8, 0), textcoords="offset points",
            va="center", color=INK,
        )  # fmt: skip
    else:
        ax.annotate("not known here", (0, 0), (4, 6), textcoords="offset points", color=GREY)
    ax.set_xticks(POINTS, ["today", *(f"+{points}" for points in POINTS[1:])])
    ax.set_xlim(-0.4, POINTS[-1] + 1)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(lambda share, _: format_value(round(share, 6), "lift"))
    ax.set(
        xlabel="Percentage points more retention",
        ylabel="Change of a new customer's profit",
        title="What retention is worth",
    )
    return ax


def describe_profit(table: pd.DataFrame) -> str:
    """What `plot_profit` shows, for those who cannot see it."""
    known = table[table["change"].notna()]
    quoted = "A bar at 5 points marks the quoted +25 to +95 %."
    if not len(known):
        return f"The change of a new customer's profit with more retention is not known here. {quoted}"
    last = known.iloc[-1]
    return (
        "Line of the change of a new customer's profit with more retention: "
        f"{format_value(last['change'], 'lift')} with {last['points']:.0f} points more. {quoted}"
    )
