from datetime import date
from pathlib import Path

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import privacy, profiles, style
from cxkit.engine import collect, connect, read_parquet
from cxkit.errors import UsageError

DEMO = Path(__file__).parents[1] / "data" / "demo"
DAY = date(2026, 6, 30)
TRAITS = {"customer_id": "string", "order_id": "string", "aspect": "string", "value": "string"}
TYPES = {"order_id": "string", "customer_id": "string", "ordered_at": "timestamp(6)", "ordered_on": "date",
         "amount": "float64", "status": "string", "category": "string", "channel": "string"}  # fmt: skip


def lines(rows, *, drop=()):
    """Rows (order, customer, UTC time, category, channel[, amount[, status]]) as order lines of a shop in Kyiv."""
    full = [(*row, *(10.0, "completed")[len(row) - 5 :]) for row in rows]
    frame = pd.DataFrame(full, columns=["order_id", "customer_id", "at", "category", "channel", "amount", "status"])
    at = pd.to_datetime(frame.pop("at"))
    local = at.dt.tz_localize("UTC").dt.tz_convert("Europe/Kyiv")
    frame = frame.assign(ordered_at=at, ordered_on=local.dt.date).astype({"category": object, "channel": object})
    types = {name: kind for name, kind in TYPES.items() if name not in drop}
    return ibis.memtable(frame.where(frame.notna(), None)[list(types)], schema=types)


def traits_of(table, **settings):
    made = profiles.order_traits(table, as_of=DAY, zone="Europe/Kyiv", **settings)
    return collect(made, order_by=["order_id", "aspect", "value"])


def made_traits(per_customer, *, aspect="channel"):
    """A trait table from customers and the values of their orders: {"a1": ["app", "web"], …}."""
    rows = [
        (who, f"{who}-{i}", aspect, value) for who, values in per_customer.items() for i, value in enumerate(values)
    ]
    return ibis.memtable(pd.DataFrame(rows, columns=list(TRAITS)), schema=TRAITS)


def grouped(per_customer):
    """The first letter of a customer is his group."""
    return pd.DataFrame({"customer_id": list(per_customer), "group": [who[0] for who in per_customer]})


def shop(sizes, shares, *, seed=1, orders=3):
    """Customers of groups a, b, …: `orders` orders each, by app with the group's share, else by web."""
    rng = np.random.default_rng(seed)
    return {
        f"{letter}{i}": list(np.where(rng.random(orders) < share, "app", "web"))
        for letter, size, share in zip("abcdefgh", sizes, shares, strict=False)
        for i in range(size)
    }


# --- traits


def test_traits_by_hand():
    table = lines(
        [
            ("1", "anna", "2026-06-01 15:30", "toys", "app"),  # Monday, 18:30 in Kyiv
            ("1", "anna", "2026-06-01 15:30", "books", "app"),
            ("1", "anna", "2026-06-01 15:30", "toys", None),
            ("2", "anna", "2026-06-06 21:00", None, "web"),  # midnight of Sunday in Kyiv: a day without a time
            ("3", "bohdan", "2026-01-01 04:00", "toys", "web"),  # winter: 6:00
            ("4", None, "2026-06-01 10:00", "toys", "web"),  # nobody's
            ("5", "celina", "2026-06-01 10:00", "toys", "web", 10.0, "cancelled"),
            ("6", "celina", "2026-06-30 21:01", "toys", "web"),  # 1 July in Kyiv
            ("7", "bohdan", "2026-06-01 10:00", "toys", "web", 0.0, "returned"),  # a return alone
        ]
    )
    found = [tuple(row) for row in traits_of(table)[["order_id", "customer_id", "aspect", "value"]].to_numpy()]
    assert found == [
        ("1", "anna", "category", "books"),
        ("1", "anna", "category", "toys"),
        ("1", "anna", "channel", "app"),
        ("1", "anna", "part of day", "evening"),
        ("1", "anna", "weekday", "Monday"),
        ("2", "anna", "channel", "web"),
        ("2", "anna", "weekday", "Sunday"),
        ("3", "bohdan", "category", "toys"),
        ("3", "bohdan", "channel", "web"),
        ("3", "bohdan", "part of day", "morning"),
        ("3", "bohdan", "weekday", "Thursday"),
    ]


