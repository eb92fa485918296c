"""Are the tables fit to be analysed, and what was left out: rows, months, large customers, open questions."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
import yaml

from cxkit.buyers import PLACES, customer_totals, placed_orders
from cxkit.engine import collect
from cxkit.errors import DataError
from cxkit.estimates import Estimate, counted, unknown
from cxkit.findings import Finding
from cxkit.style import GREY, INK, format_value
from cxkit.tables import TABLES, counted_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ASSESSED = Path(__file__).parent / "assessed.yml"
LARGE_SHARE = 0.10  # of revenue or orders; one customer with more is a company, a test account or a till


def accounting(accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """Where every row that came in went: kept, or refused for a reason.

    From: `Loaded.accounts` (per table rows_in, kept, netted, refused {reason: rows}). To, by table: table, item, rows,
    share (of the table's rows in). Items: "rows in", "kept", "of these netted" (returns set off against the sale they
    cancel; only where there are any), "refused: <reason>" with the commonest first.
    Raises DataError where kept and refused do not add up to the rows in, naming the table and the numbers.
    """
    rows = []
    for table, account in accounts.items():
        refused = sorted(account["refused"].items(), key=lambda item: (-item[1], item[0]))
        rows_in, kept, away = account["rows_in"], account["kept"], sum(account["refused"].values())
        if kept + away != rows_in:
            raise DataError(
                f"table {table!r} does not add up: {rows_in:,} rows came in, {kept:,} were kept and {away:,} refused "
                f"({kept + away:,}). This is a fault of cxkit: please report it with these numbers."
            )
        items = [("rows in", rows_in), ("kept", kept)]
        items += [("of these netted", account["netted"])] if account.get("netted") else []
        items += [(f"refused: {reason}", number) for reason, number in refused]
        share = [number / rows_in if rows_in else np.nan for _, number in items]
        rows += [(table, item, number, part) for (item, number), part in zip(items, share, strict=True)]
    return pd.DataFrame(rows, columns=["table", "item", "rows", "share"])


def refused_share(accounts: Mapping[str, Mapping], *, table: str = "orders") -> Estimate:
    """Share of a table's rows that could not be used, counted in full. Unknown where the table is not there.

    What is left out: refused rows that the client's own rules leave out (`left_out`: no goods, and rows after an as_of
    that was set); nothing is wrong with them.
    """
    if table not in accounts:
        return unknown("share", level=1.0, method=f"no table {table!r}")
    account = accounts[table]
    return counted(sum(account["refused"].values()) - account.get("left_out", 0), account["rows_in"])


def monthly_coverage(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """What the data hold month by month, from the first order to `as_of`; months without orders included.

    From: orders (lines). To: month (its first day), lines, orders, customers (who ordered in it), without_customer
    (orders), revenue, days (with orders), complete (false where `as_of` cuts the month, or the data begin within it).
    What is left out: cancelled orders; returns that matched no sale (they are no order and have no month of their own).
    The data are taken to begin within a month when its first order comes after its seventh day.
    """
    lines = counted_lines(orders)
    sizes = lines.group_by("order_id").aggregate(lines=lines.is_sale.ifelse(1, 0).sum())
    totals = placed_orders(orders, as_of=as_of).join(sizes, "order_id")
    totals = totals.mutate(month=totals.ordered_on.truncate("M"))
    frame = collect(
        totals.group_by("month").aggregate(
            lines=totals.lines.sum(),
            orders=totals.count(),
            customers=totals.customer_id.nunique(),
            without_customer=totals.customer_id.isnull().ifelse(1, 0).sum(),
            revenue=totals.revenue.sum().round(PLACES),
            days=totals.ordered_on.nunique(),
            first_on=totals.ordered_on.min(),
        ),
        order_by="month",
    )
    frame["month"] = pd.to_datetime(frame["month"])
    if frame.empty:
        return frame.drop(columns="first_on").assign(complete=pd.Series(dtype=bool))
    first_on = pd.Timestamp(frame["first_on"].iloc[0])
    months = pd.date_range(frame["month"].iloc[0], pd.Timestamp(as_of.replace(day=1)), freq="MS")
    frame = frame.drop(columns="first_on").set_index("month").reindex(months, fill_value=0).rename_axis("month")
    complete = np.ones(len(frame), dtype=bool)
    complete[-1] = as_of.day == monthrange(as_of.year, as_of.month)[1]
    complete[0] &= first_on.day <= 7
    counts = ["lines", "orders", "customers", "without_customer", "days"]
    return frame.astype(dict.fromkeys(counts, "int64")).assign(complete=complete).reset_index()


def without_customer(orders: ibis.Table, *, as_of: date) -> Estimate:
    """Share of counted orders that name no customer, counted in full."""
    totals = placed_orders(orders, as_of=as_of)
    sums = totals.aggregate(orders=totals.count(), nobody=totals.customer_id.isnull().ifelse(1, 0).sum())
    row = collect(sums, order_by="orders").iloc[0]
    return counted(0 if pd.isna(row["nobody"]) else row["nobody"], row["orders"])


def largest_customers(orders: ibis.Table, *, as_of: date, rows: int = 5) -> pd.DataFrame:
    """The customers who spent most, to notice a company, a test account or a till among them.

    To: customer_id (pseudonym), orders, revenue, share_of_orders, share_of_revenue (of all customers' together), large
    (either share is at least a tenth). Ordered by revenue, then by customer_id.
    """
    totals = customer_totals(orders, as_of=as_of).filter(ibis._.customer_id.notnull())
    sums = collect(
        totals.aggregate(orders=totals.orders.sum(), revenue=totals.revenue.sum().round(PLACES)), order_by="orders"
    ).iloc[0]
    ranked = totals.mutate(rank=ibis.row_number().over(order_by=[ibis.desc("revenue"), "customer_id"]))
    top = collect(ranked.filter(ranked["rank"] < rows), order_by="rank")
    shares = {
        "share_of_orders": top["orders"] / sums["orders"] if sums["orders"] else np.nan,
        "share_of_revenue": top["revenue"] / sums["revenue"] if (sums["revenue"] or 0) > 0 else np.nan,
    }
    frame = top[["customer_id", "orders", "revenue"]].assign(**shares)
    large = frame[["share_of_orders", "share_of_revenue"]].max(axis=1) >= LARGE_SHARE
    return frame.assign(large=large)


def revenue_by_owner(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Whose the revenue is, so that what is per customer can be reconciled with the whole.

    To: whose ("customers who ordered", "customers who only returned", "no customer"), customers, orders, revenue,
    share_of_revenue. The three rows add up to all counted lines up to `as_of`. Orders without a customer count as
    orders only.
    """
    totals = customer_totals(orders, as_of=as_of)
    whose = ibis.cases(
        (totals.customer_id.isnull(), "no customer"),
        (totals.orders > 0, "customers who ordered"),
        else_="customers who only returned",
    )
    totals = totals.mutate(whose=whose)
    sums = totals.group_by("whose").aggregate(
        customers=totals.customer_id.count(), orders=totals.orders.sum(), revenue=totals.revenue.sum().round(PLACES)
    )
    names = ["customers who ordered", "customers who only returned", "no customer"]
    frame = collect(sums, order_by="whose").set_index("whose").reindex(names).fillna(0)
    total = frame["revenue"].sum()
    frame = frame.assign(share_of_revenue=frame["revenue"] / total if total > 0 else np.nan)
    return frame.astype({"customers": "int64", "orders": "int64"}).reset_index()


def not_assessed(missing: Iterable[str], unmapped: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """What these data cannot answer, and what to ask the client for.

    From: `Loaded.missing` (tables not declared) and `Loaded.unmapped` (optional columns of declared tables that no
    export column was mapped to). To, by notebook: what (the question), why (what is missing), ask_for, notebook.
    What is left out: columns that no page of this version uses.
    Raises DataError on a table that TABLES does not have.
    """
    text = yaml.safe_load(ASSESSED.read_text(encoding="utf-8"))["tables"]
    if strange := sorted((set(missing) | set(unmapped)) - set(TABLES)):
        raise DataError(f"no such tables: {', '.join(strange)}; there are {', '.join(TABLES)}.")
    rows = [(text[t]["question"], f"the table {t} is missing", text[t]["ask"], text[t]["notebook"]) for t in missing]
    for table, columns in unmapped.items():
        known = text[table].get("columns", {})
        rows += [
            (known[c]["question"], f"{table} has no {c}", known[c]["ask"], known[c]["notebook"])
            for c in columns
            if c in known
        ]
    frame = pd.DataFrame(rows, columns=["what", "why", "ask_for", "notebook"])
    return frame.sort_values("notebook", kind="stable", ignore_index=True)


def not_asked(tables: Iterable[str]) -> pd.DataFrame:
    """What tables that are there could answer, though no page asks them. To: the columns of `not_assessed`."""
    frames = [
        not_assessed([table], {}).assign(
            why=f"the table {table} was read and checked, but no page of this version asks it"
        )
        for table in tables
    ]
    frame = pd.concat([not_assessed([], {}), *frames], ignore_index=True).assign(ask_for="nothing, the data are there")
    return frame.sort_values("notebook", kind="stable", ignore_index=True)


def plot_coverage(coverage: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`monthly_coverage` as bars of orders a month; months that are not complete are hatched."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.2))[1] if ax is None else ax
    place = np.arange(len(coverage))
    whole = coverage["complete"].to_numpy(dtype=bool)
    ax.bar(place[whole], coverage["orders"][whole], color="C0", width=0.8)
    if (~whole).any():
        ax.bar(place[~whole], coverage["orders"][~whole], width=0.8, color="white", edgecolor=GREY, hatch="////",
               label="Month not complete")  # fmt: skip
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.6 / ax.figure.get_figheight()))
    step = max(1, -(-len(coverage) // 9))
    labels = [f"{month:%Y-%m}" for month in coverage["month"]]
    ax.set_xticks(place[::step], labels[::step])
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(lambda number, _: f"{number:,.0f}")
    ax.set(xlabel="Month", ylabel="Orders", title="Orders by month")
    return ax


def plot_accounting(account: pd.DataFrame, *, table: str = "orders", ax: "Axes | None" = None) -> "Axes":
    """`accounting` of one table as bars of rows refused, by reason, with their number and share of the rows in."""
    import matplotlib.pyplot as plt

    rows = account[(account["table"] == table) & account["item"].str.startswith("refused: ")]
    ax = plt.subplots(figsize=(7.2, 0.36 * max(len(rows), 1) + 1.2))[1] if ax is None else ax
    place = np.arange(len(rows))
    ax.barh(place, rows["rows"], color=GREY)
    for y, number, share in zip(place, rows["rows"], rows["share"], strict=True):
        ax.annotate(f"{number:,} ({format_value(share, 'share')})", (number, y), (5, 0), textcoords="offset points",
                    va="center", color=INK)  # fmt: skip
    ax.set_yticks(place, [item.removeprefix("refused: ") for item in rows["item"]])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(x=0.25)
    ax.set_xlim(left=0)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.xaxis.set_major_formatter(lambda number, _: f"{number:,.0f}")
    ax.set(xlabel="Rows refused (share of all rows that came in)", title=f"Why rows of {table} were refused")
    return ax


def describe_refused(account: pd.DataFrame, *, table: str = "orders") -> str:
    """What `plot_accounting` shows, for those who cannot see it. From: `accounting`."""
    rows = account[(account["table"] == table) & account["item"].str.startswith("refused: ")]
    if rows.empty:
        return f"No row of {table} was refused."
    parts = [f"{row.rows:,} because of: {row.item.removeprefix('refused: ')}" for row in rows.head(3).itertuples()]
    return f"Bars of the rows of {table} refused, by reason. {'; '.join(parts)}."


def describe_coverage(coverage: pd.DataFrame) -> str:
    """What `plot_coverage` shows, for those who cannot see it. From: `monthly_coverage`."""
    whole = coverage[coverage["complete"]]
    if whole.empty:
        return f"Bars of orders by month; none of the {len(coverage)} months is complete."
    low, high = whole.loc[whole["orders"].idxmin()], whole.loc[whole["orders"].idxmax()]
    return (
        f"Bars of orders by month. The {len(whole)} complete months hold between {low['orders']:,} "
        f"({low['month']:%Y-%m}) and {high['orders']:,} orders ({high['month']:%Y-%m})."
    )


def table_sizes(accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """One row a table: table, rows_in, kept, netted, refused, share_refused. From: `Loaded.accounts`."""
    rows = [
        {
            "table": table,
            "rows_in": account["rows_in"],
            "kept": account["kept"],
            "netted": account.get("netted", 0),
            "refused": sum(account["refused"].values()),
        }
        for table, account in sorted(accounts.items())
    ]
    frame = pd.DataFrame(rows, columns=["table", "rows_in", "kept", "netted", "refused"])
    return frame.assign(share_refused=frame["refused"] / frame["rows_in"].where(frame["rows_in"] > 0))


def reading_notes(accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """What was noticed while a table was read and needs no refusal. From: `Loaded.accounts`. To: table, note."""
    rows = [(table, note) for table, account in sorted(accounts.items()) for note in account.get("notes", [])]
    return pd.DataFrame(rows, columns=["table", "note"])


def refused_share_finding(estimate: Estimate, *, table: str = "orders") -> Finding:
    """quality.refused_share: how many rows could not be used. From: `refused_share`."""
    return Finding(
        id="quality.refused_share",
        claim=f"{{value}} of the rows of {table} could not be used; what the client's own rules leave out is not "
        "counted ({interval}).",
        estimate=estimate,
        label=f"Rows of {table} that could not be used",
        higher_is_better=False,
        evidence=("accounting",),
        action="Mend the commonest fault where the export is made; each of these rows lies in the private folder, with "
        "its reason.",
    )


def without_customer_finding(estimate: Estimate) -> Finding:
    """quality.without_customer_share: how many orders belong to nobody. From: `without_customer`."""
    return Finding(
        id="quality.without_customer_share",
        claim="{value} of orders name no customer ({interval}); whatever is said per customer leaves them out.",
        estimate=estimate,
        label="Orders without a customer",
        higher_is_better=False,
        evidence=("coverage",),
        action="Give guests a reason to leave an address that recurs, so that a second order can be recognised.",
    )
