"""What do customers say when asked: NPS, CSAT and CES, each with its interval, and what stands behind the answers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.answer_sums import LEAST_ANSWERS, METRICS, PLAIN, effective, share_ends
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, cluster_error, unknown
from cxkit.findings import Finding
from cxkit.others import PLACES
from cxkit.satisfaction import DETRACTOR, PROMOTER
from cxkit.style import GREY, INK, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CES_WAYS = ("agree", "ease", "effort")
MEASURES = {  # name -> metric, unit, what it is called
    "nps": ("nps", "points", "NPS"),
    "csat": ("csat", "share", "Satisfied (CSAT)"),
    "csat mean": ("csat", "points", "CSAT, mean"),
    "ces": ("ces", "share", "Found it easy (CES)"),
    "ces mean": ("ces", "points", "CES, mean"),
}
NPS_METHOD = "adjusted Wald (Bonett & Price), people as units"
SHARE_METHOD = "Wilson, people as units"
MEAN_METHOD = "linearised mean by customer, Student's t"
FEW = f"fewer than {LEAST_ANSWERS} people answered"
NO_SCALE = "no scale is declared: write scales.{metric}: [lowest, highest] in client.yml"
NO_BOXES = "the scale has no boxes to count: the mean alone is told"
ALL, CSI = "all answers", "Satisfaction index (CSI)"
NAMES = ["measure", "value", "low", "high", "n", "people", "effective", "error", "unit", "level", "method"]


def asked(surveys: Table, *, scales: Mapping[str, tuple[float, float]], ces: str = "agree") -> Table:
    """Answers to NPS, CSAT and CES, with who gave them and what they count as.

    From: surveys (metric, score; the rest as it is). ces: what a high answer means: `agree` (that it was easy), `ease`
    (very easy), or `effort` (much effort). To: the same columns, rows with a score only, and who (the customer, else
    the answer itself), score (CES of effort turned round: lowest + highest - score, so that higher is always easier),
    top (1: a promoter, 9 or 10; of CSAT the two highest boxes, of a scale of three boxes or fewer the highest; of CES
    above the scale's middle), bottom (1: a detractor, 0 to 6; else 0). top is null where the metric has no scale, or
    CSAT one of more than 11 boxes.
    Source: Reichheld (2003), Harvard Business Review 81(12), 46-54 (NPS); Dixon, Freeman & Toman (2010), Harvard
    Business Review 88(7/8), 116-122 (CES); two highest boxes: Morgan & Rego (2006), Marketing Science 25(5), 426-439.
    Raises UsageError where NPS was not asked on a scale from 0 or 1 to 10, or `ces` is none of the three.
    """
    if ces not in CES_WAYS:
        raise UsageError(f"ces is {ces!r}; valid: {', '.join(CES_WAYS)}. Mend it in client.yml.")
    if "nps" in scales and tuple(scales["nps"]) not in ((0, 10), (1, 10)):
        low, high = scales["nps"]
        raise UsageError(
            f"NPS is asked on a scale from 0 (or 1) to 10; scales.nps in client.yml is [{low:g}, {high:g}]. Mend it, or"
            " map these answers to another metric (csat)."
        )
    rows = surveys.filter(surveys.metric.isin(METRICS), surveys.score.notnull())
    score = rows.score.cast("float64")
    if ces == "effort" and "ces" in scales:
        score = (rows.metric == "ces").ifelse(sum(scales["ces"]) - score, score)
    nameless = ibis.literal("answer ") + ibis.row_number().cast("string")
    who = rows.customer_id.fill_null(nameless) if "customer_id" in rows.columns else nameless
    rows = rows.mutate(score=score, who=who)
    cases = [(rows.metric == "nps", rows.score >= PROMOTER)] if "nps" in scales else []
    if "csat" in scales and scales["csat"][1] - scales["csat"][0] <= 10:
        low, high = scales["csat"]
        cases.append((rows.metric == "csat", rows.score >= (high - 1 if high - low > 2 else high)))
    if "ces" in scales:
        cases.append((rows.metric == "ces", rows.score > sum(scales["ces"]) / 2))
    top = ibis.cases(*cases, else_=None) if cases else ibis.null("boolean")
    bottom = (rows.metric == "nps") & (rows.score <= DETRACTOR)
    return rows.mutate(top=top.cast("int64"), bottom=bottom.cast("int64"))


def answers(asked: Table, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Answers summed in the engine over people: what every score and its error rests on.

    From: `asked`, with the columns `by` (rows where one is null are left out). To, one row a metric and value of `by`:
    n (answers), people, often (people who answered more than once), top, bottom, scored (answers of which top is
    known), score, squares, and sums over people of d^2, d * n, s^2, s * n, n^2 (d: a person's top - bottom; s: score).
    """
    rows = asked.filter(*[asked[name].notnull() for name in by]) if by else asked
    cells = rows.group_by("metric", *by, "who").aggregate(
        n=rows.count(), top=rows.top.sum().fill_null(0), bottom=rows.bottom.sum(), scored=rows.top.count(),
        score=rows.score.sum(), squares=(rows.score * rows.score).sum(),
    )  # fmt: skip
    d = (cells.top - cells.bottom).cast("float64")
    n = cells.n.cast("float64")
    sums = {"d_sq": d * d, "d_n": d * n, "s_sq": cells.score * cells.score, "s_n": cells.score * n, "n_sq": n * n}
    plain = {name: cells[name].sum() for name in ("n", "top", "bottom", "scored")}
    rounded = {name: column.sum().round(PLACES) for name, column in sums.items()}
    rounded |= {name: cells[name].sum().round(PLACES) for name in ("score", "squares")}
    frame = collect(
        cells.group_by("metric", *by).aggregate(
            people=cells.count(), often=(cells.n > 1).cast("int64").sum(), **plain, **rounded
        ),
        order_by=["metric", *by],
    )
    counts = ("n", "people", "often", "top", "bottom", "scored")
    return frame.astype(dict.fromkeys(counts, "int64"))


def measured(answers: pd.DataFrame, *, scales: Mapping[str, tuple[float, float]], level: float = 0.95) -> pd.DataFrame:
    """NPS, CSAT and CES from `answers`, each with its interval, by whatever the answers are summed by.

    To, in the order of the measures (nps; csat and ces: shares; csat mean and ces mean: on their own scale): measure,
    the columns of `by`, value, low, high, n (answers), people, effective (how many independent answers say as much),
    error (of the plain value; NaN where all answers are alike), unit (points, share), level, method. Below 30 people
    value and ends are NaN, and method says so.
    NPS = promoters - detractors, in points from -100 to 100. Its interval is Bonett & Price's: one answer is added to
    either side (n + 2), in effective counts; it is never much short of its level where plain Wald's is (one-sided or
    few answers: studies/nps_coverage.md). The published value itself is not moved.
    Source: Bonett & Price (2012), Journal of Educational and Behavioral Statistics 37(4), 479-488 (difference of two
    shares of one sample); of NPS, Rocks (2016), American Statistician 70(4), 365-372.
    """
    by = [c for c in answers.columns if c not in (*SUMS, "metric")]
    frames = [_one(answers[answers["metric"] == MEASURES[name][0]], by, name, scales, level) for name in MEASURES]
    frame = pd.concat(frames, ignore_index=True)
    return frame[["measure", *by, *NAMES[1:]]]


SUMS = ("n", "people", "often", "top", "bottom", "scored", "score", "squares", "d_sq", "d_n", "s_sq", "s_n", "n_sq")


def _one(rows: pd.DataFrame, by: list[str], name: str, scales: Mapping, level: float) -> pd.DataFrame:
    metric, unit, _ = MEASURES[name]
    n, people = (rows[c].to_numpy(dtype=float) for c in ("n", "people"))
    means = name.endswith("mean")
    value, error, spread = _value(rows, means)
    count = effective(error, spread, n, people)
    told = (people >= LEAST_ANSWERS) & np.isfinite(value)
    method = np.where(people < LEAST_ANSWERS, FEW, NO_BOXES)
    if metric not in scales:
        told, method = np.zeros(len(rows), dtype=bool), np.full(len(rows), NO_SCALE.format(metric=metric))
    if means:
        bottom, top = scales.get(metric, (np.nan, np.nan))
        low, high = _around(value, error, people, level)
        how, scale = MEAN_METHOD, 1.0
    elif metric == "nps":
        p, d = (rows[c].to_numpy(dtype=float) / n for c in ("top", "bottom"))
        low, high = nps_ends(p, d, count, people=people, level=level)
        bottom, top, how, scale = -100.0, 100.0, NPS_METHOD, 100.0
    else:
        low, high = share_ends(value, count, people, level=level)
        bottom, top, how, scale = 0.0, 1.0, SHARE_METHOD, 1.0
    alone = np.sqrt(np.where((spread > 0) & (count > 1), spread, np.nan) / np.maximum(count - 1, 1))
    numbers = {"value": scale * value, "low": np.fmax(scale * low, bottom), "high": np.fmin(scale * high, top)}
    numbers |= {"error": scale * np.where(means & (error > 0), error, alone), "effective": count}
    numbers = {key: np.where(told, number, np.nan) for key, number in numbers.items()}
    return rows[by].assign(
        measure=name, **numbers, n=rows["n"], people=rows["people"], unit=unit, level=level,
        method=np.where(told, how, method),
    )  # fmt: skip


def _value(rows: pd.DataFrame, means: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ratio, its error with people as units, and the variance of one answer."""
    r = {name: rows[name].to_numpy(dtype=float) for name in SUMS}
    whole = r["n"] if means else np.where(r["scored"] == r["n"], r["n"], np.nan)
    part = r["score"] if means else r["top"] - r["bottom"]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = part / whole
        spread = np.maximum((r["squares"] if means else r["top"] + r["bottom"]) / whole - value**2, 0.0)
        sums = ("s_sq", "s_n") if means else ("d_sq", "d_n")
        error = cluster_error(r[sums[0]], r[sums[1]], r["n_sq"], whole, value, r["people"])
    return value, error, spread


def nps_ends(
    promoters: np.ndarray, detractors: np.ndarray, n: np.ndarray, *, people: np.ndarray | None = None,
    level: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Both ends of the interval of promoters - detractors (shares, -1 to 1) of `n` answers; NaN below 2 people.

    One answer is added to either side: d = (n * (p - q)) / (n + 2), and its variance (p' + q' - d^2) / (n + 2) with
    p' = (n * p + 1) / (n + 2). Source: as `measured`.
    """
    from scipy.special import stdtrit

    p, q, n = (np.asarray(a, dtype=float) for a in (promoters, detractors, n))
    people = n if people is None else np.asarray(people, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = n * (p - q) / (n + 2)
        error = np.sqrt(np.maximum((n * (p + q) + 2) / (n + 2) - middle**2, 0.0) / (n + 2))
        half = np.where(people > 1, stdtrit(np.maximum(people - 1, 1), (1 + level) / 2), np.nan) * error
    return np.clip(np.minimum(middle - half, p - q), -1, 1), np.clip(np.maximum(middle + half, p - q), -1, 1)


def _around(value: np.ndarray, error: np.ndarray, people: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import stdtrit

    half = stdtrit(np.maximum(people - 1, 1), (1 + level) / 2) * error
    return value - half, value + half


def estimate(measures: pd.DataFrame, name: str, *, level: float = 0.95) -> Estimate:
    """One measure of `measured` (not by anything) as an Estimate; n counts the answers. Unknown where there are none.

    A CSAT of which only the mean can be told is unknown as a share: ask for "csat mean".
    """
    if name not in MEASURES:
        raise UsageError(f"{name!r} is no measure; valid: {', '.join(MEASURES)}.")
    rows = measures[measures["measure"] == name]
    if not len(rows):
        return unknown(MEASURES[name][1], level=level, method="nobody was asked")
    row = rows.iloc[0]
    return Estimate(
        float(row["value"]), float(row["low"]), float(row["high"]), int(row["n"]), row["unit"], float(row["level"]),
        str(row["method"]),
    )  # fmt: skip


def nps(surveys: Table, *, scales: Mapping[str, tuple[float, float]], level: float = 0.95) -> Estimate:
    """Net Promoter Score of these answers, in points. See `measured`."""
    return estimate(measured(answers(asked(surveys, scales=scales)), scales=scales, level=level), "nps")


def csat(surveys: Table, *, scales: Mapping[str, tuple[float, float]], level: float = 0.95) -> Estimate:
    """Share of CSAT answers in the two highest boxes. See `asked` and `measured`."""
    return estimate(measured(answers(asked(surveys, scales=scales)), scales=scales, level=level), "csat")


def ces(
    surveys: Table, *, scales: Mapping[str, tuple[float, float]], ces: str = "agree", level: float = 0.95
) -> Estimate:
    """Share of CES answers above the scale's middle: who found it easy. See `asked` and `measured`."""
    return estimate(measured(answers(asked(surveys, scales=scales, ces=ces)), scales=scales, level=level), "ces")


def headline(plain: pd.DataFrame, everyone: pd.DataFrame, *, csi: Estimate | None = None) -> pd.DataFrame:
    """NPS, CSAT, CES (and the satisfaction index) of the answers nothing was promised for, beside all answers.

    From: `measured` of `response.without_incentive` and of all. To: label, answers (without incentive; all answers),
    value, low, high, n, people, unit, level, method. All answers have rows of their own where they are more.
    """
    shares = [name for name in MEASURES if not name.endswith("mean")]
    frames = []
    for name in shares:
        one, every = (f[f["measure"] == name] for f in (plain, everyone))
        same = _n(plain, name) == _n(everyone, name)
        frames += [every.assign(answers=ALL)] if same else [one.assign(answers=PLAIN), every.assign(answers=ALL)]
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.assign(label=frame["measure"].map({name: MEASURES[name][2] for name in shares}))
    names = ["label", "answers", "value", "low", "high", "n", "people", "unit", "level", "method"]
    if csi is not None:
        fields = {name: getattr(csi, name) for name in ("value", "low", "high", "n", "unit", "level", "method")}
        row = pd.DataFrame([fields | {"label": CSI, "answers": ALL, "people": csi.n}])
        frame = pd.concat([frame, row], ignore_index=True) if len(frame) else row
    return frame[names]


def score_table(plain: pd.DataFrame, everyone: pd.DataFrame, *, csi: Estimate | None = None) -> pd.DataFrame:
    """Every score as a reader sees it, the means among them: score, answers, value, interval, people, n, method.

    From: as `headline`. What cannot be told has a dash, and the method says why.
    """
    means = [name for name in MEASURES if name.endswith("mean")]
    added = [(PLAIN, plain), (ALL, everyone)]
    same = {name: _n(plain, name) == _n(everyone, name) for name in means}
    rows = [f[f["measure"] == m].assign(answers=of, label=MEASURES[m][2]) for m in means for of, f in added
            if of == ALL or not same[m]]  # fmt: skip
    frame = pd.concat([headline(plain, everyone, csi=csi), *rows], ignore_index=True)
    shares = [spec[2] for name, spec in MEASURES.items() if name not in means]
    place = {label: i for i, label in enumerate([*shares, CSI, *(MEASURES[m][2] for m in means)])}
    frame = frame.assign(place=frame["label"].map(place)).sort_values("place", kind="stable", ignore_index=True)
    shown = frame.rename(columns={"label": "score"})
    return shown.assign(
        value=[format_value(v, u) for v, u in zip(frame["value"], frame["unit"], strict=True)],
        interval=[format_ends(*row) for row in zip(frame["low"], frame["high"], frame["unit"], strict=True)],
    )[["score", "answers", "value", "interval", "people", "n", "method"]]


def _n(measures: pd.DataFrame, name: str) -> list[int]:
    return measures.loc[measures["measure"] == name, "n"].to_list()


def headline_in_words(frame: pd.DataFrame) -> list[str]:
    """The numbers of `headline`, a sentence a measure; what cannot be told says why."""
    said = []
    for label, rows in frame.groupby("label", sort=False):
        first = rows.iloc[0]
        known = rows[np.isfinite(rows["low"])]
        if not len(known):
            said.append(f"{label}: too early to say (n = {first['n']:,}; {first['method']}).")
            continue
        parts = []
        for row in known.itertuples():
            ends = format_ends(row.low, row.high, row.unit)
            text = f"{format_value(row.value, row.unit)} ({ends}, n = {row.n:,})"
            parts.append(f"{text} of {row.answers}" if len(rows) > 1 else text)
        said.append(f"{label}: {', '.join(parts)}.")
    return said or ["Nobody was asked for NPS, CSAT or CES."]


def plot_headline(frame: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`headline` as dots with their intervals; all answers (grey) below those nothing was promised for."""
    import matplotlib.pyplot as plt

    shown = frame[np.isfinite(frame["low"])].reset_index(drop=True)
    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(shown), 1) + 1.3))[1] if ax is None else ax
    ax.set_title("What customers answer")
    if not len(shown):
        ax.annotate("Too few answers to tell", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    size = np.where(shown["unit"].eq("share"), 100.0, 1.0)
    for y, row in enumerate(shown.itertuples()):
        main = row.answers == PLAIN or (shown["label"] == row.label).sum() == 1
        ax.hlines(y, size[y] * row.low, size[y] * row.high, color=INK if main else GREY, linewidth=1.4)
        ax.plot(size[y] * row.value, y, "o", color="C0" if main else GREY, markersize=7)
        text = f"{format_value(row.value, row.unit)}  ({row.answers.removeprefix('answers ')}, n = {row.n:,})"
        ax.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center", color=INK if main else GREY)
    ax.axvline(0, color=GREY, linewidth=0.8)
    repeated = shown["label"].duplicated()
    ax.set_yticks(
        range(len(shown)), ["" if again else name for again, name in zip(repeated, shown["label"], strict=True)]
    )
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(shown) - 0.5, -0.6), xlabel="NPS: −100 to 100 points; all else: 0 to 100")
    return ax


def describe_headline(frame: pd.DataFrame) -> str:
    """What `plot_headline` shows, for those who cannot see it."""
    return f"Dots with intervals. {' '.join(headline_in_words(frame))}"


def score_findings(
    measures: pd.DataFrame, *, answers: str = "", doubted: Sequence[str] = ()
) -> list[Finding]:  # fmt: skip
    """feedback.nps, feedback.csat, feedback.ces: what was asked of anybody.

    From: `measured`; of which answers; the metrics whose declared scale is doubted (`answer_checks.doubted`): of these
    it is too early to say.
    """
    claims = {
        "nps": "The Net Promoter Score is {value} points ({interval}).",
        "csat": "{value} are satisfied: they gave one of the highest answers to CSAT ({interval}).",
        "ces": "{value} found it easy (CES above the middle of its scale; {interval}).",
    }
    actions = {
        "nps": "Read what detractors write about, and mend first what they name and others do not.",
        "csat": "Mend the touchpoints that are certain to lie below the others.",
        "ces": "Take steps out of the touchpoints that are certain to be harder than the others.",
    }
    of = f"{answers}; {{interval}}" if answers else "{interval}"
    return [
        Finding(
            id=f"feedback.{name}",
            claim=claim.replace("{interval}", of),
            estimate=_doubtful(estimate(measures, name)) if name in doubted else estimate(measures, name),
            label=MEASURES[name][2],
            evidence=("scores",),
            action=actions[name],
        )
        for name, claim in claims.items()
        if name in set(measures["measure"])
    ]


def _doubtful(number: Estimate) -> Estimate:
    return unknown(number.unit, n=number.n, level=number.level, method="is the scale right? answers do not fit it")
