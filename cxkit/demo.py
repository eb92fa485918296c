"""The made-up client: a marketplace for children's goods in Ukraine and Poland, whose truth is known."""

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from cxkit.demo_contacts import contacts
from cxkit.demo_export import (
    export_catalogue,
    export_contacts,
    export_customers,
    export_events,
    export_invitations,
    export_orders,
    export_reviews,
    export_searches,
    export_surveys,
)
from cxkit.demo_orders import catalogue, customers, order_lines, orders
from cxkit.demo_plan import scenario_plan, streams
from cxkit.demo_surveys import reviews, surveys
from cxkit.demo_touches import events, searches, sessions
from cxkit.demo_truth import CustomerTruth, truth
from cxkit.demo_workshop import write_workshop
from cxkit.demo_write import Exports
from cxkit.errors import RunError, UsageError

CHUNK = 20_000  # customers drawn at a time: bounds the memory; a change of it changes what over 20,000 customers make
NUMBERS = 1_000_000  # a chunk's orders, sessions, queries and tickets have numbers of their own
ZIPPED = frozenset({"orders", "events", "searches", "surveys", "invitations"})
TABLES = ("orders", "customers", "catalogue", "events", "searches", "surveys", "invitations", "reviews", "contacts")
FORMATS = ("csv", "parquet")
MARK = "Made by: cxkit demo-data"
KEY = "00112233445566778899aabbccddeeff" * 2  # public: the demo hides nobody


def make(out: Path, *, customers: int = 4000, seed: int = 1, format: str = "csv", scenario: str = "default") -> None:
    """Write the made-up client to the folder `out`: exports, workshop's sheets, client.yml, truth.yml, the public key.

    The same arguments give the same bytes. An older demo in the folder is replaced.
    Raises UsageError on arguments that make no client and on a folder that is not the demo's own; RunError where
    the folder cannot be written.
    """
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; there are {' and '.join(FORMATS)}.")
    if customers < 1:
        raise UsageError(f"--customers must be 1 or more; found {customers}.")
    if seed < 0:
        raise UsageError(f"--seed must be 0 or more; found {seed}.")
    plan, out = scenario_plan(scenario), Path(out)
    try:
        _clear(out)
        _make(out, plan, customers=customers, seed=seed, format=format)
    except OSError as error:
        raise RunError(
            f"{error.filename or out} cannot be written: {error.strerror or error}. Make room or give --out another"
            f" folder; what lies in {out} now is not whole."
        ) from None


def _make(out: Path, plan: dict, *, customers: int, seed: int, format: str) -> None:
    exports = Exports(out / "exports", format=format, zipped=ZIPPED)
    known = CustomerTruth(out / "truth_customers.csv.gz", plan)
    try:
        for chunk, first in enumerate(range(0, customers, CHUNK)):
            made = draw(plan, seed=seed, chunk=chunk, first=first, count=min(CHUNK, customers - first))
            _write_chunk(exports, plan, made, seed=seed, chunk=chunk)
            known.add(made["people"])
    finally:
        exports.close()
        known.close()
    write_workshop(out / "workshop", streams(seed, 0), planted=plan["scenario"] != "null")
    _write_text(out / "private" / "key", KEY + "\n")
    arguments = {"customers": customers, "seed": seed, "format": format}
    _write_text(out / "client.yml", _client_yml(plan, exports, **arguments))
    _write_text(out / "truth.yml", truth(plan, **arguments))


def _clear(out: Path) -> None:
    """Takes an older demo's exports away; raises UsageError where the folder is not a demo's, to write nothing over."""
    stated = out / "truth.yml"  # not client.yml, which people copy
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out needs a folder.")
    ours = stated.is_file() and MARK in stated.read_text(encoding="utf-8", errors="replace")
    if out.exists() and not ours and any(out.iterdir()):
        raise UsageError(f"{out} holds files that no demo-data left there; give --out a new or an empty folder.")
    for table in TABLES if ours else ():
        for old in (out / "exports").glob(f"{table}.*"):
            old.unlink()
    out.mkdir(parents=True, exist_ok=True)


def draw(plan: dict, *, seed: int, chunk: int = 0, first: int = 0, count: int = 4000) -> dict[str, pd.DataFrame]:
    """One chunk of customers and all that they do, as numbers, before it is written as a shop writes it.

    To: people, goods, placed (orders), lines, visits, touches, queries, answers, invited, reviews, contacts.
    """
    rng = streams(seed, chunk)
    made = {"goods": catalogue(plan), "people": customers(plan, rng, first_id=100_001 + first, count=count)}
    people = made["people"]
    placed = made["placed"] = orders(plan, rng, people, first_number=1_000_001 + chunk * NUMBERS)
    lines = made["lines"] = order_lines(plan, rng, placed, made["goods"])
    visits = made["visits"] = sessions(plan, rng, people, placed, first_number=1_000_001 + chunk * NUMBERS)
    touches = made["touches"] = events(plan, rng, visits)
    made["queries"] = searches(plan, rng, visits, touches, first_number=1_000_001 + chunk * NUMBERS)
    made["answers"], made["invited"] = surveys(plan, rng, people, placed)
    made["reviews"] = reviews(plan, rng, people, placed, lines)
    made["contacts"] = contacts(plan, rng, people, placed, first_number=1_000_001 + chunk * NUMBERS)
    return made


def _write_chunk(exports: Exports, plan: dict, made: dict[str, pd.DataFrame], *, seed: int, chunk: int) -> None:
    rng = streams(seed, chunk)
    people, goods, placed, visits, touches = (made[k] for k in ("people", "goods", "placed", "visits", "touches"))
    own = placed[placed["row"] >= 0]
    first_seen = own.groupby("row")["created"].min().to_numpy()
    minutes = rng("customer.joined").integers(2, 90, len(people)) * np.timedelta64(60, "s")
    joined = np.maximum(first_seen - minutes, np.datetime64(plan["first"], "s"))
    exports.add("orders", export_orders(plan, rng, placed, made["lines"], goods))
    exports.add("customers", export_customers(people, joined))
    exports.add("events", export_events(plan, rng, visits, touches, made["queries"]))
    exports.add("searches", export_searches(plan, rng, visits, touches, made["queries"]))
    exports.add("surveys", export_surveys(plan, rng, made["answers"]))
    exports.add("invitations", export_invitations(made["invited"]))
    exports.add("reviews", export_reviews(made["reviews"], goods))
    exports.add("contacts", export_contacts(plan, rng, made["contacts"]), delimiter=";")
    if chunk == 0:
        exports.add("catalogue", export_catalogue(goods))


def _client_yml(plan: dict, exports: Exports, **arguments: object) -> str:
    text = resources.files("cxkit").joinpath("demo_client.yml").read_text(encoding="utf-8")
    options = " ".join(f"--{k} {v}" for k, v in arguments.items())
    text = text.replace("{made_by}", f"{MARK} {options} --scenario {plan['scenario']}")
    text = text.replace("{as_of}", str(plan["last"]))
    for table in TABLES:
        text = text.replace(f"exports/{{{table}}}", f"exports/{exports.name(table)}")
    return text


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
