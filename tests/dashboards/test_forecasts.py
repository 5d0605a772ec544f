"""The page of forecasts: landings that add up, how far to believe them, and a fan of the same days."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.insights import services
from apps.insights.models import Forecast


@pytest.fixture
def forecast(published):
    services.forecast(now=datetime(2026, 12, 1, tzinfo=UTC))


def test_before_the_first_forecast_the_page_says_when_there_is_one(published, client_of):
    assert "Nothing was forecast yet" in client_of("staff").get("/forecasts/").content.decode()


def test_the_page_shows_landings_and_how_good_they_were(forecast, client_of):
    body = client_of("staff").get("/forecasts/").content.decode()

    assert "End of quarter" in body
    assert re.search(r"tried from 8 past days since", body)


def test_how_far_off_it_was_is_said_in_hundredths(forecast, client_of):
    Forecast.objects.filter(level="total").update(total_error=0.0412, naive_total_error=0.09, is_naive=False)
    body = client_of("staff").get("/forecasts/?level=total&currency=CNY").content.decode()
    assert "4.1 %" in body
    assert "9.0 %" in body


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
