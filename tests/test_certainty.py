"""How sure a verdict is among many: by hand, in families, and that nothing is called certain too often."""

import numpy as np
import pytest
from hand_findings import finding, full, nothing
from scipy.special import ndtr, ndtri

from cxkit.certainty import CERTAIN, COLUMNS, LIKELY, across_audit, family_of, judged_families
from cxkit.estimates import Estimate
from cxkit.findings import Finding

Z = 1.959964


def told(*findings):
    return across_audit(findings).set_index("id")


def test_p_is_read_from_the_interval():
    frame = told(finding("loyalty.gini", 2.0, 1.0))  # two half widths: 3.92 errors from 0
    assert frame.loc["loyalty.gini", "p"] == pytest.approx(2 * ndtr(-2 * Z))
    assert frame.loc["loyalty.gini"].tolist()[2:] == [True, CERTAIN]


def test_only_the_side_towards_the_reference_counts():
    estimate = Estimate(2.0, 1.0, 9.0, 100, "points", 0.95, "skewed")
    for target, half in ((0.0, 1.0), (12.0, 7.0)):
        one = Finding(id="loyalty.gini", claim="{value}", estimate=estimate, label="x", target=target)
        assert told(one).loc["loyalty.gini", "p"] == pytest.approx(2 * ndtr(-Z * abs(2 - target) / half))


def test_many_lookings_make_a_single_one_likely_only():
    """p is 0.03: alone it is certain, among three places (0.05 / 3) it is likely."""
    one = finding("loyalty.gini", ndtri(0.985), Z)
    assert told(one).loc["loyalty.gini", "certainty"] == CERTAIN
    frame = told(one, finding("loyalty.repeat_rate", 0.1, Z), finding("feedback.nps", 0.1, Z, target=0.0))
    assert frame.loc["loyalty.gini", "certainty"] == LIKELY
    assert frame["certainty"].tolist() == [LIKELY, "", ""]
    assert frame["judged"].all()


def test_a_single_one_hands_on_its_share_and_a_family_does_not():
    """Two places; the other one's p is 0.03, above a half of 0.05 and below the whole."""
    sure, near = finding("loyalty.gini", 9.0, Z), finding("loyalty.repeat_rate", ndtri(0.985), Z)
    assert told(sure, near)["certainty"].tolist() == [CERTAIN, CERTAIN]
    family = finding("personas.costs.a", 9.0, Z, level=0.99)
    assert told(family, near)["certainty"].tolist() == [CERTAIN, LIKELY]


def test_a_familys_own_adjustment_is_kept():
    """An interval at 99.5 % was judged with ten: its p is ten times the one of its z."""
    one = finding("segments.grows.best", 3.2, ndtri(0.9975), level=0.995)
    p = told(one).loc["segments.grows.best", "p"]
    assert p == pytest.approx(10 * 2 * ndtr(-3.2))
    further = finding("segments.grows.good", 3.25, ndtri(0.9975) + 0.3, level=0.999)
    frame = told(one, further)
    assert frame["p"].is_monotonic_increasing or frame["p"].iloc[0] >= frame["p"].iloc[1]
    assert told(further, one)["p"].to_dict() == frame["p"].to_dict()


def test_places_are_singles_and_the_families_of_areas_that_were_looked_at():
    found = [nothing("service.late_share"), finding("journey.stage.payment", 0.9, 0.1, target=0.5)]
    assert judged_families(found) == ["journey.touchpoint", "service.growing", "service.late", "service.returned"]
    assert judged_families([]) == []
    assert family_of("journey.stage.payment") == "journey.stage"
    assert family_of("loyalty.gini") == ""


def test_a_family_that_found_nothing_takes_its_place():
    """A stage against the client's own target stands alone, beside the family of touchpoints: p 0.03 is not enough."""
    one = finding("journey.stage.payment", ndtri(0.985), Z)
    assert told(one)["certainty"].tolist() == [LIKELY]
    assert told(finding("loyalty.gini", ndtri(0.985), Z))["certainty"].tolist() == [CERTAIN]


def test_what_was_counted_in_full_is_certain_and_costs_nothing():
    full_one = full("quality.refused_share", 0.01, target=0.05, up=False)
    frame = told(full_one, full("quality.odd_things", 0.05, target=0.05), finding("loyalty.gini", ndtri(0.985), Z))
    assert frame["certainty"].tolist() == [CERTAIN, "", CERTAIN]
    assert frame["p"].tolist()[:2] == [0.0, 1.0]


def test_nothing_to_judge_by():
    frame = told(nothing("loyalty.gini"), finding("feedback.nps", 5.0, 1.0, target=None))
    assert frame["judged"].tolist() == [False, False]
    assert frame["certainty"].tolist() == ["", ""]
    assert frame["p"].isna().all()
    empty = across_audit([])
    assert list(empty.columns) == list(COLUMNS)
    assert not len(empty)


def test_an_interval_without_width():
    at, beside = finding("loyalty.gini", 0.0, 0.0), finding("feedback.nps", 1.0, 0.0)
    assert told(at, beside)["p"].tolist() == [1.0, 0.0]
    assert told(at, beside)["certainty"].tolist() == ["", CERTAIN]


def test_the_order_of_findings_decides_nothing():
    found = [finding("loyalty.gini", 2.6, Z), finding("feedback.nps", 2.2, Z), finding("segments.grows.a", 4, 3.5)]
    frames = [told(*found), told(*found[::-1])]
    assert frames[0].sort_index().equals(frames[1].sort_index())


def test_where_nothing_is_so_at_most_one_audit_in_twenty_calls_anything_certain():
    """300 audits of 8 singles and 3 families of 12, none of which differ from 0; a family keeps what Holm rejects."""
    rng, audits, wrong = np.random.default_rng(8), 300, 0
    families, level = ("personas.costs", "search.missing", "service.growing"), 1 - 0.05 / 12
    half = float(ndtri((1 + level) / 2))
    looked_at = [nothing("personas.margin_eaten"), nothing("search.no_click"), nothing("service.late_share")]
    for _ in range(audits):
        found = [finding(f"loyalty.x{i}", z, Z) for i, z in enumerate(rng.standard_normal(8))]
        tops = {family: max(rng.standard_normal(12), key=abs) for family in families}
        found += [finding(f"{family}.a", top, half, level=level) for family, top in tops.items() if abs(top) > half]
        wrong += CERTAIN in set(across_audit([*looked_at, *found])["certainty"])
    assert 4 <= wrong <= 26  # 15 are due at most; none at all would say that it tells nothing
