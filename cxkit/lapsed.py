"""After what silence has a customer left, and how many have?"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import placed_orders
from cxkit.cadence import FEW, check_chance
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown, wilson
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, format_ends, format_interval, format_value
from cxkit.survival import kaplan_meier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAPSED_CHANCE = 0.1  # fewer than this share come back after a silence called lapsed
SILENCES = (90, 180, 270)  # days after which one may be called lapsed, told beside the stated definition


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

    From: `purchase_gaps`. To, a row for 0 days (every purchase; those of the last day itself do not count) and one for
    each length at which a silence ended or is cut by the last day: silence_days, value
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
    if len(curve) and curve["time"].iloc[0] > 0:  # before the first of them everybody is silent still
        start = {"time": 0.0, "at_risk": curve["at_risk"].iloc[0], "events": 0, "censored": 0, "survival": 1.0}
        curve = pd.concat([pd.DataFrame([start]), curve], ignore_index=True)
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


def lapsed_after(comeback: pd.DataFrame, *, chance: float = LAPSED_CHANCE, days: int = 0) -> Estimate:
    """The silence after which a customer counts as lapsed: fewer than `chance` come back after it.

    From: `comeback`; `days`: the client's own definition, which then stands instead (0: from the cadence).
    To: Estimate in days: the first silence at which the share who come back lies below `chance`; its interval runs from
    where the share's low end does to where its high end does. Unknown where no silence that can be followed for as long
    again goes so far: the customers' rhythm is too slow for so short a history; and where fewer than `chance` of all
    purchases were followed by another: then nobody has a rhythm that a silence could break.
    Raises UsageError where `chance` is not between 0 and 1 or `days` is below 0.
    """
    check_chance(chance, "lapsed_chance")
    if days < 0:
        raise UsageError(f"lapsed_days must be 0 or more; found {days}. 0 takes it from the customers' cadence.")
    n = int(comeback["n"].max()) if len(comeback) else 0
    if days:
        return Estimate(float(days), float(days), float(days), n, "days", 1.0, "set by the client")
    level = float(comeback["level"].iloc[0]) if len(comeback) else 0.95
    settled = comeback[comeback["settled"]]
    if len(settled) and settled["value"].iloc[0] < chance:
        came = format_value(settled["value"].iloc[0], "share")
        why = f"only {came} of all purchases were" if settled["value"].iloc[0] > 0 else "no purchase was"
        return unknown("days", n=n, level=level, method=f"{why} followed by another so far")
    longer = settled[settled["silence_days"] >= 1]
    if not (longer["value"] < chance).any():
        if comeback.empty:
            why = f"fewer than {FEW} silences can be followed"
        elif longer.empty:
            why = "no silence can be followed for as long again"
        else:
            last = longer.iloc[-1]
            came = format_value(last["value"], "share")
            why = (
                f"even after {last['silence_days']:,.0f} days of silence {came} came back, and longer "
                "silences cannot be followed for as long again"
            )
        return unknown("days", n=n, level=level, method=why)
    ends = []
    for name in ("value", "low", "high"):
        below = longer.loc[longer[name] < chance, "silence_days"]
        ends.append(float(below.iloc[0]) if len(below) else np.inf)
    method = "Kaplan-Meier of the gaps" + ("" if np.isfinite(ends[2]) else "; how long at most cannot be seen yet")
    return Estimate(ends[0], min(ends[1], ends[0]), ends[2], n, "days", level, method)


def lapsed_in_words(lapsed: Estimate, *, chance: float = LAPSED_CHANCE) -> str:
    """The definition of a lapsed customer, in words. From: `lapsed_after`."""
    if lapsed.level == 1:
        days = format_value(lapsed.value, "days")
        return f"A customer silent for more than {days} counts as lapsed: this length was set by the client."
    share = format_value(chance, "share")
    if not np.isfinite(lapsed.value):
        return (
            f"After what silence fewer than {share} come back: too early to say, since {lapsed.method}. "
            "Until then lapsed is a matter of definition, and a length that suits the business may be set."
        )
    ends = format_interval(lapsed) if lapsed.known else f"at least {format_value(lapsed.low, 'days')}"
    days = format_value(lapsed.value, "days")
    return (
        f"A customer silent for more than {days} counts as lapsed: after so long fewer than {share} came back "
        f"({ends}, n = {lapsed.n:,} silences)."
    )


def plot_comeback(
    comeback: pd.DataFrame, *, lapsed: Estimate, chance: float = LAPSED_CHANCE, ax: "Axes | None" = None
) -> "Axes":
    """`comeback` as a falling line with its band, the chance below which one is lapsed, and where the line crosses it.

    Hatched: silences that cannot be followed for as long again, where the share falls because sight ends.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    ax.set(xlabel="Days of silence so far", ylabel="Share who come back", title="Who comes back after a silence")
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    if comeback.empty or not comeback["seen_days"].iloc[0] > 0:
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


