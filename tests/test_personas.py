"""The cards: what stands on them, where it comes from, and what is left open."""

from datetime import date

import ibis
import pandas as pd
import pytest

from cxkit.errors import UsageError
from cxkit.personas import (
    FIELDS,
    NOBODY,
    OPEN,
    asked_sentences,
    cards,
    contact_traits,
    group_sizes,
    known_groups,
    open_fields,
    place_sheet,
    query_traits,
    quotes_by_group,
    strangers,
    with_group,
)

AS_OF = date(2026, 6, 30)
SIZES = pd.DataFrame(
    {
        "group": ["Evening", "Price"],
        "customers": [943.0, 57.0],
        "share_of_customers": [0.943, 0.057],
        "orders_per_customer": [2.66, 1.0],
        "median_recency_days": [117.0, 30.0],
        "revenue_per_customer": [4437.0, 798.0],
        "share_of_revenue": [0.95, 0.05],
        "low": [0.93, 0.03],
        "high": [0.97, 0.07],
    }
)
LIKENED = pd.DataFrame(
    {
        "group": ["Evening", "Price"],
        "likened_to": ["business mum", "none of them"],
        "nearest": ["business mum", "control"],
        "reason": ["3 of 4 signs told apart in favour, none against", "1 of 3 signs told apart in favour, 1 against"],
    }
)
SHEET = pd.DataFrame(
    [
        ("Business_Mum", "avoids", "Waiting", "customer", "interviews"),
        ("price", "do", "=1+1", None, None),
        ("grandmother", "says", "x", "customer", None),
    ],
    columns=["group", "field", "text", "voice", "source"],
)


def lifts(*rows: tuple) -> pd.DataFrame:
    """(group, aspect, value, share, others, reading) as profiles.trait_lifts gives them."""
    return pd.DataFrame(rows, columns=["group", "aspect", "value", "share", "others", "reading"])


def card(made: pd.DataFrame, group: str) -> dict[str, tuple[str, str]]:
    rows = made[made["group"] == group].set_index("field")
    return {field: (rows.loc[field, "text"], rows.loc[field, "source"]) for field in FIELDS}


def test_every_group_has_every_field_and_says_what_nobody_knows():
    made = cards(SIZES)
    assert made["field"].tolist() == [*FIELDS] * 2
    mine = card(made, "Evening")
    assert mine["who"] == (
        "943 customers, 94 % of all; 2.66 orders each, half of them have ordered within the last 117 days.", "data"
    )  # fmt: skip
    assert mine["worth"] == ("4,437 of revenue each so far, 95 % of all revenue (93–97 %).", "data")
    for field in ("like", "avoids", "tasks", "channels", "categories", "says", "do"):
        assert mine[field] == (OPEN, NOBODY)
    left = open_fields(made).set_index("group")["fields"]
    assert left["Evening"] == "Like whom, Wants to avoid, Tasks, Prefers, Buys, Says, What to do"


def test_only_what_is_told_apart_is_named_the_most_telling_first():
    traits = lifts(
        ("Evening", "channel", "app", 0.93, 0.04, "more"),
        ("Evening", "channel", "web", 0.05, 0.04, "more"),  # one value an aspect
        ("Evening", "delivery", "parcel_locker", 0.61, 0.18, "more"),
        ("Evening", "weekday", "Monday", 0.3, 0.1, "not told apart"),
        ("Evening", "category", "other values", 0.9, 0.1, "more"),
        ("Evening", "category", "Nappies", 0.36, 0.2, "more"),
        ("Evening", "category", "Baby food", 0.31, 0.14, "more"),
        ("Evening", "category", "Toys", 0.1, 0.3, "less"),
    )
    mine = card(cards(SIZES, traits=traits), "Evening")
    assert (
        mine["channels"][0]
        == "Channel “app” 93 % of orders (others 4.0 %), delivery “parcel locker” 61 % (others 18 %)."
    )
    assert mine["categories"][0] == "Baby food 31 % of orders (others 14 %), Nappies 36 % (others 20 %)."
    assert card(cards(SIZES, traits=traits), "Price")["categories"] == (OPEN, NOBODY)


