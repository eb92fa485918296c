"""In which order do touches stand: one whole number each, which sorts by time and then by the journey."""

from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import IntegerValue, Table

from cxkit.engine import collect
from cxkit.errors import DataError
from cxkit.times import microseconds

MOST_POINTS = 2048  # touchpoints that fit beside a time in microseconds in one 64-bit number
NO_STAGE = "(no stage)"


def touchpoint_stages(touches: Table) -> pd.DataFrame:
    """The touchpoints of a log and the stage of each.

    From: touchpoint, stage. To, the most met first: touchpoint, stage (missing: unmapped), touches.
    """
    named = touches.filter(touches.touchpoint.notnull())
    counted = named.group_by("touchpoint").aggregate(stage=named.stage.max(), touches=named.count())
    return collect(counted.mutate(rank=-counted.touches), order_by=["rank", "touchpoint"]).drop(columns="rank")


def journey_order(touchpoint_stages: pd.DataFrame, *, stages: Sequence[str]) -> list[str]:
    """The touchpoints in the order of the journey: by stage, within a stage by name, those without a stage last.

    From: `touchpoint_stages`; `stages`: the stages' keys in order.
    """
    rank = {stage: number for number, stage in enumerate(stages)}
    pairs = zip(touchpoint_stages["touchpoint"], touchpoint_stages["stage"], strict=True)
    return [name for _, name in sorted((rank.get(stage, len(rank)), name) for name, stage in pairs)]


def in_order(touches: Table, *, order: Sequence[str] = ()) -> tuple[Table, list[str], int]:
    """The touches with one whole number each, by which they stand in order.

    From: occurred_at, touchpoint; `order`: touchpoints in the order of the journey (those not named come after, by
    name). To: the table with `place` added (microseconds x room + point), the touchpoints' names by `point`, and the
    room, a power of two at least twice as large as there are touchpoints, so that two places further apart than
    room x d + room / 2 are more than d microseconds apart, and others are not.
    Touches at one time stand in the order of the journey, so that the order of rows changes nothing.
    What is left out: touches without a time or a touchpoint, and those whose time is not known (`timed` is false).
    Raises DataError beyond 2,048 touchpoints, or for times beyond the year that fits.
    """
    touches = touches.filter(touches.occurred_at.notnull(), touches.touchpoint.notnull())
    if "timed" in touches.columns:
        touches = touches.filter(touches.timed)
    found = touches.group_by("touchpoint").aggregate(
        first=microseconds(touches.occurred_at.min()), last=microseconds(touches.occurred_at.max())
    )
    found = collect(found, order_by="touchpoint", max_rows=1_000_000)
    if len(found) > MOST_POINTS:
        raise DataError(
            f"the log has {len(found):,} touchpoints; paths are counted over at most {MOST_POINTS:,}. Group them first"
            " (touches.names does so by how many visitors met each)."
        )
    rank = {name: number for number, name in enumerate(dict.fromkeys(order))}
    names = sorted(found["touchpoint"], key=lambda name: (rank.get(name, len(rank)), name))
    room = 2 ** int(np.ceil(np.log2(2 * max(len(names), 1))))
    if len(found):
        border = 2**63 // room - 1
        first, last = int(found["first"].min()), int(found["last"].max())
        if not -border < first <= last < border:
            raise DataError(
                f"the log's times run from {_day(first)} to {_day(last)}; with {len(names):,} touchpoints they must lie"
                f" between {_day(-border)} and {_day(border)}. Mend the dates, or the pattern that reads them."
            )
    points = pd.DataFrame({"touchpoint": names, "point": np.arange(len(names), dtype="int64")})
    points = ibis.memtable(points.astype({"touchpoint": object}), schema={"touchpoint": "string", "point": "int64"})
    placed = touches.join(points, "touchpoint")
    return placed.mutate(place=microseconds(placed.occurred_at) * room + placed.point), names, room


def _day(microseconds: int) -> str:
    return str(np.datetime64(microseconds, "us").astype("datetime64[D]"))


def point(place: IntegerValue, room: int) -> IntegerValue:
    """The touchpoint's number in a place."""
    return place & (room - 1)


def seconds_between(earlier: IntegerValue, later: IntegerValue, room: int) -> ibis.expr.types.FloatingValue:
    """How many seconds lie between two places."""
    return ((later - point(later, room)) // room - (earlier - point(earlier, room)) // room).cast("float64") / 1e6


def far(room: int, minutes: float) -> int:
    """The distance of two places above which more than `minutes` lie between them."""
    return round(minutes * 60_000_000) * room + room // 2
