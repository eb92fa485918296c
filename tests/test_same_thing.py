"""Which statements are one thing: by their finding, their touchpoint, their words; and whom an action means."""

import pandas as pd
from hand_findings import finding
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import swot
from cxkit.certainty import across_audit
from cxkit.same_thing import by_item, commonest, keys_of, one_spelling, split_ids

COLUMNS = ["statement", "quadrant", "voice", "department", "impact", "confidence", "evidence", "source"]
CONTEXT = pd.DataFrame(columns=["statement", "quadrant", "source", "date"])
FOUND = [finding("journey.touchpoint.cart", -3.0, 1.0), finding("service.late.courier", 3.0, 1.0, up=False)]


def sheet(*rows: tuple) -> pd.DataFrame:
    """(statement, quadrant, evidence) -> the sheet swot, all said by customers of whom nothing more is known."""
    made = [(text, quadrant, "customer", None, None, None, evidence, None) for text, quadrant, evidence in rows]
    return pd.DataFrame(made, columns=COLUMNS).astype({"impact": float, "confidence": float})


def items_of(*rows: tuple, **more) -> tuple[pd.DataFrame, pd.DataFrame]:
    data = swot.data_items(FOUND, across_audit(FOUND))
    said = swot.said_items(sheet(*rows), CONTEXT, **more)
    return by_item(data, said).set_index("statement"), swot.join(data, said)


def test_a_statement_joins_the_finding_that_it_names():
    rows, items = items_of(
        ("Couriers dawdle", "weakness", "service.late.courier"), ("Кур'єри спізнюються", "weakness", None)
    )
    assert rows.loc["Couriers dawdle", ["item", "why"]].tolist() == ["service.late.courier", "finding"]
    assert rows.loc["Кур'єри спізнюються", "item"].startswith("said.")  # no way across languages but by a finding
    assert len(items) == 3


def test_words_join_within_a_language_and_a_quadrant():
    rows, _ = items_of(
        ("Couriers are late", "weakness", "service.late.courier"), ("The courier is always late!", "weakness", None),
        ("The couriers are late", "strength", None), ("Couriers are never late", "weakness", None),
    )  # fmt: skip
    assert rows.loc["The courier is always late!", ["item", "why"]].tolist() == ["service.late.courier", "words"]
    assert rows["item"].nunique() == 3  # neither the other quadrant nor what denies it


def test_what_denies_within_a_word_is_not_joined_and_named_as_a_contradiction():
    rows, items = items_of(
        ("Customers are satisfied with delivery", "weakness", None),
        ("Customers are dissatisfied with delivery", "weakness", None),
        ("Сайт зручний", "strength", None), ("Сайт незручний", "weakness", None),
    )  # fmt: skip
    assert rows["item"].nunique() == 4
    against = items.set_index("statement")["against"]
    one, other = (rows.loc[f"Customers are {word}satisfied with delivery", "item"] for word in ("", "dis"))
    assert against["Customers are satisfied with delivery"] == other
    assert against["Customers are dissatisfied with delivery"] == one
    assert against["Сайт незручний"] == rows.loc["Сайт зручний", "item"]  # strength and weakness, as ever


def test_statements_that_name_the_same_finding_about_one_thing_are_one_in_any_language():
    id = "service.growing.damaged"
    rows, items = items_of(
        ("Goods come broken", "weakness", id), ("Товар приходить розбитим", "weakness", f"{id}, search.no_click"),
        ("Nic się nie tłucze", "strength", id),
    )  # fmt: skip
    assert rows["item"].tolist()[:1] + rows["item"].tolist()[2:] == [id] * 2
    praise = rows.loc["Nic się nie tłucze", "item"]
    assert praise.startswith("said.")  # the id is the weakness's
    assert items.set_index("item").loc[praise, "against"] == id


def test_a_figure_of_the_whole_shop_makes_no_two_statements_one():
    """Neither as evidence nor as the measure of an action: NPS is of many things."""
    actions = pd.DataFrame({"action": ["Shoot", "Staff"], "item": ["Photos are small", "Nobody answers at night"],
                            "measure": ["feedback.nps", "feedback.nps"]})  # fmt: skip
    said = ("Photos are small", "weakness", None), ("Nobody answers at night", "weakness", None)
    rows, _ = items_of(*said, ("Refunds take weeks", "weakness", "feedback.nps"), actions=actions)
    assert rows["item"].nunique() == 3


