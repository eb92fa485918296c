"""Do the planted weaknesses come out of the plan, and none where none is planted? Whole audits over many seeds.

    python studies/plan_power.py --runs 200                   -> studies/plan_power.md, all four kinds
    python studies/plan_power.py --runs 200 --what default    one of default, null, improved, unchanged

Each client is written to a folder as `cxkit demo-data` does it, passes through the door, and is audited by the cells of
the committed notebooks, one after the other in one process: without kernels and without pictures.
What is judged is what the notebooks leave in the run's folder: findings, tables/10_swot.items.csv, tables/11_summary.*.
"""

import argparse
import ast
import functools
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import Pool
from pathlib import Path
from types import CodeType
from unittest.mock import MagicMock

import matplotlib
import pandas as pd

matplotlib.use("Agg")  # nothing is drawn, and no screen is asked for

from cxkit import certainty, changes, demo, moves, notebook
from cxkit.demo_plan import read_yaml
from cxkit.estimates import wilson
from cxkit.kept_tables import read_table, write_json

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
FIRST_SEED = 1000
# what the SWOT of the planted weaknesses rests on, and all areas whose verdicts share the audit's error with them
AUDIT = ("00_data_quality", "01_segmentation", "02_journey", "03_loyalty", "04_lifetime_value", "05_feedback",
         "06_search", "07_service", "08_personas", "09_maturity", "10_swot")  # fmt: skip
SUMMARY = "11_summary"
# whose figures are held against an earlier audit's; of the others all stand there without a verdict (`changes.DRIFTS`)
FIGURES = ("02_journey", "03_loyalty", "05_feedback", "06_search", "07_service", "10_swot")
THEN, NOW = "2026-03-31", "2026-06-30"
EARLIER = f"{THEN}-1"
KINDS = ("default", "null", "improved", "unchanged")
SCENARIOS = {"unchanged": "null"}
# what is planted in `default` -> the finding behind its item; of the goods the topic
PLANTED = {
    "advice": ("journey.touchpoint.advice", "feedback.touchpoint.advice"),
    "payment_page": ("journey.touchpoint.payment_page", "feedback.touchpoint.payment_page"),
    "courier": ("service.late.courier",),
    "delivery_delay": ("service.growing.delivery_delay",),
    "delivery": ("feedback.gap.delivery",),
    "Shoes": ("service.returned.shoes",),
    "Clothes": ("service.returned.clothes",),
}
WORST = "payment_page"
GOODS = ("balance bikes", "baby monitors", "breast pumps")
MISSING = "search.missing."
# what is planted in `improved`: measure and name in 11_summary.since
IMPROVED = (("goes_on", "payment_page"), ("late", "courier"), ("contacts", "delivery_delay"))
CHANGED = (changes.BETTER, changes.WORSE, changes.CHANGED)
PICTURE = "_picture"  # what a picture's Axes are replaced with
TEXTS = ("item", "statement", "evidence", "voices", "certainty", "triage", "why", "quadrant", "name", "measure", "id")


class _NoPictures(ast.NodeTransformer):
    """Takes the pictures out of a cell: `plot_...(...)` gives what takes any call, `describe_...(...)` a text."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if called.startswith(("plot_", "describe_")):
            instead = ast.Name(PICTURE, ast.Load()) if called.startswith("plot_") else ast.Constant("a picture")
            return ast.copy_location(instead, node)
        return self.generic_visit(node)


@functools.cache
def cells(name: str) -> tuple[CodeType, ...]:
    """A notebook's code cells, compiled, that of its parameters first, without their pictures."""
    path = NOTEBOOKS / f"{name}.ipynb"
    compiled = []
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            tree = _NoPictures().visit(ast.parse("".join(cell["source"])))
            compiled.append(compile(ast.fix_missing_locations(tree), f"{name}, cell {number}", "exec"))
    return tuple(compiled)


def run_notebook(name: str, *, client_yml: Path, run_dir: Path) -> None:
    """What a notebook does to the run's folder."""
    shown = {"show_figure": lambda *_, **__: None, "_display": lambda *_, **__: None, "part": lambda *_: ""}
    kept = {word: getattr(notebook, word) for word in shown}
    try:
        vars(notebook).update(shown)
        parameters, *rest = cells(name)
        space = {PICTURE: MagicMock()}
        exec(parameters, space)
        space |= {"client_yml": str(client_yml), "run_dir": str(run_dir)}
        for cell in rest:
            exec(cell, space)
    finally:
        vars(notebook).update(kept)


