"""Alerts as pages show them: those at hand, one with its history and who was told, and thresholds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts import limits, selectors
from apps.alerts.facts import Rule
from apps.alerts.models import Alert, AlertStep, Threshold
from apps.alerts.people import may_acknowledge
from apps.alerts.rules import NAMES, RULES, title_of
from apps.alerts.selectors import STATES, Reader, Wanted
from apps.channels.letters import SEVERITY_WORDS
from apps.channels.models import Channel, Message
from apps.channels.selectors import about
from apps.dashboards import naming
from apps.dashboards.channeling import MESSAGE_TONES, MESSAGE_WORDS, called
from apps.dashboards.telling import said
from apps.finops.notices import SEVERITIES
from apps.marts.query import BadQuestion
from apps.teams.approval import Actor
from apps.teams.models import Team
from apps.warehouse.sentences import told_of

MOST = 200
MARKS = {"info": "●", "warning": "◆", "critical": "▲"}
TONES = {"info": "running", "warning": "warning", "critical": "error"}
STATE_WORDS: dict[str, Promise] = {
    "current": gettext_lazy("still so"),
    "open": gettext_lazy("to be acknowledged"),
    "acknowledged": gettext_lazy("acknowledged"),
    "resolved": gettext_lazy("over"),
    "any": gettext_lazy("any state"),
}
STEPS: dict[str, Promise] = {
    "open": gettext_lazy("opened it"),
    "raise": gettext_lazy("raised it"),
    "reopen": gettext_lazy("opened it again"),
    "resolve": gettext_lazy("found it over"),
    "acknowledge": gettext_lazy("acknowledged it"),
    "escalate": gettext_lazy("told further people, for nobody acknowledged it"),
}


@dataclass(frozen=True)
class Severity:
    """A severity by shape, word and tone."""

    mark: str
    word: str
    tone: str


@dataclass(frozen=True)
class Line:
    """An alert in a list."""

    one: Alert
    title: str
    rule: str
    team: str
    severity: Severity
    state: str
    may_acknowledge: bool


@dataclass(frozen=True)
class AlertsPage:
    """What asks for attention."""

    wanted: Wanted
    lines: tuple[Line, ...]
    more: int
    states: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str], ...]
    teams: tuple[tuple[str, str], ...]
    severities: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HistoryLine:
    """One thing that happened."""

    step: AlertStep
    by: str
    told: str
    why: str
    severity: Severity


@dataclass(frozen=True)
class ToldLine:
    """A channel that was told, and what became of it."""

    channel: Channel
    whom: str
    kind: str
    message: Message
    state: str
    tone: str


@dataclass(frozen=True)
class OnePage:
    """One alert."""

    line: Line
    sentences: tuple[str, ...]
    same: tuple[Line, ...]
    history: tuple[HistoryLine, ...]
    told: tuple[ToldLine, ...]


@dataclass(frozen=True)
class RuleLine:
    """A rule with its limits; `numbers` by severity as text, `is_own` where they are not the defaults."""

    rule: Rule
    numbers: tuple[tuple[str, str, str], ...]
    is_on: bool
    is_own: bool
    changed: Threshold | None
    may_set: bool


@dataclass(frozen=True)
class RulesPage:
    """Thresholds of all, or of a team."""

    team: str
    teams: tuple[tuple[str, str], ...]
    lines: tuple[RuleLine, ...]


def severity(name: str) -> Severity:
    return Severity(MARKS[name], str(SEVERITY_WORDS[name]), TONES[name])


def asked(given: Mapping[str, str]) -> Wanted:
    """The filters of an address; what cannot be is refused by name."""
    wanted = Wanted(**{name: given[name] for name in ("state", "rule", "team", "severity") if given.get(name)})
    for name, choices in (("state", STATES), ("rule", ("", *NAMES)), ("severity", ("", *SEVERITIES))):
        if getattr(wanted, name) not in choices:
            raise BadQuestion(
                f"{name}: {getattr(wanted, name)[:40]!r} is not one of {', '.join(filter(None, choices))}"
            )
    return wanted


def alerts(reader: Reader, actor: Actor, wanted: Wanted) -> AlertsPage:
    """What somebody looks for."""
    found, titles = selectors.alerts(reader, wanted), naming.directory()
    teams = set(selectors.seen_by(reader).exclude(team="").values_list("team", flat=True))
    return AlertsPage(
        wanted=wanted,
        lines=tuple(_line(one, titles, actor) for one in found[:MOST]),
        more=max(0, len(found) - MOST),
        states=tuple((name, str(word)) for name, word in STATE_WORDS.items()),
        rules=tuple((rule.name, str(rule.title)) for rule in RULES),
        teams=tuple(sorted(((team, titles.title(team)) for team in teams), key=lambda pair: pair[1])),
        severities=tuple((name, str(SEVERITY_WORDS[name])) for name in SEVERITIES),
    )


def lines_of(found: Iterable[Alert], actor: Actor) -> tuple[Line, ...]:
    """Alerts as lines, for a page that leads to them."""
    titles = naming.directory()
    return tuple(_line(one, titles, actor) for one in found)


def _line(one: Alert, titles: naming.Directory, actor: Actor) -> Line:
    return Line(
        one=one,
        title=told_of(one.title),
        rule=title_of(one.rule),
        team=titles.title(one.team) if one.team else _("the company"),
        severity=severity(one.severity),
        state=str(STATE_WORDS[one.state]),
        may_acknowledge=one.state == Alert.State.OPEN and may_acknowledge(actor, one),
    )


def page(one: Alert, actor: Actor) -> OnePage:
    """One alert, for somebody who may know of it."""
    titles = naming.directory()
    return OnePage(
        line=_line(one, titles, actor),
        sentences=tuple(said(told_of(line)) for line in one.lines),
        same=tuple(_line(other, titles, actor) for other in selectors.about_the_same(one)),
        history=tuple(_history(step) for step in one.steps.order_by("pk")),
        told=tuple(_told(message) for message in about(one.thread)),
    )


def _history(step: AlertStep) -> HistoryLine:
    told = str(STEPS.get(step.action, step.action))
    return HistoryLine(step, step.by or "CostOps", told, step.note, severity(step.severity))


def _told(message: Message) -> ToldLine:
    whom, kind = called(message.channel)
    return ToldLine(
        message.channel, whom, kind, message, str(MESSAGE_WORDS[message.state]), MESSAGE_TONES[message.state]
    )


def thresholds(actor: Actor, team: str) -> RulesPage:
    """Thresholds in force for all (no team), or for a team."""
    own = Team.objects.filter(is_active=True).order_by("title", "name")
    if actor.teams is not None:
        own = own.filter(name__in=actor.teams)
    teams = tuple((one.name, str(one)) for one in own)
    if team and team not in dict(teams):
        raise BadQuestion(f"team: {team[:60]!r} is no team of yours")
    rules = [rule for rule in RULES if rule.by_team or not team]
    return RulesPage(team, teams, tuple(_rule_line(rule, team, actor) for rule in rules))


def _rule_line(rule: Rule, team: str, actor: Actor) -> RuleLine:
    in_force = limits.in_force(rule)
    chosen = in_force.get(team, in_force[""])
    newest = Threshold.objects.filter(rule=rule.name, team=team).order_by("-pk").first()
    numbers = tuple(
        (name, str(SEVERITY_WORDS[name]), f"{chosen.by_severity[name]:f}" if name in chosen.by_severity else "")
        for name in SEVERITIES
    )
    return RuleLine(
        rule=rule,
        numbers=numbers if rule.limits else (),
        is_on=chosen.is_on,
        is_own=newest is not None and not newest.is_default,
        changed=newest,
        may_set=limits.may_set(actor, rule, team),
    )


def set_threshold(given: Mapping[str, str], *, by: Actor, now: datetime) -> None:
    """What a form of the page asks for."""
    rule, team = given.get("rule", ""), given.get("team", "")
    if given.get("action") == "reset":
        limits.reset(rule, team=team, by=by, now=now)
    else:
        limits.set_limits(rule, given, team=team, is_on=given.get("is_on") != "no", by=by, now=now)
