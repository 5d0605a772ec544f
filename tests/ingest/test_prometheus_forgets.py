"""A Prometheus that lost its data: what was kept of it stays, and what it sees from then on counts."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.finops.tables import COVERAGE_HOURS, USAGE
from apps.finops.windows import Window
from apps.ingest import remembering
from apps.ingest.models import MeteredDay, Source
from apps.pipeline import due, services
from apps.pipeline.models import StepRun
from apps.warehouse import lake
from apps.warehouse.engine import count_of, rows_of
from tests.ingest import prometheus_world as world
from tests.servers.front import App, Front, relay, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("home")]
FIRST = datetime.fromtimestamp(world.START, UTC)
LAST = FIRST + timedelta(hours=world.HOURS)
EARLY = FIRST + timedelta(hours=2)
"""A first pull, when two hours were over."""
DAY = Window(date(2026, 10, 1), date(2026, 10, 2))


@pytest.fixture(scope="module")
def online(prometheus_server: Callable[..., Any]) -> App:
    return relay(prometheus_server([world.online().text()]).port)


@pytest.fixture(scope="module")
def emptied(prometheus_server: Callable[..., Any]) -> App:
    return relay(prometheus_server([]).port)


@pytest.fixture(scope="module")
def restarted(prometheus_server: Callable[..., Any]) -> App:
    """One that began anew after two hours."""
    lines = world.online().text().splitlines(keepends=True)
    begun = EARLY.timestamp()
    later = [line for line in lines if line.startswith("#") or float(line.rsplit(" ", 1)[1]) >= begun]
    return relay(prometheus_server(["".join(later)]).port)


@pytest.fixture
def front(online: App) -> Iterator[Front]:
    front = Front()
    with running(front, online):
        yield front


def a_source(front: Front, cluster: str = "") -> None:
    Source.objects.create(
        name="online", kind="prometheus", location=front.address, created_at=FIRST, cluster=cluster,
        options={"since": "2026-10-01", "retry_seconds": "0", "concurrency": "1"},
    )  # fmt: skip


def tick(now: datetime) -> StepRun:
    services.tick(now=now)
    services.work(now=now, seconds=0)
    return StepRun.objects.filter(step="meter").latest("pk")


def told(run: StepRun) -> list[str]:
    return [problem["message"] for problem in run.problems if problem["severity"] == "error"]


def kept() -> dict[str, int]:
    return {name: count_of(lake.scan(table)) for name, table in USAGE.items()}


@pytest.mark.parametrize("cluster", [pytest.param("lab", id="a cluster by name"), pytest.param("", id="by label")])
def test_what_was_kept_stays_and_it_is_said(front: Front, emptied: App, cluster: str) -> None:
    a_source(front, cluster)
    assert told(tick(LAST)) == []
    before, samples = kept(), MeteredDay.objects.get().observed_samples
    assert before["workload_hours"] > 0
    front.fault = emptied
    run = tick(LAST + timedelta(hours=2))
    (message,) = told(run)
    assert message.startswith("The server has no more what it told of 5 hours; the first begins 2026-10-01 00:00Z, ")
    assert "manage.py fill --source online --step meter --start 2026-10-01 --end 2026-10-02" in message
    assert (run.state, MeteredDay.objects.get().observed_samples) == ("done", samples)
    assert kept() | {"coverage_hours": 0} == before | {"coverage_hours": 0}


def test_hours_that_come_afterwards_are_added(front: Front, online: App, restarted: App) -> None:
    a_source(front)
    tick(EARLY)
    early = rows_of(lake.scan(USAGE["workload_hours"]).order_by("hour", "pod", "node", "cpu_used_core_hours"))
    front.fault = restarted
    assert len(told(tick(LAST))) == 1
    hours = lake.scan(COVERAGE_HOURS).filter(lake.scan(COVERAGE_HOURS).observed_samples > 0).hour
    assert sorted({row[0].astimezone(UTC).hour for row in rows_of(hours.as_table())}) == [0, 1, 2, 4, 5]
    rows = lake.scan(USAGE["workload_hours"])
    two = rows.filter(rows.hour < EARLY).order_by("hour", "pod", "node", "cpu_used_core_hours")
    assert [row[:-3] for row in rows_of(two)] == [row[:-3] for row in early]


def test_who_asks_by_step_and_days_gets_what_there_is(front: Front, emptied: App) -> None:
    a_source(front)
    tick(LAST)
    front.fault = emptied
    now = LAST + timedelta(minutes=20)
    before = kept()
    services.fill(now=now, window=DAY)
    assert kept() == before, "to fill days anew is not to forget"
    services.ask_for(list(due.meter(due.Ask(now))), now)  # the clock was first
    services.fill(now=now, steps=["meter"], window=DAY)
    assert kept()["workload_hours"] == 0


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param((60, 60), (0, 60), True, id="nothing is left"),
        pytest.param((60, 60), (20, 60), True, id="little is left"),
        pytest.param((599, 600), (60, 60), False, id="a late sample came: the other eye is the weaker one now"),
        pytest.param((60, 60), (60, 240), False, id="it scrapes four times as often since"),
        pytest.param((60, 60), (59, 60), False, id="a sample less"),
        pytest.param((0, 60), (0, 60), False, id="nobody ever saw it"),
    ],
)
def test_when_an_hour_is_lost(before: tuple[int, int], now: tuple[int, int], expected: bool) -> None:
    assert remembering._is_lost(before, now) is expected
