import ibis
import numpy as np
import pandas as pd
import pytest

from cxkit import others

TYPES = {
    "kind": "string",
    "name": "string",
    "unit": "string",
    "part": "float64",
    "whole": "float64",
    "squares": "float64",
}


def cells(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(frame[list(TYPES)], schema=TYPES)


def random_cells(seed: int, units: int = 300) -> pd.DataFrame:
    """Units that meet some of five names of two kinds; what counts there differs by name and by unit."""
    rng = np.random.default_rng(seed)
    rows = []
    for kind in "xy":
        for unit in range(units):
            habit = rng.normal(0, 0.1)
            for name in rng.choice(list("abcde"), rng.integers(1, 6), replace=False):
                whole = int(rng.integers(1, 5))
                part = int(rng.binomial(whole, np.clip(0.7 + habit - 0.3 * (name == "a"), 0, 1)))
                rows.append((kind, name, f"u{unit}", part, whole, part))
    return pd.DataFrame(rows, columns=list(TYPES))


def by_hand(frame: pd.DataFrame, kind: str, name: str) -> dict:
    """Unit by unit, with no sums of squares: the error of a difference of ratios is that of one sum over units."""
    here = frame[frame["kind"] == kind]
    wide = here.pivot_table(index="unit", columns="name", values=["part", "whole"], fill_value=0, aggfunc="sum")
    a, n = wide["part"][name], wide["whole"][name]
    a_o, n_o = wide["part"].sum(axis=1) - a, wide["whole"].sum(axis=1) - n
    value, rest = a.sum() / n.sum(), a_o.sum() / n_o.sum()
    one, other = (a - value * n) / n.sum(), (a_o - rest * n_o) / n_o.sum()
    met, units = int((n > 0).sum()), len(wide)
    error = np.sqrt(met / (met - 1) * (one**2).sum())
    least = rest * (1 - rest) / n.sum()  # independent items, spread as the others are
    variance = max(error**2, least) + units / (units - 1) * (other**2).sum() - 2 * (one * other).sum()
    return {"value": value, "others": rest, "error": error, "difference_error": np.sqrt(variance), "units": met}


def test_sums_give_what_units_give():
    frame = random_cells(1)
    found = others.against_others(
        others.unit_sums(cells(frame), by="name", unit="unit", within=["kind"]), within=["kind"]
    )
    assert list(found["kind"] + found["name"]) == [k + n for k in "xy" for n in "abcde"]
    for row in found.itertuples():
        hand = by_hand(frame, row.kind, row.name)
        for column, number in hand.items():
            assert getattr(row, column) == pytest.approx(number, rel=1e-9), (row.name, column)
        assert row.difference == pytest.approx(hand["value"] - hand["others"])
        assert row.n == frame[(frame["kind"] == row.kind) & (frame["name"] == row.name)]["whole"].sum()


def test_shuffled_rows_change_nothing():
    frame = random_cells(2, units=60)
    first = others.unit_sums(cells(frame), by="name", unit="unit", within=["kind"])
    again = others.unit_sums(cells(frame.sample(frac=1, random_state=3)), by="name", unit="unit", within=["kind"])
    pd.testing.assert_frame_equal(first, again)


def test_the_error_is_the_spread_over_samples():
    """Two names of one unit are related, so that an error which takes them for independent would be wrong."""
    gaps, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng([7, seed])
        habit = rng.normal(0, 0.3, 200)
        rows = [
            ("x", name, f"u{unit}", part, 20, part)
            for unit in range(200)
            for name in "ab"
            for part in [int(rng.binomial(20, np.clip(0.5 + habit[unit], 0, 1)))]
        ]
        sums = others.unit_sums(cells(pd.DataFrame(rows, columns=list(TYPES))), by="name", unit="unit")
        found = others.against_others(sums)
        gaps.append(found["difference"][0])
        errors.append(found["difference_error"][0])
    assert np.mean(errors) == pytest.approx(np.std(gaps), rel=0.25)


def test_items_all_alike_are_not_certain():
    rows = [("x", "a", f"u{i}", 1, 1, 1) for i in range(5)] + [("x", "b", f"v{i}", i % 2, 1, i % 2) for i in range(40)]
    found = others.against_others(
        others.unit_sums(cells(pd.DataFrame(rows, columns=list(TYPES))), by="name", unit="unit")
    )
    assert found["error"][0] == pytest.approx(np.sqrt(0.25 / 5)), "the spread is taken from the others"
    assert found["difference_error"][0] == pytest.approx(np.sqrt(0.25 / 5 + 0.25 / 40 * 45 / 44))


def test_one_alone_has_no_others():
    rows = [("x", "a", f"u{i}", i % 2, 1, i % 2) for i in range(10)]
    found = others.against_others(
        others.unit_sums(cells(pd.DataFrame(rows, columns=list(TYPES))), by="name", unit="unit")
    )
    assert found["value"][0] == 0.5
    assert found[["others", "difference", "difference_error"]].isna().all(axis=None)


def test_none_gives_none():
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in TYPES})
    assert len(others.against_others(others.unit_sums(cells(empty), by="name", unit="unit"))) == 0


def test_beyond_the_middle_by_hand():
    middle, below, above = others.beyond_middle(
        [1.0, 4.0, 5.0, 9.0], [1.0] * 4, by=["nps"] * 4, told=[True, True, True, False]
    )
    assert list(middle) == [4.0] * 4
    assert list(below) == [True, False, False, False]
    assert list(above) == [False, False, False, True], "5 with an interval from 4 is not above 4"
