"""What finance is told: every team, what nobody owns, whether the books tie out, restatements and disputes."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.books.models import Dispute
from apps.charts.labels import plain
from apps.finops.written import change, money
from apps.reports.company import Books, unallocated
from apps.reports.outlook import Landing
from apps.reports.papers import parts
from apps.reports.papers.paper import Block, Cell, Column, Heading, Paper, Table, Words
from apps.reports.selectors import CurrencyWeek, Part, WeeklyReport
from apps.reports.written import line, moment, share, site
from apps.teams.models import UNALLOCATED


def paper(report: WeeklyReport, books: Books, pictures: dict[str, bytes]) -> Paper:
    """The report of all teams, in the active language."""
    company = plain(settings.COSTOPS_COMPANY)
    subject = _("%(company)s: all teams, week %(week)s") % {"company": company, "week": report.week}
    amounts = parts.totals((week.currency, week.total) for week in report.currencies)
    return Paper(
        company=company,
        title=_("All teams"),
        period=parts.period(report),
        subject=f"{subject}: {amounts}" if amounts else subject,
        blocks=tuple(_blocks(report, books)),
        facts=tuple(parts.facts(report)),
        footing=parts.footing(report),
        pictures=pictures,
        button=Words("", f"{site()}{reverse('overview')}", _("Open the overview")),
        sheets=tuple(parts.daily(report)),
    )


def _blocks(report: WeeklyReport, books: Books) -> Iterator[Block]:
    yield from parts.notices(report)
    for week in report.currencies:
        yield from parts.headline(report, week, _("All teams"))
        yield Heading(_("Teams"))
        yield _teams(report, week, books)
        if any(one.is_partial or one.currency != week.currency for one in report.outlook.landings) and report.rates:
            yield Words(
                _(
                    "Where bills in other currencies are converted, no landing stands in the table: forecasts are not "
                    "converted."
                )
            )
        yield Words(_no_owner(week), f"{site()}{reverse('worklist')}", _("What nobody owns"))
    if not report.currencies:
        yield Words(_("No cost is published in these five weeks."))
    yield from parts.reasons(report.outlook)
    yield from parts.lands(report.outlook.landings, link=f"{site()}{reverse('forecasts')}")
    yield from parts.budgets(report.outlook.standings)
    yield from _tie_out(books)
    yield from _restated(books)
    yield from _disputed(books)
    yield from parts.saved(report.outlook.verified)


def _teams(report: WeeklyReport, week: CurrencyWeek, books: Books) -> Table:
    currency = plain(week.currency)
    columns = (
        Column(_("Team")), Column(currency, is_number=True), Column(_("vs week before"), is_number=True),
        Column(_("Month lands at"), is_number=True), Column(_("Budget of the month"), is_number=True),
    )  # fmt: skip
    rows = tuple(_team(report, week, part, books) for part in week.largest)
    landing = next((one for one in report.outlook.landings if one.currency == week.currency), None)
    total = (
        Cell(_("Total")), Cell(money(week.total), week.total), parts.number(week.change, signed=True),
        _lands_at(landing), Cell(""),
    )  # fmt: skip
    return Table(f"{_('Teams')} {currency}", columns, rows, total)


def _team(report: WeeklyReport, week: CurrencyWeek, part: Part, books: Books) -> tuple[Cell, ...]:
    landing = books.landings.get((part.name, week.currency))
    link = parts.explanation_of(part, report, week.currency, team=part.name)
    name = _("Unallocated") if part.name == UNALLOCATED else plain(books.titles.get(part.name, part.name))
    return (
        Cell(name),
        Cell(money(part.shown), part.amount, link),
        Cell(change(part.shown_change), part.change, link),
        _lands_at(landing),
        parts.number(_budget(report, week, part.name, landing)),
    )


def _budget(report: WeeklyReport, week: CurrencyWeek, team: str, landing: Landing | None) -> Decimal | None:
    """The budget that a landing stands beside: of all that a team costs in that month. None where there is none, or
    more than one; the table of budgets has them all."""
    asked = ("team", team, "month", "effective_cost", week.currency)
    found = [
        one.amount
        for one in report.outlook.standings
        if (one.dimension, one.value, one.grain, one.metric, one.currency) == asked
        and (landing is None or one.period_name == landing.period)
    ]
    return found[0] if len(found) == 1 else None


def _lands_at(one: Landing | None) -> Cell:
    """A landing beside a cost; a dash where it is not of all that the cost is of."""
    return parts.number(None if one is None or one.is_partial else one.mean)


def _no_owner(week: CurrencyWeek) -> str:
    cost = unallocated(week)
    if not cost:
        return _("Every cost has an owner.")
    return _("%(share)s of the cost, %(cost)s %(currency)s, is unallocated: no rule gives it to a team.") % {
        "share": share(cost, week.total), "cost": money(cost), "currency": plain(week.currency),
    }  # fmt: skip


def _tie_out(books: Books) -> Iterator[Block]:
    found = books.tie_out
    yield Heading(_("Do the books tie out?"))
    for currency, charged, allocated, difference in found.reconciled:
        if difference:
            text = _(
                "%(allocated)s of %(charged)s %(currency)s charged were allocated; the largest difference is "
                "%(difference)s."
            )
        else:
            text = _("All of the %(charged)s %(currency)s charged were allocated, to the last decimal.")
        yield Words(
            text % {
                "charged": money(charged), "allocated": money(allocated), "currency": plain(currency),
                "difference": f"{difference:f}",
            },
            f"{site()}{reverse('reconciliation')}", _("Reconciliation"),
        )  # fmt: skip
    for sums in found.invoices:
        text = ngettext(
            "%(matched)s %(currency)s is charged on invoices that match; %(n)s invoice does not match, by "
            "%(difference)s.",
            "%(matched)s %(currency)s is charged on invoices that match; %(n)s invoices do not match, by "
            "%(difference)s in all: %(over)s charged more than invoiced, %(under)s less.",
            sums.open,
        ) if sums.open else _("%(matched)s %(currency)s is charged on invoices, and all of them match.")  # fmt: skip
        values = {"matched": money(sums.matched), "currency": plain(sums.currency), "n": sums.open}
        values |= {"difference": money(sums.apart), "over": money(sums.over), "under": money(sums.under)}
        yield Words(text % values, f"{site()}{reverse('invoices')}", _("Invoices"))
    if found.month and not found.against:
        yield Words(_("%(month)s can be closed.") % {"month": found.month}, f"{site()}{reverse('closing')}", _("Close"))
    elif found.month:
        yield Words(_("What speaks against closing %(month)s:") % {"month": found.month})
        yield from (Words(line(_(one.text) % one.values)) for one in found.against)


def _restated(books: Books) -> Iterator[Block]:
    yield Heading(_("Restatements"))
    if not books.restated:
        yield Words(_("No new issue of a bill changed what was read before."))
        return
    columns = (
        Column(_("Source")), Column(_("Billing month")), Column(_("Read at")), Column(_("Currency")),
        Column(_("Change"), is_number=True),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(plain(one.source), link=f"{site()}{reverse('restatements')}"), Cell(one.billing_month),
            Cell(moment(one.at)), Cell(plain(one.currency)), parts.number(one.change, signed=True),
        )
        for one in books.restated
    )  # fmt: skip
    yield Table(_("Restatements"), columns, rows)


def _disputed(books: Books) -> Iterator[Block]:
    yield Heading(_("Disputes"))
    if not books.disputed:
        yield Words(_("Nothing is disputed."))
        return
    columns = (Column(_("Dispute")), Column(_("Amount"), is_number=True), Column(_("Currency")))
    rows = tuple(
        (_dispute(one, books.titles), parts.number(one.amount), Cell(plain(one.currency))) for one in books.disputed
    )
    yield Table(_("Disputes"), columns, rows, links_are_told=True)


def _dispute(one: Dispute, titles: Mapping[str, str]) -> Cell:
    values = {"number": one.pk, "team": plain(titles.get(one.team, one.team)), "moment": moment(one.opened_at)}
    link = f"{site()}{reverse('dispute', args=[one.pk])}"
    return Cell(_("%(number)s of %(team)s, since %(moment)s") % values, link=link)
