"""One log of touches: what customers did on site, ordered, received, gave back, asked and answered."""

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.stages import GOAL, name_key
from cxkit.style import clean_text, format_value
from cxkit.times import instant, local_time

GRACE_DAYS = 7  # without a touch at a period's begin are no gap yet
OTHERS = "other touchpoints"  # what is grouped together where there are too many to tell
ASIDE, UNMAPPED = "set aside: visits with more touches than a person makes", "touches without a stage (unmapped)"
COLUMNS = {
    "customer_id": "string",
    "session": "string",
    "occurred_at": "timestamp(6)",
    "name": "string",
    "channel": "string",
    "source": "string",
    "order_id": "string",
    "origin": "string",
    "timed": "boolean",
}


def gather(tables: Mapping[str, Table], *, gap_minutes: int = 30) -> Table:
    """Every touch of the tables that there are, under the names that the exports use; kept for what follows.

    From: canonical tables by name, of events, orders, contacts, surveys, reviews those that the client has.
    To, a row a touch: visitor (the customer, or `session …` where nobody is known), customer_id (null: unknown),
    session (the visit; null for what is no visit), occurred_at (UTC), name, channel, source (of a visit), order_id,
    origin (the table), timed (false: the data give no time for it).
    What becomes a touch: every event; an order placed (`order_placed`), delivered (`delivery`), cancelled
    (`cancellation`) or given back in part or whole (`return`); a contact opened (`support`) and solved
    (`support_solved`); a survey answered; a review written. Of cancellations and returns the tables hold no time: they
    stand at the delivery, else at the order, and are not timed.
    Visits: the export's own session, else touches of one customer with no gap over `gap_minutes`. A session in which
    one customer alone is named is his from its first touch on (he logged in on the way).
    What is left out: orders, contacts, answers and reviews without a customer (nobody's journey).
    Raises UsageError where `gap_minutes` is not above 0.
    """
    if gap_minutes < 1:
        raise UsageError(f"gap_minutes must be at least 1; found {gap_minutes}.")
    makers = {"events": _events, "orders": _orders, "contacts": _contacts, "surveys": _answers, "reviews": _reviews}
    parts = [
        _shaped(part, name)
        for name, make in makers.items()
        if name in tables
        for part in make(tables[name], gap_minutes)
    ]
    if not parts:
        return ibis.memtable(pd.DataFrame(columns=["visitor", *COLUMNS]), schema={"visitor": "string", **COLUMNS})
    log = ibis.union(*parts) if len(parts) > 1 else parts[0]
    visitor = log.customer_id.fill_null(ibis.literal("session ") + log.session)
    return log.mutate(visitor=visitor).select("visitor", *COLUMNS).cache()


def _shaped(part: Table, origin: str) -> Table:
    """The columns of the log, those that a part lacks empty."""
    columns = {
        name: part[name].cast(kind) if name in part.columns else ibis.null(kind) for name, kind in COLUMNS.items()
    }
    timed = part.timed if "timed" in part.columns else ibis.literal(True)
    return part.select(**columns | {"origin": ibis.literal(origin), "timed": timed})


def _events(events: Table, gap_minutes: int) -> list[Table]:
    for name in ("session_id", "customer_id"):
        if name not in events.columns:
            events = events.mutate(**{name: ibis.null("string")})
    events = events.mutate(name=events.touchpoint)
    given = events.filter(events.session_id.notnull())
    people = given.group_by("session_id").aggregate(
        one=given.customer_id.min(), several=given.customer_id.min() < given.customer_id.max()
    )
    joined = given.join(people, "session_id")
    shared = joined.several.fill_null(False)
    customer = shared.ifelse(joined.customer_id, joined.one)
    own = joined.session_id + " " + joined.customer_id.fill_null("")  # one session id for several customers
    joined = joined.mutate(session=shared.ifelse(own, joined.session_id), customer_id=customer)
    alone = events.filter(events.session_id.isnull())
    # the name breaks ties in time, so that the order of the rows never matters
    order = {"group_by": "customer_id", "order_by": ["occurred_at", "name"]}
    before = alone.occurred_at.lag().over(ibis.window(**order))
    begins = alone.occurred_at > before + ibis.interval(minutes=gap_minutes)
    alone = alone.mutate(begins=begins.fill_null(True).ifelse(1, 0))
    number = alone.begins.sum().over(ibis.cumulative_window(**order))
    alone = alone.mutate(session=alone.customer_id + " #" + number.cast("string"))
    return [joined, alone]


