"""Whether what this thread is at work on is still its own: asked before anything is committed.

A process may be frozen for longer than its lease, and wake up when another has long done its work and more. What it
commits then would be older than what is there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apps.finops.errors import CostOpsError

_IS_OURS: ContextVar[Callable[[], bool] | None] = ContextVar("costops_fence", default=None)


class TakenOver(CostOpsError):
    """Another worker has taken over what this one was at work on; nothing of it counts any more."""


@contextmanager
def held_while(is_ours: Callable[[], bool]) -> Iterator[None]:
    """Within, nothing is committed once `is_ours` says no."""
    token = _IS_OURS.set(is_ours)
    try:
        yield
    finally:
        _IS_OURS.reset(token)


def check() -> None:
    """Raise TakenOver when another has taken over. In a transaction, nobody can take over until it ends."""
    is_ours = _IS_OURS.get()
    if is_ours is not None and not is_ours():
        raise TakenOver("Another worker has taken over meanwhile; what this one did does not count.")
