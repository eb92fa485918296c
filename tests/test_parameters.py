"""Parameters of notebooks: read, checked and converted before any kernel starts."""

from datetime import date

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_notebooks import PARAMETERS, notebook

from cxkit.errors import UsageError
from cxkit.parameters import choose, from_text, read_notebooks, settle

OWN = """within_days: int = 90  # how long a customer has to order again
share: float = 0.2  # the best customers
code: str = "000"  # kept as text
deep: bool = False
channels: list = ["web", "app"]
"""


@pytest.fixture
def folder(tmp_path):
    notebook(tmp_path, "00_first")
    notebook(tmp_path, "03_loyalty", parameters=OWN, after=("00_first",))
    notebook(tmp_path, "04_value", parameters="within_days: int = 30\n", after=("00_first",))
    notebook(tmp_path, "11_summary", needs=(), after=("03_loyalty",))
    return tmp_path


@pytest.fixture
def notebooks(folder):
    return read_notebooks(folder)


def settled(notebooks, *, client=None, command_line=(), only=()):
    return settle(notebooks, chosen=choose(notebooks, only), client=client or {}, command_line=command_line)


def test_a_notebook_says_what_it_asks(notebooks):
    loyalty = notebooks["03_loyalty"]
    assert (loyalty.title, loyalty.question) == ("Title of 03_loyalty", "What does 03_loyalty ask?")
    assert (loyalty.needs, loyalty.after) == (("orders",), ("00_first",))
    assert [(p.name, p.type, p.default, p.help) for p in loyalty.parameters][2:] == [
        ("within_days", "int", 90, "how long a customer has to order again"),
        ("share", "float", 0.2, "the best customers"),
        ("code", "str", "000", "kept as text"),
        ("deep", "bool", False, ""),
        ("channels", "list", ["web", "app"], ""),
    ]


def test_what_a_notebook_imports_is_known_before_it_runs(tmp_path):
    cells = [
        "import json, os.path as path",
        "from cxkit import loyalty",
        "%matplotlib inline\nimport wave",
        "from . import x",
    ]
    notebook(tmp_path, "00_first", *cells)
    assert read_notebooks(tmp_path)["00_first"].imports == ("cxkit", "cxkit.loyalty", "json", "os.path")


def test_a_folder_without_notebooks_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no notebooks in .*--notebooks DIR"):
        read_notebooks(tmp_path)


def test_a_path_with_braces_blanks_and_cyrillic_letters_is_read(tmp_path):
    notebook(tmp_path / "мої {звіти}", "00_first", parameters=OWN)
    assert len(read_notebooks(tmp_path / "мої {звіти}")["00_first"].parameters) == 7


def test_every_fault_of_every_notebook_is_told_at_once(tmp_path):
    notebook(tmp_path, "00_untagged", tag=None)
    notebook(tmp_path, "01_loose", parameters="days = 90\n")
    notebook(tmp_path, "02_odd_type", parameters="days: int | None = 90\n")
    notebook(tmp_path, "03_wrong_default", parameters='days: int = "90"\n')
    notebook(tmp_path, "04_computed", parameters="days: int = 30 * len('abc')\n")
    notebook(tmp_path, "05_backwards", after=("06_later",))
    notebook(tmp_path, "06_later")
    (tmp_path / "07_text.ipynb").write_text("no JSON")
    broken = notebook(tmp_path, "08_bare")
    broken.write_text(broken.read_text().replace("run_dir: str", "other: str"))
    bare = nbformat.read(notebook(tmp_path, "09_no_kernel"), as_version=4)
    del bare.metadata["kernelspec"]
    nbformat.write(bare, tmp_path / "09_no_kernel.ipynb")
    with pytest.raises(UsageError) as error:
        read_notebooks(tmp_path)
    message = str(error.value)
    for part in (
        "00_untagged: no code cell tagged 'parameters'",
        "01_loose: the cell tagged 'parameters' has the line `days = 90`",
        "02_odd_type: parameter 'days' cannot be read from `days: int | None = 90`",
        "03_wrong_default: parameter 'days' is declared int, but its default is '90'",
        "04_computed: the default of parameter 'days' is no literal",
        "05_backwards: metadata cxkit.after names '06_later', which is no notebook before it",
        "07_text: ",
        "08_bare: the cell tagged 'parameters' lacks `run_dir: str = …`",
        "09_no_kernel: papermill cannot read its parameters",
    ):
        assert part in message


def test_two_cells_tagged_parameters_are_refused(tmp_path):
    path = notebook(tmp_path, "00_twice", PARAMETERS)
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(nb, path)
    with pytest.raises(UsageError, match="2 code cells tagged 'parameters'; it needs one"):
        read_notebooks(tmp_path)


def test_only_takes_what_the_notebook_reads_too(notebooks):
    assert list(choose(notebooks, ["11_summary"])) == ["00_first", "03_loyalty", "11_summary"]
    assert list(choose(notebooks, ["04_value,00_first.ipynb"])) == ["00_first", "04_value"]
    assert list(choose(notebooks)) == list(notebooks)


def test_only_with_an_unknown_name_says_what_there_is(notebooks):
    with pytest.raises(
        UsageError, match=r"--only 03_loyality: no such notebook\. Did you mean '03_loyalty'\? There are"
    ):
        choose(notebooks, ["03_loyality"])


def test_the_command_line_goes_before_client_yml_and_it_before_the_default(notebooks):
    client = {"03_loyalty": {"within_days": 60, "share": 1}}
    values = settled(notebooks, client=client, command_line=[("03_loyalty.within_days", "45")])
    assert values["03_loyalty"] == {"within_days": 45, "share": 1.0}
    assert isinstance(values["03_loyalty"]["share"], float)
    assert values["04_value"] == {}


