"""Usage by the day is its hours added up, made anew for days whose hours changed, and pinned with a publication."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.finops.tables import (
    NODE_DAYS,
    NODE_HOURS,
    VOLUME_DAYS,
    VOLUME_HOURS,
    WORKLOAD_DAYS,
    WORKLOAD_HOURS,
    LakeTable,
)
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.services import publish
from apps.marts.usage_days import usage_by_day
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.worlds import Row, claim, moved, node, pod, put

NOW = datetime(2026, 11, 20, tzinfo=UTC)
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
OCTOBER = Window(FIRST, date(2026, 11, 1))
USAGE_TABLES = (WORKLOAD_HOURS, NODE_HOURS, VOLUME_HOURS)

pytestmark = pytest.mark.usefixtures("home", "db")


def measured(table: LakeTable, rows: list[Row], file_id: str = "u") -> None:
    """Put hours of usage into the lake, each day by itself."""
    put(table, [row | {"source": "usage", "day": row["hour"].date(), "file_id": file_id} for row in rows])


def told(table: LakeTable, *names: str) -> list[tuple[Any, ...]]:
    """The days of the newest publication."""
    pinned = Publication.objects.latest("number").versions
    rows = usage_by_day(table, pinned, OCTOBER.start, OCTOBER.end)
    return sorted(rows_of(rows.select("day", *names)))


def test_claims_are_the_larger_of_request_and_use_hour_by_hour_and_pod_by_pod() -> None:
    """Two pods of web ask for 1 core: one uses 3 in two of four hours, the other runs one: 3+3+1+1+1."""
    measured(
        WORKLOAD_HOURS,
        [
            *pod("web", "1", hours=(0, 1), used="3"),
            *pod("web", "1", hours=(2, 3), used="0.5"),
            *pod("web", "1", "0.000001", hours=(3,), pod="web-2"),
            *moved(pod("web", "2", hours=(5,), gpu="1", gpu_used="0.25"), 1),
        ],
    )
    publish(None, now=NOW)
    columns = ("cpu_claimed_core_hours", "cpu_request_core_hours", "cpu_used_core_hours", "memory_claimed_gib_hours")
    assert told(WORKLOAD_DAYS, "workload", "node", *columns) == [
        (FIRST, "web", "n1", 9, 5, 7, Decimal("0.000001")),
        (SECOND, "web", "n1", 2, 2, 0, 0),
    ]
    assert told(WORKLOAD_DAYS, "gpu_claimed_hours", "gpu_request_hours", "gpu_used_hours")[1][1:] == (
        1, 1, Decimal("0.25"),
    )  # fmt: skip


def test_nodes_and_volumes_are_told_by_the_day() -> None:
    measured(NODE_HOURS, [*node(hours=range(3)), *node("n2", hours=(0,), gpu="8", node_pool="gpu")])
    measured(VOLUME_HOURS, [*claim("data", "30", hours=(0, 1)), *claim("data", "10", hours=(0,), workload="")])
    publish(None, now=NOW)
    assert told(NODE_DAYS, "node", "node_pool", "cpu_capacity_core_hours", "gpu_capacity_hours") == [
        (FIRST, "n1", "general", 12, 0), (FIRST, "n2", "gpu", 4, 8),
    ]  # fmt: skip
    assert told(VOLUME_DAYS, "claim", "workload", "capacity_gib_hours") == [
        (FIRST, "disk", "", 10), (FIRST, "disk", "data", 60),
    ]  # fmt: skip


def test_only_days_whose_hours_changed_are_made_anew_and_a_day_without_hours_goes() -> None:
    two_days = [*pod("web", "1", hours=(0,)), *moved(pod("web", "1", hours=(0,)), 1)]
    measured(WORKLOAD_HOURS, two_days)
    publish(None, now=NOW)
    (first, _) = lake.files(WORKLOAD_DAYS)
    replaced = [file for file in lake.files(WORKLOAD_HOURS) if file.partition["day"] == str(SECOND)]
    rows = lake.scan(WORKLOAD_HOURS, only=replaced)
    lake.replace(WORKLOAD_HOURS, rows.mutate(cpu_request_core_hours=rows.cpu_request_core_hours * 2), replaced)
    publish(OCTOBER, now=NOW)
    assert first in lake.files(WORKLOAD_DAYS)
    assert told(WORKLOAD_DAYS, "cpu_request_core_hours") == [(FIRST, 1), (SECOND, 2)]
    measured(WORKLOAD_HOURS, two_days[:1])
    publish(OCTOBER, now=NOW)
    assert told(WORKLOAD_DAYS, "cpu_request_core_hours") == [(FIRST, 1)]


def test_days_that_a_lost_publication_made_are_made_anew() -> None:
    two_days = [*pod("web", "1", hours=(0,)), *moved(pod("web", "1", hours=(0,)), 1)]
    measured(WORKLOAD_HOURS, two_days)
    publish(None, now=NOW)
    first, second = ([file for file in lake.files(WORKLOAD_DAYS) if str(day) in file.path] for day in (FIRST, SECOND))
    rows = lake.scan(WORKLOAD_DAYS, only=first)
    lake.replace(WORKLOAD_DAYS, rows.mutate(cpu_request_core_hours=rows.cpu_request_core_hours * 7), first)
    measured(WORKLOAD_HOURS, [*two_days, *pod("db", "2", hours=(0,))])
    publish(OCTOBER, now=NOW)
    assert sorted(told(WORKLOAD_DAYS, "cpu_request_core_hours")) == [(FIRST, 1), (FIRST, 2), (SECOND, 1)]
    assert second


def test_a_publication_keeps_its_days() -> None:
    measured(WORKLOAD_HOURS, pod("web", "1", hours=(0,)))
    publish(None, now=NOW)
    old = Publication.objects.latest("number").versions
    measured(WORKLOAD_HOURS, pod("web", "4", hours=(0,)))
    publish(OCTOBER, now=NOW)
    (row,) = rows_of(usage_by_day(WORKLOAD_DAYS, old, FIRST, SECOND).select("cpu_request_core_hours"))
    assert (row, told(WORKLOAD_DAYS, "cpu_request_core_hours")) == ((1,), [(FIRST, 4)])


@pytest.mark.parametrize("table", [WORKLOAD_DAYS, NODE_DAYS, VOLUME_DAYS], ids=lambda table: table.name)
def test_a_publication_of_an_earlier_release_tells_the_same_from_its_hours(table: LakeTable) -> None:
    measured(WORKLOAD_HOURS, [*pod("web", "1.5", "0.333333", used="2"), *moved(pod("data", "0.1"), 1)])
    measured(NODE_HOURS, [*node(), *node("n2", hours=range(7))])
    measured(VOLUME_HOURS, claim("data", "0.000007"))
    publish(None, now=NOW)
    pinned = Publication.objects.latest("number").versions
    earlier = {name: number for name, number in pinned.items() if not name.endswith("_days")}
    asked = [usage_by_day(table, versions, OCTOBER.start, OCTOBER.end) for versions in (pinned, earlier, {})]
    stored, added_up, nothing = (sorted(rows_of(rows.select(*table.columns))) for rows in asked)
    assert stored == added_up != nothing == []
