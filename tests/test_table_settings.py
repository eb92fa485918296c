import json

from column_samples import forms_of, orders, proposal_of

from cxkit.column_choice import choose
from cxkit.table_settings import code_of, decimal_setting, time_settings

EARLY = ["01/02/2024", "03/04/2024", "05/06/2024"]  # every day and month is 12 at most
LATE = ["13/02/2024", "14/04/2024", "15/06/2024"]


def times(**columns):
    told: dict[str, str] = {}
    found = time_settings(choose("orders", forms_of({n.replace("_", " "): v for n, v in columns.items()})), told)
    return found, told


def test_iso_needs_no_setting():
    assert times(Order_date=["2024-03-01", "2024-03-02 10:00:00"]) == ({}, {})


def test_one_format_for_all_times_or_one_for_each():
    assert times(Order_date=LATE, Delivered=LATE)[0] == {"date_format": "%d/%m/%Y"}
    found, told = times(Order_date=LATE, Delivered=["2024-03-01"] * 3)
    assert found == {"date_format": {"ordered_at": "%d/%m/%Y"}}
    assert told["date_format.ordered_at"].startswith('"Order date": dd/mm/yyyy')


def test_what_nothing_decides_is_open_and_names_both():
    found, told = times(Order_date=EARLY)
    assert found == {"date_format": "???"}
    assert told["date_format"].startswith('"Order date": "%d/%m/%Y" or "%m/%d/%Y"?')


def test_iso_among_days_and_months_that_nothing_tells_apart_stays_readable():
    _, told = times(Order_date=["2024-03-13", *EARLY])
    assert told["date_format"].startswith('"Order date": [iso, "%d/%m/%Y"] or [iso, "%m/%d/%Y"]? ISO')


def test_another_column_of_the_file_decides():
    found, told = times(Order_date=EARLY, Delivered=LATE)
    assert found == {"date_format": "%d/%m/%Y"}
    assert told["date_format"] == 'dd/mm/yyyy, as "Delivered" of this file proves'


def test_a_mixture_is_not_decided_by_another_column():
    found, _ = times(Order_date=["13/02/2024", "02/13/2024", "01/01/2024"], Delivered=LATE)
    assert found["date_format"]["ordered_at"] == "???"


def test_names_that_say_utc():
    found, _ = times(**{"Order_date_(UTC)": ["2024-03-01"]})
    assert found == {"time_zone": "UTC"}


def test_one_decimal_mark_for_a_file():
    point, comma, either = forms_of({"a": ["1.50", "2.25"], "b": ["1,50", "2,25"], "c": ["1,234", "5,678"]})
    told: dict[str, str] = {}
    assert decimal_setting([point], told) == {}
    assert decimal_setting([comma, either], told) == {"decimal": ","}
    assert decimal_setting([either], told) == {"decimal": "???"}
    assert decimal_setting([point, comma], told) == {"decimal": "???"}
    assert told["decimal"] == '"b" has a comma, "a" a point: one export has one mark'


def test_ids_of_spreadsheets():
    settings = proposal_of(orders(Customer=[f"'{7000 + i}.0" for i in range(12)])).settings
    assert settings["strip_suffix"] == {"customer_id": ".0"}
    assert settings["strip_prefix"] == {"customer_id": "'"}
    assert "strip_suffix" not in proposal_of(orders()).settings


def test_letters_in_front_of_returns():
    n = range(40)
    numbers = [f"C{536000 + i}" if i % 5 == 0 else str(536000 + i) for i in n]
    pieces = [-2 if i % 5 == 0 else 3 for i in n]
    found = proposal_of({**orders(40), "Order number": numbers, "Quantity": pieces})
    assert found.settings["returns"] == {"order_id_prefix": "C"}
    assert found.evidence["returns.order_id_prefix"] == '8 lines; 100% of them have a negative "Quantity"'
    sold = proposal_of({**orders(40), "Order number": numbers, "Quantity": [3] * 40})
    assert "returns" not in sold.settings


def test_words_of_a_status_and_a_word_that_nobody_knows():
    found = proposal_of(orders(Status=["Виконано", "Скасовано", "В дорозі", "completed"] * 3))
    assert found.settings["values"]["status"] == {"Виконано": "completed", "Скасовано": "cancelled", "В дорозі": "???"}
    assert found.evidence["values.status.В дорозі"] == "3 rows"


