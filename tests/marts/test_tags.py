"""Cost by tag: the same sums, grouped and narrowed by what the bill says in its tags."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.finops.tables import COST_MART, LakeTable
from apps.finops.tags import NOT_RECORDED
from apps.marts.cell import address, question, row_addresses
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, CostQuery, Scope
from apps.marts.selectors import answer
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.worlds import as_table
from tests.worlds import publish_costs

KEYS = ("env", "Env", "acs:ack.aliyun.com", "a'b/c~*")
OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
EVIL = "=cmd|' /C calc'!A1, \"<b>\" 数"

pytestmark = pytest.mark.usefixtures("world")


def row(cost: str, team: str = "web", tags: Mapping[str, str] | None = None, **given: Any) -> dict[str, Any]:
    """Cost of a day; `tags` None: it was published before there were any."""
    kept = None if tags is None else json.dumps(dict.fromkeys(KEYS, "") | tags)
    return {"day": date(2026, 10, 5), "team": team, "effective_cost": cost, "kept_tags": kept} | given


WORLD = [
    row("1.000000000001", tags={"env": "prod", "Env": "other", KEYS[2]: "c1"}),
    row("2", tags={"env": "prod", "Env": "prod"}),
    row("4", "data", tags={"env": EVIL, KEYS[3]: "x"}),
    row("8", "data", tags={}),
    row("-16", "data", tags={"env": "prod"}, currency="USD"),
    row("32", "unallocated"),
    row("64", "unallocated") | {"kept_tags": '{"Env":""}'},
]


@pytest.fixture
def world(db: None, home: Path, settings: LazySettings) -> None:
    settings.COSTOPS_TAG_KEYS = KEYS
    publish_costs(WORLD)


def ask(*group_by: str, **given: Any) -> dict[Any, Decimal]:
    found = answer(CostQuery(*OCTOBER, group_by=group_by, **given))
    return {row[:-1]: row[-1] for row in found.rows}


def test_every_value_none_and_what_nobody_looked_for_are_told() -> None:
    assert ask("tag:env", filters=(("currency", ("CNY",)),)) == {
        ("prod", "CNY"): Decimal("3.000000000001"),
        (EVIL, "CNY"): Decimal(4),
        ("", "CNY"): Decimal(8),
        (NOT_RECORDED, "CNY"): Decimal(96),
    }


@pytest.mark.parametrize("key", KEYS)
def test_nothing_vanishes_whatever_the_key(key: str) -> None:
    assert answer(CostQuery(*OCTOBER, group_by=(f"tag:{key}",))).totals == answer(CostQuery(*OCTOBER)).totals


def test_keys_that_differ_by_case_stand_side_by_side() -> None:
    assert ask("tag:env", "tag:Env", filters=(("team", ("web",)),)) == {
        ("prod", "other", "CNY"): Decimal("1.000000000001"),
        ("prod", "prod", "CNY"): Decimal(2),
    }


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        pytest.param("tag:env", ("prod",), {"CNY": "3.000000000001", "USD": "-16"}, id="a value"),
        pytest.param("tag:env", ("prod", EVIL), {"CNY": "7.000000000001", "USD": "-16"}, id="several, one hostile"),
        pytest.param("tag:env", ("",), {"CNY": "8"}, id="no such tag"),
        pytest.param("tag:env", (NOT_RECORDED,), {"CNY": "96"}, id="not recorded"),
        pytest.param("tag:Env", ("prod",), {"CNY": "2"}, id="the other spelling"),
        pytest.param(f"tag:{KEYS[2]}", ("c1",), {"CNY": "1.000000000001"}, id="a provider's own key"),
        pytest.param(f"tag:{KEYS[3]}", ("x",), {"CNY": "4"}, id="a key full of signs"),
        pytest.param("tag:env", ("PROD",), {}, id="values have a case, too"),
    ],
)
def test_filters(name: str, values: tuple[str, ...], expected: dict[str, str]) -> None:
    found = answer(CostQuery(*OCTOBER, filters=((name, values),)))
    assert found.totals == {currency: Decimal(cost) for currency, cost in expected.items()}


def test_a_tag_shows_nobody_another_teams_cost() -> None:
    scope = Scope(frozenset({"web"}))
    assert ask("tag:env", scope=scope) == {("prod", "CNY"): Decimal("3.000000000001")}
    assert ask(scope=scope, filters=(("tag:env", (EVIL, "")),)) == {}


@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(st.sampled_from([*(f"tag:{key}" for key in KEYS), "team", "day"]), unique=True, max_size=4),
    key=st.sampled_from(KEYS),
    values=st.lists(st.sampled_from(["prod", "", EVIL, NOT_RECORDED, "c1"]), min_size=1, unique=True),
)
def test_the_engine_says_what_a_reading_row_by_row_says(groups: list[str], key: str, values: list[str]) -> None:
    def told(row: Mapping[str, Any], name: str) -> Any:
        kept = json.loads(row["kept_tags"] or "{}")
        return kept.get(name.removeprefix("tag:"), NOT_RECORDED) if name.startswith("tag:") else row[name]

    expected: dict[Any, Decimal] = {}
    for one in WORLD:
        if told(one, f"tag:{key}") in values:
            place = (*(told(one, name) for name in groups), one.get("currency", "CNY"))
            expected[place] = expected.get(place, Decimal(0)) + Decimal(one["effective_cost"])
    assert ask(*groups, filters=((f"tag:{key}", tuple(values)),)) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"group_by": ("tag:team",)}, "tag:team: COSTOPS_TAG_KEYS says by which tags cost is told .tag:env",
                     id="a key that was not chosen"),
        pytest.param({"filters": (("tag:ENV", ("x",)),)}, "tag:ENV: COSTOPS_TAG_KEYS says", id="another case"),
        pytest.param({"group_by": ("tag:",)}, "group_by: 'tag:' is not one of", id="no key"),
        pytest.param({"group_by": ("tag:env", "tag:env")}, "named twice", id="twice"),
    ],
)  # fmt: skip
def test_a_tag_that_cannot_be_meant_says_so(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadQuestion, match=message):
        answer(CostQuery(*OCTOBER, **given))


@pytest.mark.parametrize("key", KEYS)
def test_every_row_has_an_address_that_leads_back(key: str) -> None:
    narrow = (("tag:env", ("prod", EVIL, "", "x")),)
    asked = CostQuery(*OCTOBER, group_by=(f"tag:{key}",), filters=narrow, as_of=1)
    made = row_addresses("/x/", asked, (f"tag:{key}", "currency", "effective_cost"))
    for value in (EVIL, "", "x"):
        back = question(dict(parse_qsl(urlsplit(made((value, "CNY", None))).query, keep_blank_values=True)))
        assert dict(back.filters)[f"tag:{key}"] == (value,)
        assert question(dict(parse_qsl(urlsplit(address("/x/", back)).query, keep_blank_values=True))) == back


def test_the_terminal_asks_by_tag() -> None:
    out = io.StringIO()
    words = ("--group-by", "tag:env,team", "--filter", "tag:Env=", "--start", "2026-10-01", "--end", "2026-11-01")
    call_command("ask", *words, "--format", "csv", stdout=out)
    rows = list(csv.reader(io.StringIO(out.getvalue())))
    assert rows[0] == ["tag:env", "team", "currency", "effective_cost"]
    assert ["prod", "data", "USD", "-16.000000000000"] in rows
    assert [NOT_RECORDED, "unallocated", "CNY", "64.000000000000"] in rows
    with pytest.raises(CommandError, match="COSTOPS_TAG_KEYS"):
        call_command("ask", "--group-by", "tag:no", "--start", "2026-10-01", "--end", "2026-11-01")


def test_a_publication_of_before_tells_its_tags_as_not_recorded() -> None:
    """A lake of an earlier release: no file has the column. Its totals stay, and so do those of the new one."""
    pinned = Publication.objects.get()
    columns = {name: kind for name, kind in COST_MART.columns.items() if name != "kept_tags"}
    old = LakeTable(COST_MART.name, columns, COST_MART.partition_by)
    told = [dict(zip(columns, row, strict=True)) for row in rows_of(lake.scan(old))]
    lake.drop(COST_MART)
    pinned.pk = pinned.number = None
    pinned.versions = {**pinned.versions, COST_MART.name: lake.replace(old, as_table(old, told), [])}
    pinned.save(force_insert=True)
    assert ask("tag:env") == {(NOT_RECORDED, "CNY"): Decimal("111.000000000001"), (NOT_RECORDED, "USD"): Decimal(-16)}
    assert ask("team")["web", "CNY"] == Decimal("3.000000000001")
