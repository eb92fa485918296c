"""Do loyal customers buy more than new ones: loyal is decided before a cut-off, the lift is measured after it."""

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import LOYAL_ORDERS, placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, simultaneous
from cxkit.findings import Finding, check_claim
from cxkit.style import GREY, INK, format_value
from cxkit.tables import counted_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AFTER = "after the cut-off"
SAME = "same period (the article's way)"
NEEDS = {"goods": "quantity", "categories": "category", "revenue": "amount"}  # measure -> column of orders
CLAIMS = {"goods": 0.79, "categories": 0.40, "revenue": 0.67}  # S4: quoted beside our own, never a target
UNMAPPED = "is not mapped"  # how the method of a lift ends that cannot be had
LEAST = 20  # active customers in each group; below, a bootstrap of so few says little
BLOCKS = 5000


def loyal_lift(
    orders: ibis.Table,
    *,
    as_of: date,
    months_after: int = 6,
    loyal_orders: int = LOYAL_ORDERS,
    new_days: int = 90,
    seed: int,
    level: float = 0.95,
    draws: int = 4000,
) -> pd.DataFrame:
    """How much more loyal customers buy in an active month than new ones, as lifts (0.5 is +50 %).

    From: orders (lines). To, one row a way and measure (goods, categories, revenue): way, measure, value, low, high, n
    (customers of both groups who were active), unit, level, method, reading (more, less, or no difference told apart),
    loyal_value and new_value (per active month: pieces, categories, money), loyal_customers, loyal_active,
    new_customers, new_active, article (its figure), after_from (the first day after the cut-off).
    Ways. "after the cut-off": the `months_after` months that end with `as_of` are measured; loyal are those with at
    least `loyal_orders` counted orders before, new are those with exactly one order before, within the last `new_days`.
    "same period": the same months are measured, but the groups are decided at `as_of`, the measured orders counted in:
    whoever is called loyal was called so because of what is then measured. The comparison is circular and may err to
    either side; it is what the article's way gives, and is no evidence.
    Goods and categories are those kept: of a line that was given back in part its pieces count in proportion to the
    money kept, and its category counts where some money was kept.
    A lift is a ratio of two ratios, each the sum over customers of goods (categories, revenue) by the sum of their
    active months; a month is active when the customer has a counted order in it. Months are counted back from `as_of`,
    so none is cut. The interval is a percentile bootstrap by customer, for each group on its own. The lifts of one way
    are a family: their intervals hold together at `level` (Bonferroni).
    What is left out: customers with no order after the cut-off (loyal_active against loyal_customers shows how many),
    and returns that matched no sale, whose month is not known. What it cannot show: that loyalty causes the lift.
    Unknown where a group has fewer than 20 active customers, or where the column is missing. With fewer than about 100
    in a group the three intervals together hold in about 90 cases of 100 instead of 95 (simulated).
    Source: the question is S4's; Efron & Tibshirani (1993), ch. 13; above 5,000 customers in a group they are
    dealt at random into 5,000 blocks, which are drawn in their stead (random groups: Wolter, 2007, Introduction to
    Variance Estimation, ch. 2).
    Raises UsageError on settings that make no sense.
    """
    settings = {"months_after": (months_after, 1), "loyal_orders": (loyal_orders, 2), "new_days": (new_days, 1)}
    for name, (number, least) in settings.items():
        if number < least:
            raise UsageError(f"{name} must be at least {least}; found {number}.")
    borders = [months_before(as_of + timedelta(days=1), k) for k in range(months_after, 0, -1)]
    sums = lift_sums(orders, as_of=as_of, borders=borders, loyal_orders=loyal_orders, new_days=new_days)
    rows = []
    for number, (way, group) in enumerate(((AFTER, "group_after"), (SAME, "group_same"))):
        rows += _lifts(sums, group, seed=[seed, number], level=level, draws=draws, way=way)
    return pd.DataFrame(rows).assign(after_from=pd.Timestamp(borders[0]))


