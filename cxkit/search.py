"""How the search serves those who use it: what finds nothing, is not clicked, is said anew, and ends with an order."""

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.estimates import Estimate, cluster_error, holm_levels, unknown, wilson_ends
from cxkit.findings import Finding
from cxkit.group_table import nothing_to_show
from cxkit.others import against_others
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {
    "nothing_found": "Searches that find nothing",
    "no_click": "Searches with results and no click",
    "reformulated": "Searches said anew in other words",
    "order_after": "Visits with a search and an order",
}
NEEDS = {
    "nothing_found": "how many results each search showed",
    "no_click": "whether a result was clicked",
    "reformulated": "which visit each search belongs to",
    "order_after": "which order followed the search: events with the visit and the order, or known customers",
}
MONTHS = 4  # full ones: fewer show no course
SHARE_METHOD = "Wilson on the effective count; visitors are the units"
COMPARED_METHOD = "difference of linearised shares, Student's t over visitors; all hold together (Holm)"
LEAST_COMPARED = 30  # visitors on either side: of fewer nothing is told
FEW = f"too few: under {LEAST_COMPARED} visitors"
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} visitors in the group, or in one that could be worked out from it"
ALIKE, NOT_KNOWN = "not told apart", "not known"


def shares(sums: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Shares with their intervals, visitors being the units.

    From: `queries.outcome_sums` or `queries.demand_sums`. To: measure, the other keys, value, low, high, n (searches,
    or visits for order_after and demand), visitors, level, method; in the order of the rows.
    How: Wilson's interval on the effective count: how many independent searches would say as much. It is the count
    itself at most, and at least what it would be if all searches of a visitor came out alike; that least one is taken
    where all visitors came out alike, which says nothing of their spread. NaN below two visitors.
    Source: Korn & Graubard (1998), Survey Methodology 24(2), 193-201 (effective counts); Wilson (1927).
    """
    part, whole, part_sq, cross, whole_sq, units = (
        sums[name].to_numpy(dtype=float) for name in ("part", "whole", "part_sq", "cross", "whole_sq", "units")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        value = part / whole
        error = cluster_error(part_sq, cross, whole_sq, whole, value, units)
        least = whole**2 / whole_sq
        effective = np.where(error > 0, value * (1 - value) / error**2, least)
    effective = np.where(units > 1, np.clip(effective, least, whole), np.nan)
    low, high = wilson_ends(value * effective, effective, level=level)
    keys = [
        c for c in sums.columns if c in ("measure", "all", "device", "group", "month", "outcome", "need", "department")
    ]
    visitors = sums["visitors"] if "visitors" in sums else sums["units"]
    return sums[keys].assign(
        value=value, low=low, high=high, n=whole.astype("int64"), visitors=visitors.to_numpy().astype("int64"),
        level=level, method=np.where(units > 1, SHARE_METHOD, "fewer than two visitors"),
    )  # fmt: skip


def overview(sums: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The four shares over all searches, in the order of `LABELS`; what is not known has NaN and says what lacks.

    From: `queries.outcome_sums` without `by`. To: as `shares`, with label.
    """
    found = shares(sums, level=level).drop(columns="all").set_index("measure").reindex(list(LABELS))
    found = found.assign(level=level, n=found["n"].fillna(0).astype("int64"))
    found = found.assign(visitors=found["visitors"].fillna(0).astype("int64"))
    lacks = pd.Series({name: f"not known: {needs}" for name, needs in NEEDS.items()}).reindex(found.index)
    found = found.assign(method=found["method"].fillna(lacks)).rename_axis("measure").reset_index()
    return found.assign(label=found["measure"].map(LABELS))


def estimate(found: pd.DataFrame, measure: str) -> Estimate:
    """One share of `overview` as an Estimate."""
    row = found.set_index("measure").loc[measure]
    if not np.isfinite(row["low"]):
        return unknown("share", n=int(row["n"]), level=float(row["level"]), method=str(row["method"]))
    ends = (float(row[name]) for name in ("value", "low", "high"))
    return Estimate(*ends, int(row["n"]), "share", float(row["level"]), str(row["method"]))


def compare(sums: pd.DataFrame, *, by: str, level: float = 0.95) -> pd.DataFrame:
    """Each group's shares against those of all other groups together, as differences in percentage points.

    From: `queries.outcome_sums` by a column (device, group). To, one row a measure and group: measure, label, `by`,
    share, others (the share of all others), value (the difference, in points), low, high, n, visitors, level (of this
    interval), method, family, reading (more, fewer, not told apart; too few; not known).
    All rows are one family (Holm): an interval excludes 0 exactly where the reading is more or fewer. Of two groups the
    second's difference is the first's turned round: one comparison. A visitor of several groups counts in each, and the
    error of the difference knows it.
    What is left out: the numbers of groups under five visitors, and the verdict where one side has under thirty (too
    few: NaN, no member of the family). What it cannot show: that the group is the cause.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6; Holm (1979).
    """
    columns = ["measure", "label", by, "share", "others", "value", "low", "high", "n", "visitors", "level", "method",
               "family", "reading"]  # fmt: skip
    if not len(sums):
        return pd.DataFrame(columns=columns)
    found = against_others(sums, within=["measure"])
    hidden = pd.concat(
        [withhold_small(g.assign(shown=1.0), count="units")["shown"].isna() for _, g in found.groupby("measure")]
    ).reindex(found.index)
    difference, error = (found[name].mask(hidden).to_numpy(float) for name in ("difference", "difference_error"))
    from scipy.special import stdtr, stdtrit

    error = np.where(_few(sums), np.nan, error)
    freedom = np.maximum(found["units"].to_numpy(float) - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(freedom, -np.abs(difference) / np.where(error > 0, error, np.nan))
    size = found.groupby("measure")[by].transform("size").to_numpy()
    twin = (size == 2) & found.duplicated("measure").to_numpy()
    once = np.where(twin, np.nan, p)
    levels = pd.Series(holm_levels(once, level=level)).mask(twin).ffill().to_numpy()
    half = stdtrit(freedom, (1 + levels) / 2) * np.where(np.isfinite(p), error, np.nan)
    low, high = np.clip(difference - half, -1, 1), np.clip(difference + half, -1, 1)
    readings = [hidden, _few(sums), ~np.isfinite(low), low > 0, high < 0]
    place = found["measure"].map({name: i for i, name in enumerate(LABELS)})
    frame = found.assign(
        label=found["measure"].map(LABELS), share=found["value"].mask(hidden), others=found["others"].mask(hidden),
        value=100 * difference, low=100 * low, high=100 * high, n=found["n"].where(~hidden, 0),
        visitors=found["units"].where(~hidden, 0), level=levels, family=int(np.isfinite(once).sum()),
        method=np.where(hidden, WITHHELD, COMPARED_METHOD),
        reading=np.select(readings, ["withheld", FEW, NOT_KNOWN, "more", "fewer"], ALIKE), place=place,
    )  # fmt: skip
    return frame.sort_values(["place", by], ignore_index=True)[columns]


def _few(sums: pd.DataFrame) -> np.ndarray:
    """Which rows have too few visitors on a side to be told apart."""
    own = sums["units"].to_numpy(float)
    every = sums.groupby("measure")["first_units"].transform("sum").to_numpy(float)
    return np.minimum(own, every - own) < LEAST_COMPARED


def compared_in_words(compared: pd.DataFrame, *, by: str) -> str:
    """What `compare` found: the groups told apart, at most four, the largest difference first."""
    if compared[by].nunique() < 2:
        return f"There are no two {by}s to compare."
    told = compared[compared["reading"].isin(["more", "fewer"])]
    told = told.sort_values(["value", by], key=lambda c: -c.abs() if c.name == "value" else c)
    pair = told.groupby("measure")[by].transform("size").eq(2) & told.duplicated("measure")
    parts = [
        f"{row.label.lower()} ({clean_text(getattr(row, by))} {format_value(row.share, 'share')}, the others "
        f"{format_value(row.others, 'share')}; difference {format_ends(row.low, row.high, 'points')} points)"
        for row in told[~pair].head(4).itertuples()
    ]
    if not parts:
        return f"No {by} is told apart from the others."
    more = f", and {len(told[~pair]) - 4:,} more" if len(told[~pair]) > 4 else ""
    return f"Told apart from the others: {'; '.join(parts)}{more}."


def by_month(sums: pd.DataFrame, *, first: date, last: date, level: float = 0.95) -> pd.DataFrame:
    """The shares of each month. From: `queries.outcome_sums` by month; the first and last day that the data cover.

    To: as `shares`, with label and complete (no: the data cover a part of the month only).
    """
    found = shares(sums, level=level)
    month = pd.to_datetime(found["month"])
    covered = (month >= pd.Timestamp(first) - pd.Timedelta(days=2)) & (
        month + pd.offsets.MonthEnd(0) <= pd.Timestamp(last)
    )
    place = found["measure"].map({name: i for i, name in enumerate(LABELS)})
    found = found.assign(month=month.dt.date, complete=covered, label=found["measure"].map(LABELS), place=place)
    return found.sort_values(["place", "month"], ignore_index=True).drop(columns="place")


def month_trends(months: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Whether a share rises or falls over the full months: measure, label, value (points, from the first full
    month to the last), low, high, n (months), level, method, reading (rises, falls, too early to say).

    From: `by_month`. A straight line through the months, weighted by their effective counts; its error is at least that
    of the months' own intervals and grows with how far they lie from the line. The measures are one family (Holm).
    What is left out: months that the data cover in part, and measures with fewer than four full months. What it
    cannot show: a season, unless the data cover more than a year.
    Source: weighted least squares with the dispersion of the residuals (McCullagh & Nelder, 1989, sec. 4.5); Holm.
    """
    from scipy.special import stdtr, stdtrit

    rows = []
    for name, label in LABELS.items():
        full = months[(months["measure"] == name) & months["complete"] & months["low"].notna()]
        k = len(full)
        if k < MONTHS:
            rows.append((name, label, np.nan, np.nan, k, np.nan))
            continue
        half = ((full["high"] - full["low"]) / 2).to_numpy(float)
        weight = 1 / np.maximum(half / 1.96, 1e-6) ** 2
        when = pd.to_datetime(full["month"])
        x = (when - when.iloc[0]).dt.days.to_numpy(float)
        x = x / x[-1]  # a change a year would reach beyond what was seen
        y = full["value"].to_numpy(float)
        middle, mean = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = (weight * (x - middle) ** 2).sum()
        slope = (weight * (x - middle) * (y - mean)).sum() / spread
        rest = (weight * (y - mean - slope * (x - middle)) ** 2).sum() / (k - 2)
        error = np.sqrt(max(rest, 1.0) / spread)
        rows.append((name, label, slope, error, k, 2 * stdtr(k - 2, -abs(slope) / error)))
    frame = pd.DataFrame(rows, columns=["measure", "label", "slope", "error", "n", "p"])
    frame["level"] = holm_levels(frame["p"].to_numpy(float), level=level)
    half = stdtrit(np.maximum(frame["n"] - 2, 1), (1 + frame["level"]) / 2) * frame["error"]
    ends = {"value": frame["slope"], "low": frame["slope"] - half, "high": frame["slope"] + half}
    frame = frame.assign(**{name: 100 * end.clip(-1, 1) for name, end in ends.items()})
    frame["reading"] = np.select([frame["low"] > 0, frame["high"] < 0], ["rises", "falls"], "too early to say")
    frame["method"] = "weighted line through full months, Student's t (Holm)"
    return frame[["measure", "label", "value", "low", "high", "n", "level", "method", "reading"]]


def trends_in_words(trends: pd.DataFrame) -> str:
    """What `month_trends` found."""
    told = [
        f"{row.label.lower()} {row.reading.removesuffix('s')} by {format_value(abs(row.value), 'points')} points "
        f"({format_ends(row.low, row.high, 'points')}; {row.n} months)"
        for row in trends[trends["reading"] != "too early to say"].itertuples()
    ]
    if told:
        return f"From the first full month to the last, {'; '.join(told)}."
    few = trends["value"].isna().all()
    return (
        f"There are too few full months for a course (at least {MONTHS} are needed)."
        if few
        else "Over the full months none of the shares rises or falls for certain."
    )


def in_words(found: pd.DataFrame, by_outcome: pd.DataFrame) -> list[str]:
    """The answer in two or three sentences. From: `overview`; `shares` of the outcome sums by outcome."""
    known = found[found["low"].notna()].set_index("measure")
    if not len(known):
        return ["Nothing can be told of the searches: there are too few, or nothing is known of what came of them."]
    told = []
    for name, sentence in (
        ("nothing_found", "{} of searches find nothing ({})"),
        ("no_click", "of those that find something, {} are left without a click ({})"),
        ("reformulated", "{} are followed by another wording in the same visit ({})"),
    ):
        if name in known.index:
            row = known.loc[name]
            told.append(
                sentence.format(format_value(row["value"], "share"), format_ends(row["low"], row["high"], "share"))
            )
    sentences = ["; ".join(told)[:1].upper() + "; ".join(told)[1:] + "."] if told else []
    after = by_outcome[(by_outcome["measure"] == "order_after") & by_outcome["low"].notna()].set_index("outcome")
    if {"something found", "nothing found"} <= set(after.index):
        text = [
            f"{format_value(row['value'], 'share')} ({format_ends(row['low'], row['high'], 'share')})"
            for row in (after.loc["something found"], after.loc["nothing found"])
        ]
        sentences.append(
            f"Visits in which a search found something end with an order in {text[0]} of cases, those in which one "
            f"found nothing in {text[1]}."
        )
    elif "order_after" in known.index:
        row = known.loc["order_after"]
        ends = format_ends(row["low"], row["high"], "share")
        sentences.append(f"{format_value(row['value'], 'share')} of visits with a search end with an order ({ends}).")
    return sentences


ACTIONS = {
    "nothing_found": "Decide on the goods that are looked for and not offered.",
    "no_click": "Look at the results of the most frequent of these queries with a customer's eyes.",
    "reformulated": "Read the wordings that visits go on from, and see whether their first results answer them.",
    "order_after": "Lead from the search to goods in as few steps as the categories do.",
}


def actions(synonyms: int = 0, misspelt: int = 0) -> dict[str, str]:
    """What follows from each share. From: how many pairs of wordings are listed as synonyms; how many searches failed
    for a misspelling."""
    told = dict(ACTIONS)
    if misspelt:
        many = f"{misspelt:,} search{'' if misspelt == 1 else 'es'}"
        told["nothing_found"] += f" Let the search forgive single wrong letters: {many} failed for them."
    if synonyms:
        told["nothing_found"] += " Add the synonyms listed here, once read, to the search."
        told["reformulated"] = "Add the pairs of wordings listed here, once read, to the search's synonyms."
    return told


def search_findings(found: pd.DataFrame, *, rule: str = "", synonyms: int = 0, misspelt: int = 0) -> list[Finding]:
    """search.nothing_found, search.no_click, search.reformulated, search.order_after.

    From: `overview`; the words of the rule by which an order is taken to follow; as `actions`.
    """
    told = actions(synonyms, misspelt)
    claims = {
        "nothing_found": "{value} of searches find nothing ({interval}).",
        "no_click": "{value} of searches that find something are left without a click ({interval}).",
        "reformulated": "{value} of searches are followed by another wording in the same visit ({interval}).",
        "order_after": "{value} of visits with a search have an order ({interval})" + (f": {rule}." if rule else "."),
    }
    return [
        Finding(
            id=f"search.{name}",
            claim=claim,
            estimate=estimate(found, name),
            label=LABELS[name],
            higher_is_better=name == "order_after",
            evidence=("search",),
            action=told[name],
        )
        for name, claim in claims.items()
    ]


def plot_shares(found: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`overview` as points with their intervals; what is not known says so."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.5 * max(len(found), 1) + 1.3))[1] if ax is None else ax
    if not len(found):
        nothing_to_show(ax)
        return ax
    place = np.arange(len(found))
    ax.hlines(place, found["low"], found["high"], color=INK, linewidth=1.4)
    ax.plot(found["value"].where(found["low"].notna()), place, "o", color="C0", markersize=7)
    for y, row in zip(place, found.itertuples(), strict=True):
        known = np.isfinite(row.low)
        text = f"{format_value(row.value, 'share')}  (n = {row.n:,})" if known else f"not known (n = {row.n:,})"
        ax.annotate(text, (row.high if known else 0, y), (8, 0), textcoords="offset points", va="center",
                    color=INK if known else GREY)  # fmt: skip
    ax.set_yticks(place, [folded_text(label) for label in found["label"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(found) - 0.5, -0.5)
    top = found["high"].max()
    ax.set_xlim(0, 1.35 * (top if np.isfinite(top) and top > 0 else 1.0))
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel="Share, with its interval", title="What comes of a search")
    return ax


def describe_shares(found: pd.DataFrame) -> str:
    """What `plot_shares` shows."""
    parts = [
        f"{row.label.lower()}: {format_value(row.value, 'share')} ({format_ends(row.low, row.high, 'share')})"
        for row in found[found["low"].notna()].itertuples()
    ]
    return f"Points with intervals: {'; '.join(parts)}." if parts else "No share of the searches is known."


def plot_months(months: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`by_month` as lines with their intervals; months that the data cover in part are hollow and not joined."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.9))[1] if ax is None else ax
    known = months[months["low"].notna()]
    if not len(known):
        nothing_to_show(ax)
        return ax
    for number, (name, label) in enumerate(LABELS.items()):
        rows = known[known["measure"] == name]
        x, colour = pd.to_datetime(rows["month"]), f"C{number}"
        ax.vlines(x, rows["low"], rows["high"], color=colour, linewidth=1.2)
        full = rows["complete"].to_numpy()
        ax.plot(x[full], rows["value"][full], "-", marker="osD^"[number], color=colour, label=label)
        ax.plot(x[~full], rows["value"][~full], "osD^"[number], color=colour, markerfacecolor="white")
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    _month_ticks(ax, sorted(set(known["month"])))
    ax.set_title("What comes of a search, by month")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
    return ax


def _month_ticks(ax: "Axes", months: list[date]) -> None:
    step = -(-len(months) // 7)
    shown = months[::step]
    ax.set_xticks(
        [pd.Timestamp(m) for m in shown],
        [f"{m:%b}\n{m:%Y}" if m.month == 1 or m == shown[0] else f"{m:%b}" for m in shown],
    )


def describe_months(months: pd.DataFrame, trends: pd.DataFrame) -> str:
    """What `plot_months` shows."""
    if not months["low"].notna().any():
        return "No month's shares are known."
    return f"Lines of the shares by month, with intervals. {trends_in_words(trends)}"
