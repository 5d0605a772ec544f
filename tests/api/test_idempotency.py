"""A write with a key is done once, whoever sends it how often; what fails is not done and may be sent again."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.api import idempotency
from apps.api.models import KeptAnswer
from apps.api.services import issue_token
from apps.budgets.models import Budget
from apps.teams.models import Membership, Team
from tests.api.company import NOW, client_of
from tests.racing import race

BUDGETS = "/api/v1/budgets/"
BUDGET = {"name": "live", "dimension": "team", "value": "live-class", "amount": "7", "currency": "CNY",
          "valid_from": "2026-10-01"}  # fmt: skip


def post(client: Client, key: str, path: str = BUDGETS, **changed: str) -> Any:
    return client.post(path, json.dumps(BUDGET | changed), "application/json", headers={"idempotency-key": key})


@pytest.mark.parametrize("again", ["abc", '"abc"'], ids=["the same", "in the quotes of a structured header"])
def test_the_same_request_gets_the_same_answer(callers: dict[str, Client], again: str) -> None:
    first, second = post(callers["finance"], "abc"), post(callers["finance"], again)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code == 201
    assert ("Idempotent-Replayed" in first.headers, second["Idempotent-Replayed"]) == (False, "true")
    assert Budget.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda client: post(client, "abc", amount="8"), id="another body"),
        pytest.param(lambda client: post(client, "abc", f"{BUDGETS}?why=x"), id="another parameter"),
        pytest.param(lambda client: post(client, "abc", "/api/v1/planned/"), id="another address"),
    ],
)
def test_a_key_belongs_to_one_request(callers: dict[str, Client], changed: Callable[[Client], Any]) -> None:
    assert post(callers["finance"], "abc").status_code == 201
    refused = changed(callers["finance"])
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Budget.objects.count() == 1


def test_a_key_belongs_to_one_file_however_its_kind_is_spelled(callers: dict[str, Client]) -> None:
    rates = "date,from,to,rate\n2026-10-0{},USD,CNY,7.1\n"
    told = [
        callers["finance"].generic(
            "POST", "/api/v1/rates/", rates.format(day), "Text/CSV", headers={"idempotency-key": "abc"}
        ).status_code
        for day in (5, 6)
    ]  # fmt: skip
    assert told == [201, 422]


def test_what_was_made_has_an_address_also_where_it_is_told_again(callers: dict[str, Client]) -> None:
    for _ in range(2):
        made = post(callers["finance"], "abc")
        assert made.headers["Location"] == f"{BUDGETS}{made.json()['number']}/"
        assert callers["finance"].get(made.headers["Location"]).json()["name"] == "live"


def test_keys_of_different_people_do_not_meet(callers: dict[str, Client]) -> None:
    assert post(callers["finance"], "abc").status_code == 201
    assert post(callers["lilei"], "abc", name="another").status_code != 422


def test_a_token_for_other_teams_is_not_told_what_another_of_the_same_user_was(callers: dict[str, Client]) -> None:
    assert post(callers["finance"], "abc").status_code == 201
    user = User.objects.get(username="finance")
    limited = client_of(issue_token(user, now=NOW, scopes=("read", "write"), teams=["data-platform"]))
    refused = post(limited, "abc")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_a_token_for_all_teams_of_a_lead_is_not_the_lead(callers: dict[str, Client]) -> None:
    def look(client: Client) -> Any:
        body, headers = json.dumps({"name": "mine", "query": ""}), {"idempotency-key": "abc"}
        return client.post("/api/v1/views/", body, "application/json", headers=headers)

    user = User.objects.get(username="lilei")
    teams = list(Membership.objects.filter(user=user).values_list("team__name", flat=True))
    limited = client_of(issue_token(user, now=NOW, scopes=("read", "write"), teams=teams))
    assert look(callers["lilei"]).status_code == 201
    assert look(limited).status_code == 422


def test_who_lost_a_role_is_not_told_again_what_was_done_with_it(callers: dict[str, Client]) -> None:
    note = {"first": "2026-10-06", "text": "a secret of theirs", "team": "live-class"}

    def write() -> Any:
        headers = {"idempotency-key": "abc"}
        return callers["lilei"].post("/api/v1/annotations/", json.dumps(note), "application/json", headers=headers)

    assert write().status_code == write().status_code == 201
    Membership.objects.filter(user__username="lilei").delete()
    refused = write()
    assert refused.status_code in (403, 422)
    assert "secret" not in refused.content.decode()


def test_a_request_that_is_being_answered_waits(callers: dict[str, Client]) -> None:
    assert post(callers["finance"], "abc").status_code == 201
    KeptAnswer.objects.update(status=None)
    refused = post(callers["finance"], "abc")
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_in_use")
    assert int(refused["Retry-After"]) > 0


def test_what_failed_was_not_done_and_may_be_sent_again(callers: dict[str, Client]) -> None:
    assert post(callers["finance"], "abc", value="nobody").status_code == 400
    assert KeptAnswer.objects.count() == 0
    assert post(callers["finance"], "abc").status_code == 201


def test_what_was_given_up_is_begun_again(callers: dict[str, Client]) -> None:
    post(callers["finance"], "abc")
    KeptAnswer.objects.update(status=None, claimed_at=timezone.now() - idempotency.GIVEN_UP_AFTER)
    begun = post(callers["finance"], "abc")
    assert (begun.status_code, begun.json()["code"]) == (400, "refused")  # there is a budget of this name by now


def test_answers_are_forgotten_after_a_day(callers: dict[str, Client]) -> None:
    post(callers["finance"], "abc")
    now = timezone.now()
    assert idempotency.forget(now + timedelta(hours=23)) == 0
    assert idempotency.forget(now + idempotency.KEPT_FOR + timedelta(seconds=1)) == 1


@pytest.mark.parametrize("key", ["", '""', "a" * 201, "\x01"])
def test_a_key_that_is_none_is_refused(callers: dict[str, Client], key: str) -> None:
    refused = post(callers["finance"], key)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "Idempotency-Key")


def test_a_key_of_a_question_changes_nothing(callers: dict[str, Client]) -> None:
    assert callers["finance"].get(BUDGETS, headers={"idempotency-key": "abc"}).status_code == 200
    assert KeptAnswer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done() -> None:
    Team.objects.create(name="live-class")
    client = client_of(issue_token(User.objects.create_superuser("finance"), now=NOW, scopes=("write",)))

    answers = race(*[partial(post, client, "abc")] * 6)

    done = [one for one in answers if one.status_code == 201]
    assert Budget.objects.count() == 1
    assert len({one.content for one in done}) == 1
    assert sum("Idempotent-Replayed" not in one.headers for one in done) == 1
    assert {one.status_code for one in answers} <= {201, 409}
    assert post(client, "abc").content == done[0].content
