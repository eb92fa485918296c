"""What do most of them name: values as a reader meets them, rare ones together, and each one's share."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import collect
from cxkit.estimates import cluster_error, wilson_ends
from cxkit.group_table import nothing_to_show
from cxkit.privacy import LEAST_SHOWN
from cxkit.stages import name_key
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOT_GIVEN, OTHERS = "not given", "all others together"
MOST = 12  # values under a name of their own
FIRST = 3  # of them named in a sentence
LONGEST = 80  # letters of a name
METHOD = "Wilson with effective counts; customers are the units"
PARETO = ("name", "count", "customers", "value", "low", "high", "n", "level", "method", "cumulative")


def with_names(table: ibis.Table, column: str, *, name: str = "name", most: int = MOST) -> ibis.Table:
    """A table with a column `name`: what stands in `column`, cleaned; spellings apart in case or blanks are one.

    Nothing said is "not given". The `most` commonest keep their names; others, and those of fewer than five people,
    are "all others together" (and the least common of the rest with them while these are fewer than five people): where
    that name stands, something was said. A customer counts once; a row without one is somebody of his own.
    """
    raw = table[column].cast("string").fill_null("")
    has_customer = "customer_id" in table.columns
    counted = table.select(raw=raw, who=table.customer_id if has_customer else ibis.null("string"))
    people = counted.who.nunique() + counted.who.isnull().sum()
    counted = counted.group_by("raw").aggregate(rows=counted.count(), people=people)
    found = collect(counted, order_by="raw")
    found["text"] = [clean_text(text) for text in found["raw"]]
    found["key"] = [name_key(text) for text in found["text"]]
    found = found.sort_values(["rows", "raw"], ascending=[False, True], kind="stable")
    label = found.drop_duplicates("key").set_index("key")["text"]
    found["label"] = [label[key][:LONGEST].rstrip() if key else NOT_GIVEN for key in found["key"]]
    sizes = found[["label", "rows", "people"]].rename(columns={"label": name})
    if not found["label"].is_unique:  # who writes it in two ways is one
        named = _joined(table.mutate(_raw=raw), found, name)
        people = named.customer_id.nunique() + named.customer_id.isnull().sum() if has_customer else named.count()
        sizes = collect(named.group_by(name).aggregate(rows=named.count(), people=people), order_by=name)
    sizes = sizes.sort_values(["rows", name], ascending=[False, True], kind="stable", ignore_index=True)
    said = sizes[name] != NOT_GIVEN
    own = sizes[(sizes["people"] >= LEAST_SHOWN) & (~said | (said.cumsum() <= most))]
    while len(own) and 0 < sizes["people"].sum() - own["people"].sum() < LEAST_SHOWN:
        own = own[:-1]
    kept = set(own[name]) if said.any() else {NOT_GIVEN}
    found["label"] = [text if text in kept else OTHERS for text in found["label"]]
    return _joined(table.mutate(_raw=raw), found, name).cache()  # asked several times: computed once


def _joined(table: ibis.Table, found: pd.DataFrame, name: str) -> ibis.Table:
    words = found[["raw", "label"]].rename(columns={"raw": "_its", "label": name}).sort_values("_its")
    listed = ibis.memtable(words.reset_index(drop=True), schema={"_its": "string", name: "string"})
    bare = table.drop(name) if name in table.columns else table
    return bare.left_join(listed, bare["_raw"] == listed["_its"]).drop("_its", "_raw")


def pareto(named: ibis.Table, *, level: float = 0.95) -> pd.DataFrame:
    """The share of each name in all rows, the largest first.

    From: `with_names`. To: name, count (rows), customers, value (share of all rows), low, high, n (all rows), level,
    method, cumulative (share of this and all before it); what is not given, and all others together, stand last.
    A customer with several rows is one unit of the error. Source: Korn & Graubard (1998), Survey Methodology 24(2),
    193-201 (effective counts); Cochran (1977), ch. 6.
    """
    nameless = ibis.literal("row ") + ibis.row_number().cast("string")
    who = named.customer_id.fill_null(nameless) if "customer_id" in named.columns else nameless
    rows = named.select("name", who=who)
    cells = rows.group_by("name", "who").aggregate(part=rows.count())
    own = ibis.window(group_by="who")
    cells = cells.mutate(
        whole=cells.part.sum().over(own), is_first=(cells.name == cells.name.min().over(own)).ifelse(1, 0)
    )
    sums = cells.group_by("name").aggregate(
        count=cells.part.sum(),
        customers=cells.count(),
        part_sq=(cells.part * cells.part).sum(),
        cross=(cells.part * cells.whole).sum(),
        first_here=cells.is_first.sum(),
    )
    frame = collect(sums, order_by="name")
    whole, units = float(frame["count"].sum()), float(frame["first_here"].sum())
    count = frame["count"].to_numpy(dtype=float)
    squares = float(frame["cross"].sum())  # over the names this is whole * whole
    with np.errstate(divide="ignore", invalid="ignore"):
        share = count / whole
        error = cluster_error(frame["part_sq"], frame["cross"], squares, whole, share, units)
        effective = np.where(error > 0, share * (1 - share) / error**2, units)
    effective = np.fmin(effective, whole)
    low, high = wilson_ends(share * effective, effective, level=level)
    frame = frame.assign(
        value=share, low=low, high=high, n=int(whole), level=level, method=METHOD,
        rank=frame["name"].map({NOT_GIVEN: 1, OTHERS: 2}).fillna(0),
    )  # fmt: skip
    frame = frame.sort_values(["rank", "count", "name"], ascending=[True, False, True], kind="stable")
    frame = frame.astype({"count": "int64", "customers": "int64"}).reset_index(drop=True)
    return frame.assign(cumulative=frame["value"].cumsum())[list(PARETO)]


def plot_pareto(frame: pd.DataFrame, *, title: str, of: str, ax: "Axes | None" = None) -> "Axes":
    """`pareto` as bars with intervals, the largest above; what is not given and all others together in grey."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(frame), 1) + 1.3))[1] if ax is None else ax
    if not len(frame):
        nothing_to_show(ax)
        return ax
    place = np.arange(len(frame))
    aside = frame["name"].isin([NOT_GIVEN, OTHERS]).to_numpy()
    for rows, colour in ((~aside, "C0"), (aside, GREY)):
        ax.barh(place[rows], frame.loc[rows, "value"], 0.6, color=colour)
    ax.hlines(place, frame["low"], frame["high"], color="white", linewidth=3.4)
    ax.hlines(place, frame["low"], frame["high"], color=INK, linewidth=1.4)
    for y, row in enumerate(frame.itertuples()):
        ax.annotate(format_value(row.value, "share"), (row.high, y), (6, 0), textcoords="offset points", va="center",
                    fontsize=9)  # fmt: skip
    ax.set_yticks(place, [folded_text(name) for name in frame["name"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.margins(x=0.14)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel=f"Share of {plain_text(of)}", title=title)
    return ax


def why_nameless(names: Collection[str]) -> str:
    """Why nothing has a name of its own where all that is left is not given, or all others together."""
    if OTHERS in set(names):
        return "each is of too few customers to be shown"
    return "none is given" if len(names) else "there is nothing to count yet"


def first_names(frame: pd.DataFrame) -> str:
    """`out of stock 41 % (37–45 %), payment failed 22 % (19–26 %)`: the first three of `pareto`, or an empty text."""
    named = frame[~frame["name"].isin([NOT_GIVEN, OTHERS])].head(FIRST)
    return ", ".join(
        f"{row.name} {format_value(row.value, 'share')} ({format_ends(row.low, row.high, 'share')})"
        for row in named.itertuples(index=False)
    )


def describe_pareto(frame: pd.DataFrame, *, of: str) -> str:
    """What `plot_pareto` shows, for those who cannot see it."""
    told = first_names(frame)
    none = f"No reason can be named: {why_nameless(frame['name'])}."
    return f"Bars of the share of {of} by reason. {f'The commonest: {told}.' if told else none}"
