"""From what follows to the page that it rests on: addresses of findings."""

import hand_plan as hand

from cxkit.finding_pages import addresses, pages_of
from cxkit.findings import save


def test_a_finding_has_the_address_of_its_row(tmp_path):
    save([hand.finding("service.late.courier", 0.3, 0.2, 0.4)], tmp_path / "findings" / "07_service.json")
    save([hand.finding("feedback.nps", 3, 2, 4)], tmp_path / "findings" / "05_feedback.json")
    assert pages_of(tmp_path) == {
        "service.late.courier": "07_service#service.late.courier",
        "feedback.nps": "05_feedback#feedback.nps",
    }
    assert pages_of(tmp_path / "none") == {}


def test_one_address_a_page_in_the_order_of_the_ids():
    pages = {"b.x": "07_service#b.x", "b.y": "07_service#b.y", "a.z": "05_feedback#a.z"}
    assert addresses([["b.x", "b.y", "gone", "a.z"], [], ["gone"]], pages) == ["07_service#b.x 05_feedback#a.z", "", ""]