def describe_comeback(comeback: pd.DataFrame, *, lapsed: Estimate, chance: float = LAPSED_CHANCE) -> str:
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


def churn_table(
    orders: ibis.Table, comeback: pd.DataFrame, *, as_of: date, lapsed: Estimate, level: float = 0.95
) -> pd.DataFrame:
    """The share of customers who have lapsed, by several definitions of it, the stated one among them.

    From: orders (lines), `comeback`, `lapsed_after`. To, by rising length: lapsed_days, stated (yes/no:
    the definition that holds here), value (share of those active so long ago who have lapsed since), low, high, n,
    level, method (`churn_share`), comeback (share who come back after a silence so long: called lapsed though they are
    not; missing where sight is too short to tell).
    """
    own = [round(lapsed.value)] if np.isfinite(lapsed.value) else []
    rows = []
    for days in sorted({*own, *SILENCES}):
        share = churn_share(orders, as_of=as_of, lapsed_days=days, level=level)
        fields = {name: getattr(share, name) for name in ("value", "low", "high", "n", "level", "method")}
        seen = comeback[comeback["silence_days"] <= days]
        settled = len(seen) > 0 and bool(2 * days <= comeback["seen_days"].iloc[0])
        rest = float(seen["value"].iloc[-1]) if settled else np.nan
        rows.append({"lapsed_days": days, "stated": days in own} | fields | {"comeback": rest})
    return pd.DataFrame(rows)


def churn_share(orders: ibis.Table, *, as_of: date, lapsed_days: float, level: float = 0.95) -> Estimate:
    """Of the customers who were active `lapsed_days` ago, the share who have lapsed since.

    From: orders (lines); `lapsed_days`: the silence after which one is lapsed (`lapsed_after`; NaN: not known). Active
    is who has purchased within `lapsed_days` up to a day, lapsed who has not. To: Estimate (share, Wilson).
    Unknown where the silence is not known or below a day, where the data do not reach back for twice `lapsed_days`, or
    where fewer than five were active then.
    """
    if not (np.isfinite(lapsed_days) and lapsed_days >= 1):
        return unknown("share", level=level, method="after what silence a customer is lapsed cannot be told yet")
    days = round(lapsed_days)
    then = as_of - timedelta(days=days)
    totals = placed_orders(orders, as_of=as_of)
    before = (totals.ordered_on <= ibis.literal(then)) & (totals.ordered_on > ibis.literal(then - timedelta(days=days)))
    people = totals.filter(totals.customer_id.notnull()).group_by("customer_id")
    people = people.aggregate(active=before.any(), since=(totals.ordered_on > ibis.literal(then)).any())
    counts = people.group_by("active", "since").aggregate(customers=people.count())
    frame = collect(counts, order_by=["active", "since"])
    first = collect(totals.aggregate(first=totals.ordered_on.min()), order_by="first")["first"].iloc[0]
    active = frame[frame["active"].astype(bool)]
    n = int(active["customers"].sum())
    if pd.isna(first) or pd.Timestamp(first).date() > then - timedelta(days=days - 1):
        return unknown("share", n=n, level=level, method=f"the data do not reach back for {2 * days:,} days")
    if n < LEAST_SHOWN:
        few = f"fewer than {LEAST_SHOWN} customers were active {days:,} days ago"
        return unknown("share", n=n, level=level, method=few)
    return wilson(int(active.loc[~active["since"].astype(bool), "customers"].sum()), n, level=level)


def churn_finding(share: Estimate, *, lapsed_days: float) -> Finding:
    """loyalty.churn_share: how many of those active before have lapsed. From: `churn_share`, and the same days."""
    days = f"{lapsed_days:,.0f}" if np.isfinite(lapsed_days) else "so many"
    return Finding(
        id="loyalty.churn_share",
        claim=f"{{value}} of the customers who were active {days} days ago have lapsed since: no order for {days} days "
        "({interval}).",
        estimate=share,
        label="Customers active before who have lapsed",
        higher_is_better=False,
        evidence=("churn",),
        action="Ask those who lapsed last why, before winning them back with discounts.",
    )
