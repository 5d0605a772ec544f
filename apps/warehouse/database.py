"""What we ask of the database: to have written what it says is committed; and whether it, or the cache, is away for the
moment, or only to be read, as after a failover: what waiting mends, unlike a question it cannot answer.
"""

import sqlite3
import sys
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.backends.signals import connection_created

_ASKED_WRONGLY = ("no such ", "near ", "table ", "ambiguous ")
"""How SQLite begins to say that the question is wrong; it has one class for that and for a lock."""

_READ_ONLY = "25006"
"""What PostgreSQL's standby says to whoever writes: the SQLSTATE `read_only_sql_transaction`."""
_WAITED_TOO_LONG = "25P03"
"""What PostgreSQL says afterwards to whoever left a transaction idle: `idle_in_transaction_session_timeout`."""
_DISK_FULL = "53100"
"""What PostgreSQL says where its disk is full: the SQLSTATE `disk_full`."""
_NO_WRITES = ("MISCONF ", "NOREPLICAS ")
"""How Redis begins to say that it takes no writes for now, where its client has no class for that."""

_WRITE_BEFORE_ANSWERING = """
    SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') = 'off'
"""


def keep_what_is_committed() -> None:
    """Of every connection from now on. A PostgreSQL that answers before it has written, as Alibaba Cloud's RDS does by
    default, forgets when it dies what others have read; one that waits for its standby goes on doing so."""
    connection_created.connect(_keep_what_is_committed)


def _keep_what_is_committed(connection: Any, **_rest: object) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_WRITE_BEFORE_ANSWERING)


def leave_standbys() -> None:
    """Of every connection from now on: one whose server became a standby answers still, and would be kept for good."""
    connection_created.connect(_leave_standby)


def _leave_standby(connection: Any, **_rest: object) -> None:
    if connection.vendor == "postgresql" and _watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watched)


def _watched(execute: Callable[..., Any], sql: Any, given: Any, many: bool, about: dict[str, Any]) -> Any:
    """Ask; of a standby the connection is closed when Django next looks at it, between requests or tasks."""
    try:
        return execute(sql, given, many, about)
    except DatabaseError as error:
        if _is_read_only(error.__cause__):
            about["connection"].close_at = 0
        raise


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that the database or the cache does not answer now, or takes
    no writes."""
    while error is not None:
        if isinstance(error, of_redis("ConnectionError", "TimeoutError")) or _is_read_only(error):
            return True
        if getattr(error, "sqlstate", None) == _WAITED_TOO_LONG:
            return True
        if isinstance(error, OperationalError | InterfaceError) and not str(error).startswith(_ASKED_WRONGLY):
            return True
        error = error.__cause__
    return False


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that the database has no room to write."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        if getattr(error, "sqlstate", None) == _DISK_FULL:
            return True
        error = error.__cause__
    return False


def of_redis(*names: str) -> tuple[type[BaseException], ...]:
    """These errors of Redis's client. It takes long to load, and whoever asks Redis loads it: where nobody did there
    are none of it, and where another thread is about to, not all."""
    client = sys.modules.get("redis.exceptions")
    known = (getattr(client, name, None) for name in names)
    return tuple(one for one in known if one is not None)


def _is_read_only(error: BaseException | None) -> bool:
    if isinstance(error, of_redis("ReadOnlyError", "OutOfMemoryError", "ClusterDownError")):
        return True
    is_told = isinstance(error, of_redis("ResponseError")) and any(word in str(error) for word in _NO_WRITES)
    return is_told or getattr(error, "sqlstate", None) == _READ_ONLY
