"""What holds for all tables, from a few columns: currency and rates."""

from column_samples import orders, proposal_of

from cxkit.proposal import combine


def plan_of(words, **more):
    return combine([proposal_of(orders(Currency=words))], **more)


def test_no_rate_is_asked_for_the_clients_own_currency():
    plan = plan_of(["грн.", "EUR"] * 6, currency="UAH")
    assert plan.tables["orders"]["rates"] == {"EUR": "???"}
    assert plan.evidence["tables.orders.rates.EUR"] == "what one EUR in UAH is"
    assert plan.settings["currency"] == "???"  # what the files say; the caller writes what was given


def test_one_currency_other_than_the_clients_needs_a_rate():
    assert plan_of(["EUR"] * 12, currency="UAH").tables["orders"]["rates"] == {"EUR": "???"}
    assert "rates" not in plan_of(["EUR"] * 12, currency="EUR").tables["orders"]
    plan = plan_of(["євро"] * 12)
    assert (plan.settings["currency"], plan.tables["orders"].get("rates")) == ("EUR", None)


def test_a_mark_of_several_currencies_is_the_clients_where_it_can_be():
    assert "rates" not in plan_of(["$"] * 12, currency="CAD").tables["orders"]
    plan = plan_of(["$"] * 12)
    assert plan.settings["currency"] == "???"
    assert plan.evidence["currency"] == "no code of a currency; $ of several currencies"


def test_without_the_clients_currency_all_rates_are_open():
    plan = plan_of(["PLN", "EUR"] * 6)
    assert plan.tables["orders"]["rates"] == {"EUR": "???", "PLN": "???"}
    assert plan.evidence["tables.orders.rates.PLN"].endswith("if it is the client's own, take this line out")
