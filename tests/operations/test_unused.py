"""What becomes of what was idle, or to be switched off at night, in clusters that nobody metered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from apps.finops.findings import Finding
from apps.finops.tables import COVERAGE_HOURS, NODE_HOURS, WORKLOAD_HOURS
from apps.operations import deciding, services
from apps.operations.deciding import Step
from apps.operations.kinds import BY_NAME
from apps.operations.models import Recommendation
from tests.insights.idle_world import write
from tests.operations.worlds import ANYBODY, NOW, a_finding, one
from tests.worlds import publish_costs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
TODAY = NOW.date()
DAYS = [date(2026, 7, 1) + timedelta(days=number) for number in range((TODAY - date(2026, 7, 1)).days)]
Silent = Callable[[date], bool]
LONELY = {"scope": {"team": "live", "cluster": "batch", "namespace": "jobs"}}


def ago(day: date) -> int:
    """How many days that are over lie after a day: none after yesterday."""
    return (TODAY - day).days - 1


def fill(
    kind: str,
    found: tuple[Finding, ...],
    silent: Silent = lambda _day: False,
    *,
    others: bool = True,
    halved: Silent = lambda _day: False,
) -> None:
    """A publication whose bills are complete, in which this is found: `batch` is heard but on silent days, in part on
    halved ones, and so is `online` where `others` are not heard all the time."""
    publish_costs(
        [{"day": day, "effective_cost": "1"} for day in DAYS],
        coverage={day: (99, 100) for day in DAYS if others or not silent(day)},
        clusters=[("batch", day, 0 if silent(day) else 50 if halved(day) else 99, 100) for day in DAYS],
    )
    services.recommend(now=NOW, kinds=[replace(BY_NAME[kind], findings=lambda _pinned, _now: found)])


def begun(kind: str = "idle", **given: Any) -> None:
    """Something is found and in progress."""
    fill(kind, (a_finding(kind=kind, **given),))
    for action in ("accept", "start"):
        deciding.take([one(given.get("subject", "disk-1"))], Step(action), by=ANYBODY, now=NOW)


@pytest.mark.parametrize(
    ("silent", "state"),
    [
        pytest.param(lambda _day: False, "done", id="heard"),
        pytest.param(lambda day: ago(day) < 1, "done", id="not heard for a day"),
        pytest.param(lambda day: ago(day) < 2, "in_progress", id="not heard for two: nothing of it is there"),
        pytest.param(lambda day: ago(day) < 40, "in_progress", id="not heard for weeks"),
        pytest.param(lambda day: ago(day) < 61, "in_progress", id="not heard for almost two months"),
        pytest.param(lambda day: ago(day) < 62, "done", id="for two months: it is no more"),
        pytest.param(lambda day: 3 <= ago(day) < 12, "done", id="heard again, after few days"),
        pytest.param(lambda day: 3 <= ago(day) < 13, "in_progress", id="heard again, with a fifth of the days unknown"),
        pytest.param(lambda day: 3 <= ago(day) < 53, "in_progress", id="heard again, since three days"),
    ],
)
def test_what_is_in_progress_is_done_only_where_its_cluster_is_heard(silent: Silent, state: str) -> None:
    begun(**LONELY)

    fill("idle", (), silent)

    assert one().state == state


def off(since: int, *, until: int = 0) -> Silent:
    """Silent at weekends, for so many days; NOW is a Monday."""
    return lambda day: until <= ago(day) < since and day.weekday() >= 5


@pytest.mark.parametrize(
    ("silent", "state"),
    [
        pytest.param(off(14), "in_progress", id="its second weekend: it may be an outage"),
        pytest.param(off(14, until=7), "done", id="it is heard after two weekends"),
        pytest.param(off(21), "done", id="its third: it is silent on most of them"),
        pytest.param(off(60), "done", id="for months"),
        pytest.param(off(200), "done", id="as long as it is known"),
        pytest.param(lambda day: off(60)(day) or ago(day) < 5, "in_progress", id="and an outage since"),
        pytest.param(lambda day: off(60)(day) or ago(day) < 12, "in_progress", id="and a longer one"),
        pytest.param(lambda day: off(60)(day) or 2 <= ago(day) < 19, "in_progress", id="and one that ended"),
        pytest.param(lambda day: 2 <= ago(day) < 22, "in_progress", id="an outage over three of every weekday"),
        pytest.param(lambda day: day.weekday() < 4, "done", id="on most days of the week"),
    ],
)
def test_a_cluster_that_is_off_at_weekends_is_heard(silent: Silent, state: str) -> None:
    begun("schedule", **LONELY)

    fill("schedule", (), silent)

    assert one().state == state


# --- Switched off by the clock ----------------------------------------------------------------------------------------
Off = Callable[[datetime], bool]


def hour(day: date, number: int) -> datetime:
    return datetime.combine(day, time(number), UTC)


def fill_by_hours(
    kind: str,
    off: Off,
    found: tuple[Finding, ...] = (),
    there: tuple[tuple[str, str], ...] = (),
    runs: Off = lambda _at: False,
) -> None:
    """The same of `batch` heard in every hour but those in which it is `off`. On the last day it is heard these
    workloads stand in it, and the node n1; jobs/etl `runs` in hours in which it is heard."""
    told = {day: [number for number in range(24) if not off(hour(day, number))] for day in DAYS}
    pinned = publish_costs(
        [{"day": day, "effective_cost": "1"} for day in DAYS],
        clusters=[("batch", day, 4 * len(heard), 96) for day, heard in told.items()],
    )
    hours = [
        usage(day, number) | {"observed_samples": 4 if number in told[day] else 0, "expected_samples": 4}
        for day in DAYS for number in range(24)
    ]  # fmt: skip
    last = max(day for day, heard in told.items() if heard)
    stood = [usage(last, told[last][0]) | {"namespace": one, "workload": name} for one, name in there]
    stood += [
        usage(day, number) | {"namespace": "jobs", "workload": "etl", "cpu_request_core_hours": 1}
        for day in DAYS[-30:] for number in told[day] if runs(hour(day, number))
    ]  # fmt: skip
    nodes = [usage(last, told[last][0]) | {"node": "n1"}] if there else []
    tables = ((COVERAGE_HOURS, hours), (WORKLOAD_HOURS, stood), (NODE_HOURS, nodes))
    pinned.versions |= {table.name: write(table, rows) for table, rows in tables}
    pinned.save()
    services.recommend(now=NOW, kinds=[replace(BY_NAME[kind], findings=lambda _pinned, _now: found)])


def usage(day: date, number: int) -> dict[str, Any]:
    return {"source": "s", "day": day, "file_id": "f", "hour": hour(day, number), "cluster": "batch"}


def by_the_clock(since: int, *, hours: int = 10, weekends: bool = True) -> Off:
    """Heard from eight o'clock on for so many hours, for so many days."""

    def off(at: datetime) -> bool:
        is_open = (at.hour - 8) % 24 < hours and not (weekends and at.weekday() >= 5)
        return ago(at.date()) < since and not is_open

    return off


