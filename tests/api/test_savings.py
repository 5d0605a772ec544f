"""The savings ledger over the API: written, stated, measured beside, listed, each by who may."""

import csv
import io

import pytest
from django.test import Client

from apps.operations.models import Recommendation
from apps.savings.models import Initiative
from tests.api.test_schema import Draft202012Validator, closed
from tests.operations.worlds import a_finding, recommend
from tests.savings.test_ways import stand

ADDRESS = "/api/v1/savings/"
GIVEN = {
    "name": "Compress", "hypothesis": "Half the bytes.", "team": "live-class", "scope": "team=live-class; service=OSS",
    "currency": "CNY", "promised_per_month": "0.000000000001", "start": "2026-11-09",
}  # fmt: skip


def post(client: Client, address: str, given: dict[str, str]) -> tuple[int, dict]:
    answer = client.post(f"{address}?{'&'.join(f'{name}={value}' for name, value in given.items())}")
    return answer.status_code, answer.json()


def test_a_lead_writes_states_and_reverts_one(callers: dict[str, Client]) -> None:
    lilei = callers["lilei"]

    status, made = post(lilei, ADDRESS, GIVEN)
    assert (status, made["state"], made["promised_per_month"]) == (201, "draft", "0.000000000001")
    assert made["scope"] == "service OSS · team live-class"
    one = f"{ADDRESS}{made['number']}/"
    assert post(lilei, one, {"action": "state"})[1]["state"] == "stated"
    assert post(lilei, one, {"action": "state"})[0] == 409
    assert post(lilei, one, {"action": "revert"})[1]["parameter"] == "why"
    done = post(lilei, one, {"action": "revert", "why": "slow"})[1]
    assert [(step["action"], step["by"]) for step in done["steps"]] == [
        ("write", "lilei"), ("state", "lilei"), ("revert", "lilei"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "more", "status", "parameter"),
    [
        pytest.param("lilei", {"promised_per_month": "x"}, 400, "promised_per_month", id="no amount"),
        pytest.param("lilei", {"scope": "x"}, 400, "scope", id="no scope"),
        pytest.param("lilei", {"team": "data-platform"}, 403, None, id="another team's"),
        pytest.param("lilei", {"scope": "service=OSS"}, 403, "scope", id="everybody's cost"),
        pytest.param("nobody", {}, 403, None, id="nobody's"),
        pytest.param("finance", {"team": "nowhere"}, 400, "team", id="no team"),
        pytest.param("finance", {"colour": "red"}, 400, "colour", id="an unknown parameter"),
    ],
)
def test_what_cannot_be_written_is_told_by_its_parameter(callers, who, more, status, parameter) -> None:
    answered = post(callers[who], ADDRESS, GIVEN | more)

    assert (answered[0], answered[1]["parameter"]) == (status, parameter)
    assert not Initiative.objects.exists()


def test_in_a_body_of_json_controls_stand_a_line_each_and_numbers_in_lists(callers: dict[str, Client]) -> None:
    told = GIVEN | {"hypothesis": "Fewer cores.\r\nThe same traffic.", "controls": "team=data-platform; service=OSS\n"}
    listed = {"drivers": ["requests", "orders"], "recommendations": []}
    answer = callers["finance"].post(
        ADDRESS, told | listed | {"controls": f"{told['controls']}service=CDN,SLB"}, content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    made = Initiative.objects.get()
    assert made.controls == [{"service": ["OSS"], "team": ["data-platform"]}, {"service": ["CDN", "SLB"]}]
    assert (made.drivers, made.hypothesis) == (["requests", "orders"], "Fewer cores.\nThe same traffic.")
    refused = callers["finance"].post(
        ADDRESS, told | {"controls": ["service=OSS", "service=CDN"]}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["parameter"]) == (400, "controls"), "joined they would be one"
    assert Initiative.objects.count() == 1


def test_each_sees_the_own_and_the_numbers_are_texts(callers: dict[str, Client]) -> None:
    own, other = stand("verified", saving="560", team="live-class"), stand("stated", team="data-platform")

    finance, lead, nobody = (callers[name].get(ADDRESS).json()["rows"] for name in ("finance", "lilei", "nobody"))

    assert ([row["number"] for row in finance], nobody) == ([other.pk, own.pk], [])
    assert [(row["number"], row["verified_per_month"], row["grade"]) for row in lead] == [(own.pk, "608.33", "A")]
    assert callers["lilei"].get(f"{ADDRESS}{other.pk}/").status_code == 404
    ways = callers["lilei"].get(f"{ADDRESS}ways/").json()["rows"]
    assert ways == [{"currency": "CNY", "identified": "4000.000000000000", "approved": "4000.000000000000",
                     "implemented": "4000.000000000000", "verified": "608.33"}]  # fmt: skip
    text = callers["finance"].get(f"{ADDRESS}?format=csv&state=verified").content.decode()
    assert [row["number"] for row in csv.DictReader(io.StringIO(text))] == [f"{own.pk}"]


def test_of_what_it_carries_out_each_is_told_what_they_may_know(callers: dict[str, Client]) -> None:
    one = stand("stated", team="live-class")
    recommend(a_finding("own", team="live-class"), a_finding("other", team="data-platform"))
    one.recommendations.set(Recommendation.objects.all())
    told = {name: callers[name].get(f"{ADDRESS}{one.pk}/").json()["recommendations"] for name in ("finance", "lilei")}
    own, other = (Recommendation.objects.get(subject=subject).pk for subject in ("own", "other"))
    assert told == {"finance": sorted([own, other]), "lilei": [own]}


def test_what_is_measured_beside_the_money_is_kept(callers: dict[str, Client]) -> None:
    one = stand("verified", saving="560", team="live-class")
    address = f"{ADDRESS}{one.pk}/outcomes/"

    status, kept = post(
        callers["lilei"], address, {"name": "latency", "value": "12.5", "unit": "ms", "day": "2026-10-01"}
    )

    assert (status, kept["rows"][0]["after"], kept["rows"][0]["before"]) == (201, "12.5", None)
    assert post(callers["lilei"], address, {"name": "latency", "value": "x"})[0] == 400
    assert callers["finance"].get(address).json()["rows"] == kept["rows"]


def test_a_whole_answer_is_what_the_schema_says(callers: dict[str, Client]) -> None:
    one = stand("verified", saving="560", team="live-class")
    schema = callers["finance"].get("/api/schema/?format=json").json()
    said = schema["paths"]["/api/v1/savings/{number}/"]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]

    answer = callers["finance"].get(f"{ADDRESS}{one.pk}/").json()

    assert list(Draft202012Validator(closed({**said, "components": schema["components"]})).iter_errors(answer)) == []
