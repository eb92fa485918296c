"""What would it save to answer before somebody has to ask: reasons, how many, and what a contact costs?"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown, wilson_ends
from cxkit.group_table import nothing_to_show
from cxkit.pareto import NOT_GIVEN, OTHERS, why_nameless
from cxkit.privacy import LEAST_SHOWN
from cxkit.rate_trends import poisson_ends
from cxkit.style import INK, folded_text, format_ends, format_value, in_quotes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

YEAR = 365
METHOD = "contacts a year (Poisson, overdispersed) times mean cost (normal), errors of both"
COUNTS = "contacts a year (Poisson, overdispersed); what one costs is not known"
SAVINGS = ("reason", "contacts", "contacts_low", "contacts_high", "cost_each", "cost", "cost_low", "cost_high", "value",
           "low", "high", "n", "level", "method", "asked_again", "after_broken_promise", "days", "avoided")  # fmt: skip


def reason_costs(named: Table, *, as_of: date, promised: Table | None = None) -> pd.DataFrame:
    """Contacts of the last 365 days by reason, and what they cost.

    From: contacts with `name` (`contact_reasons.by_reason`), opened_on, customer_id and cost where known; promised:
    `delivery_promises.promised_orders`, to tell who asked after a promised day had passed. To, ordered: reason, count,
    squares (the sum over customers of their counts squared), customers, costed (contacts with a cost), cost, cost_sq,
    traced (contacts whose order and its promise are known; missing where none are), broken (of them, opened after the
    promised day while the order had not come), days (of contacts in the window, at most 365).
    """
    first = named.filter(named.opened_on <= ibis.literal(as_of)).opened_on.min().as_scalar()
    kept = named.filter(named.opened_on <= ibis.literal(as_of), named.opened_on > ibis.literal(as_of - timedelta(YEAR)))
    nameless = ibis.literal("row ") + ibis.row_number().cast("string")
    who = kept.customer_id.fill_null(nameless) if "customer_id" in kept.columns else nameless
    cost = kept.cost.cast("float64") if "cost" in kept.columns else ibis.null("float64")
    order = kept.order_id if "order_id" in kept.columns else ibis.null("string")
    rows = kept.select(reason=kept.name, who=who, cost=cost, order=order, day=kept.opened_on)
    none = ibis.null("int64")
    if promised is None:
        rows = rows.mutate(traced=none, broken=none)
    else:
        due = promised.select(its="order_id", promised_on="promised_on", delivered_on="delivered_on", overdue="late")
        rows = rows.left_join(due, rows.order == due.its)
        late = (rows.day > rows.promised_on) & (rows.delivered_on.isnull() | (rows.delivered_on >= rows.day))
        rows = rows.mutate(
            traced=rows.overdue.notnull().ifelse(1, 0), broken=(rows.overdue & late).fill_null(False).ifelse(1, 0)
        )
    cells = rows.group_by("reason", "who").aggregate(
        count=rows.count(), costed=rows.cost.count(), cost=rows.cost.sum(), cost_sq=(rows.cost * rows.cost).sum(),
        traced=rows.traced.sum(), broken=rows.broken.sum(),
    )  # fmt: skip
    table = cells.group_by("reason").aggregate(
        count=cells["count"].sum(), squares=(cells["count"] * cells["count"]).sum(), customers=cells.count(),
        costed=cells.costed.sum(), cost=cells.cost.sum().round(4), cost_sq=cells.cost_sq.sum().round(4),
        traced=cells.traced.sum(), broken=cells.broken.sum(),
    )  # fmt: skip
    frame = collect(table.mutate(days=ibis.literal(as_of).delta(first, unit="day") + 1), order_by="reason")
    return frame.assign(days=np.minimum(frame["days"].astype(float), YEAR))


def savings(
    costs: pd.DataFrame, *, avoided: float = 0.1, repeats: pd.DataFrame | None = None, level: float = 0.95
) -> pd.DataFrame:
    """What a year of contacts costs by reason, and what it would save if the share `avoided` of them were not needed.

    From: `reason_costs`; repeats: `service.repeat_shares`. To, the dearest first: reason, contacts (a year) with
    contacts_low, contacts_high; cost_each (mean cost of one); cost (of a year) with cost_low, cost_high; value,
    low, high (saved a year by `avoided`), n (contacts counted), level, method; asked_again (the share followed by
    another about the same: a first answer that can be written down), after_broken_promise (the share opened after the
    promised day while the parcel had not come: a message in time would have been first), days, avoided.
    Where no cost is known, value, low and high count contacts. Nothing says that a page of answers or a message avoids
    so many: the share is a supposition of the reader's, and all else scales with it.
    What is left out: reasons of fewer than 5 customers; what the page or the message costs.
    Raises UsageError where `avoided` does not lie between 0 and 1.
    """
    from scipy.special import ndtri

    if not 0 < avoided <= 1:
        raise UsageError(f"avoided is a share above 0 and at most 1, as 0.1; found {avoided}.")
    frame = costs[(costs["customers"] >= LEAST_SHOWN) & (costs["count"] > 0)].reset_index(drop=True)
    count = frame["count"].to_numpy(dtype=float)
    to_year = YEAR / frame["days"].to_numpy(dtype=float)
    bunched = np.fmax(frame["squares"].to_numpy(dtype=float) / np.where(count > 0, count, 1), 1.0)
    low, high = poisson_ends(count, bunched, level=level)
    costed, spent = frame["costed"].to_numpy(dtype=float), frame["cost"].fillna(0.0).to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(costed > 1, spent / costed, np.nan)
        spread = np.maximum(frame["cost_sq"].fillna(0.0).to_numpy(dtype=float) / costed - each**2, 0.0)
        relative = np.sqrt(bunched / count + spread / each**2 / costed)
    yearly = count * to_year
    money = yearly * each
    z = ndtri((1 + level) / 2)
    cost_low, cost_high = money * np.exp(-z * relative), money * np.exp(z * relative)
    known = np.isfinite(each).any()
    what = (money, cost_low, cost_high) if known else (yearly, low * to_year, high * to_year)
    again = repeats.set_index("name")["value"] if repeats is not None else pd.Series(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        traced = frame["traced"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        broken = frame["broken"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        after = np.where(traced > 0, broken / traced, np.nan)
    frame = frame.assign(
        contacts=yearly, contacts_low=low * to_year, contacts_high=high * to_year, cost_each=each, cost=money,
        cost_low=cost_low, cost_high=cost_high, value=avoided * what[0], low=avoided * what[1], high=avoided * what[2],
        n=frame["count"], level=level, method=METHOD if known else COUNTS,
        asked_again=frame["reason"].map(again).astype(float), after_broken_promise=after, avoided=avoided,
    )  # fmt: skip
    frame = frame.assign(aside=frame["reason"].isin([NOT_GIVEN, OTHERS]), dear=-frame["value"].fillna(0.0))
    return frame.sort_values(["aside", "dear", "reason"], kind="stable", ignore_index=True)[list(SAVINGS)]


def broken_share(costs: pd.DataFrame, *, level: float = 0.95) -> tuple[float, float, float, int]:
    """The share of contacts about a known order opened after the promised day while the parcel had not come, of all
    reasons, with its interval and how many it rests on; NaN where no order's promise is known. From: `reason_costs`."""
    traced, broken = (float(costs[name].fillna(0).sum()) for name in ("traced", "broken"))
    if not traced:
        return np.nan, np.nan, np.nan, 0
    effective = traced / max(
        float(costs["squares"].sum()) / float(costs["count"].sum()), 1.0
    )  # who writes twice is one
    low, high = wilson_ends(np.array([broken / traced * effective]), np.array([effective]), level=level)
    return broken / traced, float(low[0]), float(high[0]), int(traced)


