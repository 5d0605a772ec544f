"""The cache: each process has its own, but what is counted is counted by all of them together.

Answers stay in the process that made them. What Redis or the database holds for all is JSON: nothing that is read from
there runs, whoever wrote it.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.db import IntegrityError, transaction
from django.utils import timezone

SHARED = ("allauth", "jwt:")
"""How keys begin that hold tries, locks and used codes: a guess counts whichever process hears it."""


COUNTS = (*SHARED, "api-requests:", "mcp-requests:", "audit:")
"""The same where there is Redis, which counts as fast as memory: requests of a minute as well."""


class Json:
    """How values stand in Redis. What is no JSON is not there."""

    def dumps(self, value: Any) -> Any:
        return value if type(value) is int else json.dumps(value)  # Redis itself adds to whole numbers

    def loads(self, told: bytes) -> Any:
        try:
            return json.loads(told)
        except ValueError:
            return None


class RedisAndProcessCache(LocMemCache):
    """A cache in memory that keeps what must be shared in Redis."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__("", params)
        self._shared = RedisCache(server, params | {"OPTIONS": {"serializer": Json()}})

    def _of(self, key: Any) -> Any:
        return self._shared if isinstance(key, str) and key.startswith(COUNTS) else super()

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._of(key).add(key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._of(key).get(key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._of(key).set(key, value, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._of(key).incr(key, delta, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._of(key).delete(key, version))


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
