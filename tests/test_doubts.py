import json

import pytest
from column_samples import file_of, form_of, forms_of, orders, proposal_of

from cxkit import doubts
from cxkit.client_text import client_text
from cxkit.column_choice import choose
from cxkit.doubts import equality, one_id_twice, other_statuses, some_end_in_zero, swapped_dates, total_rows
from cxkit.presets import matches
from cxkit.proposal import combine, propose

PAIRS = [f"{100 + i // 2}" for i in range(20)]


def chosen(**columns):
    return choose("orders", forms_of({name.replace("_", " "): values for name, values in columns.items()}))


def repeated(lines: list[int], values: list[float]) -> str:
    """What equality within orders proves, of orders with so many lines and these sums."""
    number = [str(i) for i, n in enumerate(lines) for _ in range(n)]
    sums = [f"{values[i]:.2f}" for i, n in enumerate(lines) for _ in range(n)]
    choice = chosen(Order_id=number, Amount=sums)
    return equality(choice, choice.columns["amount"], ".")[0]


@pytest.mark.parametrize("name", ["customer_id", "refund", "status"])
def test_two_columns_that_could_be_one_are_asked_for(name):
    raw = {"customer_id": ("Customer id", "Client id"), "refund": ("Refund", "Amount refunded")}
    raw |= {"status": ("Status", "Order state")}
    base = {k: v for k, v in orders(30).items() if name != "customer_id" or k != "Customer"}
    one = ["paid", "cancelled"] * 15 if name == "status" else [f"{i % 9}" for i in range(30)]
    other = ["done", "new"] * 15 if name == "status" else [f"{i % 7}" for i in range(30)]
    found = proposal_of(base | dict(zip(raw[name], (one, other), strict=True)))
    assert found.settings["columns"][name] == "???"
    assert all(f'"{r}"' in found.evidence[f"columns.{name}"] for r in raw[name])
    assert "take this line away" in found.evidence[f"columns.{name}"]


def test_ids_that_a_spreadsheet_has_cut_are_asked_for_and_empty_columns_are_not():
    cut = proposal_of(orders() | {"Customer": [f"1.{i:02d}E+11" for i in range(12)]})
    assert cut.settings["columns"]["customer_id"] == "???"
    assert "a spreadsheet has cut its numbers" in cut.evidence["columns.customer_id"]
    empty = proposal_of(orders(Status=[""] * 12, Refund=[""] * 12))
    assert not {"status", "refund"} & set(empty.settings["columns"])


def test_flags_of_cancelled_and_returned_orders_are_asked_for():
    found = proposal_of(orders(**{"is_cancelled": ["no", "no", "yes"] * 4, "повернено": [0, 1] * 6}))
    assert found.settings["columns"]["status"] == "???"
    told = found.evidence["columns.status"]
    assert '"is_cancelled": cancelled in 4 of 12 records' in told
    assert '"повернено": returned in 6 of 12 records' in told
    assert json.loads(found.evidence["columns.status.ready.0"])[0] == "is_cancelled"
    assert found.unmapped["is_cancelled"] == "perhaps a status: cancelled in 4 of 12 records"
    assert json.loads(found.evidence["leave_out.ready.0"])[0] == {"is_cancelled": ["yes"]}


def test_a_flag_that_is_never_raised_says_nothing():
    found = proposal_of(orders(cancelled=[0] * 12))
    assert "status" not in found.settings["columns"]


def test_a_second_column_of_statuses_is_told_of_beside_the_first():
    found = proposal_of(orders(**{"Status": ["completed"] * 12, "Payment status": ["paid", "paid", "refunded"] * 4}))
    assert found.settings["columns"]["status"] == "Status"
    assert found.evidence["columns.status"].endswith('. LOOK: not counted: "Payment status": it says "refunded" (4)')


def test_words_that_no_status_has_are_no_statuses():
    choice = chosen(Order_id=PAIRS, Colour=["red", "blue"] * 10, Score=["1", "2"] * 10)
    assert other_statuses(choice) == []


@pytest.mark.parametrize("word", ["Total", "РАЗОМ", "Итого:", "Suma"])
def test_a_row_of_totals_is_left_out_by_its_word(word):
    found = proposal_of({k: [*v, word if k == "Order number" else ""] for k, v in orders(30).items()})
    assert found.settings["leave_out"] == {"Order number": [word]}
    assert "rows of totals" in found.evidence["leave_out"]


def test_a_row_of_totals_is_left_out_by_its_amount():
    sums = [f"{10 + i * 1.37:.2f}" for i in range(30)]
    whole = f"{sum(map(float, sums)):.2f}"
    columns = {"Order_id": [*range(30), "9999"], "Amount": [*sums, whole]}
    out, why = total_rows(chosen(**columns))
    assert out == {"Order id": ["9999"]}
    assert why == 'one "Amount" is the sum of all the others: a row of totals, no order'
    out, why = total_rows(chosen(**columns | {"Order_id": [*range(30), "7"]}))  # which a real order has too
    assert out == {}
    assert "leave it out by another column" in why
    assert total_rows(chosen(**columns | {"Amount": [*sums, "77.00"]})) == ({}, "")


def test_words_among_words_are_no_totals():
    choice = chosen(Order_id=["total", "alpha-x", "beta-y"], Amount=["1", "2", "3"])
    assert total_rows(choice) == ({}, "")


def test_equal_sums_within_orders_prove_something_where_they_rise_with_the_lines():
    assert repeated([1] * 10 + [2] * 10, [10 + i for i in range(10)] + [30 + i for i in range(10)]) == "sure"
    assert repeated([2] * 6 + [3] * 6, [10 + i for i in range(6)] + [30 + i for i in range(6)]) == "sure"


