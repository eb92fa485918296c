"""What is each customer worth over a horizon, and the whole base: expected purchases times expected spend."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit import bg_nbd, gamma_gamma
from cxkit.buyers import PLACES
from cxkit.errors import CxkitError, UsageError
from cxkit.estimates import Estimate, mean, unknown
from cxkit.group_table import given_back
from cxkit.likelihood import slopes, weighted
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.purchase_history import days_after, purchase_history, purchases_between
from cxkit.style import GREY, INK, format_interval, format_value

if TYPE_CHECKING:
    from datetime import date

    import ibis
    from matplotlib.axes import Axes

    from cxkit.bg_nbd import BgNbd
    from cxkit.gamma_gamma import GammaGamma

WEEKS_A_YEAR = 365.25 / 7
NODES = 5  # of the integral over the horizon: expected purchases are smooth in time, so few suffice
SAMPLED = 10_000  # customers that stand for all others in the interval of the total; more would not change it
LEAST_FOR_RANKS, FOR_RANKS = 10, 20_000
WEAK = 0.1  # a rank correlation below is weak by any custom
METHOD = "prediction: parameters and chance"
HISTORY = ("customer_id", "x", "t_x", "T", "spend", "revenue")


def fit_models(history: pd.DataFrame) -> "tuple[BgNbd | None, GammaGamma | None, str]":
    """The two models of rung three, or why these data give none.

    From: `purchase_history.purchase_history`. To: how often and how long customers buy (BG/NBD), what a purchase
    brings (Gamma-Gamma), and an empty text; where either cannot be fitted, or so much was given back that spend cannot
    be learnt from those who kept something, None, None and the reason in words.
    """
    if given_back(history["revenue"].to_numpy(dtype=float)):
        return None, None, "Many customers were given back more than they paid, so the model of spend has no ground."
    try:
        model = bg_nbd.fit_bg_nbd(history)
        spend_model = gamma_gamma.fit_gamma_gamma(spenders(history))
    except CxkitError as error:
        return None, None, str(error)
    return model, spend_model, ""


def spenders(history: pd.DataFrame) -> pd.DataFrame:
    """The customers whose spend can be modelled: who came again and paid on average more than was given back."""
    return history[(history["x"] >= 1) & (history["spend"] > 0)]


def customer_values(
    history: pd.DataFrame,
    model: "BgNbd",
    spend_model: "GammaGamma",
    *,
    weeks: float,
    discount_a_year: float,
    margin_share: float | None = None,
) -> pd.DataFrame:
    """What each customer is expected to bring in the `weeks` to come.

    From: `purchase_history.purchase_history`; `margin_share`: what is left of 1 of revenue when the goods are paid for,
    None for revenue. To, in the order of `history`: its columns customer_id, x, t_x, T, revenue (so far), and p_alive
    (the probability that the customer still buys), expected_purchases (in the horizon), expected_spend (revenue of one
    purchase), value (margin or revenue, discounted to the last day that counts).
    Each purchase is discounted from its own day. Who bought once, or got back all that he paid since, is expected to
    spend what customers spend on average.
    Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), eq. 10; Fader & Hardie (2013), "The Gamma-Gamma model
    of monetary value", eq. 5; the discounted sum as an integral by parts over the horizon, Gauss-Legendre.
    Raises UsageError where weeks, discount or margin are out of range, or the history lacks a column.
    """
    _check(history, weeks=weeks, discount_a_year=discount_a_year, margin_share=margin_share)
    places = history.groupby(["x", "t_x", "T"], sort=True).ngroup().to_numpy()
    first = np.zeros(places.max() + 1 if len(places) else 0, dtype=int)
    first[places[::-1]] = np.arange(len(places))[::-1]
    rows = history[["x", "t_x", "T"]].iloc[first].reset_index(drop=True)  # customers alike are computed once
    purchases = bg_nbd.expected_future(model, rows, weeks=weeks)
    discounted = _discounted(model, rows, purchases, weeks=weeks, discount_a_year=discount_a_year)
    spend = gamma_gamma.expected_spend(
        spend_model, history[["x", "spend"]].assign(spend=history["spend"].clip(lower=0))
    )
    share = 1.0 if margin_share is None else margin_share
    return history[["customer_id", "x", "t_x", "T", "revenue"]].assign(
        p_alive=bg_nbd.p_alive(model, rows)[places],
        expected_purchases=purchases[places],
        expected_spend=spend,
        value=(discounted[places] * spend * share).round(PLACES),
    )


def usable_margin(share: Estimate) -> float | None:
    """The margin to value purchases with: None, so revenue, where it is not known or nothing is left.

    From: `margins.margin_share`.
    """
    return share.value if share.known and 0 < share.value <= 1 else None


def margin_note(share: Estimate) -> str:
    """What the values are counted in, and why. From: `margins.margin_share`."""
    if usable_margin(share) is not None:
        return (
            f"Values are margin: {format_value(share.value, 'share')} of revenue is left when the goods are paid for."
        )
    why = share.method if not share.known else "the goods are sold at or below their cost"
    return f"Values are revenue, not margin: {why}."


def unit_of(share: Estimate) -> str:
    """What the values are counted in: margin or revenue. From: `margins.margin_share`."""
    return "revenue" if usable_margin(share) is None else "margin"


def all_parameters(model: "BgNbd", spend_model: "GammaGamma") -> pd.DataFrame:
    """The parameters of both models with their intervals, one table.

    To: the columns of `bg_nbd.parameter_table`, and shown (the value as a text, since their sizes differ much).
    """
    table = pd.concat([bg_nbd.parameter_table(model), bg_nbd.parameter_table(spend_model)], ignore_index=True)
    return table.assign(shown=[f"{value:,.4g}" for value in table["value"]])


def spenders_in_words(history: pd.DataFrame) -> str:
    """On how many customers the model of spend rests, and who is left out."""
    n, back = len(spenders(history)), int((history["x"] >= 1).sum())
    told = f"What a purchase brings is learnt from {n:,} customers who came back"
    if n == back:
        return f"{told}; nobody of them was left out."
    return f"{told}; {back - n:,} more came back and kept nothing that they paid for, and are left out."


def held_out_customers(orders: "ibis.Table", *, known_by: "date", weeks: int, held_back: bool = True) -> pd.DataFrame:
    """What the model, seeing only what lies up to `known_by`, expected of each customer, and what he then did.

    From: orders (lines). To, ordered by customer_id: customer_id, predicted, actual (purchases in the `weeks` after
    `known_by`); empty where nothing is held back or the model cannot be fitted to what lies before.
    """
    columns = {"customer_id": pd.Series(dtype=object), "predicted": pd.Series(dtype=float)}
    nobody = pd.DataFrame(columns | {"actual": pd.Series(dtype=float)})
    if not held_back:
        return nobody
    history = purchase_history(orders, as_of=known_by)
    try:
        model = bg_nbd.fit_bg_nbd(history)
    except CxkitError:
        return nobody
    first, last = days_after(known_by, weeks)
    did = purchases_between(orders, first=first, last=last, known_by=known_by)
    predicted = bg_nbd.expected_future(model, history, weeks=weeks)
    expected = pd.DataFrame({"customer_id": history["customer_id"], "predicted": predicted})
    both = expected.merge(did[["customer_id", "purchases"]], on="customer_id").rename(columns={"purchases": "actual"})
    return both.sort_values("customer_id", ignore_index=True)


def _check(history: pd.DataFrame, *, weeks: float, discount_a_year: float, margin_share: float | None) -> None:
    if lacking := [name for name in HISTORY if name not in history]:
        raise UsageError(
            f"the history lacks {', '.join(lacking)}; it has {', '.join(map(str, history.columns))}. Take it from "
            "purchase_history.purchase_history."
        )
    if not 0 < weeks < np.inf:
        raise UsageError(f"the horizon must be more than 0 weeks; found {weeks}. Mend horizon_weeks, as 52.")
    if not 0 <= discount_a_year < np.inf:
        raise UsageError(f"discount_a_year is a share of 0 or more, as 0.1 for 10 %; found {discount_a_year}.")
    if margin_share is not None and not 0 <= margin_share <= 1:
        raise UsageError(
            f"the margin is a share of revenue between 0 and 1, as 0.35; found {margin_share}. Mend the goods' "
            "costs or `margin:` in client.yml, or give None for values in revenue."
        )


def _discounted(
    model: "BgNbd", rows: pd.DataFrame, purchases: np.ndarray, *, weeks: float, discount_a_year: float
) -> np.ndarray:
    """Expected purchases, each worth less the later it comes: exp(-dH) E(H) + d * integral of exp(-dt) E(t)."""
    if not discount_a_year:
        return purchases
    force = np.log1p(discount_a_year) / WEEKS_A_YEAR
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    result = np.exp(-force * weeks) * purchases
    for at, weight in zip(weeks * (nodes + 1) / 2, weeks * weights / 2, strict=True):
        result = result + force * weight * np.exp(-force * at) * bg_nbd.expected_future(model, rows, weeks=float(at))
    return result


def present_factor(*, weeks: float, discount_a_year: float) -> float:
    """What 1 of money that comes evenly over the `weeks` is worth today: for rungs that say not when it comes."""
    force = np.log1p(discount_a_year) / WEEKS_A_YEAR * weeks
    return float(-np.expm1(-force) / force) if force else 1.0


def total_value(
    values: pd.DataFrame,
    history: pd.DataFrame,
    model: "BgNbd",
    spend_model: "GammaGamma",
    *,
    weeks: float,
    seed: int,
    level: float = 0.95,
    draws: int = 1_000,
) -> Estimate:
    """What all customers together are expected to bring in the horizon, with the interval in which it will lie.

    From: `customer_values` and the history, models and weeks it was made of, in one order. To: Estimate, unit money, n
    customers. The interval holds what is not known of both models' parameters (linearised, from the covariance of their
    logarithms) and the customers' own chance (who is still there, how often he buys, for how much: drawn). At most
    10,000 customers, at even steps of the sorted history, stand for all; the chance of a sum grows with the root of
    their number.
    What is left out: the uncertainty of the margin, new customers, and whatever changes in the world. Of 400 simulated
    shops that the models describe it held what came in 95.8 % (93.3 to 97.3): studies/lifetime_coverage.md.
    """
    n, total = len(values), float(np.sort(values["value"].to_numpy()).sum())
    both = values.assign(spend=history["spend"].to_numpy()).sort_values(["x", "t_x", "T", "spend"], ignore_index=True)
    if n > SAMPLED:
        both = both.iloc[np.linspace(0, n - 1, SAMPLED).round().astype(int)]
    plain = (both["expected_purchases"] * both["expected_spend"]).to_numpy()
    worth = np.divide(both["value"].to_numpy(), plain, out=np.zeros(len(both)), where=plain > 0)  # of 1 of revenue
    error = _parameter_error(both, worth, model, spend_model, weeks=weeks)
    rng = np.random.default_rng(seed)
    possible = total * np.exp(error * rng.standard_normal(draws))
    future = np.array([_one_future(both, worth, model, spend_model, weeks=weeks, rng=rng) for _ in range(draws)])
    possible += (future - weighted(worth, plain)) * np.sqrt(n / max(len(both), 1))
    low, high = np.quantile(np.maximum(possible, 0.0), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(total, min(float(low), total), max(float(high), total), n, "money", level, METHOD)


def _parameter_error(
    both: pd.DataFrame, worth: np.ndarray, model: "BgNbd", spend_model: "GammaGamma", *, weeks: float
) -> float:
    """The standard error of the logarithm of the sum that comes from the parameters alone ("delta method")."""
    purchases, spend = both["expected_purchases"].to_numpy(), both["expected_spend"].to_numpy()
    total = weighted(worth, spend, purchases)
    if not total > 0:
        return 0.0
    bought = slopes(model, lambda m: weighted(worth, spend, bg_nbd.expected_future(m, both, weeks=weeks)))
    spent = slopes(spend_model, lambda m: weighted(worth, purchases, gamma_gamma.expected_spend(m, both)))
    variance = sum(s @ np.array(m.covariance) @ s for s, m in ((bought, model), (spent, spend_model)))
    return float(np.sqrt(max(variance, 0.0)) / total)


def _one_future(
    both: pd.DataFrame, worth: np.ndarray, model: "BgNbd", spend_model: "GammaGamma", *, weeks: float, rng
) -> float:
    """What these customers bring in one future that the models allow, drawn from what is known of each.

    Source: Gamma-Gamma: the mean of n purchases ~ gamma(p n, nu n), nu ~ gamma(q + p x, v + x spend) (Fader & Hardie,
    2013); purchases as `bg_nbd.drawn_future`.
    """
    purchases = bg_nbd.drawn_future(model, both, weeks=weeks, rng=rng)
    spend = both["spend"].to_numpy(dtype=float)
    x = np.where(spend > 0, both["x"].to_numpy(dtype=float), 0.0)  # as gamma_gamma.expected_spend
    rate = rng.standard_gamma(spend_model.q + spend_model.p * x)
    rate /= spend_model.v + x * np.where(spend > 0, spend, 0.0)
    return weighted(worth, rng.standard_gamma(spend_model.p * purchases) / rate)


def independence(history: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """Whether customers who buy more often also spend more at a time: Spearman's rank correlation of x and spend.

    From: `purchase_history.purchase_history`. To: Estimate, unit ratio, n the customers of `spenders`: Gamma-Gamma
    assumes that the two have nothing to do with each other. Unknown below 10 of them, or where all are alike in one.
    Source: interval by Fisher's z with the standard error of Bonett & Wright (2000), Psychometrika 65(1), 23-28.
    """
    both = spenders(history)
    n = len(both)
    if n < LEAST_FOR_RANKS:
        return unknown("ratio", n=n, level=level)
    ranks = [both[name].rank().to_numpy() for name in ("x", "spend")]
    if min(np.ptp(rank) for rank in ranks) == 0:
        return unknown("ratio", n=n, level=level, method="all customers are alike in one of the two")
    value = float(np.clip(np.corrcoef(*ranks)[0, 1], -1, 1))
    from scipy.special import ndtri

    half = float(ndtri((1 + level) / 2)) * np.sqrt((1 + value**2 / 2) / (n - 3))
    at = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    low, high = (float(np.tanh(end)) for end in (at - half, at + half))
    return Estimate(value, min(low, value), max(high, value), n, "ratio", level, "Spearman (Bonett & Wright)")


def independence_expected(history: pd.DataFrame, spend_model: "GammaGamma", *, seed: int) -> float:
    """The rank correlation that the model itself gives for these customers, though it knows no dependence.

    The mean of few skewed amounts mostly lies below that of many, so ranks show a little even where there is nothing.
    One simulated set of at least 20,000 customers with the same x.
    """
    x = np.sort(spenders(history)["x"].to_numpy(dtype=float))
    x = np.tile(x, max(1, int(np.ceil(FOR_RANKS / max(len(x), 1)))))
    rng = np.random.default_rng(seed)
    scale = rng.gamma(spend_model.q, size=len(x)) / spend_model.v
    spend = rng.gamma(spend_model.p * x) / (scale * x)
    ranks = [pd.Series(values).rank().to_numpy() for values in (x, spend)]
    return float(np.corrcoef(*ranks)[0, 1]) if min(np.ptp(rank) for rank in ranks) else 0.0


def independence_in_words(correlation: Estimate, *, expected: float) -> str:
    """What the check found, and what it means for the values. From: `independence`, `independence_expected`."""
    asked = "Whether customers who buy more often also spend more at a time"
    if not correlation.known:
        return f"{asked}: too early to say (n = {correlation.n:,}; {correlation.method})."
    told = (
        f"{asked}: the rank correlation is {format_value(correlation.value, 'ratio')} "
        f"({format_interval(correlation)}, n = {correlation.n:,}); the model expects {format_value(expected, 'ratio')}."
    )
    if correlation.low <= expected <= correlation.high:
        return f"{told} The data do not contradict what the model assumes."
    if abs(correlation.value - expected) < WEAK:
        return f"{told} That differs for certain, but by so little that the values hardly suffer."
    if correlation.value > expected:
        return f"{told} They do: the values of frequent buyers are too low, those of rare buyers too high."
    return f"{told} They spend less: the values of frequent buyers are too high, those of rare buyers too low."


def calibration_deciles(predicted: np.ndarray, actual: np.ndarray, *, level: float = 0.95) -> pd.DataFrame:
    """Customers by what was expected of them, ten groups, and what they did in the weeks that were held out.

    From: expected and actual purchases of the same customers, in one order. To: decile (1 holds the highest
    expectation), customers, predicted (mean), value (actual mean) with low, high, n, level, method.
    Customers of equal expectation stay together in the lower group, so the groups may differ in size, and one may be
    missing. What is left out: the numbers of groups under five people. Interval: Student's t.
    Raises UsageError where the two are not of one length.
    """
    predicted, actual = np.asarray(predicted, dtype=float), np.asarray(actual, dtype=float)
    if len(predicted) != len(actual):
        raise UsageError(
            f"predicted and actual purchases must be of the same customers; found {len(predicted):,} and "
            f"{len(actual):,}."
        )
    order = np.lexsort((actual, predicted))
    predicted, actual = predicted[order].round(9), actual[order]
    n, rows = len(predicted), []
    ends = predicted[[int(np.ceil(round(n * tenth / 10, 6))) - 1 for tenth in range(1, 10)]] if n else predicted
    place = np.searchsorted(ends, predicted, side="left")
    for group in np.unique(place)[::-1]:
        inside = place == group
        did = mean(actual[inside], unit="points", level=level)
        customers = int(inside.sum())
        fields = {name: getattr(did, name) for name in ("value", "low", "high", "n", "level", "method")}
        fields["low"] = max(fields["low"], 0.0)  # a mean of counts
        row = {"decile": f"{10 - group}", "customers": customers, "predicted": float(predicted[inside].mean())}
        rows.append(row | fields)
    columns = ["decile", "customers", "predicted", "value", "low", "high", "n", "level", "method"]
    return withhold_small(pd.DataFrame(rows, columns=columns), count="customers", least=LEAST_SHOWN)


def plot_calibration(deciles: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`calibration_deciles`: actual against expected purchases; on the line the model is right."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(5.4, 4.6))[1] if ax is None else ax
    shown = deciles.dropna(subset=["value", "predicted"])
    top = float(np.nanmax([1e-9, *shown["high"], *shown["value"], *shown["predicted"]])) * 1.12
    ax.plot([0, top], [0, top], color=GREY, linewidth=1)
    ax.annotate("as expected", (top, top), (4, 0), textcoords="offset points", color=GREY, va="center")
    ax.vlines(shown["predicted"], shown["low"], shown["high"], color=INK, linewidth=1.4)
    ax.plot(shown["predicted"], shown["value"], "o", color="C0", markersize=6)
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal", title="Held-out purchases by tenths of customers")
    ax.set(xlabel="Expected purchases per customer", ylabel="What they did, purchases per customer")
    return ax


def calibration_in_words(deciles: pd.DataFrame) -> str:
    """How many of the groups the model met, and by how much the best one was missed; also the picture's alt text."""
    known = deciles.dropna(subset=["value", "low"])
    if known.empty:
        return (
            "Expected and actual purchases cannot be compared: too few customers, or no model on the day of the test."
        )
    met = int(((known["low"] <= known["predicted"]) & (known["predicted"] <= known["high"])).sum())
    best = known.iloc[0]
    return (
        f"Of {len(known)} groups of customers by what was expected of them, {met} did what was expected, within their "
        f"interval. The group of which most was expected ({int(best['customers']):,} customers) bought "
        f"{format_value(best['value'], 'count')} times on average, where {format_value(best['predicted'], 'count')} "
        "was expected."
    )
