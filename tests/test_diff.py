"""Two runs as text for a terminal."""

import json

import pandas as pd
import pytest
from test_history import audit

from cxkit import changes
from cxkit.diff import diff
from cxkit.errors import RunError


def test_two_runs_side_by_side(tmp_path):
    then = audit(tmp_path, "2026-03-31", 150, 360, client="Shop \x1b[31mred")
    now = audit(tmp_path, "2026-06-30", 80, 365, client="Shop \x1b[31mred")
    text = diff(then, now)
    assert text.splitlines()[0] == "Shop [31mred: 2026-06-30-1 against 2026-03-31-1", "no control characters"
    assert "  Better for certain:\n    Late orders: 15 % → 8.0 %, −7.00 points (−10.6 to −3.5)" in text
    assert "Too early to say (1 of 2):" in text
    assert "Order again: 36 % → 36 %" in text
    assert "Not told: the later run was measured against none. Run it with --against 2026-03-31-1." in text
    assert "Not told: the earlier audit has no list of customers." in text
    assert "Not told: 2026-03-31-1 has no table of SWOT items." in text


def test_what_the_later_run_kept_is_told(tmp_path):
    then = audit(tmp_path, "2026-03-31", 150, 360)
    now = audit(tmp_path, "2026-06-30", 150, 360, against={"run": "2026-03-31-1"})
    for run in (then, now):
        (run / "tables").mkdir()
        tiers = pd.DataFrame({"customer_id": [f"c{i}" for i in range(30)], "tier": ["good"] * 30})
        tiers.to_csv(run / "tables" / "01_segmentation.customers.csv", index=False)
        items = pd.DataFrame({"item": ["service.late_share"], "statement": ["Late"], "quadrant": ["weakness"],
                              "evidence": ["service.late_share"]})  # fmt: skip
        items.to_csv(run / "tables" / "10_swot.items.csv", index=False)
    actions = pd.DataFrame({"action": ["Other courier"], "measure": ["service.late_share"]})
    actions.to_csv(then / "tables" / "10_swot.actions.csv", index=False)
    row = {"label": "Orders late", "verdict": "better", "then": 0.3, "now": 0.1, "difference": -20.0, "low": -30.0,
           "high": -10.0, "unit": "share", "difference_unit": "points", "speaks_to": "service.late_share"}  # fmt: skip
    pd.DataFrame([row]).to_csv(now / "tables" / "11_summary.since.csv", index=False)
    text = diff(then, now)
    assert "Better for certain: Orders late: 30 % before, 10 % since." in text
    assert "Of 2 figures, judged together, none changed for certain." in text
    assert "“good” 100 %" in text
    assert "still open: Late (Orders late −20 points (−30.0 to −10.0))" in text
    assert "Other courier: Orders late −20 points (−30.0 to −10.0)." in text


def test_the_same_day_has_no_days_in_between(tmp_path):
    then = audit(tmp_path, "2026-03-31", 150)
    now = audit(tmp_path, "2026-03-31", 150, number=2, against={"run": "2026-03-31-1"})
    assert "Not told: both audits are of one day, so that no days lie between them." in diff(then, now)
    assert json.loads((now / "run.json").read_text())["against"]["run"] == then.name


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("run.json", '{"as_of": "2026-03', "run.json cannot be read (JSONDecodeError)"),
        ("run.json", "[]", "run.json cannot be read (TypeError)"),
        ("run.json", None, "it has no run.json"),
        ("findings/03_loyalty.json", '[{"id": "a"}]', "findings/03_loyalty.json cannot be read (KeyError)"),
        ("findings/withheld/a.json", "[1]", "findings/withheld/a.json cannot be read (TypeError)"),
        ("tables/10_swot.items.csv", "", "tables/10_swot.items.csv cannot be read (EmptyDataError)"),
        ("tables/10_swot.items.csv", "item,quadrant\n", "tables/10_swot.items.csv lacks the column statement"),
        ("tables/10_swot.actions.csv", "\udcff", "tables/10_swot.actions.csv cannot be read (UnicodeDecodeError)"),
    ],
)
def test_a_damaged_run_is_told_by_its_file(tmp_path, file, content, told):
    then, now = audit(tmp_path, "2026-03-31", 150), audit(tmp_path, "2026-06-30", 150)
    place = then / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if content is not None:
        place.write_text(content, encoding="utf-8", errors="surrogateescape")
    for runs in ((then, now), (now, then)):
        with pytest.raises(RunError) as error:
            diff(*runs)
        assert str(error.value).startswith(f"the run 2026-03-31-1 is damaged: {told}.")
    assert changes.sound(then) == (None, changes.why_damaged(then))


def test_that_nothing_new_was_read_is_told_first(tmp_path):
    runs = [audit(tmp_path, day, 150) for day in ("2026-03-31", "2026-06-30")]
    assert "read the same files" not in diff(*runs), "nobody wrote down what was read"
    for run, hashes in zip(runs, ({"orders.csv": "a"}, {"orders.csv": "a"}), strict=True):
        record = json.loads((run / "run.json").read_text()) | {"inputs": hashes}
        (run / "run.json").write_text(json.dumps(record))
    told = diff(*runs).splitlines()[1]
    assert told.startswith("Both audits, of two days, read the same files: whatever differs comes from the last day")
    (runs[0] / "run.json").write_text(json.dumps(record | {"inputs": {"orders.csv": "b"}, "as_of": "2026-03-31"}))
    assert "read the same files" not in diff(*runs)


def test_a_plan_that_nobody_made_is_no_empty_plan(tmp_path):
    runs = [audit(tmp_path, day, 150) for day in ("2026-03-31", "2026-06-30")]
    assert "The earlier audit made no plan (10_swot was not run)" in diff(*runs)


def test_an_empty_folder_is_no_audit(tmp_path):
    now, then = audit(tmp_path, "2026-06-30", 150), tmp_path / "runs" / "2026-03-31-1"
    then.mkdir()
    assert changes.why_damaged(then) == "the run 2026-03-31-1 is damaged: it has no run.json"
    assert changes.sound(now) == (now, "")
    assert changes.sound(None) == (None, "")
