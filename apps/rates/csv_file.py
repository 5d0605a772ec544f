"""Reading a file of exchange rates: CSV, one rate a row, all of it or nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from apps.finops import sheets
from apps.finops.currencies import CURRENCIES
from apps.finops.sheets import Wrong, WrongCell
from apps.finops.windows import ONE_DAY

COLUMNS = ("date", "from", "to", "rate")
MOST_DIGITS = 15
MOST_DAYS_CARRIED = 10
"""The longest a rate may stand in for days without one: the longest holidays of a market, with their weekends."""
_MOST = Decimal(10) ** 12


@dataclass(frozen=True)
class QuotedRate:
    """One rate of a file: on `day` a unit of `source` is `rate` units of `target`; it was quoted on `quoted_day`."""

    line: int
    day: date
    source: str
    target: str
    rate: Decimal
    quoted_day: date

    @property
    def pair(self) -> tuple[str, str]:
        return self.source, self.target


def read(content: bytes, name: str, *, carry_forward: bool = False) -> list[QuotedRate]:
    """The rates of a file, by pair and day; raises BadSheet for whatever is wrong with any of them.

    Every pair has one rate on each day from its first to its last, or the file is refused; `carry_forward` fills days
    without one by the rate of the day before, at most ten in a row.
    """
    rates = sheets.read(content, name=name, headers=[COLUMNS], row=_rate)
    rates.sort(key=lambda one: (one.pair, one.day, one.line))
    sheets.refuse(name, list(_doubled(rates)))
    if carry_forward:
        rates = list(_carried(rates))
    sheets.refuse(name, list(_gaps(rates)))
    return rates


def _rate(line: int, cells: dict[str, str]) -> QuotedRate:
    day, source, target = sheets.day(cells, "date"), _currency(cells, "from"), _currency(cells, "to")
    if source == target:
        raise WrongCell("to", f"{target} is the same currency; leave the line out")
    rate = sheets.amount(cells, "rate")
    if rate <= 0:
        raise WrongCell("rate", f"{cells['rate'][:40]} is {'zero' if not rate else 'negative'}; a rate is positive")
    if len(rate.normalize().as_tuple().digits) > MOST_DIGITS or rate >= _MOST:
        raise WrongCell("rate", f"{cells['rate'][:40]} has more than {MOST_DIGITS} digits or is too large")
    return QuotedRate(line, day, source, target, rate, quoted_day=day)


def _currency(cells: dict[str, str], column: str) -> str:
    if cells[column] not in CURRENCIES:
        raise WrongCell(column, f"{cells[column][:40]!r} is not a currency code of ISO 4217; write CNY")
    return cells[column]


def _doubled(rates: Sequence[QuotedRate]) -> Iterator[Wrong]:
    for before, after in _neighbours(rates):
        if before.day == after.day:
            told = f"column date: {_named(after)} on {after.day} stands in line {before.line} already; keep one"
            yield Wrong(after.line, told)


def _gaps(rates: Sequence[QuotedRate]) -> Iterator[Wrong]:
    for before, after in _neighbours(rates):
        if before.day + ONE_DAY != after.day:
            first, last = before.day + ONE_DAY, after.day - ONE_DAY
            missing = f"on {first}" if first == last else f"from {first} to {last}"
            yield Wrong(
                after.line, f"column date: {_named(after)} has no rate {missing}; add it, or import with carry-forward"
            )


def _carried(rates: Iterable[QuotedRate]) -> Iterator[QuotedRate]:
    """The rates, and between two of a pair those of the days without one, unless there are too many."""
    before: QuotedRate | None = None
    for rate in rates:
        if before is not None and before.pair == rate.pair and (rate.day - before.day).days <= MOST_DAYS_CARRIED + 1:
            day = before.day + ONE_DAY
            while day < rate.day:
                yield replace(before, day=day)
                day += ONE_DAY
        yield rate
        before = rate


def _neighbours(rates: Sequence[QuotedRate]) -> Iterator[tuple[QuotedRate, QuotedRate]]:
    return ((before, after) for before, after in pairwise(rates) if before.pair == after.pair)


def _named(rate: QuotedRate) -> str:
    return f"{rate.source} to {rate.target}"
