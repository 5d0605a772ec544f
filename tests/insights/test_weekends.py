"""Schedules of what runs in clusters that are switched off at weekends: hours in which nothing can run are not asked
for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.finops.tables import COVERAGE_HOURS, WORKLOAD_HOURS
from apps.finops.windows import Window
from apps.insights.idle import kinds
from apps.insights.idle.candidates import Clock
from apps.insights.idle.listening import Listener
from apps.insights.idle.places import in_clusters
from apps.marts.models import Publication
from tests.insights.idle_world import write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
FIRST, END = date(2026, 9, 7), date(2026, 10, 26)  # Mondays
DAYS = list(Window(FIRST, END).days())
When = Callable[[datetime], bool]


def always(_at: datetime) -> bool:
    return True


def on_weekdays(at: datetime) -> bool:
    return at.weekday() < 5


def in_the_day(at: datetime) -> bool:
    return 8 <= at.hour < 20


def windows(heard: When, works: When, end: date = END) -> list[tuple[tuple[int, int, int], ...]]:
    """What could be switched off of a workload that works so, in a cluster that is heard so, as far as is known before
    a day; another cluster is heard in every hour."""
    hours = [
        at for day in DAYS if day < end for number in range(24) if heard(at := datetime.combine(day, time(number), UTC))
    ]
    placed = {"source": "prometheus", "cluster": "school", "file_id": "f"}
    told = [placed | {"day": at.date(), "hour": at} for at in hours]
    runs = {"namespace": "class", "workload": "web", "workload_kind": "Deployment", "pod": "web-0", "node": "n1",
            "cpu_request_core_hours": Decimal(1)}  # fmt: skip
    others = [
        placed | {"cluster": "other", "day": day, "hour": datetime.combine(day, time(number), UTC)}
        for day in DAYS if day < end for number in range(24)
    ]  # fmt: skip
    tables = (
        (COVERAGE_HOURS, [one | {"observed_samples": 60, "expected_samples": 60} for one in (*told, *others)]),
        (
            WORKLOAD_HOURS,
            [
                *(one | runs | {"cpu_used_core_hours": Decimal(works(one["hour"]))} for one in told),
                *(one | runs | {"cpu_used_core_hours": Decimal(1)} for one in others),
            ],
        ),
    )
    pinned = Publication.objects.create(
        created_at=datetime.combine(END, time(), UTC), ruleset=0, status="final", first_day=FIRST, end_day=END,
        versions={table.name: write(table, rows) for table, rows in tables},
    )  # fmt: skip
    listener = Listener(pinned, today=end)
    assert listener.hours is not None
    clock = Clock.at(listener.hours.end, ZoneInfo("UTC"))
    ways: dict[str, Any] = {}
    places = in_clusters(listener, clock, Window(DAYS[-28], END), ways)
    return [one.windows for one in places if one.kind == kinds.SCHEDULE]


def outage(at: datetime) -> bool:
    """Ten days of which nobody can tell."""
    return on_weekdays(at) and not date(2026, 9, 28) <= at.date() < date(2026, 10, 9)


NIGHTS = [tuple((day, 20, 12) for day in range(4))]


@pytest.mark.parametrize(
    ("heard", "works", "found"),
    [
        pytest.param(on_weekdays, in_the_day, NIGHTS, id="idle at night"),
        pytest.param(on_weekdays, always, [], id="at work in all hours of its cluster"),
        pytest.param(on_weekdays, lambda _at: False, [], id="never at work: nothing to be switched off by the clock"),
        pytest.param(outage, in_the_day, [], id="and an outage besides"),
        pytest.param(lambda at: on_weekdays(at) and at.date() < date(2026, 10, 22), in_the_day, [], id="it is gone"),
    ],
)
@pytest.mark.parametrize(
    "end", [pytest.param(date(2026, 10, 24), id="on Saturday"), pytest.param(END, id="on Monday, while it is off")]
)
def test_a_workload_is_told_by_the_hours_in_which_its_cluster_is_on(
    heard: When, works: When, found: list[tuple[tuple[int, int, int], ...]], end: date
) -> None:
    told = windows(heard, works, end)

    assert [[span for span in one if span[2] == 12] for one in told] == [list(one) for one in found]