def test_likeness_costs_scores_and_quotes_stand_on_the_card():
    costs = pd.DataFrame({"group": ["Evening"], "share": [0.137], "low": [0.116], "high": [0.158],
                          "of": ["goods margin"], "verdict": ["not told apart from the others"]})  # fmt: skip
    scores = pd.DataFrame(
        [("Evening", "nps", -0.26, -8.9, 8.4, 387, 100.0), ("Evening", "csat", 3.82, 3.73, 3.91, 1421, 5.0)],
        columns=["group", "metric", "value", "low", "high", "n", "scale_high"],
    )
    quotes = pd.DataFrame({"group": ["Evening"] * 3, "quote": ["Доставили вчасно.", "b", "c"]})
    made = cards(SIZES, likened=LIKENED, costs=costs, scores=scores, quotes=quotes, currency="UAH")
    mine = card(made, "Evening")
    assert mine["like"] == (
        "Business mum: 3 of 4 signs told apart in favour, none against.", "S4's hypothesis, checked"
    )  # fmt: skip
    assert mine["says"][0] == "NPS 0 (−9 to 8, n = 387). CSAT 3.8 of 5 (3.7–3.9, n = 1,421). “Доставили вчасно.” “b”"
    assert mine["worth"][0].endswith(
        "; discounts, returns and contacts take 14 % of the goods margin (12–16 %): not told apart from the others."
    )
    assert card(made, "Price")["like"][0].startswith("Like none of them; the nearest is control: 1 of 3")


def test_the_sheet_speaks_of_groups_or_of_the_personas_they_are_likened_to():
    placed = place_sheet(SHEET, ["Evening", "Price"], LIKENED)
    assert placed["card"].fillna("none").tolist() == ["Evening", "Price", "none"]
    assert strangers(placed) == ["grandmother"]
    made = cards(SIZES, sheet=placed)
    assert card(made, "Evening")["avoids"] == ("“Waiting” (customer, interviews).", "workshop")
    assert card(made, "Price")["do"] == ("“=1+1”.", "workshop")
    reasons = lifts(("Evening", "contact reason", "delivery_delay", 0.4, 0.2, "more"))
    both = card(cards(SIZES, sheet=placed, reasons=reasons), "Evening")["avoids"]
    assert both == ("Delivery delay 40 % of contacts (others 20 %). “Waiting” (customer, interviews).",
                    "data and workshop")  # fmt: skip
    assert place_sheet(SHEET, ["Evening"], None)["card"].isna().all()


def test_a_persona_that_two_groups_are_like_speaks_on_both_cards():
    twice = LIKENED.assign(likened_to="business mum")
    assert place_sheet(SHEET[:1], ["Evening", "Price"], twice)["card"].tolist() == ["Evening", "Price"]


def test_a_withheld_group_has_a_card_from_the_workshop_alone():
    sizes = SIZES.astype({"customers": float})
    sizes.loc[1, sizes.columns[1:]] = float("nan")
    traits = lifts(("Price", "channel", "app", 0.9, 0.1, "more"))
    mine = card(cards(sizes, traits=traits, likened=LIKENED, sheet=place_sheet(SHEET, ["Price"], None)), "Price")
    assert "withheld" in mine["who"][0]
    assert mine["do"] == ("“=1+1”.", "workshop")
    assert {mine[f] for f in ("like", "channels", "worth")} == {(OPEN, NOBODY)}


def test_two_groups_of_one_name_are_refused():
    with pytest.raises(UsageError, match="a card belongs to one group; there twice: Evening"):
        cards(pd.concat([SIZES, SIZES[:1]]))
    with pytest.raises(UsageError, match="some stand in the groups twice"):
        known_groups(pd.DataFrame({"customer_id": ["a", "a"], "group": ["x", "y"]}))
    with pytest.raises(UsageError, match="found who"):
        known_groups(pd.DataFrame({"who": ["a"]}))
    assert list(known_groups(None).columns) == ["customer_id", "group"]
    assert len(cards(group_sizes(known_groups(None)))) == 0


