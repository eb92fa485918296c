"""What recommendation brings: customers sent by others, those who sent them, and the promoters among these (S4)."""

from datetime import date

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import (
    Estimate,
    cluster_error,
    holm_levels,
    normal,
    p_values,
    share_difference,
    unknown,
    wilson,
)
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import format_ends, format_interval, format_value

PROMOTER, SCALE = 9, (0, 10)  # who answers 9 or 10 of 0 to 10: Reichheld (2003)
REVENUE, REPEAT = "revenue", "bought again"
MORE, LESS, ALIKE = "more", "less", "too early to say"
NOT_RECORDED = "who sent whom is not recorded"
ASK_FOR = "The column referred_by of customers: by which customer each was sent."


def has_referrals(customers: ibis.Table | None) -> bool:
    """Whether anybody's sender is recorded."""
    if customers is None or "referred_by" not in customers.columns:
        return False
    return bool(collect(customers.aggregate(n=customers.referred_by.count()), order_by="n")["n"].iloc[0])


def referred_buyers(orders: ibis.Table, customers: ibis.Table, *, as_of: date, window_days: int = 180) -> pd.DataFrame:
    """Each customer's sender, and what the customer bought in the first days and altogether.

    From: orders (lines), customers (referred_by). To, ordered by customer_id: customer_id, referred_by (None: nobody
    sent the customer), observed_days (as_of - first order), revenue (amount - refund, all of it), first_revenue (of the
    first `window_days`, the first order counted in), again (bought on a later day within them), recorded (whether the
    customer stands in `customers`; of the others nobody knows who sent them).
    What is left out: customers without a counted order, and senders who are the customer.
    Raises UsageError where `window_days` is below 1, or where `customers` lack referred_by.
    """
    if window_days < 1:
        raise UsageError(f"window_days must be at least 1; found {window_days}.")
    if "referred_by" not in customers.columns:
        raise UsageError(f"table 'customers' lacks 'referred_by'. Ask for it: {ASK_FOR}")
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull())
    totals = totals.mutate(first_on=totals.ordered_on.min().over(ibis.window(group_by="customer_id")))
    age = totals.ordered_on.delta(totals.first_on, unit="day")
    inside = age <= window_days
    people = totals.group_by("customer_id").aggregate(
        first_on=totals.first_on.min(),
        revenue=totals.revenue.sum().round(PLACES),
        first_revenue=totals.revenue.sum(where=inside).fill_null(0.0).round(PLACES),
        again=((age > 0) & inside).any(),
    )
    own = customers.referred_by == customers.customer_id
    sent = customers.select(
        "customer_id", recorded=True, referred_by=own.fill_null(False).ifelse(None, customers.referred_by)
    )
    joined = people.left_join(sent, "customer_id")
    frame = collect(
        joined.select(
            "customer_id",
            "referred_by",
            "revenue",
            "first_revenue",
            "again",
            recorded=joined.recorded.fill_null(False),
            observed_days=ibis.literal(as_of).delta(joined.first_on, unit="day").cast("int64"),
        ),
        order_by="customer_id",
    )
    return (
        frame.astype({"referred_by": object})
        .where(frame.notna(), None)
        .astype({"observed_days": "int64", "revenue": "float64", "first_revenue": "float64", "again": bool})
        .astype({"recorded": bool})
    )


