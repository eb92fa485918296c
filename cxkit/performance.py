"""Which touchpoints are weak for certain: each measure against the client's other touchpoints, all judged together."""

from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.estimates import Estimate, holm_levels, wilson_ends
from cxkit.findings import Finding
from cxkit.others import against_others, beyond_middle, unit_sums
from cxkit.stages import GOAL, name_key
from cxkit.style import clean_text, format_ends, format_value, in_quotes, no_places

MEASURES = ("goes_on", "nps", "csat", "ces", "asks", "criteria")  # in the order in which they are told
JUDGED = ("goes_on", "nps", "csat", "ces")
SAID = {"nps": "NPS", "csat": "CSAT", "ces": "CES (ease)", "criteria": "criteria scored in the workshop"}
NAMES = {"low": "value_low", "high": "value_high", "error": "own_error", "difference_error": "error",
         "customers": "units"}  # fmt: skip
LEAST_VISITS, LEAST_CUSTOMERS = 100, 30
SUPPORT = "support"
METHOD = "difference from all other touchpoints pooled, linearised by {unit}; adjusted for the family (Holm)"


def going_on(touches: Table, *, order: Sequence[str] = (), goal: str = GOAL, level: float = 0.95) -> pd.DataFrame:
    """After how many touches of each touchpoint the visit goes on, beside those of all others pooled.

    From: the touch log (visits only: rows with a session); `order`: touchpoints in the order of the journey, for
    touches at one time (those it does not name come last, by name). To, one row a touchpoint, the most met first:
    touchpoint, value (share of its touches after which the same visit had another touch), low, high, error, n
    (touches), units (visits), others (the same share of all other touchpoints' touches), difference (a fraction),
    difference_error, level.
    What is left out: the goal itself, and what comes after it in a visit: who has ordered need not go on.
    What it cannot show: that the touchpoint makes people leave; some come to it to end there (a page of opening hours).
    How: a visit is the unit, as its touches are not independent; errors as `others.against_others`, the interval of the
    value Wilson's with as many touches as would give that error (Korn & Graubard, 1998, Survey Methodology 24(2)).
    """
    visits = touches.filter(touches.session.notnull())
    reached = visits.filter(visits.touchpoint == goal)
    reached = reached.group_by(won="session").aggregate(won_at=reached.occurred_at.min())
    seen = visits.left_join(reached, visits.session == reached.won)
    seen = seen.filter(seen.touchpoint != goal, seen.won.isnull() | (seen.occurred_at <= seen.won_at))
    cells = seen.group_by("session", "touchpoint").aggregate(
        whole=seen.count(), won=seen.won.notnull().any(), here_at=seen.occurred_at.max()
    )
    visit = ibis.window(group_by="session")
    cells = cells.mutate(at_end=cells.here_at == cells.here_at.max().over(visit))
    rank = ibis.literal(0)
    if order:
        rank = ibis.cases(*((cells.touchpoint == t, i) for i, t in enumerate(order)), else_=len(order))
    place = rank.cast("string").lpad(5, "0") + cells.touchpoint
    cells = cells.mutate(place=place, end_place=cells.at_end.ifelse(place, ibis.null("string")))
    ends = ~cells.won & (cells.place == cells.end_place.max().over(visit))
    cells = cells.mutate(part=cells.whole - ends.ifelse(1, 0))
    cells = cells.mutate(squares=cells.part).select("session", "touchpoint", "part", "whole", "squares")
    return _shares(against_others(unit_sums(cells, by="touchpoint", unit="session")), level)


