"""The pages of what is idle: the list with its filters and money, and one thing with what speaks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.figures import Figure
from apps.charts.idle import SignalLine, WeekWords, signal_lines, week
from apps.dashboards import naming
from apps.dashboards.paging import Paging, paged
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.finops.findings import Sentence
from apps.finops.windows import ONE_DAY
from apps.insights.idle import selectors
from apps.insights.idle.selectors import Listed
from apps.insights.models import IdleExclusion, IdleFinding, IdleRun
from apps.marts.query import BadQuestion, Scope
from apps.teams.approval import Actor

KINDS: dict[str, Promise] = {
    "namespace": gettext_lazy("namespace"), "workload": gettext_lazy("workload"), "gpu": gettext_lazy("GPUs"),
    "node": gettext_lazy("node"), "volume": gettext_lazy("volume"), "disk": gettext_lazy("disk"),
    "instance": gettext_lazy("server"), "address": gettext_lazy("address"),
    "load_balancer": gettext_lazy("load balancer"), "database": gettext_lazy("database"),
    "snapshot": gettext_lazy("snapshot"), "commitment": gettext_lazy("commitment"),
    "schedule": gettext_lazy("schedule"),
}  # fmt: skip
VERDICTS: dict[str, Promise] = {
    "open": gettext_lazy("Idle, to be decided"), "safe": gettext_lazy("Safe to stop"),
    "review": gettext_lazy("To be reviewed"), "unknown": gettext_lazy("Unknown: no signal"),
    "keep": gettext_lazy("Kept"), "exclude": gettext_lazy("Excluded"), "all": gettext_lazy("All"),
}  # fmt: skip
STATES: dict[str, Promise] = {
    "safe": gettext_lazy("safe to stop"), "review": gettext_lazy("review"), "unknown": gettext_lazy("unknown"),
    "keep": gettext_lazy("kept"), "exclude": gettext_lazy("excluded"),
}  # fmt: skip
DONE: dict[str, Promise] = {
    "exclude": gettext_lazy("excluded"), "keep": gettext_lazy("kept"), "undo": gettext_lazy("undid it for"),
}  # fmt: skip
TAGS = {"safe": "ok", "review": "warning", "unknown": "", "keep": "running", "exclude": ""}
SIGNALS: dict[str, tuple[Promise, str]] = {
    "cpu_peak": (gettext_lazy("CPU"), "%"), "gpu": (gettext_lazy("GPU"), "%"),
    "network": (gettext_lazy("Traffic"), "KB/s"), "disk": (gettext_lazy("Disk"), "KB/s"),
    "requests": (gettext_lazy("Requests"), ""), "connections": (gettext_lazy("Connections"), ""),
    "attached": (gettext_lazy("In use"), ""),
}  # fmt: skip
WEEKDAYS: tuple[Promise, ...] = (
    gettext_lazy("Mon"), gettext_lazy("Tue"), gettext_lazy("Wed"), gettext_lazy("Thu"), gettext_lazy("Fri"),
    gettext_lazy("Sat"), gettext_lazy("Sun"),
)  # fmt: skip


@dataclass(frozen=True)
class IdleRow:
    """One finding in the list; `pick` is how a form names it, '' where the reader may not decide about it."""

    listed: Listed
    title: str
    kind: str
    state: str
    tag: str
    team: str
    url: str
    lines: tuple[str, ...]
    lost: str
    pick: str

    @property
    def finding(self) -> IdleFinding:
        return self.listed.finding


@dataclass(frozen=True)
class IdleList:
    """The list; without `run` nothing was looked at yet. `count` is all that was asked for, `rows` those of a page."""

    run: IdleRun | None
    asked: Mapping[str, str]
    kinds: tuple[tuple[str, Promise], ...] = ()
    verdicts: tuple[tuple[str, Promise], ...] = ()
    teams: tuple[tuple[str, str], ...] = ()
    totals: tuple[tuple[str, Decimal], ...] = ()
    safe: tuple[tuple[str, Decimal], ...] = ()
    rows: tuple[IdleRow, ...] = ()
    count: int = 0
    paging: Paging[Listed] | None = None
    may_decide: bool = False
    may_undo: bool = False
    csv_url: str = ""

    @property
    def last_day(self) -> date | None:
        return self.run.end_day - ONE_DAY if self.run and self.run.end_day else None


@dataclass(frozen=True)
class IdleOne:
    """One thing: a row for each team and currency that pays for it, and its figures."""

    rows: tuple[IdleRow, ...]
    first: IdleRow
    sentences: tuple[str, ...]
    probability: Decimal | None
    windows: tuple[str, ...]
    figures: tuple[FigureLink, ...]
    decisions: tuple[tuple[str, IdleExclusion], ...]
    may_decide: bool
    may_undo: bool


def spoken(sentence: Sentence) -> str:
    """A sentence in the reader's language."""
    return str(Sentence(_(sentence.text), sentence.values))


def read(given: Mapping[str, Any]) -> dict[str, str]:
    """What the address of the list asks for."""
    asked = {name: str(given.get(name, "")) for name in ("kind", "team", "q")} | {
        "verdict": str(given.get("verdict") or "open")
    }
    if asked["kind"] and asked["kind"] not in KINDS:
        raise BadQuestion(_("There is no such kind."))
    if asked["verdict"] not in VERDICTS:
        raise BadQuestion(_("There is no such verdict."))
    return asked


