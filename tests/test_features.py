from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import real_clients
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import features, segments
from cxkit.engine import connect, read_parquet
from cxkit.errors import DataError, UsageError
from cxkit.privacy import load_key, pseudonym
from cxkit.sources import load
from cxkit.tables import TABLES

DAY = date(2026, 6, 30)
KYIV = "Europe/Kyiv"
DEMO = Path(__file__).parents[1] / "data" / "demo"
TYPES = {"text": "string", "money": "float64", "number": "float64", "integer": "int64", "yes/no": "boolean"}
TYPES |= {"time": "timestamp", "date": "date"}


def table(name, rows):
    """Rows (a column with a missing value needs it as None) as a canonical table, its local day made in Kyiv's zone."""
    frame = pd.DataFrame(rows)
    canonical = TABLES[name]
    if canonical.time in frame:
        at = pd.to_datetime(frame[canonical.time]).astype("datetime64[us]")
        local = at.dt.tz_localize("UTC").dt.tz_convert(KYIV)
        frame = frame.assign(**{canonical.time: at, canonical.day: local.dt.date})
    schema = {c: TYPES[canonical.columns[c].type] for c in frame.columns}
    return ibis.memtable(frame, schema=schema)


def line(order, customer, at, amount, **more):
    at = at if " " in at else f"{at} 09:00"  # noon in Kyiv's summer
    return {"order_id": order, "customer_id": customer, "ordered_at": at, "amount": amount} | more


def shop(*lines):
    return table("orders", lines)


def read(orders, *, as_of=DAY, zone=KYIV, channels=None, **more):
    made = features.read_features({"orders": orders, **more}, as_of=as_of, zone=zone, channels=channels)
    return made.set_index("customer_id")


# --- the list


def test_the_list_tells_every_feature():
    listed = features.feature_list()
    assert list(listed.columns) == list(features.KEYS)
    assert len(listed) == 21
    assert not listed.drop(columns="of").isna().any(axis=None)
    assert set(listed.loc[listed["kind"] == "share", "of"]) == {"orders", "placed"}
    assert set(listed.loc[listed["kind"] != "share", "of"]) == {""}
    family = listed.set_index("name").loc["channel"]
    assert all("{value}" in family[key] for key in ("label", "high", "low"))


