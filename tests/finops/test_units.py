"""Why cost changed: four effects, each as it is defined, together the change to the last decimal."""

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.finops.money import add_up, less
from apps.finops.units import EFFECTS, Change, Measured, split_change, total_change


def measured(cost: str, quantity: str = "0", resource: str = "0") -> Measured:
    return Measured(Decimal(cost), Decimal(quantity), Decimal(resource))


def effects(change: Change) -> dict[str, str]:
    return {name: f"{getattr(change, name).normalize():f}" for name in EFFECTS if getattr(change, name)}


BEFORE = {"web": measured("400", "100", "200"), "data": measured("200", "100", "100")}
AFTER = {"web": measured("810", "150", "270"), "data": measured("180", "90", "90")}


def test_an_example_on_paper():
    found = split_change(BEFORE, AFTER)
    assert effects(found["web"]) == {"volume": "80", "mix": "120", "efficiency": "-60", "price": "270"}
    assert effects(found["data"]) == {"volume": "40", "mix": "-60"}
    total = total_change(found.values())
    assert effects(total) == {"volume": "120", "mix": "60", "efficiency": "-60", "price": "270"}
    assert (total.before, total.after, total.total) == (600, 990, 390)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            {"a": measured("6", "3", "3")}, {"a": measured("12", "6", "6")}, {"volume": "6"}, id="twice as many"
        ),
        pytest.param({"a": measured("6", "3", "3")}, {"a": measured("9", "3", "3")}, {"price": "3"}, id="dearer"),
        pytest.param({"a": measured("6", "3", "3")}, {"a": measured("4", "3", "2")}, {"efficiency": "-2"}, id="leaner"),
        pytest.param(
            {"a": measured("6", "3", "3"), "b": measured("3", "3", "3")},
            {"a": measured("4", "2", "2"), "b": measured("4", "4", "4")},
            {"mix": "-1"},
            id="as many in all, more of them where they are cheap",
        ),
        pytest.param({}, {"a": measured("5", "2", "1")}, {"volume": "5"}, id="nothing before: volume"),
        pytest.param({"a": measured("5", "2", "1")}, {}, {"volume": "-5"}, id="nothing after: volume"),
        pytest.param(
            {"a": measured("5", "1", "1")},
            {"a": measured("5", "1", "1"), "b": measured("3", "1", "1")},
            {"volume": "5", "mix": "-2"},
            id="somebody new: what it costs is no price, for it had none",
        ),
        pytest.param({"a": measured("5", "0", "1")}, {"a": measured("7", "0", "1")}, {"price": "2"}, id="idle, dearer"),
        pytest.param(
            {"a": measured("5", "0", "1")}, {"a": measured("10", "0", "2")}, {"efficiency": "5"}, id="idle, more"
        ),
        pytest.param(
            {"a": measured("5", "1", "0")}, {"a": measured("7", "1", "1")}, {"efficiency": "2"}, id="no price before"
        ),
        pytest.param(
            {"a": measured("1", "3", "3")},
            {"a": measured("1", "1", "1")},
            {"volume": "-0.666666666667", "price": "0.666666666667"},
            id="a third is rounded: volume by itself, its rest in the mix, what B leaves in the efficiency",
        ),
    ],
)
def test_effects(before, after, expected):
    assert effects(total_change(split_change(before, after).values())) == expected


subjects = st.sampled_from(["a", "b", "c", "d"])
costs = st.decimals(-(10**20), 10**20, places=12)
amounts = st.decimals(0, 10**12, places=6)
positive = st.decimals("0.001", 10**9, places=3)
periods = st.dictionaries(subjects, st.builds(Measured, costs, amounts, amounts))


@given(before=periods, after=periods)
def test_the_parts_add_up_to_the_last_decimal(before, after):
    found = split_change(before, after)
    for subject, change in found.items():
        assert change.before == before.get(subject, Measured()).cost
        assert change.after == after.get(subject, Measured()).cost
        assert add_up(getattr(change, name) for name in EFFECTS) == change.total
    total = total_change(found.values())
    assert add_up(getattr(total, name) for name in EFFECTS) == total.total
    assert total.after == add_up(one.cost for one in after.values())


@given(before=periods, after=periods, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(before, after, order):
    shuffled = [dict(order.sample(list(period.items()), len(period))) for period in (before, after)]
    assert split_change(*shuffled) == split_change(before, after)


@given(
    after=st.dictionaries(subjects, st.builds(Measured, costs, positive, positive), min_size=1),
    share=st.fractions(1, 3),
)
def test_doubling_the_prices_doubles_only_the_price_part(after, share):
    """The same units with the same resources: all of the change is price; at twice the prices, the rest stays."""
    before = {subject: Measured(one.cost, one.quantity * 3, one.resource * 2) for subject, one in after.items()}
    doubled = {subject: Measured(add_up([one.cost] * 2), one.quantity, one.resource) for subject, one in after.items()}
    once, twice = (total_change(split_change(before, period).values()) for period in (after, doubled))
    assert [getattr(once, name) for name in EFFECTS[:3]] == [getattr(twice, name) for name in EFFECTS[:3]]
    assert less(twice.price, once.price) == once.after
    same = total_change(split_change(after, doubled).values())
    assert (same.volume, same.mix, same.efficiency, same.price) == (0, 0, 0, same.before)


@given(before=periods, after=periods)
def test_there_and_back_is_no_change(before, after):
    there, back = total_change(split_change(before, after).values()), total_change(split_change(after, before).values())
    assert add_up([there.total, back.total]) == 0
    assert {field.name for field in fields(Change)} == {*EFFECTS, "before", "after"}
