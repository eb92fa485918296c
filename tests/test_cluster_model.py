import json
from dataclasses import replace
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import cluster_model as cm
from cxkit.cluster_model import BOUGHT_ONCE, NOT_KNOWN, OUTLIER, Model, load_model, save_model, score, score_table
from cxkit.engine import connect, keep_frame, read_parquet
from cxkit.errors import DataError, UsageError
from cxkit.scales import Scale

SCALES = (
    Scale("order_value", "amount", 3.0, 0.5),
    Scale("recency_days", "count", 4.0, 1.5),
    Scale("gap_variation", "number", 0.6, 0.25),
    Scale("channel:app", "share", 0.4, 0.2, of="orders", base=0.4, weight=2.5),
)
TYPES = {"customer_id": "string", "orders": "float64"} | {s.feature: "float64" for s in SCALES}


def model(centres=((1.0, 0.0, 0.0, 1.5), (-1.0, 0.5, 0.25, -1.0), (0.0, -1.0, 1.0, 0.0)), names=None, **fields):
    names = names or tuple(f"group {i}" for i in range(len(centres)))
    given = {"as_of": "2026-06-30", "seed": 7, "least_orders": 2, "outlier_limit": 5.0, "scales": SCALES}
    return Model(**given | fields, centres=tuple(centres), names=names, sizes=(10,) * len(centres))


def line(*centres, **fields):
    """Clusters along one number, which is its own scaled value."""
    return model(tuple((float(c),) for c in centres), scales=(Scale("x", "number", 0.0, 1.0),), **fields)


def points(*x, orders=2):
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(len(x))], "orders": orders, "x": x})


def in_engine(frame, of, types=None):
    con = connect()
    types = types or {"customer_id": "string"} | {c: "float64" for c in frame.columns if c != "customer_id"}
    table = score_table(keep_frame(con, "features", frame, types=types), of)
    return table.order_by("customer_id").to_pandas()["group"].to_list()


# --- scoring


def test_nearest_by_hand_and_ties_go_to_the_first():
    of = line(4, 0, -2, names=("high", "middle", "low"))
    frame = points(5.0, 4.0, 2.1, 2.0, 0.0, -0.9, -1.0, -1.1, -4)
    expected = ["high", "high", "high", "high", "middle", "middle", "middle", "low", "low"]
    assert score(frame, of).to_list() == expected
    assert in_engine(frame, of) == expected
    backwards = line(-2, 0, 4, names=("low", "middle", "high"))
    assert score(frame, backwards)[[3, 6]].to_list() == ["middle", "low"]


def test_who_is_in_no_cluster_by_hand():
    of = line(1, -1, outlier_limit=3.0, least_orders=3, names=("up", "down"))
    frame = points(1, 3, 3.1, -3.1, None, np.inf, np.nan, 9, None, 1, 1, 1).assign(
        orders=[3, 3, 3, 3, 3, 3, 3, 2, 1, None, 0, np.inf]
    )
    expected = ["up", "up", OUTLIER, OUTLIER, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, BOUGHT_ONCE, BOUGHT_ONCE]
    expected += [NOT_KNOWN] * 3
    assert score(frame, of).to_list() == expected
    types = {"customer_id": "string", "orders": "float64", "x": "float64"}
    ordered = frame.assign(customer_id=[f"c{i:02d}" for i in range(len(frame))])
    assert in_engine(ordered, of, types) == expected


def test_only_possible_values_of_a_kind_are_placed():
    of = model()
    good = {"orders": 4, "order_value": 20.0, "recency_days": 30, "gap_variation": -0.5, "channel:app": 0.25}
    rows = [good, good | {"order_value": 0}, good | {"order_value": -5}, good | {"recency_days": -1}]
    rows += [good | {"channel:app": 1.01}, good | {"channel:app": -0.01}, good | {"recency_days": 0}]
    frame = pd.DataFrame(rows).assign(customer_id=list("abcdefg"))
    placed = score(frame, of)
    assert (placed == NOT_KNOWN).to_list() == [False, True, True, True, True, True, False]
    assert in_engine(frame[list(TYPES)], of) == placed.to_list()


