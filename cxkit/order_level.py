"""Is a column of money each line's own, or its order's, given once or repeated on all its lines?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxkit.column_choice import Choice, shown
from cxkit.column_kinds import ColumnForm, numbers
from cxkit.meanings import key

if TYPE_CHECKING:
    import pandas as pd

AGREE = 0.95  # of the orders of several lines must say the same
LEAST = 5  # orders of several lines: fewer prove nothing
CENT = 0.015
_OF_ORDER = frozenset().union(*(key(word) for word in ("order", "замовлення", "заказа", "zamówienia")))


@dataclass(frozen=True)
class Level:
    """kind: "line", "order", or "open" where nothing decides. told: why."""

    kind: str
    told: str = ""


def level(choice: Choice, form: ColumnForm, decimal: str | None, *, worth: "pd.Series | None" = None) -> Level:
    """Whose a discount, a refund or a cost is: the line's on which it stands, or the whole order's.

    From: the column; `worth`: what each line is worth, where the file says it. What stands in a joined file of orders
    is the order's. Else its repetition within the orders of several lines tells; zeros are no values.
    """
    import pandas as pd

    name = shown(form.name)
    if form.name in choice.of_orders:
        return Level("order", f"{name} stands in the orders' own file")
    order = choice.columns.get("order_id")
    if order is None:
        return Level("line")
    frame = pd.DataFrame({"order": order.sample.astype(object), "value": numbers(form, decimal).abs().fillna(0)})
    frame["own"] = (frame["value"] - worth.abs()).abs() <= CENT if worth is not None else False
    frame = frame[frame["order"] != ""]
    frame["filled"] = frame["value"] > 0
    grouped = frame.groupby("order")
    orders = pd.DataFrame(
        {"lines": grouped.size(), "filled": grouped["filled"].sum(), "first": grouped["filled"].first()}
    )
    given = frame[frame["filled"]].groupby("order")
    orders["different"] = given["value"].nunique().reindex(orders.index).fillna(0)
    orders["value"] = given["value"].first().reindex(orders.index)
    orders["own"] = given["own"].all().reindex(orders.index) == True  # noqa: E712 - NaN where nothing is filled
    several = orders[(orders["lines"] > 1) & (orders["filled"] > 0)]
    own, several = several["own"].sum(), several[~several["own"]]
    if not len(several) or own > len(several):
        return Level("line")
    repeated = (several["different"] == 1) & (several["filled"] == several["lines"])
    first = (several["filled"] == 1) & several["first"].astype(bool)
    named = bool(set(key(form.name)) & _OF_ORDER)
    proves = len(several) >= LEAST and several["value"].nunique() > 1
    for those, how in ((repeated, "the same on every line of an order"), (first, "only on an order's first line")):
        if those.mean() >= AGREE and (proves or named):
            return Level("order", f"{name} stands {how} ({len(several):,} orders of several lines)")
    if named:
        return Level("open", f"{name} is named as the order's, but its lines do not say so")
    if repeated.mean() >= AGREE or (repeated.mean() > 0.5 and not (several["different"] > 1).any()):
        return Level(
            "open", f"{name} repeats within {int(repeated.sum()):,} orders of several lines: a line's or the order's?"
        )
    return Level("line")


def agreeing(one: "pd.Series", other: "pd.Series", *, least: int = LEAST) -> float:
    """The share of rows in which two sums are the same but for rounding; 0 where fewer than `least` have both."""
    both = one.notna() & other.notna()
    if both.sum() < least:
        return 0.0
    return float(((one - other).abs()[both] <= CENT + 0.0005 * other.abs()[both]).mean())