def test_columns_that_stand_on_an_orders_first_line():
    full = orders()
    first = {name: [v if i % 2 == 0 else "" for i, v in enumerate(full[name])] for name in ("Customer", "Date")}
    found = proposal_of({**full, **first})
    assert found.settings["once_per_order"] == ["customer_id", "ordered_at"]
    assert '"Customer" stands on the first line alone in 100% of 6 orders' in found.evidence["once_per_order"]
    guests = {"Customer": ["" if i % 4 < 2 else 7 for i in range(12)]}  # whole orders without a customer
    assert "once_per_order" not in proposal_of({**full, **guests}).settings


def test_currencies_and_codes_that_may_be_no_goods():
    found = proposal_of(orders(Currency=["UAH", "PLN"] * 6, SKU=["POST", *[f"X{i % 3}" for i in range(11)]]))
    assert found.settings["currency_column"] == "Currency"
    assert found.evidence["currency_column"] == '"Currency": PLN (6), UAH (6)'
    assert found.evidence["not_goods"] == "perhaps no goods: POST (1: a code without a digit)"
    assert json.loads(found.evidence["not_goods.ready.0"]) == [["POST"], found.evidence["not_goods"]]
    assert "not_goods" not in found.settings


def test_currencies_by_words_and_marks():
    for words, told in (
        (["грн.", "€"], "EUR (6), UAH (6)"),
        (["zł", "USD"], "PLN (6), USD (6)"),
        (["гривня", "євро"], "EUR (6), UAH (6)"),
    ):
        found = proposal_of(orders(Currency=words * 6))
        assert found.settings["currency_column"] == "Currency"
        assert {code_of(w) for w in words} == {t.split()[0] for t in told.split(", ")}
    assert found.evidence["currency_column"] == '"Currency": гривня = UAH (6), євро = EUR (6)'
    assert (code_of("$"), code_of("$", "CAD"), code_of("злотий")) == ("$", "CAD", "ЗЛОТИЙ")


def test_a_currency_that_two_columns_could_tell_or_that_stands_beside_the_money():
    both = proposal_of(orders(Currency=["UAH", "PLN"] * 6, Currency_code=["EUR", "UAH"] * 6))
    assert both.settings["currency_column"] == "???"
    assert both.evidence["currency_column"] == '"Currency" and "Currency_code" could each be it'
    marked = proposal_of(orders(Line_total=[f"{i}.50 {'€' if i % 3 else '₴'}" for i in range(12)]))
    assert marked.settings["currency_column"] == "Line_total"


def test_records_that_may_be_tests():
    found = proposal_of(orders(24, Labels=["vip", "TEST", "", "vip, test"] + ["vip"] * 20))
    way = [{"Labels": ["*test*"]}, "perhaps tests: 2 records"]
    assert json.loads(found.evidence["leave_out.ready.0"]) == way
    latest = proposal_of(orders(24, Labels=["latest", "TEST", "test", "vip"] + ["vip"] * 20))  # a word within a word
    assert json.loads(latest.evidence["leave_out.ready.0"])[0] == {"Labels": ["TEST", "test"]}
    assert "leave_out.ready.0" not in proposal_of(orders(24, Labels=["latest", "vip"] * 12)).evidence


def test_lines_that_sell_nothing_by_their_names():
    goods = ["Cup"] * 20 + ["Koszt wysyłki", "Karta podarunkowa 100 zł"] * 2
    found = proposal_of(orders(24, SKU=["X1"] * 20 + ["W9", "K-100"] * 2, Product=goods))
    assert json.loads(found.evidence["not_goods.ready.0"]) == [
        ["K-100", "W9"],
        "perhaps no goods: K-100 (2: gift card), W9 (2: postage)",
    ]
    without = {k: v for k, v in orders(24, Product=goods).items() if k != "SKU"}
    way = json.loads(proposal_of(without).evidence["leave_out.ready.1"])
    assert way[0] == {"Product": ["Karta podarunkowa 100 zł", "Koszt wysyłki"]}
