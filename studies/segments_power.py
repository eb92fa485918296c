"""Are the planted groups found, and is nothing found where there are none? The search for groups over many seeds.

    python studies/segments_power.py --runs 200     -> studies/segments_power.md

Clients are drawn in memory (`cxkit.demo.draw`, before dirt) and pass through the functions that the notebook calls: the
features in the engine, the scales, who is set aside, the choice of k with its verdict, the centres. The two clouds are
numbers as they are after scaling.
"""

import argparse
import sys
import time
from collections import Counter
from datetime import date
from multiprocessing import Pool
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from cxkit.cluster_model import LEAST_ORDERS
from cxkit.clusters import NO_GROUPS, choose, fit_centres
from cxkit.demo import draw
from cxkit.demo_plan import scenario_plan
from cxkit.features import feature_list, read_features
from cxkit.plan_groups import set_aside
from cxkit.scales import fit_scales, scale
from cxkit.stability import nearest

HERE = Path(__file__).parent
FIRST_SEED = 1000
ZONE, AS_OF = "Europe/Kyiv", date(2026, 6, 30)
CHOSEN = ("order_value", "discounted_share", "channel")  # as 01_segmentation chooses
CUSTOMERS = 4000
CLOUD = (2_000, 6)  # rows, columns
FLAT = {
    "null": "scenario `null`",
    "gaussian": "one correlated Gaussian cloud, 2,000 x 6",
    "uniform": "uniform noise, 2,000 x 6",
}
LEAST_RAND = 0.8
LEAST_FLAT = 183 / 200  # share of the runs with "no clear groups"
TEXTS = ("order_id", "customer_id", "channel", "status", "coupon", "product_id", "category")
ORDERS = dict.fromkeys(TEXTS, "string") | dict.fromkeys(("amount", "refund", "discount"), "float64")
ORDERS |= {"ordered_at": "timestamp", "ordered_on": "date"}


def utc(local: pd.Series) -> pd.Series:
    """Local times as UTC; where clocks skip or repeat an hour, as at the door."""
    second = np.zeros(len(local), dtype=bool)  # of an hour that comes twice: winter time
    aware = local.dt.tz_localize(ZONE, ambiguous=second, nonexistent="shift_forward")
    return aware.dt.tz_convert("UTC").dt.tz_localize(None)


def orders(made: dict[str, pd.DataFrame]) -> ibis.Table:
    """A made-up client's order lines as they are after the door, fees and guests left out."""
    placed, goods = made["placed"], made["goods"]
    lines = made["lines"][made["lines"]["product"] >= 0]
    lines = lines[placed["row"].to_numpy()[lines["order_row"]] >= 0]
    order = placed.iloc[lines["order_row"].to_numpy()].reset_index(drop=True)
    lines = lines.reset_index(drop=True)
    created = order["created"].astype("datetime64[us]")
    product = lines["product"].to_numpy()
    frame = pd.DataFrame(
        {
            "order_id": order["order"].astype(str),
            "customer_id": order["customer"].astype(str),
            "ordered_at": utc(created),
            "ordered_on": created.dt.date,
            "amount": lines["amount"] / 100,
            "refund": lines["refund"] / 100,
            "discount": lines["discount"] / 100,
            "coupon": np.where(order["coupon"], "MALIUK10", None),
            "channel": order["channel"].astype(object),
            "status": lines["status"].astype(object).replace("under_way", "completed"),
            "product_id": goods["sku"].to_numpy()[product],
            "category": goods["category"].astype(object).to_numpy()[product],
        }
    )
    return ibis.memtable(frame[list(ORDERS)], schema=ORDERS)


