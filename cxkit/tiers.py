"""How much hangs on the best customers, who of them stays, and which good ones could become the best: value tiers."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import Estimate, ranked_share, unknown, wilson
from cxkit.findings import Finding, check_claim
from cxkit.group_table import (
    GIVEN_BACK,
    LEAST_SHOWN,
    describe_groups,
    given_back,
    paired_bars,
    share_of_sum,
    withhold_groups,
)
from cxkit.privacy import withhold_small
from cxkit.style import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TIERS = ("indifferent", "good", "great")
ARTICLE_SHARES = (0.70, 0.20, 0.10)  # S3: "let us suppose", so quoted beside the client's own, never a target
MOST_ORDERS = 3  # a good customer who lacks more usual orders than this is not near the great tier
OVERDUE = 2.0  # times the customer's own median gap without an order
STANDINGS = {
    "near": "not overdue, and the missing money lies within a few of their usual orders",
    "overdue": "without an order for longer than their rhythm lets expect: win them back first",
    "far": "the missing money is more than a few of their usual orders",
    "rhythm not known": "one order so far, or all on one day: nothing tells when the next is due",
    "no border": f"fewer than {LEAST_SHOWN} customers are in the great tier, so there is no border to reach",
}


def tier_of(rfm: pd.DataFrame, *, shares: tuple[float, ...] = ARTICLE_SHARES) -> pd.DataFrame:
    """Which of the three tiers each customer is in, by revenue rank.

    From: customer_id, monetary (`segments.rfm`, or the features); `shares` of customers from the lowest tier up
    (indifferent, good, great). To, ordered by customer_id: customer_id, tier.
    Ties: customers of equal revenue stay together in the lower tier, so the split may differ from the one supposed.
    Where all spent the same, nobody stands above the others and the great tier is empty.
    Source: S3 supposes 70/20/10 and describes the tiers by attachment; ranking by revenue is our reading.
    Raises UsageError where the shares are not three positive numbers that add up to 1.
    """
    place = _place(rfm["monetary"].to_numpy(dtype=float), shares)
    frame = pd.DataFrame({"customer_id": rfm["customer_id"].to_numpy(), "tier": np.array(TIERS, dtype=object)[place]})
    return frame.sort_values("customer_id", ignore_index=True)


def _place(revenue: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """The number of each one's tier, 0 the lowest."""
    if len(shares) != len(TIERS) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise UsageError(f"shares must be three positive numbers that add up to 1; found {shares}.")
    n = len(revenue)
    if not n:
        return np.zeros(0, dtype=int)
    ordered = np.sort(revenue)
    # the customer up to whom a tier reaches; rounded first, since 0.7 + 0.2 lies below 0.9
    ends = [int(np.ceil(round(n * share, 6))) - 1 for share in np.cumsum(shares[:-1])]
    return np.searchsorted(ordered[ends], revenue, side="left")


def tiers(rfm: pd.DataFrame, *, shares: tuple[float, ...] = ARTICLE_SHARES) -> pd.DataFrame:
    """Customers in three tiers by revenue rank, with the split that came out and what each tier brings.

    From: `rfm`; `shares` of customers from the lowest tier up (indifferent, good, great).
    To: tier, customers, share_of_customers, article_share (the share supposed), revenue, share_of_revenue with low,
    high, n, level, method; revenue_from (the lowest revenue in the tier), revenue_per_customer, orders_per_customer,
    bought_once (share of the tier with one order).
    Ties and Source: as `tier_of`. Where the great tier is empty, its share is unknown.
    What is left out: the numbers of small tiers, as in `group_table.group_table`.
    The share of revenue follows from ranking by revenue: it says how concentrated revenue is, not who is attached.
    Raises UsageError where the shares are not three positive numbers that add up to 1.
    """
    place = _place(rfm["monetary"].to_numpy(dtype=float), shares)
    revenue, n = rfm["monetary"].to_numpy(dtype=float), len(rfm)
    rows, below = [], 0
    for number, tier in enumerate(TIERS):
        inside = place == number
        customers = int(inside.sum())
        start, stop = ((n - below - customers) / n, (n - below) / n) if n else (0.0, 0.0)
        held = ranked_share(revenue, start=start, stop=stop)
        if held.known and not customers:  # the formula would give nobody an interval of no width
            above = "no customer stands above the others" if tier == TIERS[-1] else "nobody in the tier"
            held = unknown("share", n=n, method=above)
        if given_back(revenue):
            held = unknown("share", n=n, method=GIVEN_BACK)
        rows.append(
            {
                "tier": tier,
                "customers": customers,
                "share_of_customers": customers / n if n else np.nan,
                "article_share": shares[number],
                "revenue": round(float(revenue[inside].sum()), 4),
                "share_of_revenue": np.nan if given_back(revenue) else share_of_sum(revenue, inside),
                **{field: getattr(held, field) for field in ("low", "high", "n", "level", "method")},
                "revenue_from": float(revenue[inside].min()) if customers else np.nan,
                "revenue_per_customer": float(revenue[inside].mean()) if customers else np.nan,
                "orders_per_customer": float(rfm["frequency"].to_numpy()[inside].mean()) if customers else np.nan,
                "bought_once": float((rfm["frequency"].to_numpy()[inside] == 1).mean()) if customers else np.nan,
            }
        )
        below += customers
    return withhold_groups(pd.DataFrame(rows[::-1]))


