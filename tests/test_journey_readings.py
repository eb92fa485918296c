from datetime import datetime

from hand_touches import touches

from cxkit.journey_map import journey_map
from cxkit.journey_readings import map_findings, weak_points
from cxkit.stages import read_stages

STAGES = read_stages()
END = datetime(2026, 6, 30)


def told(figures) -> list[str]:
    return figures.loc[figures["leads_on"], "stage"].tolist()


def journey(*, evaluated: int = 5):
    """40 customers order and get their parcel; few write a review."""
    rows = []
    for number in range(40):
        who = f"c{number:02}"
        rows.append((who, None, f"2026-04-01 10:{number:02}", "cart", "choice"))
        rows.append((who, None, f"2026-04-01 11:{number:02}", "order_placed", "payment"))
        rows.append((who, None, f"2026-04-03 11:{number:02}", "delivery", "delivery"))
        if number < evaluated:
            rows.append((who, None, f"2026-04-05 11:{number:02}", "review_written", "evaluation"))
    return journey_map(touches(rows), stages=STAGES, until=END)


def test_who_has_his_parcel_and_writes_no_review_is_not_lost():
    figures = journey()
    assert figures.set_index("stage").loc["delivery", "goes_on"] == 5 / 40  # the figure stands on the map
    assert told(figures) == ["need", "information", "comparison", "choice", "payment"]
    assert not {"journey.stage.delivery", "journey.days.delivery"} & {f.id for f in map_findings(figures)}
    assert "delivery" not in set(weak_points(figures)["stage"])


def test_a_stage_is_told_of_where_a_later_one_has_data():
    rows = [("anna", None, "10:00", "cart", "choice"), ("anna", None, "10:05", "review_written", "evaluation")]
    assert told(journey_map(touches(rows), stages=STAGES, until=END)) == ["need", "information", "comparison"]
    rows.append(("anna", None, "10:03", "manual", "use"))
    assert told(journey_map(touches(rows), stages=STAGES, until=END))[-1] == "delivery"


def test_findings_of_stages_judge_nothing_without_a_target():
    found = map_findings(journey())
    assert [f.id for f in found][:2] == ["journey.stage.choice", "journey.stage.payment"]
    assert {f.quadrant() for f in found if f.estimate.known} == {"no reference"}
    assert {f.action for f in found} == {""}


def test_a_part_of_the_map_leads_on_as_the_whole_does():
    rows = [("anna", None, "10:00", "cart", "choice"), ("anna", None, "10:05", "order_placed", "payment")]
    part = journey_map(touches(rows), stages=STAGES, until=END, only=["choice"])
    assert told(part) == ["choice"]
