"""The parameters of the address: one table of what may be asked, read strictly."""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter

from apps.api.bodies import Listed
from apps.api.errors import BadParameterError
from apps.finops.tags import key_of
from apps.marts.cell import FILTER_NAMES, IN_QUOTES
from apps.marts.query import GROUPS, METRICS
from apps.marts.tagging import tag_dimensions

DEFAULT_LIMIT = 10_000
MAX_LIMIT = 50_000
MAX_TEXT = 8_000
MAX_VALUES = 500
MOST_MISTAKES = 10
"""So many are told at once."""
ANY = "*"
"""In brackets: whatever value."""
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)
FORMATS = ("json", "csv")
TABLE_FORMATS = (*FORMATS, "xlsx", "parquet")
SHEET_FORMATS = (*FORMATS, "xlsx")
"""Of answers that can be had as a workbook, too."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MONTH = re.compile(r"(?:19[7-9]|20\d|21\d)\d-(?:0[1-9]|1[0-2])", re.ASCII)
"""Of the years that days may be of."""
CURRENCY_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """One parameter: `read` turns text into a value, or raises ValueError with what it may be."""

    name: str
    read: Callable[[str], Any]
    description: str
    pattern: str | None = None
    choices: tuple[str, ...] | None = None
    is_list: bool = False
    place: Literal["query", "path"] = "query"

    def named(self) -> "Mapping[str, Parameter]":
        """By the names it is given by: its own."""
        return {self.name: self}

    def documented(self) -> list[OpenApiParameter]:
        """The parameter as the OpenAPI schema says it."""
        required = self.place == "path"
        return [OpenApiParameter(self.name, self.schema, self.place, description=self.description, required=required)]

    @property
    def body_schema(self) -> dict[str, Any]:
        """The same in a body, where a list may be one."""
        items = {"type": "array", "items": {"type": "string"}}
        return {"anyOf": [self.schema, items]} if self.is_list else self.schema

    @property
    def schema(self) -> dict[str, Any]:
        """What it may be, as JSON Schema."""
        told = getattr(self.read, "schema", None) or {"type": "string", "maxLength": MAX_TEXT}
        pattern = f"^(?:{self.pattern.strip('^$')})$" if self.pattern else None
        more = {"pattern": pattern, "enum": self.choices and [*self.choices]}
        return {**told, **{name: value for name, value in more.items() if value and told["type"] == "string"}}


@dataclass(frozen=True)
class Family:
    """Parameters that share a word, `filter[team]=web`: `inner` tells them by what stands in the brackets. Where there
    is a plain parameter of that word, too, the schema tells them one by one (`is_spread`)."""

    name: str
    inner: Callable[[], Mapping[str, Parameter]]
    description: str
    is_spread: bool = False

    def named(self) -> Mapping[str, Parameter]:
        """By the names they are given by."""
        told = {name: f"{self.name}[{name}]" for name in self.inner()}
        return {told[name]: replace(one, name=told[name]) for name, one in self.inner().items()}

    def documented(self) -> list[OpenApiParameter]:
        """As the OpenAPI schema says it: one object, whose properties stand in brackets."""
        if self.is_spread:
            return [found for one in self.named().values() for found in one.documented()]
        properties = {name: {"description": one.description} | one.schema for name, one in self.inner().items()}
        kind = {"type": "object", "properties": properties, "additionalProperties": False}
        return [
            OpenApiParameter(self.name, kind, "query", description=self.description, style="deepObject", explode=True)
        ]


Known = tuple[Parameter | Family, ...]


def text(value: str) -> str:
    """Text without control characters."""
    if _CONTROL.search(value):
        raise ValueError("contains a control character")
    return value


def lines(value: str) -> str:
    """Text of several lines, told apart as JSON and forms do."""
    found = value.replace("\r\n", "\n")
    text(found.replace("\n", ""))
    return found


def values(value: str) -> tuple[str, ...]:
    """Comma-separated texts; one that holds a comma stands in double quotes. Nothing at all is one empty text. Names in
    bills may hold control characters, but for NUL, which no database takes."""
    if "\x00" in value:
        raise ValueError("contains a control character")
    try:
        found = tuple(next(csv.reader([value], strict=True), ())) or ("",)
    except csv.Error as unreadable:
        raise ValueError("is not a comma-separated list (quote a value that holds a comma)") from unreadable
    if len(found) > MAX_VALUES:
        raise ValueError(f"holds more than {MAX_VALUES} values")
    return found


def day(value: str) -> date:
    """A date as YYYY-MM-DD."""
    try:
        found = date.fromisoformat(value) if DAY.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None or not FIRST_DAY <= found <= LAST_DAY:
        raise ValueError(f"is not a date as YYYY-MM-DD between {FIRST_DAY} and {LAST_DAY}")
    return found


day.schema = {"type": "string", "format": "date"}  # type: ignore[attr-defined]  # what the documentation says


def month(value: str) -> str:
    """A billing month as YYYY-MM."""
    if not MONTH.fullmatch(value):
        raise ValueError(f"is not a month as YYYY-MM between {FIRST_DAY:%Y-%m} and {LAST_DAY:%Y-%m}")
    return value


def currency(value: str) -> str:
    """A currency code."""
    if not CURRENCY_CODE.fullmatch(value):
        raise ValueError("is not a currency code such as CNY")
    return value


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A reader of plain whole numbers within bounds."""

    def read(value: str) -> int:
        number = int(value) if _NUMBER.fullmatch(value) else None
        if number is None or not lowest <= number <= highest:
            raise ValueError(f"is not a whole number between {lowest} and {highest}")
        return number

    read.schema = {"type": "integer", "minimum": lowest, "maximum": highest}  # type: ignore[attr-defined]
    return read


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader of one of a few words."""

    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return value

    return read


def each_of(*choices: str) -> Callable[[str], tuple[str, ...]]:
    """A reader of a comma-separated list of a few words."""
    read_one = one_of(*choices)

    def read(value: str) -> tuple[str, ...]:
        return tuple(read_one(part) for part in values(value) if part)

    return read


def dimensions(value: str) -> tuple[str, ...]:
    """A reader of what cost is grouped by; the keys of tags are told where they are asked for."""
    read_one = one_of(*GROUPS)
    return tuple(part if key_of(part) else read_one(part) for part in values(value) if part)


FORMAT = Parameter(
    "format", one_of(*FORMATS), "`csv` instead of JSON; the same as `Accept: text/csv`.", choices=FORMATS
)
SHEET_FORMAT = Parameter("format", one_of(*SHEET_FORMATS), "`csv` or `xlsx` instead of JSON.", choices=SHEET_FORMATS)
TABLE_FORMAT = Parameter(
    "format", one_of(*TABLE_FORMATS), "`csv`, `xlsx` or `parquet` instead of JSON.", choices=TABLE_FORMATS
)
AS_OF = Parameter(
    "as_of", whole_number(1, 10**12), "The publication to answer from; the newest by default.", pattern=r"^\d{1,12}$"
)


_OF_TABLES = f"{MAX_LIMIT} in CSV and workbooks, whose header `Link` leads to more where there are more."


def page(rows: int = DEFAULT_LIMIT, of_tables: str = _OF_TABLES) -> Known:
    """The parameters of an answer given page by page, of so many rows when nothing is said."""
    told = f"At most this many rows; {rows} by default, {of_tables}"
    return (
        Parameter("limit", whole_number(1, MAX_LIMIT), told, pattern=r"^\d{1,5}$"),
        Parameter("cursor", text, "Where the page before ended: its `page.next_cursor`. Stays on that publication."),
    )


PAGE = page()
FILTERS = tuple(
    Parameter(
        parameter, values, f"Only these values of {name}, comma-separated; empty means: does not apply.", is_list=True
    )
    for name, parameter in FILTER_NAMES.items()
)
TAG = Parameter(
    "tag:KEY",
    values,
    "Only cost whose tag KEY has one of these values, comma-separated; empty means: no such tag. KEY is one of "
    "COSTOPS_TAG_KEYS, such as `tag:env`.",
    is_list=True,
)


def values_or_any(value: str) -> tuple[str, ...]:
    """Values, none for any of them; in quotes one may be called as all of them are."""
    found = values(value)
    return () if ANY in IN_QUOTES.sub("quoted", value).split(",") else found


def not_everything(value: str) -> tuple[str, ...]:
    """Values to leave out."""
    found = values_or_any(value)
    if not found:
        raise ValueError(f"is {ANY}: nothing would be left; name what is left out, in quotes what is called so")
    return found


def narrowing(read: Callable[[str], Any], told: str) -> dict[str, Parameter]:
    """A parameter for every dimension, level and chosen tag, by the name that filters by it."""
    named = FILTER_NAMES | {tag: tag for tag in tag_dimensions()}
    return {parameter: Parameter(parameter, read, told.format(name), is_list=True) for name, parameter in named.items()}


EXCLUDE = Family(
    "exclude",
    lambda: narrowing(not_everything, "All but these values of {}."),
    "What is left out: `exclude[team]=a,b`.",
)
CURRENCY = (
    Parameter(
        "currency",
        currency,
        "Convert every amount to this currency, by the rate of its day.",
        pattern=CURRENCY_CODE.pattern,
    ),
    Parameter(
        "rates_as_of",
        whole_number(0, 10**12),
        "The version of the rates; the newest by default.",
        pattern=r"^\d{1,12}$",
    ),
)
ORGANISATION = Parameter(
    "organisation_as_of",
    whole_number(0, 10**12),
    "The version of the organisation (company, unit, department, cost_center); the newest by default.",
    pattern=r"^\d{1,12}$",
)
COSTS = (
    Parameter("metric", one_of(*METRICS), "The cost basis; `effective_cost` by default.", choices=METRICS),
    Parameter(
        "group_by", dimensions, f"At most four of {', '.join(GROUPS)} and `tag:KEY`; comma-separated.", is_list=True
    ),
    Parameter("start", day, "The first day, YYYY-MM-DD; the first published day by default.", pattern=DAY.pattern),
    Parameter("end", day, "The day after the last; after the last published by default.", pattern=DAY.pattern),
    AS_OF,
    ORGANISATION,
    *CURRENCY,
    *page(of_tables="all of them in CSV, workbooks and Parquet."),
    FORMAT,
    *FILTERS,
    TAG,
)
CELL: Known = (*(one for one in COSTS if one.name not in ("group_by", "limit", "cursor", "format")), EXCLUDE)
"""What says which number."""
NAME = Parameter("name", text, "What the upload is called where its origin is told, such as its file name.")
TEAM = Parameter("name", text, "The name of the team.", place="path")
CODE = Parameter("code", text, "The code of the problem.", place="path")
PLAIN = (FORMAT,)


def read(asked: QueryDict, known: Known) -> Mapping[str, Any]:
    """The values of the parameters given. Whatever is unknown, repeated or unreadable is refused, all of it by name."""
    table = {name: parameter for one in known for name, parameter in one.named().items()}
    if TAG.name in table:
        table |= {name: replace(TAG, name=name) for name in asked if key_of(name)}
    found: dict[str, Any] = {}
    mistakes: list[tuple[str, str]] = []
    for name in sorted(set(asked) - set(table))[:MOST_MISTAKES]:
        told = ", ".join(one.name if isinstance(one, Parameter) else f"{one.name}[…]" for one in known)
        said = f"There is no parameter {name[:60]!r} here. There is {told}.{_inside(name, known)}"
        mistakes.append((name[:60], said))
    for name in [name for name in asked if name in table]:
        try:
            found[name] = _read_one(table[name], asked.getlist(name))
        except ValueError as refused:
            mistakes.append((name, f"{name} {refused}"))
    if mistakes:
        raise BadParameterError(*mistakes[0], *mistakes[1:MOST_MISTAKES])
    return found


def needed(given: Mapping[str, Any], name: str) -> Any:
    """The value of a parameter that must be given."""
    if name not in given:
        raise BadParameterError(name, f"{name} must be given")
    return given[name]


def _inside(unknown: str, known: Known) -> str:
    """What may stand in the brackets of a family, where something else did."""
    word = unknown.partition("[")[0]
    inner = [one.inner() for one in known if isinstance(one, Family) and one.name == word and "[" in unknown]
    return f" In the brackets of {word} stands one of {', '.join(inner[0])}." if inner else ""


def _read_one(parameter: Parameter, given: list[str]) -> Any:
    if len(given) > 1 and not parameter.is_list:
        raise ValueError("is given more than once")
    if isinstance(given[0], Listed) and not parameter.is_list:
        raise ValueError("is one value, not a list")
    joined = ",".join(given)
    if len(joined) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    return parameter.read(joined)
