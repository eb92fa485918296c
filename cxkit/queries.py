"""What was typed into the search, and what came of it: one log of searches, counted in the engine."""

from datetime import date

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.buyers import placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.others import unit_sums

ROBOT = 100  # more searches in one visit are no person's
LONGEST = 200  # letters of a query that are read
TAKEN_OUT = r"\[(e-mail|phone|card|account)\]"  # what `privacy.scrub` leaves in their place
WORDS = r"[\pL\pN]"  # a letter or a digit: what holds none says nothing that could be looked for
AGAIN_MINUTES = 30  # until another wording of the same visit counts as the search said anew
MEASURES = ("nothing_found", "no_click", "reformulated", "order_after")
FOUND, NOTHING = "something found", "nothing found"
BY_VISIT, BY_DAY = "visit", "day"
ALL, KEPT = "all searches", "kept"
ORDER_RULES = {
    BY_VISIT: "an order placed in the same visit, at or after the search (an event of the visit names it)",
    BY_DAY: "an order of the same customer on the same day; searches of visitors who are not known are left out",
}
COUNTS = ("sent", "sessions", "visitors", "known", "nothing", "clickable", "clicked", "reformulated", "ordered")


def order_rule(searches: Table, *, events: Table | None = None, orders: Table | None = None) -> str | None:
    """How it can be told that an order followed: "visit", else "day", else None (it cannot).

    From: searches; events with session_id and order_id; orders. By visit where at least half of the searches' visits
    stand in the events and an event there names an order; by day where searches and orders both know customers.
    """
    if events is not None and "session_id" in searches.columns and {"session_id", "order_id"} <= set(events.columns):
        visits = searches.filter(searches.session_id.notnull()).select("session_id").distinct()
        logged = events.filter(events.session_id.notnull())
        logged = logged.group_by("session_id").aggregate(ordered=logged.order_id.count())
        joined = visits.left_join(logged, "session_id")
        found = joined.aggregate(visits=joined.count(), logged=joined.ordered.count(), orders=joined.ordered.sum())
        row = collect(found, order_by="visits").fillna(0).iloc[0]
        if row["orders"] > 0 and 2 * row["logged"] >= row["visits"]:
            return BY_VISIT
    known = orders is not None and "customer_id" in searches.columns and "customer_id" in orders.columns
    return BY_DAY if known else None