@pytest.mark.parametrize("kind", ["idle", "schedule"])
@pytest.mark.parametrize(
    ("off", "state"),
    [
        pytest.param(by_the_clock(14), "in_progress", id="nights and weekends for two weeks: it may be an outage"),
        pytest.param(by_the_clock(22), "done", id="for three"),
        pytest.param(by_the_clock(60), "done", id="for two months"),
        pytest.param(by_the_clock(200), "done", id="always"),
        pytest.param(by_the_clock(22, weekends=False), "done", id="nights alone"),
        pytest.param(by_the_clock(60, hours=2), "done", id="but for two hours of working days"),
        pytest.param(lambda at: by_the_clock(60)(at) or ago(at.date()) < 4, "in_progress", id="and an outage since"),
        pytest.param(
            lambda at: by_the_clock(60)(at) or 3 <= ago(at.date()) < 24, "in_progress", id="and one that ended"
        ),
        pytest.param(
            lambda at: ago(at.date()) < 60 and ago(at.date()) % 2 == 0 and at.hour >= 8, "in_progress",
            id="in most hours of every other day",
        ),
        pytest.param(lambda at: ago(at.date()) < 20, "in_progress", id="an outage over three of every hour"),
    ],
)  # fmt: skip
def test_a_cluster_that_is_off_at_night_is_heard(kind: str, off: Off, state: str) -> None:
    begun(kind, **LONELY)

    fill_by_hours(kind, off)

    assert one().state == state


@pytest.mark.parametrize(
    ("given", "off", "state"),
    [
        pytest.param(LONELY, by_the_clock(60), "in_progress", id="a namespace"),
        pytest.param(LONELY, by_the_clock(60, hours=23, weekends=False), "done", id="that was judged, and is used"),
        pytest.param(
            {"scope": {"team": "live", "cluster": "batch", "namespace": "other"}}, by_the_clock(60), "done",
            id="a namespace that is gone",
        ),
        pytest.param(
            {"scope": LONELY["scope"] | {"workload": "etl"}}, by_the_clock(60), "in_progress", id="a workload"
        ),
        pytest.param(
            {"scope": LONELY["scope"] | {"workload": "old"}}, by_the_clock(60), "done", id="a workload that is gone"
        ),
        pytest.param(
            {"subject": "node batch/n1 live CNY", "scope": {"team": "live", "resource": "i-n1"}}, by_the_clock(60),
            "in_progress", id="a node",
        ),
        pytest.param(
            {"subject": "node batch/n10 live CNY", "scope": {"team": "live", "resource": "i-n10"}}, by_the_clock(60),
            "done", id="a node that is gone",
        ),
    ],
)  # fmt: skip
def test_what_is_idle_and_still_there_is_not_done_where_nothing_can_be_said_of_it(
    given: dict[str, Any], off: Off, state: str
) -> None:
    """The finder asks for four fifths of all hours."""
    begun(**given)

    fill_by_hours("idle", off, there=(("jobs", "etl"),))

    assert Recommendation.objects.get().state == state


