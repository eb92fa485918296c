import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit.survival import kaplan_meier, survival_quantiles

# weeks in remission of 42 children with leukaemia, 21 on 6-MP and 21 on placebo; + still in remission when last seen
# (Freireich et al., 1963, Blood 21(6), 699-716)
DRUG = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], []


def people(relapsed, seen_until):
    return np.array([*relapsed, *seen_until]), np.array([True] * len(relapsed) + [False] * len(seen_until))


def test_the_curve_of_6_mp_by_hand():
    curve = kaplan_meier(*people(*DRUG)).set_index("time")
    happened = curve[curve["events"] > 0]
    assert happened.index.to_list() == [6, 7, 10, 13, 16, 22, 23]
    assert happened["at_risk"].to_list() == [21, 17, 15, 12, 11, 7, 6]
    assert happened["events"].to_list() == [3, 1, 1, 1, 1, 1, 1]
    steps = [18 / 21, 16 / 17, 14 / 15, 11 / 12, 10 / 11, 6 / 7, 5 / 6]
    np.testing.assert_allclose(happened["survival"], np.cumprod(steps))
    # as the textbooks print it
    printed = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    np.testing.assert_allclose(happened["survival"], printed, atol=5e-5)
    assert curve.loc[6, "censored"] == 1  # of those seen for six weeks one is still at risk of the six weeks' relapses
    assert curve.loc[35, ["at_risk", "events", "censored"]].to_list() == [1, 0, 1]
    assert curve.loc[35, "survival"] == curve.loc[23, "survival"]


def test_greenwood_and_the_ends_by_hand():
    row = kaplan_meier(*people(*DRUG)).set_index("time").loc[7]
    share = 18 / 21 * 16 / 17
    greenwood = 3 / (21 * 18) + 1 / (17 * 16)
    assert share * np.sqrt(greenwood) == pytest.approx(0.0869, abs=5e-5)  # as printed
    half = 1.959963984540054 * np.sqrt(greenwood) / abs(np.log(share))
    centre = np.log(-np.log(share))
    assert row["low"] == pytest.approx(np.exp(-np.exp(centre + half)))
    assert row["high"] == pytest.approx(np.exp(-np.exp(centre - half)))


def test_the_ends_that_stata_prints_for_the_placebo():
    """Princeton's course eco572, `sts list, by(group)` on the same data."""
    curve = kaplan_meier(*people(*PLACEBO)).set_index("time")
    np.testing.assert_allclose(curve.loc[1, ["survival", "low", "high"]], [0.9048, 0.6700, 0.9753], atol=5e-5)
    np.testing.assert_allclose(curve.loc[2, ["survival", "low", "high"]], [0.8095, 0.5689, 0.9239], atol=5e-5)


def test_scipy_gives_the_same():
    from scipy.stats import CensoredData, ecdf

    rng = np.random.default_rng(4)
    durations = rng.integers(0, 30, 200).astype(float)
    observed = rng.random(200) < 0.6
    theirs = ecdf(CensoredData(uncensored=durations[observed], right=durations[~observed])).sf
    ours = kaplan_meier(durations, observed)
    seen = np.isin(ours["time"], theirs.quantiles)
    np.testing.assert_allclose(ours["survival"][seen], theirs.probabilities)
    with pytest.warns(RuntimeWarning, match="undefined"):  # where the curve is 1 or 0
        ends = theirs.confidence_interval(method="log-log")
    inside = (ours["survival"] > 0) & (ours["survival"] < 1)
    np.testing.assert_allclose(ours["low"][inside], ends.low.probabilities[inside[seen]])
    np.testing.assert_allclose(ours["high"][inside], ends.high.probabilities[inside[seen]])


def test_medians_as_the_textbooks_print_them():
    quarter, half, most = survival_quantiles(*people(*DRUG), unit="count")
    assert (half.value, half.low) == (23, 13)
    assert np.isinf(half.high)
    assert not half.known
    assert "cannot be seen yet" in half.method
    assert half.n == 21
    assert quarter.value == 13  # 0.7529 at ten weeks still lies above three quarters
    assert np.isnan(most.value)
    assert most.method == "it has not happened to 75 % in the time that can be seen"
    placebo = survival_quantiles(*people(*PLACEBO), unit="count")
    assert [e.value for e in placebo] == [4, 8, 12]
    assert (placebo[1].low, placebo[1].high) == (4, 11)
    assert all(e.known for e in placebo)


def test_a_curve_that_meets_the_border_has_reached_it():
    (half,) = survival_quantiles([1, 2, 3, 4], [True] * 4, q=[0.5])
    assert half.value == 2
    # rounding on the way must not change that
    (tenth,) = survival_quantiles(np.arange(1, 11), [True] * 10, q=[0.7])
    assert tenth.value == 7


