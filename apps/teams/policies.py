"""Policies as the allocation reads them: what becomes of cost that no single team used."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.teams.ownership import Condition

SUBJECTS: dict[str, tuple[str, ...]] = {
    "idle": ("owner", "share", "central"),
    "share": ("proportional", "even", "fixed", "by_driver"),
    "follow": ("invoice", "service", "sub_account", "account", "source"),
    "unused": ("owner", "central"),
    "credits": ("owner", "earners"),
}
"""What a policy is about → the ways it knows: capacity of nodes nobody claimed; pools that many use; charges that
follow other charges (taxes, support, fees); commitments nobody used; credits."""

OF_CHARGES = ("share", "follow", "unused", "credits")
"""The subjects that take up charges of their own. `share` takes up workloads, too."""


@dataclass(frozen=True)
class Policy:
    """What becomes of cost that matches on the days `valid_from` <= day < `valid_to` (open where None).

    `subject` and `how` are of SUBJECTS; `owner` leaves the cost with whom the rules say. It matches like a rule, and
    without any condition everything its subject covers. `split` is the chosen owner of `central`, or the percentages
    of `fixed`, as `ownership.Rule` has them; `teams` are those that share `even`, all that are present when empty;
    `driver` is whose quantities divide `by_driver`.
    """

    name: str
    subject: str
    how: str
    when: "tuple[Condition, ...]" = ()
    any: "tuple[Condition, ...]" = ()
    unless: "tuple[Condition, ...]" = ()
    split: tuple[tuple[str, int], ...] = ()
    teams: tuple[str, ...] = ()
    driver: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def label(self) -> str:
        """What stands in the column `rule` beside cost that it decided."""
        return f"{self.subject}: {self.name}"

    @property
    def conditions(self) -> "tuple[Condition, ...]":
        return (*self.when, *self.any, *self.unless)

    @property
    def pool_of_workloads(self) -> frozenset[str]:
        """A policy speaks of the node pools of idle capacity only (`ownership.Rule.pool_of_workloads`)."""
        return frozenset()

    @property
    def matching(self) -> tuple[object, ...]:
        """Everything that decides whether it matches, but for its days."""
        return self.when, self.any, self.unless

    @property
    def team(self) -> str:
        """The chosen owner of `central`."""
        return self.split[0][0]

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    def overlaps(self, other: "Policy") -> bool:
        """Whether any day is a day of both."""
        first, last = date.min, date.max
        return (self.valid_from or first) < (other.valid_to or last) and (other.valid_from or first) < (
            self.valid_to or last
        )


DATES = ("valid_from", "valid_to")
_CONDITIONS = ("when", "any", "unless")


def to_row(policy: Policy, condition_row: "Callable[[Condition], dict[str, Any]]") -> dict[str, Any]:
    """The policy as JSON can hold it: only what it says."""
    row: dict[str, Any] = {"name": policy.name, "subject": policy.subject, "how": policy.how, "driver": policy.driver}
    row |= {name: [condition_row(one) for one in getattr(policy, name)] for name in _CONDITIONS}
    row |= {"split": [list(part) for part in policy.split], "teams": list(policy.teams)}
    row |= {name: day.isoformat() for name in DATES if (day := getattr(policy, name))}
    return {name: value for name, value in row.items() if value}


def from_row(
    row: Mapping[str, Any], conditions: "Callable[[Sequence[Mapping[str, Any]]], tuple[Condition, ...]]"
) -> Policy:
    """The policy kept by `to_row`."""
    return Policy(
        name=row["name"],
        subject=row["subject"],
        how=row["how"],
        **{name: conditions(row.get(name, [])) for name in _CONDITIONS},
        split=tuple((team, weight) for team, weight in row.get("split", [])),
        teams=tuple(row.get("teams", [])),
        driver=row.get("driver", ""),
        valid_from=_day(row.get("valid_from")),
        valid_to=_day(row.get("valid_to")),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
