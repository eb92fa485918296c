"""How often does each customer come, who is overdue by his own rhythm, and after what silence is one lapsed?"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.bg_nbd import fit_bg_nbd
from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import DataError, UsageError
from cxkit.estimates import Estimate, unknown, wilson, wilson_ends
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import GREY, INK, format_ends, format_interval, format_value
from cxkit.survival import kaplan_meier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 30  # silences so long that can still be followed; beyond, single ones move the curve
NO_RHYTHM = f"fewer than {FEW} customers, or none of them came back: their rhythm cannot be told"
WITH_STOPS, ONE_STOP = "BG/NBD", "BG/NBD with one chance of stopping for everybody"
CLASSES = {"2": (2, 2), "3 to 5": (3, 5), "6 and more": (6, None)}  # purchases so far
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers in the class, or in one that could be worked out from it"


@dataclass(frozen=True)
class Rates:
    """How the rates at which customers purchase while they are customers are spread: gamma(shape, days).

    shape: r of the literature; days: its alpha, in days; model: what they were estimated by; customers: of how many.
    """

    shape: float
    days: float
    model: str
    customers: int


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
    x = customers["purchases"].to_numpy(dtype=float) - 1
    t_x = customers["span_days"].to_numpy(dtype=float)
    T = t_x + customers["silence_days"].to_numpy(dtype=float)
    if len(customers) < FEW or not (x > 0).any():
        return Rates(np.nan, np.nan, NO_RHYTHM, len(customers))
    try:
        model = fit_bg_nbd(pd.DataFrame({"x": x.astype("int64"), "t_x": t_x / 7, "T": T / 7}))
    except DataError:
        shape, days, _ = _one_stop(x, t_x, T)
        return Rates(shape, days, ONE_STOP, len(customers))
    return Rates(model.r, 7 * model.alpha, WITH_STOPS, len(customers))


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


def customer_cadence(customers: pd.DataFrame, rates: Rates, *, overdue_chance: float = 0.1) -> pd.DataFrame:
    """Each customer's usual gap, and how likely a silence as long as his is while he is still a customer.

    From: `purchase_days`, `fit_rates`. To: those rows, usual_gap_days = (days + span_days) / (shape + x), x being the
    purchases after the first: his own mean gap, drawn towards everybody's the more, the fewer gaps he has shown;
    chance (the larger of two: (b / (b + silence_days)) ^ a with a = shape + x and b = days + span_days; and the same
    from his own purchases alone, a = x and b = span_days); overdue_after_days (the silence whose chance is
    `overdue_chance`); overdue (yes/no: his silence is longer, and he came back at least once; who came once has shown
    no rhythm of his own, and is `second_order`'s matter).
    Why the larger: of those who are still customers at `as_of`, those whose silence is long by chance, and those who
    purchase slowly, are more than the first formula holds; the second is exact for them, since a customer's purchases
    at a constant rate lie in his time evenly. So of customers who have not stopped at most `overdue_chance` are called
    overdue; but the second alone would call somebody overdue for a silence that is short against everybody's gaps.
    Source: exponential gaps over a gamma rate: Lomax (1954), JASA 49(268), 847-852; purchases that lie evenly: Cox &
    Lewis (1966), The Statistical Analysis of Series of Events, ch. 3.
    Raises UsageError where `overdue_chance` is not between 0 and 1.
    """
    _check_chance(overdue_chance, "overdue_chance")
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
    )


def _check_chance(chance: float, name: str) -> None:
    if not 0 < chance < 1:
        raise UsageError(f"{name} must lie between 0 and 1; found {chance}. Customary: 0.1.")


def overdue_customers(cadence: pd.DataFrame) -> pd.DataFrame:
    """Who is overdue, those who spent most first: the list to act upon. From: `customer_cadence`."""
    columns = ["customer_id", "purchases", "usual_gap_days", "overdue_after_days", "silence_days", "last_on", "revenue"]
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


def overdue_in_words(cadence: pd.DataFrame, *, overdue_chance: float, currency: str = "") -> list[str]:
    """How many are overdue, what hangs on them, and how far one may trust it. From: `customer_cadence`."""
    share, late = overdue_share(cadence), cadence[cadence["overdue"]]
    if not share.known:
        return [f"Who is overdue: too early to say (n = {share.n:,}; {share.method})."]
    money, whole = late["revenue"].sum(), cadence["revenue"].sum()
    told = [
        f"{len(late):,} of {share.n:,} customers who came back before are overdue: "
        f"{format_value(share.value, 'share')} ({format_interval(share)})."
    ]
    if whole > 0 and money >= 0 and len(late) >= LEAST_SHOWN:
        part = format_value(money / whole, "share")
        told.append(f"They spent {format_value(money, 'money', currency)} so far, {part} of what all customers spent.")
    chance = format_value(overdue_chance, "share")
    return [*told, f"Of customers who have not left, at most about {chance} would be called overdue by chance alone."]


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


def purchase_gaps(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """How long customers were silent between purchases, and those who are silent still.

    From: orders (lines). To, counted, ordered: gap_days (from a purchase to the customer's next, or to `as_of` where
    there was none yet), ended (yes/no: the next one came), gaps (how many).
    What is left out: orders without a customer. Same-day orders are one purchase.
    """
    totals = placed_orders(orders, as_of=as_of)
    days = totals.filter(totals.customer_id.notnull()).select("customer_id", "ordered_on").distinct()
    after = days.ordered_on.lead().over(ibis.window(group_by="customer_id", order_by="ordered_on"))
    days = days.mutate(after=after)
    spans = days.select(
        gap_days=days.after.fill_null(ibis.literal(as_of)).delta(days.ordered_on, unit="day").cast("int64"),
        ended=days.after.notnull(),
    )
    counted = spans.group_by("gap_days", "ended").aggregate(gaps=spans.count())
    return collect(counted, order_by=["gap_days", "ended"]).astype({"gaps": "int64", "gap_days": "int64"})


def comeback(gaps: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How many come back after a silence of so many days, within as long as can be observed.

    From: `purchase_gaps`. To, one row a length at which a silence ended or is cut by the last day: silence_days, value
    (share of longer silences that end within sight), low, high, n (silences longer than that), level, method,
    seen_days (how far sight reaches: the last day on which 30 silences could still be followed), settled (yes/no: such
    silences can be followed for at least as long again; beyond, the share falls because sight ends).
    value = 1 - S(seen_days) / S(silence_days), S being Kaplan & Meier's curve of the gaps, in which silences that go on
    are censored. The ends are pointwise, from Greenwood's variance of the ratio on the scale of log(-log), with the
    gaps as independent: a customer has several, so they are a little too narrow. Sight is shorter after a longer
    silence, which lowers the share as well.
    What it rests on: that those silent now come back as those before them did.
    """
    from scipy.special import ndtri

    columns = ["silence_days", "value", "low", "high", "n", "level", "method", "seen_days", "settled"]
    counts = (gaps[name].to_numpy() for name in ("gap_days", "ended", "gaps"))
    durations, ended, weights = counts
    curve = kaplan_meier(durations, ended, weights=weights)
    curve = curve[curve["at_risk"] >= FEW]
    if curve.empty:
        return pd.DataFrame(columns=columns).astype({"settled": bool, "value": float})
    at_risk, events = curve["at_risk"].to_numpy(float), curve["events"].to_numpy(float)
    survival, days = curve["survival"].to_numpy(float), curve["time"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(survival > 0, survival[-1] / survival, np.nan)  # still silent at the end of sight
        steps = np.cumsum(events / (at_risk * (at_risk - events)))
        half = ndtri((1 + level) / 2) * np.sqrt(steps[-1] - steps) / np.abs(np.log(rest))
        inside = (rest > 0) & (rest < 1)
        low = np.where(inside, 1 - rest ** np.exp(-half), np.nan)
        high = np.where(inside, 1 - rest ** np.exp(half), np.nan)
    after = at_risk - events - curve["censored"].to_numpy(float)
    told = {"value": 1 - rest, "low": low, "high": high, "n": after.astype("int64"), "level": level}
    return pd.DataFrame({"silence_days": days.astype("int64"), **told}).assign(
        method="Kaplan-Meier of the gaps, Greenwood", seen_days=int(days[-1]), settled=2 * days <= days[-1]
    )[columns]


def lapsed_after(comeback: pd.DataFrame, *, chance: float = 0.1, days: int = 0) -> Estimate:
    """The silence after which a customer counts as lapsed: fewer than `chance` come back after it.

    From: `comeback`; `days`: the client's own definition, which then stands instead (0: from the cadence).
    To: Estimate in days: the first silence at which the share who come back lies below `chance`; its interval runs from
    where the share's low end does to where its high end does. Unknown where no silence that can be followed for as long
    again goes so far: the customers' rhythm is too slow for so short a history.
    Raises UsageError where `chance` is not between 0 and 1 or `days` is below 0.
    """
    _check_chance(chance, "lapsed_chance")
    if days < 0:
        raise UsageError(f"lapsed_days must be 0 or more; found {days}. 0 takes it from the customers' cadence.")
    n = int(comeback["n"].max()) if len(comeback) else 0
    if days:
        return Estimate(float(days), float(days), float(days), n, "days", 1.0, "set by the client")
    level = float(comeback["level"].iloc[0]) if len(comeback) else 0.95
    settled = comeback[comeback["settled"]]
    if not (settled["value"] < chance).any():
        if settled.empty:
            why = f"fewer than {FEW} silences can be followed"
        else:
            last = settled.iloc[-1]
            came = format_value(last["value"], "share")
            why = (
                f"even after {last['silence_days']:,.0f} days of silence {came} came back, and longer "
                "silences cannot be followed for as long again"
            )
        return unknown("days", n=n, level=level, method=why)
    ends = []
    for name, rows in (("value", settled), ("low", settled), ("high", settled)):
        below = rows.loc[rows[name] < chance, "silence_days"]
        ends.append(float(below.iloc[0]) if len(below) else np.inf)
    method = "Kaplan-Meier of the gaps" + ("" if np.isfinite(ends[2]) else "; how long at most cannot be seen yet")
    return Estimate(ends[0], min(ends[1], ends[0]), ends[2], n, "days", level, method)


def lapsed_in_words(lapsed: Estimate, *, chance: float) -> str:
    """The definition of a lapsed customer, in words. From: `lapsed_after`."""
    if lapsed.level == 1:
        days = format_value(lapsed.value, "days")
        return f"A customer silent for more than {days} counts as lapsed: this length was set by the client."
    share = format_value(chance, "share")
    if not np.isfinite(lapsed.value):
        return (
            f"After what silence fewer than {share} come back: too early to say, since {lapsed.method}. "
            "Until then lapsed is a matter of definition; set lapsed_days."
        )
    ends = format_interval(lapsed) if lapsed.known else f"at least {format_value(lapsed.low, 'days')}"
    days = format_value(lapsed.value, "days")
    return (
        f"A customer silent for more than {days} counts as lapsed: after so long fewer than {share} came back "
        f"({ends}, n = {lapsed.n:,} silences)."
    )


def plot_comeback(comeback: pd.DataFrame, *, lapsed: Estimate, chance: float, ax: "Axes | None" = None) -> "Axes":
    """`comeback` as a falling line with its band, the chance below which one is lapsed, and where the line crosses it.

    Hatched: silences that cannot be followed for as long again, where the share falls because sight ends.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    ax.set(xlabel="Days of silence so far", ylabel="Share who come back", title="Who comes back after a silence")
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    if comeback.empty:
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY, transform=ax.transAxes)
        return ax
    end = float(comeback["seen_days"].iloc[0])
    rows = comeback[comeback["settled"]]
    ax.fill_between(rows["silence_days"], rows["low"], rows["high"], step="post", color="C0", alpha=0.2, linewidth=0)
    ax.step(rows["silence_days"], rows["value"], where="post", color="C0")
    ax.axvspan(end / 2, end, facecolor="white", edgecolor="#c3c9d0", hatch="////", linewidth=0)
    ax.text(0.75 * end, 0.5, "not to be told yet", ha="center", va="center", color=INK, backgroundcolor="white")
    ax.axhline(chance, color=GREY, linewidth=1, linestyle=":")
    ax.annotate(f"{format_value(chance, 'share')}", (0, chance), (4, 3), textcoords="offset points", color=GREY)
    if np.isfinite(lapsed.value) and lapsed.value <= end:
        ax.axvline(lapsed.value, color=INK, linewidth=1, linestyle=":")
        text = f"lapsed after {format_value(lapsed.value, 'days')}"
        ax.annotate(text, (lapsed.value, 0.97), (-5, 0), textcoords="offset points", ha="right", va="top", rotation=90)
    ax.set(xlim=(0, end), ylim=(0, 1))
    return ax


def describe_comeback(comeback: pd.DataFrame, *, lapsed: Estimate, chance: float) -> str:
    """What `plot_comeback` shows: the share who come back after some silences, and the definition that follows."""
    rows = comeback[comeback["settled"]]
    parts = []
    for day in (30, 90, 180, 365):
        before = rows[rows["silence_days"] <= day]
        if len(before) and day <= rows["silence_days"].max():
            ends = format_ends(before["low"].iloc[-1], before["high"].iloc[-1], "share")
            parts.append(f"{format_value(before['value'].iloc[-1], 'share')} after {day} days ({ends})")
    told = f"Falling line of the share who come back after a silence: {', '.join(parts) or 'too short to tell'}."
    return f"{told} {lapsed_in_words(lapsed, chance=chance)}"
