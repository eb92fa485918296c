"""Which columns a file has: one header record, several, none."""

import pytest

from cxkit import headings
from cxkit.errors import DataError
from cxkit.mapping import Reading


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([["Order ", None, "Date"]], ["Order", "", "Date"]),
        # a question over three columns, its answers below; a column of one question
        (
            [["ID", "How was it?", "", "", "Age"], ["", "Shop", "Courier", "Site", ""]],
            ["ID", "How was it? Shop", "How was it? Courier", "How was it? Site", "Age"],
        ),
        # a heading without a text below it is of its own column only
        ([["ID", "", "Name"], ["", "Number", ""]], ["ID", "Number", "Name"]),
        ([["Sum", ""], ["paid", "back"], ["UAH", "UAH"]], ["Sum paid UAH", "Sum back UAH"]),
        ([["Score", "Score"], ["Score", "Words"]], ["Score", "Score Words"]),
        ([["a"], ["b", "c"]], ["a b", "a c"]),  # a short record is one with empty cells
    ],
)
def test_header_records_are_joined(rows, names):
    assert headings.joined(rows) == names


def test_the_records_after_the_header_follow():
    rows = [["preamble"], ["a", "b"], ["1", "2"]]
    names, rest = headings.parted(rows, (2,))
    assert (names, list(rest)) == (["a", "b"], [["1", "2"]])
    names, rest = headings.parted(rows[1:], (0,))
    assert (names, list(rest)) == (["1", "2"], [["a", "b"], ["1", "2"]])
    with pytest.raises(DataError, match="its header is said to be record 5, but it holds 3 in all"):
        headings.parted(rows, (5,))
    with pytest.raises(DataError, match="it is empty"):
        headings.parted([], (1,))


def test_only_a_mapped_column_must_stand_there_once():
    told = {"place": "tables.orders", "reading": Reading(), "targets": {"b": "columns.amount", "c": "columns.cost"}}
    headings.check(["a", "a", "", "b"], names=["b"], **told)
    with pytest.raises(DataError) as error:
        headings.check(["a", "b", "b", ""], names=["b", "c"], **told)
    assert str(error.value) == (
        "no column 'c'. It is mapped under tables.orders.columns.cost in client.yml. the column 'b' stands in the"
        " header 2 times, so nobody can tell which one is meant under tables.orders.columns.amount; rename one in the"
        " file. The header has 'a', 'b', 'b' and 1 without a name."
    )
    with pytest.raises(DataError, match=r"write its number under tables.orders.header in client.yml"):
        headings.check(["Report of May"], names=["b", "c"], **told)


def test_a_column_in_another_encoding_is_known():
    header = [name.encode("cp1250").decode("cp1252") for name in ("Data złożenia", "Zamówienie", "Ilość")]
    names = {"Data złożenia": "r0", "Ilość": "r1", "Kwota": "r2"}
    with pytest.raises(DataError) as error:
        headings.check(header, place="tables.orders", reading=Reading(encoding="cp1252"), names=names, targets={})
    told = str(error.value)
    assert "no column 'Data złożenia'; 'Data z³o¿enia' is the same in another encoding." in told
    assert "The file looks like cp1250 read as cp1252: write tables.orders.encoding: cp1250 in client.yml." in told
    assert "tables.orders.header" not in told
