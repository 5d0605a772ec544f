"""The blocks that papers share; all are made with the reader's language active."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.budgets.selectors import Standing
from apps.charts.labels import plain
from apps.finops.windows import ONE_DAY
from apps.finops.written import change, change_percent, money, percent
from apps.insights.why.telling import title
from apps.marts.cell import address, cell
from apps.marts.late import said
from apps.operations.kinds import title_of
from apps.operations.models import Recommendation
from apps.reports.outlook import Landing, Outlook, Waiting
from apps.reports.papers.paper import Block, Cell, Column, Figure, Heading, Notice, Table, Total, Words
from apps.reports.selectors import CurrencyWeek, Part, WeeklyReport
from apps.reports.written import LONGEST, coverage, day, days, line, moment, site, status
from apps.warehouse.sentences import told, told_of

STATES: dict[str, Promise] = {
    "on_track": gettext_lazy("on track"),
    "at_risk": gettext_lazy("at risk"),
    "exceeded": gettext_lazy("exceeded"),
    "unknown": gettext_lazy("not known yet"),
}


def number(amount: Decimal | None, *, link: str = "", signed: bool = False) -> Cell:
    """An amount in a table: rounded to read, exact in a workbook."""
    return Cell(change(amount) if signed else money(amount), amount, link)


def figure_name(currency: str) -> str:
    return f"trend-{plain(currency)}.png"


def notices(report: WeeklyReport) -> Iterator[Block]:
    """What is not known of the week."""
    first, end = report.publication.first_day, report.publication.whole_until
    if not report.is_complete:
        if end is None:
            yield Notice(_("No costs are published yet."))
        else:
            yield Notice(
                _(
                    "The bills of this week are not complete: costs are published from %(first)s up to, not including, "
                    "%(end)s."
                )
                % {"first": day(first), "end": day(end)}
            )
    yield from (Notice(said(one, day(one.until - ONE_DAY))) for one in report.outlook.late)
    if report.outlook.waiting:
        yield Notice(waiting(report.outlook.waiting))


def waiting(found: Waiting) -> str:
    text = _("The bill of %(days)s has not come; estimated from last known prices, and in no total of this mail:") % {
        "days": days(found.first, found.last)
    }
    return f"{text} {totals(found.totals)}{_('.')}"


def totals(amounts: Iterable[tuple[str, Decimal]]) -> str:
    return ", ".join(f"{money(total)} {plain(currency)}" for currency, total in amounts)


def explanation(
    report: WeeklyReport, currency: str, but: Mapping[str, tuple[str, ...]] | None = None, **filters: str
) -> str:
    """The page that explains a number, some values left out of it."""
    mine = {"team": report.team.name} if report.team else {}
    query = cell(report.query, **mine, **filters).without(**(but or {}))
    if query.currency is None:
        query = cell(query, currency=currency)
    return address(f"{site()}{reverse('explain')}", query)


def explanation_of(
    part: Part, report: WeeklyReport, currency: str, but: Mapping[str, tuple[str, ...]] | None = None, **filters: str
) -> str:
    """The page that explains a row of a table; none of what cost nothing, where there would be nothing to explain."""
    return explanation(report, currency, but, **filters) if part.amount else ""


def headline(report: WeeklyReport, week: CurrencyWeek, who: str) -> tuple[Block, Block]:
    """The total of a currency with its sentence, and its picture."""
    told_so = sentence(week, who)
    link = explanation(report, week.currency)
    return (
        Total(money(week.total), plain(week.currency), told_so, link, _("Where it comes from")),
        Figure(figure_name(week.currency), told_so),
    )


def sentence(week: CurrencyWeek, who: str) -> str:
    values = {"team": who, "total": money(week.total), "currency": plain(week.currency), "before": money(week.before)}
    if week.before is None:
        text = _("%(team)s cost %(total)s %(currency)s; nothing is published of the week before.")
    elif week.change_percent is None:
        text = _("%(team)s cost %(total)s %(currency)s; %(before)s in the week before.")
    else:
        text = _("%(team)s cost %(total)s %(currency)s, %(percent)s from %(before)s in the week before.")
        values["percent"] = change_percent(week.change_percent)
    if week.mean_percent is None:
        return text % values
    mean = ngettext(
        "That is %(percent)s from %(mean)s, the week before.",
        "That is %(percent)s from %(mean)s, the mean of the %(n)s weeks before.",
        week.weeks_in_mean,
    )
    told_mean = {"percent": change_percent(week.mean_percent), "mean": money(week.mean), "n": week.weeks_in_mean}
    return f"{text % values} {mean % told_mean}"


def reasons(outlook: Outlook) -> Iterator[Block]:
    """Why it changed: in sentences, then by what did most of it."""
    said = tuple(sentences(outlook))
    if not said:
        return
    yield Heading(_("Why it changed"))
    yield from said
    for found in outlook.contributions:
        rows = [(Cell(line(title(segment))), number(segment.change.change, signed=True)) for segment in found.segments]
        if found.elsewhere:
            rows.append((Cell(_("elsewhere")), number(found.elsewhere, signed=True)))
        columns = (Column(_("Largest contributions")), Column(plain(found.currency), is_number=True))
        yield Table(f"{_('Why')} {plain(found.currency)}", columns, tuple(rows))


def sentences(outlook: Outlook) -> Iterator[Words]:
    """Why it changed."""
    for one in outlook.why:
        yield Words(line(told(one.text, one.values)))


def lands(landings: Iterable[Landing], *, link: str) -> Iterator[Block]:
    """Where the month lands."""
    told_so = [Words(landing(one)) for one in landings]
    if told_so:
        yield Heading(_("Where the month lands"))
        yield from told_so
        yield Words("", link, _("Open the forecast"))


def landing(one: Landing) -> str:
    if one.is_partial:
        text = _(
            "Of the bills in %(currency)s alone, %(period)s is expected to land at %(mean)s %(currency)s, in 80 of 100 "
            "cases between %(low)s and %(high)s; %(so_far)s so far."
        )
    else:
        text = _(
            "%(period)s is expected to land at %(mean)s %(currency)s, in 80 of 100 cases between %(low)s and "
            "%(high)s; %(so_far)s so far."
        )
    text %= {
        "period": one.period, "mean": money(one.mean), "currency": plain(one.currency), "low": money(one.low),
        "high": money(one.high), "so_far": money(one.so_far),
    }  # fmt: skip
    if one.off is None or one.naive_off is None:
        return text
    if one.is_naive:
        off = _("Last week repeated was not beaten at past days and is what is told; it was off by %(off)s on average.")
    else:
        off = _("At past days such forecasts were off by %(off)s on average, last week repeated by %(naive)s.")
    return (
        f"{text} {off % {'off': percent(one.naive_off if one.is_naive else one.off), 'naive': percent(one.naive_off)}}"
    )


def budgets(standings: Iterable[Standing]) -> Iterator[Block]:
    """How budgets stand."""
    found = tuple(standings)
    if not found:
        return
    yield Heading(_("Budgets"))
    for one in found:
        if one.exceeds_on is not None and one.state != "exceeded":
            yield Words(_exceeds(one))
    columns = (
        Column(_("Budget")), Column(_("Set"), is_number=True), Column(_("Spent"), is_number=True),
        Column(_("Landing"), is_number=True),
    )  # fmt: skip
    yield Table(_("Budgets"), columns, tuple(_standing(one) for one in found))


def _exceeds(one: Standing) -> str:
    values = {"budget": plain(one.budget.name), "day": day(one.exceeds_on)}
    if one.probability is None:
        return _("%(budget)s will be exceeded on %(day)s.") % values
    values["probability"] = percent(one.probability * 100)
    return _("%(budget)s will be exceeded on %(day)s (%(probability)s).") % values


def _standing(one: Standing) -> tuple[Cell, ...]:
    name = f"{plain(one.budget.name)} ({plain(one.period_name)}, {plain(one.currency)})"
    interval = "" if one.lower is None or one.upper is None else f"{money(one.lower)} – {money(one.upper)}"
    return (
        Cell(name, link=f"{site()}{one.link}", note=str(STATES.get(one.state, one.state))),
        number(one.amount),
        number(one.spent),
        Cell(money(one.landing), one.landing, note=interval),
    )


def saved(verified: Mapping[str, Decimal]) -> Iterator[Block]:
    """What was verifiably saved in the week; where nothing was, nothing is said."""
    if verified:
        yield Heading(_("Verified savings"))
        yield Words(_("Verified in this week: %(totals)s.") % {"totals": totals(sorted(verified.items()))})


def actions(outlook: Outlook, *, team: str) -> Iterator[Block]:
    """What is to be decided, the most money first, and what was newly found."""
    if outlook.largest:
        link = f"{site()}{reverse('recommendations')}" + (f"?{urlencode({'team': team})}" if team else "")
        yield Heading(_("To be decided"))
        yield Words(_open(outlook))
        yield lines(_("To be decided"), outlook.largest, outlook.new)
        yield Words("", link, _("All that is open"))
    for news in outlook.news:
        yield Heading(f"{_('New')}: {title_of(news.kind)}")
        yield lines(title_of(news.kind), news.ones, outlook.new)
        if news.more:
            yield Words(_("and %(n)s more") % {"n": news.more})


def _open(outlook: Outlook) -> str:
    text = ngettext("%(n)s is open.", "%(n)s are open.", outlook.open_count) % {"n": outlook.open_count}
    if not outlook.totals:
        return text
    overlapping = f" ({_('what several would save is counted once')})" if outlook.overlapping else ""
    return f"{text} {_('Together they save a month')}: {totals(outlook.totals)}{overlapping}{_('.')}"


def lines(name: str, ones: Iterable[Recommendation], new: frozenset[int] = frozenset()) -> Table:
    """Recommendations, each with what it saves and where it is decided."""
    columns = (
        Column(_("What")), Column(_("Saving per month"), is_number=True), Column(_("Currency")), Column(_("Due")),
    )  # fmt: skip
    return Table(name, columns, tuple(_action(one, new) for one in ones), links_are_told=True)


def _action(one: Recommendation, new: frozenset[int]) -> tuple[Cell, ...]:
    url = f"{site()}{reverse('recommendation', args=[one.pk])}"
    if one.saving or not one.amount:
        worth = Cell(money(one.saving) if one.saving else "–", one.saving or None)
    else:
        worth = Cell(_("about %(amount)s") % {"amount": money(one.amount)})
    return (
        Cell(plain(told_of(one.title), limit=LONGEST), link=url, note=title_of(one.kind), is_new=one.pk in new),
        worth,
        Cell(plain(one.currency) if one.saving or one.amount else ""),
        Cell(day(one.due), one.due),
    )


def facts(report: WeeklyReport) -> Iterator[str]:
    """What the numbers rest on."""
    yield _(
        "Publication %(number)s of %(moment)s, %(status)s; coverage of the monitoring: %(coverage)s. Effective cost; "
        "exact amounts are in the workbook and on the pages."
    ) % {
        "number": report.publication.number, "moment": moment(report.publication.created_at),
        "status": status(report.status), "coverage": coverage(report.publication.coverage),
    }  # fmt: skip
    if report.missing:
        values: dict[str, Any] = {"source": report.missing.source, "target": report.missing.target}
        values["day"] = report.missing.day.isoformat()
        yield _("Every currency stands by itself: there is no rate from %(source)s to %(target)s on %(day)s.") % values
    elif report.rates:
        yield _("All amounts are in %(currency)s, each by the rate of its day (version %(version)s of the rates).") % {
            "currency": report.converted_to, "version": report.rates,
        }  # fmt: skip


def footing(report: WeeklyReport) -> str:
    """What stands at the foot of every page."""
    return _("Week %(week)s · publication %(number)s · %(status)s") % {
        "week": report.week, "number": report.publication.number, "status": status(report.status),
    }  # fmt: skip


def period(report: WeeklyReport) -> str:
    week = report.week
    return _("Week %(week)s: %(first)s – %(last)s") % {
        "week": week, "first": day(week.start), "last": day(week.last_day),
    }  # fmt: skip


def daily(report: WeeklyReport) -> Iterator[Table]:
    """The days of the picture, for the workbook."""
    for week in report.currencies:
        rows = tuple((Cell(day(one), one), number(cost)) for one, cost in week.days)
        columns = (Column(_("Day")), Column(plain(week.currency), is_number=True))
        yield Table(f"{_('Days')} {plain(week.currency)}", columns, rows)