def test_a_quote_or_an_action_tells_the_touchpoint_or_the_finding():
    quotes = pd.DataFrame({"touchpoint": ["Cart"], "quote": ["The basket is lost."], "source": ["x"]})
    actions = pd.DataFrame(
        {"action": ["Drive"], "item": ["couriers, oh couriers"], "measure": ["service.late.courier"]}
    )
    rows, _ = items_of(
        ("Koszyk znika", "weakness", "the basket is LOST"), ("Couriers, oh couriers!", "weakness", None),
        quotes=quotes, actions=actions,
    )  # fmt: skip
    assert rows.loc["Koszyk znika", ["item", "why"]].tolist() == ["journey.touchpoint.cart", "touchpoint"]
    assert rows.loc["Couriers, oh couriers!", ["item", "why"]].tolist() == ["service.late.courier", "finding"]


def test_a_registers_note_joins_and_makes_nothing():
    notes = pd.DataFrame(
        {"statement": ["Cart lost", "Ring ring", "Koszyk", "Couriers dawdle"], "voice": "employee",
         "touchpoint": ["cart", "door", "cart", None], "kind": ["complaint", "complaint", "employee_idea", "complaint"],
         "score": [None, 1.0, None, None]}
    )  # fmt: skip
    rows, items = items_of(("Couriers dawdle", "weakness", None), register_voices=notes)
    notes = rows[rows["sheet"] == "register"]
    assert notes.loc["Cart lost", "item"] == "journey.touchpoint.cart"
    assert notes.loc["Ring ring", "item"] == ""
    assert notes.loc["Koszyk", ["item", "quadrant"]].tolist() == ["", ""]  # an idea takes no side
    assert items.set_index("statement").loc["Couriers dawdle", ["supporters", "by_voice"]].tolist() == [
        2,
        "customer 1, employee 1",
    ]


def test_a_registers_side_is_told_by_its_kind_or_its_score():
    """As `registers.as_voices` writes them: the kind stands first in the source."""
    sources = ["complaint, 2026-06-08", "wow example", "competitor, a rival, 2026-05-28", "mystery shop"]
    sources += ["mystery shop", "interview", "employee idea"]
    notes = pd.DataFrame({"statement": list("abcdefg"), "quadrant": None, "voice": "employee", "touchpoint": "cart",
                          "source": sources, "score": [5.0, 1.0, 5.0, 2.0, 3.0, None, None]})  # fmt: skip
    rows, _ = items_of(register_voices=notes)
    assert rows["quadrant"][rows["quadrant"] != ""].to_dict() == {"a": "weakness", "b": "strength", "d": "weakness"}
    assert rows.loc["a", "item"] == rows.loc["d", "item"] == "journey.touchpoint.cart"


def placed(found: list, rows: tuple, notes: list[tuple] = ()) -> pd.DataFrame:
    """To which items statements and a register's complaints (text, touchpoint) belong: statement -> items."""
    heard = pd.DataFrame(list(notes), columns=["statement", "touchpoint"])
    heard = heard.assign(voice="customer", kind="complaint", score=None)
    said = swot.said_items(sheet(*rows), CONTEXT, heard)
    frame = by_item(swot.data_items(found, across_audit(found)), said)
    return frame.groupby("statement")["item"].agg(list)


def test_what_is_said_of_a_touchpoint_is_not_said_of_a_surveys_gap():
    found = [finding("feedback.gap.delivery", -3.0, 1.0), finding("service.late.courier", 3.0, 1.0, up=False)]
    notes = [("The courier rang at noon", "delivery"), ("Обіцяли в п'ятницю", "delivery"), ("Late!", "Delivery"),
             ("The chat answers late", "support")]  # fmt: skip
    at = placed(found, (("Gap", "weakness", "feedback.gap.delivery"),), notes)
    assert at["The courier rang at noon"] == at["The chat answers late"] == [""]
    assert at["Обіцяли в п'ятницю"] == at["Late!"] == ["service.late.courier"]
    assert at["Gap"] == ["feedback.gap.delivery"]
    at = placed(
        [finding("feedback.touchpoint.delivery", -3.0, 1.0), *found], (), [("Late!", "delivery"), ("Rude", "delivery")]
    )
    assert (at["Late!"], at["Rude"]) == (["service.late.courier"], ["feedback.touchpoint.delivery"])
    two = [*found, finding("service.late.locker", 3.0, 1.0, up=False)]
    at = placed(two, (), [("Late!", "delivery"), ("Lockers are filled late", "delivery")])
    assert (at["Late!"], at["Lockers are filled late"]) == ([""], ["service.late.locker"])


