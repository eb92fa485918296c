"""A small run's folder for the tests of the report: notebooks with the outputs that the kit's functions really give."""

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cxkit import notebook as kit
from cxkit import style
from cxkit.client import Client, load_client
from cxkit.estimates import Estimate, unknown, wilson
from cxkit.findings import Finding

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#0b6e4f"/>'
    '<path d="M14 46V20l18 18 18-18v26" fill="none" stroke="#fff" stroke-width="7"/></svg>'
)
CLIENT_YML = """\
client: {name}
currency: UAH
time_zone: Europe/Kyiv
as_of: 2026-06-30
logo: logo.svg
colour: "#0b6e4f"
targets: {{loyalty.repeat_rate: 0.35, loyalty.late_share: 0.05, loyalty.second_order: 0.5}}
withhold: {{loyalty.lift_goods: the sample was drawn from one town only}}
tables:
  orders:
    path: orders.csv
    columns: {{order_id: id, customer_id: who, ordered_at: at, amount: paid}}
"""

LOYALTY = [
    ("md", "# Loyalty\n\nThis title is the page's own.", []),
    ("md", "Formula for students: `r = k / n`.", ["student"]),
    ("code", "within_days = 90  # an observation window", ["parameters"]),
    ("md", "## Do customers come back?\n\nA customer comes back with a second order within the window.", []),
    ("code", "say(repeat, 'The median gap between the first and the second order is 31 days.')", []),
    (
        "code",
        "show_figure(plot_retention(cohorts), 'retention', alt='Retention falls from 100 % in the first month to "
        "about 22 % after six months, in every cohort.')",
        [],
    ),
    ("md", "Read a line from left to right: how many of the customers who began together order again.", []),
    (
        "code",
        "show_table(cohorts, 'cohorts', caption='Customers of each cohort who ordered again, by month', "
        "formats={'active': 'share', 'revenue': 'money', 'gap_days': 'days'})",
        [],
    ),
    ("md", "### What this cannot show\n\nMonths after the last day that counts are not yet observable.", []),
    ("md", "## On how few customers does the revenue rest?", []),
    ("code", "show_figure(plot_bars(products), 'products', alt='Strollers bring most revenue, then cots.')", []),
    (
        "code",
        "show_table(products, 'products', caption='Revenue by category', formats={'revenue': 'money', "
        "'share_of_revenue': 'share', 'lift': 'lift'}, labels={'lift': 'Against the year before'})",
        [],
    ),
    (
        "code",
        "not_assessed('Repeat rate by channel', why='The data lack channel in orders.', "
        "ask_for='Ask for the column channel (web, app or store).')",
        [],
    ),
    ("md", "## What follows", []),
    ("code", "keep_findings(repeat, [late, gini, second, share, monthly, unknown_one, lift])", []),
    ("md", "## Method\n\nRepeat rate: see [Wilson (1927)](https://doi.org/10.1080/x).", ["method"]),
]

SUMMARY = [
    ("md", "# Summary", []),
    ("md", "## Which claims hold?", []),
    ("code", "show_findings(run.findings(), caption='Findings of the earlier pages')", []),
    ("md", "Definitions stand in the glossary.", ["method"]),
]