def test_where_the_scale_has_no_number():
    curve = kaplan_meier([1, 2, 3], [False, True, True])
    assert curve["survival"].to_list() == [1.0, 0.5, 0.0]
    assert curve["low"].isna().to_list() == [True, False, True]
    assert curve["high"].isna().to_list() == [True, False, True]


@pytest.mark.parametrize(("durations", "observed"), [([], []), ([3.0], [False]), ([0.0, 0.0], [False, False])])
def test_nobody_or_nothing_happened(durations, observed):
    estimates = survival_quantiles(durations, observed)
    assert len(kaplan_meier(durations, observed)) == len(set(durations))
    assert all(np.isnan(e.value) and e.n == len(durations) for e in estimates)


def test_one_person():
    (half,) = survival_quantiles([5.0], [True], q=[0.5])
    assert (half.value, half.low, half.high, half.n) == (5.0, 5.0, np.inf, 1)


def test_a_curve_that_comes_down_to_nought_closes_the_interval_where_there_are_enough():
    # the chance that all n lie below the true median: 2 x 0.5^5 > 0.05 >= 2 x 0.5^6, the sign test's
    for n, high in ((5, np.inf), (6, 2.4), (100, 2.4)):
        (half,) = survival_quantiles(np.full(n, 2.4), np.full(n, True), q=[0.5])
        assert (half.value, half.low, half.high) == (2.4, 2.4, high)
        assert half.known == np.isfinite(high)
    # three quarters: 0.75^12 > 0.025 >= 0.75^13
    assert [survival_quantiles([3.0] * n, [True] * n, q=[0.75])[0].high for n in (12, 13)] == [np.inf, 3.0]
    # where some went out of sight before, only those still at risk tell: five, then six
    for left, high in ((5, np.inf), (6, 4.0)):
        seen = [False] * 30 + [True] * left
        assert survival_quantiles([1.0] * 30 + [4.0] * left, seen, q=[0.5])[0].high == high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kaplan_meier([1, 2], [True]), "one length; found 2, 1 and 2"),
        (lambda: kaplan_meier([1, -2], [True, True]), "a duration is a number from 0 up; found -2"),
        (lambda: kaplan_meier([1, np.nan], [True, True]), "a duration is a number from 0 up; found nan"),
        (lambda: kaplan_meier([1], [True], weights=[-1]), "a weight is a number from 0 up; found -1"),
        (lambda: survival_quantiles([1], [True], q=[0.5, 1.0]), "between 0 and 1; found 1.0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


rows = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 3)), max_size=40)


@given(rows, st.randoms())
def test_rows_in_any_order_and_weights_for_equal_rows_give_the_same(rows, random):
    durations, observed, weights = np.array(rows).reshape(-1, 3).T if rows else ([], [], [])
    curve = kaplan_meier(durations, observed, weights=weights)
    mixed = [(d, o) for d, o, w in rows for _ in range(w)]
    random.shuffle(mixed)
    long = kaplan_meier([d for d, _ in mixed], [o for _, o in mixed])
    np.testing.assert_allclose(curve.to_numpy(float), long.to_numpy(float), atol=1e-12)


@given(rows)
def test_the_curve_falls_and_lies_between_its_ends(rows):
    durations, observed, weights = np.array(rows).reshape(-1, 3).T if rows else ([], [], [])
    curve = kaplan_meier(durations, observed, weights=weights)
    survival = np.array([1.0, *curve["survival"]])
    assert (np.diff(survival) <= 1e-12).all()
    assert (survival >= 0).all()
    known = curve.dropna()
    assert ((known["low"] <= known["survival"]) & (known["survival"] <= known["high"])).all()
    assert (curve["at_risk"] >= curve["events"] + curve["censored"]).all()
    # whom nobody lost from sight, the curve counts as plain shares
    if observed is not None and all(observed) and len(curve):
        left = [sum(w for d, _, w in rows if d > t) for t in curve["time"]]
        np.testing.assert_allclose(curve["survival"], np.array(left) / sum(w for *_, w in rows), atol=1e-9)


def test_the_interval_of_the_median_holds():
    """Exponential times with a median of ln 2, a third of them censored at random: 95 of 100 intervals hold it."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(400):
        happens, lost = rng.exponential(1, 100), rng.exponential(2, 100)
        (half,) = survival_quantiles(np.minimum(happens, lost), happens <= lost, q=[0.5])
        held += half.low <= np.log(2) <= half.high
    assert 0.92 <= held / 400 <= 0.98
