"""Is one kind of customer orientation scored above or below the others?"""

import numpy as np
import pandas as pd

from cxkit.checklists import SCALE, VOICES
from cxkit.estimates import holm_levels
from cxkit.style import format_ends, format_value

MORE, LESS, EARLY = "above the others", "below the others", "too early to say"
NOT_ASKED, FEW = "nobody was asked", "too few answers"
METHOD = "widest for any dependence, Student's t"
COLUMNS = ["kind", "name", "items", "mean", "apart", "low", "high", "n", "people", "level", "method", "verdict"]


def balance(scores: pd.DataFrame, items: pd.DataFrame, kinds: dict[str, str], *, level: float = 0.95) -> pd.DataFrame:
    """How each kind of customer orientation is scored, against the mean of the other kinds.

    From: `maturity.scores`, `checklists.read_checklists` (kind: items of all lists may belong to one), `kind_names`.
    To, the highest first, those that nobody scored last: kind, name, items (scored), mean (of the voices, each counting
    the same), apart (steps of the scale above or below the other kinds, each voice compared with itself) with low and
    high, n (answers), people (the most answers that one item has, of all voices that scored the kind: so many people at
    least gave the answers), level (the kind's own), method, verdict (above or below the others, too early to say,
    nobody was asked, or too few answers). All kinds are judged together (Holm).
    apart is not mean less the other rows' means: it is worked out voice by voice, so that a voice that scored some
    kinds alone, or scores everything low, moves none.
    The same people answer many items and the sheet does not say who: the intervals are as wide as any such dependence
    can make them, so that what is told holds however the people overlap.
    What is left out: withheld scores; of a voice that scored one kind alone the comparison. What it cannot show: how
    much is put into a kind; people score how well it is done.
    Source: S0 (concentrating on one kind is a fault); Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    from scipy.special import stdtr, stdtrit

    kind = items.set_index("item")["kind"]
    told = scores[scores["mean"].notna()]
    told = told.assign(kind=told["item"].map(kind))
    told = told[told["kind"] != ""]
    cells = told.groupby(["kind", "voice"], sort=True).agg(
        mean=("mean", "mean"), error=("error", "mean"), n=("n", "sum"), people=("n", "max"), items=("item", "size")
    )
    there = set(kind[kind.index.isin(scores.loc[scores["withheld"] | (scores["n"] > 0), "item"])])
    rows = []
    for key, name in kinds.items():
        mine = cells[cells.index.get_level_values("kind") == key].droplevel("kind")
        asked = told.loc[told["kind"] == key, "item"].nunique()
        row = {"kind": key, "name": name, "items": asked, "n": mine["n"].sum(), "mean": mine["mean"].mean()}
        row["people"] = mine["people"].sum()
        rows.append(row | _apart(mine, cells, key))
    frame = pd.DataFrame(rows)
    apart, error, freedom = (frame[name].to_numpy(dtype=float) for name in ("apart", "error", "freedom"))
    levels = holm_levels(2 * stdtr(freedom, -np.abs(apart) / error), level=level)
    half = stdtrit(freedom, (1 + levels) / 2) * error
    low, high = apart - half, apart + half
    nobody = ~frame["kind"].isin(there)
    verdict = np.select([nobody, frame["items"] == 0, low > 0, high < 0], [NOT_ASKED, FEW, MORE, LESS], EARLY)
    frame = frame.assign(low=low, high=high, level=levels, method=METHOD, verdict=verdict)
    frame = frame.assign(order=-frame["mean"].round(9))
    frame = frame.sort_values(["order", "kind"], na_position="last", ignore_index=True)
    return frame.astype({"n": "int64", "people": "int64"})[COLUMNS]


def _apart(mine: pd.DataFrame, cells: pd.DataFrame, key: str) -> dict:
    """One kind's distance from the others, voice by voice, with the widest error that it can have."""
    parts = []
    for voice in (voice for voice in VOICES if voice in mine.index):
        others = cells[(cells.index.get_level_values("voice") == voice) & (cells.index.get_level_values("kind") != key)]
        if len(others):
            own = mine.loc[voice]
            parts.append((own["mean"] - others["mean"].mean(), own["error"] + others["error"].mean(), own["people"]))
    if not parts:
        return {"apart": np.nan, "error": np.nan, "freedom": np.nan}
    value, error, people = (np.array(column, dtype=float) for column in zip(*parts, strict=True))
    return {
        "apart": float(value.mean()), "error": float(np.sqrt((error**2).sum()) / len(value)),
        "freedom": float(people.min() - 1),
    }  # fmt: skip


def balance_sentences(balance: pd.DataFrame) -> list[str]:
    """Which kinds stand apart from the others, in words, and what S0 says of minding one too much.

    A high score says how well a kind is done. That the others are neglected for it does not follow, and is not said.
    """
    above, below = (balance[balance["verdict"] == verdict] for verdict in (MORE, LESS))
    scored = balance[balance["items"] > 0]
    if len(scored) < 2:
        told = ["Too early to say: fewer than two kinds were scored by five people of one voice."]
    elif len(above) or len(below):
        told = [f"Scored {verdict}, each group compared with itself: {_list(rows)}."
                for verdict, rows in ((MORE, above), (LESS, below)) if len(rows)]  # fmt: skip
        if len(above):
            them = "it" if len(above) == 1 else "them"
            told.append(
                f"Whether the others are neglected for {them}, the scores do not say: they tell how well a kind is "
                "done, not how much is put into it. To concentrate on one kind at the others' expense S0 calls a fault."
            )
    else:
        told = ["No kind is told apart from the others."]
    unasked = balance.loc[balance["verdict"] == NOT_ASKED, "name"]
    if len(scored) and len(unasked):
        told.append(f"Nobody was asked about {', '.join(unasked)}; what is not asked may be what is not minded.")
    return told


def _list(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"“{row['name']}” by {format_value(abs(row['apart']), 'points')} of {SCALE[1]} steps ({_ends(row)})"
        for row in rows.to_dict("records")
    )


def _ends(row: dict) -> str:
    """The ends of the size of the difference, the smaller first: what is below by 1 to 2 is so, not by −2 to −1."""
    return format_ends(*sorted([abs(row["low"]), abs(row["high"])]), "points")
