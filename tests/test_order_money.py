from column_samples import forms_of

from cxkit.column_choice import choose
from cxkit.order_money import line_money, part

LINES = ["1", "1", "2", "2", "3", "3", "4", "4", "5", "5"]
QTY = ["1", "2", "1", "3", "1", "1", "2", "2", "1", "4"]
PRICE = ["10.00", "5.50", "20.00", "1.25", "3.00", "4.00", "5.00", "6.00", "7.00", "8.00"]
PRODUCT = [f"{int(q) * float(p):.2f}" for q, p in zip(QTY, PRICE, strict=True)]
ORDER = ["21.00", "23.75", "7.00", "22.00", "39.00"]


def money(**columns):
    named = {name.replace("_", " "): values for name, values in columns.items()}
    return line_money(choose("orders", forms_of({"Order id": LINES, **named})), ".")


def test_a_lines_total_is_held_against_price_and_pieces():
    found = money(Line_total=PRODUCT, Quantity=QTY, Unit_price=PRICE)
    assert found.source == "Line total"
    assert found.told.endswith('it is "Quantity" × "Unit price" in 100% of the lines')


def test_a_total_that_is_their_product_less_the_discount_is_a_lines():
    less = [f"{float(v) - 1:.2f}" for v in PRODUCT]
    found = money(Total=less, Quantity=QTY, Unit_price=PRICE, Discount=["1.00"] * 10)
    assert found.source == "Total"
    assert '× "Unit price" - "Discount" in 100%' in found.told


def test_without_a_total_price_times_pieces():
    assert money(Quantity=QTY, Unit_price=PRICE).source == {"multiply": ["Quantity", "Unit price"]}


def test_a_discount_that_no_total_settles_is_open():
    found = money(Quantity=QTY, Unit_price=PRICE, Discount=["1.00"] * 10)
    assert found.source == "???"
    assert 'or less "Discount"' in found.told


