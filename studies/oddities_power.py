"""How often does pure chance call something odd in a client's orders, and how surely is what is planted called?

    python studies/oddities_power.py --runs 60     -> studies/oddities_power.md

Shops are drawn in memory and pass through the functions that 00_data_quality calls, with its settings. `demo`: the
made-up client of the scenario null (`cxkit.demo_orders`, before dirt). `plain`: orders a day are Poisson counts around
a weekday's rhythm, with growth, a season and swings from day to day; from one order in two days to 120 a day.
"""

import argparse
import sys
import time
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from cxkit import oddities, rhythm, unusual
from cxkit.demo_orders import catalogue, customers, order_lines, orders
from cxkit.demo_plan import scenario_plan, streams

HERE = Path(__file__).parent
FIRST_SEED = 5000  # the settings were chosen on 1000 to 1059
SIZES = (0.5, 2, 8, 30, 120)  # orders a day
PLANTED = ("nothing", "a day with ten times the orders", "twelve days without orders", "a customer with a third")
ZONE = "Europe/Kyiv"


def demo_shop(_: np.random.Generator, seed: int) -> pd.DataFrame:
    """The made-up client of the scenario null, as order lines with local times."""
    plan, draws = scenario_plan("null"), streams(seed, 0)
    goods, people = catalogue(plan), customers(plan, draws, first_id=1, count=4000)
    placed = orders(plan, draws, people, first_number=1)
    lines = order_lines(plan, draws, placed, goods)
    lines = lines[lines["product"] >= 0]
    order = placed.iloc[lines["order_row"].to_numpy()].reset_index(drop=True)
    lines = lines.reset_index(drop=True)
    frame = pd.DataFrame({"at": order["created"], "order_id": order["order"].astype(str)})
    frame["customer_id"] = order["customer"].astype("Int64").astype("string")
    frame = frame.assign(product_id=lines["product"].astype(str), quantity=lines["quantity"].astype(float))
    frame = frame.assign(
        amount=lines["amount"] / 100, status=lines["status"].astype(str).replace("under_way", "completed")
    )
    return frame.assign(**{c: order[c].astype(str) for c in ("channel", "payment", "delivery")})


def plain_shop(rng: np.random.Generator, seed: int) -> pd.DataFrame:
    """A shop of Poisson days: rhythm of the week, growth, a season, swings; some are closed on Sundays."""
    size, days = SIZES[seed % len(SIZES)], int(rng.choice([180, 365, 730]))
    week = rng.uniform(0.5, 1.5, 7) * np.where(np.arange(7) == 6, rng.integers(0, 2), 1)
    day = np.arange(days)
    level = np.exp(rng.uniform(-0.5, 1.5) * day / 365 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * day / 365))
    swing = np.exp(rng.normal(0, rng.choice([0, 0.1, 0.2]), days))
    mean = week[day % 7] * level * swing
    counts = rng.poisson(size * mean / mean.mean())
    n = int(counts.sum())
    buyers = max(int(n / rng.choice([1.3, 2, 4])), 5)
    weight = rng.gamma(1.0, 1.0, buyers)
    who = rng.choice(buyers, n, p=weight / weight.sum())
    product = rng.choice(60, n, p=rng.dirichlet(np.ones(60)))
    price = np.exp(rng.normal(3, 1, 60))[product] * rng.choice([1, 0.9, 0.7], n, p=[0.7, 0.2, 0.1])
    quantity = rng.geometric(0.6, n).astype(float)
    hours = rng.normal(15, 3, n).clip(0, 23.99)
    at = pd.Timestamp("2025-01-06") + pd.to_timedelta(np.repeat(day, counts), unit="D")
    frame = pd.DataFrame({"at": at + pd.to_timedelta((hours * 3600).astype(int), unit="s")})
    frame = frame.assign(order_id=[f"o{i}" for i in range(n)], customer_id=[f"c{i}" for i in who])
    frame = frame.assign(product_id=[f"p{i}" for i in product], quantity=quantity, amount=price * quantity)
    for column, values in {"status": 3, "channel": 4, "payment": 5, "delivery": 6}.items():
        words = (
            ["completed", "cancelled", "returned"] if column == "status" else [f"{column}{i}" for i in range(values)]
        )
        share = rng.dirichlet(np.full(values, 0.7)) if column != "status" else [0.9, 0.05, 0.05]
        frame[column] = rng.choice(words, n, p=share)
    return frame


