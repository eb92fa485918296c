from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import cluster_moves as moved
from cxkit.cluster_model import Model, score
from cxkit.cluster_moves import GONE, NOT_YET, WITHHELD, carry_names, describe_moves, match, moves, stayed, why_no_match
from cxkit.errors import UsageError
from cxkit.estimates import wilson
from cxkit.privacy import withhold_small
from cxkit.scales import Scale

ONE = (Scale("x", "number", 0.0, 1.0),)


def line(*centres, names=None, scales=ONE, as_of="2026-06-30"):
    """Clusters along one number, or points in as many features as there are scales."""
    rows = tuple(c if isinstance(c, tuple) else (float(c),) for c in centres)
    names = tuple(names) if names else tuple(f"group {i}" for i in range(len(rows)))
    return Model(as_of, 1, 2, 50.0, scales, rows, names, (10,) * len(rows))


def pairs(new, old):
    return [(row.new, row.old) for row in match(new, old).itertuples()]


# --- which cluster is which


def test_match_by_hand():
    new, old = line(10, 0, -10, names="abc"), line(-9, 11.5, 40, names="xyz")
    frame = match(new, old)
    assert frame.to_dict("list") == {
        "new": ["a", "b", "c", None],
        "old": ["y", None, "x", "z"],
        "distance": [1.5, 9.0, 1.0, 30.0],
        "margin": [5.0, 5.0, 5.0, 5.0],
    }


def test_a_cluster_is_itself_whatever_its_place():
    old = line(4, 0, -2, names="abc")
    assert pairs(old, old) == [("a", "a"), ("b", "b"), ("c", "c")]
    assert pairs(line(-2, 4, 0, names="cab"), old) == [("c", "c"), ("a", "a"), ("b", "b")]


def test_what_fell_in_two_or_grew_together_is_no_pair():
    assert pairs(line(1, -1, names="ab"), line(0, names="x")) == [("a", None), ("b", None), (None, "x")]
    assert pairs(line(0, names="a"), line(1, -1, names="xy")) == [("a", None), (None, "x"), (None, "y")]
    # the greater part, which hardly moved, keeps the name
    assert pairs(line(0.2, -3, names="ab"), line(0, names="x")) == [("a", "x"), ("b", None)]
    assert pairs(line(5, names="a"), line(0, names="x")) == [("a", "x")]  # one and one: nothing else it could be


SCALES = (
    Scale("order_value", "amount", 3.0, 0.5),
    Scale("orders", "count", 1.0, 0.6),
    Scale("share", "share", 0.4, 0.2, of="orders", base=0.4, weight=2.5),
)
OTHER = (
    Scale("share", "share", 0.5, 0.1, of="orders", base=0.5, weight=4.0),
    Scale("orders", "count", 1.2, 0.3),
    Scale("order_value", "amount", 4.0, 1.5),
)


def test_old_centres_are_taken_into_the_new_scales():
    # ln x = 3.5, ln(1 + x) = 0.4, shrunken share 0.6 in both
    new, old = line((1.0, -1.0, 1.0), scales=SCALES), line((1.0, -0.8 / 0.3, -0.5 / 1.5), scales=OTHER)
    assert match(new, old)["distance"].to_list() == [0.0]
    further = line((1.5, -0.8 / 0.3, -0.5 / 1.5), scales=OTHER)  # shrunken share 0.65: a quarter of a spread on
    assert match(new, further)["distance"].to_list() == [0.25]


