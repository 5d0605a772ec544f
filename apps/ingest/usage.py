"""Reading one landed usage file into Parquet parts of its usage table."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from apps.finops.problems import Problem
from apps.finops.tables import USAGE, UsageTable
from apps.ingest import kinds
from apps.ingest.bill.origins import quoted
from apps.ingest.bill.parquet import is_number, is_text, refuse_odd, too_wide
from apps.ingest.reading import Content, Reading, refused
from apps.ingest.text import careful, values
from apps.ingest.text.header import MAX_FIELD, BadHeader, Header, read_header, refuse_twins
from apps.ingest.text.values import YEARS
from apps.ingest.unpack import Damaged, Member, Unpacked, Unreadable, is_damage, unpacked
from apps.ingest.usage_formats.base import OWN, Convert, is_json, write_rows
from apps.warehouse import engine, lake

KEYS: dict[str, tuple[str, ...]] = {
    "workload_hours": ("hour", "cluster", "namespace", "workload", "pod", "node"),
    "node_hours": ("hour", "cluster", "node"),
    "volume_hours": ("hour", "cluster", "volume", "namespace", "claim", "workload"),
    "coverage_hours": ("hour", "cluster"),
    "label_hours": ("hour", "cluster", "namespace", "workload"),
    "overhead_hours": ("hour", "cluster", "node"),
    "service_hours": ("hour", "cluster", "namespace", "service", "load_balancer"),
    "network_hours": ("hour", "cluster", "namespace", "workload", "pod", "node"),
    "disk_hours": ("hour", "cluster", "node", "disk"),
    "workload_peaks": ("hour", "cluster", "namespace", "workload", "pod"),
    "autoscaler_hours": ("hour", "cluster", "namespace", "workload"),
}
"""The grain of each table: two rows with the same key are one row too many."""

MOST = {"cpu_peak_cores": 4096, "memory_peak_gib": 65_536, "gpu_peak_share": 64, "gpu_memory_peak_gib": 16_384}
"""Column → the largest value that one pod on one node can mean: beyond it the unit is another (millicores, MiB, %)."""

UNKNOWABLE = frozenset(
    name
    for table in USAGE.values()
    if table.may_be_unknown
    for name, kind in table.file_columns.items()
    if kind.startswith("decimal")
)
"""Columns in which an empty cell is an answer."""

_HOUR = "hour"
_JSON = "labels"
_QUANTITY = r"[0-9]{1,12}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?"
_COUNT = r"[0-9]{1,15}"
_STOPPED = (duckdb.DataError, duckdb.InvalidInputException)


@dataclass(frozen=True)
class UsageFile:
    """A landed usage file: `name` is its path at the source, `path` where its bytes lie.

    `replaces` are the ids of files that will not count beside it: its earlier revisions and its own; `beside` are
    parts of files read in the same run. `kind` is that of its source: another tool may have written it.
    """

    path: Path
    name: str
    source: str
    cluster: str
    file_id: str
    zone: str
    kind: str = OWN.kind
    replaces: frozenset[str] = frozenset()
    beside: tuple[lake.WrittenFile, ...] = ()


def table_of(name: str) -> UsageTable | None:
    """The table a file belongs to: told by the beginning of its name, or of its folder's name."""
    for part in reversed(Path(name).parts):
        for table in USAGE.values():
            if part.startswith(table.name):
                return table
    return None


def read_usage(file: UsageFile) -> Reading:
    """Read a usage file. Its parts lie in the lake's folder, uncommitted."""
    table, convert = table_of(file.name), kinds.USAGE[file.kind].convert
    if table is None and convert is None:
        message = f"Name the file or its folder after its table: {', '.join(USAGE)}."
        return refused([Problem("error", "unknown_table", file.name, message)])
    try:
        with unpacked(file.path, file.name) as bundle:
            if convert:
                return _read_converted(file, convert, bundle)
            assert table is not None  # noqa: S101  # said above
            return _read_members(file, table, list(bundle.members))
    except Unreadable as error:
        return refused([Problem("error", "damaged", file.name, str(error))])
    except (OSError, UnicodeDecodeError, duckdb.Error) as error:
        if not is_damage(error):
            raise
        return refused([Problem("error", "damaged", file.name, str(Damaged(file.name, error)))])
    except BadHeader as bad:
        return refused([bad.problem])


