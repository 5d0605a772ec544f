"""What killed workers left: files of the lake that no version names, landed files that no row names."""

import logging
import re
from datetime import datetime, timedelta

from apps.ingest.models import LandedFile
from apps.warehouse import orphans

logger = logging.getLogger(__name__)
LANDED_GRACE = timedelta(days=30)
"""A database that was set back knows nothing of what was landed since; its source may not have that any more."""
MOST_SHARE = 10
"""A killed worker leaves a file. Where more than a tenth has no row, the database is another one than it was."""
_LANDED = re.compile(r"landing/[0-9a-f]{2}/([0-9a-f]{64})")


def sweep(now: datetime) -> int:
    """Take them away once they have lain there for the grace period; how many files."""
    return orphans.sweep(now) + _sweep_landed(now)


def _sweep_landed(now: datetime) -> int:
    """Landed files are called by their content: the same bytes may be landed again just now, which makes them young.

    A row is asked for after the files were listed, and looks for its file before it counts (`services._enter`).
    """
    store, limit, swept = orphans.store(), now - LANDED_GRACE, 0
    old = {found[1]: one.key for one in store.listed("landing/")
           if one.modified < limit and (found := _LANDED.fullmatch(one.key))}  # fmt: skip
    named = _named() if old else set()
    nameless = [key for sha256, key in sorted(old.items()) if sha256 not in named]
    if len(nameless) > max(1, len(old) // MOST_SHARE):
        logger.error(
            "%d of %d landed files are named by no row; nothing was swept. Is this the database of that landing zone?",
            len(nameless), len(old),
        )  # fmt: skip
        return 0
    for key in nameless:
        if all(one.modified < limit for one in store.listed(key)):
            store.delete([key])
            swept += 1
    if swept:
        logger.warning("%d landed files swept, which no row names.", swept)
    return swept


def _named() -> set[str]:
    return set(LandedFile.objects.values_list("sha256", flat=True))
