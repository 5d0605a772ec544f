"""The coverage of a window: samples seen of samples expected, of the days in it alone."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from apps.marts.selectors import facts, publication
from tests.worlds import publish_costs

COSTS = [{"day": date(2026, 10, 1), "effective_cost": "1"}, {"day": date(2026, 10, 9), "effective_cost": "1"}]
SEEN = {date(2026, 10, 2): (1, 2), date(2026, 10, 3): (0, 0), date(2026, 10, 6): (3, 3)}
OTHER = [("gpu", date(2026, 10, 2), 2, 6)]


@pytest.fixture
def world(db: None, home: Path) -> None:
    publish_costs(COSTS, coverage=SEEN, clusters=OTHER)


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        pytest.param(date(2026, 10, 1), date(2026, 10, 10), "0.5455", id="all days, both clusters"),
        pytest.param(date(2026, 10, 2), date(2026, 10, 3), "0.3750", id="a day, both clusters"),
        pytest.param(date(2026, 10, 3), date(2026, 10, 7), "1.0000", id="from a day on, without what was before"),
        pytest.param(date(2026, 10, 2), date(2026, 10, 6), "0.3750", id="up to a day, without it"),
        pytest.param(date(2026, 10, 4), date(2026, 10, 6), None, id="days nothing is known of"),
        pytest.param(date(2026, 10, 3), date(2026, 10, 4), None, id="a day nothing was expected of"),
        pytest.param(date(2026, 9, 1), date(2026, 10, 2), None, id="before the first"),
        pytest.param(date(2026, 10, 7), date(2026, 11, 1), None, id="after the last"),
        pytest.param(date.min, date.max, "0.5455", id="ever"),
        pytest.param(date(2026, 10, 6), date(2026, 10, 2), None, id="no days"),
    ],
)
def test_coverage_is_that_of_the_days_of_the_window(world: None, first: date, end: date, expected: str | None) -> None:
    told = facts(publication(), first, end).coverage
    assert told == (None if expected is None else Decimal(expected))


def test_another_publication_of_the_same_number_has_its_own_coverage(world: None) -> None:
    first = publication()
    assert facts(first, date(2026, 10, 6), date(2026, 10, 7)).coverage == Decimal(1)
    first.delete()
    again = publish_costs(COSTS, coverage={date(2026, 10, 6): (1, 4)})
    again.number = first.number
    assert facts(again, date(2026, 10, 6), date(2026, 10, 7)).coverage == Decimal("0.25")
