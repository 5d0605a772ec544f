"""How budgets stand: by hand on ten a day, with a forecast whose bounds are known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.budgets import selectors, services
from apps.budgets.drafts import BadBudget
from apps.budgets.looking import look_ahead
from apps.budgets.models import Outlook
from apps.dashboards.budget_words import remarks, sentence
from apps.insights.models import Forecast
from apps.rates.services import import_rates
from tests.budgets.worlds import FINANCE, NOVEMBER, NOW, budget, costs, forecast_ten_a_day, hire, publish
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company(home):
    hire()


@pytest.mark.parametrize(
    ("amount", "state", "probability", "exceeds_on"),
    [
        # 200 were spent in twenty days, ten more days at ten: it lands at 300, in 80 cases within 10, in 95 in 20.
        pytest.param("321", "on_track", "0.02", None, id="above all bounds: it is kept"),
        pytest.param("310", "on_track", "0.10", None, id="at the upper bound of 80: one in ten ends above"),
        pytest.param("300", "at_risk", "0.50", None, id="at the landing: every other case ends above"),
        pytest.param("290", "at_risk", "0.90", date(2026, 11, 30), id="at the lower bound: above by the last day"),
        # By the 28th 280 are expected, 270 at least in nine of ten: 272.5 are passed in eight of ten.
        pytest.param("272.5", "at_risk", "0.98", date(2026, 11, 28), id="will exceed on the 28th in 80 of 100 cases"),
        pytest.param("200", "at_risk", "0.98", date(2026, 11, 21), id="all of it is spent, and not more"),
        pytest.param("199.99", "exceeded", "0.98", date(2026, 11, 20), id="exceeded on the day it went above"),
        pytest.param("0", "exceeded", "0.98", date(2026, 11, 1), id="nothing may be spent, ten were on the first day"),
    ],
)
def test_it_lands_where_spent_and_forecast_come_together(amount, state, probability, exceeds_on):
    forecast_ten_a_day(publish())
    budget(amount=amount)

    (one,) = selectors.standings(now=NOW)

    assert (one.spent, one.spent_until, one.period_name) == (Decimal(200), date(2026, 11, 20), "2026-11")
    assert (one.landing, one.lower, one.upper) == (Decimal(300), Decimal(290), Decimal(310))
    assert (one.state, one.probability, one.exceeds_on) == (state, Decimal(probability), exceeds_on)
    assert one.planned.quantize(Decimal("0.000001")) == (Decimal(amount) * 20 / 30).quantize(Decimal("0.000001"))


def test_a_period_that_is_over_landed_where_it_was_spent():
    publish(costs(end=date(2026, 12, 1)))
    budget(amount="300")

    (one,) = selectors.standings(now=NOW.replace(month=12, day=3))

    assert (one.landing, one.lower, one.probability, one.state) == (Decimal(300), Decimal(300), Decimal(0), "on_track")


@pytest.mark.parametrize(
    ("first", "planned", "says"),
    [
        pytest.param(date(2025, 11, 1), 200, [], id="all of it is known"),
        pytest.param(
            date(2025, 11, 10), 200,
            ["By last year: what 22 of the 30 days cost a year before is known; the others get the mean of these."],
            id="days before the first publication cost as usual",
        ),
        pytest.param(
            date(2026, 10, 1), 200,
            ["By last year: what its days cost a year before is not known; it is spread evenly."], id="nothing is",
        ),
    ],
)  # fmt: skip
def test_a_profile_by_last_year_takes_no_unknown_day_for_one_without_cost(first, planned, says):
    """1 November 2026 is spread as 2 November 2025."""
    publish(costs(first))
    budget(profile="last_year")

    (one,) = selectors.standings(now=NOW)

    assert one.planned.quantize(Decimal("0.000001")) == planned
    assert [remark for remark in remarks(one) if "last year" in remark] == says


def a_fee(day: date, cost: str = "1000") -> dict[str, object]:
    return {"day": day, "team": "web", "effective_cost": cost, "charge_category": "Purchase"}


@pytest.mark.parametrize(
    ("fees", "spent", "landing"),
    [
        # 200 were spent in twenty days; of the ten ahead, at ten each, charged days count what is more.
        pytest.param([a_fee(date(2026, 11, 30))], 1200, 200 + 90 + 1000, id="dated ahead"),
        pytest.param([a_fee(date(2026, 11, 21))], 1200, 200 + 1000 + 90, id="today, which is not over"),
        pytest.param([a_fee(date(2026, 11, 30), "4")], 204, 300, id="less than the day will cost"),
        pytest.param([a_fee(date(2026, 12, 1))], 200, 300, id="after the period"),
        pytest.param([a_fee(date(2026, 11, day), "5") for day in range(21, 31)], 250, 300, id="a part of every day"),
    ],
)
def test_what_is_charged_ahead_is_landed_at_least(fees, spent, landing):
    forecast_ten_a_day(publish([*costs(), *fees]))
    budget(amount="1100")

    (one,) = selectors.standings(now=NOW)

    assert (one.spent, one.landing) == (Decimal(spent), Decimal(landing))
    assert one.state == ("exceeded" if spent > 1100 else "on_track")
    assert one.spent_until <= date(2026, 11, 21), "nothing came of later days yet"


def test_days_whose_bill_is_late_are_not_called_spent_where_a_fee_is_dated_ahead():
    """The bill of the 20th is the last that came, ten days ago."""
    later = datetime(2026, 12, 1, 3, tzinfo=UTC)
    publish_costs([*costs(), a_fee(date(2026, 12, 31))], created_at=later)
    budget(amount="300")

    (one,) = selectors.standings(now=later)

    assert (one.period_name, one.spent, one.spent_until) == ("2026-11", Decimal(200), date(2026, 11, 20))
    assert one.planned.quantize(Decimal("0.000001")) == Decimal(200)


@pytest.mark.parametrize(
    "ahead", [[], [a_fee(date(2026, 11, 30))], [a_fee(date(2027, 3, 1))]], ids=["nothing", "this month", "in spring"]
)
def test_what_is_dated_ahead_begins_no_period_whose_bill_is_late(ahead):
    """On 2 November the bill has come up to 29 October: October is told of, whatever is dated ahead."""
    rows = [*costs(date(2026, 10, 1), date(2026, 10, 30)), *ahead]
    publish_costs(rows, created_at=datetime(2026, 11, 2, 3, tzinfo=UTC))
    budget(valid_from=date(2026, 10, 1))

    (one,) = selectors.standings(now=datetime(2026, 11, 2, 4, tzinfo=UTC))

    assert (one.period_name, one.spent, one.spent_until) == ("2026-10", Decimal(290), date(2026, 10, 29))


@pytest.mark.parametrize(
    ("fees", "says"),
    [
        (
            [a_fee(date(2026, 11, 30))],
            "Exceeds on 30 Nov 2026 by what is charged ahead: 1,200.00 CNY are charged, of 500",
        ),
        ([a_fee(date(2026, 11, 5))], "Exceeded on 5 Nov 2026: 1,200.00 CNY were spent until 20 Nov 2026, of 500"),
    ],
)
def test_a_day_that_has_not_come_is_not_said_to_have_exceeded_a_budget(fees, says):
    forecast_ten_a_day(publish([*costs(), *fees]))
    budget(amount="500")

    (one,) = selectors.standings(now=NOW)

    assert one.state == "exceeded"
    assert sentence(one).startswith(says)


def test_a_purchase_dated_ahead_ends_no_period():
    publish([*costs(), a_fee(date(2026, 11, 30), "1")])
    budget()

    (one,) = selectors.standings(now=NOW)

    assert (one.spent, one.landing, one.probability, one.state) == (Decimal(201), None, None, "unknown")


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        pytest.param(lambda: None, "Nothing is published yet", id="nothing is published"),
        pytest.param(publish, "Nothing is forecast", id="no forecast"),
        pytest.param(lambda: publish(costs(first=date(2026, 11, 3))), "since 2026-11-03 only", id="a begin not known"),
        pytest.param(
            lambda: publish([*costs(), *costs(end=date(2026, 11, 2), currency="USD")]),
            "no rate from USD to CNY on 2026-11-01", id="another currency without a rate",
        ),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said(prepare, says):
    prepare()
    budget()

    (one,) = selectors.standings(now=NOW)

    assert (one.landing, one.probability, one.state) == (None, None, "unknown")
    assert says in str(one.missing)


def test_currencies_are_converted_by_the_rate_of_the_day_and_never_added_as_they_are():
    publish([*costs(), *costs(end=date(2026, 11, 2), currency="USD")])
    budget()
    import_rates(b"date,from,to,rate\n2026-11-01,USD,CNY,7.1\n", name="r.csv", by="han", now=NOW)

    (one,) = selectors.standings(now=NOW)

    assert (one.spent, one.currency, one.is_converted) == (Decimal(271), "CNY", True)


def test_a_budget_in_a_currency_that_nothing_is_charged_in_needs_rates():
    publish()
    budget(currency="USD")
    (one,) = selectors.standings(now=NOW)
    assert (one.spent, one.spent_until) == (None, None), "what is not known is not zero"
    assert str(one.missing) == "There is no rate from CNY to USD on 2026-11-01."


def test_the_sum_of_days_keeps_its_own_bounds_and_another_currency_is_no_forecast_of_it():
    number = publish()
    forecast_ten_a_day(number)
    Forecast.objects.update(currency="USD")
    budget()
    (one,) = selectors.standings(now=NOW)
    assert one.landing is None


def test_what_no_forecast_tells_of_gets_an_outlook_of_its_own():
    first = date(2026, 9, 1)
    forecast_ten_a_day(publish(costs(first=first, namespace="shop")), level="total", key="")
    budget(dimension="namespace", value="shop", valid_from=first)
    budget("dear", dimension="namespace", value="shop", valid_from=first, metric="list_cost")
    budget("empty", dimension="namespace", value="none", valid_from=first)

    done = look_ahead(now=NOW)

    known = {one.budget.name: one for one in selectors.standings(now=NOW)}
    assert [problem.subject for problem in done.problems] == ["empty"]
    assert known["web"].landing == known["dear"].landing == Decimal(300)
    assert "it has no cost yet" in str(known["empty"].missing)


def test_the_forecast_of_a_currency_whose_bill_is_later_begins_where_its_own_days_end():
    """Eighteen days are charged, twelve are ahead; the run's days are those of the currency known longest."""
    late = date(2026, 11, 19)
    forecast_ten_a_day(publish(costs(end=late)), first_day=late)
    budget()

    (one,) = selectors.standings(now=NOW)

    assert (one.spent, one.landing, one.state) == (Decimal(180), Decimal(300), "at_risk")


