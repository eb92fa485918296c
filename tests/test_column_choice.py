import pytest
from column_samples import forms_of

from cxkit.column_choice import choose, missing, score, shown


def chosen(table, columns):
    return {name: form.name for name, form in choose(table, forms_of(columns)).columns.items()}


def test_names_in_three_languages_find_the_same_columns():
    values = {"id": ["A-1", "A-2"], "who": ["7", "8"], "when": ["2024-03-01", "2024-03-02"]}
    names = [
        ("Order number", "Customer", "Order date"),
        ("Номер замовлення", "Клієнт", "Дата замовлення"),
        ("Numer zamówienia", "Klient", "Data zamówienia"),
        ("Номер заказа", "Клиент", "Дата заказа"),
    ]
    for number, customer, day in names:
        found = chosen("orders", {number: values["id"], customer: values["who"], day: values["when"]})
        assert found == {"order_id": number, "customer_id": customer, "ordered_at": day}


def test_a_name_whose_values_cannot_be_it_is_not_taken():
    choice = choose(
        "orders", forms_of({"Order date": ["red", "blue", "green"], "Quantity": ["a lot of it", "few", "1"]})
    )
    assert choice.columns == {}
    assert choice.unmapped["Order date"].startswith("named as ordered_at is, but it holds no times")
    assert choice.open["quantity"].startswith('"Quantity" is named so, but it holds no numbers')


def test_of_two_that_could_be_it_none_is_taken():
    choice = choose("orders", forms_of({"Order date": ["2024-03-01"], "Purchase date": ["2024-03-02"]}))
    assert "ordered_at" not in choice.columns
    assert choice.open["ordered_at"] == '"Order date" and "Purchase date" could each be it'


def test_two_with_equal_values_are_one():
    choice = choose("orders", forms_of({"Order date": ["2024-03-01"], "Purchase date": ["2024-03-01"]}))
    assert choice.columns["ordered_at"].name == "Order date"


def test_a_clear_name_goes_before_a_weak_one_and_an_id_before_a_name():
    found = chosen(
        "orders",
        {"Order date": ["2024-03-01"], "Date": ["2024-03-02"], "Client": ["Ann B"], "Client ID": ["7"]},
    )
    assert found == {"ordered_at": "Order date", "customer_id": "Client ID"}


def test_what_is_personal_stays_out_whatever_its_name():
    columns = {
        "Customer": ["7", "8"],
        "City": ["ann@example.com", "bob@example.com"],
        "First name": ["Ann", "Bob"],
        "Phone": ["+380671234567", "+380671234568"],
    }
    choice = choose("customers", forms_of(columns))
    assert set(choice.columns) == {"customer_id"}
    assert choice.unmapped["City"] == "holds e-mails: never read"
    assert choice.unmapped["Phone"] == "holds phone numbers: never read"
    assert choice.unmapped["First name"] == "names of people are never read"


def test_an_email_tells_customers_apart_where_nothing_else_does():
    mails = ["ann@example.com", "bob@example.com"]
    assert chosen("orders", {"Email": mails})["customer_id"] == "Email"
    assert chosen("orders", {"Email": mails, "Customer": ["7", "8"]})["customer_id"] == "Customer"
    named = choose("orders", forms_of({"Email": mails, "Customer": ["Ann Bee", "Bob Cee"]}))
    assert named.columns["customer_id"].name == "Email"
    assert named.unmapped["Customer"] == "words such as names; the e-mail tells customers apart"


def test_names_that_stand_for_ids_are_told():
    told = choose("orders", forms_of({"Customer": ["Ann Bee", "Bob Cee", "Eve Dee"]})).told["customer_id"]
    assert told.endswith("words, not codes: two people of one name would be one customer")


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("Discount", ["0.2", "0", "0.15"], "a share, no money"),
        ("Discount", ["20 %", "5 %", "10 %"], "percentages"),
        ("Customer ID", ["7.21045E+12", "7.21046E+12"], "ask for the export again"),
        ("Order number", ["Very nice", "Not so nice", "so so"], "no codes"),
    ],
)
def test_values_that_would_be_wrong(name, values, why):
    assert why in choose("orders", forms_of({name: values})).unmapped[name]


