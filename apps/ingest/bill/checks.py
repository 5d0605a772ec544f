"""What the careful reader checks in every row of a bill."""

from apps.finops import focus
from apps.finops.money import NotAnAmount
from apps.ingest.bill.query import MONEY, TIMES
from apps.ingest.text import values
from apps.ingest.text.careful import Check, Plan, shown
from apps.ingest.text.header import Header


def plan(header: Header) -> Plan:
    """The rules of a bill with these columns."""
    known = {column: check for column in header.known if (check := _check(column))}
    return Plan(header, focus.REQUIRED, known)


def _check(column: str) -> Check | None:
    if column in MONEY:
        return check_amount
    if column in TIMES:
        return check_instant
    return check_json if column in focus.JSON_COLUMNS else None


def check_amount(text: str) -> str | None:
    try:
        values.exact_amount(text)
    except NotAnAmount:
        return f"{shown(text)} is not an amount; write plain digits with a decimal point, like -1234.50."
    return None


def check_instant(text: str) -> str | None:
    try:
        values.parse_instant(text)
    except values.NotAnInstant:
        return f"{shown(text)} is not a date and time; write 2026-10-01T13:00:00Z."
    return None


def check_json(text: str) -> str | None:
    return None if values.is_json_object(text) else f'{shown(text)} is not a JSON object; write {{"key": "value"}}.'
