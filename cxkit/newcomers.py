"""New against experienced customers: who they are, and whether they need what the article says they need."""

from collections.abc import Sequence
from datetime import date

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.buyers import NEEDED, buyers
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, holm_levels, normal, p_values, unknown
from cxkit.findings import ARTICLES, CLAIM_COLUMNS
from cxkit.others import against_others, unit_sums
from cxkit.stages import GOAL, name_key
from cxkit.style import format_ends, format_interval, format_value
from cxkit.tables import counted_lines, order_totals

NEW, EXPERIENCED = "new", "experienced"
LEAST = 20  # customers on each side; below, a normal interval says little
# touchpoints where a customer looks for a section or for goods, as exports call them
FINDING = (
    "category", "catalog", "catalogue", "listing", "search", "search_results", "filter_results", "view_search_results",
    "view_item_list",
)  # fmt: skip
# measure -> what is counted, the unit, and what experienced customers have by the article
MEASURES = {
    "finds": ("visits that search or browse", "share", "less"),
    "touches": ("touches in a visit before its order", "count", "less"),
    "new_category": ("orders with a category never bought before", "share", "less"),
    "bought_again": ("orders with a product of the order before", "share", "more"),
}
CLAIMS = {
    "finds": "New customers need to find a section easily",
    "touches": "Experienced customers need quick access: few touches up to the order",
    "new_category": "New customers need to find a section easily: they still go into new ones",
    "bought_again": "Experienced customers need quick access to what they buy",
}
CANNOT_SHOW = {
    "finds": "Only visits of customers who are known count. That somebody searches does not say that he found it hard.",
    "touches": "Many touches may be reading and comparing that the customer likes.",
    "new_category": "It comes out so even where everybody buys at random: whoever has ordered more often has "
    "fewer categories left that would be new.",
    "bought_again": "Goods that last are not bought again soon, whoever buys them.",
}
AS_SAID, OTHERWISE, TOO_EARLY = "as the article says", "the other way round", "too early to say"
COLUMNS = (
    "measure", "label", "unit", "new", "experienced", "difference", "low", "high", "level", "n", "method", "new_of",
    "experienced_of", "article", "reading", "verdict",
)  # fmt: skip


def experience_groups(orders: Table, *, as_of: date, new_orders: int = 1, experienced_orders: int = 3) -> pd.DataFrame:
    """Customers in two groups by how many orders they have placed up to `as_of`.

    From: orders (lines). To, ordered by customer_id: customer_id, group ("new": `new_orders` counted orders or fewer,
    "experienced": `experienced_orders` or more). Whoever lies between is in neither. `profiles.trait_lifts` compares
    what the two order.
    Source: S4 calls new against experienced the plainest segments there are; how many orders make one experienced is
    ours. Raises UsageError where the two overlap.
    """
    _check(new_orders, experienced_orders)
    people = buyers(orders, as_of=as_of)
    people = people.mutate(group=_group(people.orders, new_orders, experienced_orders))
    return collect(people.filter(people.group.notnull()).select("customer_id", "group"), order_by="customer_id")


def _check(new_orders: int, experienced_orders: int) -> None:
    if not 1 <= new_orders < experienced_orders:
        raise UsageError(
            f"new_orders must be at least 1 and below experienced_orders; found {new_orders} and {experienced_orders}."
        )


def _group(count: ibis.expr.types.IntegerColumn, new_orders: int, experienced_orders: int):
    return ibis.cases((count <= new_orders, NEW), (count >= experienced_orders, EXPERIENCED), else_=ibis.null("string"))


