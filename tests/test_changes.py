"""Two audits' figures side by side, by hand."""

import inspect
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from cxkit import changes, since
from cxkit.estimates import Estimate, counted, normal, share_difference, unknown, wilson
from cxkit.findings import IDS, Finding, is_finding, save


def finding(id="loyalty.repeat_rate", estimate=None, **more):
    return Finding(id, "{value} of them ({interval}).", estimate or wilson(400, 1000), more.pop("label", id), **more)


def one(now, then, **more):
    return changes.compare([now], [then], **more).iloc[0]


def test_mover_is_newcombe_for_two_shares():
    """Newcombe (1998), table II, 56 of 70 against 48 of 80 by method 10: 0.0524 to 0.3339."""
    row = one(finding(estimate=wilson(56, 70)), finding(estimate=wilson(48, 80)), level=0.95)
    by_hand = share_difference(56, 70, 48, 80)
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((20.0, 5.24, 33.39), abs=0.005)
    assert (row["low"], row["high"]) == pytest.approx((by_hand.low, by_hand.high))
    assert (row["verdict"], row["better"], row["difference_unit"]) == ("better", "higher", "points")


def test_which_side_is_good_decides():
    now, then = wilson(560, 700), wilson(480, 800)
    assert one(finding(estimate=now), finding(estimate=then))["verdict"] == "better"
    late = {"id": "service.late_share", "higher_is_better": False}
    assert one(finding(**late, estimate=now), finding(**late, estimate=then))["verdict"] == "worse"
    bias = {"id": "feedback.incentive_bias", "higher_is_better": False}
    row = one(finding(**bias, estimate=now), finding(**bias, estimate=then))
    assert (row["verdict"], row["better"]) == ("changed", "")


def test_an_interval_adjusted_in_its_audit_is_put_back_to_its_own():
    """The same error told at 95 % and at 99.9 % is the same difference."""
    plain = [normal(v, 1.0, 100, unit="points", level=0.95) for v in (10.0, 6.0)]
    wide = [normal(v, 1.0, 100, unit="points", level=0.999) for v in (10.0, 6.0)]
    rows = [one(finding(estimate=a), finding(estimate=b), level=0.95) for a, b in (plain, wide, (plain[0], wide[1]))]
    for row in rows:
        assert (row["low"], row["high"]) == pytest.approx((4 - 1.96 * 2**0.5, 4 + 1.96 * 2**0.5), abs=0.001)


def test_all_figures_are_one_family():
    """p = 0.02 alone is a change; beside nine others that are alike it is too early to say."""
    moved = [finding(estimate=normal(v, 1.0, 50, unit="points")) for v in (3.29, 0.0)]
    assert one(*moved)["verdict"] == "better"
    ids = [id for id in IDS if id not in changes.DRIFTS and id != "loyalty.repeat_rate"][:9]
    alike = [finding(id, normal(1.0, 1.0, 50, unit="points")) for id in ids]
    frame = changes.compare([moved[0], *alike], [moved[1], *alike]).set_index("id")
    assert set(frame["verdict"]) == {"too early to say"}
    assert frame.loc["loyalty.repeat_rate", "level"] == pytest.approx(1 - 0.025 / 10)
    assert frame.loc["loyalty.repeat_rate", "low"] < 0 < frame.loc["loyalty.repeat_rate", "high"]


def test_the_figures_and_the_days_since_are_wrong_of_one_audit_in_twenty_together():
    moved = [finding(estimate=normal(v, 1.0, 50, unit="points")) for v in (3.07, 0.0)]  # p = 0.03
    assert one(*moved)["verdict"] == "too early to say"
    assert one(*moved, level=0.95)["verdict"] == "better"
    kinds = {inspect.signature(judge).parameters["level"].default for judge in (changes.compare, since.since)}
    assert kinds == {0.975}
    assert pytest.approx(0.05) == 2 * (1 - changes.FAMILY_LEVEL)


def test_figures_that_move_by_themselves_are_shown_and_not_judged():
    row = one(finding("loyalty.gini", wilson(700, 1000)), finding("loyalty.gini", wilson(300, 1000)))
    assert row["verdict"] == "shown, not judged"
    assert row["difference"] == pytest.approx(40)
    assert "as the data grow longer" in row["why"]
    row = one(finding(estimate=counted(3, 100)), finding(estimate=counted(1, 100)))
    assert row["verdict"] == "shown, not judged"
    assert np.isnan(row["low"]), "counted in full: no interval"
    assert all(is_finding(id) or is_finding(f"{id}.x") for id in [*changes.DRIFTS, *changes.NO_DIRECTION])


def test_what_only_one_audit_tells_is_said():
    frame = changes.compare([finding(label="A")], [finding("service.growing.late", label="B")])
    assert list(frame["verdict"]) == ["not compared"] * 2
    assert next(iter(frame["why"])) == "only this audit tells it"
    assert "does not show that it went" in frame["why"].iloc[1]
    assert np.isnan(frame["then"].iloc[0])
    assert np.isnan(frame["now"].iloc[1])


