"""An executed notebook as the content of a page: text, records and pictures in reading order; no code, no prompts."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import mistune
import nbformat
from markupsafe import Markup
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table

from cxkit import style
from cxkit.errors import RunError
from cxkit.parts import MIME
from cxkit.style import clean_text
from cxkit.tables import TABLES

HIDDEN_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# a measure's name where a cell holds nothing else, or ends the source of a quote: nps, "survey, csat 3"
MEASURES = re.compile(r"(.+, )?(nps|csat|ces|csi)( [\d.]+)?")
COLUMNS = {name for made in TABLES.values() for name in made.columns}
PICTURES = {"image/svg+xml": "svg+xml", "image/png": "png"}
EMPTY = "nothing to show yet"  # all that a picture without data says
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass
class Page:
    """What a notebook gives to its page.

    content: blocks in order, each with a `kind` (prose, table, say, figure, findings, not_assessed, text) and its
    record; tables: those that it needs or reads; method: Markdown tagged `method` as HTML; headings: (id, text) of the
    sections.
    """

    name: str
    title: str
    question: str
    tables: list[str]
    content: list[dict] = field(default_factory=list)
    method: list[Markup] = field(default_factory=list)
    headings: list[tuple[str, str]] = field(default_factory=list)


class _Renderer(mistune.HTMLRenderer):
    """Markdown to HTML where raw HTML is text, pictures are their alt text, and links go to pages or the web only.

    Headings below the page's own start at `top` and never skip a level; the notebook's title is left out.
    """

    def __init__(self, *, top: int = 2, taken: set[str] | None = None, drop_title: bool = False) -> None:
        super().__init__(escape=True)
        self.top, self.level, self.drop_title = top, top - 1, drop_title
        self.taken = set() if taken is None else taken
        self.headings: list[tuple[str, str]] = []

    def heading(self, text: str, level: int, **_: object) -> str:
        words = Markup(text).striptags()
        if self.drop_title and (level == 1 or words.strip().casefold() == "method"):
            return ""
        self.level = max(self.top, min(level + self.top - 2, self.level + 1, 6))
        base = re.sub(r"[^\w]+", "-", words.lower()).strip("-")[:60] or "section"
        name, count = base, 1
        while name in self.taken:
            count += 1
            name = f"{base}-{count}"
        self.taken.add(name)
        if self.level == self.top:
            self.headings.append((name, words))
        return f'<h{self.level} id="{escape(name)}">{text}</h{self.level}>\n'

    def link(self, text: str, url: str, **_: object) -> str:
        return f'<a href="{escape(url)}">{text}</a>' if _safe(url) else text

    def image(self, text: str, **_: object) -> str:
        return text

    def table(self, text: str) -> str:
        return f'<div class="cx-table" role="region" aria-label="Table" tabindex="0"><table>{text}</table></div>\n'

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        side = ' class="cx-number"' if align == "right" else ""
        return f'<th scope="col"{side}>{text}</th>' if head else f"<td{side}>{text}</td>"


def _safe(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    if parts.scheme:
        return parts.scheme.lower() in ("http", "https", "mailto")
    return not parts.netloc and not url.strip().startswith(("/", "\\"))


def markdown(text: str, *, renderer: _Renderer | None = None, top: int = 2) -> Markup:
    """Markdown (headings, lists, emphasis, links, code, tables) as HTML; whatever else it holds is shown as text."""
    renderer = renderer or _Renderer(top=top)
    parse = mistune.create_markdown(renderer=renderer, plugins=[strikethrough, table])
    return Markup(parse(HIDDEN_CHARACTERS.sub("", text)))


def read_executed(path: Path) -> nbformat.NotebookNode:
    """A notebook all of whose cells ran. Raises RunError naming the file and the cell otherwise."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise RunError(f"{path} is not there; give the path of an executed notebook.") from None
    except Exception as error:
        raise RunError(f"{path} is no notebook that can be read ({clean_text(error)[:200]}).") from error
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        first = clean_text(cell.source.strip().splitlines()[0])[:60]
        failed = [o for o in cell.outputs if o.output_type == "error"]
        if failed:
            what = clean_text(f"{failed[0].get('ename', 'error')}: {failed[0].get('evalue', '')}")[:200]
            raise RunError(
                f"{path.name} failed in cell {number} ({first}): {what}. Mend it and run the notebook again; "
                "a page is made of whole notebooks only."
            )
        if cell.execution_count is None:
            raise RunError(
                f"{path.name} has not been run: cell {number} ({first}) has no execution count. Run the whole notebook "
                "(in JupyterLab: Run, Run All Cells; or with cxkit run), save it, then render it."
            )
    return notebook


