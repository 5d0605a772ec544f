"""Rows of a Parquet bill: how cells of every type become text, amounts, instants and JSON, each exactly."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from apps.finops.money import SCALE
from apps.ingest.bill.mapping import Input
from apps.ingest.bill.origins import Origin, quoted, stop
from apps.ingest.text import values
from apps.ingest.unpack import Unreadable

_ISO_MICRO = "strftime({cell}, '%Y-%m-%dT%H:%M:%S.%fZ')"
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


def too_wide(path: Path) -> tuple[str, str] | None:
    """The first column whose decimals have more digits than the engine's, which would read other numbers, and its type.

    Raises what Arrow says of a file that is no Parquet.
    """
    schema = pq.read_metadata(path).schema
    columns = (schema.column(at) for at in range(len(schema)))
    return next(((one.path, f"DECIMAL({one.precision},{one.scale})") for one in columns if one.precision > 38), None)


def refuse_odd(name: str, odd: tuple[str, str] | None) -> None:
    """Raise Unreadable where there is a column of a type that is not read."""
    if odd:
        raise Unreadable(
            f"{name}, column {odd[0]}: values of type {odd[1]} are not read; export text, decimals or timestamps."
        )


def is_text(kind: str) -> bool:
    """Whether every value of a type has one text."""
    return kind in _AS_TEXT or is_number(kind)


def is_number(kind: str) -> bool:
    return kind in _NUMBERS or _is_decimal(kind)


def _is_decimal(kind: str) -> bool:
    return kind.startswith("DECIMAL") and not kind.endswith("]")


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
        if _is_decimal(kind):
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
        return kind in _WHOLE or (_is_decimal(kind) and int(kind.rstrip(")").split(",")[1]) <= SCALE)

    def unreadable(self) -> tuple[str, str] | None:
        """The first column of a type that is not read, and the type."""
        for name, kind in zip(self.columns, self.types, strict=True):
            known = is_text(kind) or kind.startswith(_NESTED) or kind.endswith("]")
            if not known:
                return name, kind
        return None

    def is_counted(self, at: int) -> bool:
        """Whether a column holds what an amount or a currency may be."""
        return self.types[at] == "VARCHAR" or is_number(self.types[at])

    def _cell(self, at: int) -> str:
        parts = self.names[at].replace('"', '""').split(INSIDE)
        return ".".join(f'"{part}"' for part in parts)
