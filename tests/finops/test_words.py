"""Windows are half-open, and FOCUS is the dictionary."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.finops import focus
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.finops.tables import ALLOCATED, CHARGES, COST_MART, COSTS, DIMENSIONS, KEPT_TAGS, USAGE
from apps.finops.windows import Window, contiguous

OCTOBER = date(2026, 10, 1)


def days(*numbers: int) -> list[date]:
    return [OCTOBER + timedelta(days=number - 1) for number in numbers]


def test_a_window_holds_its_start_and_not_its_end() -> None:
    assert list(Window.parse("2026-10-01", "2026-10-03").days()) == days(1, 2)
    assert str(Window.parse("2026-10-01", "2026-10-03")) == "2026-10-01..2026-10-03"


@pytest.mark.parametrize("end", ["2026-10-01", "2026-09-30"])
def test_an_empty_window_is_refused(end: str) -> None:
    with pytest.raises(ValueError, match="a window ends after it starts"):
        Window.parse("2026-10-01", end)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param("UTC", "2026-10-01", 24, id="a day of UTC"),
        pytest.param("Asia/Shanghai", "2026-10-01", 24, id="a day of Shanghai"),
        pytest.param("America/New_York", "2026-11-01", 25, id="the day the clock is turned back"),
        pytest.param("America/New_York", "2026-03-08", 23, id="the day the clock is turned on"),
    ],
)
def test_a_day_has_as_many_hours_as_the_clock_shows(zone: str, day: str, hours: int) -> None:
    first = date.fromisoformat(day)
    start, end = Window(first, first + timedelta(days=1)).hours(ZoneInfo(zone))
    assert end - start == timedelta(hours=hours)


def test_a_day_of_shanghai_begins_at_sixteen_hours_of_the_day_before() -> None:
    start, end = Window(OCTOBER, date(2026, 10, 2)).hours(ZoneInfo("Asia/Shanghai"))
    assert (start, end) == (datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 10, 1, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    ("given", "at_most", "expected"),
    [
        pytest.param([], 5, [], id="no days, no windows"),
        pytest.param(days(3, 1, 2), 5, [(1, 4)], id="neighbours in any order are one window"),
        pytest.param(days(1, 1, 2), 5, [(1, 3)], id="a day twice is a day"),
        pytest.param(days(1, 2, 4), 5, [(1, 3), (4, 5)], id="a gap parts windows"),
        pytest.param(days(1, 2, 3, 4, 5), 2, [(1, 3), (3, 5), (5, 6)], id="no window is too long"),
    ],
)
def test_contiguous(given: list[date], at_most: int, expected: list[tuple[int, int]]) -> None:
    assert contiguous(given, at_most=at_most) == [Window(*days(*pair)) for pair in expected]


@pytest.mark.parametrize(
    ("column", "word"),
    [
        ("BilledCost", "billed_cost"),
        ("x_ChargeDay", "charge_day"),
        ("SkuPriceDetails", "sku_price_details"),
        ("InvoiceId", "invoice_id"),
        ("PricingCurrencyContractedUnitPrice", "pricing_currency_contracted_unit_price"),
        ("Tags", "tags"),
    ],
)
def test_snake_case(column: str, word: str) -> None:
    assert focus.snake_case(column) == word


def test_every_column_of_focus_1_2_and_1_3_is_known_once_by_either_name() -> None:
    assert focus.VERSION_1_2 == list(focus.COLUMNS).index("Tags") + 1 == 57
    assert len(focus.COLUMNS) == 65
    words = {focus.snake_case(column) for column in focus.COLUMNS | focus.OWN_COLUMNS}
    assert len(words) == len(focus.COLUMNS) + len(focus.OWN_COLUMNS)
    assert all(word.replace("_", "").isalpha() and word == word.lower() for word in words)
    assert {focus.snake_case(column): column for column in focus.COST_METRICS.values()} == focus.COST_METRICS
    assert set(focus.REQUIRED) | set(focus.JSON_COLUMNS) <= set(focus.COLUMNS)


@pytest.mark.parametrize("table", [CHARGES, ALLOCATED, COST_MART, *USAGE.values()], ids=lambda table: table.name)
def test_column_names_of_a_table_differ_in_more_than_case(table: object) -> None:
    """The engine's names ignore case."""
    columns = table.columns  # type: ignore[attr-defined]
    assert len({name.lower() for name in columns}) == len(columns)
    assert set(table.partition_by) <= set(columns)  # type: ignore[attr-defined]


def test_what_people_group_by_is_what_is_allocated() -> None:
    assert {*DIMENSIONS, *COSTS} <= set(ALLOCATED.columns)
    assert set(COST_MART.columns) == {"day", "month", *DIMENSIONS, *KEPT_TAGS, *COSTS}


@pytest.mark.parametrize(
    ("severities", "failed"),
    [((), False), (("note", "warning"), False), (("warning", "error"), True)],
)
def test_a_step_failed_when_a_problem_is_an_error(severities: tuple, failed: bool) -> None:
    problems = tuple(Problem(severity, "code", "subject", "message") for severity in severities)
    assert StepResult(problems=problems).failed is failed
