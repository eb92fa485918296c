"""Do orders arrive when they were promised, where do they not, and what do customers do then?"""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.buyers import marked_ordered_again
from cxkit.engine import collect
from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.rate_trends import GROWS, month_counts, monthly_rates, trend_text
from cxkit.shares_apart import ALIKE, FEW, MORE, beside, certain, how_often, share_of, shares_apart, surely_more
from cxkit.style import format_interval, format_value, in_quotes, no_places
from cxkit.survival import survival_quantiles
from cxkit.tables import counted_lines
from cxkit.times import instant, local_time

LONGEST_DAYS = 60  # overdue for longer and never told as delivered: the time was not written down
MOST_UNTOLD = 0.2  # of such orders: where more have no time, it is not written down with this way of delivery
CALM_DAYS, BACK_DAYS = 14, 90  # after the promised day: contacts about the order; another order
ASPECTS = {"delivery": "delivery", "channel": "channel"}
LATE, ON_TIME = "late", "in time"
LATE_ORDERS = "late orders"
CONTACT = "contact the shop"
DELIVERY_WORDS = ("deliver", "достав", "dostaw")
AFTER = ("what", "value", "low", "high", "n", "others", "difference", "difference_low", "difference_high", "level",
         "method", "verdict")  # fmt: skip


def promised_orders(orders: Table, *, as_of: date, zone: str) -> Table:
    """One row a counted order with a promised time: order_id, customer_id, ordered_on, promised_on, delivered_on
    (local days), late (yes/no, or null), open (yes/no: due, and not delivered), days_late, delivery, channel.

    From: orders (lines) with promised_at and delivered_at (no rows where they lack one). An order is late where it was
    delivered after the promised day, or where that day has passed and it has not been delivered. Null: it is not due
    yet; or nobody wrote down when it came, as where it is overdue by more than 60 days, or where more than a fifth of
    such old orders of the same way of delivery have no time at all (`left_out` counts both).
    Where lines arrive on several days, the last one counts, and the last promise.
    """
    if not {"promised_at", "delivered_at"} <= set(orders.columns):
        orders = orders.mutate(promised_at=ibis.null("timestamp"), delivered_at=ibis.null("timestamp"))
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale, lines.ordered_on <= ibis.literal(as_of))
    optional = {name: lines[name].min() for name in ASPECTS if name in lines.columns}
    placed = lines.group_by("order_id").aggregate(
        customer_id=lines.customer_id.min() if "customer_id" in lines.columns else ibis.null("string"),
        ordered_on=lines.ordered_on.min(),
        promised_at=lines.promised_at.max(),
        delivered_at=lines.delivered_at.max(),
        waiting=lines.delivered_at.isnull().any(),
        **optional,
    )
    placed = placed.filter(placed.promised_at.notnull())
    today = ibis.literal(as_of)
    promised_on, came = (
        local_time(instant(time, zone="UTC"), zone=zone).date() for time in (placed.promised_at, placed.delivered_at)
    )
    delivered_on = (placed.waiting | (came > today)).ifelse(ibis.null("date"), came)
    placed = placed.mutate(promised_on=promised_on, delivered_on=delivered_on)
    overdue = today.delta(placed.promised_on, unit="day")  # at the end of the last day
    placed = placed.mutate(open=placed.delivered_on.isnull() & (overdue >= 0), old=overdue > LONGEST_DAYS)
    same = ibis.window(group_by="delivery") if "delivery" in optional else ibis.window()
    never = (placed.open & placed.old).cast("int64").sum().over(same)
    told = never <= MOST_UNTOLD * placed.old.cast("int64").sum().over(same)
    late = ibis.cases(
        (placed.delivered_on.notnull(), placed.delivered_on > placed.promised_on),
        (placed.open & ~placed.old & told, True),
        else_=ibis.null("boolean"),
    )
    placed = placed.mutate(late=late).drop("old")
    days_late = placed.delivered_on.fill_null(today).delta(placed.promised_on, unit="day")
    return placed.mutate(days_late=days_late).cache()  # asked several times: computed once


def left_out(placed: Table) -> dict[str, int]:
    """How many orders with a promise cannot be judged. From: `promised_orders`. To: reason -> orders, where any."""
    rows = placed.filter(placed.late.isnull())
    counts = collect(rows.group_by("open").aggregate(n=rows.count()), order_by="open")
    words = {False: "not due yet", True: "overdue, and nobody wrote down when they came"}
    return {words[bool(row.open)]: int(row.n) for row in counts.itertuples()}


def left_out_in_words(left_out: dict[str, int]) -> list[str]:
    """How many orders are not judged, and why. From: `left_out`."""
    told = [f"{count:,} {reason}" for reason, count in sorted(left_out.items())]
    return [f"Orders that are not judged: {'; '.join(told)}."] if told else []


