"""Small samples of a client's files, for the tests of what is found out about them."""

from pathlib import Path

import pandas as pd

from cxkit.column_kinds import ColumnForm, column_forms
from cxkit.proposal import Proposal, propose
from cxkit.sniff import FileForm


def forms_of(columns: dict[str, list]) -> list[ColumnForm]:
    return column_forms(pd.DataFrame({name: [str(v) for v in values] for name, values in columns.items()}))


def form_of(*values: object, name: str = "column") -> ColumnForm:
    return forms_of({name: list(values)})[0]


def file_of(columns: dict[str, list], path: str = "export.csv", **more) -> FileForm:
    rows = len(next(iter(columns.values())))
    known = {"kind": "csv", "sheet": None, "sheets": (), "encoding": "utf-8", "delimiter": ",", "header": (1,)}
    return FileForm(Path(path), **{**known, "names": tuple(columns), "rows": rows, "whole": True, **more})


def proposal_of(columns: dict[str, list], path: str = "export.csv", **more) -> Proposal:
    return propose(file_of(columns, path, **more), forms_of(columns))


def orders(rows: int = 12, **more: list) -> dict[str, list]:
    """An export of order lines, two an order: days up to the 28th, so that they read in one way only."""
    n = range(rows)
    return {
        "Order number": [f"A-{100 + i // 2}" for i in n],
        "Customer": [7000 + i // 4 for i in n],
        "Date": [f"{20 + i // 2 % 8}.03.2024 10:0{i // 2 % 10}" for i in n],
        "SKU": [f"X{i % 5}" for i in n],
        "Quantity": [1 + i % 3 for i in n],
        "Unit price": [f"{10 + i % 5}.50" for i in n],
        **more,
    }
