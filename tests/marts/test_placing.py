"""Cost by company, unit, department and cost centre: told by where a team stands on the day."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.marts.query import BadQuestion, CostQuery, Scope
from apps.marts.selectors import answer
from apps.teams.models import Organisation, Team
from apps.teams.organising import keep_tree
from apps.teams.tree import KINDS, LEVELS, Place, Tree, Unit
from tests.worlds import publish_costs

START, MOVED, END = date(2026, 10, 1), date(2026, 10, 3), date(2026, 10, 5)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
COSTS = {  # by day from the first of October: what team web and team data cost
    "web": ["1", "2", "4", "8.000000000001"],
    "data": ["16", "32", "64", "128"],
    "unallocated": ["256", "0", "0", "0"],
}
WORLD: list[dict[str, Any]] = [
    {"day": date(2026, 10, number), "team": team, "effective_cost": cost}
    for team, costs in COSTS.items()
    for number, cost in enumerate(costs, 1)
]
TREE = Tree(
    units=(
        Unit("acme", "company"),
        Unit("online", "unit", places=(Place("acme", "CC-1"),)),
        Unit("live", "department", places=(Place("online"),)),
        Unit("stage", "department", places=(Place("live", "CC-2"),)),
        Unit("search", "department", places=(Place("acme", "CC-3", None, MOVED), Place("acme", "CC-4", MOVED))),
    ),
    teams={
        "web": (Place("stage", valid_to=MOVED), Place("search", valid_from=MOVED)),
        "data": (Place("", "CC-9"),),
    },
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(home: Path) -> None:
    publish_costs(WORLD)
    keep_tree(TREE, NOW)


def ask(*group_by: str, **given: Any) -> dict[Any, Decimal]:
    found = answer(CostQuery(**{"start": START, "end": END, "group_by": group_by} | given))
    return {row[:-2] if len(row) > 3 else row[0]: row[-1] for row in found.rows}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        pytest.param(
            ("department",), {"live": "3", "search": "12.000000000001", "": "496"},
            id="before the move in the old department, from the day on in the new; without a department it is empty",
        ),
        pytest.param(("company",), {"acme": "15.000000000001", "": "496"}, id="by company"),
        pytest.param(("unit",), {"online": "3", "": "508.000000000001"}, id="by unit"),
        pytest.param(
            ("cost_center",), {"CC-2": "3", "CC-4": "12.000000000001", "CC-9": "240", "": "256"},
            id="by the nearest cost centre on the way up, or the team's own",
        ),
        pytest.param(
            ("team", "department"),
            {
                ("web", "live"): "3", ("web", "search"): "12.000000000001", ("data", ""): "240",
                ("unallocated", ""): "256",
            },
            id="by team and department",
        ),
    ],
)  # fmt: skip
def test_cost_by_level(group_by: tuple[str, ...], expected: dict[Any, str]) -> None:
    assert ask(*group_by) == {key: Decimal(cost) for key, cost in expected.items()}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("filters", "total"),
    [
        pytest.param({"department": ("live",)}, "3", id="a department holds what is below a department of it"),
        pytest.param({"department": ("stage",)}, "3", id="the inner department"),
        pytest.param({"department": ("live", "stage")}, "3", id="both, counted once"),
        pytest.param({"department": ("search", "live")}, "15.000000000001", id="one of two"),
        pytest.param({"department": ("",)}, "496", id="what has no department"),
        pytest.param({"department": ("nobody",)}, "0", id="a department nobody knows"),
        pytest.param({"company": ("acme",), "department": ("search",)}, "12.000000000001", id="two levels"),
        pytest.param({"cost_center": ("CC-4", "CC-9")}, "252.000000000001", id="by cost centres"),
        pytest.param({"department": ("live",), "team": ("data",)}, "0", id="with a dimension"),
    ],
)
def test_narrowed_by_level(filters: dict[str, tuple[str, ...]], total: str) -> None:
    found = answer(CostQuery(START, END, filters=tuple(filters.items())))
    assert found.totals.get("CNY", Decimal(0)) == Decimal(total)


@pytest.mark.usefixtures("world")
def test_a_level_is_grouped_and_narrowed_at_once() -> None:
    narrowed = {"filters": (("department", ("search",)), ("source", ("bill",)))}
    assert ask("department", "week", "month", **narrowed) == {
        ("search", date(2026, 9, 28), "2026-10"): Decimal("12.000000000001")
    }
    assert ask("department", currency="CNY") == ask("department")


@pytest.mark.usefixtures("world")
def test_a_viewer_sees_own_teams_only() -> None:
    assert ask("department", scope=Scope(frozenset({"web"}))) == {
        "live": Decimal(3),
        "search": Decimal("12.000000000001"),
    }


@pytest.mark.usefixtures("world")
def test_an_earlier_organisation_answers_as_it_did() -> None:
    before = ask("department")
    keep_tree(Tree(units=(Unit("all", "department"),), teams={"web": (Place("all"),)}), NOW)
    assert ask("department") == {"all": Decimal("15.000000000001"), "": Decimal(496)}
    assert ask("department", organisation_as_of=1) == before
    with pytest.raises(BadQuestion, match="organisation_as_of: there is no version 7 of the organisation"):
        ask("department", organisation_as_of=7)


def test_before_any_import_the_department_of_a_team_counts(home: Path) -> None:
    publish_costs(WORLD)
    Team.objects.create(name="web", department="Shop", cost_center="CC-5")
    assert ask("department") == {"Shop": Decimal("15.000000000001"), "": Decimal(496)}
    assert ask("cost_center", filters=(("department", ("Shop",)),)) == {"CC-5": Decimal("15.000000000001")}


@pytest.mark.usefixtures("world")
def test_asked_at_the_terminal() -> None:
    out = StringIO()
    call_command(
        "ask", "--group-by", "department", "--filter", "company=acme", "--start", "2026-10-01", "--end", "2026-10-05",
        "--organisation-as-of", "1", "--format", "csv", stdout=out,
    )  # fmt: skip
    assert out.getvalue().splitlines()[1:] == ["live,CNY,3.000000000000", "search,CNY,12.000000000001"]


DAYS = st.dates(date(2026, 9, 30), date(2026, 10, 6))
UNITS = tuple(Unit(f"{kind}-{number}", kind) for kind in KINDS for number in range(2))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Units below a unit of a higher kind or at the top; teams that move between them on any days."""
    units: list[Unit] = []
    for unit in UNITS:
        above = ["", *(one.name for one in units if KINDS.index(one.kind) < KINDS.index(unit.kind))]
        units.append(Unit(unit.name, unit.kind, places=draw(_places(above))))
    below = ["", *(unit.name for unit in units)]
    return Tree(tuple(units), {team: draw(_places(below)) for team in ("web", "data")})


