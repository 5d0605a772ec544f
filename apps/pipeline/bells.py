"""The file of messages, where there is no Redis: what was heard is taken out of it.

The library below marks a message as taken and keeps it for ever, and each worker looks through all of them each second.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from django.conf import settings

logger = logging.getLogger(__name__)

_FILE = "sqla+sqlite:///"
_AT_ONCE = 5000
"""Deleted by one transaction: those who ring and listen meanwhile wait for a moment."""
_DELETE = "DELETE FROM kombu_message WHERE id IN (SELECT id FROM kombu_message WHERE visible = 0 LIMIT ?)"


def forget_heard() -> int:
    """Delete the messages that were taken; how many. One that is to come again was written anew."""
    path = Path(unquote(settings.CELERY_BROKER_URL.removeprefix(_FILE)))
    if not settings.CELERY_BROKER_URL.startswith(_FILE) or not path.exists():
        return 0
    forgotten = 0
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            while some := file.execute(_DELETE, [_AT_ONCE]).rowcount:
                forgotten += some
    except sqlite3.OperationalError as error:  # locked, or nobody rang yet: the next time
        logger.warning("%s: messages that were heard stay for now: %s", path, error)
    return forgotten