def hostile(rng, n, of):
    """Features on the borders between clusters, at the limit, and of every impossible kind."""
    centres = np.array(of.centres)
    one, other = rng.integers(0, len(centres), (2, n))
    part = rng.choice([0.0, 0.5, 0.5, 0.5, 1.0, 0.3], (n, 1))
    z = centres[one] * part + centres[other] * (1 - part)  # a half: as far from both
    z = np.where(rng.random(z.shape) < 0.1, rng.choice([-5.0, 5.0, 5.000001, 4.999999], z.shape), z)
    t = z * [s.spread for s in of.scales] + [s.centre for s in of.scales]
    orders = rng.integers(1, 6, n).astype(float)
    share = np.clip((t[:, 3] * (orders + 2.5) - 2.5 * 0.4) / orders, 0, 1)
    columns = {"order_value": np.exp(t[:, 0]), "recency_days": np.expm1(t[:, 1]), "gap_variation": t[:, 2],
               "channel:app": share, "orders": orders}  # fmt: skip
    strange = [np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 1.0, 1e308, -1e308, 5e-324, 1e-300, 2.0**60]
    frame = pd.DataFrame(columns)
    for name in frame:
        frame[name] = np.where(rng.random(n) < 0.04, rng.choice(strange, n), frame[name])
    return frame.assign(customer_id=[f"c{i:05d}" for i in range(n)])[list(TYPES)]


def as_it_is(frame, path):
    """Into Parquet with NaN as NaN, which pandas would write as null."""
    pq.write_table(pa.table({c: frame[c].to_numpy() for c in frame}), path)


def test_nan_in_a_parquet_file_is_unknown(tmp_path):
    # an engine may answer isnan(x), x < infinity and x <= 1 from the file's statistics, which leave NaN out
    good = {"orders": 4.0, "order_value": 20.0, "recency_days": 30.0, "gap_variation": 0.5, "channel:app": 0.25}
    frame = pd.DataFrame([good, *[good | {name: np.nan} for name in good]])
    frame = pd.concat([frame * (1 + i / 1000) for i in range(500)], ignore_index=True)
    frame = frame.assign(customer_id=[f"c{i:05d}" for i in range(len(frame))])
    as_it_is(frame, tmp_path / "features.parquet")
    table = score_table(read_parquet(connect(), tmp_path / "features.parquet"), model())
    assert table.order_by("customer_id").to_pandas()["group"].to_list() == score(frame, model()).to_list()
    counts = table.group_by("group").aggregate(n=table.count()).to_pandas().set_index("group")["n"]
    assert counts[NOT_KNOWN] == 2500


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_engine_scores_as_numpy_does_on_5000_hostile_rows(seed, tmp_path):
    of = model()
    frame = hostile(np.random.default_rng(seed), 5000, of)
    as_it_is(frame, tmp_path / "features.parquet")
    table = score_table(read_parquet(connect(), tmp_path / "features.parquet"), of)
    engine = table.order_by("customer_id").to_pandas()
    ours = score(frame, of)
    assert list(table.columns) == [*frame.columns, "group"]
    assert engine["group"].to_list() == ours.to_list()
    assert set(ours) == {*of.names, BOUGHT_ONCE, NOT_KNOWN, OUTLIER}
    assert min(ours.value_counts()) > 20


def test_a_logarithm_that_differs_in_its_last_digit_moves_nobody():
    # exp(3) lies on the border; numpy's and the engine's logarithms of numbers near it differ in the last digit
    of = model(((1.0,), (-1.0,)), scales=(Scale("order_value", "amount", 3.0, 0.5),))
    middle = np.exp(3.0)
    values = [middle]
    for _ in range(20):
        values = [np.nextafter(values[0], 0), *values, np.nextafter(values[-1], np.inf)]
    frame = points(*values).rename(columns={"x": "order_value"}).assign(customer_id=[f"c{i:02d}" for i in range(41)])
    assert set(score(frame, of)) == {"group 0"}
    assert set(in_engine(frame, of)) == {"group 0"}


def test_whole_numbers_yes_no_and_decimals_are_numbers():
    from decimal import Decimal

    of = model(((1.0, 0.0), (0.0, 1.0)), scales=(Scale("x", "number", 0.0, 1.0), Scale("y", "number", 0.0, 1.0)))
    frame = pd.DataFrame({"customer_id": ["a", "b"], "orders": [2, 3], "x": [True, False], "y": [0, 1]})
    assert score(frame, of).to_list() == ["group 0", "group 1"]
    con = connect()
    typed = keep_frame(
        con, "typed", frame.assign(y=[Decimal("0"), Decimal("1")]),
        types={"customer_id": "string", "orders": "int32", "x": "boolean", "y": "decimal(8, 3)"},
    )  # fmt: skip
    assert score_table(typed, of).order_by("customer_id").to_pandas()["group"].to_list() == ["group 0", "group 1"]


