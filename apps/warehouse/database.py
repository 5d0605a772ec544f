"""What we ask of the database: to have written what it says is committed; and whether it, or the cache, is away for the
moment: what waiting mends, unlike a question it cannot answer.
"""

from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.backends.signals import connection_created
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

_ASKED_WRONGLY = ("no such ", "near ", "table ", "ambiguous ")
"""How SQLite begins to say that the question is wrong; it has one class for that and for a lock."""

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


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that the database or the cache does not answer now."""
    while error is not None:
        if isinstance(error, NoConnection | NoAnswer):
            return True
        if isinstance(error, OperationalError | InterfaceError) and not str(error).startswith(_ASKED_WRONGLY):
            return True
        error = error.__cause__
    return False
