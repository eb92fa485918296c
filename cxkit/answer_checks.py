"""How far do the answers carry: what is not known of them, whether the scale is right, which change they could show."""

from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.style import clean_text

LEAST_TO_DOUBT = 30  # answers; fewer may miss the ends of a scale by chance
LEAST_AT_END = 10  # answers of 1 where nobody gave the declared 0
MOST_SURVEYS = 12  # distinct survey ids up to which each is looked at alone; else each year
SCALED = ("nps", "csat", "ces", "csi_item", "expectation")
POWER = 0.8
FINE, UNDECLARED, TOO_FEW = "nothing speaks against it", "not declared", "too few answers to tell"


def scale_check(surveys: Table, scales: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """What scale the answers look as if they had been given on, beside the declared one.

    From: surveys (metric, score, answered_on, perhaps survey_id). To, by metric and part: metric, part (the survey
    where there are at most 12 survey ids of the metric, else the year), declared_low, declared_high, found_low,
    found_high, n, fits (false where something speaks against the scale), reading.
    With 30 answers or more: a highest answer that nobody gave is doubted, and a lowest one of 0 where 1 was given 10
    times or more; NPS on 1 to 10 is told, as it has no zeros. A scale turned round (1 = best) cannot be seen.
    What is left out: answers off the declared scale, which the door refuses.
    """
    columns = ["metric", "part", "declared_low", "declared_high", "found_low", "found_high", "n", "fits", "reading"]
    rows = surveys.filter(surveys.metric.isin(SCALED), surveys.score.notnull())
    part = rows.answered_on.year().cast("string")
    if "survey_id" in rows.columns:
        named = rows.group_by("metric").aggregate(
            surveys=rows.survey_id.nunique(), unnamed=rows.survey_id.isnull().sum()
        )
        rows = rows.join(named, "metric")
        few = (rows.surveys <= MOST_SURVEYS) & (rows.unnamed == 0)
        part = few.ifelse(rows.survey_id, rows.answered_on.year().cast("string"))
    rows = rows.select("metric", "score", part=part)
    bottom = rows.score.min().over(group_by=["metric", "part"])
    rows = rows.mutate(at_end=(rows.score == bottom).cast("int64"))
    counted = rows.group_by("metric", "part").aggregate(
        found_low=rows.score.min(), found_high=rows.score.max(), n=rows.count(), at_end=rows.at_end.sum()
    )
    frame = collect(counted, order_by=["metric", "part"])
    told = [_reading(row, scales.get(row.metric)) for row in frame.itertuples()]
    ends = [scales.get(metric, (float("nan"),) * 2) for metric in frame["metric"]]
    frame = frame.assign(
        declared_low=[float(low) for low, _ in ends], declared_high=[float(high) for _, high in ends],
        fits=[fits for fits, _ in told], reading=[text for _, text in told],
        rank=frame["metric"].map({m: i for i, m in enumerate(SCALED)}),
    )  # fmt: skip
    return frame.sort_values(["rank", "part"], ignore_index=True)[columns]


def _reading(row: tuple, scale: tuple[float, float] | None) -> tuple[bool, str]:
    if scale is None:
        where = f"write scales.{row.metric}: [lowest, highest] in client.yml"
        return False, f"{UNDECLARED}: {where} (answers from {row.found_low:g} to {row.found_high:g} were found)"
    low, high = scale
    if row.n < LEAST_TO_DOUBT:
        return True, TOO_FEW
    doubts = []
    if row.found_high < high:
        doubts.append(f"no answer above {row.found_high:g} of {high:g} declared")
    if low == 0 and row.found_low == 1 and row.at_end >= LEAST_AT_END:
        doubts.append(f"no answer of {low:g}, and {row.at_end:,} of {row.found_low:g}")
    if doubts:
        return False, f"{'; '.join(doubts)}: is the scale right?"
    if row.metric == "nps" and low == 1:
        return True, f"{FINE}; asked from 1: there are no zeros"
    return True, FINE


def scales_in_words(check: pd.DataFrame) -> list[str]:
    """What speaks against a declared scale, a sentence each; one sentence where nothing does."""
    if not len(check):
        return ["No answer with a score was found."]
    doubted = check[~check["fits"]]
    if not len(doubted):
        return ["Every metric's answers fit the scale that client.yml declares, as far as answers can show it."]
    told = [f"{_called(row.metric)}, {clean_text(row.part)}: {row.reading}" for row in doubted.itertuples()]
    return [text if text.endswith("?") else f"{text}." for text in told]


def _called(metric: str) -> str:
    return {"csi_item": "Experience of an item", "expectation": "Expectation of an item"}.get(metric, metric.upper())


def overview(surveys: Table) -> pd.DataFrame:
    """What the answers are and what is not known of them, a row a metric.

    To, by metric: metric, answers (with a score), without_score, people, often_share (of the people: answered more than
    once), without_customer_share (of the answers), comment_share, incentive_share (of the answers of which it is known
    whether something was promised; NaN where of none), incentive_unknown_share, first_on, last_on.
    What is left out: rows that the door refused (`refused_in_words`).
    """
    nothing = ibis.null("string")
    optional = {name: surveys[name] if name in surveys.columns else nothing for name in ("customer_id", "comment")}
    flag = surveys.incentive if "incentive" in surveys.columns else ibis.null("boolean")
    nameless = ibis.literal("answer ") + ibis.row_number().cast("string")
    rows = surveys.select(
        "metric", "score", "answered_on", who=optional["customer_id"].fill_null(nameless), flag=flag,
        nameless=optional["customer_id"].isnull(), commented=optional["comment"].fill_null("").length() > 0,
    )  # fmt: skip
    given = rows.filter(rows.score.notnull())
    people = given.group_by("metric", "who").aggregate(often=(given.count() > 1).cast("int64"))
    people = people.group_by("metric").aggregate(people=people.count(), often=people.often.sum())
    counted = rows.group_by("metric").aggregate(
        answers=rows.score.count(), without_score=rows.score.isnull().sum(), nameless=rows.nameless.sum(),
        comments=rows.commented.sum(), promised=rows.flag.cast("int64").sum(), known=rows.flag.count(),
        rows=rows.count(), first_on=rows.answered_on.min(), last_on=rows.answered_on.max(),
    )  # fmt: skip
    frame = collect(counted, order_by="metric").merge(collect(people, order_by="metric"), on="metric", how="left")
    whole, known = frame["rows"].astype(float), frame["known"].astype(float)
    counts = {name: frame[name].fillna(0).astype("int64") for name in ("answers", "without_score", "people")}
    frame = frame.assign(
        **counts,
        often_share=frame["often"].astype(float) / frame["people"].astype(float),
        without_customer_share=frame["nameless"].astype(float) / whole,
        comment_share=frame["comments"].astype(float) / whole,
        incentive_share=(frame["promised"].astype(float) / known.where(known > 0)),
        incentive_unknown_share=1 - known / whole,
        rank=frame["metric"].map({m: i for i, m in enumerate(SCALED)}),
    )
    names = ["metric", "answers", "without_score", "people", "often_share", "without_customer_share", "comment_share",
             "incentive_share", "incentive_unknown_share", "first_on", "last_on"]  # fmt: skip
    return frame.sort_values("rank", ignore_index=True)[names]


def refused_in_words(account: Mapping) -> str:
    """How many rows of the answers the door refused, and why. From: `run.loaded.accounts["surveys"]`."""
    refused = {reason: count for reason, count in account["refused"].items() if count}
    rows = account["rows_in"]
    if not refused:
        return f"All {rows:,} rows of the export of answers were kept."
    told = "; ".join(f"{count:,} {clean_text(reason)}" for reason, count in refused.items())
    return f"Of {rows:,} rows of the export of answers, {sum(refused.values()):,} were refused: {told}."


def smallest_change(measures: pd.DataFrame, *, power: float = POWER, level: float = 0.95) -> pd.DataFrame:
    """The smallest change that a second wave of as many answers would show with a chance of `power`.

    From: `measured` (not by anything). To, one row a measure that is known: measure, value, n, people, effective,
    smallest_change (in points; of shares in percentage points), unit (points), power, level, method.
    smallest_change = (t of the level + t of the power) * sqrt(2) * error, with the people less one as freedom.
    What it cannot show: changes of a score near its end, whose spread changes with it.
    Source: Lehr (1992), Statistics in Medicine 11(8), 1099-1102 (n = 16 s^2 / d^2 at 80 %); Cohen (1988), Statistical
    Power Analysis, 2nd ed., ch. 2.
    """
    from scipy.special import stdtrit

    known = measures[measures["low"].notna()].reset_index(drop=True)
    freedom = known["people"].to_numpy(dtype=float) - 1
    z = stdtrit(freedom, (1 + level) / 2) + stdtrit(freedom, power)
    size = np.where(known["unit"].eq("share"), 100.0, 1.0)
    change = z * np.sqrt(2) * size * known["error"].to_numpy(dtype=float)
    return known[["measure", "value", "n", "people", "effective"]].assign(
        smallest_change=change,
        unit="points",
        power=power,
        level=level,
        method="Student's t, two equal independent waves",
    )
