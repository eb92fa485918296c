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
    for text, message in (
        ("- a\n", "holds no settings; it begins with `segments:`"),
        ("segments: 3\n", "holds no list `segments`"),
        ("segments: []\n", "holds no list `segments`"),
        ("segments: [3]\n", "segment 1 is no list of keys: '3'"),
        ("segment: []\nsegments: [a]\n", "unknown keys: segment; valid is segments"),
        ("segments: [&a {name: b}, *a]\n", "aliases"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError) as fault:
            names_module.segment_names(path)
        assert message in str(fault.value)
        assert "list.yml" in str(fault.value)


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


def test_the_best_segments_are_marked_and_the_first_where_none_is(tmp_path):
    names = names_module.segment_names()
    assert set(names.loc[names["best"], "segment"]) == {"Champions", "Loyal"}
    first = names_module.segment_names(written(tmp_path, lambda listed: [s.pop("best", None) for s in listed]))
    assert set(first.loc[first["best"], "segment"]) == {"Champions"}
    with pytest.raises(UsageError, match="segment 1 has best: 1; write true or false"):
        names_module.segment_names(written(tmp_path, lambda listed: listed[0].update(best=1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s[0].update(name="loyal"), "segments 1 and 2 have the same name, 'loyal'"),
        (lambda s: s[0].update(name="x" * 61), "segment 1: a name has at most 60 characters"),
        (lambda s: s[0].update(name=["a"]), "segment 1 has name: \"['a']\"; write a text"),
        (lambda s: s[0].update(name="\u200b"), "segment 1 has name: "),
        (lambda s: s[0].update(Meaning="m"), "segment 1 has the unknown key 'Meaning'; valid are name, meaning"),
        (lambda s: s[0].update(where={"recency": [1]}), "segment 1: `where` is a list of at most 125 lines"),
        (lambda s: s[0].update(where=["all"]), "without exactly recency, frequency, monetary: all"),
        (
            lambda s: s[0]["where"][0].update(recency=4),
            "segment 1 has recency: 4; write scores from 1 to 5 in brackets",
        ),
        (lambda s: s[0]["where"][0].update(recency=["4"]), "segment 1 has recency: ['4']; write scores"),
        (lambda s: s[0]["where"][0].update(recency=[4, 4, 5]), "segment 1 has recency: [4, 4, 5]; write scores"),
        (lambda s: s[0]["where"][0].update(recency=[]), "segment 1 has recency: []; write scores"),
        (lambda s: s[0]["where"].append({k: [4] for k in s[0]["where"][0]}), "444 is in Champions and Champions"),
    ],
)
def test_a_clients_list_is_checked_and_its_faults_told(tmp_path, change, message):
    with pytest.raises(UsageError) as fault:
        names_module.segment_names(written(tmp_path, change))
    assert message in str(fault.value)


def test_a_clients_own_names(tmp_path):
    every = "frequency: [1, 2, 3, 4, 5], monetary: [1, 2, 3, 4, 5]"
    path = tmp_path / "ours.yml"
    path.write_text(
        "segments:\n"
        f"- {{name: ' Наші  люди ', meaning: m, action: a, where: [{{recency: [3, 4, 5], {every}}}]}}\n"
        f"- {{name: no, meaning: m, action: a, quiet: true, where: [{{recency: [1, 2], {every}}}]}}\n",
        encoding="utf-8",
    )
    names = names_module.segment_names(path)
    assert names.groupby("segment", sort=False).size().to_dict() == {"no": 50, "Наші люди": 75}
    assert set(names["key"]) == {"no", "наші_люди"}
