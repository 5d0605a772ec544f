"""Anomalies over the API: listed, told whole, and answered."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from apps.insights.anomalies import services
from apps.insights.models import AnomalyFeedback
from tests.worlds import publish_costs

ADDRESS = "/api/v1/anomalies/"


@pytest.fixture
def found(callers: dict[str, Client]) -> dict[str, Client]:
    """`live-class` pays three times as much from the 41st day on."""
    publish_costs(
        {
            "day": date(2026, 9, 1) + timedelta(days=number), "team": team,
            "effective_cost": str(cost * (3 if number >= 40 and team == "live-class" else 1)),
        }
        for number in range(44)
        for team, cost in (("live-class", 100), ("data-platform", 70))
    )  # fmt: skip
    services.find(now=datetime(2026, 12, 1, tzinfo=UTC))
    return callers


def test_before_the_first_look_there_are_none(callers):
    body = callers["finance"].get(ADDRESS).json()

    assert (body["publication"], body["rows"]) == (None, [])


def test_anomalies_are_listed_told_and_answered(found):
    finance = found["finance"]
    body = finance.get(ADDRESS).json()
    (row,) = body["rows"]
    assert (row["state"], row["kind"], row["place"], row["unit"]) == ("open", "step", "live-class", "CNY")
    assert (row["actual"], row["first_day"]) == ("1200.000000", "2026-10-11")
    assert 780 < float(row["so_far"]) < 810, "four days at 200 more"
    assert body["detectors"][0]["is_rule"] is True

    address = f"{ADDRESS}{row['id']}/"
    whole = finance.get(address).json()
    assert [day["day"] for day in whole["days"] if day["expected"]] == [f"2026-10-{day}" for day in range(11, 15)]
    assert whole["cause"]["driver"] == ""
    refused = finance.post(f"{address}?verdict=planned").json()
    assert (refused["code"], refused["parameter"]) == ("refused", "reason")
    said = finance.post(f"{address}?verdict=planned&reason=load+test&until=2026-12-31")
    assert said.status_code == 201
    assert [(one["verdict"], one["until"], one["reason"]) for one in said.json()["feedback"]] == [
        ("planned", "2026-12-31", "load test")
    ]
    assert finance.get(f"{ADDRESS}?state=open").json()["rows"] == []
    assert AnomalyFeedback.objects.count() == 1
    assert "live-class" in finance.get(f"{ADDRESS}?format=csv").content.decode()


def test_what_is_not_there_is_refused_by_name(found):
    answer = found["finance"].get(f"{ADDRESS}nothing/")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_anomaly")
    assert found["finance"].get(f"{ADDRESS}?level=planet").status_code == 400
