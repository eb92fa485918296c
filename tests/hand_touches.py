"""Small touch logs by hand, with the columns and types of `touches.touch_log`."""

from collections.abc import Sequence

import ibis
import pandas as pd

from cxkit.stages import GOAL

COLUMNS = {
    "visitor": "string",
    "customer_id": "string",
    "session": "string",
    "occurred_at": "timestamp(6)",
    "occurred_on": "date",
    "touchpoint": "string",
    "stage": "string",
    "channel": "string",
    "source": "string",
    "order_id": "string",
    "origin": "string",
    "timed": "boolean",
}
ROW = ("visitor", "session", "time", "touchpoint", "stage", "channel")
DAY = "2026-03-01 "


def touches(rows: Sequence[tuple], **columns: object) -> ibis.Table:
    """Rows (visitor, session, time, touchpoint[, stage[, channel]]) as a touch log; further columns by name.

    A time of day alone ("10:00") is on 2026-03-01. A visitor called `session …` is nobody known: customer_id null.
    Where not said: stage null, channel web, source null, origin events, timed true; occurred_on is the UTC day.
    """
    return table(frame(rows, **columns))


def frame(rows: Sequence[tuple], **columns: object) -> pd.DataFrame:
    """As `touches`, before it becomes a table."""
    padded = [(*row, *(None, "web")[len(row) - 4 :]) for row in rows]
    made = pd.DataFrame(padded, columns=ROW)
    times = [DAY + t if isinstance(t, str) and len(t) < 16 and "-" not in t else t for t in made.pop("time")]
    at = pd.Series([pd.Timestamp(t) for t in times], index=made.index, dtype="datetime64[us]")
    unknown = made["visitor"].fillna("session ").str.startswith("session ")
    made = made.assign(
        customer_id=made["visitor"].mask(unknown, None),
        occurred_at=at,
        occurred_on=at.dt.date,
        source=None,
        order_id=None,
        origin="events",
        timed=True,
    )
    return made.assign(**columns)[list(COLUMNS)]


def table(made: pd.DataFrame) -> ibis.Table:
    """A frame with the log's columns as a table with the log's types."""
    plain = made[list(COLUMNS)].astype({c: object for c, kind in COLUMNS.items() if kind == "string"})
    plain = plain.where(plain.notna(), None)
    return ibis.memtable(plain, schema=COLUMNS)


def random_touches(rng, rows: int, *, visitors: int = 40, names: Sequence[str] = ("a", "b", "c", "d")) -> pd.DataFrame:
    """Touches at random: a frame with ties in time, gaps of about half an hour, unknown visitors, and some orders."""
    who = rng.integers(0, visitors, rows)
    at = pd.Timestamp("2026-03-01") + pd.to_timedelta(rng.integers(0, 400, rows), unit="min")
    visitor = [f"session s{w}-0" if w % 5 == 0 else f"c{w}" for w in who]
    session = [f"s{w}-0" if w % 5 == 0 else f"s{w}-{t.hour}" for w, t in zip(who, at, strict=True)]
    stages = {name: ("need", "information", "choice", "payment")[i % 4] for i, name in enumerate(names)}
    stages[GOAL] = "payment"
    point = rng.choice([*names, GOAL], rows)
    channel = rng.choice(["web", "app"], rows)
    drawn = zip(visitor, session, at, point, [stages[p] for p in point], channel, strict=True)
    return frame(list(drawn))
