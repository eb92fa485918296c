"""Why searches find nothing: goods that are not offered, misspellings, or anything else."""

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit import queries, search
from cxkit.missing_goods import MISSING, MISSPELT
from cxkit.others import unit_sums
from cxkit.style import format_ends, format_value

NOT_OFFERED, WRONG, ELSE = "goods that are not offered", "misspellings", "anything else"
WHY = (NOT_OFFERED, WRONG, ELSE)


def causes(groups: pd.DataFrame, missing: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Each wording that is misspelt, or of which the thing is missing for certain: query, why (one of `WHY`).

    From: `query_groups.group_queries`; `missing_goods.missing_goods`; `query_groups.wordings`. A misspelling of what is
    missing counts as missing: written right, it would find nothing either.
    """
    of = {name: {by: set(rows.loc[rows["of"] == by, "name"]) for by in ("department", "need")}
          for name, rows in missing.groupby("reading")}  # fmt: skip
    none: dict[str, set] = {"department": set(), "need": set()}
    gone, wrong = (
        groups["department"].isin(names["department"]) | groups["need"].isin(names["need"])
        for names in (of.get(MISSING, none), of.get(MISSPELT, none))
    )
    typed = groups["query"].isin(words.loc[words["kind"].isin(["misspelt", "blanks"]), "query"])
    why = pd.Series(WRONG, index=groups.index, dtype=object).mask(gone, NOT_OFFERED)
    return groups[["query"]].assign(why=why)[gone | wrong | typed].reset_index(drop=True)


def failed(log: Table, why: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """What share of the searches that find nothing is for what: why, value, low, high, n (such searches), visitors,
    level, method; in the order of `WHY`.

    From: `queries.search_log`; `causes`. What is left out: searches whose results are not known, robots' visits.
    """
    kept = queries.people(log).filter(ibis._.nothing == 1)
    table = ibis.memtable(why.astype(object), schema={"query": "string", "why": "string"})
    table = table.rename(wording="query")
    kept = kept.left_join(table, kept.query == table.wording)
    told = kept.personal.ifelse(ELSE, kept.why.fill_null(ELSE))
    parts = [
        kept.select("visitor", measure=ibis.literal(name), all=ibis.literal("all"), part=(told == name).cast("int64"))
        for name in WHY
    ]
    rows = ibis.union(*parts)
    cells = rows.group_by("measure", "all", "visitor").aggregate(
        part=rows.part.sum(), whole=rows.count(), squares=rows.part.sum()
    )
    found = search.shares(unit_sums(cells, by="all", unit="visitor", within=["measure"]), level=level)
    found = found.drop(columns="all").rename(columns={"measure": "why"}).set_index("why")
    return found.reindex([name for name in WHY if name in found.index]).rename_axis("why").reset_index()


def counted(found: pd.DataFrame, why: str) -> int:
    """How many searches failed for one of `WHY`. From: `failed`."""
    rows = found[found["why"] == why]
    return int((rows["value"] * rows["n"]).round().sum())


def in_words(found: pd.DataFrame) -> str:
    """What most failed searches are for. From: `failed`."""
    told = found[found["low"].notna()].set_index("why")
    if not len(told):
        return "Why searches find nothing cannot be told: too few are known to."
    parts = [
        f"{format_value(row.value, 'share')} are {'for ' if why == NOT_OFFERED else ''}{why} "
        f"({format_ends(row.low, row.high, 'share')})"
        for why, row in told.loc[[w for w in (NOT_OFFERED, WRONG) if w in told.index]].iterrows()
    ]
    return f"Of the searches that find nothing, {' and '.join(parts)}."