def year_cost(costs: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """What the contacts of a year cost, of all reasons together; those without a cost at the mean of the others.

    From: `reason_costs`. To: Estimate, unit money; n contacts. A customer who asked about several things is taken for
    as many customers, one a reason.
    """
    sums = costs.drop(columns=["reason", "days"]).astype("Float64").sum().to_frame().T
    whole = savings(sums.assign(reason="all", days=costs["days"].max()), avoided=1.0, level=level)
    if not len(whole) or not np.isfinite(whole["cost"].iloc[0]):
        return unknown("money", level=level, method="what a contact costs is not known")
    value, low, high = (float(whole[name].iloc[0]) for name in ("cost", "cost_low", "cost_high"))
    return Estimate(value, low, high, int(whole["n"].iloc[0]), "money", level, METHOD)


def supported(value: float, low: float, high: float) -> tuple[float, float, float]:
    """The three rounded to what the interval supports: to the power of ten that is at most a quarter of its width."""
    width = high - low
    if not np.isfinite(width) or width < 40:  # so narrow that the rounding of a text is enough
        return value, low, high
    places = -int(np.floor(np.log10(width / 4)))
    return tuple(round(float(number), places) for number in (value, low, high))


def savings_shown(savings: pd.DataFrame) -> pd.DataFrame:
    """`savings` as a reader meets it: money and contacts rounded to what their intervals support."""
    shown = savings.copy()
    for names in (["value", "low", "high"], ["cost", "cost_low", "cost_high"]):
        rounded = [supported(*row) for row in savings[names].astype(float).itertuples(index=False)]
        shown[names] = np.array(rounded, dtype=float).reshape(-1, 3)
    return shown


def costs_in_words(costs: pd.DataFrame, *, currency: str = "") -> list[str]:
    """What a year of contacts costs, and how many came while a promised parcel was overdue. From: `reason_costs`."""
    spent, (value, low, high, n) = year_cost(costs), broken_share(costs)
    texts = ["What the contacts of a year cost is not known."]
    if spent.known:
        mean, *ends = supported(spent.value, spent.low, spent.high)
        texts = [
            f"The contacts of a year cost {format_value(mean, 'money', currency)} "
            f"({format_ends(*ends, 'money', currency)}, n = {spent.n:,})."
        ]
    if n:
        texts.append(
            f"Of those about an order with a promised day, {format_value(value, 'share')} were opened after that day, "
            f"while it had not come ({format_ends(low, high, 'share')}, n = {n:,}): there a message in time would have "
            "been first (S2b, 19)."
        )
    return texts


def savings_in_words(savings: pd.DataFrame, *, currency: str = "") -> list[str]:
    """What the dearest reason would save, as a supposition. From: `savings`."""
    named = savings[~savings["reason"].isin([NOT_GIVEN, OTHERS])]
    if not len(named):
        why = why_nameless(savings["reason"]) if len(savings) else f"no reason has {LEAST_SHOWN} customers yet"
        return [f"What answers given beforehand could save cannot be told by reason: {why}."]
    row = named.iloc[0]
    unit = "money" if np.isfinite(row["cost_each"]) else "count"
    noun = "" if unit == "money" else " contacts"
    value, low, high = supported(row["value"], row["low"], row["high"])
    texts = [
        f"Were {format_value(row['avoided'], 'share')} of the contacts about {in_quotes(row['reason'])} not needed, "
        f"that would save {format_value(value, unit, currency)}{noun} a year "
        f"({format_ends(low, high, unit, currency)})."
    ]
    if row["days"] < YEAR:
        texts.append(f"The contacts reach back {row['days']:.0f} days only; a year is reckoned from these.")
    texts.append("How many a page of answers or a message in time avoids is not in these data: it has to be tried.")
    return texts


def plot_savings(savings: pd.DataFrame, *, currency: str = "", ax: "Axes | None" = None) -> "Axes":
    """`savings` as bars with intervals: what the supposed share of each reason's contacts would save a year."""
    import matplotlib.pyplot as plt

    shown = savings[savings["value"].notna()].reset_index(drop=True)
    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(shown), 1) + 1.3))[1] if ax is None else ax
    if not len(shown):
        nothing_to_show(ax)
        return ax
    money = shown["cost_each"].notna().any()
    place = np.arange(len(shown))
    ax.barh(place, shown["value"], 0.6, color="C0")
    ax.hlines(place, shown["low"], shown["high"], color="white", linewidth=3.4)
    ax.hlines(place, shown["low"], shown["high"], color=INK, linewidth=1.4)
    for y, row in enumerate(shown.itertuples()):
        value = supported(row.value, row.low, row.high)[0]
        text = format_value(value, "money" if money else "count", currency if money else "")
        ax.annotate(text, (row.high, y), (6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(place, [folded_text(name) for name in shown["reason"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.margins(x=0.16)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda number, _: f"{number:,.0f}")
    what = f"{currency} a year".strip() if money else "Contacts a year"
    share = format_value(float(shown["avoided"].iloc[0]), "share")
    ax.set(xlabel=what, title=f"What {share} fewer contacts would save")
    return ax


def describe_savings(savings: pd.DataFrame, *, currency: str = "") -> str:
    """What `plot_savings` shows, for those who cannot see it."""
    return (
        f"Bars of what fewer contacts would save a year, by reason. {savings_in_words(savings, currency=currency)[0]}"
    )
