"""Why do customers contact the shop, and which reasons grow?"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import collect
from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.group_table import legend_below, nothing_to_show
from cxkit.pareto import NOT_GIVEN, OTHERS, why_nameless, with_names
from cxkit.rate_trends import (
    EARLY,
    FALLS,
    GROWS,
    NEEDED,
    daily_orders,
    month_counts,
    monthly_rates,
    trend_text,
    trends,
)
from cxkit.stages import name_key
from cxkit.style import GREY, INK, folded_text, format_ends, format_value, in_quotes, no_places
from cxkit.tables import order_totals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

READ = 500  # letters of a text, where its words are to tell the reason
LONGEST_LAG = 60  # days from an order to its contacts
MOST_SHOWN = 3  # growing reasons in one picture
REST = "all other reasons"
TICKS = (-0.9, -0.75, -0.5, 0.0, 1.0, 3.0, 9.0)


def by_reason(contacts: ibis.Table) -> ibis.Table:
    """Contacts with `name`, their reason as a reader meets it (`pareto.with_names`). Without the column: not given."""
    if "reason" not in contacts.columns:
        contacts = contacts.mutate(reason=ibis.null("string"))
    return with_names(contacts, "reason")


def texts_without_reason(contacts: ibis.Table) -> list[str]:
    """The different texts of contacts whose reason is not given, in order; of each the first 500 letters."""
    if "text" not in contacts.columns:
        return []
    if "reason" in contacts.columns:
        contacts = contacts.filter(contacts.reason.isnull() | (contacts.reason.strip() == ""))
    rows = contacts.filter(contacts.text.notnull()).select(text=contacts.text.left(READ)).distinct()
    return collect(rows, order_by="text")["text"].tolist()


def with_text_reasons(contacts: ibis.Table, texts: Sequence[str], said: Sequence[Sequence[str]]) -> ibis.Table:
    """Contacts where a missing reason is the first theme that the text tells; those that tell none stay without one.

    From: contacts; `texts_without_reason`; for each of the texts its themes (`themes.themes_said`). What it cannot
    show: the reason, where the words do not say it: a client's own reasons are better.
    """
    if not len(texts):
        return contacts
    first = [themes[0] if themes else None for themes in said]
    listed = ibis.memtable(
        pd.DataFrame({"_its": list(texts), "_theme": first}, dtype=object),
        schema={"_its": "string", "_theme": "string"},
    )
    given = contacts.reason.strip().nullif("") if "reason" in contacts.columns else ibis.null("string")
    keyed = contacts.mutate(_key=contacts.text.left(READ), _given=given)
    both = keyed.left_join(listed, keyed["_key"] == listed["_its"])
    return both.mutate(reason=both["_given"].fill_null(both["_theme"])).drop("_key", "_given", "_its", "_theme")


def reason_trends(contacts: ibis.Table, orders: ibis.Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """Which reasons grow beside the number of orders, all reasons judged together (Holm).

    From: contacts with opened_on, reason (customer_id, order_id where known), orders (lines). To: as
    `rate_trends.trends`, `name` called reason, and `share` (of the contacts in the months used), lag_days (the days
    that usually lie between an order and such a contact: they are held against the orders of so many days before; 0
    where no contact names its order).
    """
    rates = reason_rates(contacts, orders, as_of=as_of, level=level)
    frame = trends(rates.rename(columns={"reason": "name"}), level=level).rename(columns={"name": "reason"})
    lags = rates.drop_duplicates("reason").set_index("reason")["lag_days"]
    with np.errstate(invalid="ignore"):
        share = frame["count"] / frame["count"].sum()
    return frame.assign(share=share, lag_days=frame["reason"].map(lags).astype("int64"))


def reason_rates(contacts: ibis.Table, orders: ibis.Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """Contacts a hundred orders by reason and month. To: as `rate_trends.monthly_rates`, `name` called reason, and
    lag_days."""
    named = by_reason(contacts)
    lags = _lags(named, orders)
    counts, days = month_counts(named, day="opened_on", by="name", as_of=as_of), daily_orders(orders, as_of=as_of)
    rates = monthly_rates(counts, days, as_of=as_of, lags=lags, level=level)
    rates = rates.assign(lag_days=rates["name"].map(lambda name: lags.get(name, 0)).astype("int64"))
    return rates.rename(columns={"name": "reason"})


def _lags(named: ibis.Table, orders: ibis.Table) -> dict[str, int]:
    """The median days from an order to its contacts, by reason; nothing where no contact names its order."""
    if "order_id" not in named.columns:
        return {}
    placed = order_totals(orders.select([c for c in NEEDED if c in orders.columns]))
    both = named.filter(named.order_id.notnull()).join(placed.select("order_id", "ordered_on"), "order_id")
    spans = both.select("name", days=both.opened_on.delta(both.ordered_on, unit="day").cast("int64"))
    spans = spans.filter(spans.days >= 0)
    counted = collect(spans.group_by("name", "days").aggregate(count=spans.count()), order_by=["name", "days"])
    found = {}
    for name, part in counted.groupby("name", sort=True):
        middle = np.searchsorted(part["count"].cumsum().to_numpy(), part["count"].sum() / 2)
        found[name] = int(min(part["days"].iloc[middle], LONGEST_LAG))
    return found


def reason_table(shares: pd.DataFrame, grown: pd.DataFrame) -> pd.DataFrame:
    """Reasons with their share of all contacts and their growth: those that grow for certain first.

    From: `pareto.pareto` of the contacts by reason, `reason_trends`. To, growing first, then by falling share: reason,
    count, customers, value (share of all contacts), low, high, n, level, method, first, last (fitted contacts a hundred
    orders in the first and the last whole month), growth, growth_low, growth_high (a year), verdict, cumulative (the
    share of a row and of all above it).
    """
    ends = {"value": "growth", "low": "growth_low", "high": "growth_high"}
    trend = grown.rename(columns=ends)[["reason", "first", "last", *ends.values(), "verdict"]]
    both = shares.rename(columns={"name": "reason"}).merge(trend, on="reason", how="left")
    both = both.assign(verdict=both["verdict"].fillna(EARLY), grows=both["verdict"].ne(GROWS))
    both = both.sort_values("grows", kind="stable", ignore_index=True)
    both = both.assign(cumulative=both["value"].cumsum())
    return both[
        ["reason", "count", "customers", "value", "low", "high", "n", "level", "method", "first", "last",
         *ends.values(), "verdict", "cumulative"]
    ]  # fmt: skip


def growing_rates(
    contacts: ibis.Table, orders: ibis.Table, grown: pd.DataFrame, *, as_of: date, level: float = 0.95
) -> pd.DataFrame:
    """Contacts a hundred orders by month: the reasons that grow for certain, at most three, and all others together.

    From: contacts and orders as `reason_trends`, and what it gave. To: whole months as `rate_trends.monthly_rates`, the
    steepest reason first, all others last; no rows where no reason grows for certain.
    """
    named = by_reason(contacts)
    steepest = grown[(grown["verdict"] == GROWS) & ~grown["reason"].isin([NOT_GIVEN, OTHERS])].head(MOST_SHOWN)
    names = [*steepest["reason"], REST]
    named = named.mutate(name=named.name.isin(names[:-1]).ifelse(named.name, REST))
    counts = month_counts(named.filter(ibis.literal(len(steepest) > 0)), day="opened_on", by="name", as_of=as_of)
    lags = dict(zip(steepest["reason"], steepest["lag_days"].astype(int), strict=True))
    rates = monthly_rates(counts, daily_orders(orders, as_of=as_of), as_of=as_of, lags=lags, level=level)
    rates = rates[rates["whole"].astype(bool)]
    return rates.assign(place=rates["name"].map(names.index)).sort_values(["place", "month"], ignore_index=True)


TO_DO = {  # what to do about a growing reason, by whether late orders explain it (None: it cannot be said)
    True: "Read these messages first; where they ask for a late order, tell customers before they have to ask.",
    False: "Read these messages first, to see what they ask: it is not that more orders come late.",
    None: "Read these messages first, to see what they ask and what changed with it.",
}


def growing_findings(grown: pd.DataFrame, causes: pd.DataFrame | None = None) -> list[Finding]:
    """service.growing.<reason>: reasons of which there are more a hundred orders each year, for certain.

    From: `reason_trends`; `delivery_promises.growth_causes`: what is known of the cause stands in the claim, and only
    where late orders explain the growth does the action say to tell customers before they ask. Judged against no
    change; what is not given and all others together are told in the table only.
    """
    found, family = [], int(grown["p"].notna().sum())
    known = {} if causes is None else {row.reason: row for row in causes.itertuples()}
    for row in grown[(grown["verdict"] == GROWS) & ~grown["reason"].isin([NOT_GIVEN, OTHERS])].itertuples():
        name, cause = in_quotes(row.reason), known.get(row.reason)
        shown = [f"{end:.1f}" for end in (row.first, row.last)]
        found.append(
            Finding(
                id=f"service.growing.{name_key(row.reason)}",
                claim=f"Contacts about {no_places(name)} grew from {shown[0]} to {shown[1]} for every hundred orders "
                f"in {row.months} months, {{value}} a year ({{interval}}).{f' {cause.told}' if cause else ''}",
                estimate=Estimate(
                    *(float(x) for x in (row.value, row.low, row.high)), int(row.n), "lift", float(row.level),
                    row.method,
                ),
                label=f"Contacts about {name} for every hundred orders, growth a year",
                target=0.0,
                target_source=f"no change ({family} reasons judged together, Holm)",
                higher_is_better=False,
                evidence=("reasons", "reason_trends", "growing"),
                action=TO_DO[bool(cause.explained) if cause else None],
            )
        )  # fmt: skip
    return found


def _named(reason: str) -> str:
    """A reason in a sentence: the client's own in quotes, ours as they are."""
    return reason if reason in (NOT_GIVEN, OTHERS, REST) else in_quotes(reason)


