"""How satisfied are customers with each touchpoint or stage: NPS, CSAT and CES, each with its interval."""

from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.others import against_others, unit_sums
from cxkit.privacy import withhold_small
from cxkit.stages import name_key
from cxkit.style import clean_text

METRICS = ("nps", "csat", "ces")
PROMOTER, DETRACTOR = 9, 6  # at least, at most, of 10
METHOD = "linearised mean by customer, Student's t"
WITHHELD = "withheld: too few customers, or it could be worked out from one with too few"


def asked_about(surveys: Table, *, touchpoint_map: pd.DataFrame, names: pd.DataFrame | None = None) -> Table:
    """Answers with the touchpoint's name and stage as the touch log has them.

    From: surveys with touchpoint (as the survey tool calls it); `stages.touchpoint_map`; `touches.names`, so that what
    is unmapped has the log's spelling too. To: the same rows with touchpoint and stage (null: unmapped).
    What is left out: nothing; answers about no touchpoint keep a null.
    """
    asked = surveys.filter(surveys.touchpoint.notnull()).select(asked=surveys.touchpoint).distinct()
    found = collect(asked, order_by="asked")
    known = {r.key: (r.canonical, r.stage) for r in touchpoint_map[::-1].itertuples()}
    if names is not None:
        named = names[~names["grouped"]]
        known |= {name_key(r.name): (r.touchpoint, r.stage) for r in named.itertuples(index=False)}
    rows = [known.get(name_key(name), (clean_text(name), None)) for name in found["asked"]]
    words = pd.DataFrame(rows, columns=["its_name", "its_stage"], dtype=object).assign(asked=found["asked"].to_numpy())
    words = words.where(words.notna(), None)
    listed = ibis.memtable(words, schema={"its_name": "string", "its_stage": "string", "asked": "string"})
    bare = surveys.drop("stage") if "stage" in surveys.columns else surveys
    joined = bare.left_join(listed, bare.touchpoint == listed.asked)
    return joined.mutate(touchpoint=joined.its_name, stage=joined.its_stage).drop("its_name", "its_stage", "asked")


def scores(
    surveys: Table, *, by: str = "touchpoint", scales: Mapping[str, tuple[float, float]], level: float = 0.95,
    least: int = 5,
) -> pd.DataFrame:  # fmt: skip
    """NPS, CSAT and CES of each touchpoint (or of each value of the column `by`), beside those of all others pooled.

    From: surveys with `by`, metric, score, customer_id (null or missing: each answer is taken for a person of its
    own). To, one row a metric and value of `by`, in this order: `by`, metric, value, low, high, n (answers), customers,
    error, others (the same of all others together), difference (value - others), difference_error, scale_low and
    scale_high (-100 and 100 for NPS; NaN where client.yml declares no scale), unit (points), level, method.
    NPS is the share of promoters (9, 10) minus that of detractors (0 to 6), in points; CSAT and CES are means on their
    own scale, higher taken for better. A customer who answered several times counts once for the error.
    What is left out: answers about nothing (`by` is null) and without a score; numbers of groups under `least`
    customers, and of the next smallest where those could be worked out from it (see `privacy.withhold_small`): their
    rows stand with NaN, and their answers are in nobody's `others`. Answers that were paid for by a discount are in.
    Source: Reichheld (2003), Harvard Business Review 81(12), 46-54 (NPS); the error as `others.against_others`.
    Raises UsageError where NPS was not asked on a scale that ends at 10.
    """
    answers = _points(surveys, by, scales)
    cells = answers.group_by("metric", by, "who").aggregate(
        part=answers.points.sum(), whole=answers.count(), squares=(answers.points * answers.points).sum()
    )
    people = collect(cells.group_by("metric", by).aggregate(customers=cells.count()), order_by=["metric", by])
    held = [
        withhold_small(group.assign(shown=1.0), count="customers", least=least) for _, group in people.groupby("metric")
    ]
    hidden = pd.concat(held) if held else people.assign(shown=1.0)
    hidden = hidden.loc[hidden["shown"].isna(), ["metric", by]]
    if len(hidden):
        cells = cells.anti_join(ibis.memtable(hidden, schema={"metric": "string", by: "string"}), ["metric", by])
    frame = against_others(unit_sums(cells, by=by, unit="who", within=["metric"]), within=["metric"])
    frame = pd.concat([_with_ends(frame, scales, level), hidden.assign(method=WITHHELD)], ignore_index=True)
    rank = frame["metric"].map({m: i for i, m in enumerate(METRICS)})
    frame = frame.assign(rank=rank, unit="points", level=level).sort_values(["rank", by], ignore_index=True)
    counts = {name: frame[name].fillna(0).astype("int64") for name in ("n", "customers")}
    return frame.assign(**counts)[
        [by, "metric", "value", "low", "high", "n", "customers", "error", "others", "difference", "difference_error",
         "scale_low", "scale_high", "unit", "level", "method"]
    ]  # fmt: skip


def _points(surveys: Table, by: str, scales: Mapping[str, tuple[float, float]]) -> Table:
    """Answers with their points: metric, `by`, who, points."""
    if "nps" in scales and scales["nps"][1] != 10:
        low, high = scales["nps"]
        raise UsageError(
            f"NPS is asked on a scale from 0 (or 1) to 10; scales.nps in client.yml is [{low:g}, {high:g}]. Mend it, or"
            " map these answers to another metric (csat)."
        )
    asked = surveys.filter(surveys.metric.isin(METRICS), surveys[by].notnull(), surveys.score.notnull())
    nameless = ibis.literal("answer ") + ibis.row_number().cast("string")
    who = asked.customer_id.fill_null(nameless) if "customer_id" in asked.columns else nameless
    nps = ibis.cases((asked.score >= PROMOTER, 100.0), (asked.score <= DETRACTOR, -100.0), else_=0.0)
    points = (asked.metric == "nps").ifelse(nps, asked.score.cast("float64"))
    return asked.select("metric", by, who=who, points=points)


def _with_ends(frame: pd.DataFrame, scales: Mapping[str, tuple[float, float]], level: float) -> pd.DataFrame:
    from scipy.special import stdtrit

    ends = {m: (-100.0, 100.0) if m == "nps" else scales.get(m, (np.nan, np.nan)) for m in METRICS}
    bottom, top = (frame["metric"].map({m: e[i] for m, e in ends.items()}).astype(float) for i in (0, 1))
    half = stdtrit(np.maximum(frame["units"] - 1, 1), (1 + level) / 2) * frame["error"]
    return frame.rename(columns={"units": "customers"}).assign(
        low=np.fmax(frame["value"] - half, bottom), high=np.fmin(frame["value"] + half, top),
        scale_low=bottom, scale_high=top, method=METHOD,
    )  # fmt: skip
