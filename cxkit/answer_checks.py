"""How far do the answers carry: what is not known of them, whether the scale is right, which change they could show."""

from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.style import clean_text, format_value

LEAST_TO_DOUBT = 30  # answers; fewer may miss the ends of a scale by chance
LEAST_AT_END = 10  # answers of 1 where nobody gave the declared 0
MOST_SURVEYS = 12  # distinct survey ids up to which each is looked at alone; else each year
SCALED = ("nps", "csat", "ces", "csi_item", "expectation")
POWER = 0.8
OFF_SCALE = "off the scale"  # in the door's reason
RIGHT = ": is the scale right?"
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
        return False, f"{'; '.join(doubts)}{RIGHT}"
    if row.metric == "nps" and low == 1:
        return True, f"{FINE}; asked from 1: there are no zeros"
    return True, FINE


def scales_in_words(check: pd.DataFrame) -> list[str]:
    """What speaks against a declared scale, a sentence each; one sentence where nothing does."""
    if not len(check):
        return ["No answer with a score was found."]
    doubted = check[~check["fits"]]
    if not len(doubted):
        return ["The answers that were kept fit the scale that client.yml declares, as far as answers can show it."]
    told = [f"{_called(row.metric)}, {clean_text(row.part)}: {row.reading}" for row in doubted.itertuples()]
    return [text if text.endswith("?") else f"{text}." for text in told]


def doubted(check: pd.DataFrame) -> list[str]:
    """The metrics of which answers do not fit the scale that is declared. From: `scale_check`."""
    wrong = ~check["fits"].astype(bool) & check["declared_low"].notna()
    return list(dict.fromkeys(check.loc[wrong, "metric"]))


def doubt_in_words(check: pd.DataFrame) -> list[str]:
    """What must stand before every score: a sentence a metric whose declared scale is doubted; nothing where none is.

    From: `scale_check`.
    """
    told = []
    for metric in doubted(check):
        rows = check[(check["metric"] == metric) & ~check["fits"].astype(bool)]
        why = "; ".join(f"{clean_text(r.part)}: {r.reading.removesuffix(RIGHT)}" for r in rows[:3].itertuples())
        more = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""
        told.append(
            f"{_called(metric)}: too early to say{RIGHT} Its answers do not fit the declared scale ({why}{more}), so no"
            " comparison or finding rests on them, and a number of theirs below may be wrong."
        )
    return told


def without_doubted(answers: Table, check: pd.DataFrame) -> Table:
    """The answers without those of metrics whose declared scale is doubted: what comparisons and findings rest on."""
    metrics = doubted(check)
    return answers.filter(~answers.metric.isin(metrics)) if metrics else answers


def sure_scales(
    scales: Mapping[str, tuple[float, float]], check: pd.DataFrame
) -> dict[str, tuple[float, float]]:  # fmt: skip
    """The declared scales without those that are doubted. From: the scales; `scale_check`."""
    metrics = doubted(check)
    return {metric: ends for metric, ends in scales.items() if metric not in metrics}


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
        all_rows = "The one row" if rows == 1 else f"All {rows:,} rows"
        return f"{all_rows} of the export of answers {'was' if rows == 1 else 'were'} kept."
    told = "; ".join(f"{count:,} {clean_text(reason)}" for reason, count in refused.items())
    many = sum(refused.values())
    of = (
        "The export of answers has one row, which was"
        if rows == 1
        else (f"Of {rows:,} rows of the export of answers, {many:,} {'was' if many == 1 else 'were'}")
    )
    off = sum(count for reason, count in refused.items() if OFF_SCALE in reason)
    if off < LEAST_AT_END:
        return f"{of} refused: {told}."
    return (
        f"{of} refused: {told}. So many answers off the declared scale look like a survey on another one, whose low"
        " answers would be counted as if they were on this: map it to a metric of its own, or leave it out."
    )


def smallest_change(measures: pd.DataFrame, *, power: float = POWER, level: float = 0.95) -> pd.DataFrame:
    """The smallest change that a second wave of as many answers would show with a chance of `power`.

    From: `measured` (not by anything). To, one row a measure that is known: measure, value, n, people, effective,
    smallest_change (in points; of shares in percentage points), unit (points), power, level, method; and as a reader
    sees them: score (what the measure is called) and now (its value in its own unit).
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
        score=[", ".join([_called(metric), *mean]) for metric, *mean in map(str.split, known["measure"])],
        now=[format_value(value, unit) for value, unit in zip(known["value"], known["unit"], strict=True)],
    )