def test_parts_of_the_day_and_week():
    hours = [0, 5, 6, 11, 12, 17, 18, 21, 22, 23]
    table = lines([(f"{h:02d}", "anna", f"2026-06-0{1 + i % 7} {h:02d}:10", "x", "web") for i, h in enumerate(hours)])
    made = collect(profiles.order_traits(table, as_of=DAY, zone="UTC"), order_by=["order_id", "aspect"])
    parts = made.loc[made["aspect"] == "part of day", "value"].to_list()
    assert parts == ["night"] * 2 + ["morning"] * 2 + ["afternoon"] * 2 + ["evening"] * 2 + ["night"] * 2
    assert set(made["value"]) >= set(profiles.WEEKDAYS)


def test_an_aspect_without_its_column_is_not_there():
    rows = [("1", "anna", "2026-06-01 10:00", "toys", "app")]
    assert set(traits_of(lines(rows))["aspect"]) == {"category", "channel", "part of day", "weekday"}
    bare = traits_of(lines(rows, drop=("category", "channel", "status")))
    assert set(bare["aspect"]) == {"part of day", "weekday"}


# --- lifts


def test_lifts_by_hand():
    people = {f"a{i}": ["app"] * 3 + ["web"] for i in range(6)} | {f"b{i}": ["app", "web"] for i in range(5)}
    people |= {"b5": ["web", "web"], "c0": ["app"]}  # c is of nobody's group
    table = profiles.trait_lifts(made_traits(people), grouped({k: v for k, v in people.items() if k != "c0"}))
    assert list(table.columns) == list(profiles.COLUMNS)
    row = table[(table["group"] == "a") & (table["value"] == "app")].iloc[0]
    assert (row["orders"], row["of"], row["customers"], row["n"]) == (18, 24, 6, 12)
    assert (row["share"], row["others"]) == pytest.approx((18 / 24, 5 / 12))
    assert row["lift"] == pytest.approx(18 / 24 / (5 / 12) - 1)
    assert row["low"] < row["lift"] < row["high"]
    # of two groups the second is the first turned round
    twin = table[(table["group"] == "b") & (table["value"] == "app")].iloc[0]
    assert (1 + twin["low"]) * (1 + row["high"]) == pytest.approx(1)
    assert twin["level"] == row["level"]
    assert table["family"].to_list() == [2] * 4


def test_what_is_planted_is_more_and_the_rest_is_not():
    people = shop([80, 80, 80], [0.8, 0.3, 0.3])
    table = profiles.trait_lifts(made_traits(people), grouped(people)).set_index(["group", "value"])
    assert table.loc[("a", "app"), "reading"] == "more"
    assert table.loc[("a", "web"), "reading"] == "less"
    assert table.loc[("b", "app"), "reading"] == "less"
    same = shop([80, 80, 80], [0.4, 0.4, 0.4])
    assert set(profiles.trait_lifts(made_traits(same), grouped(same))["reading"]) == {"not told apart"}


def test_rare_values_are_pooled():
    values = [f"v{i}" for i in range(6)]
    people = {f"{g}{i}": [values[min(i % 7, 5)], "common"] for g in "ab" for i in range(21)} | {"a99": ["once"]}
    table = profiles.trait_lifts(made_traits(people), grouped(people), most_values=4)
    assert list(table.loc[table["group"] == "a", "value"]) == ["common", "v5", "v0", profiles.OTHER]
    other = table[(table["group"] == "a") & (table["value"] == profiles.OTHER)].iloc[0]
    assert (other["orders"], other["customers"]) == (13, 13)  # v1 to v4, and the one that one customer alone has
    # with room for all, what under five customers have is pooled all the same
    roomy = profiles.trait_lifts(made_traits(people), grouped(people), most_values=12)
    assert "once" not in set(roomy["value"])


def test_two_rare_values_in_one_order_are_one_order():
    people = {f"{g}{i}": ["x", "y"] for g in "ab" for i in range(6)}
    both = pd.DataFrame([(w, f"{w}-0", "category", v) for w in people for v in ("p", "q", "r")], columns=list(TRAITS))
    table = profiles.trait_lifts(ibis.memtable(both, schema=TRAITS), grouped(people), most_values=2)
    assert list(table.loc[table["group"] == "a", "value"]) == ["p", profiles.OTHER]
    assert table["share"].to_list() == [1.0] * 4


