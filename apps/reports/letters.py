"""The weekly report as a letter: subject, text, HTML and pictures."""

import base64
import hashlib
import re
from dataclasses import dataclass
from email.mime.image import MIMEImage
from email.utils import formataddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.charts.labels import plain
from apps.marts.cell import address, cell
from apps.reports import telling
from apps.reports.picture import trend_png
from apps.reports.selectors import CurrencyWeek, WeeklyReport, days_of

KINDS: dict[str, Promise] = {
    "direct": _("Direct"),
    "shared": _("Shared"),
    "idle": _("Idle"),
    "shared_idle": _("Shared idle"),
    "unallocated": _("Unallocated"),
}
STATUSES: dict[str, Promise] = {
    "estimated": _("estimated"),
    "provisional": _("provisional"),
    "final": _("final"),
}


class MailWithPictures(EmailMultiAlternatives):
    """A mail whose pictures belong to its HTML."""

    mixed_subtype = "related"


@dataclass(frozen=True)
class Letter:
    """What a reader gets; `pictures` are PNGs by currency, named in `html` as `picture_source` said."""

    subject: str
    text: str
    html: str
    pictures: dict[str, bytes]


def write_letter(report: WeeklyReport, *, inline: bool) -> Letter:
    """A report in the installation's language. Pictures stand in the page itself, or beside it in the mail."""
    with translation.override(settings.LANGUAGE_CODE):
        pictures = {week.currency: _picture(report, week) for week in report.currencies}
        sources = {currency: _source(currency, picture, inline=inline) for currency, picture in pictures.items()}
        context = _context(report, sources)
        subject = plain(render_to_string("reports/subject.txt", context).strip())
        return Letter(
            subject=subject,
            text=re.sub(r"\n{3,}", "\n\n", render_to_string("reports/weekly.txt", context)).strip() + "\n",
            html=render_to_string("reports/weekly.html", context | {"subject": subject}),
            pictures=pictures,
        )


def _context(report: WeeklyReport, sources: dict[str, str]) -> dict[str, Any]:
    team = plain(str(report.team))
    return {
        "report": report,
        "team": team,
        "company": plain(settings.COSTOPS_COMPANY),
        "status": STATUSES.get(report.status, report.status),
        "link": f"{_site()}/teams/{report.team.name}/",
        "outlook": telling.told(report.outlook, report.team.name, site=_site()),
        "blocks": [
            {
                "week": week,
                "explain": _explanation(report, week.currency),
                "kinds": [
                    (KINDS[part.name], part, _explanation(report, week.currency, kind=part.name)) for part in week.kinds
                ],
                "namespaces": [
                    (part, _explanation(report, week.currency, namespace=part.name)) for part in week.namespaces
                ],
                "sentence": render_to_string("reports/sentence.txt", {"team": team, "week": week}).strip(),
                "picture": sources[week.currency],
            }
            for week in report.currencies
        ],
    }


def _explanation(report: WeeklyReport, currency: str, **filters: str) -> str:
    """The page that explains a number of the mail."""
    query = cell(report.query, team=report.team.name, **filters)
    if query.currency is None:
        query = cell(query, currency=currency)
    return address(f"{_site()}{reverse('explain')}", query)


def _site() -> str:
    return str(settings.COSTOPS_SITE_URL).rstrip("/")


def _picture(report: WeeklyReport, week: CurrencyWeek) -> bytes:
    return trend_png(
        days_of(report),
        dict(week.days),
        week=report.week,
        weekly_mean=week.mean,
        weeks_in_mean=week.weeks_in_mean,
        currency=plain(week.currency).replace("$", r"\$"),  # matplotlib would take it for a formula
    )


def _source(currency: str, picture: bytes, *, inline: bool) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}" if inline else f"cid:{content_id(currency)}"


def content_id(currency: str) -> str:
    """The name by which the HTML shows a picture of the same mail."""
    return f"trend-{hashlib.sha256(currency.encode()).hexdigest()[:8]}@{mail_host()}"


def mail_host() -> str:
    """The host that names our mails."""
    return urlsplit(settings.COSTOPS_SITE_URL).hostname or "localhost"


def message_id(report: str, period: str, team: str, recipient: str) -> str:
    """The same for every attempt to send the same report: a mailbox knows a repetition by it."""
    whose = hashlib.sha256(f"{team}\n{recipient}".encode()).hexdigest()[:24]
    return f"<costops.{report}.{period.lower()}.{whose}@{mail_host()}>"


def as_mail(letter: Letter, *, recipient: str, name: str, message_id: str) -> EmailMultiAlternatives:
    """A letter as a mail: text, HTML, and the pictures the HTML shows."""
    mail = MailWithPictures(
        subject=letter.subject,
        body=letter.text,
        to=[formataddr((plain(name), recipient))],
        headers={
            "Message-ID": message_id,
            "Auto-Submitted": "auto-generated",
            "List-Id": f"CostOps weekly report <weekly.costops.{mail_host()}>",
        },
    )
    mail.attach_alternative(letter.html, "text/html")
    for currency, picture in letter.pictures.items():
        image = MIMEImage(picture, "png")
        image.add_header("Content-ID", f"<{content_id(currency)}>")
        image.add_header("Content-Disposition", "inline", filename=f"trend-{plain(currency)}.png")
        mail.attach(image)
    return mail
