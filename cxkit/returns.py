"""Which sale does a return take back? Netting of returns and cancellations against earlier sales."""

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit import engine

CENT = 1e-4  # money and pieces below this are nothing


def settle(con, rows: Table, *, prefix: str) -> tuple[Table, dict[str, int]]:
    """Order lines with their returns settled.

    From: kept order lines with line, is_return, tie and the canonical columns; `prefix` marks a return's order_id.
    To: the sale lines, each with the refund and status that its returns leave it with, and a line of amount 0 and
    quantity 0 for every return whose money found no sale, or not all of it; and the counts: returns, netted (gone
    into the sales they take back), left.
    """
    back, sales = rows.filter(rows.is_return), rows.filter(~rows.is_return)
    number = int(back.count().execute())
    if not number:
        return sales, {}
    netted, left = net(*_events(con, sales, back, prefix=prefix))
    counts = {"returns": number, "netted": number - len(left), "left": len(left)}
    names = {"line": "of_line", "refund": "given_back"}
    found = engine.keep_frame(
        con,
        "netted",
        netted.rename(columns=names),
        types={"of_line": "int64", "given_back": "float64", "whole": "boolean"},
    )
    joined = sales.left_join(found, sales.line == found.of_line)
    status = ibis.cases((joined.whole, "returned"), (~joined.whole, "partly_returned"), else_=joined.status)
    sold = joined.mutate(refund=(joined.refund + joined.given_back.fill_null(0.0)).round(4), status=status)
    rest = engine.keep_frame(
        con, "left_over", left.rename(columns=names), types={"of_line": "int64", "given_back": "float64"}
    )
    over = back.inner_join(rest, back.line == rest.of_line)
    zero = {name: ibis.literal(0.0) for name in ("amount", "quantity", "discount", "cost") if name in rows.columns}
    over = over.mutate(**zero, refund=over.given_back, status=ibis.literal("returned"))
    return sold.select(*rows.columns).union(over.select(*rows.columns)), counts


def _events(con, sales: Table, back: Table, *, prefix: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `net` needs: all returns, and the sales that they may take back.

    A return's group is its customer and product, or, where it names no product, its customer and order (its number
    without the prefix). A sale whose status says cancelled or returned has nothing left to give back.
    """
    has_customer, has_product = "customer_id" in back.columns, "product_id" in back.columns

    def shaped(t: Table, group: ibis.expr.types.StringValue) -> Table:
        money = t.amount.abs() - t.refund
        # what the export itself says was given back took its share of the pieces along
        pieces = t.quantity.abs() * money / t.amount.abs() if "quantity" in t.columns else ibis.null("float64")
        return t.select("line", "tie", group=group, at=t.ordered_at, amount=money, quantity=pieces)

    customer = lambda t: t.customer_id if has_customer else ibis.null("string")  # noqa: E731
    product = lambda t: t.product_id if has_product else ibis.null("string")  # noqa: E731
    by_product = lambda t: customer(t) + "\x1fproduct\x1f" + product(t)  # noqa: E731
    by_order = lambda t, order: customer(t) + "\x1forder\x1f" + order  # noqa: E731
    order = back.order_id
    if prefix:
        order = order.startswith(prefix).ifelse(order.substr(len(prefix)), order)
    # a return's own refund column would speak of itself; its money is its amount
    taken = shaped(back.mutate(refund=0.0), ibis.coalesce(by_product(back), by_order(back, order)))
    taken = engine.collect(taken, order_by="line")
    groups = engine.keep_frame(
        con, "return_groups", taken[["group"]].dropna().drop_duplicates(), types={"group": "string"}
    )
    open_sales = sales.filter(~sales.status.isin(["cancelled", "returned"]))
    of_product = shaped(open_sales, by_product(open_sales)).semi_join(groups, "group")
    of_order = shaped(open_sales, by_order(open_sales, open_sales.order_id)).semi_join(groups, "group")
    given = of_product.union(of_order.anti_join(of_product, "line"))
    return engine.collect(given, order_by="line"), taken


def net(sales: pd.DataFrame, returns: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nets every return against its customer's earlier sales of the same product, the latest first.

    From: `sales` and `returns` with line, group (who and what: rows of one group may be netted), at (time), amount
    (money above 0; a return's own money), quantity (pieces, or null), tie (settles rows of one time, whatever the
    order of the rows).
    To: `netted` (line of the sale, refund money, whole: everything came back) and `left` (line of the return,
    refund: the money that no sale was found for). A return that is in neither was netted wholly.
    How: in the order of time each return takes from the latest sale not after it, as many pieces as that sale still
    has, then from the one before; its money goes along by pieces. Where either has no quantity, money is what counts.
    What is left out: a refund may be more than its sale's amount (the price fell, or was corrected): it stands.
    """
    # what has no group (no customer) can take nothing back
    alone = returns[returns.group.isna()]
    events = pd.concat([sales.assign(kind=0), returns[returns.group.notna()].assign(kind=1)], ignore_index=True)
    events = events.sort_values(["group", "at", "kind", "tie", "amount", "quantity"], kind="stable")
    netted: dict[int, list] = {}
    left = list(zip(alone.line.tolist(), alone.amount.tolist(), strict=True))
    stack: list[list] = []  # [line, money left, pieces left or None]
    current = None
    columns = [events[c].tolist() for c in ("group", "kind", "line", "amount", "quantity")]
    for group, kind, line, amount, quantity in zip(*columns, strict=True):
        if group != current:
            current, stack = group, []
        pieces = None if quantity != quantity or not quantity else float(quantity)
        if kind == 0:
            stack.append([line, amount, pieces])
            continue
        rest = _take_back(stack, netted, amount, pieces)
        if rest > CENT:
            left.append((line, round(rest, 4)))
    found = [(line, round(money, 4), whole) for line, (money, whole) in netted.items()]
    netted_frame = pd.DataFrame(found, columns=["line", "refund", "whole"])
    left_frame = pd.DataFrame(left, columns=["line", "refund"])
    return (
        netted_frame.astype({"line": "int64", "refund": float, "whole": bool}),
        left_frame.astype({"line": "int64", "refund": float}),
    )


def _take_back(stack: list[list], netted: dict[int, list], money: float, pieces: float | None) -> float:
    """One return, taken from the top of its group's stack of sales; gives back the money left over."""
    while stack and money > CENT:
        sale = stack[-1]
        if pieces is not None and sale[2] is not None:
            taken = min(pieces, sale[2])
            refund = money if taken >= pieces - CENT else money * taken / pieces
            pieces -= taken
            sale[2] -= taken
            sale[1] -= refund
            whole = sale[2] <= CENT
        elif sale[1] <= CENT:  # its money is gone already, though not all its pieces
            stack.pop()
            continue
        else:
            refund = min(money, sale[1])
            if pieces is not None:
                pieces *= 1 - refund / money
            if sale[2] is not None:
                sale[2] *= 1 - refund / sale[1]
            sale[1] -= refund
            whole = sale[1] <= CENT
        money -= refund
        entry = netted.setdefault(sale[0], [0.0, False])
        entry[0] += refund
        entry[1] = whole
        if whole:
            stack.pop()
    return money
