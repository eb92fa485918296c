"""The SWOT: what the data say, what people say, joined and never averaged; 500 statements in four languages."""

import random
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_findings import finding, full, nothing

from cxkit import swot
from cxkit.certainty import across_audit
from cxkit.findings import Finding

COLUMNS = ["statement", "quadrant", "voice", "department", "impact", "confidence", "evidence", "source"]
FOUND = [
    finding("journey.touchpoint.cart", -3.0, 1.0),
    finding("feedback.touchpoint.cart", -4.0, 1.0),
    finding("feedback.gap.delivery", -2.0, 1.0),
    finding("search.missing.bikes", 0.9, 0.1, target=0.5, up=False),
    finding("segments.shrinks.best", -9.0, 1.0),
    finding("segments.grows.best", 1.1, 1.0),
    full("quality.refused_share", 0.01, target=0.05, up=False),
    finding("loyalty.gini", 0.6, 0.1, target=None),
    nothing("feedback.nps"),
]


def sheet(*rows: dict) -> pd.DataFrame:
    frame = pd.DataFrame([{"statement": "x", "quadrant": "weakness", "voice": "customer"} | row for row in rows])
    return frame.reindex(columns=COLUMNS).astype({"impact": float, "confidence": float})


def context(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["statement", "quadrant", "source", "date"])


def joined(*rows: dict, outside=(), found=FOUND, **more) -> pd.DataFrame:
    data = swot.data_items(found, across_audit(found))
    return swot.join(data, swot.said_items(sheet(*rows), context(*outside), **more)).set_index("item")


def test_what_the_data_say():
    frame = swot.data_items(FOUND, across_audit(FOUND))
    assert list(frame.columns) == list(swot.DATA)
    told = {row.item: (row.quadrant, row.certainty, row.sphere) for row in frame.itertuples()}
    assert told == {
        "journey.touchpoint.cart": ("weakness", "certain", "site"),
        "feedback.gap.delivery": ("weakness", "certain", "logistics"),
        "search.missing.bikes": ("opportunity", "certain", "product"),
        "segments.shrinks.best": ("threat", "certain", "relations"),
        "segments.grows.best": ("strength", "likely", "relations"),
    }
    both = frame.set_index("item").loc["journey.touchpoint.cart"]
    assert both["evidence"] == "journey.touchpoint.cart, feedback.touchpoint.cart"
    assert both["statement"] == FOUND[0].sentence()
    assert swot.left_out(FOUND) == (
        "Of 9 findings 3 are in no quadrant: 1 have nothing to be judged against (no target of the client's); "
        "1 are too early to say; 1 tell how well the audit could look, not how the shop does."
    )


def test_where_the_pages_weaknesses_stand():
    found = [*FOUND, full("quality.odd_things", 9.0, target=0.0, up=False)]
    assert swot.retold(found, swot.data_items(found, across_audit(found))) == (
        "The pages name weaknesses 6 times: under opportunities 1, under threats 1, of the audit itself 1, "
        "told with another 1, here as weaknesses 2."
    )
    assert swot.retold([], swot.data_items([], across_audit([]))) == ""


def test_two_findings_that_differ_about_one_touchpoint_are_named():
    frame = joined(found=[finding("journey.touchpoint.cart", -3.0, 1.0), finding("feedback.touchpoint.cart", 3.0, 1.0)])
    assert frame["quadrant"].tolist() == ["strength", "weakness"]
    assert frame.loc["journey.touchpoint.cart", "against"] == "feedback.touchpoint.cart"
    assert frame.loc["feedback.touchpoint.cart", "against"] == "journey.touchpoint.cart"


def test_an_item_by_hand():
    frame = joined(
        {"statement": "The cart is lost", "evidence": "feedback.touchpoint.cart", "impact": 5.0, "department": "site",
         "source": "b", "confidence": 4.0},
        {"statement": "Кошик зникає", "voice": "employee", "evidence": "journey.touchpoint.cart", "impact": 2.0,
         "department": "site", "source": "a", "confidence": 1.0},
        {"statement": "The cart is lost", "voice": "partner", "department": "it"},
    )  # fmt: skip
    row = frame.loc["journey.touchpoint.cart"]
    assert row["voices"] == "data, customer, partner, employee"
    assert row["by_voice"] == "data 2, customer 1, partner 1, employee 1"
    assert row["supporters"] == 4
    assert (row["impact"], row["confidence"]) == (3.5, 2.5)
    assert (row["certainty"], row["sphere"], row["department"]) == ("certain", "site", "site")
    assert row["said"] == "The cart is lost · Кошик зникає"
    assert row["sources"] == "a; b"
    assert row["statement"] == FOUND[0].sentence()