def test_equal_sums_that_single_lines_show_too_prove_nothing():
    assert repeated([1] * 10 + [2] * 10, [10 + i for i in range(10)] * 2) == "nothing"
    assert repeated([2] * 20, [50.0] * 20) == "nothing"


def test_equal_sums_alone_are_a_guess():
    assert repeated([2] * 10, [10 + i for i in range(10)]) == "guess"
    assert repeated([1] * 10 + [2] * 10, [10 + i for i in range(10)] + [10.5 + i for i in range(10)]) == "guess"


def test_amounts_that_equality_does_not_settle_are_open_in_the_proposal():
    base = {"Order id": PAIRS, "Customer": PAIRS, "Date": ["2026-01-15"] * 20}
    same = proposal_of(base | {"Amount": ["50.00"] * 20})
    assert same.settings["columns"]["amount"] == "???"
    assert json.loads(same.evidence["columns.amount.ready.0"])[0] == "Amount"
    differ = proposal_of(base | {"Amount": [f"{20 + i // 2}.50" for i in range(20)]})
    assert differ.settings["columns"]["amount"] == {"share": "Amount"}
    assert differ.evidence["columns.amount"].startswith("a guess: ")


def test_numbers_that_partly_end_in_zero_are_cut_alike():
    assert some_end_in_zero({"17": 1, "17.0": 2, "18": 1})
    assert not some_end_in_zero({"17": 1, "18": 1})
    assert not some_end_in_zero({"1.1": 1, "2.0": 1, "A": 1})  # numbers of chapters
    assert one_id_twice({"17": 1, "17.0": 2}) == "; 1 ids stand there with it and without"
    found = proposal_of(orders() | {"Customer": [f"{17 + i // 4}{'.0' * (i % 2)}" for i in range(12)]})
    assert found.settings["strip_suffix"] == {"customer_id": ".0"}


def test_dates_that_a_spreadsheet_has_swapped():
    real, texts = [f"2026-{m:02d}-0{d}" for m in (1, 2) for d in range(1, 6)], ["13/01/2026", "28/02/2026"]
    assert "swapped day and month" in swapped_dates(form_of(*real, *texts))
    assert swapped_dates(form_of(*real, "2026-01-25", *texts)) == ""
    assert swapped_dates(form_of(*real, *texts, "02/03/2026")) == ""
    assert swapped_dates(form_of(*real)) == ""


def test_the_lines_of_doubt_stand_in_client_yml():
    columns = orders(30, is_cancelled=["no", "yes"] * 15)
    found = proposal_of({k: [*v, "Total" if k == "Order number" else ""] for k, v in columns.items()})
    text = client_text(combine([found]), client="shop", unmapped={"orders": found.unmapped})
    assert "      status: ???" in text
    assert "# status: is_cancelled" in text
    assert "    leave_out: {Order number: [Total]}" in text
    assert 'perhaps also {"is_cancelled": ["yes"]}' in " ".join(text.split())
    assert doubts.OPTIONAL not in text  # the line says what going without it means


# --- what a preset does not know


def uci(rows: int = 30, **more: list) -> dict[str, list]:
    """Order lines as the preset uci_online_retail knows them, two an order."""
    n = range(rows)
    return {
        "InvoiceNo": [536365 + i // 2 for i in n],
        "StockCode": [f"8512{i % 5}A" for i in n],
        "Quantity": [1 + i % 3 for i in n],
        "InvoiceDate": [f"2010-12-{1 + i // 2:02d} 08:26:00" for i in n],
        "UnitPrice": [f"{2 + i % 4}.55" for i in n],
        "CustomerID": [17850 + i // 4 for i in n],
        **{name.replace("_", " "): values for name, values in more.items()},
    }


def by_preset(columns: dict[str, list]):
    (match,) = matches(list(columns))
    return propose(file_of(columns), forms_of(columns), preset=match)


def test_a_flag_that_a_preset_does_not_know_is_asked_for():
    found = by_preset(uci(is_cancelled=["no", "no", "yes"] * 10))
    assert found.preset == "uci_online_retail"
    assert found.settings["columns"]["status"] == "???"
    assert '"is cancelled": cancelled in 10 of 30 records' in found.evidence["columns.status"]
    plan = combine([found])
    assert plan.tables["orders"]["columns"]["status"] == "???"
    assert plan.unmapped["orders"]["is cancelled"] == "perhaps a status: cancelled in 10 of 30 records"
    assert "status" not in by_preset(uci(is_cancelled=["no"] * 30)).settings["columns"]


def test_two_columns_that_could_be_what_a_preset_maps_are_told_and_what_it_lacks_is_asked():
    found = by_preset(uci(Client_id=[90 + i // 2 for i in range(30)], Refund=[f"{i % 3}.10" for i in range(30)]))
    assert found.settings["columns"]["customer_id"] == "CustomerID"
    assert 'LOOK: "Client id" could be it too' in found.evidence["columns.customer_id"]
    assert found.settings["columns"]["refund"] == "???"
    assert '"Refund" could be it' in found.evidence["columns.refund"]


def test_rows_of_totals_and_tests_are_told_of_a_file_that_a_preset_reads():
    lines = uci(Note=["TEST order" if i == 3 else "" for i in range(30)])
    lines = {name: [*values, ""] for name, values in lines.items()}
    lines["InvoiceNo"][-1], lines["Quantity"][-1] = "Total", 60
    found = by_preset(lines)
    assert found.settings["leave_out"] == {"InvoiceNo": ["Total"]}
    assert found.evidence["leave_out"].startswith('rows of totals, no orders, by their "InvoiceNo": "Total" (1)')
    assert '"Note"' in found.evidence["leave_out"]
    assert combine([found]).tables["orders"]["leave_out"] == {"InvoiceNo": ["Total"]}
