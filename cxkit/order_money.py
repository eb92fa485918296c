"""What is an order line's money? A line's total, a product of price and pieces, or the order's sum shared out."""

import re
from dataclasses import dataclass
from itertools import product as pairs
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN
from cxkit.column_choice import NUMERIC, Choice, shown
from cxkit.column_kinds import ColumnForm, numbers
from cxkit.doubts import equality
from cxkit.meanings import key
from cxkit.order_level import AGREE, LEAST, Level, agreeing, level

if TYPE_CHECKING:
    import pandas as pd

NET = re.compile(r"(?<![^\W_])(?:netto|net|нетто|excl|ex vat|bez vat|без (?:пдв|ндс))(?![^\W_])", re.IGNORECASE)
GROSS = re.compile(r"(?<![^\W_])(?:brutto|gross|брутто|incl|з пдв|с ндс)(?![^\W_])", re.IGNORECASE)
_SUB = re.compile("sub|проміж|промеж|częściow", re.IGNORECASE)  # a total before discounts, as a rule
TAXES = (1.0, 1.35)  # a gross sum over its net one


@dataclass(frozen=True)
class Money:
    """source: as `columns.amount` takes it, "???" where it is open. told: why. used: raw columns that it names. ready:
    where it is open, what it may be, each with when."""

    source: Any
    told: str
    used: tuple[str, ...] = ()
    ready: tuple[tuple[Any, str], ...] = ()


@dataclass(frozen=True)
class _Goods:
    """What a file says of its lines' money. worth: pieces × price, or the line's total where there are none; by: its
    raw columns; less: what is taken off, as `minus` has it; off: the same, a number a line or an order."""

    choice: Choice
    decimal: str | None
    worth: "pd.Series | None"
    by: tuple[str, ...]
    discount: ColumnForm | None
    level: Level

    @property
    def way(self) -> str:
        return " × ".join(map(shown, self.by))

    @property
    def less(self) -> Any:
        return {"share": self.discount.name, "by": list(self.by)} if self.level.kind == "order" else self.discount.name

    @property
    def minus(self) -> dict[str, Any]:
        return {"multiply": list(self.by), "minus": [self.less]}


def line_money(choice: Choice, decimal: str | None) -> Money:
    """An order line's money, by what the file's numbers prove.

    A total named as a line's is taken. One whose name may mean the order is held against price × quantity, less the
    discount, then against its own repetition within the orders. A discount of the whole order is taken off where the
    orders' own totals prove it. Where nothing proves anything it is left open, with the lines that may be right.
    """
    total, pieces = choice.columns.get("amount"), choice.columns.get("quantity")
    prices = [f for f in choice.roles.get("unit_price", []) if f.kind in NUMERIC]
    sums = [f for f in choice.roles.get("order_total", []) if f.kind in NUMERIC]
    price = prices[0] if len(prices) == 1 else None
    worth, by = _product(price, pieces, decimal), (pieces.name, price.name) if price and pieces else ()
    goods = _goods(choice, decimal, worth, by, total)
    if total is not None:
        found = _of_total(goods, total, sums, weak=choice.meant["amount"].weak)
        if found.source == total.name and goods.level.kind != "line" and worth is None and _given(goods):
            of_total = _goods(choice, decimal, numbers(total, decimal), (total.name,), None)
            found = _before_or_after(of_total, total, sums, found.told)
        elif found.source == total.name and worth is None and _given(goods):
            told = f"{found.told}; whether {shown(goods.discount.name)} is taken off in it, no price proves"
            found = Money(found.source, told, found.used)
        return _gross_or_net(choice, total, decimal, found)
    if worth is not None and (sums or _given(goods)):
        return _gross_or_net(choice, price, decimal, _of_sums(goods, sums))
    if len(sums) == 1:
        return _of_total(goods, sums[0], (), weak=True)
    if sums:
        told = " and ".join(shown(f.name) for f in sums) + " could each be the order's money"
        return Money(UNKNOWN, told, ready=tuple(({"share": f.name}, "") for f in sums))
    if worth is not None or (price is not None and pieces is not None):
        found = Money({"multiply": list(by)}, f"{goods.way}: no column has a line's total", by)
        return _gross_or_net(choice, price, decimal, found)
    if len(prices) > 1:
        ready = tuple(({"multiply": [pieces.name, f.name]}, "") for f in prices) if pieces else ()
        told = " and ".join(shown(f.name) for f in prices) + " could each be the price of one piece"
        return Money(UNKNOWN, told, ready=ready)
    if price is not None:
        return Money(UNKNOWN, f"{shown(price.name)} is the price of one piece, and no column says how many there are")
    return Money(UNKNOWN, choice.open.get("amount", "no column of money was found"))