def referred_share(people: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """The share of customers whom another customer sent. From: `referred_buyers`. To: Estimate (share, Wilson).

    What is left out: customers of whom nothing is recorded.
    """
    return wilson(int(people["referred_by"].notna().sum()), int(people["recorded"].sum()), level=level)


def referral_lift(people: pd.DataFrame, *, window_days: int = 180, level: float = 0.95) -> pd.DataFrame:
    """What referred customers buy in their first days, beside all others.

    From: `referred_buyers` of the same `window_days`. To, two rows: measure ("revenue": money a customer in the first
    `window_days`; "bought again": share who did within them), referred, others, difference (money; percentage points)
    with low, high, n (both groups), n_referred, n_others, unit, level, method, verdict (more, less, too early to say).
    Only customers observed for `window_days` are compared. The two differences are a family (Holm): of revenue,
    Welch's with the normal quantile; of the shares, Agresti & Caffo's (one success and one failure added to each).
    What it cannot show: that being sent makes the difference. Friends are like those who send them, and the referred
    may have come at other times. NaN where a group has fewer than 5 customers.
    Source: Welch (1947), Biometrika 34, 28-35; Agresti & Caffo (2000), American Statistician 54(4), 280-288; Holm
    (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    seen = people[people["recorded"] & (people["observed_days"] >= window_days)].sort_values("customer_id")
    sent, rest = (seen[seen["referred_by"].notna() == side] for side in (True, False))
    n, m, rows = len(sent), len(rest), []
    tellable = min(n, m) >= LEAST_SHOWN
    for measure, column, unit in ((REVENUE, "first_revenue", "money"), (REPEAT, "again", "points")):
        x, y = (side[column].to_numpy(dtype=float) for side in (sent, rest))
        row = {"measure": measure, "unit": unit, "method": "Welch" if unit == "money" else "Agresti-Caffo"}
        if not tellable:
            row |= dict.fromkeys(("referred", "others", "difference", "centre", "error"), np.nan)
            row["method"] = f"fewer than {LEAST_SHOWN} customers observed for {window_days} days in one of the groups"
        elif unit == "money":
            gap, error = x.mean() - y.mean(), np.sqrt(x.var(ddof=1) / n + y.var(ddof=1) / m)
            row |= {"referred": x.mean(), "others": y.mean(), "difference": gap, "centre": gap, "error": error}
        else:
            p, q = (x.sum() + 1) / (n + 2), (y.sum() + 1) / (m + 2)
            error = 100 * np.sqrt(p * (1 - p) / (n + 2) + q * (1 - q) / (m + 2))
            row |= {"referred": x.mean(), "others": y.mean(), "difference": 100 * (x.mean() - y.mean())}
            row |= {"centre": 100 * (p - q), "error": error}
        rows.append(row)
    frame = pd.DataFrame(rows).assign(n=n + m, n_referred=n, n_others=m)
    centre, error = frame["centre"].to_numpy(dtype=float), frame["error"].to_numpy(dtype=float)
    levels = holm_levels(p_values(centre, error), level=level)
    gaps = [
        normal(at, spread, n + m, unit=unit, level=own)
        for at, spread, unit, own in zip(centre, error, frame["unit"], levels, strict=True)
    ]
    told = {end: [getattr(gap, end) for gap in gaps] for end in ("low", "high", "level")}
    verdicts = [MORE if gap.low > 0 else LESS if gap.high < 0 else ALIKE for gap in gaps]
    names = ["measure", "referred", "others", "difference", "low", "high", "n", "n_referred", "n_others", "unit",
             "level", "method", "verdict"]  # fmt: skip
    return frame.assign(**told, verdict=verdicts)[names]


def referrers(people: pd.DataFrame) -> pd.DataFrame:
    """Those who sent others: what they bought, and what those whom they sent bought; who brought most first.

    From: `referred_buyers`. To: customer_id (the sender's pseudonym), brought (customers), brought_revenue (theirs, up
    to now), own_revenue (0 where the sender never bought), together (both). Only those sent directly are counted, not
    whom these sent in turn.
    """
    sent = people[people["referred_by"].notna()].sort_values("customer_id")
    by = sent.groupby("referred_by", sort=True)["revenue"]
    table = pd.DataFrame({"brought": by.size(), "brought_revenue": by.sum().round(PLACES)})
    table = table.rename_axis("customer_id").reset_index()
    own = people.set_index("customer_id")["revenue"]
    table["own_revenue"] = table["customer_id"].map(own).astype(float).fillna(0.0)
    table["together"] = (table["brought_revenue"] + table["own_revenue"]).round(PLACES)
    order = table.sort_values(["brought_revenue", "customer_id"], ascending=[False, True], ignore_index=True)
    return order.astype({"brought": "int64", "brought_revenue": "float64"})


def referral_value(senders: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """What those whom a sender brought bought, as a share of what the senders bought themselves (all together).

    From: `referrers`. To: Estimate, unit share, the senders as units: 0.8 is 80 % on top of their own purchases, and it
    may lie above 1. Unknown with fewer than 5 senders, or where they bought nothing themselves.
    Source: the customer's referral value is S4's; Kumar, Petersen & Leone (2010), Journal of Marketing 74(5), 1-17,
    take what would not have come without the referral; that is not in these data, so this is its upper end. The error
    as `estimates.cluster_error`.
    """
    table = senders.sort_values("customer_id")
    part, whole = table["brought_revenue"].to_numpy(dtype=float), table["own_revenue"].to_numpy(dtype=float)
    n, total = len(table), float(whole.sum())
    if n < LEAST_SHOWN or not total > 0:
        return unknown("share", n=n, level=level, method="too few senders, or they bought nothing themselves")
    value = float(part.sum()) / total
    error = float(cluster_error((part**2).sum(), (part * whole).sum(), (whole**2).sum(), total, value, n))
    return normal(value, error, n, unit="share", level=level, method="linearised ratio by sender")


def promoters(
    surveys: ibis.Table | None, people: pd.DataFrame, *, scale: tuple[float, float] | None, level: float = 0.95
) -> tuple[pd.DataFrame, Estimate]:
    """Do promoters really recommend: the share of them who sent somebody, beside the others who answered.

    From: surveys (answered_at, metric, score, customer_id), `referred_buyers`, `scale`: of nps, from client.yml. To:
    group (promoters, others), customers, senders, value, low, high, n, level, method (Wilson); and the difference
    (Estimate, percentage points, Newcombe). A customer's latest answer counts (of several at one time the lowest); a
    promoter answers 9 or 10 on the scale from 0 to 10.
    Unknown, and why, where the scale is another, where nobody answered, or with fewer than 5 customers in a group.
    What it cannot show: what came first. Who has sent a friend may answer the better for it.
    Source: Reichheld (2003), Harvard Business Review 81(12), 46-54; Newcombe (1998), Statistics in Medicine 17(8).
    """
    blank = pd.DataFrame(columns=["group", "customers", "senders", "value", "low", "high", "n", "level", "method"])
    if surveys is None or "customer_id" not in surveys.columns:
        return blank, unknown("points", level=level, method="no answers to surveys are known by customer")
    if scale is None or tuple(scale) != SCALE:
        said = "not declared" if scale is None else f"{scale[0]:g} to {scale[1]:g}"
        why = f"promoters are defined on the scale 0 to 10; that of nps is {said}"
        return blank, unknown("points", level=level, method=why)
    asked = surveys.filter(surveys.metric == "nps", surveys.score.notnull(), surveys.customer_id.notnull())
    latest = asked.answered_at == asked.answered_at.max().over(ibis.window(group_by="customer_id"))
    last = asked.filter(latest).group_by("customer_id").aggregate(score=lambda t: t.score.min())
    answers = collect(last, order_by="customer_id")
    answers = answers[answers["customer_id"].isin(people["customer_id"])]
    sends = answers["customer_id"].isin(set(people["referred_by"].dropna()))
    rows, counts = [], []
    for group, inside in (("promoters", answers["score"] >= PROMOTER), ("others", answers["score"] < PROMOTER)):
        n, senders = int(inside.sum()), int((inside & sends).sum())
        counts += [senders, n]
        if n < LEAST_SHOWN:
            why = f"fewer than {LEAST_SHOWN} {group} among those who answered"
            return blank, unknown("points", n=len(answers), level=level, method=why)
        share = wilson(senders, n, level=level)
        told = {field: getattr(share, field) for field in ("value", "low", "high", "n", "level", "method")}
        rows.append({"group": group, "customers": n, "senders": senders} | told)
    return pd.DataFrame(rows), share_difference(*counts, level=level)


def referrals_in_words(share: Estimate, lift: pd.DataFrame, senders: pd.DataFrame, *, currency: str = "",
                       window_days: int = 180) -> list[str]:  # fmt: skip
    """What recommendation brings, in sentences. From: `referred_share`, `referral_lift`, `referrers`."""
    if not share.known:
        return [f"What recommendation brings: too early to say ({share.method})."]
    texts = [
        f"{format_value(share.value, 'share')} of customers were sent by another one ({format_interval(share)}, n = "
        f"{share.n:,})."
    ]
    money, again = (lift[lift["measure"] == name].iloc[0] for name in (REVENUE, REPEAT))
    if np.isfinite(money["low"]):
        texts.append(
            f"In their first {window_days} days (n = {money['n']:,.0f}) they brought "
            f"{format_value(money['referred'], 'money', currency)} each, the others "
            f"{format_value(money['others'], 'money', currency)} (difference "
            f"{format_ends(money['low'], money['high'], 'money', currency)}: {money['verdict']}); "
            f"{format_value(again['referred'], 'share')} and {format_value(again['others'], 'share')} bought again "
            f"(difference {format_ends(again['low'], again['high'], 'points')} points: {again['verdict']})."
        )
    else:
        texts.append(f"Whether they buy more: too early to say ({money['method']}).")
    value = referral_value(senders)
    if value.known:
        texts.append(
            f"{len(senders):,} customers sent somebody. Those whom they sent bought for "
            f"{format_value(value.value, 'share')} of what the senders themselves bought in these data "
            f"({format_interval(value)}, n = {value.n:,})."
        )
    return texts


def promoters_in_words(table: pd.DataFrame, gap: Estimate) -> str:
    """Whether promoters recommend more than the others, in a sentence. From: `promoters`."""
    if not gap.known:
        return f"Whether promoters recommend more than others was not assessed: {gap.method}."
    shares = [f"{format_value(r.value, 'share')} of {r.group} (n = {r.n:,})" for r in table.itertuples()]
    word = "more than the others" if gap.low > 0 else "less than the others" if gap.high < 0 else ALIKE
    return (
        f"By their latest answer, {' and '.join(shares)} have sent somebody: a difference of "
        f"{format_value(gap.value, 'points')} percentage points ({format_interval(gap)}), {word}."
    )


def referral_findings(
    share: Estimate, lift: pd.DataFrame, gap: Estimate, *, promoters: pd.DataFrame | None = None,
    window_days: int = 180,
) -> list[Finding]:  # fmt: skip
    """loyalty.referred_share, loyalty.referral_lift and loyalty.promoters_refer.

    From: `referred_share`, `referral_lift`, the difference of `promoters` and its table, for the shares themselves.
    """
    shares = {} if promoters is None else dict(zip(promoters["group"], promoters["value"], strict=True))
    sent = {group: format_value(value, "share").removesuffix(" %") for group, value in shares.items()}
    told = "The share who sent somebody differs between promoters and the others who answered by"
    if sent:
        told = f"Of 100 promoters {sent['promoters']} have sent somebody, "
        told += f"of the others who answered {sent['others']}: a difference of"
    row = lift[lift["measure"] == REVENUE].iloc[0]
    numbers = (float(row[name]) for name in ("difference", "low", "high"))
    more = Estimate(*numbers, int(row["n"]), "money", float(row["level"]), str(row["method"]))
    return [
        Finding(
            id="loyalty.referred_share",
            claim="{value} of customers were sent by another customer ({interval}).",
            estimate=share,
            label="Share of customers sent by another customer",
            evidence=("referral_lift",),
            action="Ask those who sent others what they say of the shop, and make it easy to say it.",
        ),
        Finding(
            id="loyalty.referral_lift",
            claim=f"Referred customers against the others, in their first {window_days} days: {{value}} each "
            "({interval}).",
            estimate=more,
            label=f"What referred customers bring beyond others in {window_days} days",
            target=0.0,
            target_source="no difference",
            evidence=("referral_lift",),
        ),
        Finding(
            id="loyalty.promoters_refer",
            claim=f"{told} {{value}} percentage points ({{interval}}).",
            estimate=gap,
            label="Promoters who sent somebody, against the others who answered",
            target=0.0,
            target_source="no difference",
            evidence=("promoters",),
            action="Thank promoters soon after their answer, and give them something to pass on.",
        ),
    ]