def test_other_features_are_refused_and_named():
    new = line((0.0, 0.0), scales=SCALES[:2])
    old = line((0.0, 0.0, 0.0), scales=(*OTHER[:1], Scale("orders", "number", 3.0, 1.0), Scale("nps", "number", 5, 2)))
    why = why_no_match(new, old)
    assert why == (
        "the models of 2026-06-30 and 2026-06-30 rest on different features; only in the new: order_value; only in the "
        "old: nps, share; orders is count in the new and number in the old"
    )
    for call in (match, carry_names):
        with pytest.raises(UsageError, match=r"only in the new: order_value; .*Choose the features of the old model"):
            call(new, old)
    of_visits = (replace(SCALES[2], of="visits"),)
    assert "share is share of orders in the new and share of visits in the old" in why_no_match(
        line((0.0,), scales=SCALES[2:]), line((0.0,), scales=of_visits)
    )
    assert why_no_match(line((0.0,) * 3, scales=SCALES), line((1.0,) * 3, scales=OTHER)) == ""


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 6))
def test_the_pairs_are_the_optimal_assignment_within_their_margins(seed, new_k, old_k):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(new_k, 3)) * 2
    others = np.concatenate([centres, rng.normal(size=(6, 3)) * 2])[rng.permutation(new_k + 6)[:old_k]]
    others = others + rng.normal(size=others.shape) * 0.4
    new, old = (line(*map(tuple, c.tolist()), scales=SCALES) for c in (centres, others))
    found = {(row.new, row.old) for row in match(new, old).itertuples() if row.new and row.old}
    apart = np.linalg.norm(centres[:, None] - others[None], axis=2)

    def half(c):
        return (np.linalg.norm(c[:, None] - c[None], axis=2) + np.diag([np.inf] * len(c))).min(axis=1) / 2

    near = apart < np.minimum(half(centres)[:, None], half(others)[None])
    best = zip(*linear_sum_assignment(np.where(near, apart, 1e6)), strict=True)
    assert found == {(f"group {i}", f"group {j}") for i, j in best if near[i, j]}
    # seen from the other side, in the same scales, the pairs are the same
    assert found == {(row.old, row.new) for row in match(old, new).itertuples() if row.new and row.old}


def test_names_are_carried_and_a_name_never_passes_to_others():
    old = line(10, 0, -10, names=("large orders", "by app", "quiet"))
    new = line(30, 9, -11, names=("large orders", "by app", "anything"))
    carried = carry_names(new, old)
    # the first is another cluster than the old "large orders", which is now the second
    assert carried.names == ("large orders (2)", "large orders", "quiet")
    assert replace(carried, names=new.names) == new
    later = carry_names(line(60, 31, 9, names=("large orders", "large orders (2)", "x")), carried)
    assert later.names == ("large orders (3)", "large orders (2)", "large orders")


def test_two_of_one_name_are_told_apart():
    new = line(10, 0, names=("good", "good (2)"))
    assert carry_names(new, line(-40, 70, names=("good", "bad"))).names == ("good (3)", "good (2)")


def test_a_new_model_with_carried_names_scores_with_them():
    old, new = line(10, -10, names=("up", "down")), line(-9, 11, names=("p", "q"))
    frame = pd.DataFrame({"orders": [2, 2], "x": [12.0, -12.0]})
    assert score(frame, carry_names(new, old)).to_list() == ["up", "down"]


# --- moves


def groups(counts: dict[tuple[str | None, str | None], int]):
    """The two dates' groups of customers who went from one to the other; None: not there at that date."""
    rows = [key for key, n in counts.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["then", "now"], dtype=object).assign(
        customer_id=[f"c{i:05d}" for i in range(len(rows))]
    )
    sides = [frame[["customer_id", side]].dropna().rename(columns={side: "group"}) for side in ("then", "now")]
    return tuple(s.reset_index(drop=True) for s in sides)


def test_moves_by_hand():
    then, now = groups({("A", "A"): 60, ("A", "B"): 40, ("B", "B"): 30, ("B", "A"): 10, (None, "B"): 20, ("A", None): 5,
                        ("B", None): 6})  # fmt: skip
    frame = moves(then, now, order=["B", "A"])
    cells = {(r.then, r.now): (r.customers, r.n) for r in frame.itertuples()}
    assert cells == {
        ("B", "B"): (30, 46), ("B", "A"): (10, 46), ("B", GONE): (6, 46),
        ("A", "B"): (40, 105), ("A", "A"): (60, 105), ("A", GONE): (5, 105),
        (NOT_YET, "B"): (20, 20), (NOT_YET, "A"): (0, 20),
    }  # fmt: skip
    row = frame[(frame["then"] == "A") & (frame["now"] == "B")].iloc[0]
    expected = wilson(40, 105)
    assert (row["share_of_then"], row["low"], row["high"]) == (expected.value, expected.low, expected.high)
    assert (row["level"], row["method"]) == (0.95, "Wilson")
    assert list(dict.fromkeys(frame["then"])) == ["B", "A", NOT_YET]
    assert frame["customers"].sum() == 171  # nobody is lost
    assert frame["customers"].dtype.kind == "i"


