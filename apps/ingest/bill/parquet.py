"""A Parquet bill as text, so that it is read by the same rules as CSV."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from pathlib import Path
from typing import Any

import duckdb

from apps.finops.problems import Problem
from apps.ingest.bill.query import MONEY, quoted
from apps.ingest.unpack import Member, Unreadable
from apps.warehouse import engine

_ISO = "strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ')"
_TEXT = {
    "VARCHAR": "{column}",
    "BOOLEAN": "{column}::VARCHAR",
    "DATE": "{column}::VARCHAR",
    "UUID": "{column}::VARCHAR",
    "JSON": "{column}::VARCHAR",
    "TIMESTAMP": _ISO,
    "TIMESTAMP_S": "strftime({column}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "TIMESTAMP_MS": "strftime({column}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "TIMESTAMP_NS": "strftime({column}, '%Y-%m-%dT%H:%M:%S.%nZ')",
    "TIMESTAMP WITH TIME ZONE": "strftime(timezone('UTC', {column}), '%Y-%m-%dT%H:%M:%S.%fZ')",
}
_FLOATS = ("FLOAT", "DOUBLE")
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


def as_csv(member: Member, folder: Path) -> tuple[Path, list[Problem]]:
    """Write a Parquet bill as CSV into `folder`: decimals as they are, floats by their shortest text."""
    connection: Any = engine.connect().con
    origin = f"read_parquet('{quoted(str(member.path))}', hive_partitioning=false)"
    target = folder / f"{member.path.name}.csv"
    try:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {origin}").fetchall()
        texts = ", ".join(f"{_text(member, name, kind)} AS {_name(name)}" for name, kind, *_ in columns)
        connection.execute(
            f"COPY (SELECT {texts} FROM {origin}) TO '{quoted(str(target))}' (FORMAT csv, HEADER, FORCE_QUOTE *)"
        )
    except duckdb.Error as error:
        reason = str(error).splitlines()[0][:300]
        raise Unreadable(f"{member.name}: the Parquet file cannot be read ({reason}); export it again.") from error
    floats = [name for name, kind, *_ in columns if name in MONEY and kind in _FLOATS]
    if not floats:
        return target, []
    message = (
        f"Stored as binary floating point, read by their shortest decimal text: {', '.join(floats)}; export decimals."
    )
    return target, [Problem("warning", "float_amounts", member.name, message)]


def _text(member: Member, name: str, kind: str) -> str:
    column = _name(name)
    if kind in _TEXT:
        return _TEXT[kind].format(column=column)
    if kind in _WHOLE or kind in _FLOATS:
        return f"{column}::VARCHAR"
    if kind.startswith("DECIMAL"):
        short = f"{column}::DECIMAL(38,12)"
        is_short = f"TRY_CAST({column} AS DECIMAL(38,12)) = {column}"
        return f"CASE WHEN {is_short} THEN {short}::VARCHAR ELSE {column}::VARCHAR END"
    if kind.startswith(("MAP", "STRUCT")) or kind.endswith("]"):
        return f"to_json({column})::VARCHAR"
    raise Unreadable(
        f"{member.name}, column {name}: values of type {kind} are not read; export text, decimals or timestamps."
    )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
