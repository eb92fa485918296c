"""What a notebook asks for, read before any kernel starts: its question, its tables, its parameters and their types.

A parameter is one line of the cell tagged `parameters`: `name: type = literal  # help`, with a plain type. The help may
end with what is valid: `(valid: 1 or more)`, `(valid: 0 to 1)`, `(valid: between 0 and 1)` without its ends, or
`(valid: web, app)`.
"""

import ast
import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

import cxkit
from cxkit.errors import UsageError

TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list}
RESERVED = ("client_yml", "run_dir")  # set by the runner, never by people
WORDS = {"yes": True, "true": True, "no": False, "false": False}
NUMBER = r"(-?\d+(?:\.\d+)?)"
RULE = "write it as one line `name: type = literal  # help` with a type of " + ", ".join(TYPES)


@dataclass(frozen=True)
class Parameter:
    """One parameter of one notebook: its declared type, its default and its help."""

    name: str
    type: str
    default: object
    help: str


@dataclass(frozen=True)
class Notebook:
    """A notebook as the runner sees it: what it asks, which tables it needs, which notebooks it reads and so on."""

    name: str
    path: Path
    title: str
    question: str
    needs: tuple[str, ...]
    after: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    imports: tuple[str, ...] = ()


def default_folder() -> Path:
    """Where the notebooks lie: beside the package in the checkout, else `notebooks/` of the current folder."""
    beside = Path(cxkit.__file__).resolve().parent.parent / "notebooks"
    return beside if beside.is_dir() else Path.cwd() / "notebooks"


def read_notebooks(folder: Path | None = None) -> dict[str, Notebook]:
    """All notebooks of a folder by name, in name order.

    Raises UsageError with every fault of every notebook: no `parameters` cell, a parameter that cannot be read, a
    default of another type, `after` naming a notebook that is not before it.
    """
    folder = (folder or default_folder()).resolve()
    paths = sorted(p for p in folder.glob("*.ipynb") if not p.name.startswith("."))
    if not paths:
        raise UsageError(
            f"no notebooks in {folder}. Run cxkit in the kit's own folder, or name theirs with --notebooks DIR."
        )
    faults: list[str] = []
    found = {path.stem: _read_notebook(path, faults) for path in paths}
    for notebook in found.values():
        for name in notebook.after:
            if name not in found or name >= notebook.name:
                earlier = [n for n in found if n < notebook.name]
                faults.append(
                    f"{notebook.name}: metadata cxkit.after names {name!r}, which is no notebook before it; "
                    f"before it are {_listed(earlier)}."
                )
    if faults:
        raise UsageError("the notebooks are not fit to run:\n" + "\n".join(f"  {fault}" for fault in faults))
    return found


def _read_notebook(path: Path, faults: list[str]) -> Notebook:
    import nbformat

    name = path.stem
    try:
        nb = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises half a dozen kinds
        faults.append(f"{name}: {path} is no notebook ({type(error).__name__}).")
        return Notebook(name, path, name, "", (), (), ())
    about = nb.metadata.get("cxkit", {})
    cells = [c for c in nb.cells if c.cell_type == "code" and "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        faults.append(
            f"{name}: {len(cells) or 'no'} code cell{'s' if cells else ''} tagged 'parameters'; it needs one, "
            f"with client_yml and run_dir. Set the tag in JupyterLab under Property Inspector > Common Tools."
        )
        parameters: tuple[Parameter, ...] = ()
    else:
        parameters = _read_parameters(path, cells[0].source, faults)
    return Notebook(
        name=name,
        path=path,
        title=nb.metadata.get("title", name),
        question=about.get("question", ""),
        needs=tuple(about.get("needs", ())),
        after=tuple(about.get("after", ())),
        parameters=parameters,
        imports=tuple(sorted({name for c in nb.cells if c.cell_type == "code" for name in _imports(c.source)})),
    )


def _imports(source: str) -> Iterator[str]:
    """The modules that a cell imports by whole lines of Python; cells with magics have none to tell."""
    try:
        lines = ast.parse(source).body
    except SyntaxError:
        return
    for line in lines:
        if isinstance(line, ast.Import):
            yield from (alias.name for alias in line.names)
        elif isinstance(line, ast.ImportFrom) and line.module and not line.level:
            yield line.module
            if line.module == "cxkit":
                yield from (f"cxkit.{alias.name}" for alias in line.names)


