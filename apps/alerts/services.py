"""Alerts are opened, updated, raised, resolved and reopened by what is so now; each is told once."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Q

from apps.alerts import limits
from apps.alerts.facts import Fact, Rule
from apps.alerts.models import Alert, AlertStep, RuleCheck
from apps.alerts.rules import RULES
from apps.alerts.telling import tell, tell_over
from apps.finops.errors import CostOpsError
from apps.finops.notices import at_least
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.warehouse import fencing
from apps.warehouse.sentences import kept

logger = logging.getLogger(__name__)

State = Alert.State
MACHINE = ""
AHEAD = timedelta(hours=1)
"""A check that lies ahead by more is of a clock that was wrong, and counts for none; a slow worker comes earlier."""


def check(*, now: datetime, rules: Iterable[Rule] = RULES) -> StepResult:
    """Look at what is so now and bring the alerts in line with it; doing so again changes nothing."""
    problems: list[Problem] = []
    rows = 0
    for rule in rules:
        try:
            ask = limits.ask_of(rule, now)
            found = tuple(rule.facts(ask)) if ask.limits.is_on or ask.by_team else ()
        except CostOpsError as missing:
            problems.append(Problem("note", "not_looked", rule.name, f"{missing} What was so before stays."))
            continue
        except SoftTimeLimitExceeded:  # the time of the whole task is up, for no fault of this rule
            raise
        except Exception as fault:  # a fault of one rule silences no other; it is logged whole and told as an error
            logger.exception("rule %s: failed", rule.name)
            problems.append(Problem("error", "crashed", rule.name, f"{type(fault).__name__}; see the log."))
            continue
        rows += len(found)
        apply(rule.name, found, now)
    return StepResult(rows=rows, problems=tuple(problems))


def check_due(*, now: datetime) -> StepResult:
    """The same for the rules whose time has come."""
    checked = dict(RuleCheck.objects.values_list("rule", "checked_at"))
    due = [rule for rule in RULES if (last := checked.get(rule.name)) is None or abs(now - last) >= rule.every]
    return check(now=now, rules=due)


def apply(rule: str, found: Iterable[Fact], now: datetime) -> bool:
    """Bring the alerts of a rule in line with all that was so at a moment; False when later news was applied already.

    Workers apply a rule one after another, each in one transaction with what it tells.
    """
    RuleCheck.objects.get_or_create(rule=rule)
    with transaction.atomic():
        fencing.check()
        last = RuleCheck.objects.select_for_update().get(rule=rule)
        if last.checked_at is not None and now < last.checked_at <= now + AHEAD:
            return False
        RuleCheck.objects.filter(pk=last.pk).update(checked_at=now)
        facts = tuple(found)
        may_count = ~Q(state=State.RESOLVED) | Q(subject__in={fact.subject[:200] for fact in facts})
        known = {(one.subject, one.period): one for one in Alert.objects.filter(may_count, rule=rule)}
        seen = set()
        for fact in facts:
            key = fact.subject[:200], fact.period[:60]
            if key not in seen:
                seen.add(key)
                _keep(rule, key, fact, known.get(key), now)
        for key, one in known.items():
            if key not in seen and one.state != State.RESOLVED:
                _resolve(one, now)
    return True


def _keep(rule: str, key: tuple[str, str], fact: Fact, one: Alert | None, now: datetime) -> None:
    if one is None:
        facts = _facts(fact) | {"severity": fact.severity, "opened_at": now, "raised_at": now, "seen_at": now}
        one = Alert.objects.create(rule=rule, subject=key[0], period=key[1], **facts)
        _tell(one, "open", now)
    elif one.state == State.RESOLVED:
        again = {
            "state": State.OPEN, "severity": fact.severity, "opening": one.opening + 1, "escalated": 0,
            "opened_at": now, "raised_at": now, "resolved_at": None, "acknowledged_by": "", "acknowledged_at": None,
        }  # fmt: skip
        _change(one, _facts(fact) | again | {"seen_at": now})
        _tell(one, "reopen", now)
    elif one.severity != fact.severity and at_least(fact.severity, one.severity):
        raised = {
            "state": State.OPEN, "severity": fact.severity, "escalated": 0, "raised_at": now, "acknowledged_by": "",
            "acknowledged_at": None,
        }  # fmt: skip
        _change(one, _facts(fact) | raised | {"seen_at": now})
        _tell(one, "raise", now)
    else:
        _change(one, _facts(fact) | {"seen_at": now})


def _facts(fact: Fact) -> dict[str, Any]:
    return {
        "team": fact.team, "title": kept(fact.title), "lines": [kept(line) for line in fact.lines], "link": fact.link,
    }  # fmt: skip


def _change(one: Alert, facts: dict[str, Any]) -> None:
    Alert.objects.filter(pk=one.pk).update(**facts)
    for name, value in facts.items():
        setattr(one, name, value)


def _tell(one: Alert, action: str, now: datetime) -> None:
    AlertStep.objects.create(alert=one, at=now, by=MACHINE, action=action, severity=one.severity)
    tell(one, now)


def _resolve(one: Alert, now: datetime) -> None:
    _change(one, {"state": State.RESOLVED, "resolved_at": now})
    AlertStep.objects.create(alert=one, at=now, by=MACHINE, action="resolve", severity=one.severity)
    tell_over(one, now)
