"""What each group of customers is and brings: sizes and values with their intervals, as a table and as bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import mean, ratio_of_sums, unknown
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import GREY, INK, clean_text, folded_text, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers in the group, or in one that could be worked out from it"
MOST_GIVEN_BACK = 0.1  # of what the others spent
GIVEN_BACK = "more was given back than paid with many customers: shares of the sum mean nothing"
NEEDED = ("customer_id", "group", "monetary", "frequency", "recency_days")
TABLE = ("group", "customers", "share_of_customers", "orders", "revenue", "share_of_revenue", "low", "high", "n",
         "level", "method", "revenue_per_customer", "revenue_low", "revenue_high", "orders_per_customer",
         "median_recency_days")  # fmt: skip
COMMON = ("article_share", "n", "level")  # the same for all rows, or given: they tell nothing of a small group


def group_table(customers: pd.DataFrame, *, groups: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """What each group is and brings, by falling revenue.

    From: customer_id, group (a name), monetary (revenue), frequency (counted orders), recency_days, one row a customer;
    `groups`: names that stand in the table even where nobody is in them, in the order in which ties are to stand.
    To: group, customers, share_of_customers, orders, revenue, share_of_revenue with low, high, n, level, method;
    revenue_per_customer with revenue_low, revenue_high; orders_per_customer, median_recency_days.
    Nothing is lost: every customer is in one row, and customers, orders and revenue add up to `customers` where no row
    is withheld. The intervals take the customers as a sample of those whom the shop could have had, and the borders of
    the groups as given: shares by the linearised ratio, revenue per customer by Student's t.
    What is left out: the numbers of groups of one to four customers, and of the next smallest where one could subtract
    (see `privacy.withhold_small`); they are NaN, and the rows stand last.
    Raises UsageError where a column is missing, a customer stands there twice or has no group.
    """
    customers = _checked(customers)
    revenue = customers["monetary"].to_numpy(dtype=float)
    frequency = customers["frequency"].to_numpy(dtype="int64")
    recency = customers["recency_days"]
    names = list(dict.fromkeys([*groups, *sorted(customers["group"].unique())]))
    place = customers["group"].map({name: number for number, name in enumerate(names)}).to_numpy()
    total, rows = len(customers), []
    for number, name in enumerate(names):
        inside = place == number
        held = ratio_of_sums(np.where(inside, revenue, 0.0), revenue, level=level)
        if not inside.any():  # the formula would give nobody an interval of no width
            held = unknown("share", n=total, level=level, method="nobody in the group")
        elif given_back(revenue):
            held = unknown("share", n=total, level=level, method=GIVEN_BACK)
        size, orders = int(inside.sum()), int(frequency[inside].sum())
        money, each = round(float(revenue[inside].sum()), 4), mean(revenue[inside], unit="money", level=level)
        rows.append(
            {
                "group": name,
                "customers": size,
                "share_of_customers": size / total if total else np.nan,
                "orders": orders,
                "revenue": money,
                "share_of_revenue": np.nan if given_back(revenue) else share_of_sum(revenue, inside),
                **{field: getattr(held, field) for field in ("low", "high", "n", "level", "method")},
                "revenue_per_customer": money / size if size else np.nan,
                "revenue_low": each.low,
                "revenue_high": each.high,
                "orders_per_customer": orders / size if size else np.nan,
                "median_recency_days": recency[inside].median(),
            }
        )
    # sorted after withholding: a place between two known revenues would tell what is withheld
    table = withhold_groups(pd.DataFrame(rows, columns=list(TABLE)))
    return table.sort_values("revenue", ascending=False, kind="stable", ignore_index=True)


def _checked(customers: pd.DataFrame) -> pd.DataFrame:
    """The customers in the order of their ids, so that sums of floats do not hang on the order of rows."""
    if lacking := [name for name in NEEDED if name not in customers]:
        raise UsageError(
            f"the customers lack {', '.join(lacking)}; found {', '.join(map(str, customers.columns))}. A table of "
            f"groups needs {', '.join(NEEDED)}, one row a customer."
        )
    if not customers["customer_id"].is_unique:
        twice = customers.loc[customers["customer_id"].duplicated(), "customer_id"].iloc[0]
        raise UsageError(f"the customer {twice} stands there twice; give one row a customer, in one group.")
    if nowhere := int(customers["group"].isna().sum()):
        raise UsageError(
            f"{nowhere:,} customers have no group; give them one, such as 'Not placed', or leave them out."
        )
    if customers["customer_id"].is_monotonic_increasing:
        return customers
    return customers.sort_values("customer_id", ignore_index=True)


def withhold_groups(groups: pd.DataFrame) -> pd.DataFrame:
    """A table of groups (`customers` people each) without the numbers of small ones; their method says so.

    What is the same for all rows (n, level, the article's share) stays.
    """
    common = groups[[name for name in COMMON if name in groups]]
    held = withhold_small(groups, count="customers", least=LEAST_SHOWN).assign(**common)
    return held.assign(method=held["method"].mask(held["customers"].isna(), WITHHELD))


def given_back(revenue: np.ndarray) -> bool:
    """Whether so many customers were given back more than they paid that shares of the sum mean nothing."""
    return bool(-revenue[revenue < 0].sum() > MOST_GIVEN_BACK * revenue[revenue > 0].sum())


def share_of_sum(revenue: np.ndarray, inside: np.ndarray) -> float:
    """What those inside have of the sum of all; NaN where the sum is not above zero."""
    total = revenue.sum()
    return float(revenue[inside].sum() / total) if total > 0 else float("nan")


def plot_groups(
    table: pd.DataFrame, *, title: str = "Groups by size and by revenue", ax: "Axes | None" = None
) -> "Axes":
    """`group_table` as pairs of bars, in its order: share of customers (grey), share of revenue with its interval.

    A group whose numbers are withheld has no bars and says so.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.52 * max(len(table), 1) + 1.4))[1] if ax is None else ax
    paired_bars(ax, table, [folded_text(name) for name in table["group"]])
    ax.set_title(title)
    return ax


