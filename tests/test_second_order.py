import numpy as np
import pandas as pd
import pytest

from cxkit import second_order
from cxkit.survival import kaplan_meier


def counted(rows):
    frame = pd.DataFrame(rows, columns=["observed_days", "gap_days", "customers"])
    return frame.astype({"observed_days": "int64", "gap_days": "Int64", "customers": "int64"})


HAND = counted([(100, 10, 2), (100, 20, 1), (15, None, 1), (100, None, 1)])


def test_the_curve_by_hand():
    curve = second_order.second_order_curve(HAND)
    assert curve["days"].to_list() == [10, 15, 20, 100]
    assert curve["at_risk"].to_list() == [5, 3, 2, 1]
    assert curve["ordered_again"].to_list() == [2, 0, 1, 0]
    assert curve["out_of_sight"].to_list() == [0, 1, 0, 1]
    # 2 of 5 by day 10; of the 3/5 left, one of the two still seen on day 20
    np.testing.assert_allclose(curve["value"], [2 / 5, 2 / 5, 1 - 3 / 5 / 2, 0.7])
    assert (curve["n"] == 5).all()
    assert ((curve["low"] <= curve["value"]) & (curve["value"] <= curve["high"])).all()


def test_the_leukaemia_trial_as_the_textbooks_print_it():
    """Freireich et al. (1963), Blood 21(6), 699-716, the 21 on 6-MP: remission for a second order."""
    relapsed, seen_until = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    seconds = counted([(40, weeks, 1) for weeks in relapsed] + [(weeks, None, 1) for weeks in seen_until])
    curve = second_order.second_order_curve(seconds).set_index("days")
    printed = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    np.testing.assert_allclose(1 - curve.loc[[6, 7, 10, 13, 16, 22, 23], "value"], printed, atol=5e-5)
    times = second_order.second_order_times(seconds)
    assert times["value"].to_list()[:2] == [13, 23]
    assert times["reading"].to_list() == ["", "too early to say", "too early to say"]


def test_weights_are_customers():
    many = HAND.loc[HAND.index.repeat(HAND["customers"])].assign(customers=1)
    pd.testing.assert_frame_equal(second_order.second_order_curve(many), second_order.second_order_curve(HAND))
    days, came = HAND["gap_days"].fillna(HAND["observed_days"]).to_numpy(float), HAND["gap_days"].notna().to_numpy()
    plain = kaplan_meier(days, came, weights=HAND["customers"].to_numpy())
    np.testing.assert_allclose(plain["survival"], 1 - second_order.second_order_curve(HAND)["value"])


def test_times_in_words():
    everybody = counted([(100, day, 10) for day in range(1, 21)])
    told = second_order.times_in_words(second_order.second_order_times(everybody))
    assert told[0].startswith("After 5 days a quarter of customers have ordered again (")
    assert told[2].startswith("After 15 days three quarters of customers have ordered again (")
    assert all("n = 200" in text for text in told)
    nobody = second_order.times_in_words(second_order.second_order_times(counted([(100, None, 40)])))
    assert nobody[1] == (
        "When half of customers have ordered again: too early to say (it has not happened to 50 % in the time that can "
        "be seen)."
    )
    half = counted([(100, day, 1) for day in range(1, 22)] + [(100, None, 19)])
    (_, text, _) = second_order.times_in_words(second_order.second_order_times(half))
    assert text.startswith("After 20 days half of customers have ordered again (at least ")
    assert "at most cannot be seen yet" in text


def test_pictures_end_where_few_are_left():
    seconds = counted([(400, day, 4) for day in range(1, 101)] + [(250, None, 60), (300, None, 10)])
    curve = second_order.second_order_curve(seconds)
    ax = second_order.plot_second_order(curve)
    line = ax.get_lines()[0]
    assert line.get_xdata()[-1] == 250  # 70 are at risk on day 250, ten on day 300
    # below the axis, at days 0, 90 and 180, how many had not ordered again and could still be seen
    assert [text.get_text() for text in ax.texts] == ["85 %", "470", "114", "70"]
    assert second_order.describe_second_order(curve) == (
        "Rising steps with their band of the share of customers who have ordered again: 26 % by day 30, 77 % by day "
        "90, 85 % by day 180, 85 % by day 250, the last that can be seen."
    )


@pytest.mark.parametrize("rows", [[], [(10, None, 3)], [(0, None, 50)]])
def test_nothing_to_tell(rows):
    seconds = counted(rows)
    curve = second_order.second_order_curve(seconds)
    second_order.plot_second_order(curve).figure.canvas.draw()
    assert second_order.describe_second_order(curve) == (
        "No curve: too few customers can be followed, or none has ordered again yet."
    )
    assert all(
        "too early to say" in text for text in second_order.times_in_words(second_order.second_order_times(seconds))
    )
    by = second_order.second_order_by(seconds.assign(group="web"))
    second_order.plot_second_order_by(by, title="x").figure.canvas.draw()


def test_groups_are_named_at_their_ends_and_small_ones_left_out():
    rows = [(name, 400, day, 2) for name in ("web", "<b>$app$") for day in range(1, 31)]
    rows += [(name, 400, None, 40) for name in ("web", "<b>$app$")] + [("tiny", 400, 5, 4), ("web", 400, None, 40)]
    seconds = pd.DataFrame(rows, columns=["group", "observed_days", "gap_days", "customers"])
    seconds = seconds.astype({"gap_days": "Int64"})
    curves = second_order.second_order_by(seconds)
    assert list(dict.fromkeys(curves["group"])) == ["web", "<b>$app$"]  # the larger first; under five nobody is told
    ax = second_order.plot_second_order_by(curves, title="By channel")
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.texts] == ["43 % web", r"60 % <b>\$app\$"]
    assert ax.get_xlabel() == "Days since the first order (shares: by day 400)"
    assert second_order.describe_second_order_by(curves) == (
        "Rising steps of the share who have ordered again, by group; by day 400: <b>$app$ 60 %, web 43 %."
    )


def test_groups_are_compared_at_a_day_that_all_reach():
    """Two groups alike in every day; one can be followed for longer, and has more by its own end."""
    rows = [(name, end, day, 2) for name, end in (("old", 400), ("new", 100)) for day in range(1, 101, 2)]
    rows += [(name, end, None, 60) for name, end in (("old", 400), ("new", 100))] + [("old", 400, 300, 30)]
    seconds = pd.DataFrame(rows, columns=["group", "observed_days", "gap_days", "customers"])
    curves = second_order.second_order_by(seconds.astype({"gap_days": "Int64"}))
    shares = {name: part.set_index("days")["value"] for name, part in curves.groupby("group")}
    assert second_order.describe_second_order_by(curves).endswith(
        f"by day 100: new {shares['new'].loc[100]:.0%}, old {shares['old'].loc[99]:.0%}.".replace("%", " %")
    )
    texts = [text.get_text() for text in second_order.plot_second_order_by(curves, title="x").texts]
    assert sorted(texts) == sorted(
        [f"{100 * shares['new'].loc[100]:.0f} % new", f"{100 * shares['old'].loc[99]:.0f} % old"]
    )


def test_names_do_not_lie_over_each_other():
    assert second_order._spread([0.5, 0.5, 0.5], gap=0.1, top=1.0) == pytest.approx([0.5, 0.6, 0.7])
    assert second_order._spread([0.9, 0.95, 1.0], gap=0.1, top=1.0) == pytest.approx([0.8, 0.9, 1.0])
    assert second_order._spread([], gap=0.1, top=1.0) == []