def read_page(notebook: nbformat.NotebookNode, name: str) -> Page:
    """The content of a notebook's page, in reading order.

    Left out: code, prompts, what is tagged `student`, what a cell prints on stderr, and HTML that no record stands for.
    """
    about = notebook.metadata.get("cxkit", {})
    title = clean_text(notebook.metadata.get("title", "")) or _first_heading(notebook) or name
    tables = [*about.get("needs", []), *about.get("reads", [])]
    page = Page(name, title, clean_text(about.get("question", "")) or title, tables)
    renderer = _Renderer(taken={"main", "short", "findings", "missing", "method", "provenance"}, drop_title=True)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "student" in tags:
            continue
        if cell.cell_type == "markdown" and "method" in tags:
            page.method.append(markdown(cell.source, renderer=_Renderer(top=3, taken=renderer.taken, drop_title=True)))
        elif cell.cell_type == "markdown":
            page.content.append({"kind": "prose", "html": markdown(cell.source, renderer=renderer)})
        elif cell.cell_type == "code":
            page.content += [block for output in cell.outputs if (block := _block(output))]
    page.headings = renderer.headings
    return page


def _first_heading(notebook: nbformat.NotebookNode) -> str:
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return clean_text(cell.source.splitlines()[0][2:])
    return ""


def _block(output: Mapping) -> dict | None:
    if output["output_type"] == "stream":
        return {"kind": "text", "text": output["text"]} if output["name"] == "stdout" else None
    data = output.get("data", {})
    record = data.get(MIME) or {}
    for mime, kind in PICTURES.items():
        if mime in data:
            if kind == "svg+xml" and set(re.findall(r"<text[^>]*>([^<]*)</text>", data[mime])) == {EMPTY}:
                return None  # the sentence beside it says why
            alt = record.get("alt") or output.get("metadata", {}).get(mime, {}).get("alt", "")
            file = record.get("file")
            ours = isinstance(file, str) and re.fullmatch(r"figures/[a-z0-9_.]+\.svg", file)
            return {
                "kind": "figure",
                "src": _data_uri(data[mime], kind),
                "alt": clean_text(alt) or "Picture without a description",
                "wide": record.get("wide") is True,
                "file": file if ours else "",
            }
    if record.get("kind") == "table":
        return dict(record) | {"rows": [[spoken(cell) for cell in row] for row in record["rows"]]}
    if record.get("kind") == "say":
        return dict(record) | {"sentences": [style.told_dates(said) for said in record["sentences"]]}
    if record.get("kind") in ("findings", "not_assessed"):
        return dict(record)
    if "text/markdown" in data:
        return {"kind": "prose", "html": markdown(data["text/markdown"], top=3)}
    return {"kind": "text", "text": data["text/plain"]} if "text/plain" in data else None


def spoken(cell: str) -> str:
    """A table's cell as a page shows it: names as `style.spoken` has them, and NPS, CSAT, CES and CSI in capitals.

    As they are stay the names of the kit's own columns, which page 00 speaks of; the table's file keeps every name as
    the data have it.
    """
    measure = MEASURES.fullmatch(cell)
    if measure:
        return f"{measure[1] or ''}{measure[2].upper()}{measure[3] or ''}"
    return cell if cell in COLUMNS else style.spoken(cell)


def _data_uri(content: str, kind: str) -> str:
    if kind == "png":
        return f"data:image/png;base64,{re.sub(r'[^A-Za-z0-9+/=]', '', content)}"
    return f"data:image/{kind};base64,{base64.b64encode(content.encode('utf-8')).decode('ascii')}"


def scrub_notebook(notebook: nbformat.NotebookNode, *, replace: Mapping[str, str] = {}) -> nbformat.NotebookNode:
    """A copy of a notebook without times and folders in its metadata, with the same cell ids at every run.

    `replace`: text -> text, applied to sources and to text that was output (the machine's folders, longest first).
    """
    clean = nbformat.from_dict(notebook)
    clean = nbformat.reads(nbformat.writes(clean, version=4), as_version=4)
    for key in ("papermill", "widgets", "signature", "toc-autonumbering"):
        clean.metadata.pop(key, None)
    clean.metadata["kernelspec"] = KERNEL
    clean.metadata["language_info"] = {"name": "python"}
    clean.nbformat, clean.nbformat_minor = 4, 5
    order = sorted(replace, key=len, reverse=True)

    def mend(value: object) -> object:
        if isinstance(value, str):
            for old in order:
                value = value.replace(old, replace[old])
            return value
        if isinstance(value, list):
            return [mend(item) for item in value]
        return {k: mend(v) for k, v in value.items()} if isinstance(value, dict) else value

    for number, cell in enumerate(clean.cells, start=1):
        cell["id"] = f"cell-{number:03d}"
        tags = cell.metadata.get("tags")
        cell["metadata"] = nbformat.from_dict({"tags": tags} if tags else {})
        cell["source"] = mend(cell.source)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output["evalue"], output["traceback"] = mend(output.evalue), []
            elif output.output_type == "stream":
                output["text"] = mend(output.text)
            else:
                output["metadata"] = {k: v for k, v in output.get("metadata", {}).items() if k in PICTURES}
                output["data"] = {k: v if k in PICTURES else mend(v) for k, v in output.data.items()}
    return nbformat.from_dict(clean)