def describe_groups(
    table: pd.DataFrame,
    *,
    kind: str = "group",
    sentence: str = "{name}: {customers} of customers, {revenue} of revenue.",
) -> str:
    """What `plot_groups` shows, for those who cannot see it: the three groups that bring most.

    From: `group_table`; `kind`: what the groups are called; `sentence`: how one is told, with the places name,
    customers and revenue.
    """
    rows = table[table["customers"] > 0].sort_values("revenue", ascending=False, kind="stable").head(3)
    parts = [f"Bars of the share of customers and of revenue by {kind}."]
    parts += [
        sentence.format(
            name=clean_text(row["group"]),
            customers=format_value(row["share_of_customers"], "share"),
            revenue=format_value(row["share_of_revenue"], "share"),
        )
        for _, row in rows.iterrows()
    ]
    if small := [clean_text(name) for name in table.loc[table["customers"].isna(), "group"]]:
        parts.append(f"Withheld, so that nothing is told of under {LEAST_SHOWN} people: {', '.join(small)}.")
    return " ".join(parts)


def paired_bars(ax: "Axes", table: pd.DataFrame, labels: Sequence[str], *, ticks: np.ndarray | None = None) -> None:
    """Two bars a row: share_of_customers, and share_of_revenue with low and high; `ticks`: shares supposed."""
    if not len(table):
        nothing_to_show(ax)
        return
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
    legend_below(ax)


def nothing_to_show(ax: "Axes") -> None:
    """A picture without rows says so."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY)


def legend_below(ax: "Axes") -> None:
    """The legend half an inch below the axes, clear of their labels whatever the picture's height."""
    from matplotlib.transforms import ScaledTranslation

    below = ax.transAxes + ScaledTranslation(0, -0.5, ax.figure.dpi_scale_trans)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, 0), bbox_transform=below, ncols=3)
