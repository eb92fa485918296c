"""How often do customers need help: contacts beside orders, their course, and who has to ask again."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.estimates import Estimate, cluster_error, unknown, wilson_ends
from cxkit.findings import Finding
from cxkit.rate_trends import (
    ALIKE,
    EARLY,
    GROWS,
    daily_orders,
    latest_rate,
    month_counts,
    monthly_rates,
    trend_estimate,
    trend_text,
    trends,
)
from cxkit.style import format_ends, format_interval, format_value

AGAIN_DAYS = 14  # a second contact about the same within so many days is a repeat
AGAIN = "Wilson with effective counts; customers are the units"


def contacts_of(tables: Mapping[str, Table]) -> Table:
    """The client's contacts; where there are none, a table without rows, so that a page need not ask each time.

    From: canonical tables by name, orders among them. What is left out: the time of the first answer, or of the
    solution, where not one contact has it: that nobody was ever answered is less likely than that nobody wrote it down.
    """
    if "contacts" in tables:
        contacts = tables["contacts"]
        times = [name for name in ("first_answer_at", "solved_at") if name in contacts.columns]
        seen = contacts.aggregate(n=contacts.count(), **{name: contacts[name].count() for name in times})
        counted = collect(seen, order_by="n").iloc[0]
        return contacts.drop(*[name for name in times if not counted[name]])
    orders = tables["orders"]  # of the same engine, so that the two can be joined
    nobody = dict.fromkeys(("contact_id", "customer_id"), ibis.null("string"))
    return orders.filter(ibis.literal(False)).select(**nobody, opened_at=orders.ordered_at, opened_on=orders.ordered_on)


def assessed(*findings: Finding | Iterable[Finding]) -> list[Finding]:
    """Those of the findings that rest on something: what nothing was counted for is not assessed, and no finding."""
    flat = [f for item in findings for f in ([item] if isinstance(item, Finding) else item)]
    return [f for f in flat if f.estimate.n]


def contact_rates(contacts: Table, orders: Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """Contacts a hundred orders by local month. To: as `rate_trends.monthly_rates`, of one name ("all").

    The first month and the one that `as_of` cuts are shown and not used (`whole` is false).
    """
    counts = month_counts(contacts, day="opened_on", as_of=as_of)
    return monthly_rates(counts, daily_orders(orders, as_of=as_of), as_of=as_of, level=level)


def contact_trend(rates: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The growth a year of all contacts together, one row as `rate_trends.trends`. From: `contact_rates`."""
    return trends(rates, level=level)


def rate_finding(rates: pd.DataFrame, *, months: int = 3) -> Finding:
    """service.contacts_per_100: contacts a hundred orders over the latest whole months. From: `contact_rates`."""
    used = min(months, int(rates["whole"].sum()))
    when = f"the latest {used} whole months" if used != 1 else "the latest whole month"
    return Finding(
        id="service.contacts_per_100",
        claim=f"In {when} there were {{value}} contacts a hundred orders ({{interval}}).",
        estimate=latest_rate(rates, months=months),
        label="Contacts a hundred orders",
        higher_is_better=False,
        evidence=("contact_rates",),
        action="Begin with the reason that grows, else with the commonest one.",
    )


def trend_finding(trend: pd.DataFrame) -> Finding:
    """service.contact_trend: the growth a year of contacts a hundred orders. From: `contact_trend`.

    Judged against no change: S4 says that contacts beside orders ought to fall.
    """
    return Finding(
        id="service.contact_trend",
        claim="Contacts a hundred orders changed by {value} a year ({interval}).",
        estimate=trend_estimate(trend),
        label="Change of contacts a hundred orders",
        target=0.0,
        target_source="no change (S4: they ought to fall)",
        higher_is_better=False,
        evidence=("contact_rates",),
        action="See which reasons grow, and mend what makes people ask.",
    )


def repeats(contacts: Table, *, as_of: date, within_days: int = AGAIN_DAYS) -> pd.DataFrame:
    """After how many contacts the same customer asked about the same again within `within_days`.

    From: contacts with opened_at, opened_on, customer_id, `name` (the reason: `contact_reasons.by_reason`). To, ordered
    by name: name, count (contacts that could be followed so long), again (of them, followed by another), customers,
    and the sums over customers that errors rest on: again_sq, cross, count_sq.
    What is left out: contacts without a customer, or of the last `within_days`. Two reasons of one customer are two
    questions, also where the client's list of reasons cuts one into two; all contacts without a reason are taken for
    the same.
    """
    if "customer_id" not in contacts.columns:
        contacts = contacts.mutate(customer_id=ibis.null("string"))
    known = contacts.filter(contacts.customer_id.notnull(), contacts.opened_on <= ibis.literal(as_of))
    order = ["opened_at", "contact_id"] if "contact_id" in contacts.columns else ["opened_at"]
    after = ibis.window(group_by=["customer_id", "name"], order_by=order)
    known = known.mutate(next_on=known.opened_on.lead().over(after))
    whole = known.filter(known.opened_on <= ibis.literal(as_of - timedelta(days=within_days)))
    asked = (whole.next_on.delta(whole.opened_on, unit="day") <= within_days).fill_null(False)
    whole = whole.mutate(again=asked.ifelse(1, 0))
    cells = whole.group_by("name", "customer_id").aggregate(count=whole.count(), again=whole.again.sum())
    table = cells.group_by("name").aggregate(
        count=cells["count"].sum(),
        again=cells["again"].sum(),
        customers=cells.count(),
        again_sq=(cells["again"] * cells["again"]).sum(),
        cross=(cells["again"] * cells["count"]).sum(),
        count_sq=(cells["count"] * cells["count"]).sum(),
    )
    return collect(table, order_by="name").astype(dict.fromkeys(REPEATS[1:], "int64"))


