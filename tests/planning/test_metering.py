"""What prices are of: the days that are both billed and metered, of every cluster its own."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from apps.finops.windows import Window
from apps.insights.idle.listening import Hours
from apps.planning.metering import Metering, _metered
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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("billed", "days"),
    [
        pytest.param(date(2026, 11, 2), 21, id="a week ago: 28 billed days less seven"),
        pytest.param(date(2026, 11, 3), None, id="longer ago"),
    ],
)
def test_nothing_is_planned_where_metering_ended_long_ago(
    home: Path, monkeypatch: pytest.MonkeyPatch, billed: date, days: int | None
) -> None:
    pinned = worlds.publish()  # metered to the 25th
    window = Window(billed - timedelta(days=28), billed)
    monkeypatch.setattr("apps.planning.metering.complete_window", lambda _pinned, **_: window)
    found = Metering.of(pinned, worlds.NOW)
    assert (found and found.days) == days


@pytest.mark.django_db
def test_every_cluster_has_days_of_its_own(home: Path) -> None:
    """The nightly job is metered for four weeks; the shop came later."""
    metering = Metering.of(worlds.publish(days=14, job=True), worlds.NOW)
    assert metering is not None
    found = {cluster: (own.days, [node.stands for node in own.nodes(cluster, own.costed)])
             for cluster, own in metering.clusters()}  # fmt: skip
    assert found == {"offline": (28, [False]), "online": (14, [False, True, True, True])}
