"""Single values of a bill: what a missing value, an instant and a JSON object look like."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal

from apps.finops.money import parse_amount

MISSING = ("", "NULL", "null")

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(?: ?(Z|UTC|[+-]\d\d:?\d\d))?)?", re.ASCII
)

PLAIN_AMOUNT = r"[+-]?[0-9]{1,6}(\.[0-9]{1,12}0*)?"
LARGE_AMOUNT = r"[+-]?[0-9]{1,26}(\.[0-9]{1,12}0*)?"
LONG_AMOUNT = r"[+-]?[0-9]{1,25}\.[0-9]{13,40}"
PLAIN_INSTANT = r"(?:19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?"

NAMES_ZONE = r"[T ][0-9:.]+ ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}) *$"
"""An instant that says its own time zone or offset."""


YEARS = range(1970, 2200)
"""What is dated outside is a slip or a placeholder. The ends of the calendar have no neighbours: one such row would
stop every fill."""


class NotAnInstant(ValueError):
    """The text is not an ISO 8601 date and time, or of no year that a bill could be of."""


def parse_instant(text: str) -> datetime:
    """An instant in UTC. ISO 8601 only, whole microseconds; without an offset it is UTC, as FOCUS prescribes.

    `03/04/2026` may be March or April, a bare number any epoch: refused.
    """
    match = _INSTANT.fullmatch(text.strip(" "))
    if match is None:
        raise NotAnInstant(text)
    day, minutes, seconds, fraction, zone = match.groups()
    if fraction and fraction[7:].strip("0"):
        raise NotAnInstant(text)
    offset = "+00:00" if zone in (None, "Z", "UTC") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        moment = datetime.fromisoformat(f"{day}T{minutes or '00:00'}{seconds or ':00'}{(fraction or '')[:7]}{offset}")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotAnInstant(text) from error
    if moment.year not in YEARS:
        raise NotAnInstant(text)
    return moment


def naive_instant(text: str) -> datetime:
    """An instant as the engine keeps it: UTC, without saying so."""
    return parse_instant(text).replace(tzinfo=None)


def exact_amount(text: str) -> Decimal:
    return parse_amount(text)[0]


def is_rounded(text: str) -> bool:
    return parse_amount(text)[1]


def is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_constant=_refuse), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(name: str) -> None:
    raise ValueError(name)
