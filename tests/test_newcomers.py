from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, table
from hand_touches import touches

from cxkit import newcomers
from cxkit.errors import UsageError
from cxkit.findings import CLAIM_COLUMNS

DAY = date(2026, 6, 30)
NO_PRODUCT = ("finds", "touches", "new_category")


def shop(*, customers=60, orders_each=5, thing):
    """Customers with an order a week each; `thing(number, rng)` is what the order of that number holds."""
    rng = np.random.default_rng(1)
    rows = [
        (f"{c:03d}-{k}", f"c{c:03d}", pd.Timestamp("2026-01-05") + pd.Timedelta(days=7 * k), 10.0, thing(k, rng))
        for c in range(customers)
        for k in range(orders_each)
    ]
    frame = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_on", "amount", "category"])
    return frame.assign(refund=0.0, status="completed")


def with_products(frame):
    """The same orders with product_id, which the hand-made tables lack; it is the category."""
    made = table(frame)
    return made.mutate(product_id=made.category)


def visits(frame, steps):
    """A visit for each order, whose touches are at `steps(number)`, a minute apart, ending with the order."""
    rows = []
    for row in frame.itertuples():
        names = [*steps(int(row.order_id[-1])), "order_placed"]
        start = row.ordered_on - pd.Timedelta(minutes=len(names) - 1)
        at = [start + pd.Timedelta(minutes=i) for i in range(len(names))]
        rows += [(row.customer_id, row.order_id, t, name) for t, name in zip(at, names, strict=True)]
    return touches([(who, visit, str(t), name) for who, visit, t, name in rows])


def by_measure(found):
    return found.set_index("measure")


def test_groups_by_hand():
    lines = [(f"a{i}", "anna", f"2026-06-0{i}", 5.0) for i in range(1, 4)]
    lines += [
        ("b1", "bohdan", "2026-06-01", 5.0),
        ("c1", "celina", "2026-06-01", 5.0),
        ("c2", "celina", "2026-06-02", 5.0),
    ]
    lines += [("d1", None, "2026-06-01", 5.0), ("e1", "eva", "2026-07-01", 5.0)]
    found = newcomers.experience_groups(orders(lines), as_of=DAY)
    assert found.to_dict("records") == [
        {"customer_id": "anna", "group": "experienced"},
        {"customer_id": "bohdan", "group": "new"},
    ]


def test_cells_by_hand():
    """What each order held, and whether it was new then or in the order before."""
    frame = pd.DataFrame(
        [("1", "2026-06-01", "x"), ("2", "2026-06-02", "x"), ("2", "2026-06-02", "y"), ("3", "2026-06-03", "z"),
         ("4", "2026-06-04", "y"), ("5", "2026-06-05", None), ("6", "2026-06-06", "y")],
        columns=["order_id", "ordered_on", "category"],
    ).assign(customer_id="anna", amount=5.0, refund=0.0, status="completed")  # fmt: skip
    canonical = table(frame)
    placed = newcomers._placed(canonical, DAY)
    cells = {
        m: newcomers._order_cells(canonical, placed, "category", m).to_pandas()
        for m in ("new_category", "bought_again")
    }
    parts = {m: dict(zip(made["before"], made["part"], strict=True)) for m, made in cells.items()}
    assert parts["new_category"] == {1: 1, 2: 1, 3: 0, 5: 0}  # of order 5 nothing is known
    assert parts["bought_again"] == {1: 1, 2: 0, 3: 0, 5: 0}


def test_visits_by_hand():
    canonical = orders([("1", "anna", "2026-03-01 10:05", 5.0), ("2", "anna", "2026-03-02 10:00", 5.0)])
    log = touches(
        [
            ("anna", "v1", "10:00", "Search"), ("anna", "v1", "10:02", "product"),
            ("anna", "v1", "10:05", "order_placed"),
            ("anna", "v1", "10:06", "faq"),
            ("anna", "v2", "2026-03-02 10:00", "cart"),  # the second order is placed at this moment, not before it
            ("anna", "v3", "2026-03-02 10:01", "view-item list"),
            ("anna", None, "2026-03-02 10:02", "delivery"),  # no visit
            ("session s", "s", "10:00", "search"),  # nobody known
        ]
    )  # fmt: skip
    finds, touched = newcomers._visit_cells(log, newcomers._placed(canonical, DAY), {"search", "view_item_list"})
    assert sorted(zip(*finds.to_pandas()[["before", "part"]].to_numpy().T, strict=True)) == [(0, 1), (1, 0), (2, 1)]
    assert touched.to_pandas()[["before", "part"]].to_numpy().tolist() == [[0, 2]]


def test_what_the_article_says_is_found_where_it_is_so():
    frame = shop(thing=lambda k, _: f"{k}" if k < 2 else "usual")
    steps = lambda k: ["search", "category", "product"] if k < 2 else ["product"]  # noqa: E731
    found = newcomers.needs(with_products(frame), visits(frame, steps), as_of=DAY)
    assert list(found["measure"]) == list(newcomers.MEASURES)
    assert set(found["verdict"]) == {newcomers.AS_SAID}
    rows = by_measure(found)
    assert rows.loc["touches", ["new", "experienced", "difference"]].to_list() == [3.0, 1.0, -2.0]
    assert rows.loc["finds", ["new", "experienced", "difference"]].to_list() == [1.0, 0.0, -100.0]
    # of second orders all have something new; of the fourth and fifth none
    assert rows.loc["new_category", ["new", "experienced", "new_of", "experienced_of"]].to_list() == [1.0, 0.0, 60, 120]
    turned = newcomers.needs(with_products(frame), visits(frame, lambda k: steps(4 - k)), as_of=DAY)
    assert by_measure(turned).loc["touches", "verdict"] == newcomers.OTHERWISE


