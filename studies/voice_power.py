"""Is the planted voice heard, and nothing where nobody speaks? Searches, contacts and surveys over many seeds.

    python studies/voice_power.py --runs 200     -> studies/voice_power.md

Clients are drawn in memory (`cxkit.demo.draw`, before dirt) and pass through the functions that the notebooks
05_feedback, 06_search and 07_service call: the families of comparisons are theirs.
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

from cxkit import (
    comment_words,
    comments,
    contact_reasons,
    feedback,
    feedback_change,
    found_themes,
    missing_goods,
    queries,
    query_groups,
    rate_trends,
    search,
    service,
    theme_scores,
    themes,
)
from cxkit.demo import draw
from cxkit.demo_plan import scenario_plan
from cxkit.tables import TABLES

HERE = Path(__file__).parent
FIRST_SEED = 1000
AS_OF, PERIOD_DAYS = date(2026, 6, 30), 182
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "rating": (1, 5), "satisfaction": (1, 5)}
GOODS = ("balance bikes", "baby monitors", "breast pumps")
GROWING = "delivery_delay"
WEAK = ("advice", "payment_page")

ZONE = "Europe/Kyiv"
KINDS = {"text": "string", "integer": "int64", "number": "float64", "money": "float64", "date": "date"}
KINDS |= {"time": "timestamp(6)", "yes/no": "boolean"}


def table(name: str, frame: pd.DataFrame) -> ibis.Table:
    """A frame with a canonical table's columns as such a table; local times become UTC, with the day beside."""
    about = TABLES[name]
    if about.time:
        frame = frame.assign(**{about.day: frame[about.time].dt.date})
    kinds = {column: KINDS[about.columns[column].type] for column in about.columns if column in frame.columns}
    for column, kind in kinds.items():
        if kind == "timestamp(6)":
            zoned = pd.to_datetime(frame[column]).dt.tz_localize(ZONE, ambiguous=False, nonexistent="shift_forward")
            frame = frame.assign(**{column: zoned.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")})
        elif kind == "string":
            frame = frame.assign(**{column: frame[column].astype(object).where(frame[column].notna(), None)})
    return ibis.memtable(frame[list(kinds)].reset_index(drop=True), schema=kinds)


def texts(numbers: pd.Series) -> pd.Series:
    """Ids as texts; -1 is nobody."""
    return numbers.astype(str).where(numbers >= 0, None)


def client(made: dict[str, pd.DataFrame]) -> dict[str, ibis.Table]:
    """A made-up client's canonical tables that its voice needs."""
    frames = {
        "orders": _orders(made),
        "events": _events(made),
        "searches": _searches(made),
        "surveys": _surveys(made),
        "invitations": made["invited"].rename(columns={"invited": "invited_at", "survey": "survey_id"}),
        "reviews": made["reviews"].rename(columns={"written": "written_at"}),
        "contacts": _contacts(made["contacts"]),
        "catalogue": made["goods"].rename(columns={"sku": "product_id", "parent": "parent_category"}),
    }
    for name in ("invitations", "reviews"):
        frames[name]["customer_id"] = texts(frames[name]["customer"])
    return {name: table(name, frame) for name, frame in frames.items()}


def _orders(made: dict[str, pd.DataFrame]) -> pd.DataFrame:
    lines = made["lines"][made["lines"]["product"] >= 0]
    goods = made["goods"].iloc[lines["product"].to_numpy()].reset_index(drop=True)
    order = made["placed"].iloc[lines["order_row"].to_numpy()].reset_index(drop=True)
    end = pd.Timestamp("2026-07-01")  # what is delivered later is not known yet
    frame = pd.DataFrame({"order_id": texts(order["order"]), "customer_id": texts(order["customer"])})
    frame = frame.assign(ordered_at=order["created"], promised_at=order["promised"], product_id=goods["sku"])
    frame = frame.assign(product=goods["product"], category=goods["category"])
    frame["delivered_at"] = order["delivered"].where(order["delivered"] < end)
    for name in ("channel", "payment", "delivery"):
        frame[name] = order[name].astype(str)
    for name in ("amount", "refund", "cost"):
        frame[name] = lines[name].to_numpy() / 100
    frame["quantity"], frame["reason"] = lines["quantity"].to_numpy(float), lines["reason"].to_numpy()
    return frame.assign(status=lines["status"].astype(str).replace("under_way", "completed").to_numpy())


def _events(made: dict[str, pd.DataFrame]) -> pd.DataFrame:
    visit = made["visits"].iloc[made["touches"]["visit"].to_numpy()].reset_index(drop=True)
    where = made["touches"]["touchpoint"].astype(str)
    frame = pd.DataFrame({"session_id": visit["session"].astype(str), "customer_id": texts(visit["customer"])})
    frame = frame.assign(occurred_at=made["touches"]["time"], touchpoint=where, source=visit["source"].astype(str))
    frame["channel"], frame["device"] = np.where(visit["app"], "app", "web"), visit["device"].astype(str)
    frame["order_id"] = texts(visit["order"]).where(where == "order_placed", None)
    return frame


def _searches(made: dict[str, pd.DataFrame]) -> pd.DataFrame:
    queries = made["queries"]
    touch = made["touches"].iloc[queries["touch"].to_numpy()]
    visit = made["visits"].iloc[touch["visit"].to_numpy()].reset_index(drop=True)
    frame = pd.DataFrame({"searched_at": touch["time"].to_numpy(), "query": queries["text"]})
    frame = frame.assign(session_id=visit["session"].astype(str), customer_id=texts(visit["customer"]))
    frame = frame.assign(query_id=queries["query"].astype(str), device=visit["device"].astype(str))
    return frame.assign(results=queries["results"], clicked=queries["clicked"])


def _surveys(made: dict[str, pd.DataFrame]) -> pd.DataFrame:
    names = {"answered": "answered_at", "asked": "asked_at", "survey": "survey_id"}
    answers = made["answers"].rename(columns=names)
    return answers.assign(customer_id=texts(answers["customer"]), order_id=texts(answers["order"]))


def _contacts(opened: pd.DataFrame) -> pd.DataFrame:
    names = {"contact": "contact_id", "opened": "opened_at", "first_answer": "first_answer_at", "solved": "solved_at"}
    names |= {"promised_answer": "promised_answer_at", "promised_solution": "promised_solution_at"}
    opened = opened.rename(columns=names)
    ids = {"customer_id": texts(opened["customer"]), "order_id": texts(opened["order"])}
    return opened.assign(contact_id=opened["contact_id"].astype(str), cost=opened["cost"] / 100, **ids)


def search_log(tables: dict[str, ibis.Table]) -> ibis.Table:
    """The searches, and which of them an order of the same visit follows."""
    linked = {name: tables[name] for name in ("events", "orders")}
    rule = queries.order_rule(tables["searches"], **linked)
    return queries.search_log(tables["searches"], as_of=AS_OF, rule=rule, **linked)


def heard(log: ibis.Table, topics: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is missing for certain, with the topic that most of its searches are planted for; and the groups.

    `topics`: text of a query -> its planted topic.
    """
    words = query_groups.wordings(queries.query_counts(log))
    groups = query_groups.group_queries(words, queries.next_wordings(log))
    found = missing_goods.missing_goods(log, groups)
    found = found[found["reading"] == missing_goods.MISSING]
    about = []
    for row in found.itertuples():
        inside = groups[groups[row.of] == row.name]
        about.append(inside.groupby(inside["query"].map(topics))["sent"].sum().idxmax())
    return found.assign(topic=about), groups


def asked(tables: dict[str, ibis.Table]) -> pd.DataFrame:
    """All comparisons of the page 05_feedback that need no kept groups: periods, touchpoints, channels."""
    rows = feedback.asked(tables["surveys"], scales=SCALES)
    return feedback_change.all_differences(
        feedback_change.periods(rows, as_of=AS_OF, period_days=PERIOD_DAYS),
        feedback_change.by_touchpoint(rows),
        feedback_change.by_channel(rows, tables["orders"]),
    )


def themes_that_grow(tables: dict[str, ibis.Table], *, seed: int) -> tuple[list[str], int]:
    """The themes of all comments whose share grows for certain, and how many were judged."""
    read = comments.readable(comments.gather(tables, scales=SCALES))
    counts, words = comment_words.count_words(read)
    numbers = found_themes.theme_numbers(read, counts, words, seed=seed)
    said = themes.find_themes(read, counts, words, listed=themes.theme_list(), numbers=numbers, seed=seed)
    trends = theme_scores.theme_trends(theme_scores.theme_months(read, said, as_of=AS_OF))
    return sorted(trends.loc[trends["verdict"] == rate_trends.GROWS, "theme"]), int(trends["low"].notna().sum())


def run(task: tuple[str, int]) -> dict:
    """What one client shows."""
    made = draw(scenario_plan(task[0]), seed=task[1])
    tables = client(made)
    reasons = contact_reasons.reason_trends(tables["contacts"], tables["orders"], as_of=AS_OF)
    every = service.contact_trend(service.contact_rates(tables["contacts"], tables["orders"], as_of=AS_OF))
    differences = asked(tables)
    told = differences[differences["reading"].isin([feedback_change.LOWER, feedback_change.HIGHER])]
    lower = told[(told["about"] == feedback_change.TOUCHPOINT) & (told["reading"] == feedback_change.LOWER)]
    log = search_log(tables)
    topics = made["queries"].drop_duplicates("text").set_index("text")["topic"].astype(str)
    missing, groups = heard(log, topics)
    first, last = queries.period(log)
    courses = search.month_trends(search.by_month(queries.outcome_sums(log, by="month"), first=first, last=last))
    themes_told, themes_judged = themes_that_grow(tables, seed=task[1]) if task[0] == "null" else ([], 0)
    return {
        "scenario": task[0],
        "seed": task[1],
        "themes": themes_told,
        "themes_judged": themes_judged,
        "growing": sorted(reasons.loc[reasons["verdict"] == rate_trends.GROWS, "reason"]),
        "falling": sorted(reasons.loc[reasons["verdict"] == rate_trends.FALLS, "reason"]),
        "contacts": every["verdict"].iloc[0],
        "lower": sorted(zip(lower["name"], lower["metric"], strict=True)),
        "told": sorted(zip(told["about"], told["name"], told["metric"], strict=True)),
        "judged": int(np.isfinite(differences["low"]).sum()),
        "missing": sorted(zip(missing["topic"], missing["name"], strict=True)),
        "departments": int(groups["department_key"].nunique()),
        "courses": sorted(courses.loc[courses["reading"] == "rises", "measure"]),
        "fallen": sorted(courses.loc[courses["reading"] == "falls", "measure"]),
    }


def share_of(rows: list[dict], holds) -> str:
    """`198 of 200`: for how many clients something holds."""
    return f"{sum(map(bool, map(holds, rows)))} of {len(rows)}"


def counts_of(names) -> str:
    """`support by nps 2; search by csat 1`: how often each name stands there."""
    found = Counter(" by ".join(n) if isinstance(n, tuple) else n for n in names)
    return "; ".join(f"{name} {n}" for name, n in sorted(found.items())) or "none"


def report(results: list[dict], runs: int) -> str:
    """The results as Markdown."""
    default, null = ([r for r in results if r["scenario"] == s] for s in ("default", "null"))
    found_at_least, called_at_most = round(0.95 * runs), round(0.085 * runs)
    nps = lambda r: {name for name, metric in r["lower"] if metric == "nps"}  # noqa: E731
    rows = [
        (
            "`default`: all three goods that are not offered are missing for certain",
            share_of(default, lambda r: set(GOODS) <= {topic for topic, _ in r["missing"]}),
            f"at least {found_at_least}",
        ),
        (
            "`null` (they are planted there too): the same",
            share_of(null, lambda r: set(GOODS) <= {topic for topic, _ in r["missing"]}),
            f"at least {found_at_least}",
        ),
        (
            "both: anything that is offered called missing for certain",
            share_of(results, lambda r: {topic for topic, _ in r["missing"]} - set(GOODS)),
            "",
        ),
        (
            "`default`: the growing reason grows for certain",
            share_of(default, lambda r: GROWING in r["growing"]),
            f"at least {found_at_least}",
        ),
        ("`default`: another reason called growing", share_of(default, lambda r: set(r["growing"]) - {GROWING}), ""),
        (
            "`default`: contacts a hundred orders grow for certain",
            share_of(default, lambda r: r["contacts"] == rate_trends.GROWS),
            "",
        ),
        (
            "`default`: NPS of both weak touchpoints lower for certain",
            share_of(default, lambda r: set(WEAK) <= nps(r)),
            f"at least {found_at_least}",
        ),
        (
            "`default`: another touchpoint called lower, in any score",
            share_of(default, lambda r: {name for name, _ in r["lower"]} - set(WEAK)),
            "",
        ),
        (
            "`null`: a reason called growing (seven reasons, Holm)",
            share_of(null, lambda r: r["growing"]),
            f"at most {called_at_most}",
        ),
        (
            "`null`: contacts a hundred orders called growing",
            share_of(null, lambda r: r["contacts"] == rate_trends.GROWS),
            f"at most {called_at_most}",
        ),
        (
            "`null`: a theme of the comments called growing (all themes, Holm)",
            share_of(null, lambda r: r["themes"]),
            f"at most {called_at_most}",
        ),
        (
            "`null`: a share of the search called rising (four shares, Holm)",
            share_of(null, lambda r: r["courses"]),
            f"at most {called_at_most}",
        ),
        ("`null`: a reason called falling", share_of(null, lambda r: r["falling"]), f"at most {called_at_most}"),
        (
            "`null`: a touchpoint, channel or period called lower or higher (all of them, Holm)",
            share_of(null, lambda r: r["told"]),
            f"at most {called_at_most}",
        ),
    ]
    judged = sorted({r["judged"] for r in results})
    seen = sorted(r["themes_judged"] for r in null)
    lines = [
        "# Is the planted voice heard, and nothing where nobody speaks?",
        "",
        f"Command: `python studies/voice_power.py --runs {runs}`: 4,000 customers a client, seeds {FIRST_SEED} to"
        f" {FIRST_SEED + runs - 1}.",
        "",
        f"In `default` {', '.join(GOODS)} are looked for in three languages and not offered; contacts",
        f"about {GROWING} rise from 2 to 10 a hundred orders; answers about {' and '.join(WEAK)} are lower.",
        "In `null` reasons do not change, touchpoints and channels are alike, and no theme is planted to grow. For",
        "certain: the interval, adjusted for all that is judged together (Holm), excludes no change, no difference, or",
        "a half of the searches.",
        "",
        "| asked | found | asked for |",
        "|---|---|---|",
        *(f"| {what} | {found} | {wanted} |" for what, found, wanted in rows),
        "",
        "Missing for certain in `default`, by what was planted (how many groups of wordings, in all clients): "
        + counts_of(topic for r in default for topic, _ in r["missing"])
        + ".",
        "",
        "Called lower in `default`: " + counts_of(pair for r in default for pair in r["lower"]) + ".",
        "",
        "Called growing in `null`: reasons " + counts_of(n for r in null for n in r["growing"])
        + "; themes " + counts_of(n for r in null for n in r["themes"])
        + "; shares of the search " + counts_of(n for r in null for n in r["courses"])
        + ". Lower or higher in `null`: " + counts_of(pair for r in null for pair in r["told"]) + ".",
        "",
        f"Comparisons of scores judged together: {judged[0]} to {judged[-1]}; themes: {seen[0]} to {seen[-1]}, half of"
        f" the clients {seen[len(seen) // 2]} or more.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="clients a scenario (200)")
    parser.add_argument("--out", type=Path, default=HERE / "voice_power.md", help="where the results go")
    options = parser.parse_args()
    start = time.perf_counter()
    tasks = [(scenario, FIRST_SEED + k) for k in range(options.runs) for scenario in ("default", "null")]
    results = []
    with Pool(2, maxtasksperchild=10) as pool:
        for result in pool.imap_unordered(run, tasks):
            results.append(result)
            print(f"{len(results)} of {len(tasks)}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    results.sort(key=lambda r: (r["scenario"], r["seed"]))
    options.out.write_text(report(results, options.runs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
