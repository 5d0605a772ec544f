"""Anomalies as pages show them: the list with its filters, and one with its figure, cause and answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import colours
from apps.charts.departure import DepartureDay, DepartureWords, departure
from apps.charts.figures import Figure
from apps.dashboards import naming
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.insights.anomalies import selectors
from apps.insights.anomalies.selectors import Seen
from apps.insights.models import Anomaly, AnomalyFeedback, AnomalyRun
from apps.marts.query import BadQuestion, Scope
from apps.teams.approval import Actor

MOST = 200
LEVELS: dict[str, Promise] = {
    "total": gettext_lazy("All cost"), "team": gettext_lazy("Team"), "service": gettext_lazy("Service"),
    "cluster": gettext_lazy("Cluster"), "namespace": gettext_lazy("Namespace"),
    "team_service": gettext_lazy("Team and service"),
}  # fmt: skip
STATES: dict[str, Promise] = {
    "open": gettext_lazy("going on"), "over": gettext_lazy("over"), "reviewed": gettext_lazy("answered"),
}  # fmt: skip
TONES = {"open": "warning", "over": "", "reviewed": "ok"}
KINDS: dict[tuple[str, bool], Promise] = {
    ("spike", True): gettext_lazy("spike"), ("step", True): gettext_lazy("step up"),
    ("drift", True): gettext_lazy("drift up"), ("step", False): gettext_lazy("step down"),
    ("drop", False): gettext_lazy("drop"),
}  # fmt: skip
MEASURES: dict[str, Promise] = {
    "cost": gettext_lazy("cost"), "cpu": gettext_lazy("cores"), "memory": gettext_lazy("memory"),
    "gpu": gettext_lazy("GPUs"), "volumes": gettext_lazy("volumes"),
}  # fmt: skip
UNITS: dict[str, Promise] = {
    "core-hours": gettext_lazy("core-hours"), "GiB-hours": gettext_lazy("GiB-hours"),
    "GPU-hours": gettext_lazy("GPU-hours"),
}  # fmt: skip
"""Units of usage; those of cost are currencies."""
VERDICTS: dict[str, Promise] = {
    "expected": gettext_lazy("Expected"), "false_alarm": gettext_lazy("False alarm"),
    "planned": gettext_lazy("Planned"), "confirmed": gettext_lazy("Confirmed"),
}  # fmt: skip
VERDICT_MEANINGS: dict[str, Promise] = {
    "expected": gettext_lazy("as it should be"), "false_alarm": gettext_lazy("nothing happened"),
    "planned": gettext_lazy("we did this"), "confirmed": gettext_lazy("it is one; look into it"),
}  # fmt: skip


@dataclass(frozen=True)
class AnomalyLine:
    """One anomaly in the list; `so_far` and `month_end` are what it came and will come to beyond what was expected, in
    the `unit`."""

    found: Anomaly
    title: str
    unit: str
    url: str
    kind: str
    level: str
    measure: str
    state: str
    tone: str
    so_far: Decimal
    month_end: Decimal
    answer: str
    cause: str


@dataclass(frozen=True)
class AnomaliesPage:
    """The list; without `run` nothing was looked through yet. `detectors` say who looks after what, and how well."""

    run: AnomalyRun | None
    lines: tuple[AnomalyLine, ...] = ()
    more: int = 0
    open_count: int = 0
    at_stake: tuple[tuple[str, Decimal], ...] = ()
    teams: tuple[tuple[str, str], ...] = ()
    team: str = ""
    levels: tuple[tuple[str, Promise], ...] = ()
    level: str = ""
    states: tuple[tuple[str, Promise], ...] = ()
    state: str = ""
    detectors: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnomalyPage:
    """One anomaly."""

    line: AnomalyLine
    bounds: tuple[Decimal, Decimal]
    month_bounds: tuple[Decimal, Decimal]
    sentence: str
    dimension: str
    parts: tuple[tuple[str, Decimal, Decimal], ...]
    said: tuple[tuple[AnomalyFeedback, str], ...]
    figure: FigureLink
    verdicts: tuple[tuple[str, Promise, Promise], ...]
    may_say: bool


def page(given: Mapping[str, Any], scope: Scope) -> AnomaliesPage:
    """The anomalies an address asks for, open ones first and of these the most money."""
    if not selectors.is_any():
        return AnomaliesPage(None)
    run, titles = selectors.newest_run(), naming.directory()
    every = selectors.anomalies(run, scope)
    asked = {name: str(given.get(name, "")) for name in ("team", "level", "state")}
    _check(asked)
    shown = [one for one in every if _fits(one, asked)]
    owners = sorted({one.anomaly.owner for one in every} - {""} | ({asked["team"]} - {""}))
    return AnomaliesPage(
        run=run,
        lines=tuple(_line(one, titles) for one in shown[:MOST]),
        more=max(0, len(shown) - MOST),
        open_count=sum(one.state == "open" for one in every),
        at_stake=_at_stake(every),
        teams=tuple((team, titles.title(team)) for team in owners),
        levels=tuple(LEVELS.items()),
        states=tuple(STATES.items()),
        detectors=tuple(_detector(told) for told in run.detectors if scope.teams is None),
        **asked,
    )


def first_lines(scope: Scope, *, team: str, most: int) -> tuple[AnomalyLine, ...]:
    """The first open anomalies of a team, for a page that leads there."""
    if not selectors.is_any():
        return ()
    titles, found = naming.directory(), selectors.anomalies(selectors.newest_run(), scope, team=team, state="open")
    return tuple(_line(one, titles) for one in found[:most])


def detail(one: Seen, actor: Actor) -> AnomalyPage:
    """One anomaly with everything that is known of it."""
    found, titles = one.anomaly, naming.directory()
    line = _line(one, titles)
    cause = found.cause
    return AnomalyPage(
        line=line,
        bounds=(Decimal(found.so_far_low), Decimal(found.so_far_high)),
        month_bounds=(Decimal(found.month_end_low), Decimal(found.month_end_high)),
        sentence=_sentence(found),
        dimension=str(LEVELS.get(cause["dimension"], "")),
        parts=tuple(
            (_part(cause["dimension"], key, titles), Decimal(amount), Decimal(str(round(share * 100, 2))))
            for key, amount, share in cause["parts"]
        ),
        said=tuple((row, str(VERDICTS[row.verdict])) for row in reversed(selectors.told_of(found))),
        figure=FigureLink(
            "figure-anomaly", reverse("figure-anomaly", args=[found.slug]), line.title, line.unit, _sentence(found)
        ),
        verdicts=tuple((key, title, VERDICT_MEANINGS[key]) for key, title in VERDICTS.items()),
        may_say=actor.teams is None or found.owner in actor.teams,
    )


def figure(one: Seen) -> Figure:
    """The days of an anomaly, beside what was expected."""
    found = one.anomaly
    days = [DepartureDay(date.fromisoformat(day[0]), *(float(amount) for amount in day[1:])) for day in found.days]
    colour = naming.directory().colour(found.owner) if found.owner else colours.KINDS["direct"]
    actual = _("Cost") if found.measure == "cost" else str(MEASURES[found.measure])
    words = DepartureWords(actual, _("What was expected"), _("95 of 100 cases"), _("First day"))
    return departure(days, colour=colour, unit=_unit(found.unit), words=words, day_format=str(DAY_FORMAT["day"]))


def _check(asked: Mapping[str, str]) -> None:
    if asked["level"] not in ("", *LEVELS) or asked["state"] not in ("", *STATES):
        raise BadQuestion(_("There is no such level or state."))


def _fits(one: Seen, asked: Mapping[str, str]) -> bool:
    values = {"team": one.anomaly.owner, "level": one.anomaly.level, "state": one.state}
    return all(not wanted or values[name] == wanted for name, wanted in asked.items())


def _at_stake(every: list[Seen]) -> tuple[tuple[str, Decimal], ...]:
    """By currency what open anomalies will have cost beyond what was expected when the month ends."""
    sums: dict[str, Decimal] = {}
    for one in every:
        found = one.anomaly
        if one.state == "open" and found.measure == "cost" and found.is_upward:
            sums[found.unit] = sums.get(found.unit, Decimal(0)) + Decimal(found.month_end)
    return tuple(sorted(sums.items()))


def _line(one: Seen, titles: naming.Directory) -> AnomalyLine:
    found = one.anomaly
    return AnomalyLine(
        found=found, title=_title(found, titles), unit=_unit(found.unit), url=reverse("anomaly", args=[found.slug]),
        kind=str(KINDS[found.kind, found.is_upward]), level=str(LEVELS[found.level]),
        measure=str(MEASURES[found.measure]), state=str(STATES[one.state]), tone=TONES[one.state],
        so_far=one.so_far, month_end=Decimal(found.month_end),
        answer=str(VERDICTS[one.said.verdict]) if one.said else "", cause=_short(found, titles),
    )  # fmt: skip


def _unit(unit: str) -> str:
    return str(UNITS.get(unit, unit))


def _title(found: Anomaly, titles: naming.Directory) -> str:
    named = [titles.title(found.team) if found.team else "", found.service, found.cluster, found.namespace]
    said = " · ".join(part for part in named if part)
    return said or (_("All cost") if found.measure == "cost" else _("All usage"))


def _part(dimension: str, key: str, titles: naming.Directory) -> str:
    return titles.title(key) if dimension == "team" else naming.called(dimension, key)


def _short(found: Anomaly, titles: naming.Directory) -> str:
    """What moved, in half a line."""
    cause = found.cause
    if cause["parts"]:
        key, _amount, share = cause["parts"][0]
        facts = {"share": f"{min(share, 1):.0%}".replace("%", " %"), "part": _part(cause["dimension"], key, titles)}
        return _("%(share)s of it: %(part)s") % facts
    return str(DRIVERS.get(cause["driver"], ""))


DRIVERS: dict[str, Promise] = {
    "usage": gettext_lazy("usage moved"), "price": gettext_lazy("price moved"),
}  # fmt: skip


def _sentence(found: Anomaly) -> str:
    """What happened, and whether usage or price did it."""
    facts = {
        "actual": written.money(Decimal(found.actual)), "expected": written.money(Decimal(found.expected)),
        "unit": _unit(found.unit), "first": written.day(found.first_day), "last": written.day(found.last_day),
        "seen": written.day(found.seen_day),
    }  # fmt: skip
    said = (
        _("%(actual)s %(unit)s from %(first)s to %(last)s where %(expected)s were expected; seen on %(seen)s.") % facts
    )
    cause = found.cause
    if not cause["driver"] or cause["usage_change"] is None or cause["change"] is None:
        return said
    moved = {
        "cost": written.change_percent(_hundredths(cause["change"])), "measure": str(MEASURES[cause["usage"]]),
        "usage": written.change_percent(_hundredths(cause["usage_change"])),
    }  # fmt: skip
    if cause["driver"] == "usage":
        why = _("Usage moved with it: cost %(cost)s, %(measure)s %(usage)s.") % moved
    else:
        why = _("Usage did not move with it: cost %(cost)s, %(measure)s %(usage)s; it is the price.") % moved
    return f"{said} {why}"


def _hundredths(share: float) -> Decimal:
    return Decimal(str(round(share * 100, 2)))


def _detector(told: Mapping[str, Any]) -> str:
    """Who looks after a measure, and why."""
    facts = {"measure": str(MEASURES[told["measure"]]), "unit": _unit(told["unit"]), "series": told["series"]}
    if told["model"] is None or told["rule"] is None:
        text = _(
            "%(measure)s (%(unit)s): a fixed rule looks after %(series)s series; there is too little to learn from yet."
        )
        return text % facts
    facts |= {name: f"{told[name]['f1']:.2f}" for name in ("model", "rule")}
    facts["false"] = f"{told['rule' if told['is_rule'] else 'model']['false_per_thousand']:.2f}"
    if told["is_rule"]:
        text = _(
            "%(measure)s (%(unit)s): a fixed rule looks after %(series)s series: what was learned did not beat it on "
            "injected anomalies (F1 %(model)s, rule %(rule)s; %(false)s false alerts in 1,000 series-days)."
        )
    else:
        text = _(
            "%(measure)s (%(unit)s): %(series)s series, learned from injected anomalies (F1 %(model)s, a fixed rule "
            "%(rule)s; %(false)s false alerts in 1,000 series-days)."
        )
    return text % facts
