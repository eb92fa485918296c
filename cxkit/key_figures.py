"""The key figures of an audit in the order in which a director asks, each with its interval, n and period."""

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
PERIODS = {  # an id or how it begins -> what a key figure looks at; the first that fits
    "service.contacts_per_100": "the latest 3 months",
    "service.contact_trend": "a year's change, over all months",
    "service.growing.": "a year's change, over all months",
    "service.": "all orders or contacts",
    "loyalty.repeat_rate": "all first orders old enough",
    "loyalty.loyal_customers_change": "the last 365 days, beside those 6 months before",
    "loyalty.period_retention": "from period to period",
    "loyalty.": "all orders",
    "lifetime.value_per_customer": "the weeks to come: a forecast",
    "lifetime.held_out_error": "the weeks held back",
    "lifetime.": "all orders",
    "journey.": "all visits",
    "feedback.": "all answers",
    "search.": "all searches",
    "segments.": "all orders, as of the last day",
    "personas.": "all orders",
    "maturity.email_consent": "the last 365 days",
    "maturity.": "the workshop",
    "quality.": "all rows",
}
# what says something of the data or of the measuring, and not of the shop
OF_DATA = ("quality.", "feedback.incentive_bias", "feedback.response_rate", "lifetime.held_out_error")


def key_figures(findings: Sequence[Finding]) -> pd.DataFrame:
    """The key figures, one a question, then all others, those of single stages, groups and reasons last.

    From: the audit's findings. To: figure (its label), value_text, interval_text, n, period, target_text (what it is
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
            "period": _period(f),
            "target_text": _against(f),
            "verdict": "not judged" if f.quadrant() == "no reference" else f.quadrant(),
            "id": f.id,
            **{name: getattr(f.estimate, name) for name in ("value", "low", "high", "unit", "level")},
            "target": f.target,
        }
        for f in known
    ]
    columns = ["figure", "value_text", "interval_text", "n", "period", "target_text", "verdict", "id"]
    return pd.DataFrame(rows, columns=[*columns, "value", "low", "high", "unit", "level", "target"])


def _period(finding: Finding) -> str:
    """What a figure looks at, and of a forecast how its test came out."""
    words = next((words for start, words in PERIODS.items() if finding.id.startswith(start)), "–")
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
