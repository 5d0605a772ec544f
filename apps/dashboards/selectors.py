"""What the pages of cost show: every number is an answer of the marts, added up and put in order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from apps.charts import labels
from apps.dashboards import naming, trends, words
from apps.dashboards.asking import CONVERTED, Asked
from apps.dashboards.cells import explained, explained_lines, explained_parts, whole
from apps.dashboards.lines import Key, Line, Part, Table, build_table, hundredths, movers, parts_of, regroup, total_of
from apps.finops.money import less
from apps.finops.tables import RECEIVED
from apps.marts import selectors as marts
from apps.marts.cell import FILTER_NAMES, listed
from apps.marts.query import Answer, PublicationFacts
from apps.rates.selectors import MissingRate, UsedRate, reporting_currencies
from apps.teams.models import UNALLOCATED, Team

LONG = 30  # rows that fill a column
MOVERS = 10
TEAMS = 200
WORKLOADS = 15


@dataclass(frozen=True)
class Headline:
    """The first thing a page says: the total of a period, its change, and its kinds."""

    line: Line
    per_day: Decimal
    parts: tuple[Part, ...]

    @property
    def received(self) -> Decimal:
        """What policies divided and gave: never part of what was caused here."""
        return total_of(cost for kind, cost in self.line.by_kind.items() if kind in RECEIVED)

    @property
    def own(self) -> Decimal:
        return less(self.line.cost, self.received)


@dataclass(frozen=True)
class Section:
    """A table with its title, the name of its first column, and where the same rows are to be had as CSV.

    `note` says what its changes are against, where it is not the period before, or what a name in it means. The wide
    ones stand on the left.
    """

    title: str
    column: str
    table: Table
    csv_url: str
    note: str = ""
    is_wide: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it fills a column by itself."""
        return len(self.table.rows) >= LONG


@dataclass(frozen=True)
class Choice:
    """A currency in the filter bar: how an address names it, and how people do."""

    key: str
    title: str


@dataclass(frozen=True)
class CostPage:
    """What every page of cost shows."""

    asked: Asked
    facts: PublicationFacts
    currencies: tuple[Choice, ...]
    rates: tuple[UsedRate, ...]
    headline: Headline
    figures: tuple[trends.FigureLink, ...]
    sections: tuple[Section, ...]
    movers: tuple[Line, ...] = ()


def compared(asked: Asked, *groups: str, **filters: str) -> tuple[Asked, Answer, Answer]:
    """The question with its currency, its answer, and that of the period before.

    Where the period before cannot be converted it is not known: rates usually begin later than costs.
    """
    answered = marts.answer(asked.query(*groups, **filters))
    try:
        earlier = marts.answer(asked.earlier.query(*groups, **filters))
    except MissingRate:
        asked, earlier = asked.alone, replace(answered, rows=())
    found = sorted({*answered.totals, *earlier.totals}) or _only_currency(asked)
    return asked.settled(asked.currency or next(iter(found), "")), answered, earlier


def _only_currency(asked: Asked) -> list[str]:
    """What amounts are told in where a period has none: the currency of all bills; none where there are several."""
    billed = list(marts.publication(asked.publication).totals)
    return billed if len(billed) == 1 else []


def choices(asked: Asked, answered: Answer, earlier: Answer, **filters: str) -> tuple[Choice, ...]:
    """The currencies that occur, each by itself, and those that all amounts can be converted to."""
    if asked.reporting:
        answered, earlier = (marts.answer(one.query(**filters)) for one in (asked.as_billed, asked.earlier.as_billed))
    found = {*answered.totals, *earlier.totals} | ({asked.currency} - {asked.reporting, ""})
    converted = {*reporting_currencies()} | ({asked.reporting} - {""})
    if len(found) == 1:
        converted -= found  # what is all in one currency need not be offered twice
    return (
        *(Choice(currency, currency) for currency in sorted(found)),
        *(Choice(f"{CONVERTED}{code}", _("All in %(currency)s") % {"currency": code}) for code in sorted(converted)),
    )


def amounts(answered: Answer, asked: Asked) -> dict[Key, Decimal]:
    """The amounts of an answer in the chosen currency, by its groups."""
    return {row[:-2]: row[-1] for row in answered.rows if row[-2] == asked.currency}


def before_of(earlier: Answer, asked: Asked) -> dict[Key, Decimal] | None:
    """The amounts to compare with; None where the period before is not wholly published."""
    return amounts(earlier, asked) if asked.is_comparable else None


def ahead_of(asked: Asked, *groups: str, **filters: str) -> dict[Key, Decimal]:
    """What days of the period cost that have not come, in the chosen currency; nothing where nothing is dated ahead."""
    to_come = asked.ahead
    end_day = marts.publication(asked.publication).end_day if to_come else None
    if to_come is None or end_day is None or end_day <= to_come.window.start:
        return {}
    return amounts(marts.answer(to_come.query(*groups, **filters)), asked)


def regrouped(before: Mapping[Key, Decimal] | None, *positions: int) -> dict[Key, Decimal] | None:
    return None if before is None else regroup(before, *positions)


