"""What an item is about: by its finding, by people's words in four languages, and by nothing else."""

import pytest

from cxkit.errors import UsageError
from cxkit.findings import is_finding
from cxkit.topics import TOPICS, _read, topics_of


@pytest.mark.parametrize(
    ("ids", "said", "topics"),
    [
        (["service.returned.shoes"], "", ["returns"]),
        (["service.returned_share"], "", ["returns"]),
        (["service.late.courier", "loyalty.gini"], "", ["delivery"]),
        (["maturity.item.trust_20_be_flexible"], "", ["returns"]),
        ([], "Consumers may send goods back within 14 days", ["returns"]),
        ([], "We send a letter", []),
        ([], "Parcel lockers reach more villages", ["delivery"]),
        ([], "Кур'єри запізнюються", ["delivery"]),
        ([], "Paczkomat jest blisko", ["delivery"]),
        ([], "Сторінка оплати губить покупців", ["payment"]),
        ([], "Fuel prices rise", []),
        (["loyalty.gini"], "", []),
        ([], "", []),
    ],
)
def test_the_topics_of_an_item(ids, said, topics):
    assert list(topics_of(ids, said=said)) == topics


def test_every_finding_that_a_topic_names_is_one():
    named = [begin for _, _, findings, _ in _read(TOPICS) for begin in findings]
    assert named
    assert [begin for begin in named if not is_finding(begin) and not is_finding(f"{begin}.x")] == []


def test_a_file_that_is_no_list_of_topics_is_refused(tmp_path):
    path = tmp_path / "topics.yml"
    path.write_text("topics:\n  - topic: a\n", encoding="utf-8")
    with pytest.raises(UsageError, match="each of its parts has exactly topic, name, findings, words"):
        topics_of(path=path)
