"""What matters most, for the overview: as the summary keeps it, at most five."""

from cxkit.matters import in_short, matters

LATE = {"id": "service.late.courier", "notebook": "07_service", "label": "Orders by courier that come late"}


def told(tmp_path, rows, names=("07_service", "11_summary")):
    (tmp_path / "tables").mkdir()
    path = tmp_path / "tables" / "11_summary.matters.csv"
    path.write_text("item,what,quadrant,finding\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return matters(tmp_path, list(names), [LATE])


def test_a_matter_is_its_finding_and_what_people_alone_say_has_no_number(tmp_path):
    late, said = told(tmp_path, ["a,Late,weakness,service.late.courier", "said.x,Photos are small,threat,"])
    assert (late["notebook"], late["label"], late["verdict_text"]) == ("07_service", LATE["label"], "Weakness")
    assert (said["label"], said["value_text"], said["verdict"]) == ("Photos are small", "said, not measured", "threat")
    assert (said["notebook"], said["id"]) == ("", "")


def test_at_most_five_and_none_where_the_summary_did_not_run(tmp_path):
    rows = [f"said.{k},What {k},weakness," for k in range(7)]
    assert [row["label"] for row in told(tmp_path, rows)] == [f"What {k}" for k in range(5)]
    assert matters(tmp_path, ["07_service"], [LATE]) == []
    assert matters(tmp_path / "nowhere", ["11_summary"], [LATE]) == []


def test_the_overview_begins_with_the_summarys_answer_and_leads_to_it(tmp_path):
    told(tmp_path, ["a,Late,weakness,service.late.courier", "said.x,Photos are small,threat,"])
    assert in_short(tmp_path, ["11_summary"]) == {
        "text": "What matters most: orders by “courier” come late; “Photos are small”.",
        "href": "11_summary.html",
    }
    assert in_short(tmp_path, ["07_service"]) == {}  # the summary did not run, or did not end


def test_nothing_matters_and_nothing_is_said(tmp_path):
    told(tmp_path, [])
    assert in_short(tmp_path, ["11_summary"]) == {}
