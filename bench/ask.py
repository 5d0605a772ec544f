"""Questions about thirteen months of 120 teams and 1,500 namespaces: p95 from the marts and from the cache."""

import itertools
import random
from datetime import date, timedelta
from functools import partial

from bench import company
from bench.measure import bench_home, p95, report, timed, told_by_child

QUESTIONS = 120

_FLOOR = "SELECT team, currency, sum(effective_cost::DOUBLE) FROM read_parquet([{files}]) WHERE day >= ? AND day < ? GROUP BY ALL"


def questions() -> list["CostQuery"]:  # type: ignore[name-defined]  # noqa: F821  # loaded after the settings
    """What pages, mails and finance ask, with windows and teams drawn at random."""
    from apps.marts.query import CostQuery

    drawn = random.Random(20261101)
    groups = [
        ("team",),
        ("team", "day"),
        ("kind", "day"),
        ("namespace",),
        ("service", "month"),
        ("team", "kind"),
        ("day",),
    ]
    made = []
    for group_by in itertools.islice(itertools.cycle(groups), QUESTIONS):
        days = drawn.choice([7, 30, 31, 90, 395])
        start = company.END - timedelta(days=min(days + drawn.randrange(30), 396))
        team = ("team", (f"team-{drawn.randrange(company.TEAMS):03d}",))
        filters = (team,) if group_by != ("team",) and drawn.random() < 0.5 else ()
        end = min(start + timedelta(days=days), company.END)
        made.append(CostQuery(start=start, end=end, group_by=group_by, filters=filters))
    return made


def measure() -> dict[str, float]:
    """Milliseconds: p95 of the bare query, of answers from the marts, and of the same answers from the cache."""
    import duckdb
    from django.core.cache import cache

    from apps.finops.tables import COST_MART
    from apps.marts import selectors
    from apps.marts.selectors import answer
    from apps.warehouse import lake

    asked = questions()
    answer(asked[0])  # what a process does once: imports, connections
    cache.clear()
    selectors._recent.clear()
    files = ", ".join(f"'{lake.location(COST_MART) / file.path}'" for file in lake.files(COST_MART))
    bare = duckdb.connect()
    floor = [1000 * timed(partial(_bare, bare, files, one.start, one.end)) for one in asked]
    fresh = [1000 * timed(partial(answer, one)) for one in asked]
    cached = [1000 * timed(partial(answer, one)) for one in asked]
    return {"floor_p95_ms": p95(floor), "uncached_p95_ms": p95(fresh), "cached_p95_ms": p95(cached)}


def _bare(connection: "duckdb.DuckDBPyConnection", files: str, start: date, end: date) -> None:  # type: ignore[name-defined]  # noqa: F821
    connection.execute(_FLOOR.format(files=files), [start, end]).fetchall()


if __name__ == "__main__":
    bench_home("company")
    told_by_child("company", company.build)
    measured = told_by_child("company", measure)
    report(
        "ask",
        {"floor": "bare DuckDB float sum by team over the same files and days", **measured,
         "ratio": measured["uncached_p95_ms"] / measured["floor_p95_ms"]},
        goal={"uncached_p95_ms": 100, "cached_p95_ms": 5},
    )  # fmt: skip
