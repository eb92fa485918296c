"""Small tables of answers and reviews with comments, and comments as `comments.readable` leaves them, by hand."""

from collections.abc import Sequence

import ibis
import pandas as pd

from cxkit.languages import languages_of

SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "rating": (1, 5)}
SURVEYS = {
    "answered_at": "timestamp(6)", "answered_on": "date", "metric": "string", "score": "float64",
    "customer_id": "string", "comment": "string",
}  # fmt: skip
REVIEWS = {"written_at": "timestamp(6)", "rating": "float64", "text": "string"}


def surveys(rows: Sequence[tuple]) -> ibis.Table:
    """Rows (day, metric, score, customer, comment)."""
    frame = pd.DataFrame(rows, columns=["answered_on", "metric", "score", "customer_id", "comment"])
    at = pd.to_datetime(frame["answered_on"])
    return _table(frame.assign(answered_at=at.astype("datetime64[us]"), answered_on=at.dt.date), SURVEYS)


def reviews(rows: Sequence[tuple]) -> ibis.Table:
    """Rows (time, rating, text); without customers, and without local days."""
    frame = pd.DataFrame(rows, columns=["written_at", "rating", "text"])
    return _table(frame.assign(written_at=pd.to_datetime(frame["written_at"]).astype("datetime64[us]")), REVIEWS)


def _table(frame: pd.DataFrame, types: dict) -> ibis.Table:
    frame = frame[list(types)].astype(object)
    return ibis.memtable(frame.where(frame.notna(), None), schema=types)


def said(rows: Sequence[tuple]) -> pd.DataFrame:
    """Rows (who, text[, metric[, score[, day]]]) as `comments.readable`; else NPS, 8, and 2026-03-01."""
    padded = [(*row, *("nps", 8.0, "2026-03-01")[len(row) - 2 :]) for row in rows]
    frame = pd.DataFrame(padded, columns=["who", "text", "metric", "score", "day"])
    low, high = (frame["metric"].map({m: ends[i] for m, ends in SCALES.items()}) for i in (0, 1))
    place = (frame["score"].astype(float) - low) / (high - low)
    return frame.assign(
        said_on=pd.to_datetime(frame.pop("day")), origin="survey", place=place, left_out="", cut=False,
        language=languages_of(list(frame["text"])),
    )  # fmt: skip