def test_what_only_people_say():
    frame = joined({"statement": "Dear", "evidence": "Far too dear.", "department": "Відділ логістики"},
                   outside=[("Births fall", "threat", "statistics", None)])  # fmt: skip
    dear, births = (frame[frame["statement"] == text].iloc[0] for text in ("Dear", "Births fall"))
    assert dear.name.startswith("said.")
    assert (dear["certainty"], dear["sphere"], dear["quotes"]) == ("said", "logistics", swot.HIDDEN)
    assert np.isnan(dear["impact"])
    assert (births["voices"], births["sources"], births["evidence"]) == ("", "statistics", "")
    shown = joined({"statement": "Dear", "evidence": "Far too dear."}, reviewed=True)
    assert shown.loc[shown["statement"] == "Dear", "quotes"].item() == "Far too dear."


def test_a_row_pasted_twice_counts_once_and_another_person_counts():
    one = {"statement": "Dear", "source": "talk"}
    frame = joined(one, one, one | {"source": "another talk"})
    assert frame.loc[frame["statement"] == "Dear", "supporters"].item() == 2
    said = swot.said_items(sheet(one, one), context())
    assert said["copies"].tolist() == [2]


def test_contradictions_are_named_and_both_stay():
    frame = joined({"statement": "Delivery is quick", "quadrant": "strength"},
                   {"statement": "Delivery is not quick", "quadrant": "weakness"},
                   {"statement": "Best cart of all", "quadrant": "strength",
                    "evidence": "journey.touchpoint.cart"})  # fmt: skip
    by = frame.reset_index().set_index("statement")
    assert by.loc["Delivery is quick", "against"] == by.loc["Delivery is not quick", "item"]
    assert by.loc["Best cart of all", "against"] == "journey.touchpoint.cart"
    assert frame.loc["journey.touchpoint.cart", "against"] == by.loc["Best cart of all", "item"]
    assert frame.loc["journey.touchpoint.cart", "certainty"] == "certain"  # one voice takes nothing from a number


def test_a_finding_that_says_the_opposite_is_no_evidence():
    frame = joined({"statement": "Nobody loses a cart", "quadrant": "strength", "evidence": "feedback.touchpoint.cart"})
    praise = frame[frame["statement"] == "Nobody loses a cart"].iloc[0]
    assert (praise.name[:5], praise["evidence"], praise["against"]) == ("said.", "", "journey.touchpoint.cart")
    assert frame.loc["journey.touchpoint.cart", "against"] == praise.name


def test_a_finding_of_the_other_verdict_is_no_contradiction_of_what_speaks_of_something_else():
    """The id in the cell alone: the best customers and their discounts are not the second order of all."""
    id = "loyalty.repeat_rate"
    frame = joined({"statement": "The best customers need no discount", "quadrant": "strength", "evidence": id},
                   {"statement": "They repeat their orders", "quadrant": "strength", "evidence": id},
                   found=[finding(id, 0.3, 0.01, target=0.5)]).reset_index()  # fmt: skip
    best, again = (frame[frame["statement"].str.startswith(text)].iloc[0] for text in ("The best", "They repeat"))
    assert (best["evidence"], best["refuted"], best["against"]) == ("", id, "")
    assert (again["refuted"], again["against"]) == (id, id)


def test_a_total_is_evidence_of_the_one_part_that_grows():
    trend = finding("service.contact_trend", 3.0, 0.5, up=False)
    late, broken, unsure = (
        finding(f"service.growing.{n}", v, 0.5, up=False) for n, v in (("late", 4.0), ("broken", 3.0), ("dear", 0.51))
    )
    items = swot.data_items([trend, late], across_audit([trend, late]))
    assert items[["item", "evidence"]].values.tolist() == [
        ["service.growing.late", "service.growing.late, service.contact_trend"]
    ]
    for found in ([trend, late, broken], [trend, unsure], [trend]):  # two parts, one that is not certain, none
        items = swot.data_items(found, across_audit(found))
        assert sorted(items["item"]) == sorted(f.id for f in found)


def test_ids_of_findings_and_quotes_apart():
    texts = ["service.late.courier", "service.late.courier; loyalty.gini", "personas.costs.often,_small",
             "service.nonsense", "Nothing works. Nothing.", "example.com", None]  # fmt: skip
    rows = [{"statement": f"s{i}", "evidence": text} for i, text in enumerate(texts)]
    said = swot.said_items(sheet(*rows), context(), reviewed=True)
    assert said["ids"].tolist() == ["service.late.courier", "service.late.courier, loyalty.gini",
                                    "personas.costs.often,_small", "service.nonsense", "", "", ""]  # fmt: skip
    assert said["quote"].tolist() == ["", "", "", "", "Nothing works. Nothing.", "example.com", ""]


@pytest.mark.parametrize("found", [[], FOUND])
@pytest.mark.parametrize("rows", [(), ({"statement": "Dear"},)])
def test_nothing_at_all_breaks_nothing(found, rows):
    frame = joined(*rows, found=found)
    assert list(frame.columns) == list(swot.ITEMS[1:])
    assert len(frame) == (5 if found else 0) + len(rows)
    assert swot.left_out([]) == ""
    assert not len(swot.said_items(pd.DataFrame(), None, None))