def csv_url(asked: Asked, *groups: str, **filters: str) -> str:
    """The same rows from the REST API, in the same currency, exact to the last decimal."""
    params = {
        "metric": asked.metric,
        "group_by": ",".join(groups),
        "start": asked.window.start.isoformat(),
        "end": asked.window.end.isoformat(),
        "as_of": str(asked.publication),
        "format": "csv",
    }
    params |= in_currency(asked)
    return f"/api/v1/costs/?{urlencode(params | {name: listed([value]) for name, value in filters.items()})}"


def in_currency(asked: Asked) -> dict[str, str]:
    """The parameter of the REST API that keeps to the currency a page shows: what is billed in it, or all converted."""
    if asked.reporting:
        return {"currency": asked.reporting}
    return {FILTER_NAMES["currency"]: asked.currency} if asked.currency else {}


def headline_of(asked: Asked, total: Line, **filters: str) -> Headline:
    parts = explained_parts(parts_of(total.by_kind), whole(asked, **filters))
    return Headline(line=total, per_day=total.came / asked.days_known, parts=parts)


def overview(asked: Asked) -> CostPage:
    """The cost of all teams the viewer may see."""
    places = ("team", "cluster", "namespace", "service")
    asked, answered, earlier = compared(asked, *places)
    now, before, ahead = amounts(answered, asked), before_of(earlier, asked), ahead_of(asked, *places)
    teams = naming.directory()
    kinds = amounts(marts.answer(asked.query("team", "kind")), asked)
    namer = naming.team_namer(asked, teams)
    table = build_table(kinds, regrouped(before, 0), name=namer, limit=TEAMS, ahead=regroup(ahead, 0))
    table = explained(table, asked, "team")
    per_step = cost_per_step(asked)
    return CostPage(
        asked=asked,
        facts=answered.publication,
        currencies=choices(asked, answered, earlier),
        rates=answered.rates,
        headline=headline_of(asked, table.total),
        figures=(
            trends.link(asked, "team", per_step, remark=told_largest(table)),
            trends.link(asked, "kind", per_step, remark=told_by_kind(table)),
        ),
        sections=(Section(_("Teams"), _("Team"), table, csv_url(asked, "team", "kind"), told_unallocated(kinds)),),
        movers=explained_lines(
            movers(now, before, name=naming.mover_namer(asked, teams), limit=MOVERS, ahead=ahead),
            whole(asked),
            *places,
        ),
    )


def cost_per_step(asked: Asked, **filters: str) -> dict[date, Decimal]:
    """Cost per day (week, month) of the period."""
    found = amounts(marts.answer(asked.query(asked.grain, **filters)), asked)
    return {trends.moment(step): cost for (step,), cost in found.items()}


@dataclass(frozen=True)
class TeamPage(CostPage):
    """The cost of one team, and who it is."""

    team: str = ""
    title: str = ""
    about: Team | None = None


def team(asked: Asked, name: str) -> TeamPage | None:
    """The cost of one team; None where there is no such team for the viewer."""
    if not asked.scope.allows(name):
        return None
    places = ("cluster", "namespace", "service", "kind")
    asked, answered, earlier = compared(asked, *places, team=name)
    about = Team.objects.filter(name=name).first()
    if about is None and name != UNALLOCATED and not answered.rows and not earlier.rows:
        return None
    now, before, ahead = amounts(answered, asked), before_of(earlier, asked), ahead_of(asked, *places, team=name)
    namer = naming.namespace_namer(asked, name)
    namespaces = build_table(regroup(now, 0, 1, 3), regrouped(before, 0, 1), name=namer, ahead=regroup(ahead, 0, 1))
    namespaces = explained(namespaces, asked, "cluster", "namespace", team=name)
    namer = naming.plain_namer("service")
    services = build_table(regroup(now, 2, 3), regrouped(before, 2), name=namer, ahead=regroup(ahead, 2))
    services = explained(services, asked, "service", team=name)
    per_step = cost_per_step(asked, team=name)
    return TeamPage(
        asked=asked,
        facts=answered.publication,
        currencies=choices(asked, answered, earlier, team=name),
        rates=answered.rates,
        headline=headline_of(asked, namespaces.total, team=name),
        figures=(
            trends.link(asked, "kind", per_step, remark=told_by_kind(namespaces), team=name),
            trends.link(asked, "namespace", per_step, remark=told_largest(namespaces), team=name),
        ),
        sections=(
            Section(
                _("Namespaces"),
                _("Namespace"),
                namespaces,
                csv_url(asked, "cluster", "namespace", "kind", team=name),
                is_wide=True,
            ),
            _workloads(asked, name),
            Section(_("Services"), _("Service"), services, csv_url(asked, "service", "kind", team=name), is_wide=True),
        ),
        movers=explained_lines(
            movers(
                regroup(now, 0, 1, 2),
                regrouped(before, 0, 1, 2),
                name=naming.place_namer(asked, name),
                limit=MOVERS,
                ahead=regroup(ahead, 0, 1, 2),
            ),
            whole(asked, team=name),
            *places[:3],
        ),
        team=name,
        title=naming.directory().title(name),
        about=about,
    )