def part(choice: Choice, name: str, decimal: str | None, *, amount: Money) -> Money:
    """A discount, a refund or a cost beside the lines' money: as it stands, or the order's, shared out as that is.

    To: told is what is to be added to the column's own evidence.
    """
    form, pieces = choice.columns[name], choice.columns.get("quantity")
    total, prices = choice.columns.get("amount"), [f for f in choice.roles.get("unit_price", []) if f.kind in NUMERIC]
    worth = _product(prices[0] if len(prices) == 1 else None, pieces, decimal)
    by = [pieces.name, prices[0].name] if worth is not None else []
    if total is not None and amount.source != UNKNOWN and amount.source != {"share": total.name}:
        worth, by = numbers(total, decimal), by or [total.name]
    whose = _goods(choice, decimal, _product(prices[0] if len(prices) == 1 else None, pieces, decimal), (), total).level
    if name != "discount":
        whose = level(choice, form, decimal, worth=worth)
    if name == "cost" and whose.kind == "line":
        whole = "; taken as the whole line's: a piece's cost is to be multiplied" if pieces is not None else ""
        return Money(form.name, whole, (form.name,))
    shared = {"share": form.name, **({"by": by} if by else {})}
    if whose.kind == "order":
        return Money(shared, f"; {whose.told}: shared out over the order's lines", (form.name,))
    if whose.kind == "open":
        ready = ((form.name, "each line's own"), (shared, "the order's"))
        return Money(UNKNOWN, f"; {whose.told}", (form.name,), ready)
    return Money(form.name, "", (form.name,))


def _goods(choice, decimal, worth, by, total) -> _Goods:
    discount = choice.columns.get("discount")
    whose = Level("line")
    if discount is not None:
        off = numbers(discount, decimal).abs()
        money = numbers(total, decimal) if total is not None else None
        some = off > 0
        if worth is None or money is None or agreeing(money[some], (worth - off)[some], least=1) < AGREE:
            whose = level(choice, discount, decimal)
    return _Goods(choice, decimal, worth, by, discount, whose)


def _given(goods: _Goods) -> bool:
    """Whether any line has a discount."""
    return goods.discount is not None and bool((numbers(goods.discount, goods.decimal).fillna(0) != 0).any())


def _of_total(goods: _Goods, total: ColumnForm, sums, *, weak: bool) -> Money:
    """The money of a file that has a total, of a line or of an order."""
    choice, decimal, worth = goods.choice, goods.decimal, goods.worth
    as_it_is = Money(total.name, f"{shown(total.name)}: {total.evidence}", (total.name,))
    name, money = shown(total.name), numbers(total, decimal)
    if total.name in choice.of_orders:
        return _of_order(goods, total, f"{name} stands in the orders' own file")
    if worth is not None:
        off = numbers(goods.discount, decimal).abs().fillna(0) if _given(goods) else None
        ways = {goods.way: worth}
        if off is not None:
            ways[f"{goods.way} - {shown(goods.discount.name)}"] = worth - off
        for way, reckoned in reversed(ways.items()):
            share, some = agreeing(money, reckoned), off > 0 if off is not None else slice(0)
            if share < AGREE or (reckoned is not worth and agreeing(money[some], reckoned[some], least=1) < AGREE):
                continue
            told = f"{as_it_is.told}; it is {way} in {share:.0%} of the lines"
            if off is not None and reckoned is worth:
                return _before_or_after(goods, total, sums, told)
            return Money(total.name, told, (total.name,))
    if not weak:
        return as_it_is
    within = _within_orders(choice, total)
    if within is None:
        return as_it_is if worth is None else _either(goods, total, "it is not their product")
    lines, repeated, first_only, differ = within
    if not lines:
        return Money(total.name, f"{as_it_is.told}; one line an order", (total.name,))
    if first_only >= AGREE or (repeated >= AGREE and lines >= LEAST):
        how = "only on an order's first line" if first_only >= AGREE else "the same on every line of an order"
        found = _of_order(goods, total, f"{name} stands {how} ({lines:,} orders of several lines)")
        return _by_repetition(choice, total, decimal, found) if first_only < AGREE else found
    if worth is not None:
        return _either(goods, total, "it is not their product, nor an order's one sum")
    if differ >= (0.5 if lines >= LEAST else AGREE):
        return Money(
            total.name, f"{as_it_is.told}; it differs between the lines of an order, so it is a line's", (total.name,)
        )
    told = f"{name}: a line's money or the order's? {lines:,} orders of several lines do not tell"
    return Money(UNKNOWN, told, ready=((total.name, "a line's"), ({"share": total.name}, "the order's")))


