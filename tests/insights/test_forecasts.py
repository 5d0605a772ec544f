"""Forecasts of a published company: what is forecast, from which days, and that it adds up."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.calendars.selectors import BadSeason
from apps.insights import services
from apps.insights.history import complete_until
from apps.insights.models import Forecast, ForecastRun
from apps.insights.selectors import NoForecast, days_of, forecasts, newest_run
from apps.marts.query import EVERYTHING, Scope
from tests.worlds import publish_costs

FIRST = date(2026, 8, 31)  # a Monday
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
WEEK = (100, 110, 120, 110, 100, 40, 30)


def world(days: int = 63, *, first: date = FIRST, **changed: str) -> list[dict[str, object]]:
    """Two teams, the second twice as large, in two services and one currency; one team also pays in dollars."""
    rows: list[dict[str, object]] = []
    for number in range(days):
        day = first + timedelta(days=number)
        cost = WEEK[number % 7]
        rows += [
            {"day": day, "team": "web", "service": "compute", "cluster": "gz", "effective_cost": str(cost)},
            {"day": day, "team": "data", "service": "storage", "cluster": "", "effective_cost": f"{2 * cost}.5"},
            {"day": day, "team": "data", "service": "storage", "currency": "USD", "effective_cost": "7"},
        ]
    return rows


@pytest.fixture
def published(db, home):
    publish_costs(world())
    return services.forecast(now=NOW)


def found(level: str, key: str = "", currency: str = "CNY") -> Forecast:
    return Forecast.objects.get(level=level, key=key, currency=currency)


def test_every_level_is_forecast_in_its_own_currency(published):
    made = set(Forecast.objects.values_list("level", "key", "currency"))

    assert made == {
        ("total", "", "CNY"), ("team", "web", "CNY"), ("team", "data", "CNY"), ("service", "compute", "CNY"),
        ("service", "storage", "CNY"), ("cluster", "gz", "CNY"), ("cluster", "", "CNY"),
        ("total", "", "USD"), ("team", "data", "USD"), ("service", "storage", "USD"), ("cluster", "", "USD"),
    }  # fmt: skip
    assert published.rows == 11


def test_the_parts_of_every_level_add_up_to_the_total_to_the_last_decimal(published):
    total = [Decimal(day[0]) for day in found("total").days]

    for level in ("team", "service", "cluster"):
        parts = [one.days for one in Forecast.objects.filter(level=level, currency="CNY")]
        assert [sum(Decimal(part[number][0]) for part in parts) for number in range(len(total))] == total


def test_landings_add_up_and_hold_what_was_charged_so_far(published):
    """63 days from 31 August end on 1 November: one day of November and 32 of the quarter are charged."""
    month, quarter = found("team", "web").landings

    assert (month["period"], month["last_day"], month["so_far"]) == ("2026-11", "2026-11-30", "30.000000")
    assert (quarter["period"], quarter["last_day"]) == ("2026-Q4", "2026-12-31")
    totals = [Decimal(one.landings[0]["mean"]) for one in Forecast.objects.filter(level="team", currency="CNY")]
    assert sum(totals) == Decimal(found("total").landings[0]["mean"])
    assert Decimal(month["low_95"]) <= Decimal(month["low_80"]) <= Decimal(month["mean"]) <= Decimal(month["high_80"])


def test_a_week_that_repeats_is_forecast_as_it_was(published):
    """Monday 2 November and the six days after it."""
    days = found("team", "web").days

    assert [round(float(day[0])) for day in days[:7]] == pytest.approx(list(WEEK), abs=3)
    assert len(days) == 92


@pytest.fixture
def late_dollars(db, home):
    """The bill in dollars, ten on weekends and a hundred else, is three days later: October is not whole in it."""
    rows = [row for row in world() if row.get("currency") != "USD"]
    days = [FIRST + timedelta(days=number) for number in range(60)]
    dollars = {"team": "data", "service": "storage", "source": "us", "currency": "USD"}
    publish_costs([*rows, *(dollars | {"day": day, "effective_cost": weekly(day)} for day in days)])
    services.forecast(now=NOW)


def weekly(day: date) -> str:
    return "10" if day.weekday() >= 5 else "100"


def test_a_currency_whose_bill_is_later_is_forecast_from_its_own_day_on(late_dollars):
    first = {one.currency: days_of(one)[0][0] for one in Forecast.objects.filter(level="total")}
    assert first == {"CNY": date(2026, 11, 2), "USD": date(2026, 10, 30)}
    days = days_of(found("total", currency="USD"))
    assert [round(float(amounts[0])) for _, amounts in days[:7]] == pytest.approx(
        [float(weekly(day)) for day, _ in days[:7]], abs=3
    )
    assert "From 2026-10-30 (USD), 2026-11-02 (CNY), publication" in said("list")


def test_its_landing_is_the_days_charged_and_the_days_ahead(late_dollars):
    """29 days of October are charged, two are ahead."""
    one = found("total", currency="USD")
    month = one.landings[0]
    october = [Decimal(amounts[0]) for day, amounts in days_of(one) if day < date(2026, 11, 1)]
    charged = sum(Decimal(weekly(date(2026, 10, day))) for day in range(1, 30))
    assert (month["period"], len(october), Decimal(month["so_far"])) == ("2026-10", 2, charged)
    assert Decimal(month["mean"]) == charged + sum(october)


def test_a_forecast_made_before_currencies_had_days_of_their_own_begins_with_its_run(published):
    Forecast.objects.update(first_day=None)
    assert days_of(found("total"))[0][0] == date(2026, 11, 2)


def test_the_same_costs_are_not_learned_from_again(published):
    before = ForecastRun.objects.get()
    publish_costs(world())

    services.forecast(now=NOW + timedelta(hours=1))

    after = ForecastRun.objects.get()
    assert (after.pk, after.publication) == (before.pk, before.publication + 1)


def test_other_costs_are_forecast_anew_and_the_earlier_forecast_stays(published):
    publish_costs([row | {"effective_cost": "9"} for row in world()])

    services.forecast(now=NOW)

    assert ForecastRun.objects.count() == 2
    newest = newest_run()
    total = next(one for one in forecasts(newest, EVERYTHING, level="total", currency="USD"))
    assert [float(day[0]) for day in total.days[:3]] == pytest.approx([9, 9, 9])


def test_less_than_three_weeks_are_not_forecast_and_it_is_said(db, home):
    publish_costs(world(20))

    result = services.forecast(now=NOW)

    assert not Forecast.objects.exists()
    assert {problem.subject for problem in result.problems} == {"CNY", "USD"}
    assert "21 days" in result.problems[0].message


def test_somebody_of_a_team_sees_forecasts_of_this_team_only(published):
    seen = forecasts(newest_run(), Scope(frozenset({"web"})))

    assert [(one.level, one.key) for one in seen] == [("team", "web")]
    assert forecasts(newest_run(), Scope(frozenset())) == []


def test_without_any_forecast_it_is_said_how_to_make_one(db):
    with pytest.raises(NoForecast, match="fill --step forecast"):
        newest_run()


DAYS = [date(2026, 10, 1) + timedelta(days=number) for number in range(40)]


@pytest.mark.parametrize(
    ("last_days", "today", "dropped"),
    [
        pytest.param(["10", "10"], 60, 0, id="all days are as usual"),
        pytest.param(["10", "4"], 60, 1, id="less than half of the usual: the bill is not whole yet"),
        pytest.param(["10", None], 60, 1, id="a source that charges every day has not charged"),
        pytest.param(["1", "1"], 60, 2, id="two days are late"),
        pytest.param(["10", "10"], 39, 1, id="today is not over"),
        pytest.param(["1"] * 9, 60, 0, id="after a week of little, little is what it costs now"),
    ],
)
def test_incomplete_last_days_are_dropped(last_days, today, dropped):
    usual = ["10"] * (len(DAYS) - len(last_days))
    costs = {day: Decimal(cost) for day, cost in zip(DAYS, [*usual, *last_days], strict=True) if cost}
    end = DAYS[-1] + timedelta(days=1)

    last = complete_until({"bill": costs}, start=DAYS[0], end=end, today=DAYS[0] + timedelta(days=today))

    assert (end - last).days == dropped


@pytest.mark.parametrize("silent", range(6, 11), ids="{} days".format)
def test_a_source_that_stopped_hides_no_other_that_is_late(silent):
    bills = {"contract": DAYS[:-silent], "cloud": DAYS[:-3]}
    costs = {source: dict.fromkeys(days, Decimal(10)) for source, days in bills.items()}
    end = DAYS[-1] + timedelta(days=1)

    last = complete_until(costs, start=DAYS[0], end=end, today=end)

    assert (end - last).days == (6 if silent == 6 else 3), "a week is waited for, and no longer"


@pytest.mark.parametrize(
    ("last_day", "dropped"),
    [
        pytest.param({"bill": "100", "credits": "-10"}, 0, id="all is as usual"),
        pytest.param(
            {"bill": "20", "credits": "-10"}, 1, id="credits as usual do not hide that the bill came by a fifth"
        ),
        pytest.param({"bill": "100", "credits": "-12"}, 0, id="more credits than usual"),
        pytest.param({"bill": "100", "credits": "-4"}, 1, id="less than half of the usual credits"),
        pytest.param({"bill": "100"}, 1, id="no credits yet"),
        pytest.param({"bill": "100", "credits": "3"}, 1, id="a charge where credits are usual"),
        pytest.param({"bill": "-300", "credits": "-10"}, 1, id="a refund where a bill is usual"),
        pytest.param({"bill": "100", "credits": "-10", "zero": "-1"}, 0, id="half of nothing is nothing"),
    ],
)
def test_a_day_of_credits_is_whole_by_its_size(last_day, dropped):
    usual = {"bill": "100", "credits": "-10", "zero": "0"}
    costs = {source: dict.fromkeys(DAYS[:-1], Decimal(cost)) for source, cost in usual.items()}
    for source, cost in last_day.items():
        costs[source][DAYS[-1]] = Decimal(cost)
    end = DAYS[-1] + timedelta(days=1)

    assert (end - complete_until(costs, start=DAYS[0], end=end, today=end)).days == dropped


@pytest.mark.parametrize("text", ["term", "term:2026-09-01", "term:2026-09-01..soon"])
def test_a_season_that_cannot_be_read_is_refused(settings, text):
    settings.COSTOPS_SEASONS = [text]

    with pytest.raises(BadSeason, match=r"write school term:2026-09-01\.\.2027-01-15"):
        services.calendar()


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("forecast", *words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(("left_out", "told"), [(0, "publication 1.\n"), (2, "; 2 last days were incomplete.\n")])
def test_the_terminal_says_which_days_were_left_out(db, left_out, told):
    ForecastRun.objects.create(publication=1, model_version="1", inputs="1", dropped_days=left_out, created_at=NOW)
    assert said("list").endswith(told)


def test_the_terminal_lists_landings_and_shows_days(published):
    (row,) = [one for one in csv.DictReader(io.StringIO(said("list", "--level", "team", "--format", "csv")))
              if (one["key"], one["currency"], one["period"]) == ("web", "CNY", "2026-11")]  # fmt: skip
    assert row["so_far"] == "30.000000"

    shown = list(csv.DictReader(io.StringIO(said("show", "team", "web", "--currency", "CNY", "--format", "csv"))))
    assert (shown[0]["day"], len(shown)) == ("2026-11-02", 92)
    assert "publication" in said("list")


def test_what_was_not_forecast_is_refused_by_name(published):
    with pytest.raises(CommandError, match="no forecast of team nobody"):
        said("show", "team", "nobody")
