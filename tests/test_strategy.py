"""Which strategy: every branch of the rule, on counts by hand, and what is told with it."""

import hand_plan as hand
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from cxkit.strategy import (
    EARLY,
    INTERACTION,
    PRODUCT,
    WOW,
    choose,
    costly_sentence,
    describe_gaps,
    gaps,
    in_words,
    plot_gaps,
    told,
)

SPHERES = {"site": "Site", "product": "Goods", "company": "Company"}


def counts(*, goods: int = 0, site: int = 0, strong: tuple[int, int] = (0, 0), weak: int = 0) -> pd.DataFrame:
    """Pressing weaknesses in goods and site, strengths of both, and weaknesses of the site that do not press."""
    rows = [("site", "Site", site + weak, site, strong[1]), ("product", "Goods", goods, goods, strong[0])]
    frame = pd.DataFrame(rows, columns=["sphere", "name", "weaknesses", "pressing", "strengths"])
    return frame.assign(opportunities=0, threats=0, stake=0.0, worst="the worst.")


def test_gaps_by_hand():
    rows = [
        {"item": "a", "quadrant": "weakness", "sphere": "site", "impact": 5.0, "stake": 9.0, "pressing": False},
        {"item": "b", "quadrant": "weakness", "sphere": "site", "impact": 4.0, "stake": 3.0, "pressing": True},
        {"item": "c", "quadrant": "strength", "sphere": "site", "pressing": False},
        {"item": "d", "quadrant": "opportunity", "sphere": "product", "pressing": False},
        {"item": "e", "quadrant": "threat", "sphere": "product", "pressing": False},
        {"item": "f", "quadrant": "weakness", "sphere": "", "pressing": False},  # of no sphere: told elsewhere
    ]
    found = gaps(hand.items(rows), spheres=SPHERES).set_index("sphere")
    assert found.loc["site", ["weaknesses", "pressing", "strengths", "stake", "worst"]].tolist() == [2, 1, 1, 9.0, "b"]
    assert found.loc["product", ["weaknesses", "opportunities", "threats"]].tolist() == [0, 1, 1]
    assert found.loc["company", "weaknesses"] == 0


@pytest.mark.parametrize(
    ("found", "control", "horizon", "strategy", "reason"),
    [
        (counts(goods=2), None, None, EARLY, "not stated (product_control in client.yml)"),
        (counts(), "full", None, EARLY, "Neither a strength nor a weakness is known yet"),
        (counts(goods=2), "none", None, INTERACTION, "cannot be changed by the shop"),
        (counts(goods=2, site=1), "full", None, PRODUCT, "More presses in the goods"),
        (counts(goods=2, site=1), "full", 3, PRODUCT, "More presses in the goods"),
        (counts(goods=2, site=1), "full", 2, INTERACTION, "within the stated 2 years a product strategy does not show"),
        (counts(goods=1, site=1), "full", None, INTERACTION, "The one weakness in how customers"),
        (counts(goods=2), "partly", None, PRODUCT, "Nothing presses in how customers are dealt with"),
        (counts(goods=2, site=1), "partly", None, INTERACTION, "only partly the shop's to make"),
        (counts(strong=(1, 1), weak=1), "partly", None, WOW, "Nothing presses, and both"),
        (counts(strong=(1, 0), weak=1), "full", None, EARLY, "it is not shown that both"),
        (counts(strong=(0, 1)), "none", None, INTERACTION, "how it deals with customers"),
    ],
)
def test_the_rule(found, control, horizon, strategy, reason):
    chosen = choose(found, control=control, horizon=horizon)
    assert chosen[0] == strategy
    assert reason in in_words(chosen)


def advice(chosen: tuple, found: pd.DataFrame, more: dict | None = None, **settings) -> pd.Series:
    plain = dict.fromkeys(("horizon_years", "budget", "gesture_budget", "not_customers"))
    given = {"settings": plain | settings, "size": settings.get("size")} | (more or {})
    frame = told(chosen, found, currency="UAH", revenue=1_000.0, **given)
    assert frame["source"].str.len().min() > 0
    return frame.groupby("aspect")["text"].agg(" ".join)


def test_what_is_not_filled_in_is_asked_for():
    words = advice((INTERACTION, []), counts(site=1))
    assert "horizon_years" in words["Horizon"]
    assert "gesture_budget" in words["Exceptional gestures"]
    assert "(budget)" in words["Budget"]
    assert "not_customers" in words["Customers at any price?"]
    assert "company_size" in words["Company size"]
    assert all(text.endswith(".") for text in words)


