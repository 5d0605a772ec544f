"""Every check between places in the organisation as they were written and the tree they mean."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from apps.teams.checks import LIMITS, check_address, check_once, check_text, read_day
from apps.teams.drafts import Draft, DraftPlace, DraftTeam, DraftUnit, Text
from apps.teams.models import UNALLOCATED
from apps.teams.tree import KINDS, Place, Tree, Unit

RESERVED = (UNALLOCATED, "(none)")
MOST_LEVELS = 30
UNIT_NAME_LIMIT = LIMITS["department"]
_TEAM = "team"
Placed = tuple[Place, DraftPlace]
"""What a place means, and how it was written."""


@dataclass
class _Making:
    """A tree while it is checked: who stands where, with the lines of the file."""

    draft: Draft
    units: dict[str, Unit] = field(default_factory=dict)
    placed: dict[tuple[str, str], list[Placed]] = field(default_factory=dict)
    """(Kind, name) → its places."""


def check_tree(draft: Draft) -> Tree:
    """The tree a file means; useless when the draft's `problems` say that anything is wrong."""
    making = _Making(draft)
    check_once(draft, "unit", (unit.facts.get("name") for unit in draft.units))
    for unit in draft.units:
        _add_unit(making, unit)
    for team in draft.teams:
        _add_team(making, team)
    for (kind, _), placed in making.placed.items():
        _check_order(draft, placed)
        for one in placed:
            _check_parent(making, kind, *one)
    if not draft.problems:
        _check_ways(making)
    return Tree(
        units=tuple(making.units.values()),
        teams={
            name: tuple(place for place, _ in placed) for (kind, name), placed in making.placed.items() if kind == _TEAM
        },
    )


def _add_unit(making: _Making, unit: DraftUnit) -> None:
    draft, facts = making.draft, unit.facts
    for fact, text in facts.items():
        check_text(draft, fact, text, UNIT_NAME_LIMIT if fact == "name" else LIMITS.get(fact, UNIT_NAME_LIMIT))
    check_address(draft, facts.get("lead_email"))
    name, kind = _name(draft, unit), _kind(draft, unit)
    placed = [(_place(draft, place), place) for place in unit.places]
    if not name:
        return
    title, lead_name, lead_email = (_text(facts.get(fact)) for fact in ("title", "lead_name", "lead_email"))
    places = tuple(place for place, _ in placed)
    making.units.setdefault(name, Unit(name, kind, title, lead_name, lead_email, places))
    making.placed.setdefault((kind, name), placed)


def _name(draft: Draft, unit: DraftUnit) -> str:
    name = unit.facts.get("name", Text("", unit.line))
    if not name.value:
        draft.complain("no-name", unit.line, "a unit has no `name`, such as live")
    elif name.value in RESERVED:
        draft.complain("reserved", name.line, f"{name.value!r} is kept for cost without a place; choose another name")
    return name.value


def _kind(draft: Draft, unit: DraftUnit) -> str:
    kind = unit.facts.get("kind", Text("", unit.line))
    if kind.value not in KINDS:
        draft.complain("bad-kind", kind.line, f"kind {kind.value!r} of a unit is none of {', '.join(KINDS)}")
        return KINDS[0]
    return kind.value


def _add_team(making: _Making, team: DraftTeam) -> None:
    """A team with places; or with a `department` and `cost_center` that hold on every day."""
    draft = making.draft
    nothing = Text("", team.line)
    department, cost_center = team.facts.get("department", nothing), team.facts.get("cost_center")
    if team.places and department.value:
        draft.complain("department-and-parent", department.line, "a team has both `department` and a place; keep one")
    places = team.places or (DraftPlace(team.line, department, cost_center),)
    if not team.places:
        _imply(making, department)
    placed = [(_place(draft, place), place) for place in places]
    name = team.facts.get("name", nothing).value
    if [place for place, _ in placed] != [Place()]:
        making.placed.setdefault((_TEAM, name), placed)


