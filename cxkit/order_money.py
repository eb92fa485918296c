"""What is an order line's money? A line's total, a product of price and pieces, or the order's sum shared out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN
from cxkit.column_choice import Choice, shown
from cxkit.column_kinds import ColumnForm, numbers

if TYPE_CHECKING:
    import pandas as pd

AGREE = 0.95  # of the lines (or orders) must be what a reckoning says
LEAST = 5  # orders of several lines: fewer prove nothing
CENT = 0.015


@dataclass(frozen=True)
class Money:
    """source: as `columns.amount` takes it, "???" where it is open. told: why. used: raw columns that it names."""

    source: Any
    told: str
    used: tuple[str, ...] = ()


def line_money(choice: Choice, decimal: str | None) -> Money:
    """An order line's money, by what the file's numbers prove.

    A total named as a line's is taken. One whose name may mean the order is held against price × quantity (less the
    discount), then against its own repetition within the orders; where neither proves anything it is left open.
    """
    total, pieces = choice.columns.get("amount"), choice.columns.get("quantity")
    prices, sums = choice.roles.get("unit_price", []), choice.roles.get("order_total", [])
    price = prices[0] if len(prices) == 1 else None
    if price is not None and price.kind not in ("integer", "number", "money"):
        price = None
    sums = [f for f in sums if f.kind in ("integer", "number", "money")]
    if total is not None:
        return _of_total(choice, total, price, pieces, decimal, weak=choice.meant["amount"].weak)
    if len(sums) == 1:
        return _of_total(choice, sums[0], price, pieces, decimal, weak=True)
    if len(sums) > 1:
        return Money(UNKNOWN, " and ".join(shown(f.name) for f in sums) + " could each be the order's money")
    if price is not None and pieces is not None:
        return _of_price(choice, price, pieces)
    if len(prices) > 1:
        return Money(UNKNOWN, " and ".join(shown(f.name) for f in prices) + " could each be the price of one piece")
    if price is not None:
        return Money(UNKNOWN, f"{shown(price.name)} is the price of one piece, and no column says how many there are")
    return Money(UNKNOWN, choice.open.get("amount", "no column of money was found"))


def _of_total(
    choice: Choice,
    total: ColumnForm,
    price: ColumnForm | None,
    pieces: ColumnForm | None,
    decimal: str | None,
    *,
    weak: bool,
) -> Money:
    """The money of a file that has a total, of a line or of an order."""
    as_it_is = Money(total.name, f"{shown(total.name)}: {total.evidence}", (total.name,))
    name, money = shown(total.name), numbers(total, decimal)
    product = _product(price, pieces, decimal)
    if product is not None:
        discount = choice.columns.get("discount")
        ways = {f"{shown(pieces.name)} × {shown(price.name)}": product}
        if discount is not None:
            ways[f"{shown(pieces.name)} × {shown(price.name)} - {shown(discount.name)}"] = product - numbers(
                discount, decimal
            ).abs().fillna(0)
        for way, reckoned in ways.items():
            share = _agreeing(money, reckoned)
            if share >= AGREE:
                return Money(total.name, f"{as_it_is.told}; it is {way} in {share:.0%} of the lines", (total.name,))
    if not weak:
        return as_it_is
    within = _within_orders(choice, total)
    if within is None:
        return as_it_is if product is None else _either(total, price, pieces, "it is not their product")
    lines, repeated, first_only, differ = within
    if not lines:
        return Money(total.name, f"{as_it_is.told}; one line an order", (total.name,))
    if first_only >= AGREE or (repeated >= AGREE and lines >= LEAST):
        how = "only on an order's first line" if first_only >= AGREE else "the same on every line of an order"
        return _of_order(
            choice, total, price, pieces, decimal, f"{name} stands {how} ({lines:,} orders of several lines)"
        )
    if product is not None:
        return _either(total, price, pieces, "it is not their product, nor an order's one sum")
    if differ >= (0.5 if lines >= LEAST else AGREE):
        return Money(
            total.name, f"{as_it_is.told}; it differs between the lines of an order, so it is a line's", (total.name,)
        )
    return Money(UNKNOWN, f"{name}: a line's money or the order's? {lines:,} orders of several lines do not tell")


def _of_order(
    choice: Choice,
    total: ColumnForm,
    price: ColumnForm | None,
    pieces: ColumnForm | None,
    decimal: str | None,
    how: str,
) -> Money:
    """The money of an order, to be shared over its lines."""
    product = _product(price, pieces, decimal)
    if product is None:
        return Money(
            {"share": total.name}, f"{how}: shared in equal parts, as no column has the lines' prices", (total.name,)
        )
    orders = choice.columns["order_id"].sample.astype(object)
    sums, whole = product.groupby(orders).sum(), numbers(total, decimal).groupby(orders).max()
    share = _agreeing(whole, sums)
    used = (pieces.name, price.name)
    if share >= AGREE:
        told = (
            f"{shown(pieces.name)} × {shown(price.name)}: summed it is {shown(total.name)} in {share:.0%} of the orders"
        )
        return Money({"multiply": list(used)}, told, used)
    way = f"{shown(pieces.name)} × {shown(price.name)}"
    told = f"{how}: shared in proportion to {way}, whose sum it is in {share:.0%} of the orders"
    return Money({"share": total.name, "by": list(used)}, told, (total.name, *used))


def _of_price(choice: Choice, price: ColumnForm, pieces: ColumnForm) -> Money:
    discount, used = choice.columns.get("discount"), [pieces.name, price.name]
    way = f"{shown(pieces.name)} × {shown(price.name)}"
    if discount is not None and (numbers(discount).fillna(0) != 0).any():
        return Money(
            UNKNOWN,
            f"no total to prove it: {way}, or less {shown(discount.name)} (minus: [{shown(discount.name)}]) where the"
            " price stands before the discount",
        )
    return Money({"multiply": used}, f"{way}: no column has a line's total", tuple(used))


def _either(total: ColumnForm, price: ColumnForm | None, pieces: ColumnForm | None, why: str) -> Money:
    return Money(UNKNOWN, f"{shown(total.name)}, or {shown(pieces.name)} × {shown(price.name)}? {why}")


def _product(price: ColumnForm | None, pieces: ColumnForm | None, decimal: str | None) -> "pd.Series | None":
    if price is None or pieces is None or not price.filled or not pieces.filled:
        return None
    return numbers(price, decimal) * numbers(pieces, decimal)


def _agreeing(one: "pd.Series", other: "pd.Series") -> float:
    """The share of rows in which two sums are the same but for rounding; 0 where fewer than LEAST have both."""
    both = one.notna() & other.notna()
    if both.sum() < LEAST:
        return 0.0
    return float(((one - other).abs()[both] <= CENT + 0.0005 * other.abs()[both]).mean())


def _within_orders(choice: Choice, total: ColumnForm) -> tuple[int, float, float, float] | None:
    """Of the orders with several lines: how many, and the shares whose lines all have the same sum, of which the first
    line alone has one, whose sums differ. None without the orders' numbers."""
    import pandas as pd

    if "order_id" not in choice.columns:
        return None
    frame = pd.DataFrame(
        {"order": choice.columns["order_id"].sample.astype(object), "sum": total.sample.astype(object)}
    )
    frame = frame[frame["order"] != ""]
    frame["filled"] = frame["sum"] != ""
    grouped = frame.groupby("order")
    lines, filled, first = grouped.size(), grouped["filled"].sum(), grouped["filled"].first()
    different = frame[frame["filled"]].groupby("order")["sum"].nunique().reindex(lines.index).fillna(0)
    several = (lines > 1) & (filled > 0)
    if not several.any():
        return 0, 0.0, 0.0, 0.0
    shares = ((different == 1) & (filled == lines), (filled == 1) & first, different > 1)
    return int(several.sum()), *(float(s[several].mean()) for s in shares)
