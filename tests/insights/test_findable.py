"""What is found by name is the same whether it comes out of what all teams have or is asked of the own teams alone."""

from typing import Any

import pytest

from apps.insights import findable
from apps.marts.query import EVERYTHING, Scope
from tests.access import world

pytestmark = pytest.mark.django_db
SCOPES = [Scope(frozenset({world.A})), Scope(frozenset({world.B})), Scope(frozenset({world.A, world.B}))]


def found(scope: Scope, published: Any) -> findable.Findable:
    findable._findable.cache_clear()
    return findable.findable(published, scope)


def test_names_of_the_own_teams(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    published = world.make().publication
    everything = found(EVERYTHING, published)
    together = [found(scope, published) for scope in SCOPES]
    monkeypatch.setattr(findable._team_rows, "get", lambda *_asked, **_more: None)
    assert [found(scope, published) for scope in SCOPES] == together
    assert [sorted(one.name for one in names.namespaces) for names in together] == [
        ["kestrel", "kingfisher"], ["walrus", "wombat"], ["kestrel", "kingfisher", "walrus", "wombat"],
    ]  # fmt: skip
    for names, scope in zip(together, SCOPES, strict=True):
        assert names.resources
        assert {one.team for one in (*names.workloads, *names.resources)} == scope.teams
    assert len(everything.namespaces) == 5