def client(folder: Path, *, name: str = "Malyatko") -> Client:
    """A client's folder with settings, a logo and a commentary."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "client.yml").write_text(CLIENT_YML.format(name=json.dumps(name)), encoding="utf-8")
    (folder / "logo.svg").write_text(LOGO, encoding="utf-8")
    lines = [f"o{i},c{i % 7},2026-0{1 + i % 6}-1{i % 9} 10:00:00,{100 + i}" for i in range(40)]
    (folder / "orders.csv").write_text("\n".join(["id,who,at,paid", *lines]) + "\n", encoding="utf-8")
    (folder / "notes").mkdir(exist_ok=True)
    note = "The repeat rate rose after **same-day delivery** began in March; see\n\n- the courier\n- ticket 12\n"
    (folder / "notes" / "03.md").write_text(note, encoding="utf-8")
    return load_client(folder / "client.yml")


def open_small(owner: Client, run_dir: Path, name: str) -> kit.Run:
    """A run as `open_run` gives it, over tables that no test here reads."""
    loaded = SimpleNamespace(
        tables={"orders": Path("orders.parquet")}, unmapped={"orders": ["channel"]}, as_of=date(2026, 6, 30)
    )
    matplotlib.rcParams.update(style.theme(owner.colour))
    kit._open[:] = [kit.Run(client=owner, loaded=loaded, run_dir=run_dir, name=name)]
    return kit.current_run()


def material(text: str) -> dict:
    """What the notebooks' cells work on; `text` stands where a product's name comes from the data."""
    months = pd.period_range("2025-07", "2026-06", freq="M").astype(str)
    rows = [
        (cohort, age, 400 - 9 * i, 0.62 / (age + 0.62), 31000.5 / (age + 1), 30 + age)
        for i, cohort in enumerate(months[:6])
        for age in range(7)
    ]
    cohorts = pd.DataFrame(rows, columns=["cohort", "months_since", "customers", "active", "revenue", "gap_days"])
    names = ["Коляски і автокрісла", "Żłobki i łóżeczka", "Toys", "=HYPERLINK(1)", text, "Books", "$x$ and $y$"]
    products = pd.DataFrame(
        {
            "category": names,
            "revenue": [812345.5, 401234.25, 199999, 91234, 51234, 9034, 1034],
            "share_of_revenue": [0.52, 0.26, 0.13, 0.06, 0.033, 0.006, 0.0007],
            "lift": [0.12, -0.034, 0.4, np.nan, 0.0, -0.2, 0.01],
        }
    )
    return {"cohorts": cohorts, "products": products}


def plot_retention(cohorts: pd.DataFrame):
    """Lines labelled at their ends."""
    ax = plt.subplots()[1]
    for i, (name, rows) in enumerate(cohorts.groupby("cohort")):
        ax.plot(
            rows["months_since"],
            100 * rows["active"] * (1 - i / 30),
            color="C0" if i == 0 else style.GREY,
            lw=2 - i / 5,
        )
        if i in (0, 5):
            ax.annotate(
                style.plain_text(name),
                (6, 100 * rows["active"].iloc[-1] * (1 - i / 30)),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
    ax.set(
        xlabel="months since the first order",
        ylabel="customers who order again, %",
        title="Retention by cohort",
        ylim=(0, None),
    )
    return ax


def plot_bars(products: pd.DataFrame):
    """Sorted bars with hostile labels."""
    ax = plt.subplots()[1]
    rows = products.iloc[::-1]
    ax.barh([style.plain_text(n, width=30) for n in rows["category"]], rows["revenue"] / 1000, color="C0")
    ax.set(xlabel="revenue, thousand UAH", title="Revenue by category")
    return ax


def findings(text: str) -> dict[str, Finding]:
    """Findings with every verdict there is."""
    say = "of customers order again within 90 days"
    return {
        "repeat": Finding(
            "loyalty.repeat_rate",
            f"{{value}} {say} ({{interval}}).",
            wilson(947, 2310),
            "Repeat rate within 90 days",
            action="Keep the reminder after the first order.",
            evidence=("cohorts",),
        ),
        "late": Finding(
            "loyalty.late_share",
            "{value} of orders came late ({interval}).",
            wilson(260, 2310),
            "Orders that came late",
            higher_is_better=False,
            action="Ask the courier for a second daily round.",
        ),
        "gini": Finding(
            "loyalty.gini",
            "The Gini coefficient is {value} ({interval}).",
            Estimate(0.61, 0.59, 0.63, 2310, "ratio", 0.95, "percentile bootstrap, 2000 draws"),
            "Gini coefficient of revenue",
        ),
        "second": Finding(
            "loyalty.second_order",
            "{value} place a second order at all ({interval}).",
            wilson(30, 62),
            "A second order at all",
        ),
        "share": Finding(
            "loyalty.pareto",
            "The top fifth brings {value} of revenue ({interval}).",
            wilson(640, 1000),
            "Revenue that the top fifth brings",
        ),
        "monthly": Finding(
            "loyalty.monthly",
            "Loyal customers spend {value} a month ({interval}).",
            Estimate(1234.5, 1190.1, 1280.9, 310, "money", 0.95, "percentile bootstrap, 2000 draws"),
            f"Monthly revenue of loyal customers {text}",
        ),
        "unknown_one": Finding("loyalty.app", "{value} ({interval}).", unknown("share", n=3), "Repeat rate in the app"),
        "lift": Finding(
            "loyalty.lift_goods",
            "{value} more goods ({interval}).",
            Estimate(0.4, 0.2, 0.6, 310, "lift", 0.95, "bootstrap"),
            "More goods an order",
        ),
    }


def execute(cells: list[tuple], names: dict, *, title: str, question: str, after: list[str]) -> nbformat.NotebookNode:
    """Run the cells' code here, with the outputs that the display functions give."""
    InteractiveShell.instance()
    made = new_notebook(metadata={"title": title, "cxkit": {"question": question, "needs": ["orders"], "after": after}})
    count = 0
    for kind, source, tags in cells:
        if kind == "md":
            made.cells.append(new_markdown_cell(source, metadata={"tags": tags}))
            continue
        count += 1
        with capture_output() as captured:
            exec(source, names)
        outputs = [new_output("display_data", data=o.data, metadata=o.metadata) for o in captured.outputs]
        assert captured.stdout == captured.stderr == ""
        made.cells.append(new_code_cell(source, execution_count=count, outputs=outputs, metadata={"tags": tags}))
    return made


