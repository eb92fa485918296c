"""A menu from what customers look for, in their own words; and the synonyms that the search lacks."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit import queries, search
from cxkit.estimates import wilson_ends
from cxkit.group_table import nothing_to_show
from cxkit.languages import NAMES as LANGUAGE_NAMES
from cxkit.privacy import LEAST_SHOWN
from cxkit.query_heads import read_query, spoken, words_of
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value
from cxkit.words import normal_text, stem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LITTLE = 0.5  # of the searches find nothing: then a wording is taken to find little
SHOWN = 12  # needs or departments in a picture
THIRD = 1 / 3  # of a group's visitors: then it is in their language too
LEAST_LANGUAGE = 0.1  # of the words of the catalogue: then it speaks a language
CATEGORY, PRODUCT, NO_NAME = "a category of that name", "products of that name", "nothing of that name"
MISTAKES = ("a letter left out", "a letter too many", "another letter", "letters swapped", "blanks")
NOT_ASSESSABLE = "not assessable: in another language, or one that is not told"
MENU = (
    "department", "need", "language", "wordings", "searches", "sessions", "visitors", "value", "low", "high", "n",
    "conversion", "conversion_low", "conversion_high", "nothing", "nothing_low", "nothing_high", "level", "method",
)  # fmt: skip


def menu(log: Table, groups: pd.DataFrame, *, by: str = "need", level: float = 0.95) -> pd.DataFrame:
    """What to put into the navigation: each need (or department) with its demand and what comes of it.

    From: `queries.search_log`; `query_groups.group_queries`. To, the most wanted first: department, need (only where
    `by` is need), language (of a third of its visitors at least, the commonest first), wordings, searches, sessions
    (visits that looked for it), visitors, value (their share of all visits with a search) with low, high, n (all such
    visits); conversion (share of those visits with an order) and nothing (share of those searches that find nothing),
    each with its ends; level, method.
    What is left out: groups of which no wording has five visitors.
    What it cannot show: what customers want and never search for; they see what the menu offers.
    Source: the question is S4's (cluster the queries, and build the navigation from them).
    """
    listed = groups[["query", by, "language", "visitors"]].dropna(subset=by)
    named = queries.with_names(log, listed, column=by)
    demand = queries.demand_sums(named, by=by, among=log)
    share = search.shares(demand, level=level).set_index(by)
    found = search.shares(queries.outcome_sums(named, by=by), level=level)
    parts = {m: found[found["measure"] == m].set_index(by) for m in ("order_after", "nothing_found")}
    frame = share.join(demand.set_index(by)[["searches", "sessions"]])
    frame["wordings"] = listed.groupby(by)["query"].nunique()
    frame["language"] = _spoken_by(listed, by).reindex(frame.index).fillna("not known")
    for name, measure in (("conversion", "order_after"), ("nothing", "nothing_found")):
        part = parts[measure].reindex(frame.index)
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = part["value"], part["low"], part["high"]
    frame = frame.rename_axis(by).reset_index()
    if by == "need":
        above = (
            groups.dropna(subset=["need"]).sort_values("query").drop_duplicates("need").set_index("need")["department"]
        )
        frame["department"] = frame["need"].map(above)
    frame = frame[frame["visitors"] >= LEAST_SHOWN]
    frame = frame.sort_values(["sessions", by], ascending=[False, True], ignore_index=True)
    return frame[[c for c in MENU if c in frame]].astype({by: object})


def _spoken_by(listed: pd.DataFrame, by: str) -> pd.Series:
    """The names of each group's languages, by the visitors of its wordings."""
    sums = listed[listed["language"] != ""].groupby([by, "language"], sort=True)["visitors"].sum().reset_index()
    sums = sums[sums["visitors"] >= THIRD * sums.groupby(by)["visitors"].transform("sum")]
    sums = sums.sort_values([by, "visitors", "language"], ascending=[True, False, True])
    return sums.assign(name=sums["language"].map(LANGUAGE_NAMES)).groupby(by)["name"].agg(", ".join)


