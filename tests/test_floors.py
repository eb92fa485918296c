"""Imports go down only: the architecture, held over the syntax trees."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cxkit"

# the lower a floor, the smaller its number; a module may import what lies on a lower floor
FLOORS = [
    {"errors", "demo_write", "currencies", "delimiters", "header_rows", "number_forms", "time_forms", "workbook_cells"},
    {"estimates", "likelihood", "mapping", "privacy", "settings_file", "demo_plan", "sheet_marks"}
    | {"column_kinds", "containers", "misread", "text_rows", "workbooks"},
    {
        "client",
        "encodings",
        "headings",
        "bg_nbd",
        "checklists",
        "cluster_null",
        "gamma_gamma",
        "shifted_beta",
        "scales",
        "stability",
        "stages",
        "style",
        "survival",
        "words",
        "demo_contacts",
        "demo_orders",
        "demo_surveys",
        "demo_touches",
        "demo_workshop",
    },
    {
        "cluster_model",
        "clusters",
        "engine",
        "findings",
        "group_table",
        "heatmap",
        "found_themes",
        "kept_tables",
        "lanes",
        "languages",
        "pictures",
        "demo_export",
        "demo_truth",
    },
    {"definitions", "tables", "numerals", "json_records", "text_files", "demo", "comment_words", "shown_names"}
    | {"certainty", "spheres", "statements", "topics"},
    {"changes", "cell_ends", "cells", "garbled", "mapping_checks", "patterns", "repeated_money", "times"}
    | {"file_rows", "meanings", "oddities", "presets", "sheet_templates", "understood"}
    | {
        "returns",
        "exports",
        "buyers",
        "cluster_moves",
        "cluster_names",
        "entries",
        "moons",
        "others",
        "segment_names",
        "share_ratios",
    }
    | {"answer_checks", "comments", "drivers", "query_heads", "rate_trends"},
    {"columns", "column_choice", "last_day", "order_notes", "rules_met", "sheet_evidence", "sheet_files", "sniff"}
    | {"same_thing", "steps", "touches"},
    {"refused", "doubts", "one_pass", "order_level", "scrubbed", "survey_questions"},
    {"order_money", "table_settings"},
    {"joins", "proposed_table"},
    {"persons", "shaping", "common_settings", "one_shape"},
    {"folder_plan"},
    {"door", "proposal"},
    {
        "client_text",
        "plan_warnings",
        "sources",
        "quality",
        "unusual",
        "segments",
        "loyalty",
        "lift",
        "concentration",
        "cohorts",
        "rhythm",
        "workshop",
    }
    | {"cadence", "margins", "new_and_known", "purchase_history", "referrals", "regulars"}
    | {
        "kept_customers",
        "rewards",
        "features",
        "newcomers",
        "plan_groups",
        "profiles",
        "segment_change",
        "tiers",
        "maturity",
        "list_scores",
        "balance",
        "answered",
        "registers",
        "beside_data",
        "likeness",
        "personas",
    }
    | {
        "funnel",
        "cost_to_serve",
        "importance",
        "journey_map",
        "journey_voices",
        "path_graph",
        "paths",
        "performance",
        "priorities",
        "satisfaction",
        "zones",
    }
    | {"answer_sums", "pareto", "queries", "query_groups", "search", "service"},
    {"reveal", "trial_run"},
    {"inspect_file", "expectations", "feedback", "missing_goods", "navigation", "response", "shares_apart", "themes"}
    | {"contact_reasons", "deflection"},
    {"cancellations", "delivery_promises", "failed_searches", "feedback_change", "theme_scores", "waiting"}
    | {"after_answers"},
    {"funnel_groups", "journey_compare", "journey_page", "journey_readings", "key_figures", "visits"}
    | {"lapsed", "lifetime_value", "loyal_ideal", "retention", "retention_economics", "second_order", "value_ladder"},
    {"journey_table", "holdout", "kept_segments", "value_lists"} | {"claims", "heard", "small_map"},
    {"short_answer"},
    {"summary"},
    {"history", "moves", "windows"},
    {"since"},
    {"diff"},
    {"finding_pages", "parts", "rung_choice"},
    {"value_answer"},
    {"passed", "swot"},
    {"dependence", "impact", "stakes"},
    {"causes"},
    {"triage"},
    {"action_sheet", "roadmap", "strategy", "swot_table", "tows"},
    {"self_check"},
    {"notebook", "pages", "workbook"},
    {"matters"},
    {"report"},
    {"parameters", "publish", "progress"},
    {"kernel", "execute"},
    {"new_client", "run"},
    {"cli"},
]
# where tables are asked of the engine: all else works on frames, records and files
IBIS = {
    "the engine": {"engine", "tables"},
    "the door": {
        "cells",
        "columns",
        "door",
        "exports",
        "garbled",
        "joins",
        "last_day",
        "one_pass",
        "order_notes",
        "numerals",
        "patterns",
        "persons",
    }
    | {"refused", "repeated_money", "returns", "reveal", "rules_met", "scrubbed", "shaping", "times"},
    "areas": {"buyers", "cohorts", "concentration", "lift", "loyalty", "quality", "rhythm", "segments", "unusual"}
    | {"cluster_model", "cost_to_serve", "features", "newcomers", "personas", "profiles"}
    | {"cadence", "new_and_known", "purchase_history", "referrals", "regulars", "retention", "kept_customers"}
    | {"lapsed", "kept_segments", "loyal_ideal", "rewards"},
    "the journey": {"entries", "funnel", "importance", "journey_map", "others", "paths", "performance", "satisfaction"}
    | {"steps", "touches", "visits", "zones"},
    "the voice": {"answer_checks", "answer_sums", "comments", "drivers", "expectations", "feedback", "feedback_change"}
    | {
        "response",
        "failed_searches",
        "missing_goods",
        "navigation",
        "queries",
        "cancellations",
        "contact_reasons",
        "deflection",
    }
    | {"after_answers", "delivery_promises", "pareto", "rate_trends", "service", "shares_apart", "waiting"},
    "the workshop": {"beside_data", "workshop"},
    "the plan": {"passed", "stakes"},
    "what changed": {"since", "windows"},
    "the summary": {"claims"},
}


def floor_of(module: str) -> int:
    for number, floor in enumerate(FLOORS):
        if module in floor:
            return number
    raise AssertionError(f"cxkit/{module}.py stands on no floor; give it one in tests/test_floors.py.")


def imported(path: Path) -> set[str]:
    """The cxkit modules that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("cxkit.")}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "cxkit":
            names = node.module.split(".")[1:]
            found |= {names[0]} if names else {a.name for a in node.names if a.name != "__version__"}
    return found


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.glob("*.py") if not p.stem.startswith("__"))


