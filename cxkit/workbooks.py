"""What does a workbook's worksheet hold? Its rows as texts, read by a process of its own with memory of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxkit import workbook_cells
from cxkit.errors import DataError

# the last line of what the reader says when it fails -> what the consultant is told
_FAILURES = (
    (("password", "encrypt"), "it is locked with a password. Save it without one."),
    (("memoryerror", "memory allocation", "cannot allocate", "capacity overflow"), ""),
)
TOO_LARGE = (
    f"it needs more than {workbook_cells.MOST_MEMORY >> 30} GB of memory to be opened: it is very large, or a lone cell"
    " stands far below or far right of the table. Save the table alone as .csv."
)


@contextmanager
def worksheet(path: Path, *, sheet: str | None, decimal: str) -> Iterator[tuple[dict, Iterator[list[str | None]]]]:
    """A worksheet: what the workbook has (names, chosen), and its rows as texts, those without any cell left out.

    From: the worksheet's name; None is the first with anything in it, hidden ones last. decimal: the mark that numbers
    are written with. Raises DataError where the workbook cannot be read, or has no such worksheet.
    """
    command = [sys.executable, "-P", workbook_cells.__file__, str(path), sheet or "", decimal]
    with tempfile.TemporaryFile() as told, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told) as process:
        try:
            first = process.stdout.readline()
            if not first:
                raise _failure(process, told)
            book = json.loads(first)
            if book["chosen"] is None:
                raise _no_sheet(book["names"], sheet)
            yield book, _rows(process, told)
        finally:
            process.kill()


def rows_as_texts(path: Path, *, sheet: str | None, decimal: str = ".") -> Iterator[list[str | None]]:
    """The rows alone."""
    with worksheet(path, sheet=sheet, decimal=decimal) as (_, rows):
        yield from rows


def _rows(process: subprocess.Popen, told) -> Iterator[list[str | None]]:
    whole = False
    for line in process.stdout:
        batch = json.loads(line) if line.endswith(b"]\n") else None
        if batch is None:
            break
        whole = not batch  # the last batch is empty
        yield from batch
    if not whole:
        raise _failure(process, told)


def _failure(process: subprocess.Popen, told) -> DataError:
    code = process.wait()
    told.seek(max(0, told.seek(0, 2) - 4000))
    said = told.read().decode("utf-8", "replace").strip()
    for words, message in _FAILURES:
        if any(word in said.lower() for word in words):
            return DataError(message or TOO_LARGE)
    if code < 0:  # ended by a signal: no memory is what does that
        return DataError(TOO_LARGE)
    reason = said.splitlines()[-1].split(": ", 1)[-1][:200] if said else f"code {code}"
    return DataError(f"it cannot be read as a workbook: {reason}. Save it anew as .xlsx, or as .csv.")


def _no_sheet(names: list[str], sheet: str | None) -> DataError:
    if sheet is None:
        return DataError("none of its worksheets holds anything. Ask for the export again.")
    shown = ", ".join(map(repr, names[:20])) + (" …" if len(names) > 20 else "")
    return DataError(f"it has no worksheet {sheet!r}; it has {shown or 'none'}. Mend sheet in client.yml.")
