"""Lines of a table: whatever is shown or hidden, it adds up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboards.lines import Line, Name, build_table, movers, parts_of, total_of
from apps.dashboards.templatetags import costs as written
from apps.finops.tables import KINDS

AMOUNTS = st.decimals(min_value=-(10**20), max_value=10**20, places=12)
KEYS = st.tuples(st.text(max_size=3), st.sampled_from(KINDS))


def name(key):
    return Name(key[0])


@given(now=st.dictionaries(KEYS, AMOUNTS, max_size=12), limit=st.integers(0, 6))
def test_a_table_adds_up_to_the_last_decimal(now, limit):
    table = build_table(now, {}, name=name, limit=limit)
    assert total_of(line.cost for line in table.rows) == table.total.cost == total_of(now.values())
    assert all(total_of(part.cost for part in line.parts) == line.cost for line in table.rows)


@given(st.dictionaries(st.sampled_from(KINDS), AMOUNTS))
def test_the_parts_of_a_bar_stay_inside_it(by_kind):
    parts = parts_of(by_kind)
    assert all(0 <= Decimal(part.x) <= 100 and Decimal(part.width) >= 0 for part in parts)
    assert sum(Decimal(part.width) for part in parts) <= Decimal("100.01")


def test_a_table_shows_the_largest_and_adds_up_the_rest():
    now = {
        ("a", "direct"): Decimal(3),
        ("b", "direct"): Decimal(9),
        ("c", "idle"): Decimal(1),
        ("d", "idle"): Decimal(2),
    }
    table = build_table(now, {("b",): Decimal(8), ("gone",): Decimal(5)}, name=name, limit=2)
    assert [(line.name.title, line.cost, line.before) for line in table.rows] == [
        ("b", Decimal(9), Decimal(8)),
        ("a", Decimal(3), Decimal(0)),
        ("3 others", Decimal(3), Decimal(5)),
    ]


def test_movers_are_the_largest_changes_in_either_direction():
    now = {("a",): Decimal(10), ("b",): Decimal(1), ("same",): Decimal(7)}
    before = {("b",): Decimal(50), ("same",): Decimal(7), ("gone",): Decimal(2)}
    assert [line.name.title for line in movers(now, before, name=name, limit=2)] == ["b", "a"]


def test_what_is_not_known_of_the_period_before_is_not_zero():
    table = build_table({("a", "direct"): Decimal(3)}, None, name=name)
    assert [(line.change, line.change_share, line.tone) for line in (*table.rows, table.total)] == 2 * [
        (None, None, "same")
    ]
    assert movers({("a",): Decimal(3)}, None, name=name, limit=2) == ()


@pytest.mark.parametrize(
    ("cost", "before", "percent", "tone"),
    [
        pytest.param("110", "100", "+10.0 %", "up", id="a rise"),
        pytest.param("90", "100", "−10.0 %", "down", id="a fall"),
        pytest.param("101", "100", "+1.0 %", "same", id="too little for a colour"),
        pytest.param("5", "0", "new", "up", id="nothing before"),
        pytest.param("0", "0", "0.0 %", "same", id="nothing at all"),
        pytest.param("5", "-10", "+150.0 %", "up", id="a refund before"),
        pytest.param("900000", "1", "> 9,999 %", "up", id="a ratio that says nothing"),
    ],
)
def test_a_change(cost, before, percent, tone):
    line = Line(name=Name(""), cost=Decimal(cost), before=Decimal(before))
    assert (written.change_percent(line.change_share), line.tone) == (percent, tone)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        pytest.param("1234567.895", "1,234,567.90", id="rounded half to even, grouped"),
        pytest.param("0.005", "0.00", id="half a cent to even"),
        pytest.param("-0.004", "0.00", id="no negative zero"),
        pytest.param("-1234.5", "−1,234.50", id="a refund"),
        pytest.param(
            "99999999999999999999999999.999999999999", "100,000,000,000,000,000,000,000,000.00", id="the largest"
        ),
    ],
)
def test_money(amount, shown):
    assert written.money(Decimal(amount)) == shown
