"""Where does something happen more often: by hand, by customer, as one family, and where nothing can be said."""

import hand_service as hand
import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.estimates import wilson
from cxkit.pareto import OTHERS
from cxkit.shares_apart import (
    ALIKE,
    FEW,
    LESS,
    MORE,
    SHARES,
    apart_in_words,
    certain,
    describe_apart,
    plot_apart,
    share_of,
    shares_apart,
    surely_more,
)
from cxkit.style import no_places

WORDS = {"channel": "channel", "delivery": "way of delivery"}


def rows(cells: list[tuple], *, each: int = 1) -> ibis.Table:
    """(channel, delivery, rows, of them late) -> a table, `each` rows a customer."""
    made = [
        {"channel": channel, "delivery": delivery, "late": i < late}
        for channel, delivery, count, late in cells
        for i in range(count)
    ]
    frame = pd.DataFrame(made, columns=["channel", "delivery", "late"])
    frame["customer_id"] = [f"c{i // each}" for i in range(len(frame))]
    return ibis.memtable(
        frame, schema=dict.fromkeys(("channel", "delivery", "customer_id"), "string") | {"late": "boolean"}
    )


def test_two_channels_by_hand():
    frame = shares_apart(rows([("web", "a", 200, 60), ("app", "a", 100, 10)]), part="late", aspects=WORDS)
    web, app = frame[frame["aspect"] == "channel"].itertuples(index=False)
    assert (web.name, web.count, web.value, web.others, web.n, web.customers) == ("web", 60, 0.3, 0.1, 200, 200)
    assert web.difference == pytest.approx(20.0)
    assert app.difference == pytest.approx(-20.0)
    assert (web.verdict, app.verdict) == (MORE, LESS)
    whole = wilson(60, 200)
    assert (web.low, web.high) == pytest.approx((whole.low, whole.high), abs=0.002)
    alone = frame[frame["aspect"] == "way of delivery"].iloc[0]  # beside nobody
    assert alone["verdict"] == FEW
    assert np.isnan(alone["others"])


def test_what_is_more_for_certain_is_what_findings_are_made_of():
    frame = shares_apart(rows([("W{e}b", "a", 200, 60), ("app", "a", 100, 10)]), part="late", aspects=WORDS)
    (web,) = surely_more(frame, aspect="channel").itertuples(index=False)
    assert (web.name, web.key, web.value, web.others, web.family) == ("W{e}b", "w{e}b", 0.3, 0.1, 2)
    assert (web.estimate.value, web.estimate.n, web.estimate.unit) == (pytest.approx(20.0), 200, "points")
    assert web.estimate.level == pytest.approx(0.975)  # of two judged together
    assert no_places(web.name).format() == "W{e}b"
    assert len(surely_more(pd.concat([frame, frame.assign(name="W{E}B")]), aspect="channel")) == 1  # one id a name
    assert not len(surely_more(frame.assign(name=OTHERS), aspect="channel"))
    assert not len(surely_more(frame, aspect="way of delivery"))


def test_many_rows_of_one_customer_count_once():
    cells = [("web", "a", 400, 120), ("app", "a", 400, 80)]
    one, ten = (shares_apart(rows(cells, each=each), part="late", aspects={"channel": "channel"}) for each in (1, 10))
    assert one["verdict"].tolist() == [MORE, LESS]
    assert ten["value"].tolist() == one["value"].tolist()
    assert ten["verdict"].tolist() == [ALIKE, ALIKE]
    assert (ten["high"] - ten["low"] > 2 * (one["high"] - one["low"])).all()


def test_all_aspects_are_one_family():
    cells = [("web", "a", 150, 36), ("web", "b", 150, 36), ("app", "a", 150, 20), ("app", "b", 150, 20)]
    alone = shares_apart(rows(cells), part="late", aspects={"channel": "channel"})
    both = shares_apart(rows(cells), part="late", aspects=WORDS)
    assert (both.loc[both["aspect"] == "channel", "level"].to_numpy() > alone["level"].to_numpy()).all()
    halved = shares_apart(rows(cells), part="late", aspects={"channel": "channel"}, families=2)
    assert halved["level"].max() == pytest.approx((1 + alone["level"].max()) / 2)
    assert halved["low"].tolist() == alone["low"].tolist()  # of the share itself
    assert both["aspect"].drop_duplicates().tolist() == ["channel", "way of delivery"]


