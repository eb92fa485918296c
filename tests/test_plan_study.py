"""The study of the plan: three of its made-up clients of a kind, and how it tells what it found.

The pairs of audits are tried on three seeds each in test_since.
"""

import pytest
from study import load_study

# what these weaknesses need, and no more
AREAS = ("05_feedback", "06_search", "07_service", "10_swot")
OF_WEAKNESSES = ("05_feedback", "07_service", "10_swot")
SHOWN = ("advice", "payment_page", "courier", "delivery_delay", "delivery", "Shoes", "Clothes")


@pytest.fixture(scope="module")
def study():
    """The study's functions."""
    return load_study("plan_power")


def planned(study, folder, kind, seed, names=AREAS):
    client_yml = study.make_client(folder / "client", kind, seed)
    study.audit(client_yml, folder / "now", as_of=study.NOW, names=names)
    return study.of_plan(folder / "now")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_planted_weakness_is_in_the_swot_and_the_worst_comes_first(study, tmp_path, seed):
    told = planned(study, tmp_path, "default", seed)
    rows = {thing: study.rightly(told, thing) for thing in (*SHOWN, *study.GOODS)}
    assert all(rows.values()), rows
    assert {row["certainty"] for row in rows.values()} == {"certain"}
    assert rows[study.WORST]["triage"] == "now"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_nothing_is_planted_the_data_are_certain_of_no_weakness(study, tmp_path, seed):
    told = planned(study, tmp_path, "null", seed, OF_WEAKNESSES)
    assert study.told_weak(told) == []


def test_a_null_client_has_no_sheets_and_no_targets(study, tmp_path):
    settings = study.make_client(tmp_path / "client", "unchanged", 1, customers=20).read_text(encoding="utf-8")
    assert "scenario null" in settings
    assert "targets:" not in settings
    assert "\ncompany_size: medium" in settings
    assert "\nscales:" in settings
    assert not (tmp_path / "client" / "workshop").exists()


def test_what_a_finding_is_about(study):
    assert study.about("journey.touchpoint.payment_page") == "payment_page"
    assert study.about("service.returned.shoes") == "Shoes"
    assert study.about("search.missing.laktator_elektryczny") == "breast pumps"
    assert study.about("search.missing.toddler_balance_bike") == "balance bikes"
    assert study.about("search.missing.nappies") == ""
    assert study.about("journey.touchpoint.packaging") == ""


def test_cells_run_without_their_pictures(study):
    tree = study._NoPictures().visit(study.ast.parse("ax = a.plot_it(x)\nax.set(y=1)\nalt = a.describe_it(b.count(x))"))
    assert study.ast.unparse(tree) == "ax = _picture\nax.set(y=1)\nalt = 'a picture'"


def test_results_are_told_with_their_intervals_and_added_to_the_page(study, tmp_path):
    row = {"item": "journey.touchpoint.payment_page", "quadrant": "weakness", "certainty": "certain", "triage": "now"}
    null = {"kind": "null", "seconds": 20.0, "planted": {}}
    results = [null | {"seed": 1000 + k, "others": [row] if k == 0 else []} for k in range(4)]
    failed = {"kind": "null", "seed": 1004, "seconds": 3.0, "error": "ValueError: a fault"}
    section = study.report("null", [*results, failed], "python studies/plan_power.py --runs 5 --what null")
    assert section.startswith("## null: 5 clients, seeds 1000 to 1004")
    assert "| the audit ended with an error | 1 of 5 |" in section
    assert "Errors: 1004 (ValueError: a fault)." in section
    assert "| any weakness that the data are certain of | 1 of 4 | 4.6% to 69.9% | at most 0 |" in section
    assert "Certain weaknesses: journey.touchpoint.payment_page 1." in section
    study.add(tmp_path / "page.md", section)
    study.add(tmp_path / "page.md", section)
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert text.startswith("# Do the planted weaknesses")
    assert text.count("## null") == 2


def test_an_audit_that_fails_is_a_result(study, monkeypatch):
    monkeypatch.setattr(study, "make_client", lambda *_: 1 / 0)
    assert study.run(("null", 7)) == {
        "kind": "null",
        "seed": 7,
        "seconds": 0.0,
        "error": "ZeroDivisionError: division by zero",
    }


def test_an_improvement_that_is_found_and_a_change_that_is_none(study):
    since = [
        ["contacts", "delivery_delay", "better"],
        ["goes_on", "payment_page", "better"],
        ["late", "courier", "better"],
    ]
    told = {"kind": "improved", "seed": 1, "seconds": 1.0, "compare": [], "compared": 20, "judged": 60, "since": since,
            "turned": []}  # fmt: skip
    other = told | {"seed": 2, "since": [*since[:2], ["returned", "Shoes", "worse"]]}
    rows = study.rows_of("improved", [told, other])
    assert rows[0].startswith("| all three improvements found | 1 of 2 |")
    assert rows[4].startswith(
        "| of the days since, anything else than it and all called better, or anything worse | 1 of 2"
    )
    rows = study.rows_of("unchanged", [told | {"since": []}, other])
    assert rows[0].startswith("| anything called changed | 1 of 2 |")
    assert rows[-1].endswith("goes_on payment_page better 1, returned Shoes worse 1.")
