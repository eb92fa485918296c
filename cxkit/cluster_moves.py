"""The same clusters at the next audit: which is which, and which customers went from group to group."""

import heapq
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.cluster_model import Model
from cxkit.errors import UsageError
from cxkit.estimates import wilson_ends
from cxkit.heatmap import draw_heat_map
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import clean_text, folded_text, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOT_YET, GONE = "Not yet a customer", "No longer in the data"
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers moved so, or it would tell how many of those there were"


# --- which cluster is which


def why_no_match(new: Model, old: Model) -> str:
    """Why the clusters of two models cannot be compared: their features differ. An empty text where they can be."""
    kinds = [{s.feature: (s.kind, s.of) for s in model.scales} for model in (new, old)]
    parts = [
        f"{where}: {', '.join(clean_text(name) for name in sorted(one.keys() - other.keys()))}"
        for where, one, other in (("only in the new", *kinds), ("only in the old", *kinds[::-1]))
        if one.keys() - other.keys()
    ]
    parts += [
        f"{clean_text(name)} is {' of '.join(filter(None, kinds[0][name]))} in the new and "
        f"{' of '.join(filter(None, kinds[1][name]))} in the old"
        for name in sorted(kinds[0].keys() & kinds[1].keys())
        if kinds[0][name] != kinds[1][name]
    ]
    return f"the models of {new.as_of} and {old.as_of} rest on different features; {'; '.join(parts)}" if parts else ""


def match(new: Model, old: Model) -> pd.DataFrame:
    """Which cluster of the new model is which of the old.

    From: two models on the same features. To, the pairs and the new ones without a partner in the new model's order,
    then the old ones without: new, old (names, or None), distance (between the two centres, in spreads of the new
    scales; of one alone: to the nearest of the other model), margin (below which they are a pair).
    How: each old centre is taken back to the features' own values and into the new scales, so that the same customers
    lie in the same place; of shares the shrunken values are compared. Two centres are a pair when they lie nearer to
    each other than half of the way from either to another one of its own model. No centre can be that near to two, so
    the pairs are also those of the optimal assignment within these margins. A cluster that fell in two equal parts, or
    two that grew together, is no pair: it is something else now.
    Raises UsageError where the features differ; it says which.
    """
    if why := why_no_match(new, old):
        raise UsageError(f"{why}. Choose the features of the old model, or let the clusters take new names.")
    ours = np.array(new.centres, dtype=float)
    place = {s.feature: i for i, s in enumerate(old.scales)}
    pairs = [(s, old.scales[place[s.feature]], place[s.feature]) for s in new.scales]
    theirs = np.array(old.centres, dtype=float)
    theirs = np.stack([(theirs[:, i] * o.spread + o.centre - n.centre) / n.spread for n, o, i in pairs], axis=1)
    apart = np.sqrt(np.square(ours[:, None] - theirs[None]).sum(axis=2)).round(9)
    margins = np.minimum(_half_way(ours)[:, None], _half_way(theirs)[None]).round(9)
    rows, taken = [], set()
    for i, name in enumerate(new.names):
        j = int(apart[i].argmin())
        is_pair = apart[i, j] < margins[i, j]
        taken |= {j} if is_pair else set()
        rows.append((name, old.names[j] if is_pair else None, apart[i, j], margins[i, j]))
    for j, name in enumerate(old.names):
        if j not in taken:
            i = int(apart[:, j].argmin())
            rows.append((None, name, apart[i, j], margins[i, j]))
    kinds = {"new": object, "old": object, "distance": float, "margin": float}
    # texts as objects, so that None stays None
    return pd.DataFrame({c: pd.Series([row[i] for row in rows], dtype=kinds[c]) for i, c in enumerate(kinds)})


