"""An initiative's series, read once: its cost by day, that of its controls, what drives it, and what prices changed."""

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from apps.finops.money import NOTHING, add_up, divided, less
from apps.finops.windows import Window
from apps.insights.why.answering import whole_changes
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.savings import costs
from apps.savings.costs import BySource
from apps.savings.heard import given_up, silent_by_cluster, silent_days
from apps.savings.known import SILENT_DAYS, Bills, bills
from apps.savings.models import Initiative
from apps.savings.scopes import RESOURCE, Scope, team_of, told
from apps.savings.statements import controls_of, scope_of

HISTORY_DAYS = 400
"""So many days before the start are looked at, where they are published."""
PRICES = ("price", "commitments")
"""The parts of a change of cost that are no change of use."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Consecutive `days`, the `cost` on each, and what goes with it: arrays as long as `days`, NaN where nobody knows.
    `price_per_day` is how much more (less, below zero) a day costs after the start by prices alone, None where the bill
    does not tell. `given_up` are clusters of it that count as no more."""

    days: tuple[date, ...]
    cost: Floats
    controls: Mapping[str, Floats] = field(default_factory=dict)
    drivers: Mapping[str, Floats] = field(default_factory=dict)
    rest: Floats | None = None
    price_per_day: Decimal | None = None
    given_up: tuple[str, ...] = ()

    def cut(self) -> "Series":
        """The same without the last days on which nobody knows the cost."""
        end = 1 + int(max(np.flatnonzero(~np.isnan(self.cost)), default=-1))
        return replace(
            self,
            days=self.days[:end],
            cost=self.cost[:end],
            controls={name: values[:end] for name, values in self.controls.items()},
            drivers={name: values[:end] for name, values in self.drivers.items()},
            rest=None if self.rest is None else self.rest[:end],
        )

    def fingerprint(self, *more: object) -> str:
        """The same for the same numbers, stated in the same way."""
        digest = hashlib.sha256(repr((self.days, self.price_per_day, more)).encode())
        arrays = [self.cost, *self.controls.values(), *self.drivers.values()]
        for one in arrays if self.rest is None else [*arrays, self.rest]:
            digest.update(one.tobytes())
        return digest.hexdigest()


def known_window(pinned: Publication, start: date, end: date) -> Window | None:
    """The published days from `HISTORY_DAYS` before `start` until `end`."""
    if pinned.first_day is None or pinned.end_day is None:
        return None
    first, last = max(pinned.first_day, start - timedelta(days=HISTORY_DAYS)), min(pinned.end_day, end)
    return Window(first, last) if first < last else None


def read_series(one: Initiative, pinned: Publication, end: date, *, today: date) -> Series | None:
    """Everything a measurement is made of, until before `end`; None where nothing of it is published. Days from `today`
    on are not over."""
    window, known = known_window(pinned, one.start, end), bills(one.currency, pinned, today)
    if window is None or known is None:
        return None
    scope, days = scope_of(one), tuple(window.days())

    def read(of: Scope) -> BySource:
        return costs.by_source([of], one.currency, window, pinned)

    def heard(of: Scope, cost: BySource) -> Floats:
        return _known(cost, window, known, silent_days([of], one.currency, window, pinned))

    own, team = read(scope), team_of(scope)
    return Series(
        days=days,
        cost=heard(scope, own),
        controls={told(each): heard(each, read(each)) for each in controls_of(one)},
        drivers={name: _array(costs.driver(name, scope, window), days, otherwise=np.nan) for name in one.drivers},
        rest=None if team is None or team == scope else heard(team, _left(read(team), own)),
        price_per_day=None if one.is_about_price else _price_per_day(one, scope, window, pinned),
        given_up=given_up([scope], one.currency, window, pinned, since=one.start - timedelta(days=SILENT_DAYS)),
    )


def _array(amounts: Mapping[date, Decimal], days: Iterable[date], *, otherwise: float = 0.0) -> Floats:
    """Amounts as floats, for a learner; a published day without cost cost nothing, an untold driver is unknown."""
    return np.array([float(amounts[day]) if day in amounts else otherwise for day in days])


def _known(found: BySource, window: Window, known: Bills, silent: Container[date]) -> Floats:
    """The cost of each day; those that a bill it stands on does not reach yet, or on which its use was not metered, are
    unknown."""
    end, days = known.end_of(found), list(window.days())
    cost = _array(costs.summed(pair for by_day in found.values() for pair in by_day.items()), days)
    cost[[day >= end or day in silent for day in days]] = np.nan
    return cost


def _left(whole: BySource, own: BySource) -> BySource:
    """What is left of a cost without a part of it: where cost that only moved would be found."""
    return {
        source: {day: less(amount, own.get(source, {}).get(day, NOTHING)) for day, amount in by_day.items()}
        for source, by_day in whole.items()
    }


def _price_per_day(one: Initiative, scope: Scope, window: Window, pinned: Publication) -> Decimal | None:
    """What prices alone changed by the day, by the meters of the bill, between as many days before and after."""
    length = min(one.window_days, (window.end - one.measured_from).days, (one.start - window.start).days)
    if RESOURCE in scope or length < 1:
        return None
    after = Window(one.measured_from, one.measured_from + timedelta(days=length))
    before = Window(one.start - timedelta(days=length), one.start)
    filters = (*scope.items(), ("currency", (one.currency,)))
    found = whole_changes(CostQuery(after.start, after.end, filters=filters, as_of=pinned.number), before)
    if found is None or one.currency not in found[1]:
        return None
    compared, changes = found
    parts = changes[one.currency].parts
    return divided(add_up(parts[name] for name in PRICES), Decimal((compared.end - compared.start).days))


def untouched(
    scope: Scope, currency: str, window: Window, pinned: Publication, others: Iterable[Scope], *, today: date
) -> dict[costs.Cell, Floats]:
    """The daily cost of every cell that neither this scope nor another initiative's costs anything in, and that is not
    of the same team: there cost that only moved would be found. Days on which it is not known are NaN."""
    known = bills(currency, pinned, today)
    if known is None:
        return {}
    touched = costs.cells([scope], currency, window, pinned)
    for other in others:
        if RESOURCE not in other:  # one resource is little of what a service costs a team
            touched |= costs.cells([other], currency, window, pinned)
    clusters = costs.clusters_by_cell(currency, window, pinned)
    silent = silent_by_cluster(set().union(*clusters.values()), window, pinned)
    return {
        cell: _known(cost, window, known, {day for one in clusters.get(cell, ()) for day in silent.get(one, ())})
        for cell, cost in costs.cells_by_day(currency, window, pinned).items()
        if cell not in touched and cell[0] not in scope.get("team", ())
    }
