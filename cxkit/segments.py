"""Who are the customers, and which groups are worth a plan of their own: RFM scores, named segments, value tiers."""

from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import buyers
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, ranked_share, ratio_of_sums, unknown, wilson
from cxkit.findings import Finding, check_claim
from cxkit.heatmap import draw_heat_map
from cxkit.privacy import withhold_small
from cxkit.segment_names import segment_names
from cxkit.style import GREY, INK, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
TIERS = ("indifferent", "good", "great")
LEAST_SHOWN = 5  # people; what fewer spent is withheld
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers in the group, or in one that could be worked out from it"
ARTICLE_SHARES = (0.70, 0.20, 0.10)  # S3: "let us suppose", so quoted beside the client's own, never a target


def rfm(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Recency, frequency and monetary value of every customer who ordered up to `as_of`.

    From: orders (lines). To, ordered by customer_id: customer_id, recency_days (as_of - last order), frequency
    (counted orders), monetary (revenue = amount - refund, over the whole history).
    What is left out: lines without a customer and customers who only returned (see `buyers`). Two orders on one day are
    two orders here, as in the tables that shops publish; lifetime value counts them once.
    Source: Hughes (1994), Strategic Database Marketing; checked against a published table of 793 customers.
    """
    table = buyers(orders, as_of=as_of)
    table = table.select(
        "customer_id",
        recency_days=ibis.literal(as_of).delta(table.last_on, unit="day").cast("int64"),
        frequency=table.orders.cast("int64"),
        monetary=table.revenue,
    )
    return collect(table, order_by="customer_id")


def cut_points(rfm: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Where each measure is cut into `bins` equal parts.

    To: one row a measure (recency_days, frequency, monetary), columns 1 to bins - 1. Cut k is the smallest value that
    at least k / bins of the customers do not exceed, so it is always somebody's value: no interpolation, and nothing
    that a change of currency could move. Source: Hyndman & Fan (1996), The American Statistician 50(4), definition 1.
    """
    if not 2 <= bins <= 9:
        raise UsageError(f"bins must lie between 2 and 9; found {bins}. Quintiles (5) are the custom.")
    n = len(rfm)
    places = [-(-n * k // bins) - 1 for k in range(1, bins)]  # in whole numbers: n * 0.6 may lie above itself
    rows = {m: np.sort(rfm[m].to_numpy())[places] if n else np.full(bins - 1, np.nan) for m in MEASURES.values()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=range(1, bins))


def score_rfm(rfm: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """RFM with its scores, 1 to `bins`; the highest is the best in all three (for recency: the most recent).

    From: `rfm`. To: the same rows with recency_score, frequency_score, monetary_score and rfm (their digits, "545").
    Ties: a score depends on the value alone (a value on a cut point belongs below it), never on the order of rows, so
    equal customers always score the same. The price is unequal groups. Where most customers ordered once, the lower cut
    points of frequency are all 1: everybody with one order scores 1, and the next scores stay empty up to the first
    cut above 1. Forcing equal fifths would give one-time buyers five different scores by chance.
    """
    cuts = cut_points(rfm, bins=bins)
    scores = {}
    for name, measure in MEASURES.items():
        part = np.searchsorted(cuts.loc[measure].to_numpy(), rfm[measure].to_numpy(), side="left")
        scores[f"{name}_score"] = (bins - part if name == "recency" else part + 1).astype("int64")
    scored = rfm.assign(**scores)
    digits = [scored[column].astype(str) for column in scores]
    return scored.assign(rfm=digits[0] + digits[1] + digits[2])


def name_segments(scored: pd.DataFrame) -> pd.DataFrame:
    """Scored customers with the segment's name. From: `score_rfm`. To: the same rows with `segment`.

    Raises UsageError where a score has no name (the names were made for another number of parts).
    """
    names = segment_names()
    lookup = dict(zip(names["rfm"], names["segment"], strict=True))
    if strange := sorted(set(scored["rfm"]) - set(lookup)):
        raise UsageError(
            f"no segment is named for the scores {', '.join(strange[:5])}; the names cover {names['rfm'].min()} to "
            f"{names['rfm'].max()}. Score with as many parts as the names were written for."
        )
    return scored.assign(segment=scored["rfm"].map(lookup).astype(object))


def segment_table(named: pd.DataFrame) -> pd.DataFrame:
    """What each segment is and brings, by falling revenue; segments nobody is in stand in it with zeros.

    From: `name_segments`. To: segment, customers, share_of_customers, orders, revenue, share_of_revenue with low, high,
    n, level, method; revenue_per_customer, orders_per_customer, median_recency_days, meaning, action.
    Nothing is lost: every customer is in one row, and customers, orders and revenue add up to `named` where no row is
    withheld. The intervals take the customers as a sample of those whom the shop could have had, and the borders of the
    segments as given.
    What is left out: the numbers of segments of one to four customers, and of the next smallest where one could
    subtract (see `privacy.withhold_small`); they are NaN, and the rows stand last.
    """
    known = segment_names().drop_duplicates("segment").sort_values("place").set_index("segment")
    revenue = named["monetary"].to_numpy(dtype=float)
    rows = []
    for segment, text in known.iterrows():
        inside = (named["segment"] == segment).to_numpy()
        held = ratio_of_sums(np.where(inside, revenue, 0.0), revenue)
        if not inside.any():  # the formula would give nobody an interval of no width
            held = unknown("share", n=len(named), method="nobody in the segment")
        customers, orders = int(inside.sum()), int(named.loc[inside, "frequency"].sum())
        money = round(float(revenue[inside].sum()), 4)
        rows.append(
            {
                "segment": segment,
                "customers": customers,
                "share_of_customers": customers / len(named) if len(named) else np.nan,
                "orders": orders,
                "revenue": money,
                "share_of_revenue": _share(revenue, inside),
                **{field: getattr(held, field) for field in ("low", "high", "n", "level", "method")},
                "revenue_per_customer": money / customers if customers else np.nan,
                "orders_per_customer": orders / customers if customers else np.nan,
                "median_recency_days": named.loc[inside, "recency_days"].median(),
                "meaning": text["meaning"],
                "action": text["action"],
            }
        )
    # sorted after withholding: a place between two known revenues would tell what is withheld
    return _withheld(pd.DataFrame(rows)).sort_values("revenue", ascending=False, kind="stable", ignore_index=True)


def _withheld(groups: pd.DataFrame) -> pd.DataFrame:
    """A table of groups without the numbers of small ones; what is the same for all rows stays."""
    common = groups[[name for name in ("article_share", "n", "level") if name in groups]]
    held = withhold_small(groups, count="customers", least=LEAST_SHOWN).assign(**common)
    return held.assign(method=held["method"].mask(held["customers"].isna(), WITHHELD))


def _share(revenue: np.ndarray, inside: np.ndarray) -> float:
    total = revenue.sum()
    return float(revenue[inside].sum() / total) if total > 0 else float("nan")


def score_grid(scored: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Customers and spend by recency and frequency score: recency_score, frequency_score, customers, monetary_mean.

    All combinations stand in it; monetary_mean is NaN where nobody is, and withheld (NaN) with one to four customers.
    """
    grid = pd.MultiIndex.from_product([range(1, bins + 1)] * 2, names=["recency_score", "frequency_score"])
    cells = scored.groupby(["recency_score", "frequency_score"])["monetary"].agg(["size", "mean"]).reindex(grid)
    cells = cells.set_axis(["customers", "monetary_mean"], axis=1).reset_index()
    cells = cells.assign(customers=cells["customers"].fillna(0).astype("int64"))
    return cells.assign(monetary_mean=cells["monetary_mean"].where(cells["customers"] >= LEAST_SHOWN))


def tiers(rfm: pd.DataFrame, *, shares: tuple[float, ...] = ARTICLE_SHARES) -> pd.DataFrame:
    """Customers in three tiers by revenue rank, with the split that came out and what each tier brings.

    From: `rfm`; `shares` of customers from the lowest tier up (indifferent, good, great).
    To: tier, customers, share_of_customers, article_share (the share supposed), revenue, share_of_revenue with low,
    high, n, level, method; revenue_from (the lowest revenue in the tier), revenue_per_customer, orders_per_customer,
    bought_once (share of the tier with one order).
    Ties: customers of equal revenue stay together in the lower tier, so the split may differ from the one supposed.
    Where all spent the same, nobody stands above the others: the great tier is empty and its share unknown.
    What is left out: the numbers of small tiers, as in `segment_table`.
    The share of revenue follows from ranking by revenue: it says how concentrated revenue is, not who is attached.
    Source: S3 supposes 70/20/10 and describes the tiers by attachment; ranking by revenue is our reading.
    Raises UsageError where the shares are not three positive numbers that add up to 1.
    """
    if len(shares) != len(TIERS) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise UsageError(f"shares must be three positive numbers that add up to 1; found {shares}.")
    revenue = rfm["monetary"].to_numpy(dtype=float)
    n = len(revenue)
    ordered = np.sort(revenue)
    # the customer up to whom a tier reaches; rounded first, since 0.7 + 0.2 lies below 0.9
    ends = [int(np.ceil(round(n * share, 6))) - 1 for share in np.cumsum(shares[:-1])]
    place = np.searchsorted(ordered[ends], revenue, side="left") if n else np.zeros(0, dtype=int)
    rows, below = [], 0
    for number, tier in enumerate(TIERS):
        inside = place == number
        customers = int(inside.sum())
        start, stop = ((n - below - customers) / n, (n - below) / n) if n else (0.0, 0.0)
        held = ranked_share(revenue, start=start, stop=stop)
        if held.known and not customers:  # the formula would give nobody an interval of no width
            above = "no customer stands above the others" if tier == TIERS[-1] else "nobody in the tier"
            held = unknown("share", n=n, method=above)
        rows.append(
            {
                "tier": tier,
                "customers": customers,
                "share_of_customers": customers / n if n else np.nan,
                "article_share": shares[number],
                "revenue": round(float(revenue[inside].sum()), 4),
                "share_of_revenue": _share(revenue, inside),
                **{field: getattr(held, field) for field in ("low", "high", "n", "level", "method")},
                "revenue_from": float(revenue[inside].min()) if customers else np.nan,
                "revenue_per_customer": float(revenue[inside].mean()) if customers else np.nan,
                "orders_per_customer": float(rfm["frequency"].to_numpy()[inside].mean()) if customers else np.nan,
                "bought_once": float((rfm["frequency"].to_numpy()[inside] == 1).mean()) if customers else np.nan,
            }
        )
        below += customers
    return _withheld(pd.DataFrame(rows[::-1]))


def plot_score_grid(grid: pd.DataFrame, *, currency: str = "", ax: "Axes | None" = None) -> "Axes":
    """`score_grid` as a heat map: the number of customers in each cell, its colour what they spent on average.

    Cells with one to four customers show "<5" and no money.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 4.2))[1] if ax is None else ax
    shape = {"index": "recency_score", "columns": "frequency_score"}
    spend = grid.pivot(**shape, values="monetary_mean").sort_index(ascending=False)
    size = grid.pivot(**shape, values="customers").sort_index(ascending=False)
    texts = [
        [_cell_text(n, format_value(m, "money", currency)) for n, m in zip(ns, ms, strict=True)]
        for ns, ms in zip(size.to_numpy(), spend.to_numpy(), strict=True)
    ]
    ends = {1: " (longest ago)", len(spend): " (latest)"}, {1: " (fewest orders)", len(spend): " (most orders)"}
    rows = [f"{score}{ends[0].get(score, '')}" for score in spend.index]
    columns = [f"{score}{ends[1].get(score, '')}" for score in spend.columns]
    draw_heat_map(ax, spend.to_numpy(), texts, rows=rows, columns=columns, faint=size.to_numpy() < LEAST_SHOWN)
    ax.set(xlabel="Frequency score", ylabel="Recency score", title="Customers, and what one spent on average")
    return ax


def _cell_text(customers: int, money: str) -> str:
    if customers < LEAST_SHOWN:
        return f"<{LEAST_SHOWN}" if customers else "–"
    return f"{customers:,}\n{money}"


def describe_grid(grid: pd.DataFrame) -> str:
    """What `plot_score_grid` shows, for those who cannot see it. From: `score_grid`."""
    best = grid[(grid["recency_score"] == grid["recency_score"].max()) & (grid["customers"] > 0)]
    most = grid.loc[grid["customers"].idxmax()]
    ends = best.loc[best["frequency_score"].idxmax()] if len(best) else most
    told = [
        f"{n:,.0f}" if n >= LEAST_SHOWN or not n else f"under {LEAST_SHOWN}"
        for n in (most["customers"], ends["customers"])
    ]
    return (
        f"Heat map of customers by recency and frequency score. Most customers, {told[0]}, have recency "
        f"{most['recency_score']:.0f} and frequency {most['frequency_score']:.0f}; {told[1]} ordered latest and most "
        "often."
    )


def plot_segments(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`segment_table` as pairs of bars, in its order: share of customers (grey), share of revenue with its interval.

    A segment whose numbers are withheld has no bars and says so.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.52 * len(table) + 1.4))[1] if ax is None else ax
    _paired_bars(ax, table, [plain_text(name, width=28) for name in table["segment"]])
    ax.set_title("Segments by size and by revenue")
    return ax


def describe_segments(table: pd.DataFrame) -> str:
    """What `plot_segments` and `plot_tiers` show. From: `segment_table` or `tiers`."""
    name = "segment" if "segment" in table else "tier"
    subject, are, bring = ("{}", "are", "bring") if name == "segment" else ("The {} tier", "is", "brings")
    rows = table[table["customers"] > 0].sort_values("revenue", ascending=False, kind="stable").head(3)
    parts = [f"Bars of the share of customers and of revenue by {name}."]
    parts += [
        f"{subject.format(row[name])} {are} {format_value(row['share_of_customers'], 'share')} of customers and "
        f"{bring} {format_value(row['share_of_revenue'], 'share')} of revenue."
        for _, row in rows.iterrows()
    ]
    if small := list(table.loc[table["customers"].isna(), name]):
        parts.append(f"Withheld, so that nothing is told of under {LEAST_SHOWN} people: {', '.join(small)}.")
    return " ".join(parts)


def plot_tiers(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`tiers` as pairs of bars, with the share of customers that the article supposes as a tick."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.0))[1] if ax is None else ax
    supposed = table["article_share"].to_numpy()
    _paired_bars(ax, table, [tier.capitalize() for tier in table["tier"]], ticks=supposed)
    ax.set_title("Tiers by revenue rank")
    return ax


def _paired_bars(ax: "Axes", table: pd.DataFrame, labels: list[str], *, ticks: np.ndarray | None = None) -> None:
    place = np.arange(len(table))
    customers, revenue = table["share_of_customers"].to_numpy(), table["share_of_revenue"].to_numpy()
    ax.barh(place - 0.2, customers, 0.36, color=GREY, label="Share of customers")
    ax.barh(place + 0.2, revenue, 0.36, color="C0", label="Share of revenue, with its interval")
    # white under the interval, so that it shows on the bar as well as beside it
    ax.hlines(place + 0.2, table["low"], table["high"], color="white", linewidth=3.4)
    ax.hlines(place + 0.2, table["low"], table["high"], color=INK, linewidth=1.4)
    if ticks is not None:
        ax.plot(ticks, place - 0.2, "|", color=INK, markersize=15, markeredgewidth=2, label="Supposed in the article")
    ends = (np.fmax(customers, 0 if ticks is None else ticks), np.fmax(revenue, table["high"]))
    withheld = table["customers"].isna()
    for shares, end, shift in zip((customers, revenue), ends, (-0.2, 0.2), strict=True):
        for y, share, x, hidden in zip(place, shares, np.nan_to_num(np.fmax(end, 0)), withheld, strict=True):
            ax.annotate(
                "withheld" if hidden else format_value(share, "share"),
                (x, y + shift),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    ax.set_yticks(place, labels)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(table) - 0.4, -0.6)  # set, since rows that are withheld have no bars to make room
    ax.margins(x=0.12)
    ax.set_xlim(left=None if (revenue < 0).any() else 0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %".replace("-", "−"))
    ax.set_xlabel("Share of all customers, and of all they spent")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.6 / ax.figure.get_figheight()), ncols=3)


def great_share_finding(table: pd.DataFrame) -> Finding:
    """segments.great_share: how much of the revenue hangs on the great tier. From: `tiers`."""
    row = table[table["tier"] == TIERS[-1]].iloc[0]
    n, level, method = int(row["n"]), float(row["level"]), row["method"]
    share, low, high = (float(row[name]) for name in ("share_of_revenue", "low", "high"))
    known = np.isfinite(low)
    return Finding(
        id="segments.great_share",
        claim=f"The {format_value(row['share_of_customers'], 'share')} of customers who spent most bring {{value}} of "
        "what all customers spent ({interval}).",
        estimate=Estimate(share if known else low, low, high, n, "share", level, method),
        label="Share of revenue from the great tier",
        higher_is_better=False,  # the more hangs on few, the more is lost with them
        evidence=("tiers",),
        action="Know the customers of the great tier, watch who goes quiet, and enlarge the tier from the good.",
    )


def quiet_share(named: pd.DataFrame) -> Estimate:
    """Share of what all customers spent that was spent by those gone quiet: the segments that segments.yml marks.

    From: `name_segments`. To: Estimate over customers, the borders of the segments taken as given. Unknown, and
    withheld, where fewer than five customers have gone quiet.
    What it leaves out: quiet is a matter of rank (the two lowest recency scores), so a shop whose customers order at
    long intervals has quiet customers too: compare with the shop's own target or an earlier audit, never across shops.
    """
    names = segment_names()
    quiet = named["segment"].isin(names.loc[names["quiet"], "segment"]).to_numpy()
    if quiet.sum() < LEAST_SHOWN:
        return unknown("share", n=len(named), method=f"fewer than {LEAST_SHOWN} customers have gone quiet")
    spent = named["monetary"].to_numpy(dtype=float)
    return ratio_of_sums(np.where(quiet, spent, 0.0), spent)


def quiet_share_finding(named: pd.DataFrame) -> Finding:
    """segments.quiet_share: what was spent by customers who have gone quiet. From: `name_segments`."""
    return Finding(
        id="segments.quiet_share",
        claim="{value} of what all customers spent was spent by customers who used to order and have gone quiet "
        "({interval}).",
        estimate=quiet_share(named),
        label="Share of revenue from customers gone quiet",
        higher_is_better=False,
        evidence=("segments",),
        action="Win them back, those who spent most first, and find out what went wrong before offering anything.",
    )


def claims_checked(rfm: pd.DataFrame) -> pd.DataFrame:
    """The article's 70 % of indifferent customers beside this client's share of customers with one order.

    From: `rfm`. To: the columns of `findings.check_claim`, one row: by rank the tiers are 70/20/10 by construction.
    """
    row = check_claim(
        "70 % of customers are indifferent: no bond, bought maybe once (the article says: let us suppose)",
        source="S3",
        theirs=ARTICLE_SHARES[0],
        ours=wilson(int((rfm["frequency"] == 1).sum()), len(rfm)),
        cannot_show="Ours is the share of customers with one order so far; some of them are new and will return. "
        "Attachment itself is not in order data: ask for it.",
    )
    return pd.DataFrame([row])
