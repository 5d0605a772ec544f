"""What a bill's rows are read from: a piece of CSV or a Parquet file, and how each of its cells becomes a value.

Both give the same expressions for text, amounts, instants and JSON objects, so that one query reads them all. The
*plain* form knows what nearly every file holds and stops at anything else; the general one hands every other value to
`apps.ingest.text.values`, one by one. Nothing is skipped, rounded or guessed silently.
"""

# identifiers are declared columns, and every text is quoted: engines take no parameters there

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from apps.finops.money import SCALE
from apps.ingest.bill.mapping import Input
from apps.ingest.text import cells, values
from apps.warehouse import engine

ODD_IN_AMOUNTS = "_eE\t"
_ISO_MICRO = "strftime({cell}, '%Y-%m-%dT%H:%M:%S.%fZ')"


def quoted(text: str) -> str:
    return text.replace("'", "''")


def stop(column: str) -> str:
    """An expression that ends the query, naming the column."""
    return f"error('{quoted(column)}')"


def _half_even(text: str) -> str:
    """An amount of more than twelve decimals, rounded half-even.

    It is cut behind the twelfth: what remains says as text whether to round away from zero. The engine takes ten times
    longer to read the whole as a decimal, and rounds halves away from zero.
    """
    head, rest = f"left({text}, strpos({text}, '.') + 12)", _beyond(text)
    unit = f"CASE WHEN starts_with({text}, '-') THEN -0.000000000001 ELSE 0.000000000001 END"
    is_away = f"{rest} > '5' OR ({rest} = '5' AND right({head}, 1) IN ('1', '3', '5', '7', '9'))"
    cut = f"CASE WHEN strlen({head}) <= 19 THEN {head}::DECIMAL(18,12)::DECIMAL(38,12) ELSE {head}::DECIMAL(38,12) END"
    return f"({cut} + CASE WHEN {is_away} THEN {unit} ELSE 0 END)::DECIMAL(38,12)"


def _beyond(text: str) -> str:
    """The decimals behind the twelfth, without zeros at the end."""
    return f"rtrim(substr({text}, strpos({text}, '.') + 13), '0')"


@dataclass(frozen=True)
class Origin(ABC):
    """Where rows are read from: `columns` are their names in the file's own order, `is_plain` which form is used."""

    columns: tuple[str, ...]
    is_plain: bool = True

    @property
    @abstractmethod
    def relation(self) -> str:
        """What stands behind FROM, while `opened`."""

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Let this thread's engine see the rows."""
        yield

    @property
    @abstractmethod
    def number(self) -> str:
        """The number of a row, 1 for the first."""

    @abstractmethod
    def text(self, at: int) -> str:
        """The cell of a column as text, NULL where it is missing."""

    def value(self, at: int, one: Input) -> str:
        """The cell as text, made what its kind expects."""
        text = self.nested(at, one.key) if one.key else self.text(at)
        if one.repair:
            text = one.repair.replace("{}", text)
        if not one.allowed:
            return text
        listed = ", ".join(f"'{quoted(each)}'" for each in one.allowed)
        return f"CASE WHEN {text} IS NULL OR {text} IN ({listed}) THEN {text} ELSE {stop(self.columns[at])} END"

    def nested(self, at: int, key: str) -> str:
        """The value under a key of a nested cell, as text."""
        return f"nullif(json_extract_string({self.text(at)}, '$.\"{quoted(key)}\"'), '')"

    def words(self, at: int, one: Input) -> str:
        """The text, when it looks as it must."""
        text = self.value(at, one)
        if not one.pattern:
            return text
        known = f"regexp_full_match({text}, '{quoted(one.pattern)}')"
        return f"CASE WHEN {text} IS NULL OR {known} THEN {text} ELSE {stop(self.columns[at])} END"

    def amount(self, at: int, one: Input) -> str:
        text = self.value(at, one)
        regular = (
            f"CASE WHEN regexp_full_match({text}, '{values.PLAIN_AMOUNT}') THEN {text}::DECIMAL(18,12)::DECIMAL(38,12) "
            f"WHEN regexp_full_match({text}, '{values.LARGE_AMOUNT}') THEN {text}::DECIMAL(38,12) "
        )
        if not self.is_plain:
            long = f"WHEN regexp_full_match({text}, '{values.LONG_AMOUNT}') THEN {_half_even(text)} "
            return f"CASE WHEN {text} IS NULL THEN NULL ELSE {regular} {long} ELSE costops_amount({text}) END END"
        # Eighteen digits are read four times faster than thirty-eight, and hold nearly every amount of at most twelve
        # decimals.
        is_long = f"strlen({text}) > 13 AND strlen({text}) - strpos({text}, '.') > {SCALE}"
        slow = f"{regular} ELSE {stop(self.columns[at])} END"
        return (
            f"CASE WHEN {text} IS NULL THEN NULL WHEN {is_long} {self.or_odd(text, one)} THEN {slow} "
            f"ELSE coalesce(TRY_CAST({text} AS DECIMAL(18,12))::DECIMAL(38,12), {slow}) END"
        )

    def or_odd(self, text: str, _one: Input) -> str:
        """Whether an amount has what the engine would take and the plain form does not: exponents and the like."""
        return " ".join(f"OR contains({text}, '{odd}')" for odd in ODD_IN_AMOUNTS)

    def is_rounded(self, at: int, one: Input) -> str:
        """Whether an amount has more than twelve decimals."""
        text = self.value(at, one)
        return (
            f"CASE WHEN regexp_full_match({text}, '{values.LARGE_AMOUNT}') THEN false "
            f"WHEN regexp_full_match({text}, '{values.LONG_AMOUNT}') THEN {_beyond(text)} <> '' "
            f"ELSE costops_rounded({text}) END"
        )

    def instant(self, at: int, one: Input) -> str:
        text = self.value(at, one)
        odd = stop(self.columns[at]) if self.is_plain else f"costops_instant({text})"
        if one.formats:
            patterns = ", ".join(f"'{quoted(pattern)}'" for pattern in one.formats)
            odd = f"coalesce(try_strptime({text}, [{patterns}]), {odd})"
        moment = (
            f"CASE WHEN {text} IS NULL THEN NULL WHEN {text} LIKE '____-__-__T__:__:__Z' "
            f"AND {text} >= '{values.YEARS[0]}' AND {text} < '{values.YEARS[-1] + 1}' THEN {text}::TIMESTAMP "
            f"WHEN regexp_full_match({text}, '{values.PLAIN_INSTANT}') THEN {text}::TIMESTAMP ELSE {odd} END"
        )
        if one.zone == "UTC":
            return moment
        local = f"timezone('UTC', timezone('{quoted(one.zone)}', {moment}))"
        return f"CASE WHEN regexp_matches({text}, '{values.NAMES_ZONE}') THEN {moment} ELSE {local} END"

    def json_object(self, at: int, one: Input) -> str:
        text = self.value(at, one)
        is_object = f"json_type({text}) = 'OBJECT'"
        return f"CASE WHEN {text} IS NULL OR {is_object} THEN {text} ELSE {stop(self.columns[at])} END"


