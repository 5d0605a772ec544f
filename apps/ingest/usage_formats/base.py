"""What a format of usage is: how its files are found, and what makes rows of our tables of them.

Quantities are added up as whole numbers and rounded once, to the six decimals of the lake.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from apps.finops.problems import Problem
from apps.finops.tables import UsageTable
from apps.ingest.providers.base import Discover, everything
from apps.ingest.text.header import BadHeader
from apps.ingest.unpack import Member

HOUR = timedelta(hours=1)
GIB = 1 << 30
MICRO = 1_000_000
MOST = 10**12
"""Less than this is a quantity, in units of ours: the lake has no more digits before the point."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Converted:
    """Rows by table. An error-level problem refuses the file."""

    tables: Mapping[str, list[Row]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def is_refused(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


Convert = Callable[[Sequence[Member], str], Converted]
"""Makes rows of the plain members of one file; the second argument is the cluster of rows that name none."""


@dataclass(frozen=True)
class UsageFormat:
    """A kind of source of usage files; without `convert` they are ours already."""

    kind: str
    title: str
    convert: Convert | None = None
    discover: Discover = everything


OWN = UsageFormat("usage_files", "Usage files")


class BadUsage(Exception):
    """A file that cannot be converted; `problem` says where and why."""

    def __init__(self, code: str, subject: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem("error", code, subject, message)


def converter(make: Convert) -> Convert:
    """A converter that answers with the problem where `make` raises it: of a bad file nothing counts."""

    def convert(members: Sequence[Member], cluster: str) -> Converted:
        try:
            return make(members, cluster)
        except (BadUsage, BadHeader) as bad:
            return Converted(problems=(bad.problem,))

    return convert


def micro(amount: Fraction) -> int:
    """Whole millionths, rounded half up; quantities are never negative."""
    return (2 * amount.numerator * MICRO + amount.denominator) // (2 * amount.denominator)


def spread(amount: Fraction, start: datetime, end: datetime) -> dict[datetime, int]:
    """A quantity of a window, spread evenly over its time: whole millionths by hour, adding up to the rounded whole."""
    total, length = micro(amount), (end - start) // timedelta(microseconds=1)
    parts: dict[datetime, int] = {}
    given, hour = 0, start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        passed = (min(hour + HOUR, end) - start) // timedelta(microseconds=1)
        until = (2 * total * passed + length) // (2 * length)
        parts[hour], given, hour = until - given, until, hour + HOUR
    return parts


def decimal(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)


def is_json(member: Member) -> bool:
    """Whether a text begins like JSON."""
    with member.path.open("rb") as stream:
        return stream.read(16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def write_rows(table: UsageTable, rows: Iterable[Row], path: Path) -> None:
    """Rows of a table as a Parquet file of our own shape."""
    schema = pa.schema([(name, table.schema[name].to_pyarrow()) for name in table.file_columns])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
