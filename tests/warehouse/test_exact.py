"""Whole columns of money are divided as the plain reference divides one amount."""

import random
from decimal import Context, Decimal

import ibis
import pyarrow as pa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.finops.money import SCALE, split
from apps.warehouse.engine import Workspace, rows_of
from apps.warehouse.exact import amount_of, units_of, with_shares

EXACT = Context(prec=100)
MONEY = pa.decimal128(38, 12)
LARGEST = 10**38 - 1
Case = tuple[int, int, int]
"""Amount in units, part, whole."""


def shares(cases: list[Case]) -> list[Decimal]:
    """What the engine makes of these cases, in their order, and of refunds of the same amounts."""
    table = pa.table(
        {
            "number": list(range(len(cases))),
            "cost": pa.array([money(units) for units, _, _ in cases], MONEY),
            "refund": pa.array([money(-units) for units, _, _ in cases], MONEY),
            "part": [part for _, part, _ in cases],
            "whole": [whole for _, _, whole in cases],
        }
    )
    with Workspace() as workspace:
        told = workspace.keep(ibis.memtable(table))
        units = told.mutate(cost=units_of(told.cost), refund=units_of(told.refund))
        found = with_shares(units, {"paid": ("cost", "part"), "back": ("refund", "part")}, whole="whole")
        rows = rows_of(found.order_by("number").select(cost=amount_of(found.paid), refund=amount_of(found.back)))
    assert [cost for cost, _ in rows] == [EXACT.minus(refund) for _, refund in rows]
    return [cost for cost, _ in rows]


def money(units: int) -> Decimal:
    return Decimal(units).scaleb(-SCALE, EXACT)


def expected(case: Case) -> Decimal:
    """round(amount x part / whole) in units, half away from zero, in whole numbers of any size."""
    units, part, whole = case
    size = (2 * abs(units) * part + whole) // (2 * whole)
    return money(size if units >= 0 else -size)


def random_case(rng: random.Random) -> Case:
    """Any magnitude of amount and weights is as likely as any other."""
    units = rng.randint(-(10 ** rng.randint(0, 38)) + 1, 10 ** rng.randint(0, 38) - 1)
    whole = rng.randint(1, 10 ** rng.randint(1, 18) - 1)
    part = rng.choice((0, whole, rng.randint(0, whole)))
    return units, part, whole


CORNERS: list[Case] = [
    (units * sign, part, whole)
    for units in (0, 1, 2, 10**12, 10**20 - 1, 10**20, 10**20 + 1, LARGEST)
    for sign in (1, -1)
    for whole in (1, 2, 3, 7, 10**9, 10**18 - 1)
    for part in sorted({0, 1, whole // 2, whole - 1, whole})
]


def test_five_thousand_random_shares_are_exact() -> None:
    rng = random.Random(20261101)
    cases = CORNERS + [random_case(rng) for _ in range(5000 - len(CORNERS))]
    assert shares(cases) == [expected(case) for case in cases]


def test_ties_go_away_from_zero_at_every_size() -> None:
    cases = [(2 * 10**size + 1, 1, 2) for size in range(37)]
    assert shares(cases) == [money(10**size + 1) for size in range(37)]


@hypothesis_settings(max_examples=15)
@given(st.integers(-LARGEST, LARGEST), st.dictionaries(st.text("abc", min_size=1), st.integers(0, 10**17), max_size=9))
def test_running_shares_are_the_plain_division(units: int, weights: dict[str, int]) -> None:
    whole = sum(weights.values())
    if whole == 0:
        return
    upto = [sum(weights[key] for key in sorted(weights)[: place + 1]) for place in range(len(weights))]
    running = shares([(units, part, whole) for part in upto])
    parts = [EXACT.subtract(now, before) for now, before in zip(running, [Decimal(0), *running], strict=False)]
    assert dict(zip(sorted(weights), parts, strict=True)) == split(money(units), weights)
