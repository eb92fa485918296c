"""The notebooks keep their shape: parameters, rhythm, tags, and outputs that nbval can hold them to."""

import ast
import re
import statistics
from pathlib import Path

import nbformat
import papermill
import pytest

from cxkit.tables import TABLES

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
ALWAYS = {"client_yml": "../data/demo/client.yml", "run_dir": "../reports/demo/interactive"}
PARAMETER = re.compile(r"^[a-z_]+: (str|int|float|bool|list) = .+  # \S.{10,}$")

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def cells(path: Path, kind: str) -> list:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def lines(cell) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_metadata_says_what_the_runner_needs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata["title"]
    cxkit = notebook.metadata["cxkit"]
    assert cxkit["question"].endswith("?")
    assert set(cxkit) - {"reads"} == {"question", "needs", "after"}
    assert {*cxkit["needs"], *cxkit.get("reads", [])} <= set(TABLES)
    assert set(cxkit["after"]) <= {p.stem for p in NOTEBOOKS if p.stem < path.stem}, "a notebook rests on earlier ones"
    assert notebook.metadata["language_info"]["name"] == "python"
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_the_summary_waits_for_all_others(path):
    """The summary reads what all others found; one that it did not wait for would be missing from time to time."""
    if path == NOTEBOOKS[-1]:
        after = nbformat.read(path, as_version=4).metadata["cxkit"]["after"]
        assert after == [p.stem for p in NOTEBOOKS[:-1]]


def test_parameters_are_one_a_line_with_their_help(path):
    (cell,) = [c for c in cells(path, "code") if "parameters" in tags(c)]
    for line in cell.source.splitlines():
        assert PARAMETER.match(line), f"{line!r}: write `name: type = literal  # help`"
    found = papermill.inspect_notebook(str(path))
    assert len(found) == len(cell.source.splitlines()), "papermill must list every parameter"
    assert all(p["help"] and p["inferred_type_name"] for p in found.values())
    assert {name: ast.literal_eval(found[name]["default"]) for name in ALWAYS} == ALWAYS


def test_cells_are_small(path):
    code = cells(path, "code")
    assert statistics.median(len(lines(c)) for c in code if "parameters" not in tags(c)) <= 2
    for cell in code:
        assert len(lines(cell)) <= 10, cell.source
        forbidden = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda, ast.ListComp, ast.DictComp)
        named = [type(n).__name__ for n in ast.walk(ast.parse(cell.source)) if isinstance(n, forbidden)]
        assert not named, f"{named} belongs in the package: {cell.source}"


def test_checked_cells_have_outputs(path):
    code = cells(path, "code")
    checked = [c for c in code if "nbval-check-output" in tags(c)]
    assert len(checked) >= 2
    assert all(c.execution_count is not None for c in code), "a cell without execution_count is never compared"
    assert [c.source for c in checked if not c.outputs] == []
    assert [o for c in code for o in c.outputs if o.output_type in ("error", "stream")] == []


def test_cells_that_show_numbers_are_checked(path):
    for cell in cells(path, "code"):
        text = "".join(str(o.get("data", {}).get("text/html", "")) for o in cell.outputs)
        if re.search(r"\d", re.sub(r"<[^>]*>", "", text)):
            assert "nbval-check-output" in tags(cell), cell.source


def test_prose_carries_no_number(path):
    """It is run for another client; what is taught (student, method) may name numbers, and S0 to S4 are articles."""
    for cell in cells(path, "markdown"):
        if not {"student", "method"} & set(tags(cell)):
            assert not re.search(r"\d", re.sub(r"\bS[0-4]\b", "", cell.source)), cell.source


def test_there_is_something_to_learn_and_a_source(path):
    student = [c for c in cells(path, "markdown") if "student" in tags(c)]
    method = "\n".join(c.source for c in cells(path, "markdown") if "method" in tags(c))
    assert len(student) >= 3 or path.stem == "11_summary"
    assert method, "definitions and sources stand in a cell tagged `method`"


def test_nothing_of_the_machine_is_stored(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r'"(/home|/root|/work|/Users|/tmp|C:\\\\)', text)
    assert "iopub" not in text, "execution times are not stored"
    for cell in cells(path, "code"):
        assert "execution" not in cell.metadata