def test_what_is_filled_in_is_used():
    filled = {"horizon_years": 1, "budget": 50, "gesture_budget": 5, "not_customers": "resellers", "size": "small"}
    words = advice((INTERACTION, []), counts(goods=1, site=1), **filled)
    assert "The stated horizon is 1 year." in words["Horizon"]
    assert words["What speaks against it"].startswith("Goods has 1 pressing weakness that it does not touch: “the wor")
    assert "At most 5 UAH a year, 0.5 % of a year's revenue." in words["Exceptional gestures"]
    assert "50 UAH a year, 5.0 % of a year's revenue" in words["Budget"]
    assert "resellers" in words["Customers at any price?"]
    assert "early touches" in words["Company size"]


def test_a_horizon_too_short_and_no_gesture_at_all():
    words = advice((WOW, []), counts(strong=(1, 1)), horizon_years=2, gesture_budget=0)
    assert words["Horizon"].endswith("That is too short to see it through.")
    assert words["Exceptional gestures"] == "None: the budget stated is nothing."
    assert words["What speaks against it"] == "No pressing weakness lies outside it."
    assert "What comes after" not in words


@pytest.mark.parametrize("strategy", [INTERACTION, PRODUCT, WOW])
def test_what_presses_in_relations_speaks_against_each_strategy(strategy):
    row = {"sphere": "relations", "name": "Relations", "weaknesses": 3, "pressing": 2, "worst": "36 % come back."}
    found = pd.concat([counts(), pd.DataFrame([row])], ignore_index=True)
    assert advice((strategy, []), found)["What speaks against it"] == (
        "Relations has 2 pressing weaknesses that this choice neither touches nor weighs: the worst is “36 % come "
        "back”."
    )


def test_the_picture_has_none_of_the_clients_colour():
    ax = plot_gaps(counts(goods=1, site=2, strong=(1, 1), weak=1))
    theirs = to_rgba("C0")[:3]
    assert all(theirs not in (bar.get_facecolor()[:3], bar.get_edgecolor()[:3]) for bar in ax.patches)
    plt.close("all")


def test_too_early_names_no_risk_of_a_strategy():
    words = advice((EARLY, []), counts())
    assert not {"Risk", "Horizon", "What speaks against it"} & set(words.index)


def test_what_it_means_here_names_the_pressing_items_with_action_and_quarter():
    weak = {"quadrant": "weakness", "pressing": True, "impact": 4.0}
    items = hand.items([
        weak | {"item": "a", "sphere": "site"}, weak | {"item": "b", "sphere": "support", "impact": 5.0},
        weak | {"item": "c", "sphere": "relations"}, weak | {"item": "d", "sphere": "product"},
        weak | {"item": "e", "sphere": "site", "pressing": False},
    ])  # fmt: skip
    plan = [("a", "Later, never", "", "drop"), ("x, a", "Mend it.", "2026 Q3", "now"), ("a", "Too", "2026 Q4", "now")]
    planned = pd.DataFrame(plan, columns=["items", "action", "quarter", "triage"])
    planned = planned.assign(by=planned["quarter"])
    words = advice((INTERACTION, []), counts(site=2), {"items": items, "planned": planned})
    assert words["What it means here"] == ("b. No action is named for it yet. a. To do: Mend it (now, by 2026 Q3).")
    assert words["Counts for neither side"] == "c. No action is named for it yet."
    nothing = advice((PRODUCT, []), counts(goods=1), {"items": items[:3], "planned": planned})
    assert nothing["What it means here"] == "Nothing presses in what it changes."


def test_relations_count_for_neither_side():
    found = counts(goods=1).replace({"sphere": {"site": "relations"}}).assign(pressing=[3, 1], weaknesses=[3, 1])
    assert choose(found, control="partly")[0] == PRODUCT


def test_who_costs_most_is_not_said_to_be_who_is_not_served():
    words = advice((INTERACTION, []), counts(site=1), {"costly": "They take half."}, not_customers="resellers")
    assert "half" not in words["Customers at any price?"]
    assert words["Who costs most to serve"].startswith("They take half. Whether these are the ones")
    assert "Who costs most to serve" not in advice((INTERACTION, []), counts(site=1))


def test_who_costs_most_to_serve():
    dear = hand.finding("personas.costs.by_coupon", 0.5, 0.4, 0.6, target=0.2, higher_is_better=False)
    assert costly_sentence([hand.finding("loyalty.gini", 0.5, 0.4, 0.6), dear]) == "It is 50 % (40–60 %, n = 100)."
    assert costly_sentence([]) == ""


def test_the_picture():
    found = counts(goods=1, site=1, strong=(0, 2), weak=2)
    ax = plot_gaps(found)
    assert [t.get_text() for t in ax.texts] == ["3", "2", "1"]
    assert ax.get_legend().get_texts()[0].get_text() == "weaknesses that press"
    assert describe_gaps(found) == (
        "Weaknesses and strengths by sphere. Site: weaknesses 3, of them pressing 1, strengths 2; Goods: weaknesses 1, "
        "of them pressing 1, strengths 0."
    )
    assert "none known" in [t.get_text() for t in plot_gaps(counts(goods=1)).texts]
    plot_gaps(counts())  # nothing to show is no error
    plt.close("all")