def two_levels(needs: pd.DataFrame, departments: pd.DataFrame, *, most: int = 5) -> pd.DataFrame:
    """The proposed menu: each department, the most wanted first, with its most wanted needs.

    From: `menu` by need and by department. To: the departments with needs (at most `most`, the most wanted first, and
    how many more there are).
    """
    rows = []
    for name in departments["department"]:
        below = list(needs.loc[needs["department"] == name, "need"])
        more = f"; … and {len(below) - most} more" if len(below) > most else ""
        rows.append("; ".join(clean_text(n) for n in below[:most]) + more)
    return departments.assign(needs=pd.Series(rows, index=departments.index, dtype=object))


def in_catalogue(needs: pd.DataFrame, groups: pd.DataFrame, offered: pd.DataFrame) -> pd.DataFrame:
    """Whether the catalogue has a category, or at least products, by the name of what is looked for.

    From: `menu` by need; `query_groups.group_queries`; `queries.offered`. To: the needs with catalogue: a category of
    that name, products of that name, nothing of that name, or not assessable (it is not there, and the catalogue has
    hardly a word in the need's language, or that is not known, so that a name that is missing says nothing).
    How: the stem of the thing looked for stands among the stems of the catalogue's names.
    """
    names = list(offered["name"])
    words = words_of(names)
    spoken_there = spoken(words, [1] * len(names), texts=names) if names else {}
    weight = pd.Series([spoken_there.get(w) for row in words for w in row], dtype=object).value_counts(normalize=True)
    languages = set(weight.index[weight >= LEAST_LANGUAGE])
    stems: dict[str, set[str]] = {CATEGORY: set(), PRODUCT: set()}
    for kind, row in zip(offered["kind"], words, strict=True):
        own = [stem(w, spoken_there.get(w, "")) for w in row]
        if kind == "category":
            stems[CATEGORY] |= set(own)
        else:  # of a product's name only what it is
            stems[PRODUCT].add(read_query(row, stems=dict(zip(row, own, strict=True)), languages=spoken_there).head)
    of = (
        groups.dropna(subset=["need"])
        .sort_values(["visitors", "query"], ascending=[False, True])
        .drop_duplicates("need")
    )
    of = of.set_index("need")[["head", "language"]]
    rows = []
    for name in needs["need"]:
        head, language = of.loc[name]
        there = next((kind for kind in (CATEGORY, PRODUCT) if head in stems[kind]), None)
        rows.append(there or (NO_NAME if language in languages else NOT_ASSESSABLE))
    return needs.assign(catalogue=pd.Series(rows, index=needs.index, dtype=object))


