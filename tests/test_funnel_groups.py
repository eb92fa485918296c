import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.entries import EVERYBODY, NOT_KNOWN
from cxkit.estimates import share_difference, wilson_ends
from cxkit.funnel_groups import compare_groups, describe_groups, groups_sentence, groups_sentences, plot_groups
from cxkit.style import theme

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def no_pictures_left():
    with plt.rc_context(theme()):
        yield
        plt.close("all")


def made(sizes: dict[str, tuple[int, ...]], *, steps=("product", "cart", "order_placed"), deff=1.0) -> pd.DataFrame:
    """A funnel of groups from how many of each reach each step; `deff`: entries for each independent one."""
    rows = []
    for group, counts in sizes.items():
        for k, there in enumerate(counts):
            before = counts[max(k - 1, 0)]
            low, high = wilson_ends(there / deff, before / deff)
            all_low, all_high = wilson_ends(there / deff, counts[0] / deff)
            first = k == 0
            rows.append(
                {
                    "group": group, "step": k + 1, "touchpoint": steps[k], "entered": counts[0], "reached": there,
                    "value": np.nan if first or not before else there / before, "low": np.nan if first else float(low),
                    "high": np.nan if first else float(high), "n": before,
                    "share_of_entered": there / counts[0] if counts[0] else np.nan, "share_low": float(all_low),
                    "share_high": float(all_high), "dropped": before - there, "too_young": 0,
                    "effective": before / deff, "effective_entered": counts[0] / deff, "level": 0.95,
                    "method": "Wilson", "order": "loose", "ties": "together", "again": False, "window_hours": 24.0,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


THREE = {"a": (400, 200, 100), "b": (400, 200, 100), "c": (400, 100, 40)}


def test_differences_by_hand():
    rows = compare_groups(made(THREE)).set_index("group")
    assert list(rows.index) == ["c", "a", "b"]
    assert rows.loc["c", ["reached", "of", "n"]].to_list() == [40, 400, 1200]
    assert rows.loc["c", "share"] == 0.1
    assert rows.loc["c", "others_share"] == 0.25
    assert rows.loc["c", "value"] == pytest.approx(-15)
    assert (rows.loc["c", "origin"], rows.loc["c", "touchpoint"]) == ("product", "order_placed")
    # Holm: c has by far the smallest p and gets 1 - 0.05 / 3
    assert rows.loc["c", "level"] == pytest.approx(1 - 0.05 / 3)
    gap = share_difference(40, 400, 200, 800, level=1 - 0.05 / 3)
    assert (rows.loc["c", "low"], rows.loc["c", "high"]) == pytest.approx((gap.low, gap.high))
    assert rows["reading"].to_list() == ["fewer", "more", "more"]
    assert set(rows["family"]) == {3}


def test_each_step_is_judged_by_itself():
    rows = compare_groups(made(THREE), each_step=True)
    assert len(rows) == 6
    assert set(rows["family"]) == {6}
    cart = rows[rows["touchpoint"] == "cart"].set_index("group")
    assert (cart.loc["c", "share"], cart.loc["c", "origin"]) == (0.25, "product")
    order = rows[rows["touchpoint"] == "order_placed"].set_index("group")
    assert order.loc["c", ["reached", "of", "share"]].to_list() == [40, 100, 0.4]
    assert order.loc["c", "origin"] == "cart"


def test_of_two_groups_there_is_one_difference():
    rows = compare_groups(made({"new": (300, 90, 30), "returning": (200, 90, 60)})).set_index("group")
    assert set(rows["family"]) == {1}
    assert rows.loc["new", "value"] == pytest.approx(-20)
    assert rows.loc["new", "value"] == -rows.loc["returning", "value"]
    assert rows.loc["new", "low"] == pytest.approx(-rows.loc["returning", "high"])
    assert set(rows["level"]) == {0.95}
    twice = compare_groups(made({"new": (300, 90, 30), "returning": (200, 90, 60)}), each_step=True)
    assert set(twice["family"]) == {2}


def test_who_is_not_known_is_no_group_and_one_group_is_no_comparison():
    rows = compare_groups(made(THREE | {NOT_KNOWN: (9000, 10, 1)}))
    pd.testing.assert_frame_equal(rows, compare_groups(made(THREE)))
    for sizes in ({EVERYBODY: (10, 5, 2)}, {"a": (10, 5, 2), NOT_KNOWN: (10, 5, 2)}):
        none = compare_groups(made(sizes))
        assert none.empty
        assert "reading" in none.columns
        assert groups_sentence(none) == "There are no two groups to compare."


def test_a_group_of_nobody_is_not_known_and_no_member():
    rows = compare_groups(made({"a": (100, 50, 20), "b": (100, 50, 20), "c": (0, 0, 0)})).set_index("group")
    assert rows.loc["c", "reading"] == "not known"
    assert set(rows["family"]) == {2}
    assert set(rows.loc[["a", "b"], "reading"]) == {"no difference told apart"}


def test_clusters_widen_the_difference():
    single = compare_groups(made(THREE)).set_index("group").loc["c"]
    clustered = compare_groups(made(THREE, deff=4.0)).set_index("group").loc["c"]
    assert clustered["value"] == pytest.approx(single["value"])
    assert clustered["high"] - clustered["low"] > 1.8 * (single["high"] - single["low"])


counts = st.tuples(st.integers(1, 300), st.integers(0, 300)).map(lambda t: (t[0], min(t)))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), counts, min_size=3))
def test_the_reading_is_holms_verdict(sizes):
    rows = compare_groups(made(sizes, steps=("product", "cart")))
    p = rows["p"].to_numpy()
    order = np.argsort(p, kind="stable")
    rejected = np.zeros(len(p), dtype=bool)
    for rank, place in enumerate(order):
        if p[place] > 0.05 / (len(p) - rank):
            break
        rejected[place] = True
    near = np.isclose(p[:, None], 0.05 / np.arange(1, len(p) + 1), rtol=1e-6).any(axis=1)
    said = rows["reading"].isin(["more", "fewer"]).to_numpy()
    assert (said == rejected)[~near].all()
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    shuffled = compare_groups(made(dict(reversed(sizes.items())), steps=("product", "cart")))
    pd.testing.assert_frame_equal(rows, shuffled)


