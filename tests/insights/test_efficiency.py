"""Efficiency: hours and money of the one-node company that can be added up on paper (`tests.api.opencost`).

Two days of 4 cores and 16 GiB. web asks for 1 core and 4 GiB and uses 0.5 and 1 on the first day, for 2 and 4 and uses
nothing on the second; the others use nothing. Of a claim in price units (8 a core, 1 a GiB) what was not used is:

| who | cost | claimed | unused | requested and not used |
|---|---|---|---|---|
| web | 2.88 + 4.80 | 288 + 480 | 168 + 480 | 7.68 x 648 / 768 = 6.48 |
| data | 1.92 | 192 | 192 | 1.92 |
| misc | 0.96 | 96 | 96 | 0.96 |
| kube-system | passed on by a policy: not known here | | | |
"""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.finops.money import add_up
from apps.finops.tables import MEASURED, MONEY
from apps.insights import usage_reading
from apps.insights.efficiency import by_day, efficiency
from apps.insights.own_hours import HOURS, own_hours
from apps.insights.usage_reading import LEVELS, EfficiencyQuery
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, BadQuestion, Scope
from apps.marts.team_rows import TeamRows
from apps.warehouse.engine import rows_of
from tests.api.opencost import RULES, hire, publish_world
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
DAYS = (date(2026, 10, 1), date(2026, 10, 3))
WEB = Scope(frozenset({"web"}))
amounts = st.decimals(-1_000_000, 1_000_000, places=12)


def asked(by="cluster", scope=EVERYTHING, **filters):
    return efficiency(EfficiencyQuery(*DAYS, by, tuple(filters.items()), scope=scope))


def told(found):
    """Each row in short: hours of cores held, requested and used, then money."""
    return {
        row.key: (
            None if row.capacity is None else str(row.capacity["cpu"].normalize()),
            *((str(row.use["cpu"].request.normalize()), str(row.use["cpu"].used.normalize())) if row.use else (None,)),
            *(amount_of(money) for money in (row.cost, row.over_requested, row.idle)),
        )
        for row in found.rows
    }


def amount_of(money):
    return None if money is None else str(money["CNY"].normalize()) if money else ""


def test_every_level_on_paper(home):
    publish_world()
    whole = ("192", "108", "12", "10.56", "9.36", "11.76")
    assert told(asked()) == {("online",): whole}
    assert told(asked("node_pool")) == {("online", "general"): whole}
    namespaces = {
        ("online", "web"): (None, "72", "12", "7.68", "6.48", None),
        ("online", "data"): (None, "18", "0", "1.92", "1.92", None),
        ("online", "misc"): (None, "12", "0", "0.96", "0.96", None),
        ("online", "kube-system"): (None, "6", "0", "", "", None),
    }
    assert told(asked("namespace")) == namespaces
    assert told(asked("workload", namespace="web")) == {("online", "web", "web"): namespaces["online", "web"]}
    assert told(asked("namespace", node_pool="general")) == namespaces
    for by in LEVELS:  # whatever rows are of, they are the same together
        total = asked(by).total
        assert (amount_of(total.cost), amount_of(total.over_requested)) == ("10.56", "9.36")
        assert (total.use["memory"].request, total.use["memory"].used) == (Decimal(264), Decimal(24))
    first, second = by_day(EfficiencyQuery(*DAYS), "cpu")
    assert [(one.capacity, one.request, one.used) for one in (first, second)] == [(96, 60, 12), (96, 48, 0)]


@pytest.mark.parametrize("scope", [EVERYTHING, WEB], ids=["all", "a lead"])
def test_hours_are_of_the_days_whose_bill_has_come(home, scope):
    publish_world()
    first = efficiency(EfficiencyQuery(DAYS[0], date(2026, 10, 2), scope=scope))
    Publication.objects.update(end_day=date(2026, 10, 2), came_day=date(2026, 10, 1))
    cache.clear()

    found, late = asked(scope=scope), efficiency(EfficiencyQuery(date(2026, 10, 2), DAYS[1], scope=scope))

    assert found.days == first.days == 1
    assert found.total.use == first.total.use
    assert found.total.capacity == first.total.capacity
    assert scope == WEB or found.total.capacity["cpu"] == 4 * 24
    assert (late.days, late.total.use, late.total.capacity) == (1, None, None)


@pytest.mark.parametrize("scope", [EVERYTHING, WEB], ids=["all", "a lead"])
def test_cost_and_hours_are_of_the_days_of_which_every_bill_came(home, scope):
    publish_world()
    first = efficiency(EfficiencyQuery(DAYS[0], date(2026, 10, 2), scope=scope))
    Publication.objects.update(late={"saas": "2026-10-02"})
    cache.clear()

    found = asked(scope=scope)

    assert (found.days, found.rows, found.total) == (first.days, first.rows, first.total)