def _orders(lines: Table, _: int) -> list[Table]:
    sales = lines.filter(lines.amount > 0, lines.customer_id.notnull())
    has = lambda name: name in lines.columns  # noqa: E731
    status = sales.status.fill_null("completed") if has("status") else ibis.literal("completed")
    refund = sales.refund.fill_null(0.0) if has("refund") else ibis.literal(0.0)
    returned = (status.isin(["returned", "partly_returned"]) | (refund > 0)).ifelse(1, 0)
    measures = {
        "customer_id": sales.customer_id.min(),
        "occurred_at": sales.ordered_at.min(),
        "counted": (status != "cancelled").ifelse(1, 0).max(),
        "returned": (status == "cancelled").ifelse(0, returned).max(),
    }
    for name in ("channel", "delivery", "delivered_at"):
        if has(name):
            measures[name] = sales[name].max() if name == "delivered_at" else sales[name].min()
    placed = sales.group_by("order_id").aggregate(**measures).mutate(name=ibis.literal(GOAL))
    ended = placed.mutate(timed=ibis.literal(False))
    parts = [placed, ended.filter(ended.counted == 0).mutate(name=ibis.literal("cancellation"))]
    back = ended.filter(ended.counted == 1, ended.returned == 1).mutate(name=ibis.literal("return"))
    if has("delivered_at"):
        arrived = placed.filter(placed.delivered_at.notnull(), placed.counted == 1)
        way = arrived.delivery if has("delivery") else ibis.null("string")
        parts.append(arrived.mutate(name=ibis.literal("delivery"), occurred_at=arrived.delivered_at, channel=way))
        back = back.mutate(occurred_at=back.delivered_at.fill_null(back.occurred_at))
    return [*parts, back]


def _contacts(contacts: Table, _: int) -> list[Table]:
    if "customer_id" not in contacts.columns:
        return []
    known = contacts.filter(contacts.customer_id.notnull())
    parts = [known.mutate(name=ibis.literal("support"), occurred_at=known.opened_at)]
    if "solved_at" in known.columns:
        solved = known.filter(known.solved_at.notnull())
        parts.append(solved.mutate(name=ibis.literal("support_solved"), occurred_at=solved.solved_at))
    return parts


def _answers(surveys: Table, _: int) -> list[Table]:
    if "customer_id" not in surveys.columns:
        return []
    known = surveys.filter(surveys.customer_id.notnull())
    # one answer sheet has many questions
    sheets = known.select("customer_id", occurred_at=known.answered_at).distinct()
    return [sheets.mutate(name=ibis.literal("survey_answered"))]


def _reviews(reviews: Table, _: int) -> list[Table]:
    if "customer_id" not in reviews.columns:
        return []
    known = reviews.filter(reviews.customer_id.notnull())
    return [known.mutate(name=ibis.literal("review_written"), occurred_at=known.written_at)]


def robots(gathered: Table, *, most_touches: int = 1000) -> pd.DataFrame:
    """Visits with more touches than a person makes: programs that read the site, to be set aside.

    From: `gather`. To, longest first: session, visitor, touches. Raises UsageError where `most_touches` is below 2.
    """
    if most_touches < 2:
        raise UsageError(f"most_touches must be at least 2, or every visit is a program's; found {most_touches}.")
    visits = (
        gathered.filter(gathered.session.notnull()).group_by("session", "visitor").aggregate(touches=ibis._.count())
    )
    found = visits.filter(visits.touches > most_touches)
    return collect(found.mutate(order=-found.touches), order_by=["order", "session"]).drop(columns="order")