def months_before(day: date, months: int) -> date:
    """The same day `months` months earlier, or the last day of that month where it has no such day."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def lift_sums(
    orders: ibis.Table, *, as_of: date, borders: list[date], loyal_orders: int, new_days: int
) -> pd.DataFrame:
    """Each loyal and new customer's sums over the measured months.

    From: orders (lines); `borders`: the first day of each measured month, the last of which ends with `as_of`.
    To, ordered by customer_id: customer_id, group_after and group_same ("loyal", "new" or missing), active_months,
    goods, categories, revenue (a measure whose column is missing is left out).
    """
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull())
    after = totals.ordered_on >= ibis.literal(borders[0])
    people = totals.group_by("customer_id").aggregate(
        first_on=totals.ordered_on.min(),
        orders_before=after.ifelse(0, 1).sum(),
        orders_all=totals.count(),
    )

    def group(count: ibis.expr.types.IntegerColumn, end: date) -> ibis.expr.types.StringColumn:
        fresh = (count == 1) & (people.first_on >= ibis.literal(end - timedelta(days=new_days)))
        return ibis.cases((count >= loyal_orders, "loyal"), (fresh, "new"), else_=ibis.null("string"))

    people = people.mutate(
        group_after=group(people.orders_before, borders[0]),
        group_same=group(people.orders_all, as_of + timedelta(days=1)),
    )
    people = people.filter(people.group_after.notnull() | people.group_same.notnull())
    measured = _month_sums(orders, totals.filter(after), borders)
    names = [c for c in measured.columns if c != "customer_id"]
    joined = people.left_join(measured, "customer_id").select(
        "customer_id", "group_after", "group_same", **{name: measured[name].fill_null(0) for name in names}
    )
    return collect(joined, order_by="customer_id")


def _month_sums(orders: ibis.Table, totals: ibis.Table, borders: list[date]) -> ibis.Table:
    """One row a customer: active_months, and goods, categories and revenue summed over the active months."""
    lines = counted_lines(orders)
    measures = {"revenue": lambda t: t.revenue.sum()}
    if "quantity" in lines.columns:
        measures["goods"] = lambda t: (t.quantity.fill_null(0) * t.kept).sum()
    if "category" in lines.columns:
        measures["categories"] = lambda t: t.category.nunique(where=t.kept > 0)
    # the share of a line's money that was not given back; null money can only be a return's
    lines = lines.mutate(kept=lines.is_sale.ifelse((lines.revenue / lines.amount).clip(0, 1), 0.0))
    needed = ["order_id", "kept", "revenue", *(c for c in ("quantity", "category") if c in lines.columns)]
    owners = totals.select("order_id", owner=totals.customer_id, day=totals.ordered_on)
    dated = lines.select(needed).join(owners, "order_id")
    # which measured month: how many months have begun by that day (the same clamped borders as in Python)
    month = sum(((dated.day >= ibis.literal(b)).ifelse(1, 0) for b in borders), ibis.literal(0))
    dated = dated.mutate(month=month)
    monthly = dated.group_by("owner", "month").aggregate(**{name: make(dated) for name, make in measures.items()})
    sums = monthly.group_by("owner").aggregate(
        active_months=monthly.count(),
        **{name: monthly[name].cast("float64").sum().round(4) for name in measures},
    )
    return sums.rename(customer_id="owner")


def _lifts(sums: pd.DataFrame, group: str, *, seed: list[int], level: float, draws: int, way: str) -> list[dict]:
    present = [m for m in NEEDS if m in sums.columns]
    groups = {name: sums[sums[group] == name] for name in ("loyal", "new")}
    active = {name: frame[frame["active_months"] > 0] for name, frame in groups.items()}
    values, ends = {}, None
    enough = min(len(frame) for frame in active.values()) >= LEAST
    for name, frame in active.items():
        total = frame[[*present, "active_months"]].sum()
        values[name] = total[present] / total["active_months"] if len(frame) else total[present] * np.nan
    if enough:
        drawn = [
            _ratio_draws(active[name][[*present, "active_months"]].to_numpy(float), [*seed, place], draws)
            for place, name in enumerate(("loyal", "new"))
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            lifts = drawn[0] / drawn[1] - 1
        each = simultaneous(level, len(present))
        ends = np.quantile(lifts, [(1 - each) / 2, (1 + each) / 2], axis=0)
    counts = {f"{name}_customers": len(frame) for name, frame in groups.items()}
    counts |= {f"{name}_active": len(frame) for name, frame in active.items()}
    rows = []
    for measure in NEEDS:
        row = {"way": way, "measure": measure, "value": np.nan, "low": np.nan, "high": np.nan}
        method = f"percentile bootstrap by customer, {draws:,} draws; "
        method += f"{len(present)} intervals hold together (Bonferroni)"
        loyal, new = (values[name].get(measure, np.nan) for name in ("loyal", "new"))
        if measure not in present:
            method = f"the column {NEEDS[measure]!r} of orders {UNMAPPED}"
        elif not enough:
            method = f"fewer than {LEAST} active customers in a group"
        elif not (loyal > 0 and new > 0 and np.isfinite(ends[:, present.index(measure)]).all()):
            method = "no ratio: a group kept nothing that it bought"
        else:
            low, high = ends[:, present.index(measure)]
            row |= {"value": float(loyal / new - 1), "low": float(low), "high": float(high)}
        n = sum(len(frame) for frame in active.values())
        row |= {"n": n, "unit": "lift", "level": level, "method": method, "reading": _reading(row["low"], row["high"])}
        rows.append(row | {"loyal_value": loyal, "new_value": new} | counts | {"article": CLAIMS[measure]})
    return rows


def _reading(low: float, high: float) -> str:
    if np.isnan(low):
        return "not known"
    return "more" if low > 0 else "less" if high < 0 else "no difference told apart"


def _ratio_draws(sums: np.ndarray, seed: list[int], draws: int) -> np.ndarray:
    """Bootstrap draws (rows) of each column's sum by the last column's. From: one row a customer."""
    rng = np.random.default_rng(seed)
    if len(sums) > BLOCKS:
        deal = np.arange(len(sums)) % BLOCKS
        rng.shuffle(deal)
        sums = np.stack([np.bincount(deal, weights=column, minlength=BLOCKS) for column in sums.T], axis=1)
    n = len(sums)
    drawn = np.empty((draws, sums.shape[1]))
    for row in range(draws):
        drawn[row] = np.bincount(rng.integers(0, n, n), minlength=n) @ sums
    return drawn[:, :-1] / drawn[:, -1:]


def lift_estimate(lifts: pd.DataFrame, *, measure: str, way: str = AFTER) -> Estimate:
    """One lift as an estimate. From: `loyal_lift`. Raises UsageError on an unknown measure or way."""
    rows = lifts[(lifts["measure"] == measure) & (lifts["way"] == way)]
    if len(rows) != 1:
        raise UsageError(f"no lift of {measure!r}, {way!r}; measures: {', '.join(NEEDS)}; ways: {AFTER!r}, {SAME!r}.")
    row = rows.iloc[0]
    numbers = (float(row[field]) for field in ("value", "low", "high"))
    return Estimate(*numbers, int(row["n"]), "lift", float(row["level"]), str(row["method"]))


def plot_lift(lifts: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`loyal_lift` as points with intervals: after the cut-off (accent), same period (grey), the article's marked."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.6))[1] if ax is None else ax
    names = [measure for measure in NEEDS if measure in set(lifts["measure"])]
    for way, shift, colour in ((AFTER, -0.14, "C0"), (SAME, 0.14, GREY)):
        rows = lifts[lifts["way"] == way].set_index("measure").reindex(names)
        place = np.arange(len(rows)) + shift
        ax.hlines(place, rows["low"], rows["high"], color=colour, linewidth=1.6)
        ax.plot(rows["value"], place, "o", color=colour, markersize=7, label=way.capitalize())
        for y, row in zip(place, rows.itertuples(), strict=True):
            known = row.high == row.high
            ax.annotate(
                format_value(row.value, "lift") if known else f"not known: {row.method}", (row.high if known else 0, y),
                (6, 0), textcoords="offset points", va="center", fontsize=9, color=INK if known else GREY,
            )  # fmt: skip
    claims = [CLAIMS[name] for name in names]
    ax.plot(claims, np.arange(len(names)) - 0.36, "v", color=INK, markersize=6, label="The article's figure")
    for y, claim in enumerate(claims):
        ax.annotate(format_value(claim, "lift"), (claim, y - 0.36), (6, 0), textcoords="offset points", va="center",
                    fontsize=9)  # fmt: skip
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(names)), [name.capitalize() for name in names])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(x=0.16, y=0.14)
    ax.xaxis.set_major_formatter(lambda share, _: format_value(round(share, 6), "lift"))
    ax.set(xlabel="Loyal against new customers, per active month", title="How much more loyal customers buy")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.6 / ax.figure.get_figheight()), ncols=3)
    return ax


def describe_lift(lifts: pd.DataFrame) -> str:
    """What `plot_lift` shows, for those who cannot see it."""
    parts = []
    for way in (AFTER, SAME):
        known = lifts[(lifts["way"] == way) & lifts["high"].notna()]
        rows = [f"{row.measure} {format_value(row.value, 'lift')}" for row in known.itertuples()]
        parts.append(f"{way}: {', '.join(rows) or 'too few customers to say'}")
    return f"Points with intervals of how much more loyal customers buy than new ones. {'; '.join(parts)}."


def lift_finding(lifts: pd.DataFrame, *, measure: str) -> Finding:
    """loyalty.lift_goods, loyalty.lift_categories or loyalty.lift_revenue. From: `loyal_lift`."""
    return Finding(
        id=f"loyalty.lift_{measure}",
        claim=f"Loyal customers against new ones, {measure} per active month: {{value}} ({{interval}}; who is "
        "loyal was decided before the months measured).",
        estimate=lift_estimate(lifts, measure=measure),
        label=f"Loyal against new customers: {measure} per active month",
        evidence=("loyal_lift",),
        action="Find out by a trial whether what is done for loyal customers makes new ones buy as they do: the lift "
        "alone does not say so.",
    )


def lift_findings(lifts: pd.DataFrame) -> list[Finding]:
    """The lifts as findings; a measure whose column the orders lack is none: it was not assessed."""
    return [lift_finding(lifts, measure=measure) for measure in NEEDS if measure in _mapped(lifts)]


def _mapped(lifts: pd.DataFrame) -> set[str]:
    return set(lifts.loc[~lifts["method"].str.endswith(UNMAPPED), "measure"])


def claims_checked(lifts: pd.DataFrame) -> pd.DataFrame:
    """The article's three lifts beside this client's. From: `loyal_lift`. To: the columns of `findings.check_claim`."""
    rows = [
        check_claim(
            f"Loyal customers against new ones: {measure} {format_value(theirs, 'lift')}",
            source="S4",
            theirs=theirs,
            ours=lift_estimate(lifts, measure=measure),
            cannot_show="Whom the article calls loyal, and in which months it measured, is not stated. Neither figure "
            "shows that loyalty makes people buy more: those who buy more also stay.",
        )
        for measure, theirs in CLAIMS.items()
    ]
    return pd.DataFrame(rows)
