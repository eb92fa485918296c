from column_samples import forms_of

from cxkit.column_choice import choose
from cxkit.order_money import line_money

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
