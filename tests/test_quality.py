from datetime import date

import numpy as np
import pandas as pd
import pytest
import yaml
from hand_orders import orders, random_orders, table

from cxkit import quality
from cxkit.errors import DataError
from cxkit.findings import judge
from cxkit.tables import TABLES

DAY = date(2026, 4, 30)
ACCOUNT = {
    "orders": {"rows_in": 200, "kept": 180, "netted": 5, "refused": {"amount is not above 0": 8, "no date": 12}},
    "events": {"rows_in": 0, "kept": 0, "netted": 0, "refused": {}},
}  # fmt: skip
LINES = [
    ("1", "anna", "2026-01-20", 10.0),
    ("1", "anna", "2026-01-20", 5.0),
    ("2", None, "2026-01-21", 10.0),
    ("3", "bohdan", "2026-03-02", 90.0),
    ("4", "anna", "2026-03-02", 20.0),
    ("5", "anna", "2026-03-03", 20.0),  # cancelled
    ("6", "anna", "2026-04-03", 0.0),  # a return that matched no sale
    ("7", "celina", "2026-04-03", 0.0),  # celina only returned
    ("8", "anna", "2026-05-01", 20.0),  # after as_of
]
STATUS = ["completed"] * 5 + ["cancelled", "returned", "returned", "completed"]
REFUND = [0.0, 0, 0, 0, 4, 0, 3, 8, 0]


def shop():
    return orders(LINES, status=STATUS, refund=REFUND)


def test_rows_are_accounted_for():
    frame = quality.accounting(ACCOUNT)
    assert frame.to_records(index=False).tolist()[:5] == [
        ("orders", "rows in", 200, 1.0),
        ("orders", "kept", 180, 0.9),
        ("orders", "of these netted", 5, 0.025),
        ("orders", "refused: no date", 12, 0.06),
        ("orders", "refused: amount is not above 0", 8, 0.04),
    ]
    assert frame["share"].isna().sum() == 2  # an empty table has no shares


def test_rows_that_do_not_add_up_are_a_fault():
    wrong = {"orders": {"rows_in": 200, "kept": 180, "netted": 0, "refused": {"no date": 12}, "notes": []}}
    with pytest.raises(
        DataError, match=r"'orders' does not add up: 200 rows came in, 180 were kept and 12 refused \(192"
    ):
        quality.accounting(wrong)


def test_refused_share_is_counted_in_full():
    share = quality.refused_share(ACCOUNT)
    assert (share.value, share.low, share.high, share.n) == (0.1, 0.1, 0.1, 200)
    finding = quality.refused_share_finding(share)
    assert finding.sentence() == (
        "10 % of the rows of orders could not be used; what the client's own rules leave out is not counted "
        "(counted in full, n = 200)."
    )
    assert finding.id == "quality.refused_share"
    assert judge(share, 0.05, higher_is_better=finding.higher_is_better) == "weakness"
    assert quality.refused_share(ACCOUNT, table="surveys").method == "no table 'surveys'"


def test_what_the_clients_rules_leave_out_is_no_fault_of_the_data():
    account = {"rows_in": 200, "kept": 100, "netted": 0, "refused": {"after as_of": 90, "no date": 10}, "left_out": 90}
    share = quality.refused_share({"orders": account})
    assert (share.value, share.n) == (0.05, 200)
    assert quality.accounting({"orders": account})["rows"].to_list() == [200, 100, 90, 10]


def test_months_by_hand():
    frame = quality.monthly_coverage(shop(), as_of=DAY)
    assert frame["month"].dt.strftime("%Y-%m").to_list() == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert frame["lines"].to_list() == [3, 0, 2, 0]
    assert frame["orders"].to_list() == [2, 0, 2, 0]
    assert frame["customers"].to_list() == [1, 0, 2, 0]
    assert frame["without_customer"].to_list() == [1, 0, 0, 0]
    assert frame["revenue"].to_list() == [25, 0, 106, 0]
    assert frame["days"].to_list() == [2, 0, 1, 0]
    # the data begin on the 20th of January
    assert frame["complete"].to_list() == [False, True, True, True]


def test_a_month_that_as_of_cuts_is_marked():
    assert quality.monthly_coverage(shop(), as_of=date(2026, 4, 29))["complete"].to_list() == [False, True, True, False]
    one_month = quality.monthly_coverage(orders([("1", "a", "2026-01-01", 1.0)]), as_of=date(2026, 1, 31))
    assert one_month["complete"].to_list() == [True]
    assert len(quality.monthly_coverage(shop(), as_of=date(2025, 1, 1))) == 0


