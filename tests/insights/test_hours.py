"""The hours of the day, of days that can be added up on paper; `tests.api.opencost` tells the company."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from apps.insights.hours import MOST_DAYS, HourOfDay, _Hour, _told, by_hour
from apps.insights.usage_reading import EfficiencyQuery
from apps.marts.query import BadQuestion, Scope
from tests.allocation.worlds import DAY
from tests.api.opencost import hire, publish_world
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
DAYS = (date(2026, 10, 1), date(2026, 10, 3))
WEB = (("namespace", "web"),)


def looked(*, hours: int, observed: int = 60) -> list[dict[str, Any]]:
    """What the monitoring saw of the first hours of the first day."""
    begin = datetime.combine(DAY, datetime.min.time(), ZoneInfo("UTC"))
    return [
        {"hour": begin + timedelta(hours=hour), "day": DAY, "cluster": "online", "observed_samples": observed,
         "expected_samples": 60, "source": "prometheus", "file_id": "f1"}
        for hour in range(hours)
    ]  # fmt: skip


def told(found: tuple[HourOfDay, ...], hour: int) -> list[str | None]:
    """Used, its 95th percentile, requested and held of an hour."""
    one = found[hour]
    amounts = (one.used, one.used_high, one.requested, one.capacity)
    return [None if amount is None else f"{amount.normalize():f}" for amount in amounts]


def test_an_hour_is_the_mean_of_its_days(home: object) -> None:
    """web uses half a core and asks for one on the first day, asks for two and uses nothing on the second."""
    publish_world()
    found = by_hour(EfficiencyQuery(*DAYS, filters=WEB), "cpu")
    assert {tuple(told(found.day, hour)) for hour in range(24)} == {("0.25", "0.5", "1.5", None)}
    assert {one.seen for one in found.day} == {2}
    assert told(by_hour(EfficiencyQuery(*DAYS), "cpu").day, 0) == ["0.25", "0.5", "2.25", "4"]


def test_days_of_the_week_are_told_apart_and_those_without_a_day_are_not_known(home: object) -> None:
    publish_world()
    found = by_hour(EfficiencyQuery(*DAYS, filters=WEB), "cpu").week
    thursday, friday = DAYS[0].weekday(), DAYS[0].weekday() + 1
    assert told(found[24 * thursday :], 9)[:3] == ["0.5", "0.5", "1"]
    assert told(found[24 * friday :], 9)[:3] == ["0", "0", "2"]
    others = {one.weekday: told(found, place) for place, one in enumerate(found)}
    assert {day: others[day] for day in others if day not in (thursday, friday)} == dict.fromkeys(
        set(range(7)) - {thursday, friday}, [None] * 4
    )


def test_hours_are_those_of_the_companys_clock(home: object, settings: LazySettings) -> None:
    publish_world()
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    assert by_hour(EfficiencyQuery(*DAYS), "cpu").time_zone == "Asia/Shanghai"
    assert sum(one.seen for one in by_hour(EfficiencyQuery(*DAYS), "cpu").day) == 48


def test_what_was_looked_at_and_did_not_run_used_nothing_and_the_rest_is_not_known(home: object) -> None:
    publish_world(coverage_hours=looked(hours=2))
    found = by_hour(EfficiencyQuery(*DAYS, filters=(("namespace", "nobody"),)), "cpu").day
    seen = [one for one in found if one.seen]
    assert [(one.used, one.coverage) for one in seen] == [(Decimal(0), Decimal(1))] * 2
    assert {(one.used, one.requested, one.coverage) for one in found if not one.seen} == {(None, None, None)}


def test_what_nobody_measured_is_not_known(home: object) -> None:
    publish_costs([{"day": DAY, "team": "web", "cluster": "online", "effective_cost": "5", "kind": "idle"}])
    assert {tuple(told(by_hour(EfficiencyQuery(*DAYS), "gpu").day, hour)) for hour in range(24)} == {(None,) * 4}


def test_a_team_sees_its_own_and_not_what_is_held(home: object) -> None:
    publish_world()
    own = by_hour(EfficiencyQuery(*DAYS, scope=Scope(frozenset({"web"}))), "cpu")
    assert told(own.day, 3) == ["0.25", "0.5", "1.5", None]
    nothing = by_hour(EfficiencyQuery(*DAYS, scope=Scope(frozenset())), "cpu")
    assert told(nothing.day, 3)[2:] == [None, None]


@pytest.mark.parametrize(
    ("days", "resource", "said"),
    [
        pytest.param(MOST_DAYS + 1, "cpu", f"at most {MOST_DAYS} days", id="a longer window"),
        pytest.param(1, "disk", "resource: 'disk'", id="no such resource"),
    ],
)
def test_a_wrong_question_is_named(home: object, days: int, resource: str, said: str) -> None:
    with pytest.raises(BadQuestion, match=said):
        by_hour(EfficiencyQuery(DAY, DAY + timedelta(days=days)), resource)


@given(st.lists(st.decimals("0", "1000", places=6) | st.none(), max_size=200))
def test_the_percentile_is_one_that_was_used_and_at_least_95_of_100_were_not_more(used: list[Decimal | None]) -> None:
    one = _told((-1, 0), [_Hour(amount, amount, None, 1, 1) for amount in used])
    known = [amount for amount in used if amount is not None]
    assert one.seen == len(known)
    if one.used_high is None:
        assert not known
    else:
        assert one.used_high in known
        assert sum(amount <= one.used_high for amount in known) * 100 >= 95 * len(known)


def test_the_api_the_csv_and_the_page_say_the_same(home: object) -> None:
    publish_world()
    clients = hire()
    told_to_all = clients["boss"].get("/api/v1/efficiency/hours/?namespace=web").json()["rows"]
    assert len(told_to_all) == 24
    assert {
        (row["used"], row["used_p95"], row["requested"], row["capacity"], row["weekday"]) for row in told_to_all
    } == {("0.250000", "0.500000", "1.500000", None, None)}
    week = clients["boss"].get("/api/v1/efficiency/hours/?by=week").json()["rows"]
    assert [(row["weekday"], row["hour"]) for row in week] == [(day, hour) for day in range(1, 8) for hour in range(24)]
    page = clients["boss by session"].get("/efficiency/?namespace=web").content.decode()
    assert "By the hour of the day" in page
    assert "By weekday and hour" not in page  # two days say nothing of a week
    figure = clients["boss by session"].get("/figures/efficiency/hours/?namespace=web").json()
    assert [one["name"] for one in figure["data"]] == ["Used", "Used, 95th percentile", "Requested"]