def members(**sizes: int) -> pd.DataFrame:
    rows = [(f"{group}{i}", group) for group, size in sizes.items() for i in range(size)]
    return pd.DataFrame(rows, columns=["customer_id", "group"])


def test_sizes_of_small_groups_are_withheld():
    table = group_sizes(members(big=20, middle=9, small=3)).set_index("group")
    assert table["customers"].isna().tolist() == [False, True, True]


def surveys(*rows: tuple) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, columns=["customer_id", "comment"]))


def test_a_quote_stands_with_the_group_that_wrote_it_most():
    answers = surveys(*[("big1", "Late  again."), ("big2", "Fine."), ("big3", "Fine."), ("small1", "Late again."),
                        ("tiny1", "Fine."), ("stranger", "Fine.")])  # fmt: skip
    quotes = pd.DataFrame({"quote": ["Late again.", "Fine.", "Never said."], "touchpoint": ["delivery"] * 3})
    found = quotes_by_group(quotes, answers, members(big=8, small=6, tiny=2))
    assert found.to_dict("records") == [
        {"group": "big", "quote": "Fine.", "touchpoint": "delivery", "customers": 2},
        {"group": "small", "quote": "Late again.", "touchpoint": "delivery", "customers": 1},
    ]
    assert len(quotes_by_group(quotes[:0], answers, members(big=8))) == 0  # nobody has reviewed any
    assert len(quotes_by_group(quotes, answers.drop("comment"), members(big=8))) == 0


def test_contacts_and_queries_take_the_shape_of_order_traits():
    asked = pd.DataFrame(
        [("t1", "a", "2026-01-01", "late"), ("t2", None, "2026-01-01", "late"), ("t3", "a", "2026-07-01", "late"),
         ("t4", "b", "2026-01-01", None)],
        columns=["contact_id", "customer_id", "opened_on", "reason"],
    )  # fmt: skip
    table = ibis.memtable(asked.assign(opened_on=pd.to_datetime(asked["opened_on"])))
    assert contact_traits(table, as_of=AS_OF).to_pandas().to_dict("records") == [
        {"customer_id": "a", "order_id": "t1", "aspect": "contact reason", "value": "late"}
    ]
    sent = [(f"c{i}", "s", "2026-01-01", " Nappies  4") for i in range(5)]
    sent += [("c1", "s", "2026-01-02", "nappies 4"), ("c1", None, "2026-01-03", "nappies 4"),
             ("c1", "s", "2026-01-01", "call me, Anna"), (None, "s", "2026-01-01", "nappies 4")]  # fmt: skip
    frame = pd.DataFrame(sent, columns=["customer_id", "session_id", "searched_on", "query"])
    table = ibis.memtable(frame.assign(searched_on=pd.to_datetime(frame["searched_on"]).dt.date))
    found = query_traits(table, as_of=AS_OF).to_pandas()
    assert set(found["value"]) == {"nappies 4"}  # what under five people sent is nobody's business
    assert (found["customer_id"] == "c1").sum() == 2  # once a visit


def test_asked_sentences_say_what_stands_out_that_nothing_does_or_that_nothing_is_known():
    reasons = lifts(("Evening", "contact reason", "late", 0.4, 0.2, "more"))
    queries = lifts(("Evening", "query", "nappies", 0.4, 0.4, "not told apart"))
    assert asked_sentences(reasons, queries) == [
        "Evening: Late 40 % of contacts (others 20 %).",
        "No query is told apart in one group from the others, all compared together.",
    ]
    assert "was not compared" in asked_sentences(None, lifts())[0]


def test_rows_of_who_is_in_a_group():
    table = with_group(surveys(("big1", "x"), ("stranger", "y")), members(big=2)).to_pandas()
    assert table[["customer_id", "group"]].to_numpy().tolist() == [["big1", "big"]]
    assert len(with_group(surveys(("big1", "x")), members()).to_pandas()) == 0
