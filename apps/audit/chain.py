"""The chain: what the hash of an entry is of, and where a chain was broken."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from apps.audit.models import AuditEntry

HASHED = ("number", "actor", "way", "action", "subject", "details", "outcome", "address", "request_id", "previous")

END_MISSING = "the end of the audit log was missing"
"""The action of an entry before which others may have been cut off."""


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 of every field as JSON with sorted keys; the moment in UTC to the microsecond."""
    facts = {name: getattr(entry, name) for name in HASHED} | {"at": entry.at.astimezone(UTC).isoformat()}
    told = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """How far a chain holds: `entries` looked at, the newest `hash`, and what is `wrong` with the first bad one."""

    entries: int
    hash: str
    wrong: str = ""


def verify(entries: Iterable[AuditEntry]) -> Verdict:
    """Walk entries from the first on, in order. One that was changed, taken out or put in is named."""
    seen, previous = 0, ""
    for entry in entries:
        expected = seen + 1
        if entry.number != expected:
            return Verdict(
                seen, previous, f"Entry {expected} is missing; after entry {seen} comes entry {entry.number}."
            )
        if entry.previous != previous:
            return Verdict(
                seen, previous, f"Entry {entry.number} does not follow on entry {seen}: one of them was changed."
            )
        if hash_of(entry) != entry.hash:
            return Verdict(seen, previous, f"Entry {entry.number} was changed after it was written.")
        if entry.action == END_MISSING:
            return Verdict(seen, previous, f"After entry {seen} the end was missing: others may have been cut off.")
        seen, previous = entry.number, entry.hash
    return Verdict(seen, previous)
