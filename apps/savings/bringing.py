"""Initiatives from a table: a spreadsheet, or the ledger a company kept before."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.calendars.selectors import today
from apps.finops.errors import CostOpsError
from apps.savings.models import Initiative
from apps.savings.services import state, write
from apps.savings.statements import FIELDS, BadStatement, read_statement
from apps.teams.approval import Actor, NotYours

STATED_ON = "stated_on"
COLUMNS = (*FIELDS, STATED_ON)
MOST_ROWS = 500
SAID = ("name", "hypothesis", "team", "scope", "currency", "promised_text", "start", "transition_days", "window_days",
        "drivers", "is_about_price")  # fmt: skip


class BadTable(CostOpsError):
    """A table of initiatives cannot be read: the line and column are named; nothing of it was kept."""


@transaction.atomic
def bring(content: bytes, name: str, *, by: Actor, now: datetime) -> list[Initiative]:
    """Keep every initiative of a CSV file, or none.

    One with a day in `stated_on` was stated elsewhere on that day: it is stated as it stands, its controls chosen by
    rule from days before its start. Finance brings these. What was brought or written before, and was not withdrawn,
    is there: brought again it would be promised twice.
    """
    kept = []
    live = Initiative.objects.exclude(state=Initiative.State.WITHDRAWN)
    there = {(_statement(vars(one)), is_stated) for one in live for is_stated in {False, one.stated_at is not None}}
    for line, row in _rows(content, name):
        day = _stated(row, today(now), where=f"{name}, line {line}")
        if day is not None and by.teams is not None:
            raise NotYours(f"{name}, line {line}: what was stated elsewhere is for finance to bring; nothing was kept.")
        try:
            statement = read_statement({key: row[key] for key in FIELDS if row.get(key)})
            if (_statement(statement.columns()), day is not None) in there:
                continue
            one = write(statement, by=by, now=now)
            if day is not None:
                state(one, by=by.name, now=now, why=f"{name}: stated on {day}")
                Initiative.objects.filter(pk=one.pk).update(stated_at=_morning(day))
        except CostOpsError as wrong:
            raise BadTable(f"{name}, line {line}: {wrong} Nothing of the file was kept.") from wrong
        kept.append(one)
    return kept


def _statement(told: Mapping[str, Any]) -> str:
    """What is said of an initiative: its controls may be chosen when it is stated."""
    return json.dumps({name: told[name] for name in SAID}, sort_keys=True, default=str)


def _morning(day: date) -> datetime:
    """The moment at which a day begins where the company does business."""
    return datetime.combine(day, time(), ZoneInfo(settings.COSTOPS_TIME_ZONE))


def _rows(content: bytes, name: str) -> Sequence[tuple[int, Mapping[str, Any]]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as wrong:
        raise BadTable(f"{name}: is not UTF-8; save the table as CSV UTF-8.") from wrong
    except csv.Error as wrong:
        raise BadTable(f"{name}: is no CSV: {wrong}.") from wrong
    unknown = [column for column in reader.fieldnames or () if column not in COLUMNS]
    if unknown or not rows:
        told = f"column {unknown[0][:40]!r} is not one of {', '.join(COLUMNS)}" if unknown else "holds no initiative"
        raise BadTable(f"{name}: {told}.")
    if len(rows) > MOST_ROWS or any(None in row for _, row in rows):
        raise BadTable(f"{name}: at most {MOST_ROWS} lines, each with as many cells as the first.")
    return rows


def _stated(row: Mapping[str, Any], latest: date, *, where: str) -> date | None:
    text = (row.get(STATED_ON) or "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadTable(f"{where}, {STATED_ON}: {text[:20]!r} is no day, such as 2026-11-30.") from None
    if day > latest:
        raise BadStatement(f"{where}, {STATED_ON}: {day} is still to come.")
    return day