def test_another_definition_is_named_and_not_compared():
    then = replace(finding(label="Within 60"), claim="{value} of those ({interval}).")
    row = one(finding(label="Within 90"), then)
    assert (row["verdict"], row["label"]) == ("not compared", "Within 90; then: Within 60")
    assert row["why"] == "its definition changed: it was “… of those.”, is “… of them.”"
    assert np.isnan(row["difference"])
    records = [{"parameters": {"03_loyalty": {"within_days": days}}} for days in (90, 60)]
    row = one(finding(), finding(), settings_now=records[0], settings_then=records[1])
    assert row["why"].endswith(": 03_loyalty.within_days was 60, is 90")


def test_what_each_audit_found_by_another_measure_is_no_changed_definition():
    claims = ["advice falls short: NPS {value} points.", "advice falls short: visits that go on {value} points."]
    then, now = (replace(finding("journey.touchpoint.advice"), claim=claim) for claim in claims)
    row = one(now, then)
    assert row["verdict"] == "not compared"
    assert row["why"].startswith("each audit found it by another measure: it was “advice falls short: NPS … points.”")
    assert "defined otherwise" not in " ".join(changes.in_words(changes.compare([now], [then])))


def test_what_one_audit_could_not_tell_is_too_early():
    row = one(finding(), replace(finding(estimate=unknown("share", method="nobody yet")), claim="Other words {value}."))
    assert (row["verdict"], row["why"]) == ("too early to say", "then: nobody yet")


def test_a_parameter_that_a_figure_may_not_rest_on_is_not_called_its_definition():
    told = [{"parameters": {"03_loyalty": {"within_days": days}}} for days in (60, 90)]
    row = one(finding("loyalty.gini"), finding("loyalty.gini"), settings_now=told[0], settings_then=told[1])
    assert (row["verdict"], row["why"]) == (
        "not compared",
        "a parameter of its notebook changed, and it may rest on that: 03_loyalty.within_days was 90, is 60",
    )


def test_only_what_has_a_difference_counts_as_judged():
    early = finding("service.late_share", estimate=unknown("share", method="nobody yet"))
    frame = changes.compare([finding(), early], [finding(), early])
    assert changes.is_judged(frame).tolist() == [True, False]
    assert changes.in_words(frame) == ["Of 1 figure compared with the earlier audit none changed for certain."]


def test_the_same_answers_are_no_second_measurement():
    gap, told = finding("maturity.gap.trust_01"), {"inputs": {"workshop/checklist.csv": "a"}}
    row = one(gap, gap, settings_now=told, settings_then=told)
    assert (row["verdict"], row["why"]) == (
        "not compared",
        "both audits read the same sheet, workshop/checklist: what was asked once cannot have changed",
    )
    other = {"inputs": {"workshop/checklist.csv": "b"}}
    assert one(gap, gap, settings_now=told, settings_then=other)["verdict"] == "too early to say"


def test_a_target_that_changed_is_told():
    ours, theirs = (finding(target=t, target_source="set by the client") for t in (0.45, 0.40))
    row = one(ours, theirs)
    assert row["why"] == "the client's target was 40 %, is 45 %"
    assert (row["target_then"], row["target_now"]) == (0.40, 0.45)
    assert one(ours, finding())["why"] == "the client's target was none, is 45 %"
    others = finding(target=0.2, target_source="the other groups")
    assert one(others, finding())["why"] == "", "what is judged by the client's other groups has no target"


def test_what_is_withheld_tells_no_number():
    row = one(finding(), finding(), withheld={"loyalty.repeat_rate"})
    assert (row["verdict"], row["why"]) == ("not compared", "withheld by the consultant")
    assert all(np.isnan(row[name]) for name in ("then", "now", "difference", "then_low", "now_n"))


def test_the_worst_news_stand_first_and_the_order_of_findings_changes_nothing():
    shares = {"service.late_share": (300, 100), "loyalty.repeat_rate": (500, 300), "feedback.csat": (400, 401)}
    now = [finding(id, wilson(a, 1000), higher_is_better=id != "service.late_share") for id, (a, _) in shares.items()]
    then = [finding(id, wilson(b, 1000), higher_is_better=id != "service.late_share") for id, (_, b) in shares.items()]
    frame = changes.compare(now, then)
    assert list(frame["verdict"]) == ["worse", "better", "too early to say"]
    turned = changes.compare(now[::-1], then[::-1])
    assert turned.sort_values("id", ignore_index=True).equals(frame.sort_values("id", ignore_index=True))
    assert changes.in_words(frame) == [
        "Compared with the earlier audit: 3 figures, judged together.",
        "Worse for certain: service.late_share, 10 % then and 30 % now.",
        "Better for certain: loyalty.repeat_rate, 30 % then and 50 % now.",
        "Of the other one it is too early to say.",
    ]
    shown = changes.shown(frame)
    assert list(shown.loc[0, ["Figure", "Then", "Now", "Verdict"]]) == ["service.late_share", "10 %", "30 %", "worse"]
    assert shown.loc[0, "Difference"] == "+20 points (15.4–24.5)"