def plant(frame: pd.DataFrame, what: str, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Timestamp]:
    """The shop with one thing planted, and the day of it (in the middle half; the shop is open on that weekday)."""
    days = frame["at"].dt.normalize()
    first, last = days.min(), days.max()
    span = (last - first).days
    middle = days.between(first + pd.Timedelta(days=span // 4), last - pd.Timedelta(days=span // 4))
    open_days = sorted(days[middle].unique())
    day = pd.Timestamp(rng.choice(open_days)) if len(open_days) else first
    if what == PLANTED[1]:
        mine = frame[days == day]
        more = [mine.assign(order_id=mine["order_id"] + f"-{k}") for k in range(9)]
        for k, part in enumerate(more):  # their own seconds and customers, as a campaign's would be
            part["at"] = part["at"] + pd.Timedelta(seconds=7 * (k + 1)) if k % 2 else part["at"]
            part["at"] = day + (part["at"] - day) % pd.Timedelta(days=1)
            part["customer_id"] = rng.choice(frame["customer_id"].dropna().to_numpy(), len(part))
        return pd.concat([frame, *more], ignore_index=True), day
    if what == PLANTED[2]:
        return frame[(days < day) | (days >= day + pd.Timedelta(days=12))].reset_index(drop=True), day
    if what == PLANTED[3]:
        sold = frame[frame["customer_id"].notna() & (frame["status"] != "cancelled")]
        ours = sold.sample(frac=1, random_state=int(rng.integers(2**31)))
        ours = ours[ours["amount"].cumsum() <= sold["amount"].sum() / 3]["order_id"]
        return frame.assign(customer_id=frame["customer_id"].mask(frame["order_id"].isin(ours), "till")), day
    return frame, day


def table_of(frame: pd.DataFrame) -> ibis.Table:
    """The shop as the canonical orders."""
    local = frame["at"].dt.tz_localize(ZONE, ambiguous=True, nonexistent="shift_forward")
    whole = frame.assign(ordered_on=frame["at"].dt.date, ordered_at=local.dt.tz_convert("UTC").dt.tz_localize(None))
    types = {"order_id": "string", "customer_id": "string", "ordered_on": "date", "ordered_at": "timestamp"}
    types |= {"amount": "float64", "refund": "float64", "quantity": "float64", "product_id": "string"}
    types |= dict.fromkeys(unusual.WORDS, "string")
    return ibis.memtable(whole.assign(refund=0.0)[list(types)], schema=types)


def judge(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """What 00_data_quality would call odd; where something is planted, what looks for it alone."""
    con = ibis.duckdb.connect(threads=1)
    table, as_of = con.create_table("orders", table_of(frame).to_pyarrow()), frame["at"].max().date()
    found = []
    if what != PLANTED[3]:
        daily = rhythm.daily_orders(table, as_of=as_of)
        found += [oddities.odd_silences(rhythm.gaps(daily)), oddities.odd_orders(rhythm.odd_days(daily))]
    if what in (PLANTED[0], PLANTED[3]):
        found += [oddities.odd_customers(unusual.dominant_customers(table, as_of=as_of))]
    if what == PLANTED[0]:
        words, times = unusual.words_seen(table, as_of=as_of), unusual.moments(table, as_of=as_of, time_zone=ZONE)
        found += [oddities.odd_words(words, as_of=as_of, lately_days=90), oddities.odd_moments(times)]
        found += [oddities.odd_lines(unusual.far_off(table, as_of=as_of))]
    con.disconnect()
    return oddities.together(*found)


def run(task: tuple[str, int, str]) -> dict:
    """One shop: what was called, and whether what was planted was among it."""
    kind, seed, what = task
    rng = np.random.default_rng(seed)
    frame, day = plant((demo_shop if kind == "demo" else plain_shop)(rng, seed), what, rng)
    found = judge(frame, what)
    hit = {
        PLANTED[0]: False,
        PLANTED[1]: (found["what"].str.startswith("Far more") & found["where"].str.contains(f"{day:%Y-%m-%d}")).any(),
        PLANTED[2]: (found["kind"] == "silences").any(),
        PLANTED[3]: found["where"].eq("customer till").any(),
    }[what]
    size = "demo" if kind == "demo" else f"plain, {SIZES[seed % len(SIZES)]:g} orders a day"
    return {"shop": size, "seed": seed, "planted": what, "kinds": list(found["kind"]), "hit": bool(hit)}


def report(results: list[dict], runs: int) -> str:
    """The tables of the study, as Markdown."""
    shops = ["demo", *(f"plain, {s:g} orders a day" for s in SIZES)]
    kinds = ("silences", "days", "customers", "words", "times", "lines")
    lines = [
        "# Does chance call something odd, and is what is planted called?",
        "",
        f"Command: `python studies/oddities_power.py --runs {runs}`: seeds {FIRST_SEED} to {FIRST_SEED + runs - 1}, a"
        " shop of each kind a seed.",
        "",
        "Nothing planted: shops in which anything was called odd, and what.",
        "",
        "| shop | shops | anything | " + " | ".join(kinds) + " |",
        "|---" * (3 + len(kinds)) + "|",
    ]
    for shop in [*shops, "all"]:
        mine = [r for r in results if r["planted"] == PLANTED[0] and shop in (r["shop"], "all")]
        by = Counter(kind for r in mine for kind in set(r["kinds"]))
        lines.append(
            f"| {shop} | {len(mine)} | {sum(bool(r['kinds']) for r in mine)} | "
            + " | ".join(str(by[k]) for k in kinds) + " |"
        )  # fmt: skip
    lines += [
        "",
        "Planted: shops in which it was called.",
        "",
        "| shop | " + " | ".join(PLANTED[1:]) + " |",
        "|---" * 4 + "|",
    ]
    for shop in shops:
        cells = []
        for what in PLANTED[1:]:
            mine = [r for r in results if r["planted"] == what and r["shop"] == shop]
            cells.append(f"{sum(r['hit'] for r in mine)} of {len(mine)}")
        lines.append(f"| {shop} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60, help="shops of each kind (60)")
    parser.add_argument("--out", type=Path, default=HERE / "oddities_power.md", help="where the results go")
    options = parser.parse_args()
    start, seeds = time.perf_counter(), range(FIRST_SEED, FIRST_SEED + options.runs)
    tasks = [(kind, seed, what) for seed in seeds for kind in ("demo", "plain") for what in PLANTED]
    results = []
    with Pool(2, maxtasksperchild=100) as pool:
        for result in pool.imap_unordered(run, tasks, chunksize=8):
            results.append(result)
            if len(results) % 50 == 0:
                print(
                    f"{len(results)} of {len(tasks)}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True
                )
    results.sort(key=lambda r: (r["shop"], r["seed"], r["planted"]))
    options.out.write_text(report(results, options.runs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