def plot_tiers(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`tiers` as pairs of bars, with the share of customers that the article supposes as a tick."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.0))[1] if ax is None else ax
    supposed = table["article_share"].to_numpy()
    paired_bars(ax, table, [tier.capitalize() for tier in table["tier"]], ticks=supposed)
    ax.set_title("Tiers by revenue rank")
    return ax


def describe_tiers(table: pd.DataFrame) -> str:
    """What `plot_tiers` shows. From: `tiers`."""
    sentence = "The {name} tier is {customers} of customers and brings {revenue} of revenue."
    return describe_groups(table.rename(columns={"tier": "group"}), kind="tier", sentence=sentence)


def great_share_finding(table: pd.DataFrame) -> Finding:
    """segments.great_share: how much of the revenue hangs on the great tier. From: `tiers`."""
    row = table[table["tier"] == TIERS[-1]].iloc[0]
    n, level, method = int(row["n"]), float(row["level"]), row["method"]
    share, low, high = (float(row[name]) for name in ("share_of_revenue", "low", "high"))
    known = np.isfinite(low)
    return Finding(
        id="segments.great_share",
        claim=f"The {format_value(row['share_of_customers'], 'share')} of customers who spent most bring {{value}} of "
        "what all customers spent ({interval}).",
        estimate=Estimate(share if known else low, low, high, n, "share", level, method),
        label="Share of revenue from the great tier",
        higher_is_better=False,  # the more hangs on few, the more is lost with them
        evidence=("tiers",),
        action="Know the customers of the great tier, watch who goes quiet, and enlarge the tier from the good.",
    )


def claims_checked(rfm: pd.DataFrame) -> pd.DataFrame:
    """The article's 70 % of indifferent customers beside this client's share of customers with one order.

    From: `rfm`. To: the columns of `findings.check_claim`, one row: by rank the tiers are 70/20/10 by construction.
    """
    row = check_claim(
        "70 % of customers are indifferent: no bond, bought maybe once (the article says: let us suppose)",
        source="S3",
        theirs=ARTICLE_SHARES[0],
        ours=wilson(int((rfm["frequency"] == 1).sum()), len(rfm)),
        cannot_show="Ours is the share of customers with one order so far; some of them are new and will return. "
        "Attachment itself is not in order data: ask for it.",
    )
    return pd.DataFrame([row])


NO_ORDER = "no order in that time"


def tier_moves(
    then: pd.DataFrame, now: pd.DataFrame, *, shares: tuple[float, ...] = ARTICLE_SHARES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tiers at two dates, in the shape in which moves between groups are counted.

    From: `segments.rfm` at the earlier and at the later date, best over as many `days` each: revenue of a whole history
    only grows, so that nobody would ever fall behind but by others' overtaking him.
    To: two frames customer_id, group (the tier's name), ordered by customer_id. Who is in the earlier one alone is in
    the later one too, as "no order in that time".
    """
    before, after = (tier_of(rfm, shares=shares).rename(columns={"tier": "group"}) for rfm in (then, now))
    gone = before[~before["customer_id"].isin(after["customer_id"])].assign(group=NO_ORDER)
    return before, pd.concat([after, gone]).sort_values("customer_id", ignore_index=True)


def great_kept(then: pd.DataFrame, now: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """The share of the great tier then who are in it now.

    From: `tier_moves`. To: Estimate, unit share, over those who were great then; whoever is in no tier now counts as
    gone. Unknown, and withheld, where fewer than five were great.
    What it cannot show: why. Some go by chance alone, since one large order lifts a customer for a time; so compare
    with the shop's own target or an earlier audit, never with 100 %.
    """
    great = set(then.loc[then["group"] == TIERS[-1], "customer_id"])
    if len(great) < LEAST_SHOWN:
        return unknown("share", level=level, method=f"fewer than {LEAST_SHOWN} customers were in the great tier")
    kept = great & set(now.loc[now["group"] == TIERS[-1], "customer_id"])
    return wilson(len(kept), len(great), level=level)


def great_kept_finding(kept: Estimate, *, days: int) -> Finding:
    """segments.great_kept: who was great `days` days ago and still is. From: `great_kept`."""
    return Finding(
        id="segments.great_kept",
        claim=f"Of the customers who were in the great tier {days:,} days ago, {{value}} still are ({{interval}}).",
        estimate=kept,
        label="Share of the great tier that stayed great",
        evidence=("tier_moves",),
        action="Ask those who left the tier what changed, those who spent most first, before offering anything.",
    )


def good_customers(
    features: pd.DataFrame, tier: pd.DataFrame, *, most_orders: float = MOST_ORDERS, overdue: float = OVERDUE
) -> pd.DataFrame:
    """The customers of the good tier, and how near each is to the great one; the nearest first.

    From: `features.read_features` (customer_id, orders, monetary, order_value, recency_days, median_gap_days), and
    `tier_of` the same customers. To: those columns, to_great (money still missing to the lowest revenue in the great
    tier), orders_to_great (that money in usual orders of this customer, rounded up), standing (one of STANDINGS).
    The rule, in this order: fewer than two days with an order, rhythm not known; more than `overdue` times the
    customer's own median gap since the last order, overdue; more than `most_orders` usual orders missing, far; else
    near. The numbers of the rule are ours. Order values are before returns: who returns much is farther than it seems.
    What it cannot show: the border is today's, and moves on when others spend; tiers are ranks, so one who rises passes
    another.
    Raises UsageError where a column is missing, or a customer with a tier has no features.
    """
    needed = ["customer_id", "orders", "monetary", "order_value", "recency_days", "median_gap_days"]
    if lacking := [name for name in needed if name not in features]:
        raise UsageError(f"the features lack {', '.join(lacking)}; take those of features.read_features.")
    strange = tier.loc[~tier["customer_id"].isin(features["customer_id"]), "customer_id"]
    if len(strange):
        raise UsageError(
            f"{len(strange):,} customers have a tier but no features, such as {strange.min()}; make both at the same "
            "date."
        )
    people = features[needed].merge(tier[["customer_id", "tier"]], on="customer_id")
    great = people.loc[people["tier"] == TIERS[-1], "monetary"]
    good = people[people["tier"] == TIERS[1]].drop(columns="tier")
    missing = (great.min() if len(great) >= LEAST_SHOWN else np.nan) - good["monetary"]
    usual = good["order_value"].where(good["order_value"] > 0)
    gap = good["median_gap_days"].where((good["median_gap_days"] >= 1) & (good["orders"] > 1))
    away = missing / usual
    standing = np.select(
        [missing.isna(), gap.isna(), good["recency_days"] > overdue * gap, ~(away <= most_orders)],
        ["no border", "rhythm not known", "overdue", "far"],
        "near",
    )
    good = good.assign(to_great=missing.round(4), orders_to_great=np.ceil(away.round(6)), standing=standing)
    return good.assign(away=away).sort_values(["away", "customer_id"], ignore_index=True).drop(columns="away")


def standing_table(good: pd.DataFrame) -> pd.DataFrame:
    """How many good customers are near the great tier, and why the others are not.

    From: `good_customers`. To: standing, customers, meaning, in the order of STANDINGS, without those nobody has; the
    numbers of small groups are withheld (see `privacy.withhold_small`).
    """
    counts = good["standing"].value_counts().reindex(list(STANDINGS), fill_value=0)
    table = pd.DataFrame({"standing": counts.index, "customers": counts.to_numpy(), "meaning": STANDINGS.values()})
    return withhold_small(table[table["customers"] > 0].reset_index(drop=True), count="customers", least=LEAST_SHOWN)


def promotable(
    features: pd.DataFrame,
    tier: pd.DataFrame,
    *,
    most_orders: float = MOST_ORDERS,
    overdue: float = OVERDUE,
    currency: str = "",
) -> pd.DataFrame:
    """The good customers who could become the best, the nearest first, with the reason for each.

    From, the rule and what it cannot show: as `good_customers`, of whom it keeps those near. To: customer_id, monetary,
    to_great, order_value (money), orders_to_great (orders), recency_days, median_gap_days (days), reason (a sentence
    with this customer's own numbers).
    Source: S3 advises to care for the best group most and to enlarge it from the good ones; the rule is ours.
    """
    near = good_customers(features, tier, most_orders=most_orders, overdue=overdue)
    near = near[near["standing"] == "near"].reset_index(drop=True)
    near = near.assign(
        reason=[_reason(row, currency) for row in near.itertuples()],
        orders_to_great=near["orders_to_great"].astype("int64"),
    )
    return near[["customer_id", "monetary", "to_great", "order_value", "orders_to_great", "recency_days",
                 "median_gap_days", "reason"]]  # fmt: skip


def _reason(row: tuple, currency: str) -> str:
    spent, missing, usual = (format_value(v, "money", currency) for v in (row.monetary, row.to_great, row.order_value))
    more = int(row.orders_to_great)
    orders = f"one more usual order of {usual}" if more <= 1 else f"{more} usual orders of {usual}"
    return (
        f"Spent {spent} in {row.orders:,} orders; {missing} short of the great tier, about {orders}. Days between "
        f"orders (median): {format_value(row.median_gap_days, 'count')}; since the last: {row.recency_days:,}."
    )
