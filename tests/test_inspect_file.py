"""What `cxkit inspect` prints: every line fits, guesses and doubts are named, nothing personal is shown."""

import os
import re
import unicodedata
import zipfile

import pandas as pd
import pytest

from cxkit import inspect_file
from cxkit.errors import DataError, UsageError

ORDERS = ["Order number;Customer e-mail;Order date;Product;Quantity;Line total"] + [
    f"A{100 + i};olena{i % 7}@shop.ua;{i % 27 + 1:02d}.03.2026;{'Коляска 兎' if i % 2 else 'Pram'};{i % 3 + 1};"
    f"{10 + i},50"
    for i in range(40)
]  # fmt: skip


def told(path, text, encoding="utf-8", **more):
    path.write_bytes(text.encode(encoding))
    return inspect_file.inspect(path, **more)


def words(page):
    return " ".join(page.split())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a shop's orders, two of which the door refuses."""
    rows = [*ORDERS[:5], "A900;nobody@x.ua;31.03.2026;Pram;1;free", ";x@y.ua;31.03.2026;Pram;1;3,50", *ORDERS[5:]]
    path = tmp_path_factory.mktemp("inspect") / "замовлення.csv"
    page = told(path, "\n".join(rows) + "\n")
    assert os.listdir(path.parent) == [path.name]
    assert path.read_text(encoding="utf-8") == "\n".join(rows) + "\n"
    return page


def test_the_file_as_a_whole(page):
    lines = page.splitlines()
    assert lines[0] == "замовлення.csv: text with delimiters, 42 records, 6 columns"
    assert lines[1] == "=" * len(lines[0])
    for start in (
        "preset        none known",
        "encoding      utf-8",
        "delimiter     ;",
        "header row    1",
        "feeds         orders",
    ):
        assert [line for line in lines if line.startswith(start)], start
    assert re.search(r"^decimal mark  , ", page, re.MULTILINE)
    assert re.search(r"^date format   %d\.%m\.%Y", page, re.MULTILINE)
    assert "not told      --currency and --time-zone of `cxkit new` (no file says it)" in page


def test_each_column_with_type_fill_and_meaning(page):
    row = next(line for line in page.splitlines() if line.startswith("Line total"))
    assert row.split()[-1] == "amount"
    assert next(line for line in page.splitlines() if line.startswith("Order date")).endswith("ordered_at")


def test_the_trial_run_tells_what_would_be_refused(page):
    assert "Trial run: 42 records in, 40 kept, 2 refused." in page
    assert "1 × amount not readable as a number" in page
    assert "record 5, Line total 'free': amount not readable as a number" in words(page)


def test_every_line_fits_and_nothing_personal_is_shown(page):
    for line in page.splitlines():
        places = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        assert places <= 100, line
    assert "@" not in page
    assert "olena" not in page


def test_a_name_too_long_for_its_place_has_lines_of_its_own(tmp_path):
    question = "On a scale of 0 to 10, how likely is it that you would recommend our shop to a friend or colleague?"
    page = told(tmp_path / "nps.csv", f'Date,"{question}"\n' + "".join(f"2026-03-1{i},{i}\n" for i in range(10)))
    assert words(question) in words(page)
    assert max(map(len, page.splitlines())) <= 100


def test_days_and_months_that_nothing_tells_apart_are_named(tmp_path):
    rows = ["Order ID,Customer ID,Order date,Total"]
    rows += [f"{i},c{i % 5},0{i % 9 + 1}/0{i % 7 + 1}/2026,{i + 1}.50" for i in range(60)]
    page = words(told(tmp_path / "orders.csv", "\n".join(rows) + "\n"))
    assert "date format ???" in page
    assert "%d/%m/%Y" in page
    assert "%m/%d/%Y" in page
    assert "No trial run before these are told in client.yml: date_format." in page


def test_a_file_that_is_no_table_says_why(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(DataError, match=r"^photo\.jpg: "):
        inspect_file.inspect(tmp_path / "photo.jpg")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"^empty\.csv: .*empty"):
        inspect_file.inspect(tmp_path / "empty.csv")


def test_what_is_no_file_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.csv is no file\."):
        inspect_file.inspect(tmp_path / "gone.csv")
    with pytest.raises(UsageError, match="is a folder; give its files one by one, or all to `cxkit new`"):
        inspect_file.inspect(tmp_path)


def test_a_table_of_something_else_feeds_nothing(tmp_path):
    rows = "planet,moons\n" + "".join(f"p{i},{i}\n" for i in range(9))
    page = told(tmp_path / "planets.csv", rows)
    assert "feeds         nothing that was recognised" in page
    assert page.endswith("No trial run: nothing says which table the file feeds.")


def test_one_file_may_feed_two_tables(tmp_path):
    header = "action_name,query_id,client_id,timestamp,user_query,query_response_id\n"
    rows = [
        f"{'click' if i % 2 else ''},q{i},c{i % 3},2024-12-10T00:01:0{i}Z,{'' if i % 2 else 'cup'},r{i}"
        for i in range(8)
    ]
    (tmp_path / "ubi.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    assert [p.table for p in inspect_file.look(tmp_path / "ubi.csv")] == ["events", "searches"]
    page = inspect_file.inspect(tmp_path / "ubi.csv")
    for line in (
        "preset        ubi_events,",
        "preset        ubi_queries,",
        "feeds         events",
        "feeds         searches",
    ):
        assert f"\n{line}" in page
    assert re.search("^timestamp .* occurred_at, searched_at$", page, re.MULTILINE)
    assert re.search("^action_name .* touchpoint, keep_only, leave_out$", page, re.MULTILINE)
    told = words(page)
    assert "As events: Trial run: 8 records in, 4 kept, 4 refused." in told
    assert "As searches: Trial run: 8 records in, 4 kept, 4 refused." in told


def test_hostile_names_do_not_reach_the_terminal(tmp_path):
    page = told(tmp_path / "odd.csv", '"\x1b[31mred",\u202eevil,olena@shop.ua\n1,2,3\n4,5,6\n')
    assert not {"\x1b", "\u202e"} & set(page)
    assert "olena@" not in page


def test_a_sheet_that_is_not_there_is_said_of_the_option(tmp_path):
    table = pd.DataFrame({"Order": [1, 2], "Total": [10.5, 7.5]})
    with pd.ExcelWriter(tmp_path / "b.xlsx", engine="xlsxwriter") as book:
        table.to_excel(book, sheet_name="Jan", index=False)
        table.to_excel(book, sheet_name="Feb", index=False)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("a.csv", table.to_csv(index=False))
        packed.writestr("b.csv", table.to_csv(index=False))
    table.to_csv(tmp_path / "c.csv", index=False)
    for name, told in {
        "b.xlsx": "it has no worksheet 'Nope'; it has 'Jan', 'Feb'. Give one of these as --sheet.",
        "z.zip": "it holds no file 'Nope', but 'a.csv', 'b.csv'. Give one of these as --sheet.",
        "c.csv": "it has no sheets, but --sheet asks for 'Nope'. Leave --sheet out.",
    }.items():
        with pytest.raises(DataError) as error:
            inspect_file.look(tmp_path / name, sheet="Nope")
        assert str(error.value) == f"{name}: {told}"
