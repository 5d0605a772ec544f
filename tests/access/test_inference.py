"""Nothing can be told of others by what one sees oneself: change all of theirs, and one's own answers stay. No pool of
this world is shared: what one costs is told to each who has a part of it."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from tests.access import world
from tests.access.people import Actor
from tests.access.table import OWN, Address, addresses
from tests.access.test_matrix import answer, made, text_of
from tests.access.world import A

__all__ = ["made"]

OF_THE_MOMENT = re.compile(
    r"""csrfmiddlewaretoken" value="[^"]*"|csrftoken=[^;]*;|sessionid=[^;]*;|expires=[^;']*"""
    r"""|X-Request-ID', '[^']*|Expires', '[^']*"""
)
"""What every answer has anew."""
OF_THE_COMPANY = {
    "api-publications": "which tables a publication holds",
    **dict.fromkeys(("mfa_activate_totp", "mfa_add_webauthn"), "nothing, but a new secret each time"),
}
"""Addresses whose answers may differ, and for what they tell of others."""


def answers(lead: Actor, asked: list[Address]) -> dict[str, str]:
    cache.clear()
    found = {}
    for one in asked:
        response = answer(lead, one, "GET")
        found[one.path] = f"{response.status_code} " + OF_THE_MOMENT.sub("", text_of(response))
    return found


def told_apart(path: str, before: str, after: str) -> str:
    """Where two answers begin to differ."""
    at = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    return f"{path}: {before[max(at - 60, 0) : at + 60]!r} became {after[max(at - 60, 0) : at + 60]!r}"


@pytest.mark.django_db
def test_others_change_nothing_for_a_lead(made: Any) -> None:
    there, actors = made
    lead = actors["lead"]
    asked = [
        one for one in addresses(there)
        if one.rule != "admin" and one.side == OWN and one.lets_in(lead) and one.name not in OF_THE_COMPANY
    ]  # fmt: skip
    assert len(asked) > 60
    with transaction.atomic():
        before = answers(lead, asked)
        world.change_others(there)
        after = answers(lead, asked)
        others = [told_apart(path, before[path], after[path]) for path in before if before[path] != after[path]]
        assert not others, "\n".join(others)
        finance = answers(actors["finance"], [one for one in asked if one.name in ("api-costs", "api-recommendations")])
        assert any("123456.7" in told for told in finance.values()), "others' data did change"
        transaction.set_rollback(True)
    there.publication.refresh_from_db()
    cache.clear()
    assert A in lead.teams


@pytest.mark.django_db
def test_who_sees_accounts_is_answered_without_an_explanation(made: Any) -> None:
    """Which knows of teams alone, and would explain less than the answer holds."""
    _, actors = made
    told = {who: actors[who].client.get("/api/v1/costs/?explain=total") for who in ("account_viewer", "lead")}
    assert {who: one.status_code for who, one in told.items()} == {"account_viewer": 200, "lead": 200}
    assert told["account_viewer"].json()["totals"]
    assert told["account_viewer"].json()["explanation"] is None
    assert told["lead"].json()["explanation"]["sentence"]
