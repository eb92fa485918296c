"""What is looked for and not offered: what finds nothing, ranked by the orders that it might have brought."""

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit import queries, search
from cxkit.estimates import Estimate, holm_levels, wilson_ends
from cxkit.findings import Finding
from cxkit.group_table import nothing_to_show
from cxkit.privacy import LEAST_SHOWN
from cxkit.query_heads import near
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF = 0.5
YEAR = 365.25
MISSING, MISSPELT, OFFERED, EARLY = "missing", "a misspelling of what is found", "found", "too early to say"
SHOWN, TOLD = 10, 3  # in the picture; as findings, the rest stands in the table
COLUMNS = (
    "name", "of", "reading", "value", "low", "high", "n", "visitors", "level", "method", "family", "sessions",
    "sessions_a_year", "conversion", "found_conversion", "orders_a_year", "orders_low", "orders_high", "orders_level",
    "orders_method", "meant",
)  # fmt: skip
METHOD = "Wilson on the effective count; visitors are the units; all hold together (Holm)"
ORDERS_METHOD = "visits a year (Poisson) times the difference of two shares, linearised"


def missing_goods(log: Table, groups: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Which departments and needs are not offered for certain, and what they might bring.

    From: `queries.search_log`; `query_groups.group_queries`. To, departments and, in those that are not missing as a
    whole, needs: name, of (department or need), reading (missing: more than half of the searches find nothing, for
    certain; a misspelling of what is found; found: less than half, for certain; too early to say), value (the share of
    searches that find nothing) with low, high, n (searches), visitors, level, method, family (how many shares are
    judged together); sessions (visits that looked for it), sessions_a_year, conversion (share of them with an order),
    and where it is missing: found_conversion (the share of all visits in which a search found something),
    orders_a_year (visits a year times how much larger that share is) with its ends, level, method; meant (the right
    wording of a misspelling).
    Missing goods come first, by orders a year, then by visits.
    A misspelling: its thing is one letter from another thing, of as many visitors at least, whose searches do find.
    All shares are one family (Holm). orders_a_year is what such visits would bring more, if they ended as others do: an
    upper bound of thumb, since who looks for one thing may be another customer than who looks for the other.
    What is left out: groups whose words fewer than five visitors used, or whose results are not known.
    Source: the question is S4's (queries as opportunities for new goods); those of the intervals at `search.shares`.
    """
    parts = []
    for by in ("department", "need"):
        named = queries.with_names(log, groups, column=by)
        sums = queries.outcome_sums(named, by=by)
        found = search.shares(sums, level=level)
        demand = queries.demand_sums(named, by=by, among=log).set_index(by)
        nothing = found[found["measure"] == "nothing_found"].set_index(by)
        after = found[found["measure"] == "order_after"].set_index(by).reindex(nothing.index)
        sums = sums[sums["measure"] == "nothing_found"].set_index(by)
        parts.append(
            nothing.assign(
                of=by, effective=_effective(sums), sessions=demand["sessions"], conversion=after["value"],
                conversion_low=after["low"], conversion_high=after["high"],
            ).rename_axis("name").reset_index()
        )  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    frame = frame[(frame["visitors"] >= LEAST_SHOWN) & frame["low"].notna()].reset_index(drop=True)
    return _ranked(_lost(_judged(_without_repeats(frame, groups), groups, level), log, level), groups)


def _effective(sums: pd.DataFrame) -> pd.Series:
    """As `search.shares` counts: how many independent searches say as much."""
    value = sums["part"] / sums["whole"]
    squares = sums["part_sq"] - 2 * value * sums["cross"] + value**2 * sums["whole_sq"]
    variance = squares.clip(lower=0) * sums["units"] / (sums["units"] - 1).clip(lower=1) / sums["whole"] ** 2
    least = sums["whole"] ** 2 / sums["whole_sq"]
    own = (value * (1 - value) / variance.where(variance > 0)).fillna(least)
    return own.clip(least, sums["whole"])


def _without_repeats(frame: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Without needs that are their whole department: the same searches would be judged twice."""
    named = groups.dropna(subset=["department", "need"])
    single = named.groupby("department")["need"].nunique()
    whole = named[named["department"].map(single) == 1].drop_duplicates("need")
    return frame[~((frame["of"] == "need") & frame["name"].isin(whole["need"]))].reset_index(drop=True)


def _judged(frame: pd.DataFrame, groups: pd.DataFrame, level: float) -> pd.DataFrame:
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        # the score test that Wilson's interval turns round
        z = (frame["value"] - HALF) / np.sqrt(HALF * HALF / frame["effective"])
    p = 2 * ndtr(-z.abs().to_numpy(float))
    levels = holm_levels(p, level=level)
    low, high = wilson_ends(frame["value"] * frame["effective"], frame["effective"], level=levels)
    frame = frame.assign(low=low, high=high, level=levels, family=len(frame), method=METHOD)
    frame["reading"] = np.select([frame["low"] > HALF, frame["high"] < HALF], [MISSING, OFFERED], EARLY)
    frame["meant"] = _meant(frame, groups)
    frame["reading"] = frame["reading"].mask(frame["meant"].notna(), MISSPELT)
    return frame


def _meant(frame: pd.DataFrame, groups: pd.DataFrame) -> pd.Series:
    """The name of what was meant, where a group that finds nothing is a misspelling; missing elsewhere."""
    ranked = groups.sort_values(["visitors", "query"], ascending=[False, True])
    heads = {of: ranked.dropna(subset=[of]).drop_duplicates(of).set_index(of)["head"] for of in ("department", "need")}
    things = [heads[of][name] for of, name in zip(frame["of"], frame["name"], strict=True)]
    right: dict[str, list[tuple]] = {}  # first letter -> what is found, the most wanted first
    for row, thing in sorted(zip(frame.itertuples(), things, strict=True), key=lambda p: (-p[0].visitors, p[0].name)):
        if row.value < HALF:
            right.setdefault(thing[:1], []).append((row.visitors, thing, row.name))
    meant = []
    for row, thing in zip(frame.itertuples(), things, strict=True):
        near_by = right.get(thing[:1], ()) if row.reading == MISSING else ()
        meant.append(next((name for n, other, name in near_by if n >= row.visitors and near(thing, other)), None))
    return pd.Series(meant, index=frame.index, dtype=object)


def _lost(frame: pd.DataFrame, log: Table, level: float) -> pd.DataFrame:
    """With visits and orders a year."""
    from scipy.special import ndtri

    days = queries.period(log)
    length = (days[1] - days[0]).days + 1 if days else 0
    scale = YEAR / length if length else np.nan
    whole = search.shares(queries.outcome_sums(log, by="outcome"), level=level)
    found = whole[(whole["measure"] == "order_after") & (whole["outcome"] == queries.FOUND)]
    base = found.iloc[0] if len(found) else pd.Series({"value": np.nan, "low": np.nan, "high": np.nan})
    z = ndtri((1 + level) / 2)
    gap = base["value"] - frame["conversion"]
    error = np.hypot(base["high"] - base["low"], frame["conversion_high"] - frame["conversion_low"]) / (2 * z)
    missing = frame["reading"] == MISSING
    orders = scale * frame["sessions"] * gap
    half = z * scale * np.sqrt((frame["sessions"] * error) ** 2 + gap**2 * frame["sessions"])
    return frame.assign(
        sessions_a_year=scale * frame["sessions"], found_conversion=np.where(missing, base["value"], np.nan),
        orders_a_year=orders.where(missing), orders_low=(orders - half).where(missing),
        orders_high=(orders + half).where(missing), orders_level=level, orders_method=ORDERS_METHOD,
    )  # fmt: skip


def _ranked(frame: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Missing goods first; a need of a department that is missing as a whole stands in it and is left out."""
    gone = frame.loc[(frame["of"] == "department") & (frame["reading"] == MISSING), "name"]
    inside = groups.loc[groups["department"].isin(gone), "need"].dropna()
    frame = frame[~((frame["of"] == "need") & frame["name"].isin(inside))]
    rank = frame["reading"].map({MISSING: 0, MISSPELT: 1, EARLY: 2, OFFERED: 3})
    frame = frame.assign(rank=rank)
    keys, up = ["rank", "orders_a_year", "sessions", "name", "of"], [True, False, False, True, True]
    return frame.sort_values(keys, ascending=up, ignore_index=True, na_position="last")[list(COLUMNS)]


def in_words(missing: pd.DataFrame) -> list[str]:
    """What is missing for certain, at most three, and how the rest reads. From: `missing_goods`."""
    if not len(missing):
        return ["Whether goods are missing cannot be told: no need has enough searches whose results are known."]
    certain = _most_wanted(missing)
    if not len(certain):
        return ["Of nothing that customers look for is it certain that it is not offered."]
    told = [
        f"{clean_text(row.name)} ({_visits(row.sessions)}, {format_value(row.value, 'share')} of searches find nothing)"
        for row in certain.head(TOLD).itertuples(index=False)
    ]
    if len(certain) > 3:
        sentences = [f"Looked for and not offered, for certain: {len(certain):,} things, above all {'; '.join(told)}."]
    else:
        sentences = [f"Looked for and not offered, for certain: {'; '.join(told)}."]
    first = certain.iloc[0]
    if np.isfinite(first["orders_low"]):
        sentences.append(f"{_if_found(clean_text(first['name']), first)}.")
    return sentences


def _visits(number: int) -> str:
    return f"{number:,} visit{'' if number == 1 else 's'}"


def _if_found(name: str, row: pd.Series) -> str:
    orders, low, high = (round(row[name]) for name in ("orders_a_year", "orders_low", "orders_high"))
    if low <= 0:
        most = f": at most {format_value(high, 'count')} order{'' if high == 1 else 's'} a year" if high > 0 else ""
        return f"Whether offering {name} would bring orders cannot be told{most}"
    one = "order" if orders == 1 else "orders"
    return (
        f"If visits that look for {name} ended with an order as often as visits in which something is found, there "
        f"would be {format_value(orders, 'count')} {one} a year more ({format_ends(low, high, 'count')})"
    )


def _most_wanted(missing: pd.DataFrame) -> pd.DataFrame:
    """What is missing for certain, the most visits first."""
    certain = missing[missing["reading"] == MISSING]
    return certain.sort_values(["sessions", "name"], ascending=[False, True])


def missing_findings(missing: pd.DataFrame) -> list[Finding]:
    """search.missing.NAME: the three most wanted things that are not offered, for certain. From: `missing_goods`.

    The estimate is the share of the searches for it that find nothing, judged against a half; the claim tells the
    visits, and the orders a year that they might bring.
    """
    found: dict[str, Finding] = {}
    for _, row in _most_wanted(missing).head(TOLD).iterrows():
        name = clean_text(row["name"])
        key = re.sub(r"\W+", "_", name.casefold()).strip("_")
        more = f" {_if_found('it', row)}." if np.isfinite(row["orders_low"]) else ""
        visits = _visits(row["sessions"])
        claim = f"{_braces(name)}: {{value}} of the searches for it find nothing ({{interval}}; {visits}).{more}"
        ends = (float(row[end]) for end in ("value", "low", "high"))
        estimate = Estimate(*ends, int(row["n"]), "share", float(row["level"]), row["method"])
        source = f"half of the searches ({row['family']} shares are judged together, Holm)"
        made = Finding(
            id=f"search.missing.{key}",
            claim=claim,
            estimate=estimate,
            label=f"Looked for and not found: {name}",
            target=HALF,
            target_source=source,
            higher_is_better=False,
            evidence=("missing_goods",),
            action="Decide whether to offer it; until then say on its results page what there is instead.",
        )
        found.setdefault(key, made)
    return list(found.values())


def _braces(name: str) -> str:
    """A customer's own word in a claim: its braces are no places."""
    return name.replace("{", "{{").replace("}", "}}")


def plot_missing(missing: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Missing goods as points of the share that finds nothing, with intervals, and the visits beside them."""
    import matplotlib.pyplot as plt

    rows = missing[missing["reading"] == MISSING].head(SHOWN)
    ax = plt.subplots(figsize=(7.2, 0.46 * max(len(rows), 1) + 1.5))[1] if ax is None else ax
    if not len(rows):
        nothing_to_show(ax)
        return ax
    place = np.arange(len(rows))
    ax.axvline(HALF, color=GREY, linewidth=0.8, linestyle="--")
    ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=1.4)
    ax.plot(rows["value"], place, "o", color="C0", markersize=7)
    for y, row in zip(place, rows.itertuples(), strict=True):
        text = _visits(row.sessions)
        if np.isfinite(row.orders_low):
            text += f"\n{_orders(row)} orders a year"
        ax.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=9, linespacing=1.1)
    ax.set_yticks(place, [folded_text(name, width=28) for name in rows["name"]])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 1.02))
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel="Searches that find nothing, with the interval", title="Looked for and not offered")
    return ax


def describe_missing(missing: pd.DataFrame) -> str:
    """What `plot_missing` shows."""
    rows = missing[missing["reading"] == MISSING] if len(missing) else missing
    if not len(rows):
        return "Nothing is certain to be missing."
    told = [f"{clean_text(r.name)} {format_value(r.value, 'share')}" for r in rows.head(SHOWN).itertuples(index=False)]
    return f"Points of the share of searches that find nothing, with intervals: {'; '.join(told)}."


def shown(missing: pd.DataFrame) -> pd.DataFrame:
    """What is missing for certain, with orders_between (the interval in words). From: `missing_goods`.

    Orders that would be below nought are shown as nought.
    """
    rows = missing[missing["reading"] == MISSING].reset_index(drop=True)
    cut = {name: rows[name].clip(lower=0).round() for name in ("orders_a_year", "orders_low", "orders_high")}
    between = [_orders(row) for row in rows.itertuples()]
    return rows.assign(**cut, orders_between=pd.Series(between, index=rows.index, dtype=object))


def _orders(row: tuple) -> str:
    """The interval of the orders a year, whole and from nought."""
    if not np.isfinite(row.orders_low):
        return "not known"
    return format_ends(max(round(row.orders_low), 0), max(round(row.orders_high), 0), "count")
