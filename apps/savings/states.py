"""The life of an initiative: what can be done in which state, and where it leads. One table, and nothing else."""

from collections.abc import Mapping

from apps.savings.models import Initiative

State = Initiative.State

MOVES: Mapping[str, Mapping[State, State]] = {
    "state": {State.DRAFT: State.STATED},
    "withdraw": dict.fromkeys((State.DRAFT, State.STATED, State.NOT_VERIFIED), State.WITHDRAWN),
    "revert": dict.fromkeys((State.STATED, State.VERIFIED, State.NOT_VERIFIED), State.REVERTED),
    "comment": {state: state for state in State},
    "verify": dict.fromkeys((State.STATED, State.NOT_VERIFIED), State.VERIFIED),
    "refute": dict.fromkeys((State.STATED, State.VERIFIED), State.NOT_VERIFIED),
    "lapse": {State.VERIFIED: State.REVERTED},
}
"""A verdict may change while bills are restated; what people or time undid (`revert`, `lapse`) stays undone."""

OF_PEOPLE = ("state", "withdraw", "revert", "comment")
NEEDS_WHY = ("withdraw", "revert", "comment")
LIVE = (State.STATED, State.VERIFIED, State.NOT_VERIFIED)
"""States in which it is still measured."""


def allowed(state: str) -> tuple[str, ...]:
    """What people can do in a state, in the order of the table."""
    return tuple(name for name in OF_PEOPLE if state in MOVES[name])