def needs(
    orders: Table,
    log: Table | None = None,
    *,
    as_of: date,
    new_orders: int = 1,
    experienced_orders: int = 3,
    finding: Sequence[str] = FINDING,
    level: float = 0.95,
) -> pd.DataFrame:
    """How visits and orders of experienced customers differ from those of new ones, where the article says they do.

    From: orders (lines); log: `touches.touch_log`, or None without events; finding: touchpoints where a customer looks
    for something. To, one row a measure: measure, label, unit (share or count), new, experienced (the figure of each),
    difference (experienced - new; of shares in percentage points), low, high, level (of this interval), n (customers on
    either side), method, new_of, experienced_of (visits or orders), article (what experienced customers have by it),
    reading (more, less, not told apart, not known), verdict (as the article says, the other way round, too early).
    Measures: finds, the share of visits with a touch at `finding`; touches, the mean number of touches in a visit
    before its order; new_category, the share of orders with a category that the customer never bought before;
    bought_again, the share of orders with a product that stood in his order before.
    Who is what is decided at the time, by the counted orders placed before the visit or the order: new has placed at
    most `new_orders`, experienced `experienced_orders` or more. So one customer may stand on both sides, at different
    times; the errors hold that. The last two measures leave out first orders, in which everything is new.
    All are one family: readings hold together at `level` (Holm). Customers are the units.
    What is left out: visits of nobody known; orders from before the data begin, so that some who seem new are not; a
    measure whose table or column is missing, or with fewer than 20 customers on a side ("not known"; method says why).
    What it cannot show: that experience is the cause. Those who stay differ from those who leave.
    Source: the claim is S4's. The errors: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6 (`others`); Holm (1979),
    Scandinavian Journal of Statistics 6(2), 65-70. Raises UsageError where the two groups overlap.
    """
    _check(new_orders, experienced_orders)
    placed = _placed(orders, as_of)
    cells, why = [], {}
    for measure, column in (("new_category", "category"), ("bought_again", "product_id")):
        if column in orders.columns:
            cells.append(_order_cells(orders, placed, column, measure))
        else:
            why[measure] = f"the orders have no column {column!r}"
    if log is None:
        why |= dict.fromkeys(("finds", "touches"), "there is no table of events")
    else:
        cells += _visit_cells(log, placed, {name_key(name) for name in finding})
    sums = _sums(cells, new_orders, experienced_orders)
    rows = pd.DataFrame([_figures(sums, measure, why.get(measure)) for measure in MEASURES])
    if log is not None and (rows.loc[rows["measure"] == "finds", ["new", "experienced"]].fillna(0) == 0).all(axis=None):
        none = rows["measure"] == "finds"
        rows.loc[none & rows["error"].notna(), "method"] = "no visit came to a touchpoint for searching or browsing"
        rows.loc[none, "error"] = np.nan
    return _judged(rows, level)


def _placed(orders: Table, as_of: date) -> Table:
    """Counted orders of customers: order_id, customer_id, at, before (how many counted orders there were before)."""
    totals = order_totals(orders.select([c for c in NEEDED if c in orders.columns]))
    totals = totals.filter(totals.customer_id.notnull(), totals.ordered_on <= ibis.literal(as_of))
    number = ibis.row_number().over(group_by="customer_id", order_by=["ordered_at", "order_id"])
    return totals.select("order_id", "customer_id", at=totals.ordered_at.cast("timestamp(6)"), before=number)


def _order_cells(orders: Table, placed: Table, column: str, measure: str) -> Table:
    """One row an order after the first: measure, customer_id, before, part (1 where it has what is counted)."""
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale, lines[column].notnull()).select("order_id", thing=column).distinct()
    things = lines.join(placed, "order_id")
    window = ibis.window(group_by=["customer_id", "thing"], order_by="before")
    last = things.before.lag().over(window)  # the number of the order in which he bought it last
    wanted = last.isnull() if measure == "new_category" else (last == things.before - 1).fill_null(False)
    things = things.mutate(wanted=wanted.ifelse(1, 0))
    per_order = things.group_by("customer_id", "order_id", "before")
    per_order = per_order.aggregate(part=ibis._.wanted.max()).filter(ibis._.before > 0)
    return _shaped(per_order, measure)