def test_few_are_not_judged_and_fewer_than_five_are_not_shown():
    frame = shares_apart(rows([("web", "a", 100, 30), ("app", "a", 20, 20), ("fax", "a", 3, 3)]), part="late",
                         aspects={"channel": "channel"})  # fmt: skip
    assert set(frame["verdict"]) == {FEW}
    assert frame["name"].tolist()[-1] == "web" or "fax" not in set(frame["name"])
    assert "fax" not in set(frame["name"])
    words = apart_in_words(frame, what="lateness")
    assert words == [
        "Where lateness is more common is too early to say: fewer than 30 customers to compare, or it is "
        "the same with all."
    ]


def test_what_is_null_is_no_row():
    table = rows([("web", "a", 100, 30), ("app", "a", 100, 30)])
    half = table.mutate(late=(table.channel == "app").ifelse(ibis.null("boolean"), table.late))
    assert share_of(half, part="late").value == 0.3
    assert share_of(half, part="late").n == 100


def test_share_of_all_by_hand():
    found = share_of(rows([("web", "a", 50, 10)]), part="late")
    by_hand = wilson(10, 50)
    assert found.value == 0.2
    assert (found.low, found.high) == pytest.approx((by_hand.low, by_hand.high), abs=0.002)
    none = share_of(rows([("web", "a", 50, 0)]), part="late")
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(wilson(0, 50).high)
    assert not share_of(rows([]), part="late").known


def test_nothing_gives_nothing():
    empty = shares_apart(rows([]), part="late", aspects=WORDS)
    lacking = shares_apart(rows([("web", "a", 9, 3)]), part="late", aspects={"payment": "payment"})
    for frame in (empty, lacking):
        assert list(frame.columns) == list(SHARES)
        assert not len(frame)
        assert "too early to say" in apart_in_words(frame, what="lateness")[0]
        assert "nothing known" in describe_apart(frame, what="lateness")
        assert "nothing to show yet" in [t.get_text() for t in plot_apart(frame, title="t", label="l").texts]


def test_words_and_picture():
    table = rows([("web", "a", 200, 60), ("app", "a", 200, 10), ("$shop$\n", "a", 200, 30)])
    frame = shares_apart(table, part="late", aspects=WORDS)
    texts = apart_in_words(frame, what="lateness")
    assert texts[0].startswith("More often for certain (3 comparisons together): web (channel) 30 % (")
    assert texts[1].startswith("Less often for certain (3 comparisons together): app (channel) 5.0 % (")
    assert apart_in_words(frame, what="lateness", tell=(LESS,)) == texts[1:]
    assert certain(frame, verdict=MORE, most=1).endswith("elsewhere 10 %")
    ax = plot_apart(frame, title="t", label="l")
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["web  30 %", r"\$shop\$  15 %", "app  5.0 %", "a  17 %"]
    alike = shares_apart(rows([("web", "a", 90, 9), ("app", "a", 90, 9)]), part="late", aspects=WORDS)
    assert apart_in_words(alike, what="lateness") == [
        "Nowhere is lateness told apart from elsewhere, of 2 comparisons together."
    ]


@settings(deadline=None, max_examples=3)
@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), st.booleans(), st.integers(0, 40)), min_size=1))
def test_counts_add_up_and_the_order_of_rows_says_nothing(made):
    frame = pd.DataFrame(made, columns=["channel", "late", "who"])
    frame["customer_id"] = "c" + frame.pop("who").astype(str)
    types = {"channel": "string", "late": "boolean", "customer_id": "string"}

    def told(rows):
        return shares_apart(ibis.memtable(rows[list(types)], schema=types), part="late", aspects={"channel": "c"})

    found = told(frame)
    shown = found[found["n"].notna()]
    if len(shown) == len(found):
        assert shown["count"].sum() == frame["late"].sum()
        assert shown["n"].sum() == len(frame)
    assert (shown["low"] <= shown["value"]).all()
    assert (shown["value"] <= shown["high"]).all()
    pd.testing.assert_frame_equal(found, told(frame[::-1].reset_index(drop=True)))


def test_hand_orders_are_read():
    table = hand.orders(hand.steady(1).assign(channel="web"))
    assert share_of(table.mutate(late=table.amount > 0), part="late").value == 1.0
