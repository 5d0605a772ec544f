"""Policies on trial: how much cost each of them decides, of days that are known."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.allocation.trial import attributed
from apps.finops.money import add_up
from apps.finops.tables import MONEY
from apps.finops.windows import Window
from apps.teams.ownership import OF_CLUSTERS, RuleBook
from apps.teams.policies import Policy
from apps.warehouse.engine import rows_of


@dataclass(frozen=True)
class PolicyUse:
    """The effective cost that a policy gave to teams in a window, by currency, and how many teams received it."""

    policy: Policy
    cost: dict[str, Decimal]
    teams: int

    def verdict(self, window: Window) -> str:
        if self.cost:
            return ""
        if not any(self.policy.is_valid_on(day) for day in window.days()):
            return "not valid then"
        return "leaves cost where it is" if self.policy.how == "owner" else "decides nothing"


def use(window: Window, book: RuleBook) -> tuple[PolicyUse, ...]:
    """What each policy of a book does in a window, in the book's order; shared namespaces come last, and after them
    OF_CLUSTERS where it does anything."""
    amounts: dict[tuple[int, str], list[Decimal]] = defaultdict(list)
    teams: dict[int, set[str]] = defaultdict(set)
    policies = book.all_policies
    for rows in attributed(window, book):
        keys = ["day", "rule", "team", "currency"]
        summed = rows.group_by(keys).aggregate(cost=rows.effective_cost.sum().cast(MONEY))
        for day, rule, team, currency, cost in rows_of(summed.filter(summed.rule.contains(": "))):
            number = _decided(policies, rule, day)
            if number is not None:
                amounts[number, currency].append(cost)
                teams[number].add(team)
    return tuple(
        PolicyUse(
            policy=policy,
            cost={currency: add_up(found) for (its, currency), found in sorted(amounts.items()) if its == number},
            teams=len(teams[number]),
        )
        for number, policy in enumerate(policies)
        if policy != OF_CLUSTERS or teams[number]
    )


def _decided(policies: tuple[Policy, ...], rule: str, day: date) -> int | None:
    """The policy whose name stands in `rule`, of its versions that of the day; a driver's version may follow."""
    for number, policy in enumerate(policies):
        is_named = rule == policy.label or (policy.driver and rule.startswith(f"{policy.label} ("))
        if is_named and policy.is_valid_on(day):
            return number
    return None
