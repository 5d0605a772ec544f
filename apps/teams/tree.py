"""Who stands where: a dated tree of companies, units, departments and teams, as plain values already checked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

KINDS = ("company", "unit", "department")
"""What a unit of organisation may be; a team stands below one of them, or by itself."""
LEVELS = (*KINDS, "cost_center")
"""What the tree tells of a team on a day."""


@dataclass(frozen=True)
class Place:
    """Where something stands on the days `valid_from` <= day < `valid_to` (open where None).

    `parent` is the unit it stands below, empty at the top; `cost_center` its own, empty where its parent's counts.
    """

    parent: str = ""
    cost_center: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def since(self) -> date:
        return self.valid_from or date.min

    @property
    def until(self) -> date:
        return self.valid_to or date.max


@dataclass(frozen=True)
class Unit:
    """A company, unit or department. Its places follow one another without a gap.

    `is_implied`: nobody listed it; it is the `department` that a file of teams names in words.
    """

    name: str
    kind: str
    title: str = ""
    lead_name: str = ""
    lead_email: str = ""
    places: tuple[Place, ...] = (Place(),)
    is_implied: bool = False


@dataclass(frozen=True)
class Spot:
    """What is above a team on the days `since` <= day < `until`.

    `path` holds the units from the top down; `cost_center` is the nearest on the way up.
    """

    since: date
    until: date
    path: tuple[Unit, ...]
    cost_center: str

    def above(self, level: str) -> tuple[str, ...]:
        """The values of a level, the outermost first: all units of a kind on the way, or the cost centre."""
        if level == "cost_center":
            return (self.cost_center,) if self.cost_center else ()
        return tuple(unit.name for unit in self.path if unit.kind == level)

    def value(self, level: str) -> str:
        """What cost is grouped by: the outermost unit of a kind, empty where there is none."""
        return next(iter(self.above(level)), "")


@dataclass(frozen=True)
class Tree:
    """All units, and the places of the teams that have any."""

    units: tuple[Unit, ...] = ()
    teams: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Unit]:
        return {unit.name: unit for unit in self.units}

    def spots(self, team: str) -> tuple[Spot, ...]:
        """The dated ways from a team to the top, in order; days on which it has no place are in none of them."""
        return self._all_spots.get(team, ())

    @cached_property
    def _all_spots(self) -> Mapping[str, tuple[Spot, ...]]:
        return {team: tuple(self._ways(places, date.min, date.max)) for team, places in self.teams.items()}

    def spot(self, team: str, day: date) -> Spot | None:
        """What is above a team on a day."""
        return next((spot for spot in self.spots(team) if spot.since <= day < spot.until), None)

    def below(self, units: Iterable[str], day: date) -> frozenset[str]:
        """The teams that stand below any of these units on a day, however deep."""
        wanted = set(units)
        found = ((team, self.spot(team, day)) for team in self.teams)
        return frozenset(team for team, spot in found if spot and wanted & {unit.name for unit in spot.path})

    def below_their_kind(self, level: str, start: date, end: date) -> frozenset[str]:
        """The values of a level that stood, on any of the days start <= day < end, below another of the same level."""
        spots = (spot for team in self.teams for spot in self.spots(team) if spot.since < end and start < spot.until)
        return frozenset(value for spot in spots for value in spot.above(level)[1:])

    def paid_by(self, centers: Iterable[str], day: date) -> frozenset[str]:
        """The teams whose cost centre on a day is one of these."""
        wanted = set(centers)
        found = ((team, self.spot(team, day)) for team in self.teams)
        return frozenset(team for team, spot in found if spot and spot.cost_center in wanted)

    def _ways(self, places: Iterable[Place], since: date, until: date) -> Iterator[Spot]:
        for place in places:
            begin, end = max(since, place.since), min(until, place.until)
            if begin >= end:
                continue
            if not place.parent:
                yield Spot(begin, end, (), place.cost_center)
                continue
            parent = self.by_name[place.parent]
            for way in self._ways(parent.places, begin, end):
                yield Spot(way.since, way.until, (*way.path, parent), place.cost_center or way.cost_center)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Tree":
        """The tree kept in `Organisation.document`."""
        return cls(
            units=tuple(Unit(**row | {"places": _places(row["places"])}) for row in document["units"]),
            teams={name: _places(rows) for name, rows in document["teams"].items()},
        )

    def to_document(self) -> dict[str, Any]:
        """The tree as JSON can hold it; `from_document` reads it back to an equal tree."""
        names = ("name", "kind", "title", "lead_name", "lead_email", "is_implied")
        return {
            "units": [
                {name: getattr(unit, name) for name in names} | {"places": _rows(unit.places)} for unit in self.units
            ],
            "teams": {name: _rows(places) for name, places in sorted(self.teams.items())},
        }


def _places(rows: Iterable[Mapping[str, str]]) -> tuple[Place, ...]:
    return tuple(
        Place(row["parent"], row["cost_center"], _day(row["valid_from"]), _day(row["valid_to"])) for row in rows
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _rows(places: Iterable[Place]) -> list[dict[str, str]]:
    return [
        {
            "parent": place.parent,
            "cost_center": place.cost_center,
            "valid_from": place.valid_from.isoformat() if place.valid_from else "",
            "valid_to": place.valid_to.isoformat() if place.valid_to else "",
        }
        for place in places
    ]