def search_log(
    searches: Table, *, as_of: date, events: Table | None = None, orders: Table | None = None, rule: str | None = None
) -> Table:
    """One row a search, with what came of it; kept for what follows.

    From: searches (searched_at, searched_on, query; session_id, customer_id, results, clicked, device where there
    are); `rule`: of `order_rule`, with the table it needs; without it, whichever fits the events and orders.
    To: query (on one line, at most 200 letters, without what was scrubbed; null: blank, or signs alone), long (it was
    cut), personal (something was scrubbed), session (the visit; else the
    customer's day; a search of neither is a visit of its own), visitor (the customer, else the visit: whose searches
    are alike), customer_id, searched_at, searched_on, month (its first day), device, results, outcome ("something
    found", "nothing found", null: not known); and as 1, 0 or null (not known): nothing (no results), clickable
    (something may have been found and clicks are known), clicked, reformulated (the same visit's next search within 30
    minutes has other words; null for a visit of its own), ordered (by `rule`); next_query (null where scrubbed),
    robot (the visit has over 100 searches).
    What is left out: searches after `as_of`. What reformulated cannot show: whether the visitor looked for the same
    thing in other words, or for the next one.
    Source: Jansen, Booth & Spink (2009), JASIST 60(7), 1358-1371 (reformulation within a session).
    Raises UsageError on a rule that is not known, or whose table is not given.
    """
    rule = order_rule(searches, events=events, orders=orders) if rule is None else rule
    kept = searches.filter(searches.searched_on <= ibis.literal(as_of))
    kinds = {"session_id": "string", "customer_id": "string", "results": "int64", "clicked": "boolean"}
    kinds |= {"device": "string"}
    lacking = {name: ibis.null(kind) for name, kind in kinds.items() if name not in kept.columns}
    kept = kept.mutate(**lacking)
    kept = kept.mutate(personal=kept.query.re_search(TAKEN_OUT).fill_null(False))
    words = kept.query.re_replace(TAKEN_OUT, " ").re_replace(r"\s+", " ").strip()
    read = words.substr(0, LONGEST).strip()
    said = read.re_search(WORDS).ifelse(read, ibis.null("string"))
    kept = kept.mutate(query=said, long=words.length().fill_null(0) > LONGEST)
    day = kept.customer_id + ibis.literal(" ") + kept.searched_on.cast("string")
    alone = ibis.literal("search ") + ibis.row_number().cast("string")
    kept = kept.mutate(session=kept.session_id.fill_null(day), number=alone)
    kept = kept.mutate(known_visit=kept.session.notnull(), session=kept.session.fill_null(kept.number))
    kept = kept.mutate(visitor=kept.customer_id.fill_null(ibis.literal("session ") + kept.session))
    visit = ibis.window(group_by="session")
    # the words break ties in time, so that the order of the rows never matters
    in_order = ibis.window(group_by="session", order_by=["searched_at", "query", "results"])
    folded = kept.query.lower()
    kept = kept.mutate(
        robot=kept.count().over(visit) > ROBOT,
        next_query=kept.query.lead().over(in_order),
        next_personal=kept.personal.lead().over(in_order).fill_null(False),
        gap=kept.searched_at.lead().over(in_order).epoch_seconds() - kept.searched_at.epoch_seconds(),
    )
    follows = (kept.gap <= 60 * AGAIN_MINUTES).fill_null(False) & kept.next_query.notnull()
    other = (follows & (kept.next_query.lower() != folded)).fill_null(False)
    found = (kept.results > 0).fill_null(True)
    kept = kept.mutate(
        nothing=(kept.results == 0).cast("int64"),
        clickable=(found & kept.clicked.notnull()).ifelse(1, 0),
        clicked=kept.clicked.cast("int64"),
        reformulated=kept.known_visit.ifelse(other.ifelse(1, 0), ibis.null("int8")),
        next_query=(other & ~kept.next_personal).ifelse(kept.next_query, ibis.null("string")),
        outcome=ibis.cases((kept.results == 0, NOTHING), (kept.results > 0, FOUND), else_=ibis.null("string")),
        month=kept.searched_on.truncate("M"),
    )
    kept = kept.mutate(ordered=ibis.null("int8")) if rule is None else _with_orders(kept, rule, events, orders, as_of)
    flags = ("nothing", "clickable", "clicked", "reformulated", "ordered")
    return kept.select(
        "query", "long", "personal", "session", "visitor", "customer_id", "searched_at", "searched_on", "month",
        "device", "results", "outcome",
        *(kept[name].cast("int64").name(name) for name in flags), "next_query", "robot",
    ).cache()  # fmt: skip


def _with_orders(kept: Table, rule: str, events: Table | None, orders: Table | None, as_of: date) -> Table:
    """With the column ordered."""
    needed = {BY_VISIT: ("events", events), BY_DAY: ("orders", orders)}
    if rule not in needed:
        raise UsageError(f"rule must be {BY_VISIT}, {BY_DAY} or None; found {rule!r}. `order_rule` says which fits.")
    name, table = needed[rule]
    if table is None:
        raise UsageError(f"rule {rule!r} needs the table {name}, which was not given.")
    if rule == BY_VISIT:
        placed = events.filter(events.order_id.notnull(), events.session_id.notnull())
        last = placed.group_by("session_id").aggregate(last_order=placed.occurred_at.max())
        last = last.rename(order_session="session_id")
        joined = kept.left_join(last, kept.session_id == last.order_session)
        after = (joined.last_order >= joined.searched_at).fill_null(False)
        return joined.mutate(ordered=joined.session_id.notnull().ifelse(after.ifelse(1, 0), ibis.null("int8")))
    placed = placed_orders(orders, as_of=as_of)
    days = placed.filter(placed.customer_id.notnull()).select(buyer="customer_id", bought_on="ordered_on").distinct()
    joined = kept.left_join(days, [kept.customer_id == days.buyer, kept.searched_on == days.bought_on])
    bought = joined.buyer.notnull().ifelse(1, 0)
    return joined.mutate(ordered=joined.customer_id.notnull().ifelse(bought, ibis.null("int8")))


def people(log: Table) -> Table:
    """The log without what no person sent: robots' visits and searches without a word. From: `search_log`."""
    return log.filter(~log.robot, log.query.notnull())