def names(gathered: Table, touchpoint_map: pd.DataFrame, *, most: int = 60) -> pd.DataFrame:
    """The names that the exports use, and the touchpoint and stage of each.

    From: `gather`; `stages.touchpoint_map`. To, one row a name, the most met first: name, touchpoint, stage (missing:
    unmapped), mapped_by (sheet, stages or missing), touches, visitors, grouped (yes/no).
    At most `most` touchpoints are told apart: those with a stage before those without, then those that most visitors
    met; the rest become one, `other touchpoints`, without a stage. Raises UsageError where `most` is below 2.
    """
    if most < 2:
        raise UsageError(f"most_touchpoints must be at least 2; found {most}.")
    counted = gathered.group_by("name").aggregate(touches=ibis._.count(), visitors=ibis._.visitor.nunique())
    frame = collect(counted, order_by="name", max_rows=1_000_000)
    frame["key"] = frame["name"].map(name_key)
    mapped = touchpoint_map.set_index("key")
    known = mapped.reindex(frame["key"])
    # spellings of one unmapped touchpoint are one, under its commonest
    ranked = frame.sort_values(["visitors", "name"], ascending=[False, True])
    plain = ranked.drop_duplicates("key").set_index("key")["name"].map(clean_text)
    frame["touchpoint"] = (
        known["canonical"].fillna(pd.Series(frame["key"].map(plain).to_numpy(), known.index)).to_numpy()
    )
    frame["stage"], frame["mapped_by"] = known["stage"].to_numpy(), known["mapped_by"].to_numpy()
    total = frame.groupby("touchpoint").agg(visitors=("visitors", "max"), staged=("stage", "count")).reset_index()
    total["staged"] = total["staged"] > 0
    total = total.sort_values(["staged", "visitors", "touchpoint"], ascending=[False, False, True])
    many = len(total) > most
    kept = set(total["touchpoint"].iloc[: most - 1 if many else most])
    frame["grouped"] = ~frame["touchpoint"].isin(kept)
    frame.loc[frame["grouped"], ["touchpoint", "stage", "mapped_by"]] = [OTHERS, None, None]
    frame = frame.sort_values(["visitors", "name"], ascending=[False, True], ignore_index=True)
    columns = ["name", "touchpoint", "stage", "mapped_by", "touches", "visitors", "grouped"]
    return frame[columns].astype({"stage": object, "mapped_by": object})


def touch_log(gathered: Table, *, names: pd.DataFrame, robots: pd.DataFrame, zone: str) -> Table:
    """The log that everything on the journey rests on.

    From: `gather`, `names`, `robots`; `zone`: the client's time zone. To: visitor, customer_id, session, occurred_at,
    occurred_on (the local day), touchpoint, stage (null: unmapped), channel, source, order_id, origin, timed.
    What is left out: the visits of robots; an order of the orders' table that an event shows already (the same order
    at the touchpoint order_placed), so that it counts once.
    """
    listed = names[["name", "touchpoint", "stage"]].astype(object).where(lambda f: f.notna(), None)
    words = ibis.memtable(listed, schema={"name": "string", "touchpoint": "string", "stage": "string"})
    log = gathered.join(words, "name")
    if len(robots):
        log = log.anti_join(ibis.memtable(robots[["session"]], schema={"session": "string"}), "session")
    seen = log.filter(log.origin == "events", log.touchpoint == GOAL, log.order_id.notnull())
    seen = seen.select(seen_id=seen.order_id).distinct()
    log = log.left_join(seen, (log.order_id == seen.seen_id) & (log.origin == "orders") & (log.touchpoint == GOAL))
    log = log.filter(log.seen_id.isnull())
    return log.mutate(occurred_on=local_time(instant(log.occurred_at, zone="UTC"), zone=zone).cast("date")).select(
        "visitor", "customer_id", "session", "occurred_at", "occurred_on", "touchpoint", "stage", "channel", "source",
        "order_id", "origin", "timed",
    ).cache()  # fmt: skip


def in_period(table: Table, *, last: date, days: int, day: str = "occurred_on") -> Table:
    """The rows of the `days` days that end with `last`; `day` is the column with the local day.

    Raises UsageError where `days` is not above 0.
    """
    if days < 1:
        raise UsageError(f"a period has at least 1 day; found period_days {days}.")
    first = ibis.literal(last - timedelta(days=days - 1))
    return table.filter(table[day] >= first, table[day] <= ibis.literal(last))


def not_covered(log: Table, *, last: date, days: int) -> pd.DataFrame:
    """Which tables begin later than a period, so that it must not be compared with a later one.

    From: `touch_log`; the period as `in_period`. To, one row a table with a touch in the log that begins over a week
    after the period's first day: origin, first_on (its first day).
    """
    first = log.group_by("origin").aggregate(first_on=log.occurred_on.min())
    late = first.filter(first.first_on > ibis.literal(last - timedelta(days=days - 1 - GRACE_DAYS)))
    return collect(late, order_by="origin")


def experience(log: Table, *, last: date, days: int) -> pd.DataFrame:
    """Customers of a period in two groups: visitor, group ("new": without an order before it, or "returning")."""
    parts = zip(("new", "returning"), by_experience(log, last=last, days=days), strict=True)
    frames = [collect(part.select("visitor").distinct(), order_by="visitor").assign(group=name) for name, part in parts]
    return pd.concat(frames, ignore_index=True)