def make(folder: Path, *, name: str = "Malyatko", text: str = "Games", notes: str = "") -> tuple[Path, Client]:
    """A run's folder, not yet reported, and its client; `name`, `text` and `notes` may be hostile."""
    owner = client(folder / "client", name=name)
    if notes:
        (owner.folder / "notes" / "03.md").write_text(notes, encoding="utf-8")
    run_dir = folder / "run"
    run_dir.mkdir()
    shown = {
        f: getattr(kit, f)
        for f in ("say", "show_table", "show_figure", "not_assessed", "keep_findings", "show_findings")
    }
    names = shown | material(text) | findings(text) | {"plot_retention": plot_retention, "plot_bars": plot_bars}
    about = [
        ("03_loyalty", LOYALTY, "Loyalty", "Do customers come back, and how do loyal ones differ from new ones?", []),
        ("11_summary", SUMMARY, "Summary", "What did the audit find?", ["03_loyalty"]),
    ]
    for notebook, cells, title, question, after in about:
        names["run"] = open_small(owner, run_dir, notebook)
        made = execute(cells, names, title=title, question=question, after=after)
        nbformat.write(made, run_dir / f"{notebook}.ipynb")
    entry = {"status": "done", "seconds": 4.2}
    run = {
        "status": "done",
        "client": name,
        "slug": "client",
        "as_of": "2026-06-30",
        "basis": {"customers": 2310, "orders": 9876, "first": "2025-01-02", "last": "2026-06-30"},
        "seed": 1,
        "tables": {
            "orders": {
                "rows_in": 20412,
                "kept": 20101,
                "netted": 84,
                "refused": {"exact duplicate": 201, "amount is no number": 110},
                "notes": [],
            }
        },
        "inputs": {"orders.csv": "9f2c" * 16},
        "settings": owner.settings(),
        "parameters": {"03_loyalty": {"within_days": 90}},
        "versions": {"cxkit": "0.1.0", "python": "3.11.2"},
        "against": None,
        "notebooks": [{"name": n, "title": t, "question": q, **entry} for n, _, t, q, _ in about]
        + [
            {
                "name": "05_feedback",
                "title": "Feedback",
                "question": "What do they say?",
                "status": "not assessed",
                "seconds": 0,
            }
        ],
        "not_assessed": [
            {
                "notebook": "05_feedback",
                "what": "What do customers say when asked?",
                "why": "The data lack the table surveys.",
                "ask_for": "Ask for an export of surveys (one row is one answer to one question).",
            }
        ],
    }
    (run_dir / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return run_dir, owner
