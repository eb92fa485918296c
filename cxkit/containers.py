"""What is a file, and how are its bytes got at? Its kind by its name, held against its first bytes; gzip and zip
unpacked, with a guard against what unpacks without end."""

import copy
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cxkit.errors import DataError

CHUNK = 1 << 20
MOST_UNPACKED, MOST_TIMES = 1_000_000_000, 100  # over both, a packed file is a bomb and no export
MOST_MEMBERS = 10_000
KINDS = {
    "csv": (".csv", ".tsv", ".txt"),
    "xlsx": (".xlsx", ".xlsm", ".xls"),
    "parquet": (".parquet", ".pq"),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "duckdb": (".duckdb", ".db"),
}
VALID = (
    "valid are .csv, .tsv, .txt, .xlsx, .xls, .parquet, .jsonl, .ndjson, .json and .duckdb, also as .gz or in a .zip"
)
ARCHIVES = (".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst")
# what a file begins with -> what it is, the kind that it may be all the same, and what to do with any other
_BEGINS = (
    (b"PK\x03\x04", "a workbook or a .zip", "xlsx", "name it .xlsx or .zip, whichever it is"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or a locked Excel workbook", "xlsx", "name it .xls"),
    (b"\x1f\x8b\x08", "packed (gzip)", "", "add .gz to its name"),
    (b"SQLite format 3\x00", "an SQLite database", "", "export its tables as .csv"),
    (b"%PDF-", "a PDF", "", "ask for the export as .csv or .xlsx"),
    (b"7z\xbc\xaf\x27\x1c", "packed (7-Zip)", "", "unpack it"),
    (b"Rar!\x1a\x07", "packed (RAR)", "", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed (Zstandard)", "", "unpack it"),
    (b"\xfd7zXZ\x00", "packed (xz)", "", "unpack it"),
)
_PAGES = (b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")
_UNPACKING = (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


@dataclass(frozen=True)
class Source:
    """The data file that a path leads to: the file itself, or the one in it.

    kind: csv, xlsx, parquet, jsonl, duckdb. packing: "", gz or zip. member: its name in the zip. sheet: the worksheet
    or table that is asked for. notes: what was passed over.
    """

    path: Path
    kind: str
    packing: str = ""
    member: str = ""
    sheet: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.member or self.path.name.removesuffix(".gz" if self.packing == "gz" else "")


def look(path: Path, *, sheet: str | None = None, beside: Collection[str | None] = ()) -> Source:
    """What a file is. `sheet` chooses a file in a .zip; else it is passed on. `beside`: other sheets that are read too.

    Raises DataError where it is of no kind that is read, is not what its name says, or cannot be unpacked.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise DataError("it is a folder. Name the files in it.")
    if suffix == ".zip":
        source = _in_zip(path, sheet, beside)
    else:
        packing = "gz" if suffix == ".gz" else ""
        inner = path.name[: -len(".gz")] if packing else path.name
        kind = kind_of(inner)
        if not kind:
            raise DataError(f"this format is not read; {VALID}.")
        source = Source(path, kind, packing, sheet=sheet)
    if source.sheet is not None and source.kind not in ("xlsx", "duckdb"):
        raise DataError(f"it has no sheets, but sheet asks for {source.sheet!r}. Take that line out of client.yml.")
    _check_beginning(source)
    return source


def kind_of(name: str) -> str:
    """The kind that a file's name tells; empty for none."""
    suffix = PurePosixPath(name).suffix.lower()
    return next((kind for kind, suffixes in KINDS.items() if suffix in suffixes), "")


def pieces(source: Source) -> Iterator[bytes]:
    """The data file's bytes, unpacked, in pieces of at most a megabyte.

    Raises DataError where they cannot be read, and where over a gigabyte and over a hundred times the packed size have
    come out.
    """
    done = 0
    try:
        packed = source.path.stat().st_size
        for piece in _unpacked(source):
            done += len(piece)
            if source.packing and done > MOST_UNPACKED and done > MOST_TIMES * packed:
                raise DataError(
                    f"{packed:,} bytes unpack to over {done:,}; such a file is made to fill a disk and is not read."
                    " Where it is real, unpack it yourself."
                )
            yield piece
    except _UNPACKING as error:
        raise DataError(f"it cannot be unpacked: {error}. Ask for the file again.") from None
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or error}.") from None


def plain_file(source: Source, out: Path) -> Path:
    """The data file itself as a file: where it is packed, unpacked to `out`."""
    if not source.packing:
        return source.path
    with out.open("wb") as file:
        for piece in pieces(source):
            file.write(piece)
    return out


def _unpacked(source: Source) -> Iterator[bytes]:
    if source.packing == "zip":
        with zipfile.ZipFile(source.path) as archive, archive.open(_unbounded(archive.getinfo(source.member))) as file:
            yield from iter(lambda: file.read(CHUNK), b"")
    else:
        with gzip.open(source.path, "rb") if source.packing else source.path.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK), b"")


def _unbounded(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The same member, read to its end: the size that the archive states may be a lie."""
    free = copy.copy(info)
    free.file_size = 1 << 62
    return free


def _in_zip(path: Path, sheet: str | None, beside: Collection[str | None]) -> Source:
    """The one data file in a .zip, or the one that `sheet` names."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
    except (*_UNPACKING, ValueError, RuntimeError, UnicodeDecodeError) as error:
        raise DataError(f"it cannot be unpacked: {error}. Ask for the file again.") from None
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or error}.") from None
    if len(members) > MOST_MEMBERS:
        raise DataError(f"it holds {len(members):,} files; at most {MOST_MEMBERS:,} are looked through. Unpack it.")
    _check_members(members)
    names = [m.filename for m in members]
    if "[Content_Types].xml" in names:
        raise DataError("it holds a workbook's parts, so it is an .xlsx named .zip. Rename it.")
    data = [m for m in members if kind_of(m.filename) and not is_hidden(m.filename)]
    chosen = [m for m in data if sheet in (m.filename, PurePosixPath(m.filename).name)] if sheet else []
    left = None if chosen else sheet
    if not chosen and len(data) == 1 and (sheet is None or kind_of(data[0].filename) in ("xlsx", "duckdb")):
        chosen = data
    if len(chosen) != 1:
        raise DataError(_unclear(data, names, sheet))
    member = chosen[0]
    if member.flag_bits & 1:
        raise DataError(f"{member.filename!r} in it is locked with a password. Unpack it and give the plain file.")
    passed = [n for n in names if n != member.filename and not is_hidden(n)]
    passed = [n for n in passed if not {n, PurePosixPath(n).name} & {*beside}]
    notes = (f"of the files in {path.name} only {member.filename} was read, not {_listed(passed)}.",) if passed else ()
    return Source(path, kind_of(member.filename), "zip", member.filename, left, notes)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    """No member's name leads out of the archive, and none stands there twice."""
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if ".." in parts or name.startswith(("/", "\\")) or ":" in name or "\x00" in name or link:
            raise DataError(f"the name {name!r} in it leads out of the archive; no export has such names.")
        if name in seen:
            raise DataError(f"{name!r} stands in it twice, so nobody can tell which one is meant.")
        seen.add(name)


def _unclear(data: list[zipfile.ZipInfo], names: list[str], sheet: str | None) -> str:
    found = [m.filename for m in data]
    if sheet is not None and found:
        return f"it holds no file {sheet!r}, but {_listed(found)}. Mend sheet in client.yml."
    if found:
        return f"it holds {len(found)} data files ({_listed(found)}). Name the one that is meant: sheet in client.yml."
    packed = [n for n in names if PurePosixPath(n).suffix.lower() in ARCHIVES]
    if packed:
        return f"it holds a packed file again ({_listed(packed)}). Unpack it."
    return f"it holds no file that is read{f', but {_listed(names)}' if names else ''}; {VALID}."


def _listed(names: list[str]) -> str:
    return ", ".join(repr(n) for n in names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def is_hidden(name: str) -> bool:
    """What file managers put into an archive by themselves."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _check_beginning(source: Source) -> None:
    """A file is what its name says, as far as its first bytes tell."""
    head = next(pieces(source), b"")
    suffix = PurePosixPath(source.name).suffix.lower()
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise DataError("it is empty. Ask for the export again.")
    for begins, what, kind, mend in _BEGINS:
        if head.startswith(begins) and kind != source.kind:
            raise DataError(f"it is named {suffix}, but is {what}: {mend}.")
    start = head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:20].lower().startswith(_PAGES):
        raise DataError(
            f"it is named {suffix}, but is a web page (HTML). Open it in a spreadsheet and save it as .xlsx, or export"
            " again: a page that asks to log in is saved like this too."
        )
    if start.startswith(b"<?xml") and source.kind != "csv":
        raise DataError(f"it is named {suffix}, but is XML. Open it in a spreadsheet and save it as .xlsx.")
    if source.kind != "parquet" and head.startswith(b"PAR1\x15"):
        raise DataError(f"it is named {suffix}, but is a Parquet file: name it .parquet.")
    if source.kind != "duckdb" and head[8:12] == b"DUCK" and b"\x00" in head[:8]:
        raise DataError(f"it is named {suffix}, but is a DuckDB file: name it .duckdb.")
    if source.kind == "xlsx" and not head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x09")):
        raise DataError(f"it is named {suffix}, but is no workbook. If it is text, name it .csv.")
    if source.kind == "parquet" and not head.startswith(b"PAR1"):
        raise DataError(f"it is named {suffix}, but is no Parquet file. Ask for the file again.")
    if source.kind == "duckdb" and head[8:12] != b"DUCK":
        raise DataError(f"it is named {suffix}, but is no DuckDB file. Ask for the file again.")
