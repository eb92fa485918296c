"""Who comes to the first of some declared steps, and how far does each get?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.stages import GOAL
from cxkit.style import clean_text

EVERYBODY, NOT_KNOWN = "everybody", "not known"
ORDERS, TIES, BY = ("loose", "strict"), ("together", "later"), ("channel", "new")
MOST_STEPS = 12  # what a reader can follow on one page
LONGEST_WINDOW = 876_000  # hours: a hundred years
ENTRY = ["visitor", "entered_at"]


def furthest(
    touches: Table,
    *,
    steps: Sequence[str],
    until: datetime,
    window_hours: float,
    order: str = "loose",
    ties: str = "together",
    again: bool = False,
    by: str | None = None,
    groups: pd.DataFrame | None = None,
) -> Table:
    """The entries at the first step, and the furthest step that each reaches within a window.

    From: `touches.touch_log` (visitor, customer_id, occurred_at, touchpoint, timed; channel for by="channel");
    `steps`: 2 to 12 touchpoints, each once; `until`: the end of the data, UTC. To, lazy, one row an entry: visitor,
    entered_at, group, ended (1: the window has ended by `until`; 0: too young to be judged), level (the number of the
    furthest step, from 1; 1 where too young).

    Who: a visitor; one who is not known is his session, so that his next visit is another visitor's.
    Entry: the first touch at step 1 that the data hold. With `again`, every touch at step 1 with no other touch of the
    visitor at step 1 in the window before it: a reload is no entry, and windows of one visitor never overlap.
    Window: from the entry, for all steps together, its last microsecond included.
    Order loose: other touches may lie between two steps. Order strict: none may, but the same touch may be repeated;
    what comes before the entry does not matter. A step is never reached without the one before.
    Ties, touches of one visitor at the same microsecond: "together" counts them as having come in the order of the
    steps, other touches after them; "later" lets a step count only when its time is later than the step's before.
    by "channel": of the entering touch; by "new": "new", or "returning" who had placed an order before the entry;
    `groups`: a frame of visitor and group. Whoever has no group is in the group "not known".
    What is left out: touches after `until`, touches without a time of their own (timed is false). Who had come to
    step 1 before the data begin counts as coming with the first touch seen.
    Raises UsageError on settings that make no sense and on touchpoints that the data do not hold.
    """
    steps = _checked(steps, order=order, ties=ties, window_hours=window_hours, by=by, groups=groups)
    window = ibis.interval(microseconds=round(window_hours * 3_600_000_000))
    end = ibis.literal(_utc(until), "timestamp(6)")
    log = touches.filter(touches.timed, touches.occurred_at <= end)
    _check_names(log, steps)
    rank = ibis.cases(*((log.touchpoint == name, k) for k, name in enumerate(steps, 1)), else_=len(steps) + 1)
    log = log.mutate(step=rank.cast("int64"))
    entries = _entries(log, window, again=again, by=by, groups=groups)
    entries = entries.mutate(ended=entries.entered_at + window <= end)
    whole = entries.filter(entries.ended).select(*ENTRY)
    followed = log if order == "strict" else log.filter(log.step <= len(steps))
    followed = _within(followed, whole, window, again=again)
    if order == "strict":
        levels = _strict(followed, len(steps), ties=ties)
    else:
        levels = _loose(followed, whole, len(steps), ties=ties)
    joined = entries.left_join(levels, ENTRY)
    return joined.select(*ENTRY, "group", ended=joined.ended.ifelse(1, 0), level=joined.level.fill_null(1))


def usual_steps(touches: Table, *, stages: pd.DataFrame) -> list[str]:
    """Steps to the order where nobody declared any: from the touchpoint that most visitors meet on their visits, the
    most met one of each later stage up to the order's, then the order.

    From: `touches.touch_log`; `stages.read_stages`. To: touchpoints; none where no visit places an order.
    """
    on_visits = touches.filter(touches.session.notnull(), touches.stage.notnull())
    met = on_visits.group_by("stage", "touchpoint").aggregate(visitors=on_visits.visitor.nunique())
    frame = collect(met, order_by=["stage", "touchpoint"])
    place = {stage: number for number, stage in enumerate(stages.loc[stages["path"] == "main", "stage"])}
    goal = frame.loc[frame["touchpoint"] == GOAL, "stage"].map(place)
    if goal.dropna().empty:
        return []
    frame = frame.assign(place=frame["stage"].map(place))
    frame = frame[(frame["place"] <= goal.iloc[0]) & (frame["touchpoint"] != GOAL)]
    best = frame.sort_values(["visitors", "touchpoint"], ascending=[False, True]).drop_duplicates("stage")
    later = best[best["place"] >= best["place"].iloc[0]] if len(best) else best
    return [*later.sort_values("place")["touchpoint"], GOAL]


def _checked(steps: Sequence[str], *, order: str, ties: str, window_hours: float, by: str | None, groups) -> list[str]:
    if isinstance(steps, str):
        raise UsageError(f"steps must be a list of touchpoints; found the text {_short(steps)!r}.")
    steps = [str(name) for name in steps]
    if not 2 <= len(steps) <= MOST_STEPS:
        raise UsageError(f"a funnel has 2 to {MOST_STEPS} steps; found {len(steps)}. Name them in the journey's order.")
    if twice := [name for i, name in enumerate(steps) if name in steps[:i]]:
        raise UsageError(f"a step may be named once; named twice: {', '.join(_short(n) for n in twice)}.")
    if not 0 < window_hours <= LONGEST_WINDOW:
        raise UsageError(f"window_hours must lie above 0 and at most at {LONGEST_WINDOW:,}; found {window_hours}.")
    for name, value, valid in (("order", order, ORDERS), ("ties", ties, TIES), ("by", by, (None, *BY))):
        if value not in valid:
            words = ", ".join(str(v) for v in valid)
            raise UsageError(f"{name} {value!r} is unknown; valid: {words}.")
    if groups is not None:
        if by is not None:
            raise UsageError(f"a funnel is split one way at a time; found by={by!r} and groups.")
        if missing := sorted({"visitor", "group"} - set(groups.columns)):
            have = ", ".join(str(c) for c in groups.columns)
            raise UsageError(f"groups lacks {', '.join(missing)}; it has {have}.")
        if (twice := groups["visitor"].duplicated()).any():
            raise UsageError(
                f"groups must hold a visitor once; {int(twice.sum()):,} rows repeat one. Take one group a visitor."
            )
    return steps


def _short(name: str) -> str:
    text = clean_text(name)
    return text if len(text) <= 60 else text[:59] + "…"


def _utc(moment: datetime) -> datetime:
    if not isinstance(moment, datetime):
        raise UsageError(f"until must be a time (the end of the data, UTC); found {moment!r}.")
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _check_names(log: Table, steps: list[str]) -> None:
    """Raises UsageError on a step that the log does not hold; of an empty log nothing can be said."""
    names = collect(log.select("touchpoint").distinct(), order_by="touchpoint")["touchpoint"].dropna().to_list()
    if not names or not (missing := [name for name in steps if name not in names]):
        return
    near = list(dict.fromkeys(n for name in missing for n in get_close_matches(name, names, n=3, cutoff=0.4)))
    rest = [n for n in names if n not in near]
    shown = [_short(n) for n in (near + rest)[: max(len(near), 10)]]
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    raise UsageError(
        f"no timed touch of these data is at {', '.join(repr(_short(n)) for n in missing)}; the nearest that there"
        f" are: {', '.join(shown)}{more}. Name the steps as the touch log does."
    )


def _entries(log: Table, window, *, again: bool, by: str | None, groups: pd.DataFrame | None) -> Table:
    """One row an entry: visitor, entered_at, group."""
    first = log.filter(log.step == 1)
    # two entering touches at one moment are one entry, through the channel whose name comes first
    extra = {"channel": first.channel.fill_null(NOT_KNOWN).min()} if by == "channel" else {}
    extra |= {"customer_id": first.customer_id.min()} if by == "new" else {}
    names = list(extra)
    if again:
        moments = first.group_by("visitor", "occurred_at").aggregate(**extra)
        before = moments.occurred_at.lag().over(ibis.window(group_by="visitor", order_by="occurred_at"))
        moments = moments.mutate(starts=(before + window < moments.occurred_at).fill_null(True))
        entries = moments.filter(moments.starts).select("visitor", *names, entered_at="occurred_at")
    elif by == "channel":
        moments = first.group_by("visitor", "occurred_at").aggregate(**extra)
        entries = moments.group_by("visitor").aggregate(
            entered_at=moments.occurred_at.min(), channel=moments.channel.argmin(moments.occurred_at)
        )
    else:
        entries = first.group_by("visitor").aggregate(entered_at=first.occurred_at.min(), **extra)
    if by == "channel":
        return entries.rename(group="channel")
    if by == "new":
        orders = log.filter(log.touchpoint == GOAL)
        orders = orders.group_by("visitor").aggregate(ordered_at=orders.occurred_at.min())
        entries = entries.left_join(orders, "visitor")
        had = (entries.ordered_at < entries.entered_at).fill_null(False)
        group = entries.customer_id.isnull().ifelse(NOT_KNOWN, had.ifelse("returning", "new"))
        return entries.select(*ENTRY, group=group)
    if groups is not None:
        listed = groups[["visitor", "group"]].dropna().astype(str)
        listed = ibis.memtable(listed, schema={"visitor": "string", "group": "string"})
        entries = entries.left_join(listed, "visitor")
        return entries.select(*ENTRY, group=entries.group.fill_null(NOT_KNOWN))
    return entries.mutate(group=ibis.literal(EVERYBODY))


def _within(log: Table, entries: Table, window, *, again: bool) -> Table:
    """The touches that lie in the window of an entry: visitor, entered_at, occurred_at, touchpoint, step."""
    columns = ["visitor", "occurred_at", "touchpoint", "step"]
    if not again:
        joined = log.select(columns).join(entries, "visitor")
        joined = joined.filter(joined.occurred_at >= joined.entered_at)
    else:
        # the latest entry before each touch; a join on ranges would pair all touches of a visitor with all his entries
        starts = entries.select("visitor", occurred_at="entered_at", touchpoint=ibis.literal(""), step=0)
        both = log.select(columns).union(starts.cast({"step": "int64"}))
        both = both.mutate(start=(both.step == 0).ifelse(both.occurred_at, ibis.null("timestamp(6)")))
        so_far = ibis.window(group_by="visitor", order_by=["occurred_at", "step"], preceding=None, following=0)
        both = both.mutate(entered_at=both.start.max().over(so_far))
        joined = both.filter(both.step > 0, both.entered_at.notnull())
    return joined.filter(joined.occurred_at <= joined.entered_at + window).select(*ENTRY, *columns[1:])


def _loose(followed: Table, entries: Table, size: int, *, ties: str) -> Table:
    """The furthest step of each entry that got beyond the first: visitor, entered_at, level."""
    reached, levels = entries.mutate(at=entries.entered_at), []
    for step in range(2, size + 1):
        there = followed.filter(followed.step == step).select(*ENTRY, "occurred_at").join(reached, ENTRY)
        later = there.occurred_at >= there.at if ties == "together" else there.occurred_at > there.at
        reached = there.filter(later).group_by(ENTRY).aggregate(at=lambda t: t.occurred_at.min())
        levels.append(reached.select(*ENTRY, level=ibis.literal(step, "int64")))
    every = ibis.union(*levels) if len(levels) > 1 else levels[0]
    return every.group_by(ENTRY).aggregate(level=every.level.max())


def _strict(followed: Table, size: int, *, ties: str) -> Table:
    """As `_loose`, with no other touch between two steps."""
    line = ibis.window(group_by=ENTRY, order_by=["occurred_at", "step", "touchpoint"])
    before = followed.touchpoint.lag().over(line)
    touched = followed.mutate(fresh=(followed.touchpoint != before).fill_null(True))
    touched = touched.filter(touched.fresh)
    ahead = {f"step_{k}": touched.step.lead(k).over(line) for k in range(1, size)}
    ahead |= {f"at_{k}": touched.occurred_at.lead(k).over(line) for k in range(1, size)}
    touched = touched.mutate(first=touched.occurred_at.lag().over(line).isnull(), at_0=touched.occurred_at, **ahead)
    goes, level = ibis.literal(True), ibis.literal(1, "int64")
    for k in range(1, size):
        goes = goes & (touched[f"step_{k}"] == k + 1).fill_null(False)
        if ties == "later":
            goes = goes & (touched[f"at_{k}"] > touched[f"at_{k - 1}"])
        level = goes.ifelse(ibis.literal(k + 1, "int64"), level)
    # the first touch of an entry's window is the entry itself
    return touched.filter(touched.first).select(*ENTRY, level=level)
