"""Forecasts of the organisation: its parts are the sums of the teams that stand there on the day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.insights import services
from apps.insights.forecasting import forecast
from apps.insights.history import HORIZON, History
from apps.insights.models import Forecast, ForecastRun
from apps.insights.selectors import forecasts, newest_run
from apps.insights.standing import standing
from apps.learning.calendars import Calendar
from apps.marts.query import Scope
from apps.teams.organising import keep_tree
from apps.teams.tree import Place, Tree, Unit
from tests.worlds import publish_costs

FIRST = date(2026, 8, 31)  # a Monday
END = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
MOVE_BEFORE, MOVE_AHEAD = date(2026, 10, 12), date(2026, 12, 1)

UNITS = (
    Unit("teaching", "department", places=(Place(cost_center="CC-10"),)),
    Unit("growth", "department", places=(Place(cost_center="CC-20"),)),
)
TREE = Tree(
    units=UNITS,
    teams={
        "web": (Place("teaching"),),
        "data": (Place("growth", valid_to=MOVE_BEFORE), Place("teaching", "CC-11", valid_from=MOVE_BEFORE)),
        "ads": (Place("growth", valid_to=MOVE_AHEAD), Place("teaching", valid_from=MOVE_AHEAD)),
    },
)
COSTS = {"web": 100, "data": 50, "ads": 30, "unallocated": 8}
Made = dict[tuple[str, str], Forecast]


def history() -> History:
    """Each team costs the same every day."""
    days = [FIRST + timedelta(days=number) for number in range((END - FIRST).days)]
    teams = {team: dict.fromkeys(days, Decimal(cost)) for team, cost in COSTS.items()}
    whole = {"": dict.fromkeys(days, Decimal(188))}
    stands = standing(TREE, teams, since=date(2026, 10, 1), first=END, days=HORIZON)
    costs = {"total": whole, "team": teams, "service": whole, "cluster": whole} | dict(stands.past)
    return History("CNY", FIRST, END, 0, costs, stands)


@pytest.fixture(scope="module")
def made() -> Made:
    return {(one.level, one.key): one for one in forecast(history(), Calendar(()))}


def on(made: Made, level: str, key: str, day: date) -> Decimal:
    return Decimal(made[level, key].days[(day - END).days][0])


def test_teams_add_up_to_their_cost_centre_and_department_on_every_day(made):
    assert {key for level, key in made if level == "cost_center"} == {
        "CC-10", "CC-11", "CC-20", "",
    }  # fmt: skip
    for day in (END, MOVE_AHEAD - timedelta(days=1), MOVE_AHEAD, END + timedelta(days=91)):
        web, data, ads = (on(made, "team", team, day) for team in ("web", "data", "ads"))
        moved = day >= MOVE_AHEAD
        assert on(made, "cost_center", "CC-10", day) == web + (ads if moved else 0)
        assert on(made, "cost_center", "CC-11", day) == data
        assert on(made, "cost_center", "CC-20", day) == (0 if moved else ads)
        assert on(made, "cost_center", "", day) == on(made, "team", "unallocated", day)
        assert on(made, "department", "teaching", day) == web + data + (ads if moved else 0)


@pytest.mark.parametrize("level", ["department", "cost_center"])
def test_every_level_adds_up_to_the_total_in_days_and_in_landings(made, level):
    total, parts = made["total", ""], [one for (of, _), one in made.items() if of == level]

    for number in range(92):
        assert sum(Decimal(one.days[number][0]) for one in parts) == Decimal(total.days[number][0])
    for period in (0, 1):
        for name in ("so_far", "mean"):
            assert sum(Decimal(one.landings[period][name]) for one in parts) == Decimal(total.landings[period][name])


def test_what_was_charged_so_far_stays_where_the_team_stood(made):
    """1 to 11 October the team data stood in growth: 11 days of 50, beside 32 of 30 by ads."""
    quarter = made["department", "growth"].landings[1]

    assert quarter["so_far"] == "1510.000000"
    assert made["cost_center", "CC-11"].landings[1]["so_far"] == "1050.000000", "21 x 50"


def test_a_team_that_moved_is_no_step_of_its_new_department(made):
    """The cost of web and data was 150 on every day, whoever led them."""
    assert [round(on(made, "department", "teaching", END + timedelta(days=number))) for number in range(5)] == [150] * 5


@pytest.fixture
def published(db, home):
    keep_tree(TREE, NOW)
    publish(23)
    services.forecast(now=NOW)


def publish(days: int) -> None:
    first = END - timedelta(days=days)
    publish_costs(
        {"day": first + timedelta(days=number), "team": team, "effective_cost": str(cost)}
        for number in range(days)
        for team, cost in COSTS.items()
    )


def test_a_part_is_seen_by_those_who_see_all_its_teams(published):
    """Ads will join CC-10 in December; data left growth in October, but costs of this quarter are told of it."""
    run = newest_run()

    def seen(*teams: str) -> set[tuple[str, str]]:
        found = forecasts(run, Scope(frozenset(teams)))
        return {(one.level, one.key) for one in found if one.level != "team"}

    assert seen("web") == set()
    assert seen("web", "ads") == {("cost_center", "CC-10")}
    assert seen("data") == {("cost_center", "CC-11")}
    assert seen("data", "ads") == {("cost_center", "CC-11"), ("cost_center", "CC-20"), ("department", "growth")}
    assert seen() == set()


def test_a_changed_tree_is_forecast_anew_and_one_that_says_the_same_is_not(published):
    before, identity = ForecastRun.objects.get(), services.identity()

    keep_tree(Tree((*UNITS, Unit("new", "department")), TREE.teams), NOW)
    services.forecast(now=NOW)
    assert ForecastRun.objects.get().pk == before.pk
    assert services.identity() != identity, "the step looks again"

    keep_tree(Tree(UNITS, TREE.teams | {"ads": (Place("teaching"),)}), NOW)
    services.forecast(now=NOW)
    assert ForecastRun.objects.get().pk != before.pk
    now = {(one.level, one.key): one for one in Forecast.objects.all()}
    assert on(now, "department", "teaching", END) == sum(on(now, "team", team, END) for team in ("web", "data", "ads"))


def test_without_an_organisation_there_are_no_such_levels():
    costs = {"web": {FIRST: Decimal(1)}}

    assert standing(Tree(), costs, since=FIRST, first=END, days=92).levels == ()
