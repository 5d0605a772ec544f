"""Whether a saving lasts is told by whole months, day for day."""

from datetime import date
from decimal import Decimal

import pytest

from apps.savings import services
from apps.savings.models import Initiative, Measurement
from apps.savings.statements import read_statement
from tests.savings.ledgers import BEFORE, NOW, START, costs, given, stated
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
OSS = ("live", "OSS")
State = Initiative.State


@pytest.mark.parametrize(
    ("months", "end", "ended"),
    [
        pytest.param(
            {"2026-11": 1499, "2026-12": 1549}, date(2027, 1, 3), True, id="two months below half of 100 a day"
        ),
        pytest.param(
            {"2026-11": 1499, "2026-12": 1551}, date(2027, 1, 3), False, id="half of 100 a day is 1550 in December"
        ),
        pytest.param({"2026-11": 1499}, date(2026, 12, 4), False, id="one month"),
        pytest.param(
            {"2026-11": 1499, "2026-12": 150}, date(2026, 12, 4), False, id="of December three days were measured"
        ),
        pytest.param(
            {"2026-09": 9, "2026-10": 9}, date(2026, 11, 4), False, id="months of its window: the verdict was of them"
        ),
        pytest.param({"2026-11": 1400, "2026-12": 3100, "2027-01": 1400}, date(2027, 2, 2), False, id="not in a row"),
        pytest.param(
            {"2026-11": 3100, "2026-12": 1400, "2027-01": 1400}, date(2027, 2, 2), True, id="the last two count"
        ),
    ],
)
def test_it_has_ended_after_two_whole_months_of_less_than_half(months, end, ended):
    """2,800 were verified on the 28 days from 7 September on."""
    one = Initiative.objects.create(
        **read_statement(given()).columns(), state=State.VERIFIED, created_at=BEFORE, stated_at=BEFORE
    )
    first = measured(one, date(2026, 10, 5), {})

    assert services.has_ended(one, measured(one, end, months)) is ended
    assert not services.has_ended(one, first)


def measured(one, end, uppers):
    """Measured until a day; a month surely saved no more than its upper bound."""
    return Measurement.objects.create(
        initiative=one, publication=1, at=NOW, start=START, end=end, is_final=True, verdict="saved", grade="A",
        saving_text="2800", content={"months": [[f"{month}-01", 0, 0, upper] for month, upper in uppers.items()]},
    )  # fmt: skip


def test_a_short_window_in_two_months_survives_a_bill_that_is_restated(home):
    """Of September and October a week was measured each: that is not less than half of two months."""
    start = date(2026, 9, 24)

    def publish(left):
        publish_costs(
            row | {"effective_cost": Decimal(row["effective_cost"]) * Decimal(left)}
            if (row["team"], row["service"]) == OSS and row["day"] >= start else row
            for row in costs()
        )  # fmt: skip

    publish("0.7")
    one = stated(start=f"{start}", window_days="14")
    services.verify(now=NOW)
    publish("0.699")
    services.verify(now=NOW)

    one.refresh_from_db()
    assert (one.state, one.measurements.count()) == (State.VERIFIED, 2)
