"""Every part of a charge bears the provider that its bill names, and nothing of it is lost on the way."""

import random
from decimal import Decimal
from typing import Any

import pytest

from apps.books.changes import ChangeQuery, changes
from apps.finops.tables import ALLOCATED, COST_MART, NOT_NAMED, PASSED_ON, LakeTable
from apps.finops.tags import NOT_RECORDED
from apps.finops.windows import ONE_DAY
from apps.insights.explain import explain
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.conftest import Together
from tests.allocation.test_invariants import amount
from tests.allocation.worlds import (
    DAY,
    ON_NODE,
    OWNED_BY_NAME,
    Row,
    World,
    allocated,
    as_table,
    by,
    charge,
    charged,
    totals,
)
from tests.books.worlds import RULES, published, usage

pytestmark = pytest.mark.django_db
A, B = "Alibaba Cloud", "AWS"


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        pytest.param({"ProviderName": A}, A, id="as FOCUS called it until 1.2"),
        pytest.param({"ServiceProviderName": B}, B, id="as FOCUS calls it from 1.3 on"),
        pytest.param({"ProviderName": A, "ServiceProviderName": B}, A, id="the older word first, as prices are kept"),
        pytest.param({"ProviderName": "", "ServiceProviderName": B}, B, id="an empty name is none"),
        pytest.param({}, NOT_NAMED, id="a bill that names none says so"),
    ],
)
def test_a_charge_has_the_provider_that_its_bill_names(told: dict[str, str], provider: str) -> None:
    rows = allocated([charge("10", "log-1", **told)])
    assert by(rows, "provider") == {provider: Decimal(10)}


def test_a_node_that_two_providers_bill_is_divided_by_each() -> None:
    rows = allocated([charge("36", "i-n1", ProviderName=A), charge("12", "i-n1", ProviderName=B)], **ON_NODE)
    assert by(rows, "team", "provider") == {
        ("web", A): Decimal(18), ("data", A): Decimal(9), ("unallocated", A): Decimal(9),
        ("web", B): Decimal(6), ("data", B): Decimal(3), ("unallocated", B): Decimal(3),
    }  # fmt: skip


def test_what_is_passed_on_keeps_its_provider() -> None:
    rules = OWNED_BY_NAME + "policies:\n  - {name: platform, share: proportional, when: {namespace: data}}\n"
    rows = allocated([charge("48", "i-n1", ProviderName=A), charge("24", "i-n1", ProviderName=B)], rules, **ON_NODE)
    assert by([row for row in rows if row["kind"] == "shared"], "provider") == {A: Decimal(12), B: Decimal(6)}


@pytest.mark.parametrize("first_seed", [0, 8])
def test_the_providers_add_up_to_what_each_of_them_charged(first_seed: int, together: Together) -> None:
    worlds = [random_bill(random.Random(seed)) for seed in range(first_seed, first_seed + 8)]
    for world, rows in zip(worlds, together(worlds, OWNED_BY_NAME), strict=True):
        named = [one | {"provider": _named(one), "effective_cost": one["EffectiveCost"]} for one in world.charges]
        assert by(rows, "provider") == by(named, "provider")
        assert totals(rows) == charged(world.charges)


def random_bill(rng: random.Random) -> World:
    """Charges of any amount, of one provider or the other or of none, beside a node that is in use."""
    names: tuple[dict[str, str], ...] = ({"ProviderName": A}, {"ServiceProviderName": B}, {"ProviderName": B}, {})
    charges = [
        charge(amount(rng), rng.choice(("i-n1", "log-1", "log-2")), **rng.choice(names))
        for _ in range(rng.randint(1, 8))
    ]
    return World(charges, ON_NODE)


def _named(row: Row) -> str:
    return row["ProviderName"] or row["ServiceProviderName"] or NOT_NAMED


def worded(**told: str) -> list[Row]:
    return [charge("48", "i-n1", **told), charge("10", "log-1", ServiceName="Log", **told)]


def forget(*tables: LakeTable) -> None:
    """Write tables again as an earlier release did: no file has the column."""
    for table in tables:
        columns = {name: kind for name, kind in table.columns.items() if name != "provider"}
        before = LakeTable(table.name, columns, table.partition_by)
        held = [dict(zip(columns, row, strict=True)) for row in rows_of(lake.scan(table).select(*columns))]
        lake.drop(table)
        lake.replace(before, as_table(before, held), [])


def ask(number: int, *groups: str, **given: Any) -> dict[Any, Decimal]:
    query = CostQuery(DAY, DAY + ONE_DAY, group_by=groups, as_of=number, **given)
    return {row[:-2]: row[-1] for row in answer(query).rows}


@pytest.fixture
def upgraded(home: object) -> tuple[int, int]:
    """Two publications of the same day: of before providers were told, and of after."""
    published(worded(ProviderName=A), usage(), RULES)
    forget(ALLOCATED, PASSED_ON, COST_MART)
    old = Publication.objects.get()
    old.versions = old.versions | {table.name: lake.version(table) for table in (ALLOCATED, PASSED_ON, COST_MART)}
    old.save()
    return old.number, published(worded(ProviderName=A), usage(), RULES)


def test_an_earlier_publication_answers_and_says_that_it_was_not_recorded(upgraded: tuple[int, int]) -> None:
    old, new = upgraded
    assert ask(old, "provider") == {(NOT_RECORDED,): Decimal(58)}
    assert ask(new, "provider") == {(A,): Decimal(58)}
    assert ask(old, "team") == ask(new, "team")
    assert ask(old, filters=(("provider", (NOT_RECORDED,)),)) == ask(new, filters=(("provider", (A,)),))
    assert ask(old, excludes=(("provider", (NOT_RECORDED,)),)) == {}


@pytest.mark.parametrize("side", [0, 1], ids=["before providers were told", "after"])
def test_a_number_of_either_is_explained_by_its_bill_rows(upgraded: tuple[int, int], side: int) -> None:
    query = CostQuery(DAY, DAY + ONE_DAY, filters=(("team", ("web",)),), as_of=upgraded[side])
    told = explain(query, limit=10)
    assert dict(told.totals) == dict(answer(query).totals)
    assert told.bill_row_count == 1


def test_that_providers_are_told_now_is_no_change_of_cost(upgraded: tuple[int, int]) -> None:
    assert changes(ChangeQuery(*upgraded, group_by=("team", "provider", "class"))).rows == ()
