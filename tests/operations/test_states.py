"""The life of a recommendation: every state and action against a table written by hand, and long lives at random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.operations.models import Recommendation
from apps.operations.states import ACTIONS, MOVES, OPEN, Who, allowed

STATES = [str(state) for state in Recommendation.State.values]
TABLE = """
              found     assigned  accepted     declined  snoozed   in_progress  done          verified      not_verified  reverted  closed
assign        assigned  assigned  accepted     -         snoozed   in_progress  -             -             -             -         -
accept        accepted  accepted  -            accepted  accepted  -            -             -             -             -         -
decline       declined  declined  declined     -         declined  declined     -             -             -             -         -
snooze        snoozed   snoozed   snoozed      -         snoozed   -            -             -             -             -         -
start         -         -         in_progress  -         -         -            -             -             -             -         -
finish        -         -         done         -         -         done         -             -             -             -         -
reopen        -         -         -            found     found     -            found         found         found         found     -
revert        -         -         -            -         -         -            reverted      reverted      reverted      -         -
comment       found     assigned  accepted     declined  snoozed   in_progress  done          verified      not_verified  reverted  closed
hand-over     found     assigned  accepted     -         snoozed   in_progress  -             -             -             -         -
close         closed    closed    closed       -         closed    done         -             -             -             -         -
return        -         -         -            found     -         -            found         found         found         found     found
wake          -         -         -            -         found     -            -             -             -             -         -
verify        -         -         -            -         -         -            verified      verified      verified      -         -
refute        -         -         -            -         -         -            not_verified  not_verified  not_verified  -         -
lapse         -         -         -            -         -         -            -             reverted      -             -         -
"""  # noqa: E501  # one table


def table() -> dict[tuple[str, str], str]:
    """What the table says: (action, state) → the state it leads to."""
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return {
        (action.replace("-", " "), state): to
        for action, *cells in rows
        for state, to in zip(head, cells, strict=True)
        if to != "-"
    }


def test_every_action_in_every_state_leads_where_the_table_says():
    assert {(action, str(state)): str(to) for action, move in MOVES.items() for state, to in move.to.items()} == table()


@pytest.mark.parametrize("state", STATES)
def test_people_are_offered_what_can_be_done_and_nothing_of_the_machine(state):
    assert set(allowed(state)) == {action for action, known in table() if known == state and action in ACTIONS}
    assert not {action for action in allowed(state) if MOVES[action].who is Who.MACHINE}


def test_from_every_state_something_leads_back_to_what_is_open():
    """Nothing is lost for ever: what is over can be asked about again."""
    over = set(STATES) - {str(state) for state in OPEN}
    back = {state for (_, state), to in table().items() if to in {str(state) for state in OPEN}}
    assert over <= back


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=40))
def test_whatever_is_done_in_whatever_order_a_life_stays_within_the_table(actions):
    """And the machine closes only what is open: what people declined or finished is theirs."""
    state = "found"
    for action in actions:
        after = MOVES[action].to.get(Recommendation.State(state))
        assert (str(after) if after else None) == table().get((action, state))
        if action == "close" and after:
            assert state in {str(one) for one in OPEN}
        state = str(after) if after else state
    assert state in STATES
