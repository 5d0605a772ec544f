"""Forecasts over the API: exact amounts as text, and of one's own teams only."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from apps.insights import services
from tests.worlds import publish_costs

ADDRESS = "/api/v1/forecasts/"


@pytest.fixture
def forecast(callers: dict[str, Client]) -> dict[str, Client]:
    days = [date(2026, 9, 28) + timedelta(days=number) for number in range(28)]
    publish_costs(
        {"day": day, "team": team, "effective_cost": cost}
        for day in days
        for team, cost in (("live-class", "30.25"), ("data-platform", "10"))
    )
    services.forecast(now=datetime(2026, 11, 2, tzinfo=UTC))
    return callers


def test_finance_sees_the_total_and_a_lead_the_own_team(forecast: dict[str, Client]) -> None:
    finance, lead = (forecast[name].get(ADDRESS).json()["rows"] for name in ("finance", "lilei"))

    assert {(one["level"], one["key"]) for one in finance} >= {("total", ""), ("team", "data-platform")}
    assert [(one["level"], one["key"]) for one in lead] == [("team", "live-class")]
    assert forecast["nobody"].get(ADDRESS).json()["rows"] == []


def test_what_never_changes_is_expected_to_stay_and_to_land_there(forecast: dict[str, Client]) -> None:
    """28 days end on 25 October: 25 x 40.25 are charged, 31 x 40.25 will be."""
    (total,) = forecast["finance"].get(f"{ADDRESS}?level=total").json()["rows"]

    assert total["days"][0] == {
        "day": "2026-10-26", "mean": "40.250000", "low_80": "40.250000", "high_80": "40.250000",
        "low_95": "40.250000", "high_95": "40.250000",
    }  # fmt: skip
    month = total["landings"][0]
    assert (month["period"], month["so_far"], month["mean"]) == ("2026-10", "1006.250000", "1247.750000")


def test_the_schema_is_what_is_answered(forecast: dict[str, Client]) -> None:
    from tests.api.test_schema import Draft202012Validator, closed

    schema = forecast["finance"].get("/api/schema/?format=json").json()
    said = schema["paths"][ADDRESS]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer = forecast["finance"].get(ADDRESS).json()
    assert answer["rows"]
    whole = closed({**said, "components": schema["components"]})
    assert list(Draft202012Validator(whole).iter_errors(answer)) == []


def test_a_publication_without_a_forecast_is_not_there(forecast: dict[str, Client]) -> None:
    response = forecast["finance"].get(f"{ADDRESS}?as_of=999")

    assert (response.status_code, response.json()["code"]) == (404, "no_forecast")
