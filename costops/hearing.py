"""Bells that were rung while nobody listened: the first is followed, those heard right after it say the same.

Nothing here asks the time: beat and workers may be of different opinions about it.
"""

import time
from collections.abc import Iterable
from multiprocessing.sharedctypes import RawValue
from typing import Any

from celery import Task

HUSH_SECONDS = 2.0
_NEVER = float("-inf")
_ended: dict[str, Any] = {}
"""When each task that beat rings for was done last, whichever child of this worker did it: set up before the fork."""


class Bell(Task):  # type: ignore[type-arg]
    """A task; one that beat rings for is not repeated at once. Who sends it otherwise is always heard."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        ended = _ended.get(self.name)
        if ended is None or not self.request.get("celery_beat_task"):
            return super().__call__(*args, **kwargs)
        if time.monotonic() - ended.value < HUSH_SECONDS:
            return None
        try:
            return super().__call__(*args, **kwargs)
        finally:
            ended.value = time.monotonic()


def listen(tasks: Iterable[str]) -> None:
    """Remember these tasks from now on."""
    _ended.update({name: RawValue("d", _NEVER) for name in tasks})
