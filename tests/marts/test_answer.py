"""One question, one answer: every metric, group and filter, of one publication, for whoever may see it."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from apps.finops.tables import COST_MART, COSTS, DIMENSIONS, RECONCILED
from apps.marts import selectors
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, CostQuery, Scope
from apps.marts.selectors import NothingPublished, answer
from apps.teams.models import Team
from apps.warehouse import lake
from tests.worlds import cost_row, publish_costs, replace_all

START, END = date(2026, 9, 28), date(2026, 10, 6)
WORLD: list[dict[str, Any]] = [
    {"day": date(2026, 9, 28), "team": "web", "namespace": "shop", "effective_cost": "1.000000000001"},
    {"day": date(2026, 10, 4), "team": "web", "namespace": "shop", "effective_cost": "2", "kind": "idle"},
    {"day": date(2026, 10, 5), "team": "data", "namespace": "etl", "effective_cost": "4", "service": 'It\'s, "odd"'},
    {"day": date(2026, 10, 5), "team": "data", "namespace": "etl", "effective_cost": "-8", "currency": "USD"},
    {"day": date(2026, 10, 5), "team": "unallocated", "effective_cost": "16", "kind": "unallocated"},
]

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(db: None, home: Path) -> None:
    publish_costs(
        row | {"billed_cost": Decimal(row["effective_cost"]) * 10, "list_cost": "7", "contracted_cost": "0"}
        for row in WORLD
    )


def ask(*group_by: str, **given: Any) -> dict[Any, Decimal]:
    found = answer(CostQuery(**{"start": START, "end": END, "group_by": group_by} | given))
    return {row[:-1]: row[-1] for row in found.rows}


@pytest.mark.parametrize(
    ("metric", "yuan"),
    [
        ("effective_cost", "23.000000000001"),
        ("billed_cost", "230.00000000001"),
        ("list_cost", "28"),
        ("contracted_cost", "0"),
    ],
)
def test_every_metric(metric: str, yuan: str) -> None:
    assert ask(metric=metric)["CNY",] == Decimal(yuan)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        pytest.param("team", {"web": "3.000000000001", "data": "4", "unallocated": "16"}, id="by team"),
        pytest.param("kind", {"direct": "5.000000000001", "idle": "2", "unallocated": "16"}, id="by kind"),
        pytest.param("namespace", {"shop": "3.000000000001", "etl": "4", "": "16"}, id="by namespace, none is empty"),
        pytest.param("service", {"": "19.000000000001", 'It\'s, "odd"': "4"}, id="by service, whatever its name"),
        pytest.param(
            "day", {date(2026, 9, 28): "1.000000000001", date(2026, 10, 4): "2", date(2026, 10, 5): "20"}, id="by day"
        ),
        pytest.param(
            "week", {date(2026, 9, 28): "3.000000000001", date(2026, 10, 5): "20"}, id="by week, from Monday to Sunday"
        ),
        pytest.param("month", {"2026-09": "1.000000000001", "2026-10": "22"}, id="by calendar month"),
    ],
)
def test_every_group(group: str, expected: dict[Any, str]) -> None:
    yuan = {key: cost for (key, currency), cost in ask(group).items() if currency == "CNY"}
    assert yuan == {key: Decimal(cost) for key, cost in expected.items()}


@pytest.mark.parametrize("name", [name for name in DIMENSIONS if name != "currency"])
def test_every_dimension_can_be_grouped_by_and_filtered(name: str) -> None:
    grouped = ask(name)
    assert {currency for _, currency in grouped} == {"CNY", "USD"}
    for (value, currency), cost in grouped.items():
        assert ask(filters=((name, (value,)),))[currency,] == cost


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"team": ("web", "unallocated")}, "19.000000000001", id="any of several values"),
        pytest.param({"team": ("web",), "kind": ("idle",)}, "2", id="all of several filters"),
        pytest.param({"team": ("we",)}, None, id="a value is compared whole"),
        pytest.param({"team": ("WEB",)}, None, id="a value is compared with its case"),
        pytest.param({"team": ()}, None, id="no value, no row"),
        pytest.param({"team": ("' OR 1=1 --",)}, None, id="a value is a value"),
    ],
)
def test_filters(filters: dict[str, tuple[str, ...]], expected: str | None) -> None:
    found = ask(filters=tuple(filters.items()))
    assert found == ({("CNY",): Decimal(expected)} if expected else {})


def test_currencies_are_never_added() -> None:
    assert ask() == {("CNY",): Decimal("23.000000000001"), ("USD",): Decimal(-8)}
    assert answer(CostQuery(START, END)).totals == {"CNY": Decimal("23.000000000001"), "USD": -8}


@pytest.mark.parametrize("groups", [("currency",), ("currency", "team"), ("team", "currency", "day"), ("team",)])
def test_totals_are_by_currency_wherever_it_stands(groups: tuple[str, ...]) -> None:
    found = answer(CostQuery(START, END, group_by=groups))
    assert found.totals == {"CNY": Decimal("23.000000000001"), "USD": -8}
    assert found.columns[: len(groups)] == groups
    assert sorted(found.rows) == list(found.rows)
    assert list(found.frame().columns) == list(found.columns)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param("2026-10-04", "2026-10-05", {("CNY",): 2}, id="the end is not included"),
        pytest.param("2026-10-01", "2026-10-04", {}, id="days without cost"),
        pytest.param("2025-01-01", "2025-02-01", {}, id="before anything"),
        pytest.param("2027-01-01", "2028-01-01", {}, id="after everything"),
        pytest.param("0001-01-01", "9999-12-31", {("CNY",): Decimal("23.000000000001"), ("USD",): -8}, id="all days"),
    ],
)
def test_windows(start: str, end: str, expected: dict[Any, Decimal]) -> None:
    assert ask(start=date.fromisoformat(start), end=date.fromisoformat(end)) == expected


@pytest.mark.parametrize(
    ("teams", "expected"),
    [
        pytest.param({"web"}, {("CNY",): Decimal("3.000000000001")}, id="one team"),
        pytest.param({"web", "data"}, {("CNY",): Decimal("7.000000000001"), ("USD",): -8}, id="two teams"),
        pytest.param({"unallocated"}, {("CNY",): 16}, id="what is nobody's"),
        pytest.param({"nobody"}, {}, id="a team without cost"),
        pytest.param(set(), {}, id="no team at all"),
    ],
)
def test_a_scope_hides_other_teams_and_their_share_of_totals(teams: set[str], expected: dict[Any, Decimal]) -> None:
    everything = ask()
    scope = Scope(frozenset(teams))
    assert ask(scope=scope) == expected
    assert {team for team, _ in ask("team", scope=scope)} <= teams
    assert ask(scope=scope, filters=(("team", ("web", "data", "unallocated")),)) == expected
    assert ask() == everything


def test_the_cache_answers_alike_and_never_somebody_elses_question(django_assert_num_queries: Any) -> None:
    query = CostQuery(START, END, group_by=("team", "day"))
    first = answer(query)
    lake.drop(COST_MART)  # only the cache can answer now
    with django_assert_num_queries(1):
        assert answer(query) == first
    assert [type(value) for value in answer(query).rows[0]] == [str, date, str, Decimal]
    with pytest.raises(Exception, match=r"(?i)no files|not found|exist|table"):
        answer(CostQuery(START, END, group_by=("team",)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"metric": "cost"}, "metric: 'cost' is not one of billed_cost,", id="an unknown metric"),
        pytest.param({"group_by": ("tem",)}, "group_by: 'tem' is not one of day, week, month,", id="an unknown group"),
        pytest.param({"group_by": ("team", "team")}, "group_by: a dimension is named twice", id="a group twice"),
        pytest.param({"group_by": tuple(DIMENSIONS)[:5]}, "group_by: at most 4", id="too many groups"),
        pytest.param({"filters": (("day", ("x",)),)}, "filter: 'day' is not one of source,", id="a filter on time"),
        pytest.param({"filters": (("teams", ("x",)),)}, "filter: 'teams' is not one of", id="an unknown filter"),
        pytest.param({"end": START}, r"end \(2026-09-28\) must come after start", id="an empty window"),
    ],
)
def test_a_question_that_makes_no_sense_says_which_part(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadQuestion, match=message):
        CostQuery(**{"start": START, "end": END} | given)


def test_a_publication_that_does_not_exist_is_said_so() -> None:
    with pytest.raises(NothingPublished, match="no publication number 999999"):
        ask(as_of=999999)


def test_more_rows_than_anybody_reads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.marts.selectors.MAX_ROWS", 2)
    with pytest.raises(BadQuestion, match="more than 2 rows; ask for fewer groups"):
        ask("team")


def test_the_four_bases_stand_side_by_side() -> None:
    assert set(COSTS) == {"billed_cost", "effective_cost", "list_cost", "contracted_cost"}


def test_a_process_that_computes_lets_go_of_what_was_answered_of_earlier_publications() -> None:
    cache.clear()
    selectors._recent.clear()
    selectors.let_go_of_older()
    before, number = ask("team"), selectors.publication().number
    key = next(iter(selectors._recent._held))
    selectors.let_go_of_older()
    assert selectors._recent.get(key)
    assert cache.get(key)

    publish_costs([WORLD[0] | {"effective_cost": "5"}])
    selectors.let_go_of_older()

    assert selectors._recent.get(key) is None
    assert cache.get(key) is None
    assert ask("team", as_of=number) == before
    assert ask("team") == {("web", "CNY"): Decimal(5)}


@pytest.fixture
def crowd(world: None) -> None:
    Team.objects.create(name="web", department="Shop")
    Team.objects.create(name="data", department="Shop")
    publish_costs(
        {
            "day": date(2026, 10, 1) + timedelta(days=number % 5),
            "team": TEAMS[number % 4],
            "namespace": f"ns-{number % 3}",
            "kind": RECONCILED[number % 4],
            "workload": "" if number % 7 else "wéb",
            "effective_cost": f"{number - 20}.{number:012d}",
            "currency": "USD" if number % 11 == 0 else "CNY",
        }
        for number in range(60)
    )


TEAMS = ("web", "data", "ops", "班级")
ASKED: list[dict[str, Any]] = [
    {},
    {"group_by": ("day", "kind")},
    {"group_by": ("team", "namespace")},
    {"group_by": ("week", "workload"), "filters": (("kind", ("idle", "direct")),)},
    {"group_by": ("currency", "month"), "excludes": (("namespace", ("ns-1",)),)},
    {"group_by": ("team",), "filters": (("team", ("web", "班级")),)},
    {"group_by": ("kind",), "excludes": (("team", ("ops",)),)},
    {"group_by": ("department", "kind"), "filters": (("namespace", ("ns-1", "ns-2")),)},
    {"filters": (("team", ("nobody",)),)},
]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.usefixtures("crowd")
def test_what_many_ask_each_of_the_own_teams_is_told_as_to_one_alone(asked: dict[str, Any]) -> None:
    scopes = [Scope(frozenset(some)) for size in (1, 2, 4) for some in combinations(TEAMS, size)]
    queries = [CostQuery(date(2026, 10, 1), date(2026, 10, 5), **asked, scope=scope) for scope in scopes]
    alone = []
    for query in queries:
        forget()
        alone.append([tuple(map(str, row)) for row in answer(query).rows])
    forget()
    assert [[tuple(map(str, row)) for row in answer(query).rows] for query in queries] == alone
    assert any(alone) or asked == ASKED[-1]


@pytest.mark.usefixtures("crowd")
def test_what_many_ask_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    read: list[CostQuery] = []
    real = selectors.seen
    monkeypatch.setattr(selectors, "seen", lambda rows, query: (read.append(query), real(rows, query))[1])
    for team in TEAMS:
        ask("kind", start=date(2026, 10, 1), scope=Scope(frozenset([team])))
    assert [query.scope for query in read] == [Scope(frozenset(["web"])), Scope()]  # the first, and then all
    ask("kind", start=date(2026, 10, 1), scope=Scope(frozenset(["web"]), accounts=frozenset(["sub-1"])))
    assert len(read) == 3  # an account may be of any team


def forget() -> None:
    cache.clear()
    selectors._recent.clear()
    selectors._team_rows.clear()


def test_what_a_publication_left_as_it_was_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    september, october = (date(2026, 9, 1), date(2026, 10, 1)), (date(2026, 10, 1), date(2026, 11, 1))

    def both() -> list[Any]:
        return [answer(CostQuery(*month, group_by=("team",))).rows for month in (september, october)]

    before, first = both(), selectors.publication()
    version = replace_all(COST_MART, [cost_row(**WORLD[2] | {"effective_cost": "5"})], of={"month": "2026-10"})
    Publication.objects.create(
        created_at=first.created_at + timedelta(hours=1), versions=first.versions | {COST_MART.name: version},
        ruleset=1, status="final", first_day=first.first_day, end_day=first.end_day, totals={},
    )  # fmt: skip
    read: list[CostQuery] = []
    real = selectors.seen
    monkeypatch.setattr(selectors, "seen", lambda rows, query: (read.append(query), real(rows, query))[1])
    assert both() == [before[0], (("data", "CNY", Decimal(5)),)]
    assert [query.start for query in read] == [october[0]]
    assert answer(CostQuery(*october, group_by=("team",), as_of=first.number)).rows == before[1]
    assert len(read) == 1
