"""How one table's export is to be read: the keys under `tables.<name>` (and `persons`) in client.yml."""

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator

DATE_WORDS = ("iso", "excel", "epoch_s", "epoch_ms", "epoch_us")  # what date_format takes besides strptime patterns


def _as_text(value: Any) -> Any:
    """Codes written without quotes (22423) are codes all the same; anything else is pydantic's to refuse."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, int)) and not isinstance(value, bool) else value


def _texts_by_text(value: Any) -> Any:
    """{1: true} -> {"1": "true"}: YAML reads types into what are raw texts on both sides."""
    if not isinstance(value, dict):
        return value
    plain = lambda v: str(v).lower() if isinstance(v, bool) else _as_text(v)  # noqa: E731
    return {plain(k): plain(v) for k, v in value.items()}


def _as_parts(value: Any) -> Any:
    return [value] if isinstance(value, dict) else _as_list(value)


def _formats(value: Any) -> Any:
    return {k: _as_list(v) for k, v in value.items()} if isinstance(value, dict) else _as_list(value)


Text = Annotated[str, Field(min_length=1), BeforeValidator(_as_text)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_as_list)]
Patterns = Annotated[tuple[Annotated[str, BeforeValidator(_as_text)], ...], BeforeValidator(_as_list)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Settings that refuse unknown keys and do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(Strict):
    """The same value in every row: `metric: {constant: nps}`."""

    constant: Text


class After(Strict):
    """A time so many minutes after another: `{after: Created at, minutes: First reply time in minutes}`."""

    after: Text
    minutes: Text


class Shared(Strict):
    """An order's money, given once per order, shared out over its lines in proportion to the product of the columns
    under `by`; in equal parts without them: `{share: Subtotal, by: [Price, Quantity]}`."""

    share: Text
    by: Annotated[tuple[Text, ...], BeforeValidator(_as_list)] = ()


def _part(value: Any) -> str:
    return "=share" if isinstance(value, (dict, Shared)) else "=name"


Part = Annotated[Annotated[Text, Tag("=name")] | Annotated[Shared, Tag("=share")], Discriminator(_part)]


class Multiply(Strict):
    """A number that is the product of raw columns, less others: `{multiply: [Price, Quantity], minus: [Discount]}`;
    what is given once per order is shared out first: `minus: [{share: Discount, by: [Price, Quantity]}]`."""

    multiply: Texts
    minus: Annotated[tuple[Part, ...], BeforeValidator(_as_parts)] = ()


KINDS = {"multiply": Multiply, "constant": Constant, "after": After, "share": Shared}


def _kind(value: Any) -> str:
    """Which kind of source a value of `columns` is, by the key that only this kind has."""
    named = next((key for key, kind in KINDS.items() if isinstance(value, kind)), None)
    keys = [key for key in KINDS if key in value] if isinstance(value, dict) else []
    return "=" + (named or (keys[0] if keys else "name"))


Source = Annotated[
    Annotated[Text, Tag("=name")]
    | Annotated[Multiply, Tag("=multiply")]
    | Annotated[Constant, Tag("=constant")]
    | Annotated[After, Tag("=after")]
    | Annotated[Shared, Tag("=share")],
    Discriminator(_kind),
]


class Question(Strict):
    """A raw column of a survey that holds the answers to one question, a row a person.

    item, touchpoint, survey_id: what the answer's row says there. comment: the raw column with the words to it.
    """

    metric: Text
    item: Text | None = None
    touchpoint: Text | None = None
    survey_id: Text | None = None
    comment: Text | None = None


class Returns(Strict):
    """What marks an order line as a cancellation or return, besides a negative amount or quantity."""

    order_id_prefix: Text


class Reading(Strict):
    """How a file's records are got at. sheet: the worksheet of a workbook, the file in a .zip, the table of a DuckDB
    file. header: the record that names the columns, counted from 1 (several: their cells are joined; 0: there is none,
    and the columns are called 1, 2, …); what stands above it is left out."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    sheet: Text | None = None
    header: Annotated[
        tuple[Annotated[int, Field(ge=0, le=1000)], ...], Field(min_length=1), BeforeValidator(_as_list)
    ] = (1,)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(
                f"the encoding {value!r} is unknown; valid are utf-8, utf-16, latin-1, cp1250, cp1251, …"
            ) from None
        return value

    @field_validator("header")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)) or (0 in value and len(value) > 1):
            raise ValueError(f"{list(value)} must rise, as in [1, 2]; 0 (no header) stands alone")
        return value

    def sheets(self) -> tuple[str | None, ...]:
        """The worksheets to be read, in turn; None is the first with anything in it."""
        return (self.sheet,) if self.sheet is None or isinstance(self.sheet, str) else self.sheet


