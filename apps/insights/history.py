"""The daily costs forecasts are made from: days × series, of complete days only."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import numpy as np

from apps.calendars.periods import period_of
from apps.finops.money import add_up
from apps.finops.windows import ONE_DAY
from apps.insights.planned.ahead import known
from apps.insights.planned.known import Known
from apps.insights.standing import Costs, Standing, standing, where_it_stands
from apps.learning.calendars import Matrix
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.teams.organising import tree

LEVELS = ("team", "service", "cluster")
"""What cost is divided by; each division adds up to the total. Teams stand in levels of the organisation besides."""
HORIZON = 92
"""Ninety days and two: the longest quarter, so that every quarter's landing can be told from its first day."""
MOST_DAYS = 800
"""Older days tell little of the next ninety."""
DAYS_A_QUESTION = 31
USUAL_DAYS = 28
MOST_DROPPED = 7
"""A source that is silent for longer has stopped; its last days are no longer waited for."""


@dataclass(frozen=True)
class History:
    """Costs in one currency of the days `start` <= day < `end`, by level and key.

    So many later days were `dropped`: they are not complete. `standing` are the levels of the organisation, whose costs
    are those of the teams that stood there on the day. `known` are the changes known ahead; `ahead` is what is charged
    of the days from `end` on already, of those that are not complete and of later ones.
    """

    currency: str
    start: date
    end: date
    dropped: int
    costs: dict[str, Costs]
    standing: Standing
    known: tuple[Known, ...] = ()
    ahead: Mapping[str, Costs] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[str, ...]:
        return ("total", *LEVELS, *self.standing.levels)

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=number) for number in range((self.end - self.start).days)]

    def keys(self, level: str) -> list[str]:
        return sorted(self.costs[level])

    def matrix(self, level: str) -> Matrix:
        """Days × keys as floats; NaN before a key's first cost, 0 on days without any after it.

        A key of the organisation is what its teams of the days ahead always cost: a team that moved is no step.
        """
        if level in self.standing.levels:
            return self._of_teams(level)
        columns = np.zeros((len(self.days), len(self.costs[level])))
        for place, key in enumerate(self.keys(level)):
            known = self.costs[level][key]
            for day, cost in known.items():
                columns[(day - self.start).days, place] = float(cost)
            columns[: (min(known) - self.start).days, place] = np.nan
        return columns

    def _of_teams(self, level: str) -> Matrix:
        costs, place = self.matrix("team"), {team: number for number, team in enumerate(self.keys("team"))}
        columns = np.zeros((len(self.days), len(self.costs[level])))
        for number, key in enumerate(self.keys(level)):
            own = costs[:, [place[team] for team in self.standing.now(level, key)]]
            if own.size:
                columns[:, number] = np.where(np.isnan(own).all(axis=1), np.nan, np.nansum(own, axis=1))
        return columns

    def so_far(self, level: str, key: str, first: date, end: date) -> Decimal:
        """The exact cost of the days first <= day < end."""
        return add_up(cost for day, cost in self.costs[level][key].items() if first <= day < end)

    def charged(self, level: str, key: str) -> Mapping[date, Decimal]:
        """The exact cost of every day, also of those ahead."""
        return self.costs[level][key] | self.ahead.get(level, {}).get(key, {})


def read(pinned: Publication, *, today: date) -> list[History]:
    """The history of each currency a publication holds; days from `today` on are not over."""
    if pinned.first_day is None or pinned.end_day is None or pinned.came_until is None:
        return []
    came = min(pinned.came_until, today + ONE_DAY)
    start = max(pinned.first_day, came - timedelta(days=MOST_DAYS))
    if start >= came:
        return []
    by_source = _ask(pinned, "source", start, came)
    found = {level: _ask(pinned, level, start, min(pinned.end_day, came + timedelta(days=HORIZON))) for level in LEVELS}
    histories = []
    for currency, sources in sorted(by_source.items()):
        end = complete_until(sources, start=start, end=came, today=today)
        costs = {level: _between(found[level][currency], start, end) for level in LEVELS}
        ahead = {level: _between(found[level][currency], end, end + timedelta(days=HORIZON)) for level in LEVELS}
        costs["total"], ahead["total"] = ({"": _summed(one["team"].values())} for one in (costs, ahead))
        if costs["team"]:
            first = min(costs["total"][""])
            changes = known(pinned, currency, end=end, days=HORIZON)
            _make_room(costs, ((level, key) for level in LEVELS for key in ahead[level]), first)
            _make_room(costs, (place for one in changes for place in one.stands_in()), first)
            stands = standing(tree(), costs["team"], since=period_of("quarter", end).start, first=end, days=HORIZON)
            ahead |= {level: where_it_stands(tree(), ahead["team"], level) for level in stands.levels}
            dropped = (came - end).days
            whole = costs | dict(stands.past)
            histories.append(History(currency, first, end, dropped, whole, stands, changes, ahead))
    return histories


