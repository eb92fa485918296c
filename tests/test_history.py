"""The course of the key figures over several audits."""

import json

import pytest

from cxkit import history
from cxkit.estimates import wilson
from cxkit.findings import Finding, save


def audit(home, day, late, repeat=None, *, within=90, status="done", number=1, **against):
    run = home / "runs" / f"{day}-{number}"
    claim = "{value} late ({interval})."
    found = [Finding("service.late_share", claim, wilson(late, 1000), "Late orders", higher_is_better=False)]
    if repeat is not None:
        claim = f"{{value}} again within {within} days."
        found.append(Finding("loyalty.repeat_rate", claim, wilson(repeat, 1000), "Order again"))
    save(found, run / "findings" / "03_loyalty.json")
    record = {"as_of": day, "status": status, "parameters": {"03_loyalty": {"within_days": within}}, **against}
    (run / "run.json").write_text(json.dumps(record))
    return run


@pytest.fixture
def runs(tmp_path):
    return [audit(tmp_path, "2025-12-31", 150, 400, within=60), audit(tmp_path, "2026-03-31", 140, 350),
            audit(tmp_path, "2026-06-30", 90, 360)]  # fmt: skip


def test_the_course_marks_what_was_defined_otherwise(runs):
    frame = history.history(runs)
    assert list(frame["id"]) == ["loyalty.repeat_rate"] * 3 + ["service.late_share"] * 3
    assert list(frame["same"]) == [False, True, True, True, True, True]
    assert list(frame["as_of"][:3]) == ["2025-12-31", "2026-03-31", "2026-06-30"]
    assert history.describe_history(frame) == (
        "Small pictures with intervals, one a figure. Order again: 40 % (37–43 %) in the audit of 2025-12-31, 36 % "
        "(33–39 %) in the audit of 2026-06-30, defined otherwise in some audits. Late orders: 15 % (13–17 %) in the "
        "audit of 2025-12-31, 9.0 % (7.4–11 %) in the audit of 2026-06-30."
    )


def test_one_audit_has_no_course(runs):
    assert history.history(runs[:1]).empty
    assert history.history([]).empty
    assert history.describe_history(history.history([])) == "No two audits yet."
    assert history.plot_history(history.history([])).figure


def test_what_is_withheld_has_no_course(runs):
    hidden = runs[2] / "findings" / "withheld"
    hidden.mkdir()
    (hidden / "03_loyalty.json").write_text(json.dumps([{"id": "loyalty.repeat_rate", "label": "x", "reason": "y"}]))
    assert set(history.history(runs)["id"]) == {"service.late_share"}


def test_small_pictures_one_a_figure(runs):
    figure = history.plot_history(history.history(runs)).get_figure()
    titled = [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes if ax.axison]
    assert titled == ["Order again", "Late orders"]
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert faces.count("white") == 1, "what was defined otherwise is hollow"


def test_earlier_runs_are_those_that_run_json_names(tmp_path, runs):
    against = {"run": "2026-03-31-1", "before": {"2025-12-31-1": "hash", "2025-09-30-1": "gone"}}
    now = audit(tmp_path, "2026-06-30", 90, 360, number=2, against=against)
    assert [run.name for run in history.earlier_runs(now)] == ["2025-12-31-1", "2026-03-31-1"]
    under_way = tmp_path / ".tmp-2026-06-30-3"
    under_way.mkdir()
    (under_way / "run.json").write_text(json.dumps({"against": against}))
    assert [run.name for run in history.earlier_runs(under_way)] == ["2025-12-31-1", "2026-03-31-1"]
    assert history.earlier_runs(runs[0]) == []


def test_a_damaged_earlier_run_is_left_out_of_the_course(tmp_path, runs):
    now = audit(tmp_path, "2026-09-30", 90, against={"run": runs[2].name, "before": [runs[0].name, runs[1].name]})
    (runs[1] / "run.json").write_text("{")
    assert history.earlier_runs(now) == [runs[0], runs[2]]
