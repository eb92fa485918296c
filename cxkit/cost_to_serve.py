"""What do the groups leave after their discounts, returns and contacts: who is not our customer?"""

from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, cluster_error, holm_levels, ratio_of_sums, unknown
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.stages import name_key
from cxkit.style import GREY, INK, clean_text, folded_text, format_value
from cxkit.tables import counted_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxkit.estimates import Estimate

PLACES = 4  # as buyers.PLACES: sums of floats differ by their order beyond it
PARTS = {"discounts": "Discounts", "returns": "Returns", "contact_cost": "Contacts"}
MARGIN, SALES = "goods margin", "sales before discounts"
METHOD = "linearised ratio by customer; compared with the other groups together, Holm"
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers in the group, or in one that could be worked out from it"
EATEN, DEAR, CHEAP, ALIKE = (
    "eats more than its margin",
    "costs more to serve than the others",
    "costs less to serve than the others",
    "not told apart from the others",
)
AT_COST, NOT_KNOWN = "sells its goods at or below their cost", "not known"


def customer_costs(
    orders: ibis.Table, contacts: ibis.Table | None, customers: ibis.Table | None, *, as_of: date,
    margin: float | None = None,
) -> pd.DataFrame:  # fmt: skip
    """What each customer's orders brought and cost up to `as_of`.

    From: orders (lines; discount and cost where they exist), contacts (cost where it exists), customers
    (acquisition_cost); `margin`: from client.yml, what is left of 1 of amount when the goods are paid for. To, ordered
    by customer_id, in the client's currency: customer_id, orders, sales (amount before discounts), discounts, returns
    (what was given back), revenue (sales - discounts - returns), goods_margin (sales - what the goods cost: the margin
    before discounts and returns), contacts (how many), contact_cost, acquisition; a column is NaN where nothing is
    known of it (of returns: where nothing was ever given back), and goods_margin where neither costs nor a margin are.
    Goods without a cost are taken to cost the same share of their price before discounts as all others whose cost is
    known, else the share that the client's margin leaves: so a group that buys with discounts is charged for them.
    What is left out: lines and contacts without a customer, customers who only returned. Returns are charged in full:
    goods that came back and were sold again are not credited. Contacts are those in the data: where these begin later
    than the orders, the contacts of earlier orders are missing.
    Raises UsageError where the margin does not lie between 0 and 1.
    """
    if margin is not None and not 0 <= margin <= 1:
        raise UsageError(f"margin is a share between 0 and 1, as 0.35; found {margin}. Mend it in client.yml.")
    people = _ordered(orders, as_of)
    if contacts is not None:
        people = _beside(people, _asked(contacts, as_of))
    if customers is not None and "acquisition_cost" in customers.columns:
        won = customers.filter(customers.acquisition_cost.notnull())
        won = won.group_by("customer_id").aggregate(acquisition=won.acquisition_cost.sum().round(PLACES))
        people = _beside(people, won)
    frame = collect(people, order_by="customer_id")
    for name in ("contacts", "contact_cost"):
        if name in frame:
            frame[name] = frame[name].fillna(0.0)
    frame = frame.reindex(columns=[*frame.columns, *(c for c in _OPTIONAL if c not in frame)])
    if not (frame["returns"] > 0).any():  # the door writes 0 where the export has no refunds: nothing is known
        frame["returns"] = np.nan
    revenue = (frame["sales"] - frame["discounts"].fillna(0.0) - frame["returns"].fillna(0.0)).round(PLACES)
    goods = frame["cost"] + (frame["sales"] - frame["costed"]) * _cost_share(frame, margin)
    frame = frame.assign(revenue=revenue, goods_margin=(frame["sales"] - goods).round(PLACES))
    return frame[
        ["customer_id", "orders", "sales", "discounts", "returns", "revenue", "goods_margin", "contacts",
         "contact_cost", "acquisition"]
    ]  # fmt: skip


_OPTIONAL = ("discounts", "returns", "contacts", "contact_cost", "acquisition")


def _ordered(orders: ibis.Table, as_of: date) -> ibis.Table:
    """One row a buyer: customer_id, orders, sales, discounts, returns, cost, costed (the sales whose cost is known)."""
    lines = counted_lines(orders)
    lines = lines.filter(lines.ordered_on <= ibis.literal(as_of))
    discount = lines.discount.fill_null(0.0) if "discount" in lines.columns else ibis.literal(0.0)
    cost = lines.cost if "cost" in lines.columns else ibis.null("float64")
    lines = lines.mutate(before=lines.amount + discount, less=discount, goods=cost)
    placed = lines.group_by("order_id").aggregate(
        customer_id=lines.customer_id.min(),
        is_order=lines.is_sale.any(),
        sales=lines.before.sum(),
        discounts=lines.less.sum(),
        returns=lines.refund.fill_null(0.0).sum(),
        cost=lines.goods.sum().fill_null(0.0),
        costed=lines.before.sum(where=lines.goods.notnull()).fill_null(0.0),
    )
    known = {"discounts": "discount" in orders.columns, "returns": "refund" in orders.columns}
    names = [name for name in ("sales", "discounts", "returns", "cost", "costed") if known.get(name, True)]
    people = placed.group_by("customer_id").aggregate(
        orders=placed.is_order.cast("int64").sum(), **{name: placed[name].sum().round(PLACES) for name in names}
    )
    return people.filter(people.customer_id.notnull(), people.orders > 0)


