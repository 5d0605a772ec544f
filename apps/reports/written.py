"""How days, moments and shares stand in a letter; to be called with the reader's language active."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateformat import format as format_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from apps.charts.labels import plain
from apps.finops import written

LONGEST = 1000
STATUSES: dict[str, Promise] = {
    "estimated": gettext_lazy("estimated"),
    "provisional": gettext_lazy("provisional"),
    "final": gettext_lazy("final"),
}


def day(value: date | None) -> str:
    return "–" if value is None else format_date(value, pgettext("date format", "j M Y"))


def days(first: date, last: date) -> str:
    """The days from the first to the last, both included."""
    return day(first) if first == last else f"{day(first)} – {day(last)}"


def moment(value: datetime) -> str:
    """A moment in the business time zone, which is named."""
    local = value.astimezone(ZoneInfo(settings.COSTOPS_TIME_ZONE))
    return f"{format_date(local, pgettext('date format', 'j M Y'))} {local:%H:%M} {local:%Z}"


def share(part: Decimal, whole: Decimal) -> str:
    """A part in hundredths of a whole; a dash where there is none."""
    return written.percent(part * 100 / whole) if whole > 0 else "–"


def coverage(share: Decimal | None) -> str:
    """Observed of expected samples."""
    return _("not measured") if share is None else f"{written.rounded(share * 100):f} %"


def status(name: str) -> str:
    return str(STATUSES.get(name, name))


def line(text: str) -> str:
    """A sentence that names files and people, in one line without marks that reorder it."""
    return plain(text, limit=LONGEST)


def site() -> str:
    """The address people use, without a slash at its end."""
    return str(settings.COSTOPS_SITE_URL).rstrip("/")
