"""Last year's export and this year's: made-up order lines whose columns are not quite the same."""

from pathlib import Path

from column_samples import orders, proposal_of

from cxkit import new_client, sources
from cxkit.client import load_client
from cxkit.one_shape import difference, merged, only_in_some
from cxkit.proposal import combine, propose


def year(first: int, rows: int = 24, **more: list) -> dict[str, list]:
    """Order lines whose orders are numbered from `first`."""
    return {**orders(rows), "Order number": [f"A-{first + i // 2}" for i in range(rows)], **more}


def pair(one, two):
    return ((p := proposal_of(one, "2025.csv")), [p]), ((q := proposal_of(two, "2026.csv")), [q])


def test_two_years_are_one_export_by_the_columns_that_both_have():
    late = year(900, Channel=["web", "store"] * 12)
    whole, files = merged(*pair(year(100), late), propose)
    assert [p.form.path for p in files] == [Path("2025.csv"), Path("2026.csv")]
    assert "channel" not in whole.settings["columns"]
    assert whole.settings["columns"]["order_id"] == "Order number"
    assert only_in_some(files) == {"Channel": "only in 2026.csv"}
    plan = combine([proposal_of(late, "2026.csv"), proposal_of(year(100), "2025.csv")])
    assert sorted(plan.tables["orders"]["path"]) == ["2025.csv", "2026.csv"]
    assert plan.unmapped["orders"]["Channel"] == "only in 2026.csv"
    told = '2 exports, read by the columns that all have; left out: "Channel" only in 2026.csv'
    assert plan.evidence["tables.orders.path"] == told
    assert plan.left == {}


def test_what_numbers_rest_on_must_be_the_same_in_both():
    base = year(100)
    assert merged(*pair(base, year(900, Note=["x", "y"] * 12)), propose)
    for apart in (
        year(105, Note=["x", "y"] * 12),  # half of the orders stand in both
        year(900, Status=["paid", "cancelled"] * 12),  # cancelled lines would count
        year(900, Currency=["UAH", "EUR"] * 12),
        {("Price" if k == "Unit price" else k): v for k, v in year(900).items()},
        {k: v for k, v in year(900).items() if k != "Customer"},
    ):
        assert merged(*pair(base, apart), propose) is None
        plan = combine([proposal_of(base, "2025.csv"), proposal_of(apart, "2026.csv")])
        assert len(plan.tables["orders"]["path"]) == 1


def test_what_cannot_be_read_together_says_what_to_write():
    one, two = (proposal_of(y, f"{n}.csv") for n, y in (("a", year(1)), ("b", year(900, Status=["paid", "new"] * 12))))
    assert difference(one, two) == (
        'looks like orders, which a.csv feeds; its columns differ: it has "Status" besides. To read both, give what is'
        " mapped the same names in both files and write tables.orders.path: [a.csv, b.csv]"
    )
    other = proposal_of(year(1), "c.csv", delimiter=";")
    assert "which is read in another way (encoding, delimiter, sheet or header row)." in difference(one, other)


def test_both_years_pass_the_door(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, columns in {"2025.csv": year(100), "2026.csv": year(900, Channel=["web", "store"] * 12)}.items():
        rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
        Path(name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    files = [Path("2025.csv"), Path("2026.csv")]
    told = new_client.new_client("shop", files, currency="UAH", time_zone="Europe/Kyiv")
    assert told.count("orders: 24 records") == 2
    text = (tmp_path / "data" / "shop" / "client.yml").read_text(encoding="utf-8")
    assert '# left out (only in 2026.csv): "Channel"' in text
    assert sources.load(load_client(tmp_path / "data" / "shop")).accounts["orders"]["rows_in"] == 48
