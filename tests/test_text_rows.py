"""Rows of texts become the Parquet file that the door reads on."""

import pandas as pd

from cxkit import text_rows


def test_rows_are_numbered_and_hashed_whatever_the_batches(tmp_path, monkeypatch):
    rows = [("one", ["a", None]), ("two", ["b", "\ud800x"]), ("one", ["c", "ґ"])]
    frames = []
    for size in (20_000, 2, 1):
        monkeypatch.setattr(text_rows, "BATCH_ROWS", size)
        assert text_rows.write(iter(rows), tmp_path / "a.parquet", columns=["r0", "r1"]) == 3
        frames.append(pd.read_parquet(tmp_path / "a.parquet"))
    assert frames[0].n.tolist() == [1, 2, 3]
    assert frames[0].row_hash[0] == frames[0].row_hash[2] != frames[0].row_hash[1]
    assert frames[0].r1.tolist()[1:] == ["\ufffd\ufffd\ufffdx", "ґ"]  # half a letter is none
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
