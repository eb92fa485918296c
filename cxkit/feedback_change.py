"""What changed, and who answers otherwise: by period, touchpoint, segment and channel, judged as one family."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.answer_checks import RIGHT
from cxkit.answer_sums import COLUMNS, EARLY, HIGHER, LOWER, METRICS, differences, judged, only
from cxkit.errors import UsageError
from cxkit.estimates import Estimate
from cxkit.feedback import MEASURES
from cxkit.findings import Finding
from cxkit.stages import name_key
from cxkit.style import (
    GREY,
    INK,
    LIGHT,
    folded_text,
    format_ends,
    format_value,
    in_quotes,
    no_places,
    plain_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERIOD, TOUCHPOINT, SEGMENT, CHANNEL = "period", "touchpoint", "segment", "channel of the order"
MOST_SHOWN = 12  # rows of a picture
MOST_FOUND = 3  # touchpoints that are findings; the table has all
CALLED = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}


def periods(asked: Table, *, as_of: date, period_days: int) -> pd.DataFrame:
    """Scores of the last `period_days` beside those of as many days before.

    From: `feedback.asked`. To: `answer_sums.differences`, one row a metric (name: the last N days); value is this
    period's, others the one's before. Customers who answered in both are in the error.
    What is left out: answers older than both periods. What it cannot show: a season, unless a period is a year.
    Raises UsageError where `period_days` is below 1.
    """
    if period_days < 1:
        raise UsageError(f"period_days must be at least 1; found {period_days}. Customary: 30, 91, 182, 365.")
    begins = [ibis.literal(as_of - timedelta(days=days)) for days in (period_days, 2 * period_days)]
    rows = asked.filter(asked.answered_on > begins[1], asked.answered_on <= ibis.literal(as_of))
    rows = rows.mutate(period=(rows.answered_on > begins[0]).ifelse("now", "before"))
    name = f"the last {period_days:,} days against as many before"
    return only(differences(rows, by="period", about=PERIOD), {"now": name})


def by_touchpoint(asked: Table) -> pd.DataFrame:
    """Scores of each touchpoint beside all others. From: `feedback.asked` with touchpoint, as the survey tool, or
    `satisfaction.asked_about`, calls it; `differences` without rows where no answer names one."""
    return _by(asked, "touchpoint", TOUCHPOINT)


def by_segment(asked: Table, groups: pd.DataFrame | None) -> pd.DataFrame:
    """Scores of each kept group of customers beside all others. From: `feedback.asked`, and customer_id with group."""
    if groups is None or not len(groups) or "customer_id" not in asked.columns:
        return differences_of_nobody()
    members = groups[["customer_id", "group"]].drop_duplicates("customer_id").astype(object)
    listed = ibis.memtable(members, schema={"customer_id": "string", "group": "string"})
    bare = asked.drop("group") if "group" in asked.columns else asked
    return _by(bare.join(listed, "customer_id"), "group", SEGMENT)


def by_channel(asked: Table, orders: Table | None) -> pd.DataFrame:
    """Scores by the channel of the order that was asked about. From: `feedback.asked` (order_id), orders (channel)."""
    if orders is None or "order_id" not in asked.columns or "channel" not in orders.columns:
        return differences_of_nobody()
    named = orders.filter(orders.channel.notnull())
    channels = named.group_by("order_id").aggregate(channel=named.channel.min())
    bare = asked.drop("channel") if "channel" in asked.columns else asked
    return _by(bare.join(channels, "order_id"), "channel", CHANNEL)


def differences_of_nobody() -> pd.DataFrame:
    """No rows, with the columns of `differences`."""
    return pd.DataFrame(columns=[*COLUMNS[:6], "error", "own_error", "n", "people", "people_others", "unit", "method"])


def _by(asked: Table, by: str, about: str) -> pd.DataFrame:
    if by not in asked.columns:
        return differences_of_nobody()
    return differences(asked, by=by, about=about)


def all_differences(*frames: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Every comparison of the page as one family (`answer_sums.judged`): "certain" is said with all judged together."""
    return judged(*frames, level=level)


def about(judged: pd.DataFrame, name: str, *, metric: str = "") -> pd.DataFrame:
    """The rows of one kind (touchpoint, period, …), perhaps of one metric, from the lowest to the highest, with score:
    what the metric is called."""
    rows = judged[(judged["about"] == name) & (judged["metric"].eq(metric) if metric else True)]
    rank = rows["metric"].map({m: i for i, m in enumerate(METRICS)})
    order = rows.assign(rank=rank).sort_values(["rank", "difference", "name"], ignore_index=True)
    return order.assign(score=order["metric"].map(CALLED)).drop(columns="rank")