def test_row_order_and_other_columns_do_not_matter():
    then, now = groups({("A", "A"): 60, ("A", "B"): 40, ("B", "A"): 7, (None, "B"): 20})
    frame = moves(then, now)
    shuffled = moves(then.sample(frac=1, random_state=1).assign(more=1), now.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(frame, shuffled)
    assert list(dict.fromkeys(frame["then"])) == ["A", "B", NOT_YET]


def test_a_small_move_is_withheld_with_a_ring_that_hides_it():
    then, now = groups({("A", "A"): 50, ("A", "B"): 3, ("B", "B"): 40, ("B", "A"): 20, ("C", "C"): 70})
    frame = moves(then, now).set_index(["then", "now"])
    hidden = frame["method"] == WITHHELD
    # the sums of groups are known, so all four numbers of the ring go; C is told
    assert set(frame.index[hidden]) == {("A", "A"), ("A", "B"), ("B", "A"), ("B", "B")}
    assert frame.loc[hidden, ["customers", "share_of_then", "low", "high"]].isna().all(axis=None)
    assert frame.loc[("A", "B"), "n"] == 53
    assert frame.loc[("C", "C"), "customers"] == 70


def test_a_small_group_is_withheld_with_its_sum():
    then, now = groups({("A", "A"): 50, ("B", "B"): 9, ("C", "C"): 2, ("D", "D"): 30})
    frame = moves(then, now).set_index(["then", "now"])
    assert frame.loc[["B", "C"], ["customers", "n"]].isna().all(axis=None)
    assert frame.loc[[("A", "B"), ("A", "C")], "customers"].isna().all()
    assert frame.loc[[("A", "A"), ("D", "D"), ("A", "D")], "customers"].to_list() == [50, 30, 0]


def test_where_nothing_hides_a_small_move_all_is_withheld():
    then, now = groups({("A", "A"): 50, ("A", "B"): 3})
    frame = moves(then, now)
    assert frame["customers"].isna().all()
    assert set(frame["method"]) == {WITHHELD}
    then, now = groups({("A", "A"): 50, ("A", "B"): 45, ("B", "A"): 3})
    assert moves(then, now)["customers"].isna().all()


def test_many_small_moves_take_little_with_them():
    # five customers are gone from four groups: each of these numbers is small, their sum is not
    sizes = {("A", "A"): 60, ("A", "B"): 40, ("B", "B"): 30, ("B", "A"): 10, ("C", "C"): 30, ("D", "D"): 12}
    then, now = groups(sizes | {("A", None): 2, ("B", None): 1, ("C", None): 1, ("D", None): 1})
    frame = moves(then, now).set_index(["then", "now"])
    assert frame.xs(GONE, level="now")["customers"].isna().all()
    assert frame.loc[[("A", "A"), ("B", "B")], "customers"].notna().all()


def known_sums(sums):
    shown = withhold_small(pd.DataFrame({"n": sums}), count="n")["n"]
    return shown.notna().to_numpy()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 4), st.integers(1, 5), st.sampled_from([3, 12, 60]))