@pytest.mark.parametrize(
    ("currency", "begins"),
    [
        pytest.param("CNY", date(2026, 11, 21), id="the currency known longest"),
        pytest.param("USD", date(2026, 11, 19), id="one whose bill is two days later"),
        pytest.param("EUR", date(2026, 11, 19), id="both converted: what is whole of all of them"),
    ],
)
def test_an_outlook_is_learned_from_the_whole_days_of_its_currency(currency, begins):
    first, late = date(2026, 10, 1), date(2026, 11, 19)
    number = publish([
        *costs(first=first, namespace="CNY"), *costs(first=first, end=late, namespace="USD", currency="USD"),
        *costs(first=first, namespace="EUR"), *costs(first=first, end=late, namespace="EUR", currency="USD"),
    ])  # fmt: skip
    forecast_ten_a_day(number, level="total", key="")
    forecast_ten_a_day(number, level="total", key="", currency="USD", first_day=late)
    days = "".join(f"{first + timedelta(days=day)},{source},EUR,1\n" for day in range(51) for source in ("CNY", "USD"))
    import_rates(b"date,from,to,rate\n" + days.encode(), name="r.csv", by="han", now=NOW)
    budget(dimension="namespace", value=currency, currency=currency)

    look_ahead(now=NOW)

    outlook = Outlook.objects.get()
    assert (outlook.first_day, round(float(outlook.days[0]))) == (begins, 20 if currency == "EUR" else 10)


