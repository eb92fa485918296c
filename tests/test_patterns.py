"""Patterns of `keep_only` and `leave_out`."""

import pandas as pd
import pytest

from cxkit import engine, patterns

CON = engine.connect()
CELLS = ["Paid", " paid ", "partly paid", "PAID in full", "", None, "ТЕСТ замовлення", "*", "50% off"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["paid"], [0, 1]),
        (["paid*"], [0, 1, 3]),
        (["*paid"], [0, 1, 2]),
        (["*paid*"], [0, 1, 2, 3]),
        (["тест*"], [6]),
        ([""], [4, 5]),
        (["*"], [0, 1, 2, 3, 6, 7, 8]),
        (["", "*full", "50%*"], [3, 4, 5, 8]),
        (["%", "_aid"], []),
    ],
)
def test_patterns(wanted, found):
    table = engine.keep_frame(CON, "cells", pd.DataFrame({"raw": CELLS}), types={"raw": "string"})
    hits = table.select(hit=patterns.matches(table.raw, wanted)).to_pandas().hit
    assert [n for n, hit in enumerate(hits) if hit] == found


def test_numbers_of_a_parquet_file_are_compared_as_they_are_shown():
    table = engine.keep_frame(CON, "cells", pd.DataFrame({"raw": [1.0, 1.5, None]}), types={"raw": "float64"})
    hits = table.select(hit=patterns.matches(table.raw, ["1", ""])).to_pandas().hit
    assert hits.tolist() == [True, False, True]
