"""Amounts are read exactly or refused, and divided without losing a unit."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.finops.money import SCALE, UNIT, NotAnAmount, add_up, parse_amount, plain, split

LARGEST = "99999999999999999999999999.999999999999"


@pytest.mark.parametrize(
    ("text", "amount", "is_rounded"),
    [
        pytest.param("1", "1", False, id="a whole number"),
        pytest.param("0.000000000001", "0.000000000001", False, id="twelve decimals are kept"),
        pytest.param("0.1000000000000000", "0.1", False, id="zeros beyond the twelfth decimal are no loss"),
        pytest.param("0.0000000000014", "0.000000000001", True, id="thirteen decimals: nearer below"),
        pytest.param("0.0000000000016", "0.000000000002", True, id="thirteen decimals: nearer above"),
        pytest.param("0.0000000000005", "0", True, id="a tie goes to the even neighbour, down"),
        pytest.param("0.0000000000015", "0.000000000002", True, id="a tie goes to the even neighbour, up"),
        pytest.param("-0.0000000000025", "-0.000000000002", True, id="a negative tie goes to the even neighbour"),
        pytest.param("0.00000000000050000000001", "0.000000000001", True, id="just above a tie is no tie"),
        pytest.param("1e-7", "0.0000001", False, id="scientific notation is exact"),
        pytest.param("12.5E+3", "12500", False, id="scientific notation with a positive exponent"),
        pytest.param("1e25", "10000000000000000000000000", False, id="twenty-six digits by exponent"),
        pytest.param("+5.50", "5.5", False, id="a plus sign"),
        pytest.param("-5.50", "-5.5", False, id="a minus sign"),
        pytest.param(".5", "0.5", False, id="no digit before the point"),
        pytest.param("5.", "5", False, id="no digit after the point"),
        pytest.param("  7.25 ", "7.25", False, id="spaces around"),
        pytest.param("0007.10", "7.1", False, id="leading zeros"),
        pytest.param(LARGEST, LARGEST, False, id="the largest amount, all thirty-eight digits"),
        pytest.param(f"-{LARGEST}", f"-{LARGEST}", False, id="the smallest amount, all thirty-eight digits"),
    ],
)
def test_an_amount_is_read_exactly(text: str, amount: str, is_rounded: bool) -> None:
    assert parse_amount(text) == (Decimal(amount), is_rounded)


@pytest.mark.parametrize("text", ["-0.00", "-0", "-0.0000000000001"])
def test_there_is_no_negative_zero(text: str) -> None:
    assert f"{parse_amount(text)[0]:f}" == "0.000000000000"


@pytest.mark.parametrize("text", [LARGEST, f"-{LARGEST}", "1000", "0", "0.000000000001"])
def test_an_amount_is_written_exactly(text: str) -> None:
    assert plain(parse_amount(text)[0]) == text


def test_an_amount_has_twelve_decimals() -> None:
    assert f"{parse_amount('3')[0]:f}" == "3.000000000000"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1_000", id="underscores"),
        pytest.param("١", id="an Arabic digit"),
        pytest.param("１２", id="full-width digits"),
        pytest.param("NaN", id="not a number"),
        pytest.param("inf", id="infinity"),
        pytest.param("1e99", id="an exponent beyond twenty-six digits"),
        pytest.param("1e999999999", id="an exponent that would take for ever"),
        pytest.param("1,234.50", id="a thousands separator"),
        pytest.param("1.234,50", id="a decimal comma"),
        pytest.param("1 234", id="a space inside"),
        pytest.param("\u00a05", id="a no-break space"),
        pytest.param("5\n", id="a line break"),
        pytest.param("\u22125", id="a typographic minus"),
        pytest.param("(2.50)", id="an accountant's brackets"),
        pytest.param("¥5", id="a currency sign"),
        pytest.param("0x10", id="hexadecimal"),
        pytest.param("", id="nothing"),
        pytest.param(".", id="a lonely point"),
        pytest.param("-", id="a lonely sign"),
        pytest.param("--1", id="two signs"),
        pytest.param("100000000000000000000000000", id="twenty-seven digits"),
        pytest.param(f"{LARGEST}9", id="rounds up to twenty-seven digits"),
        pytest.param(f"-{LARGEST}5", id="rounds down to twenty-seven digits"),
    ],
)
def test_what_is_not_a_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_amount(text)


amounts = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda units: Decimal(units).scaleb(-SCALE, _exact()))
weights = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(0, 10**17), max_size=8)


def _exact() -> Context:
    return Context(prec=100)


@given(amounts)
def test_every_amount_of_thirty_eight_digits_survives_being_written_and_read(amount: Decimal) -> None:
    read, is_rounded = parse_amount(f"{amount:f}")
    assert (read, is_rounded) == (amount, False)


def test_amounts_add_up_beyond_twenty_eight_digits() -> None:
    assert add_up([Decimal(LARGEST), -Decimal("0.000000000001")]) == Decimal("99999999999999999999999999.999999999998")
    assert add_up([]) == 0


@pytest.mark.parametrize(
    ("cost", "by", "expected"),
    [
        pytest.param("1.00", {"web": 3, "data": 1}, {"web": "0.75", "data": "0.25"}, id="in proportion to use"),
        pytest.param("1.00", {"web": 1, "data": 0}, {"web": "1.00", "data": "0"}, id="no use, no share"),
        pytest.param("1.00", {}, {"unallocated": "1.00"}, id="nobody used it: visible, not lost"),
        pytest.param("1.00", {"web": 0}, {"unallocated": "1.00"}, id="all weights zero: visible, not lost"),
        pytest.param("-0.90", {"web": 2, "data": 1}, {"web": "-0.60", "data": "-0.30"}, id="a refund like a charge"),
        pytest.param("0", {"web": 2, "data": 1}, {"web": "0", "data": "0"}, id="nothing is divided into nothing"),
        pytest.param(
            "0.000000000001", {"a": 1, "b": 1}, {"a": "0.000000000001", "b": "0"}, id="one unit goes to one of them"
        ),
        pytest.param(
            "1.00",
            {"a": 1, "b": 1, "c": 1},
            {"a": "0.333333333333", "b": "0.333333333334", "c": "0.333333333333"},
            id="thirds: the running sum is rounded, not each part",
        ),
        pytest.param(
            LARGEST, {"a": 1, "b": 10**17 - 1}, {"a": "1000000000", "b": "99999999999999998999999999.999999999999"},
            id="thirty-eight digits",
        ),
    ],
)  # fmt: skip
def test_split(cost: str, by: dict[str, int], expected: dict[str, str]) -> None:
    assert split(Decimal(cost), by) == {name: Decimal(part) for name, part in expected.items()}


@given(amounts, weights)
def test_split_loses_no_unit_favours_nobody_and_treats_a_refund_like_a_charge(
    cost: Decimal, by: dict[str, int]
) -> None:
    parts = split(cost, by)
    exact = _exact()
    assert add_up(parts.values()) == cost
    assert split(exact.minus(cost), by) == {name: exact.minus(part) for name, part in parts.items()}
    whole = sum(by.values())
    for name, weight in by.items():
        if whole and weight == 0:
            assert parts[name] == 0
        if whole:
            error = exact.subtract(exact.multiply(parts[name], whole), exact.multiply(cost, weight))
            assert abs(error) < exact.multiply(UNIT, whole)