def _visit_cells(log: Table, placed: Table, finding: set[str]) -> list[Table]:
    """The visits of known customers, as `_order_cells`: whether they search or browse, and touches before the order."""
    seen = log.filter(log.customer_id.notnull(), log.session.notnull(), log.origin == "events")
    key = seen.touchpoint.strip().lower().re_replace(r"[\s_\-]+", "_")
    whole = ibis.window(group_by=["customer_id", "session"])
    goal = seen.occurred_at.min(where=seen.touchpoint == GOAL).over(whole)
    seen = seen.mutate(finds=key.isin(sorted(finding)).ifelse(1, 0), goal=goal)
    seen = seen.mutate(early=(seen.occurred_at < seen.goal).fill_null(False).ifelse(1, 0))
    visits = seen.group_by("customer_id", "session").aggregate(
        at=seen.occurred_at.min(), finds=seen.finds.max(), goal=seen.goal.min(), early=seen.early.sum()
    )
    # an order at the very moment at which the visit begins is not before it
    marks = ibis.union(
        visits.select("customer_id", "session", at=visits.at.cast("timestamp(6)"), is_order=ibis.literal(0)),
        placed.select("customer_id", session=ibis.null("string"), at="at", is_order=ibis.literal(1)),
    )
    order = ibis.cumulative_window(group_by="customer_id", order_by=["at", "is_order", "session"])
    marks = marks.mutate(before=marks.is_order.sum().over(order))
    marks = marks.filter(marks.is_order == 0).select("customer_id", "session", "before")
    dated = visits.join(marks, ["customer_id", "session"])
    ordered = dated.filter(dated.goal.notnull())
    return [_shaped(dated.mutate(part=dated.finds), "finds"), _shaped(ordered.mutate(part=ordered.early), "touches")]


def _shaped(rows: Table, measure: str) -> Table:
    return rows.select(
        "customer_id", measure=ibis.literal(measure), before=rows.before.cast("int64"), part=rows.part.cast("int64")
    )


def _sums(cells: list[Table], new_orders: int, experienced_orders: int) -> pd.DataFrame:
    """`others.against_others` of the two sides by measure; the row of the experienced holds the difference."""
    if not cells:
        return pd.DataFrame(columns=["measure", "group", "value", "others", "n", "units", "difference_error", "people"])
    rows = ibis.union(*cells) if len(cells) > 1 else cells[0]
    rows = rows.mutate(group=_group(rows.before, new_orders, experienced_orders))
    rows = rows.filter(rows.group.notnull())
    units = rows.group_by("measure", "group", "customer_id").aggregate(
        part=rows.part.sum(), whole=rows.count(), squares=(rows.part * rows.part).sum()
    )
    sums = unit_sums(units, by="group", unit="customer_id", within=["measure"])
    people = sums.groupby("measure")["first_units"].transform("sum")
    return against_others(sums, within=["measure"]).assign(people=people)


def _figures(sums: pd.DataFrame, measure: str, missing: str | None) -> dict:
    """One measure's figures, with the error of the difference; NaN and the reason where it is not known."""
    label, unit, article = MEASURES[measure]
    here = sums[sums["measure"] == measure].set_index("group")
    figures = {"measure": measure, "label": label, "unit": unit, "article": article, "error": np.nan}
    for side in (NEW, EXPERIENCED):
        known = side in here.index
        figures |= {side: float(here.at[side, "value"]) if known else np.nan}
        figures |= {f"{side}_of": int(here.at[side, "n"]) if known else 0}
    sizes = [int(here.at[side, "units"]) if side in here.index else 0 for side in (NEW, EXPERIENCED)]
    figures["n"] = int(here["people"].max()) if len(here) else 0
    if min(sizes) >= LEAST:
        return figures | {"error": float(here.at[EXPERIENCED, "difference_error"]), "method": "linearised, by customer"}
    # few people: nothing is told of them
    return (
        figures
        | {NEW: np.nan, EXPERIENCED: np.nan, f"{NEW}_of": 0, f"{EXPERIENCED}_of": 0}
        | {"method": missing or f"fewer than {LEAST} customers on a side"}
    )


