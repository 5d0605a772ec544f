"""What becomes of what was idle, or to be switched off at night, in clusters that nobody metered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from apps.finops.findings import Finding
from apps.operations import deciding, services
from apps.operations.deciding import Step
from apps.operations.kinds import BY_NAME
from apps.operations.models import Recommendation
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


def fill(kind: str, found: tuple[Finding, ...], silent: Silent = lambda _day: False, *, others: bool = True) -> None:
    """A publication whose bills are complete, in which this is found: `batch` is heard but on silent days, and so is
    `online` where `others` are not heard all the time."""
    publish_costs(
        [{"day": day, "effective_cost": "1"} for day in DAYS],
        coverage={day: (99, 100) for day in DAYS if others or not silent(day)},
        clusters=[("batch", day, 0 if silent(day) else 99, 100) for day in DAYS],
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