def _by_repetition(choice: Choice, total: ColumnForm, decimal: str | None, found: Money) -> Money:
    """Money taken for the order's as it is the same on all its lines: open, or a guess, unless more says so."""
    if not isinstance(found.source, dict) or "share" not in found.source:
        return found
    proves, why = equality(choice, total, decimal)
    if proves == "sure":
        return Money(found.source, f"{found.told}; {why}", found.used)
    if proves == "guess":
        return Money(found.source, f"a guess: {found.told}; {why}", found.used)
    told = f"{shown(total.name)} is the same on every line of an order: the line's money, or the order's? {why}"
    ready = ((total.name, "each line's own"), (found.source, "the order's, on all its lines"))
    return Money(UNKNOWN, told, ready=ready)


def _before_or_after(goods: _Goods, total: ColumnForm, sums, told: str) -> Money:
    """A line's total that is price × pieces though there are discounts: is the price before or after them?"""
    proven, why = _proven(goods, sums)
    if proven == "after":
        return Money(total.name, f"{told}; {why}", (total.name,))
    of_total = _Goods(goods.choice, goods.decimal, goods.worth, (total.name,), goods.discount, goods.level)
    if proven == "before":
        return Money(of_total.minus, f"{told}; {why}", (total.name,))
    discount = shown(goods.discount.name)
    told = f"{told}: is {discount} taken off in it? No total of the orders proves it"
    after, before = f"{discount} is in it, or is not to be counted", f"{shown(total.name)} stands before {discount}"
    return Money(UNKNOWN, told, ready=((of_total.minus, before), (total.name, after)))


def _of_order(goods: _Goods, total: ColumnForm, how: str) -> Money:
    """The money of an order, to be shared over its lines."""
    used, decimal = goods.by, goods.decimal
    if goods.worth is None:
        told = f"{how}: shared in equal parts, as no column has the lines' prices"
        if _given(goods) and _SUB.search(total.name):
            told = f"{how}; {shown(goods.discount.name)} may not be taken off in it"
            return Money(UNKNOWN, told, ready=(({"share": total.name}, "in equal parts, as it stands"),))
        return Money({"share": total.name}, told, (total.name,))
    if _given(goods):
        return _of_sums(goods, [total])
    whole, sums = _by_order(goods, numbers(total, decimal), "max"), _by_order(goods, goods.worth, "sum")
    share = agreeing(whole, sums)
    if share >= AGREE:
        told = f"{goods.way}: summed it is {shown(total.name)} in {share:.0%} of the orders"
        return Money({"multiply": list(used)}, told, used)
    told = f"{how}: shared in proportion to {goods.way}, whose sum it is in {share:.0%} of the orders"
    return Money({"share": total.name, "by": list(used)}, told, (total.name, *used))


def _of_sums(goods: _Goods, sums) -> Money:
    """The money of lines with prices, beside which stand discounts, or sums of the whole order."""
    used = goods.by
    if not _given(goods):
        for total in sums:
            found = _of_total(goods, total, (), weak=True)
            if len(sums) == 1 or found.source == {"multiply": list(used)}:
                return found
        told = " and ".join(shown(f.name) for f in sums) + " could each be the order's money"
        ready = [({"multiply": list(used)}, "the lines' own prices, whatever the order's sum")]
        return Money(UNKNOWN, told, ready=(*ready, *(({"share": f.name, "by": list(used)}, "") for f in sums)))
    proven, why = _proven(goods, sums)
    if proven == "before":
        return Money(goods.minus, f"{goods.way} less {shown(goods.discount.name)}: {why}", used)
    if proven == "after":
        return Money({"multiply": list(used)}, f"{goods.way}: {why}", used)
    discount = shown(goods.discount.name)
    if goods.level.kind == "open":
        why = goods.level.told
    told = f"no total to prove it: {goods.way}, or less {discount} where the price stands before the discount; {why}"
    ready = [(goods.minus, f"the price stands before {discount}"), ({"multiply": list(used)}, "it stands after it")]
    ready += [({"share": f.name, "by": list(used)}, f"{shown(f.name)}, shared out over the lines") for f in sums]
    return Money(UNKNOWN, told.rstrip("; "), ready=tuple(ready))


