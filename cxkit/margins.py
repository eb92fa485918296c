"""What the shop earns on what customers pay, and what winning and keeping a customer costs."""

import pandas as pd

from cxkit.buyers import PLACES
from cxkit.errors import UsageError
from cxkit.estimates import FIFTH, Estimate, mean, ratio_of_sums, top_share, unknown
from cxkit.findings import Finding, check_claim
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import format_interval, format_value

NEEDED = ("customer_id", "revenue", "discounts", "returns", "goods_margin")
NOT_KNOWN = "neither the goods' costs nor a margin are known"
ABOVE_ONE = "the margin lies above the whole revenue: the goods would cost less than nothing; check the column cost"
ASK_FOR = "The column cost of orders (what the line's goods cost the shop), or margin: in client.yml."
ASK_FOR_KEEPING = (
    "The setting keeping_cost in client.yml (what keeping one customer costs in a period), and the column "
    "acquisition_cost of customers."
)
STATED = "the client's own figure"


def at_client_margin(costs: pd.DataFrame, *, margin: float | None, costs_known: bool) -> pd.DataFrame:
    """The costs with the goods at the client's margin, where what goods cost is not known.

    From: `cost_to_serve.customer_costs`; `margin`: from client.yml, what is left of 1 of revenue, or None;
    `costs_known`: whether orders have a cost of goods. To: the costs as they are where it is known or no margin is
    given; else with a column that says so, and goods_margin such that every customer leaves that share of his revenue.
    `customer_costs` itself takes the goods' costs as spent, returned or not, since it asks what returns cost.
    """
    if costs_known or margin is None:
        return costs
    taken = costs["discounts"].fillna(0.0) + costs["returns"].fillna(0.0)
    return costs.assign(goods_margin=(margin * costs["revenue"] + taken).round(PLACES), **{STATED: margin})


def customer_margin(costs: pd.DataFrame) -> pd.DataFrame:
    """What each customer's orders brought above what the goods cost.

    From: `cost_to_serve.customer_costs`. To, ordered by customer_id: customer_id, revenue (money; here the margin:
    revenue - cost of goods, so that `concentration.concentration`, `gini` and `top_share` tell of profit). Negative
    where a customer gave back more than the goods left. NaN for all where no cost of goods is known.
    What is left out: what contacts cost and what winning the customer cost; goods that came back and were sold again
    are not credited, as in `customer_costs`.
    Raises UsageError where a column is missing.
    """
    if lacking := [name for name in NEEDED if name not in costs]:
        raise UsageError(f"the costs lack {', '.join(lacking)}; take those of cost_to_serve.customer_costs.")
    taken = costs["discounts"].fillna(0.0) + costs["returns"].fillna(0.0)
    margin = (costs["goods_margin"] - taken).astype(float).round(PLACES)
    frame = pd.DataFrame({"customer_id": costs["customer_id"].to_numpy(), "revenue": margin.to_numpy()})
    return frame.sort_values("customer_id", ignore_index=True)


