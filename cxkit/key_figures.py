"""The key figures of an audit in the order in which a director asks, each with its interval, n, and what n counts."""

from collections.abc import Sequence

import pandas as pd

from cxkit.definitions import PROVEN
from cxkit.findings import IDS, Finding, against_whom
from cxkit.style import clean_text, format_interval, format_value

# one figure a question, in the order in which a director asks
KEY = {  # a finding's id -> what it is called where its own label needs a word that not everybody knows
    "loyalty.repeat_rate": "",
    "loyalty.known_revenue_share": "",
    "lifetime.value_per_customer": "",
    "journey.conversion": "",
    "feedback.nps": "Would recommend the shop, less those who would not (NPS, −100 to 100)",
    "feedback.csat": "Satisfied, of those who were asked (CSAT)",
    "search.nothing_found": "",
    "service.contacts_per_100": "Contacts with support, a hundred orders",
    "service.late_share": "",
    "service.returned_share": "",
}
BASES = {  # an id or how it begins -> what its n counts, and of which time; the first that fits
    "loyalty.repeat_rate": "new customers who were seen for long enough",
    "loyalty.known_revenue_share": "customers who bought in the last 365 days",
    "loyalty.loyal_customers_change": "all customers; the shares are of those who bought in 365 days",
    "loyalty.lift_": "loyal and new customers who bought in the months measured",
    "loyalty.overdue_share": "customers who came back before",
    "loyalty.referred_share": "customers of whom it is known who sent them, or that nobody did",
    "loyalty.referral_lift": "customers seen for long enough after their first order",
    "loyalty.promoters_refer": "customers who answered",
    "loyalty.period_retention": "customers of one period",
    "loyalty.five_points": "new customers of the time it was reckoned from",
    "loyalty.churn_share": "customers who were active then",
    "loyalty.": "all customers",
    "lifetime.value_per_customer": "all customers; the figure is a forecast",
    "lifetime.held_out_error": "customers known before the weeks held back",
    "lifetime.": "all customers",
    "journey.conversion": "visitors who entered",
    "journey.stage.": "customers who came to the stage and were seen for long enough",
    "journey.days.": "customers who came to the stage",
    "journey.touchpoint.": "touches, or answers, at the touchpoint",
    "feedback.nps": "answers without incentive",
    "feedback.csat": "answers without incentive",
    "feedback.ces": "answers without incentive",
    "feedback.csi": "customers who answered on the items",
    "feedback.touchpoint.": "answers on the touchpoint, without incentive",
    "feedback.gap.": "pairs of answers: what was expected, what was met",
    "feedback.incentive_bias": "answers that a reward was promised for",
    "feedback.response_rate": "invitations to answer",
    "feedback.theme.": "comments about the theme",
    "search.no_click": "searches that find something",
    "search.order_after": "visits with a search",
    "search.missing.": "searches for it",
    "search.": "all searches",
    "service.contacts_per_100": "contacts of the latest 3 whole months",
    "service.contact_trend": "contacts of all whole months; a year's change",
    "service.growing.": "contacts about it in all whole months; a year's change",
    "service.late_share": "orders that were due",
    "service.late.": "orders sent so that were due",
    "service.returned_share": "order lines sold",
    "service.returned.": "order lines sold of the category",
    "service.cancelled_share": "all orders placed, the cancelled ones too",
    "service.answered_in_time": "contacts whose answer was due",
    "service.solved_in_time": "contacts whose solution was due",
    "service.repeat_contacts": "contacts after which another could still come",
    "segments.grows.": "all customers then and now",
    "segments.shrinks.": "all customers then and now",
    "segments.best_change": "all customers then and now",
    "segments.great_kept": "customers who were in the great tier then",
    "segments.": "all customers",
    "personas.costs.": "customers of the group",
    "personas.": "all customers",
    "maturity.email_consent": "customers who bought in the last 365 days",
    "maturity.": "people who gave the item a score",
    "quality.refused_share": "rows of the orders' files",
    "quality.": "all orders",
}
# what says something of the data or of the measuring, and not of the shop
OF_DATA = ("quality.", "feedback.incentive_bias", "feedback.response_rate", "lifetime.held_out_error")


def key_figures(findings: Sequence[Finding]) -> pd.DataFrame:
    """The key figures, one a question, then all others, those of single stages, groups and reasons last.

        From: the audit's findings. To: figure (its label), value_text, interval_text, n, base (what n counts),
    target_text (what it is
    held against, and whose that is), verdict, and for a computer: id, value, low, high, unit, level, target.
    What could not be told is left out.
    """
    place = {id: number for number, id in enumerate(KEY)}
    single = {id: len(KEY) for id in IDS if not id.startswith(OF_DATA)}
    known = [f for f in findings if f.estimate.known]
    known = sorted(known, key=lambda f: (single | place).get(f.id, len(KEY) + 1))
    rows = [
        {
            "figure": KEY.get(f.id) or clean_text(f.label),
            "value_text": format_value(f.estimate.value, f.estimate.unit, f.currency),
            "interval_text": "counted in full" if f.estimate.level == 1 else format_interval(f.estimate, f.currency),
            "n": f.estimate.n,
            "base": _base(f),
            "target_text": _against(f),
            "verdict": "not judged" if f.quadrant() == "no reference" else f.quadrant(),
            "id": f.id,
            **{name: getattr(f.estimate, name) for name in ("value", "low", "high", "unit", "level")},
            "target": f.target,
        }
        for f in known
    ]
    columns = ["figure", "value_text", "interval_text", "n", "base", "target_text", "verdict", "id"]
    return pd.DataFrame(rows, columns=[*columns, "value", "low", "high", "unit", "level", "target"])


def _base(finding: Finding) -> str:
    """What n counts, and of a forecast how its test came out."""
    words = next((words for start, words in BASES.items() if finding.id.startswith(start)), "–")
    tested = PROVEN.search(finding.claim) if finding.id.startswith("lifetime.") else None
    return f"{words}; a test {tested.group()}" if tested else words


def _against(finding: Finding) -> str:
    if finding.target is None:
        return "–"
    source = against_whom(clean_text(finding.target_source))
    told = format_value(finding.target, finding.estimate.unit, finding.currency)
    return f"{told} ({source})" if source else told


def without_target(findings: Sequence[Finding]) -> str:
    """How many figures are known and judged against nothing, in words; empty where there is none."""
    known = [f for f in findings if f.estimate.known]
    count = sum(f.quadrant() == "no reference" for f in known)
    return f"whether {count} of the {len(known)} figures are good or bad" if count else ""