def test_the_orders_sum_on_every_line_is_no_lines_total():
    repeated = [ORDER[i // 2] for i in range(10)]
    found = money(Total=repeated, Quantity=QTY, Unit_price=PRICE)
    assert found.source == {"multiply": ["Quantity", "Unit price"]}
    assert 'summed it is "Total" in 100% of the orders' in found.told
    alone = money(Total=repeated)
    assert alone.source == {"share": "Total"}
    assert "the same on every line of an order (5 orders of several lines)" in alone.told


def test_the_orders_sum_on_its_first_line_with_postage_in_it_is_shared():
    first = [v for total in ORDER for v in (f"{float(total) + 5:.2f}", "")]
    found = money(Total=first, Quantity=QTY, Unit_price=PRICE)
    assert found.source == {"share": "Total", "by": ["Quantity", "Unit price"]}
    assert "stands only on an order's first line" in found.told


def test_a_total_that_is_neither_is_open():
    odd = [str(v) for v in (3, 9, 4, 8, 2, 6, 5, 7, 1, 10)]
    found = money(Total=odd, Quantity=QTY, Unit_price=PRICE)
    assert found.source == "???"
    assert found.told.startswith('"Total", or "Quantity" × "Unit price"?')
    assert money(Total=odd).source == "Total"  # it differs between an order's lines


def test_one_line_an_order():
    choice = choose("orders", forms_of({"Order id": ["1", "2", "3"], "Grand total": ["5", "6", "7"]}))
    assert line_money(choice, ".").source == "Grand total"


def test_a_few_orders_with_equal_sums_prove_nothing():
    choice = choose("orders", forms_of({"Order id": ["1", "1", "2"], "Total": ["5.00", "5.00", "7.00"]}))
    found = line_money(choice, ".")
    assert found.source == "???"
    assert found.told == "\"Total\": a line's money or the order's? 1 orders of several lines do not tell"


def test_a_price_without_pieces_and_no_money_at_all():
    assert "no column says how many there are" in money(Unit_price=PRICE).told
    assert money(Comment=["a b c"] * 10).source == "???"


OFF = ["2.00", "0.00", "1.00", "3.00", "4.00"]


def of_order(values):
    return [values[i // 2] for i in range(10)]


def test_a_discount_of_the_order_is_taken_off_where_the_orders_totals_prove_it():
    lines = ORDER * 2
    off = ["2.00", "1.00", "1.00", "3.00", "4.00"] * 2
    post = ["0.00", "5.00"] * 5
    grand = [f"{float(s) - float(o) + float(p):.2f}" for s, o, p in zip(lines, off, post, strict=True)]
    twice = [str(i // 2) for i in range(20)]
    forms = forms_of(
        {"Order id": twice, "Quantity": QTY * 2, "Unit price": PRICE * 2}
        | {n: [v[i // 2] for i in range(20)] for n, v in
           {"Subtotal": lines, "Discount": off, "Shipping": post, "Grand total": grand}.items()}
    )  # fmt: skip
    joined = ["Subtotal", "Discount", "Shipping", "Grand total"]
    found = line_money(choose("orders", forms, of_orders=joined), ".")
    share = {"share": "Discount", "by": ["Quantity", "Unit price"]}
    assert found.source == {"multiply": ["Quantity", "Unit price"], "minus": [share]}
    assert found.told.endswith('less "Discount": summed with "Shipping" it is "Grand total" in 100% of the orders')
    without = line_money(choose("orders", [f for f in forms if f.name != "Grand total"], of_orders=joined), ".")
    assert without.source == "???"  # a subtotal says nothing of what is taken off
    assert [way for way, _ in without.ready] == [
        {"multiply": ["Quantity", "Unit price"], "minus": [share]},
        {"multiply": ["Quantity", "Unit price"]},
        {"share": "Subtotal", "by": ["Quantity", "Unit price"]},
    ]


def test_a_total_that_leaves_an_order_discount_out_is_open():
    first = [OFF[i // 2] if i % 2 == 0 else "" for i in range(10)]
    found = money(Total=PRODUCT, Quantity=QTY, Unit_price=PRICE, Order_discount=first)
    assert found.source == "???"
    assert found.ready[0][0] == {"multiply": ["Total"], "minus": [{"share": "Order discount", "by": ["Total"]}]}
    assert found.ready[1] == ("Total", '"Order discount" is in it, or is not to be counted')
    assert '"Order discount" taken off in it? No total of the orders proves it' in found.told


def test_gross_beside_net_is_open():
    net = [f"{float(v) / 1.23:.2f}" for v in PRODUCT]
    found = money(**{"Wartość_brutto": PRODUCT, "Wartość_netto": net})
    assert found.source == "???"
    assert found.ready == (("Wartość brutto", "with the tax"), ("Wartość netto", "without"))
    assert "They differ by 23%" in found.told
    priced = money(Ilość=QTY, Cena_brutto=PRICE, Cena_netto=[f"{float(p) / 1.08:.2f}" for p in PRICE])
    assert priced.ready[1] == ({"multiply": ["Ilość", "Cena netto"]}, "without")
    assert money(**{"Wartość_brutto": PRODUCT, "Waga_netto": QTY}).source == "Wartość brutto"


def test_refunds_beside_the_lines_money():
    def found(refund, **more):
        forms = forms_of({"Order id": LINES, "Line total": PRODUCT, "Refund": refund, **more})
        choice = choose("orders", forms)
        return part(choice, "refund", ".", amount=line_money(choice, "."))

    assert found(["", "5.50", *[""] * 8]).source == "Refund"
    whole = found(of_order(ORDER))
    assert whole.source == {"share": "Refund", "by": ["Line total"]}
    assert whole.told.endswith("(5 orders of several lines): shared out over the order's lines")
    few = found([*of_order(ORDER)[:4], *[""] * 6])
    assert (few.source, few.ready[1][0]) == ("???", {"share": "Refund", "by": ["Line total"]})


def test_a_joined_total_is_never_taken_as_the_lines():
    orders = [str(i) for i in range(20)] + ["19"]  # nearly all orders have one line
    forms = forms_of({"Order id": orders, "Quantity": ["1"] * 21, "Unit price": [f"{i}.50" for i in range(20)] + ["9"],
                      "Total": [f"{i}.50" for i in range(19)] + ["28.50"] * 2})  # fmt: skip
    found = line_money(choose("orders", forms, of_orders=["Total"]), ".")
    assert found.source == {"multiply": ["Quantity", "Unit price"]}
    dearer = forms_of({"Order id": orders, "Line total": [f"{i}.50" for i in range(19)] + ["28.50"] * 2})
    assert line_money(choose("orders", dearer, of_orders=["Line total"]), ".").source == {"share": "Line total"}
