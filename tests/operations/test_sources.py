"""What the findings of each kind say: unowned cost, and months that land high."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache

from apps.allocation.services import allocate
from apps.finops.tables import CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.insights import services as insights
from apps.insights.models import Forecast, ForecastRun
from apps.insights.selectors import NoForecast
from apps.marts.models import Publication
from apps.marts.services import publish
from apps.operations import services
from apps.operations.kinds import KINDS
from apps.operations.models import Recommendation
from apps.operations.sources import landing, ownership
from apps.planning.registry import PLANNERS
from apps.warehouse.sentences import told_of
from tests.allocation import worlds
from tests.operations.worlds import NOW
from tests.worlds import publish_costs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def test_every_kind_names_its_findings_by_itself():
    told = {kind.name: (kind.findings, kind.gone) for kind in KINDS}
    assert all(told[source.KIND] == (source.findings, source.GONE) for source in (ownership, landing))
    assert told.keys() == {"ownership", "landing", "anomaly", "idle", "schedule"} | {one.name for one in PLANNERS}
    assert all(kind.days > 0 and len(kind.name) <= 20 for kind in KINDS)


def test_cost_without_an_owner_is_asked_about_the_largest_and_what_makes_a_hundredth():
    """100 in two days belong to nobody: 60 in two days are 900 in thirty, 0.99 is less than a hundredth of 100."""
    worlds.put(
        CHARGES,
        [
            worlds.charge("60", "db", ServiceName="Database", SubAccountId="7"),
            worlds.charge("39.01", "q", start=24, ServiceName="Queue", SubAccountId="7"),
            worlds.charge("0.99", "m", ServiceName="Mail", SubAccountId="7"),
        ],
    )
    worlds.import_rules("rules: []")
    cache.clear()
    allocate(Window(worlds.DAY, worlds.DAY + 2 * ONE_DAY))
    publish(None, now=NOW)

    first, second = ownership.findings(Publication.objects.get(), NOW)

    assert (str(first.title), first.team, first.currency) == ("Give Database · 7 an owner", "unallocated", "CNY")
    assert [str(one) for one in first.evidence] == [
        f"60.00 CNY from {worlds.DAY} to {worlds.DAY + ONE_DAY} belong to no team", "Nothing speaks for a team yet",
    ]  # fmt: skip
    assert (first.saving_per_month, first.amount_per_month, second.amount_per_month) == (0, 900, Decimal("585.15"))
    assert (first.since, second.since, first.link) == (worlds.DAY, worlds.DAY + ONE_DAY, "/worklist/")


def forecast_of(run: ForecastRun, team: str, low: str, **given: object) -> Forecast:
    month = {
        "period": "2026-11", "kind": "month", "last_day": "2026-11-30", "so_far": "20.000000", "mean": "400.000000",
        "low_80": low, "high_80": "420.000000", "low_95": "1.000000", "high_95": "999.000000",
    }  # fmt: skip
    return Forecast.objects.create(
        run=run, level="team", key=team, currency="CNY", is_naive=False, days=[], landings=[month], origins=8,
        backtest_first_day=date(2026, 10, 1), total_days=28, **{"total_error": 0.041} | given,
    )  # fmt: skip


@pytest.fixture
def october():
    """10 a day in October are 310."""
    days = [date(2026, 10, 1) + timedelta(days=number) for number in range(33)]
    return publish_costs({"day": day, "team": "live", "effective_cost": "10"} for day in days)


def a_run(pinned: Publication) -> ForecastRun:
    return ForecastRun.objects.create(
        publication=pinned.number, model_version="1", inputs="x", first_day=date(2026, 11, 3), created_at=NOW
    )


@pytest.mark.parametrize(
    ("team", "low", "count"),
    [
        pytest.param("live", "300.000001", 1, id="even the lower bound is above"),
        pytest.param("live", "300.000000", 0, id="the lower bound is just the same"),
        pytest.param("live", "290.000000", 0, id="it may be less as well"),
        pytest.param("new", "300.000001", 0, id="a team without cost in the last month"),
    ],
)
def test_a_month_that_lands_clearly_above_the_last(october, team, low, count):
    """Thirty days of October are 300."""
    forecast_of(a_run(october), team, low)

    assert len(landing.findings(october, NOW)) == count


def test_a_longer_month_of_the_same_days_is_nothing_to_look_at():
    """10 a day from August on: October lands at 310, September cost 300."""
    days = [date(2026, 8, 1) + timedelta(days=number) for number in range(66)]
    pinned = publish_costs({"day": day, "team": "live", "effective_cost": "10"} for day in days)
    insights.forecast(now=datetime(2026, 10, 6, 3, tzinfo=UTC))

    assert Forecast.objects.get(level="team").landings[0]["low_80"] == "310.000000"
    assert landing.findings(pinned, NOW) == ()


def test_what_a_high_landing_says(october):
    forecast_of(a_run(october), "live", "380.000000")

    (found,) = landing.findings(october, NOW)

    assert (found.subject, str(found.title)) == (
        "live 2026-11", "Look at why 2026-11 will cost live more than the month before",
    )  # fmt: skip
    assert [str(one) for one in found.evidence] == [
        "2026-11 is expected to land at 400.00 CNY, in 80 of 100 cases between 380.00 and 420.00",
        "2026-10 cost 310.00 CNY, which is 300.00 for as many days; 20.00 CNY are charged so far",
        "At past days such forecasts of four weeks were off by 4.1 % on average",
    ]
    assert (found.saving_per_month, found.amount_per_month, found.since) == (0, 100, date(2026, 11, 1))
    assert found.link == "/forecasts/?level=team&key=live&currency=CNY"


def test_a_last_month_that_is_not_published_whole_is_nothing_to_compare_with(october):
    Publication.objects.update(first_day=date(2026, 10, 2))
    forecast_of(a_run(october), "live", "380.000000", total_error=None)

    assert landing.findings(Publication.objects.get(), NOW) == ()


def test_a_publication_without_a_forecast_says_so_and_nothing_closes(october):
    with pytest.raises(NoForecast):
        landing.findings(october, NOW)


def test_a_publication_is_looked_through_by_every_kind():
    """10 a day from September on, 30 a day from the 25th of October: November lands above October's 450."""
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(71)]
    costs = {day: "30" if day >= date(2026, 10, 25) else "10" for day in days}
    publish_costs({"day": day, "team": "live", "effective_cost": cost} for day, cost in costs.items())
    insights.forecast(now=NOW + timedelta(days=9))

    result = services.recommend(now=NOW + timedelta(days=9))

    (found,) = Recommendation.objects.all()
    assert (found.kind, found.team, found.subject) == ("landing", "live", "live 2026-11")
    assert "2026-10 cost 450.00 CNY, which is 435.48 for as many days; 300.00 CNY are charged so far" in [
        told_of(one) for one in found.evidence
    ]
    assert [problem.subject for problem in result.problems] == ["ownership", "anomaly"], "nothing is allocated"
    assert (result.rows, found.due) == (1, date(2026, 11, 18))