def test_scoring_keeps_rows_index_and_its_argument():
    of = line(1, -1)
    frame = points(2.0, -2.0, 0.5).set_index(pd.Index(["u", "v", "w"]))
    before = frame.copy()
    placed = score(frame, of)
    pd.testing.assert_frame_equal(frame, before)
    assert placed.index.to_list() == ["u", "v", "w"]
    assert score(frame.iloc[::-1], of).to_dict() == placed.to_dict()
    assert score(frame.head(0), of).to_list() == []


def test_a_column_called_group_is_replaced():
    frame = points(2.0, -2.0).assign(group=0.0)
    assert in_engine(frame, line(1, -1)) == ["group 0", "group 1"]


def test_of_shares_alone_nobody_is_far_off():
    of = model(((2.0,), (-2.0,)), scales=SCALES[3:], outlier_limit=0.1)
    frame = pd.DataFrame({"customer_id": ["a", "b"], "orders": [50.0, 50.0], "channel:app": [1.0, 0.0]})
    assert score(frame, of).to_list() == in_engine(frame, of) == ["group 0", "group 1"]


def test_missing_columns_are_named_with_what_is_there():
    frame = points(1.0).drop(columns="orders")
    for call in (lambda: score(frame, line(1, 2)), lambda: score_table(ibis.memtable(frame), line(1, 2))):
        with pytest.raises(
            DataError, match=r"features lack 'orders', which the model of 2026-06-30 .*'customer_id', 'x'"
        ):
            call()


def test_texts_are_no_numbers():
    frame = points("3.5")
    for call in (lambda: score(frame, line(1, 2)), lambda: score_table(ibis.memtable(frame), line(1, 2))):
        with pytest.raises(DataError, match=r"the feature 'x' holds .*; a feature holds numbers"):
            call()
    assert score(points(None), line(1, 2)).to_list() == [NOT_KNOWN]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4))
def test_the_nearest_centre_is_the_nearest(seed, clusters, features):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, features))
    scales = tuple(Scale(f"f{j}", "number", float(rng.normal()), float(rng.uniform(0.2, 3))) for j in range(features))
    of = model(tuple(map(tuple, centres.tolist())), scales=scales, outlier_limit=100.0)
    z = rng.normal(size=(40, features))
    frame = pd.DataFrame({s.feature: z[:, j] * s.spread + s.centre for j, s in enumerate(scales)}).assign(orders=2)
    nearest = np.square(z[:, None] - centres[None]).sum(axis=2).argmin(axis=1)
    assert score(frame, of).to_list() == [f"group {i}" for i in nearest]


# --- the file


def test_a_saved_model_is_the_model_and_the_same_bytes(tmp_path):
    of = model(names=("великі замовлення", "small orders", "$a$ <b>"))
    save_model(of, tmp_path / "a" / "clusters.json")
    again = load_model(tmp_path / "a" / "clusters.json")
    assert again == of
    save_model(again, tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a" / "clusters.json").read_bytes()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False, width=64).filter(lambda x: abs(x) < 1e300),
    st.floats(1e-9, 1e12),
    st.floats(-1e9, 1e9),
)
def test_numbers_survive_the_file_to_the_last_digit(tmp_path_factory, centre, spread, place):
    path = tmp_path_factory.mktemp("model") / "m.json"
    of = model(((place,), (0.5,)), scales=(Scale("x", "number", centre, spread),))
    save_model(of, path)
    assert load_model(path) == of


def told(tmp_path) -> dict:
    save_model(model(), tmp_path / "good.json")
    return json.loads((tmp_path / "good.json").read_text(encoding="utf-8"))


def change(tree, path, value):
    *way, last = path
    for step in way:
        tree = tree[step]
    if value is ...:
        del tree[last]
    else:
        tree[last] = value


