"""What customers expected of each item and what they experienced: the gap, and the index of satisfaction (CSI)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.answer_sums import LEAST_ANSWERS
from cxkit.engine import collect
from cxkit.estimates import Estimate, cluster_error, holm_levels, unknown
from cxkit.findings import Finding
from cxkit.stages import name_key
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value, in_quotes, no_places

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPERIENCE, EXPECTATION = "csi_item", "expectation"
BELOW, ABOVE, EARLY = "below what was expected", "above what was expected", "too early to say"
FEW = f"fewer than {LEAST_ANSWERS} people answered both"
ITEMS = ["who", "survey_id", "item", "experience", "expectation"]
GAPS = ["item", "expectation", "experience", "gap", "low", "high", "n", "people", "unit", "level", "method", "reading"]
CSI_METHOD = "importance-weighted mean, linearised by customer, Student's t"


def item_answers(surveys: Table) -> pd.DataFrame:
    """What each person said in each survey of each item: what was experienced, and what was expected.

    From: surveys (metric csi_item and expectation, item, score; customer_id, survey_id where they are). To, in the
    order of the first three: who (the customer, else the survey's answer), survey_id ("" where it has none), item,
    experience, expectation (means where somebody answered twice; NaN where not asked or not answered).
    What is left out: answers without an item; nameless answers of a survey that several people share the id of, as
    nobody knows which of them belong together, and those without an id.
    """
    nothing = ibis.null("string")
    names = {
        name: surveys[name] if name in surveys.columns else nothing for name in ("customer_id", "survey_id", "item")
    }
    rows = surveys.filter(surveys.metric.isin((EXPERIENCE, EXPECTATION)), surveys.score.notnull())
    rows = rows.select("metric", "score", **{n: rows[n] if n in rows.columns else nothing for n in names})
    rows = rows.filter(rows.item.notnull(), rows.customer_id.notnull() | rows.survey_id.notnull())
    keyed = rows.mutate(
        who=rows.customer_id.fill_null(ibis.literal("survey ") + rows.survey_id),
        survey_id=rows.survey_id.fill_null(""),
        nameless=rows.customer_id.isnull(),
    )
    cells = keyed.group_by("who", "survey_id", "item").aggregate(
        experience=keyed.score.mean(where=keyed.metric == EXPERIENCE),
        expectation=keyed.score.mean(where=keyed.metric == EXPECTATION),
        most=ibis.greatest(
            (keyed.metric == EXPERIENCE).cast("int64").sum(), (keyed.metric == EXPECTATION).cast("int64").sum()
        ),
        nameless=keyed.nameless.any(),
    )
    frame = collect(cells, order_by=["who", "survey_id", "item"])
    shared = frame[frame["nameless"] & (frame["most"] > 1)]["who"].unique()
    frame = frame[~frame["who"].isin(set(shared))].reset_index(drop=True)
    frame["item"] = [clean_text(item) for item in frame["item"]]
    return frame.astype({"experience": float, "expectation": float})[ITEMS]


def same_scale(scales: Mapping[str, tuple[float, float]]) -> bool:
    """Whether experience and expectation were asked on one declared scale: else their difference means nothing."""
    return EXPERIENCE in scales and scales.get(EXPECTATION) == scales[EXPERIENCE]


def gaps(items: pd.DataFrame, scales: Mapping[str, tuple[float, float]], *, level: float = 0.95) -> pd.DataFrame:
    """Experience less expectation of each item, from those who answered both in one survey.

    From: `item_answers`. To, from the largest shortfall: item, expectation, experience (means of the pairs), gap (in
    points of the scale) with low and high, n (pairs), people, unit, level (the item's own), method, reading (below or
    above what was expected, too early to say, or too few). All items are judged together (Holm).
    A customer of several surveys counts once for the error. What is left out: answers without their other half; items
    under 30 people are not judged. No rows where the two were not asked on one declared scale (`same_scale`).
    Source: Parasuraman, Zeithaml & Berry (1988), Journal of Retailing 64(1), 12-40; Holm (1979), Scandinavian Journal
    of Statistics 6(2), 65-70. The measure is criticised where expectations are asked after the event (Cronin & Taylor,
    1992, Journal of Marketing 56(3), 55-68): read the difference between items more than its size.
    """
    from scipy.special import stdtr, stdtrit

    pairs = items.dropna(subset=["experience", "expectation"])
    if not same_scale(scales) or not len(pairs):
        return pd.DataFrame(columns=GAPS)
    pairs = pairs.assign(part=pairs["experience"] - pairs["expectation"], whole=1.0)
    cells = pairs.groupby(["item", "who"], sort=True)[["part", "whole"]].sum().reset_index()
    squares = cells.assign(pp=cells["part"] ** 2, pw=cells["part"] * cells["whole"], ww=cells["whole"] ** 2)
    sums = squares.groupby("item", sort=True)[["part", "whole", "pp", "pw", "ww"]].sum()
    people = cells.groupby("item", sort=True).size().to_numpy()
    gap = (sums["part"] / sums["whole"]).to_numpy()
    error = cluster_error(sums["pp"], sums["pw"], sums["ww"], sums["whole"], gap, people)
    told = people >= LEAST_ANSWERS
    freedom = np.maximum(people - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(gap == 0, 0.0, np.abs(gap) / error)
    levels = holm_levels(np.where(told, 2 * stdtr(freedom, -distance), np.nan), level=level)
    half = np.where(told, stdtrit(freedom, (1 + levels) / 2) * error, np.nan)
    low, high = gap - half, gap + half
    means = pairs.groupby("item", sort=True)[["expectation", "experience"]].mean().to_numpy()
    told_means = np.where(told[:, None], means, np.nan)
    frame = pd.DataFrame(
        {
            "item": sums.index,
            "expectation": told_means[:, 0],
            "experience": told_means[:, 1],
            "gap": np.where(told, gap, np.nan),
            "low": low,
            "high": high,
            "n": sums["whole"].to_numpy().astype("int64"),
            "people": people,
            "unit": "points",
            "level": levels,
            "method": np.where(told, "paired, linearised by customer, Student's t", FEW),
            "reading": np.select([high < 0, low > 0, told], [BELOW, ABOVE, EARLY], "too few"),
        }
    )
    return frame.sort_values(["gap", "item"], ignore_index=True)


def csi(items: pd.DataFrame, scales: Mapping[str, tuple[float, float]], *, level: float = 0.95) -> Estimate:
    """The index of satisfaction: how satisfied customers are with all items together, from 0 to 100 points.

    From: `item_answers`. CSI = sum over items of w * mean experience, from the scale's lowest (0) to its highest (100);
    w = mean stated importance of the item / sum of these over items. What was expected of an item stands for its stated
    importance; an item of which nothing was expected has the mean of the others, so that with no expectations all weigh
    alike. To: Estimate (points, n people); the weights' own error is in the interval. Unknown below 30 people.
    Source: Eboli & Mazzulla (2009), Journal of Public Transportation 12(3), 21-37 (the customer satisfaction index);
    Hill, Roche & Allen (2007), Customer Satisfaction, ch. 13; the error by linearisation, Cochran (1977), ch. 6.
    """
    said = items.dropna(subset=["experience"])
    people = int(said["who"].nunique())
    if EXPERIENCE not in scales:
        why = f"no scale is declared: write scales.{EXPERIENCE}: [lowest, highest] in client.yml"
        return unknown("points", n=people, level=level, method=why)
    if people < LEAST_ANSWERS:
        return unknown("points", n=people, level=level, method=f"fewer than {LEAST_ANSWERS} people answered")
    from scipy.special import stdtrit

    weights = importance(items)
    total = float(weights["importance"].sum())
    means, counts = (said.groupby("item", sort=True)["experience"].agg(how) for how in ("mean", "size"))
    share = weights.set_index("item")["weight"].reindex(means.index)
    index = float((share * means).sum())
    pull = said["item"].map(share / counts) * (said["experience"] - said["item"].map(means))
    pulls = [pd.DataFrame({"who": said["who"], "pull": pull})]
    expected = items.dropna(subset=["expectation"])
    expected = expected[expected["item"].isin(set(means.index))]
    if len(expected):
        m, k = (expected.groupby("item", sort=True)["expectation"].agg(how) for how in ("mean", "size"))
        unasked = len(means) - len(m)  # their importance is the mean of the others', so these pull on them too
        spread = float((means[~means.index.isin(m.index)] - index).sum()) / len(m) if unasked else 0.0
        steps = (means.reindex(m.index) - index + spread) / total / k
        pull = expected["item"].map(steps) * (expected["expectation"] - expected["item"].map(m))
        pulls.append(pd.DataFrame({"who": expected["who"], "pull": pull}))
    by = pd.concat(pulls).groupby("who", sort=True)["pull"].sum().to_numpy()
    error = float(np.sqrt(len(by) / (len(by) - 1) * np.square(by).sum()))
    bottom, top = scales[EXPERIENCE]
    size = 100 / (top - bottom)
    value, half = size * (index - bottom), size * error * float(stdtrit(people - 1, (1 + level) / 2))
    ends = max(value - half, 0.0), min(value + half, 100.0)
    return Estimate(value, *ends, people, "points", level, CSI_METHOD)


def importance(items: pd.DataFrame) -> pd.DataFrame:
    """How much each item weighs in the index: item, experience (mean), importance (mean expectation), weight, n."""
    said = items.dropna(subset=["experience"])
    frame = said.groupby("item", sort=True)["experience"].agg(experience="mean", n="size")
    expected = items.dropna(subset=["expectation"]).groupby("item", sort=True)["expectation"].mean()
    stated = expected.reindex(frame.index)
    stated = stated.fillna(float(stated.mean())) if stated.notna().any() else stated.fillna(1.0)
    weight = stated / float(stated.sum()) if len(stated) else stated
    return frame.assign(importance=stated, weight=weight).reset_index()[
        ["item", "experience", "importance", "weight", "n"]
    ]


def csi_finding(index: Estimate) -> Finding:
    """feedback.csi: the index of satisfaction. From: `csi`."""
    return Finding(
        id="feedback.csi",
        claim="The index of satisfaction (CSI) is {value} of 100 points ({interval}).",
        estimate=index,
        label="Satisfaction index (CSI)",
        evidence=("scores",),
        action="Work on the items that lie below what was expected of them.",
    )


def gap_findings(frame: pd.DataFrame, *, scale: tuple[float, float] | None = None) -> list[Finding]:
    """feedback.gap.<item>: items certain to lie below or above what was expected, judged against 0.

    From: `gaps`; the scale of both questions, for "3.3 of 5" in the sentence.
    """
    of = f" of {scale[1]:g}" if scale else ""
    certain = frame[frame["reading"].isin((BELOW, ABOVE))]
    keys = [name_key(item).replace(" ", "_") for item in certain["item"]]
    family = int(np.isfinite(frame["low"].to_numpy(dtype=float)).sum())
    found = []
    for row, key in zip(certain.itertuples(), keys, strict=True):
        if keys.count(key) > 1:
            continue
        name = in_quotes(row.item)
        verb = "falls short of" if row.reading == BELOW else "exceeds"
        method = f"{row.method}; {family} items judged together (Holm)"
        ends = (float(row.gap), float(row.low), float(row.high))
        number = Estimate(*ends, int(row.n), "points", float(row.level), method)
        found.append(
            Finding(
                id=f"feedback.gap.{key}",
                claim=f"Experience of {no_places(name)} {verb} what customers expected: {row.experience:.1f}{of} "
                f"against {row.expectation:.1f}, a difference of {{value}} points ({{interval}}).",
                estimate=number,
                label=f"Experience of {name}, less what was expected",
                target=0.0,
                target_source="as expected",
                evidence=("gaps",),
                action=f"Find out what is promised of {name} and what is kept of it."
                if row.reading == BELOW
                else f"Keep {name} as it is, and say so where customers choose.",
            )
        )
    return found


def gaps_in_words(frame: pd.DataFrame) -> list[str]:
    """Which items lie certainly below or above what was expected of them."""
    if not len(frame):
        return ["No item was asked about twice on one declared scale, as expected and as experienced."]
    said = []
    for reading in (BELOW, ABOVE):
        rows = frame[frame["reading"] == reading]
        told = [f"{in_quotes(row.item)} ({_gap(row)}, n = {row.n:,})" for row in rows.itertuples()]
        if told:
            said.append(f"Certainly {reading}: {', '.join(told)}.")
    if said:
        return said
    if frame["low"].notna().any():
        return ["No item is told apart from what was expected of it: too early to say."]
    return [f"Too early to say: {FEW}."]


def _gap(row: tuple) -> str:
    return f"{format_value(row.gap, 'points')} points, {format_ends(row.low, row.high, 'points')}"


def plot_gaps(frame: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`gaps` as dots with intervals around no gap; grey: not told apart."""
    import matplotlib.pyplot as plt

    shown = frame[frame["low"].notna()].reset_index(drop=True)
    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(shown), 1) + 1.4))[1] if ax is None else ax
    ax.set_title("Experience less expectation")
    if not len(shown):
        ax.annotate("Too few answers to tell", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    for y, row in enumerate(shown.itertuples()):
        certain = row.reading in (BELOW, ABOVE)
        ax.hlines(y, row.low, row.high, color=INK if certain else GREY, linewidth=1.4)
        ax.plot(row.gap, y, "o", color="C0" if certain else GREY, markersize=7)
        text = f"{'+' if row.gap > 0 else ''}{format_value(row.gap, 'points')}  (n = {row.n:,})"
        colour = INK if certain else GREY
        ax.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center", color=colour)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(shown)), [folded_text(item) for item in shown["item"]])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(shown) - 0.5, -0.6), xlabel="Points of the scale: experience − expectation")
    return ax


def describe_gaps(frame: pd.DataFrame) -> str:
    """What `plot_gaps` shows, for those who cannot see it."""
    return f"Dots with intervals around no gap. {' '.join(gaps_in_words(frame))}"
