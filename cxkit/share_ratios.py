"""How many times as often: a group's share against that of all other groups, where customers are the units."""

import numpy as np
import pandas as pd

from cxkit.estimates import holm_levels

SIDE = ("share", "own", "people", "others", "rest", "rest_people")


def both_sides(counts: pd.DataFrame, *, groups: int) -> pd.DataFrame:
    """Each group's share of orders with a value and that of all others, with how much each rests on.

    From, counts of equal customers: group (0 to `groups` - 1), n (orders of a customer), x (of them with the value),
    c (customers). To, one row a group: orders (with the value), of, customers (who placed them), people, share, own
    (the effective count: how many independent orders would say as much), others, rest, rest_people (the same of all
    others).
    How: the error of a share is the jackknife's over customers, so that a customer with many orders weighs as one; it
    is at least what it would be were a customer's orders as alike as they are over all groups, since a value that few
    hold says little of its own error, and one that nobody holds says nothing.
    Source: Korn & Graubard (1998), Survey Methodology 24(2), 193-201 (effective counts); Efron & Stein (1981), Annals
    of Statistics 9(3), 586-596 (the jackknife errs to the larger side).
    """
    code, n, x, c = (counts[name].to_numpy(dtype=kind) for name, kind in zip("gnxc", (int, *[float] * 3), strict=True))
    sums = {"of": c * n, "orders": c * x, "people": c, "customers": c * (x > 0), "squares": c * n * n}
    total = {name: np.bincount(code, weights=column, minlength=groups) for name, column in sums.items()}
    rest = {name: column.sum() - column for name, column in total.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        share, others = total["orders"] / total["of"], rest["orders"] / rest["of"]
        chance = share * (1 - share)
        excess = (c * (x - share[code] * n) ** 2).sum() - np.nansum(total["of"] * chance)
        alike = np.clip(np.nan_to_num(excess / np.nansum(chance * (total["squares"] - total["of"]))), 0.0, 1.0)
        effective = []
        for value, side, inside in ((share, total, True), (others, rest, False)):
            error = np.zeros(groups)
            for g in range(groups):
                here = (code == g) == inside
                error[g] = (c[here] * ((x[here] - value[g] * n[here]) / (side["of"][g] - n[here])) ** 2).sum()
            error *= (side["people"] - 1) / side["people"]
            most = side["of"] ** 2 / (side["of"] + alike * (side["squares"] - side["of"]))
            effective.append(np.fmin(most, np.where(error > 0, value * (1 - value) / error, np.nan)))
    told = {name: total[name] for name in ("orders", "of", "customers", "people")}
    return pd.DataFrame(
        told
        | {"share": share, "own": effective[0], "others": others, "rest": effective[1], "rest_people": rest["people"]}
    )


def share_ratios(sides: pd.DataFrame, *, judged: np.ndarray, once: np.ndarray, level: float) -> pd.DataFrame:
    """The ratio of each share to the others', with the intervals that hold together.

    From: rows of `both_sides`; judged: rows of which a ratio is told; once: a number that two rows share where one
    says the same as the other turned round. To, the same rows: ratio, low, high (0 where the group has none, without
    end where the others have none; NaN where not judged or a side is empty), level (of this interval), family (how
    many hold together). An interval excludes 1 exactly where Holm's procedure tells the two apart.
    How: Jeffreys' interval of each share from its effective count, with Student's t in place of the normal quantile,
    and the ratio's from the two. It exists where a share is 0, as the interval on the logarithm does not.
    Source: Donner & Zou (2012), Statistical Methods in Medical Research 21(4), 347-359 (ratio from two intervals); Laud
    (2017), Pharmaceutical Statistics 16(5), 334-348 (from Jeffreys'); Holm (1979), Scandinavian Journal of Statistics
    6(2), 65-70.
    """
    from scipy.special import ndtri

    numbers = [sides[name].to_numpy(dtype=float) for name in SIDE]
    p = np.where(judged, _p_values(*numbers), np.nan)
    first = ~pd.Series(once).duplicated().to_numpy()
    family = np.where(first, p, np.nan)
    levels = pd.Series(holm_levels(family, level=level)).where(first)
    levels = levels.groupby(np.asarray(once)).transform("first").to_numpy()
    low, high = _ratio_ends(*numbers, ndtri((1 + levels) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = numbers[0] / numbers[3]
    found = {name: np.where(np.isnan(p), np.nan, end) for name, end in (("ratio", ratio), ("low", low), ("high", high))}
    return pd.DataFrame(found | {"level": levels, "family": int(np.isfinite(family).sum())}, index=sides.index)


def _ends(share: np.ndarray, n: np.ndarray, people: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Jeffreys' interval of a share from its effective count, at the normal quantile z."""
    from scipy.special import betaincinv, ndtr, stdtrit

    tail = ndtr(-z)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = n * (z / stdtrit(people - 1, tail)) ** 2
        x = share * n
        low = np.where(share > 0, betaincinv(x + 0.5, n - x + 0.5, tail), 0.0)
        high = np.where(share < 1, 1 - betaincinv(n - x + 0.5, x + 0.5, tail), 1.0)
    return np.minimum(low, share), np.maximum(high, share)


def _ratio_ends(share, own, people, others, rest, rest_people, z) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of share / others from the intervals of the two.

    Donner & Zou's equation, for the low end with the difference of two close numbers turned into a sum.
    """
    low, high = _ends(share, own, people, z)
    low_o, high_o = _ends(others, rest, rest_people, z)
    product = share * others
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = low * (2 * share - low), high_o * (2 * others - high_o)
        least = np.where(one > 0, one / (product + np.sqrt(np.maximum(product**2 - one * other, 0.0))), 0.0)
        one, other = high * (2 * share - high), low_o * (2 * others - low_o)
        most = np.where(other > 0, (product + np.sqrt(np.maximum(product**2 - one * other, 0.0))) / other, np.inf)
    return least, most


def _p_values(share, own, people, others, rest, rest_people) -> np.ndarray:
    """The errors of the intervals that just touch 1, found by halving; NaN where a side is empty."""
    from scipy.special import ndtr

    # beyond 8 standard errors all are certain, and 1 - p is 1 in floating point
    least, most = np.zeros(len(share)), np.full(len(share), 8.0)
    for _ in range(40):
        z = (least + most) / 2
        low, high = _ratio_ends(share, own, people, others, rest, rest_people, z)
        touches = ~((low > 1) | (high < 1))
        least, most = np.where(touches, least, z), np.where(touches, z, most)
    known = (share + others > 0) & (people > 1) & (rest_people > 1)
    return np.where(known, 2 * ndtr(-most), np.nan)
