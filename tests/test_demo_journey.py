"""What is planted in the made-up client's journey is what the priorities name; nothing where nothing is planted."""

import pytest
from study import load_study


@pytest.fixture(scope="module")
def study():
    """The study's functions: its 400 clients are drawn by `make study`, four others here."""
    return load_study("journey_power")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_planted_touchpoints_are_among_the_first_three(study, seed):
    found, first = study.judged("default", seed, draws=50)
    assert set(study.PLANTED) <= set(first["touchpoint"].iloc[:3])
    assert len(first) <= 10
    weak = found[found["certain"] == "weak"]
    assert set(weak["touchpoint"]) == set(study.PLANTED)
    # visits go on from the planted ones in 60 and 62 of 100 cases
    shares = found[found["measure"] == "goes_on"].set_index("touchpoint")
    for name, planted in (("advice", 0.60), ("payment_page", 0.62)):
        assert shares.loc[name, "value"] == pytest.approx(planted, abs=0.03)
        assert shares.loc[name, "high"] < 0
    assert " % of touches go on (" in first["reason"].iloc[0]


def test_nothing_is_weak_for_certain_where_nothing_is_planted(study):
    found, _ = study.judged("null", 1, draws=50)
    assert not (found["certain"] == "weak").any()
    assert found["judged"].sum() == 36