@pytest.mark.parametrize(
    ("since", "state"),
    [
        pytest.param(15, "done", id="not for long"),
        pytest.param(30, "in_progress", id="for weeks"),
        pytest.param(63, "in_progress", id="for most of what is known: it is not usual yet"),
        pytest.param(100, "done", id="two months after anything could be told: nobody waits for ever"),
        pytest.param(200, "done", id="always: it is usual"),
    ],
)
def test_a_cluster_of_which_half_is_heard_is_waited_for_two_months(since: int, state: str) -> None:
    begun(**LONELY)

    fill("idle", (), halved=lambda day: ago(day) < since)

    assert one().state == state


def test_what_is_in_progress_in_a_cluster_that_is_heard_now_and_then_has_an_end() -> None:
    begun(**LONELY)

    fill("idle", (), lambda day: ago(day) < 90 and ago(day) % 9 > 1)

    assert one().state == "done"


@pytest.mark.parametrize(
    ("silent_days", "state"),
    [
        pytest.param(27, "done", id="of the 28 costed days one is metered"),
        pytest.param(28, "in_progress", id="none is: what runs in it costs nothing"),
    ],
)
def test_where_all_metering_ended_it_stays_once_no_costed_day_is_metered(silent_days: int, state: str) -> None:
    begun(**LONELY)

    fill("idle", (), lambda day: ago(day) < silent_days, others=False)

    assert one().state == state


@pytest.mark.parametrize(
    ("kind", "given", "state"),
    [
        pytest.param("schedule", LONELY, "in_progress", id="hours to switch off"),
        pytest.param(
            "idle", {"subject": "node batch/n1 live CNY", "scope": {"team": "live", "resource": "i-n1"}}, "in_progress",
            id="a node",
        ),
        pytest.param(
            "idle", {"subject": "node batch-2/n1 live CNY", "scope": {"team": "live", "resource": "i-n1"}}, "done",
            id="a node of a cluster of which nothing is known",
        ),
        pytest.param(
            "idle", {"scope": {"team": "live", "cluster": "online", "namespace": "jobs"}}, "done",
            id="in another cluster",
        ),
        pytest.param(
            "idle", {"subject": "disk d-1 live CNY", "scope": {"team": "live", "resource": "d-1"}}, "done",
            id="a disk: the bill tells of it",
        ),
    ],
)  # fmt: skip
def test_what_a_silent_cluster_says_nothing_of(kind: str, given: dict[str, Any], state: str) -> None:
    begun(kind, **given)

    fill(kind, (), lambda day: ago(day) < 10)

    assert Recommendation.objects.get().state == state


def test_what_nobody_began_closes_as_ever() -> None:
    fill("idle", (a_finding(**LONELY),))

    fill("idle", (), lambda day: ago(day) < 10)

    assert one().state == "closed"


# --- Off in the hours that a schedule named ---------------------------------------------------------------------------
ETL = {"scope": LONELY["scope"] | {"workload": "etl"}}
NIGHTS = tuple((weekday, 18, 14) for weekday in range(4))
WEEKEND = ((4, 18, 62),)
"""From six in the evening to eight, and from Friday evening to Monday."""


def at_work(at: datetime) -> bool:
    return 8 <= at.hour < 18 and at.weekday() < 5


def weekend(at: datetime) -> bool:
    return at.weekday() >= 5


@pytest.mark.parametrize(
    ("off", "runs", "state"),
    [
        pytest.param(weekend, lambda _at: True, "in_progress", id="its cluster is off at weekends, nights run"),
        pytest.param(lambda _at: False, lambda _at: True, "in_progress", id="it works in all hours again"),
        pytest.param(lambda _at: False, lambda at: not weekend(at), "in_progress", id="only weekends are off"),
        pytest.param(lambda _at: False, at_work, "done", id="it is off when it is to be"),
        pytest.param(lambda _at: False, lambda at: at_work(at) or at.hour == 18, "done", id="each night an hour late"),
        pytest.param(weekend, at_work, "done", id="its cluster is off at weekends, and it at night"),
        pytest.param(by_the_clock(60), lambda _at: True, "done", id="its cluster is off when it is to be"),
        pytest.param(lambda _at: False, lambda _at: False, "done", id="it is gone"),
        pytest.param(
            lambda at: ago(at.date()) in (5, 6, 7) and not at_work(at), at_work, "in_progress",
            id="the cluster was not metered in some of the nights",
        ),
    ],
)  # fmt: skip
def test_what_is_to_be_off_is_done_once_it_is_off_in_the_hours_that_were_named(off: Off, runs: Off, state: str) -> None:
    begun("schedule", **ETL, hours=(*NIGHTS, *WEEKEND))

    fill_by_hours("schedule", off, runs=runs)

    assert one().state == state
