"""What is charged of days ahead beyond their forecast: the same amount at every level, so that landings add up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from apps.finops.money import NOTHING, SCALE, add_up, less, split
from apps.insights.history import LEVELS, History
from apps.insights.landing import beyond

Series = tuple[str, str]
"""Level and key."""
Beyond = dict[Series, dict[date, Decimal]]


def agreed(history: History, means: Mapping[Series, Sequence[Decimal]]) -> Beyond:
    """What each series lands beyond its forecast, by day. `means` are of every series that anything is charged ahead
    of.

    A purchase that stands out from its team's days is lost among those of all teams. So a day lands by the most that it
    is beyond by at any level, team by team, service by service, cluster by cluster, or as a whole; what a level shows
    less is borne by what it was charged of the day, in proportion. The parts of each level add up to exactly the whole,
    and nothing lands below what it was charged. Parts of the organisation are their teams of the day.
    """
    found: Beyond = {}
    for day in sorted(history.ahead.get("total", {}).get("", {})):
        for series, amount in _of_day(history, means, day):
            if amount:
                found.setdefault(series, {})[day] = amount
    return found


def _of_day(history: History, means: Mapping[Series, Sequence[Decimal]], day: date) -> Iterator[tuple[Series, Decimal]]:
    number = (day - history.end).days
    charged = {
        level: {key: costs[day] for key, costs in history.ahead[level].items() if day in costs}
        for level in ("total", *LEVELS)
    }
    shown = {
        level: {key: beyond(means[level, key][number], cost) for key, cost in costs.items()}
        for level, costs in charged.items()
    }
    most = max(add_up(parts.values()) for parts in shown.values())
    teams: dict[str, Decimal] = {}
    for level, parts in shown.items():
        rest = _divided(less(most, add_up(parts.values())), charged[level])
        for key, part in parts.items():
            amount = add_up([part, rest[key]])
            if level == "team":
                teams[key] = amount
            yield (level, key), amount
    yield from _of_organisation(history, teams, day)


def _divided(amount: Decimal, charged: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """In proportion to what was charged; evenly where nothing but credits was."""
    weights = {key: max(0, int(cost.scaleb(SCALE))) for key, cost in charged.items()}
    return split(amount, weights if any(weights.values()) else dict.fromkeys(charged, 1))


def _of_organisation(history: History, teams: Mapping[str, Decimal], day: date) -> Iterator[tuple[Series, Decimal]]:
    for span in history.standing.spans:
        if span.start <= day < span.end:
            for level in history.standing.levels:
                for key, members in span.members[level].items():
                    yield (level, key), add_up([NOTHING, *(teams[team] for team in members if team in teams)])
