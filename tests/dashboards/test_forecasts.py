"""The page of forecasts: landings that add up, how far to believe them, and a fan of the same days."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.insights import services
from apps.insights.models import Forecast, PlannedChange
from apps.marts.selectors import publication
from apps.rates.services import import_rates
from tests.dashboards import company


@pytest.fixture
def forecast(published):
    services.forecast(now=datetime(2026, 12, 1, tzinfo=UTC))


def test_before_the_first_forecast_the_page_says_when_there_is_one(published, client_of):
    assert "Nothing was forecast yet" in client_of("staff").get("/forecasts/").content.decode()


def test_the_page_shows_landings_and_how_good_they_were(forecast, client_of):
    body = client_of("staff").get("/forecasts/").content.decode()

    assert "End of quarter" in body
    assert re.search(r"tried from 8 past days since", body)


def test_why_is_asked_of_the_month_that_lands(forecast, client_of):
    body = client_of("staff").get("/forecasts/?level=team&key=search&currency=CNY").content.decode()

    assert 'hx-get="/why/panel/?period=month&amp;currency=CNY&amp;team=search"' in body


def test_how_far_off_it_was_is_said_in_hundredths(forecast, client_of):
    Forecast.objects.filter(level="total").update(total_error=0.0412, naive_total_error=0.09, is_naive=False)
    body = client_of("staff").get("/forecasts/?level=total&currency=CNY").content.decode()
    assert "4.1 %" in body
    assert "9.0 %" in body


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        pytest.param((0.02, 0.03, 1.1, 1.0), "", id="its totals were nearer"),
        pytest.param((0.03, 0.02, 0.9, 1.0), "Day by day it was the nearer one", id="its days were"),
        pytest.param((0.03, 0.02, 1.1, 1.0), "So short a history says little", id="neither, in two months"),
    ],
)
def test_it_is_said_why_last_week_is_not_shown_where_it_was_nearer(forecast, client_of, scores, why):
    names = ("total_error", "naive_total_error", "mase", "naive_mase")
    Forecast.objects.filter(level="total").update(is_naive=False, **dict(zip(names, scores, strict=True)))
    body = client_of("staff").get("/forecasts/?level=total&currency=CNY").content.decode()
    said = [one for one in ("Day by day it was the nearer one", "So short a history says little") if one in body]
    assert said == ([why] if why else [])


def test_the_landings_of_teams_add_up_to_that_of_all_cost(forecast, client_of):
    staff = client_of("staff")
    total = exact(staff.get("/forecasts/?level=total&currency=CNY").content.decode())
    teams = exact(staff.get("/forecasts/?level=team&currency=CNY").content.decode(), of_table=True)

    assert sum(teams[0::2]) == total[0], "month"
    assert sum(teams[1::2]) == total[1], "quarter"


def exact(body: str, *, of_table: bool = False) -> list[Decimal]:
    """The exact numbers behind what is shown, in their order."""
    part = body.split("<tbody>")[1] if of_table else body
    return [Decimal(text) for text in re.findall(r'title="(-?\d+\.\d+)"', part)]


def test_the_fan_is_the_history_and_ninety_days(forecast, client_of):
    traces = client_of("staff").get("/figures/forecasts/?level=total&currency=CNY").json()["data"]

    history, mean = traces[-2:]
    assert len(mean["x"]) == 92
    assert history["x"][-1] < mean["x"][0]
    assert [len(trace["x"]) for trace in traces[:4]] == [92] * 4


def test_the_history_of_a_later_currency_ends_where_its_forecast_begins(forecast, client_of):
    Forecast.objects.filter(currency="CNY").update(first_day="2026-10-28")

    history, mean = client_of("staff").get("/figures/forecasts/?level=total&currency=CNY").json()["data"][-2:]

    assert (history["x"][-1][:10], mean["x"][0][:10]) == ("2026-10-27", "2026-10-28")


def test_a_lead_sees_the_forecast_of_the_own_team_only(forecast, client_of):
    lead = client_of("lilei")

    assert lead.get("/forecasts/?level=total").status_code == 400
    body = lead.get("/forecasts/").content.decode()
    assert "key=live-class" in body
    assert "key=search" not in body


def test_the_page_speaks_chinese(forecast, client_of):
    body = client_of("staff").get("/forecasts/", headers={"accept-language": "zh-hans"}).content.decode()

    assert "未来将花费多少" in body
    assert "在 8 个起点上回测" in body


CARD = re.compile(r"<h2>End of month \d{4}-\d\d</h2>.*?</section>", re.S)


@pytest.mark.parametrize(
    ("who", "address", "key"),
    [
        pytest.param("staff", "/", "level=total&amp;key=&amp;", id="of all cost on the overview"),
        pytest.param(
            "staff",
            "/?period=custom&start=2026-07-01&last=2026-07-31",
            "level=total&amp;key=&amp;currency=CNY",
            id="beside a period without cost",
        ),
        pytest.param("staff", "/teams/live-class/", "level=team&amp;key=live-class", id="of a team on its page"),
        pytest.param("lilei", "/", "level=team&amp;key=live-class", id="of the only team one sees on the overview"),
        pytest.param("staff", "/organisation/department/直播/", "level=department&amp;key=", id="of a department"),
    ],
)
def test_a_page_of_cost_tells_where_the_month_lands(forecast, client_of, who, address, key):
    body = client_of(who).get(address).content.decode()

    card = CARD.search(body)[0]
    assert "in 80 of 100 cases" in card
    assert f'href="/forecasts/?{key}' in card
    assert re.search(r"tried from \d+ past days since", body), "the back-test of that very series"
    assert f"/figures/forecasts/?{key}" in body


def test_card_and_landing_of_a_page_in_one_currency_say_that_bills_in_others_are_not_in_them(
    people, client_of, settings
):
    dollars = company.Cost("live-class", "3.00", cluster="online", currency="USD", days=company.ALL_DAYS)
    company.publish((*company.COMPANY, dollars))
    services.forecast(now=datetime(2026, 12, 1, tzinfo=UTC))
    lines = "".join(f"{day},USD,CNY,7\n" for day in company.ALL_DAYS)
    import_rates(f"date,from,to,rate\n{lines}".encode(), name="r.csv", by="han", now=datetime(2026, 12, 1, tzinfo=UTC))
    staff, said = client_of("staff"), "Only what is billed in this currency: forecasts are not converted."
    assert said not in staff.get("/").content.decode()
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"

    body = staff.get("/").content.decode()

    assert said in CARD.search(body)[0]
    assert body.count(said) == 2, "once in the row of cards on top"


def test_beside_costs_of_an_earlier_publication_there_is_no_forecast(forecast, published, client_of):
    first = publication().number
    company.publish()
    services.forecast(now=datetime(2026, 12, 1, 1, tzinfo=UTC))

    assert CARD.search(client_of("staff").get("/").content.decode())
    assert not CARD.search(client_of("staff").get(f"/?publication={first}").content.decode())


def test_departments_are_called_by_name_and_drawn(forecast, client_of):
    staff = client_of("staff")
    body = staff.get("/forecasts/?level=department").content.decode()

    assert 'value="department"' in body
    assert "直播" in body
    history = staff.get("/figures/forecasts/?level=department&key=直播&currency=CNY").json()["data"][-2]
    assert len(history["x"]) > 20


def test_a_change_is_planned_told_and_withdrawn_on_the_page(forecast, client_of):
    staff, lead = client_of("staff"), client_of("lilei")
    plan = {"first_day": "2026-12-05", "change": "120", "unit": "CNY", "team": "live-class", "note": "a second region"}

    refused = lead.post("/forecasts/", plan | {"team": "search"})
    assert refused.status_code == 403
    assert 'value="a second region"' in refused.content.decode(), "what was written is not lost"
    assert lead.post("/forecasts/?level=team", plan | {"change": "12o"}).status_code == 400
    assert lead.post("/forecasts/?level=team", plan).headers["Location"] == "/forecasts/?level=team&planned=yes"
    services.forecast(now=datetime(2026, 12, 1, tzinfo=UTC))

    mine, (one,) = "/forecasts/?level=team&key=live-class&currency=CNY", PlannedChange.objects.all()
    body = lead.get(mine).content.decode()
    assert "a second region" in body
    assert "of it by changes known ahead" in body
    assert f'name="withdraw" value="{one.pk}"' in re.sub(r"\s+", " ", body)
    marks = lead.get(f"/figures{mine}").json()["data"][-3]
    assert (marks["name"], marks["x"]) == ("Known ahead", ["2026-12-05"])
    assert "a second region" not in staff.get("/forecasts/?level=team&key=search").content.decode()

    lead.post(mine, {"withdraw": str(one.pk)})
    services.forecast(now=datetime(2026, 12, 1, 1, tzinfo=UTC))
    assert "a second region" not in lead.get(mine).content.decode()
    assert staff.post("/forecasts/", {"withdraw": "x"}).status_code == 400