def late_share(placed: Table, *, level: float = 0.95) -> Estimate:
    """Share of orders that came after the promised day, or are overdue. From: `promised_orders`."""
    return share_of(placed, part="late", level=level)


def late_by(placed: Table, *, level: float = 0.95) -> pd.DataFrame:
    """The share of late orders by way of delivery and channel. From: `promised_orders`. To: as
    `shares_apart.shares_apart`."""
    return shares_apart(placed, part="late", aspects=ASPECTS, level=level)


def late_days(placed: Table, *, level: float = 0.95) -> tuple[Estimate, ...]:
    """By how many days a quarter, half and three quarters of late orders are late; those still open counted in.

    From: `promised_orders`. To: Estimates, unit days.
    """
    rows = placed.filter(placed.late, placed.days_late >= 0)
    cells = rows.group_by("days_late", "open").aggregate(orders=rows.count())
    found = collect(cells, order_by=["days_late", "open"])
    days, count = found["days_late"].to_numpy(dtype=float), found["orders"].to_numpy(dtype=float)
    return survival_quantiles(days, ~found["open"].to_numpy(dtype=bool), weights=count, level=level)


def late_rates(placed: Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """Late orders a hundred due, by the month in which they were promised. From: `promised_orders`. To: as
    `rate_trends.monthly_rates`, of one name (late orders)."""
    due = placed.filter(placed.late.notnull(), placed.promised_on <= ibis.literal(as_of))
    days = collect(due.group_by(day="promised_on").aggregate(orders=due.count()), order_by="day")
    days = days.assign(day=pd.to_datetime(days["day"]), orders=days["orders"].astype("int64"))
    counts = month_counts(due.filter(due.late), day="promised_on", as_of=as_of, name=LATE_ORDERS)
    return monthly_rates(counts, days, as_of=as_of, level=level)


def after_lateness(
    placed: Table,
    orders: Table,
    contacts: Table | None,
    *,
    as_of: date,
    level: float = 0.95,
    back_days: int = BACK_DAYS,
) -> pd.DataFrame:
    """What customers do after an order that was late, beside one that was in time.

    From: `promised_orders`; orders (lines); contacts with order_id and opened_on (else the first row is missing). To,
    one row what they do (contact the shop about that order between the promised day and two weeks later; order again
    within `back_days` of the promised day): what, value (share of late orders), low, high, n, others (the share of
    those in time), difference (in points) with difference_low, difference_high, level, method, verdict.
    What is left out: orders whose days are not over; of ordering again, orders without a customer. What it cannot
    show: that the lateness is why: late orders go other ways to other customers.
    """
    known = placed.filter(placed.late.notnull()).mutate(how=placed.late.ifelse(LATE, ON_TIME))
    parts = []
    if contacts is not None and "order_id" in contacts.columns:
        seen = known.filter(known.promised_on <= ibis.literal(as_of - timedelta(days=CALM_DAYS)))
        asked = contacts.filter(contacts.order_id.notnull()).select(its_order="order_id", its_day="opened_on")
        both = seen.inner_join(asked, seen.order_id == asked.its_order)
        wait = both.its_day.delta(both.promised_on, unit="day")
        hits = both.filter(wait >= 0, wait <= CALM_DAYS).select(hit_order="order_id").distinct()
        marked = seen.left_join(hits, seen.order_id == hits.hit_order)
        marked = marked.mutate(did=marked.hit_order.notnull())
        parts.append((f"{CONTACT} about it within {CALM_DAYS} days of the promised day", marked))
    seen = known.filter(
        known.promised_on <= ibis.literal(as_of - timedelta(days=back_days)), known.customer_id.notnull()
    )
    marked = marked_ordered_again(seen, orders, key="order_id", day="promised_on", within=back_days, as_of=as_of)
    parts.append((f"order again within {back_days} days of the promised day", marked))
    rows = []
    for what, marked in parts:
        frame = shares_apart(marked, part="did", aspects={"how": "delivery"}, level=level)
        rows.append(frame[frame["name"] == LATE].assign(what=what))
    return pd.concat(rows, ignore_index=True)[list(AFTER)]


def late_finding(share: Estimate) -> Finding:
    """service.late_share: orders that came after the promised day. From: `late_share`."""
    return Finding(
        id="service.late_share",
        claim="{value} of orders came after the promised day or are overdue ({interval}).",
        estimate=share,
        label="Share of orders late",
        higher_is_better=False,
        evidence=("late_where",),
        action="Promise a day that is kept, first where more come late for certain; else tell customers in time.",
    )


def late_where_findings(where: pd.DataFrame) -> list[Finding]:
    """service.late.<way of delivery>: ways by which orders come late more often than by all others, for certain. From:
    `late_by`."""
    found = []
    for row in surely_more(where, aspect="delivery").itertuples(index=False):
        name = in_quotes(row.name)
        shares = f"{format_value(row.value, 'share')} against {format_value(row.others, 'share')}"
        found.append(
            Finding(
                id=f"service.late.{row.key}",
                claim=f"Orders by {no_places(name)} come late more often than others: {shares}, "
                "{value} percentage points more ({interval}).",
                estimate=row.estimate,
                label=f"Late orders by {name} against all others",
                target=0.0,
                target_source=f"the client's other ways of delivery ({row.family} comparisons together, Holm)",
                higher_is_better=False,
                evidence=("late_where",),
                action=f"Promise a day by {name} that is kept, or find out what holds these orders up.",
            )
        )
    return found


def late_in_words(share: Estimate, where: pd.DataFrame, days: tuple[Estimate, ...]) -> list[str]:
    """How many are late, where, and by how much. From: `late_share`, `late_by`, `late_days` (left out where empty)."""
    if not share.known:
        return [f"Whether promised days are kept is too early to say: {share.method}."]
    texts = [
        f"{format_value(share.value, 'share')} of orders came after the promised day or are overdue "
        f"({format_interval(share)}, n = {share.n:,})."
    ]
    if told := certain(where, verdict=MORE):
        texts.append(f"More often for certain: {told}.")
    half = days[1] if days else None
    if half is not None and np.isfinite(half.value) and half.value >= 1:
        texts.append(f"Half of the late ones are late by {format_value(half.value, 'days')} or less.")
    return texts


def growth_unexplained(grown: pd.DataFrame, courses: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """That contacts about deliveries grow by more than late orders can, in one sentence; nothing where it cannot be
    said. From: `contact_reasons.reason_trends`; `rate_trends.trends` of `late_rates`, alone or with other courses;
    `after_lateness`.

    A reason is about deliveries where its own words say so (deliver, достав, dostaw). It is said where the lowest
    growth of the contacts lies above the highest of the late orders.
    """
    late, rows = courses[courses["name"] == LATE_ORDERS], _about_deliveries(grown)
    most = float(late["high"].iloc[0]) if len(late) else np.nan
    return [
        f"Contacts about {in_quotes(row['reason'])} grow by {trend_text(row)}, late orders by "
        f"{trend_text(late.iloc[0])}: the growth is not explained by more late orders.{_nor(after)}"
        for _, row in rows[rows["low"].astype(float) > most][:1].iterrows()
    ]


def growth_causes(grown: pd.DataFrame, courses: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Whether late orders explain that contacts about deliveries grow, for `contact_reasons.growing_findings`.

    From: as `growth_unexplained`. To, one row a growing reason of which it can be said: reason, explained (no: its
    lowest growth lies above the highest of the late orders; yes: that is not so, and late orders grow for certain),
    told (a sentence). What it cannot show: that the lateness is why, where both grow.
    """
    late = courses[(courses["name"] == LATE_ORDERS) & courses["high"].notna()]
    found = []
    for _, row in _about_deliveries(grown).iterrows() if len(late) else []:
        course = late.iloc[0]
        if float(row["low"]) > float(course["high"]):
            told = f"Late orders do not explain it: their share changed by {trend_text(course)}."
            found.append((row["reason"], False, told + _nor(after)))
        elif course["low"] > 0:
            told = f"Late orders may explain it: their share grew by {trend_text(course)}."
            found.append((row["reason"], True, told))
    return pd.DataFrame(found, columns=["reason", "explained", "told"])


def _about_deliveries(grown: pd.DataFrame) -> pd.DataFrame:
    about = [any(word in str(reason).casefold() for word in DELIVERY_WORDS) for reason in grown["reason"]]
    return grown[(grown["verdict"] == GROWS) & np.array(about, dtype=bool)]


def _nor(after: pd.DataFrame) -> str:
    asked = after[after["what"].str.startswith(CONTACT)]["verdict"].tolist()
    return " Nor do customers contact the shop more often for certain after a late order." if asked == [ALIKE] else ""


def after_in_words(after: pd.DataFrame) -> list[str]:
    """What customers do after a late order, beside one in time. From: `after_lateness`."""
    texts = []
    for row in after.itertuples():
        if row.verdict == FEW:
            texts.append(f"Whether customers {row.what} more or less often after a late order is too early to say.")
            continue
        texts.append(
            f"After a late order customers {row.what} {how_often(row.verdict)}: {format_value(row.value, 'share')}, "
            f"after one in time {beside(row)}."
        )
    return texts or ["What customers do after a late order is too early to say: none was late yet."]
