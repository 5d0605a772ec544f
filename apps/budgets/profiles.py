"""How a budget is spread over the days of its period: evenly, or by what the company knows of its days."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.finops.errors import CostOpsError
from apps.finops.money import NOTHING, SCALE, split
from apps.finops.windows import Window

EVEN, WORKDAYS, TERMS, LAST_YEAR, MONTHS = KINDS = ("even", "workdays", "terms", "last_year", "months")
_MONTH_DAYS = 28 * 29 * 30 * 31
"""A month's weight divides by its days into whole numbers."""
_WEIGHT = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_MILLIONTHS = 6


class BadProfile(CostOpsError):
    """A profile that cannot be meant."""


@dataclass(frozen=True)
class Days:
    """What a profile may ask of days: whether they are worked, whether in a term, and what the same day cost a year
    ago, of those days alone that this is known of."""

    is_working: Callable[[date], bool]
    is_term: Callable[[date], bool]
    last_year: Mapping[date, Decimal]


@dataclass(frozen=True)
class Profile:
    """A kind, and its weights in millionths: of the twelve months of `months`, or of a day in a term of `terms`."""

    kind: str
    weights: tuple[int, ...] = ()

    @classmethod
    def parse(cls, kind: str, weights: str) -> "Profile":
        """A profile as files and forms write it: `months` with twelve weights, `terms` with how many times as much a
        day in a term costs as another."""
        if kind not in KINDS:
            raise BadProfile(f"profile: {kind[:40]!r} is not one of {', '.join(KINDS)}.")
        told = weights.replace(";", " ").replace(",", " ").split()
        needed = {MONTHS: 12, TERMS: 1}.get(kind, 0)
        if len(told) != needed:
            how = {MONTHS: "the weights of twelve months, January first", TERMS: "one weight, such as 1.5"}
            raise BadProfile(f"weights: {kind} needs {how.get(kind, 'none')}; there are {len(told)}.")
        for text in told:
            if not _WEIGHT.fullmatch(text):
                raise BadProfile(f"weights: {text[:20]!r} is not a weight; write 1 or 1.5.")
        found = tuple(int(Decimal(text).scaleb(_MILLIONTHS)) for text in told)
        if found and not any(found):
            raise BadProfile("weights: at least one must be above zero.")
        return cls(kind, found)

    def spread(self, amount: Decimal, window: Window, days: Days) -> dict[date, Decimal]:
        """The amount by day; the days add up to exactly the amount. Where nothing tells days apart it is even: a day
        that nothing is known of weighs what those known do on average."""
        every = list(window.days())
        weighed = [self._weight(day, days) for day in every]
        known = [weight for weight in weighed if weight is not None]
        mean = sum(known) // len(known) if known else 0
        weights = [mean if weight is None else weight for weight in weighed]
        if not any(weights):
            weights = [1] * len(every)
        told = {day.isoformat(): weight for day, weight in zip(every, weights, strict=True)}
        parts = split(amount.quantize(NOTHING), told)
        return {day: parts[day.isoformat()] for day in every}

    def _weight(self, day: date, days: Days) -> int | None:
        if self.kind == WORKDAYS:
            return int(days.is_working(day))
        if self.kind == TERMS:
            return self.weights[0] if days.is_term(day) else 10**_MILLIONTHS
        if self.kind == LAST_YEAR:
            known = days.last_year.get(day)
            return None if known is None else max(0, int(known.scaleb(SCALE)))
        if self.kind == MONTHS:
            return self.weights[day.month - 1] * (_MONTH_DAYS // _days_in(day))
        return 1


def a_year_before(day: date) -> date:
    """The same weekday of the year before: fifty-two weeks ago."""
    return date.fromordinal(day.toordinal() - 364)


def _days_in(day: date) -> int:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - day.replace(day=1)).days
