"""The made-up client: a marketplace for children's goods in Ukraine and Poland, whose truth is known."""

from importlib import resources
from pathlib import Path

import numpy as np

from cxkit.demo_export import export_catalogue, export_customers, export_orders
from cxkit.demo_orders import catalogue, customers, order_lines, orders
from cxkit.demo_plan import scenario_plan, streams
from cxkit.demo_write import Exports
from cxkit.errors import UsageError

CHUNK = 20_000  # customers drawn at a time: bounds the memory; a change of it changes what over 20,000 customers make
ZIPPED = frozenset({"orders", "events", "searches", "surveys", "contacts", "invitations"})
FORMATS = ("csv", "parquet")
KEY = "00112233445566778899aabbccddeeff" * 2  # public: the demo hides nobody


def make(out: Path, *, customers: int = 4000, seed: int = 1, format: str = "csv", scenario: str = "default") -> None:
    """Write the made-up client to the folder `out`: exports, workshop's sheets, client.yml, truth.yml, the public key.

    The same arguments give the same bytes. Raises UsageError on arguments that make no client.
    """
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; there are {' and '.join(FORMATS)}.")
    if customers < 1:
        raise UsageError(f"--customers must be 1 or more; found {customers}.")
    if seed < 0:
        raise UsageError(f"--seed must be 0 or more; found {seed}.")
    plan = scenario_plan(scenario)
    out = Path(out)
    exports = Exports(out / "exports", format=format, zipped=ZIPPED)
    try:
        for chunk, first in enumerate(range(0, customers, CHUNK)):
            _write_chunk(exports, plan, seed=seed, chunk=chunk, first=first, count=min(CHUNK, customers - first))
    finally:
        exports.close()
    _write_text(out / "private" / "key", KEY + "\n")
    _write_text(out / "client.yml", _client_yml(plan, exports, customers=customers, seed=seed, format=format))


def _write_chunk(exports: Exports, plan: dict, *, seed: int, chunk: int, first: int, count: int) -> None:
    rng = streams(seed, chunk)
    goods = catalogue(plan)
    people = customers(plan, rng, first_id=100_001 + first, count=count)
    placed = orders(plan, rng, people, first_number=1_000_001 + chunk * 1_000_000)
    lines = order_lines(plan, rng, placed, goods)
    own = placed[placed["row"] >= 0]
    first_seen = own.groupby("row")["created"].min().to_numpy()
    minutes = rng("customer.joined").integers(2, 90, len(people)) * np.timedelta64(60, "s")
    joined = np.maximum(first_seen - minutes, np.datetime64(plan["first"], "s"))
    exports.add("orders", export_orders(plan, rng, placed, lines, goods))
    exports.add("customers", export_customers(people, joined))
    if chunk == 0:
        exports.add("catalogue", export_catalogue(goods))


def _client_yml(plan: dict, exports: Exports, **arguments: object) -> str:
    text = resources.files("cxkit").joinpath("demo_client.yml").read_text(encoding="utf-8")
    options = " ".join(f"--{k} {v}" for k, v in arguments.items())
    text = text.replace("{made_by}", f"Made by: cxkit demo-data {options} --scenario {plan['scenario']}")
    text = text.replace("{as_of}", str(plan["last"]))
    for table in (
        "orders",
        "customers",
        "catalogue",
        "events",
        "surveys",
        "reviews",
        "contacts",
        "searches",
        "invitations",
    ):
        text = text.replace(f"exports/{{{table}}}", f"exports/{exports.name(table)}")
    return text


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