def test_a_lead_sees_the_own_workloads_and_not_what_the_cluster_holds(home):
    publish_world()
    found = asked("namespace", scope=WEB)
    assert told(found) == {("online", "web"): (None, "72", "12", "7.68", "6.48", None)}
    assert not found.sees_capacity
    assert told(asked(scope=WEB)) == {("online",): (None, "72", "12", "7.68", "6.48", "")}
    assert [(one.capacity, one.request) for one in by_day(EfficiencyQuery(*DAYS, scope=WEB), "cpu")] == [
        (None, 24), (None, 48),
    ]  # fmt: skip
    assert asked("workload", scope=Scope(frozenset())).rows == ()


def test_months_that_a_publication_left_as_they_were_stay_known(home, monkeypatch):
    first = publish_world()
    read = []
    real = usage_reading.TeamRows._table
    monkeypatch.setattr(usage_reading, "_team_rows", TeamRows())

    def noted(kept, key, make):
        return real(kept, key, lambda teams: (read.append(key), make(teams))[1])

    monkeypatch.setattr(TeamRows, "_table", noted)
    query = EfficiencyQuery(date(2026, 9, 20), date(2026, 10, 3), "namespace", scope=WEB)
    found = told(efficiency(query))
    assert found == told(asked("namespace", scope=WEB))
    hours, *money = [key.split()[:2] for key in read][:3]
    assert hours == ["2026-10-01", "2026-10-03"], "of the days published alone"
    assert money == [["2026-09-20", "2026-10-01"], ["2026-10-01", "2026-10-03"]]
    read.clear()
    later = {name: getattr(first, name) for name in ("ruleset", "status", "first_day", "end_day", "totals", "versions")}
    Publication.objects.create(created_at=first.created_at + timedelta(hours=1), **later)
    assert told(efficiency(query)) == found
    assert read == []


MOVED = RULES.replace(
    "team: web}",
    "team: web, valid_to: 2026-10-02}\n  - {name: moved, when: {namespace: web}, team: data, valid_from: 2026-10-02}",
    1,
)


@pytest.mark.parametrize(
    ("team", "hours", "days"),
    [
        pytest.param("web", ("24", "12", "2.88", "1.68", None), [24], id="whose it was"),
        pytest.param("data", ("48", "0", "4.8", "4.8", None), [18, 48], id="whose it became"),
    ],
)
def test_hours_are_those_of_the_days_on_which_a_workload_was_ones_own(home, team, hours, days):
    publish_world(rules=MOVED)
    scope = Scope(frozenset({team}))
    assert told(asked("namespace", scope=scope))["online", "web"] == (None, *hours)
    assert [one.request for one in by_day(EfficiencyQuery(*DAYS, scope=scope), "cpu")] == days


def test_the_api_the_csv_and_the_page_say_the_same_to_each(home):
    publish_world()
    clients = hire()
    address = "/api/v1/efficiency/?by=namespace"
    rows = clients["boss"].get(address).json()["rows"]
    assert sum(Decimal(row["over_requested_cost"] or 0) for row in rows) == Decimal("9.36")
    assert {row["namespace"]: row["cost"] for row in rows}["kube-system"] is None  # not known is not zero
    sheet = clients["boss"].get(f"{address}&format=csv").content.decode("utf-8-sig")
    assert [row["cost"] for row in csv.DictReader(io.StringIO(sheet))] == [row["cost"] or "" for row in rows]
    own = clients["web"].get(address).json()["rows"]
    assert [(row["namespace"], row["cpu_capacity_core_hours"]) for row in own] == [("web", None)]
    assert clients["anonymous"].get(address).status_code == 401
    page = clients["boss by session"].get("/efficiency/?by=namespace").content.decode()
    assert 'title="9.360000000000"' in page
    assert 'title="6.480000000000"' in page


def test_what_nobody_measured_is_not_known(home):
    publish_costs(
        [{"day": date(2026, 10, 1), "team": "web", "cluster": "online", "effective_cost": "5", "kind": "idle"}]
    )
    (row,) = asked().rows
    assert (row.use, row.capacity, amount_of(row.idle)) == (None, None, "5")
    assert by_day(EfficiencyQuery(*DAYS), "gpu") == ()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        pytest.param({"by": "planet"}, "by: 'planet'", id="no such level"),
        pytest.param({"filters": (("team", "web"),)}, "filter: 'team'", id="nothing to narrow by"),
        pytest.param({"end": DAYS[0]}, "end", id="no days"),
    ],
)
def test_a_wrong_question_is_named(wrong, named):
    with pytest.raises(BadQuestion, match=named):
        EfficiencyQuery(**{"start": DAYS[0], "end": DAYS[1]} | wrong)


# --- Workloads that several teams pay for -----------------------------------------------------------------------------
SHARED = RULES.replace("when: {namespace: web}, team: web", "when: {namespace: web}, split: {web: 33.33, data: 66.67}")


