"""Writing FOCUS rows to a file, and reading back what they add up to."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from decimal import Decimal
from pathlib import Path
from typing import Literal

import ibis.expr.types as ir

from apps.finops import focus
from apps.finops.tables import COSTS
from apps.warehouse.conformance.rules import rules
from apps.warehouse.engine import connect, registered
from apps.warehouse.wording import query_of

Form = Literal["csv", "parquet"]
Key = tuple[str, str, str]
Sums = dict[Key, tuple[Decimal, ...]]
"""(source, billing month, currency) → the sums of the four costs."""

ASCII = tuple(rule.column for rule in rules() if rule.check == "FormatString")
"""The columns whose text FOCUS wants in ASCII."""
_IS_ASCII = r"regexp_full_match({}, '[\x00-\x7F]*')"
_ESCAPED = (
    "array_to_string(list_transform(string_split(strip_accents({}), ''), lambda c: CASE WHEN unicode(c) < 128 THEN c "
    r"WHEN unicode(c) < 65536 THEN format('\u{{:04x}}', unicode(c)) ELSE format('\U{{:08x}}', unicode(c)) END), '')"
)
_FORMULA = r"^ *[=+\-@\t\r\n\x00＝＋－＠]"
_ORDER = 'row."ChargePeriodStart", row."ResourceId", hash(row)'
"""By day and resource, then in an order of its own: the same rows are the same file."""
_KEY = ("x_SourceName", "x_BillingMonth", "BillingCurrency")
_MONEY = tuple(focus.COST_METRICS[basis] for basis in COSTS)


def write(rows: ir.Table, path: Path, form: Form) -> int:
    """Write rows by day; how many. Text in a column of ASCII is escaped, and kept as it was in `x_…Local`."""
    with registered(rows) as backend:
        query = query_of(backend, rows)
        local = _not_ascii(rows, query)
        cells = {name: _ascii(name) if name in local else f'"{name}"' for name in rows.columns}
        cells |= {f"x_{name.removeprefix('x_')}Local": f'"{name}"' for name in local}
        kinds = {name: str(kind) for name, kind in rows.schema().items()}
        if form == "csv":
            cells = {name: _plain(cell, kinds.get(name, "string")) for name, cell in cells.items()}
        listed = ", ".join(f'{cell} AS "{name}"' for name, cell in cells.items())
        target = str(path).replace("'", "''")
        options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet, COMPRESSION zstd"
        told = f"SELECT {listed} FROM ({query}) AS row ORDER BY {_ORDER}"
        ((count,),) = backend.con.execute(f"COPY ({told}) TO '{target}' ({options})").fetchall()
    return int(count)


def read_back(path: Path, form: Form) -> Sums:
    """What a written file adds up to, to the last decimal."""
    quoted = str(path).replace("'", "''")
    origin = (
        f"read_csv('{quoted}', all_varchar=true, header=true, delim=',', quote='\"', escape='\"', "
        "max_line_size=16000000, hive_partitioning=false)"
        if form == "csv"
        else f"read_parquet('{quoted}', hive_partitioning=false)"
    )
    keys = ", ".join(f"coalesce(\"{name}\", '')" for name in _KEY)
    sums = ", ".join(f'coalesce(sum("{name}"::DECIMAL(38,12)), 0)::DECIMAL(38,12)' for name in _MONEY)
    found = connect().con.execute(f"SELECT {keys}, {sums} FROM {origin} GROUP BY ALL").fetchall()
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in found}


def _not_ascii(rows: ir.Table, query: str) -> list[str]:
    asked = [name for name in rows.columns if name in ASCII]
    checks = ", ".join(f"bool_or(NOT {_IS_ASCII.format(_name(name))})" for name in asked)
    (found,) = connect().con.execute(f"SELECT {checks} FROM ({query})").fetchall()
    return [name for name, is_found in zip(asked, found, strict=True) if is_found]


def _name(name: str) -> str:
    return f'"{name}"'


def _ascii(name: str) -> str:
    cell = _name(name)
    return f"CASE WHEN {_IS_ASCII.format(cell)} THEN {cell} ELSE {_ESCAPED.format(cell)} END"


def _plain(cell: str, kind: str) -> str:
    """As CSV shows it: instants as FOCUS writes them, and no text that a spreadsheet would take for a formula."""
    if kind.startswith("timestamp"):
        return f"strftime({cell}, '%Y-%m-%dT%H:%M:%SZ')"
    if kind != "string":
        return cell
    return f"CASE WHEN regexp_matches({cell}, '{_FORMULA}') THEN '''' || {cell} ELSE {cell} END"
