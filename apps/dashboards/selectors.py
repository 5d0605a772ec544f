"""What the pages of cost show: every number is an answer of the marts, added up and put in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from apps.dashboards import naming, trends
from apps.dashboards.asking import Asked
from apps.dashboards.lines import ZERO, Key, Line, Name, Part, Table, build_table, hundredths, movers, parts_of
from apps.marts import selectors as marts
from apps.marts.query import Answer, PublicationFacts
from apps.teams.models import UNALLOCATED, Team

MOVERS = 10


@dataclass(frozen=True)
class Headline:
    """The first thing a page says: the total of a period, its change, and its kinds."""

    line: Line
    parts: tuple[Part, ...]
    per_day: Decimal


@dataclass(frozen=True)
class Section:
    """A table with its title, the name of its first column, and where the same rows are to be had as CSV."""

    title: str
    column: str
    table: Table
    csv_url: str


@dataclass(frozen=True)
class CostPage:
    """What every page of cost shows."""

    asked: Asked
    facts: PublicationFacts
    currencies: tuple[str, ...]
    headline: Headline
    figures: tuple[trends.FigureLink, ...]
    sections: tuple[Section, ...]
    movers: tuple[Line, ...] = ()


def settle(asked: Asked, **filters: str) -> tuple[Asked, tuple[str, ...]]:
    """The question with a currency: the one asked for where it occurs, else the first; and all that occur."""
    found = {**marts.answer(asked.query(**filters)).totals, **marts.answer(asked.earlier.query(**filters)).totals}
    currencies = tuple(sorted({*found, *([asked.currency] if asked.currency else [])}))
    return asked.settled(asked.currency or next(iter(currencies), "")), currencies


def costs(asked: Asked, *groups: str, **filters: str) -> tuple[Answer, dict[Key, Decimal]]:
    """The answer by groups, and its amounts in the chosen currency."""
    found = marts.answer(asked.query(*groups, **filters))
    return found, {row[:-2]: row[-1] for row in found.rows if row[-2] == asked.currency}


def csv_url(asked: Asked, *groups: str, **filters: str) -> str:
    """The same rows from the REST API, exact to the last decimal."""
    params = {
        "metric": asked.metric, "group_by": ",".join(groups), "start": asked.window.start.isoformat(),
        "end": asked.window.end.isoformat(), "as_of": str(asked.publication), "format": "csv",
    }  # fmt: skip
    return f"/api/v1/costs/?{urlencode(params | {name: _listed(value) for name, value in filters.items()})}"


def _listed(value: str) -> str:
    """A value in a comma-separated list: quoted where it would read as several."""
    quoted = value.replace('"', '""')
    return f'"{quoted}"' if any(mark in value for mark in ',"') else value


def _headline(now: Mapping[Key, Decimal], before: Mapping[Key, Decimal], asked: Asked) -> Headline:
    """From costs by (…, kind)."""
    line = build_table(now, before, name=lambda _key: Name(""), limit=0).total
    days = (asked.window.end - asked.window.start).days
    return Headline(line=line, parts=parts_of(line.by_kind), per_day=line.cost / days)


def overview(asked: Asked) -> CostPage:
    """The cost of all teams the viewer may see."""
    asked, currencies = settle(asked)
    teams = naming.directory()
    answered, now = costs(asked, "team", "kind")
    _answer, before = costs(asked.earlier, "team", "kind")
    table = build_table(now, before, name=naming.team_namer(asked, teams), limit=200)
    return CostPage(
        asked=asked,
        facts=answered.publication,
        currencies=currencies,
        headline=_headline(now, before, asked),
        figures=(
            trends.link(asked, "team", _largest(table)),
            trends.link(asked, "kind", _by_kind(table)),
        ),
        sections=(Section(_("Teams"), _("Team"), table, csv_url(asked, "team", "kind")),),
        movers=_movers(asked, teams),
    )


def _movers(asked: Asked, teams: naming.Directory, **filters: str) -> tuple[Line, ...]:
    groups = ("team", "cluster", "namespace", "service")
    _answer, now = costs(asked, *groups, **filters)
    _answer, before = costs(asked.earlier, *groups, **filters)
    return movers(now, before, name=naming.mover_namer(asked, teams), limit=MOVERS)


@dataclass(frozen=True)
class TeamPage(CostPage):
    """The cost of one team, and who it is."""

    team: str = ""
    title: str = ""
    about: Team | None = None


def team(asked: Asked, name: str) -> TeamPage | None:
    """The cost of one team; None where there is no such team for the viewer."""
    about = Team.objects.filter(name=name).first()
    if not asked.scope.allows(name):
        return None
    asked, currencies = settle(asked, team=name)
    if about is None and name != UNALLOCATED and not currencies:
        return None
    teams = naming.directory()
    answered, now = costs(asked, "cluster", "namespace", "kind", team=name)
    _answer, before = costs(asked.earlier, "cluster", "namespace", "kind", team=name)
    namespaces = build_table(now, before, name=naming.namespace_namer(asked, name))
    return TeamPage(
        asked=asked,
        facts=answered.publication,
        currencies=currencies,
        headline=_headline(now, before, asked),
        figures=(
            trends.link(asked, "kind", _by_kind(namespaces), team=name),
            trends.link(asked, "namespace", _largest(namespaces), team=name),
        ),
        sections=(
            Section(
                _("Namespaces"), _("Namespace"), namespaces, csv_url(asked, "cluster", "namespace", "kind", team=name)
            ),
            _section(asked, _("Services"), _("Service"), "service", team=name),
        ),
        movers=_movers(asked, teams, team=name),
        team=name,
        title=teams.title(name),
        about=about,
    )


@dataclass(frozen=True)
class NamespacePage(CostPage):
    """The cost of a team in one namespace of a cluster; empty names mean: outside namespaces, outside clusters."""

    team: str = ""
    team_title: str = ""
    team_url: str = ""
    cluster: str = ""
    namespace: str = ""


def namespace(asked: Asked, *, team: str, cluster: str, namespace: str) -> NamespacePage | None:
    """The cost of a team in one namespace; None where the viewer may not see the team."""
    if not asked.scope.allows(team):
        return None
    filters = {"team": team, "cluster": cluster, "namespace": namespace}
    asked, currencies = settle(asked, **filters)
    teams = naming.directory()
    answered, now = costs(asked, "workload", "kind", **filters)
    _answer, before = costs(asked.earlier, "workload", "kind", **filters)
    workloads = build_table(now, before, name=naming.plain_namer("workload"))
    return NamespacePage(
        asked=asked,
        facts=answered.publication,
        currencies=currencies,
        headline=_headline(now, before, asked),
        figures=(
            trends.link(asked, "workload", _largest(workloads), **filters),
            trends.link(asked, "kind", _by_kind(workloads), **filters),
        ),
        sections=(
            Section(_("Workloads"), _("Workload"), workloads, csv_url(asked, "workload", "kind", **filters)),
            _section(asked, _("Services"), _("Service"), "service", **filters),
            _days(asked, **filters),
        ),
        team=team,
        team_title=teams.title(team),
        team_url=naming.team_url(team, asked),
        cluster=cluster,
        namespace=namespace,
    )


def _section(asked: Asked, title: str, column: str, group: str, **filters: str) -> Section:
    _answer, now = costs(asked, group, "kind", **filters)
    _answer, before = costs(asked.earlier, group, "kind", **filters)
    table = build_table(now, before, name=naming.plain_namer(group))
    return Section(title, column, table, csv_url(asked, group, "kind", **filters))


def _days(asked: Asked, **filters: str) -> Section:
    _answer, now = costs(asked, "day", "kind", **filters)
    return Section(_("Days"), _("Day"), trends.table_by_time(now), csv_url(asked, "day", "kind", **filters))


def _largest(table: Table) -> str:
    """The part of a figure's sentence that names the largest line."""
    if not table.lines or table.total.cost <= 0:
        return ""
    first = table.lines[0]
    share = hundredths(first.cost, table.total.cost) or ZERO
    return _("The largest is %(name)s with %(share)s %%.") % {"name": first.name.title, "share": f"{share:.1f}"}


def _by_kind(table: Table) -> str:
    """The part of a figure's sentence that says how the total divides into kinds."""
    shares = [f"{part.title} {part.share:.1f} %" for part in parts_of(table.total.by_kind) if part.share is not None]
    return naming.joined(shares) + _(".") if shares else ""
