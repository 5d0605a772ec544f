"""Why cost changed, over the API: what adds up, what is refused, and whose it is."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client

from apps.insights.why.searching import ATTRIBUTES
from tests.worlds import publish_costs

ADDRESS = "/api/v1/why/?start=2026-10-08&end=2026-10-15"
FIRST = date(2026, 10, 1)


@pytest.fixture
def published(callers: dict[str, Client]) -> dict[str, Client]:
    """data-platform costs 10 a day; live-class 30.25, and from 8 October on as much again in another namespace."""
    rows = [
        {"day": FIRST + timedelta(days=number), "team": team, "namespace": namespace, "effective_cost": cost}
        for number in range(14)
        for team, namespace, cost in (
            ("live-class", "classroom", "30.25"), ("live-class", "replay", "30.25"), ("data-platform", "etl", "10"),
        )
        if namespace != "replay" or number >= 7
    ]  # fmt: skip
    publish_costs(rows)
    return callers


def test_the_answer_adds_up(published: dict[str, Client]) -> None:
    found = published["finance"].get(ADDRESS).json()
    (change,) = found["changes"]
    (segment,) = change["segments"]

    assert (change["before"], change["after"], change["change"]) == (
        "281.750000000000", "493.500000000000", "211.750000000000",
    )  # fmt: skip
    assert {name for name, amount in change["parts"].items() if Decimal(amount)} == {"unmeasured"}
    assert (segment["values"], segment["since"], segment["share"]) == ({"namespace": "replay"}, "2026-10-08", "1.0000")
    assert Decimal(change["elsewhere"]) == 0
    assert found["sentences"] == [
        "All teams cost 493.50 CNY (+75 %): all of the rise is replay since 8 Oct, it is new."
    ]


def test_a_lead_is_answered_of_the_own_team_and_nobody_of_nothing(published: dict[str, Client]) -> None:
    lead, nobody = (published[name].get(ADDRESS).json() for name in ("lilei", "nobody"))

    assert lead["changes"][0]["after"] == "423.500000000000"
    assert "etl" not in str(lead)
    assert (nobody["changes"], nobody["rows"], nobody["sentences"]) == ([], [], [])


def test_what_has_too_many_rows_is_told_by_coarser_parts(
    published: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert published["finance"].get(ADDRESS).json()["coarse_because"] == ""
    cache.clear()
    monkeypatch.setattr("apps.marts.cube.MAX_ROWS", 2)
    found = published["finance"].get(ADDRESS).json()

    assert found["searched_by"] == [name for name in ATTRIBUTES if name not in ("namespace", "workload")]
    assert found["coarse_because"].startswith("More than 200,000 rows: where it happened is told by teams, ")
    assert (found["changes"][0]["change"], found["changes"][0]["segments"][0]["values"]) == (
        "211.750000000000", {"team": "live-class"},
    )  # fmt: skip


def test_csv_holds_the_meters(published: dict[str, Client]) -> None:
    told = published["finance"].get(f"{ADDRESS}&format=csv")
    rows = list(csv.DictReader(io.StringIO(told.content.decode("utf-8-sig"))))

    assert sum(Decimal(row["change"]) for row in rows) == Decimal("211.75")
    assert 'filename="why-2026-10-08-2026-10-15' in told.headers["Content-Disposition"]


def test_another_period_to_compare_with(published: dict[str, Client]) -> None:
    found = published["finance"].get(f"{ADDRESS}&before_start=2026-10-01&before_end=2026-10-03").json()

    assert (found["per_day"], found["query"]["before_end"]) == (True, "2026-10-03")
    assert found["changes"][0]["change"] == "30.250000000000"


@pytest.mark.parametrize(
    "given",
    ["before_start=2026-10-01", "before_start=2026-10-03&before_end=2026-10-01", "before_start=soon", "segment=x"],
)
def test_what_cannot_be_asked_is_refused_by_name(published: dict[str, Client], given: str) -> None:
    answered = published["finance"].get(f"{ADDRESS}&{given}")

    assert answered.status_code == 400
    assert given.split("=")[0] in answered.content.decode()


def test_the_same_question_is_not_answered_twice(published: dict[str, Client]) -> None:
    first = published["finance"].get(ADDRESS)
    again = published["finance"].get(ADDRESS, headers={"if-none-match": first.headers["ETag"]})

    assert again.status_code == 304


def test_the_schema_is_what_is_answered(published: dict[str, Client]) -> None:
    from tests.api.test_schema import Draft202012Validator, closed

    schema = published["finance"].get("/api/schema/?format=json").json()
    said = schema["paths"]["/api/v1/why/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    whole = closed(said | {"components": schema["components"]})
    assert list(Draft202012Validator(whole).iter_errors(published["finance"].get(ADDRESS).json())) == []