def main_metric(judged: pd.DataFrame, measures: pd.DataFrame | None = None) -> str:
    """The metric of which most differences can be judged; where none can, the one that most people answered.

    From: `all_differences`; `feedback.measured` (not by anything). Of several the first of NPS, CSAT, CES.
    """
    counts = judged[np.isfinite(judged["low"].to_numpy(dtype=float))]["metric"].value_counts()
    people = measures.set_index("measure")["people"] if measures is not None else pd.Series(dtype="int64")
    return max(METRICS, key=lambda m: (counts.get(m, 0), people.get(m, 0), -METRICS.index(m)))


def change_in_words(judged: pd.DataFrame, *, doubted: Sequence[str] = ()) -> list[str]:
    """How this period's scores lie against the last one's, a sentence a metric.

    From: `all_differences`; the metrics whose scale is doubted (`answer_checks.doubted`), which are not compared.
    """
    said = [f"{CALLED[metric]}: {EARLY}{RIGHT}" for metric in METRICS if metric in doubted]
    for row in about(judged, PERIOD).itertuples():
        name = CALLED[row.metric]
        if not np.isfinite(row.low):
            said.append(f"{name}: {row.reading}; no change can be told.")
            continue
        words = {HIGHER: "rose for certain", LOWER: "fell for certain"}.get(row.reading, "too early to say")
        before, now = (format_value(v, "points") for v in (row.others, row.value))
        said.append(f"{name} went from {before} to {now}: {_gap(row)}, n = {row.n:,}: {words}.")
    return said or ["Nothing lies before this period that it could be compared with."]


def certain_in_words(judged: pd.DataFrame, name: str, *, doubted: Sequence[str] = ()) -> list[str]:
    """Which values of a kind lie certainly below or above the others; a sentence where none does.

    From: `all_differences`; which kind; the metrics whose scale is doubted, which are not compared.
    """
    rows = about(judged, name)
    said = []
    beside = "the others and the middle one" if (rows.groupby("metric")["low"].count() > 2).any() else "the others"
    for metric, part in rows.groupby("metric", sort=False):
        for reading, word in ((LOWER, "below"), (HIGHER, "above")):
            told = [f"{in_quotes(row.name)} ({_gap(row)})" for row in part[part["reading"] == reading].itertuples()]
            if told:
                said.append(f"{CALLED[metric]} certainly {word} {beside}: {', '.join(told)}.")
    if said:
        return said
    if not np.isfinite(rows["low"].to_numpy(dtype=float)).any():
        of = " of which the scale is not doubted" if doubted else ""
        return [f"Too few answers{of} to compare by {name}."]
    return [f"By {name} no score is told apart from {beside}: too early to say."]


def _gap(row: tuple) -> str:
    plus = "+" if row.difference > 0 else ""
    return f"{plus}{format_value(row.difference, 'points')} points, {format_ends(row.low, row.high, 'points')}"


def touchpoint_findings(judged: pd.DataFrame, *, answers: str = "answers") -> list[Finding]:
    """feedback.touchpoint.<name>: the (at most three) touchpoints that lie farthest below the others and the middle one
    for certain, in the metric that tells most (`main_metric`): one finding a touchpoint, judged against 0.

    From: `all_differences`; which answers they rest on, for the sentence ("answers without incentive").
    """
    metric = main_metric(judged)
    rows = about(judged, TOUCHPOINT, metric=metric)
    family = int(np.isfinite(judged["low"].to_numpy(dtype=float)).sum())
    certain = rows[rows["reading"] == LOWER]
    keys = [name_key(name).replace(" ", "_") for name in certain["name"]]
    found = []
    for row, key in zip(certain.itertuples(), keys, strict=True):
        if keys.count(key) > 1:  # two spellings of one name: neither can have the id
            continue
        name = in_quotes(row.name)
        here, there = (_level(number, metric) for number in (row.value, row.others))
        ends = (float(row.difference), float(row.low), float(row.high))
        method = f"{row.method}; {family} comparisons judged together (Holm)"
        found.append(
            Finding(
                id=f"feedback.touchpoint.{key}",
                claim=f"{CALLED[metric]} of {no_places(name)} is {here}, of the other touchpoints together {there}: a "
                f"difference of {{value}} points ({{interval}}); over all {answers or 'answers'}.",
                estimate=Estimate(*ends, int(row.n), "points", float(row.level), method),
                label=f"{CALLED[metric]} of {name} against the other touchpoints",
                target=0.0,
                target_source="no difference",
                evidence=("touchpoints", "differences"),
                action=f"Read the comments about {name} and mend what they name.",
            )
        )
    return found[:MOST_FOUND]


def _level(number: float, metric: str) -> str:
    """A score as the sentence has it: NPS without decimals, else with one."""
    text = f"{number:.{0 if metric == 'nps' else 1}f}"
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")