def test_months_add_up():
    frame = random_orders(np.random.default_rng(1), 300)
    coverage = quality.monthly_coverage(table(frame), as_of=date(2026, 3, 31))
    assert coverage["orders"].sum() == frame["order_id"].nunique()
    assert coverage["lines"].sum() == len(frame)
    assert coverage["revenue"].sum() == pytest.approx(frame["amount"].sum())


def test_orders_without_a_customer():
    share = quality.without_customer(shop(), as_of=DAY)
    assert (share.value, share.n) == (0.25, 4)
    finding = quality.without_customer_finding(share)
    assert finding.sentence().startswith("25 % of orders name no customer (counted in full, n = 4)")
    assert not quality.without_customer(shop(), as_of=date(2025, 1, 1)).known


def test_one_customer_with_a_large_share():
    frame = quality.largest_customers(shop(), as_of=DAY, rows=2)
    assert frame["customer_id"].to_list() == ["bohdan", "anna"]
    # anna: 15 + 20 - 4 - 3; celina's refund of 8 is in the whole
    assert frame["revenue"].to_list() == [90, 28]
    assert frame["share_of_revenue"].to_list() == pytest.approx([90 / 110, 28 / 110])
    assert frame["large"].all()
    many = quality.largest_customers(table(random_orders(np.random.default_rng(1), 500)), as_of=DAY)
    assert len(many) == 5
    assert not many["large"].any()


def test_revenue_is_somebodys_or_nobodys_and_adds_up():
    frame = quality.revenue_by_owner(shop(), as_of=DAY).set_index("whose")
    assert frame["revenue"].to_dict() == {
        "customers who ordered": 118, "customers who only returned": -8, "no customer": 10,
    }  # fmt: skip
    assert frame["customers"].to_list() == [2, 1, 0]
    assert frame["orders"].to_list() == [3, 0, 1]


def test_what_cannot_be_assessed_and_what_to_ask_for():
    frame = quality.not_assessed(["events"], {"orders": ["category", "product", "status"]})
    assert frame["why"].to_list() == [
        "orders has no status",
        "the table events is missing",
        "orders has no category",
    ]
    assert frame["notebook"].to_list() == ["00_data_quality", "02_journey", "03_loyalty"]
    assert frame.loc[1, "ask_for"].startswith("an export of visits")
    assert len(quality.not_assessed([], {"orders": ["coupon", "promised_at"]})) == 0  # no page uses them
    assert len(quality.not_assessed([], {})) == 0
    with pytest.raises(DataError, match="no such tables: ordres; there are orders, customers"):
        quality.not_assessed(["ordres"], {})


def test_a_table_that_no_page_asks_needs_nothing():
    row = quality.not_asked(["events"]).iloc[0]
    assert row["why"] == "the table events was read and checked, but no page of this version asks it"
    assert row["ask_for"] == "nothing, the data are there"
    assert len(quality.not_asked([])) == 0


def test_every_question_rests_on_a_table_and_column_that_exist():
    known = yaml.safe_load(quality.ASSESSED.read_text(encoding="utf-8"))["tables"]
    assert set(known) == set(TABLES)
    for table_name, entry in known.items():
        assert set(entry.get("columns", {})) <= set(TABLES[table_name].columns)
        for text in (entry, *entry.get("columns", {}).values()):
            assert text["question"]
            assert text["ask"]
            assert text["notebook"][:2].isdigit()


def test_pictures(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    coverage = quality.monthly_coverage(shop(), as_of=DAY)
    ax = quality.plot_coverage(coverage)
    heights = sorted(bar.get_height() for bar in ax.patches)
    assert heights == sorted(coverage["orders"])
    assert sum(bar.get_hatch() is not None for bar in ax.patches) == 1
    reasons = quality.plot_accounting(quality.accounting(ACCOUNT))
    assert [t.get_text() for t in reasons.get_yticklabels()] == ["no date", "amount is not above 0"]
    assert [t.get_text() for t in reasons.texts] == ["12 (6.0 %)", "8 (4.0 %)"]
    for number, axes in enumerate((ax, reasons)):
        axes.figure.savefig(tmp_path / f"{number}.png")
        matplotlib.pyplot.close(axes.figure)


def test_a_frame_is_not_changed():
    account = quality.accounting(ACCOUNT)
    before = account.copy()
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.pyplot.close(quality.plot_accounting(account).figure)
    pd.testing.assert_frame_equal(account, before)
