from column_samples import forms_of, orders, proposal_of

from cxkit.column_choice import choose
from cxkit.proposed_table import by_values, raws, told_settings


def test_every_line_has_its_evidence():
    found = proposal_of(orders(Status=["Виконано", "???"] * 6, Currency=["UAH"] * 12))
    for key, value in found.settings.items():
        parts = [f"{key}.{name}" for name in value] if isinstance(value, dict) else []
        assert key in found.evidence or all(part in found.evidence for part in parts), key


def test_a_required_column_without_a_sure_candidate_is_open():
    columns = orders()
    columns["Zeitpunkt"] = columns.pop("Date")
    found = proposal_of(columns)
    assert found.settings["columns"]["ordered_at"] == "???"
    assert found.evidence["columns.ordered_at"] == 'no column of times is named so; perhaps "Zeitpunkt"'


def test_how_the_file_is_read_stands_in_the_settings_with_its_evidence():
    file = {"encoding": "cp1251", "delimiter": ";", "header": (1, 2)}
    more = {"evidence": {"encoding": "312 words", "delimiter": "7 on every line"}, "sure": {"encoding": False}}
    found = proposal_of(orders(), **file, **more)
    assert {k: found.settings[k] for k in file} == {**file, "header": [1, 2]}
    assert found.evidence["encoding"] == "a guess: 312 words"
    assert found.evidence["delimiter"] == "7 on every line"


def test_the_raw_columns_that_settings_name():
    settings = {
        "columns": {
            "order_id": "No",
            "ordered_at": "???",
            "amount": {"multiply": ["Qty", "Price"], "minus": ["Discount"]},
            "refund": {"share": "Refund", "by": ["Qty"]},
            "quantity": {"constant": 1},
        },
        "questions": {"Recommend us?": {"metric": "nps", "comment": "Why?"}},
        "keep_only": {"Type": ["sale"]},
        "currency_column": "Currency",
    }
    expected = ["No", "Qty", "Price", "Discount", "Refund", "Recommend us?", "Why?", "Type", "Currency"]
    assert raws(settings) == expected


def test_what_values_say_of_a_use():
    price, word = forms_of({"Price": ["1.50", "2.50"], "Word": ["red one", "blue one"]})
    assert by_values("orders", "amount", price) == "\"Price\": numbers, 100 % of 2 filled; decimal mark '.'"
    assert by_values("orders", "amount", word).startswith("but it holds no numbers")


def test_a_table_that_needs_one_of_two_columns_and_has_none():
    settings, told = told_settings(choose("searches", forms_of({"Query": ["red shoes"], "Time": ["2024-03-01 10:00"]})))
    assert settings["columns"] == {"searched_at": "Time", "query": "Query", "session_id": "???"}
    assert told["columns.session_id"] == "one of session_id, customer_id is needed; no column was found"


def test_minutes_until_the_answer():
    found = proposal_of({"Номер звернення": ["ЗВ-1", "ЗВ-2"],
                         "Дата звернення": ["13.10.2025 19:19", "14.10.2025 09:13"],
                         "Повідомлення": ["a b c", "d e f"], "Відповідь через, хв": ["562", ""]})  # fmt: skip
    after = {"after": "Дата звернення", "minutes": "Відповідь через, хв"}
    assert (found.table, found.settings["columns"]["first_answer_at"]) == ("contacts", after)
    assert "Відповідь через, хв" not in found.unmapped
