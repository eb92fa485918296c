"""Tiny notebooks for tests of the runner."""

from pathlib import Path

import nbformat

PARAMETERS = 'client_yml: str = "../client.yml"  # the settings\nrun_dir: str = "../reports/interactive"  # results\n'


def notebook(
    folder: Path,
    name: str,
    *cells: str,
    parameters: str = "",
    needs: tuple[str, ...] = ("orders",),
    after: tuple[str, ...] = (),
    tag: str | None = "parameters",
) -> Path:
    """Write a notebook whose first cell holds the parameters."""
    first = nbformat.v4.new_code_cell(PARAMETERS + parameters)
    first.metadata["tags"] = [tag] if tag else []
    nb = nbformat.v4.new_notebook(cells=[first, *map(nbformat.v4.new_code_cell, cells)])
    for number, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{number}"
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nb.metadata["language_info"] = {"name": "python"}
    nb.metadata["title"] = f"Title of {name}"
    nb.metadata["cxkit"] = {"question": f"What does {name} ask?", "needs": list(needs), "after": list(after)}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(nb, path)
    return path
