"""Run the notebooks in name order on the demo client and store their outputs in place (`make notebooks`)."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from cxkit.report import scrub_notebook

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def main(names: list[str]) -> None:
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        print(path.name, flush=True)
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
        ).execute()
        nbformat.write(scrub_notebook(notebook), path)


if __name__ == "__main__":
    main(sys.argv[1:])
