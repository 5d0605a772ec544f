"""What was said before is said again of other tables, and never of what only looks alike."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir
import pytest

from apps.warehouse import wording
from apps.warehouse.engine import Workspace, connect, registered, rows_of

Make = Callable[[ir.Table, ir.Table], ir.Table]


def table(rows: list[tuple[str, int]], label: str = "team") -> ir.Table:
    names = (label, "cost")
    return ibis.memtable(
        [dict(zip(names, row, strict=True)) for row in rows], schema={label: "string", "cost": "int64"}
    )


def asked(expression: ir.Table) -> tuple[str, list[tuple]]:
    """The words of an expression, and its rows in order."""
    with registered(expression) as backend:
        return wording.query_of(backend, expression), sorted(rows_of(expression))


WEB, DATA = [("web", 1), ("data", 2)], [("web", 10), ("data", 20), ("ops", 30)]


@pytest.mark.parametrize(
    ("make", "of_web", "of_data"),
    [
        pytest.param(lambda one, _: one, [("data", 2), ("web", 1)], [("data", 20), ("ops", 30), ("web", 10)], id="all"),
        pytest.param(
            lambda one, _: one.aggregate(cost=one.cost.sum()), [(3,)], [(60,)], id="a sum"
        ),
        pytest.param(
            lambda one, other: one.join(other, "team").select("team", cost=one.cost, other=other.cost),
            [("data", 2, 20), ("web", 1, 10)], [("data", 20, 2), ("web", 10, 1)], id="two tables in a join",
        ),
        pytest.param(
            lambda one, other: one.union(other).union(one).aggregate(rows=ibis._.count(), cost=ibis._.cost.sum()),
            [(7, 66)], [(8, 123)], id="a table twice",
        ),
        pytest.param(
            lambda one, _: one.join(one.view(), "team").select("team"),
            [("data",), ("web",)], [("data",), ("ops",), ("web",)], id="a table joined with itself",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kept", [True, False], ids=["tables of the engine", "tables in memory"])
def test_one_wording_of_different_tables(make: Make, of_web: list, of_data: list, kept: bool) -> None:
    with Workspace() as workspace:
        web, data = table(WEB), table(DATA)
        if kept:
            web, data = workspace.keep(web), workspace.keep(data)
        assert asked(make(web, data))[1] == of_web
        assert asked(make(data, web))[1] == of_data


@pytest.mark.parametrize(
    ("one", "other", "first", "second"),
    [
        pytest.param(
            lambda t: t.filter(t.cost > 1), lambda t: t.filter(t.cost > 0), [("data", 2)], [("data", 2), ("web", 1)],
            id="another number",
        ),
        pytest.param(
            lambda t: t.filter(t.team == "web"), lambda t: t.filter(t.team == '"web"'), [("web", 1)], [],
            id="another text",
        ),
        pytest.param(
            lambda t: t.aggregate(a=t.cost.min(), b=t.cost.max()),
            lambda t: t.aggregate(b=t.cost.max(), a=t.cost.min()),
            [(1, 2)], [(2, 1)], id="columns in another order",
        ),
        pytest.param(
            lambda t: t.select(x=ibis.literal(1).cast("decimal(38, 12)")).distinct(),
            lambda t: t.select(x=ibis.literal(True)).distinct(), [(Decimal(1),)], [(True,)], id="one and true",
        ),
        pytest.param(
            lambda t: t.select(x=ibis.literal(date(2026, 1, 1))).distinct(),
            lambda t: t.select(x=ibis.literal("2026-01-01")).distinct(), [(date(2026, 1, 1),)], [("2026-01-01",)],
            id="a date and its text",
        ),
        pytest.param(
            lambda t: t.union(table(DATA)).aggregate(cost=ibis._.cost.sum()),
            lambda t: t.union(t).aggregate(cost=ibis._.cost.sum()), [(63,)], [(6,)], id="two tables, and one twice",
        ),
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_worded_by_itself(one: Callable, other: Callable, first: list, second: list) -> None:
    rows = table(WEB)
    assert asked(one(rows))[1] == first
    assert asked(other(rows))[1] == second


def test_expressions_of_one_shape_differ_in_the_names_of_tables_alone() -> None:
    with Workspace() as workspace:
        kept = [workspace.keep(table(WEB)), workspace.keep(table(DATA))]
        said = [asked(one.filter(one.cost > 1))[0] for one in kept]
        names = [one.op().name for one in kept]
        assert [name in query for name, query in zip(names, said, strict=True)] == [True, True]
        assert said[0].replace(*names) == said[1]


HOSTILE = "x'); DROP TABLE t; -- \\ \\' {} {0} \\1 \n 名 ' \""
DAYS = [date(2026, 1, 1), date(2026, 2, 28), date(2027, 12, 31)]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda t, team, day: t.filter(t.team == team, t.day >= day), id="compared"),
        pytest.param(lambda t, team, day: t.filter(t.team.isin([team]), t.day <= day), id="one of"),
        pytest.param(lambda t, team, day: t.filter((t.team != team) | (t.day == day)), id="not"),
        pytest.param(lambda t, team, day: t.mutate(team=(t.team == team).ifelse("own", t.team)), id="within"),
        pytest.param(lambda t, team, day: t.filter(t.day.between(DAYS[0], day), t.team == team), id="between"),
    ],
)
def test_texts_and_dates_that_are_compared_with_are_put_in(make: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """One wording for all teams and days; the rows are those of a loop."""
    rows = ibis.memtable(
        [{"team": team, "day": day} for team in ("web", "data", HOSTILE, "") for day in DAYS],
        schema={"team": "string", "day": "date"},
    )
    monkeypatch.setattr(wording, "_known", {})
    for team in ("web", HOSTILE, "nobody", "", "2026-01-01"):
        for day in DAYS:
            with registered(make(rows, team, day)) as backend:
                by_ibis = backend.con.execute(str(backend.compile(make(rows, team, day)))).fetchall()
            assert asked(make(rows, team, day))[1] == sorted(by_ibis)
    assert len(wording._known) <= 2  # one more for a day between the same two


def test_two_equal_values_are_worded_apart_from_two_different_ones() -> None:
    rows = ibis.memtable(
        [{"team": a, "lead": b} for a in "xy" for b in "xy"], schema={"team": "string", "lead": "string"}
    )
    for team, lead in ("xx", "xy", "yx", "yy", "xz"):
        found = asked(rows.filter(rows.team == team, rows.lead == lead))[1]
        assert found == ([] if lead == "z" else [(team, lead)])


def test_a_text_that_ibis_reads_stays_what_it_says() -> None:
    """The pattern a date is told by is no value, even where something is compared with the same text."""
    rows = ibis.memtable([{"day": day} for day in DAYS], schema={"day": "date"})
    for pattern, told in (("%Y", ["2026", "2026", "2027"]), ("%m", ["01", "02", "12"])):
        said = rows.day.strftime(pattern)
        assert [row[0] for row in asked(rows.filter(said != pattern).select(said=said))[1]] == told


def test_names_and_types_of_columns_belong_to_the_shape() -> None:
    named, other = table(WEB), table(WEB, 'a "team"; --')
    assert asked(named.distinct())[1] == asked(other.distinct())[1]
    said = [asked(one.order_by(one.columns[0]))[0] for one in (named, other)]
    assert ['"a ""team""; --"' in query for query in said] == [False, True]


def test_a_query_of_the_engine_stands_where_it_is_read() -> None:
    for number in (1, 2):
        rows = connect().sql(
            f"SELECT {number} AS cost, 'it''s \\1 ? {{}}' AS said", schema={"cost": "int32", "said": "string"}
        )
        assert asked(rows.filter(rows.cost > 0))[1] == [(number, "it's \\1 ? {}")]
        assert asked(rows)[1] == [(number, "it's \\1 ? {}")]


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "REMEMBERED", 3)
    monkeypatch.setattr(wording, "_known", {})
    rows = table(WEB)
    for number in range(10):
        assert asked(rows.filter(rows.cost > number))[1] == [row for row in sorted(WEB) if row[1] > number]
        assert len(wording._known) <= 3
