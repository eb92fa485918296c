"""The documentation says what the code does. `python tests/test_docs.py` writes docs/tables.md anew."""

import json
import re
from pathlib import Path

from click.testing import CliRunner

from cxkit.checklists import read_checklists
from cxkit.cli import cli
from cxkit.tables import SHEETS, TABLES, Column, Table

ROOT = Path(__file__).parents[1]

INTRO = """# The tables

What every notebook works on. A client's exports become these at the door (`tables:` in client.yml maps the columns),
and nothing after the door knows any other name. **Bold** is required where the table exists; a notebook that lacks an
optional column says what it could not show, and a table may be missing altogether. Times are UTC without a zone, money
is in the client's one currency, `customer_id` is always the pseudonym. A column marked † is made at the door, never
mapped.

## The client's exports
"""

SHEETS_INTRO = """## The workshop's sheets

People fill them in: one file each under `workshop/`, named as the sheet, `.csv` (UTF-8, with `,` or `;` between the
cells) or `.xlsx`. How they are read and checked stands in [semantics.md](semantics.md). `quotes` is shown only where
client.yml says `quotes: reviewed`.
"""


def type_of(column: Column) -> str:
    return f"{column.type}, {column.scale[0]:g} to {column.scale[1]:g}" if column.scale else column.type


def section(table: Table) -> str:
    rows = [
        f"| {f'**{c.name}**' if c.required else c.name}{' †' if c.derived else ''} | {type_of(c)} | {c.meaning} |"
        for c in table.columns.values()
    ]
    note = f"\nOne of {' and '.join(table.one_of)} at least.\n" if table.one_of else ""
    return (
        f"### {table.name}\n\nOne row is {table.row}.\n{note}\n| column | type | meaning |\n|---|---|---|\n"
        + "\n".join(rows)
    )


def rendered() -> str:
    parts = [INTRO, *map(section, TABLES.values()), SHEETS_INTRO, *map(section, SHEETS.values())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def test_tables_page_is_tables_py():
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == rendered(), "run python tests/test_docs.py"


def test_readme_links_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_readme_names_only_commands_and_options_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"\bcxkit (new|inspect|check|run|diff|reveal|render|demo-data)\b", text))
    assert {"new", "inspect", "check", "run", "diff", "reveal"} <= commands
    for line in re.findall(r"cxkit (?:new|inspect|check|run|diff|reveal|render|demo-data)[^\n`]*", text):
        help_text = CliRunner().invoke(cli, [line.split()[1], "--help"]).output
        assert [option for option in re.findall(r"--[a-z-]+", line) if option not in help_text] == []