def test_every_fault_of_a_list_is_named(tmp_path):
    path = tmp_path / "features.yml"
    path.write_text(
        """features:
  - {name: one, label: One, unit: metres, kind: logarithm, definition: d, needs: {shops: [a]}, high: h, low: l}
  - {name: two, label: Two, unit: share, kind: share, of: three, definition: d, needs: [orders], high: h, colour: red}
  - {name: two, label: Two, unit: count, kind: count, definition: d, needs: {orders: [cost or size]}, high: h, low: l}
""",
        encoding="utf-8",
    )
    with pytest.raises(UsageError) as error:
        features.feature_list(path)
    for told in (
        "feature 'one' has kind: 'logarithm'; valid are amount, count, number, share",
        "feature 'one' has unit: 'metres'; valid are money, days",
        "feature 'one' needs the table 'shops'; valid are orders, customers",
        "feature 'two' lacks low",
        "feature 'two' has the unknown key 'colour'; valid are name, label",
        "feature 'two' is a share of 'three', which is no feature",
        "feature 'two' has needs: ['orders']; write a table and the list of its columns",
        "feature 'two' stands there twice",
        "feature 'two' needs orders.size, which is no column",
    ):
        assert told in str(error.value)
    path.write_text("features: many", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no list `features`; see cxkit/features"):
        features.feature_list(path)


# --- by hand


def test_what_orders_alone_tell():
    found = read(
        shop(
            line("1", "anna", "2026-05-01", 100.0),
            line("1", "anna", "2026-05-01", 50.0),  # a second line of the same order
            line("2", "anna", "2026-05-11", 30.0),
            line("3", "anna", "2026-05-11", 10.0),  # a second order on one day
            line("4", "anna", "2026-06-10", 60.0),
            line("5", "bohdan", "2026-06-30", 80.0),
            line("6", "bohdan", "2026-07-01", 999.0),  # after the last day
            line("7", None, "2026-06-10", 70.0),  # nobody's
        )
    )
    assert list(found.columns) == [
        *("orders", "recency_days", "tenure_days", "monetary", "order_value", "median_gap_days", "gap_variation"),
        *("evening_share", "night_share"),
    ]
    anna, bohdan = found.loc["anna"], found.loc["bohdan"]
    assert (anna["orders"], anna["recency_days"], anna["tenure_days"], anna["monetary"]) == (4, 20, 60, 250)
    assert anna["order_value"] == 62.5
    assert anna["median_gap_days"] == 20  # 10 and 30; two orders on one day are one day
    assert anna["gap_variation"] == pytest.approx(np.std([10, 30], ddof=1) / 20)
    assert (bohdan["orders"], bohdan["recency_days"], bohdan["tenure_days"], bohdan["monetary"]) == (1, 0, 0, 80)
    assert np.isnan(bohdan["median_gap_days"])
    assert np.isnan(bohdan["gap_variation"])
    assert found.index.tolist() == ["anna", "bohdan"]


def test_regular_orders_have_no_variation_and_two_days_no_known_one():
    regular = [line(str(k), "anna", f"2026-06-{1 + 7 * k:02d}", 10.0) for k in range(4)]
    found = read(shop(*regular, line("8", "bohdan", "2026-06-01", 1.0), line("9", "bohdan", "2026-06-04", 1.0)))
    assert found["median_gap_days"].to_dict() == {"anna": 7, "bohdan": 3}
    assert found.loc["anna", "gap_variation"] == 0
    assert np.isnan(found.loc["bohdan", "gap_variation"])
    one_day = read(shop(line("1", "anna", "2026-06-01", 1.0), line("2", "anna", "2026-06-01", 1.0)))
    assert np.isnan(one_day.loc["anna", "median_gap_days"])


def test_cancelled_and_returned_orders():
    back = {"status": "completed", "refund": 0.0}
    gone = {"status": "cancelled", "refund": 0.0}
    found = read(
        shop(
            line("1", "anna", "2026-06-01", 100.0, **back),
            line("2", "anna", "2026-06-02", 40.0, **gone),
            line("2", "anna", "2026-06-02", 40.0, **gone),
            line("3", "anna", "2026-06-03", 20.0, **gone),  # cancelled in part: it counts
            line("3", "anna", "2026-06-03", 60.0, status="partly_returned", refund=10.0),
            line("4", "anna", "2026-06-04", 50.0, status="completed", refund=5.0),
            line("5", "anna", "2026-06-05", 0.0, status="returned", refund=7.0),  # a return that matched no sale
            line("6", "celina", "2026-06-05", 30.0, **gone),  # cancelled alone: no buyer
            line("7", "dmytro", "2026-06-05", 0.0, status="returned", refund=7.0),  # returned alone: no buyer
        )
    )
    assert found.index.tolist() == ["anna"]
    anna = found.loc["anna"]
    assert (anna["orders"], anna["placed"], anna["cancelled_share"]) == (3, 4, 0.25)
    assert (anna["order_value"], anna["monetary"]) == (70, 188)
    assert anna["returned_share"] == pytest.approx(2 / 3)
    assert anna["recency_days"] == 26  # the cancelled order and the return alone are no orders


def test_nothing_and_less_than_nothing_spent():
    found = read(
        shop(
            line("1", "anna", "2026-06-01", 10.0, refund=10.0),
            line("2", "bohdan", "2026-06-01", 10.0, refund=0.0),
            line("3", "bohdan", "2026-06-09", 0.0, refund=25.5),
        )
    )
    assert found["monetary"].to_dict() == {"anna": 0, "bohdan": -15.5}
    assert found["order_value"].to_dict() == {"anna": 10, "bohdan": 10}
    assert found["returned_share"].to_dict() == {"anna": 1, "bohdan": 0}  # no order of bohdan's had a return


def test_breadth_and_discounts():
    plain = {"discount": 0.0, "coupon": None}
    found = read(
        shop(
            line("1", "anna", "2026-06-01", 1.0, product_id="a", category="toys", **plain),
            line("1", "anna", "2026-06-01", 1.0, product_id="a", category="toys", **plain),
            line("1", "anna", "2026-06-01", 1.0, product_id="b", category="books", discount=0.5, coupon=None),
            line("2", "anna", "2026-06-02", 1.0, product_id="b", category="books", discount=None, coupon="TEN"),
            line("3", "anna", "2026-06-03", 1.0, product_id=None, category=None, **plain),
            line("4", "anna", "2026-06-04", 1.0, product_id="c", category="toys", **plain),
            line("5", "bohdan", "2026-06-04", 1.0, product_id=None, category=None, **plain),
        )
    )
    anna, bohdan = found.loc["anna"], found.loc["bohdan"]
    assert (anna["categories"], anna["products"]) == (2, 3)
    assert anna["products_per_order"] == pytest.approx(4 / 3)  # of the three orders whose products are known
    assert (anna["discounted_share"], bohdan["discounted_share"]) == (0.5, 0)
    assert bohdan[["categories", "products", "products_per_order"]].isna().all()


@pytest.mark.parametrize(("column", "value"), [("discount", 1.0), ("coupon", "TEN")])
def test_one_of_discount_and_coupon_is_enough(column, value):
    lines = [line("1", "anna", "2026-06-01", 1.0), line("2", "anna", "2026-06-02", 1.0)]
    found = read(shop(lines[0] | {column: value}, lines[1] | {column: None}))
    assert found.loc["anna", "discounted_share"] == 0.5


@pytest.mark.parametrize(("column", "values"), [("refund", (1.0, 0.0)), ("status", ("returned", "completed"))])
def test_one_of_refund_and_status_is_enough(column, values):
    lines = [line(str(k), "anna", "2026-06-01", 9.0) | {column: value} for k, value in enumerate(values)]
    found = read(shop(*lines))
    assert found.loc["anna", "returned_share"] == 0.5
    assert ("cancelled_share" in found) == ("placed" in found) == (column == "status")


# --- the time of day


def test_evening_and_night_are_the_clients():
    times = {
        "14:59": (0, 0),  # 17:59 in Kyiv's summer
        "15:00": (1, 0),
        "18:59": (1, 0),
        "19:00": (0, 1),
        "21:30": (0, 1),  # half past midnight
        "02:59": (0, 1),
        "03:00": (0, 0),
    }
    found = read(shop(*(line(at, at, f"2026-06-10 {at}", 1.0) for at in times)))
    assert {
        at: (r.evening_share, r.night_share) for at, r in zip(found.index, found.itertuples(), strict=True)
    } == times
    winter = read(shop(line("1", "anna", "2026-01-10 15:30", 1.0)))  # 17:30: the clock is an hour behind
    assert winter.loc["anna", "evening_share"] == 0
    tokyo = read(shop(line("1", "anna", "2026-06-10 15:30", 1.0)), zone="Asia/Tokyo")
    assert tokyo.loc["anna", "night_share"] == 1


def test_days_without_times_tell_no_time_of_day():
    found = read(shop(line("1", "anna", "2026-06-09 21:00", 1.0), line("2", "anna", "2026-06-01 21:00", 1.0)))
    assert not {"evening_share", "night_share"} & set(found.columns)


# --- channels


def test_shares_of_orders_by_channel():
    found = read(
        shop(
            line("1", "anna", "2026-06-01", 1.0, channel="web"),
            line("1", "anna", "2026-06-01", 1.0, channel="web"),
            line("2", "anna", "2026-06-02", 1.0, channel="app"),
            line("3", "anna", "2026-06-03", 1.0, channel=None),
            line("4", "anna", "2026-06-04", 1.0, channel="web"),
            line("5", None, "2026-06-04", 1.0, channel="phone"),  # nobody's
        )
    )
    assert [c for c in found if c.startswith("channel")] == ["channel:app", "channel:web"]
    assert found.loc["anna", ["channel:app", "channel:web"]].tolist() == [0.25, 0.5]


def test_six_channels_at_most_and_none_of_under_two_in_a_hundred():
    counts = {"h": 30, "g": 20, "f": 10, "e": 10, "d": 10, "c": 10, "b": 10, "rare": 1}
    names = [name for name, count in counts.items() for _ in range(count)]
    orders = shop(*(line(str(k), f"c{k}", "2026-06-01", 1.0, channel=name) for k, name in enumerate(names)))
    # of the five that are equally common the first by name
    assert [c for c in read(orders) if ":" in c] == [f"channel:{name}" for name in "bcdegh"]
    two = ["web"] * 97 + ["app"] * 2 + ["store"]
    orders = shop(*(line(str(k), f"c{k}", "2026-06-01", 1.0, channel=name) for k, name in enumerate(two)))
    assert [c for c in read(orders) if ":" in c] == ["channel:app", "channel:web"]


def test_a_saved_models_channels_stand_there_whatever_their_share():
    orders = shop(line("1", "anna", "2026-06-01", 1.0, channel="web"))
    found = read(orders, channels=["store", "web"])
    assert found.loc["anna", ["channel:store", "channel:web"]].tolist() == [0, 1]
    assert not [c for c in read(orders, channels=[]) if ":" in c]
    assert not [c for c in read(shop(line("1", "anna", "2026-06-01", 1.0)), channels=["web"]) if ":" in c]


@pytest.mark.parametrize("name", ["""a'b"c; DROP TABLE x --""", "app:web", "канал 🛒", "{value}", "a\nb"])
def test_a_channels_name_is_only_a_name(name):
    found = read(shop(line("1", "anna", "2026-06-01", 1.0, channel=name)))
    assert found.loc["anna", f"channel:{name}"] == 1


# --- the other tables


ORDERS = (
    line("1", "anna", "2026-03-01", 1.0, status="completed"),
    line("2", "anna", "2026-06-10", 1.0, status="completed"),
    line("3", "anna", "2026-06-11", 1.0, status="completed"),
    line("4", "anna", "2026-06-12", 1.0, status="cancelled"),
    line("5", "bohdan", "2026-03-01", 1.0, status="completed"),
    line("6", "celina", "2026-06-20", 1.0, status="completed"),
)


def contact(number, customer, at="2026-06-11 10:00"):
    return {"contact_id": number, "customer_id": customer, "opened_at": at}


def test_contacts_for_each_order_placed():
    rows = [contact("1", "anna"), contact("2", "anna"), contact("3", None), contact("4", "nobody's friend")]
    rows += [contact("5", "bohdan", "2026-07-01 10:00")]  # after the last day
    found = read(shop(*ORDERS), contacts=table("contacts", rows))
    assert found["contacts_per_order"].to_dict() == {"anna": 0.5, "bohdan": 0, "celina": 0}


def touch(session, customer, at):
    return {"session_id": session, "customer_id": customer, "occurred_at": f"{at} 09:00", "touchpoint": "home"}


def test_visits_for_each_order_within_the_days_of_the_events():
    rows = [
        touch("s0", None, "2026-06-01"),  # the first day covered
        touch("s1", "anna", "2026-06-05"),
        touch("s1", "anna", "2026-06-05"),
        touch("s2", "anna", "2026-06-10"),
        touch("s3", "anna", "2026-06-11"),
        touch(None, "anna", "2026-06-11"),  # no visit
        touch("s4", "bohdan", "2026-06-11"),
        touch("s5", "anna", "2026-07-01"),  # after the last day
    ]
    found = read(shop(*ORDERS), events=table("events", rows))["visits_per_order"]
    assert found["anna"] == 1.5  # three visits, two orders
    assert np.isnan(found["bohdan"])  # no order in these days
    assert np.isnan(found["celina"])  # ordered after the last touch


def test_what_they_answered_and_agreed_to():
    def answer(customer, score, metric="nps", at="2026-06-11 10:00"):
        return {"customer_id": customer, "score": score, "metric": metric, "answered_at": at}

    answers = [answer("anna", 9), answer("anna", 6), answer("anna", 1, "csat"), answer(None, 0)]
    answers += [answer("bohdan", 3, "csat"), answer("celina", 0), answer("celina", 10, at="2026-07-01 10:00")]
    people = [("anna", True), ("bohdan", False), ("celina", None), ("dmytro", True)]
    found = read(
        shop(*ORDERS),
        surveys=table("surveys", answers),
        customers=table("customers", [{"customer_id": who, "email_consent": agreed} for who, agreed in people]),
    )
    assert (found.loc["anna", "nps_mean"], found.loc["celina", "nps_mean"]) == (7.5, 0)
    assert np.isnan(found.loc["bohdan", "nps_mean"])
    assert found["email_consent"].iloc[:2].tolist() == [1, 0]
    assert np.isnan(found.loc["celina", "email_consent"])
    assert found.index.tolist() == ["anna", "bohdan", "celina"]


def test_tables_without_the_column_add_nothing():
    plain = read(shop(*ORDERS))
    surveys = table("surveys", [{"score": 9.0, "metric": "nps", "answered_at": "2026-06-11 10:00"}])
    contacts = table("contacts", [{"contact_id": "1", "opened_at": "2026-06-11 10:00"}])
    events = table("events", [{"customer_id": "anna", "occurred_at": "2026-06-11 10:00", "touchpoint": "home"}])
    customers = table("customers", [{"customer_id": "anna"}])
    pd.testing.assert_frame_equal(
        read(shop(*ORDERS), surveys=surveys, contacts=contacts, events=events, customers=customers), plain
    )


def test_empty_tables_beside_orders():
    empty = {
        "contacts": table("contacts", [contact("1", "x")]),
        "events": table("events", [touch("s", "x", "2026-06-01")]),
        "surveys": table("surveys", [{"customer_id": "x", "score": 9.0, "metric": "nps", "answered_at": "2026-06-11"}]),
        "customers": table("customers", [{"customer_id": "x", "email_consent": True}]),
    }
    found = read(shop(*ORDERS), **{name: t.limit(0) for name, t in empty.items()})
    assert (found["contacts_per_order"] == 0).all()
    assert found[["visits_per_order", "nps_mean", "email_consent"]].isna().all(axis=None)


# --- few, none, and what is missing


def test_nobody_and_one():
    nobody = read(shop(line("1", None, "2026-06-01", 5.0, channel="web")))
    assert len(nobody) == 0
    assert "orders" in nobody
    assert len(read(shop(line("1", "anna", "2026-07-01", 5.0)))) == 0
    assert len(read(shop(line("1", "anna", "2026-07-01", 5.0)).limit(0))) == 0
    assert read(shop(line("1", "anna", "2026-06-30", 5.0))).loc["anna", "orders"] == 1


def test_orders_without_customers_are_refused():
    with pytest.raises(DataError, match=r"table 'orders' lacks 'customer_id'; it has 'order_id'.* client\.yml"):
        read(shop(line("1", "anna", "2026-06-01", 1.0)).drop("customer_id"))


def random_shop(seed, customers=60):
    """Lines of all kinds: cancelled, returned, returns alone, nobody's, orders whose lines name two customers."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, customers * 6))
    who = [f"c{k}" if k else None for k in rng.integers(0, customers, n)]
    order = [f"o{k}" for k in rng.integers(0, max(n // 2, 1), n)]
    amount = np.where(rng.random(n) < 0.1, 0.0, rng.integers(1, 90_000, n) / 100)
    statuses = ["completed", "cancelled", "returned", "partly_returned", None]
    return pd.DataFrame(
        {
            "order_id": order,
            "customer_id": who,
            "ordered_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 200 * 24, n), unit="h"),
            "amount": amount,
            "refund": np.where(rng.random(n) < 0.2, rng.integers(0, 5_000, n) / 100, 0.0),
            "status": rng.choice(statuses, n, p=[0.7, 0.1, 0.1, 0.05, 0.05]),
            "product_id": rng.choice([*"abcdef", None], n),
            "category": rng.choice([*"xyz", None], n),
            "channel": rng.choice(["app", "web", None], n),
            "discount": rng.choice([0.0, 1.0, None], n),
        }
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_same_customers_orders_recency_and_money_as_rfm(seed):
    orders = table("orders", random_shop(seed))
    found = features.read_features({"orders": orders}, as_of=DAY, zone=KYIV)
    rfm = segments.rfm(orders, as_of=DAY)
    ours = found[["customer_id", "recency_days", "orders", "monetary"]].rename(columns={"orders": "frequency"})
    pd.testing.assert_frame_equal(ours, rfm, check_exact=True)
    assert (found["placed"] >= found["orders"]).all()
    shares = found[[c for c in found if c.endswith("_share") or ":" in c]]
    assert shares.apply(lambda share: share.between(0, 1)).all(axis=None)
    for name, of in (("returned_share", "orders"), ("cancelled_share", "placed"), ("channel:web", "orders")):
        if name in found:  # k of n
            assert np.allclose(found[name] * found[of], (found[name] * found[of]).round())


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed):
    frame = random_shop(seed, customers=20)
    one = read(table("orders", frame))
    other = read(table("orders", frame.sample(frac=1, random_state=seed)))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_currency_changes_money_and_nothing_else():
    frame = random_shop(7)
    money = {c: frame[c] * 100 for c in ("amount", "refund", "discount")}
    one, other = read(table("orders", frame)), read(table("orders", frame.assign(**money)))
    for name in one:
        factor = 100 if name in ("monetary", "order_value") else 1
        assert np.allclose(one[name] * factor, other[name], equal_nan=True), name


def test_every_column_is_in_the_list_and_in_its_order():
    found = read(table("orders", random_shop(3)))
    order = list(features.feature_list()["name"])
    places = [order.index(c.split(":")[0]) for c in found]
    assert places == sorted(places)


# --- the made-up client, through the door


@pytest.fixture(scope="module")
def demo(loaded_demo):
    con = connect()
    tables = {name: read_parquet(con, path) for name, path in loaded_demo.tables.items()}
    found = features.read_features(tables, as_of=loaded_demo.as_of, zone=KYIV)
    truth = pd.read_csv(DEMO / "truth_customers.csv.gz", dtype={"customer": str})
    key = load_key(loaded_demo.refused_dir.parent, earlier_audits=True)
    planted = dict(zip((pseudonym(who, key=key) for who in truth["customer"]), truth["group"], strict=True))
    return tables, loaded_demo, found, found["customer_id"].map(planted)


def test_the_planted_groups_differ_as_planted(demo):
    _, _, found, group = demo
    assert group.notna().all()
    means = found.drop(columns="customer_id").groupby(group).mean()
    assert (means["channel:app"].idxmax(), means["channel:marketplace"].idxmax()) == ("busy", "price")
    assert (means["channel:store"].idxmax(), means["evening_share"].idxmax()) == ("givers", "busy")
    assert means.loc["busy", "channel:app"] == pytest.approx(0.93, abs=0.03)
    assert means.loc["price", "discounted_share"] == pytest.approx(0.85, abs=0.04)
    assert means["night_share"].idxmax() == "anxious"
    assert means["contacts_per_order"].idxmax() == "anxious"
    assert means["order_value"].sort_values().index.tolist() == ["price", "anxious", "busy", "givers", "experts"]
    assert means["nps_mean"].idxmin() == "price"
    assert means["email_consent"].max() - means["email_consent"].min() < 0.1  # nothing is planted there


def test_the_demo_has_every_feature_and_loses_nobody(demo):
    tables, loaded, found, _ = demo
    names = {c.split(":")[0] for c in found.columns} - {"customer_id"}
    assert names == set(features.feature_list()["name"])
    rfm = segments.rfm(tables["orders"], as_of=loaded.as_of)
    ours = found[["customer_id", "recency_days", "orders", "monetary"]].rename(columns={"orders": "frequency"})
    pd.testing.assert_frame_equal(ours, rfm, check_exact=True)


def test_the_features_of_an_earlier_day_know_nothing_later(demo):
    tables, _, _, _ = demo
    day = date(2025, 12, 31)
    earlier = {
        name: t.filter(t[TABLES[name].day] <= day) if TABLES[name].day in t.columns and name != "customers" else t
        for name, t in tables.items()
    }
    pd.testing.assert_frame_equal(
        features.read_features(tables, as_of=day, zone=KYIV), features.read_features(earlier, as_of=day, zone=KYIV)
    )


def test_online_retail(tmp_path):
    client = real_clients.online_retail(tmp_path)
    loaded = load(client)
    tables = {name: read_parquet(connect(), path) for name, path in loaded.tables.items()}
    found = features.read_features(tables, as_of=loaded.as_of, zone=client.time_zone)
    rfm = segments.rfm(tables["orders"], as_of=loaded.as_of)
    ours = found[["customer_id", "recency_days", "orders", "monetary"]].rename(columns={"orders": "frequency"})
    pd.testing.assert_frame_equal(ours, rfm, check_exact=True)
    assert {"products", "products_per_order", "returned_share", "evening_share"} <= set(found.columns)
    assert not {"categories", "discounted_share", "nps_mean"} & set(found.columns)
    assert found["products"].median() > 10
    assert found["night_share"].max() == 0  # a wholesaler's office hours
