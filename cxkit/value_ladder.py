"""What will customers bring in the weeks to come, by six ways from the plainest to the model: the ladder of value."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit import bg_nbd, gamma_gamma, shifted_beta
from cxkit.buyers import PLACES
from cxkit.errors import CxkitError, DataError, UsageError
from cxkit.estimates import Estimate, mean, normal, unknown
from cxkit.group_table import given_back
from cxkit.likelihood import slopes
from cxkit.purchase_history import (
    ALL,
    WEEK,
    days_after,
    first_purchase,
    purchase_history,
    purchases_between,
    purchases_by_age,
    renewal_gaps,
    revenue_by_age,
    subscribers,
    weekly_purchases,
)

if TYPE_CHECKING:
    import ibis

ARTICLE, HISTORIC, COHORT, MODEL = "article", "historic", "cohort", "model"
SUBSCRIPTION, LAST_YEAR = "subscription", "last year"
RUNGS = (ARTICLE, HISTORIC, COHORT, MODEL, SUBSCRIPTION)  # the simplest first
LABELS = {
    ARTICLE: "Article's formula",
    HISTORIC: "Each one's own past",
    COHORT: "Cohort curve",
    MODEL: "BG/NBD model",
    SUBSCRIPTION: "Renewals (sBG)",
    LAST_YEAR: "Same as before",
}
GOING_BY = {  # for who has not read of the ladder
    ARTICLE: "the average buyer of the last year",
    HISTORIC: "how often each one has returned so far, and for how much",
    COHORT: "what customers of the same age brought",
    MODEL: "a model of how often each one comes and when he stops",
    SUBSCRIPTION: "how many subscribers renewed each time",
    LAST_YEAR: "what customers known before brought",
}
ASSUMES = {
    ARTICLE: "Everybody known goes on as the average buyer of the last year did: orders a year times order value. It is"
    " revenue, not profit, of as long as one looks, not of a lifetime; nobody ever stops.",
    HISTORIC: "Each customer goes on returning as often, and for as much, as since the first purchase: nobody stops,"
    " and who bought once never returns.",
    COHORT: "A customer buys what others bought at that age (weeks since the first purchase); ages that too few have"
    " reached bring what the last observed weeks brought. Customers of one age are all alike.",
    MODEL: "While active, each customer returns at random at a rate of his own, and may stop for good after any return;"
    " what a purchase brings varies around a mean of his own, whatever the rate. No season and no trend.",
    SUBSCRIPTION: "Everybody renews after equal periods until he stops, with a probability of his own that stays the"
    " same at each renewal; who is lost stays lost. Who is overdue is as likely to be late as those who renewed were.",
    LAST_YEAR: "Each customer known now buys what a customer known then bought on average: no step of the ladder, but"
    " what it is held against.",
}
A_YEAR = "the same weeks a year before"
YEAR = 52  # weeks, so that weekdays fall on each other
LEAST_WEEKS = 8  # of data before a window, or customers known by then are a handful
SCALED_FROM = 4  # weeks: from fewer no year's orders are told, and no rate of a customer's own
FARTHEST = 4  # times as long as what was observed; a longer horizon is not told by scaling up
LEAST_OBSERVED = 30  # customers; an age that fewer were observed at says little
TAIL = 8  # weeks at the end of the cohort curve that stand for all older ages
KNOTS = 8  # times at which the model is asked; between them a smooth curve
FOR_GRADIENT = 20_000  # distinct histories that stand for all others in the interval


def forecasts(
    orders: "ibis.Table", *, as_of: date, weeks: int, every_days: int = 0, category: str = ALL, level: float = 0.95
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """What each rung expects of the customers known at the end of `as_of`, for the `weeks` after it.

    From: orders (lines); what comes after `as_of` is not looked at, but for refunds of orders before it. `every_days`:
    the days from one renewal to the next, 0 where nobody subscribes (then there is no subscription rung); `category`:
    of the lines that are the subscription, "all" for every line.
    To: (1) by rung, a frame ordered by customer_id: customer_id, x (purchases after the first so far), purchases and
    revenue (expected; the subscription's rung has subscribers only); (2) by week: week (0 …), rung, label, purchases,
    revenue (sums over the customers); (3) the ladder (see `ladder`). A rung that these data cannot give is missing in
    (1) and (2); (3) says why.
    Revenue is what was kept of it (refunds off), neither margin nor discounted.
    Raises UsageError where `weeks` is below 1, or as `purchase_history.subscribers`.
    """
    if weeks < 1:
        raise UsageError(f"weeks, the horizon, must be at least 1; found {weeks}. Customary: 26 or 52.")
    history = purchase_history(orders, as_of=as_of)
    makers = {
        ARTICLE: lambda: _article(orders, history, as_of, weeks, level),
        HISTORIC: lambda: _historic(history, weeks, level),
        COHORT: lambda: _cohort(orders, history, as_of, weeks, level),
        MODEL: lambda: _model(history, weeks, level),
        LAST_YEAR: lambda: _last_year(orders, history, as_of, weeks, level),
    }
    if every_days:
        people = subscribers(orders, as_of=as_of, every_days=every_days, category=category)
        people = people.merge(history[["customer_id", "x"]], on="customer_id", how="left")
        gaps = renewal_gaps(orders, as_of=as_of, every_days=every_days, category=category)
        makers[SUBSCRIPTION] = lambda: _subscription(people, gaps, every_days, weeks, level)
    by_rung, by_week, rows = {}, [], []
    for rung in (*RUNGS, LAST_YEAR):
        if rung not in makers:
            continue
        try:
            if history.empty:
                raise DataError(f"nobody has bought by {as_of}.")
            frame, weekly, estimate = makers[rung]()
        except CxkitError as fault:
            rows.append(_row(rung, unknown("money", level=level, method=str(fault))))
            continue
        rows.append(_row(rung, estimate))
        by_rung[rung] = frame.assign(revenue=frame["revenue"].round(PLACES))
        named = {"week": np.arange(weeks), "rung": rung, "label": rows[-1]["label"]}
        by_week.append(named | dict(zip(("purchases", "revenue"), weekly, strict=True)))
    empty = {"week": np.zeros(0, int), "rung": [], "label": [], "purchases": np.zeros(0), "revenue": np.zeros(0)}
    weekly = pd.concat([pd.DataFrame(part) for part in by_week or [empty]], ignore_index=True)
    return by_rung, weekly.round({"purchases": 6, "revenue": PLACES}), pd.DataFrame(rows)


def ladder(
    orders: "ibis.Table", *, as_of: date, weeks: int, every_days: int = 0, category: str = ALL, level: float = 0.95
) -> pd.DataFrame:
    """What a customer known at the end of `as_of` is expected to bring in the `weeks` after it, rung by rung.

    From and Raises: as `forecasts`. To, the simplest rung first and the benchmark last: rung, label,
    value_per_customer (revenue over the horizon, refunds off, not discounted), low, high, n, level, method, assumes (a
    sentence). A rung that these data cannot give has no number; its method says why.
    The interval says how well the rung's own number is known, if what it assumes is true. Whether it is true, the
    held-out test says (`holdout.held_out`).
    """
    return forecasts(orders, as_of=as_of, weeks=weeks, every_days=every_days, category=category, level=level)[2]


def _row(rung: str, estimate: Estimate) -> dict:
    ends = {name: getattr(estimate, name) for name in ("low", "high", "n", "level", "method")}
    label = "Same as a year before" if estimate.known and A_YEAR in estimate.method else LABELS[rung]
    value = {"rung": rung, "label": label, "value_per_customer": estimate.value}
    return value | ends | {"assumes": ASSUMES[rung]}


def _frame(history: pd.DataFrame, purchases: np.ndarray | float, revenue: np.ndarray | float) -> pd.DataFrame:
    x = history["x"].to_numpy()
    return pd.DataFrame({"customer_id": history["customer_id"], "x": x, "purchases": purchases, "revenue": revenue})


def _evenly(frame: pd.DataFrame, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    """The same in every week."""
    return tuple(np.full(weeks, frame[name].sum() / weeks) for name in ("purchases", "revenue"))


def _times(estimate: Estimate, factor: float, method: str) -> Estimate:
    if not estimate.known:
        return unknown("money", n=estimate.n, level=estimate.level, method=estimate.method)
    ends = (float(factor * end) for end in (estimate.value, estimate.low, estimate.high))
    return Estimate(*ends, estimate.n, "money", estimate.level, method)


def _scaled(seen: float, weeks: int) -> None:
    if weeks > FARTHEST * seen:
        raise DataError(
            f"{weeks} weeks are not told by scaling up {seen:.1f} observed ones: a horizon may be at most"
            f" {FARTHEST} times as long as what was observed."
        )


def _article(orders: "ibis.Table", history: pd.DataFrame, as_of: date, weeks: int, level: float):
    """Source: S3: orders a year times order value (100 a time, every three months: 400)."""
    begins = max(pd.Timestamp(history["first_on"].min()).date(), as_of - timedelta(days=YEAR * WEEK - 1))
    span = ((as_of - begins).days + 1) / WEEK
    if span < SCALED_FROM:
        raise DataError(
            f"the orders span {span:.1f} weeks; a year's orders are not told from fewer than {SCALED_FROM} weeks."
        )
    _scaled(span, weeks)
    bought = purchases_between(orders, first=begins, last=as_of, known_by=as_of)
    bought = bought[bought["purchases"] > 0]
    factor = weeks / span
    means = (factor * bought[name].mean() if len(bought) else 0.0 for name in ("purchases", "revenue"))
    frame = _frame(history, *means)
    method = f"mean of the buyers of the last {span:.0f} weeks, Student's t"
    return frame, _evenly(frame, weeks), _times(mean(bought["revenue"], unit="money", level=level), factor, method)


def _historic(history: pd.DataFrame, weeks: int, level: float):
    _scaled(float(history["T"].max()) + 1 / WEEK, weeks)  # the first day is seen too
    x = history["x"].to_numpy(dtype=float)
    rate = x / np.maximum(history["T"].to_numpy(), SCALED_FROM)
    frame = _frame(history, weeks * rate, weeks * rate * history["spend"].fillna(0.0).to_numpy())
    method = f"mean of the customers' own rates (over {SCALED_FROM} weeks where seen for fewer), Student's t"
    return frame, _evenly(frame, weeks), _times(mean(frame["revenue"], unit="money", level=level), 1, method)


def _cohort(orders: "ibis.Table", history: pd.DataFrame, as_of: date, weeks: int, level: float):
    ages = purchases_by_age(orders, as_of=as_of)
    ages = ages[ages["customers"] >= LEAST_OBSERVED]
    if ages.empty:
        raise DataError(f"fewer than {LEAST_OBSERVED} customers could be observed for a week after their first one.")
    seen, customers = len(ages), ages["customers"].to_numpy(dtype=float)
    _scaled(seen, weeks)
    tail = slice(max(seen - TAIL, 0), seen)
    age, place = np.unique(history["T"].to_numpy(), return_inverse=True)
    count = np.bincount(place)
    ends = age[:, None] + np.arange(weeks + 1)  # ages at the weeks' borders
    curves = []
    for name in ("purchases", "revenue"):
        sums = ages[name].to_numpy(dtype=float)
        rising = np.concatenate([[0.0], np.cumsum(sums / customers)])
        beyond = np.maximum(ends - seen, 0) * (sums[tail].sum() / customers[tail].sum())
        curves.append(np.interp(ends, np.arange(seen + 1), rising) + beyond)
    frame = _frame(history, *(np.round(c[:, -1] - c[:, 0], 10)[place] for c in curves))
    weekly = tuple(count @ np.diff(c, axis=1) for c in curves)
    # how often each age's mean is used, so that the interval follows from what each customer brought at it
    first, last = ends[:, :1], ends[:, -1:]
    inside = np.clip(last - np.arange(seen), 0, 1) - np.clip(first - np.arange(seen), 0, 1)
    uses = np.zeros((2, seen))
    uses[0] = count @ inside / customers
    uses[1, tail] = count @ (np.maximum(last - seen, 0) - np.maximum(first - seen, 0))[:, 0] / customers[tail].sum()
    means = ages["revenue"].to_numpy() / customers
    expected = uses[0] * means + uses[1] * ages["revenue"].to_numpy()[tail].sum() / customers[tail].sum()
    error = _spread(orders, history, as_of=as_of, uses=uses.sum(axis=0), expected=expected)
    n = len(history)
    method = f"sums by age over the customers observed ({seen:,} weeks of age), linearised by customer"
    return frame, weekly, normal(frame["revenue"].sum() / n, error / n, n, unit="money", level=level, method=method)


def _spread(
    orders: "ibis.Table", history: pd.DataFrame, *, as_of: date, uses: np.ndarray, expected: np.ndarray
) -> float:
    """The standard error of a weighted sum over ages, from each customer's distance from what is expected of him.

    `uses`: the weight of an age's revenue; `expected`: that weight times the mean of those observed at the age.
    """
    brought = revenue_by_age(orders, as_of=as_of, weights=uses).set_index("customer_id")["brought"]
    through = np.minimum(history["T"].to_numpy().astype("int64"), len(uses))
    apart = brought.reindex(history["customer_id"]).fillna(0.0).to_numpy()
    apart = apart - np.concatenate([[0.0], np.cumsum(expected)])[through]
    return float(np.sqrt(np.square(apart).sum()))


def _model(history: pd.DataFrame, weeks: int, level: float):
    if given_back(history["revenue"].to_numpy(dtype=float)):
        raise DataError("many customers were given back more than they paid: the model of spend has no ground.")
    model = bg_nbd.fit_bg_nbd(history)
    spend_model = gamma_gamma.fit_gamma_gamma(history[(history["x"] >= 1) & (history["spend"] > 0)])
    spends = history[["x", "spend"]].assign(spend=history["spend"].clip(lower=0))
    spend = gamma_gamma.expected_spend(spend_model, spends)
    alike = history.groupby(["x", "t_x", "T"], sort=True)
    place = alike.ngroup().to_numpy()
    rows = alike.size().rename("customers").reset_index()
    weights = np.stack([rows["customers"], np.bincount(place, weights=spend, minlength=len(rows))])
    # as far as the last knot; a smooth, rising curve between them
    knots = np.unique(np.linspace(0, weeks, min(weeks, KNOTS) + 1))
    expected = [np.zeros(len(rows)), *(bg_nbd.expected_future(model, rows, weeks=float(w)) for w in knots[1:])]
    frame = _frame(history, expected[-1][place], expected[-1][place] * spend)
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(knots, np.stack([weights @ e for e in expected]))(np.arange(weeks + 1))
    n, total = len(history), float(frame["revenue"].sum())
    # the value's slope along each parameter's logarithm
    some = slice(None, None, -(-len(rows) // FOR_GRADIENT))
    few, many = rows.iloc[some], weights[1, some]
    base = float(many @ expected[-1][some])
    of_counts = slopes(model, lambda m: many @ bg_nbd.expected_future(m, few, weeks=float(weeks)) / base)
    frequency = expected[-1][place]
    of_spend = slopes(spend_model, lambda m: frequency @ gamma_gamma.expected_spend(m, spends) / total)
    variance = sum(s @ np.array(m.covariance) @ s for s, m in ((of_counts, model), (of_spend, spend_model)))
    method = "maximum likelihood; delta method from the parameters' errors"
    estimate = normal(total / n, total / n * np.sqrt(variance), n, unit="money", level=level, method=method)
    return frame, tuple(np.diff(curve, axis=0).T), estimate


def _last_year(orders: "ibis.Table", history: pd.DataFrame, as_of: date, weeks: int, level: float):
    begins = first_purchase(orders, as_of=as_of)
    for shift in (-(-weeks // YEAR) * YEAR, weeks):
        known_by = as_of - timedelta(weeks=shift)
        if known_by - begins >= timedelta(weeks=LEAST_WEEKS):
            break
    else:
        raise DataError(
            f"the data begin on {begins}: neither the same weeks a year before nor the {weeks} weeks just before"
            f" {as_of} have {LEAST_WEEKS} weeks of data before them."
        )
    first, last = days_after(known_by, weeks)
    bought = purchases_between(orders, first=first, last=last, known_by=known_by)
    weekly = weekly_purchases(orders, first=first, last=last, known_by=known_by)
    factor = len(history) / len(bought)
    frame = _frame(history, bought["purchases"].mean(), bought["revenue"].mean())
    which = A_YEAR if shift % YEAR == 0 and shift > weeks else "the weeks just before"
    method = f"mean over the customers known then; {which} ({first} to {last}), Student's t"
    by_week = tuple(factor * weekly[name].to_numpy(dtype=float) for name in ("purchases", "revenue"))
    return frame, by_week, _times(mean(bought["revenue"], unit="money", level=level), 1, method)


def _subscription(people: pd.DataFrame, gaps: pd.DataFrame, every_days: int, weeks: int, level: float):
    """Who has not paid since his last renewal is still there with the chance r G / (r G + 1 - r): r, that he renews at
    all; G, the observed share of renewals that took longer than he has been silent. Nobody ever late: G is 0.
    """
    counted = people.groupby(["renewals", "lost"], sort=True).size().rename("customers").reset_index()
    model = shifted_beta.fit_shifted_beta(counted)
    alike = people[~people["lost"]].groupby(["paid", "silent_days"], sort=True)
    rows = alike.agg(customers=("spend", "size"), spend=("spend", "sum")).reset_index()
    place = np.full(len(people), -1)
    place[~people["lost"].to_numpy()] = alike.ngroup().to_numpy()
    paid, silent = (rows[name].to_numpy() for name in ("paid", "silent_days"))
    renewed = gaps[gaps["renewal"]]
    period = every_days  # late payers make it longer, and extra purchases not shorter
    if len(renewed):
        period = float((gaps["gap"] * gaps["count"]).sum() / renewed["count"].sum())
    steps = np.arange(1, int(weeks * WEEK / period) + 3)
    # days after as_of; what is overdue comes at once, if it comes
    due = np.maximum(period - silent, 1)[:, None] + (steps - 1) * period
    inside = due < weeks * WEEK + 1
    count = renewed["count"].to_numpy(dtype=float)
    later = np.append(count[::-1].cumsum()[::-1], 0.0) / max(count.sum(), 1)
    later = later[np.searchsorted(renewed["gap"].to_numpy(), silent, side="right")]

    def by_step(model) -> np.ndarray:
        renews = shifted_beta.renewal_rate(model, paid + 1)
        there = renews * later / (renews * later + 1 - renews)
        next_one = shifted_beta.survival(model, paid + 1)[:, None]
        share = there[:, None] * shifted_beta.survival(model, paid[:, None] + steps) / next_one
        return np.where(inside, share, 0.0)

    share = by_step(model)
    expected = np.append(share.sum(axis=1), 0.0)[place]
    frame = _frame(people, expected, expected * people["spend"].to_numpy())
    week = np.clip((due - 1) // WEEK, 0, weeks - 1).astype(int).ravel()
    by_week = tuple(
        np.bincount(week, weights=(share * rows[name].to_numpy()[:, None]).ravel(), minlength=weeks)
        for name in ("customers", "spend")
    )
    n, total, spend = len(people), float(frame["revenue"].sum()), rows["spend"].to_numpy()
    slope = slopes(model, lambda m: spend @ by_step(m).sum(axis=1))
    error = float(np.sqrt(slope @ np.array(model.covariance) @ slope))
    method = "maximum likelihood, per subscriber; delta method from the parameters' errors"
    return frame, by_week, normal(total / n, error / n, n, unit="money", level=level, method=method)