def test_words_where_nothing_changed_or_nothing_is_there():
    assert changes.in_words(changes.compare([finding()], [finding()])) == [
        "Of 1 figure compared with the earlier audit none changed for certain."
    ]
    assert changes.in_words(changes.compare([], [])) == [
        "There is no earlier audit to compare with; the next one can be held against this one."
    ]
    assert changes.in_words(changes.compare([finding()], []))[0] == "No figure can be compared with the earlier audit."


def run_folder(path, value, *, withheld=()):
    save([finding(estimate=wilson(value, 1000))], path / "findings" / "03_loyalty.json")
    (path / "run.json").write_text(json.dumps({"as_of": "2026-03-31", "client": "Shop"}))
    if withheld:
        (path / "findings" / "withheld").mkdir()
        rows = [{"id": id, "label": id, "reason": "x"} for id in withheld]
        (path / "findings" / "withheld" / "03_loyalty.json").write_text(json.dumps(rows))
    return path


def test_two_folders_of_runs(tmp_path):
    now, then = run_folder(tmp_path / "now", 500), run_folder(tmp_path / "then", 300)
    assert list(changes.between(now, then)["verdict"]) == ["better"]
    assert len(changes.between(now, None)) == 0
    assert changes.day_of(then) == date(2026, 3, 31)
    assert changes.day_of(None) is None
    assert changes.day_of(tmp_path) is None
    hidden = run_folder(tmp_path / "hidden", 500, withheld=["loyalty.repeat_rate"])
    assert list(changes.between(hidden, then)["why"]) == ["withheld by the consultant"]


def test_compared_figures_of_two_independent_audits_are_wrongly_called_changed_seldom():
    """Twelve shares a client, drawn twice from one truth: anything called changed in at most about 5 of 100 clients."""
    rng = np.random.default_rng(8)
    ids = [id for id in IDS if id not in changes.DRIFTS][:12]
    called = 0
    for _ in range(200):
        drawn = rng.binomial(800, 0.3, size=(2, 12))
        now, then = ([finding(id, wilson(int(k), 800)) for id, k in zip(ids, row, strict=True)] for row in drawn)
        called += changes.compare(now, then)["verdict"].isin(["better", "worse", "changed"]).any()
    assert called <= 17


def test_an_estimate_of_no_width_on_one_side_is_no_error():
    sure = Estimate(0.5, 0.5, 0.5, 10, "share", 1.0, "Wilson")
    row = one(finding(estimate=wilson(300, 1000)), finding(estimate=sure))
    assert row["verdict"] == "worse"
    assert row["low"] < row["high"]


@pytest.mark.parametrize("damage", [False, True])
def test_the_summary_says_that_a_damaged_earlier_audit_is_not_compared(tmp_path, damage):
    cells = nbformat.read(Path(__file__).parents[1] / "notebooks" / "11_summary.ipynb", 4).cells
    begin = next(at for at, cell in enumerate(cells) if "run.earlier_dir" in cell.source)
    then, now = run_folder(tmp_path / "then", 300), run_folder(tmp_path / "now", 300)
    if damage:
        (then / "tables").mkdir()
        (then / "tables" / "10_swot.items.csv").write_text("")
    said, left = [], []
    names = {"changes": changes, "run": SimpleNamespace(earlier_dir=then, run_dir=now)}
    names |= {"say": lambda *told: said.extend(told), "not_assessed": lambda what, **_: left.append(what)}
    for cell in cells[begin : begin + 3]:
        exec(cell.source, names)
    if damage:
        why = "the run then is damaged: tables/10_swot.items.csv cannot be read (EmptyDataError)"
        assert (said, left, names["earlier"]) == (
            [f"Not compared: {why}."],
            ["what changed since the last audit"],
            None,
        )
    else:
        assert "none changed" in said[0]
        assert not left


@pytest.mark.parametrize(("key", "value", "why"), [
    ("against", "2026-03-31-1", "in its run.json against is of another shape"),
    ("parameters", [1], "in its run.json parameters is of another shape"),
    ("inputs", ["a"], "in its run.json inputs is of another shape"),
    ("as_of", "2027-03-31", "its run.json tells of another day, 2027-03-31"),
])  # fmt: skip
def test_a_run_json_of_another_shape_is_damage_and_no_traceback(tmp_path, key, value, why):
    run = run_folder(tmp_path / "2026-06-30-1", 300)
    path = run / "run.json"
    record = {"as_of": "2026-06-30", "against": None} | {key: value}
    path.write_text(json.dumps(record))
    assert changes.why_damaged(run) == f"the run 2026-06-30-1 is damaged: {why}"
    path.write_text(json.dumps({"as_of": "2026-06-30", "against": None}))
    assert changes.why_damaged(run) == ""
