"""Who answers at all: response rates by survey, incentive and month, and what a promised reward does to the answers."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.answer_sums import (
    EARLY,
    HIGHER,
    LEAST_ANSWERS,
    LOWER,
    METRICS,
    PLAIN,
    differences,
    judged,
    only,
    part_shares,
)
from cxkit.engine import collect
from cxkit.estimates import Estimate, unknown
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SETTLE_DAYS = 7  # an invitation younger than that on the last day may still be answered
MOST_SURVEYS = 12  # names of surveys that are told; more are told by the letters that they begin with
LEAST_MATCHED = 0.5  # share of answers that must find their invitation for the two to be matched
BOTH, SURVEY, COUNTED = "by survey and customer", "by survey", "counted, not matched"
WITH, WITHOUT, UNSAID = "with incentive", "without incentive", "not said"
EVERYBODY = "all invitations"
RATES = ["about", "name", "invited", "answered", "people", "value", "low", "high", "n", "level", "method"]
UNKNOWN_FLAG = "of no answer is it known whether something was promised for it"


def without_incentive(asked: Table) -> Table:
    """The answers that nothing was promised for; all answers where nobody recorded it of any.

    From: `feedback.asked` or surveys. What is left out, where some are known to be without: those with a promise, and
    those of which nobody recorded it.
    """
    if "incentive" not in asked.columns:
        return asked
    counted = asked.aggregate(plain=(~asked.incentive).fill_null(False).cast("int64").sum().fill_null(0))
    plain = int(collect(counted, order_by="plain")["plain"].iloc[0])
    return asked.filter(~asked.incentive) if plain else asked


def which_answers(asked: Table) -> str:
    """Which answers the scores rest on, in words: nothing where no reward is known of any. From: `feedback.asked`."""
    if "incentive" not in asked.columns:
        return ""
    flags = asked.filter(asked.incentive.notnull())
    counted = flags.aggregate(rewarded=flags.incentive.cast("int64").sum().fill_null(0), known=flags.count())
    rewarded, known = (int(n) for n in collect(counted, order_by="known").iloc[0])
    if not rewarded:
        return ""
    return PLAIN if rewarded < known else "answers that were rewarded, there being no others"


def matched_by(invitations: Table, surveys: Table) -> str:
    """How answers find their invitations: by survey and customer, by survey alone, or not at all (counted).

    They are matched by the first of the two that both tables have and by which at least half of the answered surveys
    have an invitation; by the survey alone only where no two invitations share one.
    """
    for way, keys in ((BOTH, ["survey_id", "customer_id"]), (SURVEY, ["survey_id"])):
        if not set(keys) <= set(invitations.columns) & set(surveys.columns):
            continue
        sent = invitations.select(*keys).drop_null(keys)
        answered = surveys.select(*keys).drop_null(keys).distinct()
        both = answered.semi_join(sent, keys)
        names = {
            "answered": answered.count(),
            "found": both.count(),
            "sent": sent.count(),
            "own": sent.distinct().count(),
        }
        found = {name: int(count.execute()) for name, count in names.items()}
        single = way == BOTH or found["sent"] == found["own"]
        if found["answered"] and single and found["found"] >= LEAST_MATCHED * found["answered"]:
            return way
    return COUNTED


def response_rates(invitations: Table, surveys: Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """The share of invitations that were answered: all, by survey, by what was promised, and by month.

    From: invitations (invited_on; perhaps survey_id, customer_id, incentive), surveys. To: about (all invitations,
    survey, incentive, month), name, invited, answered, people (customers invited), value, low, high, n (invitations),
    level, method (and how answers were matched).
    An invitation counts as answered by any answer to its survey by its customer. Surveys of which there are over 12 are
    told by the letters that their ids begin with (`NPS-1000012`: NPS). A customer who was invited often counts as one
    for the error. Where answers cannot be matched, answered surveys are divided by invitations, by month of each, and
    nothing can be told by incentive or survey.
    What is left out: invitations of the last 7 days, which may still be answered, and those before the first answer of
    the export, whose answers may not be in it; numbers of groups under 5 people.
    Source: American Association for Public Opinion Research (2023), Standard Definitions, response rate 1 (every
    invitation counts as eligible).
    """
    last = ibis.literal(as_of - timedelta(days=SETTLE_DAYS))
    first = surveys.answered_on.min().as_scalar()
    sent = invitations.filter(invitations.invited_on <= last, invitations.invited_on >= first)
    way = matched_by(sent, surveys)
    if way == COUNTED:
        return _counted(sent, surveys.filter(surveys.answered_on <= last), level)
    keys = ["survey_id", "customer_id"] if way == BOTH else ["survey_id"]
    answered = surveys.select(*keys).drop_null(keys).distinct().mutate(replied=1)
    nameless = ibis.literal("invitation ") + ibis.row_number().cast("string")
    sent = sent.mutate(who=sent.customer_id.fill_null(nameless) if "customer_id" in sent.columns else nameless)
    joined = sent.left_join(answered, keys)
    flag = joined.incentive if "incentive" in sent.columns else ibis.null("boolean")
    rows = joined.select(
        "who", replied=joined.replied.fill_null(0), survey=_survey_name(joined, sent),
        everybody=ibis.literal(EVERYBODY), month=joined.invited_on.strftime("%Y-%m"),
        incentive=ibis.cases((flag, WITH), (~flag, WITHOUT), else_=UNSAID),
    )  # fmt: skip
    frames = [_rates(rows, name, level) for name in ("everybody", "survey", "incentive", "month")]
    return pd.concat(frames, ignore_index=True).assign(method=f"Wilson, people as units; matched {way}")


def _survey_name(joined: Table, sent: Table) -> ibis.expr.types.StringValue:
    many = int(sent.survey_id.nunique().execute()) > MOST_SURVEYS
    letters = joined.survey_id.re_extract(r"^[^\W\d_]+", 0).nullif("")
    return letters if many else joined.survey_id


def _rates(rows: Table, name: str, level: float) -> pd.DataFrame:
    rows = rows.filter(rows[name].notnull()).mutate(name=rows[name])
    cells = rows.group_by("name", "who").aggregate(part=rows.replied.sum(), whole=rows.count())
    frame = part_shares(cells, by=["name"], level=level).rename(columns={"part": "answered", "whole": "invited"})
    frame = frame.drop(columns="method")
    if name in ("survey", "incentive") and len(frame) > MOST_SURVEYS:
        return frame[:0].assign(about=name).reindex(columns=RATES)
    if len(frame) == 1 and name == "incentive" and frame["name"].iloc[0] == UNSAID:
        return frame[:0].assign(about=name).reindex(columns=RATES)
    shown = withhold_small(frame, count="people", least=LEAST_SHOWN)
    about = EVERYBODY if name == "everybody" else name
    return shown.assign(about=about).reindex(columns=RATES)


def _counted(sent: Table, surveys: Table, level: float) -> pd.DataFrame:
    """Answered surveys over invitations, by month and all; NaN where there are more answers than invitations."""
    keys = [c for c in ("survey_id", "customer_id", "answered_on") if c in surveys.columns]
    given = surveys.select(*keys).distinct()
    months = sent.group_by(name=sent.invited_on.strftime("%Y-%m")).aggregate(invited=sent.count())
    replies = given.group_by(name=given.answered_on.strftime("%Y-%m")).aggregate(answered=given.count())
    frame = collect(months, order_by="name").merge(collect(replies, order_by="name"), on="name", how="outer")
    frame = frame.fillna({"invited": 0, "answered": 0}).sort_values("name", ignore_index=True)
    total = pd.DataFrame([{"name": EVERYBODY, "about": EVERYBODY} | frame[["invited", "answered"]].sum().to_dict()])
    frame = pd.concat([total, frame.assign(about="month")], ignore_index=True)
    from cxkit.estimates import wilson_ends

    invited, answered = (frame[c].to_numpy(dtype=float) for c in ("invited", "answered"))
    sound = (invited > 0) & (answered <= invited)
    low, high = wilson_ends(np.where(sound, answered, 0.0), np.where(sound, invited, np.nan), level=level)
    value = np.where(sound, answered / np.where(invited > 0, invited, np.nan), np.nan)
    counts = {name: frame[name].astype("int64") for name in ("invited", "answered")}
    frame = frame.assign(**counts, people=counts["invited"], value=value, low=low, high=high, n=counts["invited"])
    method = np.where(sound, f"Wilson; {COUNTED}", "more answers than invitations: they are not of the same surveys")
    method = np.where(invited > 0, method, "nobody was invited while answers were recorded")
    return frame.assign(level=level, method=method)[RATES]


def response_rate(rates: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """The rate of all invitations. From: `response_rates`. Unknown below 30 invitations."""
    row = rates[rates["about"] == EVERYBODY]
    if not len(row) or not row["n"].iloc[0] >= LEAST_ANSWERS:
        n = int(row["n"].iloc[0]) if len(row) and row["n"].notna().all() else 0
        return unknown("share", n=n, level=level, method=f"fewer than {LEAST_ANSWERS} invitations")
    one = row.iloc[0]
    fields = {name: float(one[name]) for name in ("value", "low", "high", "level")}
    return Estimate(**fields, n=int(one["n"]), unit="share", method=str(one["method"]))


def response_finding(rate: Estimate) -> Finding:
    """feedback.response_rate: how many of those asked answer. From: `response_rate`."""
    return Finding(
        id="feedback.response_rate",
        claim="{value} of invitations to answer are answered ({interval}).",
        estimate=rate,
        label="Response rate",
        evidence=("response",),
        action="Ask soon after the order, with one question, and ask those who did not answer a second time: who "
        "stays silent may think otherwise.",
    )


def incentive_effect(asked: Table, *, level: float = 0.95) -> pd.DataFrame:
    """How answers that something was promised for differ from those without, metric by metric.

    From: `feedback.asked` with incentive. To: `answer_sums.COLUMNS`, a row a metric: value (with incentive), others
    (without), difference with an interval that leaves out zero only where it would hold with all metrics judged
    together (Holm), reading.
    What is left out: answers of which nobody recorded it. What it cannot show: whether the promise moves the answer, or
    brings others to answer; either way the two are not to be pooled where their mix changes.
    """
    if "incentive" not in asked.columns:
        return judged()
    frame = differences(asked, by="incentive", about="incentive")
    return judged(only(frame, {"true": WITH}), level=level)


def incentive_in_words(effect: pd.DataFrame) -> list[str]:
    """What `incentive_effect` shows, a sentence a metric."""
    said = []
    for row in effect.itertuples():
        name = row.metric.upper()
        if not np.isfinite(row.low):
            said.append(f"{name}: too few answers on one side to compare.")
            continue
        gap = f"{format_value(row.difference, 'points')} points ({format_ends(row.low, row.high, 'points')})"
        certain = {HIGHER: "for certain higher", LOWER: "for certain lower", EARLY: "not told apart"}[row.reading]
        values = " and ".join(format_value(v, "points") for v in (row.value, row.others))
        said.append(f"{name}: {values} with and without a promised reward, {certain}: {gap}, n = {row.n:,}.")
    return said or [f"What a promised reward does to the answers cannot be told: {UNKNOWN_FLAG}."]


def incentive_finding(effect: pd.DataFrame) -> list[Finding]:
    """feedback.incentive_bias: how far NPS with a promised reward lies from NPS without one. From: `incentive_effect`.

    Judged against 0: a certain difference either way is a weakness, as scores then move with the mix of the two.
    """
    rows = effect[effect["metric"] == METRICS[0]]
    if not len(rows):
        return []
    row = rows.iloc[0]
    number = unknown("points", n=int(row["n"]), method=str(row["reading"]))
    if np.isfinite(row["low"]):
        fields = {name: float(row[name]) for name in ("low", "high", "level")}
        method = f"{row['method']}; {len(effect)} comparisons judged together (Holm)"
        number = Estimate(float(row["difference"]), **fields, n=int(row["n"]), unit="points", method=method)
    return [
        Finding(
            id="feedback.incentive_bias",
            claim="Answers that a reward was promised for have an NPS that differs from that of the others by {value} "
            "points ({interval}).",
            estimate=number,
            label="NPS with a promised reward, against NPS without",
            target=0.0,
            target_source="no difference",
            higher_is_better=not number.value > 0,
            evidence=("incentive",),
            action="Report NPS of answers without a reward, and keep the share of rewarded ones steady.",
        )
    ]


def rates_in_words(rates: pd.DataFrame) -> list[str]:
    """The rate of all invitations, and by incentive where it is known."""
    said = []
    for row in rates[rates["about"].isin([EVERYBODY, "incentive"])].itertuples():
        name = clean_text(row.name)
        if not np.isfinite(row.low):
            why = row.method if row.about == EVERYBODY else "withheld"
            said.append(f"Of {name} the response rate cannot be told: {why}.")
            continue
        ends = f"{format_ends(row.low, row.high, 'share')}, n = {int(row.n):,}"
        of = name if row.about == EVERYBODY else f"invitations {name}"
        said.append(f"{format_value(row.value, 'share')} of {of} are answered ({ends}).")
    return said or ["Nobody was invited to answer."]


def plot_rates(rates: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`response_rates` but the months, as dots with intervals."""
    import matplotlib.pyplot as plt

    shown = rates[(rates["about"] != "month") & np.isfinite(rates["low"])].reset_index(drop=True)
    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(shown), 1) + 1.3))[1] if ax is None else ax
    ax.set_title("Invitations that are answered")
    if not len(shown):
        ax.annotate("No rate can be told", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    for y, row in enumerate(shown.itertuples()):
        ax.hlines(y, row.low, row.high, color=INK, linewidth=1.4)
        ax.plot(row.value, y, "o", color="C0", markersize=7)
        text = f"{format_value(row.value, 'share')}  (n = {int(row.n):,})"
        ax.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center")
    names = [(f"{row.about}: " if row.about == "survey" else "") + spoken(str(row.name)) for row in shown.itertuples()]
    ax.set_yticks(range(len(shown)), [folded_text(name) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(shown) - 0.5, -0.6), xlabel="Share of invitations")
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return ax


def describe_rates(rates: pd.DataFrame) -> str:
    """What `plot_rates` shows, for those who cannot see it."""
    return f"Dots with intervals. {' '.join(rates_in_words(rates))}"
