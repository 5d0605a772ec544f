"""Amounts and shares as people read them: rounded half-even here, and nowhere else."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

MINUS = "\u2212"
CENT, TENTH = Decimal("0.01"), Decimal("0.1")
MAX_PERCENT = Decimal(9999)
"""Beyond it a ratio says nothing."""
_WIDE = Context(prec=80)


def rounded(amount: Decimal, unit: Decimal = CENT) -> Decimal:
    """An amount to the last digit of a unit."""
    return amount.quantize(unit, rounding=ROUND_HALF_EVEN, context=_WIDE)


def signed(amount: Decimal, *, plus: bool = True) -> str:
    """A rounded amount with thousands separators and a real minus; a plus sign if it is asked for."""
    sign = MINUS if amount < 0 else "+" if plus and amount > 0 else ""
    return f"{sign}{amount.copy_abs():,f}"


def money(amount: Decimal | None) -> str:
    """Two decimals and thousands separators; a dash for what is not known."""
    return "–" if amount is None else signed(rounded(amount), plus=False)


def change(amount: Decimal | None) -> str:
    """`money` that shows a plus sign."""
    return "–" if amount is None else signed(rounded(amount))


def percent(share: Decimal | None) -> str:
    """A share, given in hundredths, with one decimal."""
    return "–" if share is None else f"{signed(rounded(share, TENTH), plus=False)} %"


def change_percent(share: Decimal) -> str:
    """`percent` that shows a plus sign."""
    return f"> {MAX_PERCENT:,} %" if abs(share) > MAX_PERCENT else f"{signed(rounded(share, TENTH))} %"