def make_client(folder: Path, kind: str, seed: int, *, customers: int = 4000) -> Path:
    """A made-up client's client.yml; where nothing is planted, without its workshop's sheets and targets."""
    scenario = SCENARIOS.get(kind, kind)
    demo.make(folder, customers=customers, seed=seed, scenario=scenario, format="parquet")
    settings = folder / "client.yml"
    if scenario == "null":
        shutil.rmtree(folder / "workshop")
        text = re.sub(r"(?m)^targets:.*\n(?:[ ]+.*\n)+", "", settings.read_text(encoding="utf-8"))
        settings.write_text(text, encoding="utf-8")
    return settings


def audit(client_yml: Path, run_dir: Path, *, as_of: str, names: tuple[str, ...] = AUDIT, against: str = "") -> dict:
    """Runs notebooks into a folder. To: the seconds that each took."""
    run_dir.mkdir(parents=True)
    record = {"as_of": as_of} | ({"against": {"run": against, "before": []}} if against else {})
    write_json(run_dir / "run.json", record)
    took = {}
    for name in names:
        start = time.perf_counter()
        run_notebook(name, client_yml=client_yml, run_dir=run_dir)
        took[name] = round(time.perf_counter() - start, 1)
    return took


def table(run_dir: Path, name: str) -> pd.DataFrame:
    """A table that a run left; no rows where it left none."""
    path = run_dir / "tables" / f"{name}.csv"
    return read_table(path, texts=TEXTS) if path.is_file() else pd.DataFrame(columns=list(TEXTS))


def about(id: str) -> str:
    """The planted thing that a finding is about, or an empty text."""
    if id.startswith(MISSING):
        words = re.split(r"[\W_]+", id.removeprefix(MISSING))
        return next((topic for topic in GOODS if any(word in _words(topic) for word in words)), "")
    return next((thing for thing, ids in PLANTED.items() if id in ids), "")


@functools.cache
def _words(topic: str) -> frozenset[str]:
    """The words, in three languages, with which a topic is looked for and no other is."""
    said = {name: _split(by_language) for name, by_language in read_yaml("demo_texts.yml")["queries"].items()}
    return said[topic].difference(*(words for name, words in said.items() if name != topic))


def _split(by_language: dict[str, list[str]]) -> frozenset[str]:
    texts = " ".join(text for said in by_language.values() for text in said)
    return frozenset(re.split(r"[\W_]+", texts.casefold()))


def of_plan(run_dir: Path) -> dict:
    """What the SWOT tells of each planted thing, and every weakness that the data are certain of.

    To: planted: thing -> quadrant, certainty, triage, why, evidence of its item; others: key, certainty, triage of the
    weaknesses and threats of the data that stand for nothing planted; places: among how many the error is divided.
    """
    found = changes.findings_of(run_dir)
    items = table(run_dir, "10_swot.items")
    told, others = {}, []
    for row in items.to_dict("records"):
        ids = [id.strip() for id in (row["evidence"] or "").split(",") if id.strip()]
        things = {about(id) for id in ids} - {""}
        kept = {name: row.get(name) for name in ("item", "quadrant", "certainty", "triage", "why", "impact")}
        for thing in things:
            told.setdefault(thing, []).append(kept | {"evidence": ids})
        if not things and ids and row["quadrant"] in ("weakness", "threat") and row["certainty"] != certainty.SAID:
            others.append(kept)
    sure = certainty.across_audit(found)
    judged = sure[sure["judged"]]
    return {
        "planted": told,
        "others": others,
        "judged": sorted(zip(judged["id"], judged["p"].round(6), judged["certainty"], strict=True)),
        "unsure": [f.id for f in found if not f.estimate.known],
    }


def of_changes(run_dir: Path) -> dict:
    """What the summary calls changed since the earlier audit: by figures of both audits, and of the days since."""
    frames = {"compare": table(run_dir, f"{SUMMARY}.changes"), "since": table(run_dir, f"{SUMMARY}.since")}
    told = {name: frame[frame["verdict"].isin(CHANGED)] for name, frame in frames.items() if len(frame)}
    return {
        "compare": sorted(zip(told["compare"]["id"], told["compare"]["verdict"], strict=True)),
        "since": sorted(zip(told["since"]["measure"], told["since"]["name"], told["since"]["verdict"], strict=True)),
        "compared": int(frames["compare"]["verdict"].isin([*CHANGED, changes.EARLY]).sum()),
        "judged": int(frames["since"]["low"].notna().sum()),
        "items": dict(Counter(table(run_dir, f"{SUMMARY}.items_since").get("status", []))),
        "turned": [row["item"] for row in table(run_dir, f"{SUMMARY}.items_since").to_dict("records")
                   if row.get("status") in (moves.SOLVED, moves.TURNED)],
    }  # fmt: skip


def run(task: tuple[str, int]) -> dict:
    """What one client shows, or the error that its audit ended with."""
    start = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as home:
            told = _audited(Path(home), *task)
    except Exception as error:  # one audit that fails is a result, and no reason to lose the others
        told = {"error": f"{type(error).__name__}: {error}"}
    return {"kind": task[0], "seed": task[1], "seconds": round(time.perf_counter() - start, 1)} | told


