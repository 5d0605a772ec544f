"""An answer in a shape: in order, cut with the rest as Others, beside another period; every sum exact."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.finops.windows import Window
from apps.marts.comparing import moved, read_comparison, window_before
from apps.marts.query import BadQuestion, CostQuery, PublicationFacts
from apps.marts.selectors import answer
from apps.marts.shape import OTHERS, Shape
from apps.marts.shaping import shaped
from tests.worlds import publish_costs

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER: list[tuple[int, str, str, str, str]] = [
    (1, "web", "shop", "10.000000000001", "CNY"),
    (2, "web", "shop", "2", "CNY"),
    (2, "data", "etl", "7", "CNY"),
    (2, "data", "etl", "100", "USD"),
    (31, "ops", "dns", "-3", "CNY"),
    (31, "new", "lab", "1", "CNY"),
]
IN_SEPTEMBER: list[tuple[int, str, str, str, str]] = [
    (1, "web", "shop", "8", "CNY"),
    (30, "data", "etl", "14", "CNY"),
    (30, "gone", "old", "5", "CNY"),
]


def row(month: int, day: int, team: str, namespace: str, cost: str, currency: str) -> dict[str, Any]:
    of_team = {"team": team, "namespace": namespace, "currency": currency}
    return {"day": date(2026, month, day), "effective_cost": cost} | of_team


WORLD = [row(10, *one) for one in IN_OCTOBER] + [row(9, *one) for one in IN_SEPTEMBER]


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from django.db import transaction
    from django.test import override_settings

    with (
        django_db_blocker.unblock(),
        override_settings(COSTOPS_LAKE=tmp_path_factory.mktemp("lake")),
        transaction.atomic(),
    ):
        publish_costs(WORLD)
        yield
        transaction.set_rollback(True)


def october(*groups: str, **more: Any) -> CostQuery:
    return CostQuery(OCTOBER, NOVEMBER, group_by=groups, **more)


def table(query: CostQuery, **shape: Any) -> list[tuple[Any, ...]]:
    told = shaped(query, Shape(**shape)).table
    return [tuple(f"{one.normalize():f}" if isinstance(one, Decimal) else one for one in row) for row in told.rows]


@pytest.mark.parametrize(
    ("query", "shape", "rows"),
    [
        pytest.param(
            october("team"),
            {"order_by": (("cost", True),)},
            [
                ("web", "CNY", "12.000000000001"),
                ("data", "CNY", "7"),
                ("new", "CNY", "1"),
                ("ops", "CNY", "-3"),
                ("data", "USD", "100"),
            ],
            id="the dearest first, within each currency",
        ),
        pytest.param(
            october("team"),
            {"order_by": (("team", True),)},
            [
                ("web", "CNY", "12.000000000001"),
                ("ops", "CNY", "-3"),
                ("new", "CNY", "1"),
                ("data", "CNY", "7"),
                ("data", "USD", "100"),
            ],
            id="by a name, from the end",
        ),
        pytest.param(
            october("team"),
            {"top": 1},
            [("web", "CNY", "12.000000000001", None), (OTHERS, "CNY", "5", 3), ("data", "USD", "100", None)],
            id="the largest of each currency, the rest as Others that say how many they are",
        ),
        pytest.param(
            october("team"),
            {"top": 1, "order_by": (("cost", False),)},
            [("ops", "CNY", "-3", None), (OTHERS, "CNY", "20.000000000001", 3), ("data", "USD", "100", None)],
            id="ranked in the order asked for: the smallest",
        ),
        pytest.param(
            october("team"),
            {"top": 2, "offset": 1},
            [("data", "CNY", "7", None), ("new", "CNY", "1", None)],
            id="an offset leaves out the first, and Others",
        ),
        pytest.param(
            october("team"),
            {"top": 9},
            [
                ("web", "CNY", "12.000000000001", None),
                ("data", "CNY", "7", None),
                ("new", "CNY", "1", None),
                ("ops", "CNY", "-3", None),
                ("data", "USD", "100", None),
            ],
            id="where all are shown there are no Others",
        ),
        pytest.param(
            october("day", "team", filters=(("currency", ("CNY",)),)),
            {"top": 1},
            [
                (date(2026, 10, 1), "web", "CNY", "10.000000000001", None),
                (date(2026, 10, 2), "web", "CNY", "2", None),
                (date(2026, 10, 2), OTHERS, "CNY", "7", 1),
                (date(2026, 10, 31), OTHERS, "CNY", "-2", 2),
            ],
            id="ranked over the whole window, Others by day after what they are the others of",
        ),
        pytest.param(
            october("currency", "team", "namespace"),
            {"top": 1},
            [("CNY", "web", "shop", "12.000000000001", None), ("CNY", OTHERS, OTHERS, "5", 3),
             ("USD", "data", "etl", "100", None)],
            id="two groups are ranked together, a currency stays itself",
        ),
        pytest.param(
            october("team", excludes=(("team", ("web", "ops")), ("currency", ("USD",)))),
            {"order_by": (("cost", True),)},
            [("data", "CNY", "7"), ("new", "CNY", "1")],
            id="what is excluded is not there",
        ),
    ],
)  # fmt: skip
def test_an_answer_is_told_in_its_shape(query: CostQuery, shape: dict[str, Any], rows: list[tuple[Any, ...]]) -> None:
    assert table(query, **shape) == rows


def test_another_period_stands_beside_with_the_exact_difference() -> None:
    found = shaped(october("team", filters=(("currency", ("CNY",)),)), Shape(compare="previous"))
    assert found.table.columns == ("team", "currency", "effective_cost", "before", "delta", "ratio")
    assert [(row.groups[0], row.cost, row.before, row.delta, row.ratio) for row in found.rows] == [
        ("data", 7, 14, -7, Decimal("-0.5")),
        ("gone", 0, 5, -5, -1),
        ("new", 1, 0, 1, None),
        ("ops", -3, 0, -3, None),
        ("web", Decimal("12.000000000001"), 8, Decimal("4.000000000001"), Decimal("0.5")),
    ]
    assert found.comparison
    assert (found.comparison.window, found.comparison.totals) == (Window(SEPTEMBER, OCTOBER), {"CNY": 27})


def test_by_day_the_first_day_stands_beside_the_first_and_what_has_no_counterpart_is_told() -> None:
    asked = october("day", filters=(("currency", ("CNY",)),))
    found = shaped(asked, Shape(compare="previous"))
    assert [(row.groups[0].day, row.cost, row.before) for row in found.rows] == [
        (1, Decimal("10.000000000001"), 8), (2, 9, 0), (30, 0, 19), (31, -2, None),
    ]  # fmt: skip
    september = CostQuery(SEPTEMBER, date(2026, 9, 30), group_by=("day",))
    beside = shaped(september, Shape(compare=Window(OCTOBER, NOVEMBER))).comparison
    assert beside
    assert (beside.unmatched, beside.totals["CNY"]) == ({"CNY": Decimal(-2)}, Decimal("17.000000000001"))


@pytest.mark.parametrize("compare", ["previous", "year", Window(date(2025, 1, 1), date(2025, 2, 1))])
def test_what_is_not_published_is_not_known(compare: str | Window) -> None:
    asked = CostQuery(SEPTEMBER, OCTOBER, group_by=("team",))
    found = shaped(asked, Shape(compare=compare))
    assert found.comparison
    assert found.comparison.unknown_because.endswith("only those from 2026-09-01 until 2026-11-01 (end excluded).")
    assert {(row.before, row.delta, row.ratio) for row in found.rows} == {(None, None, None)}
    assert sorted(row.groups[0] for row in found.rows) == ["data", "gone", "web"]


def test_others_are_answered_by_the_question_they_stand_for() -> None:
    found = shaped(october("team"), Shape(top=2))
    (others,) = [row for row in found.rows if row.others]
    asked = found.question_of_others("CNY")
    assert asked
    assert answer(asked.grouped()).totals["CNY"] == others.cost == -2
    assert shaped(october("team", "kind"), Shape(top=2)).question_of_others("CNY") is None


@pytest.mark.parametrize(
    ("query", "shape", "message"),
    [
        pytest.param(october("team"), Shape((("day", False),)), "order_by: 'day' is not one of", id="not grouped by"),
        pytest.param(october("team"), Shape((("date", False),)), "order_by: 'date'", id="no time to order by"),
        pytest.param(october("team"), Shape((("delta", True),)), "say compare=previous", id="a delta of nothing"),
        pytest.param(october("day"), Shape(top=3), "top: says how many groups", id="nothing to rank"),
        pytest.param(october("currency"), Shape(top=3), "top: says how many groups", id="currencies are not ranked"),
        pytest.param(october("team"), Shape(top=0), "top: 0 is not between", id="none at all"),
        pytest.param(october("team"), Shape(offset=3), "offset: skips", id="an offset without a limit"),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_meant_is_refused(query: CostQuery, shape: Shape, message: str) -> None:
    with pytest.raises(BadQuestion, match=message):
        shaped(query, shape)


PUBLISHED = PublicationFacts(1, None, "final", None, date(2025, 1, 1), date(2026, 11, 21))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "word", "first", "after"),
    [
        pytest.param("2026-10-01", "2026-11-01", "previous", "2026-09-01", "2026-10-01", id="a month: the one before"),
        pytest.param("2026-07-01", "2026-10-01", "previous", "2026-04-01", "2026-07-01", id="a quarter: that before"),
        pytest.param("2026-11-01", "2026-12-01", "previous", "2026-10-01", "2026-10-21", id="a month so far: as far"),
        pytest.param("2026-03-01", "2026-03-31", "previous", "2026-02-01", "2026-03-01", id="no thirtieth there"),
        pytest.param("2026-10-08", "2026-10-15", "previous", "2026-10-01", "2026-10-08", id="a week: seven days"),
        pytest.param("2026-10-01", "2026-11-10", "previous", "2026-08-22", "2026-10-01", id="a month and a bit: days"),
        pytest.param("2026-10-01", "2026-11-01", "year", "2025-10-01", "2025-11-01", id="a year earlier"),
        pytest.param("2026-11-01", "2026-12-01", "year", "2025-11-01", "2025-11-21", id="so far, a year earlier"),
        pytest.param("2025-02-01", "2025-03-01", "year", "2024-02-01", "2024-03-01", id="February, a day longer then"),
        pytest.param("2026-02-01", "2026-03-01", "previous", "2026-01-01", "2026-02-01", id="February: all of January"),
        pytest.param("2024-02-29", "2024-03-01", "year", "2023-02-28", "2023-03-01", id="a leap day"),
        pytest.param("2026-01-01", "2026-02-01", "previous", "2025-12-01", "2026-01-01", id="over the turn of a year"),
    ],
)  # fmt: skip
def test_the_period_compared_with(start: str, end: str, word: str, first: str, after: str) -> None:
    asked = CostQuery(date.fromisoformat(start), date.fromisoformat(end))
    assert window_before(asked, word, PUBLISHED.published) == Window.parse(first, after)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 800), st.sampled_from(["previous", "year"]))
def test_a_period_compared_with_comes_before_and_is_never_longer(start: date, length: int, word: str) -> None:
    asked = CostQuery(start, start + timedelta(days=length))
    everything = PublicationFacts(1, None, "final", None, date(1990, 1, 1), date(2040, 1, 1))  # type: ignore[arg-type]
    found = window_before(asked, word, everything.published)
    assert found.start < found.end
    assert found.start < asked.start
    assert word == "year" or found.end <= asked.start


@pytest.mark.parametrize("text", ["", "last", "2026-09-01", "2026-09-01/2026-09-01", "2026-09-31/2026-10-01", "a/b"])
def test_a_comparison_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(BadQuestion, match=r"^compare: "):
        read_comparison(text)


def test_steps_stand_beside_steps_by_their_number() -> None:
    now, before = Window(OCTOBER, NOVEMBER), Window(SEPTEMBER, OCTOBER)
    assert moved("day", date(2026, 9, 30), before, now) == date(2026, 10, 30)
    assert moved("day", date(2026, 10, 31), now, before) is None
    assert moved("week", date(2026, 8, 31), before, now) == date(2026, 9, 28)
    assert moved("month", "2026-09", before, now) == "2026-10"
