"""Hours of usage that a server told of once and has no more: what was kept of them stays."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from apps.finops.problems import Problem
from apps.finops.tables import COVERAGE_HOURS, USAGE, UsageTable
from apps.finops.windows import ONE_DAY
from apps.ingest import metered
from apps.ingest.models import Source
from apps.warehouse import lake
from apps.warehouse.engine import arrow_of

Seen = dict[tuple[datetime, str], tuple[int, int]]
"""(hour, cluster) → samples observed, and expected."""


def keep_lost_hours(source: Source, day: date, pulled: metered.Tables) -> tuple[metered.Tables, list[Problem]]:
    """What was pulled, with the rows kept before of the hours that the server lost since, and an error that says so.

    Of such an hour the rows of all clusters stay: one that only has another name now is not counted twice.
    """
    before, now = _seen(_kept(source, day, COVERAGE_HOURS, pulled)), _seen(pulled["coverage_hours"])
    lost = sorted({key[0] for key, seen in before.items() if _is_lost(seen, now.get(key, (0, 1)))})
    if not lost:
        return pulled, []
    hours = {*lost, *(hour for hour, _cluster in before.keys() - now.keys())}  # nobody watched it: it is known still
    tables = {
        name: pa.concat_tables([_of(_kept(source, day, table, pulled), hours), _of(pulled[name], hours, is_in=False)])
        for name, table in USAGE.items()
    }
    return tables, [_told(source, day, lost)]


def _is_lost(before: tuple[int, int], now: tuple[int, int]) -> bool:
    """Whether less than half is left of what was seen. A monitoring that scrapes more often has no fewer samples."""
    return now[0] < before[0] and 2 * now[0] * before[1] < before[0] * now[1]


def _seen(coverage: pa.Table) -> Seen:
    return {
        (row["hour"].astimezone(UTC), row["cluster"]): (row["observed_samples"], row["expected_samples"])
        for row in coverage.to_pylist()
    }


def _kept(source: Source, day: date, table: UsageTable, pulled: metered.Tables) -> pa.Table:
    rows = lake.scan(table, only=metered.kept_of(table, source.name, day))
    return arrow_of(rows.select(list(table.file_columns))).cast(pulled[table.name].schema)


def _of(rows: pa.Table, hours: Collection[datetime], *, is_in: bool = True) -> pa.Table:
    found = pc.is_in(rows["hour"], pa.array(sorted(hours), rows.schema.field("hour").type))
    return rows.filter(found if is_in else pc.invert(found))


def _told(source: Source, day: date, hours: list[datetime]) -> Problem:
    return Problem(
        "error",
        "hours-lost",
        f"{source.name} {day}",
        f"The server has no more what it told of {len(hours)} hours; the first begins {hours[0]:%Y-%m-%d %H:%MZ}, the "
        f"last ends {hours[-1] + timedelta(hours=1):%Y-%m-%d %H:%MZ}. What was kept of them stays. Check whether it "
        "lost its data, and whether it, the tenant and the options of the source are those of before. To take what it "
        f"has now: manage.py fill --source {source.name} --step meter --start {day} --end {day + ONE_DAY}.",
    )