def test_small_groups_are_withheld_with_the_next():
    people = shop([30, 20, 10, 3], [0.5, 0.5, 0.5, 0.5])
    table = profiles.trait_lifts(made_traits(people), grouped(people)).set_index("group")
    assert set(table.loc[["c", "d"], "reading"]) == {"withheld"}
    numbers = ["orders", "of", "customers", "share", "others", "lift", "low", "high"]
    assert table.loc[["c", "d"], numbers].isna().all(axis=None)
    assert set(table.loc["d", "method"]) == {profiles.FEW}
    assert table.loc["a", "of"].to_list() == [90, 90]
    assert profiles.in_words(table.reset_index(), "d") == "withheld, so that nothing is told of under 5 people"


def test_fewer_than_two_groups_have_nothing_to_compare():
    people = shop([30], [0.5])
    table = profiles.trait_lifts(made_traits(people), grouped(people))
    assert table.empty
    assert list(table.columns) == list(profiles.COLUMNS)
    assert profiles.describe_profile(table) == "Nothing to show: there are no two groups with orders to compare."
    strangers = profiles.trait_lifts(
        made_traits(people), pd.DataFrame({"customer_id": ["x", "y"], "group": ["a", "b"]})
    )
    assert strangers.empty


def test_messages():
    people = shop([6, 6], [0.5, 0.5])
    with pytest.raises(UsageError, match=r"groups lacks group; it has customer_id, segment\. It needs customer_id and"):
        profiles.trait_lifts(made_traits(people), grouped(people).rename(columns={"group": "segment"}))
    twice = pd.concat([grouped(people), grouped({"a0": []}).assign(group="b")])
    with pytest.raises(UsageError, match=r"in one group; 1 stand there twice, one is 'a0'\."):
        profiles.trait_lifts(made_traits(people), twice)
    with pytest.raises(UsageError, match="most_values must be at least 2; found 1"):
        profiles.trait_lifts(made_traits(people), grouped(people), most_values=1)
    with pytest.raises(UsageError, match=r"no group 'z' in the profiles; there are: 'a', 'b'\."):
        profiles.in_words(profiles.trait_lifts(made_traits(people), grouped(people)), "z")


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(seed):
    people = shop([12, 9, 7], [0.7, 0.4, 0.2], seed=seed)
    frame = collect(made_traits(people), order_by="order_id")
    again = frame.sample(frac=1, random_state=seed)
    first = profiles.trait_lifts(ibis.memtable(frame, schema=TRAITS), grouped(people))
    second = profiles.trait_lifts(
        ibis.memtable(again, schema=TRAITS), grouped(people).sample(frac=1, random_state=seed)
    )
    pd.testing.assert_frame_equal(first, second)
    # every order by app or by web is one group's
    assert first.groupby("group")["share"].sum().to_list() == pytest.approx([1.0] * 3)


# --- the demo


@pytest.fixture(scope="module")
def demo(loaded_demo):
    orders = read_parquet(connect(), loaded_demo.tables["orders"])
    key = privacy.load_key(loaded_demo.refused_dir.parent, earlier_audits=True)
    truth = pd.read_csv(DEMO / "truth_customers.csv.gz", dtype=str)
    ids = [privacy.pseudonym(own, key=key) for own in truth["customer"]]
    traits = profiles.order_traits(orders, as_of=loaded_demo.as_of, zone="Europe/Kyiv")
    return traits, pd.DataFrame({"customer_id": ids, "group": truth["group"]})


PLANTED = {
    "busy": ["app", "apple_google_pay", "courier", "evening", "Nappies", "Baby food"],
    "anxious": ["web", "cash_on_delivery", "post_office", "night", "Baby care", "Feeding", "Health"],
    "experts": ["web", "card", "instalments", "parcel_locker", "Books", "Prams and car seats", "Nursery", "Toys"],
    "price": ["marketplace", "cash_on_delivery", "post_office", "Nappies", "Clothes", "Shoes"],
    "givers": ["store", "pickup", "Toys", "Books"],
}


def test_the_planted_groups_profiles_are_found(demo):
    lifts = profiles.trait_lifts(*demo)
    assert lifts["family"].iloc[0] == len(lifts)
    found = lifts.set_index(["group", "value"])["reading"]
    for group, values in PLANTED.items():
        assert {value: found[group, value] for value in values} == dict.fromkeys(values, "more")
    # nothing is planted in the days of the week
    assert set(lifts.loc[lifts["aspect"] == "weekday", "reading"]) == {"not told apart"}
    assert profiles.in_words(lifts, "busy").startswith("orders by app (93 % of orders, others 4.3 %), ")
    assert "in the evening" in profiles.in_words(lifts, "busy")


