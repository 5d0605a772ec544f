"""From a number back to the rules, the pools and the lines of the bill it was made of."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import override_settings

from apps.allocation.services import allocate
from apps.finops.money import add_up
from apps.finops.windows import Window
from apps.ingest import services as ingest
from apps.insights.explain import Explanation, explain
from apps.marts.query import BadQuestion, CostQuery, Scope
from apps.marts.selectors import answer
from apps.marts.services import publish
from apps.teams.organising import keep_tree
from apps.teams.tree import Place, Tree, Unit
from tests.allocation.worlds import DAY, claim, import_rules, moved, node, pod, put_usage, sent, service

NOW = datetime(2026, 11, 20, tzinfo=UTC)
RULES = """
rules:
  - {name: web, when: {namespace: web}, team: web}
  - {name: data, when: {namespace: data}, team: data}
  - {name: logs, when: {service: Log}, split: {web: 60, data: 40}}
  - {name: pool, when: {node_pool: general}, team: ops}
shared: [{name: platform, when: {namespace: kube}}]
clusters:
  - {name: fee, when: {service: Fee}, cluster: online}
  - {name: nat, when: {service: NAT}, cluster: online, by: internet}
"""
HEADER = (
    "ResourceId,ServiceName,ChargeDescription,BilledCost,EffectiveCost,ListCost,ContractedCost,BillingAccountId,"
    "BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory"
)
LINES = {
    2: "i-n1,Compute,a node,48,48,48,48",
    3: 'i-n1,Compute,"a credit\nof two lines",-4.8,-4.8,-4.8,-4.8',
    5: "eci-1,Compute,a pod,7,7,7,7",
    6: "d-1,Disk,a disk,8,8,8,8",
    7: ",Log,logs,10,10.000000000001,10,10",
    8: ",Other,nobody knows,3,3,3,3",
    9: "i-n1,Compute,tomorrow,1,1,1,1",
    10: "lb-1,Balancer,a load balancer,4,4,4,4",
    11: "nat-1,NAT,a gateway,8,8,8,8",
    12: "c-1,Fee,a control plane,6,6,6,6",
}
"""The bill by line number; a description takes two lines."""
OCTOBER_1 = {"start": DAY, "end": DAY + timedelta(days=1)}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    folders = {"COSTOPS_HOME": home, "COSTOPS_LANDING": home / "landing", "COSTOPS_LAKE": home / "lake"}
    with django_db_blocker.unblock(), override_settings(**folders), transaction.atomic():
        cache.clear()
        build_world(home)
        yield
        transaction.set_rollback(True)


def build_world(tmp_path: Path, tags: Mapping[int, str] = MappingProxyType({})) -> None:
    """A bill landed from a file, some lines of it with tags, usage, rules: allocated and published."""
    exports = tmp_path / "exports"
    exports.mkdir()
    rows = [
        f"{line},100,CNY,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,{_period(n)},Usage,{_quoted(tags.get(n, ''))}"
        for n, line in LINES.items()
    ]
    (exports / "october.csv").write_text("\n".join([f"{HEADER},Tags", *rows]) + "\n")
    source = ingest.add_source(
        name="bill", kind="focus", location=str(exports), cluster="", options={"quiet_minutes": "0"}, now=NOW
    )
    assert not ingest.land(source, NOW).failed
    assert ingest.normalize(source, NOW).rows == len(LINES)
    pods = [row for name in ("web", "data", "kube") for row in pod(name, "1", "4")]
    put_usage(
        node_hours=node() + moved(node(), 1),
        workload_hours=pods + pod("web", "1", node="virtual", resource_id="eci-1") + moved(pods, 1),
        volume_hours=claim("web", "30") + claim("kube", "10"),
        service_hours=moved(service("web"), 1),
        network_hours=moved(sent("web", "4", internet_gib="3") + sent("kube", "4", internet_gib="1"), 1),
    )
    import_rules(RULES)
    allocate(Window(DAY, DAY + timedelta(days=2)))
    publish(None, now=NOW)


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if text else ""


def _period(line: int) -> str:
    return "2026-10-02T00:00:00Z,2026-10-03T00:00:00Z" if line >= 9 else "2026-10-01T00:00:00Z,2026-10-02T00:00:00Z"


def why(*, limit: int = 50, scope: Scope | None = None, metric: str = "effective_cost", **filters: str) -> Explanation:
    given = tuple((name, (value,)) for name, value in filters.items())
    return explain(CostQuery(**OCTOBER_1, metric=metric, filters=given, scope=scope or Scope()), limit=limit)


def lines(found: Explanation) -> list[int]:
    return sorted(int(row.place.rpartition(" ")[2]) for row in found.bill_rows)


@pytest.mark.parametrize(
    ("filters", "total", "bill_lines"),
    [
        pytest.param(
            {"team": "web", "service": "Compute", "kind": "direct"}, "17.8", [2, 3, 5], id="node and serverless"
        ),
        pytest.param({"kind": "idle"}, "10.8", [2, 3], id="idle"),
        pytest.param({"kind": "shared", "service": "Disk"}, "2", [6], id="the platform's volume, shared"),
        pytest.param({"kind": "shared"}, "12.8", [2, 3, 6], id="all that is shared"),
        pytest.param({"namespace": "web", "service": "Disk"}, "6", [6], id="a volume"),
        pytest.param({"team": "data", "service": "Log"}, "4", [7], id="a charge that is split"),
        pytest.param({"kind": "unallocated"}, "3", [8], id="what is nobody's"),
        pytest.param({}, "71.200000000001", [2, 3, 5, 6, 7, 8], id="everything of the day"),
    ],
)
def test_a_number_is_explained(filters: dict[str, str], total: str, bill_lines: list[int]) -> None:
    found = why(**filters)
    query = CostQuery(**OCTOBER_1, filters=tuple((name, (value,)) for name, value in filters.items()))
    assert found.totals == answer(query).totals == {"CNY": Decimal(total)}
    assert add_up(part.amount for part in found.parts) == Decimal(total)
    assert found.part_count == len(found.parts)
    assert lines(found) == bill_lines
    assert found.bill_row_count == len(bill_lines)
    assert found.adds_up
    assert found.bill_total == {"CNY": add_up(row.amount for row in found.bill_rows)}
    assert all(part.rule or part.kind in ("shared", "unallocated") for part in found.parts)


@pytest.mark.parametrize(
    ("filters", "total", "bill_lines"),
    [
        pytest.param({"service": "Balancer", "team": "web"}, "4", [10], id="a load balancer"),
        pytest.param({"service": "NAT", "kind": "direct"}, "6", [11], id="what was sent"),
        pytest.param({"service": "NAT", "kind": "shared"}, "2", [11], id="what the platform sent, shared"),
        pytest.param({"namespace": "__cluster__", "team": "data"}, "3", [12], id="a control plane, shared"),
        pytest.param({}, "19", [9, 10, 11, 12], id="everything of the second day"),
    ],
)
def test_what_a_cluster_costs_is_explained(filters: dict[str, str], total: str, bill_lines: list[int]) -> None:
    given = tuple((name, (value,)) for name, value in filters.items())
    tomorrow = {name: day + timedelta(days=1) for name, day in OCTOBER_1.items()}
    found = explain(CostQuery(**tomorrow, metric="effective_cost", filters=given, scope=Scope()), limit=50)
    assert found.totals == {"CNY": Decimal(total)}
    assert add_up(part.amount for part in found.parts) == Decimal(total)
    assert lines(found) == bill_lines
    assert found.adds_up


@pytest.mark.parametrize("metric", ["billed_cost", "effective_cost", "list_cost", "contracted_cost"])
def test_every_metric_is_explained(metric: str) -> None:
    found = why(metric=metric)
    assert found.adds_up
    assert found.totals == found.bill_total


def test_a_place_is_the_file_and_the_line_where_the_row_begins() -> None:
    places = {row.description: row.place for row in why().bill_rows}
    assert places["a node"] == "october.csv, line 2"
    assert places["a credit\nof two lines"] == "october.csv, line 3"
    assert places["nobody knows"] == "october.csv, line 8"


def test_the_largest_come_first_and_a_limit_cuts_lists_not_totals() -> None:
    found = why(limit=2)
    whole = why()
    assert (len(found.parts), len(found.bill_rows)) == (2, 2)
    assert [row.amount for row in found.bill_rows] == [48, Decimal("10.000000000001")]
    assert (found.part_count, found.bill_row_count) == (whole.part_count, whole.bill_row_count)
    assert (found.totals, found.bill_total, found.pool_total) == (whole.totals, whole.bill_total, whole.pool_total)


def test_an_explanation_is_the_same_each_time() -> None:
    assert why() == why()


def test_a_scope_explains_only_what_may_be_seen() -> None:
    found = why(scope=Scope(frozenset({"data"})))
    assert {part.team for part in found.parts} == {"data"}
    assert found.totals == answer(CostQuery(**OCTOBER_1, scope=Scope(frozenset({"data"})))).totals


def test_nothing_cannot_be_explained() -> None:
    with pytest.raises(BadQuestion, match="no cost under this question; widen the window or the filters"):
        why(team="nobody")


# --- The command ----------------------------------------------------------------------------------------------------
WINDOW = ("--start", "2026-10-01", "--end", "2026-10-02")


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("explain", *WINDOW, *words, stdout=out)
    return out.getvalue()


def test_the_command_tells_parts_bill_rows_and_that_they_add_up() -> None:
    text = said("--filter", "kind=unallocated")
    assert "3.00 CNY of effective_cost from 2026-10-01 until 2026-10-02" in text
    assert "october.csv, line 8" in text
    assert "Pools hold 3.000000000000 CNY, their bill rows 3.000000000000 CNY: equal." in text


def test_csv_and_json_are_the_bill_rows_with_every_decimal() -> None:
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(said("--filter", "service=Log", "--format", "csv"))))
    assert [(row["place"], row["amount"]) for row in rows] == [("october.csv, line 7", "10.000000000001")]
    assert json.loads(said("--filter", "service=Log", "--format", "json")) == [rows[0]]
    assert date.fromisoformat(rows[0]["day"]) == DAY


def test_bill_rows_that_are_left_out_are_spoken_of_beside_the_rows() -> None:
    out, err = io.StringIO(), io.StringIO()
    call_command("explain", *WINDOW, "--format", "csv", "--limit", "1", stdout=out, stderr=err)
    assert len(list(csv.DictReader(io.StringIO(out.getvalue())))) == 1
    assert "These are the largest 1 of " in err.getvalue()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--filter", "team=nobody"), "no cost under this question", id="nothing there"),
        pytest.param(("--limit", "-1"), "limit: -1 is too small; say how many rows to show", id="a negative limit"),
        pytest.param(("--metric", "x"), "metric: 'x' is not one of", id="an unknown metric"),
    ],
)
def test_asked_wrongly_the_command_says_what_to_do(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said(*words)


def test_an_older_publication_is_explained_by_its_own_rows() -> None:
    """The last test of this file, for it publishes anew."""
    before = why()
    import_rules("rules: [{name: all, when: {namespace: '*'}, team: ops}]")
    allocate(Window(DAY, DAY + timedelta(days=2)))
    publish(None, now=NOW)
    assert "web" not in {part.team for part in why().parts}
    older = explain(CostQuery(**OCTOBER_1, as_of=before.publication), limit=50)
    assert (older.parts, older.bill_rows) == (before.parts, before.bill_rows)


def test_the_number_of_a_department_is_that_of_its_teams() -> None:
    tree = Tree(
        units=(Unit("shop", "department"),),
        teams={"web": (Place("shop"),), "data": (Place("shop", valid_from=DAY + timedelta(days=1)),)},
    )
    keep_tree(tree, NOW)
    shop = explain(CostQuery(**OCTOBER_1).narrowed(department="shop"))
    web = explain(CostQuery(**OCTOBER_1).narrowed(team="web"))
    assert shop.totals == web.totals == answer(CostQuery(**OCTOBER_1).narrowed(department="shop")).totals
    assert (shop.part_count, shop.bill_row_count) == (web.part_count, web.bill_row_count)


def test_what_is_left_out_is_no_part_of_a_number() -> None:
    keep_tree(Tree(units=(Unit("shop", "department"),), teams={"web": (Place("shop"),)}), NOW)
    for left_out in ({"kind": ("idle", "shared")}, {"service": ("",)}, {"department": ("shop",)}):
        query = CostQuery(**OCTOBER_1).without(**left_out)
        found = explain(query, limit=50)
        assert found.totals == answer(query).totals
        assert found.adds_up
        (name, values), *_ = left_out.items()
        assert name == "department" or not {getattr(part, name) for part in found.parts} & set(values)
    rest = explain(CostQuery(**OCTOBER_1).narrowed(department="shop")).totals["CNY"]
    assert found.totals["CNY"] + rest == why().totals["CNY"]


def test_all_cost_is_explained_as_what_leaves_nothing_out_is() -> None:
    """Of all nothing is looked for: parts are not copied, and every pool of the days is behind it."""
    query = CostQuery(DAY, DAY + timedelta(days=2))
    every, narrowed = explain(query), explain(query.narrowed(currency="CNY"))
    assert replace(every, query=narrowed.query) == narrowed
    assert every.adds_up
    assert {part.pool for part in every.parts} >= {"node", "shared", "charge"}
