"""A report as a letter: subject, text and HTML, its pictures, and the PDF and workbook beside it."""

import base64
import hashlib
import logging
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from apps.charts.labels import plain
from apps.reports import company, picture
from apps.reports.fonts import NoFontForIt
from apps.reports.models import Report
from apps.reports.outlook import Together
from apps.reports.papers import finance, lead, management
from apps.reports.papers.paper import Notice, Paper
from apps.reports.papers.parts import figure_name
from apps.reports.pdf import pdf
from apps.reports.selectors import CurrencyWeek, WeeklyReport, days_of, weekly_report
from apps.reports.sheets import workbook
from apps.reports.text import as_text
from apps.reports.weeks import Week
from apps.teams.models import Team

PDF, XLSX = "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attached:
    """A file beside a letter."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Letter:
    """What a reader gets; `pictures` are PNGs by file name, to which `html` refers by `content_id`."""

    subject: str
    text: str
    html: str
    pictures: dict[str, bytes]
    attached: tuple[Attached, ...] = ()
    publication: int = 0


@dataclass(frozen=True)
class Around:
    """What stands around a letter for one recipient: where it is kept, how to be rid of it, whether it is a test."""

    permalink: str = ""
    unsubscribe: str = ""
    is_test: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything a report knows before it is told in a language; asked for once, whoever reads it."""

    report: str
    week: WeeklyReport
    more: company.Books | company.Summary | None = field(default=None)


def gather(report: str, team: Team | None, week: Week, *, now: datetime, together: Together | None = None) -> Facts:
    """What a report says of a week; of several, `together` reads once what they share."""
    found = weekly_report(team, week, now=now, together=together)
    if report == Report.FINANCE:
        return Facts(report, found, company.books(found, now=now))
    return Facts(report, found, company.summary(found) if report == Report.MANAGEMENT else None)


def write_letter(
    facts: Facts, *, language: str = "", inline: bool = False, attach: bool = True, around: Around | None = None
) -> Letter:
    """A report in a language, the installation's by default. Pictures stand in the page itself, or beside it in the
    mail."""
    around = around or Around()
    with translation.override(language or settings.LANGUAGE_CODE):
        paper = _paper(facts)
        if around.is_test:
            said = Notice(_("This is a test that you asked for; nobody else got it."))
            subject = f"[{_('Test')}] {paper.subject}"
            paper = replace(paper, subject=subject, blocks=(said, *paper.blocks))
        attached, missing = _attached(facts, paper) if attach else ((), "")
        notes = (missing,) if missing else ()
        context = _context(paper, around, notes, inline=inline)
        return Letter(
            subject=plain(paper.subject, limit=400),
            text=as_text(paper, (*notes, *_last_lines(around))),
            html=re.sub(r"\n\s*\n+", "\n", render_to_string("reports/letter.html", context)).strip() + "\n",
            pictures=paper.pictures,
            attached=attached,
            publication=facts.week.publication.number,
        )


def _paper(facts: Facts) -> Paper:
    pictures = {figure_name(week.currency): _picture(facts, week) for week in facts.week.currencies}
    if isinstance(facts.more, company.Books):
        return finance.paper(facts.week, facts.more, pictures)
    if isinstance(facts.more, company.Summary):
        return management.paper(facts.week, facts.more, pictures)
    return lead.paper(facts.week, pictures)


def _attached(facts: Facts, paper: Paper) -> tuple[tuple[Attached, ...], str]:
    """The PDF and the workbook; where no font draws the letters of the PDF, why it is missing."""
    name = f"costops-{facts.report}-{facts.week.team.name if facts.week.team else 'all'}-{facts.week.week}"
    made_at = facts.week.publication.created_at
    sheet = Attached(f"{name}.xlsx", XLSX, workbook(paper, created_at=made_at, exact=_("exact")))
    language = translation.get_language() or "en"
    try:
        page = pdf(paper, created_at=made_at, language=language, new=_("new"))
    except NoFontForIt as missing:
        logger.warning("no PDF of %s: %s", name, missing)
        return (sheet,), _("There is no PDF of this report: the server has no font that draws its letters.")
    return (Attached(f"{name}.pdf", PDF, page), sheet), ""


def _context(paper: Paper, around: Around, notes: tuple[str, ...], *, inline: bool) -> dict[str, Any]:
    return {
        "paper": paper,
        "around": around,
        "notes": notes,
        "sources": {name: _source(name, png, inline=inline) for name, png in paper.pictures.items()},
    }


def _last_lines(around: Around) -> list[str]:
    """How a letter ends in text."""
    lines = []
    if around.permalink:
        lines.append(f"{_('This letter in the archive')}: {around.permalink}")
    if around.unsubscribe:
        lines.append(f"{_('Unsubscribe')}: {around.unsubscribe}")
    return lines


def _picture(facts: Facts, week: CurrencyWeek) -> bytes:
    report = facts.week
    return picture.trend_png(
        days_of(report),
        dict(week.days),
        week=report.week,
        weekly_mean=week.mean,
        weeks_in_mean=week.weeks_in_mean,
        currency=plain(week.currency).replace("$", r"\$"),  # matplotlib would take it for a formula
        is_low=facts.report == Report.MANAGEMENT,
    )


def _source(name: str, png: bytes, *, inline: bool) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}" if inline else f"cid:{content_id(name)}"


def content_id(name: str) -> str:
    """The name by which the HTML shows a picture of the same mail."""
    return f"trend-{hashlib.sha256(name.encode()).hexdigest()[:8]}@{mail_host()}"


def mail_host() -> str:
    """The host that names our mails."""
    return urlsplit(settings.COSTOPS_SITE_URL).hostname or "localhost"


def message_id(report: str, period: str, team: str, recipient: str, *more: str) -> str:
    """The same for every attempt to send the same report: a mailbox knows a repetition by it."""
    whose = hashlib.sha256("\n".join((team, recipient, *more)).encode()).hexdigest()[:24]
    return f"<costops.{report}.{period.lower()}.{whose}@{mail_host()}>"