def test_a_bare_name_sets_every_notebook_that_has_it(notebooks):
    values = settled(notebooks, command_line=[("within_days", "45"), ("code", "007"), ("deep", "yes")])
    assert values["03_loyalty"] == {"within_days": 45, "code": "007", "deep": True}
    assert values["04_value"] == {"within_days": 45}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("within_day", "5", "-p within_day: no notebook has such a parameter. Did you mean 'within_days'?"),
        ("03_loyalty.cod", "5", "Did you mean '03_loyalty.code'? There are 03_loyalty.within_days (int)"),
        ("3_loyalty.code", "5", "-p 3_loyalty.code: no notebook '3_loyalty'. Did you mean '03_loyalty'?"),
        ("run_dir", "x", "-p run_dir: no notebook has such a parameter."),
        ("03_loyalty.within_days", "2021_01", "'2021_01' is no whole number; 03_loyalty declares `within_days: int`"),
        ("share", "a fifth", "'a fifth' is no number (write it with a point: 0.25)"),
        ("deep", "perhaps", "'perhaps' is neither yes nor no"),
        ("channels", "web", "'web' is no list (write it as [1, 2] or [web, app])"),
    ],
)
def test_a_wrong_parameter_of_the_command_line(notebooks, name, value, message):
    with pytest.raises(UsageError) as error:
        settled(notebooks, command_line=[(name, value)])
    assert message in str(error.value)
    assert error.value.exit_code == 2


def test_a_parameter_of_a_notebook_that_is_not_run_is_refused(notebooks):
    with pytest.raises(UsageError, match="-p code: 03_loyalty has it, but is not in this run; name it with --only too"):
        settled(notebooks, only=["04_value"], command_line=[("code", "1")])


def test_faults_of_client_yml_are_told_together_and_for_notebooks_not_run_too(notebooks):
    client = {
        "03_loyality": {"code": "1"},
        "03_loyalty": {"within_days": "90", "code": 7, "deep": 1, "dep": True, "share": float("nan")},
    }
    with pytest.raises(UsageError) as error:
        settled(notebooks, client=client, only=["04_value"])
    message = str(error.value)
    for part in (
        "client.yml, parameters.03_loyality: no such notebook. Did you mean '03_loyalty'?",
        "client.yml, parameters.03_loyalty.within_days: '90' is no int; the notebook's own is 90.",
        "parameters.03_loyalty.code: 7 is no str; the notebook's own is '000'.",
        "parameters.03_loyalty.deep: 1 is no bool",
        "parameters.03_loyalty.dep: 03_loyalty has no such parameter. Did you mean 'deep'?",
        "parameters.03_loyalty.share: nan is no float",
    ):
        assert part in message


def test_yes_and_days_of_client_yml_are_what_the_notebook_declares(notebooks):
    client = {"03_loyalty": {"deep": "yes", "code": date(2026, 1, 31), "channels": [date(2026, 1, 31)]}}
    values = settled(notebooks, client=client)
    assert values["03_loyalty"] == {"deep": True, "code": "2026-01-31", "channels": ["2026-01-31"]}


@given(st.integers())
def test_whole_numbers_come_back(number):
    assert from_text(str(number), "int") == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(number):
    assert from_text(repr(number), "float") == number


@given(st.text())
def test_text_stays_as_it_is(text):
    assert from_text(text, "str") == text


@given(st.sampled_from(["int", "float", "bool", "list"]), st.text())
def test_whatever_is_typed_gives_the_declared_type_or_a_message(kind, text):
    message = ""
    try:
        value = from_text(text, kind)
    except ValueError as error:
        message = str(error)
    assert repr(text) in message if message else type(value).__name__ == kind


VALID = """days: int = 90  # a window (valid: 1 or more)
share: float = 0.2  # the best (valid: between 0 and 1)
gone: float = 0.5  # likely gone (valid: 0 to 1)
by: str = "channel"  # grouped by (valid: channel, category)
"""


@pytest.mark.parametrize(
    ("key", "good", "bad", "valid"),
    [
        ("days", "1", "0", "1 or more"),
        ("days", "4000", "-5", "1 or more"),
        ("share", "0.99", "1", "between 0 and 1"),
        ("share", "0.01", "0", "between 0 and 1"),
        ("gone", "1", "1.5", "0 to 1"),
        ("gone", "0", "-0.1", "0 to 1"),
        ("by", "category", "shoe", "channel, category"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_before_anything_starts(tmp_path, key, good, bad, valid):
    notebook(tmp_path, "03_loyalty", parameters=VALID)
    notebooks = read_notebooks(tmp_path)
    assert settled(notebooks, command_line=[(key, good)])["03_loyalty"][key] is not None
    with pytest.raises(UsageError, match=rf"^-p {key} {bad}: not valid in 03_loyalty; valid is {valid}\.$"):
        settled(notebooks, command_line=[(key, bad)])
    kind = {"days": int, "by": str}.get(key, float)
    told = rf"^client.yml, parameters.03_loyalty.{key}: {kind(bad)!r} is not valid; valid is {valid}\.$"
    with pytest.raises(UsageError, match=told):
        settled(notebooks, client={"03_loyalty": {key: kind(bad)}})


def test_a_default_that_is_not_valid_is_a_fault_of_the_notebook(tmp_path):
    notebook(tmp_path, "00_a", parameters="days: int = 0  # a window (valid: 1 or more)\n")
    notebook(tmp_path, "01_b", parameters="days: int = 1  # a window (valid: a lot)\n")
    with pytest.raises(UsageError) as found:
        read_notebooks(tmp_path)
    assert "00_a: the default of parameter 'days' is 0, but valid is 1 or more." in str(found.value)
    assert "01_b: the default of parameter 'days' is 1, but valid is not to be read from 'a lot'" in str(found.value)
