"""The page of estimates: what days cost whose bill has not come, where the prices are from, how good that was."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.books.statuses import ESTIMATED
from apps.dashboards import naming
from apps.dashboards.day_news import Waiting
from apps.dashboards.lines import Name
from apps.dashboards.templatetags.costs import day
from apps.estimates.bill import BY_DAYS, BY_WEEKDAY
from apps.estimates.prices import LEVELS
from apps.estimates.selectors import Accuracy, Goodness, PriceSource, accuracy, estimates, reach_of
from apps.estimates.services import BY_PLATFORM
from apps.marts.query import CostQuery, PublicationFacts, Scope
from apps.marts.selectors import NothingPublished, facts, publication

PRICED_BY: dict[str, tuple[Promise, Promise]] = {
    LEVELS["resource"]: (
        _("Own price"),
        _("what this node, volume or pod last cost per unit, times what was measured"),
    ),
    LEVELS["near"]: (_("Price of its pool"), _("what nodes of the same type in the same pool last cost per unit")),
    LEVELS["far"]: (_("Price of its cluster"), _("what its like on the same cluster last cost per unit")),
    BY_WEEKDAY: (_("Mean of the weekday"), _("what the same weekdays of the last four weeks cost on average")),
    BY_DAYS: (_("Mean of the last days"), _("what the last seven days cost on average, for want of the same weekday")),
    BY_PLATFORM: (_("Platform"), _("what platform namespaces take of the nodes they run on")),
}


@dataclass(frozen=True)
class TeamLine:
    """What a team's days are estimated to cost that wait for their bill."""

    name: Name
    currency: str
    cost: Decimal


@dataclass(frozen=True)
class PriceLine:
    """By what estimates are priced, in words."""

    title: str
    meaning: str
    source: PriceSource


@dataclass(frozen=True)
class GoodLine:
    """How good estimates of a team or a day were."""

    name: Name
    currency: str
    goodness: Goodness


@dataclass(frozen=True)
class EstimatesPage:
    """What the page shows; `waiting` is None where every day has its bill, `whole` empty where none ever waited."""

    facts: PublicationFacts
    waiting: Waiting | None
    teams: tuple[TeamLine, ...]
    prices: tuple[PriceLine, ...]
    days_compared: int
    whole: tuple[GoodLine, ...]
    by_day: tuple[GoodLine, ...]
    by_team: tuple[GoodLine, ...]


def page(number: int | None, scope: Scope) -> EstimatesPage:
    """The page of one publication, the newest by default."""
    pinned = publication(number)
    first, end = reach_of(pinned)
    if first is None or end is None:
        raise NothingPublished(f"Publication {pinned.number} holds no cost.")
    found = estimates(CostQuery(first, end, group_by=("team", "day"), as_of=pinned.number, scope=scope))
    teams = naming.directory()
    costs: dict[tuple[str, str], Decimal] = {}
    for team, _day, currency, cost in found.answer.rows:
        costs[team, currency] = costs.get((team, currency), Decimal(0)) + cost
    days = sorted({row[1] for row in found.answer.rows})
    totals = tuple(sorted(found.answer.totals.items()))
    lines = [
        TeamLine(Name(teams.title(team), url=reverse("team", args=[team]), colour=teams.colour(team)), currency, cost)
        for (team, currency), cost in _largest(costs)
    ]
    told = facts(pinned, first, end)
    good = accuracy(scope=scope, as_of=pinned.number)
    return EstimatesPage(
        facts=replace(told, status=ESTIMATED) if days else told,
        waiting=Waiting(days[0], days[-1], totals) if days else None,
        teams=tuple(lines),
        prices=tuple(
            PriceLine(str(title), str(meaning), one)
            for one in found.prices
            for title, meaning in (PRICED_BY[one.priced_by],)
        ),
        days_compared=len({cell.day for cell in good.cells}),
        whole=_lines(good),
        by_day=tuple(reversed(_lines(good, "day"))),
        by_team=tuple(sorted(_lines(good, "team"), key=lambda line: (line.currency, -line.goodness.off))),
    )


def _largest(costs: dict[tuple[str, str], Decimal]) -> list[tuple[tuple[str, str], Decimal]]:
    return sorted(costs.items(), key=lambda one: (one[0][1], -one[1], one[0][0]))


def _lines(good: Accuracy, *by: str) -> tuple[GoodLine, ...]:
    """By day, by team, or all together."""
    write: dict[tuple[str, ...], Callable[[Any], str]] = {
        ("day",): day, ("team",): naming.directory().title, (): lambda currency: currency,
    }  # fmt: skip
    return tuple(GoodLine(Name(write[by](key[0])), key[-1], one) for key, one in good.by(*by).items())