def _half_way(centres: np.ndarray) -> np.ndarray:
    """Half the distance of each centre to the nearest other one; infinite where there is none."""
    apart = np.sqrt(np.square(centres[:, None] - centres[None]).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    return apart.min(axis=1) / 2


def carry_names(new: Model, old: Model) -> Model:
    """The new model with the old names where a cluster is the same one (`match`).

    A new cluster without a partner keeps its own name; where the old model has that name, or it stands twice, a number
    is added: a name never passes to other customers. Raises UsageError where the features differ.
    """
    partner = {row.new: row.old for row in match(new, old).itertuples() if row.new is not None and row.old is not None}
    used = {*old.names, *(name for name in new.names if name not in partner)}
    names = []
    for name in new.names:
        own, number = partner.get(name, name), 1
        while name not in partner and (own in old.names or (number > 1 and own in used)):
            number += 1
            own = f"{name} ({number})"
        used.add(own)
        names.append(own)
    return replace(new, names=tuple(names))


# --- who went from where to where


def moves(then: pd.DataFrame, now: pd.DataFrame, *, order: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """How many customers of each group then are in which group now.

    From: two frames customer_id, group; `order`: groups that come first, in this order (the others follow by name).
    To, one row for every two groups, those that nobody went between too: then, now, customers, share_of_then (of the
    group's customers then), low, high, n (the group's customers then), level, method. Who stands in one frame only was
    "Not yet a customer" then, or is "No longer in the data" now, so that nobody is lost.
    What is left out: the numbers of moves that one to four customers made, of groups of one to four, and of as many
    others as keep those from being worked out from the sums of the groups then and now; they are NaN. What it cannot
    show: why somebody moved. Give both dates' groups by one model, else a move may be the model's.
    Source: intervals: Wilson (1927), JASA 22(158), 209-212.
    Raises UsageError where a customer stands twice in a frame, or a group has no name.
    """
    _check(then, "then")
    _check(now, "now")
    both = then[["customer_id", "group"]].merge(
        now[["customer_id", "group"]], on="customer_id", how="outer", suffixes=("_then", "_now")
    )
    befores, afters = both["group_then"].fillna(NOT_YET), both["group_now"].fillna(GONE)
    rows, columns = (_in_order(set(names), order) for names in (befores, afters))
    counts = pd.crosstab(befores, afters).reindex(index=rows, columns=columns, fill_value=0).to_numpy(dtype=np.int64)
    possible = np.array([[(r, c) != (NOT_YET, GONE) for c in columns] for r in rows]).reshape(counts.shape)
    hidden, lines = _hidden(counts, possible)
    n = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)
    low, high = wilson_ends(counts, n, level=level)
    places = np.argwhere(possible)
    at = tuple(places.T)
    gone = hidden[at]
    frame = pd.DataFrame(
        {
            "then": pd.Series([rows[i] for i, _ in places], dtype=object),
            "now": pd.Series([columns[j] for _, j in places], dtype=object),
            "customers": counts[at],
            "share_of_then": counts[at] / n[at],
            "low": low[at],
            "high": high[at],
            "n": n[at],
            "level": level,
            "method": np.where(gone, WITHHELD, "Wilson").astype(object),
        }
    )
    if gone.any():
        numbers = ["customers", "share_of_then", "low", "high"]
        frame[numbers] = frame[numbers].astype(float).mask(pd.Series(gone), axis=0)
        frame["n"] = frame["n"].astype(float).mask(lines[places[:, 0]])
    return frame


def _check(groups: pd.DataFrame, when: str) -> None:
    if missing := [c for c in ("customer_id", "group") if c not in groups]:
        raise UsageError(f"the groups {when} lack {', '.join(missing)}; a row is a customer_id and a group.")
    if twice := int(groups["customer_id"].duplicated().sum()):
        raise UsageError(f"{twice} customers stand more than once in the groups {when}; one row a customer is valid.")
    if groups[["customer_id", "group"]].isna().any(axis=None):
        raise UsageError(f"a customer or a group {when} has no name; put who is in no group into one of its own.")
    if strange := {NOT_YET, GONE} & set(groups["group"]):
        raise UsageError(f"a group {when} is called {min(strange)!r}, which is told from the two dates; rename it.")


def _in_order(names: set[str], order: Sequence[str]) -> list[str]:
    first = [name for name in dict.fromkeys(order) if name in names]
    return first + sorted(names - set(first), key=lambda name: (name in (NOT_YET, GONE), name))


def _hidden(counts: np.ndarray, possible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which cells are withheld, and which rows' sums: whoever knows the sums of all groups cannot tell from the rest
    that a move was made by one to four customers.

    Small groups go first, with what hides them (`privacy.withhold_small`); they are one row and one column from then
    on. A small cell is safe when it might as well hold five: raise it, lower another of its row, raise one of that
    one's column, and so on round a ring, and no sum changes. The cheapest rings that do so are withheld with it.
    """
    if not counts.size:
        return counts.astype(bool), np.zeros(len(counts), dtype=bool)
    small = [_small(counts.sum(axis=1)), _small(counts.sum(axis=0))]
    parts = [np.where(s, s.argmax(), np.arange(len(s))) for s in small]  # small ones share the first one's place
    merged, free = np.zeros_like(counts), np.zeros(counts.shape, dtype=bool)
    np.add.at(merged, np.ix_(*parts), counts)
    np.logical_or.at(free, np.ix_(*parts), possible)
    hidden = small[0][:, None] | small[1][None]
    hidden &= free
    for i, j in np.argwhere((merged > 0) & (merged < LEAST_SHOWN)):
        hidden[i, j], might = True, merged.copy()
        while might[i, j] < LEAST_SHOWN:
            ring = _ring(might, free, hidden, i, j)
            if not ring:
                return np.ones_like(hidden), np.ones(len(counts), dtype=bool)
            by = min(LEAST_SHOWN - might[i, j], *(might[cell] for cell in ring[::2]))
            might[i, j] += by
            for place, cell in enumerate(ring):
                hidden[cell] = True
                might[cell] += by if place % 2 else -by
    return hidden[np.ix_(*parts)], small[0]


def _small(people: np.ndarray) -> np.ndarray:
    return (
        withhold_small(pd.DataFrame({"people": people}), count="people", least=LEAST_SHOWN)["people"].isna().to_numpy()
    )


def _ring(counts: np.ndarray, free: np.ndarray, hidden: np.ndarray, i: int, j: int) -> list[tuple[int, int]]:
    """The cells that with (i, j) make the cheapest ring, or none; those at even places would be lowered.

    Withheld cells cost nothing, others the customers in them. Source: Dijkstra (1959), Numerische Mathematik 1.
    """
    rows = len(counts)
    heap, done = [(0, i, ())], set()
    while heap:
        cost, node, path = heapq.heappop(heap)
        if node == rows + j:
            return list(path)
        if node in done:
            continue
        done.add(node)
        for other in range(counts.shape[1] if node < rows else rows):
            cell = (node, other) if node < rows else (other, node - rows)
            if cell == (i, j) or not free[cell] or (node < rows and counts[cell] < 1):
                continue
            price = 0 if hidden[cell] else int(counts[cell]) + 1
            heapq.heappush(heap, (cost + price, other + rows if node < rows else other, (*path, cell)))
    return []


def stayed(moves: pd.DataFrame) -> pd.DataFrame:
    """How many of each group's customers are in it still, no more told than in the moves themselves.

    From: `moves`. To: group, customers_then, stayed (share of them), low, high, n, level, method. Where the number of
    those who stayed is withheld, so it is here.
    """
    same = moves[(moves["then"] == moves["now"]) & (moves["then"] != NOT_YET)]
    renamed = same.rename(columns={"then": "group", "share_of_then": "stayed"}).assign(customers_then=same["n"])
    columns = ["group", "customers_then", "stayed", "low", "high", "n", "level", "method"]
    return renamed[columns].reset_index(drop=True)


def plot_moves(moves: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`moves` as a heat map: a row a group then with its customers, a column a group now, the share of the row.

    Where the columns are wide enough, the number of customers stands above the share; else the share stands alone, in
    percent. Hatched: withheld.
    """
    import matplotlib.pyplot as plt

    rows, columns = list(dict.fromkeys(moves["then"])), list(dict.fromkeys(moves["now"]))
    if ax is None:
        ax = plt.subplots(figsize=(7.2, 0.44 * max(len(rows), 3) + 2.5))[1]
    grid = {
        name: moves.pivot(index="then", columns="now", values=name).reindex(index=rows, columns=columns).to_numpy()
        for name in ("customers", "share_of_then")
    }
    hatched = np.zeros((len(rows), len(columns)), dtype=bool)
    for row in moves[moves["method"] == WITHHELD].itertuples():
        hatched[rows.index(row.then), columns.index(row.now)] = True
    wide = len(columns) <= 8
    texts = [
        [_cell(number, share, wide=wide) for number, share in zip(numbers, shares, strict=True)]
        for numbers, shares in zip(grid["customers"], grid["share_of_then"], strict=True)
    ]
    known = moves.dropna(subset=["n"]).groupby("then")["n"].first()
    names = [f"{folded_text(r)}\n{known[r]:,.0f} customers" if r in known else folded_text(r)
             for r in rows]  # fmt: skip
    draw_heat_map(
        ax, grid["share_of_then"], texts, rows=names, columns=[folded_text(c) for c in columns],
        hatched=hatched, top=1.0,
    )  # fmt: skip
    if columns:
        ax.set_xticks(range(len(columns)), ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    now = "Group now" if wide else "Group now; numbers: % of the row"
    now += "; hatched: withheld" if hatched.any() else ""
    ax.set(xlabel=now, ylabel="Group then", title="Where the customers of each group went")
    return ax


def _cell(customers: float, share: float, *, wide: bool) -> str:
    if not customers > 0:
        return "–" if customers == 0 else ""
    text = format_value(share, "share")
    return f"{customers:,.0f}\n{text}" if wide else text.removesuffix(" %")


def describe_moves(moves: pd.DataFrame) -> str:
    """What `plot_moves` shows, for those who cannot see it."""
    if moves.empty:
        return "No customer stands in either date's groups, so there are no moves to show."
    return f"Heat map of the share of each group's customers by the group they are in now. {in_words(moves)}"


def in_words(moves: pd.DataFrame, *, most: int = 3) -> str:
    """How many stayed in each group, and the `most` greatest moves to another one, in sentences."""
    known = moves[moves["customers"] > 0]
    inside = known[~known["then"].isin([NOT_YET]) & ~known["now"].isin([GONE])]
    stayed = inside[inside["then"] == inside["now"]].sort_values("share_of_then", ascending=False, kind="stable")
    parts = []
    if len(stayed):
        told = (f"{_named(r.then)} {_share(r)}" for r in stayed.itertuples())
        parts.append("Still in the same group: " + "; ".join(told) + ".")
    went = inside[inside["then"] != inside["now"]].sort_values("customers", ascending=False, kind="stable").head(most)
    if len(went):
        told = (f"{_named(r.then)} to {_named(r.now)} {r.customers:,.0f}, {_share(r)}" for r in went.itertuples())
        parts.append("Greatest moves: " + "; ".join(told) + ".")
    new = known[known["then"] == NOT_YET].sort_values("customers", ascending=False, kind="stable").head(1)
    parts += [f"Of {r.n:,.0f} new customers most, {_share(r)}, are in {_named(r.now)}." for r in new.itertuples()
              if r.n == r.n]  # fmt: skip
    if hidden := int((moves["method"] == WITHHELD).sum()):
        parts.append(f"{hidden} of {len(moves)} numbers are withheld, so that no move of under {LEAST_SHOWN} people is "
                     "told.")  # fmt: skip
    return " ".join(parts)


def _named(group: str) -> str:
    return f"“{clean_text(group)}”"


def _share(row: tuple) -> str:
    return f"{format_value(row.share_of_then, 'share')} ({format_ends(row.low, row.high, 'share')})"
