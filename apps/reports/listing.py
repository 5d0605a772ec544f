"""The archive as its pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.labels import plain
from apps.reports import archive
from apps.reports.archive import Wanted
from apps.reports.models import Delivery, Part, Report
from apps.reports.recipients import Target, readable
from apps.teams.selectors import team_titles

MOST = 100
ROLES: dict[str, Promise] = {
    "lead": gettext_lazy("Team lead"), "finance": gettext_lazy("Finance"), "management": gettext_lazy("Management"),
}  # fmt: skip
STATES: dict[str, tuple[Promise, str]] = {
    "waiting": (gettext_lazy("waiting"), "warning"), "sending": (gettext_lazy("being sent"), "warning"),
    "sent": (gettext_lazy("sent"), "ok"), "failed": (gettext_lazy("not delivered"), "error"),
    "kept": (gettext_lazy("kept, not mailed"), ""),
}  # fmt: skip
"""A state of a delivery → its words, and the tone of its tag."""


@dataclass(frozen=True)
class Line:
    """A letter in the list."""

    number: int
    week: str
    title: str
    role: str
    subject: str
    recipient: str
    language: str
    state: str
    tone: str
    at: datetime | None


@dataclass(frozen=True)
class File:
    """A part of a letter."""

    name: str
    content_type: str
    size_bytes: int
    sha256: str
    url: str


@dataclass(frozen=True)
class LetterOf:
    """One letter with its files."""

    line: Line
    delivery: Delivery
    files: tuple[File, ...]
    url: str


@dataclass(frozen=True)
class ArchivePage:
    """The list with its filters, and the reports one may have a test of."""

    lines: tuple[Line, ...]
    more: int
    wanted: Wanted
    roles: tuple[tuple[str, str], ...]
    teams: tuple[tuple[str, str], ...]
    weeks: tuple[tuple[str, str], ...]
    targets: tuple[tuple[str, str], ...]
    previews: tuple[tuple[str, str], ...]


def page(reader: AbstractBaseUser | AnonymousUser, asked: Mapping[str, str]) -> ArchivePage:
    """What somebody may read, narrowed by what an address asks for."""
    wanted = Wanted(**{name: asked.get(name, "") for name in ("role", "team", "week")})
    names, mine = team_titles(), readable(reader)
    found, everything = archive.letters(reader, wanted), archive.letters(reader)
    rows = list(found[:MOST])
    teams = sorted({team for team in everything.order_by().values_list("team", flat=True).distinct() if team})
    weeks = sorted(everything.order_by().values_list("period", flat=True).distinct(), reverse=True)
    return ArchivePage(
        lines=tuple(_line(one, names) for one in rows),
        more=found.count() - len(rows),
        wanted=wanted,
        roles=tuple((role, str(title)) for role, title in ROLES.items()),
        teams=tuple((team, names.get(team, team)) for team in teams),
        weeks=tuple((week, week) for week in weeks),
        targets=tuple((spelled(one), title_of(one.report, one.name, names)) for one in mine),
        previews=tuple((preview(one), title_of(one.report, one.name, names)) for one in mine),
    )


def letter(delivery: Delivery) -> LetterOf:
    """One letter as its permalink shows it."""

    def file(one: Part) -> File:
        url = reverse("report-part", args=[delivery.pk, one.name])
        return File(one.name, one.content_type, one.size_bytes, one.content_id, url)

    files = tuple(file(one) for one in delivery.parts.order_by("place"))
    return LetterOf(_line(delivery, team_titles()), delivery, files, reverse("report-page", args=[delivery.pk]))


def spelled(target: Target) -> str:
    """A report in a form."""
    return f"{target.report}:{target.name}"


def preview(target: Target) -> str:
    """Where a report is read before it is sent."""
    if target.team:
        return reverse("weekly-preview", args=[target.name])
    return reverse("company-preview", args=[target.report])


def title_of(report: str, team: str, names: Mapping[str, str]) -> str:
    """A report as people call it: by its team, or by whom it is for."""
    if report == Report.LEAD:
        return plain(names.get(team, team))
    return _("All teams") if report == Report.FINANCE else _("Cost at a glance")


def address(wanted: Wanted) -> str:
    """The list, narrowed."""
    asked = {name: value for name, value in vars(wanted).items() if value}
    return f"{reverse('reports')}?{urlencode(asked)}"


def _line(one: Delivery, names: Mapping[str, str]) -> Line:
    words, tone = STATES[one.state]
    return Line(
        one.pk, one.period, title_of(one.report, one.team, names), str(ROLES.get(one.report, one.report)),
        plain(one.subject, limit=300), plain(one.recipient), one.language, str(words), tone, one.sent_at,
    )  # fmt: skip