def test_who_names_a_total_means_the_parts_that_he_says_and_who_names_parts_means_each():
    found = [finding(f"search.missing.{n}", 0.9, 0.1, target=0.5, up=False) for n in ("balance_bikes", "prams", "cots")]
    found.append(finding("search.nothing_found", 0.9, 0.1, target=0.5, up=False))
    at = placed(found, (("They look for balance bikes", "opportunity", "search.nothing_found"),
                        ("They look for much", "opportunity", "search.nothing_found"),
                        ("Sleep on wheels", "opportunity", "search.missing.prams, search.missing.cots")))  # fmt: skip
    assert at["They look for balance bikes"] == ["search.missing.balance_bikes"]
    assert at["They look for much"][0].startswith("said.")  # the total is a weakness of the search
    assert at["Sleep on wheels"] == ["search.missing.prams", "search.missing.cots"]
    said = swot.said_items(
        sheet(("Sleep on wheels", "opportunity", "search.missing.prams, search.missing.cots")), CONTEXT
    )
    items = swot.join(swot.data_items(found, across_audit(found)), said).set_index("item")
    assert items.loc["search.missing.prams", ["evidence", "supporters"]].tolist() == ["search.missing.prams", 2]


def test_whom_an_action_means():
    rows, items = items_of(("Couriers dawdle", "weakness", "service.late.courier"), ("Dear", "weakness", None))
    rows = rows.reset_index()
    texts = ["couriers DAWDLE", "service.late.courier", "dear!", "Dea", None, float("nan"), "", "said.none"]
    dear = items.loc[items["statement"] == "Dear", "item"].item()
    found = keys_of(texts, items, rows)
    assert found == [["service.late.courier"]] * 2 + [[dear]] + [[]] * 5
    assert keys_of([dear], items, rows) == [[dear]]


def test_ids_apart():
    assert split_ids("a.b,c, d.e") == ["a.b,c", "d.e"]
    assert split_ids("") == split_ids(None) == split_ids(float("nan")) == []
    assert commonest({"b": 2, "a": 2, "c": 3}) == ["c", "a", "b"]


WORDS = st.sampled_from(
    ["Couriers are late", "courier is late!", "Couriers are never late", "Кур'єри запізнюються", "Кур'єр запізнюється",
     "Курьеры опаздывают", "Kurier się spóźnia", "Kurierzy spóźniają się", "Cart is lost", "=1+1", "😀", "The cart"]
)  # fmt: skip
ROWS = st.lists(
    st.tuples(
        WORDS, st.sampled_from(swot.QUADRANTS),
        st.sampled_from([None, "service.late.courier", "search.no_click", "service.lat", "a quote", "a.b"]),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_decides_nothing(rows, random):
    _, items = items_of(*rows)
    mixed = list(rows)
    random.shuffle(mixed)
    pd.testing.assert_frame_equal(items_of(*mixed)[1], items)
    assert items["item"].is_unique
    assert items["supporters"].sum() == len(FOUND) + len({(*row,) for row in rows})
    quadrant, against = (dict(zip(items["item"], items[c], strict=True)) for c in ("quadrant", "against"))
    for item, others in against.items():
        for other in split_ids(others):
            assert item in split_ids(against[other])
            assert quadrant[other] in (swot.OPPOSITE[quadrant[item]], quadrant[item])


def test_several_ids_and_capitals_mean_items():
    _, items = items_of(("Couriers dawdle", "weakness", "service.late.courier"))
    both = ["journey.touchpoint.cart", "service.late.courier"]
    rows = by_item(swot.data_items(FOUND, across_audit(FOUND)), swot.said_items(sheet(), CONTEXT))
    found = keys_of(
        [
            "Service.Late.Courier; journey.touchpoint.cart",
            "service.late.courier,journey.touchpoint.cart",
            "service.late.courier, gone.id",
            "see service.late.courier",
            "SERVICE.late.courier",
        ],
        items,
        rows,
    )
    assert [sorted(keys) for keys in found] == [both, both, [], [], ["service.late.courier"]]


def test_capitals_make_no_second_department():
    names = pd.Series(["Site", "SITE", "site", "site", None, "", "Склад", "склад "])
    assert one_spelling(names).tolist()[:4] == ["site"] * 4
    assert one_spelling(names).tolist()[4:6] == [None, ""] or pd.isna(one_spelling(names)[4])
    assert one_spelling(names)[6] == one_spelling(names)[7]
