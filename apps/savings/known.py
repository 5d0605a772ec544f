"""Until which day bills tell what something cost: a day that they do not tell of is not known, it is not zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from apps.finops.windows import ONE_DAY, Window
from apps.insights.history import complete_until
from apps.marts.models import Publication
from apps.savings import costs
from apps.savings.heard import silent_days
from apps.savings.scopes import Scope

SILENT_DAYS = 62
"""A source that was silent for two months has stopped: bills come by the month at the latest."""
MOST_OF_A_WEEK = 4


@dataclass(frozen=True)
class Bills:
    """The day after the last that is known, by source: of those that charged anything on the last days (`window`)."""

    window: Window
    ends: Mapping[str, date]

    def end_of(self, by_source: costs.BySource) -> date:
        """The same of a cost: that of the first of the bills that it lately stood on."""
        lately = {source for source, by_day in by_source.items() if max(by_day) >= self.window.start}
        return min((end for source, end in self.ends.items() if source in lately), default=self.window.end)


def bills(currency: str, pinned: Publication, today: date) -> Bills | None:
    """What is known of bills before `today`; None where nothing is published."""
    if pinned.first_day is None or pinned.end_day is None:
        return None
    end = min(pinned.end_day, today)
    start = max(pinned.first_day, end - timedelta(days=SILENT_DAYS))
    if start >= end:
        return None
    window = Window(start, end)
    found = costs.by_source([], currency, window, pinned)
    return Bills(
        window,
        {source: min(_complete({source: bill}, window), _last(bill, window)) for source, bill in found.items()},
    )


def known_until(scopes: Iterable[Scope], currency: str, pinned: Publication, today: date) -> date | None:
    """The day after the last on which all cost of some scopes is known: no bill it stands on ends before, no part of a
    bill that is there is missing, and its use was metered."""
    told = bills(currency, pinned, today)
    if told is None:
        return None
    scopes = list(scopes)
    found = [costs.by_source([scope], currency, told.window, pinned) for scope in scopes]
    end = min(min(told.end_of(own), _complete(own, told.window)) for own in found)
    silent = {day for scope in scopes for day in silent_days([scope], currency, told.window, pinned)}
    while end - ONE_DAY in silent:
        end -= ONE_DAY
    return end


def _complete(by_source: costs.BySource, window: Window) -> date:
    return complete_until(by_source, start=window.start, end=window.end, today=window.end)


def _last(bill: Mapping[date, Decimal], window: Window) -> date:
    """The day after the last that was charged like most days of the week to it: a fee that is dated ahead stands alone.
    A bill that never charges most days of a week is not waited for."""
    usual = [day for day in bill if sum(day - number * ONE_DAY in bill for number in range(7)) >= MOST_OF_A_WEEK]
    return max(usual) + ONE_DAY if usual else window.end
