"""The matrix can fail: with a filter taken away, it says who reads whose."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache

from apps.channels import selectors as channels
from apps.marts import selectors as marts
from apps.marts.scoping import without_teams
from apps.operations import selectors as operations
from apps.teams import access
from apps.teams.approval import actor_of
from apps.teams.models import Team
from tests.access.table import addresses
from tests.access.test_matrix import made, wrong

__all__ = ["made"]


def no_filter_of_rows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(marts, "visible", lambda rows, scope: rows)
    patch.setattr(marts, "without_teams", lambda query: (query, None))


def no_filter_of_teams(patch: pytest.MonkeyPatch) -> None:
    everybody = frozenset(Team.objects.values_list("name", flat=True))
    patch.setattr(marts, "without_teams", lambda query: (without_teams(query)[0], everybody))
    patch.setattr(marts._team_rows, "is_asked_by_others", lambda key, teams: True)


def no_filter_of_objects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(operations, "seen_teams", lambda reader: None)


def no_end_of_a_token(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("apps.api.selectors.only_of", lambda user, teams: user)


def no_end_of_what_is_ones_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(channels, "actor_of", lambda reader: replace(actor_of(reader), is_whole=True))


def no_look_at_the_scope(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(access.Access, "teams", lambda self, can: None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sabotage", "who", "name"),
    [
        pytest.param(no_filter_of_rows, "lead", "api-costs", id="rows of cost"),
        pytest.param(no_filter_of_teams, "lead", "api-costs", id="rows that many asked for"),
        pytest.param(no_filter_of_rows, "account_viewer", "explorer-file", id="rows of an account"),
        pytest.param(no_filter_of_objects, "lead", "recommendation", id="a thing by its number"),
        pytest.param(no_end_of_a_token, "amber token of finance", "api-reconciliation", id="a token for one team"),
        pytest.param(no_end_of_what_is_ones_own, "amber token of finance", "api-deliveries", id="one's own channels"),
        pytest.param(no_look_at_the_scope, "viewer", "sources", id="a page of the company"),
    ],
)
def test_a_filter_taken_away_is_noticed(
    made: Any,
    monkeypatch: pytest.MonkeyPatch,
    sabotage: Callable[[pytest.MonkeyPatch], None],
    who: str,
    name: str,
) -> None:
    there, actors = made
    asked = [one for one in addresses(there) if one.name == name]
    forget()
    assert not [each for one in asked for each in wrong(actors[who], one, "GET")]
    forget()
    sabotage(monkeypatch)
    assert [each for one in asked for each in wrong(actors[who], one, "GET")]
    forget()


def forget() -> None:
    """Answers are kept by what decides them; that a filter is gone is no part of it."""
    cache.clear()
    marts._recent.clear()
    marts._team_rows.clear()