def test_what_is_left_is_carried_on_as_was_decided():
    rows = costs(first=date(2026, 9, 1))  # 300 in September, 310 in October
    forecast_ten_a_day(publish(rows))
    for rollover in ("none", "unused", "overspent", "both"):
        budget(rollover, amount="305", rollover=rollover, valid_from=date(2026, 9, 1))

    carried = {one.budget.name: (one.carried, one.amount) for one in selectors.standings(now=NOW)}

    assert carried == {
        "none": (Decimal(0), Decimal(305)),
        "unused": (Decimal(0), Decimal(305)),  # 5 of September were used up in October: 310 of 310
        "overspent": (Decimal(-5), Decimal(300)),
        "both": (Decimal(0), Decimal(305)),
    }


@pytest.mark.parametrize(
    ("cloud_until", "carried"),
    [
        # 700 a month, twice 300 were spent in September, twice 310 in October, of which two days are not there yet.
        pytest.param(date(2026, 11, 4), 180, id="every bill came"),
        pytest.param(date(2026, 10, 30), 0, id="a bill of October is late: what is left of it is not known"),
    ],
)
def test_nothing_is_carried_on_of_a_month_whose_bill_is_late(cloud_until, carried):
    begin, end = date(2026, 9, 1), date(2026, 11, 4)
    publish_costs(
        [*costs(begin, end, source="saas"), *costs(begin, cloud_until, source="cloud")],
        created_at=datetime(2026, 11, 4, 3, tzinfo=UTC),
    )
    budget(amount="700", rollover="unused", valid_from=begin)

    (one,) = selectors.standings(now=datetime(2026, 11, 4, 4, tzinfo=UTC))

    assert (one.period_name, one.carried) == ("2026-11", carried)


