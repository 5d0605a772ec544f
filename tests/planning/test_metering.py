"""What prices are of: the days that are both billed and metered, of every cluster its own."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from apps.finops.problems import Problem
from apps.finops.windows import Window
from apps.insights.idle.listening import Hours
from apps.operations import services as operations
from apps.operations.kinds import KINDS
from apps.operations.models import Recommendation
from apps.planning import services as planning
from apps.planning.metering import Metering, _metered
from apps.planning.planners import pools
from tests.planning import worlds

BILLED = Window(date(2026, 10, 1), date(2026, 10, 29))


def clock(local: str, zone: str) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()) // 3600


@pytest.mark.parametrize(
    ("first", "end", "zone", "days"),
    [
        pytest.param("2026-09-01T00:00", "2026-10-30T12:00", "UTC", "2026-10-01..2026-10-29", id="metered for longer"),
        pytest.param("2026-10-15T00:00", "2026-10-29T00:00", "UTC", "2026-10-15..2026-10-29", id="from a midnight on"),
        pytest.param("2026-10-15T09:00", "2026-10-29T00:00", "UTC", "2026-10-16..2026-10-29", id="from a morning on"),
        pytest.param("2026-09-01T00:00", "2026-10-20T17:00", "UTC", "2026-10-01..2026-10-20", id="metering ended"),
        pytest.param("2026-10-15T00:00", "2026-11-01T00:00", "Asia/Shanghai", "2026-10-15..2026-10-29", id="east"),
        pytest.param("2026-10-14T23:00", "2026-11-01T00:00", "Asia/Kolkata", "2026-10-15..2026-10-29", id="half hours"),
        pytest.param("2026-10-29T00:00", "2026-11-01T00:00", "UTC", "None", id="metered when bills had ended"),
        pytest.param("2026-08-01T00:00", "2026-10-01T00:00", "UTC", "None", id="metering ended before"),
    ],
)
def test_a_day_is_priced_where_it_is_metered_from_end_to_end(first: str, end: str, zone: str, days: str) -> None:
    hours = Hours(clock(first, zone), clock(end, zone))
    assert str(_metered(BILLED, hours, ZoneInfo(zone))) == days


@pytest.fixture
def bills(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Lets the complete days of the bill end on a day."""

    def end(day: date) -> None:
        window = Window(day - timedelta(days=28), day)
        monkeypatch.setattr("apps.planning.metering.complete_window", lambda _pinned, **_: window)

    return end


@pytest.mark.django_db
def test_an_outage_of_metering_keeps_plans_and_what_they_recommended(home: Path, bills: Callable[[date], None]) -> None:
    """The shop is metered to the 25th: a week later its days are priced still, then its earlier plans stay."""
    pinned = worlds.publish()
    bills(date(2026, 11, 2))
    found = Metering.of(pinned, worlds.NOW)
    assert found is not None
    assert found.days == 21
    kinds = [kind for kind in KINDS if kind.name == "pools"]

    def fill() -> tuple[Problem, ...]:
        told = planning.plan(now=worlds.NOW, planners=[pools.PLANNER]).problems
        operations.recommend(now=worlds.NOW, kinds=kinds)
        return told

    assert fill() == ()
    bills(date(2026, 11, 3))
    (problem,) = fill()
    assert problem.message == (
        "Metering ended on 2026-10-25, more than a week before bills do; look at the sources of usage. "
        "Earlier plans stay."
    )
    assert [(one.subject, one.state) for one in Recommendation.objects.all()] == [("online", "found")]
    bills(date(2026, 12, 1))
    assert fill() == (), "no day is both metered and billed: nothing is left to plan"
    assert [one.state for one in Recommendation.objects.all()] == ["closed"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("metered", "job", "shop"),
    [
        pytest.param({"days": 14}, 28, 14, id="the shop came later"),
        pytest.param({"silent": 3}, 27, 25, id="the shop is silent for three days"),
        pytest.param({"silent": 7}, 27, 21, id="for a week"),
        pytest.param({"silent": 8}, 27, None, id="for longer: nobody knows what there is to plan"),
    ],
)
def test_every_cluster_has_days_of_its_own(home: Path, metered: dict[str, int], job: int, shop: int | None) -> None:
    """The nightly job is metered for four weeks, to three in the morning of the last day where it is alone."""
    metering = Metering.of(worlds.publish(**metered, job=True), worlds.NOW)
    assert metering is not None
    found = {cluster: (own.days, [node.stands for node in own.nodes(cluster, own.costed)])
             for cluster, own in metering.clusters()}  # fmt: skip
    online = {"online": (shop, [False, True, True, True])} if shop else {}
    assert found == {"offline": (job, [False])} | online
