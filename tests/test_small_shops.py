"""Shops too small to tell anything: every number is unknown or exact, every picture is still drawn, nothing crashes."""

import warnings
from datetime import date

import pytest
from hand_orders import orders

from cxkit import cohorts, concentration, lift, loyalty, quality, retention, rhythm, segment_change, segments, tiers

SHOPS = {
    "no orders": [],
    "one order": [("1", "anna", "2026-06-01", 10.0)],
    "one customer": [(str(i), "anna", f"2026-0{i}-15", 10.0) for i in range(1, 7)],
    "nobody named": [(str(i), None, f"2026-0{i}-15", 10.0) for i in range(1, 7)],
    "all equal, one day": [(str(i), f"c{i}", "2026-05-15", 10.0) for i in range(60)],
    "hostile names": [(f"{n}", n, "2026-05-15", 5.0) for n in ("<script>alert(1)</script>", "=1+1", "$x$", "{value}")],
    "before the first order": [("1", "anna", "2027-01-01", 10.0)],
    "more given back than paid": [(str(i), f"c{i}", "2026-05-15", 10.0) for i in range(40)],
}


@pytest.mark.parametrize("name", SHOPS)
def test_every_area_bears_it(name, tmp_path):
    lines = SHOPS[name]
    refund = 25.0 if name == "more given back than paid" else 0.0
    shop = orders(lines, refund=refund, quantity=1.0, category="x")
    as_of = date(2026, 6, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        coverage = quality.monthly_coverage(shop, as_of=as_of)
        daily = rhythm.daily_orders(shop, as_of=as_of)
        gaps, odd = rhythm.gaps(daily), rhythm.odd_days(daily)
        customers = segments.rfm(shop, as_of=as_of)
        scored = segments.score_rfm(customers)
        named = segments.name_segments(scored)
        table = segments.segment_table(named)
        split = tiers.tiers(customers)
        grid = segments.score_grid(scored)
        change = segment_change.segment_sizes_then_and_now(named, named)
        kept = tiers.great_kept(*tiers.tier_moves(customers, customers))
        known = customers.rename(columns={"frequency": "orders"}).assign(order_value=10.0, median_gap_days=30.0)
        good = tiers.good_customers(known, tiers.tier_of(customers))
        assert len(tiers.standing_table(good)) <= len(tiers.STANDINGS)
        assert len(tiers.promotable(known, tiers.tier_of(customers))) == 0
        rates = loyalty.repeat_rates(loyalty.second_orders(shop, as_of=as_of))
        frame = cohorts.cohorts(shop, as_of=as_of)
        kept_by_cohort, curves = cohorts.retention(frame), retention.tenure_curves(frame)
        revenue = concentration.customer_revenue(shop, as_of=as_of)
        lorenz = concentration.concentration(revenue)
        top = concentration.top_share(revenue)
        lifts = lift.loyal_lift(shop, as_of=as_of, seed=1)
        findings = [
            quality.without_customer_finding(quality.without_customer(shop, as_of=as_of)),
            tiers.great_share_finding(split),
            segments.quiet_share_finding(named),
            tiers.great_kept_finding(kept, days=180),
            segment_change.best_change_finding(segment_change.best_change(named, named), days=180),
            *segment_change.change_findings(change, days=180),
            loyalty.repeat_rate_finding(loyalty.repeat_rate(shop, within_days=30, as_of=as_of), within_days=30),
            concentration.top_share_finding(top),
            concentration.gini_finding(concentration.gini(revenue)),
            *(lift.lift_finding(lifts, measure=measure) for measure in lift.NEEDS),
        ]
        for finding in findings:
            assert "nan" not in finding.sentence().lower()
        for claims in (tiers.claims_checked(customers), lift.claims_checked(lifts)):
            assert claims["reading"].str.len().gt(0).all()
        quality.largest_customers(shop, as_of=as_of)
        owners = quality.revenue_by_owner(shop, as_of=as_of)
        assert owners["orders"].sum() == coverage["orders"].sum()
        words = [
            quality.describe_coverage(coverage),
            rhythm.describe_daily(daily, odd, gaps),
            segments.describe_grid(grid),
            segments.describe_segments(table),
            tiers.describe_tiers(split),
            segment_change.describe_segment_change(change, days=180),
            loyalty.describe_repeat_rates(rates),
            cohorts.describe_retention(kept_by_cohort),
            retention.describe_tenure(curves),
            lift.describe_lift(lifts),
        ]
        assert all(text.endswith(".") and "nan" not in text for text in words)
    assert not lifts["value"].notna().any()
    assert len(customers) == len(revenue) == grid["customers"].sum()
    for groups in (table, split):
        assert not groups["customers"].between(1, 4).any()
        assert groups["customers"].isna().any() or groups["customers"].sum() == len(customers)
    if name not in ("no orders", "one order", "hostile names"):
        return  # drawing takes most of the time
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = [
            quality.plot_coverage(coverage),
            rhythm.plot_daily(daily, odd, gaps),
            segments.plot_score_grid(grid, currency="UAH"),
            segments.plot_segments(table),
            tiers.plot_tiers(split),
            segment_change.plot_segment_change(change, days=180),
            loyalty.plot_repeat_rates(rates),
            cohorts.plot_retention(kept_by_cohort),
            retention.plot_tenure(curves),
            concentration.plot_concentration(lorenz, top=top, share=0.2),
            lift.plot_lift(lifts),
        ]
        for number, ax in enumerate(drawn):
            ax.figure.savefig(tmp_path / f"{number}.png")
