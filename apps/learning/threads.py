"""Learning with one thread: threads that wait for each other on a busy machine take many times as long as one."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

P = ParamSpec("P")
R = TypeVar("R")


def alone(learn: Callable[P, R]) -> Callable[P, R]:
    """Let a function learn, or ask what was learned, with one thread."""

    @wraps(learn)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(limits=1):
            return learn(*args, **kwargs)

    return limited
