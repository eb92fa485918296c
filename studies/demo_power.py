"""Does the made-up client show what is planted in it, and nothing in the null? Power of plain tests over many seeds.

    python studies/demo_power.py --expected     what follows from the plan, on a large base -> cxkit/demo_expected.yml
    python studies/demo_power.py --runs 100     power and false alarms -> studies/demo_power.md

The tests are the plainest there are (differences of means or shares with a normal interval, Holm within a family), so
the kit's own methods are held to data that show the truth to anybody. Frames come from `cxkit.demo.draw`, before dirt.
"""

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from cxkit.demo import draw
from cxkit.demo_plan import scenario_plan

HERE = Path(__file__).parent
CUT = np.datetime64("2026-01-01")
IMPROVED = np.datetime64("2026-04-01")
LAST_DELIVERED = np.datetime64("2026-06-20")


def counted(made: dict) -> pd.DataFrame:
    """Orders that count, with goods, categories and revenue (UAH)."""
    lines = made["lines"][made["lines"]["product"] >= 0].copy()
    lines["category"] = lines["product"] // 30
    lines["revenue"] = (lines["amount"] - lines["refund"]) / 100
    sums = lines.groupby("order_row").agg(
        goods=("quantity", "sum"),
        categories=("category", "nunique"),
        revenue=("revenue", "sum"),
        amount=("amount", "sum"),
    )
    orders = made["placed"].join(sums)
    return orders[~orders["cancelled"] & (orders["row"] >= 0)].assign(day=lambda f: f["created"].dt.normalize())