class Join(Reading):
    """Another file whose columns stand beside each record: the first of its records with the same key.

    on: the column of the table's own file (or of a file joined before) that names it. key: the same in the joined
    file, where it is called otherwise.
    """

    path: Text
    on: Text
    key: Text | None = None


class Persons(Reading):
    """Which customer ids are one person: a file with a row an id. lower_case: the person is told by an e-mail, whose
    capitals make no difference."""

    path: Text
    id: Text
    person: Text
    lower_case: bool = False


class Export(Reading):
    """Where one table's export lies and how its columns are to be read (`tables.<name>` in client.yml).

    sheet: several worksheets (files of a .zip, tables of a DuckDB file) of one header are read in turn.
    """

    path: Texts
    sheet: Texts | None = None
    join: tuple[Join, ...] = ()
    decimal: Literal[".", ","] = "."
    date_format: Annotated[dict[str, Texts] | tuple[Text, ...], BeforeValidator(_formats)] = ()
    time_zone: str | None = None
    columns: Annotated[dict[str, Source], Field(min_length=1)]
    questions: dict[Text, Question] = {}
    once_per_order: tuple[Text, ...] = ()
    values: dict[str, Annotated[dict[str, str], BeforeValidator(_texts_by_text)]] = {}
    strip_prefix: dict[str, Text] = {}
    strip_suffix: dict[str, Text] = {}
    lower_case: tuple[Text, ...] = ()
    keep_only: dict[Text, Patterns] = {}
    leave_out: dict[Text, Patterns] = {}
    not_goods: tuple[Text, ...] = ()
    returns: Returns | None = None
    currency_column: Text | None = None
    rates: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    duplicates: Literal["refuse", "keep"] = "refuse"
    max_refused_share: Share = 0.05

    def formats(self, column: str) -> tuple[str, ...]:
        """The date formats of a canonical column, in the order they are tried; () is ISO 8601."""
        return self.date_format.get(column, ()) if isinstance(self.date_format, dict) else self.date_format

    @field_validator("sheet")
    @classmethod
    def _once_each(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if twice := [name for i, name in enumerate(value or ()) if name in (value or ())[:i]]:
            raise ValueError(f"{twice[0]!r} stands in it twice; name each once")
        return value

    @field_validator("date_format")
    @classmethod
    def _has_a_year(cls, value: Any) -> Any:
        for pattern in (p for ps in value.values() for p in ps) if isinstance(value, dict) else value:
            if pattern in DATE_WORDS:
                continue
            if not re.search("%[Yy]", pattern) or not re.search("%-?[mbB]", pattern) or not re.search("%-?d", pattern):
                raise ValueError(
                    f'{pattern!r} needs a year (%Y or %y), a month (%m) and a day (%d), as in "%d.%m.%Y"; or is one of'
                    f" {', '.join(DATE_WORDS)}"
                )
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return value if value is None else known_zone(value)


def known_zone(value: str) -> str:
    """A time zone's name. Raises ValueError, naming what is valid."""
    try:
        ZoneInfo(value)
    except Exception:
        raise ValueError(f"the time zone {value!r} is unknown; write one as Europe/Kyiv or Europe/Warsaw") from None
    return value


def raw_of(source: str | Multiply | Constant | After | Shared) -> tuple[str, ...]:
    """The raw columns that a canonical column is made of."""
    if isinstance(source, Multiply):
        return (*source.multiply, *(raw for part in source.minus for raw in raw_of(part)))
    if isinstance(source, After):
        return (source.after, source.minutes)
    if isinstance(source, Shared):
        return (source.share, *source.by)
    return () if isinstance(source, Constant) else (source,)


def shares(columns: dict[str, Source]) -> dict[str, tuple[Shared, str]]:
    """Every order's money that is shared out: its name in the engine -> what it is, and the canonical column that it is
    taken off (empty: it is the column itself)."""
    found: dict[str, tuple[Shared, str]] = {}
    for name, source in columns.items():
        if isinstance(source, Shared):
            found[f"shared_{name}"] = source, ""
        for i, part in enumerate(source.minus if isinstance(source, Multiply) else ()):
            if isinstance(part, Shared):
                found[f"shared_{name}_{i}"] = part, name
    return found
