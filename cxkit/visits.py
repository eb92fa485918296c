"""How whole visits go: commonest variants, loops, where they come from and end; which channels customers mix."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import bit_or, collect
from cxkit.errors import UsageError
from cxkit.estimates import wilson_ends
from cxkit.privacy import LEAST_SHOWN
from cxkit.stages import GOAL
from cxkit.steps import in_order, point, touchpoint_stages
from cxkit.style import GREY, INK, LIGHT, clean_text, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 30  # steps of a variant that are told
MOST_CHANNELS = 30  # channels that are told apart
NOT_KNOWN, OTHERS = "(not known)", "(others)"
BACK, AGAIN = "back to an earlier stage", "three times in a row or more"
ARROW = " → "


def _visit_touches(touches: Table, order: Sequence[str]) -> tuple[Table, list[str], int]:
    """The touches of visits, in order; the touchpoints' names; the room of a place."""
    return in_order(touches.filter(touches.session.notnull()), order=order)


def _with_shares(frame: pd.DataFrame, part: str, whole: str | int, level: float) -> pd.DataFrame:
    """The frame with value (part / whole), Wilson's low and high, and n (whole)."""
    n = frame[whole] if isinstance(whole, str) else pd.Series(whole, index=frame.index)
    low, high = wilson_ends(frame[part], n, level=level)
    value = frame[part] / n.where(n > 0).astype("float64")
    return frame.assign(value=value.astype("float64"), low=low, high=high, n=n.astype("int64"))


def _few(people: pd.Series) -> np.ndarray:
    """Which groups are counted together: those under 5 people, with the next smallest while they are together fewer."""
    ordered = np.argsort(people.to_numpy("int64"), kind="stable")
    sizes = people.to_numpy("int64")[ordered]
    together = (sizes < LEAST_SHOWN) | ((np.cumsum(sizes) - sizes < LEAST_SHOWN) & (np.cumsum(sizes) > sizes))
    return np.isin(np.arange(len(sizes)), ordered[together])


