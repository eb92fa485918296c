"""How often does each customer come, and who is overdue by his own rhythm?"""

from dataclasses import dataclass
from datetime import date

import ibis
import numpy as np
import pandas as pd

from cxkit.bg_nbd import BgNbd, fit_bg_nbd, p_alive
from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import DataError, UsageError
from cxkit.estimates import Estimate, unknown, wilson, wilson_ends
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import format_ends, format_interval, format_value

FEW = 30  # customers, or silences that can still be followed: with fewer, single ones move the numbers
OVERDUE_CHANCE = 0.1  # a silence less likely than this makes a customer overdue
NO_RHYTHM = f"fewer than {FEW} customers, or none of them came back: their rhythm cannot be told"
WITH_STOPS, ONE_STOP = "BG/NBD", "BG/NBD with one chance of stopping for everybody"
CLASSES = {"2": (2, 2), "3 to 5": (3, 5), "6 and more": (6, None)}  # purchases so far
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers in the class, or in one that could be worked out from it"


@dataclass(frozen=True)
class Rates:
    """How the rates at which customers purchase while they are customers are spread: gamma(shape, days).

    shape: r of the literature; days: its alpha, in days; model: what they were estimated by; customers: of how many;
    fitted: BG/NBD (in weeks), where the rates are its own.
    """

    shape: float
    days: float
    model: str
    customers: int
    fitted: BgNbd | None = None