def charged_ahead(pinned: Publication, *, today: date) -> str:
    """What is charged of days that are not over, as one fingerprint: forecasts land elsewhere where it changes."""
    if pinned.end_day is None or pinned.end_day <= today:
        return ""
    end = min(pinned.end_day, today + timedelta(days=HORIZON))
    charged = [sorted(_ask(pinned, level, today, end).items()) for level in LEVELS]
    return hashlib.sha256(repr(charged).encode()).hexdigest()


def _make_room(costs: dict[str, Costs], places: Iterable[tuple[str, str]], first: date) -> None:
    """What never cost anything and will has a series to stand in."""
    for level, key in places:
        costs[level].setdefault(key, {first: Decimal(0)})


def complete_until(sources: Costs, *, start: date, end: date, today: date) -> date:
    """The day after the last complete one.

    A day is incomplete when it is not over, or when a source that charges every day charged nothing yet, or less than
    half of what is usual on its weekday, credits by their size: clouds deliver a day in parts. Only last days can be;
    at most a week of them: a source of which all are has stopped, and hides no other that is late.
    """
    end = min(end, max(today, start))
    going = {source: costs for source, costs in sources.items() if not _has_stopped(costs, start, end)}
    last = end
    while last > start and (end - last).days < MOST_DROPPED and not _is_complete(going, last - ONE_DAY):
        last -= ONE_DAY
    return last if (end - last).days < MOST_DROPPED else end


def _has_stopped(costs: Mapping[date, Decimal], start: date, end: date) -> bool:
    week = [end - timedelta(days=number) for number in range(1, MOST_DROPPED + 1)]
    return min(week) >= start and not any(day in costs and _is_complete({"": costs}, day) for day in week)


def _is_complete(sources: Mapping[str, Mapping[date, Decimal]], day: date) -> bool:
    before = [day - timedelta(days=number) for number in range(1, USUAL_DAYS + 1)]
    for costs in sources.values():
        is_daily = sum(one in costs for one in before) >= USUAL_DAYS - MOST_DROPPED
        cost, usual = costs.get(day, Decimal(0)), median(costs.get(one, Decimal(0)) for one in before[6::7])
        # By the sign of what is usual: half of a credit is more than all of it.
        if is_daily and usual * (usual - 2 * cost) > 0:
            return False
    return True


def _ask(pinned: Publication, by: str, start: date, end: date) -> dict[str, Costs]:
    """Effective cost by currency, key and day, asked a month at a time: an answer is limited in rows."""
    found: dict[str, Costs] = {}
    for first in _every(start, end):
        until = min(first + timedelta(days=DAYS_A_QUESTION), end)
        for day, key, currency, cost in marts.answer(
            CostQuery(first, until, group_by=("day", by), as_of=pinned.number)
        ).rows:
            found.setdefault(currency, {}).setdefault(key or "", {})[day] = cost
    return found


def _every(start: date, end: date) -> Iterator[date]:
    while start < end:
        yield start
        start += timedelta(days=DAYS_A_QUESTION)


def _between(costs: Costs, start: date, end: date) -> Costs:
    kept = {key: {day: cost for day, cost in known.items() if start <= day < end} for key, known in costs.items()}
    return {key: known for key, known in kept.items() if known}


def _summed(parts: Iterable[dict[date, Decimal]]) -> dict[date, Decimal]:
    listed = list(parts)
    days = sorted({day for known in listed for day in known})
    return {day: add_up(known[day] for known in listed if day in known) for day in days}
