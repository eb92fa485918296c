"""Do the content come back: who orders again after a good answer, beside those after any other."""

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.buyers import marked_ordered_again
from cxkit.feedback import asked
from cxkit.response import without_incentive
from cxkit.shares_apart import FEW, SHARES, beside, how_often, shares_apart
from cxkit.style import format_value

BACK_DAYS = 90
GOOD, OTHER = "good", "other"
GOOD_ANSWERS = {"nps": "an NPS answer of 9 or 10", "csat": "a CSAT answer in the highest boxes"}
NPS_SCALES = ((0, 10), (1, 10))
AFTER = ("metric", *(name for name in SHARES if name not in ("aspect", "name")))
ASK_FOR_ANSWERS = "Answers to NPS or CSAT with the customer's number, from longer ago than the days looked ahead."


def after_answers(
    surveys: Table, orders: Table, *, as_of: date, scales: Mapping[str, tuple[float, float]],
    back_days: int = BACK_DAYS, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """How many order again within `back_days` of a good answer, beside those after any other answer.

    From: surveys (answered_on, metric, score, customer_id, and incentive where there is one); orders (lines); `scales`
    of client.yml. Good is 9 or 10 of NPS, and of CSAT the two highest boxes (`feedback.asked`). To, one row a metric:
    metric, value (share of good answers after which the customer ordered on a later day), low, high, n, customers,
    count, others (the same of all other answers), difference (in points) with difference_low, difference_high, level,
    method, verdict. Both metrics are one family.
    What is left out: NPS on a scale other than to 10; answers whose days are not over by `as_of`; of nobody known; and,
    where some are known to be without, those that something was promised for: a coupon brings an order by itself.
    What it cannot show: that contentment is why. Who orders often is asked often, and answers as a regular does.
    Source: S2c (who is content returns, who is not does not); as `shares_apart`.
    """
    other_nps = "nps" in scales and tuple(scales["nps"]) not in NPS_SCALES  # has no promoters; 05_feedback says so
    metrics = [metric for metric in GOOD_ANSWERS if metric in scales and not (metric == "nps" and other_nps)]
    blank = pd.DataFrame({name: pd.Series(dtype=object) for name in AFTER})
    if not metrics or "customer_id" not in surveys.columns:
        return blank
    given = without_incentive(asked(surveys, scales={metric: scales[metric] for metric in metrics}))
    given = given.filter(
        given.customer_id.notnull(), given.top.notnull(), given.answered_on <= as_of - timedelta(days=back_days)
    )
    given = given.mutate(answer=ibis.row_number(), how=(given.top == 1).ifelse(GOOD, OTHER))
    given = given.select("answer", "customer_id", "answered_on", "metric", "how").cache()
    marked = marked_ordered_again(given, orders, key="answer", day="answered_on", within=back_days, as_of=as_of)
    frames = []
    for metric in metrics:
        of = marked.filter(marked.metric == metric)
        frame = shares_apart(of, part="did", aspects={"how": "answer"}, families=len(metrics), level=level)
        frames.append(frame[frame["name"] == GOOD].assign(metric=metric))
    return pd.concat([blank, *(f for f in frames if len(f))], ignore_index=True)[list(AFTER)]


def after_answers_in_words(after: pd.DataFrame, *, back_days: int = BACK_DAYS) -> list[str]:
    """Whether who answers well orders again more often, a sentence a metric. From: `after_answers`."""
    texts = []
    for row in after.itertuples():
        good = GOOD_ANSWERS[row.metric]
        if row.verdict == FEW:
            texts.append(f"Whether customers order again more often after {good} is too early to say.")
            continue
        texts.append(
            f"After {good} customers order again within {back_days} days {how_often(row.verdict)}: "
            f"{format_value(row.value, 'share')} (n = {row.n:,.0f}), after any other answer {beside(row)}."
        )
    return texts