def margin_share(costs: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """What is left of 1 of revenue when the goods are paid for.

    From: `cost_to_serve.customer_costs`. To: Estimate, unit share, n customers: the sum of revenue - cost of goods by
    the sum of revenue, the customers taken as the units. It may lie below 0: goods sold below their cost.
    After `at_client_margin` it is the client's own figure, without an interval.
    Unknown, and why, where no cost is known, with fewer than 5 customers, where the revenue is not above zero, and
    where the margin lies above the revenue (costs below zero).
    Source: as `estimates.ratio_of_sums`. Raises UsageError where a column is missing.
    """
    margin = customer_margin(costs)
    if margin["revenue"].isna().all():
        return unknown("share", n=len(costs), level=level, method=NOT_KNOWN)
    if STATED in costs:
        share = float(costs[STATED].iloc[0])
        return Estimate(share, share, share, len(costs), "share", 1.0, STATED)
    revenue = costs.sort_values("customer_id")["revenue"].to_numpy(dtype=float)
    found = ratio_of_sums(margin["revenue"].to_numpy(dtype=float), revenue, level=level)
    if found.known and found.value > 1:
        return unknown("share", n=found.n, level=level, method=ABOVE_ONE)
    return found


def margin_in_words(share: Estimate) -> str:
    """What the shop earns of its revenue, or why that is not known. From: `margin_share`."""
    if not share.known:
        return f"What the shop earns above the goods' costs is not known: {share.method}. Money here is revenue."
    if share.method == STATED:
        return (
            f"Of what customers pay and keep, {format_value(share.value, 'share')} is left when the goods are paid "
            f"for: {STATED}, not measured."
        )
    ends = format_interval(share)
    return (
        "Of what customers pay, after discounts and returns, "
        f"{format_value(share.value, 'share')} is left when the goods are paid for ({ends}, n = {share.n:,})."
    )


def top_profit_share(costs: pd.DataFrame, *, share: float = FIFTH, level: float = 0.95) -> Estimate:
    """What the most profitable `share` of customers bring of the whole margin.

    From: `cost_to_serve.customer_costs`. To: as `estimates.top_share`; above 1 where the others together cost more
    than they bring. Unknown as `margin_share`.
    """
    whole = margin_share(costs, level=level)
    if not whole.known:
        return unknown("share", n=whole.n, level=level, method=whole.method)
    return top_share(customer_margin(costs)["revenue"].to_numpy(dtype=float), share=share, level=level)


def top_profit_finding(estimate: Estimate, *, share: float = FIFTH) -> Finding:
    """loyalty.top_profit_share: how much of the margin hangs on the most profitable. From: `top_profit_share`."""
    return Finding(
        id="loyalty.top_profit_share",
        claim=f"The {format_value(share, 'share')} of customers who leave most above the goods' costs bring {{value}} "
        "of the whole margin ({interval}).",
        estimate=estimate,
        label=f"Share of the margin from the most profitable {format_value(share, 'share')} of customers",
        higher_is_better=False,  # the more hangs on few, the more is lost with them
        evidence=("profit_curve",),
        action="Look at who brings margin and not at who brings revenue when deciding whom to care for first.",
    )


def claims_checked(costs: pd.DataFrame) -> pd.DataFrame:
    """The 80/20 claim beside this client's own: a claim about profit. From: `cost_to_serve.customer_costs`.

    To: as `findings.check_claim`, one row; where no margin is known the reading says so.
    """
    row = check_claim(
        "80 % of profit comes from 20 % of customers (the article names Gartner)",
        source="S2d",
        theirs=0.80,
        ours=top_profit_share(costs, share=FIFTH),
        cannot_show="Ours is revenue less what the goods cost, over the whole history: what contacts, advertising and "
        "staff cost is not in it, and customers who came early have had longer to buy.",
    )
    return pd.DataFrame([row])


def acquisition_cost(costs: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """What winning a customer cost, where it is known. From: `cost_to_serve.customer_costs`. To: Estimate (money).

    What is left out: what was spent on people who never bought, unless the client's figure holds it.
    """
    known = costs.sort_values("customer_id")["acquisition"].dropna().to_numpy(dtype=float)
    if len(known) < LEAST_SHOWN:
        return unknown("money", n=len(known), level=level, method="what winning a customer costs is not known")
    return mean(known, unit="money", level=level)


def cost_ratio(cost: Estimate, *, keeping_cost: float | None) -> Estimate:
    """What winning a customer costs, as a multiple of what keeping one costs.

    From: `acquisition_cost`, `keeping_cost` (money a customer and period; None: not known). To: Estimate (ratio), the
    interval that of the acquisition cost. Raises UsageError where `keeping_cost` is not above 0.
    """
    if keeping_cost is not None and not keeping_cost > 0:
        raise UsageError(f"keeping_cost must be above 0, or None where it is not known; found {keeping_cost:g}.")
    if keeping_cost is None or not cost.known:
        lacking = "what keeping a customer costs is not given" if keeping_cost is None else cost.method
        return unknown("ratio", n=cost.n, level=cost.level, method=lacking)
    numbers = (getattr(cost, end) / keeping_cost for end in ("value", "low", "high"))
    return Estimate(*numbers, cost.n, "ratio", cost.level, cost.method)


def dearer_claim(ratio: Estimate) -> pd.DataFrame:
    """S2d's "five times dearer to win than to keep" beside this client's own. From: `cost_ratio`.

    To: as `findings.check_claim`, one row; where a cost is not given the reading says so.
    """
    row = check_claim(
        "Winning a customer costs five times what keeping one does (the article names Invesp)",
        source="S2d",
        theirs=5.0,
        ours=ratio,
        cannot_show="What keeping a customer costs is the client's own figure; neither figure says which of the two is "
        "worth more.",
    )
    return pd.DataFrame([row])
