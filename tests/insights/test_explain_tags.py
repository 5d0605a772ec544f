"""From the cost of a tag back to the lines of the bill that bear it, and to no others."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings

from apps.allocation.services import allocate
from apps.finops.tags import NOT_RECORDED
from apps.finops.windows import Window
from apps.insights.explain import Explanation, explain
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.marts.services import publish
from apps.teams.organising import keep_tree
from apps.teams.tree import Place, Tree, Unit
from tests.allocation.worlds import DAY
from tests.insights.test_explain import NOW, build_world, lines

BOTH, PROD, TEST = '{"env":"prod","a/b":"x"}', '{"env":"prod"}', '{"env":"test"}'
ODD = json.dumps({"env": 'it\'s, "odd"'})
TAGS = {2: BOTH, 3: TEST, 6: PROD, 7: PROD, 8: ODD, 11: TEST}
"""By line of the bill: a node and its credit differ; the logs and what nobody owns have no resource."""
TAG = {"env": "tag:env", "ab": "tag:a/b"}
DAYS = (DAY, DAY + timedelta(days=2))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    folders = {"COSTOPS_HOME": home, "COSTOPS_LANDING": home / "landing", "COSTOPS_LAKE": home / "lake"}
    with (
        django_db_blocker.unblock(),
        override_settings(**folders, COSTOPS_TAG_KEYS=("env", "a/b")),
        transaction.atomic(),
    ):
        cache.clear()
        build_world(home, TAGS)
        yield
        transaction.set_rollback(True)


def why(**filters: str) -> Explanation:
    """The explanation of a cell; `env` is the tag, everything else a dimension."""
    query = CostQuery(*DAYS, filters=tuple((TAG.get(name, name), (value,)) for name, value in filters.items()))
    found = explain(query, limit=50)
    assert found.totals == answer(query).totals
    assert found.adds_up
    return found


@pytest.mark.parametrize(
    ("filters", "total", "bill_lines"),
    [
        pytest.param({"env": "prod"}, "66.000000000001", [2, 6, 7], id="what bears a tag"),
        pytest.param({"env": "test"}, "3.2", [3, 11], id="a credit and traffic, passed on too"),
        pytest.param({"env": 'it\'s, "odd"'}, "3", [8], id="a value with signs"),
        pytest.param({"env": ""}, "18", [5, 9, 10, 12], id="what bears no such tag"),
        pytest.param({"env": "prod", "kind": "shared"}, "14", [2, 6], id="what was received of it"),
        pytest.param({"env": "prod", "team": "data", "kind": "direct"}, "16", [2, 7], id="a team's part of it"),
        pytest.param({"env": "prod", "ab": ""}, "18.000000000001", [6, 7], id="two tags at once"),
        pytest.param({"env": "test", "kind": "idle"}, "-1.2", [3], id="idle capacity, without the other charge"),
    ],
)
def test_a_tag_is_explained(filters: dict[str, str], total: str, bill_lines: list[int]) -> None:
    found = why(**filters)
    assert (found.totals, lines(found)) == ({"CNY": Decimal(total)}, bill_lines)


def test_a_tag_within_a_department_is_explained() -> None:
    keep_tree(Tree(units=(Unit("shop", "department"),), teams={"data": (Place("shop"),)}), NOW)
    found = why(env="prod", department="shop", kind="direct")
    assert (found.totals, lines(found)) == ({"CNY": Decimal(16)}, [2, 7])


def test_what_was_allocated_before_a_key_was_chosen_is_told_and_explained(settings: Any) -> None:
    settings.COSTOPS_TAG_KEYS = ("env", "new")
    everything = answer(CostQuery(*DAYS)).totals
    by_new = answer(CostQuery(*DAYS, group_by=("tag:new",)))
    assert [row[0] for row in by_new.rows] == [NOT_RECORDED]
    assert by_new.totals == everything
    query = CostQuery(*DAYS, filters=(("tag:new", (NOT_RECORDED,)), ("tag:env", ("prod",))))
    found = explain(query, limit=50)
    assert (lines(found), found.adds_up) == ([2, 6, 7], True)
    with transaction.atomic():
        allocate(Window(*DAYS))
        publish(None, now=NOW)
        again = answer(CostQuery(*DAYS, group_by=("tag:new",)))
        assert ([row[0] for row in again.rows], again.totals) == ([""], everything)
        transaction.set_rollback(True)
