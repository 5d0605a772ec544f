"""Initiatives that overlap: what they saved together is shared by Shapley values, and never promised twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import numpy as np
from django.db import transaction

from apps.finops.money import add_up, rounded
from apps.finops.windows import Window
from apps.learning.effects.measuring import measure
from apps.learning.effects.sharing import shapley
from apps.learning.effects.study import EffectError, Study
from apps.marts.models import Publication
from apps.savings import costs
from apps.savings.known import SILENT_DAYS
from apps.savings.models import Initiative, Measurement
from apps.savings.scopes import Scope, are_apart
from apps.savings.series import Floats, known_window
from apps.savings.statements import scope_of
from apps.warehouse import fencing

MOST_TOGETHER = 6
"""More initiatives on one cost are shared in proportion to what each saved: their coalitions would be too many."""
WHOLE = Fraction(1)


@dataclass(frozen=True)
class _Player:
    """A verified initiative with what it saved by itself in the days measured."""

    one: Initiative
    newest: Measurement
    scope: Scope
    saving: Decimal

    @property
    def window(self) -> tuple[date, date]:
        return self.newest.start, self.newest.end


def share(pinned: Publication) -> None:
    """Write down of every verified initiative which part of its saving is its own."""
    players = _players()
    alone = {player.one.pk for player in players}
    for group in _groups(players, pinned):
        alone -= {player.one.pk for player in group}
        for player, part in zip(group, shares(group, pinned), strict=True):
            _write(player.newest, part, [other.one.pk for other in group if other is not player])
    for player in players:
        if player.one.pk in alone:
            _write(player.newest, WHOLE, [])


def _players() -> list[_Player]:
    found = []
    for one in Initiative.objects.filter(state=Initiative.State.VERIFIED).order_by("pk"):
        newest = one.measurements.filter(is_final=True).order_by("-pk").first()
        if newest is not None and newest.saving_text:
            found.append(_Player(one, newest, scope_of(one), Decimal(newest.saving_text)))
    return found


def _write(newest: Measurement, part: Fraction, others: list[int]) -> None:
    text = "1" if part == 1 else f"{rounded(part):f}"
    content = {**newest.content, "overlaps": others}
    if newest.share_text != text or newest.content.get("overlaps") != others:
        with transaction.atomic():
            fencing.check()
            Measurement.objects.filter(pk=newest.pk).update(share_text=text, content=content)


def _groups(players: Sequence[_Player], pinned: Publication) -> list[list[_Player]]:
    """Initiatives connected by cost that two of them are about on the same days."""
    groups: list[list[_Player]] = []
    for player in players:
        near = [group for group in groups if any(_overlap(player, other, pinned) for other in group)]
        groups = [group for group in groups if group not in near] + [
            [*(each for group in near for each in group), player]
        ]
    return [group for group in groups if len(group) > 1]


def _overlap(one: _Player, other: _Player, pinned: Publication) -> bool:
    """What is gone costs nothing on the days that are measured: the cost before them tells that both are about it."""
    start, end = max(one.window[0], other.window[0]), min(one.window[1], other.window[1])
    if one.one.currency != other.one.currency or start >= end or are_apart(one.scope, other.scope):
        return False
    before = min(one.one.start, other.one.start) - timedelta(days=SILENT_DAYS)
    return any(costs.daily([one.scope, other.scope], one.one.currency, Window(before, end), pinned).values())


def shares(group: Sequence[_Player], pinned: Publication) -> list[Fraction]:
    """Of each, its part of what it saved by itself, at most all of it: the Shapley value of what coalitions saved.

    A coalition saved what is measured of everything that it is about, and never more than its members by themselves.
    What prices, controls, drivers and moved cost took from its members is taken from it in the same proportion.
    """
    singles = [max(Fraction(0), Fraction(player.saving)) for player in group]
    bare = [_measured([player], pinned) for player in group]

    def joint(coalition: Sequence[int]) -> Fraction:
        most, largest = sum((singles[place] for place in coalition), Fraction(0)), max(singles[at] for at in coalition)
        if len(coalition) == 1:
            return most
        together = _measured([group[place] for place in coalition], pinned)
        apart = [bare[place] for place in coalition]
        if together is None or None in apart or (whole := sum(filter(None, apart), Fraction(0))) <= 0:
            return largest  # what cannot be measured together is not promised twice
        return min(most, max(together * most / whole, largest))

    if len(group) > MOST_TOGETHER:
        return [min(WHOLE, joint(range(len(group))) / sum(singles)) if sum(singles) else WHOLE for _ in group]
    worth = {
        frozenset(map(str, coalition)): float(joint(coalition))
        for size in range(1, len(group) + 1)
        for coalition in combinations(range(len(group)), size)
    }
    values = shapley(worth)
    return [
        min(WHOLE, Fraction(max(0.0, values[f"{place}"])) / single) if single else WHOLE
        for place, single in enumerate(singles)
    ]


def _measured(members: Sequence[_Player], pinned: Publication) -> Fraction | None:
    """What the cost that members are about fell by, from its own history alone; None where that cannot be told."""
    start, end = min(member.one.start for member in members), max(member.window[1] for member in members)
    window = known_window(pinned, start, end)
    if window is None:
        return None
    study = Study(
        days=np.array(list(window.days()), dtype="datetime64[D]"), cost=_union(members, window, pinned), start=start,
        end=end, transition_days=min(member.one.transition_days for member in members),
    )  # fmt: skip
    try:
        return Fraction(measure(study).saving)
    except EffectError:
        return None


def _union(members: Sequence[_Player], window: Window, pinned: Publication) -> Floats:
    """The daily cost of what any of them is about, each part of it once: inclusion and exclusion, exact."""
    signed: dict[date, list[Decimal]] = {}
    for size in range(1, len(members) + 1):
        for some in combinations(members, size):
            for day, amount in costs.daily([each.scope for each in some], some[0].one.currency, window, pinned).items():
                signed.setdefault(day, []).append(amount if size % 2 else amount.copy_negate())
    return np.array([float(add_up(signed.get(day, ()))) for day in window.days()])
