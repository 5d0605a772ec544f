"""What a team lead is told: what was spent, why it changed, where it lands, what is to be decided, what was saved."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.labels import plain
from apps.finops.written import change, money
from apps.reports.papers import parts
from apps.reports.papers.paper import Block, Cell, Column, Heading, Paper, Table, Words
from apps.reports.selectors import CurrencyWeek, Part, WeeklyReport
from apps.reports.written import site

KINDS: dict[str, Promise] = {
    "direct": gettext_lazy("Direct"),
    "shared": gettext_lazy("Shared"),
    "idle": gettext_lazy("Idle"),
    "shared_idle": gettext_lazy("Shared idle"),
    "unallocated": gettext_lazy("Unallocated"),
}


def paper(report: WeeklyReport, pictures: dict[str, bytes]) -> Paper:
    """The report of a team, in the active language."""
    team, name = plain(str(report.team)), report.team.name if report.team else ""
    subject = _("%(company)s: %(team)s, week %(week)s") % {
        "company": plain(settings.COSTOPS_COMPANY), "team": team, "week": report.week,
    }  # fmt: skip
    amounts = parts.totals((week.currency, week.total) for week in report.currencies)
    return Paper(
        company=plain(settings.COSTOPS_COMPANY),
        title=team,
        period=parts.period(report),
        subject=f"{subject}: {amounts}" if amounts else subject,
        blocks=tuple(_blocks(report, team)),
        facts=tuple(parts.facts(report)),
        footing=parts.footing(report),
        pictures=pictures,
        button=Words("", f"{site()}/teams/{name}/", _("Open the team page")),
        sheets=tuple(parts.daily(report)),
    )


def _blocks(report: WeeklyReport, team: str) -> Iterator[Block]:
    name = report.team.name if report.team else ""
    forecast = f"{site()}{reverse('forecasts')}?{urlencode({'level': 'team', 'key': name})}"
    yield from parts.notices(report)
    for week in report.currencies:
        yield from parts.headline(report, week, team)
        yield Heading(_("Largest namespaces"))
        yield _namespaces(report, week)
        yield Heading(_("How it came about"))
        yield _kinds(report, week)
    if not report.currencies:
        yield Words(_("No cost was attributed to your team in these five weeks."))
    yield from parts.reasons(report.outlook)
    yield from parts.lands(report.outlook.landings, link=forecast)
    yield from parts.budgets(report.outlook.standings)
    yield from parts.actions(report.outlook, team=name)
    yield from parts.saved(report.outlook.verified)
    yield Words(
        _(
            "Is something of yours missing? Cost that no rule gives to a team is kept as unallocated and is not in "
            "this mail; tell your cost-operations engineer which namespaces, accounts or tags are yours."
        )
    )


def _namespaces(report: WeeklyReport, week: CurrencyWeek) -> Table:
    currency = plain(week.currency)
    columns = (Column(_("Namespace")), Column(currency, is_number=True), Column(_("vs week before"), is_number=True))
    rows = [_namespace(report, week, part) for part in week.largest]
    if week.others:
        named = tuple(one.name for one in week.largest)
        others = parts.explanation_of(week.others, report, week.currency, but={"namespace": named})
        rows.append((
            Cell(_("all others")),
            Cell(money(week.others.shown), week.others.amount, others),
            Cell(change(week.others.shown_change), week.others.change),
        ))  # fmt: skip
    total = (
        Cell(_("Total")),
        Cell(money(week.total), week.total),
        parts.number(week.change, signed=True),
    )
    return Table(f"{_('Namespaces')} {currency}", columns, tuple(rows), total)


def _namespace(report: WeeklyReport, week: CurrencyWeek, part: Part) -> tuple[Cell, ...]:
    link = parts.explanation_of(part, report, week.currency, namespace=part.name)
    return (
        Cell(plain(part.name) or _("no namespace")),
        Cell(money(part.shown), part.amount, link),
        Cell(change(part.shown_change), part.change, link),
    )


def _kinds(report: WeeklyReport, week: CurrencyWeek) -> Table:
    columns = (Column(_("Kind")), Column(plain(week.currency), is_number=True))
    rows = tuple(
        (
            Cell(str(KINDS[part.name])),
            Cell(money(part.shown), part.amount, parts.explanation_of(part, report, week.currency, kind=part.name)),
        )
        for part in week.kinds
    )
    total = (Cell(_("Total")), Cell(money(week.total), week.total))
    return Table(f"{_('Kinds')} {plain(week.currency)}", columns, rows, total)