def _workloads(asked: Asked, team: str) -> Section:
    """The largest workloads of a team; cost outside namespaces has none and stands in one line."""
    places = ("cluster", "namespace", "workload")
    _same, answered, earlier = compared(asked, *places, "kind", team=team)
    now, before = amounts(answered, asked), before_of(earlier, asked)
    name = naming.workload_namer(asked, team)
    ahead = ahead_of(asked, *places, team=team)
    table = build_table(now, regrouped(before, 0, 1, 2), name=name, limit=WORKLOADS, ahead=ahead)
    table = explained(table, asked, *places, team=team)
    return Section(_("Workloads"), _("Workload"), table, csv_url(asked, *places, "kind", team=team), is_wide=True)


@dataclass(frozen=True)
class NamespacePage(CostPage):
    """The cost of a team in one namespace of a cluster; empty names mean: outside namespaces, outside clusters."""

    team: str = ""
    team_title: str = ""
    team_url: str = ""
    cluster: str = ""
    namespace: str = ""


def namespace(
    asked: Asked, *, team: str, cluster: str, namespace: str, statuses: Mapping[date, str]
) -> NamespacePage | None:
    """The cost of a team in one namespace, with the status of its days; None where the viewer may not see the team."""
    if not asked.scope.allows(team):
        return None
    filters = {"team": team, "cluster": cluster, "namespace": namespace}
    places = ("workload", "service", "kind")
    asked, answered, earlier = compared(asked, *places, **filters)
    now, before, ahead = amounts(answered, asked), before_of(earlier, asked), ahead_of(asked, *places, **filters)
    namer = naming.plain_namer("workload")
    workloads = build_table(regroup(now, 0, 2), regrouped(before, 0), name=namer, ahead=regroup(ahead, 0))
    workloads = explained(workloads, asked, "workload", **filters)
    namer = naming.plain_namer("service")
    services = build_table(regroup(now, 1, 2), regrouped(before, 1), name=namer, ahead=regroup(ahead, 1))
    services = explained(services, asked, "service", **filters)
    steps = amounts(marts.answer(asked.query(asked.grain, "kind", **filters)), asked)
    per_step = {trends.moment(step): cost for (step,), cost in regroup(steps, 0).items()}
    sections = [
        Section(_("Workloads"), _("Workload"), workloads, csv_url(asked, "workload", "kind", **filters), is_wide=True),
        Section(_("Services"), _("Service"), services, csv_url(asked, "service", "kind", **filters)),
        _by_step(asked, steps, csv_url(asked, asked.grain, "kind", **filters), statuses, **filters),
    ]
    by, largest = ("workload", workloads) if namespace else ("service", services)
    return NamespacePage(
        asked=asked,
        facts=answered.publication,
        currencies=choices(asked, answered, earlier, **filters),
        rates=answered.rates,
        headline=headline_of(asked, workloads.total, **filters),
        figures=(
            trends.link(asked, by, per_step, remark=told_largest(largest), **filters),
            trends.link(asked, "kind", per_step, remark=told_by_kind(workloads), **filters),
        ),
        sections=tuple(sections if namespace else sections[1:]),  # outside namespaces there are no workloads
        team=team,
        team_title=naming.directory().title(team),
        team_url=naming.team_url(team, asked),
        cluster=cluster,
        namespace=namespace,
    )


def _by_step(
    asked: Asked, steps: Mapping[Key, Decimal], url: str, statuses: Mapping[date, str], **filters: str
) -> Section:
    title, column, note = trends.step_words(asked)
    hints = {day: str(words.STATUSES[status]) for day, status in statuses.items()} if asked.grain == "day" else {}
    table = explained(trends.table_by_step(steps, hints), asked, asked.grain, **filters)
    return Section(title, column, table, url, note=note, is_wide=True)


def told_largest(table: Table) -> str:
    """The part of a figure's sentence that names the largest line."""
    if not table.lines or table.total.cost <= 0:
        return ""
    first = table.lines[0]
    facts = {"name": labels.plain(first.name.title), "share": f"{hundredths(first.cost, table.total.cost):.1f}"}
    return _("The largest is %(name)s with %(share)s %%.") % facts


def told_unallocated(kinds: Mapping[Key, Decimal]) -> str:
    """Why the team that is called as a kind of cost is costs more: what of other kinds is of no team is there too."""
    if not any(cost for (team, kind), cost in kinds.items() if team == UNALLOCATED and kind != UNALLOCATED):
        return ""
    return _("as a team, Unallocated holds idle and shared cost of no team too, not the kind of that name alone")


def told_by_kind(table: Table) -> str:
    """The part of a figure's sentence that says how the total divides into kinds."""
    shares = [f"{part.title} {part.share:.1f} %" for part in parts_of(table.total.by_kind) if part.share is not None]
    return naming.joined(shares) + _(".") if shares else ""
