from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import regulars
from cxkit.errors import UsageError

DAY = date(2026, 6, 30)


def bought(customer, *days, amount=10.0):
    return [(f"{customer}{i}", customer, day, amount) for i, day in enumerate(days)]


LINES = [
    *bought("anna", "2026-01-05", "2026-02-05", "2026-03-05"),  # loyal from March; gone from the 90 days in May
    *bought("bohdan", "2026-01-01", "2026-01-01", "2026-01-31"),  # two days only: never
    *bought("celina", "2026-04-02", "2026-05-01", "2026-06-29"),  # loyal at the end of June
    ("g1", None, "2026-06-30", 10.0),
]


def test_loyal_by_month_by_hand():
    frame = regulars.loyal_by_month(orders(LINES), as_of=DAY, loyal_orders=3, active_days=90)
    assert frame["month_end"].dt.strftime("%m-%d").to_list() == ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30"]
    assert frame["loyal"].to_list() == [0, 0, 1, 0, 0, 1]  # 5 January is 86 days before 31 March, 116 before 30 April
    assert frame["joined"].to_list() == [0, 0, 1, 0, 0, 1]
    assert frame["left"].to_list() == [0, 0, 0, 1, 0, 0]
    assert frame["joined_since"].to_list() == [1, 1, 1, 1, 1, 0]
    assert frame["left_since"].to_list() == [0, 0, 1, 0, 0, 0]
    assert frame["observable"].to_list() == [False, False, True, True, True, True]  # the data begin on 1 January


def test_a_month_that_is_not_over_does_not_count():
    frame = regulars.loyal_by_month(orders(LINES), as_of=date(2026, 6, 29), active_days=90)
    assert frame["month_end"].iloc[-1] == pd.Timestamp("2026-05-31")
    young = regulars.loyal_by_month(orders(bought("anna", "2026-06-05")), as_of=date(2026, 6, 20))
    assert young.empty
    assert regulars.loyal_in_words(young, loyal_orders=3, active_days=365)[0].endswith("is over yet).")
    assert not regulars.loyal_change(young).known


def test_against_a_plain_reading():
    frame = random_orders(np.random.default_rng(3), 300)
    found = regulars.loyal_by_month(table(frame), as_of=date(2026, 1, 31), loyal_orders=2, active_days=200)
    days = frame[["customer_id", "ordered_on"]].drop_duplicates()
    for row in found.itertuples():
        inside = days[
            (days["ordered_on"] <= row.month_end) & (days["ordered_on"] > row.month_end - pd.Timedelta(days=200))
        ]
        assert row.loyal == (inside.groupby("customer_id").size() >= 2).sum()
    moved = found["loyal"].diff().iloc[1:]
    assert (moved == (found["joined"] - found["left"]).iloc[1:]).all()
    assert (found["loyal"] + found["joined_since"] - found["left_since"] == found["loyal"].iloc[-1]).all()


def changed(joined, left, *, observable=True):
    """A shop of 1,000 buyers at both dates."""
    first = {
        "month_end": pd.Timestamp("2025-12-31"),
        "loyal": 100,
        "joined": 0,
        "left": 0,
        "observable": observable,
        "long_seen": True,
    }
    last = {**first, "month_end": pd.Timestamp("2026-01-31"), "loyal": 100 + joined - left, "observable": True}
    same = {"buyers": 1000, "both": 1000, "loyal_both": 100, "both_loyal": 100 + joined - left}
    return pd.DataFrame(
        [
            first | same | {"joined_since": joined, "left_since": left},
            last | same | {"joined_since": 0, "left_since": 0},
        ]
    )


@pytest.mark.parametrize(
    ("joined", "left", "word"), [(60, 20, "growing"), (20, 60, "falling"), (20, 22, "too early to say")]
)
def test_the_change_and_its_verdict(joined, left, word):
    frame = changed(joined, left)
    change = regulars.loyal_change(frame, months=1)
    assert change.value == joined - left
    assert change.high - change.value == pytest.approx(1.959964 * np.sqrt(joined + left))
    # the same 1,000 at both dates: the difference of each one's two answers, nought, one more or one less
    moved = regulars.loyal_share_change(frame, months=1)
    each = np.repeat([1.0, -1.0, 0.0], [joined, left, 1000 - joined - left])
    assert moved.value == pytest.approx(100 * each.mean())
    assert moved.high - moved.value == pytest.approx(100 * 1.959964 * each.std(ddof=1) / np.sqrt(1000))
    assert (moved.unit, moved.n) == ("points", 1000)
    assert regulars.verdict(moved) == word
    assert f"{word}." in regulars.loyal_in_words(frame, loyal_orders=3, active_days=365, months=1)[-1]
    finding = regulars.loyal_change_finding(frame, loyal_orders=3, active_days=365, months=1)
    assert finding.sentence().startswith(
        f"{(100 + joined - left) / 10:.1f} % of those who bought in the last 365 days are loyal (they bought on at "
        "least 3 of these days); 1 month before it was 10.0 %: a change of "
    )
    assert finding.sentence().endswith(f"). That is from 100 to {100 + joined - left} loyal customers.")


