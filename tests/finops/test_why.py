"""Why cost changed: hand-added cases, and what holds of every change."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.finops.money import add_up
from apps.finops.why import PARTS, Meter, Used, explain_change

SMALL, LARGE = (Meter("usage", "Compute", "gz", sku, unit="Hours") for sku in ("small", "large"))
DISK = Meter("usage", "Storage", "gz", "disk", unit="GiB-Hours")
SUPPORT = Meter("usage", "Support")
CREDIT, TAX = Meter("credits", "Compute"), Meter("taxes")
RESERVED = Meter("commitments", "Compute")


def used(cost: str, quantity: str = "0", *, of: str | None = None) -> Used:
    """So much of it; `of`: what it would have cost without commitments."""
    return Used(Decimal(cost), Decimal(quantity), Decimal(cost), Decimal(cost if of is None else of))


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        pytest.param({SMALL: used("10", "10")}, {SMALL: used("10", "10")}, {}, id="nothing changed, all is zero"),
        pytest.param({SMALL: used("10", "10")}, {SMALL: used("15", "15")}, {"volume": "5"}, id="more of it"),
        pytest.param({SMALL: used("10", "10")}, {SMALL: used("12", "10")}, {"price": "2"}, id="only the price"),
        pytest.param(
            # 10 at 1 → 20 at 2: first volume 10 then price 20, or first price 10 then volume 20
            {SMALL: used("10", "10")}, {SMALL: used("40", "20")}, {"volume": "15", "price": "15"},
            id="both: each the mean of the two orders",
        ),
        pytest.param(
            # of 10 hours, 5 moved from small at 1 to large at 4
            {SMALL: used("5", "5"), LARGE: used("20", "5")}, {SMALL: used("1", "1"), LARGE: used("36", "9")},
            {"mix": "12"}, id="as many hours, more of the larger",
        ),
        pytest.param(
            {SMALL: used("5", "5"), LARGE: used("20", "5")}, {SMALL: used("10", "10"), LARGE: used("40", "10")},
            {"volume": "25"}, id="all grew alike: volume, no mix",
        ),
        pytest.param(
            {SMALL: used("10", "10")}, {SMALL: used("10", "10"), DISK: used("3", "30")}, {"new": "3"}, id="a new disk",
        ),
        pytest.param({SMALL: used("10", "10"), DISK: used("3", "30")}, {SMALL: used("10", "10")}, {"gone": "-3"},
                     id="a disk that is gone"),
        pytest.param(
            {SMALL: used("10", "10", of="10")}, {SMALL: used("6", "10", of="10")}, {"commitments": "-4"},
            id="commitments leave 60 %, the same hours at the same price",
        ),
        pytest.param(
            {SMALL: used("0", "10", of="10")}, {SMALL: used("10", "10", of="10")}, {"commitments": "10"},
            id="all was covered, nothing is any more",
        ),
        pytest.param({CREDIT: used("-5")}, {CREDIT: used("-2")}, {"credits": "3"}, id="less credit"),
        pytest.param({}, {CREDIT: used("-2")}, {"credits": "-2"}, id="a first credit is a credit, not new"),
        pytest.param({TAX: used("6")}, {TAX: used("7")}, {"taxes": "1"}, id="taxes"),
        pytest.param({}, {RESERVED: used("100", "24")}, {"commitments": "100"}, id="an upfront fee"),
        pytest.param({SUPPORT: used("10")}, {SUPPORT: used("12")}, {"unmeasured": "2"}, id="no quantity, not guessed"),
        pytest.param({SMALL: used("0", "10")}, {SMALL: used("3", "10")}, {"price": "3"}, id="free before"),
        pytest.param(
            {SMALL: used("10", "10")}, {SMALL: used("-1", "10")}, {"price": "-11"}, id="a price below zero",
        ),
    ],
)  # fmt: skip
def test_a_change_is_told_by_its_parts(before, after, parts):
    found = explain_change(before, after)

    assert {name: amount for name, amount in found.parts.items() if amount} == {
        name: Decimal(amount) for name, amount in parts.items()
    }


def test_periods_of_different_length_are_compared_by_the_day():
    """60 in 6 days and 20 in 2 days are 10 a day: nothing changed; 4 a day more of it is volume."""
    same = explain_change({SMALL: used("60", "60")}, {SMALL: used("20", "20")}, days=(6, 2))
    more = explain_change({SMALL: used("60", "60")}, {SMALL: used("28", "28")}, days=(6, 2))

    assert (same.before, same.after, any(same.parts.values())) == (Decimal(10), Decimal(10), False)
    assert (more.change, more.parts["volume"]) == (Decimal(4), Decimal(4))


def test_costs_by_the_day_add_up_to_the_whole_by_the_day():
    """Three meters of 10 in 9 days: 1.111… each and 3.333… together."""
    meters = {one: used("10", "1") for one in (SMALL, LARGE, DISK)}
    found = explain_change(meters, {}, days=(9, 1))

    assert found.before == Decimal("3.333333333333")
    assert found.parts["gone"] == found.before.copy_negate()


def test_what_rounding_leaves_goes_to_the_largest_part():
    """A third more at another price: the parts have no end, and still add up."""
    found = explain_change({SMALL: used("1", "3")}, {SMALL: used("2", "7")})

    assert add_up(found.parts.values()) == Decimal(1)
    assert found.parts["volume"] + found.parts["price"] == Decimal(1)


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=12, allow_nan=False)
POSITIVE = st.decimals(min_value=Decimal("0.000001"), max_value=10**9, places=6, allow_nan=False)
QUANTITIES = st.one_of(st.just(Decimal(0)), POSITIVE)
USED = st.builds(Used, AMOUNTS, QUANTITIES, QUANTITIES, QUANTITIES)
METERS = st.sampled_from((SMALL, LARGE, DISK, SUPPORT, CREDIT, TAX, RESERVED))
PERIODS = st.dictionaries(METERS, USED, max_size=7)
DAYS = st.tuples(st.integers(1, 92), st.integers(1, 92))


@given(before=PERIODS, after=PERIODS, days=DAYS)
@settings(max_examples=60, deadline=None)
def test_the_parts_add_up_to_the_last_decimal(before, after, days):
    found = explain_change(before, after, days=days)

    assert add_up(found.parts.values()) == found.change
    for one in found.meters:
        assert add_up(one.parts.values()) == one.change


@given(before=PERIODS, after=PERIODS, days=DAYS)
@settings(max_examples=60, deadline=None)
def test_the_change_back_is_the_same_with_the_other_sign(before, after, days):
    there, back = explain_change(before, after, days=days), explain_change(after, before, days=days[::-1])

    swapped = {"new": "gone", "gone": "new"}
    assert {name: there.parts[name] for name in PARTS} == {
        name: back.parts[swapped.get(name, name)].copy_negate() for name in PARTS
    }


@given(period=PERIODS, days=st.integers(1, 92))
@settings(max_examples=40, deadline=None)
def test_where_nothing_changed_every_part_is_zero(period, days):
    assert not any(explain_change(period, period, days=(days, days)).parts.values())


@given(
    quantities=st.lists(POSITIVE, min_size=3, max_size=3),
    prices=st.lists(st.tuples(POSITIVE, POSITIVE), min_size=3, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_where_only_prices_changed_the_price_is_all(quantities, prices):
    sides = [
        {
            meter: used(str(quantity * price[side]), str(quantity))
            for meter, quantity, price in zip((SMALL, LARGE, DISK), quantities, prices, strict=True)
        }
        for side in (0, 1)
    ]
    found = explain_change(*sides)

    assert found.parts["price"] == found.change
    assert {name for name, amount in found.parts.items() if amount} <= {"price"}