def _judged(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    gap = np.where(rows["error"].notna(), rows[EXPERIENCED] - rows[NEW], np.nan)
    levels = holm_levels(p_values(gap, rows["error"].to_numpy(dtype=float)), level=level)
    times = np.where(rows["unit"] == "share", 100.0, 1.0)
    known = rows["error"].notna()
    made = [
        normal(g * t, e * t, 0, unit="points", level=own)
        for g, e, t, own in zip(gap, rows["error"], times, levels, strict=True)
    ]
    rows = rows.assign(
        difference=[e.value for e in made], low=[e.low for e in made], high=[e.high for e in made], level=levels,
        method=rows["method"].where(~known, rows["method"] + "; all hold together (Holm)"),
    )  # fmt: skip
    rows["reading"] = np.select(
        [~known, rows["low"] > 0, rows["high"] < 0], ["not known", "more", "less"], "not told apart"
    )
    told = rows["reading"].isin(["more", "less"])
    rows["verdict"] = np.select([told & (rows["reading"] == rows["article"]), told], [AS_SAID, OTHERWISE], TOO_EARLY)
    return rows[list(COLUMNS)]


def need_estimate(needs: pd.DataFrame, *, measure: str) -> Estimate:
    """One difference (experienced - new) as an estimate: shares in points, touches as a count.

    From: `needs`. Raises UsageError on an unknown measure.
    """
    rows = needs[needs["measure"] == measure]
    if len(rows) != 1:
        raise UsageError(f"no measure {measure!r}; there are: {', '.join(MEASURES)}.")
    row = rows.iloc[0]
    unit, n = "points" if row["unit"] == "share" else "count", int(row["n"])
    if row["reading"] == "not known":
        return unknown(unit, n=n, level=float(row["level"]), method=str(row["method"]))
    ends = (float(row[name]) for name in ("difference", "low", "high"))
    return Estimate(*ends, n, unit, float(row["level"]), str(row["method"]))


def claims_checked(needs: pd.DataFrame) -> pd.DataFrame:
    """The article's claim about new and experienced customers beside this client's differences.

    From: `needs`. To: the columns of `findings.check_claim`, one row a measure. The article gives no figure, only which
    side has more, so theirs is a word, and the reading says whether ours goes the same way.
    """
    rows = []
    for row in needs.to_dict("records"):
        ours = need_estimate(needs, measure=row["measure"])
        signed = ("+" if ours.known and ours.value > 0 else "") + format_value(ours.value, ours.unit)
        suffix = (" points" if ours.unit == "points" else "") if ours.known else ""
        reading = row["verdict"] if ours.known else f"cannot be checked here: {ours.method}"
        rows.append(
            {
                "claim": f"{CLAIMS[row['measure']]} ({row['label']})",
                "source": f"S4: {ARTICLES['S4']}",
                "theirs": f"{row['article']} when experienced",
                "ours": signed + suffix,
                "interval": format_interval(ours) + suffix,
                "n": ours.n,
                "reading": reading,
                "cannot_show": CANNOT_SHOW[row["measure"]],
            }
        )
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def needs_sentences(needs: pd.DataFrame) -> list[str]:
    """What experienced customers do otherwise than new ones, a sentence a measure; those not known last, in one."""
    told, left = [], []
    for row in needs.to_dict("records"):
        if row["reading"] == "not known":
            left.append(f"{row['label']} ({row['method']})")
            continue
        new, experienced = (format_value(row[side], row["unit"]) for side in (NEW, EXPERIENCED))
        points = " percentage points" if row["unit"] == "share" else ""
        ends = format_ends(row["low"], row["high"], "points" if points else "count")
        told.append(
            f"{row['label'][:1].upper()}{row['label'][1:]}: {experienced} with experienced customers, {new} with new"
            f" ones (difference {ends}{points}): {row['verdict']}."
        )
    return told + ([f"Not known: {'; '.join(left)}."] if left else [])