def test_a_shop_that_only_grows_is_no_strength():
    """Twice as many buyers, twice as many loyal: for certain more of them, and no larger share."""
    lines = [("0", None, "2023-12-01", 1.0)]
    for name, count, begin in (("old", 300, "2025-01-10"), ("new", 300, "2026-01-10")):
        for i in range(count):
            days = pd.date_range(begin, DAY, freq="60D") if i % 3 == 0 else [pd.Timestamp(begin)]
            days = days if name == "new" or i % 3 == 0 else [*days, pd.Timestamp("2026-01-05")]
            lines += bought(f"{name}{i}", *(f"{day:%Y-%m-%d}" for day in days))
    frame = regulars.loyal_by_month(orders(lines), as_of=DAY)
    assert frame["loyal"].iloc[[-7, -1]].to_list() == [100, 200]
    assert frame["buyers"].iloc[[-7, -1]].to_list() == [300, 600]
    assert regulars.verdict(regulars.loyal_change(frame)) == "growing"
    finding = regulars.loyal_change_finding(frame, loyal_orders=3, active_days=365)
    assert finding.estimate.value == 0
    assert finding.quadrant() == "too early to say"
    assert "6 months before it was 33.3 %: a change of 0 percentage points" in finding.sentence()


def test_the_error_of_the_share_is_that_of_each_customers_part():
    frame = random_orders(np.random.default_rng(8), 300)
    last = frame["ordered_on"].max() + pd.offsets.MonthEnd(0)
    table_of = regulars.loyal_by_month(table(frame), as_of=last.date(), loyal_orders=2, active_days=150)
    moved = regulars.loyal_share_change(table_of, months=3)
    days, parts = frame[["customer_id", "ordered_on"]].drop_duplicates(), {}
    for place in (-1, -4):
        end = table_of["month_end"].iloc[place]
        inside = days[(days["ordered_on"] <= end) & (days["ordered_on"] > end - pd.Timedelta(days=150))]
        counts = inside.groupby("customer_id").size()
        share = (counts >= 2).mean()
        parts[place] = ((counts >= 2) - share) / len(counts), share, len(counts)
    both = parts[-1][0].sub(parts[-4][0], fill_value=0)
    assert table_of["buyers"].iloc[-1] == parts[-1][2]
    assert moved.value == pytest.approx(100 * (parts[-1][1] - parts[-4][1]))
    error = np.sqrt(len(both) / (len(both) - 1) * np.square(both).sum())
    assert moved.high - moved.value == pytest.approx(100 * 1.959964 * error)
    assert moved.n == len(both)


def test_too_early_to_say():
    assert "far enough back" in regulars.loyal_change(changed(9, 9, observable=False), months=1).method
    assert "far enough back" in regulars.loyal_change(changed(9, 9), months=2).method
    assert regulars.loyal_change(changed(2, 2), months=1).method == "fewer than 5 customers came and left"
    finding = regulars.loyal_change_finding(changed(2, 2), loyal_orders=3, active_days=365, months=1)
    assert finding.sentence() == (
        "Change over 1 months in the share of buyers who are loyal: too early to say (n = 102; fewer than 5 customers "
        "came and left)."
    )


def test_settings_are_checked():
    with pytest.raises(UsageError, match="loyal_orders must be at least 2; found 1"):
        regulars.loyal_by_month(orders(LINES), as_of=DAY, loyal_orders=1)
    with pytest.raises(UsageError, match="active_days must be at least 1; found 0"):
        regulars.loyal_by_month(orders(LINES), as_of=DAY, active_days=0)
    with pytest.raises(UsageError, match="months must be at least 1; found 0"):
        regulars.loyal_change(changed(1, 1), months=0)


