"""Limits of rules: the defaults of the table, and what finance or a team set instead."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from apps.alerts.facts import Ask, Limits, Rule
from apps.alerts.models import Threshold
from apps.alerts.rules import BY_NAME, RULES
from apps.finops.errors import CostOpsError
from apps.finops.money import NOTHING, NotAnAmount, parse_amount, plain
from apps.finops.notices import SEVERITIES
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Team

LARGEST = Decimal(10**15)


class BadThreshold(CostOpsError):
    """A threshold cannot be set to this; nothing was changed."""


def ask_of(rule: Rule, now: datetime) -> Ask:
    """What a rule is asked with, by the thresholds in force."""
    found = in_force(rule)
    by_team = {team: one for team, one in found.items() if team}
    return Ask(now, found[""], by_team)


def in_force(rule: Rule) -> dict[str, Limits]:
    """The limits of a rule by team; of all under the empty name."""
    found = {"": Limits(rule.limits, rule.falls)}
    for row in Threshold.objects.filter(rule=rule.name).order_by("pk"):
        found.pop(row.team, None)
        if not row.is_default:
            limits = {name: Decimal(text) for name, text in row.limits.items()}
            found[row.team] = Limits(limits, rule.falls, row.is_on)
        elif not row.team:
            found[""] = Limits(rule.limits, rule.falls)
    return found


def identity() -> str:
    """What alerts depend on besides what is so: the rules and their thresholds."""
    newest = Threshold.objects.order_by("-pk").values_list("pk", flat=True).first()
    return f"{[rule.name for rule in RULES]} {newest}"


def set_limits(
    name: str, given: Mapping[str, str], *, team: str = "", is_on: bool = True, by: Actor, now: datetime
) -> Threshold:
    """Set from where a rule speaks, for a team or for all."""
    rule = _settable(name, team, by)
    limits = {
        severity: _number(severity, given[severity]) for severity in SEVERITIES if given.get(severity, "").strip()
    }
    if set(limits) and not rule.limits:
        raise BadThreshold("This rule has no number to set; it can be switched off.")
    _check_order(rule, limits)
    if is_on and rule.limits and not limits:
        raise BadThreshold("Give at least one number, or switch the rule off.")
    texts = {severity: plain(limit) for severity, limit in limits.items()}
    return Threshold.objects.create(rule=name, team=team, is_on=is_on, limits=texts, by=by.name, at=now)


def reset(name: str, *, team: str = "", by: Actor, now: datetime) -> Threshold:
    """Take the defaults again: of the table, or, for a team, those of all."""
    _settable(name, team, by)
    return Threshold.objects.create(rule=name, team=team, is_default=True, by=by.name, at=now)


def may_set(by: Actor, rule: Rule, team: str) -> bool:
    """Finance for all and for any team; members of a team for it alone, where the rule is by team."""
    return by.teams is None or (rule.by_team and bool(team) and team in by.teams)


def _settable(name: str, team: str, by: Actor) -> Rule:
    rule = BY_NAME.get(name)
    if rule is None:
        raise BadThreshold(f"rule: {name[:20]!r} is not one of {', '.join(BY_NAME)}.")
    if not may_set(by, rule, team):
        raise NotYours("Thresholds are for finance to set, those of a team for its members too.")
    if team and (not rule.by_team or not Team.objects.filter(name=team, is_active=True).exists()):
        raise BadThreshold(f"team: {team[:60]!r} has no thresholds of its own for this rule.")
    return rule


def _number(severity: str, text: str) -> Decimal:
    try:
        number, is_rounded = parse_amount(text)
    except NotAnAmount:
        number, is_rounded = NOTHING, True
    if is_rounded or not 0 <= number <= LARGEST:
        raise BadThreshold(f"{severity}: {text[:20]!r} is no number from 0 on.")
    return number


def _check_order(rule: Rule, limits: Mapping[str, Decimal]) -> None:
    in_order = [limits[severity] for severity in SEVERITIES if severity in limits]
    if in_order != sorted(in_order, reverse=rule.falls) or len(set(in_order)) < len(in_order):
        raise BadThreshold("What is graver begins later: give the numbers in their order.")
