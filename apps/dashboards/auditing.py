"""The page of the audit log: what was done, by whom, with what outcome."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.audit import selectors
from apps.audit.models import AuditEntry
from apps.dashboards.forms import EARLIEST, LATEST

PAGE = 100
WAYS: Mapping[str, Promise] = {"page": _("page"), "token": _("API token"), "command": _("command line")}


@dataclass(frozen=True)
class EntryLine:
    """An entry as the page shows it."""

    entry: AuditEntry
    way: str | Promise
    outcome: int | Promise
    given: str
    has_failed: bool


@dataclass(frozen=True)
class AuditPage:
    """Entries, what they were narrowed by, and the address of the older ones."""

    lines: tuple[EntryLine, ...]
    chosen: Mapping[str, str]
    older: str


def audit_page(given: Mapping[str, str]) -> AuditPage:
    """Of what an address asks; what is no day or number there is not asked."""
    chosen = {name: given.get(name, "").strip() for name in ("actor", "action", "start", "last")}
    before = given.get("before", "")
    asked = selectors.Asked(
        zone=ZoneInfo(settings.COSTOPS_TIME_ZONE),
        actor=chosen["actor"],
        action=chosen["action"],
        start=_day(chosen["start"]),
        last=_day(chosen["last"]),
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    found = list(selectors.entries(asked)[: PAGE + 1])
    kept = {name: value for name, value in chosen.items() if value}
    older = f"?{urlencode(kept | {'before': found[PAGE - 1].number})}" if len(found) > PAGE else ""
    return AuditPage(tuple(_line(entry) for entry in found[:PAGE]), chosen, older)


def _day(text: str) -> Any:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and EARLIEST <= found <= LATEST else None


def _line(entry: AuditEntry) -> EntryLine:
    told = {**entry.subject, **entry.details}
    given = ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in told.items()
    )
    is_known = entry.outcome != AuditEntry.UNKNOWN
    failed = entry.outcome != 0 if entry.way == AuditEntry.Way.COMMAND else entry.outcome >= 400
    outcome = entry.outcome if is_known else _("not known")
    return EntryLine(entry, WAYS.get(entry.way, entry.way), outcome, given, failed or not is_known)
