"""What changed since a day: planted improvements are found, and nothing where nothing changed."""

from datetime import date

import hand_answers
import numpy as np
import pandas as pd
import pytest
from study import load_study

from cxkit import since
from cxkit.errors import UsageError

THEN, AS_OF = date(2026, 3, 31), date(2026, 6, 30)
PLANTED = {("goes_on", "payment_page"), ("late", "courier"), ("contacts", "delivery_delay")}


@pytest.fixture(scope="module")
def study():
    """The study's functions: clients drawn in memory."""
    return load_study("voice_power")


def changed(study, scenario, seed):
    tables = study.client(study.draw(study.scenario_plan(scenario), seed=seed))
    return since.since(tables, then=THEN, as_of=AS_OF, zone=study.ZONE, scales=study.SCALES)


@pytest.fixture(scope="module")
def improved(study):
    return {seed: changed(study, "improved", seed) for seed in (1, 2, 3)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_improvement_is_found_and_nothing_is_called_worse(improved, seed):
    frame = improved[seed]
    better = frame[frame["verdict"] == "better"]
    assert set(zip(better["measure"], better["name"], strict=True)) >= PLANTED
    assert not (frame["verdict"] == "worse").any()
    strange = set(better["name"]) - {"payment_page", "courier", "delivery_delay", "all"}
    assert not strange


def test_where_nothing_changed_nothing_is_called_changed(study):
    for seed in (1, 2, 3):
        frame = changed(study, "null", seed)
        assert set(frame["verdict"]) == {"too early to say"}
        assert frame["low"].notna().sum() > 40


def test_each_figure_is_the_plain_one(study, improved):
    """The share of late courier orders by the day of the promise, against pandas."""
    made = study.draw(study.scenario_plan("improved"), seed=1)
    placed = made["placed"][made["placed"]["delivery"].astype(str) == "courier"]
    lines = made["lines"][made["lines"]["status"].astype(str) != "cancelled"]
    placed = placed[placed.index.isin(lines["order_row"])]
    promised, came = (placed[name].dt.normalize() for name in ("promised", "delivered"))
    inside = (promised > "2026-03-31") & (promised <= "2026-06-30")
    late = (came > promised) & inside
    row = improved[1].set_index(["measure", "name"]).loc[("late", "courier")]
    assert row["n_now"] == pytest.approx(inside.sum(), abs=3)
    assert row["now"] == pytest.approx(late.sum() / inside.sum(), abs=0.01)
    assert row["difference"] == pytest.approx(100 * (row["now"] - row["then"]))
    assert row["low"] < row["difference"] < row["high"] < 0


def test_rows_say_what_they_speak_to_and_small_ones_tell_no_number(improved):
    frame = improved[1].set_index(["measure", "name"])
    assert frame.loc[("goes_on", "payment_page"), "speaks_to"] == "journey.touchpoint.payment_page"
    assert frame.loc[("contacts", "delivery_delay"), "speaks_to"] == "service.growing.delivery_delay"
    assert frame.loc[("late", "courier"), "speaks_to"] == "service.late.courier"
    assert frame.loc[("late", "all"), "speaks_to"] == "service.late_share"
    few = frame[frame["why"].str.startswith("fewer than 30")]
    assert len(few)
    assert few[["then", "now", "difference", "n_now", "units_then"]].isna().all().all()
    assert (frame.loc[frame["low"].notna(), ["units_then", "units_now"]].min().min()) >= 30
    assert list(improved[1]["verdict"].unique()) == ["better", "too early to say"], "what is certain stands first"


def test_a_customer_in_both_windows_has_the_covariance_in_the_error():
    """Whoever always scores alike says nothing of a change: the same hundred people, asked twice."""
    rng = np.random.default_rng(3)
    own = rng.integers(1, 6, 100)
    days = {"2025-12-31": 0, "2026-02-01": 0, "2026-05-01": 1, "2026-06-30": 1}
    rows = [{"metric": "csat", "score": float(s), "answered_on": day, "touchpoint": "cart"} | who
            for i, s in enumerate(own) for day in days for who in [{"customer_id": f"c{i}"}]]  # fmt: skip
    span = {"then": THEN, "as_of": AS_OF, "zone": "UTC", "scales": hand_answers.SCALES}
    frame = since.since({"surveys": hand_answers.surveys(rows)}, **span).set_index(["measure", "name"])
    same = frame.loc[("csat", "all")]
    assert (same["difference"], same["verdict"]) == (0, "too early to say")
    loose = [r | {"customer_id": f"{r['customer_id']} {r['answered_on']}"} for r in rows]
    frame = since.since({"surveys": hand_answers.surveys(loose)}, **span).set_index(["measure", "name"])
    assert frame.loc[("csat", "all"), "high"] > 0.2, "two hundred people on either side are not alike for certain"
    assert same["high"] < 0.2 * frame.loc[("csat", "all"), "high"]


def test_words_tables_and_the_picture(improved):
    frame = improved[1]
    words = since.in_words(frame)
    assert words[0].endswith("figures were judged together.")
    assert "Visits that go on from “payment page”: 63 % before, 85 % since" in words[1]
    table = since.shown(frame)
    assert list(table.columns) == ["Figure", "Before", "Since", "Difference", "Verdict"]
    assert table.loc[0, "Difference"].startswith("+22")
    ax = since.plot_since(frame)
    labels = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    assert "Visits that go on from “payment page”" in labels
    assert len(labels) == since.MOST_SHOWN
    assert since.describe_since(frame).startswith("Dots with intervals around no change")
    assert since.period_in_words(then=THEN, as_of=AS_OF) == (
        "The 91 days since the earlier audit (2026-04-01 to 2026-06-30) against the 91 days before its last day "
        "(2025-12-31 to 2026-03-31), both from today's data."
    )


def test_without_tables_everything_is_named_and_nothing_told():
    frame = since.since({}, then=THEN, as_of=AS_OF, zone="UTC", scales={})
    assert set(frame["verdict"]) == {"not compared"}
    assert set(frame["measure"]) == set(since.MEASURES)
    assert since.in_words(frame) == [
        "Nothing can be compared yet: too few customers and visits on a side, or too short a time."
    ]
    assert since.plot_since(frame).axison is False
    assert len(since.shown(frame)) == len(frame)
    with pytest.raises(UsageError, match="must lie before"):
        since.since({}, then=AS_OF, as_of=AS_OF, zone="UTC", scales={})


def test_the_order_of_rows_changes_nothing(study):
    made = study.client(study.draw(study.scenario_plan("improved"), seed=1))
    made = {name: made[name] for name in ("surveys", "searches")}
    turned = {name: table.order_by([table[c].desc() for c in table.columns[:2]]) for name, table in made.items()}
    span = {"then": THEN, "as_of": AS_OF, "zone": study.ZONE, "scales": study.SCALES}
    one, other = (since.since(tables, **span) for tables in (made, turned))
    pd.testing.assert_frame_equal(one, other)