def _read_converted(file: UsageFile, convert: Convert, bundle: Unpacked) -> Reading:
    """Read what a converter makes of a file: every table, or nothing of it."""
    if problems := [problem for member in bundle.members for problem in _cut_off(member) if not is_json(member)]:
        return refused(problems)
    converted = convert(bundle.members, file.cluster)
    if converted.is_refused:
        return refused(converted.problems)
    reading = Reading(problems=converted.problems)
    members = {
        name: Member(f"{file.name} › {name}", bundle.folder / f"converted_{name}.parquet", "parquet")
        for name in sorted(converted.tables)
    }
    for name, member in members.items():
        try:
            write_rows(USAGE[name], converted.tables[name], member.path)
        except pa.ArrowInvalid:
            message = "What it tells of an hour adds up to more than there can be; export it again."
            return refused([Problem("error", "bad_value", member.name, message)])
    for name, member in members.items():
        one = _read_members(file, USAGE[name], [member])
        if one.is_refused:
            return one
        reading = Reading(reading.parts | one.parts, (*reading.contents, *one.contents), reading.problems)
    return reading


def _read_members(file: UsageFile, table: UsageTable, members: list[Member]) -> Reading:
    parts: list[lake.WrittenFile] = []
    for member in members:
        origin, columns = _csv(member) if member.kind != "parquet" else _parquet(member)
        _check_columns(file, table, member.name, columns)
        if problems := _cut_off(member):
            return _refused(table, parts, problems)
        try:
            query = f"SELECT {_select(file, table, columns)} FROM {origin}"
            parts += lake.write_sql(table, engine.connect().con, query)
        except _STOPPED as error:
            return _refused(table, parts, _explain(table, member, columns, error))
    if problems := _said_twice(file, table, parts):
        return _refused(table, parts, problems)
    return Reading({table.name: parts}, _contents(table, parts))


def _refused(table: UsageTable, parts: Iterable[lake.WrittenFile], problems: Iterable[Problem]) -> Reading:
    """Nothing of the file counts; what was written of it is taken away."""
    for part in parts:
        (lake.location(table) / part.path).unlink(missing_ok=True)
    return refused(problems)


def _csv(member: Member) -> tuple[str, dict[str, str]]:
    header = read_header(member.path, member.name)
    refuse_twins(header.columns, member.name, header.columns)
    names = ", ".join(f"'{quoted(name)}': 'VARCHAR'" for name in header.columns)
    missing = ", ".join(f"'{text}'" for text in values.MISSING)
    origin = (
        f"read_csv('{quoted(str(member.path))}', auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
        f"columns={{{names}}}, nullstr=[{missing}], max_line_size={MAX_FIELD}, strict_mode=true)"
    )
    return origin, dict.fromkeys(header.columns, "VARCHAR")


def _parquet(member: Member) -> tuple[str, dict[str, str]]:
    origin = f"read_parquet('{quoted(str(member.path))}', hive_partitioning=false)"
    try:
        wide = too_wide(member.path)
        columns = engine.connect().con.execute(f"DESCRIBE SELECT * FROM {origin}").fetchall()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise Unreadable(f"{member.name}: the Parquet file cannot be read ({reason}); write it again.") from error
    refuse_odd(member.name, wide)
    return origin, {name: kind for name, kind, *_ in columns}


def _check_columns(file: UsageFile, table: UsageTable, name: str, columns: dict[str, str]) -> None:
    expected = table.file_columns
    if unknown := [column for column in columns if column not in expected]:
        message = f"Unknown columns: {', '.join(unknown)}. {table.name} has {', '.join(expected)}."
        raise BadHeader(Problem("error", "unknown_column", f"{name}, line 1", message))
    optional = (*table.may_be_missing, *(["cluster"] if file.cluster else []))
    missing = [column for column in expected if column not in columns and column not in optional]
    if missing:
        message = f"Missing columns: {', '.join(missing)}. {table.name} has {', '.join(expected)}."
        raise BadHeader(Problem("error", "missing_column", f"{name}, line 1", message))
    odd = (each for each in columns.items() if not _is_read(each[0], expected[each[0]], given=each[1]))
    refuse_odd(name, next(odd, None))


def _is_read(name: str, kind: str, *, given: str) -> bool:
    """Whether a column may come as this type of the engine's."""
    if name == _HOUR:
        return given == "VARCHAR" or (given.startswith("TIMESTAMP") and not given.endswith("]"))
    return is_text(given) if kind == "string" else given == "VARCHAR" or is_number(given)


