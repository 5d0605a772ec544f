"""The cache of an installation without Redis: each process has its own, but what signing in counts is of all."""

from datetime import datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.db import IntegrityError, transaction
from django.utils import timezone

SHARED = ("allauth", "jwt:")
"""How keys begin that hold tries, locks and used codes: a guess counts whichever process hears it."""


class ProcessCache(LocMemCache):
    """A cache in memory that keeps what must be shared in the database, as JSON."""

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if not _is_shared(key):
            return super().add(key, value, timeout, version)
        from apps.signin.models import Kept

        now = timezone.now()  # noqa: TID251  # what is kept for a while needs the clock
        try:
            with transaction.atomic():
                Kept.objects.filter(until__lte=now).delete()
                Kept(key=key, value=value, until=self._until(now, timeout)).save(force_insert=True)
        except IntegrityError:
            return False
        return True

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        if not _is_shared(key):
            return super().get(key, default, version)
        from apps.signin.models import Kept

        now = timezone.now()  # noqa: TID251  # what is kept for a while needs the clock
        found = Kept.objects.filter(key=key, until__gt=now).first()
        return default if found is None else found.value

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        if not _is_shared(key):
            super().set(key, value, timeout, version)
            return
        from apps.signin.models import Kept

        now = timezone.now()  # noqa: TID251  # what is kept for a while needs the clock
        kept = Kept(key=key, value=value, until=self._until(now, timeout))
        Kept.objects.bulk_create([kept], update_conflicts=True, unique_fields=["key"], update_fields=["value", "until"])

    def delete(self, key: Any, version: int | None = None) -> bool:
        if not _is_shared(key):
            return super().delete(key, version)
        from apps.signin.models import Kept

        return bool(Kept.objects.filter(key=key).delete()[0])

    def _until(self, now: datetime, timeout: Any) -> datetime:
        seconds = (self.default_timeout or 300) if timeout in (DEFAULT_TIMEOUT, None) else timeout
        return now + timedelta(seconds=float(seconds))


def _is_shared(key: Any) -> bool:
    return isinstance(key, str) and key.startswith(SHARED)
