"""Which touchpoint follows which: counts of steps, transitions, their gaps, and the step matrix."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import IntegerValue, Table

from cxkit.engine import collect, hash_of
from cxkit.errors import UsageError
from cxkit.estimates import wilson_ends
from cxkit.heatmap import draw_heat_map
from cxkit.steps import far, in_order, point, seconds_between
from cxkit.style import GREY, LIGHT, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEGINS, LEAVES, ENDED = "(begins)", "(leaves)", "(visit ended)"
MOST_POSITIONS = 100
QUARTILES = {"q25": 0.25, "median": 0.5, "q75": 0.75}
END = -1  # the number of "no touchpoint": the visit ends here


def path_counts(
    touches: Table, *, gap_minutes: float | None = None, positions: int = 10, order: Sequence[str] = ()
) -> pd.DataFrame:
    """How often each step was made, by its position in the visit: what all on paths derives from.

    From: visitor, session, occurred_at, touchpoint (timed where there is one). A visit is a `session`; with
    `gap_minutes`, touches of one visitor with no gap over it, whatever their session.
    `order`: touchpoints in the order of the journey, for touches at one time (`steps.journey_order`).
    To, one row a step of each kind: origin (touchpoint; None: the visit begins), follows (touchpoint; None: the visit
    ends), position (of what follows: 1 is the visit's first touch; 0 counts all beyond `positions` together), count.
    What is left out: touches without a time of their own, a touchpoint, and a session (with `gap_minutes`: a visitor).
    How: time and touchpoint become one whole number; one window a visitor looks one touch ahead and some back, so that
    the position falls out of the distances; equal steps are counted in the engine. Visits (visitors) are told apart by
    a 64-bit hash of their names: that any two of n share one has the chance n^2 / 2^65, for ten million 3 in a million.
    Raises UsageError on settings that make no sense; DataError as `steps.in_order`.
    """
    if not 1 <= positions <= MOST_POSITIONS:
        raise UsageError(f"positions lies between 1 and {MOST_POSITIONS}; found {positions}.")
    # a step is told by the touch that it leaves: the one at position p leads to position p + 1
    told = max(positions - 1, 1)
    placed, names, room = _placed(touches, gap_minutes, order)
    window = ibis.window(group_by="visit", order_by="place")
    if gap_minutes is None:
        looks = {"number": ibis.row_number().over(window)}
    else:
        looks = {f"back_{i}": placed.place.lag(i).over(window) for i in range(1, told + 1)}
    # all in one step, so that the engine sorts once
    walked = placed.mutate(after=placed.place.lead().over(window), **looks)
    if gap_minutes is None:
        position = (walked.number < told).ifelse(walked.number + 2, 0)
    else:
        places = list(enumerate(pairwise([walked.place, *(walked[name] for name in looks)]), start=2))
        position = ibis.literal(0)
        for number, (later, earlier) in reversed(places):  # null, where there is no earlier one, is not near
            position = (later - earlier <= far(room, gap_minutes)).ifelse(position, number)
    steps = walked.select(
        origin=point(walked.place, room), follows=_next_point(walked, gap_minutes, room), position=position
    )
    counted = steps.group_by("origin", "follows", "position").aggregate(count=steps.count())
    counted = collect(counted, order_by=["position", "origin", "follows"]).astype("int64")
    begins = counted[counted["position"] == 2].groupby("origin", as_index=False)["count"].sum()
    begins = begins.rename(columns={"origin": "follows"}).assign(origin=END, position=1)
    counted["position"] = counted["position"].where(counted["position"] <= positions, 0)
    frame = pd.concat([begins, counted], ignore_index=True)
    frame = frame.groupby(["origin", "follows", "position"], as_index=False)["count"].sum()
    frame = frame.assign(last=frame["position"] == 0).sort_values(["last", "position", "origin", "follows"])
    labels = np.array([*names, None], dtype=object)
    return pd.DataFrame(
        {
            "origin": pd.Series(labels[frame["origin"].to_numpy("int64")], dtype=object),
            "follows": pd.Series(labels[frame["follows"].to_numpy("int64")], dtype=object),
            "position": frame["position"].to_numpy("int64"),
            "count": frame["count"].to_numpy("int64"),
        }
    )


def _placed(touches: Table, gap_minutes: float | None, order: Sequence[str]) -> tuple[Table, list[str], int]:
    """Each touch's place and visit (with `gap_minutes` its visitor); the touchpoints' names; the room of a place."""
    if gap_minutes is not None and not gap_minutes > 0:
        raise UsageError(f"gap_minutes must be above 0; found {gap_minutes}.")
    key = "session" if gap_minutes is None else "visitor"
    placed, names, room = in_order(touches.filter(touches[key].notnull()), order=order)
    return placed.select("place", visit=hash_of(placed[key])), names, room  # a number sorts faster than a text


def _next_point(walked: Table, gap_minutes: float | None, room: int) -> IntegerValue:
    following = point(walked.after, room)
    if gap_minutes is not None:
        following = (walked.after - walked.place <= far(room, gap_minutes)).ifelse(following, END)
    return following.fill_null(END)


def visits_counted(counts: pd.DataFrame) -> int:
    """How many visits there are. From: `path_counts`."""
    return int(counts.loc[counts["origin"].isna(), "count"].sum())


def transitions(counts: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How often each touchpoint is followed by each other, and which share of its steps that is.

    From: `path_counts`. To, by origin and the most often first: origin ("(begins)": the visit begins), follows
    ("(leaves)": the visit ends), count, share_of_origin with low, high (Wilson's interval), n (all steps from origin).
    What it leaves out: that one visitor may make many steps; where few make most of them, the intervals are too narrow.
    """
    sums = counts.groupby(["origin", "follows"], dropna=False, sort=False)["count"].sum().reset_index()
    n = sums.groupby("origin", dropna=False, sort=False)["count"].transform("sum")
    low, high = wilson_ends(sums["count"], n, level=level)
    frame = sums.assign(share_of_origin=sums["count"] / n, low=low, high=high, n=n, begins=sums["origin"].notna())
    frame = frame.astype({"origin": object, "follows": object})
    frame["origin"] = frame["origin"].where(frame["origin"].notna(), BEGINS)
    frame["follows"] = frame["follows"].where(frame["follows"].notna(), LEAVES)
    frame = frame.sort_values(["begins", "origin", "count", "follows"], ascending=[True, True, False, True])
    return frame.drop(columns="begins").reset_index(drop=True)


def transition_gaps(touches: Table, *, gap_minutes: float | None = None, order: Sequence[str] = ()) -> pd.DataFrame:
    """How long the steps take: from one touch to the next of the same visit.

    From, visits and what is left out: as `path_counts`. To, the most often first: origin, follows, count, q25_seconds,
    median_seconds, q75_seconds. The last touch of a visit has no time after it: how long it lasted is not known.
    """
    placed, names, room = _placed(touches, gap_minutes, order)
    window = ibis.window(group_by="visit", order_by="place")
    walked = placed.mutate(after=placed.place.lead().over(window))
    steps = walked.select(
        origin=point(walked.place, room),
        follows=_next_point(walked, gap_minutes, room),
        seconds=seconds_between(walked.place, walked.after, room),
    )
    steps = steps.filter(steps.follows != END)
    quartiles = {f"{name}_seconds": steps.seconds.quantile(q) for name, q in QUARTILES.items()}
    found = steps.group_by("origin", "follows").aggregate(count=steps.count(), **quartiles)
    found = collect(found.mutate(rank=-found["count"]), order_by=["rank", "origin", "follows"]).drop(columns="rank")
    labels = np.array([*names, None], dtype=object)
    for side in ("origin", "follows"):
        found[side] = pd.Series(labels[found[side].to_numpy("int64")], dtype=object)
    return found


def step_matrix(counts: pd.DataFrame, *, order: Sequence[str] = ()) -> pd.DataFrame:
    """At which touchpoint the visits are at their first, second, … touch, and how many have ended by then.

    From: `path_counts`; `order`: touchpoints in the order of the journey (else the most met stand first).
    To, all combinations: touchpoint ("(visit ended)" last), position (1, 2, …), count, share (of all visits). At each
    position the counts add up to all visits. What is left out: positions beyond those that `path_counts` tells apart.
    """
    visits = visits_counted(counts)
    seen = counts[(counts["position"] > 0) & counts["follows"].notna()]
    last = int(seen["position"].max()) if len(seen) else 0
    met = seen.groupby("follows")["count"].sum()
    rank = {name: number for number, name in enumerate(dict.fromkeys(order))}
    names = sorted(met.index, key=lambda name: (rank.get(name, len(rank)), 0 if rank else -met[name], name))
    table = seen.pivot_table(index="follows", columns="position", values="count", aggfunc="sum", fill_value=0)
    table = table.reindex(index=names, columns=range(1, last + 1), fill_value=0)
    values = np.vstack([table.to_numpy("int64"), visits - table.to_numpy("int64").sum(axis=0, keepdims=True)])
    rows, columns = np.divmod(np.arange(values.size), max(last, 1))
    frame = pd.DataFrame({"touchpoint": np.array([*names, ENDED], dtype=object)[rows], "position": columns + 1})
    return frame.assign(count=values.ravel(), share=values.ravel() / max(visits, 1))


def shown_steps(matrix: pd.DataFrame, *, most: int = 15) -> pd.DataFrame:
    """`step_matrix` with at most `most` touchpoints, those most met; the rest together as "others (n)".

    What has ended stays, and stays last; the order of the rows is kept.
    """
    points = matrix[matrix["touchpoint"] != ENDED]
    met = points.groupby("touchpoint", sort=False)["count"].sum().reset_index()
    if len(met) <= most:
        return matrix
    kept = set(met.sort_values(["count", "touchpoint"], ascending=[False, True])["touchpoint"].iloc[: most - 1])
    others = points[~points["touchpoint"].isin(kept)].groupby("position", as_index=False)[["count", "share"]].sum()
    others.insert(0, "touchpoint", f"others ({len(met) - most + 1})")
    ended = matrix[matrix["touchpoint"] == ENDED]
    return pd.concat([points[points["touchpoint"].isin(kept)], others, ended], ignore_index=True)


def plot_step_matrix(matrix: pd.DataFrame, *, most: int = 15, ax: "Axes | None" = None) -> "Axes":
    """`step_matrix` as a heat map: touchpoints down, the visit's touches across; what has ended stands below, hatched.

    Numbers are percent of all visits.
    """
    import matplotlib.pyplot as plt

    shown = shown_steps(matrix, most=most)
    names = list(dict.fromkeys(shown["touchpoint"]))
    ax = plt.subplots(figsize=(7.2, 0.28 * len(names) + 1.4))[1] if ax is None else ax
    last = int(shown["position"].max()) if len(shown) else 0
    values = shown["share"].to_numpy(float).reshape(len(names), last) if last else np.zeros((0, 0))
    values = values if len(names) > 1 else np.zeros((0, 0))
    texts = [[_percent(v) for v in row] for row in values]
    points = values[:-1]
    top = float(points.max()) if points.size else 1.0
    labels = [plain_text(name, width=24) for name in names]
    draw_heat_map(
        ax, values, texts, rows=labels[: len(values)], columns=[str(c) for c in range(1, last + 1)], top=max(top, 1e-9)
    )
    if len(values):
        _quieten(ax, len(names) - 1, last)
    ax.set(xlabel="Touch of the visit: first, second, … (percent of all visits)", title="Where the visits are, %")
    return ax


def _quieten(ax: "Axes", row: int, columns: int) -> None:
    """Draws the row of ended visits without colour: it is no touchpoint, and would drown the others."""
    for patch in ax.patches[row * columns :]:
        patch.set_facecolor("white")
    for text in ax.texts[row * columns :]:
        text.set_color(GREY)
    ax.axhline(row - 0.5, color=LIGHT, linewidth=1.5)


def _percent(share: float) -> str:
    if share == 0:
        return "·"
    return "<1" if share < 0.005 else f"{100 * share:.0f}"


def describe_steps(matrix: pd.DataFrame) -> str:
    """What `plot_step_matrix` shows, for those who cannot see it."""
    points = matrix[matrix["touchpoint"] != ENDED]
    if points.empty:
        return "Heat map of the touchpoints by their position in the visit: there are no visits."
    first = points[points["position"] == 1].sort_values(["share", "touchpoint"], ascending=[False, True]).iloc[0]
    last = int(matrix["position"].max())
    ended = matrix[(matrix["touchpoint"] == ENDED) & (matrix["position"] == last)]["share"].iloc[0]
    return (
        f"Heat map of {points['touchpoint'].nunique()} touchpoints by their position in the visit. Most visits begin "
        f"at {plain_text(first['touchpoint'])} ({format_value(first['share'], 'share')}); before touch {last}, "
        f"{format_value(ended, 'share')} have ended."
    )
