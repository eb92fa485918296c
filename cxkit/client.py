"""client.yml -> Client: one client's settings, checked; unknown keys refused."""

import difflib
import os
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator

from cxkit.errors import UsageError
from cxkit.mapping import KINDS, Export, Persons, Share, Strict, Text, known_zone
from cxkit.privacy import scrub
from cxkit.settings_file import at_line, key_lines, read_yaml

LANGUAGES = ("en",)
UNKNOWN = "???"  # what a line says that is still to be filled in
SCALES = ("nps", "csat", "ces", "csi_item", "expectation", "rating", "satisfaction")


class Engine(Strict):
    """Which engine reads the exports, and what it may use."""

    name: Literal["duckdb"] = "duckdb"
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?(MB|GB|MiB|GiB)$")] = "4GB"
    threads: Annotated[int, Field(ge=1, le=256)] = 2


class Limits(Strict):
    """How long a cell and a notebook may take, in seconds."""

    cell_seconds: Annotated[int, Field(gt=0)] = 600
    notebook_seconds: Annotated[int, Field(gt=0)] = 1800


class Strategy(Strict):
    """What the client says of itself when a strategy is chosen: how far the goods are its own, what it can spend."""

    product_control: Literal["none", "partly", "full"] | None = None
    horizon_years: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] | None = None
    budget: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    gesture_budget: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    not_customers: Text | None = None

    @field_validator("horizon_years", "budget", "gesture_budget", mode="before")
    @classmethod
    def _no_answer(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"a number is wanted here, found {value}")
        return value

    @field_validator("not_customers")
    @classmethod
    def _without_people(cls, value: str | None) -> str | None:
        return scrub(value)  # it stands in the report, and in run.json