def _cut_off(member: Member) -> list[Problem]:
    if member.kind == "parquet":
        return []
    with member.path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) in (b"\n", b"\r"):
            return []
    message = "The file ends without a line break, it may be cut off: write it again, with a line break at the end."
    return [Problem("error", "cut_off", f"{member.name}, last line", message)]


def _select(file: UsageFile, table: UsageTable, columns: dict[str, str]) -> str:
    cells = {name: _cell(name, kind, columns, file) for name, kind in table.file_columns.items()}
    hour = _hour(columns)
    cells["source"] = f"'{quoted(file.source)}'"
    cells["day"] = f"business_day({hour}, '{quoted(file.zone)}')"
    cells["file_id"] = f"'{quoted(file.file_id)}'"
    return ", ".join(f'{cells[name]} AS "{name}"' for name in table.columns)


def _cell(name: str, kind: str, columns: dict[str, str], file: UsageFile) -> str:
    if name == _HOUR:
        return _hour(columns)
    if name == "cluster":
        cluster = f"'{quoted(file.cluster)}'"
        text = f'coalesce("cluster"::VARCHAR, {cluster})' if name in columns else cluster
        return f"CASE WHEN {text} = '' THEN error('cluster') ELSE {text} END"
    if name == _JSON:
        text = f'"{name}"::VARCHAR'
        is_object = f"json_type({text}) = 'OBJECT'"
        return f"CASE WHEN {text} IS NULL THEN '{{}}' WHEN {is_object} THEN {text} ELSE error('{name}') END"
    if kind == "string" and name not in columns:
        return "''"
    if kind == "string":
        return f"coalesce(\"{name}\"::VARCHAR, '')"
    return _number(name, "DECIMAL(18,6)" if kind.startswith("decimal") else "BIGINT", columns)


def _number(name: str, target: str, columns: dict[str, str]) -> str:
    pattern, most = (_QUANTITY, 10**12) if target.startswith("DECIMAL") else (_COUNT, 10**15)
    if columns[name] == "VARCHAR":
        fits = f"regexp_full_match(\"{name}\", '{pattern}')"
    else:
        fits = f'"{name}" >= 0' + (f' AND "{name}" < {most}' if _may_hold(columns[name], most) else "")
    number = f'"{name}"::{target}'
    limits = f" AND {number} <= {MOST[name]}" if name in MOST else ""
    limits += f' AND {number} >= "min_replicas"::BIGINT' if name == "max_replicas" else ""
    unknown = f'WHEN "{name}" IS NULL THEN NULL ' if name in UNKNOWABLE else ""
    return f"CASE {unknown}WHEN {fits}{limits} THEN {number} ELSE error('{name}') END"


def _may_hold(given: str, number: int) -> bool:
    """Whether a type has that many digits before its point: the engine cannot compare decimals that have fewer."""
    if not given.startswith("DECIMAL"):
        return True
    width, scale = map(int, given.removeprefix("DECIMAL(").removesuffix(")").split(","))
    return width - scale >= len(str(number))


def _hour(columns: dict[str, str]) -> str:
    given = columns[_HOUR]
    if given == "TIMESTAMP WITH TIME ZONE":
        moment = _HOUR
    elif given.startswith("TIMESTAMP"):
        moment = f"timezone('UTC', {_HOUR}::TIMESTAMP)"
    else:
        is_plain = f"regexp_full_match({_HOUR}, '{values.PLAIN_INSTANT}')"
        text = f"CASE WHEN {is_plain} THEN {_HOUR}::TIMESTAMP ELSE error('{_HOUR}') END"
        moment = f"timezone('UTC', {text})"
    is_hour = f"date_trunc('hour', {moment}) = {moment} AND year({moment}) BETWEEN {YEARS[0]} AND {YEARS[-1]}"
    return f"CASE WHEN {is_hour} THEN {moment} ELSE error('{_HOUR}') END"


def _explain(table: UsageTable, member: Member, columns: dict[str, str], error: Exception) -> list[Problem]:
    """Say which line is wrong; for Parquet, which column."""
    if member.kind != "parquet":
        required = tuple(
            name for name in columns if name == _HOUR or (table.columns[name] != "string" and name not in UNKNOWABLE)
        )
        checks = {name: check for name in columns if (check := _check(name, table.columns[name]))}
        if problems := careful.examine(
            member.path, member.name, careful.Plan(Header(tuple(columns)), required, checks)
        ):
            return problems
    column = str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
    message = "A value is missing or cannot be meant; docs/data.md says what the column holds."
    return [Problem("error", "bad_value", f"{member.name}, column {column}", message)]


