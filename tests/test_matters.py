"""What matters most as links to the findings' pages."""

from cxkit import matters

FINDINGS = {"03_loyalty": [{"id": "loyalty.repeat_rate"}], "07_service": [{"id": "service.late.courier"}]}
PAGES = [{"name": "03_loyalty", "title": "Loyalty"}, {"name": "07_service", "title": "Service"}]
BLOCK = {"kind": "table", "file": "tables/11_summary.matters_shown.csv"}


def test_each_row_leads_to_its_finding_and_what_people_alone_say_nowhere(tmp_path):
    (tmp_path / "tables").mkdir()
    rows = "item,finding\na,service.late.courier\nsaid.1,\nb,loyalty.repeat_rate\nc,of.another_run\n"
    (tmp_path / "tables" / "11_summary.matters.csv").write_text(rows, encoding="utf-8")
    assert matters.hrefs(BLOCK, tmp_path, FINDINGS, PAGES) == [
        ("07_service.html#service.late.courier", "Service"),
        (),
        ("03_loyalty.html#loyalty.repeat_rate", "Loyalty"),
        (),
    ]


def test_other_tables_and_lone_pages_have_no_links(tmp_path):
    assert matters.hrefs({"kind": "table", "file": "tables/x.csv"}, tmp_path, FINDINGS, PAGES) == []
    assert matters.hrefs({"kind": "prose"}, tmp_path, FINDINGS, PAGES) == []
    assert matters.hrefs(BLOCK, None, FINDINGS, PAGES) == []