def test_nothing_is_told_apart_where_nothing_differs():
    called = 0
    for seed in range(10):
        rng = np.random.default_rng([2, seed])
        frame = shop(thing=lambda *_, rng=rng: rng.choice(list("ab")))
        steps = lambda _, rng=rng: rng.choice(["search", "product", "cart"], rng.integers(1, 6))  # noqa: E731
        found = by_measure(newcomers.needs(with_products(frame), visits(frame, steps), as_of=DAY))
        # that fewer things are new the more orders there were comes by itself
        assert found.loc["new_category", "new"] > found.loc["new_category", "experienced"]
        called += found.drop("new_category")["reading"].isin(["more", "less"]).any()
    assert called <= 2


def test_the_error_of_the_difference_is_that_over_customers():
    """The differences of many shops spread as their errors say, though each customer is on both sides."""
    gaps, errors = [], []
    frame = shop(thing=lambda *_: "x")
    placed = newcomers._placed(table(frame), DAY)
    for seed in range(60):
        rng = np.random.default_rng([6, seed])
        habit = dict(zip(range(60), rng.random(60), strict=True))
        rate = lambda code, habit=habit: habit[int(code[:3])]  # noqa: E731
        part = [int(rng.random() < rate(code)) for code in frame["order_id"]]
        known = ibis.memtable(frame[["order_id"]].assign(part=part))
        cells = newcomers._shaped(placed.join(known, "order_id"), "finds")
        sums = newcomers._sums([cells], 1, 3).set_index("group")
        gaps.append(sums.loc["experienced", "value"] - sums.loc["new", "value"])
        errors.append(sums.loc["experienced", "difference_error"])
    assert np.std(gaps) == pytest.approx(np.mean(errors), rel=0.25)


def test_what_cannot_be_known_says_why():
    frame = shop(thing=lambda *_: "x")
    found = by_measure(newcomers.needs(table(frame), as_of=DAY))
    assert found.loc["finds", "method"] == found.loc["touches", "method"] == "there is no table of events"
    assert found.loc["bought_again", "method"] == "the orders have no column 'product_id'"
    assert found.loc["finds", ["reading", "verdict"]].to_list() == ["not known", newcomers.TOO_EARLY]
    assert found.loc["new_category", "n"] == 60
    few = by_measure(newcomers.needs(table(frame[frame["customer_id"] < "c019"]), as_of=DAY))
    assert few.loc["new_category", "method"] == "fewer than 20 customers on a side"
    assert np.isnan(few.loc["new_category", "new"])
    nowhere = newcomers.needs(table(frame), visits(frame, lambda _: ["product"]), as_of=DAY)
    assert by_measure(nowhere).loc["finds", "method"] == "no visit came to a touchpoint for searching or browsing"
    nobody = newcomers.needs(table(frame.drop(columns="category")), as_of=DAY)
    assert set(nobody["reading"]) == {"not known"}
    assert newcomers.needs_sentences(nobody)[0].startswith("Not known: visits that search or browse (there is no table")


def test_claims_and_sentences():
    frame = shop(thing=lambda k, _: f"{k}" if k < 2 else "usual")
    found = newcomers.needs(table(frame), visits(frame, lambda k: ["search"] * (4 - k // 2)), as_of=DAY)
    claims = newcomers.claims_checked(found)
    assert list(claims.columns) == list(CLAIM_COLUMNS)
    touched = claims.iloc[1]
    assert touched["theirs"] == "less when experienced"
    assert touched["ours"].startswith("−1.50")
    assert touched["reading"] == "as the article says"
    assert claims.iloc[3]["reading"] == "cannot be checked here: the orders have no column 'product_id'"
    assert claims["source"].str.startswith("S4: Working with loyal customers").all()
    said = newcomers.needs_sentences(found)
    assert said[1].startswith("Touches in a visit before its order: 2.50 with experienced customers, 4 with new ones")
    assert said[2].startswith("Orders with a category never bought before: 0 % with experienced customers, 100 % with")
    assert said[-1] == "Not known: orders with a product of the order before (the orders have no column 'product_id')."


def test_messages():
    lines = orders([("1", "anna", "2026-06-01", 5.0)])
    with pytest.raises(UsageError, match="must be at least 1 and below experienced_orders; found 3 and 3"):
        newcomers.experience_groups(lines, as_of=DAY, new_orders=3)
    with pytest.raises(UsageError, match="found 0 and 3"):
        newcomers.needs(lines, as_of=DAY, new_orders=0)
    with pytest.raises(UsageError, match="no measure 'x'; there are: finds, touches"):
        newcomers.need_estimate(newcomers.needs(lines, as_of=DAY), measure="x")