def client(scenario: str, seed: int, *, chosen: tuple[str, ...]) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Those who are clustered of a made-up client: scaled features by customer_id, planted group; what is left out."""
    made = draw(scenario_plan(scenario), seed=seed, count=CUSTOMERS)
    features = read_features({"orders": orders(made)}, as_of=AS_OF, zone=ZONE).set_index("customer_id")
    again = features[features["orders"] >= LEAST_ORDERS]
    scales, left_out = fit_scales(again, chosen=chosen, listed=feature_list())
    scaled = scale(again, scales)[set_aside(again, scales) == ""]
    people = made["people"].assign(customer=made["people"]["customer"].astype(str)).set_index("customer")
    return scaled, people["group"].reindex(scaled.index).to_numpy(), list(left_out["feature"])


def cloud(kind: str, seed: int) -> pd.DataFrame:
    """Rows without groups: one Gaussian cloud with correlations drawn at random, or uniform noise."""
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        rows = rng.random(CLOUD)
    else:
        mix = rng.standard_normal((CLOUD[1], CLOUD[1]))
        rows = rng.standard_normal(CLOUD) @ (mix / np.linalg.norm(mix, axis=1, keepdims=True)).T
    index = pd.Index([f"c{number}" for number in range(CLOUD[0])], name="customer_id")
    return pd.DataFrame(rows, index=index, columns=[f"feature {j}" for j in range(CLOUD[1])])


def run(task: tuple[str, int, tuple[str, ...]]) -> dict:
    """What one client, or one cloud, shows."""
    from sklearn.metrics import adjusted_rand_score

    kind, seed, chosen = task
    group, left_out = None, []
    if kind in ("default", "null"):
        scaled, group, left_out = client(kind, seed, chosen=chosen)
    else:
        scaled = cloud(kind, seed)
    _, verdict = choose(scaled, seed=seed)
    rand = np.nan
    if kind == "default":
        rand = 0.0  # no number of groups came out again
        if verdict.k:
            labels = nearest(scaled.to_numpy(), fit_centres(scaled, k=verdict.k, seed=seed))
            rand = float(adjusted_rand_score(group, labels))
    kept = {key: getattr(verdict, key) for key in ("real", "k", "sentence", "reasons", "p_value", "agreement", "n")}
    return {"kind": kind, "seed": seed, "rand": rand, "left_out": left_out, **kept}


def report(results: list[dict], *, runs: int, chosen: tuple[str, ...]) -> str:
    """The results as Markdown."""
    of = {kind: [r for r in results if r["kind"] == kind] for kind in ("default", *FLAT)}
    planted = of["default"]
    told = np.array([r["rand"] if r["real"] else 0.0 for r in planted])
    found = np.array([r["rand"] for r in planted])
    right = Counter(r["k"] for r in planted)
    options = "" if chosen == CHOSEN else f" --features {','.join(chosen)}"
    lines = [
        "# Are the planted groups found, and none where there are none?",
        "",
        f"Command: `python studies/segments_power.py --runs {runs}{options}`: {CUSTOMERS:,} customers a client, seeds"
        f" {FIRST_SEED} to {FIRST_SEED + runs - 1}.",
        "",
        f"Features: {', '.join(chosen)}. In `default` five groups of customers are planted; the adjusted",
        "Rand index compares the labels with them, among the customers who are clustered (at least two orders, every",
        "feature known, none far off). In `null` all customers are drawn from one group. Groups are called real where",
        "k-means beats data without groups and a Gaussian mixture finds the same ones; else the verdict is",
        f'"{NO_GROUPS}".',
        "",
        "| asked | found | asked for |",
        "|---|---|---|",
        f"| `default`: adjusted Rand index, median over clients (0 where groups are not called real) |"
        f" {np.median(told):.3f} | at least {LEAST_RAND} |",
        f"| `default`: groups are called real | {sum(r['real'] for r in planted)} of {len(planted)} | |",
        f"| `default`: five groups | {right[5]} of {len(planted)} | |",
    ]
    for kind, name in FLAT.items():
        flat = sum(r["sentence"] == NO_GROUPS for r in of[kind])
        asked = int(np.ceil(round(LEAST_FLAT * len(of[kind]), 6)))
        lines.append(f'| {name}: "no clear groups" | {flat} of {len(of[kind])} | at least {asked} |')
    low, middle, high = np.quantile(found, [0.05, 0.5, 0.95])
    clustered = np.median([r["n"] for r in planted])
    lines += [
        "",
        f"Adjusted Rand index in `default`, called real or not: median {middle:.3f}, nine in ten from {low:.3f} to"
        f" {high:.3f}, least {found.min():.3f}. Clustered: {clustered:,.0f} customers (median).",
        "",
        "| | k found (clients) | called real | reasons against (clients) | features left out (clients) |",
        "|---|---|---|---|---|",
    ]
    for kind, rows in of.items():
        counts = [Counter(r["k"] for r in rows)]
        counts += [Counter(each for r in rows for each in r[key]) for key in ("reasons", "left_out")]
        ks, reasons, left = ("; ".join(f"{each} ({n})" for each, n in sorted(c.items())) or "none" for c in counts)
        lines.append(f"| `{kind}` | {ks} | {sum(r['real'] for r in rows)} of {len(rows)} | {reasons} | {left} |")
    if wrong := [r for kind in FLAT for r in of[kind] if r["real"]]:
        lines += ["", "Groups called real where there are none: "]
        lines[-1] += "; ".join(
            f"{r['kind']}, seed {r['seed']}: k = {r['k']}, agreement {r['agreement']:.2f}" for r in wrong
        )
        lines[-1] += "."
    return "\n".join([*lines, ""])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="clients or clouds of each kind (200)")
    parser.add_argument("--features", default=",".join(CHOSEN), help=f"by commas ({','.join(CHOSEN)})")
    parser.add_argument("--out", type=Path, default=HERE / "segments_power.md", help="where the results go")
    options = parser.parse_args()
    start = time.perf_counter()
    chosen = tuple(options.features.split(","))
    seeds = range(FIRST_SEED, FIRST_SEED + options.runs)
    kinds = ("default", *FLAT)
    results: list[dict] = []
    with Pool(2) as pool:
        for found in pool.imap(run, [(kind, seed, chosen) for seed in seeds for kind in kinds]):
            results.append(found)
            done, rest = divmod(len(results), len(kinds))
            if not rest and (done % 20 == 0 or done == options.runs):  # what is done stands, should it be ended
                options.out.write_text(report(results, runs=done, chosen=chosen), encoding="utf-8", newline="\n")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
