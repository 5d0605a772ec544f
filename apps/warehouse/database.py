"""Whether the database or the cache is away for the moment: what waiting mends, unlike a question it cannot answer."""

from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

_ASKED_WRONGLY = ("no such ", "near ", "table ", "ambiguous ")
"""How SQLite begins to say that the question is wrong; it has one class for that and for a lock."""


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that the database or the cache does not answer now."""
    while error is not None:
        if isinstance(error, NoConnection | NoAnswer):
            return True
        if isinstance(error, OperationalError | InterfaceError) and not str(error).startswith(_ASKED_WRONGLY):
            return True
        error = error.__cause__
    return False
