"""The life of a recommendation: what can be done in which state, and where it leads. One table, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from apps.operations.models import Recommendation

State = Recommendation.State


class Who(Enum):
    """Who makes a move: people, or the machine when it looks at a publication or at the clock."""

    PEOPLE = "people"
    MACHINE = "machine"


@dataclass(frozen=True)
class Move:
    """One thing that can be done: `to` says from which states, and to which each leads. `needs` names what must be
    said with it: `why`, `until` or `assignee`."""

    to: Mapping[State, State]
    who: Who = Who.PEOPLE
    needs: str = ""


OPEN = (State.FOUND, State.ASSIGNED, State.ACCEPTED, State.SNOOZED, State.IN_PROGRESS)
"""States in which something is still to be decided or done."""
SETTLED = (State.DONE, State.VERIFIED, State.NOT_VERIFIED)
"""States of what was done, whatever came of it."""
_ANY = {state: state for state in State}

MOVES: Mapping[str, Move] = {
    "comment": Move(_ANY, needs="why"),
    "assign": Move({state: state for state in OPEN} | {State.FOUND: State.ASSIGNED}, needs="assignee"),
    "accept": Move(dict.fromkeys((State.FOUND, State.ASSIGNED, State.SNOOZED, State.DECLINED), State.ACCEPTED)),
    "decline": Move(dict.fromkeys(OPEN, State.DECLINED), needs="why"),
    "snooze": Move(dict.fromkeys((State.FOUND, State.ASSIGNED, State.ACCEPTED, State.SNOOZED), State.SNOOZED),
                   needs="until"),
    "start": Move({State.ACCEPTED: State.IN_PROGRESS}),
    "finish": Move({State.ACCEPTED: State.DONE, State.IN_PROGRESS: State.DONE}),
    "reopen": Move(dict.fromkeys((State.DECLINED, State.SNOOZED, *SETTLED, State.REVERTED), State.FOUND)),
    "revert": Move(dict.fromkeys(SETTLED, State.REVERTED), needs="why"),
    "hand over": Move({state: state for state in OPEN}, who=Who.MACHINE),
    "close": Move(dict.fromkeys(OPEN, State.CLOSED) | {State.IN_PROGRESS: State.DONE}, who=Who.MACHINE),
    "return": Move(dict.fromkeys((State.CLOSED, State.DECLINED, *SETTLED, State.REVERTED), State.FOUND),
                   who=Who.MACHINE),
    "wake": Move({State.SNOOZED: State.FOUND}, who=Who.MACHINE),
    "verify": Move(dict.fromkeys(SETTLED, State.VERIFIED), who=Who.MACHINE),
    "refute": Move(dict.fromkeys(SETTLED, State.NOT_VERIFIED), who=Who.MACHINE),
    "lapse": Move({State.VERIFIED: State.REVERTED}, who=Who.MACHINE),
}  # fmt: skip
"""What was in progress and is found no longer, where it could be looked for, is done; what is done is measured, and
what was saved may be lost again (`lapse`) or undone by people (`revert`), and no measurement brings that back. What is
declined stays so, but for much more money."""

ACTIONS = tuple(name for name, move in MOVES.items() if move.who is Who.PEOPLE)


def allowed(state: str) -> tuple[str, ...]:
    """What people can do in a state, in the order of the table."""
    return tuple(name for name in ACTIONS if state in MOVES[name].to)
