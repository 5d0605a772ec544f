"""What is asked many times while one page is made is asked once: who looks, which publication is the newest.

Only while something is merely looked at (`looking`): whoever changes something asks anew, each time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Told = TypeVar("Told")
_known: ContextVar[dict[tuple[Any, ...], Any] | None] = ContextVar("known", default=None)


@contextmanager
def looking() -> Iterator[None]:
    """Until the end of this block, in this thread, the same is asked but once."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def once(key: tuple[Any, ...], ask: Callable[[], Told]) -> Told:
    """What `ask` tells, or told before under this key while looking. A failure is not kept."""
    known = _known.get()
    if known is None:
        return ask()
    if key not in known:
        known[key] = ask()
    found: Told = known[key]
    return found
