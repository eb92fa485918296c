"""How features become numbers to cluster on: by hand, and where a feature cannot serve."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit.scales import Scale, alike, alike_in_words, far_off, fit_scales, scale

LISTED = pd.DataFrame(
    [
        ("order_value", "amount", ""),
        ("categories", "count", ""),
        ("nps_mean", "number", ""),
        ("channel", "share", "orders"),
        ("discounted_share", "share", "orders"),
    ],
    columns=["name", "kind", "of"],
)


def customers(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"orders": np.full(n, 4), **columns}, index=[f"c{i:04d}" for i in range(n)])


def test_an_amount_is_taken_in_logarithms_around_its_median():
    frame = customers(order_value=[1.0, 10.0, 100.0, 1000.0, 10000.0])
    (s,), left_out = fit_scales(frame, chosen=["order_value"], listed=LISTED)
    assert left_out.empty
    assert s.centre == pytest.approx(np.log(100))
    assert s.spread == pytest.approx(np.log(100) / 1.34898, rel=1e-5)  # the quartiles are 10 and 1,000
    z = scale(frame, [s])["order_value"]
    assert z.iloc[2] == pytest.approx(0, abs=1e-9)
    assert z.iloc[3] == pytest.approx(1.34898 / 2, rel=1e-5)


def test_what_lies_outside_a_kind_is_unknown():
    kinds = {"amount": "order_value", "count": "categories", "number": "nps_mean"}
    values = [5.0, 0.0, -3.0, np.nan, np.inf]
    frame = customers(order_value=values, categories=values, nps_mean=values)
    known = {k: scale(frame, [Scale(c, k, 0.0, 1.0)])[c].notna().tolist() for k, c in kinds.items()}
    assert known == {
        "amount": [True, False, False, False, False],
        "count": [True, True, False, False, False],
        "number": [True, True, True, False, False],
    }


def test_a_share_is_mixed_with_what_all_have():
    # 2 of 4 trials, mixed with 4 trials of which a quarter succeed: 3 of 8
    s = Scale("channel:app", "share", 0.25, 0.5, "orders", base=0.25, weight=4.0)
    frame = customers(**{"channel:app": [0.5, 0.25, 1.2, np.nan]})
    z = scale(frame, [s])["channel:app"].tolist()
    assert z[:2] == [pytest.approx((0.375 - 0.25) / 0.5), pytest.approx(0.0)]
    assert np.isnan(z[2:]).all()


def shares(rng, p, *, n=2000, trials=3):
    return rng.binomial(trials, p, n) / trials


def test_a_share_that_only_chance_makes_differ_is_left_out():
    rng = np.random.default_rng(1)
    frame = customers(discounted_share=shares(rng, 0.3)).assign(orders=3)
    scales, left_out = fit_scales(frame, chosen=["discounted_share"], listed=LISTED)
    assert scales == ()
    assert left_out.to_dict("records") == [
        {"feature": "discounted_share", "reason": "customers differ in it by no more than chance"}
    ]


def test_how_much_customers_differ_is_found_with_chance_taken_out():
    rng = np.random.default_rng(1)
    own = rng.beta(1, 3, 20_000)  # correlation of two orders of one customer: 1 / (1 + 1 + 3); weight 1 + 3
    frame = customers(discounted_share=shares(rng, own, n=20_000)).assign(orders=3)
    (s,), _ = fit_scales(frame, chosen=["discounted_share"], listed=LISTED)
    assert s.base == pytest.approx(0.25, abs=0.01)
    assert s.weight == pytest.approx(4.0, rel=0.1)
    assert s.spread == pytest.approx(own.std(), rel=0.05)


def test_a_family_weighs_as_one_feature():
    rng = np.random.default_rng(2)
    app = rng.random(3000) < 0.5
    frame = customers(**{"channel:app": app * 1.0, "channel:web": ~app * 1.0})
    scales, _ = fit_scales(frame, chosen=["channel"], listed=LISTED)
    assert [s.feature for s in scales] == ["channel:app", "channel:web"]
    assert scale(frame, scales).var().sum() == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([3.0] * 10, "the same for all customers"),
        ([np.nan] * 3 + [1.0, 2, 3, 4, 5, 6, 7], "unknown for 30% of the customers"),
        ([np.inf] * 3 + [1.0, 2, 3, 4, 5, 6, 7], "unknown for 30% of the customers"),
        ([-1.0] * 10, "unknown for 100% of the customers"),
        ([], "there are no customers"),
    ],
)
def test_a_feature_that_cannot_serve_is_left_out_with_the_reason(values, reason):
    scales, left_out = fit_scales(customers(order_value=values), chosen=["order_value"], listed=LISTED)
    assert scales == ()
    assert left_out["reason"].tolist() == [reason]


def test_a_feature_that_the_data_lack_is_told():
    _, left_out = fit_scales(customers(order_value=[1.0, 2, 3]), chosen=["order_value", "channel"], listed=LISTED)
    assert left_out.to_dict("records") == [{"feature": "channel", "reason": "the client's data do not hold it"}]


def test_an_unknown_feature_is_refused_by_name():
    from cxkit.errors import UsageError

    with pytest.raises(UsageError, match="no feature 'order_vale'; did you mean 'order_value'"):
        fit_scales(customers(order_value=[1.0, 2, 3]), chosen=["order_vale"], listed=LISTED)


def test_one_with_half_the_revenue_lies_far_off():
    frame = customers(order_value=[*np.linspace(80, 120, 999), 100_000.0])
    scales, _ = fit_scales(frame, chosen=["order_value"], listed=LISTED)
    far = far_off(scale(frame, scales), scales)
    assert far.sum() == 1
    assert far.iloc[-1]


def test_features_that_nearly_say_the_same_are_named_and_families_are_not():
    rng = np.random.default_rng(3)
    x = rng.random(500)
    scaled = pd.DataFrame({"products": x, "categories": x + 0.05 * rng.random(500), "monetary": rng.random(500)})
    scaled["channel:a"], scaled["channel:b"] = x > 0.5, x <= 0.5
    scaled["gap"] = np.where(x < 0.5, x, np.nan)  # known for half, and then the same as products
    pairs = alike(scaled, columns=scaled.columns)
    assert pairs.loc[0, ["one", "other"]].tolist() == ["products", "gap"]
    assert pairs.loc[0, "n"] == (x < 0.5).sum()
    assert alike_in_words(pairs).startswith(
        "These rank the customers nearly alike and count one thing twice: products and gap (rank correlation 1.00, n = "
    )
    pairs = alike(scaled, columns=["products", "monetary"])
    assert (
        alike_in_words(pairs)
        == "No two of these habits rank the customers nearly alike (rank correlation 0.8 or more)."
    )
    pairs = alike(scaled, columns=scaled.columns.drop("gap"))
    assert pairs[["one", "other"]].to_numpy().tolist()[0] == ["products", "categories"]
    assert not ((pairs["one"] == "channel:a") & (pairs["other"] == "channel:b")).any()
    assert "monetary" not in set(pairs["one"]) | set(pairs["other"])


@given(st.permutations(range(40)), st.sampled_from([0.01, 100.0, 3.7]))
def test_neither_the_order_of_rows_nor_the_currency_moves_anybody(order, rate):
    rng = np.random.default_rng(4)
    frame = customers(order_value=rng.lognormal(3, 1, 40), **{"channel:app": rng.integers(0, 5, 40) / 4})
    other = frame.iloc[list(order)].assign(order_value=lambda f: f["order_value"] * rate)
    one, _ = fit_scales(frame, chosen=["order_value", "channel"], listed=LISTED)
    two, _ = fit_scales(other, chosen=["order_value", "channel"], listed=LISTED)
    pd.testing.assert_frame_equal(scale(frame, one), scale(other, two).loc[frame.index], atol=1e-6)
