"""Reading rates: what they were at a version, and the rate of a day between two currencies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import groupby

from django.db.models import QuerySet

from apps.finops.errors import CostOpsError
from apps.finops.windows import Window
from apps.rates.models import MonthLock, Rate, RateVersion

DERIVED_DIGITS, DERIVED_DECIMALS = 15, 18
_EXACT = Context(prec=100)
_DERIVED = Context(prec=DERIVED_DIGITS, rounding=ROUND_HALF_EVEN)
Key = tuple[date, str, str]
"""Day, from, to."""


class MissingRate(CostOpsError):
    """There is no rate between two currencies on a day."""

    def __init__(self, day: date, source: str, target: str) -> None:
        self.day, self.source, self.target = day, source, target
        super().__init__(
            f"There is no rate from {source} to {target} on {day}. Import it with `manage.py rates import`, declare a "
            "base currency that both have rates with, or ask without a currency."
        )


@dataclass(frozen=True)
class UsedRate:
    """The rate an answer was converted with: where it is from, and when it was quoted.

    `quoted_day` is the oldest where two rates were crossed; `origin` names file, line, version, who and when.
    """

    day: date
    source: str
    target: str
    rate: Decimal
    quoted_day: date
    origin: str

    @property
    def fraction(self) -> tuple[int, int]:
        """The rate as whole numbers, exactly: times and per."""
        places = max(-int(self.rate.normalize().as_tuple().exponent), 0)
        return int(self.rate.scaleb(places)), 10**places


def newest_version() -> int:
    """The number of the newest change of the rates; 0 before the first."""
    return RateVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0


def version_identity(number: int) -> str:
    """What a version of the rates is known by; a number alone is given again when a database is restored from an older
    copy."""
    found = RateVersion.objects.filter(number=number).first()
    return f"{number} {found.created_at.timestamp()}" if found else str(number)


def rates(
    *,
    at: int | None = None,
    start: date | None = None,
    end: date | None = None,
    source: str | None = None,
    target: str | None = None,
) -> list[Rate]:
    """The rates that hold at a version (the newest by default), by pair and day."""
    asked = {
        "version__number__lte": at, "day__gte": start, "day__lt": end, "from_currency": source, "to_currency": target,
    }  # fmt: skip
    found = Rate.objects.filter(**{name: value for name, value in asked.items() if value is not None})
    newest = {_key(rate): rate for rate in found.select_related("version").order_by("version_id")}
    return sorted(newest.values(), key=lambda rate: (rate.from_currency, rate.to_currency, rate.day))


def _key(rate: Rate) -> Key:
    return rate.day, rate.from_currency, rate.to_currency


def first_gap(days: Window) -> tuple[str, str, date] | None:
    """A pair with a rate on some of these days and not on all, and the first day without; None without such a pair."""
    held = rates(start=days.start, end=days.end)
    for (source, target), mine in groupby(held, key=lambda rate: (rate.from_currency, rate.to_currency)):
        there = {rate.day for rate in mine}
        for day in days.days():
            if day not in there:
                return source, target, day
    return None


def locks() -> QuerySet[MonthLock]:
    """The locked months, the oldest first."""
    return MonthLock.objects.order_by("month")


def declarations(at: int | None = None) -> list[RateVersion]:
    """The base currencies declared up to a version, in the order in which they were."""
    found = RateVersion.objects.filter(kind=RateVersion.Kind.BASE)
    return list((found if at is None else found.filter(number__lte=at)).order_by("number"))


def base_on(day: date, declared: Iterable[RateVersion]) -> str:
    """The base currency of a day, empty where none is declared: of the latest beginning, the newest declaration."""
    begun = [one for one in declared if one.base_from is not None and one.base_from <= day]
    return max(begun, key=lambda one: (one.base_from, one.number)).base_currency if begun else ""


def reporting_currencies() -> list[str]:
    """The currencies that amounts can be converted to: those that rates lead to, and the bases."""
    found = set(Rate.objects.values_list("to_currency", flat=True).distinct())
    if any(one.base_currency for one in declarations()):
        found |= set(Rate.objects.values_list("from_currency", flat=True).distinct())
    return sorted(found)


def used_rates(needed: Iterable[tuple[date, str]], target: str, *, at: int) -> list[UsedRate]:
    """The rates of these days and currencies to a target, at a version; raises MissingRate for the first missing.

    A rate is the one that was imported for the pair and day. Only where a base currency is declared it may be crossed:
    to the base and from there, each leg a rate or the inverse of the opposite one. A crossed rate is rounded once,
    half-even, to fifteen digits and at most eighteen decimals. The currency itself needs no rate and gets none.
    """
    wanted = sorted({(day, source) for day, source in needed if source != target})
    if not wanted:
        return []
    found = rates(at=at, start=wanted[0][0], end=date.fromordinal(wanted[-1][0].toordinal() + 1))
    book = {_key(rate): rate for rate in found}
    declared = declarations(at)
    return [_used(book, day, source, target, base_on(day, declared)) for day, source in wanted]


def _used(book: Mapping[Key, Rate], day: date, source: str, target: str, base: str) -> UsedRate:
    if direct := book.get((day, source, target)):
        return UsedRate(day, source, target, direct.rate, direct.quoted_day, _origin(direct))
    legs = [_leg(book, day, source, base), _leg(book, day, base, target)] if base else []
    if not legs or None in legs:
        raise MissingRate(day, source, target)
    return _crossed(day, source, target, base, [leg for pair in legs for leg in pair or ()])


Leg = tuple[Rate, bool]
"""A rate, and whether it is divided by."""


def _leg(book: Mapping[Key, Rate], day: date, source: str, target: str) -> list[Leg] | None:
    """The rate of one leg, nothing where both ends are the base, None where there is none."""
    if source == target:
        return []
    if direct := book.get((day, source, target)):
        return [(direct, False)]
    inverse = book.get((day, target, source))
    return [(inverse, True)] if inverse else None


def _crossed(day: date, source: str, target: str, base: str, legs: list[Leg]) -> UsedRate:
    times = per = Decimal(1)
    for rate, is_inverse in legs:
        if is_inverse:
            per = _EXACT.multiply(per, rate.rate)
        else:
            times = _EXACT.multiply(times, rate.rate)
    crossed = _DERIVED.divide(times, per)
    if -int(crossed.as_tuple().exponent) > DERIVED_DECIMALS:
        crossed = crossed.quantize(Decimal(1).scaleb(-DERIVED_DECIMALS), rounding=ROUND_HALF_EVEN)
    if not crossed:
        raise MissingRate(day, source, target)
    told = " × ".join(("1 ÷ " if is_inverse else "") + f"[{_origin(rate)}]" for rate, is_inverse in legs)
    return UsedRate(
        day, source, target, crossed, min(rate.quoted_day for rate, _ in legs), f"crossed over {base}: {told}"
    )


def _origin(rate: Rate) -> str:
    version = rate.version
    return (
        f"{rate.from_currency}→{rate.to_currency} {rate.rate_text}, {version.file_name} line {rate.line}, "
        f"version {version.number} of {version.created_by}, {version.created_at:%Y-%m-%d %H:%M} UTC"
    )
