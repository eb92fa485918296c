"""Names from what sets a cluster apart: worked out by eye."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from cxkit.cluster_names import (
    apart,
    describe_differences,
    differences,
    fit_model,
    name_clusters,
    plot_differences,
)
from cxkit.features import feature_list
from cxkit.scales import Scale

LISTED = feature_list()
VALUE = Scale("order_value", "amount", 0.0, 1.0)
DISCOUNT = Scale("discounted_share", "share", 0.0, 1.0, "orders", 0.2, 1.0)
APP, WEB = (Scale(f"channel:{c}", "share", 0.0, 1.0, "orders", 0.5, 1.0) for c in ("app", "web"))


def names(centres, scales, sizes=None):
    centres = np.array(centres, dtype=float)
    return name_clusters(
        centres, scales, sizes=np.ones(len(centres)) if sizes is None else np.array(sizes), listed=LISTED
    )


def test_how_far_a_centre_lies_from_the_middle_of_all():
    # three customers at 0, one at 4: the middle is 1
    assert apart(np.array([[0.0], [4.0]]), np.array([3, 1])).tolist() == [[-1.0], [3.0]]


def test_the_two_largest_differences_name_a_cluster():
    assert names([[2, 0], [-2, 0], [0, 3], [0, -3]], [VALUE, DISCOUNT]) == [
        "Large orders",
        "Small orders",
        "Often with a discount",
        "Seldom with a discount",
    ]
    assert names([[2, 1], [-2, -1]], [VALUE, DISCOUNT]) == [
        "Large orders, often with a discount",
        "Small orders, seldom with a discount",
    ]


def test_a_family_names_what_a_cluster_has_not_what_it_lacks():
    assert names([[2, -2], [-2, 2]], [APP, WEB]) == ["Often by app", "Often by web"]


def test_a_difference_under_half_a_spread_names_nothing():
    assert names([[0.4, 0], [-0.4, 0]], [VALUE, DISCOUNT]) == [
        "In the middle in everything (1)",
        "In the middle in everything (2)",
    ]


def test_more_words_where_two_would_have_one_name():
    centres = [[3, 2, 1], [3, 2, -1], [-6, -4, 0]]
    found = names(centres, [VALUE, DISCOUNT, Scale("products_per_order", "amount", 0.0, 1.0)])
    assert found == [
        "Large orders, often with a discount, many products in an order",
        "Large orders, often with a discount, few products in an order",
        "Small orders, seldom with a discount",
    ]


def test_a_hair_changes_no_name():
    centres = np.array([[2.0, 1.0], [-2.0, -1.0]])
    rng = np.random.default_rng(1)
    assert all(names(centres + 1e-3 * rng.random((2, 2)), [VALUE, DISCOUNT]) == names(centres, [VALUE, DISCOUNT])
               for _ in range(50))  # fmt: skip


def test_a_clients_own_word_is_made_plain_and_short():
    (name, _) = names([[1], [-1]], [Scale("channel:<b>$x_1$</b>\n" + "ж" * 80, "share", 0, 1, "orders", 0.5, 1.0)])
    assert "\n" not in name
    assert len(name) < 60


@pytest.fixture(scope="module")
def fitted():
    rows, truth = make_blobs([60, 200, 140], centers=[[4, 0], [0, 0], [0, 4]], cluster_std=0.4, random_state=1)
    ids = [f"c{i:03d}" for i in range(len(rows))]
    scaled = pd.DataFrame(rows, index=ids, columns=["order_value", "discounted_share"])
    features = pd.DataFrame({"monetary": np.array([10.0, 900.0, 100.0])[truth]}, index=ids)
    model = fit_model(features, scaled, [VALUE, DISCOUNT], k=3, listed=LISTED, as_of=date(2026, 6, 30), seed=1)
    return model


def test_the_most_valuable_cluster_stands_first(fitted):
    assert fitted.sizes == (200, 140, 60)
    assert fitted.names[1] == "Often with a discount, small orders"
    assert fitted.names[2] == "Large orders, seldom with a discount"
    assert fitted.as_of == "2026-06-30"


def test_differences_add_up_to_nothing_over_all_customers(fitted):
    table = differences(fitted, listed=LISTED)
    weighed = (table["difference"] * table["customers"]).groupby(table["feature"]).sum()
    assert weighed.tolist() == pytest.approx([0, 0], abs=1e-6)
    assert table["label"].unique().tolist() == ["Value of an order", "Orders with a discount"]


def test_the_picture_carries_its_numbers_and_its_text_what_it_shows(fitted):
    table = differences(fitted, listed=LISTED)
    texts = [t.get_text() for t in plot_differences(table).texts]
    assert len(texts) == 6
    assert all(t[0] in "+−" for t in texts)
    assert (
        "Large orders, seldom with a discount: most above the middle in Value of an order (+3."
        in describe_differences(table)
    )