def packages(path: Path) -> set[str]:
    """The packages that a file imports when it runs, wherever in the file; what only type checkers read is left out."""
    found = set()

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            children = node.orelse
        else:
            children = ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found.update(a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        for child in children:
            look(child)

    look(ast.parse(path.read_text(encoding="utf-8")))
    return found


def test_every_module_stands_on_one_floor():
    listed = sorted(name for floor in FLOORS for name in floor)
    assert listed == [path.stem for path in modules()]


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_imports_go_down(path):
    upwards = {m for m in imported(path) if floor_of(m) >= floor_of(path.stem)}
    assert not upwards, f"{path.stem} imports {sorted(upwards)}, which do not lie below it"


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_the_demo_stands_apart(path):
    """What makes the data knows nothing of what audits them, and only the command line knows the demo."""
    demo = {p.stem for p in modules() if p.stem.startswith("demo")}
    if path.stem in demo:
        assert imported(path) <= demo | {"errors", "privacy"}
    else:
        assert imported(path) & demo <= ({"demo"} if path.stem == "cli" else set())


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_modules_stay_small(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{path.name} has {lines} lines; which second question does it answer?"


def test_only_engine_names_an_engine():
    assert {path.stem for path in modules() if packages(path) & {"duckdb", "sqlite3", "sqlalchemy"}} == {"engine"}


def test_tables_are_asked_by_the_engine_the_door_and_areas_only():
    assert {path.stem for path in modules() if "ibis" in packages(path)} == set().union(*IBIS.values())


@pytest.mark.parametrize("path", [p for p in modules() if p.stem != "engine"], ids=lambda p: p.stem)
def test_sql_stands_in_engine_only(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|COPY|DESCRIBE|PRAGMA) ", node.value), (
                f"{path.name}:{node.lineno} holds SQL: {node.value[:60]!r}"
            )
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("raw_sql", "sql"), f"{path.name}:{node.lineno} hands SQL to the engine"


def test_the_engine_is_where_the_sql_is():
    """Were it to move, the test above would look for nothing."""
    assert "SELECT " in (PACKAGE / "engine.py").read_text(encoding="utf-8")
