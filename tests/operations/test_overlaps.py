"""Promises together: of several about one resource the largest counts, and the sum is exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.finops.money import add_up
from apps.operations.models import Recommendation
from apps.operations.overlaps import promise


def row(pk: int, saving: str, at_stake: str = "", currency: str = "CNY", team: str = "live") -> Recommendation:
    return Recommendation(pk=pk, saving_text=saving, amount_text="0", at_stake=at_stake, currency=currency, team=team)


@pytest.mark.parametrize(
    ("rows", "totals", "within"),
    [
        pytest.param([], {}, {}, id="nothing"),
        pytest.param([row(1, "1.000000000001"), row(2, "2")], {"CNY": "3.000000000001"}, {}, id="two things"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "vm")], {"CNY": "9"}, {1: 2}, id="stop it, or shrink it"),
        pytest.param([row(2, "9", "vm"), row(1, "9", "vm")], {"CNY": "9"}, {2: 1}, id="of equals the oldest"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "disk")], {"CNY": "14"}, {}, id="two resources"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "vm", "USD")], {"CNY": "5", "USD": "9"}, {}, id="two currencies"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "vm", team="data")], {"CNY": "14"}, {}, id="parts of two teams"),
        pytest.param([row(1, "5", "vm"), row(2, "0", "vm")], {"CNY": "5"}, {}, id="a question promises nothing"),
    ],
)
def test_what_is_promised_together(rows, totals, within):
    found = promise(rows)

    assert found.totals == {currency: Decimal(total) for currency, total in totals.items()}
    assert found.within == within


AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=12)


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(["", "vm", "disk", "gpu"])), max_size=30), st.randoms())
def test_no_resource_is_promised_twice_in_whatever_order_they_come(facts, random):
    rows = [row(number, f"{saving:f}", at_stake) for number, (saving, at_stake) in enumerate(facts)]
    largest: dict[str, Decimal] = {}
    for saving, at_stake in facts:
        if at_stake:
            largest[at_stake] = max(largest.get(at_stake, Decimal(0)), saving)
    expected = add_up([*largest.values(), *(saving for saving, at_stake in facts if not at_stake)])
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert add_up(promise(shuffled).totals.values()) == expected
    assert promise(shuffled) == promise(rows)
