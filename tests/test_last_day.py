"""Which day counts as the last."""

from datetime import date

import pandas as pd
import pytest

from cxkit import last_day


@pytest.mark.parametrize(
    ("days", "rows", "last"),
    [
        (["2024-01-01"], [1], "2024-01-01"),
        (["2024-01-01", "2024-03-01"], [1, 1], "2024-03-01"),
        (["2024-01-01", "2024-03-01"], [1000, 1], "2024-01-01"),
        (["2024-01-01", "2024-01-20"], [1000, 1], "2024-01-20"),
        (["2024-01-01", "2099-01-01"], [3, 1], "2024-01-01"),
        (["2020-01-01", "2024-01-01"], [3, 4], "2024-01-01"),
        (["2024-01-01", "2024-04-01", "2025-01-01"], [1000, 5, 1], "2024-01-01"),
    ],
)
def test_which_day_latest_follows(days, rows, last):
    counts = pd.DataFrame({"day": [date.fromisoformat(d) for d in days], "rows": rows})
    assert last_day.followed(counts) == date.fromisoformat(last)
