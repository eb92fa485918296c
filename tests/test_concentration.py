from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import concentration as c


def spent(values):
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(len(values))], "revenue": np.asarray(values, float)})


def test_customer_revenue_takes_refunds_off():
    lines = [("1", "anna", "2026-01-01", 100.0), ("2", "anna", "2026-01-02", 0.0), ("3", None, "2026-01-01", 9.0)]
    frame = c.customer_revenue(orders(lines, refund=[10.0, 25.0, 0.0]), as_of=date(2026, 2, 1))
    assert frame.to_dict("records") == [{"customer_id": "anna", "revenue": 65.0}]


def test_lorenz_by_hand():
    curve = c.concentration(spent([3, 1, 6, 0]))
    assert curve["share_of_customers"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["share_of_revenue"].to_list() == [0, 0, 0.1, 0.4, 1]
    assert c.concentration(spent([])).shape == (1, 2)
    assert c.concentration(spent([0, 0]))["share_of_revenue"].isna().all()


def test_a_long_curve_is_thinned_and_stays_exact():
    curve = c.concentration(spent(np.ones(12_345)))
    assert len(curve) == 201
    np.testing.assert_allclose(curve["share_of_customers"], curve["share_of_revenue"])


def test_gini_by_hand():
    # half spend 1, half spend 3: mean difference 1 among pairs, n / (n - 1) corrected: 0.25 * 40 / 39
    assert c.gini(spent([1, 3] * 20)).value == pytest.approx(0.25 * 40 / 39)
    assert c.gini(spent([7] * 40)).value == pytest.approx(0)
    assert c.gini(spent([0] * 39 + [5])).value == pytest.approx(1)
    assert not c.gini(spent([1] * 29)).known
    assert c.gini(spent([0] * 40)).method == "the total is not above zero"


def test_gini_stays_between_0_and_1():
    steep = c.gini(spent([0.01] * 29 + [1000]))
    assert steep.low <= steep.value <= steep.high == 1
    # who got back more than was paid counts as having spent nothing
    assert c.gini(spent([-500] * 20 + [3] * 20)) == c.gini(spent([0] * 20 + [3] * 20))
    assert c.gini(spent([-5] * 40)).method == "the total is not above zero"


def test_the_variance_of_gini_is_the_jackknifes():
    values = np.random.default_rng(4).lognormal(4, 1, 400)

    def plain(x):
        return np.abs(x[:, None] - x).sum() / (2 * len(x) * (len(x) - 1) * x.mean())

    estimate = c.gini(spent(values))
    assert estimate.value == pytest.approx(plain(values))
    left_out = np.array([plain(np.delete(values, i)) for i in range(400)])
    error = np.sqrt(399 / 400 * np.square(left_out - left_out.mean()).sum())
    assert (estimate.high - estimate.low) / 2 == pytest.approx(1.966 * error, rel=0.04)


def test_gini_covers():
    """Exponential spend has a Gini coefficient of one half."""
    rng = np.random.default_rng(6)
    estimates = [c.gini(spent(rng.exponential(80, 500))) for _ in range(300)]
    assert 0.92 <= np.mean([e.low <= 0.5 <= e.high for e in estimates]) <= 0.98


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1 / 3, 41.5]))
def test_laws_of_concentration(seed, rate):
    values = np.random.default_rng(seed).integers(1, 50_000, 60) / 100
    one, other = spent(values), spent(values[::-1] * rate)
    for measure in (c.gini, c.top_share):
        a, b = measure(one), measure(other)
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-9)
        assert a.low <= a.value <= a.high
    curve = c.concentration(one)
    assert (curve["share_of_revenue"] <= curve["share_of_customers"] + 1e-12).all()
    assert (curve["share_of_revenue"].diff().dropna() >= -1e-12).all()
    assert 1 - np.interp(0.8, *curve.to_numpy().T) == pytest.approx(c.top_share(one).value)
    # everybody once more changes nothing but the correction for n
    assert c.top_share(spent(np.repeat(values, 2))).value == pytest.approx(c.top_share(one).value)


def test_a_million_customers_take_a_moment():
    import time

    values = np.random.default_rng(1).lognormal(4, 1, 1_000_000)
    start = time.perf_counter()
    estimate, top = c.gini(spent(values)), c.top_share(spent(values))
    assert time.perf_counter() - start < 20
    assert estimate.value == pytest.approx(0.5205, abs=0.003)  # 2 Phi(1 / sqrt 2) - 1
    assert top.value == pytest.approx(0.5628, abs=0.003)  # Phi(1 - 0.8416)


def test_findings_and_the_claim():
    top = c.top_share(spent(np.random.default_rng(1).lognormal(4, 1, 2000)))
    finding = c.top_share_finding(top)
    assert finding.id == "loyalty.top_share"
    assert finding.sentence().startswith("The 20 % of customers who spend most bring 5")
    assert finding.quadrant() == "no reference"
    claim = c.claims_checked(top).iloc[0]
    assert (claim["theirs"], claim["reading"]) == ("80 %", "their figure lies above our interval")
    assert "profit" in claim["cannot_show"]
    assert c.gini_finding(c.gini(spent(range(50)))).id == "loyalty.gini"


def test_the_picture_names_its_point(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    revenue = spent(np.repeat([1, 16], [40, 10]))
    ax = c.plot_concentration(c.concentration(revenue), top=c.top_share(revenue, share=0.2), share=0.2)
    assert "the top 20 %\nbring 80 %" in [t.get_text() for t in ax.texts]
    ax.figure.savefig(tmp_path / "lorenz.png")
    few = c.plot_concentration(c.concentration(spent([1, 2])), top=c.top_share(spent([1, 2]), share=0.2), share=0.2)
    assert [t.get_text() for t in few.texts] == ["if all were equal"]
    for axes in (ax, few):
        matplotlib.pyplot.close(axes.figure)
