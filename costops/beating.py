"""Beat whose clock was wrong for a while: what it wrote down of days to come is forgotten once the clock is right."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from celery.beat import PersistentScheduler
from celery.utils.time import maybe_make_aware

logger = logging.getLogger(__name__)

AHEAD = timedelta(seconds=30)
"""A clock that is set back by less does no harm: the next bell rings so much later."""


class Scheduler(PersistentScheduler):
    """Celery's own, which rings nothing until the last time it rang is past; also after it was started again."""

    _ticked_at: datetime | None = None

    def tick(self, *given: Any, **named: Any) -> float:
        self._set_back()
        seconds: float = super().tick(*given, **named)
        return seconds

    def _remove_db(self) -> None:
        """Of a schedule that cannot be read: also what a disk that was full left of one that was being made, with which
        no other can be made."""
        super()._remove_db()  # type: ignore[misc]  # the stubs name neither
        name = Path(self.schedule_filename)  # type: ignore[attr-defined]
        name.with_name(f"__db.{name.name}.db").unlink(missing_ok=True)

    def _set_back(self) -> None:
        """Let what rang in the future have rung now, and look anew at what is due."""
        now = maybe_make_aware(self.app.now())
        ahead = False
        for entry in self.schedule.values():
            if entry.last_run_at and maybe_make_aware(entry.last_run_at) > now + AHEAD:
                entry.last_run_at, ahead = entry.default_now(), True
        is_back = self._ticked_at is not None and self._ticked_at > now + AHEAD
        if ahead or is_back:
            logger.warning("The clock was set back, to %s; bells ring by it from now on", now)
            self._heap = None
        self._ticked_at = now
