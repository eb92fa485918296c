"""What one notebook leaves for another is read back as it was."""

import numpy as np
import pandas as pd
import pytest
import small_run
from hypothesis import given
from hypothesis import strategies as st

from cxkit.errors import UsageError
from cxkit.kept_tables import read_table, write_table

# no carriage returns, which are written as line breaks, and nothing that a workbook may not hold
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).filter(lambda text: text != "")
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(TEXTS, NUMBERS), min_size=1, max_size=6))
def test_texts_and_numbers_come_back_as_they_were(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("kept") / "t.csv"
    frame = pd.DataFrame(rows, columns=["value", "share"]).astype({"value": object})
    write_table(frame, path)
    back = read_table(path, texts=["value"])
    assert back["value"].tolist() == frame["value"].tolist()
    if frame["share"].notna().any():
        np.testing.assert_array_equal(back["share"].astype(float), frame["share"])


def test_kinds_of_columns(tmp_path):
    frame = pd.DataFrame(
        {
            "customer_id": ["0123", "77"],
            "group": ["=1+1", "'quoted"],
            "n": [3, 4],
            "share": [0.1 + 0.2, np.nan],
            "quiet": [True, False],
            "on": pd.to_datetime(["2026-01-01", "2026-01-02"]),
            "nothing": [None, None],
        }
    )
    write_table(frame, tmp_path / "t.csv")
    back = read_table(tmp_path / "t.csv")
    assert back["customer_id"].tolist() == ["0123", "77"]
    assert back["group"].tolist() == ["=1+1", "'quoted"]
    assert (back["n"].dtype, back["share"].dtype, back["quiet"].dtype) == ("int64", "float64", "bool")
    assert back["share"][0] == 0.1 + 0.2
    assert np.isnan(back["share"][1])
    assert back["on"].tolist() == ["2026-01-01", "2026-01-02"]
    assert back["nothing"].isna().all()


def test_a_text_that_looks_like_a_number_stays_one_where_it_is_named(tmp_path):
    write_table(pd.DataFrame({"value": ["007", "8"]}), tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv", texts=["value"])["value"].tolist() == ["007", "8"]
    assert read_table(tmp_path / "t.csv")["value"].tolist() == [7, 8]


def test_a_run_reads_what_an_earlier_notebook_kept(tmp_path):
    run = small_run.open_small(small_run.client(tmp_path / "client"), tmp_path / "run", "08_personas")
    write_table(pd.DataFrame({"customer_id": ["1"], "group": ["Great"]}), run.tables_dir / "01_segmentation.groups.csv")
    assert run.kept_table("01_segmentation", "groups").to_dict("records") == [{"customer_id": "1", "group": "Great"}]
    assert run.kept_table("01_segmentation", "profile") is None
    with pytest.raises(UsageError, match="cannot be a file's name"):
        run.kept_table("../01", "groups")