def test_random_groups_have_no_profile(demo):
    traits, groups = demo
    traits, called = traits.cache(), 0
    for seed in range(6):
        shuffled = np.random.default_rng([5, seed]).permutation(groups["group"])
        called += profiles.trait_lifts(traits, groups.assign(group=shuffled))["reading"].isin(["more", "less"]).any()
    assert called <= 1


# --- words and pictures


def lifts_of(rows):
    """Rows (group, aspect, value, share, others, low, high) as `trait_lifts` would have them."""
    frame = pd.DataFrame(rows, columns=["group", "aspect", "value", "share", "others", "low", "high"])
    reading = np.select([frame["low"].isna(), frame["low"] > 0, frame["high"] < 0], ["withheld", "more", "less"],
                        "not told apart")  # fmt: skip
    return frame.assign(orders=10, of=100, customers=9, n=99, level=0.99, family=len(frame), reading=reading)


def test_words():
    lifts = lifts_of(
        [
            ("a", "channel", "app", 0.9, 0.2, 2.0, 5.0),
            ("a", "part of day", "night", 0.6, 0.2, 1.0, 4.0),
            ("a", "payment", "cash_on_delivery", 0.5, 0.3, 0.5, 1.0),
            ("a", "category", "Toys", 0.5, 0.4, 0.1, 0.4),
            ("a", "category", profiles.OTHER, 0.5, 0.1, 3.0, 6.0),
            ("b", "channel", "app", 0.1, 0.5, -0.9, -0.6),
            ("b", "weekday", "Monday", 0.2, 0.2, -0.2, 0.3),
            ("c", "weekday", "Monday", 0.2, 0.2, -0.2, 0.3),
        ]
    )
    assert profiles.in_words(lifts, "a") == (
        "orders by app (90 % of orders, others 20 %), at night (60 %, others 20 %), pays by cash on delivery (50 %, "
        "others 30 %), buys Toys (50 %, others 40 %)"
    )
    assert profiles.in_words(lifts, "a", most=1) == "orders by app (90 % of orders, others 20 %)"
    assert profiles.in_words(lifts, "b") == "less often than others: orders by app (10 % of orders, others 50 %)"
    assert profiles.in_words(lifts, "c") == "nothing is told apart from the other groups"
    assert "b: less often than others" in profiles.describe_profile(lifts)


@pytest.fixture
def drawn():
    with plt.rc_context(style.theme()):
        yield profiles.plot_profile
    plt.close("all")


def texts(ax):
    return [t.get_text() for t in ax.texts]


def test_the_picture_marks_what_is_certain(drawn):
    rows = [("a", "channel", "app", 0.9, 0.2, 2.0, 5.0), ("b", "channel", "app", 0.2, 0.9, -0.8, -0.6)]
    rows += [("c", "channel", "app", 0.5, 0.5, -0.1, 0.1), ("d", "channel", "app", *[np.nan] * 4)]
    rows += [(group, "weekday", "Monday", 0.2, 0.2, -0.1, 0.1) for group in "abcd"]
    ax = drawn(lifts_of(rows))
    assert texts(ax) == ["\u25b2 90 %", "\u25bc 20 %", "50 %"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Channel", "App"]  # Monday says nothing
    assert "Hatched" in ax.get_xlabel()


def test_the_picture_shows_what_stands_out_most(drawn):
    rows = [
        (f"group {g}", "category", f"v{i:02d}", 0.2, 0.1, 0.01 * i, 0.5 + i) for g in range(10) for i in range(1, 41)
    ]
    ax = drawn(lifts_of(rows))
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[:2] == ["Category", "V11"]
    assert len(labels) == 31
    assert len(ax.get_xticks()) == 8
    assert "10 more of the values that stand out and 2 of the groups" in ax.get_xlabel().replace("\n", " ")


def test_names_from_data_are_drawn_as_they_are(drawn):
    names = ["$x$ <b>", "Ті, хто купує найчастіше й найбільше за все на світі", "c", "d", "e", "f"]
    rows = [(name, "channel", "a_$b$", 0.9, 0.2, 2.0, 5.0) for name in names]
    ax = drawn(lifts_of(rows))
    assert r"\$x\$" in ax.get_xticklabels()[0].get_text()
    assert ax.get_yticklabels()[1].get_text() == r"A \$b\$"
    assert ax.get_xticklabels()[1].get_text().endswith("…")
    ax.figure.canvas.draw()


def test_the_picture_of_nothing(drawn):
    assert texts(drawn(lifts_of([]))) == ["nothing to show yet"]
