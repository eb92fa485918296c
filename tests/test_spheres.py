"""Which sphere: findings by their ids, touchpoints and departments by their words, in four languages."""

import pytest

from cxkit.errors import UsageError
from cxkit.findings import FAMILIES, IDS
from cxkit.spheres import read_spheres, sphere_of
from cxkit.stages import touchpoint_map

SEVEN = ["positioning", "site", "product", "support", "logistics", "relations", "company"]


def test_the_articles_five_elements_come_first_and_ours_are_marked():
    frame = read_spheres()
    assert frame["sphere"].tolist() == SEVEN
    assert frame["origin"].tolist() == ["S2d"] * 5 + ["cxkit"] * 2


@pytest.mark.parametrize("id", [*IDS, *(f"{family}.x" for family in FAMILIES)])
def test_every_finding_of_the_kit_has_a_sphere(id):
    assert sphere_of([id]) in SEVEN


@pytest.mark.parametrize(
    ("id", "sphere"),
    [
        ("journey.touchpoint.payment_page", "site"),
        ("feedback.touchpoint.delivery", "logistics"),
        ("journey.touchpoint.advice", "site"),  # a page of the site, not goods
        ("feedback.touchpoint.support_chat", "support"),
        ("journey.touchpoint.сторінка_оплати", "site"),  # no word tells it: the area's own
        ("service.late.courier", "logistics"),
        ("service.returned.shoes", "product"),
        ("service.growing.delivery_delay", "support"),
        ("search.missing.prams", "product"),
        ("search.nothing_found", "site"),
        ("segments.shrinks.champions", "relations"),
        ("maturity.item.omnichannel_4_same_day", "logistics"),  # the item's own
        ("maturity.gap.trust_19_foresee_problems", "support"),
        ("maturity.item.no_such_item", "company"),
        ("maturity.email_consent", "company"),
    ],
)
def test_the_longest_beginning_counts(id, sphere):
    assert sphere_of([id]) == sphere


def test_most_touchpoints_of_the_kit_have_a_sphere():
    names = touchpoint_map()["touchpoint"]
    assert [name for name in names if not sphere_of(touchpoint=name)] == []


@pytest.mark.parametrize(
    ("department", "sphere"),
    [("Logistics", "logistics"), ("Відділ логістики", "logistics"), ("Dział obsługi klienta", "support"),
     ("Отдел закупок", "product"), ("IT", "site"), ("Itinerary", ""), ("marketing", "positioning"), ("HR", "company"),
     ("IT support", "support"), ("Маркетинг", "positioning"), ("", ""), ("<script>", ""), ("кур'єри", "logistics")],
)  # fmt: skip
def test_departments_by_their_words(department, sphere):
    assert sphere_of(department=department) == sphere


def test_the_finding_goes_before_the_touchpoint_and_the_department():
    assert sphere_of(["service.late.courier"], touchpoint="cart", department="marketing") == "logistics"
    assert sphere_of(touchpoint="cart", department="marketing") == "site"
    assert sphere_of(["said.nothing"], department="marketing") == "positioning"
    # who owns a touchpoint whose name tells nothing
    assert sphere_of(["feedback.touchpoint.xyz"], department="marketing") == "positioning"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("spheres: 3", "`spheres` is a list"),
        ("spheres:\n  - {sphere: a, name: A}", "exactly sphere, name, origin"),
        ("other: []", "`spheres` is a list"),
    ],
)
def test_a_faulty_file_is_refused(tmp_path, text, fault):
    (tmp_path / "s.yml").write_text(text)
    with pytest.raises(UsageError, match=fault):
        read_spheres(tmp_path / "s.yml")


def test_a_beginning_that_two_claim_is_refused(tmp_path):
    row = "  - {{sphere: {0}, name: A, origin: cxkit, findings: [loyalty], departments: [], touchpoints: []}}\n"
    (tmp_path / "s.yml").write_text("spheres:\n" + row.format("a") + row.format("b"))
    with pytest.raises(UsageError, match="findings 'loyalty' stands under a and b"):
        read_spheres(tmp_path / "s.yml")
    (tmp_path / "t.yml").write_text("spheres:\n" + row.format("a") + row.format("a"))
    with pytest.raises(UsageError, match="the sphere 'a' stands there twice"):
        read_spheres(tmp_path / "t.yml")
