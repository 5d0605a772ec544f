"""What forecasts learn from, and anomalies are looked for in, is of days that came, whatever is dated ahead."""

from datetime import UTC, datetime, time, timedelta

import pytest

from apps.insights import history
from apps.insights.anomalies import cells
from apps.insights.standing import Costs
from tests.savings.ledgers import END, costs
from tests.worlds import publish_costs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.mark.parametrize("ahead", [1, 90, 1_100])
def test_a_fee_dated_ahead_takes_no_history_away(ahead: int) -> None:
    rows = costs()
    (before,) = history.read(publish_costs(rows), today=END)
    fee = {"day": END + timedelta(days=ahead), "team": "data", "service": "RI", "effective_cost": "5"}
    (after,) = history.read(publish_costs([*rows, fee | {"charge_category": "Purchase"}]), today=END)
    assert (after.start, after.end) == (before.start, before.end)
    assert that_cost(after) == that_cost(before)
    assert after.dropped - before.dropped == 1, "today, which is not over"


@pytest.mark.parametrize("late", [3, 10])
def test_nor_are_days_learned_from_whose_bill_is_late_beside_it(late: int) -> None:
    """Without the fee history ends where the bill does; with it the days until today are no more known."""
    until, moment = END - timedelta(days=late), datetime.combine(END, time(3), UTC)
    rows = costs(until=until)
    (before,) = history.read(publish_costs(rows, created_at=moment), today=END)
    fee = {"day": END + timedelta(days=90), "team": "data", "service": "RI", "effective_cost": "5"}
    published = publish_costs([*rows, fee], created_at=moment)
    (after,) = history.read(published, today=END)
    assert (after.start, after.end, after.dropped) == (before.start, until, 0)
    assert that_cost(after) == that_cost(before)
    assert [measure.end for measure in cells.read(published, today=END)] == [until]


def that_cost(known: history.History) -> dict[str, Costs]:
    """What cost anything; what is dated ahead alone stands in a series of nothing."""
    return {
        level: {key: days for key, days in costs.items() if any(days.values())} for level, costs in known.costs.items()
    }
