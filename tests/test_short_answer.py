"""What matters most in one sentence: short labels, those of one kind together."""

import pandas as pd

from cxkit.findings import FAMILIES, IDS
from cxkit.short_answer import SHORT, answer


def matters(*rows):
    return pd.DataFrame(rows, columns=["what", "quadrant", "finding"])


def test_the_answer_says_what_matters_in_short_labels_and_one_kind_once():
    told = answer(
        matters(
            ("…", "weakness", "journey.touchpoint.payment_page"),
            ("…", "weakness", "lifetime.slipping_share"),
            ("…", "weakness", "journey.touchpoint.advice"),
            ("Couriers ring", "threat", None),
        )
    )
    assert told == (
        "What matters most: customers are lost at “payment page” and “advice”; customers who came back before slip "
        "away; “Couriers ring”."
    )


def test_a_strength_and_what_has_no_short_label_keep_their_name():
    rows = [("Late by courier", "strength", "service.late.courier"), ("Gini", "weakness", "loyalty.gini")]
    assert answer(matters(*rows)) == "What matters most: “Late by courier” and “Gini”."
    assert answer(matters()) == ""


def test_the_labels_are_of_findings_that_the_kit_has():
    assert set(SHORT) <= {*IDS, *FAMILIES}
    assert all(("{}" in words) == (id in FAMILIES) for id, words in SHORT.items())