def _proven(goods: _Goods, sums) -> tuple[str, str]:
    """Whether the lines' worth stands before or after the discount, by the orders' own totals: ("before", why), …

    A total may hold postage and taxes. One that is the lines' sum and called a subtotal says nothing of discounts.
    """
    if not sums or "order_id" not in goods.choice.columns or goods.level.kind == "open":
        return "", ""
    choice, decimal = goods.choice, goods.decimal
    off = numbers(goods.discount, decimal).abs().fillna(0)
    off = _by_order(goods, off, "sum" if goods.level.kind == "line" else "max")
    lines, some = _by_order(goods, goods.worth, "sum"), off > 0
    extras = [
        [(None, 0.0), *((f, _extra(goods, f)) for f in choice.roles.get(role, ()) if f.kind in NUMERIC)]
        for role in ("shipping", "tax")
    ]
    found = {}
    for total, (post, more), (tax, much) in pairs(sums, *extras):
        whole = _by_order(goods, numbers(total, decimal), "max")
        beside = [shown(f.name) for f in (post, tax) if f is not None]
        for proven, reckoned in (("before", lines - off), ("after", lines)):
            share = min(agreeing(whole, reckoned + more + much), agreeing(whole[some], (reckoned + more + much)[some]))
            sub = proven == "after" and _SUB.search(total.name)
            if share >= AGREE and proven not in found and not sub:
                with_ = f" with {' and '.join(beside)}" if beside else ""
                found[proven] = f"summed{with_} it is {shown(total.name)} in {share:.0%} of the orders"
    proven = next((p for p in ("before", "after") if p in found), "")
    if len(found) == 2:  # one total holds the discount, another does not: only a net one can be what is paid
        proven = "before"
    return proven, found.get(proven, "")


def _extra(goods: _Goods, form: ColumnForm) -> "pd.Series":
    """Postage or tax of each order."""
    values = numbers(form, goods.decimal).fillna(0)
    return _by_order(goods, values, "sum" if level(goods.choice, form, goods.decimal).kind == "line" else "max")


def _by_order(goods: _Goods, values: "pd.Series", how: str) -> "pd.Series":
    orders = goods.choice.columns["order_id"].sample.astype(object)
    return values[orders != ""].groupby(orders[orders != ""]).agg(how)


def _gross_or_net(choice: Choice, total: ColumnForm, decimal: str | None, found: Money) -> Money:
    """Leaves open which of two sums is meant where one holds the tax and the other does not."""
    money = numbers(total, decimal)
    for form in choice.forms:
        if form is total or form.kind not in NUMERIC or bool(NET.search(form.name)) == bool(NET.search(total.name)):
            continue
        other = numbers(form, decimal)
        gross, net = (money, other) if NET.search(form.name) else (other, money)
        both = gross.notna() & net.notna() & (net != 0)
        rates = (gross / net)[both]
        named = NET.search(form.name) or GROSS.search(form.name)
        taxed = both.sum() >= LEAST and (rates.between(TAXES[0] - 0.005, TAXES[1])).mean() >= AGREE
        if named and taxed and rates.median() > 1.01:
            one, two = (total, form) if gross is money else (form, total)
            both = f"{shown(one.name)} or {shown(two.name)}"
            told = f"{both}: with the tax or without? They differ by {rates.median() - 1:.0%}"
            way = found.source if found.source != UNKNOWN else total.name
            ready = ((_instead(way, total, one), "with the tax"), (_instead(way, total, two), "without"))
            return Money(UNKNOWN, told, ready=ready)
        if named and found.source == total.name and set(key(form.name)) & set(key(total.name)):
            told = f"a guess: {found.told}; or {shown(form.name)}, which holds other sums"
            found = Money(total.name, told, found.used)
    return found


def _instead(way: Any, form: ColumnForm, other: ColumnForm) -> Any:
    """The same way with another column in a column's place."""
    if isinstance(way, dict):
        return {key: _instead(part, form, other) for key, part in way.items()}
    if isinstance(way, list | tuple):
        return [_instead(part, form, other) for part in way]
    return other.name if way == form.name else way


def _either(goods: _Goods, total: ColumnForm, why: str) -> Money:
    ready = ((total.name, "a line's total"), ({"multiply": list(goods.by)}, "price and pieces"))
    if _given(goods):
        ready = (*ready, (goods.minus, f"the price stands before {shown(goods.discount.name)}"))
    return Money(UNKNOWN, f"{shown(total.name)}, or {goods.way}? {why}", ready=ready)


def _product(price: ColumnForm | None, pieces: ColumnForm | None, decimal: str | None) -> "pd.Series | None":
    if price is None or pieces is None or not price.filled or not pieces.filled:
        return None
    return numbers(price, decimal) * numbers(pieces, decimal)


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
