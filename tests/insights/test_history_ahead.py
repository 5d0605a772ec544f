"""What a forecast learns from is of days that came, whatever is dated ahead."""

from datetime import timedelta

import pytest

from apps.insights import history
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
    assert after.costs == before.costs
    assert after.dropped - before.dropped == 1, "today, which is not over"