def trends_in_words(grown: pd.DataFrame) -> list[str]:
    """Which reasons grow or fall for certain, and how many could not be judged. From: `reason_trends`."""
    if not len(grown):
        return ["No contact is known yet."]
    texts = []
    for verdict, word in ((GROWS, "Growing"), (FALLS, "Falling")):
        rows = [row for _, row in grown[grown["verdict"] == verdict].iterrows()]
        if rows:
            told = "; ".join(f"{_named(row['reason'])} {trend_text(row)}" for row in rows)
            texts.append(f"{word} for certain, beside the number of orders: {told}.")
    judged, early = int(grown["p"].notna().sum()), int(grown["verdict"].eq(EARLY).sum())
    if not texts and judged:
        texts.append(f"No reason grows or falls for certain, of {judged} that could be judged.")
    if early:
        noun = "reason" if early == 1 else "reasons"
        texts.append(f"Too early to say of {early} {noun}: {grown.loc[grown['p'].isna(), 'method'].iloc[0]}.")
    return texts


def plot_trends(grown: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`reason_trends` as points with their intervals around no change; what is not certain is grey, and what is too
    early to say has no point."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(grown), 1) + 1.3))[1] if ax is None else ax
    if not len(grown):
        nothing_to_show(ax)
        return ax
    place = np.arange(len(grown))
    known = grown["low"].notna().to_numpy()
    ends = np.log1p(grown.loc[known, ["value", "low", "high"]].to_numpy(dtype=float))
    most = float(np.clip(1.7 * np.abs(ends[:, 0]).max(), np.log(3), np.log(50))) if known.any() else np.log(3)
    for y, row, (value, low, high) in zip(place[known], grown[known].itertuples(), ends, strict=True):
        colour = "C0" if row.verdict in (GROWS, FALLS) else GREY
        ax.hlines(y, max(low, -most), min(high, most), color=colour, linewidth=1.8)
        for end, mark in ((high, ">"), (-low, "<")):
            if end > most:  # it lies outside
                ax.plot(most if mark == ">" else -most, y, mark, color=colour, markersize=6, clip_on=False)
        if abs(value) <= most:
            ax.plot(value, y, "o", color=colour, markersize=7)
    ax.axvline(0, color=INK, linewidth=0.9)
    told = [format_value(v, "lift") if sure else "too early" for v, sure in zip(grown["value"], known, strict=True)]
    # at the left: a narrow screen shows it
    ax.set_yticks(place, [f"{folded_text(name)}  {text}" for name, text in zip(grown["reason"], told, strict=True)])
    for tick, verdict in zip(ax.get_yticklabels(), grown["verdict"], strict=True):
        tick.set_color(INK if verdict in (GROWS, FALLS) else GREY)
    ax.tick_params(axis="y", length=0)
    ticks = [lift for lift in TICKS if abs(np.log1p(lift)) <= most]
    ax.set_xticks(np.log1p(ticks), [format_value(lift, "lift") for lift in ticks])
    ax.set(ylim=(len(grown) - 0.4, -0.6), xlim=(-1.02 * most, 1.02 * most))
    ax.set(xlabel="Growth a year of contacts a hundred orders (a scale of factors)", title="Which reasons grow")
    return ax


def describe_trends(grown: pd.DataFrame) -> str:
    """What `plot_trends` shows, for those who cannot see it."""
    return f"Growth a year of contacts a hundred orders by reason, with intervals. {' '.join(trends_in_words(grown))}"


def plot_growing(rates: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`growing_rates` as lines by month with their intervals as bands, all other reasons together in grey."""
    import matplotlib.dates as dates
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    if not len(rates):
        nothing_to_show(ax)
        return ax
    colours = iter(("C0", "C1", "C2"))
    for name, part in rates.groupby("name", sort=False):
        colour = GREY if name == REST else next(colours)
        ax.fill_between(part["month"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(part["month"], part["value"], "o-", color=colour, markersize=4, linewidth=1.6,
                label=folded_text(name))  # fmt: skip
    ax.set_ylim(0, 1.1 * float(rates["high"].max()))
    ax.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=8))
    ax.xaxis.set_major_formatter(dates.DateFormatter("%Y-%m"))
    ax.set(ylabel="Contacts a hundred orders", title="What grows, by month")
    legend_below(ax)
    return ax


def describe_growing(rates: pd.DataFrame) -> str:
    """What `plot_growing` shows, for those who cannot see it."""
    told = []
    for name, part in rates.groupby("name", sort=False):
        first, last = (format_value(part["value"].iloc[i], "ratio") for i in (0, -1))
        when = [f"{part['month'].iloc[i]:%Y-%m}" for i in (0, -1)]
        told.append(f"{_named(name)} {first} in {when[0]}, {last} in {when[1]}")
    return f"Contacts a hundred orders by whole month, with intervals: {'; '.join(told) or 'no reason grows'}."


def share_in_words(shares: pd.DataFrame) -> str:
    """How few reasons make how much of it, in one sentence. From: `pareto.pareto` of the contacts by reason."""
    named = shares[~shares["name"].isin([NOT_GIVEN, OTHERS])]
    if not len(named):
        return f"Why customers write cannot be told by reason: {why_nameless(shares['name'])}."
    first = named.iloc[0]
    text = (
        f"The commonest reason is {in_quotes(first['name'])}: {format_value(first['value'], 'share')} of "
        f"{first['n']:,} contacts ({format_ends(first['low'], first['high'], 'share')})"
    )
    if len(named) > 2:
        half = int(np.searchsorted(named["value"].cumsum().to_numpy(), 0.5) + 1)
        if 1 < half < len(named):
            text += (
                f"; {half} of {len(named)} reasons make {format_value(named['value'][:half].sum(), 'share')} of them"
            )
    return f"{text}."