def test_no_group_stands_out_where_all_are_alike():
    """Five groups alike, 150 times: in at most 5 of 100 is any told apart."""
    rng, called = np.random.default_rng(7), 0
    for _ in range(150):
        sizes = {g: (n, int(rng.binomial(n, 0.3))) for g, n in zip("abcde", (80, 120, 200, 400, 900), strict=True)}
        called += compare_groups(made(sizes, steps=("product", "cart")))["reading"].isin(["more", "fewer"]).any()
    assert called / 150 <= 0.07


def test_the_sentence():
    said = groups_sentence(compare_groups(made(THREE)))
    assert said.startswith(
        "Told apart from all others, all together at 95 %: c from product to order placed: 10 % against 25 % "
        "(15 percentage points fewer, 9.6–19.9); a from product"
    )
    alike = compare_groups(made({"a": (100, 50, 20), "b": (100, 50, 21)}))
    assert groups_sentence(alike) == "No group can be told apart from the others: every difference could be chance."


def test_the_picture_shows_six_groups_and_tells_the_rest():
    sizes = {f"group_{i}": (100 - i, 50, 20) for i in range(9)}
    ax = plot_groups(made(sizes))
    names = [t.get_text() for t in ax.get_legend().get_texts()]
    assert names[0] == "group 0 (100)"
    assert len(names) == 6
    assert "3 smaller groups are not drawn" in ax.get_xlabel()
    assert len(ax.get_yticks()) == 3  # two steps and the whole way
    assert len(plot_groups(made({"a": (9, 3), "b": (8, 3)}, steps=("p", "c"))).get_yticks()) == 1
    said = describe_groups(made(THREE))
    assert said.endswith("All the way: a 25 %, b 25 %, c 10 %.")


def test_nobody():
    empty = made({EVERYBODY: (0, 0, 0)})
    assert "nobody entered yet" in {t.get_text() for t in plot_groups(empty).texts}
    assert describe_groups(empty).startswith("No points")


def test_inputs_are_not_changed():
    rows = made(THREE)
    before = rows.copy(deep=True)
    compare_groups(rows), plot_groups(rows), describe_groups(rows)
    pd.testing.assert_frame_equal(rows, before)


def test_sentences_say_what_they_compare():
    alike = compare_groups(made({"web": (100, 50, 20), "app": (100, 50, 20)}))
    told = groups_sentences({"channel": alike, "segment": alike[:0]})
    assert told == [
        "By channel: no group can be told apart from the others: every difference could be chance.",
        "By segment: there are no two groups to compare.",
    ]