@dataclass(frozen=True)
class CsvOrigin(Origin):
    """Rows of CSV, parsed into `rows`; columns are bound by position, so that names may differ by case only.

    The plain form is for rows whose amounts hold none of `ODD_IN_AMOUNTS`. `has_nul`: some value holds a NUL byte. It
    is taken out of text, where nobody sees it, and nowhere else.
    """

    rows: pa.Table = None
    has_nul: bool = False

    def value(self, at: int, one: Input) -> str:
        text = super().value(at, one)
        return f"replace({text}, chr(0), '')" if self.has_nul and one.kind == "text" else text

    def or_odd(self, text: str, one: Input) -> str:
        return super().or_odd(text, one) if one.key else ""

    @property
    def relation(self) -> str:
        return "parsed_rows"

    @contextmanager
    def opened(self) -> Iterator[None]:
        connection = engine.connect().con
        connection.register(self.relation, self.rows)
        try:
            yield
        finally:
            connection.unregister(self.relation)

    @property
    def number(self) -> str:
        return "row_number() OVER ()"

    def text(self, at: int) -> str:
        return cells.name(at)


_AS_TEXT = {
    "VARCHAR": "{cell}",
    "BOOLEAN": "{cell}::VARCHAR",
    "DATE": "{cell}::VARCHAR",
    "UUID": "{cell}::VARCHAR",
    "JSON": "{cell}::VARCHAR",
    "TIMESTAMP": _ISO_MICRO,
    "TIMESTAMP_S": "strftime({cell}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "TIMESTAMP_MS": "strftime({cell}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "TIMESTAMP_NS": "strftime({cell}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "TIMESTAMP WITH TIME ZONE": "strftime(timezone('UTC', {cell}), '%Y-%m-%dT%H:%M:%S.%fZ')",
}
FLOATS = ("FLOAT", "DOUBLE")
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBERS = (*FLOATS, *_WHOLE)
_NESTED = ("MAP", "STRUCT")
# Decimals of fifteen digits: one that reads back as the same double is the shortest text of that double, because two
# of them never share a double. Asking so is four times faster than writing and reading the text, and as exact.
_SHORT = ("DECIMAL(15,12)", "DECIMAL(15,9)")


def _as(cell: str, kind: str) -> str:
    return f"TRY_CAST({cell} AS {kind})"


def _is(cell: str, kind: str) -> str:
    return f"{_as(cell, kind)}::DOUBLE = {cell}"


INSIDE = "\0"
"""Stands between the name of a struct and that of its field, where the engine is told to look inside."""


@dataclass(frozen=True)
class ParquetOrigin(Origin):
    """Rows of a Parquet file. `names` is what the engine calls the columns, `types` what they hold."""

    path: Path = Path()
    names: tuple[str, ...] = field(default=())
    types: tuple[str, ...] = field(default=())

    @property
    def relation(self) -> str:
        return f"read_parquet('{quoted(str(self.path))}', hive_partitioning=false, file_row_number=true)"

    @property
    def number(self) -> str:
        return "file_row_number + 1"

    def text(self, at: int) -> str:
        cell, kind = self._cell(at), self.types[at]
        if kind == "VARCHAR":
            return f"CASE WHEN {cell} IN ('', 'NULL', 'null') THEN NULL ELSE {cell} END"
        if kind in _AS_TEXT:
            return _AS_TEXT[kind].format(cell=cell)
        if kind.startswith("DECIMAL"):
            short = f"{cell}::DECIMAL(38,12)"
            is_short = f"TRY_CAST({cell} AS DECIMAL(38,12)) = {cell}"
            return f"CASE WHEN {is_short} THEN {short}::VARCHAR ELSE {cell}::VARCHAR END"
        if kind.startswith(_NESTED) or kind.endswith("]"):
            return f"nullif(to_json({cell})::VARCHAR, '{{}}')"
        return f"{cell}::VARCHAR"

    def amount(self, at: int, one: Input) -> str:
        cell = self._cell(at)
        if self._is_exact(at):
            return f"{cell}::DECIMAL(38,12)"
        if self.types[at] == "DOUBLE":
            short = " ".join(f"WHEN {_is(cell, kind)} THEN {_as(cell, kind)}::DECIMAL(38,12)" for kind in _SHORT)
            return f"CASE WHEN {cell} IS NULL THEN NULL {short} ELSE {super().amount(at, one)} END"
        return super().amount(at, one)

    def is_rounded(self, at: int, one: Input) -> str:
        if self._is_exact(at):
            return "false"
        rounded = super().is_rounded(at, one)
        if self.types[at] == "DOUBLE":
            short = " OR ".join(_is(self._cell(at), kind) for kind in _SHORT)
            return f"CASE WHEN {short} THEN false ELSE {rounded} END"
        return rounded

    def nested(self, at: int, key: str) -> str:
        cell, kind = self._cell(at), self.types[at]
        if kind == "MAP(VARCHAR, VARCHAR)":
            return f"nullif(map_extract_value({cell}, '{quoted(key)}'), '')"
        return super().nested(at, key)

    def instant(self, at: int, one: Input) -> str:
        cell, kind = self._cell(at), self.types[at]
        if not kind.startswith(("TIMESTAMP", "DATE")):
            return super().instant(at, one)
        moment = f"timezone('UTC', {cell})" if kind == "TIMESTAMP WITH TIME ZONE" else f"{cell}::TIMESTAMP"
        first, last = f"{values.YEARS[0]}-01-01", f"{values.YEARS[-1] + 1}-01-01"
        fits = f"{moment} >= TIMESTAMP '{first}' AND {moment} < TIMESTAMP '{last}'"
        if kind == "TIMESTAMP_NS":
            fits += f" AND epoch_ns({cell}) % 1000 = 0"
        return f"CASE WHEN {cell} IS NULL THEN NULL WHEN {fits} THEN {moment} ELSE {stop(self.columns[at])} END"

    def json_object(self, at: int, one: Input) -> str:
        if self.types[at].startswith(_NESTED) and not self.types[at].endswith("]"):
            return self.text(at)  # written by the engine: an object, and nothing to repair
        return super().json_object(at, one)

    def _is_exact(self, at: int) -> bool:
        kind = self.types[at]
        return kind in _WHOLE or (kind.startswith("DECIMAL") and int(kind.rstrip(")").split(",")[1]) <= SCALE)

    def unreadable(self) -> tuple[str, str] | None:
        """The first column of a type that is not read, and the type."""
        for name, kind in zip(self.columns, self.types, strict=True):
            known = kind in _AS_TEXT or kind in _NUMBERS or kind.startswith(("DECIMAL", *_NESTED)) or kind.endswith("]")
            if not known:
                return name, kind
        return None

    def _cell(self, at: int) -> str:
        parts = self.names[at].replace('"', '""').split(INSIDE)
        return ".".join(f'"{part}"' for part in parts)


def register(connection: Any) -> None:
    """Make the one-by-one readers known to an engine's connection; they serve the general form."""
    known = {row[0] for row in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    functions = (
        ("costops_amount", values.exact_amount, "DECIMAL(38,12)"),
        ("costops_rounded", values.is_rounded, "BOOLEAN"),
        ("costops_instant", values.naive_instant, "TIMESTAMP"),
    )
    for name, function, kind in functions:
        if name not in known:
            connection.create_function(name, function, ["VARCHAR"], kind)
