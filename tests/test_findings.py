import json
import re
from pathlib import Path

import numpy as np
import pytest

from cxkit import feedback, findings, lift, search
from cxkit.estimates import Estimate, counted, unknown, wilson
from cxkit.findings import Finding, check_claim, judge, load, save


def finding(**changes):
    fields = {
        "id": "loyalty.repeat_rate",
        "claim": "{value} of customers order again ({interval}).",
        "estimate": Estimate(0.41, 0.39, 0.43, 2310, "share", 0.95, "Wilson"),
        "label": "Customers who order again",
        "target": 0.35,
        "target_source": "client.yml",
        "evidence": ("repeat_rates",),
        "action": "Plan the first weeks.",
    }
    return Finding(**(fields | changes))


def test_a_sentence_is_filled_from_its_own_estimate():
    assert finding().sentence() == "41 % of customers order again (39–43 %, n = 2,310)."
    money = Estimate(1234.4, -12, 2480, 60, "money", 0.95, "by hand")
    said = finding(claim="A customer is worth {value} ({interval}; {n} of them).", estimate=money, currency="UAH")
    assert said.sentence() == "A customer is worth 1,234 UAH (−12 to 2,480 UAH, n = 60; 60 of them)."


def test_what_was_counted_in_full_shows_no_interval():
    said = finding(claim="{value} of rows were refused ({interval}).", estimate=counted(3, 600))
    assert said.sentence() == "0.5 % of rows were refused (counted in full, n = 600)."


def test_what_the_data_cannot_tell_is_said():
    said = finding(estimate=unknown("share", n=7))
    assert said.sentence() == "Customers who order again: too early to say (n = 7; too few observations)."
    assert said.quadrant() == "too early to say"


@pytest.mark.parametrize(
    ("reference", "higher_is_better", "verdict"),
    [
        (0.35, True, "strength"),
        (0.35, False, "weakness"),
        (0.50, True, "weakness"),
        (0.50, False, "strength"),
        (0.40, True, "too early to say"),
        (0.39, True, "too early to say"),  # the end itself belongs to the interval
        (None, True, "no reference"),
        (float("nan"), True, "no reference"),
    ],
)
def test_judge(reference, higher_is_better, verdict):
    estimate = Estimate(0.41, 0.39, 0.43, 2310, "share", 0.95, "Wilson")
    assert judge(estimate, reference, higher_is_better=higher_is_better) == verdict


def test_findings_survive_the_file(tmp_path):
    path = tmp_path / "findings" / "03_loyalty.json"
    kept = [finding(), finding(id="loyalty.gini", target=None, evidence=(), currency="UAH")]
    save(kept, path)
    assert load(path) == kept
    row = json.loads(path.read_text(encoding="utf-8"))[0]
    assert (row["quadrant"], row["sentence"]) == ("strength", kept[0].sentence())
    again = tmp_path / "again.json"
    save(load(path), again)
    assert again.read_bytes() == path.read_bytes()


def test_an_unknown_estimate_survives_the_file(tmp_path):
    save([finding(estimate=unknown("share", n=2))], tmp_path / "f.json")
    assert "NaN" not in (tmp_path / "f.json").read_text(encoding="utf-8")
    back = load(tmp_path / "f.json")[0]
    assert np.isnan(back.estimate.value)
    assert back.sentence() == finding(estimate=unknown("share", n=2)).sentence()


def test_an_id_used_twice_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"used twice: loyalty\.repeat_rate"):
        save([finding(), finding()], tmp_path / "f.json")
    assert not (tmp_path / "f.json").exists()


def test_a_finding_that_could_not_speak_is_refused_at_once():
    with pytest.raises(ValueError, match=r"the claim of loyalty\.repeat_rate has the places \['share'\]; valid: value"):
        finding(claim="{share} come back.")
    with pytest.raises(ValueError, match="is no template"):
        finding(claim="{value come back.")
    with pytest.raises(ValueError, match="must be a number or None; found nan"):
        finding(target=float("nan"))


@pytest.mark.parametrize(
    ("theirs", "reading"),
    [
        (0.8, "their figure lies above our interval"),
        (0.41, "their figure lies inside our interval"),
        (0.1, "their figure lies below our interval"),
    ],
)
def test_a_claim_is_quoted_and_not_judged(theirs, reading):
    row = check_claim("80/20", source="S2d", theirs=theirs, ours=wilson(410, 1000), cannot_show="profit")
    assert row["reading"] == reading
    assert (row["ours"], row["interval"], row["n"]) == ("41 %", "38–44 %", 1000)
    assert not {"verdict", "quadrant"} & set(row)


def test_a_claim_that_cannot_be_checked():
    row = check_claim("80/20", source="S2d", theirs=0.8, ours=unknown("share", n=3), cannot_show="profit")
    assert (row["ours"], row["interval"], row["reading"]) == ("–", "–", "cannot be checked here: too few observations")


def test_every_finding_of_the_kit_has_its_id_listed():
    """A target for a finding that no list names would be refused; one that no code makes would never be judged."""
    package = Path(findings.__file__).parent
    text = "\n".join(p.read_text(encoding="utf-8") for p in package.glob("*.py") if p.stem != "findings")
    made = set(re.findall(r'id="([a-z]+\.[a-z0-9_]+)"', text))
    made |= {f"loyalty.lift_{measure}" for measure in lift.NEEDS}
    made |= {f"feedback.{name}" for name in feedback.MEASURES if not name.endswith("mean")}
    made |= {f"search.{name}" for name in search.LABELS}
    made |= {f"service.{done}_in_time" for done in ("answered", "solved")}
    assert made == set(findings.IDS)
    families = set(re.findall(r'(?:id=|else )f"([a-z]+\.[a-z]+)\.\{', text))
    assert families == set(findings.FAMILIES)


def test_a_family_has_a_finding_for_each_of_its_own():
    assert findings.is_finding("journey.touchpoint.сторінка_оплати")
    assert not findings.is_finding("journey.touchpoint.")
    assert not findings.is_finding("journey.touchpiont.cart")
    assert findings.is_share("journey.stage.payment")
    assert not findings.is_share("journey.days.payment")