def _imply(making: _Making, department: Text) -> None:
    """A department that teams name and nobody listed is one at the top of the tree."""
    name = department.value
    if not name:
        return
    unit = making.units.setdefault(name, Unit(name, "department", is_implied=True))
    if unit.kind != "department":
        making.draft.complain("bad-kind", department.line, f"{name!r} is a {unit.kind}; write `parent: {name}`")


def _place(draft: Draft, place: DraftPlace) -> Place:
    if place.cost_center is not None:
        check_text(draft, "cost_center", place.cost_center, LIMITS["cost_center"])
    since, until = read_day(draft, place.valid_from), read_day(draft, place.valid_to)
    if place.valid_to and since and until and since >= until:
        draft.complain(
            "empty-window", place.valid_to.line,
            f"valid_to ({until}, itself not included) must come after valid_from ({since})",
        )  # fmt: skip
    return Place(_text(place.parent), _text(place.cost_center), since, until)


def _text(text: Text | None) -> str:
    return text.value if text else ""


def _check_order(draft: Draft, placed: list[Placed]) -> None:
    """The places of one follow one another: each begins on the day the one before ends."""
    for (before, _), (after, written) in itertools.pairwise(placed):
        if before.valid_to is None or after.valid_from is None:
            draft.complain(
                "open-place", written.line,
                "of two places, the first needs a `valid_to` and the next the same day as its `valid_from`",
            )  # fmt: skip
        elif after.valid_from != before.valid_to:
            wrong = "overlap" if after.valid_from < before.valid_to else "leave a gap"
            draft.complain(
                "bad-dates", written.line,
                f"places {wrong}: one is valid to {before.valid_to} (itself not included), the next from "
                f"{after.valid_from}; write the same day",
            )  # fmt: skip


def _check_parent(making: _Making, kind: str, place: Place, written: DraftPlace) -> None:
    if not place.parent:
        return
    line = written.parent.line if written.parent else written.line
    parent = making.units.get(place.parent)
    if parent is None:
        making.draft.complain(
            "unknown-parent", line, f"parent {place.parent!r} is not a unit under `organisation`; add it"
        )
    elif kind != _TEAM and KINDS.index(parent.kind) > KINDS.index(kind):
        making.draft.complain("bad-kind", line, f"a {kind} cannot stand below the {parent.kind} {parent.name!r}")


def _check_ways(making: _Making) -> None:
    """Everything leads to the top on every day: no circle, and no parent that has ended or not begun."""
    for (kind, name), placed in making.placed.items():
        for place, written in placed:
            way = _Way(name, place.since, place.until, () if kind == _TEAM else (name,))
            if wrong := next(_faults(making.units, place, way), ""):
                making.draft.complain("no-way-up", written.line, wrong)
                return


@dataclass(frozen=True)
class _Way:
    """Somebody on the way up, on some days; `units` are those on the way so far."""

    who: str
    since: date
    until: date
    units: tuple[str, ...]


def _faults(units: dict[str, Unit], place: Place, way: _Way) -> Iterator[str]:
    """What is wrong on the way up from a place."""
    if not place.parent:
        return
    through = (*way.units, place.parent)
    if place.parent in way.units:
        yield f"the way up goes in a circle from {_told(way.since)}: {' → '.join(through)}"
        return
    if len(through) > MOST_LEVELS:
        yield f"the way up from here has more than {MOST_LEVELS} levels"
        return
    parent = units[place.parent]
    since, until = parent.places[0].since, parent.places[-1].until
    if way.since < since:
        yield f"{way.who!r} stands below {parent.name!r} from {_told(way.since)}, which begins on {since}"
    if until < way.until:
        yield f"{way.who!r} stands below {parent.name!r} until {_told(way.until)}, which ends on {until}"
    for above in parent.places:
        begin, end = max(way.since, above.since), min(way.until, above.until)
        if begin < end:
            yield from _faults(units, above, _Way(parent.name, begin, end, through))


def _told(day: date) -> str:
    return "the beginning" if day == date.min else "the end" if day == date.max else str(day)
