"""What management is told, on one page: total, change, landing, who moved most, savings by stage, what to decide."""

from collections.abc import Iterator
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.labels import plain
from apps.finops.written import change, change_percent, money
from apps.reports.company import Summary
from apps.reports.papers import parts
from apps.reports.papers.paper import Block, Cell, Column, Heading, Paper, Table, Words
from apps.reports.selectors import CurrencyWeek, WeeklyReport, percent
from apps.reports.written import site
from apps.teams.models import UNALLOCATED

STAGES: dict[str, Promise] = {
    "identified": gettext_lazy("identified"),
    "approved": gettext_lazy("of it approved"),
    "implemented": gettext_lazy("of it implemented"),
    "verified": gettext_lazy("verified as saved"),
}


def paper(report: WeeklyReport, summary: Summary, pictures: dict[str, bytes]) -> Paper:
    """The company's week, in the active language."""
    company = plain(settings.COSTOPS_COMPANY)
    subject = _("%(company)s: cost in week %(week)s") % {"company": company, "week": report.week}
    amounts = parts.totals((week.currency, week.total) for week in report.currencies)
    return Paper(
        company=company,
        title=_("Cost at a glance"),
        period=parts.period(report),
        subject=f"{subject}: {amounts}" if amounts else subject,
        blocks=tuple(_blocks(report, summary)),
        facts=tuple(parts.facts(report)),
        footing=parts.footing(report),
        pictures=pictures,
        button=Words("", f"{site()}{reverse('overview')}", _("Open the overview")),
        is_one_page=True,
        sheets=tuple(parts.daily(report)),
    )


def _blocks(report: WeeklyReport, summary: Summary) -> Iterator[Block]:
    yield from parts.notices(report)
    for week in report.currencies:
        yield from parts.headline(report, week, _("All teams"))
    if not report.currencies:
        yield Words(_("No cost is published in these five weeks."))
    yield from parts.sentences(report.outlook)
    landings = tuple(report.outlook.landings)
    if landings:
        yield Heading(_("Where the month lands"))
        yield from (Words(parts.landing(one)) for one in landings)
    for week in report.currencies:
        yield from _movers(report, week, summary)
    yield from _savings(report, summary)
    if summary.to_decide:
        yield Heading(_("Three things to decide"))
        yield parts.lines(_("To be decided"), summary.to_decide, report.outlook.new)


def _movers(report: WeeklyReport, week: CurrencyWeek, summary: Summary) -> Iterator[Block]:
    moved = summary.movers[week.currency]
    if not moved:
        return
    yield Heading(_("Who moved most"))
    columns = (
        Column(_("Team")), Column(plain(week.currency), is_number=True), Column(_("vs week before"), is_number=True),
        Column("%", is_number=True),
    )  # fmt: skip
    rows = []
    for part in moved:
        share = percent(part.amount, part.before)
        link = parts.explanation_of(part, report, week.currency, team=part.name)
        name = _("Unallocated") if part.name == UNALLOCATED else plain(summary.titles.get(part.name, part.name))
        rows.append((
            Cell(name),
            Cell(money(part.amount), part.amount, link),
            Cell(change(part.change), part.change, link),
            Cell(change_percent(share) if share is not None else "–" if part.before else _("new")),
        ))  # fmt: skip
    yield Table(f"{_('Movers')} {plain(week.currency)}", columns, tuple(rows))


def _savings(report: WeeklyReport, summary: Summary) -> Iterator[Block]:
    """From what was found to what is proven, by the month; and what was proven of the week."""
    stages = [(str(STAGES[name]), totals) for name, totals in summary.stages]
    currencies = sorted({currency for _name, totals in stages for currency in totals})
    if not currencies:
        return
    yield Heading(_("Savings"))
    columns = (
        Column(_("Stage, a month")), *(Column(plain(currency), is_number=True) for currency in currencies),
    )  # fmt: skip
    rows = tuple(
        (Cell(name), *(parts.number(totals.get(currency, Decimal(0))) for currency in currencies))
        for name, totals in stages
    )
    yield Table(_("Savings"), columns, rows)
    yield from parts.saved(report.outlook.verified)