def _read_parameters(path: Path, source: str, faults: list[str]) -> tuple[Parameter, ...]:
    from papermill import inspect_notebook

    name = path.stem
    try:
        inspected = inspect_notebook(papermill_path(path))
    except Exception as error:  # papermill has a kind for each way of knowing no kernel
        faults.append(f"{name}: papermill cannot read its parameters ({error}). Save it once with the Python 3 kernel.")
        return ()
    try:
        lines = ast.parse(source).body
    except SyntaxError as error:
        faults.append(f"{name}: the cell tagged 'parameters' is no Python (line {error.lineno}: {error.msg}).")
        return ()
    parameters = []
    for line in lines:
        text = ast.get_source_segment(source, line) or ""
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name) or line.value is None:
            faults.append(f"{name}: the cell tagged 'parameters' has the line `{text}`; {RULE}.")
            continue
        key, kind = line.target.id, ast.unparse(line.annotation)
        if kind not in TYPES or inspected.get(key, {}).get("inferred_type_name") != kind:
            faults.append(f"{name}: parameter {key!r} cannot be read from `{text}`; {RULE}.")
            continue
        try:
            default = ast.literal_eval(line.value)
        except ValueError:
            faults.append(f"{name}: the default of parameter {key!r} is no literal: `{text}`; {RULE}.")
            continue
        if not _fits(default, kind):
            faults.append(f"{name}: parameter {key!r} is declared {kind}, but its default is {default!r}.")
            continue
        parameters.append(Parameter(key, kind, default, inspected[key]["help"]))
        if valid := outside(default, inspected[key]["help"]):
            faults.append(f"{name}: the default of parameter {key!r} is {default!r}, but valid is {valid}.")
    for key in RESERVED:
        if key not in {p.name for p in parameters if p.type == "str"}:
            faults.append(f"{name}: the cell tagged 'parameters' lacks `{key}: str = …`, which the runner sets.")
    return tuple(parameters)


def outside(value: object, help: str) -> str:
    """What is valid by the end of a parameter's help, where the value is not; else an empty text."""
    told = re.search(r"\(valid: ([^()]+)\)$", help.strip())
    if not told:
        return ""
    valid = told[1]
    if isinstance(value, str):
        inside = value in valid.split(", ")
    elif ends := re.fullmatch(rf"{NUMBER} or more", valid):
        inside = value >= float(ends[1])
    elif ends := re.fullmatch(rf"{NUMBER} to {NUMBER}", valid):
        inside = float(ends[1]) <= value <= float(ends[2])
    elif ends := re.fullmatch(rf"between {NUMBER} and {NUMBER}", valid):
        inside = float(ends[1]) < value < float(ends[2])
    else:
        return f"not to be read from {valid!r} (see parameters.py)"
    return "" if inside else valid


def papermill_path(path: Path) -> str:
    """Papermill fills `{…}` in paths as a template; doubled braces come out as they were."""
    return str(path).replace("{", "{{").replace("}", "}}")


def choose(notebooks: Mapping[str, Notebook], only: Iterable[str] = ()) -> dict[str, Notebook]:
    """The notebooks that are named, and those that they read (`after`, all the way down); all of them without names.

    Raises UsageError on an unknown name.
    """
    names = [part.strip().removesuffix(".ipynb") for text in only for part in text.split(",") if part.strip()]
    for name in names:
        if name not in notebooks:
            raise UsageError(
                f"--only {name}: no such notebook.{_meant(name, notebooks)} There are {_listed(notebooks)}."
            )
    wanted = set(names or notebooks)
    for name in sorted(notebooks, reverse=True):  # `after` points to earlier names only
        if name in wanted:
            wanted.update(notebooks[name].after)
    return {name: notebook for name, notebook in notebooks.items() if name in wanted}


def settle(
    notebooks: Mapping[str, Notebook],
    *,
    chosen: Iterable[str],
    client: Mapping[str, Mapping[str, object]],
    command_line: Iterable[tuple[str, str]] = (),
) -> dict[str, dict[str, object]]:
    """The parameters that each notebook of the run is given: notebook's default < client.yml < -p.

    From `client` (`parameters:` of client.yml, notebook -> parameter -> value) and `command_line` (pairs of name and
    text; the name alone, or notebook.name). To notebook -> parameter -> value, without what is left at its default.
    Raises UsageError with every unknown name, wrong type and value that is not valid; all notebooks are checked, run or
    not.
    """
    faults: list[str] = []
    values: dict[str, dict[str, object]] = {name: {} for name in chosen}
    for name, settings in client.items():
        if name not in notebooks:
            faults.append(
                f"client.yml, parameters.{name}: no such notebook.{_meant(name, notebooks)} "
                f"There are {_listed(notebooks)}."
            )
            continue
        known = _open_to_people(notebooks[name])
        for key, value in settings.items():
            if key not in known:
                faults.append(
                    f"client.yml, parameters.{name}.{key}: {name} has no such parameter."
                    f"{_meant(key, known)} It has {_described(known)}."
                )
                continue
            checked = _from_yaml(value, known[key].type)
            if checked is None:
                faults.append(
                    f"client.yml, parameters.{name}.{key}: {value!r} is no {known[key].type}; "
                    f"the notebook's own is {known[key].default!r}."
                )
            elif valid := outside(checked, known[key].help):
                faults.append(f"client.yml, parameters.{name}.{key}: {checked!r} is not valid; valid is {valid}.")
            elif name in values:
                values[name][key] = checked
    for text, value in command_line:
        _from_command_line(text, value, notebooks, values, faults)
    if faults:
        raise UsageError("\n".join(faults))
    return values