class Settings(Strict):
    """The keys of client.yml."""

    client: Text
    language: str = "en"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    time_zone: str
    as_of: Literal["latest"] | date = "latest"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    logo: Text | None = None
    colour: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None
    engine: Engine = Engine()
    scales: dict[str, tuple[float, float]] = Field({})
    targets: dict[str, float] = Field({})
    withhold: dict[str, Text] = Field({})
    margin: Share | None = None
    discount_a_year: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.1
    keeping_cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    parameters: dict[str, dict[str, Any]] = Field({})
    stages: Text | None = None
    segments: Text | None = None
    themes: Text | None = None
    ces: Literal["agree", "ease", "effort"] = "agree"
    company_size: Literal["small", "medium", "large"] | None = None
    quotes: Literal["none", "reviewed"] = "none"
    strategy: Strategy = Strategy()
    limits: Limits = Limits()
    tables: Annotated[dict[str, Export], Field(min_length=1)]
    persons: Persons | None = None

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in LANGUAGES:
            raise ValueError(f"reports in {value!r} do not exist yet; valid is {', '.join(LANGUAGES)}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("strategy", mode="before")
    @classmethod
    def _left_open(cls, value: Any) -> Any:
        if not isinstance(value, dict | Strategy | None):
            raise ValueError(f"keys are wanted under it ({', '.join(Strategy.model_fields)}), not one word")
        return {} if value is None else value  # the key stands there, and nothing is filled in yet

    @field_validator("as_of", mode="before")
    @classmethod
    def _real_date(cls, value: Any) -> Any:
        return value if value == "latest" else parse_day(value)

    @field_validator("scales")
    @classmethod
    def _rising_scales(cls, value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in value.items():
            if name not in SCALES:
                raise ValueError(f"{name!r} has no scale{did_you_mean(name, SCALES)}; valid are {', '.join(SCALES)}")
            if low >= high:
                raise ValueError(f"the scale of {name} must rise, as in [0, 10]; found [{low:g}, {high:g}]")
        return value


class Client(Settings):
    """One client: the settings of client.yml and the folder it lies in."""

    folder: Path

    @property
    def name(self) -> str:
        """The name that reports show."""
        return self.client

    @property
    def slug(self) -> str:
        """The name of the client's folder, which names its reports too."""
        return self.folder.name

    @property
    def private(self) -> Path:
        """Where the key, the refused rows and the cache lie; never part of a report."""
        return self.folder / "private"

    @property
    def stages_file(self) -> Path | None:
        """The client's own stages of the journey; None where the kit's are to be taken."""
        return resolve(self.stages, folder=self.folder, key="stages") if self.stages else None

    @property
    def segments_file(self) -> Path | None:
        """The client's own names of RFM segments; None where the kit's are to be taken."""
        return resolve(self.segments, folder=self.folder, key="segments") if self.segments else None

    @property
    def themes_file(self) -> Path | None:
        """The client's own themes of what customers write; None where the kit's are to be taken."""
        return resolve(self.themes, folder=self.folder, key="themes") if self.themes else None

    def files(self, table: str) -> dict[str, Path]:
        """The export's files: path as client.yml has it -> where it lies."""
        return {text: resolve(text, folder=self.folder, key=f"tables.{table}.path") for text in self.tables[table].path}

    def joined(self, table: str) -> dict[str, Path]:
        """The files whose columns are joined to the table's: path as client.yml has it -> where it lies."""
        return {
            j.path: resolve(j.path, folder=self.folder, key=f"tables.{table}.join.{i}.path")
            for i, j in enumerate(self.tables[table].join)
        }

    @property
    def persons_file(self) -> Path | None:
        """The file that says which customer ids are one person; None where each id is a person."""
        return resolve(self.persons.path, folder=self.folder, key="persons.path") if self.persons else None

    def settings(self) -> dict:
        """The settings as JSON takes them (they hold no secrets)."""
        return self.model_dump(mode="json", exclude={"folder"})


def parse_day(value: Any) -> date:
    """A date written 2026-06-30. Raises ValueError, naming what is valid."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)) else _no_date(value)
    except ValueError:
        return _no_date(value)


def _no_date(value: Any) -> date:
    raise ValueError(f"{str(value)!r} is no date; write one that exists, as 2026-06-30, or latest")


def find_client(text: str, *, base: Path = Path("data")) -> Path:
    """The client.yml that the command line's CLIENT means: a folder under `base`, any folder, or the file itself.

    Raises UsageError where there is none, naming the clients that there are.
    """
    for path in (base / text, Path(text)):
        if (path / "client.yml").is_file():
            return path / "client.yml"
        if path.is_file() and path.suffix in (".yml", ".yaml"):
            return path
    known = sorted(p.parent.name for p in base.glob("*/client.yml"))
    asked = Path(text) if Path(text).suffix in (".yml", ".yaml") else Path(text) / "client.yml"
    raise UsageError(
        f"no client {text!r}: neither {base / text / 'client.yml'} nor {asked} is there"
        f"{did_you_mean(text, known)}. Clients under {base}: {', '.join(known) or 'none'}."
    )


def load_client(path: Path, *, as_of: str | None = None) -> Client:
    """The client that a client.yml (or the folder it lies in) describes; `as_of` takes the place of the file's own.

    Raises UsageError, which tells all that is wrong with the file at once: each key, what is valid, the mend.
    """
    path = Path(path)
    path = path / "client.yml" if path.is_dir() else path
    data = read_yaml(path, begins="`client:`, the name that the report shows")
    _check_filled_in(data, path)
    if as_of is not None:
        data["as_of"] = as_of
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        lines = key_lines(path)
        faults = [at_line(fault, lines) for fault in sorted({_fault(e) for e in error.errors()})]
        raise UsageError(f"{path}: " + _told_together(faults)) from None
    client = Client(**{name: getattr(settings, name) for name in Settings.model_fields}, folder=path.absolute().parent)
    faults = []
    paths = [(f"tables.{t}.path", text) for t, export in client.tables.items() for text in export.path]
    paths += [(f"tables.{t}.join.{i}.path", j.path) for t, e in client.tables.items() for i, j in enumerate(e.join)]
    for key, text in paths + ([("persons.path", client.persons.path)] if client.persons else []):
        try:
            resolve(text, folder=client.folder, key=key)
        except UsageError as error:
            faults.append(str(error))
    yml = (".yml", ".yaml")
    for key, suffixes in {"logo": (".svg", ".png"), "stages": yml, "segments": yml, "themes": yml}.items():
        try:
            text = getattr(client, key)
            if text and resolve(text, folder=client.folder, key=key).suffix.lower() not in suffixes:
                faults.append(f"{key}: {text!r} is neither {' nor '.join(suffixes)}.")
        except UsageError as error:
            faults.append(str(error))
    if faults:
        raise UsageError(f"{path}: " + _told_together(faults))
    return client


def _check_filled_in(data: dict, path: Path) -> None:
    """Raises UsageError where a line that `cxkit new` could not tell is still to be filled in."""
    lines, still = key_lines(path), []
    todo: list[tuple[str, Any]] = [("", data)]
    while todo:
        place, value = todo.pop(0)
        if isinstance(value, dict):
            todo += [(f"{place}.{key}".lstrip("."), part) for key, part in value.items()]
            still += [f"{place}.{key}".lstrip(".") for key in value if key == UNKNOWN]
        elif isinstance(value, list):
            todo += [(f"{place}.{i}", part) for i, part in enumerate(value)]
        elif value == UNKNOWN:
            still.append(place)
    if still:
        still.sort(key=lambda key: lines.get(key, 0))
        told = [f"line {lines[key]}: {key}" if key in lines else key for key in still]
        raise UsageError(
            f"{path}: {len(still)} of its lines {'is' if len(still) == 1 else 'are'} still to be filled in (they say"
            f" {UNKNOWN}; the comment there tells what was found):\n  " + "\n  ".join(told)
        )


def resolve(text: str, *, folder: Path, key: str) -> Path:
    """The file that a path in client.yml means: inside the client's folder, or under ${CXKIT_DATA}.

    Links are followed first, so that none leads out; the private folder is no place for exports.
    Raises UsageError naming the key, the path and the mend.
    """
    root = os.environ.get("CXKIT_DATA", "")
    wanted = text
    if "${" in text:
        if not re.fullmatch(r"\$\{CXKIT_DATA\}[/\\][^$]+", text):
            raise UsageError(f"{key}: {text!r} may begin with ${{CXKIT_DATA}}/ and hold no other ${{NAME}}.")
        if not root:
            raise UsageError(
                f"{key}: {text!r} needs the environment variable CXKIT_DATA: set it to the folder of the shared data."
            )
        wanted = root + text.removeprefix("${CXKIT_DATA}")
    home = folder.resolve()
    roots = [home, *([Path(root).resolve()] if root else [])]
    try:
        found = (folder / wanted).resolve()
    except (OSError, RuntimeError, ValueError):
        raise UsageError(f"{key}: {text!r} is no path; write one inside {folder}.") from None
    if not any(found.is_relative_to(r) for r in roots):
        raise UsageError(
            f"{key}: {text!r} leaves the client's folder {folder}. Put the file inside it"
            ", or under the folder that CXKIT_DATA names and write ${CXKIT_DATA}/…"
        )
    if found.is_relative_to(home / "private"):
        raise UsageError(f"{key}: {text!r} lies in the private folder, which holds no exports. Move it to exports/.")
    if not found.is_file():
        near = [p.name for p in found.parent.glob("*")] if found.parent.is_dir() else []
        raise UsageError(f"{key}: there is no file {text!r} ({found}){did_you_mean(found.name, near)}.")
    return found


def _fault(error: dict) -> str:
    """One pydantic error as a sentence of ours: key, what was found, what is valid."""
    noise = ("=", "function-", "literal[", "date", "dict[", "tuple[")  # which kind of value pydantic tried
    place = [p for p in error["loc"] if not (isinstance(p, str) and p.startswith(noise) and p != "date_format")]
    key = ".".join(str(p) for p in place) or "client.yml"
    found = error.get("input")
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(error["loc"][:-1])
        return f"{key}: unknown key{did_you_mean(str(place[-1]), valid)}; valid here are {', '.join(valid)}."
    if error["type"] == "missing":
        return f"{key}: missing; client.yml needs it."
    message = error["msg"].removeprefix("Value error, ")
    shown = "" if error["type"] == "value_error" else f" (found {str(found)[:80]!r})"
    return f"{key}: {message[:1].lower()}{message[1:]}{shown}."


def _valid_keys(place: tuple) -> list[str]:
    """The keys that are valid at a place of client.yml."""
    model: Any = Settings
    for step in place:
        if isinstance(model, type) and issubclass(model, BaseModel) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation)
        elif isinstance(step, str) and step.startswith("="):
            model = KINDS.get(step[1:], model)
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    """The model inside an annotation such as `dict[str, Export]` or `Returns | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def did_you_mean(text: str, valid: Iterable[str]) -> str:
    """What a misspelt word may mean, to be put behind it; empty where nothing is near."""
    near = difflib.get_close_matches(text, list(valid), n=1, cutoff=0.6)
    return f", did you mean {near[0]!r}?" if near else ""


def _told_together(faults: list[str]) -> str:
    return faults[0] if len(faults) == 1 else "\n  " + "\n  ".join(faults)