def test_a_change_holds_from_its_period_on_and_the_past_stays():
    publish(costs(first=date(2026, 10, 1)))
    one = budget(valid_from=date(2026, 10, 1), why="planned")
    with pytest.raises(BadBudget, match="2026-10-01 is over; a budget is changed from 2026-11-01 on"):
        services.change(one.pk, {"amount": "400", "valid_from": date(2026, 10, 1)}, by=FINANCE, now=NOW)
    services.change(one.pk, {"amount": "400", "why": "grew"}, by=replace(FINANCE, name="lucy"), now=NOW)
    services.end(one.pk, date(2027, 1, 1), by=FINANCE, now=NOW, why="moved")

    whole = selectors.whole(selectors.find(one.pk, None), now=NOW)

    assert [(stand.period.name, stand.amount) for stand in whole.periods] == [("2026-10", 300), ("2026-11", 400)]
    assert [(row.by, row.why, row.amount_text) for row in whole.versions] == [
        ("hanmeimei", "planned", "300"), ("lucy", "grew", "400"), ("hanmeimei", "moved", ""),
    ]  # fmt: skip
    assert selectors.end_of(selectors.find(one.pk, None)) == date(2027, 1, 1)


def test_a_fiscal_year_of_its_own_is_a_budgets_year_and_quarter(settings):
    """From October on, November is in the first quarter of the year that 2027 ends: 310 and 200 were spent."""
    settings.COSTOPS_FISCAL_YEAR_START = 10
    publish(costs(first=date(2026, 10, 1)))
    budget("year", grain="year", valid_from=date(2026, 10, 1))
    budget("quarter", grain="quarter", valid_from=date(2026, 10, 1))
    with pytest.raises(BadBudget, match="not the first day of a year; FY2026/27 begins on 2026-10-01"):
        budget("calendar", grain="year", valid_from=date(2027, 1, 1))

    known = {one.budget.name: one for one in selectors.standings(now=NOW)}

    assert (known["year"].period_name, known["year"].spent, known["year"].end) == ("FY2026/27", 510, date(2027, 10, 1))
    assert (known["quarter"].period_name, known["quarter"].end) == ("FY2026/27-Q1", date(2027, 1, 1))


def test_a_budget_holds_from_the_next_whole_year_when_the_fiscal_year_is_moved(settings):
    publish(costs(first=date(2026, 1, 1)))
    one = budget(grain="year", valid_from=date(2026, 1, 1))

    settings.COSTOPS_FISCAL_YEAR_START = 10

    whole = selectors.whole(selectors.find(one.pk, None), now=NOW)
    assert [stand.period.name for stand in whole.periods] == ["FY2026/27"]


def test_ended_budgets_do_not_stand():
    publish(costs(first=date(2026, 10, 1)))
    budget(valid_from=date(2026, 10, 1), valid_to=NOVEMBER)
    assert selectors.standings(now=NOW) == ()


@pytest.mark.parametrize(
    ("teams", "seen"),
    [
        pytest.param(None, {"all", "web", "shop"}, id="finance sees all"),
        pytest.param(frozenset({"web"}), {"web"}, id="a team sees its own"),
        pytest.param(frozenset({"data"}), {"shop"}, id="and what it answers for"),
        pytest.param(frozenset(), set(), id="nobody sees nothing"),
    ],
)
def test_who_sees_what(teams, seen):
    publish()
    budget()
    budget("all", dimension="", value="")
    budget("shop", dimension="namespace", value="shop", owner_team="data")

    found = selectors.standings(now=NOW, teams=teams)
    assert {one.budget.name for one in found} == seen
    assert selectors.standings_for(NOW)(teams) == found, "read once for all, each reader is told the same"
