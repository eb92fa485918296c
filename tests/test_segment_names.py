"""Which combination of scores has which name: every one exactly one, and faults of the list are named."""

from itertools import product

import pytest
import yaml

from cxkit import segment_names as names_module
from cxkit.errors import UsageError


def test_every_one_of_125_combinations_has_one_name():
    names = names_module.segment_names()
    assert len(names) == 125
    assert set(names["rfm"]) == {"".join(map(str, c)) for c in product(range(1, 6), repeat=3)}
    assert names["rfm"].is_unique
    assert names["segment"].nunique() == 10
    lookup = names.set_index("rfm")["segment"]
    assert lookup[["555", "511", "111", "155", "355"]].to_list() == [
        "Champions", "New", "Hibernating", "Cannot lose", "Loyal",
    ]  # fmt: skip


def written(tmp_path, change):
    segments_list = yaml.safe_load(names_module.NAMES.read_text(encoding="utf-8"))["segments"]
    change(segments_list)
    path = tmp_path / "names.yml"
    path.write_text(yaml.safe_dump({"segments": segments_list}), encoding="utf-8")
    return path


def test_a_gap_and_an_overlap_are_named(tmp_path):
    def change(listed):
        by_name = {s["name"]: s for s in listed}
        by_name["New"]["where"][0]["monetary"] = [1, 2, 3, 4]
        by_name["Promising"]["where"][0]["recency"] = [3, 4]

    with pytest.raises(UsageError) as fault:
        names_module.segment_names(written(tmp_path, change))
    message = str(fault.value)
    assert "in no segment: 515" in message
    assert "311 is in Promising and About to sleep" in message
    assert "313 is in Promising and About to sleep" in message
    assert "names.yml" in message
    assert "mend the lists under `where`" in message


def test_scores_that_do_not_exist_and_half_written_segments_are_named(tmp_path):
    def six(listed):
        listed[0]["where"][0]["recency"] = [4, 5, 6]

    with pytest.raises(UsageError, match="no such scores with 5 parts: 644"):
        names_module.segment_names(written(tmp_path, six))
    with pytest.raises(UsageError, match="segment 2 lacks meaning"):
        names_module.segment_names(written(tmp_path, lambda listed: listed[1].pop("meaning")))
    with pytest.raises(UsageError, match="segment 1 has a line under `where` without exactly recency"):
        names_module.segment_names(written(tmp_path, lambda listed: listed[0]["where"][0].pop("monetary")))
    path = tmp_path / "list.yml"
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no list `segments`"):
        names_module.segment_names(path)


def test_the_quiet_segments_are_marked_in_the_list(tmp_path):
    names = names_module.segment_names()
    assert set(names.loc[names["quiet"], "segment"]) == {"Cannot lose", "At risk"}
    # the two lowest recency scores, without those who never ordered more than the fewest
    assert set(names.loc[names["quiet"], "rfm"]) == {
        "".join(map(str, c)) for c in product((1, 2), (3, 4, 5), range(1, 6))
    }
    with pytest.raises(UsageError, match="segment 1 has quiet: 'yes'; write true or false"):
        names_module.segment_names(written(tmp_path, lambda listed: listed[0].update(quiet="yes")))
    with pytest.raises(UsageError, match="no segment has quiet: true"):
        names_module.segment_names(written(tmp_path, lambda listed: [s.pop("quiet", None) for s in listed]))