def _check(name: str, kind: str) -> careful.Check | None:
    if name == _HOUR:
        return _check_hour
    if name == _JSON:
        return _check_labels
    if name in MOST:
        return partial(_check_most, most=MOST[name])
    return None if kind == "string" else _check_count if kind == "int64" else _check_quantity


def _check_hour(text: str) -> str | None:
    if re.fullmatch(values.PLAIN_INSTANT, text):
        try:
            moment = values.parse_instant(text)
        except values.NotAnInstant:
            moment = None
        if moment and moment == moment.replace(minute=0, second=0):
            return None
    return f"{careful.shown(text)} is not the start of an hour in UTC; write 2026-10-01T13:00:00Z."


def _check_labels(text: str) -> str | None:
    return None if values.is_json_object(text) else f"{careful.shown(text)} is not a JSON object of labels."


def _check_quantity(text: str) -> str | None:
    return (
        None if re.fullmatch(_QUANTITY, text) else f"{careful.shown(text)} is not a quantity; write digits, like 1.5."
    )


def _check_most(text: str, *, most: int) -> str | None:
    if (problem := _check_quantity(text)) or Decimal(text) <= most:
        return problem
    return f"{careful.shown(text)} is more than {most}: docs/data.md says in which unit the column is."


def _check_count(text: str) -> str | None:
    return None if re.fullmatch(_COUNT, text) else f"{careful.shown(text)} is not a whole number."


def duplicates(table: UsageTable, parts: Iterable[lake.WrittenFile | lake.StoredFile]) -> list[Problem]:
    """Rows that say the same hour of the same thing twice; counted by a hash first, named only when there are any."""
    origin = _parts(table, parts)
    if not origin:
        return []
    connection = engine.connect().con
    keys = ", ".join(f'"{key}"' for key in KEYS[table.name])
    total, distinct = connection.execute(f"SELECT count(*), count(DISTINCT hash({keys})) FROM {origin}").fetchone()
    if total == distinct:
        return []
    twice = connection.execute(f"SELECT {keys} FROM {origin} GROUP BY ALL HAVING count(*) > 1 LIMIT 3").fetchall()
    message = "These rows come more than once; usage is added up, so each may come only once."
    return [Problem("error", "duplicate_row", f"{table.name}: {_key(row)}", message) for row in twice]


def compare(file: UsageFile, reading: Reading) -> Reading:
    """The reading, refused where other files of the source say the same hour of the same thing."""
    for name, parts in reading.parts.items():
        others = _others(file, USAGE[name], {part.partition["day"] for part in parts})
        if others and (problems := _said_twice(file, USAGE[name], [*parts, *others])):
            for each, written in reading.parts.items():
                _refused(USAGE[each], written, problems)
            return refused(problems)
    return reading


def _said_twice(
    file: UsageFile, table: UsageTable, parts: Iterable[lake.WrittenFile | lake.StoredFile]
) -> list[Problem]:
    return [replace(one, subject=f"{file.name}, {one.subject}") for one in duplicates(table, parts)]


def _others(file: UsageFile, table: UsageTable, days: set[str]) -> list[lake.WrittenFile | lake.StoredFile]:
    """What other files of the source hold for these days: in the lake, and read in the same run."""
    folder = str(lake.location(table))
    held = [stored for stored in lake.files(table) if stored.partition["source"] == file.source]
    fresh = [part for part in file.beside if (Path(folder) / part.path).exists()]
    replaced = file.replaces | {part.partition["file_id"] for part in fresh}
    kept: list[lake.WrittenFile | lake.StoredFile] = [
        stored for stored in held if stored.partition["file_id"] not in replaced
    ]
    return [part for part in [*kept, *fresh] if part.partition["day"] in days]


def _key(row: tuple[Any, ...]) -> str:
    hour, *names = row
    return ", ".join([f"{hour:%Y-%m-%dT%H:%MZ}", *(name for name in names if name)])


def _parts(table: UsageTable, parts: Iterable[lake.WrittenFile | lake.StoredFile]) -> str:
    names = ", ".join(f"'{quoted(str(path))}'" for path in lake.paths(table, parts))
    return f"read_parquet([{names}], hive_partitioning=false)" if names else ""


def _contents(table: UsageTable, parts: Iterable[lake.WrittenFile]) -> tuple[Content, ...]:
    rows: dict[str, int] = defaultdict(int)
    for part in parts:
        rows[part.partition["day"]] += part.rows
    return tuple(Content(table.name, (day,), count) for day, count in sorted(rows.items()))