def purchase_days(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Each customer's purchases: how many, from when to when, how long silent since.

    From: orders (lines). To, ordered by customer_id: customer_id, purchases (local days with a counted order),
    first_on, last_on, span_days (first to last), silence_days (last to `as_of`), revenue (kept).
    What is left out: orders without a customer, customers who only returned; returns that matched no sale.
    """
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull())
    people = totals.group_by("customer_id").aggregate(
        purchases=totals.ordered_on.nunique(),
        first_on=totals.ordered_on.min(),
        last_on=totals.ordered_on.max(),
        revenue=totals.revenue.sum().round(PLACES),
    )
    people = people.mutate(
        span_days=people.last_on.delta(people.first_on, unit="day").cast("int64"),
        silence_days=ibis.literal(as_of).delta(people.last_on, unit="day").cast("int64"),
    )
    names = ["customer_id", "purchases", "first_on", "last_on", "span_days", "silence_days", "revenue"]
    frame = collect(people.select(names), order_by="customer_id")
    return frame.astype(dict.fromkeys(("purchases", "span_days", "silence_days"), "int64") | {"revenue": "float64"})


def fit_rates(customers: pd.DataFrame) -> Rates:
    """How often customers purchase while they are customers, and how much they differ in it.

    From: `purchase_days`. The rates are those of BG/NBD, which knows that some of the silent have stopped: a model
    without stops would take their silence for a slow rhythm, and find nobody overdue. Where BG/NBD has no maximum, as
    where nobody is seen to stop or all stop alike, everybody has the same chance of stopping, and `model` says so.
    Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284, equations 3 and 6.
    Not known (NaN, and `model` says why) with fewer than 30 customers, or where nobody came back.
    """
    history = _history(customers)
    x, t_x, T = (history[name].to_numpy(dtype=float) * days for name, days in (("x", 1), ("t_x", 7), ("T", 7)))
    if len(customers) < FEW or not (x > 0).any():
        return Rates(np.nan, np.nan, NO_RHYTHM, len(customers))
    try:
        model = fit_bg_nbd(history)
    except DataError:
        shape, days, _ = _one_stop(x, t_x, T)
        return Rates(shape, days, ONE_STOP, len(customers))
    return Rates(model.r, 7 * model.alpha, WITH_STOPS, len(customers), model)


def _history(customers: pd.DataFrame) -> pd.DataFrame:
    """x, t_x and T (weeks) of `purchase_days`, as BG/NBD takes them."""
    span, silence = customers["span_days"].to_numpy(dtype=float), customers["silence_days"].to_numpy(dtype=float)
    x = customers["purchases"].to_numpy(dtype="int64") - 1
    return pd.DataFrame({"x": x, "t_x": span / 7, "T": (span + silence) / 7})


def _one_stop(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> tuple[float, float, float]:
    """Shape and days of the rates, and the one chance of stopping after a repeat purchase, of greatest likelihood.

    On counts of equal customers; the shape at most 1,000 (all have one rate), the chance perhaps next to 0 (the NBD).
    """
    from scipy.optimize import minimize
    from scipy.special import gammaln, log_expit

    rows, n = np.unique(np.column_stack([x, t_x, T]), axis=0, return_counts=True)
    x, t_x, T = rows.T
    rate = (n @ x) / (n @ T)

    def loss(at: np.ndarray) -> float:
        shape, days = np.exp(at[:2])
        stays, stops = log_expit(-at[2]), log_expit(at[2])
        still = x * stays - (shape + x) * np.log(days + T)
        gone = np.where(x > 0, stops + (x - 1) * stays - (shape + x) * np.log(days + t_x), -np.inf)
        each = gammaln(shape + x) - gammaln(shape) + shape * np.log(days) + np.logaddexp(still, gone)
        return float(-(n @ each)) / n.sum()

    bounds = [(np.log(1e-3), np.log(1e3)), (np.log(1e-3), np.log(1e3 / rate) + 5), (-12.0, 5.0)]
    found = minimize(loss, [0.0, -np.log(rate), -2.0], method="L-BFGS-B", bounds=bounds)
    shape, days = np.exp(found.x[:2])
    return float(shape), float(days), float(np.exp(log_expit(found.x[2])))


def customer_cadence(customers: pd.DataFrame, rates: Rates, *, overdue_chance: float = OVERDUE_CHANCE) -> pd.DataFrame:
    """Each customer's usual gap, and how likely a silence as long as his is while he is still a customer.

    From: `purchase_days`, `fit_rates`. To: those rows, usual_gap_days = (days + span_days) / (shape + x), x being the
    purchases after the first: his own mean gap, drawn towards everybody's the more, the fewer gaps he has shown;
    chance (the larger of two: (b / (b + silence_days)) ^ a with a = shape + x and b = days + span_days; and the same
    from his own purchases alone, a = x and b = span_days); overdue_after_days (the silence whose chance is
    `overdue_chance`); overdue (yes/no: his silence is longer, and he came back at least once; who came once has shown
    no rhythm of his own, and is `second_order`'s matter); p_alive (the chance that he is a customer still, by BG/NBD;
    missing where the rates are not its own).
    Why the larger: of those who are still customers at `as_of`, those whose silence is long by chance, and those who
    purchase slowly, are more than the first formula holds; the second is exact for them, since a customer's purchases
    at a constant rate lie in his time evenly. So of customers who have not stopped at most `overdue_chance` are called
    overdue; but the second alone would call somebody overdue for a silence that is short against everybody's gaps.
    Source: exponential gaps over a gamma rate: Lomax (1954), JASA 49(268), 847-852; purchases that lie evenly: Cox &
    Lewis (1966), The Statistical Analysis of Series of Events, ch. 3.
    Raises UsageError where `overdue_chance` is not between 0 and 1.
    """
    check_chance(overdue_chance, "overdue_chance")
    x = customers["purchases"].to_numpy(dtype=float) - 1
    span, silence = (customers[name].to_numpy(dtype=float) for name in ("span_days", "silence_days"))
    a, b = rates.shape + x, rates.days + span
    alone = x > 0
    own = np.where(alone, x, np.nan), np.where(alone, span, np.nan)
    chances = [np.exp(-shape * np.log1p(silence / days)) for shape, days in ((a, b), own)]
    after = [days * np.expm1(-np.log(overdue_chance) / shape) for shape, days in ((a, b), own)]
    chance = np.where(alone, np.maximum(*chances), chances[0])
    return customers.assign(
        usual_gap_days=b / a,
        chance=chance,
        overdue_after_days=np.where(alone, np.maximum(*after), after[0]),
        overdue=(chance < overdue_chance) & alone,
        p_alive=p_alive(rates.fitted, _history(customers)) if rates.fitted else np.nan,
    )


def check_chance(chance: float, name: str) -> None:
    if not 0 < chance < 1:
        raise UsageError(f"{name} must lie between 0 and 1; found {chance}. Customary: 0.1.")


def overdue_customers(cadence: pd.DataFrame) -> pd.DataFrame:
    """Who is overdue, those who spent most first: the list to act upon. From: `customer_cadence`."""
    columns = ["customer_id", "purchases", "usual_gap_days", "overdue_after_days", "silence_days", "last_on"]
    columns += ["p_alive", "revenue"]
    rows = cadence.loc[cadence["overdue"], columns]
    return rows.sort_values(["revenue", "customer_id"], ascending=[False, True], ignore_index=True)


def overdue_table(cadence: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How many are overdue, by purchases so far, and what the overdue spent in the past.

    From: `customer_cadence`. To: purchases (2, 3 to 5, 6 and more), customers, overdue, value (share overdue), low,
    high, n, level, method (Wilson), usual_gap_days (the median of the class), revenue (what the overdue ones spent).
    What is left out: customers with one purchase; the numbers of classes of under five.
    """
    rows = []
    for name, (least, most) in CLASSES.items():
        inside = cadence[cadence["purchases"].between(least, most or np.inf)]
        late = inside[inside["overdue"]]
        money = round(float(late["revenue"].sum()), PLACES)
        rows.append((name, len(inside), len(late), inside["usual_gap_days"].median(), money))
    frame = pd.DataFrame(rows, columns=["purchases", "customers", "overdue", "usual_gap_days", "revenue"])
    late = np.where(cadence["chance"].notna().any(), frame["overdue"].to_numpy(float), np.nan)
    low, high = wilson_ends(late, frame["customers"], level=level)
    with np.errstate(invalid="ignore"):
        value = late / frame["customers"].to_numpy(float)
    told = frame.assign(value=value, low=low, high=high, n=frame["customers"], level=level, method="Wilson")
    held = withhold_small(told, count="customers").assign(level=level)
    return held.assign(method=held["method"].mask(held["customers"].isna(), WITHHELD))


def overdue_share(cadence: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """The share of customers who came back before and are overdue now (Wilson). From: `customer_cadence`."""
    n = int((cadence["purchases"] >= 2).sum())
    if n < LEAST_SHOWN:
        return unknown("share", n=n, level=level, method=f"fewer than {LEAST_SHOWN} customers came back")
    if cadence["chance"].isna().all():
        return unknown("share", n=n, level=level, method=NO_RHYTHM)
    return wilson(int(cadence["overdue"].sum()), n, level=level)


def overdue_in_words(cadence: pd.DataFrame, *, overdue_chance: float = OVERDUE_CHANCE, currency: str = "") -> list[str]:
    """How many are overdue, what hangs on them, how many of them are still customers, and what the list is for.

    From: `customer_cadence`. How many are still customers: the sum of their chances by BG/NBD, its ends from those
    chances alone (the model's own error is not in them); where the rates are of another model, it is left open.
    """
    share, late = overdue_share(cadence), cadence[cadence["overdue"]]
    if not share.known:
        why = f"{share.n:,} customers came back so far; {share.method}" if share.n else "nobody came back yet"
        return [f"Who is overdue: too early to say ({why})."]
    money, whole = late["revenue"].sum(), cadence["revenue"].sum()
    told = [
        f"{len(late):,} of {share.n:,} customers who came back before are overdue: "
        f"{format_value(share.value, 'share')} ({format_interval(share)})."
    ]
    if whole > 0 and money >= 0 and len(late) >= LEAST_SHOWN:
        part = format_value(money / whole, "share")
        told.append(f"They spent {format_value(money, 'money', currency)} so far, {part} of what all customers spent.")
    purpose = (
        "The list is for asking in good time, while it helps; who brought most and has probably left stands on the "
        "page of customers' lifetime value."
    )
    if len(late) < LEAST_SHOWN:
        return told
    return [*told, _still_in_words(late["p_alive"].to_numpy(dtype=float), overdue_chance), purpose]


def _still_in_words(chances: np.ndarray, overdue_chance: float) -> str:
    """How many of the overdue are still customers."""
    if not np.isfinite(chances).all():
        chance = format_value(overdue_chance, "share")
        return (
            f"Not all of them have left: of all customers who have not, up to about {chance} are silent for so long by "
            "chance. How many of those on the list that is cannot be told here."
        )
    still, spread = chances.sum(), float(np.sqrt((chances * (1 - chances)).sum()))
    low, high = max(still - 1.96 * spread, 0.0), min(still + 1.96 * spread, len(chances))
    ends = format_ends(round(low), round(high), "count")
    people = f"Of the {len(chances):,}, about {still:,.0f}"
    return f"{people} are expected to be still customers ({ends}), the others to have left."


def overdue_finding(share: Estimate) -> Finding:
    """loyalty.overdue_share: how many of those who came back before are silent for too long. From: `overdue_share`."""
    return Finding(
        id="loyalty.overdue_share",
        claim="{value} of customers who came back before are overdue: silent for longer than their own rhythm explains "
        "({interval}).",
        estimate=share,
        label="Customers who came back before and are overdue",
        higher_is_better=False,
        evidence=("overdue",),
        action="Write first to the overdue customers who spent most, and leave out a part of them by lot, to see "
        "whether writing brings them back.",
    )
