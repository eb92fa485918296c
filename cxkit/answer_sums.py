"""Numbers from answers whose units are people: how many independent answers they say as much as, and differences."""

from collections.abc import Mapping, Sequence

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.estimates import cluster_error, holm_levels, wilson_ends
from cxkit.others import against_others, beyond_middle, unit_sums
from cxkit.privacy import LEAST_SHOWN, withhold_small

LEAST_ANSWERS = 30  # people; below it a score is told to nobody as a verdict
PLAIN = "answers without incentive"
HIGHER, LOWER, EARLY = "higher", "lower", "too early to say"
MIDDLE = "no further than the middle one"
FEW = f"too few: under {LEAST_ANSWERS} people on a side"
WITHHELD = "withheld: too few customers, or it could be worked out from one with too few"
METRICS = ("nps", "csat", "ces")
COLUMNS = ["about", "name", "metric", "value", "others", "difference", "low", "high", "n", "people", "unit", "level",
           "method", "reading"]  # fmt: skip


def effective(error: np.ndarray, spread: np.ndarray, n: np.ndarray, people: np.ndarray) -> np.ndarray:
    """How many independent answers say as much as these: the answers over their design effect.

    From: error (of the mean, people being the units); spread (variance of one answer); n (answers); people. To: n where
    everybody answered once; else at most n. Where all answers are alike the error tells nothing, and it is the people.
    Source: Kish (1965), Survey Sampling, sec. 8.2 (design effect); Korn & Graubard (1998), Survey Methodology 24(2),
    193-201 (effective counts).
    """
    error, spread, n, people = (np.asarray(a, dtype=float) for a in (error, spread, n, people))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where((spread > 0) & (error > 0), spread / error**2, people)
    return np.where(people == n, n, np.minimum(found, n))


