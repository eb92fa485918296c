"""Imports go down only: the architecture, held over the syntax trees."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cxkit"

# the lower a floor, the smaller its number; a module may import what lies on a lower floor
FLOORS = [
    {"errors"},
    {"estimates"},
    {"client", "privacy", "style"},
    {"engine", "findings", "heatmap"},
    {"tables"},
    {"returns", "exports", "columns", "buyers", "segment_names"},
    {"refused"},
    {"door"},
    {"sources", "quality", "segments", "loyalty", "lift", "concentration", "cohorts", "rhythm"},
    {"swot", "changes"},
    {"parts"},
    {"notebook", "pages", "workbook"},
    {"report"},
    {"parameters", "publish", "progress"},
    {"kernel", "execute"},
    {"run"},
    {"cli"},
]


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


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_imports_go_down(path):
    if path.stem.startswith("demo"):
        allowed = {"errors", "privacy"} | {p.stem for p in modules() if p.stem.startswith("demo")}
        assert imported(path) <= allowed
        return
    upwards = {m for m in imported(path) if m.startswith("demo") or floor_of(m) >= floor_of(path.stem)}
    if path.stem in {"cli", "run"}:
        upwards -= {"demo"}
    assert not upwards, f"{path.stem} imports {sorted(upwards)}, which do not lie below it"


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_modules_stay_small(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{path.name} has {lines} lines; which second question does it answer?"


@pytest.mark.parametrize("path", [p for p in modules() if p.stem != "engine"], ids=lambda p: p.stem)
def test_only_engine_names_an_engine(path):
    assert "duckdb" not in {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
