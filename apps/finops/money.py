"""Exact amounts: reading them from text, and dividing them without losing a unit.

An amount has twelve decimals; its **unit** is 10^-12 of its currency.
"""

import functools
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

SCALE = 12
UNIT = Decimal(1).scaleb(-SCALE)
NOTHING = Decimal(0).scaleb(-SCALE)
"""Zero with its twelve decimals, as the engine writes it."""
_EXACT = Context(prec=100)
_AMOUNT = re.compile(r"[+-]?(\d{1,26}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?", re.ASCII)
_LIMIT = Decimal(10) ** 26


class NotAnAmount(ValueError):
    """The text is not a plain decimal number that DECIMAL(38,12) can hold."""


def parse_amount(text: str) -> tuple[Decimal, bool]:
    """Read an amount from a bill: (amount with twelve decimals, whether it had to be rounded).

    More than twelve decimals are rounded half-even, once, here. No thousands separators, no `NaN`, no
    digits other than 0-9: what Python's own `Decimal` would forgive is refused.
    """
    text = text.strip(" ")
    if not _AMOUNT.fullmatch(text):
        raise NotAnAmount(text)
    exact = _EXACT.create_decimal(text)
    if exact.copy_abs() >= _LIMIT:
        raise NotAnAmount(text)
    amount = exact.quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_EXACT)
    if amount.copy_abs() >= _LIMIT:
        raise NotAnAmount(text)
    return _EXACT.plus(amount), amount != exact


def plain(amount: Decimal) -> str:
    """An amount as text, exact, without zeros at its end; Python's own `normalize` rounds to twenty-eight digits."""
    return f"{amount.normalize(_EXACT):f}"


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of amounts; Python's own `sum` rounds to twenty-eight digits without a word."""
    return functools.reduce(_EXACT.add, amounts, Decimal(0))


def converted(amount: Decimal, rate: Decimal) -> Decimal:
    """amount × rate, rounded once, half-even, to twelve decimals.

    The plain reference of what the engine does to whole tables (`apps.warehouse.exact.with_conversion`).
    """
    return _EXACT.multiply(amount, rate).quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_EXACT)


def divided(amount: Decimal, by: Decimal) -> Decimal | None:
    """amount ÷ by, rounded once, half-even, to twelve decimals; None where nothing is divided by."""
    if not by:
        return None
    return rounded(Fraction(amount) / Fraction(by))


def rounded(number: Fraction) -> Decimal:
    """An exact fraction as an amount, rounded half-even to twelve decimals."""
    return Decimal(round(number * 10**SCALE)).scaleb(-SCALE, context=_EXACT)


def less(amount: Decimal, by: Decimal) -> Decimal:
    """The exact difference; Python's own minus rounds to twenty-eight digits."""
    return _EXACT.subtract(amount, by)


def split(cost: Decimal, weights: dict[str, int]) -> dict[str, Decimal]:
    """Divide `cost` in proportion to whole-number weights; the parts add up to exactly `cost`.

    The plain reference of what the engine does to whole tables (`apps.warehouse.exact`): part i is
    round(cost * W_i / W) - round(cost * W_(i-1) / W) in units, half away from zero, W_i the running sum of
    weights in the order of their keys. No part is off by a whole unit; a part whose true share has at most twelve
    decimals is exact when those before it are. Nothing to weigh by: everything is `unallocated`.
    """
    total = sum(weights.values())
    if total == 0:
        return {"unallocated": cost}
    sign = -1 if cost < 0 else 1
    units = abs(int(cost.scaleb(SCALE, context=_EXACT)))
    parts: dict[str, Decimal] = {}
    running = before = 0
    for key in sorted(weights):
        running += weights[key]
        upto = (2 * units * running + total) // (2 * total)
        parts[key] = Decimal(sign * (upto - before)).scaleb(-SCALE, context=_EXACT)
        before = upto
    return parts
