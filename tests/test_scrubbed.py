"""Words of the shop's that hold something personal: made of a few rows, read at the door."""

from sources_client import load_orders

from cxkit.scrubbed import words_of
from cxkit.tables import TABLES

HEADER = "Order,Customer,Date,Total,Qty,SKU,Name,Pay,Way"
MAPPED = {"order_id": "Order", "customer_id": "Customer", "ordered_at": "Date", "amount": "Total", "quantity": "Qty"}
MAPPED |= {"product_id": "SKU", "product": "Name", "payment": "Pay", "channel": "Way"}
ROWS = (
    "1,a,2024-03-01,10,1,4820000000017,Pram 4820000000017,card,olena@shop.ua",
    "2,b,2024-03-02,20,2,X,call +38 067 123 45 67,cash 380671234567,web",
    "3,c,2024-03-03,30,3,X,Pram for o.p@x.ua,card,web",
    "4,d,2024-03-04,30,3,X,Pram,,ivan@shop.ua",
)


def test_ids_lists_and_free_text_are_no_words_of_the_shop():
    orders = ["product", "category", "channel", "payment", "delivery", "coupon", "first_touch"]
    assert words_of(TABLES["orders"]) == orders
    assert words_of(TABLES["surveys"]) == ["item", "touchpoint"]


def test_mails_and_phones_in_words_are_gone_and_told_and_numbers_of_goods_stay(tmp_path):
    loaded, orders = load_orders(tmp_path, *ROWS, header=HEADER, columns=MAPPED)
    orders = orders.sort_values("order_id")
    assert list(orders.product_id) == ["4820000000017", "X", "X", "X"]
    assert list(orders["product"]) == ["Pram 4820000000017", "call [phone]", "Pram for [e-mail]", "Pram"]
    assert list(orders.payment.fillna("")) == ["card", "cash [phone]", "card", ""]
    assert list(orders.channel) == ["[e-mail]", "web", "web", "[e-mail]"]
    notes = loaded.accounts["orders"]["notes"]
    looks = "what looks like an e-mail, a phone or a card's number; its kind stands there instead ([phone])."
    assert f"channel: 2 values hold {looks} Is this the column for channel?" in notes
    assert f"payment: 1 value holds {looks} Is this the column for payment?" in notes
    assert not any("olena" in note or "067" in note for note in notes)