def plot_differences(rows: pd.DataFrame, *, title: str, ax: "Axes | None" = None) -> "Axes":
    """Differences of one kind and metric (`about`), each with its interval; grey: not told apart."""
    import matplotlib.pyplot as plt

    shown = rows[np.isfinite(rows["low"].to_numpy(dtype=float))]
    if len(shown) > MOST_SHOWN:  # the ends: the lowest and the highest
        shown = pd.concat([shown[: MOST_SHOWN // 2], shown[-(MOST_SHOWN // 2) :]])
    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(shown), 1) + 1.4))[1] if ax is None else ax
    ax.set_title(plain_text(title))
    if not len(shown):
        ax.annotate("Too few answers to compare", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    for y, row in enumerate(shown.itertuples()):
        certain = row.reading in (LOWER, HIGHER)
        ax.hlines(y, row.low, row.high, color=INK if certain else GREY, linewidth=1.4)
        ax.plot(row.difference, y, "o", color="C0" if certain else GREY, markersize=7)
        plus = "+" if row.difference > 0 else ""
        text = f"{plus}{format_value(row.difference, 'points')}  (n = {row.n:,})"
        ax.annotate(
            text, (1.02, y), xycoords=("axes fraction", "data"), va="center", color=INK if certain else GREY
        )  # fmt: skip
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(shown)), [folded_text(name) for name in shown["name"]])
    ax.tick_params(axis="y", length=0)
    metric = CALLED.get(str(shown["metric"].iloc[0]), "")
    ax.set(ylim=(len(shown) - 0.5, -0.6), xlabel=f"Difference in {metric} from all others, points")
    return ax


def describe_differences(rows: pd.DataFrame, *, what: str) -> str:
    """What `plot_differences` shows, for those who cannot see it."""
    return f"Dots with intervals around no difference. {' '.join(certain_in_words(rows, what))}"


def plot_months(monthly: pd.DataFrame, *, measure: str, as_of: date, ax: "Axes | None" = None) -> "Axes":
    """A measure by month (`feedback.measured` by month), each with its 95 % interval; the month that `as_of` cuts is
    hollow; months with too few answers leave a gap."""
    import matplotlib.pyplot as plt

    rows = monthly[monthly["measure"] == measure].sort_values("month").reset_index(drop=True)
    ax = plt.subplots()[1] if ax is None else ax
    label = MEASURES[measure][2]
    ax.set_title(f"{label} by month")
    known = rows[np.isfinite(rows["low"].to_numpy(dtype=float))]
    if not len(known):
        ax.annotate("Too few answers in every month", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    months = pd.period_range(rows["month"].iloc[0], rows["month"].iloc[-1], freq="M")
    size = 100.0 if known["unit"].iloc[0] == "share" else 1.0
    place = {str(month): x for x, month in enumerate(months)}
    whole = _whole(known["month"], as_of)
    x = known["month"].map(place).to_numpy()
    low, value, high = (size * known[name].to_numpy(dtype=float) for name in ("low", "value", "high"))
    ax.vlines(x, low, high, color=LIGHT, linewidth=5)
    line = pd.Series(value, index=x).reindex(range(len(months)))
    ax.plot(line.index, line, color="C0", linewidth=1.4)
    ax.plot(x[whole], value[whole], "o", color="C0", markersize=6)
    ax.plot(x[~whole], value[~whole], "o", color="C0", markerfacecolor="white", markersize=6)
    step = max(1, len(months) // 8)
    ax.set_xticks(range(0, len(months), step), [m.strftime("%b %Y") if i == 0 or m.month == 1 else m.strftime("%b")
                                                for i, m in enumerate(months)][::step])  # fmt: skip
    if low.min() < 0 < high.max():
        ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set(ylabel="points" if size == 1.0 else "%", xlabel="Month of the answer", xlim=(-0.6, len(months) - 0.4))
    return ax


def _whole(months: pd.Series, as_of: date) -> np.ndarray:
    """Whether a month's last day is not after `as_of`."""
    return np.array([pd.Period(m, freq="M").end_time.date() <= as_of for m in months], dtype=bool)


def describe_months(monthly: pd.DataFrame, *, measure: str) -> str:
    """What `plot_months` shows: the first, the lowest, the highest and the last month."""
    rows = monthly[(monthly["measure"] == measure) & np.isfinite(monthly["low"].to_numpy(dtype=float))]
    label = MEASURES[measure][2]
    if not len(rows):
        return f"{label}: too few answers in every month."
    rows = rows.sort_values("month").reset_index(drop=True)
    if len(rows) == 1:
        return f"{label} of one month alone, {rows['month'].iloc[0]}: {_at(rows.iloc[0])}."
    named = {"first": 0, "lowest": int(rows["value"].argmin()), "highest": int(rows["value"].argmax()), "last": -1}
    told = [f"{word} {rows['month'].iloc[i]}: {_at(rows.iloc[i])}" for word, i in named.items()]
    return f"{label} by month with intervals; {'; '.join(told)}."


def _at(row: pd.Series) -> str:
    return f"{format_value(row['value'], row['unit'])} ({format_ends(row['low'], row['high'], row['unit'])})"


def by_month(asked: Table) -> Table:
    """`feedback.asked` with month (YYYY-MM, of the answer's local day), for `feedback.answers(…, by=["month"])`."""
    return asked.mutate(month=asked.answered_on.strftime("%Y-%m"))