def asking(
    touches: Table, *, within_days: int = 7, support: str = SUPPORT, goal: str = GOAL, level: float = 0.95
) -> pd.DataFrame:
    """After how many touches of each touchpoint the customer's next touch is a contact, within `within_days`.

    From: the touch log (customers who are known; touches with a time). To: as `going_on`, units being customers.
    What is left out: unknown visitors, whose contacts nobody can tell; the goal and support itself. It is shown and
    never judged: some touchpoints lead to questions by their nature.
    """
    known = touches.filter(touches.customer_id.notnull(), touches.timed)
    after = ibis.window(group_by="customer_id", order_by=["occurred_at", "touchpoint"])
    known = known.mutate(next_at=known.occurred_at.lead().over(after), follows=known.touchpoint.lead().over(after))
    in_time = known.next_at <= known.occurred_at + ibis.interval(days=within_days)
    known = known.mutate(asks=((known.follows == support) & in_time).fill_null(False).ifelse(1, 0))
    met = known.filter(~known.touchpoint.isin([goal, support]))
    cells = met.group_by("customer_id", "touchpoint").aggregate(part=met.asks.sum(), whole=met.count())
    cells = cells.mutate(squares=cells.part)
    return _shares(against_others(unit_sums(cells, by="touchpoint", unit="customer_id")), level)


