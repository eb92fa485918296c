"""What people say of an item beside what the data say of it, and where the two disagree."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.checklists import SCALE, VOICES
from cxkit.engine import collect
from cxkit.estimates import Estimate, unknown
from cxkit.findings import Finding
from cxkit.style import clean_text, format_interval, format_value
from cxkit.tables import order_totals

MIDDLE = (SCALE[0] + SCALE[1]) / 2
HIGH, LOW = "high", "low"
DISAGREE, AGREE, OPEN = "disagree", "agree", "open"
DAYS, NAMED = 365, 3  # of orders; disagreements that are told in words
END = re.compile(r"(?<=[.)])\s(?=[A-ZА-ЯІЇЄҐ“])")  # of a sentence
COLUMNS = ["item", "name", *VOICES, "finding", "label", "number", "told", "data", "reading", "why", "reads"]


def beside_data(scores: pd.DataFrame, findings: Iterable[Finding], items: pd.DataFrame) -> pd.DataFrame:
    """Each item that somebody scored, beside each finding that speaks to it.

    From: `maturity.scores`, the findings of the run, `checklists.read_checklists` (proxy). To, disagreements first,
    then agreements, then in the order of the checklists: item, name, customer, partner, employee (means), finding (id),
    label, number (as a reader sees it, with its interval), told (the finding's first sentence), data (its verdict),
    reading (disagree, agree, or open: they cannot be held together), why, reads (how the number speaks to the item).
    A voice scores it high where the interval of its mean lies wholly above the middle of the scale, low where wholly
    below. They disagree where a voice scores it high and the finding is a weakness, or low and it is a strength; they
    agree where all voices that score it high or low say what the finding says.
    What is left out: items that nobody scored (shown); findings that were withheld. What it cannot show: that the two
    mean the same; `reads` says what the number is.
    """
    found, rows = list(findings), []
    said = scores[scores["mean"].notna()]
    for item in items[items["item"].isin(said["item"])].itertuples():
        voices = said[said["item"] == item.item].set_index("voice")
        for finding in _speaking(found, item.proxy):
            reading, why = _held_together(voices, finding)
            number = f"{format_value(finding.estimate.value, finding.estimate.unit, finding.currency)}"
            ends = "" if finding.estimate.level == 1 else f" ({format_interval(finding.estimate, finding.currency)})"
            rows.append(
                {"item": item.item, "name": item.name} | {v: voices["mean"].get(v, np.nan) for v in VOICES}
                | {"finding": finding.id, "label": clean_text(finding.label), "number": number + ends,
                   "told": END.split(clean_text(finding.sentence()))[0], "data": finding.quadrant(),
                   "reading": reading, "why": why, "reads": item.reads}
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS)
    order = frame["reading"].map({DISAGREE: 0, AGREE: 1, OPEN: 2})
    return frame.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def _speaking(findings: list[Finding], proxies: tuple[str, ...]) -> list[Finding]:
    """The known findings that the item's proxies name, each id once, in the order of the proxies."""
    named = [f for proxy in proxies for f in findings if f.id == proxy or f.id.startswith(f"{proxy}.")]
    return list({f.id: f for f in reversed(named) if f.estimate.known}.values())[::-1]


def _held_together(voices: pd.DataFrame, finding: Finding) -> tuple[str, str]:
    verdict = finding.quadrant()
    if verdict not in ("strength", "weakness"):
        return OPEN, "the number has no target" if verdict == "no reference" else "too early to say of the number"
    says = {
        voice: HIGH if row["low"] > MIDDLE else LOW
        for voice, row in voices.iterrows()
        if row["low"] > MIDDLE or row["high"] < MIDDLE
    }
    if not says:
        return OPEN, "no voice lies wholly above or below the middle of the scale"
    data = HIGH if verdict == "strength" else LOW
    told = [f"{_and([f'{v}s' for v in VOICES if says.get(v) == word])} score it {word}" for word in (HIGH, LOW)
            if word in says.values()]  # fmt: skip
    reading = DISAGREE if any(word != data for word in says.values()) else AGREE
    return reading, f"{', '.join(told)}; the data show a {verdict}"


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def beside_sentences(beside: pd.DataFrame) -> list[str]:
    """Where people and data disagree, in words."""
    if not len(beside):
        return ["No finding of this audit speaks to an item that five people of one voice scored."]
    against = beside[beside["reading"] == DISAGREE]
    told = [
        f"“{row.name_}”: {row.why}. {row.told}"
        for row in against.rename(columns={"name": "name_"}).head(NAMED).itertuples()
    ]
    if (more := len(against) - NAMED) > 0:
        told.append(f"{more} more stand{'s' * (more == 1)} in the table.")
    counts = beside["reading"].value_counts()
    agree, open_ = int(counts.get(AGREE, 0)), int(counts.get(OPEN, 0))
    times = "Once" if len(beside) == 1 else f"{len(beside)} times"
    lead = f"{times} a number of this audit speaks to an item that was scored"
    parts = [f"{n} {verb}{'s' * (n == 1)}{rest}" for n, verb, rest in ((len(against), "disagree", ""),
             (agree, "agree", ""), (open_, "stay", " open"))]  # fmt: skip
    return [f"{lead}: {', '.join(parts)}.", *told]


def email_consent(orders: Table, customers: Table, *, as_of: date, level: float = 0.95) -> Estimate:
    """The share of the last 365 days' orders whose customer agreed to get e-mail.

    From: orders; customers (customer_id, email_consent). To: Estimate, unit share, n customers, who are the units.
    What is left out: orders of nobody, and of customers of whom the consent is not known. Unknown with fewer than 5.
    Source: linearised ratio, Cochran (1977), Sampling Techniques, 3rd ed., ch. 6.
    """
    from scipy.special import stdtrit

    totals = order_totals(orders)
    first = ibis.literal(as_of - timedelta(days=DAYS - 1))
    recent = totals.filter(totals.ordered_on >= first, totals.ordered_on <= ibis.literal(as_of))
    each = recent.group_by("customer_id").aggregate(orders=recent.count())
    known = customers.filter(customers.email_consent.notnull()).select("customer_id", "email_consent")
    each = each.join(known, "customer_id").group_by("email_consent")
    sums = each.aggregate(n=ibis._.count(), whole=ibis._.orders.sum(), squares=(ibis._.orders * ibis._.orders).sum())
    frame = collect(sums, order_by=["email_consent"]).set_index("email_consent").reindex([True, False]).fillna(0.0)
    n, whole = int(frame["n"].sum()), float(frame["whole"].sum())
    if n < 5:
        return unknown("share", n=n, level=level)
    share = float(frame["whole"][True]) / whole
    squares = float(frame["squares"][True]) * (1 - share) ** 2 + float(frame["squares"][False]) * share**2
    half = float(stdtrit(n - 1, (1 + level) / 2) * np.sqrt(n / (n - 1) * squares)) / whole
    return Estimate(share, max(share - half, 0.0), min(share + half, 1.0), n, "share", level, "linearised by customer")


def consent_finding(share: Estimate) -> Finding:
    """maturity.email_consent: orders of customers who agreed to get e-mail. From: `email_consent`."""
    return Finding(
        id="maturity.email_consent",
        claim="{value} of the last 365 days' orders are by customers who agreed to get e-mail ({interval}).",
        estimate=share,
        label="Orders with a consent to e-mail",
        evidence=("beside_data",),
        action="Say at the order what the e-mails bring, and ask there.",
    )