def page(given: Mapping[str, Any], scope: Scope, actor: Actor, *, day: date) -> IdleList:
    """What is idle of what somebody may see and asks for."""
    asked = read(given)
    if not selectors.is_any():
        return IdleList(None, asked)
    run, titles = selectors.newest_run(), naming.directory()
    everything = selectors.listed(run, scope, day=day, verdict="all")
    found = selectors.narrowed(
        everything, kind=asked["kind"], team=asked["team"], verdict=asked["verdict"], text=asked["q"]
    )
    paging = paged(found, {name: str(value) for name, value in given.items()})
    rows = tuple(_row(one, titles, actor) for one in paging.rows)
    here = {one.finding.kind for one in everything}
    teams = sorted({one.finding.team for one in everything})
    return IdleList(
        run=run,
        asked=asked,
        kinds=tuple((kind, title) for kind, title in KINDS.items() if kind in here),
        verdicts=tuple(VERDICTS.items()),
        teams=tuple((team, titles.title(team)) for team in teams),
        totals=tuple(selectors.totals(found).items()),
        safe=tuple(selectors.totals(one for one in found if one.state == "safe").items()),
        rows=rows,
        count=len(found),
        paging=paging,
        may_decide=any(row.pick for row in rows),
        may_undo=any(row.pick and row.listed.decision for row in rows),
        csv_url=f"{reverse('api-idle')}?{urlencode({'format': 'csv'} | {k: v for k, v in asked.items() if v})}",
    )


def first_rows(scope: Scope, actor: Actor, *, team: str, day: date, most: int) -> tuple[IdleRow, ...]:
    """The first rows of what is idle of a team, for a page that leads there."""
    if not selectors.is_any():
        return ()
    titles, found = naming.directory(), selectors.listed(selectors.newest_run(), scope, day=day, team=team)
    return tuple(_row(one, titles, actor) for one in found[:most])


def one(identity: str, scope: Scope, actor: Actor, *, day: date) -> IdleOne:
    """One thing, for somebody who may see it."""
    found = selectors.one(selectors.newest_run(), scope, identity, day=day)
    titles = naming.directory()
    rows = tuple(_row(each, titles, actor) for each in found)
    first = rows[0].finding
    said = IdleExclusion.objects.order_by("-pk")
    mine = tuple(
        (str(DONE[each.decision]), each) for each in said if any(selectors.is_meant(each, row.finding) for row in rows)
    )
    return IdleOne(
        rows=rows,
        first=rows[0],
        sentences=tuple(spoken(line) for line in selectors.sentences(first)),
        probability=None if first.probability is None else Decimal(str(round(100 * first.probability, 2))),
        windows=tuple(_window(*span) for span in first.windows),
        figures=_figures(first),
        decisions=mine,
        may_decide=any(row.pick for row in rows),
        may_undo=any(row.pick and row.listed.decision for row in rows),
    )


def _row(one: Listed, titles: naming.Directory, actor: Actor) -> IdleRow:
    finding = one.finding
    speaks = actor.teams is None or finding.team in actor.teams
    return IdleRow(
        listed=one,
        title=finding.name or finding.subject,
        kind=str(KINDS[finding.kind]),
        state=str(STATES[one.state]),
        tag=TAGS[one.state],
        team=titles.title(finding.team),
        url=reverse("idle-one", args=[finding.identity]),
        lines=tuple(spoken(line) for line in selectors.sentences(finding)),
        lost=spoken(selectors.lost(finding)),
        pick=f"{finding.identity} {finding.team}" if speaks else "",
    )


def picked(picks: list[str], scope: Scope, *, day: date) -> list[Listed]:
    """The rows a form names, among those somebody may see."""
    named = {tuple(pick.split(" ", 1)) for pick in picks}
    found = selectors.listed(selectors.newest_run(), scope, day=day, verdict="all")
    chosen = [each for each in found if (each.finding.identity, each.finding.team) in named]
    once = {(each.finding.identity, each.finding.team): each for each in chosen}
    return list(once.values())


def _window(weekday: int, hour: int, hours: int) -> str:
    """Such as Mon 22:00 – Tue 07:00."""
    end = (24 * weekday + hour + hours) % 168
    return f"{WEEKDAYS[weekday]} {hour:02d}:00 – {WEEKDAYS[end // 24]} {end % 24:02d}:00"


def _figures(finding: IdleFinding) -> tuple[FigureLink, ...]:
    links = []
    for what, title, told in (
        ("activity", _("Activity by day"), finding.activity),
        ("week", _("Hours of the week"), finding.slots),
    ):
        if told:
            url = reverse("figure-idle", args=[finding.identity, what])
            summary = _("; ").join(spoken(line) for line in selectors.sentences(finding))
            links.append(FigureLink(f"figure-idle-{what}", url, title, "", summary))
    return tuple(links)


def figure(identity: str, what: str, scope: Scope, *, day: date) -> Figure | None:
    """A figure of that page; None where there is none that one may see."""
    finding = selectors.one(selectors.newest_run(), scope, identity, day=day)[0].finding
    if what == "activity" and finding.activity:
        return _activity(finding)
    if what == "week" and finding.slots:
        off = [
            ((24 * weekday + hour + ahead) // 24 % 7, (hour + ahead) % 24)
            for weekday, hour, hours in finding.windows
            for ahead in range(hours)
        ]
        words = WeekWords([str(name) for name in WEEKDAYS], _("of the hours active"), _("to be switched off"))
        return week(finding.slots, off, words=words)
    return None


def _activity(finding: IdleFinding) -> Figure:
    count = max(len(values) for values in finding.activity.values())
    end = finding.run.last_hour.date() if finding.run.last_hour else finding.run.end_day
    days = [end - timedelta(days=count - number) for number in range(count)] if end else []
    lines = [
        SignalLine(str(SIGNALS[name][0]), SIGNALS[name][1], finding.signals[name][1], values)
        for name, values in finding.activity.items()
    ]
    return signal_lines(days, lines, floor=_("counts as work"), day_format=str(DAY_FORMAT["day"]))
