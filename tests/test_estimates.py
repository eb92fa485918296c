import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit.estimates import (
    Estimate,
    cluster_error,
    counted,
    from_dict,
    holm_levels,
    mean,
    normal,
    p_values,
    ranked_share,
    ratio_of_sums,
    share_difference,
    simultaneous,
    top_share,
    unknown,
    wilson,
    wilson_ends,
)


def test_wilson_as_published():
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
    cases = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (successes, n), ends in cases.items():
        estimate = wilson(successes, n)
        assert (round(estimate.low, 4), round(estimate.high, 4)) == ends


@pytest.mark.parametrize(("share", "n"), [(0.05, 40), (0.3, 30), (0.5, 100), (0.41, 2310)])
def test_wilson_covers(share, n):
    """The exact coverage, from the binomial's own probabilities: no simulation needed."""
    from scipy.stats import binom

    successes = np.arange(n + 1)
    low, high = wilson_ends(successes, np.full(n + 1, n))
    coverage = binom.pmf(successes, n, share)[(low <= share) & (share <= high)].sum()
    assert 0.925 < coverage < 0.985


@given(st.integers(0, 300), st.integers(1, 300), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_holds_its_value_and_mirrors(successes, n, level):
    successes = min(successes, n)
    one, other = wilson(successes, n, level=level), wilson(n - successes, n, level=level)
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


def test_wilson_refuses_more_successes_than_tries():
    with pytest.raises(ValueError, match="successes must lie between 0 and n; found 3 of 2"):
        wilson(3, 2)
    assert not wilson(0, 0).known
    assert np.isnan(wilson_ends([0], [0])[0][0])


def test_an_estimate_says_what_is_wrong_with_it():
    with pytest.raises(ValueError, match=r"unit 'shares' is unknown; valid units: share, money"):
        Estimate(0.5, 0.4, 0.6, 10, "shares", 0.95, "by hand")
    with pytest.raises(ValueError, match="the level of an interval lies above 0 and at most at 1; found 95"):
        Estimate(0.5, 0.4, 0.6, 10, "share", 95, "by hand")
    with pytest.raises(ValueError, match=r"low end lies at or below its high end; found 0.6 to 0.4"):
        Estimate(0.5, 0.6, 0.4, 10, "share", 0.95, "by hand")


def test_an_estimate_survives_json():
    import json

    estimate = Estimate(np.float64(0.5), np.float64(0.4), 0.6, np.int64(10), "share", 0.95, "by hand")
    assert from_dict(json.loads(json.dumps(estimate.as_dict()))) == estimate
    blank = from_dict(json.loads(json.dumps(unknown("money", n=3).as_dict())))
    assert np.isnan([blank.value, blank.low, blank.high]).all()
    assert (blank.n, blank.unit, blank.known) == (3, "money", False)


def test_counted_in_full_has_no_interval():
    estimate = counted(3, 60)
    assert (estimate.value, estimate.low, estimate.high, estimate.n, estimate.level) == (0.05, 0.05, 0.05, 60, 1.0)
    assert not counted(0, 0).known


def test_bonferroni():
    assert simultaneous(0.95, 1) == pytest.approx(0.95)
    assert simultaneous(0.95, 5) == pytest.approx(0.99)
    with pytest.raises(ValueError, match="a family has at least one member; found 0"):
        simultaneous(0.95, 0)


def test_ratio_of_sums_by_hand():
    part, whole = np.array([1.0, 0, 2, 0, 1]), np.array([2.0, 2, 2, 2, 2])
    estimate = ratio_of_sums(part, whole)
    # residuals 0.2, -0.8, 1.2, -0.8, 0.2 around 0.4 * 2: their squares sum to 2.8; t(4) = 2.776
    half = 2.7764 * np.sqrt(5 / 4 * 2.8) / 10
    assert estimate.value == pytest.approx(0.4)
    assert estimate.high == pytest.approx(0.4 + half, abs=1e-4)
    assert estimate.low == 0  # a share of non-negative parts is never below zero
    assert ratio_of_sums(part, -whole).method == "the whole is not above zero"
    assert not ratio_of_sums(part[:4], whole[:4]).known


def test_ratio_of_sums_covers():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        spent, member = rng.exponential(100, 300), rng.random(300) < 0.3
        estimate = ratio_of_sums(np.where(member, spent, 0), spent)
        inside += estimate.low <= 0.3 <= estimate.high
    assert 0.92 <= inside / 400 <= 0.98


def test_top_share_by_hand():
    spent = np.repeat([1.0, 1, 1, 1, 16], 10)
    assert top_share(spent, share=0.2).value == pytest.approx(0.8)
    # the border cuts one of the forty who spent 1 in half
    assert top_share(np.append(spent, 1.0), share=10.5 / 51).value == pytest.approx(160.5 / 201)
    assert top_share(np.ones(40), share=0.25).value == pytest.approx(0.25)
    assert not top_share(np.ones(29)).known
    assert top_share(np.zeros(40)).method == "the total is not above zero"
    with pytest.raises(ValueError, match="share must lie between 0 and 1; found 20"):
        top_share(spent, share=20)


def test_top_share_covers():
    """Exponential spend: the top fifth holds 0.2 (1 + log 5) = 0.5219."""
    rng, truth = np.random.default_rng(11), 0.2 * (1 + np.log(5))
    estimates = [top_share(rng.exponential(50, 500)) for _ in range(400)]
    assert 0.92 <= np.mean([e.low <= truth <= e.high for e in estimates]) <= 0.98


@given(st.lists(st.integers(0, 10_000), min_size=30, max_size=80).filter(any), st.floats(0.01, 0.99))
def test_top_and_bottom_add_up_and_money_scales_away(spent, share):
    values = np.array(spent, dtype=float)
    top, bottom = ranked_share(values, start=0, stop=share), ranked_share(values, start=share, stop=1)
    assert top.value + bottom.value == pytest.approx(1)
    assert top.value >= share - 1e-9
    scaled = ranked_share(values[::-1] * 41.5, start=0, stop=share)
    assert (scaled.value, scaled.low, scaled.high) == pytest.approx((top.value, top.low, top.high), abs=1e-9)


def test_ranks_are_checked():
    with pytest.raises(ValueError, match=r"ranks run from 0 to 1, start before stop; found 0\.5 and 0\.2"):
        ranked_share(np.ones(40), start=0.5, stop=0.2)


def test_mean_by_hand():
    estimate = mean(np.array([4.0, 5.0, 3.0, 4.0]))
    # standard deviation sqrt(2/3), divided by 2; t with 3 degrees of freedom is 3.182
    assert estimate.value == 4
    assert estimate.high - 4 == pytest.approx(3.182446 * np.sqrt(2 / 3) / 2, abs=1e-6)
    assert not mean(np.array([4.0])).known


def test_normal_and_its_p_value_agree():
    estimate = normal(0.3, 0.1, 50, unit="share")
    assert estimate.low == pytest.approx(0.3 - 1.959964 * 0.1, abs=1e-7)
    assert p_values(0.3, 0.1, reference=estimate.low) == pytest.approx(0.05)
    assert not normal(0.3, float("nan"), 50, unit="share").known
    assert np.isnan(p_values(0.3, float("nan")))
    assert p_values(np.array([0.0, 1.0]), np.array([0.0, 0.0])).tolist() == [1.0, 0.0]


def test_holm_by_hand():
    # four members: 0.01 <= 0.05/4, 0.0166 <= 0.05/3, 0.03 > 0.05/2, so the last two share 0.05/2
    levels = holm_levels(np.array([0.03, 0.01, np.nan, 0.04, 0.0166]))
    assert levels == pytest.approx([1 - 0.05 / 2, 1 - 0.05 / 4, 0.95, 1 - 0.05 / 2, 1 - 0.05 / 3])


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12))
def test_an_interval_excludes_zero_exactly_where_holm_rejects(values):
    values = np.array(values)
    p = p_values(values, np.ones(len(values)))
    order = np.argsort(p, kind="stable")
    rejected = np.zeros(len(p), dtype=bool)
    for rank, place in enumerate(order):  # the textbook's loop
        if p[place] > 0.05 / (len(p) - rank):
            break
        rejected[place] = True
    levels = holm_levels(p)
    ends = [normal(v, 1.0, 9, unit="points", level=float(a)) for v, a in zip(values, levels, strict=True)]
    assert [e.low > 0 or e.high < 0 for e in ends] == rejected.tolist()


def test_difference_of_shares_as_published():
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10
    cases = {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (0, 10, 0, 10): (-0.2775, 0.2775),
        (10, 10, 0, 10): (0.6075, 1.0),
    }
    for counts, ends in cases.items():
        gap = share_difference(*counts)
        assert (round(gap.low / 100, 4), round(gap.high / 100, 4)) == pytest.approx(ends, abs=1e-4)
    assert not share_difference(0, 0, 1, 2).known


def test_a_clusters_error_is_that_of_the_ratio_of_sums():
    part, whole = np.array([1.0, 0, 3, 2, 2, 4]), np.array([2.0, 1, 4, 2, 3, 5])
    plain = ratio_of_sums(part, whole)
    error = cluster_error(
        (part**2).sum(), (part * whole).sum(), (whole**2).sum(), whole.sum(), part.sum() / whole.sum(), len(part)
    )
    assert error * 2.570582 == pytest.approx(plain.high - plain.value, abs=1e-6)  # t with 5 degrees of freedom