def _audited(home: Path, kind: str, seed: int) -> dict:
    """`default` and `null`: one audit; `improved` and `unchanged`: one before, and one after, held against it."""
    client_yml, last = make_client(home / "client", kind, seed), home / "now"
    if kind in ("default", "null"):
        return {"took": audit(client_yml, last, as_of=NOW)} | of_plan(last)
    audit(client_yml, home / "runs" / EARLIER, as_of=THEN, names=FIGURES)
    names = (AUDIT[0], *FIGURES, SUMMARY)  # 11 tells what the tables hold by what 00 counted
    return {"took": audit(client_yml, last, as_of=NOW, names=names, against=EARLIER)} | of_changes(last)


def rightly(result: dict, thing: str) -> dict | None:
    """The item that tells of a planted thing: a weakness (goods: an opportunity or a weakness) with its evidence."""
    sides = ("opportunity", "weakness") if thing in GOODS else ("weakness",)
    return next((row for row in result["planted"].get(thing, ()) if row["quadrant"] in sides), None)


def told_weak(result: dict, *, quadrant: str = "weakness", sure: str = certainty.CERTAIN) -> list[str]:
    """The items of the data that stand on a side with a certainty."""
    rows = [*result["others"], *(row for rows in result["planted"].values() for row in rows)]
    return sorted({row["item"] for row in rows if row["quadrant"] == quadrant and row["certainty"] == sure})


def better(result: dict, pair: tuple[str, str]) -> bool:
    """Whether the days since the earlier audit are called better in a measure."""
    return (*pair, changes.BETTER) in set(map(tuple, result["since"]))


def strange(result: dict) -> list[str]:
    """What the days since an improvement are called better in that is nowhere near it, and all that they call worse."""
    near = {name for _, name in IMPROVED} | {"all"}
    return [" ".join(row) for row in result["since"] if row[2] != changes.BETTER or row[1] not in near]


def called(result: dict) -> list[str]:
    """All that is called changed: figures of both audits, and of the days since."""
    return [" ".join(row) for row in (*result["compare"], *result["since"])]


def row_of(what: str, holds: list[bool], asked_for: str = "") -> str:
    """A row of the results: how many clients of how many, with Wilson's interval of the share."""
    found = wilson(sum(holds), len(holds))
    return f"| {what} | {sum(holds)} of {len(holds)} | {found.low:.1%} to {found.high:.1%} | {asked_for} |"


def counts_of(names: list[str]) -> str:
    """`advice 12, payment_page 11`: how often each stands there."""
    return ", ".join(f"{name} {n}" for name, n in sorted(Counter(names).items())) or "none"


def rows_of(kind: str, results: list[dict]) -> list[str]:
    """What was asked of clients of a kind, as rows of a table, and as lines below it."""
    runs = len(results)
    most, least = f"at most {round(0.085 * runs)}", f"at least {round(0.95 * runs)}"
    ask = lambda what, holds, wanted="": row_of(what, [bool(holds(r)) for r in results], wanted)  # noqa: E731
    if kind == "default":
        things = [*PLANTED, *GOODS]
        sure = lambda r, t: (rightly(r, t) or {}).get("certainty") == certainty.CERTAIN  # noqa: E731
        rows = [ask(f"{t}: an item with its evidence", lambda r, t=t: rightly(r, t), least) for t in things]
        rows += [ask("all of these", lambda r: all(rightly(r, t) for t in things))]
        rows += [ask("all of these, and the data certain of each", lambda r: all(sure(r, t) for t in things))]
        rows += [ask(f"{WORST} stands under now", lambda r: (rightly(r, WORST) or {}).get("triage") == "now", least)]
        heaps = [f"{t} {(rightly(r, t) or {'triage': 'no item'})['triage']}" for r in results for t in things]
        missed = [f"{t} ({r['seed']})" for r in results for t in things if not rightly(r, t)]
        others = [id for r in results for id in told_weak(r) if not about(id)]
        return [*rows, "", f"Heaps: {counts_of(heaps)}. Missed, with the seed: {counts_of(missed)}.", "",
                f"Other weaknesses that the data are certain of: {counts_of(others)}."]  # fmt: skip
    if kind == "null":
        rows = [ask("any weakness that the data are certain of", told_weak, most)]
        rows += [ask("any threat that the data are certain of", lambda r: told_weak(r, quadrant="threat"))]
        likely = lambda r: told_weak(r, sure=certainty.LIKELY)  # noqa: E731
        rows += [ask("any weakness that is likely (it alone excludes its reference)", likely)]
        sides = {side: [id for r in results for id in told_weak(r, quadrant=side)] for side in ("weakness", "threat")}
        return [*rows, "", f"Certain weaknesses: {counts_of(sides['weakness'])}.", "",
                f"Certain threats: {counts_of(sides['threat'])}.", "",
                f"Likely weaknesses: {counts_of([id for r in results for id in likely(r)])}."]  # fmt: skip
    judged = sorted(r["judged"] for r in results)
    compared = sorted(r["compared"] for r in results)
    below = ["", f"Judged together: {judged[0]} to {judged[-1]} figures of the days since, {compared[0]} to"
             f" {compared[-1]} of both audits.", "",
             f"Called changed: {counts_of([name for r in results for name in called(r)])}."]  # fmt: skip
    if kind == "improved":
        rows = [ask("all three improvements found", lambda r: all(better(r, pair) for pair in IMPROVED), least)]
        rows += [ask(f"{' of '.join(pair)}: better", lambda r, p=pair: better(r, p)) for pair in IMPROVED]
        rows += [ask("of the days since, anything else than it and all called better, or anything worse", strange)]
        return [*rows, *below]
    rows = [ask("anything called changed", called, most)]
    rows += [ask("of the days since (one family)", lambda r: r["since"])]
    rows += [ask("of the figures of both audits (one family)", lambda r: r["compare"])]
    rows += [ask("an item of the SWOT solved or turned", lambda r: r["turned"])]
    return [*rows, *below]


