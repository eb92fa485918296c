"""The documentation says what the code does. `python tests/test_docs.py` writes docs/tables.md anew."""

import re
from pathlib import Path

from click.testing import CliRunner

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


if __name__ == "__main__":
    (ROOT / "docs" / "tables.md").write_text(rendered(), encoding="utf-8")