def test_readme_and_help_tell_the_same_exit_codes():
    """The same codes in the same order; what each means begins with the same words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## Exit codes")[1].split("\n## ")[0]
    table = dict(re.findall(r"^\| ([\d, ]+) \| (.+) \|$", readme, flags=re.MULTILINE))
    told = " ".join(CliRunner().invoke(cli, ["--help"]).output.split("Exit codes:")[1].split()).rstrip(".")
    epilog = dict(re.fullmatch(r"(\d+(?:, \d+)*) (.+)", code).groups() for code in re.split(r"; (?=\d)", told))
    assert list(table) == list(epilog) == ["0", "1", "2", "3", "130, 143"]
    for code, meaning in table.items():
        assert re.split(r"[,;(]", meaning)[0].strip() == re.split(r"[,;(]", epilog[code])[0].strip(), code


def test_make_targets_in_the_docs_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"`?make ([a-z-]+)`", (ROOT / name).read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def article_points() -> dict[str, list[list[str]]]:
    """The points of docs/articles.md by theme: number, source, what it says, where it is answered."""
    page = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8").split("## What our copies lack")[0]
    themes = {part.split("\n")[0]: part for part in page.split("\n## ")[1:]}
    rows = {theme: re.findall(r"^\| (\d.*) \|$", part, flags=re.MULTILINE) for theme, part in themes.items()}
    return {theme: [row.split(" | ") for row in of] for theme, of in rows.items()}


def notebook_parts() -> dict[str, tuple[str, str]]:
    """Of each notebook: the code of its cells, and its headings."""
    parts = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code, words = ("\n".join("".join(c["source"]) for c in cells if (c["cell_type"] == "code") is which)
                       for which in (True, False))  # fmt: skip
        parts[path.stem] = code, "\n".join(re.findall(r"^#+ (.+)$", words, flags=re.MULTILINE))
    return parts


def test_articles_page_cites_what_is_there():
    """Every table, picture and heading stands in its notebook, every item in the checklists."""
    page, parts = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8"), notebook_parts()
    items = set(read_checklists()["item"])
    lists = {item.split(".")[0] for item in items}
    assert set(re.findall(r"`(\d\d_[a-z_]+)", page)) == set(parts)
    for notebook, table in re.findall(r"`(\d\d_[a-z_]+)\.([a-z_]+)`", page):
        assert f'"{table}"' in parts[notebook][0], f"{notebook} shows no {table}"
    for notebook, heading in re.findall(r"`(\d\d_[a-z_]+)`, “([^”]+)”", page):
        assert heading in parts[notebook][1].split("\n"), f"{notebook} has no heading {heading}"
    cited = set(re.findall(rf"`((?:{'|'.join(lists)})\.[^`]+)`", page))
    assert cited
    assert cited - items == set()


def test_articles_page_holds_every_point_in_few_words():
    themes = article_points()
    rows = [row for of in themes.values() for row in of]
    assert len(themes) == 11
    assert all(themes.values())
    assert [int(row[0]) for row in rows] == list(range(1, 139))
    assert {source for row in rows for source in re.findall(r"S\d", row[1])} == {"S0", "S1", "S2", "S3", "S4"}
    assert {source for row in rows for source in re.findall(r"S2[a-d]", row[1])} == {"S2a", "S2b", "S2c", "S2d"}
    assert [row[2] for row in rows if len(row) != 4 or len(row[2].split()) > 12] == []
    part, none = (sum(row[3].startswith(how) for row in rows) for how in ("in part: ", "not answered: "))
    told = f"of {len(rows)} points {len(rows) - part - none} are answered, {part} in part and {none} not."
    assert told in (ROOT / "docs" / "articles.md").read_text(encoding="utf-8")


def test_articles_page_fills_every_list_that_is_lost():
    """A point whose list is lost names the list that fills it; each of these says whose it is."""
    page = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8").split("## What our copies lack")[1]
    lists = {int(number) for number in re.findall(r"^\| (\d+) \| S", page, flags=re.MULTILINE)}
    rows = [row for of in article_points().values() for row in of]
    named = [many for row in rows for many in re.findall(r"lists? ([\d, ]+)", row[3])]
    cited = {int(number) for many in named for number in re.findall(r"\d+", many)}
    assert lists == set(range(1, 27)) == cited | {26}  # the last is a heading without a point of its own
    assert [row[2] for row in rows if "lost" in row[2] and not re.search(r"lists? \d", row[3])] == []
    assert "`cxkit`" in page


def test_readme_counts_the_points_by_notebook():
    """A row a theme: its points, and in how many of them each notebook stands (checklists: 09_maturity)."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    notebooks = sorted(notebook_parts())
    item = re.compile(rf"`(?:{'|'.join(set(read_checklists()['list']))})\.")
    for theme, rows in article_points().items():
        counts = [
            sum(f"`{name}" in row[3] or (name == "09_maturity" and bool(item.search(row[3]))) for row in rows)
            for name in notebooks
        ]
        cells = " | ".join(str(count or "") for count in counts)
        assert f"| {theme} | {len(rows)} | {cells} |" in readme, theme


if __name__ == "__main__":
    (ROOT / "docs" / "tables.md").write_text(rendered(), encoding="utf-8")