def variants(touches: Table, *, most: int = 10, order: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """The commonest whole visits: which touchpoints, in which order.

    From: visitor, session, occurred_at, touchpoint; `order`: as `paths.path_counts`. To, the commonest first: variant
    (touchpoints joined by arrows; the same one several times in a row stands once), steps (touchpoints in it), visits,
    visitors, value (share of all visits), low, high (Wilson's interval), n (all visits), ordered (yes/no: it holds an
    order).
    What is left out: touches of no visit; variants of under 5 visitors; of visits with over 30 steps, those after the
    30th ("…" follows), so that longer ones that begin alike are counted as one.
    """
    placed, names, _ = _visit_touches(touches, order)
    window = ibis.window(group_by="session", order_by="place")
    before = placed.mutate(before=placed.point.lag().over(window))
    kept = before.filter(before.before.isnull() | (before.before != before.point))
    kept = kept.mutate(number=ibis.row_number().over(window))
    kept = kept.filter(kept.number <= LONGEST)
    whole = kept.group_by("session").aggregate(
        visitor=kept.visitor.min(),
        steps=kept.count(),
        points=kept.point.cast("string").group_concat(" ", order_by=kept.place),
    )
    counted = whole.group_by("points", "steps").aggregate(visits=whole.count(), visitors=whole.visitor.nunique())
    visits = int(collect(whole.aggregate(visits=whole.count()), order_by="visits")["visits"].iloc[0])
    counted = counted.filter(counted.visitors >= LEAST_SHOWN)
    counted = counted.mutate(rank=-counted.visits).order_by("rank", "steps", "points").limit(most)
    frame = collect(counted, order_by=["rank", "steps", "points"])
    points = [[names[int(number)] for number in text.split()] for text in frame["points"]]
    told = [[clean_text(name) for name in row[:LONGEST]] + ["…"] * (len(row) > LONGEST) for row in points]
    shown = pd.DataFrame(
        {
            "variant": pd.Series([ARROW.join(row) for row in told], dtype=object),
            "steps": frame["steps"].clip(upper=LONGEST),
            "visits": frame["visits"],
            "visitors": frame["visitors"],
        }
    )
    return _with_shares(shown, "visits", visits, level).assign(ordered=[GOAL in row for row in points])


def loops(touches: Table, *, stages: Sequence[str], order: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """Where visits go in circles: a step back to an earlier stage, or one touchpoint three times in a row or more.

    From: visitor, session, occurred_at, touchpoint, stage; `stages`: the keys of the main stages in order.
    To, by kind and the most visits first: kind ("back to an earlier stage", "three times in a row or more"), origin,
    follows (the touchpoint itself where it is met again), times (steps back, or rows of three and more), visits (with
    at least one), value (share of all visits), low, high (Wilson's interval), n (all visits). The first row of each
    kind, with origin and follows "(any)", counts the visits with any of that kind.
    What is left out: for steps back, touches of other stages (support, return) or of none: what stands between two
    touches of main stages does not hide a step back.
    """
    placed, names, _ = _visit_touches(touches, order)
    found = touchpoint_stages(touches)
    rank = {stage: number for number, stage in enumerate(stages)}
    known = dict(zip(found["touchpoint"], found["stage"], strict=True))
    rows = [(number, rank[known[name]]) for number, name in enumerate(names) if known.get(name) in rank]
    ranks = ibis.memtable(pd.DataFrame(rows, columns=["point", "rank"]), schema={"point": "int64", "rank": "int64"})
    window = ibis.window(group_by="session", order_by="place")
    main = placed.join(ranks, "point")
    main = main.mutate(last_rank=main["rank"].lag().over(window), origin=main.point.lag().over(window))
    back = main.filter(main["rank"] < main.last_rank).select("session", "origin", follows="point")
    window = ibis.window(group_by="session", order_by="place")
    rowed = placed.mutate(one=placed.point.lag().over(window), two=placed.point.lag(2).over(window))
    rowed = rowed.mutate(three=rowed.point.lag(3).over(window))
    same = (rowed.point == rowed.one) & (rowed.point == rowed.two)
    third = same & (rowed.three.isnull() | (rowed.three != rowed.point))  # counted once, at the third touch
    again = rowed.filter(third).select("session", origin="point", follows="point")
    visits = int(collect(placed.aggregate(visits=placed.session.nunique()), order_by="visits")["visits"].iloc[0])
    parts = [_circles(table, kind, names) for kind, table in ((BACK, back), (AGAIN, again))]
    return _with_shares(pd.concat(parts, ignore_index=True), "visits", visits, level)


def _circles(table: Table, kind: str, names: list[str]) -> pd.DataFrame:
    """One row a step that leads in a circle, after the row of all."""
    measures = {"times": table.count(), "visits": table.session.nunique()}
    whole = collect(table.aggregate(**measures), order_by="times")
    pairs = table.group_by("origin", "follows").aggregate(**measures)
    pairs = collect(pairs.mutate(rank=-pairs.visits), order_by=["rank", "origin", "follows"]).drop(columns="rank")
    labels = np.array(names, dtype=object)
    for side in ("origin", "follows"):
        pairs[side] = pd.Series(labels[pairs[side].to_numpy("int64")], dtype=object)
    frame = pd.concat([whole.assign(origin="(any)", follows="(any)"), pairs], ignore_index=True)
    return frame.assign(kind=kind)[["kind", "origin", "follows", "times", "visits"]].astype(
        {"origin": object, "follows": object, "times": "int64", "visits": "int64"}
    )


def _ends(touches: Table, order: Sequence[str]) -> tuple[Table, list[str]]:
    """One row a visit: visitor, source, channel (of the first touch), first and last (points), ordered (1, 0)."""
    placed, names, room = _visit_touches(touches, order)
    goal = names.index(GOAL) if GOAL in names else -1
    placed = placed.mutate(**{name: placed[name].fill_null(NOT_KNOWN) for name in ("source", "channel")})
    by_place = [placed.place, placed.source, placed.channel]
    ends = placed.group_by("session").aggregate(
        visitor=placed.visitor.min(),
        source=placed.source.first(order_by=by_place),
        channel=placed.channel.first(order_by=by_place),
        last=placed.place.max(),
        ordered=(placed.point == goal).ifelse(1, 0).max(),
    )
    return ends.mutate(last=point(ends.last, room)), names


def entry_channels(
    touches: Table, *, by: Sequence[str] = ("source", "channel"), order: Sequence[str] = (), level: float = 0.95
) -> pd.DataFrame:
    """Where visits come from and where each way in leads.

    From: visitor, session, occurred_at, touchpoint, source, channel. `by`: source, channel or both, of a visit's first
    touch ("(not known)" where it is missing). To, the most visits first: the columns of `by`, visits, visitors,
    ordered (visits with an order), value (their share), low, high (Wilson's interval), n (visits), left (visits without
    an order), left_at (the touchpoint where most of these end), left_at_share (of these).
    What is left out: touches of no visit. Ways in of under 5 visitors are counted together as "(others)", with the
    next smallest while they are together fewer.
    What it cannot show: what a way in is worth to customers who come back by another one.
    Raises UsageError on other columns.
    """
    if not by or set(by) - {"source", "channel"}:
        raise UsageError(f"by names source, channel or both; found {list(by)}.")
    ends, names = _ends(touches, order)
    counted = ends.group_by(*by).aggregate(
        visits=ends.count(), visitors=ends.visitor.nunique(), ordered=ends.ordered.sum()
    )
    frame = collect(counted, order_by=list(by), max_rows=1_000_000)
    lost = ends.filter(ends.ordered == 0).group_by(*by, "last")
    lost = collect(lost.aggregate(ended=ibis._.count()), order_by=[*by, "last"])
    few = set(frame.loc[_few(frame["visitors"]), list(by)].itertuples(index=False, name=None))
    for table in (frame, lost):
        table[list(by)] = table[list(by)].astype(object)
        rare = [row in few for row in table[list(by)].itertuples(index=False, name=None)]
        table.loc[rare, list(by)] = OTHERS
    sums = frame.groupby(list(by), sort=False)[["visits", "visitors", "ordered"]].sum().reset_index()
    lost = lost.groupby([*by, "last"])["ended"].sum().reset_index()
    lost = lost.sort_values(["ended", "last"], ascending=[False, True]).drop_duplicates(list(by))
    sums = sums.astype({"visits": "int64", "visitors": "int64", "ordered": "int64"})
    sums = _with_shares(sums, "ordered", "visits", level).merge(lost, on=list(by), how="left")
    sums = sums.assign(left=sums["visits"] - sums["ordered"])
    labels = [names[int(k)] if k == k else None for k in sums["last"]]
    sums = sums.assign(left_at=pd.Series(labels, dtype=object), left_at_share=sums["ended"] / sums["left"])
    frame = sums.sort_values(["visits", *by], ascending=[False, *[True] * len(by)], ignore_index=True)
    return frame.drop(columns=["last", "ended"])


def last_touches(touches: Table, *, order: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """Where visits without an order end.

    From: visitor, session, occurred_at, touchpoint. To, the most ends first, all touchpoints of visits: touchpoint,
    ended (visits without an order whose last touch it is), share_of_lost (of all visits without an order), met (visits
    that met it, with or without an order), value (of these, the share that ends there without an order), low, high
    (Wilson's interval), n (met).
    What it leaves out: that the last touch need not be the reason for leaving.
    """
    placed, names, _ = _visit_touches(touches, order)
    met = placed.group_by("point").aggregate(met=placed.session.nunique())
    ends, _ = _ends(touches, order)
    lost = ends.filter(ends.ordered == 0).group_by("last").aggregate(ended=ibis._.count())
    joined = met.left_join(lost, met.point == lost.last).select("point", "met", ended=lost.ended.fill_null(0))
    frame = collect(joined.mutate(rank=-joined.ended), order_by=["rank", "point"]).astype("int64")
    lost_visits = max(int(frame["ended"].sum()), 1)
    frame = frame.assign(
        touchpoint=pd.Series([names[k] for k in frame["point"]], dtype=object),
        share_of_lost=frame["ended"] / lost_visits,
    )
    frame = frame[["touchpoint", "ended", "share_of_lost", "met"]]
    return _with_shares(frame, "ended", "met", level)


def plot_last_touches(lasts: pd.DataFrame, *, most: int = 12, ax: "Axes | None" = None) -> "Axes":
    """`last_touches` as bars: of the visits that met a touchpoint, the share that ended there without an order.

    The most ends first; each with its interval and its count.
    """
    import matplotlib.pyplot as plt

    shown = lasts[lasts["ended"] > 0].head(most)
    ax = plt.subplots(figsize=(7.2, 0.36 * max(len(shown), 1) + 1.3))[1] if ax is None else ax
    place = np.arange(len(shown))
    ax.barh(place, shown["value"], 0.62, color=LIGHT)
    ax.hlines(place, shown["low"], shown["high"], color=GREY, linewidth=1.4)
    ax.plot(shown["value"], place, "o", color="C0", markersize=6)
    for y, row in zip(place, shown.itertuples(), strict=True):
        ax.annotate(f"{format_value(row.value, 'share')} of {row.n:,}", (row.high, y), (6, 0),
                    textcoords="offset points", va="center", fontsize=9, color=INK)  # fmt: skip
    if shown.empty:
        ax.text(0.5, 0.5, "no visit ended without an order", ha="center", va="center", color=GREY)
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[])
    ax.set_yticks(place, [plain_text(name, width=28) for name in shown["touchpoint"]])
    ax.tick_params(axis="y", length=0)
    if len(shown):
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_xlim(0, min(1.25 * float(shown["high"].max()) + 0.12, 1.3))
        ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %" if share <= 1 else "")
    ax.set(
        xlabel="Share of the visits that met it and ended there without an order (most of them first)",
        title="Where visits without an order end",
    )
    return ax


def describe_last_touches(lasts: pd.DataFrame) -> str:
    """What `plot_last_touches` shows, for those who cannot see it."""
    shown = lasts[lasts["ended"] > 0]
    if shown.empty:
        return "Bars of where visits without an order end: there are none."
    worst = shown.sort_values(["value", "touchpoint"], ascending=[False, True]).iloc[0]
    first = shown.iloc[0]
    return (
        f"Bars of where visits without an order end. Most end at {plain_text(first['touchpoint'])} "
        f"({format_value(first['share_of_lost'], 'share')} of them). Of the visits that met "
        f"{plain_text(worst['touchpoint'])}, {format_value(worst['value'], 'share')} ended there."
    )


def channel_overlap(touches: Table, *, most: int = 10, level: float = 0.95) -> pd.DataFrame:
    """Which channels customers use together.

    From: customer_id, channel. To, the commonest first: channels (the set that a customer used, joined by " + "), used
    (how many), customers, value (share of all customers with a channel), low, high (Wilson's interval), n.
    What is left out: unknown visitors, who cannot be followed from channel to channel; touches without a channel. Sets
    beyond the `most` commonest, and those of under 5 customers, are counted together as "(others)".
    Channels beyond the 30 that most customers use are one, "(other channels)".
    """
    sets, names = _channel_sets(touches)
    frame = collect(
        sets.group_by("bits").aggregate(customers=sets.count()), order_by="bits", max_rows=5_000_000
    ).astype("int64")
    frame = frame.sort_values(["customers", "bits"], ascending=[False, True], ignore_index=True)
    together = _few(frame["customers"])
    together |= np.cumsum(~together) > most
    rest = frame[together]
    shown = [
        {"channels": " + ".join(n for i, n in enumerate(names) if row.bits >> i & 1), "used": row.bits.bit_count()}
        | {"customers": row.customers}
        for row in frame[~together].astype(object).itertuples()
    ]
    if len(rest):
        shown.append({"channels": OTHERS, "used": pd.NA, "customers": int(rest["customers"].sum())})
    made = pd.DataFrame(shown, columns=["channels", "used", "customers"])
    made = made.astype({"channels": object, "used": "Int64", "customers": "int64"})
    return _with_shares(made, "customers", int(frame["customers"].sum()), level)


def channel_pairs(touches: Table, *, level: float = 0.95) -> pd.DataFrame:
    """Of the customers who use one channel, how many use another as well.

    From: customer_id, channel. To, by channel: channel, other, customers (who use both), value (of those who use
    `channel`), low, high (Wilson's interval), n (who use `channel`).
    What is left out: as `channel_overlap`; pairs whose channel has under 5 customers.
    """
    sets, names = _channel_sets(touches)
    frame = collect(sets.group_by("bits").aggregate(customers=sets.count()), order_by="bits").astype("int64")
    bits, customers = frame["bits"].to_numpy(), frame["customers"].to_numpy()
    has = [(bits >> i & 1).astype(bool) for i in range(len(names))]
    rows = [
        (one, other, int(customers[has[i] & has[j]].sum()), int(customers[has[i]].sum()))
        for i, one in enumerate(names)
        for j, other in enumerate(names)
        if i != j and customers[has[i]].sum() >= LEAST_SHOWN
    ]
    made = pd.DataFrame(rows, columns=["channel", "other", "customers", "whole"])
    made = made.astype({"channel": object, "other": object, "customers": "int64", "whole": "int64"})
    return _with_shares(made, "customers", "whole", level).drop(columns="whole")


def _channel_sets(touches: Table) -> tuple[Table, list[str]]:
    """One row a known customer with bits, whose i-th says that he used the i-th channel; the channels' names."""
    known = touches.filter(touches.customer_id.notnull(), touches.channel.notnull())
    counted = known.group_by("channel").aggregate(customers=known.customer_id.nunique())
    found = collect(counted.mutate(rank=-counted.customers), order_by=["rank", "channel"], max_rows=1_000_000)
    names = found["channel"].tolist()
    many = len(names) > MOST_CHANNELS
    told = [clean_text(name) for name in names[: MOST_CHANNELS - 1 if many else MOST_CHANNELS]]
    bits = [1 << min(i, MOST_CHANNELS - 1) for i in range(len(names))]
    words = pd.DataFrame({"channel": pd.Series(names, dtype=object), "bit": np.array(bits, dtype="int64")})
    joined = known.join(ibis.memtable(words, schema={"channel": "string", "bit": "int64"}), "channel")
    return joined.group_by("customer_id").aggregate(bits=bit_or(joined.bit)), told + ["(other channels)"] * many
