"""The same small export in over two hundred ways: what is found out about each leads to the same canonical table."""

import pandas as pd
import pytest
from dirt import COLUMNS, HEADERS, LINES, ambiguous, canonical, combinations, write
from sources_client import adds_up, make_client, settings

from cxkit import sources
from cxkit.client import UNKNOWN
from cxkit.column_kinds import column_forms
from cxkit.proposal import propose
from cxkit.sniff import sample, sniff

GROUPS = list(combinations())
SUFFIX = {"": ".csv", "gz": ".csv.gz", "zip": ".zip"}


def found(path, dirt) -> dict:
    """What client.yml would say of the file; only the columns of a language that is not known are given by hand."""
    form = sniff(path)
    columns = column_forms(sample(form))
    proposal = propose(form, columns, preset=None)
    if dirt.language != "fr":
        assert proposal.table == "orders"
        return proposal.settings
    by_name = {c.name: c for c in columns}
    when, money = by_name[HEADERS["fr"][2]], by_name[HEADERS["fr"][3]]
    assert len(when.date_formats) == 1
    return {
        "encoding": form.encoding,
        "delimiter": form.delimiter,
        "header": list(form.header),
        "decimal": money.decimal or ".",
        "date_format": list(when.date_formats),
        "columns": dirt.settings["columns"],
    }


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: "-".join([g[0].language, g[0].encoding, ascii(g[0].delimiter)]))
def test_what_is_found_leads_to_the_same_table(tmp_path, group):
    files = {f"{letter}{SUFFIX[dirt.packed]}": (letter, dirt) for letter, dirt in zip("ABCDEFGHI", group, strict=True)}
    for name, (letter, dirt) in files.items():
        (tmp_path / name).write_bytes(write(dirt, prefix=letter))
    wanted = [found(tmp_path / name, dirt) for name, (_, dirt) in files.items()]
    assert all(w == wanted[0] for w in wanted)  # monthly files of one program are one entry of client.yml
    assert wanted[0]["columns"] == group[0].settings["columns"]
    client = make_client(tmp_path, settings(orders={**wanted[0], "path": list(files), "max_refused_share": 1.0}))
    loaded = sources.load(client)
    adds_up(loaded)
    ragged = sum(dirt.ragged for dirt in group)
    assert loaded.accounts["orders"]["refused"] == {
        "record has fewer cells than the header": ragged,
        "record has more cells than the header": ragged,
    }
    rows = pd.read_parquet(loaded.tables["orders"])
    for letter, dirt in files.values():
        want = canonical(dirt, prefix=letter)
        got = rows[rows.order_id.str.startswith(letter)].sort_values(["order_id", "product_id"], ignore_index=True)
        assert got.customer_id.nunique() == LINES // 4
        pd.testing.assert_frame_equal(got[list(want.columns)], want, check_dtype=False)


@pytest.mark.parametrize("dirt", list(ambiguous()), ids=lambda d: f"{d.encoding}-{d.time[1]}")
def test_where_day_and_month_cannot_be_told_nothing_is_chosen(tmp_path, dirt):
    (tmp_path / "orders.csv").write_bytes(write(dirt, prefix="A"))
    form = sniff(tmp_path / "orders.csv")
    when = next(c for c in column_forms(sample(form)) if c.name == dirt.settings["columns"]["ordered_at"])
    assert set(when.ambiguous) >= {"%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"}
    proposal = propose(form, column_forms(sample(form)), preset=None)
    assert UNKNOWN in str(proposal.settings["date_format"])


def test_the_combinations_cover_what_they_claim():
    every = [dirt for group in GROUPS for dirt in group]
    assert len(set(every)) == len(every) >= 200
    assert len({d.encoding for d in every}) == 12
    for one, other in (("delimiter", "decimal"), ("delimiter", "time"), ("decimal", "time"), ("time", "preamble")):
        values = {(getattr(d, one), getattr(d, other)) for d in every}
        assert len(values) == len({a for a, _ in values}) * len({b for _, b in values}), (one, other)
    assert set(every[0].settings["columns"]) == set(COLUMNS)
