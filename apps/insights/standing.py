"""Where teams stand in the organisation on the days of a history and on those ahead."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from apps.finops.money import add_up
from apps.teams.tree import LEVELS, Tree

Costs = dict[str, dict[date, Decimal]]
"""By key and day."""
Members = Mapping[str, tuple[str, ...]]
"""The teams that stand at each key of a level; those without one at the empty key."""


@dataclass(frozen=True)
class Span:
    """Days ahead, `start` <= day < `end`, on which no team moves: the members of each level."""

    start: date
    end: date
    members: Mapping[str, Members]


@dataclass(frozen=True)
class Standing:
    """The levels of the organisation that divide a history, and who stands where on the days ahead.

    `past` holds what every key cost with the teams that stood there on the day; `was` the teams that did in the days
    still told of.
    """

    spans: tuple[Span, ...]
    past: Mapping[str, Costs]
    was: Mapping[tuple[str, str], frozenset[str]]

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(self.past)

    def now(self, level: str, key: str) -> tuple[str, ...]:
        """The teams a key is learned from: who stands there on the first day ahead that anybody does."""
        return next((span.members[level][key] for span in self.spans if key in span.members[level]), ())

    def teams(self, level: str, key: str) -> list[str]:
        """Every team whose cost is in what is told of a key."""
        ahead = {team for span in self.spans for team in span.members[level].get(key, ())}
        return sorted(ahead | self.was.get((level, key), frozenset()))


def standing(tree: Tree, teams: Costs, *, since: date, first: date, days: int) -> Standing:
    """How a tree divides the costs of teams, told from `since` (the begin of the quarter) and `days` from `first` on.

    A level is left out when nobody has anything of it.
    """
    end = first + timedelta(days=days)
    cuts = sorted({first, end, *(day for day in _moves(tree, teams) if first < day < end)})
    spans = tuple(
        Span(start, until, {level: _members(tree, teams, level, start) for level in LEVELS})
        for start, until in pairwise(cuts)
    )
    past: dict[str, Costs] = {}
    was: dict[tuple[str, str], frozenset[str]] = {}
    for level in LEVELS:
        stood = {team: _stood(tree, team, level, costs) for team, costs in teams.items()}
        keys = {key for span in spans for key in span.members[level]}
        for team, by_key in stood.items():
            for key, costs in by_key.items():
                if max(costs) >= since:
                    was[level, key] = was.get((level, key), frozenset()) | {team}
                    keys.add(key)
        if any(keys):
            past[level] = {key: _together(stood.values(), key) for key in sorted(keys)}
    return Standing(spans, past, was)


def where_it_stands(tree: Tree, teams: Costs, level: str) -> Costs:
    """The costs of teams by the key of a level that each stood at on the day."""
    stood = [_stood(tree, team, level, costs) for team, costs in teams.items()]
    return {key: _together(stood, key) for key in sorted({key for by_key in stood for key in by_key})}


def _moves(tree: Tree, teams: Iterable[str]) -> Iterator[date]:
    for team in teams:
        for spot in tree.spots(team):
            yield from (spot.since, spot.until)


def _members(tree: Tree, teams: Iterable[str], level: str, day: date) -> Members:
    found: dict[str, tuple[str, ...]] = {}
    for team in sorted(teams):
        spot = tree.spot(team, day)
        key = spot.value(level) if spot else ""
        found[key] = (*found.get(key, ()), team)
    return found


def _stood(tree: Tree, team: str, level: str, costs: Mapping[date, Decimal]) -> Costs:
    """The costs of a team by the key it stood at on each day."""
    found: Costs = {}
    left = dict(costs)
    for spot in tree.spots(team):
        days = [day for day in left if spot.since <= day < spot.until]
        if days:
            found.setdefault(spot.value(level), {}).update((day, left.pop(day)) for day in days)
    if left:
        found.setdefault("", {}).update(left)
    return found


def _together(stood: Iterable[Costs], key: str) -> dict[date, Decimal]:
    amounts: dict[date, list[Decimal]] = {}
    for by_key in stood:
        for day, cost in by_key.get(key, {}).items():
            amounts.setdefault(day, []).append(cost)
    return {day: add_up(costs) for day, costs in sorted(amounts.items())}
