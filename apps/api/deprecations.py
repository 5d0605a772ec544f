"""What will go away: one table, told by headers (RFC 9745, RFC 8594), by the schema and by docs/api.md."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.http import http_date

LEAST_NOTICE = timedelta(days=180)
"""So long an address goes on answering after it was announced that it will not."""


@dataclass(frozen=True)
class Deprecation:
    """An address that is answered from `since` to `sunset` as ever, and what to ask instead."""

    since: date
    sunset: date
    instead: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < LEAST_NOTICE:
            raise ValueError(f"Between {self.since} and {self.sunset} there are fewer than {LEAST_NOTICE.days} days.")


DEPRECATED: Mapping[str, Deprecation] = {}
"""Address as the schema writes it, such as `/api/v1/teams/{name}/` → when it goes; nothing does at present."""
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def announce(response: Any, route: str, table: Mapping[str, Deprecation] = DEPRECATED) -> None:
    """Tell in the headers of an answer that its address will go away, if it will."""
    found = table.get("/" + _VARIABLE.sub(r"{\1}", route))
    if found is None:
        return
    response["Deprecation"] = f"@{_seconds(found.since)}"
    response["Sunset"] = http_date(_seconds(found.sunset))
    more = f'<{found.instead}>; rel="successor-version"'
    response["Link"] = f"{response['Link']}, {more}" if response.has_header("Link") else more


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
