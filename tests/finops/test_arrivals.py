"""How bills arrive is learned from days whose end was watched and whose cost has settled."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.finops.arrivals import Seen, learn

FIRST = date(2026, 9, 1)
NOW = datetime(2026, 10, 20, tzinfo=UTC)


def day_end(number: int) -> datetime:
    return datetime(2026, 9, 1, tzinfo=UTC) + timedelta(days=number + 1)


def days(count: int, *arrivals: tuple[int, str]) -> list[Seen]:
    """Days that all arrive alike: (hours after the end, cost by then)."""
    return [
        Seen(FIRST + timedelta(days=n), day_end(n), day_end(n) + timedelta(hours=hours), Decimal(cost))
        for n in range(count)
        for hours, cost in arrivals
    ]


def curve_of(seen, since=FIRST):
    return learn(seen, watched_since=datetime.combine(since, datetime.min.time(), UTC), now=NOW)


def test_a_day_that_arrives_in_two_steps():
    curve = curve_of(days(8, (10, "60"), (30, "97"), (200, "100")))
    assert curve.days == 8
    assert {lag: curve.share[lag] for lag in (6, 12, 24, 30, 168, 240)} == pytest.approx(
        {6: 0, 12: 0.6, 24: 0.6, 30: 0.97, 168: 0.97, 240: 1}
    )
    assert curve.complete_after(0.97) == 30
    assert curve.first_after == 10
    assert curve.expected(25) == pytest.approx(0.6)


def test_a_later_credit_does_not_make_the_curve_fall_below_what_was_there():
    curve = curve_of(days(5, (10, "100"), (50, "80"), (60, "100")))
    assert list(curve.share.values()) == sorted(curve.share.values())
    assert max(curve.share.values()) == 1


@pytest.mark.parametrize(
    ("seen", "since"),
    [
        pytest.param(days(4, (10, "1")), FIRST, id="fewer than five days"),
        pytest.param(days(8, (10, "1")), date(2026, 9, 20), id="loaded afterwards, not watched"),
        pytest.param(days(8, (10, "0")), FIRST, id="days that cost nothing"),
        pytest.param([], FIRST, id="nothing seen"),
    ],
)
def test_too_little_is_not_learned_from(seen, since):
    assert curve_of(seen, since) is None


def test_a_day_that_is_not_settled_does_not_count():
    fresh = Seen(date(2026, 10, 18), datetime(2026, 10, 19, tzinfo=UTC), NOW, Decimal(1))
    assert curve_of([*days(5, (10, "1")), fresh]).days == 5
