"""A change known ahead, and what it is to every series."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.teams.models import UNALLOCATED

USUAL_DAYS = 28
"""What something usually costs is told by so many days before the change."""
FOLLOWED_DAYS = 28
"""With so many complete days of a change, history tells it by itself."""
PLACES = {"team": 0, "service": 1, "cluster": 2}
Share = tuple[str, str, str, Decimal]
"""Team, service and cluster, and what they cost on the usual days."""


@dataclass(frozen=True)
class Known:
    """From `first_day` on a day costs `per_day` more, or by `percent` more, of the team and service where named.

    `mix` is what everything cost before: it divides the change among teams, services and clusters.
    """

    kind: str
    first_day: date
    team: str = ""
    service: str = ""
    per_day: Decimal | None = None
    percent: Decimal | None = None
    note: str = ""
    ref: str = ""
    mix: tuple[Share, ...] = ()

    def is_open(self, end: date) -> bool:
        """Whether history of the days before `end` does not tell it by itself yet."""
        return (end - self.first_day).days < FOLLOWED_DAYS

    def on(self, level: str, keys: Iterable[str]) -> tuple[float, float]:
        """What the change is to a series, the sum of some keys of a level: (amount per day, factor)."""
        mine = self._rows(level, frozenset(keys))
        concerned = [share for share in self.mix if self._concerns(share)]
        if self.percent is not None:
            whole = _sum(mine)
            part = _sum(share for share in mine if self._concerns(share))
            return 0.0, 1 + float(self.percent) / 100 * (part / whole if whole > 0 else 0.0)
        if self.per_day is None:
            return 0.0, 1.0
        whole = _sum(concerned)
        if whole <= 0:  # nothing of it was ever charged: it will stand where it is planned
            return (float(self.per_day) if self._is_of(self._planned, level, frozenset(keys)) else 0.0), 1.0
        return float(self.per_day) * _sum(share for share in mine if self._concerns(share)) / whole, 1.0

    def stands_in(self) -> list[tuple[str, str]]:
        """Where an amount is told that nothing was ever charged for."""
        if self.per_day is None or any(self._concerns(share) for share in self.mix):
            return []
        team, service, cluster, _ = self._planned
        return [("team", team), ("service", service), ("cluster", cluster)]

    @property
    def _planned(self) -> Share:
        return (self.team or UNALLOCATED, self.service, "", Decimal(1))

    def _concerns(self, share: Share) -> bool:
        return (not self.team or share[0] == self.team) and (not self.service or share[1] == self.service)

    def _rows(self, level: str, keys: frozenset[str]) -> list[Share]:
        return [share for share in self.mix if self._is_of(share, level, keys)]

    @staticmethod
    def _is_of(share: Share, level: str, keys: frozenset[str]) -> bool:
        return level == "total" or share[PLACES[level]] in keys


def _sum(shares: Iterable[Share]) -> float:
    return float(sum(share[3] for share in shares))
