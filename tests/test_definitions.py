"""Whether two audits' figures mean the same: each kind of change is named with old and new."""

from dataclasses import replace

import pytest

from cxkit.definitions import settings_changed, what_changed
from cxkit.estimates import wilson
from cxkit.findings import Finding

REPEAT = Finding("loyalty.repeat_rate", "{value} order again within 90 days ({interval}).", wilson(40, 100), "Again")
RECORD = {
    "settings": {
        "time_zone": "Europe/Kyiv",
        "margin": None,
        "ces": "agree",
        "themes": "themes.yml",
        "scales": {"nps": [0, 10], "ces": [1, 7]},
        "tables": {"orders": {"columns": {"amount": "Line total"}, "not_goods": [], "path": ["a.csv"],
                              "values": {"status": {"Done": "completed", "Back": "returned"}}}},
    },
    "parameters": {"03_loyalty": {"within_days": 90}, "02_journey": {"map_stages": [], "period_days": 120}},
    "inputs": {"themes.yml": "aa", "workshop/touchpoints.csv": "bb"},
    "basis": {"first": "2025-01-01"},
}  # fmt: skip


def other(**changes):
    """RECORD with a key replaced (`settings__margin=0.3`)."""
    made = {name: dict(value) for name, value in RECORD.items()}
    for path, value in changes.items():
        *above, last = path.split("__")
        place = made
        for name in above:
            place[name] = dict(place[name])
            place = place[name]
        place[last] = value
    return made


def between(now, then, *, settings_now=RECORD, settings_then=RECORD):
    return what_changed(now, then, settings_now=settings_now, settings_then=settings_then)


def test_nothing_changed():
    assert between(REPEAT, replace(REPEAT, estimate=wilson(30, 90))) == []
    assert what_changed(REPEAT, REPEAT, settings_now={}, settings_then=RECORD) == [], "nothing is known of one run"


def test_an_items_place_among_the_others_is_no_definition():
    claims = (
        "“Rewards” (Trust) is the least done of 25 items: customers give it 0.9 of 4, the others 2.4, {value}.",
        "“Rewards” (Trust) is among the least done of 92 items: customers give it 1.4 of 4, the others 2.3, {value}.",
        "“Rewards” (Trust) is among the most done of 92 items: customers give it 3.4 of 4, the others 2.3, {value}.",
        "“Rewards” (Trust) is the most done of 25 items: customers give it 3.9 of 4, the others 2.3, {value}.",
    )
    found = [replace(REPEAT, id="maturity.item.trust_14_reward", claim=claim) for claim in claims]
    assert [between(one, other) for one in found for other in found] == [[]] * 16
    asked = replace(found[0], claim=claims[0].replace("customers", "employees"))
    assert len(between(asked, found[0])) == 1, "who was asked is part of what it means"


def test_words_unit_and_method_are_named_with_old_and_new():
    then = replace(REPEAT, claim="{value} order again within 60 days ({interval}).")
    assert between(REPEAT, then) == ["it was “… order again within 60 days.”, is “… order again within 90 days.”"]
    counted = replace(REPEAT, estimate=replace(REPEAT.estimate, unit="points", value=40.0, low=30.0, high=50.0))
    assert between(counted, REPEAT) == ["its unit was share, is points"]
    wald = replace(REPEAT, estimate=replace(REPEAT.estimate, method="Wald"))
    assert between(REPEAT, wald) == ["its method was “Wald”, is “Wilson”"]
    drawn = [replace(REPEAT, estimate=replace(REPEAT.estimate, method=f"{n} draws")) for n in ("4,000", "2000")]
    assert between(*drawn) == [], "how many draws is no definition"
    assert between(replace(REPEAT, currency="EUR"), replace(REPEAT, currency="UAH")) == ["its currency was UAH, is EUR"]


def test_numbers_of_the_data_in_a_claim_are_no_definition():
    claims = [
        "Contacts grew from 3.3 to 12.6 in 17 months: {value}.",
        "Contacts grew from 2.9 to 1,004 in 9 months: {value}.",
    ]
    both = [Finding("service.growing.late", claim, wilson(1, 9), "Growth") for claim in claims]
    assert between(*both) == []
    shares = [
        "The 9.9 % of customers who spent most bring {value}.",
        "The 10 % of customers who spent most bring {value}.",
    ]
    assert between(*[Finding("segments.great_share", claim, wilson(1, 9), "Great") for claim in shares]) == []
    tests = ["{value}; a test bears it out.", "{value}; a test neither proves nor refutes it.", "{value}; untested."]
    ways = [Finding("lifetime.value_per_customer", claim, wilson(1, 9), "Value") for claim in tests]
    assert between(*ways[:2]) == []
    assert len(between(*ways[1:])) == 1
    months = ["In the latest 3 whole months {value}.", "In the latest whole month {value}."]
    ids = [Finding("service.contacts_per_100", claim, wilson(1, 9), "Contacts") for claim in months]
    assert len(between(*ids)) == 1, "three months and one are not the same figure"


