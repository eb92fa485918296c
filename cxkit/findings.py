"""From a number to a finding: a sentence filled from its own estimate, and a verdict against a reference."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from cxkit.estimates import Estimate, from_dict
from cxkit.style import format_interval, format_value

VERDICTS = ("weakness", "strength", "too early to say", "no reference")  # in the order that a reader meets them
# every finding of the kit, so that a target or a withheld finding that is misspelt is refused
IDS = (
    "quality.odd_things",
    "quality.refused_share",
    "quality.without_customer_share",
    "segments.great_share",
    "segments.quiet_share",
    "segments.great_kept",
    "segments.top_group_share",
    "segments.best_change",
    "journey.conversion",
    "loyalty.repeat_rate",
    "loyalty.top_share",
    "loyalty.gini",
    "loyalty.lift_goods",
    "loyalty.lift_categories",
    "loyalty.lift_revenue",
    "loyalty.loyal_customers_change",
    "loyalty.top_profit_share",
    "loyalty.known_revenue_share",
    "loyalty.referred_share",
    "loyalty.referral_lift",
    "loyalty.promoters_refer",
    "loyalty.period_retention",
    "loyalty.five_points",
    "loyalty.churn_share",
    "loyalty.overdue_share",
    "lifetime.value_per_customer",
    "lifetime.slipping_share",
    "lifetime.held_out_error",
    "personas.margin_eaten",
    "feedback.nps",
    "feedback.csat",
    "feedback.ces",
    "feedback.csi",
    "feedback.response_rate",
    "feedback.incentive_bias",
    "search.nothing_found",
    "search.no_click",
    "search.reformulated",
    "search.order_after",
    "service.contacts_per_100",
    "service.contact_trend",
    "service.repeat_contacts",
    "service.answered_in_time",
    "service.solved_in_time",
    "service.cancelled_share",
    "service.returned_share",
    "service.late_share",
    "maturity.email_consent",
)
NO_SHARES = ("segments.best_change", "loyalty.lift_goods", "loyalty.lift_categories", "loyalty.lift_revenue")
NO_SHARES += ("loyalty.loyal_customers_change", "loyalty.referral_lift", "loyalty.promoters_refer")
NO_SHARES += ("loyalty.five_points", "lifetime.value_per_customer", "lifetime.held_out_error")
NO_SHARES += ("service.contacts_per_100", "service.contact_trend", "quality.odd_things")
# families of findings, one a stage, touchpoint, segment or group of the client's own: `journey.stage.payment`
FAMILIES = ("journey.stage", "journey.days", "journey.touchpoint", "segments.shrinks", "segments.grows")
FAMILIES += ("personas.costs", "feedback.touchpoint", "feedback.theme", "feedback.gap", "search.missing")
FAMILIES += ("service.growing", "service.late", "service.returned", "maturity.item", "maturity.gap")
# what is judged by itself and takes no target of the client
JUDGED_OTHERWISE = {
    "journey.touchpoint": "touchpoints are judged against the client's others",
    "segments.shrinks": "segments are judged against their size at the earlier date",
    "segments.grows": "segments are judged against their size at the earlier date",
    "personas.costs": "groups are judged against the client's other groups",
    "feedback.touchpoint": "touchpoints are judged against the client's others",
    "feedback.theme": "themes are judged against the comments about anything else",
    "feedback.gap": "what was experienced is judged against what was expected",
    "feedback.incentive_bias": "answers that were paid for are judged against those that were not",
    "search.missing": "goods are judged by whether half of those who look find nothing",
    "service.contact_trend": "contacts an order ought to fall, so the trend is judged against 0",
    "service.growing": "reasons are judged against their own past",
    "maturity.item": "items of the checklists are judged against the client's other items",
    "maturity.gap": "items are judged by whether employees and customers see the same",
    "service.late": "ways of delivery are judged against the client's others",
    "service.returned": "categories are judged against the client's others",
}
PLACES = ("value", "interval", "n")  # what a claim may hold in braces


@dataclass(frozen=True)
class Finding:
    """One thing the audit found.

    id: `area.name`; claim: a sentence of ours with the places {value}, {interval} and {n};
    target: what the number is judged against (the client's own), or None; higher_is_better: which side is good;
    evidence: names of tables and figures of the run; action: what follows from it, or an empty text.
    """

    id: str
    claim: str
    estimate: Estimate
    label: str
    target: float | None = None
    target_source: str = ""
    higher_is_better: bool = True
    evidence: tuple[str, ...] = ()
    action: str = ""
    currency: str = ""

    def __post_init__(self) -> None:
        try:
            places = {name for _, name, _, _ in Formatter().parse(self.claim) if name is not None}
        except ValueError as fault:
            raise ValueError(f"the claim of {self.id} is no template: {fault}.") from fault
        if strange := sorted(places - set(PLACES)):
            raise ValueError(f"the claim of {self.id} has the places {strange}; valid: {', '.join(PLACES)}.")
        if self.target is not None and not math.isfinite(self.target):
            raise ValueError(f"the target of {self.id} must be a number or None; found {self.target}.")

    def sentence(self) -> str:
        """The claim with its own numbers in it; where the data cannot tell, it says so."""
        e = self.estimate
        if not e.known:
            counted = f"n = {e.n:,}; " if e.n else ""
            return f"{self.label}: too early to say ({counted}{e.method})."
        # what was counted in full has no interval to show
        ends = "counted in full" if e.level == 1 else format_interval(e, self.currency)
        return self.claim.format(
            value=format_value(e.value, e.unit, self.currency), interval=f"{ends}, n = {e.n:,}", n=f"{e.n:,}"
        )

    def quadrant(self) -> str:
        """The verdict: strength, weakness, too early to say, or no reference."""
        return judge(self.estimate, self.target, higher_is_better=self.higher_is_better)


def is_finding(id: str) -> bool:
    """Whether the kit makes a finding of that id, or of its family."""
    return id in IDS or any(id.startswith(f"{family}.") and len(id) > len(family) + 1 for family in FAMILIES)


def is_share(id: str) -> bool:
    """Whether a finding is a share, so that its target lies between 0 and 1."""
    return (id in IDS and id not in NO_SHARES) or id.startswith("journey.stage.")


def judge(estimate: Estimate, reference: float | None, *, higher_is_better: bool = True) -> str:
    """Strength or weakness where the whole interval lies on one side of the reference, else "too early to say".

    Without a reference there is nothing to judge against ("no reference"): no built-in industry figure is used.
    """
    if not estimate.known:
        return "too early to say"
    if reference is None or not math.isfinite(reference):
        return "no reference"
    if estimate.low <= reference <= estimate.high:
        return "too early to say"
    return "strength" if (estimate.low > reference) == higher_is_better else "weakness"


def against_whom(source: str) -> str:
    """What a finding is judged against, without how many were judged together, which is told with the method."""
    return re.sub(r" \([^()]*(?:together|Holm)[^()]*\)", "", source)


def save(findings: list[Finding], path: Path) -> None:
    """Write findings as JSON, one list, in the order given. Raises ValueError on an id used twice."""
    ids = [f.id for f in findings]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ValueError(f"a finding's id must be its own; used twice: {', '.join(twice)}.")
    rows = [
        {
            "id": f.id,
            "sentence": f.sentence(),
            "claim": f.claim,
            "label": f.label,
            "estimate": f.estimate.as_dict(),
            "target": f.target,
            "target_source": f.target_source,
            "higher_is_better": f.higher_is_better,
            "quadrant": f.quadrant(),
            "evidence": list(f.evidence),
            "action": f.action,
            "currency": f.currency,
        }
        for f in findings
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load(path: Path) -> list[Finding]:
    """The findings that `save` wrote."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    derived = ("sentence", "quadrant")
    return [
        Finding(
            **{k: v for k, v in row.items() if k not in (*derived, "estimate", "evidence")},
            estimate=from_dict(row["estimate"]),
            evidence=tuple(row["evidence"]),
        )
        for row in rows
    ]


# the articles that the kit starts from, by the ids under which reports quote them
ARTICLES = {
    "S0": "What customer orientation is and its role in e-commerce (eSputnik / Inweb blog)",
    "S1": "Customer centricity in e-commerce (E-commerce magazine no. 11, August 2022)",
    "S2": "Four texts on customer orientation: winning a buyer over; 25 trust practices (John Rampton); touchpoints; "
    "what customer orientation is (O. Selendeeva)",
    "S2d": "What customer orientation is, with examples (O. Selendeeva)",
    "S3": "Building a business culture focused on the customer (adnext.pl)",
    "S4": "Working with loyal customers (Shahin Musaev, conference report, 2021)",
}


CLAIM_COLUMNS = ("claim", "source", "theirs", "ours", "interval", "n", "reading", "cannot_show")


def check_claim(
    claim: str, *, source: str, theirs: float, ours: Estimate, cannot_show: str, currency: str = ""
) -> dict[str, object]:
    """One row of "claims checked": what somebody published beside this client's own number.

    source: one of ARTICLES.
    theirs: the published figure in the unit of `ours`. It is quoted, never a target: nothing is judged by it.
    To: claim, source, theirs, ours, interval, n (texts as a reader sees them), reading (where their figure lies),
    cannot_show (why the two may differ even if both are right).
    """
    if not ours.known:
        reading = f"cannot be checked here: {ours.method}"
    elif theirs < ours.low:
        reading = "their figure lies below our interval"
    elif theirs > ours.high:
        reading = "their figure lies above our interval"
    else:
        reading = "their figure lies inside our interval"
    return {
        "claim": claim,
        "source": f"{source}: {ARTICLES[source]}",
        "theirs": format_value(theirs, ours.unit, currency),
        "ours": format_value(ours.value, ours.unit, currency),
        "interval": format_interval(ours, currency),
        "n": ours.n,
        "reading": reading,
        "cannot_show": cannot_show,
    }