def synonyms_to_add(
    words: pd.DataFrame, counts: pd.DataFrame, steps: pd.DataFrame, *, level: float = 0.95
) -> pd.DataFrame:
    """Wordings that find little, and the wording with which the same visits then found something.

    From: `query_groups.wordings`; `queries.query_counts`; `queries.next_wordings`. To, the most visits first: wording,
    find_instead, sessions (visits that went from the one to the other and found something), value (share of the first
    wording's searches that find nothing) with low, high, n, level, method.
    What is left out: wordings that find something in half of their searches or more, pairs of under five visits,
    wordings of under five visitors.
    What it cannot show: whether both mean the same; a visit may go on to something else. Read before adding.
    """
    key = words.set_index("query")["key"]
    table = counts.set_index("query")
    pairs = steps[steps["found_next"] >= LEAST_SHOWN]
    pairs = pairs[pairs["query"].map(key).to_numpy() != pairs["next_query"].map(key).to_numpy()]
    first = table.reindex(pairs["query"])
    known, nothing = first["known"].to_numpy(float), first["nothing"].to_numpy(float)
    low, high = wilson_ends(nothing, known, level=level)
    enough = (first["visitors"].to_numpy() >= LEAST_SHOWN) & (
        table["visitors"].reindex(pairs["next_query"]).to_numpy() >= LEAST_SHOWN
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        frame = pairs.assign(
            value=nothing / known, low=low, high=high, n=known.astype("int64") if len(known) else 0, level=level,
            method="Wilson",
        )  # fmt: skip
    frame = frame[(frame["value"] > LITTLE).to_numpy() & enough]
    frame = frame.drop(columns="sessions").rename(
        columns={"query": "wording", "next_query": "find_instead", "found_next": "sessions"}
    )
    frame = frame.sort_values(["sessions", "wording", "find_instead"], ascending=[False, True, True], ignore_index=True)
    return frame[["wording", "find_instead", "sessions", "value", "low", "high", "n", "level", "method"]]


def misspelt(words: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Misspellings that find nothing though the right wording finds: right, wordings, searches, nothing, visitors.

    From: `query_groups.wordings`; `queries.query_counts`. To, one row a right wording, the most searches lost first:
    right, wordings (how many misspelt ones), searches (of them), nothing (of these without results), visitors, missed
    (those of at least five visitors by name; of the rarer ones, how they differ). Wordings with blanks elsewhere
    count too.
    What is left out: right wordings with under five visitors of their misspellings.
    """
    table = counts.set_index("query")
    of = words.assign(known=words["query"].map(table["known"]), nothing=words["query"].map(table["nothing"]))
    finds = (table["nothing"] < LITTLE * table["known"]).reindex(of["label"]).to_numpy()
    wrong = of[of["kind"].isin(["misspelt", "blanks"]) & finds & (of["nothing"] > LITTLE * of["known"])]
    rows = []
    for right, group in wrong.groupby("label", sort=True):
        shown = group[group["visitors"] >= LEAST_SHOWN].sort_values(["visitors", "query"], ascending=[False, True])
        rare = group.loc[group["visitors"] < LEAST_SHOWN, "query"]
        kinds = Counter(_mistake(text, right) for text in rare)
        why = [f"{kind} ({kinds[kind]:,})" if kinds[kind] > 1 else kind for kind in MISTAKES if kinds[kind]]
        told = "; ".join([*shown["query"], *([f"{'rarer: ' if len(shown) else ''}{', '.join(why)}"] if why else [])])
        numbers = (int(group[c].sum()) for c in ("known", "nothing", "visitors"))
        rows.append((right, len(group), *numbers, told))
    frame = pd.DataFrame(rows, columns=["right", "wordings", "searches", "nothing", "visitors", "missed"])
    frame = frame[frame["visitors"] >= LEAST_SHOWN]
    return frame.sort_values(["nothing", "right"], ascending=[False, True], ignore_index=True)


def _mistake(text: str, right: str) -> str:
    """How a misspelt wording differs from the right one: one of `MISTAKES`."""
    wrong, meant = (normal_text(t).replace(" ", "") for t in (text, right))
    if wrong == meant:
        return MISTAKES[4]
    if len(wrong) != len(meant):
        return MISTAKES[0] if len(wrong) < len(meant) else MISTAKES[1]
    return MISTAKES[3] if sorted(wrong) == sorted(meant) else MISTAKES[2]


def in_words(needs: pd.DataFrame, departments: pd.DataFrame) -> str:
    """What is looked for most. From: `menu` by need and by department."""
    if not len(needs):
        return "No wording was used by enough visitors to be told."
    told = [
        f"{clean_text(row.department)} ({format_value(row.value, 'share')} of visits, "
        f"{format_ends(row.low, row.high, 'share')})"
        for row in departments.head(3).itertuples()
    ]
    held = f"{_some(len(needs), 'need')} in {_some(len(departments), 'department')}"
    return f"Told apart: {held}. Most looked for: {', '.join(told)}."


def _some(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def synonyms_in_words(pairs: pd.DataFrame, wrong: pd.DataFrame) -> str:
    """What `synonyms_to_add` and `misspelt` found."""
    told = []
    if len(pairs):
        row = pairs.iloc[0]
        told.append(
            f"{_some(pairs['wording'].nunique(), 'wording finds', 'wordings find')} little though the same visits then "
            f"find by other words, most often {clean_text(row['find_instead'])} instead of "
            f"{clean_text(row['wording'])} ({_some(row['sessions'], 'visit')})."
        )
    if len(wrong):
        told.append(
            f"Of what at least five visitors misspelt, {_some(int(wrong['nothing'].sum()), 'search', 'searches')} "
            f"found nothing for a misspelling; written right, "
            f"{_some(len(wrong), 'wording finds', 'wordings find')} something."
        )
    return " ".join(told) or "No wording was found that would find under another name, and no misspelling of the kind."


def plot_menu(frame: pd.DataFrame, *, by: str = "department", ax: "Axes | None" = None) -> "Axes":
    """`menu` as points of demand with intervals, the most wanted first, and beside each what finds nothing.

    What finds nothing in more than half of its searches is drawn as a diamond in a colour of its own.
    """
    import matplotlib.pyplot as plt

    rows = frame.head(SHOWN)
    ax = plt.subplots(figsize=(7.2, 0.46 * max(len(rows), 1) + 1.4))[1] if ax is None else ax
    if not len(rows):
        nothing_to_show(ax)
        return ax
    place = np.arange(len(rows))
    lost = (rows["nothing"] > LITTLE).to_numpy()
    ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=1.4)
    ax.plot(rows["value"][~lost], place[~lost], "o", color="C0", markersize=7)
    ax.plot(rows["value"][lost], place[lost], "D", color="C2", markersize=7)
    for y, row in zip(place, rows.itertuples(), strict=True):
        gone = "" if not np.isfinite(row.nothing) else f", {format_value(row.nothing, 'share')} find nothing"
        end = row.high if np.isfinite(row.high) else row.value
        ax.annotate(f"{format_value(row.value, 'share')}{gone}", (end, y), (8, 0), textcoords="offset points",
                    va="center", fontsize=9, color=INK if row.nothing > LITTLE else GREY)  # fmt: skip
    ax.set_yticks(place, [folded_text(name, width=30) for name in rows[by]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, 1.7 * float(np.nanmax([rows["high"].max(), rows["value"].max()])))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= 1])
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    ax.set(xlabel="Share of visits with a search, with its interval", title="What customers look for")
    return ax


def describe_menu(frame: pd.DataFrame, *, by: str = "department") -> str:
    """What `plot_menu` shows."""
    if not len(frame):
        return "Nothing was looked for by enough visitors to be shown."
    rows = frame.head(SHOWN)
    told = "; ".join(f"{clean_text(r[by])} {format_value(r['value'], 'share')}" for _, r in rows.head(3).iterrows())
    lost = [clean_text(name) for name in rows.loc[rows["nothing"] > LITTLE, by]]
    end = f" Most of their searches find nothing: {'; '.join(lost)}." if lost else ""
    return f"Points of the share of visits, with intervals. Most looked for: {told}.{end}"


def catalogue_in_words(needs: pd.DataFrame) -> str:
    """How many of the needs bear a name of the catalogue. From: `in_catalogue`."""
    told = needs["catalogue"].value_counts()
    known = len(needs) - int(told.get(NOT_ASSESSABLE, 0))
    if not known:
        return "Whether the catalogue has the names cannot be told: it speaks another language, or is not known."
    parts = [f"{kind} for {int(told.get(kind, 0)):,}" for kind in (CATEGORY, PRODUCT, NO_NAME)]
    other = len(needs) - known
    rest = f" {other:,} {'is' if other == 1 else 'are'} in another language, or one that is not told." if other else ""
    return f"Of {_some(known, 'need')} in a language of the catalogue, the catalogue has {', '.join(parts)}.{rest}"


def without_name(needs: pd.DataFrame) -> pd.DataFrame:
    """Needs that mostly find something though nothing in the catalogue bears the name. From: `in_catalogue`."""
    rows = needs[(needs["catalogue"] == NO_NAME) & ~(needs["nothing"] > LITTLE)]
    return rows.reset_index(drop=True)
