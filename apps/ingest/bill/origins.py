"""What a bill's rows are read from: a piece of CSV or a Parquet file, and how each of its cells becomes a value.

Both give the same expressions for text, amounts, instants and JSON objects, so that one query reads them all. The
*plain* form knows what nearly every file holds and stops at anything else; the general one hands every other value to
`apps.ingest.text.values`, one by one. Nothing is skipped, rounded or guessed silently.
"""

# identifiers are declared columns, and every text is quoted: engines take no parameters there

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from apps.finops.money import SCALE
from apps.ingest.bill.mapping import Input
from apps.ingest.text import cells, values
from apps.warehouse import engine

ODD_IN_AMOUNTS = "_eE\t"


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
            ways = sorted(one.formats, key=lambda way: "%Y" in way)  # which would read `26` as the year 26
            patterns = ", ".join(f"'{quoted(pattern)}'" for pattern in ways)
            read = f"try_strptime({text}, [{patterns}])"
            odd = f"CASE WHEN year({read}) BETWEEN {values.YEARS[0]} AND {values.YEARS[-1]} THEN {read} ELSE {odd} END"
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