@pytest.mark.parametrize(
    ("id", "change", "told"),
    [
        ("loyalty.repeat_rate", {"parameters__03_loyalty": {"within_days": 60}},
         ["03_loyalty.within_days was 60, is 90"]),
        ("journey.conversion", {"parameters__02_journey": {"map_stages": ["need"], "period_days": 120}}, []),
        ("journey.conversion", {"parameters__02_journey": {"map_stages": [], "period_days": 90}},
         ["02_journey.period_days was 90, is 120"]),
        ("feedback.ces", {"settings__ces": "effort"}, ["ces was effort, is agree"]),
        ("feedback.nps", {"settings__ces": "effort"}, []),
        ("feedback.nps", {"settings__scales": {"nps": [1, 10], "ces": [1, 7]}}, ["scales.nps was [1, 10], is [0, 10]"]),
        ("feedback.theme.payment", {"inputs__themes.yml": "zz"}, ["themes.yml was changed"]),
        ("journey.stage.need", {"inputs": {"workshop/touchpoints.xlsx": "zz"}},
         ["the sheet workshop/touchpoints was changed"]),
        ("lifetime.slipping_share", {"settings__margin": 0.3}, ["margin was 0.3, is not set"]),
        ("loyalty.repeat_rate", {"settings__margin": 0.3}, []),
        ("loyalty.gini", {"settings__time_zone": "UTC"}, ["time_zone was UTC, is Europe/Kyiv"]),
        ("loyalty.gini", {"settings__targets": {"loyalty.gini": 0.5}}, []),
        ("loyalty.gini", {"basis": {"first": "2025-01-20"}}, []),
        ("loyalty.gini", {"basis": {"first": "2024-01-01"}}, ["its first order was of 2024-01-01, is of 2025-01-01"]),
        ("feedback.nps", {"basis": {"first": "2024-01-01"}}, []),
        ("loyalty.gini", {"settings__tables__orders__path": ["b.csv"]}, []),
        ("loyalty.gini", {"settings__tables__orders__not_goods": ["GIFT"]},
         ['tables.orders.not_goods was ["GIFT"], is not set']),
        ("loyalty.gini", {"settings__tables__orders__columns": {"amount": "Paid"}},
         ["tables.orders.columns.amount was Paid, is Line total"]),
        ("loyalty.gini", {"settings__tables__orders__columns": {"amount": "Line total", "cost": "Cost"}}, []),
        ("loyalty.gini", {"settings__tables__orders__values": {"status": {"Done": "cancelled", "New": "completed"}}},
         ["tables.orders.values.status.Done was cancelled, is completed"]),
    ],
)  # fmt: skip
def test_settings_that_a_figure_rests_on(id, change, told):
    assert settings_changed(id, RECORD, other(**change)) == told


def test_what_a_claim_tells_beside_its_number_is_no_definition():
    claim = "Contacts about “late” grew from 3.3 to 12.6, {value} a year ({interval}).%s"
    now, then = (
        replace(REPEAT, id="service.growing.late", claim=claim % told)
        for told in (" Late orders do not explain it: they changed by −16 % a year.", "")
    )
    assert between(now, then) == []
    gap = "Experience of “delivery” %s what customers expected: 3.3 of 5 against 3.9, a difference of {value} points."
    now, then = (
        replace(REPEAT, id="feedback.gap.delivery", claim=gap % side) for side in ("exceeds", "falls short of")
    )
    assert between(now, then) == []
    level = "NPS at “advice” is %s, at the other touchpoints 23: a difference of {value} points ({interval})."
    now, then = (replace(REPEAT, id="journey.touchpoint.advice", claim=level % nps) for nps in ("−22", "4"))
    assert between(now, then) == []
    assert between(replace(now, claim=now.claim.replace("NPS", "CSAT")), then) != []