def _asked(contacts: ibis.Table, as_of: date) -> ibis.Table:
    if "customer_id" not in contacts.columns:
        contacts = contacts.mutate(customer_id=ibis.null("string"))
    kept = contacts.filter(contacts.opened_on <= ibis.literal(as_of), contacts.customer_id.notnull())
    money = {"contact_cost": kept.cost.sum().fill_null(0.0).round(PLACES)} if "cost" in kept.columns else {}
    return kept.group_by("customer_id").aggregate(contacts=kept.count(), **money)


def _beside(people: ibis.Table, more: ibis.Table) -> ibis.Table:
    joined = people.left_join(more, "customer_id")
    return joined.drop("customer_id_right") if "customer_id_right" in joined.columns else joined


def _cost_share(frame: pd.DataFrame, margin: float | None) -> float:
    """What goods without a cost cost, as a share of their price before discounts; NaN where nobody knows."""
    costed, sales = frame["costed"].sum(), frame["sales"].sum()
    if costed > 0:
        return float(frame["cost"].sum() / costed)
    if margin is None or not sales > 0:
        return float("nan")
    return float((1 - margin) * (sales - frame["discounts"].sum()) / sales)


def unknown_parts(costs: pd.DataFrame) -> list[str]:
    """Which of discounts, returns and costs of contacts nothing is known of. From: `customer_costs`."""
    words = {"discounts": "discounts", "returns": "returns", "contact_cost": "what contacts cost"}
    return [word for name, word in words.items() if costs[name].isna().all()]