def share_ends(
    share: np.ndarray, effective_n: np.ndarray, people: np.ndarray, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's ends of shares of answers, on the effective count, with Student's t of the people for the normal.

    Source: as `estimates.wilson` and `effective`.
    """
    from scipy.special import ndtri, stdtrit

    people, tail = np.asarray(people, dtype=float), (1 + level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.asarray(effective_n, dtype=float) * (ndtri(tail) / stdtrit(people - 1, tail)) ** 2
    n = np.where(people > 1, n, np.nan)
    return wilson_ends(np.asarray(share, dtype=float) * n, n, level=level)


def part_shares(cells: Table, *, by: Sequence[str], level: float = 0.95) -> pd.DataFrame:
    """The share that `part` is of `whole` for each value of the columns `by`, the units being people.

    From, one row a (by, unit): part, whole (counts). To, one row a value: by, part, whole, people, value, low, high, n
    (whole), level, method.
    """
    sums = collect(
        cells.group_by(*by).aggregate(
            part=cells.part.sum(), whole=cells.whole.sum(), people=cells.count(),
            part_sq=(cells.part * cells.part).sum(), cross=(cells.part * cells.whole).sum(),
            whole_sq=(cells.whole * cells.whole).sum(),
        ),
        order_by=list(by),
    )  # fmt: skip
    part, whole, people = (sums[name].to_numpy(dtype=float) for name in ("part", "whole", "people"))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
    error = cluster_error(sums["part_sq"], sums["cross"], sums["whole_sq"], whole, share, people)
    low, high = share_ends(share, effective(error, share * (1 - share), whole, people), people, level=level)
    counts = {name: sums[name].astype("int64") for name in ("part", "whole", "people")}
    return sums[list(by)].assign(
        **counts, value=share, low=low, high=high, n=counts["whole"], level=level, method="Wilson, people as units"
    )


def differences(asked: Table, *, by: str, about: str, least: int = LEAST_SHOWN) -> pd.DataFrame:
    """NPS and the mean CSAT and CES of each value of the column `by`, beside those of all others pooled.

    From: `feedback.asked`, with `by`. To, one row a metric and value, as the kit's metrics and the values stand in
    order: about, name (the value, as text), metric, value, others, difference (value - others), error (of the
    difference), own_error (of value), n (answers), people, people_others (at most so many), unit (points: of NPS, or of
    the metric's own scale), method.
    Who answered several times counts once for the error; who stands on both sides has the covariance in it.
    What is left out: answers without a value of `by`; numbers of values under `least` people, and of the next smallest
    where those could be worked out from it: their rows stand with NaN, and their answers are in nobody's `others`.
    Source: as `others.against_others`.
    """
    column = asked[by].cast("string")
    nps = asked.metric == "nps"
    rows = asked.filter(asked.metric.isin(METRICS), column.notnull()).select(
        "metric", "who", name=column, points=nps.ifelse(100.0 * (asked.top - asked.bottom), asked.score)
    )
    cells = rows.group_by("metric", "name", "who").aggregate(
        part=rows.points.sum(), whole=rows.count(), squares=(rows.points * rows.points).sum()
    )
    people = collect(cells.group_by("metric", "name").aggregate(customers=cells.count()), order_by=["metric", "name"])
    held = [withhold_small(g.assign(shown=1.0), count="customers", least=least) for _, g in people.groupby("metric")]
    hidden = pd.concat([people[:0].assign(shown=1.0), *held])
    hidden = hidden.loc[hidden["shown"].isna(), ["metric", "name"]].astype(object)
    if len(hidden):
        cells = cells.anti_join(ibis.memtable(hidden, schema={"metric": "string", "name": "string"}), hidden.columns)
    frame = against_others(unit_sums(cells, by="name", unit="who", within=["metric"]), within=["metric"])
    frame = frame.rename(columns={"units": "people", "error": "own_error", "difference_error": "error"})
    frame = frame.assign(method="linearised by customer, Student's t")
    frame["people_others"] = frame.groupby("metric")["people"].transform("sum") - frame["people"]
    frame = pd.concat([frame, hidden.assign(method=WITHHELD)], ignore_index=True) if len(hidden) else frame
    rank = frame["metric"].map({m: i for i, m in enumerate(METRICS)})
    frame = frame.assign(rank=rank, about=about, unit="points").sort_values(["rank", "name"], ignore_index=True)
    counts = {c: frame[c].fillna(0).astype("int64") for c in ("n", "people", "people_others")}
    names = ["about", "name", "metric", "value", "others", "difference", "error", "own_error", "n", "people",
             "people_others"]  # fmt: skip
    return frame.assign(**counts)[[*names, "unit", "method"]]


def judged(*frames: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Differences as one family: each with an interval that leaves out zero only where the difference would hold with
    all of them judged together, and what it says.

    From: frames of `differences`. To, their rows in the order given: `COLUMNS`; low, high and level are the
    difference's own (Holm over all rows judged; of two values that are each other's others, one test), and reading:
    higher, lower, no further than the middle one, too early to say, too few (under 30 people on a side: not judged), or
    withheld. Where three values or more are judged, one is higher or lower only if its value, with as wide an interval
    of its own, lies on the same side of the middle value too (`others.beyond_middle`): else two bad ones would make
    all others higher, as they draw down what these are compared with.
    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70; Student's t with the people of the smaller
    side less one.
    """
    from scipy.special import stdtr, stdtrit

    frame = pd.concat([f for f in frames if len(f)] or [pd.DataFrame(columns=[*COLUMNS, "error", "people_others"])])
    frame = frame.reset_index(drop=True)
    gap, error = (frame[name].to_numpy(dtype=float) for name in ("difference", "error"))
    smaller = frame[["people", "people_others"]].min(axis=1).to_numpy(dtype=float)
    told = np.isfinite(gap) & np.isfinite(error) & (smaller >= LEAST_ANSWERS)
    freedom = np.where(told, smaller - 1, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(gap == 0, 0.0, np.abs(gap) / error)
    p = np.where(told, 2 * stdtr(freedom, -np.where(told, distance, 0.0)), np.nan)
    once = _twins(frame, np.isfinite(gap))
    family = np.where(pd.Series(once).duplicated(), np.nan, p)
    levels = pd.Series(holm_levels(family, level=level)).groupby(once).transform("first").to_numpy(dtype=float)
    half = np.where(told, stdtrit(freedom, (1 + levels) / 2) * error, np.nan)
    low, high = gap - half, gap + half
    own = stdtrit(freedom, (1 + levels) / 2) * frame.get("own_error", pd.Series(0.0, frame.index)).to_numpy(dtype=float)
    kinds = frame["about"].astype(str) + "|" + frame["metric"].astype(str)
    many = pd.Series(told).groupby(kinds.to_numpy()).transform("sum").to_numpy() > 2
    _, below, above = beyond_middle(frame["value"], own, by=kinds, told=told)
    sides = [(low > 0) & (above | ~many), (high < 0) & (below | ~many), (low > 0) | (high < 0), told]
    reading = np.select(sides, [HIGHER, LOWER, MIDDLE, EARLY], FEW)
    reading = np.where(frame["method"].eq(WITHHELD), "withheld", reading)
    return frame.assign(low=low, high=high, level=levels, reading=reading)[COLUMNS]


def _twins(frame: pd.DataFrame, compared: np.ndarray) -> np.ndarray:
    """A number a row; two values that alone are compared in a metric share one: their tests are the same."""
    number = pd.Series(np.arange(len(frame)))
    by = number.groupby([frame["about"].where(compared, number.astype(str)).to_numpy(), frame["metric"].to_numpy()])
    return np.where(by.transform("size") == 2, by.transform("min"), number)


def only(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The rows of `differences` whose name is listed, under the name that a reader sees."""
    return frame[frame["name"].isin(names)].assign(name=lambda f: f["name"].map(names)).reset_index(drop=True)
