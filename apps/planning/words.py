"""How plans write numbers in their sentences, and hours on their figures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _


def money(amount: Decimal, meta: Mapping[str, Any]) -> str:
    """An amount with its currency; small prices keep the digits that count."""
    digits = 2 if not amount or abs(amount) >= 1 else 4
    return f"{amount:,.{digits}f} {meta['currency']}"


def share(part: float) -> str:
    """A share as percent, with the digits that count when it is small."""
    percent = 100 * part
    return f"{percent:.2f} %" if 0 < abs(percent) < 1 else f"{percent:.1f} %"


def cores(number: float) -> str:
    """So many cores, or GiB, or cards."""
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def moments(first: int, count: int) -> list[str]:
    """So many hours from an hour since 1970 on, as clocks of the company show them."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    hours = (datetime.fromtimestamp(3600 * (first + ahead), UTC).astimezone(zone) for ahead in range(count))
    return [hour.replace(tzinfo=None).isoformat() for hour in hours]


def moment_format() -> str:
    """How a figure tells an hour of a day, for its reader."""
    return _("%-d %b %H:%M")
