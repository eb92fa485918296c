"""How far does each one lie from all others pooled, where visits or customers, not touches, are the units?"""

from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.estimates import cluster_error

PLACES = 6  # sums of scores with decimals differ by their order beyond it
SUMS = ("part", "whole", "squares", "part_sq", "cross", "whole_sq", "part_all", "part_whole_all", "whole_part_all",
        "whole_all", "units", "first_units")  # fmt: skip


def unit_sums(cells: Table, *, by: str, unit: str, within: Sequence[str] = ()) -> pd.DataFrame:
    """What ratios, their errors and their covariances rest on, summed in the engine.

    From, one row a (within, by, unit) with something in it: part (what is counted there: touches that go on, points),
    whole (of how many), squares (the sum of the items' squared values). To, one row a (within, by): the sums over
    units of part, whole, squares; of part^2, part * whole, whole^2 (part_sq, cross, whole_sq); of part and whole here
    times part and whole of the same unit everywhere (part_all, part_whole_all, whole_part_all, whole_all); units (how
    many) and first_units (units counted where they stand first, so that these sum to all units).
    """
    cells = cells.mutate(**{name: cells[name].cast("float64") for name in ("part", "whole", "squares")})
    everywhere = ibis.window(group_by=[*within, unit])
    cells = cells.mutate(
        all_part=cells.part.sum().over(everywhere),
        all_whole=cells.whole.sum().over(everywhere),
        is_first=(cells[by] == cells[by].min().over(everywhere)).ifelse(1, 0),
    )
    sums = {
        "part": cells.part,
        "whole": cells.whole,
        "squares": cells.squares,
        "part_sq": cells.part * cells.part,
        "cross": cells.part * cells.whole,
        "whole_sq": cells.whole * cells.whole,
        "part_all": cells.part * cells.all_part,
        "part_whole_all": cells.part * cells.all_whole,
        "whole_part_all": cells.whole * cells.all_part,
        "whole_all": cells.whole * cells.all_whole,
    }
    table = cells.group_by(*within, by).aggregate(
        **{name: column.sum().round(PLACES) for name, column in sums.items()},
        units=cells.count(),
        first_units=cells.is_first.sum(),
    )
    return collect(table, order_by=[*within, by])


def beyond_middle(
    value: np.ndarray, half: np.ndarray, *, by: Sequence, told: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle (median) of those that are told, and who lies below it and who above it with the interval of his own.

    From: value; half (of the interval of value); by (whose middle: the measure); told (who counts for the middle).
    Two bad ones draw down what the rest is compared with, and one good and large one draws it up; the middle stays.
    """
    value, half = (np.asarray(a, dtype=float) for a in (value, half))
    known = pd.Series(np.where(np.asarray(told, dtype=bool), value, np.nan))
    middle = known.groupby(np.asarray(by, dtype=object)).transform("median").to_numpy(dtype=float)
    return middle, value + half < middle, value - half > middle


def against_others(sums: pd.DataFrame, *, within: Sequence[str] = ()) -> pd.DataFrame:
    """Each one's ratio beside that of all others pooled, with the errors of both and of their difference.

    From: `unit_sums`. To, the same rows: the keys, value (part / whole), error, n (items), units (visits, customers
    who met it), others (the ratio of all others of its `within`), difference (value - others), difference_error.
    How: a ratio of sums is linearised over units. The one and the others share units, so the error of the difference
    holds their covariance: it is the error of a single sum over units. The part of the one alone is never put below
    that of independent items whose spread is that of the others: a handful of items all alike has a spread of nought,
    which says little. For the same reason the error of a value whose items are all alike comes from the others' spread.
    What is left out: the bias of a ratio, of order 1/units. NaN where there are no others.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6; the difference of two ratios by the same expansion.
    """
    keys = [c for c in sums.columns if c not in SUMS]
    one = {name: sums[name].to_numpy(dtype=float) for name in SUMS}
    names = ["part", "whole", "squares", "part_all", "part_whole_all", "whole_all", "first_units"]
    grouped = sums.groupby(list(within), observed=True)[names].transform("sum") if within else sums[names].sum()
    total = {name: np.broadcast_to(np.asarray(grouped[name], dtype=float), len(sums)) for name in names}
    part_o, whole_o = total["part"] - one["part"], total["whole"] - one["whole"]
    part_sq_o = total["part_all"] - 2 * one["part_all"] + one["part_sq"]
    cross_o = total["part_whole_all"] - one["part_whole_all"] - one["whole_part_all"] + one["cross"]
    whole_sq_o = total["whole_all"] - 2 * one["whole_all"] + one["whole_sq"]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(one["whole"] > 0, one["part"] / one["whole"], np.nan)
        others = np.where(whole_o > 0, part_o / whole_o, np.nan)
        error = cluster_error(one["part_sq"], one["cross"], one["whole_sq"], one["whole"], value, one["units"])
        error_o = cluster_error(part_sq_o, cross_o, whole_sq_o, whole_o, others, total["first_units"])
        shared = (
            (one["part_all"] - one["part_sq"])
            - others * (one["part_whole_all"] - one["cross"])
            - value * (one["whole_part_all"] - one["cross"])
            + value * others * (one["whole_all"] - one["whole_sq"])
        ) / (one["whole"] * whole_o)
        spread = np.maximum((total["squares"] - one["squares"]) / whole_o - others**2, 0.0)
        error_alone = np.where(error == 0, np.sqrt(spread / one["whole"]), error)
        own = np.maximum(error**2, spread / one["whole"])
        variance = np.maximum(own + error_o**2 - 2 * shared, 0.0)
    return sums[keys].assign(
        value=value, error=error_alone, n=one["whole"].astype("int64"), units=one["units"].astype("int64"),
        others=others, difference=value - others, difference_error=np.sqrt(variance),
    )  # fmt: skip