def test_hostile_texts_are_kept_as_texts():
    texts = [
        "=1+1",
        "<script>alert(1)</script>",
        "'; DROP",
        "\u202eevil",
        "{value}",
        "a\nb",
        "😀",
        "!!!",
        "-",
        "x" * 5_000,
    ]
    frame = joined(*({"statement": text, "evidence": text, "source": text, "department": text} for text in texts))
    assert len(frame) == 5 + len(texts)
    assert frame.index.is_unique
    assert not frame["statement"].str.contains("\u202e").any()


THINGS = {
    "en": (("Courier delivery", "The payment page", "The size guide", "Packaging"),
           ("is too slow", "is hard to understand", "breaks on phones", "costs too much")),
    "uk": (("Доставка кур'єром", "Сторінка оплати", "Таблиця розмірів", "Упаковка"),
           ("працює надто повільно", "незрозуміла покупцям", "ламається на телефоні", "коштує забагато")),
    "ru": (("Курьерская доставка", "Страница оплаты", "Таблица размеров", "Коробка товара"),
           ("работает слишком медленно", "непонятна покупателям", "ломается на телефоне", "стоит слишком дорого")),
    "pl": (("Dostawa kurierem", "Strona płatności", "Tabela rozmiarów", "Opakowanie"),
           ("działa zbyt wolno", "jest niezrozumiała", "psuje się na telefonie", "kosztuje za dużo")),
}  # fmt: skip


def test_five_hundred_statements_in_four_languages_in_seconds():
    """64 things said 500 times, shouted, with blanks too many or a letter missing: none meets another."""
    draw, rows, thing = random.Random(5), [], {}
    for i in range(500):
        subjects, wrongs = THINGS[language := draw.choice(list(THINGS))]
        a, b = draw.randrange(4), draw.randrange(4)
        text = f"{subjects[a]} {wrongs[b]}"
        text = draw.choice((text, text.upper() + "!!", f"  {text.replace(' ', '  ')} .", text))
        if i % 5 == 0:
            cut = draw.randrange(4, len(text) - 1)
            text = text[:cut] + text[cut + 1 :]
        thing[" ".join(text.split())] = (language, a, b)
        rows.append({"statement": text, "voice": draw.choice(swot.VOICES[1:]), "source": f"talk {i}"})
    start = time.process_time()
    frame = joined(*rows, found=[])
    assert time.process_time() - start < 20  # 2 where nothing else runs; the languages' model is read too
    assert frame["supporters"].sum() == 500
    mixed = random.Random(6).sample(rows, len(rows))
    pd.testing.assert_frame_equal(joined(*mixed, found=[]), frame)
    told = swot.said_items(sheet(*rows), context())
    from cxkit.same_thing import by_item

    placed = by_item(swot.data_items([], across_audit([])), told)
    meant = placed.assign(thing=[thing[" ".join(t.split())] for t in placed["statement"]])
    assert meant.groupby("item")["thing"].nunique().max() == 1  # none meets another
    assert len(frame) <= 64 + 25  # a letter missing makes a few things of their own


def test_it_reads_the_findings_that_it_is_made_of():
    """Whatever the family, a finding with a verdict is in the SWOT once; what tells of the audit itself is not."""
    frame = joined()
    listed = [id for cell in frame["evidence"] for id in cell.split(", ")]
    judged = [f.id for f in FOUND if isinstance(f, Finding) and f.quadrant() in swot.QUADRANTS]
    judged.remove("quality.refused_share")
    assert sorted(listed) == sorted(judged)


def test_what_people_scored_on_checklists_is_their_voice():
    gap = finding("maturity.gap.trust_16_be_reliable", 1.5, 0.5, up=False)
    gap = replace(gap, claim="employees' mean score less that of customers is {value} ({interval}).")
    item = joined(found=[gap]).loc[gap.id]
    assert (item["voices"], item["by_voice"], item["supporters"]) == ("customer, employee", "", 1)
    assert (item["certainty"], item["quadrant"]) == ("certain", "weakness")


def test_gap_and_standing_of_one_item_of_the_checklists_are_one_thing():
    gap = finding("maturity.gap.trust_16_be_reliable", 1.5, 0.5, up=False)
    low = replace(finding("maturity.item.trust_16_be_reliable", -1.5, 0.5), claim="partners give {value} ({interval})")
    other = finding("maturity.item.trust_14_reward", -1.5, 0.5)
    frame = joined(found=[gap, low, other])
    assert frame["evidence"].loc[gap.id] == f"{gap.id}, {low.id}"
    assert frame["sphere"].loc[[gap.id, other.id]].tolist() == ["logistics", "relations"]
    assert low.id not in frame.index
    assert "partner" in frame["voices"].loc[gap.id]