def test_whoever_knows_all_sums_cannot_tell_that_a_move_was_small(seed, rows, columns, size):
    """A linear programme asks how many customers a withheld move may have had at most, by all that is told."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.exponential(size, (rows, columns)))
    counts[rng.random(counts.shape) < 0.3] = 0
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if counts.sum() < 5 or min(counts.shape) == 0:
        return
    then, now = groups({(f"t{i}", f"n{j}"): int(n) for (i, j), n in np.ndenumerate(counts)})
    frame = moves(then, now)
    grid = frame["customers"].to_numpy(dtype=float).reshape(counts.shape)
    told = np.isfinite(grid)
    assert (grid[told] == counts[told]).all()
    assert not ((grid >= 1) & (grid < 5)).any()
    sums = [known_sums(counts.sum(axis=1)), known_sums(counts.sum(axis=0))]
    assert (frame["n"].notna().to_numpy().reshape(counts.shape).all(axis=1) <= sums[0]).all()
    places = np.arange(counts.size).reshape(counts.shape)
    equal, right = [np.ones(counts.size)], [counts.sum()]
    for line_ in [*places[sums[0]], *places.T[sums[1]]]:
        equal.append(np.isin(places.ravel(), line_).astype(float))
        right.append(counts.ravel()[line_].sum())
    bounds = [(v, v) if t else (0, None) for v, t in zip(counts.ravel(), told.ravel(), strict=True)]
    for place in places[(counts > 0) & (counts < 5)]:
        most = linprog(-(places.ravel() == place).astype(float), A_eq=np.array(equal), b_eq=right, bounds=bounds)
        total_small = (~sums[0]).all() or (~sums[1]).all()
        assert -most.fun >= 5 - 1e-6 or (grid.size and not told.any()) or total_small


def test_who_stayed_is_told_where_the_moves_tell_it():
    then, now = groups({("A", "A"): 60, ("A", "B"): 35, ("B", "B"): 30, ("B", "A"): 10, (None, "B"): 9})
    table = stayed(moves(then, now)).set_index("group")
    assert table["stayed"].tolist() == [60 / 95, 0.75]
    assert table["customers_then"].tolist() == [95, 40]
    assert (table["low"] < table["stayed"]).all()
    then, now = groups({("A", "A"): 50, ("A", "B"): 3, ("B", "B"): 40, ("B", "A"): 20, ("C", "C"): 70})
    told = moves(then, now)
    hidden = told[(told["then"] == told["now"]) & told["customers"].isna()]["then"]
    assert len(hidden)
    assert stayed(told).set_index("group").loc[list(hidden), "stayed"].isna().all()


def test_messages():
    then, now = groups({("A", "A"): 6, ("A", "B"): 7})
    with pytest.raises(UsageError, match="the groups then lack group; a row is a customer_id and a group"):
        moves(then.drop(columns="group"), now)
    with pytest.raises(UsageError, match="2 customers stand more than once in the groups now"):
        moves(then, pd.concat([now, now.head(2)]))
    with pytest.raises(UsageError, match="a customer or a group now has no name"):
        moves(then, now.assign(group=now["group"].where(now.index > 0)))
    with pytest.raises(UsageError, match="a group then is called 'Not yet a customer'"):
        moves(then.assign(group=NOT_YET), now)


# --- pictures


def draw(frame, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    ax = moved.plot_moves(frame)
    ax.figure.savefig(tmp_path / "moves.png")
    matplotlib.pyplot.close(ax.figure)
    return ax


def test_the_picture_and_its_words(tmp_path):
    then, now = groups(
        {("A", "A"): 60, ("A", "B"): 40, ("B", "B"): 30, ("B", "A"): 10, (None, "B"): 20, (None, "A"): 5}
    )
    frame = moves(then, now)
    before = frame.copy()
    ax = draw(frame, tmp_path)
    pd.testing.assert_frame_equal(frame, before)
    assert [t.get_text() for t in ax.texts] == ["60\n60 %", "40\n40 %", "10\n25 %", "30\n75 %", "5\n20 %", "20\n80 %"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["A\n100 customers", "B\n40 customers",
                                                           f"{NOT_YET}\n25 customers"]  # fmt: skip
    assert describe_moves(frame) == (
        "Heat map of the share of each group's customers by the group they are in now. Still in the same group: “B” "
        "75 % (60–86 %); “A” 60 % (50–69 %). Greatest moves: “A” to “B” 40, 40 % (31–50 %); “B” to “A” 10, 25 % "
        "(14–40 %). Of 25 new customers most, 80 % (61–91 %), are in “B”."
    )


def test_the_picture_of_what_is_withheld_and_of_nothing(tmp_path):
    then, now = groups({("A", "A"): 50, ("A", "B"): 3, ("B", "B"): 40, ("B", "A"): 20, ("C", "C"): 70})
    frame = moves(then, now)
    ax = draw(frame, tmp_path)
    assert sum(bool(p.get_hatch()) for p in ax.patches) == 4
    assert ax.get_xlabel() == "Group now; hatched: withheld"
    assert "4 of 9 numbers are withheld, so that no move of under 5 people is told." in describe_moves(frame)
    nobody = pd.DataFrame({"customer_id": pd.Series(dtype=object), "group": pd.Series(dtype=object)})
    empty = moves(nobody, nobody)
    assert len(empty) == 0
    assert [t.get_text() for t in draw(empty, tmp_path).texts] == ["nothing to show yet"]
    assert describe_moves(empty).startswith("No customer stands in either date's groups")


def test_with_many_groups_the_shares_stand_alone(tmp_path):
    then, now = groups({(f"g{i}", f"g{(i + j) % 9}"): 20 * (1 + 3 * (j == 0)) for i in range(9) for j in range(5)})
    ax = draw(moves(then, now), tmp_path)
    assert {t.get_text() for t in ax.texts} == {"50", "12", "–"}
    assert ax.get_xlabel() == "Group now; numbers: % of the row"


def test_hostile_names_are_drawn_as_text(tmp_path):
    then, now = groups({("$x^{$ <b>", "$x^{$ <b>"): 9, ("\u202eevil\nname", "$x^{$ <b>"): 8})
    frame = moves(then, now)
    ax = draw(frame, tmp_path)
    assert ax.get_yticklabels()[0].get_text() == "\\$x^{\\$ <b>\n9 customers"
    assert "“evil name”" in describe_moves(frame)