def test_of_a_workload_of_two_teams_each_sees_the_hours_it_pays_for(home):
    publish_world(rules=SHARED)
    seen = [asked("workload", scope=Scope(frozenset({team})), namespace="web") for team in ("web", "data")]
    (whole,) = asked("workload", namespace="web").rows
    parts = [found.rows[0] for found in seen]
    assert [str(part.use["cpu"].request.normalize()) for part in parts] == ["23.9976", "48.0024"]
    for resource, use in whole.use.items():
        for what in ("claimed", "request", "used"):
            assert sum(getattr(part.use[resource], what) for part in parts) == getattr(use, what), (resource, what)
    assert [str(part.cost["CNY"].normalize()) for part in parts] == ["2.559744", "5.120256"]
    days = by_day(EfficiencyQuery(*DAYS, filters=(("namespace", "web"),), scope=WEB), "cpu")
    assert [str(one.request.normalize()) for one in days] == ["7.9992", "15.9984"]
    both = asked("workload", scope=Scope(frozenset({"web", "data"})), namespace="web").rows[0]
    assert (both.use, both.cost) == (whole.use, whole.cost)


def owned(costs, hours):
    """The hours of each team of one workload on one day."""
    place = {"day": DAYS[0], "cluster": "online", "namespace": "shop", "workload": "web"}
    charged = [
        place | {"team": team, "currency": currency, "effective_cost": Decimal(cost)} for team, currency, cost in costs
    ]
    usage = [place | dict.fromkeys(HOURS) | {"cpu_used_core_hours": Decimal(told)} for told in hours]
    kinds = {"currency": "string", "team": "string", "effective_cost": MONEY} | dict.fromkeys(HOURS, MEASURED)
    kinds |= {"day": "date"} | dict.fromkeys(("cluster", "namespace", "workload"), "string")
    tables = [table_of(rows, {name: kinds[name] for name in rows[0]}) for rows in (usage, charged)]
    found = {}
    for team in sorted({team for team, *_ in costs}):
        rows = own_hours(*tables, frozenset({team}))
        told = rows_of(rows.select("cpu_used_core_hours", "memory_used_gib_hours"))
        assert {memory for _, memory in told} == {None}  # nobody measured it: not known to any of them
        found[team] = add_up(used for used, _ in told)
    return found


def table_of(rows, kinds):
    return ibis.memtable(pa.Table.from_pylist(rows, schema=ibis.schema(kinds).to_pyarrow()))


@pytest.mark.parametrize(
    ("costs", "hours", "expected"),
    [
        pytest.param([("a", "CNY", "3")], ["24"], {"a": "24"}, id="of one team"),
        pytest.param([("a", "CNY", "3"), ("b", "CNY", "1")], ["24"], {"a": "18", "b": "6"}, id="by cost"),
        pytest.param(
            [("a", "CNY", "1"), ("b", "CNY", "1"), ("c", "CNY", "1")],
            ["1"],
            {"a": "0.333333333333", "b": "0.333333333334", "c": "0.333333333333"},
            id="thirds add up",
        ),
        pytest.param(
            [("a", "CNY", "2"), ("a", "CNY", "1"), ("b", "CNY", "1")], ["8"], {"a": "6", "b": "2"}, id="several charges"
        ),
        pytest.param([("a", "CNY", "3"), ("b", "CNY", "1")], ["4", "8"], {"a": "9", "b": "3"}, id="on several nodes"),
        pytest.param([("a", "CNY", "0"), ("b", "CNY", "0")], ["24"], {"a": "12", "b": "12"}, id="free of charge"),
        pytest.param([("a", "CNY", "-3"), ("b", "CNY", "-1")], ["24"], {"a": "18", "b": "6"}, id="paid back"),
        pytest.param(
            [("a", "CNY", "3"), ("b", "CNY", "1"), ("b", "USD", "9")], ["8"], {"a": "3", "b": "5"}, id="two currencies"
        ),
        pytest.param(
            [("a", "CNY", "1000000000"), ("b", "CNY", "3000000000")], ["24"], {"a": "6", "b": "18"}, id="dear"
        ),
    ],
)  # fmt: skip
def test_hours_are_divided_as_cost_is(home, costs, hours, expected):
    found = owned(costs, hours)
    assert {team: str(told.normalize()) for team, told in found.items()} == expected
    assert add_up(found.values()) == add_up(map(Decimal, hours))


@settings(max_examples=8, deadline=None)
@given(
    costs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["CNY", "USD"]), amounts), min_size=1, max_size=8),
    hours=st.lists(st.decimals(0, 10_000, places=6), min_size=1, max_size=3),
)
def test_the_hours_of_all_teams_are_those_of_the_workload(costs, hours):
    assert add_up(owned(costs, hours).values()) == add_up(hours)
