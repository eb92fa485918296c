"""An executed notebook as a page's content: what is read, what is refused, what is tamed."""

import re

import nbformat
import pytest
from html_elements import Elements
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cxkit.errors import RunError
from cxkit.pages import markdown, read_executed, read_page, scrub_notebook, spoken
from cxkit.parts import MIME


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("[a](javascript:alert(1))", "<p>a</p>"),
        ("[a](data:text/html,x)", "<p>a</p>"),
        ("[a](//example.org)", "<p>a</p>"),
        ("[a](/etc/passwd)", "<p>a</p>"),
        ("[a](03_loyalty.html)", '<p><a href="03_loyalty.html">a</a></p>'),
        ('[a](https://example.org/?q="x")', '<p><a href="https://example.org/?q=%22x%22">a</a></p>'),
        ("![alt text](https://example.org/x.png)", "<p>alt text</p>"),
        ("<b onclick=x>hi</b>", "<p>&lt;b onclick=x&gt;hi&lt;/b&gt;</p>"),
        ("a \u202eb", "<p>a b</p>"),
    ],
)
def test_markdown_from_outside_is_tame(source, html):
    assert str(markdown(source)).strip() == html


def test_headings_never_skip_a_level():
    assert re.findall(r"<h(\d)", str(markdown("# A\n\n#### B\n\n##### C\n\n## D", top=3))) == ["3", "4", "5", "3"]


@given(st.text(max_size=200))
def test_any_markdown_gives_known_elements_only(source):
    known = {"p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "hr", "br", "blockquote", "del", "div", "table"}
    known |= {"thead", "tbody", "tr", "th", "td", "h2", "h3", "h4", "h5", "h6"}
    page = Elements(str(markdown(source)))
    assert page.tags <= known
    assert page.attributes <= {"href", "id", "class", "role", "aria-label", "tabindex", "start"}


def executed(*cells) -> nbformat.NotebookNode:
    return new_notebook(cells=list(cells), metadata={"title": "Loyalty"})


def test_a_failed_cell_is_never_a_page(tmp_path):
    error = new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=["…"])
    path = tmp_path / "03_loyalty.ipynb"
    nbformat.write(executed(new_markdown_cell("x"), new_code_cell("1 / 0", execution_count=1, outputs=[error])), path)
    with pytest.raises(RunError) as caught:
        read_executed(path)
    assert str(caught.value) == (
        "03_loyalty.ipynb failed in cell 2 (1 / 0): ZeroDivisionError: division by zero. Mend it and run the notebook "
        "again; a page is made of whole notebooks only."
    )


def test_a_notebook_that_was_not_run_is_no_page(tmp_path):
    path = tmp_path / "03_loyalty.ipynb"
    nbformat.write(executed(new_code_cell("x = 1", execution_count=1), new_code_cell("x + 1")), path)
    with pytest.raises(RunError, match=r"has not been run: cell 2 \(x \+ 1\) has no execution count. Run the whole"):
        read_executed(path)


