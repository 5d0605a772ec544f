"""Who is told of an alert, and in which words: the team or the company first, then ever wider circles."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from apps.alerts.models import Alert
from apps.channels import services
from apps.channels.models import Channel
from apps.channels.recipients import of_company, of_lead, of_team, told_of
from apps.finops.findings import Sentence
from apps.finops.notices import Notice
from apps.teams.models import Team

WAITED = "Nobody acknowledged it for %(hours)s hours"
OVER = "It is no longer so"
TEXTS = (WAITED, OVER)
"""Every sentence, for translation."""

Circle = Callable[[Alert, datetime], list[Channel]]


def circles(alert: Alert) -> tuple[Circle, ...]:
    """The people who are told at first, and those after them while nobody acknowledges it."""
    if _is_of_a_team(alert):
        return _team, _lead, _company
    return _company, _company


def tell(alert: Alert, now: datetime) -> None:
    """Tell the first circle that it is so; repeated, nobody is told twice."""
    first, *_ = circles(alert)
    services.send(notice(alert), to=first(alert, now), now=now)


def tell_more(alert: Alert, circle: int, hours: int, now: datetime) -> None:
    """Tell a further circle that nobody took note."""
    waited = Sentence(WAITED, {"hours": str(hours)})
    plain = notice(alert)
    wider = replace(plain, key=f"{plain.key} escalated {circle}", lines=(waited, *plain.lines))
    services.send(wider, to=circles(alert)[circle](alert, now), now=now)


def tell_over(alert: Alert, now: datetime) -> None:
    """Tell whoever was told of it that it is over."""
    over = replace(notice(alert), key=f"{alert.thread} over", lines=(Sentence(OVER),), is_over=True)
    services.send(over, to=told_of(alert.thread), now=now)


def notice(alert: Alert) -> Notice:
    """What is told of an alert: once in each severity of each opening."""
    return Notice(
        key=f"{alert.thread} {alert.severity}",
        severity=alert.severity,
        title=Sentence(**alert.title),
        lines=tuple(Sentence(**line) for line in alert.lines),
        link=f"/alerts/{alert.pk}/",
        team=alert.team if _is_of_a_team(alert) else "",
        kind=alert.rule,
        thread=alert.thread,
    )


def _is_of_a_team(alert: Alert) -> bool:
    return bool(alert.team) and Team.objects.filter(name=alert.team, is_active=True).exists()


def _team(alert: Alert, now: datetime) -> list[Channel]:
    return of_team(alert.team, now)


def _lead(alert: Alert, _now: datetime) -> list[Channel]:
    return of_lead(alert.team)


def _company(_alert: Alert, now: datetime) -> list[Channel]:
    return of_company(now)
