"""A Prometheus that dies in the middle of an answer: said, waited for, and afterwards every number is right."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.finops.tables import USAGE
from apps.ingest.metered import sha256_of
from apps.ingest.models import MeteredDay, Source
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.meter import meter_day
from apps.pipeline import services
from apps.pipeline.models import StepRun
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.ingest import prometheus_world as world
from tests.servers.front import App, Fault, Front, relay, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("home")]
FIRST = datetime.fromtimestamp(world.START, UTC)
LAST = FIRST + timedelta(hours=world.HOURS)
ANSWERED = 5
"""So many questions of a day are answered before it dies."""


@pytest.fixture(scope="module")
def online(prometheus_server: Callable[..., Any]) -> Any:
    return prometheus_server([world.online().text()])


@pytest.fixture
def front(online: Any) -> Iterator[Front]:
    front = Front()
    with running(front, relay(online.port)):
        Source.objects.create(
            name="online", kind="prometheus", location=front.address, created_at=FIRST,
            options={"since": "2026-10-01", "retry_seconds": "0", "concurrency": "1"},
        )  # fmt: skip
        yield front


def cut(front: Front, store: App, *, times: int, tells_length: bool) -> Fault:
    """Send half of an answer and close the connection: a body that ends before its length, or amid its chunks."""
    left = [times]

    def fault(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes] | None:
        if len(front.asked) <= ANSWERED or not left[0]:
            return None
        left[0] -= 1
        told: list[Any] = []
        body = b"".join(store(environ, lambda *given: told.extend(given)))
        status, headers = told
        start_response(status, [one for one in headers if tells_length or one[0].lower() != "content-length"])
        return _half(body)

    return fault


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionResetError("it dies")


def tick(minutes: int) -> StepRun:
    """What the clock and a worker do so many minutes later; the newest run of the meter."""
    now = LAST + timedelta(minutes=minutes)
    services.tick(now=now)
    services.work(now=now, seconds=0)
    return StepRun.objects.filter(step="meter").latest("pk")


def undisturbed(online: Any) -> Any:
    return meter_day(PrometheusConfig.from_options(online.url, "", {}), FIRST, LAST)[0]


@pytest.mark.parametrize("tells_length", [pytest.param(True, id="a length"), pytest.param(False, id="chunks")])
def test_it_is_said_waited_for_and_completed(front: Front, online: Any, tells_length: bool) -> None:
    front.fault = cut(front, relay(online.port), times=10**6, tells_length=tells_length)
    run = tick(0)
    assert (run.state, run.failure) == ("failed", "unavailable")
    assert "failed 4 times, last with: RemoteProtocolError" in run.message
    assert "Check that the server is up" in run.message
    assert (MeteredDay.objects.count(), [name for name in USAGE if lake.files(USAGE[name])]) == (0, [])
    front.fault = None
    StepRun.objects.update(finished_at=LAST)  # by the world's clock
    assert tick(1).state == "done", "it is asked at the next tick"
    tables = undisturbed(online)
    assert MeteredDay.objects.get().content_sha256 == sha256_of(tables)
    kept = {name: rows_of(lake.scan(table).count().as_table())[0][0] for name, table in USAGE.items()}
    assert kept == {name: table.num_rows for name, table in tables.items()}


def test_once_it_is_only_asked_again(front: Front, online: Any) -> None:
    front.fault = cut(front, relay(online.port), times=1, tells_length=True)
    assert (tick(0).state, len(StepRun.objects.filter(step="meter"))) == ("done", 1)
    assert MeteredDay.objects.get().content_sha256 == sha256_of(undisturbed(online))