def test_what_is_no_notebook_is_told(tmp_path):
    (tmp_path / "x.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match="is no notebook that can be read"):
        read_executed(tmp_path / "x.ipynb")
    with pytest.raises(RunError, match="is not there; give the path of an executed notebook"):
        read_executed(tmp_path / "y.ipynb")


def test_html_that_is_not_ours_is_shown_as_its_text():
    output = new_output(
        "execute_result", data={"text/html": "<b>bold</b>", "text/plain": "<b>frame</b>"}, execution_count=1
    )
    printed = new_output("stream", name="stderr", text="/home/me/warning")
    page = read_page(executed(new_code_cell("f", execution_count=1, outputs=[output, printed])), "x")
    assert page.content == [{"kind": "text", "text": "<b>frame</b>"}]


def test_a_scrubbed_notebook_tells_nothing_of_the_machine():
    cell = new_code_cell(
        'run_dir = "/home/me/reports/.tmp-1"',
        execution_count=3,
        metadata={
            "tags": ["injected-parameters"],
            "papermill": {"start_time": "2026-01-01"},
            "execution": {"iopub.execute_input": "2026-01-01"},
        },
        outputs=[new_output("stream", text="in /home/me/reports/.tmp-1/tables")],
    )
    notebook = executed(cell)
    notebook.metadata["papermill"] = {"output_path": "/home/me/x"}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.2"}
    before = nbformat.writes(notebook)
    clean = scrub_notebook(notebook, replace={"/home/me": "~", "/home/me/reports/.tmp-1": "."})
    assert nbformat.writes(notebook) == before, "the one given is left alone"
    text = nbformat.writes(clean)
    assert not re.search('/home|papermill"|start_time|3.11.2', text)
    assert clean.cells[0].source == 'run_dir = "."'
    assert (clean.cells[0].id, clean.cells[0].metadata) == ("cell-001", {"tags": ["injected-parameters"]})
    assert clean.cells[0].execution_count == 3
    nbformat.validate(clean)
    assert nbformat.writes(scrub_notebook(clean)) == text


def block_of(data: dict) -> dict:
    """The one block that an output with these types becomes."""
    cell = new_code_cell("f", execution_count=1, outputs=[new_output("display_data", data=data)])
    (block,) = read_page(executed(cell), "x").content
    return block


def test_a_picture_lies_in_the_page_with_its_words():
    assert block_of({"image/png": 'iVBO\n"onerror=x', "text/plain": "<Figure>"}) == {
        "kind": "figure",
        "src": "data:image/png;base64,iVBOonerror=x",
        "alt": "Picture without a description",
        "wide": False,
        "file": "",
    }
    record = {"kind": "figure", "alt": "Orders rise.", "file": "figures/03_loyalty.orders.svg", "wide": True}
    assert block_of({"image/svg+xml": "<svg/>", MIME: record}) == {
        "kind": "figure",
        "src": "data:image/svg+xml;base64,PHN2Zy8+",
        "alt": "Orders rise.",
        "wide": True,
        "file": "figures/03_loyalty.orders.svg",
    }
    for file in ("javascript:alert(1)", "figures/../run.json", 3):
        assert block_of({"image/svg+xml": "<svg/>", MIME: record | {"file": file}})["file"] == ""


def test_a_page_is_read_in_order_without_code_and_students_cells():
    cells = [
        new_markdown_cell("# Loyalty in words\n\n## Who comes back?\n\nMany."),
        new_markdown_cell("Formula", metadata={"tags": ["student"]}),
        new_code_cell("print(7)", execution_count=1, outputs=[new_output("stream", name="stdout", text="7\n")]),
        new_markdown_cell("## Who comes back?\n\nAgain."),
        new_markdown_cell("## Method\n\nCounted.", metadata={"tags": ["method"]}),
    ]
    notebook = new_notebook(cells=cells, metadata={"cxkit": {"question": "Who?", "needs": ["orders"]}})
    page = read_page(notebook, "03_loyalty")
    assert (page.name, page.title, page.question, page.tables) == ("03_loyalty", "Loyalty in words", "Who?", ["orders"])
    assert [block["kind"] for block in page.content] == ["prose", "text", "prose"]
    assert page.headings == [("who-comes-back", "Who comes back?"), ("who-comes-back-2", "Who comes back?")]
    assert [str(html).strip() for html in page.method] == ["<p>Counted.</p>"]
    assert "Formula" not in str(page)
    assert "print" not in str(page)
    assert read_page(new_notebook(), "03_loyalty").question == "03_loyalty", "without any title the file's name stands"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("payment_page", "payment page"),
        ("web + parcel_locker", "web + parcel locker"),
        ("cart → delivery_page → order_placed", "cart → delivery page → order placed"),
        ("delivery_page, order_placed", "delivery page, order placed"),
        ("order_id", "order_id"),  # a column of the kit's own tables, by its name
        ("the setting keeping_cost in client.yml", "the setting keeping_cost in client.yml"),
        ("feedback.gap.delivery_page", "feedback.gap.delivery_page"),
        ("PRAM_12", "PRAM_12"),  # a product's number
        ("nps", "NPS"),
        ("survey, csat 3", "survey, CSAT 3"),  # whence a quote is
        ("Ces colis", "Ces colis"),
        ("−0.59", "−0.59"),
    ],
)
def test_names_of_the_data_are_shown_as_people_say_them(cell, shown):
    assert spoken(cell) == shown
    record = {"kind": "table", "caption": "T", "columns": [], "rows": [[cell]]}
    output = new_output("display_data", data={MIME: record, "text/plain": ""})
    page = read_page(executed(new_code_cell("x", execution_count=1, outputs=[output])), "02_journey")
    assert page.content[0]["rows"] == [[shown]]
    assert record["rows"] == [[cell]]


def test_a_picture_without_data_is_left_out():
    empty = "<svg><text x='1'>nothing to show yet</text></svg>"
    half = "<svg><text>Late orders</text><text>nothing to show yet</text></svg>"
    shown = [new_output("display_data", data={"image/svg+xml": svg}) for svg in (empty, half)]
    page = read_page(executed(new_code_cell("x", execution_count=1, outputs=shown)), "07_service")
    assert [block["kind"] for block in page.content] == ["figure"]
