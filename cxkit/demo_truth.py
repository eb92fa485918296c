"""truth.yml: every fact planted in the made-up client, with its size, and what follows from it in a large base."""

import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import yaml

from cxkit.demo_plan import read_yaml
from cxkit.demo_touches import conversion, go_on

HEAD = """\
# What is planted in this made-up client. {made_by}
# Shares and probabilities lie between 0 and 1, money is in UAH. `expected` is not planted: it follows, and was measured
# on {base} made-up customers of this scenario by studies/demo_power.py; the others are the generator's own parameters.
# Which customer is in which group, and on what terms, stands in truth_customers.csv.gz beside this file.
"""
HOLDS = {
    "groups": (
        "BG/NBD and Gamma-Gamma hold for each group's customers, guests left out, over orders that count (not"
        " cancelled), before the dirt and before returns; time unit: weeks from the first order to the end of the"
        " period; each customer's first order falls within the period. A repeat order falls on a later day than the one"
        " before it, so repeat orders are repeat days; days are rounded up. purchases: rate ~ gamma(r, alpha) a week,"
        " dropout after each repeat order ~ beta(a, b); or one rate and one dropout for everybody. spend: an order's"
        " value ~ gamma(p, nu), nu ~ gamma(q, (q-1) mean / p) a customer; without q every customer's mean is the same."
    ),
    "lift": (
        "From the customer's order number from_order on: mean goods (pieces) an order times goods, value of an order"
        " times value, and each further line is drawn anew from the group's categories with probability"
        " new_category_after instead of new_category_before (else it repeats the first line's category). So Gamma-Gamma"
        " holds as written where value is 1, and up to from_order - 1 orders elsewhere."
    ),
    "referrals": "share of customers with a sender; senders whose own mean NPS is promoter_mean or more weigh weight.",
    "service": "late: probability by delivery method; returned: of a line, by category; cancelled: of orders placed.",
    "touches": (
        "go_on: chance that a session goes on from a touchpoint; weak ones are lower by plan, and so are their"
        " answers in surveys. Orders of web and app have a session; conversion: share of sessions with an order."
    ),
    "topics": "Shares of sessions without an order by topic; topics under missing have no goods and find nothing.",
    "surveys": "Added to an answer's mean before rounding and cutting to the scale, in points of the scale.",
    "csi": "Mean expectation by item; gap: experience minus expectation, 0 where not named; before cutting to 1 to 5.",
    "contacts": "Contacts an order placed, before the groups' factors; growing: from the first month to the last.",
    "dirt": (
        "duplicates and broken_dates: shares of rows of orders, events, searches, surveys and contacts; delivery_lines"
        " and giftwrap_lines: of orders; unknown_customers: of customers; guests: orders for each customer."
    ),
    "improvement": "What holds from this date on (sessions: from 3 o'clock of it); before it, all is as in default.",
}
RENEWALS = (
    "Everybody orders again every_days after the order before, until he stops: at each renewal with a probability of"
    " his own, the same at each, dropout ~ beta(alpha, beta) (shifted-beta-geometric); guests left out, over orders"
    " that count (not cancelled). Renewals after the end of the period are not seen. spend: an order's value ~"
    " gamma(p, nu), nu ~ gamma(q, (q-1) mean / p) a customer."
)
NULL_LIFT = (
    "Rate and dropout are the same for everybody and orders come from one distribution: in a month with an order, loyal"
    " and new customers are alike. For months without orders they are not: nobody is lost before a second order."
)


def truth(plan: dict, **arguments: object) -> str:
    """The text of truth.yml for a scenario; `arguments` are those the client was made with."""
    expected = read_yaml("demo_expected.yml")
    facts = {"scenario": plan["scenario"], **arguments, "period": plan["period"], "seasonal": plan["seasonal"]}
    planted = [key for key in HOLDS if plan[key]]
    facts["definitions"] = {key: HOLDS[key] for key in planted}
    if plan["scenario"] == "null":
        facts["definitions"]["lift"] = NULL_LIFT
    if plan["scenario"] == "subscription":
        facts["definitions"]["groups"] = RENEWALS
    facts |= {key: dict(plan[key]) for key in [*planted, "reviews"]}
    facts["attitude_sd"] = plan["attitude_sd"]
    facts["touches"]["go_on"] = go_on(plan)
    facts["touches"]["conversion"] = round(conversion(plan), 4)
    if plan["improvement"]:
        facts["improvement"]["conversion"] = round(conversion(plan, improved=True), 4)
    facts["expected"] = expected["scenarios"][plan["scenario"]]
    options = " ".join(f"--{k} {v}" for k, v in arguments.items())
    made_by = f"Made by: cxkit demo-data {options} --scenario {plan['scenario']}"
    body = yaml.dump(facts, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=120)
    return HEAD.format(made_by=made_by, base=f"{expected['customers']:,}") + body


class _Plain(yaml.SafeDumper):
    """YAML without anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


class CustomerTruth:
    """truth_customers.csv.gz, chunk by chunk: each customer's group, purchase rate, dropout, order value, NPS."""

    def __init__(self, path: Path, plan: dict):
        self.groups = list(plan["groups"])
        self.raw = path.open("wb")
        zipped = gzip.GzipFile("", "wb", 9, self.raw, 0)
        self.text = io.TextIOWrapper(zipped, encoding="utf-8", newline="")
        self.writer = csv.writer(self.text, lineterminator="\n")
        self.writer.writerow(["customer", "group", "weekly_rate", "dropout", "mean_value", "mean_nps"])

    def add(self, people: pd.DataFrame) -> None:
        """These customers, behind those before."""
        for row in people[["customer", "group", "rate", "dropout", "mean_value", "attitude"]].itertuples(index=False):
            numbers = (f"{row.rate:.4f}", f"{row.dropout:.4f}", f"{row.mean_value / 100:.0f}", f"{row.attitude:.1f}")
            self.writer.writerow([row.customer, self.groups[row.group], *numbers])

    def close(self) -> None:
        """Finish the file."""
        self.text.close()
        self.raw.close()