def named(log: Table) -> Table:
    """Of `people` the searches whose words tell what is looked for: beside an address or a number, mostly they do not
    (mail, my phone)."""
    kept = people(log)
    return kept.filter(~kept.personal)


def account(log: Table) -> pd.DataFrame:
    """What the log is made of: kind, searches, sessions. From: `search_log`."""
    without = ~log.robot & log.query.isnull()
    kinds = {
        ALL: log.session.notnull(),
        f"set aside: visits with over {ROBOT} searches (robots)": log.robot,
        "set aside: without a word (blank, or signs alone)": without & ~log.personal,
        "set aside: nothing but personal data, taken out": without & log.personal,
        KEPT: ~log.robot & log.query.notnull(),
        "of these: personal data taken out, their words left aside": ~log.robot & log.query.notnull() & log.personal,
        f"of these: longer than {LONGEST} letters, and read so far": ~log.robot & log.query.notnull() & log.long,
        "of these: of customers who are known": ~log.robot & log.query.notnull() & log.customer_id.notnull(),
        "of these: number of results not known": ~log.robot & log.query.notnull() & log.results.isnull(),
    }
    measures = {}
    for i, which in enumerate(kinds.values()):
        measures[f"n{i}"] = which.ifelse(1, 0).sum()
        measures[f"s{i}"] = log.session.nunique(where=which)
    row = collect(log.aggregate(**measures), order_by="n0").fillna(0).iloc[0]
    rows = [(kind, int(row[f"n{i}"]), int(row[f"s{i}"])) for i, kind in enumerate(kinds)]
    told = [row for row in rows if row[1] or row[0] in (ALL, KEPT)]
    return pd.DataFrame(told, columns=["kind", "searches", "sessions"])


def query_counts(log: Table) -> pd.DataFrame:
    """Each distinct wording with what came of it, in the order of the wordings.

    From: `search_log`. To, one row a wording as it was typed: query, sent, sessions, visitors, known (searches of which
    it is known whether something was found), nothing (of these), clickable, clicked (of these), reformulated, ordered
    (searches each).
    What is left out: robots' visits, searches without a word, and those from which personal data were taken out.
    """
    kept = named(log)
    counted = kept.group_by("query").aggregate(
        sent=kept.count(),
        sessions=kept.session.nunique(),
        visitors=kept.visitor.nunique(),
        known=kept.nothing.count(),
        nothing=kept.nothing.sum(),
        clickable=kept.clickable.sum(),
        clicked=(kept.clickable * kept.clicked).sum(),
        reformulated=kept.reformulated.sum(),
        ordered=kept.ordered.sum(),
    )
    frame = collect(counted, order_by="query")
    return frame.astype({"query": object}).assign(**{name: frame[name].fillna(0).astype("int64") for name in COUNTS})


def next_wordings(log: Table) -> pd.DataFrame:
    """From which wording visits went to which other one: query, next_query, sessions, found_next (of these, visits in
    which the second wording found something), nothing_first (in which the first found nothing).

    From: `search_log`. In the order of both wordings; robots, searches without a word, and those from which
    personal data were taken out, are left out.
    """
    kept = named(log)
    found = kept.filter(kept.results > 0).select("session", next_query="query", hit=ibis.literal(1)).distinct()
    pairs = kept.filter(kept.next_query.notnull())
    pairs = pairs.group_by("session", "query", "next_query").aggregate(nothing=pairs.nothing.max())
    joined = pairs.left_join(found, ["session", "next_query"])
    counted = joined.group_by("query", "next_query").aggregate(
        sessions=joined.count(), found_next=joined.hit.count(), nothing_first=joined.nothing.sum()
    )
    frame = collect(counted, order_by=["query", "next_query"])
    counts = {n: frame[n].fillna(0).astype("int64") for n in ("sessions", "found_next", "nothing_first")}
    return frame.astype({"query": object, "next_query": object}).assign(**counts)


def with_names(log: Table, names: pd.DataFrame, *, column: str) -> Table:
    """The log's searches whose wording is in `names`, with its `column` (a group's name). From: query, `column`."""
    listed = names[["query", column]].dropna().astype(object)
    table = ibis.memtable(listed, schema={"query": "string", column: "string"})
    return log.filter(~log.personal).join(table, "query")


