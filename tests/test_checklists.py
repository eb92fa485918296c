"""The checklists: every list of the articles is there, each item says whose point it is, and faults are named."""

import pytest

from cxkit import checklists as c
from cxkit.errors import UsageError
from cxkit.findings import FAMILIES, is_finding

ITEM = "{id: one, name: One, text: It is done., answered_by: [customer], evidence: a look, sphere: site"
FILE = """scale: [a, b, c, d, e]
kinds: {{voice: {{name: voice, origin: S0}}}}
lists:
  trust:
    name: Trust
    about: practices
    origin: S2b
    items:
      - {item}
"""


def read(tmp_path, item=f"{ITEM}}}", text=FILE):
    path = tmp_path / "lists.yml"
    path.write_text(text.format(item=item), encoding="utf-8")
    return c.read_checklists(path)


def fault(tmp_path, item):
    with pytest.raises(UsageError) as error:
        read(tmp_path, item)
    return str(error.value)


def test_the_lists_have_what_the_articles_have():
    items = c.read_checklists()
    sizes = items[items["part_of"] == ""].groupby("list", sort=False).size().to_dict()
    assert sizes == {
        "trust": 25, "omnichannel": 8, "service": 7, "culture": 11, "orientation": 10, "elements": 15,
        "touchpoints": 8, "stage_3": 7, "stage_4": 4,
    }  # fmt: skip
    assert items["item"].is_unique
    assert items.loc[items["list"] == "trust", "item"].str[6:8].tolist() == [f"{n:02}" for n in range(1, 26)]
    assert set(items.loc[items["list"] == "elements", "sphere"]) == set(c.SPHERES[:5])


def test_each_step_of_service_is_asked_of_three_qualities():
    items = c.read_checklists()
    parts = items[items["part_of"] == "service.6_train_staff"]
    ends = ["standardised", "measurable", "reproducible"]
    assert parts["item"].tolist() == [f"service.6_train_staff.{end}" for end in ends]
    assert (items["part_of"] != "").sum() == 21
    assert parts["text"].iloc[1].endswith("trained again, and whether and how well it is done is counted.")


def test_what_is_ours_has_its_literature_and_what_is_an_articles_has_none():
    items = c.read_checklists()
    ours = items["origin"] == c.OURS
    assert items.loc[ours, "literature"].str.contains(r"\((?:19|20)\d\d\)").all()
    assert (items.loc[~ours, "literature"] == "").all()
    lost = c.lists().set_index("list")["lost"]
    assert set(lost[lost != ""].index) == {"orientation", "elements", "touchpoints"}
    assert set(items.loc[ours, "list"]) == set(lost[lost != ""].index)


def test_every_proxy_is_a_finding_or_a_family():
    named = {proxy for proxies in c.read_checklists()["proxy"] for proxy in proxies}
    families = {*FAMILIES, "service.late", "service.returned"}
    assert {name for name in named if not is_finding(name) and name not in families} == set()


def test_kinds_and_the_words_of_the_scale():
    assert c.scale_words()[0] == "not at all"
    assert len(c.scale_words()) == 5
    assert {"product_quality", "communication", "feedback"} <= set(c.kind_names())
    assert set(c.read_checklists()["kind"]) - {""} == set(c.kind_names())


def test_a_list_of_ones_own_is_read(tmp_path):
    (row,) = read(tmp_path).to_dict("records")
    assert (row["item"], row["origin"], row["answered_by"], row["proxy"]) == ("trust.one", "S2b", ("customer",), ())


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("7", "trust.1 is no item; it holds id, name"),
        (f"{ITEM}, colour: red}}", "trust.one has the unknown key 'colour'; valid are id"),
        (f"{ITEM}, kind: other}}", "trust.one: kind is one of voice; found 'other'"),
        (f"{ITEM}, origin: S9}}", "trust.one: origin is one of S0, S1"),
        (f"{ITEM}, origin: cxkit}}", "trust.one: origin cxkit needs its literature"),
        (f"{ITEM}, literature: Somebody (1999)}}", "an article's point has none"),
        (f"{ITEM}, proxy: [service.late_share]}}", "trust.one: proxy and reads stand together"),
        (f"{ITEM}, proxy: [Late share], reads: so}}", "trust.one: proxy lists findings, as service.late_share"),
        ("{id: One two, name: x, text: y, answered_by: [boss], evidence: z, sphere: moon}", "trust.One two: an id has"),
        ("{id: a, name: x, text: y, answered_by: [boss], evidence: z, sphere: site}", "answered_by lists some"),
        ("{id: a, name: x, text: y, answered_by: [customer], evidence: z, sphere: moon}", "sphere is one of"),
        ("{id: a, name: x, answered_by: [customer], evidence: z, sphere: site}", "trust.a lacks text"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_item(tmp_path, item, said):
    assert said in fault(tmp_path, item)


def test_an_item_twice_and_a_file_of_something_else(tmp_path):
    assert "trust.one stands there twice" in fault(tmp_path, f"{ITEM}}}\n      - {ITEM}}}")
    with pytest.raises(UsageError, match="holds no `lists`"):
        read(tmp_path, text="scale: [a]\n")


def test_a_finding_names_its_item_and_the_items_sphere():
    assert c.item_of("maturity.gap.trust_16_be_reliable") == c.item_of("maturity.item.trust_16_be_reliable")
    assert c.item_of("maturity.item.trust_16_be_reliable") == "trust.16_be_reliable"
    assert c.sphere_of_item("maturity.item.trust_16_be_reliable") == "logistics"
    for other in ("maturity.email_consent", "maturity.item.trust", "service.late.courier", "trust_16_be_reliable", ""):
        assert (c.item_of(other), c.sphere_of_item(other)) == ("", "")


def test_every_items_finding_finds_its_item_again():
    items = c.read_checklists()["item"]
    assert [c.item_of(f"maturity.item.{c.finding_key(item)}") for item in items] == items.tolist()