def two_means(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Difference of means a - b, and its z."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    se = math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    gap = a.mean() - b.mean()
    return gap, gap / se if se else 0.0


def lifts(orders: pd.DataFrame, lines: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Loyal (3 orders or more before the cut-off) over new (1, in the 90 days before): a month with an order, after it.

    To: measure -> (ratio, z of its logarithm; customers are the units).
    """
    before = orders[orders["created"] < CUT].groupby("row")["day"].agg(["size", "min"])
    after = orders[orders["created"] >= CUT].copy()
    after["month"] = after["created"].dt.to_period("M")
    goods = lines[lines["product"] >= 0].assign(category=lambda f: f["product"] // 30)
    pairs = goods.merge(after[["row", "month"]], left_on="order_row", right_index=True)
    categories = pairs.drop_duplicates(["row", "month", "category"]).groupby("row").size()
    sums = after.groupby("row").agg(months=("month", "nunique"), goods=("goods", "sum"), revenue=("revenue", "sum"))
    sums["categories"] = categories
    who = before.join(sums, how="inner")
    loyal = who[who["size"] >= 3]
    new = who[(who["size"] == 1) & (who["min"] >= CUT - np.timedelta64(90, "D"))]
    result = {}
    for name in ("goods", "categories", "revenue"):
        parts = []
        for group in (loyal, new):
            ratio = group[name].sum() / group["months"].sum()
            rest = group[name] - ratio * group["months"]
            parts.append((ratio, rest.std() * math.sqrt(len(group)) / group["months"].sum() / ratio))
        result[name] = (
            parts[0][0] / parts[1][0],
            math.log(parts[0][0] / parts[1][0]) / math.hypot(parts[0][1], parts[1][1]),
        )
    return result


def stays(touches: pd.DataFrame) -> pd.DataFrame:
    """Share of touches after which the session goes on, by touchpoint: mean, n."""
    on = touches["visit"].eq(touches["visit"].shift(-1))
    table = on.groupby(touches["touchpoint"], observed=True).agg(["mean", "size"])
    return table.drop(index="order_placed")


def share_gap(x1: float, n1: float, x0: float, n0: float) -> tuple[float, float]:
    """Difference of two shares and its z (pooled)."""
    p = (x1 + x0) / (n1 + n0)
    se = math.sqrt(p * (1 - p) * (1 / n1 + 1 / n0))
    gap = x1 / n1 - x0 / n0
    return gap, gap / se if se else 0.0


def slopes(made: dict, reasons: list[str]) -> dict[str, float]:
    """z of a straight trend in contacts an order by month, for each reason (weighted by orders, Poisson variance)."""
    placed = made["placed"][made["placed"]["row"] >= 0]
    month = lambda t: (t.dt.year - 2025) * 12 + t.dt.month - 1  # noqa: E731
    orders = np.bincount(month(placed["created"]), minlength=18)
    result = {}
    for reason in reasons:
        here = made["contacts"]["reason"] == reason
        n = np.bincount(month(made["contacts"].loc[here, "opened"]), minlength=18)
        x = np.arange(18) - (np.arange(18) * orders).sum() / orders.sum()
        # score test of no trend in a Poisson regression with orders as exposure
        rate = n.sum() / orders.sum()
        result[reason] = float((x * n).sum() / math.sqrt(rate * (orders * x * x).sum()))
    return result


def tests(made: dict, plan: dict) -> dict[str, float]:
    """z of every planted fact, positive in the planted direction. Names are those of the report."""
    orders, answers, touches = counted(made), made["answers"], made["touches"]
    z = {f"lift of {k}": v[1] for k, v in lifts(orders, made["lines"]).items()}
    table = stays(touches)
    for name in ("advice", "payment_page"):
        rest = table.drop(index=["advice", "payment_page"])
        one = table.loc[name]
        x = (rest["mean"] * rest["size"]).sum()
        z[f"sessions go on from {name} less"] = -share_gap(
            one["mean"] * one["size"], one["size"], x, rest["size"].sum()
        )[1]
        for metric in ("nps", "csat", "ces"):
            here = answers[answers["metric"] == metric]
            weak = here["touchpoint"] == name
            others = ~here["touchpoint"].isin(["advice", "payment_page"])
            z[f"{metric} lower at {name}"] = -two_means(here.loc[weak, "score"], here.loc[others, "score"])[1]
    late = made["placed"].set_index("order")["late"]
    for metric in ("nps", "csat", "ces"):
        here = answers[answers["metric"] == metric]
        was = here["order"].map(late).astype(bool)
        z[f"{metric} lower after a late delivery"] = -two_means(here.loc[was, "score"], here.loc[~was, "score"])[1]
        paid = here["incentive"].astype(bool)
        z[f"{metric} higher with an incentive"] = two_means(here.loc[paid, "score"], here.loc[~paid, "score"])[1]
    arrived = orders[orders["delivered"].notna()]
    early = arrived[arrived["created"] < IMPROVED]
    by_courier = early["delivery"] == "courier"
    z["courier later than the others"] = two_means(early.loc[by_courier, "late"], early.loc[~by_courier, "late"])[1]
    z["contacts about late parcels grow"] = slopes(made, ["delivery_delay"])["delivery_delay"]
    lines = made["lines"][(made["lines"]["product"] >= 0)]
    names = np.array(list(plan["categories"]))[lines["product"] // 30]
    back = lines["status"].isin(["returned", "partly_returned"]).to_numpy()
    for name in ("Clothes", "Shoes"):
        here, rest = names == name, ~np.isin(names, ["Clothes", "Shoes"])
        z[f"{name} returned oftener"] = two_means(back[here], back[rest])[1]
    reasons = lines.loc[lines["status"] == "cancelled", "reason"].value_counts()
    first, second = reasons.get("out of stock", 0), reasons.drop("out of stock").max()
    z["cancelled most for: out of stock"] = (first - second) / math.sqrt(first + second)
    z["promoters refer more"] = referral_z(made)
    csi = answers[answers["metric"].isin(["csi_item", "expectation"])]
    wide = csi.pivot_table(index=["survey", "item"], columns="metric", values="score", observed=True)
    gap = (wide["csi_item"] - wide["expectation"]).unstack()
    z["delivery falls short of what was expected"] = -two_means(
        gap["delivery"], gap.drop(columns="delivery").mean(axis=1)
    )[1]
    return z | group_tests(made, plan, orders)


def referral_z(made: dict) -> float:
    """Customers who answered the NPS with 9 or 10 against the others who answered: how many each sent."""
    nps = made["answers"].query("metric == 'nps'").groupby("customer")["score"].mean()
    sent = made["people"]["referred_by"].value_counts().reindex(nps.index).fillna(0)
    return two_means(sent[nps >= 9], sent[nps < 9])[1]


def group_tests(made: dict, plan: dict, orders: pd.DataFrame) -> dict[str, float]:
    """z of what tells the groups apart; nothing where there is one group."""
    names = list(plan["groups"])
    if len(names) == 1:
        return {}
    z = {}
    group = orders["group"].map(dict(enumerate(names)))
    for name, channel in (("busy", "app"), ("price", "marketplace"), ("givers", "store"), ("experts", "web")):
        here = group == name
        z[f"{name} order oftener by {channel}"] = two_means(
            orders["channel"][here] == channel, orders["channel"][~here] == channel
        )[1]
    log = np.log(orders["amount"])
    z["experts spend more an order"] = two_means(log[group == "experts"], log[group == "busy"])[1]
    z["price hunters spend less an order"] = two_means(log[group == "anxious"], log[group == "price"])[1]
    z["price hunters use coupons oftener"] = two_means(
        orders["coupon"][group == "price"], orders["coupon"][group != "price"]
    )[1]
    nps = made["answers"].query("metric == 'nps'")
    who = nps["customer"].map(made["people"].set_index("customer")["group"]).map(dict(enumerate(names)))
    z["experts' NPS above price hunters'"] = two_means(
        nps.loc[who == "experts", "score"], nps.loc[who == "price", "score"]
    )[1]
    asked = orders["order"].isin(made["contacts"]["order"])
    z["the anxious contact us oftener"] = two_means(asked[group == "anxious"], asked[group != "anxious"])[1]
    return z


def improvement_tests(made: dict) -> dict[str, float]:
    """z of what the planted improvement changed, the months from it against those before."""
    touches, answers = made["touches"], made["answers"]
    started = made["visits"]["time"].to_numpy()[touches["visit"].to_numpy()] >= IMPROVED
    after, before = (stays(touches[k]).loc["payment_page"] for k in (started, ~started))
    gap = share_gap(after["mean"] * after["size"], after["size"], before["mean"] * before["size"], before["size"])
    z = {"sessions go on from the payment page more": gap[1]}
    page = answers["touchpoint"] == "payment_page"
    for metric in ("nps", "csat"):
        here = answers[page & (answers["metric"] == metric)]
        now = here["asked"] >= IMPROVED
        z[f"{metric} higher at the payment page"] = two_means(here.loc[now, "score"], here.loc[~now, "score"])[1]
    placed = made["placed"]
    in_time = placed["created"] < LAST_DELIVERED  # later ones have arrived only if they were quick
    courier = placed[(placed["delivery"] == "courier") & placed["delivered"].notna() & in_time]
    now = courier["created"] >= IMPROVED
    z["couriers late less often"] = two_means(courier.loc[~now, "late"], courier.loc[now, "late"])[1]
    z["fewer contacts about late parcels than in the three months before"] = -delay_change(made)
    return z


def delay_change(made: dict) -> float:
    """z of the change in contacts about late parcels, an order: three months from the improvement, three before."""
    opened = made["contacts"].loc[made["contacts"]["reason"] == "delivery_delay", "opened"].to_numpy()
    created = made["placed"].loc[made["placed"]["row"] >= 0, "created"].to_numpy()
    count = lambda t: ((t >= IMPROVED).sum(), ((t >= CUT) & (t < IMPROVED)).sum())  # noqa: E731
    (x1, x0), (n1, n0) = count(opened), count(created)
    return (x1 / n1 - x0 / n0) / math.sqrt((x1 + x0) / (n1 + n0) * (1 / n1 + 1 / n0))


def clusters(made: dict, plan: dict) -> float:
    """Adjusted Rand index of k-means with the true number of groups, on repeat buyers' channels, coupons and spend."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    orders = counted(made)
    repeat = orders[orders.groupby("row")["row"].transform("size") >= 2]
    shares = pd.crosstab(repeat["row"], repeat["channel"], normalize="index")
    value = np.log(repeat.groupby("row")["amount"].mean())
    shares["coupon"] = repeat.groupby("row")["coupon"].mean()
    shares["value"] = (value - value.mean()) / value.std() / 1.5
    labels = KMeans(len(plan["groups"]), n_init=5, random_state=0).fit_predict(shares)
    return adjusted_rand_score(made["people"]["group"].to_numpy()[shares.index], labels)


def expected(made: dict) -> dict:
    """What follows from the plan: levels a reader of the report meets, and the lifts."""
    orders = counted(made)
    first = orders.groupby("row")["day"].min()
    second = orders[orders["nth"] == 2].set_index("row")["day"]
    last = pd.Timestamp("2026-06-30")
    seen = first[first <= last - pd.Timedelta(days=90)]
    within = (second.reindex(seen.index) - seen).dt.days <= 90
    money = np.sort(orders.groupby("row")["revenue"].sum().to_numpy())
    rank = np.arange(1, len(money) + 1)
    early, later = orders[orders["nth"] < 3], orders[orders["nth"] >= 3]
    nps = made["answers"].query("metric == 'nps'")
    share = lambda s: float((s >= 9).mean() - (s <= 6).mean())  # noqa: E731
    plain = nps[~nps["incentive"].astype(bool)]
    placed = made["placed"][made["placed"]["row"] >= 0]
    lines = made["lines"][(made["lines"]["product"] >= 0) & (made["lines"]["status"] != "cancelled")]
    table = {
        "orders_a_customer": len(orders) / len(first),
        "repeat_rate_90_days": within.mean(),
        "share_of_customers_with_3_orders": (orders.groupby("row").size() >= 3).mean(),
        "revenue_share_of_top_20_percent": money[-round(len(money) * 0.2) :].sum() / money.sum(),
        "gini_of_revenue": 2 * (rank * money).sum() / (len(money) * money.sum()) - (len(money) + 1) / len(money),
        "goods_an_order_1_and_2": early["goods"].mean(),
        "goods_an_order_from_3": later["goods"].mean(),
        "categories_an_order_1_and_2": early["categories"].mean(),
        "categories_an_order_from_3": later["categories"].mean(),
        "lift_loyal_over_new_per_active_month": {
            k: round(float(v[0] - 1), 3) for k, v in lifts(orders, made["lines"]).items()
        },
        "late_share_of_delivered_orders": orders.loc[orders["delivered"].notna(), "late"].mean(),
        "returned_share_of_lines": lines["status"].isin(["returned", "partly_returned"]).mean(),
        "contacts_per_100_orders": 100 * len(made["contacts"]) / len(placed),
        "queries_without_results": (made["queries"]["results"] == 0).mean(),
        "nps_all_answers": 100 * share(nps["score"]),
        "nps_without_incentive": 100 * share(plain["score"]),
        "nps_score_mean": nps["score"].mean(),
        "csat_mean_weak_touchpoints": _csat(made, weak=True),
        "csat_mean_other_touchpoints": _csat(made, weak=False),
    }
    return {k: v if isinstance(v, dict) else round(float(v), 3) for k, v in table.items()}


def _csat(made: dict, *, weak: bool) -> float:
    csat = made["answers"].query("metric == 'csat'")
    here = csat["touchpoint"].isin(["advice", "payment_page"])
    return csat.loc[here == weak, "score"].mean()


def together(parts: list[dict]) -> dict:
    """Chunks as one base: rows numbered on."""
    whole, people, placed, visits = {}, 0, 0, 0
    shifted = []
    for made in parts:
        made = {k: v.copy() for k, v in made.items()}
        made["placed"]["row"] = np.where(made["placed"]["row"] >= 0, made["placed"]["row"] + people, -1)
        made["lines"]["order_row"] += placed
        made["touches"]["visit"] += visits
        people, placed, visits = (
            people + len(made["people"]),
            placed + len(made["placed"]),
            visits + len(made["visits"]),
        )
        shifted.append(made)
    for key in shifted[0]:
        whole[key] = pd.concat([m[key] for m in shifted], ignore_index=True)
    return whole


def write_expected(customers: int = 100_000, chunk: int = 20_000) -> None:
    """cxkit/demo_expected.yml: what follows in each scenario, on a base of its own (seed 2026)."""
    found = {"customers": customers, "scenarios": {}}
    for scenario in ("default", "improved", "one_group", "subscription", "null"):
        plan = scenario_plan(scenario)
        parts = [draw(plan, seed=2026, chunk=i, first=i * chunk, count=chunk) for i in range(customers // chunk)]
        found["scenarios"][scenario] = expected(together(parts))
    head = (
        "# What follows from demo.yml. Written by: python studies/demo_power.py --expected. Never change it by hand.\n"
    )
    path = HERE.parent / "cxkit" / "demo_expected.yml"
    path.write_text(head + yaml.safe_dump(found, sort_keys=False), encoding="utf-8", newline="\n")


def normal_tail(z: float) -> float:
    """P(Z > z)."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def study(runs: int) -> str:
    """The report: power of each planted fact in default and improved, false alarms in null."""
    bar = 1.96
    found: dict[str, list[float]] = {}
    alarms: dict[str, list[float]] = {}
    better: dict[str, list[float]] = {}
    same: dict[str, list[float]] = {}
    rand = []
    plans = {name: scenario_plan(name) for name in ("default", "null", "improved")}
    for run in range(runs):
        made = draw(plans["default"], seed=1000 + run)
        for k, v in tests(made, plans["default"]).items():
            found.setdefault(k, []).append(v)
        rand.append(clusters(made, plans["default"]))
        made = draw(plans["improved"], seed=1000 + run)
        for k, v in improvement_tests(made).items():
            better.setdefault(k, []).append(v)
        made = draw(plans["null"], seed=1000 + run)
        for k, v in (tests(made, plans["null"])).items():
            alarms.setdefault(k, []).append(v)
        for k, v in improvement_tests(made).items():
            same.setdefault(k, []).append(v)
    lines = [
        "# Does the made-up client show what is planted in it?",
        "",
        f"Command: `python studies/demo_power.py --runs {runs}`: 4,000 customers a run, seeds 1000 to {999 + runs}.",
        "",
        "Each planted fact is looked for with the plainest test there is (difference of two means or shares, or a",
        "score test of trend; z > 1.96 in the planted direction). Power by counting, and by the normal approximation",
        "from the mean and the spread of z. In `null` nothing is planted: a false alarm is the same test above 1.96,",
        "and 2.5 % of the runs are expected to raise one by chance.",
        "",
        "| planted | found | mean z | smallest z | power | false alarms in null |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in (found | better).items():
        z = np.array(values)
        power = 1 - normal_tail((z.mean() - bar) / max(z.std(ddof=1), 1.0))
        quiet = np.array((alarms | same).get(name, []))
        said = f"{(quiet > bar).sum()} of {len(quiet)}" if len(quiet) else "one group only"
        lines.append(
            f"| {name} | {(z > bar).sum()} of {len(z)} | {z.mean():.1f} | {z.min():.1f} | {power:.4f} | {said} |"
        )
    lines += [
        "",
        "Groups, by k-means on repeat buyers' channel shares, coupon share and order value: adjusted Rand index",
        f"{np.median(rand):.2f} (median; from {min(rand):.2f} to {max(rand):.2f}).",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--expected", action="store_true", help="write cxkit/demo_expected.yml and end")
    parser.add_argument("--runs", type=int, default=100, help="seeds a scenario (100)")
    options = parser.parse_args()
    start = time.perf_counter()
    if options.expected:
        write_expected()
    else:
        (HERE / "demo_power.md").write_text(study(options.runs), encoding="utf-8", newline="\n")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