def _shares(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    value, error, n = (frame[name].to_numpy(dtype=float) for name in ("value", "error", "n"))
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = (value <= 0) | (value >= 1)
        effective = np.where(alike, frame["units"], np.minimum(value * (1 - value) / error**2, n))
    low, high = wilson_ends(value * effective, effective, level=level)
    frame = frame.assign(low=low, high=high, level=level)
    return frame.sort_values(["n", "touchpoint"], ascending=[False, True], ignore_index=True)


def performance(
    going_on: pd.DataFrame | None, scores: pd.DataFrame | None = None, criteria: pd.DataFrame | None = None, *,
    asking: pd.DataFrame | None = None, level: float = 0.95, most: int = 60, least_visits: int = LEAST_VISITS,
    least_customers: int = LEAST_CUSTOMERS,
) -> pd.DataFrame:  # fmt: skip
    """Every measure of every touchpoint against the client's other touchpoints, judged as one family.

    From: `going_on`, `satisfaction.scores` by touchpoint, the workshop's criteria (touchpoint, criterion, score 1 to
    5), `asking`; each may be None or empty. To, ordered by touchpoint and measure: touchpoint, measure (goes_on, nps,
    csat, ces, asks, criteria), value, value_low, value_high (its own interval), others, difference (value - others in
    points; percentage points where value is a share), low, high (of the difference, adjusted for the family), middle
    (the median of the touchpoints judged by this measure), scaled (value - middle as a share of the scale, above 0
    better; NaN without a scale), scale_low, scale_high, n (touches, answers, scores), units (visits, customers), unit,
    level (of low and high), p, judged (yes/no), certain (weak, strong or empty), said, said_middle (the measure in
    words, beside all others and beside the middle), method.
    The family: the measures goes_on, nps, csat, ces of every touchpoint with at least `least_visits` visits or
    `least_customers` customers and another touchpoint to compare with; of each measure the `most` touchpoints with most
    of them. All verdicts hold together at `level` (Holm); certain means that the adjusted interval excludes 0, and that
    the value, with as wide an interval of its own, lies on the same side of the middle touchpoint: else two bad ones
    would make all others strong, as they draw down what these are compared with, and one good and large one all weak.
    A t distribution with units - 1 degrees of freedom stands for the normal, as the smallest groups have few units.
    What is left out: nothing; what is not judged keeps p empty and its own, unadjusted interval. Criteria are the
    opinion of few, and have no interval; what leads to questions does so by its nature (asks).
    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    parts = [_of_visits(going_on, "goes_on"), _of_visits(asking, "asks"), _of_answers(scores)]
    spelt = {name_key(name): name for part in parts if len(part) for name in part["touchpoint"]}
    parts = [part for part in [*parts, _of_sheet(criteria, spelt)] if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else _of_visits(None, "goes_on")
    visits = frame["measure"].isin(["goes_on"])
    enough = frame["units"] >= np.where(visits, least_visits, least_customers)
    known = np.isfinite(frame["difference"]) & np.isfinite(frame["error"])
    candidates = frame[enough & known & frame["measure"].isin(JUDGED)]
    candidates = candidates.sort_values(["units", "touchpoint"], ascending=[False, True])
    frame["judged"] = frame.index.isin(candidates.groupby("measure").head(most).index)
    p = _p_values(frame)
    levels = holm_levels(np.where(frame["judged"], p, np.nan), level=level)
    half = _t(frame["units"], levels) * frame["error"]
    frame = frame.assign(p=np.where(frame["judged"], p, np.nan), level=levels)
    frame = frame.assign(low=frame["difference"] - half, high=frame["difference"] + half)
    told = frame["judged"] | ~frame["measure"].isin(JUDGED)
    own = _t(frame["units"], levels) * frame["own_error"]
    frame["middle"], below, above = beyond_middle(frame["value"], own, by=frame["measure"], told=told)
    weak = frame["judged"] & (frame["high"] < 0) & below
    strong = frame["judged"] & (frame["low"] > 0) & above
    frame["certain"] = np.select([weak, strong], ["weak", "strong"], "")
    better = np.where(frame["measure"] == "asks", -1.0, 1.0)
    frame["scaled"] = better * (frame["value"] - frame["middle"]) / (frame["scale_high"] - frame["scale_low"])
    rank = frame["measure"].map({m: i for i, m in enumerate(MEASURES)})
    frame = frame.assign(rank=rank).sort_values(["touchpoint", "rank"], ignore_index=True)
    frame["said"] = [in_words(row) for row in frame.itertuples()]
    frame["said_middle"] = [in_words(row, beside="middle") for row in frame.itertuples()]
    return frame[
        ["touchpoint", "measure", "value", "value_low", "value_high", "others", "difference", "low", "high", "middle",
         "scaled", "scale_low", "scale_high", "n", "units", "unit", "level", "p", "judged", "certain", "said",
         "said_middle", "method"]
    ]  # fmt: skip


def criteria_table(criteria: pd.DataFrame, *, most: int = 8) -> pd.DataFrame:
    """Each touchpoint by each criterion, as the workshop scored them: opinions, so nothing is judged.

    From: the sheet criteria (touchpoint, criterion, score 1 to 5). To, the lowest mean first: touchpoint, one column a
    criterion with the mean of its scores (missing: not scored there), the most scored ones first and at most `most`
    of them, all_criteria (the mean of all scores), scores (how many). Spellings of one name are one.
    """
    said = criteria.assign(
        key=criteria["touchpoint"].map(name_key),
        what=criteria["criterion"].map(clean_text).str.strip().str.capitalize(),  # so that none has a name of ours
        score=criteria["score"].astype(float),
    )
    counted = (
        said.groupby("what").agg(n=("score", "size")).reset_index().sort_values(["n", "what"], ascending=[False, True])
    )
    shown = list(counted["what"].head(most))
    table = said.pivot_table(index="key", columns="what", values="score", aggfunc="mean").reindex(columns=shown)
    table.columns.name = None
    whole = said.groupby("key").agg(
        touchpoint=("touchpoint", "min"), all_criteria=("score", "mean"), scores=("score", "size")
    )
    table = whole[["touchpoint"]].join(table).join(whole[["all_criteria", "scores"]])
    return table.sort_values(["all_criteria", "touchpoint"], ignore_index=True)


def _of_visits(frame: pd.DataFrame | None, measure: str) -> pd.DataFrame:
    """Shares as measures; differences become percentage points."""
    names = ["touchpoint", "value", "low", "high", "error", "others", "difference", "difference_error", "n", "units"]
    frame = pd.DataFrame(columns=names, dtype=float) if frame is None else frame[names]
    frame = frame.rename(columns=NAMES)
    return frame.assign(
        difference=100 * frame["difference"], error=100 * frame["error"], measure=measure, unit="share",
        scale_low=0.0, scale_high=1.0, method=METHOD.format(unit="visit" if measure == "goes_on" else "customer"),
    )  # fmt: skip


def _of_answers(scores: pd.DataFrame | None) -> pd.DataFrame:
    if scores is None or not len(scores):
        return pd.DataFrame()
    names = [
        "touchpoint",
        "value",
        "low",
        "high",
        "error",
        "others",
        "difference",
        "difference_error",
        "n",
        "customers",
    ]
    frame = scores[[*names, "scale_low", "scale_high"]].rename(columns=NAMES)
    frame = frame.assign(measure=scores["metric"], unit="points")
    return frame.assign(method=METHOD.format(unit="customer"))


def _of_sheet(criteria: pd.DataFrame | None, spelt: dict[str, str]) -> pd.DataFrame:
    """The mean of each touchpoint's scores, whatever the criterion and the voice, beside that of all others."""
    if criteria is None or not len(criteria):
        return pd.DataFrame()
    named = criteria.assign(key=criteria["touchpoint"].map(name_key))
    sums = named.groupby("key").agg(touchpoint=("touchpoint", "min"), part=("score", "sum"), n=("score", "size"))
    value = sums["part"] / sums["n"]
    rest = (sums["n"].sum() - sums["n"]).replace(0, np.nan)
    others = (sums["part"].sum() - sums["part"]) / rest
    names = [spelt.get(key, name) for key, name in sums["touchpoint"].items()]
    frame = sums[["n"]].assign(touchpoint=names, value=value, others=others, difference=value - others)
    return frame.reset_index(drop=True).assign(
        measure="criteria",
        value_low=np.nan, value_high=np.nan, own_error=np.nan, error=np.nan, units=frame["n"].to_numpy(), unit="points",
        scale_low=1.0, scale_high=5.0, method="mean of the workshop's scores; an opinion, without an interval",
    )  # fmt: skip


def _t(units: pd.Series, levels: np.ndarray) -> np.ndarray:
    from scipy.special import stdtrit

    return stdtrit(np.maximum(units.to_numpy(dtype=float) - 1, 1), (1 + levels) / 2)


def _p_values(frame: pd.DataFrame) -> np.ndarray:
    from scipy.special import stdtr

    gap, error = (frame[name].to_numpy(dtype=float) for name in ("difference", "error"))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(gap == 0, 0.0 * error, np.abs(gap) / error)
    return 2 * stdtr(np.maximum(frame["units"].to_numpy(dtype=float) - 1, 1), -distance)


def in_words(row: object, *, beside: str = "others") -> str:
    """A measure as a reader meets it, beside the others or the middle. From: a row of `performance` (a named tuple).

    `61 % of touches go on (59–63 %), elsewhere 85 %`, `CSAT 3.1 of 5 (2.9–3.2), at the middle touchpoint 4.1`.
    """
    number, where = getattr(row, beside), "elsewhere" if beside == "others" else "at the middle touchpoint"
    ends = format_ends(row.value_low, row.value_high, row.unit)
    interval = "" if ends == "–" else f" ({ends})"
    value, others = format_value(row.value, row.unit), format_value(number, row.unit)
    if row.measure == "goes_on":
        return f"{value} of touches go on{interval}, {where} {others}"
    if row.measure == "asks":
        return f"{value} of touches lead to a contact{interval}, {where} {others}"
    digits = 0 if row.measure == "nps" else 1
    value, others = (_plain(shown, digits) for shown in (row.value, number))
    if interval:
        ends = [_plain(end, digits) for end in (row.value_low, row.value_high)]
        interval = f" ({(' to ' if '−' in ''.join(ends) else '–').join(ends)})"
    of = f" of {row.scale_high:g}" if row.measure != "nps" and np.isfinite(row.scale_high) else ""
    return f"{SAID[row.measure]} {value}{of}{interval}, {where} {others}"


def _plain(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}" if np.isfinite(number) else "–"
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")


def performance_findings(performance: pd.DataFrame, *, first: Sequence[str] = ()) -> list[Finding]:
    """journey.touchpoint.<touchpoint>: what is weak or strong for certain, and the touchpoints in `first`.

    From: `performance`; `first`: touchpoints that are told in any case (the first of the priorities). One finding a
    touchpoint, weak for certain before strong for certain before the rest, on its surest measure: of those that say so
    the one with the smallest p (the next audit can tell the smallest change of it too); the others are named after it.
    The reference is the client's other touchpoints: a difference of 0. What is left out: what lies apart from the
    others but not from the middle touchpoint (see `performance`), which is no finding.
    """
    family = int(performance["judged"].sum())
    apart = (performance["low"] > 0) | (performance["high"] < 0)
    rows = performance[performance["judged"] & (apart == (performance["certain"] != ""))]
    loudness = rows["certain"].map({"weak": 0, "strong": 1, "": 2})
    size = rows["scaled"].where(loudness != 1, -rows["scaled"]).fillna(0)  # the furthest below, or above, first
    rows = rows.assign(loudness=loudness, size=size)
    rows = rows.sort_values(["loudness", "p", "size", "touchpoint", "measure"], kind="stable")
    also = {key: list(part["measure"]) for key, part in rows.groupby(["touchpoint", "certain"], sort=False)}
    rows = rows.drop_duplicates("touchpoint")
    order = {name: place for place, name in enumerate(first)}
    rows = rows[(rows["certain"] != "") | rows["touchpoint"].isin(order)]
    rows = rows.assign(place=rows["touchpoint"].map(order).fillna(len(order)))
    rows = rows.sort_values(["place", "loudness", "size", "touchpoint"], kind="stable")
    return [_finding(row, also[row.touchpoint, row.certain][1:], family) for row in rows.itertuples()]


def _finding(row: object, also: Sequence[str], family: int) -> Finding:
    """From: a row of `performance`; the other measures that say as much of the touchpoint for certain."""
    name, shown = clean_text(row.touchpoint), in_quotes(row.touchpoint)
    value, others = (_in_trade(number, row) for number in (row.value, row.others))
    points = "percentage points" if row.unit == "share" else "points"
    if row.measure == "goes_on":
        said = f"Of 100 touches at {no_places(shown)} {value} go on, at the other touchpoints {others}"
        plain = f"Touches at {shown} that go on, against the other touchpoints"
    else:
        of = f" of {row.scale_high:g}" if row.measure != "nps" and np.isfinite(row.scale_high) else ""
        said = f"{SAID[row.measure]} at {no_places(shown)} is {value}{of}, at the other touchpoints {others}"
        plain = f"{SAID[row.measure]} at {shown} against the other touchpoints"
    more = [{"goes_on": "share of touches that go on"}.get(m) or SAID[m] for m in MEASURES if m in also]
    side = {"weak": "below", "strong": "above"}.get(row.certain, "")
    too = f" It lies {side} them for certain by {_listed(more)} too." if side and more else ""
    action = {"weak": f"Find out what stops customers at {shown}, mend it, and measure again.",
              "strong": f"See what {shown} does well, and keep it so."}.get(row.certain, "")  # fmt: skip
    ends = (float(row.difference), float(row.low), float(row.high))
    return Finding(
        id=f"journey.touchpoint.{name}",
        claim=f"{said}: a difference of {{value}} {points} ({{interval}}).{too}",
        estimate=Estimate(*ends, int(row.n), "points", float(row.level), row.method),
        label=plain,
        target=0.0,
        target_source=f"the client's other touchpoints ({family} comparisons hold together, Holm)",
        evidence=("touchpoint_performance",),
        action=action,
    )


def _in_trade(number: float, row: object) -> str:
    """A level in the words of the trade: of a share so many in 100, of a score its own points."""
    if row.unit == "share":
        return format_value(number, "share").removesuffix(" %")
    return _plain(number, 0 if row.measure == "nps" else 1)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