def regular_shop():
    lines, goods = [], []
    for i in range(6):  # six regulars: two days in January, then an order in March of 100, 200, …
        lines += [*bought(f"r{i}", "2026-01-02", "2026-01-20"), (f"m{i}", f"r{i}", "2026-03-10", 100.0 * (i + 1))]
        goods += [1.0, 1.0, float(i % 2 + 1)]
    lines += bought("new", "2026-03-01", "2026-03-02", "2026-03-03", amount=9999.0)  # no regular before March
    return orders(lines, quantity=[*goods, 9.0, 9.0, 9.0])


def test_regular_orders_by_hand():
    frame = regulars.regular_orders(regular_shop(), as_of=date(2026, 3, 31), loyal_orders=2)
    march = frame[frame["month"] == "2026-03-01"].set_index("measure")
    assert march.loc["order value", "value"] == pytest.approx(350.0)
    assert march.loc["goods an order", "value"] == pytest.approx(1.5)
    assert (march["n"] == 6).all()
    assert (march["orders"] == 6).all()
    values = 100.0 * np.arange(1, 7)
    half = 2.570582 * values.std(ddof=1) / np.sqrt(6)  # one order each: Student's t of the mean
    assert march.loc["order value", "high"] == pytest.approx(350 + half, rel=1e-5)
    february = frame[frame["month"] == "2026-02-01"].iloc[0]
    assert february["n"] == 0
    assert np.isnan(february["value"])
    assert february["method"] == "fewer than 5 customers"


def test_everybody_is_asked_over_equally_many_days():
    """Two purchases long ago make nobody loyal now; a month with too short a history before it is told apart."""
    lines = []
    for i in range(6):
        lines += bought(f"old{i}", "2025-01-01", "2025-01-20", "2025-03-10", "2026-03-10", amount=9999.0)
        lines += bought(f"new{i}", "2025-12-02", "2026-01-20", "2026-03-10", amount=50.0)
    shop = orders(lines)
    frame = regulars.regular_orders(shop, as_of=date(2026, 3, 31), loyal_orders=2, active_days=300)
    assert not frame["observable"].iloc[:10].any()
    assert frame["observable"].iloc[10:].all()  # 1 November 2025 is 304 days after the first order
    march = frame[frame["measure"] == "order value"].set_index("month")["value"]
    assert march.loc["2025-03-01"] == 9999.0
    assert march.loc["2026-03-01"] == 50.0
    ax = regulars.plot_regular_orders(frame)
    hollow = [line for line in ax.get_lines() if line.get_label() == "Too short a history before"]
    assert np.isfinite(hollow[0].get_ydata().astype(float)).sum() == 1
    assert regulars.describe_regular_orders(frame) == (
        "Line of loyal customers' order value by month: 50 in 2026-03, 50 in 2026-03; the bars are intervals."
    )


def test_without_quantity_and_without_regulars():
    shop = orders(LINES)
    frame = regulars.regular_orders(shop, as_of=DAY)
    assert set(frame["measure"]) == {"order value"}
    assert frame["value"].isna().all()
    assert regulars.describe_regular_orders(frame).endswith("enough of them with a history long enough.")


def test_pictures_and_their_words():
    import matplotlib

    matplotlib.use("Agg")
    frame = regulars.loyal_by_month(orders(LINES), as_of=DAY, active_days=90)
    ax = regulars.plot_loyal(frame)
    assert ax.get_title(loc="left") or ax.get_title()
    assert regulars.describe_loyal(frame).startswith(
        "Line of loyal customers by month's end: 1 in 2026-03, 1 in 2026-06"
    )
    assert regulars.plot_loyal(frame[:0]).texts[0].get_text() == "no month is over yet"
    assert "too short" in regulars.describe_loyal(frame[:0])
    values = regulars.regular_orders(regular_shop(), as_of=date(2026, 3, 31), loyal_orders=2, active_days=58)
    assert regulars.plot_regular_orders(values).texts[0].get_text() == "350"
    assert "350 UAH in 2026-03" in regulars.describe_regular_orders(values, currency="UAH")
    matplotlib.pyplot.close("all")


def test_a_shop_as_young_as_its_data_is_not_judged():
    lines = [
        line for k in range(40) for line in bought(f"a{k}", "2025-06-05", "2026-02-01", "2026-03-01", "2026-04-01")
    ]
    for begins, judged in (("2024-12-30", None), ("2022-12-30", 0.0)):
        frame = regulars.loyal_by_month(orders([*lines, ("0", None, begins, 1.0)]), as_of=date(2026, 6, 30))
        assert regulars.loyal_change_finding(frame).target == judged
        told = regulars.loyal_in_words(frame)
        assert any("too late to judge" in text for text in told) == (judged is None)
        assert any("growing" in text for text in told) == (judged is not None)
