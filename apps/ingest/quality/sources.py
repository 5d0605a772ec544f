"""Looking at a source as a whole after a file of it was read: gaps, services nobody has seen, tags that get lost."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest.bill.origins import quoted
from apps.ingest.quality.rows import about
from apps.warehouse import engine, lake

TAG_DRIFT = 0.2
"""A tag that covers so much less of the cost than the month before is told."""
SAMPLE = 200_000
"""Charges of a month that are looked into for tags; of larger months every n-th one."""
MOST_NAMED = 5
Files = dict[str, list[lake.StoredFile]]
"""By billing month."""


def look(source: str, files: Files, changed: Iterable[str]) -> Iterator[Problem]:
    """What is odd about the months that changed, as they stand in the lake now."""
    changed = sorted(month for month in changed if files.get(month))
    if not changed:
        return
    for month in changed:
        earlier = [one for one in files if one < month]
        yield from _missing_days(source, month, files[month], is_first=not earlier)
        yield from _tags_twice(source, month, files[month])
        if earlier:
            yield from _new_services(source, month, files, earlier)
            yield from _tag_drift(source, month, files, max(earlier))


def _missing_days(source: str, month: str, files: list[lake.StoredFile], *, is_first: bool) -> Iterator[Problem]:
    """Days without charges up to the newest; a source's first month begins with its first charge."""
    rows = _query(f'SELECT DISTINCT "x_ChargeDay" FROM {_origin(files)}')
    days = {day for (day,) in rows}
    year, number = int(month[:4]), int(month[5:])
    first = max(date(year, number, 1), min(days) if is_first else date.min)
    last = min(max(days), date(year, number, monthrange(year, number)[1]))
    expected = {first + timedelta(days=at) for at in range((last - first).days + 1)}
    if (missing := sorted(expected - days)) and len(days & expected) > 1:
        yield about("missing_days", f"{source}, {month}", f"{len(missing)} days: {_named(map(str, missing))}.")


def _new_services(source: str, month: str, files: Files, earlier: list[str]) -> Iterator[Problem]:
    before = [file for one in earlier for file in files[one]]
    query = 'SELECT DISTINCT "ServiceName" FROM {origin}'
    known = {name for (name,) in _query(query.format(origin=_origin(before)))}
    new = sorted(name for (name,) in _query(query.format(origin=_origin(files[month]))) if name not in known)
    if new:
        yield about("new_service", f"{source}, {month}", f"{len(new)}: {_named(new)}.")


def _tag_drift(source: str, month: str, files: Files, previous: str) -> Iterator[Problem]:
    now, before = _tagged(files[month]), _tagged(files[previous])
    lost = {key: round(share - now.get(key, 0.0), 6) for key, share in before.items()}
    lost = {key: share for key, share in lost.items() if share >= TAG_DRIFT}
    for key in sorted(lost, key=lambda key: -lost[key])[:MOST_NAMED]:
        told = f"{key}: {now.get(key, 0.0):.0%} of the cost instead of {before[key]:.0%} in {previous}."
        yield about("tag_drift", f"{source}, {month}", told)


def _tags_twice(source: str, month: str, files: list[lake.StoredFile]) -> Iterator[Problem]:
    """Keys that stand twice in one object of tags, in the charges that are looked into."""
    step = sum(file.rows for file in files) // SAMPLE + 1
    keys = f'SELECT json_keys("Tags") AS keys FROM {_origin(files)} WHERE "x_Row" % {step} = 0 AND "Tags" LIKE \'{{%\''
    again = f"SELECT unnest(list_filter(keys, (key, nth) -> list_position(keys, key) < nth)) AS key FROM ({keys})"
    if found := [key for (key,) in _query(f"SELECT DISTINCT key FROM ({again}) ORDER BY key")]:
        yield about("tag_twice", f"{source}, {month}", f"{len(found)}: {_named(found)}.")


def _tagged(files: list[lake.StoredFile]) -> dict[str, float]:
    """Tag key → the share of positive effective cost whose charges carry it."""
    step = sum(file.rows for file in files) // SAMPLE + 1
    chosen = f'SELECT "Tags", "EffectiveCost"::DOUBLE AS cost FROM {_origin(files)} WHERE "x_Row" % {step} = 0'
    chosen += ' AND "EffectiveCost" > 0'
    ((total,),) = _query(f"SELECT sum(cost) FROM ({chosen})")
    if not total:
        return {}
    keys = f'SELECT unnest(json_keys("Tags")) AS key, cost FROM ({chosen}) WHERE "Tags" LIKE \'{{%\''
    shares: dict[str, float] = defaultdict(float)
    for key, cost in _query(f"SELECT key, sum(cost) FROM ({keys}) GROUP BY key ORDER BY 2 DESC LIMIT 100"):
        shares[key] = cost / total
    return shares


def _origin(files: list[lake.StoredFile]) -> str:
    paths = ", ".join(f"'{quoted(str(path))}'" for path in lake.paths(CHARGES, files))
    return f"read_parquet([{paths}], hive_partitioning=false, union_by_name=true)"


def _query(query: str) -> list[Any]:
    rows: list[Any] = engine.connect().con.execute(query).fetchall()
    return rows


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:MOST_NAMED])
    return shown if len(listed) <= MOST_NAMED else f"{shown} and {len(listed) - MOST_NAMED} more"