def outcome_sums(log: Table, *, by: str | None = None) -> pd.DataFrame:
    """What the shares of `MEASURES` and their errors rest on, by a column of the log or over all.

    From: `search_log`, perhaps `with_names`. To: measure, `by` ("all" where None), and `others.unit_sums` of them:
    nothing_found (searches whose results are known), no_click (searches with results whose clicks are known),
    reformulated (searches of a known visit), order_after (visits in which it was looked for). Visitors are the units.
    What is left out: robots' visits, searches without a word, searches without a value of `by`.
    """
    kept = people(log)
    kept = kept.mutate(all=ibis.literal("all")) if by is None else kept.filter(kept[by].notnull())
    key = by or "all"
    has_click = kept.filter(kept.clickable == 1)
    visits = (
        kept.filter(kept.ordered.notnull()).group_by(key, "session", "visitor").aggregate(part=ibis._.ordered.max())
    )
    parts = {
        "nothing_found": kept.filter(kept.nothing.notnull()).select(key, "visitor", part="nothing"),
        "no_click": has_click.select(key, "visitor", part=1 - has_click.clicked),
        "reformulated": kept.filter(kept.reformulated.notnull()).select(key, "visitor", part="reformulated"),
        "order_after": visits.select(key, "visitor", "part"),
    }
    rows = ibis.union(
        *(part.mutate(measure=ibis.literal(name), part=part.part.cast("int64")) for name, part in parts.items())
    )
    cells = rows.group_by("measure", key, "visitor").aggregate(
        part=rows.part.sum(), whole=rows.count(), squares=rows.part.sum()
    )
    return unit_sums(cells, by=key, unit="visitor", within=["measure"])


def demand_sums(log: Table, *, by: str, among: Table) -> pd.DataFrame:
    """What the share of visits that looked for each value of `by`, and its error, rest on.

    From: `with_names` of the log; `among`: the log itself. To, one row a value: measure ("demand"), `by`, searches,
    sessions, visitors (who looked for it), part, whole (visits that looked for it, all visits), squares, part_sq,
    cross, whole_sq (sums over visitors), units (all visitors).
    """
    kept, named = people(among), people(log)
    named = named.filter(named[by].notnull())
    visits = kept.group_by("visitor").aggregate(whole=kept.session.nunique())
    every = visits.aggregate(
        whole=visits.whole.sum(), whole_sq=(visits.whole * visits.whole).sum(), units=visits.count()
    )
    totals = collect(every, order_by="units").fillna(0).iloc[0]
    parts = named.group_by(by, "visitor").aggregate(part=named.session.nunique(), searches=named.count())
    joined = parts.join(visits, "visitor")
    sums = joined.group_by(by).aggregate(
        searches=joined.searches.sum(),
        sessions=joined.part.sum(),
        visitors=joined.count(),
        part_sq=(joined.part * joined.part).sum(),
        cross=(joined.part * joined.whole).sum(),
    )
    frame = collect(sums, order_by=by).assign(measure="demand")
    frame = frame.assign(part=frame["sessions"].astype(float), squares=frame["sessions"].astype(float))
    return frame.assign(**{name: float(totals[name]) for name in ("whole", "whole_sq", "units")})


def period(log: Table) -> tuple[date, date] | None:
    """The first and the last day with a person's search; None where there is none."""
    kept = people(log)
    row = collect(kept.aggregate(first=kept.searched_on.min(), last=kept.searched_on.max()), order_by="first").iloc[0]
    return None if pd.isna(row["first"]) else (pd.Timestamp(row["first"]).date(), pd.Timestamp(row["last"]).date())


def offered(catalogue: Table | None, orders: Table | None = None) -> pd.DataFrame:
    """The distinct names under which goods are offered: kind (category, product), name.

    From: the catalogue (category, parent_category, product), else the orders (category, product).
    """
    table = orders if catalogue is None else catalogue
    columns = [] if table is None else [c for c in ("parent_category", "category", "product") if c in table.columns]
    parts = [
        table.filter(table[column].notnull()).select(
            kind=ibis.literal("product" if column == "product" else "category"), name=table[column]
        )
        for column in columns
    ]
    if not parts:
        return pd.DataFrame({"kind": pd.Series(dtype=object), "name": pd.Series(dtype=object)})
    return collect(
        ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct(), order_by=["kind", "name"]
    )
