"""Writing down what was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit.chain import hash_of
from apps.audit.models import AuditEntry, ChainEnd
from apps.audit.redaction import shown


def record(
    *,
    at: datetime,
    actor: str,
    way: str,
    action: str,
    subject: Mapping[str, Any],
    details: Mapping[str, Any],
    outcome: int,
    address: str = "",
    request_id: str = "",
) -> AuditEntry:
    """Append one entry. Others who append wait for it; secrets in `details` are left out."""
    with transaction.atomic():
        ChainEnd.objects.get_or_create(pk=ChainEnd.THE_ONE)
        end = ChainEnd.objects.select_for_update().get(pk=ChainEnd.THE_ONE)
        entry = AuditEntry(
            number=end.number + 1,
            at=at,
            actor=actor[:150],
            way=way,
            action=action[:80],
            subject=shown(subject),
            details=shown(details),
            outcome=outcome,
            address=address[:45],
            request_id=request_id,
            previous=end.hash,
        )
        entry.hash = hash_of(entry)
        entry.save(force_insert=True)
        ChainEnd.objects.filter(pk=ChainEnd.THE_ONE).update(number=entry.number, hash=entry.hash)
    return entry