CENTERS = st.sampled_from(["", "CC-1", "CC-2"])


def _places(parents: list[str]) -> st.SearchStrategy[tuple[Place, ...]]:
    return st.lists(DAYS, unique=True, max_size=3).flatmap(
        lambda days: st.tuples(
            *(
                st.builds(
                    Place,
                    st.sampled_from(parents),
                    st.sampled_from(["", "CC-1", "CC-2"]),
                    st.just(since),
                    st.just(until),
                )
                for since, until in zip([None, *sorted(days)], [*sorted(days), None], strict=True)
            )
        )
    )


def reference(tree: Tree, team: str, day: date, level: str) -> list[str]:
    """The values of a level above a team on a day, the outermost first, walked without the tree's own way."""
    chain: list[tuple[Unit | None, Place]] = []
    places: tuple[Place, ...] = tree.teams.get(team, ())
    unit: Unit | None = None
    while place := next((one for one in places if one.since <= day < one.until), None):
        chain.append((unit, place))
        unit = next((one for one in tree.units if one.name == place.parent), None)
        places = unit.places if unit else ()
    if level == "cost_center":
        return [place.cost_center for _, place in chain if place.cost_center][:1]
    return [unit.name for unit, _ in reversed(chain) if unit and unit.kind == level]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
def test_any_tree_loses_nothing(world: None, tree: Tree) -> None:
    keep_tree(tree, NOW)
    for level in LEVELS:
        expected: dict[str, Decimal] = {}
        for row in WORLD:
            value = next(iter(reference(tree, row["team"], row["day"], level)), "")
            expected[value] = expected.get(value, Decimal(0)) + Decimal(row["effective_cost"])
        found = ask(level)
        assert found == expected
        assert sum(found.values()) == Decimal("511.000000000001")
        for value in found:
            kept = answer(CostQuery(START, END, filters=((level, (value,)),))).totals
            assert kept == {"CNY": found[value]}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees(), day=DAYS)
def test_a_team_that_moves_takes_its_cost_from_that_day_on(world: None, tree: Tree, day: date) -> None:
    """Moving a team moves exactly its cost of the days from then on, and nothing else."""
    keep_tree(tree, NOW)
    before = ask("department", "team", "day")
    elsewhere = Tree(
        (*tree.units, Unit("elsewhere", "department")),
        {**tree.teams, "web": (*_until(tree.teams["web"], day), Place("elsewhere", valid_from=day))},
    )
    keep_tree(elsewhere, NOW)
    moved = {
        ("elsewhere" if team == "web" and on >= day else department, team, on): cost
        for (department, team, on), cost in before.items()
    }
    assert ask("department", "team", "day") == moved


def _until(places: tuple[Place, ...], day: date) -> list[Place]:
    return [
        Place(place.parent, place.cost_center, place.valid_from, min(place.until, day))
        for place in places
        if place.since < day
    ]


@pytest.mark.usefixtures("world")
def test_a_unit_renamed_keeps_its_total() -> None:
    before = ask("department")
    renamed = tuple(
        Unit("broadcast" if unit.name == "live" else unit.name, unit.kind, places=_renamed(unit.places))
        for unit in TREE.units
    )
    keep_tree(Tree(renamed, {team: _renamed(places) for team, places in TREE.teams.items()}), NOW)
    assert ask("department") == {"broadcast" if name == "live" else name: cost for name, cost in before.items()}
    assert Organisation.objects.count() == 2


def _renamed(places: tuple[Place, ...]) -> tuple[Place, ...]:
    return tuple(
        Place("broadcast" if one.parent == "live" else one.parent, one.cost_center, one.valid_from, one.valid_to)
        for one in places
    )