FAULTS = [
    (["version"], 2, "version is 2; valid: 1, the version that this cxkit reads"),
    (["version"], True, "version is True"),
    (["version"], ..., "the file lacks 'version'"),
    (["as_of"], "30.06.2026", "as_of is '30.06.2026'; valid: a day such as 2026-06-30"),
    (["seed"], 1.5, "seed is 1.5; valid: a whole number from 0 on"),
    (["least_orders"], 0, "least_orders is 0; valid: a whole number from 1 on"),
    (["outlier_limit"], 0, "outlier_limit is 0; valid: a number above 0"),
    (["scales"], [], "scales is []; valid: a list of one scale or more"),
    (["scales", 0], 5, "scales[0] is 5; valid: the keys feature, kind"),
    (["scales", 0, "kind"], "log", "scales[0].kind is 'log'; valid: amount, count, number, share"),
    (["scales", 0, "kind"], ["amount"], "scales[0].kind is ['amount']"),
    (["scales", 0, "spread"], 0, "scales[0].spread is 0; valid: a finite number above 0"),
    (["scales", 0, "spread"], "1", "scales[0].spread is '1'"),
    (["scales", 0, "spread"], 10**400, "scales[0].spread is 1000"),
    (["scales", 0, "centre"], None, "scales[0].centre is None; valid: a finite number"),
    (["scales", 0, "centre"], False, "scales[0].centre is False"),
    (["scales", 0, "feature"], "", "scales[0].feature is ''; valid: a feature's name"),
    (["scales", 0, "feature"], "recency_days", "the feature 'recency_days' stands twice"),
    (["scales", 0, "of"], "orders", "scales[0].of is 'orders'; a share, and nothing else, has the column"),
    (["scales", 3, "of"], "", "scales[3].of is ''; a share"),
    (["scales", 3, "base"], 1.2, "scales[3].base is 1.2; valid: a number from 0 to 1"),
    (["scales", 3, "weight"], -1, "scales[3].weight is -1; valid: a finite number from 0 on"),
    (["clusters", 0, "name"], "Bought once", "clusters[0].name is 'Bought once'; valid: a name other than"),
    (["clusters", 0, "name"], " \n", "clusters[0].name is ' \\n'"),
    (["clusters", 1, "name"], "group 0", "the name 'group 0' stands twice"),
    (["clusters", 0, "size"], -1, "clusters[0].size is -1; valid: a whole number from 0 on"),
    (["clusters", 0, "centre"], [1, 2, 3], "clusters[0].centre has 3 numbers; valid: 4, as many as scales"),
    (["clusters", 0, "centre"], [1, 2, 3, "4"], "clusters[0].centre is [1, 2, 3, '4']; valid: a list of finite"),
    (["clusters", 0, "centre"], [1, 2, 3, 1e12], "clusters[0].centre is"),
    (["clusters", 0, "colour"], "red", "clusters[0] has the unknown key 'colour'; valid: name, size, centre"),
]


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_faults_in_a_model_file_are_named(tmp_path, path, value, message):
    tree = told(tmp_path)
    change(tree, path, value)
    file = tmp_path / "clusters.json"
    file.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(DataError) as fault:
        load_model(file)
    assert message in str(fault.value)
    assert str(fault.value).startswith(f"{file} is no model: ")
    assert "Take the file of an earlier run, or run 01_segmentation anew" in str(fault.value)


def test_all_faults_are_told_together(tmp_path):
    tree = told(tmp_path)
    change(tree, ["scales", 1, "spread"], -1)
    change(tree, ["clusters", 2, "size"], "ten")
    (tmp_path / "m.json").write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(DataError, match=r"scales\[1\]\.spread is -1; .*clusters\[2\]\.size is 'ten'"):
        load_model(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe", "can't decode byte"),
        (b"[1]", r"the file is \[1\]; valid: the keys version, as_of"),
        (b'{"version": NaN}', "NaN stands in it; only finite numbers are valid"),
        (b'{"version": -Infinity}', "-Infinity stands in it"),
        (b'{"seed": 1, "seed": 2}', "the key 'seed' stands twice"),
        (b"[" * 100_000, "is no model"),
        (b" " * (cm.LARGEST_FILE + 1), "a model has under 5,000,000"),
    ],
)
def test_what_is_no_model_file_is_refused(tmp_path, content, message):
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_model(tmp_path / "m.json")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"the model .*none\.json cannot be read: No such file"):
        load_model(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot be read"):
        load_model(Path(tmp_path))


def test_what_could_not_be_read_is_not_written(tmp_path):
    wrong = replace(model(), centres=((np.nan, 0.0, 0.0, 0.0), *model().centres[1:]))
    with pytest.raises(UsageError, match=r"the model cannot be saved: clusters\[0\]\.centre is \[nan"):
        save_model(wrong, tmp_path / "m.json")
    with pytest.raises(UsageError, match="3 names, 2 sizes, 3 centres"):
        save_model(replace(model(), sizes=(1, 2)), tmp_path / "m.json")
    assert not (tmp_path / "m.json").exists()