def by_experience(log: Table, *, last: date, days: int) -> tuple[Table, Table]:
    """The touches of a period, of customers new in it and of those who had ordered before it.

    From: `touch_log`; the period as `in_period`. To: two tables with the log's columns: of customers without an order
    before the period, and of those with one. What is left out: unknown visitors.
    Source: new against experienced customers are S4's most plain segments.
    """
    period = in_period(log, last=last, days=days)
    known = period.filter(period.customer_id.notnull())
    first = ibis.literal(last - timedelta(days=days - 1))
    before = log.filter(log.touchpoint == GOAL, log.occurred_on < first).select("customer_id").distinct()
    return known.anti_join(before, "customer_id"), known.semi_join(before, "customer_id")


def one_customer(log: Table, *, most: int = 40) -> pd.DataFrame:
    """One customer's touches in order, to be followed by eye: of those with at most `most`, the one who came through
    most stages, with the most touches.

    From: `touch_log`. To: since_first (time since his first touch), visit (1, 2, … in order; missing where it is no
    visit), touchpoint, stage, channel; empty where nobody is known. Neither dates nor the export's own numbers are in
    it, so that nobody can be told by it.
    """
    known = log.filter(log.customer_id.notnull())
    people = known.group_by("customer_id").aggregate(touches=known.count(), stages=known.stage.nunique())
    people = people.filter(people.touches <= most)
    ranked = people.order_by([ibis.desc("stages"), ibis.desc("touches"), "customer_id"]).limit(1)
    own = known.semi_join(ranked, "customer_id")
    columns = ["occurred_at", "session", "touchpoint", "stage", "channel"]
    frame = collect(own.select(columns), order_by=["occurred_at", "touchpoint"])
    visit = pd.Series(pd.factorize(frame["session"])[0] + 1, index=frame.index, dtype="Int64")
    frame.insert(0, "since_first", frame["occurred_at"] - frame["occurred_at"].min())
    frame.insert(1, "visit", visit.where(visit > 0))
    return frame.drop(columns=["occurred_at", "session"])


def warnings(account: pd.DataFrame) -> list[str]:
    """What a reader must know of the log before he believes the map, in sentences; none where all is well.

    From: `account`. Told: more than a tenth of the touches without a stage, or set aside as programs'.
    """
    counts = account.set_index("what")
    told = []
    for what, words in ((UNMAPPED, "belong to no stage and are missing from the map"), (ASIDE, "were set aside")):
        part, whole = counts.at[what, "count"], counts.at[what, "of"]
        if whole and part / whole > 0.1:
            told.append(f"Mind: {format_value(part / whole, 'share')} of the touches {words}.")
    return told


def account(log: Table, *, names: pd.DataFrame, robots: pd.DataFrame) -> pd.DataFrame:
    """What went into the log and what did not, in rows to be read from top to bottom.

    From: `touch_log`, `names`, `robots`. To: what, count, of (what the count is a part of; missing for the
    first rows).
    """
    per = log.aggregate(
        touches=log.count(),
        customers=log.customer_id.nunique(),
        unknown=log.visitor.nunique(where=log.customer_id.isnull()),
        visits=log.session.nunique(),
        unmapped=log.stage.isnull().ifelse(1, 0).sum(),
        untimed=log.timed.ifelse(0, 1).sum(),
    )
    found = collect(per, order_by="touches").iloc[0].fillna(0).astype("int64")
    whole = int(names["touches"].sum())
    aside = int(robots["touches"].sum())
    grouped = names[names["grouped"]]
    rows = [
        ("touches gathered from all tables", whole, None),
        (ASIDE, aside, whole),
        ("orders that an event shows already, counted once", whole - aside - int(found["touches"]), whole),
        ("touches in the log", int(found["touches"]), whole),
        ("customers", int(found["customers"]), None),
        ("visits", int(found["visits"]), None),
        ("of them visits of nobody known", int(found["unknown"]), int(found["visits"])),
        (UNMAPPED, int(found["unmapped"]), int(found["touches"])),
        ("names grouped as other touchpoints", len(grouped), len(names)),
        ("touches without a time of their own (returns, cancellations)", int(found["untimed"]), int(found["touches"])),
    ]
    return pd.DataFrame(rows, columns=["what", "count", "of"]).astype({"of": "Int64"})