HEAD = """\
# Do the planted weaknesses come out of the plan, and none where none is planted?

Each client has 4,000 customers, is written and read as any client, and audited by the cells of the notebooks 00 to 10.

- `default`: the made-up client as it is, with its workshop's sheets and targets. Each planted weakness is to stand in
  the SWOT with the finding that shows it; goods that are not offered, as an opportunity or a weakness.
- `null`: customers, touchpoints, ways of delivery and categories are alike, nothing changes; no sheets and no targets.
  (There too three goods are not offered, which is an opportunity.)
- `improved`: audits on {then} and {now}, held against each other by 11. From {first} on couriers come in time,
  the payment page holds visits, and contacts about late deliveries fall.
- `unchanged`: the same two audits of `null`.

Two audits take the notebooks alone whose figures are compared. Certain: it would hold even though so much was judged.
Intervals of shares are Wilson's.
"""


def report(kind: str, results: list[dict], command: str) -> str:
    """The results of one kind of clients as a section of the page."""
    seeds = [r["seed"] for r in results]
    whole = [r for r in results if "error" not in r]
    seconds = sorted(r["seconds"] for r in whole or results)
    failed = [f"{r['seed']} ({r['error']})" for r in results if "error" in r]
    ended = row_of("the audit ended with an error", ["error" in r for r in results], "none")
    return "\n".join([
        f"## {kind}: {len(results)} clients, seeds {min(seeds)} to {max(seeds)}", "",
        f"Command: `{command}`; {seconds[len(seconds) // 2]:.0f} seconds a client.", "",
        "| asked | found | 95 % interval | asked for |", "|---|---|---|---|", ended,
        *(rows_of(kind, whole) if whole else []), "", *([f"Errors: {'; '.join(failed)}.", ""] if failed else []),
    ])  # fmt: skip


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="clients of a kind (200)")
    parser.add_argument("--what", choices=KINDS, help="one kind of clients alone (all four)")
    parser.add_argument("--out", type=Path, default=HERE / "plan_power.md", help="the page that results are added to")
    options = parser.parse_args()
    start = time.perf_counter()
    for kind in [options.what] if options.what else KINDS:
        seeds = range(FIRST_SEED, FIRST_SEED + options.runs)
        kept = options.out.with_suffix(f".{kind}.jsonl")  # hours of work: where it was broken off, it goes on
        results = [r for r in _kept(kept) if r["seed"] in seeds]
        tasks = [(kind, seed) for seed in seeds if seed not in {r["seed"] for r in results}]
        with Pool(2, maxtasksperchild=10) as pool, kept.open("a", encoding="utf-8") as file:
            for result in pool.imap_unordered(run, tasks):
                results.append(result)
                print(json.dumps(result), file=file, flush=True)
                told = f"{kind}: {len(results)} of {len(seeds)}, {time.perf_counter() - start:.0f} s"
                print(told, file=sys.stderr, flush=True)
        results.sort(key=lambda result: result["seed"])
        add(options.out, report(kind, results, f"python studies/plan_power.py --runs {options.runs} --what {kind}"))


def _kept(path: Path) -> list[dict]:
    """The results of clients that a run which was broken off left: remove the file to begin anew."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def add(page: Path, section: str) -> None:
    """Puts a section at the end of the page, which begins with what was done."""
    first = read_yaml("demo.yml")["scenarios"]["improved"]["improvement"]["from"]
    text = page.read_text(encoding="utf-8") if page.is_file() else HEAD.format(then=THEN, now=NOW, first=first)
    page.write_text(f"{text}\n{section}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