def cost_to_serve(costs: pd.DataFrame, groups: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """What each group leaves of its goods margin, beside all other groups together; the dearest to serve first.

    From: `customer_costs`, groups (customer_id, group). To: group, customers, orders, sales, discounts, returns,
    revenue, goods_margin, contacts, contact_cost, acquisition; left (goods_margin - discounts - returns -
    contact_cost), left_per_customer, left_after_winning (less acquisition); of (what share is a share of: goods margin,
    or sales before discounts where no cost of goods is known); share (discounts, returns and contacts as a share of
    it) with low, high, n (customers), level, method; others (the same of all other groups together), difference (share
    - others, in points) with difference_low, difference_high, difference_level; verdict.
    The intervals take customers as the units; in a comparison a group's spread is never put below that of the others,
    since a few customers who are alike by chance have little. All comparisons of the table, with the others and with
    the whole margin (1), are a family (Holm): a verdict other than "not told apart" holds together with all others.
    What winning the customers cost is no part of the share: it is paid once, and the groups are of different age.
    What is left out: customers in no group; groups of fewer than 5 (see `privacy.withhold_small`), who are not among
    the others either. A part of which nothing is known (contacts without a cost) is not in the share: ask for it.
    Source: ratio of sums as `estimates.ratio_of_sums`; the question is S2d's and S4's.
    """
    costs = costs.drop(columns="group", errors="ignore")
    joined = groups[["customer_id", "group"]].merge(costs, on="customer_id", how="inner").sort_values("customer_id")
    of = MARGIN if joined["goods_margin"].notna().any() else SALES
    base = joined["goods_margin" if of == MARGIN else "sales"]
    joined = joined.assign(base=base, eaten=joined[list(PARTS)].sum(axis=1, min_count=1))
    money = ["orders", "sales", "discounts", "returns", "revenue", "goods_margin", "contacts", "contact_cost",
             "acquisition", "base", "eaten"]  # fmt: skip
    by = joined.groupby("group", sort=True)
    table = by[money].sum(min_count=1).round(PLACES).assign(customers=by.size()).reset_index()
    left = table["goods_margin"] - table["eaten"]
    table = table.assign(
        left=left,
        left_per_customer=left / table["customers"],
        left_after_winning=left - table["acquisition"],
        of=of,
    )
    hidden = withhold_small(table[["group", "customers"]], count="customers", least=LEAST_SHOWN)["customers"].isna()
    told = joined[~joined["group"].isin(table.loc[hidden, "group"])]
    table = _judged(table, told, hidden.to_numpy(), level)
    numbers = [c for c in table.columns if table[c].dtype.kind in "iuf" and c != "level"]
    table[numbers] = table[numbers].astype(float).where(~hidden, np.nan)
    table = table.sort_values(["share", "group"], ascending=[False, True], kind="stable", ignore_index=True)
    return table[
        ["group", "customers", *money[:-2], "left", "left_per_customer", "left_after_winning", "of", "share", "low",
         "high", "n", "level", "method", "others", "difference", "difference_low", "difference_high",
         "difference_level", "verdict"]
    ]  # fmt: skip


def _ratio(part: pd.DataFrame) -> tuple[float, float, float]:
    """What is eaten of the base, its standard error over customers, and one customer's spread beside the mean base;
    NaN where the base is not above zero."""
    taken, base = part["eaten"].to_numpy(float), part["base"].to_numpy(float)
    whole, n = base.sum(), len(part)
    if n < LEAST_SHOWN or not whole > 0:
        return np.nan, np.nan, np.nan
    share = taken.sum() / whole
    error = cluster_error((taken**2).sum(), (taken * base).sum(), (base**2).sum(), whole, share, n)
    return float(share), float(error), float(error * np.sqrt(n))


def _judged(table: pd.DataFrame, told: pd.DataFrame, hidden: np.ndarray, level: float) -> pd.DataFrame:
    from scipy.special import stdtr, stdtrit

    inside = [_ratio(told[told["group"] == name]) for name in table["group"]]
    outside = [_ratio(told[told["group"] != name]) for name in table["group"]]
    share, error, _ = np.array(inside, dtype=float).reshape(-1, 3).T
    others, others_error, spread = np.array(outside, dtype=float).reshape(-1, 3).T
    n = table["customers"].to_numpy(float)
    freedom = np.maximum(np.minimum(n, len(told) - n) - 1, 1)
    # a few customers who happen to be alike have a spread of nought, which says little: at least that of the others
    own = np.fmax(error, spread / np.sqrt(n))
    gap, gap_error = share - others, np.hypot(own, others_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = [gap / gap_error, (share - 1) / own if table["of"].eq(MARGIN).any() else np.full(len(table), np.nan)]
    chances = [2 * stdtr(freedom, -np.abs(distance)) for distance in away]
    levels = holm_levels(np.concatenate(chances), level=level)
    to_others, to_whole = (stdtrit(freedom, (1 + part) / 2) for part in (levels[: len(table)], levels[len(table) :]))
    half, half_own = to_others * gap_error, stdtrit(np.maximum(n - 1, 1), (1 + level) / 2) * error
    at_cost = np.isnan(share) & (table["base"].to_numpy(float) <= 0) & (table["of"] == MARGIN).to_numpy()
    eats = np.isfinite(away[1]) & (share - to_whole * own > 1)
    verdict = np.select(
        [hidden, at_cost, np.isnan(share), eats, gap - half > 0, gap + half < 0],
        [WITHHELD, AT_COST, NOT_KNOWN, EATEN, DEAR, CHEAP],
        ALIKE,
    )
    return table.assign(
        share=share, low=np.maximum(share - half_own, 0.0), high=share + half_own, n=table["customers"], level=level,
        method=np.where(hidden, WITHHELD, METHOD), others=others, difference=100 * gap,
        difference_low=100 * (gap - half), difference_high=100 * (gap + half),
        difference_level=levels[: len(table)], verdict=verdict,
    )  # fmt: skip


def eaten(costs: pd.DataFrame, *, level: float = 0.95) -> "Estimate":
    """What discounts, returns and contacts take of the goods margin of all customers together.

    From: `customer_costs`. To: Estimate, unit share, the customers taken as the units; unknown where no margin is.
    """
    if len(unknown_parts(costs)) == len(PARTS):
        method = "neither discounts nor returns nor what contacts cost are known"
        return unknown("share", n=len(costs), level=level, method=method)
    if costs["goods_margin"].isna().all():
        return unknown("share", n=len(costs), level=level, method="neither the goods' costs nor a margin are known")
    parts = costs[list(PARTS)].sum(axis=1)
    return ratio_of_sums(parts.to_numpy(float), costs["goods_margin"].to_numpy(float), level=level)


def eaten_finding(costs: pd.DataFrame) -> Finding:
    """personas.margin_eaten: what discounts, returns and contacts take of the goods margin. From: `customer_costs`."""
    return Finding(
        id="personas.margin_eaten",
        claim="Discounts, returns and contacts take {value} of what the goods bring above their cost ({interval}).",
        estimate=eaten(costs),
        label="Share of the goods margin that discounts, returns and contacts take",
        higher_is_better=False,
        evidence=("cost_to_serve",),
        action="Begin with the group that costs most to serve, and there with the largest of the three.",
    )


def costly_findings(table: pd.DataFrame) -> list[Finding]:
    """personas.costs.<group>: the groups that cost more to serve than the others, or more than their margin, for
    certain. From: `cost_to_serve`, without groups that are cut by what customers spend: who spent least is dear to
    serve by the cut alone. Judged against the other groups together; the interval holds with the table's others."""
    found = []
    for row in table[table["verdict"].isin([EATEN, DEAR])].itertuples():
        name = clean_text(row.group).replace("{", "{{").replace("}", "}}")
        ends = (float(x) for x in (row.difference, row.difference_low, row.difference_high))
        shares = f"{format_value(row.share, 'share')} of the {row.of}", format_value(row.others, "share")
        found.append(
            Finding(
                id=f"personas.costs.{name_key(row.group)}",
                claim=f"Discounts, returns and contacts take {shares[0]} of the group “{name}”, and {shares[1]} with "
                "the others: {value} percentage points more ({interval}).",
                estimate=Estimate(*ends, int(row.n), "points", row.difference_level, row.method),
                label=f"Cost to serve: {clean_text(row.group)}",
                target=0.0,
                target_source="the other groups together",
                higher_is_better=False,
                evidence=("cost_to_serve",),
                action="Ask whether this is a customer of ours, and what of it the shop's own coupons, parcels and "
                "rules make.",
            )
        )
    return found


def cost_sentences(table: pd.DataFrame) -> list[str]:
    """What `cost_to_serve` found, in words: the groups for which something is certain; what could not be told."""
    of = table["of"].iloc[0] if len(table) else MARGIN
    rows = [row for verdict in (EATEN, DEAR, CHEAP) for row in table[table["verdict"] == verdict].itertuples()]
    told = [
        f"{clean_text(row.group)} {row.verdict} ({format_value(row.share, 'share')} of its {of}, the others "
        f"{format_value(row.others, 'share')})"
        for row in rows
    ]
    texts = [f"For certain, all comparisons together: {'; '.join(told)}."] if told else []
    if not texts:
        texts.append("No group is told apart from the others by what it costs to serve.")
    if not table["verdict"].eq(EATEN).any() and of == MARGIN:
        texts.append("No group eats more than its margin for certain.")
    return texts


def plot_costs(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`cost_to_serve` as bars: discounts, returns and contacts as shares of the margin, with the whole's interval.

    A line stands where all groups together lie; groups whose numbers are withheld say so.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, max(0.46 * len(table) + 1.5, 2.5)))[1] if ax is None else ax
    if not len(table):
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY)
        return ax
    of = table["of"].iloc[0]
    base = table["goods_margin" if of == MARGIN else "sales"]
    known = table["share"].notna()
    place, start = np.arange(len(table)), np.zeros(len(table))
    for (name, label), colour, hatch in zip(PARTS.items(), ("C0", GREY, "#c9d1d8"), ("", "", "//"), strict=True):
        width = (table[name] / base).where(known, 0.0).fillna(0.0).to_numpy()
        if width.any():
            ax.barh(place, width, 0.56, left=start, color=colour, hatch=hatch, label=label, linewidth=0)
        start = start + width
    ax.hlines(place, table["low"], table["high"], color="white", linewidth=3.4)
    ax.hlines(place, table["low"], table["high"], color=INK, linewidth=1.4)
    for y, row in zip(place, table.itertuples(), strict=True):
        text = format_value(row.share, "share") if known[y] else "withheld" if row.method == WITHHELD else "not known"
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # the line of all groups may lie behind
        end = (row.high if known[y] else 0.0, y)
        ax.annotate(text, end, (6, 0), textcoords="offset points", va="center", fontsize=9, bbox=white)
    whole, part = base[known].sum(), table.loc[known, list(PARTS)].sum().sum()
    if whole > 0:
        ax.axvline(part / whole, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label="All groups")
    ax.set_yticks(place, [folded_text(name) for name in table["group"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.margins(x=0.12)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel=f"Share of the {of}", title="What it takes to serve a group")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.55 / (ax.figure.get_figheight() - 1.0)), ncols=4)
    return ax


def describe_costs(table: pd.DataFrame) -> str:
    """What `plot_costs` shows, for those who cannot see it."""
    known = table[table["share"].notna()]
    if not len(known):
        return "Bars of what serving each group takes; nothing is known yet."
    ends = [known.iloc[0], known.iloc[-1]] if len(known) > 1 else [known.iloc[0]]
    texts = [f"{clean_text(row['group'])} {format_value(row['share'], 'share')}" for row in ends]
    return (
        f"Bars of discounts, returns and contacts as a share of the {known['of'].iloc[0]} of each group: "
        f"{', the most; '.join(texts)}{', the least' if len(ends) > 1 else ''}."
    )
