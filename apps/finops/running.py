"""What this thread is at work on, for lines of the log: a request, or a run of a step."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_AT_WORK: ContextVar[Mapping[str, str | int]] = ContextVar("costops_at_work", default={})  # noqa: B039  # never changed


@contextmanager
def told_of(**facts: str | int) -> Iterator[None]:
    """Within, lines of the log bear these facts too."""
    token = _AT_WORK.set({**_AT_WORK.get(), **facts})
    try:
        yield
    finally:
        _AT_WORK.reset(token)


def at_work() -> Mapping[str, str | int]:
    """The facts of the innermost work, and of what it is part of."""
    return _AT_WORK.get()