REPEATS = ("name", "count", "again", "customers", "again_sq", "cross", "count_sq")


def repeat_shares(repeats: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The share of contacts followed by another about the same, by reason. From: `repeats`. To: the same rows by
    falling share, with value, low, high, n, level, method; NaN where under five customers asked."""
    count, again, customers = (repeats[name].to_numpy(dtype=float) for name in ("count", "again", "customers"))
    low, high, value = _clustered(repeats, again, count, customers, level)
    few = customers < 5
    frame = repeats.assign(
        value=np.where(few, np.nan, value), low=np.where(few, np.nan, low), high=np.where(few, np.nan, high),
        n=repeats["count"], level=level, method=np.where(few, "withheld: fewer than 5 customers", AGAIN),
    )  # fmt: skip
    return frame.sort_values(["value", "name"], ascending=[False, True], ignore_index=True)


def repeat_share(repeats: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """The same of all reasons together. From: `repeats`. To: Estimate, unit share; n contacts. A customer who asked
    about several things is taken for as many customers, one a reason."""
    if not len(repeats):
        return unknown("share", level=level, method="no contact of a known customer could be followed so long")
    whole = repeats[list(REPEATS[1:])].sum().to_frame().T
    low, high, value = _clustered(
        whole, *(whole[name].to_numpy(dtype=float) for name in ("again", "count", "customers")), level
    )
    return Estimate(float(value[0]), float(low[0]), float(high[0]), int(whole["count"].iloc[0]), "share", level, AGAIN)


def _clustered(sums: pd.DataFrame, again, count, customers, level: float) -> tuple[np.ndarray, ...]:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = again / count
        error = cluster_error(sums["again_sq"], sums["cross"], sums["count_sq"], count, value, customers)
        effective = np.where(error > 0, value * (1 - value) / error**2, customers)
    effective = np.fmin(effective, count)
    low, high = wilson_ends(value * effective, effective, level=level)
    return low, high, value


def repeat_finding(share: Estimate, *, within_days: int = AGAIN_DAYS) -> Finding:
    """service.repeat_contacts: contacts after which the same customer had to ask again. From: `repeat_share`."""
    return Finding(
        id="service.repeat_contacts",
        claim=f"{{value}} of contacts are followed by another of the same customer about the same within {within_days} "
        "days ({interval}).",
        estimate=share,
        label="Contacts followed by another about the same",
        higher_is_better=False,
        evidence=("repeats",),
        action="Read those conversations: what did the first answer leave open?",
    )


def rates_in_words(rates: pd.DataFrame, trend: pd.DataFrame, *, months: int = 3) -> list[str]:
    """The rate of the latest whole months and its course. From: `contact_rates`, `contact_trend`."""
    latest = latest_rate(rates, months=months)
    if not latest.known:
        return ["Contacts a hundred orders: too early to say; no month is whole yet."]
    used = rates[rates["whole"]].tail(months)
    since, to = (f"{used['month'].iloc[i]:%Y-%m}" for i in (0, -1))
    when = since if since == to else f"{since} to {to}"
    texts = [
        f"There were {format_value(latest.value, 'ratio')} contacts a hundred orders "
        f"({format_interval(latest)}, {latest.n:,} contacts) in {when}."
    ]
    row = trend.iloc[0]
    if row["verdict"] == EARLY:
        texts.append(f"Whether they grow is too early to say: {row['method']}.")
    elif row["verdict"] == ALIKE:
        texts.append(f"Whether they grow or fall cannot be told from {row['months']} months: {trend_text(row)}.")
    else:
        verb = "grow" if row["verdict"] == GROWS else "fall"
        ought = "ought to fall" if verb == "grow" else "ought to do so"
        texts.append(f"Beside orders they {verb}: {trend_text(row)}; S4 says that they {ought}.")
    return texts


def describe_rates(rates: pd.DataFrame, trend: pd.DataFrame) -> str:
    """What `rate_trends.plot_rates` shows of all contacts, for those who cannot see it."""
    seen = rates[rates["whole"]]
    if not len(seen):
        return "Contacts a hundred orders by month; no month is whole yet."
    first, last = (format_value(seen["value"].iloc[i], "ratio") for i in (0, -1))
    row = trend.iloc[0]
    course = "" if row["verdict"] == EARLY else f" Course fitted: {trend_text(row)}; verdict: {row['verdict']}."
    return (
        f"Contacts a hundred orders in {len(seen)} whole months, with intervals: {first} in "
        f"{seen['month'].iloc[0]:%Y-%m}, {last} in {seen['month'].iloc[-1]:%Y-%m}.{course}"
    )


def repeats_in_words(share: Estimate, shares: pd.DataFrame) -> list[str]:
    """The share of contacts asked again, and where it is highest for certain. From: `repeat_share`, `repeat_shares`."""
    if not share.known:
        return [f"Who has to ask again is too early to say: {share.method}."]
    texts = [
        f"{format_value(share.value, 'share')} of contacts are followed by another about the same "
        f"({format_interval(share)}, n = {share.n:,})."
    ]
    above = shares[shares["low"] > share.high]
    if len(above):
        row = above.iloc[0]
        texts.append(
            f"Most with {row['name']}: {format_value(row['value'], 'share')} "
            f"({format_ends(row['low'], row['high'], 'share')})."
        )
    return texts
