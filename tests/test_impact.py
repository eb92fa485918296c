"""Impact: what was stated, else the revenue touched times the size of the fault, each by hand."""

import hand_plan as hand
import pandas as pd
import pytest

from cxkit.impact import FROM_FAULT, NPS, OF_100, OF_SCALE, PERCENT, STATED, UNKNOWN, points_are, shortfall, weigh


def touched(share: list[float | None]) -> pd.DataFrame:
    items = [f"i{n}" for n in range(len(share))]
    return pd.DataFrame({"item": items, "stake": 1.0, "stake_share": share, "how": "orders"})


def weighed(share: list[float | None], evidence: list[str], findings: list, stated: float | None = None, sure="likely"):
    items = pd.DataFrame({"item": [f"i{n}" for n in range(len(share))], "evidence": evidence, "impact": stated})
    return weigh(items.assign(certainty=sure), touched(share), findings)


def test_orders_that_met_the_fault_itself_count_whole():
    share = [0.5, 0.10, 0.05, 0.02, 0.005, 0.0, None]
    late = hand.finding("service.late.courier", 22, 20, 24, unit="points", target=0)
    told = weighed(share, ["service.late.courier"] * 7, [late])
    assert told["impact"].tolist() == [5, 5, 4, 3, 2, 1, 3]
    assert told["impact_from"].tolist() == [*[FROM_FAULT] * 6, UNKNOWN]
    assert told["fault_size"].tolist()[:6] == [1.0] * 6
    assert weigh(told.assign(impact=None), touched(share), [late])["stake"].equals(told["stake"])  # nothing doubles


def test_a_small_fault_that_all_orders_pass_is_no_great_one():
    """Ninety-nine of a hundred orders pass both: half the scale is urgent, a hundredth of it is not."""
    gap = {"unit": "points", "target": 0}
    findings = [hand.finding("feedback.gap.site", -2, -2.1, -1.9, **gap),
                hand.finding("feedback.gap.cart", -0.04, -0.05, -0.03, **gap)]  # fmt: skip
    told = weighed([0.99, 0.99], ["feedback.gap.site", "feedback.gap.cart"], findings)
    assert told["fault_size"].tolist() == [0.5, pytest.approx(0.01)]
    assert told["impact"].tolist() == [5, 2]  # 0.495, and 0.0099


def test_the_largest_fault_of_an_item_counts_and_what_was_stated_before_all():
    findings = [hand.finding("personas.costs.a", 0.3, 0.2, 0.4, target=0.2),
                hand.finding("personas.costs.b", 0.7, 0.6, 0.8, target=0.2)]  # fmt: skip
    both = "personas.costs.a, personas.costs.b, x.gone"
    assert weighed([0.1], [both], findings)["fault_size"][0] == pytest.approx(0.5)
    told = weighed([0.1], [both], findings, stated=2.0)
    assert (told["impact"][0], told["impact_from"][0]) == (2.0, STATED)
    assert weighed([0.1], [""], findings)["impact_from"][0] == UNKNOWN  # touched, and no fault known


def test_one_low_mark_hides_no_fault_that_the_data_are_certain_of():
    late = [hand.finding("service.late.courier", 22, 20, 24, unit="points", target=0)]
    told = weighed([0.5], ["service.late.courier"], late, stated=1.0, sure="certain")
    assert (told["impact"][0], told["impact_from"][0]) == (5, FROM_FAULT)
    told = weighed([0.001], ["service.late.courier"], late, stated=4.0, sure="certain")
    assert (told["impact"][0], told["impact_from"][0]) == (4, STATED)  # people may know more than the data


@pytest.mark.parametrize(
    ("finding", "size"),
    [
        (hand.finding("search.no_click", 0.4, 0.3, 0.5, target=0.3), 0.1),
        (hand.finding("service.growing.late", 1.7, 1, 3, unit="lift", target=0), 1.0),  # more than doubled
        (hand.finding("service.contacts_per_100", 25, 20, 30, unit="ratio", target=20), 0.25),
        (hand.finding("service.contacts_per_100", 25, 20, 30, unit="ratio"), None),  # no reference
        (hand.finding("service.contacts_per_100", 25, 20, 30, unit="ratio", target=0), None),
        (hand.finding("journey.stage.cart", 30, 20, 40, unit="points", target=10), 0.2),
    ],
)
def test_the_size_of_a_fault(finding, size):
    assert shortfall(finding) == (pytest.approx(size) if size is not None else pytest.approx(float("nan"), nan_ok=True))


@pytest.mark.parametrize(
    ("id", "label", "claim", "points"),
    [
        ("journey.touchpoint.cart", "cart: NPS against the others", "It is {value} points.", NPS),
        ("journey.touchpoint.cart", "Visits that go on from the cart", "It is {value}; NPS too.", PERCENT),
        ("journey.touchpoint.cart", "cart: CSAT against the others", "It is {value} points.", OF_SCALE),
        ("feedback.gap.delivery", "Experience less expectation", "It is {value} points of the scale.", OF_SCALE),
        ("maturity.item.trust_02", "Trust", "It is {value} steps of 0 to 4.", OF_SCALE),
        ("feedback.theme.payment", "Scores", "It is {value} points of 100.", OF_100),
        ("service.late.courier", "Late orders", "It is {value} percentage points more.", PERCENT),
        ("feedback.nps", "NPS", "The Net Promoter Score is {value} points.", NPS),
    ],
)
def test_four_kinds_of_points_are_told_apart(id, label, claim, points):
    from cxkit.estimates import Estimate
    from cxkit.findings import Finding

    assert points_are(Finding(id, claim, Estimate(1.0, 0.0, 2.0, 9, "points", 0.95, "by hand"), label)) == points