def _from_command_line(
    text: str, value: str, notebooks: Mapping[str, Notebook], values: dict[str, dict[str, object]], faults: list[str]
) -> None:
    notebook, _, key = text.rpartition(".")
    if notebook and notebook not in notebooks:
        faults.append(
            f"-p {text}: no notebook {notebook!r}.{_meant(notebook, notebooks)} There are {_listed(notebooks)}."
        )
        return
    holders = [n for n in ([notebook] if notebook else notebooks) if key in _open_to_people(notebooks[n])]
    if not holders:
        places = {f"{n}.{p}": parameter for n in notebooks for p, parameter in _open_to_people(notebooks[n]).items()}
        names = {**places, **{place.rpartition(".")[2]: parameter for place, parameter in places.items()}}
        faults.append(
            f"-p {text}: no {'such parameter' if notebook else 'notebook has such a parameter'}."
            f"{_meant(text, names)} There are {_described(places)}."
        )
        return
    running = [n for n in holders if n in values]
    if not running:
        faults.append(f"-p {text}: {_listed(holders)} has it, but is not in this run; name it with --only too.")
    for name in running:
        kind, help = (getattr(_open_to_people(notebooks[name])[key], field) for field in ("type", "help"))
        try:
            values[name][key] = from_text(value, kind)
        except ValueError as error:
            faults.append(f"-p {text} {value}: {error}; {name} declares `{key}: {kind}`.")
            continue
        if valid := outside(values[name][key], help):
            faults.append(f"-p {text} {value}: not valid in {name}; valid is {valid}.")


def from_text(text: str, kind: str) -> object:
    """A value written on the command line, by its declared type: '007' stays text for a str.

    Whole numbers have digits only ('2021_01' is none), a bool is yes, no, true or false, a list is YAML.
    Raises ValueError saying what would do.
    """
    if kind == "str":
        return text
    if kind == "int":
        if not re.fullmatch(r"[+-]?[0-9]+", text.strip()):
            raise ValueError(f"{text!r} is no whole number")
        return int(text)
    if kind == "float":
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text.strip()):
            raise ValueError(f"{text!r} is no number (write it with a point: 0.25)")
        if not math.isfinite(float(text)):
            raise ValueError(f"{text!r} is too large for a number")
        return float(text)
    if kind == "bool":
        if text.strip().lower() not in WORDS:
            raise ValueError(f"{text!r} is neither yes nor no (true and false serve too)")
        return WORDS[text.strip().lower()]
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        value = None
    checked = _from_yaml(value, "list")
    if checked is None:
        raise ValueError(f"{text!r} is no list (write it as [1, 2] or [web, app])")
    return checked


def _from_yaml(value: object, kind: str) -> object:
    """The value as the declared type, or None where it is something else.

    A day written without quotes is its text; yes and no, which client.yml reads as text, serve for a bool.
    """
    if isinstance(value, date) and kind == "str":
        return value.isoformat()
    if kind == "bool" and isinstance(value, str):
        return WORDS.get(value.lower())
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind == "list" and isinstance(value, list):
        value = [v.isoformat() if isinstance(v, date) else v for v in value]
    return value if _fits(value, kind) else None


def _fits(value: object, kind: str) -> bool:
    if kind == "list":
        return isinstance(value, list) and all(v is None or any(_fits(v, k) for k in TYPES) for v in value)
    if kind == "float":
        return isinstance(value, float) and math.isfinite(value)
    return type(value) is TYPES[kind]


def _open_to_people(notebook: Notebook) -> dict[str, Parameter]:
    return {p.name: p for p in notebook.parameters if p.name not in RESERVED}


def _described(parameters: Mapping[str, Parameter]) -> str:
    return _listed(f"{place} ({parameter.type})" for place, parameter in parameters.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _meant(name: str, valid: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(valid), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