def test_the_order_of_the_columns_makes_no_difference():
    columns = {
        "Order number": ["A-1", "A-2"],
        "Date": ["2024-03-01", "2024-03-02"],
        "Qty": ["1", "2"],
        "Total": ["3.50", "4.50"],
    }
    turned = dict(reversed(columns.items()))
    assert chosen("orders", columns) == chosen("orders", turned)


def test_required_columns_that_are_missing():
    choice = choose("orders", forms_of({"Order number": ["A-1"], "Quantity": ["1"], "Unit price": ["2.50"]}))
    assert missing(choice) == ["ordered_at"]  # the amount can be reckoned


def test_a_key_that_repeats_is_no_key():
    one = forms_of({"Customer": ["7", "8", "9"], "City": ["Kyiv", "Lviv", "Odesa"]})
    many = forms_of({"Customer": ["7", "7", "7"], "City": ["Kyiv", "Lviv", "Odesa"]})
    assert score(choose("customers", one), named=False) > 2 * score(choose("customers", many), named=False)


def test_hostile_names_are_shown_on_one_line():
    assert shown("a\n# b: ann@example.com") == '"a # b: [e-mail]"'
    assert len(shown("x" * 500)) == 62


def test_a_lines_number_is_no_orders_number():
    days = [f"2024-03-{10 + i // 3}" for i in range(12)]
    columns = {"ID": [str(i) for i in range(12)], "Customer": [str(i // 3) for i in range(12)], "Order date": days}
    choice = choose("orders", forms_of(columns))
    assert "order_id" not in choice.columns
    assert choice.open["order_id"].startswith('"ID" is another on every line, though 8 lines share customer and time')
    assert chosen("orders", {**columns, "Customer": columns["ID"]})["order_id"] == "ID"


EPOCHS = [str(1_768_314_558_000 + 86_400_000 * i) for i in range(8)]
EVENTS = {"event": ["page_view", "search"] * 4, "session": [f"s{i}" for i in range(8)]}


def test_figures_that_are_times_since_1970():
    for name in ("ts", "occurred_at_ms", "x"):
        choice = choose("events", forms_of({**EVENTS, name: EPOCHS}))
        assert choice.columns["occurred_at"].name == name
        assert choice.told["occurred_at"].endswith("by its values milliseconds since 1970: 2026-01-13 to 2026-01-20")


@pytest.mark.parametrize(
    "more",
    [
        {"x": EPOCHS, "y": EPOCHS[::-1]},  # two that could be it
        {"x": [str(int(e) + 400_000_000_000) for e in EPOCHS]},  # after 2031
        {"x": ["1768314558000"] * 8},  # one and the same
        {"x": [e[:10] for e in EPOCHS]},  # ten figures, and no word of time: may be a phone
        {"x": EPOCHS, "time": ["2026-01-13"] * 8},
    ],
)
def test_figures_that_need_not_be_times(more):
    choice = choose("events", forms_of({**EVENTS, **more}))
    assert "x" in choice.unmapped


def test_seconds_need_a_name_with_time_in_it():
    seconds = [e[:10] for e in EPOCHS]
    assert choose("events", forms_of({**EVENTS, "hit_ts": seconds})).columns["occurred_at"].date_formats == ("epoch_s",)


def test_names_with_a_scale_and_paths():
    assert chosen("contacts", {"Ocena (1-5)": ["1", "5", "3"]}) == {"satisfaction": "Ocena (1-5)"}
    assert chosen("events", {"session.device.type": ["mobile", "desktop"]}) == {"device": "session.device.type"}


def test_a_column_of_currencies_by_its_values():
    money = choose("orders", forms_of({"Base": ["грн.", "EUR"] * 4, "Market": ["FR", "BR"] * 4}))
    assert [f.name for f in money.roles["currency"]] == ["Base"]
    assert money.unmapped["Market"] == "no meaning found"


def test_a_group_is_a_category_where_the_goods_settle_it():
    lines = {"Order number": [f"A-{i}" for i in range(8)], "SKU": [f"X{i % 4}" for i in range(8)]}
    assert chosen("orders", {**lines, "Група": ["Хобі", "Іграшки"] * 4})["category"] == "Група"
    choice = choose("orders", forms_of({**lines, "Група": ["Опт"] * 4 + ["Роздріб"] * 4}))
    assert choice.unmapped["Група"].startswith("may be a group of customers")
